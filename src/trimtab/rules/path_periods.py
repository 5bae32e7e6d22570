"""What each period of a value path put in, and what it was short of."""

import datetime as dt
from collections.abc import Iterator
from itertools import pairwise

from trimtab.domain.facts import Facts
from trimtab.domain.incoming import PastContribution
from trimtab.domain.memory import Memory
from trimtab.domain.numbers import ZERO
from trimtab.domain.policy import Policy
from trimtab.domain.values import Snapshot, trade_date
from trimtab.rules.contributions import ValueAveragingRule, contribution_days, obligations_due
from trimtab.rules.side_fund import Standing, classed, done_of, net_bought, rule_of

_ONE_DAY = dt.timedelta(days=1)


def ended(
    snapshot: Snapshot, policy: Policy, memory: Memory, facts: Facts
) -> tuple[tuple[str, PastContribution], ...]:
    """The days of paths that were not done when the next one came, by account.

    *snapshot* is as the turn found it: what a day was short of is told at the prices of the first
    turn after its period, without what that turn bought. Every day counts after the last that is
    written down; before the first that is, only what was open at an earlier turn, since of what a
    path asks for still earlier nothing was ever due.
    """
    return tuple(
        (rule.account, past)
        for rule in facts.averaging
        if isinstance(made := rule_of(rule), ValueAveragingRule)
        and rule.account in snapshot.accounts
        for past in _ended(made, snapshot, policy, memory)
    )


def periods(one: Standing, memory: Memory) -> tuple[PastContribution, ...]:
    """What each period of a path put in, and last what the one that is still open has so far."""
    rule = one.rule
    past = tuple(
        past
        for past in memory.contributions.get(rule.account, ())
        if past.lump is None and past.day >= rule.first
    )
    now = tuple(
        PastContribution(
            day=due.day,
            amount=one.bought,
            withheld=due.withheld,
            short=max(ZERO, due.amount),
        )
        for due in one.obligations
    )
    return past + now


def _last_seen(memory: Memory) -> dt.date:
    """The last date before this one with a turn that could trade, or with prices to believe.

    Of two such dates it is the earlier one; the last of all days where there is none.
    """
    if memory.previous_mark is None or memory.last_executed is None:
        return dt.date.max
    return min(memory.previous_mark.session, trade_date(memory.last_executed))


def _ended(
    rule: ValueAveragingRule, snapshot: Snapshot, policy: Policy, memory: Memory
) -> Iterator[PastContribution]:
    last = max((one.day for one in memory.contributions.get(rule.account, ())), default=dt.date.min)
    seen = dt.date.min if last >= rule.first else _last_seen(memory)
    held = classed(snapshot.lots, policy, rule.account)
    days = contribution_days(rule, rule.first - _ONE_DAY, trade_date(snapshot.at))
    for day, following in pairwise(days):
        if day <= last or following <= seen:
            continue
        before = [lot for lot in held if lot.acquired < following]
        span = day, following
        bought = net_bought(rule.account, memory.lots.values(), policy, memory, span)
        due = obligations_due(
            rule,
            value=sum((lot.quantity * snapshot.price(lot.symbol) for lot in before), ZERO),
            past=done_of(rule.account, memory),
            since=rule.first,
            today=following - _ONE_DAY,
            currency=snapshot.base_currency,
            bought=max(ZERO, bought),
        )
        yield PastContribution(
            day=day,
            amount=bought,
            withheld=sum((one.withheld for one in due), ZERO),
            short=max(ZERO, sum((one.amount for one in due), ZERO)),
        )
