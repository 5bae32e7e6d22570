"""Everything that can be proven about a household, in one go: accounts, open orders, the chain."""

import datetime as dt
from collections.abc import Callable
from typing import NamedTuple

from trimtab.adapters.journal import SqliteJournal
from trimtab.apps.execute import settle
from trimtab.apps.home import Home, working
from trimtab.apps.world import Recorder, load, open_books, take_in, verify
from trimtab.domain.memory import OrderMemory
from trimtab.domain.ports import Clock
from trimtab.domain.trades import Discrepancy
from trimtab.domain.values import trade_date


class Verified(NamedTuple):
    """What was compared: for each account whether its broker could be asked, and what differs."""

    at: dt.datetime
    entries: int
    head: str
    asked: dict[str, bool]
    discrepancies: tuple[Discrepancy, ...]
    open_orders: tuple[OrderMemory, ...]
    adopted: tuple[Discrepancy, ...] = ()


def verify_all(
    home: Home, clock: Clock, *, says: Callable[[str], None] = lambda _: None
) -> Verified:
    """Settle, take in, compare, and check every hash of the journal; differences are journaled.

    Raises:
        JournalBroken: the chain does not hold.
        LeaseHeld: another process works on the household.
    """
    with working(home, command="trimtab verify", clock=clock, says=says) as house:
        cycle = f"{trade_date(clock.now())}-verify"
        recorder = Recorder(house.journal, clock, load(house.journal), cycle)
        open_books(house, recorder)
        says("settling earlier orders")
        settle(house, recorder)
        says("reading accounts")
        take_in(house, recorder)
        found = verify(house, recorder)
        says("checking the journal")
        assert isinstance(house.journal, SqliteJournal), "a household's journal is on disk"
        head = house.journal.integrity()
        return Verified(
            at=clock.now(),
            entries=head.sequence,
            head=head.hash,
            asked={name: a.broker in house.brokers for name, a in house.accounts.items()},
            discrepancies=found,
            open_orders=recorder.memory.open_orders(),
        )
