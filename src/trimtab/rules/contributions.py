"""Money that comes in regularly: what is due on which day, and why so much.

A contribution is an obligation with a date. It buys nothing by itself: the planner puts it through
the same bands, locks and gates as everything else. All amounts are Decimal, to the cent.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from trimtab.domain.errors import InputError
from trimtab.domain.incoming import CAP_MULTIPLE, PastContribution
from trimtab.domain.numbers import ONE, ZERO, Money, Weight, to_cents
from trimtab.rules.averaging import Limits, next_step, path_edleson, path_exact, split_lump
from trimtab.rules.schedule import Every, days_due
from trimtab.rules.words import money

_ONE_DAY = dt.timedelta(days=1)
_PERIODS = {
    "once": "once",
    "week": "every week",
    "two_weeks": "every two weeks",
    "month": "every month",
    "quarter": "every quarter",
    "year": "every year",
}


class DollarCostRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same money on each day that the rule names, whatever the price.

    Without `parts`, `amount` is put in each time, without end, and grows by `growth` a period. With
    `parts`, `amount` is a lump that is put in by so many equal parts; where less of it is left than
    that, the days to come divide what is left.
    """

    account: str
    amount: Money
    first: dt.date
    every: Every = "month"
    parts: int | None = None
    growth: Weight = ZERO


class ValueAveragingRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What brings the value back to a path on each day that the rule names (Edleson 1993, 2006).

    `amount` is the contribution that the path is made of; `expected_return` and its `growth` are
    per period, not per year. `start` is what was held one period before `first`. Unless the rule
    `sells`, a value above the path is left alone. One period takes at most `cap_multiple` of its
    own contribution; what that withholds is asked for again where the rule `carries_forward`, and
    given up where it does not.
    """

    account: str
    amount: Money
    first: dt.date
    every: Every = "month"
    path: Literal["exact", "edleson"] = "exact"
    expected_return: Weight
    growth: Weight = ZERO
    start: Money = ZERO
    sells: bool = False
    cap_multiple: Weight = CAP_MULTIPLE
    carries_forward: bool = True


Rule = DollarCostRule | ValueAveragingRule


class Obligation(Struct, frozen=True, kw_only=True):
    """Money to put into an account (out: negative), due on a day, and why so much.

    `goal` is what the path asks the value to be on that day; `withheld` what the cap keeps back.
    """

    day: dt.date
    account: str
    amount: Money
    why: str
    goal: Money | None = None
    withheld: Money = ZERO


def obligations_due(  # noqa: PLR0913  what is owed, each part of it a value of its own
    rule: Rule,
    *,
    value: Money,
    past: Sequence[PastContribution],
    since: dt.date,
    today: dt.date,
    currency: str = "USD",
    bought: Money = ZERO,
    left: Money | None = None,
) -> tuple[Obligation, ...]:
    """What *rule* asks for by *today* and *past* has not done, the earliest first.

    *value* is what is held under the rule today; only value averaging asks for it. *since* is the
    day from which the rule holds: nothing is owed for an earlier one. Of a fixed amount, every day
    missed is made good. *left* is what is left of a lump, None for all that *past* has not put in.
    A path is absolute, so that of several days missed only the last counts; what was *bought* since
    that day counts towards its cap. A day of *past* that ended short of its path is not done, but
    what its cap withheld was withheld.

    Raises:
        InputError: a number of the rule makes no sense.
    """
    _require_sense(rule)
    if isinstance(rule, ValueAveragingRule):
        due = _due_on_path(rule, (value, bought), past, (since, today), currency)
        return () if due is None else (due,)
    if rule.parts is not None:
        return _due_of_lump(rule, past, (since, today), left, currency)
    done = _by_day((one.day, one.amount) for one in past)
    found = []
    for number, day in _days(rule, today):
        if day < since:
            continue
        paid = done.get(day, ZERO)
        owed = amount_due(rule, number) - paid
        if owed > 0:
            why = _why_amount(rule, number, day, paid, currency)
            found.append(Obligation(day=day, account=rule.account, amount=owed, why=why))
    return tuple(found)


def contribution_days(rule: Rule, after: dt.date, until: dt.date) -> tuple[dt.date, ...]:
    """The days later than *after* and not later than *until* on which *rule* asks for money."""
    _require_sense(rule)
    return tuple(day for _, day in _days(rule, until) if day > after)


def goals(rule: ValueAveragingRule, until: dt.date) -> tuple[tuple[dt.date, Money], ...]:
    """The value path of *rule* by day, until *until*, to the cent.

    Raises:
        InputError: a number of the rule makes no sense.
    """
    _require_sense(rule)
    days = [day for _, day in _days(rule, until)]
    return tuple(zip(days, _path(rule, len(days)), strict=True))


def amount_due(rule: DollarCostRule, number: int) -> Money:
    """The contribution of that *number*, from 1, of a rule without parts, to the cent."""
    return to_cents(rule.amount * (ONE + rule.growth) ** (number - 1))


def parts_of(
    rule: DollarCostRule, left: Money, after: dt.date
) -> tuple[tuple[int, dt.date, Money], ...]:
    """What is *left* of a lump in equal parts, one for each of its days later than *after*.

    Each with its number among all days, from 1, and its day; none once the last day is over.
    """
    assert rule.parts is not None, "only a lump has parts"
    days = [(number, day) for number, day in _days(rule, dt.date.max) if day > after]
    if not days:
        return ()
    shares = split_lump(left, len(days))
    return tuple((number, day, share) for (number, day), share in zip(days, shares, strict=True))


def limits_of(rule: ValueAveragingRule, periods: int) -> Limits:
    """The limits of *rule* for a course of so many *periods*, as `averaging` reads them."""
    return Limits(
        sells=rule.sells,
        caps=tuple(cap_of(rule, number) for number in range(1, periods + 1)),
        carries_forward=rule.carries_forward,
        growth=rule.expected_return,
    )


def cap_of(rule: ValueAveragingRule, number: int) -> Money:
    """The most that period *number*, from 1, may take: a multiple of its own contribution."""
    return to_cents(rule.cap_multiple * rule.amount * (ONE + rule.growth) ** (number - 1))


def _days(rule: Rule, until: dt.date) -> Iterator[tuple[int, dt.date]]:
    """The rule's days until *until* with their numbers, from 1."""
    parts = rule.parts if isinstance(rule, DollarCostRule) else None
    for number, day in enumerate(
        days_due(rule.first, rule.every, rule.first - _ONE_DAY, until), start=1
    ):
        if parts is not None and number > parts:
            return
        yield number, day


def _path(rule: ValueAveragingRule, periods: int) -> list[Money]:
    path = path_edleson if rule.path == "edleson" else path_exact
    growth = ONE + rule.expected_return
    made = path(rule.amount, rule.expected_return, rule.growth, periods)
    return [to_cents(rule.start * growth**t + goal) for t, goal in enumerate(made, start=1)]


def _due_of_lump(
    rule: DollarCostRule,
    past: Sequence[PastContribution],
    span: tuple[dt.date, dt.date],
    left: Money | None,
    currency: str,
) -> tuple[Obligation, ...]:
    since, today = span
    put_in = sum((one.amount for one in past), ZERO)
    there = max(ZERO, rule.amount - put_in) if left is None else left
    after = max([since - _ONE_DAY, *(one.day for one in past)])
    return tuple(
        Obligation(
            day=day,
            account=rule.account,
            amount=part,
            why=_why_part(rule, (number, day, part), there, put_in, currency),
        )
        for number, day, part in parts_of(rule, there, after)
        if day <= today and part > 0
    )


def _due_on_path(
    rule: ValueAveragingRule,
    standing: tuple[Money, Money],
    past: Sequence[PastContribution],
    span: tuple[dt.date, dt.date],
    currency: str,
) -> Obligation | None:
    (value, bought), (since, today) = standing, span
    days = list(_days(rule, today))
    if not days or days[-1][1] < since:
        return None
    number, day = days[-1]
    if any(one.day >= day and one.short is None for one in past):
        return None
    goal = _path(rule, number)[-1]
    if not rule.carries_forward:
        goal -= _forgone(rule, days, past)
    cap = max(ZERO, cap_of(rule, number) - bought)
    step = next_step(goal, value, limits_of(rule, number), cap=cap)
    return Obligation(
        day=day,
        account=rule.account,
        amount=step.amount,
        why=_why_step(rule, (goal, value), (step.amount, step.withheld), day, currency),
        goal=goal,
        withheld=step.withheld,
    )


def _forgone(
    rule: ValueAveragingRule,
    days: Sequence[tuple[int, dt.date]],
    past: Sequence[PastContribution],
) -> Money:
    """What caps withheld and the path goes on without, grown as the path would have made it."""
    withheld = _by_day((one.day, one.withheld) for one in past)
    forgone = ZERO
    for _, day in days:
        forgone = to_cents(forgone * (ONE + rule.expected_return)) + withheld.get(day, ZERO)
    return forgone


def _by_day(amounts: Iterable[tuple[dt.date, Money]]) -> dict[dt.date, Money]:
    sums: dict[dt.date, Money] = {}
    for day, amount in amounts:
        sums[day] = sums.get(day, ZERO) + amount
    return sums


def _why_amount(rule: DollarCostRule, number: int, day: dt.date, paid: Money, currency: str) -> str:
    whole = money(amount_due(rule, number), currency)
    text = f"{whole} are put in {_PERIODS[rule.every]}, and were due on {day}"
    if paid > 0:
        text += f"; {money(paid, currency)} of it are in"
    return f"{text}."


def _why_part(
    rule: DollarCostRule,
    due: tuple[int, dt.date, Money],
    left: Money,
    put_in: Money,
    currency: str,
) -> str:
    """Why a part of a lump is due; where some of it is not there, of what it is a part."""
    number, day, part = due
    of = money(rule.amount, currency)
    text = f"Part {number} of {rule.parts} of {of}, {money(part, currency)}, was due on {day}"
    if left + put_in < rule.amount:
        text += f": of that lump only {money(left, currency)} are left to put in"
    return f"{text}."


def _why_step(
    rule: ValueAveragingRule,
    standing: tuple[Money, Money],
    step: tuple[Money, Money],
    day: dt.date,
    currency: str,
) -> str:
    (goal, value), (amount, withheld) = standing, step
    head = f"The path asks for {money(goal, currency)} on {day}, and the value is "
    head += money(value, currency)
    if withheld > 0:
        later = "asked for again next time" if rule.carries_forward else "given up"
        return (
            f"{head}: the cap of {rule.cap_multiple} contributions lets in "
            f"{money(amount, currency)}, and {money(withheld, currency)} are {later}."
        )
    if amount > 0:
        return f"{head}: {money(amount, currency)} are missing."
    if amount < 0:
        return f"{head}: {money(-amount, currency)} are sold into the side fund."
    if value > goal:
        return f"{head}: it is above the path, and the rule does not sell."
    return f"{head}: nothing is missing."


def _require_sense(rule: Rule) -> None:
    faults = []
    if not _is_at_least(rule.amount, ZERO):
        faults.append(f"amount = {rule.amount}: write an amount of zero or more")
    if not rule.growth.is_finite() or rule.growth <= -1:
        faults.append(f"growth = {rule.growth}: write a rate a period, 0.005 for 0.5 %")
    if isinstance(rule, DollarCostRule):
        if rule.parts is not None and rule.parts < 1:
            faults.append(f"parts = {rule.parts}: write 1 or more")
    else:
        faults += _path_faults(rule)
    if faults:
        raise InputError(f"the contributions into {rule.account}: {'; '.join(faults)}")


def _path_faults(rule: ValueAveragingRule) -> Iterator[str]:
    if not rule.expected_return.is_finite() or rule.expected_return <= -1:
        yield (f"expected_return = {rule.expected_return}: write a rate a period, 0.005 for 0.5 %")
    if not _is_at_least(rule.start, ZERO):
        yield f"start = {rule.start}: write an amount of zero or more"
    if not _is_at_least(rule.cap_multiple, ONE):
        yield f"cap_multiple = {rule.cap_multiple}: write 1 or more, else no path is ever reached"


def _is_at_least(number: Decimal, least: Decimal) -> bool:
    return number.is_finite() and number >= least
