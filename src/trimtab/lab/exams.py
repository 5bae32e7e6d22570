"""The examination that every strategy sits: what a household relies on, whoever wrote the strategy.

Each exam is one promise of `trimtab.rules.targets.view.Strategy`, put to an invented household and
invented markets. Those of trimtab sit it, and a plug-in can, in its own tests:

    from trimtab.lab.exams import EXAMS, Candidate, examine

    def test_it_passes():
        assert examine(Candidate(MyStrategy.of)) == ()

    @pytest.mark.parametrize("exam", EXAMS, ids=str)
    def test_it_passes_the_exam(exam):
        exam(Candidate(MyStrategy.of))
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

import msgspec
import numpy as np

from trimtab.domain.aim import Layer
from trimtab.domain.errors import DataSuspect
from trimtab.domain.numbers import ONE, ZERO, Money, Weight
from trimtab.lab.exam_elsewhere import answers_elsewhere
from trimtab.lab.exam_room import (
    CASH,
    CLASSES,
    Answer,
    Candidate,
    Papers,
    Sitting,
    asked,
    copied,
    in_order,
    policy_of,
    told,
)
from trimtab.rules.targets.aim import Outlook, aim_of
from trimtab.rules.targets.view import Past, View
from trimtab.rules.words import listing

__all__ = ["CASH", "CLASSES", "EXAMS", "Candidate", "Exam", "ExamFailed", "examine"]

_NEAR = Weight("0.00001")
"""Weights that differ by less are the same: an optimizer's last digit, and the rounding."""
_UNEVEN = Weight("0.000001")
_RICHER = (Money(1_000), Money("0.01"))


class ExamFailed(AssertionError):
    """A strategy broke a promise; the sentence says which, and on what day."""


class Exam(NamedTuple):
    """One promise: `promise` in words, and `faults` that tell where a strategy breaks it."""

    name: str
    promise: str
    faults: Callable[[Papers], Iterator[str]]

    def __str__(self) -> str:
        return self.name

    def __call__(self, candidate: Candidate) -> None:
        """Let *candidate* sit the exam.

        Raises:
            ExamFailed: it does not keep the promise.
        """
        fault = self.fault(Papers(candidate))
        if fault is not None:
            raise ExamFailed(fault)

    def fault(self, papers: Papers) -> str | None:
        """What the candidate got wrong first, in one sentence; None if nothing."""
        first = next(self.faults(papers), None)
        return None if first is None else f"{self.name}: {first}, but {self.promise}."


def examine(candidate: Candidate) -> tuple[str, ...]:
    """A sentence for each exam that *candidate* fails; empty if it passes all.

    Takes a second or two, most of it for the exam in a fresh process.
    """
    papers = Papers(candidate)
    found = (exam.fault(papers) for exam in EXAMS)
    return tuple(fault for fault in found if fault is not None)


# ------------------------------------------------------------------ the answer


def _answers(papers: Papers) -> Iterator[str]:
    for sitting, answer in zip(papers.sittings, papers.answers, strict=True):
        if isinstance(answer, Exception):
            yield f"{_when(sitting)} it raised {_raised(answer)}"


def _names_itself(papers: Papers) -> Iterator[str]:
    name: object = _attribute(papers.candidate, "name")
    if not isinstance(name, str) or not name:
        yield f"its name is {name!r}"
    for sitting, layer in papers.layers:
        if layer.name != name:
            yield f'{_when(sitting)} the layer is called "{layer.name}" and the strategy "{name}"'


def _asks_for_sessions(papers: Papers) -> Iterator[str]:
    sessions, watches = (_attribute(papers.candidate, name) for name in ("sessions", "watches"))
    if type(sessions) is not int or sessions < 0:
        yield f"its sessions are {sessions!r}"
    if not isinstance(watches, bool):
        yield f"its watches is {watches!r}"


def _says_why(papers: Papers) -> Iterator[str]:
    for sitting, layer in papers.layers:
        if not layer.sentences or not all(one.strip() for one in layer.sentences):
            yield f"{_when(sitting)} its sentences are {layer.sentences!r}"


def _weighs_every_class(papers: Papers) -> Iterator[str]:
    for sitting, layer in papers.layers:
        odd_ones = sorted(set(layer.targets) ^ set(sitting.view.classes))
        if odd_ones:
            yield f"{_when(sitting)} look at {listing([str(one) for one in odd_ones])}"


def _weighs_in_decimals(papers: Papers) -> Iterator[str]:
    for sitting, layer in papers.layers:
        for name, weight in _told(layer).items():
            if not isinstance(weight, Decimal):
                yield f"{_when(sitting)} the weight of {name} is a {type(weight).__name__}"


def _none_below_zero(papers: Papers) -> Iterator[str]:
    for sitting, layer in papers.layers:
        for name, weight in _told(layer).items():
            if isinstance(weight, Decimal) and (not weight.is_finite() or weight < -_UNEVEN):
                yield f"{_when(sitting)} the weight of {name} is {weight}"


def _adds_up(papers: Papers) -> Iterator[str]:
    for sitting, layer in papers.layers:
        weights = _numbers(layer)
        known = [weights[name] for name in weights if name in sitting.view.classes]
        total = sum(known, ZERO) if len(known) == len(sitting.view.classes) else ONE
        if abs(total - ONE) > _UNEVEN:
            yield f"{_when(sitting)} its weights add up to {total:f}"


# ------------------------------------------------------------------ the same again


def _is_deterministic(papers: Papers) -> Iterator[str]:
    candidate = papers.candidate
    for sitting in papers.sittings:
        try:
            strategy = candidate.make(sitting.policy)
        except Exception:  # noqa: BLE001  an exam of its own says so
            return
        first = told(asked(candidate, sitting, strategy))
        if told(asked(candidate, sitting, strategy)) != first:
            yield f"{_when(sitting)} it was shown the same view twice and changed its mind"
        if told(asked(candidate, sitting)) != first:
            yield f"{_when(sitting)} a second one, made alike, had another answer"


def _is_the_same_elsewhere(papers: Papers) -> Iterator[str]:
    answers = answers_elsewhere(papers.candidate)
    for sitting, one, other in zip(papers.sittings, *answers, strict=False):
        if one != other:
            yield f"{_when(sitting)} two processes had two answers"


# ------------------------------------------------------------------ what it may know


def _does_not_look_ahead(papers: Papers) -> Iterator[str]:
    candidate = papers.candidate
    for sitting, answer in zip(papers.sittings, papers.answers, strict=True):
        shown, today, without = sitting.view, sitting.view.today, _weights(answer)
        known = shown.past._replace(returns=shown.past.returns.copy())
        in_force = _in_force(candidate, sitting, known)
        for future in _futures(sitting):
            # No copy: the rows after today lie in the memory behind the rows that are shown.
            view = copied(shown)._replace(past=future.until(today))
            if (
                _weights(_asked_as_is(candidate, sitting._replace(view=view))) != without
                or _in_force(candidate, sitting, future) != in_force
            ):
                yield f"{_when(sitting)} its answer changed with returns of later days"
        later = shown._replace(today=sitting.market.sessions[-1], past=sitting.market)
        if _asked_after(candidate, sitting, later) != _asked_after(candidate, sitting, shown):
            yield f"{_when(sitting)} its answer changed after it had been asked about a later day"


def _futures(sitting: Sitting) -> Iterator[Past]:
    """The same past before three ways to go on."""
    sessions, count = sitting.market.sessions, len(sitting.view.past.sessions)
    for after in (None, -0.5, np.nan):
        returns = sitting.market.returns.copy()
        if after is not None:
            returns[count:] = after
        yield Past(sessions, returns)


def _asked_as_is(candidate: Candidate, sitting: Sitting) -> Answer:
    try:
        return candidate.make(sitting.policy).wants(sitting.view)
    except Exception as error:  # noqa: BLE001  whatever a stranger's code raises is its answer
        return error


def _in_force(candidate: Candidate, sitting: Sitting, past: Past) -> Mapping[str, str] | None:
    """The targets that the cycle takes from the strategy."""
    view = sitting.view
    try:
        outlook = Outlook((candidate.make(sitting.policy),), past, view.cash)
        aim = aim_of(sitting.policy, outlook, None, view.today, view.savings)
    except Exception:  # noqa: BLE001  other exams say so
        return None
    return None if aim is None else {name: str(one) for name, one in aim.targets.items()}


def _asked_after(candidate: Candidate, sitting: Sitting, before: View) -> Mapping[str, str] | None:
    """What a strategy says that was asked about another view *before*."""
    try:
        strategy = candidate.make(sitting.policy)
    except Exception:  # noqa: BLE001  an exam of its own says so
        return None
    asked(candidate, sitting._replace(view=before), strategy)
    return _weights(asked(candidate, sitting, strategy))


def _asks_for_what_it_uses(papers: Papers) -> Iterator[str]:
    wanted = _attribute(papers.candidate, "sessions")
    if type(wanted) is not int or wanted < 0:
        return
    for sitting, answer in zip(papers.sittings, papers.answers, strict=True):
        past = sitting.view.past
        first = max(0, len(past.sessions) - wanted)
        short = Past(past.sessions[first:], past.returns[first:])
        less = sitting._replace(view=sitting.view._replace(past=short))
        apart = _apart(answer, asked(papers.candidate, less))
        if apart:
            yield f"{_when(sitting)} it was shown more than its {wanted} sessions: {apart}"


def _takes_any_order(papers: Papers) -> Iterator[str]:
    for sitting, answer in zip(papers.sittings, papers.answers, strict=True):
        classes = sitting.view.classes
        for order in (classes[::-1], classes[2:] + classes[:2]):
            apart = _apart(answer, asked(papers.candidate, in_order(sitting, order)))
            if apart:
                yield f"{_when(sitting)} with the classes as {listing(list(order))}: {apart}"


def _takes_any_amount(papers: Papers) -> Iterator[str]:
    if not papers.candidate.is_scale_free:
        return
    for sitting, answer in zip(papers.sittings, papers.answers, strict=True):
        for factor in _RICHER:
            view = _richer(sitting.view, factor)
            apart = _apart(answer, asked(papers.candidate, sitting._replace(view=view)))
            if apart:
                yield f"{_when(sitting)} with {factor} times the money: {apart}"


def _richer(view: View, factor: Money) -> View:
    had = view.savings
    return view._replace(
        savings=had._replace(
            value=had.value * factor,
            held={name: money * factor for name, money in had.held.items()},
            kept=had.kept * factor,
            reserve=None if had.reserve is None else had.reserve * factor,
        )
    )


def _keeps_cash(papers: Papers) -> Iterator[str]:
    if not papers.candidate.keeps_cash:
        return
    for sitting, layer in papers.layers:
        cash = sitting.view.cash
        if cash is None:
            continue
        base = sitting.view.base[cash]
        wants = _numbers(layer).get(cash, base)
        if abs(wants - base) > _UNEVEN:
            yield f"{_when(sitting)} {cash} went from {base:f} to {wants:f}"


# ------------------------------------------------------------------ when something is amiss


def _doubts_little_past(papers: Papers) -> Iterator[str]:
    return _other_than_doubt(papers.early)


def _bears_odd_data(papers: Papers) -> Iterator[str]:
    return _other_than_doubt(papers.rare)


def _other_than_doubt(answers: list[tuple[Sitting, Answer]]) -> Iterator[str]:
    for sitting, answer in answers:
        if isinstance(answer, Exception) and not isinstance(answer, DataSuspect):
            yield f"{_when(sitting)} it raised {_raised(answer)}"


def _survives_the_journal(papers: Papers) -> Iterator[str]:
    for sitting, answer in papers.layers:
        try:
            kept = msgspec.json.decode(msgspec.json.encode(answer), type=Layer)
        except (TypeError, ValueError, msgspec.MsgspecError) as error:
            yield f"{_when(sitting)} its layer could not be written as JSON and read ({error})"
            continue
        if kept.state != answer.state or kept.figures != answer.figures:
            yield f"{_when(sitting)} its state or figures came back from JSON as something else"


def _changes_nothing(papers: Papers) -> Iterator[str]:
    for sitting in papers.sittings:
        shown, before = copied(sitting.view), sitting.view
        _asked_as_is(papers.candidate, sitting._replace(view=shown))
        changed = [
            name
            for name in View._fields
            if name != "past" and getattr(shown, name) != getattr(before, name)
        ]
        if not np.array_equal(shown.past.returns, before.past.returns, equal_nan=True):
            changed.append("past")
        if changed:
            yield f"{_when(sitting)} it changed the {listing(changed)} of its view"


# ------------------------------------------------------------------ helpers


def _attribute(candidate: Candidate, name: str) -> object:
    try:
        found: object = getattr(candidate.make(policy_of(candidate.rule)), name)
    except Exception as error:  # noqa: BLE001  shown as what it is
        return error
    return found


def _weights(answer: Answer) -> Mapping[str, str] | None:
    """The weights to the last digit; as text, in which what is no number is like itself."""
    if not isinstance(answer, Layer):
        return None
    return {name: str(weight) for name, weight in _told(answer).items()}


def _told(layer: Layer) -> Mapping[str, object]:
    """The weights, which may be anything."""
    return layer.targets


def _numbers(layer: Layer) -> dict[str, Weight]:
    """The weights that are numbers; those that are none fail exams of their own."""
    kinds = (int, float, Decimal)
    numbers = {name: Decimal(one) for name, one in _told(layer).items() if isinstance(one, kinds)}
    return {name: number for name, number in numbers.items() if number.is_finite()}


def _apart(first: Answer, second: Answer) -> str:
    """Where two answers differ, empty where they do not."""
    if not isinstance(first, Layer) or not isinstance(second, Layer):
        alike = isinstance(first, Layer) == isinstance(second, Layer)
        return "" if alike else "it had an answer only once"
    one, other = _numbers(first), _numbers(second)
    for name in sorted(one.keys() & other.keys()):
        if abs(one[name] - other[name]) > _NEAR:
            return f"{name} was {one[name]:.6f} and then {other[name]:.6f}"
    return ""


def _when(sitting: Sitting) -> str:
    return f"{sitting.what} ({sitting.view.today})"


def _raised(error: Exception) -> str:
    text = str(error).rstrip(".")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


EXAMS: tuple[Exam, ...] = (
    Exam("answers", "with a whole past there must be an answer", _answers),
    Exam("names-itself", "a layer carries the name of its strategy", _names_itself),
    Exam("asks-for-sessions", "it asks for so many sessions, or for none", _asks_for_sessions),
    Exam("says-why", "the owner is owed a sentence", _says_why),
    Exam("weighs-every-class", "each class has one weight, no other has one", _weighs_every_class),
    Exam("weighs-in-decimals", "weights are decimals", _weighs_in_decimals),
    Exam("none-below-zero", "no weight is below zero", _none_below_zero),
    Exam("adds-up-to-one", "weights add up to 1", _adds_up),
    Exam("same-view-same-answer", "the same view has the same answer", _is_deterministic),
    Exam("same-elsewhere", "a fresh process has the same answer", _is_the_same_elsewhere),
    Exam("no-look-ahead", "nobody knows the days to come", _does_not_look_ahead),
    Exam("asks-for-what-it-uses", "it sees no more than it asks for", _asks_for_what_it_uses),
    Exam("any-order", "the order of the classes means nothing", _takes_any_order),
    Exam("any-amount", "it promised that the amount does not matter", _takes_any_amount),
    Exam("keeps-cash", "it promised to leave cash alone", _keeps_cash),
    Exam("little-past", "without enough past it raises DataSuspect", _doubts_little_past),
    Exam("odd-data", "it answers or raises DataSuspect", _bears_odd_data),
    Exam("survives-the-journal", "it remembers what JSON can hold", _survives_the_journal),
    Exam("changes-nothing", "what it is shown is not its own", _changes_nothing),
)
"""Every exam, in the order in which failures are best mended."""
