"""The contributions that [[contributions]] tell of the month of a look: those that are missing."""

import datetime as dt
from typing import Literal, NamedTuple

from trimtab.domain.memory import Memory
from trimtab.domain.numbers import Money
from trimtab.domain.policy import HouseholdFile, Policy
from trimtab.rules.schedule import expected, flows_due, kept_until, overdue

_ONE_DAY = dt.timedelta(days=1)

Month = Literal["none", "past", "was paid", "paid"]
"""Contributions of a month: none, past before their accounts were followed, or paid.

What "was paid" was due before today; of what is "paid" a part is due from today on.
"""


class Incoming(NamedTuple):
    """Money that comes in on a day into an account; a day that is past has not brought it."""

    day: dt.date
    account: str
    amount: Money


def of_this_month(
    file: HouseholdFile, policy: Policy, memory: Memory, today: dt.date
) -> tuple[Incoming, ...]:
    """The contributions of this month that are not paid yet, the late ones of the last first."""
    days, paid = policy.plan.raise_cash_days, memory.paid_in()
    early = dt.timedelta(days=days)
    late = overdue(file.contributions, paid, today, early, memory.taken_over)
    due = expected(file.contributions, paid, today, _month_end(today), early)
    missed = (
        one
        for one in late
        if one.date >= today.replace(day=1) or kept_until(one.date, days) >= today
    )
    return tuple(Incoming(one.date, one.account, one.amount) for one in (*missed, *due))


def month_of(file: HouseholdFile, memory: Memory, today: dt.date) -> Month:
    """What the contributions of this month are where none is missing."""
    due = flows_due(file.contributions, today.replace(day=1) - _ONE_DAY, _month_end(today))
    if not due:
        return "none"
    if due[-1].date >= today:
        return "paid"
    over = memory.taken_over
    return "was paid" if any(over.get(one.account, today) <= one.date for one in due) else "past"


def _month_end(today: dt.date) -> dt.date:
    return (today.replace(day=1) + dt.timedelta(days=31)).replace(day=1) - _ONE_DAY
