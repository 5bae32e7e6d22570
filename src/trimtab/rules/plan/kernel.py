"""The best answer of every class by itself, at given prices of cash, gains and turnover.

With a price on each account's cash and on the year's gains, the classes no longer touch each other
(Lagrange; Everett 1963), and each mode of a class is a one-dimensional problem: sell the lots in
ascending cost per dollar until the next dollar is not worth its drift, then buy. The sum of the
best modes bounds every plan from below.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trimtab.rules.plan.modes import Index, Modes, index, modes
from trimtab.rules.plan.problem import Flags, Floats, Ints, Problem

_TINY = 1e-12


class Prices(NamedTuple):
    """What a dollar of cash in each account (A,) and a dollar of gain is worth; and of turnover."""

    cash: Floats
    short: float
    long: float
    turnover: float = 0.0


class Answer(NamedTuple):
    """The best mode of every class at some prices, and what it sells and buys.

    `least` (C,) bounds what any of the class's modes costs at these prices, `excess` (M,) says by
    how much each mode is worse than the best, which is `mode` (C,). `sold` (L,) and `bought` (J,)
    are its dollars, and `distance` (L,) is how far the cost of a dollar of each lot is from where
    its class stops selling.
    """

    least: Floats
    excess: Floats
    mode: Ints
    sold: Floats
    bought: Floats
    distance: Floats


class Kernel:
    """One problem, laid out for many questions."""

    def __init__(self, problem: Problem) -> None:
        """Spell out the modes of *problem*."""
        self.problem = problem
        self.where: Index = index(problem)
        self.modes: Modes = modes(problem, self.where)
        lots, chosen = problem.lots, self.modes
        self.lot_fixed = lots.cost + lots.extra
        self.gain_short = np.where(lots.is_taxed & ~lots.is_long, lots.gain, 0.0)
        self.gain_long = np.where(lots.is_taxed & lots.is_long, lots.gain, 0.0)
        self.row_value = lots.value[chosen.lot]
        count = len(chosen.of_class)
        self.count = count
        classes = problem.classes
        self.low_goal = (classes.goal - classes.tolerance)[chosen.of_class]
        self.high_goal = (classes.goal + classes.tolerance)[chosen.of_class]
        self.weight = classes.weight[chosen.of_class]
        self.held = classes.held[chosen.of_class]
        self.most = float(problem.value + lots.value.sum() + np.abs(problem.cash).sum()) + 1.0
        self.pools = _ordered_rows(problem, chosen)
        self.class_start = np.searchsorted(chosen.of_class, np.arange(len(classes.goal)))

    def at(self, prices: Prices) -> Answer:
        """The best answer of every class at *prices*."""
        problem, chosen, where = self.problem, self.modes, self.where
        unit = self._unit(prices)
        row_unit = unit[chosen.lot]
        if self.pools is not None:
            row_unit = self.pools.convex(row_unit, self.row_value)
        buy_unit = (problem.options.cost + prices.cash[where.buy_account] * problem.options.cash)[
            chosen.buy
        ]
        cheapest = np.full(self.count, np.inf)
        np.minimum.at(cheapest, chosen.buy_mode, buy_unit)
        sold, threshold = self._sell(row_unit, cheapest)
        taken = self._sum(sold)
        left = self.held - taken
        goal = np.where(cheapest >= 0.0, self.low_goal, self.high_goal)
        bought = np.where(cheapest < self.weight, np.maximum(0.0, goal - left), 0.0)
        bought = np.where(cheapest < -self.weight, self.most, bought)
        after = left + bought
        beyond = np.maximum(0.0, np.maximum(self.low_goal - after, after - self.high_goal))
        cost = (
            self._sum(row_unit * sold)
            + np.where(bought > 0.0, cheapest, 0.0) * bought
            + self.weight * beyond
        )
        answer = self._best(cost, sold, bought, buy_unit, cheapest)
        stop = threshold[answer.mode][where.lot_class]
        return answer._replace(distance=np.abs(unit - stop))

    def sellable(self, mode: Ints) -> Flags:
        """The lots (L,) that the modes *mode* (C,) may sell."""
        is_chosen = np.zeros(self.count, dtype=np.bool_)
        is_chosen[mode] = True
        found = np.zeros(len(self.problem.lots.value), dtype=np.bool_)
        found[self.modes.lot[is_chosen[self.modes.lot_mode]]] = True
        return found

    def smoothed(self, prices: Prices, mode: Ints) -> tuple[Floats, Floats, Floats]:
        """Gains, short and long, and costs per dollar (L,), the same within each pool of an order.

        *mode* (C,) says which modes' pools; with these figures no order needs to be kept, since
        what a broker books first is never dearer.
        """
        arrays = (self.gain_short, self.gain_long, self.lot_fixed)
        if self.pools is None:
            return arrays
        chosen, rows = self.modes, self.pools.rows
        unit = self._unit(prices)[chosen.lot]
        _, labels = self.pools.pooled(unit, self.row_value)
        is_chosen = np.zeros(self.count, dtype=np.bool_)
        is_chosen[mode] = True
        mine = is_chosen[chosen.lot_mode[rows]]
        lots, of_pool = chosen.lot[rows][mine], labels[mine]
        value = self.problem.lots.value[lots]
        size = np.maximum(np.bincount(of_pool, value), _TINY)
        found = []
        for array in arrays:
            smooth = array.copy()
            smooth[lots] = (np.bincount(of_pool, value * array[lots]) / size)[of_pool]
            found.append(smooth)
        return found[0], found[1], found[2]

    def _unit(self, prices: Prices) -> Floats:
        """What a dollar of each lot costs to sell, at *prices*."""
        where, lots = self.where, self.problem.lots
        return (
            self.lot_fixed
            + prices.short * self.gain_short
            + prices.long * self.gain_long
            - prices.cash[where.lot_account] * lots.cash
            + prices.turnover
        )

    def _sum(self, rows: Floats) -> Floats:
        return _floats(np.bincount(self.modes.lot_mode, weights=rows, minlength=self.count))

    def _sell(self, unit: Floats, cheapest: Floats) -> tuple[Floats, Floats]:
        """Dollars sold of each row, and of each mode the cost at which it stops selling."""
        chosen, value = self.modes, self.row_value
        floor = np.maximum(-self.weight, -cheapest)
        row_floor = floor[chosen.lot_mode]
        is_sold = (unit < row_floor) | chosen.lot_is_forced
        sold = np.where(is_sold, value, 0.0)
        between = np.flatnonzero(~is_sold & (unit < self.weight[chosen.lot_mode]))
        threshold = floor.copy()
        if len(between) == 0:
            return sold, threshold
        left = self.held - self._sum(sold)
        mode = chosen.lot_mode[between]
        order = np.lexsort((unit[between], mode))
        rows, mode = between[order], mode[order]
        size = value[rows]
        total = np.cumsum(size)
        first = np.searchsorted(mode, mode)
        before = total - size - (total[first] - size[first])
        edge = np.where(unit[rows] < 0.0, self.low_goal[mode], self.high_goal[mode])
        part = np.clip(left[mode] - edge - before, 0.0, size)
        sold[rows] = part
        np.maximum.at(threshold, mode, np.where(part > 0.0, unit[rows], -np.inf))
        return sold, threshold

    def _best(
        self,
        cost: Floats,
        sold: Floats,
        bought: Floats,
        buy_unit: Floats,
        cheapest: Floats,
    ) -> Answer:
        problem, chosen = self.problem, self.modes
        least = np.minimum.reduceat(cost, self.class_start)
        is_least = cost <= least[chosen.of_class] + _TINY
        candidates = np.where(is_least, np.arange(self.count), self.count)
        mode = np.minimum.reduceat(candidates, self.class_start)
        is_chosen = np.zeros(self.count, dtype=np.bool_)
        is_chosen[mode] = True
        lots = np.zeros(len(problem.lots.value))
        rows = is_chosen[chosen.lot_mode]
        lots[chosen.lot[rows]] = sold[rows]
        options = np.zeros(len(problem.options.cost))
        rows = is_chosen[chosen.buy_mode] & (buy_unit <= cheapest[chosen.buy_mode])
        places, first = np.unique(chosen.buy_mode[rows], return_index=True)
        options[chosen.buy[rows][first]] = bought[places]
        return Answer(
            least=least,
            excess=cost - least[chosen.of_class],
            mode=mode,
            sold=lots,
            bought=options,
            distance=lots,
        )


class _Pools:
    """Rows that a broker books in order: their costs made convex by pooling, rank after rank.

    A dear lot in front of a cheap one is sold with it or not at all; the average of the two is the
    lower convex envelope (pool adjacent violators; Barlow et al. 1972).
    """

    def __init__(self, rows: Ints, runs: Ints) -> None:
        """*rows* in the order of booking; *runs* number the places and modes they belong to."""
        self.rows = rows
        self.runs = runs

    def convex(self, unit: Floats, value: Floats) -> Floats:
        """*unit* with each pool's average in its rows."""
        average, labels = self.pooled(unit, value)
        found = unit.copy()
        found[self.rows] = average[labels]
        return found

    def pooled(self, unit: Floats, value: Floats) -> tuple[Floats, Ints]:
        """The average of each pool, and the pool of each of the rows."""
        mine, weight = unit[self.rows], value[self.rows]
        labels = np.arange(len(mine))
        total, size, run = mine * weight, weight.copy(), self.runs
        while True:
            average = total / np.maximum(size, _TINY)
            falls = (run[1:] == run[:-1]) & (average[1:] < average[:-1] - _TINY)
            if not falls.any():
                break
            joined = np.concatenate(([0], np.cumsum(~falls)))
            total = _floats(np.bincount(joined, weights=total))
            size = _floats(np.bincount(joined, weights=size))
            keep = np.concatenate(([True], ~falls))
            run = run[keep]
            labels = joined[labels]
        return average, labels


def _floats(sums: NDArray[Any]) -> Floats:
    return sums.astype(np.float64, copy=False)


def _ordered_rows(problem: Problem, chosen: Modes) -> _Pools | None:
    place = problem.lots.place[chosen.lot]
    rows: Flags = problem.places.is_ordered[place]
    if not rows.any():
        return None
    found = np.flatnonzero(rows)
    order = np.lexsort((chosen.lot[found], place[found], chosen.lot_mode[found]))
    found = found[order]
    same = (place[found][1:] == place[found][:-1]) & (
        chosen.lot_mode[found][1:] == chosen.lot_mode[found][:-1]
    )
    return _Pools(found, np.concatenate(([0], np.cumsum(~same))))
