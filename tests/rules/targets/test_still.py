"""Prices that seem stuck: told by a class's own record, and never of what is as good as cash."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rules.targets.views import LAST, invented, sessions_before

from trimtab.rules.targets.still import stuck, stuck_sentences
from trimtab.rules.targets.view import Floats, Past

COUNT = 756
DAYS = sessions_before(LAST, COUNT)
seeds = st.integers(0, 10_000)


def moving(seed: int = 0, volatility: float = 0.01) -> Floats:
    return np.random.default_rng(seed).normal(size=COUNT) * volatility


def test_a_price_that_has_stayed_for_months_seems_stuck_and_the_days_are_told():
    returns = moving()
    returns[-91:] = 0.0
    found = stuck(DAYS, returns, is_safe=False)
    assert found == (91, DAYS[-91], LAST)


def test_two_weeks_seem_stuck_and_a_day_less_does_not():
    for run, is_stuck in ((10, True), (9, False)):
        returns = moving()
        returns[300 : 300 + run] = 0.0
        assert (stuck(DAYS, returns, is_safe=False) is not None) == is_stuck


@pytest.mark.parametrize("every", [2, 5, 21, 63], ids=["days", "weekly", "monthly", "quarterly"])
def test_a_fund_that_is_priced_now_and_then_keeps_its_own_pace(every):
    returns = np.zeros(COUNT)
    returns[::every] = moving()[::every]
    assert stuck(DAYS, returns, is_safe=False) is None


@given(seeds, st.floats(0.0, 0.6))
def test_days_that_stay_by_chance_are_no_fault(seed, part):
    returns = moving(seed)
    returns[np.random.default_rng(seed).random(COUNT) < part] = 0.0
    assert stuck(DAYS, returns, is_safe=False) is None


@given(seeds, st.floats(0.0, 0.5), st.integers(60, 400))
def test_three_months_at_one_price_are_always_found(seed, part, run):
    returns = moving(seed)
    returns[np.random.default_rng(seed).random(COUNT) < part] = 0.0
    returns[100 : 100 + run] = 0.0
    assert stuck(DAYS, returns, is_safe=False) is not None


def test_what_never_moved_is_believed_of_cash_and_of_nothing_else():
    still = np.zeros(COUNT)
    assert stuck(DAYS, still, is_safe=True) is None
    assert stuck(DAYS, still, is_safe=False) == (COUNT, DAYS[0], LAST)


@pytest.mark.parametrize(("volatility", "is_stuck"), [(0.0003, False), (0.003, True)])
def test_a_safe_class_may_stand_still_where_it_hardly_moves_otherwise(volatility, is_stuck):
    returns = moving(0, volatility)
    returns[-60:] = 0.0
    assert (stuck(DAYS, returns, is_safe=True) is not None) == is_stuck


def test_days_without_a_price_are_no_days_that_stay():
    returns = moving()
    returns[200:400] = np.nan
    assert stuck(DAYS, returns, is_safe=False) is None
    returns[196:200] = returns[400:405] = 0.0
    assert stuck(DAYS, returns, is_safe=False) is None
    returns[190:196] = 0.0
    assert stuck(DAYS, returns, is_safe=False) == (15, DAYS[190], DAYS[404])


def test_each_class_that_seems_stuck_has_its_sentence_and_cash_has_none():
    returns = invented(COUNT)
    returns[-30:, :2] = 0.0
    past = Past(DAYS, returns)
    told = stuck_sentences(("stocks", "world", "bonds", "cash"), past, frozenset(), "cash")
    assert [sentence.split()[0] for sentence in told] == ["stocks", "world"]
    assert told[0] == (
        f"stocks did not move on 30 sessions, {DAYS[-30]} to {LAST}, so its prices may be stuck: "
        "correct them."
    )
