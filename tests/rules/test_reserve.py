"""The operating reserve: what the next months cost is put aside first, exact to the cent."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from trimtab.domain.errors import InputError
from trimtab.domain.numbers import CENT, ONE, ZERO
from trimtab.domain.policy import BillRule, ReserveRule
from trimtab.rules.reserve import (
    claim,
    coverage,
    monthly,
    present_value,
    reserve,
    status,
)

D = Decimal
TODAY = dt.date(2026, 1, 31)
ACCOUNT = "joint"
PLAIN = ReserveRule(account=ACCOUNT, monthly_costs=D(3500), months=12)
cents = st.integers(0, 10**7).map(lambda number: D(number) / 100)
yearly = st.integers(-500, 1500).map(lambda number: D(number) / 10_000)
parts = st.integers(0, 100).map(lambda number: D(number) / 100)
bills = st.builds(
    BillRule,
    amount=cents,
    first=st.dates(dt.date(2025, 1, 1), dt.date(2028, 1, 1)),
    every=st.sampled_from(["once", "week", "month", "quarter", "year"]),
)
needs = st.builds(
    ReserveRule,
    account=st.just(ACCOUNT),
    monthly_costs=cents,
    months=st.integers(0, 24),
    growth=yearly,
    monthly_income=cents,
    income_haircut=parts,
    bills=st.lists(bills, max_size=2).map(tuple),
    rate=yearly,
    timing=st.sampled_from(["begin", "end"]),
)


@given(cents, st.integers(0, 60), st.integers(-90, 90), st.integers(-90, 90))
def test_the_present_value_is_that_of_a_growing_annuity(cost, months, growth_bps, rate_bps):
    growth, rate = D(growth_bps) / 10_000, D(rate_bps) / 10_000
    ratio = (ONE + growth) / (ONE + rate)
    terms = D(months) if growth == rate else (1 - ratio**months) / (1 - ratio)
    begin = present_value(cost, months, monthly_growth=growth, monthly_rate=rate)
    end = present_value(cost, months, monthly_growth=growth, monthly_rate=rate, timing="end")
    assert abs(begin - cost * terms) <= D("1e-12")
    assert abs(end * (ONE + rate) - begin) <= D("1e-12")


def test_costs_that_stop_growing_or_are_none_are_still_counted():
    assert present_value(D(3500), 0) == 0
    assert present_value(ZERO, 12) == 0
    assert present_value(D(-3500), 12) == 0
    assert present_value(D(100), 12, monthly_growth=D("-0.999999"), monthly_rate=ZERO) > 100


@pytest.mark.parametrize(
    ("given_rates", "sentence"),
    [
        pytest.param({"months": -1}, "covers -1 months", id="months"),
        pytest.param({"monthly_growth": D(-1)}, "growth of -100", id="growth"),
        pytest.param({"monthly_rate": D(-2)}, "rate of -200", id="rate"),
    ],
)
def test_what_has_no_present_value_is_refused_in_a_sentence(given_rates, sentence):
    with pytest.raises(InputError, match=sentence):
        present_value(D(100), given_rates.pop("months", 12), **given_rates)


def test_a_yearly_rate_is_twelve_monthly_ones():
    assert monthly(ZERO) == 0
    assert abs((ONE + monthly(D("0.03"))) ** 12 - D("1.03")) < D("1e-24")


@given(cents, cents, st.integers(1, 60))
def test_without_growth_and_rate_it_is_the_months_times_what_a_month_lacks(costs, income, months):
    rule = ReserveRule(monthly_costs=costs, account="joint", months=months, monthly_income=income)
    assert reserve(rule, TODAY).amount == max(ZERO, costs - income) * months


@given(needs, cents, st.integers(1, 6))
def test_the_reserve_is_never_smaller_for_higher_costs_or_more_months(costs, more, longer):
    amount = reserve(costs, TODAY).amount
    assert amount >= 0
    dearer = replace(costs, monthly_costs=costs.monthly_costs + more)
    assert reserve(dearer, TODAY).amount >= amount
    assert reserve(replace(costs, months=costs.months + longer), TODAY).amount >= amount
    assert reserve(replace(costs, income_haircut=ONE), TODAY).amount >= amount
    billed = replace(costs, bills=(*costs.bills, BillRule(amount=more, first=TODAY)))
    assert reserve(billed, TODAY).amount >= amount


@given(needs)
def test_the_months_are_cents_and_add_up_to_the_reserve_exactly(costs):
    found = reserve(replace(costs, monthly_income=ZERO), TODAY)
    assert len(found.months) == costs.months
    assert all(row.present == row.present.quantize(CENT) for row in found.months)
    assert sum((row.present for row in found.months), ZERO) == found.amount


@given(needs, cents, st.booleans())
def test_the_months_are_covered_exactly_if_the_reserve_is_there(costs, safe, exactly):
    amount = reserve(costs, TODAY).amount
    held = amount if exactly else safe
    covered = coverage(costs, TODAY, held)
    assert (covered.months is None or covered.months >= costs.months) == (held >= amount)
    assert covered.above - covered.lacks == held - amount


@given(needs, cents, cents)
def test_more_money_covers_no_fewer_months(costs, safe, more):
    less, greater = coverage(costs, TODAY, safe), coverage(costs, TODAY, safe + more)
    assert greater.months is None or (less.months is not None and less.months <= greater.months)


def test_the_last_month_is_spent_evenly():
    assert coverage(PLAIN, TODAY, D(25_900)).months == D("7.4")
    assert coverage(PLAIN, TODAY, D(-1)).months == 0
    assert coverage(PLAIN, TODAY, ZERO).months == 0
    assert coverage(PLAIN, TODAY, D(63_000)).months == 18


def test_a_bill_counts_in_the_month_of_its_day_and_only_there():
    tax = BillRule(amount=D(2400), first=dt.date(2025, 4, 10), every="year", name="property tax")
    due_today = BillRule(amount=D(50), first=TODAY)
    overdue = BillRule(amount=D(10_000), first=TODAY - dt.timedelta(days=1))
    later = BillRule(amount=D(10_000), first=dt.date(2027, 1, 31))
    costs = replace(PLAIN, bills=(tax, due_today, overdue, later))
    found = reserve(costs, TODAY)
    assert [str(row.begins) for row in found.months[:4]] == [
        "2026-01-31",
        "2026-02-28",
        "2026-03-31",
        "2026-04-30",
    ]
    assert [int(row.bills) for row in found.months] == [50, 0, 2400] + [0] * 9
    assert found.amount == 12 * 3500 + 2400 + 50
    assert reserve(replace(costs, months=13), TODAY).amount == 13 * 3500 + 2400 + 50 + 10_000


def test_a_bill_on_a_leap_day_is_due_on_the_28th_of_other_years():
    bill = BillRule(amount=D(10), first=dt.date(2024, 2, 29), every="year")
    march = reserve(
        ReserveRule(account=ACCOUNT, monthly_costs=ZERO, months=1, bills=(bill,)),
        dt.date(2026, 2, 28),
    )
    assert march.amount == 10
    gone = reserve(
        ReserveRule(account=ACCOUNT, monthly_costs=ZERO, months=1, bills=(bill,)),
        dt.date(2026, 3, 1),
    )
    assert gone.amount == 0


def test_a_later_surplus_never_pays_an_earlier_bill():
    roof = BillRule(amount=D(9_000), first=dt.date(2026, 2, 10))
    costs = ReserveRule(
        account=ACCOUNT,
        monthly_costs=D(3000),
        months=12,
        monthly_income=D(4000),
        bills=(roof,),
        rate=ZERO,
    )
    assert reserve(costs, TODAY).amount == 8_000
    assert coverage(costs, TODAY, D(8_000)).months is None
    assert coverage(costs, TODAY, D(4_000)).months == D("0.5")


def test_growth_rate_and_a_haircut_on_the_income():
    costs = ReserveRule(
        account=ACCOUNT,
        monthly_costs=D(3500),
        months=12,
        growth=D("0.03"),
        monthly_income=D(1000),
        income_haircut=D("0.25"),
        rate=D("0.04"),
    )
    first, second = reserve(costs, TODAY).months[:2]
    assert (first.income, first.present) == (D(750), D(2750))
    assert second.present == D("2749.63")
    assert reserve(replace(costs, timing="end"), TODAY).amount < reserve(costs, TODAY).amount


@given(cents, cents)
def test_new_money_fills_the_reserve_first_and_no_cent_is_lost(lacks, incoming):
    divided = claim(lacks, incoming)
    assert divided.to_reserve == min(lacks, incoming)
    assert divided.to_reserve + divided.to_invest == incoming
    assert divided.to_invest == 0 or divided.to_reserve == lacks


def test_money_that_leaves_fills_no_reserve():
    assert claim(D(100), D(-50)) == (ZERO, D(-50))


@pytest.mark.parametrize(
    ("costs", "safe", "sentence"),
    [
        pytest.param(
            PLAIN,
            "25900",
            "The reserve covers 7.4 of 12 months: it lacks 16,100.00 USD, and new money goes "
            "there first.",
            id="short",
        ),
        pytest.param(
            PLAIN,
            "41999.99",
            "The reserve covers 11.9 of 12 months: it lacks 0.01 USD, and new money goes there "
            "first.",
            id="a cent short looks short",
        ),
        pytest.param(
            PLAIN,
            "42000",
            "The reserve covers all of the 12 months that the policy asks for.",
            id="full",
        ),
        pytest.param(
            PLAIN,
            "63000",
            "The reserve covers 18.0 months; the policy asks for 12, so 21,000.00 USD of it may "
            "be invested.",
            id="more than full",
        ),
        pytest.param(
            replace(PLAIN, monthly_income=D(3500)),
            "0",
            "The reserve and the income cover the running costs and bills with no end in sight.",
            id="covered by the income",
        ),
    ],
)
def test_the_status_line_says_how_many_months_are_covered(costs, safe, sentence):
    assert status(costs, coverage(costs, TODAY, D(safe))) == sentence


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        pytest.param({"monthly_costs": D(-1)}, "monthly_costs is -1", id="costs"),
        pytest.param({"monthly_income": D(-1)}, "monthly_income is -1", id="income"),
        pytest.param({"income_haircut": D(25)}, "income_haircut is 25", id="haircut"),
        pytest.param({"months": 1201}, "from 0 to 1200", id="months"),
        pytest.param({"growth": D(-1)}, "-100.0 % a year loses everything", id="growth"),
        pytest.param(
            {"bills": (BillRule(amount=D(-5), first=TODAY, name="roof"),)},
            "bill roof is -5",
            id="bill",
        ),
    ],
)
def test_costs_that_make_no_sense_are_refused_in_a_sentence(changed, sentence):
    with pytest.raises(InputError, match=sentence):
        reserve(replace(PLAIN, **changed), TODAY)
