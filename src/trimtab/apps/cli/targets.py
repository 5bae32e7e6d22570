"""`trimtab targets`: what the household aims at now, and why."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from trimtab.apps.cli.options import example, folder_option, json_option
from trimtab.apps.cli.terminal import progress, show, show_document

if TYPE_CHECKING:
    from trimtab.apps.home import Home

_EXAMPLES = (
    "trimtab targets",
    "trimtab targets --chart targets.svg",
    "trimtab targets --options >> household.toml",
    'trimtab targets --rearm "we can bear another fall"',
)


@click.command("targets", epilog=example(*_EXAMPLES))
@folder_option
@click.option(
    "--options",
    "wants_options",
    is_flag=True,
    help="Print every option of groups, glide paths and strategies, for household.toml.",
)
@click.option(
    "--chart",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Draw targets and weights over time, the mixes that minimum variance chose from, and "
    "the floor of CPPI into FILE (.svg or .png).",
)
@click.option(
    "--rearm",
    "because",
    metavar="TEXT",
    help="Let a CPPI that hit its floor take risk again; TEXT is the reason.",
)
@json_option
def command(
    folder: Path, wants_options: bool, chart: Path | None, because: str | None, as_json: bool
) -> int:
    """Say what the household aims at now, and why.

    Shows each class's own target, what every strategy makes of it, the targets in force and since
    when, and the weights there are. Each strategy says why, with its figures: the volatility that
    minimum variance was fitted to beside the most to expect. Nothing is written, but for --rearm.
    """
    if wants_options:
        return _print_options()
    from trimtab.apps.aiming import gather
    from trimtab.apps.clock import SystemClock
    from trimtab.apps.home import Home
    from trimtab.apps.views.targets import targets_document, targets_page
    from trimtab.domain.errors import StrategyFault

    home, clock = Home(folder), SystemClock()
    if because is not None:
        if as_json or chart is not None:
            raise click.UsageError("--rearm does one thing: leave --json and --chart away.")
        return _rearm(home, because)
    with progress("asking the strategies"):
        aiming = gather(home, clock)
        if chart is not None:
            from trimtab.apps.views.targets_picture import draw_targets

            draw_targets(aiming, chart)
    status = StrategyFault.exit_status if aiming.aim is not None and aiming.aim.faults else 0
    if as_json:
        show_document(targets_document(aiming))
        return status
    show(targets_page(aiming, str(folder)))
    if chart is not None:
        click.echo(f"\nThe picture is in {chart}.")
    return status


def _print_options() -> int:
    from importlib import resources

    text = (resources.files("trimtab.apps") / "templates" / "strategies.toml").read_text("utf-8")
    click.echo(text, nl=False)
    return 0


def _rearm(home: "Home", because: str) -> int:
    from trimtab.apps.clock import SystemClock
    from trimtab.apps.owner import rearm_strategy

    with progress("writing into the journal"):
        name = rearm_strategy(home, SystemClock(), because)
    click.echo(f"{name} is re-armed; nothing was sent. The next turn heeds it.")
    return 0
