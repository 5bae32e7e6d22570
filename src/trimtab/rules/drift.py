"""How far the household has drifted, when that is too far, and where a correction ends.

All tests are exact and inclusive: `|value - target * total| >= half_width * total`, in Decimal, so
that 10 % which grew to 12.5 % breaches a 25 % band (binary floats miss it).
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import localcontext

from msgspec.structs import replace

from trimtab.domain.memory import BandMemory
from trimtab.domain.numbers import EXACT, ONE, ZERO, Money, Weight
from trimtab.domain.policy import BandPolicy
from trimtab.domain.trades import BandState, BandTransition, Drift
from trimtab.rules.words import percent


def half_width(target: Weight, band: BandPolicy) -> Weight:
    """Distance from the target to its trigger: the smaller of the two legs that are given.

    Swedroe's 5/25 rule: five points or a quarter of the target, whichever is less; the legs cross
    at a target of 20 %. A target of zero has no width: whatever is held is out.
    """
    legs = []
    if band.trigger_abs is not None:
        legs.append(band.trigger_abs)
    if band.trigger_rel is not None:
        legs.append(band.trigger_rel * target)
    assert legs, "a band has at least one trigger"
    return min(legs) if target > 0 else ZERO


def is_breached(
    value: Money, total: Money, target: Weight, half: Weight, *, is_inclusive: bool = True
) -> bool:
    """Whether a class stands on or beyond its trigger; exact products, no quotient.

    With *is_inclusive* false only beyond it. A class that is exactly on target is never breached,
    even where the band has no width.
    """
    distance, trigger = abs(value - target * total), half * total
    return distance > trigger or (is_inclusive and distance == trigger != 0)


def measure(
    values: Mapping[str, Money],
    total: Money,
    targets: Mapping[str, Weight],
    bands: Mapping[str, BandPolicy],
) -> tuple[Drift, ...]:
    """The drift of every class of *targets*, in their order, of a household worth *total*.

    *total* may be more than the sum of *values*: cash that waits to be invested belongs to no
    class and makes every class light. A household worth nothing has weights of zero and has
    drifted nowhere.
    """
    drifts = []
    for name, target in targets.items():
        value = values.get(name, ZERO)
        weight = value / total if total > 0 else ZERO
        half = half_width(target, bands[name])
        drifts.append(
            Drift(
                asset_class=name,
                target=target,
                value=value,
                weight=weight,
                drift=weight - target if total > 0 else ZERO,
                half_width=half,
                is_breached=total > 0 and is_breached(value, total, target, half),
            )
        )
    return tuple(drifts)


def shrink_scale(out: Sequence[Drift], destination: Weight) -> Weight:
    """By how much the whole drift vector is scaled so that every class that is *out* is healed.

    `new weight = target + scale * drift`: the trades add up to nothing by construction. The planner
    does not use it, since it weighs tax and both sides of the band; it is the published rule, by
    which the known answers for bands are checked.
    *destination* 0 goes to the target, 0.5 half-way back (Daryanani), 0.875 is Vanguard's 200/175,
    1 the edge. The scale is the least of `destination * half_width / |drift|` over those classes,
    1 if none.
    """
    scales = [destination * d.half_width / abs(d.drift) for d in out if d.drift != 0]
    return min(ONE, *scales) if scales else ONE


def shrunk_value(drift: Drift, total: Money, scale: Weight) -> Money:
    """What a class is worth once the drift vector is scaled by *scale*: see `shrink_scale`."""
    on_target = drift.target * total
    return on_target + scale * (drift.value - on_target)


def least_turnover(
    weights: Sequence[Weight], targets: Sequence[Weight], half_widths: Sequence[Weight]
) -> Weight:
    """The least one-way turnover that brings every class to within its half-width.

    What must be sold and what must be bought differ; the larger of the two sums is what any plan
    has to move at least (a transport problem whose bound is reached).
    """
    excess = deficit = ZERO
    for weight, target, half in zip(weights, targets, half_widths, strict=True):
        excess += max(ZERO, weight - (target + half))
        deficit += max(ZERO, (target - half) - weight)
    return max(excess, deficit)


def after_tax_values(
    values: Mapping[str, Mapping[str, Money]], deferred_tax: Mapping[str, Weight]
) -> dict[str, Money]:
    """Class values over accounts, each account scaled by one less its deferred tax rate.

    *values* maps account to class to money. A traditional IRA at 25 % counts three quarters: its
    rest belongs to the treasury (Reichenstein 1998, 2006). With no rates, plain household sums.
    """
    sums: dict[str, Money] = {}
    for account, classes in values.items():
        keep = ONE - deferred_tax.get(account, ZERO)
        for name, value in classes.items():
            sums[name] = sums.get(name, ZERO) + keep * value
    return sums


def advance(
    drifts: Sequence[Drift],
    known: Mapping[str, BandMemory],
    bands: Mapping[str, BandPolicy],
    at: dt.datetime,
    *,
    looks: bool,
) -> tuple[tuple[Drift, ...], tuple[BandTransition, ...]]:
    """Each class's band state at *at*, and the changes of state.

    armed -> correcting when breached (one alert an episode; only when the policy *looks* today);
    correcting -> resting once inside the destination; resting -> armed when the cooldown is over.
    A resting class opens no episode, however far it moves, until its cooldown is over.
    """
    moved, transitions = [], []
    for drift in drifts:
        before = known.get(drift.asset_class, BandMemory())
        band = bands[drift.asset_class]
        after = _next_state(drift, before, band, at, looks=looks)
        moved.append(replace(drift, state=after))
        if after is not before.state:
            transitions.append(_transition(drift, before.state, after))
    return tuple(moved), tuple(transitions)


def finish(
    drifts: Sequence[Drift], bands: Mapping[str, BandPolicy]
) -> tuple[tuple[Drift, ...], tuple[BandTransition, ...]]:
    """End the episodes of classes that no trade can bring nearer, when they are inside `re_arm`.

    Call it when planning found nothing to do: whole shares and minimum trades leave a rest that
    would otherwise keep an episode open for ever. What a class that is out lacks, or has too much,
    and no trade mends has to lie in the others: inside its band, no class is kept open by it.
    """
    stuck = [one for one in drifts if one.state is BandState.CORRECTING and one.is_breached]
    moved, transitions = [], []
    for drift in drifts:
        shared = -sum((one.drift for one in stuck if one.drift * drift.drift < 0), ZERO)
        rest = drift if drift.is_breached else replace(drift, drift=_nearer(drift.drift, shared))
        ends = drift.state is BandState.CORRECTING and _is_settled(
            rest, bands[drift.asset_class].re_arm
        )
        after = _rest(bands[drift.asset_class]) if ends else drift.state
        moved.append(replace(drift, state=after))
        if ends:
            transitions.append(_transition(drift, BandState.CORRECTING, after))
    return tuple(moved), tuple(transitions)


def _nearer(drift: Weight, by: Weight) -> Weight:
    """*drift* less *by*, which has its sign, and never across zero."""
    return ZERO if abs(by) >= abs(drift) else drift - by


def least_deposit(drifts: Sequence[Drift], total: Money) -> tuple[str, Money] | None:
    """The class that has drifted furthest for its band, and the deposit that would heal it.

    The smallest amount that brings that class to its target without a sale: all of it into the
    class when it is light, all of it into the others when it is heavy. None when nothing has
    drifted, or when the class's target is zero (no deposit can dilute it away) or one.
    """
    drifted = [d for d in drifts if d.value != d.target * total]
    if not drifted or total <= 0:
        return None
    worst = max(drifted, key=lambda d: (_severity(d), abs(d.drift)))
    if worst.target in {ZERO, ONE}:
        return None
    gap = worst.target * total - worst.value
    deposit = gap / (ONE - worst.target) if gap > 0 else -gap / worst.target
    return worst.asset_class, deposit


def least_deposit_into_bands(drifts: Sequence[Drift], total: Money) -> Money | None:
    """The least deposit that by itself, well allocated, brings every class to its edge or inside.

    In money, and without a sale. With `W` what the household is worth then, no heavy class may be
    worth more than `(target + half width) W`, and what the light ones lack of
    `(target - half width) W` must be paid by the deposit; cash that waits already pays for nothing.
    Zero where all that are out stand on their edge. None when nothing is out, or when no deposit is
    enough: a class of which none is wanted is held, or there is no width and cash waits.

    What is lacked is convex and piecewise linear in `W`, so that Newton's steps (Dinkelbach 1967)
    come from below and end after one for each class that turns light. `W` is a quotient that is
    only multiplied out, hence exact; the difference is rounded to 60 digits.
    """
    if total <= 0 or not any(drift.is_breached for drift in drifts):
        return None
    with localcontext(EXACT):
        worth, per = total, ONE
        for drift in drifts:
            most = drift.target + drift.half_width
            if drift.value * per > most * worth:
                if most == 0:
                    return None
                worth, per = drift.value, most
        while True:
            light = [
                drift
                for drift in drifts
                if (drift.target - drift.half_width) * worth > drift.value * per
            ]
            rest = ONE - sum((drift.target - drift.half_width for drift in light), ZERO)
            others = total - sum((drift.value for drift in light), ZERO)
            if others * per <= rest * worth:
                return worth / per - total
            if rest <= 0:
                return None
            worth, per = others, rest


def _severity(drift: Drift) -> Weight:
    return abs(drift.drift) / drift.half_width if drift.half_width > 0 else abs(drift.drift) * 1000


def _next_state(
    drift: Drift, before: BandMemory, band: BandPolicy, at: dt.datetime, *, looks: bool
) -> BandState:
    state = before.state
    if state is BandState.CORRECTING and _is_inside(drift, band.destination):
        return _rest(band)
    if state is BandState.RESTING and _is_cooled(before, band, at):
        state = BandState.ARMED
    if state is BandState.ARMED and drift.is_breached and looks:
        return BandState.CORRECTING
    return state


def _is_inside(drift: Drift, mark: Weight) -> bool:
    return abs(drift.drift) <= mark * drift.half_width


def _is_settled(drift: Drift, mark: Weight) -> bool:
    """Inside, or in a band without width, where only trades can tell that no more can be done."""
    return drift.half_width == 0 or _is_inside(drift, mark)


def _rest(band: BandPolicy) -> BandState:
    return BandState.RESTING if band.cooldown_days > 0 else BandState.ARMED


def _is_cooled(before: BandMemory, band: BandPolicy, at: dt.datetime) -> bool:
    return before.ended_at is None or at - before.ended_at >= dt.timedelta(days=band.cooldown_days)


def _transition(drift: Drift, before: BandState, after: BandState) -> BandTransition:
    weight, target = percent(drift.weight, 2), percent(drift.target, 2)
    where = f"{drift.asset_class} is {weight} against a target of {target}"
    trigger = percent(drift.half_width, 2)
    sentences = {
        BandState.CORRECTING: f"{where}: on or beyond its trigger of {trigger} away; correcting.",
        BandState.RESTING: f"{where}: corrected; no new correction until the cooldown is over.",
        BandState.ARMED: f"{where}: back inside; armed again.",
    }
    return BandTransition(
        asset_class=drift.asset_class,
        before=before,
        after=after,
        drift=drift.drift,
        alert=after is BandState.CORRECTING,
        sentence=sentences[after],
    )
