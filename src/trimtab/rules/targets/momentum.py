"""A tilt towards what has risen, within a limit of risk.

The signal is the total return of the months before the last one (Jegadeesh & Titman 1993 for
stocks; nothing of it proves anything for a handful of asset classes, so the tilt is bounded by the
risk that it takes). Only differences of signals matter, and not their scale.

Two limits are offered. `tracking_error`: d'Sd <= TE^2 for the distance d from the mix, which keeps
the mix in charge (Roll 1992). `variance`: w'Sw may be as large as the mix's own and a part more,
which also drags the mix towards least variance, even with nothing more.
"""

import math
from collections.abc import Sequence

import numpy as np

from trimtab.domain.errors import InputError
from trimtab.rules.targets.quadratic import (
    EXACT,
    Group,
    Limits,
    Solution,
    is_bounded,
    is_definite,
    minimize,
    refuse_no_numbers,
)
from trimtab.rules.targets.view import Floats

_EQUAL = 1e-12
"""Signals that differ by less than this part of the largest are equal."""
_ROUNDS_MOST = 200
_STEPS_MOST = 14
_STEP = 8.0
"""The slope *t* grows by this from step to step, so that the last is 4e12 times the first."""
_CLOSE = 1e-13
_RISKLESS = 1e-14
"""Directions whose variance is less than this part of the largest, an asset, have none."""


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
    where they bind, less than *most* may be all there is. Of equal signals the mix nearest to
    *base* by risk is taken, and then the one of least norm. Equal signals alone tilt nothing.
    *covariance* (N, N) and *most* are on the same scale, a year's for instance.

    Raises:
        InputError: a value is not a number, or a mix without any risk gains without end.
    """
    refuse_no_numbers(base, covariance, signal)
    heading = _heading(signal)
    if heading is None or most <= 0.0:
        return base.copy()
    if limits is None:
        direction = _freely(covariance, heading)
        return base + (most / math.sqrt(float(heading @ direction))) * direction
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

    Of equal signals the least variance is taken, and then the least norm.

    *band* is a part of the variance: 0.1 lets it rise by a tenth. Without *limits* weights may be
    of any sign: w = w_mv + t S^-1(s - k1), t = sqrt(((1 + b) w*'Sw* - v_mv) / (s'S^-1(s - k1))).
    Equal signals leave *base*.

    Raises:
        InputError: as `tilted`.
    """
    refuse_no_numbers(base, covariance, signal)
    heading = _heading(signal)
    if heading is None:
        return base.copy()
    most = (1.0 + band) * float(base @ covariance @ base)
    if limits is None:
        least = base + _freely(covariance, -(covariance @ base))
        spare = max(0.0, most - float(least @ covariance @ least))
        direction = _freely(covariance, heading)
        mixed: Floats = least + math.sqrt(spare / float(heading @ direction)) * direction
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


def _freely(covariance: Floats, pull: Floats) -> Floats:
    """The weights y (N,) that add up to zero with the least y'Sy/2 - pull'y: S^-1(pull - k1).

    Where S has no inverse it is enough that it has one on weights that add up to zero; directions
    among them that neither risk nor gain anything are left at zero.

    Raises:
        InputError: a direction without risk gains, so that there is no least.
    """
    count = len(pull)
    if is_definite(covariance):
        table = np.linalg.solve(covariance, np.column_stack([pull, np.ones(count)]))
        free: Floats = table[:, 0] - (table[:, 0].sum() / table[:, 1].sum()) * table[:, 1]
        return free
    centring = np.eye(count) - 1.0 / count
    values, vectors = np.linalg.eigh(centring @ covariance @ centring)
    risky = values > _RISKLESS * count * max(float(values[-1]), 0.0)
    along = vectors.T @ (pull - pull.mean())
    if np.abs(along[~risky]).max(initial=0.0) > EXACT * float(np.abs(pull).max()):
        msg = (
            "the covariance is singular, so that a tilt without bounds has no end: give bounds, or "
            "shrink the estimate"
        )
        raise InputError(msg)
    curved: Floats = vectors[:, risky] @ (along[risky] / values[risky])
    return curved


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

    They minimize x'Sx/2 - t s'x for some t, and sqrt(x'Sx) rises with t. They are linear in t as
    long as the same bounds hold (Markowitz 1956: the critical line), so that between two weights
    held by the same bounds the ones of the wanted risk are exact; until then *t* closes in on
    them. *first* are the weights at t = 0 where they are known.
    """
    low: Floats = first if first is not None else minimize(covariance, limits).weights
    if tracking_error(low, covariance) >= most:
        return low
    left, right, risky = 0.0, most, minimize(covariance, limits, most * heading)
    if tracking_error(risky.weights, covariance) <= most:
        farthest = _farthest(covariance, heading, limits)
        if farthest is not None and tracking_error(farthest, covariance) <= most:
            return farthest
        right, risky = _first_too_risky(covariance, heading, limits, most, risky)
        if tracking_error(risky.weights, covariance) <= most:
            return risky.weights
    high, below = risky.weights, None
    for _ in range(_ROUNDS_MOST):
        part = _part(covariance, low, high, most)
        between = low + part * (high - low)
        middle = left + min(max(part, 0.02), 0.98) * (right - left)
        now = minimize(covariance, limits, middle * heading, risky)
        if tracking_error(now.weights, covariance) > most:
            right, high, risky = middle, now.weights, now
        else:
            left, low, below = middle, now.weights, now
        if below is not None and _is_held_alike(below, risky):
            break
        if heading @ (high - low) <= _CLOSE or right - left <= _CLOSE * right:
            break
        if abs(float(heading @ (between - low))) <= _CLOSE:
            break
    return low + _part(covariance, low, high, most) * (high - low)


def _farthest(covariance: Floats, heading: Floats, limits: Limits) -> Floats | None:
    """The weights of the greatest signal; of these the least risk, and then the least norm.

    None where the bounds of the assets alone do not end them. The weights of the greatest signal
    are those that keep every bound that has a price.
    """
    if not is_bounded(limits):
        return None
    best = minimize(np.zeros_like(covariance), limits, heading)
    fixed = (best.price_lower > EXACT) | (best.price_upper > EXACT)
    if fixed.all():
        return best.weights
    groups = [
        group._replace(
            low=group.high if up > EXACT else group.low,
            high=group.low if down > EXACT else group.high,
        )
        for group, down, up in zip(limits.groups, best.price_low, best.price_high, strict=True)
    ]
    face = limits._replace(
        lower=np.where(fixed, best.weights, limits.lower),
        upper=np.where(fixed, best.weights, limits.upper),
        groups=tuple(groups),
    )
    return minimize(covariance, face).weights


def _first_too_risky(
    covariance: Floats, heading: Floats, limits: Limits, most: float, found: Solution
) -> tuple[float, Solution]:
    """A *t* whose weights are riskier than *most*, and they; or the steepest that was asked.

    *found* are those of the first *t*, which is *most*.
    """
    steep = most
    for _ in range(_STEPS_MOST):
        steep *= _STEP
        found = minimize(covariance, limits, steep * heading, found)
        if tracking_error(found.weights, covariance) > most:
            break
    return steep, found


def _is_held_alike(one: Solution, other: Solution) -> bool:
    """Whether the same bounds hold both."""
    return np.array_equal(one.at, other.at) and np.array_equal(one.group_at, other.group_at)


def _part(covariance: Floats, low: Floats, high: Floats, most: float) -> float:
    """How far from *low* to *high* the risk is *most*."""
    step = high - low
    square, cross = float(step @ covariance @ step), float(low @ covariance @ step)
    short = most * most - float(low @ covariance @ low)
    if square <= 0.0 or short <= 0.0:
        return 0.0
    root = math.sqrt(max(0.0, cross * cross + square * short))
    return min(1.0, max(0.0, short / (cross + root) if cross + root > 0.0 else 0.0))
