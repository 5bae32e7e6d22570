"""The first planner: the shortest way back that pays little tax, by plain rules.

1. A class under correction that is heavy sells its excess, from the lots that cost least tax per
   dollar, wherever in the household they lie.
2. The cash of each account, new money first of all, buys what is light in the same account.
3. A class under correction that is still light is funded by the cheapest sale of what is heavy,
   and no more than it needs.

Each step starts from the household as it would be after the steps before, at their limit prices,
and planning ends when no step finds anything to do: so planning again once the plan was carried
out finds nothing. Wallets come first, since what they hold and bring stays in them.
"""

import hashlib
from collections.abc import Sequence

import msgspec

from trimtab.domain.numbers import ZERO
from trimtab.domain.trades import LotPick, Plan, Refusal, Side, Trade
from trimtab.domain.values import Snapshot
from trimtab.rules.plan.buying import buy, why_light
from trimtab.rules.plan.selling import sell_excess, sell_to_fund, with_tax
from trimtab.rules.plan.table import Planning, lay_out
from trimtab.rules.words import money, percent

_STEPS_MAX = 100
"""Five or six are the rule; costs, and a reserve that fills up, can make a few more."""


def make_plan(
    snapshot: Snapshot, planning: Planning
) -> tuple[tuple[Trade, ...], tuple[Refusal, ...]]:
    """The trades to do now, sells first, and what was wanted but could not be."""
    trades: list[Trade] = []
    refusals: list[Refusal] = []
    for _ in range(_STEPS_MAX):
        step, refusals = _next_step(snapshot, planning, trades)
        if not step:
            break
        trades += step
    merged = _merged(trades, snapshot)
    taxed = tuple(with_tax(trade, snapshot, planning) for trade in merged)
    return taxed, tuple(dict.fromkeys(refusals))


def _next_step(
    snapshot: Snapshot, planning: Planning, trades: Sequence[Trade]
) -> tuple[list[Trade], list[Refusal]]:
    """The first of the three steps, wallets first, that finds something to do after *trades*."""
    refusals: list[Refusal] = []
    for in_wallets in (True, False):
        table = lay_out(snapshot, planning, trades, in_wallets=in_wallets)
        if not table.open_accounts():
            continue
        for find in (sell_excess, buy, sell_to_fund):
            step = find(table)
            if step:
                return step, []
        refusals += table.refusals
    return [], [*refusals, *why_light(snapshot, planning, trades)]


def plan_id(household: str, cycle: str, trades: Sequence[Trade]) -> str:
    """The same plan in the same cycle has the same id on any machine."""
    content = msgspec.json.encode([household, cycle, list(trades)], order="deterministic")
    return hashlib.sha256(content).hexdigest()[:16]


def describe(plan: Plan, currency: str) -> str:
    """A plan in one sentence: how many trades, what they move, the tax, the worst drift."""
    count = len(plan.trades)
    if all(trade.side is Side.BUY for trade in plan.trades):
        tax_words = "nothing is sold, so no tax"
    elif plan.tax < 0:
        tax_words = f"saves {money(-plan.tax, currency)} of tax"
    else:
        tax_words = f"tax {money(plan.tax, currency)}"
    before = max((abs(drift.drift) for drift in plan.before), default=ZERO)
    after = max((abs(drift.drift) for drift in plan.after), default=ZERO)
    return (
        f"{count} trade{'' if count == 1 else 's'} moving {money(plan.turnover, currency)}; "
        f"{tax_words}; largest drift {percent(before, 2)} before, {percent(after, 2)} after."
    )


def _merged(trades: Sequence[Trade], snapshot: Snapshot) -> tuple[Trade, ...]:
    """One trade for each account, symbol and side; sells first, then buys, the largest first."""
    merged: dict[tuple[str, str, Side], Trade] = {}
    own_lots = {lot.id for lot in snapshot.lots}
    for trade in trades:
        assert all(pick.lot_id in own_lots for pick in trade.lots), "only lots that exist are sold"
        key = (trade.account, trade.symbol, trade.side)
        known = merged.get(key)
        merged[key] = trade if known is None else _together(known, trade)
    for account, symbol, _ in merged:
        both = (account, symbol, Side.BUY) in merged and (account, symbol, Side.SELL) in merged
        assert not both, f"{symbol} would be bought and sold in {account}"
    return tuple(
        sorted(
            merged.values(),
            key=lambda t: (t.side is Side.BUY, -t.value, t.account, t.symbol),
        )
    )


def _together(first: Trade, second: Trade) -> Trade:
    picks: dict[str, LotPick] = {pick.lot_id: pick for pick in first.lots}
    for pick in second.lots:
        known = picks.get(pick.lot_id)
        quantity = pick.quantity if known is None else known.quantity + pick.quantity
        picks[pick.lot_id] = LotPick(lot_id=pick.lot_id, quantity=quantity)
    return msgspec.structs.replace(
        first,
        quantity=first.quantity + second.quantity,
        lots=tuple(picks.values()),
        cost=first.cost + second.cost,
    )
