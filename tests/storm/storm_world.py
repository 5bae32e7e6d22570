"""One household in the storm: days, looks, splits, flows, deaths, and new processes after them."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Protocol

import numpy as np
from tests.houses import ManualClock, OpenCalendars, _next_weekday, fixed_rates
from tests.storm.storm_audit import Audit, positions
from tests.storm.storm_death import (
    Fate,
    ForgetfulBroker,
    Killed,
    MortalBroker,
    MortalJournal,
    SeededFate,
)
from tests.storm.storm_household import FIRST_MORNING, Market, draw_household

from trimtab.adapters.chain import Head
from trimtab.adapters.law import read_law
from trimtab.adapters.scratch import ScratchJournal
from trimtab.apps.run import Outcome, run_once
from trimtab.apps.world import House, Opening, load
from trimtab.domain.errors import BrokerUnknown, JournalError
from trimtab.domain.events import BreakerTripped, Decided, Event, ValueMarked
from trimtab.domain.household import accounts_of, decode_household, instruments_of
from trimtab.domain.numbers import CENT, round_to_step, to_decimal
from trimtab.domain.ports import Journal
from trimtab.domain.trades import Order
from trimtab.lab.faults import FaultRates, SeededFaults
from trimtab.lab.paper import MemoryStore, PaperBroker
from trimtab.lab.paper_books import Books

SPLITS = ((2, 1), (3, 2), (1, 2), (3, 1), (1, 3))
_SPLITS_APART = dt.timedelta(days=12)
"""No company splits twice within the time that news of a split may take here."""
STORMY = FaultRates(
    request_lost=0.07,
    reply_lost=0.07,
    unavailable=0.05,
    rejected=0.07,
    hidden=0.25,
    partial_fill=0.5,
    filled_before_cancel=0.3,
    delayed=0.15,
    duplicated=0.2,
    reordered=0.4,
    lookups_max=6,
    deliveries_max=5,
)
"""Each fault far more often than any broker that is still in business."""


def _is_judgement(event: Event) -> bool:
    match event:
        case Decided(decision=decision):
            return bool(decision.allowed)
        case ValueMarked() | BreakerTripped():
            return True
    return False


class ReadableJournal(Journal, Protocol):
    """A journal that says how far it is."""

    def head(self) -> Head: ...


class Shelf(Protocol):
    """Where the journal lies. `open` opens it for a new process; `journal` only looks into it."""

    @property
    def journal(self) -> ReadableJournal: ...

    def open(self) -> Journal: ...


class ScratchShelf:
    """A journal in memory, the same for every process."""

    def __init__(self) -> None:
        self.journal = ScratchJournal()

    def open(self) -> Journal:
        return self.journal


class Storm:
    """A household, its broker, its journal, and everything that a seed does to them.

    `heard` notes for every order how far the journal was when the broker first heard of it. A
    *forgetful* broker makes a second order of one that is sent twice; drawn unless given.
    """

    def __init__(
        self,
        seed: int,
        *,
        fate: Fate | None = None,
        shelf: Shelf | None = None,
        forgetful: bool | None = None,
    ) -> None:
        streams = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(5)]
        self.rng, market, deaths, fault_stream, drawn = streams
        self.seed = seed
        self.household = draw_household(drawn)
        is_forgetful = bool(drawn.random() < 0.25)
        self.forgetful = is_forgetful if forgetful is None else forgetful
        self.market = Market(market)
        self.fate = SeededFate(deaths) if fate is None else fate
        self.faults = SeededFaults(fault_stream, STORMY)
        self.clock = ManualClock(FIRST_MORNING)
        self.store = MemoryStore()
        self.shelf = ScratchShelf() if shelf is None else shelf
        self.heard: dict[str, int] = {}
        self.split_at: dict[str, dt.datetime] = {}
        self.counts: Counter[str] = Counter()
        self.file = decode_household(self.household.toml)
        self.accounts, self.instruments = accounts_of(self.file), instruments_of(self.file)
        self.paper = self._paper()
        self.openings = {}
        for name in self.accounts:
            own = tuple(lot for lot in self.household.lots if lot.account == name)
            cash = {"USD": Decimal(self.household.cash[name])}
            self.openings[name] = Opening(lots=own, cash=cash, source="storm")
            self.paper.open_account(name, own, cash)
        self.audit = Audit(self.file, self.openings)

    # ------------------------------------------------------------------ processes

    def process(self) -> House:
        """The house as a new process finds it: nothing is left but the journal and the broker."""
        self.paper = self._paper()
        broker = ForgetfulBroker(self.paper) if self.forgetful else self.paper
        return House(
            file=self.file,
            accounts=self.accounts,
            instruments=self.instruments,
            openings=self.openings,
            past_sales=(),
            brokers={"paper": MortalBroker(broker, self.fate, self._note)},
            prices=self.market,
            rates=fixed_rates({}),
            calendars=OpenCalendars(),
            clock=self.clock,
            journal=MortalJournal(self.shelf.open(), self.fate, self._witness),
            statutes=read_law().statutes,
        )

    def books(self) -> Books:
        """What the broker really holds."""
        return self.paper._read()

    def look(self, *, executes: bool = True) -> Outcome | None:
        """One look, with as many new processes as it takes; None if it ended in an error."""
        while True:
            try:
                outcome = run_once(self.process(), executes=executes)
            except Killed:
                self.counts["deaths"] += 1
                self._while_nobody_looks()
            except BrokerUnknown:
                self.counts["silences"] += 1
                return None
            except JournalError:
                self.counts["failed writes"] += 1
                return None
            else:
                self.counts["looks"] += 1
                self.counts[f"looks {outcome.status}"] += 1
                return outcome

    def _witness(self, events: Sequence[Event]) -> None:
        """What is decided, or marked, is decided on what the broker really holds."""
        if any(_is_judgement(event) for event in events):
            memory = load(self.shelf.journal)
            for name, held in self.books().accounts.items():
                lots = [lot for lot in memory.lots.values() if lot.account == name]
                assert positions(lots) == held.positions(), f"decided on what {name} does not hold"

    def _note(self, order: Order) -> None:
        """The broker hears of an order: how far is the journal?"""
        self.heard.setdefault(order.id, self.shelf.journal.head().sequence)

    def _while_nobody_looks(self) -> None:
        """Between a death and the next process: time passes, and the world goes on."""
        self.clock.sleep(int(self.rng.integers(5, 900)))
        if self.rng.random() < 0.1:
            self.market.move(0.1)
        if self.rng.random() < 0.08:
            self._split()
        if self.rng.random() < 0.04:
            self._pay()

    def _paper(self) -> PaperBroker:
        return PaperBroker(
            accounts=self.accounts,
            instruments=self.instruments,
            prices=self.market,
            calendars=OpenCalendars(),
            clock=self.clock,
            rule=self.file.paper,
            store=self.store,
            settlement=_next_weekday,
            faults=self.faults,
        )

    # ------------------------------------------------------------------ days

    def rage(self, days: int) -> None:
        """So many days of storm; the invariants are checked at the end of each."""
        for _ in range(days):
            with self._blamed():
                self.day()

    def day(self) -> None:
        """A night, then one look or several, then the audit."""
        self._night()
        outcome = None
        for number in range(int(self.rng.integers(1, 4))):
            if number:
                self.clock.sleep(int(self.rng.integers(600, 7200)))
                self._noon()
            outcome = self.look(executes=bool(self.rng.random() < 0.97))
        self.counts["days"] += 1
        self.audit.check(self.shelf.journal, self.books(), self.heard, outcome)

    def calm_down(self) -> None:
        """No fault, no death, no movement: two quiet days must set everything right."""
        self.faults.calm()
        self.fate.is_over = True
        self.market.calm()
        with self._blamed():
            for _ in range(2):
                self._sleep_until_morning()
                self.look()
            self._sleep_until_morning()
            outcome = self.look()
            assert outcome is not None, "a calm household is looked at without an error"
            self.audit.check(self.shelf.journal, self.books(), self.heard, outcome)
            self.audit.check_calm(self.shelf.journal, self.books(), outcome)

    @contextmanager
    def _blamed(self) -> Iterator[None]:
        """Whatever fails inside carries the storm's name: its seed is the bug report."""
        try:
            yield
        except Exception as error:
            error.add_note(f"storm of seed {self.seed}, {self.clock.at:%Y-%m-%d %H:%M} UTC")
            raise

    def _sleep_until_morning(self) -> None:
        tomorrow = _next_weekday(self.clock.at.date())
        self.clock.at = dt.datetime.combine(tomorrow, FIRST_MORNING.timetz())
        self.clock.sleep(600 + int(self.rng.integers(3600)))

    def _night(self) -> None:
        self._sleep_until_morning()
        self.market.move(1.0)
        if self.rng.random() < 0.12:
            self._split()
        if self.rng.random() < 0.1:
            self._dividend()
        if self.rng.random() < 0.2:
            self._pay()

    def _noon(self) -> None:
        self.market.move(0.2)
        if self.rng.random() < 0.04:
            self._split()
        if self.rng.random() < 0.05:
            self._pay()

    def _split(self) -> None:
        symbols = [symbol for symbol in self.instruments if symbol != "BTC"]
        symbol = symbols[int(self.rng.integers(len(symbols)))]
        numerator, denominator = SPLITS[int(self.rng.integers(len(SPLITS)))]
        if not 3 < self.market.middles[symbol] * denominator / numerator < 1000:
            return
        last = self.split_at.get(symbol)
        if last is None or self.clock.at - last > _SPLITS_APART:
            self.split_at[symbol] = self.clock.at
            self.paper.apply_split(symbol, numerator, denominator, self.clock.at)
            self.market.split(symbol, numerator, denominator)
            self.counts["splits"] += 1

    def _dividend(self) -> None:
        symbol = list(self.instruments)[int(self.rng.integers(len(self.instruments)))]
        per_unit = (self.market.middles[symbol] * Decimal("0.005")).quantize(Decimal("0.0001"))
        self.counts["dividends"] += len(self.paper.dividend(symbol, per_unit, self.clock.at))

    def _pay(self) -> None:
        """The owner pays in, or out: never more than is settled, and never the reserve."""
        name = list(self.accounts)[int(self.rng.integers(len(self.accounts)))]
        if self.rng.random() < 0.5:
            amount = to_decimal(float(self.rng.uniform(50, 6000)), 2)
        else:
            free = self.paper.free_to_leave(name)
            spare = free - self.accounts[name].cash_reserve
            amount = -round_to_step(spare * to_decimal(float(self.rng.random()), 3), CENT)
        if amount > 0 or -amount > CENT:
            self.paper.deposit(name, amount)
            self.counts["flows"] += 1

    def report(self) -> Counter[str]:
        """What has happened, in numbers."""
        counts = Counter(self.counts)
        counts["orders"] = len(self.books().orders)
        counts["fills"] = self.audit.fills
        counts.update({f"fault {name}": n for name, n in self.faults.counts.items()})
        counts.update(
            {f"killed {flavour} {site}": n for (site, flavour), n in self.fate.deaths.items()}
        )
        return counts
