"""A household wired to its world, and the hand that writes: what every cycle stands on."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from trimtab.apps.outlook import CurveSource, PastSource, no_curve, no_past
from trimtab.domain.errors import BrokerUnknown, DataSuspect, InputError
from trimtab.domain.events import (
    AccountOpened,
    DiscrepancyCleared,
    DiscrepancyFound,
    Event,
    HouseholdOpened,
    SalesRecorded,
)
from trimtab.domain.facts import facts_of
from trimtab.domain.household import apply_policy
from trimtab.domain.law import Statutes
from trimtab.domain.memory import Memory, remember
from trimtab.domain.numbers import ONE, ZERO, Money, Price, Quantity
from trimtab.domain.policy import HouseholdFile
from trimtab.domain.ports import Broker, Calendars, Clock, Journal, Prices
from trimtab.domain.trades import Discrepancy, Disposal
from trimtab.domain.values import Account, Balance, Instrument, Lot, Rate, Snapshot, trade_date
from trimtab.rules.booking import book, new_activities
from trimtab.rules.side_fund import with_waiting
from trimtab.rules.tax.schedule import purchases_due, span
from trimtab.rules.verify import compare

RateSource = Callable[[tuple[str, ...], dt.datetime], Mapping[str, Rate]]
SplitSource = Callable[[dt.datetime, dt.datetime], Sequence[tuple[str, dt.date, int, int]]]
"""Splits that became known after one instant and by another: symbol, session, new for old."""


class Opening(NamedTuple):
    """What an account held when its files were read: lots, cash by currency, and the source."""

    lots: tuple[Lot, ...]
    cash: dict[str, Money]
    source: str


class House(NamedTuple):
    """A household wired to its world. `brokers` are by the name that accounts give.

    `stops` says between two orders whether the owner or the system asked to stop; `flagged` is the
    reason of a pause that the owner asked for while the journal was not free. `past` tells total
    returns that are over and `curve` what Treasuries yield, for strategies.
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
    statutes: Statutes
    stops: Callable[[], str | None] = lambda: None
    says: Callable[[str], None] = lambda _: None
    splits: SplitSource = lambda _after, _until: ()
    flagged: Callable[[], str | None] = lambda: None
    past: PastSource = no_past
    curve: CurveSource = no_curve


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
    file replaces what was known. What that changes in value is a flow, not a gain.

    Raises:
        InputError: the journal holds something that household.toml no longer describes, or a file
            was not updated after a split.
    """
    if not recorder.memory.name:
        rule = house.file.household
        recorder.record(HouseholdOpened(name=rule.name, base_currency=rule.base_currency))
        if house.past_sales:
            recorder.record(SalesRecorded(disposals=house.past_sales, source="file"))
    for name, opening in house.openings.items():
        is_known = name in recorder.memory.accounts
        follows_file = house.accounts[name].broker == "file"
        if is_known and follows_file:
            _require_split_told(house, recorder.memory, name, opening)
        if not is_known or (follows_file and _has_changed(recorder.memory, name, opening)):
            recorder.record(
                AccountOpened(
                    account=name,
                    lots=opening.lots,
                    cash=opening.cash,
                    source=opening.source,
                    flow=flow_of(house, recorder.memory, name, opening.lots, opening.cash),
                )
            )
    fresh = _fresh_sales(house, recorder.memory)
    if fresh:
        recorder.record(SalesRecorded(disposals=fresh, source="file"))
    _require_described(house, recorder.memory)


def flow_of(
    house: House,
    memory: Memory,
    account: str,
    lots: Iterable[Lot],
    cash: Mapping[str, Money],
) -> Money:
    """What *lots* and *cash* are worth more than what *memory* holds of *account*, at prices now.

    Lots without a price that can be trusted count at their basis, and money without a rate counts
    nothing, before and after. Before the first mark there is nothing that a flow could distort.
    """
    if memory.mark is None:
        return ZERO
    factors: dict[str, Quantity] = {}
    if house.accounts[account].broker == "file" and account in memory.accounts:
        for symbol, _, numerator, denominator in _splits_since_opened(house, memory, account):
            factors[symbol] = factors.get(symbol, ONE) * numerator / denominator
    known = [
        replace(lot, quantity=lot.quantity * factors.get(lot.symbol, ONE))
        for lot in memory.lots.values()
        if lot.account == account
    ]
    held = {code: amount for (name, code), amount in memory.cash.items() if name == account}
    lots = tuple(lots)
    prices = _prices_of(house, {lot.symbol for lot in (*known, *lots)})
    rates = _rates_known(house, {*held, *cash})
    return _worth(lots, cash, prices, rates) - _worth(known, held, prices, rates)


def edited_openings(house: House) -> tuple[str, ...]:
    """A sentence for each account of a broker whose files differ from how its books were opened."""
    opened: dict[str, tuple[dt.datetime, AccountOpened]] = {}
    for entry in house.journal.entries():
        if isinstance(entry.event, AccountOpened):
            opened.setdefault(entry.event.account, (entry.at, entry.event))
    sentences = []
    for name, opening in house.openings.items():
        if name not in opened or house.accounts[name].broker == "file":
            continue
        at, event = opened[name]
        edited = [house.file.data.lots] if _told(event.lots) != _told(opening.lots) else []
        edited += [house.file.data.cash] if event.cash != opening.cash else []
        if edited:
            have = "has" if len(edited) == 1 else "have"
            sentences.append(
                f"{' and '.join(edited)} {have} changed for {name} since its books were opened on "
                f"{trade_date(at)}: the paper broker keeps its own books; to begin again with "
                "the new files, move journal.sqlite and paper.json away."
            )
    return tuple(sentences)


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
    snapshot = Snapshot(
        at=at,
        base_currency=house.file.household.base_currency,
        accounts=house.accounts,
        instruments=house.instruments,
        lots=tuple(sorted(memory.lots.values(), key=lambda lot: (lot.acquired, lot.id))),
        balances=_balances(house, memory, trade_date(at)),
        quotes=dict(house.prices.quotes(priced, at)),
        rates=dict(rates_of(house, memory, at)),
        hours={calendar: house.calendars.hours(calendar, at) for calendar in sorted(calendars)},
        scheduled=purchases_due(house.file.purchases, *span(trade_date(at))),
    )
    return with_waiting(snapshot, rules.policy(), memory, facts_of(house.file))


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


def _fresh_sales(house: House, memory: Memory) -> tuple[Disposal, ...]:
    """Sales that the file has come to tell of accounts that trimtab cannot trade, each once."""
    known = Counter(_told_sale(sale) for sale in memory.disposals)
    ids = {sale.id for sale in memory.disposals}
    fresh = []
    for sale in house.past_sales:
        key = _told_sale(sale)
        if known[key] > 0:
            known[key] -= 1
        elif house.accounts[sale.account].broker == "file":
            number = 1
            while (name := sale.id if number == 1 else f"{sale.id}:{number}") in ids:
                number += 1
            ids.add(name)
            fresh.append(replace(sale, id=name))
    return tuple(fresh)


def _told_sale(sale: Disposal) -> tuple[object, ...]:
    """What a line of the file of sales says, without the name that its place gives it."""
    return (
        sale.account,
        sale.symbol,
        sale.quantity,
        sale.acquired,
        sale.sold,
        sale.proceeds,
        sale.basis,
    )


def _has_changed(memory: Memory, account: str, opening: Opening) -> bool:
    lots = {lot.id: lot for lot in memory.lots.values() if lot.account == account}
    cash = {code: amount for (name, code), amount in memory.cash.items() if name == account}
    return lots != {lot.id: lot for lot in opening.lots} or cash != opening.cash


def _told(lots: Iterable[Lot]) -> list[Lot]:
    """*lots* without the names that lines of a file give them, in an order of their own."""
    return sorted(
        (replace(lot, id="") for lot in lots),
        key=lambda lot: (lot.symbol, lot.acquired, lot.quantity, lot.basis, lot.holding_since),
    )


def _splits_since_opened(
    house: House, memory: Memory, account: str
) -> Sequence[tuple[str, dt.date, int, int]]:
    return house.splits(memory.opened_at[account], house.clock.now())


def _require_split_told(house: House, memory: Memory, account: str, opening: Opening) -> None:
    known = [lot for lot in memory.lots.values() if lot.account == account]
    for symbol, session, numerator, denominator in _splits_since_opened(house, memory, account):
        before = _told(lot for lot in known if lot.symbol == symbol)
        if before and before == _told(lot for lot in opening.lots if lot.symbol == symbol):
            msg = (
                f"{house.file.data.lots} still shows {symbol} as before its "
                f"{numerator}:{denominator} split on {session} in account {account}: update the "
                "file."
            )
            raise InputError(msg)


def _prices_of(house: House, symbols: Iterable[str]) -> dict[str, Price]:
    prices: dict[str, Price] = {}
    for symbol in sorted(symbols):
        if symbol not in house.instruments:
            continue
        try:
            prices[symbol] = house.prices.quotes([symbol], house.clock.now())[symbol].price
        except DataSuspect:
            continue
    return prices


def _rates_known(house: House, currencies: Iterable[str]) -> dict[str, Price]:
    base = house.file.household.base_currency
    rates = {base: ONE}
    for currency in sorted(currencies):
        if currency == base:
            continue
        try:
            rates[currency] = house.rates((currency,), house.clock.now())[currency].rate
        except DataSuspect:
            continue
    return rates


def _worth(
    lots: Iterable[Lot],
    cash: Mapping[str, Money],
    prices: Mapping[str, Price],
    rates: Mapping[str, Price],
) -> Money:
    in_lots = (
        lot.quantity * prices[lot.symbol] if lot.symbol in prices else lot.basis for lot in lots
    )
    in_cash = (amount * rates.get(currency, ZERO) for currency, amount in cash.items())
    return sum(in_lots, ZERO) + sum(in_cash, ZERO)


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
