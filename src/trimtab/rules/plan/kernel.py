"""The best answer of every class by itself, at given prices of cash, gains and turnover.

With a price on each account's cash and on the year's gains, the classes no longer touch each other
(Lagrange; Everett 1963), and each mode of a class is a one-dimensional problem: sell the lots in
ascending cost per dollar until the next dollar is not worth its drift, then buy. The sum of the
best modes bounds every plan from below.
"""

from typing import NamedTuple

import numpy as np

from trimtab.rules.plan.modes import Index, Modes, index, modes
from trimtab.rules.plan.problem import Flags, Floats, Ints, Problem
from trimtab.rules.plan.spans import Spans, in_order, split, whole

_TINY = 1e-12
_ROUNDS = 8
"""How often one question may split the spans of ordered places."""
_ROWS_MOST = 40_000
_SLACK = 1e-7
"""Part of the value by which pools may be cheaper than what a broker's order allows."""


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


class _Traded(NamedTuple):
    """What each row sells, and each span (N,) buys; where its sales stop, and what it all costs."""

    sold: Floats
    bought: Floats
    stop: Floats
    cost: Floats


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
        self.count = len(chosen.of_class)
        self.most = float(problem.value + lots.value.sum() + np.abs(problem.cash).sum()) + 1.0
        self.is_ordered: Flags = problem.places.is_ordered[lots.place]
        self.class_start = np.searchsorted(chosen.of_class, np.arange(len(problem.classes.goal)))
        self._lay_out(whole(chosen, problem))

    def _lay_out(self, spans: Spans) -> None:
        """Spell out what the classes want of each span."""
        self.spans = spans
        classes, of_class = self.problem.classes, self.modes.of_class[spans.mode]
        self.of_class = of_class
        self.low_goal = (classes.goal - classes.tolerance)[of_class]
        self.high_goal = (classes.goal + classes.tolerance)[of_class]
        self.weight = classes.weight[of_class]
        self.held = classes.held[of_class]
        self.row_value = self.problem.lots.value[spans.lot]
        self.span_start = np.searchsorted(of_class, np.arange(len(classes.goal)))
        self.mode_start = np.searchsorted(spans.mode, np.arange(self.count))

    def at(self, prices: Prices) -> Answer:
        """The best answer of every class at *prices*.

        Where it stops selling at a point that a broker's order or the price of an order makes
        dearer than its pool says, its span is split there, and all are asked again.
        """
        unit = self._unit(prices)
        for _ in range(_ROUNDS):
            answer, pooled, span = self._answer(unit, prices)
            if self.spans.pools is None or len(self.spans.lot) > _ROWS_MOST:
                break
            if not self._split(unit * answer.sold - pooled, answer.sold, span):
                break
        return answer

    def _split(self, dearer: Floats, sold: Floats, span: Ints) -> bool:
        """Split the best *span* (C,) of each class at the place that is *dearer* than its pools.

        *dearer* (L,) is by how much the lots cost more than was answered. False where it makes no
        difference.
        """
        problem, lots = self.problem, self.problem.lots
        places = len(problem.places.account)
        by_place = np.bincount(lots.place, dearer, minlength=places).astype(np.float64)
        charged = np.zeros(places, dtype=np.bool_)
        if problem.order_cost > 0:
            mine = ~self.spans.is_open & _marked(len(self.of_class), span)[self.spans.row_span]
            charged[lots.place[self.spans.lot[mine]]] = True
            is_used = np.bincount(lots.place, sold, minlength=places) > 0
            by_place += np.where(charged & is_used, problem.order_cost, 0.0)
        of_class = problem.groups.of_class[problem.places.group]
        order = np.lexsort((-by_place, of_class))
        worst = order[np.diff(of_class[order], prepend=-1) > 0]
        slack = _SLACK * max(problem.value, 1.0)
        worst = worst[by_place[worst] > slack / len(span)]
        stops = np.full(places, -1)
        kept = np.flatnonzero(sold < lots.value)[::-1]
        stops[lots.place[kept]] = kept
        worst = worst[stops[worst] >= 0]
        if float(by_place[worst].sum()) <= slack:
            return False
        chosen = span[of_class[worst]]
        self._lay_out(split(self.spans, chosen, stops[worst], charged[worst], problem))
        return True

    def _answer(self, unit: Floats, prices: Prices) -> tuple[Answer, Floats, Ints]:
        """The best answers, what their lots (L,) cost as pools, and the spans they are of (C,)."""
        spans = self.spans
        row_unit = unit[spans.lot]
        if spans.pools is not None:
            row_unit = spans.pools.convex(row_unit, self.row_value)
        buy_unit, of_mode = self._buy_units(prices)
        traded = self._traded(row_unit, of_mode[spans.mode])
        if self.problem.order_cost > 0:
            traded = self._with_orders(traded, row_unit)
        least, span = self._best(traded.cost)
        lots, pooled = np.zeros(len(unit)), np.zeros(len(unit))
        rows = np.flatnonzero(_marked(len(self.of_class), span)[spans.row_span])
        lots[spans.lot[rows]] = traded.sold[rows]
        pooled[spans.lot[rows]] = traded.sold[rows] * row_unit[rows]
        if spans.pools is not None:
            lots = in_order(self.problem, lots, self._rank(unit, rows))
        answer = Answer(
            least=least,
            excess=np.minimum.reduceat(traded.cost, self.mode_start) - least[self.modes.of_class],
            mode=spans.mode[span],
            sold=lots,
            bought=self._purchases(spans.mode[span], traded.bought[span], buy_unit, of_mode),
            distance=np.abs(unit - traded.stop[span][self.where.lot_class]),
        )
        return answer, pooled, span

    def _rank(self, unit: Floats, rows: Ints) -> Floats:
        """The order in which the lots (L,) of *rows* are sold: as booked, else the cheapest first.

        What is forced comes first; what is not among the *rows* is not sold.
        """
        rank = np.full(len(unit), np.inf)
        lots = self.spans.lot[rows]
        rank[lots] = np.where(self.spans.is_forced[rows], -np.inf, unit[lots])
        return np.where(self.is_ordered, 0.0, rank)

    def _traded(self, unit: Floats, cheapest: Floats) -> "_Traded":
        """What every span trades best, a dollar bought at *cheapest* (N,), and what it costs."""
        sold, stop = self._sell(unit, cheapest)
        left = self.held - self._sum(sold)
        goal = np.where(cheapest >= 0.0, self.low_goal, self.high_goal)
        bought = np.where(cheapest < self.weight, np.maximum(0.0, goal - left), 0.0)
        bought = np.where(cheapest < -self.weight, self.most, bought)
        after = left + bought
        beyond = np.maximum(0.0, np.maximum(self.low_goal - after, after - self.high_goal))
        cost = (
            self._sum(unit * sold)
            + np.where(bought > 0.0, cheapest, 0.0) * bought
            + self.weight * beyond
        )
        return _Traded(sold, bought, stop, cost)

    def _with_orders(self, traded: "_Traded", unit: Floats) -> "_Traded":
        """*traded*, with a purchase only where it is worth an order, and all orders paid."""
        price = self.problem.order_cost
        without = self._traded(unit, np.full(len(traded.bought), np.inf))
        buys = traded.cost + price < without.cost
        return _Traded(
            sold=np.where(buys[self.spans.row_span], traded.sold, without.sold),
            bought=np.where(buys, traded.bought, 0.0),
            stop=np.where(buys, traded.stop, without.stop),
            cost=np.where(buys, traded.cost + price, without.cost) + price * self.spans.orders,
        )

    def _best(self, cost: Floats) -> tuple[Floats, Ints]:
        """Of each class the least *cost* (N,) of its spans, and the first one that has it."""
        least = np.minimum.reduceat(cost, self.span_start)
        is_least = cost <= least[self.of_class] + _TINY
        candidates = np.where(is_least, np.arange(len(cost)), len(cost))
        return least, np.minimum.reduceat(candidates, self.span_start)

    def _buy_units(self, prices: Prices) -> tuple[Floats, Floats]:
        """What a dollar costs to buy in each row of the options, and at the best of each mode."""
        options, chosen = self.problem.options, self.modes
        unit = options.cost + prices.cash[self.where.buy_account] * options.cash
        cheapest = np.full(self.count, np.inf)
        np.minimum.at(cheapest, chosen.buy_mode, unit[chosen.buy])
        return unit[chosen.buy], cheapest

    def _purchases(self, mode: Ints, amount: Floats, unit: Floats, cheapest: Floats) -> Floats:
        """*amount* (C,) bought by the first of the cheapest options of each *mode* (C,)."""
        chosen = self.modes
        is_cheapest = _marked(self.count, mode)[chosen.buy_mode] & (
            unit <= cheapest[chosen.buy_mode]
        )
        rows = np.flatnonzero(is_cheapest)
        of_class = chosen.of_class[chosen.buy_mode[rows]]
        is_first = np.concatenate(([True], of_class[1:] != of_class[:-1]))[: len(rows)]
        bought = np.zeros(len(self.problem.options.cost))
        bought[chosen.buy[rows[is_first]]] = amount[of_class[is_first]]
        return bought

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
        sums = np.bincount(self.spans.row_span, rows, minlength=len(self.spans.mode))
        return sums.astype(np.float64, copy=False)

    def _sell(self, unit: Floats, cheapest: Floats) -> tuple[Floats, Floats]:
        """Dollars sold of each row, and of each mode the cost at which it stops selling."""
        spans, value = self.spans, self.row_value
        floor = np.maximum(-self.weight, -cheapest)
        row_floor = floor[spans.row_span]
        is_sold = (unit < row_floor) | spans.is_forced
        sold = np.where(is_sold, value, 0.0)
        left = self.held - self._sum(sold)
        most = np.where(left > self.low_goal, self.weight, -np.inf)
        between = np.flatnonzero(~is_sold & (unit < most[spans.row_span]))
        threshold = floor.copy()
        if len(between) == 0:
            return sold, threshold
        mode = spans.row_span[between]
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


def _marked(count: int, chosen: Ints) -> Flags:
    """Which of *count* are among the *chosen*."""
    found = np.zeros(count, dtype=np.bool_)
    found[chosen] = True
    return found
