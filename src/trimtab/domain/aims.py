"""The part of the policy that says what to hold: groups, glide paths, strategies."""

import datetime as dt
from typing import Annotated, Literal

from msgspec import Meta, Struct

from trimtab.domain.leaves import Amount, Days, Fraction, Growth, Identifier, Text
from trimtab.domain.numbers import ONE, ZERO, Weight

FloorKind = Literal["fixed", "accruing", "dated", "ratchet", "reserve"]


class GroupRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[groups.NAME]: classes that share one target; each of them has its part of it."""

    target: Annotated[Fraction, Meta(extra={"example": "0.60"})]


class GlidePoint(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of [[glide.points]]: the classes' targets on a date, or at an age in years.

    `targets` are of the whole, whatever groups there are, and every class has one.
    """

    targets: dict[Identifier, Fraction]
    on: dt.date | None = None
    age: Annotated[int, Meta(extra={"least": 0, "most": 130, "example": "65"})] | None = None


class GlideRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[glide]: targets that change with time, evenly from point to point.

    Before the first point its targets hold, after the last one those of the last. Ages are counted
    from `born`.
    """

    points: tuple[GlidePoint, ...] = ()
    born: dt.date | None = None


class BoundRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of [[strategy.minimum_variance.bounds]]: `classes` together are held within limits.

    Cash among them counts with the weight that it has and keeps.
    """

    classes: tuple[Identifier, ...]
    least: Fraction = ZERO
    most: Fraction = Weight(1)


class MinimumVarianceRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[strategy.minimum_variance]: the classes' mix with the least estimated variance.

    `covariance` names the estimate: Ledoit and Wolf's towards `constant_correlation`, theirs
    towards a scaled identity (`ledoit_wolf`), `exponential` weights of `half_life` (sessions), or
    the `sample`. `sessions` is how many past sessions it sees, at most. Cash keeps its own target:
    it is no asset of the optimizer. `bounds` limit classes alone or together; a mix without them is
    often nine tenths bonds.
    """

    covariance: Annotated[
        Literal["constant_correlation", "ledoit_wolf", "exponential", "sample"],
        Meta(extra={"example": '"constant_correlation"'}),
    ] = "constant_correlation"
    sessions: Annotated[int, Meta(extra={"least": 20, "most": 12_600, "example": "756"})] = 756
    half_life: Annotated[int, Meta(extra={"least": 5, "most": 2_520, "example": "126"})] = 126
    bounds: tuple[BoundRule, ...] = ()


class MomentumRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[strategy.momentum]: a tilt towards what has risen, within a limit of risk.

    The signal is the total return from `months` ago to `skip` months ago. `within` =
    `tracking_error` bounds the yearly tracking error against the mix before the tilt by
    `tracking_error`; `variance` lets the mix's own variance rise by the part `variance`.
    """

    months: Annotated[int, Meta(extra={"least": 2, "most": 60, "example": "12"})] = 12
    skip: Annotated[int, Meta(extra={"least": 0, "most": 12, "example": "1"})] = 1
    within: Annotated[
        Literal["tracking_error", "variance"], Meta(extra={"example": '"tracking_error"'})
    ] = "tracking_error"
    tracking_error: Fraction = Weight("0.02")
    variance: Fraction = Weight("0.10")
    sessions: Annotated[int, Meta(extra={"least": 60, "most": 12_600, "example": "756"})] = 756


class CppiRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[strategy.cppi]: how the household insures its savings.

    `floor` says what is insured: `fixed`, the `amount` for ever; `accruing`, the `amount` growing
    at `rate` a year or, left out, at the bill rate that [yields] tells; `dated`, what grows to the
    `amount` on the day `until`, likewise; `ratchet`, the part `keeps` of the highest value so
    far (and at first at least the `amount`, if given); `reserve`, the operating reserve. `cap`
    bounds the exposure as a part of the value; 1 is no leverage, and None, for study only, no
    bound.

    The exposure moves only once it is off by `band_rel` of what it should be, or by `band_abs` of
    the value if that is less. A tenth is the widest round band with which a multiplier of 3 holds
    in the worst month on record and one of 4 on the worst day.

    After the floor was hit everything stays safe. With `rearm` = `cushion` the lock lifts by
    itself once `rearm_after_days` have passed and the cushion is `rearm_cushion` of the value;
    with `owner` only by the owner's word. 31 days keep a loss taken on the way out from being a
    wash sale on the way back (26 USC 1091), and the cushion keeps bills' first cent of interest
    from being risked.
    """

    floor: Annotated[FloorKind, Meta(extra={"example": '"ratchet"'})] = "ratchet"
    amount: Amount | None = None
    keeps: Fraction | None = Weight("0.80")
    until: dt.date | None = None
    rate: Growth | None = None
    multiplier: Annotated[Weight, Meta(extra={"least": 1, "most": 10, "example": "3"})] = Weight(3)
    cap: Fraction | None = ONE
    band_rel: Fraction = Weight("0.10")
    band_abs: Fraction | None = None
    rearm: Annotated[Literal["cushion", "owner"], Meta(extra={"example": '"cushion"'})] = "cushion"
    rearm_cushion: Fraction = Weight("0.05")
    rearm_after_days: Days = 31

    @property
    def has_growing_floor(self) -> bool:
        """Whether the floor grows from day to day at a rate."""
        return self.floor in {"accruing", "dated"}

    @property
    def needs_bills(self) -> bool:
        """Whether the floor grows at the bill rate, because no other is written."""
        return self.has_growing_floor and self.rate is None


class StrategyRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[strategy]: what to hold, where that is not just the targets of the classes.

    `layers` are strategies by name, each given the weights of the one before; none leaves the
    classes' own targets. They are estimated anew `every` so often. The targets move only where one
    of them moves by `move_least`. `move_cost` is what minimum variance counts a dollar moved at: it
    wants another mix only where a year of the variance saved is worth more. What the others gain by
    a move has no price. `settings` are those of plug-ins, by name.
    """

    layers: tuple[Identifier, ...] = ()
    every: Annotated[
        Literal["day", "week", "month", "quarter", "year"], Meta(extra={"example": '"month"'})
    ] = "month"
    move_least: Fraction = Weight("0.02")
    move_cost: Fraction = Weight("0.005")
    minimum_variance: MinimumVarianceRule = MinimumVarianceRule()
    momentum: MomentumRule = MomentumRule()
    cppi: CppiRule = CppiRule()
    settings: dict[Identifier, dict[Identifier, Text]] = {}
