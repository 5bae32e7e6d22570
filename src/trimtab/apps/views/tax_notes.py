"""The notes at the end of every tax page: gaps in the records, and that none of it is advice."""

from collections.abc import Iterable

from trimtab.apps.tax_source import TaxSource
from trimtab.apps.views.figures import counted
from trimtab.apps.views.page import Sentence, item
from trimtab.apps.views.tax import NOTES
from trimtab.domain.history import LotSale, Review
from trimtab.rules.tax.matching import in_window


def closing_notes(source: TaxSource, *own: str) -> tuple[str, ...]:
    """*own* notes of a page, then what the records lack, and last that this is no advice."""
    return (*own, *not_judged(source), *_gaps(source), *source.notes, *NOTES)


def not_judged(source: TaxSource) -> tuple[str, ...]:
    """How much of the records no rule judges; nothing where all of it is judged."""
    count = len(source.ledger.to_review())
    if not count:
        return ()
    are = "is not judged here and is" if count == 1 else "are not judged here and are"
    note = (
        f"{counted(count, 'transaction')} in the records {are} in no figure (an option, a short "
        "sale, a split without its ratio and the like): a person must look at them."
    )
    return (note,)


def reviews_near(source: TaxSource, year: int | None) -> tuple[str, ...]:
    """What a person must judge beside the losses of *year*, or of every year."""
    losses = [
        row
        for row in source.ledger.sales()
        if row.is_taxed and row.raw_gain < 0 and year in {None, row.sold.year}
    ]
    found = (one.sentence for one in source.ledger.reviews() if _is_near(source, one, losses))
    return tuple(dict.fromkeys(found))


def _is_near(source: TaxSource, one: Review, losses: Iterable[LotSale]) -> bool:
    return any(
        in_window(row.sold, one.date) and source.ledger.identical(row.symbol, one.symbol)
        for row in losses
    )


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
