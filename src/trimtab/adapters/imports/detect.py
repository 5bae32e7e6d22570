"""Reads any file that trimtab knows, chosen by its content and not by its name."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from msgspec.structs import asdict

from trimtab.adapters.imports import coinbase, fidelity, generic, ibkr_csv, schwab, vanguard
from trimtab.adapters.imports.mapping import ColumnMapping, TableKind, read_mapping
from trimtab.adapters.imports.source import Source, read_source
from trimtab.adapters.imports.table import (
    HEAD_LINES,
    Document,
    Headings,
    Line,
    has_columns,
    heading,
    read_document,
)
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
_LISTS: Mapping[TableKind, tuple[Headings, str]] = {
    "transactions": (generic.TRANSACTIONS, "date"),
    "sales": (generic.SALES, "sold"),
    "lots": (generic.LOTS, "acquired"),
}
"""What the columns of each list are called, and the one by which it is told from the others."""
_EMPTY_MAPPING = (
    "{} is empty: say in it which column is what, or leave --mapping out where the file has the"
    " usual names"
)


def import_file(
    path: Path,
    *,
    mapping: ColumnMapping | Path | None = None,
    fallback: ColumnMapping | Path | None = None,
) -> Imported:
    """Everything that the file at *path* says; with a *mapping* it is read as the mapping says.

    A *fallback* is a mapping for what no broker's format claims, one of several files perhaps: a
    CSV of one's own is read with it where it has the columns that the mapping names. Either may be
    the name of its file. Flex XML and OFX need none and take none.

    Raises:
        InputError: it cannot be read at all, its format is unknown, or a mapping is empty.
        FileFaults: something in it cannot be used; all of it is told at once.
    """
    forced, other = _read_mapping(mapping), _read_mapping(fallback)
    source = read_source(path)
    if source.kind == "flex":
        from trimtab.adapters.imports.flex import read_flex

        return read_flex(path, source.data)
    if source.kind == "ofx":
        from trimtab.adapters.imports.ofx import read_ofx

        return read_ofx(path, source.data)
    if forced is not None:
        return generic.read(read_document(source, forced.cut), forced)
    document = _document(source, is_needed=other is None)
    importer = None if document is None else _importer(document)
    if other is not None and (document is None or importer in {None, generic}):
        mapped = read_document(source, other.cut)
        if importer is None or _is_for(mapped, other):
            return generic.read(mapped, other)
    if document is not None and importer is not None:
        return importer.read(document)
    raise InputError(
        f"{path} is of no format that trimtab knows ({KNOWN}):"
        " any other CSV can be read with --mapping"
    )


def _read_mapping(mapping: ColumnMapping | Path | None) -> ColumnMapping | None:
    """The mapping, read where it is the name of a file; an empty one is refused."""
    if not isinstance(mapping, Path):
        return mapping
    if mapping.is_file() and not mapping.stat().st_size:
        raise InputError(_EMPTY_MAPPING.format(mapping))
    read = read_mapping(mapping)
    if read == ColumnMapping():
        raise InputError(_EMPTY_MAPPING.format(mapping))
    return read


def _document(source: Source, *, is_needed: bool) -> Document | None:
    """The lines of *source*; None where they cannot be cut as usual and that is not needed."""
    try:
        return read_document(source)
    except InputError:
        if is_needed:
            raise
        return None


def _is_for(document: Document, mapping: ColumnMapping) -> bool:
    """Whether a CSV of one's own is what *mapping* describes: such a list, with its columns."""
    headings, telling = _LISTS[mapping.table]
    named = {column: heading(name) for column, name in asdict(mapping.columns).items() if name}
    needed = {telling: headings[telling]} | {column: (name,) for column, name in named.items()}
    head = document.lines[:HEAD_LINES]
    return any(has_columns(line, needed, tuple(needed)) for line in head)


def _importer(document: Document) -> Importer | None:
    """The first importer that recognizes *document*."""
    head = document.lines[:HEAD_LINES]
    return next((importer for importer in IMPORTERS if importer.recognizes(head)), None)
