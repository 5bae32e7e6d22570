"""The journal's file: its tables, how it is opened, and what SQLite's errors mean here."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trimtab.adapters.chain import GENESIS
from trimtab.domain.errors import JournalBroken, JournalBusy, JournalError, JournalFull

BUSY_TIMEOUT_SECONDS = 5.0
_PAUSE_SECONDS = 0.01
_BEGINNING_SECONDS = 0.5

_APPLICATION = int.from_bytes(b"trim", "big")
_VERSION = 1

SCHEMA = {
    "journal": """CREATE TABLE journal (
    sequence INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    cycle TEXT NOT NULL,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    hash TEXT NOT NULL
)""",
    "meta": """CREATE TABLE meta (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    version INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    head TEXT NOT NULL,
    fence INTEGER NOT NULL
)""",
    "no_update": """CREATE TRIGGER no_update BEFORE UPDATE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is append-only: no entry may be changed'); END""",
    "no_delete": """CREATE TRIGGER no_delete BEFORE DELETE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is append-only: no entry may be removed'); END""",
    # Without this one, INSERT OR REPLACE would pass by the other two.
    "only_at_the_end": """CREATE TRIGGER only_at_the_end BEFORE INSERT ON journal
WHEN NEW.sequence IS NOT (SELECT coalesce(max(sequence), 0) + 1 FROM journal)
BEGIN SELECT RAISE(ABORT, 'the journal is append-only: it grows at its end'); END""",
}

# One statement: another process that begins the journal now is seen whole or not at all.
_IDENTITY = """SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master)
FROM pragma_application_id, pragma_user_version"""

_MEANINGS: dict[int, tuple[type[JournalError], str, str]] = {
    sqlite3.SQLITE_BUSY: (
        JournalBusy,
        "another program holds it longer than we wait; nothing was written",
        "try again when that program has finished",
    ),
    sqlite3.SQLITE_FULL: (
        JournalFull,
        "the disk is full; nothing was written",
        "make room and try again",
    ),
    sqlite3.SQLITE_READONLY: (
        JournalError,
        "it may only be read here; nothing was written",
        "make the file and its folder writable for the user that runs trimtab",
    ),
    sqlite3.SQLITE_IOERR: (
        JournalError,
        "the disk could not read or write it; nothing was written",
        "check the disk, then try again",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        JournalError,
        "it cannot be opened",
        "check that its folder exists and that the user that runs trimtab may read and write it",
    ),
    sqlite3.SQLITE_CORRUPT: (
        JournalBroken,
        "the file is damaged",
        "restore the newest backup and do not trade on this file",
    ),
    sqlite3.SQLITE_NOTADB: (
        JournalError,
        "this file is not a trimtab journal",
        "name the journal's file, or restore the newest backup if it was one",
    ),
}
"""What SQLite's primary error codes mean here: the error, what was found, what to do."""
_MEANINGS[sqlite3.SQLITE_LOCKED] = _MEANINGS[sqlite3.SQLITE_BUSY]
_MEANINGS[sqlite3.SQLITE_ERROR] = _MEANINGS[sqlite3.SQLITE_CORRUPT]  # its tables are not ours
_OTHERWISE = (JournalError, "the database refused", "check the file and its folder, then try again")
_PRIMARY_CODE = 0xFF
"""SQLite's extended codes keep the primary one in their last byte."""


def open_database(
    path: Path, *, create: bool, read_only: bool, busy_timeout_seconds: float
) -> sqlite3.Connection:
    """A connection to the journal at *path*, begun where *create* says so; texts come as bytes.

    Raises:
        JournalError: there is no journal there, it is none, or a newer version wrote it.
    """
    assert not (create and read_only), "a journal cannot be begun without writing"
    _check_place(path, create=create)
    if create:
        _require_not_emptied(path)
    mode = "ro" if read_only else "rwc" if create else "rw"
    with plain_errors(path):
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=busy_timeout_seconds,
            isolation_level=None,
        )
        connection.text_factory = bytes
        try:
            _prepare(
                connection,
                path,
                create=create,
                read_only=read_only,
                busy_timeout_seconds=busy_timeout_seconds,
            )
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of the block is kept when it ends, on the disk, or nothing of it.

    IMMEDIATE: a transaction that first reads and then writes fails at once when another one wrote
    in between, however long it is told to wait.
    """
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def plain_errors(path: Path) -> Iterator[None]:
    """Whatever SQLite raises in the block comes out as a JournalError with one plain sentence."""
    try:
        yield
    except sqlite3.Error as error:
        # An error of the module itself, such as the use of a closed journal, has no code.
        code = getattr(error, "sqlite_errorcode", 0)
        name = getattr(error, "sqlite_errorname", type(error).__name__)
        kind, found, remedy = _MEANINGS.get(code & _PRIMARY_CODE, _OTHERWISE)
        raise kind(f"{path}: {found} ({name}: {error}); {remedy}") from error
    except UnicodeDecodeError as error:
        # SQLite quotes what it found in a damaged file, and that may be no text.
        kind, found, remedy = _MEANINGS[sqlite3.SQLITE_CORRUPT]
        raise kind(f"{path}: {found}; {remedy}") from error


def text(stored: bytes) -> str:
    """*stored* as text that can always be printed, whatever became of it."""
    return stored.decode(errors="backslashreplace")


def _check_place(path: Path, *, create: bool) -> None:
    if path.is_dir():
        raise JournalError(f"{path}: this is a folder; name the journal's file in it")
    if create and not path.parent.is_dir():
        raise JournalError(f"{path}: the folder {path.parent} does not exist; make it first")
    if not create and not path.exists():
        raise JournalError(f"{path}: there is no journal here; name its file, or begin a new one")


def _require_not_emptied(path: Path) -> None:
    """Refuse a file that is empty and stays so: a journal was lost, and none is being begun.

    Another process that begins the journal now leaves it empty for an instant only.
    """
    deadline = time.monotonic() + _BEGINNING_SECONDS
    while path.exists() and path.stat().st_size == 0:
        if time.monotonic() > deadline:
            raise JournalError(
                f"{path}: this file is empty, so its journal was lost; restore the newest backup, "
                "or remove the file to begin a new journal"
            )
        time.sleep(_PAUSE_SECONDS)


def _prepare(
    connection: sqlite3.Connection,
    path: Path,
    *,
    create: bool,
    read_only: bool,
    busy_timeout_seconds: float,
) -> None:
    begun = _is_begun(connection, path)
    if not begun and not create:
        raise JournalError(
            f"{path}: this file is empty, so it is no journal yet; restore the newest backup, or "
            "begin a new journal"
        )
    if not read_only:
        _use_wal(connection, busy_timeout_seconds)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = ON")
    if not begun:
        with transaction(connection):
            _begin(connection, path)


def _use_wal(connection: sqlite3.Connection, timeout_seconds: float) -> None:
    """Switch to write-ahead logging; SQLite itself does not wait here when others open the file."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            is_busy = error.sqlite_errorcode & _PRIMARY_CODE == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() > deadline:
                raise
        else:
            return
        time.sleep(_PAUSE_SECONDS)


def _is_begun(connection: sqlite3.Connection, path: Path) -> bool:
    application, version, tables = connection.execute(_IDENTITY).fetchone()
    if (application, version, tables) == (0, 0, 0):
        return False
    if application != _APPLICATION or version < _VERSION:
        raise JournalError(
            f"{path}: this is a database of another program and not a trimtab journal; name the "
            "journal's file"
        )
    if version > _VERSION:
        raise JournalError(
            f"{path}: the journal has format {version} and this version of trimtab reads format "
            f"{_VERSION}; update trimtab"
        )
    return True


def _begin(connection: sqlite3.Connection, path: Path) -> None:
    if _is_begun(connection, path):  # another process was faster
        return
    for statement in SCHEMA.values():
        connection.execute(statement)
    connection.execute(
        "INSERT INTO meta (only, version, entries, head, fence) VALUES (1, ?, ?, ?, 0)",
        (_VERSION, *GENESIS),
    )
    connection.execute(f"PRAGMA application_id = {_APPLICATION}")
    connection.execute(f"PRAGMA user_version = {_VERSION}")
