"""What the strategies of a household want now, and what they wanted at each decision before."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from trimtab.apps.home import Home, looking, read_household, recall
from trimtab.apps.observed import observe
from trimtab.apps.outlook import (
    look_every_days,
    outlook_of,
    past_of,
    strategies_of,
    strategy_warnings,
)
from trimtab.apps.run import require_agreement
from trimtab.apps.world import House, take_snapshot
from trimtab.domain.aim import Aim, Layer
from trimtab.domain.errors import DataSuspect, StrategyFault
from trimtab.domain.events import Decided, Entry
from trimtab.domain.facts import facts_of
from trimtab.domain.memory import Memory
from trimtab.domain.numbers import ZERO, Weight, to_float
from trimtab.domain.policy import HouseholdFile, Policy
from trimtab.domain.ports import Clock
from trimtab.domain.trades import Decision
from trimtab.domain.values import trade_date
from trimtab.rules.holdings import targets_of
from trimtab.rules.look import Look, due_of, leaving_of, look_at
from trimtab.rules.precommitment import policy_next
from trimtab.rules.targets.aim import NO_OUTLOOK, Outlook, is_new_period
from trimtab.rules.targets.base import day_of, own_targets
from trimtab.rules.targets.view import Savings, View

if TYPE_CHECKING:
    from trimtab.rules.targets.covariance import Estimate
    from trimtab.rules.targets.cppi_gaps import Gaps
    from trimtab.rules.targets.minimum_variance import Mixes

_PERIOD_LONGEST = 366
_VISIBLE = Weight("0.001")


class Aiming(NamedTuple):
    """What `targets` shows.

    `policy` is the one that a turn now finds in force, and `own` are its targets before any
    strategy; `in_force` are those that the journal holds, and `look` is what a turn now would find,
    None where a price is `missing`. `seen` is what the last estimate saw.
    `decisions` are the last of each day, oldest first. `gaps` is the gap risk of CPPI, None where
    it is no layer or nothing is risked; `gap_doubt` says why it cannot be told.
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
    gaps: "Gaps | None" = None
    gap_doubt: str | None = None

    @property
    def today(self) -> dt.date:
        """The trading day of the look."""
        return trade_date(self.at)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is to be said against the strategies as they are set."""
        return strategy_warnings(
            self.policy, self.today, None if self.gaps is None else self.gaps.fall
        )

    @property
    def aim(self) -> Aim | None:
        """What a turn now would aim at; where none is possible, what the journal aims at."""
        if self.look is not None:
            return self.look.aim
        held = self.memory.policy
        return self.memory.aim if held is None or held == self.policy else None

    @property
    def is_scheduled(self) -> bool:
        """Whether some strategy is asked on a schedule, and not at every look."""
        strategies = self.seen.strategies
        return not strategies or any(not strategy.watches for strategy in strategies)

    @property
    def next_estimate(self) -> dt.date | None:
        """The first day on which strategies estimate anew; None where none does."""
        if self.aim is None or not self.is_scheduled:
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


class Left(NamedTuple):
    """Risky `classes` that the plan made `on` a day left above what CPPI had wanted then."""

    on: dt.date
    classes: tuple[str, ...]


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
        now = observe(house, "targets").memory
        policy = policy_next(memory, file.policy(), clock.now())
        if memory.policy is None:
            strategies_of(policy)  # nothing binds yet, so all of it must be there
        today = trade_date(clock.now())
        aiming = Aiming(
            at=clock.now(),
            file=file,
            policy=policy,
            memory=memory,
            own=own_targets(policy, today),
            in_force=_in_force(memory, policy, today),
            look=None,
            seen=NO_OUTLOOK,
            missing=None,
            decisions=decisions,
        )
        return _looked(aiming, house, now)


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
            except (DataSuspect, StrategyFault):
                return None
            found = tuple(
                mixes(problem.estimate.covariance, problem.limits, place)
                for place in range(len(problem.assets))
            )
            return Corner(problem.assets, problem.estimate, found, layer.targets)
        base = layer.targets
    return None


def left_by(aiming: Aiming, layer: Layer) -> Left | None:
    """What the last plan left in risky classes although the CPPI of *layer* did not want it.

    None where no more is held than wanted, or the last plan was not asked for less.
    """
    look, rule = aiming.look, aiming.policy.strategy.cppi
    if layer.name != "cppi" or look is None or not aiming.decisions:
        return None
    held, wanted = layer.figures.get("held", 0.0), layer.figures["exposure"]
    last = aiming.decisions[-1]
    asked = next((one for one in last.aim.layers if one.name == "cppi"), None) if last.aim else None
    if asked is None or held <= wanted:
        return None
    safe = {name for name, its in aiming.policy.classes.items() if its.risk == "safe"}
    safe |= {name for name in (aiming.seen.cash,) if name is not None}
    planned = last.drifts if last.plan is None else last.plan.after
    risky = [drift for drift in planned if drift.asset_class not in safe]
    left = to_float(sum((drift.value for drift in risky), ZERO))
    if left <= asked.figures["exposure"] * (1.0 + to_float(rule.band_rel)):
        return None
    above = {drift.asset_class for drift in look.drifts if drift.drift > _VISIBLE}
    classes = tuple(drift.asset_class for drift in risky if drift.asset_class in above)
    return Left(trade_date(last.at), classes) if classes else None


def _in_force(memory: Memory, policy: Policy, today: dt.date) -> dict[str, Weight]:
    """What the journal holds as the target of each class of *policy*; 0 for one that is new."""
    bound = memory.policy or policy
    aim = memory.aim if bound.strategy.layers else None
    held = targets_of(
        bound,
        today,
        aim,
        base_currency=memory.base_currency,
        is_defensive=memory.breaker is not None,
    )
    return {name: held.get(name, ZERO) for name in policy.classes}


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
        require_agreement(memory)
        snapshot = take_snapshot(house, memory)
    except DataSuspect as error:
        return aiming._replace(missing=str(error))
    policy, facts = aiming.policy, facts_of(house.file)
    outlook = outlook_of(house, policy, snapshot.at, memory.proposed)
    due = due_of(snapshot, policy, memory, facts)
    leaving = leaving_of(snapshot, policy, memory, facts)
    look = look_at(snapshot, policy, memory, outlook, due=due, leaving=leaving)
    if look.aim is None:
        return aiming._replace(look=look)
    aiming = _with_gaps(aiming, house, look.aim, outlook, snapshot.at)
    day = look.aim.estimated_on
    then = next((made.at for made in aiming.decisions if trade_date(made.at) == day), snapshot.at)
    return aiming._replace(look=look, seen=outlook_of(house, aiming.policy, then))


def _with_gaps(aiming: Aiming, house: House, aim: Aim, outlook: Outlook, at: dt.datetime) -> Aiming:
    """*aiming* with the gap risk of its CPPI, where that is a layer."""
    from trimtab.rules.targets.cppi_gaps import Held, gaps_of
    from trimtab.rules.targets.cppi_risk import period_of
    from trimtab.rules.targets.guarded import Cppi

    policy, base = aiming.policy, dict(aiming.own)
    for strategy, layer in zip(outlook.strategies, aim.layers, strict=True):
        if isinstance(strategy, Cppi):
            safe = {name for name, rule in policy.classes.items() if rule.risk == "safe"}
            held = Held(base, frozenset(safe | ({outlook.cash} if outlook.cash else set())))
            looks = period_of(look_every_days(policy))
            past = past_of(house, policy, at)
            try:
                gaps = gaps_of(
                    strategy.rule, layer, held, past, looks, strategy.rate(outlook.bills)
                )
            except DataSuspect as doubt:
                return aiming._replace(gap_doubt=str(doubt).removesuffix("."))
            return aiming._replace(gaps=gaps)
        base = dict(layer.targets)
    return aiming


def _decisions(entries: Iterable[Entry]) -> tuple[Decision, ...]:
    """The last decision of each day."""
    found: dict[dt.date, Decision] = {}
    for entry in entries:
        if isinstance(entry.event, Decided):
            found[trade_date(entry.event.decision.at)] = entry.event.decision
    return tuple(found.values())
