"""`trimtab watch`: a turn whenever one is due, until it is stopped."""

from pathlib import Path

import click

from trimtab.apps.cli.options import example, folder_option, json_option
from trimtab.apps.cli.terminal import show_document


@click.command("watch", epilog=example("trimtab watch --execute --folder ~/savings >> watch.log"))
@folder_option
@click.option("--execute", "executes", is_flag=True, help="Send the orders that the gates allow.")
@json_option
def command(folder: Path, executes: bool, as_json: bool) -> int:
    """Take a turn whenever one is due, until stopped.

    Looks at the times that [schedule] in household.toml gives, and prints one line for each look;
    with --json each line is the object that `trimtab run --json` prints. An error is said and
    tried again later. SIGTERM or Ctrl-C stops it after the order in hand.
    """
    from trimtab.apps.cli.past import entries_of
    from trimtab.apps.cli.turns import exit_status, household_of, turn_of
    from trimtab.apps.clock import SystemClock
    from trimtab.apps.home import Home, read_household
    from trimtab.apps.run import Outcome
    from trimtab.apps.views.run import look_line, run_document
    from trimtab.apps.watch import watch
    from trimtab.rules.words import instant

    home, clock = Home(folder), SystemClock()
    file = read_household(home)
    household = household_of(file)
    clock.heed_signals()

    def says(text: str) -> None:
        click.echo(f"{instant(clock.now())}  {text}", err=as_json)

    def tells(outcome: Outcome) -> None:
        if not as_json:
            says(look_line(outcome))
            return
        turn = turn_of(outcome, entries_of(home.journal), household)
        status = exit_status(outcome, executes=executes)
        show_document(
            run_document(outcome, turn.known, turn.realized, executes=executes, exit_status=status)
        )

    watch(home, clock, executes=executes, says=says, tells=tells)
    says(f"stopped by {clock.stopped_by}; nothing is in flight that the journal does not know.")
    return 0
