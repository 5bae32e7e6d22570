"""Where cash earns most after tax, and where the curve is inverted."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.houses import TOML

from trimtab.domain.household import accounts_of, decode_household
from trimtab.domain.policy import ClassRule
from trimtab.domain.yield_facts import BillRate, Curve, CurvePoint, RateRule, YieldsRule
from trimtab.rules.yields import (
    Earning,
    after_tax,
    bill_rate,
    earnings,
    effective_rate,
    inversions,
    safe_choice,
    slope,
    tax_rate,
)

FILE = decode_household(TOML)
TAX = FILE.tax
STATE = Decimal("0.05")
DAY = dt.date(2026, 3, 9)
SEEN = RateRule(
    name="Fund", rate=Decimal("0.04"), kind="bank", as_of=DAY, risk="insured", symbol="BND"
)


def told(*rules: RateRule, state: Decimal | None = STATE) -> tuple[Earning, ...]:
    yields = YieldsRule(state_rate=state, rates=rules)
    return earnings(yields, TAX, accounts_of(FILE), FILE.classes, "USD")


def curve(**rates: str) -> Curve:
    points = tuple(
        CurvePoint(months=Decimal(name[1:]), rate=Decimal(rate)) for name, rate in rates.items()
    )
    return Curve(on=DAY, points=points)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        pytest.param("bank", "0.30", id="interest is ordinary income (26 USC 61)"),
        pytest.param("money_market", "0.30", id="so is what a fund of paper pays"),
        pytest.param("corporate", "0.30", id="and a company's bond"),
        pytest.param("defi", "0.30", id="and what a protocol pays (Rev. Rul. 2023-14)"),
        pytest.param("treasury", "0.25", id="the state may not tax Treasuries (31 USC 3124)"),
        pytest.param("muni", "0.05", id="nor the federation a state's bond (26 USC 103)"),
    ],
)
def test_each_kind_is_taxed_as_the_law_has_it(kind, expected):
    assert tax_rate(kind, TAX, STATE) == Decimal(expected)


def test_a_bond_of_the_own_state_is_free_of_both_and_a_fund_may_be_half_free():
    assert tax_rate("muni", TAX, STATE, Decimal(1)) == 0
    assert tax_rate("money_market", TAX, STATE, Decimal("0.5")) == Decimal("0.275")


def test_without_a_states_part_nothing_is_taken_off_for_the_state():
    assert tax_rate("treasury", TAX, None) == TAX.short_term_rate
    assert tax_rate("muni", TAX, None) == 0


def test_a_negative_yield_saves_no_tax():
    assert after_tax(Decimal("-0.01"), Decimal("0.3")) == Decimal("-0.01")


@given(
    st.sampled_from(["treasury", "muni", "bank", "money_market", "corporate", "defi"]),
    st.integers(0, 30),
    st.integers(0, 100) | st.none(),
)
def test_the_tax_on_a_yield_is_never_below_zero_nor_above_the_whole_rate(kind, state, free):
    part = tax_rate(kind, TAX, Decimal(state) / 100, None if free is None else Decimal(free) / 100)
    assert 0 <= part <= TAX.short_term_rate


def test_a_treasury_beats_a_bank_that_pays_a_little_more():
    bank = replace(SEEN, name="Bank", rate=Decimal("0.0425"), symbol=None)
    bills = replace(SEEN, name="Bills", kind="treasury")
    found = told(bank, bills)
    assert [one.rule.name for one in found] == ["Bills", "Bank"]
    assert [one.after_tax for one in found] == [Decimal("0.0300"), Decimal("0.029750")]


def test_the_safe_choice_looks_only_at_members_of_safe_classes():
    risky = replace(SEEN, name="Dividends", symbol="VTI", rate=Decimal("0.09"))
    loose = replace(SEEN, name="Protocol", kind="defi", symbol=None, rate=Decimal("0.12"))
    choice = safe_choice(told(risky, SEEN, loose), FILE.classes, "USD")
    assert choice.taxed is not None
    assert choice.free is not None
    assert (choice.taxed.rule.name, choice.free.rule.name) == ("Fund", "Fund")
    assert choice.untold == ()


def test_a_safe_member_without_a_rate_is_named():
    assert safe_choice(told(replace(SEEN, symbol=None)), FILE.classes, "USD").untold == ("BND",)


def test_in_an_account_that_is_not_taxed_the_whole_rate_counts():
    taxed = replace(SEEN, name="Muni", kind="muni", rate=Decimal("0.03"))
    paper = replace(SEEN, name="Paper", kind="corporate", rate=Decimal("0.035"))
    choice = safe_choice(told(taxed, paper), FILE.classes, "USD")
    assert choice.taxed is not None
    assert choice.free is not None
    assert (choice.taxed.rule.name, choice.free.rule.name) == ("Muni", "Paper")


def test_what_only_a_retirement_account_can_hold_is_no_choice_for_a_taxed_one():
    choice = safe_choice(told(replace(SEEN, accounts=("ira",))), FILE.classes, "USD")
    assert choice.taxed is None
    assert choice.free is not None


def test_what_a_protocol_pays_is_held_in_a_wallet_unless_told_otherwise():
    (protocol,) = told(replace(SEEN, kind="defi", symbol=None))
    (bank,) = told(SEEN)
    assert protocol.accounts == ("wallet",)
    assert bank.accounts == ("taxable", "ira")


def test_a_par_yield_paid_twice_a_year_brings_a_little_more():
    assert effective_rate(Decimal("0.05")) == Decimal("0.050625")


def test_the_curve_is_inverted_where_the_longer_maturity_yields_less():
    found = inversions(curve(m3="0.0543", m24="0.0487", m120="0.0381", m240="0.0406"))
    assert [(int(one.shorter.months), int(one.longer.months)) for one in found] == [
        (3, 24),
        (24, 120),
    ]
    assert found[0].drop == Decimal("0.0056")


def test_a_level_or_rising_curve_is_not_inverted():
    assert inversions(curve(m3="0.04", m24="0.04", m120="0.05")) == ()


def test_a_slope_needs_both_of_its_maturities():
    points = curve(m3="0.0543", m120="0.0381")
    assert slope(points, 3, 120) == Decimal("-0.0162")
    assert slope(points, 24, 120) is None


@given(st.lists(st.integers(0, 900), min_size=1, max_size=12))
def test_a_curve_without_an_inversion_never_falls(rates):
    points = tuple(
        CurvePoint(months=Decimal(at + 1), rate=Decimal(rate) / 10_000)
        for at, rate in enumerate(rates)
    )
    found = inversions(Curve(on=DAY, points=points))
    assert bool(found) == (rates != sorted(rates))
    assert all(one.drop > 0 for one in found)


# ------------------------------------------------------------------ what bills pay

TREASURY = replace(SEEN, name="Bill fund", kind="treasury", rate=Decimal("0.041"))
AGO = dt.timedelta(days=10)


def bills(*rules: RateRule, known: Curve | None = None) -> BillRate | None:
    return bill_rate(YieldsRule(rates=rules), known, DAY)


def test_bills_pay_what_the_curve_says_of_three_months():
    found = bills(known=curve(m1="0.0524", m3="0.0543", m12="0.05", m120="0.0381"))
    assert found is not None
    assert found.rate == effective_rate(Decimal("0.0543"))
    assert (found.of, found.on) == ("Treasury bills of 3 months", DAY)


def test_without_three_months_the_nearest_bill_counts_and_no_note():
    found = bills(known=curve(m1="0.01", m6="0.02", m24="0.04"))
    assert found is not None
    assert found.of == "Treasury bills of 1 months"
    assert bills(known=curve(m24="0.04", m120="0.05")) is None


def test_without_a_curve_the_households_own_rate_of_treasuries_counts():
    found = bills(SEEN, TREASURY)
    assert found is not None
    assert (found.rate, found.of, found.on) == (TREASURY.rate, "Bill fund", DAY)
    assert bills(SEEN) is None
    assert bills() is None


def test_a_treasury_bound_for_longer_than_a_year_is_no_bill():
    assert bills(replace(TREASURY, term_months=24)) is None
    six = replace(TREASURY, name="Six months", term_months=6, rate=Decimal("0.042"))
    found = bills(replace(TREASURY, rate=Decimal("0.05")), six)
    assert found is not None
    assert found.of == "Six months"


def test_the_later_of_both_counts_and_nothing_of_a_day_to_come():
    known = curve(m3="0.0543")
    older = replace(TREASURY, as_of=DAY - AGO)
    told = [bills(older, known=known), bills(TREASURY, known=replace(known, on=DAY - AGO))]
    assert [one.of for one in told if one is not None] == [
        "Treasury bills of 3 months",
        "Bill fund",
    ]
    assert bills(replace(TREASURY, as_of=DAY + AGO)) is None
    assert bills(known=replace(known, on=DAY + AGO)) is None


def test_cash_is_safe_and_is_named_where_no_rate_of_it_is_told():
    classes = FILE.classes | {"cash": ClassRule(target=Decimal(0), members=("USD",))}
    idle = replace(SEEN, name="Sweep", symbol="USD")
    yields = YieldsRule(rates=(idle,))
    found = earnings(yields, TAX, accounts_of(FILE), classes, "USD")
    assert [one.safe_class for one in found] == ["cash"]
    assert safe_choice(found, classes, "USD").untold == ("BND",)
    assert safe_choice((), classes, "USD").untold == ("BND", "USD")
