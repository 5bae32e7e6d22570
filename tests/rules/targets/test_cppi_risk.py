"""What CPPI can lose: closed forms against paths, and windows of months against the slow way."""

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.domain.aims import CppiRule
from trimtab.domain.errors import InputError
from trimtab.domain.numbers import to_float
from trimtab.rules.targets.cppi import path
from trimtab.rules.targets.cppi_risk import (
    WORST_FALLS,
    Insurance,
    Market,
    continuous,
    gap_risk,
    jump_gap,
    normal_cdf,
    real_gaps,
    simulate,
)

CALM = Market(mu=0.08, sigma=0.2, rate=0.03)
chances = st.floats(-0.6, 0.6)


@pytest.mark.parametrize(
    ("x", "chance"),
    [
        (-1.0, 0.15865525393145705),
        (-5.0, 2.8665157187919391e-7),
        (-10.0, 7.6198530241605261e-24),
        (-30.0, 4.9067137145896e-198),
        (-math.inf, 0.0),
        (math.inf, 1.0),
    ],
)
def test_the_normal_distribution_is_accurate_far_out(x, chance):
    assert normal_cdf(x) == pytest.approx(chance, rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_ever_finer_trading_without_a_cap_ends_where_the_closed_form_says_on_every_path(seed):
    finest, years, guarantee, multiplier = 4**7, 1.0, 0.8, 4.0
    shocks = np.random.default_rng(seed).standard_normal(finest) * math.sqrt(years / finest)
    brownian = np.concatenate([[0.0], np.cumsum(shocks)])
    for steps in (4, 4**3, 4**5, 4**7):
        at = brownian[:: finest // steps]
        drift = (CALM.mu - CALM.sigma**2 / 2) * years / steps
        risky = np.expm1(CALM.sigma * np.diff(at) + drift)[None, :]
        safe = np.full_like(risky, math.expm1(CALM.rate * years / steps))
        rule = Insurance(multiplier, guarantee * math.exp(-CALM.rate * years), cap=None)
        ended = simulate(risky, safe, rule).values[0, -1]
        ratio = math.exp(CALM.sigma * brownian[-1] + (CALM.mu - CALM.sigma**2 / 2) * years)
        closed = continuous(
            1.0, guarantee, years=years, market=CALM, multiplier=multiplier, ratio=ratio
        )
        assert abs(ended / closed.terminal - 1) < 0.3 / math.sqrt(steps)  # it halves with 4 times


def test_a_flat_market_still_costs_the_cushion_its_volatility():
    flat = continuous(1000, 1000, years=1, market=Market(0.085, 0.2, 0.05), multiplier=4, ratio=1)
    shrunk = math.exp(-(4**2 - 4) * 0.2**2 / 2 - 3 * 0.05)
    assert flat.terminal - 1000 == pytest.approx(flat.cushion * shrunk, rel=1e-12)


def test_without_a_cushion_everything_is_in_bills():
    poor = continuous(70, 80, years=1, market=CALM, multiplier=4, ratio=2)
    assert poor.cushion < 0
    assert poor.terminal == poor.mean == pytest.approx(70 * math.exp(0.03))
    assert poor.std == 0
    risk = gap_risk(70, 80, years=1, steps=12, market=CALM, multiplier=4)
    assert risk.shortfall == 1
    assert risk.expected_shortfall == pytest.approx(80 - 70 * math.exp(0.03))


def test_a_risky_asset_that_becomes_nothing_leaves_the_guarantee():
    ruined = continuous(100, 80, years=1, market=CALM, multiplier=4, ratio=0)
    assert ruined.terminal == 80


def test_what_float64_cannot_hold_is_infinite_and_no_failure():
    wild = continuous(100, 80, years=30, market=Market(0.1, 1.0, 0.0), multiplier=10, ratio=1e300)
    assert wild.std == math.inf
    assert continuous(100, 80, years=1, market=CALM, multiplier=9, ratio=1e300).terminal == math.inf


def test_the_gap_risk_is_that_of_simulated_months():
    market, months, multiplier = Market(mu=0.085, sigma=0.2, rate=0.05), 12, 8.0
    closed = gap_risk(1000, 1000, years=1, steps=months, market=market, multiplier=multiplier)
    paths, apart = 200_000, 1 / months
    shocks = np.random.default_rng(7).standard_normal((paths, months))
    risky = np.expm1((market.mu - market.sigma**2 / 2) * apart + market.sigma * apart**0.5 * shocks)
    safe = np.full_like(risky, math.expm1(market.rate * apart))
    ended = simulate(risky, safe, Insurance(multiplier, math.exp(-market.rate), None)).values[:, -1]
    short = ended < 1
    chance_error = math.sqrt(closed.shortfall * (1 - closed.shortfall) / paths)
    assert abs(short.mean() - closed.shortfall) < 4 * chance_error
    lost = 1000 * (1 - ended[short])
    assert abs(lost.mean() - closed.expected_shortfall) < 4 * lost.std() / math.sqrt(len(lost))
    assert abs(1000 * ended.mean() - closed.mean) < 4 * 1000 * ended.std() / math.sqrt(paths)


@given(st.floats(1.01, 15), st.floats(0.05, 0.9), st.integers(1, 60))
def test_gap_risk_grows_with_the_multiplier_and_is_a_chance(multiplier, sigma, steps):
    market = Market(mu=0.07, sigma=sigma, rate=0.03)
    lower = gap_risk(100, 80, years=1, steps=steps, market=market, multiplier=multiplier)
    higher = gap_risk(100, 80, years=1, steps=steps, market=market, multiplier=multiplier * 1.1)
    assert 0 <= lower.step <= lower.shortfall <= 1
    assert lower.step <= higher.step
    assert lower.expected_shortfall is None or lower.expected_shortfall >= 0


def test_gap_risk_does_not_depend_on_the_guarantee():
    first = gap_risk(100, 50, years=5, steps=60, market=CALM, multiplier=6)
    second = gap_risk(100, 90, years=5, steps=60, market=CALM, multiplier=6)
    assert (first.step, first.shortfall) == (second.step, second.shortfall)


def test_a_multiplier_of_one_or_a_market_that_does_not_move_has_no_gap():
    held = gap_risk(100, 80, years=1, steps=12, market=CALM, multiplier=1)
    assert (held.step, held.shortfall, held.expected_shortfall) == (0, 0, None)
    cushion = 100 - 80 * math.exp(-0.03)
    assert held.mean == pytest.approx(80 + cushion * math.exp(0.08))
    still = gap_risk(100, 80, years=1, steps=12, market=Market(0.08, 0, 0.03), multiplier=4)
    assert (still.shortfall, still.expected_shortfall) == (0, None)
    falling = gap_risk(100, 80, years=1, steps=1, market=Market(-2.0, 0, 0.0), multiplier=4)
    assert (falling.step, falling.shortfall) == (1, 1)
    assert falling.mean == pytest.approx(80 + 20 * (4 * math.exp(-2) - 3))


def test_jumps_break_the_floor_only_beyond_one_over_the_multiplier():
    assert jump_gap(jumps_yearly=1, years=10, multiplier=1, jump_mean=-1, jump_std=1) == (0, 0)
    sure = jump_gap(jumps_yearly=1, years=1, multiplier=4, jump_mean=-0.3, jump_std=0)
    assert sure == pytest.approx((1, 1 - math.exp(-1)))
    small = jump_gap(jumps_yearly=1, years=1, multiplier=4, jump_mean=-0.28, jump_std=0)
    assert small == (0, 0)


@given(
    st.lists(st.tuples(chances, st.floats(-0.01, 0.05)), min_size=3, max_size=12),
    st.integers(1, 3),
    st.sampled_from([1.0, 3.0, 5.0]),
    st.sampled_from([None, 0.8]),
)
def test_all_windows_at_once_are_what_each_window_is_alone(months, window, multiplier, keeps):
    risky = np.array([one for one, _ in months])
    safe = np.array([one for _, one in months])
    found = real_gaps(risky, safe, Insurance(multiplier, 0.8, 1.0, keeps), months=window)
    rule = CppiRule(
        floor="accruing" if keeps is None else "ratchet",
        amount=Decimal("0.8"),
        keeps=None if keeps is None else Decimal(str(keeps)),
        multiplier=Decimal(multiplier),
    )
    ended, above, breached = [], [], []
    for start in range(len(months) - window + 1):
        walked = path(
            rule,
            Decimal(1),
            [Decimal(one) for one, _ in months[start : start + window]],
            [Decimal(one) for _, one in months[start : start + window]],
        )
        ended.append(to_float(walked.values[-1]))
        above.append(to_float(walked.values[-1] - walked.floors[-1]))
        breached.append(
            any(
                value - floor < Decimal("-1e-12")
                for value, floor in zip(walked.values, walked.floors, strict=True)
            )
        )
    assert found.windows == len(ended)
    assert found.mean_terminal == pytest.approx(sum(ended) / len(ended), rel=1e-12)
    assert found.worst == pytest.approx(min(above), abs=1e-12)
    assert above[found.worst_start] == pytest.approx(min(above), abs=1e-12)
    assert found.breached == sum(breached)


def test_one_bad_month_breaches_every_window_that_holds_it():
    risky = np.array([0.01] * 10 + [-0.30] + [0.01] * 10)
    found = real_gaps(risky, np.zeros(21), Insurance(4, 0.8), months=3)
    assert (found.windows, found.breached) == (19, 3)
    assert real_gaps(risky, np.zeros(21), Insurance(3, 0.8), months=3).breached == 0


@pytest.mark.parametrize("multiplier", [3, 4, 7, 11])
def test_a_month_that_takes_the_whole_cushion_and_no_more_is_no_breach(multiplier):
    risky = np.array([0.0, -1 / multiplier, 0.1, 0.1])
    safe = np.array([0.0, 0.0, 0.004, 0.003])
    found = real_gaps(risky, safe, Insurance(multiplier, 0.93, None), months=4)
    assert (found.windows, found.breached) == (1, 0)
    assert found.worst == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("months", [0, 4])
def test_a_window_that_does_not_fit_is_refused_in_a_sentence(months):
    with pytest.raises(InputError, match=f"windows of {months} months do not fit into 3"):
        real_gaps(np.zeros(3), np.zeros(3), Insurance(3, 0.8), months=months)


def test_missing_months_and_negative_numbers_are_refused_in_a_sentence():
    with pytest.raises(InputError, match="is missing or not finite"):
        simulate(np.array([[math.nan]]), np.zeros((1, 1)), Insurance(3, 0.8))
    with pytest.raises(InputError, match="paths by periods"):
        simulate(np.zeros((1, 2)), np.zeros((1, 1)), Insurance(3, 0.8))
    with pytest.raises(InputError, match=r"the volatility for CPPI is -0\.2;"):
        gap_risk(1, 0.8, years=1, steps=1, market=Market(0, -0.2, 0), multiplier=3)
    with pytest.raises(InputError, match="looks 0 times"):
        gap_risk(1, 0.8, years=1, steps=0, market=CALM, multiplier=3)


def test_the_worst_falls_are_exact_digits():
    assert Decimal(1) / Decimal(WORST_FALLS["day"][0]) == pytest.approx(Decimal("4.4228217602831"))
    assert set(WORST_FALLS) == {"day", "month"}
