"""Real OFX and QFX statements against what two libraries and the eye find in them."""

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.adapters.imports.test_ofx import only, values

from trimtab.adapters.imports.ofx import read_ofx, recognizes_ofx
from trimtab.domain.errors import FileFaults
from trimtab.domain.history import TransactionKind
from trimtab.domain.imported import Imported

BROKER = Path(__file__).resolve().parents[3] / "../shared/data/broker"
ANSWERS = BROKER / "EXPECTED_ofx_flex.json"
READ = (
    "fidelity-savings",
    "fidelity",
    "investment_401k",
    "investment_medium",
    "multiple_accounts2",
    "signon_fail",
    "td_ameritrade",
    "tiaacref",
    "vanguard",
    "vanguard401k",
)
BROKEN = (
    "fail_nice_date_missing",
    "fail_nice_decimal_error",
    "fail_nice_empty_balance",
    "ofx-v102-empty-tags",
)


def real(name: str) -> Imported:
    """A real file, read; the test is skipped where it is not there."""
    path = BROKER / "ofx" / f"{name}.ofx"
    if not path.exists():
        pytest.skip(f"the real file {name} is not in the folder shared beside the checkout")
    data = path.read_bytes()
    assert recognizes_ofx(data)
    return read_ofx(path, data)


def answer(name: str) -> dict[str, Any]:
    if not ANSWERS.exists():
        pytest.skip("the answers are not in the folder shared beside the checkout")
    found: dict[str, Any] = json.loads(ANSWERS.read_text(encoding="utf-8"))[f"ofx/{name}.ofx"]
    return found


@pytest.mark.parametrize("name", READ)
def test_a_real_file_holds_what_two_libraries_count_in_it(name):
    imported, expected = real(name), answer(name)
    for kind in ("INVSTMTRS", "STMTRS"):
        found = sum(one["cls"] == kind for one in expected["ofxtools"])
        assert imported.counts.get(kind, 0) == found
    investments = [one for one in expected["ofxparse"] if one["type"] == "3"]
    assert list(imported.accounts) == [one["account"] for one in investments]
    assert imported.counts["transactions"] == sum(one["transactions"] for one in investments)
    held = [
        tuple(Decimal(number) for number in position[1:])
        for one in investments
        for position in one["positions"]
    ]
    assert [(one.quantity, one.price, one.value) for one in imported.positions] == held


@pytest.mark.parametrize("name", BROKEN)
def test_a_real_broken_file_is_refused_in_one_sentence(name):
    with pytest.raises(FileFaults) as told:
        real(name)
    assert len(told.value.faults) == 1
    assert "header" in told.value.faults[0]
    assert "OFXHeaderError" in answer(name)["ofxtools_error"]


def test_the_trades_of_a_real_account_are_as_printed():
    imported = real("fidelity")
    assert len(imported.transactions) == 10
    first = imported.transactions[0]
    assert (first.kind, first.symbol, first.date) == (
        TransactionKind.BUY,
        "INTC",
        dt.date(2012, 7, 20),
    )
    assert values(first.quantity, first.amount, first.fee) == (
        100,
        Decimal("2563.5"),
        Decimal("7.95"),
    )
    assert first.source == "fidelity.ofx BUYSTOCK 0123456789020201120120720"
    sold = next(one for one in imported.transactions if one.kind is TransactionKind.SELL)
    assert (sold.symbol, sold.amount, sold.fee) == ("SPY", Decimal("1097.25"), Decimal("7.95"))
    again = [one.symbol for one in imported.transactions if one.kind is TransactionKind.REINVEST]
    assert again == ["XIN", "CLCT", "INTC"]
    assert [(one.kind, one.amount, one.symbol) for one in imported.cash_lines][:3] == [
        ("dividend", Decimal("5.53"), "SPY"),
        ("interest", Decimal("0.24"), ""),
        ("dividend", Decimal("15.44"), "XIN"),
    ]
    assert imported.cash[0].amount == Decimal("18073.98")


def test_a_real_fund_listed_with_two_tickers_keeps_its_cusip():
    imported = real("vanguard")
    assert only(imported).symbol == "012345678"
    assert (only(imported).quantity, only(imported).amount) == (
        Decimal("42.123"),
        Decimal("4212.3"),
    )
    assert only(imported).date == dt.date(2011, 7, 15)
    assert any("two tickers for one id" in note for note in imported.notes)


def test_a_real_retirement_plan_names_its_sources_and_the_fund_without_a_ticker():
    imported = real("vanguard401k")
    told = "\n".join(imported.notes)
    assert "MATCH, PRETAX" in told
    assert "no ticker in the file for 92202V351 (Target Retirement 2050 Trust Plus)" in told
    assert [one.kind.value for one in imported.transactions] == ["review", *["buy"] * 4]
    assert imported.transactions[1].amount == 673


def test_real_bank_statements_are_counted_and_left_out():
    imported = real("multiple_accounts2")
    assert imported.accounts == ()
    assert imported.notes[0].startswith("2 bank or card statements left out")


def test_a_real_refused_sign_on_is_told():
    assert 'code "15500"' in real("signon_fail").notes[0]


def test_real_cash_in_another_currency_says_so():
    imported = real("investment_medium")
    assert [(one.amount, one.currency) for one in imported.cash_lines][:1] == [
        (Decimal("-3.65"), "USD")
    ]
    assert values(imported.cash[0].amount, imported.cash[0].currency) == (1, "CAD")
    assert imported.cash_lines[0].date == dt.date(2009, 12, 15)
