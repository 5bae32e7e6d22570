"""OFX and QFX files, versions 1 (SGML) and 2 (XML), as the objects of the library ofxtools.

ofxtools knows the format; this module stands before it. It reads the markup with ofxtools' own
expression but refuses what that skips in silence or nests wrongly, and writes every date as the
day in New York that it means, so that no conversion can move a trade to another day.
"""

import datetime as dt
import io
import re
import warnings
from collections.abc import Callable
from decimal import DecimalException
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple, NoReturn
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from trimtab.adapters.delimited import FIRST_YEAR, LAST_YEAR, Faults, Unreadable, quoted
from trimtab.adapters.imports.words import counted
from trimtab.domain.errors import FileFaults, MissingExtra
from trimtab.domain.values import trade_date

SIZE_MAX = 50 * 2**20
ELEMENTS_MAX = 1_000_000
DEPTH_MAX = 32
FAULTS_MAX = 100
REASON_SIZE = 120
AGAIN = "download it again as OFX or QFX"

_HEAD_SIZE = 2**16
_HEADER_LINES = 8
_STATEMENTS = ("INVSTMTRS", "STMTRS", "CCSTMTRS")
_ZONES = {"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}
_KEPT = {"SIGNONMSGSRSV1", "INVSTMTMSGSRSV1", "SECLISTMSGSRSV1"}
_AMOUNTS = {
    *("UNITS", "UNITPRICE", "TOTAL", "COMMISSION", "FEES", "TAXES", "LOAD", "MARKUP", "MARKDOWN"),
    *("MKTVAL", "TRNAMT", "AVAILCASH", "MARGINBALANCE", "SHORTBALANCE", "WITHHOLDING", "PENALTY"),
    *("STATEWITHHOLDING", "GAIN", "NUMERATOR", "DENOMINATOR", "OLDUNITS", "NEWUNITS", "FRACCASH"),
    *("CURRATE", "ACCRDINT", "BALAMT", "CASHBAL", "AVGCOSTBASIS"),
}
_AMOUNT = re.compile(r"[+-]?(\d{1,20}([.,]\d{0,12})?|[.,]\d{1,12})", re.ASCII)
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+", re.ASCII)
_DATE = re.compile(
    r"(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(?:\d{2})?(?:\.\d{1,6})?)?"
    r"(?:\[([+-]?\d{0,2})(?:\.(\d{1,2}))?(?::([A-Za-z/_]{0,40}))?\])?",
    re.ASCII,
)
_EMPTY_TAG = re.compile(r"<([A-Z0-9._]+)\s*/>")
_CLOSING = re.compile(r"</([A-Z0-9._]+)>")

_LIBRARY_ERRORS = (
    SyntaxError,  # its ParseError and OFXHeaderError
    ValueError,  # its OFXSpecError, UnicodeDecodeError
    TypeError,
    AttributeError,
    LookupError,
    AssertionError,
    DecimalException,
    OverflowError,
)
"""What ofxtools raises on a file that is not as the specification says."""


class OfxFile(NamedTuple):
    """What a file holds: ofxtools' object, the statements counted, and what to note."""

    model: Any
    counts: dict[str, int]
    notes: list[str]


def looks_like_ofx(data: bytes) -> bool:
    """Whether *data* begins like OFX of either version, in whatever encoding."""
    head = data[:_HEAD_SIZE].replace(b"\0", b"").upper()
    return b"OFXHEADER" in head or b"<OFX>" in head


def parse_ofx(path: Path, data: bytes) -> OfxFile:
    """The content of the OFX file at *path*; bank and card statements are counted and left out.

    Raises:
        FileFaults: it is broken, cut off, hostile, or not as the specification says.
        MissingExtra: ofxtools is not installed.
    """
    if find_spec("ofxtools") is None:
        raise MissingExtra("OFX and QFX files are read with ofxtools: pip install ofxtools")
    text = _markup(path, _message(path, data))
    first_line = data[: max(data.find(b"<OFX>"), 0)].count(b"\n") + 1
    root = _parsed(path, text, first_line)
    if root.tag != "OFX":
        _refuse(path, f"its root element is {quoted(root.tag)} where OFX has OFX: {AGAIN}")
    counts = {kind: sum(1 for _ in root.iter(kind)) for kind in _STATEMENTS}
    counts = {kind: number for kind, number in counts.items() if number}
    for messages in [child for child in root if child.tag not in _KEPT]:
        root.remove(messages)
    _prepare(path, root, text, first_line)
    return _converted(path, root, counts)


def _message(path: Path, data: bytes) -> str:
    """The markup below the header, decoded as the header says."""
    from ofxtools.header import parse_header

    if not data.strip():
        _refuse(path, f"the file is empty: {AGAIN}")
    if len(data) > SIZE_MAX:
        _refuse(path, f"the file is larger than {SIZE_MAX // 2**20} MB: download fewer days")
    if b"\0" in data:
        _refuse(path, f"the file is UTF-16 or not text: {AGAIN}")
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not any(line.strip() for line in data.splitlines()[:_HEADER_LINES]):
        _refuse(
            path,
            f"its first {_HEADER_LINES} lines are empty, where OFX begins with its header:"
            " delete them, or download the file again",
        )
    start = data.lstrip()[:200].upper()
    if not start.startswith(b"<?XML") and not start.startswith(b"OFXHEADER"):
        _refuse(
            path,
            "it has no OFX header (OFXHEADER:100 or <?OFX ...?>), so that neither its version"
            f" nor its encoding is known: {AGAIN}",
        )
    try:
        _, message = parse_header(io.BytesIO(data))
    except UnicodeDecodeError as error:
        _refuse(path, f"it is not in the encoding that its header says ({error.reason}): {AGAIN}")
    except _LIBRARY_ERRORS as error:
        _refuse(path, f"its OFX header cannot be read ({_reason(error)}): {AGAIN}")
    return message


class _Tree:
    """Elements built one by one, each closed where it was opened."""

    def __init__(self, holds_others: Callable[[str], bool]) -> None:
        """Build; *holds_others* says of a tag whether its element may hold others."""
        self._holds_others = holds_others
        self._builder = ET.TreeBuilder()
        self.open: list[str] = []
        self.count = 0

    def feed(self, match: "re.Match[str]") -> str:
        """Build what *match* found; a sentence where it cannot stand there, else nothing."""
        tag, text = match["tag"], (match["text"] or "").strip()
        outside = (match["tail"] or "").strip() or (text if tag.startswith("/") else "")
        if outside:
            return f"{quoted(outside)} stands outside every element"
        if tag.startswith("/"):
            return self._end(tag[1:])
        if self.count and not self.open:
            return f"<{tag}> is a second root element"
        self.count += 1
        self._builder.start(tag, {"at": str(match.start())})
        if text:
            self._builder.data(text)
        # An element with text ends with it; an empty one that nothing closes holds nothing.
        if text or match["closetag"] or not self._holds_others(tag):
            self._builder.end(tag)
        else:
            self.open.append(tag)
        return ""

    def root(self) -> ET.Element:
        """The whole tree, once nothing is open."""
        return self._builder.close()

    def _end(self, tag: str) -> str:
        if not self.open or self.open[-1] != tag:
            opened = f"<{self.open[-1]}> is open" if self.open else "nothing is open"
            return f"</{tag}> closes what is not open ({opened})"
        self.open.pop()
        self._builder.end(tag)
        return ""


def _markup(path: Path, message: str) -> str:
    """*message* without comments and CDATA, lines kept."""
    text = _replaced(path, message, ("<!--", "-->"), lambda inner: "\n" * inner.count("\n"))
    text = _replaced(path, text, ("<![CDATA[", "]]>"), escape)
    if "<!" in text:
        _refuse(
            path,
            "it declares a document type or an entity, which OFX never does and which could be"
            f" expanded or fetched: {AGAIN}",
        )
    return _EMPTY_TAG.sub(r"<\1></\1>", text).rstrip()


def _replaced(
    path: Path, text: str, marks: tuple[str, str], replacement: Callable[[str], str]
) -> str:
    """*text* with all that stands between two *marks* replaced, in one pass."""
    opening, closing = marks
    parts = []
    end = 0
    while (start := text.find(opening, end)) >= 0:
        parts.append(text[end:start])
        stop = text.find(closing, start + len(opening))
        if stop < 0:
            _refuse(path, f"it ends inside {opening}, so it was cut off: {AGAIN}")
        parts.append(replacement(text[start + len(opening) : stop]))
        end = stop + len(closing)
    return "".join([*parts, text[end:]])


def _parsed(path: Path, text: str, first_line: int) -> ET.Element:
    """The elements of *text*, which begins on line *first_line* of the file."""
    from ofxtools import models
    from ofxtools.Parser import TreeBuilder

    closed = set(_CLOSING.findall(text))
    tree = _Tree(lambda tag: tag in closed or isinstance(getattr(models, tag, None), type))
    end = len(text) - len(text.lstrip())
    for match in TreeBuilder.regex.finditer(text):
        fault = tree.feed(match) if match.start() == end else "this is no OFX markup"
        if not fault and len(tree.open) > DEPTH_MAX:
            fault = f"elements are nested more than {DEPTH_MAX} deep"
        if not fault and tree.count > ELEMENTS_MAX:
            fault = f"more than {ELEMENTS_MAX} elements"
        if fault:
            _refuse(path, f"line {first_line + text.count(chr(10), 0, end)}: {fault}: {AGAIN}")
        end = match.end()
    if tree.open:
        _refuse(path, f"it ends inside <{tree.open[-1]}>, so it was cut off: {AGAIN}")
    if not tree.count or end != len(text):
        _refuse(path, f"{quoted(text[end:])} is no OFX markup: {AGAIN}")
    return tree.root()


def _prepare(path: Path, root: ET.Element, text: str, first_line: int) -> None:
    """Write every date as its day in New York and every amount in digits; refuse the others."""
    faults = Faults(str(path))
    for element in root.iter():
        at = int(element.attrib.pop("at", "0"))
        written = (element.text or "").strip()
        if not written:
            continue
        try:
            if element.tag.startswith("DT"):
                element.text = f"{read_ofx_day(written):%Y%m%d}120000"
            elif element.tag in _AMOUNTS:
                element.text = _digits(written)
        except Unreadable as error:
            line = first_line + text.count("\n", 0, at)
            faults.add(f"line {line}: <{element.tag}> {error}")
            if len(faults.sentences) >= FAULTS_MAX:
                break
    faults.raise_if_any()


def read_ofx_day(text: str) -> dt.date:
    """The day in New York that a date of OFX means.

    A date without a time, at midnight, or without a time zone is a label and stays what it is:
    brokers write their own day, although the specification would have it in Greenwich.

    Raises:
        Unreadable: it is no date.

    Examples:
        >>> read_ofx_day("20240617").isoformat()
        '2024-06-17'
        >>> read_ofx_day("20240618010000[0:GMT]").isoformat()
        '2024-06-17'
    """
    match = _DATE.fullmatch(text)
    try:
        day = dt.date(int(match[1]), int(match[2]), int(match[3])) if match else None
        if match is None or day is None or not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise Unreadable(f"{quoted(text)} is no date: {AGAIN}")
        hour, minute = int(match[4] or 0), int(match[5] or 0)
        offset = _offset(match[6] or "", match[7] or "", match[8] or "")
        if offset is None or not (hour or minute):
            return day
        at = dt.datetime.combine(day, dt.time(hour, minute), dt.UTC) - offset
    except (ValueError, OverflowError) as error:
        raise Unreadable(f"{quoted(text)} is no date: {AGAIN}") from error
    return trade_date(at)


def _offset(hours: str, minutes: str, zone: str) -> dt.timedelta | None:
    """How far a time zone is ahead of Greenwich; None where it is not told."""
    if hours.strip("+-"):
        size = dt.timedelta(hours=abs(int(hours)), minutes=int(minutes or 0))
        return -size if hours.startswith("-") else size
    known = _ZONES.get(zone)
    return None if known is None else dt.timedelta(hours=known)


def _digits(text: str) -> str:
    """The amount *text* with a decimal point.

    Raises:
        Unreadable: it is no number, or may be two.
    """
    if _GROUPED.fullmatch(text):
        whole, decimal = text.replace(",", ""), text.replace(",", ".", 1)
        raise Unreadable(f"{quoted(text)} may be {whole} or {decimal}: write the one meant")
    if not _AMOUNT.fullmatch(text):
        raise Unreadable(f"{quoted(text)} is not a number: {AGAIN}")
    return text.replace(",", ".")


def _converted(path: Path, root: ET.Element, counts: dict[str, int]) -> OfxFile:
    """Ofxtools' objects for the tree; its warnings become notes."""
    from ofxtools.models.base import Aggregate

    notes = []
    code = root.findtext("SIGNONMSGSRSV1/SONRS/STATUS/CODE") or "0"
    if code != "0":
        said = root.findtext("SIGNONMSGSRSV1/SONRS/STATUS/MESSAGE") or "no message"
        notes.append(
            f"the broker refused the sign-on (code {quoted(code)}, {quoted(said)}), so the file"
            " has no statement: sign on again and download it"
        )
    others = sum(number for kind, number in counts.items() if kind != "INVSTMTRS")
    if others:
        notes.append(
            f"{counted(others, 'bank or card statement')} left out: trimtab reads investment"
            " accounts"
        )
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = Aggregate.from_etree(root)
    except _LIBRARY_ERRORS as error:
        _refuse(path, f"it is not as OFX has to be ({_reason(error)}): {AGAIN}")
    skipped = sum("tag" in str(warning.message) for warning in caught)
    if skipped:
        notes.append(f"{counted(skipped, 'element')} that OFX does not define left out")
    return OfxFile(model, counts, notes)


def _reason(error: Exception) -> str:
    """The first line of what the library says, shortened, fit for a terminal."""
    line = (str(error).splitlines() or [type(error).__name__])[0]
    printable = "".join(letter if letter.isprintable() else "?" for letter in line)
    return f"{printable[:REASON_SIZE]}…" if len(printable) > REASON_SIZE else printable


def _refuse(path: Path, fault: str) -> NoReturn:
    raise FileFaults(str(path), [fault])
