"""The gap risk of a household's own CPPI: by theory, and in the months of its own prices.

Both look once a month for a year, from the floor and the savings of today. Theory counts on no
premium over bills, since nobody knows it: only the volatility of the risky classes is measured. The
chance is told for the rule's own cap, and by the closed form for none.

Each class counts by its own prices. Where one has a hole, what it returned over the hole belongs to
the day on which it is known, and no other class loses a day.
"""

import datetime as dt
import math
from collections.abc import Mapping
from decimal import ROUND_DOWN
from typing import NamedTuple

import numpy as np

from trimtab.domain.aim import LOCKED, Layer
from trimtab.domain.aims import CppiRule
from trimtab.domain.errors import DataSuspect
from trimtab.domain.numbers import ZERO, Weight, to_decimal, to_float
from trimtab.rules.targets.assets import are_priced, as_percent, month_end_rows, own_prices
from trimtab.rules.targets.cppi import multiplier_max
from trimtab.rules.targets.cppi_markov import gap_chance
from trimtab.rules.targets.cppi_risk import (
    WORST_FALLS,
    Fall,
    Insurance,
    Market,
    Period,
    RealGaps,
    gap_risk,
    real_gaps,
)
from trimtab.rules.targets.view import Floats, Past
from trimtab.rules.words import percent

YEAR = 12
"""Months of a window, and the fewest from which anything is told."""
_RARE = 0.00005


class Gaps(NamedTuple):
    """What CPPI may lose, with one look a month over a year.

    `volatility` is what the risky classes together moved in a year (a fraction). `capped` is the
    chance that the floor breaks under the rule's own cap and floor, None without a cap, and
    `textbook` that by the closed form, which knows no cap. The exposure of today is
    `multiplier_now` times the cushion: that of the rule, the `multiplier`, or less where the cap
    binds. `real` is what became of every year in a row of the `months` whole months from `first` to
    `last`; at the ends of `bridged` months a class had no price for a week, and its last one stands
    for it. `worst` is the worst fall between two looks as
    far apart as those of the household, a day or a month, None where nothing ever fell; it was on
    `worst_on`.
    """

    volatility: float
    multiplier: float
    multiplier_now: float
    textbook: float
    capped: float | None
    months: int
    first: dt.date
    last: dt.date
    bridged: int
    real: RealGaps
    looks: Period
    worst: Weight | None
    worst_on: dt.date | None

    @property
    def multiplier_max(self) -> Weight | None:
        """The largest multiplier that the worst fall leaves a cushion; None without a fall."""
        return None if self.worst is None else multiplier_max(self.worst)

    @property
    def fall(self) -> Fall | None:
        """The worst fall between two looks, by name."""
        if self.worst is None:
            return None
        return Fall(self.worst, f"your own risky classes, the {self.looks} to {self.worst_on}")


class Held(NamedTuple):
    """What the risky and the safe part are made of: `base` weights of all classes, and the safe."""

    base: Mapping[str, Weight]
    safe: frozenset[str]


def gaps_of(
    rule: CppiRule, layer: Layer, held: Held, past: Past, looks: Period, bills: Weight
) -> Gaps | None:
    """What the past of the classes says of the CPPI that answered with *layer*.

    The columns of *past* are the classes of `held.base`, in its order; *bills* is what they pay a
    year, and what a growing floor grows by. None while nothing is risked, and where the
    answer tells no floor, since the targets of before hold.

    Raises:
        DataSuspect: the past holds less than a year of whole months.
    """
    floor, cushion = layer.figures.get("floor"), layer.figures.get("cushion", 0.0)
    if floor is None or LOCKED in layer.state or cushion <= 0:
        return None
    if past.doubt:
        raise DataSuspect(past.doubt)
    risky, safe = _mixes(held)
    used = (risky > 0) | (safe > 0)
    prices = np.where(used, own_prices(past.returns), 1.0)
    begin = len(prices) - int(np.isfinite(prices).all(axis=1).sum())
    sessions = past.sessions[begin:]
    ends = [row + begin for row in month_end_rows(sessions, sessions[-1])] if sessions else []
    if len(ends) <= YEAR:
        msg = (
            f"your prices hold {max(0, len(ends) - 1)} whole months of every class, and a year of "
            "them is needed"
        )
        raise DataSuspect(msg)
    months = _changes(prices[ends])
    rows = [row for row in range(begin, len(prices)) if _has_price(past.returns[row], risky)]
    looked = rows if looks == "day" else ends
    apart = _changes(prices[looked]) @ risky
    worst = int(apart.argmin())
    log_months = np.log1p(months @ risky)
    volatility = float(log_months.std(ddof=1)) * math.sqrt(YEAR)
    insurance = _insurance(rule, floor / (floor + cushion), to_float(bills))
    market = _market(volatility, to_float(bills))
    fell = apart[worst] < 0
    return Gaps(
        volatility=volatility,
        multiplier=insurance.multiplier,
        multiplier_now=insurance.multiplier_now,
        textbook=gap_risk(
            1.0,
            insurance.floor,
            years=1.0,
            steps=YEAR,
            market=market,
            multiplier=insurance.multiplier,
        ).shortfall,
        capped=None
        if insurance.cap is None
        else gap_chance(insurance, years=1.0, steps=YEAR, market=market),
        months=len(months),
        first=past.sessions[ends[0] + 1],
        last=past.sessions[ends[-1]],
        bridged=int((~are_priced(past.returns[:, used], ends)).any(axis=1).sum()),
        real=real_gaps(months @ risky, months @ safe, insurance, months=YEAR),
        looks=looks,
        worst=to_decimal(-float(apart[worst]), 6) if fell else None,
        worst_on=past.sessions[looked[worst + 1]] if fell else None,
    )


def sentences(gaps: Gaps) -> tuple[str, ...]:
    """The two estimates in plain words."""
    by_formula = f"{_chance(gaps.textbook)} by the closed form"
    if gaps.capped is not None:
        by_formula = f"{_chance(gaps.capped)} under your cap, and of {by_formula}, which knows none"
    return (
        (
            f"Gap risk: with one look a month for a year the floor breaks with a chance of "
            f"{by_formula}, for prices that move {as_percent(gaps.volatility)} a year as yours did "
            "and never jump."
        ),
        (
            f"In your own prices, {gaps.first} to {gaps.last}, it broke in {gaps.real.breached} of "
            f"{gaps.real.windows} years that overlap.{_worst(gaps)}{_bridged(gaps)}"
        ),
    )


def _chance(chance: float) -> str:
    return "less than 0.01 %" if chance < _RARE else as_percent(chance, 2)


def _bridged(gaps: Gaps) -> str:
    """That a price was missing where one was needed."""
    if not gaps.bridged:
        return ""
    ends = "one month" if gaps.bridged == 1 else f"{gaps.bridged} months"
    return f" At the end of {ends} a class had no price for a week: its last one stands for it."


def _worst(gaps: Gaps) -> str:
    """The worst fall, beside the one on record: a short past has seen little."""
    if gaps.worst is None:
        return ""
    recorded = Weight(WORST_FALLS[gaps.looks][0])
    return (
        f" The worst {gaps.looks} fell by {percent(gaps.worst)} there and by {percent(recorded)} "
        f"on record: a multiplier of up to {_most(gaps.worst)} survives the one, of up to "
        f"{_most(recorded)} the other."
    )


def _most(fall: Weight) -> str:
    """One over *fall*, never rounded up."""
    most = multiplier_max(fall)
    assert most is not None, "a fall is positive"
    return f"{most.quantize(Weight('0.1'), rounding=ROUND_DOWN):f}"


def _mixes(held: Held) -> tuple[Floats, Floats]:
    """The risky and the safe mix, each in its base proportions and adding up to one."""
    weights = np.asarray([to_float(weight) for weight in held.base.values()])
    is_safe = np.asarray([name in held.safe for name in held.base])
    return _in_proportion(weights, ~is_safe), _in_proportion(weights, is_safe)


def _in_proportion(weights: Floats, chosen: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Floats:
    part: Floats = np.where(chosen, weights, 0.0)
    if part.sum() <= 0:
        part = chosen.astype(np.float64)
    return part / max(float(part.sum()), 1.0e-300)


def _has_price(returns: Floats, mix: Floats) -> bool:
    """Whether every class of *mix* (C) has a price in the session of *returns* (C)."""
    return bool(np.isfinite(returns[mix > 0]).all())


def _changes(prices: Floats) -> Floats:
    """The simple returns (T - 1, C) from one row of *prices* (T, C) to the next."""
    changes: Floats = prices[1:] / prices[:-1] - 1.0
    return changes


def _insurance(rule: CppiRule, floor: float, bills: float) -> Insurance:
    """The rule per unit invested, without its band; a reserve counts as an amount that stays."""
    cap = None if rule.cap is None else to_float(rule.cap)
    plain = Insurance(to_float(rule.multiplier), floor, cap, grows=0.0)
    if rule.floor == "ratchet":
        return plain._replace(keeps=to_float(rule.keeps or ZERO))
    if rule.has_growing_floor:
        return plain._replace(grows=(1.0 + bills) ** (1 / YEAR) - 1.0)
    return plain


def _market(volatility: float, bills: float) -> Market:
    """Prices that move by *volatility* a year and bring no premium over bills."""
    rate = math.log1p(bills)
    return Market(mu=rate, sigma=volatility, rate=rate)
