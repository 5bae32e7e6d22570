"""What given amounts cost in a planning problem, and the rules they break: plain loops.

Nothing here is shared with `rules.plan` but the problem's own values.
"""

from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise

import numpy as np

from trimtab.rules.plan.problem import Classes, Floats, Problem

TRACE = 1e-6
"""Dollars below which nothing counts as traded."""


def gains(problem: Problem, sold: Floats) -> tuple[float, float]:
    """The short and the long gains that the year's tax sees."""
    lots = problem.lots
    short = long = 0.0
    for lot, dollars in enumerate(sold):
        if lots.is_taxed[lot] and lots.is_long[lot]:
            long += dollars * lots.gain[lot]
        elif lots.is_taxed[lot]:
            short += dollars * lots.gain[lot]
    return short, long


def cost(problem: Problem, sold: Floats, bought: Floats) -> float:
    """What the problem's objective says that these amounts cost."""
    lots, options, groups, places = problem.lots, problem.options, problem.groups, problem.places
    total = problem.year.at(*gains(problem, sold))
    class_change = [0.0] * len(problem.classes.held)
    cash_change = 0.0
    orders = set()
    for lot, dollars in enumerate(sold):
        place = int(lots.place[lot])
        total += dollars * (lots.cost[lot] + lots.extra[lot])
        class_change[groups.of_class[places.group[place]]] -= dollars
        cash_change += dollars * lots.cash[lot] * problem.in_total[places.account[place]]
        if dollars > TRACE:
            orders.add((place, "sell"))
    for option, dollars in enumerate(bought):
        place = int(options.place[option])
        total += dollars * options.cost[option]
        class_change[groups.of_class[places.group[place]]] += dollars
        cash_change -= dollars * options.cash[option] * problem.in_total[places.account[place]]
        if dollars > TRACE:
            orders.add((place, "buy"))
    for number, change in enumerate(class_change):
        total += _drift_cost(problem.classes, number, change)
    total += _drift_cost(problem.in_cash, 0, cash_change)
    return float(total + problem.order_cost * len(orders))


def _drift_cost(classes: Classes, number: int, change: float) -> float:
    distance = abs(classes.held[number] + change - classes.goal[number])
    return float(classes.weight[number] * max(0.0, distance - classes.tolerance[number]))


def cash_after(problem: Problem, sold: Floats, bought: Floats) -> list[float]:
    """Each account's cash once these amounts are traded."""
    cash = [float(dollars) for dollars in problem.cash]
    for lot, dollars in enumerate(sold):
        cash[problem.places.account[problem.lots.place[lot]]] += dollars * problem.lots.cash[lot]
    for option, dollars in enumerate(bought):
        account = problem.places.account[problem.options.place[option]]
        cash[account] -= dollars * problem.options.cash[option]
    return cash


def broken(problem: Problem, sold: Floats, bought: Floats, tolerance: float = TRACE) -> list[str]:
    """The rules that these amounts break, a sentence each; *tolerance* is in dollars."""
    faults = broken_sums(problem, sold, bought, tolerance)
    faults += broken_choices(problem, sold, bought, tolerance)
    for place, whole in enumerate(_sold_whole(problem, sold, tolerance)):
        lots = np.flatnonzero(problem.lots.place == place)
        dollars = float(sum(sold[lots]))
        if tolerance < dollars < problem.places.sell_least[place] - tolerance and not (
            whole and problem.places.is_all[place]
        ):
            faults.append(f"place {place} sells {dollars}, less than its least and not the whole")
    for option, dollars in enumerate(bought):
        if tolerance < dollars < problem.options.least[option] - tolerance:
            faults.append(f"option {option} buys {dollars}, less than its least")
    return faults


def broken_sums(
    problem: Problem, sold: Floats, bought: Floats, tolerance: float = TRACE
) -> list[str]:
    """The limits on amounts that are broken: cash, bounds, the symbols' limits, turnover."""
    faults = []
    for lot, dollars in enumerate(sold):
        if not -tolerance <= dollars <= problem.lots.value[lot] + tolerance:
            faults.append(f"lot {lot} sells {dollars} of {problem.lots.value[lot]}")
    for option, dollars in enumerate(bought):
        if not dollars >= -tolerance:
            faults.append(f"option {option} buys {dollars}")
    faults += _beyond_limits(problem, sold, bought, tolerance)
    for account, dollars in enumerate(cash_after(problem, sold, bought)):
        if not dollars >= -tolerance:
            faults.append(f"account {account} ends with cash of {dollars}")
    if float(sum(sold)) > problem.turnover_most + tolerance:
        faults.append(f"sales of {sum(sold)} exceed the turnover of {problem.turnover_most}")
    return faults


def _beyond_limits(problem: Problem, sold: Floats, bought: Floats, tolerance: float) -> list[str]:
    """The symbols that are bought, less what is sold of them, beyond what there may be."""
    by_symbol: dict[int, float] = defaultdict(float)
    symbols, faults = problem.places.symbol, []
    for lot, dollars in enumerate(sold):
        by_symbol[int(symbols[problem.lots.place[lot]])] -= dollars
    of_option = [int(symbols[place]) for place in problem.options.place]
    for symbol, dollars in zip(of_option, bought, strict=True):
        by_symbol[symbol] += dollars
    buys = {symbol for symbol, dollars in zip(of_option, bought, strict=True) if dollars > TRACE}
    for symbol, most in zip(of_option, problem.options.most, strict=True):
        if symbol in buys and by_symbol[symbol] > most + tolerance:
            faults.append(f"{by_symbol[symbol]} more of symbol {symbol}, which may have {most}")
    return faults


def broken_choices(
    problem: Problem, sold: Floats, bought: Floats, tolerance: float = TRACE
) -> list[str]:
    """The either/or rules that are broken; the least trades are not among them."""
    lots, places, groups = problem.lots, problem.places, problem.groups
    faults = []
    selling, losing, buying = set(), set(), set()
    for lot, dollars in enumerate(sold):
        place = lots.place[lot]
        twin = int(groups.twin[places.group[place]])
        if dollars > tolerance:
            selling.add((int(places.account[place]), twin))
            if lots.is_loss[lot]:
                losing.add(twin)
    for option, dollars in enumerate(bought):
        place = problem.options.place[option]
        if dollars > tolerance:
            buying.add((int(places.account[place]), int(groups.twin[places.group[place]])))
    faults += [f"account {a} sells and buys group {twin}" for a, twin in selling & buying]
    faults += [
        f"group {twin} is sold at a loss and bought"
        for twin in losing & {twin for _, twin in buying}
    ]
    faults += _recent_kept(problem, sold, sorted(losing), tolerance)
    for before, after in ordered_pairs(problem):
        if sold[after] > tolerance and sold[before] < lots.value[before] - tolerance:
            faults.append(f"lot {after} is sold while lot {before}, which comes first, is kept")
    return faults


def _recent_kept(
    problem: Problem, sold: Floats, twins: Iterable[int], tolerance: float
) -> list[str]:
    """The groups whose losses would be washed by recent lots that stay.

    The rest of an only purchase is no replacement of what is sold of it.
    """
    faults, lots = [], problem.lots
    of = problem.groups.twin[problem.places.group[lots.place]]
    for twin in twins:
        recent = recent_lots(problem, twin)
        lost = [lot for lot in np.flatnonzero((of == twin) & lots.is_loss) if sold[lot] > tolerance]
        if all(lots.goes_alone[lot] for lot in lost):
            continue
        kept = [lot for lot in recent if sold[lot] < problem.lots.value[lot] - tolerance]
        if kept:
            faults.append(f"group {twin} is sold at a loss while its recent lots {kept} are kept")
    return faults


def _sold_whole(problem: Problem, sold: Floats, tolerance: float) -> list[bool]:
    whole = [True] * len(problem.places.account)
    for lot, dollars in enumerate(sold):
        if dollars < problem.lots.value[lot] - tolerance:
            whole[problem.lots.place[lot]] = False
    return whole


def recent_lots(problem: Problem, twin: int) -> list[int]:
    twins = problem.groups.twin[problem.places.group[problem.lots.place]]
    return [int(lot) for lot in np.flatnonzero((twins == twin) & problem.lots.is_recent)]


def ordered_pairs(problem: Problem) -> list[tuple[int, int]]:
    """Lots that follow one another in a place that sells in order."""
    place = problem.lots.place
    return [
        (before, after)
        for before, after in pairwise(range(len(place)))
        if place[before] == place[after] and problem.places.is_ordered[place[before]]
    ]
