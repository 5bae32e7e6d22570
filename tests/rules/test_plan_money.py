"""Money that is to leave, and money that is to come: what is sold for it, and what waits for it."""

import datetime as dt
from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.houses import START
from tests.rules.homes import TODAY
from tests.rules.plan_homes import (
    COUPLE,
    FREE,
    WIDE_BAND,
    about,
    held,
    household,
    is_planned,
    moved,
    picked,
    plan_of,
    proof_of,
    with_defaults,
)

from trimtab.domain.events import CashMoved, Entry
from trimtab.domain.memory import Memory, remember
from trimtab.domain.numbers import ONE
from trimtab.domain.policy import BandRule, ClassRule, FlowRule, OrderRule, PlanRule
from trimtab.domain.trades import CashMovement, Motive, Side
from trimtab.domain.values import PastFlow

SOON = TODAY + dt.timedelta(days=3)
ONE_FUND = {
    "stocks": ClassRule(target=Decimal("0.6"), members=("AAA",)),
    "bonds": ClassRule(target=Decimal("0.4"), members=("BBB",)),
}


def _flow(account, amount, first=SOON):
    return FlowRule(account=account, amount=Decimal(amount), first=first)


def _owing(lots, amount=5_000, cash=None, **rules):
    """A household in its bands, of which *amount* is to leave the account `hers` in three days."""
    return household(
        lots,
        cash,
        accounts=COUPLE,
        withdrawals=(_flow("hers", amount),),
        **with_defaults(rules, bands=WIDE_BAND, classes=ONE_FUND),
    )


# ------------------------------------------------------------------ withdrawals


def test_a_withdrawal_is_raised_from_the_loss_before_the_gain():
    home = _owing(
        [
            held("hers", "AAA", 30_000, 15_000, 800, "gain"),
            held("hers", "AAA", 30_000, 36_000, 900, "loss"),
            held("his", "BBB", 40_000, 40_000),
        ]
    )
    plan = plan_of(home)
    assert picked(plan.trades) == {"loss": 50}
    assert plan.tax == -300  # a loss of a fifth of 5,000, less than 3,000, at 30 %
    assert {trade.motive for trade in plan.trades} == {Motive.CASH}


def test_a_withdrawal_is_raised_from_the_long_term_gain_before_an_equal_short_one():
    home = _owing(
        [
            held("hers", "AAA", 30_000, 15_000, 300, "short"),
            held("hers", "AAA", 30_000, 15_000, 800, "long"),
        ],
        classes={"stocks": ClassRule(target=ONE, members=("AAA",))},
    )
    plan = plan_of(home)
    assert picked(plan.trades) == {"long": 50}
    assert plan.tax == 375


def test_a_withdrawal_is_raised_from_the_class_whose_sale_costs_least():
    """Bonds at cost go first, as far as they are above what is their part of the rest.

    Of 95,000 the goals are 57,000 and 38,000. The next dollar of bonds would cost 10 cents of
    drift; stocks cost 7.5 cents of tax a dollar, and are 3,000 above their goal.
    """
    home = _owing([held("hers", "AAA", 60_000, 30_000), held("hers", "BBB", 40_000, 40_000)])
    assert moved(plan_of(home).trades) == {("hers", "BBB"): -2_000, ("hers", "AAA"): -3_000}


def test_a_withdrawal_is_raised_where_it_leaves_and_nowhere_else():
    """His loss would save tax, and it is not his account that pays."""
    home = _owing(
        [held("hers", "AAA", 60_000, 30_000), held("his", "AAA", 40_000, 48_000)],
        classes={"stocks": ClassRule(target=ONE, members=("AAA",))},
    )
    assert moved(plan_of(home).trades) == {("hers", "AAA"): -5_000}


@pytest.mark.parametrize(
    ("step", "most"),
    [pytest.param("0.001", "0.1", id="fractions"), pytest.param("1", "100", id="whole shares")],
)
def test_a_withdrawal_is_there_to_the_cent_at_the_limit_prices(step, most):
    """A sale may fill 10 basis points below its bid and cost 5 more: 0.15 % is sold on top."""
    home = _owing(
        [held("hers", "AAA", 60_000, 60_000), held("his", "BBB", 40_000, 40_000)],
        Decimal("5000.01"),
        step=step,
        orders=OrderRule(minimum=Decimal(100)),
    )
    (sale,) = plan_of(home).trades
    brought = sale.value * Decimal("0.9985")
    assert Decimal("5000.01") <= brought < Decimal("5000.01") + Decimal(most)


def test_cash_at_hand_pays_a_withdrawal_before_anything_is_sold():
    lots = [held("hers", "AAA", 55_000, 30_000), held("hers", "BBB", 40_000, 40_000)]
    assert not is_planned(_owing(lots, cash={"hers": 5_000}))
    assert moved(plan_of(_owing(lots, cash={"hers": 3_000})).trades) == {("hers", "BBB"): -2_000}


@pytest.mark.parametrize(("days", "is_raised"), [(7, True), (8, False)])
def test_a_withdrawal_is_provided_for_a_week_before_it_is_due(days, is_raised):
    home = _owing([held("hers", "AAA", 60_000, 60_000), held("his", "BBB", 40_000, 40_000)])
    later = (_flow("hers", 5_000, TODAY + dt.timedelta(days=days)),)
    assert is_planned(home._replace(withdrawals=later)) is is_raised


def test_a_withdrawal_larger_than_the_daily_turnover_is_raised_in_parts():
    """Of 100,000 no more than 5 % may be sold in a day: 5,000 today, and the rest on later days."""
    home = _owing([held("hers", "AAA", 60_000, 60_000), held("his", "BBB", 40_000, 40_000)], 20_000)
    gates = replace(home.policy.gates, turnover_max=Decimal("0.05"))
    decision = home._replace(policy=replace(home.policy, gates=gates)).decide()
    assert decision.held == ()
    (sale,) = decision.allowed
    assert (sale.account, sale.symbol) == ("hers", "AAA")
    assert 4_950 <= sale.value <= 5_000


# ------------------------------------------------------------------ contributions


def _heavy(amount, **rules):
    """Stocks of 60,000, bonds of 30,000, all at cost in an IRA into which *amount* is to come."""
    coming = (_flow("ira", amount),) if amount else ()
    return household(
        [held("ira", "AAA", 60_000, 60_000), held("ira", "BBB", 30_000, 30_000)],
        accounts=COUPLE,
        classes=ONE_FUND,
        contributions=coming,
        **rules,
    )


@pytest.mark.parametrize(
    ("coming", "sold"),
    [
        pytest.param(0, 6_000, id="nothing comes: 54,000 and 36,000"),
        pytest.param(5_000, 3_000, id="5,000 come: 57,000 and 38,000"),
        pytest.param(10_000, 0, id="10,000 come and heal it all"),
    ],
)
def test_what_a_contribution_will_heal_is_not_sold_and_waits_for_the_money(coming, sold):
    decision = _heavy(coming).decide()
    trades = () if decision.plan is None else decision.plan.trades
    wanted = {("ira", "AAA"): -sold, ("ira", "BBB"): sold} if sold else {}
    assert moved(trades) == wanted
    if decision.plan is not None:
        assert proof_of(decision.plan).plan.drift == about(0)


def test_without_a_sale_the_least_deposit_is_told_instead():
    """Bonds lack 6,000 of 90,000: a deposit of 10,000 makes 30,000 + 10,000 four tenths."""
    assert _heavy(0).decide().least_deposit == 10_000


def test_a_smaller_deposit_is_told_that_reaches_the_edge_of_the_bands():
    """At most 65 % stocks and at least 35 % bonds: 60,000 / 0.65 is 92,307.69, 2,307.69 more.

    An order may leave a step of ten cents unspent, of which stocks may be 65 %: 0.154 more.
    """
    decision = _heavy(0, bands=BandRule(trigger_abs=Decimal("0.05"))).decide()
    assert decision.least_deposit == 10_000
    assert decision.deposit_into_bands == Decimal("2307.85")


# ------------------------------------------------------------------ buying alone


@pytest.mark.parametrize(("least", "sells"), [(1_199, True), (1_201, False)])
def test_cash_alone_is_used_where_a_sale_is_worth_less_than_the_policy_asks(least, sells):
    """Stocks 66,000, bonds 24,000, cash 10,000: bought alone it leaves both 6,000 off, which is
    1,200 at 10 cents a side."""
    home = household(
        [held("ira", "AAA", 66_000, 66_000), held("ira", "BBB", 24_000, 24_000)],
        {"ira": 10_000},
        accounts=COUPLE,
        classes=ONE_FUND,
        plan=PlanRule(sell_least=Decimal(least)),
    )
    bought = {("ira", "BBB"): 16_000 if sells else 10_000}
    plan = plan_of(home)
    assert moved(plan.trades) == bought | ({("ira", "AAA"): -6_000} if sells else {})
    assert proof_of(plan).plan.drift == about(0 if sells else 1_200)


@pytest.mark.parametrize(("least", "is_invested"), [(10_000, True), (10_001, False)])
def test_in_the_bands_idle_cash_is_invested_and_nothing_sold(least, is_invested):
    home = household(
        [held("ira", "AAA", 66_000, 66_000), held("ira", "BBB", 24_000, 24_000)],
        {"ira": 10_000},
        accounts=COUPLE,
        classes=ONE_FUND,
        bands=WIDE_BAND,
        orders=replace(FREE, invest_cash_from=Decimal(least)),
    )
    plan = home.decide().plan
    assert (plan is not None) is is_invested
    if plan is not None:
        assert moved(plan.trades) == {("ira", "BBB"): 10_000}
        assert all(trade.side is Side.BUY for trade in plan.trades)


def _with_flow(home, amount, days_ago=1):
    day = TODAY - dt.timedelta(days=days_ago)
    flow = PastFlow(account="hers", date=day, amount=Decimal(amount))
    return home._replace(memory=replace(home.memory, flows=(*home.memory.flows, flow)))


@pytest.mark.parametrize(("taken", "raised"), [(0, 5_000), (-2_000, 3_000), (-5_000, 0)])
def test_what_was_taken_out_before_its_day_is_not_raised_again(taken, raised):
    home = _owing([held("hers", "AAA", 60_000, 60_000), held("his", "BBB", 40_000, 40_000)])
    assert is_planned(home)
    home = _with_flow(home, taken) if taken else home
    sold = moved(plan_of(home).trades)["hers", "AAA"] if raised else 0
    assert sold == about(-raised)
    assert is_planned(home) is (raised > 0)


def test_money_that_came_in_pays_for_no_withdrawal_of_the_past_and_other_accounts_for_none():
    home = _owing([held("hers", "AAA", 60_000, 60_000), held("his", "BBB", 40_000, 40_000)])
    assert is_planned(_with_flow(home, 5_000))
    his = PastFlow(account="his", date=TODAY, amount=Decimal(-5_000))
    assert is_planned(home._replace(memory=replace(home.memory, flows=(his,))))
    assert is_planned(_with_flow(home, -5_000, days_ago=8))


def test_each_payment_of_a_week_is_for_its_own_week():
    """Last week's was taken on its day, four days ago, and the next one is due in three days."""
    weekly = replace(_flow("hers", 5_000, SOON - dt.timedelta(days=7)), every="week")
    lots = [held("hers", "AAA", 60_000, 60_000), held("his", "BBB", 40_000, 40_000)]
    home = _owing(lots)._replace(withdrawals=(weekly,))
    once = _with_flow(home, -5_000, days_ago=4)
    assert moved(plan_of(once).trades)["hers", "AAA"] == about(-5_000)
    assert not is_planned(_with_flow(once, -5_000, days_ago=0))


def test_a_contribution_that_was_paid_already_is_not_waited_for():
    lots = [held("hers", "AAA", 50_000, 50_000), held("hers", "BBB", 50_000, 50_000)]
    home = household(lots, accounts=COUPLE, contributions=(_flow("hers", 30_000),))
    plan = home.decide().plan
    assert plan is None or not picked(plan.trades)
    assert picked(plan_of(_with_flow(home, 30_000)).trades)


def test_the_owners_payments_are_remembered_for_two_months():
    memory = Memory(name="Test")
    for number, days in enumerate((100, 62, 1), start=1):
        at = START - dt.timedelta(days=days)
        movement = CashMovement(
            id=f"{number}",
            account="hers",
            currency="USD",
            amount=Decimal(-number),
            at=at,
            is_flow=number != 2,
        )
        event = CashMoved(movement=movement, in_base=Decimal(-number))
        memory = remember(memory, [Entry(sequence=number, at=at, cycle="c", event=event, hash="")])
    assert [one.amount for one in memory.flows] == [Decimal(-3)]
