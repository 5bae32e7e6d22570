"""Delimited text (CSV and its kin) read safely, and the numbers and dates in its cells.

Nothing is guessed: a cell that can be read in two ways is refused, and all that is wrong with a
file is collected and reported together.
"""

import csv
import datetime as dt
import gzip
import io
import re
import zlib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import BinaryIO, NamedTuple

from trimtab.domain.errors import FileFaults, InputError

FILE_SIZE_MAX = 200 * 2**20
LINE_SIZE_MAX = 2**20
FAULTS_SHOWN_MAX = 50
FIRST_YEAR, LAST_YEAR = 1900, 2100
EXAMPLE_NUMBER = "1234.56"

_DELIMITERS = (",", ";", "\t")
_NUMBER_LENGTH_MAX = 40
_MONTHS = 12
_PLAIN = re.compile(r"-?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?", re.ASCII)
_GROUPED = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d*)?", re.ASCII)
_ISO_DATE = re.compile(
    # A midnight stamp, as exports of pandas write it, is a date: a label, never converted.
    r"(\d{4})-(\d{2})-(\d{2})([ T]00:00(:00(\.0+)?)?([+-]\d{2}:?\d{2})?)?",
    re.ASCII,
)
_SLASH_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)


class Unreadable(ValueError):
    """A cell that cannot be read; the text says what was found and what to write instead."""


class Faults:
    """What is wrong with one file, collected until it is raised as a whole."""

    def __init__(self, source: str) -> None:
        """Collect for *source*."""
        self.source = source
        self._sentences: list[str] = []

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was collected so far."""
        return tuple(self._sentences)

    def add(self, sentence: str) -> None:
        """Keep one fault."""
        self._sentences.append(sentence)

    def raise_if_any(self) -> None:
        """Raise what was collected.

        Raises:
            FileFaults: something was; the first fifty are told and the others counted.
        """
        if not self._sentences:
            return
        shown = self._sentences[:FAULTS_SHOWN_MAX]
        others = len(self._sentences) - len(shown)
        if others:
            shown.append(f"and {others} more: mend these first")
        raise FileFaults(self.source, shown)


class Sheet(NamedTuple):
    """The cells of a file as they stand, trimmed, and the line on which each row begins."""

    path: Path
    delimiter: str
    header: tuple[str, ...]
    rows: list[list[str]]
    lines: list[int]


def read_sheet(path: Path, names: Iterable[str], faults: Faults) -> Sheet:
    """The rows of the file at *path* below its header; blank lines are left out.

    The separator (comma, semicolon or tab) is the one with which most *names* are found in the
    header. Rows with a wrong number of fields go to *faults*. A name ending in .gz is unpacked.

    Raises:
        InputError: there is no such file, or it may not be read.
        FileFaults: it is empty, too large, not text, or broken off inside a quotation.
    """
    text = _read_text(path)
    _check_line_sizes(path, text)
    first_line = re.split(r"[\r\n]", text.lstrip(), maxsplit=1)[0]
    delimiter = _delimiter(first_line, {column_key(name) for name in names})
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header: tuple[str, ...] = ()
    rows: list[list[str]] = []
    lines: list[int] = []
    line = 1
    try:
        for cells in reader:
            trimmed = [cell.strip() for cell in cells]
            if any(trimmed):
                if header:
                    rows.append(_fitted(trimmed, header, line, faults))
                    lines.append(line)
                else:
                    header = _without_empty_end(trimmed)
            line = reader.line_num + 1
    except csv.Error as error:
        faults.add(f"line {line}: the quotation marks do not match ({error}): close each one")
    if not header and not rows:
        faults.add("the file is empty: begin it with a header that names its columns")
        faults.raise_if_any()
    kept = [position for position, row in enumerate(rows) if row]
    return Sheet(path, delimiter, header, [rows[at] for at in kept], [lines[at] for at in kept])


def column_key(name: str) -> str:
    """*name* of a column as it is compared: small letters, one space between words, no remarks.

    Examples:
        >>> column_key(" Cost_Basis ($)")
        'cost basis'
    """
    bare = re.sub(r"\([^)]*\)", " ", name)
    return " ".join(re.sub(r"[_\-./#:]", " ", bare).casefold().split())


def symbol_key(symbol: str) -> str:
    """*symbol* as it is compared: BRK.B, BRK/B, BRK B and brk-b are one share.

    Examples:
        >>> symbol_key("brk.b")
        'BRK-B'
    """
    return re.sub(r"[ ./]", "-", symbol.strip().upper())


def find_columns(
    header: Iterable[str], synonyms: Mapping[str, tuple[str, ...]], faults: Faults
) -> dict[str, int]:
    """Where each column of *synonyms* stands in *header*; a column named twice is a fault."""
    by_key = {column_key(name): column for column, names in synonyms.items() for name in names}
    found: dict[str, int] = {}
    for position, name in enumerate(header):
        column = by_key.get(column_key(name))
        if column is None:
            continue
        if column in found:
            faults.add(f'line 1: two columns say {column}, the second one "{name}": keep one')
        found.setdefault(column, position)
    return found


def read_amount(text: str, *, delimiter: str = ",") -> Decimal:
    """The number that *text* writes, exactly, from its digits.

    A dollar sign, thousands separators and brackets for a negative number are understood.

    Raises:
        Unreadable: it is no number, or may be two different ones.

    Examples:
        >>> read_amount("$1,234.50"), read_amount("(3.1)")
        (Decimal('1234.50'), Decimal('-3.1'))
    """
    refuse_formula(text)
    if not text:
        raise Unreadable(f"is empty: write a number such as {EXAMPLE_NUMBER}")
    bare = text
    if bare.startswith("(") and bare.endswith(")"):
        bare = "-" + bare[1:-1]
    bare = bare.replace("$", "", 1).replace(" ", "")
    if len(bare) <= _NUMBER_LENGTH_MAX:
        if _PLAIN.fullmatch(bare):
            return Decimal(bare)
        if _GROUPED.fullmatch(bare):
            if delimiter == ";" and bare.count(",") == 1 and "." not in bare:
                whole, decimal = bare.replace(",", ""), bare.replace(",", ".")
                raise Unreadable(f'"{text}" may be {whole} or {decimal}: write the one meant')
            return Decimal(bare.replace(",", ""))
    raise Unreadable(f"{quoted(text)} is not a number: write one such as {EXAMPLE_NUMBER}")


def writes_month_first(texts: Iterable[str]) -> bool | None:
    """Whether dates such as 3/25/2024 put the month first; None when nothing shows it."""
    found: bool | None = None
    for text in texts:
        match = _SLASH_DATE.fullmatch(text)
        if match and int(match[1]) > _MONTHS:
            return False
        if match and int(match[2]) > _MONTHS:
            found = True
    return found


def read_day(text: str, *, month_first: bool | None = None) -> dt.date:
    """The date that *text* writes as 2024-03-25, or as 3/25/2024 in a file known as *month_first*.

    Raises:
        Unreadable: it is no date, or may be two different ones.
    """
    refuse_formula(text)
    iso = _ISO_DATE.fullmatch(text)
    if iso:
        return _date(text, int(iso[1]), int(iso[2]), int(iso[3]))
    slash = _SLASH_DATE.fullmatch(text)
    if not slash:
        found = quoted(text) if text else "is empty"
        verb = " is not a date" if text else ""
        raise Unreadable(f"{found}{verb}: write it as 2024-03-25")
    first, second, year = int(slash[1]), int(slash[2]), int(slash[3])
    if first > _MONTHS:
        day_first = _date(text, year, second, first)
        raise Unreadable(f'"{text}" puts the day first: write {day_first}')
    if first != second and second <= _MONTHS and not month_first:
        either, other = _date(text, year, first, second), _date(text, year, second, first)
        raise Unreadable(f'"{text}" may be {either} or {other}: write the one meant')
    return _date(text, year, first, second)


def refuse_formula(text: str) -> None:
    """Refuse what a spreadsheet would run.

    Raises:
        Unreadable: *text* begins like a formula.
    """
    if text.startswith(("=", "@", "+")):
        raise Unreadable(f"{quoted(text)} is a spreadsheet formula: write its value")


def quoted(text: str) -> str:
    """*text* in quotation marks, shortened, with nothing in it that could upset a terminal."""
    longest = 40
    printable = "".join(letter if letter.isprintable() else "?" for letter in text[: longest + 1])
    return f'"{printable[:longest]}…"' if len(printable) > longest else f'"{printable}"'


def nearest(name: str, known: Iterable[str]) -> str:
    """A sentence's end that helps with an unknown *name*: the like of it, or what there is."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1)
    if near:
        return f"did you mean {near[0]}?"
    return f"write one of {', '.join(names[:8])}" if names else "there is none yet"


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as packed, _unpacked(path, packed) as stream:
            content = stream.read(FILE_SIZE_MAX + 1)
    except FileNotFoundError as error:
        raise InputError(f"there is no file {path}: write one, or correct its name") from error
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"the file {path} cannot be read ({error}): check it") from error
    if len(content) > FILE_SIZE_MAX:
        fault = f"the file is larger than {FILE_SIZE_MAX // 2**20} MB: split it"
        raise FileFaults(str(path), [fault])
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FileFaults(str(path), ["the file is UTF-16: save it as CSV UTF-8"])
    if b"\0" in content:
        raise FileFaults(str(path), ["the file is not text: export it as CSV UTF-8"])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        fault = (
            f"line {line}: the byte 0x{content[error.start]:02x} is not UTF-8:"
            " save the file as CSV UTF-8"
        )
        raise FileFaults(str(path), [fault]) from error


def _unpacked(path: Path, packed: BinaryIO) -> gzip.GzipFile | BinaryIO:
    return gzip.GzipFile(fileobj=packed) if path.suffix == ".gz" else packed


def _check_line_sizes(path: Path, text: str) -> None:
    if len(text) <= LINE_SIZE_MAX:
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if len(line) > LINE_SIZE_MAX:
            raise FileFaults(
                str(path),
                [f"line {number} is longer than {LINE_SIZE_MAX // 2**20} MB: this is no table"],
            )


def _delimiter(first_line: str, keys: set[str]) -> str:
    def score(delimiter: str) -> tuple[int, int]:
        cells = first_line.split(delimiter)
        known = sum(column_key(cell.strip('" \r')) in keys for cell in cells)
        return known, len(cells)

    return max(_DELIMITERS, key=score)


def _without_empty_end(cells: list[str]) -> tuple[str, ...]:
    while cells and not cells[-1]:
        cells.pop()
    return tuple(cells)


def _fitted(cells: list[str], header: tuple[str, ...], line: int, faults: Faults) -> list[str]:
    """*cells* when there are as many as the header has; else nothing, and a fault."""
    width = len(header)
    if len(cells) > width and not any(cells[width:]):
        del cells[width:]
    if len(cells) == width:
        return cells
    fields = f"{len(cells)} field{'' if len(cells) == 1 else 's'}"
    faults.add(f"line {line}: {fields} where the header has {width}: write one for each column")
    return []


def _date(text: str, year: int, month: int, day: int) -> dt.date:
    try:
        date = dt.date(year, month, day)
    except ValueError as error:
        raise Unreadable(
            f'"{text}" is not a day of the calendar: write one such as 2024-03-25'
        ) from error
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise Unreadable(
            f'"{text}" is not between {FIRST_YEAR} and {LAST_YEAR}: write the year it was'
        )
    return date
