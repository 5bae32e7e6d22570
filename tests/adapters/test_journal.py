import shutil
import sqlite3
import subprocess
import sys
import threading
import time
import typing
from pathlib import Path

import pytest
from tests.adapters.journals import FIVE, MARK, NOON, five_entries, read

from trimtab.adapters.journal import SqliteJournal
from trimtab.domain.errors import JournalBusy, JournalError, JournalFull, LeaseHeld
from trimtab.domain.events import Event, Resumed


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@pytest.fixture
def five(tmp_path: Path) -> Path:
    return five_entries(tmp_path)


# ------------------------------------------------------------------ nothing is lost


def test_a_busy_journal_loses_nothing_and_works_on(five):
    other = sqlite3.connect(five, isolation_level=None)
    with SqliteJournal.open(five, create=False, busy_timeout_seconds=0.05) as journal:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalBusy, match="another program holds it") as caught:
            journal.append([MARK], at=NOON, cycle="c2")
        assert len(list(journal.entries())) == 5
        other.execute("ROLLBACK")
        journal.append([MARK], at=NOON, cycle="c2")
        assert journal.integrity().sequence == 6
    other.close()
    assert "nothing was written" in str(caught.value)


def test_a_full_disk_loses_nothing_and_the_journal_works_on_when_there_is_room(five):
    with SqliteJournal.open(five, create=False) as journal:
        before = journal.head()
        journal._connection.execute("PRAGMA max_page_count = 8")
        with pytest.raises(JournalFull, match="the disk is full; nothing was written"):
            journal.append([MARK] * 200, at=NOON, cycle="c2")
        assert journal.integrity() == before
        journal._connection.execute("PRAGMA max_page_count = 1000000")
        journal.append([MARK] * 200, at=NOON, cycle="c2")
        assert journal.integrity().sequence == 205


@pytest.mark.skipif(sys.platform == "win32", reason="the limit on file sizes is a Unix one")
def test_a_disk_that_stops_writing_loses_nothing(five):
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with SqliteJournal.open(five, create=False) as journal:
        before = journal.head()
        resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, hard))
        try:
            with pytest.raises(JournalError, match="nothing was written"):
                journal.append([MARK] * 500, at=NOON, cycle="c2")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert journal.integrity() == before
        journal.append([MARK], at=NOON, cycle="c2")
        assert journal.integrity().sequence == 6


def test_a_journal_that_may_only_be_read_is_read_and_not_written(five):
    with SqliteJournal.open(five, create=False, read_only=True) as journal:
        with pytest.raises(JournalError, match="it may only be read here; nothing was written"):
            journal.append([MARK], at=NOON, cycle="c2")
        assert [entry.event for entry in journal.entries()] == list(FIVE)


def test_a_batch_with_an_error_in_it_leaves_nothing_behind(five):
    def interrupted():
        yield MARK
        raise KeyboardInterrupt

    with SqliteJournal.open(five, create=False) as journal:
        with pytest.raises(KeyboardInterrupt):
            journal.append(typing.cast("list[Event]", interrupted()), at=NOON, cycle="c2")
        journal.append([MARK], at=NOON, cycle="c2")
        assert journal.integrity().sequence == 6


def test_a_commit_waits_for_the_disk(five):
    with SqliteJournal.open(five, create=False) as journal:
        (mode,) = journal._connection.execute("PRAGMA journal_mode").fetchone()
        (waits,) = journal._connection.execute("PRAGMA synchronous").fetchone()
    assert (mode, waits) == (b"wal", 2)


APPENDS_FOR_EVER = """
import datetime as dt, itertools, sys
from trimtab.adapters.journal import SqliteJournal
from trimtab.domain.events import CycleStarted
with SqliteJournal.open(sys.argv[1], create=True) as journal:
    for number in itertools.count(1):
        batch = [CycleStarted(number=number, executes=True)] * 7
        journal.append(batch, at=dt.datetime.now(dt.UTC), cycle=str(number))
        print(number, flush=True)
"""


def test_a_kill_while_appending_leaves_whole_batches_and_all_that_were_acknowledged(path):
    acknowledged = 0
    for seconds in (0.01, 0.04, 0.02, 0.03):
        with subprocess.Popen(
            [sys.executable, "-c", APPENDS_FOR_EVER, str(path)], stdout=subprocess.PIPE
        ) as worker:
            assert worker.stdout is not None
            worker.stdout.readline()
            time.sleep(seconds)
            worker.kill()
            acknowledged += 1 + len(worker.stdout.read().split())
        with SqliteJournal.open(path, create=False) as journal:
            batches, rest = divmod(journal.integrity().sequence, 7)
        assert rest == 0
        assert batches >= acknowledged
        acknowledged = batches


def test_without_its_wal_file_a_journal_is_older_and_whole(five, tmp_path):
    with SqliteJournal.open(five, create=False) as journal:
        journal.append([MARK], at=NOON, cycle="c2")
        copied = shutil.copy(five, tmp_path / "copied.sqlite")
        assert len(read(five)) == 6
    assert read(copied) == list(FIVE)


def test_many_at_once_begin_one_journal_and_one_chain(path):
    failures: list[Exception] = []

    def begin_and_append(number: int) -> None:
        try:
            with SqliteJournal.open(path, create=True) as journal:
                journal.append([MARK] * 3, at=NOON, cycle=f"c{number}")
        except JournalError as error:
            failures.append(error)

    threads = [threading.Thread(target=begin_and_append, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with SqliteJournal.open(path, create=False) as journal:
        cycles = [entry.cycle for entry in journal.entries()]
    assert len(cycles) == 18
    assert all(len(set(cycles[start : start + 3])) == 1 for start in range(0, 18, 3))


# ------------------------------------------------------------------ who may write, what is one


def test_a_writer_from_before_the_fence_was_raised_can_write_no_more(five):
    with (
        SqliteJournal.open(five, create=False) as late,
        SqliteJournal.open(five, create=False) as now,
    ):
        assert (late.fence(), now.fence()) == (1, 2)
        with pytest.raises(LeaseHeld, match="its turn is 2, ours was 1"):
            late.append([MARK], at=NOON, cycle="c2")
        now.append([Resumed(because="We are back.")], at=NOON, cycle="c2")
        assert now.integrity().sequence == 6


def test_an_emptied_journal_is_refused_where_a_new_one_could_be_begun(path):
    path.touch()
    with pytest.raises(JournalError, match="restore the newest backup, or remove the file"):
        SqliteJournal.open(path, create=True)
    assert path.read_bytes() == b""


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        pytest.param(lambda path: None, "there is no journal here", id="missing"),
        pytest.param(lambda path: path.mkdir(), "this is a folder", id="folder"),
        pytest.param(lambda path: path.touch(), "this file is empty", id="empty"),
        pytest.param(
            lambda path: path.write_text("date,amount\n" * 99), "is not a trimtab journal", id="csv"
        ),
        pytest.param(
            lambda path: sqlite_file(path, "CREATE TABLE t (x)"), "another program", id="database"
        ),
        pytest.param(
            lambda path: sqlite_file(
                path, "PRAGMA application_id=1953655149", "PRAGMA user_version=2"
            ),
            "the journal has format 2 and this version of trimtab reads format 1; update trimtab",
            id="newer format",
        ),
    ],
)
def test_what_is_no_journal_is_said_in_a_sentence_and_left_as_it_is(path, make, sentence):
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(JournalError, match=sentence) as caught:
        SqliteJournal.open(path, create=False)
    assert str(path) in str(caught.value)
    assert (path.read_bytes() if path.is_file() else None) == before


def sqlite_file(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.close()


def test_a_journal_in_a_folder_that_does_not_exist_is_not_begun(tmp_path):
    with pytest.raises(JournalError, match="does not exist; make it first"):
        SqliteJournal.open(tmp_path / "savings" / "journal.sqlite", create=True)


def test_a_closed_journal_says_so(five):
    journal = SqliteJournal.open(five, create=False)
    journal.close()
    journal.close()
    with pytest.raises(JournalError, match="closed"):
        journal.head()


def test_a_backup_is_a_checked_copy_that_can_be_worked_on(five, tmp_path):
    target = tmp_path / "backup.sqlite"
    with SqliteJournal.open(five, create=False) as journal:
        head = journal.backup(target)
        journal.append([MARK], at=NOON, cycle="c2")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["backup.sqlite", "journal.sqlite"]
    with SqliteJournal.open(target, create=False) as copy:
        assert copy.integrity() == head
        copy.append([MARK], at=NOON, cycle="c2")
    assert read(target) == read(five)


def test_a_backup_never_replaces_a_file_and_leaves_no_half_of_one(five, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with SqliteJournal.open(five, create=False, read_only=True) as journal:
        with pytest.raises(JournalError, match="there is such a file already"):
            journal.backup(tmp_path / "notes.txt")
        with pytest.raises(JournalError, match="cannot be opened"):
            journal.backup(tmp_path / "nowhere" / "backup.sqlite")
        journal.backup(tmp_path / "backup.sqlite")
    assert (tmp_path / "notes.txt").read_text() == "mine"
