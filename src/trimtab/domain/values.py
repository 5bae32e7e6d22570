"""What a household owns and what a decision sees, as frozen values."""

import datetime as dt
from enum import StrEnum
from zoneinfo import ZoneInfo

from msgspec import Struct

from trimtab.domain.numbers import ONE, ZERO, Money, Price, Quantity

NEW_YORK = ZoneInfo("America/New_York")
_SATURDAY = 5


def trade_date(at: dt.datetime) -> dt.date:
    """The date in New York of the instant *at*: the date that tax law and settlement count by."""
    return at.astimezone(NEW_YORK).date()


class OwnerRole(StrEnum):
    """Who a person is to the household."""

    SELF = "self"
    SPOUSE = "spouse"
    OTHER = "other"


class AccountKind(StrEnum):
    """How an account is taxed."""

    TAXABLE = "taxable"
    TRADITIONAL_IRA = "traditional_ira"
    ROTH_IRA = "roth_ira"
    PLAN_401K = "401k"
    HSA = "hsa"
    CRYPTO = "crypto"

    @property
    def is_taxed(self) -> bool:
        """Whether a sale in such an account is a taxable event of the year."""
        return self is AccountKind.TAXABLE or self is AccountKind.CRYPTO


class Relief(StrEnum):
    """Which lots the broker books when shares are sold."""

    FIFO = "fifo"
    HIFO = "hifo"
    SPECIFIC = "specific"


class InstrumentKind(StrEnum):
    """What kind of thing a symbol names."""

    EQUITY = "equity"
    ETF = "etf"
    FUND = "fund"
    CRYPTO = "crypto"
    FOREX = "forex"


class Instrument(Struct, frozen=True, kw_only=True):
    """Something with a price. A `forex` symbol is a pair such as EURUSD: dollars for one euro."""

    symbol: str
    kind: InstrumentKind
    step: Quantity = ONE
    calendar: str = "XNYS"
    currency: str = "USD"


class Account(Struct, frozen=True, kw_only=True):
    """One account of one owner at one broker. `cash_reserve` (base currency) is never spent.

    `role` is who the owner is to the household; `reinvests` whether dividends buy more by
    themselves.
    """

    id: str
    owner: str
    kind: AccountKind
    broker: str
    relief: Relief = Relief.FIFO
    cash_reserve: Money = ZERO
    role: OwnerRole = OwnerRole.SELF
    reinvests: bool = False


class Lot(Struct, frozen=True, kw_only=True):
    """Units of one instrument bought together.

    `basis` is the whole cost in the base currency including fees. `acquired` is the trade date in
    New York; `holding_since` differs from it only after a wash sale or a gift. Units bought with
    unsettled money may not be sold before `sellable_from`.
    """

    id: str
    account: str
    symbol: str
    quantity: Quantity
    basis: Money
    acquired: dt.date
    holding_since: dt.date
    sellable_from: dt.date | None = None

    @property
    def unit_cost(self) -> Price:
        """Basis of one unit."""
        return self.basis / self.quantity

    @property
    def age(self) -> tuple[dt.date, str, int]:
        """What "first in" means: the acquisition, then the lot, then the place in it."""
        return self.acquired, self.id, 0

    @property
    def root(self) -> str:
        """The broker's name for the lot that this is, or is a piece of."""
        return self.id


class LotPiece(Lot, frozen=True, kw_only=True):
    """Units of a lot that have one basis and one holding period after wash sales.

    `lot_id` is the lot that the broker knows, `piece` the name of this part of it and `place` where
    it stands, the front first. `paid` is the cost without adjustments.
    """

    lot_id: str
    piece: str
    place: int
    paid: Money

    @property
    def age(self) -> tuple[dt.date, str, int]:
        """What "first in" means: the acquisition, then the lot, then the place in it."""
        return self.acquired, self.lot_id, self.place

    @property
    def root(self) -> str:
        """The broker's name for the lot that this is a piece of."""
        return self.lot_id


class Rate(Struct, frozen=True, kw_only=True):
    """One unit of `currency` in the base currency, with the pair it was read from."""

    currency: str
    rate: Price
    pair: str
    at: dt.datetime
    source: str = ""


class Quote(Struct, frozen=True, kw_only=True):
    """What an instrument can be bought and sold for, in the base currency.

    `at` is the instant (UTC) of the quote and `session` the trading day it belongs to, which is a
    label and not an instant. `original` and `rate` keep what was quoted before conversion.
    `volume` is the average daily volume in units where known.
    """

    symbol: str
    bid: Price
    ask: Price
    at: dt.datetime
    session: dt.date
    currency: str = "USD"
    original: Price | None = None
    rate: Price = ONE
    volume: Quantity | None = None
    previous_close: Price | None = None
    source: str = ""

    @property
    def price(self) -> Price:
        """The middle of bid and ask."""
        return (self.bid + self.ask) / 2

    @property
    def spread(self) -> Price:
        """Ask less bid, as a fraction of the middle."""
        return (self.ask - self.bid) / self.price


class Hours(Struct, frozen=True, kw_only=True):
    """Whether one calendar's market is open at the snapshot's instant.

    `opens` and `closes` bound the session that is running, or else the next one (UTC).
    """

    calendar: str
    is_open: bool
    opens: dt.datetime | None
    closes: dt.datetime | None
    session: dt.date
    is_half_day: bool = False


class Balance(Struct, frozen=True, kw_only=True):
    """Cash of one currency in one account; `settled` is the part that may leave today."""

    account: str
    currency: str
    amount: Money
    settled: Money


class ScheduledPurchase(Struct, frozen=True, kw_only=True):
    """A purchase that will happen unless somebody stops it; `amount` is money, zero if not told.

    `date` is the day that the household's rule names, a trading day or not.
    """

    account: str
    symbol: str
    date: dt.date
    amount: Money = ZERO

    @property
    def bought_by(self) -> dt.date:
        """`date`, or the Monday after a weekend; a holiday can move it further."""
        weekday = self.date.weekday()
        return self.date + dt.timedelta(days=7 - weekday if weekday >= _SATURDAY else 0)


class ScheduledFlow(Struct, frozen=True, kw_only=True):
    """Money that comes into or leaves an account on a day; `amount` is positive either way."""

    account: str
    date: dt.date
    amount: Money


class PastFlow(Struct, frozen=True, kw_only=True):
    """Money that the owner has put into an account or, negative, taken out of it on a day."""

    account: str
    date: dt.date
    amount: Money


class Snapshot(Struct, frozen=True, kw_only=True):
    """All that a decision sees of the world at one instant, in one base currency.

    `lots` and `balances` are what the journal says is owned; `quotes` and `rates` cover every
    instrument and currency of the household; `hours` every calendar. `scheduled` are purchases of
    the next 30 days that happen by themselves, outside trimtab. `waiting` is cash by account, in
    the base currency, that may not be invested yet.
    """

    at: dt.datetime
    base_currency: str
    accounts: dict[str, Account]
    instruments: dict[str, Instrument]
    lots: tuple[Lot, ...]
    balances: tuple[Balance, ...]
    quotes: dict[str, Quote]
    rates: dict[str, Rate]
    hours: dict[str, Hours]
    scheduled: tuple[ScheduledPurchase, ...] = ()
    waiting: dict[str, Money] = {}

    def price(self, symbol: str) -> Price:
        """Middle price of *symbol* in the base currency."""
        return self.quotes[symbol].price

    def in_base(self, balance: Balance) -> Money:
        """The balance in the base currency."""
        if balance.currency == self.base_currency:
            return balance.amount
        return balance.amount * self.rates[balance.currency].rate

    def positions(self) -> dict[tuple[str, str], Quantity]:
        """Units held by (account, symbol)."""
        held: dict[tuple[str, str], Quantity] = {}
        for lot in self.lots:
            key = (lot.account, lot.symbol)
            held[key] = held.get(key, ZERO) + lot.quantity
        return held

    def value(self) -> Money:
        """Everything owned, cash of every currency included."""
        holdings = sum((lot.quantity * self.price(lot.symbol) for lot in self.lots), ZERO)
        return holdings + sum((self.in_base(balance) for balance in self.balances), ZERO)
