"""The operating reserve: what the next months cost, less a careful part of the income.

The reserve is the present value of the running costs and bills of the next months net of passive
income. It lies in safe assets, has the first claim on the savings, and may be the floor of CPPI.
Everything is Decimal; the months of a `Reserve` are whole cents and add up to it exactly.
"""

import datetime as dt
from collections.abc import Iterator
from decimal import ROUND_DOWN, Decimal
from itertools import islice
from typing import Literal, NamedTuple

from trimtab.domain.errors import InputError
from trimtab.domain.numbers import ONE, ZERO, Money, Weight, to_cents
from trimtab.domain.policy import BillRule, ReserveRule
from trimtab.rules.schedule import days_due
from trimtab.rules.words import money, percent

Timing = Literal["begin", "end"]

_MONTHS_TOLD_MAX = 1200
"""A hundred years: who is covered for longer is covered."""
_TENTH = Decimal("0.1")


class ReserveMonth(NamedTuple):
    """One month to come; `present` is its costs and bills less income, in cents of today."""

    begins: dt.date
    costs: Money
    bills: Money
    income: Money
    present: Money


class Reserve(NamedTuple):
    """The reserve of a day: how much, and the months it is made of."""

    amount: Money
    months: tuple[ReserveMonth, ...]


class Coverage(NamedTuple):
    """How far safe assets reach.

    `months` is how many months they pay for, None if there is no end in sight; `lacks` what is
    missing to the reserve, and `above` what is more than it.
    """

    months: Decimal | None
    lacks: Money
    above: Money


class Claim(NamedTuple):
    """New money divided: to the reserve first, the rest may be invested."""

    to_reserve: Money
    to_invest: Money


def present_value(
    monthly_cost: Money,
    months: int,
    *,
    monthly_growth: Weight = ZERO,
    monthly_rate: Weight = ZERO,
    timing: Timing = "begin",
) -> Money:
    """Money that pays the next *months*: a growing annuity, never negative and not rounded.

    The cost of month k (the first is 0) is C (1 + g)^k, paid and discounted over k months at the
    `begin` of the month, over k + 1 at its `end`. Growth and rate are those of a month.

    Source: present value of a growing annuity, summed term by term, so that g = r needs no care.

    Raises:
        InputError: a negative number of months; growth or rate lose everything.

    Examples:
        >>> str(present_value(Decimal(3500), 12))
        '42000'
    """
    if months < 0:
        msg = f"the reserve covers {months} months; write a number that is not negative"
        raise InputError(msg)
    terms = islice(_discounted_growth(monthly_growth, monthly_rate, timing), months)
    return max(ZERO, sum((monthly_cost * grown * factor for grown, factor in terms), ZERO))


def monthly(yearly: Weight) -> Weight:
    """The rate of a month that compounds to *yearly* in twelve; 0 stays exactly 0.

    Raises:
        InputError: a rate that loses everything.
    """
    if yearly <= -ONE:
        msg = f"a growth or rate of {percent(yearly)} a year loses everything; write 3 % as 0.03"
        raise InputError(msg)
    return ZERO if yearly == 0 else (ONE + yearly) ** (ONE / 12) - ONE


def reserve(costs: ReserveRule, today: dt.date) -> Reserve:
    """What has to lie in safe assets on *today* for the next `costs.months` months.

    It is the most that these months lay out before income has made up for it: where every month
    costs more than it brings, their whole sum. A month with more income pays for later months and
    never for an earlier one, so a longer reserve is never smaller.

    Raises:
        InputError: an amount is negative, a part is none, growth or rate lose everything.
    """
    rows = tuple(islice(_months(costs, today), costs.months))
    spent = most = ZERO
    for row in rows:
        spent += row.present
        most = max(most, spent)
    return Reserve(amount=most, months=rows)


def coverage(costs: ReserveRule, today: dt.date, safe: Money) -> Coverage:
    """How many months from *today* the money *safe* pays for, and what lacks of the reserve.

    Within the month in which it runs out it is spent evenly. *safe* is what is left of safe
    assets after the tax of selling them. It covers `costs.months` or more exactly if it is not
    less than the reserve.

    Raises:
        InputError: as `reserve`.
    """
    needed = reserve(costs, today).amount
    lacks, above = max(ZERO, needed - safe), max(ZERO, safe - needed)
    left = max(ZERO, safe)
    for number, row in enumerate(islice(_months(costs, today), _MONTHS_TOLD_MAX)):
        if row.present > left:
            return Coverage(number + left / row.present, lacks, above)
        left -= row.present
    return Coverage(None, lacks, above)


def claim(lacks: Money, incoming: Money) -> Claim:
    """*incoming* money divided: what the reserve lacks comes first. The two add up exactly."""
    to_reserve = min(max(ZERO, lacks), max(ZERO, incoming))
    return Claim(to_reserve, incoming - to_reserve)


def status(costs: ReserveRule, covered: Coverage, currency: str = "USD") -> str:
    """The reserve in a sentence; months are rounded down, so that what is short looks short."""
    if covered.months is None:
        return "The reserve and the income cover the running costs and bills with no end in sight."
    told = f"{covered.months.quantize(_TENTH, rounding=ROUND_DOWN):f}"
    if covered.lacks > 0:
        return (
            f"The reserve covers {told} of {costs.months} months: it lacks "
            f"{money(covered.lacks, currency)}, and new money goes there first."
        )
    if covered.above == 0:
        return f"The reserve covers all of the {costs.months} months that the policy asks for."
    return (
        f"The reserve covers {told} months; the policy asks for {costs.months}, so "
        f"{money(covered.above, currency)} of it may be invested."
    )


def _months(costs: ReserveRule, today: dt.date) -> Iterator[ReserveMonth]:
    """The months from *today* on, without end."""
    _refuse(costs)
    growth, rate = monthly(costs.growth), monthly(costs.rate)
    income = costs.monthly_income * (ONE - costs.income_haircut)
    begins = today
    ends = days_due(today, "month", today, dt.date.max)
    for (grown, factor), end in zip(
        _discounted_growth(growth, rate, costs.timing), ends, strict=False
    ):
        laid_out = costs.monthly_costs * grown
        bills = sum((_due(bill, begins, end) for bill in costs.bills), ZERO)
        present = to_cents((laid_out + bills - income) * factor)
        yield ReserveMonth(begins, laid_out, bills, income, present)
        begins = end


def _due(bill: BillRule, begins: dt.date, ends: dt.date) -> Money:
    """What of *bill* falls into the month from *begins* to the day before *ends*."""
    day = dt.timedelta(days=1)
    return bill.amount * sum(1 for _ in days_due(bill.first, bill.every, begins - day, ends - day))


def _discounted_growth(
    growth: Weight, rate: Weight, timing: Timing
) -> Iterator[tuple[Decimal, Decimal]]:
    """(1 + growth)^k and the discount factor of month k, for k = 0, 1, ..."""
    for name, number in (("growth", growth), ("rate", rate)):
        if number <= -ONE:
            msg = f"a {name} of {percent(number)} a month loses everything; write 1 % as 0.01"
            raise InputError(msg)
    grown, factor = ONE, ONE if timing == "begin" else ONE / (ONE + rate)
    while True:
        yield grown, factor
        grown *= ONE + growth
        factor /= ONE + rate


def _refuse(costs: ReserveRule) -> None:
    amounts = [
        ("monthly_costs", costs.monthly_costs),
        ("monthly_income", costs.monthly_income),
        *((f"bill {bill.name or bill.first}", bill.amount) for bill in costs.bills),
    ]
    for name, amount in amounts:
        if amount < 0:
            msg = f"[reserve] {name} is {amount}; write an amount that is not negative"
            raise InputError(msg)
    if not 0 <= costs.months <= _MONTHS_TOLD_MAX:
        msg = f"[reserve] months is {costs.months}; write a number from 0 to {_MONTHS_TOLD_MAX}"
        raise InputError(msg)
    if not 0 <= costs.income_haircut <= 1:
        msg = (
            f"[reserve] income_haircut is {costs.income_haircut}; "
            "write the part of the income not counted on, as 0.25"
        )
        raise InputError(msg)
