import datetime as dt
from decimal import Decimal

import pytest
from tests.adapters.imports.broker_files import broker_file, has_note

from trimtab.adapters.imports import import_file
from trimtab.domain.history import TransactionKind

HEADER = (
    "ID,Timestamp,Transaction Type,Asset,Quantity Transacted,Price Currency,Price at Transaction,"
    "Subtotal,Total (inclusive of fees and/or spread),Fees and/or Spread,Notes\n"
)


@pytest.fixture
def read(tmp_path):
    def read(rows: str, above: str = "", header: str = HEADER):
        path = tmp_path / "coinbase.csv"
        path.write_text(above + header + rows)
        return import_file(path)

    return read


def test_a_purchase_in_dollars_is_a_trade_and_the_rest_needs_a_person():
    imported = import_file(broker_file("coinbase/coinbase-export.csv"))
    assert imported.counts == {"rows": 8, "buy": 1, "review": 7}
    buy = imported.transactions[0]
    assert (buy.symbol, buy.quantity) == ("BTC", Decimal("0.00166779"))
    assert (buy.amount, buy.fee) == (Decimal("67.01"), Decimal("2.99"))
    assert buy.date == dt.date(2022, 3, 25)
    assert imported.transactions[-1].date == dt.date(2025, 1, 17)
    assert imported.coins == {"BTC", "ETH", "ETH2"}
    assert has_note(imported, "lines 2, 3, 8", "in EUR")
    assert has_note(imported, "lines 6, 7", "a conversion")
    assert has_note(imported, "623d6507925c200001fcbXXX", "several lines")


def test_a_reward_is_acquired_at_its_value(read):
    row = "a1,2025-01-17 16:57:02 UTC,Staking Income,ETH,0.5,USD,$3000,$1500.00,$1500.00,$0.00,\n"
    (reward,) = read(row).transactions
    assert (reward.kind, reward.amount, reward.id) == (TransactionKind.VEST, 1500, "a1")


def test_a_time_after_midnight_in_london_is_the_day_before_in_new_york(read):
    row = "a1,2025-03-02 03:00:00 UTC,Sell,ETH,-0.5,USD,$2000,$1000.00,$990.00,$10.00,\n"
    (sale,) = read(row).transactions
    assert sale.date == dt.date(2025, 3, 1)
    assert (sale.quantity, sale.amount, sale.fee) == (Decimal("0.5"), 1000, 10)


def test_lines_above_the_header_and_older_headings_are_understood(read):
    imported = read(
        "2021-05-01T14:00:00Z,Buy,BTC,0.1,USD,50000.00,5000.00,5050.00,50.00,Bought\n",
        above='"You can use this transaction report"\nUser,ann@example.com\n\n',
        header="Timestamp,Transaction Type,Asset,Quantity Transacted,Spot Price Currency,"
        "Spot Price at Transaction,Subtotal,Total (inclusive of fees and/or spread),"
        "Fees and/or Spread,Notes\n",
    )
    (buy,) = imported.transactions
    assert (buy.date, buy.amount, buy.fee) == (dt.date(2021, 5, 1), 5000, 50)


def test_dollars_that_come_are_money_and_no_trade(read):
    row = "a1,2025-03-02 15:00:00 UTC,Deposit,USD,500,USD,$1,$500.00,$500.00,$0.00,\n"
    imported = read(row)
    assert imported.transactions == ()
    assert [(line.kind, line.amount) for line in imported.cash_lines] == [("transfer", 500)]


def test_a_total_that_is_not_its_parts_is_noted(read):
    row = "a1,2025-03-02 15:00:00 UTC,Buy,ETH,0.5,USD,$2000,$1000.00,$1020.00,$10.00,\n"
    assert has_note(read(row), "line 2", "1020.00", "1010.00")
