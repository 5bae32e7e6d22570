"""What the strategies of a household want now, and what they wanted at each decision before."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from trimtab.apps.home import Home, looking, read_household, recall
from trimtab.apps.outlook import outlook_of, strategy_warnings
from trimtab.apps.world import House, Recorder, load, open_books, take_snapshot
from trimtab.domain.aim import Aim
from trimtab.domain.errors import DataSuspect
from trimtab.domain.events import Decided, Entry
from trimtab.domain.memory import Memory
from trimtab.domain.numbers import ZERO, Weight
from trimtab.domain.policy import HouseholdFile, Policy
from trimtab.domain.ports import Clock
from trimtab.domain.trades import Decision
from trimtab.domain.values import trade_date
from trimtab.rules.cycle import Look, look_at
from trimtab.rules.holdings import targets_of
from trimtab.rules.targets.aim import NO_OUTLOOK, Outlook, is_new_period
from trimtab.rules.targets.base import day_of, own_targets
from trimtab.rules.targets.view import Savings, View

if TYPE_CHECKING:
    from trimtab.rules.targets.covariance import Estimate
    from trimtab.rules.targets.minimum_variance import Mixes

_PERIOD_LONGEST = 366


class Aiming(NamedTuple):
    """What `targets` shows.

    `own` are the household's own targets, `in_force` those that the journal holds, and `look` what
    a turn now would find, None where a price is `missing`. `seen` is what the last estimate saw.
    `decisions` are the last of each day, oldest first.
    """

    at: dt.datetime
    file: HouseholdFile
    policy: Policy
    memory: Memory
    own: dict[str, Weight]
    in_force: dict[str, Weight]
    look: Look | None
    seen: Outlook
    missing: str | None
    decisions: tuple[Decision, ...]

    @property
    def today(self) -> dt.date:
        """The trading day of the look."""
        return trade_date(self.at)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is to be said against the strategies as they are set."""
        return strategy_warnings(self.policy)

    @property
    def aim(self) -> Aim | None:
        """What a turn now would aim at; where none is possible, what the journal aims at."""
        return self.memory.aim if self.look is None else self.look.aim

    @property
    def next_estimate(self) -> dt.date | None:
        """The first day on which strategies estimate anew; None without a strategy."""
        if self.aim is None:
            return None
        last = self.aim.estimated_on
        days = (last + dt.timedelta(days=number) for number in range(1, _PERIOD_LONGEST + 1))
        return next(day for day in days if is_new_period(self.policy.strategy.every, last, day))

    @property
    def next_point(self) -> dt.date | None:
        """The next date of the glide path; None without one, or after its last."""
        glide = self.policy.glide
        return next(
            (day for point in glide.points if (day := day_of(point, glide)) > self.today), None
        )


class Corner(NamedTuple):
    """The mixes around the one of least variance, class by class, and the weights wanted."""

    assets: list[str]
    estimate: "Estimate"
    mixes: "tuple[Mixes, ...]"
    wanted: dict[str, Weight]


def gather(home: Home, clock: Clock) -> Aiming:
    """What the household of *home* aims at now; nothing is written.

    Raises:
        InputError: household.toml or a file of it cannot be used, or a strategy broke its promise.
        JournalError: the journal cannot be read.
    """
    file = read_household(home)
    memory = recall(home)
    with looking(home, clock=clock, file=file) as house:
        decisions = _decisions(house.journal.entries())
        recorder = Recorder(house.journal, clock, load(house.journal), "targets")
        open_books(house, recorder)
        policy = memory.policy or file.policy()
        today = trade_date(clock.now())
        aim = memory.aim if policy.strategy.layers else None
        is_defensive = memory.breaker is not None
        aiming = Aiming(
            at=clock.now(),
            file=file,
            policy=policy,
            memory=memory,
            own=own_targets(policy, today),
            in_force=targets_of(policy, today, aim, is_defensive=is_defensive),
            look=None,
            seen=NO_OUTLOOK,
            missing=None,
            decisions=decisions,
        )
        return _looked(aiming, house, recorder.memory)


def corner(aiming: Aiming) -> Corner | None:
    """The mixes that minimum variance chose from; None where it is no layer or knows too little."""
    from trimtab.rules.targets.least_variance import LeastVariance
    from trimtab.rules.targets.minimum_variance import mixes

    aim, look = aiming.aim, aiming.look
    if aim is None or look is None:
        return None
    base = aiming.own
    for strategy, layer in zip(aiming.seen.strategies, aim.layers, strict=True):
        if isinstance(strategy, LeastVariance):
            try:
                problem = strategy.problem(_view(aiming, base, aim.estimated_on))
            except DataSuspect:
                return None
            found = tuple(
                mixes(problem.estimate.covariance, problem.limits, place)
                for place in range(len(problem.assets))
            )
            return Corner(problem.assets, problem.estimate, found, layer.targets)
        base = layer.targets
    return None


def _view(aiming: Aiming, base: Mapping[str, Weight], day: dt.date) -> View:
    """What an estimate of *day* saw."""
    outlook = aiming.seen
    assert outlook.past is not None, "strategies are shown a past"
    return View(
        today=day,
        classes=tuple(aiming.policy.classes),
        base=base,
        savings=Savings(ZERO),
        past=outlook.past.until(day),
        safe=frozenset(),
        cash=outlook.cash,
        band={},
        state={},
        last={},
        is_due=True,
    )


def _looked(aiming: Aiming, house: House, memory: Memory) -> Aiming:
    """*aiming* with what a turn now would find."""
    try:
        snapshot = take_snapshot(house, memory)
    except DataSuspect as error:
        return aiming._replace(missing=str(error))
    outlook = outlook_of(house, aiming.policy, snapshot.at)
    look = look_at(snapshot, aiming.policy, memory, outlook)
    if look.aim is None:
        return aiming._replace(look=look)
    day = look.aim.estimated_on
    then = next((made.at for made in aiming.decisions if trade_date(made.at) == day), snapshot.at)
    return aiming._replace(look=look, seen=outlook_of(house, aiming.policy, then))


def _decisions(entries: Iterable[Entry]) -> tuple[Decision, ...]:
    """The last decision of each day."""
    found: dict[dt.date, Decision] = {}
    for entry in entries:
        if isinstance(entry.event, Decided):
            found[trade_date(entry.event.decision.at)] = entry.event.decision
    return tuple(found.values())
