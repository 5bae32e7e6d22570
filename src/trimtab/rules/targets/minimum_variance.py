"""Minimum variance: the weights under which the whole moves least, within the limits given.

Where no bound binds this is Lagrange's closed form, S^-1 1 / (1'S^-1 1) (Markowitz 1952; Merton
1972). Where one does the weights are solved for anew: clipping the negative ones and scaling the
rest up is another portfolio, and a riskier one. Cash is no asset here: it would take everything.

The volatility that comes with the weights is that of the past returns they were fitted to, so it is
too low on average; `optimism` says by how much at most.
"""

import math
from typing import NamedTuple

import numpy as np

from trimtab.domain.errors import InputError
from trimtab.rules.targets.active_set import Floats
from trimtab.rules.targets.covariance import Estimate
from trimtab.rules.targets.quadratic import Limits, Solution, minimize

_MARGIN = 0.1
"""How far beyond the weights that matter a picture of mixes reaches."""
_PLACES = 12


class MinimumVariance(NamedTuple):
    """Weights (N,) of least variance, over the same time as the covariance they come from.

    `is_closed_form` says that no bound binds. `optimism` is known for a sample of past returns.
    """

    weights: Floats
    variance: float
    volatility: float
    is_closed_form: bool
    solution: Solution
    optimism: "Optimism | None" = None
    notes: tuple[str, ...] = ()


class TwoAssets(NamedTuple):
    """The mix of two assets that moves least, with short sales and without.

    Weights are of the first and of the second.
    `is_corner` says that without short sales one asset alone is best: the correlation is above the
    ratio of the lower volatility to the higher.
    """

    weights: tuple[float, float]
    variance: float
    weights_long_only: tuple[float, float]
    variance_long_only: float
    is_corner: bool


class Optimism(NamedTuple):
    """How far the fitted variance and that of what follows are from the least possible, on average.

    Ratios to the true least variance: `in_sample` of the variance fitted, `out_of_sample` of the
    one that the fitted weights then have. None where there are too few observations to say.
    """

    in_sample: float | None
    out_of_sample: float | None

    @property
    def volatility_factor(self) -> float | None:
        """By what to multiply the volatility fitted to get the one to expect, at most."""
        if not self.in_sample or self.out_of_sample is None:
            return None
        return math.sqrt(self.out_of_sample / self.in_sample)


class Mixes(NamedTuple):
    """The risk of the whole by the weight of one asset, the others at their best; for a picture.

    `weights` (P,) of the asset, `volatilities_free` (P,) with no bounds and `volatilities` (P,)
    within them, NaN where the bounds forbid the weight; the same for the best point. `lower` and
    `upper` are how far the weight can go, within the picture, when all bounds are kept.
    """

    weights: Floats
    volatilities_free: Floats
    volatilities: Floats
    lower: float
    upper: float
    best_weight: float
    best_volatility: float
    best_weight_free: float
    best_volatility_free: float


def minimum_variance(estimate: Estimate | Floats, limits: Limits | None = None) -> MinimumVariance:
    """The weights of least variance within *limits*; without any, no short sales.

    Raises:
        InputError: the limits contradict each other, or the matrix is no covariance.

    Examples:
        >>> found = minimum_variance(np.array([[0.04, 0.0], [0.0, 0.01]]))
        >>> found.weights.round(6).tolist(), found.is_closed_form
        ([0.2, 0.8], True)
    """
    matrix = estimate.covariance if isinstance(estimate, Estimate) else estimate
    limits = Limits() if limits is None else limits
    solution = minimize(matrix, limits)
    variance = max(2.0 * solution.objective, 0.0)
    known, notes = None, tuple[str, ...]()
    if isinstance(estimate, Estimate):
        notes = estimate.notes
        if estimate.observations:
            known = optimism(len(matrix), int(estimate.observations_effective))
    return MinimumVariance(
        weights=solution.weights,
        variance=variance,
        volatility=math.sqrt(variance),
        is_closed_form=solution.binding == 0,
        solution=solution,
        optimism=known,
        notes=notes,
    )


def closed_form(covariance: Floats) -> tuple[Floats, float]:
    """The weights S^-1 1 / (1'S^-1 1) (N,), short sales included, and their variance.

    Where the matrix has no inverse, the weights of least variance with the least norm.

    Source: Merton (1972), An analytic derivation of the efficient portfolio frontier.
    """
    solution = minimize(covariance, Limits(lower=-math.inf))
    return solution.weights, max(2.0 * solution.objective, 0.0)


def two_assets(volatility_first: float, volatility_second: float, correlation: float) -> TwoAssets:
    """The mix of two assets that moves least, by its formula.

    w1 = (s2^2 - r s1 s2) / (s1^2 + s2^2 - 2 r s1 s2), variance s1^2 s2^2 (1 - r^2) / the same.
    Where both move alike every mix does, and the weights are equal.

    Raises:
        InputError: a volatility below 0, a correlation beyond -1 and 1, or a value that is none.

    Examples:
        >>> two_assets(0.2, 0.1, 0.8).weights_long_only
        (0.0, 1.0)
    """
    first, second = volatility_first, volatility_second
    if not (0 <= first < math.inf and 0 <= second < math.inf and -1 <= correlation <= 1):
        raise InputError(
            f"Two volatilities are 0 or more and their correlation is from -1 to 1, not {first:g},"
            f" {second:g} and {correlation:g}."
        )
    apart = first * second * (1.0 - correlation)
    spread = (first - second) ** 2 + 2.0 * apart
    if spread == 0.0:
        even = (0.5, 0.5)
        return TwoAssets(even, first * second, even, first * second, is_corner=False)
    weight = (second * (second - first) + apart) / spread
    other = (first * (first - second) + apart) / spread
    variance = first * second * apart * (1.0 + correlation) / spread
    if weight < 0.0:
        return TwoAssets((weight, other), variance, (0.0, 1.0), second**2, is_corner=True)
    if other < 0.0:
        return TwoAssets((weight, other), variance, (1.0, 0.0), first**2, is_corner=True)
    return TwoAssets((weight, other), variance, (weight, other), variance, is_corner=False)


def optimism(assets: int, observations: int) -> Optimism:
    """How much better than the truth a sample's minimum variance looks, and how much worse it is.

    For independent normal returns, the sample covariance (divisor T - 1) and no bounds: E[fitted] =
    (T - N)/(T - 1) and E[delivered] = (T - 2)/(T - N - 1) of the true least variance. Bounds and
    shrinkage narrow both: with ten assets, twenty periods and no short sales the volatility
    afterwards was 1.35 times the one fitted, not 1.95. So it is the most to fear.

    Source: Kan and Smith (2008), The distribution of the sample minimum-variance frontier; Basak,
    Jagannathan and Ma (2009), Jackknife estimator for tracking error variance.

    Examples:
        >>> [round(ratio, 3) for ratio in optimism(10, 60)]
        [0.847, 1.184]
    """
    if assets < 1 or observations < 1:
        raise InputError(f"There is no portfolio of {assets} assets and {observations} periods.")
    if assets == 1:
        return Optimism(1.0, 1.0)
    spare = observations - assets
    fitted = spare / (observations - 1) if spare >= 0 else None
    return Optimism(fitted, (observations - 2) / (spare - 1) if spare > 1 else None)


def mixes(covariance: Floats, limits: Limits, place: int, points: int = 41) -> Mixes:
    """The risk of mixes with more or less of the asset at *place*, with and without the bounds.

    Raises:
        InputError: as `minimum_variance`.
    """
    unbound = limits._replace(lower=-math.inf, upper=math.inf, groups=())
    best, free = minimize(covariance, limits), minimize(covariance, unbound)
    centre = tuple(round(float(one.weights[place]), _PLACES) for one in (best, free))
    frame = (min(0.0, *centre) - _MARGIN, max(limits.total, *centre) + _MARGIN)
    lower, upper = _reach(limits, len(covariance), place, frame)
    weights = np.unique(np.concatenate((np.linspace(*frame, points), (lower, upper, *centre))))
    inside = (weights >= lower) & (weights <= upper)
    bounded = np.full(len(weights), np.nan)
    bounded[inside] = [_risk(covariance, limits, place, weight) for weight in weights[inside]]
    return Mixes(
        weights=weights,
        volatilities_free=np.array(
            [_risk(covariance, unbound, place, weight) for weight in weights]
        ),
        volatilities=bounded,
        lower=lower,
        upper=upper,
        best_weight=centre[0],
        best_volatility=math.sqrt(max(2.0 * best.objective, 0.0)),
        best_weight_free=centre[1],
        best_volatility_free=math.sqrt(max(2.0 * free.objective, 0.0)),
    )


def _reach(
    limits: Limits, count: int, place: int, frame: tuple[float, float]
) -> tuple[float, float]:
    """The least and the most that the weight at *place* can be, within the frame of the picture."""
    lower, upper = _bounds(limits, count)
    inner = limits._replace(
        lower=_with(lower, place, max(lower[place], frame[0])),
        upper=_with(upper, place, min(upper[place], frame[1])),
    )
    toward = _with(np.zeros(count), place, 1.0)
    nothing = np.zeros((count, count))
    ends = [minimize(nothing, inner, sign * toward).weights[place] for sign in (-1.0, 1.0)]
    return round(float(ends[0]), _PLACES), round(float(ends[1]), _PLACES)


def _risk(covariance: Floats, limits: Limits, place: int, weight: float) -> float:
    """The least volatility with the asset at *place* held at *weight*."""
    lower, upper = _bounds(limits, len(covariance))
    held = limits._replace(lower=_with(lower, place, weight), upper=_with(upper, place, weight))
    return math.sqrt(max(2.0 * minimize(covariance, held).objective, 0.0))


def _bounds(limits: Limits, count: int) -> tuple[Floats, Floats]:
    return (
        np.broadcast_to(np.asarray(limits.lower, np.float64), (count,)),
        np.broadcast_to(np.asarray(limits.upper, np.float64), (count,)),
    )


def _with(values: Floats, place: int, value: float) -> Floats:
    changed = values.copy()
    changed[place] = value
    return changed
