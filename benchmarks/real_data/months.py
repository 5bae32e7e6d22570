"""What real months tell without a replay: CPPI's floor, October 1987, and value averaging."""

from decimal import Decimal
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd
from real_data.households import DATA

from trimtab.rules.averaging import (
    Limits,
    dollar_cost_averaging,
    path_edleson,
    value_averaging,
)
from trimtab.rules.targets.cppi_risk import Insurance, RealGaps, real_gaps, simulate

MONTHS = 120
PLANNED = Decimal(100)


@cache
def month_ends() -> pd.Series:
    """The US stock market's total return index at the end of each month, 1885 to 2024."""
    daily = pd.read_parquet(DATA / "long_history/us_stock_daily_tr_1885_2024.parquet")
    index = daily.set_index(pd.to_datetime(daily["date"]))["tr_index"]
    return index.groupby(index.index.to_period("M")).last()


def gaps(multiplier: float) -> tuple[RealGaps, pd.Period]:
    """All windows of sixty months from July 1926 to November 2018, and where the worst begins.

    The floor is 80 %, a look a month, and what is safe earns nothing.
    """
    months = month_ends().pct_change().loc["1926-07":"2018-11"]
    returns = months.to_numpy()
    rule = Insurance(multiplier, 0.8)
    found = real_gaps(returns, np.zeros_like(returns), rule, months=60)
    return found, months.index[found.worst_start]


class Guarded(NamedTuple):
    """CPPI with a ratchet from the end of 1986 to that of 1989, a look a month; 1 at first."""

    multiplier: int
    values: list[float]
    floors: list[float]
    exposures: list[float]


def through_1987(multiplier: int) -> Guarded:
    """What CPPI with the default ratchet of 80 % would have done, without its lock being lifted."""
    returns = month_ends().pct_change().loc["1987-01":"1989-12"].to_numpy()[np.newaxis]
    done = simulate(returns, np.zeros_like(returns), Insurance(multiplier, 0.8, 1.0, 0.8))
    return Guarded(
        multiplier, done.values[0].tolist(), done.floors[0].tolist(), done.exposures[0].tolist()
    )


class Path120(NamedTuple):
    """Value averaging over ten years of real months: what it put in, and what it ended with."""

    begins: pd.Period
    contributions: list[float]
    invested: float
    value: float

    @property
    def largest(self) -> float:
        """The most that one month took."""
        return max(self.contributions)

    @property
    def largest_in(self) -> pd.Period:
        """The month that took it."""
        return self.begins + self.contributions.index(self.largest)


def prices_from(begins: pd.Period) -> list[Decimal]:
    """Prices for ten years, of which the first is the close before *begins*."""
    index = month_ends().loc[begins - 1 : begins + MONTHS - 2]
    return [Decimal(repr(float(one))) for one in index / index.iloc[0]]


def value_path(begins: pd.Period, cap: int | None = None) -> Path120:
    """100 a month, a path of 1.2 % a month (R = 0.6 %), selling what is above it.

    Month t buys at the close of the month before it. With *cap*, one month takes at most so many
    contributions and nothing is sold: the defaults of [[averaging]].
    """
    goals = path_edleson(PLANNED, Decimal("0.012"), Decimal(0), MONTHS)
    limits = Limits(sells=True, caps=None)
    if cap is not None:
        limits = Limits(caps=(cap * PLANNED,) * MONTHS)
    done = value_averaging(goals, prices_from(begins), limits)
    return Path120(
        begins, [float(one) for one in done.contributions], float(done.invested), float(done.value)
    )


@cache
def largest_months() -> tuple[list[Path120], float]:
    """Every window of ten years, the largest demand first, and the median of the largest months."""
    starts = pd.period_range("1926-07", "2013-12", freq="M")
    found = sorted((value_path(one) for one in starts), key=lambda one: -one.largest)
    return found, float(np.median([one.largest for one in found]))


def equal_parts(begins: pd.Period) -> Path120:
    """100 a month at the same prices."""
    done = dollar_cost_averaging([PLANNED] * MONTHS, prices_from(begins))
    return Path120(begins, [float(PLANNED)] * MONTHS, float(done.invested), float(done.value))
