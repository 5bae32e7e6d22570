"""Money-weighted returns: the rate at which the flows of an investor balance, or why there is none.

A rate balances flows where their present value is zero. That equation can have no root or several,
and which one is meant cannot be guessed: the answer says so and gives them all.
"""

import datetime as dt
import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from trimtab.domain.errors import InputError
from trimtab.lab.measures import DAYS_PER_YEAR

FloatArray = NDArray[np.float64]
Status = Literal["rate", "undefined", "several"]

_ROUNDING = 1e-14
"""A present value below this part of its terms is zero: that of a root which only touches."""
_TIME_PLACES = 12
"""Times that are nearer than this part of a period are one, so that a middle is between them."""
_LOG_RATE_MAX = 700.0
"""Beyond it 1 + rate is no float64."""


class RateOfReturn(Struct, frozen=True, kw_only=True):
    """The rates, in rising order, that balance the flows; `rate` where there is one and no other.

    `sentence` says why there is no such rate; it is empty where there is one. `years` is the time
    from the first flow to the last.
    """

    status: Status
    roots: tuple[float, ...]
    years: float
    sentence: str = ""

    @property
    def rate(self) -> float | None:
        """The one rate: a fraction a year, or for the whole of a period."""
        return self.roots[0] if self.status == "rate" else None

    @property
    def over_the_time(self) -> float | None:
        """The one rate over all of the time that the flows span: what to show for under a year.

        None also where it is too large for a number.
        """
        if self.rate is None or self.rate == -1:
            return self.rate
        grown = self.years * math.log1p(self.rate)
        return math.expm1(grown) if grown < _LOG_RATE_MAX else None


class ModifiedDietz(Struct, frozen=True, kw_only=True):
    """Gain over average capital; `total` is None where the average is not positive."""

    gain: float
    average_capital: float
    total: float | None


def xirr(flows: Sequence[tuple[dt.date, float]]) -> RateOfReturn:
    """The annual rate r at which `sum CF_i / (1 + r)^(days_i / 365)` is zero, days from the first.

    *flows* are the investor's: negative is paid in, positive is taken out or still there at the
    end; in any order. Every root above -1 is found (`log_roots`). A rate of less than a year is
    annual all the same: `over_the_time` is not.

    Source: Microsoft Excel, XIRR, for the convention.

    Raises:
        InputError: an amount is not finite.

    Examples:
        >>> year = [(dt.date(2020, 1, 1), -1000.0), (dt.date(2021, 1, 1), 1100.0)]
        >>> round(xirr(year).rate, 12)
        0.099713585934
    """
    by_day: dict[dt.date, float] = {}
    for day, amount in flows:
        _require_finite(amount, f"the flow of {day}")
        by_day[day] = by_day.get(day, 0.0) + amount
    days = sorted(day for day, amount in by_day.items() if amount != 0)
    if not days:
        return _undefined(0.0, "no money moved, so that any rate balances it")
    years = [(day - days[0]).days / DAYS_PER_YEAR for day in days]
    return _rate(years, [by_day[day] for day in days])


def net_present_value(rate: float, flows: Sequence[tuple[dt.date, float]]) -> float:
    """The present value of *flows* on the earliest day at the annual *rate*, ACT/365, in money."""
    first = min(day for day, _ in flows)
    return math.fsum(
        amount * math.exp(-math.log1p(rate) * (day - first).days / DAYS_PER_YEAR)
        for day, amount in flows
    )


def period_irr(
    begin: float, end: float, flows: Sequence[tuple[float, float]], length: float
) -> RateOfReturn:
    """The return R of one period, at which *begin* and the flows grow to *end*; not annual.

    *flows* are (time, amount) with the time from 0 to *length* and amounts into the portfolio:
    `begin (1+R) + sum F_i (1+R)^((T - t_i) / T) = end`. Modified Dietz is its first order. Money
    that was put in and is gone without a withdrawal is -1.

    Raises:
        InputError: a time is outside of the period, or a number is not finite.
    """
    _require_period(begin, end, flows, length)
    put_in = {0.0: -begin}
    for time, amount in flows:
        part = round(time / length, _TIME_PLACES)
        put_in[part] = put_in.get(part, 0.0) - amount
    put_in[1.0] = put_in.get(1.0, 0.0) + end
    times = sorted(time for time, amount in put_in.items() if amount != 0)
    if end == 0 and times and times[-1] < 1 and all(put_in[time] < 0 for time in times):
        return RateOfReturn(status="rate", roots=(-1.0,), years=1.0)
    if not times:
        return _undefined(1.0, "no money moved, so that any rate balances it")
    return _rate(times, [put_in[time] for time in times])


def modified_dietz(
    begin: float,
    end: float,
    flows: Sequence[tuple[float, float]],
    length: float,
    *,
    flows_at: Literal["end_of_day", "start_of_day"] = "end_of_day",
) -> ModifiedDietz:
    """Gain over the average capital of one period; not annual.

    *flows* are (day, amount), amounts into the portfolio, *length* the days of the period. A flow
    at the end of day t worked for `T - t` days, one at its start for a day more. With an average
    capital of nothing or less the ratio means nothing and is None.

    Source: Dietz (1966); GIPS.

    Raises:
        InputError: a day is outside of the period, or a number is not finite.

    Examples:
        >>> modified_dietz(100, 300, [(1, 50)], 2).total
        1.2
    """
    _require_period(begin, end, flows, length)
    extra = 1.0 if flows_at == "start_of_day" else 0.0
    if extra and any(day < 1 for day, _ in flows):
        raise InputError("a flow at the start of a day is on day 1 or later: day 0 is the opening")
    gain = end - begin - math.fsum(amount for _, amount in flows)
    average = begin + math.fsum(amount * (length - day + extra) / length for day, amount in flows)
    return ModifiedDietz(
        gain=gain, average_capital=average, total=gain / average if average > 0 else None
    )


def log_roots(times: Sequence[float], amounts: Sequence[float]) -> tuple[float, ...]:
    """Every real d at which `sum a_i exp(-t_i d)` is zero, rising; *times* rise, no amount is zero.

    Descartes' rule for exponential sums, as its proof goes (Laguerre 1883): times `exp(c d)` with c
    between the times of two amounts of opposite sign, the derivative has one change of sign less,
    and its roots part those of the sum. So a chain of sums ends in one without a change of sign,
    which has no root, and from there upward the roots of each bracket those of the one before.
    Two roots that differ by less than about 1e-7 are seen as the one between them. No two times may
    be as near as two floats are.

    Examples:
        >>> [round(math.expm1(root), 9) for root in log_roots([0, 1, 2], [100, -230, 132])]
        [0.1, 0.2]
    """
    chain = [_Sum(np.asarray(times, dtype=np.float64), np.asarray(amounts, dtype=np.float64))]
    while (below := chain[-1].derived()) is not None:
        chain.append(below)
    roots: tuple[float, ...] = ()
    for one in reversed(chain[:-1]):
        roots = one.roots(roots)
    return roots


def _rate(times: Sequence[float], amounts: Sequence[float]) -> RateOfReturn:
    span = times[-1] - times[0]
    found = log_roots(times, amounts)
    roots = tuple(math.expm1(root) for root in found if root < _LOG_RATE_MAX)
    if not found:
        if all(amount < 0 for amount in amounts) or all(amount > 0 for amount in amounts):
            way = "in" if amounts[0] < 0 else "out"
            return _undefined(span, f"money only went {way}, so that no rate balances it")
        return _undefined(span, "the flows change direction, and yet no rate balances them")
    if not roots:
        return _undefined(span, "the rate is too large for a number")
    if len(roots) == 1:
        return RateOfReturn(status="rate", roots=roots, years=span)
    listed = ", ".join(f"{100 * root:.6g} %" for root in roots)
    return RateOfReturn(
        status="several",
        roots=roots,
        years=span,
        sentence=f"{len(roots)} rates balance the flows and none is the right one: {listed}.",
    )


def _undefined(years: float, why: str) -> RateOfReturn:
    return RateOfReturn(
        status="undefined", roots=(), years=years, sentence=f"There is no rate of return: {why}."
    )


class _Sum:
    """`sum a_i exp(-t_i d)`, its amounts kept as logarithms: derivatives would outgrow a float."""

    def __init__(self, times: FloatArray, amounts: FloatArray) -> None:
        self._times = times
        self._signs = np.sign(amounts)
        self._logs = np.log(np.abs(amounts))

    def derived(self) -> "_Sum | None":
        """A sum whose roots part those of this one; None where there is no change of sign."""
        changes = np.flatnonzero(self._signs[1:] != self._signs[:-1])
        if not changes.size:
            return None
        middle = changes[changes.size // 2]
        factors = (self._times[middle] + self._times[middle + 1]) / 2.0 - self._times
        below = _Sum(self._times, factors)
        below._signs *= self._signs
        below._logs += self._logs
        return below

    def roots(self, turns: Sequence[float]) -> tuple[float, ...]:
        """Its roots: at most one between each two of *turns*, the roots of what it `derived`."""
        marks = [-math.inf, *turns, math.inf]
        signs = [float(self._signs[-1]), *map(self._sign, turns), float(self._signs[0])]
        found = [turn for turn, sign in zip(turns, signs[1:-1], strict=True) if sign == 0]
        for place, (sign, after) in enumerate(pairwise(signs)):
            if sign * after < 0:
                low, high = self._bracket(marks[place], marks[place + 1], sign)
                found.append(self._bisect(low, high, sign))
        return tuple(sorted(found))

    def _terms(self, at: float) -> FloatArray:
        """Its terms over the largest of them."""
        powers = self._logs - self._times * at
        terms: FloatArray = self._signs * np.exp(powers - powers.max())
        return terms

    def _sign(self, at: float) -> float:
        """-1, 0 or 1; zero where nothing but rounding is left."""
        terms = self._terms(at)
        total = float(terms.sum())
        is_zero = abs(total) <= _ROUNDING * float(np.abs(terms).sum())
        return 0.0 if is_zero else math.copysign(1.0, total)

    def _bracket(self, low: float, high: float, sign: float) -> tuple[float, float]:
        """Finite ends of an interval whose lower end has *sign*, and the upper one the other."""
        start = next((end for end in (low, high) if math.isfinite(end)), 0.0)
        step = 1.0
        while not math.isfinite(low):
            tried = start - step
            low, step = tried if self._terms(tried).sum() * sign > 0 else low, 2 * step
        step = 1.0
        while not math.isfinite(high):
            tried = start + step
            high, step = tried if self._terms(tried).sum() * sign < 0 else high, 2 * step
        return low, high

    def _bisect(self, low: float, high: float, sign: float) -> float:
        while low < (middle := (low + high) / 2) < high:
            total = float(self._terms(middle).sum()) * sign
            if total == 0:
                return middle
            low, high = (middle, high) if total > 0 else (low, middle)
        return low


def _require_finite(number: float, what: str) -> None:
    if not math.isfinite(number):
        raise InputError(f"{what} is {number}: give a number")


def _require_period(
    begin: float, end: float, flows: Sequence[tuple[float, float]], length: float
) -> None:
    _require_finite(begin, "the value at the beginning")
    _require_finite(end, "the value at the end")
    if not (math.isfinite(length) and length > 0):
        raise InputError(f"the period lasts {length}: give a positive length")
    for time, amount in flows:
        _require_finite(amount, f"the flow at {time}")
        if not 0 <= time <= length:
            raise InputError(f"a flow is at {time}, outside of the period from 0 to {length}")
