"""Vanguard: `OfxDownload.csv`, whose two tables are the holdings and the transactions.

Such a file reaches back 18 months at most and has neither lots nor cost basis; that is noted. The
tables of 529 and other fund accounts have fewer columns and are told by their headings.
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
from trimtab.domain.imported import Imported, ImportedPosition
from trimtab.domain.numbers import ZERO

HOLDINGS: Headings = {
    "account": ("account number", "fund account number"),
    "name": ("investment name", "fund name"),
    "symbol": ("symbol",),
    "quantity": ("shares",),
    "price": ("share price", "price"),
    "value": ("total value",),
}
TRANSACTIONS: Headings = {
    "account": ("account number", "fund account number"),
    "date": ("trade date",),
    "settled": ("settlement date", "process date"),
    "action": ("transaction type",),
    "text": ("transaction description",),
    "name": ("investment name", "fund name"),
    "symbol": ("symbol",),
    "quantity": ("shares",),
    "price": ("share price", "price"),
    "principal": ("principal amount", "gross amount"),
    "fee": ("commissions and fees", "commission fees", "commission and fees"),
    "amount": ("net amount",),
    "accrued": ("accrued interest",),
}
_HOLDINGS = (HOLDINGS, ("account", "name", "quantity", "price", "value"))
_TRANSACTIONS = (TRANSACTIONS, ("account", "date", "settled", "action", "name", "quantity"))

_TRADES = {
    "buy": TransactionKind.BUY,
    "sell": TransactionKind.SELL,
    "reinvestment": TransactionKind.REINVEST,
    "reinvestment (lt gain)": TransactionKind.REINVEST,
    "reinvestment (st gain)": TransactionKind.REINVEST,
    "dividend reinvestment": TransactionKind.REINVEST,
}
_CASH_KINDS = {
    "sweep": "sweep",
    "dividend": "dividend",
    "capital gain (lt)": "long-term capital gain distribution",
    "capital gain (st)": "short-term capital gain distribution",
    "capital gain": "capital gain distribution",
    "interest": "interest",
    "fee": "fee",
    "tax": "tax",
    "withholding": "tax",
    "transfer": "transfer",
    "funds": "transfer",
    "contribution": "transfer",
    "distribution": "transfer",
    "withdrawal": "transfer",
    "rollover": "transfer",
}
_TRANSFERS = ("transfer", "rollover", "conversion", "journal")
_FREE = "free"


def recognizes(lines: Sequence[Line]) -> bool:
    """Whether one of these first *lines* is a header of Vanguard's."""
    return any(has_columns(line, *kind) for line in lines for kind in (_HOLDINGS, _TRANSACTIONS))


def read(document: Document) -> Imported:
    """What a download of Vanguard says.

    Raises:
        FileFaults: a cell cannot be read, or the file breaks off.
    """
    draft = Draft(document, "vanguard_ofxdownload_csv")
    draft.note("Vanguard's download has no lots and no cost basis, and reaches back 18 months")
    table: Table | None = None
    holds = True
    for line in document.lines:
        if has_columns(line, *_TRANSACTIONS):
            table, holds = Table.of(line, TRANSACTIONS, draft.findings), False
        elif has_columns(line, *_HOLDINGS):
            table, holds = Table.of(line, HOLDINGS, draft.findings), True
        elif table is None or not any(line.cells[1:]):
            draft.note(f"line {line.number} is text, left out: {quoted(line.cells[0])}")
        elif table.fits(line):
            draft.rows += 1
            (_read_holding if holds else _read_transaction)(draft, table.record(line))
        elif holds:
            draft.fault(f"{table.misfit(line)}: export the file again")
        else:
            draft.rows += 1
            record = table.record(line)
            draft.add_misfit(table, line, draft.name_account(record.text("account")))
    return draft.finish()


def _read_holding(draft: Draft, record: Record) -> None:
    account = draft.name_account(record.text("account"))
    quantity = record.amount("quantity")
    symbol = _symbol(record)
    if quantity is None or not symbol:
        draft.remark(record, "a holding without a name or a quantity, left out")
        return
    draft.add_position(
        record,
        ImportedPosition(
            account=account,
            symbol=symbol,
            quantity=quantity,
            name=record.text("name"),
            price=record.amount("price"),
            value=record.amount("value"),
            kind="" if record.text("symbol") else "bond",
        ),
    )


def _read_transaction(draft: Draft, record: Record) -> None:
    date = record.day("date")
    if date is None:
        if not record.text("date"):
            record.fault("date", "is empty: write the day of the trade")
        return
    account = draft.name_account(record.text("account"))
    action = record.text("action").casefold()
    quantity = record.amount("quantity")
    is_free = record.text("fee").casefold() == _FREE
    trade = Trade(
        kind=_TRADES.get(action, TransactionKind.REVIEW),
        date=date,
        account=account,
        symbol=_symbol(record),
        quantity=quantity,
        price=record.amount("price"),
        gross=record.amount("principal"),
        fee=ZERO if is_free else abs(record.amount("fee") or ZERO),
    )
    kind = next((kind for word, kind in _CASH_KINDS.items() if word in action), "")
    if action in _TRADES:
        _add_trade(draft, record, trade)
    elif (quantity or record.is_masked("quantity")) and kind != "sweep":
        moved = any(word in action for word in _TRANSFERS)
        unjudged = f"the action {quoted(record.text('action'))} is not a trade that is judged"
        reason = "units transferred, without their basis and dates" if moved else unjudged
        draft.add_review(record, trade, reason)
    else:
        if not kind:
            draft.remark(record, "an action that is not known: kept as other money")
        draft.add_cash_line(record, kind or "other", date, account)


def _add_trade(draft: Draft, record: Record, trade: Trade) -> None:
    if record.amount("accrued"):
        draft.add_review(record, trade, "a bond with accrued interest")
    elif trade.kind is TransactionKind.SELL and (trade.quantity or ZERO) > 0:
        draft.add_review(record, trade, "a sale of a quantity that is not negative")
    else:
        draft.add_trade(record, trade)


def _symbol(record: Record) -> str:
    """The symbol, or the name of what has none, such as a bond."""
    return record.symbol() or record.text("name").upper()
