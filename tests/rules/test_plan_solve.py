"""What must hold of every solution: it keeps the rules, and its proof is true."""

import os
from functools import cache
from random import SystemRandom

import numpy as np
import pytest
from msgspec.structs import replace
from tests.rules.plan_oracle import broken, cost, least, least_lacking
from tests.rules.plan_variants import permuted, scaled
from tests.rules.problems import problem

from trimtab.rules.plan.problem import Options, Problem, Solution
from trimtab.rules.plan.solve import solve

EXPLORES = bool(os.environ.get("TRIMTAB_EXPLORE"))
FIRST = SystemRandom().randrange(10**9) if EXPLORES else 0
SEEDS = range(FIRST, FIRST + (10_000 if EXPLORES else 1000))
SOME = SEEDS[::12]
ROUNDING = 1e-9
"""Part of the household's value that float64 arithmetic may lose."""


class Answer:
    """A seed's problem, what `solve` says, and what the oracle says."""

    def __init__(self, seed: int) -> None:
        self.problem = problem(seed)
        self.solution = solve(self.problem)
        self.exact = least(self.problem)

    @property
    def excess(self) -> float:
        """By how much the solution is dearer than the best one, in basis points of value."""
        assert self.exact is not None
        return (self.solution.objective - self.exact[0]) / self.problem.value * 1e4


@cache
def answer(seed: int) -> Answer:
    return Answer(seed)


def feasible() -> list[tuple[int, Answer]]:
    return [(seed, answer(seed)) for seed in SEEDS if answer(seed).exact is not None]


def of_nothing(given: Problem) -> float:
    return cost(given, np.zeros(len(given.lots.value)), np.zeros(len(given.options.place)))


def told(faults: list[str]) -> str:
    return f"{len(faults)} of {len(SEEDS)} problems:\n" + "\n".join(faults[:20])


def test_no_solution_breaks_a_rule():
    faults = [
        f"problem({seed}): {'; '.join(found)}"
        for seed, case in feasible()
        if (found := broken(case.problem, case.solution.sold, case.solution.bought))
    ]
    assert not faults, told(faults)


def test_the_objective_is_what_the_amounts_cost():
    faults = []
    for seed, case in feasible():
        known = cost(case.problem, case.solution.sold, case.solution.bought)
        if abs(case.solution.objective - known) > ROUNDING * case.problem.value:
            faults.append(f"problem({seed}): said {case.solution.objective}, costs {known}")
    assert not faults, told(faults)


def test_the_bound_is_under_what_the_best_solution_costs():
    faults = [
        f"problem({seed}): bound {case.solution.bound}, exact {case.exact[0]}"
        for seed, case in feasible()
        if case.exact is not None
        and case.solution.bound > case.exact[0] + 1e-6 * case.problem.value
    ]
    assert not faults, told(faults)


def test_no_solution_is_under_the_oracle():
    faults = [
        f"problem({seed}): {case.excess} basis points"
        for seed, case in feasible()
        if case.excess < -1e-6
    ]
    assert not faults, told(faults)


def test_a_solution_is_within_a_basis_point_of_the_best_and_nearly_always_far_closer():
    excess = sorted(((case.excess, seed) for seed, case in feasible()), reverse=True)
    worst = ", ".join(f"problem({seed}): {points:.4f}" for points, seed in excess[:5])
    assert excess[0][0] <= 1.0, f"basis points over the best: {worst}"
    assert excess[len(excess) // 100][0] <= 0.01, f"basis points over the best: {worst}"


def test_the_gap_is_never_negative():
    faults = [
        f"problem({seed}): {case.solution.objective - case.solution.bound}"
        for seed, case in feasible()
        if case.solution.objective < case.solution.bound - ROUNDING * case.problem.value
    ]
    assert not faults, told(faults)


def test_cash_is_lacking_exactly_where_no_sale_could_raise_it():
    faults = []
    for seed in SEEDS:
        case = answer(seed)
        lacking = float(case.solution.lacking.sum())
        if case.exact is not None and lacking > 0:
            faults.append(f"problem({seed}) has a solution, but {lacking} is said to lack")
        if case.exact is None and not lacking > 0:
            faults.append(f"problem({seed}) has no solution, but nothing is said to lack")
    assert not faults, told(faults)
    assert any(answer(seed).exact is None for seed in SEEDS)


def test_no_more_cash_is_lacking_than_must_be():
    faults = []
    for seed in SEEDS:
        case = answer(seed)
        if case.exact is None:
            lacking, must = float(case.solution.lacking.sum()), least_lacking(case.problem)
            if lacking > must + 1e-4 * case.problem.value:
                faults.append(f"problem({seed}): {lacking} lacks, {must} would do")
    assert not faults, told(faults)


def test_a_solution_costs_no_more_than_doing_nothing():
    faults = [
        f"problem({seed}): {case.solution.objective}, nothing costs {of_nothing(case.problem)}"
        for seed, case in feasible()
        if (case.problem.cash >= 0).all()
        and case.solution.objective > of_nothing(case.problem) + ROUNDING * case.problem.value
    ]
    assert not faults, told(faults)


def test_another_order_of_accounts_lots_and_options_costs_the_same():
    """Which of two plans that cost the same is chosen is up to who lays the arrays out."""
    faults = []
    for seed in SOME:
        case = answer(seed)
        other = permuted(case.problem, np.random.default_rng(seed))
        found = solve(other.problem)
        faults += apart(seed, case.problem.value, found.objective, case.solution.objective)
        if case.exact is not None:
            sold, bought = other.back(found)
            back = cost(case.problem, sold, bought)
            faults += apart(seed, case.problem.value, back, found.objective)
    assert not faults, told(faults)


def test_ten_times_the_money_costs_ten_times_as_much():
    faults = []
    for seed in SOME:
        case = answer(seed)
        found = solve(scaled(case.problem, 10.0))
        faults += apart(seed, case.problem.value, found.objective / 10.0, case.solution.objective)
    assert not faults, told(faults)


def apart(seed: int, value: float, money: float, other: float) -> list[str]:
    """Two amounts of money that should be one, if they are a millionth of *value* apart."""
    return [f"problem({seed}): {money} and {other}"] if abs(money - other) > 1e-6 * value else []


def with_cheaper_drift(given: Problem) -> Problem:
    return replace(
        given,
        classes=replace(given.classes, weight=given.classes.weight * 0.5),
        in_cash=replace(given.in_cash, weight=given.in_cash.weight * 0.5),
    )


def with_wider_bands(given: Problem) -> Problem:
    more = 0.01 * given.value
    return replace(
        given,
        classes=replace(given.classes, tolerance=given.classes.tolerance + more),
        in_cash=replace(given.in_cash, tolerance=given.in_cash.tolerance + more),
    )


def with_specific_lots(given: Problem) -> Problem:
    free = np.zeros_like(given.places.is_ordered)
    return replace(given, places=replace(given.places, is_ordered=free))


def with_no_least_trade(given: Problem) -> Problem:
    return replace(
        given,
        places=replace(given.places, sell_least=np.zeros_like(given.places.sell_least)),
        options=replace(given.options, least=np.zeros_like(given.options.least)),
        order_cost=0.0,
    )


def without_the_last_option(given: Problem) -> Problem:
    kept = {name: getattr(given.options, name)[:-1] for name in Options.__struct_fields__}
    return replace(given, options=Options(**kept))


@pytest.mark.parametrize(
    "freed", [with_cheaper_drift, with_wider_bands, with_specific_lots, with_no_least_trade]
)
def test_more_freedom_never_costs_more(freed):
    faults = []
    for seed in SOME:
        case = answer(seed)
        if case.exact is not None:
            faults += dearer(seed, case.problem.value, solve(freed(case.problem)), case.solution)
    assert not faults, told(faults)


def test_one_more_substitute_never_costs_more():
    faults = []
    for seed in SOME:
        case = answer(seed)
        if len(case.problem.options.place) and case.exact is not None:
            fewer = solve(without_the_last_option(case.problem))
            if not fewer.lacking.any():
                faults += dearer(seed, case.problem.value, case.solution, fewer)
    assert not faults, told(faults)


def dearer(seed: int, value: float, freer: Solution, bounded: Solution) -> list[str]:
    """The proofs may not cross, and what is found may not be a basis point dearer."""
    faults = []
    if freer.bound > bounded.objective + 1e-6 * value:
        faults.append(f"problem({seed}): bound {freer.bound}, with less {bounded.objective}")
    if freer.objective > bounded.objective + 1e-4 * value:
        faults.append(f"problem({seed}): costs {freer.objective}, with less {bounded.objective}")
    return faults
