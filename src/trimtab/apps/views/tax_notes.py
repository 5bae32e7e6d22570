"""The notes at the end of every tax page: gaps in the records, and that none of it is advice."""

from collections.abc import Iterable

from trimtab.apps.tax_source import TaxSource
from trimtab.apps.views.page import Sentence, item
from trimtab.apps.views.tax import NOTES


def closing_notes(source: TaxSource, *own: str) -> tuple[str, ...]:
    """*own* notes of a page, then what the records lack, and last that this is no advice."""
    return (*own, *_gaps(source), *source.notes, *NOTES)


def note_items(notes: Iterable[str]) -> list[Sentence]:
    """The notes as a list."""
    return [item(note, "quiet") for note in notes]


def _gaps(source: TaxSource) -> Iterable[str]:
    if source.today < source.ledger.until:
        yield (
            f"The records go until {source.ledger.until} and all of them are in the figures, also "
            f"what came after {source.today}."
        )
    for account, reason in sorted(source.incomplete.items()):
        yield f"The records of {account} may not be whole: {reason.rstrip('.')}."
