"""What the journal's events mean for the tax history: facts only, and no rule.

A household's past is told to the tax ledger in the order in which the journal learned of it.
"""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

from trimtab.domain.events import AccountOpened, Event, OrderFilled, SalesRecorded, SplitApplied
from trimtab.domain.history import Transaction, TransactionKind
from trimtab.domain.numbers import ZERO
from trimtab.domain.trades import Disposal, LotPick, Side
from trimtab.domain.values import Lot, trade_date


def tax_facts(event: Event, at: dt.datetime, lots: Mapping[str, Lot]) -> tuple[Transaction, ...]:
    """The transactions that *event*, journaled at *at*, adds; *lots* are those held before it."""
    match event:
        case AccountOpened():
            return _restated(event, trade_date(at), lots)
        case SalesRecorded():
            return tuple(closed_fact(sale) for sale in event.disposals)
        case OrderFilled():
            return (_filled(event),)
        case SplitApplied():
            return (_split(event, trade_date(at)),)
    return ()


def _restated(
    event: AccountOpened, on: dt.date, lots: Mapping[str, Lot]
) -> tuple[Transaction, ...]:
    """Lots as an account's books now begin: what stays as it was is not told again."""
    before = {lot.id: lot for lot in lots.values() if lot.account == event.account}
    after = {lot.id: lot for lot in event.lots}
    facts = []
    for lot in before.values():
        gone = _gone(lot, after.get(lot.id))
        if gone > 0:
            facts.append(_removed(lot, gone, on))
    for lot in event.lots:
        known = before.get(lot.id)
        if known is None or _gone(known, lot) == known.quantity:
            facts.append(opening_fact(lot, on))
    return tuple(facts)


def _gone(lot: Lot, later: Lot | None) -> Decimal:
    """How many units of *lot* are there no more; all of them where it became another lot."""
    if later is None:
        return lot.quantity
    is_same = (lot.symbol, lot.acquired) == (later.symbol, later.acquired)
    is_part = later.quantity * lot.basis == lot.quantity * later.basis
    if is_same and is_part and later.quantity <= lot.quantity:
        return lot.quantity - later.quantity
    return lot.quantity


def _removed(lot: Lot, quantity: Decimal, on: dt.date) -> Transaction:
    return Transaction(
        id=f"{lot.id} removed",
        date=on,
        account=lot.account,
        kind=TransactionKind.REMOVED,
        symbol=lot.symbol,
        quantity=quantity,
        method="specified",
        picks=(LotPick(lot_id=lot.id, quantity=quantity),),
        source="journal",
    )


def opening_fact(lot: Lot, on: dt.date) -> Transaction:
    """Units held when the records begin, on *on*."""
    return Transaction(
        id=lot.id,
        lot_id=lot.id,
        date=on,
        account=lot.account,
        kind=TransactionKind.OPENING,
        symbol=lot.symbol,
        quantity=lot.quantity,
        basis=lot.basis,
        acquired=lot.acquired,
        holding_since=lot.holding_since,
        source="journal",
    )


def closed_fact(sale: Disposal) -> Transaction:
    """A sale from before the records."""
    return Transaction(
        id=sale.id,
        lot_id=sale.lot_id,
        date=sale.sold,
        account=sale.account,
        kind=TransactionKind.CLOSED,
        symbol=sale.symbol,
        quantity=sale.quantity,
        amount=sale.proceeds,
        basis=sale.basis,
        acquired=sale.acquired,
        holding_since=sale.holding_since,
        source=sale.source,
    )


def _filled(event: OrderFilled) -> Transaction:
    """A fill, in the units of the day on which it was booked."""
    fill, lot = event.fill, event.lot
    value = fill.quantity * fill.price
    if fill.side is Side.BUY:
        assert lot is not None, f"the purchase {fill.id} made no lot"
        return Transaction(
            id=fill.id,
            lot_id=lot.id,
            date=lot.acquired,
            account=fill.account,
            kind=TransactionKind.BUY,
            symbol=fill.symbol,
            quantity=lot.quantity,
            amount=value,
            fee=fill.fee,
            order_id=fill.order_id,
            source="journal",
        )
    sold = sum((disposal.quantity for disposal in event.disposals), ZERO)
    return Transaction(
        id=fill.id,
        date=trade_date(fill.at),
        account=fill.account,
        kind=TransactionKind.SELL,
        symbol=fill.symbol,
        quantity=sold,
        amount=value,
        fee=fill.fee,
        order_id=fill.order_id,
        method="specified",
        picks=tuple(
            LotPick(lot_id=disposal.lot_id, quantity=disposal.quantity, piece=disposal.piece)
            for disposal in event.disposals
        ),
        source="journal",
    )


def _split(event: SplitApplied, on: dt.date) -> Transaction:
    split = event.split
    return Transaction(
        id=split.id,
        date=on,
        account=split.account,
        kind=TransactionKind.SPLIT,
        symbol=split.symbol,
        numerator=split.numerator,
        denominator=split.denominator,
        picks=tuple(LotPick(lot_id=lot.id, quantity=lot.quantity) for lot in event.lots),
        source="journal",
    )
