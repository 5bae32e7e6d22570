"""The operating reserve of a household as it stands: what it needs, and what is there for it."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from trimtab.domain.facts import Facts
from trimtab.domain.memory import Memory
from trimtab.domain.numbers import ZERO, Money
from trimtab.domain.policy import FlowRule, Policy, ReserveRule
from trimtab.domain.values import ScheduledFlow
from trimtab.rules.reserve import Coverage, Reserve, coverage, reserve
from trimtab.rules.schedule import expected, withdrawals_due

_AHEAD = dt.timedelta(days=3 * 366)
"""Contributions later than this fill a reserve too late to speak of."""


class Reserving(NamedTuple):
    """A reserve, and the cash of its account.

    Neither what is `beside` counts for it, the account's own reserve, nor what is `due` to be
    withdrawn in the days for which the plan provides.
    """

    rule: ReserveRule
    today: dt.date
    needed: Reserve
    cash: Money
    beside: Money
    due: Money
    reached: Coverage
    full_on: dt.date | None

    @property
    def safe(self) -> Money:
        """Cash that is there for the reserve."""
        return max(ZERO, self.cash - self.beside - self.due)


def reserving(
    policy: Policy, cash: Mapping[str, Money], today: dt.date, facts: Facts, memory: Memory
) -> Reserving | None:
    """How the reserve of *policy* stands with *cash* by account; None where it has none.

    None too where the cash of its account is not known. A reserve that lacks something is
    `full_on` the day on which the contributions of *facts* have filled it. What came or went for
    one of them already, by *memory*, does not do so again.
    """
    rule = policy.reserve
    if rule is None or rule.account not in cash:
        return None
    early = dt.timedelta(days=policy.plan.raise_cash_days)
    leaving = withdrawals_due(_own(facts.withdrawals, rule.account), policy, memory, today)
    due = sum((flow.amount for flow in leaving), ZERO)
    there = cash[rule.account] - due
    beside = policy.cash_reserves.get(rule.account, ZERO)
    reached = coverage(rule, today, max(ZERO, there - beside))
    # The account's own reserve must be there too before a deposit counts for this one.
    lacks = reached.lacks + max(ZERO, beside - there) if reached.lacks > 0 else ZERO
    own = _own(facts.contributions, rule.account)
    return Reserving(
        rule=rule,
        today=today,
        needed=reserve(rule, today),
        cash=cash[rule.account],
        beside=beside,
        due=due,
        reached=reached._replace(lacks=lacks),
        full_on=_full_on(lacks, expected(own, memory.paid_in(), today, today + _AHEAD, early)),
    )


def _own(rules: Iterable[FlowRule], account: str) -> list[FlowRule]:
    return [one for one in rules if one.account == account]


def _full_on(lacks: Money, coming: Iterable[ScheduledFlow]) -> dt.date | None:
    """The day on which what is *coming* has brought what the reserve *lacks*."""
    if lacks <= 0:
        return None
    for flow in coming:
        lacks -= flow.amount
        if lacks <= 0:
            return flow.date
    return None
