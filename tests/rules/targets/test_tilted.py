"""The strategy `momentum`: how far it tilts, what it never leaves, and when it cannot tell."""

from decimal import Decimal
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rules.targets.views import BASE, CLASSES, LAST, invented, view_of, without_price

from trimtab.domain.aims import MomentumRule
from trimtab.domain.errors import DataSuspect
from trimtab.rules.targets.aim import checked
from trimtab.rules.targets.assets import assets_of, month_end_rows
from trimtab.rules.targets.tilted import Momentum
from trimtab.rules.targets.view import Past

PAST = invented(400)
CLOSE = Decimal("0.000003")


def tilting(**rule: object) -> Momentum:
    return Momentum(MomentumRule(**rule))  # type: ignore[arg-type]  # tests name fields


def own(name: str) -> Decimal:
    return Decimal(BASE[name])


def test_the_class_that_rose_most_gets_more_and_cash_keeps_its_own():
    layer = tilting().wants(view_of(PAST))
    returned = {name: layer.figures[f"return_of_{name}"] for name in CLASSES if name != "cash"}
    best = max(returned, key=lambda name: returned[name])
    worst = min(returned, key=lambda name: returned[name])
    assert layer.targets[best] > own(best)
    assert layer.targets[worst] < own(worst)
    assert layer.targets["cash"] == own("cash")
    assert layer.sentences[0].startswith(f"{best} returned most from 12 months ago to 1 ago")


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    band=st.sampled_from(["0", "0.01", "0.05", "0.25"]),
    within=st.sampled_from(["tracking_error", "variance"]),
    limit=st.sampled_from(["0.005", "0.05", "0.50"]),
)
def test_no_class_ever_leaves_its_band_and_none_is_sold_short(seed, band, within, limit):
    view = view_of(invented(330, seed), band=band)
    rule = {"within": within, within: Decimal(limit)}
    layer = checked(tilting(**rule).wants(view), view.classes)
    for name in CLASSES:
        assert abs(layer.targets[name] - own(name)) <= Decimal(band) + CLOSE
        assert layer.targets[name] >= 0
    assert sum(layer.targets.values()) == 1
    assert layer.targets["cash"] == own("cash")


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), limit=st.sampled_from(["0.002", "0.01", "0.03"]))
def test_the_tracking_error_is_never_above_its_limit(seed, limit):
    layer = tilting(tracking_error=Decimal(limit)).wants(view_of(invented(330, seed), band="0.5"))
    assert layer.figures["tracking_error"] <= float(limit) + 1e-9


def test_a_class_with_a_target_of_nothing_gets_nothing():
    base = {name: own(name) for name in CLASSES} | {
        "world": Decimal(0),
        "stocks": Decimal("0.60"),
    }
    layer = tilting(tracking_error=Decimal("0.5")).wants(view_of(PAST, base=base))
    assert layer.targets["world"] == 0


@pytest.mark.parametrize("order", list(permutations(CLASSES))[::5], ids="-".join)
def test_the_tilt_follows_the_classes_when_these_are_given_in_another_order(order):
    one = tilting().wants(view_of(PAST)).targets
    base = {name: own(name) for name in order}
    other = tilting().wants(view_of(invented(400, classes=order), classes=order, base=base))
    for name in CLASSES:
        assert abs(other.targets[name] - one[name]) <= CLOSE


def test_classes_that_returned_the_same_are_not_tilted():
    returns = np.repeat(invented(400)[:, :1], 4, axis=1)
    returns[:, 3] = 0.0
    layer = tilting().wants(view_of(returns))
    assert layer.targets == {name: own(name) for name in CLASSES}
    assert layer.sentences == (
        "All classes returned the same from 12 months ago to 1 ago, so nothing is tilted.",
    )


def test_a_look_before_the_first_close_of_a_month_sees_what_one_after_it_sees():
    returns = invented(400)
    evening = view_of(returns)
    assert (evening.past.sessions[-1], evening.past.sessions[-2].month) == (evening.today, 2)
    before = evening.past.sessions[:-1], evening.past.returns[:-1]
    morning = evening._replace(past=Past(*before))
    signals = [
        {name: one for name, one in layer.figures.items() if name.startswith("return_of")}
        for layer in (tilting().wants(morning), tilting().wants(evening))
    ]
    assert signals[0] == pytest.approx(signals[1], rel=1e-12)


def test_the_months_of_the_signal_must_be_there():
    with pytest.raises(DataSuspect, match="momentum over 12 months needs 13 month-ends"):
        tilting().wants(view_of(invented(200)))
    assert tilting(months=6).wants(view_of(invented(200))).figures["tracking_error"] > 0


def test_fewer_than_twenty_sessions_say_nothing():
    with pytest.raises(DataSuspect, match="momentum needs 20 sessions"):
        tilting(months=2).wants(view_of(invented(10)))


def test_the_past_it_asks_for_holds_its_months():
    asked = tilting(months=60, sessions=60).sessions
    assert tilting(months=60, sessions=60).wants(view_of(invented(asked))).targets


@settings(max_examples=40)
@given(
    holes=st.lists(
        st.tuples(st.integers(0, 389), st.integers(0, 2)), min_size=1, max_size=12, unique=True
    )
)
def test_a_missing_price_changes_what_no_class_returned_over_the_months(holes):
    returns = PAST.copy()
    returns[250, 0] = 0.25
    whole, torn = tilting().wants(view_of(returns)), returns
    ends = set(month_end_rows(view_of(returns).past.sessions, LAST))
    for row, column in sorted(holes, reverse=True):
        if row not in ends:
            torn = without_price(torn, row, column)
    layer = tilting().wants(view_of(torn))
    for name in CLASSES[:3]:
        key = f"return_of_{name}"
        assert layer.figures[key] == pytest.approx(whole.figures[key], rel=1e-9)


def test_a_month_end_without_a_price_takes_the_class_own_last_one():
    view = view_of(PAST)
    rows = month_end_rows(view.past.sessions, LAST)
    first, last = rows[-13], rows[-2]
    layer = tilting().wants(view_of(without_price(PAST, last, 0)))
    kept = np.prod(1 + PAST[first + 1 : last, 0]) - 1
    assert layer.figures["return_of_stocks"] == pytest.approx(kept, rel=1e-9)
    whole = tilting().wants(view).figures
    assert layer.figures["return_of_world"] == pytest.approx(whole["return_of_world"], rel=1e-9)


def test_a_class_without_a_price_near_an_end_of_its_months_is_doubted_by_name():
    view = view_of(PAST)
    last = month_end_rows(view.past.sessions, LAST)[-2]
    torn = PAST
    for row in range(last, last - 5, -1):
        torn = without_price(torn, row, 1)
    with pytest.raises(DataSuspect) as caught:
        tilting().wants(view_of(torn))
    assert str(caught.value) == (
        "momentum needs the price of every class at both ends of its months: world has no price in "
        f"the week to {view.past.sessions[last]}; add the prices."
    )


def test_a_return_over_several_sessions_is_no_return_of_one_in_an_estimate():
    torn = without_price(PAST, 300, 0)
    _, seen = assets_of(view_of(torn), 400, "momentum")
    assert np.flatnonzero(~np.isfinite(seen).all(axis=1)).tolist() == [300, 301]
    late = PAST.copy()
    late[:45, 0] = np.nan
    _, seen = assets_of(view_of(late), 400, "momentum")
    assert np.isfinite(seen).all(axis=1).sum() == 355, "the first price of all has no hole before"
