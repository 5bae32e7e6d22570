"""The amounts of a plan: the problem of what is called for, laid out and solved until it fits.

Some of what the problem takes as given depends on its own answer: which harvests are too small to
count, and, where wallets trade, how much there is to divide. It is solved again with that answer.
"""

from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from trimtab.domain.numbers import to_decimal, to_float
from trimtab.domain.trades import Term
from trimtab.domain.values import Snapshot
from trimtab.rules.holdings import Holdings
from trimtab.rules.plan.calls import Call, is_coin
from trimtab.rules.plan.layout import (
    Layout,
    lay_out,
    without_losses,
    without_purchases,
    without_slight,
)
from trimtab.rules.plan.planning import Planning, margin_of
from trimtab.rules.plan.problem import Floats, Problem, Solution
from trimtab.rules.plan.solve import cost_of, solve
from trimtab.rules.tax.saving import tax_of

_HARVEST_ROUNDS = 3
_COUNTS = 6
"""So often at most is counted anew what the targets divide, where wallets trade."""
_PROGRESSION = 3
_SLIGHT = 1e-6
_NUDGE = 1e-5


def solved(
    snapshot: Snapshot,
    planning: Planning,
    held: Holdings,
    calls: frozenset[Call],
    *,
    goes_together: bool = True,
) -> tuple[Layout, Solution]:
    """The best amounts; purchases alone where selling is not worth what the policy asks.

    Losses may go with the recent units that bar them, if they *goes_together*.
    """
    sells = calls != {Call.INVEST}
    is_calm = Call.CORRECT not in calls and sells
    counts: list[float] = []
    for _ in range(_COUNTS):
        counted = counts[-1] if counts else None
        desk = _Desk(snapshot, planning, held, sells, is_calm, counted)
        layout, solution = _harvested(planning, desk.layout(goes_together=goes_together))
        if is_calm or layout.problem.in_total.all():
            break
        total = layout.problem.value + layout.leaving + _into_coins(layout.problem, solution)
        if not _is_elsewhere(snapshot, planning, layout, total):
            break
        counts = [*(counts or [layout.problem.value]), total]
        if len(counts) == _PROGRESSION:
            counts = [_extrapolated(*counts)]
    least = float(planning.policy.plan.sell_least)
    if Call.CORRECT in calls and Call.RAISE not in calls and least > 0:
        bought = _farthest_first(replace(layout.problem, turnover_most=0.0))
        if bought.objective - solution.objective < least and solution.sold.any():
            return layout, bought
    return layout, solution


def _extrapolated(first: float, second: float, third: float) -> float:
    """Where a geometric progression that begins like this leads (Aitken 1926), if anywhere."""
    ratio = (third - second) / (second - first)
    return third + (third - second) * ratio / (1.0 - ratio) if abs(ratio) < 1.0 else third


def _into_coins(problem: Problem, solution: Solution) -> float:
    """Dollars of wallets, where they count in no total, that become coins; negative for sales."""
    account, in_total = problem.places.account, problem.in_total
    bought = solution.bought[~in_total[account[problem.options.place]]]
    sold = solution.sold[~in_total[account[problem.lots.place]]]
    return float(bought.sum() - sold.sum())


def _is_elsewhere(snapshot: Snapshot, planning: Planning, layout: Layout, total: float) -> bool:
    """Whether the targets of *total* are not where the problem has them, by more than a grain."""
    off = np.abs(_goals(snapshot, planning, layout, total) - layout.problem.classes.goal)
    part = max(to_float(margin_of(planning.policy)), _SLIGHT)
    least = max(to_float(planning.policy.orders.minimum), part * layout.problem.value)
    return bool((off > least).any())


def _goals(snapshot: Snapshot, planning: Planning, layout: Layout, total: float) -> Floats:
    """What each class should be worth of *total*; coins are sold down to their part of all."""
    problem = layout.problem
    target = np.asarray([to_float(planning.targets[name]) for name in layout.classes])
    members = [planning.policy.classes[name].members for name in layout.classes]
    coins = np.asarray(
        [any(is_coin(snapshot, symbol) for symbol in symbols) for symbols in members],
        dtype=np.bool_,
    )
    goals = target * total
    in_wallets = float(np.maximum(problem.cash[~problem.in_total], 0.0).sum())
    whole = np.minimum(problem.classes.held, target * (problem.value + in_wallets))
    return np.where(coins, np.maximum(goals, whole), goals)


class _Desk(NamedTuple):
    """What a problem is laid out from.

    `counted` is what the targets divide, where it is not what they do before the plan.
    """

    snapshot: Snapshot
    planning: Planning
    held: Holdings
    sells: bool
    is_calm: bool
    counted: float | None

    def layout(self, *, goes_together: bool) -> Layout:
        """The problem, with the drift that there is forgiven on a calm day."""
        layout = lay_out(
            self.snapshot,
            self.planning,
            self.held,
            sells=self.sells,
            goes_together=goes_together,
        )
        if self.counted is not None:
            goals = _goals(self.snapshot, self.planning, layout, self.counted)
            classes = replace(layout.problem.classes, goal=goals)
            layout = layout._replace(problem=replace(layout.problem, classes=classes))
        if not self.is_calm:
            return layout
        layout = without_slight(layout, frozenset(range(len(layout.classes))))
        return layout._replace(problem=_calmed(layout.problem))


def _harvested(planning: Planning, layout: Layout) -> tuple[Layout, Solution]:
    """The best amounts, losses taken only where the harvest rule has them worth it.

    Of a class with losses too small to harvest, either those count or something is bought. Both
    are tried, and the cheaper one is the answer. What is proven is a bound of both; of several such
    classes, which could differ, that of the problem in which all is allowed.
    """
    found = _without_small(planning, layout)
    of_all, slight = found[1].bound, _slight_harvests(*found)
    if not slight:
        return found
    for _ in range(_HARVEST_ROUNDS):
        either = (without_slight(layout, slight), without_purchases(layout, slight))
        tried = [_without_small(planning, one) for one in either]
        found = min(tried, key=lambda one: (_lacks(one[1]), one[1].objective))
        more = _slight_harvests(*found) - slight
        if not more:
            break
        slight |= more
    bound = min(solution.bound for _, solution in tried)
    bound = bound if len(slight) == 1 else min(bound, of_all)
    return found[0], replace(found[1], bound=bound)


def _lacks(solution: Solution) -> float:
    return round(float(solution.lacking.sum()), 2)


def _without_small(planning: Planning, layout: Layout) -> tuple[Layout, Solution]:
    """*layout* and its best amounts, without the losses that are not worth a harvest."""
    solution = _farthest_first(layout.problem)
    ignored: frozenset[int] = frozenset()
    for _ in range(_HARVEST_ROUNDS):
        small = _small_harvests(planning, layout, solution) - ignored
        if not small:
            break
        ignored |= small
        layout = without_losses(layout, small)
        solution = _farthest_first(layout.problem)
    return layout, solution


def _farthest_first(problem: Problem) -> Solution:
    """The best amounts, ties between classes broken in favour of those farthest from their goal.

    A dollar mends as much in any light class, and should go to the lightest. So drift is taken to
    be dearest there, and a hundred-thousandth cheaper at most elsewhere: never dearer than it is,
    so that the bound holds for *problem* too.
    """
    classes = problem.classes
    off = np.maximum(0.0, np.abs(classes.held - classes.goal) - classes.tolerance)
    nearness = 1.0 - off / max(float(off.max(initial=0.0)), _SLIGHT)
    weight = classes.weight * (1.0 - _NUDGE * nearness)
    found = solve(replace(problem, classes=replace(classes, weight=weight)))
    objective = cost_of(problem, found.sold, found.bought)
    return replace(found, objective=max(objective, found.bound))


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


def _small_harvests(planning: Planning, layout: Layout, solution: Solution) -> frozenset[int]:
    """Identical groups sold at a loss and replaced, for less than a harvest must be worth.

    A harvest is worth what its losses save beside those of all the others. The least worth is
    dropped first: of two that save the same tax twice, the other one is then worth all of it.
    """
    year, least = layout.problem.year, to_float(planning.harvest.minimum)
    losses = _replaced_losses(layout, solution)
    short, long = _gains_of(layout.problem, solution.sold)
    dropped: set[int] = set()
    while len(dropped) < len(losses):
        tax = year.at(short, long)
        worth = {
            twin: year.at(short - one.short, long - one.long) - tax - one.costs
            for twin, one in losses.items()
            if twin not in dropped
        }
        weakest = min(worth, key=lambda twin: (worth[twin], twin))
        if worth[weakest] >= least:
            break
        dropped.add(weakest)
        short, long = short - losses[weakest].short, long - losses[weakest].long
    return frozenset(dropped)


def _slight_harvests(layout: Layout, solution: Solution) -> frozenset[int]:
    """Classes that are bought while losses too small to harvest are sold of them, by number."""
    problem, places = layout.problem, layout.problem.places
    of_class = problem.groups.of_class[places.group]
    sold = of_class[problem.lots.place[(solution.sold > 0) & layout.slight]]
    bought = of_class[problem.options.place[solution.bought > 0]]
    return frozenset(sold.tolist()) & frozenset(bought.tolist())


class _Loss(NamedTuple):
    """What an identical group loses, and what that costs there and back and in later years."""

    short: float
    long: float
    costs: float


def _replaced_losses(layout: Layout, solution: Solution) -> dict[int, _Loss]:
    """The losses taken of each identical group in a class of which something is bought too."""
    problem, lots, sold = layout.problem, layout.problem.lots, solution.sold
    taken = (sold > 0) & lots.is_taxed & (lots.gain < 0)
    if not taken.any():
        return {}
    group = problem.places.group[lots.place]
    replaced = np.zeros(len(problem.classes.goal), dtype=np.bool_)
    buys = problem.groups.of_class[problem.places.group[problem.options.place]]
    replaced[buys[solution.bought > 0]] = True
    taken &= replaced[problem.groups.of_class[group]]
    twin = problem.groups.twin[group]
    if lots.is_recent.any():  # Recent units that go with a loss go for its sake.
        taken |= (sold > 0) & lots.is_recent & np.isin(twin, twin[taken & ~lots.is_recent])
    of_twin = twin[taken]
    gain = np.where(lots.is_taxed, sold * lots.gain, 0.0)
    idle = layout.idle[problem.places.account[lots.place]] * lots.cash
    costs = sold * (2.0 * (lots.cost - layout.sold_drag - idle) + lots.extra)
    parts = (np.where(lots.is_long, 0.0, gain), np.where(lots.is_long, gain, 0.0), costs)
    short, long, spent = (np.bincount(of_twin, part[taken]).tolist() for part in parts)
    return {one: _Loss(short[one], long[one], spent[one]) for one in np.unique(of_twin).tolist()}


def tax_at(problem: Problem, sold: Floats) -> float:
    """What selling *sold* (L,) adds to the tax of this year and of later ones, by the planes."""
    return problem.year.at(*_gains_of(problem, sold)) + float((sold * problem.lots.extra).sum())


def above_planes(planning: Planning, problem: Problem, sold: Floats) -> float:
    """By how much the tax on *sold* (L,) is above the planes; they leave out years far away."""
    short, long = _gains_of(problem, sold)
    if short + long >= 0.0:
        return 0.0
    so_far = planning.year
    after = so_far.after(Term.SHORT, to_decimal(short)).after(Term.LONG, to_decimal(long))
    law = planning.tax, planning.statutes, planning.harvest.discount_rate
    added = to_float(tax_of(after, *law) - tax_of(so_far, *law))
    return max(0.0, added - problem.year.at(short, long))


def _gains_of(problem: Problem, sold: Floats) -> tuple[float, float]:
    """The short and the long gain that selling *sold* (L,) realizes."""
    lots = problem.lots
    gains = np.where(lots.is_taxed, sold * lots.gain, 0.0)
    return float(gains[~lots.is_long].sum()), float(gains[lots.is_long].sum())
