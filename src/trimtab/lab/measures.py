"""How it went: returns free of flows, falls, distance from a benchmark, and what tax leaves.

Everything here is float64: figures to read, never amounts to book. Rates are fractions, returns are
simple and per period unless their name says otherwise. A measure that is not defined is None.
"""

import math
from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from trimtab.domain.errors import InputError

FloatArray = NDArray[np.float64]
Floats = Sequence[float] | FloatArray

DAYS_PER_YEAR = 365
"""A year is counted as 365 days (ACT/365 fixed), so that a leap year is a little more than one."""
_ROUNDING = 1e-15
"""A deviation below this part of the numbers it is of is none."""
_LOG_RATE_MAX = 700.0
"""Beyond it 1 + rate is no float64."""


class TimeWeighted(Struct, frozen=True, kw_only=True):
    """Returns with the flows taken out.

    `period_returns` are one fewer than the values; `unit_values` as many, from 1. From the first
    period whose return is not defined, unit values and the `total` are None.
    """

    period_returns: tuple[float | None, ...]
    unit_values: tuple[float | None, ...]
    total: float | None


class Drawdown(Struct, frozen=True, kw_only=True):
    """The deepest fall from a peak: a fraction, zero or negative, and the places, from 0.

    `recovery` is the first place after the trough that is as high as the peak, None if none is.
    """

    depth: float
    peak: int
    trough: int
    recovery: int | None


class ActiveReturn(Struct, frozen=True, kw_only=True):
    """Portfolio less benchmark: the mean per period, its annual deviation, and their ratio."""

    mean: float
    tracking_error: float | None
    information_ratio: float | None


class RiskAdjusted(Struct, frozen=True, kw_only=True):
    """Annual Sharpe and Sortino ratios, and the downside deviation per period."""

    sharpe: float | None
    downside_deviation: float
    sortino: float | None


class Liquidation(Struct, frozen=True, kw_only=True):
    """What is left once everything is sold: money, and the return a year after tax.

    A negative `tax` is what a loss saves. `annual_return` is None where less than a year may not be
    annualized or nothing is left.
    """

    value_before_tax: float
    tax: float
    value_after_tax: float
    total_return: float | None
    annual_return: float | None


def time_weighted_return(values: Floats, flows: Floats) -> TimeWeighted:
    """Linked returns of a portfolio with flows at the end of each period.

    *values* are those after the flow of the same place, *flows* are positive into the portfolio;
    the first flow is part of the first value. `r_k = (V_k - F_k) / V_(k-1) - 1`. A period that
    begins and ends with nothing has a return of zero; one that begins with nothing or less, or ends
    with debts, has none. Unit values are those of the circuit breaker: a withdrawal is no loss.

    Source: GIPS, true time-weighted return.

    Raises:
        InputError: the lengths differ, nothing is given, or a number is not finite.

    Examples:
        >>> time_weighted_return([100, 160, 144], [0, 50, 0]).period_returns
        (0.10000000000000009, -0.09999999999999998)
    """
    worth, moved = _series(values, "values"), _series(flows, "flows")
    _require_equal_length(worth, moved, "values and flows")
    returns: list[float | None] = []
    units: list[float | None] = [1.0]
    for before, now, flow in zip(worth, worth[1:], moved[1:], strict=False):
        one = _period_return(float(before), float(now - flow))
        returns.append(one)
        last = units[-1]
        units.append(None if one is None or last is None else last * (1.0 + one))
    end = units[-1]
    return TimeWeighted(
        period_returns=tuple(returns),
        unit_values=tuple(units),
        total=None if end is None else end - 1.0,
    )


def compound(returns: Floats) -> float:
    """The total return of simple *returns*, one after the other.

    Examples:
        >>> compound([0.5, -0.5])
        -0.25
    """
    return float(np.prod(1.0 + np.asarray(returns, dtype=np.float64)) - 1.0)


def annualize(
    total_return: float, years: float, *, even_under_one_year: bool = False
) -> float | None:
    """*total_return* of so many *years* as a rate a year; None for less than one year.

    A return of less than a year is not to be annualized (GIPS 2010, 5.A.4): it would claim that the
    rest of the year goes on alike. It is done only where a caller asks for it by name. A loss of
    everything is -1 a year; more than that has no rate, nor has what is too large for a number.

    Examples:
        >>> annualize(0.05, 0.5) is None
        True
        >>> round(annualize(0.21, 2.0), 12)
        0.1
    """
    if years <= 0 or total_return < -1 or (years < 1 and not even_under_one_year):
        return None
    if total_return == -1:
        return -1.0
    growth = math.log1p(total_return) / years
    return math.expm1(growth) if growth < _LOG_RATE_MAX else None


def max_drawdown(values: Floats) -> Drawdown:
    """The deepest fall of *values*, which are unit values: with flows in them it is none.

    `min_t (V_t / max_(s <= t) V_s - 1)`; of equal falls the first, and of equal peaks the first.

    Raises:
        InputError: nothing is given, a number is not finite, or the first is not positive.

    Examples:
        >>> max_drawdown([100, 80, 90, 120])
        Drawdown(depth=-0.19999999999999996, peak=0, trough=1, recovery=3)
    """
    worth = _series(values, "values")
    falls = drawdowns(worth)
    trough = int(np.argmin(falls))
    peak = int(np.argmax(worth[: trough + 1]))
    back = np.flatnonzero(worth[trough:] >= worth[peak])
    return Drawdown(
        depth=float(falls[trough]) + 0.0,
        peak=peak,
        trough=trough,
        recovery=trough + int(back[0]) if back.size else None,
    )


def drawdowns(values: Floats) -> FloatArray:
    """How far each of *values* is below the highest so far, as fractions, zero or negative."""
    worth = _series(values, "values")
    if worth[0] <= 0:
        raise InputError(f"the first value is {worth[0]}: a fall is measured from a positive one")
    fallen: FloatArray = worth / np.maximum.accumulate(worth) - 1.0
    return fallen


def active_return(portfolio: Floats, benchmark: Floats, periods_per_year: float) -> ActiveReturn:
    """How far *portfolio* went from *benchmark*, both simple returns of the same periods.

    Tracking error: the sample deviation (divisor n - 1) of the differences, times the root of the
    periods in a year; the ratio is the annual mean over it. The ratio is None without deviation,
    both are None for fewer than two periods.

    Raises:
        InputError: the lengths differ, nothing is given, or a number is not finite.
    """
    ours, theirs = _series(portfolio, "portfolio"), _series(benchmark, "benchmark")
    _require_equal_length(ours, theirs, "portfolio and benchmark")
    active = ours - theirs
    mean = float(active.mean())
    deviation = _sample_deviation(active, max(_largest(ours), _largest(theirs)))
    error = None if deviation is None else deviation * math.sqrt(periods_per_year)
    return ActiveReturn(
        mean=mean,
        tracking_error=error,
        information_ratio=mean * periods_per_year / error if error else None,
    )


def risk_adjusted(
    returns: Floats, riskless: float, periods_per_year: float, least_acceptable: float
) -> RiskAdjusted:
    """Sharpe and Sortino ratios of simple *returns*; the two rates are per period, too.

    Sharpe (1994): mean excess over its sample deviation (divisor n - 1). Sortino: mean above what
    is *least_acceptable* over the root of the mean squared shortfall, which divides by all periods
    and not by the number of losses. Both times the root of the periods in a year, which is right
    for returns that do not depend on each other (Lo 2002). A ratio without risk is None.

    Raises:
        InputError: nothing is given, or a number is not finite.
    """
    series = _series(returns, "returns")
    deviation = _sample_deviation(series - riskless, max(_largest(series), abs(riskless)))
    root = math.sqrt(periods_per_year)
    shortfall = np.minimum(series - least_acceptable, 0.0)
    downside = math.sqrt(float(np.mean(shortfall**2)))
    return RiskAdjusted(
        sharpe=float(series.mean() - riskless) / deviation * root if deviation else None,
        downside_deviation=downside,
        sortino=float(series.mean() - least_acceptable) / downside * root if downside else None,
    )


def liquidation(
    *,
    value_start: float,
    value_end: float,
    basis: float,
    rate: float,
    years: float,
    even_under_one_year: bool = False,
) -> Liquidation:
    """The after-tax return if all is sold at the end, without distributions on the way.

    Tax is *rate* times the gain over *basis*; a loss is taken to be of full use and brings money
    back. The return is on *value_start*.

    Source: SEC Form N-1A, Item 26(b)(3), simplified.

    Raises:
        InputError: *value_start* is not positive.
    """
    if not value_start > 0:
        raise InputError(f"the value at the start is {value_start}: a return needs a positive one")
    tax = rate * (value_end - basis)
    left = value_end - tax
    total = left / value_start - 1.0
    return Liquidation(
        value_before_tax=value_end,
        tax=tax,
        value_after_tax=left,
        total_return=total,
        annual_return=annualize(total, years, even_under_one_year=even_under_one_year),
    )


def harvest_benefit(
    *, loss: float, rate_now: float, rate_later: float, growth: float, years: float
) -> float:
    """What taking a *loss* (positive) now is worth after *years*, in money of then.

    `t0 L [(1+g)^n - t1 ((1+g)^n - 1)] - t1 L`: the tax saved at *rate_now* is invested and its
    growth taxed at *rate_later*, and the lower basis is taxed at *rate_later* in the end. Negative
    where the later rate is the higher one: then harvesting hurts. Price return only.

    Source: the identity of two portfolios; Constantinides (1983).

    Raises:
        InputError: the growth loses everything.

    Examples:
        >>> harvest_benefit(loss=10_000, rate_now=0.0, rate_later=0.15, growth=0.06, years=10)
        -1500.0
    """
    if not growth > -1:
        raise InputError(f"a growth of {growth} a year leaves nothing: write 0.06 for 6 %")
    grown = math.exp(years * math.log1p(growth))
    return rate_now * loss * (grown - rate_later * (grown - 1.0)) - rate_later * loss


def turnover(bought: float, sold: float, values: Floats) -> float | None:
    """The lesser of purchases and sales over the mean of *values*; per the time they cover.

    Money; *values* are those of the month ends. None where the mean is not positive.

    Source: SEC Form N-1A, Item 13(a), instruction 4(d).

    Raises:
        InputError: nothing is given, or a number is not finite.
    """
    mean = float(_series(values, "values").mean())
    return min(bought, sold) / mean if mean > 0 else None


def one_way_turnover(weights_before: Floats, weights_after: Floats) -> float:
    """Half the sum of what every weight moved: what was sold, as a fraction of the whole.

    Raises:
        InputError: the lengths differ, nothing is given, or a number is not finite.
    """
    before, after = _series(weights_before, "weights"), _series(weights_after, "weights")
    _require_equal_length(before, after, "weights before and after")
    return float(np.abs(after - before).sum()) / 2.0


def _period_return(before: float, now: float) -> float | None:
    """The return of one period, its flow already taken out of *now*."""
    if before == 0 and now == 0:
        return 0.0
    if before <= 0 or now < 0:
        return None
    return now / before - 1.0


def _sample_deviation(series: FloatArray, scale: float) -> float | None:
    """The deviation with divisor n - 1; None for fewer than two.

    Zero where only the rounding of numbers as large as *scale* differs.
    """
    if series.size < 2:  # noqa: PLR2004  one observation has no deviation
        return None
    deviation = float(series.std(ddof=1))
    return 0.0 if deviation <= _ROUNDING * scale else deviation


def _largest(series: FloatArray) -> float:
    return float(np.abs(series).max())


def _series(numbers: Floats, name: str) -> FloatArray:
    series = np.asarray(numbers, dtype=np.float64)
    if series.ndim != 1 or series.size == 0:
        raise InputError(f"the {name} are no list of numbers: give one for each period")
    bad = np.flatnonzero(~np.isfinite(series))
    if bad.size:
        where = f"{name}[{bad[0]}] is {series[bad[0]]}"
        raise InputError(f"{where}: fill or leave out what is missing before measuring")
    return series


def _require_equal_length(one: FloatArray, other: FloatArray, names: str) -> None:
    if one.size != other.size:
        raise InputError(f"{names} are {one.size} and {other.size} numbers: give as many of each")
