"""Where a contribution goes: the drift shrinks most, no cent is lost, no harvest is spoiled."""

import datetime as dt
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.domain.errors import InputError
from trimtab.domain.numbers import CENT, ZERO, Money
from trimtab.domain.policy import PRESETS
from trimtab.domain.trades import Drift
from trimtab.rules.drift import measure
from trimtab.rules.placement import choose_purchase, place_contribution
from trimtab.rules.tax.guard import Guarded, GuardState

D = Decimal
NAMES = ("stocks", "bonds", "gold", "cash")
DAY = dt.date(2026, 3, 2)


def _drifts(values: list[Money], targets: list[Decimal]) -> tuple[tuple[Drift, ...], Money]:
    names = NAMES[: len(values)]
    total = sum(values, ZERO)
    band = PRESETS["swedroe-5-25"]
    held, wanted = dict(zip(names, values, strict=True)), dict(zip(names, targets, strict=True))
    return measure(held, total, wanted, dict.fromkeys(names, band)), total


def _placed(amount: Money, values: list[Money], targets: list[Decimal]) -> dict[str, Money]:
    drifts, total = _drifts(values, targets)
    return {
        part.asset_class: part.amount for part in place_contribution(amount, drifts, total).parts
    }


@st.composite
def household(draw: st.DrawFn) -> tuple[Money, list[Money], list[Decimal]]:
    count = draw(st.integers(1, 4))
    money = st.decimals("0", "100000", places=2, allow_nan=False)
    values = draw(st.lists(money, min_size=count, max_size=count))
    cuts = sorted(draw(st.lists(st.integers(0, 100), min_size=count - 1, max_size=count - 1)))
    edges = [0, *cuts, 100]
    targets = [D(high - low) / 100 for low, high in pairwise(edges)]
    return draw(st.decimals("0", "50000", places=2, allow_nan=False)), values, targets


@given(household())
def test_the_whole_contribution_is_placed_to_the_cent_and_nothing_is_sold(one):
    amount, values, targets = one
    drifts, total = _drifts(values, targets)
    placement = place_contribution(amount, drifts, total)
    assert sum((part.amount for part in placement.parts), ZERO) == amount
    assert placement.left == ZERO
    assert all(part.amount > 0 for part in placement.parts)


@given(household(), st.integers(0, 2**32 - 1))
def test_no_other_way_to_place_it_leaves_a_shorter_drift_vector(one, seed):
    amount, values, targets = one
    placed = _placed(amount, values, targets)
    whole = float(sum(values, ZERO) + amount)
    goal = np.array([float(target) * whole for target in targets])
    before = np.array([float(value) for value in values])
    ours = before + [float(placed.get(name, ZERO)) for name in NAMES[: len(values)]]
    others = before + float(amount) * np.random.default_rng(seed).dirichlet(
        np.full(len(values), 0.5), 200
    )
    shortest = np.linalg.norm(others - goal, axis=1).min()
    assert np.linalg.norm(ours - goal) <= shortest + 0.01 * len(values)


def test_the_lightest_class_comes_first_and_the_next_once_both_lack_the_same():
    values, targets = [D(5000), D(2500), D(2500)], [D("0.6"), D("0.3"), D("0.1")]
    assert _placed(D(400), values, targets) == {"stocks": D(400)}
    assert _placed(D(1000), values, targets) == {"stocks": D(900), "bonds": D(100)}


def test_a_household_on_target_stays_on_target():
    assert _placed(D("10.01"), [D(600), D(300), D(100)], [D("0.6"), D("0.3"), D("0.1")]) == {
        "stocks": D("6.01"),
        "bonds": D("3.00"),
        "gold": D("1.00"),
    }


def test_a_household_that_owns_nothing_starts_on_target():
    assert _placed(D(1000), [ZERO, ZERO], [D("0.6"), D("0.4")]) == {
        "stocks": D(600),
        "bonds": D(400),
    }


def test_an_unwanted_class_gets_nothing():
    assert _placed(D(100), [D(100), D(50)], [D(1), ZERO]) == {"stocks": D(100)}


def test_what_a_closed_class_lacks_stays_cash_and_pushes_no_other_beyond_its_target():
    drifts, total = _drifts([D(500), D(500)], [D("0.6"), D("0.4")])
    placement = place_contribution(D(1000), drifts, total, closed={"stocks"})
    assert {part.asset_class: part.amount for part in placement.parts} == {"bonds": D(300)}
    assert placement.left == D(700)
    assert placement.sentence == (
        "Of 1,000.00 USD 300.00 USD go into bonds, where most is missing; 700.00 USD stay cash."
    )


def test_a_part_of_a_cent_stays_cash():
    drifts, total = _drifts([ZERO], [D(1)])
    placement = place_contribution(D("1.005"), drifts, total)
    assert (placement.parts[0].amount, placement.left) == (D("1.00"), D("0.005"))


def test_nothing_is_placed_of_nothing():
    drifts, total = _drifts([D(1)], [D(1)])
    placement = place_contribution(ZERO, drifts, total)
    assert (placement.parts, placement.left) == ((), ZERO)
    assert placement.sentence == "Nothing is to be placed."


def test_a_withdrawal_and_a_household_without_targets_are_refused():
    drifts, total = _drifts([D(1)], [D(1)])
    with pytest.raises(InputError, match="contribution of -1"):
        place_contribution(D(-1), drifts, total)
    with pytest.raises(InputError, match="no class has a target"):
        place_contribution(D(1), _drifts([D(1)], [ZERO])[0], D(1))


@given(household())
def test_cents_never_push_a_class_more_than_a_cent_beyond_its_target(one):
    amount, values, targets = one
    whole = sum(values, ZERO) + amount
    placed = _placed(amount, values, targets)
    for name, value, target in zip(NAMES, values, targets, strict=False):
        if name in placed:
            assert value + placed[name] < target * whole + CENT


def _guarded(state: GuardState, safe: dt.date | None, *gaps: str) -> Guarded:
    return Guarded(
        state=state, deferred=D(300), first_safe_day=safe, gaps=gaps, sentence="not told here"
    )


def test_a_purchase_that_the_guard_clears_goes_as_planned():
    chosen = choose_purchase("VTI", DAY, _guarded(GuardState.CLEAR, DAY), ["ITOT"])
    assert (chosen.symbol, chosen.day) == ("VTI", DAY)
    assert chosen.sentence == "VTI is bought on 2026-03-02 as planned."


def test_a_purchase_goes_though_records_have_gaps_and_says_so():
    guarded = _guarded(GuardState.INCOMPLETE, DAY, "the records of ira may not be whole: 2024.")
    chosen = choose_purchase("VTI", DAY, guarded)
    assert chosen.day == DAY
    assert chosen.sentence == (
        "VTI is bought on 2026-03-02 as planned, though the records of ira may not be whole: 2024."
    )


def test_a_purchase_that_would_spoil_a_harvest_goes_into_the_first_substitute():
    guarded = _guarded(GuardState.BLOCKED, dt.date(2026, 3, 20))
    chosen = choose_purchase("VTI", DAY, guarded, ["SCHX", "VTV"], "ITOT is identical to VTI")
    assert (chosen.symbol, chosen.day) == ("SCHX", DAY)
    assert chosen.sentence == (
        "SCHX is bought on 2026-03-02 instead of VTI (ITOT is identical to VTI): buying VTI on "
        "2026-03-02 would disallow 300.00 USD of a loss taken."
    )


def test_without_a_substitute_it_waits_for_the_first_safe_day():
    guarded = _guarded(GuardState.PARTLY, dt.date(2026, 3, 20))
    chosen = choose_purchase("VTI", DAY, guarded)
    assert (chosen.symbol, chosen.day) == ("VTI", dt.date(2026, 3, 20))
    assert chosen.sentence == (
        "VTI is bought on 2026-03-20 instead of 2026-03-02, until then the money is cash: buying "
        "VTI on 2026-03-02 would disallow 300.00 USD of a loss taken, and no substitute is "
        "permitted."
    )


def test_where_no_day_is_safe_the_money_stays_cash():
    chosen = choose_purchase("VTI", DAY, _guarded(GuardState.BLOCKED, None))
    assert chosen.day is None
    assert chosen.sentence.startswith("VTI is not bought, the money stays cash: ")
