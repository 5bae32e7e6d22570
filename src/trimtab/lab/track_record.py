"""How a household's savings went, from the marks of its journal: one record for each period.

A mark tells the value of everything and the value of one unit, free of flows, so that a deposit is
no gain. What happened between two marks is not seen. Everything here is float64, to be read and
never booked; a measure that is not defined is None.
"""

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from trimtab.lab.cash_flow_returns import RateOfReturn, modified_dietz, xirr
from trimtab.lab.measures import (
    DAYS_PER_YEAR,
    annualize,
    compound,
    max_drawdown,
    turnover,
)

FloatArray = NDArray[np.float64]

WEEKS_PER_YEAR = 365.25 / 7
RETURNS_MIN = 12
"""Fewer weekly returns, a quarter of a year, say nothing about a deviation."""


class Flow(Struct, frozen=True, kw_only=True):
    """Money that came in on a day (out: negative), in the base currency."""

    day: dt.date
    amount: float


class Point(Struct, frozen=True, kw_only=True):
    """The last mark of a day, and all since the point before.

    `flows` came in (out: negative) since then, `bought` and `sold` changed hands, and
    `short_gain` and `long_gain` were realized in taxed accounts. `owed` is the tax that selling
    everything at this point would cost, None where it is not known; `benchmark` the value of what
    the savings are compared with, likewise: the last point of each week needs it.
    """

    day: dt.date
    value: float
    unit: float
    flows: tuple[Flow, ...] = ()
    bought: float = 0.0
    sold: float = 0.0
    short_gain: float = 0.0
    long_gain: float = 0.0
    owed: float | None = None
    benchmark: float | None = None


class Rates(Struct, frozen=True, kw_only=True):
    """Marginal tax rates on gains, as fractions."""

    short: float
    long: float


class Fall(Struct, frozen=True, kw_only=True):
    """The deepest fall of the unit value, zero or negative; `recovered` is None where it is not."""

    depth: float
    peak: dt.date
    trough: dt.date
    recovered: dt.date | None


class Record(Struct, frozen=True, kw_only=True):
    """One period, from the mark on `start` to the mark on `end`.

    Money: `gain` is what the value grew beyond the flows; `withdrawals` are positive.
    `realized_tax` is that on the gains realized, `owed_start` and `owed_end` what selling
    everything would have cost.

    Returns are of the whole period and not annual: `time_weighted` is that of a unit; `dietz` and
    `money_weighted` those of the money that was there when it was there; `after_tax` that of what
    would be left if everything were sold at both ends. `volatility` and `tracking_error` are
    annual, of weekly returns; `turnover` is the lesser of purchases and sales over the mean value.
    """

    start: dt.date
    end: dt.date
    value_start: float
    value_end: float
    contributions: float
    withdrawals: float
    gain: float
    bought: float
    sold: float
    short_gain: float
    long_gain: float
    realized_tax: float
    owed_start: float | None
    owed_end: float | None
    time_weighted: float | None
    money_weighted: RateOfReturn
    dietz: float | None
    after_tax: float | None
    fall: Fall | None
    volatility: float | None
    tracking_error: float | None
    turnover: float | None

    @property
    def years(self) -> float:
        """How long it lasted; a year is 365 days."""
        return (self.end - self.start).days / DAYS_PER_YEAR

    def a_year(self, total: float | None) -> float | None:
        """*total*, a return of this period, as a rate a year; None for less than one year."""
        return None if total is None else annualize(total, self.years)


def record_of(points: Sequence[Point], rates: Rates) -> Record:
    """The record of the period from the first of *points*, which only opens it, to the last."""
    first, last = points[0], points[-1]
    assert first.day < last.day, "a period has two days"
    after = points[1:]
    flows = [flow for point in after for flow in point.flows]
    total = math.fsum(flow.amount for flow in flows)
    short = math.fsum(point.short_gain for point in after)
    long = math.fsum(point.long_gain for point in after)
    bought = math.fsum(point.bought for point in after)
    sold = math.fsum(point.sold for point in after)
    tax = tax_on(short, long, rates)
    return Record(
        start=first.day,
        end=last.day,
        value_start=first.value,
        value_end=last.value,
        contributions=math.fsum(flow.amount for flow in flows if flow.amount > 0),
        withdrawals=-math.fsum(flow.amount for flow in flows if flow.amount < 0),
        gain=last.value - first.value - total,
        bought=bought,
        sold=sold,
        short_gain=short,
        long_gain=long,
        realized_tax=tax,
        owed_start=first.owed,
        owed_end=last.owed,
        time_weighted=last.unit / first.unit - 1.0 if first.unit > 0 else None,
        money_weighted=_money_weighted(first, last, flows),
        dietz=_dietz(first.value, last.value, flows, first.day, last.day),
        after_tax=_after_tax(first, last, flows, tax),
        fall=_fall(points),
        volatility=deviation([(point.day, point.unit) for point in points]),
        tracking_error=_tracking_error(points),
        turnover=turnover(bought, sold, _month_ends(points)),
    )


def years_of(points: Sequence[Point]) -> tuple[tuple[int, tuple[Point, ...]], ...]:
    """The points of each calendar year, opened by the last point before it, where there is one.

    A year with nothing but the point that opens it is left out.
    """
    found = []
    for year in sorted({point.day.year for point in points}):
        before = [point for point in points if point.day.year < year][-1:]
        period = (*before, *(point for point in points if point.day.year == year))
        if len(period) > 1:
            found.append((year, period))
    return tuple(found)


def whole_of(points: Sequence[Point], rates: Rates) -> Record:
    """The record of all of *points*.

    Tax and the after-tax return are those of its years together: gains and losses are netted
    within a year, and the returns of the years follow each other.
    """
    years = [record_of(period, rates) for _, period in years_of(points)]
    linked = [year.after_tax for year in years]
    known = [one for one in linked if one is not None]
    return replace(
        record_of(points, rates),
        realized_tax=math.fsum(year.realized_tax for year in years),
        after_tax=compound(known) if len(known) == len(linked) else None,
    )


def tax_on(short: float, long: float, rates: Rates) -> float:
    """Tax on gains netted by term (26 USC 1222); negative where a loss is left over.

    What is left is taxed at the rate of its term. A loss counts in full, as if it met a later gain
    of its kind: the yearly limit of 26 USC 1211(b) delays it and takes nothing away.

    Examples:
        >>> tax_on(100.0, 200.0, Rates(short=0.3, long=0.2))
        70.0
        >>> tax_on(-300.0, 200.0, Rates(short=0.3, long=0.2))
        -30.0
    """
    if short * long < 0:
        left = short + long
        short, long = (left, 0.0) if left * short > 0 else (0.0, left)
    return short * rates.short + long * rates.long


def deviation(
    values: Sequence[tuple[dt.date, float]], less: Sequence[tuple[dt.date, float]] | None = None
) -> float | None:
    """The annual deviation of weekly returns of *values*, less those of *less* on the same days.

    Each ISO week stands by its last value. A return over k weeks in which some have no value counts
    with the weight of its length: `sum (r_i - m k_i)^2 / k_i / (n - 1)`, m the mean of a week,
    which is the sample variance where no week is missing. None for fewer than twelve returns.
    """
    ours = _weekly(values)
    if ours is None:
        return None
    spans, returns = ours
    if less is not None:
        theirs = _weekly(less)
        if theirs is None or theirs[0].size != spans.size:
            return None
        returns = returns - theirs[1]
    if returns.size < RETURNS_MIN:
        return None
    mean = returns.sum() / spans.sum()
    variance = float(((returns - mean * spans) ** 2 / spans).sum() / (returns.size - 1))
    return math.sqrt(variance * WEEKS_PER_YEAR)


def _weekly(values: Iterable[tuple[dt.date, float]]) -> tuple[FloatArray, FloatArray] | None:
    """Weeks between the last values of the ISO weeks, and the returns; None without a value."""
    last: dict[int, float] = {}
    for day, value in values:
        if not value > 0:
            return None
        last[(day.toordinal() - 1) // 7] = value
    weeks = np.asarray(list(last), dtype=np.float64)
    series = np.asarray(list(last.values()), dtype=np.float64)
    return np.diff(weeks), series[1:] / series[:-1] - 1.0


def _tracking_error(points: Sequence[Point]) -> float | None:
    known = [point for point in points if point.benchmark is not None]
    if points[0].benchmark is None or points[-1].benchmark is None:
        return None
    theirs = [(point.day, point.benchmark) for point in known if point.benchmark is not None]
    return deviation([(point.day, point.unit) for point in known], theirs)


def _money_weighted(first: Point, last: Point, flows: Sequence[Flow]) -> RateOfReturn:
    theirs = [(flow.day, -flow.amount) for flow in flows]
    return xirr([(first.day, -first.value), *theirs, (last.day, last.value)])


def _dietz(
    begin: float, end: float, flows: Sequence[Flow], start: dt.date, until: dt.date
) -> float | None:
    dated = [((flow.day - start).days, flow.amount) for flow in flows]
    return modified_dietz(begin, end, dated, (until - start).days).total


def _after_tax(first: Point, last: Point, flows: Sequence[Flow], tax: float) -> float | None:
    """Modified Dietz of what is left after the sale of everything; tax is paid at the end."""
    if first.owed is None or last.owed is None:
        return None
    begin, end = first.value - first.owed, last.value - last.owed - tax
    return _dietz(begin, end, flows, first.day, last.day)


def _fall(points: Sequence[Point]) -> Fall | None:
    if not points[0].unit > 0:
        return None
    found = max_drawdown([point.unit for point in points])
    return Fall(
        depth=found.depth,
        peak=points[found.peak].day,
        trough=points[found.trough].day,
        recovered=None if found.recovery is None else points[found.recovery].day,
    )


def _month_ends(points: Sequence[Point]) -> list[float]:
    """The last value of every month, and that at the beginning."""
    ends = [
        one.value
        for one, other in pairwise(points[1:])
        if (one.day.year, one.day.month) != (other.day.year, other.day.month)
    ]
    return [points[0].value, *ends, points[-1].value]
