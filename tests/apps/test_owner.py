"""What only a person does, and that it is journaled."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from trimtab.apps.clock import ManualClock
from trimtab.apps.demo import make_demo
from trimtab.apps.home import Home, recall, working
from trimtab.apps.owner import adopt, pause, rearm, resume
from trimtab.apps.run import run_once
from trimtab.domain.errors import InputError, LeaseHeld

NOON = dt.datetime(2026, 10, 14, 12, tzinfo=dt.UTC)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_demo(tmp_path / "demo", seed=7, today=NOON.date(), replace=False)


def turn(home: Home, clock: ManualClock, *, executes: bool = True):
    with working(home, command="test", clock=clock) as house:
        return run_once(house, executes=executes)


def test_a_pause_holds_every_trade_until_it_is_ended(home: Home):
    clock = ManualClock(NOON)
    pause(home, clock, "we move house")
    outcome = turn(home, clock)
    assert outcome.status == "held"
    assert "we move house" in outcome.sentence
    assert recall(home).orders == {}
    resume(home, clock, "moved in")
    assert turn(home, clock).status == "executed"


def test_a_pause_needs_a_reason_and_nothing_is_paused_twice(home: Home):
    clock = ManualClock(NOON)
    with pytest.raises(InputError, match="reason"):
        pause(home, clock, "  ")
    assert not home.pause_flag.exists()
    pause(home, clock, "holiday")
    with pytest.raises(InputError, match="paused already: holiday"):
        pause(home, clock, "again")


def test_a_pause_during_a_cycle_stops_it_before_its_next_order(home: Home):
    clock = ManualClock(NOON)
    said: list[str] = []

    def says(words: str) -> None:
        said.append(words)
        if words == "trading":
            with pytest.raises(LeaseHeld):
                pause(home, clock, "stop at once")

    with working(home, command="test", clock=clock, says=says) as house:
        outcome = run_once(house, executes=True)
    assert "trading" in said
    assert outcome.memory.orders == {}
    assert outcome.status == "not-executed"
    assert all("paused" in execution.note for execution in outcome.executions)
    pause(home, clock, "stop at once")
    assert recall(home).paused == "stop at once"


def test_the_next_turn_journals_a_pause_that_only_the_flag_tells(home: Home):
    clock = ManualClock(NOON)
    home.pause_flag.write_text("stop at once\n", encoding="utf-8")
    outcome = turn(home, clock)
    assert outcome.status == "held"
    assert "stop at once" in outcome.sentence
    assert recall(home).paused == "stop at once"


def test_resume_and_rearm_refuse_where_there_is_nothing_to_end(home: Home):
    clock = ManualClock(NOON)
    with pytest.raises(InputError, match="not paused"):
        resume(home, clock, "why not")
    with pytest.raises(InputError, match="has not tripped"):
        rearm(home, clock, "why not")


def test_the_brokers_word_replaces_the_journals_and_frees_the_account(home: Home):
    clock = ManualClock(NOON)
    turn(home, clock)
    books = msgspec.json.decode(home.paper.read_bytes())
    books["accounts"]["jon-ira"]["cash"]["USD"] = str(
        Decimal(books["accounts"]["jon-ira"]["cash"]["USD"]) - 40
    )
    home.paper.write_bytes(msgspec.json.encode(books))
    clock.sleep(3600)
    blocked = turn(home, clock)
    assert [found.kind for found in blocked.discrepancies] == ["cash-differs"]
    assert recall(home).blocked("jon-ira")
    differences = adopt(home, clock, "jon-ira", "a fee that the broker does not report")
    assert len(differences) == 1
    assert not recall(home).blocked("jon-ira")
    assert turn(home, clock).discrepancies == ()


def test_what_the_brokers_word_changes_in_value_is_a_flow(home: Home):
    clock = ManualClock(NOON)
    turn(home, clock)
    books = msgspec.json.decode(home.paper.read_bytes())
    cash = books["accounts"]["jon-ira"]["cash"]
    cash["USD"] = str(Decimal(cash["USD"]) + 90_000)
    home.paper.write_bytes(msgspec.json.encode(books))
    adopt(home, clock, "jon-ira", "a transfer that the broker does not report")
    memory = recall(home)
    assert memory.pending_flow == 90_000
    assert [(one.account, one.amount) for one in memory.paid_in()] == [("jon-ira", Decimal(90_000))]


def test_an_account_that_agrees_cannot_be_adopted(home: Home):
    clock = ManualClock(NOON)
    turn(home, clock)
    with pytest.raises(InputError, match="agree"):
        adopt(home, clock, "jon-ira", "for fun")
    with pytest.raises(InputError, match="no account"):
        adopt(home, clock, "nobody", "for fun")
