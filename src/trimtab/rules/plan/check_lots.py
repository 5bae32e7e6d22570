"""Which lots a sale may name: the order of the broker's books, or else the policy's."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from trimtab.domain.numbers import BASIS_POINT, DUST, ONE, ZERO, Money, Quantity
from trimtab.domain.trades import Trade
from trimtab.domain.values import Lot, LotPiece, Relief, trade_date
from trimtab.rules.plan.check_case import Case, name_of, place_of, root_of, told, washing


def as_booked(case: Case) -> Iterator[str]:
    """Only units that may be sold, in the order in which the broker books them."""
    today = trade_date(case.snapshot.at)
    for trade in case.sales:
        taken = _taken(trade)
        relief = case.snapshot.accounts[trade.account].relief
        left = None
        for lot in _booked(case.places[place_of(trade)], relief):
            is_taken = taken.get(lot.id, ZERO) > 0
            if is_taken and lot.sellable_from is not None and today < lot.sellable_from:
                yield (
                    f"{told(trade)} takes lot {lot.id}, which was paid with unsettled money and "
                    f"is kept until {lot.sellable_from}."
                )
            if is_taken and left is not None and relief is not Relief.SPECIFIC:
                yield (
                    f"{told(trade)} takes lot {lot.id} before lot {left.id} is sold whole, and "
                    f"the broker books {_ORDERS[relief]}."
                )
            if left is None and taken.get(lot.id, ZERO) < lot.quantity:
                left = lot


def as_chosen(case: Case) -> Iterator[str]:
    """Where lots may be named, the order of the policy; what may not be sold is passed over."""
    method = case.planning.policy.orders.lot_method
    if method == "min_tax":
        return
    buying = washing(case)
    for trade in case.sales:
        if case.snapshot.accounts[trade.account].relief is not Relief.SPECIFIC:
            continue
        taken = _taken(trade)
        ranked = _ranked(case, case.places[place_of(trade)])
        names = {lot.id for _, lot in ranked}
        for name in sorted(lot.id for lot in case.places[place_of(trade)]):
            if name in taken and name not in names:
                yield f"{told(trade)} takes lot {name}, which the policy does not name."
        left = None
        for rank, lot in ranked:
            part = taken.get(lot.id, ZERO)
            if left is not None and (rank - left[0]) * part > DUST:
                yield (
                    f"{told(trade)} takes lot {lot.id} before lot {left[1].id} is sold whole, and "
                    f"the policy's lot_method is {method}."
                )
            if left is None and part < lot.quantity and not _is_kept(case, lot, buying):
                left = rank, lot


def _taken(trade: Trade) -> dict[str, Quantity]:
    """The units of each lot that *trade* takes."""
    taken: dict[str, Quantity] = {}
    for pick in trade.lots:
        taken[name_of(pick)] = taken.get(name_of(pick), ZERO) + pick.quantity
    return taken


def _ranked(case: Case, lots: Iterable[Lot]) -> list[tuple[Decimal, Lot]]:
    """The lots that the policy would sell, with what it orders them by, the least first.

    For `hifo` that is money a unit, so that costs which differ by less than dust stand alike.
    """
    orders = case.planning.policy.orders
    named = {name: number for number, name in enumerate(orders.specified)}
    ranked = []
    rank: Decimal | int | None
    for lot in lots:
        match orders.lot_method:
            case "specified":
                rank = named.get(lot.id, named.get(root_of(lot)))
            case "hifo":
                rank = -lot.basis / lot.quantity
            case "lifo":
                rank = -lot.acquired.toordinal()
            case _:
                rank = lot.acquired.toordinal()
        if rank is not None:
            ranked.append((Decimal(rank), lot))
    return sorted(ranked, key=lambda one: (one[0], one[1].age))


def _is_kept(case: Case, lot: Lot, buying: Mapping[tuple[str, str], Sequence[str]]) -> bool:
    """Whether *lot* may not be sold now: unsettled, or at a loss that a purchase would wash."""
    snapshot, planning = case.snapshot, case.planning
    today, orders = trade_date(snapshot.at), planning.policy.orders
    if lot.sellable_from is not None and today < lot.sellable_from:
        return True
    if not snapshot.accounts[lot.account].kind.is_taxed or planning.wash.is_exempt(
        lot.symbol, today
    ):
        return False
    margin = (orders.slippage_max_bps + orders.fee_buffer_bps) * BASIS_POINT
    if snapshot.quotes[lot.symbol].bid * (ONE - margin) * lot.quantity >= lot.basis:
        return False
    taxpayer = planning.taxpayers[lot.account]
    recent = planning.recent.get((taxpayer, lot.symbol), ())
    return (taxpayer, case.group(lot.symbol)) in buying or any(
        not one.covers(lot.account, root_of(lot)) for one in recent
    )


_ORDERS = {Relief.FIFO: "first in, first out", Relief.HIFO: "what was paid most for first"}


def _booked(lots: Iterable[Lot], relief: Relief) -> list[Lot]:
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
        paid[root_of(lot)] = paid.get(root_of(lot), ZERO) + cost
        units[root_of(lot)] = units.get(root_of(lot), ZERO) + lot.quantity
    return sorted(aged, key=lambda lot: -paid[root_of(lot)] / units[root_of(lot)])
