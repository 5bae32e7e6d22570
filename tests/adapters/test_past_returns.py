import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.adapters.price_files import BND, BTC, CALENDARS, EUNL, EURUSD, VTI, daily, utc

from trimtab.adapters.prices import FilePrices, load_prices
from trimtab.domain.errors import DataSuspect
from trimtab.domain.values import Instrument, InstrumentKind
from trimtab.rules.targets.covariance import ledoit_wolf
from trimtab.rules.targets.minimum_variance import minimum_variance
from trimtab.rules.targets.quadratic import Limits

PAGE = Path(__file__).resolve().parents[2] / "docs/explanation/strategies.md"
LATER = utc("2026-03-31")


@pytest.fixture
def write(tmp_path):
    def write(text: str, name: str = "prices.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def load(*paths, instruments=(VTI, BND), lead=dt.timedelta(0)) -> FilePrices:
    return load_prices(
        paths,
        {instrument.symbol: instrument for instrument in instruments},
        CALENDARS,
        base_currency="USD",
        stale_after_days=5,
        lead=lead,
    )


def test_returns_are_simple_and_of_adjusted_closes(write):
    path = write(
        "date,VTI,VTI adjusted\n2026-03-02,300,100\n2026-03-03,303,102\n2026-03-04,303,102\n"
    )
    sessions, returns = load(path).returns(["VTI"], LATER)
    assert sessions == (dt.date(2026, 3, 3), dt.date(2026, 3, 4))
    assert returns.dtype == np.float64
    np.testing.assert_allclose(returns, [[0.02], [0.0]])


def test_without_adjusted_closes_raw_ones_serve_and_a_recorded_split_is_no_loss(write):
    path = write("date,VTI,VTI split\n2026-03-02,300,\n2026-03-03,153,2\n2026-03-04,153,\n")
    prices = load(path)
    np.testing.assert_allclose(prices.returns(["VTI"], LATER)[1], [[0.02], [0.0]])
    assert prices.unadjusted == ("VTI",)


def test_a_coins_day_goes_with_the_stock_markets_session_of_the_same_date(write):
    path = write(
        "date,VTI,BTC-USD\n2026-03-05,100,1000\n2026-03-06,110,1100\n2026-03-07,,1200\n"
        "2026-03-08,,1300\n2026-03-09,110,1400\n"
    )
    sessions, returns = load(path, instruments=[VTI, BTC]).returns(["VTI", "BTC-USD"], LATER)
    # Friday's bar ends four hours after the close, Thursday's twenty before it.
    assert sessions == (dt.date(2026, 3, 6), dt.date(2026, 3, 9))
    np.testing.assert_allclose(returns, [[0.1, 0.1], [0.0, 3 / 11]])


def test_so_it_does_on_a_half_day(write):
    path = write("date,VTI,BTC-USD\n2026-11-25,100,1000\n2026-11-26,,1200\n2026-11-27,110,1500\n")
    sessions, returns = load(path, instruments=[VTI, BTC]).returns(
        ["VTI", "BTC-USD"], utc("2026-11-28")
    )
    assert sessions == (dt.date(2026, 11, 27),)
    np.testing.assert_allclose(returns, [[0.1, 0.5]])


@pytest.mark.parametrize(
    ("lead", "before", "after"),
    [
        pytest.param(0, "2026-03-06 23:59:59", "2026-03-07", id="in life"),
        pytest.param(5, "2026-03-06 23:54:59", "2026-03-06 23:55", id="in a replay"),
    ],
)
def test_a_session_is_past_for_all_once_the_coins_day_has_ended(write, lead, before, after):
    path = write("date,VTI,BTC-USD\n2026-03-04,1,1\n2026-03-05,2,2\n2026-03-06,3,3\n")
    prices = load(path, instruments=[VTI, BTC], lead=dt.timedelta(minutes=lead))
    thursday, friday = dt.date(2026, 3, 5), dt.date(2026, 3, 6)
    assert prices.returns(["VTI"], utc("2026-03-06 21:00"))[0] == (thursday, friday)
    for at in ("2026-03-06 20:55", "2026-03-06 21:00", before):
        assert prices.returns(["VTI", "BTC-USD"], utc(at))[0] == (thursday,)
    assert prices.returns(["VTI", "BTC-USD"], utc(after))[0] == (thursday, friday)


def test_a_coin_without_todays_bar_has_no_return_of_zero_beside_the_funds(write):
    funds = write("date,VTI\n2026-03-03,1\n2026-03-04,2\n2026-03-05,3\n2026-03-06,4\n")
    coin = "date,BTC-USD\n2026-03-03,10\n2026-03-04,20\n"
    early = load(funds, write(coin, "coin.csv"), instruments=[VTI, BTC])
    late = load(funds, write(f"{coin}2026-03-06,30\n", "late.csv"), instruments=[VTI, BTC])
    sessions, returns = early.returns(["VTI", "BTC-USD"], LATER)
    assert sessions == (dt.date(2026, 3, 4),)
    np.testing.assert_allclose(returns, [[1.0, 1.0]])
    # Once a later bar is there, none of the 5th is to come: the coin stayed where it was known.
    assert late.returns(["VTI", "BTC-USD"], utc("2026-03-06 23:59:59"))[0] == sessions
    np.testing.assert_allclose(late.returns(["VTI", "BTC-USD"], LATER)[1][1:, 1], [0.0, 0.5])


def test_a_missing_price_drops_its_sessions_and_is_never_carried_forward(write):
    path = write("date,VTI,BND\n2026-03-02,1,7\n2026-03-03,2,\n2026-03-04,3,7\n2026-03-05,3,7\n")
    prices = load(path)
    sessions, returns = prices.returns(["VTI", "BND"], LATER)
    assert sessions == (dt.date(2026, 3, 5),)
    assert prices.dropped_sessions(["VTI", "BND"], LATER) == 2
    assert prices.dropped_sessions(["VTI"], LATER) == 0
    assert returns.shape == (1, 2)


def test_strategies_see_every_session_and_what_a_symbol_returned_over_its_hole(write):
    path = write("date,VTI,BND\n2026-03-02,1,7\n2026-03-03,2,\n2026-03-04,3,14\n2026-03-05,3,14\n")
    sessions, returns = load(path).past(["VTI", "BND"], LATER)
    assert sessions == tuple(dt.date(2026, 3, day) for day in (3, 4, 5))
    np.testing.assert_allclose(returns, [[1.0, np.nan], [0.5, 1.0], [0.0, 0.0]])


def test_returns_begin_with_the_youngest_symbol(write):
    path = write("date,VTI,BND\n2026-03-02,1,\n2026-03-03,2,7\n2026-03-04,3,7\n")
    prices = load(path)
    assert prices.returns(["VTI", "BND"], LATER)[0] == (dt.date(2026, 3, 4),)
    assert prices.dropped_sessions(["VTI", "BND"], LATER) == 0


def test_a_sessions_return_is_past_once_its_close_is_known(write):
    path = write("date,VTI\n2026-03-02,1\n2026-03-03,2\n2026-03-04,3\n")
    before, after = utc("2026-03-04 20:54:59"), utc("2026-03-04 20:55")
    prices = load(path, lead=dt.timedelta(minutes=5))
    assert prices.returns(["VTI"], before)[0] == (dt.date(2026, 3, 3),)
    assert prices.returns(["VTI"], after)[0] == (dt.date(2026, 3, 3), dt.date(2026, 3, 4))
    assert load(path).returns(["VTI"], after)[0] == (dt.date(2026, 3, 3),)


def test_what_was_past_stays_the_same_as_time_goes_on():
    funds = [Instrument(symbol=name, kind=InstrumentKind.ETF) for name in ("SPY", "TLT")]
    prices = load(
        daily("core_adj_close_2007_2023.csv"),
        daily("crypto_daily.csv"),
        instruments=[*funds, BTC],
    )
    symbols, evening = ["SPY", "TLT", "BTC-USD"], utc("2020-03-13")
    late_sessions, late = prices.returns(symbols, utc("2021-03-12 20:00"))
    for early in (utc("2018-01-01"), utc("2020-03-12 20:00"), evening):
        sessions, returns = prices.returns(symbols, early)
        assert late_sessions[: len(sessions)] == sessions
        np.testing.assert_array_equal(late[: len(returns)], returns)
    assert prices.dropped_sessions(symbols, evening) <= 2


def test_stocks_and_bitcoin_crash_on_the_same_day():
    spy = Instrument(symbol="SPY", kind=InstrumentKind.ETF)
    prices = load(
        daily("core_adj_close_2007_2023.csv"), daily("crypto_daily.csv"), instruments=[spy, BTC]
    )
    sessions, returns = prices.returns(["SPY", "BTC-USD"], utc("2020-03-13"))
    assert sessions[-1] == dt.date(2020, 3, 12)
    np.testing.assert_allclose(returns[-1], [236.5205 / 261.5443 - 1, 4970.788 / 7911.430 - 1])
    assert prices.returns(["SPY", "BTC-USD"], utc("2020-03-12 20:00"))[0] == sessions[:-1]


@pytest.mark.parametrize(("bar", "later"), [("nearest to the close", 0), ("ended at the close", 1)])
def test_the_page_of_strategies_says_what_the_older_bar_does_to_a_mix(tmp_path, bar, later):
    lines = daily("crypto_daily.csv").read_text(encoding="utf-8").splitlines()
    rows = (line.split(",") for line in lines[1:] if "BTC-USD" in line)
    coin = tmp_path / "coin.csv"
    coin.write_text(
        "date,BTC-USD\n"
        + "".join(
            f"{dt.date.fromisoformat(row[0]) + dt.timedelta(days=later)},{row[5]}\n" for row in rows
        )
    )
    symbols = ["VTI", "VEA", "AGG", "BTC-USD"]
    funds = [Instrument(symbol=name, kind=InstrumentKind.ETF) for name in symbols[:3]]
    prices = load(daily("core_adj_close_2007_2023.csv"), coin, instruments=[*funds, BTC])
    returns = prices.returns(symbols, utc("2020-12-15"))[1][-756:]
    fives = (1 + returns[:755]).reshape(151, 5, 4).prod(axis=1) - 1
    by_day, by_five = (np.corrcoef(one[:, 0], one[:, 3])[0, 1] for one in (returns, fives))
    estimate = ledoit_wolf(returns, target="constant_correlation", periods_per_year=252)
    mix = minimum_variance(estimate, Limits(0.0, np.array([1.0, 1.0, 0.5, 1.0])))
    row = f"| {bar} | {by_day:.2f} | {by_five:.2f} | {100 * mix.weights[3]:.1f} % |"
    assert row.replace("-", "\N{MINUS SIGN}") in PAGE.read_text(encoding="utf-8").splitlines()


MARCH = [dt.date(2026, 3, day) for day in range(1, 32)]
WEEKDAYS = [day for day in MARCH if CALENDARS.is_session("XNYS", day)]


@given(
    stocks=st.sets(st.sampled_from(WEEKDAYS), min_size=15),
    coins=st.sets(st.sampled_from(MARCH), min_size=20),
    euros=st.sets(st.sampled_from(WEEKDAYS), min_size=15),
    hours=st.integers(24, 32 * 24),
)
def test_what_is_past_follows_from_bars_that_had_ended_alone(
    tmp_path_factory, stocks, coins, euros, hours
):
    at = utc("2026-03-01") + dt.timedelta(hours=hours)
    rows = {VTI: stocks, BTC: coins, EUNL: euros, EURUSD: euros}
    lines = [
        (CALENDARS.close_of(one.calendar, day), f"{day},{one.symbol},{number * number + 7}")
        for one, days in rows.items()
        for number, day in enumerate(sorted(days))
    ]
    folder = tmp_path_factory.mktemp("prices")
    symbols = ["VTI", "BTC-USD", "EUNL"]

    def past(known):
        path = folder / "prices.csv"
        path.write_text("\n".join(["date,symbol,close", *known]), encoding="utf-8")
        try:
            return load(path, instruments=list(rows)).returns(symbols, at)
        except DataSuspect:
            return (), np.empty((0, 3))

    sessions, returns = past([line for _, line in lines])
    known_sessions, known_returns = past([line for end, line in lines if end <= at])
    assert known_sessions == sessions
    np.testing.assert_array_equal(known_returns, returns)


def test_returns_of_a_fund_in_euros_count_in_dollars(write):
    path = write(
        "date,EUNL,EURUSD\n2026-03-02,100,1.00\n2026-03-03,100,1.10\n2026-03-04,100,1.10\n"
    )
    prices = load(path, instruments=[EUNL])
    sessions, returns = prices.returns(["EUNL"], LATER, calendar="XNYS")
    assert sessions == (dt.date(2026, 3, 3), dt.date(2026, 3, 4))
    np.testing.assert_allclose(returns, [[0.1], [0.0]])
    # The euro's day ends at 17:00 in New York, an hour after the stock market's.
    before, after = utc("2026-03-04 21:59:59"), utc("2026-03-04 22:00")
    assert prices.returns(["EUNL"], before, calendar="XNYS")[0] == sessions[:1]
    assert prices.returns(["EUNL"], after, calendar="XNYS")[0] == sessions


def test_a_coin_by_itself_is_sampled_by_its_own_days(write):
    path = write("date,BTC-USD\n2026-03-06,100\n2026-03-07,110\n2026-03-08,121\n")
    sessions, returns = load(path, instruments=[BTC]).returns(["BTC-USD"], LATER, calendar="24/7")
    assert sessions == (dt.date(2026, 3, 7), dt.date(2026, 3, 8))
    np.testing.assert_allclose(returns, [[0.1], [0.1]])


def test_a_price_from_another_market_serves_for_some_days_only(write):
    rows = "".join(
        f"{day},1\n"
        for day in CALENDARS.sessions("XNYS", dt.date(2026, 3, 2), dt.date(2026, 3, 20))
    )
    coin = write("date,BTC-USD\n2026-03-01,9\n2026-03-02,9\n2026-03-21,9\n", "coin.csv")
    prices = load(write("date,VTI\n" + rows), coin, instruments=[VTI, BTC])
    sessions, _ = prices.returns(["VTI", "BTC-USD"], LATER)
    assert sessions[-1] == dt.date(2026, 3, 6)
    assert prices.dropped_sessions(["VTI", "BTC-USD"], LATER) == 10


def test_an_unknown_symbol_has_no_past(write):
    with pytest.raises(DataSuspect, match="BND is in none of the price files"):
        load(write("date,VTI\n2026-03-02,1\n")).returns(["VTI", "BND"], LATER)


def test_a_single_price_has_no_return(write):
    sessions, returns = load(write("date,VTI\n2026-03-02,1\n")).returns(["VTI"], LATER)
    assert sessions == ()
    assert returns.shape == (0, 1)
