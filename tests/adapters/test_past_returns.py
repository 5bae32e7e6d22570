import datetime as dt

import numpy as np
import pytest
from tests.adapters.price_files import BND, BTC, CALENDARS, EUNL, VTI, daily, utc

from trimtab.adapters.prices import FilePrices, load_prices
from trimtab.domain.errors import DataSuspect
from trimtab.domain.values import Instrument, InstrumentKind

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


def test_a_coin_is_sampled_at_the_stock_markets_close(write):
    path = write(
        "date,VTI,BTC-USD\n2026-03-05,100,1000\n2026-03-06,110,1100\n2026-03-07,,1200\n"
        "2026-03-08,,1300\n2026-03-09,110,1400\n"
    )
    sessions, returns = load(path, instruments=[VTI, BTC]).returns(["VTI", "BTC-USD"], LATER)
    # At Friday's close the coin's day of Thursday is over; at Monday's, that of Sunday.
    assert sessions == (dt.date(2026, 3, 9),)
    np.testing.assert_allclose(returns, [[0.0, 0.3]])


def test_a_missing_price_drops_its_sessions_and_is_never_carried_forward(write):
    path = write("date,VTI,BND\n2026-03-02,1,7\n2026-03-03,2,\n2026-03-04,3,7\n2026-03-05,3,7\n")
    prices = load(path)
    sessions, returns = prices.returns(["VTI", "BND"], LATER)
    assert sessions == (dt.date(2026, 3, 5),)
    assert prices.dropped_sessions(["VTI", "BND"], LATER) == 2
    assert prices.dropped_sessions(["VTI"], LATER) == 0
    assert returns.shape == (1, 2)


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
    symbols = ["SPY", "TLT", "BTC-USD"]
    early_sessions, early = prices.returns(symbols, utc("2018-01-01"))
    late_sessions, late = prices.returns(symbols, utc("2020-03-12 20:00"))
    assert late_sessions[: len(early_sessions)] == early_sessions
    np.testing.assert_array_equal(late[: len(early)], early)
    assert late_sessions[-1] == dt.date(2020, 3, 12)
    np.testing.assert_allclose(late[-1][0], 236.5205 / 261.5443 - 1)
    assert prices.dropped_sessions(symbols, utc("2020-03-12 20:00")) <= 2


def test_returns_of_a_fund_in_euros_count_in_dollars(write):
    path = write(
        "date,EUNL,EURUSD\n2026-03-02,100,1.00\n2026-03-03,100,1.10\n2026-03-04,100,1.10\n"
    )
    sessions, returns = load(path, instruments=[EUNL]).returns(["EUNL"], LATER, calendar="XNYS")
    # At 16:00 in New York the euro's day, which ends at 17:00, is that of the day before.
    assert sessions == (dt.date(2026, 3, 4),)
    np.testing.assert_allclose(returns, [[0.1]])


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
    coin = write("date,BTC-USD\n2026-03-01,100\n2026-03-02,100\n", "coin.csv")
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
