"""Constant proportion portfolio insurance (CPPI): risk a multiple of what lies above a floor.

exposure = multiplier × (value - floor), never below zero nor above cap × value (Perold 1986; Black
& Jones 1987; Black & Perold 1992; Perold & Sharpe 1988). The cushion is value minus floor, not the
other way round. This module has the formula, its floors and its trade band;
`trimtab.rules.targets.cppi_step` looks at a household day by day.
"""

from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal
from typing import Literal, NamedTuple

from trimtab.domain.aims import CppiRule
from trimtab.domain.errors import InputError
from trimtab.domain.numbers import ONE, ZERO, Money, Weight
from trimtab.rules.words import percent

Compounding = Literal["yearly", "continuous"]

_YEAR_DAYS = 365
"""Days of a year in every rate here: act/365 fixed, also in leap years."""
_MULTIPLIER_USUAL = (Weight(2), Weight(4))


class CppiPath(NamedTuple):
    """What became of CPPI, period by period; `values` and `floors` begin before the first.

    `breaches` numbers the periods (the first is 0) after which the value was below the floor.
    """

    values: tuple[Money, ...]
    floors: tuple[Money, ...]
    exposures: tuple[Money, ...]
    breaches: tuple[int, ...]


def exposure(value: Money, floor: Money, multiplier: Weight, cap: Weight | None = ONE) -> Money:
    """Money to hold in risky classes: clip(multiplier × (value - floor), 0, cap × value).

    With *cap* None nothing bounds it from above, and the rest may be a debt. A household that is
    worth nothing risks nothing.

    Source: Black & Perold 1992.

    Raises:
        InputError: the multiplier or the cap is negative.

    Examples:
        >>> [str(exposure(Decimal(value), Decimal(80), Decimal(4))) for value in (90, 100, 110, 79)]
        ['40', '80', '110', '0']
    """
    _refuse_negative("multiplier", multiplier)
    wanted = multiplier * (value - floor)
    if cap is not None:
        _refuse_negative("cap", cap)
        wanted = min(wanted, cap * value)
    return max(ZERO, wanted)


def path(
    rule: CppiRule, value: Money, risky_returns: Sequence[Weight], safe_returns: Sequence[Weight]
) -> CppiPath:
    """CPPI over periods with the given simple returns, to the formula alone: no band, no lock.

    Each period the exposure is set from value and floor, both parts earn their return, then the
    floor moves. It begins at `rule.amount` (a `dated` one at what grows to that by the end of the
    last period, a `ratchet` without one at `rule.keeps` of the value) and an `accruing` or `dated`
    one earns the safe return.

    Raises:
        InputError: as many safe as risky returns are needed; the rule lacks a number that its
            floor needs, or its floor is a reserve, which no row of returns tells.

    Examples:
        >>> rule = CppiRule(floor="fixed", amount=Decimal(80), multiplier=Decimal(4))
        >>> fallen = path(rule, Decimal(100), [Decimal("-0.30"), Decimal("0.20")], [ZERO, ZERO])
        >>> [str(value) for value in fallen.values], fallen.breaches
        (['100', '76.00', '76.00'], (0, 1))
    """
    if len(risky_returns) != len(safe_returns):
        msg = (
            f"a CPPI path has {len(risky_returns)} risky and {len(safe_returns)} safe returns; "
            "give as many of the one as of the other"
        )
        raise InputError(msg)
    refuse_incomplete(rule)
    floor = _first_floor(rule, value, safe_returns)
    values, floors = [value], [floor]
    exposures, breaches = list[Money](), list[int]()
    for period, (risky, safe) in enumerate(zip(risky_returns, safe_returns, strict=True)):
        exposures.append(exposure(value, floor, rule.multiplier, rule.cap))
        value = exposures[-1] * (ONE + risky) + (value - exposures[-1]) * (ONE + safe)
        if rule.floor in {"accruing", "dated"}:
            floor *= ONE + safe
        elif rule.floor == "ratchet":
            floor = ratchet(floor, value, rule.keeps or ZERO)
        values.append(value)
        floors.append(floor)
        if value < floor:
            breaches.append(period)
    return CppiPath(tuple(values), tuple(floors), tuple(exposures), tuple(breaches))


def ratchet(floor: Money, value: Money, keeps: Weight) -> Money:
    """The higher of *floor* and *keeps* × *value*: it never falls.

    Source: Estep & Kritzman 1988, time-invariant portfolio protection (TIPP).
    """
    return max(floor, keeps * value)


def accrued(amount: Money, rate: Weight, days: int, compounding: Compounding = "yearly") -> Money:
    """*amount* after *days* at *rate* a year: A (1 + rate)^(days/365), or A e^(rate days/365).

    Negative *days* discount. Growing twice is growing once for the days of both, so the floor does
    not depend on how often anybody looks.

    Raises:
        InputError: the rate loses everything (-100 % a year or worse, compounded yearly).

    Examples:
        >>> str(accrued(Decimal(100), Decimal("0.05"), 365))
        '105.00'
    """
    years = Decimal(days) / _YEAR_DAYS
    if compounding == "continuous":
        return amount * (rate * years).exp()
    if rate <= -ONE:
        msg = f"a rate of {percent(rate)} a year loses everything; write 4 % as 0.04"
        raise InputError(msg)
    return amount if rate == 0 else amount * (ONE + rate) ** years


def discounted(
    amount: Money, rate: Weight, days: int, compounding: Compounding = "yearly"
) -> Money:
    """What grows to *amount* in *days* at *rate* a year; *amount* itself once the day has come.

    With `continuous` it is G e^(-r(T-t)) (Black & Perold 1992).

    Raises:
        InputError: as `accrued`.
    """
    return accrued(amount, rate, -max(0, days), compounding)


def leaves_band(held: Money, wanted: Money, value: Money, rule: CppiRule) -> bool:
    """Whether *held* is so far from the exposure *wanted* that it is worth a trade.

    Inclusive, like every band: at `band_rel` × wanted or `band_abs` × value, the nearer. What
    should be nothing, what is above the cap and what is short always goes. Held stays below
    (1 + band_rel) × multiplier × cushion, so the relative leg bounds the multiplier that really
    works (`multiplier_warnings`).
    """
    if held == wanted:
        return False
    if wanted == 0 or held < 0 or (rule.cap is not None and held > rule.cap * value):
        return True
    width = rule.band_rel * wanted
    if rule.band_abs is not None:
        width = min(width, rule.band_abs * value)
    return abs(held - wanted) >= width


def multiplier_max(worst_loss: Weight) -> Weight | None:
    """The largest multiplier that survives *worst_loss* (0.25 is a fall of a quarter): 1 / loss.

    None if there is no loss. What bills earn meanwhile is left out, which errs on the safe side.

    Source: the crash rule m ≤ 1 / worst loss (Black & Perold 1992): m × loss ≤ 1 keeps the cushion.

    Examples:
        >>> round(multiplier_max(Decimal("0.2261")), 2)
        Decimal('4.42')
    """
    return None if worst_loss <= 0 else ONE / worst_loss


def multiplier_warnings(
    multiplier: Weight, worst_loss: Weight, *, band_rel: Weight = ZERO, where: str = ""
) -> tuple[str, ...]:
    """What is to be said against a multiplier, a sentence each; empty for a careful one.

    *worst_loss* is the worst fall between two looks (`cppi_risk.WORST_FALLS`) and *where* names
    it. A band of *band_rel* lets the exposure run that much above what the multiplier says.
    """
    least, most = _MULTIPLIER_USUAL
    found = []
    if not least <= multiplier <= most:
        side = "below" if multiplier < least else "above"
        found.append(f"The CPPI multiplier of {_short(multiplier)} is {side} the usual 2 to 4.")
    acts = multiplier * (ONE + band_rel)
    most_safe = multiplier_max(worst_loss)
    if most_safe is not None and acts > most_safe:
        acting = f", with its band up to {_short(acts)}," if band_rel > 0 else ""
        named = f" ({where})" if where else ""
        found.append(
            f"A CPPI multiplier of {_short(multiplier)}{acting} breaks its floor in a fall of "
            f"{percent(ONE / acts)} between two looks, and there was one of "
            f"{percent(worst_loss)}{named}; the largest that holds is "
            f"{_short(most_safe / (ONE + band_rel), up=False)}."
        )
    return tuple(found)


def refuse_incomplete(rule: CppiRule) -> None:
    """Nothing, if *rule* has all that its floor needs.

    Raises:
        InputError: it has not; the sentence names what is missing.
    """
    needs = {
        "fixed": ("amount",),
        "accruing": ("amount",),
        "dated": ("amount",),
        "ratchet": ("keeps",),
        "reserve": (),
    }[rule.floor]
    given = {"amount": rule.amount, "keeps": rule.keeps}
    missing = [name for name in needs if given[name] is None]
    if missing:
        msg = f'a CPPI floor = "{rule.floor}" needs {missing[0]}; write it beside the floor'
        raise InputError(msg)
    if rule.keeps is not None and not 0 <= rule.keeps <= 1:
        msg = f"a CPPI floor keeps {_short(rule.keeps)} of the highest value; write a part, as 0.80"
        raise InputError(msg)


def _first_floor(rule: CppiRule, value: Money, safe_returns: Sequence[Weight]) -> Money:
    if rule.floor == "reserve":
        msg = 'a CPPI path cannot know the operating reserve; give floor = "fixed" and an amount'
        raise InputError(msg)
    floor = (rule.keeps or ZERO) * value if rule.amount is None else rule.amount
    if rule.floor == "dated":
        for safe in safe_returns:
            if safe <= -ONE:
                msg = f"a safe return of {percent(safe)} loses everything; write 4 % as 0.04"
                raise InputError(msg)
            floor /= ONE + safe
    return floor


def _refuse_negative(name: str, number: Weight) -> None:
    if number < 0:
        msg = f"the CPPI {name} is {_short(number)}; write a number that is not negative"
        raise InputError(msg)


def _short(number: Weight, *, up: bool = True) -> str:
    """A number with two decimals at most; with *up* false never rounded up."""
    cents = Decimal("0.01")
    rounded = number.quantize(cents) if up else number.quantize(cents, rounding=ROUND_DOWN)
    return f"{rounded.normalize():f}"
