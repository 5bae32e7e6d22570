"""From a worked case on momentum to the library's own functions."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from trimtab.rules.targets.momentum import momentum, tilted, tilted_in_band, tracking_error
from trimtab.rules.targets.quadratic import Limits

Answer = Mapping[str, Any]


def momentum_12_1(*, prices: Sequence[float], lookback: int = 12, skip: int = 1) -> Answer:
    return {"signal": momentum([float(one) for one in prices], lookback, skip)}


def tilt_te(*, base: Any, cov: Any, signal: Any, te: Any) -> Answer:
    weights = tilted(_floats(base), _floats(cov), _floats(signal), float(te))
    active = weights - _floats(base)
    return {
        "active": active.tolist(),
        "weights": weights.tolist(),
        "tracking_error": tracking_error(active, _floats(cov)),
    }


def tilt_te_long_only(*, base: Any, cov: Any, signal: Any, te: Any) -> Answer:
    weights = tilted(
        _floats(base), _floats(cov), _floats(signal), float(te), Limits(lower=0.0, upper=1.0)
    )
    active = weights - _floats(base)
    return {
        "weights": weights.tolist(),
        "active": active.tolist(),
        "tracking_error": tracking_error(active, _floats(cov)),
        "signal_gain": float(_floats(signal) @ active),
    }


def tilt_variance_band(*, base: Any, cov: Any, signal: Any, band: Any) -> Answer:
    mix, covariance, signals = _floats(base), _floats(cov), _floats(signal)
    weights = tilted_in_band(mix, covariance, signals, float(band))
    return {
        "weights": weights.tolist(),
        "variance": float(weights @ covariance @ weights),
        "variance_limit": (1.0 + float(band)) * float(mix @ covariance @ mix),
        "signal_gain": float(signals @ (weights - mix)),
    }


def _floats(numbers: Any) -> Any:
    return np.asarray(numbers, dtype=np.float64)


ADAPTERS: Mapping[str, Callable[..., Answer]] = {
    "momentum_12_1": momentum_12_1,
    "tilt_te": tilt_te,
    "tilt_te_long_only": tilt_te_long_only,
    "tilt_variance_band": tilt_variance_band,
}
