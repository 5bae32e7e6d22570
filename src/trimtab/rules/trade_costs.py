"""What a trade costs before tax: half the spread, the move it makes, and the fee.

All here is float64 and in basis points of what is traded unless a name says otherwise. None of it
decides anything: `gates` refuses a wide spread and a large part of a day's volume by policy.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trimtab.domain.errors import InputError
from trimtab.rules.ranges import above_zero, any_finite, at_least_zero, require

FloatArray = NDArray[np.float64]

ALMGREN_GAMMA, ALMGREN_ETA = 0.314, 0.142
"""Coefficients of the permanent and of the temporary impact (Almgren and others 2005)."""
_BPS = 1e4
_CHANGES_MIN = 3
"""With fewer changes of price there are not two pairs, and no covariance."""


class TradeCost(NamedTuple):
    """The parts of the cost of one trade, and their sum; basis points."""

    half_spread: float
    impact: float
    fee: float
    total: float


class Impact(NamedTuple):
    """How a trade moves the price, in basis points and in its own direction: a sale lowers it.

    `permanent` stays, `temporary` goes when the trade is done, and `realised` is what the trade
    itself pays on average: half the one and all of the other.
    """

    permanent: float
    temporary: float
    realised: float


class RollSpread(NamedTuple):
    """The covariance of successive price changes, and the spread it implies, in money a unit.

    Both are None for fewer than four prices.
    """

    autocovariance: float | None
    spread: float | None


def trade_cost(
    quantity: float,
    *,
    spread_bps: float,
    volatility_daily: float,
    volume_daily: float,
    impact_factor: float = 1.0,
    fee_bps: float = 0.0,
) -> TradeCost:
    """Half the spread, the square-root impact Y s sqrt(Q / V), and the fee.

    *quantity* and *volume_daily* are units; a sale may be negative and costs the same.
    *impact_factor* is Y, which is of the order of a half to one.

    Source: Grinold & Kahn 2000, Active Portfolio Management, chapter 16; Toth and others 2011,
    Anomalous price impact and the critical nature of liquidity in financial markets.

    Raises:
        InputError: a negative spread, volatility, factor or fee, or no volume.

    Examples:
        >>> found = trade_cost(
        ...     200, spread_bps=1, volatility_daily=0.011, volume_daily=8e7, impact_factor=0.75
        ... )
        >>> round(found.impact, 2), round(found.total, 2)
        (0.13, 0.63)
    """
    require(
        any_finite("the quantity", quantity),
        at_least_zero("the spread", spread_bps),
        at_least_zero("the daily volatility", volatility_daily),
        above_zero("the daily volume", volume_daily),
        at_least_zero("the impact factor", impact_factor),
        at_least_zero("the fee", fee_bps),
    )
    part = abs(quantity) / volume_daily
    half, impact = spread_bps / 2, _BPS * impact_factor * volatility_daily * math.sqrt(part)
    return TradeCost(half, impact, fee_bps, half + impact + fee_bps)


def market_impact(
    quantity: float,
    *,
    volume_daily: float,
    units_outstanding: float,
    volatility_daily: float,
    days: float,
) -> Impact:
    """How a trade of *quantity* (negative: a sale) that takes so many *days* moves its price.

    Permanent: 0.314 s (X / V) (N / V)^(1/4). Temporary: 0.142 s |X / (V T)|^(3/5). *days* are
    trading days, 0.1 for a tenth of one. Measured on large orders in US shares of 2001 to 2003.

    Source: Almgren, Thum, Hauptmann & Li 2005, Direct estimation of equity market impact.

    Raises:
        InputError: a negative volatility, or no volume, units outstanding or time.

    Examples:
        >>> ibm = {"volume_daily": 6_561_000, "units_outstanding": 1.728e9}
        >>> round(market_impact(656_100, volatility_daily=0.0157, days=0.1, **ibm).realised, 1)
        32.2
    """
    require(
        any_finite("the quantity", quantity),
        above_zero("the daily volume", volume_daily),
        above_zero("the number of units outstanding", units_outstanding),
        at_least_zero("the daily volatility", volatility_daily),
        above_zero("the time to trade", days),
    )
    part, deviation = quantity / volume_daily, _BPS * volatility_daily
    permanent = ALMGREN_GAMMA * deviation * part * (units_outstanding / volume_daily) ** 0.25
    pace = (abs(part) / days) ** 0.6
    temporary = math.copysign(ALMGREN_ETA * deviation * pace, quantity)
    return Impact(permanent, temporary, permanent / 2 + temporary)


def roll_spread(prices: Sequence[float] | FloatArray) -> RollSpread:
    """The spread that trades bounced across, from their *prices* alone, in the same money.

    2 sqrt(-cov) of successive changes, each with its own mean and the divisor n - 1; zero where
    the covariance is positive, because then the prices trend and the bounce cannot be seen.

    Source: Roll 1984, A simple implicit measure of the effective bid-ask spread.

    Raises:
        InputError: nothing is given, or a price is not positive and finite.

    Examples:
        >>> round(roll_spread([100.05, 99.95, 100.05, 100.05, 99.95, 100.05]).spread, 3)
        0.153
    """
    row = np.asarray(prices, dtype=np.float64)
    if row.ndim != 1 or row.size == 0:
        raise InputError("the prices are no list of numbers; write one for each trade")
    require(*(above_zero(f"price {place}", price) for place, price in enumerate(row, start=1)))
    changes = np.diff(row)
    if changes.size < _CHANGES_MIN:
        return RollSpread(None, None)
    covariance = float(np.cov(changes[1:], changes[:-1])[0, 1])
    return RollSpread(covariance, 2 * math.sqrt(max(-covariance, 0.0)))
