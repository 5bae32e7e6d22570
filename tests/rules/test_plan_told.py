"""What a plan says of itself: what each trade is for, and why the rest was not done."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.rules.homes import TODAY, Home, homes
from tests.rules.plan_homes import (
    TAX,
    WIDE_BAND,
    held,
    household,
    prepared,
    realized,
)

from trimtab.domain.numbers import ZERO
from trimtab.domain.policy import ClassRule, FlowRule, GateRule, OrderRule, PlanRule
from trimtab.domain.trades import Motive, Side, Term, Trade
from trimtab.domain.values import AccountKind, InstrumentKind
from trimtab.rules.holdings import holdings
from trimtab.rules.plan import apply_trades, make_plan
from trimtab.rules.plan.apply import holdings_after
from trimtab.rules.plan.taxed import YearMeter
from trimtab.rules.tax.netting import Carryover
from trimtab.rules.tax.saving import YearToDate, tax_of

some = settings(max_examples=40, suppress_health_check=list(HealthCheck))
TWO = {"taxable": AccountKind.TAXABLE, "ira": AccountKind.TRADITIONAL_IRA}
HEAVY = [held("taxable", "AAA", 80_000, 20_000), held("taxable", "BBB", 20_000, 20_000)]
AT_A_LOSS = [held("taxable", "AAA", 80_000, 90_000), held("taxable", "BBB", 20_000, 20_000)]


def _due(amount: int, account: str = "taxable") -> FlowRule:
    return FlowRule(account=account, amount=Decimal(amount), first=TODAY)


def _with_reserve(home: Home, amount: int) -> Home:
    return home._replace(policy=replace(home.policy, cash_reserves={"taxable": Decimal(amount)}))


def _sale(home: Home) -> Trade:
    (sale,) = [trade for trade in home.trades() if trade.side is Side.SELL]
    return sale


def _refused(home: Home, name: str) -> str:
    (told,) = [one.sentence for one in home.decide().refusals if one.asset_class == name]
    return told


# ------------------------------------------------------------------ what a trade is for


def test_a_sale_of_what_is_heavy_says_what_of_it_leaves():
    sale = _sale(household(HEAVY, withdrawals=(_due(5_000),)))
    assert sale.motive is Motive.DRIFT
    assert "; 5,000.00 USD of it are to leave taxable; " in sale.reason


def test_a_sale_of_which_most_leaves_is_done_for_cash():
    sale = _sale(household(HEAVY, withdrawals=(_due(30_000),)))
    assert sale.motive is Motive.CASH
    assert sale.reason.startswith("30,000.00 USD are to leave taxable, and this is the cheapest ")


def test_cash_at_hand_that_pays_a_withdrawal_is_no_motive_to_sell():
    sale = _sale(household(HEAVY, {"taxable": 6_000}, withdrawals=(_due(5_000),)))
    assert sale.motive is Motive.DRIFT
    assert "to leave" not in sale.reason


@pytest.mark.parametrize(
    ("reserve", "motive", "words"),
    [
        (4_000, Motive.DRIFT, "; 3,000.00 USD of it fill the cash that is to stay in taxable; "),
        (30_000, Motive.CASH, "taxable lacks 29,000.00 USD of the cash that is to stay there, "),
    ],
)
def test_a_sale_that_fills_a_reserve_says_so(reserve, motive, words):
    sale = _sale(_with_reserve(household(HEAVY, {"taxable": 1_000}), reserve))
    assert sale.motive is motive
    assert words in sale.reason


def test_a_loss_that_is_bought_back_is_a_harvest_and_says_what_of_it_leaves():
    sale = _sale(household(AT_A_LOSS, withdrawals=(_due(5_000),)))
    assert sale.motive is Motive.HARVEST
    assert "while AAB keeps the place of AAA; 5,000.00 USD of it are to leave" in sale.reason


def test_a_loss_of_which_little_is_bought_back_is_sold_for_the_drift():
    lots = [held("taxable", "AAA", 100_000, 120_000)]
    classes = {
        "stocks": ClassRule(target=Decimal("0.3"), members=("AAA", "AAB")),
        "bonds": ClassRule(target=Decimal("0.7"), members=("BBB",)),
    }
    home = household(lots, classes=classes)
    sale = _sale(home)
    assert sale.motive is Motive.DRIFT
    assert sale.reason.startswith("stocks is 100.0 % of the savings, 70.0 points above its target")
    assert "; its loss is taken, and AAB keeps the place of a part of it; " in sale.reason
    (kept,) = [trade for trade in home.trades() if trade.symbol == "AAB"]
    assert kept.motive is Motive.DRIFT
    assert kept.reason.startswith("it takes the place of a part of the stocks that is sold here; ")
    assert "AAB is bought instead because AAA is sold at a loss" in kept.reason


def test_idle_cash_is_a_motive_of_its_own():
    lots = [held("taxable", "AAA", 58_000, 50_000), held("taxable", "BBB", 39_000, 38_000)]
    home = household(lots, {"taxable": 3_000}, bands=WIDE_BAND)
    assert {trade.motive for trade in home.trades()} == {Motive.CASH}
    assert all("; idle cash of this account buys what is" in one.reason for one in home.trades())


def test_what_is_less_than_a_tenth_of_a_point_below_its_target_is_told_in_money():
    lots = [held("taxable", "AAA", 599_800, 500_000), held("taxable", "BBB", 399_700, 380_000)]
    home = household(lots, {"taxable": 500}, bands=WIDE_BAND)
    told = {trade.asset_class: trade.reason for trade in home.trades()}
    buys = "; idle cash of this account buys what is light."
    assert told["stocks"] == (
        f"stocks is 60.0 % of the savings, 200.00 USD below its target of 60.0 %{buys}"
    )
    assert told["bonds"] == (
        f"bonds is 40.0 % of the savings, 300.00 USD below its target of 40.0 %{buys}"
    )


def test_a_sale_at_cost_tells_neither_a_gain_nor_a_loss():
    home = household([held("taxable", "AAA", 80_000, 80_000), HEAVY[1]])
    assert _sale(home).reason.endswith(": neither a gain nor a loss, free of tax.")


def test_what_locks_two_funds_is_told_once():
    classes = {
        "stocks": ClassRule(target=Decimal("0.6"), members=("AAA", "AAB", "AAC")),
        "bonds": ClassRule(target=Decimal("0.4"), members=("BBB",)),
    }
    lots = [held("taxable", "AAC", 40_000, 40_000), held("taxable", "BBB", 60_000, 60_000)]
    sold = replace(realized(-500, Term.LONG, days=10), symbol="AAA")
    alike = replace(TAX, identical=(("AAA", "AAB"),))
    home = household(lots, classes=classes, disposals=(sold,), tax=alike)
    (bought,) = [trade for trade in home.trades() if trade.side is Side.BUY]
    assert bought.reason.endswith(
        "; AAC is bought instead because AAA was sold at a loss in taxable on 2026-02-27; AAA and "
        "AAB may be bought again from 2026-03-30."
    )


# ------------------------------------------------------------------ why the rest was not done


@pytest.mark.parametrize(
    ("plan", "cash", "heavy", "light"),
    [
        pytest.param(
            PlanRule(drift_price=ZERO),
            0,
            "the policy's drift_price is 0, so that no drift is worth what a sale costs",
            "stocks could be sold for it, but the policy's drift_price is 0",
            id="drift has no price",
        ),
        pytest.param(
            PlanRule(drift_price=ZERO),
            5_000,
            "the policy's drift_price is 0, so that no drift is worth what a sale costs",
            "what cash is left in taxable is not spent, for the policy's drift_price is 0",
            id="drift has no price, and there is cash",
        ),
        pytest.param(
            PlanRule(order_cost=Decimal(5_000)),
            0,
            "for what it costs in tax, trading, the order itself and whole steps",
            "stocks could be sold for it, but a sale would mend too little drift",
            id="an order is dear",
        ),
        pytest.param(
            PlanRule(sell_least=Decimal(50_000)),
            5_000,
            "no sale is worth the 50,000.00 USD that the policy asks of it (sell_least)",
            "stocks could be sold for it, but no sale is worth the 50,000.00 USD",
            id="selling must be worth more",
        ),
    ],
)
def test_where_a_sale_is_not_worth_it_nobody_says_that_it_is_forbidden(plan, cash, heavy, light):
    home = household(HEAVY, {"taxable": cash}, plan=plan)
    assert not any(trade.side is Side.SELL for trade in home.trades())
    assert heavy in _refused(home, "stocks")
    assert light in _refused(home, "bonds")


def test_what_the_turnover_of_a_day_stops_says_so_on_both_sides():
    home = household(HEAVY, gates=GateRule(turnover_max=Decimal("0.05")))
    assert "more is not sold in one day than the policy's turnover_max" in _refused(home, "stocks")
    assert "turnover_max lets; a deposit in taxable would buy it." in _refused(home, "bonds")


def test_what_the_turnover_leaves_is_its_own_reason_where_it_is_less_than_an_order():
    """Of 5,000 that may be sold today 4,500 are due to leave, and no order is below 1,000."""
    home = household(
        [held("ira", "AAA", 100_000, 100_000)],
        accounts=TWO,
        orders=OrderRule(minimum=Decimal(1_000)),
        gates=GateRule(turnover_max=Decimal("0.05"), orders_max=1_000),
        withdrawals=(_due(4_500, account="ira"),),
    )
    assert "turnover_max" in _refused(home, "stocks")


def test_less_than_a_step_of_a_fund_is_nothing_that_could_be_sold():
    lots = [held("taxable", "AAA", 80_000, 80_000, days=0), held("ira", "AAA", 50, 50)]
    home = household([*lots, held("taxable", "BBB", 20_000, 20_000)], accounts=TWO, step="1")
    told = [one.sentence for one in home.decide().refusals if one.asset_class == "stocks"]
    assert any(sentence.endswith("nothing of it may be sold now.") for sentence in told)


def test_where_all_is_spent_and_nothing_is_heavy_there_a_deposit_is_asked_for():
    lots = [held("ira", "AAA", 80_000, 1), held("taxable", "BBB", 20_000, 20_000)]
    home = household(lots, accounts=TWO, orders=OrderRule(no_sell=("AAA",)))
    assert _refused(home, "bonds").endswith(
        ": no cash is left in ira or taxable to buy it with; a deposit in ira or taxable would "
        "buy it."
    )
    told = [one.sentence for one in home.decide().refusals if one.asset_class == "stocks"]
    assert any("nothing of it may be sold now." in sentence for sentence in told)


def test_proceeds_that_could_buy_what_is_light_only_elsewhere_mend_nothing():
    coin = {"taxable": AccountKind.TAXABLE, "wallet": AccountKind.CRYPTO}
    lots = [held("taxable", "AAA", 80_000, 20_000)]
    classes = {
        "stocks": ClassRule(target=Decimal("0.6"), members=("AAA",)),
        "bonds": ClassRule(target=Decimal("0.4"), members=("BBB",)),
    }
    home = household(lots, accounts=coin, classes=classes, orders=OrderRule(no_buy=("BBB",)))
    assert "could buy nothing that is light now" in _refused(home, "stocks")
    assert "BBB is on the policy's no-buy list." in _refused(home, "bonds")


def test_a_class_that_no_account_may_hold_says_so():
    mixed = household(
        [held("taxable", "AAA", 50_000, 40_000)],
        accounts={"taxable": AccountKind.TAXABLE},
        classes={
            "stocks": ClassRule(target=Decimal("0.5"), members=("AAA",)),
            "coins": ClassRule(target=Decimal("0.5"), members=("CCC",)),
        },
    )
    kinds = {
        name: replace(one, kind=InstrumentKind.CRYPTO) if name == "CCC" else one
        for name, one in mixed.snapshot.instruments.items()
    }
    told = mixed._replace(snapshot=replace(mixed.snapshot, instruments=kinds))
    assert "no account of this household may hold CCC." in _refused(told, "coins")


def test_goals_are_those_of_what_stays_once_a_withdrawal_has_left():
    """Of 100,000 another 20,000 leave; of the rest each class has its part after the plan."""
    home = household(HEAVY, withdrawals=(_due(20_000),))
    assert home.trades()
    assert home.decide().refusals == ()


def test_cash_that_cannot_be_raised_names_the_lots_that_stay():
    lots = [held("taxable", "AAA", 10_000, 12_000), held("ira", "AAA", 100, 100, 5)]
    home = household(lots, accounts=TWO, withdrawals=(_due(5_000),), bands=WIDE_BAND)
    told = [one.sentence for one in home.decide().refusals]
    assert told[0] == (
        "5,000.00 USD are to leave taxable, and 5,000.00 USD of them cannot be raised there now, "
        "so that no plan keeps every rule and none is proven: put money in, or take less."
    )
    assert told[1].startswith("AAA of 2023-12-30 in taxable is kept: AAA was bought in ira")


# ------------------------------------------------------------------ short ways, and the long ones

cents = st.integers(-2_000_000, 2_000_000).map(lambda number: Decimal(number) / 100)


@given(
    st.lists(st.tuples(cents, cents), min_size=1, max_size=6),
    st.tuples(cents, cents),
    st.tuples(cents.map(abs), cents.map(abs)),
    st.sampled_from(["0", "0.04"]),
    st.sampled_from(["0.30", "0.10"]),
)
def test_the_meter_of_a_year_adds_what_the_tax_of_the_year_does(gains, start, carried, rate, short):
    _, planning = prepared(household(HEAVY))
    year = YearToDate(
        year=2026,
        short=start[0],
        long=start[1],
        carry=Carryover(st=carried[0], lt=carried[1]),
    )
    tax = replace(planning.tax, short_term_rate=Decimal(short))
    harvest = replace(planning.harvest, discount_rate=Decimal(rate))
    meter = YearMeter(replace(planning, year=year, tax=tax, harvest=harvest))
    for now_short, now_long in gains:
        before = tax_of(year, tax, planning.statutes, Decimal(rate))
        year = year.after(Term.SHORT, now_short).after(Term.LONG, now_long)
        change = tax_of(year, tax, planning.statutes, Decimal(rate)) - before
        assert abs(meter.add(now_short, now_long) - change) < Decimal("1e-15")


@some
@given(homes())
def test_what_is_held_after_a_plan_is_what_its_lots_come_to(home):
    snapshot, planning = prepared(home)
    trades = make_plan(snapshot, planning).trades
    before = holdings(snapshot, planning.policy)
    quick = holdings_after(snapshot, planning.policy, before, trades)
    slow = holdings(apply_trades(snapshot, trades), planning.policy)
    assert quick.free == slow.free
    assert quick.short == slow.short
    for one, other in (
        (quick.total, slow.total),
        (quick.value, slow.value),
        (quick.outside, slow.outside),
        *((quick.values[name], slow.values[name]) for name in slow.values),
    ):
        assert abs(one - other) < Decimal("1e-12")
