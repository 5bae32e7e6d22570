"""The independent checker of plans: each rule broken by as little as can be, and each just kept."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.houses import START
from tests.rules import plan_desk
from tests.rules.homes import NO_LIMITS, TODAY, homes
from tests.rules.plan_desk import one, planned
from tests.rules.plan_homes import COUPLE, held, household

from trimtab.domain.policy import DefensiveRule, FlowRule
from trimtab.domain.values import Quote
from trimtab.rules.plan import make
from trimtab.rules.plan.orders import orders_of

many = settings(max_examples=150, suppress_health_check=list(HealthCheck))
desk = plan_desk.desk
"""Bonds are heavy and stocks light: lots v1 (100 at 50, older) and v2 (50 at 60) of VTI at 100."""


def test_a_plan_that_keeps_every_rule_has_no_fault(desk):
    trades = [
        desk.sale("ira", "BND", "100", b1="100"),
        desk.purchase("ira", "VTI", "90"),
        desk.purchase("taxable", "VTI", "19"),
    ]
    assert desk.told(*trades) == desk.told() == ()
    assert desk.told(*reversed(trades)) == ()


def test_faults_are_told_alike_in_any_order_of_the_trades(desk):
    trades = [desk.purchase("ira", "VTI", "90"), desk.purchase("taxable", "VTI", "20.5")]
    assert desk.told(*trades) == desk.told(*reversed(trades))
    assert len(desk.told(*trades)) == 3


# What an order is.


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"account": "roth"}, "VTI in roth is in an account that the household does not have."),
        ({"symbol": "VOO"}, "VOO in taxable is of an instrument that the household does not know."),
        ({"quantity": Decimal("NaN")}, "VTI in taxable has an amount that is not a number."),
        ({"price": Decimal("Infinity")}, "VTI in taxable has an amount that is not a number."),
    ],
)
def test_what_cannot_be_judged_is_told_alone(desk, changes, sentence):
    trade = replace(desk.purchase("taxable", "VTI", "1"), **changes)
    beside = desk.purchase("ira", "VTI", "1.5")
    assert desk.told(trade, beside) == (f"The purchase of {sentence}",)


@pytest.mark.parametrize(
    ("bid", "ask", "is_kept"),
    [("100", "100", True), ("99", "100", True), ("101", "100", False), ("0", "100", False)],
)
def test_a_trade_needs_a_quote_that_a_market_could_have(desk, bid, ask, is_kept):
    trade = desk.purchase("taxable", "VTI", "1")
    quote = Quote(symbol="VTI", bid=Decimal(bid), ask=Decimal(ask), at=START, session=TODAY)
    sentence = (
        "The purchase of VTI in taxable has no quote with a bid above zero and an ask that is not "
        "below it."
    )
    found = desk.seen(quotes={**desk.snapshot.quotes, "VTI": quote})
    assert found.told(trade) == (() if is_kept else (sentence,))
    unknown = {name: one for name, one in desk.snapshot.quotes.items() if name != "VTI"}
    assert desk.seen(quotes=unknown).told(trade) == (sentence,)


@pytest.mark.parametrize("quantity", ["0", "-1"])
def test_a_trade_is_of_more_than_nothing(desk, quantity):
    sentence = (
        f"The purchase of VTI in taxable is of {quantity} units: it must be of more than none."
    )
    trade = replace(desk.purchase("taxable", "VTI", quantity), cost=Decimal(0))
    assert desk.told(trade) == (sentence,)


def test_a_quantity_is_whole_steps_unless_all_is_sold(desk):
    fault = "of VTI in taxable is of 1.5 units, which is no multiple of its step of 1."
    assert desk.told(desk.purchase("taxable", "VTI", "1.5")) == (f"The purchase {fault}",)
    assert desk.told(desk.sale("taxable", "VTI", "1.5", v1="1.5")) == (f"The sale {fault}",)
    dusty = desk.with_lot("v2", quantity=Decimal("50.5"))
    assert dusty.told(dusty.sale("taxable", "VTI", "150.5", v1="100", v2="50.5")) == ()
    fine = {**desk.snapshot.instruments}
    fine["VTI"] = replace(fine["VTI"], step=Decimal("0.5"))
    assert desk.seen(instruments=fine).told(desk.purchase("taxable", "VTI", "1.5")) == ()


def test_an_order_is_worth_the_minimum_unless_all_is_sold(desk):
    fault = "in taxable is worth 50.00 USD, less than the smallest order of 100.00 USD."
    assert desk.told(desk.purchase("taxable", "ITOT", "2")) == ()
    assert desk.told(desk.purchase("taxable", "ITOT", "1")) == (f"The purchase of ITOT {fault}",)
    two = desk.with_lot("v2", symbol="ITOT", quantity=Decimal(2))
    one = desk.with_lot("v2", symbol="ITOT", quantity=Decimal(1))
    sale = desk.sale("taxable", "ITOT", "1", v2="1")
    assert two.told(sale) == (f"The sale of ITOT {fault}",)
    assert one.told(sale) == two.told(desk.sale("taxable", "ITOT", "2", v2="2")) == ()


def test_a_trade_is_planned_at_the_quote(desk):
    trade = desk.purchase("taxable", "VTI", "1")
    assert desk.told(replace(trade, price=Decimal("100.01"))) == (
        "The purchase of VTI in taxable is planned at 100.01, and the quote is 100.",
    )
    wide = replace(desk.snapshot.quotes["VTI"], bid=Decimal(99))
    wide_desk = desk.seen(quotes={**desk.snapshot.quotes, "VTI": wide})
    sale = desk.sale("taxable", "VTI", "2", v1="2")
    assert wide_desk.told(replace(sale, price=Decimal(99))) == ()
    assert wide_desk.told(sale) == (
        "The sale of VTI in taxable is planned at 100, and the quote is 99.",
    )


def test_a_sale_has_a_limit_above_zero_and_no_fee_is_negative(desk):
    sale = desk.with_lot("v1", basis=Decimal(1)).sale("taxable", "VTI", "2", v1="2")
    free = desk.ordered(slippage_max_bps=Decimal(10_000), fee_buffer_bps=Decimal(0))
    free = free.with_lot("v1", basis=Decimal(0))
    sold = replace(sale, cost=Decimal(0))
    assert free.told(sold) == (
        "The sale of VTI in taxable would go at any price: the policy's slippage leaves no limit.",
    )
    assert free.ordered(slippage_max_bps=Decimal(9_999)).told(sold) == ()
    assert desk.told(replace(sale, cost=Decimal("-0.01"))) == (
        "The sale of VTI in taxable expects fees of less than zero.",
    )


def test_a_place_has_one_order_a_side(desk):
    trades = [desk.purchase("taxable", "VTI", "2"), desk.purchase("taxable", "VTI", "3")]
    assert desk.told(*trades) == (
        "The purchase of VTI in taxable is planned twice: it must be one order.",
    )
    assert desk.told(trades[0], desk.purchase("ira", "VTI", "3")) == ()


def test_nothing_is_sold_and_its_like_bought_in_one_account(desk):
    sale = desk.sale("taxable", "VTI", "2", v1="2")
    assert desk.told(sale, desk.purchase("taxable", "VTI", "2")) == (
        "The sale of VTI in taxable goes with a purchase of it in the same account.",
    )
    other = desk.purchase("taxable", "ITOT", "2")
    assert desk.told(sale, other) == ()
    alike = desk.by(tax=replace(desk.planning.tax, identical=(("VTI", "VOO"), ("ITOT", "VOO"))))
    assert alike.told(sale, other) == (
        (
            "The sale of VTI in taxable goes with a purchase of the identical ITOT in the same "
            "account."
        ),
    )
    assert alike.told(sale, desk.purchase("ira", "ITOT", "2")) == ()


# What may be traded.


def test_a_closed_account_is_left_alone_and_the_reason_told(desk):
    closed = desk.by(closed={"ira": "An earlier order there is not settled yet."})
    assert closed.told(desk.purchase("taxable", "VTI", "2")) == ()
    assert closed.told(desk.purchase("ira", "VTI", "2")) == one(
        "The purchase of VTI in ira is in an account that may not be traded now: An earlier order "
        "there is not settled yet."
    )


def test_what_belongs_to_no_class_is_not_traded(desk):
    rules = dict(desk.planning.policy.classes)
    rules["stocks"] = replace(rules["stocks"], members=("ITOT",))
    sale = desk.sale("taxable", "VTI", "2", v1="2")
    assert desk.told(sale) == ()
    assert desk.ruled(classes=rules).told(sale) == (
        "The sale of VTI in taxable is of an instrument that belongs to no class.",
    )
    assert desk.told(replace(sale, asset_class="bonds")) == (
        "The sale of VTI in taxable is told to be of bonds, and belongs to stocks.",
    )


def test_the_lists_of_what_not_to_buy_and_not_to_sell_are_kept(desk):
    sale = desk.sale("taxable", "VTI", "2", v1="2")
    purchase = desk.purchase("taxable", "VTI", "2")
    assert desk.ordered(no_buy=("VTI",)).told(sale) == ()
    assert desk.ordered(no_sell=("VTI",)).told(purchase) == ()
    assert desk.ordered(no_buy=("VTI",)).told(purchase) == (
        "The purchase of VTI in taxable is forbidden by the policy's no_buy list.",
    )
    assert desk.ordered(no_sell=("VTI",)).told(sale) == (
        "The sale of VTI in taxable is forbidden by the policy's no_sell list.",
    )


def test_an_account_buys_only_what_it_can_hold(desk):
    rich = desk.with_cash("wallet", "2000")
    assert rich.told(desk.purchase("wallet", "BTC-USD", "0.01")) == ()
    assert desk.told(desk.purchase("taxable", "BTC-USD", "0.01")) == (
        "The purchase of BTC-USD in taxable is of what an account of the kind taxable cannot hold.",
    )
    assert rich.told(desk.purchase("wallet", "VTI", "2")) == (
        "The purchase of VTI in wallet is of what an account of the kind crypto cannot hold.",
    )


def test_the_defensive_posture_buys_only_what_is_safe(desk):
    fallen = desk.by(is_defensive=True).ruled(defensive=DefensiveRule(posture="reduce_only"))
    assert fallen.told(desk.purchase("taxable", "BND", "2")) == ()
    assert fallen.told(desk.sale("taxable", "VTI", "2", v1="2")) == ()
    risky = desk.purchase("taxable", "VTI", "2")
    assert fallen.told(risky) == (
        "The purchase of VTI in taxable adds to the risky class stocks in the defensive posture.",
    )
    assert fallen.ruled(defensive=DefensiveRule(posture="targets")).told(risky) == ()
    assert fallen.by(is_defensive=False).told(risky) == ()


# A plan that breaks a rule does not leave.


def _oversold(orders):
    sales = {
        place: tuple(replace(pick, quantity=pick.quantity + 700) for pick in picks)
        for place, picks in orders.sales.items()
    }
    return orders._replace(sales=sales)


def _unraised(orders):
    return orders._replace(sales={})


def _halved(orders):
    return orders._replace(purchases={p: q / 3 for p, q in orders.purchases.items()})


@pytest.mark.parametrize(
    ("broken", "withdrawn", "sentence"),
    [
        pytest.param(_oversold, 0, "would be sold, and it holds 700", id="lots oversold"),
        pytest.param(_oversold, 0, "of the savings that may be sold in a day", id="turnover"),
        pytest.param(_halved, 0, "which is no multiple of its step", id="part of a step"),
        pytest.param(_unraised, 5_000, "more of AAA there could be sold for it", id="nothing due"),
    ],
)
def test_a_plan_that_breaks_a_rule_is_withheld_and_the_rule_is_told(
    monkeypatch, broken, withdrawn, sentence
):
    home = household(
        [held("ira", "AAA", 70_000, 60_000), held("ira", "BBB", 30_000, 30_000)],
        {"his": 6_000 if withdrawn else 0},
        accounts=COUPLE,
        gates=replace(NO_LIMITS, turnover_max=Decimal("0.5")),
        withdrawals=(FlowRule(account="ira", amount=Decimal(withdrawn), first=TODAY),),
    )
    assert home.decide().plan is not None
    monkeypatch.setattr(make, "orders_of", lambda *asked: broken(orders_of(*asked)))
    decision = home.decide()
    assert decision.plan is None
    (told,) = [each.sentence for each in decision.refusals if "is withheld" in each.sentence]
    assert sentence in told


# The planner's own plans.


@many
@given(st.one_of(homes(), homes(is_defensive=True)))
def test_no_plan_that_leaves_has_a_fault(home):
    desk, trades = planned(home)
    assert desk is not None or trades == ()
    assert desk is None or desk.told(*trades) == ()
