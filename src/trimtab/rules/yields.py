"""Where cash earns most after tax, where the Treasury curve is inverted, and what bills pay.

Nothing here is a forecast, and of all of it only the bill rate enters a decision: that of a floor
that is to grow at it (`trimtab.rules.targets.guarded`). Yields and tax rates are those that the
household told; a yield of another day or of another risk is shown as such, never corrected.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from itertools import pairwise

from msgspec import Struct

from trimtab.domain.numbers import ONE, ZERO, Weight
from trimtab.domain.policy import ClassRule, TaxRule
from trimtab.domain.values import Account, AccountKind
from trimtab.domain.yield_facts import (
    BillRate,
    Curve,
    CurvePoint,
    RateRule,
    YieldKind,
    YieldsRule,
)

_BILL_MONTHS = 3
_BILL_MONTHS_MAX = 12
"""A Treasury bill runs for a year at most (31 CFR 356.5(a)); three months are the usual measure."""


class Earning(Struct, frozen=True, kw_only=True):
    """What one thing pays: `rate` before tax, `after_tax` in a taxed account, fractions a year.

    `tax_rate` is what the taxed account pays on it. `accounts` are those in which it can be held,
    `is_taxed_somewhere` and `is_free_somewhere` whether one of them is taxed by the year and
    whether one is not: there it earns its whole `rate`. `safe_class` is the safe class that it is
    a member of, None where it is of none.
    """

    rule: RateRule
    tax_rate: Weight
    after_tax: Weight
    accounts: tuple[str, ...]
    is_taxed_somewhere: bool
    is_free_somewhere: bool
    safe_class: str | None

    @property
    def rate(self) -> Weight:
        """Before tax."""
        return self.rule.rate

    def age_days(self, today: dt.date) -> int:
        """How old the figure is."""
        return (today - self.rule.as_of).days


class SafeChoice(Struct, frozen=True, kw_only=True):
    """The safe members that earn most: in a taxed account, and in one that is not.

    `untold` are the safe members of which no rate is told, in the order of the classes.
    """

    taxed: Earning | None
    free: Earning | None
    untold: tuple[str, ...]


class Inversion(Struct, frozen=True, kw_only=True):
    """Two neighbours on the curve of which the longer one yields less."""

    shorter: CurvePoint
    longer: CurvePoint

    @property
    def drop(self) -> Weight:
        """By how much, positive."""
        return self.shorter.rate - self.longer.rate


def tax_rate(
    kind: YieldKind,
    tax: TaxRule,
    state_rate: Weight | None,
    state_free: Weight | None = None,
) -> Weight:
    """The part of a yield of *kind* that a taxed account pays as income tax.

    Interest is ordinary income (26 USC 61(a)(4)), here at the marginal short-term rate of *tax*, of
    which *state_rate* is the state's part. Interest on obligations of the United States is free of
    state tax (31 USC 3124(a)), that of state and local bonds free of federal tax (26 USC 103(a);
    through a fund 852(b)(5)), and usually free of the tax of its own state only: *state_free* 1.
    What a protocol pays is taken as ordinary income when it can be disposed of, as staking rewards
    are (Rev. Rul. 2023-14).

    Without *state_rate* nothing can be taken off for the state: all of the rate counts as federal.
    """
    state = ZERO if state_rate is None else state_rate
    federal = ZERO if kind == "muni" else tax.short_term_rate - state
    if state_free is None:
        state_free = ONE if kind == "treasury" else ZERO
    return federal + state * (ONE - state_free)


def after_tax(rate: Weight, part: Weight) -> Weight:
    """What is left of *rate* where *part* of it is tax; a negative yield saves none."""
    return rate - max(ZERO, rate) * part


def earnings(
    yields: YieldsRule,
    tax: TaxRule,
    accounts: Mapping[str, Account],
    classes: Mapping[str, ClassRule],
    base_currency: str,
) -> tuple[Earning, ...]:
    """What the household told, the highest after tax in a taxed account first.

    What only an untaxed account can hold stands by what it earns there.
    """
    safe = _safe_members(classes, base_currency)
    found = [_earning(rule, yields, tax, accounts, safe) for rule in yields.rates]
    return tuple(sorted(found, key=lambda one: (-_best(one), -one.rate, one.rule.name)))


def safe_choice(
    found: Iterable[Earning], classes: Mapping[str, ClassRule], base_currency: str
) -> SafeChoice:
    """Which of the safe members told of earns most, in a taxed account and elsewhere."""
    safe = [one for one in found if one.safe_class is not None]
    told = {one.rule.symbol for one in safe}
    taxed = [one for one in safe if one.is_taxed_somewhere]
    free = [one for one in safe if one.is_free_somewhere]
    return SafeChoice(
        taxed=max(taxed, key=lambda one: one.after_tax, default=None),
        free=max(free, key=lambda one: one.rate, default=None),
        untold=tuple(one for one in _safe_members(classes, base_currency) if one not in told),
    )


def _safe_members(classes: Mapping[str, ClassRule], base_currency: str) -> dict[str, str]:
    """The class of each symbol that is safe, cash included."""
    return {
        symbol: name
        for name, rule in classes.items()
        if not rule.is_risky(base_currency)
        for symbol in rule.members
    }


def effective_rate(bond_equivalent: Weight) -> Weight:
    """What a year brings at a par yield that is paid twice a year, interest on interest included.

    `(1 + y / 2)^2 - 1`: so it can stand beside a bank's annual percentage yield.

    Source: US Treasury, Interest Rates: Frequently Asked Questions.

    Examples:
        >>> effective_rate(Weight("0.04"))
        Decimal('0.0404')
    """
    half = ONE + bond_equivalent / 2
    return half * half - ONE


def bill_rate(yields: YieldsRule, curve: Curve | None, today: dt.date) -> BillRate | None:
    """What bills paid by *today*: the later of what *curve* and *yields* say; None for neither.

    Of the curve that is the maturity nearest to three months, up to a year, and of the household's
    own rates the newest one of kind `treasury` that is not bound for longer. Of several of one day
    those bound at all come first, then the lowest: bills pay less than notes as a rule.
    """
    told = [
        rule
        for rule in yields.rates
        if rule.kind == "treasury"
        and rule.as_of <= today
        and (rule.term_months or 0) <= _BILL_MONTHS_MAX
    ]
    own = max(
        told,
        key=lambda rule: (rule.as_of, rule.term_months is not None, -rule.rate),
        default=None,
    )
    found = None if curve is None or curve.on > today else _bill_of(curve)
    if own is None or (found is not None and found.on >= own.as_of):
        return found
    return BillRate(rate=own.rate, of=own.name, on=own.as_of)


def inversions(curve: Curve) -> tuple[Inversion, ...]:
    """Where *curve* falls: neighbouring maturities of which the longer one yields less."""
    return tuple(
        Inversion(shorter=one, longer=other)
        for one, other in pairwise(curve.points)
        if other.rate < one.rate
    )


def slope(curve: Curve, shorter: int, longer: int) -> Weight | None:
    """The yield at *longer* less that at *shorter* months; None where one was not published."""
    rates = {point.months: point.rate for point in curve.points}
    low, high = rates.get(Weight(shorter)), rates.get(Weight(longer))
    return None if low is None or high is None else high - low


def _bill_of(curve: Curve) -> BillRate | None:
    """The curve's own bills; None where it has no maturity of a year or less."""
    bills = [point for point in curve.points if point.months <= _BILL_MONTHS_MAX]
    if not bills:
        return None
    nearest = min(bills, key=lambda point: (abs(point.months - _BILL_MONTHS), point.months))
    return BillRate(
        rate=effective_rate(nearest.rate),
        of=f"Treasury bills of {nearest.months.normalize():f} months",
        on=curve.on,
    )


def _earning(
    rule: RateRule,
    yields: YieldsRule,
    tax: TaxRule,
    accounts: Mapping[str, Account],
    safe: Mapping[str, str],
) -> Earning:
    part = tax_rate(rule.kind, tax, yields.state_rate, rule.state_free)
    names = rule.accounts or tuple(
        name
        for name, account in accounts.items()
        if (account.kind is AccountKind.CRYPTO) == (rule.kind == "defi")
    )
    taxed = [accounts[name].kind.is_taxed for name in names if name in accounts]
    return Earning(
        rule=rule,
        tax_rate=part,
        after_tax=after_tax(rule.rate, part),
        accounts=names,
        is_taxed_somewhere=any(taxed) or not taxed,
        is_free_somewhere=not all(taxed),
        safe_class=None if rule.symbol is None else safe.get(rule.symbol),
    )


def _best(one: Earning) -> Weight:
    return one.after_tax if one.is_taxed_somewhere else one.rate
