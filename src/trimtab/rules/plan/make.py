"""From drift, cash and losses to a plan: the cheapest way back, checked and certified.

The household is laid out as one problem over all its accounts, solved with a proof, rounded to
orders that can be executed, checked by rules that know nothing of the solver, and explained.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from msgspec.structs import replace

from trimtab.domain.numbers import (
    BASIS_POINT,
    ZERO,
    Money,
    Quantity,
    Weight,
    to_decimal,
)
from trimtab.domain.trades import (
    BandState,
    Certificate,
    LotPick,
    Motive,
    Plan,
    PlanCost,
    Refusal,
    Side,
    Trade,
)
from trimtab.domain.values import Snapshot, trade_date
from trimtab.rules.holdings import Holdings, cash_class, class_of, holdings
from trimtab.rules.plan.amounts import above_planes, solved, tax_at
from trimtab.rules.plan.calls import Call, calls_of
from trimtab.rules.plan.check import faults
from trimtab.rules.plan.layout import Layout, lay_out
from trimtab.rules.plan.orders import Orders, amounts_of, at_hand_of, orders_of
from trimtab.rules.plan.permitted import Place
from trimtab.rules.plan.planning import (
    Planning,
    margin_of,
)
from trimtab.rules.plan.problem import Floats, Solution
from trimtab.rules.plan.reasons import with_reasons
from trimtab.rules.plan.solve import cost_of, solve
from trimtab.rules.plan.undone import refusals_of
from trimtab.rules.plan.worth import TooSoon
from trimtab.rules.words import money, percent

_EQUAL = Weight("0.0000001")
"""Costs that differ by this part of the value are one."""
_HALF_A_CENT = 0.005
_AGAIN = Weight("0.05")
"""A second plan of a day moves at least this part of what was traded before it.

What margins, whole shares and the day's limits left of the orders of today waits for the next day.
"""


class Planned(NamedTuple):
    """The trades to do now, sells first; what was wanted and could not be; and the proof.

    A plan that broke a rule is withheld: nothing is done, and nothing is settled by it. It
    `corrects` where it trades a class under correction, today or once the cash for it is there.
    """

    trades: tuple[Trade, ...]
    refusals: tuple[Refusal, ...]
    certificate: Certificate | None
    is_withheld: bool = False
    corrects: bool = True


def make_plan(snapshot: Snapshot, planning: Planning) -> Planned:
    """The plan that costs least for what is called for; no trades where nothing is.

    A class out of its band that no trade can mend calls for nothing: else the others would be
    traded inside their bands for as long as its episode lasts.
    """
    held = holdings(snapshot, planning.policy)
    calls = calls_of(snapshot, planning, held)
    planned = _called_for(snapshot, planning, held, calls)
    if planned.trades and Call.CORRECT in calls and not planned.corrects:
        calls = calls_of(snapshot, planning, held, corrects=False)
        return _called_for(snapshot, planning, held, calls)
    return planned


def _called_for(
    snapshot: Snapshot, planning: Planning, held: Holdings, calls: frozenset[Call]
) -> Planned:
    """The plan for *calls*, or, where it is none, for the cash that waits alone."""
    if not calls:
        layout = lay_out(snapshot, planning, held, sells=False)
        return Planned((), refusals_of(snapshot, planning, layout, ()), None)
    planned = _planned(snapshot, planning, held, calls)
    if not planned.trades and Call.INVEST in calls and len(calls) > 1:
        alone = _planned(snapshot, planning, held, frozenset({Call.INVEST}))
        if not planned.is_withheld:
            return alone
        if not alone.is_withheld:
            told = (*planned.refusals, *alone.refusals)
            planned = alone._replace(refusals=tuple(dict.fromkeys(told)), is_withheld=True)
    return planned


def _planned(
    snapshot: Snapshot, planning: Planning, held: Holdings, calls: frozenset[Call]
) -> Planned:
    """The plan with losses that go together with recent units; one without where that is none."""
    layout, solution = solved(snapshot, planning, held, calls)
    planned = _ordered(snapshot, planning, held, calls, (layout, solution))
    if planned.trades or not layout.problem.lots.is_recent.any():
        return planned
    found = solved(snapshot, planning, held, calls, goes_together=False)
    return _ordered(snapshot, planning, held, calls, found)


def _ordered(
    snapshot: Snapshot,
    planning: Planning,
    held: Holdings,
    calls: frozenset[Call],
    found: tuple[Layout, Solution],
) -> Planned:
    """What was *found*, rounded, checked and explained, where it is worth the while."""
    layout, solution = found
    orders = orders_of(snapshot, planning, layout, solution)
    now = at_hand_of(snapshot, planning, layout, orders)
    trades = with_reasons(_trades(snapshot, planning, now), snapshot, planning)
    amounts = amounts_of(snapshot, layout, orders)
    certificate = _certificate(planning, layout, solution, amounts)
    # Where cash that is due cannot be raised, no plan keeps all the rules, and none is proven.
    proof = None if _leaves_short(layout, solution, amounts) else certificate
    broken = faults(snapshot, planning, trades, proof)
    if broken:
        withheld = Refusal(
            asset_class="",
            sentence=f"A plan was made and is withheld, for it breaks a rule: {' '.join(broken)}",
        )
        return Planned((), (withheld,), None, is_withheld=True)
    better = certificate.nothing.total - certificate.plan.total
    if now != orders and trades:
        better = _better_today(snapshot, layout, now, certificate)
    raises = Call.RAISE in calls and any(
        trade.side is Side.SELL and _lacks(trade.account, planning, held) for trade in trades
    )
    is_worth_it = raises or _is_worth_it(trades, better, certificate.value, planning, calls)
    again = _AGAIN * _traded_today(snapshot, planning)
    too_soon = None
    if trades and is_worth_it and not raises and _moved(trades) < again:
        too_soon = TooSoon(moved=_moved(trades), least=again)
    if not trades or not is_worth_it or too_soon is not None:
        return Planned((), refusals_of(snapshot, planning, layout, (), too_soon), None)
    told = refusals_of(snapshot, planning, layout, trades)
    whole = trades if now == orders else _trades(snapshot, planning, orders)
    return Planned(trades, told, proof, corrects=_corrects(snapshot, planning, whole))


def _corrects(snapshot: Snapshot, planning: Planning, trades: Sequence[Trade]) -> bool:
    """Whether *trades* move a class that is under correction; any trade moves that of cash."""
    under = {one.asset_class for one in planning.drifts if one.state is BandState.CORRECTING}
    in_cash = cash_class(planning.policy, snapshot.base_currency)
    return in_cash in under or any(trade.asset_class in under for trade in trades)


def _leaves_short(layout: Layout, solution: Solution, amounts: tuple[Floats, Floats]) -> bool:
    """Whether an account is left with less cash than it owes, by the solution or its rounding."""
    if solution.lacking.any():
        return True
    problem = layout.problem
    lots, options, accounts = problem.lots, problem.options, problem.places.account
    sold, bought = amounts
    count = len(problem.cash)
    brought = np.bincount(accounts[lots.place], sold * lots.cash, count)
    spent = np.bincount(accounts[options.place], bought * options.cash, count)
    left = problem.cash + brought - spent
    return bool((left < -_HALF_A_CENT).any())


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
    least = max(planning.policy.orders.minimum, margin_of(planning.policy) * value)
    drift = least * planning.policy.plan.drift_price
    if Call.CORRECT in calls and better >= drift and _moved(trades) >= least:
        return True
    if Call.HARVEST in calls and any(trade.motive is Motive.HARVEST for trade in trades):
        return better >= min(drift, planning.harvest.minimum)
    return calls == {Call.INVEST} and better >= drift / 10


def _moved(trades: Iterable[Trade]) -> Money:
    return sum((trade.value for trade in trades), ZERO)


def _lacks(account: str, planning: Planning, held: Holdings) -> bool:
    """Whether an account owes more than it has; that is raised whatever it costs."""
    owed = planning.due.get(account, ZERO) + held.short.get(account, ZERO)
    return held.free[account] < owed


def _better_today(
    snapshot: Snapshot, layout: Layout, now: Orders, certificate: Certificate
) -> Money:
    """What is saved by that part of a plan that is done today, where the rest waits for its cash.

    What the cash that is on its way can buy alone, it will buy without today's sales too.
    """
    if not now.sales:
        cost = cost_of(layout.problem, *amounts_of(snapshot, layout, now)) + _idle_now(layout)
        return certificate.nothing.total - _cents(cost)
    problem = layout.problem
    only = solve(replace(problem, cash=np.maximum(problem.cash, 0.0), turnover_most=0.0))
    cost = cost_of(problem, only.sold, only.bought) + _idle_now(layout)
    alone = min(_cents(cost), certificate.nothing.total)
    return alone - certificate.plan.total


def _traded_today(snapshot: Snapshot, planning: Planning) -> Money:
    """What was bought and sold earlier today."""
    today = trade_date(snapshot.at)
    bought = (lot.basis for lot in snapshot.lots if lot.acquired == today)
    return planning.sold_before + sum(bought, ZERO)


# ------------------------------------------------------------------ trades and their proof


def _trades(snapshot: Snapshot, planning: Planning, orders: Orders) -> tuple[Trade, ...]:
    """One trade for each order; sells first, the largest first."""
    names = class_of(planning.policy)
    fee = planning.policy.orders.fee_buffer_bps * BASIS_POINT

    def trade(place: Place, side: Side, quantity: Quantity, lots: tuple[LotPick, ...]) -> Trade:
        account, symbol = place
        quote = snapshot.quotes[symbol]
        price = quote.bid if side is Side.SELL else quote.ask
        return Trade(
            account=account,
            symbol=symbol,
            asset_class=names[symbol],
            side=side,
            quantity=quantity,
            price=price,
            lots=lots,
            cost=quantity * price * fee,
        )

    trades = [
        *(
            trade(place, Side.SELL, sum((pick.quantity for pick in lots), ZERO), lots)
            for place, lots in orders.sales.items()
        ),
        *(trade(place, Side.BUY, quantity, ()) for place, quantity in orders.purchases.items()),
    ]
    return tuple(
        sorted(trades, key=lambda one: (one.side is Side.BUY, -one.value, one.account, one.symbol))
    )


def _certificate(
    planning: Planning, layout: Layout, solution: Solution, amounts: tuple[Floats, Floats]
) -> Certificate:
    """What the *amounts* of the orders cost against doing nothing and against any plan.

    The tax of the plan is the true one, and that of the bound never above it.
    """
    sold, bought = amounts
    start = _idle_now(layout)
    plan = _parts(layout, sold, bought, start)
    above = _cents(above_planes(planning, layout.problem, sold))
    plan = replace(plan, tax=plan.tax + above)
    there = float((layout.idle * np.maximum(layout.problem.cash, 0.0)).sum())
    nothing = _parts(layout, np.zeros(len(sold)), np.zeros(len(bought)), there)
    bound = _cents(solution.bound + start)
    if 0 < bound - plan.total <= _EQUAL * _cents(layout.problem.value):
        bound = plan.total
    return Certificate(
        plan=plan,
        nothing=nothing,
        bound=bound,
        rounding=plan.total - min(plan.total, _cents(solution.objective + start) + above),
        value=_cents(layout.problem.value),
    )


def _idle_now(layout: Layout) -> float:
    """What the cash that may be spent costs while it is idle; what has to be raised counts less."""
    return float((layout.idle * layout.problem.cash).sum())


def _parts(layout: Layout, sold: Floats, bought: Floats, start: float) -> PlanCost:
    """The objective of the amounts by cause, in money to a hundredth of a cent.

    *start* is what the idle cash costs that is there; what is left of it counts as drift.
    """
    problem = layout.problem
    lots, options = problem.lots, problem.options
    tax = tax_at(problem, sold)
    location = float((sold * layout.sold_drag).sum() + (bought * layout.bought_drag).sum())
    accounts = problem.places.account
    idle = float((sold * lots.cash * layout.idle[accounts[lots.place]]).sum())
    idle -= float((bought * options.cash * layout.idle[accounts[options.place]]).sum())
    trading = float((sold * lots.cost).sum() + (bought * options.cost).sum()) - location - idle
    orders = len(np.unique(lots.place[sold > 0])) + int((bought > 0).sum())
    trading += problem.order_cost * orders
    drift = cost_of(problem, sold, bought) + start - tax - trading - location
    return PlanCost(
        tax=_cents(tax), cost=_cents(trading), drift=_cents(drift), location=_cents(location)
    )


def _cents(amount: float) -> Money:
    return to_decimal(amount, 4) or ZERO


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
