"""`trimtab tax txf`: a file that tax programs on a desktop import."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from trimtab.apps.cli.options import example, json_option
from trimtab.apps.cli.taxes.brokers import YEAR, Pairs, broker_option, name_options, return_option
from trimtab.apps.cli.taxes.source import source_options
from trimtab.apps.cli.terminal import show_document

if TYPE_CHECKING:
    from trimtab.apps.tax_source import TaxSource


@click.command("txf", epilog=example("trimtab tax txf 2026 --out 2026.txf"))
@click.argument("year", type=YEAR)
@source_options
@click.option(
    "--out",
    "out_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where to write it; standard output if left out.",
)
@broker_option
@name_options
@return_option
@json_option
def command(
    *,
    year: int,
    source: "TaxSource",
    out_file: Path | None,
    brokers: tuple[Path, ...],
    account_map: Pairs,
    symbol_map: Pairs,
    return_id: str | None,
    as_json: bool,
) -> int:
    """A TXF V042 file for tax software.

    It holds the sales of a year. What it cannot hold is said on standard error: digital assets in
    boxes G to L have no reference number and are left out, and so are corrections of the broker's
    form other than code W.
    """
    import trimtab
    from trimtab.apps.cli.taxes.brokers import read_told
    from trimtab.apps.cli.taxes.writing import write_new
    from trimtab.apps.filing import chosen_return, report_of, require_dollars
    from trimtab.apps.tax_year import Given
    from trimtab.apps.views.figures import counted
    from trimtab.apps.views.tax_forms import txf_document, txf_notes
    from trimtab.domain.errors import InputError
    from trimtab.domain.numbers import ZERO
    from trimtab.rules.tax.txf import txf, txf_text

    if as_json and out_file is not None:
        raise InputError("--json says what to print, and so does --out: give one of them.")
    require_dollars(source)
    told = read_told(source, brokers, account_map, symbol_map)
    none = Given(carry_short=ZERO, carry_long=ZERO)
    report = report_of(source, chosen_return(source, return_id, year), year, told, none)
    records = txf(report.rows)
    text = txf_text(records, program=f"trimtab {trimtab.__version__}", exported=report.prepared)
    document = txf_document(report, records, text)
    if as_json:
        show_document(document)
        return 0
    if out_file is None:
        click.echo(text, nl=False)
    else:
        write_new(out_file, text, "--out")
        click.echo(f"{counted(document.records, 'record')} written to {out_file}.", err=True)
    for note in txf_notes(report, records):
        click.echo(f"- {note}", err=True)
    return 0
