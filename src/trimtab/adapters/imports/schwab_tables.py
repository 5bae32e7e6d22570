"""Where the tables of a Schwab file stand: titles, accounts, and headers told by their meaning."""

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

from trimtab.adapters.delimited import quoted
from trimtab.adapters.imports.draft import Draft
from trimtab.adapters.imports.table import Headings, Line, Table, as_of, has_columns

POSITIONS: Headings = {
    "symbol": ("symbol",),
    "name": ("description",),
    "quantity": ("quantity", "qty quantity", "qty"),
    "price": ("price",),
    "value": ("market value", "mkt val market value", "mkt val"),
    "basis": ("cost basis",),
    "kind": ("security type", "asset type"),
}
LOTS: Headings = {
    "acquired": ("open date",),
    "quantity": ("quantity", "qty quantity", "qty"),
    "value": ("market value", "mkt val market value", "mkt val"),
    "basis": ("cost basis",),
    "unadjusted": ("transaction cb",),
    "term": ("holding period",),
}
REALIZED: Headings = {
    "symbol": ("symbol",),
    "name": ("name",),
    "sold": ("closed date",),
    "acquired": ("opened date",),
    "quantity": ("quantity",),
    "proceeds": ("proceeds",),
    "basis": ("cost basis cb", "costbasis", "cost basis"),
    "gain": ("gain loss $", "total gain loss $"),
    "long": ("long term gain loss", "long term gain loss $"),
    "short": ("short term gain loss", "short term gain loss $"),
    "term": ("term",),
    "wash": ("wash sale",),
    "disallowed": ("disallowed loss",),
}
TRANSACTIONS: Headings = {
    "date": ("date",),
    "action": ("action",),
    "symbol": ("symbol",),
    "text": ("description",),
    "quantity": ("quantity",),
    "price": ("price",),
    "fee": ("fees comm",),
    "amount": ("amount",),
}
_KINDS = {
    "transactions": (TRANSACTIONS, ("date", "action", "symbol", "fee", "amount")),
    "realized": (REALIZED, ("symbol", "sold", "quantity", "proceeds", "wash")),
    "positions": (POSITIONS, ("symbol", "quantity", "price", "value")),
    "lots": (LOTS, ("acquired", "quantity", "basis", "term")),
}

_TITLE = re.compile(
    r"(?P<what>Positions|Transactions|Realized Gain/Loss(?: - Lot Details)?"
    r"|(?P<symbol>\S{1,12}) Lot Details)\s+for\s+(?:account\s+)?(?P<label>.*?)\s+(?:as of|for)\s.*"
)
_LABEL = re.compile(r"(?P<name>.*?)\s*(?P<number>X{2,}-?[\dX]+|\.{3}\w+|\d[\d-]{3,})")
_ALL_ACCOUNTS = re.compile(r"All[-_ ]Accounts", re.IGNORECASE)
_NO_SALES = "there are no transactions"


class Section(NamedTuple):
    """What stands above a table: whose it is, and of what."""

    account: str = ""
    symbol: str = ""


class Part(NamedTuple):
    """One table of the file with what stands above it."""

    kind: str
    section: Section
    table: Table
    lines: list[Line]


def recognizes(lines: Sequence[Line]) -> bool:
    """Whether these first *lines* are Schwab's: by a title or by a header of its own."""
    own = [_KINDS["transactions"], _KINDS["realized"]]
    return any(
        _TITLE.fullmatch(line.cells[0]) or any(has_columns(line, *kind) for kind in own)
        for line in lines
    )


def parts(draft: Draft) -> Iterator[Part]:
    """Each table of the file."""
    section = Section()
    part: Part | None = None
    lines = draft.document.lines
    for line, following in zip_longest(lines, lines[1:]):
        kind = _header_kind(line)
        above = "" if kind or any(line.cells[1:]) else line.cells[0]
        if part and (kind or _TITLE.fullmatch(above) or _header_kind(following)):
            yield part
            part = None
        if kind:
            part = Part(kind, section, Table.of(line, _KINDS[kind][0], draft.findings), [])
        elif above:
            section = _section(draft, line, section, is_label=bool(_header_kind(following)))
        elif part:
            part.lines.append(line)
        else:
            draft.note(f"line {line.number} stands outside the tables and was left out")
    if part:
        yield part


def _header_kind(line: Line | None) -> str:
    """The kind of table that *line* is the header of, empty for none."""
    if line is None:
        return ""
    return next((kind for kind, columns in _KINDS.items() if has_columns(line, *columns)), "")


def _section(draft: Draft, line: Line, section: Section, *, is_label: bool) -> Section:
    """What a line of one cell says about the table below it."""
    text = line.cells[0]
    title = _TITLE.fullmatch(text)
    if title:
        draft.as_of = as_of(text) or draft.as_of
        label = title["label"]
        account = "" if _ALL_ACCOUNTS.fullmatch(label) else _account(draft, label)
        return Section(account, (title["symbol"] or "").upper())
    if is_label:
        return Section(_account(draft, text), section.symbol)
    if text.casefold().startswith(_NO_SALES):
        draft.note(f"{section.account or 'the account'}: the file says that it has no sales")
    else:
        draft.note(f"line {line.number} is text outside the tables, left out: {quoted(text)}")
    return section


def _account(draft: Draft, label: str) -> str:
    """The account that *label* names: its masked number, or all of it."""
    match = _LABEL.fullmatch(label)
    if match is None:
        return draft.name_account(label)
    return draft.name_account(match["number"], " ".join(match["name"].split()))
