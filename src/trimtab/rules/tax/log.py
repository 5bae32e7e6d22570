"""The tax log: every lot sold, with its term and gain, and the sums of a year.

Gains are proceeds less basis as booked. Losses that section 1091 postpones are not adjusted here
yet, so the rows are what a broker reports before wash sales (Form 8949, columns a to e).
"""

import datetime as dt
from collections.abc import Iterable

from msgspec import Struct

from trimtab.domain.memory import Memory
from trimtab.domain.numbers import ZERO, Money, Quantity
from trimtab.domain.trades import Term


class TaxRow(Struct, frozen=True, kw_only=True):
    """Units of one lot sold in one fill. Amounts are exact; whoever prints them rounds.

    `source` is `journal`, or the file that told of a sale made before trimtab took over.
    """

    account: str
    symbol: str
    lot_id: str
    quantity: Quantity
    acquired: dt.date
    sold: dt.date
    term: Term
    proceeds: Money
    basis: Money
    is_taxed: bool
    order_id: str
    source: str

    @property
    def gain(self) -> Money:
        """Proceeds less basis; negative for a loss."""
        return self.proceeds - self.basis


class TaxTotal(Struct, frozen=True, kw_only=True):
    """The sum of one term; rounded only when printed."""

    term: Term
    proceeds: Money
    basis: Money

    @property
    def gain(self) -> Money:
        """Proceeds less basis; negative for a loss."""
        return self.proceeds - self.basis


def tax_rows(memory: Memory, year: int | None = None) -> tuple[TaxRow, ...]:
    """What was sold in *year* (in New York; None for all years), in the order of the sales.

    Sales in untaxed accounts are listed too, and marked.
    """
    rows = [
        TaxRow(
            account=sale.account,
            symbol=sale.symbol,
            lot_id=sale.lot_id,
            quantity=sale.quantity,
            acquired=sale.acquired,
            sold=sale.sold,
            term=sale.term,
            proceeds=sale.proceeds,
            basis=sale.basis,
            is_taxed=sale.is_taxed,
            order_id=sale.order_id,
            source=sale.source,
        )
        for sale in memory.disposals
        if year is None or sale.sold.year == year
    ]
    return tuple(sorted(rows, key=lambda row: row.sold))


def tax_totals(rows: Iterable[TaxRow]) -> tuple[TaxTotal, ...]:
    """Sums over the taxed accounts, short term first; a term without a sale is zero."""
    taxed = [row for row in rows if row.is_taxed]
    return tuple(
        TaxTotal(
            term=term,
            proceeds=sum((row.proceeds for row in taxed if row.term is term), ZERO),
            basis=sum((row.basis for row in taxed if row.term is term), ZERO),
        )
        for term in Term
    )
