"""The household's journal in one SQLite file: append-only, chained by hashes, written durably.

Every batch of events is one transaction that is on the disk before `append` returns (WAL with
`synchronous=FULL`); after an error the file holds what it held before. `meta` keeps the number of
entries and the last hash, written in the same transaction, so that a removed tail is found too.
Whoever can change this file can rewrite chain and `meta` together: against that, note `head()`
elsewhere from time to time. While the file is in use its `-wal` file is a part of it: to copy a
journal use `backup`, never a file manager.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from trimtab.adapters import chain, journal_file
from trimtab.adapters.chain import GENESIS, Head, Row
from trimtab.adapters.journal_file import (
    BUSY_TIMEOUT_SECONDS,
    SCHEMA,
    plain_errors,
    text,
    transaction,
)
from trimtab.domain.errors import JournalBroken, JournalError, LeaseHeld
from trimtab.domain.events import Entry, Event

_SLICE = 512
"""Rows read at once: no read transaction stays open while their reader works."""

# Read as bytes whatever was stored, so that a damaged column fails its hash and nothing earlier.
_ROWS = """SELECT sequence, coalesce(CAST(at AS BLOB), x''), coalesce(CAST(cycle AS BLOB), x''),
    coalesce(CAST(kind AS BLOB), x''), coalesce(CAST(payload AS BLOB), x''),
    coalesce(CAST(hash AS BLOB), x'')
FROM journal WHERE sequence > ? AND sequence <= ? ORDER BY sequence LIMIT ?"""

_STATE = """SELECT entries, head, fence, (SELECT coalesce(max(sequence), 0) FROM journal)
FROM meta WHERE only = 1"""

_INSERT = """INSERT INTO journal (sequence, at, cycle, kind, payload, hash) VALUES
    (?, CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT))"""


class _State(NamedTuple):
    """What `meta` says, and the number of the last row that is there."""

    head: Head
    fence: int
    last: int


class SqliteJournal:
    """The port `Journal` on one SQLite file. Make one with `open`; use each in one thread."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        with plain_errors(path):
            self._token = self._state().fence

    @classmethod
    def open(
        cls,
        path: Path | str,
        *,
        create: bool,
        busy_timeout_seconds: float = BUSY_TIMEOUT_SECONDS,
        read_only: bool = False,
    ) -> Self:
        """The journal at *path*; with *create* an empty one is begun where there is none.

        Raises:
            JournalError: there is no journal there, it is none, or a newer version wrote it.
        """
        connection = journal_file.open_database(
            Path(path),
            create=create,
            read_only=read_only,
            busy_timeout_seconds=busy_timeout_seconds,
        )
        try:
            return cls(Path(path), connection)
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        """Let go of the file; nothing is left to be written."""
        with plain_errors(self.path):
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def append(self, events: Sequence[Event], *, at: datetime, cycle: str) -> tuple[Entry, ...]:
        """Write all of *events* or none, durably, before returning the entries that they became.

        Raises:
            JournalBusy, JournalFull, JournalBroken, JournalError: nothing was written.
            LeaseHeld: another process has raised the fence since; nothing was written.
        """
        with self._transaction() as state:
            if state.fence > self._token:
                raise LeaseHeld(
                    f"{self.path}: another trimtab has taken over this household (its turn is "
                    f"{state.fence}, ours was {self._token}); nothing was written; start this "
                    "one again if it is the one that shall work"
                )
            linked = tuple(chain.link(events, at=at, cycle=cycle, after=state.head))
            self._connection.executemany(_INSERT, (row for row, _ in linked))
            entries = tuple(entry for _, entry in linked)
            if entries:
                self._connection.execute(
                    "UPDATE meta SET entries = ?, head = ?",
                    (entries[-1].sequence, entries[-1].hash),
                )
        return entries

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """The events in order, from the one after sequence number *after*, each checked.

        What is appended after the first entry was asked for is not read. With *after*, the hash
        of that row is where checking starts.

        Raises:
            JournalBroken: a row is missing, was changed or was added; the sentence names it.
            JournalError: a newer version of trimtab wrote a row.
        """
        assert after >= 0, "entries are numbered from 1"
        head = self.head()
        at = self._head_at(after, end=head)
        while at.sequence < head.sequence:
            with plain_errors(self.path):
                rows = self._connection.execute(_ROWS, (at.sequence, head.sequence, _SLICE))
                part = [Row._make(row) for row in rows]
            for entry in chain.read(part, after=at, source=str(self.path)):
                at = Head(entry.sequence, entry.hash)
                yield entry
            if not part:
                raise self._broken(
                    f"entry {at.sequence + 1} is missing, though {head.sequence} were written"
                )
        if at != head:
            raise self._broken(f"entry {at.sequence} is not the one that was written last")

    def head(self) -> Head:
        """How many entries there are, and the hash of the last.

        Raises:
            JournalBroken: entries were removed from the end, or added to it from outside.
        """
        with plain_errors(self.path):
            return self._state().head

    def fence(self) -> int:
        """Shut out every journal object opened before now; this one may go on writing.

        Whoever takes the lease raises the fence, so that a process that was stopped while it held
        the lease and wakes up late can write no more.
        """
        with self._transaction() as state:
            self._connection.execute("UPDATE meta SET fence = ?", (state.fence + 1,))
        self._token = state.fence + 1
        return self._token

    def integrity(self) -> Head:
        """Check the file, its triggers and the whole chain; return where the chain ends.

        Raises:
            JournalBroken: with the first thing that does not fit.
        """
        with plain_errors(self.path):
            faults = self._connection.execute("PRAGMA integrity_check(1)").fetchall()
            found = dict(self._connection.execute("SELECT name, sql FROM sqlite_master").fetchall())
        if faults != [(b"ok",)]:
            raise self._broken(f"the file is damaged ({text(faults[0][0])})")
        expected = {name.encode(): sql.encode() for name, sql in SCHEMA.items()}
        if found != expected:
            names = sorted(text(name) for name, _ in found.items() ^ expected.items())
            raise self._broken(
                f"its tables or triggers were changed ({', '.join(dict.fromkeys(names))})"
            )
        for _ in self.entries():
            pass
        return self.head()

    def backup(self, target: Path | str) -> Head:
        """Copy the journal to the new file *target*, check the copy, and return its end.

        Others may read and write meanwhile; the copy is the journal at one instant.

        Raises:
            JournalError: *target* exists already or cannot be written.
        """
        target = Path(target)
        if target.exists():
            raise JournalError(f"{target}: there is such a file already; name a new one")
        partial = target.with_name(f"{target.name}.partial")
        try:
            partial.unlink(missing_ok=True)
            with plain_errors(target):
                self._connection.execute("VACUUM INTO ?", (str(partial),))
            with SqliteJournal.open(partial, create=False, read_only=True) as copy:
                head = copy.integrity()
            _flush(partial)
            partial.rename(target)
        except OSError as error:
            raise JournalError(
                f"{target}: the backup could not be written ({error.strerror}); the journal is "
                "unharmed; name another place"
            ) from error
        finally:
            partial.unlink(missing_ok=True)
        return head

    @contextmanager
    def _transaction(self) -> Iterator[_State]:
        """The state that holds until the block ends; then all of the block is kept, or nothing."""
        with plain_errors(self.path), transaction(self._connection):
            yield self._state()

    def _state(self) -> _State:
        row = self._connection.execute(_STATE).fetchone()
        match row:
            case (int(entries), bytes(head), int(fence), int(last)):
                pass
            case _:
                raise self._broken("its record of how many entries there are cannot be read")
        if last < entries:
            raise self._broken(
                f"entry {last + 1} is missing: {entries} were written and the last is {last}"
            )
        if last > entries:
            raise self._broken(
                f"entry {entries + 1} was not written by trimtab: {entries} were written and "
                f"the last is {last}"
            )
        return _State(Head(entries, text(head)), fence, last)

    def _head_at(self, sequence: int, *, end: Head) -> Head:
        """Where the chain stood at *sequence*, by the row itself."""
        if sequence == 0:
            return GENESIS
        if sequence > end.sequence:
            raise self._broken(
                f"entry {sequence} was read before and is missing: the last is {end.sequence}"
            )
        with plain_errors(self.path):
            rows = self._connection.execute(_ROWS, (sequence - 1, sequence, 1)).fetchall()
        if not rows:
            raise self._broken(f"entry {sequence} is missing")
        return Head(sequence, text(Row._make(rows[0]).hash))

    def _broken(self, what: str) -> JournalBroken:
        return JournalBroken(
            f"{self.path}: {what}; restore the newest backup and do not trade on this file"
        )


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
