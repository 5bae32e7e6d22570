"""Exact amounts, their rounding, and the one crossing between Decimal and float64.

Money, prices and quantities are `Decimal`; statistics are `float64`. Only this module turns one
into the other, so that a binary fraction never reaches an order, a lot or a band test.
"""

from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_HALF_UP, Context, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Money = Decimal
Price = Decimal
Quantity = Decimal
Weight = Decimal

ZERO = Decimal(0)
ONE = Decimal(1)
CENT = Decimal("0.01")
BASIS_POINT = Decimal("0.0001")
GRAIN = Decimal("0.0000000001")
"""The finest part of a unit of money that a basis is split into (1e-10)."""
SHARE_GRAIN = Decimal("0.00000001")
"""The finest part of a share or coin that is kept (1e-8, one satoshi)."""

TAX_GRAIN = Decimal("1E-18")
"""The finest part of a unit of money that the tax ledger splits a basis into."""
DUST = Decimal("1E-9")
"""Less money than this is what dividing leaves over, and no gain and no loss."""
EXACT = Context(prec=60)
"""The precision in which the tax ledger counts: no sum or product of its amounts is ever rounded.

Enter it with `decimal.localcontext(EXACT)`.
"""


def to_cents(amount: Money) -> Money:
    """*amount* rounded half up to the cent; for printed rows and broker bookings only."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def round_to_step(quantity: Quantity, step: Quantity) -> Quantity:
    """*quantity* rounded toward zero to a whole multiple of *step*.

    Examples:
        >>> round_to_step(Decimal("7.99"), Decimal(1))
        Decimal('7')
        >>> round_to_step(Decimal("0.123456789"), Decimal("0.0001"))
        Decimal('0.1234')
    """
    assert step > 0, "a quantity step is positive"
    return (quantity / step).to_integral_value(rounding=ROUND_DOWN) * step


def round_up_to_step(quantity: Quantity, step: Quantity) -> Quantity:
    """*quantity* (not negative) rounded up to a whole multiple of *step*."""
    assert step > 0, "a quantity step is positive"
    return (quantity / step).to_integral_value(rounding=ROUND_CEILING) * step


def share_of(amount: Money, part: Quantity, whole: Quantity) -> Money:
    """The part of *amount* that belongs to *part* of *whole*, to 1e-10 and never beyond it.

    Split an amount with `piece = share_of(amount, part, whole)` and `rest = amount - piece`: the
    two pieces add up exactly, so that no cent is lost however often a lot is split.

    Examples:
        >>> share_of(Decimal(100), Decimal(1), Decimal(3))
        Decimal('33.3333333333')
    """
    if part == whole:
        return amount
    return (amount * part / whole).quantize(GRAIN, rounding=ROUND_DOWN)


def exact_share(amount: Money, part: Quantity, whole: Quantity) -> Money:
    """The part of *amount* that belongs to *part* of *whole*, to 1e-18; as `share_of` otherwise.

    Counts in the context of the caller, which is `EXACT` in the tax ledger.
    """
    if part == whole:
        return amount
    return (amount * part / whole).quantize(TAX_GRAIN, rounding=ROUND_DOWN).normalize()


def split_quantity(quantity: Quantity, numerator: int, denominator: int) -> Quantity:
    """What *quantity* becomes in a *numerator*-for-*denominator* split, down to 1e-8."""
    return (
        (quantity * numerator / denominator).quantize(SHARE_GRAIN, rounding=ROUND_DOWN).normalize()
    )


def to_float(amount: Decimal) -> float:
    """*amount* as the nearest float64, for statistics."""
    return float(amount)


def to_decimal(number: float, places: int = 10) -> Decimal:
    """*number* as a Decimal rounded half up to *places* decimals.

    Raises:
        AssertionError: *number* is not finite; a caller must refuse such data by name before.
    """
    amount = Decimal(repr(float(number)))
    assert amount.is_finite(), "only finite numbers cross into Decimal"
    return amount.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def to_array(amounts: Sequence[Decimal] | Iterable[Decimal]) -> "NDArray[np.float64]":
    """*amounts* as a one-dimensional float64 array."""
    import numpy as np  # noqa: PLC0415  start-up stays light: numpy loads with the first statistic

    return np.asarray([float(amount) for amount in amounts], dtype=np.float64)
