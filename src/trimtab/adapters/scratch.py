"""A journal in memory that leaves no trace: it starts from another's entries and keeps its own."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from trimtab.adapters import chain
from trimtab.adapters.chain import GENESIS, Head
from trimtab.domain.events import Entry, Event


class ScratchJournal:
    """The port `Journal` in memory: `ScratchJournal(journal.entries())` continues that chain."""

    def __init__(self, base: Iterable[Entry] = ()) -> None:
        self._entries = list(base)

    def append(self, events: Sequence[Event], *, at: datetime, cycle: str) -> tuple[Entry, ...]:
        """Keep all of *events* or none; return the entries that they became."""
        linked = chain.link(events, at=at, cycle=cycle, after=self.head())
        entries = tuple(entry for _, entry in linked)
        self._entries.extend(entries)
        return entries

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """The events in order, from the one after sequence number *after*."""
        return iter(self._entries[after:])

    def head(self) -> Head:
        """How many entries there are, and the hash of the last."""
        if not self._entries:
            return GENESIS
        return Head(self._entries[-1].sequence, self._entries[-1].hash)
