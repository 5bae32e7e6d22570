"""Lots: how long they were held, which go first, and where every cent of a sale goes."""

import datetime as dt
from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.houses import START, lot

from trimtab.domain.numbers import ZERO
from trimtab.domain.policy import LotMethod, TaxRule
from trimtab.domain.trades import Fill, LotPick, Side, Term
from trimtab.domain.values import Lot
from trimtab.rules.tax.lots import (
    book_sale,
    is_long_term,
    long_term_from,
    picks_of,
    selling_order,
    term_of,
    unit_tax,
)

TODAY = dt.date(2026, 3, 9)
TAX = TaxRule(
    filing_status="single", short_term_rate=Decimal("0.30"), long_term_rate=Decimal("0.15")
)
quantities = st.integers(1, 10**9).map(lambda number: Decimal(number) / 10**4)
amounts = st.integers(0, 10**10).map(lambda number: Decimal(number) / 100)


@pytest.mark.parametrize(
    ("since", "first_long_day"),
    [
        pytest.param("2024-03-04", "2025-03-05", id="the anniversary itself is still short"),
        pytest.param("2023-02-28", "2024-03-01", id="29 February after a year is still short"),
        pytest.param("2024-02-29", "2025-03-01", id="bought on 29 February"),
        pytest.param("2024-02-28", "2025-03-01", id="the period begins on 29 February"),
        pytest.param("2024-12-31", "2026-01-01", id="over two year ends"),
        pytest.param("2023-03-01", "2024-03-02", id="366 days in a leap year"),
    ],
)
def test_the_holding_period_is_a_calendar_year_and_a_day(since, first_long_day):
    acquired, first = dt.date.fromisoformat(since), dt.date.fromisoformat(first_long_day)
    assert long_term_from(acquired) == first
    assert not is_long_term(acquired, first - dt.timedelta(days=1))
    assert is_long_term(acquired, first)
    assert term_of(acquired, first) is Term.LONG


@given(st.dates(dt.date(1950, 1, 1), dt.date(2100, 1, 1)))
def test_a_holding_period_is_never_counted_in_365_days(acquired):
    days = (long_term_from(acquired) - acquired).days
    assert days in {366, 367}
    assert long_term_from(acquired) <= long_term_from(acquired + dt.timedelta(days=1))


def test_the_cheapest_tax_can_be_a_dear_old_lot_and_highest_cost_a_dearer_choice():
    """Selling one share at 100: HIFO takes the smaller gain and pays more tax."""
    short, long = lot("t", "VTI", "1", "70", "2026-01-05"), lot("t", "VTI", "1", "60", "2020-01-06")
    order = {
        method: [
            one.id
            for one in selling_order([long, short], method, price=Decimal(100), on=TODAY, tax=TAX)
        ]
        for method in ("hifo", "min_tax")
    }
    assert unit_tax(short, Decimal(100), TODAY, TAX) == 9
    assert unit_tax(long, Decimal(100), TODAY, TAX) == 6
    assert order == {"hifo": [short.id, long.id], "min_tax": [long.id, short.id]}


def test_lots_are_ordered_as_the_method_says_and_named_lots_as_they_are_named():
    old, mid, new = (
        lot("t", "VTI", "1", cost, day, name)
        for cost, day, name in [
            ("80", "2020-01-06", "old"),
            ("95", "2023-01-05", "mid"),
            ("85", "2025-12-01", "new"),
        ]
    )
    order = {
        method: [
            one.id
            for one in selling_order(
                [new, old, mid],
                method,
                price=Decimal(100),
                on=TODAY,
                tax=None,
                specified=("new", "gone", "old"),
            )
        ]
        for method in get_args(LotMethod)
    }
    assert order == {
        "fifo": ["old", "mid", "new"],
        "lifo": ["new", "mid", "old"],
        "hifo": ["mid", "new", "old"],
        "min_tax": ["old", "mid", "new"],
        "specified": ["new", "old"],
    }


@given(st.permutations([("a", "2024-01-02"), ("b", "2024-01-02"), ("c", "2023-01-03")]))
def test_ties_go_to_the_earlier_lot_whatever_order_they_come_in(named):
    lots = [lot("t", "VTI", "1", "90", day, name) for name, day in named]
    for method in get_args(LotMethod):
        ordered = selling_order(
            lots, method, price=Decimal(100), on=TODAY, tax=TAX, specified=("c", "a", "b")
        )
        expected = ["a", "b", "c"] if method == "lifo" else ["c", "a", "b"]
        assert [one.id for one in ordered] == expected


def test_picks_stop_when_enough_units_are_named():
    lots = [
        lot("t", "VTI", "2", "1", "2024-01-02", "a"),
        lot("t", "VTI", "5", "1", "2024-01-03", "b"),
    ]
    assert picks_of(lots, Decimal(3)) == (
        LotPick(lot_id="a", quantity=Decimal(2)),
        LotPick(lot_id="b", quantity=Decimal(1)),
    )
    assert picks_of(lots, ZERO) == ()


@st.composite
def sales(draw: st.DrawFn) -> tuple[Fill, list[Lot]]:
    """A fill of some or all of one to five lots."""
    lots = [
        lot("t", "VTI", str(draw(quantities)), str(draw(amounts)), "2024-01-02", f"l{number}")
        for number in range(draw(st.integers(1, 5)))
    ]
    held = sum((one.quantity for one in lots), ZERO)
    part = draw(st.integers(1, 100))
    quantity = held if part == 100 else (held * part / 100).quantize(Decimal("0.0001"))
    return _fill(max(quantity, Decimal("0.0001")), draw(amounts), draw(amounts) / 1000), lots


@given(sales())
def test_proceeds_and_quantity_of_a_sale_add_up_to_the_fill_to_the_last_digit(sale):
    fill, lots = sale
    disposals = _book(fill, lots)
    assert sum((one.proceeds for one in disposals), ZERO) == fill.quantity * fill.price - fill.fee
    assert sum((one.quantity for one in disposals), ZERO) == fill.quantity


@given(sales())
def test_the_basis_that_leaves_and_the_basis_that_stays_are_the_whole_basis(sale):
    fill, lots = sale
    by_id = {one.id: one for one in lots}
    for disposal in _book(fill, lots):
        of = by_id[disposal.lot_id]
        left = of.basis - disposal.basis
        assert ZERO <= disposal.basis <= of.basis
        assert (disposal.quantity == of.quantity) <= (left == 0)
        assert abs(disposal.basis - of.unit_cost * disposal.quantity) <= Decimal("1e-9")


@given(sales())
def test_picks_beyond_what_is_held_are_cut_and_the_shortage_shows(sale):
    fill, lots = sale
    picks = [LotPick(lot_id="gone", quantity=Decimal(1)), *picks_of(lots, fill.quantity)]
    doubled = [*picks, *picks]
    disposals = book_sale(
        fill, fill.quantity * 2, doubled, {one.id: one for one in lots}, is_taxed=True
    )
    held = sum((one.quantity for one in lots), ZERO)
    sold = sum((one.quantity for one in disposals), ZERO)
    assert sold <= held
    assert len({one.lot_id for one in disposals}) == len(disposals)


def test_a_sale_is_dated_in_new_york():
    late = _fill(Decimal(1), Decimal(10), ZERO, at=dt.datetime(2026, 1, 1, 2, 0, tzinfo=dt.UTC))
    (disposal,) = _book(late, [lot("t", "VTI", "1", "9", "2024-01-02", "l0")])
    assert disposal.sold == dt.date(2025, 12, 31)
    assert disposal.gain == 1


def _fill(quantity: Decimal, price: Decimal, fee: Decimal, at: dt.datetime = START) -> Fill:
    return Fill(
        id="f1",
        account="t",
        order_id="o1",
        symbol="VTI",
        side=Side.SELL,
        quantity=quantity,
        price=price,
        fee=fee,
        at=at,
        settles_on=at.date() + dt.timedelta(days=1),
    )


def _book(fill: Fill, lots: list[Lot]):
    picks = picks_of(lots, fill.quantity)
    return book_sale(fill, fill.quantity, picks, {one.id: one for one in lots}, is_taxed=True)
