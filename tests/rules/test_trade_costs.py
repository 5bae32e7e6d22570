"""What a trade costs: limits, how it scales, and a bounce that is planted and found again."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.domain.errors import InputError
from trimtab.rules.trade_costs import market_impact, roll_spread, trade_cost

FUND = {"volatility_daily": 0.01, "volume_daily": 1e6}
SHARE = {"volatility_daily": 0.02, "volume_daily": 1e6, "units_outstanding": 2e8}
quantities = st.floats(1, 1e7)


@given(quantities, st.floats(0, 100), st.floats(0, 20))
def test_the_parts_of_a_cost_add_up_and_a_sale_costs_what_a_purchase_does(quantity, spread, fee):
    bought = trade_cost(quantity, spread_bps=spread, fee_bps=fee, **FUND)
    assert bought.total == pytest.approx(bought.half_spread + bought.impact + bought.fee)
    assert trade_cost(-quantity, spread_bps=spread, fee_bps=fee, **FUND) == bought


@given(quantities)
def test_four_times_the_quantity_moves_the_price_twice_as_far(quantity):
    once = trade_cost(quantity, spread_bps=0, **FUND).impact
    assert trade_cost(4 * quantity, spread_bps=0, **FUND).impact == pytest.approx(2 * once)


def test_a_whole_days_volume_moves_the_price_by_a_days_volatility():
    assert trade_cost(1e6, spread_bps=0, **FUND).total == pytest.approx(100)


def test_without_a_spread_or_a_quantity_only_the_rest_is_paid():
    assert trade_cost(0, spread_bps=0, fee_bps=0.5, **FUND) == (0, 0, 0.5, 0.5)
    assert trade_cost(0, spread_bps=3, **FUND).total == 1.5


@given(quantities, st.floats(0.01, 5))
def test_a_sale_lowers_the_price_by_what_a_purchase_raises_it(quantity, days):
    bought = market_impact(quantity, days=days, **SHARE)
    assert market_impact(-quantity, days=days, **SHARE) == tuple(-part for part in bought)


@given(quantities, st.floats(0.01, 5))
def test_patience_lessens_the_temporary_impact_and_not_the_permanent_one(quantity, days):
    fast, slow = (market_impact(quantity, days=time, **SHARE) for time in (days, 32 * days))
    assert slow.permanent == fast.permanent
    assert slow.temporary == pytest.approx(fast.temporary / 8)  # 32 to the power of 3/5
    assert slow.realised == pytest.approx(slow.permanent / 2 + slow.temporary)


def test_no_trade_has_no_impact():
    assert market_impact(0, days=1, **SHARE) == (0, 0, 0)


@pytest.mark.parametrize("spread", [0.02, 0.1, 0.5])
def test_a_bounce_between_bid_and_ask_is_found_again_from_trades_alone(spread):
    rng = np.random.default_rng(3)
    middle = 100 + np.cumsum(rng.normal(scale=spread / 10, size=40_000))
    trades = middle + spread / 2 * rng.choice([-1, 1], size=middle.size)
    assert roll_spread(trades).spread == pytest.approx(spread, rel=0.03)


@given(st.floats(0.1, 100), st.floats(0.01, 10))
def test_the_found_spread_is_in_the_money_of_the_prices(level, scale):
    bounces = level * np.array([1, 1.01, 1, 1.01, 1.01, 1, 1.01])
    once, scaled = roll_spread(bounces).spread, roll_spread(scale * bounces).spread
    assert once
    assert scaled == pytest.approx(scale * once)


def test_prices_that_trend_or_never_move_show_no_spread():
    trending = roll_spread([100, 101, 103, 106, 110])
    assert trending.spread == 0
    assert trending.autocovariance == pytest.approx(1.0)
    assert roll_spread([100] * 5) == (0, 0)


def test_three_prices_are_too_few_to_tell():
    assert roll_spread([100, 101, 100]) == (None, None)
    assert roll_spread([100, 101, 100, 101]).spread == 2 * math.sqrt(2)


@pytest.mark.parametrize(
    ("prices", "sentence"),
    [
        ([], "the prices are no list of numbers"),
        ([[1.0, 2.0]], "the prices are no list of numbers"),
        ([1.0, math.nan, -2.0], r"price 2 is nan; .*price 3 is -2; write a positive number"),
    ],
)
def test_prices_that_are_none_are_refused_in_one_sentence(prices, sentence):
    with pytest.raises(InputError, match=sentence):
        roll_spread(prices)


def test_costs_of_impossible_figures_are_refused_all_at_once():
    with pytest.raises(InputError, match=r"the spread is -1; .*the daily volume is 0; .*fee is -2"):
        trade_cost(1, spread_bps=-1, volatility_daily=0.01, volume_daily=0, fee_bps=-2)
    with pytest.raises(InputError, match=r"units outstanding is 0; .*the time to trade is 0;"):
        market_impact(1, volume_daily=1, units_outstanding=0, volatility_daily=0.01, days=0)
