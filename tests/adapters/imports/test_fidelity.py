import datetime as dt
from decimal import Decimal

import pytest
from tests.adapters.imports.broker_files import (
    FIDELITY_HISTORY_2026,
    FIDELITY_POSITIONS_2026,
    broker_file,
    faults_of,
    has_note,
)

from trimtab.adapters.imports import import_file
from trimtab.domain.history import TransactionKind


@pytest.fixture
def read(tmp_path):
    def read(text: str, name: str = "export.csv"):
        path = tmp_path / name
        path.write_bytes(text.encode())
        return import_file(path)

    return read


def real(name: str):
    return import_file(broker_file(f"fidelity/{name}"))


# ------------------------------------------------------------------------------- positions


def test_positions_with_one_comma_more_than_the_header_are_read():
    imported = real("positions_bom_crlf.csv")
    assert [(p.account, p.symbol, p.quantity, p.basis) for p in imported.positions] == [
        ("Z00000000", "VWO", Decimal(900), Decimal("38362.05")),
        ("Z00000001", "VOO", Decimal(800), Decimal("38362.05")),
    ]
    assert has_note(imported, "Z00000000 (AAAA)")
    assert has_note(imported, "line 5 is text", "XXX")
    assert has_note(imported, "line 3", "800 VOO", "45900.35")
    assert not has_note(imported, "VWO at")


def test_positions_of_2026_have_headings_in_sentence_case(read):
    imported = read(FIDELITY_POSITIONS_2026)
    stock, option, fund = imported.positions
    assert (stock.symbol, stock.quantity, stock.basis) == ("VTI", Decimal("20.5"), Decimal(5125))
    assert (option.symbol, option.quantity, option.kind) == (
        "VTI260619C380",
        Decimal(-1),
        "option",
    )
    assert (fund.symbol, fund.cusip, fund.basis) == ("31617E471", "31617E471", None)
    assert imported.as_of == dt.date(2026, 1, 5)


def test_a_core_fund_is_cash_and_pending_activity_is_only_noted(read):
    imported = read(FIDELITY_POSITIONS_2026)
    assert [(c.account, c.amount) for c in imported.cash] == [("X12345678", Decimal("1412.15"))]
    assert has_note(imported, "pending activity", "201.00")


def test_a_brokeragelink_is_not_counted_twice(read):
    assert has_note(read(FIDELITY_POSITIONS_2026), "line 7", "BrokerageLink", "left out")


def test_the_day_of_positions_stands_in_the_name(read):
    imported = read(FIDELITY_POSITIONS_2026, "Portfolio_Positions_Feb-07-2026.csv")
    assert imported.as_of == dt.date(2026, 2, 7)


# ------------------------------------------------------------------------------ closed lots


def test_closed_lots_take_the_account_from_the_name_and_say_so():
    imported = real("Realized_Gain_Loss_Account_X12345678.csv")
    (sale,) = imported.sales
    assert (sale.account, sale.symbol, sale.cusip) == ("X12345678", "VEA", "100000000")
    assert (sale.acquired, sale.sold) == (dt.date(2020, 8, 31), dt.date(2021, 1, 29))
    assert (sale.proceeds, sale.basis, sale.gain) == (Decimal(12), Decimal(10), Decimal(2))
    assert (sale.disallowed, sale.term) == (None, None)
    assert has_note(imported, "X12345678", "file's name")
    assert has_note(imported, "wash sales")


def test_closed_lots_of_another_name_have_no_account(read):
    text = broker_file("fidelity/Realized_Gain_Loss_Account_X12345678.csv").read_text()
    imported = read(text)
    assert imported.sales[0].account == "export.csv"
    assert has_note(imported, "does not name its account")


# ---------------------------------------------------------------------------------- history


def test_the_history_of_an_account_is_read_with_its_remarks_left_out():
    imported = real("Accounts_History.csv")
    assert imported.counts == {"rows": 16, "cash_lines": 10, "buy": 5, "reinvest": 1}
    first, second = imported.transactions[:2]
    assert (first.date, first.quantity, first.amount) == (
        dt.date(2025, 12, 15),
        Decimal(130),
        Decimal("18433.35"),
    )
    assert (second.kind, second.quantity) == (TransactionKind.REINVEST, Decimal("0.8724"))
    assert [t.quantity for t in imported.transactions[2:]] == [22, 10, 10, 28]
    assert sum(t.amount for t in imported.transactions) == Decimal("28499.01")
    assert has_note(imported, "text around the table")


def test_the_day_after_as_of_is_the_one_that_counts():
    interest = [c for c in real("Accounts_History.csv").cash_lines if c.kind == "interest"]
    assert interest[0].date == dt.date(2025, 11, 24)
    assert sum(c.amount for c in interest) == Decimal("1.65")


def test_every_action_of_2021_becomes_a_trade_money_or_a_review():
    imported = real("history_all_actions_2021.csv")
    assert imported.counts == {"rows": 27, "cash_lines": 16, "buy": 2, "sell": 1, "review": 8}
    sale = next(t for t in imported.transactions if t.kind is TransactionKind.SELL)
    assert (sale.account, sale.symbol, sale.quantity) == ("200000000", "TLT", Decimal(86))
    assert (sale.amount, sale.fee) == (Decimal("12418.83"), Decimal("0.07"))
    assert has_note(imported, "lines 10, 11, 21, 22, 23", "without their basis")
    assert has_note(imported, "line 28", "not judged")
    assert has_note(imported, "line 19", "negative quantity")


def test_a_line_with_a_cell_too_few_is_left_for_a_person():
    imported = real("history_all_actions_2021.csv")
    assert has_note(imported, "line 16", "12 fields where the header has 13")
    assert next(t for t in imported.transactions if t.symbol == "VTI").kind == "review"


def test_rows_in_another_order_than_their_header_are_read_in_their_own(read):
    imported = read(FIDELITY_HISTORY_2026)
    buy = imported.transactions[-1]
    assert (buy.kind, buy.quantity, buy.amount, buy.fee) == (
        TransactionKind.BUY,
        Decimal(3),
        Decimal("757.68"),
        Decimal(1),
    )
    assert has_note(imported, "order of the rows")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (5, "an option's end"),
        (6, "a short sale"),
        (7, "a trade that was cancelled"),
        (8, "money for a fraction"),
    ],
)
def test_options_short_sales_and_cancelled_trades_are_left_for_a_person(line, reason, read):
    imported = read(FIDELITY_HISTORY_2026)
    review = next(t for t in imported.transactions if t.source.endswith(f"line {line}"))
    assert review.kind is TransactionKind.REVIEW
    assert review.text.startswith(reason)


@pytest.mark.parametrize(
    ("action", "symbol"),
    [
        ("YOU BOUGHT OPENING TRANSACTION CALL (VTI) VANGUARD MAR 21 25 $290", " -VTI250321C290"),
        ("YOU SOLD OPENING TRANSACTION PUT (VTI) VANGUARD MAR 21 25 $290", ""),
        ("EXPIRED CALL (VTI) VANGUARD MAR 21 25 $290", "9220411AB"),
    ],
)
def test_an_option_is_filed_under_the_share_that_it_is_on(action, symbol, read):
    head = "Run Date,Account,Action,Symbol,Description,Quantity,Price ($),Amount ($)\n"
    row = f'02/20/2025,Joint Z1,"{action} (100 SHS) (Cash)",{symbol},CALL,2,4,-800\n'
    (review,) = read(head + row).transactions
    assert (review.kind, review.symbol) == (TransactionKind.REVIEW, "VTI")
    assert symbol.strip() in review.text


def test_a_history_that_breaks_off_is_refused(tmp_path):
    path = tmp_path / "export.csv"
    path.write_bytes(FIDELITY_HISTORY_2026.encode()[:-8])
    assert "breaks off here" in faults_of(import_file, path)[0]


# -------------------------------------------------------------------------------- statement


def test_a_statement_gives_positions_with_their_basis_and_core_accounts_as_cash():
    imported = real("Statement12312025.csv")
    (position,) = imported.positions
    assert (position.account, position.symbol) == ("U12349876", "VT")
    assert (position.quantity, position.value) == (Decimal("200.8724"), Decimal("28335.06"))
    assert position.basis == Decimal("28295.80")
    assert [(c.account, c.amount) for c in imported.cash] == [("U12349876", Decimal("0.71"))]
    assert imported.as_of == dt.date(2025, 12, 31)
    assert has_note(imported, "value of U12349876", "28295.80", "28335.77")
