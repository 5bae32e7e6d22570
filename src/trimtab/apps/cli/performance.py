"""`trimtab performance`: how it went, without mistaking a deposit for a gain."""

import datetime as dt
from pathlib import Path

import click

from trimtab.apps.cli.options import DAY, example, folder_option, json_option
from trimtab.apps.cli.terminal import progress, show, show_document


@click.command(
    "performance",
    epilog=example("trimtab performance --since 2026-01-01", "trimtab performance --chart how.svg"),
)
@folder_option
@click.option("--since", type=DAY, help="Begin with the last value marked before this day.")
@click.option("--until", type=DAY, help="End with the last value marked by this day.")
@click.option(
    "--chart",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Draw value, contributions and drawdown into FILE (.svg or .png).",
)
@json_option
def command(
    folder: Path, since: dt.date | None, until: dt.date | None, chart: Path | None, as_json: bool
) -> int:
    """Say how it went, year by year and in all.

    Returns, the deepest fall, volatility, distance from the targets, turnover, tax, contributions
    and withdrawals, from the values that each turn marks in the journal. A deposit is no gain and
    a withdrawal no loss. Nothing that lasted less than a year is told as a rate a year.
    """
    from trimtab.apps.cli.past import entries_of
    from trimtab.apps.clock import SystemClock
    from trimtab.apps.home import Home
    from trimtab.apps.performance import perform
    from trimtab.apps.views.performance import performance_document, performance_page
    from trimtab.domain.errors import InputError

    home = Home(folder)
    with progress("reading the journal and the prices"):
        done = perform(home, entries_of(home.journal), SystemClock(), since, until)
        if chart is not None:
            from trimtab.apps.views.performance_picture import draw_performance

            if done.whole is None:
                raise InputError("--chart: fewer than two days are marked, so nothing is to draw.")
            draw_performance(done.points, done.file.household.base_currency, chart)
    if as_json:
        show_document(performance_document(done))
    else:
        show(performance_page(done, str(folder), chart))
    return 0
