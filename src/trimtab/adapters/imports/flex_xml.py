"""The XML of a Flex query as plain records, refused before it can do harm.

A Flex file needs no document type and no entity of its own, so that a file with either is refused
before expat, the standard library's parser, has read one: nothing can be expanded or fetched.
"""

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple
from xml.parsers import expat

from trimtab.adapters.delimited import Faults, Unreadable, quoted, read_amount, read_day
from trimtab.domain.errors import FileFaults, InputError
from trimtab.domain.values import trade_date

SIZE_MAX = 50 * 2**20
DEPTH_MAX = 16
RECORDS_MAX = 2_000_000
AGAIN = "download it from IBKR again"

_STATEMENT_DEPTH = 3
_HEAD_SIZE = 2**16
_ROOTS = (b"<FlexQueryResponse", b"<FlexStatementResponse")
_ENCODING = re.compile(r"""<\?xml[^>]{0,200}?\bencoding\s*=\s*["']([^"']{0,40})["']""")
_PLAIN_ENCODINGS = {"utf-8", "utf8", "us-ascii", "ascii"}
_CUT_OFF = {3, 5, 6, 20}
"""What expat says of a file that ends too early: no element, an open token, half a letter."""
_STAMP = re.compile(
    r"(\d{8}|\d{4}-\d{2}-\d{2}|\d{1,2}/\d{1,2}/\d{4})"
    r"(?:[;, T]+(\d{2}):?(\d{2}):?(\d{2})(?: ?([A-Za-z_/]+))?)?",
    re.ASCII,
)
_EASTERN = {"EST", "EDT", "ET", "US/Eastern", "America/New_York"}
_UNIVERSAL = {"UTC", "GMT", "Z"}


class Record(NamedTuple):
    """One element with its attributes, and the line on which it begins."""

    name: str
    line: int
    values: dict[str, str]

    def get(self, *names: str) -> str:
        """The first of the attributes *names* that says something; empty when none does."""
        for name in names:
            value = self.values.get(name, "").strip()
            if value:
                return value
        return ""

    @property
    def level(self) -> str:
        """Its level of detail, or empty."""
        return self.get("levelOfDetail")


class Statement(NamedTuple):
    """What one FlexStatement says: one account over one period."""

    line: int
    values: dict[str, str]
    sections: list[str]
    records: list[Record]

    @property
    def account(self) -> str:
        """The account that the statement is of."""
        return self.values.get("accountId", "").strip()

    def of(self, *names: str) -> Iterator[Record]:
        """Its records of these names, in the order of the file."""
        return (record for record in self.records if record.name in names)

    def finest(self, name: str) -> list[Record]:
        """Its records of *name* without those that only sum others up."""
        records = list(self.of(name))
        return [one for one in records if one.level != "SUMMARY"] or records

    def account_of(self, record: Record) -> str:
        """The account of *record*; rows that sum several up write a dash."""
        account = record.get("accountId")
        return self.account if account in {"", "-"} else account


class Stamp(NamedTuple):
    """A day in New York, and the time on it that was written (midnight for none)."""

    day: dt.date
    time: dt.time


class Reader:
    """Reads the cells of records; what cannot be read goes to the faults of the file."""

    def __init__(self, path: Path, faults: Faults) -> None:
        """Read for the file at *path*."""
        self.path = path
        self.faults = faults

    def source(self, record: Record) -> str:
        """Where *record* stands."""
        return f"{self.path.name} line {record.line}"

    def fault(self, record: Record, sentence: str) -> None:
        """Keep a fault of *record*."""
        self.faults.add(f"line {record.line}: {sentence}")

    def amount(self, record: Record, name: str) -> Decimal | None:
        """The number in the attribute *name*; None where it is empty or was a fault."""
        text = record.get(name)
        if not text:
            return None
        try:
            return read_amount(text)
        except Unreadable as error:
            self.fault(record, f"{name} of <{record.name}> {error}")
            return None

    def needed(self, record: Record, name: str) -> Decimal | None:
        """The number in the attribute *name*, which has to be there."""
        if not record.get(name):
            self.fault(record, f"<{record.name}> has no {name}: add this field to the Flex query")
            return None
        return self.amount(record, name)

    def stamp(self, record: Record, *names: str) -> Stamp | None:
        """Day and time in the first of *names* that is filled; None where it was a fault."""
        text = record.get(*names)
        if not text:
            return None
        try:
            return read_stamp(text)
        except Unreadable as error:
            name = next(name for name in names if record.get(name))
            self.fault(record, f"{name} of <{record.name}> {error}")
            return None

    def day(self, record: Record, *names: str) -> dt.date | None:
        """The day in the first of *names* that is filled; None where it was a fault."""
        stamp = self.stamp(record, *names)
        return stamp.day if stamp else None


def read_stamp(text: str) -> Stamp:
    """The day and time that *text* writes in one of the forms that a Flex query may choose.

    Times are those of New York unless the text says UTC.

    Raises:
        Unreadable: it is none of these forms, or may be two days.

    Examples:
        >>> read_stamp("20250115;093015").day.isoformat()
        '2025-01-15'
        >>> read_stamp("2025-01-15;020000 UTC").day.isoformat()
        '2025-01-14'
    """
    match = _STAMP.fullmatch(text)
    if not match:
        raise Unreadable(f"{quoted(text)} is not a date: choose the date format yyyy-MM-dd")
    digits = match[1]
    iso = f"{digits[:4]}-{digits[4:6]}-{digits[6:]}" if digits.isdigit() else digits
    day = read_day(iso)
    if not match[2]:
        return Stamp(day, dt.time())
    try:
        time = dt.time(int(match[2]), int(match[3]), int(match[4]))
    except ValueError as error:
        raise Unreadable(f"{quoted(text)} has no time of a clock: export it again") from error
    zone = match[5]
    if zone in _UNIVERSAL:
        return Stamp(trade_date(dt.datetime.combine(day, time, dt.UTC)), time)
    if zone and zone not in _EASTERN:
        raise Unreadable(f"{quoted(text)} has a time zone other than EST: choose EST in the query")
    return Stamp(day, time)


def looks_like_flex(data: bytes) -> bool:
    """Whether *data* begins like a Flex query's answer, in whatever encoding."""
    head = data[:_HEAD_SIZE].replace(b"\0", b"")
    return any(root in head for root in _ROOTS)


def parse_flex(path: Path, data: bytes) -> list[Statement]:
    """The statements in *data*, the content of the file at *path*.

    Raises:
        FileFaults: it is no well-formed Flex query, is cut off, or tries what no such file needs.
        InputError: it is IBKR's answer that there is no statement.
    """
    content = _checked_text(path, data).encode()
    parsing = _Parsing(path)
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = parsing.refuse_doctype
    parser.StartElementHandler = lambda name, values: parsing.start(
        name, values, parser.CurrentLineNumber
    )
    parser.EndElementHandler = parsing.end
    parser.CharacterDataHandler = parsing.keep_text
    try:
        parser.Parse(content, True)  # noqa: FBT003  expat takes this by place only
    except expat.ExpatError as error:
        raise FileFaults(str(path), [_broken(content, error)]) from error
    return parsing.finished()


class _Parsing:
    """What has been read so far; refuses at the first thing that a Flex file never holds."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open: list[str] = []
        self._root = ""
        self._count = 0
        self._replies: dict[str, str] = {}
        self._statements: list[Statement] = []

    def refuse_doctype(self, *_: object) -> None:
        self._refuse(
            "the file declares a document type, with which entities could be expanded or fetched:"
            f" no Flex query has one, so {AGAIN}"
        )

    def start(self, name: str, values: dict[str, str], line: int) -> None:
        self._root = self._root or name
        self._open.append(name)
        if len(self._open) > DEPTH_MAX:
            self._refuse(
                f"line {line}: elements are nested more than {DEPTH_MAX} deep: {AGAIN}, as XML"
            )
        if self._root == "FlexQueryResponse":
            self._start_in_query(name, values, line)

    def _start_in_query(self, name: str, values: dict[str, str], line: int) -> None:
        if name == "FlexStatement" and len(self._open) == _STATEMENT_DEPTH:
            self._statements.append(Statement(line, values, [], []))
        elif len(self._open) > _STATEMENT_DEPTH and self._open[2] == "FlexStatement":
            if not values:
                self._statements[-1].sections.append(name)
                return
            self._count += 1
            if self._count > RECORDS_MAX:
                self._refuse(f"the file has more than {RECORDS_MAX} records: export fewer days")
            self._statements[-1].records.append(Record(name, line, values))

    def end(self, _: str) -> None:
        self._open.pop()

    def keep_text(self, text: str) -> None:
        if self._root == "FlexStatementResponse" and text.strip():
            self._replies[self._open[-1]] = text.strip()

    def finished(self) -> list[Statement]:
        if self._root == "FlexStatementResponse":
            code, said = self._replies.get("ErrorCode", "none"), self._replies.get("ErrorMessage")
            raise InputError(
                f"{self._path} holds no statement but IBKR's answer to a request"
                f" (code {quoted(code)}, {quoted(said or 'no message')}): ask IBKR again later"
            )
        if self._root != "FlexQueryResponse":
            self._refuse(
                f"its root element is {quoted(self._root)} where a Flex query has"
                " FlexQueryResponse: export an Activity Flex query as XML"
            )
        if not self._statements:
            self._refuse("the Flex query holds no FlexStatement: export it for an account")
        return self._statements

    def _refuse(self, fault: str) -> None:
        raise FileFaults(str(self._path), [fault])


def _checked_text(path: Path, data: bytes) -> str:
    if not data.strip():
        raise FileFaults(str(path), [f"the file is empty: {AGAIN}"])
    if len(data) > SIZE_MAX:
        fault = f"the file is larger than {SIZE_MAX // 2**20} MB: export fewer days at a time"
        raise FileFaults(str(path), [fault])
    if b"\0" in data:
        raise FileFaults(str(path), ["the file is UTF-16 or not text: save it as UTF-8"])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        fault = (
            f"line {line}: the byte 0x{data[error.start]:02x} is not UTF-8: save the file as UTF-8"
        )
        raise FileFaults(str(path), [fault]) from error
    declared = _ENCODING.match(text)
    if declared and declared[1].lower() not in _PLAIN_ENCODINGS:
        fault = (
            f"line 1 declares the encoding {quoted(declared[1])}, and Flex files are UTF-8:"
            f" {AGAIN}, or save it as UTF-8 and declare that"
        )
        raise FileFaults(str(path), [fault])
    return text


def _broken(content: bytes, error: expat.ExpatError) -> str:
    where = f"line {error.lineno}, column {error.offset}"
    if error.code in _CUT_OFF:
        return f"{where}: the file ends too early: {AGAIN}"
    lines = content.split(b"\n", error.lineno)
    line = lines[error.lineno - 1] if error.lineno <= len(lines) else b""
    if b"&" in line[max(error.offset - 1, 0) : error.offset + 1]:
        return f"{where}: a bare & is no XML: {AGAIN}, or write &amp; in its place"
    reason = expat.ErrorString(error.code) or "unknown fault"
    return f"{where}: the XML is broken ({reason}): {AGAIN}"
