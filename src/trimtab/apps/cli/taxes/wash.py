"""`trimtab tax wash`: every wash sale, and what can still become one."""

from typing import TYPE_CHECKING

import click

from trimtab.apps.cli.options import example, json_option
from trimtab.apps.cli.taxes.source import source_options
from trimtab.apps.cli.terminal import show, show_document

if TYPE_CHECKING:
    from trimtab.apps.tax_source import TaxSource


@click.command(
    "wash",
    epilog=example(
        "trimtab tax wash --year 2026",
        "trimtab tax wash --transactions history.csv --identical identical.csv",
    ),
)
@source_options
@click.option("--year", type=click.IntRange(1900, 2200), help="Only losses taken in this year.")
@json_option
def command(source: "TaxSource", year: int | None, as_json: bool) -> int:
    """List every wash sale: the loss, its replacement, and where the disallowed loss went.

    Losses are searched against purchases in every account of the household, 30 days before and
    after, share for share (26 USC 1091). Losses that a purchase can still wash are listed with the
    last day of their window. This is not tax advice.
    """
    from trimtab.apps.tax_wash import wash_report
    from trimtab.apps.views.tax_wash import wash_document, wash_page

    report = wash_report(source, year)
    if as_json:
        show_document(wash_document(source, report))
    else:
        show(wash_page(source, report))
    return 0
