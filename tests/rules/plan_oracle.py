"""The least that a planning problem can cost: slow, exact, and independent of `rules.plan`.

The whole problem is one mixed-integer program, a column for each dollar amount and each either/or,
written down as plainly as the docstrings of `Problem` say it and left to HiGHS. Money inside is in
basis points of the household's value, so that the tolerances of HiGHS mean the same for all.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from math import inf, isfinite

import highspy
import numpy as np
from msgspec import Struct, field
from tests.rules.plan_judge import TRACE, broken, cost, ordered_pairs, recent_lots

from trimtab.rules.plan.problem import Classes, Floats, Problem

__all__ = ["broken", "cost", "least", "least_lacking"]


class Program(Struct):
    """A linear program with integers, as it is written down."""

    costs: list[float] = field(default_factory=list)
    lowers: list[float] = field(default_factory=list)
    uppers: list[float] = field(default_factory=list)
    integers: set[int] = field(default_factory=set)
    rows: list[tuple[float, dict[int, float], float]] = field(default_factory=list)

    def amount(self, upper: float = inf, price: float = 0.0, lower: float = 0.0) -> int:
        """A new column for an amount."""
        self.costs.append(price)
        self.lowers.append(lower)
        self.uppers.append(upper)
        return len(self.costs) - 1

    def choice(self, price: float = 0.0) -> int:
        """A new column that is 0 or 1."""
        self.integers.add(self.amount(1.0, price))
        return len(self.costs) - 1

    def keep(self, lower: float, terms: Iterable[tuple[int, float]], upper: float = inf) -> None:
        """Ask that the sum of *terms*, columns with factors, lies between the two bounds."""
        row: dict[int, float] = defaultdict(float)
        for column, factor in terms:
            if factor:
                row[column] += factor
        self.rows.append((lower, row, upper))

    def solve(self, fixed: Mapping[int, float] | None = None) -> Floats | None:
        """The best columns, or None where there are none; *fixed* makes it a linear program."""
        done = _highs(self, fixed)
        status = done.getModelStatus()
        if status in {
            highspy.HighsModelStatus.kInfeasible,
            highspy.HighsModelStatus.kUnboundedOrInfeasible,
        }:
            return None
        assert status == highspy.HighsModelStatus.kOptimal, status
        return np.array(done.getSolution().col_value, dtype=np.float64)


def _highs(program: Program, fixed: Mapping[int, float] | None) -> highspy.Highs:
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(program.costs), len(program.rows)
    lower, upper = np.array(program.lowers), np.array(program.uppers)
    for column, value in (fixed or {}).items():
        lower[column] = upper[column] = value
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = np.array(program.costs), lower, upper
    lp.row_lower_ = np.array([row[0] for row in program.rows], dtype=np.float64)
    lp.row_upper_ = np.array([row[2] for row in program.rows], dtype=np.float64)
    terms = [row[1] for row in program.rows]
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.num_col_, lp.a_matrix_.num_row_ = lp.num_col_, lp.num_row_
    lp.a_matrix_.start_ = np.cumsum([0, *map(len, terms)]).astype(np.int32)
    lp.a_matrix_.index_ = np.array([column for row in terms for column in row], dtype=np.int32)
    lp.a_matrix_.value_ = np.array([row[column] for row in terms for column in row])
    if fixed is None:
        kinds = highspy.HighsVarType
        lp.integrality_ = [
            kinds.kInteger if column in program.integers else kinds.kContinuous
            for column in range(lp.num_col_)
        ]
    highs = highspy.Highs()
    for option, setting in {
        "output_flag": False,
        "threads": 1,
        "mip_rel_gap": 0.0,
        "mip_abs_gap": 1e-7,
        "mip_feasibility_tolerance": 1e-9,
        "primal_feasibility_tolerance": 1e-9,
        "dual_feasibility_tolerance": 1e-9,
    }.items():
        assert highs.setOptionValue(option, setting) == highspy.HighsStatus.kOk, option
    assert highs.passModel(lp) != highspy.HighsStatus.kError
    highs.run()
    if highs.getModelStatus() == highspy.HighsModelStatus.kSolveError:
        # At tolerances this small presolve now and then ends in a system that is not solved.
        highs.clearSolver()
        assert highs.setOptionValue("presolve", "off") == highspy.HighsStatus.kOk
        highs.run()
    if highs.getModelStatus() == highspy.HighsModelStatus.kSolveError:
        # What presolve leaves is now and then beyond these tolerances; all of it is not.
        assert highs.setOptionValue("presolve", "off") == highspy.HighsStatus.kOk
        highs.clearSolver()
        highs.run()
    return highs


def least(problem: Problem) -> tuple[float, Floats, Floats] | None:
    """The least that any allowed amounts cost, with such amounts; None where no cash suffices.

    The choices found are solved again with nothing but them held, so that no tolerance on an
    either/or is left in the amounts.
    """
    model = Model(problem)
    found = model.program.solve()
    if found is None:
        return None
    choices = {column: round(found[column]) for column in model.program.integers}
    exact = model.program.solve(choices)
    assert exact is not None, "the choices of a solution have amounts"
    sold, bought = model.amounts(exact)
    return cost(problem, sold, bought), sold, bought


def least_lacking(problem: Problem) -> float:
    """The least cash, in dollars of all accounts together, that is missing whatever is sold."""
    model = Model(problem, may_lack=True)
    found = model.program.solve()
    assert found is not None, "with missing cash allowed, doing nothing is a solution"
    return float(sum(found[column] for column in model.lacking) * model.unit)


class Model:
    """The program of a problem: what is sold and bought, and each of its rules."""

    def __init__(self, problem: Problem, *, may_lack: bool = False) -> None:
        self.problem, self.unit = problem, problem.value * 1e-4
        self.program = program = Program()
        lots, places, options = problem.lots, problem.places, problem.options
        self.value = lots.value / self.unit
        self.twin = problem.groups.twin[places.group]
        self.sold = [program.amount(dollars) for dollars in self.value]
        self.room = self._room()
        self.bought = [program.amount(room) for room in self.room]
        self.sells = [program.choice() for _ in places.account]
        self.buys = [program.choice() for _ in options.place]
        self.lacking = [program.amount(inf if may_lack else 0.0) for _ in problem.cash]
        for lot, dollars in enumerate(self.value):
            self._only_if(self.sells[lots.place[lot]], self.sold[lot], dollars)
        for option, room in enumerate(self.room):
            self._only_if(self.buys[option], self.bought[option], room)
        self._keep_cash()
        self._keep_limits()
        self._sell_the_least_or_the_whole()
        self._sell_in_order()
        self._sell_or_buy()
        self._harvest_or_buy()
        if may_lack:
            for column in self.lacking:
                program.costs[column] = 1.0
        else:
            self._price_trades()
            self._price_drift()
            self._price_year()

    def amounts(self, columns: Floats) -> tuple[Floats, Floats]:
        """The dollars sold and bought that *columns* say."""
        sold = np.clip(columns[self.sold] * self.unit, 0.0, self.problem.lots.value)
        bought = np.maximum(columns[self.bought] * self.unit, 0.0)
        return np.where(sold > TRACE, sold, 0.0), np.where(bought > TRACE, bought, 0.0)

    def _room(self) -> list[float]:
        """What each option could buy if its account sold everything."""
        problem = self.problem
        account_of = problem.places.account
        cash = np.maximum(problem.cash, 0.0)
        for lot, dollars in enumerate(problem.lots.value):
            cash[account_of[problem.lots.place[lot]]] += dollars * problem.lots.cash[lot]
        funds = cash[account_of[problem.options.place]] / problem.options.cash
        whole = float(problem.lots.value.sum())
        return list(np.clip(problem.options.most + whole, 0.0, funds) / self.unit)

    def _only_if(self, choice: int, amount: int, most: float) -> None:
        self.program.keep(-inf, [(amount, 1.0), (choice, -most)], 0.0)

    def _keep_cash(self) -> None:
        problem = self.problem
        for account, cash in enumerate(problem.cash):
            terms = [(self.lacking[account], 1.0)]
            terms += [term for where, term in self._cash_terms() if where == account]
            self.program.keep(-cash / self.unit, terms)

    def _cash_terms(self) -> list[tuple[int, tuple[int, float]]]:
        """What each amount does to which account's cash."""
        lots, options, account_of = self.problem.lots, self.problem.options, self.problem.places
        sales = [
            (int(account_of.account[lots.place[lot]]), (column, float(lots.cash[lot])))
            for lot, column in enumerate(self.sold)
        ]
        return sales + [
            (int(account_of.account[options.place[option]]), (column, -float(options.cash[option])))
            for option, column in enumerate(self.bought)
        ]

    def _keep_limits(self) -> None:
        options, lots, symbols = self.problem.options, self.problem.lots, self.problem.places.symbol
        for option, most in enumerate(options.most):
            mine = symbols[options.place[option]]
            if isfinite(most):
                buying = np.flatnonzero(symbols[options.place] == mine)
                net = [(self.bought[other], 1.0) for other in buying]
                selling = np.flatnonzero(symbols[lots.place] == mine)
                net += [(self.sold[lot], -1.0) for lot in selling]
                # Where none of it is bought, more than the limit may stay.
                whole = sum(self.room[other] for other in buying)
                lift = max(0.0, whole - most / self.unit)
                self.program.keep(-inf, [*net, (self.buys[option], lift)], most / self.unit + lift)
            self.program.keep(
                0.0,
                [
                    (self.bought[option], 1.0),
                    (self.buys[option], -options.least[option] / self.unit),
                ],
            )
        most = self.problem.turnover_most / self.unit
        self.program.keep(-inf, [(column, 1.0) for column in self.sold], most)

    def _sell_the_least_or_the_whole(self) -> None:
        for place, least in enumerate(self.problem.places.sell_least):
            dollars = least / self.unit
            lots = np.flatnonzero(self.problem.lots.place == place)
            terms = [*((self.sold[lot], 1.0) for lot in lots), (self.sells[place], -dollars)]
            if self.problem.places.is_all[place]:
                whole = self.program.choice()
                for lot in lots:
                    self.program.keep(0.0, [(self.sold[lot], 1.0), (whole, -self.value[lot])])
                terms.append((whole, dollars))
            self.program.keep(0.0, terms)

    def _sell_in_order(self) -> None:
        for before, after in ordered_pairs(self.problem):
            done = self.program.choice()
            self.program.keep(0.0, [(self.sold[before], 1.0), (done, -self.value[before])])
            self._only_if(done, self.sold[after], self.value[after])

    def _sell_or_buy(self) -> None:
        """Of one group, an account may be on one side only."""
        account_of = self.problem.places.account
        pairs = sorted(set(zip(account_of, self.twin, strict=True)))
        sides = {pair: self.program.choice() for pair in pairs}
        for place, account in enumerate(account_of):
            self._only_if(sides[account, self.twin[place]], self.sells[place], 1.0)
        for option, place in enumerate(self.problem.options.place):
            side = sides[account_of[place], self.twin[place]]
            self.program.keep(-inf, [(self.buys[option], 1.0), (side, 1.0)], 1.0)

    def _harvest_or_buy(self) -> None:
        lots = self.problem.lots
        for twin in sorted(set(self.twin)):
            harvests = self.program.choice()
            recent = recent_lots(self.problem, int(twin))
            beside = self.program.choice()
            for lot in np.flatnonzero(lots.is_loss & (self.twin[lots.place] == twin)).tolist():
                self._only_if(harvests, self.sold[lot], self.value[lot])
                if not lots.goes_alone[lot]:
                    self._only_if(beside, self.sold[lot], self.value[lot])
            for option, place in enumerate(self.problem.options.place):
                if self.twin[place] == twin:
                    self.program.keep(-inf, [(self.buys[option], 1.0), (harvests, 1.0)], 1.0)
            for lot in recent:
                self.program.keep(0.0, [(self.sold[lot], 1.0), (beside, -self.value[lot])])

    def _price_trades(self) -> None:
        problem, costs = self.problem, self.program.costs
        for lot, column in enumerate(self.sold):
            costs[column] += problem.lots.cost[lot] + problem.lots.extra[lot]
        for option, column in enumerate(self.bought):
            costs[column] += problem.options.cost[option]
        fee = problem.order_cost / self.unit
        for column in self.sells:
            costs[column] += fee
        for place in sorted(set(problem.options.place)):
            order = self.program.choice(fee)
            for option in np.flatnonzero(problem.options.place == place).tolist():
                self._only_if(order, self.buys[option], 1.0)

    def _price_drift(self) -> None:
        lots, options, places = self.problem.lots, self.problem.options, self.problem.places
        class_of = self.problem.groups.of_class[places.group]
        for number in range(len(self.problem.classes.held)):
            lots_in = np.flatnonzero(class_of[lots.place] == number)
            options_in = np.flatnonzero(class_of[options.place] == number)
            terms = [(self.sold[lot], -1.0) for lot in lots_in]
            terms += [(self.bought[option], 1.0) for option in options_in]
            self._price_distance(self.problem.classes, number, terms)
        terms = [term for where, term in self._cash_terms() if self.problem.in_total[where]]
        self._price_distance(self.problem.in_cash, 0, terms)

    def _price_distance(
        self, classes: Classes, number: int, change: list[tuple[int, float]]
    ) -> None:
        beyond = self.program.amount(price=float(classes.weight[number]))
        apart = (classes.held[number] - classes.goal[number]) / self.unit
        tolerance = classes.tolerance[number] / self.unit
        back = [(column, -factor) for column, factor in change]
        self.program.keep(apart - tolerance, [(beyond, 1.0), *back])
        self.program.keep(-apart - tolerance, [(beyond, 1.0), *change])

    def _price_year(self) -> None:
        """The branch that counts is chosen; the planes of the others are lifted out of the way."""
        lots = self.problem.lots
        short = [
            lot for lot in range(len(lots.value)) if lots.is_taxed[lot] and not lots.is_long[lot]
        ]
        long = [lot for lot in range(len(lots.value)) if lots.is_taxed[lot] and lots.is_long[lot]]
        branches = [
            [self._plane(plane, short, long) for plane in planes]
            for planes in self.problem.year.branches
        ]
        lowest = min(max(low for _, _, low, _ in planes) for planes in branches)
        tax = self.program.amount(lower=lowest, price=1.0)
        counts = [self.program.choice() for _ in branches]
        self.program.keep(1.0, [(column, 1.0) for column in counts], 1.0)
        for choice, planes in zip(counts, branches, strict=True):
            for start, terms, _, high in planes:
                lift = max(0.0, high - lowest)
                down = [(column, -factor) for column, factor in terms]
                self.program.keep(start - lift, [(tax, 1.0), (choice, -lift), *down])

    def _plane(
        self, plane: Floats, short: list[int], long: list[int]
    ) -> tuple[float, list[tuple[int, float]], float, float]:
        """A plane's value with no trade, its terms, and the least and most that it can be."""
        start = float(plane[0]) / self.unit
        rates = {lot: plane[1] * self.problem.lots.gain[lot] for lot in short}
        rates |= {lot: plane[2] * self.problem.lots.gain[lot] for lot in long}
        low = start + sum(min(0.0, rate * self.value[lot]) for lot, rate in rates.items())
        high = start + sum(max(0.0, rate * self.value[lot]) for lot, rate in rates.items())
        return start, [(self.sold[lot], rate) for lot, rate in rates.items()], low, high
