"""The part of a problem that the prices leave open, solved exactly by HiGHS.

Prices decide almost every lot and almost every either/or. What stands on the edge, and whatever
couples classes, is put together here as a small mixed-integer program in plain arrays; integers
come in only where an answer without them breaks a rule.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from trimtab.rules.plan.dual import LACKING
from trimtab.rules.plan.kernel import Kernel
from trimtab.rules.plan.modes import Stance
from trimtab.rules.plan.problem import Flags, Floats, Ints
from trimtab.rules.plan.program import ENDLESS, Model

_ROUNDS_QUICK = 30
_ROUNDS_MOST = 8
_SLIVER = 1e-7
"""Fewer dollars than this are not traded."""
_MANY = 10
"""An account that buys as much as so many least trades can raise a small one to the least."""
_NOTHING = 1e-6
"""Less cash than this does not lack."""


class Opening(NamedTuple):
    """What is left open: lots (L,), options (J,) and modes (M,); the others keep `sold`, `bought`.

    Every class keeps one mode at least. `is_whole` where everything is open; `is_quick` where a
    trade that is too small is dropped or raised to the least one without asking for the best.
    `nodes` bounds the search of HiGHS.
    """

    lots: Flags
    options: Flags
    modes: Flags
    sold: Floats
    bought: Floats
    is_whole: bool = False
    is_quick: bool = False
    nodes: int = 4000


class Found(NamedTuple):
    """Amounts that keep every rule, what they cost, and what HiGHS proves of what was left open."""

    sold: Floats
    bought: Floats
    cost: float
    bound: float
    lacking: Floats


class Core:
    """One opening of one branch of the year's tax, as a model that grows by the rules it breaks."""

    def __init__(self, kernel: Kernel, planes: Floats, opening: Opening) -> None:
        """Lay the model out; what is closed is folded into the constraints' constants."""
        self.kernel, self.opening = kernel, opening
        self.problem, self.where = kernel.problem, kernel.where
        self.planes = planes
        self.gains, self.fixed = (kernel.gain_short, kernel.gain_long), kernel.lot_fixed
        self.model = Model()
        self.lots: Ints = np.flatnonzero(opening.lots)
        self.options: Ints = np.flatnonzero(opening.options)
        self.closed_sold = np.where(opening.lots, 0.0, opening.sold)
        self.closed_bought = np.where(opening.options, 0.0, opening.bought)
        self._done: set[tuple[str, int]] = set()
        self._columns()
        self._cash()
        self._classes()
        self._tax()
        self._turnover()
        self._symbols()
        self._stances()
        if opening.is_whole or (self.problem.order_cost > 0 and not opening.is_quick):
            self._count_orders()

    # ---------------------------------------------------------------- the plain part

    def _columns(self) -> None:
        problem = self.problem
        fixed = self.fixed[self.lots].tolist()
        values = problem.lots.value[self.lots].tolist()
        sold = self.model.columns(fixed, values)
        self.lot_column = dict(zip(self.lots.tolist(), sold, strict=True))
        self.room = self._rooms()
        cost = problem.options.cost[self.options].tolist()
        bought = self.model.columns(cost, list(self.room.values()))
        self.buy_column = dict(zip(self.options.tolist(), bought, strict=True))

    def _rooms(self) -> dict[int, float]:
        """The most that each open option can sensibly buy: what fills its class up.

        Where a dollar beyond that costs less than the idle dollar it uses, there is no such limit.
        """
        problem, where = self.problem, self.where
        classes, options = problem.classes, problem.options
        sellable = np.bincount(where.lot_class, problem.lots.value, minlength=len(classes.goal))
        room = np.maximum(0.0, classes.goal + classes.tolerance - classes.held + sellable) + 1.0
        beyond = classes.weight[where.buy_class] + options.cost
        is_endless = beyond <= float(problem.in_cash.weight[0]) * options.cash
        least = np.maximum(room[where.buy_class], options.least)
        most = np.maximum(0.0, options.most + self.where.sellable[self.where.buy_symbol])
        limit = np.minimum(np.where(is_endless, self.kernel.most, least), most)
        return dict(zip(self.options.tolist(), limit[self.options].tolist(), strict=True))

    def _cash(self) -> None:
        """Cash of every account, and all of it against its own goal."""
        problem, where, model = self.problem, self.where, self.model
        sold = self.closed_sold * problem.lots.cash
        spent = self.closed_bought * problem.options.cash
        accounts = len(problem.cash)
        closed = np.bincount(where.lot_account, sold, minlength=accounts) - np.bincount(
            where.buy_account, spent, minlength=accounts
        )
        total: dict[int, float] = {}
        self.lacking = []
        rows = []
        for amount, counts in zip((problem.cash + closed).tolist(), problem.in_total, strict=True):
            left, lack = model.column(0.0), model.column(LACKING)
            rows.append(model.row(amount, amount, {left: 1.0, lack: -1.0}))
            if counts:
                total[left] = 1.0
            self.lacking.append(lack)
        lots, options = self.lots, self.options
        for number, places in ((0, lots), (1, options)):
            columns = self.lot_column if number == 0 else self.buy_column
            accounts_of = (where.lot_account, where.buy_account)[number][places].tolist()
            cash = (-problem.lots.cash[lots], problem.options.cash[options])[number].tolist()
            model.put([rows[a] for a in accounts_of], columns.values(), cash)
        goal, slack = float(problem.in_cash.goal[0]), float(problem.in_cash.tolerance[0])
        weight = float(problem.in_cash.weight[0])
        above, below = model.column(weight), model.column(weight)
        model.row(goal - slack, goal + slack, total | {above: -1.0, below: 1.0})

    def _classes(self) -> None:
        """Each class with something open against its goal."""
        problem, where, model = self.problem, self.where, self.model
        classes, count = problem.classes, len(problem.classes.goal)
        held = (
            classes.held
            - np.bincount(where.lot_class, self.closed_sold, minlength=count)
            + np.bincount(where.buy_class, self.closed_bought, minlength=count)
        )
        is_open = np.zeros(count, dtype=np.bool_)
        is_open[where.lot_class[self.lots]] = True
        is_open[where.buy_class[self.options]] = True
        rows = {}
        for number in np.flatnonzero(is_open & (classes.weight > 0)).tolist():
            weight = float(classes.weight[number])
            above, below = model.column(weight), model.column(weight)
            low = float(classes.goal[number] - classes.tolerance[number] - held[number])
            high = float(classes.goal[number] + classes.tolerance[number] - held[number])
            rows[number] = model.row(low, high, {above: -1.0, below: 1.0})
        for places, of_class, columns, sign in (
            (self.lots, where.lot_class, self.lot_column, -1.0),
            (self.options, where.buy_class, self.buy_column, 1.0),
        ):
            mine = of_class[places].tolist()
            entries = [
                (rows[number], column)
                for number, column in zip(mine, columns.values(), strict=True)
                if number in rows
            ]
            model.put(
                [row for row, _ in entries],
                [column for _, column in entries],
                [sign] * len(entries),
            )

    def _tax(self) -> None:
        """The year's tax: the short and the long gains against every plane."""
        model, planes, gains = self.model, self.planes, self.gains
        closed = [float((self.closed_sold * gain).sum()) for gain in gains]
        columns = list(self.lot_column.values())
        if len(planes) == 1:
            unit = planes[0, 1] * gains[0][self.lots] + planes[0, 2] * gains[1][self.lots]
            for column, rate in zip(columns, unit.tolist(), strict=True):
                model.cost[column] += rate
            return
        sums = []
        for gain, known in zip(gains, closed, strict=True):
            total = model.column(0.0, -ENDLESS)
            row = model.row(known, known, {total: 1.0})
            model.put([row] * len(columns), columns, (-gain[self.lots]).tolist())
            sums.append(total)
        tax = model.column(1.0, -ENDLESS)
        for fixed, short, long in planes.tolist():
            model.row(fixed, ENDLESS, {tax: 1.0, sums[0]: -short, sums[1]: -long})

    def _turnover(self) -> None:
        most = self.problem.turnover_most - float(self.closed_sold.sum())
        if np.isfinite(most):
            self.model.row(-ENDLESS, most, dict.fromkeys(self.lot_column.values(), 1.0))

    def _symbols(self) -> None:
        """What is bought of a limited symbol beyond what is sold of it.

        Where more is held than may be, it is either not bought or sold down below its limit first.
        """
        where, most = self.where, self.problem.options.most
        for symbol in np.unique(where.buy_symbol[np.isfinite(most)]).tolist():
            options = self.options[where.buy_symbol[self.options] == symbol].tolist()
            lots = self.lots[where.lot_symbol[self.lots] == symbol].tolist()
            limit = float(most[where.buy_symbol == symbol].min())
            bought = float(self.closed_bought[where.buy_symbol == symbol].sum())
            sold = float(self.closed_sold[where.lot_symbol == symbol].sum())
            entries = {self.buy_column[option]: 1.0 for option in options}
            entries |= {self.lot_column[lot]: -1.0 for lot in lots}
            if not entries or not (options or bought > 0):
                continue
            if limit < 0 and bought <= 0:
                buys = self.model.switch()
                for option in options:
                    column = self.buy_column[option]
                    self.model.row(-ENDLESS, 0.0, {column: 1.0, buys: -self.room[option]})
                self.model.row(-ENDLESS, sold, entries | {buys: -limit})
            else:
                self.model.row(-ENDLESS, limit - bought + sold, entries)

    # ---------------------------------------------------------------- either or

    def _stances(self) -> None:
        """What each group may do under the open modes, with a switch where that is not settled."""
        of_twin: dict[int, dict[Stance, set[int]]] = {}
        twins, stances = self.problem.groups.twin, self.kernel.modes.stances
        for mode in np.flatnonzero(self.opening.modes).tolist():
            for group, stance in stances[mode].items():
                of_twin.setdefault(int(twins[group]), {}).setdefault(stance, set()).add(group)
        twin_of_lot = twins[self.where.lot_group[self.lots]].tolist()
        twin_of_buy = twins[self.where.buy_group[self.options]].tolist()
        lots: dict[int, list[int]] = {}
        options: dict[int, list[int]] = {}
        for lot, twin in zip(self.lots.tolist(), twin_of_lot, strict=True):
            lots.setdefault(twin, []).append(lot)
        for option, twin in zip(self.options.tolist(), twin_of_buy, strict=True):
            options.setdefault(twin, []).append(option)
        for twin in sorted({*lots, *options}):
            chosen = sorted(of_twin[twin])
            self._either(chosen, lots.get(twin, []), options.get(twin, []))

    def _either(self, chosen: list[Stance], lots: list[int], options: list[int]) -> None:
        """Exactly one of the stances *chosen*, and what it allows the group's lots and options."""
        if len(chosen) == 1:
            self._settled(chosen[0], lots, options)
            return
        model, arrays = self.model, self.problem.lots
        switches = {stance: model.switch() for stance in chosen}
        model.row(1.0, 1.0, dict.fromkeys(switches.values(), 1.0))
        buying, forcing = (
            [switches[stance] for stance in chosen if stance[does]] for does in (1, 2)
        )
        for lot in lots:
            value, column = float(arrays.value[lot]), self.lot_column[lot]
            selling = [switches[stance] for stance in chosen if self._takes_loss(stance, lot)]
            if arrays.is_loss[lot] and len(selling) < len(chosen):
                model.row(-ENDLESS, 0.0, {column: 1.0} | dict.fromkeys(selling, -value))
            if arrays.is_recent[lot] and forcing:
                model.row(0.0, ENDLESS, {column: 1.0} | dict.fromkeys(forcing, -value))
        if len(buying) < len(chosen):
            for option in options:
                limits = dict.fromkeys(buying, -self.room[option])
                model.row(-ENDLESS, 0.0, {self.buy_column[option]: 1.0} | limits)

    def _takes_loss(self, stance: Stance, lot: int) -> bool:
        return stance.sells_losses or (stance.alone and bool(self.problem.lots.goes_alone[lot]))

    def _settled(self, stance: Stance, lots: list[int], options: list[int]) -> None:
        """What the only *stance* of a group forbids or forces, as bounds."""
        model, arrays = self.model, self.problem.lots
        for lot in lots:
            column = self.lot_column[lot]
            if arrays.is_loss[lot] and not self._takes_loss(stance, lot):
                model.high[column] = 0.0
            if arrays.is_recent[lot] and stance.forces:
                model.low[column] = float(arrays.value[lot])
        if not stance.buys:
            for option in options:
                model.high[self.buy_column[option]] = 0.0

    def _count_orders(self) -> None:
        """A switch for each place and side that may trade, with the price of an order.

        Where everything is open the least trades come with them, instead of one after the other.
        """
        for place, lots in self._by_place(self.lots, self.problem.lots.place).items():
            if not (self.closed_sold[self.problem.lots.place == place] > _SLIVER).any():
                self._switch_sale(place, lots, self.problem.order_cost)
        for option in self.options.tolist():
            self._switch_purchase(option, self.problem.order_cost)

    # ------------------------------------------------------------ rules that come in once broken

    def solve(self, tolerance: float) -> Found | None:
        """Amounts that keep every rule; None where none are found.

        Where the cheapest ones leave cash lacking, those that do not are asked for too: a least
        trade can be dearer than the little cash that it would bring.
        """
        may_lack, is_settled = True, False
        for _ in range(_ROUNDS_QUICK if self.opening.is_quick else _ROUNDS_MOST):
            answer = self.model.solve(tolerance, self.opening.nodes)
            if answer is None:
                if may_lack:
                    return None
                may_lack, is_settled = True, True
                self._limit_lacking(ENDLESS)
                continue
            values, objective, bound = answer
            sold, bought = self._amounts(values)
            if self._mend(sold, bought):
                continue
            lacking = np.where(values[self.lacking] > _NOTHING, values[self.lacking], 0.0)
            if is_settled or not lacking.any():
                closed = self._closed_cost()
                if self.opening.is_quick and self.problem.order_cost > 0:
                    closed += self.problem.order_cost * self._open_orders(sold, bought)
                return Found(sold, bought, objective + closed, bound + closed, lacking)
            may_lack = False
            self._limit_lacking(0.0)
        return None

    def _limit_lacking(self, most: float) -> None:
        for column in self.lacking:
            self.model.high[column] = most

    def _closed_cost(self) -> float:
        """What the closed part costs beside what the model counts."""
        problem = self.problem
        where, classes = self.where, problem.classes
        count = len(classes.goal)
        cost = float((self.closed_sold * self.fixed).sum())
        cost += float((self.closed_bought * problem.options.cost).sum())
        if len(self.planes) == 1:
            cost += float(self.planes[0, 0])
            for rate, gain in zip(self.planes[0, 1:].tolist(), self.gains, strict=True):
                cost += rate * float((self.closed_sold * gain).sum())
        is_open = np.zeros(count, dtype=np.bool_)
        is_open[where.lot_class[self.lots]] = True
        is_open[where.buy_class[self.options]] = True
        held = (
            classes.held
            - np.bincount(where.lot_class, self.closed_sold, minlength=count)
            + np.bincount(where.buy_class, self.closed_bought, minlength=count)
        )
        beyond = np.maximum(0.0, np.abs(held - classes.goal) - classes.tolerance)
        cost += float((classes.weight * beyond)[~is_open].sum())
        if problem.order_cost > 0:
            cost += problem.order_cost * self._closed_orders()
        return cost

    def _closed_orders(self) -> int:
        places = self.problem.lots.place[self.closed_sold > _SLIVER]
        return len(np.unique(places)) + int((self.closed_bought > _SLIVER).sum())

    def _open_orders(self, sold: Floats, bought: Floats) -> int:
        """The orders among what is open; a place that is sold for sure is paid with the closed."""
        place = self.problem.lots.place
        places = np.setdiff1d(place[sold > 0], place[self.closed_sold > _SLIVER])
        return len(places) + int((bought[self.options] > 0).sum())

    def _amounts(self, values: Floats) -> tuple[Floats, Floats]:
        sold, bought = self.closed_sold.copy(), self.closed_bought.copy()
        sold[self.lots] = values[list(self.lot_column.values())]
        bought[self.options] = values[list(self.buy_column.values())]
        value = self.problem.lots.value
        sold[sold < _SLIVER] = 0.0
        bought[bought < _SLIVER] = 0.0
        return np.where(sold > value - _SLIVER, value, sold), bought

    def _mend(self, sold: Floats, bought: Floats) -> bool:
        """Whether *sold* or *bought* break a rule that now has a place in the model."""
        is_mended = self._mend_orders(sold)
        is_mended |= self._mend_least(sold, bought)
        return is_mended | self._mend_both_ways(sold, bought)

    def _by_place(self, members: Ints, of_place: Ints) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for member, place in zip(members.tolist(), of_place[members].tolist(), strict=True):
            found.setdefault(place, []).append(member)
        return found

    def _mend_least(self, sold: Floats, bought: Floats) -> bool:
        problem, is_mended = self.problem, False
        places = problem.lots.place
        held = np.bincount(places, problem.lots.value, minlength=len(problem.places.account))
        taken = np.bincount(places, sold, minlength=len(held))
        small = (taken > 0) & (taken < problem.places.sell_least - _SLIVER)
        small &= ~(problem.places.is_all & (taken >= held - _SLIVER))
        of_place = self._by_place(self.lots, places) if small.any() else {}
        for place in np.flatnonzero(small).tolist():
            if place in of_place and ("sale", place) not in self._done:
                if self.opening.is_quick:
                    least = self._least_sale(place)
                    closed = float(self.closed_sold[places == place].sum())
                    columns = [self.lot_column[lot] for lot in of_place[place]]
                    self._drop_or_raise(columns, float(taken[place]), least, closed)
                    self._done.add(("sale", place))
                else:
                    self._switch_sale(place, of_place[place], 0.0)
                is_mended = True
        small = (bought > 0) & (bought < problem.options.least - _SLIVER)
        if (small.any() or is_mended) and self.opening.is_quick:
            self._drop_unused(taken.astype(np.float64), bought)
        for option in np.flatnonzero(small & self.opening.options).tolist():
            if ("buy", option) not in self._done:
                if self.opening.is_quick:
                    least, column = float(problem.options.least[option]), self.buy_column[option]
                    mine = self.where.buy_account == self.where.buy_account[option]
                    is_poor = float(bought[mine].sum()) < _MANY * least
                    amount = 0.0 if is_poor else float(bought[option])
                    self._drop_or_raise([column], amount, least, 0.0)
                    self._done.add(("buy", option))
                else:
                    self._switch_purchase(option, 0.0)
                is_mended = True
        return is_mended

    def _drop_unused(self, taken: Floats, bought: Floats) -> None:
        """No trade begins where there is none: else a small one that is dropped comes up again.

        Where cash must be raised, every sale stays open.
        """
        for option in np.flatnonzero(self.opening.options & (bought <= _SLIVER)).tolist():
            self.model.high[self.buy_column[option]] = 0.0
        if (self.problem.cash < 0).any():
            return
        is_idle = taken[self.problem.lots.place] <= _SLIVER
        for lot in np.flatnonzero(self.opening.lots & is_idle).tolist():
            self.model.high[self.lot_column[lot]] = 0.0

    def _drop_or_raise(
        self, columns: list[int], amount: float, least: float, closed: float
    ) -> None:
        """A trade of *amount* is nothing from now on, or at least the *least*: what is nearer."""
        if amount * 2 < least and closed <= _SLIVER:
            for column in columns:
                self.model.high[column] = 0.0
        else:
            self.model.row(least - closed, ENDLESS, dict.fromkeys(columns, 1.0))

    def _switch_sale(self, place: int, lots: list[int], cost: float) -> None:
        """Sales at *place* are nothing, at least the least sale, or the whole holding."""
        self._done.add(("sale", place))
        model, problem = self.model, self.problem
        closed = float(self.closed_sold[problem.lots.place == place].sum())
        least = self._least_sale(place) - closed
        switch = model.switch(cost)
        sales = {self.lot_column[lot]: 1.0 for lot in lots}
        for lot in lots:
            value = float(problem.lots.value[lot])
            model.row(-ENDLESS, 0.0, {self.lot_column[lot]: 1.0, switch: -value})
        if least > 0:
            model.row(0.0, ENDLESS, sales | {switch: -least})

    def _least_sale(self, place: int) -> float:
        """The least sale in dollars at *place*; where there is less of it, the whole holding."""
        places, lots = self.problem.places, self.problem.lots
        least = float(places.sell_least[place])
        if not places.is_all[place]:
            return least
        return min(least, float(lots.value[lots.place == place].sum()))

    def _switch_purchase(self, option: int, cost: float) -> None:
        """A purchase is nothing, or at least the least one."""
        if ("buy", option) in self._done:
            return
        self._done.add(("buy", option))
        model, column = self.model, self.buy_column[option]
        switch = model.switch(cost)
        model.row(-ENDLESS, 0.0, {column: 1.0, switch: -self.room[option]})
        least = float(self.problem.options.least[option])
        if least > 0:
            model.row(0.0, ENDLESS, {column: 1.0, switch: -least})

    def _mend_orders(self, sold: Floats) -> bool:
        """A lot that the broker books later goes only once those before it are gone.

        Once one place breaks that, all are told: the next answer would break it elsewhere.
        """
        problem = self.problem
        place, value = problem.lots.place, problem.lots.value
        ordered = problem.places.is_ordered[place]
        skipped = ordered[:-1] & (place[:-1] == place[1:]) & (sold[1:] > 0)
        skipped &= sold[:-1] < value[:-1] - _SLIVER
        if not skipped.any() or ("order", 0) in self._done:
            return False
        self._done.add(("order", 0))
        for lots in self._by_place(self.lots[ordered[self.lots]], place).values():
            for before, after in pairwise(lots):
                gone = self.model.switch()
                first, second = self.lot_column[before], self.lot_column[after]
                self.model.row(0.0, ENDLESS, {first: 1.0, gone: -float(value[before])})
                self.model.row(-ENDLESS, 0.0, {second: 1.0, gone: -float(value[after])})
        return True

    def _mend_both_ways(self, sold: Floats, bought: Floats) -> bool:
        """In one account an identical group is sold or bought, not both."""
        problem, is_mended = self.problem, False
        twins, places = problem.groups.twin, problem.places
        key = places.account * (int(twins.max(initial=0)) + 1) + twins[places.group]
        selling = set(key[problem.lots.place[sold > 0]].tolist())
        buying = set(key[problem.options.place[bought > 0]].tolist())
        for both in sorted(selling & buying):
            if ("both", both) in self._done:
                continue
            self._done.add(("both", both))
            sells = self.model.switch()
            lot_keys = key[problem.lots.place[self.lots]]
            for lot in self.lots[lot_keys == both].tolist():
                entries = {self.lot_column[lot]: 1.0, sells: -float(problem.lots.value[lot])}
                self.model.row(-ENDLESS, 0.0, entries)
            buy_keys = key[problem.options.place[self.options]]
            for option in self.options[buy_keys == both].tolist():
                room = self.room[option]
                self.model.row(-ENDLESS, room, {self.buy_column[option]: 1.0, sells: room})
            is_mended = True
        return is_mended
