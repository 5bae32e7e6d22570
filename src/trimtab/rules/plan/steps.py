"""An order in whole steps, as rounding moves it."""

from typing import NamedTuple

from trimtab.domain.numbers import Money


class Order(NamedTuple):
    """One place and side, in steps: what a step is worth, and how many there may be.

    `worth` is what a step adds to its class, negative for a sale; `cash` what it adds to the cash
    of its account as the targets count it, `unit` to what its account may spend; `cost` is all it
    costs but tax. Between zero and `least` only `whole` steps may be traded. `is_further` where the
    amounts had none of it.
    """

    account: int
    of_class: int
    symbol: int
    worth: float
    cash: float
    unit: Money
    cost: float
    steps: int
    low: int
    least: int
    most: int
    whole: int
    is_further: bool = False
