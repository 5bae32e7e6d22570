"""Whole steps that cost nearly as little as the amounts they come from.

Counts of steps are improved one move at a time: a step more or less of one order, and with it as
many steps of another order of the same account as its cash or its class can take. Each move makes
the plan's own objective less, and none makes an account short, so it ends; the number of moves is
bounded besides. Ties go to what stands first, so that the same plan comes out everywhere.
"""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import NamedTuple

import numpy as np

from trimtab.domain.numbers import ZERO, Money
from trimtab.rules.plan.problem import Floats, Ints, Problem
from trimtab.rules.plan.queues import Curve, Curves

_WORTH = 1e-5
"""A move that saves less money than this is not made."""
_ORDER_WORTH = 1e-5
"""An order that the amounts did not have must save a tenth of a basis point of the value."""
_LOOKS_MOST = 48
"""More often than this no account is looked at for moves."""
_ROWS, _COLUMNS = 24, 32
"""So many orders of an account are moved by a step, each with so many others."""
_TRIES = 24
_NEAR = 5e-7
"""A two-hundredth of a basis point of the value is not worth a look."""
_DUST = 1e-9


class Order(NamedTuple):
    """One place and side, in steps: what a step is worth, and how many there may be.

    `worth` is what a step adds to its class, negative for a sale; `cash` what it adds to the cash
    of its account as the targets count it, `unit` to what its account may spend; `cost` is all it
    costs but tax. Between zero and `least` only `whole` steps may be traded. `is_further` where the
    amounts had none of it.
    """

    account: int
    of_class: int
    symbol: int
    worth: float
    cash: float
    unit: Money
    cost: float
    steps: int
    low: int
    least: int
    most: int
    whole: int
    is_further: bool = False


class _Move(NamedTuple):
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
        self.count: Ints = _ints([one.steps for one in orders])
        self.account = _ints([one.account for one in orders])
        self.of_class = _ints([one.of_class for one in orders])
        self.worth = _floats([one.worth for one in orders])
        self.cash = _floats([one.cash for one in orders])
        self.cost = _floats([one.cost for one in orders])
        self.sales = len(curves.bounds)
        classes = problem.classes
        self.held = classes.held + np.bincount(
            self.of_class, self.worth * self.count, minlength=len(classes.goal)
        )
        self.left = problem.cash + np.bincount(
            self.account, self.cash * self.count, minlength=len(problem.cash)
        )
        self.realized = curves.realized(self.count[: self.sales])
        self.spare = float("inf")
        self.free = dict(free)
        self.is_ready = False

    def improve_all(self, best: float) -> None:
        """Make every move that pays, until the orders cost next to *best*."""
        self.spare = self.objective() - best - _NEAR * self.problem.value
        if self.spare <= 0 or not self.orders:
            return
        self._prepare()
        for _ in range(2):
            moved = [self.improve(account) for account in sorted(self.free)]
            if not any(moved):
                break

    def _prepare(self) -> None:
        """The arrays that only moves need."""
        orders, problem = self.orders, self.problem
        self.is_ready = True
        self.unit = _floats([float(one.unit) for one in orders])
        self.low, self.most = (
            _ints([one.low for one in orders]),
            _ints([one.most for one in orders]),
        )
        self.least = _ints([one.least for one in orders])
        self.whole = _ints([one.whole for one in orders])
        shy = _ORDER_WORTH * problem.value
        self.opening = problem.order_cost + _floats([shy * one.is_further for one in orders])
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
        away = _beyond(cash - float(in_cash.goal[0]), float(in_cash.tolerance[0]))
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

    # ---------------------------------------------------------------- moves

    def improve(self, account: int) -> bool:
        """Make every move of *account* that pays; whether there was one."""
        mine = np.flatnonzero(self.account == account)
        if not len(mine):
            return False
        has_moved = False
        for _ in range(_LOOKS_MOST):
            if self.spare <= 0:
                break
            # Moves of one order are found much sooner than those of two.
            if not self._look(mine[:0], mine):
                near = self._promising(mine, _COLUMNS)
                if not self._look(self._promising(mine, _ROWS), near):
                    break
            has_moved = True
        return has_moved

    def _promising(self, mine: Ints, most: int) -> Ints:
        """The orders with which most can be mended in their classes."""
        if len(mine) <= most:
            return mine
        classes = self.problem.classes
        off = np.maximum(0.0, np.abs(self.held - classes.goal) - classes.tolerance)
        of_class, worth = self.of_class[mine], np.abs(self.worth[mine])
        after = np.abs(off[of_class] - np.maximum(1.0, np.rint(off[of_class] / worth)) * worth)
        could = np.round(classes.weight[of_class] * (off[of_class] - after), 7)
        return np.sort(mine[np.argsort(-could, kind="stable")[:most]])

    def _look(self, rows: Ints, columns: Ints) -> bool:
        """Make the best moves of a step of one of *rows* with *columns*; whether any paid."""
        first, steps = self._single(rows)
        change, more = self._changes(first, steps, columns)
        flat = change.ravel()
        if flat.size > _TRIES:
            # By value and not by position, so that ties are cut alike on every machine.
            worst = min(-_WORTH, float(np.partition(flat, _TRIES - 1)[_TRIES - 1]))
            best = np.flatnonzero(flat <= worst)
        else:
            best = np.flatnonzero(flat <= -_WORTH)
        has_moved = False
        for place in best[np.argsort(flat[best], kind="stable")][:_TRIES].tolist():
            _, row, column = np.unravel_index(place, change.shape)
            move = _Move(
                int(first[row]), int(steps[row]), int(columns[column]), int(more.flat[place])
            )
            if self._made(move, float(flat[place]) / 2 if has_moved else 0.0):
                has_moved = True
                if self.spare <= 0:
                    break
        return has_moved

    def _single(self, rows: Ints) -> tuple[Ints, Ints]:
        """No change, and the least changes of *rows*: one step, or as many as are allowed."""
        count, least = self.count[rows], self.least[rows]
        whole, low, most = self.whole[rows], self.low[rows], self.most[rows]
        firsts = [np.zeros(1, dtype=np.int64)]
        steps = [np.zeros(1, dtype=np.int64)]
        for by, instead in ((-1, np.zeros_like(least)), (1, least)):
            to = count + by
            is_small = (to > 0) & (to < least) & (to != whole)
            to = np.where(is_small, instead, to)
            may = (to >= low) & (to <= most)
            firsts.append(rows[may])
            steps.append((to - count)[may])
        return np.concatenate(firsts), np.concatenate(steps)

    def _made(self, move: _Move, least: float) -> bool:
        """Whether *move* really saves *least* and makes nothing short; it is made then."""
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
        if change > min(-_WORTH, least):
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
        return sold <= 0 or sold <= self._turnover_left()

    def _buys(self, symbol: int, parts: Sequence[tuple[int, int]]) -> bool:
        """Whether any of *symbol* is bought once *parts* are moved."""
        moved = dict(parts)
        return any(
            self.count[row] + moved.get(row, 0) > 0
            for row in range(self.sales, len(self.orders))
            if self.orders[row].symbol == symbol
        )

    def _turnover_left(self) -> float:
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
            change += weight * (_beyond(off + dollars, tolerance) - _beyond(off, tolerance))
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
        away, left, tolerance = self._away(), float(self.left[account]), in_cash.tolerance[0]
        moved = max(0.0, left + cash) - max(0.0, left)
        now, then = _beyond(away, float(tolerance)), _beyond(away + moved, float(tolerance))
        return float(in_cash.weight[0]) * (then - now)

    def _away(self) -> float:
        """How far the cash that the targets count is from its goal."""
        cash = float(np.maximum(self.left, 0.0)[self.problem.in_total].sum())
        return cash - float(self.problem.in_cash.goal[0])

    # ---------------------------------------------------------------- all moves at once

    def _changes(self, first: Ints, steps: Ints, columns: Ints) -> tuple[Floats, Floats]:
        """What each move would change with each further order (V, R, C), and the steps of that."""
        classes, problem = self.problem.classes, self.problem
        rates = self._rates()
        worth = (self.worth[first] * steps)[:, None]
        spent, cash = (self.unit[first] * steps)[:, None], (self.cash[first] * steps)[:, None]
        of_row = self.of_class[first][:, None]
        taxed = np.where(steps > 0, self.next[first] @ rates, self.last[first] @ rates)
        alone = ((self.cost[first] + taxed) * steps)[:, None]
        of_column = self.of_class[columns]
        is_same = (of_row == of_column) & (steps != 0)[:, None]
        beside = np.where(is_same, worth, 0.0)
        free = float(self.free[int(self.account[columns[0]])])
        room = free + spent
        more = self._more(columns, room, beside, cash, self._top(first, steps, columns))
        left = room + more * self.unit[columns]
        weight, goal, tolerance = classes.weight, classes.goal, classes.tolerance
        off = self.held - goal
        now = weight * np.maximum(0.0, np.abs(off) - tolerance)
        changed = beside + more * self.worth[columns]
        change = (
            weight[of_column]
            * np.maximum(0.0, np.abs(off[of_column] + changed) - tolerance[of_column])
            - now[of_column]
        )
        row_off = np.abs(off[of_row] + worth) - tolerance[of_row]
        mine = weight[of_row] * np.maximum(0.0, row_off) - now[of_row]
        change += np.where(is_same, 0.0, mine) + alone
        up, down = self.next[columns] @ rates, self.last[columns] @ rates
        change += more * self.cost[columns] + np.where(more > 0, more * up, more * down)
        in_cash, account = problem.in_cash, int(self.account[columns[0]])
        if problem.in_total[account]:
            away, at_first = self._away(), float(self.left[account])
            moved = np.maximum(0.0, at_first + cash + more * self.cash[columns])
            moved -= max(0.0, at_first)
            tolerance_cash = float(in_cash.tolerance[0])
            beyond = np.maximum(0.0, np.abs(away + moved) - tolerance_cash)
            change += float(in_cash.weight[0]) * (beyond - _beyond(away, tolerance_cash))
        if self.opening.any():
            change += self._opened(columns, more) + self._opened(first, steps)[:, None]
        is_itself = (first[:, None] == columns) & (steps != 0)[:, None] & (more != 0)
        fails = is_itself | (left < min(0.0, free) - _DUST)
        return np.where(fails, np.inf, np.round(change, 7)), more

    def _opened(self, rows: Ints, steps: Floats | Ints) -> Floats:
        """What *steps* more cost by making orders where there were none, or ending some."""
        count = self.count[rows]
        opened: Floats = self.opening[rows] * (
            ((count + steps) > 0).astype(float) - (count > 0).astype(float)
        )
        return opened

    def _top(self, first: Ints, steps: Ints, columns: Ints) -> Floats:
        """How many steps more the limits let of each of *columns* with each move (R, C)."""
        top = np.broadcast_to(
            (self.most[columns] - self.count[columns]).astype(float), (len(first), len(columns))
        )
        worth = np.abs(self.worth[columns])
        left = self._turnover_left()
        if left < np.inf:
            added = np.where(first < self.sales, np.abs(self.worth[first]) * steps, 0.0)[:, None]
            by_turnover = np.floor(np.maximum(0.0, left - added) / worth + _DUST)
            top = np.where(columns < self.sales, np.minimum(top, by_turnover), top)
        if self.is_limited[columns].any():
            symbol = _ints([self.orders[one].symbol for one in columns])
            room = _floats([self.limited.get(one, np.inf) for one in symbol.tolist()])
            moved = np.where(steps != 0, self.worth[first] * steps, 0.0)[:, None]
            of_first = _ints([self.orders[one].symbol for one in first])[:, None]
            room = np.maximum(0.0, room - np.where(of_first == symbol, moved, 0.0))
            by_limit = np.minimum(top, np.floor(room / worth + _DUST))
            top = np.where(columns < self.sales, top, by_limit)
        return top

    def _more(
        self, columns: Ints, room: Floats, beside: Floats, cash: Floats, top: Floats
    ) -> Floats:
        """How many steps of each of *columns* go with each move: several answers (V, R, C)."""
        classes = self.problem.classes
        of_column, count = self.of_class[columns], self.count[columns]
        worth, unit = self.worth[columns], self.unit[columns]
        gap = (classes.goal - self.held)[of_column] - beside
        tolerance = classes.tolerance[of_column]
        most = np.floor(room / np.maximum(np.abs(unit), _DUST) + _DUST)
        is_sale = worth < 0
        limit = np.where(is_sale, -most, most)
        per_step = np.where(self.cash[columns] == 0, np.inf, self.cash[columns])
        idle = (-self._away() - cash) / per_step
        one = np.ones_like(limit)
        several = [0 * one, limit, one, -one, np.rint(gap / worth)]
        several.append(np.rint(np.broadcast_to(idle, limit.shape)))
        if tolerance.any():
            several += [np.rint((gap - tolerance) / worth), np.rint((gap + tolerance) / worth)]
        wanted = np.stack(several)
        more = np.where(is_sale, np.maximum(wanted, limit), np.minimum(wanted, limit))
        more[0] = 0.0
        more = np.clip(more, np.minimum(self.low[columns] - count, top), top)
        after = count + more
        is_small = (after > 0) & (after < self.least[columns]) & (after != self.whole[columns])
        allowed = np.where(more < 0, 0, self.least[columns])
        is_stuck = (allowed < self.low[columns]) | (allowed - count > top)
        snapped = np.where(is_stuck, 0, allowed - count)
        return np.where(is_small & (more != 0), snapped, more)

    def _rates(self) -> Floats:
        """The tax of one more dollar of short gain, of long gain, and of tax itself."""
        best: tuple[float, int, Floats] | None = None
        for number, planes in enumerate(self.problem.year.branches):
            heights = planes[:, 0] + planes[:, 1:] @ self.realized[:2]
            top = int(np.argmax(heights))
            if best is None or (float(heights[top]), number) < best[:2]:
                best = (float(heights[top]), number, planes[top])
        assert best is not None, "a year's tax has a branch"
        return _floats([float(best[2][1]), float(best[2][2]), 1.0])


def _beyond(off: float, tolerance: float) -> float:
    return max(0.0, abs(off) - tolerance)


def _floats(values: Sequence[float]) -> Floats:
    return np.asarray(values, dtype=np.float64)


def _ints(values: Sequence[int]) -> Ints:
    return np.asarray(values, dtype=np.int64)
