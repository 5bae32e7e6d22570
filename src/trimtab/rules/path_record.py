"""What a value path put into its account within a period, and how its periods ended."""

import datetime as dt
from collections.abc import Iterable
from itertools import pairwise
from typing import TypeVar

from trimtab.domain.history import TransactionKind
from trimtab.domain.incoming import PastContribution
from trimtab.domain.memory import Memory
from trimtab.domain.numbers import ZERO, Money, to_cents
from trimtab.domain.policy import Policy
from trimtab.domain.trades import Disposal
from trimtab.domain.values import Lot, Snapshot, trade_date
from trimtab.rules.contributions import ValueAveragingRule, contribution_days, obligations_due
from trimtab.rules.holdings import class_of

_ONE_DAY = dt.timedelta(days=1)
_Owned = TypeVar("_Owned", Lot, Disposal)


def classed(owned: Iterable[_Owned], policy: Policy, account: str) -> list[_Owned]:
    """What of *owned* is in *account* and belongs to a class."""
    classes = class_of(policy)
    return [one for one in owned if one.account == account and one.symbol in classes]


def net_bought(
    rule: ValueAveragingRule,
    lots: Iterable[Lot],
    policy: Policy,
    memory: Memory,
    span: tuple[dt.date, dt.date],
) -> Money:
    """What the account of *rule* put in from a day until before another, to the cent.

    It is what the purchases of those days cost, less what units bought and sold again within them
    had cost; a sale of older units, as for a withdrawal, is none of the path's. Where the rule
    `sells`, it is less what all sales of those days brought, and may be negative: the books do not
    tell what a sale was for.

    *lots* are those still held. No purchase are lots with which the books began before their own
    date, as those of a replay of the past can be.
    """
    since, until = span
    ahead = {
        one.lot_id
        for one in memory.history
        if one.kind is TransactionKind.OPENING
        and one.acquired is not None
        and one.acquired > one.date
    }
    sold = classed(memory.disposals, policy, rule.account)
    held = [(one.id, one.acquired, one.basis) for one in classed(lots, policy, rule.account)]
    later = [one for one in sold if rule.sells or one.sold >= until]
    held += [(one.lot_id, one.acquired, one.basis) for one in later]
    bought = sum(
        (basis for lot, day, basis in held if since <= day < until and lot not in ahead), ZERO
    )
    if rule.sells:
        bought -= sum((one.proceeds for one in sold if since <= one.sold < until), ZERO)
    return to_cents(bought)


def over(
    rule: ValueAveragingRule, snapshot: Snapshot, policy: Policy, memory: Memory
) -> tuple[PastContribution, ...]:
    """The days of *rule* that were not done when the next one came, and are not written down yet.

    *snapshot* is as a turn finds it; of its lots only those count that were there in a period.
    """
    known = memory.contributions.get(rule.account, ())
    last = max((one.day for one in known), default=dt.date.min)
    seen = dt.date.min if last >= rule.first else _last_seen(memory)
    held = classed(snapshot.lots, policy, rule.account)
    days = contribution_days(rule, rule.first - _ONE_DAY, trade_date(snapshot.at))
    found: tuple[PastContribution, ...] = ()
    for day, following in pairwise(days):
        if day <= last or following <= seen:
            continue
        before = [lot for lot in held if lot.acquired < following]
        bought = net_bought(rule, memory.lots.values(), policy, memory, (day, following))
        due = obligations_due(
            rule,
            value=sum((lot.quantity * snapshot.price(lot.symbol) for lot in before), ZERO),
            past=known + found,
            since=rule.first,
            today=following - _ONE_DAY,
            currency=snapshot.base_currency,
            bought=max(ZERO, bought),
        )
        ended = PastContribution(
            day=day,
            amount=bought,
            withheld=sum((one.withheld for one in due), ZERO),
            short=max(ZERO, sum((one.amount for one in due), ZERO)),
        )
        found = (*found, ended)
    return found


def _last_seen(memory: Memory) -> dt.date:
    """The last date before this one with a turn that could trade, or with prices to believe.

    Of two such dates it is the earlier one; the last of all days where there is none.
    """
    if memory.previous_mark is None or memory.last_executed is None:
        return dt.date.max
    return min(memory.previous_mark.session, trade_date(memory.last_executed))
