"""From the household's own targets, layer by layer, to the targets in force.

A strategy says what it wants; that the targets move only where it is worth it, that an estimate is
made on the policy's schedule only, and that faulty data move nothing, is the same for all of them.
"""

import datetime as dt
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import ROUND_DOWN
from types import MappingProxyType
from typing import NamedTuple

from msgspec.structs import replace

from trimtab.domain.aim import Aim, Layer
from trimtab.domain.errors import DataSuspect, InputError, StrategyFault, TrimtabError
from trimtab.domain.numbers import ONE, ZERO, Weight
from trimtab.domain.policy import Policy, band_policy
from trimtab.domain.yield_facts import BillRate
from trimtab.rules.drift import half_width
from trimtab.rules.targets.base import own_targets
from trimtab.rules.targets.sharing import at_risk, shared
from trimtab.rules.targets.view import Past, Savings, Strategy, View
from trimtab.rules.words import listing, percent

GRAIN = Weight("0.000001")
"""Weights are told to a ten-thousandth of a percent."""
_UNEVEN = Weight("0.000001")
_PLACES = (1, 2, 4)
"""Decimals of a percentage that may be told; the last are those of the grain."""


class Outlook(NamedTuple):
    """The strategies of the policy's layers, in their order, and the past that they may know.

    `cash` names the class of cash, None without one; `bills` is what bills pay, where one of the
    strategies needs to know; `currency` is the base currency.
    """

    strategies: tuple[Strategy, ...] = ()
    past: Past | None = None
    cash: str | None = None
    bills: BillRate | None = None
    currency: str = "USD"


NO_OUTLOOK = Outlook()
"""Nothing to ask: the targets are the household's own."""


def aim_of(
    policy: Policy,
    outlook: Outlook,
    before: Aim | None,
    today: dt.date,
    savings: Savings,
    rearmed: Mapping[str, dt.datetime] = MappingProxyType({}),
) -> Aim | None:
    """The targets in force on *today*, given those of the time *before*; None without a strategy.

    *rearmed* is when the owner last re-armed a strategy, by its name. A strategy that is at fault
    moves nothing, and is asked again at every look.
    """
    if not outlook.strategies or outlook.past is None:
        return None
    base = own_targets(policy, today)
    if before is not None and before.targets.keys() != base.keys():
        before = None
    known = {} if before is None else {layer.name: layer for layer in before.layers}
    is_due = before is None or is_new_period(policy.strategy.every, before.estimated_on, today)
    seen = _view(policy, today, savings, outlook, is_due=is_due)
    layers: list[Layer] = []
    weights: Mapping[str, Weight] = base
    for strategy in outlook.strategies:
        last = known.get(strategy.name)
        was_faulty = last is not None and last.is_faulty
        if last is None or is_due or strategy.watches or was_faulty:
            view = seen._replace(
                base=weights,
                is_due=is_due or was_faulty,
                band=_bands(policy, weights),
                rearmed=rearmed.get(strategy.name),
            )
            if last is not None:
                view = view._replace(state=last.state, last=last.targets)
            layer = _asked(strategy, view, last, before)
        else:
            layer = last
        layers.append(layer)
        weights = layer.targets
    moved = _moved(policy, tuple(layers), before, today, is_due=is_due)
    risky = [one for one in base if one not in seen.safe and one != outlook.cash]
    return _within(moved, risky, today)


def is_new_period(every: str, last: dt.date, today: dt.date) -> bool:
    """Whether a new day, ISO week, month, quarter or year has begun since *last*."""
    if every == "day":
        return today > last
    if every == "week":
        return today.isocalendar()[:2] > last.isocalendar()[:2]
    months = {"month": 1, "quarter": 3, "year": 12}[every]
    return _period(today, months) > _period(last, months)


def _period(day: dt.date, months: int) -> int:
    return (day.year * 12 + day.month - 1) // months


def _view(
    policy: Policy, today: dt.date, savings: Savings, outlook: Outlook, *, is_due: bool
) -> View:
    """What every layer sees alike."""
    assert outlook.past is not None, "strategies are shown a past"
    return View(
        today=today,
        classes=tuple(policy.classes),
        base={},
        savings=savings,
        past=outlook.past.until(today),
        safe=frozenset(name for name, rule in policy.classes.items() if rule.risk == "safe"),
        cash=outlook.cash,
        band={},
        state={},
        last={},
        is_due=is_due,
        bills=outlook.bills,
        currency=outlook.currency,
    )


def _bands(policy: Policy, weights: Mapping[str, Weight]) -> dict[str, Weight]:
    return {
        name: half_width(weights[name], band_policy(policy.bands, rule))
        for name, rule in policy.classes.items()
    }


def _asked(strategy: Strategy, view: View, last: Layer | None, before: Aim | None) -> Layer:
    """What *strategy* wants; what it wanted before, or the base, where it cannot tell.

    One that is at fault and never answered leaves the targets in force as they were *before*.
    """
    try:
        return checked(_answer(strategy, view), view.classes)
    except (DataSuspect, StrategyFault) as doubt:
        is_faulty = isinstance(doubt, StrategyFault)
        in_force = dict(view.base) if before is None or not is_faulty else before.targets
        kept = in_force if last is None else last.targets
        told = str(doubt).removesuffix(".")
        return Layer(
            name=strategy.name,
            targets=kept,
            sentences=(f"{told}. Until then {strategy.name} leaves the weights as they are.",),
            state={} if last is None else last.state,
            doubt=str(doubt),
            is_faulty=is_faulty,
        )


def _answer(strategy: Strategy, view: View) -> Layer:
    """The layer of *strategy*, of whose parts nothing is known yet.

    A plug-in is somebody else's program: whatever it raises is told as its fault. A bug of ours is
    none, and stops the turn like every other.

    Raises:
        DataSuspect: the past is not enough for an answer.
        StrategyFault: the strategy failed, or did not answer with a layer.
    """
    try:
        layer = strategy.wants(view)
        msg = next(shape_faults(strategy.name, layer), None)
    except InputError as error:
        raise StrategyFault(str(error)) from error
    except TrimtabError:
        raise
    except (Exception, SystemExit) as error:
        if _is_ours(strategy):
            raise
        msg = (
            f"The strategy {strategy.name} failed ({type(error).__name__}: {error}); its author "
            "has to mend it."
        )
        raise StrategyFault(msg) from error
    if msg is not None:
        raise StrategyFault(msg)
    return layer


def _is_ours(strategy: Strategy) -> bool:
    return type(strategy).__module__.startswith("trimtab.")


def shape_faults(name: str, layer: object) -> Iterator[str]:
    """What is wrong with the types of the answer of the strategy *name*."""
    head = f"The strategy {name}"
    if not isinstance(layer, Layer):
        yield f"{head} answered with {_kind(layer)}, and has to answer with a Layer."
        return
    targets: object = layer.targets
    if not isinstance(targets, dict):
        yield f"{head} gave {_kind(targets)} as targets, and not a dict."
        return
    for each, weight in targets.items():
        if not isinstance(weight, Weight):
            yield f"{head} weighs {each} with {_kind(weight)}, {weight!r}; a weight is a Decimal."
    told: object = layer.sentences
    if not isinstance(told, tuple | list) or not all(isinstance(one, str) for one in told):
        yield f"{head} gave {told!r} as sentences, and not a tuple of text."
    figures: object = layer.figures
    if not isinstance(figures, dict) or not all(map(_is_figure, figures.values())):
        yield f"{head} gave {figures!r} as figures, and not finite numbers by name."
    most: object = layer.risky_max
    if most is not None and not (isinstance(most, Weight) and most.is_finite() and most >= 0):
        yield f"{head} gave {most!r} as risky_max, and not a Decimal of 0 or more."
    state: object = layer.state
    if not isinstance(state, dict) or not all(isinstance(one, str) for one in state.values()):
        yield f"{head} gave {state!r} as state, and not text by name."


def _kind(found: object) -> str:
    return "nothing" if found is None else f"a {type(found).__name__}"


def _is_figure(found: object) -> bool:
    return isinstance(found, int | float) and math.isfinite(found)


def checked(layer: Layer, classes: Sequence[str]) -> Layer:
    """*layer* with its weights to six digits, adding up to one exactly.

    Raises:
        StrategyFault: a class has no weight or one below zero, or they do not add up to one.
    """
    targets = layer.targets
    if set(targets) != set(classes):
        odd = sorted(set(targets) ^ set(classes))
        msg = f"The strategy {layer.name} must weigh every class once; look at {listing(odd)}."
        raise StrategyFault(msg)
    for name, weight in targets.items():
        if not weight.is_finite() or weight < -_UNEVEN:
            msg = f"The strategy {layer.name} weighs {name} with {weight}; 0 is the least."
            raise StrategyFault(msg)
    total = sum(targets.values(), ZERO)
    if abs(total - ONE) > _UNEVEN:
        msg = f"The weights of the strategy {layer.name} add up to {total}, not to 1."
        raise StrategyFault(msg)
    rounded: dict[str, Weight] = {
        name: max(ZERO, targets[name].quantize(GRAIN)) for name in classes
    }
    largest = max(rounded, key=lambda name: (rounded[name], name))
    rounded[largest] += ONE - sum(rounded.values(), ZERO)
    return Layer(
        name=layer.name,
        targets=rounded,
        sentences=layer.sentences,
        figures=layer.figures,
        state=layer.state,
        insists=layer.insists,
        risky_max=layer.risky_max,
        doubt=layer.doubt,
    )


def _moved(
    policy: Policy, layers: tuple[Layer, ...], before: Aim | None, today: dt.date, *, is_due: bool
) -> Aim:
    """The targets that hold now: those of the last layer, or those of *before* where that is near.

    A layer that insists has moved by itself: its weights hold at once.
    """
    wanted = layers[-1].targets
    if before is None:
        return Aim(
            targets=wanted,
            layers=layers,
            estimated_on=today,
            since=today,
            sentence="These are the first targets of the strategy.",
        )
    estimated_on = today if is_due else before.estimated_on
    change = {name: wanted[name] - before.targets[name] for name in wanted}
    worst = max(change, key=lambda name: abs(change[name]))
    insists = any(layer.insists for layer in layers) and any(change.values())
    if not any(change.values()):
        return Aim(
            targets=before.targets,
            layers=layers,
            estimated_on=estimated_on,
            since=before.since,
            sentence="The targets stay as they are.",
        )
    if not insists and abs(change[worst]) < max(policy.strategy.move_least, GRAIN):
        told = (
            f"The targets stay: the largest change wanted is {percent(abs(change[worst]), 2)} of "
            f"the savings, in {worst}, and less than {percent(policy.strategy.move_least, 2)} is "
            "not worth a move."
        )
        return Aim(
            targets=before.targets,
            layers=layers,
            estimated_on=estimated_on,
            since=before.since,
            sentence=told,
        )
    return Aim(
        targets=wanted,
        layers=layers,
        estimated_on=estimated_on,
        since=today,
        sentence=f"The targets move: {listing(_steps(before.targets, wanted))}.",
    )


def _steps(before: Mapping[str, Weight], wanted: Mapping[str, Weight]) -> list[str]:
    """The classes that change, with as few decimals as let one of them be seen to."""
    for places in _PLACES:
        pairs = {
            name: (percent(before[name], places), percent(wanted[name], places)) for name in wanted
        }
        parts = [f"{name} from {old} to {new}" for name, (old, new) in pairs.items() if old != new]
        if parts:
            return parts
    least = percent(GRAIN, _PLACES[-1])
    return [f"{name} by less than {least}" for name in wanted if before[name] != wanted[name]]


def _within(aim: Aim, risky: Collection[str], today: dt.date) -> Aim:
    """*aim* with no more in *risky* classes than every layer allows.

    Targets that stay because a move is not worth it may be above that, and new money would follow
    them. Each side keeps its proportions; where all classes are risky there is no other side.
    """
    most, guard = min(
        ((one.risky_max, one.name) for one in aim.layers if one.risky_max is not None),
        default=(ONE, ""),
    )
    before = at_risk(aim.targets, risky)
    if before <= most + GRAIN * len(risky) or len(risky) == len(aim.targets):
        return aim
    exact = shared(aim.targets, risky, most)
    targets = {name: exact[name].quantize(GRAIN, rounding=ROUND_DOWN) for name in exact}
    rest = max((one for one in targets if one not in risky), key=lambda one: (targets[one], one))
    targets[rest] += ONE - sum(targets.values(), ZERO)
    told = (
        f"The targets of risky classes come down from {percent(before, 2)} to {percent(most, 2)} "
        f"of the savings together: {guard} allows no more now."
    )
    return replace(aim, targets=targets, since=today, sentence=told)
