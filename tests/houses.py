"""Small households for tests: values by hand, a clock moved by hand, and fixed prices."""

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal

from trimtab.adapters.law import read_law
from trimtab.adapters.scratch import ScratchJournal
from trimtab.apps.world import House, Opening
from trimtab.domain.household import accounts_of, decode_household, instruments_of
from trimtab.domain.policy import HouseholdFile
from trimtab.domain.ports import Journal
from trimtab.domain.values import Hours, Lot, Quote, Rate
from trimtab.lab.faults import Faults
from trimtab.lab.paper import PaperBroker
from trimtab.lab.paper_store import MemoryStore

START = dt.datetime(2026, 3, 9, 15, 0, tzinfo=dt.UTC)

TOML = """
[household]
name = "Test"
[owners.ann]
role = "self"
[owners.bob]
role = "spouse"
[accounts.taxable]
owner = "ann"
kind = "taxable"
broker = "paper"
relief = "specific"
cash_reserve = 1000
[accounts.ira]
owner = "bob"
kind = "traditional_ira"
broker = "paper"
[accounts.wallet]
owner = "ann"
kind = "crypto"
broker = "paper"
[instruments.VTI]
kind = "etf"
[instruments.ITOT]
kind = "etf"
[instruments.BND]
kind = "etf"
[instruments.BTC-USD]
kind = "crypto"
[instruments.EURUSD]
kind = "forex"
[classes.stocks]
target = 0.55
members = ["VTI", "ITOT"]
[classes.bonds]
target = 0.40
members = ["BND"]
risk = "safe"
[classes.bitcoin]
target = 0.05
members = ["BTC-USD"]
[tax]
filing_status = "married_filing_jointly"
short_term_rate = 0.30
long_term_rate = 0.15
[gates]
turnover_max = 1
volume_max = 1
"""


class ManualClock:
    """Stands still; sleeping moves it."""

    def __init__(self, at: dt.datetime = START) -> None:
        self.at = at

    def now(self) -> dt.datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += dt.timedelta(seconds=seconds)


class FixedPrices:
    """Quotes as set, always fresh; `closes` are the previous closes where they differ."""

    def __init__(self, prices: Mapping[str, str], spread: str = "0.02") -> None:
        self.prices = {symbol: Decimal(price) for symbol, price in prices.items()}
        self.closes: dict[str, Decimal] = {}
        self.half = Decimal(spread) / 2

    def quotes(self, symbols: Iterable[str], at: dt.datetime) -> Mapping[str, Quote]:
        return {
            symbol: Quote(
                symbol=symbol,
                bid=self.prices[symbol] - self.half,
                ask=self.prices[symbol] + self.half,
                at=at,
                session=at.date(),
                previous_close=self.closes.get(symbol),
            )
            for symbol in symbols
        }


class OpenCalendars:
    """Every market is open on weekdays from 14:30 to 21:00 UTC, and crypto always."""

    def hours(self, calendar: str, at: dt.datetime) -> Hours:
        if calendar == "24/7":
            midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
            return Hours(
                calendar=calendar,
                is_open=True,
                opens=midnight,
                closes=midnight + dt.timedelta(days=1),
                session=at.date(),
            )
        opens = at.replace(hour=14, minute=30, second=0, microsecond=0)
        closes = at.replace(hour=21, minute=0, second=0, microsecond=0)
        while opens.weekday() > 4 or at >= closes:
            opens, closes = opens + dt.timedelta(days=1), closes + dt.timedelta(days=1)
            at = min(at, opens) if at < opens else at
        return Hours(
            calendar=calendar,
            is_open=opens <= at < closes,
            opens=opens,
            closes=closes,
            session=opens.date(),
        )


def lot(account: str, symbol: str, quantity: str, cost: str, acquired: str, name: str = "") -> Lot:
    """A lot by hand; *cost* is its whole basis."""
    day = dt.date.fromisoformat(acquired)
    return Lot(
        id=name or f"{account}-{symbol}-{acquired}",
        account=account,
        symbol=symbol,
        quantity=Decimal(quantity),
        basis=Decimal(cost),
        acquired=day,
        holding_since=day,
    )


def fixed_rates(rates: Mapping[str, str]):
    """Rates of foreign currencies in dollars, as set."""

    def source(currencies: tuple[str, ...], at: dt.datetime) -> Mapping[str, Rate]:
        return {
            code: Rate(currency=code, rate=Decimal(rates[code]), pair=f"{code}USD", at=at)
            for code in currencies
        }

    return source


def house_of(
    lots: Iterable[Lot],
    cash: Mapping[str, str],
    prices: FixedPrices,
    *,
    toml: str = TOML,
    clock: ManualClock | None = None,
    journal: Journal | None = None,
    store: MemoryStore | None = None,
    faults: Faults | None = None,
) -> House:
    """A household on the paper broker, in memory; pass the parts that a test wants to keep."""
    file: HouseholdFile = decode_household(toml)
    clock = ManualClock() if clock is None else clock
    accounts, instruments = accounts_of(file), instruments_of(file)
    calendars = OpenCalendars()
    broker = PaperBroker(
        accounts=accounts,
        instruments=instruments,
        prices=prices,
        calendars=calendars,
        clock=clock,
        rule=file.paper,
        store=MemoryStore() if store is None else store,
        settlement=_next_weekday,
        faults=faults,
    )
    openings = {}
    for name in accounts:
        own = tuple(one for one in lots if one.account == name)
        money = {"USD": Decimal(cash.get(name, "0"))}
        openings[name] = Opening(lots=own, cash=money, source="test")
        broker.open_account(name, own, money)
    return House(
        file=file,
        accounts=accounts,
        instruments=instruments,
        openings=openings,
        past_sales=(),
        brokers={"paper": broker},
        prices=prices,
        rates=fixed_rates({}),
        calendars=calendars,
        clock=clock,
        journal=ScratchJournal() if journal is None else journal,
        statutes=read_law().statutes,
    )


def _next_weekday(day: dt.date) -> dt.date:
    day += dt.timedelta(days=1)
    while day.weekday() > 4:
        day += dt.timedelta(days=1)
    return day
