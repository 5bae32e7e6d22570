"""How an account kept to its value path: goals, values and what was put in, day by day."""

import datetime as dt
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from trimtab.apps.hypothetical import Look
from trimtab.apps.run import policy_in_force
from trimtab.apps.world import House
from trimtab.domain.errors import TrimtabError
from trimtab.domain.events import Decided, Entry
from trimtab.domain.incoming import AveragingRule, PastContribution
from trimtab.domain.memory import Memory, remember
from trimtab.domain.numbers import ZERO, Money
from trimtab.domain.values import Lot, trade_date
from trimtab.rules.contributions import ValueAveragingRule, cap_of, goals
from trimtab.rules.holdings import class_of
from trimtab.rules.path_periods import periods
from trimtab.rules.side_fund import rule_of, standings

_POINTS_MAX = 250
"""More looks than this are thinned out: a line has no more to show."""
_AHEAD = dt.timedelta(days=183)


class ValuePath(NamedTuple):
    """One account's path: its goals, until half a year ahead, and what became of them.

    `values` are what the account held at looks of past days, the last one today; `put_in` is by
    period, the one that is open last; `caps` are the most that the period of each goal might take.
    """

    rule: AveragingRule
    goals: tuple[tuple[dt.date, Money], ...]
    values: tuple[tuple[dt.date, Money], ...]
    put_in: tuple[PastContribution, ...]
    caps: tuple[Money, ...]


def value_paths(house: House, look: Look) -> tuple[ValuePath, ...]:
    """The paths of all accounts that have one."""
    policy = policy_in_force(look.memory)
    today = trade_date(look.snapshot.at)
    entries = list(house.journal.entries())
    found = []
    for one in standings(look.snapshot, policy, look.memory, look.facts):
        rule = rule_of(one.rule)
        if not isinstance(rule, ValueAveragingRule):
            continue
        symbols = set(class_of(policy)) & set(house.instruments)
        past = [
            point for point in _values(house, entries, rule.account, symbols) if point[0] < today
        ]
        path = goals(rule, max(today, rule.first) + _AHEAD)
        found.append(
            ValuePath(
                rule=one.rule,
                goals=path,
                values=(*past, (today, one.value)),
                put_in=periods(one, look.memory),
                caps=tuple(cap_of(rule, number) for number in range(1, len(path) + 1)),
            )
        )
    return tuple(found)


def _values(
    house: House, entries: Sequence[Entry], account: str, symbols: set[str]
) -> Iterator[tuple[dt.date, Money]]:
    """What *account* was worth at the end of each day with a look, where prices still tell."""
    days = [list(group) for _, group in groupby(entries, lambda entry: trade_date(entry.at))]
    every = max(1, -(-len(days) // _POINTS_MAX))
    memory = Memory()
    for number, day in enumerate(days):
        memory = remember(memory, day)
        looks = [entry.at for entry in day if isinstance(entry.event, Decided)]
        if not looks or (number % every and number < len(days) - 1):
            continue
        own = [
            lot for lot in memory.lots.values() if lot.account == account and lot.symbol in symbols
        ]
        value = _priced(house, own, looks[-1])
        if value is not None:
            yield trade_date(looks[-1]), value


def _priced(house: House, lots: Sequence[Lot], at: dt.datetime) -> Money | None:
    """What *lots* were worth, or None where a price of then is not there any more."""
    try:
        quotes = house.prices.quotes(sorted({lot.symbol for lot in lots}), at)
    except TrimtabError:
        return None
    if any(lot.symbol not in quotes for lot in lots):
        return None
    return sum((lot.quantity * quotes[lot.symbol].price for lot in lots), ZERO)
