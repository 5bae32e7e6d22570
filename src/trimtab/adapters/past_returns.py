"""Past returns sampled at one market's closes, whatever else trades at other hours.

Bars of whole days end hours after the close they are nearest to. A session is past once they have
ended, so that one row holds what happened on one day and nothing that was not yet known.

Total-return prices for statistics only: a decision to trade and every amount use raw closes.
"""

import datetime as dt
from collections.abc import Container, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trimtab.adapters.calendars import EVERY_HOUR, FOREX, MarketCalendars, to_ns_utc
from trimtab.adapters.prices_table import FloatArray, History

Nanoseconds = NDArray[np.int64]

_WHOLE_DAYS = frozenset({EVERY_HOUR, FOREX})
"""Markets whose daily bars are whole days: each begins as the one before ends."""
_NEAREST = dt.timedelta(hours=12)
"""Of bars a day apart, the one that ends nearest to an instant is no farther from it than this."""
_NEVER = np.iinfo(np.int64).max


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

        All of history is sampled once and cut at *until*. That looks nowhere ahead: a row is there
        once every price it is made of is known.
        """
        sampled = self._sampled(tuple(symbols), calendar)
        end = int(np.searchsorted(sampled.known, _nanoseconds([until])[0], side="right"))
        return sampled.sessions[:end], sampled.returns[:end]

    def since_last(
        self, symbols: Sequence[str], until: dt.datetime, calendar: str
    ) -> tuple[tuple[dt.date, ...], FloatArray]:
        """As `until`, but what a symbol returned since its last price, however long ago that was.

        So a hole loses nothing: what a symbol returned over it stands in the first session after.
        """
        sampled = self._sampled(tuple(symbols), calendar)
        end = int(np.searchsorted(sampled.known, _nanoseconds([until])[0], side="right"))
        return sampled.sessions[:end], sampled.since_last[:end]

    def _sample(self, symbols: tuple[str, ...], calendar: str) -> "_Sampled":
        histories = [self._histories[symbol] for symbol in symbols]
        first = max((history.sessions[0] for history in histories), default=dt.date.max)
        last = max((history.sessions[-1] for history in histories), default=dt.date.min)
        sessions = self._calendars.sessions(calendar, first, last)
        if not sessions:
            empty = np.empty((0, len(symbols)))
            return _Sampled((), np.empty(0, np.int64), empty, empty)
        closes = _nanoseconds(
            [self._calendars.close_of(calendar, day) - self._lead for day in sessions]
        )
        columns = [
            self._column(history, closes, is_own=history.instrument.calendar == calendar)
            for history in histories
        ]
        values = np.column_stack([column.values for column in columns])
        known = np.max([column.known for column in columns], axis=0)
        return _Sampled(sessions[1:], known[1:], values[1:] / values[:-1] - 1, _since_last(values))

    def _column(self, history: History, closes: Nanoseconds, *, is_own: bool) -> "_Column":
        """Total-return prices in the base currency at *closes*, NaN where there is none.

        In its own market a symbol has a price in a session or it has none: nothing is carried
        forward, which would invent a return of zero.
        """
        prices = _total_return_closes(history)
        if is_own:
            column = _as_of(history, prices, closes, dt.timedelta(0))
        else:
            column = self._elsewhere(history, prices, closes)
        currency = history.instrument.currency
        if currency == self._base_currency:
            return column
        pair = find_pair(self._histories, currency, self._base_currency)
        if pair is None:
            return column._replace(values=np.full(len(closes), np.nan))
        rates = self._elsewhere(self._histories[pair], self._histories[pair].closes, closes)
        is_direct = pair.startswith(currency)
        values = column.values * rates.values if is_direct else column.values / rates.values
        return _Column(values, np.maximum(column.known, rates.known))

    def _elsewhere(self, history: History, prices: FloatArray, closes: Nanoseconds) -> "_Column":
        """*prices* of another market than the one that closes at *closes*."""
        sample = _nearest if history.instrument.calendar in _WHOLE_DAYS else _as_of
        return sample(history, prices, closes, self._known_for)


def find_pair(symbols: Container[str], currency: str, base_currency: str) -> str | None:
    """The pair among *symbols* that prices *currency*: the direct one, or else its inverse."""
    pairs = (currency + base_currency, base_currency + currency)
    return next((pair for pair in pairs if pair in symbols), None)


class _Sampled(NamedTuple):
    """Returns at the closes of a calendar, one row a session, and when each row is known.

    `returns` span one session each, `since_last` the sessions since a symbol had a price.
    """

    sessions: tuple[dt.date, ...]
    known: Nanoseconds
    returns: FloatArray
    since_last: FloatArray


def _since_last(values: FloatArray) -> FloatArray:
    """Returns (T - 1, N) of prices (T, N) since the last one that is a number."""
    is_known = np.isfinite(values)
    rows = np.where(is_known, np.arange(len(values))[:, None], 0)
    last = np.maximum.accumulate(rows, axis=0)[:-1]
    return values[1:] / np.take_along_axis(values, last, axis=0) - 1


class _Column(NamedTuple):
    """Prices of one symbol at the closes of a calendar, and when each is known."""

    values: FloatArray
    known: Nanoseconds


def _as_of(
    history: History, values: FloatArray, closes: Nanoseconds, known_for: dt.timedelta
) -> _Column:
    """The last of *values* known at each close; NaN before the first and when too old."""
    ends = _nanoseconds(history.instants)
    rows = np.searchsorted(ends, closes, side="right") - 1
    return _Column(_unless_old(values, rows, closes - ends[rows], known_for), closes)


def _nearest(
    history: History, values: FloatArray, closes: Nanoseconds, known_for: dt.timedelta
) -> _Column:
    """Of *values* at the ends of whole days, the one nearest to each close.

    It is known once it has ended. Where its bar is missing the one before stands for it, and that
    is known once a later bar shows that none will come: a file that ends early holds no return of
    zero.
    """
    ends, reach = _nanoseconds(history.instants), _as_ns(_NEAREST)
    rows = np.searchsorted(ends, closes + reach, side="right") - 1
    age = closes - ends[rows]
    is_there = (rows >= 0) & (age < reach)
    awaited = np.append(ends, _NEVER)[np.where(is_there, rows, rows + 1)]
    return _Column(_unless_old(values, rows, age, known_for), np.maximum(closes, awaited))


def _unless_old(
    values: FloatArray, rows: NDArray[np.intp], age: Nanoseconds, known_for: dt.timedelta
) -> FloatArray:
    return np.where((rows >= 0) & (age <= _as_ns(known_for)), values[rows], np.nan)


def _as_ns(span: dt.timedelta) -> int:
    return span // dt.timedelta(microseconds=1) * 1000


def _nanoseconds(instants: Sequence[dt.datetime]) -> Nanoseconds:
    return to_ns_utc(instants).asi8


def _total_return_closes(history: History) -> FloatArray:
    """Adjusted closes; without any, the closes of what one unit of the first day has become."""
    if not np.isnan(history.adjusted).all():
        return history.adjusted
    units = np.ones(len(history.closes))
    for row, (numerator, denominator) in history.splits.items():
        units[row] = numerator / denominator
    return history.closes * np.cumprod(units)
