"""What the journal's events mean for the tax history: facts only, and no rule.

A household's past is told to the tax ledger in the order in which the journal learned of it.
"""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from trimtab.domain.events import AccountOpened, Event, OrderFilled, SalesRecorded, SplitApplied
from trimtab.domain.history import Transaction, TransactionKind
from trimtab.domain.numbers import CENT, ZERO, share_of
from trimtab.domain.trades import Disposal, LotPick, Side
from trimtab.domain.values import Lot, trade_date

_RATIO_MAX = 1000
"""No split is of more new or old units than this."""
_SPLIT_SLACK = Decimal("0.001")
"""How far a broker rounds the units of a lot after a split."""


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
    """Lots as an account's books now begin: what stays as it was is not told again.

    A lot that keeps its name, symbol and date stays what it was, with what wash sales made of it:
    units can have left, been split, or cost a little more or less than was told.
    """
    before = {lot.id: lot for lot in lots.values() if lot.account == event.account}
    after = {lot.id: lot for lot in event.lots}
    names = _renamed(before, after)
    known = {names.get(name, name): lot for name, lot in before.items() if name in names}
    known |= {n: lot for n, lot in before.items() if n not in names and n not in known}
    gone = [lot for name, lot in before.items() if known.get(names.get(name, name)) is not lot]
    gone += [lot for name, lot in known.items() if name not in after]
    gone += [lot for lot in lots.values() if lot.id in after and lot.account != event.account]
    facts = [_removed(lot, lot.quantity, on) for lot in gone]
    facts += [_rename(before[old], new, on) for old, new in names.items()]
    same = {
        name: (known[name], lot)
        for name, lot in after.items()
        if name in known and _is_same_purchase(known[name], lot)
    }
    facts += _split_facts(event.account, on, same)
    for name, lot in after.items():
        if name in same:
            facts += _changes(*same[name], on)
            continue
        if name in known:
            facts.append(_removed(known[name], known[name].quantity, on, name))
        facts.append(opening_fact(lot, on))
    return tuple(facts)


def _renamed(before: Mapping[str, Lot], after: Mapping[str, Lot]) -> dict[str, str]:
    """Old names by lot that a file calls otherwise now: the same units, of one day and cost.

    Lists without names number their lots, so that one which goes renames those behind it.
    """
    kept = {name for name, lot in after.items() if name in before and _is_alike(before[name], lot)}
    free = [name for name in after if name not in kept]
    names: dict[str, str] = {}
    for old, lot in before.items():
        if old in kept:
            continue
        new = next((name for name in free if _is_alike(lot, after[name])), None)
        if new is not None:
            names[old] = new
            free.remove(new)
    return names


def _is_alike(known: Lot, later: Lot) -> bool:
    """Whether both are the same units of one purchase, whatever they are called."""
    return (known.symbol, known.acquired, known.quantity) == (
        later.symbol,
        later.acquired,
        later.quantity,
    ) and abs(known.basis - later.basis) <= CENT


def _rename(lot: Lot, name: str, on: dt.date) -> Transaction:
    return Transaction(
        id=f"{lot.id} is {name}",
        date=on,
        account=lot.account,
        kind=TransactionKind.RENAMED,
        symbol=lot.symbol,
        lot_id=lot.id,
        text=name,
        source="journal",
    )


def _is_same_purchase(known: Lot, later: Lot) -> bool:
    """Whether *later* can be *known* as it is now: fewer units, a split, or a corrected cost."""
    if (known.symbol, known.acquired) != (later.symbol, later.acquired):
        return False
    return later.quantity <= known.quantity or _is_split(known, later)


def _is_split(known: Lot, later: Lot) -> bool:
    """Whether the units differ and their cost does not."""
    return later.quantity != known.quantity and abs(later.basis - known.basis) <= CENT


def _splits_by(known: Lot, later: Lot, ratio: Fraction) -> bool:
    """Whether *later* is *known* after a split of *ratio*, as a broker rounds it."""
    units = known.quantity * ratio.numerator / ratio.denominator
    return _is_split(known, later) and abs(units - later.quantity) <= _SPLIT_SLACK


def _split_facts(
    account: str, on: dt.date, same: Mapping[str, tuple[Lot, Lot]]
) -> list[Transaction]:
    """A split for each symbol of which every lot became more or fewer units in one ratio."""
    by_symbol: dict[str, list[tuple[Lot, Lot]]] = {}
    for known, later in same.values():
        by_symbol.setdefault(known.symbol, []).append((known, later))
    facts = []
    for symbol, pairs in by_symbol.items():
        known, later = pairs[0]
        ratio = Fraction(later.quantity) / Fraction(known.quantity)
        simple = ratio.limit_denominator(_RATIO_MAX)
        is_one = all(_splits_by(one, other, simple) for one, other in pairs)
        if is_one and simple > 0:
            facts.append(
                Transaction(
                    id=f"{symbol} split told on {on}",
                    date=on,
                    account=account,
                    kind=TransactionKind.SPLIT,
                    symbol=symbol,
                    numerator=simple.numerator,
                    denominator=simple.denominator,
                    picks=tuple(
                        LotPick(lot_id=other.id, quantity=other.quantity) for _, other in pairs
                    ),
                    source="journal",
                )
            )
    return facts


def _changes(known: Lot, later: Lot, on: dt.date) -> list[Transaction]:
    """What became of a lot besides a split: units that left, another cost."""
    facts = []
    basis = known.basis
    if later.quantity != known.quantity and not _is_split(known, later):
        gone = _removed(known, known.quantity - later.quantity, on, later.id)
        basis -= gone.basis or ZERO
        facts.append(gone)
    if abs(later.basis - basis) > CENT:
        facts.append(
            Transaction(
                id=f"{later.id} restated",
                date=on,
                account=later.account,
                kind=TransactionKind.RESTATED,
                symbol=later.symbol,
                lot_id=later.id,
                basis=later.basis,
                source="journal",
            )
        )
    return facts


def _removed(lot: Lot, quantity: Decimal, on: dt.date, name: str = "") -> Transaction:
    """Units of *lot* that left; *name* is what it is called now, where that is not its id."""
    return Transaction(
        id=f"{lot.id} removed",
        date=on,
        account=lot.account,
        kind=TransactionKind.REMOVED,
        symbol=lot.symbol,
        quantity=quantity,
        basis=share_of(lot.basis, quantity, lot.quantity),
        acquired=lot.acquired,
        method="specified",
        picks=(LotPick(lot_id=name or lot.id, quantity=quantity),),
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
