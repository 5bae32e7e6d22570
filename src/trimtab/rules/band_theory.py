"""What theory says of bands: how long a class stays inside, how wide costs alone would make them.

And what rebalancing itself adds to growth. All here is float64, for geometric Brownian motion:
rates and volatilities are those of a year and continuously compounded, times are years, and *mu*
is an expected rate (E S_T = S_0 e^(mu T)). None of it decides anything; `drift` does.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trimtab.domain.errors import InputError
from trimtab.rules.ranges import Figure, above_zero, any_finite, at_least_zero, require
from trimtab.rules.targets import covariance as covariances

FloatArray = NDArray[np.float64]
Floats = Sequence[float] | FloatArray

BARRIER_SHIFT = 0.5825971579390106
"""-zeta(1/2) / sqrt(2 pi): deviations of one step by which looks at even distances widen a band.

Source: Broadie, Glasserman & Kou 1997, A continuity correction for discrete barrier options.
"""
_STRAIGHT = 1e-5
"""Where the drift bends the odds by less than this, two terms of their series are exact enough."""


class Part(NamedTuple):
    """One of the two parts of a portfolio: its expected rate and its volatility."""

    mu: float
    sigma: float


class BandExit(NamedTuple):
    """How a weight leaves its band: the chance of either edge, and the mean time in `years`.

    The chances add up to one unless it may never leave; then `years` is infinite.
    """

    upper: float
    lower: float
    years: float


class NoTradeRegion(NamedTuple):
    """The weight that would be best without costs, and the edges of the band around it."""

    merton: float
    half_width: float
    lower: float
    upper: float


def band_exit(
    part: Part,
    rest: Part,
    *,
    correlation: float,
    weight: float,
    band: tuple[float, float],
    years_between_looks: float = 0.0,
) -> BandExit:
    """When the *weight* of *part* first reaches an edge of *band*, if nobody touches the two.

    ln(w / (1 - w)) is a Brownian motion with the drift (mu1 - s1²/2) - (mu2 - s2²/2) and the
    variance s1² + s2² - 2 rho s1 s2. Without pauses between looks the answer is exact. With them a
    weight is seen late: the edges are shifted outward by 0.5826 deviations of one step, which is
    good while a step is small against the band. A weight on an edge is out at once. An edge at 0 or
    1, or beyond, is never reached.

    Source: Karlin & Taylor 1981, A Second Course in Stochastic Processes, section 15.3 (two-sided
    exit); Broadie, Glasserman & Kou 1997 (looks).

    Raises:
        InputError: a negative volatility or time, a correlation beyond 1, or a weight that is not
            between 0 and 1 and inside the band.

    Examples:
        >>> stocks, bonds = Part(0.07, 0.16), Part(0.03, 0.06)
        >>> found = band_exit(stocks, bonds, correlation=0.1, weight=0.6, band=(0.55, 0.65))
        >>> round(found.years, 3), round(found.upper, 3)
        (1.582, 0.599)
    """
    lower, upper = band
    inside = Figure("the weight", weight, 0 < weight < 1, "a fraction above 0 and below 1")
    require(
        *_figures_of(part, "of the part"),
        *_figures_of(rest, "of the rest"),
        Figure("the correlation", correlation, abs(correlation) <= 1, "one from -1 to 1"),
        inside,
        Figure("the lower edge", lower, lower <= weight and lower < upper, "one below the weight"),
        Figure("the upper edge", upper, upper >= weight, "one above the weight"),
        at_least_zero("the time between looks", years_between_looks),
    )
    if weight in band:
        return BandExit(float(weight == upper), float(weight == lower), 0.0)
    drift = (part.mu - part.sigma**2 / 2) - (rest.mu - rest.sigma**2 / 2)
    variance = (part.sigma - rest.sigma) ** 2 + 2 * (1 - correlation) * part.sigma * rest.sigma
    unseen = BARRIER_SHIFT * math.sqrt(variance * years_between_looks)
    up = _logit(upper) - _logit(weight) + unseen
    down = _logit(weight) - _logit(lower) + unseen
    if drift >= 0:
        return _first_exit(drift, variance, up, down)
    mirrored = _first_exit(-drift, variance, down, up)
    return BandExit(upper=mirrored.lower, lower=mirrored.upper, years=mirrored.years)


def no_trade_region(
    mu_excess: float, sigma: float, *, risk_aversion: float, spread: float
) -> NoTradeRegion:
    """The band inside which an investor who pays only the *spread* should not trade.

    Around pi = mu / (gamma s²), by (3 / (4 gamma) pi² (1 - pi)²)^(1/3) spread^(1/3) to both sides,
    for constant relative risk aversion and a long horizon: one risky asset that earns *mu_excess*
    over bills, bought at 1 and sold at 1 - *spread*. The error is of the order of the spread.
    Taxes and fixed costs are not in it; both widen the band. Outside 0 to 1, pi borrows or sells
    short, and the edges are told as they are.

    Source: Gerhold, Guasoni, Muhle-Karbe & Schachermayer 2014, Transaction costs, trading volume,
    and the liquidity premium, theorem 2.2; the cube root: Shreve & Soner 1994.

    Raises:
        InputError: a volatility or risk aversion that is not positive, or a spread that is not
            from 0 to below 1.

    Examples:
        >>> found = no_trade_region(0.08, 0.16, risk_aversion=5, spread=0.01)
        >>> round(found.merton, 4), round(found.lower, 4), round(found.upper, 4)
        (0.625, 0.5815, 0.6685)
    """
    require(
        any_finite("the excess return", mu_excess),
        above_zero("the volatility", sigma),
        above_zero("the risk aversion", risk_aversion),
        Figure("the spread", spread, 0 <= spread < 1, "a fraction of the price from 0 to below 1"),
    )
    merton = mu_excess / risk_aversion / sigma / sigma
    tilt = abs(merton * (1 - merton))
    half_width = math.cbrt(3 / (4 * risk_aversion) * spread * tilt * tilt)
    return NoTradeRegion(merton, half_width, merton - half_width, merton + half_width)


def excess_growth_rate(weights: Floats, covariance: Sequence[Floats] | FloatArray) -> float:
    """What keeping the *weights* constant adds a year to the weighted growth of the parts.

    (sum of w_i s_ii - w'Sw) / 2, with weights (N,) and the covariance (N, N) of a year. What the
    weights leave to 1 is held in bills, without variance. Growth is that of logarithms, so it is
    no gain over the parts bought and held: what is held drifts towards what grew most.

    Source: Fernholz & Shay 1982, Stochastic portfolio theory and stock market equilibrium; Booth
    & Fama 1992, Diversification returns and asset contributions.

    Raises:
        InputError: as many weights are not given as the covariance has assets, one is not finite,
            or no returns can move like the covariance.

    Examples:
        >>> excess_growth_rate([0.5, 0.5], [[0.04, 0.0], [0.0, 0.0]])
        0.005
    """
    matrix = _covariance(covariance)
    held = _row(weights, "weight", len(matrix))
    return float(held @ matrix.diagonal() - held @ matrix @ held) / 2


def constant_mix(
    value: float,
    weights: Floats,
    ratios: Floats,
    *,
    covariance: Sequence[Floats] | FloatArray,
    rate: float,
    years: float,
) -> float:
    """What *value* becomes if the *weights* are kept without pause while prices move by *ratios*.

    V_T = V_0 prod (S_T/S_0)_i^(w_i) exp(((1 - sum of w) r + gamma*) T) with gamma* the
    `excess_growth_rate`: bills at *rate* hold what the weights leave to 1, a negative part being a
    loan. Exact for geometric Brownian motion whatever the path; costs and tax are not in it.

    Source: Perold & Sharpe 1988, Dynamic strategies for asset allocation; Black & Perold 1992
    (CPPI with a floor of zero); for several assets Fernholz & Shay 1982.

    Raises:
        InputError: a negative value, time or ratio, a sale short of what became nothing, or as
            `excess_growth_rate`.

    Examples:
        >>> flat = {"covariance": [[0.2**2]], "rate": 0.0, "years": 1.0}
        >>> round(constant_mix(100.0, [0.5], [1.0], **flat), 4)
        100.5013
    """
    premium = excess_growth_rate(weights, covariance)
    held = np.asarray(weights, dtype=np.float64)
    moved = _row(ratios, "ratio", held.size)
    require(
        at_least_zero("the value", value),
        any_finite("the rate", rate),
        at_least_zero("the time", years),
        *(
            Figure(f"ratio {place}", ratio, ratio > 0 or (ratio == 0 and weight >= 0), _RATIO)
            for place, (ratio, weight) in enumerate(zip(moved, held, strict=True), start=1)
        ),
    )
    taken = held != 0
    with np.errstate(divide="ignore", over="ignore"):
        grown = float(held[taken] @ np.log(moved[taken]))
        earned = ((1 - float(held.sum())) * rate + premium) * years
        return value * float(np.exp(grown + earned)) if value else 0.0


_RATIO = "the last price over the first, not negative, and positive for what is sold short"


def _first_exit(drift: float, variance: float, up: float, down: float) -> BandExit:
    """Of a Brownian motion from 0 between *up* and -*down*, with a *drift* that is not negative.

    In the scale exp(-theta x) with theta = 2 drift / variance it is fair, which gives the chances;
    its mean place at the exit is drift times the mean time.
    """
    if variance == 0 or math.isinf(up) or math.isinf(down):
        return _one_sided_exit(drift, variance, up, down)
    theta, width = 2 * drift / variance, up + down
    if theta * width < _STRAIGHT:
        upper = down / width * (1 + theta * up / 2)
        years = up * down / variance * (1 + theta * (up - down) / 6)
        return BandExit(upper, 1 - upper, years)
    upper = math.expm1(-theta * down) / math.expm1(-theta * width)
    lower = math.exp(-theta * down) * math.expm1(-theta * up) / math.expm1(-theta * width)
    return BandExit(upper, lower, (upper * up - lower * down) / drift)


def _one_sided_exit(drift: float, variance: float, up: float, down: float) -> BandExit:
    """`_first_exit` where one edge cannot be reached: it is infinitely far, or nothing varies."""
    if drift > 0 and math.isfinite(up):
        return BandExit(1.0, 0.0, up / drift)
    if variance == 0:
        return BandExit(0.0, 0.0, math.inf)
    if math.isfinite(up):
        return BandExit(1.0, 0.0, math.inf)
    return BandExit(0.0, math.exp(-2 * drift / variance * down) if drift else 1.0, math.inf)


def _figures_of(part: Part, which: str) -> tuple[Figure, Figure]:
    return (
        any_finite(f"the expected rate {which}", part.mu),
        at_least_zero(f"the volatility {which}", part.sigma),
    )


def _logit(weight: float) -> float:
    """ln(w / (1 - w)); infinite from 0 down and from 1 up."""
    if weight <= 0:
        return -math.inf
    return math.log(weight) - math.log1p(-weight) if weight < 1 else math.inf


def _covariance(given: Sequence[Floats] | FloatArray) -> FloatArray:
    """*given* as a covariance that some returns can have."""
    try:
        matrix = np.asarray(given, dtype=np.float64)
    except ValueError as error:
        raise InputError("the rows of the covariance are not equally long") from error
    if covariances.given(matrix).notes:
        raise InputError(
            "no returns move like this covariance: one mix of the assets would have a variance "
            "below 0; correct it, or take the nearest that covariance.given returns"
        )
    return matrix


def _row(numbers: Floats, name: str, count: int) -> FloatArray:
    row = np.asarray(numbers, dtype=np.float64)
    if row.shape != (count,):
        found = f"not an array of shape {row.shape}"
        raise InputError(f"the number of assets is {count}; write one {name} for each, {found}")
    require(*(any_finite(f"{name} {place}", one) for place, one in enumerate(row, start=1)))
    return row
