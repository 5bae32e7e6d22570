"""What commands that only look see: the household of the next turn, and nothing written."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from tests.houses import START, FixedPrices, ManualClock, house_of, lot

from trimtab.apps import aiming, standing
from trimtab.apps.check import check
from trimtab.apps.cli.past import entries_of
from trimtab.apps.demo import make_demo
from trimtab.apps.home import Home, looking, working
from trimtab.apps.observed import Moved, came, observe
from trimtab.apps.performance import perform
from trimtab.apps.run import run_once
from trimtab.apps.tax_source import from_household
from trimtab.apps.verifying import verify_all
from trimtab.apps.world import House
from trimtab.domain.errors import BrokerUnknown
from trimtab.domain.numbers import ONE
from trimtab.domain.trades import AccountReport, Activity, Order, Receipt, Side
from trimtab.lab.paper import PaperBroker

NOON = dt.datetime(2026, 3, 9, 17, 0, tzinfo=dt.UTC)


def move(house: House, account: str, amount: int) -> None:
    broker = house.brokers["paper"]
    assert isinstance(broker, PaperBroker)
    broker.deposit(account, Decimal(amount), "USD")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """The demo's household, a day after its first turn."""
    home = make_demo(tmp_path / "demo", seed=1, today=NOON.date(), replace=False)
    with working(home, command="test", clock=ManualClock(NOON)) as house:
        run_once(house, executes=False)
    return home


@pytest.mark.parametrize("amount", [25_000, -700])
def test_status_targets_and_performance_know_the_money_that_plan_knows(home: Home, amount: int):
    clock = ManualClock(NOON + dt.timedelta(days=1))
    before = standing.gather(home, clock)
    with working(home, command="test", clock=clock) as house:
        move(house, "joint", amount)
    files = {path: path.read_bytes() for path in (home.journal, home.paper)}
    with looking(home, clock=clock) as house:
        planned = run_once(house, executes=False).decision
    assert planned is not None
    now, aim = standing.gather(home, clock), aiming.gather(home, clock)
    entries = entries_of(home.journal)
    done = perform(home, entries, clock)
    source = from_household(home, clock)
    assert files == {path: path.read_bytes() for path in files}
    assert now.decision is not None
    assert aim.look is not None
    assert before.decision is not None
    assert now.decision.value == planned.value == before.decision.value + amount
    assert now.decision.drifts == aim.look.drifts == planned.drifts
    assert now.cash["joint"] == before.cash["joint"] + amount
    assert before.remarks == ()
    moved = "25,000.00 USD came into joint" if amount > 0 else "700.00 USD went out of joint"
    assert now.remarks == (f"{moved}, and no turn has booked it yet: it counts here.",)
    assert source.is_household
    assert done.whole is None  # one day is marked


def test_performance_says_what_is_not_in_its_last_mark_yet(home: Home):
    clock = ManualClock(NOON + dt.timedelta(days=1))
    with working(home, command="test", clock=clock) as house:
        run_once(house, executes=False)
        move(house, "joint", 25_000)
        move(house, "maya-roth", 500)
    done = perform(home, entries_of(home.journal), clock)
    assert done.whole is not None
    assert done.whole.contributions == 0
    said = (
        "25,000.00 USD came into joint after the last mark: the next turn counts it.",
        "500.00 USD came into maya-roth after the last mark: the next turn counts it.",
    )
    assert done.remarks == said
    verify_all(home, clock)
    assert perform(home, entries_of(home.journal), clock).remarks == said
    past = perform(home, entries_of(home.journal), clock, until=NOON.date() + dt.timedelta(days=1))
    assert past.remarks == done.remarks
    clock.sleep(24 * 3600)
    past = perform(home, entries_of(home.journal), clock, until=NOON.date() + dt.timedelta(days=1))
    assert past.remarks == ()


def test_a_purchase_that_no_turn_has_booked_is_in_the_tax_books_and_in_what_check_values(
    home: Home,
):
    clock = ManualClock(NOON + dt.timedelta(days=1))
    before = from_household(home, clock)
    with working(home, command="test", clock=clock) as house:
        order = Order(
            id="by-hand",
            plan_id="none",
            account="jon-ira",
            symbol="VTI",
            side=Side.BUY,
            quantity=ONE,
            limit=Decimal(1000),
            good_until=clock.now() + dt.timedelta(hours=1),
        )
        move(house, "jon-ira", 2000)
        assert house.brokers["paper"].submit(order).filled == 1
    now = from_household(home, clock)
    held = [sum(lot.quantity for lot in one.ledger.lots()) for one in (before, now)]
    assert held[1] - held[0] == 1
    found = standing.gather(home, clock)
    assert found.decision is not None
    assert check(home, clock).value == found.decision.value


def test_while_positions_differ_targets_say_so_like_a_turn(home: Home):
    clock = ManualClock(NOON + dt.timedelta(days=1))
    books = msgspec.json.decode(home.paper.read_bytes())
    lots = books["accounts"]["jon-ira"]["lots"]
    lots[0]["quantity"] = str(Decimal(lots[0]["quantity"]) - 1)
    home.paper.write_bytes(msgspec.json.encode(books))
    with looking(home, clock=clock) as house:
        outcome = run_once(house, executes=False)
    aim = aiming.gather(home, clock)
    assert outcome.status == "held"
    assert aim.look is None
    assert aim.missing == outcome.sentence
    assert "jon-ira: the journal holds" in outcome.sentence
    assert "jon-ira" in standing.gather(home, clock).memory.discrepancies


def balanced() -> House:
    prices = FixedPrices({"VTI": "300", "ITOT": "120", "BND": "75", "BTC-USD": "60000"})
    lots = [
        lot("taxable", "VTI", "110", "20000", "2020-01-02"),
        lot("ira", "BND", "320", "24000", "2020-01-02"),
        lot("wallet", "BTC-USD", "0.05", "1000", "2020-01-02"),
    ]
    return house_of(lots, {"taxable": "1000"}, prices)


def edited(account: str, *, units: str = "0", cash: str = "0") -> House:
    """The household after a turn, and then *account*'s files with so much more in them."""
    house = balanced()
    house = house._replace(
        accounts={**house.accounts, account: replace(house.accounts[account], broker="file")}
    )
    opening = house.openings[account]._replace(cash={"USD": Decimal(5000)})
    house = house._replace(openings={**house.openings, account: opening})
    run_once(house, executes=False)
    (held,) = opening.lots
    more = replace(
        held, quantity=held.quantity + Decimal(units), basis=held.basis + 75 * Decimal(units)
    )
    after = opening._replace(lots=(more,), cash={"USD": 5000 + Decimal(cash)})
    return house._replace(openings={**house.openings, account: after})


class Silent:
    """The paper broker, of which one account gives no word, and which may be told nothing."""

    name, deduplicates = "paper", True

    def __init__(self, paper: PaperBroker, account: str) -> None:
        self.paper, self.account = paper, account

    def submit(self, order: Order) -> Receipt:
        raise AssertionError(f"who looks sends nothing, {order.symbol} neither")

    def cancel(self, account: str, order_id: str) -> None:
        raise AssertionError(f"who looks cancels nothing, {order_id} in {account} neither")

    def find(self, account: str, order_id: str) -> Receipt | None:
        return self.paper.find(account, order_id)

    def activities(self, account: str) -> Sequence[Activity]:
        if account == self.account:
            raise BrokerUnknown("the line is dead")
        return self.paper.activities(account)

    def report(self, account: str) -> AccountReport:
        if account == self.account:
            raise BrokerUnknown("the line is dead")
        return self.paper.report(account)


def test_a_broker_without_a_word_hides_no_other_account():
    house = balanced()
    run_once(house, executes=False)
    for account in ("taxable", "ira", "wallet"):
        move(house, account, 50)
    broker = house.brokers["paper"]
    assert isinstance(broker, PaperBroker)
    silent = house._replace(brokers={"paper": Silent(broker, "taxable")})
    memory, unbooked = observe(silent, "test")
    assert unbooked == {"ira": Moved(came=Decimal(50)), "wallet": Moved(came=Decimal(50))}
    assert memory.cash["taxable", "USD"] == 1000
    assert [found.kind for found in memory.discrepancies["taxable"]] == ["broker-silent"]
    assert list(memory.discrepancies) == ["taxable"]


def test_what_a_file_was_edited_to_counts_as_not_booked_too():
    house = edited("ira", cash="300")
    assert observe(house, "test").unbooked == {"ira": Moved(came=Decimal(300))}


@pytest.mark.parametrize(
    ("units", "cash", "moved", "told"),
    [
        pytest.param(
            "10",
            "-760.75",
            Moved(by_hand=Decimal("-10.75")),
            "ira is worth 10.75 USD less by orders filled by hand (spread, fees, prices since)",
            id="a purchase costs its spread and fee",
        ),
        pytest.param(
            "-10",
            "752",
            Moved(by_hand=Decimal(2)),
            "ira is worth 2.00 USD more by orders filled by hand (spread, fees, prices since)",
            id="a sale was filled above the price now",
        ),
        pytest.param(
            "10",
            "-250",
            Moved(came=Decimal(500)),
            "500.00 USD came into ira",
            id="a purchase was paid with new money",
        ),
        pytest.param(
            "10", "0", Moved(came=Decimal(750)), "750.00 USD came into ira", id="units came alone"
        ),
        pytest.param(
            "0", "-10", Moved(went=Decimal(10)), "10.00 USD went out of ira", id="cash alone went"
        ),
    ],
)
def test_what_orders_filled_by_hand_cost_is_told_as_cost_and_not_as_money_out(
    units, cash, moved, told
):
    house = edited("ira", units=units, cash=cash)
    unbooked = observe(house, "test").unbooked
    assert unbooked == {"ira": moved}
    assert came(unbooked, "USD") == (told,)


def test_money_that_came_and_money_that_went_are_both_told():
    house = balanced()
    run_once(house, executes=False)
    move(house, "taxable", 250)
    move(house, "taxable", -600)
    assert came(observe(house, "test").unbooked, "USD") == (
        "250.00 USD came into taxable and 600.00 USD went out of it",
    )


def test_money_that_came_and_went_again_is_not_told():
    house = balanced()
    run_once(house, executes=False)
    move(house, "taxable", 50)
    move(house, "taxable", -50)
    found = observe(house, "test")
    assert found.unbooked == {}
    assert found.memory.cash["taxable", "USD"] == 1000


def test_before_the_first_turn_money_is_seen_as_well():
    house = balanced()
    move(house, "taxable", 50)
    found = observe(house, "test")
    assert found.unbooked == {"taxable": Moved(came=Decimal(50))}
    assert house.clock.now() == START
