"""New money for a lump that has not begun: what of it goes in at once, and what waits."""

import datetime as dt
from typing import NamedTuple

from trimtab.domain.numbers import CENT, ZERO, Money, round_to_step
from trimtab.rules.contributions import DollarCostRule, parts_of
from trimtab.rules.side_fund import Standing, rule_of
from trimtab.rules.words import listing, money

_ONE_DAY = dt.timedelta(days=1)
_NAMED = 6
"""The most days that are named one by one."""


class Taken(NamedTuple):
    """What a lump makes of new money; `free` is invested on the day it comes, `waits` is not.

    `soon` are the parts of the lump that fall due later and within the days of the plan, beyond
    those of the sums before.
    """

    free: Money
    waits: Money
    soon: Money = ZERO
    why: str = ""


class UnbegunLump:
    """A lump that takes one sum after another until it begins, as `rules.side_fund` tells.

    `arriving` is what it has taken, and `begins` the day on which it begins with that, if it does.
    """

    def __init__(self, standing: Standing, until: dt.date, currency: str) -> None:
        """Take money for the lump of *standing*, which `is_unbegun`.

        *until* is the last day that the plan counts as soon.
        """
        made = rule_of(standing.rule)
        assert isinstance(made, DollarCostRule), "only a lump begins with its money"
        self.arriving: Money = ZERO
        self.begins: dt.date | None = made.first if standing.needs is None else None
        self._made, self._currency = made, currency
        self._until = until
        self._amount, self._there = standing.rule.amount, standing.waits
        self._soon: Money = standing.coming
        self._needs: Money = standing.needs or ZERO
        self._freed: Money = ZERO

    def take(self, day: dt.date, amount: Money) -> Taken:
        """What becomes of *amount*, which comes on *day*; sums are taken in order of their days."""
        parts = self._parts()
        is_late = self.begins is not None and day > self.begins
        if is_late or day >= parts[-1][0]:
            return Taken(free=amount, waits=ZERO)
        taken = min(amount, max(ZERO, self._amount - self._there))
        self._there += taken
        self.arriving += taken
        if self.begins is None and self._there >= self._needs:
            self.begins = max(day, self._made.first)
        freed, before = self._free(day, taken), self._soon
        if self.begins is not None:
            parts = self._parts()
            self._soon = sum((part for when, part in parts if day < when <= self._until), ZERO)
        soon = self._soon - before
        return Taken(amount - taken + freed, taken - freed, soon, self._why(day))

    def _free(self, day: dt.date, most: Money) -> Money:
        """The parts that are due by *day*, but for what was freed already."""
        if self.begins is None:
            return ZERO
        due = sum((part for when, part in self._parts() if when <= day), ZERO)
        freed = min(most, due - self._freed)
        self._freed += freed
        return freed

    def _why(self, day: dt.date) -> str:
        if self.begins is None:
            least = money(self._needs, self._currency)
            return f"It goes into the lump of [[averaging]] and waits: that begins with {least}."
        days = [when for when, _ in self._parts()]
        later = [str(when) for when in days if when > day]
        several = len(later) > _NAMED
        waits = f"{len(later)} days from {later[0]} to {later[-1]}" if several else listing(later)
        due = len(days) - len(later)
        begins = f"{due} of {len(days)} parts at once, and this waits for {waits}"
        if due == 0:
            begins = f"in {len(days)} parts, and waits for {waits}"
        return f"It goes into the lump of [[averaging]], {begins}."

    def _parts(self) -> list[tuple[dt.date, Money]]:
        left, after = round_to_step(self._there, CENT), self._made.first - _ONE_DAY
        found = parts_of(self._made, left, after)
        return [(day, part) for _, day, part in found]


def is_unbegun(standing: Standing, today: dt.date) -> bool:
    """Whether *standing* is that of a lump which still takes money that comes."""
    is_new = standing.rule.by == "parts" and standing.before is None
    return is_new and (standing.needs is not None or today < standing.rule.first)
