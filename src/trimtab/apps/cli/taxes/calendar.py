"""`trimtab tax calendar`: the 61-day windows that bind the days to come, as text or a picture."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trimtab.apps.cli.options import example, json_option
from trimtab.apps.cli.taxes.source import source_options
from trimtab.apps.cli.terminal import show, show_document

if TYPE_CHECKING:
    from trimtab.apps.tax_source import TaxSource

_DAYS = 61


@click.command(
    "calendar",
    epilog=example("trimtab tax calendar", "trimtab tax calendar --days 120 --svg windows.svg"),
)
@source_options
@click.option(
    "--days",
    type=click.IntRange(30, 366),
    default=_DAYS,
    show_default=True,
    help="How many days ahead to look.",
)
@click.option(
    "--svg",
    "picture",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Draw the windows into FILE, a .svg or .png; needs matplotlib.",
)
@json_option
def command(source: "TaxSource", days: int, picture: Path | None, as_json: bool) -> int:
    """Draw the windows of 61 days in which a purchase and a loss do not go together.

    A loss forbids to buy anything identical for 30 days, in every account of the household; a
    purchase, made or planned, forbids losses within 30 days of it. The bars begin today. This is
    not tax advice.
    """
    from trimtab.apps.views.tax_calendar import calendar_document, calendar_page
    from trimtab.domain.errors import InputError
    from trimtab.rules.tax.calendar import wash_calendar

    if source.today < source.ledger.until:
        msg = (
            f"--on {source.today} is before the last record, of {source.ledger.until}: what was "
            "open then cannot be told from records that go on; name that day or a later one."
        )
        raise InputError(msg)
    until = source.today + dt.timedelta(days=days)
    calendar = wash_calendar(source.ledger, source.today, until, source.purchases)
    if picture is not None and calendar.groups:
        from trimtab.apps.cli.taxes.writing import require_free
        from trimtab.apps.views.tax_calendar_picture import draw_calendar

        require_free(picture, "--svg")
        draw_calendar(calendar, picture)
    if as_json:
        show_document(calendar_document(source, calendar))
        return 0
    show(calendar_page(source, calendar))
    if picture is not None:
        told = f"written to {picture}" if calendar.groups else "not drawn: there is nothing in it"
        click.echo(f"\nThe picture was {told}.")
    return 0
