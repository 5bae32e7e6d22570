"""Recent purchases that are sold in one order with the losses that they would wash."""

from collections.abc import Sequence

from trimtab.domain.numbers import ZERO, Money, Quantity
from trimtab.domain.values import Lot
from trimtab.rules.plan.kept import KeptLots


def sold_together(
    kept: KeptLots, lots: Sequence[Lot], losses: Sequence[tuple[Lot, Money]]
) -> frozenset[str]:
    """The ids of the *lots* of one place that must go whole for its *losses* to be no wash sales.

    Units that one order sells do not replace each other, for nothing is left that could: the tax
    ledger counts so too. So where all that the household has bought of a group within the window
    lies in one place, and no purchase is to come, one order may sell that and take every loss
    beside it. It sells the recent units first, so that an order which is filled in part leaves none
    of them. That needs no more than one purchase that is at a loss itself: of two, each would
    replace the other until both are gone.

    Empty where that cannot be, or where less is lost on what a purchase bars than on what may be
    sold by itself, as the rest of the only one (Rev. Rul. 56-602).
    """
    purchases = kept.purchases(lots[0])
    if not purchases or kept.is_scheduled(lots[0]):
        return frozenset()
    units: dict[tuple[str, str], Quantity] = {}
    for lot in lots:
        key = lot.account, lot.root
        units[key] = units.get(key, ZERO) + lot.quantity
    for one in purchases:
        there = sum((units.get(lot, ZERO) for lot in one.lots), ZERO)
        if one.quantity is None or there < one.quantity:
            return frozenset()
    lost = {(lot.account, lot.root) for lot, _ in losses}
    if sum(not lost.isdisjoint(one.lots) for one in purchases) > 1:
        return frozenset()
    barred = sum((loss for lot, loss in losses if kept.wash(lot)), ZERO)
    if barred * 2 <= sum((loss for _, loss in losses), ZERO):
        return frozenset()
    return frozenset(
        lot.id for lot in lots if any(one.covers(lot.account, lot.root) for one in purchases)
    )
