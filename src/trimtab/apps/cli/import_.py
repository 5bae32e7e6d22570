"""`trimtab import`: what a broker's file says, and files of our own made of it."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from trimtab.apps.cli.options import example, json_option
from trimtab.apps.cli.taxes.parameters import PairType
from trimtab.apps.cli.terminal import show, show_document

if TYPE_CHECKING:
    from trimtab.domain.imported import Imported

_FILE = click.Path(path_type=Path)


@click.command(
    "import",
    epilog=example(
        "trimtab import history.csv",
        "trimtab import history.csv --account-map X1234=joint --lots lots.csv",
    ),
)
@click.argument("file", type=_FILE)
@click.option(
    "--mapping", type=_FILE, metavar="FILE", help="Which column of a CSV file is what (TOML)."
)
@click.option(
    "--account-map",
    type=PairType("X1234=joint"),
    multiple=True,
    metavar="BROKER=OURS",
    help="What to call an account; the file's name stands for one that it does not name.",
)
@click.option(
    "--transactions",
    "transactions_file",
    type=_FILE,
    metavar="FILE",
    help="Write the transactions as CSV into a new FILE, for `trimtab tax ... --transactions`.",
)
@click.option(
    "--lots",
    "lots_file",
    type=_FILE,
    metavar="FILE",
    help="Write the open lots into a new FILE, the lots.csv of a household.",
)
@click.option("--all", "shows_all", is_flag=True, help="Show every row of long lists.")
@json_option
def command(
    *,
    file: Path,
    mapping: Path | None,
    account_map: tuple[tuple[str, str], ...],
    transactions_file: Path | None,
    lots_file: Path | None,
    shows_all: bool,
    as_json: bool,
) -> int:
    """Show what a broker's file says; make CSV files of it.

    The format is told by the content: Schwab, Fidelity, Vanguard, Coinbase and Interactive Brokers
    CSV, IBKR Flex XML, OFX and QFX, and a CSV of your own. Lots are those that the file lists, or
    what its transactions leave. Files are written whole or not at all, and none is overwritten.
    """
    from trimtab.adapters.imports import import_file, read_mapping
    from trimtab.apps.importing import renamed
    from trimtab.apps.views.imported import imported_document, imported_page
    from trimtab.domain.errors import InputError

    wants_files = transactions_file is not None or lots_file is not None
    if as_json and wants_files:
        raise InputError("--json says what to print, and so does a file: give one of them.")
    columns = None if mapping is None else read_mapping(mapping)
    imported = renamed(import_file(file, mapping=columns), dict(account_map))
    if wants_files:
        _write(imported, transactions_file, lots_file)
    elif as_json:
        show_document(imported_document(imported))
    else:
        show(imported_page(imported, shows_all=shows_all))
    return 0


def _write(imported: "Imported", transactions_file: Path | None, lots_file: Path | None) -> None:
    from trimtab.apps.importing import lots_csv, transactions_csv, write_files
    from trimtab.apps.views.figures import counted
    from trimtab.domain.errors import InputError

    texts: dict[Path, str] = {}
    options: dict[Path, str] = {}
    notes = [*imported.notes]
    if transactions_file is not None:
        texts[transactions_file] = transactions_csv(imported)
        options[transactions_file] = "--transactions"
    if lots_file is not None:
        if lots_file in texts:
            raise InputError("--transactions and --lots name the same file: name two.")
        texts[lots_file], told = lots_csv(imported)
        options[lots_file] = "--lots"
        notes += told
    write_files(texts, options)
    for path, text in texts.items():
        click.echo(f"{counted(len(text.splitlines()) - 1, 'row')} written to {path}.")
    for note in notes:
        click.echo(f"- {note}")
