"""Minimum variance against its formulas, its rivals and its known optimism."""

import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.domain.errors import InputError
from trimtab.rules.targets.covariance import ledoit_wolf, sample
from trimtab.rules.targets.minimum_variance import (
    closed_form,
    minimum_variance,
    mixes,
    optimism,
    two_assets,
)
from trimtab.rules.targets.quadratic import Group, Limits

volatilities = st.floats(0.01, 1.0)
correlations = st.floats(-0.99, 0.99)


def pair(first, second, correlation):
    both = correlation * first * second
    return np.array([[first**2, both], [both, second**2]])


def moved(count, seed=0, periods=80):
    rng = np.random.default_rng(seed)
    spread = np.exp(0.5 * rng.normal(size=count))
    return 0.01 * (rng.normal(size=(periods, count)) * spread + rng.normal(size=(periods, 1)))


@given(volatilities, volatilities, correlations)
def test_the_formula_of_two_assets_agrees_with_the_solver(first, second, correlation):
    found, matrix = two_assets(first, second, correlation), pair(first, second, correlation)
    weights, variance = closed_form(matrix)
    assert found.weights == pytest.approx(tuple(weights), abs=1e-8)
    assert found.variance == pytest.approx(variance, rel=1e-7)
    long_only = minimum_variance(matrix)
    assert found.weights_long_only == pytest.approx(tuple(long_only.weights), abs=1e-8)
    assert found.variance_long_only == pytest.approx(long_only.variance, rel=1e-7)


@given(volatilities, volatilities, correlations)
def test_one_asset_is_best_alone_once_the_correlation_is_above_the_ratio(first, second, rho):
    ratio = min(first, second) / max(first, second)
    if abs(rho - ratio) > 1e-9:
        assert two_assets(first, second, rho).is_corner == (rho > ratio)


@pytest.mark.parametrize(
    ("first", "second", "correlation", "weights", "variance"),
    [
        pytest.param(0.2, 0.1, -1.0, (1 / 3, 2 / 3), 0.0, id="a perfect hedge"),
        pytest.param(0.1, 0.1, 1.0, (0.5, 0.5), 0.01, id="identical: equal weights"),
        pytest.param(0.0, 0.0, 0.3, (0.5, 0.5), 0.0, id="no risk at all: equal weights"),
        pytest.param(0.0, 0.1, 0.3, (1.0, 0.0), 0.0, id="the first has no risk"),
        pytest.param(0.2, 0.1, 0.5, (0.0, 1.0), 0.01, id="exactly at the corner"),
        pytest.param(0.2, 0.1, 1.0, (-1.0, 2.0), 0.0, id="perfectly alike: one sold short"),
    ],
)
def test_two_assets_at_the_edges(first, second, correlation, weights, variance):
    found = two_assets(first, second, correlation)
    assert found.weights == pytest.approx(weights, abs=1e-12)
    assert found.variance == pytest.approx(variance, abs=1e-15)


@pytest.mark.parametrize(
    "values", [(-0.1, 0.1, 0.0), (0.1, 0.1, 1.01), (0.1, math.nan, 0.0), (0.1, math.inf, 0.0)]
)
def test_two_assets_that_cannot_be_are_refused(values):
    with pytest.raises(InputError, match="correlation is from -1 to 1"):
        two_assets(*values)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 30), st.integers(0, 1000))
def test_without_bounds_the_weights_are_those_of_lagrange(count, seed):
    matrix = sample(moved(count, seed)).covariance
    inverse = np.linalg.solve(matrix, np.ones(count))
    weights, variance = closed_form(matrix)
    assert weights == pytest.approx(inverse / inverse.sum(), abs=1e-8)
    assert variance == pytest.approx(1 / inverse.sum(), rel=1e-8)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 20), st.integers(0, 1000))
def test_the_closed_form_is_taken_exactly_where_it_keeps_the_bounds(count, seed):
    matrix = sample(moved(count, seed)).covariance
    weights, _ = closed_form(matrix)
    found = minimum_variance(matrix, Limits(upper=0.6))
    keeps = bool((weights >= 0).all() and (weights <= 0.6).all())
    assert found.is_closed_form == keeps
    if keeps:
        assert found.weights == pytest.approx(weights, abs=1e-10)


def test_clipping_negative_weights_and_scaling_up_the_rest_is_riskier():
    matrix = sample(moved(12, 3)).covariance
    weights, _ = closed_form(matrix)
    clipped = np.maximum(weights, 0.0) / np.maximum(weights, 0.0).sum()
    assert (weights < 0).any()
    assert minimum_variance(matrix).variance < 0.999 * clipped @ matrix @ clipped


def test_from_returns_to_weights_the_notes_and_the_optimism_come_along():
    past = moved(10, periods=60)
    past[3, 3] = np.nan
    found = minimum_variance(ledoit_wolf(past, periods_per_year=12.0), Limits(upper=0.25))
    assert found.notes == ("1 of 60 periods lack a return of some asset: left out.",)
    assert found.optimism == optimism(10, 59)
    assert found.volatility == pytest.approx(math.sqrt(found.variance))
    assert found.weights.max() <= 0.25 + 1e-12


def test_a_covariance_by_itself_has_no_known_optimism():
    assert minimum_variance(np.eye(3)).optimism is None


# ------------------------------------------------------------------ optimism


@pytest.mark.parametrize("count", [*range(1, 40), 60])
def test_classes_that_never_moved_are_held_equally(count):
    names = [f"class {number}" for number in range(count)]
    estimate = sample(np.zeros((30, count)), names=names)
    found = minimum_variance(estimate)
    assert found.weights == pytest.approx(np.full(count, 1 / count))
    assert found.volatility == 0.0
    assert f"Never moved: {', '.join(names)}." in found.notes
    part = minimum_variance(np.zeros((count, count)), Limits(0.0, 1.0, (), 0.9))
    assert part.weights == pytest.approx(np.full(count, 0.9 / count))


def test_with_bounds_and_shrinkage_the_known_ratio_is_a_most():
    draw = np.random.default_rng(5)
    factors = draw.normal(size=(10, 10))
    truth = factors @ factors.T / 10 + 0.3 * np.eye(10) + 0.5
    root = np.linalg.cholesky(truth)
    told = optimism(10, 20).volatility_factor or 0.0
    for estimate in (sample, partial(ledoit_wolf, target="constant_correlation")):
        fitted, delivered = [], []
        for _ in range(200):
            past = (root @ draw.normal(size=(10, 20))).T * 0.01
            weights = minimum_variance(estimate(past)).weights
            fitted.append((past @ weights).var(ddof=1))
            delivered.append(weights @ truth @ weights * 1e-4)
        assert 1.1 < math.sqrt(np.mean(delivered) / np.mean(fitted)) < 0.8 * told


def test_fitted_and_delivered_variance_average_to_their_known_ratios():
    rng = np.random.default_rng(1)
    assets, periods, draws = 10, 60, 2000
    fitted, delivered = np.empty(draws), np.empty(draws)
    for draw in range(draws):  # the truth is the identity, with a least variance of 1/10
        weights, fitted[draw] = closed_form(np.cov(rng.normal(size=(periods, assets)).T))
        delivered[draw] = weights @ weights
    known = optimism(assets, periods)
    for found, ratio in ((fitted, known.in_sample), (delivered, known.out_of_sample)):
        noise = 10 * found.std() / math.sqrt(draws)
        assert abs(10 * found.mean() - ratio) <= 5 * noise
        assert noise < 0.015


@pytest.mark.parametrize(
    ("assets", "periods", "ratios"),
    [
        pytest.param(1, 60, (1.0, 1.0), id="one asset: nothing is fitted"),
        pytest.param(1, 1, (1.0, 1.0), id="one asset, one period"),
        pytest.param(10, 12, (2 / 11, 10.0), id="barely enough"),
        pytest.param(10, 11, (1 / 10, None), id="what follows has no mean"),
        pytest.param(10, 10, (0.0, None), id="seems free of risk"),
        pytest.param(10, 9, (None, None), id="too few"),
    ],
)
def test_optimism_at_the_edges(assets, periods, ratios):
    assert optimism(assets, periods) == pytest.approx(ratios)


def test_the_volatility_to_expect_is_the_fitted_one_times_a_factor():
    assert optimism(10, 60).volatility_factor == pytest.approx(math.sqrt((58 / 49) / (50 / 59)))
    assert optimism(10, 10).volatility_factor is None
    assert optimism(10, 9).volatility_factor is None


@pytest.mark.parametrize(("assets", "periods"), [(0, 10), (3, 0), (-1, 5)])
def test_optimism_of_nothing_is_refused(assets, periods):
    with pytest.raises(InputError, match="There is no portfolio"):
        optimism(assets, periods)


# ------------------------------------------------------------------ the picture


def test_the_risk_of_two_assets_is_the_hyperbola_of_their_mixes():
    matrix = pair(0.16, 0.06, 0.1)
    drawn = mixes(matrix, Limits(0.2, 0.7), 0)
    both = np.column_stack((drawn.weights, 1 - drawn.weights))
    risk = np.sqrt(np.einsum("ij,jk,ik->i", both, matrix, both))
    assert drawn.volatilities_free == pytest.approx(risk, abs=1e-12)
    assert (drawn.lower, drawn.upper) == pytest.approx((0.3, 0.7))
    inside = (drawn.weights >= 0.3) & (drawn.weights <= 0.7)
    assert drawn.volatilities[inside] == pytest.approx(risk[inside], abs=1e-12)
    assert np.isnan(drawn.volatilities[~inside]).all()
    assert drawn.best_weight == pytest.approx(0.3)
    assert drawn.best_weight_free == pytest.approx(0.0967741935)


@settings(max_examples=10, deadline=None)
@given(st.integers(2, 8), st.integers(0, 1000))
def test_bounds_only_add_risk_and_the_best_mix_has_the_least(count, seed):
    matrix = sample(moved(count, seed)).covariance
    groups = (Group("half", tuple(range(count // 2)), 0.3, 0.8),)
    drawn = mixes(matrix, Limits(0.0, 0.9, groups), seed % count, points=9)
    inside = ~np.isnan(drawn.volatilities)
    assert inside.any()
    assert (drawn.volatilities[inside] >= drawn.volatilities_free[inside] - 1e-12).all()
    assert np.nanmin(drawn.volatilities) == pytest.approx(drawn.best_volatility)
    assert drawn.volatilities_free.min() == pytest.approx(drawn.best_volatility_free)
    assert (np.diff(drawn.weights) > 0).all()


def test_a_picture_without_bounds_ends_at_its_frame():
    drawn = mixes(sample(moved(4)).covariance, Limits(-math.inf), 0)
    assert (drawn.lower, drawn.upper) == (drawn.weights[0], drawn.weights[-1])
    assert drawn.volatilities == pytest.approx(drawn.volatilities_free)
