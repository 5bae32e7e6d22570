"""A journal on a real disk: another program locks it, the disk fills up, and processes die."""

import datetime as dt
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from trimtab.adapters.journal import SqliteJournal
from trimtab.domain.errors import JournalBusy, JournalFull
from trimtab.domain.events import Entry, Event
from trimtab.domain.ports import Journal

_PAGES_MAX = 1_073_741_823
"""SQLite's own limit: the disk is not full."""


class SqliteShelf:
    """A journal in a file; every process opens it anew and shuts out the one before it."""

    def __init__(self, path: Path, rng: np.random.Generator) -> None:
        self.path = path
        self.journal = SqliteJournal.open(path, create=True)
        self.is_calm = False
        self.strikes: Counter[str] = Counter()
        self._rng = rng

    def open(self) -> Journal:
        self.journal.close()
        self.journal = SqliteJournal.open(self.path, create=False, busy_timeout_seconds=0.001)
        self.journal.fence()
        return StrickenJournal(self)

    def draw(self) -> float:
        return 1.0 if self.is_calm else float(self._rng.random())


class StrickenJournal:
    """The port `Journal` on *shelf*, some of whose appends meet a lock or a full disk."""

    def __init__(self, shelf: SqliteShelf) -> None:
        self._shelf = shelf

    def append(self, events: Sequence[Event], *, at: dt.datetime, cycle: str) -> tuple[Entry, ...]:
        journal, before = self._shelf.journal, self._shelf.journal.head()
        fortune = self._shelf.draw()
        try:
            with _trouble(journal, fortune):
                return journal.append(events, at=at, cycle=cycle)
        except (JournalBusy, JournalFull) as error:
            self._shelf.strikes[type(error).__name__] += 1
            assert journal.head() == before, "a failed append left something behind"
            raise

    def entries(self, after: int = 0) -> Iterator[Entry]:
        return self._shelf.journal.entries(after)


@contextmanager
def _trouble(journal: SqliteJournal, fortune: float) -> Iterator[None]:
    """A lock of another program, a disk without room, or nothing, while the block runs."""
    if fortune < 0.02:
        with _locked(journal.path):
            yield
    elif fortune < 0.2:
        with _full(journal):
            yield
    else:
        yield


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


@contextmanager
def _full(journal: SqliteJournal) -> Iterator[None]:
    ((pages,),) = journal._connection.execute("PRAGMA page_count").fetchall()
    journal._connection.execute(f"PRAGMA max_page_count = {pages}")
    try:
        yield
    finally:
        journal._connection.execute(f"PRAGMA max_page_count = {_PAGES_MAX}")
