"""A location cost moves a class to a better account, and never into cash or out of its target."""

from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.rules.plan_homes import COUPLE, FREE, about, held, household, proof_of

from trimtab.domain.numbers import ZERO
from trimtab.domain.policy import ClassRule, PlanRule
from trimtab.domain.trades import Side

YIELDING = {
    "stocks": ClassRule(target=Decimal("0.6"), members=("AAA", "AAB")),
    "bonds": ClassRule(
        target=Decimal("0.4"), members=("BBB",), risk="safe", ordinary_yield=Decimal("0.04")
    ),
}
PRICES = ("0.30", "0.20", "0.10", "0.09", "0.05", "0.02")


@pytest.mark.parametrize("price", PRICES)
def test_a_class_on_its_target_is_not_given_up_for_cash_that_is_taxed_less(price):
    home = household(
        [held("taxable", "AAA", 61_000, 61_000), held("taxable", "BBB", 39_000, 39_000)],
        classes=YIELDING,
        plan=PlanRule(drift_price=Decimal(price)),
    )
    plan = home.decide().plan
    assert plan is not None
    assert [(one.side, one.symbol, one.value) for one in plan.trades] == [
        (Side.SELL, "AAA", Decimal(1_000)),
        (Side.BUY, "BBB", Decimal(1_000)),
    ]
    assert all(drift.drift == 0 for drift in plan.after)


@pytest.mark.parametrize("price", PRICES)
def test_what_is_too_heavy_is_not_sold_to_lie_idle_either(price):
    home = household(
        [held("taxable", "BBB", 50_000, 50_000), held("ira", "AAA", 50_000, 50_000)],
        accounts=COUPLE | {"taxable": COUPLE["hers"]},
        classes=YIELDING,
        plan=PlanRule(drift_price=Decimal(price)),
    )
    plan = home.decide().plan
    assert plan is not None
    sold = sum((one.value for one in plan.trades if one.side is Side.SELL), ZERO)
    bought = sum((one.value for one in plan.trades if one.side is Side.BUY), ZERO)
    assert sold == bought > 0


def test_cash_that_lies_idle_in_a_taxed_account_counts_as_drift_until_it_is_invested():
    home = household(
        [held("taxable", "AAA", 54_000, 54_000), held("taxable", "BBB", 36_000, 36_000)],
        {"taxable": 10_000},
        classes=YIELDING,
    )
    plan = home.decide().plan
    assert plan is not None
    proof = proof_of(plan)
    assert proof.nothing.location == 0
    assert proof.plan.drift == 0
    assert proof.nothing.drift > 2_000
    assert proof.gap >= 0


def test_without_yields_idle_cash_costs_its_drift_alone():
    home = household(
        [held("taxable", "AAA", 54_000, 54_000), held("taxable", "BBB", 36_000, 36_000)],
        {"taxable": 10_000},
        orders=replace(FREE, minimum=ZERO),
    )
    plan = home.decide().plan
    assert plan is not None
    proof = proof_of(plan)
    assert proof.plan.drift == 0
    assert proof.nothing.drift == about(2_000)
