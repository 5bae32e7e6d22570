import datetime as dt
import json
import sqlite3
import subprocess
import tempfile
import typing
from decimal import Decimal
from enum import Enum
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.adapters.journals import FIVE, MARK, NOON, five_entries, read

from trimtab.adapters import chain
from trimtab.adapters.chain import GENESIS, KINDS
from trimtab.adapters.journal import SqliteJournal
from trimtab.adapters.scratch import ScratchJournal
from trimtab.domain.errors import JournalBroken, JournalError
from trimtab.domain.events import CycleFailed, Event
from trimtab.domain.ports import Journal


def strategy(wanted: typing.Any) -> st.SearchStrategy[typing.Any]:  # noqa: PLR0911  one case per kind of type
    """Any value of a type that events are made of."""
    origin, inner = typing.get_origin(wanted), typing.get_args(wanted)
    if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct):
        fields = msgspec.structs.fields(wanted)
        return st.builds(wanted, **{field.name: strategy(field.type) for field in fields})
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return st.sampled_from(wanted)
    if origin is tuple:
        return st.lists(strategy(inner[0]), max_size=2).map(tuple)
    if origin is dict:
        return st.dictionaries(strategy(inner[0]), strategy(inner[1]), max_size=2)
    if origin is typing.Annotated:
        return strategy(inner[0])
    if origin is typing.Literal:
        return st.sampled_from(inner)
    if inner:
        return st.one_of(*(strategy(choice) for choice in inner))
    return LEAVES[wanted]


LEAVES: dict[typing.Any, st.SearchStrategy[typing.Any]] = {
    str: st.text(max_size=8),
    int: st.integers(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False),
    dt.date: st.dates(),
    dt.datetime: st.datetimes(timezones=st.just(dt.UTC)),
    type(None): st.none(),
}
EVENTS = strategy(Event)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@pytest.fixture
def five(tmp_path: Path) -> Path:
    return five_entries(tmp_path)


def new_journal(kind: str, folder: str) -> SqliteJournal | ScratchJournal:
    if kind == "scratch":
        return ScratchJournal()
    return SqliteJournal.open(Path(folder, "journal.sqlite"), create=True)


@pytest.mark.parametrize("kind", ["sqlite", "scratch"])
@settings(max_examples=25)
@given(batches=st.lists(st.lists(EVENTS, max_size=4), max_size=4))
def test_whatever_is_appended_is_read_back_equal_and_in_order(kind, batches):
    with tempfile.TemporaryDirectory() as folder:
        journal: Journal = new_journal(kind, folder)
        returned = [
            entry
            for number, batch in enumerate(batches)
            for entry in journal.append(batch, at=NOON, cycle=f"c{number}")
        ]
        entries = list(journal.entries())
        if isinstance(journal, SqliteJournal):
            journal.integrity()
            journal.close()
    assert entries == returned
    assert [entry.event for entry in entries] == [event for batch in batches for event in batch]
    assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))


@settings(max_examples=150)
@given(event=EVENTS)
def test_every_kind_of_event_keeps_every_digit(event):
    ((row, written),) = chain.link([event], at=NOON, cycle="c1", after=GENESIS)
    (entry,) = chain.read([row], after=GENESIS, source="memory")
    assert entry == written
    assert msgspec.json.encode(entry.event) == row.payload
    assert row.kind.decode() in KINDS


def test_money_stands_in_the_file_as_the_digits_that_were_meant(five):
    connection = sqlite3.connect(five)
    (payload,) = connection.execute("SELECT payload FROM journal WHERE sequence = 3").fetchone()
    connection.close()
    assert json.loads(payload)["value"] == "1000.10"


@pytest.mark.parametrize("kind", ["sqlite", "scratch"])
def test_reading_goes_on_after_the_entry_that_was_read_last(kind, tmp_path):
    journal = new_journal(kind, str(tmp_path))
    journal.append(FIVE, at=NOON, cycle="c1")
    assert [entry.event for entry in journal.entries(after=3)] == list(FIVE[3:])
    assert list(journal.entries(after=5)) == []
    if isinstance(journal, SqliteJournal):
        journal.close()


def test_events_may_be_appended_while_others_are_being_read(path):
    with SqliteJournal.open(path, create=True) as journal:
        journal.append([MARK] * 600, at=NOON, cycle="c1")
        for entry in journal.entries():
            if entry.sequence % 200 == 0:
                journal.append([MARK], at=NOON, cycle="c2")
        assert journal.integrity().sequence == 603


def test_an_instant_is_kept_as_utc_whatever_zone_it_was_given_in(path):
    at = dt.datetime(2026, 3, 6, 12, 0, 0, 7, tzinfo=dt.timezone(dt.timedelta(hours=-5)))
    with SqliteJournal.open(path, create=True) as journal:
        journal.append([MARK], at=at, cycle="c1")
        (entry,) = journal.entries()
    assert (entry.at, entry.at.tzinfo) == (at, dt.UTC)


def test_a_naive_time_is_a_bug(path):
    with (
        SqliteJournal.open(path, create=True) as journal,
        pytest.raises(AssertionError, match="naive"),
    ):
        journal.append([MARK], at=NOON.replace(tzinfo=None), cycle="c1")


def test_text_that_is_not_unicode_is_refused_with_the_kind_of_its_event(path):
    with SqliteJournal.open(path, create=True) as journal:
        with pytest.raises(JournalError, match="'cycle-failed' holds text that is not Unicode"):
            journal.append([MARK, CycleFailed(sentence="\ud800")], at=NOON, cycle="c1")
        assert journal.head() == GENESIS


def test_anybody_can_check_a_row_with_sha256sum(five):
    connection = sqlite3.connect(five)
    previous = GENESIS.hash
    for *columns, found in connection.execute("SELECT * FROM journal ORDER BY sequence"):
        lines = "".join(f"{line}\n" for line in (previous, *columns))
        sums = subprocess.run(["sha256sum"], input=lines.encode(), capture_output=True, check=True)
        assert sums.stdout.split()[0].decode() == found
        previous = found
    connection.close()


def test_a_scratch_journal_continues_the_chain_and_leaves_the_file_alone(five):
    before = five.read_bytes()
    with SqliteJournal.open(five, create=False) as journal:
        scratch = ScratchJournal(journal.entries())
        (entry,) = scratch.append([MARK], at=NOON, cycle="c2")
        assert journal.append([MARK], at=NOON, cycle="c2") == (entry,)
    assert before != five.read_bytes()
    assert entry.sequence == 6


@pytest.mark.parametrize(
    ("kind", "payload", "sentence"),
    [
        pytest.param("frozen", '{"kind":"frozen"}', "of the kind 'frozen'", id="unknown kind"),
        pytest.param(
            "paused",
            '{"kind":"paused","reason":"Enough."}',
            "cannot read it: .*`because`",
            id="other fields",
        ),
    ],
)
def test_an_entry_of_a_newer_version_asks_for_an_update(five, kind, payload, sentence):
    append_by_hand(five, kind, payload)
    with pytest.raises(JournalError, match=f"entry 6 .*{sentence}.*update trimtab") as caught:
        read(five)
    assert not isinstance(caught.value, JournalBroken)


def append_by_hand(path: Path, kind: str, payload: str) -> None:
    """Write one more row as the documentation of the chain says, with no help from trimtab."""
    connection = sqlite3.connect(path)
    (previous,) = connection.execute("SELECT head FROM meta").fetchone()
    row = ("6", "2026-03-06T17:00:00.000000Z", "c2", kind, payload)
    digest = sha256("".join(f"{line}\n" for line in (previous, *row)).encode()).hexdigest()
    connection.execute("INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?)", (*row, digest))
    connection.execute("UPDATE meta SET entries = 6, head = ?", (digest,))
    connection.commit()
    connection.close()
