"""Lays a household out as a planning problem: the one place where the plan's rules become arrays.

What may not be traded at all has no row. What remains are prices: of a dollar of drift, of a dollar
of gain, of a dollar in the wrong account.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from trimtab.domain.history import HOUSEHOLD
from trimtab.domain.numbers import ZERO, Money, to_array, to_float
from trimtab.domain.values import Lot, Snapshot
from trimtab.rules.holdings import Holdings
from trimtab.rules.plan.goals import Goals
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
    flags,
    floats,
    ints,
)
from trimtab.rules.plan.sellable import NOTHING, Stock, sellable
from trimtab.rules.plan.year import later_rate, year_tax
from trimtab.rules.tax.harvest import loss_least
from trimtab.rules.tax.lots import long_term_from

_TIE = 1.0 + 1e-9
_STEPS_LEFT = 1.0 - 1e-6
_YEAR_AT_LEAST = 365
_MORE_THAN_ALL = 2.0
_BELOW = 0.9
_FORBIDDEN = 100.0
"""What a dollar costs that must not be spent."""
_FAINT = 1e-3
"""Little enough that no trade is made for its sake."""
_EQUAL = 1e-12
"""Prices that differ by this part are equal: such a loss is less than dust."""


class Layout(NamedTuple):
    """A problem, and what its rows are: lots, places to buy at, accounts and classes.

    `sold_drag` and `bought_drag` are the parts of the costs per dollar that are location; another
    part is `idle` (A,), the drag of a dollar of cash that a plan leaves in an account. `kept`
    are the lots that may not be sold, with the reason. `leaving` is what wallets owe and their
    coins can fill: dollars of coins that the problem's value leaves out. `slight` (L,) are losses
    too small to harvest that count.
    """

    problem: Problem
    lots: list[Lot]
    options: list[Place]
    slight: Flags
    places: list[Place]
    accounts: list[str]
    classes: list[str]
    held: Holdings
    sold_drag: Floats
    bought_drag: Floats
    idle: Floats
    kept: list[Kept]
    leaving: float


def lay_out(
    snapshot: Snapshot,
    planning: Planning,
    held: Holdings,
    *,
    sells: bool = True,
    goes_together: bool = True,
) -> Layout:
    """The problem of *snapshot*: everything if it *sells*, else what cash can buy.

    Losses that the harvest rule thinks too small count only in classes that are too heavy, of which
    something is sold anyhow.
    Where it *goes_together*, losses may go with the recent units that bar them, whole.
    """
    permitted = Permitted(snapshot, planning, held)
    stock = sellable(permitted, goes_together=goes_together) if sells else NOTHING
    return _Desk(permitted, stock).layout(sells=sells)


def without_losses(layout: Layout, twins: frozenset[int]) -> Layout:
    """*layout* where losses of the identical groups *twins* hardly count either."""
    problem, lots = layout.problem, layout.problem.lots
    group = problem.places.group[lots.place]
    is_ignored = np.isin(problem.groups.twin[group], list(twins)) & (lots.gain < 0)
    of_class = problem.groups.of_class[group]
    part = np.where(is_ignored, _faint(problem.classes)[of_class], 1.0)
    fewer = replace(lots, gain=lots.gain * part, extra=lots.extra * part)
    return layout._replace(problem=replace(problem, lots=fewer))


def without_slight(layout: Layout, classes: frozenset[int]) -> Layout:
    """*layout* where losses too small to harvest hardly count in *classes*, by number."""
    problem, lots = layout.problem, layout.problem.lots
    of_class = problem.groups.of_class[problem.places.group[lots.place]]
    part = np.where(layout.slight & np.isin(of_class, list(classes)), _FAINT, 1.0)
    fewer = replace(lots, gain=lots.gain * part, extra=lots.extra * part)
    return layout._replace(problem=replace(problem, lots=fewer))


def without_purchases(layout: Layout, classes: frozenset[int]) -> Layout:
    """*layout* where nothing is bought of *classes*, by number: it costs more than it is worth."""
    problem, options = layout.problem, layout.problem.options
    of_class = problem.groups.of_class[problem.places.group[options.place]]
    cost = options.cost + np.where(np.isin(of_class, list(classes)), _FORBIDDEN, 0.0)
    return layout._replace(problem=replace(problem, options=replace(options, cost=cost)))


def _is_heavy(classes: Classes) -> Flags:
    """Classes (C,) of which something is sold anyhow."""
    return classes.held > classes.goal + classes.tolerance


def _faint(classes: Classes) -> Floats:
    """The part (C,) of a loss that counts where it is not to be harvested.

    Of a class that is too heavy something is sold anyhow: of sales that cost the same, one at a
    loss is the better one.
    """
    return np.where(_is_heavy(classes), _FAINT, 0.0)


def turnover_of(problem: Problem) -> float:
    """What may be sold today in whole steps, in dollars at the middle price."""
    return problem.turnover_most / _STEPS_LEFT * (1.0 + 1e-12)


class _Facts(NamedTuple):
    """Of each place with lots that may go: its prices and rates per dollar, and how it counts."""

    mid: Floats
    sale: Floats
    cash: Floats
    cost: Floats
    drag: Floats
    idle: Floats
    is_taxed: Flags
    is_ours: Flags
    is_reached: Flags


class _Desk:
    """One household on the table."""

    def __init__(self, permitted: Permitted, stock: Stock) -> None:
        self.permitted, self.stock, self.goals = permitted, stock, Goals(permitted)
        self.snapshot, self.planning = permitted.snapshot, permitted.planning
        self.policy = permitted.policy

    def layout(self, *, sells: bool) -> Layout:
        """The arrays."""
        permitted, stock = self.permitted, self.stock
        options = permitted.options()
        places = sorted({*stock.places, *options})
        number = {place: row for row, place in enumerate(places)}
        of_stock = ints([number[place] for place in stock.places])
        is_all = np.zeros(len(places), dtype=np.bool_)
        is_all[of_stock] = stock.is_all
        groups, of_group = self._groups(places)
        classes = self.goals.classes(aims_at_target=not sells)
        lots, sold_drag, slight = self._lots(of_stock, _is_heavy(classes))
        purchases, bought_drag = self._purchases(options, number)
        most_lost = float(np.maximum(-lots.gain * lots.value, 0.0).sum())
        value = to_float(permitted.value)
        ordered = {one.id for one in permitted.accounts if permitted.is_ordered(one)}
        problem = Problem(
            cash=self._spendable(sells=sells),
            in_total=flags([permitted.is_in_total(one) for one in permitted.accounts]),
            in_cash=self.goals.cash(),
            classes=classes,
            groups=groups,
            places=Places(
                account=ints([permitted.number[account] for account, _ in places]),
                symbol=_numbered([symbol for _, symbol in places]),
                group=of_group,
                is_ordered=flags([one in ordered for one, _ in places]),
                sell_least=np.full(len(places), self._least()),
                is_all=is_all,
            ),
            lots=lots,
            options=purchases,
            year=year_tax(self.planning, most_lost, value),
            value=value,
            order_cost=to_float(self.policy.plan.order_cost),
            turnover_most=self._turnover(),
        )
        return Layout(
            problem=problem,
            lots=stock.lots,
            options=options,
            slight=slight,
            places=places,
            accounts=[account.id for account in permitted.accounts],
            classes=permitted.classes,
            held=permitted.held,
            sold_drag=sold_drag,
            bought_drag=bought_drag,
            idle=floats([self._idle(account.id) for account in permitted.accounts]),
            kept=stock.kept,
            leaving=to_float(permitted.leaving),
        )

    def _spendable(self, *, sells: bool) -> Floats:
        """Cash by account; where nothing may be sold, nothing can be raised either."""
        cash = to_array([self.permitted.cash[account.id] for account in self.permitted.accounts])
        return cash if sells else np.maximum(cash, 0.0)

    def _turnover(self) -> float:
        """What may be sold today, less a little that solving may be off by."""
        held = self.permitted.held
        left = self.policy.gates.turnover_max * held.total - self.planning.sold_before
        if left >= sum(held.values.values(), ZERO):
            return float("inf")
        return max(0.0, to_float(left)) * _STEPS_LEFT

    def _least(self) -> float:
        """The least order in dollars."""
        return to_float(self.policy.orders.minimum) * _TIE

    def _lots(self, of_stock: Ints, is_heavy: Flags) -> tuple[Lots, Floats, Flags]:
        """The lots of the stock, whose places are the rows *of_stock*, and the drag that ends.

        And which losses are too small to harvest, and count since their class *is_heavy* (C,).
        """
        stock, permitted = self.stock, self.permitted
        of_place = np.repeat(np.arange(len(of_stock)), stock.counts)
        here = self._facts(stock.places)
        mid, sale = here.mid[of_place], here.sale[of_place]
        cash, is_taxed = here.cash[of_place], here.is_taxed[of_place]
        unit = stock.basis / np.maximum(stock.quantity, 1e-30)
        last = _long_since(permitted.today)
        is_long = flags([lot.holding_since <= last for lot in stock.lots])
        gain = np.where(is_taxed, (sale - unit) / mid, 0.0)
        is_loss = here.is_reached[of_place] & (mid * cash < unit * (1.0 - _EQUAL))
        counts = -gain >= self._loss_least() * unit / mid
        classes = [permitted.row[permitted.class_of[symbol]] for _, symbol in stock.places]
        slight = ~counts & (gain < 0)
        gain = np.where(slight & ~is_heavy[ints(classes)][of_place], 0.0, gain)
        slight &= gain < 0
        extra = np.where(gain < 0, -gain * to_float(later_rate(self.planning)), 0.0)
        tax = self.planning.tax
        short, long = to_float(tax.short_term_rate), to_float(tax.long_term_rate)
        is_ours = here.is_ours[of_place]
        extra += np.where(is_taxed & ~is_ours, np.where(is_long, long, short) * gain, 0.0)
        drag = here.drag[of_place]
        recent = np.bincount(of_place[stock.is_recent], minlength=len(of_stock))
        arrays = Lots(
            place=of_stock[of_place],
            value=stock.quantity * mid,
            gain=gain,
            is_long=is_long,
            is_taxed=is_taxed & is_ours,
            is_loss=is_loss,
            is_recent=stock.is_recent,
            goes_alone=stock.is_recent & is_loss & (recent == 1)[of_place],
            cost=here.cost[of_place] - drag + here.idle[of_place] * cash,
            extra=extra,
            cash=cash,
        )
        return arrays, -drag, slight

    def _facts(self, places: Sequence[Place]) -> _Facts:
        """What the lots of a place have in common."""
        accounts = [self.snapshot.accounts[account] for account, _ in places]
        permitted = self.permitted
        terms = [permitted.terms[symbol] for _, symbol in places]
        classes = [permitted.class_of[symbol] for _, symbol in places]
        is_taxed = [one.kind.is_taxed for one in accounts]
        return _Facts(
            mid=floats([one.mid for one in terms]),
            sale=floats([one.sale for one in terms]),
            cash=floats([one.sale_cash for one in terms]),
            cost=floats([one.sale_cost for one in terms]),
            drag=np.where(is_taxed, [self._drag(name) for name in classes], 0.0),
            idle=floats([self._idle(one.id) for one in accounts]),
            is_taxed=flags(is_taxed),
            is_ours=flags([self.planning.taxpayers[one.id] == HOUSEHOLD for one in accounts]),
            is_reached=flags([permitted.is_reached(place) for place in places]),
        )

    def _drag(self, name: str) -> float:
        """What a dollar of a class costs in a taxed account, over the policy's years.

        Less than a dollar of drift is weighed with: a class may move to a better account, and is
        not given up for one that is taxed less.
        """
        return min(self.permitted.drag[name], _BELOW * 2.0 * self.goals.price)

    def _idle(self, account: str) -> float:
        """What a dollar of idle cash costs in an account: the drag of the class that drags most.

        Cash is to be invested again, so that a sale into cash never ends a drag.
        """
        is_taxed = self.snapshot.accounts[account].kind.is_taxed
        return self._most_drag if is_taxed and self.permitted.cash_name is None else 0.0

    @cached_property
    def _most_drag(self) -> float:
        return max((self._drag(name) for name in self.permitted.classes), default=0.0)

    def _loss_least(self) -> float:
        """The part of its basis that the loss of a lot must be to count, as `tax harvest` asks."""
        if self.policy.plan.harvests == "never":
            return _MORE_THAN_ALL
        return to_float(loss_least(self.planning.harvest, self.permitted.today))

    def _purchases(
        self, options: Sequence[Place], number: Mapping[Place, int]
    ) -> tuple[Options, Floats]:
        symbols = sorted({symbol for _, symbol in options})
        terms = [self.permitted.terms[symbol] for _, symbol in options]
        positions = self.snapshot.positions() if self.policy.plan.holdings_max else {}
        most = {symbol: self._most(symbol, positions) for symbol in symbols}
        drags = floats(
            [
                self._drag(self.permitted.class_of[symbol])
                if self.snapshot.accounts[account].kind.is_taxed
                else 0.0
                for account, symbol in options
            ]
        )
        idle = floats([self._idle(account) for account, _ in options])
        cash = floats([one.buy_cash for one in terms])
        arrays = Options(
            place=ints([number[place] for place in options]),
            cost=floats([one.buy_cost for one in terms]) + drags - idle * cash,
            cash=cash,
            least=np.full(len(options), self._least()),
            most=floats([most[symbol] for _, symbol in options]),
        )
        return arrays, drags

    def _most(self, symbol: str, positions: Mapping[Place, Money]) -> float:
        """What the policy lets be bought of *symbol* beyond what is sold of it; negative above."""
        part = self.policy.plan.holdings_max.get(symbol)
        if part is None:
            return float("inf")
        held = sum((units for (_, one), units in positions.items() if one == symbol), ZERO)
        return to_float(part * self.permitted.held.total - held * self.snapshot.price(symbol))

    def _groups(self, places: Sequence[Place]) -> tuple[Groups, Ints]:
        """One group for each taxpayer, identical group and class, and the group of each place."""
        permitted = self.permitted
        keys = [
            (
                self.planning.taxpayers[account],
                permitted.group_of(symbol),
                permitted.row[permitted.class_of[symbol]],
            )
            for account, symbol in places
        ]
        known = {key: row for row, key in enumerate(sorted(set(keys)))}
        twins = {key: row for row, key in enumerate(sorted({key[:2] for key in known}))}
        groups = Groups(
            of_class=ints([of_class for _, _, of_class in known]),
            twin=ints([twins[key[:2]] for key in known]),
        )
        return groups, ints([known[key] for key in keys])


def _long_since(today: dt.date) -> dt.date:
    """The last day since which units must have been held to be long term *today*."""
    day = today - dt.timedelta(days=_YEAR_AT_LEAST)
    while long_term_from(day) > today:
        day -= dt.timedelta(days=1)
    return day


def _numbered(names: Sequence[str]) -> Ints:
    """Of each name its number among them all."""
    return ints(np.unique(np.asarray(names, dtype=np.str_), return_inverse=True)[1].tolist())
