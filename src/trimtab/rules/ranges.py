"""What a float64 figure has to be before a formula takes it, and the one sentence if it is not."""

import math
from typing import NamedTuple

from trimtab.domain.errors import InputError


class Figure(NamedTuple):
    """A number by the name that a reader knows, whether it may be used, and what may be."""

    name: str
    value: float
    is_allowed: bool
    wanted: str


def at_least_zero(name: str, value: float) -> Figure:
    """A figure that may not be negative."""
    return Figure(name, value, value >= 0, "a number that is not negative")


def above_zero(name: str, value: float) -> Figure:
    """A figure that has to be positive."""
    return Figure(name, value, value > 0, "a positive number")


def any_finite(name: str, value: float) -> Figure:
    """A figure that only has to be a finite number, as every one of them has."""
    return Figure(name, value, is_allowed=True, wanted="a finite number")


def require(*figures: Figure) -> None:
    """Refuse the *figures* that are not finite or not allowed, all of them in one sentence.

    Raises:
        InputError: there is such a figure.

    Examples:
        >>> require(above_zero("the volume", 0.0), at_least_zero("the fee", 0.0))
        Traceback (most recent call last):
        ...
        trimtab.domain.errors.InputError: the volume is 0; write a positive number
    """
    faults = [
        f"{figure.name} is {figure.value:g}; write {figure.wanted}"
        for figure in figures
        if not (figure.is_allowed and math.isfinite(figure.value))
    ]
    if faults:
        raise InputError(". ".join(faults))
