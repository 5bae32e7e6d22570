"""The record of a period, by hand and by law."""

import datetime as dt
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.lab.measures import active_return
from trimtab.lab.track_record import (
    WEEKS_PER_YEAR,
    Flow,
    Point,
    Rates,
    deviation,
    record_of,
    tax_on,
    whole_of,
    years_of,
)

RATES = Rates(short=0.3, long=0.2)
START = dt.date(2024, 12, 31)


def day(number: int) -> dt.date:
    return START + dt.timedelta(days=number)


def point(
    number: int, value: float, unit: float, flow: float = 0.0, on: int | None = None
) -> Point:
    flows = (Flow(day=day(number), amount=flow),) if flow else ()
    return Point(day=day(number), value=value, unit=unit, flows=flows)


def test_a_deposit_is_no_gain_and_a_withdrawal_no_loss():
    grown = [point(0, 100, 1.0), point(100, 160, 1.1, 50), point(365, 130, 1.1, -30)]
    record = record_of(grown, RATES)
    assert record.time_weighted == pytest.approx(0.1)
    assert (record.contributions, record.withdrawals) == (50, 30)
    assert record.gain == pytest.approx(10)


def test_money_that_came_before_a_fall_lost_more_than_a_unit_did():
    fallen = [point(0, 100, 1.0), point(1, 1100, 1.0, 1000), point(365, 990, 0.9)]
    record = record_of(fallen, RATES)
    assert record.time_weighted == pytest.approx(-0.1)
    assert record.money_weighted.rate == pytest.approx(-0.1, abs=1e-3)
    late = [point(0, 100, 1.0), point(364, 1090, 0.9, 1000), point(365, 1090, 0.9)]
    assert record_of(late, RATES).dietz == pytest.approx(-10 / (100 + 1000 / 365))


def test_the_rates_of_a_year_are_told_only_once_there_is_a_year():
    half = record_of([point(0, 100, 1.0), point(182, 110, 1.1)], RATES)
    assert half.a_year(half.time_weighted) is None
    assert half.money_weighted.over_the_time == pytest.approx(0.1)
    double = record_of([point(0, 100, 1.0), point(730, 121, 1.21)], RATES)
    assert double.a_year(double.time_weighted) == pytest.approx(0.1)


def test_flows_with_two_rates_are_told_as_such_and_none_is_chosen():
    odd = [point(0, 100, 1.0), point(365, 0.001, 2.0, -230), point(730, -132.0, 2.0)]
    record = record_of(odd, RATES)
    assert record.money_weighted.status == "several"
    assert record.money_weighted.rate is None


def test_the_deepest_fall_is_told_with_its_days():
    units = [(0, 1.0), (10, 1.2), (20, 0.9), (30, 1.1), (40, 1.2)]
    record = record_of([point(at, 100 * unit, unit) for at, unit in units], RATES)
    assert record.fall is not None
    assert record.fall.depth == pytest.approx(-0.25)
    assert (record.fall.peak, record.fall.trough, record.fall.recovered) == (
        day(10),
        day(20),
        day(40),
    )


@pytest.mark.parametrize(
    ("short", "long", "tax"),
    [(100, 200, 70), (-50, 200, 30), (-300, 200, -30), (50, -200, -30), (-10, -10, -5), (0, 0, 0)],
)
def test_gains_and_losses_are_netted_by_term_and_the_rest_counts_in_full(short, long, tax):
    assert tax_on(short, long, RATES) == pytest.approx(tax)


def test_after_tax_both_ends_are_as_if_everything_were_sold():
    opened = Point(day=day(0), value=100, unit=1.0, owed=10)
    ended = Point(day=day(365), value=120, unit=1.2, owed=6, long_gain=25)
    record = record_of([opened, ended], RATES)
    assert record.realized_tax == pytest.approx(5)
    assert record.after_tax == pytest.approx((120 - 6 - 5) / (100 - 10) - 1)


def test_without_what_is_owed_there_is_no_return_after_tax():
    assert record_of([point(0, 100, 1.0), point(365, 120, 1.2)], RATES).after_tax is None


def test_the_whole_links_the_after_tax_returns_and_adds_the_taxes_of_its_years():
    points = [
        Point(day=day(0), value=100, unit=1.0, owed=0),
        Point(day=day(365), value=110, unit=1.1, owed=2, short_gain=-10),
        Point(day=day(730), value=132, unit=1.32, owed=4, long_gain=10),
    ]
    whole = whole_of(points, RATES)
    years = [record_of(period, RATES) for _, period in years_of(points)]
    assert whole.realized_tax == pytest.approx(-3 + 2)
    assert whole.after_tax == pytest.approx(
        math.prod(1 + (year.after_tax or 0) for year in years) - 1
    )


def test_a_year_opens_with_the_last_mark_of_the_year_before():
    points = [point(-5, 100, 1.0), point(0, 101, 1.01), point(200, 103, 1.03), point(366, 99, 0.99)]
    assert [(year, [p.day for p in period]) for year, period in years_of(points)] == [
        (2024, [day(-5), day(0)]),
        (2025, [day(0), day(200)]),
        (2026, [day(200), day(366)]),
    ]


returns = st.lists(st.floats(-0.2, 0.2), min_size=1, max_size=60)


@given(returns, st.lists(st.integers(-40, 80), min_size=60, max_size=60))
def test_no_flow_moves_the_time_weighted_return_and_the_years_link_to_the_whole(moves, flows):
    points, value, unit = [point(0, 1000, 1.0)], 1000.0, 1.0
    for number, (move, flow) in enumerate(zip(moves, flows, strict=False), start=1):
        value, unit = value * (1 + move) + flow, unit * (1 + move)
        points.append(point(30 * number, value, unit, flow))
    whole = whole_of(points, RATES)
    total = math.prod(1 + move for move in moves) - 1
    assert whole.time_weighted == pytest.approx(total, abs=1e-9)
    years = [record_of(period, RATES) for _, period in years_of(points)]
    linked = math.prod(1 + (year.time_weighted or 0) for year in years) - 1
    assert linked == pytest.approx(total, abs=1e-9)
    for name in ("gain", "contributions", "withdrawals", "bought", "sold"):
        assert getattr(whole, name) == pytest.approx(sum(getattr(y, name) for y in years), abs=1e-6)


@given(st.lists(st.floats(-0.1, 0.1), min_size=12, max_size=60), st.integers(0, 4))
def test_with_every_week_there_the_deviation_is_the_sample_deviation(moves, weekday):
    worths = [1.0]
    for move in moves:
        worths.append(worths[-1] * (1 + move))
    first = dt.date(2024, 1, 1 + weekday)
    days = [(first + dt.timedelta(weeks=at), worth) for at, worth in enumerate(worths)]
    level = [(on, 1.0) for on, _ in days]
    usual = active_return(moves, [0.0] * len(moves), WEEKS_PER_YEAR).tracking_error
    assert deviation(days) == pytest.approx(usual, abs=1e-9)
    assert deviation(days, level) == pytest.approx(usual, abs=1e-9)


@given(st.lists(st.floats(-0.1, 0.1), min_size=12, max_size=40), st.integers(2, 6))
def test_a_watch_that_looks_less_often_finds_the_same_yearly_deviation(moves, weeks):
    worths = [1.0]
    for move in moves:
        worths.append(worths[-1] * (1 + move))
    days = [(day(7 * weeks * at), worth) for at, worth in enumerate(worths)]
    usual = active_return(moves, [0.0] * len(moves), WEEKS_PER_YEAR / weeks).tracking_error
    assert deviation(days) == pytest.approx(usual, abs=1e-9)


def test_who_holds_the_targets_exactly_has_no_tracking_error():
    points = [
        Point(day=day(7 * n), value=100, unit=1 + (n % 3) / 10, benchmark=2 + (n % 3) / 5)
        for n in range(20)
    ]
    assert record_of(points, RATES).tracking_error == pytest.approx(0, abs=1e-12)
    assert record_of(points, RATES).volatility == deviation([(p.day, p.unit) for p in points])


def test_a_few_weeks_have_no_deviation():
    assert deviation([(day(7 * n), 1.0 + n) for n in range(12)]) is None


def test_turnover_is_the_lesser_side_over_the_mean_of_the_month_ends():
    points = [
        Point(day=dt.date(2026, 1, 5), value=100, unit=1.0, bought=999),
        Point(day=dt.date(2026, 1, 20), value=500, unit=1.0, bought=30, sold=40),
        Point(day=dt.date(2026, 1, 30), value=200, unit=1.0),
        Point(day=dt.date(2026, 2, 27), value=300, unit=1.0, bought=10, sold=40),
    ]
    assert record_of(points, RATES).turnover == pytest.approx(40 / 200)
