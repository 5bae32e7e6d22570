"""What CPPI can lose: the closed form, the risk of a gap, and what real months did to it.

Between two looks the market may fall further than the cushion bears. All here is float64: rates
are continuously compounded for a year unless a docstring says otherwise, times are years, and *mu*
is the expected rate of the risky asset (E S_T = S_0 e^(mu T)).
"""

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trimtab.domain.errors import InputError
from trimtab.domain.numbers import Weight

FloatArray = NDArray[np.float64]
Period = Literal["day", "month"]

WORST_FALLS: dict[Period, tuple[str, str]] = {
    "day": ("0.2261", "the Dow Jones industrial average on 19 October 1987"),
    "month": ("0.2910", "US stocks in September 1931"),
}
"""The worst falls between two looks known for US stocks, exact digits and where.

Day: the close of 19 October 1987 against the one before. Month: Fama-French market factor with
bills, 1926-07 to 2018-11.
"""


class Fall(NamedTuple):
    """A fall between two looks: its `size`, positive, and `where` it was, in words."""

    size: Weight
    where: str


def period_of(look_every_days: int) -> Period:
    """The distance of two looks by which a multiplier is judged; whatever is not daily, by months.

    Examples:
        >>> period_of(1), period_of(5)
        ('day', 'month')
    """
    return "day" if look_every_days <= 1 else "month"


_DUST = 1e-12
"""Less than this, per unit invested, is rounding: a value on its floor is no breach."""


class Market(NamedTuple):
    """A risky asset that follows geometric Brownian motion, beside bills that pay `rate`."""

    mu: float
    sigma: float
    rate: float


class Continuous(NamedTuple):
    """What continuous trading without a cap ends with; `std` is a standard deviation."""

    cushion: float
    terminal: float
    mean: float
    std: float


class GapRisk(NamedTuple):
    """How likely looks at even distances let the value fall through the floor.

    `step` is the chance in one period, `shortfall` that of ending below the guarantee, and
    `expected_shortfall` the mean of guarantee less terminal value where it ends below; None if it
    never does.
    """

    step: float
    shortfall: float
    mean: float
    expected_shortfall: float | None


class Insurance(NamedTuple):
    """CPPI per unit invested: the `floor` at first, and the `cap`, None for no bound.

    The floor earns the safe return; with `keeps` it ratchets to that part of each new high, and
    with `grows` it grows by that part a period.
    """

    multiplier: float
    floor: float
    cap: float | None = 1.0
    keeps: float | None = None
    grows: float | None = None

    @property
    def multiplier_now(self) -> float:
        """The exposure at first as a multiple of the cushion: min(m, cap × value / cushion).

        A fall breaks the floor where it takes more than cushion / exposure, which is 1/m only where
        no cap binds. So this is the m of `gap_risk` until the cushion has changed: the smaller it
        gets, the nearer to m.

        Examples:
            >>> round(Insurance(multiplier=3.0, floor=0.4).multiplier_now, 4)
            1.6667
            >>> Insurance(multiplier=3.0, floor=0.8).multiplier_now
            3.0
        """
        cushion = 1.0 - self.floor
        if self.cap is None or cushion <= 0:
            return self.multiplier
        return min(self.multiplier, self.cap / cushion)


class Paths(NamedTuple):
    """CPPI paths, one a row: `values` and `floors` have one column more than `exposures`."""

    values: FloatArray
    floors: FloatArray
    exposures: FloatArray


class RealGaps(NamedTuple):
    """What all rolling windows of real months would have done.

    `breached` counts the windows in which the value was below the floor at a month's end; `worst`
    is the least terminal value less floor, per unit invested, in the window that begins with month
    number `worst_start`.
    """

    windows: int
    breached: int
    mean_terminal: float
    worst: float
    worst_start: int


def normal_cdf(x: float) -> float:
    """The standard normal distribution function, to 1e-12 of itself also far out in the lower tail.

    Source: Abramowitz & Stegun 7.1.22 and 26.2.29, Phi(x) = erfc(-x / sqrt 2) / 2.

    Examples:
        >>> normal_cdf(0.0), f"{normal_cdf(-10.0):.10e}"
        (0.5, '7.6198530242e-24')
    """
    return math.erfc(-x / math.sqrt(2)) / 2


def continuous(
    value: float, guarantee: float, *, years: float, market: Market, multiplier: float, ratio: float
) -> Continuous:
    """CPPI traded without pause and without a cap, when the risky asset becomes *ratio* fold.

    V_T = G + C_0 exp((r - m (r - s²/2) - m² s²/2) T) (S_T/S_0)^m. Mean and standard deviation are
    those over all ratios; rare paths dominate them. Without a cushion all is in bills.

    Source: Black & Perold 1992; Balder, Brandl & Mahayni 2009.

    Raises:
        InputError: a negative time, volatility, multiplier or ratio.
    """
    _refuse_negative(
        {"time": years, "volatility": market.sigma, "multiplier": multiplier, "ratio": ratio}
    )
    m, r, variance = multiplier, market.rate, market.sigma**2
    cushion = value - guarantee * _exp(-r * years)
    if cushion <= 0:
        grown = value * _exp(r * years)
        return Continuous(cushion, grown, grown, 0.0)
    drag = r - m * (r - variance / 2) - m**2 * variance / 2
    expected = cushion * _exp((r + m * (market.mu - r)) * years)
    return Continuous(
        cushion=cushion,
        terminal=guarantee + cushion * _exp(drag * years) * _power(ratio, m),
        mean=guarantee + expected,
        std=expected * math.sqrt(_expm1(m**2 * variance * years)),
    )


def gap_risk(
    value: float, guarantee: float, *, years: float, steps: int, market: Market, multiplier: float
) -> GapRisk:
    """CPPI without a cap that looks *steps* times in *years* and stays in bills after a breach.

    One period breaches with p = Phi(-d2), where
    d2 = (ln(m / (m - 1)) + (mu - r - s²/2) dt) / (s sqrt dt),
    and the whole with 1 - (1 - p)^n, whatever the guarantee. A multiplier up to 1 never breaches.
    Without a cushion all is in bills from the start.

    Source: Balder, Brandl & Mahayni 2009, the simple discrete-time CPPI.

    Raises:
        InputError: no step; a negative time, volatility or multiplier.
    """
    _refuse_negative({"time": years, "volatility": market.sigma, "multiplier": multiplier})
    if steps < 1:
        msg = f"CPPI looks {steps} times; write at least 1"
        raise InputError(msg)
    apart = years / steps
    cushion = value - guarantee * _exp(-market.rate * years)
    d2 = _distance(multiplier, market, apart)
    step = normal_cdf(-d2)
    bills = _exp(market.rate * apart)
    if cushion <= 0:
        grown = value * _exp(market.rate * years)
        short = guarantee - grown if cushion < 0 else None
        return GapRisk(step, 0.0 if short is None else 1.0, grown, short)
    d1 = d2 + market.sigma * math.sqrt(apart)
    risky, safe = multiplier * _exp(market.mu * apart), (multiplier - 1) * bills
    kept = risky * normal_cdf(d1) - safe * normal_cdf(d2)
    lost = risky * normal_cdf(-d1) - safe * normal_cdf(-d2)
    fallen = cushion * lost * _sum_of_powers(kept, bills, steps)
    shortfall = -math.expm1(steps * math.log1p(-step)) if step < 1 else 1.0
    return GapRisk(
        step=step,
        shortfall=shortfall,
        mean=guarantee + cushion * _power(kept, steps) + fallen,
        expected_shortfall=-fallen / shortfall if shortfall > 0 else None,
    )


def jump_gap(
    *, jumps_yearly: float, years: float, multiplier: float, jump_mean: float, jump_std: float
) -> tuple[float, float]:
    """The chance that one jump is a gap, and that some jump in *years* is, trading without pause.

    Jumps come *jumps_yearly* times a year and their logarithm is normal with *jump_mean* and
    *jump_std* (Merton 1976). The floor breaks when one falls by more than 1/m:
    P = 1 - exp(-lambda T P(J < ln(1 - 1/m))).

    Source: Cont & Tankov 2009.

    Raises:
        InputError: a negative number of jumps, time, multiplier or standard deviation.
    """
    _refuse_negative(
        {
            "number of jumps": jumps_yearly,
            "time": years,
            "multiplier": multiplier,
            "standard deviation of a jump": jump_std,
        }
    )
    if multiplier <= 1:
        return 0.0, 0.0
    room = math.log1p(-1 / multiplier) - jump_mean
    gap = normal_cdf(room / jump_std) if jump_std > 0 else float(room > 0)
    return gap, -math.expm1(-jumps_yearly * years * gap)


def simulate(risky_returns: FloatArray, safe_returns: FloatArray, rule: Insurance) -> Paths:
    """CPPI from a value of 1 along rows of simple returns, shape (paths, periods).

    The float64 twin of `cppi.path`, for many paths at once.

    Raises:
        InputError: the two arrays have not the same shape, or a return is missing.
    """
    if risky_returns.shape != safe_returns.shape or risky_returns.ndim != 2:  # noqa: PLR2004  rows of periods
        msg = (
            f"risky returns have the shape {risky_returns.shape} and safe ones "
            f"{safe_returns.shape}; give both as paths by periods"
        )
        raise InputError(msg)
    if not (np.isfinite(risky_returns).all() and np.isfinite(safe_returns).all()):
        msg = "a return for CPPI is missing or not finite; leave out the periods without data"
        raise InputError(msg)
    paths, periods = risky_returns.shape
    values, floors = np.ones((paths, periods + 1)), np.full((paths, periods + 1), rule.floor)
    exposures = np.zeros((paths, periods))
    for period in range(periods):
        now, safe = values[:, period], safe_returns[:, period]
        wanted = rule.multiplier * (now - floors[:, period])
        risked = np.maximum(wanted if rule.cap is None else np.minimum(wanted, rule.cap * now), 0.0)
        later = risked * (1 + risky_returns[:, period]) + (now - risked) * (1 + safe)
        exposures[:, period], values[:, period + 1] = risked, later
        floor = floors[:, period]
        if rule.keeps is not None:
            floors[:, period + 1] = np.maximum(floor, rule.keeps * later)
        else:
            floors[:, period + 1] = floor * (1 + (safe if rule.grows is None else rule.grows))
    return Paths(values, floors, exposures)


def real_gaps(
    risky_returns: FloatArray, safe_returns: FloatArray, rule: Insurance, *, months: int
) -> RealGaps:
    """CPPI in every window of *months* consecutive months of real simple returns, one look a month.

    Each window begins anew with a value of 1. Overlapping windows are not independent: the share
    of windows that breached describes the past and is no probability.

    Raises:
        InputError: fewer months than one window has, or none in a window; as `simulate`.
    """
    if not 1 <= months <= len(risky_returns) or risky_returns.shape != safe_returns.shape:
        msg = (
            f"windows of {months} months do not fit into {len(risky_returns)} risky and "
            f"{len(safe_returns)} safe returns; give as many of both and a shorter window"
        )
        raise InputError(msg)
    windows = np.lib.stride_tricks.sliding_window_view
    paths = simulate(windows(risky_returns, months), windows(safe_returns, months), rule)
    above = paths.values[:, -1] - paths.floors[:, -1]
    return RealGaps(
        windows=len(above),
        breached=int((paths.values < paths.floors - _DUST).any(axis=1).sum()),
        mean_terminal=float(paths.values[:, -1].mean()),
        worst=float(above.min()),
        worst_start=int(above.argmin()),
    )


def _distance(multiplier: float, market: Market, apart: float) -> float:
    """d2: how many standard deviations one period is from a breach; infinite if it cannot come."""
    if multiplier <= 1:
        return math.inf
    room = -math.log1p(-1 / multiplier) + (market.mu - market.rate - market.sigma**2 / 2) * apart
    spread = market.sigma * math.sqrt(apart)
    if spread > 0:
        return room / spread
    return math.inf if room >= 0 else -math.inf


def _sum_of_powers(kept: float, bills: float, steps: int) -> float:
    """The sum over k from 0 of kept^k bills^(n-1-k): breached in period k, in bills after it."""
    number = np.arange(steps, dtype=np.float64)
    with np.errstate(over="ignore", under="ignore"):
        return float(np.sum(np.power(kept, number) * np.power(bills, steps - 1 - number)))


def _power(base: float, exponent: float) -> float:
    """base^exponent, infinite where float64 cannot hold it."""
    with np.errstate(over="ignore", under="ignore"):
        return float(np.power(base, exponent))


def _exp(x: float) -> float:
    """e^x, infinite where float64 cannot hold it."""
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def _expm1(x: float) -> float:
    try:
        return math.expm1(x)
    except OverflowError:
        return math.inf


def _refuse_negative(numbers: dict[str, float]) -> None:
    for name, number in numbers.items():
        if not number >= 0:
            msg = f"the {name} for CPPI is {number}; write a number that is not negative"
            raise InputError(msg)
