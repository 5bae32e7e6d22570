"""How likely CPPI with a cap, and any floor, is to break it: the rule's own steps, no closed form.

Between two looks the value per unit of floor changes by the market's return alone, so it is a
Markov chain in one number, and the chance is had backwards from the last look. Rates are
continuously compounded for a year, as in `cppi_risk`.

Source: Paulot and Lacroze (2011), One-dimensional pricing of CPPI, Applied Mathematical Finance 18.
"""

import math

import numpy as np

from trimtab.rules.targets.cppi_risk import FloatArray, Insurance, Market, normal_cdf

_POINTS, _SHOCKS = 400, 161
"""Four times as many of both changed no chance by more than half a percent of itself or 2e-6."""
_FAR = 8.0
"""Standard deviations: beyond them lies a chance of 1e-15."""
_CUSHION_LEAST = 1e-7
"""Per unit of floor; with less than that the chance is the same."""
_FLOOR_LEAST = 1e-9
"""Per unit of value; less is none."""
_SPREAD_LEAST = 1e-9
"""A market that stands still moves by this, which is rounding."""


def gap_chance(rule: Insurance, *, years: float, steps: int, market: Market) -> float:
    """The chance that a value of 1 falls below its floor at one of *steps* looks in *years*.

    The limit of ever more paths of `simulate` along geometric Brownian motion, with safe returns at
    the market's rate; without a cap, and with a floor that earns that rate, `gap_risk`.

    Examples:
        >>> still = Market(mu=0.0, sigma=0.2, rate=0.0)
        >>> round(gap_chance(Insurance(8.0, 0.8), years=1, steps=12, market=still), 3)
        0.039
    """
    if rule.floor >= 1.0:
        return float(rule.floor > 1.0)
    apart = years / steps
    spread = max(market.sigma * math.sqrt(apart), _SPREAD_LEAST)
    drift = (market.mu - market.sigma**2 / 2) * apart
    bills = math.exp(market.rate * apart)
    at_first = 1.0 / max(rule.floor, _FLOOR_LEAST)
    ratios = _ratios(at_first, market.sigma, years)
    most = math.inf if rule.cap is None else rule.cap
    risked = np.clip(rule.multiplier * (ratios - 1.0), 0.0, most * ratios)
    kept = (ratios - risked) * bills
    grown = _growth(rule, bills)
    breaks = _below(grown - kept, risked, drift, spread)
    shocks = np.linspace(-_FAR, _FAR, _SHOCKS)
    weights = np.exp(-(shocks**2) / 2)
    weights /= weights.sum()
    after = (risked[:, None] * np.exp(drift + spread * shocks) + kept[:, None]) / grown
    if rule.keeps is not None and rule.keeps > 0:
        after = np.minimum(after, 1.0 / rule.keeps)
    places, known = _logs(after), _logs(ratios)
    chance = np.zeros(len(ratios))
    for _ in range(steps):
        expected = np.interp(places, known, chance) @ weights
        chance = expected + breaks * (1.0 - chance[0])
    return float(np.interp(_logs(np.array([at_first])), known, chance)[0])


def _growth(rule: Insurance, bills: float) -> float:
    """What a floor of one becomes in a period, but for a ratchet that moves."""
    if rule.keeps is not None:
        return 1.0
    return bills if rule.grows is None else 1.0 + rule.grows


def _ratios(at_first: float, sigma: float, years: float) -> FloatArray:
    """Values per unit of floor, from the floor itself to what is out of reach; evenly in logs."""
    most = (at_first - 1.0) * math.exp(_FAR * sigma * math.sqrt(years))
    return 1.0 + np.geomspace(_CUSHION_LEAST, max(most, 1.0), _POINTS)


def _below(least: FloatArray, risked: FloatArray, drift: float, spread: float) -> FloatArray:
    """The chance that what is *risked* becomes less than *least*, place by place."""
    with np.errstate(divide="ignore", invalid="ignore"):
        room = np.log(np.maximum(least, 0.0) / risked)
    return np.array([normal_cdf((one - drift) / spread) for one in room.tolist()])


def _logs(ratios: FloatArray) -> FloatArray:
    """The logarithm of the cushion per unit of floor."""
    return np.log(np.maximum(ratios - 1.0, _CUSHION_LEAST))
