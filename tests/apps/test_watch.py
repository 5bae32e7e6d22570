"""The cycle by itself: when it is due, what it does after an error, and that it is alone."""

import datetime as dt
import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from trimtab.adapters.calendars import MarketCalendars
from trimtab.adapters.lease import Lease
from trimtab.apps.clock import ManualClock, SystemClock
from trimtab.apps.demo import make_demo
from trimtab.apps.home import Home, read_household, recall, working
from trimtab.apps.run import Outcome, run_once
from trimtab.apps.watch import BACKOFF_FIRST, Schedule, next_look, watch
from trimtab.domain.errors import FileFaults, LeaseHeld
from trimtab.domain.memory import Memory
from trimtab.domain.policy import HouseholdFile, ScheduleRule

TODAY = dt.date(2026, 10, 14)
NOON = dt.datetime(2026, 10, 14, 12, tzinfo=dt.UTC)


class FastClock(SystemClock):
    """The system's clock, run forward: sleeping takes no time. Stops at *until*."""

    def __init__(self, at: dt.datetime, until: dt.datetime) -> None:
        super().__init__()
        self.at, self.until = at, until

    def now(self) -> dt.datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += dt.timedelta(seconds=max(seconds, 0.0))
        if self.at >= self.until:
            self.stop("the test's end")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_demo(tmp_path / "demo", seed=7, today=TODAY, replace=False)


def run_watch(
    home: Home, clock: SystemClock, *, executes: bool = True
) -> tuple[list[str], list[Outcome]]:
    said: list[str] = []
    outcomes: list[Outcome] = []
    watch(home, clock, executes=executes, says=said.append, tells=outcomes.append)
    return said, outcomes


def test_it_looks_once_in_every_session(home: Home):
    clock = FastClock(NOON, NOON + dt.timedelta(days=3))
    _, outcomes = run_watch(home, clock)
    assert len(outcomes) == 4  # at once on the first day, since that day's look was missed
    days = [outcome.decision.at.date() for outcome in outcomes if outcome.decision]
    assert days == sorted(set(days))


def test_the_first_look_trades_and_later_ones_find_the_household_inside_its_bands(home: Home):
    _, outcomes = run_watch(home, FastClock(NOON, NOON + dt.timedelta(days=2)))
    assert outcomes[0].status == "executed"
    assert {outcome.status for outcome in outcomes[1:]} == {"nothing-to-do"}


def test_without_execute_it_alerts_once_an_episode_and_sends_nothing(home: Home):
    _, outcomes = run_watch(home, FastClock(NOON, NOON + dt.timedelta(days=2)), executes=False)
    assert [outcome.status for outcome in outcomes] == ["planned"] * 3
    decisions = [outcome.decision for outcome in outcomes if outcome.decision]
    alerts = [sum(t.alert for t in decision.transitions) for decision in decisions]
    assert alerts[0] > 0
    assert alerts[1:] == [0, 0]
    assert recall(home).orders == {}


def test_an_error_is_journaled_and_tried_again_after_a_growing_pause(home: Home):
    lots = (home.folder / "lots.csv").read_text(encoding="utf-8")
    clock = FastClock(NOON, NOON + dt.timedelta(hours=1))
    said: list[str] = []

    def says(sentence: str) -> None:
        said.append(sentence)
        if len([s for s in said if "Trying again" in s]) == 3:
            (home.folder / "lots.csv").write_text(lots, encoding="utf-8")

    (home.folder / "lots.csv").write_text("account,symbol\n", encoding="utf-8")
    outcomes: list[Outcome] = []
    watch(home, clock, executes=True, says=says, tells=outcomes.append)
    failures = [sentence for sentence in said if "Trying again" in sentence]
    assert len(failures) == 3
    assert outcomes[0].decision is not None
    assert outcomes[0].decision.at == NOON + 7 * BACKOFF_FIRST  # 1 + 2 + 4 minutes
    assert recall(home).failures == 0


def test_a_failure_in_the_journal_names_the_next_try_after_a_reboot(home: Home):
    (home.folder / "lots.csv").write_text("account,symbol\n", encoding="utf-8")
    run_watch(home, FastClock(NOON, NOON + dt.timedelta(seconds=59)))
    memory = recall(home)
    assert memory.failures == 1
    assert memory.next_look == NOON + BACKOFF_FIRST
    again = next_look(read_household(home), MarketCalendars(), memory, NOON)
    assert again == NOON + BACKOFF_FIRST


def test_a_faulty_household_is_refused_at_the_start(home: Home):
    home.household_toml.write_text("[household]\nname = 3\n", encoding="utf-8")
    with pytest.raises(FileFaults):
        run_watch(home, FastClock(NOON, NOON + dt.timedelta(hours=1)))


def test_one_watch_for_each_household(home: Home):
    with (
        Lease(home.watch, command="trimtab watch"),
        pytest.raises(LeaseHeld, match="trimtab watch"),
    ):
        run_watch(home, FastClock(NOON, NOON + dt.timedelta(hours=1)))


class TestWhenItIsDue:
    """The schedule is minutes after the open of the policy's calendar."""

    calendars = MarketCalendars()

    def file(self, home: Home) -> HouseholdFile:
        text = home.household_toml.read_text(encoding="utf-8")
        text = text.replace('market = "invented"', 'market = "files"')
        text = "\n".join(
            line for line in text.splitlines() if not line.startswith(("seed", "start"))
        )
        home.household_toml.write_text(text, encoding="utf-8")
        return read_household(home)

    def due(self, home: Home, memory: Memory, now: str) -> str:
        at = dt.datetime.fromisoformat(now).replace(tzinfo=dt.UTC)
        return f"{next_look(self.file(home), self.calendars, memory, at):%Y-%m-%d %H:%M}"

    def memory(self, home: Home, ended: str) -> Memory:
        at = dt.datetime.fromisoformat(ended).replace(tzinfo=dt.UTC)
        return Memory(last_ended=at, last_outcome="nothing-to-do")

    def test_an_hour_after_the_open(self, home: Home):
        assert self.due(home, Memory(), "2026-11-23 09:00") == "2026-11-23 15:30"

    def test_a_missed_look_is_due_at_once_while_the_market_is_open(self, home: Home):
        assert self.due(home, Memory(), "2026-11-23 18:00") == "2026-11-23 15:30"

    def test_after_the_close_it_waits_for_the_next_session_over_a_weekend(self, home: Home):
        assert self.due(home, Memory(), "2026-11-20 21:30") == "2026-11-23 15:30"

    def test_once_done_it_waits_for_the_next_session_over_thanksgiving(self, home: Home):
        done = self.memory(home, "2026-11-25 15:31")
        assert self.due(home, done, "2026-11-25 15:32") == "2026-11-27 15:30"

    def test_a_run_by_hand_without_orders_is_not_the_look_of_a_watch_that_trades(self, home: Home):
        with working(home, command="test", clock=ManualClock(NOON)) as house:
            run_once(house, executes=False)
        dry = recall(home)
        assert dry.last_ended is not None
        later = NOON + dt.timedelta(minutes=5)
        file = read_household(home)
        assert next_look(file, self.calendars, dry, later, executes=True) <= later
        assert next_look(file, self.calendars, dry, later) > later
        with working(home, command="test", clock=ManualClock(NOON)) as house:
            run_once(house, executes=True)
        assert next_look(file, self.calendars, recall(home), later, executes=True) > later

    def test_a_turn_dated_in_the_future_holds_nothing_back(self, home: Home):
        ahead = self.memory(home, "2030-01-02 16:00")
        assert self.due(home, ahead, "2026-11-23 16:00") == "2026-11-23 15:30"
        failed = replace(ahead, last_outcome="failed", next_look=ahead.last_ended)
        assert self.due(home, failed, "2026-11-23 16:00") == "2026-11-23 15:30"

    def test_a_run_by_hand_before_the_hour_does_not_count_as_the_look(self, home: Home):
        done = self.memory(home, "2026-11-23 14:35")
        assert self.due(home, done, "2026-11-23 14:36") == "2026-11-23 15:30"

    def test_a_computer_that_slept_through_the_session_waits_for_the_next_one(self, home: Home):
        self.file(home)
        schedule = Schedule(home)
        morning = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)
        due = schedule.due(self.calendars, morning)
        assert f"{due:%Y-%m-%d %H:%M}" == "2026-11-23 15:30"
        due = schedule.due(self.calendars, morning + dt.timedelta(hours=14))
        assert f"{due:%Y-%m-%d %H:%M}" == "2026-11-24 15:30"

    def test_the_schedule_is_that_of_the_policy_in_force(self, home: Home):
        policy = self.file(home).policy()
        later = replace(policy, schedule=ScheduleRule(minutes_after_open=120))
        assert self.due(home, Memory(policy=later), "2026-11-23 09:00") == "2026-11-23 16:30"


def _watch_for_real(folder: Path) -> None:
    clock = SystemClock()
    clock.heed_signals()
    watch(Home(folder), clock, executes=True, says=lambda _: None, tells=lambda _: None)


def test_sigterm_ends_it_soon_and_whole(home: Home):
    process = multiprocessing.get_context("spawn").Process(
        target=_watch_for_real, args=(home.folder,)
    )
    process.start()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and not home.journal.exists():
        time.sleep(0.05)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGTERM)
    process.join(20)
    assert process.exitcode == 0
    memory = recall(home)
    assert not memory.open_orders()
