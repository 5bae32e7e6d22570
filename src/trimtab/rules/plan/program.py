"""A mixed-integer program in the making, and HiGHS that solves it."""

from collections.abc import Iterable, Mapping, Sequence

import highspy
import numpy as np

from trimtab.rules.plan.problem import Floats

ENDLESS = float("inf")


def highs(settings: Mapping[str, bool | float | str]) -> highspy.Highs:
    """A silent solver on one thread, with *settings*."""
    solver = highspy.Highs()  # type: ignore[no-untyped-call]  # highspy tells no type of it
    for name, value in {**_ALWAYS, **settings}.items():
        solver.setOptionValue(name, value)
    return solver


_ALWAYS: dict[str, bool | float | str] = {"output_flag": False, "threads": 1, "random_seed": 0}


class Model:
    """A mixed-integer program in the making: columns, rows and their entries."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.cost: list[float] = []
        self.low: list[float] = []
        self.high: list[float] = []
        self.whole: list[bool] = []
        self.row_low: list[float] = []
        self.row_high: list[float] = []
        self.entries: tuple[list[int], list[int], list[float]] = ([], [], [])

    def column(
        self, cost: float, low: float = 0.0, high: float = ENDLESS, *, is_whole: bool = False
    ) -> int:
        """A new variable."""
        self.cost.append(cost)
        self.low.append(low)
        self.high.append(high)
        self.whole.append(is_whole)
        return len(self.cost) - 1

    def columns(self, costs: Sequence[float], highs: Sequence[float]) -> range:
        """As many new variables between nothing and *highs*."""
        first, count = len(self.cost), len(costs)
        self.cost += costs
        self.low += [0.0] * count
        self.high += highs
        self.whole += [False] * count
        return range(first, first + count)

    def switch(self, cost: float = 0.0) -> int:
        """A new variable that is 0 or 1."""
        return self.column(cost, 0.0, 1.0, is_whole=True)

    def row(self, low: float, high: float, entries: Mapping[int, float]) -> int:
        """A new constraint."""
        number = len(self.row_low)
        self.row_low.append(low)
        self.row_high.append(high)
        self.put([number] * len(entries), entries.keys(), entries.values())
        return number

    def put(self, rows: Iterable[int], columns: Iterable[int], values: Iterable[float]) -> None:
        """More entries of rows that are there."""
        self.entries[0].extend(rows)
        self.entries[1].extend(columns)
        self.entries[2].extend(values)

    def solve(self, tolerance: float, nodes: int) -> tuple[Floats, float, float] | None:
        """Values, objective and proven bound; None where nothing was found."""
        lp = highspy.HighsLp()
        columns, rows = len(self.cost), len(self.row_low)
        lp.num_col_, lp.num_row_ = columns, rows
        lp.col_cost_ = np.asarray(self.cost)
        lp.col_lower_, lp.col_upper_ = np.asarray(self.low), np.asarray(self.high)
        lp.row_lower_, lp.row_upper_ = np.asarray(self.row_low), np.asarray(self.row_high)
        if any(self.whole):
            kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
            lp.integrality_ = [kinds[one] for one in self.whole]
        row, column = (np.asarray(part, dtype=np.int32) for part in self.entries[:2])
        order = np.lexsort((row, column))
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_ = np.searchsorted(column[order], np.arange(columns + 1)).astype(
            np.int32
        )
        lp.a_matrix_.index_ = row[order]
        lp.a_matrix_.value_ = np.asarray(self.entries[2])[order]
        solver = highs(_SETTINGS | {"mip_abs_gap": tolerance, "mip_max_nodes": nodes})
        solver.passModel(lp)
        solver.run()
        values = np.asarray(solver.getSolution().col_value)
        info = solver.getInfo()
        if not np.isfinite(info.objective_function_value) or len(values) != columns:
            return None
        objective = float(info.objective_function_value)
        if not any(self.whole):
            is_best = solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
            return (values, objective, objective) if is_best else None
        if info.primal_solution_status != int(highspy.SolutionStatus.kSolutionStatusFeasible):
            return None
        return values, objective, min(objective, float(info.mip_dual_bound))


_SETTINGS: dict[str, bool | float | str] = {
    "mip_rel_gap": 0.0,
    "primal_feasibility_tolerance": 1e-8,
    "dual_feasibility_tolerance": 1e-8,
    "mip_feasibility_tolerance": 1e-8,
    "mip_heuristic_run_feasibility_jump": False,
    "mip_heuristic_run_rens": False,
    "mip_heuristic_run_rins": False,
    "mip_heuristic_run_root_reduced_cost": False,
    "presolve": "off",
}
"""Programs of this size take a third of the time without the searches for a first answer.

The presolve of HiGHS 1.15 now and then drops the best answer of one with switches, and calls what
is left proven.
"""
