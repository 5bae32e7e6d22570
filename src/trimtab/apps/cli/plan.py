"""`trimtab plan`: what would be traded now. Nothing is sent and nothing is written."""

from pathlib import Path

import click

from trimtab.apps.cli.options import example, folder_option, json_option
from trimtab.apps.cli.terminal import progress, show, show_document


@click.command("plan", epilog=example("trimtab plan --folder ~/savings"))
@folder_option
@json_option
def command(folder: Path, as_json: bool) -> int:
    """Show what would be traded now, and why; nothing is sent.

    Looks at the household as it is, plans, asks every gate, and forgets it all: no order is sent
    and no file is written. Ends with what to type to trade it.
    """
    from trimtab.apps.cli.turns import exit_status, take_turn
    from trimtab.apps.clock import SystemClock
    from trimtab.apps.home import Home, looking
    from trimtab.apps.views.closing import after_plan
    from trimtab.apps.views.run import outcome_blocks, plan_document

    with (
        progress("planning") as says,
        looking(Home(folder), clock=SystemClock(), says=says) as house,
    ):
        turn = take_turn(house, executes=False)
        is_invented = house.file.data.market == "invented"
    if as_json:
        show_document(plan_document(turn.outcome, turn.known))
    else:
        page = outcome_blocks(turn.outcome, turn.known, turn.realized)
        show([*page, *after_plan(turn.outcome, str(folder), is_invented=is_invented)])
    return exit_status(turn.outcome, executes=False)
