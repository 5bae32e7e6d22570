"""Dollar-cost and value averaging: their identities, their limits, and what is left at the end."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.domain.errors import InputError
from trimtab.domain.numbers import CENT, ZERO
from trimtab.rules.averaging import (
    Course,
    Limits,
    SideFund,
    compare_wealth,
    dollar_cost_averaging,
    edleson_growth,
    moments_under_gbm,
    next_step,
    path_edleson,
    path_exact,
    split_lump,
    value_averaging,
)

D = Decimal
UNBOUND = Limits(sells=True, caps=None)
DOWN_AND_UP = [D(price) for price in (10, 9, 8, 7, 6, 5, 4, 3, 2, 3, 4, 5)]
LINEAR = [D(1000) * number for number in range(1, 13)]

prices = st.lists(st.decimals("0.5", "500", places=2, allow_nan=False), min_size=1, max_size=24)
amounts = st.decimals("1", "100000", places=2, allow_nan=False)
rates = st.decimals("-0.02", "0.03", places=4, allow_nan=False)


@pytest.mark.parametrize("path_of", [path_exact, path_edleson])
@given(path=prices, amount=amounts, r=rates, g=rates)
def test_value_averaging_reaches_its_path_to_the_cent_when_uncapped(path_of, path, amount, r, g):
    goals = path_of(amount, r, g, len(path))
    course = value_averaging(goals, path, UNBOUND)
    for goal, price, units in zip(goals, path, course.units, strict=True):
        assert abs(units * price - goal) <= CENT / 2 + D("1e-15")


@pytest.mark.parametrize("path_of", [path_exact, path_edleson])
@given(path=prices, amount=amounts, r=rates, g=rates)
def test_value_averaging_that_never_sells_is_never_below_its_path_when_uncapped(
    path_of, path, amount, r, g
):
    goals = path_of(amount, r, g, len(path))
    course = value_averaging(goals, path, Limits(caps=None))
    for goal, price, units in zip(goals, path, course.units, strict=True):
        assert units * price - goal >= -CENT / 2 - D("1e-15")


@given(path=prices, amount=amounts, r=rates, multiple=st.decimals(1, 4, places=1))
def test_a_capped_path_is_the_uncapped_one_from_where_it_is_caught_up(path, amount, r, multiple):
    goals = path_exact(amount, r, ZERO, len(path))
    capped = Limits(sells=True, caps=(amount * multiple,) * len(path))
    course = value_averaging(goals, path, capped)
    for number, (goal, price, units) in enumerate(zip(goals, path, course.units, strict=True)):
        missing = goal - units * price
        assert abs(missing - course.withheld[number]) <= CENT / 2 + D("1e-15")
        assert course.withheld[number] == 0 or course.contributions[number] == amount * multiple


@given(path=prices, amount=amounts, r=rates, sells=st.booleans())
def test_terminal_wealth_is_the_value_and_all_that_was_paid_in_and_not_invested(
    path, amount, r, sells
):
    fund = SideFund(start=amount, paid_in=(amount,) * len(path))
    goals = path_exact(amount, r, ZERO, len(path))
    caps = (amount * 3,) * len(path)
    compared = compare_wealth(goals, path, Limits(sells=sells, caps=caps), fund)
    for course in (compared.lump, compared.dollar_cost, compared.value):
        beside = amount * (len(path) + 1) - course.invested
        assert course.wealth == course.units[-1] * path[-1] + beside
        assert beside >= 0


@given(prices, amounts)
def test_the_average_cost_of_equal_amounts_is_the_harmonic_mean_of_the_prices(path, amount):
    course = dollar_cost_averaging([amount] * len(path), path)
    harmonic = len(path) / sum((1 / Fraction(price) for price in path), Fraction(0))
    assert course.average_cost is not None
    assert abs(Fraction(course.average_cost) - harmonic) < Fraction(1, 10**18)
    assert harmonic <= sum(map(Fraction, path), Fraction(0)) / len(path)


@given(prices, amounts, rates)
def test_a_course_that_does_not_sell_never_takes_out_and_one_with_caps_never_exceeds_them(
    path, amount, r
):
    caps = tuple(amount * 2 for _ in path)
    goals = path_exact(amount, r, ZERO, len(path))
    course = value_averaging(goals, path, Limits(caps=caps))
    assert all(
        ZERO <= put_in <= cap for put_in, cap in zip(course.contributions, caps, strict=True)
    )
    assert all(back >= 0 for back in course.withheld)


@given(prices, amounts, rates, rates, st.booleans())
def test_no_cent_is_lost_between_the_side_fund_and_the_investment(path, amount, r, g, sells):
    fund = SideFund(start=amount, paid_in=(amount,) * len(path))
    limits = Limits(sells=sells, caps=None)
    course = value_averaging(path_exact(amount, r, g, len(path)), path, limits, fund)
    assert course.side_fund[-1] + course.invested == amount * (len(path) + 1)
    assert min(course.side_fund) >= 0


@given(amounts, st.integers(1, 400))
def test_the_parts_of_a_lump_are_the_lump_and_differ_by_a_cent_at_most(amount, parts):
    split = split_lump(amount, parts)
    assert sum(split, ZERO) == amount
    assert len(split) == parts
    assert max(split) - min(split) <= CENT


def test_a_lump_finer_than_a_cent_is_still_divided_without_loss():
    assert sum(split_lump(D("10.005"), 3), ZERO) == D("10.005")


def test_what_a_cap_withholds_is_asked_for_again_as_long_as_the_path_stands():
    goals, path = [D(1000), D(2000), D(3000)], [D(10), D(5), D(5)]
    course = value_averaging(goals, path, Limits(caps=(D(1200),) * 3))
    assert course.contributions == (D(1000), D(1200), D(1200))
    assert course.withheld == (ZERO, D(300), D(100))


def test_what_a_cap_withholds_is_given_up_where_nothing_carries_forward():
    goals, path = [D(1000), D(2000), D(3000)], [D(10), D(5), D(5)]
    limits = Limits(caps=(D(1200),) * 3, carries_forward=False)
    course = value_averaging(goals, path, limits)
    assert course.contributions == (D(1000), D(1200), D(1000))
    assert course.withheld == (ZERO, D(300), ZERO)


def test_a_path_that_gave_something_up_goes_on_as_from_the_value_reached():
    r = D("0.01")
    goals = path_exact(D(1000), r, ZERO, 4)
    path = [D(10), D(5), D("5.05"), D("5.1005")]  # after the fall the price keeps to the path's 1 %
    limits = Limits(caps=(D(1100),) * 4, carries_forward=False, growth=r)
    course = value_averaging(goals, path, limits)
    assert course.withheld[1] > 0
    assert course.contributions[2:] == (D(1000), D(1000))


def test_a_cap_of_nothing_stops_purchases_and_no_sale():
    goals, path = [D(1000), D(500)], [D(10), D(10)]
    course = value_averaging(goals, path, Limits(sells=True, caps=(D(2000), ZERO)))
    assert course.contributions == (D(1000), D(-500))
    course = value_averaging([D(1000), D(2000)], path, Limits(sells=True, caps=(D(2000), ZERO)))
    assert course.contributions == (D(1000), ZERO)


def test_a_household_does_not_borrow_for_the_path():
    fund = SideFund(start=ZERO, paid_in=(D(1000),) * 12)
    course = value_averaging(LINEAR, DOWN_AND_UP, Limits(sells=True, caps=None), fund)
    assert min(course.side_fund) >= 0
    assert course.contributions[1] == D(1000)
    assert course.withheld[1] == D(100)


def test_the_side_fund_pays_for_purchases_and_takes_what_sales_bring():
    fund = SideFund(start=D(1000), paid_in=(D(100), D(100)), growth=D("0.01"))
    course = value_averaging([D(600), D(700)], [D(1), D(2)], UNBOUND, fund)
    assert course.contributions == (D(600), D(-500))
    assert course.side_fund == (D(500), D(500) + D(5) + D(100) + D(500))
    assert course.wealth == D(700) + D(1105)


def test_the_three_ways_have_the_same_money_and_end_alike_where_nothing_moves():
    fund = SideFund(start=D(1000), paid_in=(D(100),) * 5)
    goals = path_exact(D(300), ZERO, ZERO, 5)
    compared = compare_wealth(goals, [D(7)] * 5, UNBOUND, fund)
    ends = {compared.lump.wealth, compared.dollar_cost.wealth, compared.value.wealth}
    assert max(ends) - min(ends) < D("1e-20")
    assert round(min(ends), 10) == D(1500)


def test_a_lump_is_ahead_where_prices_only_rise_and_behind_where_they_fall():
    fund = SideFund(start=D(1200), paid_in=(ZERO,) * 3)
    goals = path_exact(D(400), ZERO, ZERO, 3)
    rising = compare_wealth(goals, [D(10), D(11), D(12)], UNBOUND, fund)
    falling = compare_wealth(goals, [D(12), D(11), D(10)], UNBOUND, fund)
    assert rising.lump.wealth > rising.dollar_cost.wealth
    assert falling.lump.wealth < falling.dollar_cost.wealth
    assert rising.sentence() == (
        "At the end, with what waits in the side fund: 1,440.00 USD invested at once, "
        "1,316.36 USD in equal parts, 1,312.73 USD along the value path, whose largest single "
        "contribution was 400.00 USD."
    )


def test_wealth_counts_the_side_fund_that_the_invested_value_hides():
    fund = SideFund(start=ZERO, paid_in=(D(1000),) * 12)
    limits = Limits(sells=True, caps=None)
    compared = compare_wealth(LINEAR, DOWN_AND_UP, limits, fund)
    assert compared.value.wealth == compared.value.value + compared.value.side_fund[-1]
    assert compared.value.side_fund[-1] > 0
    assert round(compared.dollar_cost.wealth, 2) == D("13561.51")


def test_edlesons_path_starts_with_a_period_of_growth_and_the_exact_one_does_not():
    r = D("0.01")
    assert path_edleson(D(100), r, ZERO, 1) == (D("100.500"),)
    assert path_exact(D(100), r, ZERO, 1) == (D(100),)
    assert edleson_growth(r, D("0.02")) == D("0.015")


@given(amounts, rates, st.integers(1, 60))
def test_the_exact_path_is_the_sum_of_a_growing_annuity(amount, r, periods):
    last = path_exact(amount, r, r, periods)[-1]
    assert math.isclose(last, amount * periods * (1 + r) ** (periods - 1), rel_tol=1e-12)


def test_the_next_step_stands_on_the_path_and_does_nothing():
    step = next_step(D(100), D(100), Limits(caps=None), cap=D(10))
    assert (step.amount, step.withheld) == (ZERO, ZERO)


def test_an_empty_side_fund_buys_nothing():
    step = next_step(D(100), D(50), Limits(caps=None), available=D(-3))
    assert (step.amount, step.withheld) == (ZERO, D(50))
    fund = SideFund(start=D(-300), paid_in=(D(200), D(200)))
    course = dollar_cost_averaging([D(100), D(100)], [D(1), D(1)], fund)
    assert course.contributions == (ZERO, D(100))


def test_amounts_are_whole_cents_unless_exact_ones_are_asked_for():
    path = [D(9), D(7)]
    goals = [D(100), D(200)]
    in_cents = value_averaging(goals, path, UNBOUND)
    exact = value_averaging(goals, path, Limits(sells=True, caps=None, grain=None))
    assert in_cents.contributions[1] == D("122.22")
    assert exact.contributions[1] != D("122.22")


def test_nothing_held_has_no_average_cost():
    course = Course(prices=(D(1),), contributions=(ZERO,), units=(ZERO,), withheld=(ZERO,))
    assert course.average_cost is None
    assert course.wealth == ZERO


@pytest.mark.parametrize(
    ("goals", "path", "told"),
    [
        pytest.param([D(1)], [D(0)], "price 1 is 0", id="a price of nothing"),
        pytest.param([D(1)], [D("nan")], "price 1 is NaN", id="no price"),
        pytest.param([D(1), D(2)], [D(1)], "there are 2 goals for 1 prices", id="too many goals"),
        pytest.param([], [], "no price is given", id="nothing at all"),
    ],
)
def test_a_course_refuses_prices_that_are_none(goals, path, told):
    with pytest.raises(InputError, match=told):
        value_averaging(goals, path, UNBOUND)


def test_a_side_fund_and_caps_have_one_entry_a_period():
    with pytest.raises(InputError, match="1 payments for 2 prices"):
        value_averaging([D(1), D(2)], [D(1), D(1)], UNBOUND, SideFund(paid_in=(D(1),)))
    with pytest.raises(InputError, match="1 caps for 2 prices"):
        value_averaging([D(1), D(2)], [D(1), D(1)], Limits(caps=(D(1),)))


def test_a_rate_that_loses_everything_and_parts_of_nothing_are_refused():
    with pytest.raises(InputError, match="loses everything"):
        path_exact(D(1), D(-1), ZERO, 3)
    with pytest.raises(InputError, match="loses everything"):
        path_edleson(D(1), ZERO, D("nan"), 3)
    with pytest.raises(InputError, match="0 parts"):
        split_lump(D(1), 0)


def _simulated(parts: int, drift: float, volatility: float) -> np.ndarray:
    rng = np.random.default_rng(20261122)
    shocks = rng.standard_normal((200_000, parts))
    growth = np.exp((drift - volatility**2 / 2) / parts + volatility / parts**0.5 * shocks)
    to_end = np.cumprod(growth[:, ::-1], axis=1)
    return np.stack([to_end.sum(axis=1), parts * to_end[:, -1]])


def test_the_moments_under_gbm_are_those_of_simulated_paths():
    moments = moments_under_gbm(amount=1.0, parts=6, step_years=1 / 6, drift=0.1, volatility=0.3)
    equal, lump = _simulated(6, 0.1, 0.3)
    assert equal.mean() == pytest.approx(moments.dollar_cost_mean, rel=2e-3)
    assert equal.std() == pytest.approx(moments.dollar_cost_deviation, rel=1e-2)
    assert lump.mean() == pytest.approx(moments.lump_mean, rel=3e-3)
    assert lump.std() == pytest.approx(moments.lump_deviation, rel=1e-2)


def test_one_part_is_a_lump_and_without_volatility_nothing_deviates():
    one = moments_under_gbm(amount=5.0, parts=1, step_years=2.0, drift=0.05, volatility=0.2)
    assert one.dollar_cost_mean == one.lump_mean
    assert one.dollar_cost_deviation == pytest.approx(one.lump_deviation, rel=1e-15)
    calm = moments_under_gbm(amount=5.0, parts=4, step_years=0.25, drift=0.0, volatility=0.0)
    assert (calm.dollar_cost_mean, calm.dollar_cost_deviation) == (20.0, 0.0)


def test_an_uncapped_path_asks_for_many_contributions_at_once_after_a_fall():
    path = [D(100)] * 60 + [D(60)]
    goals = path_exact(D(100), ZERO, ZERO, 61)
    assert value_averaging(goals, path, UNBOUND).contribution_max == D(2500)
    capped = value_averaging(goals, path, Limits(caps=(D(300),) * 61))
    assert capped.contribution_max == D(300)
