"""Bands: exact at their edge, one alert an episode, and a way back that pays for itself."""

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec.structs import replace
from tests.houses import START

from trimtab.domain.events import BandsMoved, Entry
from trimtab.domain.memory import BandMemory, Memory, remember
from trimtab.domain.numbers import ONE, ZERO
from trimtab.domain.policy import PRESETS, BandPolicy
from trimtab.domain.trades import BandState, BandTransition, Drift
from trimtab.rules.drift import (
    advance,
    after_tax_values,
    finish,
    half_width,
    is_breached,
    least_deposit,
    least_turnover,
    measure,
    shrink_scale,
    shrunk_value,
)

SWEDROE = PRESETS["swedroe-5-25"]
weights = st.integers(0, 10_000).map(lambda number: Decimal(number) / 10_000)
amounts = st.integers(0, 10**9).map(lambda number: Decimal(number) / 100)
bands = st.builds(
    BandPolicy,
    trigger_abs=st.sampled_from(["0.02", "0.03", "0.05"]).map(Decimal),
    trigger_rel=st.one_of(st.none(), st.sampled_from(["0.20", "0.25"]).map(Decimal)),
    destination=st.sampled_from(["0", "0.5", "0.875", "1"]).map(Decimal),
)


@st.composite
def measured(draw: st.DrawFn) -> tuple[tuple[Drift, ...], Decimal, BandPolicy]:
    """Two to five classes whose values are the whole household, and the band of all of them."""
    values = draw(st.lists(amounts, min_size=2, max_size=5))
    assume(sum(values) > 0)
    marks = sorted(draw(st.lists(weights, min_size=len(values) - 1, max_size=len(values) - 1)))
    targets = [b - a for a, b in zip([ZERO, *marks], [*marks, ONE], strict=True)]
    band = draw(bands)
    total = sum(values, ZERO)
    names = [f"class{number}" for number in range(len(values))]
    drifts = measure(
        dict(zip(names, values, strict=True)),
        total,
        dict(zip(names, targets, strict=True)),
        dict.fromkeys(names, band),
    )
    return drifts, total, band


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        pytest.param("0.60", "0.05", id="above a fifth the five points bind"),
        pytest.param("0.20", "0.05", id="at a fifth both legs are five points"),
        pytest.param("0.10", "0.025", id="below a fifth the quarter binds"),
        pytest.param("0", "0", id="a target of zero has no width"),
    ],
)
def test_the_half_width_is_the_smaller_of_five_points_and_a_quarter(target, expected):
    assert half_width(Decimal(target), SWEDROE) == Decimal(expected)


@given(weights)
def test_the_legs_of_the_5_25_rule_cross_at_a_fifth(target):
    width = half_width(target, SWEDROE)
    assert width == (Decimal("0.05") if target >= Decimal("0.20") else target * Decimal("0.25"))


def test_a_band_with_one_leg_is_bound_by_that_leg_alone():
    assert half_width(Decimal("0.6"), PRESETS["daryanani"]) == Decimal("0.12")
    assert half_width(Decimal("0.05"), PRESETS["vanguard-200-175"]) == Decimal("0.02")


def test_ten_per_cent_that_grew_to_twelve_and_a_half_breaches_a_quarter():
    target, half = Decimal("0.10"), Decimal("0.025")
    assert is_breached(Decimal(125), Decimal(1000), target, half)
    assert not is_breached(Decimal("124.99"), Decimal(1000), target, half)
    assert is_breached(Decimal(75), Decimal(1000), target, half)
    assert not is_breached(Decimal(125), Decimal(1000), target, half, is_inclusive=False)


@given(amounts, amounts, weights, bands, st.booleans())
def test_the_edge_of_a_band_is_decided_in_whole_rational_numbers(
    value, rest, target, band, is_inclusive
):
    total, half = value + rest, half_width(target, band)
    distance = abs(Fraction(value) - Fraction(target) * Fraction(total))
    edge = Fraction(half) * Fraction(total)
    is_out = distance != 0 and (distance >= edge if is_inclusive else distance > edge)
    assert is_breached(value, total, target, half, is_inclusive=is_inclusive) == is_out


@given(st.integers(1, 10**7), weights, bands, st.sampled_from([-1, 1]))
def test_a_class_exactly_on_its_trigger_breaches_and_one_step_inside_does_not(
    thousands, target, band, side
):
    total, half = Decimal(thousands) * 1000, half_width(target, band)
    assume(half > 0)
    edge = (target + side * half) * total
    assert is_breached(edge, total, target, half)
    assert not is_breached(edge - side * Decimal("0.0000001"), total, target, half)


@given(measured(), st.integers(1, 10**6))
def test_the_currency_in_which_money_is_counted_changes_no_verdict(household, factor):
    drifts, total, band = household
    scaled = measure(
        {d.asset_class: d.value * factor for d in drifts},
        total * factor,
        {d.asset_class: d.target for d in drifts},
        {d.asset_class: band for d in drifts},
    )
    assert [d.is_breached for d in scaled] == [d.is_breached for d in drifts]
    assert all(
        abs(a.weight - b.weight) < Decimal("1e-24") for a, b in zip(scaled, drifts, strict=True)
    )


def test_cash_that_waits_makes_every_class_light_and_an_empty_household_has_no_drift():
    targets, widths = {"a": Decimal("0.6"), "b": Decimal("0.4")}, {"a": SWEDROE, "b": SWEDROE}
    heavy_cash = measure({"a": Decimal(50), "b": Decimal(30)}, Decimal(100), targets, widths)
    assert [d.drift for d in heavy_cash] == [Decimal("-0.1"), Decimal("-0.1")]
    empty = measure({}, ZERO, targets, widths)
    assert [(d.drift, d.is_breached) for d in empty] == [(ZERO, False), (ZERO, False)]


@given(measured())
def test_shrinking_the_drift_pays_for_itself_and_heals_every_class_that_is_out(household):
    drifts, total, band = household
    out = [drift for drift in drifts if drift.is_breached]
    scale = shrink_scale(out, band.destination)
    after = [shrunk_value(drift, total, scale) for drift in drifts]
    assert abs(sum(after, ZERO) - total) < Decimal("1e-12")
    assert ZERO <= scale <= ONE
    for drift, value in zip(drifts, after, strict=True):
        distance = abs(value - drift.target * total)
        if drift.is_breached:
            assert distance <= band.destination * drift.half_width * total + Decimal("1e-12")
        assert distance <= abs(drift.value - drift.target * total) + Decimal("1e-12")


def test_nothing_is_shrunk_when_nothing_is_out():
    assert shrink_scale([], ZERO) == 1


def shares(total: int) -> st.SearchStrategy[list[int]]:
    """Three whole numbers that add up to *total*."""
    marks = st.lists(st.integers(0, total), min_size=2, max_size=2).map(sorted)
    return marks.map(lambda at: [at[0], at[1] - at[0], total - at[1]])


@settings(max_examples=60)
@given(shares(10), shares(10), st.lists(st.integers(0, 2), min_size=3, max_size=3))
def test_the_least_turnover_is_what_trying_every_allocation_finds(held, wanted, halves):
    total = 10
    moves = [
        sum(max(0, new - old) for new, old in zip(final, held, strict=True))
        for final in product(range(total + 1), repeat=len(held))
        if sum(final) == total
        and all(abs(f - w) <= h for f, w, h in zip(final, wanted, halves, strict=True))
    ]
    found = least_turnover(*(_parts(numbers, total) for numbers in (held, wanted, halves)))
    assert abs(found - Decimal(min(moves)) / total) < Decimal("1e-20")


def test_a_traditional_account_counts_without_the_part_that_is_the_treasurys():
    held = {"taxable": {"stocks": Decimal(600)}, "ira": {"bonds": Decimal(400)}}
    assert after_tax_values(held, {}) == {"stocks": 600, "bonds": 400}
    assert after_tax_values(held, {"ira": Decimal("0.25")}) == {"stocks": 600, "bonds": 300}


@given(measured())
def test_the_least_deposit_brings_the_worst_class_exactly_to_its_target(household):
    drifts, total, _ = household
    found = least_deposit(drifts, total)
    assume(found is not None)
    assert found is not None
    name, deposit = found
    worst = next(drift for drift in drifts if drift.asset_class == name)
    gets_it = worst.value < worst.target * total
    value = worst.value + (deposit if gets_it else ZERO)
    assert deposit > 0
    assert abs(value - worst.target * (total + deposit)) < Decimal("1e-9")


def test_no_deposit_heals_a_class_that_should_not_be_held_or_a_household_on_target():
    half = {"a": SWEDROE, "b": SWEDROE}
    unwanted = measure({"a": Decimal(100), "b": ZERO}, Decimal(100), {"a": ZERO, "b": ONE}, half)
    assert least_deposit(unwanted, Decimal(100)) is None
    on_target = measure(
        {"a": Decimal(60), "b": Decimal(40)},
        Decimal(100),
        {"a": Decimal("0.6"), "b": Decimal("0.4")},
        half,
    )
    assert least_deposit(on_target, Decimal(100)) is None


def test_an_episode_without_width_goes_on_until_no_trade_is_left():
    yearly = PRESETS["calendar"]
    drift = _drift(Decimal("0.61"), yearly)
    (moved,), (opened,) = advance([drift], {}, {"a": yearly}, START, looks=True)
    assert opened.alert
    known = _folded(Memory(), (opened,), START).bands
    (still,), changes = advance([drift], known, {"a": yearly}, START, looks=False)
    assert (still.state, changes) == (BandState.CORRECTING, ())
    (ended,), _ = finish([moved], {"a": yearly})
    assert ended.state is BandState.ARMED


def test_an_episode_that_can_go_no_further_ends_only_inside_the_re_arm_mark():
    band = BandPolicy(trigger_abs=Decimal("0.04"), re_arm=Decimal("0.5"))
    inside = _drift(Decimal("0.62"), band, BandState.CORRECTING)
    outside = _drift(Decimal("0.63"), band, BandState.CORRECTING)
    assert finish([inside], {"a": band})[0][0].state is BandState.ARMED
    assert finish([outside], {"a": band}) == ((outside,), ())


STUCK_BAND = BandPolicy(trigger_abs=Decimal("0.05"), re_arm=Decimal("0.5"))


@pytest.mark.parametrize(
    ("stocks", "ended"),
    [
        pytest.param("0.53", {"stocks"}, id="3 of its 3.4 points are those that coins lack"),
        pytest.param("0.56", set(), id="it is out of its own band"),
    ],
)
def test_no_class_is_kept_open_by_what_a_stuck_one_lacks(stocks, ended):
    weights = {"stocks": Decimal(stocks), "bonds": Decimal("0.98") - Decimal(stocks)}
    targets = {"stocks": Decimal("0.496"), "bonds": Decimal("0.45"), "coins": Decimal("0.054")}
    half = dict.fromkeys(targets, STUCK_BAND) | {"coins": BandPolicy(trigger_abs=Decimal("0.02"))}
    measured = measure({**weights, "coins": Decimal("0.02")}, ONE, targets, half)
    drifts = [replace(one, state=BandState.CORRECTING) for one in measured]
    moved, changes = finish(drifts, half)
    assert {one.asset_class for one in changes} - {"bonds"} == ended
    (coins,) = [one for one in moved if one.asset_class == "coins"]
    assert coins.state is BandState.CORRECTING


class Episodes(RuleBasedStateMachine):
    """One class on a random walk, its band state folded through the journal's own events."""

    def __init__(self) -> None:
        super().__init__()
        self.band = BandPolicy(
            trigger_abs=Decimal("0.05"), destination=Decimal("0.5"), cooldown_days=7
        )
        self.at = START
        self.memory = Memory()
        self.alerts = self.ends = 0

    @rule(points=st.integers(-120, 120), hours=st.sampled_from([1, 24, 100]), looks=st.booleans())
    def drifts(self, points: int, hours: int, looks: bool) -> None:
        self.at += dt.timedelta(hours=hours)
        drift = _drift(Decimal("0.6") + Decimal(points) / 1000, self.band)
        before = self.memory.bands.get("a")
        _, changes = advance([drift], self.memory.bands, {"a": self.band}, self.at, looks=looks)
        assert len(changes) <= 1
        was = BandState.ARMED if before is None else before.state
        for change in changes:
            self._judge(change, drift, looks)
        if was is BandState.CORRECTING:
            is_inside = abs(drift.drift) <= Decimal("0.025")
            assert bool(changes) == is_inside, "a correction ends well inside, and only there"
        if was is BandState.RESTING and self._rests(before):
            assert not changes, "nothing happens while a class rests"
        if was is BandState.ARMED:
            assert bool(changes) == (drift.is_breached and looks)
        self.memory = _folded(self.memory, changes, self.at)

    def _rests(self, before: BandMemory | None) -> bool:
        assert before is not None
        assert before.ended_at is not None
        return self.at - before.ended_at < dt.timedelta(days=7)

    def _judge(self, change: BandTransition, drift: Drift, looks: bool) -> None:
        assert change.alert == (change.after is BandState.CORRECTING)
        if change.alert:
            assert drift.is_breached
            assert looks
            self.alerts += 1
        if change.before is BandState.CORRECTING:
            self.ends += 1

    @invariant()
    def there_is_one_alert_an_episode(self) -> None:
        band = self.memory.bands.get("a")
        is_open = band is not None and band.state is BandState.CORRECTING
        assert self.alerts - self.ends == (1 if is_open else 0)


TestEpisodesOfDrift = Episodes.TestCase
TestEpisodesOfDrift.settings = settings(max_examples=60, stateful_step_count=30)


@settings(max_examples=60)
@given(measured(), st.randoms(use_true_random=False))
def test_the_order_of_the_classes_changes_no_state(household, shuffler):
    drifts, _, band = household
    shuffled = list(drifts)
    shuffler.shuffle(shuffled)
    bands_of = {drift.asset_class: band for drift in drifts}
    one, changes = advance(drifts, {}, bands_of, START, looks=True)
    other, changes_too = advance(shuffled, {}, bands_of, START, looks=True)
    assert {d.asset_class: d.state for d in one} == {d.asset_class: d.state for d in other}
    assert sorted(changes, key=str) == sorted(changes_too, key=str)


def _parts(numbers: list[int], total: int) -> list[Decimal]:
    return [Decimal(number) / total for number in numbers]


def _drift(weight: Decimal, band: BandPolicy, state: BandState = BandState.ARMED) -> Drift:
    (drift,) = measure({"a": weight * 1000}, Decimal(1000), {"a": Decimal("0.6")}, {"a": band})
    return Drift(
        asset_class="a",
        target=drift.target,
        value=drift.value,
        weight=drift.weight,
        drift=drift.drift,
        half_width=drift.half_width,
        is_breached=drift.is_breached,
        state=state,
    )


def _folded(memory: Memory, changes: tuple[BandTransition, ...], at: dt.datetime) -> Memory:
    event = BandsMoved(transitions=changes)
    return remember(memory, [Entry(sequence=1, at=at, cycle="c", event=event, hash="")])


def test_a_household_worth_nothing_has_weights_of_zero_and_has_drifted_nowhere():
    (drift,) = measure({}, ZERO, {"stocks": ONE}, {"stocks": BandPolicy(trigger_abs=ONE)})
    assert (drift.weight, drift.drift, drift.is_breached) == (ZERO, ZERO, False)
