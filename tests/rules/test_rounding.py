"""Whole shares: what they cost beyond the amounts they come from, and the limits they keep."""

import random
from decimal import Decimal
from itertools import product

import pytest
from msgspec.structs import replace
from tests.rules.homes import NO_LIMITS
from tests.rules.plan_homes import (
    COUPLE,
    FREE,
    held,
    household,
    moved,
    plan_of,
    proof_of,
)

from trimtab.domain.policy import ClassRule, PlanRule
from trimtab.domain.trades import Side

ONE_FUND = {
    "stocks": ClassRule(target=Decimal("0.6"), members=("AAA",)),
    "bonds": ClassRule(target=Decimal("0.4"), members=("BBB",)),
}


def _shares(account, symbol, count, price):
    """So many shares, bought long ago at today's *price*."""
    return replace(
        held(account, symbol, 100, int(count * price)), quantity=Decimal(count), basis=count * price
    )


def test_the_odd_dollars_of_a_dear_share_buy_a_cheap_one_of_the_class():
    """9,100 lack in stocks: 30 shares at 300 and one at 100."""
    classes = ONE_FUND | {"stocks": ClassRule(target=Decimal("0.6"), members=("AAA", "AAB"))}
    home = household(
        [held("ira", "AAA", 500, 500), held("ira", "BBB", 49_100, 49_100)],
        accounts=COUPLE,
        classes=classes,
        prices={"AAA": "300"},
        step="1",
    )
    # 5 shares at 300 are 1,500: of 50,600 the stocks' part is 30,360, and 28,860 lack.
    plan = plan_of(home)
    assert moved(plan.trades) == {
        ("ira", "AAA"): 28_800,
        ("ira", "BBB"): -28_900,
        ("ira", "AAB"): 100,
    }
    assert proof_of(plan).rounding <= Decimal("0.2") * 100


def test_two_accounts_share_the_room_that_a_holding_limit_leaves():
    """Of 100,000 no more than 4.5 % may be gold: 4,500 in all, wherever it is bought."""
    classes = {
        "stocks": ClassRule(target=Decimal("0.5"), members=("AAA",)),
        "gold": ClassRule(target=Decimal("0.5"), members=("GGG",)),
    }
    home = household(
        [held("hers", "AAA", 45_000, 45_000), held("ira", "AAA", 45_000, 45_000)],
        {"hers": 5_000, "ira": 5_000},
        accounts=COUPLE,
        classes=classes,
        prices={"GGG": "130"},
        step="1",
        plan=PlanRule(holdings_max={"GGG": Decimal("0.045")}),
    )
    bought = sum(trade.value for trade in plan_of(home).trades if trade.symbol == "GGG")
    assert bought == 34 * 130  # 35 shares would be 4,550


def test_what_a_dear_share_leaves_of_the_turnover_limit_is_sold_in_cheap_ones():
    """5,000 may be sold, of a class of two members: one share at 3,000, and 20 at 100 then."""
    classes = {
        "stocks": ClassRule(target=Decimal("0.4"), members=("CCC", "AAA")),
        "bonds": ClassRule(target=Decimal("0.6"), members=("BBB",)),
    }
    home = household(
        [
            _shares("taxable", "AAA", 300, 100),
            replace(_shares("taxable", "CCC", 10, 3_000), basis=Decimal(29_900)),
            held("taxable", "BBB", 40_000, 40_000),
        ],
        classes=classes,
        prices={"CCC": "3000"},
        step="1",
        gates=replace(NO_LIMITS, turnover_max=Decimal("0.05")),
    )
    sold = {trade.symbol: trade.value for trade in plan_of(home).trades if trade.lots}
    assert sum(sold.values()) == 5_000


def test_a_sale_is_not_rounded_up_beyond_the_turnover_limit():
    """5,000 may be sold: one share at 3,000, though a second one would mend more."""
    classes = {
        "stocks": ClassRule(target=Decimal("0.4"), members=("CCC",)),
        "bonds": ClassRule(target=Decimal("0.6"), members=("BBB",)),
    }
    home = household(
        [_shares("ira", "CCC", 20, 3_000), held("ira", "BBB", 40_000, 40_000)],
        accounts=COUPLE,
        classes=classes,
        prices={"CCC": "3000"},
        step="1",
        gates=replace(NO_LIMITS, turnover_max=Decimal("0.05")),
    )
    assert moved(plan_of(home).trades) == {("ira", "CCC"): -3_000, ("ira", "BBB"): 3_000}


@pytest.mark.parametrize(("seed", "most"), list(product(range(6), ("0.05", "0.1"))))
def test_whole_shares_pass_no_limit_and_cost_little(seed, most):
    rng = random.Random(seed)
    names = ("AAA", "BBB", "CCC", "DDD")
    prices = {name: str(rng.choice([25, 80, 310, 1_250])) for name in names}
    classes = {
        name.lower(): ClassRule(target=Decimal("0.25"), members=(name, name[:2] + "X"))
        for name in names
    }
    lots = [
        _shares(account, name, rng.randint(1, 30_000) // int(prices[name]) + 1, int(prices[name]))
        for account in COUPLE
        for name in names
    ]
    limits = {"AAA": Decimal("0.26"), "BBX": Decimal("0.01")}
    home = household(
        lots,
        dict.fromkeys(COUPLE, 1_000),
        accounts=COUPLE,
        classes=classes,
        prices=prices,
        step="1",
        orders=replace(FREE, minimum=Decimal(rng.choice([0, 200]))),
        plan=PlanRule(holdings_max=limits),
        gates=replace(NO_LIMITS, turnover_max=Decimal(most)),
    )
    plan = plan_of(home)
    proof = proof_of(plan)
    sold = sum(trade.value for trade in plan.trades if trade.side is Side.SELL)
    assert sold <= Decimal(most) * proof.value
    for name, limit in limits.items():
        bought = sum(
            trade.value for trade in plan.trades if trade.symbol == name and trade.side is Side.BUY
        )
        owned = sum(lot.quantity for lot in lots if lot.symbol == name)
        assert bought == 0 or owned * home.snapshot.price(name) + bought <= limit * proof.value
    assert proof.rounding <= Decimal("0.002") * proof.value
