"""Sales that were rounded up beyond what may be sold in one day, made smaller where it costs least.

A sale is lowered as far as the least order, and dropped only where that does not suffice: one that
raises cash which is due goes last.
"""

from collections.abc import Sequence
from math import ceil

import numpy as np

from trimtab.rules.plan.problem import Floats, Problem, Solution
from trimtab.rules.plan.queues import Curves
from trimtab.rules.plan.steps import Order

_DUE = 1e3
"""A dollar that is due is worth more than any other."""
_NEAR = 1e-6
"""A class that is this part of the value from the edge of what is forgiven stands there."""


def within_turnover(
    problem: Problem, solution: Solution, sales: Sequence[Order], curves: Curves, most: float
) -> list[Order]:
    """*sales*, each with a queue of *curves*, of which no more than *most* dollars are sold."""
    found = list(sales)
    may_shrink = [number for number, one in enumerate(sales) if one.low < one.most]
    if _room(found, most) >= 0 or not may_shrink:
        return found
    values = _values(problem, solution, sales, curves)
    order = sorted(may_shrink, key=lambda number: (values[number], number))
    for number in order:
        one = found[number]
        over = max(0.0, -_room(found, most))
        steps = max(one.low, one.least, one.steps - ceil(over / -one.worth))
        found[number] = one._replace(steps=min(one.steps, steps))
    while _room(found, most) < 0:
        left = [number for number in order if found[number].steps > found[number].low]
        if not left:
            break
        drops = [_dropped(found, number, order, values, most) for number in left]
        _, found = max(drops, key=lambda one: one[0])
    return found


def _dropped(
    sales: Sequence[Order], number: int, order: Sequence[int], values: Sequence[float], most: float
) -> tuple[tuple[bool, float], list[Order]]:
    """*sales* without one of them, the others raised by what that lets be sold, the best first.

    And how good that is: whether no more has to go, and the dollars that it saves.
    """
    found = list(sales)
    one = found[number]
    found[number] = one._replace(steps=one.low)
    saved = values[number] * (one.steps - one.low) * one.worth
    is_enough = _room(found, most) >= 0
    for other in reversed(order):
        one = found[other]
        more = min(one.most - one.steps, int(max(0.0, _room(found, most)) / -one.worth))
        if other != number and one.steps > 0 and more > 0 and 0 < values[other] < _DUE:
            found[other] = one._replace(steps=one.steps + more)
            saved -= values[other] * more * one.worth
    return (is_enough, saved), found


def _room(sales: Sequence[Order], most: float) -> float:
    return most + sum(one.steps * one.worth for one in sales)


def _values(
    problem: Problem, solution: Solution, sales: Sequence[Order], curves: Curves
) -> list[float]:
    """By how much the plan would be dearer for each dollar less of each sale."""
    drift = _drift(problem, solution)
    count = len(problem.cash)
    money = [_cash(problem, solution, drift, account) for account in range(count)]
    realized = curves.realized(np.asarray([one.steps for one in sales], dtype=np.int64))
    found = []
    for number, one in enumerate(sales):
        if one.steps == 0:
            found.append(_DUE)
            continue
        _, last = curves.of_queue(number).beside(one.steps)
        tax = _tax(problem, realized) - _tax(problem, realized - last)
        part = one.cash * money[one.account] - one.cost - tax
        found.append(float(drift[one.of_class]) + part / -one.worth)
    return found


def _drift(problem: Problem, solution: Solution) -> Floats:
    """What a dollar less in each class saves once *solution* is traded."""
    classes, places = problem.classes, problem.places
    of_class, count = problem.groups.of_class[places.group], len(classes.goal)
    held = (
        classes.held
        - np.bincount(of_class[problem.lots.place], solution.sold, minlength=count)
        + np.bincount(of_class[problem.options.place], solution.bought, minlength=count)
    )
    off, near = held - classes.goal, _NEAR * problem.value
    is_over, is_under = off > classes.tolerance - near, off < -classes.tolerance - near
    saved: Floats = classes.weight * (is_over.astype(float) - is_under.astype(float))
    return saved


def _cash(problem: Problem, solution: Solution, drift: Floats, account: int) -> float:
    """What a dollar of cash in *account* is worth: its worst purchase, or what is due there."""
    options, places = problem.options, problem.places
    mine = (places.account[options.place] == account) & (solution.bought > 0)
    if mine.any():
        of_class = problem.groups.of_class[places.group[options.place[mine]]]
        worth = (-drift[of_class] - options.cost[mine]) / options.cash[mine]
        return float(worth.min())
    if problem.cash[account] < 0:
        return 2.0 * _DUE
    return -float(problem.in_cash.weight[0]) if problem.in_total[account] else 0.0


def _tax(problem: Problem, realized: Floats) -> float:
    return problem.year.at(float(realized[0]), float(realized[1])) + float(realized[2])
