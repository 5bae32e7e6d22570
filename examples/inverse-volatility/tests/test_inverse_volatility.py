"""What this strategy promises, and the promises that every strategy makes."""

from decimal import Decimal

import pytest
from trimtab_inverse_volatility import InverseVolatility

from trimtab.domain.aims import StrategyRule
from trimtab.domain.errors import InputError
from trimtab.lab.exam_room import CLASSES, ordinary, policy_of
from trimtab.lab.exams import EXAMS, Candidate, Exam

OURS = Candidate(InverseVolatility.of)


@pytest.mark.parametrize("exam", EXAMS, ids=str)
def test_it_passes_the_exam(exam: Exam) -> None:
    exam(OURS)


def test_weight_times_volatility_is_the_same_for_every_class() -> None:
    for sitting in ordinary(OURS):
        layer = InverseVolatility().wants(sitting.view)
        risks = [
            float(layer.targets[name]) * layer.figures[f"volatility_of_{name}"]
            for name in sitting.view.classes
            if name != sitting.view.cash
        ]
        assert risks == pytest.approx([risks[0]] * len(risks), rel=1e-4)


def test_bonds_that_move_a_third_as_much_have_three_times_the_weight() -> None:
    view = ordinary(OURS)[0].view
    returns = view.past.returns.copy()
    returns[:, CLASSES.index("bonds")] = returns[:, CLASSES.index("stocks")] / 3
    layer = InverseVolatility().wants(view._replace(past=view.past._replace(returns=returns)))
    assert layer.targets["bonds"] / layer.targets["stocks"] == pytest.approx(
        Decimal(3), rel=Decimal("0.0001")
    )


def made(**settings: str) -> InverseVolatility:
    rule = StrategyRule(settings={"inverse_volatility": settings})
    return InverseVolatility.of(policy_of(rule))


def test_a_setting_of_the_household_reaches_it() -> None:
    assert made().sessions == 252
    assert made(sessions="63").sessions == 63


@pytest.mark.parametrize("text", ["12", "-5", "many", "2.5"])
def test_a_setting_that_is_no_number_of_sessions_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(InputError, match='from 20; write "252"'):
        made(sessions=text)


def test_a_setting_that_it_does_not_know_is_refused() -> None:
    with pytest.raises(InputError, match="window is no setting"):
        made(window="63")
