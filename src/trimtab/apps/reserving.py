"""The operating reserve of a household as it stands: what it needs, and what is there for it."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from trimtab.domain.numbers import ZERO, Money
from trimtab.domain.policy import FlowRule, Policy, ReserveRule
from trimtab.rules.reserve import Coverage, Reserve, coverage, reserve
from trimtab.rules.schedule import flows_due

_AHEAD = dt.timedelta(days=3 * 366)
"""Contributions later than this fill a reserve too late to speak of."""


class Reserving(NamedTuple):
    """A reserve, and the cash for it: that of its account beyond the account's own reserve."""

    rule: ReserveRule
    today: dt.date
    needed: Reserve
    cash: Money
    beside: Money
    reached: Coverage
    full_on: dt.date | None

    @property
    def safe(self) -> Money:
        """Cash that is there for the reserve."""
        return max(ZERO, self.cash - self.beside)


def reserving(
    policy: Policy,
    cash: Mapping[str, Money],
    today: dt.date,
    contributions: Iterable[FlowRule] = (),
) -> Reserving | None:
    """How the reserve of *policy* stands with *cash* by account; None where it has none.

    None too where the cash of its account is not known. A reserve that lacks something is
    `full_on` the day on which *contributions* have filled it.
    """
    rule = policy.reserve
    if rule is None or rule.account not in cash:
        return None
    there = cash[rule.account]
    beside = policy.cash_reserves.get(rule.account, ZERO)
    needed = reserve(rule, today)
    reached = coverage(rule, today, max(ZERO, there - beside))
    # The account's own reserve must be there too before a deposit counts for this one.
    lacks = reached.lacks + max(ZERO, beside - there) if reached.lacks > 0 else ZERO
    return Reserving(
        rule=rule,
        today=today,
        needed=needed,
        cash=there,
        beside=beside,
        reached=reached._replace(lacks=lacks),
        full_on=_full_on(lacks, rule.account, today, contributions),
    )


def _full_on(
    lacks: Money, account: str, today: dt.date, contributions: Iterable[FlowRule]
) -> dt.date | None:
    if lacks <= 0:
        return None
    own = [rule for rule in contributions if rule.account == account]
    for flow in flows_due(own, today - dt.timedelta(days=1), today + _AHEAD):
        lacks -= flow.amount
        if lacks <= 0:
            return flow.date
    return None
