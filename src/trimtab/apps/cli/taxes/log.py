"""`trimtab tax log`: what was realized, lot by lot."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from trimtab.apps.cli.options import example, json_option
from trimtab.apps.cli.taxes.source import source_options
from trimtab.apps.cli.terminal import show, show_document

if TYPE_CHECKING:
    from trimtab.apps.tax_source import TaxSource


@click.command("log", epilog=example("trimtab tax log --year 2026 --csv tax-2026.csv"))
@source_options
@click.option("--year", type=click.IntRange(1900, 2200), help="Only sales of this year.")
@click.option(
    "--csv",
    "csv_file",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE",
    help="Write the rows as CSV into FILE; - is standard output.",
)
@json_option
def command(source: "TaxSource", year: int | None, csv_file: Path | None, as_json: bool) -> int:
    """List every lot sold, with its term and gain, and the totals.

    Amounts are printed in cents, rounded half up; totals cover the taxed accounts and are rounded
    from exact sums. Losses that section 1091 disallows are added back, over the whole household;
    this is not tax advice.
    """
    from trimtab.apps.cli.taxes.writing import write_new
    from trimtab.apps.views.figures import counted
    from trimtab.apps.views.tax import notes_on, tax_csv, tax_document, tax_page
    from trimtab.apps.views.tax_notes import not_judged, reviews_near
    from trimtab.domain.errors import InputError
    from trimtab.rules.tax.log import tax_rows, tax_totals

    if as_json and csv_file is not None:
        raise InputError("--json and --csv both say what to print: give one of them.")
    rows = tax_rows(source.ledger.sales(), year)
    totals = tax_totals(rows)
    notes = (
        *reviews_near(source, year),
        *not_judged(source),
        *notes_on(rows, is_household=source.is_household),
    )
    if csv_file is not None and str(csv_file) == "-":
        click.echo(tax_csv(rows), nl=False)
    elif csv_file is not None:
        write_new(csv_file, tax_csv(rows), "--csv")
        click.echo(f"{counted(len(rows), 'row')} written to {csv_file}.")
    elif as_json:
        show_document(
            tax_document(
                rows,
                totals,
                household=source.title,
                currency=source.currency,
                year=year,
                notes=notes,
            )
        )
    else:
        show(tax_page(rows, totals, source.currency, year, notes))
    return 0
