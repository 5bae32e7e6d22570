"""The tax of a year: stacked brackets, net investment income, and until when it may change."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.rules.tax.test_netting import sale

from trimtab.adapters.law import read_law
from trimtab.domain.errors import InputError
from trimtab.domain.law import STATUS_CODES, Bracket, StatusLaw
from trimtab.rules.tax.netting import Carryover, years_of
from trimtab.rules.tax.year import (
    Income,
    income_tax,
    is_provisional,
    marginal_rates,
    niit,
    provisional_until,
    taxable_income,
    year_tax,
)

LAW = read_law()
STATUTES = LAW.statutes
ZERO = Decimal(0)


def brackets(*pairs):
    return tuple(Bracket(over=Decimal(over), rate=Decimal(rate)) for over, rate in pairs)


SMALL = StatusLaw(
    ordinary=brackets((0, "0.10"), (12, "0.12"), (50, "0.22"), (105, "0.24"), (201, "0.32")),
    long_term=brackets((0, "0"), (47, "0.15"), (160, "0.20")),
    standard_deduction=ZERO,
    additional_standard_deduction=ZERO,
)
"""A law small enough to be counted dollar by dollar."""

whole = st.integers(-60, 300)
positive = st.integers(0, 300)


def income(ordinary, *, status="single", magi=None, **others):
    return Income(
        status=status,
        ordinary=Decimal(ordinary),
        magi=Decimal(ordinary if magi is None else magi),
        **{name: Decimal(value) for name, value in others.items()},
    )


def tax_of(received, *, year=2025, st=0, lt=0, carry_st=0):
    rows = [sale(year, str(st)), sale(year, str(lt), long=True)]
    (totals,) = years_of(rows, received.status, STATUTES, carry=Carryover(st=Decimal(carry_st)))
    return year_tax(totals, received, LAW, rows)


@pytest.mark.parametrize(
    ("code", "magi", "other", "gain", "tax"),
    [
        pytest.param("single", 250_000, 10_000, 20_000, 1140, id="all of the investment income"),
        pytest.param("mfj", 260_000, 10_000, 20_000, 380, id="only what exceeds the threshold"),
        pytest.param("mfs", 130_000, 2_000, 0, 76, id="half the threshold on separate returns"),
        pytest.param("hoh", 199_999, 50_000, 0, 0, id="a dollar below the threshold"),
        pytest.param("single", 300_000, 5_000, -3000, 76, id="an allowed loss reduces the rest"),
        pytest.param("qss", 251_000, 5_000, 0, 38, id="a surviving spouse has the joint threshold"),
        pytest.param("single", 300_000, 1_000, -3000, 0, id="never less than nothing"),
    ],
)
def test_net_investment_income_is_taxed_above_the_threshold(code, magi, other, gain, tax):
    statute = STATUTES.net_investment_income
    amounts = (Decimal(magi), Decimal(other), Decimal(gain))
    assert niit(STATUS_CODES[code], *amounts, statute) == tax


@pytest.mark.parametrize(
    ("ordinary", "gains", "wanted"),
    [
        pytest.param(100_000, {"st": 5_000}, "1133", id="short term: 3,350 at 22 %, 1,650 at 24 %"),
        pytest.param(40_000, {"lt": 10_000}, "247.50", id="8,350 within the 0 % bracket"),
        pytest.param(500_000, {"lt": 100_000}, "18330", id="33,400 at 15 %, 66,600 at 20 %"),
        pytest.param(100_000, {"st": -9_000}, "-660", id="3,000 of the loss saves 22 %"),
        pytest.param(100_000, {"st": -2_000, "lt": 9_000}, "1050", id="net long term at 15 %"),
        pytest.param(
            100_000, {"st": 9_000, "lt": -2_000}, "1613", id="net short term: 22 and 24 %"
        ),
        pytest.param(-4_000, {"lt": 10_000}, "0", id="deductions left over use up the gain"),
        pytest.param(48_475, {"lt": 100}, "15", id="above the 0 % bracket"),
        pytest.param(48_350, {"lt": 125}, "15", id="12 % bracket above the 0 % one: never 15 %"),
        pytest.param(100_000, {"st": 5_000, "carry_st": 5_000}, "0", id="a carryover takes it all"),
    ],
)
def test_gains_are_stacked_on_the_income_of_a_single_person_in_2025(ordinary, gains, wanted):
    assert tax_of(income(ordinary, magi=0), **gains).total == Decimal(wanted)


def test_the_parts_of_a_year_add_up_and_say_what_each_costs():
    received = income(
        "240000", status="married_filing_jointly", magi="255000",
        other_investment="4000", qualified_dividends="6000",
    )  # fmt: skip
    tax = tax_of(received, year=2026, st=1_000, lt=20_000)
    assert tax.short_term == 240
    assert tax.long_term == 3_000
    assert tax.dividends == 900
    # Of the 31,000 of investment income all exceeds 250,000; without the gains 4,000 of it did.
    assert tax.niit == Decimal("0.038") * 27_000
    assert tax.total == 240 + 3_000 + 900 + 1_026
    assert tax.taxable_income == 267_000
    assert tax.rates.st == Decimal("0.278")
    assert tax.rates.lt == Decimal("0.188")


def test_a_loss_saves_at_ordinary_rates_and_reduces_net_investment_income():
    tax = tax_of(income("300000", magi="300000", other_investment="5000"), st=-9_000)
    assert tax.loss_saving == -1050
    assert tax.niit == -114
    assert tax.total == -1164
    assert (tax.short_term, tax.long_term) == (0, 0)


@pytest.mark.parametrize(
    ("received", "short", "long"),
    [
        pytest.param(income("60000"), "0.22", "0.15", id="in the middle of the brackets"),
        pytest.param(income("48475"), "0.22", "0.15", id="the next dollar begins a bracket"),
        pytest.param(income("30000"), "0.12", "0", id="gains untaxed"),
        pytest.param(income("-1"), "0", "0", id="nothing is owed yet"),
        pytest.param(income("300000"), "0.388", "0.188", id="with net investment income tax"),
        pytest.param(
            income("40000", qualified_dividends="20000"), "0.27", "0.15",
            id="ordinary income pushes dividends out of the 0 % bracket",
        ),
    ],
)  # fmt: skip
def test_the_marginal_rates_are_those_of_the_next_cent(received, short, long):
    rates = marginal_rates(received, LAW.year(2025).of("single"), STATUTES)
    assert (rates.st, rates.lt) == (Decimal(short), Decimal(long))


@given(whole, positive)
def test_the_stacked_tax_is_what_counting_dollar_by_dollar_gives(ordinary, preferred):
    assert income_tax(Decimal(ordinary), Decimal(preferred), SMALL) == by_dollar(
        ordinary, preferred
    )


def by_dollar(ordinary, preferred):
    """The slow, obvious way: dollars in line, the ordinary first, each at the rate of its place."""
    line = ["ordinary"] * ordinary + ["preferred"] * preferred
    if ordinary < 0:
        line = line[-ordinary:]
    stacked = plain = ZERO
    for position, kind in enumerate(line):
        plain_rate = [b.rate for b in SMALL.ordinary if b.over <= position][-1]
        long_rate = [b.rate for b in SMALL.long_term if b.over <= position][-1]
        plain += plain_rate
        stacked += plain_rate if kind == "ordinary" else long_rate
    return min(plain, stacked)


@given(
    st.integers(-20_000, 700_000),
    st.integers(-30_000, 300_000),
    st.integers(-30_000, 300_000),
    st.integers(0, 30_000),
    st.sampled_from(sorted(STATUS_CODES.values())),
)
def test_more_gain_never_lowers_the_tax_and_the_parts_are_what_they_say(
    ordinary, short, long, dividends, status
):
    received = income(ordinary, status=status, qualified_dividends=dividends)
    tax = tax_of(received, year=2026, st=short, lt=long)
    assert tax.short_term >= 0 >= tax.loss_saving
    assert tax.long_term >= 0
    assert tax.dividends >= 0
    assert tax.short_term == 0 or tax.loss_saving == 0
    assert tax_of(received, year=2026, st=short + 500, lt=long).total >= tax.total
    assert tax_of(received, year=2026, st=short, lt=long + 500).total >= tax.total
    assert tax_of(received, year=2026, st=short, lt=long).total <= (
        tax_of(received, year=2026, st=short + max(0, long), lt=min(0, long)).total
    )


def test_taxable_income_may_be_negative_for_the_carryover_worksheet():
    (totals,) = years_of([sale(2025, "-5000")], "single", STATUTES)
    assert taxable_income(totals.netting, income("1200", qualified_dividends="300")) == -1500


def test_a_year_whose_figures_are_unknown_is_refused():
    with pytest.raises(InputError, match="2027 are not known"):
        tax_of(income("50000"), year=2027, lt=100)


def test_long_term_gains_of_metal_trusts_are_flagged_and_state_tax_is_named():
    rows = [
        replace(sale(2025, "900", long=True), symbol="IAU"),
        replace(sale(2025, "900"), symbol="SLV"),
        replace(sale(2024, "900", long=True), symbol="GLD"),
        replace(sale(2025, "900", long=True, taxed=False), symbol="GLDM"),
    ]
    totals = years_of(rows, "single", STATUTES)[-1]
    tax = year_tax(totals, income("80000"), LAW, rows)
    assert tax.collectibles == ("IAU",)
    told = " ".join(tax.notes)
    assert "28 %" in told
    assert "only flagged" in told
    assert "state tax" in told
    assert "28 %" not in " ".join(tax_of(income("80000"), lt=900).notes)


def test_a_year_is_provisional_until_the_31st_of_january_after_it():
    assert provisional_until(2025, STATUTES) == dt.date(2026, 1, 31)
    assert is_provisional(2025, dt.date(2026, 1, 30), STATUTES)
    assert not is_provisional(2025, dt.date(2026, 1, 31), STATUTES)
    assert is_provisional(2025, dt.date(2025, 5, 1), STATUTES)
