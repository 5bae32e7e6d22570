"""Tables inside a broker's text: its lines, headings told by meaning, and cells read by name.

A broker's file may hold several tables, titles above them and remarks below. Empty cells, `--`,
`-` and `n/a` say nothing; a masked amount (`XXXX`) is noted and left unknown.
"""

import csv
import datetime as dt
import io
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from trimtab.adapters.delimited import (
    FIRST_YEAR,
    LAST_YEAR,
    Faults,
    Unreadable,
    column_key,
    quoted,
    read_amount,
    read_day,
    refuse_formula,
)
from trimtab.adapters.imports.source import Source, decode
from trimtab.domain.errors import InputError
from trimtab.domain.values import trade_date

Headings = Mapping[str, tuple[str, ...]]
"""For each column of ours the headings under which brokers write it, as `heading` spells them."""

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
HEAD_LINES = 40
"""A header stands within so many lines, and importers recognize a file by them."""

_DELIMITERS = (",", ";", "\t")
_NOTHING = frozenset({"", "-", "--", "n/a", "not applicable", "not available", "null", "nan"})
_MASK = re.compile(r"[-(]?\s*\$?\s*[Xx*#][Xx*#,.]*\)?")
_NUMBER_OR_DAY = re.compile(r"[-+(]?\$?\d[\d,./:-]*%?\)?", re.ASCII)
_PLUS = re.compile(r"\+(\$?[\d.,]+%?)")
_COMMA_NUMBER = re.compile(r"-?(\d+|\d{1,3}(\.\d{3})+)(,\d*)?", re.ASCII)
_COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})([;, T].*)?", re.ASCII)
_SHORT_YEAR = re.compile(r"(\d{1,2})([-/])(\d{1,2})\2(\d{2})", re.ASCII)
_DASHED_DATE = re.compile(r"(\d{1,2})-(\d{1,2})-(\d{4})", re.ASCII)
_NAMED_MONTH = re.compile(r"([A-Za-z]{3})[a-z]*[- ](\d{1,2})(?:,? |-)(\d{4})", re.ASCII)
_STAMP = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ,]+(\d{1,2}:\d{2}(?::\d{2})?)(?:\.\d+)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
_DAY_IN_TITLE = (
    re.compile(r"(?P<year>\d{4})/(?P<month>\d{2})/(?P<day>\d{2})", re.ASCII),
    re.compile(r"(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4})", re.ASCII),
    re.compile(
        r"(?P<name>[A-Z][a-z]{2})[- ](?P<day>\d{1,2})\b(?:,? |-)"
        r"(?:\s*[\d:]+ [A-Z]{2,4} )?(?P<year>\d{4})",
        re.ASCII,
    ),
)


class Line(NamedTuple):
    """The cells of one line, trimmed, and the number of the line on which they begin."""

    number: int
    cells: list[str]


class Document(NamedTuple):
    """The text of a file as lines of cells, without the blank ones."""

    path: Path
    delimiter: str
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()


def read_document(source: Source, delimiter: str = "") -> Document:
    """The lines of *source*, cut at its *delimiter* (left out: the one that cuts most).

    Raises:
        InputError: it is no text, has no line, or breaks off inside a quotation.
    """
    text, notes = decode(source)
    cut = delimiter or _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=cut, strict=True)
    lines = []
    number = 1
    try:
        for cells in reader:
            trimmed = [cell.strip() for cell in cells]
            if any(trimmed):
                lines.append(Line(number, trimmed))
            number = reader.line_num + 1
    except csv.Error as error:
        raise InputError(
            f"{source.path}, line {number}: the quotation marks do not match ({error});"
            " the file may have broken off: export it again"
        ) from error
    if not lines:
        raise InputError(f"{source.path} is empty: export it again")
    return Document(source.path, cut, tuple(lines), notes)


def heading(name: str) -> str:
    """*name* of a column as brokers' headings are compared: words, digits, $ and % only.

    Examples:
        >>> heading("Gain/Loss ($)"), heading("Qty (Quantity)")
        ('gain loss $', 'qty quantity')
    """
    return " ".join(re.sub(r"[^0-9a-z$%]+", " ", name.casefold()).split())


def find_headings(cells: Sequence[str], headings: Headings) -> dict[str, int]:
    """Where each column of *headings* stands in *cells*; the first one counts.

    A heading is compared whole, and then without the remarks in its brackets.
    """
    by_name = {name: column for column, names in headings.items() for name in names}
    found: dict[str, int] = {}
    for key in (heading, column_key):
        for position, name in enumerate(cells):
            column = by_name.get(key(name))
            if column is not None and position not in found.values():
                found.setdefault(column, position)
    return found


def has_columns(line: Line, headings: Headings, needed: Sequence[str]) -> bool:
    """Whether *line* is a header with all *needed* columns; a line with a number is none."""
    if any(map(_NUMBER_OR_DAY.fullmatch, line.cells)):
        return False
    found = find_headings(line.cells, headings)
    return all(column in found for column in needed)


def day_in(title: str) -> dt.date | None:
    """The first day that a title such as `Positions as of 2023/04/23` names; None without one."""
    matches = [match for pattern in _DAY_IN_TITLE if (match := pattern.search(title))]
    for match in sorted(matches, key=lambda match: match.start()):
        parts = match.groupdict()
        month = parts.get("month") or _month(parts["name"])
        try:
            return _sane_date(title, int(parts["year"]), int(month), int(parts["day"]))
        except Unreadable:
            continue
    return None


def as_of(title: str) -> dt.date | None:
    """The day that *title* gives after `as of`; None without one."""
    _, words, rest = title.partition("as of")
    return day_in(rest) if words else None


def read_any_day(text: str) -> dt.date:
    """The trade date that *text* writes in one of the ways of US brokers: the month first.

    A time with a zone counts in New York; a time without one is taken to be there.

    Raises:
        Unreadable: it is no date.
    """
    compact = _COMPACT_DATE.fullmatch(text)
    if compact:
        return _sane_date(text, int(compact[1]), int(compact[2]), int(compact[3]))
    stamp = _STAMP.fullmatch(text)
    if stamp:
        return _stamped_day(text, stamp)
    named = _NAMED_MONTH.fullmatch(text)
    if named:
        return _sane_date(text, int(named[3]), int(_month(named[1])), int(named[2]))
    short = _SHORT_YEAR.fullmatch(text)
    if short:
        return _sane_date(text, 2000 + int(short[4]), int(short[1]), int(short[3]))
    if _DASHED_DATE.fullmatch(text):
        return read_day(text.replace("-", "/"), month_first=True)
    return read_day(text, month_first=True)


def says_nothing(text: str) -> bool:
    """Whether *text* is an empty cell, or one of the marks that brokers write for one."""
    return text.casefold() in _NOTHING


class Findings:
    """What is wrong with a file (its faults) and what its user must know (its notes).

    `read_day` reads its dates; `decimal` is the sign of its decimals where that was said.
    """

    def __init__(self, document: Document) -> None:
        """Collect for *document*."""
        self.document = document
        self.faults: dict[str, None] = {}
        self.notes: dict[str, None] = dict.fromkeys(document.notes)
        self.read_day: Callable[[str], dt.date] = read_any_day
        self.decimal = ""

    def fault(self, sentence: str) -> None:
        """Keep what makes the file unusable, once."""
        self.faults[sentence] = None

    def raise_if_any(self) -> None:
        """Raise all faults.

        Raises:
            FileFaults: there are some.
        """
        faults = Faults(str(self.document.path))
        for sentence in self.faults:
            faults.add(sentence)
        faults.raise_if_any()


class Record:
    """One row of a table, its cells by the names of our columns."""

    def __init__(self, line: int, cells: Mapping[str, str], findings: Findings) -> None:
        """Read *cells* of *line*; what cannot be read goes to *findings*."""
        self.line = line
        self.cells = cells
        self.findings = findings

    @property
    def where(self) -> str:
        """The file's name and the line, for a transaction's `source`."""
        return f"{self.findings.document.path.name} line {self.line}"

    def fault(self, column: str, sentence: str) -> None:
        """Add a fault of this row, once."""
        self.findings.fault(f"line {self.line}, {column}: {sentence}")

    def note(self, sentence: str) -> None:
        """Add a note on this row."""
        self.findings.notes[f"line {self.line}: {sentence}"] = None

    def text(self, column: str) -> str:
        """What stands in *column*, empty where the broker says nothing."""
        text = self.cells.get(column, "")
        return "" if says_nothing(text) else text

    def symbol(self, column: str = "symbol") -> str:
        """The symbol in *column* in capital letters; a formula is a fault."""
        text = self.text(column)
        try:
            refuse_formula(text)
        except Unreadable as error:
            self.fault(column, str(error))
        return text.upper()

    def is_masked(self, column: str) -> bool:
        """Whether somebody has written X over the number in *column*."""
        return bool(_MASK.fullmatch(self.cells.get(column, "")))

    def amount(self, column: str) -> Decimal | None:
        """The number in *column*; None where there is none, it is masked, or it is a fault."""
        text = self.text(column)
        if not text:
            return None
        if self.is_masked(column):
            self.note(f"{column} is masked ({quoted(text)}) and stays unknown")
            return None
        plus = _PLUS.fullmatch(text)
        bare = (plus[1] if plus else text).replace("€", "", 1).replace("£", "", 1)
        try:
            return _read_number(bare, self.findings)
        except Unreadable as error:
            self.fault(column, str(error))
            return None

    def day(self, column: str) -> dt.date | None:
        """The date in *column*; None where there is none or it is a fault."""
        text = self.text(column)
        if not text:
            return None
        try:
            return self.findings.read_day(text)
        except Unreadable as error:
            self.fault(column, str(error))
            return None


class Table(NamedTuple):
    """A header: where our columns stand in it, and how many it has."""

    columns: Mapping[str, int]
    width: int
    findings: Findings

    @classmethod
    def of(cls, header: Line, headings: Headings, findings: Findings) -> "Table":
        """The table below *header*."""
        width = len(without_empty_end(header.cells))
        return cls(find_headings(header.cells, headings), width, findings)

    def fits(self, line: Line) -> bool:
        """Whether *line* has a cell for each column, and no more that say anything."""
        return len(line.cells) >= self.width and not any(line.cells[self.width :])

    def record(self, line: Line) -> Record:
        """The cells of *line* by our columns; a missing cell is empty."""
        cells = line.cells
        named = {column: cells[at] for column, at in self.columns.items() if at < len(cells)}
        return Record(line.number, named, self.findings)

    def misfit(self, line: Line) -> str:
        """A sentence about a *line* that does not fit."""
        found = len(line.cells)
        fields = f"{found} field{'' if found == 1 else 's'}"
        return f"line {line.number}: {fields} where the header has {self.width}"


def without_empty_end(cells: Sequence[str]) -> Sequence[str]:
    """*cells* up to the last that is not empty."""
    end = len(cells)
    while end and not cells[end - 1]:
        end -= 1
    return cells[:end]


def _read_number(text: str, findings: Findings) -> Decimal:
    """The number that *text* writes, with the sign for decimals that *findings* know."""
    if findings.decimal == "," and _COMMA_NUMBER.fullmatch(text):
        return read_amount(text.replace(".", "").replace(",", "."))
    if findings.decimal == ",":
        raise Unreadable(f"{quoted(text)} is not a number such as 1.234,56")
    return read_amount(text, delimiter="," if findings.decimal else findings.document.delimiter)


def _delimiter(text: str) -> str:
    lines = [line for line in text[: 2**16].splitlines() if line.strip()][:HEAD_LINES]
    return max(_DELIMITERS, key=lambda cut: max((line.count(cut) for line in lines), default=0))


def _stamped_day(text: str, stamp: re.Match[str]) -> dt.date:
    day = read_day(stamp[1])
    zone = {None: "", "Z": "+00:00", "UTC": "+00:00"}.get(stamp[3], stamp[3])
    clock = f"0{stamp[2]}" if stamp[2][1] == ":" else stamp[2]
    try:
        at = dt.datetime.fromisoformat(f"{day}T{clock}{zone}")
        return trade_date(at) if at.tzinfo else day
    except (ValueError, OverflowError) as error:
        raise Unreadable(f"{quoted(text)} is not a time: write one such as 14:30:00") from error


def _month(name: str) -> str:
    """The number of the month that *name* begins, 0 for none."""
    key = name.casefold()
    return str(MONTHS.index(key) + 1 if key in MONTHS else 0)


def _sane_date(text: str, year: int, month: int, day: int) -> dt.date:
    try:
        date = dt.date(year, month, day)
    except ValueError as error:
        raise Unreadable(f"{quoted(text)} is not a day of the calendar") from error
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise Unreadable(f"{quoted(text)} is not between {FIRST_YEAR} and {LAST_YEAR}")
    return date
