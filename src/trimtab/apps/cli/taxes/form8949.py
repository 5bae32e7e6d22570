"""`trimtab tax form8949`: Form 8949 and Schedule D of a year."""

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trimtab.apps.cli.options import example, json_option
from trimtab.apps.cli.taxes.brokers import YEAR, Pairs, broker_option, name_options, return_option
from trimtab.apps.cli.taxes.parameters import MONEY
from trimtab.apps.cli.taxes.source import source_options
from trimtab.apps.cli.terminal import show, show_document

if TYPE_CHECKING:
    from trimtab.apps.tax_source import TaxSource

_FILE = click.Path(path_type=Path, allow_dash=True)


@click.command(
    "form8949",
    epilog=example(
        "trimtab tax form8949 2026",
        "trimtab tax form8949 2026 --html 8949.html --broker 1099-b.csv --account-map X1=joint",
    ),
)
@click.argument("year", type=YEAR)
@source_options
@click.option("--csv", "csv_file", type=_FILE, metavar="FILE", help="Write the rows as CSV.")
@click.option(
    "--html", "html_file", type=_FILE, metavar="FILE", help="Write a page to print, as HTML."
)
@broker_option
@name_options
@click.option("--carry-short", type=MONEY, help="Short-term loss carried into the year.")
@click.option("--carry-long", type=MONEY, help="Long-term loss carried into the year.")
@return_option
@json_option
def command(
    *,
    year: int,
    source: "TaxSource",
    csv_file: Path | None,
    html_file: Path | None,
    brokers: tuple[Path, ...],
    account_map: Pairs,
    symbol_map: Pairs,
    carry_short: Decimal | None,
    carry_long: Decimal | None,
    return_id: str | None,
    as_json: bool,
) -> int:
    """Form 8949 rows and Schedule D totals, CSV and page.

    Prints the page unless --csv or --html takes it; - as a FILE is standard output. Losses that
    section 1091 disallows stand in column (g) with code W, over the whole household. With --broker
    the columns repeat what the IRS was told and correct it with the codes of the form.
    """
    from trimtab.apps.cli.taxes.brokers import read_told
    from trimtab.apps.cli.taxes.writing import write_new
    from trimtab.apps.filing import chosen_return, report_of, require_dollars
    from trimtab.apps.tax_year import Given
    from trimtab.apps.views.figures import counted
    from trimtab.apps.views.forms import forms_csv, forms_page
    from trimtab.apps.views.tax_forms import forms_document, forms_text
    from trimtab.domain.errors import InputError

    wanted = [
        (file, option)
        for file, option in ((csv_file, "--csv"), (html_file, "--html"))
        if file is not None
    ]
    if as_json and wanted:
        raise InputError("--json says what to print, and so does a file: give one of them.")
    if [str(file) for file, _ in wanted] == ["-", "-"]:
        raise InputError("--csv and --html cannot both be standard output: name a file.")
    if csv_file is not None and html_file is not None and csv_file.resolve() == html_file.resolve():
        raise InputError("--csv and --html name one file: name two.")
    require_dollars(source)
    told = read_told(source, brokers, account_map, symbol_map)
    given = Given(carry_short=carry_short, carry_long=carry_long)
    report = report_of(source, chosen_return(source, return_id, year), year, told, given)
    if as_json:
        show_document(forms_document(report))
    elif not wanted:
        show(forms_text(report))
    for file, option in wanted:
        text = forms_csv(report.rows) if option == "--csv" else forms_page(report)
        if str(file) == "-":
            click.echo(text, nl=False)
        else:
            write_new(file, text, option)
            rows = counted(len(report.rows), "row")
            click.echo(f"{rows} written to {file}.", err=len(wanted) > 1)
    return 0
