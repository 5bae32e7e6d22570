"""Recent purchases that are sold in one order with the losses that they would wash."""

from collections.abc import Sequence

from trimtab.domain.numbers import ZERO, Quantity
from trimtab.domain.values import Lot
from trimtab.rules.plan.kept import KeptLots


def sold_together(
    kept: KeptLots, lots: Sequence[Lot], losses: Sequence[Lot]
) -> frozenset[str] | None:
    """The ids of the *lots* of one place that must go whole for its *losses* to be no wash sales.

    Units that one order sells do not replace each other, for nothing is left that could: the tax
    ledger counts so too. So where all that the household has bought of a group within the window
    lies in one place, and no purchase is to come, one order may sell that and take every loss
    beside it. It sells the recent units first, so that an order which is filled in part leaves none
    of them. That needs no more than one purchase that is at a loss itself: of two, each would
    replace the other until both are gone. Nor may the only one be in pieces if it is at a loss: a
    part of it may go alone too, which is said of one lot only.

    None where that cannot be, or where nothing is barred: the rest of the only purchase may be lost
    by itself (Rev. Rul. 56-602).
    """
    purchases = kept.purchases(lots[0])
    if not purchases or kept.is_scheduled(lots[0]) or not any(map(kept.wash, losses)):
        return None
    units: dict[tuple[str, str], Quantity] = {}
    for lot in lots:
        key = lot.account, lot.root
        units[key] = units.get(key, ZERO) + lot.quantity
    for one in purchases:
        there = sum((units.get(lot, ZERO) for lot in one.lots), ZERO)
        if one.quantity is None or not one.lots <= units.keys() or there < one.quantity:
            return None
    lost = {(lot.account, lot.root) for lot in losses}
    recent = [lot for lot in lots if any(one.covers(lot.account, lot.root) for one in purchases)]
    at_a_loss = sum(not lost.isdisjoint(one.lots) for one in purchases)
    is_in_pieces = len(purchases) == at_a_loss and len(recent) > 1
    if at_a_loss > 1 or is_in_pieces:
        return None
    return frozenset(lot.id for lot in recent)
