"""What to hold instead of a fund that was sold at a loss, and when to go back to it.

A substitute must not be identical to what was sold, to anything else that the household sold at a
loss within 30 days, or to anything that it buys by itself (26 USC 1091).
"""

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from trimtab.domain.history import TaxLot, Transaction, TransactionKind
from trimtab.domain.numbers import ZERO, Money, Price, Quantity, Weight
from trimtab.domain.policy import HarvestRule
from trimtab.domain.trades import LotPick
from trimtab.domain.values import Relief
from trimtab.rules.tax.guard import (
    HORIZON_DAYS,
    NOTHING_ELSE,
    GuardState,
    Outlook,
    guard_sale,
)
from trimtab.rules.tax.ledger import Ledger
from trimtab.rules.tax.locks import purchase_locks
from trimtab.rules.tax.matching import first_safe_day
from trimtab.rules.tax.relief import sold_first
from trimtab.rules.tax.schedule import purchases_due
from trimtab.rules.words import money, units

OBSERVATIONS_LEAST = 24
"""Fewer past returns in common say nothing about a correlation: two years of months."""


class Market(Struct, frozen=True, kw_only=True):
    """What is known of the market and of the household's surroundings on a day.

    `prices` are of one unit before costs; `costs` by symbol what one trade costs, spread and fee
    together, as a fraction of its value. `candidates` are substitutes by symbol, the best first.
    `past_returns` end with the newest; a missing one is not a number. `permitted` are the symbols
    that may be bought, None for all. `reliefs` say by account which lots the broker books, by
    name where nothing is said. Where the household means to go back from a substitute, it
    `swaps_back`, and the costs count both ways.
    """

    on: dt.date
    prices: Mapping[str, Price]
    costs: Mapping[str, Weight] = {}
    candidates: Mapping[str, tuple[str, ...]] = {}
    past_returns: Mapping[str, Sequence[float]] = {}
    permitted: frozenset[str] | None = None
    reliefs: Mapping[str, Relief] = {}
    outlook: Outlook = NOTHING_ELSE
    swaps_back: bool = True

    def cost(self, symbol: str) -> Weight:
        """What a trade of *symbol* costs, as a fraction of its value."""
        return self.costs.get(symbol, ZERO)


class Swap(Struct, frozen=True, kw_only=True):
    """A lot that was bought as a substitute for `symbol` on the day of the loss."""

    account: str
    lot_id: str
    substitute: str
    symbol: str
    bought: dt.date


class SwapBack(Struct, frozen=True, kw_only=True):
    """Whether to go back from a substitute; `gain` is what its sale would realize after costs."""

    swap: Swap
    quantity: Quantity
    gain: Money
    picks: tuple[LotPick, ...]
    is_taken: bool
    sentence: str


def substitute_for(
    symbol: str, ledger: Ledger, rule: HarvestRule, market: Market, sold: Iterable[str] = ()
) -> tuple[str, str]:
    """What to buy instead of *symbol*, or an empty string, and why what is better may not be.

    The household's own substitutes come first, in their order, then the candidates of *market*,
    the one first whose past returns went most along with those of *symbol*. *sold* are symbols
    that are sold at a loss at the same time.
    """
    reasons: list[str] = []
    losses = sorted({symbol, *sold})
    own = rule.substitutes.get(symbol, ())
    others = [one for one in market.candidates.get(symbol, ()) if one not in own]
    for one in (*own, *by_correlation(symbol, others, market.past_returns)):
        why_not = _why_not(one, losses, ledger, market)
        if why_not is None:
            return one, "; ".join(reasons)
        reasons.append(why_not)
    return "", "; ".join(reasons) or f"no substitute for {symbol} is known"


def by_correlation(
    symbol: str, candidates: Iterable[str], past_returns: Mapping[str, Sequence[float]]
) -> list[str]:
    """*candidates*, the most correlated with *symbol* first; those not known keep their order."""
    mine = past_returns.get(symbol, ())
    ranks = {one: correlation(mine, past_returns.get(one, ())) for one in dict.fromkeys(candidates)}
    return sorted(ranks, key=lambda one: math.inf if (rank := ranks[one]) is None else -rank)


def correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    """How two series of returns that end together go along; None for too few in common.

    Examples:
        >>> correlation([0.01, 0.02] * 12, [0.03, 0.05] * 12)
        1.0
    """
    length = min(len(first), len(second))
    pairs = [
        (x, y)
        for x, y in zip(first[len(first) - length :], second[len(second) - length :], strict=True)
        if math.isfinite(x) and math.isfinite(y)
    ]
    if len(pairs) < OBSERVATIONS_LEAST:
        return None
    middle_x = math.fsum(x for x, _ in pairs) / len(pairs)
    middle_y = math.fsum(y for _, y in pairs) / len(pairs)
    spread_x = math.fsum((x - middle_x) ** 2 for x, _ in pairs)
    spread_y = math.fsum((y - middle_y) ** 2 for _, y in pairs)
    if spread_x == 0 or spread_y == 0:
        return None
    shared = math.fsum((x - middle_x) * (y - middle_y) for x, y in pairs)
    return round(shared / math.sqrt(spread_x * spread_y), 12)


def swaps_made(
    ledger: Ledger, rule: HarvestRule, candidates: Mapping[str, tuple[str, ...]]
) -> tuple[Swap, ...]:
    """Lots held that were bought in an account on the day of a loss in what they can stand for."""
    losses: dict[tuple[str, dt.date], set[str]] = {}
    for sale in ledger.sales():
        if sale.is_taxed and sale.raw_gain < 0:
            losses.setdefault((sale.account, sale.sold), set()).add(sale.symbol)
    lots = {(lot.account, lot.symbol, lot.lot_id): lot for lot in ledger.lots()}
    return tuple(
        Swap(
            account=lot.account,
            lot_id=lot.lot_id,
            substitute=lot.symbol,
            symbol=symbol,
            bought=lot.acquired,
        )
        for lot in lots.values()
        for symbol in sorted(losses.get((lot.account, lot.acquired), ()))
        if lot.is_purchase
        and lot.symbol in {*rule.substitutes.get(symbol, ()), *candidates.get(symbol, ())}
        and not ledger.identical(lot.symbol, symbol)
    )


def swaps_back(ledger: Ledger, swaps: Iterable[Swap], market: Market) -> tuple[SwapBack, ...]:
    """For each of *swaps*, whether to sell the substitute now and buy the first fund again.

    Only after the window and where no piece of the lot would realize a gain: a gain costs more
    than the difference between two similar funds is worth.
    """
    pieces: dict[tuple[str, str, str], list[TaxLot]] = {}
    for lot in ledger.lots():
        pieces.setdefault((lot.account, lot.symbol, lot.lot_id), []).append(lot)
    return tuple(
        _swap_back(ledger, swap, held, market)
        for swap in swaps
        if (held := pieces.get((swap.account, swap.substitute, swap.lot_id)))
        and swap.substitute in market.prices
    )


def proposed_sale(
    account: str, symbol: str, picks: tuple[LotPick, ...], market: Market
) -> Transaction:
    """The sale of *picks* at today's price and cost."""
    quantity = sum((pick.quantity for pick in picks), ZERO)
    amount = quantity * market.prices[symbol]
    return Transaction(
        id=f"sale of {symbol} in {account}",
        date=market.on,
        account=account,
        kind=TransactionKind.SELL,
        symbol=symbol,
        quantity=quantity,
        amount=amount,
        fee=amount * market.cost(symbol),
        method="specified",
        picks=picks,
    )


def _why_not(one: str, losses: Sequence[str], ledger: Ledger, market: Market) -> str | None:
    if market.permitted is not None and one not in market.permitted:
        return f"{one} may not be bought here"
    for symbol in losses:
        if ledger.identical(one, symbol):
            return f"{one} is identical to {symbol}, which is sold at a loss"
    lock = purchase_locks(ledger, market.on, [one]).get(one)
    if lock is not None:
        return f"{lock.symbol} was sold at a loss in {lock.account} on {lock.sold}"
    rules = [rule for rule in market.outlook.purchases if ledger.identical(rule.symbol, one)]
    yesterday = market.on - dt.timedelta(days=1)
    due = purchases_due(rules, yesterday, market.on + dt.timedelta(days=HORIZON_DAYS))
    if due:
        return f"{due[0].symbol} is bought by plan in {due[0].account} on {due[0].date}"
    return None


def _swap_back(ledger: Ledger, swap: Swap, held: Sequence[TaxLot], market: Market) -> SwapBack:
    unit = market.prices[swap.substitute] * (1 - market.cost(swap.substitute))
    gains = [unit * piece.quantity - piece.basis for piece in held]
    quantity = sum((piece.quantity for piece in held), ZERO)
    picks = tuple(
        LotPick(lot_id=piece.lot_id, quantity=piece.quantity, piece=piece.piece) for piece in held
    )
    why_not = _why_keep(ledger, swap, gains, market)
    name = f"{units(quantity)} {swap.substitute} of lot {swap.lot_id} in {swap.account}"
    if why_not is None:
        sale = proposed_sale(swap.account, swap.substitute, picks, market)
        guarded = guard_sale(ledger, sale, market.outlook)
        if guarded.state is not GuardState.CLEAR:
            why_not = guarded.sentence
    total = sum(gains, ZERO)
    if why_not is None:
        text = (
            f"Sell {name} and buy {swap.symbol} again: the window is over and the sale realizes "
            f"no gain ({money(total)} after costs)."
        )
    else:
        text = f"Keep {name}: {why_not}"
    return SwapBack(
        swap=swap,
        quantity=quantity,
        gain=total,
        picks=picks,
        is_taken=why_not is None,
        sentence=text,
    )


def _why_keep(ledger: Ledger, swap: Swap, gains: Sequence[Money], market: Market) -> str | None:
    safe = first_safe_day(swap.bought)
    if market.on < safe:
        return f"the window of the loss on {swap.symbol} is open until {safe - dt.timedelta(1)}."
    gain = sum((one for one in gains if one > 0), ZERO)
    if gain > 0:
        return (
            f"going back to {swap.symbol} would realize a gain of {money(gain)}, which costs more "
            "than the two funds differ."
        )
    if market.permitted is not None and swap.symbol not in market.permitted:
        return f"{swap.symbol} may not be bought here."
    lock = purchase_locks(ledger, market.on, [swap.symbol]).get(swap.symbol)
    if lock is not None:
        return (
            f"{lock.symbol} was sold at a loss in {lock.account} on {lock.sold}; {swap.symbol} "
            f"may be bought again from {lock.safe_from}."
        )
    relief = market.reliefs.get(swap.account, Relief.SPECIFIC)
    order = sold_first(ledger, swap.account, swap.substitute, relief)
    if order and order[0][0] != swap.lot_id:
        return f"the broker of {swap.account} would book the sale to lot {order[0][0]} first."
    return None
