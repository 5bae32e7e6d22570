"""The tax log: every lot sold, with its term, its gain and what section 1091 disallows."""

from collections.abc import Iterable

from msgspec import Struct

from trimtab.domain.history import LotSale
from trimtab.domain.numbers import ZERO, Money
from trimtab.domain.trades import Term


class TaxTotal(Struct, frozen=True, kw_only=True):
    """The sum of one term; rounded only when printed. `disallowed` is a loss put off or lost."""

    term: Term
    proceeds: Money
    basis: Money
    disallowed: Money = ZERO

    @property
    def gain(self) -> Money:
        """Proceeds less basis plus the disallowed loss; negative for a loss."""
        return self.proceeds - self.basis + self.disallowed


def tax_rows(sales: Iterable[LotSale], year: int | None = None) -> tuple[LotSale, ...]:
    """What was sold in *year* (in New York; None for all years), in the order of the sales.

    Sales in untaxed accounts are listed too, and marked.
    """
    rows = [sale for sale in sales if year is None or sale.sold.year == year]
    return tuple(sorted(rows, key=lambda row: row.sold))


def tax_totals(rows: Iterable[LotSale]) -> tuple[TaxTotal, ...]:
    """Sums over the taxed accounts, short term first; a term without a sale is zero."""
    taxed = [row for row in rows if row.is_taxed]
    return tuple(_total([row for row in taxed if row.term is term], term) for term in Term)


def _total(rows: list[LotSale], term: Term) -> TaxTotal:
    return TaxTotal(
        term=term,
        proceeds=sum((row.proceeds for row in rows), ZERO),
        basis=sum((row.basis for row in rows), ZERO),
        disallowed=sum((row.disallowed for row in rows), ZERO),
    )
