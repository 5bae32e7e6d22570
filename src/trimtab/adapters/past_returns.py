"""Past returns sampled at one market's closes, whatever else trades at other hours.

Total-return prices for statistics only: a decision to trade and every amount use raw closes.
"""

import datetime as dt
from bisect import bisect_right
from collections.abc import Container, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trimtab.adapters.calendars import MarketCalendars, to_ns_utc
from trimtab.adapters.prices_table import FloatArray, History


class PastReturns:
    """Simple returns in the base currency, session to session of one calendar."""

    def __init__(
        self,
        histories: Mapping[str, History],
        calendars: MarketCalendars,
        *,
        base_currency: str,
        known_for: dt.timedelta,
        lead: dt.timedelta,
    ) -> None:
        """Sample *histories*; a price from another market's close serves for *known_for*."""
        self._histories = histories
        self._calendars = calendars
        self._base_currency = base_currency
        self._known_for = known_for
        self._lead = lead
        self._sampled = lru_cache(maxsize=8)(self._sample)

    def until(
        self, symbols: Sequence[str], until: dt.datetime, calendar: str
    ) -> tuple[tuple[dt.date, ...], FloatArray]:
        """Sessions over at *until* and their returns, one column a symbol, NaN where none is.

        All of history is sampled once and cut at *until*. That looks nowhere ahead: each row is
        made of prices known at its own session's close.
        """
        sampled = self._sampled(tuple(symbols), calendar)
        end = bisect_right(sampled.instants, until)
        return sampled.sessions[:end], sampled.returns[:end]

    def _sample(self, symbols: tuple[str, ...], calendar: str) -> "_Sampled":
        histories = [self._histories[symbol] for symbol in symbols]
        first = max((history.sessions[0] for history in histories), default=dt.date.max)
        last = max((history.sessions[-1] for history in histories), default=dt.date.min)
        sessions = self._calendars.sessions(calendar, first, last)
        instants = [self._calendars.close_of(calendar, day) - self._lead for day in sessions]
        if not sessions:
            return _Sampled((), [], np.empty((0, len(symbols))))
        values = np.column_stack(
            [
                self._values(history, instants, is_own=history.instrument.calendar == calendar)
                for history in histories
            ]
        )
        return _Sampled(sessions[1:], instants[1:], values[1:] / values[:-1] - 1)

    def _values(
        self, history: History, instants: Sequence[dt.datetime], *, is_own: bool
    ) -> FloatArray:
        """Total-return prices in the base currency at *instants*, NaN where there is none.

        In its own market a symbol has a price in a session or it has none: nothing is carried
        forward, which would invent a return of zero.
        """
        known_for = dt.timedelta(0) if is_own else self._known_for
        values = _as_of(history, _total_return_closes(history), instants, known_for)
        currency = history.instrument.currency
        if currency == self._base_currency:
            return values
        pair = find_pair(self._histories, currency, self._base_currency)
        if pair is None:
            return np.full(len(instants), np.nan)
        rates = _as_of(
            self._histories[pair], self._histories[pair].closes, instants, self._known_for
        )
        return values * rates if pair.startswith(currency) else values / rates


def find_pair(symbols: Container[str], currency: str, base_currency: str) -> str | None:
    """The pair among *symbols* that prices *currency*: the direct one, or else its inverse."""
    pairs = (currency + base_currency, base_currency + currency)
    return next((pair for pair in pairs if pair in symbols), None)


class _Sampled(NamedTuple):
    """Returns at the closes of a calendar, one row a session."""

    sessions: tuple[dt.date, ...]
    instants: list[dt.datetime]
    returns: FloatArray


def _as_of(
    history: History,
    values: FloatArray,
    instants: Sequence[dt.datetime],
    known_for: dt.timedelta,
) -> FloatArray:
    """The last of *values* known at each of *instants*; NaN before the first and when too old."""
    known, wanted = _nanoseconds(history.instants), _nanoseconds(instants)
    rows = np.searchsorted(known, wanted, side="right") - 1
    age = wanted - known[rows]
    is_known = (rows >= 0) & (age <= known_for // dt.timedelta(microseconds=1) * 1000)
    return np.where(is_known, values[rows], np.nan)


def _nanoseconds(instants: Sequence[dt.datetime]) -> NDArray[np.int64]:
    return to_ns_utc(instants).asi8


def _total_return_closes(history: History) -> FloatArray:
    """Adjusted closes; without any, the closes of what one unit of the first day has become."""
    if not np.isnan(history.adjusted).all():
        return history.adjusted
    units = np.ones(len(history.closes))
    for row, (numerator, denominator) in history.splits.items():
        units[row] = numerator / denominator
    return history.closes * np.cumprod(units)
