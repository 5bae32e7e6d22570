"""The invented market: the same seed gives the same prices, whoever asks and whenever."""

import datetime as dt
import itertools
import math
import statistics
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.domain.errors import DataSuspect, InputError
from trimtab.domain.values import Instrument, InstrumentKind
from trimtab.lab.market import InventedMarket

START = dt.date(2026, 6, 1)  # a Monday
KINDS = {
    "VTI": InstrumentKind.ETF,
    "VXUS": InstrumentKind.ETF,
    "BND": InstrumentKind.ETF,
    "GLD": InstrumentKind.ETF,
    "BTC": InstrumentKind.CRYPTO,
    "EURUSD": InstrumentKind.FOREX,
}
AFTERNOON = dt.datetime(2026, 6, 3, 15, 30, 17, tzinfo=dt.UTC)


def days_from(first, count):
    return [first + dt.timedelta(days=number) for number in range(count)]


def log_returns(market, symbol, first, count):
    closes = market.history(symbol, days_from(first, count))
    return [math.log(after / before) for before, after in itertools.pairwise(closes)]


def test_the_same_seed_and_start_give_the_same_market():
    days = days_from(START, 400)
    one, two = InventedMarket(7, START, KINDS), InventedMarket(7, START, KINDS)
    assert one.history("VTI", days) == two.history("VTI", days)
    assert one.quotes(KINDS, AFTERNOON) == two.quotes(KINDS, AFTERNOON)


@pytest.mark.parametrize("symbol", KINDS)
def test_another_seed_gives_another_market(symbol):
    one, two = InventedMarket(7, START, KINDS), InventedMarket(8, START, KINDS)
    assert one.close(symbol, START) != two.close(symbol, START)


def test_a_path_does_not_depend_on_which_other_instruments_there_are():
    alone = InventedMarket(7, START, {"BND": InstrumentKind.ETF})
    among_others = InventedMarket(7, START, dict(reversed(KINDS.items())))
    days = days_from(START - dt.timedelta(days=500), 1500)
    assert alone.history("BND", days) == among_others.history("BND", days)
    assert alone.quotes(["BND"], AFTERNOON)["BND"] == among_others.quotes(KINDS, AFTERNOON)["BND"]


def test_an_instrument_or_only_its_kind_may_be_given():
    instrument = Instrument(symbol="VTI", kind=InstrumentKind.ETF)
    by_kind = InventedMarket(7, START, {"VTI": InstrumentKind.ETF})
    assert InventedMarket(7, START, {"VTI": instrument}).close("VTI", START) == by_kind.close(
        "VTI", START
    )


@given(ahead=st.lists(st.integers(min_value=0, max_value=4000), min_size=1, max_size=6))
def test_a_past_day_never_changes_however_far_ahead_anybody_looks(ahead):
    market, fresh = InventedMarket(3, START, KINDS), InventedMarket(3, START, KINDS)
    for number in ahead:
        market.close("BTC", START + dt.timedelta(days=number))
    days = days_from(START, 600)
    assert market.history("BTC", days) == fresh.history("BTC", days)


@given(
    seed=st.integers(min_value=0, max_value=2**64),
    symbol=st.sampled_from(sorted(KINDS)),
    minutes=st.integers(min_value=-1_000_000, max_value=5_000_000),
)
def test_the_bid_is_above_zero_and_below_the_ask_at_any_minute(seed, symbol, minutes):
    at = AFTERNOON + dt.timedelta(minutes=minutes)
    quote = InventedMarket(seed, START, KINDS).quotes([symbol], at)[symbol]
    assert 0 < quote.bid < quote.ask
    assert quote.at <= at
    assert quote.source == "invented"


@pytest.mark.parametrize(("symbol", "places"), [("VTI", 2), ("BTC", 2), ("EURUSD", 5)])
def test_prices_have_the_decimals_of_their_kind(symbol, places):
    market = InventedMarket(7, START, KINDS)
    quote = market.quotes([symbol], AFTERNOON)[symbol]
    for price in (quote.bid, quote.ask, quote.previous_close, market.close(symbol, START)):
        assert price is not None
        assert str(price) == f"{price:.{places}f}"


def test_a_quote_is_of_its_minute_and_knows_the_close_before():
    market = InventedMarket(7, START, KINDS)
    quote = market.quotes(["VTI"], AFTERNOON)["VTI"]
    assert quote.at == dt.datetime(2026, 6, 3, 15, 30, tzinfo=dt.UTC)
    assert quote.session == dt.date(2026, 6, 3)
    assert quote.previous_close == market.close("VTI", dt.date(2026, 6, 2))


def test_the_same_instant_has_the_same_quote_in_every_time_zone():
    market = InventedMarket(7, START, KINDS)
    tokyo = AFTERNOON.astimezone(dt.timezone(dt.timedelta(hours=9)))
    assert market.quotes(["VTI"], tokyo) == market.quotes(["VTI"], AFTERNOON)


@pytest.mark.parametrize("symbol", ["VTI", "BTC", "EURUSD"])
def test_a_day_begins_at_the_close_before_and_ends_near_its_own(symbol):
    market = InventedMarket(7, START, KINDS)
    day = dt.date(2026, 6, 3)
    midnight = dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC)
    first = market.quotes([symbol], midnight)[symbol].price
    last = market.quotes([symbol], midnight + dt.timedelta(minutes=1439))[symbol].price
    assert float(first) == pytest.approx(float(market.close(symbol, day - dt.timedelta(1))), 2e-4)
    assert float(last) == pytest.approx(float(market.close(symbol, day)), 5e-3)


def test_the_price_goes_up_and_down_within_a_day():
    market = InventedMarket(7, START, KINDS)
    prices = [
        market.quotes(["VTI"], AFTERNOON + dt.timedelta(minutes=number))["VTI"].price
        for number in range(0, 480, 10)
    ]
    steps = [after - before for before, after in itertools.pairwise(prices)]
    assert min(steps) < 0 < max(steps)


def test_bid_and_ask_lie_to_either_side_even_of_a_price_of_few_ticks():
    market = InventedMarket(7, START, KINDS, drift_before={"VTI": -0.99})
    sunday = dt.datetime(2026, 6, 7, 12, tzinfo=dt.UTC)
    quote = market.quotes(["VTI"], sunday)["VTI"]
    assert quote.bid < market.close("VTI", sunday.date()) < quote.ask < 10


def test_no_year_repeats_another():
    market = InventedMarket(7, START, KINDS)
    one = log_returns(market, "GLD", START, 257)
    next_one = log_returns(market, "GLD", START + dt.timedelta(days=256), 257)
    assert abs(statistics.correlation(one, next_one)) < 0.3


def test_at_a_weekend_stocks_stand_at_friday_and_bitcoin_moves():
    market = InventedMarket(7, START, KINDS)
    friday, sunday = dt.date(2026, 6, 5), dt.datetime(2026, 6, 7, 12, tzinfo=dt.UTC)
    stock, coin = (market.quotes(KINDS, sunday)[symbol] for symbol in ("VTI", "BTC"))
    assert stock.session == friday
    assert stock.bid < market.close("VTI", friday) < stock.ask
    assert stock.previous_close == market.close("VTI", dt.date(2026, 6, 4))
    assert market.close("VTI", sunday.date()) == market.close("VTI", friday)
    assert coin.session == sunday.date()
    assert market.close("BTC", sunday.date()) != market.close("BTC", friday)


@pytest.mark.parametrize("symbol", KINDS)
@pytest.mark.parametrize("total", [-0.6, 0.0, 0.5, 9.0])
@pytest.mark.parametrize("start", [START, dt.date(2026, 6, 7), dt.date(2028, 2, 29)])
def test_the_history_has_the_total_return_that_was_asked(symbol, total, start):
    market = InventedMarket(11, start, KINDS, drift_before={symbol: total})
    first, last = market.close(symbol, market.first_day), market.close(symbol, start)
    tick = Decimal("0.00001") if symbol == "EURUSD" else Decimal("0.01")
    wanted = first * (1 + Decimal(str(total)))
    assert abs(last - wanted) <= tick * (2 + Decimal(str(total)))


def test_a_tilt_leaves_the_other_symbols_and_the_later_returns_alone():
    plain = InventedMarket(11, START, KINDS)
    tilted = InventedMarket(11, START, KINDS, drift_before={"VTI": 0.8})
    assert plain.history("BND", days_from(START, 50)) == tilted.history("BND", days_from(START, 50))
    assert log_returns(plain, "VTI", START, 50) == pytest.approx(
        log_returns(tilted, "VTI", START, 50), abs=3e-4
    )


def test_bonds_are_calmer_than_stocks_and_stocks_calmer_than_bitcoin():
    market = InventedMarket(7, START, KINDS)
    bonds, stocks, coin = (
        statistics.stdev(log_returns(market, symbol, START, 2000))
        for symbol in ("BND", "VTI", "BTC")
    )
    assert 2 * bonds < stocks
    assert 2 * stocks < coin


def test_stocks_at_home_and_abroad_move_together_and_gold_does_not():
    market = InventedMarket(7, START, KINDS)
    home, abroad, gold = (
        log_returns(market, symbol, START, 2000) for symbol in ("VTI", "VXUS", "GLD")
    )
    assert statistics.correlation(home, abroad) > 0.6
    assert abs(statistics.correlation(home, gold)) < 0.2


def test_a_symbol_moves_in_the_style_that_it_is_given():
    plain = InventedMarket(7, START, {"ACME": InstrumentKind.EQUITY})
    calm = InventedMarket(7, START, {"ACME": InstrumentKind.EQUITY}, styles={"ACME": "bonds"})
    assert statistics.stdev(log_returns(calm, "ACME", START, 500)) < 0.6 * statistics.stdev(
        log_returns(plain, "ACME", START, 500)
    )


def test_an_unknown_symbol_is_refused_with_its_name_and_date():
    with pytest.raises(DataSuspect, match=r"ACME has no price on 2026-06-03"):
        InventedMarket(7, START, KINDS).quotes(["VTI", "ACME"], AFTERNOON)


@pytest.mark.parametrize("start", [START, dt.date(2026, 6, 6), dt.date(2026, 6, 7)])
def test_there_is_no_price_before_the_three_years(start):
    market = InventedMarket(7, start, KINDS)
    assert market.close("VTI", market.first_day) > 0
    with pytest.raises(DataSuspect, match="begins on"):
        market.close("VTI", market.first_day - dt.timedelta(days=1))
    early = dt.datetime.combine(market.first_day, dt.time(12), tzinfo=dt.UTC)
    with pytest.raises(DataSuspect, match="begins on"):
        market.quotes(["VTI"], early)


def test_no_days_have_no_history():
    assert InventedMarket(7, START, KINDS).history("VTI", []) == ()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param({"seed": -1}, "seed", id="a negative seed"),
        pytest.param({"styles": {"VTI": "wild"}}, "choose one of", id="a style nobody knows"),
        pytest.param({"drift_before": {"ACME": 0.1}}, "ACME", id="a tilt of an unknown symbol"),
        pytest.param({"drift_before": {"VTI": -1.0}}, "greater than -1", id="losing everything"),
        pytest.param({"drift_before": {"VTI": math.nan}}, "greater than -1", id="no number"),
    ],
)
def test_arguments_that_make_no_market_are_refused(arguments, sentence):
    with pytest.raises(InputError, match=sentence):
        InventedMarket(**{"seed": 7, "start": START, "instruments": KINDS, **arguments})
