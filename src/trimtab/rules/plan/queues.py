"""The lots of every place that is sold, in the order in which they go, and what they realize."""

from bisect import bisect_left
from functools import cached_property
from typing import NamedTuple

import numpy as np

from trimtab.domain.numbers import ZERO, Quantity, to_decimal
from trimtab.domain.values import Lot
from trimtab.rules.plan.layout import Layout
from trimtab.rules.plan.problem import Floats, Ints, Lots

_WHOLE = 1 - 1e-9
_FURTHER = 8
"""So many lots that a solution keeps may go too, where a sale is rounded up."""
_DUST = 1e-9


class Queue(NamedTuple):
    """Lots of one place, `start` to `stop` of the rows of all queues, the `first` one of all lots.

    `wanted` is how much of them is to be sold, `there` all of them; `is_all` where no more is held.
    `first_of_all` is how much of them has to go for the losses behind it to be no wash sales.
    """

    place: int
    first: int
    start: int
    stop: int
    lots: list[Lot]
    wanted: Quantity
    there: Quantity
    first_of_all: Quantity
    is_all: bool


class Queues(NamedTuple):
    """The queues, and the rows of their lots (Q,) one queue after the other."""

    rows: Ints
    each: list[Queue]


def queues_of(layout: Layout, sold: Floats) -> Queues:
    """What may be sold of each place that is *sold* (L,).

    Whole lots go first unless the broker has an order, and before them those without which a loss
    would be washed; some that are kept follow, unless their loss would close what may be bought.
    """
    problem, lots = layout.problem, layout.problem.lots
    count = len(layout.places)
    is_sold = sold > 0
    sold_there = np.bincount(lots.place[is_sold], minlength=count)
    lost_there = np.bincount(lots.place[is_sold & lots.is_loss], minlength=count)
    mine = np.flatnonzero(sold_there[lots.place])
    place, is_mine_sold = lots.place[mine], is_sold[mine]
    is_ordered = problem.places.is_ordered[place]
    is_closed = lots.is_loss[mine] & ~is_mine_sold & (lost_there[place] == 0)
    is_left = ~is_ordered & ~is_mine_sold
    is_part = ~is_ordered & (sold[mine] < lots.value[mine] * _WHOLE)
    gain = np.where(is_ordered, 0.0, np.round(lots.gain[mine] + lots.extra[mine], 9))
    is_recent = lots.is_recent[mine] & ~is_ordered & (_loses(lots, sold) > 0)[place]
    last = np.where(is_recent, lots.is_loss[mine], 2)
    order = np.lexsort((gain, is_left, is_part, last, place))
    order = order[is_ordered[order] | ~is_closed[order]]
    mine, place, is_closed = mine[order], place[order], is_closed[order]
    rank = np.arange(len(mine)) - np.searchsorted(place, place)
    limit = sold_there + _FURTHER
    is_ordered = problem.places.is_ordered[place]
    last = np.zeros(count, dtype=np.int64)
    np.maximum.at(last, place[is_sold[mine]], rank[is_sold[mine]])
    limit = np.where(problem.places.is_ordered, last + 1 + _FURTHER, limit)
    np.minimum.at(limit, place[is_ordered & is_closed], rank[is_ordered & is_closed])
    rows = mine[rank < limit[place]]
    return Queues(rows, _queues(layout, sold, rows))


def _loses(lots: Lots, sold: Floats) -> Ints:
    """How many lots each place (P,) sells at a loss that its recent units would wash."""
    is_lost = (sold > 0) & lots.is_loss & ~lots.goes_alone
    return np.bincount(lots.place[is_lost], minlength=int(lots.place.max(initial=-1)) + 1)


def _queues(layout: Layout, sold: Floats, rows: Ints) -> list[Queue]:
    lots = layout.problem.lots
    place = lots.place[rows]
    starts = np.flatnonzero(np.diff(place, prepend=-1))
    stops = np.append(starts[1:], len(rows)) if len(rows) else starts
    held = np.bincount(lots.place, minlength=len(layout.places))
    part = sold[rows] / lots.value[rows]
    parts, numbers = part.tolist(), rows.tolist()
    loses = _loses(lots, sold)
    is_recent = lots.is_recent[rows].tolist()
    found = []
    for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
        where = int(place[start])
        mine = [layout.lots[row] for row in numbers[start:stop]]
        wanted = there = ZERO
        recent = zip(mine, is_recent[start:stop], strict=True) if loses[where] else ()
        first_of_all = sum((lot.quantity for lot, washes in recent if washes), ZERO)
        for lot, of_it in zip(mine, parts[start:stop], strict=True):
            quantity = lot.quantity
            there += quantity
            if of_it >= _WHOLE:
                wanted += quantity
            elif of_it > 0:
                wanted += min(quantity, quantity * to_decimal(of_it, 12))
        is_all = bool(layout.problem.places.is_all[where]) and stop - start == int(held[where])
        first = numbers[start]
        found.append(Queue(where, first, start, stop, mine, wanted, there, first_of_all, is_all))
    return found


class Curves:
    """What the first steps of each queue realize: gains by term, and tax beside the year's."""

    def __init__(self, layout: Layout, queues: Queues, worth: Floats) -> None:
        """*worth* (N,) is what one step of each queue is worth, in dollars at the middle price."""
        lots, rows = layout.problem.lots, queues.rows
        sizes = [one.stop - one.start for one in queues.each]
        self.of = np.repeat(np.arange(len(sizes)), sizes)
        self.bounds = [(one.start, one.stop) for one in queues.each]
        step = worth[self.of]
        gain = np.where(lots.is_taxed[rows], lots.gain[rows], 0.0) * step
        is_long = lots.is_long[rows]
        self.each = np.column_stack(
            [np.where(is_long, 0.0, gain), np.where(is_long, gain, 0.0), lots.extra[rows] * step]
        )
        self.steps = lots.value[rows] / step

    def realized(self, counts: Ints) -> Floats:
        """Short gain, long gain and tax beside the year's of *counts* (N,) steps, in all."""
        total = np.cumsum(self.steps)
        before = total - self.steps
        firsts = [start for start, _ in self.bounds]
        before = before - before[firsts][self.of]
        done = np.clip(counts[self.of] - before, 0.0, self.steps)
        realized: Floats = done @ self.each
        return realized

    def of_queue(self, number: int) -> "Curve":
        """The curve of one queue."""
        start, stop = self.bounds[number]
        return Curve(self.steps[start:stop], self.each[start:stop])


class Curve:
    """What the first steps of one sale realize, lot after lot."""

    def __init__(self, steps: Floats, each: Floats) -> None:
        """Of each lot (N,) its steps, and what one of them realizes (N, 3)."""
        self.each = each
        self.ends: list[float] = np.cumsum(steps).tolist()
        self.steps = steps

    @cached_property
    def sums(self) -> Floats:
        """What is realized before each lot."""
        whole = self.each * self.steps[:, None]
        sums: Floats = np.cumsum(whole, axis=0) - whole
        return sums

    def at(self, count: int) -> Floats:
        """Short gain, long gain and tax beside the year's of the first *count* steps."""
        row = self._row(count)
        start = self.ends[row] - float(self.steps[row])
        done: Floats = self.sums[row] + (count - start) * self.each[row]
        return done

    def beside(self, count: int) -> tuple[Floats, Floats]:
        """What the next step would realize, and what the last one did."""
        return self.each[self._row(count + 1)], self.each[self._row(count)]

    def _row(self, count: int) -> int:
        return min(bisect_left(self.ends, count - _DUST), len(self.ends) - 1)
