"""Journals for the tests of this folder: five entries, and a way to read what is there."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

from trimtab.adapters.journal import SqliteJournal
from trimtab.domain.events import (
    CycleEnded,
    CycleStarted,
    Event,
    HouseholdOpened,
    Paused,
    ValueMarked,
)

NOON = dt.datetime(2026, 3, 6, 17, tzinfo=dt.UTC)
MARK = ValueMarked(
    session=NOON.date(), value=Decimal("1000.10"), flow=Decimal(0), unit_value=Decimal("1.0001")
)
FIVE = (
    HouseholdOpened(name="The Millers", base_currency="USD"),
    CycleStarted(number=1, executes=True),
    MARK,
    CycleEnded(outcome="rested", sentence="Nothing has drifted beyond its band."),
    Paused(because="We are on holiday – till Monday."),
)


def five_entries(folder: Path) -> Path:
    """The file of a journal of five entries, closed."""
    path = folder / "journal.sqlite"
    with SqliteJournal.open(path, create=True) as journal:
        journal.append(FIVE, at=NOON, cycle="c1")
    return path


def read(path: Path) -> list[Event]:
    """The events of a journal, each checked."""
    with SqliteJournal.open(path, create=False, read_only=True) as journal:
        return [entry.event for entry in journal.entries()]
