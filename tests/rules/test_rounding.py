"""Whole shares: what they cost beyond the amounts they come from, and the limits they keep."""

import random
from decimal import Decimal
from itertools import product

import pytest
from msgspec.structs import replace
from tests.rules.homes import NO_LIMITS, TODAY
from tests.rules.plan_homes import (
    COUPLE,
    FREE,
    held,
    household,
    moved,
    plan_of,
    proof_of,
)

from trimtab.domain.policy import ClassRule, FlowRule, PlanRule
from trimtab.domain.trades import Side
from trimtab.domain.values import AccountKind

ONE_FUND = {
    "stocks": ClassRule(target=Decimal("0.6"), members=("AAA",)),
    "bonds": ClassRule(target=Decimal("0.4"), members=("BBB",)),
}


def _shares(account, symbol, count, price):
    """So many shares, bought long ago at today's *price*."""
    return replace(
        held(account, symbol, 100, int(count * price)), quantity=Decimal(count), basis=count * price
    )


def test_the_odd_dollars_of_a_dear_share_buy_no_second_member_of_its_class():
    """28,860 lack in stocks: 96 shares at 300, and 60 that half of one at 100 would mend."""
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
        ("ira", "BBB"): -28_800,
    }
    assert proof_of(plan).rounding == 12  # 60 too little here and too much there, at 10 cents


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


TWO_FUNDS = {
    "stocks": ClassRule(target=Decimal("0.5"), members=("AAA",)),
    "bonds": ClassRule(target=Decimal("0.5"), members=("BBB",), risk="safe"),
}
LEAST = replace(FREE, minimum=Decimal(1_000))


@pytest.mark.parametrize("most", ["0.1", "0.05"])
def test_what_the_turnover_limit_cuts_off_is_what_is_worth_least(most):
    """1,900 are due, from two sales of the least that are rounded up; the third one gives way.

    Without the sale of stocks, more bonds with a higher gain would have to go for what is due.
    """
    home = household(
        [
            held("taxable", "AAA", 1_410, 1_410),
            held("taxable", "BBB", 12_700, 1_000),
            held("ira", "AAA", 48_600, 48_600),
            held("ira", "BBB", 17_300, 17_300),
        ],
        accounts={"taxable": AccountKind.TAXABLE, "ira": AccountKind.TRADITIONAL_IRA},
        classes=TWO_FUNDS,
        spread="0.04",
        withdrawals=(FlowRule(account="taxable", amount=Decimal(1_900), first=TODAY),),
        orders=LEAST,
        gates=replace(NO_LIMITS, turnover_max=Decimal(most)),
    )
    plan = plan_of(home)
    sold = {(t.account, t.symbol): t.quantity for t in plan.trades if t.side is Side.SELL}
    assert sold["taxable", "AAA"] == sold["taxable", "BBB"] == Decimal("10.003")
    assert sum(sold.values()) * 100 <= Decimal(most) * 80_010
    proof = proof_of(plan)
    assert proof.rounding <= Decimal("0.00002") * proof.value


def test_of_two_sales_that_cannot_be_lowered_the_one_is_dropped_that_the_other_makes_up_for():
    """Two of 1,000 pass the limit of 2,000.20 once the second is rounded up to 1,000.30.

    The first one, without a gain, is of the whole holding; the second one can be doubled.
    """
    home = household(
        [
            held("taxable", "AAA", 60_000, 54_000),
            held("ira", "AAA", 1_000, 1_000),
            held("ira", "BBB", 38_990, 38_990),
        ],
        {"ira": 10, "taxable": 10},
        accounts={"taxable": AccountKind.TAXABLE, "ira": AccountKind.TRADITIONAL_IRA},
        classes=TWO_FUNDS,
        spread="0.04",
        orders=LEAST,
        gates=replace(NO_LIMITS, turnover_max=Decimal("0.02")),
    )
    sold = {(t.account, t.symbol): t.quantity for t in plan_of(home).trades if t.side is Side.SELL}
    assert sold == {("taxable", "AAA"): Decimal("20.002")}


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
    # In each account up to a share may be left over, of which a dollar costs 10 cents as cash and
    # 10 more as drift; a search over all whole steps finds hardly better.
    dearest = max(map(Decimal, prices.values()))
    assert proof.rounding <= len(COUPLE) * dearest * Decimal("0.20")
