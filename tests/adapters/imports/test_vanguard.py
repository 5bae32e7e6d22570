import datetime as dt
from decimal import Decimal

import pytest
from tests.adapters.imports.broker_files import VANGUARD, has_note

from trimtab.adapters.imports import import_file
from trimtab.domain.history import TransactionKind


@pytest.fixture
def imported(tmp_path):
    path = tmp_path / "OfxDownload.csv"
    path.write_text(VANGUARD)
    return import_file(path)


def test_the_two_tables_of_a_download_are_holdings_and_transactions(imported):
    assert imported.format == "vanguard_ofxdownload_csv"
    assert [(p.symbol, p.quantity, p.value) for p in imported.positions] == [
        ("VTI", Decimal(50), Decimal(10000)),
        ("U S TREASURY NOTE 1.875 01/15/36", Decimal(5000), Decimal(500000)),
        ("VMFXX", Decimal("1234.56"), Decimal("1234.56")),
    ]
    assert imported.counts == {
        "rows": 9,
        "positions": 3,
        "cash_lines": 2,
        "buy": 1,
        "sell": 1,
        "reinvest": 1,
        "review": 1,
    }


def test_sales_have_negative_shares_and_days_are_written_in_two_ways(imported):
    buy, sell, reinvest, _ = imported.transactions
    assert (buy.date, buy.quantity, buy.amount) == (dt.date(2025, 3, 27), 10, 2000)
    assert (sell.kind, sell.quantity, sell.amount) == (TransactionKind.SELL, 4, 760)
    assert (reinvest.date, reinvest.quantity) == (dt.date(2025, 4, 3), Decimal("0.05"))


def test_the_download_says_that_it_has_no_lots_and_no_basis(imported):
    assert has_note(imported, "no lots", "no cost basis", "18 months")
    assert all(position.basis is None for position in imported.positions)
    assert imported.lots == ()


def test_units_transferred_in_have_no_basis_and_are_noted(imported):
    assert imported.transactions[-1].kind is TransactionKind.REVIEW
    assert has_note(imported, "line 14", "without their basis")


def test_a_sweep_is_money_and_no_trade(imported):
    assert [(line.kind, line.amount) for line in imported.cash_lines] == [
        ("dividend", Decimal("9.90")),
        ("sweep", Decimal("-9.90")),
    ]


def test_the_table_of_a_529_account_has_fund_names_in_place_of_symbols(tmp_path):
    path = tmp_path / "529.csv"
    path.write_text(
        "Fund Account Number,Fund Name,Price,Shares,Total Value,\n"
        "0101-99,Target Enrollment 2030,20.50,100,2050.00,\n"
    )
    (position,) = import_file(path).positions
    assert (position.account, position.symbol) == ("0101-99", "TARGET ENROLLMENT 2030")
    assert position.price == Decimal("20.50")
