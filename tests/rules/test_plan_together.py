"""Losses beside a recent purchase: one order sells both, the recent units first.

A loss of 1,000 saves 300 today and costs 101.33 in ten years: it is worth 198.67.
"""

import datetime as dt
from decimal import Decimal
from itertools import accumulate

import numpy as np
import pytest
from msgspec.structs import replace
from tests.rules.homes import TODAY
from tests.rules.plan_homes import (
    COUPLE,
    WIDE_BAND,
    held,
    household,
    is_planned,
    moved,
    picked,
    plan_of,
    prepared,
    realized,
    washed,
    with_defaults,
)

from trimtab.domain.policy import ClassRule, FlowRule, GateRule, OrderRule, PlanRule
from trimtab.domain.trades import Side, Term
from trimtab.domain.values import Relief, ScheduledPurchase
from trimtab.rules.holdings import holdings
from trimtab.rules.plan.layout import lay_out
from trimtab.rules.plan.queues import queues_of

BEFORE_ALL = Decimal(0)


def _home(*recent, lots=(), **rules):
    """60 % stocks and 40 % bonds, on target; of hers an old lot has lost 1,000."""
    others = sum(lot.quantity for lot in (*recent, *lots)) * 100
    kept = [
        held("hers", "AAA", 6_000, 7_000, 800, "loss"),
        held("ira", "AAB", int(54_000 - others), int(54_000 - others)),
        held("his", "BBB", 40_000, 40_000),
    ]
    told = with_defaults(rules, plan=PlanRule(harvests="always"), bands=WIDE_BAND)
    return household([*kept, *recent, *lots], accounts=COUPLE, **told)


def _bought(days, basis=1_000, name="recent", account="hers"):
    return held(account, "AAA", 1_000, basis, days, name)


@pytest.mark.parametrize("days", [1, 30])
@pytest.mark.parametrize("basis", [950, 1_000, 1_050])
def test_a_loss_is_taken_with_the_recent_units_that_would_replace_it(days, basis):
    home = _home(_bought(days, basis))
    plan = plan_of(home)
    assert moved(plan.trades) == {("hers", "AAA"): -7_000, ("hers", "AAB"): 7_000}
    assert [pick.lot_id for pick in plan.trades[0].lots] == ["recent", "loss"]
    assert washed(home, plan.trades) == ()
    day = TODAY - dt.timedelta(days=days)
    assert f"the units bought on {day} go first, which would replace the loss" in (
        plan.trades[0].reason
    )


def test_an_order_that_is_filled_in_part_washes_nothing_either():
    """Nor where the units bought last are at a loss themselves: those bought before are gone."""
    home = _home(_bought(20, 990, "first"), _bought(10, 1_050, "second"))
    (sale, _) = plan_of(home).trades
    assert [pick.lot_id for pick in sale.lots] == ["first", "second", "loss"]
    steps = accumulate(pick.quantity / 4 for pick in sale.lots for _ in range(4))
    for filled in steps:
        left, picks = filled, []
        for pick in sale.lots:
            part = min(left, pick.quantity)
            left -= part
            picks += [replace(pick, quantity=part)] if part else []
        cut = replace(sale, quantity=filled, lots=tuple(picks))
        assert washed(home, [cut]) == ()


def test_of_two_purchases_at_a_loss_each_would_replace_the_other():
    assert not is_planned(_home(_bought(20, 1_010, "first"), _bought(10, 1_010, "second")))
    assert is_planned(_home(_bought(20, 1_000, "first"), _bought(10, 1_010, "second")))


@pytest.mark.parametrize(
    ("basis", "is_taken"),
    [
        # 300 a thousand for the short-term gain: the harvest is worth 198.67 in all.
        pytest.param(360, True, id="the gain on the recent units costs 192"),
        pytest.param(330, False, id="the gain on the recent units costs 201"),
    ],
)
def test_recent_units_go_only_where_the_tax_on_their_gain_is_worth_it(basis, is_taken):
    home = _home(_bought(10, basis))
    home = home._replace(harvest=replace(home.harvest, minimum=BEFORE_ALL))
    assert is_planned(home) is is_taken


@pytest.mark.parametrize("account", ["his", "ira"])
def test_units_bought_elsewhere_cannot_go_in_the_same_order(account):
    assert not is_planned(_home(_bought(10), _bought(10, name="there", account=account)))


@pytest.mark.parametrize("relief", [Relief.FIFO, Relief.HIFO])
def test_where_the_broker_chooses_the_lots_a_part_could_be_filled_in_the_wrong_order(relief):
    assert not is_planned(_home(_bought(10), relief={"hers": relief}))


@pytest.mark.parametrize("method", ["fifo", "lifo", "hifo"])
def test_nor_is_it_done_against_the_policys_own_order_of_lots(method):
    orders = OrderRule(
        lot_method=method,
        minimum=BEFORE_ALL,
        slippage_max_bps=BEFORE_ALL,
        fee_buffer_bps=BEFORE_ALL,
    )
    assert not is_planned(_home(_bought(10), orders=orders))


def test_a_purchase_to_come_still_keeps_the_loss():
    coming = ScheduledPurchase(account="ira", symbol="AAA", date=TODAY + dt.timedelta(days=5))
    assert not is_planned(_home(_bought(10), scheduled=(coming,)))


def test_recent_units_that_may_not_be_sold_yet_keep_the_loss():
    waiting = replace(_bought(1), sellable_from=TODAY + dt.timedelta(days=1))
    assert not is_planned(_home(waiting))


def test_an_odd_part_of_a_unit_bought_last_goes_too():
    odd = replace(_bought(10), quantity=Decimal("10.37"), basis=Decimal(1_037))
    home = _home(odd, step="1")
    plan = plan_of(home)
    (sale,) = (trade for trade in plan.trades if trade.lots)
    assert sale.lots[0].quantity == Decimal("10.37")
    assert sale.quantity == 70
    assert washed(home, plan.trades) == ()


def test_other_losses_of_the_same_fund_in_another_account_stay():
    other = held("his", "AAA", 3_000, 4_000, 700, "his loss")
    home = _home(_bought(10), lots=[other])
    plan = plan_of(home)
    assert ("his", "AAA") not in moved(plan.trades)
    assert moved(plan.trades)["hers", "AAA"] == -7_000
    assert washed(home, plan.trades) == ()


ONE_EACH = {
    "stocks": ClassRule(target=Decimal("0.6"), members=("AAA",)),
    "bonds": ClassRule(target=Decimal("0.4"), members=("BBB",), risk="safe"),
}


def test_units_bought_last_may_still_be_sold_in_part_by_themselves():
    """At its limit even a flat purchase is a loss, which the rest of it does not replace."""
    home = household(
        [
            held("taxable", "AAA", 16_000, 16_000, 29, "new"),
            held("taxable", "AAA", 16_000, 18_000, 200, "old"),
            held("taxable", "BBB", 16_000, 16_000, 900),
        ],
        classes=ONE_EACH,
        orders=OrderRule(),
    )
    plan = plan_of(home)
    assert picked(plan.trades) == {"new": 32}
    assert washed(home, plan.trades) == ()


def test_units_bought_last_do_not_go_first_where_no_loss_is_taken():
    home = household(
        [
            held("taxable", "AAA", 1_000, 100, 10, "recent"),
            held("taxable", "AAA", 1_000, 1_050, 800, "loss"),
            held("taxable", "AAA", 5_000, 4_900, 800, "old"),
            held("taxable", "BBB", 3_000, 3_000, 900),
        ],
        classes=ONE_EACH,
    )
    assert picked(plan_of(home).trades) == {"old": 10}


@pytest.mark.parametrize("step", ["1", "0.001"])
def test_cash_that_is_due_is_raised_beyond_the_units_bought_last(step):
    home = household(
        [
            held("hers", "AAA", 3_000, 2_950, 10, "recent"),
            held("hers", "AAA", 8_000, 10_000, 800, "loss"),
            held("his", "BBB", 40_000, 40_000),
        ],
        accounts=COUPLE,
        classes=ONE_EACH,
        step=step,
        withdrawals=(FlowRule(account="hers", amount=Decimal(5_050), first=TODAY),),
    )
    plan = plan_of(home)
    assert picked(plan.trades) == {"recent": 30, "loss": 21 if step == "1" else Decimal("20.5")}


@pytest.mark.parametrize("step", ["1", "0.001"])
def test_a_sale_of_both_that_is_below_the_least_order_is_left_and_not_withheld(step):
    home = household(
        [
            replace(held("hers", "AAA", 100, 297, 10, "recent"), quantity=Decimal(1)),
            replace(held("hers", "AAA", 100, 1_218, 800, "loss"), quantity=Decimal("2.9")),
            held("his", "BBB", 780, 780),
        ],
        accounts=COUPLE,
        classes=ONE_EACH,
        prices={"AAA": "300"},
        step=step,
        orders=OrderRule(minimum=Decimal(1_000)),
        plan=PlanRule(harvests="always"),
    )
    is_planned(home)


@pytest.mark.parametrize("recent", range(3, 12))
@pytest.mark.parametrize("step", ["1", "0.001"])
def test_no_sale_of_both_passes_the_turnover_limit(recent, step):
    home = household(
        [
            replace(held("hers", "AAA", 100, 250 * recent, 10, "recent"), quantity=Decimal(recent)),
            held("hers", "AAA", 4_000, 6_000, 800, "loss"),
            held("his", "BBB", 3_300, 3_300),
        ],
        accounts=COUPLE,
        classes=ONE_EACH,
        step=step,
        gates=GateRule(turnover_max=Decimal("0.05")),
    )
    is_planned(home)


def test_a_harvest_pays_for_the_tax_on_the_units_that_go_with_it():
    """A loss of 1,000 is worth 198.67, and 192 of that go for a gain of 640."""
    home = _home(_bought(10, 360))
    for least, is_taken in ((Decimal(6), True), (Decimal(7), False)):
        rule = replace(home.harvest, minimum=least)
        assert is_planned(home._replace(harvest=rule)) is is_taken


def test_where_the_units_are_too_dear_to_sell_it_is_said_until_when_the_loss_waits():
    decision = _home(_bought(10, 330)).decide()
    assert any("wash sale until" in one.sentence for one in decision.refusals)


def _laid_out(home):
    snapshot, planning = prepared(home)
    held_by_class = holdings(snapshot, planning.policy)
    return lay_out(snapshot, planning, held_by_class, goes_together=True)


def test_two_purchases_at_a_loss_are_never_laid_out_to_go_together():
    """The check of plans would catch what came of it, and another plan would be made."""
    two = _laid_out(_home(_bought(20, 1_010, "a"), _bought(10, 1_010, "b")))
    assert not two.problem.lots.is_recent.any()
    one = _laid_out(_home(_bought(20, 1_000, "a"), _bought(10, 1_010, "b")))
    recent = one.problem.lots.is_recent
    assert {lot.id for lot, is_it in zip(one.lots, recent, strict=True) if is_it} == {"a", "b"}
    assert not one.problem.lots.goes_alone.any(), "each purchase replaces the other"


def test_in_every_place_losses_may_go_together_with_its_recent_units():
    """Two funds of two classes, each at a loss that a small recent purchase bars."""
    home = household(
        [
            held("hers", "AAA", 49_000, 60_000, 800, "a"),
            held("hers", "AAA", 1_000, 900, 12, "new a"),
            held("hers", "BBB", 49_000, 60_000, 800, "b"),
            held("hers", "BBB", 1_000, 900, 12, "new b"),
        ],
        accounts=COUPLE,
        classes={
            "stocks": ClassRule(target=Decimal("0.5"), members=("AAA", "AAB")),
            "bonds": ClassRule(target=Decimal("0.5"), members=("BBB", "BBC")),
        },
        plan=PlanRule(harvests="always"),
        disposals=(realized(100_000, Term.SHORT, account="hers"),),
    )
    plan = plan_of(home)
    assert set(picked(plan.trades)) == {"a", "new a", "b", "new b"}
    assert washed(home, plan.trades) == ()


def test_a_part_of_an_only_purchase_may_be_lost_alone():
    """The older lots have gained; what is left of the purchase replaces nothing that is sold."""
    layout = _laid_out(_home(_bought(20, 1_010, "a")))
    lots = layout.problem.lots
    alone = [lot.id for lot, goes in zip(layout.lots, lots.goes_alone, strict=True) if goes]
    assert alone == ["a"]


def test_units_bought_last_are_pinned_to_the_front_only_where_a_loss_follows_them():
    layout = _laid_out(_home(_bought(10, 900), lots=[held("hers", "AAA", 2_000, 1_500, 500, "g")]))
    names = [lot.id for lot in layout.lots]
    value = layout.problem.lots.value
    for sold, front in (({"recent", "loss"}, 10), ({"recent", "g"}, 0)):
        amounts = np.where([name in sold for name in names], value, 0.0)
        (queue,) = queues_of(layout, amounts).each
        assert queue.first_of_all == front
        assert queue.lots[0].id == "recent" or not front


def test_a_recent_loss_goes_together_with_a_recent_gain_where_no_old_loss_is():
    """Both purchases go whole, the gain first, so that a part of the order washes nothing."""
    home = household(
        [
            held("hers", "AAA", 40_000, 60_000, 20, "new loss"),
            held("hers", "AAA", 10_000, 9_000, 12, "new gain"),
            held("hers", "AAA", 30_000, 30_000, 800, "old"),
            held("hers", "BBB", 20_000, 20_000, 800),
        ],
        accounts=COUPLE,
        plan=PlanRule(harvests="always"),
        disposals=(realized(50_000, Term.SHORT, account="hers"),),
    )
    plan = plan_of(home)
    (sale,) = [trade for trade in plan.trades if trade.side is Side.SELL]
    assert [pick.lot_id for pick in sale.lots][:2] == ["new gain", "new loss"]
    assert washed(home, plan.trades) == ()
