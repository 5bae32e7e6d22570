"""An invented market: seeded prices for the demo, rehearsals and tests. None of them is real.

Daily log returns are one market factor plus each symbol's own noise (a one-factor Gaussian model,
Sharpe 1963), with drift, volatility and correlation from a small table of styles. Between two
closes the price follows a Brownian bridge over the minutes of the UTC day.
"""

import datetime as dt
import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from trimtab.domain.errors import DataSuspect, InputError
from trimtab.domain.numbers import BASIS_POINT, ONE, Price, Quantity, to_decimal, to_float
from trimtab.domain.values import Instrument, InstrumentKind, Quote

FloatArray: TypeAlias = NDArray[np.float64]

HISTORY_DAYS = 3 * 365 + 1
"""Days of history before the market's start: three years."""
SOURCE = "invented"

_BLOCK_DAYS = 256
_BRIDGE_TERMS = 32
_MINUTES_PER_DAY = 24 * 60
_FACTOR = "the market factor"
_TICKS_MIN = 100  # no price falls below so many ticks, so that a bid is always positive
_ONE_DAY = dt.timedelta(days=1)


class Style(Struct, frozen=True, kw_only=True):
    """How a symbol moves: yearly drift and volatility of its log price, and where it begins.

    `market` is the correlation with the market factor; the first close of the history lies
    between `first_low` and `first_high`; `volume` is the average daily volume in units.
    """

    drift: float
    volatility: float
    market: float
    first_low: float
    first_high: float
    volume: Quantity | None = None

    @property
    def own(self) -> float:
        """Weight of the symbol's own noise beside the factor's."""
        return math.sqrt(1 - self.market**2)


STYLES: Mapping[str, Style] = MappingProxyType(
    {
        "stocks": Style(
            drift=0.07,
            volatility=0.16,
            market=0.95,
            first_low=80,
            first_high=320,
            volume=Quantity(4_000_000),
        ),
        "foreign": Style(
            drift=0.06,
            volatility=0.17,
            market=0.80,
            first_low=40,
            first_high=80,
            volume=Quantity(3_000_000),
        ),
        "bonds": Style(
            drift=0.03,
            volatility=0.06,
            market=0.10,
            first_low=50,
            first_high=110,
            volume=Quantity(5_000_000),
        ),
        "gold": Style(
            drift=0.04,
            volatility=0.15,
            market=0.05,
            first_low=100,
            first_high=200,
            volume=Quantity(5_000_000),
        ),
        "crypto": Style(
            drift=0.12,
            volatility=0.60,
            market=0.35,
            first_low=8_000,
            first_high=40_000,
            volume=Quantity(20_000),
        ),
        "forex": Style(
            drift=0.0, volatility=0.08, market=0.10, first_low=0.8, first_high=1.4, volume=None
        ),
    }
)
"""Invented, in the range of long-run experience; nobody may read a forecast into them."""

STYLE_OF_SYMBOL: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("AGG", "BIV", "BND", "BSV", "IEF", "SCHZ", "TIP", "TLT", "VTIP"), "bonds"),
        **dict.fromkeys(("EFA", "IEFA", "IXUS", "SCHF", "VEA", "VEU", "VWO", "VXUS"), "foreign"),
        **dict.fromkeys(("GLD", "GLDM", "IAU", "SGOL"), "gold"),
    }
)
"""Symbols that are no stock fund; crypto and forex follow from the kind, all else is stocks."""

_SPREAD_BPS: Mapping[InstrumentKind, Decimal] = MappingProxyType(
    {
        InstrumentKind.EQUITY: Decimal(4),
        InstrumentKind.ETF: Decimal(2),
        InstrumentKind.FUND: Decimal(2),
        InstrumentKind.CRYPTO: Decimal(20),
        InstrumentKind.FOREX: Decimal(2),
    }
)


class InventedMarket:
    """Prices out of a seed: three years before *start*, and as many days after it as are asked.

    A symbol's path depends on *seed*, *start* and the symbol alone, so the other instruments, and
    how far ahead anybody has looked, never change it. Crypto moves every day, the rest from
    Monday to Friday; public holidays are not known here. Every price is already in
    *base_currency*.

    `drift_before` conditions the history: the total return (0.5 for half as much again) from the
    first close to the close of *start*. `styles` names another style for a symbol.

    Raises:
        InputError: the seed is negative, a style or a tilted symbol unknown, or a return is not
            above -1.
    """

    def __init__(
        self,
        seed: int,
        start: dt.date,
        instruments: Mapping[str, Instrument | InstrumentKind],
        *,
        styles: Mapping[str, str] = MappingProxyType({}),
        drift_before: Mapping[str, float] = MappingProxyType({}),
        base_currency: str = "USD",
    ) -> None:
        _check_arguments(seed, instruments, styles, drift_before)
        self.start = start
        self.first_day = start - dt.timedelta(days=HISTORY_DAYS)
        self._seed = seed
        self._kinds = {
            symbol: found.kind if isinstance(found, Instrument) else found
            for symbol, found in instruments.items()
        }
        self._styles = {
            symbol: STYLES[styles.get(symbol) or _style_name(symbol, kind)]
            for symbol, kind in self._kinds.items()
        }
        self._drift_before = dict(drift_before)
        self._base_currency = base_currency
        self._paths: dict[str, FloatArray] = {}

    def quotes(self, symbols: Iterable[str], at: dt.datetime) -> Mapping[str, Quote]:
        """Bid and ask of each symbol in the minute of *at*; at a weekend, Friday's last.

        The invented exchange never closes: a weekend's quote is fresh although it stands still.

        Raises:
            DataSuspect: a symbol is unknown, or *at* lies before the history's second day.
        """
        return {symbol: self._quote(symbol, at.astimezone(dt.UTC)) for symbol in symbols}

    def close(self, symbol: str, day: dt.date) -> Price:
        """The price of *symbol* at the end of *day* (midnight UTC); at a weekend, Friday's.

        Raises:
            DataSuspect: the symbol is unknown, or *day* lies before `first_day`.
        """
        return self.history(symbol, [day])[0]

    def history(self, symbol: str, days: Iterable[dt.date]) -> tuple[Price, ...]:
        """The closes of *symbol* on *days*, in their order.

        Raises:
            DataSuspect: the symbol is unknown, or a day lies before `first_day`.
        """
        wanted = list(days)
        if not wanted:
            return ()
        self._check_known(symbol, max(wanted))
        path = self._path(symbol, min(wanted), max(wanted))
        first, places = self.first_day.toordinal(), self._places(symbol)
        return tuple(to_decimal(path[day.toordinal() - first], places) for day in wanted)

    def returns(
        self, symbols: Sequence[str], until: dt.datetime
    ) -> tuple[tuple[dt.date, ...], FloatArray]:
        """Simple returns (T, N) from weekday to weekday of the days over at *until*, and the days.

        Raises:
            DataSuspect: a symbol is unknown.
        """
        last = until.astimezone(dt.UTC).date() - dt.timedelta(days=1)
        count = (last - self.first_day).days + 1
        days = [self.first_day + dt.timedelta(days=number) for number in range(max(0, count))]
        days = [day for day in days if day.weekday() < 5]  # noqa: PLR2004  Monday to Friday
        if len(days) < 2 or not symbols:  # noqa: PLR2004  a return has two ends
            return (), np.empty((0, len(symbols)))
        closes = np.asarray(
            [[to_float(one) for one in self.history(name, days)] for name in symbols]
        )
        return tuple(days[1:]), (closes[:, 1:] / closes[:, :-1] - 1).T

    def _quote(self, symbol: str, at: dt.datetime) -> Quote:
        self._check_known(symbol, at.date())
        day = self._moving_day(symbol, at.date())
        path = self._path(symbol, day - _ONE_DAY, day)
        index = day.toordinal() - self.first_day.toordinal()
        minute = at.hour * 60 + at.minute if day == at.date() else _MINUTES_PER_DAY
        previous, close = float(path[index - 1]), float(path[index])
        middle = close
        if minute < _MINUTES_PER_DAY:
            elapsed = minute / _MINUTES_PER_DAY
            wander = self._wander(symbol, day, elapsed)
            middle = previous * math.exp(elapsed * math.log(close / previous) + wander)
        bid, ask = self._bid_and_ask(symbol, middle)
        return Quote(
            symbol=symbol,
            bid=bid,
            ask=ask,
            at=at.replace(second=0, microsecond=0),
            session=day,
            currency=self._base_currency,
            volume=self._styles[symbol].volume,
            previous_close=to_decimal(previous, self._places(symbol)),
            source=SOURCE,
        )

    def _check_known(self, symbol: str, day: dt.date) -> None:
        if symbol not in self._kinds:
            raise DataSuspect(
                f"{symbol} has no price on {day}: the invented market does not know it. "
                f"Add [instruments.{symbol}] to household.toml."
            )

    def _bid_and_ask(self, symbol: str, middle: float) -> tuple[Price, Price]:
        """Half the spread to either side, rounded away from the middle to whole ticks."""
        places = self._places(symbol)
        tick = ONE.scaleb(-places)
        price = max(to_decimal(middle, places), _TICKS_MIN * tick)
        half_spread = _SPREAD_BPS[self._kinds[symbol]] * BASIS_POINT / 2
        return (
            (price * (1 - half_spread)).quantize(tick, rounding=ROUND_FLOOR),
            (price * (1 + half_spread)).quantize(tick, rounding=ROUND_CEILING),
        )

    def _wander(self, symbol: str, day: dt.date, elapsed: float) -> float:
        """How far the log price is from the straight line between two closes."""
        style, ordinal = self._styles[symbol], day.toordinal()
        common = _bridge(self._seed, _FACTOR, ordinal, elapsed)
        own = _bridge(self._seed, symbol, ordinal, elapsed)
        return self._volatility_daily(symbol) * (style.market * common + style.own * own)

    def _path(self, symbol: str, earliest: dt.date, latest: dt.date) -> FloatArray:
        """Closes from `first_day` until *latest* at least."""
        if earliest < self.first_day:
            raise DataSuspect(
                f"{symbol} has no price on {earliest}: the invented market begins on "
                f"{self.first_day}. Ask for a later day, or move `start`."
            )
        path = self._paths.get(symbol)
        if path is None:
            path = self._history_path(symbol)
        while len(path) <= (latest - self.first_day).days:
            path = np.concatenate([path, self._next_block(symbol, path)])
        self._paths[symbol] = path
        return path

    def _history_path(self, symbol: str) -> FloatArray:
        style = self._styles[symbol]
        level = _generator(self._seed, symbol, "level", 0).uniform()
        first_close = style.first_low * (style.first_high / style.first_low) ** level
        moving = self._moving(symbol, self.first_day + _ONE_DAY, HISTORY_DAYS)
        returns = self._returns(symbol, 0, moving)
        if symbol in self._drift_before:
            missing = math.log1p(self._drift_before[symbol]) - float(returns.sum())
            returns = returns + moving * (missing / np.count_nonzero(moving))
        steps = np.concatenate([[0.0], np.cumsum(returns)])
        return self._bounded(symbol, first_close * np.exp(steps))

    def _next_block(self, symbol: str, path: FloatArray) -> FloatArray:
        """The closes after *path*; blocks begin at fixed days, so no close ever changes."""
        number = (len(path) - 1 - HISTORY_DAYS) // _BLOCK_DAYS + 1
        day = self.first_day + dt.timedelta(days=len(path))
        returns = self._returns(symbol, number, self._moving(symbol, day, _BLOCK_DAYS))
        return self._bounded(symbol, path[-1] * np.exp(np.cumsum(returns)))

    def _returns(self, symbol: str, block: int, moving: NDArray[np.bool_]) -> FloatArray:
        """Daily log returns of one block; zero on days without a market."""
        style = self._styles[symbol]
        common = _generator(self._seed, _FACTOR, "closes", block).standard_normal(len(moving))
        own = _generator(self._seed, symbol, "closes", block).standard_normal(len(moving))
        noise = style.market * common + style.own * own
        drift = style.drift / self._days_per_year(symbol)
        returns: FloatArray = moving * (drift + self._volatility_daily(symbol) * noise)
        return returns

    def _bounded(self, symbol: str, closes: FloatArray) -> FloatArray:
        bounded: FloatArray = np.maximum(closes, _TICKS_MIN * 10.0 ** -self._places(symbol))
        return bounded

    def _moving(self, symbol: str, day: dt.date, count: int) -> NDArray[np.bool_]:
        """On which of *count* days from *day* the price moves."""
        weekdays = (np.arange(count) + day.weekday()) % 7
        return np.full(count, fill_value=True) if self._is_crypto(symbol) else weekdays < 5  # noqa: PLR2004  Monday to Friday

    def _moving_day(self, symbol: str, day: dt.date) -> dt.date:
        """*day*, or the Friday before a weekend that has no market."""
        if self._is_crypto(symbol):
            return day
        return day - dt.timedelta(days=max(0, day.weekday() - 4))

    def _is_crypto(self, symbol: str) -> bool:
        return self._kinds[symbol] is InstrumentKind.CRYPTO

    def _days_per_year(self, symbol: str) -> int:
        return 365 if self._is_crypto(symbol) else 261

    def _volatility_daily(self, symbol: str) -> float:
        return self._styles[symbol].volatility / math.sqrt(self._days_per_year(symbol))

    def _places(self, symbol: str) -> int:
        """Decimals of a price."""
        return 5 if self._kinds[symbol] is InstrumentKind.FOREX else 2


def _check_arguments(
    seed: int,
    instruments: Mapping[str, Instrument | InstrumentKind],
    styles: Mapping[str, str],
    drift_before: Mapping[str, float],
) -> None:
    if seed < 0:
        raise InputError(f"The seed of an invented market is {seed}: give a number from 0 up.")
    for symbol, name in styles.items():
        if name not in STYLES:
            raise InputError(
                f"The style of {symbol} is {name!r}: choose one of {', '.join(STYLES)}."
            )
    for symbol, total in drift_before.items():
        if symbol not in instruments:
            raise InputError(
                f"drift_before names {symbol}, which the invented market does not know: add it to "
                "the instruments."
            )
        if not total > -1:
            raise InputError(
                f"drift_before of {symbol} is {total}: a return must be greater than -1."
            )


def _style_name(symbol: str, kind: InstrumentKind) -> str:
    if kind is InstrumentKind.CRYPTO:
        return "crypto"
    if kind is InstrumentKind.FOREX:
        return "forex"
    return STYLE_OF_SYMBOL.get(symbol, "stocks")


def _generator(seed: int, name: str, purpose: str, number: int) -> np.random.Generator:
    """The one stream of chance for *name*, *purpose* and *number*."""
    digest = hashlib.sha256(f"{purpose}|{name}".encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:16], "big"), number])


def _bridge(seed: int, name: str, ordinal: int, elapsed: float) -> float:
    """A standard Brownian bridge at *elapsed* in [0, 1], zero at both ends.

    By its first sine terms (Karhunen-Loève), so that any minute is found without the others.
    """
    return sum(
        term * math.sin(number * math.pi * elapsed)
        for number, term in enumerate(_bridge_terms(seed, name, ordinal), start=1)
    )


@lru_cache(maxsize=4096)
def _bridge_terms(seed: int, name: str, ordinal: int) -> tuple[float, ...]:
    normals = _generator(seed, name, "minutes", ordinal).standard_normal(_BRIDGE_TERMS)
    scales = math.sqrt(2) / (math.pi * np.arange(1, _BRIDGE_TERMS + 1))
    return tuple((normals * scales).tolist())
