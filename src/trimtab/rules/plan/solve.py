"""The cheapest amounts to sell and to buy, with a proven lower bound.

First prices bound the problem from below (`dual`), then what they leave open is solved exactly
(`core`), a little at first and more as long as cost and bound are apart. Same problem, same answer:
nothing here looks at a clock, and HiGHS counts nodes, not seconds.
"""

import math

import numpy as np
from msgspec.structs import replace

from trimtab.rules.plan.core import Core, Found
from trimtab.rules.plan.dual import Master, Priced, Pricing
from trimtab.rules.plan.kernel import Kernel
from trimtab.rules.plan.merge import merged, spread
from trimtab.rules.plan.opening import LAST, SLIVER, opening, small_sales
from trimtab.rules.plan.problem import Floats, Problem, Solution, YearTax

NEAR = 1e-6
"""Cost and bound that differ by this part of the value, a hundredth of a basis point, are equal."""
_NEAR_ENOUGH = 1e-4
"""In a household of some size a basis point is near enough not to open everything."""
_NEARER = 3e-5
"""In one account more is opened from this part of the value on: it takes milliseconds there."""
_SMALL = 60
_WORTH = 1e4
_WHOLE_MOST = 1500
_WHOLE_GROUPS = 60
_ORDERED_MOST = 300
"""More lots that a broker books in order are too many choices to search through."""


def solve(problem: Problem) -> Solution:
    """The cheapest amounts that keep every rule of *problem*, and the proof.

    It is solved in a unit of money in which the household is worth about ten thousand, whatever it
    is worth, so that the tolerances of the linear algebra mean the same for everybody.
    """
    fewer, of = merged(problem)
    worth = float(max(problem.value, problem.lots.value.sum(), np.abs(problem.cash).sum(), 1e-6))
    unit = 2.0 ** round(math.log2(_WORTH / worth))
    solution = _solve(scaled(fewer, unit))
    sold, bought = solution.sold / unit, solution.bought / unit
    sold = np.where(solution.sold >= fewer.lots.value * unit, fewer.lots.value, sold)
    return Solution(
        sold=spread(sold, problem.lots.value, of),
        bought=bought,
        objective=solution.objective / unit,
        bound=solution.bound / unit,
        lacking=solution.lacking / unit,
    )


def scaled(problem: Problem, unit: float) -> Problem:
    """*problem* with all money in another unit, *unit* of which make a dollar."""
    classes, in_cash = (
        replace(one, held=one.held * unit, goal=one.goal * unit, tolerance=one.tolerance * unit)
        for one in (problem.classes, problem.in_cash)
    )
    options = problem.options
    return replace(
        problem,
        cash=problem.cash * unit,
        in_cash=in_cash,
        classes=classes,
        places=replace(problem.places, sell_least=problem.places.sell_least * unit),
        lots=replace(problem.lots, value=problem.lots.value * unit),
        options=replace(options, least=options.least * unit, most=options.most * unit),
        year=YearTax(
            branches=tuple(
                planes * np.asarray([unit, 1.0, 1.0]) for planes in problem.year.branches
            )
        ),
        value=problem.value * unit,
        order_cost=problem.order_cost * unit,
        turnover_most=problem.turnover_most * unit,
    )


def _solve(problem: Problem) -> Solution:
    """The branch whose bound is lower first; the other one only where it can still be better."""
    kernel = Kernel(problem)
    size = len(problem.lots.value) + len(problem.options.cost)
    scale = max(problem.value, 1.0)
    near = (NEAR if size <= _SMALL else _NEAR_ENOUGH) * scale
    tolerance = max(near / 10, NEAR / 4 * scale)
    pricings = _priced(kernel, tolerance)
    best: Found | None = None
    bound = np.inf
    for pricing in pricings:
        beat = np.inf if best is None else best.cost
        pricing.run(tolerance=tolerance, beat=beat)
        if pricing.bound >= beat - near / 4:
            bound = min(bound, pricing.bound)
            continue
        found, proven = _settle(kernel, pricing.branch.planes, pricing.priced(), near)
        bound = min(bound, proven)
        if found is not None and (best is None or found.cost < best.cost):
            best = found
    return _solution(problem, best, bound)


def _priced(kernel: Kernel, tolerance: float) -> list[Pricing]:
    """Every branch asked until it is priced or dearer than another one; the cheaper one first.

    Which one is cheaper shows as a rule after a question or two to each.
    """
    master = Master(kernel)
    pricings: list[Pricing] = []
    for branch in sorted(master.branches, key=lambda one: float(one.planes[:, 0].max())):
        pricings.append(Pricing(master, branch, pricings[-1] if pricings else None))
        pricings[-1].run(tolerance=tolerance, beat=np.inf, questions=1)
    beat = min(pricing.mixture for pricing in pricings)
    for pricing in pricings:
        pricing.run(tolerance=tolerance, beat=beat, questions=1)
        beat = min(beat, pricing.mixture)
    for pricing in sorted(pricings, key=lambda one: one.bound):
        pricing.run(tolerance=tolerance, beat=beat)
        beat = min(beat, pricing.mixture)
    return sorted(pricings, key=lambda one: one.bound)


def cost_of(problem: Problem, sold: Floats, bought: Floats) -> float:
    """What the amounts *sold* (L,) and *bought* (J,) cost, rules broken or not."""
    lots, options, classes = problem.lots, problem.options, problem.classes
    places, groups, in_cash = problem.places, problem.groups, problem.in_cash
    lot_group, buy_group = places.group[lots.place], places.group[options.place]
    count = len(classes.goal)
    gains = sold * np.where(lots.is_taxed, lots.gain, 0.0)
    cost = problem.year.at(float(gains[~lots.is_long].sum()), float(gains[lots.is_long].sum()))
    cost += float((sold * (lots.cost + lots.extra)).sum() + (bought * options.cost).sum())
    held = (
        classes.held
        - np.bincount(groups.of_class[lot_group], sold, minlength=count)
        + np.bincount(groups.of_class[buy_group], bought, minlength=count)
    )
    beyond = np.maximum(0.0, np.abs(held - classes.goal) - classes.tolerance)
    cost += float((classes.weight * beyond).sum())
    accounts = len(problem.cash)
    left = (
        problem.cash
        + np.bincount(places.account[lots.place], sold * lots.cash, minlength=accounts)
        - np.bincount(places.account[options.place], bought * options.cash, minlength=accounts)
    )
    cash = float(np.maximum(left, 0.0)[problem.in_total].sum())
    off = max(0.0, abs(cash - float(in_cash.goal[0])) - float(in_cash.tolerance[0]))
    orders = len(np.unique(lots.place[sold > 0])) + int((bought > 0).sum())
    return cost + float(in_cash.weight[0]) * off + problem.order_cost * orders


def keeps_choices(problem: Problem, sold: Floats, bought: Floats) -> bool:
    """Whether the amounts keep the either/or rules and the brokers' orders of booking.

    What is closed at an early stage can clash with what is opened beside it; such an answer must
    not leave.
    """
    lots, places, groups = problem.lots, problem.places, problem.groups
    twins = groups.twin[places.group]
    lot_twin, buy_twin = twins[lots.place], twins[problem.options.place]
    count = int(groups.twin.max(initial=0)) + 1
    is_lost = np.zeros(count, dtype=np.bool_)
    is_lost[lot_twin[(sold > 0) & lots.is_loss]] = True
    if is_lost[buy_twin[bought > 0]].any():
        return False
    if lots.is_recent.any():
        is_washed = np.zeros(count, dtype=np.bool_)
        is_washed[lot_twin[(sold > 0) & lots.is_loss & ~lots.goes_alone]] = True
        kept = lots.is_recent & (sold < lots.value - SLIVER)
        if is_washed[lot_twin[kept]].any():
            return False
    key = places.account * count + twins
    is_sold = np.zeros(len(problem.cash) * count, dtype=np.bool_)
    is_sold[key[lots.place[sold > 0]]] = True
    if is_sold[key[problem.options.place[bought > 0]]].any():
        return False
    place = lots.place
    behind = places.is_ordered[place[1:]] & (place[1:] == place[:-1]) & (sold[1:] > 0)
    return not (behind & (sold[:-1] < lots.value[:-1] - SLIVER)).any()


def keeps_least(problem: Problem, sold: Floats, bought: Floats) -> bool:
    """Whether no trade is smaller than it may be."""
    small = (bought > 0) & (bought < problem.options.least - SLIVER)
    return not (small.any() or small_sales(problem, sold).any())


def _solution(problem: Problem, best: Found | None, bound: float) -> Solution:
    if best is None:
        sold, bought = np.zeros(len(problem.lots.value)), np.zeros(len(problem.options.cost))
        lacking = np.maximum(0.0, -problem.cash)
    else:
        sold, bought, lacking = best.sold, best.bought, best.lacking
    objective = cost_of(problem, sold, bought)
    if lacking.any():
        bound = min(bound, objective)
    return Solution(
        sold=sold,
        bought=bought,
        objective=objective,
        bound=objective if 0 < bound - objective <= NEAR * problem.value else bound,
        lacking=lacking,
    )


def _settle(
    kernel: Kernel, planes: Floats, priced: Priced, near: float
) -> tuple[Found | None, float]:
    """The best amounts of one branch, and the best bound of it.

    First every class keeps the mode that most of the mixture has; then what the mixture mixes is
    open; then all that could still be better; and at last, where it is small enough, everything.
    """
    best: Found | None = None
    spare: Found | None = None
    bound = priced.bound
    problem = kernel.problem
    exact = min(near, NEAR * max(problem.value, 1.0))
    nearer = min(near, _NEARER * max(problem.value, 1.0)) if len(problem.cash) == 1 else near
    for stage in _stages(kernel):
        gap = np.inf if best is None else best.cost - bound
        if gap <= (near if stage == LAST else nearer):
            break
        left_open = opening(kernel, priced, stage, gap)
        found = Core(kernel, planes, left_open).solve(exact / 8)
        if found is None or not keeps_choices(problem, found.sold, found.bought):
            continue
        if not keeps_least(problem, found.sold, found.bought):
            spare = found
            continue
        if stage == LAST:
            bound = max(bound, found.bound)
        if best is None or _rank(found) < _rank(best):
            best = found
    if best is None and not (problem.cash < 0).any():
        nothing = np.zeros(len(problem.lots.value)), np.zeros(len(problem.options.cost))
        best = Found(*nothing, cost_of(problem, *nothing), bound, np.zeros(len(problem.cash)))
    return best or spare, bound


def _stages(kernel: Kernel) -> tuple[int, ...]:
    """What is tried, one after the other; what is very small is opened whole at once."""
    if len(kernel.problem.lots.value) + len(kernel.problem.options.cost) <= _SMALL:
        return (0, LAST)
    ordered = int(kernel.problem.places.is_ordered[kernel.problem.lots.place].sum())
    is_whole = ordered <= _ORDERED_MOST and _is_small(kernel)
    if kernel.problem.order_cost > 0:
        is_whole = is_whole and len(kernel.problem.lots.value) <= _ORDERED_MOST
    return tuple(range(LAST + 1 if is_whole else LAST))


def _rank(found: Found) -> tuple[float, float]:
    return round(float(found.lacking.sum()), 6), found.cost


def _is_small(kernel: Kernel) -> bool:
    problem = kernel.problem
    contested = kernel.count - len(problem.classes.goal)
    size = len(problem.lots.value) + len(problem.options.cost)
    return size <= _WHOLE_MOST and contested <= _WHOLE_GROUPS
