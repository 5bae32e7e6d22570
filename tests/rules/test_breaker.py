"""The circuit breaker: a withdrawal is no loss, and a deposit hides none."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.houses import START

from trimtab.domain.events import BreakerRearmed, BreakerTripped, Entry, Event, ValueMarked
from trimtab.domain.memory import Mark, Memory, remember
from trimtab.domain.numbers import ONE, ZERO
from trimtab.domain.policy import GateRule
from trimtab.rules.breaker import (
    falls,
    is_fall,
    market_wide_halt,
    unit_value,
)

LIMITS = GateRule()
MONDAY = dt.date(2026, 3, 9)
amounts = st.integers(1, 10**11).map(lambda number: Decimal(number) / 100)


@given(amounts, amounts, st.integers(-(10**9), 10**9).map(Decimal))
def test_money_that_comes_or_goes_never_moves_the_value_of_a_unit(before, later, flow):
    mark = _mark(value=before, unit="1.25")
    without = unit_value(mark, later, ZERO)
    assert abs(unit_value(mark, later + flow, flow) - without) <= abs(without) * Decimal("1e-24")


def test_the_first_mark_is_one_unit_and_a_household_that_was_worth_nothing_starts_again():
    assert unit_value(None, Decimal(5000), Decimal(5000)) == 1
    assert unit_value(_mark(value=ZERO, unit="0.8"), Decimal(100), Decimal(100)) == Decimal("0.8")


@pytest.mark.parametrize(
    ("now", "trips"),
    [
        pytest.param("80", True, id="exactly a fifth trips"),
        pytest.param("80.01", False, id="a cent less does not"),
        pytest.param("79.99", True, id="a cent more does"),
    ],
)
def test_a_fall_of_a_fifth_in_a_day_trips_and_less_does_not(now, trips):
    assert is_fall(Decimal(now), Decimal(100), Decimal("0.20")) == trips
    memory = _remembered((MONDAY - dt.timedelta(days=1), "100"))
    found = falls(memory, MONDAY, Decimal(now) / 100, LIMITS)
    assert [fall.rule for fall in found] == (["daily"] if trips else [])


def test_the_sentence_of_a_fall_says_by_how_much_and_since_when():
    memory = _remembered((dt.date(2026, 3, 6), "100"))
    (fall,) = falls(memory, MONDAY, Decimal("0.78"), LIMITS)
    assert fall.sentence == ("the savings fell 22.0 % since 2026-03-06, the daily limit is 20.0 %")


def test_a_slow_fall_trips_the_rule_of_the_peak_and_not_that_of_the_day():
    days = [MONDAY - dt.timedelta(days=days) for days in (3, 2, 1)]
    memory = _remembered(*zip(days, ["100", "85", "72"], strict=True))
    assert falls(memory, MONDAY, Decimal("0.70"), LIMITS) == ()
    (fall,) = falls(memory, MONDAY, Decimal("0.65"), LIMITS)
    assert fall.rule == "peak"
    assert fall.sentence == "the savings are 35.0 % below their peak, the limit is 35.0 %"


def test_several_looks_on_one_day_compare_with_the_day_before_and_not_with_each_other():
    memory = _remembered((MONDAY - dt.timedelta(days=1), "100"), (MONDAY, "90"), (MONDAY, "85"))
    assert [fall.rule for fall in falls(memory, MONDAY, Decimal("0.79"), LIMITS)] == ["daily"]
    assert falls(memory, MONDAY, Decimal("0.81"), LIMITS) == ()


@pytest.mark.parametrize(("days", "judges"), [(1, True), (4, True), (5, False), (30, False)])
def test_a_mark_older_than_a_long_weekend_is_no_longer_yesterday(days, judges):
    memory = _remembered((MONDAY - dt.timedelta(days=days), "100"))
    rules = [fall.rule for fall in falls(memory, MONDAY, Decimal("0.75"), LIMITS)]
    assert rules == (["daily"] if judges else [])


def test_a_breaker_that_a_person_re_armed_does_not_trip_at_once_again():
    memory = _remembered((MONDAY - dt.timedelta(days=1), "100"), (MONDAY, "60"))
    tripped = _fold(memory, BreakerTripped(rule="breaker", sentence="it fell"))
    assert tripped.breaker == "it fell"
    rearmed = _fold(tripped, BreakerRearmed(because="I looked", unit_value=Decimal("0.60")))
    assert rearmed.breaker is None
    assert falls(rearmed, MONDAY, Decimal("0.60"), LIMITS) == ()
    tomorrow = MONDAY + dt.timedelta(days=1)
    assert falls(rearmed, tomorrow, Decimal("0.58"), LIMITS) == ()
    assert [f.rule for f in falls(rearmed, tomorrow, Decimal("0.47"), LIMITS)] == ["daily"]


def test_exactly_a_fifth_trips_although_unit_values_are_quotients():
    third = unit_value(_mark(value=Decimal(3), unit="1"), Decimal(1), ZERO)
    later = unit_value(_mark(value=Decimal(7), unit=str(third)), Decimal("5.6"), ZERO)
    assert is_fall(later, third, Decimal("0.20"))
    assert not is_fall(later * Decimal("1.000001"), third, Decimal("0.20"))


@pytest.mark.parametrize(
    ("index", "time", "triggered", "early", "expected"),
    [
        pytest.param("3720", "15:25:00", [], False, (1, "halt_15m"), id="15:25 is included"),
        pytest.param("3720", "15:25:59", [], False, (1, "halt_15m"), id="all of that minute"),
        pytest.param("3720", "15:26:00", [], False, (1, "none"), id="a minute later"),
        pytest.param("3720", "12:25:00", [], True, (1, "halt_15m"), id="half day, 12:25"),
        pytest.param("3720", "12:26:00", [], True, (1, "none"), id="half day, 12:26"),
        pytest.param("3480", "11:00:00", [1], False, (2, "halt_15m"), id="level 2 after level 1"),
        pytest.param("3480", "11:00:00", [1, 2], False, (2, "none"), id="each level once a day"),
        pytest.param("3200", "15:59:00", [1, 2], False, (3, "halt_day"), id="level 3 at any time"),
        pytest.param("3720.01", "11:00:00", [], False, (0, "none"), id="a hair above level 1"),
        pytest.param("3720", "09:29:59", [], False, (1, "none"), id="before the open"),
        pytest.param("3720", "09:30:00", [], False, (1, "halt_15m"), id="at the open"),
    ],
)
def test_the_market_wide_halt_follows_the_rule_of_the_exchange(
    index, time, triggered, early, expected
):
    found = market_wide_halt(
        prior_close=Decimal(4000),
        index_level=Decimal(index),
        time_new_york=dt.time.fromisoformat(time),
        already_triggered=triggered,
        early_close=early,
    )
    assert found == expected


def _mark(*, value: Decimal, unit: str) -> Mark:
    return Mark(at=START, session=MONDAY, value=value, unit_value=Decimal(unit))


def _remembered(*marks: tuple[dt.date, str]) -> Memory:
    """A household marked on these sessions, of a hundred units; the first at its peak."""
    memory = Memory()
    for session, value in marks:
        amount = Decimal(value)
        event = ValueMarked(session=session, value=amount, flow=ZERO, unit_value=amount / 100)
        memory = _fold(memory, event)
    assert memory.peak == ONE
    return memory


def _fold(memory: Memory, event: Event) -> Memory:
    return remember(memory, [Entry(sequence=1, at=START, cycle="c", event=event, hash="")])
