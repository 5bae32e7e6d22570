"""Which units a dividend was paid on, and what became of them.

A dividend goes to whoever held the unit when the ex-date began, in the account where it lay then;
where it went later, and how often it was split, changes nothing about that.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import localcontext
from typing import NamedTuple

from trimtab.domain.history import LotSale, Transaction
from trimtab.domain.numbers import EXACT, ONE, Quantity
from trimtab.rules.tax.dividends import Holding


class Share(NamedTuple):
    """Units of a lot on an ex-date, held since *since* for the test of the holding period."""

    lot_id: str
    since: dt.date
    quantity: Quantity


class Entitled(NamedTuple):
    """A dividend and the units that it was paid on."""

    dividend: Transaction
    shares: tuple[Share, ...]


class SplitTold(NamedTuple):
    """A split, as the first account told of it."""

    taxpayer: str
    symbol: str
    date: dt.date
    ratio: Quantity


def holdings_of(
    entitled: Entitled, sales: Iterable[LotSale], splits: Sequence[SplitTold]
) -> list[Holding]:
    """The units of *entitled* with the days of their sales, in the units of the ex-date.

    *splits* are those of its symbol.
    """
    dividend = entitled.dividend
    left = {share.lot_id: share for share in entitled.shares}
    found: list[Holding] = []
    with localcontext(EXACT):
        for row in sales:
            share = left.get(row.lot_id)
            if share is None or row.symbol != dividend.symbol or row.sold < dividend.date:
                continue
            units = row.quantity / _growth(dividend, row, splits)
            part = min(units, share.quantity)
            if part > 0:
                found.append(Holding(part, share.since, row.sold))
                left[row.lot_id] = share._replace(quantity=share.quantity - part)
        found += [Holding(one.quantity, one.since) for one in left.values() if one.quantity > 0]
    return found


def _growth(dividend: Transaction, row: LotSale, splits: Sequence[SplitTold]) -> Quantity:
    """How many units at the sale one unit of the ex-date had become."""
    ratio = ONE
    for split in splits:
        if dividend.date < split.date <= row.sold:
            ratio *= split.ratio
    return ratio
