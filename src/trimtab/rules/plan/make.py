"""From drift, cash and losses to a plan: the cheapest way back, checked and certified.

The household is laid out as one problem over all its accounts, solved with a proof, rounded to
orders that can be executed, checked by rules that know nothing of the solver, and explained.
"""

import hashlib
from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

import msgspec
import numpy as np
from msgspec.structs import replace

from trimtab.domain.numbers import BASIS_POINT, ZERO, Money, Weight, to_decimal
from trimtab.domain.trades import (
    BandState,
    Certificate,
    Drift,
    Plan,
    PlanCost,
    Refusal,
    Side,
    Trade,
)
from trimtab.domain.values import AccountKind, Snapshot
from trimtab.rules.holdings import Holdings, cash_class, class_of, holdings
from trimtab.rules.plan.check import faults
from trimtab.rules.plan.layout import Layout, lay_out
from trimtab.rules.plan.orders import Orders, amounts_of, at_hand_of, orders_of
from trimtab.rules.plan.planning import Planning, grain, is_clearly_light
from trimtab.rules.plan.problem import Floats, Problem, Solution
from trimtab.rules.plan.reasons import with_reasons
from trimtab.rules.plan.solve import cost_of, solve
from trimtab.rules.plan.undone import refusals_of
from trimtab.rules.words import money, percent

_HARVEST_ROUNDS = 3
_EQUAL = Weight("0.0000001")
"""Costs that differ by this part of the value are one."""


class Planned(NamedTuple):
    """The trades to do now, sells first; what was wanted and could not be; and the proof."""

    trades: tuple[Trade, ...]
    refusals: tuple[Refusal, ...]
    certificate: Certificate | None


class Call(Enum):
    """What calls for a plan: a class out of its band, cash to raise, losses to take, idle cash."""

    CORRECT = "correct"
    RAISE = "raise"
    HARVEST = "harvest"
    INVEST = "invest"


def make_plan(snapshot: Snapshot, planning: Planning) -> Planned:
    """The plan that costs least for what is called for; no trades where nothing is."""
    held = holdings(snapshot, planning.policy)
    calls = calls_of(snapshot, planning, held)
    if not calls:
        layout = lay_out(snapshot, planning, held, sells=False)
        return Planned((), refusals_of(snapshot, planning, layout, ()), None)
    planned = _planned(snapshot, planning, held, calls)
    if not planned.trades and Call.INVEST in calls and len(calls) > 1:
        planned = _planned(snapshot, planning, held, frozenset({Call.INVEST}))
    return planned


def _planned(
    snapshot: Snapshot, planning: Planning, held: Holdings, calls: frozenset[Call]
) -> Planned:
    """What is called for, solved, rounded, checked and explained, where it is worth the while."""
    layout, solution = _solved(snapshot, planning, held, calls)
    orders = orders_of(snapshot, planning, layout, solution)
    now = at_hand_of(snapshot, planning, layout, orders)
    trades = with_reasons(_trades(snapshot, planning, now), snapshot, planning)
    found = faults(snapshot, planning, trades)
    if found:
        withheld = Refusal(
            asset_class="",
            sentence=f"A plan was made and is withheld, for it breaks a rule: {' '.join(found)}",
        )
        return Planned((), (withheld,), None)
    certificate = _certificate(snapshot, layout, solution, orders)
    better = certificate.nothing.total - certificate.plan.total
    if now != orders and trades:
        better = _better_today(snapshot, planning, layout, now, certificate)
    raises = Call.RAISE in calls and any(
        trade.side is Side.SELL and _lacks(trade.account, planning, held) for trade in trades
    )
    is_worth_it = raises or _is_worth_it(trades, better, certificate.value, planning, calls)
    if not trades or not is_worth_it:
        return Planned((), refusals_of(snapshot, planning, layout, ()), None)
    # Where cash that is due cannot be raised, no plan keeps all the rules, and none is proven.
    proof = None if solution.lacking.any() else certificate
    return Planned(trades, refusals_of(snapshot, planning, layout, trades), proof)


def _is_worth_it(
    trades: Sequence[Trade],
    better: Money,
    value: Money,
    planning: Planning,
    calls: frozenset[Call],
) -> bool:
    """Whether a plan is *better* than doing nothing by enough, else every look would trade.

    A correction must mend a trade's grain, and move as much today, where a part of it must wait; a
    harvest must be worth its minimum, and cash that is only invested a tenth of the grain.
    """
    orders = planning.policy.orders
    margin = (orders.slippage_max_bps + orders.fee_buffer_bps) * BASIS_POINT
    least = max(orders.minimum, margin * value)
    drift = least * planning.policy.plan.drift_price
    if Call.HARVEST in calls:
        return better >= min(drift, planning.harvest.minimum)
    if Call.CORRECT not in calls:
        return better >= drift / 10
    return better >= drift and sum((trade.value for trade in trades), ZERO) >= least


def _lacks(account: str, planning: Planning, held: Holdings) -> bool:
    """Whether an account owes more than it has; that is raised whatever it costs."""
    owed = planning.due.get(account, ZERO) + held.short.get(account, ZERO)
    return held.free[account] < owed


def _better_today(
    snapshot: Snapshot,
    planning: Planning,
    layout: Layout,
    now: Orders,
    certificate: Certificate,
) -> Money:
    """What is saved by that part of a plan that is done today, where the rest waits for its cash.

    What the cash that is on its way can buy alone, it will buy without today's sales too.
    """
    if not now.sales:
        cost = cost_of(layout.problem, *amounts_of(snapshot, layout, now))
        return certificate.nothing.total - _cents(cost)
    only = solve(lay_out(snapshot, planning, layout.held, sells=False).problem)
    alone = min(_cents(only.objective), certificate.nothing.total)
    return alone - certificate.plan.total


def calls_of(snapshot: Snapshot, planning: Planning, held: Holdings) -> frozenset[Call]:
    """What calls for a plan now."""
    calls = set()
    if any(_is_out(snapshot, planning, held, drift) for drift in planning.drifts):
        calls.add(Call.CORRECT)
    is_due = any(
        held.free[name] - held.short.get(name, ZERO) < amount
        for name, amount in planning.due.items()
        if name in held.free and name not in planning.closed
    )
    if is_due or (Call.CORRECT in calls and _could_fill_a_reserve(snapshot, planning, held)):
        calls.add(Call.RAISE)
    if planning.policy.plan.harvests == "always":
        calls.add(Call.HARVEST)
    if _has_idle_cash(snapshot, planning, held):
        calls.add(Call.INVEST)
    return frozenset(calls)


def _could_fill_a_reserve(snapshot: Snapshot, planning: Planning, held: Holdings) -> bool:
    """Whether an account lacks of its reserve and holds something that could be sold for it."""
    short = held.short.keys() - planning.closed.keys()
    return any(lot.account in short for lot in snapshot.lots)


def _is_out(snapshot: Snapshot, planning: Planning, held: Holdings, drift: Drift) -> bool:
    """Whether a class under correction is further from its goal than a trade's grain."""
    if drift.state is not BandState.CORRECTING:
        return False
    name = drift.asset_class
    value, goal = held.values[name], planning.targets[name] * held.total
    slack = planning.destination * drift.half_width * held.total
    return abs(value - goal) - slack > grain(snapshot, planning, name, value, goal)


def _has_idle_cash(snapshot: Snapshot, planning: Planning, held: Holdings) -> bool:
    """Whether cash that belongs to no class is worth an order."""
    if cash_class(planning.policy, snapshot.base_currency) is not None:
        return False
    least = planning.policy.orders.invest_cash_from
    idle = {
        kind: sum(
            (
                held.free[name] - planning.due.get(name, ZERO)
                for name, account in snapshot.accounts.items()
                if name not in planning.closed and (account.kind is AccountKind.CRYPTO) == kind
            ),
            ZERO,
        )
        for kind in (False, True)
    }
    if idle[False] > 0 and idle[False] >= least:
        return True
    return (
        idle[True] > 0
        and idle[True] >= least
        and any(
            is_clearly_light(planning, name, held.values[name], held.total)
            for name, rule in planning.policy.classes.items()
            if any(_is_coin(snapshot, symbol) for symbol in rule.members)
        )
    )


def _is_coin(snapshot: Snapshot, symbol: str) -> bool:
    known = snapshot.instruments.get(symbol)
    return known is not None and known.kind.value == "crypto"


# ------------------------------------------------------------------ the solution


def _solved(
    snapshot: Snapshot, planning: Planning, held: Holdings, calls: frozenset[Call]
) -> tuple[Layout, Solution]:
    """The best amounts; purchases alone where selling is not worth what the policy asks."""
    sells = calls != {Call.INVEST}
    is_calm = Call.CORRECT not in calls and sells
    layout, solution = _harvested(snapshot, planning, held, sells=sells, is_calm=is_calm)
    least = float(planning.policy.plan.sell_least)
    if Call.CORRECT in calls and Call.RAISE not in calls and least > 0:
        bought = solve(replace(layout.problem, turnover_most=0.0))
        if bought.objective - solution.objective < least and solution.sold.any():
            return layout, bought
    return layout, solution


def _harvested(
    snapshot: Snapshot, planning: Planning, held: Holdings, *, sells: bool, is_calm: bool
) -> tuple[Layout, Solution]:
    """The best amounts, losses taken only where the harvest is worth the policy's minimum."""
    ignored: frozenset[str] = frozenset()
    for _ in range(_HARVEST_ROUNDS):
        layout = lay_out(snapshot, planning, held, sells=sells, ignored=ignored)
        if is_calm:
            layout = layout._replace(problem=_calmed(layout.problem))
        solution = solve(layout.problem)
        small = _small_harvests(planning, layout, solution) - ignored
        if not small:
            break
        ignored |= small
    return layout, solution


def _calmed(problem: Problem) -> Problem:
    """*problem* with the drift that there is forgiven: no class is traded for its own sake.

    Anywhere between where a class is and where it should be costs nothing; further away does.
    """
    classes = problem.classes
    low = np.minimum(classes.goal - classes.tolerance, classes.held)
    high = np.maximum(classes.goal + classes.tolerance, classes.held)
    return replace(
        problem,
        classes=replace(classes, goal=(low + high) / 2, tolerance=(high - low) / 2),
    )


def _small_harvests(planning: Planning, layout: Layout, solution: Solution) -> frozenset[str]:
    """Symbols sold at a loss and replaced, for less than a harvest must be worth."""
    problem, lots = layout.problem, layout.problem.lots
    sold, least = solution.sold, float(planning.harvest.minimum)
    if planning.policy.plan.harvests == "never":
        least = float("inf")
    taken = (sold > 0) & lots.is_taxed & (lots.gain < 0)
    if not taken.any():
        return frozenset()
    group = problem.places.group[lots.place]
    replaced = np.zeros(len(problem.classes.goal), dtype=np.bool_)
    buys = problem.groups.of_class[problem.places.group[problem.options.place]]
    replaced[buys[solution.bought > 0]] = True
    taken &= replaced[problem.groups.of_class[group]]
    twin = problem.groups.twin[group]
    small: set[str] = set()
    everything = _tax_at(problem, sold)
    for number in np.unique(twin[taken]).tolist():
        mine = taken & (twin == number)
        without = np.where(mine, 0.0, sold)
        costs = 2 * float((sold * lots.cost)[mine].sum())
        worth = _tax_at(problem, without) - everything - costs
        if worth < least:
            small |= {layout.lots[row].symbol for row in np.flatnonzero(mine).tolist()}
    return frozenset(small)


def _tax_at(problem: Problem, sold: Floats) -> float:
    lots = problem.lots
    gains = np.where(lots.is_taxed, sold * lots.gain, 0.0)
    year = problem.year.at(float(gains[~lots.is_long].sum()), float(gains[lots.is_long].sum()))
    return year + float((sold * lots.extra).sum())


# ------------------------------------------------------------------ trades and their proof


def _trades(snapshot: Snapshot, planning: Planning, orders: Orders) -> tuple[Trade, ...]:
    """One trade for each order; sells first, the largest first."""
    names = class_of(planning.policy)
    fee = planning.policy.orders.fee_buffer_bps * BASIS_POINT
    trades = []
    for (account, symbol), picks in orders.sales.items():
        quantity = sum((pick.quantity for pick in picks), ZERO)
        bid = snapshot.quotes[symbol].bid
        trades.append(
            Trade(
                account=account,
                symbol=symbol,
                asset_class=names[symbol],
                side=Side.SELL,
                quantity=quantity,
                price=bid,
                lots=picks,
                cost=quantity * bid * fee,
            )
        )
    for (account, symbol), quantity in orders.purchases.items():
        ask = snapshot.quotes[symbol].ask
        trades.append(
            Trade(
                account=account,
                symbol=symbol,
                asset_class=names[symbol],
                side=Side.BUY,
                quantity=quantity,
                price=ask,
                cost=quantity * ask * fee,
            )
        )
    return tuple(
        sorted(trades, key=lambda one: (one.side is Side.BUY, -one.value, one.account, one.symbol))
    )


def _certificate(
    snapshot: Snapshot, layout: Layout, solution: Solution, orders: Orders
) -> Certificate:
    """What the orders cost against doing nothing and against what any plan must cost."""
    sold, bought = amounts_of(snapshot, layout, orders)
    plan = _parts(layout, sold, bought)
    nothing = _parts(layout, np.zeros(len(sold)), np.zeros(len(bought)))
    bound = _cents(solution.bound)
    if 0 < bound - plan.total <= _EQUAL * _cents(layout.problem.value):
        bound = plan.total
    return Certificate(
        plan=plan,
        nothing=nothing,
        bound=bound,
        rounding=plan.total - min(plan.total, _cents(solution.objective)),
        value=_cents(layout.problem.value),
    )


def _parts(layout: Layout, sold: Floats, bought: Floats) -> PlanCost:
    """The objective of the amounts by cause, in money to a hundredth of a cent."""
    problem = layout.problem
    lots, options = problem.lots, problem.options
    tax = _tax_at(problem, sold)
    location = float((sold * layout.sold_drag).sum() + (bought * layout.bought_drag).sum())
    trading = float((sold * lots.cost).sum() + (bought * options.cost).sum()) - location
    orders = len(np.unique(lots.place[sold > 0])) + int((bought > 0).sum())
    trading += problem.order_cost * orders
    drift = cost_of(problem, sold, bought) - tax - trading - location
    return PlanCost(
        tax=_cents(tax), cost=_cents(trading), drift=_cents(drift), location=_cents(location)
    )


def _cents(amount: float) -> Money:
    return to_decimal(amount, 4)


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
