"""What else a plan could have done: other lots, other days, other accounts, and what they cost.

Nothing here decides. It measures the plan that was made against the choices beside it, so that an
owner can see what a choice of lots is worth before anybody trades.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from trimtab.domain.numbers import CENT, ZERO, Money, Quantity, share_of
from trimtab.domain.trades import LotPick, Side, Trade
from trimtab.domain.values import Lot, Snapshot
from trimtab.rules.plan.passed_over import Refused, instead_of_purchase, instead_of_sale, wash_of
from trimtab.rules.plan.planning import Planning
from trimtab.rules.plan.yardstick import Gains, Yardstick, paid_for
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
    for lot in yardstick.snapshot.lots:
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
    dearest = sorted(aged, key=lambda lot: -paid_for(lot))
    return (
        _lot_order(yardstick, trade, "fifo", aged),
        _lot_order(yardstick, trade, "hifo", dearest),
    )


def _lot_order(yardstick: Yardstick, trade: Trade, method: Method, lots: Sequence[Lot]) -> LotOrder:
    planned = yardstick.gains_of(trade)
    short = long = washed = ZERO
    for pick in picks_of(lots, trade.quantity):
        gains = yardstick.gains_of(trade, [pick])
        if _is_washed(yardstick, pick, gains):
            washed -= gains.total
        else:
            short, long = short + gains.short, long + gains.long
    instead = Gains(short, long)
    return LotOrder(
        method=method,
        gain=instead.total,
        price=yardstick.dearer(trade.account, planned, instead),
        washed=washed,
    )


def _is_washed(yardstick: Yardstick, pick: LotPick, gains: Gains) -> bool:
    """Whether *pick* realizes a loss that a wash sale would take and the plan does not."""
    lot = yardstick.lots[pick.lot_id]
    is_other = lot.id not in yardstick.picked
    return gains.total < 0 and is_other and wash_of(yardstick, lot) is not None


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
