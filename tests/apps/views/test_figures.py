from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.apps.views.figures import band_bar, cents, digits, offset, price_text, typed
from trimtab.apps.views.page import Column, Table, fitted, rows_of
from trimtab.rules.drift import is_breached

D = Decimal


@pytest.mark.parametrize(
    ("drift", "half", "is_out", "bar"),
    [
        ("0", "0.05", False, "|----[----o----]----|"),
        ("0.02", "0.05", False, "|----[----+-o--]----|"),
        ("-0.02", "0.05", False, "|----[--o-+----]----|"),
        ("0.049999", "0.05", False, "|----[----+---o]----|"),
        ("0.05", "0.05", True, "|----[----+----]o---|"),
        ("-0.05", "0.05", True, "|---o[----+----]----|"),
        ("0.20", "0.05", True, "|----[----+----]--->|"),
        ("-0.20", "0.05", True, "|<---[----+----]----|"),
        ("0", "0", False, "|----[----o----]----|"),
        ("0.01", "0", True, "|----[----+----]--->|"),
    ],
)
def test_a_band_is_drawn_with_target_triggers_and_where_the_class_is(drift, half, is_out, bar):
    assert band_bar(D(drift), D(half), is_breached=is_out) == bar


@given(
    value=st.decimals(0, 1000, places=2),
    target=st.decimals("0.01", 1, places=2),
    half=st.decimals("0.01", "0.2", places=3),
)
def test_a_class_is_drawn_outside_its_triggers_exactly_when_it_has_breached(value, target, half):
    out = is_breached(value, D(1000), target, half)
    bar = band_bar(value / 1000 - target, half, is_breached=out)
    inside = bar[bar.index("[") : bar.index("]")]
    assert len(bar) == 21
    assert ("o" in inside) is not out


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("1234.505", "1,234.51"), ("-0.004", "0.00"), ("-1234.5", "-1,234.50"), ("0", "0.00")],
)
def test_money_in_a_cell_has_whole_cents_and_no_negative_zero(amount, shown):
    assert cents(D(amount)) == shown


@pytest.mark.parametrize(
    ("price", "shown"), [("291", "291.00"), ("338.982201", "338.9822"), ("0.0123456", "0.012346")]
)
def test_a_price_has_two_to_four_decimals_and_six_below_one(price, shown):
    assert price_text(D(price)) == shown


def test_a_drift_has_its_sign_and_none_is_negative_zero():
    assert (offset(D("0.021")), offset(D("-0.0001")), offset(D("-0.05"))) == (
        "+2.1",
        "+0.0",
        "-5.0",
    )


def test_digits_have_no_exponent():
    assert digits(D("1E+3")) == "1000"


def test_what_to_type_names_a_folder_that_is_not_the_current_one():
    assert typed("plan", ".") == "`trimtab plan`"
    assert typed("plan", "my savings") == "`trimtab plan --folder 'my savings'`"


def test_a_table_that_is_too_wide_leaves_out_its_spare_columns_first():
    table = Table(
        (Column("name"), Column("long", spare=1), Column("longer", spare=2)),
        rows_of([("a", "b" * 10, "c" * 20)]),
    )
    assert fitted(table, 100, 2) == (table, ())
    narrow, left_out = fitted(table, 20, 2)
    assert left_out == ("longer",)
    assert [column.title for column in narrow.columns] == ["name", "long"]
    assert fitted(table, 1, 2)[1] == ("longer", "long")
