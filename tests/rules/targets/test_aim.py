"""From what strategies want to the targets in force: schedule, hysteresis, doubt, promises."""

import datetime as dt
import sys
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial

import numpy as np
import pytest
from msgspec.structs import replace

from trimtab.domain.aim import Aim, Layer
from trimtab.domain.aims import StrategyRule
from trimtab.domain.errors import DataSuspect
from trimtab.domain.numbers import Weight
from trimtab.domain.policy import ClassRule, Policy
from trimtab.rules.targets.aim import Outlook, aim_of, is_new_period
from trimtab.rules.targets.view import Past, Savings, View

MONDAY = dt.date(2026, 3, 2)
NEXT_MONTH = dt.date(2026, 4, 1)
SESSIONS = tuple(MONDAY + dt.timedelta(days=number) for number in range(120))
PAST = Past(SESSIONS, np.zeros((len(SESSIONS), 2)))
POLICY = Policy(
    classes={
        "stocks": ClassRule(target=Decimal("0.6"), members=("VTI",)),
        "bonds": ClassRule(target=Decimal("0.4"), members=("BND",), risk="safe"),
    },
    strategy=StrategyRule(layers=("toy",), every="month", move_least=Decimal("0.02")),
)


class Toy:
    """A strategy that answers as it is told to and keeps what it was shown."""

    name = "toy"
    sessions = 100

    def __init__(self, answer: Callable[[View], Mapping[str, Weight]], *, watches: bool = False):
        self.answer, self.watches = answer, watches
        self.seen: list[View] = []

    def wants(self, view: View) -> Layer:
        self.seen.append(view)
        return Layer(name=self.name, targets=dict(self.answer(view)))


def stocks(share: str) -> dict[str, Weight]:
    return {"stocks": Decimal(share), "bonds": 1 - Decimal(share)}


def said(weights: Mapping[str, Weight], view: View) -> Mapping[str, Weight]:
    assert view.classes == ("stocks", "bonds")
    return weights


def aim(strategy: Toy, before: Aim | None, today: dt.date, policy: Policy = POLICY) -> Aim:
    found = aim_of(policy, Outlook((strategy,), PAST), before, today, Savings(Decimal(100_000)))
    assert found is not None
    return found


def test_without_a_strategy_there_is_no_aim():
    assert aim_of(POLICY, Outlook(), None, MONDAY, Savings(Decimal(1))) is None


def test_the_first_targets_hold_at_once():
    first = aim(Toy(lambda _: stocks("0.3")), None, MONDAY)
    assert first.targets == stocks("0.3")
    assert first.estimated_on == first.since == MONDAY


def test_between_two_estimates_nobody_is_asked_and_nothing_moves():
    toy = Toy(lambda _: stocks("0.3"))
    first = aim(toy, None, MONDAY)
    toy.answer = lambda _: stocks("0.9")
    again = aim(toy, first, dt.date(2026, 3, 31))
    assert again.targets == stocks("0.3")
    assert len(toy.seen) == 1


def test_in_a_new_month_the_targets_move_and_say_from_where_to_where():
    toy = Toy(lambda _: stocks("0.3"))
    first = aim(toy, None, MONDAY)
    toy.answer = lambda _: stocks("0.5")
    moved = aim(toy, first, dt.date(2026, 4, 1))
    assert moved.targets == stocks("0.5")
    assert moved.since == moved.estimated_on == dt.date(2026, 4, 1)
    assert moved.sentence == (
        "The targets move: stocks from 30.0 % to 50.0 % and bonds from 70.0 % to 50.0 %."
    )


@pytest.mark.parametrize(
    ("share", "told"),
    [
        ("0.3004", "stocks from 30.00 % to 30.04 % and bonds from 70.00 % to 69.96 %"),
        ("0.300002", "stocks from 30.0000 % to 30.0002 % and bonds from 70.0000 % to 69.9998 %"),
    ],
)
def test_a_small_move_is_told_with_digits_enough_to_be_seen(share, told):
    small = replace(POLICY, strategy=replace(POLICY.strategy, move_least=Decimal(0)))
    toy = Toy(lambda _: stocks("0.3"))
    first = aim(toy, None, MONDAY, small)
    toy.answer = lambda _: stocks(share)
    assert aim(toy, first, NEXT_MONTH, small).sentence == f"The targets move: {told}."


def test_a_class_that_moves_by_less_than_is_printed_is_not_listed_beside_those_that_do():
    classes = {
        name: ClassRule(target=Decimal(part), members=(name,))
        for name, part in {"a": "0.3", "b": "0.3", "c": "0.4"}.items()
    }
    policy = replace(POLICY, classes=classes)
    toy = Toy(lambda _: {"a": Decimal("0.3"), "b": Decimal("0.3"), "c": Decimal("0.4")})
    first = aim(toy, None, MONDAY, policy)
    toy.answer = lambda _: {"a": Decimal("0.35"), "b": Decimal("0.3001"), "c": Decimal("0.3499")}
    assert aim(toy, first, NEXT_MONTH, policy).sentence == (
        "The targets move: a from 30.0 % to 35.0 % and c from 40.0 % to 35.0 %."
    )


def test_a_change_below_the_least_move_leaves_the_targets_and_is_said():
    toy = Toy(lambda _: stocks("0.3"))
    first = aim(toy, None, MONDAY)
    toy.answer = lambda _: stocks("0.319999")
    stayed = aim(toy, first, dt.date(2026, 4, 1))
    assert stayed.targets == stocks("0.3")
    assert stayed.wanted == stocks("0.319999")
    assert stayed.since == MONDAY
    assert stayed.estimated_on == dt.date(2026, 4, 1)
    assert "not worth a move" in stayed.sentence
    toy.answer = lambda _: stocks("0.32")
    assert aim(toy, first, dt.date(2026, 4, 1)).targets == stocks("0.32")


def test_many_small_changes_add_up_to_a_move():
    toy = Toy(lambda _: stocks("0.30"))
    now = aim(toy, None, MONDAY)
    for month, share in ((4, "0.31"), (5, "0.315"), (6, "0.325")):
        toy.answer = partial(said, stocks(share))
        now = aim(toy, now, dt.date(2026, month, 1))
    assert now.targets == stocks("0.325")


def test_a_layer_that_insists_moves_the_targets_however_little():
    class Guard(Toy):
        def wants(self, view: View) -> Layer:
            return replace(super().wants(view), insists=True)

    guard = Guard(lambda _: stocks("0.3"), watches=True)
    first = aim(guard, None, MONDAY)
    guard.answer = lambda _: stocks("0.299")
    assert aim(guard, first, MONDAY + dt.timedelta(days=1)).targets == stocks("0.299")


def test_the_most_that_a_layer_allows_in_risky_classes_holds_however_little_that_moves():
    class Guard(Toy):
        most = Decimal("0.3")

        def wants(self, view: View) -> Layer:
            return replace(super().wants(view), risky_max=self.most)

    guard = Guard(lambda _: stocks("0.3"), watches=True)
    first = aim(guard, None, MONDAY)
    guard.most = Decimal("0.295")
    less = aim(guard, first, MONDAY + dt.timedelta(days=1))
    assert less.targets == stocks("0.295000")
    assert less.since == MONDAY + dt.timedelta(days=1)
    assert less.sentence.endswith("together: toy allows no more now.")
    guard.most = Decimal("0.4")
    assert aim(guard, less, MONDAY + dt.timedelta(days=2)).targets == less.targets


def test_a_strategy_that_watches_is_asked_at_every_look():
    toy = Toy(lambda _: stocks("0.3"), watches=True)
    first = aim(toy, None, MONDAY)
    aim(toy, first, MONDAY + dt.timedelta(days=1))
    assert [view.is_due for view in toy.seen] == [True, False]


def test_nobody_is_shown_what_is_not_over_yet():
    toy = Toy(lambda _: stocks("0.3"))
    aim(toy, None, MONDAY + dt.timedelta(days=9))
    assert toy.seen[0].past.sessions[-1] == MONDAY + dt.timedelta(days=9)
    assert len(toy.seen[0].past.returns) == 10


def test_who_cannot_tell_leaves_the_weights_and_says_why():
    def silent(view: View) -> dict[str, Weight]:
        raise DataSuspect("VTI has 12 sessions of prices, 60 are needed.")

    toy = Toy(silent)
    first = aim(toy, None, MONDAY)
    assert first.targets == stocks("0.6")
    (sentence,) = first.layers[0].sentences
    assert sentence.startswith("VTI has 12 sessions of prices, 60 are needed. Until then toy ")


def test_each_layer_is_given_the_weights_of_the_one_before():
    low, half = (
        Toy(lambda _: stocks("0.2")),
        Toy(lambda view: {"stocks": view.base["stocks"] / 2, "bonds": 1 - view.base["stocks"] / 2}),
    )
    half.name = "half"
    found = aim_of(POLICY, Outlook((low, half), PAST), None, MONDAY, Savings(Decimal(1)))
    assert found is not None
    assert found.targets == stocks("0.1")
    assert [layer.name for layer in found.layers] == ["toy", "half"]


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [
        ({"stocks": Decimal(1)}, "must weigh every class once; look at bonds."),
        (stocks("0.5") | {"bonds": Decimal("0.4")}, "add up to 0.9, not to 1."),
        (stocks("1.2"), "weighs bonds with -0.2; 0 is the least."),
        (stocks("0.5") | {"bonds": Decimal("NaN")}, "weighs bonds with NaN; 0 is the least."),
        ({"stocks": 0.5, "bonds": 0.5}, "weighs stocks with a float, 0.5; a weight is a Decimal."),
    ],
)
def test_a_strategy_that_breaks_its_promise_moves_nothing_and_is_told_in_one_sentence(
    weights, sentence
):
    before = aim(Toy(lambda _: stocks("0.3")), None, MONDAY)
    after = aim(Toy(lambda _: weights), before, NEXT_MONTH)
    assert after.targets == before.targets == stocks("0.3")
    (fault,) = after.faults
    assert "strategy toy " in fault
    assert sentence.removesuffix(".") in fault
    assert fault.endswith("Until then toy leaves the weights as they are.")


class Answering(Toy):
    """Answers with what it is told to, layer or not."""

    def wants(self, view: View) -> Layer:
        layer: Layer = self.answer(view)  # type: ignore[assignment]  # a faulty plug-in's
        return layer


def exits(view: View) -> Layer:
    sys.exit(3)


def fails(view: View) -> Layer:
    raise KeyError("VTI")


def listed(view: View) -> Layer:
    return Layer(name="toy", targets=[("stocks", Decimal(1))])  # type: ignore[arg-type]  # the fault


def in_letters(view: View) -> Layer:
    return Layer(name="toy", targets=stocks("0.1"), sentences="x.")  # type: ignore[arg-type]  # the fault


def without_limit(view: View) -> Layer:
    return Layer(name="toy", targets=stocks("0.1"), risky_max=Decimal("nan"))


def not_finite(view: View) -> Layer:
    return Layer(name="toy", targets=stocks("0.1"), figures={"volatility": float("nan")})


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (lambda _: None, "answered with nothing, and has to answer with a Layer"),
        (listed, "gave a list as targets, and not a dict"),
        (exits, "failed (SystemExit: 3); its author has to mend it"),
        (fails, "failed (KeyError: 'VTI'); its author has to mend it"),
        (in_letters, "gave 'x.' as sentences, and not a tuple of text"),
        (without_limit, "gave Decimal('NaN') as risky_max, and not a Decimal of 0 or more"),
        (not_finite, "gave {'volatility': nan} as figures, and not finite numbers by name"),
    ],
)
def test_whatever_a_strategy_does_is_told_by_its_name_and_moves_nothing(answer, sentence):
    before = aim(Toy(lambda _: stocks("0.3")), None, MONDAY)
    after = aim(Answering(answer), before, NEXT_MONTH)
    assert after.targets == stocks("0.3")
    assert after.faults == (
        f"The strategy toy {sentence}. Until then toy leaves the weights as they are.",
    )


def test_a_strategy_that_was_at_fault_is_asked_again_at_the_next_look():
    before = aim(Toy(lambda _: stocks("0.3")), None, MONDAY)
    broken = aim(Answering(fails), before, NEXT_MONTH)  # type: ignore[arg-type]  # no weights
    mended = aim(Toy(lambda _: stocks("0.1")), broken, NEXT_MONTH + dt.timedelta(days=1))
    assert mended.targets == stocks("0.1")
    assert mended.faults == ()


def test_a_bug_of_our_own_is_no_fault_of_a_plug_in():
    def stops(view: View) -> Mapping[str, Weight]:
        raise AssertionError("this cannot be")

    ours = type("Ours", (Toy,), {"__module__": "trimtab.rules.targets.ours"})
    with pytest.raises(AssertionError, match="this cannot be"):
        aim(ours(stops), None, MONDAY)
    (told,) = aim(Toy(stops), None, MONDAY).faults
    assert "The strategy toy failed (AssertionError: this cannot be)" in told


def test_weights_are_told_to_six_digits_and_add_up_to_one_exactly():
    third = Decimal(1) / 3
    first = aim(Toy(lambda _: {"stocks": third, "bonds": 1 - third}), None, MONDAY)
    assert first.targets == {"stocks": Decimal("0.333333"), "bonds": Decimal("0.666667")}


@pytest.mark.parametrize(
    ("every", "last", "today", "is_new"),
    [
        ("day", "2026-03-02", "2026-03-02", False),
        ("day", "2026-03-02", "2026-03-03", True),
        ("week", "2026-03-02", "2026-03-08", False),
        ("week", "2026-03-02", "2026-03-09", True),
        ("week", "2026-12-31", "2027-01-01", False),
        ("month", "2026-03-02", "2026-03-31", False),
        ("month", "2026-03-31", "2026-04-01", True),
        ("quarter", "2026-03-31", "2026-04-01", True),
        ("quarter", "2026-04-01", "2026-06-30", False),
        ("year", "2026-01-01", "2026-12-31", False),
        ("year", "2026-12-31", "2027-01-01", True),
    ],
)
def test_a_new_period_begins_with_the_calendars(every, last, today, is_new):
    assert is_new_period(every, dt.date.fromisoformat(last), dt.date.fromisoformat(today)) is is_new
