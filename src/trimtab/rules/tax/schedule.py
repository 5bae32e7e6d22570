"""The days on which something is bought by itself: contributions, savings plans, reinvestment."""

import datetime as dt
from collections.abc import Iterable

from trimtab.domain.policy import PurchaseRule
from trimtab.domain.values import ScheduledPurchase
from trimtab.rules.schedule import days_due
from trimtab.rules.tax.ledger import Ledger
from trimtab.rules.tax.matching import WINDOW_DAYS

_WINDOW = dt.timedelta(days=WINDOW_DAYS)
LATE_DAYS = 4
"""By how much a purchase may be booked later than planned, apart from a weekend."""


def purchases_due(
    rules: Iterable[PurchaseRule], after: dt.date, until: dt.date
) -> tuple[ScheduledPurchase, ...]:
    """What *rules* buy later than *after* and not later than *until*, the earliest first.

    Examples:
        >>> monthly = PurchaseRule(account="ira", symbol="VTI", first=dt.date(2026, 1, 31))
        >>> due = purchases_due([monthly], dt.date(2026, 1, 31), dt.date(2026, 3, 31))
        >>> [str(one.date) for one in due]
        ['2026-02-28', '2026-03-31']
    """
    due = [
        ScheduledPurchase(account=rule.account, symbol=rule.symbol, date=day, amount=rule.amount)
        for rule in rules
        for day in days_due(rule.first, rule.every, after, until)
    ]
    return tuple(sorted(due, key=lambda one: (one.date, one.account, one.symbol)))


def is_recorded(ledger: Ledger, planned: ScheduledPurchase, on: dt.date) -> bool:
    """Whether the ledger holds a purchase that is the *planned* one, perhaps a little later.

    What is planned for *on* itself may still come.
    """
    row = ledger.held(planned.account, planned.symbol)
    lots = [] if row is None else row.lots
    return planned.date < on and any(
        lot.is_purchase
        and planned.date <= lot.acquired <= planned.bought_by + dt.timedelta(days=LATE_DAYS)
        for lot in reversed(lots)
    )


def is_near(planned: ScheduledPurchase, sold: dt.date) -> bool:
    """Whether it can fall into the window of a loss on *sold*, wherever a weekend moves it."""
    return planned.date - _WINDOW <= sold <= planned.bought_by + _WINDOW


def coming(
    ledger: Ledger, planned: Iterable[ScheduledPurchase], on: dt.date
) -> tuple[ScheduledPurchase, ...]:
    """Those of *planned* that would wash a loss of *on* and that the records do not hold yet."""
    return tuple(one for one in planned if is_near(one, on) and not is_recorded(ledger, one, on))


def span(on: dt.date) -> tuple[dt.date, dt.date]:
    """After which day and until which day purchases are planned that concern a loss of *on*."""
    return on - _WINDOW - dt.timedelta(days=LATE_DAYS + 1), on + _WINDOW
