"""How it went: each measure against its definition, its laws, and what is not defined."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from trimtab.domain.errors import InputError
from trimtab.lab.cash_flow_returns import modified_dietz, period_irr
from trimtab.lab.measures import (
    active_return,
    annualize,
    compound,
    drawdowns,
    harvest_benefit,
    liquidation,
    max_drawdown,
    one_way_turnover,
    risk_adjusted,
    time_weighted_return,
    turnover,
)

returns = st.lists(st.floats(-0.5, 0.8), min_size=1, max_size=30)


@st.composite
def with_flows(draw: st.DrawFn) -> tuple[list[float], list[float], list[float]]:
    """Returns, and two series of flows that never empty the portfolio."""
    series = draw(returns)
    flow = st.lists(st.floats(0, 1000), min_size=len(series), max_size=len(series))
    return series, draw(flow), draw(flow)


def _values(series: list[float], flows: list[float]) -> list[float]:
    values = [100.0]
    for one, flow in zip(series, flows, strict=True):
        values.append(values[-1] * (1 + one) + flow)
    return values


@given(with_flows())
def test_the_time_weighted_return_is_the_same_whatever_flows_come_in(one):
    series, first, second = one
    results = [
        time_weighted_return(_values(series, flows), [0.0, *flows]) for flows in (first, second)
    ]
    for result in results:
        assert result.total == pytest.approx(compound(series), rel=1e-9, abs=1e-9)
        assert result.period_returns == pytest.approx(series, rel=1e-6, abs=1e-9)


def test_a_withdrawal_is_no_loss_of_a_unit():
    result = time_weighted_return([100, 50, 55], [0, -50, 0])
    assert result.period_returns == pytest.approx((0.0, 0.1))
    assert result.unit_values == pytest.approx((1.0, 1.0, 1.1))
    assert max_drawdown([unit for unit in result.unit_values if unit is not None]).depth == 0.0


def test_a_period_from_nothing_to_nothing_returns_nothing():
    result = time_weighted_return([0, 0, 100, 110], [0, 0, 100, 0])
    assert result.period_returns == pytest.approx((0.0, 0.0, 0.1))


def test_a_gain_from_nothing_and_an_end_in_debt_have_no_return():
    assert time_weighted_return([0, 5], [0, 0]).total is None
    result = time_weighted_return([100, 110, -5, 20], [0, 0, 0, 0])
    assert result.period_returns[1:] == (None, None)
    assert result.unit_values[1] == pytest.approx(1.1)
    assert result.unit_values[2:] == (None, None)


def test_a_total_loss_is_never_made_good():
    result = time_weighted_return([100, 50, 50], [0, 50, 0])
    assert (result.period_returns, result.total) == ((-1.0, 0.0), -1.0)


def test_a_single_value_has_moved_nowhere():
    result = time_weighted_return([100], [100])
    assert (result.period_returns, result.total) == ((), 0.0)


@given(st.floats(1, 1e6), st.floats(0, 1e6), st.floats(0.1, 400))
def test_without_flows_modified_dietz_period_irr_and_the_time_weighted_return_agree(
    begin, end, length
):
    alone = time_weighted_return([begin, end], [0, 0]).total
    dietz = modified_dietz(begin, end, [], length)
    assert alone is not None
    assert dietz.total == pytest.approx(alone, rel=1e-9, abs=1e-12)
    assert period_irr(begin, end, [], length).rate == pytest.approx(alone, rel=1e-9, abs=1e-12)


@given(returns)
def test_no_fall_is_deeper_than_the_maximum_drawdown(series):
    values = _values(series, [0.0] * len(series))
    found = max_drawdown(values)
    falls = [later / value - 1 for at, value in enumerate(values) for later in values[at:]]
    assert found.depth == pytest.approx(min(falls), abs=1e-15)
    assert found.depth == drawdowns(values).min()
    assert found.peak <= found.trough
    assert values[found.trough] / values[found.peak] - 1 == found.depth


def test_of_equal_falls_and_equal_peaks_the_first_is_told_and_when_it_was_made_good():
    found = max_drawdown([100, 100, 50, 100, 50])
    assert (found.depth, found.peak, found.trough, found.recovery) == (-0.5, 0, 2, 3)
    assert max_drawdown([100, 50, 75]).recovery is None
    assert max_drawdown([5]).depth == 0.0


def test_a_portfolio_that_is_its_benchmark_has_no_information_ratio():
    found = active_return([0.1, 0.2, 0.3], [0.1, 0.2, 0.3], 12)
    assert (found.mean, found.tracking_error, found.information_ratio) == (0.0, 0.0, None)


def test_a_constant_lead_is_no_tracking_error_though_it_is_no_exact_float():
    found = active_return([0.11, 0.21, 0.31], [0.1, 0.2, 0.3], 12)
    assert found.mean == pytest.approx(0.01)
    assert (found.tracking_error, found.information_ratio) == (0.0, None)


def test_one_period_has_a_lead_and_no_tracking_error():
    found = active_return([0.1], [0.05], 12)
    assert found.mean == pytest.approx(0.05)
    assert (found.tracking_error, found.information_ratio) == (None, None)


def test_returns_that_never_vary_have_no_ratio():
    steady = risk_adjusted([0.1] * 3, 0.0, 12, 0.0)
    assert (steady.sharpe, steady.downside_deviation, steady.sortino) == (None, 0.0, None)
    assert risk_adjusted([0.01], 0.0, 12, 0.02).sharpe is None


@given(returns, st.floats(1, 260))
def test_the_downside_deviation_divides_by_all_periods(series, periods):
    found = risk_adjusted(series, 0.0, periods, 0.0)
    losses = math.fsum(one**2 for one in series if one < 0)
    assert found.downside_deviation == pytest.approx(math.sqrt(losses / len(series)))


def test_less_than_a_year_is_annualized_only_where_it_is_asked_for_by_name():
    assert annualize(0.05, 0.99) is None
    assert annualize(0.05, 0.5, even_under_one_year=True) == pytest.approx(1.05**2 - 1)
    assert annualize(0.05, 1.0) == pytest.approx(0.05)


def test_what_has_no_annual_rate_is_none():
    assert annualize(-1.0, 3.0) == -1.0
    assert annualize(-1.2, 3.0) is None
    assert annualize(0.05, 0.0, even_under_one_year=True) is None
    assert annualize(10.0, 1 / 365, even_under_one_year=True) is None


def test_a_liquidation_of_less_than_a_year_tells_its_return_without_annualizing():
    found = liquidation(value_start=100, value_end=110, basis=100, rate=0.2, years=0.5)
    assert found.tax == pytest.approx(2)
    assert found.total_return == pytest.approx(0.08)
    assert found.annual_return is None


def test_a_basis_that_was_harvested_is_taxed_at_the_end():
    kept = liquidation(value_start=100, value_end=150, basis=100, rate=0.15, years=2)
    harvested = liquidation(value_start=100, value_end=150, basis=80, rate=0.15, years=2)
    assert harvested.tax - kept.tax == pytest.approx(0.15 * 20)
    with pytest.raises(InputError, match="value at the start is 0"):
        liquidation(value_start=0, value_end=1, basis=1, rate=0.15, years=1)


@given(
    st.floats(0, 1e6), st.floats(0, 0.5), st.floats(0, 0.5), st.floats(-0.5, 0.5), st.floats(0, 30)
)
def test_the_worth_of_a_harvest_is_the_difference_of_two_portfolios_sold_in_the_end(
    loss, now, later, growth, years
):
    price, basis = 2 * loss, 3 * loss
    grown = (1 + growth) ** years
    held = price * grown - later * (price * grown - basis)
    saved = now * loss
    harvested = price * grown - later * (price * grown - price)
    harvested += saved * grown - later * saved * (grown - 1)
    benefit = harvest_benefit(loss=loss, rate_now=now, rate_later=later, growth=growth, years=years)
    scale = max(1.0, basis * max(1.0, grown))
    assert benefit == pytest.approx(harvested - held, abs=1e-12 * scale)


def test_a_growth_that_leaves_nothing_is_refused():
    with pytest.raises(InputError, match="leaves nothing"):
        harvest_benefit(loss=1, rate_now=0, rate_later=0, growth=-1.0, years=1)


def test_turnover_is_the_lesser_side_over_the_mean_value():
    assert turnover(300, 500, [900, 1100]) == pytest.approx(0.3)
    assert turnover(300, 500, [0, 0]) is None
    assert one_way_turnover([0.6, 0.4, 0.0], [0.5, 0.4, 0.1]) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("measure", "told"),
    [
        (lambda: time_weighted_return([1, 2], [0]), "values and flows are 2 and 1 numbers"),
        (lambda: time_weighted_return([], []), "the values are no list of numbers"),
        (lambda: max_drawdown([1, math.nan]), r"values\[1\] is nan"),
        (lambda: max_drawdown([0, 1]), "the first value is 0.0"),
        (lambda: active_return([0.1], [0.1, 0.2], 12), "portfolio and benchmark are 1 and 2"),
        (lambda: risk_adjusted([], 0, 12, 0), "the returns are no list"),
        (lambda: turnover(1, 1, []), "the values are no list"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_a_sentence(measure, told):
    with pytest.raises(InputError, match=told):
        measure()


@given(returns, returns)
def test_compounding_in_pieces_is_compounding_at_once(first, second):
    assume(len(first) + len(second) < 60)
    whole = (1 + compound(first)) * (1 + compound(second)) - 1
    assert compound(np.array(first + second)) == pytest.approx(whole, rel=1e-12, abs=1e-12)
