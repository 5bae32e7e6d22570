"""The independent checker of plans: cash, what may be held and sold, and what must be raised."""

import datetime as dt
from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.rules import plan_desk
from tests.rules.homes import TODAY
from tests.rules.plan_desk import one

from trimtab.domain.history import HOUSEHOLD
from trimtab.domain.policy import ReserveRule
from trimtab.rules.tax.locks import RecentPurchase

desk = plan_desk.desk
"""In `taxable` v1 (100 at 50) and v2 (50 at 60) of VTI at 100, and 3,000 of cash of which 1,000 are
its reserve; in `ira` 500 of BND at 80 and 2,000 of cash; in `wallet` a tenth of a coin."""


def _below(account: str, lacking: str, stays: str = "1,000.00") -> str:
    return (
        f"{account} would be left {lacking} USD below the {stays} USD of cash that must stay "
        "there, at the limit prices and with fees."
    )


def test_an_account_keeps_its_reserve_at_the_limit_prices_with_fees(desk):
    trade = desk.purchase("taxable", "VTI", "10")
    assert desk.with_cash("taxable", "2001.50").told(trade) == ()
    assert desk.with_cash("taxable", "2001.49").told(trade) == (_below("taxable", "0.01"),)


def test_fees_beyond_the_policys_buffer_are_counted_too(desk):
    trade = replace(desk.purchase("taxable", "VTI", "10"), cost=Decimal(1))
    assert desk.with_cash("taxable", "2002").told(trade) == ()
    assert "0.01 USD below" in desk.with_cash("taxable", "2001.99").told(trade)[0]


def test_what_one_account_sells_does_not_pay_in_another(desk):
    sale = desk.sale("ira", "BND", "100", b1="100")
    assert desk.with_cash("ira", "0").told(sale, desk.purchase("ira", "VTI", "79")) == ()
    elsewhere = desk.purchase("taxable", "VTI", "1")
    assert desk.with_cash("taxable", "1000").told(sale, elsewhere) == (_below("taxable", "100.15"),)


def test_proceeds_count_at_the_limit_of_the_sale(desk):
    # 10 sold for 998.50 and 13 bought for 1,041.56.
    trades = [
        desk.sale("taxable", "VTI", "10", v1="10"),
        desk.purchase("taxable", "BND", "13"),
    ]
    assert desk.with_cash("taxable", "1043.06").told(*trades) == ()
    assert desk.with_cash("taxable", "1043.05").told(*trades) == (_below("taxable", "0.01"),)


def test_an_account_below_its_reserve_is_not_brought_lower(desk):
    poor = desk.with_cash("taxable", "-50")
    sale = desk.sale("taxable", "VTI", "10", v1="10")
    assert poor.told(sale) == ()
    assert poor.told(sale, desk.purchase("taxable", "BND", "12")) == ()
    assert poor.told(sale, desk.purchase("taxable", "BND", "13")) == (
        _below("taxable", "43.06", "-50.00"),
    )


def test_the_operating_reserve_and_what_is_due_stay_in_their_account(desk):
    trade = desk.purchase("ira", "VTI", "10")
    for kept in (
        desk.ruled(reserve=ReserveRule(monthly_costs=Decimal(100), account="ira", months=5)),
        desk.by(due={"ira": Decimal(500)}),
    ):
        assert kept.with_cash("ira", "1501.50").told(trade) == ()
        assert kept.with_cash("ira", "1501.49").told(trade) == (_below("ira", "0.01", "500.00"),)


def test_where_the_policy_waits_purchases_are_paid_with_settled_cash(desk):
    waiting = desk.ordered(unsettled="wait")
    trade = desk.purchase("taxable", "VTI", "10")
    assert waiting.with_cash("taxable", "9000", "2001.50").told(trade) == ()
    late = waiting.with_cash("taxable", "9000", "2001.49")
    sentence = (
        "The purchases in taxable need 0.01 USD more than the settled cash that may be spent "
        "there, and the policy waits for settlement."
    )
    assert late.told(trade) == (sentence,)
    assert late.ordered(unsettled="use").told(trade) == ()
    bonds = desk.with_lot("v2", symbol="BND").sale("taxable", "BND", "50", v2="50")
    proceeds = waiting.with_lot("v2", symbol="BND").with_cash("taxable", "2001.49")
    assert proceeds.told(bonds, trade) == (sentence,)


def test_a_purchase_takes_no_symbol_beyond_its_part_of_the_whole(desk):
    # 15,000 of VTI, 40,000 of BND, 5,000 of coins, and 4,000 of cash beside the reserve.
    limits = {"VTI": Decimal(16_500) / (15_000 + 40_000 + 5_000 + 4_000)}
    limited = desk.ruled(plan=replace(desk.planning.policy.plan, holdings_max=limits))
    assert limited.told(desk.purchase("taxable", "VTI", "15")) == ()
    assert limited.told(desk.purchase("taxable", "VTI", "16")) == (
        "The purchases of VTI take it 100.00 USD beyond the 25.8 % of the savings that it may be.",
    )
    over = desk.ruled(plan=replace(desk.planning.policy.plan, holdings_max={"VTI": Decimal("0.1")}))
    assert over.told(desk.purchase("taxable", "BND", "2")) == ()
    assert over.told(desk.sale("taxable", "VTI", "2", v1="2")) == ()


# What is sold in a day.


def _limited(desk, part):
    gates = replace(desk.planning.policy.gates, turnover_max=Decimal(part))
    return desk.ruled(gates=gates)


def test_no_more_is_sold_in_a_day_than_the_policys_part_of_the_whole(desk):
    # An eighth of 64,000 is 8,000, or 100 bonds.
    limited = _limited(desk, "0.125")
    assert limited.told(limited.sale("ira", "BND", "100", b1="100")) == ()
    assert limited.told(limited.sale("ira", "BND", "101", b1="101")) == one(
        "The sales of 8,080.00 USD, after 0.00 USD earlier today, are 80.00 USD beyond the 12.5 % "
        "of the savings that may be sold in a day."
    )


def test_what_was_sold_earlier_on_the_day_counts(desk):
    limited = _limited(desk, "0.125").by(sold_before=Decimal(400))
    assert limited.told(limited.sale("ira", "BND", "95", b1="95")) == ()
    (fault,) = limited.told(limited.sale("ira", "BND", "96", b1="96"))
    assert "after 400.00 USD earlier today, are 80.00 USD beyond" in fault
    assert limited.by(sold_before=Decimal(9000)).told(desk.purchase("ira", "VTI", "2")) == ()
    all_day = _limited(desk, "1").by(sold_before=Decimal(60_000))
    (fault,) = all_day.told(desk.sale("ira", "BND", "100", b1="100"))
    assert "are 4,000.00 USD beyond the 100.0 %" in fault


# What is due to be withdrawn: 3,000 from the IRA, which has 2,000 and 500 bonds at 80.


def _due(desk, **amounts):
    return desk.by(due={name: Decimal(amount) for name, amount in amounts.items()})


def _raise(lacking, symbol):
    return (
        f"ira lacks {lacking} USD of what is due to be withdrawn and of its reserve, and more of "
        f"{symbol} there could be sold for it."
    )


def test_what_is_due_is_raised_at_the_limit_prices_with_fees(desk):
    due = _due(desk, ira="3000")
    elsewhere = desk.purchase("taxable", "VTI", "2")
    assert due.told(elsewhere) == (_raise("1,000.00", "BND"),)
    assert due.told(desk.sale("ira", "BND", "13", b1="13")) == ()
    assert due.told(desk.sale("ira", "BND", "12", b1="12")) == (_raise("41.44", "BND"),)
    assert _due(desk, ira="2000", roth="9").told(elsewhere) == ()
    reserved = due.ruled(cash_reserves={**desk.planning.policy.cash_reserves, "ira": Decimal(100)})
    assert reserved.told(elsewhere) == (_raise("1,100.00", "BND"),)


def test_an_account_that_lacks_of_what_is_due_buys_nothing(desk):
    due = _due(desk, ira="3000")
    sale, purchase = desk.sale("ira", "BND", "15", b1="15"), desk.purchase("ira", "VTI", "2")
    assert due.told(sale, desk.purchase("taxable", "VTI", "2")) == ()
    assert due.told(sale, purchase) == (
        _raise("2.10", "VTI").replace(
            "more of VTI there could be sold for it", "VTI is bought there"
        ),
        _raise("2.10", "BND"),
    )


def test_what_cannot_be_raised_is_no_fault(desk):
    due = _due(desk, ira="3000")
    elsewhere = desk.purchase("taxable", "VTI", "2")
    for stuck in (
        due.by(closed={"ira": "it disagrees"}),
        due.ordered(no_sell=("BND",)),
        due.with_lot("b1", acquired=TODAY),
        due.with_lot("b1", sellable_from=TODAY + dt.timedelta(days=1)),
        due.ordered(lot_method="specified", specified=("v1",)).relieved("specific", "ira"),
        _limited(due, "0.02"),
    ):
        assert stuck.told(elsewhere) == ()
    assert due.with_lot("b1", sellable_from=TODAY).told(elsewhere) == (_raise("1,000.00", "BND"),)


def test_what_is_due_is_raised_by_orders_that_are_large_enough(desk):
    # Of 49 and a half bonds 3,920 is the most in whole steps, and all of them are no whole step.
    elsewhere = desk.sale("wallet", "BTC-USD", "0.1", c1="0.1")
    due = _limited(_due(desk, ira="3000"), "1").ordered(minimum=Decimal(3_921))
    broken = due.with_lot("b1", quantity=Decimal("49.5"))
    assert broken.told(elsewhere) == ()
    assert broken.ordered(minimum=Decimal(3_920)).told(elsewhere) == (_raise("1,000.00", "BND"),)
    whole = due.with_lot("b1", quantity=Decimal(49))
    assert whole.told(elsewhere) == (_raise("1,000.00", "BND"),)


@pytest.mark.parametrize(("is_washed", "raises"), [(True, False), (False, True)])
def test_a_loss_that_a_purchase_would_wash_need_not_be_taken_for_what_is_due(
    desk, is_washed, raises
):
    losing = desk.with_lot("v1", basis=Decimal(20_000)).with_lot("v2", basis=Decimal(20_000))
    due = _due(losing, taxable="9000")
    bought = RecentPurchase(
        symbol="VTI", account="ira", acquired=TODAY, lots=frozenset({("ira", "new")})
    )
    due = due.by(recent={(HOUSEHOLD, "VTI"): (bought,)} if is_washed else {})
    found = due.told(desk.sale("ira", "BND", "2", b1="2"))
    assert len(found) == raises
    assert all("more of VTI there could be sold" in fault for fault in found)
