"""The household's planning problem as arrays: what `solve` makes least, and what it must keep.

Amounts are float64 money of the base currency at the middle price, so that a dollar sold or bought
is a dollar of drift. The variables are the dollars sold of each lot and bought by each option.
Minimize

    year(S, L) + sum(sold * (lots.cost + lots.extra)) + sum(bought * options.cost)
      + sum(classes.weight * max(0, |held - sold + bought - goal| - tolerance)), cash alike
      + order_cost * orders

where `S` and `L` are the short and long gains realized, `sum(sold * lots.gain)`, and an order is a
place sold or bought. Each account's cash, `cash + sum(sold * lots.cash) - sum(bought *
options.cash)`, may not end below zero, and no more than `turnover_most` is sold. Three either/or
rules are exact: of one identical group, the household either sells at a loss or buys; in one
account it is sold or bought, not both; and what is traded of one symbol in one account is nothing,
the whole, or at least the least trade. What is bought of a symbol, less what is sold of it, may not
pass its `options.most`.
"""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


class YearTax(Struct, frozen=True):
    """The year's tax as a function of the gains that the plan adds: the least of convex branches.

    Each branch is an array (k, 3) of planes `a + s*S + l*L`; its value is their maximum. One plane
    is a tax with constant rates; the netting of 26 USC 1222 and 1211 needs two branches, since a
    loss saves the long-term rate as long as it offsets long-term gains, and the ordinary rate then.
    """

    branches: tuple[Floats, ...]

    def at(self, short: float, long: float) -> float:
        """The tax when *short* and *long* are the gains that the plan realizes."""
        return min(
            float(np.max(planes[:, 0] + planes[:, 1] * short + planes[:, 2] * long))
            for planes in self.branches
        )


class Classes(Struct, frozen=True, kw_only=True):
    """Of each class (C,): dollars held now, wanted and forgiven, and the price of one beyond."""

    held: Floats
    goal: Floats
    tolerance: Floats
    weight: Floats


class Groups(Struct, frozen=True, kw_only=True):
    """Of each identical group (G,): its class.

    A household's group that spans two classes is told once for each, with one number in `twin`.
    """

    of_class: Ints
    twin: Ints


class Places(Struct, frozen=True, kw_only=True):
    """Of each place (P,), a symbol in an account: where it is, and how its broker books sales.

    `symbol` numbers the symbols. `is_ordered` where lots are booked in the order in which they
    stand. `sell_least` is the least sale in dollars, unless the whole holding is sold, which its
    lots are where `is_all`: elsewhere some of it must stay, and no sale is exempt.
    """

    account: Ints
    symbol: Ints
    group: Ints
    is_ordered: Flags
    sell_least: Floats
    is_all: Flags


class Lots(Struct, frozen=True, kw_only=True):
    """Of each lot (L,): its place, its dollars, and per dollar sold: gain, cost, cash brought.

    Lots of one place stand together. `is_loss` where section 1091 reaches a loss; `is_recent`
    where the units were bought within the window: a loss of the group may be taken only if every
    recent lot of it is sold whole too. `goes_alone` is a recent lot that is the group's only
    purchase: what is left of it is no replacement of what is sold (Rev. Rul. 56-602). `extra` is
    tax beside the year's: what a loss costs later.
    """

    place: Ints
    value: Floats
    gain: Floats
    is_long: Flags
    is_taxed: Flags
    is_loss: Flags
    is_recent: Flags
    goes_alone: Flags
    cost: Floats
    extra: Floats
    cash: Floats


class Options(Struct, frozen=True, kw_only=True):
    """Of each option to buy (J,): its place, its limits in dollars, and per dollar cost and cash.

    `most` bounds what is bought of the place's symbol in all accounts together, beyond what is sold
    of it. Where it is negative, so much must be sold before any of it is bought.
    """

    place: Ints
    cost: Floats
    cash: Floats
    least: Floats
    most: Floats


class Problem(Struct, frozen=True, kw_only=True):
    """A household's planning problem; `value` is what the targets divide.

    `cash` (A,) is what each account may spend, negative where cash must be raised. The cash of the
    accounts `in_total` is a class of its own: `in_cash` has one element in each of its arrays.
    """

    cash: Floats
    in_total: Flags
    in_cash: Classes
    classes: Classes
    groups: Groups
    places: Places
    lots: Lots
    options: Options
    year: YearTax
    value: float
    order_cost: float = 0.0
    turnover_most: float = float("inf")


class Solution(Struct, frozen=True, kw_only=True):
    """What to sell of each lot (L,) and to buy by each option (J,), in dollars, with the proof.

    `objective` is what the amounts cost, and `bound` what every solution costs at least. `lacking`
    (A,) is the cash that cannot be raised, zero in a feasible solution; where some is lacking the
    amounts come as near as can be.
    """

    sold: Floats
    bought: Floats
    objective: float
    bound: float
    lacking: Floats


def floats(values: Sequence[float]) -> Floats:
    """*values* as an array."""
    return np.asarray(values, dtype=np.float64)


def ints(values: Sequence[int]) -> Ints:
    """*values* as an array."""
    return np.asarray(values, dtype=np.int64)


def flags(values: Sequence[bool]) -> Flags:
    """*values* as an array."""
    return np.asarray(values, dtype=np.bool_)
