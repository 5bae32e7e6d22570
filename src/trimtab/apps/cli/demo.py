"""`trimtab demo`: the whole of trimtab on an invented household, in a few seconds and offline."""

import datetime as dt
from pathlib import Path

import click

from trimtab.apps.cli.options import DAY, example
from trimtab.apps.cli.terminal import progress, show


@click.command("demo", epilog=example("trimtab demo --into trimtab-demo --seed 7"))
@click.option(
    "--into",
    type=click.Path(path_type=Path),
    default=Path("trimtab-demo"),
    show_default=True,
    metavar="DIR",
    help="The folder to write the demo into; a demo that is there begins anew.",
)
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=1, show_default=True)
@click.option("--today", type=DAY, help="The day on which it plays.", show_default="today")
def command(into: Path, seed: int, today: dt.date | None) -> int:
    """Show trimtab at work on an invented household.

    Writes a household, its lots and its cash into a folder, looks at it, plans with reasons and
    tax, asks the gates, trades on paper, compares the books, and prints the tax log. The market is
    invented: no price, account or broker in it is real, and nothing is fetched or sent anywhere.
    """
    from trimtab.apps.cli.turns import exit_status, take_turn
    from trimtab.apps.clock import ManualClock, SystemClock
    from trimtab.apps.demo import make_demo
    from trimtab.apps.home import working
    from trimtab.apps.views.demo import demo_page
    from trimtab.domain.errors import InputError

    clock: SystemClock | ManualClock = SystemClock()
    if today is not None and today > clock.now().date():
        msg = f"--today {today} is in the future: name a day that has come."
        raise InputError(msg)
    if today is not None:
        clock = ManualClock(dt.datetime.combine(today, dt.time(15, 30), tzinfo=dt.UTC))
    with progress("inventing a household") as says:
        home = make_demo(into, seed=seed, today=today or clock.now().date(), replace=True)
        with working(home, command="trimtab demo", clock=clock, says=says) as house:
            turn = take_turn(house, executes=True)
    show(demo_page(turn.outcome, turn.known, turn.realized, str(into)))
    return exit_status(turn.outcome, executes=True)
