"""Finds the prices at which the classes together want what the household can do: the lower bound.

Column generation (Dantzig and Wolfe 1960): a small linear program mixes the answers that the
classes have given so far, its duals are the next prices, and the classes answer those. The branches
of the year's tax share the answers; one branch at a time counts. Smoothing the prices (Wentges
1997) was tried and saves no question.
"""

from typing import NamedTuple

import highspy
import numpy as np

from trimtab.rules.plan.kernel import Answer, Kernel, Prices
from trimtab.rules.plan.problem import Flags, Floats, Ints
from trimtab.rules.plan.program import highs

LACKING = 1000.0
"""What a dollar of cash that cannot be raised costs: more than any sale."""
_QUESTIONS_MOST = 80
_BUCKETS = 24
"""So many parts of the household are mixed apart; more make the mixture dearer than they help."""
_WEIGHT_LEAST = 1e-9
_ENDLESS = float("inf")
_SETTINGS: dict[str, bool | float | str] = {
    "presolve": "off",
    "simplex_strategy": 4,
    "simplex_scale_strategy": 0,
}
"""The primal simplex: a mixture of old answers stays feasible beside a new one."""


class Priced(NamedTuple):
    """The best prices found and what they prove: no solution costs less than `bound`.

    `answer` is what the classes said at the best prices. `used` are the answers that the best
    mixture is made of, and `share` (used, C) how much of each class is each of them.
    """

    bound: float
    prices: Prices
    answer: Answer
    used: tuple[Answer, ...]
    share: Floats


class Branch(NamedTuple):
    """One branch of the year's tax in the master: its planes and where they stand in it."""

    planes: Floats
    rows: slice
    column: int


class Master:
    """The linear program that mixes answers, for all branches of the year's tax.

    Rows: cash of each account, all cash, short and long gains, the planes of every branch, turnover
    and, of each bucket of classes, that its answers make one whole.
    """

    def __init__(self, kernel: Kernel) -> None:
        """Lay the rows and the columns out that are no answers."""
        problem = kernel.problem
        self.kernel = kernel
        self.accounts = len(problem.cash)
        self.classes = len(problem.classes.goal)
        self.is_taxed = bool(problem.lots.is_taxed.any())
        self.has_turnover = bool(np.isfinite(problem.turnover_most))
        self.buckets = max(1, min(self.classes, _BUCKETS))
        self.bucket_of: Ints = np.arange(self.classes) * self.buckets // max(1, self.classes)
        self.answers: list[Answer] = []
        self.column_answer: list[int] = []
        self.column_bucket: list[int] = []
        self._lay_out()
        where = kernel.where
        self.lot_bucket = self.bucket_of[where.lot_class]
        self.buy_bucket = self.bucket_of[where.buy_class]
        self.lot_key = where.lot_account * self.buckets + self.lot_bucket
        self.buy_key = where.buy_account * self.buckets + self.buy_bucket

    def _lay_out(self) -> None:
        problem = self.kernel.problem
        goal, slack = float(problem.in_cash.goal[0]), float(problem.in_cash.tolerance[0])
        low: list[float] = [*problem.cash.tolist(), goal - slack]
        high: list[float] = [*problem.cash.tolist(), goal + slack]
        self.total_row = self.accounts
        self.short_row = self.long_row = -1
        self.branches: list[Branch] = []
        columns = _Columns(self.accounts, problem.in_total, float(problem.in_cash.weight[0]))
        if self.is_taxed:
            self.short_row, self.long_row = len(low), len(low) + 1
            low += [0.0, 0.0]
            high += [0.0, 0.0]
            short, long = columns.sum_of(self.short_row), columns.sum_of(self.long_row)
            for planes in problem.year.branches:
                rows = range(len(low), len(low) + len(planes))
                low += planes[:, 0].tolist()
                high += [_ENDLESS] * len(planes)
                tax = columns.tax_of(planes, rows, (short, long))
                self.branches.append(Branch(planes, slice(rows.start, rows.stop), tax))
        else:
            for planes in problem.year.branches:
                plane = np.asarray([[planes[:, 0].max(), 0.0, 0.0]])
                self.branches.append(Branch(plane, slice(0, 0), -1))
        self.turnover_row = len(low)
        if self.has_turnover:
            low.append(-_ENDLESS)
            high.append(problem.turnover_most)
        self.bucket_row = len(low)
        self.low, self.high = np.asarray(low), np.asarray(high)
        self.static = len(columns.cost)
        whole = np.ones(self.buckets)
        self.solver = highs(_SETTINGS)
        self.solver.passModel(
            columns.program(np.append(self.low, whole), np.append(self.high, whole))
        )

    def count_only(self, branch: Branch) -> None:
        """From now on only *branch* is the year's tax."""
        self.branch = branch
        for one in self.branches:
            if one.column >= 0:
                self.solver.changeColCost(one.column, 1.0 if one is branch else 0.0)

    def add(self, answer: Answer) -> None:
        """Take in what the classes answered, one column for each bucket of classes."""
        kernel, buckets = self.kernel, self.buckets
        figures = (kernel.gain_short, kernel.gain_long, kernel.lot_fixed)
        cost, parts = self._figures(answer, figures)
        table = np.vstack([*parts, np.ones(buckets)]).T
        rows = [*range(self.accounts)]
        if self.is_taxed:
            rows += [self.short_row, self.long_row]
        if self.has_turnover:
            rows.append(self.turnover_row)
        indices = np.empty(table.shape, dtype=np.int32)
        indices[:, :-1] = rows
        indices[:, -1] = self.bucket_row + np.arange(buckets)
        is_there = table != 0.0
        starts = np.concatenate(([0], np.cumsum(is_there.sum(axis=1))[:-1])).astype(np.int32)
        values = table[is_there]
        nothing, endless = np.zeros(buckets), np.full(buckets, _ENDLESS)
        self.solver.addCols(
            buckets, cost, nothing, endless, len(values), starts, indices[is_there], values
        )
        self.column_answer += [len(self.answers)] * buckets
        self.column_bucket += range(buckets)
        self.answers.append(answer)

    def _figures(
        self, answer: Answer, figures: tuple[Floats, Floats, Floats]
    ) -> tuple[Floats, list[Floats]]:
        """Of each bucket: what the answer costs; what it takes of each row."""
        kernel, problem, count = self.kernel, self.kernel.problem, self.buckets
        lots, classes, of_class = problem.lots, problem.classes, self.kernel.where.lot_class
        sold_rows, bought_rows = np.flatnonzero(answer.sold), np.flatnonzero(answer.bought)
        sold, bought = answer.sold[sold_rows], answer.bought[bought_rows]
        bucket, buy_bucket = self.lot_bucket[sold_rows], self.buy_bucket[bought_rows]
        held = classes.held - _sums(of_class[sold_rows], sold, self.classes)
        held += _sums(kernel.where.buy_class[bought_rows], bought, self.classes)
        beyond = np.maximum(0.0, np.abs(held - classes.goal) - classes.tolerance)
        cost = (
            _sums(self.bucket_of, classes.weight * beyond, count)
            + _sums(bucket, sold * figures[2][sold_rows], count)
            + _sums(buy_bucket, bought * problem.options.cost[bought_rows], count)
        )
        spent, brought = bought * problem.options.cash[bought_rows], sold * lots.cash[sold_rows]
        if problem.order_cost > 0:
            cost += problem.order_cost * self._orders(sold_rows, bought_rows)
        cells = self.accounts * count
        cash = _sums(self.buy_key[bought_rows], spent, cells)
        cash -= _sums(self.lot_key[sold_rows], brought, cells)
        parts = [cash.reshape(self.accounts, count)]
        if self.is_taxed:
            parts += [-_sums(bucket, sold * one[sold_rows], count)[None] for one in figures[:2]]
        if self.has_turnover:
            parts.append(_sums(bucket, sold, count)[None])
        return cost, parts

    def _orders(self, sold_rows: Ints, bought_rows: Ints) -> Ints:
        """How many orders each bucket gives: places that are sold, and options that are bought."""
        _, first = np.unique(self.kernel.problem.lots.place[sold_rows], return_index=True)
        sales = np.bincount(self.lot_bucket[sold_rows[first]], minlength=self.buckets)
        return sales + np.bincount(self.buy_bucket[bought_rows], minlength=self.buckets)

    def solve(self) -> tuple[float, Floats, Floats] | None:
        """What the best mixture costs, its rows' duals and weights; None if HiGHS finds none."""
        self.solver.run()
        if self.solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        solution = self.solver.getSolution()
        return (
            self.solver.getObjectiveValue() + self.constant,
            np.asarray(solution.row_dual),
            np.asarray(solution.col_value)[self.static :],
        )

    @property
    def constant(self) -> float:
        """What the tax is before anything is sold, where nothing is taxed."""
        return 0.0 if self.is_taxed else float(self.branch.planes[0, 0])

    def prices(self, duals: Floats) -> Prices:
        """The row duals as prices."""
        return Prices(
            cash=-duals[: self.accounts],
            short=float(duals[self.short_row]) if self.is_taxed else 0.0,
            long=float(duals[self.long_row]) if self.is_taxed else 0.0,
            turnover=-float(duals[self.turnover_row]) if self.has_turnover else 0.0,
        )

    def guess(self, known: "Pricing | None") -> Floats:
        """Duals to begin with: those of another branch, or cash worth what idle cash costs."""
        problem, kernel = self.kernel.problem, self.kernel
        duals = np.zeros(self.bucket_row)
        cash = self._idle() if known is None else known.prices.cash
        duals[: self.accounts] = -cash
        weight = float(problem.in_cash.weight[0])
        counted = cash[problem.in_total]
        least = float(counted.min()) if len(counted) else 0.0
        duals[self.total_row] = min(max(least, -weight), weight)
        if self.has_turnover and known is not None:
            duals[self.turnover_row] = -known.prices.turnover
        if self.is_taxed:
            planes = self.branch.planes
            sold = np.zeros(len(problem.lots.value)) if known is None else known.best.sold
            short = float((sold * kernel.gain_short).sum())
            long = float((sold * kernel.gain_long).sum())
            at = planes[:, 0] + planes[:, 1] * short + planes[:, 2] * long
            highest = int(np.argmax(at))
            duals[self.branch.rows.start + highest] = 1.0
            duals[self.short_row] = planes[highest, 1]
            duals[self.long_row] = planes[highest, 2]
        return duals

    def _idle(self) -> Floats:
        """About what a dollar of idle cash costs in each account: what buying with it saves."""
        idle, options = np.zeros(self.accounts), self.kernel.problem.options
        np.maximum.at(idle, self.kernel.where.buy_account, -options.cost / options.cash)
        return idle

    def ask(self, duals: Floats) -> tuple[Answer, float]:
        """What the classes answer at the prices *duals*, and the bound that this proves."""
        answer = self.kernel.at(self.prices(duals))
        return answer, float(answer.least.sum()) + self._rest(duals)

    def _rest(self, duals: Floats) -> float:
        """The part of the bound that the classes do not answer for."""
        rows = duals[: self.bucket_row]
        side = np.where(rows > 0.0, self.low, np.where(rows < 0.0, self.high, 0.0))
        counts = np.isfinite(side)
        return float(np.sum(rows[counts] * side[counts])) + self.constant

    def shares(self, weights: Floats) -> tuple[tuple[Answer, ...], Floats]:
        """The answers that a mixture is made of, each with its part of every class (used, C)."""
        rows = np.flatnonzero(weights > _WEIGHT_LEAST)
        answers, number = np.unique(np.asarray(self.column_answer)[rows], return_inverse=True)
        share = np.zeros((len(answers), self.buckets))
        np.add.at(share, (number, np.asarray(self.column_bucket)[rows]), weights[rows])
        return tuple(self.answers[one] for one in answers.tolist()), share[:, self.bucket_of]


class _Columns:
    """The columns of the master that are no answers: cash, idle or lacking, gains and tax."""

    def __init__(self, accounts: int, in_total: Flags, weight: float) -> None:
        self.cost: list[float] = []
        self.low: list[float] = []
        self.entries: list[dict[int, float]] = []
        total = accounts
        for account, counts in enumerate(in_total.tolist()):
            self._add(0.0, 0.0, {account: 1.0} | ({total: 1.0} if counts else {}))
        for account in range(accounts):
            self._add(LACKING, 0.0, {account: -1.0})
        self._add(weight, 0.0, {total: 1.0})
        self._add(weight, 0.0, {total: -1.0})

    def _add(self, cost: float, low: float, entries: dict[int, float]) -> int:
        self.cost.append(cost)
        self.low.append(low)
        self.entries.append(entries)
        return len(self.cost) - 1

    def sum_of(self, row: int) -> int:
        """A column that is the sum of what the answers put into *row*."""
        return self._add(0.0, -_ENDLESS, {row: 1.0})

    def tax_of(self, planes: Floats, rows: range, sums: tuple[int, int]) -> int:
        """The tax of a branch: above each of its planes at the *sums* of gains."""
        for column, slopes in zip(sums, (planes[:, 1], planes[:, 2]), strict=True):
            self.entries[column] |= dict(zip(rows, (-slopes).tolist(), strict=True))
        return self._add(0.0, -_ENDLESS, dict.fromkeys(rows, 1.0))

    def program(self, low: Floats, high: Floats) -> highspy.HighsLp:
        """A linear program with these columns and no answers yet."""
        program = highspy.HighsLp()
        program.num_col_, program.num_row_ = len(self.cost), len(low)
        program.col_cost_, program.col_lower_ = np.asarray(self.cost), np.asarray(self.low)
        program.col_upper_ = np.full(len(self.cost), _ENDLESS)
        program.row_lower_, program.row_upper_ = low, high
        matrix = program.a_matrix_
        matrix.format_ = highspy.MatrixFormat.kColwise
        sizes = [len(entries) for entries in self.entries]
        matrix.start_ = np.concatenate(([0], np.cumsum(sizes))).astype(np.int32)
        rows = [row for entries in self.entries for row in entries]
        matrix.index_ = np.asarray(rows, dtype=np.int32)
        values = [value for entries in self.entries for value in entries.values()]
        matrix.value_ = np.asarray(values)
        return program


class Pricing:
    """Asks for the prices of one branch, and can go on where it stopped."""

    def __init__(self, master: Master, branch: Branch, known: "Pricing | None" = None) -> None:
        """The first question is at the prices *known* from another branch, or at a guess."""
        self.master, self.branch = master, branch
        master.count_only(branch)
        if not master.answers:
            master.add(nothing(master.kernel))
        self.bound, self.mixture = -np.inf, np.inf
        self.is_done = False
        self.best = master.answers[0]
        self.weights = np.ones(master.buckets)
        self.mixed = len(master.answers)
        self.duals = self.best_duals = master.guess(known)

    @property
    def prices(self) -> Prices:
        """The best prices so far."""
        return self.master.prices(self.best_duals)

    def run(self, *, tolerance: float, beat: float, questions: int = _QUESTIONS_MOST) -> None:
        """Ask until bound and mixture are *tolerance* apart or the bound is above *beat*."""
        master = self.master
        for _ in range(questions):
            if self._is_enough(tolerance, beat):
                return
            if master.branch is not self.branch:
                master.count_only(self.branch)
            if self.mixed < len(master.answers):
                self._mix()
            asked = self.duals
            answer, proven = master.ask(asked)
            if proven > self.bound:
                self.bound, self.best_duals, self.best = proven, asked, answer
            if self._is_enough(tolerance, beat):
                return
            master.add(answer)
            self.is_done = not self._mix() or np.array_equal(asked, self.duals)

    def _is_enough(self, tolerance: float, beat: float) -> bool:
        return self.is_done or self.mixture - self.bound <= tolerance or self.bound > beat

    def _mix(self) -> bool:
        """Mix the answers that there are; False where HiGHS fails."""
        mixed = self.master.solve()
        self.mixed = len(self.master.answers)
        if mixed is None:
            return False
        self.mixture, self.duals, self.weights = mixed
        return True

    def priced(self) -> Priced:
        """What has been found."""
        used, share = self.master.shares(self.weights)
        return Priced(
            bound=self.bound, prices=self.prices, answer=self.best, used=used, share=share
        )


def nothing(kernel: Kernel) -> Answer:
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


def _sums(where: Ints, amounts: Floats, count: int) -> Floats:
    """The sum of *amounts* for each number 0 .. count - 1 in *where*."""
    return np.bincount(where, amounts, minlength=count).astype(np.float64, copy=False)
