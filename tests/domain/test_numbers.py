"""Exact amounts: what rounding keeps, and the one crossing into floats."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.domain.numbers import (
    ZERO,
    round_to_step,
    round_up_to_step,
    share_of,
    split_quantity,
    to_array,
    to_cents,
    to_decimal,
    to_float,
)

quantities = st.integers(0, 10**12).map(lambda number: Decimal(number) / 10**6)
steps = st.sampled_from(["1", "0.001", "0.00000001", "0.25", "10"]).map(Decimal)


@given(quantities, steps)
def test_a_quantity_is_rounded_to_whole_steps_and_by_less_than_one(quantity, step):
    down, up = round_to_step(quantity, step), round_up_to_step(quantity, step)
    assert down % step == up % step == 0
    assert down <= quantity <= up
    assert quantity - down < step
    assert up - quantity < step


def test_a_negative_quantity_is_rounded_toward_zero():
    assert round_to_step(Decimal("-7.9"), Decimal(1)) == -7


def test_a_step_that_is_not_positive_is_a_bug():
    with pytest.raises(AssertionError, match="positive"):
        round_to_step(Decimal(1), ZERO)


@given(
    st.integers(0, 10**18).map(lambda number: Decimal(number) / 10**13),
    st.lists(st.integers(1, 10**6), min_size=1, max_size=6),
)
def test_an_amount_that_is_split_again_and_again_loses_no_digit(amount, parts):
    left, whole, pieces = amount, Decimal(sum(parts)), []
    for part in parts:
        piece = share_of(left, Decimal(part), whole)
        pieces.append(piece)
        left, whole = left - piece, whole - part
    assert left == 0
    assert sum(pieces, ZERO) == amount
    assert all(piece >= 0 for piece in pieces)


@given(quantities, st.integers(1, 50), st.integers(1, 50))
def test_a_split_gives_no_more_than_the_ratio_and_less_by_under_a_satoshi(
    quantity, numerator, denominator
):
    exact = Fraction(quantity) * numerator / denominator
    assert (
        0 <= exact - Fraction(split_quantity(quantity, numerator, denominator)) < Fraction(1, 10**8)
    )


@pytest.mark.parametrize(
    ("amount", "cents"), [("0.005", "0.01"), ("-0.005", "-0.01"), ("2.675", "2.68"), ("1", "1.00")]
)
def test_half_a_cent_is_rounded_away_from_zero(amount, cents):
    assert to_cents(Decimal(amount)) == Decimal(cents)


@given(st.integers(-(10**15), 10**15).map(lambda number: Decimal(number) / 10**6))
def test_a_float_comes_back_as_the_decimal_that_it_was_made_from(amount):
    assert to_decimal(to_float(amount), places=6) == amount.quantize(Decimal("0.000001"))


def test_what_is_not_finite_never_crosses_into_decimal():
    for number in (float("nan"), float("inf")):
        with pytest.raises(AssertionError, match="finite"):
            to_decimal(number)


def test_amounts_become_a_row_of_float64():
    row = to_array(Decimal(text) for text in ("0.1", "2"))
    assert row.dtype == np.float64
    assert row.tolist() == [0.1, 2.0]
