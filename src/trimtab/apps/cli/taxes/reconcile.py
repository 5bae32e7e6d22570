"""`trimtab tax reconcile`: our rows beside a broker's 1099-B."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from trimtab.apps.cli.door import DISCREPANCIES, DONE
from trimtab.apps.cli.options import example, json_option
from trimtab.apps.cli.taxes.brokers import YEAR, Pairs, name_options
from trimtab.apps.cli.taxes.source import source_options
from trimtab.apps.cli.terminal import show, show_document

if TYPE_CHECKING:
    from trimtab.apps.tax_source import TaxSource


@click.command(
    "reconcile",
    epilog=example("trimtab tax reconcile 1099-b.csv --account-map X1234=joint --year 2026"),
)
@click.argument(
    "files", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="FILE..."
)
@source_options
@click.option("--year", type=YEAR, help="Only this year; default: all that the files tell of.")
@click.option(
    "--csv",
    "csv_file",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE",
    help="Write the comparisons as CSV into FILE; - is standard output.",
)
@name_options
@json_option
def command(
    *,
    files: tuple[Path, ...],
    source: "TaxSource",
    year: int | None,
    csv_file: Path | None,
    account_map: Pairs,
    symbol_map: Pairs,
    as_json: bool,
) -> int:
    """Compare with a broker's 1099-B, row by row.

    A list of realized gains serves as well. Each row of the broker's is put beside ours and called
    equal, explained (with the reason: a wash sale across accounts, the order within a lot,
    rounding), or left for you to look at. Exit status 4 says that something is left.
    """
    from trimtab.apps.cli.taxes.brokers import read_told
    from trimtab.apps.cli.taxes.writing import write_new
    from trimtab.apps.filing import compare, require_dollars
    from trimtab.apps.views.figures import counted
    from trimtab.apps.views.tax_notes import closing_notes
    from trimtab.apps.views.tax_reconcile import reconcile_csv, reconcile_document, reconcile_page
    from trimtab.domain.errors import InputError

    if as_json and csv_file is not None:
        raise InputError("--json and --csv both say what to print: give one of them.")
    require_dollars(source)
    told = read_told(source, files, account_map, symbol_map)
    compared = compare(source, told, year)
    found, names = compared.found, [file.name for file in files]
    notes = closing_notes(source, *compared.notes)
    if csv_file is not None and str(csv_file) == "-":
        click.echo(reconcile_csv(found.comparisons), nl=False)
    elif csv_file is not None:
        write_new(csv_file, reconcile_csv(found.comparisons), "--csv")
        click.echo(f"{counted(len(found.comparisons), 'row')} written to {csv_file}.")
    elif as_json:
        show_document(
            reconcile_document(
                found, household=source.title, years=compared.years, files=names, notes=notes
            )
        )
    else:
        show(reconcile_page(found, compared.years, names, notes))
    return DONE if found.is_explained else DISCREPANCIES
