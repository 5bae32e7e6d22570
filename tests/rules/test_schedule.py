"""Money that comes round: on its days, in their order, and on no other."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.domain.policy import FlowRule, PurchaseRule
from trimtab.domain.values import ScheduledFlow
from trimtab.rules.schedule import flows_due
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
