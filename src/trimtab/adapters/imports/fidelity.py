"""Fidelity: positions, closed lots, the account history and the statement, all CSV.

The history stands in `fidelity_history`. Remarks below a table are left out and counted. Units of
a core fund (`SPAXX**`) are cash here, as Fidelity shows them. Of closed lots the account stands in
the file's name only, and of positions the day.
"""

import datetime as dt
import re
from collections.abc import Sequence

from trimtab.adapters.delimited import Unreadable, quoted
from trimtab.adapters.imports import fidelity_history
from trimtab.adapters.imports.draft import Draft
from trimtab.adapters.imports.table import (
    Document,
    Headings,
    Line,
    Record,
    Table,
    day_in,
    has_columns,
    read_any_day,
)
from trimtab.adapters.imports.trade import is_cusip, is_option
from trimtab.domain.imported import BrokerSale, Imported, ImportedPosition
from trimtab.domain.numbers import CENT, ZERO, Money
from trimtab.domain.trades import Term

POSITIONS: Headings = {
    "account": ("account number",),
    "account_name": ("account name",),
    "symbol": ("symbol",),
    "name": ("description",),
    "quantity": ("quantity",),
    "price": ("last price",),
    "value": ("current value",),
    "basis": ("cost basis total", "cost basis"),
}
CLOSED: Headings = {
    "symbol": ("symbol cusip",),
    "name": ("security description", "description"),
    "quantity": ("quantity",),
    "acquired": ("date acquired",),
    "sold": ("date sold",),
    "proceeds": ("proceeds",),
    "basis": ("cost basis",),
    "short": ("short term gain loss",),
    "long": ("long term gain loss",),
    "disallowed": ("wash sale loss disallowed", "disallowed loss", "wash sales loss disallowed"),
}
STATEMENT: Headings = {
    "account_name": ("account type",),
    "account": ("account",),
    "value": ("ending mkt value",),
}
HOLDINGS: Headings = {
    "symbol": ("symbol cusip",),
    "name": ("description",),
    "quantity": ("quantity",),
    "price": ("price",),
    "value": ("ending value",),
    "basis": ("cost basis",),
}
_POSITIONS = (POSITIONS, ("account", "account_name", "symbol", "quantity", "value"))
_CLOSED = (CLOSED, ("symbol", "quantity", "acquired", "sold", "proceeds"))
_STATEMENT = (STATEMENT, ("account_name", "account", "value"))
_HOLDINGS = (HOLDINGS, ("symbol", "quantity", "price", "value", "basis"))

_SYMBOL_CUSIP = re.compile(r"(?P<symbol>[^()]*)(?:\((?P<cusip>[^()]*)\))?")
_ACCOUNT_IN_NAME = re.compile(r"Account_(?P<account>[A-Za-z]?\d[\dA-Za-z]*)")
_STATEMENT_DAY = re.compile(r"(\d{2})(\d{2})(\d{4})")
_DOWNLOADED = "date downloaded"
_PENDING = "pending activity"
_WRAPPER = "brokeragelink"
_CORE = "**"


def recognizes(lines: Sequence[Line]) -> bool:
    """Whether one of these first *lines* is a header of Fidelity's."""
    kinds = (_POSITIONS, _CLOSED, _STATEMENT, fidelity_history.HISTORY_KEY)
    return any(has_columns(line, *kind) for line in lines for kind in kinds)


def read(document: Document) -> Imported:
    """What a file of Fidelity says.

    Raises:
        FileFaults: a cell cannot be read.
    """
    for line in document.lines:
        if has_columns(line, *fidelity_history.HISTORY_KEY):
            return fidelity_history.read(document)
        if has_columns(line, *_POSITIONS):
            return _read_positions(document)
        if has_columns(line, *_CLOSED):
            return _read_closed(document)
        if has_columns(line, *_STATEMENT):
            break
    return _read_statement(document)


def _read_positions(document: Document) -> Imported:
    draft = Draft(document, "fidelity_positions_csv")
    draft.as_of = day_in(document.path.name)
    table, lines = _body(draft, *_POSITIONS)
    for line in lines:
        if not table.fits(line):
            draft.fault(f"{table.misfit(line)}: export the file again")
            continue
        draft.rows += 1
        _read_position(draft, table.record(line))
    if draft.as_of is None:
        draft.note("the file does not say of which day it is")
    return draft.finish()


def _read_position(draft: Draft, record: Record) -> None:
    account = draft.name_account(record.text("account"), record.text("account_name"))
    symbol, name = record.text("symbol"), record.text("name")
    value = record.amount("value")
    if _PENDING in symbol.casefold() or _PENDING in name.casefold():
        amount = "an unknown amount" if value is None else f"{value:f} USD"
        record.note(f"pending activity of {amount} in {account}, in no position yet")
        return
    if _WRAPPER in symbol.casefold() or _WRAPPER in name.casefold():
        draft.remark(record, "a BrokerageLink, whose account is listed by itself, left out")
        return
    quantity = record.amount("quantity")
    if symbol.endswith(_CORE) or (quantity is None and "money market" in name.casefold()):
        draft.add_cash(account, value or ZERO)
        return
    if quantity is None or not symbol:
        draft.remark(record, "a position without a symbol or a quantity, left out")
        return
    bare = record.symbol().removeprefix("-")
    option = is_option(bare)
    draft.add_position(
        record,
        ImportedPosition(
            account=account,
            symbol=bare,
            quantity=quantity,
            name=name,
            cusip=bare if is_cusip(bare) else "",
            price=record.amount("price"),
            value=value,
            basis=record.amount("basis"),
            kind="option" if option else "",
            as_of=draft.as_of,
        ),
    )


def _read_closed(document: Document) -> Imported:
    draft = Draft(document, "fidelity_closed_lots_csv")
    named = _ACCOUNT_IN_NAME.search(document.path.name)
    account = draft.name_account(named["account"] if named else "")
    if account:
        draft.note(f"closed lots name no account: {account} was taken from the file's name")
    table, lines = _body(draft, *_CLOSED)
    if "disallowed" not in table.columns:
        draft.note("the file does not say which losses are disallowed by wash sales")
    for line in lines:
        if not table.fits(line):
            draft.fault(f"{table.misfit(line)}: export the file again")
            continue
        draft.rows += 1
        _read_sale(draft, account, table.record(line))
    return draft.finish()


def _read_sale(draft: Draft, account: str, record: Record) -> None:
    quantity, sold, proceeds = (
        record.amount("quantity"),
        record.day("sold"),
        record.amount("proceeds"),
    )
    named = _SYMBOL_CUSIP.fullmatch(record.symbol())
    if quantity is None or sold is None or proceeds is None or named is None:
        draft.remark(record, "a sale without its symbol, quantity, day or proceeds, left out")
        return
    basis = record.amount("basis")
    short, long = record.amount("short"), record.amount("long")
    disallowed = record.amount("disallowed")
    gain = None if short is None and long is None else (short or ZERO) + (long or ZERO)
    if gain is not None and basis is not None:
        allowed = proceeds - basis + abs(disallowed or ZERO)
        if min(abs(gain - allowed), abs(gain - proceeds + basis)) > CENT:
            record.note(f"the gains are {gain:f}, but proceeds less basis are {proceeds - basis:f}")
    draft.sales.append(
        BrokerSale(
            account=account,
            symbol=named["symbol"].strip(),
            quantity=quantity,
            sold=sold,
            proceeds=proceeds,
            acquired=_acquired(record),
            basis=basis,
            disallowed=None if disallowed is None else abs(disallowed),
            gain=gain,
            term=_term(record, short, long),
            cusip=(named["cusip"] or "").strip(),
            name=record.text("name"),
            line=record.line,
        )
    )


def _acquired(record: Record) -> dt.date | None:
    return None if record.text("acquired").casefold() == "various" else record.day("acquired")


def _term(record: Record, short: Money | None, long: Money | None) -> Term | None:
    if short and long:
        record.note("the line is both long and short term: it stands for several lots")
        return None
    return Term.LONG if long else Term.SHORT if short else None


def _read_statement(document: Document) -> Imported:
    """The two tables of a statement: what the accounts are worth, and what they hold."""
    draft = Draft(document, "fidelity_statement_csv")
    draft.as_of = _statement_day(document.path.name)
    worth: dict[str, Money | None] = {}
    values: dict[str, list[Money]] = {}
    part: list[Money] = []
    account, section = "", ""
    table: Table | None = None
    for line in document.lines:
        if has_columns(line, *_STATEMENT) or has_columns(line, *_HOLDINGS):
            headings = HOLDINGS if has_columns(line, *_HOLDINGS) else STATEMENT
            table = Table.of(line, headings, draft.findings)
            continue
        if table is None:
            draft.note(f"line {line.number} stands above the tables and was left out")
            continue
        record = table.record(line)
        if "quantity" not in table.columns:
            named = draft.name_account(record.text("account"), record.text("account_name"))
            worth[named] = record.amount("value")
        elif not any(line.cells[1:]):
            if line.cells[0] in worth:
                account = line.cells[0]
            else:
                section, part = line.cells[0].casefold(), []
        elif line.cells[0].casefold().startswith("subtotal"):
            draft.note_total(f"the {line.cells[0]} of {account}", record.amount("value"), part)
        elif not table.fits(line):
            draft.fault(f"{table.misfit(line)}: export the file again")
        else:
            draft.rows += 1
            value = record.amount("value") or ZERO
            part.append(value)
            values.setdefault(account, []).append(value)
            _read_holding(draft, account, record, is_core="core" in section)
    for name, stated in worth.items():
        draft.note_total(f"the value of {name}", stated, values.get(name, []))
    return draft.finish()


def _read_holding(draft: Draft, account: str, record: Record, *, is_core: bool) -> None:
    quantity, value = record.amount("quantity"), record.amount("value")
    if is_core:
        draft.add_cash(account, value or ZERO)
        return
    if quantity is None:
        draft.remark(record, "a holding without a quantity, left out")
        return
    symbol = record.symbol()
    draft.add_position(
        record,
        ImportedPosition(
            account=account,
            symbol=symbol,
            quantity=quantity,
            name=record.text("name"),
            cusip=symbol if is_cusip(symbol) else "",
            price=record.amount("price"),
            value=value,
            basis=record.amount("basis"),
            as_of=draft.as_of,
        ),
    )


def _statement_day(name: str) -> dt.date | None:
    match = _STATEMENT_DAY.search(name)
    if match is None:
        return None
    try:
        return read_any_day(f"{match[1]}/{match[2]}/{match[3]}")
    except Unreadable:
        return None


def _body(draft: Draft, headings: Headings, needed: Sequence[str]) -> tuple[Table, list[Line]]:
    """The one table of the file and its rows; text below it is noted and left out."""
    lines = list(draft.document.lines)
    start = next(at for at, line in enumerate(lines) if has_columns(line, headings, needed))
    for line in lines[:start]:
        draft.note(f"line {line.number} stands above the table: {quoted(line.cells[0])}")
    rows = []
    for line in lines[start + 1 :]:
        if any(line.cells[1:]):
            rows.append(line)
            continue
        text = line.cells[0]
        if text.casefold().startswith(_DOWNLOADED):
            draft.as_of = draft.as_of or day_in(text)
        draft.note(f"line {line.number} is text, left out: {quoted(text)}")
    return Table.of(lines[start], headings, draft.findings), rows
