"""One turn after another, in memory: what is decided, sent, proven and remembered."""

import datetime as dt
from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.houses import TOML, FixedPrices, ManualClock, house_of, lot

from trimtab.adapters.scratch import ScratchJournal
from trimtab.apps.cli.turns import exit_status
from trimtab.apps.run import Outcome, policy_in_force, run_once
from trimtab.apps.world import House, Opening, take_snapshot
from trimtab.domain.errors import BrokerRefused, InputError
from trimtab.domain.events import BreakerTripped, Decided, OrderIntended, ValueMarked
from trimtab.domain.facts import facts_of
from trimtab.domain.policy import FlowRule
from trimtab.domain.trades import Order, Receipt, Side
from trimtab.lab.paper import PaperBroker
from trimtab.rules.look import withdrawals_of

PRICES = {"VTI": "300", "ITOT": "130", "BND": "72", "BTC-USD": "60000"}
LOTS = (
    lot("taxable", "VTI", "200", "30000", "2019-05-01"),
    lot("taxable", "BND", "100", "8000", "2020-01-01"),
    lot("ira", "VTI", "100", "10000", "2020-01-01"),
    lot("ira", "BND", "200", "16000", "2020-01-01"),
    lot("wallet", "BTC-USD", "0.1", "3000", "2021-01-01"),
)
CASH = {"taxable": "3000", "ira": "100", "wallet": "50"}


def drifted(toml: str = TOML) -> tuple[House, FixedPrices, ManualClock]:
    prices, clock = FixedPrices(PRICES), ManualClock()
    return house_of(LOTS, CASH, prices, toml=toml, clock=clock), prices, clock


def broker_of(house: House) -> PaperBroker:
    broker = house.brokers["paper"]
    assert isinstance(broker, PaperBroker)
    return broker


def balanced() -> tuple[House, FixedPrices, ManualClock]:
    house, prices, clock = drifted()
    assert run_once(house, executes=True).status == "executed"
    clock.sleep(24 * 3600)
    return house, prices, clock


def test_every_order_follows_a_decision_that_holds_its_evidence():
    house, _, _ = drifted()
    run_once(house, executes=True)
    covered: set[tuple[str, str, str]] = set()
    intended = 0
    for entry in house.journal.entries():
        if isinstance(entry.event, Decided):
            covered = {(e.gate, e.account, e.symbol) for e in entry.event.decision.evidence}
        if isinstance(entry.event, OrderIntended):
            intended += 1
            order = entry.event.order
            assert ("liquidity", order.account, order.symbol) in covered
            assert ("hours", order.account, order.symbol) in covered
            assert ("breaker", "", "") in covered
    assert intended > 0


def test_without_execute_nothing_is_intended_and_the_episode_stays_open():
    house, _, _ = drifted()
    outcome = run_once(house, executes=False)
    assert outcome.status == "planned"
    assert outcome.memory.orders == {}
    again = run_once(house, executes=False)
    assert again.decision is not None
    assert not any(change.alert for change in again.decision.transitions)


WAITS = TOML + '[orders]\nunsettled = "wait"\n'


def bought(outcome: Outcome) -> dict[str, Decimal]:
    """What the purchases of a turn cost each account."""
    ids = {done.order_id for done in outcome.executions}
    spent: dict[str, Decimal] = {}
    for name in ids & outcome.memory.orders.keys():
        for fill in outcome.memory.orders[name].fills:
            if fill.side is Side.BUY:
                cost = fill.quantity * fill.price + fill.fee
                spent[fill.account] = spent.get(fill.account, Decimal(0)) + cost
    return spent


def test_who_waits_for_settlement_buys_with_the_proceeds_on_the_next_day_and_no_sooner():
    house, _, clock = drifted(WAITS)
    first = run_once(house, executes=True)
    assert any(done.trade.side is Side.SELL for done in first.executions)
    assert 0 < bought(first)["taxable"] <= 2000
    assert first.memory.cash["ira", "USD"] > 10_000
    clock.sleep(300)
    again = run_once(house, executes=True)
    assert again.executions == ()
    clock.sleep(24 * 3600)
    later = run_once(house, executes=True)
    assert bought(later)["ira"] > 10_000


@pytest.mark.parametrize("toml", [TOML, WAITS])
def test_what_the_books_call_settled_is_what_the_broker_does(toml):
    house, _, _ = drifted(toml)
    outcome = run_once(house, executes=True)
    snapshot = take_snapshot(house, outcome.memory)
    for balance in snapshot.balances:
        report = broker_of(house).report(balance.account)
        assert balance.settled == report.settled
        assert 0 <= balance.settled <= balance.amount


def test_a_fall_of_a_fifth_in_a_day_trips_the_breaker_and_a_person_must_rearm():
    house, prices, clock = balanced()
    prices.prices = {symbol: price * Decimal("0.79") for symbol, price in prices.prices.items()}
    outcome = run_once(house, executes=True)
    assert outcome.memory.breaker is not None
    assert outcome.memory.breaker.startswith("the savings fell 20.8 % since 2026-03-09, the daily")
    assert not outcome.memory.breaker.endswith(".")
    clock.sleep(24 * 3600)
    later = run_once(house, executes=True)
    assert later.memory.breaker is not None
    trips = [e for e in house.journal.entries() if isinstance(e.event, BreakerTripped)]
    assert len(trips) == 1


def test_in_the_defensive_posture_nothing_risky_is_bought_even_when_it_is_light():
    house, prices, clock = balanced()
    prices.prices = {symbol: price * Decimal("0.79") for symbol, price in prices.prices.items()}
    run_once(house, executes=True)
    prices.prices["VTI"] *= Decimal("0.72")
    clock.sleep(24 * 3600)
    outcome = run_once(house, executes=True)
    assert outcome.decision is not None
    assert any(d.is_breached for d in outcome.decision.drifts)
    bought = [done.trade for done in outcome.executions if done.trade.side is Side.BUY]
    assert [trade.symbol for trade in bought if trade.asset_class != "bonds"] == []
    assert any("defensive posture" in note.sentence for note in outcome.decision.refusals)


def test_a_withdrawal_is_no_fall_and_a_deposit_hides_none():
    house, prices, clock = balanced()
    broker = broker_of(house)
    broker.deposit("taxable", Decimal(60_000))
    run_once(house, executes=False)
    clock.sleep(24 * 3600)
    broker.deposit("taxable", Decimal(-60_000))
    assert run_once(house, executes=False).memory.breaker is None
    clock.sleep(24 * 3600)
    broker.deposit("taxable", Decimal(60_000))
    prices.prices = {symbol: price * Decimal("0.78") for symbol, price in prices.prices.items()}
    assert run_once(house, executes=False).memory.breaker is not None


def test_a_bad_tick_holds_everything_marks_nothing_and_trips_nothing():
    house, prices, _ = balanced()
    prices.closes["VTI"] = prices.prices["VTI"]
    prices.prices["VTI"] *= Decimal("0.1")
    outcome = run_once(house, executes=True)
    assert outcome.status == "held"
    assert "VTI" in outcome.sentence
    assert outcome.memory.breaker is None
    marks = [e for e in house.journal.entries() if isinstance(e.event, ValueMarked)]
    assert len(marks) == 1


def test_an_account_in_files_is_planned_for_and_its_orders_are_left_to_the_owner():
    toml = TOML.replace(
        'kind = "traditional_ira"\nbroker = "paper"', 'kind = "traditional_ira"\nbroker = "file"'
    )
    house, _, _ = drifted(toml)
    outcome = run_once(house, executes=True)
    assert outcome.decision is not None
    held = [refusal for refusal in outcome.decision.held if refusal.account == "ira"]
    assert held
    assert "place this order at its broker yourself" in held[0].sentence
    assert all(done.trade.account != "ira" for done in outcome.executions)


def test_a_changed_file_is_the_truth_about_an_account_in_files():
    toml = TOML.replace(
        'kind = "traditional_ira"\nbroker = "paper"', 'kind = "traditional_ira"\nbroker = "file"'
    )
    house, _, _ = drifted(toml)
    run_once(house, executes=False)
    sold = Opening(lots=(LOTS[3],), cash={"USD": Decimal(30_100)}, source="test")
    house = house._replace(openings={**house.openings, "ira": sold})
    memory = run_once(house, executes=False).memory
    assert [one.symbol for one in memory.lots.values() if one.account == "ira"] == ["BND"]
    assert memory.cash["ira", "USD"] == Decimal(30_100)


IN_FILES = TOML.replace(
    'kind = "traditional_ira"\nbroker = "paper"', 'kind = "traditional_ira"\nbroker = "file"'
)


def after_a_day_in_files(fall: str) -> tuple[House, FixedPrices]:
    """A household with the IRA in files that has a mark, a day later, all prices times *fall*."""
    house, prices, clock = drifted(IN_FILES)
    run_once(house, executes=False)
    clock.sleep(24 * 3600)
    prices.prices = {symbol: price * Decimal(fall) for symbol, price in prices.prices.items()}
    return house, prices


@pytest.mark.parametrize("paid_in", ["0", "40000"])
def test_money_that_a_file_adds_on_the_day_of_a_crash_does_not_hide_it(paid_in):
    house, _ = after_a_day_in_files("0.78")
    told = house.openings["ira"]
    richer = told._replace(cash={"USD": told.cash["USD"] + Decimal(paid_in)})
    house = house._replace(openings={**house.openings, "ira": richer})
    outcome = run_once(house, executes=False)
    assert outcome.memory.breaker is not None
    *_, mark = [e.event for e in house.journal.entries() if isinstance(e.event, ValueMarked)]
    assert mark.flow == Decimal(paid_in)


def test_lots_that_a_file_adds_are_a_flow_at_the_prices_of_now():
    house, _ = after_a_day_in_files("0.78")
    told = house.openings["ira"]
    more = (*told.lots, lot("ira", "VTI", "100", "5000", "2020-01-01", "transfer"))
    house = house._replace(openings={**house.openings, "ira": told._replace(lots=more)})
    outcome = run_once(house, executes=False)
    assert outcome.memory.breaker is not None
    *_, mark = [e.event for e in house.journal.entries() if isinstance(e.event, ValueMarked)]
    assert mark.flow == 100 * Decimal(300) * Decimal("0.78")


def test_money_taken_out_of_a_file_is_no_crash():
    house, _ = after_a_day_in_files("1")
    told = house.openings["ira"]
    poorer = told._replace(lots=(), cash={})
    house = house._replace(openings={**house.openings, "ira": poorer})
    assert run_once(house, executes=False).memory.breaker is None


def test_what_an_edited_file_took_out_before_its_day_is_not_due_again():
    house, _ = after_a_day_in_files("1")
    due = FlowRule(account="ira", amount=Decimal(90), first=dt.date(2026, 3, 12))
    facts = replace(facts_of(house.file), withdrawals=(due,))
    told = house.openings["ira"]
    poorer = told._replace(cash={"USD": told.cash["USD"] - 60})
    left = []
    for opening in (told, poorer):
        house = house._replace(openings={**house.openings, "ira": opening})
        outcome = run_once(house, executes=False)
        assert outcome.snapshot is not None
        policy = policy_in_force(outcome.memory)
        left.append(withdrawals_of(outcome.snapshot, policy, outcome.memory, facts))
    assert left == [{"ira": 90}, {"ira": 30}]


def test_an_account_that_is_new_on_the_day_of_a_crash_does_not_hide_it():
    house, prices, clock = balanced()
    prices.prices = {symbol: price * Decimal("0.74") for symbol, price in prices.prices.items()}
    toml = TOML.replace(
        "[instruments.VTI]",
        '[accounts.new]\nowner = "bob"\nkind = "taxable"\nbroker = "file"\n[instruments.VTI]',
    )
    added = house_of((), {}, prices, toml=toml, clock=clock)
    accounts = {**house.accounts, "new": added.accounts["new"]}
    opening = Opening(lots=(), cash={"USD": Decimal(30_000)}, source="test")
    house = house._replace(
        file=added.file, accounts=accounts, openings={**house.openings, "new": opening}
    )
    outcome = run_once(house, executes=True)
    assert outcome.memory.breaker is not None
    assert outcome.memory.cash["new", "USD"] == 30_000


def test_the_first_accounts_of_a_household_are_no_flow():
    house, _, _ = drifted(IN_FILES)
    run_once(house, executes=False)
    (mark,) = [e.event for e in house.journal.entries() if isinstance(e.event, ValueMarked)]
    assert mark.flow == 0


def test_nothing_is_decided_while_a_file_shows_lots_as_before_a_split():
    house, prices = after_a_day_in_files("1")
    prices.prices["VTI"] /= 2
    day = dt.date(2026, 3, 10)
    house = house._replace(splits=lambda _after, _until: [("VTI", day, 2, 1)])
    with pytest.raises(InputError, match="still shows VTI as before its 2:1 split on 2026-03-10"):
        run_once(house, executes=False)


def test_lots_updated_for_a_split_are_no_flow():
    house, prices = after_a_day_in_files("1")
    prices.prices["VTI"] /= 2
    told = house.openings["ira"]
    doubled = tuple(
        replace(one, quantity=one.quantity * 2) if one.symbol == "VTI" else one for one in told.lots
    )
    house = house._replace(
        openings={**house.openings, "ira": told._replace(lots=doubled)},
        splits=lambda _after, _until: [("VTI", dt.date(2026, 3, 10), 2, 1)],
    )
    run_once(house, executes=False)
    *_, mark = [e.event for e in house.journal.entries() if isinstance(e.event, ValueMarked)]
    assert mark.flow == 0


class Refusing:
    """The paper broker, which today takes no order."""

    name, deduplicates = "paper", True

    def __init__(self, paper: PaperBroker) -> None:
        self.find, self.cancel = paper.find, paper.cancel
        self.activities, self.report = paper.activities, paper.report

    def submit(self, order: Order) -> Receipt:
        raise BrokerRefused(f"no order is taken today, {order.symbol} neither")


def test_a_turn_whose_orders_were_all_refused_was_not_executed_and_ends_with_eight():
    house, _, _ = drifted()
    house = house._replace(brokers={"paper": Refusing(broker_of(house))})
    outcome = run_once(house, executes=True)
    assert outcome.executions
    assert outcome.status == "not-executed"
    assert exit_status(outcome, executes=True) == 8


def test_a_turn_that_was_stopped_before_its_first_order_ends_with_three():
    house, _, _ = drifted()
    outcome = run_once(house._replace(stops=lambda: "SIGTERM asked to stop."), executes=True)
    assert outcome.executions
    assert outcome.status == "not-executed"
    assert exit_status(outcome, executes=True) == 3


def test_planning_on_a_copy_of_the_journal_leaves_the_journal_as_it_was():
    house, _, _ = balanced()
    before = list(house.journal.entries())
    copy = house._replace(journal=ScratchJournal(iter(before)))
    run_once(copy, executes=False)
    assert list(house.journal.entries()) == before


def test_an_edited_policy_waits_and_the_one_in_force_decides():
    house, _, clock = balanced()
    toml = TOML.replace("target = 0.55", "target = 0.75").replace("target = 0.40", "target = 0.20")
    edited = house_of(LOTS, CASH, FixedPrices(PRICES), toml=toml, clock=clock).file
    house = house._replace(file=edited)
    outcome = run_once(house, executes=True)
    assert outcome.status == "nothing-to-do"
    assert outcome.memory.proposed is not None
    clock.at = outcome.memory.proposed.effective_at + dt.timedelta(hours=1)
    clock.at = clock.at.replace(hour=16) + dt.timedelta(days=(7 - clock.at.weekday()) % 7)
    later = run_once(house, executes=True)
    assert later.memory.proposed is None
    assert later.status == "executed"
