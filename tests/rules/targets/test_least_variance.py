"""The strategy `minimum_variance`: what it weighs, what it leaves, and when it stays."""

import math
from decimal import Decimal
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rules.targets.views import BASE, CLASSES, invented, view_of, weights

from trimtab.domain.aims import BoundRule, MinimumVarianceRule
from trimtab.domain.errors import DataSuspect, StrategyFault
from trimtab.domain.numbers import Weight
from trimtab.rules.targets.aim import checked
from trimtab.rules.targets.least_variance import LeastVariance
from trimtab.rules.targets.view import Past

COST = Decimal("0.005")
PAST = invented(300)
KINDS = ("constant_correlation", "ledoit_wolf", "exponential", "sample")


def strategy(cost: Weight = COST, **rule: object) -> LeastVariance:
    return LeastVariance(MinimumVarianceRule(**rule), cost)  # type: ignore[arg-type]  # tests name fields


def bound(*classes: str, least: str = "0", most: str = "1") -> BoundRule:
    return BoundRule(classes=classes, least=Decimal(least), most=Decimal(most))


def test_cash_keeps_its_own_target_and_the_rest_adds_up_to_what_it_leaves():
    wanted = strategy().wants(view_of(PAST)).targets
    assert wanted["cash"] == Decimal("0.10")
    assert sum(wanted.values()) == 1
    assert wanted["bonds"] > Decimal("0.7")
    assert min(wanted.values()) >= 0


def test_without_cash_everything_is_weighed_and_no_bound_gives_the_closed_form():
    classes = ("stocks", "world", "bonds")
    base = weights(stocks="0.5", world="0.2", bonds="0.3")
    returns = invented(300, classes=classes) * np.array([1.0, 1.0, 3.0])
    view = view_of(returns, classes=classes, base=base, cash=None)
    wanted = strategy(covariance="sample").wants(view).targets
    inverse = np.linalg.inv(np.cov(returns.T))
    free = inverse.sum(axis=1) / inverse.sum()
    assert free.min() > 0, "so that no bound binds"
    assert [float(wanted[name]) for name in classes] == pytest.approx(free, abs=2e-6)
    assert sum(wanted.values()) == 1


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    most=st.integers(20, 90),
    least=st.integers(0, 15),
    kind=st.sampled_from(KINDS),
)
def test_bounds_of_one_class_and_of_several_are_kept(seed, most, least, kind):
    bounds = (
        bound("bonds", most=f"0.{most}"),
        bound("stocks", "world", least=f"0.{least:02}", most="0.85"),
        bound("world", least="0.05"),
    )
    view = view_of(invented(120, seed))
    layer = strategy(bounds=bounds, covariance=kind).wants(view)
    wanted = checked(layer, view.classes).targets
    close = Decimal("0.000002")
    assert wanted["bonds"] <= Decimal(f"0.{most}") + close
    assert wanted["world"] >= Decimal("0.05") - close
    assert wanted["stocks"] + wanted["world"] >= Decimal(f"0.{least:02}") - close
    assert wanted["cash"] == Decimal("0.10")
    assert sum(wanted.values()) == 1


@pytest.mark.parametrize("order", list(permutations(CLASSES))[::5], ids="-".join)
def test_the_weights_follow_the_classes_when_these_are_given_in_another_order(order):
    bounds = (bound("bonds", most="0.5"), bound("stocks", "world", most="0.8"))
    one = strategy(bounds=bounds).wants(view_of(PAST)).targets
    base = {name: Decimal(BASE[name]) for name in order}
    other = strategy(bounds=bounds).wants(
        view_of(invented(300, classes=order), classes=order, base=base)
    )
    assert list(other.targets) == list(order)
    for name in CLASSES:
        assert abs(other.targets[name] - one[name]) <= Decimal("0.000002")


def test_a_class_at_its_bound_is_named_and_one_at_zero_by_nature_is_not():
    told = " ".join(strategy(bounds=(bound("bonds", most="0.4"),)).wants(view_of(PAST)).sentences)
    assert "bonds stands at its bound." in told
    assert "bound" not in " ".join(strategy().wants(view_of(PAST)).sentences)


def test_classes_that_are_bounded_together_are_named_together():
    bounds = (bound("stocks", "world", least="0.30"), bound("bonds", most="0.88"))
    told = strategy(bounds=bounds).wants(view_of(PAST)).sentences
    assert "stocks and world together stand at their bound." in told
    assert not any("bonds stands" in one for one in told)


@pytest.mark.parametrize("kind", KINDS)
def test_the_volatility_told_is_that_of_the_weights_over_the_sessions(kind):
    returns = invented(60) * np.array([1.0, 9.0, 1.0, 1.0])
    layer = strategy(covariance=kind).wants(view_of(returns))
    held = np.array([float(layer.targets[name]) for name in CLASSES])
    moved = float((returns @ held).std(ddof=1)) * math.sqrt(252)
    assert layer.figures["volatility_in_sample"] == pytest.approx(moved, rel=1e-4)
    assert layer.figures["observations"] == 60
    assert f"moved {100 * moved:.2f} % a year" in layer.sentences[0]


def test_what_to_expect_is_a_most_for_a_mix_within_bounds():
    layer = strategy().wants(view_of(invented(60)))
    figures = layer.figures
    assert figures["volatility_in_sample"] < figures["volatility_expected_most"]
    most = f"on average at most {100 * figures['volatility_expected_most']:.2f} %"
    assert "flatters" in layer.sentences[1]
    assert most in layer.sentences[1]


def test_the_default_estimate_leaves_the_volatility_of_calm_classes_as_it_was():
    wild = invented(300) * np.array([8.0, 1.0, 1.0, 1.0])
    problem = strategy().problem(view_of(wild))
    moved = wild[:, :3].std(axis=0) * math.sqrt(252)
    assert problem.estimate.volatilities == pytest.approx(moved, rel=1e-9)
    assert problem.estimate.kind == "Ledoit-Wolf towards the constant correlation"
    lifted = strategy(covariance="ledoit_wolf").problem(view_of(wild)).estimate.volatilities
    assert lifted[2] > 1.1 * moved[2]


def test_classes_whose_prices_seem_stuck_are_told_and_move_nothing():
    returns = invented(300)
    returns[-60:, 0] = 0.0
    with pytest.raises(DataSuspect, match=r"^stocks did not move on 60 sessions, .* to 2026-03-02"):
        strategy().wants(view_of(returns))


def test_a_move_that_costs_more_than_it_is_worth_is_not_wanted():
    best = strategy().wants(view_of(PAST)).targets
    near = dict(best) | {
        "bonds": best["bonds"] - Decimal("0.03"),
        "stocks": best["stocks"] + Decimal("0.03"),
    }
    kept = strategy().wants(view_of(PAST, last=near))
    assert kept.targets == near
    assert "The weights of the last time stay" in kept.sentences[-1]
    assert strategy(cost=Decimal(0)).wants(view_of(PAST, last=near)).targets == best


def test_a_move_too_small_to_print_is_no_move_of_nothing():
    best = strategy().wants(view_of(PAST)).targets
    step = Decimal("0.0001")
    near = dict(best) | {"bonds": best["bonds"] - step, "stocks": best["stocks"] + step}
    told = strategy().wants(view_of(PAST, last=near)).sentences[-1]
    assert told.startswith("The weights of the last time stay: ")
    assert told.endswith("those wanted now differ by less than a tenth of a percent.")
    assert "moving 0.0 %" not in told


def test_a_move_that_is_worth_its_cost_is_wanted():
    best = strategy().wants(view_of(PAST)).targets
    risky = weights(stocks="0.8", world="0.05", bonds="0.05", cash="0.10")
    assert strategy().wants(view_of(PAST, last=risky)).targets == best
    assert strategy(cost=Decimal(1)).wants(view_of(PAST, last=risky)).targets == risky


def test_a_new_bound_is_kept_whatever_the_move_costs():
    best = strategy().wants(view_of(PAST)).targets
    assert best["bonds"] > Decimal("0.6")
    alone = strategy(cost=Decimal(1), bounds=(bound("bonds", most="0.6"),))
    assert alone.wants(view_of(PAST, last=best)).targets["bonds"] == Decimal("0.6")
    together = strategy(cost=Decimal(1), bounds=(bound("bonds", "world", most="0.5"),))
    wanted = together.wants(view_of(PAST, last=best)).targets
    assert wanted["bonds"] + wanted["world"] <= Decimal("0.500002")


def test_another_target_of_cash_moves_the_others_whatever_it_costs():
    last = weights(stocks="0.1", world="0.1", bonds="0.7", cash="0.1")
    base = weights(stocks="0.40", world="0.10", bonds="0.30", cash="0.20")
    wanted = strategy(cost=Decimal(1)).wants(view_of(PAST, base=base, last=last)).targets
    assert wanted["cash"] == Decimal("0.20")
    assert sum(wanted.values()) == 1


def test_nineteen_sessions_are_too_few_and_twenty_are_not():
    with pytest.raises(DataSuspect, match=r"needs 20 sessions .* there are 19"):
        strategy().wants(view_of(invented(19)))
    assert sum(strategy().wants(view_of(invented(20))).targets.values()) == 1


def test_sessions_in_which_a_class_has_no_price_do_not_count():
    returns = invented(60)
    returns[:45, 0] = np.nan
    with pytest.raises(DataSuspect, match="there are 15"):
        strategy().wants(view_of(returns))


def test_a_past_that_cannot_be_told_says_why():
    doubtful = Past((), np.empty((0, 4)), "VTI has no prices.")
    with pytest.raises(DataSuspect, match=r"^VTI has no prices\.$"):
        strategy().wants(view_of(PAST, past=doubtful))


def test_a_household_of_nothing_but_cash_has_nothing_to_weigh():
    with pytest.raises(DataSuspect, match="no class but cash"):
        strategy().wants(view_of(np.zeros((30, 1)), classes=("cash",), base=weights(cash="1")))


def test_bounds_that_leave_no_mix_are_a_fault_of_the_file():
    with pytest.raises(StrategyFault, match=r"strategy\.minimum_variance\.bounds: .*bonds"):
        strategy(bounds=(bound("bonds", least="0.95"),)).wants(view_of(PAST))


def test_only_the_sessions_of_the_rule_are_seen():
    wild = np.vstack([invented(200, 2) * 30, PAST])
    assert strategy(sessions=300).wants(view_of(wild)).targets == (
        strategy(sessions=300).wants(view_of(PAST)).targets
    )


@settings(max_examples=30)
@given(
    cash=st.integers(0, 30),
    least=st.integers(0, 40),
    most=st.integers(41, 90),
    others=st.sampled_from([("bonds",), ("stocks", "world"), ("stocks",)]),
)
def test_a_bound_that_names_cash_is_kept_with_the_cash(cash, least, most, others):
    part = Decimal(cash) / 100
    base = dict.fromkeys(CLASSES[:3], (1 - part) / 3) | {"cash": part}
    one = bound(*others, "cash", least=f"0.{least:02}", most=f"0.{most:02}")
    view = view_of(PAST, base=base)
    wanted = checked(strategy(bounds=(one,)).wants(view), view.classes).targets
    together = sum(wanted[name] for name in one.classes)
    close = Decimal("0.000002")
    assert wanted["cash"] == part.quantize(close)
    assert one.least - close <= together <= one.most + close


def test_what_cash_takes_of_a_bound_is_said():
    one = bound("bonds", "cash", least="0.15", most="0.5")
    layer = strategy(bounds=(one,)).wants(view_of(PAST))
    assert layer.targets["bonds"] == Decimal("0.400000")
    assert layer.sentences[-1] == (
        "Of what bonds and cash may have together, cash has 10.0 %: that leaves at least 5.0 % and "
        "at most 40.0 % to the rest."
    )


def test_a_last_mix_that_broke_a_bound_with_cash_in_it_does_not_stay():
    one = bound("bonds", "cash", most="0.5")
    best = strategy().wants(view_of(PAST)).targets
    wanted = strategy(cost=Decimal(1), bounds=(one,)).wants(view_of(PAST, last=best)).targets
    assert wanted["bonds"] + wanted["cash"] <= Decimal("0.500002")


def test_more_cash_than_a_bound_allows_is_a_fault_of_the_file():
    one = bound("bonds", "cash", most="0.05")
    with pytest.raises(StrategyFault) as caught:
        strategy(bounds=(one,)).wants(view_of(PAST))
    assert str(caught.value) == (
        "strategy.minimum_variance.bounds: bonds and cash may have 5.0 % together, and cash alone "
        "has 10.0 % of it. Mend the bounds in household.toml."
    )
