"""What a broker's activity means for the journal: which lots are sold, made or split.

An activity may come late, twice or out of order. Each is taken in once, by its id, and its outcome
is worked out here, so that the journal's events need no rule to be folded.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from fractions import Fraction

from msgspec.structs import replace

from trimtab.domain.events import CashMoved, Event, OrderFilled, SplitApplied
from trimtab.domain.memory import Memory
from trimtab.domain.numbers import ZERO, Money, Quantity, split_quantity
from trimtab.domain.policy import LotMethod
from trimtab.domain.trades import (
    Activity,
    CashMovement,
    Fill,
    LotPick,
    Side,
    Split,
)
from trimtab.domain.values import Account, Lot, Rate, Relief, trade_date
from trimtab.rules.tax.identification import was_told
from trimtab.rules.tax.lots import book_sale, picks_of, selling_order


def new_activities(memory: Memory, activities: Sequence[Activity]) -> tuple[Activity, ...]:
    """Those not taken in yet, each once, in the order in which they happened.

    A split waits, and all that came after it, while a fill from before it may still be missing:
    a split rounds what it finds, so that a fill booked after it would come out differently.
    """
    fresh: dict[tuple[str, str], Activity] = {}
    for activity in activities:
        key = (activity.account, activity.id)
        if key not in memory.seen:
            fresh.setdefault(key, activity)
    missing = {
        known.order.id: known.outstanding for known in memory.orders.values() if known.outstanding
    }
    ready: list[Activity] = []
    for activity in sorted(fresh.values(), key=lambda activity: (activity.at, activity.id)):
        if isinstance(activity, Split) and _waits(activity, memory, missing):
            break
        if isinstance(activity, Fill) and activity.order_id in missing:
            missing[activity.order_id] -= activity.quantity
        ready.append(activity)
    return tuple(ready)


def book(activity: Activity, memory: Memory, account: Account, rates: Mapping[str, Rate]) -> Event:
    """The event that records *activity* in the household that *memory* describes."""
    match activity:
        case Fill():
            return _book_fill(activity, memory, account)
        case CashMovement():
            return CashMoved(movement=activity, in_base=_in_base(activity, memory, rates))
        case Split():
            return SplitApplied(
                split=activity, lots=split_lots(_lots_of(memory, activity), activity)
            )


def split_lots(lots: Sequence[Lot], split: Split) -> tuple[Lot, ...]:
    """*lots* after *split*: basis and dates stay, and the quantities add up to the whole split.

    A split is no purchase and no sale (26 USC 305(a), 307). Lots are rounded down in the order of
    their acquisition and the last takes what that leaves, so that lots and position agree to the
    last digit. A lot that rounds to nothing hands its basis to the next one.
    """
    total = sum((lot.quantity for lot in lots), ZERO)
    left, basis = split_quantity(total, split.numerator, split.denominator), ZERO
    after: list[Lot] = []
    for number, lot in enumerate(sorted(lots, key=lambda lot: (lot.acquired, lot.id)), start=1):
        rounded = split_quantity(lot.quantity, split.numerator, split.denominator)
        quantity = left if number == len(lots) else rounded
        left -= quantity
        basis += lot.basis
        if quantity > 0:
            after.append(replace(lot, quantity=quantity, basis=basis))
            basis = ZERO
    if after:
        after[-1] = replace(after[-1], basis=after[-1].basis + basis)
    return tuple(after)


def split_ratio(memory: Memory, account: str, symbol: str, after: dt.datetime) -> Fraction:
    """By what the units of *symbol* in *account* have multiplied since the instant *after*."""
    ratio = Fraction(1)
    for split in memory.splits:
        if (split.account, split.symbol) == (account, symbol) and split.at > after:
            ratio *= Fraction(split.numerator, split.denominator)
    return ratio


def _waits(split: Split, memory: Memory, missing: Mapping[str, Quantity]) -> bool:
    """Whether an order that *split* found may have a fill that has not arrived."""
    return any(
        quantity > 0
        and memory.orders[order_id].order.account == split.account
        and memory.orders[order_id].order.symbol == split.symbol
        for order_id, quantity in missing.items()
    )


def _book_fill(fill: Fill, memory: Memory, account: Account) -> OrderFilled:
    ratio = split_ratio(memory, fill.account, fill.symbol, fill.at)
    quantity = split_quantity(fill.quantity, ratio.numerator, ratio.denominator)
    if fill.side is Side.BUY:
        return OrderFilled(fill=fill, lot=_new_lot(fill, quantity, memory))
    picks = _picks(fill, quantity, memory, account)
    disposals = book_sale(fill, quantity, picks, memory.lots, is_taxed=account.kind.is_taxed)
    return OrderFilled(fill=fill, disposals=disposals)


def _new_lot(fill: Fill, quantity: Quantity, memory: Memory) -> Lot:
    day = trade_date(fill.at)
    cost = fill.quantity * fill.price + fill.fee
    return Lot(
        id=fill.id,
        account=fill.account,
        symbol=fill.symbol,
        quantity=quantity,
        basis=cost,
        acquired=day,
        holding_since=day,
        sellable_from=_sellable_from(memory, fill.account, cost, day),
    )


def _sellable_from(memory: Memory, account: str, cost: Money, day: dt.date) -> dt.date | None:
    """When the money that paid for a purchase is settled, if it was not yet.

    Settled money is spent first. Selling before that would be a good-faith violation in a cash
    account (Regulation T, 12 CFR 220.8).
    """
    cash = memory.cash.get((account, memory.base_currency), ZERO)
    pending = [
        waiting.settles_on
        for waiting in memory.unsettled
        if waiting.account == account and waiting.settles_on > day
    ]
    if not pending or cash - memory.unsettled_cash(account, day) >= cost:
        return None
    return max(pending)


def _picks(fill: Fill, quantity: Quantity, memory: Memory, account: Account) -> tuple[LotPick, ...]:
    """The units that the broker books: those named, where it was told of them in time.

    Should the broker have sold more than was instructed, the rest goes first in, first out: the
    law's default where nothing is identified (26 CFR 1.1012-1(c)(1)).
    """
    held = _lots_of(memory, fill)
    method: LotMethod = "hifo" if account.relief is Relief.HIFO else "fifo"
    in_order = selling_order(held, method, price=fill.price, on=trade_date(fill.at), tax=None)
    standing = picks_of(in_order, sum((lot.quantity for lot in held), ZERO))
    known = memory.orders.get(fill.order_id)
    if account.relief is not Relief.SPECIFIC or known is None or known.intended_at is None:
        return standing
    if not was_told(fill, memory, account):
        return standing
    ratio = split_ratio(memory, fill.account, fill.symbol, known.intended_at)
    done = split_quantity(known.filled, ratio.numerator, ratio.denominator)
    instructed = _after(known.order.lots, done, ratio)
    named = sum((pick.quantity for pick in instructed), ZERO)
    return instructed if named >= quantity else (*instructed, *standing)


def _after(picks: Sequence[LotPick], done: Quantity, ratio: Fraction) -> tuple[LotPick, ...]:
    """What is left of an order's *picks* once *done* units are filled."""
    left = []
    for pick in picks:
        quantity = split_quantity(pick.quantity, ratio.numerator, ratio.denominator)
        skipped = min(done, quantity)
        done -= skipped
        if quantity > skipped:
            left.append(replace(pick, quantity=quantity - skipped))
    return tuple(left)


def _in_base(movement: CashMovement, memory: Memory, rates: Mapping[str, Rate]) -> Money:
    if movement.currency == memory.base_currency:
        return movement.amount
    return movement.amount * rates[movement.currency].rate


def _lots_of(memory: Memory, activity: Fill | Split) -> list[Lot]:
    return [
        lot
        for lot in memory.lots.values()
        if lot.account == activity.account and lot.symbol == activity.symbol
    ]
