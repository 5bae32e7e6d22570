"""The independent checker of plans: whether the proof that a plan carries can be."""

from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.rules import plan_desk

from trimtab.domain.trades import Certificate, PlanCost

desk = plan_desk.desk
"""Nothing has a spread, and fees are 5 basis points."""
PROOF = Certificate(
    plan=PlanCost(cost=Decimal("9.45"), drift=Decimal(100)),
    nothing=PlanCost(drift=Decimal(2_000)),
    bound=Decimal("109.40"),
    rounding=Decimal("0.05"),
    value=Decimal(64_000),
)


def _trades(desk):
    """8,000 of bonds sold and 10,900 of stocks bought: 9.45 of fees."""
    return (
        desk.sale("ira", "BND", "100", b1="100"),
        desk.purchase("ira", "VTI", "90"),
        desk.purchase("taxable", "VTI", "19"),
    )


def _plan(**costs):
    return replace(PROOF.plan, **{name: Decimal(amount) for name, amount in costs.items()})


def _nothing(**costs):
    return replace(PROOF.nothing, **{name: Decimal(amount) for name, amount in costs.items()})


def test_a_proof_that_adds_up_has_no_fault(desk):
    assert desk.told(*_trades(desk), proof=PROOF) == ()
    assert desk.told(*_trades(desk), proof=replace(PROOF, bound=Decimal("109.45"))) == (
        "The proof of the plan tells more lost by rounding than it leaves open.",
    )
    exact = replace(PROOF, bound=Decimal("109.45"), rounding=Decimal(0))
    assert desk.told(*_trades(desk), proof=exact) == ()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        pytest.param(
            {"bound": Decimal("109.46"), "rounding": Decimal(0)},
            "The plan costs 109.45 USD, less than its proven bound of 109.46 USD.",
            id="a bound above the plan",
        ),
        pytest.param(
            {"plan": _plan(drift="3000"), "bound": Decimal(2500)},
            "Doing nothing costs 2,000.00 USD, less than the proven bound of 2,500.00 USD.",
            id="a bound above doing nothing",
        ),
        pytest.param(
            {"rounding": Decimal("-0.05")},
            "The proof of the plan tells more lost by rounding than it leaves open.",
            id="rounding that gains",
        ),
        pytest.param(
            {"plan": _plan(cost="9.43")},
            "The proof tells 9.43 USD for trading, and the orders come to 9.45 USD.",
            id="fees that are not those of the orders",
        ),
        pytest.param(
            {"plan": _plan(location="0.02")},
            "The proof tells 0.02 USD for location, and the orders come to 0.00 USD.",
            id="location where no class distributes anything",
        ),
        pytest.param(
            {"plan": _plan(wash="1")},
            "The proof tells of the plan a wash sale, and none may be planned.",
            id="a wash sale",
        ),
        pytest.param(
            {"plan": _plan(drift="-1", tax="101")},
            "The proof tells of the plan a drift that costs less than nothing.",
            id="drift below zero",
        ),
        pytest.param(
            {"nothing": _nothing(tax="3")},
            "The proof of the plan lets doing nothing cost tax, trading or location.",
            id="doing nothing is taxed",
        ),
        pytest.param(
            {"bound": Decimal("NaN")},
            "The proof of the plan has an amount that is not a number.",
            id="no number",
        ),
    ],
)
def test_a_proof_that_cannot_be_is_told(desk, changes, sentence):
    proof = replace(PROOF, **changes)
    if "bound" not in changes and "rounding" not in changes:
        total = min(proof.plan.total, proof.nothing.total)
        proof = replace(proof, bound=total - Decimal("0.05"))
    assert desk.told(*_trades(desk), proof=proof) == (sentence,)


def test_the_price_of_an_order_and_the_spread_are_costs(desk):
    priced = desk.ruled(plan=replace(desk.planning.policy.plan, order_cost=Decimal(2)))
    (fault,) = priced.told(*_trades(desk), proof=PROOF)
    assert "9.45 USD for trading, and the orders come to 15.45 USD" in fault
    assert (
        priced.told(*_trades(desk), proof=replace(PROOF, plan=_plan(cost="15.45")))
        == ("The proof of the plan tells more lost by rounding than it leaves open.",)
        or priced.told(*_trades(desk), proof=replace(PROOF, plan=_plan(cost="15.45"))) == ()
    )


def test_what_a_class_distributes_is_a_cost_of_where_it_is(desk):
    # 1,900 in the taxable account, at 1 % a year, taxed each year for ten years at 4 %.
    rules = dict(desk.planning.policy.classes)
    rules["stocks"] = replace(rules["stocks"], ordinary_yield=Decimal("0.01"))
    paying = desk.ruled(classes=rules)
    drag = 19 * paying.planning.tax.short_term_rate * Decimal("8.1108957794")
    (fault,) = paying.told(*_trades(desk), proof=PROOF)
    assert f"0.00 USD for location, and the orders come to {drag:.2f} USD" in fault
    proof = replace(PROOF, plan=replace(PROOF.plan, location=drag))
    assert paying.told(*_trades(desk), proof=proof) == ()


def test_doing_nothing_is_no_plan_where_cash_must_be_raised(desk):
    high = replace(PROOF, plan=_plan(drift="3000"), bound=Decimal(2500))
    due = desk.by(due={"ira": Decimal(3_000)})
    raising = desk.sale("ira", "BND", "100", b1="100")
    cost = replace(high, plan=replace(high.plan, cost=Decimal(4)))
    assert "Doing nothing costs" in desk.told(raising, proof=cost)[0]
    assert due.told(raising, proof=cost) == ()


def test_where_purchases_wait_their_costs_are_not_those_of_the_orders_of_today(desk):
    cheap = replace(PROOF, plan=_plan(cost="4"), bound=Decimal("103.95"))
    assert desk.told(*_trades(desk), proof=cheap) != ()
    assert desk.by(coming={"ira": Decimal(9)}).told(*_trades(desk), proof=cheap) == ()
