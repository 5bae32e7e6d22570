"""What theory says of bands: against simulated paths, searched optima, limits and identities."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.domain.errors import InputError
from trimtab.rules.band_theory import (
    Part,
    band_exit,
    constant_mix,
    excess_growth_rate,
    no_trade_region,
)

STOCKS, BONDS = Part(0.07, 0.16), Part(0.03, 0.06)
BAND = (0.55, 0.65)
rates = st.floats(-0.3, 0.3)
volatilities = st.floats(0.01, 0.6)
parts = st.builds(Part, rates, volatilities)
correlations = st.floats(-1, 0.95)


def sixty(part: Part = STOCKS, rest: Part = BONDS, *, apart: float = 0.0, rho: float = 0.1):
    return band_exit(part, rest, correlation=rho, weight=0.6, band=BAND, years_between_looks=apart)


# ------------------------------------------------------------------ leaving the band


@pytest.mark.parametrize("looks", [12, 252])
def test_the_time_in_the_band_is_that_of_simulated_months_and_days(looks):
    rng, paths, apart = np.random.default_rng(11), 4_000, 1 / looks
    weights, years = np.full(paths, 0.6), np.zeros(paths)
    left_above, inside = 0, paths
    while inside:
        first, second = rng.standard_normal((2, inside))
        grown = [
            np.exp((one.mu - one.sigma**2 / 2) * apart + one.sigma * math.sqrt(apart) * shocks)
            for one, shocks in (
                (STOCKS, first),
                (BONDS, 0.1 * first + math.sqrt(1 - 0.1**2) * second),
            )
        ]
        now = weights * grown[0] / (weights * grown[0] + (1 - weights) * grown[1])
        years[:inside] += apart
        left_above += int((now >= BAND[1]).sum())
        stays = (now > BAND[0]) & (now < BAND[1])
        years[:inside] = np.concatenate([years[:inside][stays], years[:inside][~stays]])
        weights, inside = now[stays], int(stays.sum())
    theory = sixty(apart=apart)
    assert abs(years.mean() - theory.years) < 4 * years.std() / math.sqrt(paths)
    chance_error = math.sqrt(theory.upper * theory.lower / paths)
    assert abs(left_above / paths - theory.upper) < 4 * chance_error


def test_looks_further_apart_see_the_weight_leave_later():
    seen = [sixty(apart=apart).years for apart in (0, 1 / 252, 1 / 12, 1 / 4, 1)]
    assert seen == sorted(seen)
    assert seen[1] == pytest.approx(1.674, abs=5e-4)
    assert seen[2] == pytest.approx(2.021, abs=5e-4)


@given(parts, parts, correlations)
def test_the_chances_of_both_edges_add_up_to_one(part, rest, rho):
    found = sixty(part, rest, rho=rho)
    assert 0 <= found.upper <= 1
    assert found.upper + found.lower == pytest.approx(1, abs=1e-12)
    assert found.years > 0


@given(parts, parts, correlations, st.floats(0.1, 0.9), st.floats(0.01, 0.09))
def test_the_two_parts_may_change_places(part, rest, rho, weight, width):
    band = (weight - width, weight + width / 2)
    one = band_exit(part, rest, correlation=rho, weight=weight, band=band)
    mirrored = (1 - band[1], 1 - band[0])
    other = band_exit(rest, part, correlation=rho, weight=1 - weight, band=mirrored)
    assert other.lower == pytest.approx(one.upper, rel=1e-6, abs=1e-12)
    assert other.years == pytest.approx(one.years, rel=1e-6)


@given(parts, parts, correlations, st.floats(0.001, 0.04))
def test_a_wider_band_is_left_later(part, rest, rho, more):
    wider = band_exit(
        part, rest, correlation=rho, weight=0.6, band=(BAND[0] - more, BAND[1] + more)
    )
    assert wider.years > sixty(part, rest, rho=rho).years


@given(parts, parts, correlations, st.floats(0.001, 0.1))
def test_a_higher_expected_rate_leaves_more_often_above(part, rest, rho, more):
    faster = sixty(Part(part.mu + more, part.sigma), rest, rho=rho)
    assert faster.upper >= sixty(part, rest, rho=rho).upper


def test_without_drift_it_is_the_product_of_the_distances_over_the_variance():
    still = Part(0.02, 0.2)
    found = sixty(still, still, rho=0.5)
    up, down = math.log(0.65 / 0.35 * 0.4 / 0.6), math.log(0.6 / 0.4 * 0.45 / 0.55)
    assert found.years == pytest.approx(up * down / 0.2**2, rel=1e-12)
    assert found.upper == pytest.approx(down / (up + down), rel=1e-12)


@given(volatilities, st.floats(-1e-5, 1e-5).filter(lambda drift: drift != 0))
def test_a_drift_that_vanishes_changes_nothing_at_a_stroke(sigma, drift):
    still, moving = Part(0.02, sigma), Part(0.02 + drift, sigma)
    near, limit = sixty(moving, still, rho=0), sixty(still, still, rho=0)
    assert near.years == pytest.approx(limit.years, rel=10 * abs(drift) / sigma**2 + 1e-12)
    assert near.upper == pytest.approx(limit.upper, rel=10 * abs(drift) / sigma**2 + 1e-12)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_series_for_a_small_drift_meets_the_formula(sign):
    still = Part(0.02, 0.2)
    width = math.log(0.65 / 0.35) - math.log(0.55 / 0.45)
    edge = sign * 1e-5 * 2 * 0.2**2 / 2 / width  # theta * width = 1e-5 for correlation 0
    below, above = (
        sixty(Part(0.02 + edge * near, 0.2), still, rho=0) for near in (0.999999, 1.000001)
    )
    assert below.years == pytest.approx(above.years, rel=1e-9)
    assert below.upper == pytest.approx(above.upper, rel=1e-9)


def test_two_parts_that_move_alike_leave_by_their_rates_alone():
    up, down = math.log(0.65 / 0.35 * 0.4 / 0.6), math.log(0.6 / 0.4 * 0.45 / 0.55)
    slow, fast = Part(0.01, 0.2), Part(0.06, 0.2)
    assert sixty(fast, slow, rho=1) == pytest.approx((1, 0, up / 0.05))
    assert sixty(slow, fast, rho=1) == pytest.approx((0, 1, down / 0.05))
    assert sixty(slow, slow, rho=1) == (0, 0, math.inf)


def test_a_weight_on_an_edge_is_out_at_once():
    above = band_exit(STOCKS, BONDS, correlation=0, weight=0.65, band=BAND, years_between_looks=1)
    below = band_exit(STOCKS, BONDS, correlation=0, weight=0.55, band=BAND)
    assert above == (1, 0, 0)
    assert below == (0, 1, 0)


@pytest.mark.parametrize("mu", [0.2, -0.2])
def test_an_edge_at_nothing_or_everything_is_the_limit_of_edges_near_it(mu):
    def leave(band: tuple[float, float]):
        return band_exit(Part(mu, 0.2), Part(0, 0), correlation=0, weight=0.5, band=band)

    assert leave((0.0, 0.6)).upper == pytest.approx(leave((1e-12, 0.6)).upper, rel=1e-6)
    assert leave((0.4, 1.0)).lower == pytest.approx(leave((0.4, 1 - 1e-12)).lower, rel=1e-6)
    assert math.isinf(leave((0.4, 1.0) if mu > 0 else (0.0, 0.6)).years)
    certain = ((0.0, 0.6), (1e-12, 0.6)) if mu > 0 else ((0.4, 1.0), (0.4, 1 - 1e-12))
    assert leave(certain[0]).years == pytest.approx(leave(certain[1]).years, rel=1e-6)
    assert leave((-0.1, 1.1)) == (0, 0, math.inf)


def test_a_weight_outside_its_band_and_all_other_faults_are_told_in_one_sentence():
    with pytest.raises(InputError, match=r"the lower edge is 0\.65; write one below the weight"):
        band_exit(STOCKS, BONDS, correlation=0, weight=0.6, band=(0.65, 0.7))
    with pytest.raises(InputError) as refused:
        band_exit(
            Part(math.nan, -0.1),
            BONDS,
            correlation=1.5,
            weight=60,
            band=BAND,
            years_between_looks=-1,
        )
    for fault in (
        "the expected rate of the part is nan; write a finite number",
        "the volatility of the part is -0.1; write a number that is not negative",
        "the correlation is 1.5; write one from -1 to 1",
        "the weight is 60; write a fraction above 0 and below 1",
        "the upper edge is 0.65; write one above the weight",
        "the time between looks is -1",
    ):
        assert fault in str(refused.value)


# ------------------------------------------------------------------ the band that costs make


@pytest.mark.parametrize("mu", [0.012, 0.02, 0.028])
def test_the_no_trade_region_is_the_widths_that_grow_fastest_after_costs(mu):
    """For the logarithm, against a search over the growth that each band keeps for ever."""
    sigma, spread = 0.2, 1e-4
    found = no_trade_region(mu, sigma, risk_aversion=1, spread=spread)
    scales = np.linspace(0.5, 2, 301)
    grown = [
        _growth(
            mu,
            sigma,
            spread,
            found.merton - k * found.half_width,
            found.merton + k * found.half_width,
        )
        for k in scales
    ]
    assert scales[int(np.argmax(grown))] == pytest.approx(1, abs=0.03)


def _growth(mu: float, sigma: float, spread: float, lower: float, upper: float) -> float:
    """Log growth over bills a year, of a weight reflected at the edges, what sales cost taken off.

    The log of the odds has a truncated exponential as its stationary law, and is pushed back at
    the upper edge at the rate variance / 2 times the density there.
    """
    odds = np.linspace(math.log(lower / (1 - lower)), math.log(upper / (1 - upper)), 20_001)
    weight = 1 / (1 + np.exp(-odds))
    density = np.exp((2 * mu / sigma**2 - 1) * (odds - odds[0]))
    density /= np.trapezoid(density, odds)
    kept = np.trapezoid(density * (mu * weight - sigma**2 * weight**2 / 2), odds)
    pushed = sigma**2 / 2 * density[-1]
    return float(kept - pushed * spread / (1 / upper + (1 - spread) / (1 - upper)))


@given(st.floats(-0.2, 0.3), volatilities, st.floats(0.5, 20), st.floats(0, 0.1))
def test_a_spread_eight_times_as_wide_doubles_the_no_trade_region(mu, sigma, aversion, spread):
    found = no_trade_region(mu, sigma, risk_aversion=aversion, spread=spread)
    wider = no_trade_region(mu, sigma, risk_aversion=aversion, spread=8 * spread)
    assert wider.half_width == pytest.approx(2 * found.half_width, rel=1e-9)
    assert found.upper - found.merton == pytest.approx(found.half_width, rel=1e-6, abs=1e-9)
    assert found.merton - found.lower == pytest.approx(found.half_width, rel=1e-6, abs=1e-9)


def test_without_a_spread_every_drift_is_traded_away():
    found = no_trade_region(0.08, 0.16, risk_aversion=5, spread=0)
    assert found.lower == found.merton == found.upper


@pytest.mark.parametrize("mu", [0.0, 0.2**2 * 3])
def test_who_holds_nothing_or_everything_never_trades(mu):
    assert no_trade_region(mu, 0.2, risk_aversion=3, spread=0.01).half_width == pytest.approx(
        0, abs=1e-10
    )


def test_a_negative_excess_return_is_a_sale_short():
    found = no_trade_region(-0.02, 0.2, risk_aversion=2, spread=0.001)
    assert found.lower < found.merton < found.upper < 0


def test_a_spread_of_the_whole_price_is_refused_with_all_other_faults():
    with pytest.raises(InputError, match=r"the volatility is 0; .*aversion is -1; .*spread is 1;"):
        no_trade_region(0.08, 0, risk_aversion=-1, spread=1)


# ------------------------------------------------------------------ what rebalancing adds

assets = st.integers(1, 5)


def _covariance(seed: int, count: int) -> np.ndarray:
    loads = np.random.default_rng(seed).normal(scale=0.15, size=(count, count + 1))
    return loads @ loads.T


@given(st.integers(0, 10_000), assets)
def test_no_mix_without_loans_has_a_negative_excess_growth(seed, count):
    covariance = _covariance(seed, count)
    weights = np.random.default_rng(seed + 1).dirichlet(np.ones(count + 1))[:-1]
    assert excess_growth_rate(weights, covariance) >= -1e-15


@given(st.integers(0, 10_000), assets)
def test_it_is_half_the_weighted_variance_of_each_part_against_the_whole(seed, count):
    """Fernholz 2002, Stochastic Portfolio Theory, section 1.3: variances relative to the mix."""
    covariance = _covariance(seed, count)
    weights = np.random.default_rng(seed + 1).dirichlet(np.ones(count))
    whole = covariance @ weights
    relative = covariance.diagonal() - 2 * whole + weights @ whole
    expected = float(weights @ relative) / 2
    assert excess_growth_rate(weights, covariance) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(st.integers(0, 10_000), assets)
def test_a_mix_of_twins_gains_nothing(seed, count):
    weights = np.random.default_rng(seed).dirichlet(np.ones(count))
    assert excess_growth_rate(weights, np.full((count, count), 0.04)) == pytest.approx(0, abs=1e-12)


def test_all_in_one_asset_gains_nothing():
    assert excess_growth_rate([1, 0], [[0.04, 0.01], [0.01, 0.09]]) == 0


@given(st.integers(0, 10_000), assets, st.floats(0.1, 40), st.floats(-0.05, 0.1))
def test_a_constant_mix_outgrows_its_parts_by_the_excess_growth_rate(seed, count, years, rate):
    rng = np.random.default_rng(seed)
    covariance, weights = _covariance(seed, count), rng.normal(scale=0.5, size=count)
    growths = rng.normal(scale=0.05, size=count)
    ended = constant_mix(
        7, weights, np.exp(growths * years), covariance=covariance, rate=rate, years=years
    )
    parts_grow = weights @ growths + (1 - weights.sum()) * rate
    over = math.log(ended / 7) / years - parts_grow
    assert over == pytest.approx(excess_growth_rate(weights, covariance), rel=1e-9, abs=1e-11)


def test_daily_rebalancing_of_three_assets_and_bills_comes_close_to_the_closed_form():
    rng, years, rate = np.random.default_rng(5), 4.0, 0.03
    covariance = np.array([[0.04, 0.01, 0.0], [0.01, 0.09, -0.01], [0.0, -0.01, 0.0225]])
    weights, factor = np.array([0.4, 0.3, 0.5]), np.linalg.cholesky(covariance)
    for steps, tolerance in ((1_000, 0.02), (16_000, 0.005)):
        apart = years / steps
        for _ in range(10):
            shocks = rng.standard_normal((steps, 3)) @ factor.T * math.sqrt(apart)
            logs = (0.05 - covariance.diagonal() / 2) * apart + shocks
            moved = np.expm1(logs) @ weights + (1 - weights.sum()) * math.expm1(rate * apart)
            closed = constant_mix(
                100.0,
                weights,
                np.exp(logs.sum(axis=0)),
                covariance=covariance,
                rate=rate,
                years=years,
            )
            assert 100 * np.prod(1 + moved) == pytest.approx(closed, rel=tolerance)


def test_the_ends_of_a_constant_mix_are_bills_and_the_asset_itself():
    def mix(value: float, weight: float, ratio: float, years: float = 3.0) -> float:
        return constant_mix(value, [weight], [ratio], covariance=[[0.04]], rate=-0.01, years=years)

    bills = 50 * math.exp(-0.03)
    assert mix(50, 0, 9) == pytest.approx(bills)
    assert mix(50, 1, 1.7) == pytest.approx(50 * 1.7)
    assert mix(50, 0.3, 1, years=0) == 50
    assert mix(50, 0.5, 0) == 0
    assert mix(50, 0, 0) == pytest.approx(bills)
    assert mix(0, 0.5, 2) == 0
    assert mix(1, 900, 1e300) == math.inf


@pytest.mark.parametrize(
    ("weights", "covariance", "sentence"),
    [
        pytest.param(
            [0.5], np.eye(2), "number of assets is 2; write one weight for each", id="few"
        ),
        pytest.param([[0.5, 0.5]], np.eye(2), "write one weight for each", id="a table"),
        pytest.param([0.5, math.nan], np.eye(2), "weight 2 is nan; write a finite", id="missing"),
        pytest.param([0.5, 0.5], [[1, 0]], "one row and one column an asset", id="not square"),
        pytest.param([0.5, 0.5], [[1, 0], [1]], "rows .* are not equally long", id="ragged"),
        pytest.param([0.5, 0.5], [[1, 0.5], [0, 1]], "not symmetric", id="not symmetric"),
        pytest.param([1], [[-0.04]], "variance < 0", id="a negative variance"),
        pytest.param([0.5, 0.5], [[1, 2], [2, 1]], "no returns move like this", id="impossible"),
    ],
)
def test_weights_and_covariances_that_do_not_fit_are_refused(weights, covariance, sentence):
    with pytest.raises(InputError, match=sentence):
        excess_growth_rate(weights, covariance)


def test_a_constant_mix_of_impossible_figures_is_refused_in_one_sentence():
    with pytest.raises(InputError, match=r"the value is -1; .*the time is -2; .*ratio 1 is -0\.5;"):
        constant_mix(-1, [0.5], [-0.5], covariance=[[0.04]], rate=0, years=-2)
    with pytest.raises(InputError, match=r"ratio 1 is 0; .* positive for what is sold short"):
        constant_mix(1, [-0.5], [0], covariance=[[0.04]], rate=0, years=1)
    with pytest.raises(InputError, match="the number of assets is 1; write one ratio for each"):
        constant_mix(1, [0.5], [1, 2], covariance=[[0.04]], rate=0, years=1)
