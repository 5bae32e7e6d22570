import datetime as dt
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from trimtab.adapters.journal import SqliteJournal
from trimtab.adapters.lease import Holder, Lease, _try_lock, _unlock, holder, writing
from trimtab.domain.errors import JournalError, LeaseHeld
from trimtab.domain.events import ValueMarked

NOON = dt.datetime(2026, 3, 6, 17, tzinfo=dt.UTC)
MARK = ValueMarked(session=NOON.date(), value=Decimal(1000), flow=Decimal(0), unit_value=Decimal(1))

# At each line on its input it tries for the lease and says what came of it; at the next one it
# lets go.
TRIES_WHEN_TOLD = """
import sys
from trimtab.adapters.lease import Lease
from trimtab.domain.errors import LeaseHeld
while sys.stdin.readline():
    try:
        with Lease(sys.argv[1], command="trimtab watch"):
            print("won", flush=True)
            sys.stdin.readline()
    except LeaseHeld as held:
        print(held, flush=True)
        sys.stdin.readline()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


class Worker:
    """Another process that tries for the lease of the journal at *path* when it is told to."""

    def __init__(self, path: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", TRIES_WHEN_TOLD, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def tell(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def says(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


@contextmanager
def worker(path: Path) -> Iterator[Worker]:
    started = Worker(path)
    try:
        yield started
    finally:
        started.process.kill()
        started.process.communicate()


def test_of_two_that_start_at_once_exactly_one_works(path):
    with worker(path) as one, worker(path) as two:
        for _ in range(20):
            one.tell()
            two.tell()
            said = sorted([one.says(), two.says()])
            one.tell()
            two.tell()
            assert said[1] == "won"
            assert said[0].startswith("another trimtab works on this household now")


def test_who_comes_second_reads_who_was_first_and_what_to_do(path):
    with worker(path) as other:
        other.tell()
        assert other.says() == "won"
        with (
            pytest.raises(
                LeaseHeld,
                match=r"another trimtab works on this household now: `trimtab watch`, "
                rf"process {other.process.pid} on \S+ since \d\d:\d\d UTC; wait for it or stop it",
            ),
            Lease(path, command="trimtab run"),
        ):
            pass


def test_a_kill_frees_the_lease_though_the_words_of_the_killed_stay(path):
    with worker(path) as other:
        other.tell()
        assert other.says() == "won"
        found = holder(path)
        assert found is not None
        assert found.pid == other.process.pid
        other.process.kill()
        other.process.wait()
        assert holder(path) is None
        assert b"trimtab watch" in path.with_name("journal.sqlite.lease").read_bytes()
        with Lease(path, command="trimtab run"):
            now = holder(path)
    assert now is not None
    assert (now.command, now.pid) == ("trimtab run", os.getpid())


def test_nobody_holds_a_lease_that_was_never_taken_or_was_given_back(path):
    assert holder(path) is None
    with Lease(path, command="trimtab run"):
        assert holder(path) is not None
    assert holder(path) is None


def test_a_lease_can_be_taken_again_and_excludes_its_own_process_too(path):
    lease = Lease(path, command="trimtab run")
    for _ in range(2):
        with lease, pytest.raises(LeaseHeld, match=f"process {os.getpid()}"):
            Lease(path, command="trimtab status").__enter__()


def test_asking_who_holds_a_lease_never_takes_it_away(path):
    with worker(path) as other, Lease(path, command="trimtab run"):
        for _ in range(3):
            assert holder(path) is not None
        other.tell()
        assert other.says().startswith("another trimtab works on this household now")


@contextmanager
def somebody_asks(path: Path) -> Iterator[int]:
    """In the midst of the instant in which `holder` tries the lock, in another place."""
    descriptor = os.open(path.with_name("journal.sqlite.lease"), os.O_RDWR | os.O_CREAT)
    try:
        assert _try_lock(descriptor, shared=True)
        yield descriptor
    finally:
        os.close(descriptor)


def test_whoever_asks_at_the_same_instant_is_not_taken_for_a_holder(path):
    with somebody_asks(path):
        assert holder(path) is None


def test_asking_who_holds_a_lease_keeps_nobody_from_taking_it(path):
    with somebody_asks(path) as descriptor:
        threading.Timer(0.05, _unlock, [descriptor]).start()
        with Lease(path, command="trimtab run"):
            assert holder(path) is not None


def test_one_journal_has_one_lease_by_whatever_path_it_is_reached(path, tmp_path):
    path.touch()
    link = tmp_path / "link.sqlite"
    link.symlink_to(path)
    with Lease(path, command="trimtab run"), pytest.raises(LeaseHeld):
        Lease(link, command="trimtab run").__enter__()


def test_households_do_not_wait_for_each_other(tmp_path):
    with (
        Lease(tmp_path / "millers.sqlite", command="trimtab run"),
        Lease(tmp_path / "smiths.sqlite", command="trimtab run"),
    ):
        assert holder(tmp_path / "millers.sqlite") is not None


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        pytest.param(
            Holder(command="trimtab watch", pid=4711, host="attic", since=NOON),
            "another trimtab works on this household now: `trimtab watch`, process 4711 on attic "
            "since 2026-03-06 17:00 UTC; wait for it or stop it",
            id="since another day",
        ),
        pytest.param(
            Holder(),
            "another trimtab works on this household now: `trimtab`; wait for it or stop it",
            id="has not said who it is yet",
        ),
    ],
)
def test_the_sentence_about_a_holder_says_what_is_known(found, sentence):
    assert found.sentence == sentence


def test_words_that_cannot_be_read_do_not_hide_that_the_lease_is_held(path):
    with Lease(path, command="trimtab run"):
        path.with_name("journal.sqlite.lease").write_bytes(b"{")
        assert holder(path) == Holder()


def test_a_lease_that_cannot_be_written_is_an_error_of_the_journal(tmp_path):
    with (
        pytest.raises(
            JournalError, match=r"savings/journal\.sqlite\.lease: .*make it and its folder"
        ),
        Lease(tmp_path / "savings" / "journal.sqlite", command="trimtab run"),
    ):
        pass


def test_writing_holds_the_lease_and_shuts_out_whoever_wrote_before(path):
    with writing(path, command="trimtab init", create=True) as early:
        early.append([MARK], at=NOON, cycle="c1")
        assert holder(path) is not None
    with (
        SqliteJournal.open(path, create=False) as stopped,
        writing(path, command="trimtab run") as journal,
    ):
        journal.append([MARK], at=NOON, cycle="c2")
        with pytest.raises(LeaseHeld, match="another trimtab has taken over"):
            stopped.append([MARK], at=NOON, cycle="c3")
        assert journal.integrity().sequence == 2
    assert holder(path) is None


def test_a_mistyped_path_leaves_no_lease_behind(tmp_path):
    with (
        pytest.raises(JournalError, match="there is no journal here"),
        writing(tmp_path / "jurnal.sqlite", command="trimtab run"),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_whoever_is_shut_out_by_the_lease_does_not_raise_the_fence(path):
    with writing(path, command="trimtab watch", create=True) as journal:
        with pytest.raises(LeaseHeld), writing(path, command="trimtab run"):
            pass
        journal.append([MARK], at=NOON, cycle="c1")
