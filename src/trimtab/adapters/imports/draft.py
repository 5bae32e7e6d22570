"""What an importer gathers line by line, until it becomes one `Imported`.

Transactions leave here in the order of their trade dates. A file that runs backwards, as brokers
write it, is turned round first, so that the trades of one day keep the order in which they were
made.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TypeVar

from msgspec.structs import replace

from trimtab.adapters.delimited import Unreadable, quoted
from trimtab.adapters.imports.table import (
    Document,
    Findings,
    Line,
    Record,
    Table,
    read_any_day,
)
from trimtab.adapters.imports.trade import (
    BASE_CURRENCY,
    Trade,
    doubt_of,
    gross_of,
    is_cusip,
    is_option,
    underlying_of,
)
from trimtab.domain.history import TaxAccount, Transaction, TransactionKind
from trimtab.domain.imported import (
    BrokerSale,
    CashLine,
    Imported,
    ImportedCash,
    ImportedLot,
    ImportedPosition,
)
from trimtab.domain.numbers import CENT, ZERO, Money, Quantity

Dated = TypeVar("Dated", Transaction, CashLine)
Owned = TypeVar("Owned", ImportedPosition, ImportedLot, BrokerSale, Transaction, CashLine)

_LISTED_MAX = 5


class Draft:
    """Everything found in one file so far, with its faults and notes."""

    def __init__(self, document: Document, file_format: str) -> None:
        """Gather from *document*, which is of *file_format*."""
        self.document = document
        self.findings = Findings(document)
        self.format = file_format
        self.as_of: dt.date | None = None
        self.accounts: dict[str, str] = {}
        self.positions: list[ImportedPosition] = []
        self.lots: list[ImportedLot] = []
        self.sales: list[BrokerSale] = []
        self.transactions: list[Transaction] = []
        self.cash_lines: list[CashLine] = []
        self.tax_accounts: list[TaxAccount] = []
        self.coins: set[str] = set()
        self.rows = 0
        self._cash: dict[tuple[str, str], Money] = {}
        self._remarks: dict[str, list[int]] = {}

    def fault(self, sentence: str) -> None:
        """Keep what makes the file unusable."""
        self.findings.fault(sentence)

    def note(self, sentence: str) -> None:
        """Keep what the file's user must know, once."""
        self.findings.notes[sentence] = None

    def note_total(self, what: str, stated: Money | None, parts: Sequence[Money]) -> None:
        """Note that *parts* do not add up to what is *stated*, if so."""
        found = sum(parts, ZERO)
        if stated is not None and abs(found - stated) > CENT * max(len(parts), 1):
            self.note(f"{what} does not add up: the file says {stated:f}, its parts {found:f}")

    def name_account(self, account: str, name: str = "") -> str:
        """*account*, remembered with the *name* that the broker gives it."""
        if account and not self.accounts.get(account):
            self.accounts[account] = name
        return account

    def add_cash(self, account: str, amount: Money, currency: str = BASE_CURRENCY) -> None:
        """Add to the cash of *account*."""
        key = (account, currency)
        self._cash[key] = self._cash.get(key, ZERO) + amount

    def add_position(self, record: Record, position: ImportedPosition) -> None:
        """Keep *position*, with a note where its value is not its quantity times its price."""
        self.positions.append(position)
        price, value = position.price, position.value
        if price is None or value is None or _has_other_unit(position):
            return
        product = position.quantity * price
        if abs(product - value) > max(CENT * 2, abs(value) / 100):
            record.note(
                f"{position.quantity:f} {position.symbol} at {price:f} are {product:f},"
                f" but the value is {value:f}"
            )

    def add_misfit(self, table: Table, line: Line, account: str) -> None:
        """Ask a person to look at a dated *line* that has too few or too many cells.

        Without a date, or where the file ends in the middle of it, such a line is a fault.
        """
        record = table.record(line)
        misfit = table.misfit(line)
        if line == self.document.lines[-1] and len(line.cells) < table.width:
            self.fault(f"{misfit}: the file breaks off here, export it again")
            return
        try:
            date = read_any_day(record.text("date"))
        except Unreadable:
            self.fault(f"{misfit}: correct the line, or export the file again")
            return
        nothing = Trade(TransactionKind.REVIEW, date, account, record.symbol(), None)
        self.add_review(record, nothing, f"{misfit.partition(': ')[2]}, so no number is certain")

    def remark(self, record: Record, reason: str) -> None:
        """Count the line of *record* under *reason*, to be noted at the end."""
        self._remarks.setdefault(reason, []).append(record.line)

    def add_cash_line(self, record: Record, kind: str, date: dt.date, account: str) -> None:
        """Keep the money of *record* that moved without a trade; without any it is left out."""
        amount = record.amount("amount")
        if amount is None:
            self.remark(record, f"{kind} without an amount, left out")
            return
        self.cash_lines.append(
            CashLine(
                account=account,
                date=date,
                amount=amount,
                kind=kind,
                currency=record.text("currency").upper() or BASE_CURRENCY,
                symbol=record.symbol(),
                text=record.text("text"),
            )
        )

    def add_transaction(self, transaction: Transaction) -> None:
        """Keep *transaction*; without an id it gets one at the end."""
        self.transactions.append(transaction)

    def add_trade(self, record: Record, trade: Trade) -> None:
        """Keep *trade*, or ask a person to look at it where the rules cannot judge it."""
        doubt = doubt_of(trade)
        gross = gross_of(trade)
        if doubt or gross is None or trade.quantity is None:
            self.add_review(record, trade, doubt)
            return
        quantity = abs(trade.quantity)
        self._note_price(record, trade, quantity, gross)
        self.add_transaction(
            Transaction(
                id=trade.id,
                date=trade.date,
                account=trade.account,
                kind=trade.kind,
                symbol=trade.symbol,
                quantity=quantity,
                amount=gross,
                fee=trade.fee,
                source=record.where,
            )
        )

    def add_review(self, record: Record, trade: Trade, reason: str, underlying: str = "") -> None:
        """Keep a line that no rule judges, for a person to look at, with the *reason*.

        An option is filed under the share that it is on, where a loss on that share finds it:
        under *underlying*, or what its name says.
        """
        amount = trade.gross if trade.net is None else trade.net
        money = "" if amount is None else f", {amount:f} {trade.currency}"
        quantity = "" if trade.quantity is None else f"{trade.quantity:f} "
        remark = f" ({quoted(record.text('text'))})" if record.text("text") else ""
        verb = "" if trade.kind is TransactionKind.REVIEW else f"{trade.kind.value} of "
        self.add_transaction(
            Transaction(
                id=trade.id,
                date=trade.date,
                account=trade.account,
                kind=TransactionKind.REVIEW,
                symbol=underlying or underlying_of(trade.symbol),
                quantity=abs(trade.quantity or ZERO),
                text=f"{reason}: {verb}{quantity}{trade.symbol or underlying}{money}{remark}",
                source=record.where,
            )
        )
        self.remark(record, f"{reason}: left for you to look at")

    def finish(self, *, newest_first: bool = False) -> Imported:
        """Everything gathered; a file of one day is turned round where it is *newest_first*.

        Raises:
            FileFaults: anything in it cannot be used.
        """
        self.findings.raise_if_any()
        self._settle_accounts()
        for reason, lines in self._remarks.items():
            self.note(f"{_lines(lines)}: {reason}")
        backwards = self._runs_backwards(newest_first=newest_first)
        transactions = self._numbered(_by_date(self.transactions, backwards=backwards))
        cash = tuple(
            ImportedCash(account=account, amount=amount, currency=currency, as_of=self.as_of)
            for (account, currency), amount in self._cash.items()
        )
        gains = (
            sale.proceeds - sale.basis + (sale.disallowed or ZERO)
            for sale in self.sales
            if sale.basis is not None
        )
        return Imported(
            format=self.format,
            source=self.document.path.name,
            accounts=tuple(self.accounts),
            as_of=self.as_of,
            positions=tuple(self.positions),
            lots=tuple(self.lots),
            transactions=transactions,
            sales=tuple(self.sales),
            cash=cash,
            cash_lines=tuple(_by_date(self.cash_lines, backwards=backwards)),
            notes=tuple(self.findings.notes),
            counts=self._counts(),
            realized_gain=sum(gains, ZERO),
            tax_accounts=tuple(self.tax_accounts),
            coins=frozenset(self.coins),
        )

    def _runs_backwards(self, *, newest_first: bool) -> bool:
        """Whether the file goes from the newest day to the oldest, by its trades if they tell."""
        falls, rises = _steps(self.transactions)
        if falls and rises:
            self.note("the dates go up and down in the file: its lines were sorted by date")
        if falls == rises:
            falls, rises = _steps(self.cash_lines)
        return newest_first if falls == rises else falls > rises

    def _counts(self) -> dict[str, int]:
        counts = {
            "rows": self.rows,
            "positions": len(self.positions),
            "lots": len(self.lots),
            "sales": len(self.sales),
            "cash": len(self._cash),
            "cash_lines": len(self.cash_lines),
        }
        counts |= Counter(transaction.kind.value for transaction in self.transactions)
        return {kind: count for kind, count in counts.items() if count}

    def _settle_accounts(self) -> None:
        """Give what names no account that of the file itself, and tell the accounts' names."""
        own = self.document.path.name
        self.positions, lacked_positions = _owned(self.positions, own)
        self.lots, lacked_lots = _owned(self.lots, own)
        self.sales, lacked_sales = _owned(self.sales, own)
        self.transactions, lacked_trades = _owned(self.transactions, own)
        self.cash_lines, lacked_money = _owned(self.cash_lines, own)
        lacked = lacked_positions or lacked_lots or lacked_sales or lacked_trades or lacked_money
        for currency in [currency for account, currency in self._cash if not account]:
            self._cash[own, currency] = self._cash.pop(("", currency))
            lacked = True
        if lacked:
            self.accounts.setdefault(own, "")
            self.note(f"the file does not name its account: it is called {quoted(own)} here")
        named = [f"{account} ({name})" for account, name in self.accounts.items() if name]
        if named:
            self.note(f"accounts: {', '.join(named)}")

    def _note_price(self, record: Record, trade: Trade, quantity: Quantity, gross: Money) -> None:
        if trade.price is None:
            return
        product = quantity * trade.price
        if abs(product - gross) > max(CENT * 2, abs(gross) / 100):
            record.note(
                f"{quantity:f} at {trade.price:f} is {product:f}, but the amount is {gross:f};"
                " the amount was taken"
            )

    def _numbered(self, transactions: Sequence[Transaction]) -> tuple[Transaction, ...]:
        """*transactions* with an id each: the same days of another export give the same ids."""
        given = Counter(each.id for each in transactions if each.id)
        seen: Counter[str] = Counter()
        numbered = []
        for each in transactions:
            if each.id and given[each.id] == 1:
                numbered.append(each)
                continue
            key = f"{each.date}:{each.account}:{each.kind.value}:{each.symbol}"
            seen[key] += 1
            numbered.append(replace(each, id=f"{key}:{seen[key]}"))
        for repeated in [name for name, count in given.items() if count > 1]:
            self.note(f"the id {quoted(repeated)} stands on several lines: it was not used")
        return tuple(numbered)


def _has_other_unit(position: ImportedPosition) -> bool:
    """Whether the price of *position* is for another unit: 100 of face value, 100 shares."""
    kind = position.kind.casefold()
    bonds = any(word in kind for word in ("fixed", "bond", "option", "cd"))
    return bonds or is_cusip(position.symbol) or is_option(position.symbol)


def _steps(items: Iterable[Transaction] | Iterable[CashLine]) -> tuple[int, int]:
    """How often the date falls, and how often it rises, from one item of an account to the next."""
    days: dict[str, list[dt.date]] = {}
    for item in items:
        days.setdefault(item.account, []).append(item.date)
    steps = [step for listed in days.values() for step in pairwise(listed)]
    falls = sum(later < day for day, later in steps)
    return falls, sum(later > day for day, later in steps)


def _owned(items: list[Owned], own: str) -> tuple[list[Owned], bool]:
    """*items*, those without an account in that called *own*, and whether there were such."""
    lacked = any(not each.account for each in items)
    return [each if each.account else replace(each, account=own) for each in items], lacked


def _by_date(items: Iterable[Dated], *, backwards: bool) -> list[Dated]:
    """*items* by date; those of one day keep their order, or the opposite where *backwards*."""
    listed = list(items)
    return sorted(listed[::-1] if backwards else listed, key=lambda item: item.date)


def _lines(numbers: Sequence[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:_LISTED_MAX])
    rest = len(numbers) - _LISTED_MAX
    more = f" and {rest} more" if rest > 0 else ""
    return f"line{'' if len(numbers) == 1 else 's'} {shown}{more}"
