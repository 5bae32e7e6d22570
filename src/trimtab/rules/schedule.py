"""Days that come round: on which of them money comes in or leaves, by the household's own rules."""

import calendar
import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Literal

from msgspec.structs import replace

from trimtab.domain.policy import FlowRule
from trimtab.domain.values import PastFlow, ScheduledFlow

Every = Literal["once", "week", "two_weeks", "month", "quarter", "year"]

_ONE_DAY = dt.timedelta(days=1)
_WEEK_DAYS = {"week": 7, "two_weeks": 14}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def flows_due(
    rules: Iterable[FlowRule], after: dt.date, until: dt.date
) -> tuple[ScheduledFlow, ...]:
    """What *rules* move later than *after* and not later than *until*, the earliest first.

    Examples:
        >>> from decimal import Decimal
        >>> rent = FlowRule(
        ...     account="joint", amount=Decimal(900), first=dt.date(2026, 1, 31), every="month"
        ... )
        >>> due = flows_due([rent], dt.date(2026, 1, 31), dt.date(2026, 3, 31))
        >>> [str(one.date) for one in due]
        ['2026-02-28', '2026-03-31']
    """
    due = [
        ScheduledFlow(account=rule.account, date=day, amount=rule.amount)
        for rule in rules
        for day in days_due(rule.first, rule.every, after, until)
    ]
    return tuple(sorted(due, key=lambda one: (one.date, one.account, one.amount)))


def expected(
    rules: Iterable[FlowRule],
    moved: Iterable[PastFlow],
    today: dt.date,
    until: dt.date,
    early: dt.timedelta,
) -> tuple[ScheduledFlow, ...]:
    """What *rules* still move from *today* to *until*, but for what has *moved* for it already.

    What has moved so *early* before its day, or later, counts for it, as `still_due` says.
    """
    due = flows_due(rules, today - early - _ONE_DAY, until)
    return tuple(one for one in still_due(due, moved, early) if one.date >= today)


def still_due(
    due: Iterable[ScheduledFlow], moved: Iterable[PastFlow], early: dt.timedelta
) -> tuple[ScheduledFlow, ...]:
    """*due* without what has *moved* for it already, no more than so *early* before its day.

    What has moved, all of it one way, goes to the earliest first; amounts may be of either sign.

    Examples:
        >>> from decimal import Decimal
        >>> rent = ScheduledFlow(account="joint", date=dt.date(2026, 3, 31), amount=Decimal(900))
        >>> paid = PastFlow(account="joint", date=dt.date(2026, 3, 30), amount=Decimal(-500))
        >>> [str(one.amount) for one in still_due([rent], [paid], dt.timedelta(days=7))]
        ['400']
    """
    left = [(one, abs(one.amount)) for one in moved]
    found = []
    for flow in due:
        amount = flow.amount
        for number, (one, rest) in enumerate(left):
            if one.account == flow.account and one.date >= flow.date - early:
                part = min(amount, rest)
                amount -= part
                left[number] = one, rest - part
        if amount > 0:
            found.append(replace(flow, amount=amount))
    return tuple(found)


def days_due(first: dt.date, every: Every, after: dt.date, until: dt.date) -> Iterator[dt.date]:
    """The days later than *after* and not later than *until* of what began on *first*, in order.

    Months are those of the calendar, counted from the first day: what is due on the 31st is due on
    the last day of a shorter month.
    """
    number = 0 if every == "once" else _periods_before(first, every, after)
    while (day := _day(first, every, number)) <= until:
        if day > after:
            yield day
        if every == "once":
            return
        number += 1


def _periods_before(first: dt.date, every: Every, after: dt.date) -> int:
    """A number of periods after which the day is not later than *after*, or zero."""
    if after <= first:
        return 0
    if every in _WEEK_DAYS:
        return (after - first).days // _WEEK_DAYS[every]
    months = (after.year - first.year) * 12 + after.month - first.month
    return max(0, months // _MONTHS[every] - 1)


def _day(first: dt.date, every: Every, number: int) -> dt.date:
    """The day that is *number* periods after the first."""
    if every == "once":
        return first
    if every in _WEEK_DAYS:
        return first + dt.timedelta(days=_WEEK_DAYS[every] * number)
    years, month = divmod(first.month - 1 + _MONTHS[every] * number, 12)
    year = first.year + years
    last = calendar.monthrange(year, month + 1)[1]
    return dt.date(year, month + 1, min(first.day, last))
