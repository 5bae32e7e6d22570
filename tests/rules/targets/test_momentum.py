"""A tilt towards what has risen takes exactly the risk it may, and follows only differences."""

import datetime as dt
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from trimtab.domain.errors import InputError
from trimtab.rules.targets.assets import month_ends
from trimtab.rules.targets.momentum import (
    momentum,
    tilted,
    tilted_in_band,
    tracking_error,
)
from trimtab.rules.targets.quadratic import Group, Limits, minimize
from trimtab.rules.targets.view import Floats

BASE = np.array([0.35, 0.25, 0.30, 0.10])
COVARIANCE = np.array(
    [
        [0.0256, 0.0180, 0.0010, 0.0040],
        [0.0180, 0.0324, 0.0008, 0.0050],
        [0.0010, 0.0008, 0.0036, 0.0002],
        [0.0040, 0.0050, 0.0002, 0.0225],
    ]
)
SIGNAL = np.array([0.18, 0.05, -0.02, 0.10])
LONG = Limits(lower=0.0, upper=1.0)

seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(2, 7)


def market(seed: int, count: int) -> tuple[Floats, Floats, Floats]:
    """A mix, a covariance of full rank and signals."""
    draw = np.random.default_rng(seed)
    factors = draw.normal(size=(count, count + 3)) * draw.uniform(0.05, 0.3, size=(count, 1))
    base = draw.dirichlet(np.ones(count))
    return base, factors @ factors.T / (count + 3), draw.normal(size=count) * 0.1


@given(seeds, sizes, st.floats(0.001, 0.1))
def test_an_unbounded_tilt_has_exactly_the_tracking_error_allowed(seed, count, most):
    base, covariance, signal = market(seed, count)
    weights = tilted(base, covariance, signal, most)
    assert math.isclose(tracking_error(weights - base, covariance), most, rel_tol=1e-9)
    assert math.isclose(weights.sum(), base.sum(), abs_tol=1e-12 * (1 + np.abs(weights).max()))


@given(seeds, sizes, st.floats(0.001, 0.1), st.floats(1e-6, 1e6), st.floats(-10, 10))
def test_neither_the_scale_of_the_signal_nor_what_is_added_to_all_changes_the_tilt(
    seed, count, most, scale, added
):
    base, covariance, signal = market(seed, count)
    for limits in (None, LONG):
        one = tilted(base, covariance, signal, most, limits)
        other = tilted(base, covariance, scale * (signal + added), most, limits)
        assert np.allclose(one, other, atol=1e-7)


@given(seeds, sizes, st.floats(0.001, 0.3))
def test_a_long_only_tilt_keeps_its_bounds_and_no_feasible_mix_has_more_signal(seed, count, most):
    base, covariance, signal = market(seed, count)
    weights = tilted(base, covariance, signal, most, LONG)
    assert weights.min() >= -1e-9
    assert math.isclose(weights.sum(), 1.0, abs_tol=1e-9)
    assert tracking_error(weights - base, covariance) <= most * (1 + 1e-9)
    draw = np.random.default_rng(seed + 1)
    others = draw.dirichlet(np.full(count, 0.4), size=500)
    active = others - base
    risks = np.sqrt(np.einsum("ni,ij,nj->n", active, covariance, active))
    inside = base + active * np.minimum(1.0, most / risks)[:, None]
    assert (inside @ signal).max() <= weights @ signal + 1e-9


@given(seeds, sizes, st.floats(0.001, 0.05))
def test_where_no_bound_binds_the_bounded_tilt_is_the_closed_form(seed, count, most):
    base, covariance, signal = market(seed, count)
    free = tilted(base, covariance, signal, most)
    assume(free.min() > 0.001 and free.max() < 0.999)
    assert np.allclose(tilted(base, covariance, signal, most, LONG), free, atol=1e-7)


@given(seeds, sizes)
def test_equal_signals_tilt_nothing(seed, count):
    base, covariance, _ = market(seed, count)
    for signal in (np.zeros(count), np.full(count, 0.07), np.full(count, -0.2)):
        assert np.array_equal(tilted(base, covariance, signal, 0.02), base)
        assert np.array_equal(tilted(base, covariance, signal, 0.02, LONG), base)
        assert np.array_equal(tilted_in_band(base, covariance, signal, 0.1), base)


@given(seeds, sizes, st.randoms(use_true_random=False))
def test_the_order_of_the_classes_does_not_matter(seed, count, random):
    base, covariance, signal = market(seed, count)
    order = list(range(count))
    random.shuffle(order)
    one = tilted(base, covariance, signal, 0.03, LONG)
    other = tilted(base[order], covariance[np.ix_(order, order)], signal[order], 0.03, LONG)
    assert np.allclose(one[order], other, atol=1e-7)


@given(seeds, sizes, st.floats(0.0, 1.0))
def test_a_mix_in_a_variance_band_has_the_variance_that_it_may_have(seed, count, band):
    base, covariance, signal = market(seed, count)
    most = (1 + band) * base @ covariance @ base
    free = tilted_in_band(base, covariance, signal, band)
    assert math.isclose(free @ covariance @ free, most, rel_tol=1e-8)
    bound = tilted_in_band(base, covariance, signal, band, LONG)
    assert bound.min() >= -1e-9
    assert bound @ covariance @ bound <= most * (1 + 1e-8)
    assert bound @ signal >= base @ signal - 1e-9


def test_a_tilt_never_leaves_the_band_that_its_limits_are():
    band = np.minimum(0.05, 0.25 * BASE)
    limits = Limits(lower=BASE - band, upper=BASE + band)
    weights = tilted(BASE, COVARIANCE, SIGNAL, 0.5, limits)
    assert (np.abs(weights - BASE) <= band + 1e-9).all()
    assert tracking_error(weights - BASE, COVARIANCE) < 0.5


@given(seeds, sizes, st.sampled_from([0.02, 0.05, 0.3, 1.0]))
def test_where_only_the_bands_bind_no_mix_within_them_has_more_signal(seed, count, band):
    base, covariance, signal = market(seed, count)
    limits = Limits(lower=np.maximum(0.0, base - band), upper=np.minimum(1.0, base + band))
    weights = tilted(base, covariance, signal, 100.0, limits)
    assert math.isclose(weights @ signal, greedy(signal, limits) @ signal, abs_tol=1e-9)


def greedy(signal: Floats, limits: Limits) -> Floats:
    """Every weight at its least, and what is left into the greatest signals first."""
    weights = np.array(limits.lower)
    for place in np.argsort(-signal):
        weights[place] += min(np.array(limits.upper)[place] - weights[place], 1.0 - weights.sum())
    return weights


@given(seeds, st.integers(4, 7), st.floats(0.001, 0.05), st.sampled_from([0.02, 0.05, 0.3]))
def test_where_some_bands_bind_the_tracking_error_is_still_all_that_is_allowed(
    seed, count, most, band
):
    base, covariance, signal = market(seed, count)
    limits = Limits(lower=np.maximum(0.0, base - band), upper=np.minimum(1.0, base + band))
    farthest = tracking_error(greedy(signal, limits) - base, covariance)
    weights = tilted(base, covariance, signal, most, limits)
    assert (np.abs(weights - base) <= band + 1e-9).all()
    assert tracking_error(weights - base, covariance) == pytest.approx(
        min(most, farthest), rel=1e-6
    )


@pytest.mark.parametrize("band", [0.02, 0.05, 0.3])
def test_a_tilt_is_the_one_that_halving_the_steepness_step_by_step_would_find(band):
    for seed in range(40):
        base, covariance, signal = market(seed, 6)
        low, high = np.maximum(-base, -band), np.minimum(1.0 - base, band)
        around = Limits(lower=low, upper=high, total=0.0)
        least, steepest = 1e-9, 1e6
        for _ in range(60):
            middle = math.sqrt(least * steepest)
            active = minimize(covariance, around, middle * (signal - signal.mean())).weights
            if tracking_error(active, covariance) > 0.01:
                steepest = middle
            else:
                least = middle
        found = tilted(base, covariance, signal, 0.01, Limits(lower=base + low, upper=base + high))
        assert np.allclose(found - base, active, atol=1e-7)


def test_a_group_of_classes_can_be_held_together():
    stocks = Group("stocks", (0, 1), 0.6, 0.6)
    weights = tilted(BASE, COVARIANCE, SIGNAL, 0.02, Limits(0.0, 1.0, (stocks,)))
    assert math.isclose(weights[0] + weights[1], 0.6, abs_tol=1e-9)
    assert weights[0] > BASE[0]


def test_what_has_no_risk_to_spend_stays_where_it_is():
    riskless = np.diag([0.04, 0.0])
    all_safe, better = np.array([0.0, 1.0]), np.array([0.1, 0.0])
    assert np.allclose(tilted_in_band(all_safe, riskless, better, 0.1, LONG), all_safe)
    nothing = Limits(lower=0.0, upper=0.0, total=0.0)
    assert np.allclose(tilted_in_band(np.zeros(2), riskless, better, 0.1, nothing), 0.0)


@given(
    seeds,
    sizes,
    st.integers(1, 8),
    st.sampled_from([1e-6, 0.01, 0.3, 5.0]),
    st.randoms(use_true_random=False),
)
def test_equal_signals_and_riskless_mixes_leave_one_answer_in_any_order(
    seed, count, factors, most, random
):
    draw = np.random.default_rng(seed)
    moves = draw.normal(size=(count, factors)) * 0.2
    moves[draw.random(count) < 0.2] = 0.0
    covariance = moves @ moves.T
    base, signal = draw.dirichlet(np.ones(count)), np.round(draw.normal(size=count))
    order = list(range(count))
    random.shuffle(order)
    turned = covariance[np.ix_(order, order)]
    for tilt in (tilted, tilted_in_band):
        one = tilt(base, covariance, signal, most, LONG)
        other = tilt(base[order], turned, signal[order], most, LONG)
        assert np.allclose(one[order], other, atol=1e-6)


def test_of_the_greatest_signals_the_least_risk_is_taken():
    covariance, alike = np.diag([0.04, 0.01, 0.09]), np.array([0.1, 0.1, 0.0])
    third = np.full(3, 1 / 3)
    assert np.allclose(tilted(third, covariance, alike, 9.0, LONG), [0.4, 0.6, 0.0])
    assert np.allclose(tilted_in_band(third, covariance, alike, 9.0, LONG), [0.2, 0.8, 0.0])
    together = Limits(0.0, 1.0, (Group("first and last", (0, 2), 0.5, 0.5),))
    assert np.allclose(tilted_in_band(third, covariance, alike, 9.0, together), [0.5, 0.5, 0.0])


@pytest.mark.parametrize("spoiled", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("limits", [None, LONG], ids=["free", "bounded"])
@pytest.mark.parametrize("tilt", [tilted, tilted_in_band])
def test_a_value_that_is_not_a_number_is_refused(tilt, limits, spoiled):
    signal, covariance = SIGNAL.copy(), COVARIANCE.copy()
    signal[1], covariance[0, 0] = spoiled, spoiled
    for shown in ((BASE, COVARIANCE, signal), (BASE, covariance, SIGNAL)):
        with pytest.raises(InputError, match="holds a value that is not a number"):
            tilt(*shown, 0.02, limits)


def test_a_base_at_its_bound_can_only_move_inside():
    corner = np.array([0.0, 0.5, 0.5, 0.0])
    weights = tilted(corner, COVARIANCE, -SIGNAL, 0.03, LONG)
    assert weights.min() >= -1e-9
    assert weights[2] > 0.5


def test_one_class_alone_cannot_tilt():
    alone = np.ones(1)
    assert tilted(alone, np.array([[0.04]]), np.array([0.3]), 0.02, LONG).tolist() == [1.0]


def test_a_singular_covariance_needs_bounds():
    twins = np.array([[0.04, 0.04], [0.04, 0.04]])
    with pytest.raises(InputError, match="give bounds"):
        tilted(np.array([0.5, 0.5]), twins, np.array([0.1, 0.0]), 0.02)
    weights = tilted(np.array([0.5, 0.5]), twins, np.array([0.1, 0.0]), 0.02, LONG)
    assert np.allclose(weights, [1.0, 0.0])


def test_one_class_without_risk_still_leaves_a_free_tilt_its_tracking_error():
    half, signal = np.array([0.5, 0.5]), np.array([0.1, 0.0])
    riskless = np.diag([0.04, 0.0])
    assert np.allclose(tilted(half, riskless, signal, 0.02), [0.6, 0.4])
    wider = tilted_in_band(half, riskless, signal, 0.44)
    assert np.allclose(wider, [0.6, 0.4])


def test_twins_of_one_signal_tilt_alike_without_bounds():
    moves = np.array([[0.2, 0.0], [0.2, 0.0], [0.05, 0.1]])
    base, signal = np.full(3, 1 / 3), np.array([0.1, 0.1, 0.0])
    weights = tilted(base, moves @ moves.T, signal, 0.02)
    assert math.isclose(weights[0], weights[1], rel_tol=1e-9)
    assert math.isclose(tracking_error(weights - base, moves @ moves.T), 0.02, rel_tol=1e-9)


def test_too_few_prices_are_refused_with_the_number_that_is_needed():
    with pytest.raises(InputError, match="needs 13 month-ends, not 12"):
        momentum([1.0] * 12)
    with pytest.raises(InputError, match="skip fewer"):
        momentum([1.0] * 20, months=6, skip=6)


def test_month_ends_are_the_last_sessions_of_months_that_are_over():
    days = tuple(dt.date(2026, 1, 29) + dt.timedelta(days=number) for number in range(40))
    returns = np.full((40, 1), 0.01)
    ends = month_ends(days, returns, days[-1])
    assert [round(math.log(price) / math.log(1.01)) for price in ends[:, 0]] == [3, 31]


def test_a_month_is_over_on_the_first_day_of_the_next_whether_or_not_that_has_closed():
    days = tuple(dt.date(2026, 1, 29) + dt.timedelta(days=number) for number in range(40))
    returns = np.full((40, 1), 0.01)
    morning = month_ends(days[:3], returns[:3], dt.date(2026, 2, 1))
    evening = month_ends(days[:4], returns[:4], dt.date(2026, 2, 1))
    assert np.array_equal(morning, evening)
    assert len(morning) == 1
    assert len(month_ends(days[:3], returns[:3], dt.date(2026, 1, 31))) == 0
