"""The household's own limits: what may not be traded, how small, how much and how often."""

from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.rules.homes import NO_LIMITS, TODAY, after
from tests.rules.plan_homes import (
    COUPLE,
    FREE,
    WIDE_BAND,
    about,
    held,
    household,
    is_planned,
    moved,
    plan_of,
    proof_of,
    with_defaults,
)

from trimtab.domain.policy import ClassRule, FlowRule, OrderRule, PlanRule
from trimtab.domain.trades import Disposal, Side, Term
from trimtab.domain.values import AccountKind, Relief

ONE_FUND = {
    "stocks": ClassRule(target=Decimal("0.6"), members=("AAA",)),
    "bonds": ClassRule(target=Decimal("0.4"), members=("BBB",)),
}


def _heavy(over=10_000, **rules):
    """Stocks *over* too heavy and bonds as much too light, in an IRA of 100,000."""
    lots = [
        held("ira", "AAA", 60_000 + over, 60_000),
        held("ira", "BBB", 40_000 - over, 40_000),
    ]
    return household(lots, accounts=COUPLE, **with_defaults(rules, classes=ONE_FUND))


# ------------------------------------------------------------------ size


@pytest.mark.parametrize(("least", "is_traded"), [(1_999, True), (2_001, False)])
def test_an_order_below_the_smallest_is_not_made(least, is_traded):
    home = _heavy(2_000, orders=replace(FREE, minimum=Decimal(least)))
    decision = home.decide()
    assert (decision.plan is not None) is is_traded
    if decision.plan is not None:
        assert moved(decision.plan.trades) == {("ira", "AAA"): -2_000, ("ira", "BBB"): 2_000}


@pytest.mark.parametrize("first", [200, 300])
def test_what_may_go_of_a_holding_is_not_the_whole_of_it(first):
    """204 are due. Of AAA only the first lot may go: less than the least, and 2,000 stay."""
    home = household(
        [
            held("taxable", "AAA", first, first - 100, 900, "gain"),
            held("taxable", "AAA", 1_500, 3_000, 700, "loss that a purchase would wash"),
            held("taxable", "AAA", 500, 600, 10, "new"),
            held("taxable", "BBB", 1_390, 400),
            held("other", "AAA", 30_000, 10_000),
            held("other", "BBB", 20_000, 20_000),
        ],
        {"taxable": 586},
        accounts=dict.fromkeys(("taxable", "other"), AccountKind.TAXABLE),
        relief={"taxable": Relief.FIFO},
        withdrawals=(FlowRule(account="taxable", amount=Decimal(790), first=TODAY),),
        orders=replace(FREE, minimum=Decimal(1_000)),
        step="1",
    )
    trades = moved(plan_of(home).trades)
    assert ("taxable", "AAA") not in trades
    assert trades["taxable", "BBB"] <= -1_000


def test_a_holding_with_half_a_share_cannot_be_sold_whole_below_the_least():
    """200 are due: 2.5 shares without a gain would raise them, and only 2 could be sold."""
    home = household(
        [held("taxable", "AAA", 250, 250), held("taxable", "BBB", 9_750, 5_000)],
        classes=ONE_FUND,
        bands=WIDE_BAND,
        withdrawals=(FlowRule(account="taxable", amount=Decimal(200), first=TODAY),),
        orders=replace(FREE, minimum=Decimal(1_000)),
        step="1",
    )
    trades = moved(plan_of(home).trades)
    assert trades.get(("taxable", "AAA"), 0) >= 0
    assert trades["taxable", "BBB"] <= -1_000


@pytest.mark.parametrize(
    ("step", "units"),
    [
        pytest.param("1", "3", id="whole shares"),
        pytest.param("0.001", "3.333", id="thousandths"),
        pytest.param("0.5", "3.5", id="halves: 50 too many are less than 100 too few"),
    ],
)
def test_quantities_are_the_multiples_of_a_step_that_come_nearest(step, units):
    """1,000 too heavy at a price of 300 a unit, which is 3.3333 units; bonds cost 100."""
    home = household(
        [
            replace(held("ira", "AAA", 61_000, 61_000), quantity=Decimal(61_000) / 300),
            held("ira", "BBB", 39_000, 39_000),
        ],
        accounts=COUPLE,
        classes=ONE_FUND,
        prices={"AAA": "300"},
        step=step,
    )
    plan = plan_of(home)
    (sale,) = [trade for trade in plan.trades if trade.side is Side.SELL]
    assert sale.quantity == Decimal(units)
    bought = [trade.quantity for trade in plan.trades if trade.side is Side.BUY]
    assert all(quantity % Decimal(step) == 0 for quantity in bought)
    assert sum(bought) * 100 <= sale.value
    assert sale.value - sum(bought) * 100 < 100 * Decimal(step)
    # What the steps leave off costs 10 cents a dollar on either side: a cost of rounding.
    proof = proof_of(plan)
    assert proof.rounding == about(proof.plan.drift, "0.01")


@pytest.mark.parametrize(
    ("order_cost", "orders"),
    [
        pytest.param("0", 4, id="8.25 of tax is saved by two orders more, which are free"),
        pytest.param("3.90", 4, id="at 3.90 an order two more cost 7.80"),
        pytest.param("4.30", 2, id="at 4.30 an order two more cost 8.60"),
    ],
)
def test_orders_that_cost_more_than_they_save_are_not_made(order_cost, orders):
    """5,500 at cost in one account; in the other a gain of 1 %, which is 0.15 % of tax."""
    home = household(
        [
            held("hers", "AAA", 5_500, 5_500, 800, "at cost"),
            held("his", "AAA", 64_500, 63_855, 800, "gain"),
            held("his", "BBB", 30_000, 30_000, 800),
        ],
        accounts=COUPLE,
        classes=ONE_FUND,
        plan=PlanRule(order_cost=Decimal(order_cost)),
    )
    plan = plan_of(home)
    assert len(plan.trades) == orders
    assert plan.tax == about(Decimal("0.0015") * (4_500 if orders == 4 else 10_000), "0.01")
    assert proof_of(plan).plan.cost == orders * Decimal(order_cost)
    assert -sum(value for value in moved(plan.trades).values() if value < 0) == 10_000


# ------------------------------------------------------------------ lists


def test_what_may_not_be_bought_is_replaced_by_the_next_of_its_class():
    classes = ONE_FUND | {"bonds": ClassRule(target=Decimal("0.4"), members=("BBB", "BBC"))}
    home = _heavy(classes=classes)
    assert moved(plan_of(home).trades)["ira", "BBB"] == 10_000
    listed = _heavy(classes=classes, orders=replace(FREE, no_buy=("BBB",)))
    assert moved(plan_of(listed).trades) == {("ira", "AAA"): -10_000, ("ira", "BBC"): 10_000}


def test_what_may_not_be_sold_stays_and_another_of_its_class_goes():
    lots = [
        held("ira", "AAA", 40_000, 40_000),
        held("ira", "AAB", 30_000, 30_000),
        held("ira", "BBB", 30_000, 30_000),
    ]
    for kept, sold in (("AAA", "AAB"), ("AAB", "AAA")):
        home = household(lots, accounts=COUPLE, orders=replace(FREE, no_sell=(kept,)))
        assert moved(plan_of(home).trades) == {("ira", sold): -10_000, ("ira", "BBB"): 10_000}


def test_no_symbol_is_bought_beyond_its_part_of_the_whole():
    """10,000 of bonds lack; of one 5,000 may be bought and of the other 8,000."""
    classes = ONE_FUND | {"bonds": ClassRule(target=Decimal("0.4"), members=("BBB", "BBC"))}
    limits = {"BBB": Decimal("0.35"), "BBC": Decimal("0.08")}
    bought = moved(plan_of(_heavy(classes=classes, plan=PlanRule(holdings_max=limits))).trades)
    assert bought["ira", "BBB"] <= 5_000
    assert bought["ira", "BBC"] <= 8_000
    assert bought["ira", "BBB"] + bought["ira", "BBC"] == 10_000


def test_where_a_class_has_only_the_limited_symbol_its_drift_stays():
    home = _heavy(plan=PlanRule(holdings_max={"BBB": Decimal("0.35")}))
    plan = plan_of(home)
    assert moved(plan.trades)["ira", "BBB"] == 5_000
    assert proof_of(plan).plan.drift == 1_000  # 5,000 too little here, too much there


@pytest.mark.parametrize(
    ("limit", "bought"),
    [
        pytest.param("0.25", 5_000, id="10,000 must go before 5,000 may come"),
        pytest.param("0.35", 15_000, id="5,000 may come at once, and 10,000 for those that go"),
    ],
)
def test_a_limited_symbol_is_bought_for_what_is_sold_of_it_elsewhere(limit, bought):
    """Of 100,000 an IRA holds 30,000 of bonds, of which 10,000 must be raised to leave it."""
    home = household(
        [held("ira", "BBB", 30_000, 30_000), held("hers", "AAA", 50_000, 50_000)],
        {"hers": 20_000},
        accounts=COUPLE,
        classes=ONE_FUND,
        spread="0.02",
        plan=PlanRule(holdings_max={"BBB": Decimal(limit)}),
        withdrawals=(FlowRule(account="ira", amount=Decimal(10_000), first=TODAY),),
    )
    decision = home.decide()
    assert decision.plan is not None
    # Of the 90,000 that stay, 54,000 are to be stocks and 36,000 bonds.
    assert moved(decision.plan.trades) == {
        ("ira", "BBB"): about(-10_000, "5"),
        ("hers", "BBB"): about(bought, "5"),
        ("hers", "AAA"): about(4_000, "5"),
    }
    proof = proof_of(decision.plan)
    assert proof.bound == about(proof.plan.total, "0.9")
    assert not is_planned(after(home, decision))


def test_whole_shares_keep_a_limit_on_what_is_held_after_the_sales():
    """As above with shares of 130: 154 may be held of it, 230 are, 77 go, and one may come."""
    home = household(
        [
            replace(held("ira", "BBB", 23_000, 29_900), basis=Decimal(29_900)),
            held("hers", "AAA", 50_000, 50_000),
        ],
        {"hers": 20_100},
        accounts=COUPLE,
        classes=ONE_FUND,
        prices={"BBB": "130"},
        step="1",
        plan=PlanRule(holdings_max={"BBB": Decimal("0.2005")}),
        withdrawals=(FlowRule(account="ira", amount=Decimal(10_000), first=TODAY),),
    )
    traded = moved(plan_of(home).trades)
    assert traded["ira", "BBB"] == -77 * 130
    assert traded["hers", "BBB"] == 130


# ------------------------------------------------------------------ turnover


@pytest.mark.parametrize(
    ("sold_before", "sold"),
    [
        pytest.param(0, 5_000, id="all of it is left"),
        pytest.param(2_000, 3_000, id="2,000 were sold earlier today"),
        pytest.param(5_000, 0, id="it was used up earlier today"),
    ],
)
def test_a_plan_that_would_turn_over_too_much_is_made_smaller(sold_before, sold):
    """10,000 are to be sold of 100,000, of which 5 % may be sold in a day: nothing is held."""
    earlier = Disposal(
        id="earlier",
        account="ira",
        symbol="CCC",
        lot_id="gone",
        quantity=Decimal(1),
        acquired=TODAY.replace(year=2024),
        holding_since=TODAY.replace(year=2024),
        sold=TODAY,
        proceeds=Decimal(sold_before),
        basis=Decimal(sold_before),
        term=Term.LONG,
        is_taxed=False,
    )
    home = _heavy(
        gates=replace(NO_LIMITS, turnover_max=Decimal("0.05")),
        disposals=(earlier,) if sold_before else (),
    )
    decision = home.decide()
    trades = () if decision.plan is None else decision.plan.trades
    turnover = sum((trade.value for trade in trades if trade.side is Side.SELL), Decimal(0))
    assert 0.99 * sold <= turnover <= sold
    assert decision.held == ()
    assert decision.allowed == trades


def test_the_smaller_plan_takes_what_saves_most_first():
    """5,000 may be sold: the loss of 600 is taken there, and its class is the only heavy one."""
    home = household(
        [
            held("taxable", "AAA", 65_000, 32_500, 800, "gain"),
            held("taxable", "AAA", 5_000, 5_600, 900, "loss"),
            held("taxable", "BBB", 30_000, 30_000, 800),
        ],
        classes=ONE_FUND,
        gates=replace(NO_LIMITS, turnover_max=Decimal("0.05")),
    )
    plan = plan_of(home)
    assert {pick.lot_id for trade in plan.trades for pick in trade.lots} == {"loss"}
    assert plan.tax == about(-180, "2")
    assert proof_of(plan).plan.drift == about(1_000, "10")


def test_limits_are_kept_with_costs_as_a_household_has_them():
    """The defaults: 10 basis points of slippage, 5 of fees, orders of 100 and whole shares."""
    home = _heavy(step="1", spread="0.02", orders=OrderRule())
    plan = plan_of(home)
    sold = -moved(plan.trades)["ira", "AAA"]
    bought = moved(plan.trades)["ira", "BBB"]
    assert Decimal("100.0605") * bought / Decimal("100.01") <= sold
    assert sold - bought < 3 * 100
