"""The listings that ship with trimtab, and a household's own list of identical symbols."""

import csv
import datetime as dt
import re
from collections.abc import Iterable, Iterator
from importlib import resources
from pathlib import Path
from typing import NamedTuple, cast, get_args

from trimtab.adapters.delimited import (
    Faults,
    Unreadable,
    column_key,
    find_columns,
    nearest,
    quoted,
    read_day,
    read_sheet,
    symbol_key,
)
from trimtab.domain.errors import FileFaults, InputError
from trimtab.domain.identity import Groups, Identity, Listing, ListingKind

COLUMNS = {
    name: (name.replace("_", " "),)
    for name in (
        "symbol",
        "name",
        "fund",
        "index",
        "exposure",
        "kind",
        "is_collectible",
        "checked_on",
        "source",
    )
}
TO_BE_CHECKED = "to be checked"
"""What the source of a row says whose index is from memory only."""

_SYMBOL_COLUMN = (
    *("symbol", "ticker", "instrument", "security"),
    *("symbols", "tickers", "instruments", "securities"),
)
_GROUP_COLUMN = (
    *("group", "groups", "group name", "group id"),
    *("identical group", "identical to", "identity group"),
)
_MAY_BE_EMPTY = {"index"}
_KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_SYMBOL = re.compile(r"[A-Za-z0-9^][A-Za-z0-9.^=/_-]*")
_SIZE_MAX = 2**20
_DELIMITERS = ",;\t"
_EXAMPLE = "VOO,IVV,SPY"


def read_identity(path: Path | None = None) -> Identity:
    """The listings in the table at *path*; left out, those that ship with trimtab.

    Raises:
        InputError: there is no such file.
        FileFaults: anything in it cannot be used, or contradicts itself.
    """
    if path is None:
        packaged = resources.files("trimtab.adapters") / "identity.csv"
        with resources.as_file(packaged) as file:
            return read_identity(file)
    faults = Faults(str(path))
    sheet = read_sheet(path, COLUMNS, faults)
    columns = find_columns(sheet.header, COLUMNS, faults)
    missing = [name for name in COLUMNS if name not in columns]
    if missing:
        faults.add(f"line 1: no column says {', '.join(missing)}: add it")
        faults.raise_if_any()
    read = [
        _Row(line, {name: cells[at] for name, at in columns.items()}, faults).listing()
        for line, cells in zip(sheet.lines, sheet.rows, strict=True)
    ]
    listings = [one for one in read if one is not None]
    for sentence in _contradictions(listings):
        faults.add(sentence)
    faults.raise_if_any()
    return Identity(listings={one.symbol: one for one in listings})


def read_identical(path: Path, known: Iterable[str] = ()) -> Groups:
    """The groups of identical symbols that a household lists in the file at *path*.

    Either each line is a group (`VOO,IVV,SPY`), or the first line names the columns `symbol` and
    `group` and each further line puts a symbol into a group. Lines that begin with # are remarks.
    A symbol is written as among *known* (BRK/B there is BRK.B here), else in capitals.

    Raises:
        InputError: there is no such file.
        FileFaults: anything in it cannot be used.
    """
    faults = Faults(str(path))
    spelling = {symbol_key(symbol): symbol for symbol in known}
    lines = list(_lines(_text_of(path), faults))
    header = [column_key(cell) for cell in lines[0].cells] if lines else []
    symbol_at = next((at for at, name in enumerate(header) if name in _SYMBOL_COLUMN), None)
    group_at = next((at for at, name in enumerate(header) if name in _GROUP_COLUMN), None)
    if (symbol_at is None) != (group_at is None):
        missing = "symbol" if symbol_at is None else "group"
        faults.add(
            f"line {lines[0].number}: this header has no column {missing}: name both, symbol and "
            f"group, or write a group on each line, such as {_EXAMPLE}"
        )
        faults.raise_if_any()
    if symbol_at is None or group_at is None:
        written = [_Line(number, [cell for cell in cells if cell]) for number, cells in lines]
    else:
        written = _by_group(lines[1:], symbol_at, group_at, faults)
    if not written and not faults.sentences:
        faults.add(f"the file names no group: write one on a line, such as {_EXAMPLE}")
    groups = tuple(_group(line, spelling, faults) for line in written)
    faults.raise_if_any()
    return groups


class _Row:
    """One line of the listings, read cell by cell; what cannot be read goes to the faults."""

    def __init__(self, line: int, cells: dict[str, str], faults: Faults) -> None:
        self._line = line
        self._cells = cells
        self._faults = faults
        self._is_sound = True

    def listing(self) -> Listing | None:
        """The listing, or nothing when anything about it is wrong."""
        cells = self._cells
        for name, text in cells.items():
            if not text and name not in _MAY_BE_EMPTY:
                self._fault(name, "is empty: write it")
        for name in ("fund", "index", "exposure"):
            if cells[name] and not _KEY.fullmatch(cells[name]):
                self._fault(name, f"{quoted(cells[name])} is no key: write one such as sp-500")
        if cells["symbol"] and not _SYMBOL.fullmatch(cells["symbol"]):
            self._fault("symbol", f"{quoted(cells['symbol'])} is no symbol: write one such as VTI")
        self._one_of("kind", get_args(ListingKind))
        self._one_of("is_collectible", ("yes", "no"))
        checked_on = self._day("checked_on")
        if checked_on is None or not self._is_sound:
            return None
        return Listing(
            symbol=cells["symbol"],
            name=cells["name"],
            fund=cells["fund"],
            index=cells["index"],
            exposure=cells["exposure"],
            kind=cast("ListingKind", cells["kind"]),
            is_collectible=cells["is_collectible"] == "yes",
            checked_on=checked_on,
            source=cells["source"],
            is_to_be_checked=TO_BE_CHECKED in cells["source"],
        )

    def _one_of(self, name: str, words: tuple[str, ...]) -> None:
        text = self._cells[name]
        if text and text not in words:
            self._fault(name, f"{quoted(text)} is not known: {nearest(text, words)}")

    def _day(self, name: str) -> dt.date | None:
        try:
            return read_day(self._cells[name]) if self._cells[name] else None
        except Unreadable as unreadable:
            self._fault(name, str(unreadable))
            return None

    def _fault(self, name: str, sentence: str) -> None:
        self._is_sound = False
        self._faults.add(f"line {self._line}, {name}: {sentence}")


def _contradictions(listings: list[Listing]) -> Iterator[str]:
    """Symbols listed twice, funds with two indexes, and indexes with two exposures."""
    seen: set[str] = set()
    index_of: dict[str, Listing] = {}
    exposure_of: dict[str, Listing] = {}
    for one in listings:
        if one.symbol in seen:
            yield f"{one.symbol} is listed twice: keep one line"
        seen.add(one.symbol)
        fund = index_of.setdefault(one.fund, one)
        if fund.index != one.index or fund.exposure != one.exposure:
            yield (
                f"{fund.symbol} and {one.symbol} are shares of one fund with two indexes or "
                "exposures: write the same for both"
            )
        index = exposure_of.setdefault(one.index, one) if one.index else one
        if index.exposure != one.exposure:
            yield (
                f"{index.symbol} and {one.symbol} track one index with two exposures: write the "
                "same for both"
            )


class _Line(NamedTuple):
    """The cells of a line that says something and is no remark."""

    number: int
    cells: list[str]


def _lines(text: str, faults: Faults) -> Iterator[_Line]:
    """The lines of *text* that say something; each one is separated by what it has most of."""
    for number, line in enumerate(text.splitlines(), start=1):
        delimiter = max(_DELIMITERS, key=line.count)
        try:
            rows = list(csv.reader([line], delimiter=delimiter, strict=True))
        except csv.Error as error:
            if not line.lstrip(' "').startswith("#"):
                faults.add(
                    f"line {number}: the quotation marks do not match ({error}): close each one"
                )
            continue
        cells = [cell.strip() for row in rows for cell in row]
        if any(cells) and not cells[0].startswith("#"):
            yield _Line(number, cells)


def _by_group(lines: list[_Line], symbol_at: int, group_at: int, faults: Faults) -> list[_Line]:
    """One line for each group, with its symbols; its number is that of the first of them."""
    found: dict[str, _Line] = {}
    for number, cells in lines:
        symbol, group = (cells[at] if at < len(cells) else "" for at in (symbol_at, group_at))
        if not symbol or not group:
            faults.add(f"line {number}: write a symbol and the name of its group")
            continue
        found.setdefault(group.casefold(), _Line(number, [])).cells.append(symbol)
    return list(found.values())


def _group(line: _Line, spelling: dict[str, str], faults: Faults) -> tuple[str, ...]:
    """The symbols of *line*, each once."""
    read: dict[str, None] = {}
    unread = [cell for cell in line.cells if not _SYMBOL.fullmatch(cell)]
    for cell in unread:
        faults.add(
            f"line {line.number}: {quoted(cell)} is no symbol: write tickers with commas between"
        )
    for cell in line.cells:
        read[spelling.get(symbol_key(cell), cell.upper())] = None
    if len(read) == 1 and not unread:
        faults.add(
            f"line {line.number}: the group of {next(iter(read))} names no other symbol: write two "
            f"or more, such as {_EXAMPLE}"
        )
    return tuple(read)


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            content = stream.read(_SIZE_MAX + 1)
    except FileNotFoundError:
        raise InputError(f"there is no file {path}: write one, or correct its name") from None
    except OSError as error:
        raise InputError(f"the file {path} cannot be read ({error.strerror}): check it") from error
    if len(content) > _SIZE_MAX:
        raise FileFaults(str(path), ["the file is larger than 1 MB: list only what you hold"])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileFaults(str(path), ["the file is not UTF-8: save it as CSV UTF-8"]) from None
