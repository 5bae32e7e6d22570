"""`trimtab watch`: the cycle by itself, on the policy's schedule, for as long as it is let run."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

from trimtab.adapters.calendars import MarketCalendars
from trimtab.adapters.lease import Lease, writing
from trimtab.apps.clock import SystemClock
from trimtab.apps.home import Home, read_household, recall, working
from trimtab.apps.run import Outcome, run_once
from trimtab.apps.world import Recorder, load
from trimtab.domain.errors import JournalError, LeaseHeld, TrimtabError
from trimtab.domain.events import CycleFailed
from trimtab.domain.memory import Memory
from trimtab.domain.policy import HouseholdFile
from trimtab.domain.ports import Calendars
from trimtab.domain.values import trade_date
from trimtab.rules.words import instant

BACKOFF_FIRST = dt.timedelta(minutes=1)
BACKOFF_MAX = dt.timedelta(hours=1)
NAP_SECONDS = 30.0
"""How long to sleep at most: a computer that slept, or a file that changed, is noticed after it."""


def watch(
    home: Home,
    clock: SystemClock,
    *,
    executes: bool,
    says: Callable[[str], None],
    tells: Callable[[Outcome], None],
) -> None:
    """Run the cycle whenever it is due, until *clock* is asked to stop.

    One watch for each household. An error is said, journaled where that is possible, and tried
    again after a pause that doubles up to an hour; what was in flight is settled first then. After
    a reboot the journal says what was done last, and a look that was missed is made up for.

    Raises:
        LeaseHeld: another watch runs on this household.
        InputError: household.toml or its data cannot be used at the start.
    """
    read_household(home)
    calendars = MarketCalendars()
    schedule = Schedule(home, executes=executes)
    failures, retry_at, said = 0, None, None
    with Lease(home.watch, command="trimtab watch --execute" if executes else "trimtab watch"):
        while not clock.is_stopping:
            try:
                due = retry_at or schedule.due(calendars, clock.now())
                if clock.now() < due:
                    if due != said:
                        says(f"waiting until {instant(due)}")
                        said = due
                    clock.sleep(min(NAP_SECONDS, (due - clock.now()).total_seconds()))
                    continue
                tells(_turn(home, clock, executes=executes, says=says))
                failures, retry_at = 0, None
            except LeaseHeld as error:
                says(str(error))
                clock.sleep(NAP_SECONDS)
            except (TrimtabError, OSError) as error:
                failures += 1
                retry_at = clock.now() + _backoff(failures)
                says(f"{error} Trying again at {instant(retry_at)}.")
                _journal_failure(home, clock, str(error), retry_at)


class Schedule:
    """When the next turn is due, worked out anew when a file it depends on has changed.

    A time that has come is worked out once more before anybody acts on it: the computer may have
    slept through the session.
    """

    def __init__(self, home: Home, *, executes: bool = False) -> None:
        """Watch the files of *home*, for a watch that *executes* or not."""
        self._home = home
        self._executes = executes
        self._stamps: tuple[object, ...] = ()
        self._due: dt.datetime | None = None

    def due(self, calendars: Calendars, now: dt.datetime) -> dt.datetime:
        """When the next turn is due, as known at *now*.

        Raises:
            TrimtabError: household.toml or the journal cannot be read.
        """
        stamps = tuple(_stamp(path) for path in self._paths())
        if self._due is None or self._due <= now or stamps != self._stamps:
            file, memory = read_household(self._home), recall(self._home)
            self._due = next_look(file, calendars, memory, now, executes=self._executes)
            self._stamps = tuple(_stamp(path) for path in self._paths())
        return self._due

    def _paths(self) -> tuple[Path, ...]:
        journal = self._home.journal
        return self._home.household_toml, journal, journal.with_name(f"{journal.name}-wal")


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size


def next_look(
    file: HouseholdFile,
    calendars: Calendars,
    memory: Memory,
    now: dt.datetime,
    *,
    executes: bool = False,
) -> dt.datetime:
    """When the next turn is due: in the schedule's session, once each session.

    After a failure it is the time that the journal names. A look that was missed earlier in a
    session that is still open is due at once; after its close it is left to the next session. For
    a watch that *executes*, a turn without orders by hand is not the session's look. What the
    journal dates later than *now* holds nothing back: the computer's clock was wrong then.
    """
    retry_at = memory.next_look if memory.last_outcome == "failed" else None
    if retry_at is not None and retry_at <= now + BACKOFF_MAX:
        return retry_at
    rule = file.schedule if memory.policy is None else memory.policy.schedule
    hours = calendars.hours(_calendar(file, rule.calendar), now)
    due = _look_in(hours.opens, hours.closes, rule.minutes_after_open, now)
    done = memory.last_executed if executes else memory.last_ended
    if done is None or done < due or done > now:
        return due
    later = (hours.closes or now + dt.timedelta(days=1)) + dt.timedelta(seconds=1)
    following = calendars.hours(_calendar(file, rule.calendar), later)
    return _look_in(following.opens, following.closes, rule.minutes_after_open, later)


def _look_in(
    opens: dt.datetime | None, closes: dt.datetime | None, minutes: int, now: dt.datetime
) -> dt.datetime:
    start = opens or now
    due = start + dt.timedelta(minutes=minutes)
    if closes is not None and due >= closes:
        due = start + (closes - start) / 2
    return due


def _calendar(file: HouseholdFile, name: str) -> str:
    return "24/7" if file.data.market == "invented" else name


def _turn(
    home: Home, clock: SystemClock, *, executes: bool, says: Callable[[str], None]
) -> Outcome:
    def stops() -> str | None:
        return f"{clock.stopped_by} asked to stop." if clock.is_stopping else None

    with working(home, command="trimtab watch", clock=clock, says=says, stops=stops) as house:
        return run_once(house, executes=executes)


def _journal_failure(home: Home, clock: SystemClock, sentence: str, retry_at: dt.datetime) -> None:
    """Write the failure down if the journal can still be written; it has been said already."""
    try:
        with writing(home.journal, command="trimtab watch", create=True) as journal:
            memory = load(journal)
            recorder = Recorder(journal, clock, memory, f"{trade_date(clock.now())}-failed")
            recorder.record(CycleFailed(sentence=sentence, retry_at=retry_at))
    except (JournalError, LeaseHeld):
        return


def _backoff(failures: int) -> dt.timedelta:
    return min(BACKOFF_MAX, BACKOFF_FIRST * (1 << min(failures - 1, 10)))
