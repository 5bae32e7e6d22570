"""`trimtab replay`: the same rules day by day over past prices, on the paper broker."""

import datetime as dt
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trimtab.apps.cli.options import DAY, example, folder_option
from trimtab.apps.cli.terminal import progress, show

if TYPE_CHECKING:
    from trimtab.apps.home import Home


_EXAMPLES = (
    "trimtab replay --from 2025-01-02 --to 2025-12-31 --execute --chart bands.svg",
    "trimtab replay --from 2025-01-02 --to 2025-12-31 --execute --targets targets.svg",
)


@click.command("replay", epilog=example(*_EXAMPLES))
@folder_option
@click.option("--from", "start", type=DAY, required=True, help="The first day.")
@click.option("--to", "end", type=DAY, required=True, help="The last day.")
@click.option("--execute", "executes", is_flag=True, help="Trade, on paper only.")
@click.option(
    "--into",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Keep the replay's journal in this empty folder.",
)
@click.option(
    "--chart",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Draw weights, bands and trades into FILE (.svg or .png).",
)
@click.option(
    "--targets",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Draw what `trimtab targets --chart` draws, as it is at the end, into FILE.",
)
def command(
    folder: Path,
    start: dt.date,
    end: dt.date,
    *,
    executes: bool,
    into: Path | None,
    chart: Path | None,
    targets: Path | None,
) -> int:
    """Run the same rules day by day over past prices.

    The files of the household say what was held on the first day. Every session is decided by the
    same rules, traded on paper with --execute, and verified. What [[contributions]] and
    [[withdrawals]] move comes and goes on its days. The household's own journal is not touched.
    Prints one line for each day that traded, and a summary.
    """
    from trimtab.apps.cli.turns import household_of
    from trimtab.apps.home import Home, read_household
    from trimtab.apps.replay import Day, draw_bands, replay
    from trimtab.apps.views.canvas import require_ending
    from trimtab.apps.views.replay import day_line, replay_page
    from trimtab.rules.tax.books import books_of
    from trimtab.rules.tax.log import tax_rows, tax_totals

    for path in (chart, targets):
        if path is not None:
            require_ending(path)  # before a year of days is replayed in vain
    home = Home(folder)
    household = household_of(read_household(home))
    currency = household.currency
    told = 0
    with _place(into) as place, progress("replaying") as says:

        def tells(day: Day) -> None:
            nonlocal told
            says(f"replaying {day.session}")
            line = day_line(day, currency)
            if line is not None:
                told += 1
                click.echo(line)

        done = replay(home, start, end, into=place, executes=executes, tells=tells)
        if chart is not None:
            draw_bands(done, chart)
        if targets is not None:
            _draw_targets(Home(place), done.ended, targets)
    pictures = [path for path in (chart, targets) if path is not None]
    if told:
        click.echo()
    books = books_of(done.memory, household.tax, household.accounts, household.instruments)
    rows = [row for row in tax_rows(books.sales()) if row.order_id]
    show(replay_page(done, tax_totals(rows), currency, executes=executes, pictures=pictures))
    return 0


def _draw_targets(home: "Home", at: dt.datetime, path: Path) -> None:
    from trimtab.apps.aiming import gather
    from trimtab.apps.clock import ManualClock
    from trimtab.apps.views.targets_picture import draw_targets

    draw_targets(gather(home, ManualClock(at)), path)


@contextmanager
def _place(into: Path | None) -> Iterator[Path]:
    """The folder of the replay: the one given, or one that goes away with it."""
    if into is not None:
        yield into
        return
    with tempfile.TemporaryDirectory(prefix="trimtab-replay-") as name:
        yield Path(name)
