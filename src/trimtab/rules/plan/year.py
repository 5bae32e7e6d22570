"""The tax of the household's year as planes, and what a loss or a location is worth later."""

from typing import NamedTuple

import numpy as np

from trimtab.domain.numbers import ONE, ZERO, Weight, to_float
from trimtab.domain.policy import ClassRule, HarvestRule, TaxRule
from trimtab.rules.plan.planning import Planning
from trimtab.rules.plan.problem import Floats, YearTax
from trimtab.rules.tax.saving import later_tax

_EXACT = 40
"""So many years from no loss on, and half as many around the loss so far, each have a line."""
_NEAR = 2e-6
"""Elsewhere as many as keep the planes within a fiftieth of a basis point of the value."""
_LEAST = 1e-6
_NOTHING = 1e-9


def year_tax(planning: Planning, most_lost: float, value: float) -> YearTax:
    """What today's gains add to the year's tax, as `rules.tax.saving.tax_of` computes it.

    With S and L the year's net short and long result, the tax is the lesser of two convex
    functions. Where the short rate is the higher one: with a long-term gain left, `long * net +
    (short - long) * S` above zero; else a function of the net alone, which below zero is deducted
    at the short rate up to the yearly limit and the rest in later years, discounted (26 USC 1222,
    1211(b), 1212(b)). Where the long rate is the higher one, the two change places. *most_lost*
    (dollars) is how far today's losses can reach, and *value* (dollars) what an error is a part of.
    """
    tax, so_far = planning.tax, planning.year
    short, long = to_float(tax.short_term_rate), to_float(tax.long_term_rate)
    start_short = to_float(so_far.short - so_far.carry.st)
    start_long = to_float(so_far.long - so_far.carry.lt)
    limit = to_float(planning.statutes.capital_loss.limit_of(tax.filing_status))
    low, high = min(short, long), max(short, long)
    of_dearer = (1.0, 0.0) if short >= long else (0.0, 1.0)
    split = np.asarray(
        [
            [0.0, 0.0],
            [low, 0.0],
            [0.0, high - low],
            [low, high - low],
        ]
    )
    first = _moved(
        np.column_stack(
            [
                np.zeros(len(split)),
                split[:, 0] + split[:, 1] * of_dearer[0],
                split[:, 0] + split[:, 1] * of_dearer[1],
            ]
        ),
        start_short,
        start_long,
    )
    reach = most_lost + max(0.0, -(start_short + start_long))
    discount = 1.0 / (1.0 + to_float(planning.harvest.discount_rate))
    lost = max(0.0, -(start_short + start_long))
    years = _Years(short, limit, discount)
    net = years.planes(high, lost, reach, max(_NEAR * value, _LEAST * reach))
    second = _moved(np.column_stack([net[:, 0], net[:, 1], net[:, 1]]), start_short, start_long)
    known = min(float(first[:, 0].max()), float(second[:, 0].max()))
    first[:, 0] -= known
    second[:, 0] -= known
    return YearTax(branches=(first, second))


def _moved(planes: Floats, short: float, long: float) -> Floats:
    """*planes* of the year's result as planes of what is added to (*short*, *long*)."""
    moved = planes.copy()
    moved[:, 0] += planes[:, 1] * short + planes[:, 2] * long
    return moved


class _Years(NamedTuple):
    """What a net loss saves: the ordinary rate, in chunks of the limit, each a year later."""

    ordinary: float
    limit: float
    discount: float

    def planes(self, gain: float, lost: float, reach: float, near: float) -> Floats:
        """Lines (value at zero, slope) whose maximum is the tax on a net result.

        Above zero a net result costs *gain*. *lost* is the net loss so far and *reach* the greatest
        that there can be. The maximum is nowhere above the truth and down to *reach* no more than
        *near* (dollars) below it.
        """
        if self.limit <= 0:
            return np.asarray([(0.0, gain), (0.0, 0.0)])
        lines = [(0.0, gain), (0.0, self.ordinary)]
        if self.discount == 1.0 or self.ordinary == 0:
            return np.asarray(lines)
        here, last = int(lost / self.limit), int(reach / self.limit) + 1
        around = range(max(1, here - _EXACT // 2), here + _EXACT // 2)
        chosen = {year for year in (*range(1, _EXACT), *around) if year <= last}
        for year in sorted({*chosen, *self._spaced(last, near)}):
            slope = self.ordinary * self.discount**year
            lines.append((slope * self.limit * year - self._saved(year), slope))
        return np.asarray(lines)

    def _spaced(self, last: int, near: float) -> list[int]:
        """Years up to *last*, each as far from the one before as keeps the lines *near* enough."""
        year, apart, found = 0, 1, [last]
        while year < last and self.discount**year > _NOTHING:
            while year + apart < last and self._off(year, year + apart + 1) <= near:
                apart += 1
            while apart > 1 and self._off(year, year + apart) > near:
                apart -= 1
            year += apart
            found.append(min(year, last))
        return found

    def _off(self, first: int, second: int) -> float:
        """How far the lines of two years are below the truth where they cross, in dollars."""
        early, late = self.discount**first, self.discount**second
        if early <= late:
            return 0.0
        start, end = self._saved(first), self._saved(second)
        unit = self.ordinary * self.limit
        cross = ((end - start) / unit + first * early - second * late) / (early - late)
        return start + (cross - first) * early * unit - self._saved(cross)

    def _saved(self, chunks: float) -> float:
        """What so many *chunks* of loss save, the last one in part."""
        whole = int(chunks)
        years = (1.0 - self.discount**whole) / (1.0 - self.discount)
        part = (chunks - whole) * self.discount**whole
        return self.ordinary * self.limit * (years + part)


def later_rate(planning: Planning) -> Weight:
    """What a dollar of loss taken today costs later, as its substitute begins with less basis."""
    rule: HarvestRule = planning.harvest
    return later_tax(ONE, planning.tax, rule.horizon_years, rule.discount_rate)


def drag(rule: ClassRule, planning: Planning) -> Weight:
    """What holding a dollar of the class in a taxed account costs over the policy's years.

    Its distributions are taxed every year: ordinary ones at the short-term rate, qualified ones at
    the long-term rate; each year's tax counts at its end, discounted.
    """
    return _yearly(rule, planning.tax) * _years(planning)


def drags_of(planning: Planning) -> dict[str, Weight]:
    """`drag` of every class by its name."""
    years = _years(planning)
    if years == 0:
        return dict.fromkeys(planning.policy.classes, ZERO)
    return {
        name: _yearly(rule, planning.tax) * years for name, rule in planning.policy.classes.items()
    }


def _yearly(rule: ClassRule, tax: TaxRule) -> Weight:
    return rule.ordinary_yield * tax.short_term_rate + rule.qualified_yield * tax.long_term_rate


def _years(planning: Planning) -> Weight:
    """What a dollar at the end of each of the policy's years is worth today."""
    years, rate = planning.policy.plan.location_years, planning.harvest.discount_rate
    if years == 0:
        return ZERO
    return Weight(years) if rate == 0 else (ONE - (ONE + rate) ** -years) / rate
