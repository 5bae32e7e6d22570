"""where strategies are examined: an invented household, its markets, and the days it is asked on.

Everything comes out of fixed seeds, so that a strategy that fails today fails again tomorrow. The
daily returns are one market factor plus each class's own noise (Sharpe 1963), in the range of
long-run experience; nobody may read a forecast into them.
"""

import datetime as dt
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import NamedTuple

import msgspec
import numpy as np
from msgspec.structs import replace

from trimtab.domain.aim import Layer
from trimtab.domain.aims import StrategyRule
from trimtab.domain.errors import StrategyFault
from trimtab.domain.numbers import ONE, ZERO, Money, Weight, to_decimal, to_float
from trimtab.domain.policy import ClassRule, Policy, ReserveRule, band_policy
from trimtab.rules.drift import half_width
from trimtab.rules.targets.aim import checked
from trimtab.rules.targets.base import own_targets
from trimtab.rules.targets.view import Floats, Past, Savings, Strategy, View

Maker = Callable[[Policy], Strategy]
"""What an entry point of the group `trimtab.strategies` names."""


class _Class(NamedTuple):
    target: str
    drift: float
    volatility: float
    market: float
    is_safe: bool = False


_CLASSES: Mapping[str, _Class] = {
    "stocks": _Class("0.40", 0.07, 0.16, 0.95),
    "world": _Class("0.15", 0.06, 0.18, 0.80),
    "gold": _Class("0.10", 0.04, 0.15, 0.05),
    "bonds": _Class("0.25", 0.03, 0.06, 0.10, is_safe=True),
    "cash": _Class("0.10", 0.0, 0.0, 0.0, is_safe=True),
}
CLASSES = tuple(_CLASSES)
"""The classes of the invented household; `bonds` and `cash` are safe."""
CASH = "cash"

LITTLE = (0, 1, 2, 5, 19)
"""Numbers of sessions that are little past."""
SEEDS = (1, 2, 3, 4)

_LAST_DAY = dt.date(2026, 6, 30)
_SESSIONS_LEAST = 800
_SESSIONS_MOST = 13_000
_AHEAD = 60
_VALUE = Money(250_000)
_DAYS_A_YEAR = 252
_WALK_SESSIONS = 21
_WALK_LOOKS = 16
_SATURDAY = 5


class Candidate(NamedTuple):
    """A strategy as it is examined: who makes it, from which settings, and what it promises.

    `rule` is the `[strategy]` table it is made with; its settings may name `CLASSES`. With
    `keeps_cash` it leaves the class of cash at its weight, and with `is_scale_free` twice the
    money gives the same weights. Both are promised by most strategies; one that guards an amount
    of money keeps neither.
    """

    make: Maker
    rule: StrategyRule = StrategyRule()
    keeps_cash: bool = True
    is_scale_free: bool = True


class Sitting(NamedTuple):
    """One day on which a strategy is asked: `what` is odd about it, and what it is shown.

    `market` is the past and what comes after the day; the view has what was over.
    """

    what: str
    policy: Policy
    market: Past
    view: View


Answer = Layer | Exception
"""What a strategy said, or what it raised."""


def policy_of(rule: StrategyRule, classes: Sequence[str] = CLASSES) -> Policy:
    """The policy of the invented household; without cash, its bonds have the target of both."""
    targets = {name: Weight(_CLASSES[name].target) for name in CLASSES}
    if CASH not in classes:
        targets["bonds"] += targets[CASH]
    return Policy(
        classes={
            name: ClassRule(
                target=targets[name],
                members=("USD" if name == CASH else name.upper(),),
                risk="safe" if _CLASSES[name].is_safe else "risky",
            )
            for name in classes
        },
        reserve=ReserveRule(monthly_costs=Money(2_500), account="joint"),
        strategy=rule,
    )


def invented(classes: Sequence[str], count: int, seed: int) -> Past:
    """*count* sessions of total returns, the same for each class in whatever order they are."""
    days = np.random.default_rng([seed, 0]).standard_normal(count)
    columns = []
    for name in classes:
        its = _CLASSES[name]
        rng = np.random.default_rng([seed, 1 + CLASSES.index(name)])
        noise = its.market * days + math.sqrt(1 - its.market**2) * rng.standard_normal(count)
        daily = its.volatility / math.sqrt(_DAYS_A_YEAR)
        columns.append(np.expm1(its.drift / _DAYS_A_YEAR + daily * noise))
    return Past(_weekdays(count), np.column_stack(columns))


class Papers:
    """What a candidate answered on all the days there are, asked for once."""

    def __init__(self, candidate: Candidate) -> None:
        self.candidate = candidate

    @cached_property
    def sittings(self) -> list[Sitting]:
        """The ordinary days."""
        return ordinary(self.candidate)

    @cached_property
    def answers(self) -> list[Answer]:
        """What a fresh strategy said on each ordinary day."""
        return [asked(self.candidate, sitting) for sitting in self.sittings]

    @cached_property
    def rare(self) -> list[tuple[Sitting, Answer]]:
        """The days with odd data or savings, and what was said on them."""
        return self._asked(odd(self.candidate))

    @cached_property
    def early(self) -> list[tuple[Sitting, Answer]]:
        """The days with little past."""
        return self._asked(little(self.candidate))

    @cached_property
    def course(self) -> list[tuple[Sitting, Answer]]:
        """The looks of a course of time, each with what was remembered from the one before."""
        return list(walk(self.candidate))

    @cached_property
    def layers(self) -> list[tuple[Sitting, Layer]]:
        """Every answer that is one."""
        usual = zip(self.sittings, self.answers, strict=True)
        every = chain(usual, self.early, self.rare, self.course)
        return [(sitting, one) for sitting, one in every if isinstance(one, Layer)]

    def _asked(self, sittings: Iterator[Sitting]) -> list[tuple[Sitting, Answer]]:
        with np.errstate(all="ignore"):
            return [(sitting, asked(self.candidate, sitting)) for sitting in sittings]


def ordinary(candidate: Candidate) -> list[Sitting]:
    """Days with a whole past, on which every strategy has an answer."""
    held = sessions_shown(candidate)
    sittings = []
    for seed in SEEDS:
        classes = CLASSES if seed % 2 else tuple(name for name in CLASSES if name != CASH)
        policy = policy_of(candidate.rule, classes)
        market = invented(classes, held + _AHEAD, seed)
        today = market.sessions[held - 1 + seed]
        what = "on an ordinary day" if CASH in classes else "in a household without cash"
        sittings.append(Sitting(what, policy, market, _shown(policy, market, today, seed)))
    zero = sittings[0]
    base = dict(zero.view.base)
    base["stocks"], base["gold"] = base["stocks"] + base["gold"], ZERO
    shown = zero.view._replace(base=base, band=_bands(zero.policy, base))
    return [*sittings, Sitting("where the base has nothing of a class", *zero[1:3], shown)]


def little(candidate: Candidate) -> Iterator[Sitting]:
    """Days on which there is too little past for most strategies."""
    usual = ordinary(candidate)[0]
    for count in LITTLE:
        past = Past(usual.view.past.sessions[:count], usual.view.past.returns[:count])
        what = f"with {count} past session{'' if count == 1 else 's'}"
        yield usual._replace(what=what, market=past, view=usual.view._replace(past=past))
    unknown = np.full_like(usual.view.past.returns, np.nan)
    unknown[:, CLASSES.index(CASH)] = 0.0
    yield _with_returns(usual, "where no class has a price", unknown)
    doubt = Past((), usual.view.past.returns[:0], "BND has no prices.")
    yield usual._replace(
        what="where the past is in doubt",
        market=doubt,
        view=usual.view._replace(past=doubt),
    )


def odd(candidate: Candidate) -> Iterator[Sitting]:
    """Days with data or savings that are out of the ordinary and yet happen."""
    usual = ordinary(candidate)[0]
    place = {name: number for number, name in enumerate(CLASSES)}
    for what, columns in {
        "where a class never moved": {"bonds": 0.0},
        "where a class lost all but a thousandth in a day": {"gold": -0.999},
        "where a class is without prices": {"gold": math.nan},
    }.items():
        returns = usual.view.past.returns.copy()
        for name, number in columns.items():
            rows = slice(-1, None) if number < 0 else slice(None)
            returns[rows, place[name]] = number
        yield _with_returns(usual, what, returns)
    returns = usual.view.past.returns.copy()
    returns[:, place["world"]] = returns[:, place["stocks"]]
    yield _with_returns(usual, "where two classes are one", returns)
    returns = usual.view.past.returns.copy()
    returns[:-30, place["gold"]] = np.nan
    yield _with_returns(usual, "where a class is 30 sessions old", returns)
    returns = usual.view.past.returns.copy()
    returns[::9, place["gold"]] = np.nan
    returns[::7, place["stocks"]] = np.nan
    yield _with_returns(usual, "where prices are missing here and there", returns)
    for what, value in {
        "where nothing is saved yet": "0",
        "where the savings are debts": "-100",
    }.items():
        nothing = Savings(Money(value), dict.fromkeys(CLASSES, ZERO), reserve=ZERO)
        yield usual._replace(what=what, view=usual.view._replace(savings=nothing))


def walk(candidate: Candidate) -> Iterator[tuple[Sitting, Answer]]:
    """A year and more, a look a month, with a crash on the way; each look remembers the last."""
    held = sessions_shown(candidate)
    policy = policy_of(candidate.rule)
    market = invented(CLASSES, held + (_WALK_LOOKS + 1) * _WALK_SESSIONS, seed=11)
    crash = slice(held + 7 * _WALK_SESSIONS, held + 7 * _WALK_SESSIONS + 10)
    market.returns[crash, : CLASSES.index("gold")] = -0.05
    value, state, last = _VALUE, dict[str, str](), dict[str, Weight]()
    for number in range(_WALK_LOOKS):
        row = held + number * _WALK_SESSIONS
        view = _shown(policy, market, market.sessions[row], None)
        weights = last or dict(view.base)
        view = view._replace(savings=_savings(value, weights), state=state, last=last)
        sitting = Sitting("in the course of a year", policy, market, view)
        answer = asked(candidate, sitting)
        yield sitting, answer
        if isinstance(answer, Layer):
            state = answer.state
            last = _sound(answer) or last
        value = _grown(value, last or dict(view.base), market, row)


def asked(candidate: Candidate, sitting: Sitting, strategy: Strategy | None = None) -> Answer:
    """What a fresh strategy, or *strategy*, says on a day; it is shown a copy of everything."""
    try:
        asked_one = candidate.make(sitting.policy) if strategy is None else strategy
        answer: object = asked_one.wants(copied(sitting.view))
    except Exception as error:  # noqa: BLE001  whatever a stranger's code raises is its answer
        return error
    if not isinstance(answer, Layer):
        return TypeError(f"the answer is a {type(answer).__name__}, not a Layer")
    return answer


def copied(view: View) -> View:
    """*view* with everything in it anew, so that nobody can change what others are shown."""
    return view._replace(
        base=dict(view.base),
        savings=view.savings._replace(held=dict(view.savings.held)),
        past=view.past._replace(returns=view.past.returns.copy()),
        band=dict(view.band),
        state=dict(view.state),
        last=dict(view.last),
    )


def in_order(sitting: Sitting, classes: Sequence[str]) -> Sitting:
    """The same day in a household that names its *classes* in another order."""
    view, places = sitting.view, [sitting.view.classes.index(name) for name in classes]
    return sitting._replace(
        policy=replace(
            sitting.policy, classes={name: sitting.policy.classes[name] for name in classes}
        ),
        view=view._replace(
            classes=tuple(classes),
            base={name: view.base[name] for name in classes},
            savings=view.savings._replace(held={name: view.savings.held[name] for name in classes}),
            past=Past(view.past.sessions, view.past.returns[:, places]),
            band={name: view.band[name] for name in classes},
        ),
    )


def sessions_shown(candidate: Candidate) -> int:
    """How many sessions an ordinary day has before it: more than the strategy asks for."""
    try:
        wanted = int(candidate.make(policy_of(candidate.rule)).sessions)
    except Exception:  # noqa: BLE001  an exam of its own says so
        wanted = 0
    return min(_SESSIONS_MOST, max(_SESSIONS_LEAST, wanted + _AHEAD))


def told(answer: Answer) -> str:
    """An answer in one line of JSON, or the name and the sentence of what was raised."""
    if isinstance(answer, Exception):
        return f"{type(answer).__name__}: {answer}"
    try:
        return msgspec.json.encode(answer).decode()
    except Exception as error:  # noqa: BLE001  an exam of its own says so
        return f"{type(error).__name__}: {error}"


def _with_returns(sitting: Sitting, what: str, returns: Floats) -> Sitting:
    past = Past(sitting.view.past.sessions, returns)
    return sitting._replace(what=what, market=past, view=sitting.view._replace(past=past))


def _shown(policy: Policy, market: Past, today: dt.date, seed: int | None) -> View:
    """What a strategy sees on *today*; with a *seed* the base is some layer's before it."""
    base = own_targets(policy, today) if seed is None else _some_weights(policy, seed)
    classes = tuple(policy.classes)
    return View(
        today=today,
        classes=classes,
        base=base,
        savings=_savings(_VALUE, base),
        past=market.until(today),
        safe=frozenset(name for name in classes if _CLASSES[name].is_safe),
        cash=CASH if CASH in classes else None,
        band=_bands(policy, base),
        state={},
        last={},
        is_due=True,
    )


def _some_weights(policy: Policy, seed: int) -> dict[str, Weight]:
    """Weights near the household's own, adding up to one."""
    near = {}
    for name, rule in policy.classes.items():
        shift = np.random.default_rng([seed, 100 + CLASSES.index(name)]).uniform(0.8, 1.2)
        near[name] = rule.target * to_decimal(float(shift), 4)
    total = sum(near.values(), ZERO)
    base = {name: (weight / total).quantize(Weight("0.0001")) for name, weight in near.items()}
    base["stocks"] += ONE - sum(base.values(), ZERO)
    return base


def _savings(value: Money, weights: Mapping[str, Weight]) -> Savings:
    held = {name: (value * weight).quantize(Money("0.01")) for name, weight in weights.items()}
    return Savings(value, held, reserve=Money(15_000))


def _bands(policy: Policy, weights: Mapping[str, Weight]) -> dict[str, Weight]:
    return {
        name: half_width(weights[name], band_policy(policy.bands, rule))
        for name, rule in policy.classes.items()
    }


def _sound(layer: Layer) -> dict[str, Weight] | None:
    """The weights as the cycle would take them, None where it would refuse them."""
    try:
        return checked(layer, CLASSES).targets
    except (StrategyFault, ArithmeticError, AttributeError, TypeError):
        return None


def _grown(value: Money, weights: Mapping[str, Weight], market: Past, row: int) -> Money:
    """What *value* is at the next look."""
    grown = np.prod(1.0 + market.returns[row + 1 : row + 1 + _WALK_SESSIONS], axis=0) - 1.0
    earned = sum(
        to_float(weights[name]) * float(rise) for name, rise in zip(CLASSES, grown, strict=True)
    )
    return (value * to_decimal(1.0 + earned, 8)).quantize(Money("0.01"))


def _weekdays(count: int) -> tuple[dt.date, ...]:
    """The last *count* weekdays until the end of the invented market."""
    weeks = count // 5 + 2
    days = (_LAST_DAY - dt.timedelta(days=back) for back in range(7 * weeks, -1, -1))
    return tuple(day for day in days if day.weekday() < _SATURDAY)[-count:]
