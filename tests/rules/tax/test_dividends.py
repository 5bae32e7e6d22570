"""Days held around an ex-date, counted share by share, and losses that a distribution changes."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.rules.tax.test_netting import sale

from trimtab.adapters.law import read_law
from trimtab.domain.history import Transaction, TransactionKind
from trimtab.domain.trades import Term
from trimtab.rules.tax.dividends import (
    Distribution,
    Holding,
    decided_on,
    qualified,
    short_holding_warnings,
)

STATUTES = read_law().statutes
TEST = STATUTES.qualified_dividends
EX = dt.date(2025, 7, 16)


def money(*amounts):
    return tuple(Decimal(amount) for amount in amounts)


def day(text):
    return dt.date.fromisoformat(text)


def dividend(**others):
    return Transaction(
        id="d", date=EX, account="tax", kind=TransactionKind.DIVIDEND, symbol="XYZ",
        per_share=Decimal("0.10"), **others,
    )  # fmt: skip


def held(quantity, acquired, sold=None):
    return Holding(Decimal(quantity), day(acquired), day(sold) if sold else None)


@pytest.mark.parametrize(
    ("acquired", "sold", "passes"),
    [
        pytest.param("2025-07-08", "2025-08-11", False, id="Pub. 550 example 1: 34 days"),
        pytest.param("2025-07-15", "2025-09-16", True, id="Pub. 550 example 2: 61 in the window"),
        pytest.param("2025-07-15", "2025-09-14", True, id="sold on the last day of the window"),
        pytest.param("2025-07-15", "2025-09-13", False, id="60 days are not more than 60"),
        pytest.param("2025-05-16", "2025-07-16", True, id="61 days up to the ex-date"),
        pytest.param("2025-05-17", "2025-07-16", False, id="60 days up to the ex-date"),
        pytest.param("2019-01-02", "2025-07-16", True, id="days before the window do not count"),
        pytest.param("2025-07-15", None, True, id="held still"),
    ],
)
def test_a_dividend_qualifies_when_the_shares_are_held_more_than_60_days(acquired, sold, passes):
    total, part = qualified(dividend(), [held(5000, acquired, sold)], TEST)
    assert (total, part) == money(500, 500 if passes else 0)


def test_only_shares_held_over_the_start_of_the_ex_date_are_paid():
    holdings = [
        held(1, "2025-07-15"),
        held(2, "2025-07-16"),
        held(4, "2025-01-02", "2025-07-15"),
        held(8, "2025-01-02", "2025-07-16"),
    ]
    assert qualified(dividend(), holdings, TEST) == money("0.9", "0.9")
    assert qualified(dividend(), [], TEST) == money(0, 0)


def test_each_piece_of_a_lot_qualifies_by_its_own_days():
    holdings = [held("30", "2025-07-08", "2025-08-11"), held("70.5", "2025-07-08")]
    assert qualified(dividend(), holdings, TEST) == money("10.05", "7.05")


def test_what_the_fund_calls_nonqualified_stays_so():
    assert qualified(dividend(is_nonqualified=True), [held(10, "2019-01-02")], TEST) == money(1, 0)


def test_preferred_dividends_need_more_than_90_days_of_181():
    preferred = dividend(is_preferred=True)
    assert qualified(preferred, [held(10, "2025-07-15", "2025-10-13")], TEST).qualified == 0
    assert qualified(preferred, [held(10, "2025-07-15", "2025-10-14")], TEST).qualified == 1
    assert decided_on(preferred, TEST) == dt.date(2025, 10, 14)
    assert decided_on(dividend(), TEST) == dt.date(2025, 9, 14)


@given(st.integers(1, 200), st.integers(0, 200), st.booleans())
def test_the_days_are_those_that_a_calendar_ticks_off(before, after, is_preferred):
    acquired, sold = EX - dt.timedelta(days=before), EX + dt.timedelta(days=after)
    reach, needed = (90, 90) if is_preferred else (60, 60)
    window = {EX + dt.timedelta(days=n) for n in range(-reach, reach + 1)}
    days = {acquired + dt.timedelta(days=n) for n in range(1, before + after + 1)}
    found = qualified(
        dividend(is_preferred=is_preferred), [Holding(Decimal(10), acquired, sold)], TEST
    )
    assert found == money(1, 1 if len(days & window) > needed else 0)


def short_lived(sold="2025-07-31", *, gain="-50", long=False, taxed=True):
    row = sale(2025, gain, long=long, taxed=taxed)
    return replace(row, acquired=day("2025-01-31"), sold=day(sold), symbol="VNQ")


def warned(row, *, account="joint", date="2025-03-03", exempt=False):
    one = Distribution(account, "VNQ", day(date), exempt)
    return short_holding_warnings([row], [one], STATUTES.fund_losses)


def test_a_loss_on_fund_shares_held_six_months_with_a_distribution_is_told():
    (sentence,) = warned(short_lived())
    assert "VNQ in joint" in sentence
    assert "long-term" in sentence
    (sentence,) = warned(short_lived(), exempt=True)
    assert "exempt interest" in sentence
    assert "not allowed" in sentence


@pytest.mark.parametrize(
    ("row", "where"),
    [
        pytest.param(short_lived("2025-08-01"), {}, id="longer than six months"),
        pytest.param(short_lived(gain="50"), {}, id="a gain"),
        pytest.param(short_lived(taxed=False), {"account": "ira"}, id="in an IRA"),
        pytest.param(short_lived(), {"account": "other"}, id="another account"),
        pytest.param(short_lived(), {"date": "2025-01-31"}, id="bought on the ex-date"),
        pytest.param(short_lived(), {"date": "2025-08-01"}, id="after the sale"),
        pytest.param(short_lived(long=True), {}, id="long-term by tacking already"),
    ],
)
def test_other_sales_of_fund_shares_are_not_warned_of(row, where):
    assert warned(row, **where) == ()


def test_six_months_from_a_day_that_the_month_lacks_end_with_the_month():
    row = replace(sale(2025, "-50"), symbol="VNQ", acquired=day("2024-08-30"))
    assert row.term is Term.SHORT
    on_the_last = replace(row, sold=day("2025-02-28"))
    assert warned(on_the_last, date="2024-12-02")
    assert not warned(replace(row, sold=day("2025-03-01")), date="2024-12-02")
