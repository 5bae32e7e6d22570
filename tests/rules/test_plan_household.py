"""What one plan for all accounts sees and plans for each account alone do not.

Washed losses across accounts, classes in the account where they are taxed least, and lots that a
broker sells in an order of its own.
"""

import datetime as dt
from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.rules.homes import STATUTES, TODAY, after
from tests.rules.plan_homes import (
    COUPLE,
    LATER,
    TAX,
    YEARS_OF_FOUR_PERCENT,
    about,
    alone,
    held,
    household,
    is_planned,
    moved,
    picked,
    plan_of,
    proof_of,
    washed,
)

from trimtab.domain.numbers import ONE, ZERO
from trimtab.domain.policy import ClassRule, FlowRule, PlanRule
from trimtab.domain.trades import Disposal, Motive, Side, Term
from trimtab.domain.values import AccountKind, InstrumentKind, Lot, Relief
from trimtab.rules.tax.saving import YearToDate, tax_of

# ------------------------------------------------------------------ dollars of a wallet

COINS = {
    "stocks": ClassRule(target=Decimal("0.4"), members=("AAA",)),
    "bonds": ClassRule(target=Decimal("0.2"), members=("BBB",)),
    "coins": ClassRule(target=Decimal("0.4"), members=("CCC",)),
}


def _with_a_wallet(dollars):
    """60,000 in an IRA at their targets, and a wallet of dollars, which count in no total."""
    home = household(
        [held("ira", "AAA", 40_000, 40_000), held("ira", "BBB", 20_000, 20_000)],
        {"wallet": dollars},
        accounts={"ira": AccountKind.TRADITIONAL_IRA, "wallet": AccountKind.CRYPTO},
        classes=COINS,
        spread="0.02",
    )
    kinds = dict(home.snapshot.instruments)
    kinds["CCC"] = replace(kinds["CCC"], kind=InstrumentKind.CRYPTO)
    return home._replace(snapshot=replace(home.snapshot, instruments=kinds))


@pytest.mark.parametrize(
    ("dollars", "bought"),
    [
        pytest.param(60_000, 40_000, id="two fifths of 100,000, which it makes of 60,000"),
        pytest.param(30_000, 30_000, id="all that is there"),
    ],
)
def test_the_targets_divide_what_a_wallet_buys(dollars, bought):
    plan = plan_of(_with_a_wallet(dollars))
    assert moved(plan.trades) == {("wallet", "CCC"): about(bought, "10")}
    assert proof_of(plan).plan.drift < proof_of(plan).nothing.drift


@pytest.mark.parametrize(
    ("due", "sold", "bought"),
    [
        pytest.param(5_000, 5_000, 8_500, id="of 95,000 that are left, bonds are to be 28,500"),
        pytest.param(30_000, 10_000, 7_000, id="20,000 lack; of 90,000 bonds are to be 27,000"),
    ],
)
def test_the_targets_divide_what_is_left_once_coins_paid_what_their_wallet_owes(due, sold, bought):
    """Bonds lack 10,000 of 100,000; 10,000 of that are coins, and no more can leave the wallet."""
    home = household(
        [
            held("ira", "AAA", 70_000, 70_000),
            held("ira", "BBB", 20_000, 20_000),
            held("wallet", "CCC", 10_000, 10_000),
        ],
        accounts={"ira": AccountKind.TRADITIONAL_IRA, "wallet": AccountKind.CRYPTO},
        classes={
            "stocks": ClassRule(target=Decimal("0.6"), members=("AAA",)),
            "bonds": ClassRule(target=Decimal("0.3"), members=("BBB",)),
            "coins": ClassRule(target=Decimal("0.1"), members=("CCC",)),
        },
        spread="0.02",
        withdrawals=(FlowRule(account="wallet", amount=Decimal(due), first=TODAY),),
    )
    kinds = dict(home.snapshot.instruments)
    kinds["CCC"] = replace(kinds["CCC"], kind=InstrumentKind.CRYPTO)
    home = home._replace(snapshot=replace(home.snapshot, instruments=kinds))
    decision = home.decide()
    assert decision.plan is not None
    assert moved(decision.plan.trades) == {
        ("wallet", "CCC"): about(-sold, "5"),
        ("ira", "AAA"): about(-bought, "5"),
        ("ira", "BBB"): about(bought, "5"),
    }
    assert not is_planned(after(home, decision))


# ------------------------------------------------------------------ a great loss


def test_the_tax_of_a_certificate_is_the_true_one_far_beyond_the_yearly_limit():
    """What 700,000 of loss save is spread over centuries, of which the planes leave some out."""
    home = household(
        [held("hers", "AAA", 1_000_000, 3_000_000), held("ira", "BBB", 700_000, 700_000)],
        accounts=COUPLE,
        tax=replace(TAX, later_rate=ZERO),
    )
    plan = plan_of(home)
    proof = proof_of(plan)
    loss = sum((trade.gain for trade in plan.trades), ZERO)
    assert loss < -600_000
    year = YearToDate(year=2026, short=ZERO, long=loss)
    saved = tax_of(year, home.tax, STATUTES, home.harvest.discount_rate)
    assert proof.plan.tax == about(saved, "0.01")


# ------------------------------------------------------------------ wash sales across accounts


def _with_a_loss_here_and_bonds_there(other):
    """Stocks at a loss of 20,000 in one account, only bonds in *other*: 10,000 of stocks lack."""
    return household(
        [held("hers", "AAA", 50_000, 70_000), held(other, "BBB", 50_000, 50_000)], accounts=COUPLE
    )


ACROSS = pytest.mark.parametrize(
    ("other", "is_lost_for_good"),
    [
        pytest.param("his", False, id="the spouse's account postpones the loss"),
        pytest.param("ira", True, id="the spouse's IRA destroys it"),
    ],
)


@ACROSS
def test_plans_for_each_account_alone_wash_a_loss_of_each_other(other, is_lost_for_good):
    """Each plan keeps the law as far as it can see: hers sells AAA at a loss, the other buys it."""
    home = _with_a_loss_here_and_bonds_there(other)
    hers, others = (plan_of(alone(home, name)).trades for name in ("hers", other))
    # Hers is all stocks and wants 40 % bonds; the other is all bonds and wants 60 % stocks.
    assert moved(hers) == {
        ("hers", "AAA"): -50_000,
        ("hers", "AAB"): 30_000,
        ("hers", "BBB"): 20_000,
    }
    assert moved(others) == {(other, "BBB"): -30_000, (other, "AAA"): 30_000}
    assert washed(alone(home, "hers"), hers) == ()
    found = washed(home, (*hers, *others))
    assert found
    # 300 of the 500 units sold are replaced: three fifths of the loss of 20,000.
    assert sum(match.disallowed for match in found) / 2 == 12_000
    assert {match.is_permanent for match in found} == {is_lost_for_good}


@ACROSS
def test_the_plan_of_the_household_takes_the_whole_loss_and_washes_nothing(other, is_lost_for_good):
    home = _with_a_loss_here_and_bonds_there(other)
    plan = plan_of(home)
    assert moved(plan.trades) == {
        ("hers", "AAA"): -50_000,
        ("hers", "AAB"): 50_000,
        (other, "BBB"): -10_000,
        (other, "AAB"): 10_000,
    }
    assert washed(home, plan.trades) == ()
    motives = {(trade.account, trade.symbol): trade.motive for trade in plan.trades}
    assert motives["hers", "AAA"] is motives["hers", "AAB"] is Motive.HARVEST
    # 3,000 a year at 30 %: six whole years and 2,000 in the seventh, less later tax on 20,000.
    now = sum(900 / Decimal("1.04") ** year for year in range(6)) + 600 / Decimal("1.04") ** 6
    proof = proof_of(plan)
    assert proof.nothing.tax - proof.plan.tax == about(now - 20_000 * LATER)
    assert proof.plan.drift == 0
    assert proof.nothing.drift == 2_000  # 10,000 too little here, too much there, at 10 cents each
    assert is_lost_for_good is (other == "ira")


@pytest.mark.parametrize(
    ("basis", "is_taken"),
    [
        pytest.param(51_000, False, id="a loss of 1,000 saves 300, and the purchase 2,000"),
        pytest.param(500_000, True, id="a loss of 9 a dollar saves more than the drift costs"),
    ],
)
def test_without_a_substitute_the_loss_or_the_purchase_goes_but_never_both(basis, is_taken):
    """Sold for 3,667, the great loss gives 3,000 to deduct in each of eleven years: 3,000 x (0.30 x
    9.11 - 11 x LATER) = 4,850 less 733 of drift. The purchase would mend 2,000 of drift."""
    home = household(
        [held("hers", "AAA", 50_000, basis), held("ira", "BBB", 50_000, 50_000)],
        accounts=COUPLE,
        classes={
            "stocks": ClassRule(target=Decimal("0.6"), members=("AAA",)),
            "bonds": ClassRule(target=Decimal("0.4"), members=("BBB",)),
        },
    )
    plan = plan_of(home)
    if is_taken:
        sold = moved(plan.trades)["hers", "AAA"]
        assert sold < -3_000
        assert ("ira", "AAA") not in moved(plan.trades)
    else:
        assert moved(plan.trades) == {("ira", "BBB"): -10_000, ("ira", "AAA"): 10_000}
    assert washed(home, plan.trades) == ()


# ------------------------------------------------------------------ location


def _with_bonds_in_the_taxable_account(basis, years=10):
    """40,000 of bonds that yield 5 % where that is taxed, and an IRA full of stocks, 10,000 too
    many of them: bonds cost 40,000 x 5 % x 30 % of tax a year here, and nothing in the IRA."""
    return household(
        [
            held("taxable", "BBB", 40_000, basis),
            held("taxable", "AAA", 10_000, 10_000),
            held("ira", "AAA", 50_000, 50_000),
        ],
        accounts={"taxable": AccountKind.TAXABLE, "ira": AccountKind.TRADITIONAL_IRA},
        classes={
            "stocks": ClassRule(target=Decimal("0.5"), members=("AAA",)),
            "bonds": ClassRule(
                target=Decimal("0.5"), members=("BBB",), ordinary_yield=Decimal("0.05")
            ),
        },
        plan=PlanRule(location_years=years),
    )


DRAG = Decimal("0.05") * Decimal("0.30") * YEARS_OF_FOUR_PERCENT
"""Tax that a dollar of these bonds costs in ten years: 12.17 cents."""


@pytest.mark.parametrize(
    "basis",
    [
        pytest.param(40_000, id="no gain"),
        pytest.param(8_000, id="a gain of 80 cents costs 12 cents, which is less"),
    ],
)
def test_bonds_move_to_the_account_that_does_not_tax_their_interest_where_that_pays(basis):
    plan = plan_of(_with_bonds_in_the_taxable_account(basis))
    assert moved(plan.trades) == {
        ("taxable", "BBB"): -40_000,
        ("taxable", "AAA"): 40_000,
        ("ira", "AAA"): -50_000,
        ("ira", "BBB"): 50_000,
    }
    proof = proof_of(plan)
    assert proof.plan.location == about(-40_000 * DRAG)
    assert proof.nothing.location == 0
    assert proof.plan.tax == about(Decimal("0.15") * (40_000 - basis))
    assert proof.plan.drift == 0
    (leaves,) = [trade for trade in plan.trades if trade.symbol == "BBB" and trade.lots]
    assert leaves.motive is Motive.LOCATION


@pytest.mark.parametrize(
    ("basis", "years"),
    [
        pytest.param(7_000, 10, id="a gain of 82.5 cents costs 12.38 cents, which is more"),
        pytest.param(40_000, 0, id="no years are looked at"),
        pytest.param(40_000, 10, id="the yield is nothing"),
    ],
)
def test_nothing_moves_where_the_tax_on_the_move_is_more_than_it_saves(basis, years, request):
    home = _with_bonds_in_the_taxable_account(basis, years)
    if "nothing" in request.node.callspec.id:
        classes = dict(home.policy.classes)
        classes["bonds"] = ClassRule(target=Decimal("0.5"), members=("BBB",))
        home = home._replace(policy=replace(home.policy, classes=classes))
    plan = plan_of(home)
    # Only the drift is mended, where it costs no tax.
    assert moved(plan.trades) == {("ira", "AAA"): -10_000, ("ira", "BBB"): 10_000}
    assert proof_of(plan).plan.location == 0


def test_new_money_buys_what_is_taxed_most_in_the_account_that_is_not_taxed():
    home = _with_bonds_in_the_taxable_account(40_000)
    rich = household(
        [],
        {"taxable": 50_000, "ira": 50_000},
        accounts={"taxable": AccountKind.TAXABLE, "ira": AccountKind.TRADITIONAL_IRA},
        classes=home.policy.classes,
    )
    plan = plan_of(rich)
    assert moved(plan.trades) == {("taxable", "AAA"): 50_000, ("ira", "BBB"): 50_000}
    assert proof_of(plan).plan.location == 0


# ------------------------------------------------------------------ the broker's order of lots


def _with_an_old_gain_before_a_lot_at_cost(relief):
    """Stocks are 10,000 too heavy. In `first` the older lot has a gain of nine tenths and the
    younger one none; in `second` all is a tenth above its cost."""
    return household(
        [
            held("first", "AAA", 10_000, 1_000, 2_000, "old"),
            held("first", "AAA", 10_000, 10_000, 800, "young"),
            held("second", "AAA", 50_000, 45_000, 900, "even"),
            held("second", "BBB", 30_000, 30_000, 900, "bonds"),
        ],
        accounts={"first": AccountKind.TAXABLE, "second": AccountKind.TAXABLE},
        relief={"first": relief},
    )


def test_a_broker_that_sells_named_lots_sells_the_one_without_a_gain():
    plan = plan_of(_with_an_old_gain_before_a_lot_at_cost(Relief.SPECIFIC))
    assert picked(plan.trades) == {"young": 100}
    assert plan.tax == ZERO
    assert {trade.account for trade in plan.trades} == {"first"}


def test_a_broker_that_sells_the_oldest_first_is_not_asked_to_sell_at_all():
    """The old lot would cost 1,350 of tax; a tenth of 10,000 in the other account costs 150."""
    plan = plan_of(_with_an_old_gain_before_a_lot_at_cost(Relief.FIFO))
    assert picked(plan.trades) == {"even": 100}
    assert plan.tax == 150
    assert {trade.account for trade in plan.trades} == {"second"}


def test_a_broker_that_sells_the_dearest_first_sells_the_one_without_a_gain():
    plan = plan_of(_with_an_old_gain_before_a_lot_at_cost(Relief.HIFO))
    assert picked(plan.trades) == {"young": 100}


@pytest.mark.parametrize(
    ("units", "cost"), [("8.9726", "2225.12"), ("4.4186", "2557.56"), ("6.1177", "2841.29")]
)
def test_a_broker_that_sells_the_dearest_first_sells_a_washed_lot_from_the_front(units, cost):
    """A unit sold at a loss makes two pieces of the lot bought after it, both at one price."""
    sold, bought = (TODAY - dt.timedelta(days=days) for days in (31, 45))
    before = TODAY - dt.timedelta(days=140)
    home = household(
        [
            Lot(
                id="new",
                account="ira",
                symbol="AAA",
                quantity=Decimal(units),
                basis=Decimal(cost),
                acquired=bought,
                holding_since=bought,
            ),
            held("ira", "BBB", 100, 100),
        ],
        accounts={"taxable": AccountKind.TAXABLE, "ira": AccountKind.ROTH_IRA},
        relief={"ira": Relief.HIFO},
        step="0.0001",
        disposals=(
            Disposal(
                id="old",
                account="taxable",
                symbol="AAA",
                lot_id="gone",
                quantity=ONE,
                acquired=before,
                holding_since=before,
                sold=sold,
                proceeds=Decimal(90),
                basis=Decimal(100),
                term=Term.SHORT,
                is_taxed=True,
            ),
        ),
    )
    assert is_planned(home)
    (sale,) = (trade for trade in plan_of(home).trades if trade.side is Side.SELL)
    assert sale.quantity > ONE
    assert [(pick.piece, pick.quantity) for pick in sale.lots] == [
        ("1", ONE),
        ("", sale.quantity - ONE),
    ]


def _with_a_loss_behind_a_gain(relief):
    """Bonds are 1,000 too heavy; the stocks' younger lot has a loss of 4,000, the older a gain."""
    return household(
        [
            held("taxable", "AAA", 40_000, 10_000, 2_000, "gain"),
            held("taxable", "AAA", 19_000, 23_000, 800, "loss"),
            held("ira", "BBB", 41_000, 41_000, 900, "bonds"),
        ],
        accounts={"taxable": AccountKind.TAXABLE, "ira": AccountKind.TRADITIONAL_IRA},
        relief={"taxable": relief},
    )


@pytest.mark.parametrize(("relief", "is_taken"), [(Relief.SPECIFIC, True), (Relief.FIFO, False)])
def test_a_loss_behind_a_great_gain_is_taken_only_where_it_can_be_named(relief, is_taken):
    """It saves 1,189 less 405 of later tax; with the gain before it the sale would cost 3,900."""
    plan = plan_of(_with_a_loss_behind_a_gain(relief))
    sold = {t.symbol for t in plan.trades if t.side is Side.SELL and t.account == "taxable"}
    assert sold == ({"AAA"} if is_taken else set())
    if is_taken:
        assert picked(plan.trades)["loss"] == 190
        assert plan.tax == about(Decimal(-900) - 300 / Decimal("1.04"))
