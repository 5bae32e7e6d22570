"""A preview says what the ledger will say, and changes nothing; and the days of a savings plan."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.rules.tax.histories import histories

from trimtab.domain.errors import InputError
from trimtab.domain.history import TaxAccount, Transaction, TransactionKind, WashRule
from trimtab.domain.policy import PurchaseRule
from trimtab.domain.values import AccountKind
from trimtab.rules.tax.ledger import Ledger
from trimtab.rules.tax.preview import PURCHASES, preview_purchase, preview_sale
from trimtab.rules.tax.schedule import purchases_due

ACCOUNTS = {
    "taxable": TaxAccount(id="taxable", owner="anna"),
    "ira": TaxAccount(id="ira", owner="anna", kind=AccountKind.TRADITIONAL_IRA),
}
MARCH = dt.date(2026, 3, 2)


def ledger_of(case):
    return Ledger(case.accounts, case.rule, case.rates)


def state_of(ledger):
    groups = {
        key: (
            [(piece.lot.id, piece.quantity, piece.basis) for piece in group.available],
            [(loss.row.id, loss.quantity, loss.loss) for loss in group.waiting],
        )
        for key, group in ledger._groups.items()
    }
    return ledger.lots(), ledger.sales(), ledger.matches(), groups


@given(histories(parts_move=True))
@settings(max_examples=150)
def test_the_preview_of_a_trade_is_what_the_ledger_says_once_it_has_happened(case):
    ledger = ledger_of(case)
    for transaction in case.transactions:
        rows, matches = ledger.sales(), ledger.matches()
        if transaction.kind is TransactionKind.SELL:
            before = state_of(ledger)
            pieces = preview_sale(ledger, transaction)
            assert state_of(ledger) == before
            ledger.apply(transaction)
            assert tuple(piece.row for piece in pieces) == ledger.sales()[len(rows) :]
            found = tuple(match for piece in pieces for match in piece.matches)
            assert found == ledger.matches()[len(matches) :]
        elif transaction.kind in PURCHASES:
            before = state_of(ledger)
            washed = preview_purchase(ledger, transaction)
            assert state_of(ledger) == before
            ledger.apply(transaction)
            assert washed == ledger.matches()[len(matches) :]
        else:
            ledger.apply(transaction)


def test_what_waits_of_a_previewed_loss_is_what_nothing_has_replaced():
    ledger = Ledger(ACCOUNTS, WashRule())
    ledger.extend(
        [
            buy("old", "10", "100", MARCH - dt.timedelta(days=400)),
            buy("new", "4", "90", MARCH - dt.timedelta(days=3), account="ira"),
        ]
    )
    (piece,) = preview_sale(ledger, sell("s", "10", "80", MARCH))
    assert piece.loss == Decimal(200)
    assert piece.waiting == Decimal(6)
    assert (piece.row.disallowed, piece.row.permanent) == (Decimal(80), Decimal(80))


def test_a_gain_has_no_loss_that_waits():
    ledger = Ledger(ACCOUNTS, WashRule())
    ledger.apply(buy("old", "10", "100", MARCH))
    (piece,) = preview_sale(ledger, sell("s", "10", "120", MARCH))
    assert (piece.loss, piece.waiting, piece.matches) == (Decimal(0), Decimal(0), ())


@pytest.mark.parametrize(
    ("proposed", "words"),
    [
        pytest.param({"account": "401k"}, "no account is called", id="an unknown account"),
        pytest.param({"quantity": Decimal(0)}, "above 0", id="nothing"),
        pytest.param({"quantity": Decimal(11)}, "which holds 10", id="more than is held"),
        pytest.param({"symbol": "BND"}, "which holds 0", id="what was never held"),
        pytest.param({"date": MARCH - dt.timedelta(days=1)}, "reach to 2026-03-02", id="yesterday"),
    ],
)
def test_what_the_ledger_would_refuse_is_refused_in_the_preview(proposed, words):
    ledger = Ledger(ACCOUNTS, WashRule())
    ledger.apply(buy("old", "10", "100", MARCH))
    with pytest.raises(InputError, match=words):
        preview_sale(ledger, replace(sell("s", "10", "80", MARCH), **proposed))


def test_a_purchase_under_the_id_of_a_lot_that_is_held_is_refused():
    ledger = Ledger(ACCOUNTS, WashRule())
    ledger.apply(buy("old", "10", "100", MARCH))
    with pytest.raises(InputError, match="holds a lot 'old' already"):
        preview_purchase(ledger, buy("old", "1", "100", MARCH))


# ------------------------------------------------------------------ schedule


def test_what_is_bought_on_the_31st_is_bought_on_the_last_day_of_a_shorter_month():
    rule = plan("month", dt.date(2027, 10, 31))
    days = days_of(rule, dt.date(2027, 9, 1), dt.date(2028, 3, 31))
    assert days == [
        *("2027-10-31", "2027-11-30", "2027-12-31"),
        *("2028-01-31", "2028-02-29", "2028-03-31"),
    ]


@pytest.mark.parametrize(
    ("every", "days"),
    [
        pytest.param("once", ["2028-02-29"], id="once"),
        pytest.param("two_weeks", ["2028-02-29", "2028-03-14"], id="every two weeks"),
        pytest.param("quarter", ["2028-02-29"], id="a quarter"),
    ],
)
def test_a_plan_buys_on_its_first_day_and_then_by_its_rhythm(every, days):
    rule = plan(every, dt.date(2028, 2, 29))
    assert days_of(rule, dt.date(2028, 2, 1), dt.date(2028, 3, 20)) == days


def test_a_yearly_plan_of_29_february_buys_on_the_28th_of_other_years():
    rule = plan("year", dt.date(2028, 2, 29))
    days = days_of(rule, dt.date(2028, 3, 1), dt.date(2032, 2, 29))
    assert days == ["2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"]


def test_the_day_after_which_one_asks_does_not_count_and_the_last_one_does():
    rule = plan("week", MARCH)
    assert days_of(rule, MARCH, MARCH + dt.timedelta(days=7)) == ["2026-03-09"]


def test_a_purchase_named_for_a_weekend_is_made_by_monday():
    (due,) = purchases_due(
        [plan("once", dt.date(2026, 3, 7))], dt.date(2026, 3, 1), dt.date(2026, 3, 31)
    )
    assert due.bought_by == dt.date(2026, 3, 9)


@given(
    st.sampled_from(("once", "week", "two_weeks", "month", "quarter", "year")),
    st.dates(dt.date(2020, 1, 1), dt.date(2030, 12, 31)),
    st.dates(dt.date(2019, 1, 1), dt.date(2031, 12, 31)),
    st.integers(0, 900),
)
def test_asked_day_by_day_a_plan_buys_on_the_same_days_as_asked_at_once(every, first, after, span):
    rule, until = plan(every, first), after + dt.timedelta(days=span)
    at_once = days_of(rule, after, until)
    middle = after + dt.timedelta(days=span // 2)
    assert at_once == days_of(rule, after, middle) + days_of(rule, middle, until)
    assert at_once == [day for day in days_of(rule, dt.date(2018, 1, 1), until) if day > f"{after}"]


def plan(every, first):
    return PurchaseRule(account="ira", symbol="VTI", first=first, every=every)


def days_of(rule, after, until):
    return [f"{one.date}" for one in purchases_due([rule], after, until)]


def buy(lot, quantity, price, on, account="taxable", symbol="VTI"):
    return Transaction(
        id=lot,
        date=on,
        account=account,
        kind=TransactionKind.BUY,
        symbol=symbol,
        quantity=Decimal(quantity),
        amount=Decimal(quantity) * Decimal(price),
    )


def sell(name, quantity, price, on, account="taxable", symbol="VTI"):
    return replace(
        buy(name, quantity, price, on, account, symbol), kind=TransactionKind.SELL, method="fifo"
    )
