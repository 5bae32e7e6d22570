"""Everything that can go wrong on the way to the broker, and what must be true afterwards."""

import datetime as dt
from collections import Counter
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.lab.paper_world import World, cash_by_the_book, lot

from trimtab.domain.errors import BrokerRefused, BrokerUnknown
from trimtab.domain.policy import PaperRule
from trimtab.domain.trades import OrderStatus
from trimtab.domain.values import Relief
from trimtab.lab.faults import FAULTS, FaultRates, SeededFaults


def faulty_world(seed=0, cash="10000", **rates):
    """A world in which the faults of *rates* are on, and one account with ten old shares."""
    world = World(rule=PaperRule(fee_bps=Decimal(5)))
    world.open(lot("old", 10, 500), cash=cash)
    world.faults = SeededFaults(np.random.default_rng(seed), FaultRates(**rates))
    world.restarted()
    return world


def test_a_lost_request_leaves_no_order():
    world = faulty_world(request_lost=1.0)
    order = world.buy(5)
    with pytest.raises(BrokerUnknown, match="`submit`"):
        world.broker.submit(order)
    assert world.broker.find("main", order.id) is None
    assert world.cash() == 10000
    assert world.faults.counts["request_lost"] == 1


def test_a_lost_reply_leaves_exactly_one_order_however_often_it_is_sent():
    world = faulty_world(reply_lost=1.0)
    order = world.buy(5)
    for _ in range(3):
        with pytest.raises(BrokerUnknown, match="look it up"):
            world.broker.submit(order)
    assert world.broker.find("main", order.id).status is OrderStatus.FILLED
    assert world.held() == 15
    assert len(world.fills()) == 1
    assert world.faults.counts["reply_lost"] == 3


def test_the_reply_to_a_refusal_can_be_lost_too():
    world = faulty_world(reply_lost=1.0)
    order = world.buy(5000)
    with pytest.raises(BrokerUnknown):
        world.broker.submit(order)
    assert world.broker.find("main", order.id) is None


def test_a_lost_reply_to_a_cancel_leaves_the_order_canceled_and_a_lost_request_does_not():
    world = faulty_world()
    first, second = world.buy(5, limit="90"), world.buy(5, limit="90")
    world.broker.submit(first)
    world.broker.submit(second)
    for order, rates in (
        (first, FaultRates(reply_lost=1.0)),
        (second, FaultRates(request_lost=1.0)),
    ):
        world.faults = SeededFaults(np.random.default_rng(0), rates)
        with pytest.raises(BrokerUnknown, match="`cancel`"):
            world.restarted().cancel("main", order.id)
    assert world.broker.find("main", first.id).status is OrderStatus.CANCELED
    assert world.broker.find("main", second.id).status is OrderStatus.WORKING


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda broker: broker.find("main", "order-1"), id="find"),
        pytest.param(lambda broker: broker.activities("main"), id="activities"),
        pytest.param(lambda broker: broker.report("main"), id="report"),
    ],
)
def test_a_broker_that_is_unavailable_answers_nothing_rather_than_nothing_there(ask):
    world = faulty_world(unavailable=1.0)
    with pytest.raises(BrokerUnknown):
        ask(world.broker)
    assert world.faults.counts["unavailable"] == 1
    world.faults.calm()
    ask(world.broker)


@pytest.mark.parametrize("seed", range(5))
def test_an_order_may_hide_from_a_few_look_ups_and_is_there_all_the_same(seed):
    world = faulty_world(seed, hidden=1.0, lookups_max=3)
    order = world.buy(5)
    world.broker.submit(order)
    seen = [world.broker.find("main", order.id) for _ in range(5)]
    hidden = seen.count(None)
    assert 1 <= hidden <= 3
    assert seen[:hidden] == [None] * hidden
    assert world.faults.counts["hidden"] == hidden
    assert world.broker.submit(order).filled == 5
    assert world.held() == 15


def test_a_definite_rejection_is_said_and_leaves_no_order():
    world = faulty_world(rejected=1.0)
    order = world.buy(5)
    with pytest.raises(BrokerRefused, match="VTI is restricted"):
        world.broker.submit(order)
    assert world.broker.find("main", order.id) is None
    assert world.faults.counts["rejected"] == 1


@pytest.mark.parametrize("seed", range(5))
def test_an_order_filled_in_parts_ends_complete_with_one_lot_for_each_part(seed):
    world = faulty_world(seed, partial_fill=0.8)
    order = world.buy(50)
    receipt = world.broker.submit(order)
    while receipt.status is OrderStatus.WORKING:
        receipt = world.broker.find("main", order.id)
    fills = world.fills()
    assert [fill.id for fill in fills] == [f"{order.id}:{n + 1}" for n in range(len(fills))]
    assert sum(fill.quantity for fill in fills) == receipt.filled == 50
    assert {fill.id for fill in fills} == set(world.lots()) - {"old"}
    assert world.faults.counts["partial_fill"] == len(fills) - 1


def test_the_rest_of_a_partial_fill_expires():
    world = faulty_world(partial_fill=1.0)
    order = world.buy(50)
    receipt = world.broker.submit(order)
    assert receipt.status is OrderStatus.WORKING
    assert 0 < receipt.filled < 50
    world.clock.at = order.good_until
    expired = world.broker.find("main", order.id)
    assert (expired.status, expired.filled) == (OrderStatus.EXPIRED, receipt.filled)
    assert world.held() == 10 + receipt.filled


def test_the_rest_of_a_partial_fill_can_be_canceled_and_what_filled_is_real():
    world = faulty_world(partial_fill=1.0)
    order = world.sell(10)
    receipt = world.broker.submit(order)
    world.doors.is_open = False
    world.broker.cancel("main", order.id)
    canceled = world.broker.find("main", order.id)
    assert (canceled.status, canceled.filled) == (OrderStatus.CANCELED, receipt.filled)
    assert world.held() == 10 - receipt.filled


def test_the_flat_fee_of_an_order_filled_in_parts_is_charged_once():
    world = faulty_world(partial_fill=1.0)
    world.rule = PaperRule(fee_per_order=Decimal(7))
    world.restarted()
    world.broker.submit(world.buy(50))
    world.faults.calm()
    assert [fill.fee for fill in world.fills()] == [7, 0]


def test_a_quote_that_rises_after_a_partial_fill_never_overdraws_the_account():
    world = faulty_world(partial_fill=1.0, cash="5010")
    order = world.buy(50, limit="120")
    first = world.broker.submit(order).filled
    world.faults.calm()
    world.board.write("VTI", "118", "119")
    receipt = world.broker.find("main", order.id)
    assert receipt.status is OrderStatus.WORKING
    assert first < receipt.filled < 50
    assert 0 <= world.cash() < Decimal("119.07")


@pytest.mark.parametrize("seed", range(12))
def test_what_cash_is_left_buys_as_many_steps_as_it_pays_for(seed):
    world = faulty_world(seed, partial_fill=1.0, cash="12210")
    order = world.buy("0.2", symbol="BTC", limit="80000")
    world.broker.submit(order)
    world.faults.calm()
    world.board.write("BTC", "78999", "79000")
    assert world.broker.find("main", order.id).status is OrderStatus.WORKING
    assert 0 <= world.cash() < Decimal("0.0001") * 79000 + Decimal("0.02")


def test_a_cancel_that_comes_too_late_finds_the_order_filled():
    world = faulty_world(filled_before_cancel=1.0)
    order = world.buy(5, limit="90")
    world.broker.submit(order)
    world.broker.cancel("main", order.id)
    assert world.broker.find("main", order.id).status is OrderStatus.FILLED
    assert world.fills()[0].price == 90
    assert world.faults.counts["filled_before_cancel"] == 1


def test_nothing_fills_before_a_cancel_while_the_market_is_closed():
    world = faulty_world(filled_before_cancel=1.0)
    order = world.buy(5, limit="90")
    world.broker.submit(order)
    world.doors.is_open = False
    world.broker.cancel("main", order.id)
    assert world.broker.find("main", order.id).status is OrderStatus.CANCELED
    assert world.faults.counts["filled_before_cancel"] == 0


def test_activities_may_come_twice():
    world = faulty_world(duplicated=1.0)
    world.broker.submit(world.buy(5))
    assert len(world.broker.activities("main")) == 2
    assert len({activity.id for activity in world.broker.activities("main")}) == 1
    assert world.faults.counts["duplicated"] == 3 - 1


@pytest.mark.parametrize("seed", range(12))
def test_activities_may_come_in_another_order(seed):
    world = faulty_world(seed, reordered=1.0)
    orders = [world.buy(1) for _ in range(4)]
    for order in orders:
        world.broker.submit(order)
    arrived = [fill.order_id for fill in world.fills()]
    assert arrived[0] != orders[0].id
    assert sorted(arrived) == sorted(order.id for order in orders)
    assert world.faults.counts["reordered"] == 1


@pytest.mark.parametrize("seed", range(5))
def test_a_fill_may_be_told_only_after_the_position_shows_it(seed):
    world = faulty_world(seed, delayed=1.0, deliveries_max=3)
    world.broker.submit(world.buy(5))
    assert world.held() == 15
    told = [len(world.fills()) for _ in range(5)]
    assert told[0] == 0
    assert told == sorted(told)
    assert told[-1] == 1
    assert world.faults.counts["delayed"] == 1


def test_calm_shows_everything_that_was_hidden_or_delayed():
    world = faulty_world(hidden=1.0, delayed=1.0, lookups_max=9, deliveries_max=9)
    order = world.buy(5)
    world.broker.submit(order)
    world.broker.find("main", order.id)
    world.fills()
    world.faults.calm()
    assert world.broker.find("main", order.id).status is OrderStatus.FILLED
    assert len(world.fills()) == 1


def test_a_rate_that_is_no_probability_is_a_bug():
    with pytest.raises(AssertionError, match="probability"):
        SeededFaults(np.random.default_rng(0), FaultRates(hidden=1.5))


# ------------------------------------------------------------------ everything at once

EVERYTHING = replace(FaultRates(), **dict.fromkeys(FAULTS, 0.3))


def say(world, call, *arguments):
    """One call to the broker; whoever gets no answer starts again as a new process."""
    try:
        getattr(world.broker, call)(*arguments)
    except (BrokerRefused, BrokerUnknown):
        world.restarted()


def rough_life(seed, steps=60):
    """A household that trades at random over a bad line, looking up whatever it does not know."""
    rule = PaperRule(fee_per_order=Decimal(1), fee_bps=Decimal(5))
    world = World(rule=rule, relief=list(Relief)[seed % 3])
    world.open(lot("old", 30, 2000), cash="4000")
    world.faults = SeededFaults(np.random.default_rng([seed, 2]), EVERYTHING)
    world.restarted()
    chance = np.random.default_rng([seed, 1])
    orders = []
    for _ in range(steps):
        middle = Decimal(int(chance.integers(90, 111)))
        world.board.write("VTI", middle, middle + Decimal("0.10"))
        world.clock.at += dt.timedelta(minutes=int(chance.integers(1, 120)))
        make = world.buy if chance.random() < 0.5 else world.sell
        new = make(int(chance.integers(1, 15)), limit=str(chance.integers(90, 111)))
        orders.append(new)
        any_order = orders[chance.integers(len(orders))]
        say(world, "submit", new)
        say(world, "submit", new)
        say(world, "cancel", "main", any_order.id)
        say(world, "find", "main", new.id)
        say(world, "activities", "main")
    world.faults.calm()
    world.clock.at += dt.timedelta(days=3)
    return world, orders


def test_every_fault_occurs_in_a_rough_life():
    counts: Counter[str] = Counter()
    for seed in range(3):
        counts.update(rough_life(seed)[0].faults.counts)
    assert {name for name, count in counts.items() if count > 0} == set(FAULTS)


def test_a_seed_repeats_its_rough_life():
    first, second = (rough_life(5)[0] for _ in range(2))
    assert first.faults.counts == second.faults.counts
    assert first.store.load() == second.store.load()


@given(seed=st.integers(min_value=0, max_value=10_000))
def test_after_any_rough_life_nothing_is_lost_doubled_or_overdrawn(seed):
    world, orders = rough_life(seed, steps=15)
    report, fills = world.broker.report("main"), world.fills()
    assert report.cash["USD"] == cash_by_the_book(4000, fills)
    assert report.cash["USD"] >= 0
    assert sum(held.quantity for held in report.lots) == report.positions.get("VTI", 0)
    assert len({fill.id for fill in fills}) == len(fills)
    for order in orders:
        filled = sum(fill.quantity for fill in fills if fill.order_id == order.id)
        receipt = world.broker.find("main", order.id)
        assert filled == (receipt.filled if receipt else 0)
        assert filled <= order.quantity
        assert receipt is None or receipt.status.is_final
