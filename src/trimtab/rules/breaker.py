"""The circuit breaker: how far the household's unit value has fallen, flows taken out.

A withdrawal is no loss and a deposit hides none, because the value is counted per unit: money that
comes in buys units, money that leaves redeems them. One rule looks at a single day, another at the
fall from the peak; they are different rules and are named apart.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct

from trimtab.domain.memory import Mark, Memory
from trimtab.domain.numbers import ONE, Money, Weight
from trimtab.domain.policy import GateRule
from trimtab.rules.words import percent

_DAILY_GAP_DAYS_MAX = 4
"""A mark older than a long weekend is no longer "yesterday": the daily rule then says nothing."""


_ROUNDING = Money("1e-18")


class Fall(Struct, frozen=True, kw_only=True):
    """A breaker rule that has tripped, with the sentence that says by how much."""

    rule: str
    sentence: str


def unit_value(previous: Mark | None, value: Money, flow: Money) -> Money:
    """Value of one unit now; *flow* came in (out: negative) since *previous*, at the end of it.

    The first mark defines a unit as worth 1. A household that was worth nothing starts again.
    """
    if previous is None or previous.value <= 0:
        return ONE if previous is None else previous.unit_value
    return previous.unit_value * (value - flow) / previous.value


def is_fall(now: Money, before: Money, limit: Weight) -> bool:
    """Whether *now* is *limit* or more below *before*; inclusive.

    Unit values are quotients, so a fall that is short of the limit by less than 1e-18 counts.
    """
    return before > 0 and now <= before * (ONE - limit) + _ROUNDING


def falls(memory: Memory, session: dt.date, unit: Money, gates: GateRule) -> tuple[Fall, ...]:
    """The breaker rules that a unit value of *unit* on *session* trips."""
    found = []
    before = _yesterday(memory, session)
    if before is not None and is_fall(unit, before.unit_value, gates.fall_daily_max):
        found.append(
            Fall(
                rule="daily",
                sentence=(
                    f"the savings fell {percent(ONE - unit / before.unit_value)} since "
                    f"{before.session}, the daily limit is {percent(gates.fall_daily_max)}"
                ),
            )
        )
    if is_fall(unit, memory.peak, gates.fall_from_peak_max):
        found.append(
            Fall(
                rule="peak",
                sentence=(
                    f"the savings are {percent(ONE - unit / memory.peak)} below their peak, the "
                    f"limit is {percent(gates.fall_from_peak_max)}"
                ),
            )
        )
    return tuple(found)


def market_wide_halt(
    *,
    prior_close: Money,
    index_level: Money,
    time_new_york: dt.time,
    already_triggered: Sequence[int],
    early_close: bool,
) -> tuple[int, Literal["none", "halt_15m", "halt_day"]]:
    """The level the S&P 500 has fallen to, and what NYSE Rule 7.12 does about it.

    Levels are 7, 13 and 20 % below the prior close. Levels 1 and 2 halt for 15 minutes, once a day
    each, from 09:30 "up to and including 3:25 p.m." (12:25 on an early close); level 3 halts the
    rest of the day at any time of the session. Level 0 means that none is reached.
    """
    level = 0
    for number, limit in _HALT_LEVELS.items():
        if is_fall(index_level, prior_close, limit):
            level = number
    opens, last = dt.time(9, 30), dt.time(12, 25) if early_close else dt.time(15, 25)
    if level == 0 or time_new_york < opens:
        return level, "none"
    if level == max(_HALT_LEVELS):
        return level, "halt_day"
    minute = time_new_york.replace(second=0, microsecond=0)
    if level in already_triggered or minute > last:
        return level, "none"
    return level, "halt_15m"


_HALT_LEVELS: Mapping[int, Weight] = {1: Weight("0.07"), 2: Weight("0.13"), 3: Weight("0.20")}


def _yesterday(memory: Memory, session: dt.date) -> Mark | None:
    """The last mark of an earlier session, if it is near enough to be called yesterday."""
    candidates = [memory.mark, memory.previous_mark]
    for mark in candidates:
        if mark is not None and mark.session < session:
            gap = (session - mark.session).days
            return mark if gap <= _DAILY_GAP_DAYS_MAX else None
    return None
