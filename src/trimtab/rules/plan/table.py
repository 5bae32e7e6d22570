"""Orders in whole steps as arrays, with the sums that the plan's objective is made of.

Steps are moved one exact change at a time: no move makes an account short or passes a limit.
"""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import NamedTuple

import numpy as np

from trimtab.domain.numbers import ZERO, Money
from trimtab.rules.plan.problem import Floats, Ints, Problem, floats, ints
from trimtab.rules.plan.queues import Curve, Curves
from trimtab.rules.plan.steps import Order

WORTH = 1e-5
"""A move that saves less money than this is not made."""
_ORDER_WORTH = 1e-5
"""An order that the amounts did not have must save a tenth of a basis point of the value."""


class Move(NamedTuple):
    """Steps to add to one order and, if there is a second one, to another."""

    first: int
    steps: int
    second: int
    more: int


class Table:
    """The orders as arrays, with the sums that the objective is made of."""

    def __init__(
        self,
        problem: Problem,
        orders: Sequence[Order],
        free: Mapping[int, Money],
        curves: Curves,
        *,
        turnover_most: float,
    ) -> None:
        """Sales stand first in *orders*, each with a queue of *curves*.

        *free* is what each account may spend besides what the orders bring and take, and
        *turnover_most* the dollars that may be sold.
        """
        self.problem, self.orders = problem, orders
        self.turnover_most = turnover_most
        self.curves = curves
        self.count: Ints = ints([one.steps for one in orders])
        self.account = ints([one.account for one in orders])
        self.of_class = ints([one.of_class for one in orders])
        self.worth = floats([one.worth for one in orders])
        self.cash = floats([one.cash for one in orders])
        self.cost = floats([one.cost for one in orders])
        self.sales = len(curves.bounds)
        classes = problem.classes
        self.held = classes.held + np.bincount(
            self.of_class, self.worth * self.count, minlength=len(classes.goal)
        )
        self.left = problem.cash + np.bincount(
            self.account, self.cash * self.count, minlength=len(problem.cash)
        )
        self.realized = curves.realized(self.count[: self.sales])
        self.free = dict(free)
        self.is_ready = False

    def prepare(self, spare: float) -> None:
        """Lay out the arrays that only moves need; *spare* is all the money that moves can save."""
        orders, problem, self.spare = self.orders, self.problem, spare
        self.is_ready = True
        self.unit = floats([float(one.unit) for one in orders])
        self.low, self.most = (
            ints([one.low for one in orders]),
            ints([one.most for one in orders]),
        )
        self.least = ints([one.least for one in orders])
        self.whole = ints([one.whole for one in orders])
        shy = _ORDER_WORTH * problem.value
        self.opening = problem.order_cost + floats([shy * one.is_further for one in orders])
        for order in orders:
            self.free[order.account] += order.steps * order.unit
        self.curve: dict[int, Curve] = {}
        self.next, self.last = np.zeros((len(orders), 3)), np.zeros((len(orders), 3))
        for row in range(self.sales):
            self.curve[row] = self.curves.of_queue(row)
            self.next[row], self.last[row] = self.curve[row].beside(int(self.count[row]))
        self.limited = self._limited()
        self.is_limited = np.asarray([one.symbol in self.limited for one in orders], dtype=np.bool_)

    def counts(self) -> list[int]:
        """The steps of each order."""
        return [int(number) for number in self.count.tolist()]

    def short(self) -> float:
        """The cash that accounts lack, in cents rounded up."""
        free = dict(self.free)
        if not self.is_ready:
            for order in self.orders:
                free[order.account] += order.steps * order.unit
        return sum(max(0.0, ceil(-100 * amount) / 100) for amount in free.values())

    def objective(self) -> float:
        """What the orders cost as they stand."""
        problem, classes, in_cash = self.problem, self.problem.classes, self.problem.in_cash
        cost = self._tax(self.realized)
        cost += float((self.cost * self.count).sum())
        off = np.abs(self.held - classes.goal) - classes.tolerance
        cost += float((classes.weight * np.maximum(0.0, off)).sum())
        cash = float(np.maximum(self.left, 0.0)[problem.in_total].sum())
        away = beyond(cash - float(in_cash.goal[0]), float(in_cash.tolerance[0]))
        cost += float(in_cash.weight[0]) * away
        return cost + problem.order_cost * int((self.count > 0).sum())

    def _limited(self) -> dict[int, float]:
        """Symbols of which only so much may be held, and what is left of it in dollars."""
        options = self.problem.options
        symbols = self.problem.places.symbol[options.place]
        limits = {
            int(symbol): float(most)
            for symbol, most in zip(symbols, options.most, strict=True)
            if most < np.inf
        }
        for order in self.orders:
            if order.symbol in limits:
                limits[order.symbol] -= order.steps * order.worth
        return limits

    def make(self, move: Move, least: float) -> bool:
        """Make *move* if it really saves *least* and makes nothing short; whether it was made."""
        parts = [
            (row, steps)
            for row, steps in ((move.first, move.steps), (move.second, move.more))
            if steps
        ]
        if not parts or not self._is_allowed(parts):
            return False
        account = self.orders[parts[0][0]].account
        left = self.free[account] + sum((n * self.orders[row].unit for row, n in parts), ZERO)
        if left < min(ZERO, self.free[account]):
            return False
        if len(parts) > 1 and move.first == move.second:
            return False
        if not all(self._fits(row, steps) for row, steps in parts):
            return False
        change, realized = self._exact(parts)
        if change > min(-WORTH, least):
            return False
        self.free[account], self.realized = left, realized
        self.spare += change
        for row, steps in parts:
            order = self.orders[row]
            self.count[row] += steps
            if row in self.curve:
                self.next[row], self.last[row] = self.curve[row].beside(int(self.count[row]))
            self.held[order.of_class] += steps * order.worth
            self.left[account] += steps * order.cash
            if order.symbol in self.limited:
                self.limited[order.symbol] -= steps * order.worth
        return True

    def _fits(self, row: int, steps: int) -> bool:
        """Whether an order may be so many steps more; those before may have changed it."""
        order, to = self.orders[row], int(self.count[row]) + steps
        return order.low <= to <= order.most and (to == 0 or to >= order.least or to == order.whole)

    def _is_allowed(self, parts: Sequence[tuple[int, int]]) -> bool:
        """Whether holding limits and the turnover limit let the steps through."""
        sold = 0.0
        more: dict[int, float] = {}
        for row, steps in parts:
            order = self.orders[row]
            dollars = steps * order.worth
            if order.symbol in self.limited:
                more[order.symbol] = more.get(order.symbol, 0.0) + dollars
            sold -= dollars if order.worth < 0 else 0.0
        for symbol, dollars in more.items():
            if dollars > 0 and dollars > self.limited[symbol] and self._buys(symbol, parts):
                return False
        return sold <= 0 or sold <= self.turnover_left()

    def _buys(self, symbol: int, parts: Sequence[tuple[int, int]]) -> bool:
        """Whether any of *symbol* is bought once *parts* are moved."""
        moved = dict(parts)
        return any(
            self.count[row] + moved.get(row, 0) > 0
            for row in range(self.sales, len(self.orders))
            if self.orders[row].symbol == symbol
        )

    def turnover_left(self) -> float:
        """The dollars that may still be sold."""
        if self.turnover_most == np.inf:
            return np.inf
        sold = -float((self.worth[: self.sales] * self.count[: self.sales]).sum())
        return max(0.0, self.turnover_most - sold)

    def _exact(self, parts: Sequence[tuple[int, int]]) -> tuple[float, Floats]:
        """What the steps change in the objective, and what is realized with them."""
        classes = self.problem.classes
        realized, change, cash = self.realized, 0.0, 0.0
        moved: dict[int, float] = {}
        for row, steps in parts:
            order, count = self.orders[row], int(self.count[row])
            change += steps * order.cost
            change += float(self.opening[row]) * ((count + steps > 0) - (count > 0))
            cash += steps * order.cash
            moved[order.of_class] = moved.get(order.of_class, 0.0) + steps * order.worth
            if row in self.curve:
                curve = self.curve[row]
                realized = realized + curve.at(count + steps) - curve.at(count)
        for name, dollars in moved.items():
            weight, tolerance = float(classes.weight[name]), float(classes.tolerance[name])
            off = float(self.held[name] - classes.goal[name])
            change += weight * (beyond(off + dollars, tolerance) - beyond(off, tolerance))
        change += self._cash_changed(self.orders[parts[0][0]].account, cash)
        if realized is not self.realized:
            change += self._tax(realized) - self._tax(self.realized)
        return change, realized

    def _tax(self, realized: Floats) -> float:
        """The year's tax on what is *realized*, and the tax beside it."""
        return self.problem.year.at(float(realized[0]), float(realized[1])) + float(realized[2])

    def _cash_changed(self, account: int, cash: float) -> float:
        """What *cash* more in an account changes in the cost of the cash that targets count."""
        if not self.problem.in_total[account]:
            return 0.0
        in_cash = self.problem.in_cash
        away, left, tolerance = self.away(), float(self.left[account]), in_cash.tolerance[0]
        moved = max(0.0, left + cash) - max(0.0, left)
        now, then = beyond(away, float(tolerance)), beyond(away + moved, float(tolerance))
        return float(in_cash.weight[0]) * (then - now)

    def away(self) -> float:
        """How far the cash that the targets count is from its goal."""
        cash = float(np.maximum(self.left, 0.0)[self.problem.in_total].sum())
        return cash - float(self.problem.in_cash.goal[0])


def beyond(off: float, tolerance: float) -> float:
    """By how much *off*, on either side, is more than *tolerance*."""
    return max(0.0, abs(off) - tolerance)
