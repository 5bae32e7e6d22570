"""The spans of ordered places: where a broker books sales in order, how much of them may go.

Sold in a given order, the cost of a place is no convex function of the dollars: a dear lot can
stand in front of a cheap one. Its lower convex envelope bounds it, and is exact wherever a sale
stops between two pools. Where it stops inside one, the mode is split there (branch and bound; Land
and Doig 1960): into a span that sells no more than the lots before, one that stops inside this lot,
and one that sells this lot whole; each has a tighter envelope. The price of an order makes a place
just as little convex: a span sells nothing there, or pays for it.
"""

from typing import NamedTuple

import numpy as np

from trimtab.rules.plan.modes import Modes
from trimtab.rules.plan.problem import Flags, Floats, Ints, Problem

_TINY = 1e-12
_SLIVER = 1e-7
_PASSES = 8
"""So many times all neighbours are pooled at once, before what is left is walked through."""


class Spans(NamedTuple):
    """All spans of all modes (N,), each with its mode, in the order of the modes.

    Rows are lots that a span may sell; those that are forced it sells whole. `orders` (N,) is how
    many orders a span pays for whatever it sells, those of the rows that are open. `pools` are
    those of the rows in which an order must be kept or one is not yet paid for, None without any.
    """

    mode: Ints
    lot: Ints
    row_span: Ints
    is_forced: Flags
    is_open: Flags
    orders: Ints
    pools: "Pools | None"


def whole(modes: Modes, problem: Problem) -> Spans:
    """One span for each mode."""
    place, is_ordered = problem.lots.place, problem.places.is_ordered
    lot, span, forced = modes.lot, modes.lot_mode, modes.lot_is_forced
    if problem.order_cost > 0 or is_ordered[place[lot]].any():
        order = np.lexsort((lot, span))
        lot, span, forced = lot[order], span[order], forced[order]
    count = len(modes.of_class)
    is_open, orders = np.ones(len(lot), dtype=np.bool_), np.zeros(count, dtype=np.int64)
    if problem.order_cost > 0:
        places = len(is_ordered)
        key = span * places + place[lot]
        paid = np.unique(key[forced])
        is_open = np.isin(key, paid)
        orders = np.bincount(paid // max(1, places), minlength=count)
    spans = Spans(np.arange(count), lot, span, forced, is_open, orders, None)
    return _with_pools(spans, problem)


def split(spans: Spans, chosen: Ints, at: Ints, opens: Flags, problem: Problem) -> Spans:
    """*spans* with each of the *chosen* ones split at one lot, *at*.

    Where it *opens* the lot's place, one span sells nothing there, and one pays for the order.
    """
    place = problem.lots.place
    count, several = len(spans.mode), np.flatnonzero(~opens)
    lot_at, number = np.full(count, -1), np.full(count, -1)
    lot_at[chosen], number[chosen] = at, np.arange(len(chosen))
    third = np.full(len(chosen), -1)
    third[several] = count + len(chosen) + np.arange(len(several))
    is_split = lot_at[spans.row_span] >= 0
    rows, others = np.flatnonzero(is_split), np.flatnonzero(~is_split)
    lot, old = spans.lot[rows], spans.row_span[rows]
    forced, is_open = spans.is_forced[rows], spans.is_open[rows]
    edge, opened = lot_at[old], opens[number[old]]
    is_here = place[lot] == place[edge]
    before, behind = is_here & (lot < edge) & ~opened, is_here & (lot > edge) & ~opened
    parts = [
        (~is_here | before, old, forced, is_open),
        (~behind, count + number[old], forced | before, is_open | (is_here & opened)),
        (~opened, third[number[old]], forced | (is_here & ~behind), is_open),
    ]
    lots = np.concatenate([spans.lot[others], *(lot[part[0]] for part in parts)])
    span = np.concatenate([spans.row_span[others], *(part[1][part[0]] for part in parts)])
    force = np.concatenate([spans.is_forced[others], *(part[2][part[0]] for part in parts)])
    opening = np.concatenate([spans.is_open[others], *(part[3][part[0]] for part in parts)])
    source = np.concatenate([np.arange(count), chosen, chosen[several]])
    orders = spans.orders[source]
    orders[count : count + len(chosen)] += opens
    order = np.argsort(spans.mode[source], kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    span = rank[span]
    by_span = np.argsort(span * len(place) + lots, kind="stable")
    found = Spans(
        mode=spans.mode[source][order],
        lot=lots[by_span],
        row_span=span[by_span],
        is_forced=force[by_span],
        is_open=opening[by_span],
        orders=orders[order],
        pools=None,
    )
    return _with_pools(found, problem)


def in_order(problem: Problem, sold: Floats, rank: Floats) -> Floats:
    """What each place sells, from the lots of the lowest *rank* (L,), equals as they stand."""
    lots = problem.lots
    order = np.lexsort((rank, lots.place))
    place, value = lots.place[order], lots.value[order]
    total = np.bincount(lots.place, sold, minlength=len(problem.places.account))
    before = np.cumsum(value) - value
    starts = np.flatnonzero(np.diff(place, prepend=-1))
    before = before - np.repeat(before[starts], np.diff(starts, append=len(before)))
    front = np.clip(total[place] - before, 0.0, value)
    front = np.where(front > value - _SLIVER, value, front)
    found = np.empty(len(sold))
    found[order] = np.where(front < _SLIVER, 0.0, front)
    return found


class Pools:
    """Rows that a broker books in order: their costs made convex by pooling, rank after rank.

    A dear lot in front of a cheap one is sold with it or not at all; the average of the two is the
    lower convex envelope (pool adjacent violators; Barlow et al. 1972).
    """

    def __init__(self, rows: Ints, runs: Ints, is_free: Flags, charge: Floats) -> None:
        """*rows* in the order of booking; *runs* number the places and spans they belong to.

        What *is_free* of an order stands in that of its costs. *charge* is what a run costs once
        its first row is sold, beside the rows.
        """
        self.rows, self.runs = rows, runs
        self.is_free, self.charge = is_free, charge
        self.starts = np.flatnonzero(np.diff(runs, prepend=-1))

    def convex(self, unit: Floats, value: Floats) -> Floats:
        """*unit* with each pool's average in its rows."""
        rows = self.rows
        if self.is_free.any():
            rank = np.where(self.is_free, unit[rows], np.arange(len(rows)))
            rows = rows[np.lexsort((rank, self.runs))]
        average, labels = self._pooled(unit[rows], value[rows])
        found = unit.copy()
        found[rows] = average[labels]
        return found

    def _pooled(self, mine: Floats, weight: Floats) -> tuple[Floats, Ints]:
        """The average of each pool, and the pool of each of the rows."""
        labels = np.arange(len(mine))
        total, size, run = mine * weight, weight, self.runs
        total[self.starts] += self.charge
        for number in range(_PASSES + 1):
            average = total / np.maximum(size, _TINY)
            falls = (run[1:] == run[:-1]) & (average[1:] < average[:-1] - _TINY)
            if not falls.any():
                break
            if number == _PASSES:
                joined = _walked(total, size, run, falls)
            else:
                joined = np.concatenate(([0], np.cumsum(~falls)))
            total = np.bincount(joined, weights=total).astype(np.float64, copy=False)
            size = np.bincount(joined, weights=size).astype(np.float64, copy=False)
            run = run[np.concatenate(([True], joined[1:] != joined[:-1]))]
            labels = joined[labels]
        return total / np.maximum(size, _TINY), labels


def _walked(total: Floats, size: Floats, run: Ints, falls: Flags) -> Ints:
    """The pool of each part, in one walk with a stack through the runs where costs still fall."""
    is_first = np.ones(len(total), dtype=np.int64)
    rows = np.flatnonzero(np.isin(run, run[1:][falls]))
    moneys, dollars, runs = total[rows].tolist(), size[rows].tolist(), run[rows].tolist()
    stack: list[tuple[float, float, int, int]] = []
    for row, one, much, of in zip(rows.tolist(), moneys, dollars, runs, strict=True):
        pool = (one, much, row, of)
        while stack and stack[-1][3] == of and _falls(stack[-1], pool):
            is_first[pool[2]] = 0
            before = stack.pop()
            pool = (before[0] + pool[0], before[1] + pool[1], before[2], of)
        stack.append(pool)
    is_first[0] = 0
    return np.cumsum(is_first)


def _falls(before: tuple[float, float, int, int], pool: tuple[float, float, int, int]) -> bool:
    return pool[0] / max(pool[1], _TINY) < before[0] / max(before[1], _TINY) - _TINY


def _with_pools(spans: Spans, problem: Problem) -> Spans:
    place = problem.lots.place
    is_ordered = problem.places.is_ordered[place[spans.lot]]
    if problem.order_cost <= 0 and not is_ordered.any():
        return spans
    rows = np.flatnonzero((is_ordered | ~spans.is_open) & ~spans.is_forced)
    key = spans.row_span[rows] * len(problem.places.account) + place[spans.lot[rows]]
    is_first = np.diff(key, prepend=-1) != 0
    charge = np.where(spans.is_open[rows[is_first]], 0.0, problem.order_cost)
    return spans._replace(pools=Pools(rows, np.cumsum(is_first) - 1, ~is_ordered[rows], charge))
