"""Which lots a sale may name: the order of the broker's books, or else the policy's."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from trimtab.domain.numbers import DUST, ZERO, Money, Quantity
from trimtab.domain.values import Lot, LotPiece, Relief
from trimtab.rules.plan.check_case import Case, Line, name_of, sum_of, told


def named(case: Case) -> Iterator[str]:
    """A sale names units that are there, all of them and none twice; a purchase names none."""
    for line in case.purchases:
        if line.trade.lots:
            yield f"{told(line.trade)} names lots, which only a sale does."
    for lot in case.twice:
        yield f"Lot {lot.id} of {lot.symbol} in {lot.account} stands there twice."
    for line in case.sales:
        units = sum_of(line.taken.values())
        if units != line.trade.quantity:
            quantity = line.trade.quantity
            yield f"{told(line.trade)} is of {quantity:f} units, and its lots of {units:f}."
        yield from _strange(case, line)
    yield from _oversold(case)


def _strange(case: Case, line: Line) -> Iterator[str]:
    """Picks of what is not at the place of the sale, or of nothing."""
    own = case.lots[line.place]
    for name in line.taken:
        if name not in own:
            yield f"{told(line.trade)} names lot {name}, which is not there."
    for pick in line.trade.lots:
        if pick.quantity <= 0 and name_of(pick) in own:
            yield f"{told(line.trade)} takes {pick.quantity:f} units of lot {name_of(pick)}."


def _oversold(case: Case) -> Iterator[str]:
    """Lots of which all sales together take more than they hold."""
    sold: dict[tuple[str, str, str], Quantity] = {}
    for line in case.sales:
        for name, quantity in line.taken.items():
            key = *line.place, name
            sold[key] = sold[key] + quantity if key in sold else quantity
    for (account, symbol, name), quantity in sold.items():
        lot = case.lots[account, symbol].get(name)
        if lot is not None and quantity > lot.quantity:
            yield (
                f"{quantity:f} units of lot {name} of {symbol} in {account} would be sold, and it "
                f"holds {lot.quantity:f}."
            )


def as_booked(case: Case) -> Iterator[str]:
    """Only units that may be sold, in the order in which the broker books them."""
    for line in case.sales:
        own = case.lots[line.place]
        for name in line.taken:
            lot = own.get(name)
            if lot is not None and case.is_waiting(lot):
                yield (
                    f"{told(line.trade)} takes lot {name}, which was paid with unsettled money "
                    f"and is kept until {lot.sellable_from}."
                )
        relief = case.relief(line.trade.account)
        if relief is not Relief.SPECIFIC:
            yield from _out_of_order(line, own.values(), relief)


def _out_of_order(line: Line, lots: Iterable[Lot], relief: Relief) -> Iterator[str]:
    left = None
    for lot in booked(lots, relief):
        units = line.taken.get(lot.id, ZERO)
        if units > 0 and left is not None:
            yield (
                f"{told(line.trade)} takes lot {lot.id} before lot {left.id} is sold whole, and "
                f"the broker books {_ORDERS[relief]}."
            )
        if left is None and units < lot.quantity:
            left = lot


def as_chosen(case: Case) -> Iterator[str]:
    """Where lots may be named, the order of the policy; what may not be sold is passed over."""
    method = case.policy.orders.lot_method
    if method == "min_tax":
        return
    for line in case.sales:
        if case.relief(line.trade.account) is not Relief.SPECIFIC:
            continue
        taken, lots = line.taken, case.lots[line.place].values()
        ordered = ranked(case, lots)
        names = {lot.id for _, lot in ordered}
        for name in sorted(lot.id for lot in lots):
            if name in taken and name not in names:
                yield f"{told(line.trade)} takes lot {name}, which the policy does not name."
        left = None
        for rank, lot in ordered:
            part = taken.get(lot.id, ZERO)
            if left is not None and (rank - left[0]) * part > DUST:
                yield (
                    f"{told(line.trade)} takes lot {lot.id} before lot {left[1].id} is sold whole, "
                    f"and the policy's lot_method is {method}."
                )
            is_kept = case.is_waiting(lot) or case.may_not_be_lost(lot)
            if left is None and part < lot.quantity and not is_kept:
                left = rank, lot


def ranked(case: Case, lots: Iterable[Lot]) -> list[tuple[Decimal, Lot]]:
    """The lots that the policy would sell, with what it orders them by, the least first.

    For `hifo` that is money a unit, so that costs which differ by less than dust stand alike.
    """
    orders = case.policy.orders
    numbers = {name: number for number, name in enumerate(orders.specified)}
    found = []
    rank: Decimal | int | None
    for lot in lots:
        match orders.lot_method:
            case "specified":
                rank = numbers.get(lot.id, numbers.get(lot.root))
            case "hifo":
                rank = -lot.basis / lot.quantity
            case "lifo":
                rank = -lot.acquired.toordinal()
            case _:
                rank = lot.acquired.toordinal()
        if rank is not None:
            found.append((Decimal(rank), lot))
    return sorted(found, key=lambda one: (one[0], one[1].age))


_ORDERS = {Relief.FIFO: "first in, first out", Relief.HIFO: "what was paid most for first"}


def booked(lots: Iterable[Lot], relief: Relief) -> list[Lot]:
    """The lots of a place, in the order of the broker's books where those decide.

    The books know whole lots at what was paid for them, whatever wash sales made of their pieces.
    """
    aged = sorted(lots, key=lambda lot: lot.age)
    if relief is not Relief.HIFO:
        return aged
    paid: dict[str, Money] = {}
    units: dict[str, Quantity] = {}
    for lot in aged:
        cost = lot.paid if isinstance(lot, LotPiece) else lot.basis
        paid[lot.root] = paid.get(lot.root, ZERO) + cost
        units[lot.root] = units.get(lot.root, ZERO) + lot.quantity
    return sorted(aged, key=lambda lot: -paid[lot.root] / units[lot.root])
