"""The independent checker of plans: which lots a sale names, in the order of the brokers' books."""

import datetime as dt
from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.rules import plan_desk
from tests.rules.homes import TODAY
from tests.rules.plan_desk import one

from trimtab.domain.trades import LotPick
from trimtab.domain.values import LotPiece

desk = plan_desk.desk
"""Bonds are heavy and stocks light: lots v1 (100 at 50, older) and v2 (50 at 60) of VTI at 100."""


def test_the_lots_of_a_sale_add_up_to_it_exactly(desk):
    fault = "The sale of VTI in taxable is of 2 units, and its lots of "
    assert desk.told(desk.sale("taxable", "VTI", "2", v1="1", v2="1")) == ()
    assert desk.told(desk.sale("taxable", "VTI", "2", v1="1.99999999")) == (f"{fault}1.99999999.",)
    assert desk.told(desk.sale("taxable", "VTI", "2")) == (f"{fault}0.",)


@pytest.mark.parametrize("name", ["b1", "gone"])
def test_a_sale_names_lots_of_its_own_account_and_symbol(desk, name):
    assert desk.told(desk.sale("taxable", "VTI", "2", **{name: "2"})) == (
        f"The sale of VTI in taxable names lot {name}, which is not there.",
    )


def test_no_lot_is_sold_beyond_what_it_holds_over_all_trades_together(desk):
    assert desk.told(desk.sale("taxable", "VTI", "100", v1="100")) == ()
    assert desk.told(desk.sale("taxable", "VTI", "101", v1="101")) == (
        "101 units of lot v1 of VTI in taxable would be sold, and it holds 100.",
    )
    twice = [desk.sale("taxable", "VTI", "99", v1="99"), desk.sale("taxable", "VTI", "2", v1="2")]
    assert desk.told(*twice) == (
        "101 units of lot v1 of VTI in taxable would be sold, and it holds 100.",
        "The sale of VTI in taxable is planned twice: it must be one order.",
    )


def test_a_pick_takes_something_and_a_purchase_names_no_lot(desk):
    assert desk.told(desk.sale("taxable", "VTI", "2", v1="3", v2="-1")) == (
        "The sale of VTI in taxable takes -1 units of lot v2.",
    )
    named = replace(
        desk.purchase("taxable", "VTI", "2"), lots=(LotPick(lot_id="v1", quantity=Decimal(2)),)
    )
    assert desk.told(named) == (
        "The purchase of VTI in taxable names lots, which only a sale does.",
    )


def test_each_pick_takes_something_even_where_all_of_them_together_do(desk):
    sale = desk.sale("taxable", "VTI", "2", v1="3")
    twice = replace(sale, lots=(*sale.lots, LotPick(lot_id="v1", quantity=Decimal(-1))))
    assert desk.told(twice) == one("The sale of VTI in taxable takes -1 units of lot v1.")


def test_a_name_that_two_lots_of_a_place_bear_names_none_of_them(desk):
    double = next(lot for lot in desk.snapshot.lots if lot.id == "v1")
    doubled = desk.seen(lots=(*desk.snapshot.lots, replace(double, quantity=Decimal(5))))
    sale = desk.sale("taxable", "VTI", "2", v1="2")
    assert doubled.told(sale) == one("Lot v1 of VTI in taxable stands there twice.")
    elsewhere = desk.seen(lots=(*desk.snapshot.lots, replace(double, account="ira")))
    assert elsewhere.told(sale) == ()
    assert elsewhere.told(desk.sale("ira", "VTI", "101", v1="101")) == one(
        "101 units of lot v1 of VTI in ira would be sold, and it holds 100."
    )


def test_a_pick_may_name_the_piece_of_a_lot_that_a_wash_sale_made(desk):
    whole = next(one for one in desk.snapshot.lots if one.id == "v2")
    assert isinstance(whole, LotPiece)
    part = replace(whole, id="v2#w", piece="w", place=1, quantity=Decimal(10))
    pieces = desk.with_lot("v2", quantity=Decimal(40))
    pieces = pieces.seen(lots=(*pieces.snapshot.lots, part))
    pick = LotPick(lot_id="v2", quantity=Decimal(10), piece="w")
    sale = replace(desk.sale("taxable", "VTI", "10"), lots=(pick,))
    assert pieces.told(sale) == ()
    more = replace(sale, quantity=Decimal(11), lots=(replace(pick, quantity=Decimal(11)),))
    assert pieces.told(more) == (
        "11 units of lot v2#w of VTI in taxable would be sold, and it holds 10.",
    )


def test_first_in_first_out_takes_a_younger_lot_only_when_the_older_are_sold_whole(desk):
    fifo = desk.relieved("fifo")
    assert fifo.told(desk.sale("taxable", "VTI", "101", v1="100", v2="1")) == ()
    assert fifo.told(desk.sale("taxable", "VTI", "101", v2="1", v1="100")) == ()
    early = desk.sale("taxable", "VTI", "100", v1="99", v2="1")
    assert fifo.told(early) == one(
        "The sale of VTI in taxable takes lot v2 before lot v1 is sold whole, and the broker books "
        "first in, first out."
    )
    assert desk.relieved("specific").told(early) == ()


def test_highest_cost_first_goes_by_what_was_paid_and_not_by_what_a_wash_sale_added(desk):
    # v1 was paid 50 a unit, v2 60; a wash sale has since raised the basis of v1 above that of v2.
    hifo = desk.relieved("hifo").with_lot("v1", basis=Decimal(9000))
    assert hifo.told(desk.sale("taxable", "VTI", "51", v2="50", v1="1")) == ()
    assert hifo.told(desk.sale("taxable", "VTI", "50", v2="49", v1="1")) == one(
        "The sale of VTI in taxable takes lot v1 before lot v2 is sold whole, and the broker books "
        "what was paid most for first."
    )
    even = hifo.with_lot("v2", paid=Decimal(2500))
    assert even.told(desk.sale("taxable", "VTI", "2", v1="2")) == ()
    assert "takes lot v2 before lot v1" in even.told(desk.sale("taxable", "VTI", "2", v2="2"))[0]


@pytest.mark.parametrize(("days", "is_kept"), [(0, True), (1, False)])
def test_units_paid_with_unsettled_money_are_kept_until_it_settles(desk, days, is_kept):
    day = TODAY + dt.timedelta(days=days)
    waiting = desk.with_lot("v1", sellable_from=day)
    sentence = (
        "The sale of VTI in taxable takes lot v1, which was paid with unsettled money and is kept "
        f"until {day}."
    )
    sale = desk.sale("taxable", "VTI", "2", v1="2")
    assert waiting.told(sale) == (() if is_kept else (sentence,))
    assert waiting.told(desk.sale("taxable", "VTI", "2", v2="2")) == ()
