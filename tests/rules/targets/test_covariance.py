"""Estimators against slow sums over the definitions of their papers."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.domain.errors import InputError
from trimtab.rules.targets.covariance import (
    Estimate,
    exponentially_weighted,
    ledoit_wolf,
    nearest_correlation,
    sample,
)
from trimtab.rules.targets.covariance import given as given_matrix

TARGETS = ("scaled_identity", "constant_correlation")
ESTIMATORS: dict[str, Callable[..., Estimate]] = {
    "sample": sample,
    "weighted": lambda past, **more: exponentially_weighted(past, half_life=5.0, **more),
    "identity": ledoit_wolf,
    "constant": lambda past, **more: ledoit_wolf(past, target="constant_correlation", **more),
}
every_estimator = pytest.mark.parametrize("estimate", ESTIMATORS.values(), ids=ESTIMATORS)


def drawn(seed, periods=None, count=None):
    rng = np.random.default_rng(seed)
    shape = (periods or int(rng.integers(2, 40)), count or int(rng.integers(1, 9)))
    past = rng.normal(size=shape) * np.exp(rng.normal(size=shape[1])) * 0.02
    return np.clip(past + 0.01 * rng.normal(size=(shape[0], 1)), -0.9, None)


pasts = st.builds(drawn, st.integers(0, 2**32 - 1))


@settings(max_examples=50, deadline=None)
@given(pasts, st.sampled_from([0, 1]))
def test_the_sample_covariance_is_that_of_the_definition(past, lost):
    if len(past) <= lost:
        return
    centred = past - past.mean(axis=0)
    slow = sum(np.outer(row, row) for row in centred) / (len(past) - lost)
    assert sample(past, degrees_lost=lost).covariance == pytest.approx(slow, abs=1e-15)


@settings(max_examples=50, deadline=None)
@given(pasts)
def test_an_endless_half_life_weights_every_period_alike(past):
    weighted = exponentially_weighted(past, half_life=math.inf)
    assert weighted.covariance == pytest.approx(sample(past).covariance, abs=1e-15)
    assert weighted.observations_effective == pytest.approx(len(past))


def test_a_period_counts_half_as_much_as_one_a_half_life_later():
    past = drawn(3, periods=9, count=2)
    weights = np.array([0.5 ** ((8 - period) / 4) for period in range(9)])
    weights /= weights.sum()
    mean = sum(weight * row for weight, row in zip(weights, past, strict=True))
    slow = sum(
        weight * np.outer(row - mean, row - mean) for weight, row in zip(weights, past, strict=True)
    )
    found = exponentially_weighted(past, half_life=4)
    assert found.covariance == pytest.approx(slow / (1 - (weights**2).sum()), abs=1e-16)


def test_a_period_left_out_does_not_bring_older_ones_nearer():
    past = drawn(4, periods=9, count=2)
    past[5, 0] = np.nan
    kept = [0, 1, 2, 3, 4, 6, 7, 8]
    weights = np.exp2((np.array(kept) - 8) / 2.0)
    slow = np.cov(past[kept], rowvar=False, aweights=weights, ddof=1)
    assert exponentially_weighted(past, half_life=2).covariance == pytest.approx(slow, abs=1e-16)


@settings(max_examples=50, deadline=None)
@given(pasts)
def test_shrinkage_towards_the_identity_is_that_of_the_paper(past):
    count, assets = past.shape
    centred = past - past.mean(axis=0)
    plain = centred.T @ centred / count
    goal = np.trace(plain) / assets * np.eye(assets)
    distance = ((plain - goal) ** 2).sum()
    noise = sum(((np.outer(row, row) - plain) ** 2).sum() for row in centred) / count**2
    part = min(noise, distance) / distance if distance > 0 and assets > 1 else 0.0
    found = ledoit_wolf(past)
    assert found.shrinkage == pytest.approx(part, abs=1e-9)
    assert found.covariance == pytest.approx((1 - part) * plain + part * goal, rel=1e-9, abs=1e-15)


@settings(max_examples=50, deadline=None)
@given(st.builds(drawn, st.integers(0, 2**32 - 1), st.just(None), st.integers(3, 6)))
def test_shrinkage_towards_constant_correlation_is_that_of_the_paper(past):
    count, assets = past.shape
    y = past - past.mean(axis=0)
    s = y.T @ y / count
    sd = np.sqrt(np.diag(s))
    pairs = [(i, j) for i in range(assets) for j in range(assets) if i != j]
    mean = sum(s[i, j] / sd[i] / sd[j] for i, j in pairs) / len(pairs)
    goal = np.array(
        [
            [s[i, i] if i == j else mean * sd[i] * sd[j] for j in range(assets)]
            for i in range(assets)
        ]
    )
    noise = {
        (i, j): ((y[:, i] * y[:, j] - s[i, j]) ** 2).mean()
        for i in range(assets)
        for j in range(assets)
    }
    theta = {
        (i, j): ((y[:, i] ** 2 - s[i, i]) * (y[:, i] * y[:, j] - s[i, j])).mean() for i, j in pairs
    }
    rho = sum(noise[i, i] for i in range(assets)) + sum(
        mean / 2 * (sd[j] / sd[i] * theta[i, j] + sd[i] / sd[j] * theta[j, i]) for i, j in pairs
    )
    gamma = ((goal - s) ** 2).sum()
    found = ledoit_wolf(past, target="constant_correlation")
    part = found.shrinkage
    if gamma > 1e-9 * (s**2).sum():  # below, target and sample are the same
        part = min(max((sum(noise.values()) - rho) / gamma / count, 0.0), 1.0)
        assert found.shrinkage == pytest.approx(part, rel=1e-6, abs=1e-9)
    assert found.covariance == pytest.approx((1 - part) * s + part * goal, rel=1e-6, abs=1e-12)


@every_estimator
@settings(max_examples=40, deadline=None)
@given(past=pasts, factor=st.sampled_from([1e-3, 2.0, 8.0]))
def test_returns_in_another_unit_give_the_square_of_it(estimate, past, factor):
    one, other = estimate(past), estimate(factor * past / 8)
    scale = (factor / 8) ** 2
    size = np.abs(one.covariance).max() * scale
    assert np.abs(other.covariance - scale * one.covariance).max() <= 1e-9 * size
    assert other.shrinkage == pytest.approx(one.shrinkage, abs=1e-7)


@every_estimator
@settings(max_examples=40, deadline=None)
@given(past=pasts, shuffle=st.randoms(use_true_random=False))
def test_the_order_of_the_assets_only_reorders_the_covariance(estimate, past, shuffle):
    order = list(range(past.shape[1]))
    shuffle.shuffle(order)
    found, turned = estimate(past).covariance, estimate(past[:, order]).covariance
    assert np.abs(turned - found[np.ix_(order, order)]).max() <= 1e-9 * np.abs(found).max()


@every_estimator
@settings(max_examples=40, deadline=None)
@given(past=pasts)
def test_a_covariance_is_symmetric_and_gives_no_mix_a_negative_variance(estimate, past):
    found = estimate(past)
    assert (found.covariance == found.covariance.T).all()
    assert np.linalg.eigvalsh(found.covariance)[0] >= -1e-12 * np.abs(found.covariance).max()
    assert 0.0 <= found.shrinkage <= 1.0


@every_estimator
def test_a_year_of_twelve_periods_multiplies_by_twelve(estimate):
    past = drawn(1, periods=30, count=4)
    yearly = estimate(past, periods_per_year=12.0)
    assert yearly.covariance == pytest.approx(12.0 * estimate(past).covariance)
    assert yearly.periods_per_year == 12.0
    assert yearly.volatilities == pytest.approx(np.sqrt(np.diag(yearly.covariance)))


@pytest.mark.parametrize("target", TARGETS)
def test_fewer_periods_than_assets_leave_a_covariance_with_an_inverse(target):
    past = drawn(2, periods=6, count=8)
    assert np.linalg.matrix_rank(sample(past).covariance) == 5
    assert np.linalg.matrix_rank(ledoit_wolf(past, target=target).covariance) == 8


@every_estimator
def test_only_periods_in_which_every_asset_has_a_return_are_used(estimate):
    past = drawn(5, periods=30, count=3)
    holed = past.copy()
    holed[4, 0] = holed[4, 1] = holed[29, 2] = np.nan
    found = estimate(holed)
    assert (found.observations, found.rows_lost) == (28, 2)
    assert "2 of 30 periods lack a return of some asset: left out." in found.notes
    assert np.isfinite(found.covariance).all()


@every_estimator
def test_an_asset_that_never_moved_has_no_variance_of_its_own_and_is_named(estimate):
    past = drawn(6, periods=30, count=3)
    past[:, 1] = 0.001
    found = estimate(past, names=("A", "B", "C"))
    assert "Never moved: B." in found.notes
    assert np.isfinite(found.covariance).all()


@pytest.mark.parametrize("kind", ["sample", "weighted", "constant"])
def test_an_asset_that_never_moved_changes_nothing_for_the_others(kind):
    past = drawn(6, periods=30, count=4)
    still = np.insert(past, 2, 0.001, axis=1)
    one, other = ESTIMATORS[kind](past), ESTIMATORS[kind](still)
    kept = np.ix_([0, 1, 3, 4], [0, 1, 3, 4])
    assert other.covariance[kept] == pytest.approx(one.covariance, abs=1e-15)
    assert other.shrinkage == pytest.approx(one.shrinkage)
    assert not other.covariance[2].any()


@every_estimator
def test_assets_that_moved_alike_are_named(estimate):
    past = drawn(7, periods=30, count=3)
    past[:, 2] = past[:, 0]
    assert "The same returns: A = C." in estimate(past, names=("A", "B", "C")).notes


def test_too_few_periods_to_tell_is_said():
    found = sample(drawn(8, periods=5, count=5))
    assert found.notes == (
        "5 periods of 5 assets are too few to tell: some mixes seem free of risk.",
    )


@every_estimator
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        pytest.param({(0, 1): np.inf}, "B is infinite or below -100 %", id="infinite"),
        pytest.param({(3, 0): -1.5}, "A is infinite or below -100 %", id="worse than a total loss"),
        pytest.param(
            {(row, 1): np.nan for row in range(9)},
            "Only 1 of 10 periods have a return of every asset, and 2 are needed; B lacks 9",
            id="no common periods",
        ),
    ],
)
def test_what_is_no_return_is_refused_by_name(estimate, spoil, words):
    past = drawn(9, periods=10, count=2)
    for place, value in spoil.items():
        past[place] = value
    with pytest.raises(InputError) as refused:
        estimate(past, names=("A", "B"))
    assert words in str(refused.value)


@pytest.mark.parametrize("half_life", [0.0, -1.0, math.nan, 0.001])
def test_a_half_life_that_keeps_no_two_periods_is_refused(half_life):
    with pytest.raises(InputError, match="half-life"):
        exponentially_weighted(drawn(1, periods=10, count=2), half_life=half_life)


# ------------------------------------------------------------------ the nearest possible matrix


def broken(seed, count=5):
    rng = np.random.default_rng(seed)
    matrix = rng.uniform(-1, 1, size=(count, count))
    matrix = (matrix + matrix.T) / 2
    np.fill_diagonal(matrix, 1.0)
    return matrix


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_nearest_correlations_are_possible_and_no_possible_ones_are_nearer(seed):
    matrix = broken(seed)
    near = nearest_correlation(matrix)
    assert (np.diag(near) == 1.0).all()
    assert np.linalg.eigvalsh(near)[0] >= -1e-9
    values, vectors = np.linalg.eigh(matrix)
    clipped = (vectors * np.maximum(values, 0.0)) @ vectors.T
    scale = 1 / np.sqrt(np.diag(clipped))
    rivals = [clipped * np.outer(scale, scale), np.eye(5)]
    rng = np.random.default_rng(seed)
    rivals += [np.corrcoef(rng.normal(size=(8, 5)), rowvar=False) for _ in range(50)]
    rivals += [0.99 * near + 0.01 * rival for rival in rivals]
    distance = np.linalg.norm(near - matrix)
    assert all(distance <= np.linalg.norm(rival - matrix) + 1e-9 for rival in rivals)


def test_possible_correlations_stay_as_they_are():
    matrix = np.corrcoef(drawn(3, periods=30, count=5), rowvar=False)
    assert nearest_correlation(matrix) == pytest.approx(matrix, abs=1e-12)


def test_a_covariance_that_cannot_be_is_repaired_with_its_variances_kept_and_says_so():
    deviations = np.array([0.2, 0.1, 0.05])
    chain = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0]])
    impossible = chain * np.outer(deviations, deviations)
    repaired = given_matrix(impossible)
    assert repaired.volatilities == pytest.approx(deviations)
    assert np.linalg.eigvalsh(repaired.covariance)[0] >= -1e-15
    assert repaired.covariance[0, 1] == pytest.approx(0.76068985 * 0.02, rel=1e-7)
    moved = np.linalg.norm(repaired.covariance - impossible) / np.linalg.norm(impossible)
    assert f"{moved:.2%}" in repaired.notes[0]


def test_a_covariance_that_can_be_is_taken_as_it_is():
    matrix = sample(drawn(3, periods=30, count=5)).covariance
    taken = given_matrix(matrix)
    assert (taken.covariance == matrix).all()
    assert taken.notes == ()


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        pytest.param(np.ones(3), "one row and one column", id="a list"),
        pytest.param(np.ones((2, 3)), "one row and one column", id="not square"),
        pytest.param(np.array([[1.0, 0.5], [0.2, 1.0]]), "not symmetric", id="not symmetric"),
        pytest.param(np.diag([1.0, -1.0]), "a variance < 0", id="a negative variance"),
        pytest.param(np.diag([1.0, math.inf]), "not a number", id="infinite"),
    ],
)
def test_a_matrix_that_is_no_covariance_is_refused(matrix, words):
    with pytest.raises(InputError, match=words):
        given_matrix(matrix)
