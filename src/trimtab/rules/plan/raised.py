"""Sales made larger where rounding leaves an account with less cash than is due there."""

from collections.abc import Mapping, Sequence
from math import ceil

import numpy as np

from trimtab.domain.numbers import ZERO, Money
from trimtab.rules.plan.steps import Order


def with_cash_raised(sales: Sequence[Order], free: Mapping[int, Money], most: float) -> list[Order]:
    """*sales*, with more steps of the cheapest one where an account of *free* is short.

    No more than *most* dollars are sold in all.
    """
    raised = list(sales)
    left = most + sum(one.steps * one.worth for one in raised)
    for account, there in free.items():
        short = -there - sum(
            (one.steps * one.unit for one in raised if one.account == account), ZERO
        )
        while short > 0:
            found = _extended(raised, account, short, left)
            if found is None:
                break
            number, steps = found
            order = raised[number]
            raised[number] = order._replace(steps=order.steps + steps)
            short -= steps * order.unit
            left += steps * order.worth
    return raised


def _extended(
    sales: Sequence[Order], account: int, short: Money, turnover_left: float
) -> tuple[int, int] | None:
    """The sale that brings what is *short* with the least beyond it, or the most of it."""
    found: list[tuple[Money, int, int]] = []
    for number, order in enumerate(sales):
        most = order.most
        if turnover_left < np.inf:
            most = min(most, order.steps + int(max(0.0, turnover_left) / -order.worth))
        if order.account != account or order.steps >= most:
            continue
        steps = ceil(short / order.unit)
        steps = min(max(steps, order.least - order.steps), most - order.steps)
        if order.steps + steps < order.least and order.steps + steps != order.whole:
            continue
        found.append((abs(steps * order.unit - short), number, steps))
    return min(found)[1:] if found else None
