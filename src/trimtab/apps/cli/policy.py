"""`trimtab policy`: the rules in force, and what only a person may do about them."""

from collections.abc import Callable
from pathlib import Path

import click

from trimtab.apps.cli.options import because_option, example, folder_option, json_option
from trimtab.apps.cli.terminal import progress, show, show_document


@click.group(
    "policy",
    invoke_without_command=True,
    epilog=example("trimtab policy", 'trimtab policy pause --because "we are moving house"'),
)
@folder_option
@json_option
@click.pass_context
def command(ctx: click.Context, folder: Path, as_json: bool) -> int:
    """Show the rules in force; pause, resume, re-arm.

    Says since when the policy is in force, whether household.toml asks for something else, each
    change in a sentence, and when it takes effect. No command loosens a rule before its time.
    """
    if ctx.invoked_subcommand is not None:
        ctx.default_map = {ctx.invoked_subcommand: {"folder": folder}}
        return 0
    from trimtab.apps.clock import SystemClock
    from trimtab.apps.home import Home, flagged, read_household, recall
    from trimtab.apps.views.policy import policy_document, policy_page

    home = Home(folder)
    file, memory, now = read_household(home), recall(home), SystemClock().now()
    if as_json:
        show_document(policy_document(file, memory, now, flag=flagged(home)))
    else:
        show(policy_page(file, memory, now, str(folder), flag=flagged(home)))
    return 0


@command.command("pause", epilog=example('trimtab policy pause --because "we are moving house"'))
@folder_option
@because_option
def pause(folder: Path, because: str) -> int:
    """Stop all trading from now on; a turn that runs now stops before its next order."""
    from trimtab.apps.owner import pause as do

    _act(folder, do, because)
    click.echo(
        "Trading is paused; `trimtab policy resume` ends it. What is in the market stays there."
    )
    return 0


@command.command("resume", epilog=example('trimtab policy resume --because "we have moved"'))
@folder_option
@because_option
def resume(folder: Path, because: str) -> int:
    """Let trading go on after a pause."""
    from trimtab.apps.owner import resume as do

    _act(folder, do, because)
    click.echo(
        "Trading goes on; nothing was sent. `trimtab plan` shows what the next turn would do."
    )
    return 0


@command.command(
    "rearm", epilog=example('trimtab policy rearm --because "we looked at it together and hold on"')
)
@folder_option
@because_option
def rearm(folder: Path, because: str) -> int:
    """End the defensive posture after the circuit breaker tripped.

    The fall is measured anew from where the savings stand now.
    """
    from trimtab.apps.owner import rearm as do

    _act(folder, do, because)
    click.echo("The circuit breaker is armed again; nothing was sent.")
    return 0


def _act(folder: Path, do: Callable[..., None], because: str) -> None:
    from trimtab.apps.clock import SystemClock
    from trimtab.apps.home import Home

    with progress("writing into the journal"):
        do(Home(folder), SystemClock(), because)
