"""What a strategy sees, what it answers, and what it must be."""

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from trimtab.domain.aim import Layer
from trimtab.domain.numbers import ZERO, Money, Weight
from trimtab.domain.yield_facts import BillRate

Floats = NDArray[np.float64]


class Past(NamedTuple):
    """Total returns that are over: `sessions` (T,), oldest first, and simple `returns` (T, C).

    A column a class, in the order of `View.classes`: what its first member returned since its last
    price, in the base currency, and not a number where it has no price. So a return over several
    sessions stands in the first after them, and belongs to the day on which it is known. Cash has
    zeros. `doubt` says why nothing is known, where that is so.
    """

    sessions: tuple[dt.date, ...]
    returns: Floats
    doubt: str = ""

    def until(self, day: dt.date) -> "Past":
        """What was over on *day*."""
        count = sum(1 for session in self.sessions if session <= day)
        return Past(self.sessions[:count], self.returns[:count], self.doubt)

    def last(self, count: int) -> "Past":
        """The last *count* sessions at most."""
        first = max(0, len(self.sessions) - count)
        return Past(self.sessions[first:], self.returns[first:], self.doubt)


class Savings(NamedTuple):
    """Money in the base currency: what the targets divide, and what stands beside it.

    `held` is what of each class there is; `kept` what is owned and not divided: the cash of
    reserves and of withdrawals, symbols of no class, dollars in a wallet that can buy nothing
    there; `reserve` what the operating reserve should be, None without one; `flow` what came in
    since the last look (out: negative) and `due` what [[withdrawals]] take out within the days
    for which the plan provides. It is still a part of the rest. `short` is the part of `value` that
    has to be raised for what is due, so that the targets will not divide it.
    """

    value: Money
    held: Mapping[str, Money] = {}
    kept: Money = ZERO
    reserve: Money | None = None
    flow: Money = ZERO
    due: Money = ZERO
    short: Money = ZERO


class View(NamedTuple):
    """All that a strategy may know on `today`; nothing in it is later than that.

    `base` are the weights of the layer before, or the household's own targets. `savings` is the
    money there is. `safe` names the safe classes and `cash` the one of cash, None without one.
    `band` is the half-width of every class's band around its base weight. `state` is what the
    strategy asked to be remembered, `last` its weights of the time before, both empty at first.
    `is_due` is false between two estimates. `rearmed` is when the owner last re-armed the strategy.
    `bills` is what bills pay, where a strategy of the household needs to know and the household
    tells. `currency` is the one in which everything is counted.
    """

    today: dt.date
    classes: tuple[str, ...]
    base: Mapping[str, Weight]
    savings: "Savings"
    past: Past
    safe: frozenset[str]
    cash: str | None
    band: Mapping[str, Weight]
    state: Mapping[str, str]
    last: Mapping[str, Weight]
    is_due: bool
    rearmed: dt.datetime | None = None
    bills: BillRate | None = None
    currency: str = "USD"


class Strategy(Protocol):
    """Wants weights for the classes of a household, from nothing but what it is shown.

    It is a pure function: the same view, the same answer. Its weights are none below zero, add up
    to one, and follow the classes when these are given in another order.
    """

    @property
    def name(self) -> str:
        """What a layer of the policy calls it."""
        ...

    @property
    def sessions(self) -> int:
        """How many past sessions it asks for, at most."""
        ...

    @property
    def watches(self) -> bool:
        """Whether it is asked at every look, not only when an estimate is due."""
        ...

    def wants(self, view: View) -> Layer:
        """The weights to aim at, and why.

        Raises:
            DataSuspect: the past shown is not enough for an answer; the weights stay.
        """
        ...
