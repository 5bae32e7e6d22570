"""Real IBKR Flex queries against what was counted and read in them by others and by eye."""

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.adapters.imports.test_flex import values

from trimtab.adapters.imports.flex import read_flex, recognizes_flex
from trimtab.domain.errors import FileFaults
from trimtab.domain.history import TransactionKind
from trimtab.domain.imported import Imported
from trimtab.domain.trades import Term

BROKER = Path(__file__).resolve().parents[3] / "../shared/data/broker"
ANSWERS = BROKER / "EXPECTED_ofx_flex.json"
NAMES = (
    "activity_cash",
    "activity_corporate_actions",
    "activity_daily_portfolio",
    "activity_forex",
    "activity_fractional_shares",
    "activity_minimal",
    "flex_corporate_action_2025",
    "flex_vtandchill_2025",
)


def real(name: str) -> Imported:
    """A real file, read; the test is skipped where it is not there."""
    path = BROKER / "ibkr" / f"{name}.xml"
    if not path.exists():
        pytest.skip(f"the real file {name} is not in the folder shared beside the checkout")
    data = path.read_bytes()
    assert recognizes_flex(data)
    return read_flex(path, data)


def answer(name: str) -> dict[str, Any]:
    if not ANSWERS.exists():
        pytest.skip("the answers are not in the folder shared beside the checkout")
    found: dict[str, Any] = json.loads(ANSWERS.read_text(encoding="utf-8"), parse_float=Decimal)[
        f"ibkr/{name}.xml"
    ]
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_real_file_holds_what_was_counted_in_it(name):
    imported, expected = real(name), answer(name)
    assert list(imported.accounts) == expected["accounts"]
    assert imported.counts["FlexStatement"] == expected["statements"]
    for key, count in {**expected["counts"], **expected["level_of_detail"]}.items():
        assert imported.counts.get(key) == count, key
    assert imported.realized_gain == expected["sum_fifo_pnl_realized_trades_EXECUTION"]
    assert imported.counts["wash_notes"] == expected["n_wash_notes"]


@pytest.mark.parametrize("name", NAMES)
def test_a_real_file_lists_every_position_once(name):
    imported, expected = real(name), answer(name)["open_positions"]
    positions = {one.symbol: one.quantity for one in imported.positions}
    assert positions == {key.split("|")[0]: Decimal(quantity) for key, quantity in expected.items()}
    lots = {one.symbol: one.quantity for one in imported.lots}
    assert lots == {
        key.split("|")[0]: Decimal(quantity) for key, quantity in expected.items() if "|LOT|" in key
    }
    assert len(positions) == len(imported.positions)


def test_a_real_file_with_a_bare_ampersand_is_refused_at_its_place():
    path = BROKER / "ibkr" / "activity_simple.xml"
    if not path.exists():
        pytest.skip("the real file is not in the folder shared beside the checkout")
    with pytest.raises(FileFaults, match=r"line 81, column 67: a bare & .* write &amp;"):
        read_flex(path, path.read_bytes())
    assert "line 81, column 67" in answer("activity_simple")["error"]


def test_the_fills_of_a_real_portfolio_are_as_printed():
    imported = real("activity_daily_portfolio")
    assert [(one.kind.value, one.symbol) for one in imported.transactions] == [
        ("split", "XYZ"),
        ("buy", "GOOGL"),
        ("review", "SPY"),
        ("sell", "MSFT"),
    ]
    split, bought, option, sold = imported.transactions
    assert (split.numerator, split.denominator) == (2, 1)
    assert bought.date == sold.date == dt.date(2025, 1, 15)
    assert values(bought.quantity, bought.amount, bought.fee) == (100, 17550, Decimal("1.25"))
    assert values(sold.quantity, sold.amount, sold.fee) == (
        50,
        Decimal("21012.50"),
        Decimal("0.75"),
    )
    assert (bought.order_id, bought.id) == ("1001", "U1234567/20001")
    assert bought.source == "activity_daily_portfolio.xml line 34"
    assert "SPY   250221C00600000 for 2500.00" in option.text
    canadian = next(one for one in imported.positions if one.symbol == "RY")
    assert values(canadian.currency, canadian.basis) == ("CAD", 140000)
    assert [(one.currency, one.amount) for one in imported.cash] == [("USD", Decimal("150000.50"))]


def test_the_purchases_of_a_real_year_are_as_printed():
    imported = real("flex_vtandchill_2025")
    assert [values(one.date.isoformat(), one.quantity) for one in imported.transactions] == [
        ("2025-12-15", 130),
        ("2025-12-24", 28),
        ("2025-12-24", 10),
        ("2025-12-24", 10),
        ("2025-12-24", 22),
    ]
    assert imported.transactions[0].amount == Decimal("18433.35")
    assert imported.transactions[1].fee == Decimal("0.14")
    assert sum(one.quantity for one in imported.transactions) == imported.positions[0].quantity
    assert {one.currency: one.amount for one in imported.cash} == {
        "CHF": Decimal("17000.05854876"),
        "USD": Decimal("-0.87"),
    }
    told = "\n".join(imported.notes)
    assert "base currency is CHF" in told
    assert "fxRateToBase 0.79628" in told
    assert "2 currency exchanges left out" in told
    assert "5 trades whose quantity, price, proceeds and net cash do not agree" in told


def test_a_real_purchase_in_euros_asks_to_be_converted():
    imported = real("flex_corporate_action_2025")
    purchase, renamed = imported.transactions
    assert purchase.kind is renamed.kind is TransactionKind.REVIEW
    assert (purchase.symbol, purchase.date) == ("ZT0", dt.date(2025, 8, 7))
    assert "796.8 with costs of 3: it is in EUR" in purchase.text
    assert "fxRateToBase 0.94089" in purchase.text
    assert "CUSIP/ISIN CHANGE" in renamed.text
    (lot,) = imported.lots
    assert (lot.acquired, lot.basis, lot.term) == (
        dt.date(2025, 8, 7),
        Decimal("799.8"),
        Term.SHORT,
    )
    assert [(one.kind, one.amount) for one in imported.cash_lines] == [
        ("tax", Decimal("-1.91")),
        ("dividend", Decimal("12.72")),
        ("tax", Decimal("-2.09")),
        ("dividend", Decimal("13.92")),
    ]


def test_real_splits_have_their_ratio_and_other_actions_ask_for_an_eye():
    imported = real("activity_corporate_actions")
    splits = {
        one.symbol: (one.numerator, one.denominator)
        for one in imported.transactions
        if one.kind is TransactionKind.SPLIT
    }
    assert splits == {"TSLA": (2, 1), "SPLIT": (1, 10)}
    reviewed = {one.symbol for one in imported.transactions} - set(splits)
    assert reviewed == {"AAPL", "GOOG", "ACQUIRED", "MSFT", "NVDA", "DELIST"}


def test_a_real_cancelled_purchase_is_left_out_with_its_cancellation():
    imported = real("activity_fractional_shares")
    assert [(one.kind.value, one.quantity) for one in imported.transactions] == [
        ("buy", Decimal("2.5")),
        ("sell", Decimal("1.25")),
    ]
    assert "1 trade cancelled" in imported.notes[0]
