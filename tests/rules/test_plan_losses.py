"""Losses taken for their own sake, within the very plan that mends drift and invests cash.

A loss of 1,000 saves 300 today and costs 101.33 in ten years: it is worth 198.67.
"""

import datetime as dt
from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.rules.homes import TODAY, after
from tests.rules.plan_homes import (
    BONDS,
    COUPLE,
    FREE,
    LATER,
    STOCKS,
    TAX,
    WIDE_BAND,
    about,
    held,
    household,
    is_planned,
    moved,
    picked,
    plan_of,
    proof_of,
    realized,
    washed,
    with_defaults,
)

from trimtab.domain.numbers import ZERO
from trimtab.domain.policy import HarvestRule, PlanRule
from trimtab.domain.trades import Disposal, Motive, Term
from trimtab.domain.values import AccountKind, OwnerRole, ScheduledPurchase

ALWAYS, WITH_TRADES, NEVER = (PlanRule(harvests=one) for one in ("always", "with_trades", "never"))
SWAPPED = {("hers", "AAA"): -6_000, ("hers", "AAB"): 6_000}
"""All of the loss lot below sold, and its substitute bought."""


def _home(plan=ALWAYS, others=(), basis=7_000, **rules):
    """60 % stocks and 40 % bonds of 100,000, on target; a lot of 6,000 cost *basis*."""
    total = 100_000 - sum(lot.quantity * 100 for lot in others)
    rest = int(total) - 46_000
    lots = [
        held("hers", "AAA", 6_000, basis, 800, "loss"),
        held("ira", "AAB", rest, rest, 800),
        held("his", "BBB", 40_000, 40_000, 800),
        *others,
    ]
    return household(lots, accounts=COUPLE, plan=plan, **with_defaults(rules, bands=WIDE_BAND))


def test_a_loss_is_taken_on_any_day_and_its_substitute_keeps_its_place():
    home = _home()
    plan = plan_of(home)
    assert moved(plan.trades) == SWAPPED
    assert {trade.motive for trade in plan.trades} == {Motive.HARVEST}
    assert plan.tax == -300
    proof = proof_of(plan)
    assert proof.nothing.total - proof.plan.total == about(300 - 1_000 * LATER)
    assert washed(home, plan.trades) == ()


@pytest.mark.parametrize(
    ("plan", "is_taken"), [(ALWAYS, True), (WITH_TRADES, False), (NEVER, False)]
)
def test_in_its_bands_a_household_takes_losses_only_where_the_policy_says_always(plan, is_taken):
    assert is_planned(_home(plan)) is is_taken


@pytest.mark.parametrize(
    ("plan", "is_taken"), [(ALWAYS, True), (WITH_TRADES, True), (NEVER, False)]
)
def test_while_drift_is_mended_losses_are_taken_along_unless_the_policy_says_never(plan, is_taken):
    """Bonds are 1,000 too many. A spread of 2 cents makes every needless trade cost something."""
    home = household(
        [
            held("hers", "AAA", 6_000, 7_000, 800, "loss"),
            held("ira", "AAB", 53_000, 53_000),
            held("ira", "BBB", 41_000, 41_000),
        ],
        accounts=COUPLE,
        plan=plan,
        spread="0.02",
    )
    bought = "AAB" if is_taken else "AAA"
    drift = {("ira", "BBB"): about(-1_000, "2"), ("ira", bought): about(1_000, "2")}
    swap = {("hers", "AAA"): about(-6_000, "2"), ("hers", "AAB"): about(6_000, "2")}
    assert moved(plan_of(home).trades) == drift | (swap if is_taken else {})


@pytest.mark.parametrize(
    ("least", "is_taken"),
    [
        pytest.param("198.66", True, id="it is worth 198.67, which is more"),
        pytest.param("198.67", False, id="it is worth 198.665, which is less"),
    ],
)
def test_a_harvest_worth_less_than_the_policy_asks_for_is_left(least, is_taken):
    home = _home(harvest=HarvestRule(minimum=Decimal(least)))
    assert is_planned(home) is is_taken


def test_of_two_harvests_that_are_too_small_together_the_one_is_left():
    """69,000 carried over last 23 years, so that 3,000 more save 900 / 1.04**23 - 304 = 61.2.

    Another 3,000 wait a year longer and save 47.1, whichever of the two they are: less than 50.
    """
    classes = {"stocks": STOCKS, "bonds": replace(BONDS, members=("BBB", "BBC"))}
    home = household(
        [
            held("hers", "AAA", 20_000, 23_000, 800, "stocks"),
            held("ira", "AAB", 40_000, 40_000),
            held("his", "BBB", 20_000, 23_000, 800, "bonds"),
            held("ira", "BBC", 20_000, 20_000),
        ],
        accounts=COUPLE,
        classes=classes,
        plan=ALWAYS,
        bands=WIDE_BAND,
        tax=replace(TAX, short_carryover=Decimal(69_000), carryover_into=TODAY.year),
    )
    assert len(picked(plan_of(home).trades)) == 1
    both = home._replace(harvest=replace(home.harvest, minimum=Decimal(47)))
    assert set(picked(plan_of(both).trades)) == {"stocks", "bonds"}


def test_a_parents_loss_that_is_too_small_takes_no_childs_loss_with_it():
    """Two thousand saved of a child's tax is worth its harvest, whatever hers is worth."""
    home = household(
        [
            held("hers", "AAA", 6_000, 6_700, 800, "hers"),
            held("kid", "AAA", 6_000, 12_000, 800, "the child's"),
            held("ira", "AAA", 48_000, 48_000, 800),
            held("ira", "BBB", 40_000, 40_000),
        ],
        accounts={**COUPLE, "kid": AccountKind.TAXABLE},
        plan=ALWAYS,
        bands=WIDE_BAND,
        harvest=HarvestRule(minimum=Decimal(500)),
    )
    child = replace(home.snapshot.accounts["kid"], role=OwnerRole.OTHER)
    accounts = {**home.snapshot.accounts, "kid": child}
    home = home._replace(snapshot=replace(home.snapshot, accounts=accounts))
    assert picked(plan_of(home).trades) == {"the child's": 60}


@pytest.mark.parametrize(
    ("basis", "is_taken"),
    [
        # On 9 March 67 of 334 days have passed: 10 % less 7 % x 67 / 334 is 8.596 % of the basis.
        pytest.param(6_565, True, id="a loss of 8.61 %"),
        pytest.param(6_563, False, id="a loss of 8.58 %"),
    ],
)
def test_a_loss_that_is_too_small_a_part_of_its_basis_for_the_month_is_left(basis, is_taken):
    assert is_planned(_home(basis=basis)) is is_taken


def test_of_sales_that_cost_the_same_the_one_with_a_loss_too_small_to_harvest_goes():
    """Bonds are 10,000 too many, in an IRA and at a loss of 4 % in hers: that one saves 120."""
    home = household(
        [
            held("hers", "BBB", 10_000, 10_400, 800, "small"),
            held("ira", "BBB", 40_000, 40_000),
            held("ira", "AAA", 25_000, 25_000),
            held("hers", "AAA", 25_000, 25_000),
        ],
        accounts=COUPLE,
        spread="0.02",
    )
    plan = plan_of(home)
    assert picked(plan.trades) == {"small": 100}
    assert plan.tax == about(-120, "0.5")


def test_a_loss_too_small_to_harvest_counts_in_the_year_where_it_is_sold_for_drift():
    """Stocks are 1,000,000 of 60 %: a loss of 8 %, and a short gain that it is set against."""
    lots = [
        held("hers", "AAA", 300_000, 326_000, 200, "loss"),
        held("hers", "AAA", 700_000, 300_000, 201, "gain"),
    ]
    home = household(lots, accounts=COUPLE, tax=replace(TAX, short_term_rate=Decimal("0.37")))
    every = HarvestRule(loss_min_january=ZERO, loss_min_december=ZERO, minimum=ZERO)
    plan, counted = plan_of(home), plan_of(home._replace(harvest=every))
    assert picked(plan.trades) == picked(counted.trades)
    assert set(picked(plan.trades)) == {"loss", "gain"}
    assert plan.tax == pytest.approx(counted.tax)
    assert not is_planned(after(home, home.decide()))


@pytest.mark.parametrize("harvests", ["always", "with_trades", "never"])
def test_a_list_that_forbids_purchases_makes_no_plan_cheaper(harvests):
    """A small loss counts, or its class is bought: the better of the two, and a bound of both."""
    home = household(
        [
            held("hers", "AAA", 66_000, 70_967, 200, "small"),
            held("hers", "BBB", 34_000, 34_000),
        ],
        accounts=COUPLE,
        spread="1.2",
        plan=PlanRule(drift_price=Decimal("0.011"), location_years=0, harvests=harvests),
        disposals=(realized(50_000, Term.SHORT, account="hers"),),
    )
    barred = replace(home.policy.orders, no_buy=("AAA", "AAB"))
    free, listed = (
        proof_of(plan_of(one))
        for one in (home, home._replace(policy=replace(home.policy, orders=barred)))
    )
    assert free.plan.total <= listed.plan.total + Decimal("0.01")
    assert free.bound <= listed.plan.total


@pytest.mark.parametrize("over", [0, 5_000])
def test_each_lot_is_judged_by_its_own_loss_whatever_else_of_its_symbol_is_sold(over):
    """One has lost 10.4 % of its basis and one 4.8 %: 7.7 % together, and March asks for 8.6 %."""
    home = household(
        [
            held("hers", "AAA", 6_000, 6_700, 800, "large"),
            held("hers", "AAA", 6_000, 6_300, 700, "small"),
            held("ira", "AAB", 48_000 + over, 48_000),
            held("ira", "BBB", 40_000 - over, 40_000),
        ],
        accounts=COUPLE,
        plan=ALWAYS,
        spread="0.02",
    )
    decision = home.decide()
    assert decision.plan is not None
    assert picked(decision.plan.trades)["large"] == 60
    assert "small" not in picked(decision.plan.trades)
    assert not is_planned(after(home, decision))


@pytest.mark.parametrize(("days", "is_kept"), [(0, True), (30, True), (31, False)])
@pytest.mark.parametrize("account", ["his", "ira"])
def test_a_purchase_by_anybody_in_the_thirty_days_before_keeps_the_loss(account, days, is_kept):
    home = _home(others=[held(account, "AAA", 1_000, 1_000, days, "recent")])
    assert is_planned(home) is not is_kept
    if not is_kept:
        plan = plan_of(home)
        assert washed(home, plan.trades) == ()
        assert {pick.lot_id for trade in plan.trades for pick in trade.lots} == {"loss"}


@pytest.mark.parametrize(("days", "is_kept"), [(1, True), (30, True), (31, False)])
def test_a_purchase_that_is_to_come_by_itself_keeps_the_loss(days, is_kept):
    coming = ScheduledPurchase(
        account="ira", symbol="AAA", date=TODAY + dt.timedelta(days=days), amount=Decimal(100)
    )
    assert is_planned(_home(scheduled=(coming,))) is not is_kept


@pytest.mark.parametrize(("days", "symbol"), [(0, "AAB"), (30, "AAB"), (31, "AAA")])
@pytest.mark.parametrize("buyer", ["hers", "his", "ira"])
def test_while_a_loss_locks_the_preferred_fund_everybody_buys_its_substitute(days, symbol, buyer):
    sold = TODAY - dt.timedelta(days=days)
    loss = Disposal(
        id="loss",
        account="hers",
        symbol="AAA",
        lot_id="gone",
        quantity=Decimal(10),
        acquired=TODAY - dt.timedelta(days=400),
        holding_since=TODAY - dt.timedelta(days=400),
        sold=sold,
        proceeds=Decimal(900),
        basis=Decimal(1_000),
        term=Term.LONG,
        is_taxed=True,
    )
    home = household(
        [held("his", "BBB", 40_000, 40_000)],
        {buyer: 60_000},
        accounts=COUPLE,
        disposals=(loss,),
    )
    plan = plan_of(home)
    assert moved(plan.trades) == {(buyer, symbol): 60_000}
    assert washed(home, plan.trades) == ()


def test_of_two_identical_funds_the_one_is_no_substitute_for_the_other():
    home = _home(tax=replace(TAX, identical=(("AAA", "AAB"),)))
    assert not is_planned(home)
    bought = [held("ira", "AAB", 1_000, 1_000, 10, "recent")]
    assert is_planned(_home(others=bought))
    assert not is_planned(_home(others=bought, tax=replace(TAX, identical=(("AAA", "AAB"),))))


def test_the_costs_of_both_sides_count_against_a_harvest():
    """Half a spread of 1 % on 6,000, sold and bought: 60; and the loss is 30 greater by its half.

    A loss of 1,000 + 30 is worth 204.63 less 60 is 144.63.
    """
    for least, is_taken in (("144.5", True), ("144.8", False)):
        home = _home(harvest=HarvestRule(minimum=Decimal(least)), spread="1")
        assert is_planned(home) is is_taken


def test_idle_cash_buys_the_substitute_while_the_loss_is_taken():
    """Idle money buys the substitute too while the loss is taken, not the fund that is sold."""
    home = _home(orders=replace(FREE, invest_cash_from=Decimal(0)))
    cash = tuple(
        replace(each, amount=Decimal(5_000), settled=Decimal(5_000))
        for each in household([], {"ira": 1}).snapshot.balances
    )
    home = home._replace(snapshot=replace(home.snapshot, balances=cash))
    plan = plan_of(home)
    bought = {trade.symbol for trade in plan.trades if not trade.lots}
    assert ("hers", "AAA") in moved(plan.trades)
    assert "AAA" not in bought
    assert washed(home, plan.trades) == ()
