"""Schedule D: the netting of a year, the yearly limit, and the carryover from year to year."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from trimtab.adapters.law import read_law
from trimtab.domain.history import LotSale
from trimtab.domain.law import STATUS_CODES
from trimtab.domain.trades import Term
from trimtab.rules.tax.netting import NO_CARRY, Carryover, net, years_of

STATUTES = read_law().statutes
ZERO = Decimal(0)

amounts = st.decimals(-20_000, 20_000, places=2)
carries = st.builds(
    Carryover, st=st.decimals(0, 9_000, places=2), lt=st.decimals(0, 9_000, places=2)
)
incomes = st.none() | st.decimals(-9_000, 9_000, places=2)
statuses = st.sampled_from(sorted(STATUS_CODES.values()))


def sale(year, gain, *, long=False, disallowed="0", permanent="0", taxed=True):
    proceeds = Decimal(10_000)
    return LotSale(
        id=f"{year}/{gain}",
        sale_id=f"{year}/{gain}",
        account="joint" if taxed else "ira",
        symbol="VTI",
        lot_id="lot",
        quantity=Decimal(10),
        acquired=dt.date(2010, 1, 4),
        holding_since=dt.date(2010, 1, 4),
        sold=dt.date(year, 6, 1),
        proceeds=proceeds,
        basis=proceeds - Decimal(gain) + Decimal(disallowed),
        term=Term.LONG if long else Term.SHORT,
        is_taxed=taxed,
        disallowed=Decimal(disallowed),
        permanent=Decimal(permanent),
    )


def money(*amounts):
    return tuple(Decimal(amount) for amount in amounts)


@pytest.mark.parametrize(
    ("code", "given_", "wanted"),
    [
        pytest.param(
            "single",
            {"st": -5000, "lt": 0},
            {"line16": -5000, "line21": 3000, "carry_st": 2000, "carry_lt": 0},
            id="a short-term loss above the limit",
        ),
        pytest.param(
            "single",
            {"st": -1000, "lt": -5000},
            {"line16": -6000, "line21": 3000, "carry_st": 0, "carry_lt": 3000},
            id="the short-term loss is deducted first",
        ),
        pytest.param(
            "single",
            {"st": 2000, "lt": -6000},
            {"line16": -4000, "line21": 3000, "carry_st": 0, "carry_lt": 1000},
            id="a short-term gain takes from a long-term loss",
        ),
        pytest.param(
            "mfj",
            {"st": -6000, "lt": 2000},
            {"line16": -4000, "line21": 3000, "carry_st": 1000, "carry_lt": 0},
            id="a long-term gain takes from a short-term loss",
        ),
        pytest.param(
            "mfs",
            {"st": -5000, "lt": 0},
            {"line16": -5000, "line21": 1500, "carry_st": 3500, "carry_lt": 0},
            id="half the limit on separate returns",
        ),
        pytest.param(
            "single",
            {"st": -2000, "lt": 5000},
            {"line7": -2000, "line15": 5000, "line16": 3000, "line21": 0, "carry_st": 0},
            id="a gain on balance carries nothing",
        ),
        pytest.param(
            "single",
            {"st": 1500, "lt": 500, "carry": Carryover(st=Decimal(4000), lt=Decimal(1000))},
            {"line7": -2500, "line15": -500, "line21": 3000, "carry_st": 0, "carry_lt": 0},
            id="carryovers are used up to the limit exactly",
        ),
        pytest.param(
            "single",
            {"st": -10_000, "lt": 0, "taxable_income": Decimal(-1000)},
            {"line21": 3000, "carry_st": 8000, "carry_lt": 0},
            id="a deduction without income to absorb it is carried on",
        ),
    ],
)
def test_a_year_nets_as_schedule_d_and_its_worksheet_say(code, given_, wanted):
    found = net(
        Decimal(given_["st"]),
        Decimal(given_["lt"]),
        STATUS_CODES[code],
        STATUTES,
        carry=given_.get("carry", NO_CARRY),
        taxable_income=given_.get("taxable_income"),
    )
    assert {name: getattr(found, name) for name in wanted} == wanted


def test_the_worksheet_shows_its_lines_and_leaves_out_those_it_skips():
    short = net(Decimal(-10_000), ZERO, "single", STATUTES, taxable_income=Decimal(-1000))
    assert short.worksheet == {
        1: -1000,
        2: 3000,
        3: 2000,
        4: 2000,
        5: 10_000,
        6: 0,
        7: 2000,
        8: 8000,
    }
    both = net(Decimal(-1000), Decimal(-5000), "single", STATUTES)
    assert both.worksheet == {
        2: 3000, 4: 3000, 5: 1000, 6: 0, 7: 3000, 8: 0, 9: 5000, 10: 0, 11: 2000, 12: 2000, 13: 3000
    }  # fmt: skip
    assert net(Decimal(-900), ZERO, "single", STATUTES).worksheet == {}


def test_a_small_loss_is_carried_on_where_there_was_no_income_at_all():
    poor = net(ZERO, Decimal(-900), "single", STATUTES, taxable_income=Decimal(-5000))
    assert (poor.line21, poor.carry_lt) == money(900, 900)


@given(amounts, amounts, carries, incomes, statuses)
def test_what_is_used_and_what_is_carried_make_up_the_whole_loss(
    short, long, carry, income, status
):
    found = net(short, long, status, STATUTES, carry=carry, taxable_income=income)
    used = found.worksheet.get(4, found.line21)
    assert used + found.carry_st + found.carry_lt == max(ZERO, -found.line16)
    assert found.line16 == short + long - carry.st - carry.lt
    assert 0 <= used <= found.line21 <= STATUTES.capital_loss.limit_of(status)
    assert found.carry_st <= max(ZERO, -found.line7)
    assert found.carry_lt <= max(ZERO, -found.line15)


@given(amounts, amounts, st.decimals(0, 5_000, places=2), carries, statuses)
def test_more_gain_never_lowers_the_return_nor_raises_the_carryover(
    short, long, more, carry, status
):
    less = net(short, long, status, STATUTES, carry=carry)
    for other in (
        net(short + more, long, status, STATUTES, carry=carry),
        net(short, long + more, status, STATUTES, carry=carry),
    ):
        assert other.on_return >= less.on_return
        assert other.carry_st + other.carry_lt <= less.carry_st + less.carry_lt
        assert other.net_capital_gain >= less.net_capital_gain


def test_every_year_from_the_first_to_the_last_sale_is_there_with_its_carryover():
    years = years_of(
        [sale(2021, "-5000"), sale(2021, "-4000", long=True), sale(2024, "700", long=True)],
        "single",
        STATUTES,
    )
    assert [
        (one.year, one.st, one.lt, one.net, one.deduction, one.carry_st, one.carry_lt)
        for one in years
    ] == [
        money(2021, -5000, -4000, -9000, 3000, 2000, 4000),
        money(2022, 0, 0, -6000, 3000, 0, 3000),
        money(2023, 0, 0, -3000, 3000, 0, 0),
        money(2024, 0, 700, 700, 0, 0, 0),
    ]


def test_disallowed_losses_are_no_losses_of_the_year_and_are_told():
    (year,) = years_of(
        [sale(1955, "-100", disallowed="400", permanent="150"), sale(1955, "30", long=True)],
        "married_filing_jointly",
        STATUTES,
    )
    assert (year.st, year.lt, year.disallowed, year.permanent) == money(-100, 30, 400, 150)
    assert (year.net, year.deduction) == money(-70, 70)


def test_sales_in_a_retirement_account_make_no_tax_year():
    assert years_of([sale(2025, "-500", taxed=False)], "single", STATUTES) == ()
    years = years_of([sale(2024, "1"), sale(2025, "-500", taxed=False)], "single", STATUTES)
    assert [one.year for one in years] == [2024]


def test_a_carryover_runs_on_through_years_that_are_asked_for():
    carry = Carryover(st=Decimal(4000), lt=Decimal(500))
    years = years_of([], "single", STATUTES, carry=carry, span=range(2025, 2028))
    assert [(one.year, one.deduction, one.carry_st, one.carry_lt) for one in years] == [
        money(2025, 3000, 1000, 500),
        money(2026, 1500, 0, 0),
        money(2027, 0, 0, 0),
    ]


def test_the_income_of_each_year_decides_what_its_deduction_uses_up():
    rows = [sale(2024, "-4000"), sale(2025, "1")]
    poor = years_of(rows, "single", STATUTES, taxable_income={2024: Decimal(-2500)})
    assert [(one.deduction, one.carry_st) for one in poor] == [money(3000, 3500), money(3000, 499)]


@given(
    st.lists(st.tuples(st.integers(2018, 2024), amounts, st.booleans()), min_size=1, max_size=12),
    carries,
    st.dictionaries(st.integers(2018, 2024), st.decimals(-9_000, 9_000, places=2)),
)
def test_no_cent_is_lost_over_the_years(sales, carry, income):
    rows = [sale(year, gain, long=long) for year, gain, long in sales]
    years = years_of(rows, "single", STATUTES, carry=carry, taxable_income=income)
    taxed = sum((max(ZERO, one.net) for one in years), ZERO)
    used = sum((one.netting.worksheet.get(4, one.deduction) for one in years), ZERO)
    left = years[-1].carry_st + years[-1].carry_lt
    assert taxed - used - left == sum((row.gain for row in rows), ZERO) - carry.st - carry.lt


def test_sums_of_very_fine_amounts_are_exact():
    fine = Decimal("123456789012.000000000000000001")
    row = replace(sale(2025, "0"), proceeds=ZERO, basis=fine)
    (year,) = years_of([row, row, row], "single", STATUTES)
    assert str(year.st) == "-370370367036.000000000000000003"
    assert str(year.carry_st) == "370370364036.000000000000000003"
