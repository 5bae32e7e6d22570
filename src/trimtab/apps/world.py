"""A household wired to its world, and the hand that writes: what every cycle stands on."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from trimtab.domain.errors import BrokerUnknown, InputError
from trimtab.domain.events import (
    AccountOpened,
    DiscrepancyCleared,
    DiscrepancyFound,
    Event,
    HouseholdOpened,
    SalesRecorded,
)
from trimtab.domain.household import apply_policy
from trimtab.domain.memory import Memory, remember
from trimtab.domain.numbers import ZERO, Money
from trimtab.domain.policy import HouseholdFile
from trimtab.domain.ports import Broker, Calendars, Clock, Journal, Prices
from trimtab.domain.trades import Discrepancy, Disposal
from trimtab.domain.values import Account, Balance, Instrument, Lot, Rate, Snapshot, trade_date
from trimtab.rules.booking import book, new_activities
from trimtab.rules.verify import compare

RateSource = Callable[[tuple[str, ...], dt.datetime], Mapping[str, Rate]]


class Opening(NamedTuple):
    """What an account held when its files were read: lots, cash by currency, and the source."""

    lots: tuple[Lot, ...]
    cash: dict[str, Money]
    source: str


class House(NamedTuple):
    """A household wired to its world. `brokers` are by the name that accounts give.

    `stops` says between two orders whether the owner or the system asked to stop.
    """

    file: HouseholdFile
    accounts: dict[str, Account]
    instruments: dict[str, Instrument]
    openings: dict[str, Opening]
    past_sales: tuple[Disposal, ...]
    brokers: Mapping[str, Broker]
    prices: Prices
    rates: RateSource
    calendars: Calendars
    clock: Clock
    journal: Journal
    stops: Callable[[], str | None] = lambda: None
    says: Callable[[str], None] = lambda _: None


class Recorder:
    """The one hand that writes: appends to the journal, then folds what was written."""

    def __init__(self, journal: Journal, clock: Clock, memory: Memory, cycle: str) -> None:
        """Write into *journal* on top of *memory*, in the name of *cycle*."""
        self.memory = memory
        self.cycle = cycle
        self._journal = journal
        self._clock = clock

    def record(self, *events: Event) -> None:
        """Write *events* durably, all or none; then remember them."""
        if events:
            entries = self._journal.append(events, at=self._clock.now(), cycle=self.cycle)
            self.memory = remember(self.memory, entries)


def load(journal: Journal) -> Memory:
    """The whole journal, folded."""
    return remember(Memory(), list(journal.entries()))


def open_books(house: House, recorder: Recorder) -> None:
    """Begin the journal, take over accounts that it does not know, and follow accounts in files.

    What a file says about an account that trimtab cannot trade is the truth about it, so a changed
    file replaces what was known.

    Raises:
        InputError: the journal holds something that household.toml no longer describes.
    """
    if not recorder.memory.name:
        rule = house.file.household
        recorder.record(HouseholdOpened(name=rule.name, base_currency=rule.base_currency))
        if house.past_sales:
            recorder.record(SalesRecorded(disposals=house.past_sales, source="file"))
    for name, opening in house.openings.items():
        is_known = name in recorder.memory.accounts
        follows_file = house.accounts[name].broker == "file"
        if not is_known or (follows_file and _has_changed(recorder.memory, name, opening)):
            recorder.record(
                AccountOpened(
                    account=name, lots=opening.lots, cash=opening.cash, source=opening.source
                )
            )
    _require_described(house, recorder.memory)


def take_in(house: House, recorder: Recorder, accounts: Iterable[str] | None = None) -> None:
    """Record everything new that the brokers report, each once, in the order it happened.

    Raises:
        BrokerUnknown: a broker gave no word; what others said before it is recorded.
    """
    for name in house.accounts if accounts is None else accounts:
        account = house.accounts[name]
        broker = house.brokers.get(account.broker)
        if broker is None or name not in recorder.memory.accounts:
            continue
        for activity in new_activities(recorder.memory, broker.activities(name)):
            rates = rates_of(house, recorder.memory, house.clock.now())
            recorder.record(book(activity, recorder.memory, account, rates))


def verify(house: House, recorder: Recorder) -> tuple[Discrepancy, ...]:
    """Compare every account with its broker; block what differs, free what agrees again."""
    found: list[Discrepancy] = []
    for name, account in house.accounts.items():
        broker = house.brokers.get(account.broker)
        if broker is None:
            continue
        try:
            differences = compare(recorder.memory, broker.report(name))
        except BrokerUnknown as error:
            differences = (_silent(name, error),)
        known = recorder.memory.discrepancies.get(name, ())
        if differences and differences != known:
            recorder.record(DiscrepancyFound(discrepancies=differences))
        elif known and not differences:
            recorder.record(
                DiscrepancyCleared(account=name, because="journal and broker agree again")
            )
        found += differences
    return tuple(found)


def take_snapshot(house: House, memory: Memory) -> Snapshot:
    """The household as the journal knows it, at the prices and hours of now.

    Raises:
        DataSuspect: a price is missing, stale or not to be believed.
        FileFaults: the policy in force needs something that household.toml no longer describes.
    """
    at = house.clock.now()
    rules = in_force(house, memory)
    symbols = {lot.symbol for lot in memory.lots.values()}
    symbols |= {symbol for rule in rules.classes.values() for symbol in rule.members}
    symbols |= {rules.gates.market_index} if rules.gates.market_index else set()
    priced = sorted(symbol for symbol in symbols if symbol in house.instruments)
    calendars = {house.instruments[symbol].calendar for symbol in priced}
    return Snapshot(
        at=at,
        base_currency=house.file.household.base_currency,
        accounts=house.accounts,
        instruments=house.instruments,
        lots=tuple(sorted(memory.lots.values(), key=lambda lot: (lot.acquired, lot.id))),
        balances=_balances(house, memory, trade_date(at)),
        quotes=dict(house.prices.quotes(priced, at)),
        rates=dict(rates_of(house, memory, at)),
        hours={calendar: house.calendars.hours(calendar, at) for calendar in sorted(calendars)},
    )


def in_force(house: House, memory: Memory) -> HouseholdFile:
    """The facts of household.toml under the policy that the journal holds.

    Raises:
        FileFaults: the policy in force needs something that the file no longer describes.
    """
    return house.file if memory.policy is None else apply_policy(house.file, memory.policy)


def rates_of(house: House, memory: Memory, at: dt.datetime) -> Mapping[str, Rate]:
    """Rates of every foreign currency that the household holds, as known at *at*."""
    foreign = {currency for _, currency in memory.cash if currency != memory.base_currency}
    return house.rates(tuple(sorted(foreign)), at) if foreign else {}


def _has_changed(memory: Memory, account: str, opening: Opening) -> bool:
    lots = {lot.id: lot for lot in memory.lots.values() if lot.account == account}
    cash = {code: amount for (name, code), amount in memory.cash.items() if name == account}
    return lots != {lot.id: lot for lot in opening.lots} or cash != opening.cash


def _balances(house: House, memory: Memory, today: dt.date) -> tuple[Balance, ...]:
    balances = []
    for (account, currency), amount in sorted(memory.cash.items()):
        if account not in house.accounts:
            continue
        settled = amount
        if currency == memory.base_currency:
            settled = min(amount, max(ZERO, amount - memory.unsettled_cash(account, today)))
        balances.append(Balance(account=account, currency=currency, amount=amount, settled=settled))
    return tuple(balances)


def _require_described(house: House, memory: Memory) -> None:
    lost = [name for name in memory.accounts if name not in house.accounts]
    unknown = sorted(
        {lot.symbol for lot in memory.lots.values() if lot.symbol not in house.instruments}
    )
    if lost:
        msg = (
            f"household.toml no longer describes the account {lost[0]}, which the journal holds: "
            f"put [accounts.{lost[0]}] back."
        )
        raise InputError(msg)
    if unknown:
        msg = (
            f"household.toml does not describe {unknown[0]}, which the household holds: add "
            f"[instruments.{unknown[0]}]."
        )
        raise InputError(msg)


def _silent(account: str, error: BrokerUnknown) -> Discrepancy:
    return Discrepancy(
        kind="broker-silent",
        account=account,
        subject="report",
        expected="an answer",
        found="none",
        sentence=f"{account}: the broker did not say what it holds ({error}).",
    )
