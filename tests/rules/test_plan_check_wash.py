"""The independent checker of plans: no purchase washes a loss, whoever of the household buys."""

import datetime as dt
from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.rules import plan_desk
from tests.rules.homes import TODAY
from tests.rules.plan_desk import one

from trimtab.domain.history import HOUSEHOLD
from trimtab.domain.values import InstrumentKind, ScheduledPurchase
from trimtab.rules.tax.locks import RecentPurchase
from trimtab.rules.tax.wash import WashLock

desk = plan_desk.desk
"""Bonds are heavy and stocks light: lots v1 (100 at 50, older) and v2 (50 at 60) of VTI at 100."""

LOSS = "The sale of VTI in taxable takes a loss on lot v1 that is washed by buying "
IN_THE_IRA = RecentPurchase(
    symbol="ITOT", account="ira", acquired=TODAY, lots=frozenset({("ira", "new")})
)


def test_what_a_wash_lock_forbids_is_not_bought_by_that_taxpayer(desk):
    lock = WashLock(
        symbol="VTI",
        sold=TODAY - dt.timedelta(days=3),
        account="taxable",
        safe_from=TODAY + dt.timedelta(days=28),
    )
    trade = desk.purchase("ira", "VTI", "2")
    assert desk.by(wash_locks={(HOUSEHOLD, "VTI"): lock}).told(trade) == one(
        "The purchase of VTI in ira would wash the loss of VTI sold in taxable on 2026-03-06: it "
        "may be bought from 2026-04-06."
    )
    assert desk.by(wash_locks={("child", "VTI"): lock, (HOUSEHOLD, "BND"): lock}).told(trade) == ()


@pytest.mark.parametrize(("basis", "is_kept"), [("9985", True), ("9985.01", False)])
def test_a_loss_at_the_limit_price_is_not_taken_after_a_purchase_of_the_same(desk, basis, is_kept):
    recent = {(HOUSEHOLD, "VTI"): (IN_THE_IRA,)}
    bought = desk.with_lot("v1", basis=Decimal(basis)).by(recent=recent)
    sale = desk.sale("taxable", "VTI", "2", v1="2")
    assert bought.told(sale) == (() if is_kept else (f"{LOSS}ITOT in ira on 2026-03-09.",))


def test_a_purchase_does_not_wash_its_own_loss_nor_another_taxpayers(desk):
    own = replace(IN_THE_IRA, account="taxable", lots=frozenset({("taxable", "v1")}))
    losing = desk.with_lot("v1", basis=Decimal(20_000))
    sale = desk.sale("taxable", "VTI", "2", v1="2")
    assert losing.by(recent={(HOUSEHOLD, "VTI"): (own,)}).told(sale) == ()
    assert losing.by(recent={("child", "VTI"): (IN_THE_IRA,)}).told(sale) == ()
    assert losing.by(recent={(HOUSEHOLD, "VTI"): (own, IN_THE_IRA)}).told(sale) == (
        f"{LOSS}ITOT in ira on 2026-03-09.",
    )


def test_a_loss_that_the_law_does_not_reach_may_be_taken(desk):
    recent = {(HOUSEHOLD, "BND"): (IN_THE_IRA,), (HOUSEHOLD, "BTC-USD"): (IN_THE_IRA,)}
    losing = desk.by(recent=recent).with_lot("b1", basis=Decimal(90_000))
    losing = losing.with_lot("c1", basis=Decimal(90_000))
    assert desk.snapshot.instruments["BTC-USD"].kind is InstrumentKind.CRYPTO
    untaxed = losing.sale("ira", "BND", "2", b1="2")
    coins = losing.sale("wallet", "BTC-USD", "0.01", c1="0.01")
    assert losing.told(untaxed, coins) == ()
    reached = replace(losing.planning.wash, crypto_wash_from=TODAY)
    assert "takes a loss on lot c1" in losing.by(wash=reached).told(untaxed, coins)[0]


def test_a_loss_is_not_taken_before_a_purchase_that_comes_by_itself(desk):
    day = TODAY + dt.timedelta(days=9)
    coming = ScheduledPurchase(account="ira", symbol="ITOT", date=day)
    losing = desk.with_lot("v1", basis=Decimal(20_000)).seen(scheduled=(coming,))
    sale = desk.sale("taxable", "VTI", "2", v1="2")
    assert losing.told(sale) == ()
    alike = losing.by(wash=replace(desk.planning.wash, groups=(("ITOT", "VTI"),)))
    assert alike.told(sale) == (f"{LOSS}ITOT in ira on 2026-03-18, as it is scheduled.",)
    assert alike.told(desk.sale("taxable", "VTI", "2", v2="2")) == ()
    apart = alike.by(taxpayers={**desk.planning.taxpayers, "ira": "child"})
    assert apart.told(sale) == ()


def test_a_plan_does_not_take_a_loss_and_buy_the_same_for_one_taxpayer(desk):
    losing = desk.with_lot("v1", basis=Decimal(20_000))
    losing = losing.by(wash=replace(desk.planning.wash, groups=(("ITOT", "VTI"),)))
    sale = desk.sale("taxable", "VTI", "2", v1="2")
    replacement = desk.purchase("ira", "ITOT", "2")
    assert losing.told(sale, replacement) == (f"{LOSS}ITOT in ira in this plan.",)
    assert losing.told(sale, desk.purchase("ira", "BND", "2")) == ()
    assert losing.told(desk.sale("taxable", "VTI", "2", v2="2"), replacement) == ()
    apart = losing.by(taxpayers={**desk.planning.taxpayers, "ira": "child"})
    assert apart.told(sale, replacement) == ()
