"""CPPI: the formula keeps its bounds, floors obey their own law, and small moves are no trade."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.domain.aims import CppiRule
from trimtab.domain.errors import InputError
from trimtab.domain.numbers import ONE, ZERO
from trimtab.rules.targets.cppi import (
    accrued,
    discounted,
    exposure,
    leaves_band,
    multiplier_max,
    multiplier_warnings,
    path,
)
from trimtab.rules.targets.cppi_risk import WORST_FALLS

D = Decimal
money = st.integers(-(10**9), 10**9).map(lambda cents: D(cents) / 100)
multipliers = st.integers(0, 1200).map(lambda number: D(number) / 100)
caps = st.integers(0, 200).map(lambda number: D(number) / 100)
returns = st.integers(-9_900, 10_000).map(lambda number: D(number) / 10_000)
rates = st.integers(-500, 2_000).map(lambda number: D(number) / 10_000)
parts = st.integers(0, 1000).map(lambda number: D(number) / 1000)


@given(money, money, multipliers, caps)
def test_exposure_is_never_below_zero_nor_above_its_cap(value, floor, multiplier, cap):
    risked = exposure(value, floor, multiplier, cap)
    assert 0 <= risked <= max(ZERO, cap * value)
    assert exposure(value, floor, multiplier, None) == max(ZERO, multiplier * (value - floor))


@pytest.mark.parametrize(
    ("value", "floor", "multiplier", "cap", "risked"),
    [
        pytest.param("100", "75", "2", None, "50", id="Perold and Sharpe: a cushion of 25, twice"),
        pytest.param("100", "80", "4", "1", "80", id="no swap of floor and value: 80, not -80"),
        pytest.param("100", "100", "4", "1", "0", id="exactly at the floor"),
        pytest.param("0", "-10", "4", "1", "0", id="a household worth nothing risks nothing"),
        pytest.param("-5", "-10", "4", "1", "0", id="nor one in debt"),
        pytest.param("100", "60", "4", "0", "0", id="a cap of zero"),
        pytest.param("100", "60", "0", "1", "0", id="a multiplier of zero"),
    ],
)
def test_exposure_is_a_multiple_of_the_cushion(value, floor, multiplier, cap, risked):
    limit = None if cap is None else D(cap)
    assert exposure(D(value), D(floor), D(multiplier), limit) == D(risked)


def test_a_negative_multiplier_or_cap_is_refused_in_a_sentence():
    with pytest.raises(InputError, match="CPPI multiplier is -1; write a number that is not"):
        exposure(D(100), D(80), D(-1))
    with pytest.raises(InputError, match=r"CPPI cap is -0\.5;"):
        exposure(D(100), D(80), D(3), D("-0.5"))


@given(st.lists(st.tuples(returns, rates), max_size=12), multipliers, caps, parts)
def test_a_ratchet_never_falls_and_every_exposure_on_its_path_keeps_its_bounds(
    periods, multiplier, cap, keeps
):
    rule = CppiRule(floor="ratchet", keeps=keeps, multiplier=multiplier, cap=cap)
    walked = path(rule, D(100), [risky for risky, _ in periods], [safe for _, safe in periods])
    assert list(walked.floors) == sorted(walked.floors)
    assert all(
        floor == keeps * max(walked.values[: number + 1])
        for number, floor in enumerate(walked.floors)
    )
    for value, risked in zip(walked.values, walked.exposures, strict=False):
        assert 0 <= risked <= max(ZERO, cap * value)


@given(st.lists(st.tuples(returns, rates), max_size=12), st.integers(100, 400))
def test_the_floor_holds_whenever_no_single_fall_is_worse_than_the_crash_rule(periods, hundredths):
    multiplier = D(hundredths) / 100
    fall_max = ONE / multiplier
    risky = [max(one, -fall_max) for one, _ in periods]
    safe = [max(ZERO, rate) for _, rate in periods]
    rule = CppiRule(floor="fixed", amount=D(80), multiplier=multiplier)
    walked = path(rule, D(100), risky, safe)
    assert all(value >= D(80) - D("1e-20") for value in walked.values)


def test_a_path_without_periods_is_where_it_began():
    walked = path(CppiRule(floor="fixed", amount=D(80)), D(100), [], [])
    assert walked == ((D(100),), (D(80),), (), ())


def test_what_is_exactly_on_the_floor_is_no_breach():
    rule = CppiRule(floor="fixed", amount=D(80), multiplier=D(4))
    assert path(rule, D(100), [D("-0.25")], [ZERO]).values[-1] == 80
    assert path(rule, D(100), [D("-0.25")], [ZERO]).breaches == ()
    assert path(rule, D(100), [D("-0.2501")], [ZERO]).breaches == (0,)


def test_a_dated_floor_ends_at_its_amount():
    rule = CppiRule(floor="dated", amount=D(100))
    walked = path(rule, D(100), [ZERO, ZERO], [D("0.05"), D("0.02")])
    assert walked.floors[0] == D(100) / D("1.05") / D("1.02")
    assert abs(walked.floors[-1] - 100) < D("1e-20")


@pytest.mark.parametrize(
    ("rule", "safe", "sentence"),
    [
        pytest.param(CppiRule(floor="fixed", amount=D(1)), [], "1 risky and 0 safe", id="lengths"),
        pytest.param(CppiRule(floor="fixed"), [ZERO], "needs amount", id="no amount"),
        pytest.param(CppiRule(floor="ratchet", keeps=None), [ZERO], "needs keeps", id="no part"),
        pytest.param(
            CppiRule(floor="ratchet", keeps=D(80)), [ZERO], "keeps 80 of", id="80 is no part"
        ),
        pytest.param(CppiRule(floor="reserve"), [ZERO], "cannot know the", id="a reserve"),
        pytest.param(
            CppiRule(floor="dated", amount=D(1)), [D(-1)], "loses everything", id="bills at -100 %"
        ),
    ],
)
def test_a_path_that_cannot_be_walked_is_refused_in_a_sentence(rule, safe, sentence):
    with pytest.raises(InputError, match=sentence):
        path(rule, D(100), [ZERO], safe)


@given(rates, st.integers(0, 4000), st.integers(0, 4000), st.sampled_from(["yearly", "continuous"]))
def test_a_floor_accrues_the_same_however_often_anybody_looks(rate, first, second, compounding):
    once = accrued(D(80_000), rate, first + second, compounding)
    twice = accrued(accrued(D(80_000), rate, first, compounding), rate, second, compounding)
    assert abs(once - twice) <= once * D("1e-24")


@given(rates, st.integers(0, 4000))
def test_what_is_discounted_grows_back_to_its_amount(rate, days):
    assert abs(accrued(discounted(D(100), rate, days), rate, days) - 100) < D("1e-22")


def test_a_leap_year_accrues_a_day_more():
    days = (dt.date(2029, 1, 1) - dt.date(2028, 1, 1)).days
    assert days == 366
    assert accrued(D(100), D("0.10"), 365) == 110
    assert abs(accrued(D(100), D("0.10"), days) - D("110.0287273664")) < D("1e-10")


def test_a_discounted_floor_by_the_continuous_rate_is_that_of_the_literature():
    assert abs(D(80) - discounted(D(80), D("0.03"), 365, "continuous") - D("2.364357316119346")) < (
        D("1e-14")
    )
    assert discounted(D(80), D("0.03"), 0) == discounted(D(80), D("0.03"), -9) == 80


def test_a_rate_that_loses_everything_is_refused():
    with pytest.raises(InputError, match=r"-100\.0 % a year loses everything"):
        accrued(D(100), D(-1), 10)


@pytest.mark.parametrize(
    ("held", "wanted", "rule", "leaves"),
    [
        pytest.param("80", "100", {}, True, id="exactly a fifth below: goes"),
        pytest.param("80.01", "100", {}, False, id="a cent less: stays"),
        pytest.param("120", "100", {}, True, id="exactly a fifth above: goes"),
        pytest.param("119.99", "100", {}, False, id="a cent less above: stays"),
        pytest.param("95", "100", {"band_abs": D("0.025")}, True, id="2.5 points are nearer"),
        pytest.param("95.01", "100", {"band_abs": D("0.025")}, False, id="less than 2.5 points"),
        pytest.param("0.01", "0", {}, True, id="what should be nothing always goes"),
        pytest.param("0", "0.01", {}, True, id="from nothing any exposure is far"),
        pytest.param("100", "100", {"band_rel": ZERO}, False, id="on the mark, without a band"),
        pytest.param("100.01", "100", {"cap": D("0.5")}, True, id="above the cap always goes"),
        pytest.param("-1", "100", {"band_rel": D(9)}, True, id="what is short always goes"),
    ],
)
def test_the_exposure_moves_only_beyond_its_band(held, wanted, rule, leaves):
    given_rule = CppiRule(floor="fixed", amount=ZERO, **{"band_rel": D("0.20"), **rule})
    assert leaves_band(D(held), D(wanted), D(200), given_rule) == leaves


def test_the_crash_rule_is_one_over_the_worst_loss_and_knows_no_limit_without_a_loss():
    assert multiplier_max(D("0.25")) == 4
    assert multiplier_max(ZERO) is None
    assert multiplier_max(D("-0.1")) is None


def test_the_band_by_default_keeps_3_safe_in_the_worst_month_and_4_on_the_worst_day():
    band = CppiRule(floor="fixed").band_rel
    month, day = D(WORST_FALLS["month"][0]), D(WORST_FALLS["day"][0])
    assert multiplier_warnings(D(3), month, band_rel=band) == ()
    assert multiplier_warnings(D(4), day, band_rel=band) == ()
    assert multiplier_warnings(D(4), month, band_rel=band) != ()
    assert multiplier_warnings(D(4), day, band_rel=band + D("0.05")) != ()


def test_a_careful_multiplier_is_not_warned_of():
    assert multiplier_warnings(D(3), D("0.2261"), band_rel=D("0.20")) == ()
    assert multiplier_warnings(D(4), D("0.25")) == ()


def test_a_multiplier_that_the_worst_day_would_have_broken_is_warned_of():
    (said,) = multiplier_warnings(
        D(4), D("0.2261"), band_rel=D("0.20"), where="the Dow on 19 October 1987"
    )
    assert said == (
        "A CPPI multiplier of 4, with its band up to 4.8, breaks its floor in a fall of 20.8 % "
        "between two looks, and there was one of 22.6 % (the Dow on 19 October 1987); the largest "
        "that holds is 3.68."
    )
    assert multiplier_warnings(D("3.68"), D("0.2261"), band_rel=D("0.20")) == ()


def test_a_multiplier_outside_2_to_4_is_warned_of():
    assert multiplier_warnings(D("1.5"), ZERO) == (
        "The CPPI multiplier of 1.5 is below the usual 2 to 4.",
    )
    assert len(multiplier_warnings(D(8), D("0.2261"))) == 2
