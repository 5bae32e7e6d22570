import datetime as dt
import time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.adapters.price_files import (
    BND,
    BTC,
    CALENDARS,
    EUNL,
    EURUSD,
    VTI,
    Write,
    daily,
    utc,
)

from trimtab.adapters.prices import FilePrices, load_prices
from trimtab.domain.errors import DataSuspect
from trimtab.domain.values import Instrument, InstrumentKind

MONDAY_CLOSE = utc("2026-03-02 21:00")
SPREADS = {InstrumentKind.ETF: Decimal(4), InstrumentKind.CRYPTO: Decimal(20)}


@pytest.fixture
def write(tmp_path) -> Write:
    def write(text: str, name: str = "prices.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def load(
    *paths, instruments=(VTI, BND), base="USD", stale=5, lead=dt.timedelta(0), spreads=SPREADS
) -> FilePrices:
    return load_prices(
        paths,
        {instrument.symbol: instrument for instrument in instruments},
        CALENDARS,
        base_currency=base,
        stale_after_days=stale,
        spread_bps=spreads,
        lead=lead,
    )


WEEK = """date,symbol,close
2026-03-02,VTI,300.10
2026-03-03,VTI,301.20
2026-03-04,VTI,302.30
"""


# --------------------------------------------------------------------- what is known when


def test_a_close_is_known_at_the_close_and_not_a_second_before(write):
    prices = load(write(WEEK))
    before, after = utc("2026-03-03 20:59:59"), utc("2026-03-03 21:00")
    assert prices.quotes(["VTI"], before)["VTI"].session == dt.date(2026, 3, 2)
    quote = prices.quotes(["VTI"], after)["VTI"]
    assert (quote.session, quote.at) == (dt.date(2026, 3, 3), after)
    assert quote.price == Decimal("301.20")
    assert quote.previous_close == Decimal("300.10")


def test_with_a_lead_the_close_is_known_that_much_earlier(write):
    prices = load(write(WEEK), lead=dt.timedelta(minutes=5))
    assert prices.quotes(["VTI"], utc("2026-03-03 20:54:59"))["VTI"].session.day == 2
    quote = prices.quotes(["VTI"], utc("2026-03-03 20:55"))["VTI"]
    assert (quote.session.day, quote.at) == (3, utc("2026-03-03 20:55"))


def test_a_half_days_close_is_known_when_it_closes(write):
    prices = load(write("date,symbol,close\n2026-11-25,VTI,10\n2026-11-27,VTI,11\n"))
    assert prices.quotes(["VTI"], utc("2026-11-27 18:00"))["VTI"].price == 11


def test_a_coins_day_ends_at_midnight_utc(write):
    path = write("date,symbol,close\n2026-03-06,BTC-USD,100\n2026-03-07,BTC-USD,200\n")
    prices = load(path, instruments=[BTC])
    assert prices.quotes(["BTC-USD"], utc("2026-03-07 23:59:59"))["BTC-USD"].price == 100
    assert prices.quotes(["BTC-USD"], utc("2026-03-08"))["BTC-USD"].price == 200


def test_a_session_is_the_date_in_the_file_whatever_the_time_zone(write):
    quote = load(write(WEEK)).quotes(["VTI"], utc("2026-03-05 04:00"))["VTI"]
    assert quote.session == dt.date(2026, 3, 4)


@settings(max_examples=30)
@given(
    seconds=st.integers(0, 20 * 24 * 3600),
    lead=st.sampled_from([dt.timedelta(0), dt.timedelta(minutes=5)]),
)
def test_no_quote_ever_comes_from_after_the_instant_asked(tmp_path_factory, seconds, lead):
    days = CALENDARS.sessions("XNYS", dt.date(2026, 2, 2), dt.date(2026, 3, 20))
    path = tmp_path_factory.mktemp("prices") / "prices.csv"
    rows = "".join(f"{day},VTI,{100 + day.day},1000\n" for day in days)
    path.write_text("date,symbol,close,volume\n" + rows)
    at = utc("2026-02-10") + dt.timedelta(seconds=seconds)
    quote = load(path, lead=lead).quotes(["VTI"], at)["VTI"]
    assert quote.at <= at
    later = [day for day in days if quote.at < CALENDARS.close_of("XNYS", day) - lead <= at]
    assert later == []


# --------------------------------------------------------------------- bid, ask, volume


def test_bid_and_ask_are_those_of_the_row(write):
    path = write("date,symbol,close,bid,ask\n2026-03-02,VTI,300,299.9,300.2\n")
    quote = load(path).quotes(["VTI"], MONDAY_CLOSE)["VTI"]
    assert (quote.bid, quote.ask) == (Decimal("299.9"), Decimal("300.2"))


def test_without_bid_and_ask_the_close_stands_in_the_middle_of_the_kinds_spread(write):
    quote = load(write(WEEK)).quotes(["VTI"], MONDAY_CLOSE)["VTI"]
    assert (quote.bid, quote.ask) == (Decimal("300.03998"), Decimal("300.16002"))
    assert quote.spread == Decimal("0.0004")


def test_a_kind_without_a_spread_is_quoted_at_its_close(write):
    quote = load(write(WEEK), spreads={}).quotes(["VTI"], MONDAY_CLOSE)["VTI"]
    assert quote.bid == quote.ask == Decimal("300.10")


def test_volume_is_the_average_of_twenty_rows_and_of_those_that_have_one(write):
    days = CALENDARS.sessions("XNYS", dt.date(2026, 1, 2), dt.date(2026, 3, 2))
    volumes = [999_999] * (len(days) - 20) + [100] * 10 + [""] * 5 + [400] * 5
    rows = "".join(f"{day},VTI,1,{volume}\n" for day, volume in zip(days, volumes, strict=True))
    path = write("date,symbol,close,volume\n" + rows)
    assert load(path).quotes(["VTI"], MONDAY_CLOSE)["VTI"].volume == 200
    early = load(path, lead=dt.timedelta(minutes=5)).quotes(["VTI"], MONDAY_CLOSE)["VTI"]
    assert early.volume != 200  # the day's own volume is not known before its close


def test_without_volumes_the_volume_is_unknown_and_not_zero(write):
    assert load(write(WEEK)).quotes(["VTI"], MONDAY_CLOSE)["VTI"].volume is None


def test_a_quote_names_its_file(write):
    quote = load(write(WEEK, "mine.csv")).quotes(["VTI"], MONDAY_CLOSE)["VTI"]
    assert quote.source == "mine.csv"


def test_the_first_row_has_no_close_before_it(write):
    assert load(write(WEEK)).quotes(["VTI"], MONDAY_CLOSE)["VTI"].previous_close is None


# --------------------------------------------------------------------- currencies

EUROS = """date,symbol,close
2026-03-02,EUNL,100
2026-03-03,EUNL,110
2026-03-02,{pair},{rate}
"""


def test_a_thousand_euros_at_1_0850_are_1085_dollars(write):
    path = write("date,symbol,close\n2026-03-02,EURUSD,1.0850\n")
    rate = load(path).rates(["EUR"], utc("2026-03-02 22:00"))["EUR"]
    assert rate.rate * 1000 == 1085
    assert (rate.currency, rate.pair, rate.source) == ("EUR", "EURUSD", "prices.csv")
    assert rate.at == utc("2026-03-02 22:00")


@pytest.mark.parametrize("name", ["eurusd", "EUR/USD", "EUR-USD", "EURUSD"])
def test_a_pair_is_found_however_it_is_written(write, name):
    path = write(f"date,{name}\n2026-03-02,1.25\n")
    assert load(path).rates(["EUR"], utc("2026-03-02 22:00"))["EUR"].rate == Decimal("1.25")


def test_the_inverse_pair_is_turned_round(write):
    path = write("date,symbol,close\n2026-03-02,USDEUR,0.8\n")
    rate = load(path).rates(["EUR"], utc("2026-03-02 22:00"))["EUR"]
    assert (rate.rate, rate.pair) == (Decimal("1.25"), "USDEUR")


def test_the_base_currency_is_worth_one_of_itself(write):
    assert load(write(WEEK)).rates(["USD"], MONDAY_CLOSE)["USD"].rate == 1


@pytest.mark.parametrize(("pair", "rate"), [("EURUSD", "1.25"), ("USDEUR", "0.8")])
def test_a_euro_fund_is_quoted_in_dollars_and_keeps_what_was_quoted(write, pair, rate):
    path = write(EUROS.format(pair=pair, rate=rate))
    prices = load(path, instruments=[EUNL], spreads={})
    quote = prices.quotes(["EUNL"], utc("2026-03-03 17:00"))["EUNL"]
    assert quote.price == Decimal("137.50")
    assert (quote.currency, quote.original, quote.rate) == ("EUR", Decimal(110), Decimal("1.25"))
    assert quote.previous_close == 125


def test_a_rate_that_is_not_known_yet_converts_nothing(write):
    path = write(EUROS.format(pair="EURUSD", rate="1.25"))
    with pytest.raises(DataSuspect, match="EURUSD has no price yet"):
        load(path, instruments=[EUNL]).quotes(["EUNL"], utc("2026-03-02 17:00"))


def test_over_the_weekend_fridays_rate_is_used_with_its_own_instant(write):
    path = write("date,symbol,close\n2026-03-06,EURUSD,1.25\n")
    rate = load(path).rates(["EUR"], utc("2026-03-08 12:00"))["EUR"]
    assert rate.at == utc("2026-03-06 22:00")


def test_a_pair_may_be_an_instrument_of_the_household(write):
    path = write("date,symbol,close\n2026-03-02,EURUSD,1.25\n")
    assert load(path, instruments=[EURUSD]).rates(["EUR"], utc("2026-03-02 22:00"))


def test_a_euro_household_reads_the_same_file_the_other_way(write):
    path = write("date,symbol,close\n2026-03-02,VTI,300\n2026-02-27,EURUSD,1.25\n")
    quote = load(path, base="EUR", spreads={}).quotes(["VTI"], MONDAY_CLOSE)["VTI"]
    assert (quote.price, quote.original) == (Decimal(240), Decimal(300))


# --------------------------------------------------------------------- what is refused


def test_everything_that_cannot_be_trusted_is_told_at_once(write):
    path = write(WEEK)
    with pytest.raises(DataSuspect) as refused:
        load(path).quotes(["VTI", "BND", "GLD"], utc("2026-02-27"))
    sentences = str(refused.value).splitlines()
    assert sentences[0] == "3 prices cannot be trusted at 2026-02-27 00:00 UTC:"
    assert "VTI has no price yet, its first is of 2026-03-02: add earlier prices" in sentences[1]
    assert "BND is in none of the price files: add its prices" in sentences[2]
    assert "GLD is in none of the price files" in sentences[3]


def test_a_price_is_old_after_more_sessions_than_allowed_and_weekends_do_not_count(write):
    prices = load(write(WEEK), stale=5)
    # After Wednesday the 4th: Thursday, Friday, Monday, Tuesday, Wednesday: five.
    assert prices.quotes(["VTI"], utc("2026-03-12 19:59:59"))["VTI"].session.day == 4
    with pytest.raises(
        DataSuspect, match="VTI was last priced on 2026-03-04, 6 sessions of XNYS ago, and 5 are"
    ):
        prices.quotes(["VTI"], utc("2026-03-12 20:00"))


def test_a_coins_price_is_old_after_as_many_days(write):
    prices = load(write("date,symbol,close\n2026-03-01,BTC-USD,1\n"), instruments=[BTC], stale=5)
    assert prices.quotes(["BTC-USD"], utc("2026-03-06 23:59:59"))
    with pytest.raises(DataSuspect, match="6 sessions of 24/7 ago"):
        prices.quotes(["BTC-USD"], utc("2026-03-08"))


def test_an_old_rate_is_refused_like_an_old_price(write):
    path = write("date,symbol,close\n2026-03-02,EURUSD,1.25\n")
    with pytest.raises(DataSuspect, match="EURUSD was last priced on 2026-03-02"):
        load(path).rates(["EUR"], utc("2026-03-20"))


def test_a_currency_without_a_pair_is_told_which_to_add(write):
    with pytest.raises(DataSuspect, match="CHF has no rate: add prices of CHFUSD, the USD for one"):
        load(write(WEEK)).rates(["CHF"], MONDAY_CLOSE)


@pytest.mark.parametrize(
    ("bid", "ask", "sentence"),
    [
        ("300.2", "300.1", "VTI on 2026-03-02 has a bid of 300.2 above its ask of 300.1"),
        ("0", "300.1", "has a bid of 0 and an ask of 300.1: both must be above zero"),
        ("-1", "300.1", "both must be above zero"),
        ("300.1", "", "has no ask: write both bid and ask, or neither"),
        ("", "300.1", "has no bid"),
    ],
)
def test_a_market_without_two_sides_is_refused_only_while_it_is_the_last(write, bid, ask, sentence):
    path = write(
        f"date,symbol,close,bid,ask\n2026-03-02,VTI,300,{bid},{ask}\n2026-03-03,VTI,300,299,301\n"
    )
    prices = load(path)
    with pytest.raises(DataSuspect, match=sentence):
        prices.quotes(["VTI"], MONDAY_CLOSE)
    assert prices.quotes(["VTI"], utc("2026-03-03 21:00"))["VTI"].bid == 299


def test_a_locked_market_is_no_fault(write):
    path = write("date,symbol,close,bid,ask\n2026-03-02,VTI,300,300,300\n")
    assert load(path).quotes(["VTI"], MONDAY_CLOSE)["VTI"].spread == 0


# --------------------------------------------------------------------- splits


def two_days(write, first: str, second: str, header: str = "date,symbol,close") -> FilePrices:
    return load(write(f"{header}\n2026-03-02,VTI,{first}\n2026-03-03,VTI,{second}\n"))


TUESDAY_CLOSE = utc("2026-03-03 21:00")


@pytest.mark.parametrize(
    ("before", "after", "split"),
    [
        pytest.param("300", "150", "2-for-1", id="halved"),
        pytest.param("300", "154", "2-for-1", id="halved on a good day"),
        pytest.param("300", "200", "3-for-2", id="two thirds"),
        pytest.param("300", "15", "20-for-1", id="a twentieth"),
        pytest.param("30", "300", "1-for-10", id="tenfold: a reverse split"),
    ],
)
def test_a_price_that_moved_as_in_a_split_is_refused_while_none_is_recorded(
    write, before, after, split
):
    with pytest.raises(
        DataSuspect,
        match=f"VTI went from {before} to {after} on 2026-03-03, as in "
        f"a {split} split, and none is recorded",
    ):
        two_days(write, before, after).quotes(["VTI"], TUESDAY_CLOSE)


@pytest.mark.parametrize(("before", "after"), [("300", "171"), ("300", "270"), ("100", "140")])
def test_a_move_unlike_any_split_is_left_to_the_gates(write, before, after):
    assert two_days(write, before, after).quotes(["VTI"], TUESDAY_CLOSE)


def test_the_doubt_stays_until_the_price_of_before_would_be_stale(write):
    days = CALENDARS.sessions("XNYS", dt.date(2026, 3, 2), dt.date(2026, 3, 11))
    rows = "".join(f"{day},VTI,{300 if day.day == 2 else 150}\n" for day in days)
    prices = load(write("date,symbol,close\n" + rows), stale=5)
    assert prices.quotes(["VTI"], MONDAY_CLOSE)
    for day in days[1:7]:
        with pytest.raises(DataSuspect, match="2-for-1"):
            prices.quotes(["VTI"], CALENDARS.close_of("XNYS", day))
    assert prices.quotes(["VTI"], CALENDARS.close_of("XNYS", days[7]))


def test_a_coin_that_halves_has_fallen(write):
    path = write("date,symbol,close\n2026-03-06,BTC-USD,100\n2026-03-07,BTC-USD,50\n")
    assert load(path, instruments=[BTC]).quotes(["BTC-USD"], utc("2026-03-08"))


@pytest.mark.parametrize("written", ["2", "2.0", "2:1", "2/1", "2-for-1", "2 for 1"])
def test_a_recorded_split_is_no_cause_for_doubt(write, written):
    header = "date,symbol,close,split"
    prices = two_days(write, "300,", f"151,{written}", header)
    quote = prices.quotes(["VTI"], TUESDAY_CLOSE)["VTI"]
    assert quote.previous_close == 150  # what 300 are after the split
    assert prices.splits(MONDAY_CLOSE, TUESDAY_CLOSE) == (("VTI", dt.date(2026, 3, 3), 2, 1),)


@pytest.mark.parametrize(
    ("written", "split"), [("1.5", (3, 2)), ("0.1", (1, 10)), ("0.33333333", (1, 3))]
)
def test_a_split_is_a_ratio_of_whole_numbers(write, written, split):
    numerator, denominator = split
    after = 300 * denominator // numerator
    prices = two_days(write, "300,", f"{after},{written}", "date,symbol,close,split")
    assert prices.splits(MONDAY_CLOSE, TUESDAY_CLOSE) == (("VTI", dt.date(2026, 3, 3), *split),)


@pytest.mark.parametrize("written", ["", "1", "1.0", "0.0"])
def test_no_split_may_be_written_in_several_ways(write, written):
    prices = two_days(write, "300,", f"300,{written}", "date,symbol,close,split")
    assert prices.splits(utc("2026-01-01"), utc("2027-01-01")) == ()


def test_a_split_belongs_to_the_look_that_first_sees_its_price(write):
    prices = two_days(write, "300,", "150,2", "date,symbol,close,split")
    assert prices.splits(utc("2026-03-01"), MONDAY_CLOSE) == ()
    assert prices.splits(TUESDAY_CLOSE, utc("2026-03-09")) == ()
    assert len(prices.splits(utc("2026-03-03 20:59:59"), TUESDAY_CLOSE)) == 1


def test_a_split_recorded_beside_closes_that_do_not_show_it_is_refused(write):
    prices = two_days(write, "150,", "151,2", "date,symbol,close,split")
    with pytest.raises(
        DataSuspect, match="a 2-for-1 split is recorded that the closes do not show"
    ):
        prices.quotes(["VTI"], TUESDAY_CLOSE)


def test_an_adjusted_close_that_fell_alike_says_that_it_was_no_split(write):
    header = "date,symbol,close,adjusted close"
    assert two_days(write, "300,290", "150,145", header).quotes(["VTI"], TUESDAY_CLOSE)


def test_an_adjusted_close_that_stood_still_says_that_it_was_one(write):
    header = "date,symbol,close,adjusted close"
    with pytest.raises(DataSuspect, match="as in a 2-for-1 split"):
        two_days(write, "300,145", "140,135.3", header).quotes(["VTI"], TUESDAY_CLOSE)


# --------------------------------------------------------------------- the real world

MARCH_12 = utc("2020-03-12 19:55")


def test_a_household_of_funds_coins_and_euros_is_priced_at_one_instant():
    spy = Instrument(symbol="SPY", kind=InstrumentKind.ETF)
    prices = load(
        daily("core_adj_close_2007_2023.csv"),
        daily("crypto_daily.csv"),
        daily("fx_ecb_reference_daily.csv"),
        instruments=[spy, BTC],
        lead=dt.timedelta(minutes=5),
    )
    quotes = prices.quotes(["SPY", "BTC-USD"], MARCH_12)
    assert quotes["SPY"].session == dt.date(2020, 3, 12)
    assert quotes["SPY"].at == MARCH_12
    assert quotes["SPY"].price == Decimal("236.5205")
    assert quotes["BTC-USD"].session == dt.date(2020, 3, 11)
    assert quotes["BTC-USD"].price == Decimal("7911.43017578125")
    euro = prices.rates(["EUR"], MARCH_12)["EUR"]
    assert (euro.rate, euro.pair) == (Decimal("1.1336"), "EURUSD")  # the fixing of the 11th
    assert max(euro.at, *(quote.at for quote in quotes.values())) <= MARCH_12


def test_the_day_the_coin_crashed_is_seen_after_midnight_utc():
    prices = load(daily("crypto_daily.csv"), instruments=[BTC])
    quote = prices.quotes(["BTC-USD"], utc("2020-03-13 13:30"))["BTC-USD"]
    assert quote.previous_close is not None
    assert quote.price / quote.previous_close < Decimal("0.65")


@pytest.mark.parametrize(
    ("name", "symbol", "day", "sentence"),
    [
        pytest.param(
            "lean_QQQ.csv.gz",
            "QQQ",
            "2000-03-20",
            "QQQ went from 221.73 to 106.81 on 2000-03-20, as in a 2-for-1 split",
            id="a split that the adjusted closes know and the file does not record",
        ),
        pytest.param(
            "optimalhorizon_RCD.csv.gz",
            "RCD",
            "2023-07-17",
            "as in a 3-for-1 split",
            id="a fund renamed, and split a few weeks later",
        ),
        pytest.param(
            "lean_QQQ.csv.gz",
            "QQQ",
            "2005-03-01",
            "QQQ was last priced on 2004-11-30, 62 sessions of XNYS ago",
            id="years filed under another ticker",
        ),
    ],
)
def test_known_faults_of_real_files_are_refused_on_their_day(name, symbol, day, sentence):
    instrument = Instrument(symbol=symbol, kind=InstrumentKind.ETF)
    prices = load(daily(f"dirty/{name}"), instruments=[instrument])
    with pytest.raises(DataSuspect, match=sentence):
        prices.quotes([symbol], CALENDARS.close_of("XNYS", dt.date.fromisoformat(day)))


def test_a_distribution_in_shares_is_not_taken_for_a_split():
    xlf = Instrument(symbol="XLF", kind=InstrumentKind.ETF)
    prices = load(daily("dirty/optimalhorizon_XLF.csv.gz"), instruments=[xlf])
    assert prices.quotes(["XLF"], utc("2016-09-19 20:00"))


def test_prices_of_many_years_load_and_answer_quickly():
    path = daily("crypto_daily.csv")
    load(path, instruments=[BTC])
    started = time.process_time()
    prices = load(path, instruments=[BTC])
    assert time.process_time() - started < 1
    started = time.process_time()
    for _ in range(2000):
        prices.quotes(["BTC-USD"], MARCH_12)
    assert time.process_time() - started < 1
