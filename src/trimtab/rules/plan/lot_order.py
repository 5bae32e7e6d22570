"""The order in which an account sells the lots of one symbol.

The broker's standing order where it has one, else the policy's `lot_method`; under `min_tax` the
plan itself chooses, and lots stand by age.
"""

import datetime as dt
from collections.abc import Sequence
from operator import attrgetter

from trimtab.domain.numbers import ZERO, Money, Quantity
from trimtab.domain.policy import LotMethod, OrderRule
from trimtab.domain.values import Account, Lot, LotPiece, Relief
from trimtab.rules.tax.lots import selling_order

_AGE = attrgetter("age")


def in_order(lots: Sequence[Lot], account: Account, rule: OrderRule, today: dt.date) -> list[Lot]:
    """*lots* of one symbol in *account* as they go; under `specified` only those that are named."""
    method = method_of(account, rule.lot_method)
    if method == "min_tax":
        return sorted(lots, key=_AGE)
    if method == "specified":
        return _specified(lots, rule.specified)
    if account.relief is Relief.HIFO:
        return as_booked(lots)
    return selling_order(lots, method, price=ZERO, on=today, tax=None)


def method_of(account: Account, chosen: LotMethod) -> LotMethod:
    """The order in which this account's broker books lots; the policy's only where it may name."""
    match account.relief:
        case Relief.FIFO:
            return "fifo"
        case Relief.HIFO:
            return "hifo"
        case Relief.SPECIFIC:
            return chosen


def as_booked(lots: Sequence[Lot]) -> list[Lot]:
    """*lots* as a standing order of the broker takes them: what was paid most for a unit first.

    Pieces of one lot count at the one price of the whole, so that the front one goes first.
    """
    aged = sorted(lots, key=_AGE)
    paid: dict[str, Money] = {}
    units: dict[str, Quantity] = {}
    for lot in aged:
        name, cost = lot.root, lot.paid if isinstance(lot, LotPiece) else lot.basis
        paid[name] = paid.get(name, ZERO) + cost
        units[name] = units.get(name, ZERO) + lot.quantity
    return sorted(aged, key=lambda lot: -paid[lot.root] / units[lot.root])


def _specified(lots: Sequence[Lot], names: Sequence[str]) -> list[Lot]:
    """The lots that the policy names, in its order; a lot's name means all its pieces."""
    rank = {name: number for number, name in enumerate(names)}
    ranked = [
        (rank[name], lot.age, lot)
        for lot in lots
        if (name := lot.id if lot.id in rank else lot.root) in rank
    ]
    return [lot for _, _, lot in sorted(ranked, key=lambda one: one[:2])]
