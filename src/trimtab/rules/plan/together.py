"""Recent purchases that are sold in one order with the losses that they would wash."""

from collections.abc import Sequence
from typing import NamedTuple

from trimtab.domain.numbers import ZERO, Money, Quantity
from trimtab.domain.values import Lot
from trimtab.rules.plan.kept import KeptLots
from trimtab.rules.tax.lots import is_long_term


class Together(NamedTuple):
    """The ids of the lots that must go whole, and the losses that they bar otherwise, by term."""

    lots: frozenset[str]
    short: Money
    long: Money

    @property
    def barred(self) -> Money:
        """All the losses that are barred."""
        return self.short + self.long


def sold_together(
    kept: KeptLots, lots: Sequence[Lot], losses: Sequence[tuple[Lot, Money]]
) -> Together | None:
    """Which of the *lots* of one place must go whole for its *losses* to be no wash sales.

    Units that one order sells do not replace each other, for nothing is left that could: the tax
    ledger counts so too. So where all that the household has bought of a group within the window
    lies in one place, and no purchase is to come, one order may sell that and take every loss
    beside it. It sells the recent units first, so that an order which is filled in part leaves none
    of them. That needs no more than one purchase that is at a loss itself: of two, each would
    replace the other until both are gone.

    None where that cannot be, or where nothing is barred: the rest of the only purchase may be lost
    by itself (Rev. Rul. 56-602).
    """
    purchases = kept.purchases(lots[0])
    barred = {True: ZERO, False: ZERO}
    for lot, loss in losses:
        if kept.wash(lot):
            barred[is_long_term(lot.holding_since, kept.today)] += loss
    if not purchases or not any(barred.values()) or kept.is_scheduled(lots[0]):
        return None
    units: dict[tuple[str, str], Quantity] = {}
    for lot in lots:
        key = lot.account, lot.root
        units[key] = units.get(key, ZERO) + lot.quantity
    for one in purchases:
        there = sum((units.get(lot, ZERO) for lot in one.lots), ZERO)
        if one.quantity is None or not one.lots <= units.keys() or there < one.quantity:
            return None
    lost = {(lot.account, lot.root) for lot, _ in losses}
    if sum(not lost.isdisjoint(one.lots) for one in purchases) > 1:
        return None
    recent = {lot.id for lot in lots if any(one.covers(lot.account, lot.root) for one in purchases)}
    return Together(frozenset(recent), short=barred[False], long=barred[True])
