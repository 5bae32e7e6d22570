"""Money-weighted returns: every root is found, none is guessed."""

import datetime as dt
import math

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from trimtab.domain.errors import InputError
from trimtab.lab.cash_flow_returns import (
    log_roots,
    modified_dietz,
    net_present_value,
    period_irr,
    xirr,
)

START = dt.date(2019, 1, 1)


def _flows(*pairs: tuple[int, float]) -> list[tuple[dt.date, float]]:
    return [(START + dt.timedelta(days=days), amount) for days, amount in pairs]


amounts = st.integers(-100_000, 100_000).map(lambda cents: cents / 100)
histories = st.lists(st.tuples(st.integers(0, 4000), amounts), min_size=1, max_size=25)


@given(histories)
def test_at_every_rate_that_is_told_the_present_value_is_zero(pairs):
    flows = _flows(*pairs)
    for rate in xirr(flows).roots:
        assume(-0.9 < rate < 10)
        size = net_present_value(rate, [(day, abs(amount)) for day, amount in flows])
        assert abs(net_present_value(rate, flows)) <= 1e-10 * size


@given(histories)
def test_where_the_present_value_changes_its_sign_there_is_a_rate(pairs):
    flows = _flows(*pairs)
    rates = [-0.9, -0.5, -0.2, -0.05, 0.0, 0.05, 0.2, 0.5, 1.0, 3.0, 10.0]
    found = xirr(flows).roots
    worths = [net_present_value(rate, flows) for rate in rates]
    for low, high, one, other in zip(rates, rates[1:], worths, worths[1:], strict=False):
        if min(abs(one), abs(other)) > 1e-6 and one * other < 0:
            assert any(low <= rate <= high for rate in found)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=5, unique=True), st.integers(1, 3))
def test_all_roots_of_a_polynomial_are_found(bases, sign):
    roots = sorted(math.log(base / 4) for base in bases)
    coefficients = sign * np.poly([math.exp(-root) for root in roots])[::-1]
    found = log_roots(range(len(coefficients)), coefficients.tolist())
    assert found == pytest.approx(roots, abs=1e-6)


@given(
    st.lists(st.tuples(st.integers(0, 2000), st.floats(1, 1000)), min_size=1, max_size=12),
    st.floats(-0.9, 5),
)
def test_an_investor_who_paid_in_and_then_took_out_has_exactly_one_rate(paid, rate):
    last = max(day for day, _ in paid) + 365
    flows = _flows(*((day, -amount) for day, amount in paid))
    worth = sum(amount * (1 + rate) ** ((last - day) / 365) for day, amount in paid)
    answer = xirr([*flows, *_flows((last, worth))])
    assert answer.status == "rate"
    assert answer.rate == pytest.approx(rate, rel=1e-9, abs=1e-9)


@given(st.permutations(range(6)))
def test_the_order_of_the_flows_does_not_matter(order):
    flows = _flows((0, -100), (30, -50), (200, 20), (200, -10), (400, 90), (800, 95))
    assert xirr([flows[place] for place in order]) == xirr(flows)


@pytest.mark.parametrize(
    ("flows", "rate"),
    [
        pytest.param(_flows((0, -100), (365, 0.01)), -0.9999, id="a loss of 99.99 %"),
        pytest.param(_flows((0, -100), (365, 4700)), 46.0, id="a gain of 4600 %"),
        pytest.param(_flows((0, -100), (1, 200)), math.expm1(365 * math.log(2)), id="in a day"),
        pytest.param(_flows((0, -100), (3650, 100)), 0.0, id="nothing in ten years"),
        pytest.param(
            [(dt.date(2020, 2, 28), -1.0), (dt.date(2020, 3, 1), 1.1)],
            1.1 ** (365 / 2) - 1,
            id="over a leap day",
        ),
        pytest.param(_flows((0, -100), (1, 1e-9)), -1.0, id="all lost in a day"),
    ],
)
def test_a_rate_is_found_however_far_out_it_is(flows, rate):
    answer = xirr(flows)
    assert answer.status == "rate"
    assert answer.rate == pytest.approx(rate, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("flows", "told"),
    [
        pytest.param([], "no money moved", id="nothing"),
        pytest.param(_flows((0, -5), (0, 5)), "no money moved", id="in and out on one day"),
        pytest.param(_flows((0, -5), (9, -5)), "money only went in", id="only in"),
        pytest.param(_flows((0, 5), (9, 0), (10, 5)), "money only went out", id="only out"),
        pytest.param(
            _flows((0, 100), (365, -200), (730, 101)), "no rate balances them", id="no real root"
        ),
        pytest.param(_flows((0, -1), (1, 1e9)), "too large for a number", id="beyond all numbers"),
    ],
)
def test_where_no_rate_balances_the_flows_none_is_told_but_why(flows, told):
    answer = xirr(flows)
    assert (answer.status, answer.rate, answer.over_the_time) == ("undefined", None, None)
    assert told in answer.sentence


def test_several_rates_are_all_told_and_none_is_chosen():
    answer = xirr(_flows((0, 100), (365, -230), (730, 132)))
    assert answer.status == "several"
    assert answer.roots == pytest.approx((0.1, 0.2), abs=1e-12)
    assert answer.rate is None
    assert answer.sentence == ("2 rates balance the flows and none is the right one: 10 %, 20 %.")


def test_a_root_that_only_touches_is_one_rate():
    answer = xirr(_flows((0, 100), (365, -220), (730, 121)))
    assert answer.status == "rate"
    assert answer.rate == pytest.approx(0.1, abs=1e-6)


def test_three_rates_are_three():
    flows = _flows((0, -1000), (365, 3600), (730, -4310), (1095, 1716))
    assert xirr(flows).roots == pytest.approx((0.1, 0.2, 0.3), abs=1e-9)


def test_hundreds_of_changes_of_sign_are_no_obstacle():
    rng = np.random.default_rng(7)
    pairs = [(7 * week, float(rng.uniform(-500, 400))) for week in range(1500)]
    flows = _flows(*pairs, (7 * 1500, 150_000.0))
    answer = xirr(flows)
    assert answer.roots
    for rate in answer.roots:
        size = net_present_value(rate, [(day, abs(amount)) for day, amount in flows])
        assert abs(net_present_value(rate, flows)) <= 1e-9 * size


def test_a_rate_of_less_than_a_year_is_also_told_for_its_own_time():
    answer = xirr(_flows((0, -100), (73, 110)))
    assert answer.rate == pytest.approx(1.1**5 - 1)
    assert answer.over_the_time == pytest.approx(0.1)
    assert xirr(_flows((0, -100), (1, 1e-9))).over_the_time == -1.0


def test_an_amount_that_is_no_number_is_refused():
    with pytest.raises(InputError, match="the flow of 2019-01-01 is nan"):
        xirr(_flows((0, math.nan)))


def test_modified_dietz_of_one_day_counts_a_flow_at_its_start_and_not_one_at_its_end():
    start = modified_dietz(0, 110, [(1, 100)], 1, flows_at="start_of_day")
    assert start.total == pytest.approx(0.1)
    end = modified_dietz(0, 110, [(1, 100)], 1)
    assert (end.gain, end.average_capital, end.total) == (10, 0, None)


def test_modified_dietz_is_undefined_where_the_average_capital_is_negative():
    assert modified_dietz(100, 10, [(1, -150)], 10).total is None


@pytest.mark.parametrize(
    ("flows", "length", "told"),
    [
        ([(11, 1.0)], 10, "a flow is at 11, outside of the period from 0 to 10"),
        ([(-1, 1.0)], 10, "a flow is at -1"),
        ([(1, math.inf)], 10, "the flow at 1 is inf"),
        ([], 0, "the period lasts 0"),
    ],
)
def test_a_period_that_makes_no_sense_is_refused(flows, length, told):
    with pytest.raises(InputError, match=told):
        modified_dietz(100, 110, flows, length)
    with pytest.raises(InputError, match=told):
        period_irr(100, 110, flows, length)


def test_day_zero_has_no_start_of_day():
    with pytest.raises(InputError, match="day 0 is the opening"):
        modified_dietz(100, 110, [(0, 10)], 10, flows_at="start_of_day")


@given(
    st.floats(100, 1000),
    st.lists(st.tuples(st.floats(0, 30), st.floats(-20, 200)), max_size=5),
    st.floats(-0.3, 0.5),
)
@example(100.0, [(0.0, 50.0)], 0.1)
@example(100.0, [(30.0, 50.0)], 0.1)
def test_the_return_of_a_period_grows_each_flow_to_its_end(begin, flows, change):
    grown = 1 + change
    end = begin * grown + math.fsum(a * grown ** ((30 - t) / 30) for t, a in flows)
    answer = period_irr(begin, end, flows, 30)
    assert any(root == pytest.approx(change, rel=1e-9, abs=1e-9) for root in answer.roots)


def test_money_that_is_gone_is_a_return_of_minus_one():
    assert period_irr(100, 0, [(1, 50)], 2).rate == -1.0
    assert period_irr(0, 0, [], 2).status == "undefined"
    assert period_irr(-100, 50, [], 2).status == "undefined"
