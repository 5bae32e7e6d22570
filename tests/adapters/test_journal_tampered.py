import sqlite3
from pathlib import Path

import pytest
from tests.adapters.journals import FIVE, MARK, NOON, five_entries, read

from trimtab.adapters.journal import SqliteJournal
from trimtab.domain.errors import JournalBroken, JournalError


@pytest.fixture
def five(tmp_path: Path) -> Path:
    return five_entries(tmp_path)


def tamper(path: Path, *statements: str) -> None:
    """Change the file as somebody would who knows SQL and is stopped by no trigger."""
    connection = sqlite3.connect(path, isolation_level=None)
    for trigger in ("no_update", "no_delete", "only_at_the_end"):
        connection.execute(f"DROP TRIGGER {trigger}")
    for statement in statements:
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("UPDATE journal SET payload = '' WHERE sequence = 2", id="change a row"),
        pytest.param("DELETE FROM journal WHERE sequence = 5", id="remove the last row"),
        pytest.param("DELETE FROM journal", id="remove all"),
        pytest.param("INSERT OR REPLACE INTO journal VALUES (5,'','','','','')", id="replace"),
        pytest.param("INSERT INTO journal VALUES (7,'','','','','')", id="leave a gap"),
    ],
)
def test_the_database_itself_refuses_to(five, statement):
    connection = sqlite3.connect(five)
    with pytest.raises(sqlite3.IntegrityError, match="the journal is append-only"):
        connection.execute(statement)
    connection.close()
    assert read(five) == list(FIVE)


@pytest.mark.parametrize("row", [1, 3, 5])
@pytest.mark.parametrize("column", ["at", "cycle", "kind", "payload", "hash"])
def test_one_changed_character_is_found_with_its_entry(five, row, column):
    tamper(
        five,
        f"UPDATE journal SET {column} = 'x' || substr({column}, 2) WHERE sequence = {row}",
    )
    with pytest.raises(JournalBroken, match=f"entry {row} does not fit its hash"):
        read(five)


@pytest.mark.parametrize(
    ("statements", "sentence"),
    [
        pytest.param(
            ["UPDATE journal SET sequence = 9 WHERE sequence = 5"],
            "entry 6 was not written by trimtab: 5 were written and the last is 9",
            id="a last row renumbered",
        ),
        pytest.param(
            ["DELETE FROM journal WHERE sequence = 3"],
            "entry 3 is missing, entry 4 stands in its place",
            id="a row taken out",
        ),
        pytest.param(
            [
                "DELETE FROM journal WHERE sequence = 3",
                "UPDATE journal SET sequence = sequence - 1 WHERE sequence > 3",
            ],
            "entry 5 is missing: 5 were written and the last is 4",
            id="a row taken out and the gap closed",
        ),
        pytest.param(
            [
                "UPDATE journal SET sequence = -1 WHERE sequence = 2",
                "UPDATE journal SET sequence = 2 WHERE sequence = 3",
                "UPDATE journal SET sequence = 3 WHERE sequence = -1",
            ],
            "entry 2 does not fit its hash",
            id="two rows swapped",
        ),
        pytest.param(
            ["DELETE FROM journal WHERE sequence > 3"],
            "entry 4 is missing: 5 were written and the last is 3",
            id="the tail cut off",
        ),
        pytest.param(
            ["DELETE FROM journal"],
            "entry 1 is missing: 5 were written and the last is 0",
            id="emptied",
        ),
        pytest.param(
            ["DELETE FROM journal WHERE sequence > 3", "UPDATE meta SET entries = 3"],
            "entry 3 is not the one that was written last",
            id="the tail cut off and the count with it",
        ),
        pytest.param(
            ["INSERT INTO journal SELECT 6, at, cycle, kind, payload, hash FROM journal LIMIT 1"],
            "entry 6 was not written by trimtab",
            id="a row added",
        ),
        pytest.param(
            ["DELETE FROM meta"],
            "its record of how many entries there are cannot be read",
            id="the record of the count removed",
        ),
    ],
)
def test_rows_lost_added_or_moved_are_found(five, statements, sentence):
    tamper(five, *statements)
    with pytest.raises(JournalBroken, match=sentence) as caught:
        read(five)
    assert str(five) in str(caught.value)


def test_nothing_is_appended_to_a_journal_that_lost_its_tail(five):
    with SqliteJournal.open(five, create=False) as journal:
        tamper(five, "DELETE FROM journal WHERE sequence = 5")
        with pytest.raises(JournalBroken, match="entry 5 is missing"):
            journal.append([MARK], at=NOON, cycle="c2")


def test_an_entry_read_before_and_gone_now_is_missed(five):
    with (
        SqliteJournal.open(five, create=False) as journal,
        pytest.raises(JournalBroken, match="entry 6 was read before and is missing"),
    ):
        list(journal.entries(after=6))


def test_a_full_check_misses_a_trigger_that_was_dropped(five):
    tamper(five)
    with (
        SqliteJournal.open(five, create=False) as journal,
        pytest.raises(JournalBroken, match="no_delete, no_update, only_at_the_end"),
    ):
        journal.integrity()


def test_a_flipped_bit_anywhere_in_the_file_is_found_or_changes_nothing(five):
    whole = five.read_bytes()
    found = 0
    for position in range(0, len(whole), 61):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << position % 8
        five.write_bytes(damaged)
        try:
            with SqliteJournal.open(five, create=False) as journal:
                journal.integrity()
                assert [entry.event for entry in journal.entries()] == list(FIVE), position
        except JournalError as error:
            assert str(five) in str(error)  # noqa: PT017  either outcome is right, in these words
            found += 1
        for left in ("-wal", "-shm"):
            Path(f"{five}{left}").unlink(missing_ok=True)
    assert found > 10
