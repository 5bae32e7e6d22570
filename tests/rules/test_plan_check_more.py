"""The independent checker of plans: the day's earlier orders, and the policy's order of lots."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace
from tests.rules import plan_desk
from tests.rules.homes import TODAY, homes
from tests.rules.plan_desk import Desk

from trimtab.domain.history import HOUSEHOLD
from trimtab.domain.policy import LotMethod
from trimtab.domain.values import AccountKind, Relief, ScheduledPurchase
from trimtab.rules.tax.locks import RecentPurchase

desk = plan_desk.desk
"""Bonds are heavy and stocks light: lots v1 (100 at 50, older) and v2 (50 at 60) of VTI at 100."""
LATER = " and the policy's lot_method is "


def _alike(desk: Desk) -> Desk:
    return desk.by(wash=replace(desk.planning.wash, groups=(("ITOT", "VTI"),)))


def _chosen(desk: Desk, method: LotMethod, *specified: str) -> Desk:
    return desk.relieved("specific").ordered(lot_method=method, specified=specified)


# One way a day.


def test_what_an_account_sold_earlier_today_it_does_not_buy_again(desk):
    sold = desk.by(sold_today=frozenset({("taxable", "VTI")}))
    again = desk.purchase("taxable", "VTI", "2")
    assert desk.told(again) == ()
    assert sold.told(again) == (
        "The purchase of VTI in taxable comes after it was sold in that account earlier today.",
    )
    assert sold.told(desk.purchase("ira", "VTI", "2")) == ()
    assert sold.told(desk.purchase("taxable", "ITOT", "4")) == ()
    (fault,) = _alike(sold).told(desk.purchase("taxable", "ITOT", "4"))
    assert fault == (
        "The purchase of ITOT in taxable comes after the identical VTI was sold in that account "
        "earlier today."
    )
    assert sold.told(desk.sale("taxable", "VTI", "2", v1="2")) == ()


@pytest.mark.parametrize(("days", "is_kept"), [(0, False), (1, True)])
def test_what_an_account_bought_today_it_sells_nothing_of(desk, days, is_kept):
    bought = desk.with_lot("v2", acquired=TODAY - dt.timedelta(days=days))
    sale = desk.sale("taxable", "VTI", "2", v1="2")
    sentence = "The sale of VTI in taxable comes after it was bought in that account earlier today."
    assert bought.told(sale) == (() if is_kept else (sentence,))
    assert bought.told(desk.purchase("taxable", "VTI", "2")) == ()
    alike = _alike(bought.with_lot("v2", acquired=TODAY - dt.timedelta(days=days), symbol="ITOT"))
    assert alike.told(sale) == (
        () if is_kept else (sentence.replace("after it", "after the identical ITOT"),)
    )
    elsewhere = alike.with_lot("v2", account="ira", symbol="VTI")
    assert elsewhere.told(sale) == ()


# The policy's order of lots, where they may be named.


@pytest.mark.parametrize(
    ("method", "first", "other"), [("fifo", "v1", "v2"), ("lifo", "v2", "v1"), ("hifo", "v2", "v1")]
)
def test_lots_that_may_be_named_are_taken_in_the_policys_order(desk, method, first, other):
    ruled = _chosen(desk, method)
    whole = {"v1": "100", "v2": "50"}
    assert ruled.told(desk.sale("taxable", "VTI", "3", **{first: "3"})) == ()
    some = str(int(whole[first]) + 1)
    assert ruled.told(desk.sale("taxable", "VTI", some, **{first: whole[first], other: "1"})) == ()
    sentence = (
        f"The sale of VTI in taxable takes lot {other} before lot {first} is sold whole,"
        f"{LATER}{method}."
    )
    assert ruled.told(desk.sale("taxable", "VTI", "3", **{other: "3"})) == (sentence,)
    short = str(int(whole[first]) - 1)
    both = {first: short, other: "1"}
    assert ruled.told(desk.sale("taxable", "VTI", whole[first], **both)) == (sentence,)
    free = _chosen(desk, "min_tax")
    assert free.told(desk.sale("taxable", "VTI", "3", **{other: "3"})) == ()


def test_the_policys_order_says_nothing_where_the_broker_books_by_its_own(desk):
    ruled = _chosen(desk, "lifo").relieved("fifo")
    assert ruled.told(desk.sale("taxable", "VTI", "3", v1="3")) == ()


def test_only_the_lots_that_the_policy_names_are_sold_and_in_the_order_named(desk):
    named = _chosen(desk, "specified", "v2", "gone", "v1")
    assert named.told(desk.sale("taxable", "VTI", "51", v1="1", v2="50")) == ()
    assert named.told(desk.sale("taxable", "VTI", "50", v1="1", v2="49")) == (
        f"The sale of VTI in taxable takes lot v1 before lot v2 is sold whole,{LATER}specified.",
    )
    alone = _chosen(desk, "specified", "v2")
    assert alone.told(desk.sale("taxable", "VTI", "51", v1="1", v2="50")) == (
        "The sale of VTI in taxable takes lot v1, which the policy does not name.",
    )


def test_a_name_of_a_lot_stands_for_its_pieces(desk):
    pieced = _chosen(desk.with_lot("v1", id="v1#a", piece="a"), "specified", "v1")
    sale = desk.sale("taxable", "VTI", "2", v1="2")
    sale = replace(sale, lots=tuple(replace(pick, piece="a") for pick in sale.lots))
    assert pieced.told(sale) == ()
    assert pieced.told(desk.sale("taxable", "VTI", "2", v2="2")) == (
        "The sale of VTI in taxable takes lot v2, which the policy does not name.",
    )


def test_costs_that_differ_by_dust_stand_alike(desk):
    # 50 units at 50 and 100 at 50 plus a little: 1e-11 a unit is dust for 50 of them, 1e-10 is not.
    even = _chosen(desk, "hifo").with_lot("v2", basis=Decimal(2500))
    sale = desk.sale("taxable", "VTI", "50", v2="50")
    assert even.told(sale) == ()
    assert even.with_lot("v1", basis=Decimal(5000) + Decimal("1e-9")).told(sale) == ()
    assert even.with_lot("v1", basis=Decimal(5000) + Decimal("1e-8")).told(sale) == (
        f"The sale of VTI in taxable takes lot v2 before lot v1 is sold whole,{LATER}hifo.",
    )


@pytest.mark.parametrize(("days", "is_passed_over"), [(1, True), (0, False)])
def test_a_lot_that_waits_for_settlement_is_passed_over(desk, days, is_passed_over):
    waiting = _chosen(desk, "lifo").with_lot("v2", sellable_from=TODAY + dt.timedelta(days=days))
    assert (waiting.told(desk.sale("taxable", "VTI", "3", v1="3")) == ()) == is_passed_over


def test_a_lot_whose_loss_would_be_washed_is_passed_over_and_no_other_loss_is(desk):
    recent = RecentPurchase(
        symbol="VTI", account="ira", acquired=TODAY, lots=frozenset({("ira", "new")})
    )
    losing = _chosen(desk, "lifo").with_lot("v2", basis=Decimal(6000))
    sale = desk.sale("taxable", "VTI", "3", v1="3")
    (fault,) = losing.told(sale)
    assert "takes lot v1 before lot v2" in fault
    washed = losing.by(recent={(HOUSEHOLD, "VTI"): (recent,)})
    assert washed.told(sale) == ()
    its_own = replace(recent, account="taxable", lots=frozenset({("taxable", "v2")}))
    assert losing.by(recent={(HOUSEHOLD, "VTI"): (its_own,)}).told(sale) == (fault,)
    coming = ScheduledPurchase(account="ira", symbol="VTI", date=TODAY + dt.timedelta(days=9))
    assert losing.seen(scheduled=(coming,)).told(sale) == ()
    assert losing.told(sale, desk.purchase("ira", "VTI", "2")) == ()
    gaining = washed.with_lot("v2", basis=Decimal(3000))
    assert gaining.told(sale) == (fault,)


SPECIFIC = homes(
    kinds=(AccountKind.TAXABLE, AccountKind.TRADITIONAL_IRA),
    lot_methods=("hifo", "lifo", "fifo", "specified"),
)


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(SPECIFIC)
def test_no_plan_is_withheld_where_the_policy_orders_the_lots(home):
    accounts = {
        name: replace(account, relief=Relief.SPECIFIC)
        for name, account in home.snapshot.accounts.items()
    }
    specific = home._replace(snapshot=replace(home.snapshot, accounts=accounts))
    assert not any("withheld" in one.sentence for one in specific.decide().refusals)
