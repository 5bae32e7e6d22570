"""One writer for each household: a lock that the operating system frees with its process.

The lock is on a file beside the journal (`journal.sqlite.lease`). It is the lock that counts and
never the file, which says who holds it and stays where it is: after `kill -9` or a reboot the
text may be there still, but nobody holds the lock, so nothing is stuck.

`flock` and not SQLite's own locks, nor `fcntl`'s record locks beneath them: those are lost as
soon as any part of the process closes the file, and asking who holds the lease opens and closes
it. A child made by `fork` shares the lock until it ends, should its parent be killed.
"""

import datetime as dt
import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
from msgspec import Struct

from trimtab.adapters.journal import SqliteJournal
from trimtab.adapters.journal_file import BUSY_TIMEOUT_SECONDS
from trimtab.domain.errors import JournalError, LeaseHeld

_TRIES = 10
_PAUSE_SECONDS = 0.02
"""Who asks for the holder has the lock for an instant; so nobody gives up at the first try."""


class Holder(Struct, frozen=True, kw_only=True):
    """Who holds a lease, and since when (UTC). All but `command` is unknown for an instant."""

    command: str = "trimtab"
    pid: int | None = None
    host: str = ""
    since: dt.datetime | None = None

    @property
    def sentence(self) -> str:
        """Who works on the household, and what to do about it."""
        who = f"another trimtab works on this household now: `{self.command}`"
        if self.pid is not None:
            who += f", process {self.pid} on {self.host}"
        if self.since is not None:
            today = dt.datetime.now(dt.UTC).date()
            form = "%H:%M" if self.since.date() == today else "%Y-%m-%d %H:%M"
            who += f" since {self.since:{form}} UTC"
        return f"{who}; wait for it or stop it"


class Lease:
    """The right to work on the household of the journal at *path*, held inside `with`."""

    def __init__(self, path: Path | str, *, command: str) -> None:
        """Take the household's journal, and what others shall read: `trimtab watch`."""
        self.path = _beside(path)
        self.command = command
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        """Take the lease.

        Raises:
            LeaseHeld: another process, or another Lease of this one, has it.
            JournalError: the file beside the journal cannot be written.
        """
        assert self._descriptor is None, "this lease is held already"
        with _plain_errors(self.path):
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            self._take(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._descriptor is not None, "this lease is not held"
        descriptor, self._descriptor = self._descriptor, None
        try:
            _unlock(descriptor)
        finally:
            os.close(descriptor)

    def _take(self, descriptor: int) -> None:
        with _plain_errors(self.path):
            for _ in range(_TRIES):
                if _try_lock(descriptor, shared=False):
                    _write(descriptor, self.command)
                    return
                time.sleep(_PAUSE_SECONDS)
            raise LeaseHeld(_read(descriptor).sentence)


def holder(path: Path | str) -> Holder | None:
    """Who holds the lease of the household of the journal at *path*; None when nobody does.

    Raises:
        JournalError: the file beside the journal cannot be read.
    """
    beside = _beside(path)
    if not beside.exists():
        return None
    with _plain_errors(beside):
        descriptor = os.open(beside, os.O_RDONLY)
        try:
            if _try_lock(descriptor, shared=True):
                _unlock(descriptor)
                return None
            return _read(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def writing(
    path: Path | str,
    *,
    command: str,
    create: bool = False,
    busy_timeout_seconds: float = BUSY_TIMEOUT_SECONDS,
) -> Iterator[SqliteJournal]:
    """The journal at *path*, open for writing, under the household's lease and with its fence.

    Raises:
        LeaseHeld: another process works on this household.
        JournalError: as `SqliteJournal.open`.
    """
    with (
        SqliteJournal.open(
            path, create=create, busy_timeout_seconds=busy_timeout_seconds
        ) as journal,
        Lease(path, command=command),
    ):
        journal.fence()
        yield journal


def _beside(path: Path | str) -> Path:
    """The lease's file; the same one however the journal is reached."""
    journal = Path(path).resolve()
    return journal.with_name(f"{journal.name}.lease")


def _write(descriptor: int, command: str) -> None:
    words = msgspec.json.encode(
        Holder(
            command=command,
            pid=os.getpid(),
            host=platform.node(),
            since=dt.datetime.now(dt.UTC).replace(microsecond=0),
        )
    )
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, words)
    os.ftruncate(descriptor, len(words))


def _read(descriptor: int) -> Holder:
    """Who holds the lock, as far as it has said so yet."""
    for _ in range(_TRIES):
        os.lseek(descriptor, 0, os.SEEK_SET)
        try:
            return msgspec.json.decode(os.read(descriptor, 4096), type=Holder)
        except msgspec.DecodeError:
            time.sleep(_PAUSE_SECONDS)
    return Holder()


@contextmanager
def _plain_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise JournalError(
            f"{path}: the file that says who works on this household cannot be used "
            f"({error.strerror}); make it and its folder writable for the user that runs trimtab"
        ) from error


if sys.platform == "win32":
    import msvcrt

    _FAR = 1 << 30
    """A lock on Windows shuts out readers too: it lies far behind the text."""

    def _try_lock(descriptor: int, *, shared: bool) -> bool:  # noqa: ARG001  it knows no shared lock
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(descriptor: int, *, shared: bool) -> bool:
        mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
