"""What else a plan could have done: other lots, other days, other accounts, and what they cost.

Nothing here decides. It measures the plan that was made against the choices beside it, so that an
owner can see what a choice of lots is worth before anybody trades.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from trimtab.domain.numbers import CENT, ZERO, Money, Quantity, share_of
from trimtab.domain.trades import BandState, Side, Trade
from trimtab.domain.values import Lot, Snapshot
from trimtab.rules.plan.lot_order import as_booked
from trimtab.rules.plan.motives import cash_needed
from trimtab.rules.plan.passed_over import Refused, instead_of_purchase, instead_of_sale
from trimtab.rules.plan.planning import Planning
from trimtab.rules.plan.washed import units_washed
from trimtab.rules.plan.yardstick import Gains, Yardstick
from trimtab.rules.tax.lots import is_long_term, long_term_from, picks_of
from trimtab.rules.words import money

AGING_DAYS = 90
"""How far ahead lots are shown that turn long term."""

Method = Literal["fifo", "hifo"]


class LotOrder(Struct, frozen=True, kw_only=True):
    """The same sale with its lots taken in another order.

    `gain` is what they would realize without the loss that would be `washed`, which is positive;
    `price` by how much the year's tax would be higher than with the plan's lots, negative where it
    would be lower. A lot that may not be sold yet is in no order.
    """

    method: Method
    gain: Money
    price: Money
    washed: Money = ZERO


class AgingLot(Struct, frozen=True, kw_only=True):
    """A lot that stays, at a gain, and turns long term soon; `saves` is what waiting is worth."""

    account: str
    symbol: str
    lot_id: str
    acquired: dt.date
    quantity: Quantity
    gain: Money
    long_from: dt.date
    saves: Money


class Explained(Struct, frozen=True, kw_only=True):
    """One trade beside its alternatives; `orders` is empty where no tax depends on them."""

    account: str
    symbol: str
    side: Side
    orders: tuple[LotOrder, ...] = ()
    refused: Refused | None = None


class Explanation(Struct, frozen=True, kw_only=True):
    """A plan beside its alternatives: its trades in their order, and lots worth waiting for."""

    trades: tuple[Explained, ...]
    aging: tuple[AgingLot, ...]

    def of(self, trade: Trade) -> Explained | None:
        """What is said of *trade*."""
        key = (trade.account, trade.symbol, trade.side)
        return next(
            (one for one in self.trades if (one.account, one.symbol, one.side) == key), None
        )


def explain(
    snapshot: Snapshot,
    planning: Planning,
    trades: Sequence[Trade],
    *,
    aging_days: int = AGING_DAYS,
) -> Explanation:
    """The *trades* of a plan beside what could have been done instead.

    Without a plan, the lots worth waiting for are those that would have to be sold: of classes too
    heavy, and of accounts that lack cash.

    *snapshot* and *planning* are those that the plan was made from; the lots are wash-adjusted.
    """
    yardstick = Yardstick(snapshot, planning, trades)
    return Explanation(
        trades=tuple(_explained(yardstick, trade) for trade in trades),
        aging=aging(yardstick, aging_days),
    )


def aging(yardstick: Yardstick, days: int) -> tuple[AgingLot, ...]:
    """Lots still held after the plan whose gain turns long term within *days*.

    What waiting saves is the gain at today's bid times the difference of the household's marginal
    rates; the most valuable first.
    """
    tax = yardstick.planning.tax
    spread = tax.short_term_rate - tax.long_term_rate
    last = yardstick.today + dt.timedelta(days=days)
    found = []
    for lot in yardstick.snapshot.lots if yardstick.trades else _called_for(yardstick):
        quantity = yardstick.left[lot.id]
        if quantity <= 0 or not yardstick.account(lot.account).kind.is_taxed:
            continue
        long_from = long_term_from(lot.holding_since)
        if is_long_term(lot.holding_since, yardstick.today) or long_from > last:
            continue
        proceeds = quantity * yardstick.snapshot.quotes[lot.symbol].bid
        gain = proceeds - share_of(lot.basis, quantity, lot.quantity)
        if gain * spread >= CENT:
            found.append(_aging_lot(lot, quantity, gain, long_from, gain * spread))
    found.sort(key=lambda one: (-one.saves, one.account, one.symbol, one.lot_id))
    return tuple(found)


def order_words(order: LotOrder, currency: str) -> str:
    """What taking the lots in that order would have cost, as a part of a sentence."""
    name = "first in, first out" if order.method == "fifo" else "highest cost first"
    if abs(order.price) < CENT:
        text = f"{name} costs the same"
    else:
        words = "more" if order.price > 0 else "less"
        text = f"{name} would cost {money(abs(order.price), currency)} {words} tax"
    if order.washed < CENT:
        return text
    return f"{text}, and {money(order.washed, currency)} of its loss would be a wash sale"


def _explained(yardstick: Yardstick, trade: Trade) -> Explained:
    is_sale = trade.side is Side.SELL
    find = instead_of_sale if is_sale else instead_of_purchase
    return Explained(
        account=trade.account,
        symbol=trade.symbol,
        side=trade.side,
        orders=_orders(yardstick, trade) if is_sale else (),
        refused=find(yardstick, trade),
    )


def _orders(yardstick: Yardstick, trade: Trade) -> tuple[LotOrder, ...]:
    """The sale with FIFO and with HIFO; nothing where it is not taxed or its lots are not known."""
    if not yardstick.account(trade.account).kind.is_taxed or not trade.lots:
        return ()
    aged = [
        lot
        for lot in yardstick.held(trade.account, trade.symbol)
        if lot.sellable_from is None or lot.sellable_from <= yardstick.today
    ]
    return (
        _lot_order(yardstick, trade, "fifo", aged),
        _lot_order(yardstick, trade, "hifo", as_booked(aged)),
    )


def _lot_order(yardstick: Yardstick, trade: Trade, method: Method, lots: Sequence[Lot]) -> LotOrder:
    planned = yardstick.gains_of(trade)
    short = long = washed = taken = ZERO
    for pick in picks_of(lots, trade.quantity):
        gains = yardstick.gains_of(trade, [pick])
        if gains.total < 0 and pick.lot_id not in yardstick.picked:
            lot = yardstick.lots[pick.lot_id]
            # What replaces one lot's units replaces no other's: share for share.
            replaced = units_washed(yardstick, lot, taken + pick.quantity) - taken
            part = min(pick.quantity, max(ZERO, replaced))
            taken += part
            lost = share_of(-gains.total, part, pick.quantity)
            washed += lost
            gains = gains.times((pick.quantity - part) / pick.quantity)
        short, long = short + gains.short, long + gains.long
    instead = Gains(short, long)
    return LotOrder(
        method=method,
        gain=instead.total,
        price=yardstick.dearer(trade.account, planned, instead),
        washed=washed,
    )


def _called_for(yardstick: Yardstick) -> list[Lot]:
    """Lots of classes that are under correction and too heavy, and of accounts that lack cash."""
    planning, snapshot = yardstick.planning, yardstick.snapshot
    heavy = {
        symbol
        for drift in planning.drifts
        if drift.drift > 0 and drift.state is BandState.CORRECTING
        for symbol in planning.policy.classes[drift.asset_class].members
    }
    lacking = cash_needed(snapshot, planning).keys() & planning.due.keys()
    return [
        lot
        for lot in snapshot.lots
        if lot.symbol in snapshot.quotes and (lot.symbol in heavy or lot.account in lacking)
    ]


def _aging_lot(
    lot: Lot, quantity: Quantity, gain: Money, long_from: dt.date, saves: Money
) -> AgingLot:
    return AgingLot(
        account=lot.account,
        symbol=lot.symbol,
        lot_id=lot.id,
        acquired=lot.acquired,
        quantity=quantity,
        gain=gain,
        long_from=long_from,
        saves=saves,
    )
