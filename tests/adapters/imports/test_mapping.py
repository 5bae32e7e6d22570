import datetime as dt
from decimal import Decimal

import pytest
from tests.adapters.imports.broker_files import faults_of, has_note, refusal_of

from trimtab.adapters.imports import ColumnMapping, import_file, read_mapping
from trimtab.domain.history import TransactionKind

FOREIGN = """\
Umsatzliste;;;;;
Handelstag;Depot;Art;Papier;Stück;Kurs;Betrag;Gebühr
31.01.2024;Depot 7;Kauf;VTI;1.000,5;240,10;-240.221,05;-1,00
15.03.2024;Depot 7;Verkauf;VTI;4;230,00;919,00;-1,00
16.03.2024;Depot 7;Depotgebühr;;;;-5,00;
"""
MAPPING = """\
header_line = 2
delimiter = ";"
date_format = "DD.MM.YYYY"
decimal = ","
amounts = "after_fees"
fee_sign = "negative"

[columns]
date = "Handelstag"
account = "Depot"
action = "Art"
symbol = "Papier"
quantity = "Stück"
price = "Kurs"
amount = "Betrag"
fee = "Gebühr"

[actions]
buy = ["Kauf"]
sell = ["Verkauf"]
ignore = ["Depotgebühr"]
"""


@pytest.fixture
def write(tmp_path):
    def write(text: str, name: str):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_saved_mapping_reads_any_other_csv(write):
    how = write(MAPPING, "mapping.toml")
    imported = import_file(write(FOREIGN, "depot.csv"), mapping=read_mapping(how))
    buy, sell = imported.transactions
    assert (buy.date, buy.account) == (dt.date(2024, 1, 31), "Depot 7")
    assert (buy.quantity, buy.amount, buy.fee) == (
        Decimal("1000.5"),
        Decimal("240220.05"),
        Decimal(1),
    )
    assert (sell.kind, sell.amount, sell.fee) == (TransactionKind.SELL, Decimal(920), Decimal(1))
    assert has_note(imported, "line 5", "ignores")


def test_the_name_of_the_mapping_will_do(write):
    how = write(MAPPING, "mapping.toml")
    assert len(import_file(write(FOREIGN, "depot.csv"), mapping=how).transactions) == 2


def test_the_sign_of_the_quantity_may_decide(write):
    how = write('quantity_sign = "decides"\naccount = "taxable"\n', "mapping.toml")
    imported = import_file(
        write(
            "Trade Date,Ticker,Shares,Price\n2024-01-16,VTI,10,240\n2024-03-15,VTI,-4,230\n", "x"
        ),
        mapping=how,
    )
    assert [(t.kind.value, t.quantity, t.account) for t in imported.transactions] == [
        ("buy", Decimal(10), "taxable"),
        ("sell", Decimal(4), "taxable"),
    ]


def test_columns_that_a_mapping_does_not_name_have_their_usual_names(write):
    how = write('[columns]\nsymbol = "Paper"\n[actions]\nbuy = ["got"]\n', "mapping.toml")
    imported = import_file(
        write("date,account,action,paper,quantity,price\n2024-01-16,a,got,VTI,1,10\n", "x.csv"),
        mapping=how,
    )
    assert imported.counts == {"rows": 1, "buy": 1}


@pytest.mark.parametrize(
    ("date_format", "text"),
    [
        ("DD.MM.YYYY", "05.03.2024"),
        ("YYYYMMDD", "20240305"),
        ("D/M/YY", "5/3/24"),
        ("DD-MMM-YYYY", "05-Mar-2024"),
        ("MMM D, YYYY", '"Mar 5, 2024"'),
        ("M/D/YYYY", "3/5/2024 14:30:00"),
    ],
)
def test_dates_are_read_in_the_order_that_the_mapping_says(date_format, text, write):
    how = write(f'date_format = "{date_format}"\n', "mapping.toml")
    rows = f"date,account,action,symbol,quantity,price\n{text},a,buy,VTI,1,10\n"
    (buy,) = import_file(write(rows, "x.csv"), mapping=how).transactions
    assert buy.date == dt.date(2024, 3, 5)


@pytest.mark.parametrize(
    "text", ["31.02.2024", "2024-03-05", "05.03.0024", "\u0660\u0665.03.2024", "x"]
)
def test_a_date_in_another_form_is_a_fault(text, write):
    how = write('date_format = "DD.MM.YYYY"\n', "mapping.toml")
    rows = f"date,account,action,symbol,quantity,price\n{text},a,buy,VTI,1,10\n"
    (fault,) = faults_of(import_file, write(rows, "x.csv"), mapping=how)
    assert fault.startswith("line 2, date")


@pytest.mark.parametrize("number", ["1,234.56", "1.23.4", "12,34,5", "1 234"])
def test_a_number_with_another_sign_for_decimals_is_a_fault(number, write):
    how = write('decimal = ","\n', "mapping.toml")
    rows = f'date,account,action,symbol,quantity,price\n2024-01-16,a,buy,VTI,"{number}","1,5"\n'
    (fault,) = faults_of(import_file, write(rows, "x.csv"), mapping=how)
    assert fault.startswith("line 2, quantity")


def test_an_empty_mapping_is_the_documented_form(write):
    assert read_mapping(write("# nothing\n", "mapping.toml")) == ColumnMapping()


def test_all_faults_of_a_mapping_are_told_at_once(write):
    text = (
        'table = "stuff"\nheader_line = 0\ndate_format = "DD.MM"\ndecimal = "\'"\n'
        '[columns]\nsymbl = "Ticker"\nprice = 7\n[actions]\nbuy = "Kauf"\n'
    )
    found = faults_of(read_mapping, write(text, "mapping.toml"))
    assert len(found) == 7
    for words in ('"symbl"', "table", "header_line", "date_format", "decimal", "price", "buy"):
        assert any(words.strip('"') in fault for fault in found), words
    assert any('did you mean "symbol"?' in fault for fault in found)


def test_a_name_may_stand_for_one_thing_only(write):
    text = '[columns]\nsymbol = "X"\nprice = "x"\n[actions]\nbuy = ["B"]\nsell = ["b"]\n'
    first, second = faults_of(read_mapping, write(text, "mapping.toml"))
    assert 'columns.price: "x" is already columns.symbol' in first
    assert 'actions.sell: "b" is already actions.buy' in second


def test_a_column_that_the_mapping_names_and_the_file_lacks_is_a_fault(write):
    how = write('[columns]\nprice = "Kurs"\n', "mapping.toml")
    rows = "date,account,action,symbol,quantity,price\n2024-01-16,a,buy,VTI,1,10\n"
    found = faults_of(import_file, write(rows, "x.csv"), mapping=how)
    assert any('no column "Kurs"' in fault for fault in found)


def test_a_mapping_that_is_not_there_or_no_toml_is_refused(write, tmp_path):
    assert "there is no file" in refusal_of(read_mapping, tmp_path / "no.toml")
    assert faults_of(read_mapping, write("a = = b\n", "mapping.toml"))


def test_a_mapping_for_lots_reads_lots(write):
    how = write('table = "lots"\n[columns]\nbasis = "Paid"\nacquired = "When"\n', "mapping.toml")
    rows = "account,symbol,quantity,Paid,When\ntaxable,VTI,10,2000,2021-02-03\n"
    (lot,) = import_file(write(rows, "x.csv"), mapping=how).lots
    assert (lot.basis, lot.acquired) == (Decimal(2000), dt.date(2021, 2, 3))
