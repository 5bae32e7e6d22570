"""When markets are open: exchange sessions, forex's week, crypto's every hour.

Instants are UTC. A session is a plain date, a label that is never converted: crypto's session is
its UTC date, forex's the New York date on which it ends at 17:00.
"""

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

from trimtab.domain.errors import InputError, MissingExtra
from trimtab.domain.values import NEW_YORK, Hours

if TYPE_CHECKING:
    import pandas as pd

EVERY_HOUR = "24/7"
FOREX = "forex"
WEEKDAYS = "weekdays"
NEW_YORK_STOCK_EXCHANGE = "XNYS"

_DAY = dt.timedelta(days=1)
_FRIDAY, _SATURDAY, _SUNDAY = 4, 5, 6
_FOREX_TURN = dt.time(17)
_STOCKS_OPEN = dt.time(9, 30)
_STOCKS_CLOSE = dt.time(16)
_YEARS_BEFORE, _YEARS_AFTER = 5, 3
_FIRST_YEAR, _LAST_YEAR = 1900, 2100
_REACH = dt.timedelta(days=31)
"""How far beyond an instant a timetable must go, so that the next session is in it."""


class MarketCalendars:
    """The sessions of every market: the port `Calendars`, and what price files need of it.

    `24/7`, `forex` (Sunday 17:00 to Friday 17:00 New York, no holidays) and `weekdays` (Monday to
    Friday 09:30 to 16:00 New York, no holidays) are rules of our own. Every other name is a code
    of the library exchange_calendars, with its holidays and half days.
    """

    def __init__(self) -> None:
        """Start without a timetable; each is made when it is first asked for."""
        self._timetables: dict[str, _Timetable] = {}

    def hours(self, calendar: str, at: dt.datetime) -> Hours:
        """The session of *calendar* that runs at *at*, or else the next one.

        A market is open at its opening instant and closed at its closing instant. In a midday
        break it is closed, and `opens` is the end of the break.

        Raises:
            InputError: no such calendar, or nothing is known of it at *at*.
            MissingExtra: the calendar is an exchange's and exchange_calendars is not installed.
        """
        assert at.tzinfo is not None, "an instant has a time zone"
        rule = _RULES.get(calendar)
        if rule is not None:
            return _hours_by_rule(calendar, rule, at)
        day = at.astimezone(dt.UTC).date()
        table = self._timetable(calendar, day, day + _REACH)
        return _hours_in_table(calendar, table, at)

    def sessions(self, calendar: str, start: dt.date, end: dt.date) -> tuple[dt.date, ...]:
        """The sessions of *calendar* from *start* to *end*, both included.

        Raises:
            InputError: no such calendar, or nothing is known of it between the two dates.
            MissingExtra: as for `hours`.
        """
        if end < start:
            return ()
        rule = _RULES.get(calendar)
        if rule is not None:
            days = (start + dt.timedelta(days=count) for count in range((end - start).days + 1))
            return tuple(day for day in days if rule.is_session(day))
        table = self._timetable(calendar, start, end)
        if start < table.start or end > table.end:
            raise _unrecorded(calendar, table.start, table.end, f"{start} to {end}")
        first, last = bisect_left(table.sessions, start), bisect_right(table.sessions, end)
        return table.sessions[first:last]

    def is_session(self, calendar: str, day: dt.date) -> bool:
        """Whether the market trades on *day*.

        Raises:
            InputError: no such calendar, or nothing is known of it on *day*.
            MissingExtra: as for `hours`.
        """
        return bool(self.sessions(calendar, day, day))

    def close_of(self, calendar: str, session: dt.date) -> dt.datetime:
        """The instant at which *session* ends: for 24/7 the next midnight UTC.

        Raises:
            InputError: the market does not trade on *session*, or no such calendar.
            MissingExtra: as for `hours`.
        """
        if not self.is_session(calendar, session):
            raise InputError(
                f"{session} is not a trading day of the calendar {calendar}: give one that is"
            )
        rule = _RULES.get(calendar)
        if rule is not None:
            return rule.closes(session)
        table = self._timetable(calendar, session, session)
        return table.closes[bisect_left(table.sessions, session)]

    def settlement_date(self, traded: dt.date) -> dt.date:
        """The date on which a US trade of the date *traded* settles: the next business day.

        T+1 is the rule since 2024-05-28 (17 CFR 240.15c6-1); older trades took longer, which is
        not modelled. Approximation: business days are the sessions of the New York Stock Exchange
        (without exchange_calendars: all weekdays) less Columbus Day and Veterans Day, when the
        banks are closed and the exchange is not.
        """
        has_exchanges = find_spec("exchange_calendars") is not None
        calendar = NEW_YORK_STOCK_EXCHANGE if has_exchanges else WEEKDAYS
        day = traded + _DAY
        while _is_bank_holiday_with_trading(day) or not self.is_session(calendar, day):
            day += _DAY
        return day

    def is_known(self, calendar: str) -> bool:
        """Whether *calendar* names a market here.

        Raises:
            MissingExtra: as for `hours`.
        """
        # The first two need no library, so that most households are checked without loading one.
        return (
            calendar in _RULES
            or calendar == NEW_YORK_STOCK_EXCHANGE
            or calendar in _exchange_names()
        )

    def _timetable(self, calendar: str, start: dt.date, end: dt.date) -> "_Timetable":
        """An exchange's timetable, made once for years around the dates, and widened when needed.

        It ends earlier than asked where the library knows no more.
        """
        known = self._timetables.get(calendar)
        if known is not None and known.asked_start <= start and end <= known.asked_end:
            return known
        if not self.is_known(calendar):
            near = get_close_matches(calendar, [*_RULES, *_exchange_names()], n=3)
            hint = f"did you mean {' or '.join(near)}?" if near else "write XNYS, 24/7 or forex"
            raise InputError(f'there is no market calendar "{calendar}": {hint}')
        first = dt.date(_within(start.year - _YEARS_BEFORE), 1, 1)
        last = dt.date(_within(end.year + _YEARS_AFTER), 12, 31)
        if known is not None:
            first, last = min(first, known.asked_start), max(last, known.asked_end)
        table = _read_exchange(calendar, first, last)
        self._timetables[calendar] = table
        return table


def to_ns_utc(instants: "Iterable[dt.datetime] | pd.Index[pd.Timestamp]") -> "pd.DatetimeIndex":
    """*instants* in the one unit of time that arrays use here: datetime64[ns, UTC].

    pandas parses to microseconds and exchange_calendars counts nanoseconds; mixed up, a date of
    today lands in January 1970.
    """
    import pandas as pd

    return pd.DatetimeIndex(pd.to_datetime(pd.Index(instants), utc=True)).as_unit("ns")


class _Rule(NamedTuple):
    """A market whose sessions follow from the date alone."""

    is_session: Callable[[dt.date], bool]
    opens: Callable[[dt.date], dt.datetime]
    closes: Callable[[dt.date], dt.datetime]


class _Timetable(NamedTuple):
    """An exchange's sessions from `start` to `end`, in order, with their instants."""

    asked_start: dt.date
    asked_end: dt.date
    start: dt.date
    end: dt.date
    sessions: tuple[dt.date, ...]
    opens: tuple[dt.datetime, ...]
    closes: tuple[dt.datetime, ...]
    breaks: dict[dt.date, tuple[dt.datetime, dt.datetime]]
    half_days: frozenset[dt.date]


def _hours_by_rule(calendar: str, rule: _Rule, at: dt.datetime) -> Hours:
    day = at.astimezone(NEW_YORK).date()  # never after the session that runs: New York is behind
    while not rule.is_session(day) or rule.closes(day) <= at:
        day += _DAY
    opens = rule.opens(day)
    return Hours(
        calendar=calendar,
        is_open=opens <= at,
        opens=opens,
        closes=rule.closes(day),
        session=day,
    )


def _hours_in_table(calendar: str, table: _Timetable, at: dt.datetime) -> Hours:
    position = bisect_right(table.closes, at)
    if position == len(table.sessions) or at.date() < table.start:
        raise _unrecorded(calendar, table.start, table.end, f"{at:%Y-%m-%d %H:%M} UTC")
    session, opens = table.sessions[position], table.opens[position]
    is_open = opens <= at
    if session in table.breaks:
        break_starts, break_ends = table.breaks[session]
        if break_starts <= at < break_ends:
            is_open, opens = False, break_ends
    return Hours(
        calendar=calendar,
        is_open=is_open,
        opens=opens,
        closes=table.closes[position],
        session=session,
        is_half_day=session in table.half_days,
    )


def _within(year: int) -> int:
    return min(max(year, _FIRST_YEAR), _LAST_YEAR)


def _library() -> ModuleType:
    try:
        import exchange_calendars
    except ImportError as error:
        raise MissingExtra(
            "the sessions of stock exchanges need the library exchange_calendars:"
            " pip install 'trimtab[market]'"
        ) from error
    module: ModuleType = exchange_calendars
    return module


def _exchange_names() -> frozenset[str]:
    return frozenset(_library().get_calendar_names(include_aliases=True))


def _read_exchange(calendar: str, start: dt.date, end: dt.date) -> _Timetable:
    """The sessions that the library knows between *start* and *end*, or as many of them.

    Both ends are always given to the library: left out, its calendars end a year from today.
    """
    library = _library()
    asked_start, asked_end = start, end
    try:
        found = library.get_calendar(calendar, start=start.isoformat(), end=end.isoformat())
    except ValueError:  # some exchanges are recorded for some years only
        first, last = _bounds(library, calendar)
        start, end = max(start, first), min(end, last)
        if start >= end:
            asked = f"{asked_start} to {asked_end}"
            raise _unrecorded(calendar, first, last, asked) from None
        found = library.get_calendar(calendar, start=start.isoformat(), end=end.isoformat())
    sessions = tuple(session.date() for session in found.sessions)
    has_break = found.break_starts.notna().to_numpy()
    break_days = (session.date() for session in found.sessions[has_break])
    break_starts = _as_datetimes(found.break_starts[has_break])
    break_ends = _as_datetimes(found.break_ends[has_break])
    return _Timetable(
        asked_start=asked_start,
        asked_end=asked_end,
        start=start,
        end=end,
        sessions=sessions,
        opens=_as_datetimes(found.opens),
        closes=_as_datetimes(found.closes),
        breaks=dict(
            zip(break_days, zip(break_starts, break_ends, strict=True), strict=True),
        ),
        half_days=frozenset(session.date() for session in found.early_closes),
    )


def _bounds(library: ModuleType, calendar: str) -> tuple[dt.date, dt.date]:
    """The first and the last day for which the library has an exchange on record."""
    kind = type(library.get_calendar(calendar))
    lowest, highest = kind.bound_min(), kind.bound_max()
    first = dt.date(_FIRST_YEAR, 1, 1) if lowest is None else lowest.date()
    last = dt.date(_LAST_YEAR, 12, 31) if highest is None else highest.date()
    return first, last


def _unrecorded(calendar: str, first: dt.date, last: dt.date, asked: str) -> InputError:
    return InputError(
        f"the sessions of {calendar} are known from {first} to {last}, which does not cover"
        f" {asked}: use dates inside, or a newer exchange_calendars"
    )


def _as_datetimes(instants: "pd.Series[pd.Timestamp]") -> tuple[dt.datetime, ...]:
    pydatetimes = to_ns_utc(instants.to_numpy()).to_pydatetime()
    return tuple(instant.replace(tzinfo=dt.UTC) for instant in pydatetimes)


def _every_day(_day: dt.date) -> bool:
    return True


def _is_weekday(day: dt.date) -> bool:
    return day.weekday() <= _FRIDAY


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)


def _in_new_york(day: dt.date, time: dt.time) -> dt.datetime:
    return dt.datetime.combine(day, time, NEW_YORK).astimezone(dt.UTC)


_RULES: dict[str, _Rule] = {
    EVERY_HOUR: _Rule(_every_day, _midnight, lambda day: _midnight(day + _DAY)),
    FOREX: _Rule(
        _is_weekday,
        lambda day: _in_new_york(day - _DAY, _FOREX_TURN),
        lambda day: _in_new_york(day, _FOREX_TURN),
    ),
    WEEKDAYS: _Rule(
        _is_weekday,
        lambda day: _in_new_york(day, _STOCKS_OPEN),
        lambda day: _in_new_york(day, _STOCKS_CLOSE),
    ),
}


def _is_bank_holiday_with_trading(day: dt.date) -> bool:
    """Columbus Day (second Monday of October), or Veterans Day as the Federal Reserve keeps it.

    On a Sunday Veterans Day is kept on Monday; on a Saturday it is not moved.
    """
    october, november = 10, 11
    if day.month == october:
        return day.weekday() == 0 and 8 <= day.day <= 14  # noqa: PLR2004  the second Monday
    if day.month == november:
        return day.day == 11 or (day.day == 12 and day.weekday() == 0)  # noqa: PLR2004  the eleventh, or the Monday after
    return False
