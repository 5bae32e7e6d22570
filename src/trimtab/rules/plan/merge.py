"""Lots that nothing tells apart count as one: fewer variables, the same answers."""

import numpy as np
from msgspec.structs import replace

from trimtab.rules.plan.problem import Floats, Ints, Lots, Problem


def merged(problem: Problem) -> tuple[Problem, Ints]:
    """*problem* with neighbours of one place that cost the same as one lot; the lot of each (L,).

    In an account that is not taxed those are all lots of a place.
    """
    lots = problem.lots
    if len(lots.value) == 0:
        return problem, np.zeros(0, dtype=np.int64)
    is_long = lots.is_long & lots.is_taxed
    same = lots.place[1:] == lots.place[:-1]
    told = (lots.gain, is_long, lots.is_taxed, lots.is_loss, lots.is_recent)
    for column in (*told, lots.cost, lots.extra, lots.cash):
        same &= column[1:] == column[:-1]
    same &= ~lots.goes_alone[1:]
    of = np.concatenate(([0], np.cumsum(~same)))
    first = np.flatnonzero(np.concatenate(([True], ~same)))
    if len(first) == len(of):
        return problem, of
    fewer = Lots(
        place=lots.place[first],
        value=np.bincount(of, lots.value).astype(np.float64),
        gain=lots.gain[first],
        is_long=lots.is_long[first],
        is_taxed=lots.is_taxed[first],
        is_loss=lots.is_loss[first],
        is_recent=lots.is_recent[first],
        goes_alone=lots.goes_alone[first],
        cost=lots.cost[first],
        extra=lots.extra[first],
        cash=lots.cash[first],
    )
    return replace(problem, lots=fewer), of


def spread(sold: Floats, value: Floats, of: Ints) -> Floats:
    """Dollars *sold* of merged lots as dollars of each lot, the front of them first."""
    if len(sold) == len(value):
        return sold
    before = np.cumsum(value) - value
    first = np.flatnonzero(np.concatenate(([True], of[1:] != of[:-1])))
    before -= before[first][of]
    parts = np.clip(sold[of] - before, 0.0, value)
    whole = sold >= np.bincount(of, value) * (1.0 - 1e-12)
    return np.where(whole[of], value, parts)
