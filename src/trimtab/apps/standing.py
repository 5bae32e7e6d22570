"""How a household stands, gathered from its journal, its files and the prices that there are."""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from trimtab.adapters.calendars import MarketCalendars
from trimtab.adapters.lease import Holder, holder
from trimtab.apps.home import Home, flagged, looking, read_household, recall
from trimtab.apps.observed import came, observe
from trimtab.apps.outlook import outlook_of
from trimtab.apps.reserving import Reserving, reserving
from trimtab.apps.watch import next_look
from trimtab.apps.world import House, edited_openings, take_snapshot
from trimtab.domain.errors import BrokerError, DataSuspect, InputError
from trimtab.domain.facts import facts_of
from trimtab.domain.memory import Memory
from trimtab.domain.numbers import ZERO, Money, Weight
from trimtab.domain.policy import HouseholdFile, Policy
from trimtab.domain.ports import Clock
from trimtab.domain.trades import Decision
from trimtab.domain.values import Account, ScheduledFlow, Snapshot, trade_date
from trimtab.rules.cycle import decide
from trimtab.rules.holdings import after_tax_weights, reserves
from trimtab.rules.precommitment import policy_next
from trimtab.rules.schedule import kept_until, withdrawals_due


class SetAside(NamedTuple):
    """A withdrawal, and how much cash is there for it; it is kept `until` a day if it is late."""

    flow: ScheduledFlow
    there: Money
    until: dt.date | None


class Standing(NamedTuple):
    """What `status` shows. Where a price is missing, *missing* says so and *decision* is None.

    *policy* and *memory* are as the next turn finds them, *journaled* as the last one left them.
    *flag* is the reason of a pause that is asked for and not journaled yet; *waiting* is cash by
    account that [[averaging]] keeps for later days. `cash` lacks accounts of which none is known.
    """

    at: dt.datetime
    file: HouseholdFile
    policy: Policy
    memory: Memory
    journaled: Memory
    accounts: dict[str, Account]
    decision: Decision | None
    values: dict[str, Money]
    after_tax: dict[str, Weight]
    cash: dict[str, Money]
    reserves: dict[str, Money]
    missing: str | None
    worker: Holder | None
    watcher: Holder | None
    next_look: dt.datetime | None
    flag: str | None
    remarks: tuple[str, ...] = ()
    waiting: Mapping[str, Money] = {}

    def set_aside(self) -> Iterator[SetAside]:
        """The withdrawals that are due, the earliest first, with what is there for each."""
        today, rules = trade_date(self.at), facts_of(self.file).withdrawals
        free = {
            name: max(ZERO, cash - self.reserves.get(name, ZERO) - self.waiting.get(name, ZERO))
            for name, cash in self.cash.items()
        }
        for flow in withdrawals_due(rules, self.policy, self.memory, today):
            if flow.account in free:
                there = min(flow.amount, free[flow.account])
                free[flow.account] -= there
                until = kept_until(flow.date, self.policy.plan.raise_cash_days)
                yield SetAside(flow, there, until if flow.date < today else None)

    def reserving(self) -> Reserving | None:
        """How the operating reserve stands; None where there is none, or its cash is not known."""
        today = trade_date(self.at)
        return reserving(self.policy, self.cash, today, facts_of(self.file), self.memory)


def gather(home: Home, clock: Clock) -> Standing:
    """The household of *home* as it stands now; nothing is written.

    Raises:
        InputError: household.toml cannot be used.
        JournalError: the journal cannot be read.
    """
    from trimtab.domain.household import accounts_of

    file = read_household(home)
    memory = recall(home)
    policy = policy_next(memory, file.policy(), clock.now())
    accounts = accounts_of(file)
    watcher = holder(home.watch)
    standing = Standing(
        at=clock.now(),
        file=file,
        policy=policy,
        memory=memory,
        journaled=memory,
        accounts=accounts,
        decision=None,
        values={},
        after_tax={},
        cash=_cash_told(home, file, memory),
        reserves=reserves(policy, accounts, trade_date(clock.now())),
        missing=None,
        worker=holder(home.journal),
        watcher=watcher,
        next_look=None,
        flag=flagged(home) if memory.paused is None else None,
    )
    if watcher is not None:
        executes = watcher.command.endswith("--execute")
        due = next_look(file, MarketCalendars(), memory, clock.now(), executes=executes)
        standing = standing._replace(next_look=due)
    try:
        with looking(home, clock=clock, file=file) as house:
            return _priced(standing, house)
    except (DataSuspect, InputError, BrokerError) as error:
        return standing._replace(missing=str(error))


def _priced(standing: Standing, house: House) -> Standing:
    """*standing* with what the household would decide now, at the prices that there are."""
    memory, unbooked = observe(house, "status")
    currency = house.file.household.base_currency
    standing = standing._replace(
        memory=memory,
        cash=_cash(memory, currency),
        remarks=(
            *(
                f"{what}, and no turn has booked it yet: it counts here."
                for what in came(unbooked, currency)
            ),
            *edited_openings(house),
        ),
    )
    try:
        snapshot = take_snapshot(house, memory)
    except DataSuspect as error:
        return standing._replace(missing=str(error))
    facts = facts_of(house.file)
    outlook = outlook_of(house, standing.policy, snapshot.at, memory.proposed)
    decision = decide(
        snapshot,
        standing.policy,
        memory,
        facts,
        house.statutes,
        cycle="status",
        outlook=outlook,
    )
    after_tax = after_tax_weights(snapshot, standing.policy, house.file.tax)
    return standing._replace(
        decision=decision,
        values=_values(snapshot),
        after_tax=after_tax,
        waiting=snapshot.waiting,
    )


def _values(snapshot: Snapshot) -> dict[str, Money]:
    """What each account is worth, cash of every currency included."""
    values = dict.fromkeys(snapshot.accounts, ZERO)
    for lot in snapshot.lots:
        values[lot.account] += lot.quantity * snapshot.price(lot.symbol)
    for balance in snapshot.balances:
        values[balance.account] += snapshot.in_base(balance)
    return values


def _cash(memory: Memory, currency: str) -> dict[str, Money]:
    """Cash in *currency* of each account that *memory* knows."""
    return {name: memory.cash.get((name, currency), ZERO) for name in memory.accounts}


def _cash_told(home: Home, file: HouseholdFile, memory: Memory) -> dict[str, Money]:
    """Cash of each account as the journal knows it, or else, where it can be read, the file."""
    from trimtab.adapters.files import read_cash

    currency = file.household.base_currency
    known = _cash(memory, currency)
    of_file = {
        name for name, rule in file.accounts.items() if name not in known or rule.broker == "file"
    }
    try:
        listed = read_cash(home.folder / file.data.cash, file.accounts)
    except InputError:
        return {name: cash for name, cash in known.items() if name not in of_file}
    return known | {name: listed.get(name, {}).get(currency, ZERO) for name in of_file}
