"""What each period of a value path put in, and what it was short of."""

from trimtab.domain.facts import Facts
from trimtab.domain.incoming import PastContribution
from trimtab.domain.memory import Memory
from trimtab.domain.numbers import ZERO
from trimtab.domain.policy import Policy
from trimtab.domain.values import Snapshot
from trimtab.rules.contributions import ValueAveragingRule
from trimtab.rules.path_record import over
from trimtab.rules.side_fund import Standing, rule_of


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
        for past in over(made, snapshot, policy, memory)
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
