"""The fills in a Flex statement's Trades section.

A query may list the same fill at several levels. Only executions are fills; orders and summaries
repeat them and are left out.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from msgspec.structs import replace

from trimtab.adapters.imports.flex_lots import codes_of, is_security
from trimtab.adapters.imports.flex_xml import Reader, Record, Stamp, Statement
from trimtab.adapters.imports.words import counted
from trimtab.domain.history import Transaction, TransactionKind
from trimtab.domain.numbers import CENT, ONE, ZERO, Money, Quantity

TAX_CURRENCY = "USD"
BONDS = {"BOND", "BILL"}
FOREX = "CASH"
FILL_LEVELS = {"", "EXECUTION"}
OPTION_CODES = {"A", "AEx", "Ex", "MEx", "GEA"}
REINVESTED = "R"
SHORT_OPENINGS = {("SELL", "O"), ("BUY", "C"), ("SELL", "C;O"), ("BUY", "C;O")}

_KINDS = {"BUY": TransactionKind.BUY, "SELL": TransactionKind.SELL}


class Dated(NamedTuple):
    """A transaction with what orders it: its day, the time on it, and its place in the file."""

    day: dt.date
    time: dt.time
    place: int
    transaction: Transaction


class _Fill(NamedTuple):
    """One execution as it stands; `quantity` and `proceeds` have the broker's signs."""

    account: str
    record: Record
    side: str
    is_cancel: bool
    quantity: Quantity
    proceeds: Money
    fee: Money
    stamp: Stamp

    @property
    def ids(self) -> set[str]:
        names = ("transactionID", "tradeID", "ibExecID", "execID")
        return {self.record.get(name) for name in names} - {"", "0"}


class TradesRead:
    """The fills in the Trades sections of a file, and what to note about them."""

    def __init__(self, reader: Reader) -> None:
        """Collect for the file of *reader*."""
        self._reader = reader
        self._fills: list[_Fill] = []
        self._seen: set[tuple[str, str]] = set()
        self._currencies: set[str] = set()
        self.notes: list[str] = []
        self.realized = ZERO
        self.forex = 0
        self.repeated = 0
        self.reviews = 0
        self.unbalanced: list[int] = []

    def add(self, statement: Statement) -> None:
        """Read the trades of *statement*."""
        executions = [one for one in statement.of("Trade") if one.level in FILL_LEVELS]
        for record in executions:
            self._add_fill(statement.account_of(record), record)
        summed = sum(1 for _ in statement.of("Order", "SymbolSummary", "TradeConfirm"))
        if summed and not executions:
            self.notes.append(
                f"line {statement.line}: the statement lists orders, summaries or confirmations but"
                " no execution, so no trade was read: choose Executions in an Activity query"
            )

    def finish(self) -> list[Dated]:
        """The transactions of all fills, cancelled ones left out."""
        kept = self._without_cancelled()
        dated = [dated for place, fill in enumerate(kept) for dated in self._made(place, fill)]
        self.reviews = sum(one.transaction.kind is TransactionKind.REVIEW for one in dated)
        self._note_totals()
        return dated

    # ------------------------------------------------------------------ fills

    def _add_fill(self, account: str, record: Record) -> None:
        key = (account, record.get("transactionID", "tradeID", "ibExecID", "execID"))
        if key[1] and key in self._seen:
            self.repeated += 1
            return
        self._seen.add(key)
        gain = self._reader.amount(record, "fifoPnlRealized") or ZERO
        self.realized += gain
        if gain:
            self._currencies.add(record.get("currency"))
        fill = self._fill(account, record)
        if fill is None:
            return
        if record.get("assetCategory") == FOREX:
            self.forex += 1
            return
        self._check(fill)
        self._fills.append(fill)

    def _fill(self, account: str, record: Record) -> _Fill | None:
        reader = self._reader
        stamp = reader.stamp(record, "tradeDate", "dateTime", "date", "reportDate")
        timed = reader.stamp(record, "dateTime") if record.get("dateTime") else None
        if stamp is None:
            if not record.get("tradeDate", "dateTime", "date", "reportDate"):
                reader.fault(record, "<Trade> has no tradeDate: add this field to the Flex query")
            return None
        quantity = reader.needed(record, "quantity")
        proceeds = self._proceeds(record, quantity)
        if quantity is None or proceeds is None:
            return None
        written = record.get("buySell").upper()
        side = written[:4].strip() if written else ("BUY" if quantity > 0 else "SELL")
        is_cancel = "CA." in written or record.get("transactionType").endswith("Cancel")
        if side not in _KINDS or (quantity > 0) != ((side == "BUY") != is_cancel):
            if quantity != 0 or side not in _KINDS:
                reader.fault(
                    record,
                    f'buySell "{written}" does not fit the quantity {quantity}: correct one',
                )
            return None
        return _Fill(
            account=account,
            record=record,
            side=side,
            is_cancel=is_cancel,
            quantity=quantity,
            proceeds=proceeds,
            fee=self._fee(record),
            stamp=Stamp(stamp.day, timed.time if timed else stamp.time),
        )

    def _proceeds(self, record: Record, quantity: Quantity | None) -> Money | None:
        """Money of the trade before costs, with the broker's sign, or computed from the price."""
        if record.get("proceeds"):
            return self._reader.amount(record, "proceeds")
        price = self._reader.needed(record, "tradePrice")
        if price is None or quantity is None:
            return None
        unit = Decimal("0.01") if record.get("assetCategory") in BONDS else ONE
        return -quantity * price * unit * (self._reader.amount(record, "multiplier") or ONE)

    def _fee(self, record: Record) -> Money:
        """Commission and taxes, which IBKR writes as negative numbers; negative for a rebate."""
        commission = self._reader.amount(record, "ibCommission") or ZERO
        currency, paid_in = record.get("currency"), record.get("ibCommissionCurrency")
        if commission and paid_in and currency and paid_in != currency:
            self.notes.append(
                f"line {record.line}: the commission of {-commission} {paid_in} is in another"
                f" currency than the trade ({currency}) and is not in its fee: add it by hand"
            )
            commission = ZERO
        return -(commission + (self._reader.amount(record, "taxes") or ZERO))

    def _check(self, fill: _Fill) -> None:
        """Compare a fill with its own price and net cash, which a masked file breaks."""
        price = self._reader.amount(fill.record, "tradePrice")
        net = self._reader.amount(fill.record, "netCash")
        multiplier = self._reader.amount(fill.record, "multiplier") or ONE
        by_price = None if price is None else -fill.quantity * price * multiplier
        if fill.record.get("assetCategory") in BONDS:
            by_price = None
        by_cash = None if net is None else net + fill.fee
        for other in (by_price, by_cash):
            if other is not None and abs(other - fill.proceeds) > CENT:
                self.unbalanced.append(fill.record.line)
                return

    def _without_cancelled(self) -> list[_Fill]:
        """The fills without those that a later cancellation undid, and without it."""
        kept: dict[int, _Fill] = {}
        alike: dict[tuple[str, ...], list[int]] = {}
        by_id: dict[str, int] = {}
        cancelled = 0
        for place, fill in enumerate(self._fills):
            key = (
                fill.account,
                fill.side,
                fill.record.get("symbol"),
                str(abs(fill.quantity).normalize()),
            )
            places = alike.setdefault(key, [])
            undone = _undone_by(fill, places, by_id, kept) if fill.is_cancel else None
            if undone is None:
                kept[place] = fill
                if not fill.is_cancel:
                    places.append(place)
                    by_id.update({f"{fill.account}/{name}": place for name in fill.ids})
            else:
                del kept[undone]
                places.remove(undone)
                cancelled += 1
        if cancelled:
            self.notes.append(
                f"{counted(cancelled, 'trade')} cancelled by IBKR left out, with the cancellation"
            )
        return list(kept.values())

    def _made(self, place: int, fill: _Fill) -> Iterable[Dated]:
        record = fill.record
        rebate = min(fill.fee, ZERO) * (1 if fill.side == "BUY" else -1)
        made = Transaction(
            id=f"{fill.account}/{_name(record, place)}",
            date=fill.stamp.day,
            account=fill.account,
            kind=_KINDS[fill.side],
            symbol=record.get("symbol", "isin", "conid"),
            quantity=abs(fill.quantity),
            amount=max(abs(fill.proceeds) + rebate, ZERO),
            fee=max(fill.fee, ZERO),
            order_id=_order(record),
            source=self._reader.source(record),
        )
        codes = codes_of(record)
        if fill.side == "BUY" and REINVESTED in codes:
            made = replace(made, kind=TransactionKind.REINVEST)
        reason = _reason_to_review(fill)
        if reason:
            made = _review(made, reason, record)
        yield Dated(fill.stamp.day, fill.stamp.time, record.line, made)
        if not reason and codes & OPTION_CODES:
            why = "it came of an option, whose premium belongs into its basis or proceeds"
            asked = replace(_review(made, why, record), id=f"{made.id}/option")
            yield Dated(fill.stamp.day, fill.stamp.time, record.line, asked)

    def _note_totals(self) -> None:
        if len(self._currencies) > 1:
            self.notes.append(
                f"the realized gain adds up {', '.join(sorted(self._currencies))} unconverted"
            )
        if self.reviews:
            self.notes.append(
                f"{counted(self.reviews, 'trade')} not judged by the rules: look at each"
            )
        if self.repeated:
            self.notes.append(
                f"{counted(self.repeated, 'trade')} listed more than once and counted once"
            )
        if self.forex:
            self.notes.append(
                f"{counted(self.forex, 'currency exchange')} left out: gains on currency"
                " (26 USC 988) are no part of the tax log"
            )
        if self.unbalanced:
            lines = ", ".join(str(line) for line in self.unbalanced[:8])
            self.notes.append(
                f"{counted(len(self.unbalanced), 'trade')} whose quantity, price, proceeds and net"
                f" cash do not agree (line {lines}): proceeds were taken"
            )


def _reason_to_review(fill: _Fill) -> str:
    """Why the rules cannot judge a fill; empty where they can."""
    record = fill.record
    if not is_security(record):
        return f"{record.get('assetCategory') or 'a contract'} is not judged by the rules"
    currency = record.get("currency")
    if currency not in {"", TAX_CURRENCY}:
        rate = record.get("fxRateToBase") or "not given"
        return f"it is in {currency}, to be converted to {TAX_CURRENCY} (fxRateToBase {rate})"
    if fill.is_cancel:
        return "it cancels a trade that is not in the file"
    if (fill.side, record.get("openCloseIndicator")) in SHORT_OPENINGS:
        return "it opens or closes a short position"
    return ""


def _review(made: Transaction, reason: str, record: Record) -> Transaction:
    """*made* as a request for a person's eye, filed under the share that it concerns."""
    return Transaction(
        id=made.id,
        date=made.date,
        account=made.account,
        kind=TransactionKind.REVIEW,
        symbol=record.get("underlyingSymbol") or made.symbol,
        quantity=made.quantity,
        text=(
            f"{record.get('buySell') or made.kind.upper()} {made.quantity} {made.symbol}"
            f" for {made.amount} with costs of {made.fee}: {reason}"
        ),
        source=made.source,
    )


def _undone_by(
    cancel: _Fill, places: Sequence[int], by_id: Mapping[str, int], kept: Mapping[int, _Fill]
) -> int | None:
    """Where the fill stands that *cancel* undoes: the one it names, or the last of its money.

    *places* are those of the fills of the same side, share and size.
    """
    for attribute in ("origTransactionID", "origTradeID"):
        named = by_id.get(f"{cancel.account}/{cancel.record.get(attribute)}")
        if named in kept and named in places:
            return named
    return next(
        (place for place in reversed(places) if kept[place].proceeds == -cancel.proceeds), None
    )


def _order(record: Record) -> str:
    """The order that a fill belongs to; IBKR writes 0 where there is none."""
    order = record.get("ibOrderID", "orderID")
    return "" if order == "0" else order


def _name(record: Record, place: int) -> str:
    """What names a fill: the broker's id, or its line."""
    broker_id = record.get("transactionID", "tradeID", "ibExecID", "execID")
    return broker_id or f"line-{record.line}-{place}"
