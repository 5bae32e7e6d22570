# ruff: noqa: E501  the lines of a broker's file are as long as they are
import datetime as dt
from decimal import Decimal

import pytest
from tests.adapters.imports.broker_files import broker_file, has_note

from trimtab.adapters.imports import import_file
from trimtab.domain.history import TransactionKind

STATEMENT = """\
Statement,Header,Field Name,Field Value
Statement,Data,Title,Activity Statement
Account Information,Header,Field Name,Field Value
Account Information,Data,Account,U1234567
Account Information,Data,Base Currency,USD
Open Positions,Header,DataDiscriminator,Asset Category,Currency,Symbol,Quantity,Mult,Cost Price,Cost Basis,Close Price,Value,Unrealized P/L,Code
Open Positions,Data,Summary,Stocks,USD,VTI,6,1,240.2,1441.2,250,1500,58.8,
Open Positions,Data,Lot,Stocks,USD,VTI,6,1,240.2,1441.2,250,1500,58.8,
Open Positions,Total,,Stocks,USD,,,,,1441.2,,1500,58.8,
Trades,Header,DataDiscriminator,Asset Category,Currency,Symbol,Date/Time,Quantity,T. Price,C. Price,Proceeds,Comm/Fee,Basis,Realized P/L,MTM P/L,Code
Trades,Data,Order,Stocks,USD,VTI,"2024-01-16, 10:30:00",10,240.1,241,-2401,-1,2402,0,9,O
Trades,Data,Trade,Stocks,USD,VTI,"2024-01-16, 10:30:00",10,240.1,241,-2401,-1,2402,0,9,O
Trades,Data,Order,Stocks,USD,VTI,"2024-03-15, 15:59:59",-4,230,231,920,-1,-960.8,-41.8,-4,C;P
Trades,Data,ClosedLot,Stocks,USD,VTI,2024-01-16,4,240.2,,,,960.8,-41.8,,LT
Trades,Data,Order,Stocks,USD,TSLA,"2024-03-18, 11:00:00",-5,200,201,1000,-1,-999,0,-5,O
Trades,Data,Order,Stocks,USD,BND,"2024-03-19, 11:00:00",5,70,70,-350,-1,351,0,0,O;Ca
Trades,Data,Order,Equity and Index Options,USD,VTI 19JUN26 380 C,"2024-03-20, 11:00:00",1,4,4,-400,-1,401,0,0,O
Trades,Data,Order,Forex,USD,EUR.USD,"2024-03-21, 11:00:00",100,1.08,,-108,-2,,,0,
Trades,SubTotal,,Stocks,USD,VTI,,6,,,-1481,-2,,,,
Dividends,Header,Currency,Date,Description,Amount
Dividends,Data,USD,2024-03-27,VTI(US9229087690) Cash Dividend USD 0.91 per Share (Ordinary Dividend),5.46
Dividends,Data,Total,,,5.46
Net Asset Value,Header,Asset Class,Total
Net Asset Value,Data,Cash,100
"""


def real(name: str):
    return import_file(broker_file(f"ibkr/{name}"))


@pytest.fixture
def statement(tmp_path):
    path = tmp_path / "U1234567.csv"
    path.write_text(STATEMENT)
    return import_file(path)


def test_the_trades_of_a_flex_query_in_dollars_are_trades():
    imported = real("trades_export_to_ghostfolio.csv")
    assert imported.counts == {"rows": 11, "cash_lines": 3, "review": 1, "buy": 7}
    buys = [t for t in imported.transactions if t.kind is TransactionKind.BUY]
    assert sum(t.quantity for t in buys) == 323
    assert sum(t.amount for t in buys) == Decimal("31576.55")
    assert sum(t.fee for t in buys) == Decimal("6.979")
    assert buys[0].symbol == "US9220427424"
    assert has_note(imported, "ISIN stands in its place")


def test_a_trade_in_francs_is_left_to_convert_and_an_exchange_is_money():
    imported = real("trades_export_to_ghostfolio.csv")
    assert has_note(imported, "line 2", "in CHF")
    assert [(line.kind, line.amount) for line in imported.cash_lines] == [
        ("forex", Decimal("-8938.4")),
        ("forex", Decimal("-11085.787")),
        ("forex", Decimal("-11560.074")),
    ]


def test_dividends_come_with_their_symbol_currency_and_kind():
    imported = real("dividends_export_to_ghostfolio.csv")
    assert imported.counts == {"rows": 11, "cash_lines": 11}
    first, last = imported.cash_lines[0], imported.cash_lines[-1]
    assert (first.date, first.symbol, first.kind) == (dt.date(2023, 6, 23), "VT", "dividend")
    assert (last.symbol, last.kind, last.amount) == ("AVGO", "payment in lieu", Decimal("0.59"))
    by_currency = {line.currency for line in imported.cash_lines}
    assert by_currency == {"USD", "CHF", "JPY"}
    taxes = [line.amount for line in imported.cash_lines if line.kind == "tax"]
    assert sum(taxes) == Decimal("-73.63")


def test_a_statement_counts_in_its_base_currency():
    imported = real("activity_statement_test_basic.csv")
    assert imported.accounts == ("U***00000",)
    assert imported.counts == {"rows": 12, "cash_lines": 10, "review": 2}
    assert {line.currency for line in imported.cash_lines} == {"GBP"}
    assert [t.date for t in imported.transactions] == [dt.date(2025, 3, 15), dt.date(2025, 8, 15)]
    assert has_note(imported, "lines 17, 18", "in GBP")
    assert has_note(imported, "line 13", '"Adjustment" is not known')


def test_an_activity_statement_gives_orders_once_and_positions_once(statement):
    assert statement.accounts == ("U1234567",)
    assert [(p.symbol, p.quantity, p.basis) for p in statement.positions] == [
        ("VTI", 6, Decimal("1441.2"))
    ]
    buy, sell = statement.transactions[:2]
    assert (buy.date, buy.quantity, buy.amount, buy.fee) == (dt.date(2024, 1, 16), 10, 2401, 1)
    assert (sell.kind, sell.quantity, sell.amount) == (TransactionKind.SELL, 4, 920)
    assert len(statement.transactions) == 5


def test_short_sales_cancelled_trades_and_options_are_left_for_a_person(statement):
    reviews = [t.text for t in statement.transactions if t.kind is TransactionKind.REVIEW]
    assert [text.partition(":")[0] for text in reviews] == [
        "a short sale",
        "a trade that was cancelled",
        "an option or another contract",
    ]


def test_money_of_a_statement_has_its_kind_and_symbol(statement):
    forex, dividend = statement.cash_lines
    assert (forex.kind, forex.amount) == ("forex", -108)
    assert (dividend.symbol, dividend.amount) == ("VTI", Decimal("5.46"))


def test_sections_that_are_not_read_are_named(statement):
    assert has_note(statement, "not read", "Net Asset Value")
