"""Reads any file that trimtab knows, chosen by its content and not by its name."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from trimtab.adapters.imports import coinbase, fidelity, generic, ibkr_csv, schwab, vanguard
from trimtab.adapters.imports.mapping import ColumnMapping, read_mapping
from trimtab.adapters.imports.source import read_source
from trimtab.adapters.imports.table import HEAD_LINES, Document, Line, read_document
from trimtab.domain.errors import InputError
from trimtab.domain.imported import Imported

KNOWN = (
    "Schwab, Fidelity, Vanguard, Coinbase and Interactive Brokers CSV, IBKR Flex XML, OFX and QFX,"
    " and a CSV with columns such as date, account, action, symbol, quantity and price"
)


class Importer(Protocol):
    """One format family: a module that knows its files and reads them."""

    def recognizes(self, lines: Sequence[Line]) -> bool:
        """Whether these first *lines* are of its format."""

    def read(self, document: Document) -> Imported:
        """What *document* says."""


IMPORTERS: tuple[Importer, ...] = (schwab, fidelity, vanguard, coinbase, ibkr_csv, generic)
"""In the order in which they are asked: the CSV of one's own takes what no broker claims."""


def import_file(path: Path, *, mapping: ColumnMapping | Path | None = None) -> Imported:
    """Everything that the file at *path* says; with a *mapping* it is read as the mapping says.

    The mapping may be the name of its file. Flex XML and OFX need none and take none.

    Raises:
        InputError: it cannot be read at all, or its format is unknown.
        FileFaults: something in it cannot be used; all of it is told at once.
    """
    source = read_source(path)
    if source.kind == "flex":
        from trimtab.adapters.imports.flex import read_flex

        return read_flex(path, source.data)
    if source.kind == "ofx":
        from trimtab.adapters.imports.ofx import read_ofx

        return read_ofx(path, source.data)
    if mapping is not None:
        how = read_mapping(mapping) if isinstance(mapping, Path) else mapping
        return generic.read(read_document(source, how.cut), how)
    document = read_document(source)
    importer = _importer(document)
    if importer is not None:
        return importer.read(document)
    raise InputError(
        f"{path} is of no format that trimtab knows ({KNOWN}):"
        " any other CSV can be read with --mapping"
    )


def _importer(document: Document) -> Importer | None:
    """The first importer that recognizes *document*."""
    head = document.lines[:HEAD_LINES]
    return next((importer for importer in IMPORTERS if importer.recognizes(head)), None)
