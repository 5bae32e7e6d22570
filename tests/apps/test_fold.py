"""The journal folded in parts, by a process that looks again and again while others may write."""

import datetime as dt
import sqlite3
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.adapters.journals import FIVE, NOON, five_entries
from tests.storm.storm_world import Storm

from trimtab.adapters.journal import SqliteJournal
from trimtab.adapters.scratch import ScratchJournal
from trimtab.apps.demo import make_demo
from trimtab.apps.fold import Fold
from trimtab.apps.home import Home
from trimtab.apps.replay import Day, replay
from trimtab.apps.world import load
from trimtab.domain.errors import JournalBroken
from trimtab.domain.events import CycleStarted, Entry, Event, Resumed

STORMS = 6
STORM_DAYS = 12
MORE = (Resumed(because="We are back."), CycleStarted(number=2, executes=False))
TODAY = dt.date(2026, 11, 17)


@cache
def stormy(seed: int) -> tuple[Entry, ...]:
    storm = Storm(seed)
    storm.rage(STORM_DAYS)
    return tuple(storm.shelf.journal.entries())


class CountingJournal(ScratchJournal):
    """Counts the entries that it is asked for."""

    read = 0

    def entries(self, after: int = 0) -> Iterator[Entry]:
        for entry in super().entries(after):
            self.read += 1
            yield entry


# ------------------------------------------------------------------ what it remembers


@given(st.integers(0, STORMS - 1), st.lists(st.floats(0, 1), max_size=12))
def test_a_storm_read_in_parts_is_remembered_as_if_read_whole(seed, cuts):
    entries, fold = stormy(seed), Fold()
    assert len(entries) > 100
    for cut in [*sorted(cuts), 1.0]:
        journal = ScratchJournal(entries[: round(cut * len(entries))])
        memory, whole = fold.read(journal), load(journal)
        assert memory == whole
        assert repr(memory) == repr(whole), "the order in which it remembers differs"


def test_a_reader_that_looks_after_every_entry_reads_each_entry_twice_at_most():
    entries, fold = stormy(0), Fold()
    journal = CountingJournal()
    for entry in entries:
        journal.append([entry.event], at=entry.at, cycle=entry.cycle)
        fold.read(journal)
    assert journal.read < 2 * len(entries)
    assert fold.read(journal) == load(ScratchJournal(entries))


def test_what_another_process_appends_between_two_readings_is_remembered(tmp_path):
    path, fold = five_entries(tmp_path), Fold()
    with (
        SqliteJournal.open(path, create=False) as ours,
        SqliteJournal.open(path, create=False) as theirs,
    ):
        assert fold.read(ours).paused is not None
        theirs.append(MORE, at=NOON, cycle="c2")
        memory = fold.read(ours)
        assert (memory.paused, memory.cycles) == (None, 2)
        assert memory == load(theirs)


def test_an_empty_journal_is_remembered_as_nothing_and_read_on_from_its_first_entry():
    journal, fold = ScratchJournal(), Fold()
    assert fold.read(journal) == load(journal)
    journal.append(FIVE, at=NOON, cycle="c1")
    assert fold.read(journal) == load(journal)


# ------------------------------------------------------------------ what it refuses


@given(st.integers(1, len(FIVE)), st.integers(1, len(FIVE) + 3))
def test_another_journal_in_the_place_of_the_one_read_before_is_refused(read, there):
    first = ScratchJournal()
    first.append(FIVE[:read], at=NOON, cycle="c1")
    other = ScratchJournal()
    events: tuple[Event, ...] = (*FIVE, *MORE, *MORE)
    other.append(events[:there], at=NOON, cycle="of another")
    fold = Fold()
    before = fold.read(first)
    with pytest.raises(JournalBroken, match=f"entry {read} of the journal is not the one"):
        fold.read(other)
    assert fold.read(first) is before


def test_a_journal_that_was_set_back_by_its_last_entries_is_refused():
    journal = ScratchJournal()
    journal.append(FIVE, at=NOON, cycle="c1")
    fold = Fold()
    fold.read(journal)
    for length in range(len(FIVE)):
        with pytest.raises(JournalBroken, match="entry 5"):
            fold.read(ScratchJournal(list(journal.entries())[:length]))


@pytest.mark.parametrize("row", [5, 6, 7])
def test_an_entry_that_was_changed_at_or_after_the_last_one_read_is_refused(tmp_path, row):
    path, fold = five_entries(tmp_path), Fold()
    with SqliteJournal.open(path, create=False) as journal:
        before = fold.read(journal)
        journal.append(MORE, at=NOON, cycle="c2")
        change(path, row)
        with pytest.raises(JournalBroken, match=f"entry {row}"):
            fold.read(journal)
    assert before.paused is not None


# ------------------------------------------------------------------ a replay that reads on


def test_a_replay_finds_a_changed_entry_on_the_next_day_where_it_reads_on(tmp_path):
    told: list[dt.date] = []

    def tells(day: Day) -> None:
        told.append(day.session)
        if len(told) == 2:
            change(tmp_path / "replay/journal.sqlite", last_row(tmp_path))

    with pytest.raises(JournalBroken, match="does not fit its hash"):
        replayed(tmp_path, tells)
    assert len(told) == 2


def test_a_replay_finds_at_its_end_an_entry_that_was_changed_after_it_was_read(tmp_path):
    told: list[dt.date] = []

    def tells(day: Day) -> None:
        told.append(day.session)
        if len(told) == 2:
            change(tmp_path / "replay/journal.sqlite", 3)

    with pytest.raises(JournalBroken):
        replayed(tmp_path, tells)
    assert len(told) == 4


def replayed(folder: Path, tells) -> None:
    home = make_demo(folder / "demo", seed=7, today=TODAY, replace=False)
    replay(Home(home.folder), TODAY, dt.date(2026, 11, 20), into=folder / "replay", tells=tells)


def last_row(folder: Path) -> int:
    path = folder / "replay/journal.sqlite"
    with SqliteJournal.open(path, create=False, read_only=True) as journal:
        return journal.head().sequence


def change(path: Path, row: int) -> None:
    """Change an entry as somebody would who knows SQL; the triggers are there again afterwards."""
    connection = sqlite3.connect(path, isolation_level=None)
    ((trigger,),) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'no_update'")
    connection.execute("DROP TRIGGER no_update")
    connection.execute("UPDATE journal SET payload = payload || ' ' WHERE sequence = ?", (row,))
    connection.execute(trigger)
    connection.close()
