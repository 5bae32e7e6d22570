"""A tilt towards what has risen, within a limit of risk.

The signal is the total return of the months before the last one (Jegadeesh & Titman 1993 for
stocks; nothing of it proves anything for a handful of asset classes, so the tilt is bounded by the
risk that it takes). Only differences of signals matter, and not their scale.

Two limits are offered. `tracking_error`: d'Sd <= TE^2 for the distance d from the mix, which keeps
the mix in charge (Roll 1992). `variance`: w'Sw may be as large as the mix's own and a part more,
which also drags the mix towards least variance, even with nothing more.
"""

import datetime as dt
import math
from collections.abc import Sequence

import numpy as np

from trimtab.domain.errors import InputError
from trimtab.rules.targets.quadratic import Group, Limits, Solution, minimize
from trimtab.rules.targets.view import Floats

_EQUAL = 1e-12
"""Signals that differ by less than this part of the largest are equal."""
_ROUNDS_MOST = 200
_STEEPEST = 1e12
_CLOSE = 1e-13


def momentum(prices: Sequence[float] | Floats, months: int = 12, skip: int = 1) -> float:
    """The return from *months* ago to *skip* months ago; the last of *prices* is now.

    *prices* are month-end total-return prices, oldest first, at least *months* + 1 of them. With
    12 and 1 these are eleven monthly returns: the last month, in which losers bounce, is left out.

    Raises:
        InputError: there are too few prices, or *skip* leaves nothing.

    Examples:
        >>> round(momentum([100, 102, 101, 105, 107, 104, 110, 112, 111, 115, 118, 120, 117]), 9)
        0.2
    """
    if not 0 <= skip < months:
        msg = f"momentum over {months} months cannot skip {skip}; skip fewer months"
        raise InputError(msg)
    if len(prices) < months + 1:
        msg = f"momentum over {months} months needs {months + 1} month-ends, not {len(prices)}"
        raise InputError(msg)
    return float(prices[-1 - skip]) / float(prices[-1 - months]) - 1.0


def month_ends(sessions: Sequence[dt.date], returns: Floats) -> Floats:
    """Total-return prices (M + 1, N) at the ends of the calendar months that are over.

    *returns* (T, N) are from session to session; the first price is one, before the first return.
    A month is over once a session of a later one is there, so the last month never counts.
    """
    index = np.vstack([np.ones(returns.shape[1]), np.cumprod(1.0 + returns, axis=0)])
    ends = [
        row + 1
        for row in range(len(sessions) - 1)
        if (sessions[row].year, sessions[row].month)
        != (sessions[row + 1].year, sessions[row + 1].month)
    ]
    return index[ends]


def tracking_error(active: Floats, covariance: Floats) -> float:
    """The tracking error of the weights *active* (N,) beside a mix, on the covariance's scale."""
    return math.sqrt(max(0.0, float(active @ covariance @ active)))


def tilted(
    base: Floats,
    covariance: Floats,
    signal: Floats,
    most: float,
    limits: Limits | None = None,
) -> Floats:
    """*base* (N,) tilted along *signal* (N,) up to the tracking error *most*.

    Without *limits* weights may be of any sign: d = TE S^-1(s - k1) / sqrt(s'S^-1(s - k1)), with
    k = 1'S^-1 s / 1'S^-1 1. Within *limits* it is the mix of the greatest signal that keeps them;
    where they bind, less than *most* may be all there is. Equal signals tilt nothing. *covariance*
    (N, N) and *most* are on the same scale, a year's for instance.
    """
    heading = _heading(signal)
    if heading is None or most <= 0.0:
        return base.copy()
    if limits is None:
        direction, gain = _freely(covariance, heading)
        return base + (most / math.sqrt(gain)) * direction
    around = _shifted(limits, base)
    still = np.zeros(len(base))
    return base + _climbed(covariance, heading, around, most, still)


def tilted_in_band(
    base: Floats,
    covariance: Floats,
    signal: Floats,
    band: float,
    limits: Limits | None = None,
) -> Floats:
    """The mix of the greatest *signal* (N,) whose variance is at most that of *base* and *band*.

    *band* is a part of the variance: 0.1 lets it rise by a tenth. Without *limits* weights may be
    of any sign: w = w_mv + t S^-1(s - k1), t = sqrt(((1 + b) w*'Sw* - v_mv) / (s'S^-1(s - k1))).
    Equal signals leave *base*.
    """
    heading = _heading(signal)
    if heading is None:
        return base.copy()
    most = (1.0 + band) * float(base @ covariance @ base)
    if limits is None:
        inverse = _solved(covariance, np.ones(len(base)))
        least = inverse / inverse.sum()
        spare = max(0.0, most - 1.0 / float(inverse.sum()))
        direction, gain = _freely(covariance, heading)
        mixed: Floats = least + math.sqrt(spare / gain) * direction
        return mixed
    return _climbed(covariance, heading, limits, math.sqrt(most), None)


def _heading(signal: Floats) -> Floats | None:
    """The differences of the signals, the largest of them one; None where they are equal."""
    signal = np.asarray(signal, dtype=np.float64)
    apart: Floats = signal - signal.mean()
    size = float(np.abs(apart).max(initial=0.0))
    if size <= _EQUAL * max(float(np.abs(signal).max(initial=0.0)), 1e-300):
        return None
    heading: Floats = apart / size
    return heading


def _freely(covariance: Floats, heading: Floats) -> tuple[Floats, float]:
    """S^-1(s - k1), whose weights add up to zero, and s'S^-1(s - k1)."""
    ones = np.ones(len(heading))
    table = _solved(covariance, np.column_stack([heading, ones]))
    kept = float(table[:, 0].sum() / table[:, 1].sum())
    direction = table[:, 0] - kept * table[:, 1]
    return direction, float(heading @ direction)


def _solved(covariance: Floats, right: Floats) -> Floats:
    try:
        return np.linalg.solve(covariance, right).astype(np.float64, copy=False)
    except np.linalg.LinAlgError:
        msg = (
            "the covariance is singular, so that a tilt without bounds has no end: give bounds, or "
            "shrink the estimate"
        )
        raise InputError(msg) from None


def _shifted(limits: Limits, base: Floats) -> Limits:
    """*limits* of weights as limits of what is added to *base*."""
    groups = []
    for group in limits.groups:
        held = float(base[list(group.members)].sum())
        groups.append(Group(group.name, group.members, group.low - held, group.high - held))
    return Limits(
        lower=np.minimum(0.0, limits.lower - base),
        upper=np.maximum(0.0, limits.upper - base),
        groups=tuple(groups),
        total=0.0,
        names=limits.names,
    )


def _climbed(
    covariance: Floats, heading: Floats, limits: Limits, most: float, first: Floats | None
) -> Floats:
    """Within *limits*, the weights x of the greatest s'x with sqrt(x'Sx) <= *most*.

    They minimize x'Sx/2 - t s'x for some t (Markowitz 1956: the critical line), and sqrt(x'Sx)
    rises with t; between two weights that are known the one of the wanted risk is told exactly, and
    *t* closes in on it. *first* are the weights at t = 0 where they are known.
    """
    low: Floats = first if first is not None else minimize(covariance, limits).weights
    steep, high, reached = _first_too_risky(covariance, heading, limits, most)
    if high is None:
        return reached.weights
    left, right = 0.0, steep
    for _ in range(_ROUNDS_MOST):
        part = _part(covariance, low, high, most)
        between = low + part * (high - low)
        middle = left + min(max(part, 0.02), 0.98) * (right - left)
        now = minimize(covariance, limits, middle * heading, reached).weights
        if tracking_error(now, covariance) > most:
            right, high = middle, now
        else:
            left, low = middle, now
        if heading @ (high - low) <= _CLOSE or right - left <= _CLOSE * right:
            break
        if abs(float(heading @ (between - low))) <= _CLOSE:
            break
    return low + _part(covariance, low, high, most) * (high - low)


def _first_too_risky(
    covariance: Floats, heading: Floats, limits: Limits, most: float
) -> tuple[float, Floats | None, Solution]:
    """A *t* whose weights are riskier than *most*, and they; none where no such weights are."""
    steep = most
    found = minimize(covariance, limits, steep * heading)
    while tracking_error(found.weights, covariance) <= most:
        if steep > _STEEPEST * most:
            return steep, None, found
        steep *= 8.0
        found = minimize(covariance, limits, steep * heading, found)
    return steep, found.weights, found


def _part(covariance: Floats, low: Floats, high: Floats, most: float) -> float:
    """How far from *low* to *high* the risk is *most*."""
    step = high - low
    square, cross = float(step @ covariance @ step), float(low @ covariance @ step)
    short = most * most - float(low @ covariance @ low)
    if square <= 0.0 or short <= 0.0:
        return 0.0
    root = math.sqrt(max(0.0, cross * cross + square * short))
    return min(1.0, max(0.0, short / (cross + root) if cross + root > 0.0 else 0.0))
