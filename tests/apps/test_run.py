"""One turn after another, in memory: what is decided, sent, proven and remembered."""

import datetime as dt
from decimal import Decimal

from tests.houses import TOML, FixedPrices, ManualClock, house_of, lot

from trimtab.adapters.scratch import ScratchJournal
from trimtab.apps.run import run_once
from trimtab.apps.world import House, Opening, take_snapshot
from trimtab.domain.events import BreakerTripped, Decided, OrderIntended, ValueMarked
from trimtab.domain.trades import Side
from trimtab.lab.paper import PaperBroker

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


def test_purchases_take_the_unsettled_proceeds_so_that_settled_cash_is_what_may_leave():
    house, _, _ = drifted()
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
    assert "20.8 % since 2026-03-09" in outcome.memory.breaker
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
