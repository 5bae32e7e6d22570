"""Brokers that book in order, and orders that cost money: neither makes the proof loose."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.rules.plan_judge import broken, cost
from tests.rules.problems import linear, netting

from trimtab.rules.plan.kernel import Kernel, Prices
from trimtab.rules.plan.problem import (
    Classes,
    Groups,
    Lots,
    Options,
    Places,
    Problem,
)
from trimtab.rules.plan.solve import solve
from trimtab.rules.plan.spans import Pools

AMOUNT = 1e5


def household(seed: int, classes: int, lots_each: int, *, accounts: int = 1) -> Problem:
    """As many classes with one symbol each in every account, a quarter too heavy or too light.

    The first lots are the oldest ones, with the largest gains, and brokers sell them first.
    """
    rng = np.random.default_rng(seed)
    places = classes * accounts
    place = np.repeat(np.arange(places), lots_each)
    count = len(place)
    value = AMOUNT / lots_each * rng.uniform(0.3, 1.7, count)
    age = np.tile(np.linspace(2000, 40, lots_each), places) / 365
    gain = 1.0 - np.exp(-0.06 * age - 0.22 * np.sqrt(age) * rng.standard_normal(count))
    group = np.arange(places) % classes
    held = np.bincount(group[place], value).astype(np.float64)
    goal = held * (1 + 0.25 * np.resize([1.0, -1.0], classes))
    goal *= held.sum() / goal.sum()
    nothing = np.zeros(1)
    return Problem(
        cash=np.full(accounts, 100.0),
        in_total=np.ones(accounts, dtype=np.bool_),
        in_cash=Classes(
            held=nothing + 100.0 * accounts,
            goal=nothing,
            tolerance=nothing,
            weight=np.array([0.05]),
        ),
        classes=Classes(held=held, goal=goal, tolerance=0.02 * goal, weight=np.full(classes, 0.05)),
        groups=Groups(of_class=np.arange(classes), twin=np.arange(classes)),
        places=Places(
            account=np.arange(places) // classes,
            symbol=group,
            group=group,
            is_ordered=np.ones(places, dtype=np.bool_),
            sell_least=np.full(places, 100.0),
            is_all=np.ones(places, dtype=np.bool_),
        ),
        lots=Lots(
            place=place,
            value=value,
            gain=gain,
            is_long=age > 1,
            is_taxed=np.ones(count, dtype=np.bool_),
            is_loss=gain < 0,
            is_recent=np.zeros(count, dtype=np.bool_),
            goes_alone=np.zeros(count, dtype=np.bool_),
            cost=np.full(count, 2e-4),
            extra=np.where(gain < 0, -0.05 * gain, 0.0),
            cash=np.full(count, 1 - 2e-4),
        ),
        options=Options(
            place=np.arange(places),
            cost=np.full(places, 2e-4),
            cash=np.full(places, 1 + 2e-4),
            least=np.full(places, 100.0),
            most=np.full(places, np.inf),
        ),
        year=netting(0.35, 0.2, (0.0, 0.0), 3000.0, 0.05),
        value=float(held.sum() + 100.0 * accounts),
    )


def gap(problem: Problem) -> float:
    """Basis points of value between what the solution costs and its proof."""
    found = solve(problem)
    assert not broken(problem, found.sold, found.bought)
    assert found.objective == pytest.approx(cost(problem, found.sold, found.bought), abs=1e-3)
    return (found.objective - found.bound) / problem.value * 1e4


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("classes", "lots_each", "accounts"), [(3, 60, 1), (10, 20, 1), (50, 10, 1), (12, 15, 2)]
)
def test_lots_that_are_booked_in_order_are_proven_to_a_basis_point(
    seed, classes, lots_each, accounts
):
    assert -1e-6 <= gap(household(seed, classes, lots_each, accounts=accounts)) < 1.0


@pytest.mark.parametrize("order_cost", [1.0, 10.0])
@pytest.mark.parametrize("is_ordered", [True, False])
def test_orders_that_cost_money_are_proven_to_a_basis_point(order_cost, is_ordered):
    given = household(5, 40, 20)
    ordered = np.full_like(given.places.is_ordered, fill_value=is_ordered)
    given = replace(given, places=replace(given.places, is_ordered=ordered), order_cost=order_cost)
    assert -1e-6 <= gap(given) < 1.0


def test_an_order_is_left_out_where_it_costs_more_than_it_saves():
    given = replace(household(5, 12, 10), year=linear(0.35, 0.2))
    few = solve(replace(given, order_cost=600.0))
    many = solve(given)
    assert 0 < (few.bought > 0).sum() < (many.bought > 0).sum()


@pytest.mark.parametrize("order_cost", [0.0, 25.0])
def test_what_a_class_costs_at_least_is_what_its_cheapest_sale_in_order_costs(order_cost):
    """One place a class: every sale up to a lot, or to the edge of the band, is tried."""
    given = replace(household(7, 8, 12), order_cost=order_cost)
    given = replace(given, lots=replace(given.lots, is_loss=np.zeros_like(given.lots.is_loss)))
    prices = Prices(cash=np.array([0.03]), short=0.35, long=0.2)
    lots, classes, kernel = given.lots, given.classes, Kernel(given)
    unit = lots.cost + lots.extra - 0.03 * lots.cash
    unit += np.where(lots.is_long, 0.2, 0.35) * lots.gain
    buying = 2e-4 + 0.03 * (1 + 2e-4)
    expected = []
    for number in range(8):
        here = lots.place == number
        ends = np.concatenate(([0.0], np.cumsum(lots.value[here])))
        money = np.concatenate(([0.0], np.cumsum((unit * lots.value)[here])))
        held, goal = classes.held[number], classes.goal[number]
        edges = [held - goal * 0.98, held - goal * 1.02]
        amounts = [*ends, *(edge for edge in edges if 0 < edge < ends[-1])]
        costs = []
        for amount in amounts:
            sold = float(np.interp(amount, ends, money)) + order_cost * (amount > 0)
            left = held - amount
            beyond = max(0.0, abs(left - goal) - 0.02 * goal)
            costs.append(sold + 0.05 * beyond)
            lacking = max(0.0, 0.98 * goal - left)
            if lacking > 0:
                costs.append(sold + buying * lacking + order_cost)
        expected.append(min(costs))
    for _ in range(4):
        least = kernel.at(prices).least
    assert least == pytest.approx(np.array(expected), abs=1e-2)


UNITS = st.lists(st.integers(-5, 5), min_size=1, max_size=40)


@given(units=UNITS, more=UNITS, cascade=st.booleans())
def test_pools_are_the_lower_convex_envelope(units, more, cascade):
    if cascade:
        more = [*range(60), -4000]
    unit = np.array([*units, *more], dtype=np.float64)
    runs = np.array([0] * len(units) + [1] * len(more))
    value = np.resize([1.0, 2.0, 0.5], len(unit))
    free = np.zeros(len(unit), dtype=np.bool_)
    pools = Pools(np.arange(len(unit)), runs, free, np.zeros(2))
    found = pools.convex(unit, value)
    for run in (0, 1):
        here = runs == run
        assert found[here] == pytest.approx(envelope(unit[here], value[here]), abs=1e-9)


def envelope(unit, value):
    """The slope of the lower convex envelope over each part, end by end."""
    ends = np.concatenate(([0.0], np.cumsum(value)))
    money = np.concatenate(([0.0], np.cumsum(unit * value)))
    slopes = np.empty(len(unit))
    start = 0
    while start < len(unit):
        steep = (money[start + 1 :] - money[start]) / (ends[start + 1 :] - ends[start])
        stop = start + 1 + int(np.flatnonzero(steep <= steep.min() + 1e-12)[-1])
        slopes[start:stop] = steep.min()
        start = stop
    return slopes
