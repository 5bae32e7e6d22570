"""What cash could earn, as the household tells it, and the Treasury's par curve of a day.

Yields are facts of the world, not rules. One decision reads them: a floor of CPPI that grows at the
bill rate, where the policy writes none.
"""

import datetime as dt
from typing import Annotated, Literal

from msgspec import Meta, Struct

from trimtab.domain.leaves import Fraction, Growth, Identifier, Symbol, Text
from trimtab.domain.numbers import Weight

YieldKind = Literal["treasury", "muni", "bank", "money_market", "corporate", "defi"]


class RateRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of [[yields.rates]]: what something pays, as its owner saw it on the day `as_of`.

    `rate` is what a year brings before tax, interest on interest included (an annual percentage
    yield); `kind` decides how it is taxed. `risk` is the owner's own label. `symbol` says which
    member of a class it is, `accounts` where it can be held (none: wherever it fits), and
    `term_months` for how long the money is bound. `state_free` is the part of the income without
    state tax, where that is not what the kind implies: 1 for a bond of the own state.
    """

    name: Annotated[Text, Meta(extra={"example": '"Treasury bills"'})]
    rate: Growth
    kind: Annotated[YieldKind, Meta(extra={"example": '"treasury"'})]
    as_of: dt.date
    risk: Annotated[Text, Meta(extra={"example": '"backed by the United States"'})]
    symbol: Symbol | None = None
    accounts: tuple[Identifier, ...] = ()
    term_months: Annotated[int, Meta(extra={"least": 0, "most": 1_200, "example": "6"})] | None = (
        None
    )
    state_free: Fraction | None = None


class YieldsRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[yields]: what cash could earn, for `trimtab yields` and for a floor that grows with bills.

    `curve` is a CSV file of Treasury par yields in percent. `state_rate` is the part of the
    `short_term_rate` of [tax] that is state tax; left out, it is not known.
    """

    curve: Text | None = None
    state_rate: Fraction | None = None
    rates: tuple[RateRule, ...] = ()


class CurvePoint(Struct, frozen=True, kw_only=True):
    """One maturity of the curve: `months` from its day, and the par yield as a fraction a year.

    The yield is bond-equivalent: interest is paid twice a year.
    """

    months: Weight
    rate: Weight


class Curve(Struct, frozen=True, kw_only=True):
    """The Treasury's par yields of a day, the shortest maturity first."""

    on: dt.date
    points: tuple[CurvePoint, ...]


class BillRate(Struct, frozen=True, kw_only=True):
    """What bills pay: `rate` is a year's, interest on interest included.

    `of` names what pays it, and `on` is the day on which it did.
    """

    rate: Weight
    of: str
    on: dt.date
