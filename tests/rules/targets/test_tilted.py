"""The strategy `momentum`: how far it tilts, what it never leaves, and when it cannot tell."""

from decimal import Decimal
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rules.targets.views import BASE, CLASSES, invented, view_of

from trimtab.domain.aims import MomentumRule
from trimtab.domain.errors import DataSuspect
from trimtab.rules.targets.aim import checked
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
