"""What is due on which day under a rule, and that it is what the same rule does over history."""

import datetime as dt
from decimal import ROUND_DOWN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from trimtab.domain.errors import InputError
from trimtab.domain.incoming import CAP_MULTIPLE, PastContribution
from trimtab.domain.numbers import CENT, ZERO, Money
from trimtab.rules.averaging import value_averaging
from trimtab.rules.contributions import (
    DollarCostRule,
    Obligation,
    Rule,
    ValueAveragingRule,
    amount_due,
    cap_of,
    contribution_days,
    goals,
    limits_of,
    obligations_due,
    parts_of,
)

D = Decimal
FIRST = dt.date(2026, 1, 31)
STREAM = DollarCostRule(account="joint", amount=D(500), first=FIRST)
LUMP = DollarCostRule(account="joint", amount=D(1000), first=FIRST, parts=3)
PATH = ValueAveragingRule(account="joint", amount=D(1000), first=FIRST, expected_return=D("0.007"))


def _due(
    rule: Rule,
    today: dt.date,
    *past: PastContribution,
    value: Money = ZERO,
    since: dt.date = FIRST,
) -> tuple[Obligation, ...]:
    return obligations_due(rule, value=value, past=past, since=since, today=today)


def _done(day: dt.date, amount: Money, withheld: Money = ZERO) -> PastContribution:
    return PastContribution(day=day, amount=amount, withheld=withheld)


def test_a_stream_is_due_on_its_days_and_once():
    february = dt.date(2026, 2, 28)
    due = _due(STREAM, february, _done(FIRST, D(500)))
    assert [(one.day, one.amount, one.account) for one in due] == [(february, D(500), "joint")]
    assert due[0].why == "500.00 USD are put in every month, and were due on 2026-02-28."
    assert _due(STREAM, february, _done(FIRST, D(500)), _done(february, D(500))) == ()


def test_nothing_is_due_before_the_first_day():
    for rule in (STREAM, LUMP, PATH):
        assert _due(rule, FIRST - dt.timedelta(days=1)) == ()


def test_every_day_of_a_stream_that_was_missed_is_made_good():
    due = _due(STREAM, dt.date(2026, 4, 2))
    assert [str(one.day) for one in due] == ["2026-01-31", "2026-02-28", "2026-03-31"]


def test_nothing_is_owed_for_days_before_the_rule_held():
    due = _due(STREAM, dt.date(2026, 4, 2), since=dt.date(2026, 3, 31))
    assert [str(one.day) for one in due] == ["2026-03-31"]
    assert _due(PATH, dt.date(2026, 4, 2), since=dt.date(2026, 4, 1)) == ()


def test_what_is_half_paid_is_still_due_by_half():
    due = _due(STREAM, FIRST, _done(FIRST, D(200)))
    assert [one.amount for one in due] == [D(300)]
    assert due[0].why.endswith("; 200.00 USD of it are in.")


def test_a_lump_is_due_in_equal_parts_and_then_no_more():
    due = _due(LUMP, dt.date(2027, 1, 1))
    assert [one.amount for one in due] == [D("333.34"), D("333.33"), D("333.33")]
    assert due[1].why == "Part 2 of 3 of 1,000.00 USD, 333.33 USD, was due on 2026-02-28."


@given(
    st.decimals("0.01", "100000", places=2, allow_nan=False),
    st.integers(1, 40),
    st.sampled_from(["week", "two_weeks", "month", "quarter", "year"]),
)
def test_the_parts_of_a_lump_that_fall_due_are_the_lump_to_the_cent(amount, parts, every):
    rule = replace(LUMP, amount=amount, parts=parts, every=every)
    due = _due(rule, dt.date(2075, 1, 1))
    assert sum((one.amount for one in due), ZERO) == amount
    assert len({one.day for one in due}) == len(due) <= parts


@given(
    st.decimals("0", "100000", places=2, allow_nan=False),
    st.integers(1, 40),
    st.integers(0, 45),
)
def test_what_is_left_of_a_lump_is_divided_over_its_days_to_come(left, parts, done):
    rule = replace(LUMP, parts=parts)
    days = contribution_days(rule, FIRST - dt.timedelta(days=1), dt.date(2040, 1, 1))
    after = ([FIRST - dt.timedelta(days=1), *days] + [days[-1]] * 45)[done]
    found = parts_of(rule, left, after)
    assert [day for _, day, _ in found] == [day for day in days if day > after]
    assert [number for number, _, _ in found] == list(range(done + 1, parts + 1))
    shares = [share for _, _, share in found]
    assert sum(shares, ZERO) == (left if shares else ZERO)
    assert not shares or max(shares) - min(shares) <= CENT


def test_a_stream_that_grows_grows_from_its_second_contribution():
    rule = replace(STREAM, growth=D("0.01"))
    assert [amount_due(rule, number) for number in (1, 2, 3)] == [D(500), D(505), D("510.05")]


def test_a_single_contribution_is_due_once():
    rule = replace(STREAM, every="once")
    assert [one.day for one in _due(rule, dt.date(2030, 1, 1))] == [FIRST]
    assert contribution_days(rule, FIRST, dt.date(2030, 1, 1)) == ()


def test_value_averaging_asks_for_what_the_path_is_short_of():
    due = _due(PATH, dt.date(2026, 2, 28), _done(FIRST, D(1000)), value=D(900))
    assert due == (
        Obligation(
            day=dt.date(2026, 2, 28),
            account="joint",
            amount=D("1107.00"),
            goal=D("2007.00"),
            why=(
                "The path asks for 2,007.00 USD on 2026-02-28, and the value is 900.00 USD: "
                "1,107.00 USD are missing."
            ),
        ),
    )


def test_of_several_days_missed_a_path_counts_only_the_last():
    due = _due(PATH, dt.date(2026, 4, 2), value=D(900))
    assert [(str(one.day), one.amount) for one in due] == [("2026-03-31", D("2121.05"))]


def test_a_day_of_the_path_that_was_done_is_not_asked_for_again():
    done = _done(dt.date(2026, 2, 28), ZERO)
    assert _due(PATH, dt.date(2026, 3, 15), done, value=ZERO) == ()


def test_the_cap_is_there_unless_it_is_set_and_says_what_it_withholds():
    due = _due(PATH, dt.date(2026, 6, 30), value=ZERO)[0]
    assert due.amount == cap_of(PATH, 6) == CAP_MULTIPLE * 1000
    assert due.goal is not None
    assert due.withheld == due.goal - D(3000)
    assert due.why == (
        "The path asks for 6,105.99 USD on 2026-06-30, and the value is 0.00 USD: the cap of 3 "
        "contributions lets in 3,000.00 USD, and 3,105.99 USD are asked for again next time."
    )


def test_what_a_cap_withheld_stays_given_up_where_the_rule_does_not_carry_forward():
    rule = replace(PATH, expected_return=ZERO, carries_forward=False)
    past = _done(FIRST, D(600), withheld=D(400))
    due = _due(rule, dt.date(2026, 2, 28), past, value=D(600))[0]
    assert (due.amount, due.goal) == (D(1000), D(1600))
    ended_short = replace(past, short=D(100))
    assert _due(rule, dt.date(2026, 2, 28), ended_short, value=D(600)) == (due,)


def test_a_value_above_the_path_is_left_alone_unless_the_rule_sells():
    left = _due(PATH, FIRST, value=D(1200))[0]
    assert left.amount == ZERO
    assert left.why.endswith("it is above the path, and the rule does not sell.")
    sold = _due(replace(PATH, sells=True), FIRST, value=D(1200))[0]
    assert sold.amount == D(-200)
    assert sold.why.endswith("200.00 USD are sold into the side fund.")
    assert _due(PATH, FIRST, value=D(1000))[0].why.endswith("nothing is missing.")


def test_a_path_starts_with_what_is_held_already():
    rule = replace(PATH, start=D(10_000))
    assert goals(rule, FIRST) == ((FIRST, D("11070.00")),)
    assert goals(replace(rule, path="edleson"), FIRST) == ((FIRST, D("11073.50")),)


@given(
    st.lists(st.decimals("1", "50", places=2, allow_nan=False), min_size=1, max_size=15),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["exact", "edleson"]),
)
def test_what_falls_due_day_by_day_is_what_the_course_over_history_puts_in(
    prices, sells, carries_forward, path
):
    rule = replace(PATH, sells=sells, carries_forward=carries_forward, path=path, growth=D("0.005"))
    days = contribution_days(rule, FIRST - dt.timedelta(days=1), dt.date(2030, 1, 1))
    held, past = ZERO, list[PastContribution]()
    for day, price in zip(days, prices, strict=False):
        (due,) = _due(rule, day, *past, value=held * price)
        held += due.amount / price
        past.append(_done(day, due.amount, due.withheld))
    wanted = [goal for _, goal in goals(rule, days[len(prices) - 1])]
    course = value_averaging(wanted, prices, limits_of(rule, len(prices)))
    assert [one.amount for one in past] == list(course.contributions)
    assert [one.withheld for one in past] == list(course.withheld)


STEP = D("0.000001")
"""What brokers trade in fractions of a share by."""


@given(
    prices=st.lists(st.decimals("1", "500", places=2, allow_nan=False), min_size=1, max_size=15),
    path=st.sampled_from(["exact", "edleson"]),
    expected=st.decimals("-0.02", "0.03", places=4, allow_nan=False),
    growth=st.decimals("-0.02", "0.03", places=4, allow_nan=False),
    start=st.decimals("0", "50000", places=2, allow_nan=False),
)
def test_a_rule_without_a_cap_keeps_fractional_shares_on_its_path_to_the_cent(
    prices, path, expected, growth, start
):
    rule = replace(
        PATH,
        path=path,
        expected_return=expected,
        growth=growth,
        start=start,
        sells=True,
        cap_multiple=D("1e9"),
    )
    days = contribution_days(rule, FIRST - dt.timedelta(days=1), dt.date(2030, 1, 1))
    held = ZERO
    for day, price in zip(days, prices, strict=False):
        (due,) = _due(rule, day, value=held * price)
        held += (due.amount / price).quantize(STEP, rounding=ROUND_DOWN)
        assert due.goal is not None
        assert abs(held * price - due.goal) <= CENT / 2 + STEP * price


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (replace(STREAM, amount=D(-1)), "amount = -1: write an amount of zero or more"),
        (replace(STREAM, growth=D(-1)), "growth = -1: write a rate a period"),
        (replace(LUMP, parts=0), "parts = 0: write 1 or more"),
        (replace(PATH, expected_return=D("nan")), "expected_return = NaN"),
        (replace(PATH, start=D(-5)), "start = -5"),
        (replace(PATH, cap_multiple=D("0.5")), "cap_multiple = 0.5: write 1 or more"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_with_its_account_and_value(rule, told):
    with pytest.raises(InputError) as caught:
        _due(rule, FIRST)
    assert str(caught.value).startswith("the contributions into joint: ")
    assert told in str(caught.value)


def test_all_that_is_wrong_with_a_rule_is_told_at_once():
    with pytest.raises(InputError, match=r"amount = -1.*cap_multiple = 0"):
        goals(replace(PATH, amount=D(-1), cap_multiple=ZERO), FIRST)
