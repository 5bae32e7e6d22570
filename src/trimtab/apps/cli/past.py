"""The journal's entries, for commands that tell the past."""

from pathlib import Path

from trimtab.adapters.journal import SqliteJournal
from trimtab.domain.events import Entry


def entries_of(path: Path) -> list[Entry]:
    """Every entry of the journal at *path*, each checked; none where nothing has run yet.

    Raises:
        JournalError: it cannot be read, or its chain does not hold.
    """
    if not path.exists():
        return []
    with SqliteJournal.open(path, create=False, read_only=True) as journal:
        return list(journal.entries())
