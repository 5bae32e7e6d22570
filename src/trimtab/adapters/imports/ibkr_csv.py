"""Interactive Brokers: Flex queries delivered as CSV, and activity statements as CSV.

A statement is a file of sections; each line begins with its section and says whether it is a
header or data. Trades in another currency than the dollar, and options, are left to look at, since
the tax rules count in dollars. Exchanges of currency are kept as lines of money.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import NamedTuple

from trimtab.adapters.delimited import quoted
from trimtab.adapters.imports.draft import Draft
from trimtab.adapters.imports.table import (
    Document,
    Headings,
    Line,
    Record,
    Table,
    has_columns,
)
from trimtab.adapters.imports.trade import BASE_CURRENCY, Trade
from trimtab.domain.history import TransactionKind
from trimtab.domain.imported import Imported, ImportedPosition
from trimtab.domain.numbers import ZERO

FLEX_TRADES: Headings = {
    "account": ("clientaccountid", "account id", "accountid"),
    "action": ("buy sell",),
    "date": ("tradedate", "trade date", "datetime", "date time"),
    "symbol": ("symbol",),
    "isin": ("isin",),
    "text": ("description",),
    "class": ("assetclass", "asset class"),
    "level": ("levelofdetail",),
    "quantity": ("quantity",),
    "price": ("tradeprice", "trade price"),
    "gross": ("trademoney", "trade money"),
    "currency": ("currencyprimary", "currency"),
    "fee": ("ibcommission", "commission"),
    "fee_currency": ("ibcommissioncurrency",),
    "opens": ("open closeindicator", "openclose"),
    "codes": ("notes codes", "code"),
}
FLEX_CASH: Headings = {
    "account": ("clientaccountid", "account id", "accountid"),
    "type": ("type",),
    "date": ("settledate", "settle date", "date time", "datetime"),
    "symbol": ("symbol",),
    "isin": ("isin",),
    "text": ("description",),
    "amount": ("amount",),
    "currency": ("currencyprimary", "currency"),
}
_FLEX_TRADES = (FLEX_TRADES, ("action", "date", "quantity", "price", "currency"))
_FLEX_CASH = (FLEX_CASH, ("type", "date", "text", "amount", "currency"))

HISTORY: Headings = {
    "date": ("date",),
    "account": ("account",),
    "text": ("description",),
    "action": ("transaction type",),
    "symbol": ("symbol",),
    "quantity": ("quantity",),
    "price": ("price",),
    "currency": ("price currency",),
    "gross": ("gross amount",),
    "fee": ("commission",),
    "amount": ("net amount",),
}
TRADES: Headings = {
    "level": ("datadiscriminator",),
    "class": ("asset category",),
    "currency": ("currency",),
    "account": ("account",),
    "symbol": ("symbol",),
    "date": ("date time",),
    "quantity": ("quantity",),
    "price": ("t price",),
    "gross": ("proceeds",),
    "fee": ("comm fee",),
    "codes": ("code",),
}
POSITIONS: Headings = {
    "level": ("datadiscriminator",),
    "class": ("asset category",),
    "currency": ("currency",),
    "account": ("account",),
    "symbol": ("symbol",),
    "quantity": ("quantity",),
    "price": ("close price",),
    "basis": ("cost basis",),
    "value": ("value",),
}
CASH: Headings = {
    "currency": ("currency",),
    "account": ("account",),
    "date": ("date", "settle date"),
    "text": ("description",),
    "amount": ("amount",),
}
_STATEMENT = ("statement", "header")
_CASH_KINDS = {
    "payment in lieu": "payment in lieu",
    "dividend": "dividend",
    "tax": "tax",
    "withholding": "tax",
    "interest": "interest",
    "fee": "fee",
    "deposit": "transfer",
    "withdrawal": "transfer",
    "forex": "forex",
}
_STOCKS = frozenset({"", "stk", "stocks", "fund", "funds", "crypto", "bond", "bonds"})
_SIDES = {"buy": TransactionKind.BUY, "sell": TransactionKind.SELL}
_ABOUT = frozenset({"statement", "summary", "account information"})


def recognizes(lines: Sequence[Line]) -> bool:
    """Whether these first *lines* are of a Flex query or of an activity statement."""
    kinds = (_FLEX_TRADES, _FLEX_CASH)
    return _is_statement(lines) or any(has_columns(line, *kind) for line in lines for kind in kinds)


def read(document: Document) -> Imported:
    """What a file of Interactive Brokers says.

    Raises:
        FileFaults: a cell cannot be read, or the file breaks off.
    """
    if _is_statement(document.lines):
        return _read_statement(document)
    draft = Draft(document, "ibkr_flex_csv")
    table: Table | None = None
    read_line: Callable[[Draft, Record], None] = _read_flex_trade
    for line in document.lines:
        if has_columns(line, *_FLEX_TRADES):
            table, read_line = Table.of(line, FLEX_TRADES, draft.findings), _read_flex_trade
            draft.format = "ibkr_flex_csv_trades"
        elif has_columns(line, *_FLEX_CASH):
            table, read_line = Table.of(line, FLEX_CASH, draft.findings), _read_flex_cash
            draft.format = "ibkr_flex_csv_dividends"
            draft.note("lines of money have their settlement dates, not the ex-dates of dividends")
        elif table is None:
            draft.note(f"line {line.number} stands above the table, left out")
        elif table.fits(line):
            draft.rows += 1
            read_line(draft, table.record(line))
        else:
            draft.rows += 1
            draft.add_misfit(table, line, "")
    return draft.finish()


def _is_statement(lines: Sequence[Line]) -> bool:
    first = tuple(cell.casefold() for cell in lines[0].cells[:2])
    return first == _STATEMENT or (first[1:] == ("header",) and first[0] in _SECTIONS)


def _read_flex_trade(draft: Draft, record: Record) -> None:
    level = record.text("level")
    if level.casefold() not in {"", "execution"}:
        draft.remark(record, f"the level {quoted(level)}, no execution, left out")
        return
    account = draft.name_account(record.text("account"))
    if not record.text("symbol"):
        draft.note("where the column Symbol is missing or empty, the ISIN stands in its place")
    if not (record.text("symbol") or record.text("isin")) or _is_forex(record):
        money = {"amount": record.cells.get("gross", ""), "text": "exchange of currency"}
        _add_cash_line(
            draft, Record(record.line, {**record.cells, **money}, draft.findings), "forex", account
        )
        return
    side = record.text("action")
    trade = _trade(record, _SIDES.get(side.casefold().partition(" ")[0], TransactionKind.REVIEW))
    if trade is None:
        return
    if trade.kind is TransactionKind.REVIEW:
        draft.add_review(record, trade, f"the side {quoted(side)} is neither buy nor sell")
    else:
        _add(draft, record, trade)


def _read_flex_cash(draft: Draft, record: Record) -> None:
    account = draft.name_account(record.text("account"))
    _add_cash_line(draft, _with_symbol(record), record.text("type"), account)


def _is_forex(record: Record) -> bool:
    return record.text("class").casefold() in {"cash", "forex"}


def _add_cash_line(draft: Draft, record: Record, words: str, account: str) -> None:
    date = _day(record)
    found = (kind for word, kind in _CASH_KINDS.items() if word in words.casefold())
    kind = next(found, "")
    if date is None:
        return
    if not kind:
        draft.remark(record, f"{quoted(words)} is not known: kept as other money")
    draft.add_cash_line(record, kind or "other", date, account)


def _read_statement(document: Document) -> Imported:
    draft = Draft(document, "ibkr_activity_csv")
    base = _field(document.lines, "base currency").upper() or BASE_CURRENCY
    account = draft.name_account(_field(document.lines, "account"))
    has_orders = any(
        [cell.casefold() for cell in line.cells[:3]] == ["trades", "data", "order"]
        for line in document.lines
    )
    tables: dict[str, Table] = {}
    unread: dict[str, None] = {}
    for line in document.lines:
        section, part = (cell.casefold() for cell in (*line.cells, "")[:2])
        known = _SECTIONS.get(section)
        table = tables.get(section)
        if known is None:
            unread[line.cells[0]] = None
        elif part == "header":
            tables[section] = Table.of(line, known.headings, draft.findings)
        elif part != "data" or table is None:
            continue
        elif table.fits(line):
            draft.rows += 1
            cells = {"account": account, "currency": base, **table.record(line).cells}
            record = Record(line.number, cells, draft.findings)
            level = record.text("level").casefold()
            if level in {"", "summary", "order" if has_orders else "trade"}:
                known.read(draft, record, known.kind)
        else:
            draft.fault(f"{table.misfit(line)}: export the file again")
    others = [name for name in unread if name.casefold() not in _ABOUT]
    if others:
        draft.note(f"sections that were not read: {', '.join(map(quoted, others))}")
    return draft.finish(newest_first="transaction history" in tables)


def _field(lines: Sequence[Line], name: str) -> str:
    """What a section of fields and values says for *name*; empty when none does."""
    for line in lines:
        section, part, field, value = (*line.cells, "", "", "", "")[:4]
        if section.casefold() in _ABOUT and part.casefold() == "data" and field.casefold() == name:
            return value
    return ""


def _read_history(draft: Draft, record: Record, _kind: str) -> None:
    """A line of a statement's Transaction History, whose money is all in one currency."""
    draft.name_account(record.text("account"))
    action = record.text("action").casefold()
    if action in _SIDES:
        trade = _trade(record, _SIDES[action])
        if trade is not None:
            draft.add_trade(record, trade)
    elif record.amount("quantity") and "forex" not in action:
        trade = _trade(record, TransactionKind.REVIEW)
        reason = f"the action {quoted(record.text('action'))} is not a trade that is judged"
        if trade is not None:
            draft.add_review(record, trade, reason)
    else:
        _add_cash_line(draft, record, record.text("action"), record.text("account"))


def _read_trade(draft: Draft, record: Record, _kind: str) -> None:
    if _is_forex(record):
        money = {"amount": record.cells.get("gross", ""), "text": "exchange"}
        exchange = Record(record.line, {**record.cells, **money}, draft.findings)
        _add_cash_line(draft, exchange, "forex", record.text("account"))
        return
    is_sale = (record.amount("quantity") or ZERO) < 0
    trade = _trade(record, TransactionKind.SELL if is_sale else TransactionKind.BUY)
    if trade is not None:
        _add(draft, record, trade)


def _read_position(draft: Draft, record: Record, _kind: str) -> None:
    quantity, symbol = record.amount("quantity"), record.symbol()
    if quantity is None or not symbol:
        draft.remark(record, "a position without a symbol or a quantity, left out")
        return
    draft.add_position(
        record,
        ImportedPosition(
            account=record.text("account"),
            symbol=symbol,
            quantity=quantity,
            price=record.amount("price"),
            value=record.amount("value"),
            basis=record.amount("basis"),
            currency=record.text("currency").upper() or BASE_CURRENCY,
            kind=record.text("class"),
        ),
    )


def _read_cash(draft: Draft, record: Record, kind: str) -> None:
    if not record.text("currency").casefold().startswith("total"):
        _add_cash_line(draft, _with_symbol(record), kind, record.text("account"))


def _add(draft: Draft, record: Record, trade: Trade) -> None:
    """Keep *trade*, unless the codes beside it say that no rule judges it."""
    doubt = _doubt(record, trade)
    if doubt:
        draft.add_review(record, trade, doubt)
    else:
        draft.add_trade(record, trade)


def _trade(record: Record, kind: TransactionKind) -> Trade | None:
    """The trade on a line; None after a fault."""
    date = _day(record)
    if date is None:
        return None
    return Trade(
        kind=kind,
        date=date,
        account=record.text("account"),
        symbol=record.symbol() or record.symbol("isin"),
        quantity=record.amount("quantity"),
        price=record.amount("price"),
        gross=record.amount("gross"),
        fee=-(record.amount("fee") or ZERO),
        currency=record.text("currency").upper() or BASE_CURRENCY,
    )


def _doubt(record: Record, trade: Trade) -> str:
    codes = set(record.text("codes").split(";"))
    opens = set(record.text("opens").upper().split(";")) | (codes & {"O", "C"})
    is_sale = trade.kind is TransactionKind.SELL
    fee_currency = record.text("fee_currency").upper()
    doubts = {
        "a trade that was cancelled": "Ca" in codes or "(" in record.text("action"),
        "an option or another contract": record.text("class").casefold() not in _STOCKS,
        "a short sale": is_sale and "O" in opens,
        "a purchase that closes a short sale": not is_sale and "C" in opens,
        "a fee in another currency": bool(
            trade.fee and fee_currency and fee_currency != trade.currency
        ),
    }
    return next((doubt for doubt, is_so in doubts.items() if is_so), "")


def _day(record: Record) -> dt.date | None:
    if not record.text("date"):
        record.fault("date", "is empty: export the file again")
    return record.day("date")


def _with_symbol(record: Record) -> Record:
    """*record* with the symbol that its text begins with: `VT(US9220427424) CASH DIVIDEND`."""
    symbol, bracket, _ = record.text("text").partition("(")
    if record.text("symbol") or not bracket:
        return record
    return Record(record.line, {**record.cells, "symbol": symbol.strip()}, record.findings)


class Section(NamedTuple):
    """A section of a statement: its headings, who reads a line of it, and the kind of its money."""

    headings: Headings
    read: Callable[[Draft, Record, str], None]
    kind: str = ""


_SECTIONS = {
    "transaction history": Section(HISTORY, _read_history),
    "trades": Section(TRADES, _read_trade),
    "open positions": Section(POSITIONS, _read_position),
    "dividends": Section(CASH, _read_cash, "dividend"),
    "payment in lieu of dividends": Section(CASH, _read_cash, "payment in lieu"),
    "withholding tax": Section(CASH, _read_cash, "tax"),
    "interest": Section(CASH, _read_cash, "interest"),
    "fees": Section(CASH, _read_cash, "fee"),
    "deposits & withdrawals": Section(CASH, _read_cash, "deposit"),
}
