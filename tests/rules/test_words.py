"""Figures as people read them."""

import datetime as dt
from decimal import Decimal

import pytest

from trimtab.rules.words import instant, listing, money, percent, points, units


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        pytest.param("1234.5", "1,234.50 USD", id="whole cents, thousands separated"),
        pytest.param("0.005", "0.01 USD", id="half a cent is rounded up"),
        pytest.param("-12.344", "-12.34 USD", id="a loss keeps its sign"),
    ],
)
def test_money_is_read_in_cents(amount, text):
    assert money(Decimal(amount)) == text


def test_a_weight_is_read_as_a_percentage_and_never_as_minus_zero():
    assert percent(Decimal("0.125")) == "12.5 %"
    assert percent(Decimal("-0.00001")) == "0.0 %"
    assert percent(Decimal("0.12345"), 2) == "12.35 %"
    assert points(Decimal("-0.021")) == "-2.1 points"


@pytest.mark.parametrize(
    ("quantity", "text"),
    [
        ("12.000", "12"),
        ("0.03750", "0.0375"),
        ("1E+3", "1,000"),
        ("1E-8", "0.00000001"),
        ("1.666666666666666666666666667", "1.66666667"),
    ],
)
def test_units_are_read_without_trailing_zeros_or_exponents(quantity, text):
    assert units(Decimal(quantity)) == text


def test_an_instant_is_read_in_utc_whatever_zone_it_is_given_in():
    at = dt.datetime(2026, 3, 9, 10, 30, tzinfo=dt.timezone(dt.timedelta(hours=-4)))
    assert instant(at) == "2026-03-09 14:30 UTC"


def test_words_are_listed_with_an_and_before_the_last():
    assert [listing(["a", "b", "c"][:count]) for count in range(4)] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
