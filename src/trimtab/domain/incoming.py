"""Money that is invested little by little: what a household has set itself, and what it did."""

import datetime as dt
from typing import Annotated, Literal

from msgspec import Meta, Struct

from trimtab.domain.leaves import Amount, Growth, Identifier
from trimtab.domain.numbers import ZERO, Money, Weight

CAP_MULTIPLE = Weight(3)
"""The most that one period of value averaging may take, in contributions of that period.

Uncapped, the US market of 1999 to 2008 once asked for 44 contributions in one month, and half of
the ten-year paths since 1926 for more than ten. At 3 a month takes two more than are paid in, so
that a side fund of a year's twelve lasts through six such months.
"""


class AveragingRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of [[averaging]]: cash of an account that is invested little by little.

    By `parts`, `amount` is a lump that lies in the account and goes in by so many equal `parts`: of
    what is there when it begins, no more, and what is left of it is divided over the days to come.
    By `value`, each day brings what the account holds back to a path (Edleson 1993, 2006) that is
    made of contributions of `amount`; all cash of the account beyond its reserve is the side fund.
    `expected_return` and `growth`, of the contribution, are a year. `start` is what was held one
    period before `first`. Unless it `sells`, a value above the path is left alone. One period takes
    at most `cap_multiple` of its contribution; what that withholds is asked for again where it
    `carries_forward`, and given up where it does not.
    """

    account: Identifier
    by: Annotated[Literal["parts", "value"], Meta(extra={"example": '"parts"'})]
    amount: Amount
    first: dt.date
    every: Annotated[
        Literal["week", "two_weeks", "month", "quarter", "year"],
        Meta(extra={"example": '"month"'}),
    ] = "month"
    parts: Annotated[int, Meta(extra={"least": 1, "most": 1_200, "example": "12"})] | None = None
    path: Annotated[Literal["exact", "edleson"], Meta(extra={"example": '"exact"'})] = "exact"
    expected_return: Growth | None = None
    growth: Growth = ZERO
    start: Amount = ZERO
    sells: Annotated[bool, Meta(extra={"example": "true"})] = False
    cap_multiple: Annotated[Weight, Meta(extra={"least": 1, "most": 100, "example": "3"})] = (
        CAP_MULTIPLE
    )
    carries_forward: Annotated[bool, Meta(extra={"example": "true"})] = True


class LumpLeft(Struct, frozen=True, kw_only=True):
    """What is `left` to put in of a lump; `first` and `amount` are what its rule said then."""

    first: dt.date
    amount: Money
    left: Money


class PastContribution(Struct, frozen=True, kw_only=True):
    """What was put in for the obligation of `day`, on that day or later, and what was withheld.

    An obligation of nothing is also kept here once it is done, else it stays due. `lump` is what
    was left of a lump afterwards, None for a path (and in an older journal); where it is left with
    less before its next day, the last day is told once more with an amount of zero. `short` is what
    a path still asked for, under its cap, when its next day came; None where it was done before. A
    day that ended short settles nothing: the path asks for it anew, except for what was withheld
    where the rule gives that up.
    """

    day: dt.date
    amount: Money
    withheld: Money = ZERO
    lump: LumpLeft | None = None
    short: Money | None = None
