"""Coinbase: the report of transactions (CSV), of any year.

Times are UTC and count in New York. Rewards of staking are units acquired at their value (Rev.
Rul. 2023-14). A conversion is a sale and a purchase at once, and units that were sent or received
need a person's word; both are left to look at. So is everything that was not paid in dollars.
"""

from collections.abc import Sequence

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
from trimtab.adapters.imports.trade import Trade
from trimtab.domain.history import TransactionKind
from trimtab.domain.imported import Imported
from trimtab.domain.numbers import ZERO

TRANSACTIONS: Headings = {
    "id": ("id",),
    "date": ("timestamp",),
    "action": ("transaction type",),
    "symbol": ("asset",),
    "quantity": ("quantity transacted",),
    "currency": ("price currency", "spot price currency"),
    "price": ("price at transaction", "spot price at transaction", "usd spot price at transaction"),
    "gross": ("subtotal", "usd subtotal"),
    "total": (
        "total inclusive of fees and or spread",
        "total inclusive of fees",
        "usd total inclusive of fees",
        "total",
    ),
    "fee": ("fees and or spread", "fees", "usd fees"),
    "text": ("notes",),
}
_KEY = (TRANSACTIONS, ("date", "action", "symbol", "quantity"))

_TRADES = {
    "buy": TransactionKind.BUY,
    "advanced trade buy": TransactionKind.BUY,
    "advance trade buy": TransactionKind.BUY,
    "sell": TransactionKind.SELL,
    "advanced trade sell": TransactionKind.SELL,
    "advance trade sell": TransactionKind.SELL,
    "staking income": TransactionKind.VEST,
    "reward income": TransactionKind.VEST,
    "rewards income": TransactionKind.VEST,
    "learning reward": TransactionKind.VEST,
    "coinbase earn": TransactionKind.VEST,
    "inflation reward": TransactionKind.VEST,
    "incentives rewards payout": TransactionKind.VEST,
}
_REASONS = {
    "send": "units sent away, to an account of your own or to somebody else",
    "receive": "units received, without their basis and dates",
    "convert": "a conversion, which is a sale and a purchase",
}
_MONEY = frozenset({"USD", "EUR", "GBP"})


def recognizes(lines: Sequence[Line]) -> bool:
    """Whether one of these first *lines* is the header of Coinbase's report."""
    return any(has_columns(line, *_KEY) for line in lines)


def read(document: Document) -> Imported:
    """What a report of Coinbase says.

    Raises:
        FileFaults: a cell cannot be read, or the file breaks off.
    """
    draft = Draft(document, "coinbase_csv")
    table: Table | None = None
    for line in document.lines:
        if has_columns(line, *_KEY):
            table = Table.of(line, TRANSACTIONS, draft.findings)
        elif table is None:
            draft.note(f"line {line.number} stands above the table, left out")
        elif table.fits(line):
            draft.rows += 1
            _read_line(draft, table.record(line))
        else:
            draft.rows += 1
            draft.add_misfit(table, line, "")
    return draft.finish(newest_first=True)


def _read_line(draft: Draft, record: Record) -> None:
    date = record.day("date")
    if date is None:
        if not record.text("date"):
            record.fault("date", "is empty: write the time of the trade")
        return
    action = record.text("action").casefold()
    kind = _TRADES.get(action, TransactionKind.REVIEW)
    trade = Trade(
        kind=kind,
        date=date,
        account="",
        symbol=record.symbol(),
        quantity=record.amount("quantity"),
        price=record.amount("price"),
        gross=record.amount("gross"),
        fee=record.amount("fee") or ZERO,
        currency=record.text("currency").upper() or "USD",
        id=record.text("id"),
    )
    total = record.amount("total")
    if kind is TransactionKind.BUY and trade.gross is not None and total is not None:
        draft.note_total(
            f"line {record.line}: the total", abs(total), (abs(trade.gross), trade.fee)
        )
    if trade.symbol in _MONEY:
        named = {**record.cells, "amount": record.cells["quantity"], "currency": trade.symbol}
        money = Record(record.line, {**named, "symbol": ""}, draft.findings)
        draft.add_cash_line(money, "transfer", date, "")
        return
    draft.coins |= {trade.symbol} if trade.symbol else set()
    if action in _TRADES:
        draft.add_trade(record, trade)
    else:
        unknown = f"the action {quoted(record.text('action'))} is not a trade that is judged"
        draft.add_review(record, trade, _REASONS.get(action, unknown))
