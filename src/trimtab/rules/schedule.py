"""Days that come round: on which of them money comes in or leaves, by the household's own rules."""

import calendar
import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from msgspec.structs import replace

from trimtab.domain.memory import FLOW_DAYS, Memory
from trimtab.domain.policy import FlowRule, Policy
from trimtab.domain.values import PastFlow, ScheduledFlow, trade_date

Every = Literal["once", "week", "two_weeks", "month", "quarter", "year"]

_ONE_DAY = dt.timedelta(days=1)
_KEPT_MAX = 28
"""Days after which nothing late is kept, since payments are remembered for two months."""
_SATURDAY = 5
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
    return tuple(one for one in _left(rules, moved, today, until, early) if one.date >= today)


def overdue(
    rules: Iterable[FlowRule],
    moved: Iterable[PastFlow],
    today: dt.date,
    early: dt.timedelta,
    since: Mapping[str, dt.date],
) -> tuple[ScheduledFlow, ...]:
    """What *rules* should have moved before *today*, and has not *moved*.

    Nobody knows what an account did before the day *since* which it is followed, nor longer ago
    than payments are remembered.
    """
    known = today - dt.timedelta(days=FLOW_DAYS) + min(early, dt.timedelta(days=FLOW_DAYS // 2))
    return tuple(
        one
        for one in _left(rules, moved, today, today - _ONE_DAY, early)
        if one.account in since and max(since[one.account], known) <= one.date
    )


def kept_until(day: dt.date, raise_cash_days: int) -> dt.date:
    """The last day on which the cash is kept for what was due on *day* and nobody has taken.

    As long after its day as cash is raised before it, four weeks at most, and one weekday more, so
    that what is sold on the day itself can settle.

    Examples:
        >>> str(kept_until(dt.date(2026, 11, 28), 7))
        '2026-12-07'
        >>> str(kept_until(dt.date(2026, 11, 27), 0))
        '2026-11-30'
    """
    until = day + dt.timedelta(days=min(raise_cash_days, _KEPT_MAX) + 1)
    return until + dt.timedelta(days=7 - until.weekday() if until.weekday() >= _SATURDAY else 0)


def withdrawals_due(
    rules: Iterable[FlowRule], policy: Policy, memory: Memory, today: dt.date
) -> tuple[ScheduledFlow, ...]:
    """What [[withdrawals]] still take out in the days for which *policy* provides, earliest first.

    What was due before *today* and is not taken yet is one of them, until `kept_until`.
    """
    rules, days = tuple(rules), policy.plan.raise_cash_days
    early, taken = dt.timedelta(days=days), memory.taken_out()
    late = overdue(rules, taken, today, early, memory.taken_over)
    kept = (one for one in late if today <= kept_until(one.date, days))
    return (*kept, *expected(rules, taken, today, today + early, early))


def withdrawals_forgotten(
    rules: Iterable[FlowRule], policy: Policy, memory: Memory, today: dt.date
) -> tuple[ScheduledFlow, ...]:
    """What [[withdrawals]] have not taken out, and for which no cash is kept since the last turn.

    Each is one of them at one turn, the first after `kept_until`.
    """
    if memory.last_ended is None:
        return ()
    days, last = policy.plan.raise_cash_days, trade_date(memory.last_ended)
    late = overdue(rules, memory.taken_out(), today, dt.timedelta(days=days), memory.taken_over)
    return tuple(one for one in late if last <= kept_until(one.date, days) < today)


def still_due(
    due: Iterable[ScheduledFlow], moved: Iterable[PastFlow], early: dt.timedelta
) -> tuple[ScheduledFlow, ...]:
    """*due* without what has *moved* for it already, no more than so *early* before its day.

    What has moved, all of it one way, goes to the nearest day first, of two as near to the earlier
    one; amounts may be of either sign.

    Examples:
        >>> from decimal import Decimal
        >>> rent = ScheduledFlow(account="joint", date=dt.date(2026, 3, 31), amount=Decimal(900))
        >>> paid = PastFlow(account="joint", date=dt.date(2026, 3, 30), amount=Decimal(-500))
        >>> [str(one.amount) for one in still_due([rent], [paid], dt.timedelta(days=7))]
        ['400']
    """
    flows, movements = list(due), list(moved)
    missing = [flow.amount for flow in flows]
    unused = [abs(one.amount) for one in movements]
    pairs = [
        (abs(one.date - flow.date), flow.date, number, other)
        for number, flow in enumerate(flows)
        for other, one in enumerate(movements)
        if one.account == flow.account and one.date >= flow.date - early
    ]
    for *_, number, other in sorted(pairs):
        part = min(missing[number], unused[other])
        missing[number] -= part
        unused[other] -= part
    return tuple(
        replace(flow, amount=amount)
        for flow, amount in zip(flows, missing, strict=True)
        if amount > 0
    )


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


def _left(
    rules: Iterable[FlowRule],
    moved: Iterable[PastFlow],
    today: dt.date,
    until: dt.date,
    early: dt.timedelta,
) -> tuple[ScheduledFlow, ...]:
    """What is still due until a day, of all for which a payment that is remembered may have been.

    What was due long ago takes its own payments, so that they count for nothing later.
    """
    return still_due(flows_due(rules, today - dt.timedelta(days=FLOW_DAYS), until), moved, early)


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
