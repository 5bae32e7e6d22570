"""Which lots a sale takes, how long they were held, and what the sale realizes."""

import datetime as dt
from collections.abc import Iterable, Sequence
from functools import lru_cache

from trimtab.domain.numbers import ZERO, Price, Quantity, Weight, share_of
from trimtab.domain.policy import LotMethod, TaxRule
from trimtab.domain.trades import Disposal, Fill, LotPick, Term
from trimtab.domain.values import Lot, trade_date


def is_long_term(holding_since: dt.date, sold: dt.date) -> bool:
    """Whether units held since *holding_since* are long term when sold on *sold*.

    The holding period starts the day after acquisition (Rev. Rul. 66-97) and must exceed one
    calendar year counted from there (26 USC 1222, Rev. Rul. 66-7); never 365 days. What begins on
    29 February is a year old on 1 March.

    Examples:
        >>> is_long_term(dt.date(2024, 3, 4), dt.date(2025, 3, 4))
        False
        >>> is_long_term(dt.date(2024, 3, 4), dt.date(2025, 3, 5))
        True
        >>> is_long_term(dt.date(2023, 2, 28), dt.date(2024, 2, 29))
        False
    """
    return sold >= long_term_from(holding_since)


@lru_cache(maxsize=2**14)
def long_term_from(holding_since: dt.date) -> dt.date:
    """The first date on which a sale is long term."""
    start = holding_since + dt.timedelta(days=1)
    try:
        return start.replace(year=start.year + 1)
    except ValueError:
        return dt.date(start.year + 1, 3, 1)


def term_of(holding_since: dt.date, sold: dt.date) -> Term:
    """Short or long."""
    return Term.LONG if is_long_term(holding_since, sold) else Term.SHORT


def unit_tax(lot: Lot, price: Price, on: dt.date, tax: TaxRule) -> Price:
    """Tax on selling one unit of *lot* at *price*; negative for a loss, which saves tax.

    A gain or loss counts at the full marginal rate of its term; the netting of a year and the
    yearly limit on losses belong to the year's computation, not to one sale.
    """
    rate = rate_of(lot.holding_since, on, tax)
    return (price - lot.unit_cost) * rate


def rate_of(holding_since: dt.date, on: dt.date, tax: TaxRule) -> Weight:
    """The household's marginal rate on a sale of that term."""
    return tax.long_term_rate if is_long_term(holding_since, on) else tax.short_term_rate


def selling_order(
    lots: Iterable[Lot],
    method: LotMethod,
    *,
    price: Price,
    on: dt.date,
    tax: TaxRule | None,
    specified: Sequence[str] = (),
) -> list[Lot]:
    """*lots* in the order in which a sale takes them; ties go to the earlier lot.

    `hifo` minimizes the gain, `min_tax` the tax: a dearer short-term lot can cost more than a
    cheaper long-term one. `specified` takes only the lots named, in the order named.
    """
    aged = sorted(lots, key=lambda lot: lot.age)
    match method:
        case "fifo":
            return aged
        case "lifo":
            return sorted(aged, key=lambda lot: (-lot.acquired.toordinal(), *lot.age[1:]))
        case "hifo":
            return sorted(aged, key=lambda lot: -lot.unit_cost)
        case "min_tax":
            if tax is None:
                return aged
            return sorted(aged, key=lambda lot: (unit_tax(lot, price, on, tax), -lot.unit_cost))
        case "specified":
            by_id = {lot.id: lot for lot in aged}
            return [by_id[lot_id] for lot_id in specified if lot_id in by_id]


def book_sale(
    fill: Fill,
    quantity: Quantity,
    picks: Sequence[LotPick],
    lots: dict[str, Lot],
    *,
    is_taxed: bool,
) -> tuple[Disposal, ...]:
    """The disposals of one fill: *quantity* units taken from *picks* in order.

    Proceeds are net of the fee and split over the lots in proportion; the last one takes the rest,
    so that they add up to the fill exactly. *quantity* is the fill's, in today's units when a
    split came between. Picks beyond what a lot still holds are cut; the caller sees a shortage in
    the sum of the disposals.
    """
    net = fill.quantity * fill.price - fill.fee
    taken = _take(quantity, picks, lots)
    total = sum((part for _, _, part in taken), ZERO)
    disposals, left_quantity, left_proceeds = [], total, net
    left_lots = {lot.id: (lot.basis, lot.quantity) for lot, _, _ in taken}
    for number, (lot, piece, part) in enumerate(taken):
        proceeds = share_of(left_proceeds, part, left_quantity)
        left_quantity -= part
        left_proceeds -= proceeds
        left_basis, left_units = left_lots[lot.id]
        basis = share_of(left_basis, part, left_units)
        left_lots[lot.id] = (left_basis - basis, left_units - part)
        sold = trade_date(fill.at)
        disposals.append(
            Disposal(
                id=f"{fill.id}/{number}",
                account=fill.account,
                symbol=fill.symbol,
                lot_id=lot.id,
                quantity=part,
                acquired=lot.acquired,
                holding_since=lot.holding_since,
                sold=sold,
                proceeds=proceeds,
                basis=basis,
                term=term_of(lot.holding_since, sold),
                is_taxed=is_taxed,
                order_id=fill.order_id,
                piece=piece,
            )
        )
    return tuple(disposals)


def picks_of(lots: Iterable[Lot], quantity: Quantity) -> tuple[LotPick, ...]:
    """The first *quantity* units of *lots*, which are in selling order."""
    picks, left = [], quantity
    for lot in lots:
        if left <= 0:
            break
        part = min(left, lot.quantity)
        picks.append(LotPick(lot_id=lot.id, quantity=part))
        left -= part
    return tuple(picks)


def _take(
    quantity: Quantity, picks: Sequence[LotPick], lots: dict[str, Lot]
) -> list[tuple[Lot, str | None, Quantity]]:
    taken: dict[tuple[str, str | None], Quantity] = {}
    of_lot: dict[str, Quantity] = {}
    left = quantity
    for pick in picks:
        lot = lots.get(pick.lot_id)
        if lot is None or left <= 0:
            continue
        part = min(left, pick.quantity, lot.quantity - of_lot.get(lot.id, ZERO))
        if part > 0:
            key = (lot.id, pick.piece)
            taken[key] = taken.get(key, ZERO) + part
            of_lot[lot.id] = of_lot.get(lot.id, ZERO) + part
            left -= part
    return [(lots[lot_id], piece, part) for (lot_id, piece), part in taken.items()]
