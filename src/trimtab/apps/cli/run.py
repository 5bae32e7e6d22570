"""`trimtab run`: one turn of the household, dry unless told to execute."""

from pathlib import Path

import click

from trimtab.apps.cli.door import INTERRUPTED
from trimtab.apps.cli.options import example, folder_option, json_option
from trimtab.apps.cli.terminal import progress, show, show_document


@click.command("run", epilog=example("trimtab run --execute --folder ~/savings"))
@folder_option
@click.option("--execute", "executes", is_flag=True, help="Send the orders that the gates allow.")
@json_option
def command(folder: Path, executes: bool, as_json: bool) -> int:
    """Take one turn; with --execute it trades.

    Settles what is open, reads accounts and prices, decides, writes it all into the journal and,
    only with --execute, sends the orders that every gate allows. Afterwards journal and brokers
    are compared. Exit status 3 says that a gate held something.
    """
    from trimtab.apps.cli.turns import exit_status, take_turn
    from trimtab.apps.clock import SystemClock
    from trimtab.apps.home import Home, working
    from trimtab.apps.views.closing import after_run
    from trimtab.apps.views.run import outcome_blocks, run_document

    clock = SystemClock()
    clock.heed_signals()

    def stops() -> str | None:
        return f"{clock.stopped_by} asked to stop." if clock.is_stopping else None

    name = "trimtab run --execute" if executes else "trimtab run"
    with (
        progress("starting") as says,
        working(Home(folder), command=name, clock=clock, says=says, stops=stops) as house,
    ):
        turn = take_turn(house, executes=executes)
    status = exit_status(turn.outcome, executes=executes)
    if as_json:
        show_document(
            run_document(
                turn.outcome, turn.known, turn.realized, executes=executes, exit_status=status
            )
        )
    else:
        page = outcome_blocks(turn.outcome, turn.known, turn.realized)
        show([*page, *after_run(turn.outcome, str(folder), executes=executes)])
    return INTERRUPTED if clock.is_stopping else status
