"""IBKR Flex queries: real ones against what they hold, made ones for what those do not."""

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from trimtab.adapters.imports.flex import read_flex
from trimtab.domain.errors import FileFaults
from trimtab.domain.history import Transaction, TransactionKind
from trimtab.domain.imported import Imported
from trimtab.domain.trades import Term

PATH = Path("statement.xml")


def flex(*statements: str) -> Imported:
    inner = "".join(statements)
    text = f"<FlexQueryResponse><FlexStatements>{inner}</FlexStatements></FlexQueryResponse>"
    return read_flex(PATH, text.encode())


def statement(inner: str, *, to: str = "20250131", account: str = "U1") -> str:
    return f'<FlexStatement accountId="{account}" toDate="{to}">{inner}</FlexStatement>'


def row(element: str, **values: object) -> str:
    written = " ".join(f'{name}="{value}"' for name, value in values.items())
    return f"<{element} {written}/>"


def trade(**values: object) -> str:
    usual = {
        "assetCategory": "STK",
        "currency": "USD",
        "fxRateToBase": "1",
        "symbol": "VTI",
        "tradeDate": "20250115",
        "buySell": "BUY",
        "quantity": "10",
        "tradePrice": "100",
        "proceeds": "-1000",
    }
    return row("Trade", **(usual | values))


def trades(*rows: str) -> Imported:
    return flex(statement(f"<Trades>{''.join(rows)}</Trades>"))


def values(*of_one: object) -> tuple[Any, ...]:
    """Values of several kinds, to compare with plain numbers."""
    return of_one


def only(imported: Imported) -> Transaction:
    (transaction,) = imported.transactions
    return transaction


# ---------------------------------------------------------------------- fills


def test_a_fill_is_counted_once_though_the_query_lists_every_level():
    repeated = trade(transactionID="7")
    imported = trades(
        repeated,
        trade(transactionID="8", levelOfDetail="ORDER"),
        row("Order", symbol="VTI", quantity="10", levelOfDetail="ORDER"),
        row("SymbolSummary", symbol="VTI", quantity="10", tradeDate="MULTI"),
        repeated,
    )
    assert only(imported).id == "U1/7"
    assert imported.counts["Trade"] == 3
    assert imported.counts["Order:ORDER"] == 1
    assert "1 trade listed more than once and counted once" in imported.notes


def test_a_query_of_orders_alone_gives_no_trade_and_says_so():
    imported = trades(row("Order", symbol="VTI", quantity="10", levelOfDetail="ORDER"))
    assert imported.transactions == ()
    assert "choose Executions" in imported.notes[0]


def test_commission_and_taxes_are_costs_and_a_rebate_lowers_the_price():
    paid = only(trades(trade(ibCommission="-1.50", taxes="-0.25")))
    assert values(paid.amount, paid.fee) == (1000, Decimal("1.75"))
    rebate = only(trades(trade(ibCommission="0.40")))
    assert values(rebate.amount, rebate.fee) == (Decimal("999.60"), 0)


def test_a_trade_without_proceeds_is_its_quantity_times_its_price():
    assert only(trades(trade(proceeds=""))).amount == 1000
    bond = trade(proceeds="", assetCategory="BOND", quantity="5000", tradePrice="98.5")
    assert only(trades(bond)).amount == Decimal("4925.00")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        pytest.param({"assetCategory": "OPT"}, "OPT is not judged", id="an option"),
        pytest.param({"assetCategory": "FUT"}, "FUT is not judged", id="a future"),
        pytest.param({"openCloseIndicator": "C"}, "short position", id="covering a short sale"),
        pytest.param({"currency": "EUR"}, "converted to USD", id="another currency"),
        pytest.param(
            {"buySell": "BUY (Ca.)", "quantity": "-10"}, "cancels a trade", id="a lone cancellation"
        ),
    ],
)
def test_what_the_rules_do_not_judge_is_left_to_a_person_under_the_share(values, said):
    asked = only(trades(trade(symbol="VTI X", underlyingSymbol="VTI", **values)))
    assert asked.kind is TransactionKind.REVIEW
    assert asked.symbol == "VTI"
    assert said in asked.text


def test_shares_from_an_option_are_bought_and_their_basis_asked_for():
    bought, asked = trades(trade(notes="Ex;O")).transactions
    assert bought.kind is TransactionKind.BUY
    assert "premium" in asked.text


def test_a_reinvested_dividend_is_a_purchase_of_its_kind():
    assert only(trades(trade(notes="R;P"))).kind is TransactionKind.REINVEST


def test_a_side_that_does_not_fit_the_quantity_is_a_fault():
    with pytest.raises(FileFaults, match=r'buySell "SELL" does not fit the quantity 10'):
        trades(trade(buySell="SELL"))


def test_every_fault_of_a_file_is_told_at_once():
    with pytest.raises(FileFaults) as told:
        trades(trade(quantity="ten"), trade(tradeDate="2025-13-01"), trade(quantity=""))
    assert len(told.value.faults) == 3


def test_trades_come_in_the_order_of_their_time():
    late = trade(transactionID="2", dateTime="20250115;155900")
    early = trade(transactionID="1", dateTime="20250115;093000")
    before = trade(transactionID="0", tradeDate="2025-01-14")
    assert [one.id for one in trades(late, early, before).transactions] == ["U1/0", "U1/1", "U1/2"]


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("20250115", 15),
        ("2025-01-15", 15),
        ("20250115;235959", 15),
        ("2025-01-15;23:59:59", 15),
        ("2025-01-15, 09:30:00 EST", 15),
        ("2025-01-15;020000 UTC", 14),
        ("01/15/2025;093000", 15),
    ],
)
def test_a_trade_date_is_new_yorks_however_the_query_writes_it(written, day):
    assert only(trades(trade(tradeDate=written))).date == dt.date(2025, 1, day)


@pytest.mark.parametrize("written", ["01/02/2025", "15-Jan-25", "20250230", "20250115;250000"])
def test_a_date_that_is_unclear_is_refused(written):
    with pytest.raises(FileFaults, match="tradeDate of <Trade>"):
        trades(trade(tradeDate=written))


# ---------------------------------------------------------------------- the broker's sales


def test_closed_lots_are_the_brokers_sales_and_wash_rows_their_disallowed_loss():
    lot = {"symbol": "VTI", "assetCategory": "STK", "tradeDate": "20250115", "buySell": "SELL"}
    imported = trades(
        trade(buySell="SELL", quantity="-10", proceeds="900", fifoPnlRealized="-100", notes="C;LD"),
        row(
            "Lot",
            **lot,
            quantity="6",
            cost="600",
            fifoPnlRealized="-60",
            openDateTime="20240102;100000",
            notes="LT",
            levelOfDetail="CLOSED_LOT",
        ),
        row("Trade", **lot, quantity="-4", cost="-400", proceeds="360", levelOfDetail="CLOSED_LOT"),
        row("Lot", **(lot | {"assetCategory": "OPT"}), quantity="1", cost="1"),
        row("WashSale", symbol="VTI", quantity="4", fifoPnlRealized="-40", whenRealized="20250115"),
        row("WashSale", symbol="BND", quantity="4", fifoPnlRealized="-9", whenRealized="20250115"),
    )
    long, short = imported.sales
    assert values(long.proceeds, long.basis, long.gain, long.term) == (540, 600, -60, Term.LONG)
    assert (long.acquired, long.sold) == (dt.date(2024, 1, 2), dt.date(2025, 1, 15))
    assert values(short.quantity, short.proceeds, short.basis) == (4, 360, 400)
    assert values(long.disallowed, short.disallowed) == (0, 40)
    assert imported.realized_gain == -100
    assert imported.counts["wash_notes"] == 3
    told = "\n".join(imported.notes)
    assert "4 BND on 2025-01-15 with 9 disallowed has no closed lot" in told
    assert "1 closed lot of options" in told
    assert only(imported).kind is TransactionKind.SELL


# ---------------------------------------------------------------------- several statements


def test_positions_and_cash_are_those_of_the_latest_day_even_when_nothing_is_left():
    held = row("OpenPosition", symbol="VTI", position="5", levelOfDetail="SUMMARY")
    cash = row("CashReportCurrency", currency="USD", endingCash="9")
    first = statement(f"<OpenPositions>{held}</OpenPositions>{cash}", to="20250130")
    other = statement(f"<OpenPositions>{held}</OpenPositions>", account="U2")
    last = statement("<OpenPositions/>")
    imported = flex(last, first, other)
    assert [one.account for one in imported.positions] == ["U2"]
    assert imported.accounts == ("U1", "U2")
    assert imported.as_of == dt.date(2025, 1, 31)
    assert [one.amount for one in imported.cash] == [9]


def test_lots_without_a_summary_add_up_to_one_position():
    rows = "".join(
        row(
            "OpenPosition",
            symbol="VTI",
            conid="1",
            position=units,
            costBasisMoney=units * 100,
            levelOfDetail="LOT",
            openDateTime=f"2024010{units};100000",
            holdingPeriodDateTime="20231201;100000",
        )
        for units in (2, 3)
    )
    imported = flex(statement(rows))
    (position,) = imported.positions
    assert values(position.quantity, position.basis) == (5, 500)
    assert [one.quantity for one in imported.lots] == [2, 3]
    assert imported.lots[0].holding_since == dt.date(2023, 12, 1)


# ---------------------------------------------------------------------- events


@pytest.mark.parametrize(
    ("kind", "about", "ratio"),
    [
        ("FS", "TSLA(US88160R1014) SPLIT 3 FOR 1 (TSLA, TESLA INC, US88160R1014)", (3, 1)),
        ("RS", "XYZ(US1) SPLIT 1 FOR 10 (XYZ, XYZ CORP, US1)", (1, 10)),
        ("FS", "XYZ SPLIT 1 FOR 10", None),
        ("FS", "XYZ split", None),
        ("TC", "XYZ MERGED 3 FOR 1", None),
    ],
)
def test_only_a_clear_split_is_booked(kind, about, ratio):
    action = row("CorporateAction", symbol="X", type=kind, dateTime="20250115", description=about)
    made = only(flex(statement(action)))
    found = (made.numerator, made.denominator) if made.kind is TransactionKind.SPLIT else None
    assert found == ratio


def test_a_reverse_split_in_two_rows_happens_once():
    about = "XYZ(US1) SPLIT 1 FOR 10 (XYZ, XYZ CORP, US2)"
    common = {"type": "RS", "actionID": "5", "dateTime": "20250115;202500", "description": about}
    imported = flex(
        statement(
            row("CorporateAction", symbol="XYZ.OLD", quantity="-900", **common)
            + row("CorporateAction", symbol="XYZ", quantity="90", **common)
        )
    )
    assert (only(imported).kind, only(imported).symbol) == (TransactionKind.SPLIT, "XYZ")


def test_a_transfer_out_names_where_it_went_and_one_in_asks_where_from():
    common = {"symbol": "VTI", "date": "20250115", "quantity": "5", "type": "INTERNAL"}
    imported = flex(
        statement(
            row("Transfer", direction="OUT", account="U2", **common)
            + row("Transfer", direction="IN", account="U2", **common)
            + row("Transfer", date="20250115", symbol="--", cashTransfer="-12.5")
        )
    )
    moved, asked = imported.transactions
    assert values(moved.kind, moved.to_account, moved.quantity) == (
        TransactionKind.TRANSFER,
        "U2",
        5,
    )
    assert asked.kind is TransactionKind.REVIEW
    assert [(one.kind, one.amount) for one in imported.cash_lines] == [
        ("transfer", Decimal("-12.5"))
    ]
