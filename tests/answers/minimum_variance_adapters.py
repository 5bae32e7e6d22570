"""From a worked case of minimum variance to the library's own functions."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trimtab.rules.targets.covariance import ShrinkageTarget
from trimtab.rules.targets.covariance import ledoit_wolf as shrunk
from trimtab.rules.targets.minimum_variance import (
    closed_form,
    minimum_variance,
    optimism,
    two_assets,
)
from trimtab.rules.targets.quadratic import Limits

Answer = Mapping[str, Any]


def minvar_two(*, sigma1: Any, sigma2: Any, rho: Any) -> Answer:
    found = two_assets(float(sigma1), float(sigma2), float(rho))
    return {
        "w_unconstrained": list(found.weights),
        "var_unconstrained": found.variance,
        "w_long_only": list(found.weights_long_only),
        "var_long_only": found.variance_long_only,
    }


def minvar_closed(*, cov: Sequence[Sequence[Any]]) -> Answer:
    weights, variance = closed_form(_table(cov))
    return {"weights": weights.tolist(), "variance": variance}


def minvar_box(*, cov: Sequence[Sequence[Any]], lower: Any = 0, upper: Any = None) -> Answer:
    count = len(cov)
    limits = Limits(_bounds(lower, count, -math.inf), _bounds(upper, count, math.inf))
    found = minimum_variance(_table(cov), limits)
    return {
        "weights": found.weights.tolist(),
        "variance": found.variance,
        "volatility": found.volatility,
    }


def minvar_pypfopt(
    *, cov: Sequence[Sequence[Any]], bounds: Sequence[Any] = (0, 1), tickers: Sequence[str] = ()
) -> Answer:
    limits = Limits(
        _bounds(bounds[0], len(cov), -math.inf),
        _bounds(bounds[1], len(cov), math.inf),
        names=tuple(tickers),
    )
    found = minimum_variance(_table(cov), limits)
    return {"volatility": found.volatility, "weights": found.weights.tolist()}


def ledoit_wolf(
    *, returns: Sequence[Sequence[Any]], target: ShrinkageTarget = "scaled_identity"
) -> Answer:
    estimate = shrunk(_table(returns), target=target)
    return {"shrinkage": estimate.shrinkage, "cov": estimate.covariance.tolist()}


def minvar_in_sample_bias(*, n_assets: int, n_obs: int) -> Answer:
    ratios = optimism(int(n_assets), int(n_obs))
    return {"in_sample_ratio": ratios.in_sample, "out_of_sample_ratio": ratios.out_of_sample}


ADAPTERS: dict[str, Callable[..., Answer]] = {
    adapter.__name__: adapter
    for adapter in (
        minvar_two,
        minvar_closed,
        minvar_box,
        minvar_pypfopt,
        ledoit_wolf,
        minvar_in_sample_bias,
    )
}


def _table(rows: Sequence[Sequence[Any]]) -> NDArray[np.float64]:
    return np.array([[float(value) for value in row] for row in rows])


def _bounds(given: Any, count: int, none: float) -> NDArray[np.float64]:
    """One bound for all or one for each, where None does not bind."""
    each = given if isinstance(given, (list, tuple)) else [given] * count
    return np.array([none if value is None else float(value) for value in each])
