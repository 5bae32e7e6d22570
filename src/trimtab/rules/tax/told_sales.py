"""Sales that files tell of, joined with the units that are gone from the accounts' lists."""

from collections.abc import Sequence

from msgspec.structs import replace

from trimtab.domain.history import Transaction, TransactionKind
from trimtab.domain.numbers import CENT, ZERO, Price, Quantity
from trimtab.domain.trades import LotPick


def with_told_sales(facts: Sequence[Transaction]) -> list[Transaction]:
    """*facts* with a sale for each one that a file tells of.

    It takes units that are gone from its account's list: a lot of the same day, units and cost
    before any other, then the nearest cost of that day. What no list ever showed was bought and
    sold as the file says, and could replace an earlier loss like anything else.
    """
    left = {n: f.quantity for n, f in enumerate(facts) if f.kind is TransactionKind.REMOVED}
    told = [n for n, f in enumerate(facts) if f.kind is TransactionKind.CLOSED]
    picks: dict[int, tuple[LotPick, ...]] = {}
    for is_exact in (True, False):
        for number in told:
            if number not in picks:
                found = _taken(facts[number], facts, left, is_exact=is_exact)
                if found:
                    picks[number] = found
    changed: list[Transaction] = []
    for number, fact in enumerate(facts):
        if number in picks:
            changed.append(_sale(fact, picks[number]))
        elif fact.kind is TransactionKind.CLOSED:
            changed += _bought_and_sold(fact, facts)
        elif number not in left:
            changed.append(fact)
        elif left[number] > 0:
            changed.append(_less(fact, left[number]))
    return changed


def _taken(
    sale: Transaction,
    facts: Sequence[Transaction],
    left: dict[int, Quantity],
    *,
    is_exact: bool,
) -> tuple[LotPick, ...]:
    """The units gone that *sale* sold, taken out of *left*; none unless all of it is there."""
    alike = [
        n
        for n, quantity in left.items()
        if quantity > 0
        and (facts[n].account, facts[n].symbol) == (sale.account, sale.symbol)
        and facts[n].acquired == sale.acquired
        and facts[n].date >= sale.date
        and (not is_exact or _is_exact(facts[n], quantity, sale))
    ]
    if sum((left[n] for n in alike), ZERO) < sale.quantity:
        return ()
    alike.sort(key=lambda n: abs(_unit_cost(facts[n]) - _unit_cost(sale)))
    picks, wanted = [], sale.quantity
    for n in alike:
        part = min(wanted, left[n])
        if part > 0:
            picks.append(LotPick(lot_id=facts[n].picks[0].lot_id, quantity=part))
            left[n] -= part
            wanted -= part
    return tuple(picks)


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


def _bought_and_sold(told: Transaction, facts: Sequence[Transaction]) -> list[Transaction]:
    """What no list showed: units bought on the day that the file names, and sold.

    Other units of that day in the account are the rest of the same purchase. Where the file says
    what its wash sales disallowed, that figure stands and nothing is bought anew.
    """
    if told.acquired is None or told.disallowed > 0:
        return [told]
    name = f"{told.lot_id} {told.id}"
    rest = next(
        (
            fact.order_id or fact.lot_id
            for fact in facts
            if fact.kind is TransactionKind.OPENING
            and (fact.account, fact.symbol) == (told.account, told.symbol)
            and fact.acquired == told.acquired
        ),
        f"{told.symbol} of {told.acquired}",
    )
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
