"""The transactions of OFX investment statements, each judged by what its element means."""

import datetime as dt
from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from msgspec.structs import replace

from trimtab.adapters.imports.words import counted
from trimtab.domain.history import Transaction, TransactionKind
from trimtab.domain.imported import CashLine
from trimtab.domain.numbers import CENT, ZERO, Money

TAX_CURRENCY = "USD"
SPLIT_PART_MAX = 100_000

_COSTS = ("commission", "fees", "taxes", "load")
_WITHHELD = ("withholding", "statewithholding", "penalty")
_INCOMES = {
    "DIV": "dividend",
    "INTEREST": "interest",
    "CGLONG": "long-term capital gain distribution",
    "CGSHORT": "short-term capital gain distribution",
    "MISC": "other",
}
_BANK_KINDS = {"DIV": "dividend", "INT": "interest", "FEE": "fee", "SRVCHG": "fee"}
_BANK_WORDS = {"INTEREST": "interest", "DIVIDEND": "dividend", "FEE": "fee", "TAX": "tax"}
_RELATIVE_GAP = Decimal("0.001")


class Security(NamedTuple):
    """What a file says of a security: its ticker and name, and of an option what it is on."""

    ticker: str = ""
    name: str = ""
    underlying: str = ""


class _Row(NamedTuple):
    """One transaction of a statement with what is common to all kinds."""

    account: str
    currency: str
    element: str
    item: Any
    fitid: str
    day: dt.date
    text: str


class OfxRead:
    """What the transactions of a file gave, and what to note about them."""

    def __init__(self, path: Path, securities: dict[str, Security]) -> None:
        """Collect for the file at *path*, whose list of securities is *securities*."""
        self._path = path
        self._securities = securities
        self._rows: list[_Row] = []
        self._transactions: list[Transaction] = []
        self._sources: set[str] = set()
        self._names: dict[str, int] = {}
        self._left_out: dict[str, int] = {}
        self.cash_lines: list[CashLine] = []
        self.notes: list[str] = []
        self.realized = ZERO
        self.unnamed: dict[str, str] = {}

    def security(self, unique_id: str) -> Security:
        """What the file says of the security *unique_id*; nothing where it is not listed."""
        return self._securities.get(unique_id, Security())

    def symbol(self, unique_id: str) -> str:
        """Its ticker, or the id itself, which is then to be noted."""
        security = self.security(unique_id)
        if not security.ticker:
            self.unnamed[unique_id] = security.name
        return security.ticker or unique_id

    def add(self, account: str, currency: str, items: Iterable[Any]) -> None:
        """Keep the transactions *items* of one statement."""
        seen: set[tuple[str, ...]] = set()
        for item in items:
            row = _row(account, currency, item)
            key = (row.element, row.fitid, str(row.day), repr(item))
            if key in seen:
                self._leave_out("transaction listed twice and counted once")
                continue
            seen.add(key)
            self._rows.append(row)

    def finish(self) -> list[Transaction]:
        """The transactions in the order of their days; what was reversed is left out."""
        for row in self._unreversed():
            self._read(row)
        for what, number in self._left_out.items():
            self.notes.append(f"{number} {what}")
        if self._sources:
            self.notes.append(
                "the file tells the sources of plan contributions apart"
                f" ({', '.join(sorted(self._sources))}): trimtab does not"
            )
        reviews = sum(one.kind is TransactionKind.REVIEW for one in self._transactions)
        if reviews:
            self.notes.append(
                f"{counted(reviews, 'transaction')} not judged by the rules: look at each"
            )
        return sorted(self._transactions, key=lambda one: one.date)

    # ------------------------------------------------------------------ rows

    def _unreversed(self) -> list[_Row]:
        """The rows without reversals and what they reverse."""
        reversing = {
            (row.account, row.item.invtran.reversalfitid): row
            for row in self._rows
            if row.element != "INVBANKTRAN" and row.item.invtran.reversalfitid
        }
        names = {(row.account, row.fitid) for row in self._rows}
        undone = set(reversing) & names
        dropped = {id(reversing[name].item) for name in undone}
        kept = [
            row
            for row in self._rows
            if (row.account, row.fitid) not in undone and id(row.item) not in dropped
        ]
        if undone:
            self._leave_out("transaction reversed by the broker and left out", len(undone))
        return kept

    def _read(self, row: _Row) -> None:
        source = getattr(row.item, "inv401ksource", None)
        if source:
            self._sources.add(source)
        readers: dict[str, Callable[[_Row], None]] = {
            "INVBANKTRAN": self._add_bank,
            "INCOME": self._add_income,
            "REINVEST": self._add_reinvestment,
            "TRANSFER": self._add_transfer,
            "SPLIT": self._add_split,
            "RETOFCAP": self._add_returned_capital,
            "INVEXPENSE": lambda one: self._add_cash(one, "fee", -abs(one.item.total)),
            "MARGININTEREST": lambda one: self._add_cash(one, "interest", one.item.total),
            "CLOSUREOPT": lambda one: self._add_review(one, "an option was closed", ZERO),
        }
        if row.element in readers:
            readers[row.element](row)
        elif row.element.startswith("BUY"):
            self._add_purchase(row)
        elif row.element.startswith("SELL"):
            self._add_sale(row)
        else:
            self._leave_out(f"{row.element} within one account left out")

    def _leave_out(self, what: str, number: int = 1) -> None:
        self._left_out[what] = self._left_out.get(what, 0) + number

    # ------------------------------------------------------------------ trades

    def _add_purchase(self, row: _Row) -> None:
        trade = row.item.invbuy
        fee = _total(trade, _COSTS)
        gross = abs(trade.units * trade.unitprice)
        if trade.total:
            gross = abs(trade.total) - fee - self._accrued(row, -1)
        kind = TransactionKind.BUY
        if row.text.upper().startswith("REINVEST"):
            kind = TransactionKind.REINVEST
        self._add_trade(row, kind, trade, (gross, fee))

    def _add_sale(self, row: _Row) -> None:
        trade = row.item.invsell
        fee, withheld = _total(trade, _COSTS), _total(trade, _WITHHELD)
        gross = abs(trade.units * trade.unitprice)
        if trade.total:
            gross = trade.total + fee + withheld - self._accrued(row, 1)
        if withheld:
            self._add_cash(row, "tax", -withheld)
        self.realized += trade.gain or ZERO
        self._add_trade(row, TransactionKind.SELL, trade, (gross, fee))

    def _accrued(self, row: _Row, sign: int) -> Money:
        """Interest that a bond's buyer paid the seller: income of its own, not part of a price."""
        accrued: Money = abs(getattr(row.item, "accrdint", None) or ZERO)
        if accrued:
            self._add_cash(row, "interest", sign * accrued)
        return accrued

    def _add_reinvestment(self, row: _Row) -> None:
        """A distribution and the purchase that it paid for."""
        fee = _total(row.item, _COSTS)
        self._add_cash(row, _INCOMES[row.item.incometype], abs(row.item.total))
        gross = abs(row.item.total) - fee
        self._add_trade(row, TransactionKind.REINVEST, row.item, (gross, fee))

    def _add_trade(
        self,
        row: _Row,
        kind: TransactionKind,
        trade: Any,  # noqa: ANN401  ofxtools' own object
        money: tuple[Money, Money],
    ) -> None:
        gross, fee = money
        reason = self._reason_to_review(row, trade, money)
        if reason:
            self._add_review(row, reason, gross)
            return
        by_price = abs(trade.units * trade.unitprice)
        if abs(by_price - gross) > max(CENT, gross * _RELATIVE_GAP) and "DEBT" not in row.element:
            self.notes.append(
                f"{row.element} {row.fitid}: {abs(trade.units)} at {trade.unitprice} is not"
                f" {gross}, which follows from the total: the total was taken"
            )
        made = self._transaction(row, kind)
        self._transactions.append(replace(made, quantity=abs(trade.units), amount=gross, fee=fee))

    def _reason_to_review(
        self,
        row: _Row,
        trade: Any,  # noqa: ANN401  ofxtools' own object
        money: tuple[Money, Money],
    ) -> str:
        """Why the rules cannot judge a trade; empty where they can."""
        currency = _currency(trade, row.currency)
        types = ("buytype", "selltype")
        way = next((getattr(row.item, name, "") for name in types if hasattr(row.item, name)), "")
        if row.element.endswith("OPT"):
            return "an option"
        if way in {"BUYTOCOVER", "SELLSHORT"}:
            return "it opens or closes a short position"
        if currency != TAX_CURRENCY:
            rate = "" if trade.currency is None else f" (CURRATE {trade.currency.currate})"
            return f"it is in {currency}, to be converted to {TAX_CURRENCY}{rate}"
        if not trade.units or min(money) < 0:
            return "its units or its money cannot be"
        return ""

    # ------------------------------------------------------------------ other events

    def _add_split(self, row: _Row) -> None:
        split = row.item
        ratio = Fraction(0)
        if split.denominator:
            ratio = Fraction(split.numerator) / Fraction(split.denominator)
        made = abs(split.newunits - split.oldunits * split.numerator / (split.denominator or 1))
        fits = not split.oldunits or made <= 1
        if ratio <= 0 or max(ratio.numerator, ratio.denominator) > SPLIT_PART_MAX or not fits:
            self._add_review(row, "a split whose ratio and units do not agree", ZERO)
            return
        if split.fraccash:
            self._add_review(row, f"{split.fraccash} were paid for a fraction, a sale", ZERO)
        event = self._transaction(row, TransactionKind.SPLIT)
        self._transactions.append(
            replace(event, numerator=ratio.numerator, denominator=ratio.denominator)
        )

    def _add_transfer(self, row: _Row) -> None:
        transfer = row.item
        if not transfer.units:
            self._leave_out("transfer of no units left out")
            return
        other = transfer.invacctfrom
        if transfer.tferaction == "OUT" and other is not None and transfer.postype == "LONG":
            made = self._transaction(row, TransactionKind.TRANSFER)
            self._transactions.append(
                replace(made, quantity=abs(transfer.units), to_account=other.acctid)
            )
            return
        way = "out to" if transfer.tferaction == "OUT" else "in from"
        bought = transfer.dtpurchase
        told = f", bought on {bought.date()}" if bought is not None else ""
        self._add_review(row, f"moved {way} an account that is not named{told}", ZERO)

    def _add_returned_capital(self, row: _Row) -> None:
        self._add_cash(row, "return of capital", abs(row.item.total))
        self._add_review(row, "capital returned lowers the basis", abs(row.item.total))

    def _add_review(self, row: _Row, reason: str, amount: Money) -> None:
        trade = getattr(row.item, "invbuy", None) or getattr(row.item, "invsell", None) or row.item
        units = abs(getattr(trade, "units", None) or ZERO)
        made = self._transaction(row, TransactionKind.REVIEW)
        unique_id = _unique_id(row.item)
        underlying = self.security(unique_id).underlying
        money = f" for {amount}" if amount else ""
        said = f" ({row.text})" if row.text else ""
        self._transactions.append(
            replace(
                made,
                symbol=self.symbol(underlying) if underlying else made.symbol,
                quantity=units,
                text=f"{row.element} of {units} {made.symbol}{money}: {reason}{said}",
            )
        )

    def _transaction(self, row: _Row, kind: TransactionKind) -> Transaction:
        name = f"{row.account}/{row.fitid}"
        self._names[name] = self._names.get(name, 0) + 1
        number = self._names[name]
        return Transaction(
            id=f"{name}/{number}" if number > 1 else name,
            date=row.day,
            account=row.account,
            kind=kind,
            symbol=self.symbol(_unique_id(row.item)),
            source=f"{self._path.name} {row.element} {row.fitid}",
        )

    # ------------------------------------------------------------------ cash

    def _add_income(self, row: _Row) -> None:
        self._add_cash(row, _INCOMES[row.item.incometype], row.item.total)

    def _add_bank(self, row: _Row) -> None:
        line = row.item.stmttrn
        kind = _BANK_KINDS.get(line.trntype, "")
        words = set(row.text.upper().split())
        kind = kind or next((kind for word, kind in _BANK_WORDS.items() if word in words), "")
        self._add_cash(row, kind or "transfer", line.trnamt)

    def _add_cash(self, row: _Row, kind: str, amount: Money) -> None:
        unique_id = "" if row.element == "INVBANKTRAN" else _unique_id(row.item)
        holder = row.item.stmttrn if row.element == "INVBANKTRAN" else row.item
        self.cash_lines.append(
            CashLine(
                account=row.account,
                date=row.day,
                amount=amount,
                kind=kind,
                currency=_currency(holder, row.currency),
                symbol=self.symbol(unique_id) if unique_id else "",
                text=row.text,
            )
        )


def _row(account: str, currency: str, item: Any) -> _Row:  # noqa: ANN401  ofxtools' own object
    element = type(item).__name__
    if element == "INVBANKTRAN":
        line = item.stmttrn
        text = " ".join(dict.fromkeys(part for part in (line.name, line.memo) if part))
        return _Row(account, currency, element, item, line.fitid, line.dtposted.date(), text)
    about = item.invtran
    return _Row(
        account, currency, element, item, about.fitid, about.dttrade.date(), about.memo or ""
    )


def _total(trade: Any, names: Iterable[str]) -> Money:  # noqa: ANN401  ofxtools' own object
    """The amounts *names* of *trade* added up; brokers write them with either sign."""
    return sum((abs(getattr(trade, name, None) or ZERO) for name in names), ZERO)


def _currency(holder: Any, default: str) -> str:  # noqa: ANN401  ofxtools' own object
    """The currency of the amounts of *holder*: its own where it names one."""
    own = getattr(holder, "currency", None)
    return default if own is None else str(own.cursym)


def _unique_id(item: Any) -> str:  # noqa: ANN401  ofxtools' own object
    """The id of the security that *item* is about, or empty."""
    secid = getattr(item, "secid", None)
    return "" if secid is None else str(secid.uniqueid)
