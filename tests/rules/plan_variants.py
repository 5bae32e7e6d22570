"""The same planning problem told otherwise: in another order, or in another unit of money."""

from collections.abc import Mapping

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from trimtab.rules.plan.problem import (
    Classes,
    Floats,
    Groups,
    Ints,
    Lots,
    Options,
    Places,
    Problem,
    Solution,
    YearTax,
)


class Permuted(Struct, frozen=True):
    """A problem in another order, and which lot and option of the first each of its own is."""

    problem: Problem
    lots: Ints
    options: Ints

    def back(self, solution: Solution) -> tuple[Floats, Floats]:
        """The amounts sold and bought in the order of the first problem."""
        sold, bought = np.empty(len(self.lots)), np.empty(len(self.options))
        sold[self.lots], bought[self.options] = solution.sold, solution.bought
        return sold, bought


def permuted(problem: Problem, rng: np.random.Generator) -> Permuted:
    """*problem* with all its arrays in an order by chance; lots that sell in order keep theirs."""
    accounts = rng.permutation(len(problem.cash))
    classes = rng.permutation(len(problem.classes.held))
    groups = rng.permutation(len(problem.groups.twin))
    places = rng.permutation(len(problem.places.group))
    options = rng.permutation(len(problem.options.place))
    lots = _lot_order(problem, places, rng)
    at_account, at_class, at_group, at_place = map(np.argsort, (accounts, classes, groups, places))
    names = rng.permutation(1 + int(max(problem.groups.twin, default=0)))
    symbols = rng.permutation(1 + int(max(problem.places.symbol, default=0)))
    of_lots = {name: getattr(problem.lots, name)[lots] for name in Lots.__struct_fields__}
    of_options = {
        name: getattr(problem.options, name)[options] for name in Options.__struct_fields__
    }
    of_lots["place"] = at_place[of_lots["place"]]
    of_options["place"] = at_place[of_options["place"]]
    told = replace(
        problem,
        cash=problem.cash[accounts],
        in_total=problem.in_total[accounts],
        classes=Classes(**_taken(problem.classes, classes)),
        groups=Groups(
            of_class=at_class[problem.groups.of_class[groups]],
            twin=names[problem.groups.twin[groups]],
        ),
        places=Places(
            account=at_account[problem.places.account[places]],
            symbol=symbols[problem.places.symbol[places]],
            group=at_group[problem.places.group[places]],
            is_ordered=problem.places.is_ordered[places],
            sell_least=problem.places.sell_least[places],
            is_all=problem.places.is_all[places],
        ),
        lots=Lots(**of_lots),
        options=Options(**of_options),
    )
    return Permuted(told, lots, options)


def _lot_order(problem: Problem, places: Ints, rng: np.random.Generator) -> Ints:
    order: list[int] = []
    for place in places:
        lots = np.flatnonzero(problem.lots.place == place)
        order += list(lots if problem.places.is_ordered[place] else rng.permutation(lots))
    return np.array(order, dtype=np.int64)


def _taken(table: Struct, order: Ints) -> Mapping[str, Floats]:
    return {name: getattr(table, name)[order] for name in table.__struct_fields__}


def scaled(problem: Problem, times: float) -> Problem:
    """*problem* with each amount of money *times* as large."""
    year = [planes * np.array([times, 1.0, 1.0]) for planes in problem.year.branches]
    return replace(
        problem,
        cash=problem.cash * times,
        in_cash=_scaled_classes(problem.in_cash, times),
        classes=_scaled_classes(problem.classes, times),
        places=replace(problem.places, sell_least=problem.places.sell_least * times),
        lots=replace(problem.lots, value=problem.lots.value * times),
        options=replace(
            problem.options,
            least=problem.options.least * times,
            most=problem.options.most * times,
        ),
        year=YearTax(branches=tuple(year)),
        value=problem.value * times,
        order_cost=problem.order_cost * times,
        turnover_most=problem.turnover_most * times,
    )


def _scaled_classes(classes: Classes, times: float) -> Classes:
    return replace(
        classes,
        held=classes.held * times,
        goal=classes.goal * times,
        tolerance=classes.tolerance * times,
    )
