"""What a gain costs and a loss saves is a question of the whole year, and of the years after.

Every household here has stocks of 70,000 in one fund, 10,000 too many, and no substitute for them:
what is sold is sold for drift, and the tests say from which lots and at what tax. Rates are 30 %
short and 15 % long; the yearly limit is 3,000; later years count at 4 %.
"""

from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.rules.homes import STATUTES, TODAY
from tests.rules.plan_homes import (
    LATER,
    TAX,
    about,
    held,
    household,
    picked,
    plan_of,
    prepared,
    proof_of,
    realized,
)

from trimtab.domain.policy import ClassRule
from trimtab.domain.trades import Side, Term
from trimtab.rules.plan.year import year_tax
from trimtab.rules.tax.netting import Carryover
from trimtab.rules.tax.saving import YearToDate, tax_of

ONE_FUND = {
    "stocks": ClassRule(target=Decimal("0.6"), members=("AAA",)),
    "bonds": ClassRule(target=Decimal("0.4"), members=("BBB",)),
}
FACTOR = 1 / Decimal("1.04")


def _home(*lots, disposals=(), tax=TAX):
    rest = [held("taxable", "BBB", 30_000, 30_000)]
    return household([*lots, *rest], classes=ONE_FUND, disposals=disposals, tax=tax)


@pytest.mark.parametrize(
    ("realized_so_far", "saved"),
    [
        pytest.param((), 900, id="nothing to offset: 3,000 of income at 30 %"),
        pytest.param((realized(5_000, Term.LONG),), 450, id="long gains: 3,000 at 15 %"),
        pytest.param((realized(2_000, Term.LONG),), 600, id="2,000 at 15 % and 1,000 at 30 %"),
        pytest.param((realized(5_000, Term.SHORT),), 900, id="short gains: 3,000 at 30 %"),
        pytest.param(
            (realized(2_000, Term.SHORT), realized(500, Term.LONG)),
            825,
            id="2,000 short at 30 %, 500 long at 15 %, 500 of income at 30 %",
        ),
    ],
)
def test_a_loss_saves_the_rate_of_what_it_offsets(realized_so_far, saved):
    """70,000 that cost 91,000: a sale of 10,000 loses 3,000, all of it long term."""
    plan = plan_of(_home(held("taxable", "AAA", 70_000, 91_000), disposals=realized_so_far))
    (sale,) = [trade for trade in plan.trades if trade.side is Side.SELL]
    assert sale.value == 10_000
    assert sale.gain == -3_000
    assert sale.tax == -saved
    proof = proof_of(plan)
    assert proof.nothing.tax - proof.plan.tax == about(saved - 3_000 * LATER)


def test_a_huge_loss_saves_three_thousand_a_year_each_year_worth_less():
    """70,000 that cost 280,000: three dollars are lost with every dollar sold.

    Beyond the target a dollar costs 20 cents of drift, so it pays to sell while 3 x (0.30 x
    1.04**-k - LATER) is more: up to k = 14, which is 15 years of 3,000 and a sale of 15,000.
    """
    plan = plan_of(_home(held("taxable", "AAA", 70_000, 280_000)))
    (sale,) = [trade for trade in plan.trades if trade.side is Side.SELL]
    assert -sale.tax == about(_worth(-sale.gain))
    proof = proof_of(plan)
    assert proof.nothing.tax - proof.plan.tax == about(_worth(-sale.gain) + sale.gain * LATER)
    best = proof.nothing.total - (_worth(45_000) - 45_000 * LATER) - 2_000 + 1_000
    assert proof.bound <= best + Decimal("0.001")
    assert proof.plan.total <= best + proof.gap + Decimal("0.001")
    assert proof.gap_bps <= 1
    assert sale.value == about(15_000, "300")


def _worth(loss):
    """What a *loss* saves: 30 % of 3,000 a year, this year and later, and of what is left."""
    years, rest = divmod(Decimal(loss), 3_000)
    saved = sum((900 * FACTOR**year for year in range(int(years))), Decimal(0))
    return saved + rest * Decimal("0.30") * FACTOR ** int(years)


@pytest.mark.parametrize(
    ("disposals", "tax"),
    [
        pytest.param((realized(-1_000_000, Term.SHORT),), TAX, id="losses of this year"),
        pytest.param(
            (),
            replace(TAX, short_carryover=Decimal(1_000_000), carryover_into=2026),
            id="short losses carried over",
        ),
        pytest.param(
            (),
            replace(TAX, long_carryover=Decimal(1_000_000), carryover_into=2026),
            id="long losses carried over",
        ),
    ],
)
def test_with_great_losses_at_hand_a_gain_is_sold_for_nothing_and_a_loss_is_kept(disposals, tax):
    """Without them it is the other way round: the gain would cost 750, the loss saves 900."""
    lots = (
        held("taxable", "AAA", 35_000, 17_500, 800, "gain"),
        held("taxable", "AAA", 35_000, 45_500, 900, "loss"),
    )
    calm = plan_of(_home(*lots))
    assert picked(calm.trades) == {"loss": 100}
    plan = plan_of(_home(*lots, disposals=disposals, tax=tax))
    assert picked(plan.trades) == {"gain": 100}
    (sale,) = [trade for trade in plan.trades if trade.side is Side.SELL]
    assert sale.gain == 5_000
    # It takes the place of deductions that lie more than 300 years ahead.
    assert sale.tax == about(0, "0.01")


def test_a_carryover_into_another_year_counts_for_nothing():
    tax = replace(TAX, short_carryover=Decimal(1_000_000), carryover_into=2025)
    plan = plan_of(_home(held("taxable", "AAA", 70_000, 35_000), tax=tax))
    assert plan.tax == 750  # 10,000 with a gain of half at 15 %


def test_a_short_gain_costs_no_more_than_the_long_loss_that_is_sold_with_it():
    """One lot of each: netted, the household pays nothing on 6,000 of which one half is lost."""
    lots = (
        held("taxable", "AAA", 5_000, 8_000, 900, "long loss"),
        held("taxable", "AAA", 65_000, 26_000, 100, "short gain"),
    )
    plan = plan_of(_home(*lots))
    # A gain of 60 cents at 30 % costs 18 cents, less than the 20 of drift, and each dollar of it
    # costs as much as it takes from the deduction of the loss.
    assert picked(plan.trades) == {"long loss": 50, "short gain": 50}
    assert plan.tax == 0


def test_the_taxes_of_the_sales_add_up_to_what_the_year_changes():
    """Two sales at once, a gain and a loss: each is told the tax that it adds to the one before."""
    classes = {
        "stocks": ClassRule(target=Decimal("0.4"), members=("AAA",)),
        "gold": ClassRule(target=Decimal("0.2"), members=("CCC",)),
        "bonds": ClassRule(target=Decimal("0.4"), members=("BBB",)),
    }
    home = household(
        [
            held("taxable", "AAA", 50_000, 25_000, 100),
            held("taxable", "CCC", 30_000, 33_000, 900),
            held("taxable", "BBB", 20_000, 20_000),
        ],
        classes=classes,
        disposals=(realized(1_000, Term.LONG),),
    )
    plan = plan_of(home)
    sales = [trade for trade in plan.trades if trade.side is Side.SELL]
    gains = {trade.symbol: trade.gain for trade in sales}
    assert set(gains) == {"AAA", "CCC"}
    before = YearToDate(year=TODAY.year, long=Decimal(1_000), carry=Carryover())
    after = before.after(Term.SHORT, gains["AAA"]).after(Term.LONG, gains["CCC"])
    rate = home.harvest.discount_rate
    change = tax_of(after, TAX, STATUTES, rate) - tax_of(before, TAX, STATUTES, rate)
    assert plan.tax == change


@pytest.mark.parametrize("rate", ["0", "0.005", "0.04"])
@pytest.mark.parametrize("carried", [0, 400_000])
def test_the_planes_of_a_year_are_nowhere_above_its_tax_and_hardly_below(rate, carried):
    """To a fiftieth of a basis point of the value, here 40 dollars, wherever losses can reach."""
    tax = replace(TAX, short_carryover=Decimal(carried), carryover_into=2026)
    harvest = replace(_home().harvest, discount_rate=Decimal(rate))
    home = _home(held("taxable", "AAA", 70_000, 70_000), tax=tax)._replace(harvest=harvest)
    _, planning = prepared(home)
    planes = year_tax(planning, 1_000_000.0, 20_000_000.0)
    so_far = tax_of(planning.year, tax, STATUTES, harvest.discount_rate)
    for gain in range(-1_000_000, 600_001, 7_321):
        for term, gains in ((Term.SHORT, (gain, 0)), (Term.LONG, (0, gain))):
            after = tax_of(
                planning.year.after(term, Decimal(gain)), tax, STATUTES, harvest.discount_rate
            )
            below = float(after - so_far) - planes.at(*gains)
            assert -0.001 < below <= 40
