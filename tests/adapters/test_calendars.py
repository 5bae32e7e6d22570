import datetime as dt
import subprocess
import sys

import exchange_calendars
import numpy as np
import pytest

from trimtab.adapters.calendars import MarketCalendars, to_ns_utc
from trimtab.domain.errors import InputError, MissingExtra


@pytest.fixture(scope="module")
def calendars():
    return MarketCalendars()


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        pytest.param("2026-11-20 14:29:59", False, id="a second before the opening bell"),
        pytest.param("2026-11-20 14:30", True, id="at the opening bell"),
        pytest.param("2026-11-20 20:59:59", True, id="a second before the close"),
        pytest.param("2026-11-20 21:00", False, id="at the close"),
        pytest.param("2026-11-26 16:00", False, id="Thanksgiving"),
        pytest.param("2026-11-27 17:59", True, id="the half day after it, before 13:00"),
        pytest.param("2026-11-27 18:00", False, id="the half day after it, at 13:00"),
        pytest.param("2026-03-09 13:30", True, id="09:30 is an hour earlier in UTC in summer"),
    ],
)
def test_the_stock_exchange_is_open_from_its_bell_until_just_before_its_close(
    calendars, at, is_open
):
    assert calendars.hours("XNYS", utc(at)).is_open is is_open


def test_a_half_day_says_so_and_closes_early(calendars):
    hours = calendars.hours("XNYS", utc("2026-11-27 15:00"))
    assert hours.is_half_day
    assert hours.closes == utc("2026-11-27 18:00")
    assert not calendars.hours("XNYS", utc("2026-11-30 15:00")).is_half_day


def test_after_the_close_the_next_session_is_told_even_across_a_holiday(calendars):
    hours = calendars.hours("XNYS", utc("2026-11-25 21:00"))
    assert (hours.session, hours.opens) == (dt.date(2026, 11, 27), utc("2026-11-27 14:30"))


def test_in_a_midday_break_the_market_is_closed_and_opens_when_the_break_ends(calendars):
    hours = calendars.hours("XTKS", utc("2024-03-04 03:00"))
    assert not hours.is_open
    assert (hours.session, hours.opens) == (dt.date(2024, 3, 4), utc("2024-03-04 03:30"))
    assert calendars.hours("XTKS", utc("2024-03-04 03:30")).is_open


@pytest.mark.parametrize(
    ("at", "is_open", "session"),
    [
        pytest.param("2026-03-06 21:59:59", True, "2026-03-06", id="Friday before 17:00 New York"),
        pytest.param("2026-03-06 22:00", False, "2026-03-09", id="Friday 17:00: the week is over"),
        pytest.param("2026-03-07 12:00", False, "2026-03-09", id="Saturday"),
        pytest.param(
            "2026-03-08 20:59:59", False, "2026-03-09", id="Sunday before 17:00, summer time"
        ),
        pytest.param("2026-03-08 21:00", True, "2026-03-09", id="Sunday 17:00: Monday's session"),
        pytest.param("2026-03-10 21:00", True, "2026-03-11", id="Tuesday 17:00 is Wednesday's"),
    ],
)
def test_forex_trades_from_sunday_to_friday_at_five_in_new_york(calendars, at, is_open, session):
    hours = calendars.hours("forex", utc(at))
    assert (hours.is_open, hours.session) == (is_open, dt.date.fromisoformat(session))


def test_the_forex_day_of_a_clock_change_is_an_hour_short(calendars):
    hours = calendars.hours("forex", utc("2026-03-08 21:00"))
    assert hours.opens == utc("2026-03-08 21:00")
    assert calendars.close_of("forex", dt.date(2026, 3, 6)) == utc("2026-03-06 22:00")
    assert calendars.close_of("forex", dt.date(2026, 3, 9)) == utc("2026-03-09 21:00")


def test_crypto_never_closes_and_its_session_is_the_date_in_utc(calendars):
    hours = calendars.hours("24/7", utc("2026-03-07 23:59:59"))
    assert hours.is_open
    assert hours.session == dt.date(2026, 3, 7)
    assert hours.closes == calendars.close_of("24/7", dt.date(2026, 3, 7)) == utc("2026-03-08")
    assert calendars.hours("24/7", utc("2026-03-08")).session == dt.date(2026, 3, 8)


def test_the_weekdays_calendar_knows_no_holiday(calendars):
    assert calendars.hours("weekdays", utc("2026-12-25 15:00")).is_open
    assert not calendars.hours("weekdays", utc("2026-12-26 15:00")).is_open


def test_an_instant_means_the_same_in_every_time_zone(calendars):
    singapore = dt.timezone(dt.timedelta(hours=8))
    at = utc("2026-11-20 20:30")
    for calendar in ("XNYS", "forex", "24/7", "weekdays"):
        hours = calendars.hours(calendar, at.astimezone(singapore))
        assert hours == calendars.hours(calendar, at)


def test_sessions_include_both_ends_and_leave_out_weekends_and_holidays(calendars):
    start, end = dt.date(2026, 11, 25), dt.date(2026, 11, 30)
    assert [day.day for day in calendars.sessions("XNYS", start, end)] == [25, 27, 30]
    assert [day.day for day in calendars.sessions("forex", start, end)] == [25, 26, 27, 30]
    assert [day.day for day in calendars.sessions("24/7", start, end)] == [25, 26, 27, 28, 29, 30]
    assert calendars.sessions("XNYS", end, start) == ()


def test_asking_further_away_widens_the_years_that_are_known():
    calendars = MarketCalendars()
    asked = [dt.date(2020, 3, 12), dt.date(1994, 7, 1), dt.date(2045, 7, 3), dt.date(2020, 3, 12)]
    closes = [calendars.close_of("XNYS", day) for day in asked]
    assert closes[0] == closes[3] == utc("2020-03-12 20:00")
    assert closes[1] == utc("1994-07-01 20:00")
    assert closes[2] == utc("2045-07-03 17:00")


def test_the_close_of_a_day_without_trading_is_refused(calendars):
    with pytest.raises(InputError, match="2026-11-26 is not a trading day of the calendar XNYS"):
        calendars.close_of("XNYS", dt.date(2026, 11, 26))


def test_the_last_recorded_day_of_an_exchange_is_told_and_no_day_after_it():
    calendars = MarketCalendars()
    end = type(exchange_calendars.get_calendar("XSHG")).bound_max().date()
    last = calendars.sessions("XSHG", end - dt.timedelta(days=14), end)[-1]
    assert calendars.hours("XSHG", dt.datetime.combine(last, dt.time(2), dt.UTC)).is_open
    after = dt.datetime.combine(last, dt.time(12), dt.UTC)
    with pytest.raises(InputError, match=f"the sessions of XSHG are known from .* to {end}"):
        calendars.hours("XSHG", after)


def test_a_date_before_an_exchange_was_recorded_is_refused(calendars):
    with pytest.raises(InputError, match="the sessions of XSHG are known from 1990-12-03 to"):
        calendars.sessions("XSHG", dt.date(1980, 1, 1), dt.date(1980, 2, 1))
    with pytest.raises(InputError, match="the sessions of XSHG are known from"):
        calendars.hours("XSHG", utc("1980-01-02 12:00"))


def test_an_unknown_calendar_is_refused_with_names_like_it(calendars):
    with pytest.raises(InputError, match=r'no market calendar "XNYZ": did you mean .*XNYS'):
        calendars.hours("XNYZ", utc("2026-03-06 12:00"))
    with pytest.raises(InputError, match="write XNYS, 24/7 or forex"):
        calendars.sessions("%%%", dt.date(2026, 1, 1), dt.date(2026, 1, 2))


def test_known_calendars_are_our_own_and_the_exchanges(calendars):
    known = [calendars.is_known(name) for name in ("24/7", "forex", "weekdays", "XNYS", "XLON")]
    assert known == [True] * 5
    assert not calendars.is_known("XNYZ")


@pytest.mark.parametrize(
    ("traded", "settles"),
    [
        pytest.param("2026-11-20", "2026-11-23", id="over a weekend"),
        pytest.param("2026-11-25", "2026-11-27", id="over Thanksgiving"),
        pytest.param("2024-10-11", "2024-10-15", id="over Columbus Day, when stocks trade"),
        pytest.param("2025-11-10", "2025-11-12", id="over Veterans Day, when stocks trade"),
        pytest.param("2029-11-09", "2029-11-13", id="Veterans Day on a Sunday is kept on Monday"),
        pytest.param("2023-11-09", "2023-11-10", id="Veterans Day on a Saturday is not moved"),
    ],
)
def test_a_trade_settles_on_the_next_business_day_of_the_banks(calendars, traded, settles):
    day = calendars.settlement_date(dt.date.fromisoformat(traded))
    assert day == dt.date.fromisoformat(settles)


def test_settlement_without_the_library_counts_weekdays(calendars, monkeypatch):
    monkeypatch.setattr("trimtab.adapters.calendars.find_spec", lambda name: None)
    assert calendars.settlement_date(dt.date(2026, 11, 20)) == dt.date(2026, 11, 23)
    assert calendars.settlement_date(dt.date(2026, 11, 25)) == dt.date(2026, 11, 26)


def test_an_exchange_without_the_library_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "exchange_calendars", None)
    with pytest.raises(MissingExtra, match=r"pip install 'trimtab\[market\]'"):
        MarketCalendars().hours("XNYS", utc("2026-03-06 12:00"))


def test_our_own_calendars_load_no_pandas():
    program = (
        "import datetime as dt, sys\n"
        "from trimtab.adapters.calendars import MarketCalendars\n"
        "calendars = MarketCalendars()\n"
        "for name in ('24/7', 'forex', 'weekdays'):\n"
        "    calendars.hours(name, dt.datetime(2026, 3, 6, tzinfo=dt.UTC))\n"
        "    calendars.close_of(name, dt.date(2026, 3, 6))\n"
        "assert calendars.is_known('XNYS')\n"
        "sys.exit('pandas' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_instants_become_nanoseconds_whatever_unit_they_came_in():
    instant = utc("2026-01-07 10:00")
    as_nanoseconds = 1_767_780_000 * 10**9
    microseconds = np.array(["2026-01-07T10:00"], dtype="datetime64[us]")
    offset = instant.astimezone(dt.timezone(dt.timedelta(hours=-5)))
    for instants in ([instant], microseconds, [offset]):
        assert to_ns_utc(instants).asi8.tolist() == [as_nanoseconds]
    assert str(to_ns_utc([instant]).dtype) == "datetime64[ns, UTC]"
