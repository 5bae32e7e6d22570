import datetime as dt
import gzip
from decimal import Decimal

import pytest
from tests.adapters.price_files import BND, BTC, CALENDARS, EUNL, VTI, daily, utc

from trimtab.adapters.prices import FilePrices, load_prices
from trimtab.domain.errors import FileFaults, InputError, MissingExtra
from trimtab.domain.values import Instrument, InstrumentKind

EVENING = utc("2026-03-03 22:30")


@pytest.fixture
def write(tmp_path):
    def write(text: str, name: str = "prices.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def load(*paths, instruments=(VTI, BND)) -> FilePrices:
    return load_prices(
        paths,
        {instrument.symbol: instrument for instrument in instruments},
        CALENDARS,
        base_currency="USD",
        stale_after_days=5,
    )


def closes(*paths, instruments=(VTI, BND)) -> dict[str, tuple[Decimal, Decimal | None]]:
    """Of each symbol the last close and the one before."""
    prices = load(*paths, instruments=instruments)
    quotes = prices.quotes(prices.symbols, EVENING)
    return {symbol: (quote.price, quote.previous_close) for symbol, quote in quotes.items()}


def faults_of(*paths, instruments=(VTI, BND)) -> tuple[str, ...]:
    with pytest.raises(FileFaults) as refused:
        load(*paths, instruments=instruments)
    return refused.value.faults


LONG = """date,symbol,close
2026-03-02,VTI,300.10
2026-03-02,BND,73.00
2026-03-03,VTI,301.20
2026-03-03,BND,73.10
"""
EXPECTED = {
    "BND": (Decimal("73.10"), Decimal("73.00")),
    "VTI": (Decimal("301.20"), Decimal("300.10")),
}


# --------------------------------------------------------------------- forms


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(LONG, id="long"),
        pytest.param("\n".join(LONG.splitlines()[:0:-1]), id="long, newest first"),
        pytest.param("date,VTI,BND\n2026-03-02,300.10,73.00\n2026-03-03,301.20,73.10\n", id="wide"),
        pytest.param(
            "Date;vti close;Bnd\n2026-03-03;301.20;73.10\n2026-03-02;300.10;73.00\n",
            id="wide, semicolons, newest first",
        ),
        pytest.param(
            "Date,Ticker,Open,High,Low,Close,Adj Close,Volume\n"
            "2026-03-02,VTI,1,1,1,300.10,1,5\n2026-03-02,BND,1,1,1,73.00,1,5\n"
            "2026-03-03,VTI,1,1,1,301.20,1,5\n2026-03-03,BND,1,1,1,73.10,1,5\n",
            id="long, as vendors export it",
        ),
        pytest.param(
            "date,symbol,price\n3/2/2026 ,VTI,$300.10\n3/2/2026,BND,73.00\n"
            "03/03/2026,VTI,301.20\n3/3/2026,BND,73.10\n2/13/2026,BND,70\n",
            id="American dates and dollar signs",
        ),
    ],
)
def test_every_form_gives_the_same_closes(write, text):
    if text.startswith("2026"):
        text = "date,symbol,close\n" + text
    assert closes(write(text)) == EXPECTED


def test_an_empty_cell_of_the_wide_form_is_a_day_without_a_price(write):
    path = write("date,VTI,BTC-USD\n2026-03-02,300,60000\n2026-03-03,,61000\n")
    found = closes(path, instruments=[VTI, BTC])
    assert found["VTI"] == (Decimal(300), None)


def test_other_columns_of_the_wide_form_name_what_they_hold(write):
    path = write(
        "date,VTI,VTI bid,VTI ask,VTI volume,VTI split,VTI adjusted\n"
        "2026-03-02,300,299,301,500,,150\n2026-03-03,150,149,151,700,2,150\n"
    )
    prices = load(path)
    quote = prices.quotes(["VTI"], EVENING)["VTI"]
    assert quote.spread == Decimal(2) / 150
    assert quote.volume == 600
    assert prices.splits(utc("2026-03-01"), EVENING) == (("VTI", dt.date(2026, 3, 3), 2, 1),)
    assert prices.unadjusted == ()


def test_adjusted_closes_may_come_in_a_file_of_their_own(write):
    adjusted = write(
        "date,VTI adjusted,BND_adj_close\n2026-03-02,290,70\n2026-03-03,291,\n", "b.csv"
    )
    assert closes(write(LONG), adjusted) == EXPECTED
    assert load(write(LONG), adjusted).unadjusted == ()
    assert load(write(LONG)).unadjusted == ("BND", "VTI")


def test_several_files_make_one_history(write):
    lines = LONG.splitlines()
    first = write("\n".join(lines[:3]), "first.csv")
    second = write("\n".join([lines[0], *lines[3:]]), "second.csv")
    assert closes(second, first) == EXPECTED


def test_symbols_that_nobody_holds_are_left_alone(write):
    path = write(LONG + "2026-03-03,XYZ,not a number\n2026-03-03,ADAUSD,-1\n")
    assert closes(path) == EXPECTED


def test_a_packed_file_is_read_as_it_is(tmp_path):
    path = tmp_path / "prices.csv.gz"
    path.write_bytes(gzip.compress(LONG.encode()))
    assert closes(path) == EXPECTED


def test_digits_are_kept_to_the_last(write):
    path = write("date,symbol,close\n2026-03-03,VTI,465.864013671875000001\n")
    assert closes(path)["VTI"][0] == Decimal("465.864013671875000001")


@pytest.mark.parametrize("text", ["True", "0x1F", "1_000", "1e400", "١٢"])
def test_what_only_a_program_takes_for_a_number_is_refused(write, text):
    (fault,) = faults_of(write(f"date,symbol,close\n2026-03-03,VTI,{text}\n"))
    assert fault == (
        f'prices.csv, line 2, VTI 2026-03-03, close: "{text}" is not a number:'
        " write one such as 1234.56"
    )


# --------------------------------------------------------------------- faults


def test_every_fault_is_reported_at_once_with_its_line_symbol_and_date(write):
    path = write(
        "date,symbol,close,volume,split,currency\n"
        "2026-03-02,VTI,0,,,\n"
        "2026-03-03,VTI,-3,,,\n"
        "2026-03-04,VTI,null,,,\n"
        "2026-03-05,VTI,,,,\n"
        "2026-03-06,VTI,1,-5,,\n"
        "2026-03-07,VTI,1,,,\n"
        "yesterday,VTI,1,,,\n"
        "2026-03-09,VTI,1\n"
        "2026-03-10,VTI,1,,two,\n"
        "2026-03-11,VTI,1,,,EUR\n"
    )
    assert set(faults_of(path)) == {
        "prices.csv, line 9: 3 fields where the header has 6: write one for each column",
        'prices.csv, line 8, date: "yesterday" is not a date: write it as 2024-03-25',
        "prices.csv, line 5, VTI, close: is empty: write it or remove the line",
        (
            'prices.csv, line 2, VTI 2026-03-02, close: "0" is not above zero:'
            " correct the price or remove the line"
        ),
        (
            'prices.csv, line 3, VTI 2026-03-03, close: "-3" is not above zero:'
            " correct the price or remove the line"
        ),
        (
            'prices.csv, line 4, VTI 2026-03-04, close: "null" is not a number:'
            " write one such as 1234.56"
        ),
        'prices.csv, line 6, VTI 2026-03-06, volume: "-5" is below zero: correct it',
        (
            "prices.csv, line 7, VTI: 2026-03-07 is not a trading day of XNYS:"
            " correct the date or remove the line"
        ),
        'prices.csv, line 10, VTI, split: "two" is not a number: write one such as 1234.56',
        (
            "prices.csv, line 11, VTI: the currency is EUR and the household says USD:"
            " correct one of them"
        ),
    }


def test_a_comma_that_may_be_a_decimal_point_is_refused_in_a_semicolon_file(write):
    path = write("date;symbol;close\n2026-03-02;VTI;338,120\n2026-03-02;BND;73.10\n")
    assert "may be 338120 or 338.120" in faults_of(path)[0]


def test_two_prices_for_one_day_are_refused_with_both_lines(write):
    first = write(LONG + "2026-03-03,VTI,301.21\n", "first.csv")
    second = write("date,BND\n2026-03-02,73.5\n", "second.csv")
    assert faults_of(first, second) == (
        (
            "BND 2026-03-02: two different prices (close) in first.csv line 3 and second.csv"
            " line 2: keep the one that is right"
        ),
        (
            "VTI 2026-03-03: two different prices (close) in first.csv line 4 and first.csv line 6:"
            " keep the one that is right"
        ),
    )


def test_the_same_price_twice_counts_once(write):
    assert closes(write(LONG + "2026-03-03,VTI,301.2\n2026-03-02,VTI,300.10\n")) == EXPECTED


def test_a_file_of_one_symbol_that_does_not_say_which_is_refused(write):
    (fault,) = faults_of(write("Date,Open,High,Low,Close,Volume\n2026-03-03,1,1,1,1,1\n"))
    assert fault.startswith("prices.csv, line 1:")
    assert "name them date, symbol and close, or date and then one symbol a column" in fault


def test_a_long_file_without_closes_is_refused(write):
    (fault,) = faults_of(write("date,symbol,volume\n2026-03-03,VTI,1\n"))
    assert fault.endswith("lacks a column: name them date, symbol and close")


def test_the_same_column_twice_in_the_wide_form_is_refused(write):
    (fault,) = faults_of(write("date,VTI,vti close\n2026-03-03,1,1\n"))
    assert fault == "prices.csv, line 1: two columns give the close of vti: keep one"


@pytest.mark.parametrize("split", ["-2", "0:1", "5000", "0.0001", "1:0"])
def test_a_split_that_cannot_be_is_refused(write, split):
    (fault,) = faults_of(write(f"date,symbol,close,split\n2026-03-03,VTI,1,{split}\n"))
    assert fault.startswith("prices.csv, line 2, VTI, split: ")


def test_faults_of_several_files_are_told_together(write):
    first = write("date,symbol,close\n2026-03-03,VTI,0\n", "first.csv")
    second = write("date,symbol,close\n2026-03-03,BND,x\n2026-03-03\n", "second.csv")
    files = [fault.split(",")[0] for fault in faults_of(first, second)]
    assert sorted(files) == ["first.csv", "second.csv", "second.csv"]


def test_a_missing_price_file_is_told_by_its_name(tmp_path):
    with pytest.raises(InputError, match=r"there is no file .*prices\.csv"):
        load(tmp_path / "prices.csv")


def test_without_pandas_the_sentence_says_what_to_install(write, monkeypatch):
    monkeypatch.setattr("trimtab.adapters.prices_table.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'trimtab\[market\]'"):
        load(write(LONG))


# --------------------------------------------------------------------- real files


def test_the_central_banks_file_gives_the_rate_of_the_day_its_week_ended():
    prices = load(daily("fx_ecb_reference_daily.csv"))
    assert prices.symbols == ("EURUSD",)
    rates = prices.rates(["EUR"], utc("2020-03-13 21:00"))
    assert rates["EUR"].rate == Decimal("1.1104")


def test_a_wide_file_of_real_funds_keeps_those_that_ended():
    funds = [Instrument(symbol=name, kind=InstrumentKind.ETF) for name in ("VTI", "IEF")]
    prices = load(daily("core_adj_close_2007_2023.csv"), instruments=funds)
    quotes = prices.quotes(["VTI", "IEF"], utc("2018-10-19 20:00"))
    assert {quote.session for quote in quotes.values()} == {dt.date(2018, 10, 19)}


@pytest.mark.parametrize(
    "name", ["lean_SPY", "lean_QQQ", "optimalhorizon_RCD", "optimalhorizon_XLF"]
)
def test_real_files_with_known_faults_still_load(name):
    symbol = name.split("_")[1]
    instrument = Instrument(symbol=symbol, kind=InstrumentKind.ETF)
    assert load(daily(f"dirty/{name}.csv.gz"), instruments=[instrument]).symbols == (symbol,)


def test_a_fund_of_another_exchange_follows_its_own_holidays(write):
    path = write("date,EUNL\n2026-05-25,100\n")  # Memorial Day in New York, a trading day in Xetra
    prices = load(path, write("date,EURUSD\n2026-05-22,1.25\n", "fx.csv"), instruments=[EUNL])
    assert prices.quotes(["EUNL"], utc("2026-05-25 15:30"))["EUNL"].price == 125
