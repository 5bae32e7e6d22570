"""The household's history in the order in which it happened, out of what was told of it.

A journal learns late: files tell of lots that were bought before it began, of sales after the
units are gone from the list, of units that moved from one account to another. The ledger is told
each thing on its own day, so that it does not matter when somebody asked.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from trimtab.domain.history import TaxAccount, Transaction, TransactionKind
from trimtab.domain.numbers import CENT, ZERO, Quantity
from trimtab.domain.trades import LotPick

_MOVE_DAYS = 14
"""By how many days two files may tell of one transfer apart."""


def in_order(
    history: Sequence[Transaction], accounts: Mapping[str, TaxAccount]
) -> tuple[Transaction, ...]:
    """*history*, in the order in which the journal learned of it, each thing on its day.

    A sale that a file tells of takes the units that are gone from its account; units that left one
    account and came to another of the same person's household moved.
    """
    return on_their_days(_sold(_moved(list(history), accounts)))


def on_their_days(facts: Iterable[Transaction]) -> tuple[Transaction, ...]:
    """*facts* by their days; what was held when the records began was bought on its own day.

    Units of an opening lot whose name was told before stand on the day on which they were told.
    """
    lots: set[tuple[str, str]] = set()
    splits: dict[tuple[str, str], dt.date] = {}
    dated: list[tuple[dt.date, int, Transaction]] = []
    for number, fact in enumerate(facts):
        place, lot = (fact.account, fact.symbol), (fact.account, fact.lot_id)
        day = fact.date
        if fact.kind is TransactionKind.OPENING and lot not in lots:
            day = min(day, fact.acquired or day)
        elif fact.kind in {TransactionKind.BUY, TransactionKind.SELL}:
            # Its units are those of the day on which it was booked, after the splits until then.
            day = max(day, splits.get(place, dt.date.min))
        elif fact.kind is TransactionKind.SPLIT:
            splits[place] = fact.date
        lots.add(lot)
        dated.append((day, number, fact if day == fact.date else replace(fact, date=day)))
    return tuple(fact for _, _, fact in sorted(dated, key=lambda one: one[:2]))


def _moved(facts: list[Transaction], accounts: Mapping[str, TaxAccount]) -> list[Transaction]:
    """*facts* with a transfer in the place of units that left here and came there."""
    gone = {n: f for n, f in enumerate(facts) if f.kind is TransactionKind.REMOVED}
    if not gone:
        return facts
    kept: list[Transaction | None] = list(facts)
    for number, fact in enumerate(facts):
        if fact.kind is not TransactionKind.OPENING:
            continue
        found = next((n for n, left in gone.items() if _is_move(left, fact, accounts)), None)
        if found is None:
            continue
        left = gone.pop(found)
        kept[found] = kept[number] = None
        kept[max(found, number)] = replace(
            left,
            id=f"{fact.lot_id} moved",
            date=max(left.date, fact.date),
            kind=TransactionKind.TRANSFER,
            to_account=fact.account,
            lot_id=fact.lot_id,
        )
    return [fact for fact in kept if fact is not None]


def _is_move(left: Transaction, came: Transaction, accounts: Mapping[str, TaxAccount]) -> bool:
    """Whether what left is what came: the same units, of the same day and cost."""
    here, there = accounts.get(left.account), accounts.get(came.account)
    if here is None or there is None or here.id == there.id:
        return False
    is_alike = (left.symbol, left.acquired, left.quantity) == (
        came.symbol,
        came.acquired,
        came.quantity,
    )
    return (
        is_alike
        and here.is_taxed == there.is_taxed
        and here.taxpayer == there.taxpayer
        and abs((left.basis or ZERO) - (came.basis or ZERO)) <= CENT
        and abs((left.date - came.date).days) <= _MOVE_DAYS
    )


def _sold(facts: list[Transaction]) -> list[Transaction]:
    """*facts* with a sale in the place of units that are gone, where a file tells of it."""
    gone = [n for n, f in enumerate(facts) if f.kind is TransactionKind.REMOVED]
    left = {n: facts[n].quantity for n in gone}
    changed = list(facts)
    for number, fact in enumerate(facts):
        if fact.kind is not TransactionKind.CLOSED:
            continue
        picks = _taken(fact, facts, left)
        if picks:
            changed[number] = replace(
                fact, kind=TransactionKind.SELL, method="specified", picks=picks, lot_id=""
            )
    return [
        fact if n not in left else _less(fact, left[n])
        for n, fact in enumerate(changed)
        if left.get(n, fact.quantity) > 0 or n not in left
    ]


def _taken(
    sale: Transaction, facts: Sequence[Transaction], left: dict[int, Quantity]
) -> tuple[LotPick, ...]:
    """The units gone that *sale* sold, taken out of *left*; none unless all of it is there."""
    alike = [
        n
        for n, quantity in left.items()
        if quantity > 0
        and (facts[n].account, facts[n].symbol) == (sale.account, sale.symbol)
        and facts[n].acquired == sale.acquired
        and facts[n].date >= sale.date
    ]
    if sum((left[n] for n in alike), ZERO) < sale.quantity:
        return ()
    picks, wanted = [], sale.quantity
    for n in alike:
        part = min(wanted, left[n])
        if part > 0:
            picks.append(LotPick(lot_id=facts[n].picks[0].lot_id, quantity=part))
            left[n] -= part
            wanted -= part
    return tuple(picks)


def _less(fact: Transaction, quantity: Quantity) -> Transaction:
    """Units that left, as many of them as nobody sold."""
    if quantity == fact.quantity:
        return fact
    pick = replace(fact.picks[0], quantity=quantity)
    return replace(fact, quantity=quantity, picks=(pick,))
