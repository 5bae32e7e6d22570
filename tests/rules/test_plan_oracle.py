"""The oracle of the planner is itself tried: against every pattern of what may be traded at all."""

import os
from collections import Counter
from itertools import product
from math import inf, isfinite

import numpy as np
import pytest
from msgspec.structs import replace
from tests.rules.plan_judge import TRACE, broken_choices
from tests.rules.plan_oracle import Program, broken, cost, least
from tests.rules.problems import netting, problem

from trimtab.rules.plan.problem import Floats, Options, Problem

EXPLORES = bool(os.environ.get("TRIMTAB_EXPLORE"))
TINY = 1_000 if EXPLORES else 120
BLOCKS = 4

NOTHING, PART, WHOLE = range(3)


def tiny(seed: int) -> Problem:
    """A problem of three lots and three options at most, so that every pattern can be tried.

    Each third has all its lots in one place, which sells them in order.
    """
    drawn = problem(seed, most_lots=3, most_accounts=2)
    rng = np.random.default_rng(seed)
    count = len(drawn.options.place)
    chosen = np.sort(rng.permutation(count)[:3])
    options = {name: getattr(drawn.options, name)[chosen] for name in Options.__struct_fields__}
    if seed % 3 == 0 and len(drawn.lots.value):
        drawn = replace(
            drawn,
            lots=replace(drawn.lots, place=np.zeros_like(drawn.lots.place)),
            places=replace(drawn.places, is_ordered=np.ones_like(drawn.places.is_ordered)),
        )
    return replace(drawn, options=Options(**options))


def least_of_all_patterns(problem: Problem) -> float | None:
    """The least cost over each state of each lot, each option, each line of a concave price."""
    lots, options = problem.lots, problem.options
    costs = []
    for states in product((NOTHING, PART, WHOLE), repeat=len(lots.value)):
        sold = lots.value * np.array([0.0, 0.5, 1.0])[list(states)]
        for uses in product((False, True), repeat=len(options.place)):
            bought = np.where(uses, 1.0, 0.0)
            if broken_choices(problem, sold, bought):
                continue
            for planes in problem.year.branches:
                found = best_amounts(problem, states, uses, planes)
                if found is not None:
                    assert not broken(problem, *found)
                    costs.append(cost(problem, *found))
    return min(costs, default=None)


def best_amounts(problem, states, uses, planes) -> tuple[Floats, Floats] | None:
    """The cheapest amounts of one pattern: a linear program in dollars."""
    lots, options, places = problem.lots, problem.options, problem.places
    groups, program, unit = problem.groups, Program(), problem.value * 1e-4
    account, class_of = places.account, groups.of_class[places.group]
    cash: list[list[tuple[int, float]]] = [[] for _ in problem.cash]
    change: list[list[tuple[int, float]]] = [[] for _ in problem.classes.held]
    short: list[tuple[int, float]] = []
    long: list[tuple[int, float]] = []
    for lot, state in enumerate(states):
        place, value = lots.place[lot], lots.value[lot] / unit
        column = program.amount(
            0.0 if state == NOTHING else value,
            lots.cost[lot] + lots.extra[lot],
            value if state == WHOLE else 0.0,
        )
        cash[account[place]].append((column, lots.cash[lot]))
        change[class_of[place]].append((column, -1.0))
        if lots.is_taxed[lot]:
            (long if lots.is_long[lot] else short).append((column, lots.gain[lot]))
    for option, is_used in enumerate(uses):
        place = options.place[option]
        low = options.least[option] / unit if is_used else 0.0
        high = max(low, (options.most[option] + lots.value.sum()) / unit) if is_used else 0.0
        column = program.amount(high, options.cost[option], low)
        cash[account[place]].append((column, -options.cash[option]))
        change[class_of[place]].append((column, 1.0))
    first_option = len(states)
    _keep_limits(problem, program, states, uses)
    for number, terms in enumerate(cash):
        program.keep(-problem.cash[number] / unit, terms)
    counting = zip(cash, problem.in_total, strict=True)
    together = [term for terms, counts in counting if counts for term in terms]
    drifts = [(problem.classes, number, terms) for number, terms in enumerate(change)]
    for classes, number, terms in [*drifts, (problem.in_cash, 0, together)]:
        apart = (classes.held[number] - classes.goal[number]) / unit
        over = program.amount(price=classes.weight[number])
        slack = classes.tolerance[number] / unit
        program.keep(apart - slack, [(over, 1.0), *((c, -f) for c, f in terms)])
        program.keep(-apart - slack, [(over, 1.0), *terms])
    tax = program.amount(price=1.0, lower=-inf)
    for start, short_rate, long_rate in planes:
        terms = [(c, -f * short_rate) for c, f in short] + [(c, -f * long_rate) for c, f in long]
        program.keep(start / unit, [(tax, 1.0), *terms])
    found = program.solve()
    if found is None:
        return None
    amounts = np.where(found * unit > TRACE, found * unit, 0.0)
    end = first_option + len(uses)
    return np.minimum(amounts[:first_option], lots.value), amounts[first_option:end]


def _keep_limits(problem, program, states, uses):
    """Limits on symbols and turnover, and the least sale where not all of a place is sold."""
    lots, options, unit = problem.lots, problem.options, problem.value * 1e-4
    symbols = problem.places.symbol
    for option, most in enumerate(options.most):
        same = np.flatnonzero(symbols[options.place] == symbols[options.place[option]])
        net = [(len(states) + int(j), 1.0) for j in same]
        of_lots = np.flatnonzero(symbols[lots.place] == symbols[options.place[option]])
        net += [(int(lot), -1.0) for lot in of_lots]
        if any(uses[j] for j in same):
            program.keep(-inf, net, most / unit)
    for place, least_sale in enumerate(problem.places.sell_least):
        here = np.flatnonzero(lots.place == place)
        is_whole = problem.places.is_all[place] and all(states[lot] == WHOLE for lot in here)
        if any(states[lot] != NOTHING for lot in here) and not is_whole:
            program.keep(least_sale / unit, [(int(lot), 1.0) for lot in here])
    program.keep(-inf, [(lot, 1.0) for lot in range(len(states))], problem.turnover_most / unit)


@pytest.mark.parametrize("block", range(BLOCKS))
def test_the_oracle_finds_the_best_of_all_patterns(block):
    for seed in range(block, TINY, BLOCKS):
        given = tiny(seed)
        best, found = least_of_all_patterns(given), least(given)
        if best is None or found is None:
            assert best is None, f"tiny({seed}): the oracle finds nothing, a pattern costs {best}"
            assert found is None, f"tiny({seed}): no pattern is allowed, the oracle has {found}"
            continue
        assert abs(found[0] - best) <= 1e-9 * given.value, f"tiny({seed}): {found[0]}, not {best}"
        assert not broken(given, found[1], found[2]), f"tiny({seed})"


def test_the_best_cost_is_met_by_no_amounts_drawn_by_chance():
    rng = np.random.default_rng(5)
    tried = 0
    for seed in range(120):
        given = problem(seed, most_lots=4)
        found = least(given)
        for _ in range(60):
            chosen = rng.random(len(given.lots.value)) < 0.4
            sold = np.where(chosen, given.lots.value * rng.choice([0.5, 1.0]), 0.0)
            bought = np.where(rng.random(len(given.options.place)) < 0.3, 1.0, 0.0)
            bought *= given.value * rng.random() * 0.1
            if not broken(given, sold, bought):
                tried += 1
                assert found is not None
                assert cost(given, sold, bought) >= found[0] - 1e-9 * given.value, seed
    assert tried > 500


@pytest.mark.parametrize(
    ("so_far", "gains", "tax"),
    [
        ((0.0, 0.0), (1000.0, 2000.0), 400.0 + 300.0),
        ((0.0, 0.0), (-500.0, 2000.0), 225.0),
        ((0.0, 0.0), (2000.0, -500.0), 600.0),
        ((0.0, 0.0), (-1000.0, 0.0), -400.0),
        ((0.0, 0.0), (0.0, -5000.0), -1200.0 - 2000.0 * 0.1),
        ((-4000.0, 1000.0), (1000.0, 0.0), -800.0),
        ((-4000.0, 1000.0), (0.0, 5000.0), 300.0),
    ],
)
def test_a_year_nets_short_and_long_as_section_1222_says(so_far, gains, tax):
    year = netting(0.4, 0.15, so_far, 3000.0, 0.1)
    assert year.at(*gains) == pytest.approx(tax)


def test_the_random_problems_reach_the_rules_that_they_are_meant_for():
    met: Counter[str] = Counter()
    for seed in range(300):
        given = problem(seed)
        found = least(given)
        if found is None:
            met["no cash suffices"] += 1
            continue
        met.update(rules_met(given, found[1], found[2]))
    expected = {
        "no cash suffices": 5,
        "sells": 150,
        "buys": 150,
        "harvests": 30,
        "harvests beside recent lots": 5,
        "sells a recent lot for another's loss": 1,
        "sells in order": 30,
        "sells a place whole that is under its least": 2,
        "sells all that turnover allows": 2,
        "buys all that a symbol allows": 10,
        "sells what it buys elsewhere up to a limit": 1,
        "sells below a limit to buy": 1,
        "nets a loss": 30,
        "nets a gain": 30,
        "trades nothing": 15,
        "raises cash": 30,
        "pays for orders": 30,
    }
    missed = {name: met[name] for name, times in expected.items() if met[name] < times}
    assert not missed


def rules_met(given: Problem, sold: Floats, bought: Floats) -> set[str]:
    """What happens in this solution that a planner could get wrong."""
    lots, places, groups = given.lots, given.places, given.groups
    is_sold = sold > TRACE
    by_place = np.bincount(lots.place, sold, minlength=len(places.account))
    all_of = np.bincount(lots.place, lots.value, minlength=len(places.account))
    twins = groups.twin[places.group[lots.place]]
    losing = set(twins[is_sold & lots.is_loss])
    beside = [lot for lot in np.flatnonzero(lots.is_recent) if twins[lot] in losing]
    symbols, count = places.symbol[given.options.place], int(places.symbol.max(initial=0)) + 1
    by_symbol = np.bincount(symbols, bought, minlength=count)[symbols]
    resold = np.bincount(places.symbol[lots.place], sold, minlength=count)[symbols]
    limited = (bought > TRACE) & (by_symbol > given.options.most + resold - 1e-3)
    values = [float(np.max(p @ [1.0, *_gains(given, sold)])) for p in given.year.branches]
    met = {
        "sells": is_sold.any(),
        "buys": (bought > TRACE).any(),
        "trades nothing": not is_sold.any() and not (bought > TRACE).any(),
        "harvests": losing,
        "harvests beside recent lots": beside,
        "sells a recent lot for another's loss": any(not lots.is_loss[lot] for lot in beside),
        "sells in order": (is_sold & places.is_ordered[lots.place]).any(),
        "sells a place whole that is under its least": (
            (by_place > TRACE) & (by_place >= all_of - TRACE) & (all_of < places.sell_least)
        ).any(),
        "sells all that turnover allows": sum(sold) > given.turnover_most - 1e-3,
        "buys all that a symbol allows": limited.any(),
        "sells what it buys elsewhere up to a limit": (limited & (resold > TRACE)).any(),
        "sells below a limit to buy": (limited & (given.options.most < 0)).any(),
        "nets a loss": len(values) > 1 and values[1] < values[0],
        "nets a gain": len(values) > 1 and values[0] < values[1],
        "raises cash": (given.cash < 0).any(),
        "pays for orders": given.order_cost > 0 and (is_sold.any() or (bought > TRACE).any()),
    }
    assert all(isfinite(value) for value in values)
    return {name for name, is_met in met.items() if is_met}


def _gains(given: Problem, sold: Floats) -> tuple[float, float]:
    gain = sold * given.lots.gain * given.lots.is_taxed
    return float(gain[~given.lots.is_long].sum()), float(gain[given.lots.is_long].sum())
