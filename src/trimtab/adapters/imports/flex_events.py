"""What happens to an account without a trade: splits and other corporate actions, transfers, cash.

Splits become transactions; every other corporate action asks for a person's eye, because what it
does to basis and holding period depends on its terms.
"""

import datetime as dt
import re
from collections.abc import Iterator
from fractions import Fraction

from msgspec.structs import replace

from trimtab.adapters.delimited import quoted
from trimtab.adapters.imports.flex_trades import Dated
from trimtab.adapters.imports.flex_xml import Reader, Record, Stamp, Statement
from trimtab.adapters.imports.words import counted
from trimtab.domain.history import Transaction, TransactionKind
from trimtab.domain.imported import CashLine
from trimtab.domain.numbers import ZERO, Money

SPLIT_PART_MAX = 100_000

_SPLIT_TYPES = {"FS", "RS", "FI", "STOCK SPLIT", "FORWARD SPLIT", "REVERSE SPLIT"}
_RATIO = re.compile(r"\b(\d{1,6})\s*(?:FOR|:)\s*(\d{1,6})\b", re.IGNORECASE | re.ASCII)
_RENAMED = re.compile(r"\.(OLD|NEW)$")
_CASH_KINDS = {
    "dividends": "dividend",
    "payment in lieu of dividends": "payment in lieu of a dividend",
    "withholding tax": "tax",
    "871(m) withholding": "tax",
    "broker interest paid": "interest",
    "broker interest received": "interest",
    "bond interest": "interest",
    "bond interest paid": "interest",
    "bond interest received": "interest",
    "other fees": "fee",
    "broker fees": "fee",
    "advisor fees": "fee",
    "client fees": "fee",
    "commission adjustments": "fee",
    "deposits & withdrawals": "transfer",
    "deposits/withdrawals": "transfer",
}


class EventsRead:
    """What the sections other than Trades gave, and what to note about them."""

    def __init__(self, reader: Reader) -> None:
        """Collect for the file of *reader*."""
        self._reader = reader
        self._seen: set[tuple[str, str]] = set()
        self.dated: list[Dated] = []
        self.cash_lines: list[CashLine] = []
        self.notes: list[str] = []
        self.repeated = 0
        self.reviewed: dict[str, int] = {}

    def add(self, statement: Statement) -> None:
        """Read the corporate actions, transfers and cash of *statement*."""
        for record in statement.finest("CashTransaction"):
            if self._is_new(statement, record):
                self._add_cash(statement.account_of(record), record)
        for group in _grouped(statement):
            if self._is_new(statement, group[0]):
                self._add_action(statement.account_of(group[0]), group)
        for record in statement.of("Transfer"):
            if self._is_new(statement, record):
                self._add_transfer(statement.account_of(record), record)

    def finish(self) -> None:
        """Say in notes what was left to a person."""
        for what, number in sorted(self.reviewed.items()):
            self.notes.append(f"{counted(number, what)} not judged by the rules: look at each")
        if self.repeated:
            self.notes.append(
                f"{counted(self.repeated, 'event')} listed more than once and counted once"
            )

    def _is_new(self, statement: Statement, record: Record) -> bool:
        key = (statement.account_of(record), record.get("transactionID"))
        if key[1] and key in self._seen:
            self.repeated += 1
            return False
        self._seen.add(key)
        return True

    def _stamp(self, record: Record) -> Stamp | None:
        names = ("dateTime", "date", "reportDate", "settleDate")
        if not record.get(*names):
            self._reader.fault(
                record, f"<{record.name}> has no date: add the field Date/Time to the Flex query"
            )
        return self._reader.stamp(record, *names)

    # ------------------------------------------------------------------ cash

    def _add_cash(self, account: str, record: Record) -> None:
        stamp = self._stamp(record)
        amount = self._reader.needed(record, "amount")
        if stamp is None or amount is None:
            return
        self.cash_lines.append(
            CashLine(
                account=account,
                date=stamp.day,
                amount=amount,
                kind=_cash_kind(record.get("type")),
                currency=record.get("currency") or "USD",
                symbol=record.get("symbol"),
                text=record.get("description", "type"),
            )
        )

    # ------------------------------------------------------------------ corporate actions

    def _add_action(self, account: str, group: list[Record]) -> None:
        record = next((one for one in group if not one.get("quantity").startswith("-")), group[0])
        stamp = self._stamp(record)
        if stamp is None:
            return
        written = record.get("type")
        about = record.get("actionDescription", "description")
        symbols = {_RENAMED.sub("", one.get("symbol")) for one in group}
        made = Transaction(
            id=f"{account}/{record.get('transactionID') or f'line-{record.line}'}",
            date=stamp.day,
            account=account,
            kind=TransactionKind.REVIEW,
            symbol=min(symbols),
            text=f"corporate action {written or 'of an unknown kind'}: {about}",
            source=self._reader.source(record),
        )
        ratio = split_ratio(record) if written.upper() in _SPLIT_TYPES else None
        if ratio is not None and len(symbols) == 1:
            made = replace(
                made,
                kind=TransactionKind.SPLIT,
                numerator=ratio.numerator,
                denominator=ratio.denominator,
                text=about,
            )
        else:
            what = f"corporate action ({written or 'of an unknown kind'})"
            self.reviewed[what] = self.reviewed.get(what, 0) + 1
        self.dated.append(Dated(stamp.day, stamp.time, record.line, made))

    # ------------------------------------------------------------------ transfers

    def _add_transfer(self, account: str, record: Record) -> None:
        stamp = self._stamp(record)
        if stamp is None:
            return
        cash = self._reader.amount(record, "cashTransfer") or ZERO
        if cash:
            self._add_moved_cash(account, record, cash, stamp.day)
        symbol = record.get("symbol")
        quantity = abs(self._reader.amount(record, "quantity") or ZERO)
        if not quantity or not symbol or symbol == "--":
            return
        other = record.get("account")
        outward = record.get("direction").upper() == "OUT"
        kind = record.get("type") or "transfer"
        made = Transaction(
            id=f"{account}/{record.get('transactionID') or f'line-{record.line}'}",
            date=stamp.day,
            account=account,
            kind=TransactionKind.REVIEW,
            symbol=symbol,
            quantity=quantity,
            text=(
                f"{quantity} {symbol} came {'out' if outward else 'in'} by {kind}: say"
                f" {'to' if outward else 'from'} which account, with their lots"
            ),
            source=self._reader.source(record),
        )
        if outward and other and other not in {"-", "--"}:
            made = replace(made, kind=TransactionKind.TRANSFER, to_account=other, text="")
        else:
            self.reviewed["transfer"] = self.reviewed.get("transfer", 0) + 1
        self.dated.append(Dated(stamp.day, stamp.time, record.line, made))

    def _add_moved_cash(self, account: str, record: Record, cash: Money, day: dt.date) -> None:
        self.cash_lines.append(
            CashLine(
                account=account,
                date=day,
                amount=cash,
                kind="transfer",
                currency=record.get("currency") or "USD",
                text=record.get("description", "type"),
            )
        )


def split_ratio(record: Record) -> Fraction | None:
    """New units for one old one; None where the text does not say so clearly.

    A reverse split makes fewer units and a forward split more: a text that says otherwise, or two
    different ratios, is not clear.
    """
    text = record.get("actionDescription", "description")
    found = {Fraction(int(new), int(old)) for new, old in _RATIO.findall(text) if int(old)}
    if len(found) != 1:
        return None
    ratio = found.pop()
    kind = record.get("type").upper()
    is_reverse = kind == "RS" or "REVERSE" in kind
    fits = 0 < ratio < 1 if is_reverse else ratio > 1 or (kind == "STOCK SPLIT" and ratio > 0)
    return ratio if fits and max(ratio.numerator, ratio.denominator) <= SPLIT_PART_MAX else None


def _grouped(statement: Statement) -> Iterator[list[Record]]:
    """The rows of each corporate action together: a new ISIN makes two rows of one action."""
    groups: dict[tuple[str, ...], list[Record]] = {}
    for record in statement.finest("CorporateAction"):
        action = record.get("actionID")
        own = action or _RENAMED.sub("", record.get("symbol"))
        key = (statement.account_of(record), own, record.get("type"), record.get("dateTime"))
        groups.setdefault(key, []).append(record)
    yield from groups.values()


def _cash_kind(written: str) -> str:
    key = " ".join(written.lower().split())
    if key in _CASH_KINDS:
        return _CASH_KINDS[key]
    return "fee" if key.endswith(" fees") else "other"


def unread_note(statement: Statement) -> str:
    """A note on records that could matter for tax and that are not read; empty for none."""
    found = {
        name: sum(1 for _ in statement.of(name))
        for name in ("OptionEAE", "TradeTransfer", "UnbookedTrade", "HKIPOSubscriptionActivity")
    }
    told = ", ".join(f"{number} {name}" for name, number in found.items() if number)
    return f"line {statement.line}: not read in {quoted(statement.account)}: {told}" if told else ""
