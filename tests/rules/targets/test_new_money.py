"""Inside CPPI's band new money is not drawn into risk by targets of an earlier day.

Nothing but new money lowers them so: not the market, and not what the plan sold by itself.
"""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from trimtab.domain.aim import LOCKED, Aim, Layer
from trimtab.domain.aims import CppiRule, StrategyRule
from trimtab.domain.numbers import ZERO, Money, Weight
from trimtab.domain.policy import ClassRule, Policy
from trimtab.rules.targets.aim import Outlook, aim_of
from trimtab.rules.targets.guarded import Cppi
from trimtab.rules.targets.view import Past, Savings, Strategy, View

MONDAY = dt.date(2026, 3, 2)
LEAST = Decimal("0.02")
FINE = Decimal("0.00001")
NO_PAST = Past((), np.empty((0, 4)))


def guarded(floor: str = "ratchet") -> Policy:
    """Stocks, the world and coins at risk beside bonds, under CPPI alone."""
    rule = CppiRule(floor=floor, amount=Decimal(80_000), keeps=Decimal("0.80"))  # type: ignore[arg-type]  # one of them
    return Policy(
        classes={
            "stocks": ClassRule(target=Decimal("0.40"), members=("VTI",)),
            "world": ClassRule(target=Decimal("0.15"), members=("VXUS",)),
            "coins": ClassRule(target=Decimal("0.05"), members=("BTC-USD",)),
            "bonds": ClassRule(target=Decimal("0.40"), members=("BND",), risk="safe"),
        },
        strategy=StrategyRule(layers=("cppi",), move_least=LEAST, cppi=rule),
    )


def look_at(
    strategy: Strategy, before: Aim | None, day: int, held: Mapping[str, Money], flow: Money = ZERO
) -> Aim:
    savings = Savings(sum(held.values(), ZERO), held=held, flow=flow)
    today = MONDAY + dt.timedelta(days=day)
    found = aim_of(guarded(), Outlook((strategy,), NO_PAST), before, today, savings)
    assert found is not None
    return found


def look(
    policy: Policy, before: Aim | None, day: int, risky: Money, safe: Money, flow: Money = ZERO
) -> Aim:
    return look_at(Cppi.of(policy), before, day, {"stocks": risky, "bonds": safe}, flow)


def at_risk(aim: Aim) -> Weight:
    return 1 - aim.targets["bonds"]


def fallen() -> Aim:
    """60,000 of 100,000 were aimed at in risky classes, and fell to 58,200."""
    first = look(guarded(), None, 0, Decimal(60_000), Decimal(40_000))
    assert at_risk(first) == Decimal("0.60")
    return look(guarded(), first, 1, Decimal(58_200), Decimal(40_000))


def test_new_money_above_the_formula_finds_no_target_in_risky_classes():
    """The formula of 99,700 wants 55,500; the 58,200 held are in its band.

    The targets of the first day, which a move of 1.6 points does not change, would have drawn all
    of the 1,500 that came in into risk: 60 % of 99,700 is 59,820.
    """
    paid_in = look(guarded(), fallen(), 2, Decimal(58_200), Decimal(41_500), Decimal(1_500))
    assert not paid_in.layers[0].insists
    assert 58_200 - 1 < at_risk(paid_in) * 99_700 <= 58_200
    assert paid_in.sentence == (
        "The targets of risky classes come down from 60.00 % to 58.38 % of the savings together: "
        "cppi allows no more now."
    )
    told = "so the exposure stays; new money does not raise what is aimed at."
    assert told in paid_in.layers[0].sentences[1]


def test_each_side_keeps_its_proportions():
    paid_in = look(guarded(), fallen(), 2, Decimal(58_200), Decimal(41_500), Decimal(1_500))
    part = Decimal(58_200) / 99_700
    for name, share in {"stocks": 40, "world": 15, "coins": 5}.items():
        assert paid_in.targets[name] == pytest.approx(part * share / 60, abs=FINE)
    assert sum(paid_in.targets.values()) == 1


def test_without_new_money_what_is_held_inside_the_band_limits_nothing():
    aim = fallen()
    assert aim.layers[0].risky_max is None
    assert at_risk(aim) == Decimal("0.60")
    assert (
        aim.layers[0].sentences[1].endswith("inside the band around that, so the exposure stays.")
    )


def test_what_left_is_no_new_money():
    aim = look(guarded(), fallen(), 2, Decimal(58_200), Decimal(38_500), Decimal(-1_500))
    assert aim.layers[0].risky_max is None
    assert at_risk(aim) == Decimal("0.60")


@given(sold=st.lists(st.integers(1, 400), min_size=1, max_size=12))
def test_what_the_plan_sold_for_want_of_another_class_never_lowers_the_targets(sold):
    """Stocks are sold into bonds, because coins are light and there is nothing to buy them with.

    That goes on until the exposure is so far off that a move is worth it, or leaves its band.
    """
    risky, safe = Decimal(58_200), Decimal(41_500)
    aim = paid_in = look(guarded(), fallen(), 2, risky, safe, Decimal(1_500))
    for day, amount in enumerate(sold, start=3):
        risky, safe = risky - amount, safe + amount
        aim = look(guarded(), aim, day, risky, safe)
        if aim.sentence.startswith("The targets move"):
            change = (aim.targets["bonds"] - paid_in.targets["bonds"]).copy_abs()
            assert aim.layers[0].insists or change >= LEAST
            return
        assert aim.targets == paid_in.targets


def test_new_money_below_the_formula_is_invested_up_to_it():
    policy = guarded("fixed")
    first = look(policy, None, 0, Decimal(60_000), Decimal(40_000))
    paid_in = look(policy, first, 1, Decimal(60_000), Decimal(40_500), Decimal(500))
    assert paid_in.layers[0].risky_max == Decimal(61_500) / 100_500
    assert paid_in.targets == first.targets


def test_while_all_is_locked_what_was_wanted_before_draws_no_money():
    """Nothing was bought yet of 1.5 % at risk when the savings fell to the floor."""
    policy = guarded("fixed")
    first = look(policy, None, 0, Decimal(0), Decimal(80_400))
    assert at_risk(first) == pytest.approx(Decimal(1_200) / 80_400, abs=FINE)
    locked = look(policy, first, 1, Decimal(0), Decimal(79_900), Decimal(-500))
    assert not locked.layers[0].insists
    assert at_risk(locked) == 0


# ------------------------------------------------------------------ a stuck class in any market


class Day(NamedTuple):
    """Moves of the risky classes in tenths of a percent, money that comes or goes, a correction."""

    moves: tuple[int, int, int]
    flow: int
    corrects: bool


MOVES = st.integers(-40, 40)
FLOWS = st.sampled_from([0, 0, 0, 500, 2_000, 9_000, -2_000])
DAYS = st.builds(Day, st.tuples(MOVES, MOVES, MOVES), FLOWS, st.booleans())
RISKY = ("stocks", "world", "coins")
HELD = {
    "stocks": Decimal(42_000),
    "world": Decimal(15_000),
    "coins": Decimal(3_000),
    "bonds": Decimal(40_000),
}


class Unlimited(NamedTuple):
    """CPPI that bounds no targets in force."""

    guard: Cppi
    name: str = "cppi"
    sessions: int = 0
    watches: bool = True

    def wants(self, view: View) -> Layer:
        return replace(self.guard.wants(view), risky_max=None)


def after_market(held: Mapping[str, Money], day: Day) -> dict[str, Money]:
    moved = {
        name: held[name] * (1_000 + move) / 1_000
        for name, move in zip(RISKY, day.moves, strict=True)
    }
    return moved | {"bonds": max(ZERO, held["bonds"] + day.flow)}


def traded(held: Mapping[str, Money], aim: Aim, day: Day) -> dict[str, Money]:
    """*held* after what a plan trades that can sell coins and never buy them.

    It brings all others where they are wanted if CPPI insists. Else new money goes into what is
    light, and what is heavy is sold into bonds where an episode is open.
    """
    value, left = sum(held.values(), ZERO), max(ZERO, Decimal(day.flow))
    after = dict(held)
    insists = aim.layers[0].insists
    for name in RISKY:
        gap = aim.targets[name] * value - held[name]
        can_buy = gap if insists else min(left, gap)
        if gap > 0 and name != "coins":
            after[name] += can_buy
            left -= ZERO if insists else can_buy
        elif gap < 0 and (insists or day.corrects):
            after[name] += gap
    return after | {"bonds": value - sum((after[name] for name in RISKY), ZERO)}


def formula(layer: Layer, value: Money) -> Money:
    """What the default multiplier of 3 allows, capped at all; nothing while CPPI is locked."""
    if LOCKED in layer.state:
        return ZERO
    return min(value, max(ZERO, 3 * (value - Decimal(layer.state["floor"]))))


@given(fall=st.integers(0, 25), flow=st.integers(1, 3_000))
def test_new_money_inside_the_band_buys_no_risk(fall, flow):
    """All risky classes fell alike, by *fall* thousandths, before *flow* came in."""
    guard, held = Cppi.of(guarded()), HELD | {"stocks": Decimal(40_000), "coins": Decimal(5_000)}
    first = look_at(guard, None, 0, held)
    day = Day((-fall, -fall, -fall), flow, corrects=False)
    held = after_market(held, day)
    aim = look_at(guard, first, 1, held, Decimal(flow))
    value = sum(held.values(), ZERO)
    assume(not aim.layers[0].insists and formula(aim.layers[0], value) <= value - held["bonds"])
    assert held["bonds"] - traded(held, aim, day)["bonds"] <= FINE * value


@given(floor=st.sampled_from(["ratchet", "fixed"]), days=st.lists(DAYS, min_size=1, max_size=25))
def test_new_money_never_finds_more_risk_aimed_at_than_was_held_when_it_came_or_is_wanted(
    floor, days
):
    guard, held = Cppi.of(guarded(floor)), HELD
    aim: Aim | None = None
    for number, day in enumerate(days):
        held = after_market(held, day)
        before, aim = aim, look_at(guard, aim, number, held, Decimal(day.flow))
        (layer,), value = aim.layers, sum(held.values(), ZERO)
        risky = value - held["bonds"]
        most = max(formula(layer, value), risky)
        if day.flow > 0 and not layer.insists:
            assert at_risk(aim) * value <= most + FINE * value
        if "come down" in aim.sentence:
            assert day.flow > 0 or LOCKED in layer.state, "only new money lowers targets so"
            assert before is not None
            assert at_risk(aim) * value >= formula(layer, value) - FINE * value
            assert at_risk(aim) < at_risk(before)
        held = traded(held, aim, day)


@given(floor=st.sampled_from(["ratchet", "fixed"]), days=st.lists(DAYS, min_size=1, max_size=25))
def test_without_new_money_targets_are_those_of_a_guard_that_bounds_none(floor, days):
    """So a household that pays nothing in trades no more often for the limit."""
    guard, held = Cppi.of(guarded(floor)), HELD
    aim: Aim | None = None
    other: Aim | None = None
    for number, day in enumerate(days):
        quiet = day._replace(flow=min(0, day.flow))
        held, flow = after_market(held, quiet), Decimal(quiet.flow)
        aim = look_at(guard, aim, number, held, flow)
        other = look_at(Unlimited(guard), other, number, held, flow)
        assert aim.targets == other.targets
        held = traded(held, aim, quiet)
