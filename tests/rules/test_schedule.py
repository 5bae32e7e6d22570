"""Money that comes round: on its days, in their order, and on no other."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.domain.numbers import ZERO
from trimtab.domain.policy import FlowRule, PurchaseRule
from trimtab.domain.values import PastFlow, ScheduledFlow
from trimtab.rules.schedule import expected, flows_due, kept_until, overdue, still_due
from trimtab.rules.tax.schedule import purchases_due

EVERY = ("once", "week", "two_weeks", "month", "quarter", "year")
NEW_YEAR = dt.date(2026, 1, 1)


def flow(first, every="once", amount="100", account="joint"):
    return FlowRule(account=account, amount=Decimal(amount), first=first, every=every)


def test_a_flow_says_where_when_and_how_much():
    (due,) = flows_due([flow(dt.date(2026, 1, 15))], NEW_YEAR, dt.date(2026, 12, 31))
    assert due == ScheduledFlow(account="joint", date=dt.date(2026, 1, 15), amount=Decimal(100))


def test_money_of_the_day_itself_has_moved_already_and_that_of_the_last_day_counts():
    weekly = flow(NEW_YEAR, "week")
    due = flows_due([weekly], NEW_YEAR, dt.date(2026, 1, 8))
    assert [one.date for one in due] == [dt.date(2026, 1, 8)]


@pytest.mark.parametrize(
    ("every", "days"),
    [
        ("once", []),
        ("week", ["2024-02-07", "2024-02-14", "2024-02-21", "2024-02-28"]),
        ("two_weeks", ["2024-02-14", "2024-02-28"]),
        ("month", ["2024-02-29"]),
        ("quarter", ["2024-04-30", "2024-07-31"]),
        ("year", ["2025-01-31", "2026-01-31"]),
    ],
)
def test_what_began_on_the_31st_of_january_goes_on_like_this(every, days):
    until = {"quarter": dt.date(2024, 8, 31), "year": dt.date(2026, 2, 1)}
    first = dt.date(2024, 1, 31)
    due = flows_due([flow(first, every)], first, until.get(every, dt.date(2024, 3, 1)))
    assert [str(one.date) for one in due] == days


RULES = st.lists(
    st.builds(
        flow,
        st.dates(dt.date(2020, 1, 1), dt.date(2030, 12, 31)),
        st.sampled_from(EVERY),
        st.sampled_from(["100", "250", "5000"]),
        st.sampled_from(["joint", "ira"]),
    ),
    max_size=4,
)
DAYS = st.dates(dt.date(2019, 1, 1), dt.date(2031, 12, 31))


@given(RULES, DAYS, st.integers(0, 400), st.randoms(use_true_random=False))
def test_flows_come_in_one_order_whatever_the_order_of_the_rules(rules, after, span, shuffled):
    until = after + dt.timedelta(days=span)
    due = flows_due(rules, after, until)
    turned = list(rules)
    shuffled.shuffle(turned)
    assert flows_due(turned, after, until) == due
    assert list(due) == sorted(due, key=lambda one: one.date)
    assert all(after < one.date <= until for one in due)


@given(st.sampled_from(EVERY), DAYS, DAYS, st.integers(0, 400))
def test_money_moves_on_the_days_on_which_a_purchase_of_the_same_rule_is_made(
    every, first, after, span
):
    until = after + dt.timedelta(days=span)
    purchase = PurchaseRule(account="joint", symbol="VTI", first=first, every=every)
    bought = [one.date for one in purchases_due([purchase], after, until)]
    assert [one.date for one in flows_due([flow(first, every)], after, until)] == bought


# ---------------------------------------------------------------- what has moved, and what is late

WEEK = dt.timedelta(days=7)


def past(day, amount="100", account="joint"):
    return PastFlow(account=account, date=day, amount=Decimal(amount))


@given(
    st.sampled_from(EVERY[1:]),
    st.integers(0, 31),
    st.integers(0, 400),
    st.integers(-3, 3),
    st.booleans(),
)
def test_what_is_moved_about_its_day_is_neither_late_nor_due_again(
    every, early, ahead, off, is_today
):
    """It counts for its own day, however short the periods are and far the payments ahead."""
    rule, early = flow(NEW_YEAR, every), dt.timedelta(days=max(early, abs(off)))
    today = NEW_YEAR + dt.timedelta(days=ahead)
    due = flows_due([rule], NEW_YEAR - WEEK, today + dt.timedelta(days=400))
    days = [one.date + dt.timedelta(days=off) for one in due]
    moved = [past(day) for day in days if day < today or (day == today and is_today)]
    known = [one for one in moved if (today - one.date).days <= 62]
    until = today + early
    missing = [
        one
        for one, day in zip(due, days, strict=True)
        if day > today or (day == today and not is_today)
    ]
    since = {"joint": NEW_YEAR}
    assert list(expected([rule], known, today, until, early)) == [
        one for one in missing if today <= one.date <= until
    ]
    assert list(overdue([rule], known, today, early, since)) == [
        one for one in missing if one.date < today
    ]


FLOWS = st.lists(
    st.builds(
        past,
        st.dates(NEW_YEAR, NEW_YEAR + dt.timedelta(days=60)),
        st.sampled_from(["40", "100", "250"]),
        st.sampled_from(["joint", "ira"]),
    ),
    max_size=6,
)


@given(FLOWS, FLOWS, st.integers(0, 40))
def test_what_moved_pays_what_is_due_no_more_than_once_and_in_its_own_account(due, moved, early):
    due = [ScheduledFlow(account=one.account, date=one.date, amount=one.amount) for one in due]
    early = dt.timedelta(days=early)
    left = still_due(due, moved, early)
    for account in ("joint", "ira"):
        sums = [
            sum((one.amount for one in flows if one.account == account), ZERO)
            for flows in (due, left, moved)
        ]
        assert ZERO <= sums[0] - sums[1] <= sums[2]
    for one in left:
        later = [paid for paid in moved if paid.account == one.account]
        useful = sum((paid.amount for paid in later if paid.date >= one.date - early), ZERO)
        others = [other for other in due if other.account == one.account]
        assert useful < sum((other.amount for other in others), ZERO), "none of it lies unused"


def test_of_two_days_the_nearer_one_is_paid_and_of_two_as_near_the_earlier_one():
    due = flows_due([flow(NEW_YEAR, "two_weeks")], NEW_YEAR - WEEK, NEW_YEAR + 2 * WEEK)
    for days, left in ((6, 14), (7, 14), (8, 0)):
        moved = [past(NEW_YEAR + dt.timedelta(days=days))]
        (one,) = still_due(due, moved, WEEK)
        assert one.date == NEW_YEAR + dt.timedelta(days=left)


def test_a_part_that_moved_leaves_the_rest():
    rule, today = flow(NEW_YEAR), NEW_YEAR + dt.timedelta(days=3)
    (late,) = overdue([rule], [past(NEW_YEAR, "-30")], today, WEEK, {"joint": NEW_YEAR})
    assert late.amount == 70


def test_nobody_knows_what_an_account_did_before_it_was_followed():
    rule, today = flow(NEW_YEAR), NEW_YEAR + dt.timedelta(days=3)
    for since, count in (({}, 0), ({"joint": today}, 0), ({"joint": NEW_YEAR}, 1)):
        assert len(overdue([rule], [], today, WEEK, since)) == count


@given(DAYS, st.integers(0, 400))
def test_what_is_late_is_kept_as_long_as_it_is_raised_before_and_for_a_weekday_more(day, days):
    until = kept_until(day, days)
    patience = min(days, 28)
    assert until.weekday() < 5
    assert 1 <= (until - day).days - patience <= 3
    between = (day + dt.timedelta(days=patience + more) for more in range(1, 3))
    assert all(one >= until or one.weekday() >= 5 for one in between)
