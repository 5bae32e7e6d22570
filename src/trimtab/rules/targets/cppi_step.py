"""CPPI for a household, look by look: the floor of the day, the band, the lock and how it lifts.

The formula stands in `trimtab.rules.targets.cppi`. What must be remembered from one look to the
next is a `CppiState`, small enough for the journal. The same `step` serves the cycle and a
backtest.
"""

import datetime as dt
from typing import NamedTuple

from msgspec import Struct

from trimtab.domain.aims import CppiRule
from trimtab.domain.errors import InputError
from trimtab.domain.numbers import ONE, ZERO, Money, Weight
from trimtab.rules.targets.cppi import (
    accrued,
    discounted,
    exposure,
    leaves_band,
    ratchet,
    refuse_incomplete,
)
from trimtab.rules.words import money, percent, units

_IN_VAIN = (
    "Re-arming CPPI changes nothing while the savings are not above the floor: "
    "add money, or lower the floor in household.toml."
)


class CppiState(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What CPPI remembers: the floor and the highest value on the `date` of the last look.

    `locked_since` is the day on which the value was at or below the floor; since then everything
    is safe.
    """

    date: dt.date
    floor: Money
    peak: Money
    locked_since: dt.date | None = None


class CppiDay(Struct, frozen=True, kw_only=True):
    """What is known at a look.

    `value` is all that is insured, safe assets with it, less what is due to be withdrawn, `held`
    the part in risky classes, and `divided` the most that can be there: what the targets divide,
    None for all of the value. `rate` is the yearly rate that bills paid since the last
    look, `flow` the money that came in since (out: negative, also what is due), and `reserve` the
    operating reserve, which only a floor of that name needs. `rearmed` is the owner's word, given
    since the last look, that the lock is to be lifted.
    """

    date: dt.date
    value: Money
    rate: Weight = ZERO
    held: Money = ZERO
    divided: Money | None = None
    flow: Money = ZERO
    reserve: Money | None = None
    rearmed: bool = False


class CppiStep(NamedTuple):
    """What CPPI wants in risky classes from now on, what to remember, and why, in sentences.

    `wanted` is the formula's exposure. Inside the band `exposure` is what is held already, and
    `moves` is false. `most` is what targets in force of an earlier day may at most put there, None
    for no limit.
    """

    exposure: Money
    wanted: Money
    cushion: Money
    moves: bool
    most: Money | None
    state: CppiState
    sentences: tuple[str, ...]


def step(rule: CppiRule, state: CppiState | None, day: CppiDay, currency: str = "USD") -> CppiStep:
    """One look: the floor is moved to the day, the lock is judged, the exposure set.

    *state* is None at the first look, and after the household changed its floor. The exposure is
    never below zero nor above the cap, nor above what the targets divide.

    Raises:
        InputError: the rule or the day lacks what the floor needs, or the day is before the last.
    """
    _refuse(rule, state, day)
    floor, peak = floor_on(rule, state, day)
    cushion = day.value - floor
    locked, said = _lock(rule, state, day, floor)
    now = CppiState(date=day.date, floor=floor, peak=peak, locked_since=locked)
    most = day.value if day.divided is None else max(ZERO, day.divided)
    wanted = ZERO if locked else exposure(day.value, floor, rule.multiplier, rule.cap)
    wanted = wanted if rule.cap is None else min(wanted, most)
    moves = leaves_band(day.held, wanted, day.value, rule)
    risked = wanted if moves else day.held
    has_new_money = day.flow > 0
    if locked is None:
        said.append(_formula(rule, day, floor, wanted, currency))
        if not moves and day.held != wanted:
            adds = has_new_money and day.held > wanted
            more = "; new money does not raise what is aimed at" if adds else ""
            said.append(
                f"The {money(day.held, currency)} held are inside the band around that, so "
                f"the exposure stays{more}."
            )
    else:
        said.append(_waits(rule, day, floor, locked, currency))
    limit = max(risked, wanted) if has_new_money or locked else None
    return CppiStep(risked, wanted, cushion, moves, limit, now, tuple(said))


def floor_on(rule: CppiRule, state: CppiState | None, day: CppiDay) -> tuple[Money, Money]:
    """The floor and the highest value so far, on *day*.

    A sum that the household named stays what it is when money comes or goes. A ratchet is counted
    so that a flow is neither a gain nor a loss: it protects `keeps` of every deposit as of the
    value, and a withdrawal lowers it in the proportion in which it lowers the value. Without
    withdrawals it never falls, except that a locked one begins anew at `keeps` of the present value
    by the owner's word: after a gap its old floor may lie above the value for years.
    """
    if day.rearmed and rule.floor == "ratchet" and state is not None and state.locked_since:
        return (rule.keeps or ZERO) * day.value, day.value
    amount = ZERO if rule.amount is None else rule.amount
    days = 0 if state is None else (day.date - state.date).days
    before, peak = _after_flow(rule, state, day)
    peak = max(peak, day.value)
    match rule.floor:
        case "fixed":
            return amount, peak
        case "accruing":
            floor = amount if state is None else accrued(state.floor, day.rate, days)
            return floor, peak
        case "dated":
            assert rule.until is not None, "refused before"
            rate = day.rate if rule.rate is None else rule.rate
            return discounted(amount, rate, (rule.until - day.date).days), peak
        case "ratchet":
            assert rule.keeps is not None, "refused before"
            first = amount if state is None else before
            return ratchet(first, peak, rule.keeps), peak
        case "reserve":
            assert day.reserve is not None, "refused before"
            return day.reserve, peak


def _refuse(rule: CppiRule, state: CppiState | None, day: CppiDay) -> None:
    refuse_incomplete(rule)
    if rule.floor == "dated" and rule.until is None:
        msg = 'a CPPI floor = "dated" needs until, the day on which the amount must be there'
        raise InputError(msg)
    if rule.floor == "reserve" and day.reserve is None:
        msg = 'a CPPI floor = "reserve" needs an operating reserve; write a [reserve] table'
        raise InputError(msg)
    if state is not None and day.date < state.date:
        msg = f"CPPI was last looked at on {state.date} and is asked for {day.date}, an earlier day"
        raise InputError(msg)


def _after_flow(rule: CppiRule, state: CppiState | None, day: CppiDay) -> tuple[Money, Money]:
    """The last floor of a ratchet and the last peak, as if the flow had always been there."""
    if state is None:
        return ZERO, day.value
    if day.flow >= 0:
        return state.floor + (rule.keeps or ZERO) * day.flow, state.peak + day.flow
    before = day.value - day.flow
    left = max(ZERO, day.value) / before if before > 0 else ONE
    return state.floor * left, state.peak * left


def _lock(
    rule: CppiRule, state: CppiState | None, day: CppiDay, floor: Money
) -> tuple[dt.date | None, list[str]]:
    """Since when everything is safe, after this look, and what changed about it.

    Who has nothing yet and insures nothing has hit no floor, and may invest the first deposit.
    """
    since = None if state is None else state.locked_since
    cushion = day.value - floor
    if since is None:
        return (day.date if cushion <= 0 < floor else None), []
    if cushion <= 0:
        return since, [_IN_VAIN] if day.rearmed else []
    if day.rearmed:
        return None, ["CPPI is re-armed by the owner's word."]
    waited = (day.date - since).days
    if (
        rule.rearm == "owner"
        or cushion < rule.rearm_cushion * day.value
        or waited < rule.rearm_after_days
    ):
        return since, []
    sentence = (
        f"CPPI is re-armed: {waited} days after the floor was hit the cushion is "
        f"{percent(cushion / day.value)} of the savings again."
    )
    return None, [sentence]


def _formula(rule: CppiRule, day: CppiDay, floor: Money, wanted: Money, currency: str) -> str:
    limit = ""
    if rule.cap is not None and wanted < rule.multiplier * (day.value - floor):
        limit = f", at most {percent(rule.cap)} of the savings,"
        if wanted == day.divided and wanted < rule.cap * day.value:
            limit = ", at most what the targets divide,"
    return (
        f"The savings of {money(day.value, currency)} are {money(day.value - floor, currency)} "
        f"above the floor of {money(floor, currency)}; {units(rule.multiplier)} times that"
        f"{limit} is {money(wanted, currency)} in risky classes."
    )


def _waits(rule: CppiRule, day: CppiDay, floor: Money, since: dt.date, currency: str) -> str:
    """Why everything is safe, and what would end it."""
    ends = "until the owner re-arms CPPI"
    if rule.rearm == "cushion":
        ends = (
            f"until {since + dt.timedelta(days=rule.rearm_after_days)} at least, and until "
            f"{percent(rule.rearm_cushion)} of the savings are above the floor, or the owner "
            "re-arms CPPI"
        )
    if rule.floor == "ratchet" and rule.keeps is not None:
        ends += f", which begins the floor anew at {percent(rule.keeps)} of the savings"
    return (
        f"The savings of {money(day.value, currency)} reached the floor of "
        f"{money(floor, currency)} on {since}: everything stays safe {ends}."
    )
