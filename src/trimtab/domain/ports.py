"""What trimtab asks of the world, as small Protocols; a ten-line fake can stand in for each."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from trimtab.domain.events import Entry, Event
from trimtab.domain.trades import AccountReport, Activity, Order, Receipt
from trimtab.domain.values import Hours, Quote


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> dt.datetime:
        """The present instant, UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Return after *seconds*, or earlier when asked to stop."""
        ...


class Prices(Protocol):
    """Where quotes come from."""

    def quotes(self, symbols: Iterable[str], at: dt.datetime) -> Mapping[str, Quote]:
        """The last quote of each symbol known at *at*, in the base currency.

        Raises:
            DataSuspect: a symbol has no usable price; the sentence names symbol and date.
        """
        ...


class Calendars(Protocol):
    """When markets are open."""

    def hours(self, calendar: str, at: dt.datetime) -> Hours:
        """The session of *calendar* that runs at *at*, or else the next one."""
        ...


class Broker(Protocol):
    """A place that holds accounts and takes orders.

    `deduplicates` says whether a client order id is unique for ever there, so that re-sending
    an order that was never found cannot make a second one.
    """

    name: str
    deduplicates: bool

    def submit(self, order: Order) -> Receipt:
        """Place *order* once.

        Raises:
            BrokerRefused: definitely not placed.
            BrokerUnknown: it may have been placed; look it up with `find`.
        """
        ...

    def find(self, account: str, order_id: str) -> Receipt | None:
        """What became of an order; None only when the broker says that it knows no such order.

        Raises:
            BrokerUnknown: no answer.
        """
        ...

    def cancel(self, account: str, order_id: str) -> None:
        """Ask that the rest of an order be cancelled; `find` tells what came of it.

        Raises:
            BrokerUnknown: no answer.
        """
        ...

    def activities(self, account: str) -> Sequence[Activity]:
        """Everything that happened, each at least once and in any order.

        Raises:
            BrokerUnknown: no answer, or a truncated one.
        """
        ...

    def report(self, account: str) -> AccountReport:
        """What the account holds now.

        Raises:
            BrokerUnknown: no answer.
        """
        ...


class Journal(Protocol):
    """The household's append-only stream of events."""

    def append(self, events: Sequence[Event], *, at: dt.datetime, cycle: str) -> tuple[Entry, ...]:
        """Write all of *events* or none, durably, before returning the entries written.

        Raises:
            JournalError: nothing was written.
        """
        ...

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """The events in order, from the one after sequence number *after*.

        Raises:
            JournalBroken: the chain of hashes does not hold.
        """
        ...
