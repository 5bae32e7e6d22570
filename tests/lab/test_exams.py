"""The examination of strategies: ours pass, and each kind of bad one fails its own exam."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pytest

from trimtab.domain.aim import Layer
from trimtab.domain.aims import BoundRule, CppiRule, MinimumVarianceRule, MomentumRule, StrategyRule
from trimtab.domain.errors import DataSuspect
from trimtab.domain.numbers import ONE, ZERO, Weight
from trimtab.domain.policy import Policy
from trimtab.lab.exam_room import CASH, CLASSES, Candidate, Maker, invented, ordinary, policy_of
from trimtab.lab.exams import EXAMS, ExamFailed, examine
from trimtab.rules.targets.guarded import Cppi
from trimtab.rules.targets.least_variance import LeastVariance
from trimtab.rules.targets.tilted import Momentum
from trimtab.rules.targets.view import View

BOUNDED = StrategyRule(
    minimum_variance=MinimumVarianceRule(
        covariance="constant_correlation",
        sessions=252,
        bounds=(BoundRule(classes=("bonds",), most=Decimal("0.50")),),
    ),
    momentum=MomentumRule(within="variance", sessions=252),
    cppi=CppiRule(floor="reserve", multiplier=Decimal(4)),
)
IN_DOLLARS = StrategyRule(cppi=CppiRule(floor="fixed", amount=Decimal(200_000)))


@pytest.mark.parametrize(
    "candidate",
    [
        pytest.param(Candidate(LeastVariance.of), id="minimum variance"),
        pytest.param(Candidate(LeastVariance.of, BOUNDED), id="minimum variance, bounded"),
        pytest.param(Candidate(Momentum.of), id="momentum"),
        pytest.param(Candidate(Momentum.of, BOUNDED), id="momentum in a variance band"),
        pytest.param(Candidate(Cppi.of, keeps_cash=False), id="CPPI over a ratchet"),
        pytest.param(Candidate(Cppi.of, BOUNDED, keeps_cash=False), id="CPPI over the reserve"),
        pytest.param(
            Candidate(Cppi.of, IN_DOLLARS, keeps_cash=False, is_scale_free=False),
            id="CPPI over a sum of money",
        ),
    ],
)
def test_the_strategies_of_trimtab_pass_every_exam(candidate):
    assert examine(candidate) == ()


@pytest.mark.parametrize("exam", EXAMS, ids=str)
def test_an_exam_can_be_sat_alone(exam):
    exam(Candidate(LeastVariance.of))


def test_a_floor_in_dollars_cannot_promise_that_the_amount_does_not_matter():
    (fault,) = examine(Candidate(Cppi.of, IN_DOLLARS, keeps_cash=False))
    assert fault.startswith("any-amount: on an ordinary day (")
    assert fault.endswith(", but it promised that the amount does not matter.")


def test_a_guard_that_moves_cash_cannot_promise_to_keep_it():
    (fault,) = examine(Candidate(Cppi.of))
    assert fault.startswith("keeps-cash: ")


# ------------------------------------------------------------------ bad strategies


class Bad(NamedTuple):
    """Wants the base, but for what `answer` does to it."""

    answer: Callable[[View, Layer], Layer]
    name: Any = "bad"
    sessions: Any = 252
    watches: bool = False

    def wants(self, view: View) -> Layer:
        return self.answer(
            view, Layer(name="bad", targets=dict(view.base), sentences=("As it is.",))
        )


def of(answer: Callable[[View, Layer], Any], **attributes: Any) -> Maker:
    return lambda _: Bad(answer, **attributes)


def aiming(layer: Layer, targets: Mapping[str, Any], **rest: Any) -> Layer:
    return Layer(name="bad", targets=dict(targets), sentences=layer.sentences, **rest)


def shifted(layer: Layer, amount: float | Weight, source: str = "bonds") -> Layer:
    """*amount* moved into stocks; nothing is taken where nothing is."""
    amount = min(Decimal(amount), layer.targets[source])
    moved = {"stocks": layer.targets["stocks"] + amount, source: layer.targets[source] - amount}
    return aiming(layer, layer.targets | moved)


def silent(view, layer):
    raise DataSuspect("Nothing is ever enough.")


def crashes_early(view, layer):
    if len(view.past.sessions) < 20:
        raise IndexError("list index out of range")
    return layer


def crashes_when_poor(view, layer):
    if view.savings.value <= 0:
        raise ZeroDivisionError("division by zero")
    return layer


def forgets_a_class(view, layer):
    rest = {name: weight for name, weight in layer.targets.items() if name != "gold"}
    return aiming(layer, rest | {"bonds": rest["bonds"] + layer.targets["gold"]})


def in_floats(view, layer):
    return aiming(layer, {name: float(weight) for name, weight in layer.targets.items()})


def short_of_gold(view, layer):
    short = layer.targets["gold"] + Decimal("0.01")
    moved = {"gold": Decimal("-0.01"), "bonds": layer.targets["bonds"] + short}
    return aiming(layer, layer.targets | moved)


def not_a_number(view, layer):
    return aiming(layer, layer.targets | {"gold": Decimal("NaN")})


def too_much(view, layer):
    return aiming(layer, layer.targets | {"gold": layer.targets["gold"] + Decimal("0.01")})


class Moody:
    """Counts how often it is asked."""

    name, sessions, watches = "bad", 252, False

    def __init__(self) -> None:
        self.asked = 0

    def wants(self, view: View) -> Layer:
        self.asked += 1
        layer = Layer(
            name="bad", targets=dict(view.base), sentences=(f"Asked {self.asked} times.",)
        )
        return layer if self.asked % 2 else shifted(layer, 0.01)


class Keeper:
    """Keeps the longest past that it was ever shown."""

    name, sessions, watches = "bad", 252, False

    def __init__(self) -> None:
        self.longest = 0

    def wants(self, view: View) -> Layer:
        self.longest = max(self.longest, view.today.toordinal())
        layer = Layer(name="bad", targets=dict(view.base), sentences=("I remember.",))
        return shifted(layer, 0.01) if self.longest > view.today.toordinal() else layer


def by_hash(policy: Policy) -> Bad:
    """Favours whichever class a set happens to give first."""

    def answer(view: View, layer: Layer) -> Layer:
        first = next(iter({"gold", "bonds", "world", "stocks", "silver", "copper", "tin", "lead"}))
        return shifted(layer, len(first) * Decimal("0.01") + ord(first[-1]) * Decimal("0.0001"))

    return Bad(answer)


def behind_the_past(view, layer):
    """The rows that are shown are a slice; the rest of the array lies behind it."""
    whole = view.past.returns if view.past.returns.base is None else view.past.returns.base
    later = whole[len(view.past.sessions) :]
    return shifted(layer, 0.02) if len(later) and np.nansum(later) < 0 else layer


def more_than_asked(view, layer):
    return shifted(layer, 0.02) if len(view.past.sessions) > 252 else layer


def by_place(view, layer):
    """Favours the class that comes first in the file."""
    return shifted(layer, 0.02) if view.classes[0] == "stocks" else layer


def richer_bolder(view, layer):
    return shifted(layer, 0.02) if view.savings.value > 1_000_000 else layer


def spends_cash(view, layer):
    return shifted(layer, 0.02, CASH) if view.cash is not None else layer


def numbers_in_its_state(view, layer):
    return aiming(layer, layer.targets, state={"looks": 3})


def endless_figure(view, layer):
    return aiming(layer, layer.targets, figures={"sharpe": float("nan")})


def writes_into_the_past(view, layer):
    view.past.returns[np.isnan(view.past.returns)] = 0.0
    view.past.returns[:1] = 0.0
    return layer


def writes_into_the_base(view, layer):
    view.base["stocks"] = ZERO
    return layer


def without_a_word(view, layer):
    return Layer(name="bad", targets=layer.targets)


def another_name(view, layer):
    return Layer(name="worse", targets=layer.targets, sentences=layer.sentences)


@pytest.mark.parametrize(
    ("make", "exam", "says"),
    [
        (of(silent), "answers", "it raised DataSuspect: Nothing is ever enough"),
        (of(another_name), "names-itself", 'the layer is called "worse" and the strategy "bad"'),
        (of(lambda _, layer: layer, sessions="all"), "asks-for-sessions", "its sessions are 'all'"),
        (of(without_a_word), "says-why", "its sentences are ()"),
        (of(forgets_a_class), "weighs-every-class", "look at gold"),
        (of(in_floats), "weighs-in-decimals", "the weight of stocks is a float"),
        (of(short_of_gold), "none-below-zero", "the weight of gold is -0.01"),
        (of(not_a_number), "none-below-zero", "the weight of gold is NaN"),
        (of(too_much), "adds-up-to-one", "its weights add up to 1.01"),
        (lambda _: Moody(), "same-view-same-answer", "shown the same view twice"),
        (by_hash, "same-elsewhere", "two processes had two answers"),
        (of(behind_the_past), "no-look-ahead", "changed with returns of later days"),
        (lambda _: Keeper(), "no-look-ahead", "after it had been asked about a later day"),
        (
            of(more_than_asked),
            "asks-for-what-it-uses",
            "shown more than its 252 sessions: bonds was",
        ),
        (of(by_place), "any-order", "bonds was"),
        (of(richer_bolder), "any-amount", "with 1000 times the money"),
        (of(spends_cash), "keeps-cash", "cash went from"),
        (of(crashes_early), "little-past", "with 0 past sessions"),
        (of(crashes_when_poor), "odd-data", "where nothing is saved yet"),
        (of(numbers_in_its_state), "survives-the-journal", "could not be written as JSON and read"),
        (of(endless_figure), "survives-the-journal", "as JSON"),
        (of(writes_into_the_past), "changes-nothing", "it changed the past of its view"),
        (of(writes_into_the_base), "changes-nothing", "it changed the base of its view"),
    ],
)
def test_a_strategy_that_breaks_one_promise_fails_that_exam_alone(make, exam, says):
    faults = examine(Candidate(make))
    assert [fault.split(":")[0] for fault in faults] == [exam]
    assert says in faults[0]
    assert "\n" not in faults[0]


def test_every_exam_is_failed_by_some_bad_strategy():
    (mark,) = test_a_strategy_that_breaks_one_promise_fails_that_exam_alone.pytestmark
    assert {exam for _, exam, _ in mark.args[1]} == {exam.name for exam in EXAMS}


def test_a_maker_that_fails_is_told_by_the_exam_of_answers():
    def broken(policy):
        raise KeyError("sessions")

    faults = examine(Candidate(broken))
    assert faults[0].startswith("answers: on an ordinary day (")
    assert "KeyError: 'sessions'" in faults[0]


def test_an_answer_that_is_no_layer_is_told():
    faults = examine(Candidate(of(lambda *_: {"stocks": ONE})))
    assert "it raised TypeError: the answer is a dict, not a Layer" in faults[0]


def test_a_failed_exam_raises_its_sentence():
    (exam,) = (exam for exam in EXAMS if exam.name == "adds-up-to-one")
    with pytest.raises(ExamFailed, match=r"add up to 1\.0100, but weights add up to 1\.$"):
        exam(Candidate(of(too_much)))


def test_a_maker_without_a_name_sits_no_exam_in_another_process():
    assert examine(Candidate(partial(by_hash))) == ()


# ------------------------------------------------------------------ the room


def test_the_invented_market_is_the_same_in_whatever_order_its_classes_are():
    there, back = invented(CLASSES, 300, 7), invented(CLASSES[::-1], 300, 7)
    assert there.sessions == back.sessions
    assert np.array_equal(there.returns, back.returns[:, ::-1])
    assert not there.returns[:, CLASSES.index(CASH)].any()


def test_the_invented_market_moves_as_it_says():
    returns = invented(CLASSES, 12_600, 3).returns
    yearly = returns.std(axis=0) * np.sqrt(252)
    assert yearly == pytest.approx([0.16, 0.18, 0.15, 0.06, 0.0], rel=0.05)
    assert np.corrcoef(returns[:, 0], returns[:, 1])[0, 1] == pytest.approx(0.95 * 0.80, abs=0.02)


def test_what_is_shown_on_an_ordinary_day_is_sound():
    for sitting in ordinary(Candidate(LeastVariance.of)):
        view = sitting.view
        assert sum(view.base.values()) == ONE
        assert view.past.sessions[-1] == view.today < sitting.market.sessions[-1]
        assert max(day.weekday() for day in view.past.sessions) < 5
        assert np.isfinite(view.past.returns).all()


def test_the_household_without_cash_has_targets_that_add_up_to_one():
    classes = tuple(name for name in CLASSES if name != CASH)
    policy = policy_of(StrategyRule(), classes)
    assert sum(rule.target for rule in policy.classes.values()) == ONE
