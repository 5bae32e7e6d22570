"""What storms have found, each as the smallest case that shows it."""

import datetime as dt
from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.houses import START, FixedPrices, ManualClock, house_of, lot

from trimtab.apps.execute import limit_price
from trimtab.apps.run import run_once
from trimtab.apps.world import load
from trimtab.domain.events import BreakerTripped, ValueMarked
from trimtab.domain.memory import Memory, OrderMemory
from trimtab.domain.numbers import BASIS_POINT
from trimtab.domain.trades import AccountReport, Fill, Order, OrderStatus, Side, Split
from trimtab.lab.faults import NoFaults
from trimtab.lab.paper import PaperBroker
from trimtab.rules.booking import new_activities
from trimtab.rules.verify import compare

TOML = """
[household]
name = "Found in a storm"
[owners.ann]
role = "self"
[accounts.main]
owner = "ann"
kind = "taxable"
broker = "paper"
cash_reserve = 1000
[instruments.VTI]
kind = "etf"
[instruments.GLD]
kind = "etf"
[instruments.BND]
kind = "etf"
[classes.stocks]
target = 0.585
members = ["VTI"]
[classes.gold]
target = 0.015
members = ["GLD"]
[classes.bonds]
target = 0.40
members = ["BND"]
risk = "safe"
[tax]
filing_status = "single"
short_term_rate = 0.30
long_term_rate = 0.15
[gates]
turnover_max = 1
"""
ALL_BONDS = (lot("main", "BND", "1000", "40000", "2024-01-05"),)
OLD_SHARES = (
    lot("main", "VTI", "360", "30000", "2024-01-05"),
    lot("main", "BND", "480", "20000", "2024-01-05"),
)
EVENING = dt.timedelta(hours=8)
HALF_AN_HOUR = dt.timedelta(minutes=30)


def prices():
    return FixedPrices({"VTI": "100", "GLD": "90", "BND": "50"})


class LosesEveryOrder(NoFaults):
    """A line on which no order arrives, as long as it is down."""

    def __init__(self):
        self.is_down = True

    def loses_request(self, call):
        return self.is_down and call == "submit"


def test_an_order_that_never_arrived_is_not_sent_by_a_later_look():
    clock, line = ManualClock(), LosesEveryOrder()
    house = house_of(ALL_BONDS, {"main": "2000"}, prices(), toml=TOML, clock=clock, faults=line)
    run_once(house, executes=True)
    line.is_down = False
    clock.at += dt.timedelta(minutes=5)
    again = run_once(house, executes=True)
    assert again.status == "held"
    assert "not settled yet" in again.sentence
    assert house.brokers["paper"].report("main").positions == {"BND": Decimal(1000)}


def test_an_order_that_never_arrived_is_given_up_soon_and_a_new_plan_is_made():
    clock, line = ManualClock(), LosesEveryOrder()
    house = house_of(ALL_BONDS, {"main": "2000"}, prices(), toml=TOML, clock=clock, faults=line)
    run_once(house, executes=True)
    line.is_down = False
    clock.at += HALF_AN_HOUR
    again = run_once(house, executes=True)
    assert again.status == "executed"
    statuses = [known.status for known in again.memory.orders.values()]
    assert OrderStatus.EXPIRED in statuses
    assert not again.memory.open_orders()


class RejectsSales(NoFaults):
    """A broker that lets nobody sell today."""

    def rejection(self, order):
        return "Not today." if order.side is Side.SELL else None


def test_purchases_of_one_plan_never_spend_the_same_cash_twice():
    house = house_of(ALL_BONDS, {"main": "10000"}, prices(), toml=TOML, faults=RejectsSales())
    outcome = run_once(house, executes=True)
    bought = [e.trade.symbol for e in outcome.executions if e.filled and e.trade.side is Side.BUY]
    assert bought == ["VTI"], "both were planned, and the cash paid for one"
    assert house.brokers["paper"].report("main").cash["USD"] >= 1000


@pytest.mark.parametrize("price", ["8.21", "25.11", "100.00", "0.4321"])
def test_a_limit_never_costs_more_than_the_slippage_that_the_plan_set_aside(price):
    price, slippage = Decimal(price), Decimal(10)
    part = price * slippage * BASIS_POINT
    assert price <= limit_price(price, Side.BUY, slippage) <= price + part
    assert price - part <= limit_price(price, Side.SELL, slippage) <= price


@pytest.mark.parametrize("price", ["8.2104", "3.333", "0.43215"])
def test_a_quote_between_two_cents_can_still_fill(price):
    assert limit_price(Decimal(price), Side.BUY, Decimal(0)) > Decimal(price)
    assert limit_price(Decimal(price), Side.SELL, Decimal(0)) < Decimal(price)


class TellsOfSplitsLate(NoFaults):
    """A broker that shows a split in its positions at once, and in its activities later."""

    def __init__(self):
        self.is_late = True

    def deliver(self, account, activities):
        return [a for a in activities if not (self.is_late and isinstance(a, Split))]


@pytest.mark.parametrize(("numerator", "denominator"), [(2, 1), (1, 2)])
def test_a_split_that_the_journal_has_not_heard_of_is_no_crash_and_no_gain(numerator, denominator):
    board, clock, news = prices(), ManualClock(), TellsOfSplitsLate()
    house = house_of(OLD_SHARES, {"main": "1900"}, board, toml=TOML, clock=clock, faults=news)
    run_once(house, executes=True)
    clock.at += dt.timedelta(days=1)
    broker = house.brokers["paper"]
    assert isinstance(broker, PaperBroker)
    broker.apply_split("VTI", numerator, denominator, clock.at)
    board.prices["VTI"] = board.prices["VTI"] * denominator / numerator
    known = load(house.journal).entries
    unaware = run_once(house, executes=True)
    written = [entry.event for entry in house.journal.entries(known)]
    assert unaware.status == "held"
    assert not any(isinstance(event, ValueMarked | BreakerTripped) for event in written)
    news.is_late = False
    clock.at += HALF_AN_HOUR
    aware = run_once(house, executes=True)
    assert aware.memory.breaker is None
    assert not aware.discrepancies
    assert aware.decision is not None


def test_a_split_waits_for_a_fill_from_before_it():
    order = Order(
        id="o",
        plan_id="p",
        account="main",
        symbol="VTI",
        side=Side.BUY,
        quantity=Decimal(2),
        limit=Decimal(100),
        good_until=START + EVENING,
    )
    fill = Fill(
        id="o:1",
        account="main",
        order_id="o",
        symbol="VTI",
        side=Side.BUY,
        quantity=Decimal(2),
        price=Decimal(99),
        fee=Decimal(0),
        at=START,
        settles_on=START.date(),
    )
    split = Split(
        id="s", account="main", symbol="VTI", numerator=1, denominator=3, at=START + EVENING
    )
    other = replace(split, id="t", symbol="BND")
    filled = OrderMemory(order=order, status=OrderStatus.FILLED, reported=Decimal(2))
    memory = Memory(orders={"o": filled})
    assert new_activities(memory, [split]) == ()
    assert new_activities(memory, [other]) == (other,)
    assert new_activities(memory, [split, fill]) == (fill, split)
    assert new_activities(Memory(), [split]) == (split,)


def test_lots_may_differ_by_a_rounding_and_by_no_cent():
    own = lot("main", "VTI", "33.33333333", "1000.0000000001", "2024-01-05")
    memory = Memory(lots={own.id: own}, cash={("main", "USD"): Decimal(0)})
    report = AccountReport(
        account="main",
        at=START,
        positions={"VTI": own.quantity},
        cash={"USD": Decimal(0)},
        settled=Decimal(0),
        lots=(replace(own, basis=Decimal(1000)),),
    )
    assert compare(memory, report) == ()
    dearer = replace(report, lots=(replace(own, basis=Decimal("1000.02")),))
    assert [found.kind for found in compare(memory, dearer)] == ["lots-differ"]
