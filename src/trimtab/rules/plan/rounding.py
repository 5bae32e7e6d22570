"""Whole steps that cost nearly as little as the amounts they come from.

Counts of steps are improved one move at a time: a step more or less of one order, and with it as
many steps of another order of the same account as its cash or its class can take. Each move makes
the plan's own objective less, and none makes an account short, so it ends; the number of moves is
bounded besides. Ties go to what stands first, so that the same plan comes out everywhere.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from trimtab.domain.numbers import ZERO, Money
from trimtab.rules.plan.problem import Floats, Ints, Problem

_WORTH = 1e-5
"""A move that saves less money than this is not made."""
_MOVES_MOST = 48
"""More moves than this are not made in one account."""
_BESIDE = 24
"""In an account with more orders than this, only so many are moved in pairs."""
_TRIES = 4
_NEAR = 5e-7
"""A two-hundredth of a basis point of the value is not worth a look."""
_DUST = 1e-9


class Curve:
    """What the first steps of a sale realize, lot after lot: gains, and tax beside the year's."""

    def __init__(self, steps: Floats, short: Floats, long: Floats, extra: Floats) -> None:
        """Of each lot (N,) its steps; what one realizes of short and long gain, and of tax."""
        self.each = np.column_stack([short, long, extra])
        self.ends = np.cumsum(steps)
        self.starts = self.ends - steps
        self.sums = np.cumsum(self.each * steps[:, None], axis=0) - self.each * steps[:, None]

    def at(self, count: int) -> Floats:
        """Short gain, long gain and tax beside the year's of the first *count* steps."""
        row = min(int(np.searchsorted(self.ends, count - _DUST)), len(self.ends) - 1)
        done: Floats = self.sums[row] + (count - self.starts[row]) * self.each[row]
        return done

    def beside(self, count: int) -> tuple[Floats, Floats]:
        """What the next step would realize, and what the last one did."""
        last = len(self.ends) - 1
        following = min(int(np.searchsorted(self.ends, count + 1 - _DUST)), last)
        before = min(int(np.searchsorted(self.ends, count - _DUST)), last)
        return self.each[following], self.each[before]


class Order(NamedTuple):
    """One place and side, in steps: what a step is worth, and how many there may be.

    `worth` is what a step adds to its class, negative for a sale; `cash` what it adds to the cash
    of its account as the targets count it, `unit` to what its account may spend; `cost` is all it
    costs but tax. Between zero and `least` only `whole` steps may be traded; `curve` is what a sale
    realizes.
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
    curve: Curve | None = None


def rounded(
    problem: Problem, orders: Sequence[Order], free: Mapping[int, Money], *, best: float
) -> list[int]:
    """The steps of each of *orders* after every move that pays, until they cost next to *best*.

    *free* is what each account may spend besides what the orders bring and take.
    """
    table = _Table(problem, orders, free)
    table.spare = table.objective() - best - _NEAR * problem.value
    for _ in range(2):
        moved = [table.improve(account) for account in sorted(free)]
        if not any(moved):
            break
    return table.counts()


class _Move(NamedTuple):
    """Steps to add to one order and, if there is a second one, to another."""

    first: int
    steps: int
    second: int
    more: int


class _Table:
    """The orders as arrays, with the sums that the objective is made of."""

    def __init__(
        self, problem: Problem, orders: Sequence[Order], free: Mapping[int, Money]
    ) -> None:
        self.problem, self.orders = problem, orders
        self.count: Ints = _ints([one.steps for one in orders])
        self.account = _ints([one.account for one in orders])
        self.of_class = _ints([one.of_class for one in orders])
        self.worth, self.cash = (
            _floats([one.worth for one in orders]),
            _floats([one.cash for one in orders]),
        )
        self.unit = _floats([float(one.unit) for one in orders])
        self.cost = _floats([one.cost for one in orders])
        self.low, self.most = (
            _ints([one.low for one in orders]),
            _ints([one.most for one in orders]),
        )
        self.least = _ints([one.least for one in orders])
        self.whole = _ints([one.whole for one in orders])
        self.free = dict(free)
        for order in orders:
            self.free[order.account] += order.steps * order.unit
        classes = problem.classes
        self.held = classes.held + np.bincount(
            self.of_class, self.worth * self.count, minlength=len(classes.goal)
        )
        accounts = len(problem.cash)
        self.left = problem.cash + np.bincount(
            self.account, self.cash * self.count, minlength=accounts
        )
        self.next, self.last = np.zeros((len(orders), 3)), np.zeros((len(orders), 3))
        realized = np.zeros(3)
        for row, one in enumerate(orders):
            if one.curve is not None:
                realized += one.curve.at(one.steps)
                self.next[row], self.last[row] = one.curve.beside(one.steps)
        self.realized = realized
        self.spare = float("inf")
        self.limited = self._limited()

    def counts(self) -> list[int]:
        """The steps of each order."""
        return [int(number) for number in self.count.tolist()]

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
        """Symbols of which only so much may be bought, and what is left of it in dollars."""
        options = self.problem.options
        limits = {
            int(symbol): float(most)
            for symbol, most in zip(options.symbol, options.most, strict=True)
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
        is_many = len(mine) > _BESIDE
        has_moved = False
        for _ in range(_MOVES_MOST):
            if self.spare <= 0:
                break
            moved = is_many and self._step(mine[:0], mine)
            if not moved:
                near = self._promising(mine) if is_many else mine
                moved = self._step(near, near)
            if not moved:
                break
            has_moved = True
        return has_moved

    def _promising(self, mine: Ints) -> Ints:
        """The orders of which one step could mend most."""
        classes = self.problem.classes
        off = np.maximum(0.0, np.abs(self.held - classes.goal) - classes.tolerance)
        of_class = self.of_class[mine]
        could = classes.weight[of_class] * np.minimum(off[of_class], np.abs(self.worth[mine]))
        return np.sort(mine[np.argsort(-np.round(could, 7), kind="stable")[:_BESIDE]])

    def _step(self, rows: Ints, columns: Ints) -> bool:
        """Make the best move of a step of one of *rows* with one of *columns*, if it pays."""
        moves = [_Move(-1, 0, -1, 0)]
        for row in rows.tolist():
            moves += [_Move(row, steps, -1, 0) for steps in self._steps(row)]
        change, more = self._changes(moves, columns)
        order = np.argsort(change, axis=None, kind="stable")[:_TRIES]
        for place in order.tolist():
            if change.flat[place] > -_WORTH:
                return False
            _, row, column = np.unravel_index(place, change.shape)
            steps = int(more.flat[place])
            move = moves[row]._replace(second=int(columns[column]) if steps else -1, more=steps)
            if self._made(move):
                return True
        return False

    def _steps(self, row: int) -> list[int]:
        """The least changes of an order: one step, or as many as it takes to be allowed."""
        order, count = self.orders[row], int(self.count[row])
        found = []
        for wanted in (count - 1, count + 1):
            to = wanted
            if 0 < wanted < order.least and wanted != order.whole:
                to = 0 if wanted < count else order.least
            if order.low <= to <= order.most:
                found.append(to - count)
        return found

    def _made(self, move: _Move) -> bool:
        """Whether *move* really pays and makes nothing short; it is made then."""
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
        change, realized = self._exact(parts)
        if change > -_WORTH:
            return False
        self.free[account], self.realized = left, realized
        self.spare += change
        for row, steps in parts:
            order = self.orders[row]
            self.count[row] += steps
            if order.curve is not None:
                self.next[row], self.last[row] = order.curve.beside(int(self.count[row]))
            self.held[order.of_class] += steps * order.worth
            self.left[account] += steps * order.cash
            if order.symbol in self.limited:
                self.limited[order.symbol] -= steps * order.worth
        return True

    def _is_allowed(self, parts: Sequence[tuple[int, int]]) -> bool:
        """Whether holding limits and the turnover limit let the steps through."""
        sold = 0.0
        for row, steps in parts:
            order = self.orders[row]
            dollars = steps * order.worth
            if order.symbol in self.limited and dollars > max(0.0, self.limited[order.symbol]):
                return False
            sold -= dollars if order.worth < 0 else 0.0
        most = self.problem.turnover_most
        if sold <= 0 or most == np.inf:
            return True
        before = -float((self.worth * self.count)[self.worth < 0].sum())
        return before + sold <= most

    def _exact(self, parts: Sequence[tuple[int, int]]) -> tuple[float, Floats]:
        """What the steps change in the objective, and what is realized with them."""
        problem, classes = self.problem, self.problem.classes
        realized, change, cash = self.realized, 0.0, 0.0
        moved: dict[int, float] = {}
        for row, steps in parts:
            order, count = self.orders[row], int(self.count[row])
            change += steps * order.cost
            change += problem.order_cost * ((count + steps > 0) - (count > 0))
            cash += steps * order.cash
            moved[order.of_class] = moved.get(order.of_class, 0.0) + steps * order.worth
            if order.curve is not None:
                realized = realized + order.curve.at(count + steps) - order.curve.at(count)
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

    def _changes(self, moves: Sequence[_Move], columns: Ints) -> tuple[Floats, Floats]:
        """What each move would change with each further order (V, R, C), and the steps of that."""
        classes, problem = self.problem.classes, self.problem
        rates = self._rates()
        first = _ints([move.first for move in moves])
        steps = _floats([float(move.steps) for move in moves])
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
        more = self._more(columns, room, beside, cash)
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
        if problem.order_cost > 0:
            count = self.count[columns]
            change += problem.order_cost * (
                ((count + more) > 0).astype(float) - (count > 0).astype(float)
            )
            before = self.count[first]
            change += (
                problem.order_cost
                * (((before + steps) > 0).astype(float) - (before > 0).astype(float))[:, None]
            )
        is_itself = (first[:, None] == columns) & (steps != 0)[:, None] & (more != 0)
        fails = is_itself | (left < min(0.0, free) - _DUST)
        return np.where(fails, np.inf, np.round(change, 7)), more

    def _more(self, columns: Ints, room: Floats, beside: Floats, cash: Floats) -> Floats:
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
        more = np.clip(more, self.low[columns] - count, self.most[columns] - count)
        after = count + more
        is_small = (after > 0) & (after < self.least[columns]) & (after != self.whole[columns])
        allowed = np.where(more < 0, 0, self.least[columns])
        is_stuck = (allowed < self.low[columns]) | (allowed > self.most[columns])
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
