"""Sales that files tell of, joined with the units that are gone from the accounts' lists."""

import datetime as dt
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from trimtab.domain.history import Transaction, TransactionKind
from trimtab.domain.numbers import CENT, ZERO, Price, Quantity
from trimtab.domain.trades import LotPick

_BIRTHS = {TransactionKind.OPENING, TransactionKind.BUY}
Purchase = tuple[str, str, dt.date | None]
"""What files tell of a purchase: the account, the symbol and the day."""


def with_told_sales(facts: Sequence[Transaction]) -> list[Transaction]:
    """*facts* with a sale for each one that a file tells of.

    It takes units that are gone from its account's list: a lot of the same day, units and cost
    before any other, then the nearest cost of that day. What no list ever showed was bought and
    sold as the file says, and could replace an earlier loss like anything else.
    """
    told = [n for n, fact in enumerate(facts) if fact.kind is TransactionKind.CLOSED]
    if not told:
        return list(facts)
    left = {n: f.quantity for n, f in enumerate(facts) if f.kind is TransactionKind.REMOVED}
    picks = _picks(told, facts, left)
    bought: dict[Purchase, str] = {}
    for fact in facts:
        if fact.kind is TransactionKind.OPENING:
            bought.setdefault(_purchase(fact), fact.order_id or fact.lot_id)
    names = {(fact.account, fact.lot_id) for fact in facts if fact.kind in _BIRTHS}
    changed: list[Transaction] = []
    for number, fact in enumerate(facts):
        if number in picks:
            changed.append(_sale(fact, picks[number]))
        elif fact.kind is TransactionKind.CLOSED:
            changed += _bought_and_sold(fact, bought, names)
        elif number not in left:
            changed.append(fact)
        elif left[number] > 0:
            changed.append(_less(fact, left[number]))
    return changed


def _picks(
    told: Sequence[int], facts: Sequence[Transaction], left: dict[int, Quantity]
) -> dict[int, tuple[LotPick, ...]]:
    """For each sale *told* of units that are gone, those units, taken out of *left*."""
    gone: dict[Purchase, list[int]] = {}
    for number in left:
        gone.setdefault(_purchase(facts[number]), []).append(number)
    picks: dict[int, tuple[LotPick, ...]] = {}
    for is_exact in (True, False):
        for number in told:
            sale = facts[number]
            places = [
                n
                for n in gone.get(_purchase(sale), ())
                if left[n] > 0
                and facts[n].date >= sale.date
                and (not is_exact or _is_exact(facts[n], left[n], sale))
            ]
            found = () if number in picks else _taken(sale, facts, places, left)
            if found:
                picks[number] = found
    return picks


def _taken(
    sale: Transaction,
    facts: Sequence[Transaction],
    places: list[int],
    left: dict[int, Quantity],
) -> tuple[LotPick, ...]:
    """What *sale* takes of the units gone at *places*; nothing unless all of it is there."""
    if sum((left[n] for n in places), ZERO) < sale.quantity:
        return ()
    places.sort(key=lambda n: abs(_unit_cost(facts[n]) - _unit_cost(sale)))
    picks, wanted = [], sale.quantity
    for n in places:
        part = min(wanted, left[n])
        if part > 0:
            picks.append(LotPick(lot_id=facts[n].picks[0].lot_id, quantity=part))
            left[n] -= part
            wanted -= part
    return tuple(picks)


def _purchase(fact: Transaction) -> Purchase:
    return fact.account, fact.symbol, fact.acquired


def _is_exact(gone: Transaction, quantity: Quantity, sale: Transaction) -> bool:
    """Whether just these units are gone, at just this cost."""
    is_whole = quantity == gone.quantity == sale.quantity
    return is_whole and abs((gone.basis or ZERO) - (sale.basis or ZERO)) <= CENT


def _unit_cost(fact: Transaction) -> Price:
    return (fact.basis or ZERO) / fact.quantity


def _sale(told: Transaction, picks: tuple[LotPick, ...]) -> Transaction:
    """The sale *told* of the units in *picks*; `acquired` stays, to order the sales of a day."""
    return replace(
        told, kind=TransactionKind.SELL, method="specified", picks=picks, lot_id="", basis=None
    )


def _bought_and_sold(
    told: Transaction, bought: Mapping[Purchase, str], names: set[tuple[str, str]]
) -> list[Transaction]:
    """What no list showed: units bought on the day that the file names, and sold.

    Other units of that day in the account are the rest of the same purchase. Where the file says
    what its wash sales disallowed, that figure stands and nothing is bought anew. *names* are
    those of all lots by account, and take in the new one.
    """
    if told.acquired is None or told.disallowed > 0:
        return [told]
    name = told.lot_id or told.id
    if (told.account, name) in names:
        name = f"{name} {told.id}"
    names.add((told.account, name))
    rest = bought.get(_purchase(told), f"{told.symbol} of {told.acquired}")
    opening = replace(
        told,
        id=name,
        lot_id=name,
        date=told.acquired,
        kind=TransactionKind.OPENING,
        amount=ZERO,
        fee=ZERO,
        order_id=rest,
    )
    return [opening, _sale(told, (LotPick(lot_id=name, quantity=told.quantity),))]


def _less(fact: Transaction, quantity: Quantity) -> Transaction:
    """Units that left, as many of them as nobody sold."""
    if quantity == fact.quantity:
        return fact
    pick = replace(fact.picks[0], quantity=quantity)
    return replace(fact, quantity=quantity, picks=(pick,))
