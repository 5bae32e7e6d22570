"""The planner's worked cases, scored by a neutral scorer and held against the best known answers.

A case that is put beside the others runs too; without a best known answer it is held against doing
nothing and against the planner's own bound.
"""

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.answers.planner.evaluate import evaluate
from tests.answers.planner_adapter import amounts_of, names_of, problem_of, rounded, trades_of
from tests.rules.plan_judge import broken, cost

from trimtab.rules.plan.solve import solve

FOLDER = Path(__file__).parent / "planner"
CASES = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((FOLDER / "cases").glob("*.json"))
}
BEST = json.loads((FOLDER / "best_known.json").read_text(encoding="utf-8"))["cases"]
DRIFT_PRICES = (0.02, 0.1, 0.5)
GAP_MOST = 0.5e-4
"""What a score may lie above the best known one, as a part of the account's value."""
FLOAT = 1e-3
"""Dollars by which two float64 sums over the same trades may differ."""

each_case = pytest.mark.parametrize("name", list(CASES))
at_each_price = pytest.mark.parametrize("drift_price", DRIFT_PRICES)


@cache
def _scored(name: str, drift_price: float) -> dict[str, Any]:
    case = CASES[name]
    scored: dict[str, Any] = evaluate(case, _trades(name, drift_price), drift_price)
    return scored


@cache
def _trades(name: str, drift_price: float) -> list[dict[str, Any]]:
    return trades_of(CASES[name], drift_price)


def _best(name: str, drift_price: float) -> dict[str, Any] | None:
    known = BEST.get(CASES[name]["id"], {}).get("best_known", [])
    return next((row for row in known if row["drift_price"] == drift_price), None)


# ------------------------------------------------------------------ the answers


@at_each_price
@each_case
def test_every_answer_can_be_traded_as_it_is_given(name, drift_price):
    scored = _scored(name, drift_price)
    assert scored["feasible_strict"], scored["violations"] + scored["rounding_faults"]
    assert scored["cash_left"] >= 0


@at_each_price
@each_case
def test_no_answer_washes_a_loss(name, drift_price):
    scored = _scored(name, drift_price)
    assert scored["wash_disallowed"] == 0, scored["washed"]
    assert scored["wash_prior_spoiled"] == 0, scored["washed"]


@at_each_price
@each_case
def test_an_answer_is_as_good_as_the_best_known_one(name, drift_price):
    best, scored = _best(name, drift_price), _scored(name, drift_price)
    if best is None:
        pytest.skip("no best answer is known")
    above = (scored["score"] - best["score"]) / scored["value_after"]
    assert above <= GAP_MOST, f"{1e4 * above:.3f} basis points above {best['score']}"


@at_each_price
@each_case
def test_no_score_is_below_what_is_proven(name, drift_price):
    best, scored = _best(name, drift_price), _scored(name, drift_price)
    if best is not None:
        assert scored["score"] >= best["lower_bound"] - FLOAT
    assert scored["score"] >= solve(problem_of(CASES[name], drift_price)).bound - FLOAT


@at_each_price
@each_case
def test_an_answer_is_never_worse_than_doing_nothing(name, drift_price):
    nothing = evaluate(CASES[name], [], drift_price)
    if not nothing["feasible"]:
        pytest.skip("cash must be raised")
    assert _scored(name, drift_price)["score"] <= nothing["score"] + FLOAT


@each_case
def test_dearer_drift_leaves_no_more_of_it(name):
    left = [_scored(name, drift_price)["drift_l1"] for drift_price in DRIFT_PRICES]
    assert left == pytest.approx(sorted(left, reverse=True), abs=1e-5)


# ------------------------------------------------------------------ the translation


@each_case
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), drift_price=st.sampled_from(DRIFT_PRICES))
def test_what_the_arrays_say_is_what_the_scorer_says(name, seed, drift_price):
    case = CASES[name]
    trades = _random_trades(case, np.random.default_rng(seed))
    said = evaluate(case, trades, drift_price)
    problem = problem_of(case, drift_price)
    assert said["wash_disallowed"] == 0
    assert cost(problem, *amounts_of(case, trades)) == pytest.approx(said["score"], abs=FLOAT)


@at_each_price
@each_case
def test_rounding_keeps_the_rules_of_the_arrays(name, drift_price):
    case, problem = CASES[name], problem_of(CASES[name], drift_price)
    solution = solve(problem)
    amounts = amounts_of(case, rounded(case, solution))
    assert not broken(problem, *amounts, tolerance=0.01)
    assert cost(problem, *amounts) == pytest.approx(solution.objective, abs=0.02e-4 * problem.value)


def test_a_symbol_on_the_lists_is_neither_bought_nor_sold():
    case = _changed("c01-etf3-drift", restrictions={"no_buy": ["VTI"], "no_sell": ["BND"]})
    names = names_of(case)
    assert "VTI" not in names.options
    assert "BND" in names.options
    assert {lot["symbol"] for lot in names.lots} == {lot["symbol"] for lot in case["lots"]} - {
        "BND"
    }
    assert problem_of(case, 0.1).value == problem_of(CASES["c01-etf3-drift"], 0.1).value


def test_a_loss_beside_new_units_that_must_stay_stays_too():
    case = _changed("c05-etf4-recent-buy")
    names, lots = names_of(case), problem_of(case, 0.1).lots
    losses = {lot["id"] for lot, loss in zip(names.lots, lots.is_loss, strict=True) if loss}
    ours = {lot["id"] for lot in case["lots"] if lot["symbol"] == "VTI"}
    assert losses & ours
    case["securities"].append(
        {"symbol": "TWIN", "price": 10.0, "spread": 0.0, "identical_group": "VTI"}
    )
    case["lots"].append(
        {"id": "T", "symbol": "TWIN", "qty": 1e6, "unit_cost": 9.0, "acquired": "2025-06-01"}
    )
    case["restrictions"]["no_sell"] = ["TWIN"]
    left = {lot["id"] for lot in names_of(case).lots}
    assert left == {lot["id"] for lot in names.lots} - (losses & ours)


def test_what_was_sold_at_a_loss_lately_is_not_bought():
    case = _changed("c01-etf3-drift")
    assert "VTI" in names_of(case).options
    case["closed_lots"] = [_closed("VTI", loss=30.0, sold="2025-05-17")]
    assert "VTI" not in names_of(case).options
    case["closed_lots"] = [
        _closed("VTI", loss=30.0, sold="2025-05-16"),
        _closed("VTI", loss=-30.0, sold="2025-06-01"),
    ]
    assert "VTI" in names_of(case).options


def _changed(name: str, **changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(CASES[name]), **changes}


def _closed(symbol: str, *, loss: float, sold: str) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "qty": 3.0,
        "cost": 1000.0,
        "proceeds": 1000.0 - loss,
        "acquired": "2025-01-17",
        "sold": sold,
    }


def _random_trades(case: dict[str, Any], rng: np.random.Generator) -> list[dict[str, Any]]:
    """Some sales and purchases, in which no loss is washed today; cash is not looked at."""
    names = names_of(case)
    problem = problem_of(case, 0.1)
    trades: list[dict[str, Any]] = []
    for number, symbol in enumerate(names.places):
        here = np.flatnonzero(problem.lots.place == number)
        side = rng.choice(["buy", "sell", "nothing"])
        if side == "buy" and symbol in names.options:
            trades.append({"side": "buy", "symbol": symbol, "qty": rng.uniform(0.01, 20.0)})
        if side != "sell":
            continue
        takes_losses = rng.random() < 0.5
        for row in here.tolist():
            must_go = takes_losses and problem.lots.is_recent[row]
            may_go = rng.random() < 0.6 and (takes_losses or not problem.lots.is_loss[row])
            if must_go or may_go:
                part = 1.0 if must_go or rng.random() < 0.5 else rng.uniform(0.01, 0.99)
                lot = names.lots[row]
                trades.append(
                    {"side": "sell", "symbol": symbol, "lot": lot["id"], "qty": part * lot["qty"]}
                )
    return trades
