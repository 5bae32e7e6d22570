"""Death by seed: a journal and a broker whose process is killed before or after they acted."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import msgspec
import numpy as np
from msgspec.structs import replace

from trimtab.domain.events import Entry, Event
from trimtab.domain.ports import Broker, Journal
from trimtab.domain.trades import AccountReport, Activity, Order, Receipt
from trimtab.lab.paper import PaperBroker
from trimtab.lab.paper_books import Books

Answer = TypeVar("Answer")
FLAVOURS = ("before", "after")


class Killed(BaseException):
    """The process died here: nothing between this and the test may catch it."""


class Fate:
    """Decides where the process dies, until it is over; counts every death by site and flavour."""

    def __init__(self) -> None:
        self.is_over = False
        self.deaths: Counter[tuple[str, str]] = Counter()

    def strike(self, site: str, flavour: str) -> None:
        """Raise Killed if the process dies at *site*, *flavour* the act there."""
        if not self.is_over and self.strikes(site, flavour):
            self.deaths[site, flavour] += 1
            raise Killed

    def strikes(self, site: str, flavour: str) -> bool:
        return False


class SeededFate(Fate):
    """Kills at the first visits of a site often, later seldom, so that every site is met."""

    def __init__(self, rng: np.random.Generator) -> None:
        super().__init__()
        self._rng = rng
        self._visits: Counter[tuple[str, str]] = Counter()

    def strikes(self, site: str, flavour: str) -> bool:
        self._visits[site, flavour] += 1
        visits = self._visits[site, flavour]
        return float(self._rng.random()) < max(0.012, 0.25 / visits)


class NumberedFate(Fate):
    """Kills once, at the visit with this number; notes how many there were, and where."""

    def __init__(self, number: int = 0) -> None:
        super().__init__()
        self.visits = 0
        self.sites: set[str] = set()
        self._number = number

    def strikes(self, site: str, flavour: str) -> bool:
        self.visits += 1
        self.sites.add(site)
        return self.visits == self._number


def kind_of(event: Event) -> str:
    """The tag that the journal writes for an event."""
    return str(event.__struct_config__.tag)


class MortalJournal:
    """The port `Journal`, whose process may die just before or just after an append is kept.

    `witness` sees the events of every append before they are written.
    """

    def __init__(
        self, journal: Journal, fate: Fate, witness: Callable[[Sequence[Event]], None]
    ) -> None:
        self._journal = journal
        self._fate = fate
        self._witness = witness

    def append(self, events: Sequence[Event], *, at: dt.datetime, cycle: str) -> tuple[Entry, ...]:
        self._witness(events)
        site = kind_of(events[0])
        self._fate.strike(site, "before")
        entries = self._journal.append(events, at=at, cycle=cycle)
        self._fate.strike(site, "after")
        return entries

    def entries(self, after: int = 0) -> Iterator[Entry]:
        return self._journal.entries(after)


class MortalBroker:
    """The port `Broker`, whose caller may die before it is reached or before it answers.

    `hears` is told of every order that reaches the broker.
    """

    name = "paper"

    def __init__(self, broker: Broker, fate: Fate, hears: Callable[[Order], None]) -> None:
        self.deduplicates = broker.deduplicates
        self._broker = broker
        self._fate = fate
        self._hears = hears

    def submit(self, order: Order) -> Receipt:
        return self._mortally("submit", lambda: self._hear(order))

    def find(self, account: str, order_id: str) -> Receipt | None:
        return self._mortally("find", lambda: self._broker.find(account, order_id))

    def cancel(self, account: str, order_id: str) -> None:
        self._mortally("cancel", lambda: self._broker.cancel(account, order_id))

    def activities(self, account: str) -> Sequence[Activity]:
        return self._mortally("activities", lambda: self._broker.activities(account))

    def report(self, account: str) -> AccountReport:
        return self._mortally("report", lambda: self._broker.report(account))

    def _hear(self, order: Order) -> Receipt:
        self._hears(order)
        return self._broker.submit(order)

    def _mortally(self, call: str, act: Callable[[], Answer]) -> Answer:
        self._fate.strike(call, "before")
        try:
            return act()
        finally:
            self._fate.strike(call, "after")


class ForgetfulBroker:
    """A broker that does not keep client ids unique: whoever sends twice has two orders."""

    name = "paper"
    deduplicates = False

    def __init__(self, paper: PaperBroker) -> None:
        self._paper = paper
        self.find, self.cancel = paper.find, paper.cancel
        self.activities, self.report = paper.activities, paper.report

    def submit(self, order: Order) -> Receipt:
        known = books_of(self._paper).orders
        twins = sum(1 for id_ in known if id_.split("+")[0] == order.id)
        twin = replace(order, id=f"{order.id}+{twins}") if twins else order
        return replace(self._paper.submit(twin), order_id=order.id)


def books_of(paper: PaperBroker) -> Books:
    """What the paper broker has in its store."""
    content = paper._store.load()
    return Books() if content is None else msgspec.json.decode(content, type=Books)
