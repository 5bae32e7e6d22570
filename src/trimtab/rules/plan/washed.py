"""Wash sales of what a plan could have sold instead: why, until when, and of how many units."""

import datetime as dt

from trimtab.domain.history import HOUSEHOLD
from trimtab.domain.numbers import ZERO, Quantity
from trimtab.domain.trades import Side, Trade
from trimtab.domain.values import Lot
from trimtab.rules.plan.yardstick import Yardstick


def wash_of(yardstick: Yardstick, lot: Lot) -> tuple[str, dt.date | None] | None:
    """Why a loss on *lot* would be a wash sale today, and from when not; None where it is none."""
    if yardstick.planning.wash.is_exempt(lot.symbol, yardstick.today):
        return None
    wash = yardstick.kept.wash(lot)
    if wash is not None:
        return f"{wash.because}: its loss would be a wash sale {wash.lasts}", wash.until
    own_buys = sorted(trade.symbol for trade in _bought(yardstick, lot))
    if own_buys:
        return f"this plan buys {own_buys[0]}: its loss would be a wash sale", None
    return None


def units_washed(yardstick: Yardstick, lot: Lot, quantity: Quantity) -> Quantity:
    """How many of so many units of *lot*, sold at a loss, would be replaced, share for share.

    A purchase of which units were sold since, or whose size nobody told, may replace any number.
    """
    planning = yardstick.planning
    if planning.wash.is_exempt(lot.symbol, yardstick.today):
        return ZERO
    found = sum((trade.quantity for trade in _bought(yardstick, lot)), ZERO)
    for other in yardstick.kept.recent(lot):
        if other.quantity is None:
            return quantity
        found += other.quantity
    for one in yardstick.snapshot.scheduled:
        if _is_same(yardstick, lot, one.account, one.symbol):
            quote = yardstick.snapshot.quotes.get(one.symbol)
            if one.amount <= 0 or quote is None:
                return quantity
            found += one.amount / quote.price
    return min(quantity, found)


def _bought(yardstick: Yardstick, lot: Lot) -> list[Trade]:
    """This plan's own purchases that would replace a loss on *lot*."""
    return [
        trade
        for trade in yardstick.trades
        if trade.side is Side.BUY and _is_same(yardstick, lot, trade.account, trade.symbol)
    ]


def _is_same(yardstick: Yardstick, lot: Lot, account: str, symbol: str) -> bool:
    """Whether what is bought there replaces *lot*: the same taxpayer, the same group."""
    payers = yardstick.planning.taxpayers
    return payers.get(account, HOUSEHOLD) == payers.get(lot.account, HOUSEHOLD) and (
        yardstick.group(symbol) == yardstick.group(lot.symbol)
    )
