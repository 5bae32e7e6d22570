"""Which rows of a broker's file tell of the same units as which rows of ours.

Brokers split and join rows as they like: one row for a sale of several lots, "various" for the
purchase, an adjusted date, the day of settlement. So rows are paired from the surest likeness to
the weakest, and rows whose quantities add up to the same are paired as sets.
"""

import datetime as dt
from collections.abc import Callable, Hashable, Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple, TypeVar

from trimtab.domain.imported import BrokerSale
from trimtab.domain.numbers import ZERO, Quantity, to_cents
from trimtab.rules.tax.form8949 import FormRow

_PLACES_MIN = 3
"""A broker's quantity with fewer decimals is taken to be exact."""
_HALF = Decimal("0.5")

Ours = list[FormRow]
Theirs = list[BrokerSale]
_Row = TypeVar("_Row")


class Pair(NamedTuple):
    """Rows that tell of the same units; one side is empty where the other has no counterpart.

    Where the quantities of both sides differ, they share only the symbol and the day.
    """

    ours: tuple[FormRow, ...]
    theirs: tuple[BrokerSale, ...]


def paired(
    rows: Iterable[FormRow], sales: Iterable[BrokerSale], *, settlement_days_max: int
) -> tuple[Pair, ...]:
    """Every row of both sides, in exactly one pair; ordered by account, symbol and day.

    Both sides call accounts and symbols the same. A broker's row that no trade of its day fits is
    tried with trades of up to *settlement_days_max* calendar days before; so is one of the same
    quantity and proceeds as such a trade, before weaker likenesses of its own day.
    """
    ours, theirs = _bucketed(rows, _ours_place), _bucketed(sales, _theirs_place)
    pairs: list[Pair] = []
    for place in {**ours, **theirs}:
        pairs += _paired_in(ours.get(place, []), theirs.get(place, []), settlement_days_max)
    return tuple(sorted(pairs, key=_order))


def quantity_slack(quantity: Quantity) -> Quantity:
    """How far off a broker's *quantity* may be because it was printed with few decimals.

    Examples:
        >>> quantity_slack(Decimal("0.3333"))
        Decimal('0.00005')
        >>> quantity_slack(Decimal("10"))
        Decimal('0')
    """
    places = -int(quantity.as_tuple().exponent)
    return _HALF.scaleb(-places) if places >= _PLACES_MIN else ZERO


def _paired_in(ours: Ours, theirs: Theirs, settlement_days_max: int) -> list[Pair]:
    """The pairs of one symbol in one account."""
    pairs: list[Pair] = []

    def settled_later(left: Ours, right: Theirs, found: list[Pair]) -> tuple[Ours, Theirs]:
        return _settled_later(left, right, settlement_days_max, found)

    passes: tuple[tuple[_Key[FormRow], _Key[BrokerSale], _Match], ...] = (
        (_ours_whole, _theirs_whole, _one_to_one),
        (_ours_sold_for, _theirs_sold_for, _one_to_one),
        (_ours_proceeds, _theirs_proceeds, settled_later),
        (_ours_bought_and_sold, _theirs_bought_and_sold, _one_to_one),
        (_ours_bought_and_sold, _theirs_bought_and_sold, _sets),
        (_ours_sold, _theirs_sold_various, _one_to_one),
        (_ours_sold, _theirs_sold, _one_to_one),
        (_ours_sold, _theirs_sold, _sets),
        (_all, _all, settled_later),
    )
    for ours_key, theirs_key, match in passes:
        ours, theirs = _pass(_bucketed(ours, ours_key), _bucketed(theirs, theirs_key), match, pairs)
    left, right = _bucketed(ours, _ours_sold), _bucketed(theirs, _theirs_sold)
    pairs += [
        Pair(tuple(left.get(day, ())), tuple(right.get(day, ()))) for day in {**left, **right}
    ]
    return pairs


_Key = Callable[[_Row], Hashable]
_Match = Callable[[Ours, Theirs, list[Pair]], tuple[Ours, Theirs]]


def _pass(
    ours: dict[Hashable, Ours], theirs: dict[Hashable, Theirs], match: _Match, pairs: list[Pair]
) -> tuple[Ours, Theirs]:
    """Match bucket by bucket; gives what is left on both sides."""
    ours_left: Ours = []
    theirs_left: Theirs = []
    for key in {**ours, **theirs}:
        left, right = match(ours.get(key, []), theirs.get(key, []), pairs)
        ours_left += left
        theirs_left += right
    return ours_left, theirs_left


def _one_to_one(ours: Ours, theirs: Theirs, pairs: list[Pair]) -> tuple[Ours, Theirs]:
    """Pair single rows of equal quantity, then of the nearest amounts."""
    left, right = sorted(ours, key=_ours_size), sorted(theirs, key=_theirs_size)
    ours_left: Ours = []
    theirs_left: Theirs = []
    at = 0
    for row in left:
        while at < len(right) and row.quantity - right[at].quantity > _slack(right[at]):
            theirs_left.append(right[at])
            at += 1
        if at < len(right) and abs(row.quantity - right[at].quantity) <= _slack(right[at]):
            pairs.append(Pair((row,), (right[at],)))
            at += 1
        else:
            ours_left.append(row)
    return ours_left, theirs_left + right[at:]


def _sets(ours: Ours, theirs: Theirs, pairs: list[Pair]) -> tuple[Ours, Theirs]:
    """Pair runs of rows, the oldest purchase first, wherever the quantities so far are the same."""
    left, right = sorted(ours, key=_ours_age), sorted(theirs, key=_theirs_age)
    if not left or not right:
        return left, right
    first, second = 0, 0
    from_first, from_second = 0, 0
    balance = slack = ZERO
    while first < len(left) or second < len(right):
        if second < len(right) and (balance > slack or first == len(left)):
            balance -= right[second].quantity
            slack += _slack(right[second])
            second += 1
        elif first < len(left):
            balance += left[first].quantity
            first += 1
        if abs(balance) <= slack and first > from_first and second > from_second:
            pairs.append(Pair(tuple(left[from_first:first]), tuple(right[from_second:second])))
            from_first, from_second = first, second
            balance = slack = ZERO
    return left[from_first:], right[from_second:]


def _settled_later(
    ours: Ours, theirs: Theirs, days_max: int, pairs: list[Pair]
) -> tuple[Ours, Theirs]:
    """Pair rows that the broker dates up to *days_max* days after the trade."""
    left = _bucketed(sorted(ours, key=_ours_sold), _ours_sold)
    right = _bucketed(sorted(theirs, key=_theirs_sold), _theirs_sold)
    for day in left:
        for later in range(1, days_max + 1):
            settled = day + dt.timedelta(days=later)
            for match in (_one_to_one, _sets):
                if left[day] and right.get(settled):
                    left[day], right[settled] = match(left[day], right[settled], pairs)
    return (
        [row for rows in left.values() for row in rows],
        [sale for sales in right.values() for sale in sales],
    )


_K = TypeVar("_K", bound=Hashable)


def _bucketed(rows: Iterable[_Row], key: Callable[[_Row], _K]) -> dict[_K, list[_Row]]:
    buckets: dict[_K, list[_Row]] = {}
    for row in rows:
        buckets.setdefault(key(row), []).append(row)
    return buckets


def _slack(sale: BrokerSale) -> Quantity:
    return quantity_slack(sale.quantity)


def _ours_place(row: FormRow) -> tuple[str, str]:
    return row.account, row.symbol


def _theirs_place(sale: BrokerSale) -> tuple[str, str]:
    return sale.account, sale.symbol


def _all(_: object) -> Hashable:
    return None


def _ours_proceeds(row: FormRow) -> Hashable:
    return to_cents(row.own_proceeds)


def _theirs_proceeds(sale: BrokerSale) -> Hashable:
    return to_cents(sale.proceeds)


def _ours_sold_for(row: FormRow) -> Hashable:
    return row.sold, to_cents(row.own_proceeds)


def _theirs_sold_for(sale: BrokerSale) -> Hashable:
    return sale.sold, to_cents(sale.proceeds)


def _ours_whole(row: FormRow) -> Hashable:
    return row.sold, row.acquired, to_cents(row.own_proceeds)


def _theirs_whole(sale: BrokerSale) -> Hashable:
    return sale.sold, sale.acquired or sale.line, to_cents(sale.proceeds)


def _ours_bought_and_sold(row: FormRow) -> Hashable:
    return row.sold, row.acquired


def _theirs_bought_and_sold(sale: BrokerSale) -> Hashable:
    return sale.sold, sale.acquired or sale.line


def _ours_sold(row: FormRow) -> dt.date:
    return row.sold


def _theirs_sold(sale: BrokerSale) -> dt.date:
    return sale.sold


def _theirs_sold_various(sale: BrokerSale) -> Hashable:
    return sale.sold if sale.acquired is None else sale.line


def _ours_size(row: FormRow) -> tuple[Quantity, Decimal, Decimal, str]:
    return row.quantity, row.own_proceeds, row.own_basis, row.id


def _theirs_size(sale: BrokerSale) -> tuple[Quantity, Decimal, Decimal, int]:
    return sale.quantity, sale.proceeds, sale.basis or ZERO, sale.line


def _ours_age(row: FormRow) -> tuple[dt.date, Quantity, str]:
    return row.acquired or row.holding_since, row.quantity, row.id


def _theirs_age(sale: BrokerSale) -> tuple[dt.date, Quantity, int]:
    return sale.acquired or dt.date.max, sale.quantity, sale.line


def _order(pair: Pair) -> tuple[str, str, dt.date, str, int]:
    row: Sequence[FormRow | BrokerSale] = pair.ours or pair.theirs
    ids = min((one.id for one in pair.ours), default="")
    lines = min((one.line for one in pair.theirs), default=0)
    return row[0].account, row[0].symbol, row[0].sold, ids, lines
