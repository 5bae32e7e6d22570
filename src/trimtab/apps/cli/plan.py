"""`trimtab plan`: what would be traded now, or if something were so. Nothing is sent or written."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from trimtab.apps.cli.options import example, folder_option, json_option
from trimtab.apps.cli.terminal import progress, show, show_document

if TYPE_CHECKING:
    from trimtab.apps.world import House

_EXAMPLES = (
    "trimtab plan --folder ~/savings",
    "trimtab plan --what-if deposit=5000 --what-if VTI=-20%",
    "trimtab plan --compare relief --what-if withdraw=30000",
)


@click.command("plan", epilog=example(*_EXAMPLES))
@folder_option
@click.option(
    "--what-if",
    "assumed",
    multiple=True,
    metavar="KEY=VALUE",
    help="Plan as if this were so: deposit=5000, deposit:ACCOUNT=5000, withdraw=3000, "
    "SYMBOL=-20%, SYMBOL=210.50, CLASS=-10%. May be given several times.",
)
@click.option(
    "--compare",
    "compared",
    type=click.Choice(["relief"]),
    help="Plan as if brokers booked lots otherwise, and say what that is worth.",
)
@json_option
def command(folder: Path, assumed: tuple[str, ...], compared: str | None, as_json: bool) -> int:
    """Show what would be traded now, and why; nothing is sent.

    Looks at the household as it is, plans, asks every gate, and forgets it all: no order is sent
    and no file is written. Says what the plan costs, what else could have been done and what that
    would cost, and ends with what to type to trade it.
    """
    from trimtab.apps.clock import SystemClock
    from trimtab.apps.home import Home, looking

    with (
        progress("planning") as says,
        looking(Home(folder), clock=SystemClock(), says=says) as house,
    ):
        if compared:
            return _compare(house, assumed, as_json=as_json)
        if assumed:
            return _suppose(house, assumed, as_json=as_json)
        return _plan(house, str(folder), as_json=as_json)


def _plan(house: "House", folder: str, *, as_json: bool) -> int:
    from trimtab.apps.cli.turns import exit_status, known_of, take_look
    from trimtab.apps.views.closing import after_plan
    from trimtab.apps.views.run import outcome_blocks, plan_document

    outcome, look = take_look(house)
    known = known_of(house, look)
    if as_json:
        show_document(plan_document(outcome, known))
    else:
        is_invented = house.file.data.market == "invented"
        page = outcome_blocks(outcome, known, ())
        show([*page, *after_plan(outcome, folder, is_invented=is_invented)])
    return exit_status(outcome, executes=False)


def _suppose(house: "House", assumed: tuple[str, ...], *, as_json: bool) -> int:
    from trimtab.apps.assumptions import read_assumptions
    from trimtab.apps.cli.turns import known_of
    from trimtab.apps.hypothetical import today, what_if
    from trimtab.apps.run import run_once
    from trimtab.apps.views.hypothetical import Supposition, what_if_blocks, what_if_document
    from trimtab.apps.world import in_force, load

    assumptions = read_assumptions(assumed, in_force(house, load(house.journal)))
    now = today(house, run_once(house, executes=False))
    then = what_if(house, now, assumptions)
    supposition = Supposition(
        assumptions.texts, now, then, known_of(house, now), known_of(house, then)
    )
    if as_json:
        show_document(what_if_document(supposition, house.file.household.name))
    else:
        show(what_if_blocks(supposition))
    return 0


def _compare(house: "House", assumed: tuple[str, ...], *, as_json: bool) -> int:
    from trimtab.apps.assumptions import read_assumptions
    from trimtab.apps.hypothetical import compare_relief, today, what_if
    from trimtab.apps.run import run_once
    from trimtab.apps.views.relief import relief_blocks, relief_document
    from trimtab.apps.world import in_force, load

    assumptions = read_assumptions(assumed, in_force(house, load(house.journal)))
    look = today(house, run_once(house, executes=False))
    if assumed:
        look = what_if(house, look, assumptions)
    comparison, rule = compare_relief(house, look), house.file.household
    if as_json:
        show_document(relief_document(comparison, rule.name, rule.base_currency, assumptions.texts))
    else:
        show(relief_blocks(comparison, rule.base_currency, assumptions.texts))
    return 0
