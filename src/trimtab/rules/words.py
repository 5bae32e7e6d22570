"""Figures as people read them, for the sentences that explain a decision."""

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal

from trimtab.domain.numbers import Money, Quantity, Weight

_UNIT_DECIMALS = 8
"""Those of a satoshi; no broker writes more."""
_CENT = Decimal("0.01")
_HUNDRED = Decimal(100)
_QUANTA = tuple(Decimal(1).scaleb(-places) for places in range(_UNIT_DECIMALS + 1))


def money(amount: Money, currency: str = "USD") -> str:
    """*amount* in whole cents with thousands separators: `1,234.50 USD`."""
    return f"{amount.quantize(_CENT, rounding=ROUND_HALF_UP):,} {currency}"


def percent(weight: Weight, places: int = 1) -> str:
    """A fraction as a percentage: 0.125 is `12.5 %`."""
    return f"{_hundredths(weight, places)} %"


def points(weight: Weight, places: int = 1) -> str:
    """A difference of two weights in percentage points: 0.021 is `2.1 points`."""
    return f"{_hundredths(weight, places)} points"


def units(quantity: Quantity) -> str:
    """A quantity without trailing zeros, to eight decimals at most: `12`, `0.0375`."""
    text = f"{round(quantity, _UNIT_DECIMALS):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def instant(at: dt.datetime) -> str:
    """An instant as `2026-03-09 14:30 UTC`."""
    return f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"


def listing(words: list[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`; *last* is the word before the last one."""
    if len(words) < 2:  # noqa: PLR2004  one word needs no "and"
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def _hundredths(weight: Weight, places: int) -> Decimal:
    """A fraction times a hundred, rounded half up; never minus zero."""
    rounded = (weight * _HUNDRED).quantize(_QUANTA[places], rounding=ROUND_HALF_UP)
    return rounded or abs(rounded)
