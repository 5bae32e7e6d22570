"""Finds the prices at which the classes together want what the household can do: the lower bound.

Column generation (Dantzig and Wolfe 1960): a small linear program mixes the answers that the
classes have given so far, its duals are the next prices, and the classes answer those. Prices are
smoothed towards the best known ones (Wentges 1997), so that few questions are enough.
"""

from typing import NamedTuple

import highspy
import numpy as np

from trimtab.rules.plan.kernel import Answer, Kernel, Prices
from trimtab.rules.plan.problem import Floats, Ints
from trimtab.rules.plan.program import highs

LACKING = 1000.0
"""What a dollar of cash that cannot be raised costs: more than any sale."""
_QUESTIONS_MOST = 80
_BUCKETS = 24
_SMOOTHING = 0.5
_WEIGHT_LEAST = 1e-9


class Priced(NamedTuple):
    """The best prices found and what they prove: no solution costs less than `bound`.

    `answer` is what the classes said at the best prices. `used` are the answers that the best
    mixture is made of, and `share` (used, C) how much of each class is each of them.
    """

    bound: float
    mixture: float
    prices: Prices
    answer: Answer
    used: tuple[Answer, ...]
    share: Floats


class _Column(NamedTuple):
    answer: int
    bucket: int


class Master:
    """The linear program that mixes answers, for one branch of the year's tax."""

    def __init__(self, kernel: Kernel, planes: Floats) -> None:
        """Rows: cash of each account, all cash, gains, planes of the tax, turnover, buckets."""
        problem = kernel.problem
        if not problem.lots.is_taxed.any():
            planes = np.asarray([[planes[:, 0].max(), 0.0, 0.0]])
        self.kernel, self.planes = kernel, planes
        self.accounts = len(problem.cash)
        self.classes = len(problem.classes.goal)
        self.is_taxed = len(planes) > 1
        self.has_turnover = np.isfinite(problem.turnover_most)
        self.buckets = max(1, min(self.classes, _BUCKETS))
        self.bucket_of: Ints = np.arange(self.classes) * self.buckets // max(1, self.classes)
        self.columns: list[_Column] = []
        self.solver = highs({"presolve": "off"})
        self.low: list[float] = []
        self.high: list[float] = []
        self._rows()
        self._static_columns()

    def _row(self, low: float, high: float) -> int:
        nothing = np.zeros(0, dtype=np.int32)
        self.solver.addRow(low, high, 0, nothing, np.zeros(0))
        self.low.append(low)
        self.high.append(high)
        return len(self.low) - 1

    def _column(self, cost: float, low: float, high: float, entries: dict[int, float]) -> None:
        rows = np.fromiter(entries, dtype=np.int32, count=len(entries))
        values = np.fromiter(entries.values(), dtype=np.float64, count=len(entries))
        self.solver.addCol(cost, low, high, len(rows), rows, values)

    def _rows(self) -> None:
        problem, endless = self.kernel.problem, float("inf")
        for amount in problem.cash.tolist():
            self._row(amount, amount)
        goal, slack = float(problem.in_cash.goal[0]), float(problem.in_cash.tolerance[0])
        self.total_row = self._row(goal - slack, goal + slack)
        if self.is_taxed:
            self.short_row, self.long_row = self._row(0.0, 0.0), self._row(0.0, 0.0)
            self.plane_rows = [self._row(float(plane[0]), endless) for plane in self.planes]
        if self.has_turnover:
            self.turnover_row = self._row(-endless, problem.turnover_most)
        self.bucket_row = len(self.low)
        for _ in range(self.buckets):
            self._row(1.0, 1.0)

    def _static_columns(self) -> None:
        endless = float("inf")
        for account in range(self.accounts):
            counted = {self.total_row: 1.0} if self.kernel.problem.in_total[account] else {}
            self._column(0.0, 0.0, endless, {account: 1.0} | counted)
        for account in range(self.accounts):
            self._column(LACKING, 0.0, endless, {account: -1.0})
        weight = float(self.kernel.problem.in_cash.weight[0])
        self._column(weight, 0.0, endless, {self.total_row: 1.0})
        self._column(weight, 0.0, endless, {self.total_row: -1.0})
        if self.is_taxed:
            planes = list(zip(self.plane_rows, self.planes.tolist(), strict=True))
            short = {self.short_row: 1.0} | {row: -plane[1] for row, plane in planes}
            long = {self.long_row: 1.0} | {row: -plane[2] for row, plane in planes}
            self._column(0.0, -endless, endless, short)
            self._column(0.0, -endless, endless, long)
            self._column(1.0, -endless, endless, {row: 1.0 for row, _ in planes})
        self.static = 2 * self.accounts + 2 + (3 if self.is_taxed else 0)

    def add(self, answer: Answer, number: int, prices: Prices | None = None) -> None:
        """Take in what the classes answered at *prices*, one column for each bucket of classes.

        A pool of lots that a broker books in order is told at its average, as it was answered.
        """
        kernel = self.kernel
        figures = (kernel.gain_short, kernel.gain_long, kernel.lot_fixed)
        if prices is not None and kernel.pools is not None:
            figures = kernel.smoothed(prices, answer.mode)
        cost, cash, gains, turnover = self._figures(answer, figures)
        for bucket in range(self.buckets):
            entries = {a: -cash[a][bucket] for a in range(self.accounts) if cash[a][bucket] != 0.0}
            if self.is_taxed:
                entries[self.short_row] = -gains[0][bucket]
                entries[self.long_row] = -gains[1][bucket]
            if self.has_turnover:
                entries[self.turnover_row] = turnover[bucket]
            entries[self.bucket_row + bucket] = 1.0
            self._column(cost[bucket], 0.0, float("inf"), entries)
            self.columns.append(_Column(number, bucket))

    def _figures(
        self, answer: Answer, figures: tuple[Floats, Floats, Floats]
    ) -> tuple[list[float], list[list[float]], list[list[float]], list[float]]:
        """Of each bucket: what the answer costs, brings in cash, realizes and sells."""
        kernel, problem = self.kernel, self.kernel.problem
        where, count = kernel.where, self.buckets
        lots, options = problem.lots, problem.options
        lot_bucket = self.bucket_of[where.lot_class]
        buy_bucket = self.bucket_of[where.buy_class]
        cost = np.bincount(self.bucket_of, class_costs(kernel, answer, figures[2]), minlength=count)
        brought = answer.sold * lots.cash
        spent = answer.bought * options.cash
        cash = [
            np.bincount(lot_bucket, np.where(where.lot_account == a, brought, 0.0), minlength=count)
            - np.bincount(buy_bucket, np.where(where.buy_account == a, spent, 0.0), minlength=count)
            for a in range(self.accounts)
        ]
        gains = [
            np.bincount(lot_bucket, answer.sold * figures[0], minlength=count),
            np.bincount(lot_bucket, answer.sold * figures[1], minlength=count),
        ]
        if not self.is_taxed:
            plane = self.planes[0]
            cost = cost + plane[1] * gains[0] + plane[2] * gains[1]
        turnover = np.bincount(lot_bucket, answer.sold, minlength=count)
        return (
            cost.tolist(),
            [one.tolist() for one in cash],
            [one.tolist() for one in gains],
            turnover.tolist(),
        )

    def solve(self) -> tuple[float, Floats] | None:
        """The cost of the best mixture, and the rows' duals; None if HiGHS finds none."""
        self.solver.run()
        if self.solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        solution = self.solver.getSolution()
        objective = self.solver.getInfo().objective_function_value
        return objective + self.constant, np.asarray(solution.row_dual)

    @property
    def constant(self) -> float:
        """What the tax is before anything is sold, where it has one plane."""
        return 0.0 if self.is_taxed else float(self.planes[0][0])

    def prices(self, duals: Floats) -> Prices:
        """The row duals as prices."""
        plane = self.planes[0]
        return Prices(
            cash=-duals[: self.accounts],
            short=float(duals[self.short_row]) if self.is_taxed else float(plane[1]),
            long=float(duals[self.long_row]) if self.is_taxed else float(plane[2]),
            turnover=-float(duals[self.turnover_row]) if self.has_turnover else 0.0,
        )

    def guess(self, known: Priced | None) -> Floats:
        """Duals to begin with: those of another branch, or cash that is worth nothing."""
        problem, kernel = self.kernel.problem, self.kernel
        duals = np.zeros(len(self.low))
        cash = np.zeros(self.accounts) if known is None else known.prices.cash
        duals[: self.accounts] = -cash
        weight = float(problem.in_cash.weight[0])
        counted = cash[problem.in_total]
        least = float(counted.min()) if len(counted) else 0.0
        duals[self.total_row] = min(max(least, -weight), weight)
        if self.has_turnover and known is not None:
            duals[self.turnover_row] = -known.prices.turnover
        if self.is_taxed:
            sold = np.zeros(len(problem.lots.value)) if known is None else known.answer.sold
            short = float((sold * kernel.gain_short).sum())
            long = float((sold * kernel.gain_long).sum())
            at = self.planes[:, 0] + self.planes[:, 1] * short + self.planes[:, 2] * long
            highest = int(np.argmax(at))
            duals[self.plane_rows[highest]] = 1.0
            duals[self.short_row] = self.planes[highest, 1]
            duals[self.long_row] = self.planes[highest, 2]
        return duals

    def rest(self, duals: Floats) -> float:
        """The part of the bound that the classes do not answer for."""
        rows = duals[: self.bucket_row]
        low = np.asarray(self.low[: self.bucket_row])
        high = np.asarray(self.high[: self.bucket_row])
        side = np.where(rows > 0.0, low, np.where(rows < 0.0, high, 0.0))
        counts = np.isfinite(side)
        return float(np.sum(rows[counts] * side[counts])) + self.constant

    def shares(self) -> dict[int, Floats]:
        """The answers that the best mixture is made of, each with its part of every class (C,)."""
        weights = np.asarray(self.solver.getSolution().col_value[self.static :])
        found: dict[int, Floats] = {}
        for i in np.flatnonzero(weights > _WEIGHT_LEAST).tolist():
            column = self.columns[i]
            share = found.setdefault(column.answer, np.zeros(self.classes))
            share[self.bucket_of == column.bucket] += weights[i]
        return found


def class_costs(kernel: Kernel, answer: Answer, fixed: Floats) -> Floats:
    """What the answer of each class costs (C,), lots at *fixed* a dollar, the tax left out."""
    problem, where = kernel.problem, kernel.where
    count = len(problem.classes.goal)
    classes = problem.classes
    sold = np.bincount(where.lot_class, answer.sold, minlength=count)
    bought = np.bincount(where.buy_class, answer.bought, minlength=count)
    held = classes.held - sold + bought
    beyond = np.maximum(0.0, np.abs(held - classes.goal) - classes.tolerance)
    return (
        np.bincount(where.lot_class, answer.sold * fixed, minlength=count)
        + np.bincount(where.buy_class, answer.bought * problem.options.cost, minlength=count)
        + classes.weight * beyond
    )


def price(
    kernel: Kernel,
    planes: Floats,
    *,
    tolerance: float,
    beat: float,
    known: Priced | None = None,
) -> Priced:
    """The prices that bound the branch of *planes* from below, to within *tolerance* if they can.

    Asking stops early once the bound is above *beat*, which another branch has reached; the first
    question is at the prices *known* from that one.
    """
    master = Master(kernel, planes)
    answers: list[Answer] = []
    master.add(_nothing(kernel), -1)
    first = master.solve()
    mixture = np.inf if first is None else first[0]
    shares = {-1: np.ones(master.classes)} if first is None else master.shares()
    duals = master.guess(known)
    best_duals, bound, best = duals, -np.inf, 0
    alpha = 0.0
    for _ in range(_QUESTIONS_MOST):
        asked = alpha * best_duals + (1.0 - alpha) * duals
        prices = master.prices(asked)
        answer = kernel.at(prices)
        answers.append(answer)
        proven = float(answer.least.sum()) + master.rest(asked)
        if proven > bound:
            bound, best_duals, best = proven, asked, len(answers) - 1
        if mixture - bound <= tolerance or bound > beat:
            break
        master.add(answer, len(answers) - 1, prices)
        before, mixed = mixture, master.solve()
        if mixed is None:
            break
        mixture, duals = mixed
        shares = master.shares()
        if mixture - bound <= tolerance:
            break
        is_stuck = before - mixture <= tolerance / 10 and alpha == 0.0
        if is_stuck and proven <= bound and np.array_equal(asked, duals):
            break
        alpha = _SMOOTHING if before - mixture > tolerance / 10 else 0.0
    nothing = {-1: _nothing(kernel)}
    numbers = sorted(shares)
    return Priced(
        bound=bound,
        mixture=mixture,
        prices=master.prices(best_duals),
        answer=answers[best],
        used=tuple(nothing[-1] if number < 0 else answers[number] for number in numbers),
        share=np.asarray([shares[number] for number in numbers]),
    )


def _nothing(kernel: Kernel) -> Answer:
    """Every class does nothing, in whatever mode."""
    problem = kernel.problem
    return Answer(
        least=np.zeros(len(problem.classes.goal)),
        excess=np.zeros(kernel.count),
        mode=kernel.class_start,
        sold=np.zeros(len(problem.lots.value)),
        bought=np.zeros(len(problem.options.cost)),
        distance=np.zeros(len(problem.lots.value)),
    )
