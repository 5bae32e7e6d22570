"""Where a contribution goes: into which classes, and into what when the guard is against it."""

import datetime as dt
from collections.abc import Collection, Sequence
from decimal import ROUND_DOWN, localcontext

from msgspec import Struct

from trimtab.domain.errors import InputError
from trimtab.domain.numbers import CENT, EXACT, ZERO, Money, to_cents
from trimtab.domain.trades import Drift
from trimtab.rules.tax.guard import Guarded, GuardState
from trimtab.rules.words import listing, money


class Part(Struct, frozen=True, kw_only=True):
    """Money for one class."""

    asset_class: str
    amount: Money


class Placement(Struct, frozen=True, kw_only=True):
    """Where a contribution goes; `left` stays cash. The parts and `left` are the whole of it."""

    parts: tuple[Part, ...]
    left: Money
    sentence: str


class ChosenPurchase(Struct, frozen=True, kw_only=True):
    """What is bought with a contribution, and when; no `day` where none is known to be safe."""

    symbol: str
    day: dt.date | None
    sentence: str


def place_contribution(
    amount: Money,
    drifts: Sequence[Drift],
    total: Money,
    closed: Collection[str] = (),
    currency: str = "USD",
) -> Placement:
    """Which class gets how much of *amount* in a household worth *total* before it.

    The class that lacks most comes first, until the next one lacks as much, and then both: of all
    ways to place it without a sale, this leaves the shortest drift vector (the projection of the
    gaps onto the simplex, Held, Wolfe & Crowder 1974). No class is filled beyond its target; what
    the *closed* ones would have had stays cash. Cents that do not divide go where the most is cut
    off.

    Raises:
        InputError: *amount* is negative, or no class has a target.
    """
    if not amount.is_finite() or amount < 0:
        raise InputError(f"a contribution of {amount} is none: give an amount of zero or more")
    if sum((drift.target for drift in drifts), ZERO) <= 0:
        raise InputError("no class has a target, so that nothing says where money belongs")
    with localcontext(EXACT):
        gaps = {
            drift.asset_class: max(ZERO, drift.target * (total + amount) - drift.value)
            for drift in drifts
            if drift.asset_class not in closed
        }
        wanted = _filled(gaps, amount)
        parts = _in_cents(wanted, amount)
    left = amount - sum((part.amount for part in parts), ZERO)
    return Placement(parts=parts, left=left, sentence=_where(amount, parts, left, currency))


def choose_purchase(
    symbol: str,
    day: dt.date,
    guarded: Guarded,
    substitutes: Sequence[str] = (),
    why_not_better: str = "",
) -> ChosenPurchase:
    """What is bought of a contribution due on *day* once the wash-sale guard has answered.

    A purchase that would spoil a harvested loss goes into the first of *substitutes*, which are
    permitted and not identical to anything sold at a loss, so that the money is invested when it
    should be. Where there is none it waits for the first safe day, and is cash until then.
    *why_not_better* says what stood against better substitutes.
    """
    if guarded.state in {GuardState.CLEAR, GuardState.INCOMPLETE}:
        gaps = "; ".join(gap.rstrip(".") for gap in guarded.gaps)
        text = f"{symbol} is bought on {day} as planned{', though ' if gaps else ''}{gaps}."
        return ChosenPurchase(symbol=symbol, day=day, sentence=text)
    spoiled = f"buying {symbol} on {day} would disallow {money(guarded.dollars)} of a loss taken"
    if substitutes:
        passed = f" ({why_not_better})" if why_not_better else ""
        text = f"{substitutes[0]} is bought on {day} instead of {symbol}{passed}: {spoiled}."
        return ChosenPurchase(symbol=substitutes[0], day=day, sentence=text)
    safe = guarded.first_safe_day
    if safe is None:
        text = f"{symbol} is not bought, the money stays cash: {spoiled}, and no safe day is known."
    else:
        text = f"{symbol} is bought on {safe} instead of {day}, until then the money is cash: "
        text += f"{spoiled}, and no substitute is permitted."
    return ChosenPurchase(symbol=symbol, day=safe, sentence=text)


def _where(amount: Money, parts: Sequence[Part], left: Money, currency: str) -> str:
    if amount == 0:
        return "Nothing is to be placed."
    if not parts:
        return f"All of {money(amount, currency)} stays cash: no class that is open lacks any."
    told = listing([f"{money(part.amount, currency)} go into {part.asset_class}" for part in parts])
    rest = f"; {money(left, currency)} stay cash" if left > 0 else ""
    return f"Of {money(amount, currency)} {told}, where most is missing{rest}."


def _filled(gaps: dict[str, Money], amount: Money) -> dict[str, Money]:
    """*amount* poured onto the largest gaps until those that got any lack the same."""
    if sum(gaps.values(), ZERO) <= amount:
        return gaps
    ordered = sorted(gaps.values(), reverse=True)
    sums, level = ZERO, ZERO
    for count, gap in enumerate(ordered, start=1):
        sums += gap
        level = (sums - amount) / count
        if count == len(ordered) or level >= ordered[count]:
            break
    return {name: max(ZERO, gap - level) for name, gap in gaps.items()}


def _in_cents(wanted: dict[str, Money], amount: Money) -> tuple[Part, ...]:
    """*wanted* in cents, those that rounding leaves over going where it cut off the most."""
    cut = {name: one.quantize(CENT, rounding=ROUND_DOWN) for name, one in wanted.items()}
    whole = min(amount, to_cents(sum(wanted.values(), ZERO))).quantize(CENT, rounding=ROUND_DOWN)
    over = int((whole - sum(cut.values(), ZERO)) / CENT)
    remainders = sorted(wanted, key=lambda name: cut[name] - wanted[name])
    for name in remainders[:over]:
        cut[name] += CENT
    return tuple(Part(asset_class=name, amount=one) for name, one in cut.items() if one > 0)
