"""Lays a household out as a planning problem: the one place where the plan's rules become arrays.

What may not be traded at all has no row. What remains are prices: of a dollar of drift, of a dollar
of gain, of a dollar in the wrong account.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from trimtab.domain.history import HOUSEHOLD
from trimtab.domain.numbers import ZERO, Money, to_float
from trimtab.domain.trades import BandState
from trimtab.domain.values import (
    Lot,
    Snapshot,
)
from trimtab.rules.holdings import Holdings
from trimtab.rules.plan.kept import Kept
from trimtab.rules.plan.permitted import Permitted, Place
from trimtab.rules.plan.planning import Planning
from trimtab.rules.plan.problem import (
    Classes,
    Flags,
    Floats,
    Groups,
    Ints,
    Lots,
    Options,
    Places,
    Problem,
)
from trimtab.rules.plan.year import later_rate, year_tax
from trimtab.rules.tax.harvest import loss_least
from trimtab.rules.tax.lots import long_term_from

_TIE = 1.0 + 1e-9
_STEPS_LEFT = 0.998
_EQUAL = 1e-12
"""Prices that differ by this part are equal: such a loss is less than dust."""


class Layout(NamedTuple):
    """A problem, and what its rows are: lots, places to buy at, accounts and classes.

    `sold_drag` and `bought_drag` are the parts of the costs per dollar that are location. `kept`
    are the lots that may not be sold, with the reason.
    """

    problem: Problem
    lots: list[Lot]
    options: list[Place]
    places: list[Place]
    accounts: list[str]
    classes: list[str]
    held: Holdings
    sold_drag: Floats
    bought_drag: Floats
    kept: list[Kept]


def lay_out(
    snapshot: Snapshot,
    planning: Planning,
    held: Holdings,
    *,
    sells: bool = True,
    ignored: frozenset[str] = frozenset(),
) -> Layout:
    """The problem of *snapshot*: everything if it *sells*, else what cash can buy.

    Losses on the symbols *ignored* count for nothing, as do those that the harvest rule thinks too
    small: such lots may go for other reasons.
    """
    return _Desk(snapshot, planning, held, ignored).layout(sells=sells)


class _Desk(Permitted):
    """One household on the table."""

    def layout(self, *, sells: bool) -> Layout:
        """The arrays."""
        lots = self._sellable() if sells else {}
        options = self._options()
        places = sorted({*lots, *options})
        number = {place: row for row, place in enumerate(places)}
        rows = [lot for place in places for lot in lots.get(place, ())]
        groups = self._groups(places)
        arrays, sold_drag = self._lots(rows, number)
        purchases, bought_drag = self._purchases(options, number)
        problem = Problem(
            cash=self._spendable(sells=sells),
            in_total=np.asarray([self._counts(one) for one in self.accounts], dtype=np.bool_),
            in_cash=self._in_cash(),
            classes=self._bands(aims_at_target=not sells),
            groups=groups[0],
            places=Places(
                account=_ints([self.number[account] for account, _ in places]),
                group=_ints(groups[1]),
                is_ordered=np.asarray(
                    [self._is_ordered(place) for place in places], dtype=np.bool_
                ),
                sell_least=_floats([self._least() for _ in places]),
            ),
            lots=arrays,
            options=purchases,
            year=year_tax(self.planning, float(np.maximum(-arrays.gain * arrays.value, 0).sum())),
            value=to_float(self.value),
            order_cost=to_float(self.policy.plan.order_cost),
            turnover_most=self._turnover(),
        )
        return Layout(
            problem=problem,
            lots=rows,
            options=options,
            places=places,
            accounts=[account.id for account in self.accounts],
            classes=self.classes,
            held=self.held,
            sold_drag=sold_drag,
            bought_drag=bought_drag,
            kept=self.kept,
        )

    def _spendable(self, *, sells: bool) -> Floats:
        """Cash by account; where nothing may be sold, nothing can be raised either."""
        cash = _floats([to_float(self.cash[account.id]) for account in self.accounts])
        return cash if sells else np.maximum(cash, 0.0)

    def _turnover(self) -> float:
        """What may be sold today, with a little left for the steps that rounding adds."""
        left = self.policy.gates.turnover_max * self.held.total - self.planning.sold_before
        if left >= sum(self.held.values.values(), ZERO):
            return float("inf")
        return max(0.0, to_float(left)) * _STEPS_LEFT

    def _price(self) -> float:
        """What a dollar of drift costs, on either side of a trade."""
        return to_float(self.policy.plan.drift_price) / 2

    def _half_widths(self) -> dict[str, Money]:
        destination = self.planning.destination
        return {drift.asset_class: destination * drift.half_width for drift in self.planning.drifts}

    def _bands(self, *, aims_at_target: bool) -> Classes:
        """Each class against its goal; money that only buys goes all the way to the targets."""
        half, value = self._half_widths(), self.value
        price, targets = self._price(), self.planning.targets
        coins = [name for name in self.classes if self._is_coin(name)]
        goals = {}
        for name in coins:
            whole = targets[name] * (value + self._wallet_cash())
            goals[name] = max(targets[name] * value, min(self.held.values[name], whole))
        leaving = sum((self._leaving(name, goals[name]) for name in coins), ZERO)
        goals |= {
            name: targets[name] * (value - leaving) for name in self.classes if name not in goals
        }
        return Classes(
            held=_floats([to_float(self.held.values[name]) for name in self.classes]),
            goal=_floats([to_float(goals[name]) for name in self.classes]),
            tolerance=_floats(
                [0.0 if aims_at_target else to_float(half[name] * value) for name in self.classes]
            ),
            weight=_floats([price * self._urgency(name) for name in self.classes]),
        )

    def _leaving(self, name: str, goal: Money) -> Money:
        """What sales of a class of coins will put into wallets, where no target counts it."""
        if self.cash_name is not None or self._state(name) is not BandState.CORRECTING:
            return ZERO
        return max(ZERO, self.held.values[name] - goal)

    def _wallet_cash(self) -> Money:
        return sum(
            (max(ZERO, self.cash[one.id]) for one in self.accounts if not self._counts(one)), ZERO
        )

    def _in_cash(self) -> Classes:
        """Cash as a class: its own target, or none at all; what closed accounts hold is given."""
        goal = tolerance = ZERO
        if self.cash_name is not None:
            goal = self.planning.targets[self.cash_name] * self.value
            tolerance = self._half_widths()[self.cash_name] * self.value
        goal -= sum((self.held.free[name] for name in self.planning.closed), ZERO)
        held = sum((self.cash[one.id] for one in self.accounts if self._counts(one)), ZERO)
        return Classes(
            held=_floats([to_float(held)]),
            goal=_floats([to_float(goal)]),
            tolerance=_floats([to_float(tolerance)]),
            weight=_floats([self._price()]),
        )

    def _least(self) -> float:
        """The least order in dollars."""
        return to_float(self.policy.orders.minimum) * _TIE

    def _lots(self, lots: Sequence[Lot], number: Mapping[Place, int]) -> tuple[Lots, Floats]:
        terms, today = self.terms, self.today
        mine = [terms[lot.symbol] for lot in lots]
        quantity = _floats([float(lot.quantity) for lot in lots])
        basis = _floats([float(lot.basis) for lot in lots])
        mid, sale = _floats([one.mid for one in mine]), _floats([one.sale for one in mine])
        cash = _floats([one.sale_cash for one in mine])
        cost = _floats([one.sale_cost for one in mine])
        unit = basis / np.maximum(quantity, 1e-30)
        accounts = [self.snapshot.accounts[lot.account] for lot in lots]
        is_ours = np.asarray(
            [self.planning.taxpayers[one.id] == HOUSEHOLD for one in accounts], dtype=np.bool_
        )
        is_taxed = np.asarray([one.kind.is_taxed for one in accounts], dtype=np.bool_)
        is_long = np.asarray(
            [today >= long_term_from(lot.holding_since) for lot in lots], dtype=np.bool_
        )
        gain = np.where(is_taxed, (sale - unit) / mid, 0.0)
        is_loss = is_taxed & (mid * cash < unit * (1.0 - _EQUAL)) & self._reached(lots)
        counts = self._counting(lots, gain, unit / mid)
        gain = np.where(counts | (gain >= 0), gain, 0.0)
        extra = np.where(gain < 0, -gain * to_float(later_rate(self.planning)), 0.0)
        tax = self.planning.tax
        short, long = to_float(tax.short_term_rate), to_float(tax.long_term_rate)
        alone = np.where(is_long, long, short) * gain
        extra += np.where(is_taxed & ~is_ours, alone, 0.0)
        drags = self._drags(lots, is_taxed)
        arrays = Lots(
            place=_ints([number[lot.account, lot.symbol] for lot in lots]),
            value=quantity * mid,
            gain=gain,
            is_long=is_long,
            is_taxed=is_taxed & is_ours,
            is_loss=is_loss,
            is_recent=np.zeros(len(lots), dtype=np.bool_),
            cost=cost + drags,
            extra=extra,
            cash=cash,
        )
        return arrays, drags

    def _reached(self, lots: Sequence[Lot]) -> Flags:
        """Which lots section 1091 reaches: a coin that is exempt may be lost and bought."""
        wash, today = self.planning.wash, self.today
        exempt = {
            symbol for symbol in {lot.symbol for lot in lots} if wash.is_exempt(symbol, today)
        }
        return np.asarray([lot.symbol not in exempt for lot in lots], dtype=np.bool_)

    def _counting(self, lots: Sequence[Lot], gain: Floats, part: Floats) -> Flags:
        """Which losses count in full: those that the harvest rule wants, where it wants any.

        In a class that is heavy every loss does, for it is sold for the sake of its drift.
        """
        heavy = {
            name
            for name in self.classes
            if self.held.values[name] > self.planning.targets[name] * self.value
        }
        is_heavy = np.asarray([self.class_of[lot.symbol] in heavy for lot in lots], dtype=np.bool_)
        wanted = np.asarray([lot.symbol not in self.ignored for lot in lots], dtype=np.bool_)
        if self.policy.plan.harvests == "never":
            return wanted & is_heavy
        least = to_float(loss_least(self.planning.harvest, self.today))
        return wanted & ((-gain >= least * part) | is_heavy)

    def _drags(self, lots: Sequence[Lot], is_taxed: Flags) -> Floats:
        """The tax drag that ends per dollar sold, negative."""
        if not any(self.drag.values()):
            return np.zeros(len(lots))
        ends = _floats([-self.drag[self.class_of[lot.symbol]] for lot in lots])
        return np.where(is_taxed, ends, 0.0)

    def _purchases(
        self, options: Sequence[Place], number: Mapping[Place, int]
    ) -> tuple[Options, Floats]:
        symbols = sorted({symbol for _, symbol in options})
        order = {symbol: row for row, symbol in enumerate(symbols)}
        terms = [self.terms[symbol] for _, symbol in options]
        positions = self.snapshot.positions() if self.policy.plan.holdings_max else {}
        most = {symbol: self._most(symbol, positions) for symbol in symbols}
        drags = _floats(
            [
                self.drag[self.class_of[symbol]]
                if self.snapshot.accounts[account].kind.is_taxed
                else 0.0
                for account, symbol in options
            ]
        )
        arrays = Options(
            place=_ints([number[place] for place in options]),
            symbol=_ints([order[symbol] for _, symbol in options]),
            cost=_floats([one.buy_cost for one in terms]) + drags,
            cash=_floats([one.buy_cash for one in terms]),
            least=_floats([self._least() for _ in options]),
            most=_floats([most[symbol] for _, symbol in options]),
        )
        return arrays, drags

    def _most(self, symbol: str, positions: Mapping[Place, Money]) -> float:
        part = self.policy.plan.holdings_max.get(symbol)
        if part is None:
            return float("inf")
        held = sum((units for (_, one), units in positions.items() if one == symbol), ZERO)
        return max(0.0, to_float(part * self.held.total - held * self.snapshot.price(symbol)))

    def _groups(self, places: Sequence[Place]) -> tuple[Groups, list[int]]:
        """One group for each taxpayer, identical group and class, and the group of each place."""
        keys = [
            (
                self.planning.taxpayers[account],
                self.group.get(symbol, symbol),
                self.row[self.class_of[symbol]],
            )
            for account, symbol in places
        ]
        known = {key: row for row, key in enumerate(sorted(set(keys)))}
        twins = {key: row for row, key in enumerate(sorted({key[:2] for key in known}))}
        groups = Groups(
            of_class=_ints([of_class for _, _, of_class in known]),
            twin=_ints([twins[key[:2]] for key in known]),
        )
        return groups, [known[key] for key in keys]


def _floats(values: Sequence[float]) -> Floats:
    return np.asarray(values, dtype=np.float64)


def _ints(values: Sequence[int]) -> Ints:
    return np.asarray(values, dtype=np.int64)
