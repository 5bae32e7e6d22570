import contextlib
import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.adapters import delimited
from trimtab.adapters.delimited import column_key, symbol_key
from trimtab.adapters.files import read_cash, read_lots, read_sales
from trimtab.domain.errors import FileFaults, InputError
from trimtab.domain.policy import AccountRule
from trimtab.domain.trades import Term
from trimtab.domain.values import AccountKind

ACCOUNTS = {
    "taxable": AccountRule(owner="ann", kind=AccountKind.TAXABLE, broker="file"),
    "ira": AccountRule(owner="ann", kind=AccountKind.TRADITIONAL_IRA, broker="file"),
}
INSTRUMENTS = {"VTI": None, "BND": None, "BRK.B": None, "BTC-USD": None}
TODAY = dt.date(2026, 3, 6)


@pytest.fixture
def write(tmp_path):
    def write(text: str | bytes, name: str = "list.csv"):
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


def lots_of(path):
    return read_lots(path, ACCOUNTS, INSTRUMENTS, today=TODAY)


def faults_of(path, read=lots_of) -> tuple[str, ...]:
    with pytest.raises(FileFaults) as refused:
        read(path)
    assert str(path) in str(refused.value)
    return refused.value.faults


def one_lot(write, row: str, header: str = "account,symbol,quantity,cost,acquired"):
    (lot,) = lots_of(write(f"{header}\n{row}\n"))
    return lot


# ------------------------------------------------------------------------------------ lots


def test_a_lot_is_read_exactly_from_its_digits(write):
    lot = one_lot(write, "taxable,BTC-USD,0.12345678,5400.10,2021-02-03")
    assert lot.quantity == Decimal("0.12345678")
    assert lot.basis == Decimal("5400.10")
    assert (lot.account, lot.symbol) == ("taxable", "BTC-USD")
    assert lot.acquired == lot.holding_since == dt.date(2021, 2, 3)
    assert lot.sellable_from is None


def test_a_unit_cost_may_stand_in_place_of_the_whole_cost(write):
    lot = one_lot(
        write, "taxable,VTI,3,100.10,2021-02-03", "account,symbol,quantity,unit_cost,acquired"
    )
    assert lot.basis == Decimal("300.30")


def test_the_whole_cost_counts_where_both_costs_are_written(write):
    header = "account,symbol,quantity,unit_cost,cost,acquired"
    first, second = lots_of(
        write(f"{header}\nira,VTI,3,100,301,2021-02-03\nira,VTI,3,100,,2021-02-04\n")
    )
    assert (first.basis, second.basis) == (Decimal(301), Decimal(300))


def test_a_holding_period_may_begin_before_the_purchase_and_not_after_it(write):
    header = "account,symbol,quantity,cost,acquired,holding since"
    lot = one_lot(write, "taxable,VTI,3,100,2021-02-03,2020-12-01", header)
    assert lot.holding_since == dt.date(2020, 12, 1)
    row = "taxable,VTI,3,100,2021-02-03,2021-02-04"
    assert faults_of(write(f"{header}\n{row}\n")) == (
        "line 2, holding_since: 2021-02-04 is after the purchase: leave it empty, or correct it",
    )


@pytest.mark.parametrize(
    "header",
    [
        "account,symbol,quantity,cost,acquired",
        "ACCOUNT,Symbol,QUANTITY,Cost,Acquired",
        "Account,Ticker,Shares,Cost Basis,Date Acquired",
        "account,ticker,Qty,Total Cost ($),purchase_date",
        "account,symbol,units,BASIS,Acquisition-Date",
    ],
)
def test_columns_may_bear_the_names_that_brokers_give_them(write, header):
    lot = one_lot(write, "taxable,VTI,3,100,2021-02-03", header)
    assert (lot.quantity, lot.basis) == (3, 100)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            "\ufeffaccount,symbol,quantity,cost,acquired\r\n{}\r\n", id="Excel on Windows"
        ),
        pytest.param("account;symbol;quantity;cost;acquired\n{}\n", id="semicolons"),
        pytest.param("account\tsymbol\tquantity\tcost\tacquired\n{}", id="tabs, no last line end"),
        pytest.param('"account","symbol","quantity","cost","acquired"\n\n{}\n\n', id="blank lines"),
        pytest.param(
            "account,symbol,quantity,cost,acquired,,\n{},,\n", id="empty columns at the end"
        ),
        pytest.param("remark,account,symbol,quantity,cost,acquired\nx,{}\n", id="an extra column"),
    ],
)
def test_files_of_common_programs_read_the_same(write, text):
    delimiter = ";" if ";" in text else "\t" if "\t" in text else ","
    row = delimiter.join(["taxable", " VTI ", "3", '"$1,234.50"', "2021-02-03"])
    (lot,) = lots_of(write(text.format(row)))
    assert (lot.symbol, lot.quantity, lot.basis) == ("VTI", 3, Decimal("1234.50"))


def test_symbols_are_matched_whatever_their_capitals_and_the_mark_of_a_share_class(write):
    rows = "\n".join(
        f"taxable,{name},1,1,2021-02-03" for name in ("vti", "BRK B", "brk-b", "BRK/B")
    )
    lots = lots_of(write(f"account,symbol,quantity,cost,acquired\n{rows}\n"))
    assert [lot.symbol for lot in lots] == ["VTI", "BRK.B", "BRK.B", "BRK.B"]


def test_lots_get_the_same_ids_each_time_the_file_is_read(write):
    path = write(
        "account,symbol,quantity,cost,acquired,id\n"
        "taxable,VTI,1,1,2021-02-03,\n"
        "taxable,VTI,2,2,2021-02-03,\n"
        "ira,VTI,2,2,2021-02-03,\n"
        "taxable,VTI,3,3,2021-02-03,my lot\n"
    )
    ids = [lot.id for lot in lots_of(path)]
    assert ids == [
        "taxable:VTI:2021-02-03:1",
        "taxable:VTI:2021-02-03:2",
        "ira:VTI:2021-02-03:1",
        "my lot",
    ]
    assert [lot.id for lot in lots_of(path)] == ids


def test_a_made_up_id_never_meets_one_that_is_written_further_down(write):
    lots = lots_of(
        write(
            "account,symbol,quantity,cost,acquired,id\n"
            "taxable,VTI,1,1,2021-02-03,\n"
            "taxable,VTI,2,2,2021-02-03,taxable:VTI:2021-02-03:1\n"
        )
    )
    assert [lot.id for lot in lots] == ["taxable:VTI:2021-02-03:2", "taxable:VTI:2021-02-03:1"]


def test_a_list_without_lots_is_a_household_without_lots(write):
    assert lots_of(write("account,symbol,quantity,cost,acquired\n")) == ()


def test_every_fault_of_the_file_is_reported_at_once(write):
    path = write(
        "account,symbol,quantity,cost,acquired,id\n"
        "taxible,VTI,1,1,2021-02-03,a\n"
        "taxable,VTX,1,1,2021-02-03,b\n"
        "taxable,VTI,-3,1,2021-02-03,c\n"
        "taxable,VTI,0,1,2021-02-03,d\n"
        "taxable,VTI,1,-1,2021-02-03,e\n"
        "taxable,VTI,1,1,2026-03-07,f\n"
        "taxable,VTI,1,1,2021-02-30,g\n"
        "taxable,VTI,1,1,2021-02-03,x\n"
        "taxable,VTI,1,1,2021-02-04,x\n"
        "taxable,VTI,1,1\n"
        "taxable,VTI,,nan,never,h\n"
    )
    assert faults_of(path) == (
        "line 11: 4 fields where the header has 6: write one for each column",
        'line 2, account: there is no account "taxible" in the household: did you mean taxable?',
        'line 3, symbol: there is no symbol "VTX" in the household: did you mean VTI?',
        'line 4, quantity: "-3" is not above zero: write the number of shares held',
        'line 5, quantity: "0" is not above zero: write the number of shares held',
        'line 6, cost: "-1" is below zero: write what was paid in all, fees included',
        "line 7, acquired: 2026-03-07 is in the future: write the day on which it happened",
        'line 8, acquired: "2021-02-30" is not a day of the calendar: write one such as 2024-03-25',
        'line 9, id: "x" stands on several lines: give each its own',
        'line 10, id: "x" stands on several lines: give each its own',
        "line 12, quantity: is empty: write a number such as 1234.56",
        'line 12, cost: "nan" is not a number: write one such as 1234.56',
        'line 12, acquired: "never" is not a date: write it as 2024-03-25',
    )


def test_a_lot_bought_today_is_not_in_the_future(write):
    assert one_lot(write, f"taxable,VTI,1,1,{TODAY}").acquired == TODAY


@pytest.mark.parametrize(
    "cell",
    [
        "nan",
        "NaN",
        "inf",
        "-Infinity",
        "1e999",
        "0x10",
        "1_000",
        "12,34",
        "1.2.3",
        "٣",
        "--1",
        "9" * 41,
    ],
)
def test_what_is_no_plain_number_is_refused(write, cell):
    row = f'taxable,VTI,"{cell}",1,2021-02-03'
    (fault,) = faults_of(write(f"account,symbol,quantity,cost,acquired\n{row}\n"))
    assert fault.startswith("line 2, quantity: ")
    assert fault.endswith("is not a number: write one such as 1234.56")


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        ("$1,234.50", "1234.50"),
        ("1,234,567", "1234567"),
        ("1234.", "1234"),
        (".5", "0.5"),
        ("1E-8", "0.00000001"),
        ("007", "7"),
        ("0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"),
    ],
)
def test_numbers_are_taken_from_their_digits(write, cell, amount):
    lot = one_lot(write, f'taxable,VTI,"{cell}",1,2021-02-03')
    assert lot.quantity == Decimal(amount)


def test_a_comma_that_may_be_a_decimal_comma_is_refused(write):
    path = write("account;symbol;quantity;cost;acquired\ntaxable;VTI;1,234;1,234.50;2021-02-03\n")
    assert faults_of(path) == (
        'line 2, quantity: "1,234" may be 1234 or 1.234: write the one meant',
    )


@pytest.mark.parametrize("cell", ["=1+1", "@SUM(A1)", "+1+1"])
@pytest.mark.parametrize("column", ["account", "symbol", "quantity", "cost", "acquired"])
def test_a_spreadsheet_formula_is_refused_in_every_column(write, column, cell):
    cells = {
        "account": "taxable",
        "symbol": "VTI",
        "quantity": "1",
        "cost": "1",
        "acquired": "2021-02-03",
        column: cell,
    }
    path = write(f"{','.join(cells)}\n{','.join(cells.values())}\n")
    assert faults_of(path) == (
        f'line 2, {column}: "{cell}" is a spreadsheet formula: write its value',
    )


def test_an_id_that_a_spreadsheet_would_run_is_refused(write):
    path = write("account,symbol,quantity,cost,acquired,id\ntaxable,VTI,1,1,2021-02-03,=A1\n")
    (fault,) = faults_of(path)
    assert fault.startswith('line 2, id: "=A1" is no name')


# ------------------------------------------------------------------------------------ dates


def dates_in(write, *cells: str):
    rows = "\n".join(f"taxable,VTI,1,1,{cell}" for cell in cells)
    return write(f"account,symbol,quantity,cost,acquired\n{rows}\n")


def test_month_day_year_is_understood_once_a_date_of_the_file_shows_it(write):
    lots = lots_of(dates_in(write, "3/4/2024", "03/25/2024"))
    assert [lot.acquired for lot in lots] == [dt.date(2024, 3, 4), dt.date(2024, 3, 25)]


def test_a_date_that_may_be_two_days_is_refused(write):
    assert faults_of(dates_in(write, "03/04/2024")) == (
        'line 2, acquired: "03/04/2024" may be 2024-03-04 or 2024-04-03: write the one meant',
    )


def test_a_file_that_puts_the_day_first_is_refused(write):
    assert faults_of(dates_in(write, "03/04/2024", "25/03/2024", "03/26/2024")) == (
        'line 2, acquired: "03/04/2024" may be 2024-03-04 or 2024-04-03: write the one meant',
        'line 3, acquired: "25/03/2024" puts the day first: write 2024-03-25',
    )


def test_the_same_day_and_month_can_be_read_in_one_way_only(write):
    (lot,) = lots_of(dates_in(write, "05/05/2024"))
    assert lot.acquired == dt.date(2024, 5, 5)


@pytest.mark.parametrize("cell", ["2024-03-04 00:00:00", "2024-03-04T00:00:00-05:00"])
def test_a_midnight_stamp_is_its_date_in_whatever_zone(write, cell):
    (lot,) = lots_of(dates_in(write, cell))
    assert lot.acquired == dt.date(2024, 3, 4)


@pytest.mark.parametrize("cell", ["2024-03-04T05:00:00Z", "0024-03-04", "20240304", "3/4/24", ""])
def test_other_writings_of_a_date_are_refused(write, cell):
    (fault,) = faults_of(dates_in(write, cell))
    assert fault.startswith("line 2, acquired: ")


# ------------------------------------------------------------------------------------ files


def test_a_missing_file_is_told_by_its_name(tmp_path):
    with pytest.raises(InputError, match=r"there is no file .*lots\.csv"):
        lots_of(tmp_path / "lots.csv")


def test_a_folder_in_place_of_a_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        lots_of(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(write, content):
    assert faults_of(write(content)) == (
        "the file is empty: begin it with a header that names its columns",
    )


def test_a_missing_column_is_told_with_the_header_that_was_found(write):
    assert faults_of(write("account,symbol,cost\ntaxable,VTI,1\n")) == (
        'line 1: the column quantity is missing in "account,symbol,cost": add it',
        'line 1: the column acquired is missing in "account,symbol,cost": add it',
    )


def test_without_cost_and_unit_cost_the_cost_is_missing(write):
    (fault,) = faults_of(write("account,symbol,quantity,acquired\n"))
    assert "the column cost is missing" in fault


def test_two_columns_for_one_thing_are_refused(write):
    (fault,) = faults_of(write("account,symbol,quantity,shares,cost,acquired\n"))
    assert fault == 'line 1: two columns say quantity, the second one "shares": keep one'


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(b"PK\x03\x04\x00\x00", "the file is not text", id="a spreadsheet"),
        pytest.param("account".encode("utf-16"), "the file is UTF-16", id="UTF-16"),
        pytest.param(
            b"account,symbol\nJos\xe9,VTI\n", "line 2: the byte 0xe9 is not UTF-8", id="Latin-1"
        ),
        pytest.param(
            b'account,symbol,quantity,cost,acquired\nira,"VTI,1,1,2021-02-03\n',
            "line 2: the quotation marks do not match",
            id="a quotation without its end",
        ),
    ],
)
def test_a_file_that_is_no_table_of_text_is_refused(write, content, sentence):
    (fault,) = faults_of(write(content))
    assert fault.startswith(sentence)


def test_a_line_of_more_than_a_megabyte_is_refused(write):
    path = write("account,symbol,quantity,cost,acquired\n" + "x" * (2**20 + 1) + "\n")
    assert faults_of(path) == ("line 2 is longer than 1 MB: this is no table",)


def test_a_file_that_is_too_large_is_refused_before_it_is_read(write, monkeypatch):
    monkeypatch.setattr(delimited, "FILE_SIZE_MAX", 2**20)
    path = write("account,symbol,quantity,cost,acquired\n" + "\n" * 2**20)
    assert faults_of(path) == ("the file is larger than 1 MB: split it",)


def test_of_very_many_faults_the_first_are_told_and_the_others_counted(write):
    rows = "taxable,VTI,-1,1,2021-02-03\n" * 1000
    faults = faults_of(write(f"account,symbol,quantity,cost,acquired\n{rows}"))
    assert len(faults) == 51
    assert faults[-1] == "and 950 more: mend these first"


def test_a_line_is_counted_from_where_it_begins_even_below_quoted_line_ends(write):
    path = write(
        "account,symbol,quantity,cost,acquired,remark\n"
        'taxable,VTI,1,1,2021-02-03,"two\nlines"\n'
        "taxable,VTI,-1,1,2021-02-03,\n"
    )
    (fault,) = faults_of(path)
    assert fault.startswith("line 4, quantity")


@given(content=st.binary(max_size=200))
def test_no_content_whatever_ends_in_anything_but_lots_or_faults(content, tmp_path_factory):
    path = tmp_path_factory.mktemp("any") / "lots.csv"
    path.write_bytes(b"account,symbol,quantity,cost,acquired\n" + content)
    with contextlib.suppress(FileFaults):
        assert all(lot.quantity > 0 for lot in lots_of(path))


def test_names_are_compared_without_what_programs_change():
    assert column_key("Cost_Basis ($)") == column_key("cost basis") == "cost basis"
    assert symbol_key("brk b") == symbol_key("BRK/B") == "BRK-B"


# ------------------------------------------------------------------------------------ cash


def test_cash_is_read_by_account_and_currency(write):
    path = write("account,currency,amount\ntaxable,usd,$1000.10\ntaxable,EUR,200\nira,USD,0\n")
    assert read_cash(path, ACCOUNTS) == {
        "taxable": {"USD": Decimal("1000.10"), "EUR": Decimal(200)},
        "ira": {"USD": Decimal(0)},
    }


def test_cash_that_is_owed_is_negative(write):
    cash = read_cash(write("account,currency,amount\ntaxable,USD,(12.50)\n"), ACCOUNTS)
    assert cash == {"taxable": {"USD": Decimal("-12.50")}}


def test_one_balance_given_twice_is_refused(write):
    path = write("account,currency,amount\ntaxable,USD,1\ntaxable,usd,2\nnobody,US$,x\n")
    assert faults_of(path, lambda path: read_cash(path, ACCOUNTS)) == (
        "line 3, currency: USD of taxable is given twice: write one line for it",
        'line 4, account: there is no account "nobody" in the household: write one of ira, taxable',
        'line 4, currency: "US$" is not a currency: write its code, such as USD',
        'line 4, amount: "x" is not a number: write one such as 1234.56',
    )


# ------------------------------------------------------------------------------------ sales


def is_long_term(holding_since: dt.date, sold: dt.date) -> bool:
    return (sold - holding_since).days > 366


def sales_of(path):
    return read_sales(path, ACCOUNTS, INSTRUMENTS, is_long_term, today=TODAY)


SALES = "account,symbol,quantity,proceeds,cost,acquired,sold"


def test_a_sale_is_taken_over_with_its_term_and_whether_it_is_taxed(write):
    path = write(
        f"{SALES}\n"
        "taxable,VTI,3,900.00,1000.00,2024-01-05,2026-02-20\n"
        "ira,BND,1,70,75,2026-01-05,2026-02-20\n"
    )
    first, second = sales_of(path)
    assert (first.gain, first.term, first.is_taxed) == (Decimal("-100.00"), Term.LONG, True)
    assert (second.gain, second.term, second.is_taxed) == (Decimal(-5), Term.SHORT, False)
    assert first.holding_since == first.acquired == dt.date(2024, 1, 5)
    assert (first.sold, first.source) == (dt.date(2026, 2, 20), "list.csv")


def test_a_sales_term_counts_from_its_holding_period(write):
    path = write(
        f"{SALES},holding_since\ntaxable,VTI,3,900,1000,2026-01-05,2026-02-20,2024-01-05\n"
    )
    (sale,) = sales_of(path)
    assert sale.term is Term.LONG


def test_sales_out_of_one_lot_have_ids_of_their_own(write):
    row = "taxable,VTI,3,900,1000,2026-01-05,2026-02-20"
    path = write(f"{SALES}\n{row}\n{row}\n")
    ids = [sale.id for sale in sales_of(path)]
    assert len(set(ids)) == 2
    assert [sale.id for sale in sales_of(path)] == ids


def test_a_sale_before_its_purchase_is_refused(write):
    path = write(f"{SALES}\ntaxable,VTI,3,-9,1000,2026-02-05,2026-01-20\n")
    assert faults_of(path, sales_of) == (
        'line 2, proceeds: "-9" is below zero: write what was received, less selling costs',
        "line 2, sold: 2026-01-20 is before the purchase on 2026-02-05: correct one of them",
    )
