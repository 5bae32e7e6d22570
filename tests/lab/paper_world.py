"""A small world around the paper broker: a clock, a board of quotes, hours, and accounts."""

import datetime as dt
from decimal import Decimal

from trimtab.domain.errors import DataSuspect
from trimtab.domain.policy import PaperRule
from trimtab.domain.trades import CashMovement, Fill, LotPick, Order, Side
from trimtab.domain.values import (
    Account,
    AccountKind,
    Hours,
    Instrument,
    InstrumentKind,
    Lot,
    Quote,
    Relief,
)
from trimtab.lab.faults import Faults, NoFaults
from trimtab.lab.paper import MemoryStore, PaperBroker, Store

WEDNESDAY_NOON = dt.datetime(2026, 6, 3, 16, 0, tzinfo=dt.UTC)
INSTRUMENTS = {
    "VTI": Instrument(symbol="VTI", kind=InstrumentKind.ETF),
    "BND": Instrument(symbol="BND", kind=InstrumentKind.ETF),
    "BTC": Instrument(
        symbol="BTC", kind=InstrumentKind.CRYPTO, step=Decimal("0.0001"), calendar="24/7"
    ),
}


class HandClock:
    """A clock that a test moves by hand."""

    def __init__(self, at):
        self.at = at

    def now(self):
        return self.at

    def sleep(self, seconds):
        self.at += dt.timedelta(seconds=seconds)


class Board:
    """Quotes that a test writes by hand; a symbol that is wiped off has no usable price."""

    def __init__(self):
        self.bids_and_asks = {
            "VTI": (Decimal("99.90"), Decimal("100.10")),
            "BND": (Decimal("49.95"), Decimal("50.05")),
            "BTC": (Decimal("59000.00"), Decimal("61000.00")),
        }

    def write(self, symbol, bid, ask):
        self.bids_and_asks[symbol] = (Decimal(bid), Decimal(ask))

    def wipe(self, symbol):
        del self.bids_and_asks[symbol]

    def quotes(self, symbols, at):
        return {symbol: self._quote(symbol, at) for symbol in symbols}

    def _quote(self, symbol, at):
        if symbol not in self.bids_and_asks:
            raise DataSuspect(f"{symbol} has no price at {at}: it is halted.")
        bid, ask = self.bids_and_asks[symbol]
        return Quote(symbol=symbol, bid=bid, ask=ask, at=at, session=at.date())


class Doors:
    """Markets that a test opens and closes by hand; 24/7 never closes."""

    def __init__(self):
        self.is_open = True

    def hours(self, calendar, at):
        opens = dt.datetime.combine(at.date(), dt.time(13, 30), tzinfo=dt.UTC)
        return Hours(
            calendar=calendar,
            is_open=self.is_open or calendar == "24/7",
            opens=opens,
            closes=opens + dt.timedelta(hours=6.5),
            session=at.date(),
        )


def next_day(day):
    return day + dt.timedelta(days=1)


class World:
    """Everything a paper broker stands on, and shorthands for what a household does with it."""

    def __init__(
        self,
        rule: PaperRule | None = None,
        faults: Faults | None = None,
        store: Store | None = None,
        relief: Relief = Relief.FIFO,
    ) -> None:
        self.clock = HandClock(WEDNESDAY_NOON)
        self.board = Board()
        self.doors = Doors()
        self.store = store or MemoryStore()
        self.rule = rule or PaperRule()
        self.faults = faults or NoFaults()
        self.accounts = {
            name: Account(
                id=name, owner="ada", kind=AccountKind.TAXABLE, broker="paper", relief=relief
            )
            for name in ("main", "other")
        }
        self.broker = self.restarted()
        self._orders = 0

    def restarted(self):
        """The broker as a new process finds it."""
        self.broker = PaperBroker(
            accounts=self.accounts,
            instruments=INSTRUMENTS,
            prices=self.board,
            calendars=self.doors,
            clock=self.clock,
            rule=self.rule,
            store=self.store,
            settlement=next_day,
            faults=self.faults,
        )
        return self.broker

    def open(self, *lots, cash="10000", account="main"):
        return self.broker.open_account(account, lots, {"USD": Decimal(cash)})

    def order(self, side, quantity, symbol, limit, **different):
        self._orders += 1
        values = {
            "id": f"order-{self._orders}",
            "plan_id": "plan",
            "account": "main",
            "symbol": symbol,
            "side": side,
            "quantity": Decimal(quantity),
            "limit": Decimal(limit),
            "good_until": self.clock.at + dt.timedelta(hours=3),
        }
        return Order(**{**values, **different})

    def buy(self, quantity, symbol="VTI", limit="101", **different):
        return self.order(Side.BUY, quantity, symbol, limit, **different)

    def sell(self, quantity, symbol="VTI", limit="99", **different):
        return self.order(Side.SELL, quantity, symbol, limit, **different)

    def cash(self, account="main"):
        return self.broker.report(account).cash["USD"]

    def held(self, symbol="VTI", account="main"):
        return self.broker.report(account).positions.get(symbol, Decimal(0))

    def lots(self, account="main"):
        return {lot.id: lot for lot in self.broker.report(account).lots}

    def fills(self, account="main"):
        return [happened for happened in self.broker.activities(account) if is_fill(happened)]


def is_fill(activity):
    return isinstance(activity, Fill)


def lot(name, quantity, basis, acquired="2024-01-02", symbol="VTI", account="main"):
    day = dt.date.fromisoformat(acquired)
    return Lot(
        id=name,
        account=account,
        symbol=symbol,
        quantity=Decimal(quantity),
        basis=Decimal(basis),
        acquired=day,
        holding_since=day,
    )


def picks(**quantities):
    return tuple(LotPick(lot_id=name, quantity=Decimal(q)) for name, q in quantities.items())


def cash_by_the_book(opening, activities):
    """What the cash must be: the opening, plus every movement and fill, in whatever order."""
    cash = Decimal(opening)
    for activity in activities:
        if isinstance(activity, CashMovement):
            cash += activity.amount
        elif isinstance(activity, Fill):
            value = activity.quantity * activity.price
            cash += (value if activity.side is Side.SELL else -value) - activity.fee
    return cash
