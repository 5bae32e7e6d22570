"""Fidelity's account history (CSV), whose actions are prose: `YOU BOUGHT ... (VEA) (Cash)`."""

import datetime as dt
import re

from trimtab.adapters.delimited import Unreadable, quoted
from trimtab.adapters.imports.draft import Draft
from trimtab.adapters.imports.table import (
    Document,
    Headings,
    Line,
    Record,
    Table,
    has_columns,
    read_any_day,
)
from trimtab.adapters.imports.trade import Trade
from trimtab.domain.history import TransactionKind
from trimtab.domain.imported import Imported
from trimtab.domain.numbers import ZERO, Money

HISTORY: Headings = {
    "date": ("run date",),
    "account_name": ("account",),
    "account": ("account number",),
    "action": ("action",),
    "symbol": ("symbol",),
    "text": ("description", "security description"),
    "quantity": ("quantity",),
    "currency": ("currency",),
    "price": ("price $", "price"),
    "commission": ("commission $", "commission"),
    "fee": ("fees $", "fees"),
    "accrued": ("accrued interest $", "accrued interest"),
    "amount": ("amount $", "amount"),
}
HISTORY_KEY = (HISTORY, ("date", "action", "symbol", "quantity", "amount"))

_TRADES = {
    "you bought": TransactionKind.BUY,
    "you sold": TransactionKind.SELL,
    "reinvestment": TransactionKind.REINVEST,
}
_UNJUDGED = {
    r"\b(opening|closing) transaction\b|\b(call|put)s? \(": "an option",
    r"\bassigned\b|\bexercised?\b|\bexpired\b": "an option's end",
    r"\bshort (sale|cover)\b|\bsold short\b|\bbuy to cover\b|\(short": "a short sale",
    r"\bcancel": "a trade that was cancelled",
}
_REASONS = {
    r"\btransfer of assets\b|\bacat\b|^transferred\b|^journaled\b": (
        "units transferred, without their basis and dates"
    ),
    r"\bsplit\b": "a split, whose ratio the file does not give",
    r"\bin lieu\b": "money for a fraction of a share, which was sold",
    r"\bmerger\b|\bspin\b|\bspinoff\b|^distribution\b|\bexchange\b": "a corporate action",
}
_CASH_KINDS = {
    r"^(purchase into|redemption from) core account": "sweep",
    r"^dividend received|^dividend adj": "dividend",
    r"^long-term cap gain": "long-term capital gain distribution",
    r"^short-term cap gain": "short-term capital gain distribution",
    r"^interest\b": "interest",
    r"\btax\b|withholding|withheld": "tax",
    r"\bfee\b|^fee|\bcommission\b": "fee",
    r"^transfer|^direct |^debit card|^electronic funds|^wire|^check|^bill pay|^contribution"
    r"|^cash contribution|^withdraw|^distribution|^journaled|^money line": "transfer",
}
_OPTION_ON = re.compile(r"\b(?:call|put)s? \(([A-Z./]+)\)", re.IGNORECASE)
"""How the words of an option begin: `CALL (VTI) VANGUARD INDEX FDS`."""
_AS_OF = re.compile(r"\bas of ([A-Za-z]{3}-\d{1,2}-\d{4}|\d{1,2}-\d{1,2}-\d{2,4})", re.IGNORECASE)
_MISNAMED = (
    "the header says Quantity, Currency, Price where the rows hold"
    " Currency, Price, Quantity: they were read in the order of the rows"
)
_CURRENCY = re.compile(r"[A-Z]{3}")


def read(document: Document) -> Imported:
    """The history of one account or of several.

    Raises:
        FileFaults: a cell cannot be read, or the file breaks off.
    """
    draft = Draft(document, "fidelity_history_csv")
    table: Table | None = None
    remarks: list[int] = []
    for line in document.lines:
        if has_columns(line, *HISTORY_KEY):
            table = Table.of(line, HISTORY, draft.findings)
        elif not any(line.cells[1:]):
            remarks.append(line.number)
        elif table is None:
            draft.note(f"line {line.number} stands above the table and was left out")
        elif not line.cells[0][:1].isdigit():
            draft.note(f"line {line.number} has no date, left out: {quoted(line.cells[0])}")
        elif table.fits(line):
            draft.rows += 1
            _read_line(draft, _record(table, line))
        else:
            draft.rows += 1
            draft.add_misfit(table, line, _account(draft, table.record(line)))
    if remarks:
        draft.note(f"lines of text around the table that were left out: {len(remarks)}")
    return draft.finish(newest_first=True)


def _record(table: Table, line: Line) -> Record:
    """The cells of *line*, moved where the header names them in another order than the rows."""
    record = table.record(line)
    cells = dict(record.cells)
    cells["text"] = cells["action"]
    if _CURRENCY.fullmatch(cells["quantity"]) and "currency" in cells and "price" in cells:
        cells |= {
            "currency": cells["quantity"],
            "price": cells["currency"],
            "quantity": cells["price"],
        }
        table.findings.notes[_MISNAMED] = None
    return Record(line.number, cells, table.findings)


def _read_line(draft: Draft, record: Record) -> None:
    action = record.text("action").casefold()
    date = _day(record)
    if date is None:
        return
    account = _account(draft, record)
    quantity = record.amount("quantity")
    kind = next((kind for words, kind in _TRADES.items() if action.startswith(words)), None)
    trade = Trade(
        kind=kind or TransactionKind.REVIEW,
        date=date,
        account=account,
        symbol=record.symbol(),
        quantity=quantity,
        price=record.amount("price"),
        net=record.amount("amount"),
        fee=_fees(record),
        currency=record.text("currency").upper() or "USD",
    )
    cash_kind = _first(_CASH_KINDS, action)
    unjudged = _first(_UNJUDGED, action)
    has_units = bool(quantity) or record.is_masked("quantity")
    if cash_kind == "sweep":
        draft.add_cash_line(record, cash_kind, date, account)
    elif kind and not unjudged and record.amount("accrued"):
        draft.add_review(record, trade, "a bond with accrued interest")
    elif kind and not unjudged:
        draft.add_trade(record, trade)
    elif has_units or (kind and unjudged) or "in lieu" in action:
        reason = unjudged or _first(_REASONS, action)
        named = _OPTION_ON.search(action)
        underlying = named[1].upper() if named else ""
        draft.add_review(record, trade, reason or "an action that is not judged", underlying)
    else:
        if not cash_kind:
            draft.remark(record, "an action that is not known: kept as other money")
        draft.add_cash_line(record, cash_kind or "other", date, account)


def _day(record: Record) -> dt.date | None:
    """The day on which it took effect: the one after `as of`, else the run date."""
    effective = _AS_OF.search(record.text("action"))
    if effective is None:
        return record.day("date")
    try:
        return read_any_day(effective[1])
    except Unreadable as error:
        record.fault("action", str(error))
        return None


def _account(draft: Draft, record: Record) -> str:
    """The account's number, which older files write at the end of its name."""
    name = record.text("account_name")
    number = record.text("account")
    if not number:
        front, _, end = name.rpartition(" ")
        name, number = (front, end) if any(letter.isdigit() for letter in end) else ("", name)
    return draft.name_account(number, name)


def _fees(record: Record) -> Money:
    return (record.amount("commission") or ZERO) + (record.amount("fee") or ZERO)


def _first(patterns: dict[str, str], action: str) -> str:
    """What the first pattern found in *action* stands for; empty for none."""
    return next((what for words, what in patterns.items() if re.search(words, action)), "")
