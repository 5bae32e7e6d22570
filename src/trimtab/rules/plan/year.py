"""The tax of the household's year as planes, and what a loss or a location is worth later."""

import numpy as np

from trimtab.domain.numbers import ONE, ZERO, Weight, to_float
from trimtab.domain.policy import ClassRule, HarvestRule
from trimtab.rules.plan.planning import Planning
from trimtab.rules.plan.problem import Floats, YearTax
from trimtab.rules.tax.saving import later_tax

_CHUNKS_EACH = 60
"""A line for each year in which a loss is deducted; far out for fewer and fewer of them."""
_WORTHLESS = 0.001


def year_tax(planning: Planning, most_lost: float) -> YearTax:
    """What today's gains add to the year's tax, as `rules.tax.saving.tax_of` computes it.

    With S and L the year's net short and long result, the tax is the lesser of two convex
    functions. Where the short rate is the higher one: with a long-term gain left, `long * net +
    (short - long) * S` above zero; else a function of the net alone, which below zero is deducted
    at the short rate up to the yearly limit and the rest in later years, discounted (26 USC 1222,
    1211(b), 1212(b)). Where the long rate is the higher one, the two change places. *most_lost*
    (dollars) is how far today's losses can reach.
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
    net = _net_planes(high, short, limit, discount, (lost, reach))
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


def _net_planes(
    gain: float, ordinary: float, limit: float, discount: float, losses: tuple[float, float]
) -> Floats:
    """Lines (value at zero, slope) whose maximum is the tax on a net result.

    Above zero a net result costs *gain*. A net loss saves the *ordinary* rate, in chunks of
    *limit* a year, each year later worth less. *losses* are the net loss so far and the greatest
    that there can be: each year near the one and near zero has a line, those far out only some, so
    that the maximum is a little below the truth there.
    """
    lines = [(0.0, gain), (0.0, ordinary)]
    if limit <= 0:
        return np.asarray([*lines[:1], (0.0, 0.0)])
    here, last = int(losses[0] / limit), int(losses[1] / limit) + 2
    chunks = [1]
    while chunks[-1] < last and discount ** chunks[-1] > _WORTHLESS:
        chunks.append(chunks[-1] + max(1, chunks[-1] - _CHUNKS_EACH))
    near = range(max(1, here - _CHUNKS_EACH), min(last, here + _CHUNKS_EACH))
    for chunk in sorted({*chunks, *near}):
        years = chunk if discount == 1.0 else (1.0 - discount**chunk) / (1.0 - discount)
        slope = ordinary * discount**chunk
        lines.append((slope * limit * chunk - ordinary * limit * years, slope))
    return np.asarray(lines)


def later_rate(planning: Planning) -> Weight:
    """What a dollar of loss taken today costs later, as its substitute begins with less basis."""
    rule: HarvestRule = planning.harvest
    return later_tax(ONE, planning.tax, rule.horizon_years, rule.discount_rate)


def drag(rule: ClassRule, planning: Planning) -> Weight:
    """What holding a dollar of the class in a taxed account costs over the policy's years.

    Its distributions are taxed every year: ordinary ones at the short-term rate, qualified ones at
    the long-term rate; each year's tax counts at its end, discounted.
    """
    tax, years = planning.tax, planning.policy.plan.location_years
    yearly = rule.ordinary_yield * tax.short_term_rate + rule.qualified_yield * tax.long_term_rate
    rate = planning.harvest.discount_rate
    if years == 0 or yearly == 0:
        return ZERO
    worth = Weight(years) if rate == 0 else (ONE - (ONE + rate) ** -years) / rate
    return yearly * worth
