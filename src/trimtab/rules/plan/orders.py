"""From dollars to orders: whole steps, nothing below the least order, no cent that is not there.

Each sale begins at the whole steps below what it should be, each purchase at what its account can
pay of it; then steps are moved as long as that makes the plan cheaper (`rounding`).
"""

from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple

import numpy as np

from trimtab.domain.numbers import (
    BASIS_POINT,
    ONE,
    ZERO,
    Money,
    Quantity,
    Weight,
    round_up_to_step,
    to_decimal,
)
from trimtab.domain.trades import LotPick
from trimtab.domain.values import Lot, Snapshot
from trimtab.rules.holdings import class_of
from trimtab.rules.plan.layout import Layout
from trimtab.rules.plan.permitted import Place
from trimtab.rules.plan.planning import Planning
from trimtab.rules.plan.problem import Flags, Floats, Ints, Solution
from trimtab.rules.plan.rounding import Curve, Order, rounded
from trimtab.rules.tax.lots import picks_of

_WHOLE = 1 - 1e-9
_ENDLESS = 10**15
_FURTHER = 8
"""So many lots that a solution keeps may go too, where a sale is rounded up."""


class Orders(NamedTuple):
    """What to sell, lot by lot in the order of each place, and what to buy."""

    sales: dict[Place, tuple[LotPick, ...]]
    purchases: dict[Place, Quantity]


def orders_of(snapshot: Snapshot, planning: Planning, layout: Layout, solution: Solution) -> Orders:
    """The orders that come nearest to *solution*, with what will come and will have settled."""
    return _Desk(snapshot, planning, layout).orders(solution)


def at_hand_of(snapshot: Snapshot, planning: Planning, layout: Layout, orders: Orders) -> Orders:
    """What can be done of *orders* now, with the cash that is there.

    Purchases wait for what a contribution will bring and, under `unsettled = "wait"`, for what has
    not settled.
    """
    if not planning.coming and planning.policy.orders.unsettled != "wait":
        return orders
    return _Desk(snapshot, planning, layout).at_hand(orders)


def amounts_of(snapshot: Snapshot, layout: Layout, orders: Orders) -> tuple[Floats, Floats]:
    """The dollars of each lot and option of *layout* that *orders* trade, at the middle price."""
    sold, bought = np.zeros(len(layout.lots)), np.zeros(len(layout.options))
    rows = {lot.id: row for row, lot in enumerate(layout.lots)}
    for (_, symbol), picks in orders.sales.items():
        for pick in picks:
            sold[rows[pick.lot_id]] = float(pick.quantity * snapshot.price(symbol))
    options = {place: row for row, place in enumerate(layout.options)}
    for place, quantity in orders.purchases.items():
        bought[options[place]] = float(quantity * snapshot.price(place[1]))
    return np.minimum(sold, layout.problem.lots.value), bought


class _Desk:
    def __init__(self, snapshot: Snapshot, planning: Planning, layout: Layout) -> None:
        self.snapshot, self.planning, self.layout = snapshot, planning, layout
        self.classes = class_of(planning.policy)
        rule = planning.policy.orders
        self.minimum = rule.minimum
        self.margin = (rule.slippage_max_bps + rule.fee_buffer_bps) * BASIS_POINT
        self.options = {place: row for row, place in enumerate(layout.options)}
        self.queues: dict[Place, list[Lot]] = {}
        self.lots: dict[Place, list[int]] = {}
        for row, lot in enumerate(layout.lots):
            self.lots.setdefault((lot.account, lot.symbol), []).append(row)

    @cached_property
    def held(self) -> dict[Place, Quantity]:
        """All that is held of each place of which something may be sold."""
        held = dict.fromkeys(self.lots, ZERO)
        for lot in self.snapshot.lots:
            place = lot.account, lot.symbol
            if place in held:
                held[place] += lot.quantity
        return held

    def orders(self, solution: Solution) -> Orders:
        """The cheapest whole steps near *solution*."""
        sales = {
            place: self._sale(place, rows, solution.sold)
            for place, rows in self.lots.items()
            if solution.sold[rows].any()
        }
        free = {}
        for row, account in enumerate(self.layout.accounts):
            there = self._start(account)
            coming = self.planning.coming.get(account, ZERO) if there >= 0 else ZERO
            free[row] = there + coming
        self._raise_cash(sales, {row: free[row] for row in free if solution.lacking[row] == 0})
        wanted = self._sooner(self._preferred(solution), sales, self._barred(solution.sold))
        purchases = self._purchases(wanted, sales, free)
        return self._improved(sales, purchases, free, solution.objective)

    def at_hand(self, orders: Orders) -> Orders:
        """All sales of *orders*, and of its purchases what can be paid now."""
        sales = {place: self._fixed_sale(place, picks) for place, picks in orders.sales.items()}
        free = self._free_now(sales)
        wanted = {
            place: quantity * self.snapshot.price(place[1])
            for place, quantity in orders.purchases.items()
        }
        purchases = {
            place: order._replace(most=int(orders.purchases[place] / self._step(place)))
            for place, order in self._purchases(wanted, sales, free).items()
        }
        return self._improved(sales, purchases, free, -np.inf)

    def _improved(
        self,
        sales: dict[Place, Order],
        purchases: dict[Place, Order],
        free: dict[int, Money],
        best: float,
    ) -> Orders:
        """The orders after every move that pays, until they cost next to *best*."""
        places = [*sorted(sales), *sorted(purchases)]
        table = [
            *(sales[place] for place in sorted(sales)),
            *(purchases[place] for place in sorted(purchases)),
        ]
        counts = rounded(self.layout.problem, table, free, best=best) if table else []
        found = Orders(sales={}, purchases={})
        for number, (place, count) in enumerate(zip(places, counts, strict=True)):
            quantity = count * self._step(place)
            if count == 0:
                continue
            if number < len(sales):
                found.sales[place] = picks_of(self.queues[place], quantity)
            else:
                found.purchases[place] = quantity
        return found

    # ---------------------------------------------------------------- sales

    def _sale(self, place: Place, rows: list[int], sold: Floats) -> Order:
        """The sale of what is *sold* of a place, in the whole steps below it."""
        queue, wanted = self._queue(rows, sold)
        self.queues[place] = [self.layout.lots[row] for row in queue.tolist()]
        step = self._step(place)
        count = int((wanted + step / 1_000_000) / step)
        order = self._sale_order(place, queue)
        count = min(count, order.most)
        if self.layout.problem.lots.is_recent[queue].any():
            return order._replace(steps=count, low=count, most=count)
        if 0 < count < order.least and count != order.whole:
            count = order.least if order.least <= order.most else 0
        return order._replace(steps=count)

    def _fixed_sale(self, place: Place, picks: tuple[LotPick, ...]) -> Order:
        """A sale that stays as it is."""
        rows = {self.layout.lots[row].id: row for row in self.lots[place]}
        queue = np.asarray([rows[pick.lot_id] for pick in picks])
        self.queues[place] = [self.layout.lots[row] for row in queue.tolist()]
        count = int(sum((pick.quantity for pick in picks), ZERO) / self._step(place))
        return self._sale_order(place, queue)._replace(steps=count, low=count, most=count)

    def _queue(self, rows: list[int], sold: Floats) -> tuple[Ints, Quantity]:
        """The lots that may be sold, in the order in which they go, and how much of them is sold.

        Whole ones go first unless the broker has an order; some that are kept follow, unless their
        loss would close what may be bought.
        """
        lots, mine = self.layout.problem.lots, np.asarray(rows)
        is_sold = sold[mine] > 0
        whole: Flags = sold[mine] >= lots.value[mine] * _WHOLE
        wanted = ZERO
        for row in mine[is_sold & whole].tolist():
            wanted += self.layout.lots[row].quantity
        for row in mine[is_sold & ~whole].tolist():
            quantity = self.layout.lots[row].quantity
            part = to_decimal(float(sold[row] / lots.value[row]), 12)
            wanted += min(quantity, quantity * part)
        is_loss = lots.is_loss[mine]
        closed = is_loss & ~is_sold & ~(is_loss & is_sold).any()
        if self.layout.problem.places.is_ordered[lots.place[rows[0]]]:
            stop = int(np.argmax(closed)) if closed.any() else len(mine)
            return mine[:stop][: int(np.flatnonzero(is_sold)[-1]) + 1 + _FURTHER], wanted
        gain = np.round(lots.gain[mine] + lots.extra[mine], 9)
        order = np.lexsort((gain, ~is_sold, ~whole))
        queue: Ints = mine[order][~closed[order]][: int(is_sold.sum()) + _FURTHER]
        return queue, wanted

    def _sale_order(self, place: Place, queue: Ints) -> Order:
        """The sale of the lots of *queue*, none of them so far."""
        problem, lots = self.layout.problem, self.layout.problem.lots
        step, bid = self._step(place), self.snapshot.quotes[place[1]].bid
        row = int(queue[0])
        where = int(lots.place[row])
        account = int(problem.places.account[where])
        there = sum((lot.quantity for lot in self.queues[place]), ZERO)
        worth = float(step * self.snapshot.price(place[1]))
        least = int(round_up_to_step(self.minimum / (step * bid), ONE))
        held = self.held[place]
        most = int(there / step)
        is_all = there == held and most * step == held
        taxed = np.where(lots.is_taxed[queue], lots.gain[queue], 0.0) * worth
        is_long, extra = lots.is_long[queue], lots.extra[queue] * worth
        curve = Curve(
            lots.value[queue] / worth,
            np.where(is_long, 0.0, taxed),
            np.where(is_long, taxed, 0.0),
            extra,
        )
        return Order(
            account=account,
            of_class=int(problem.groups.of_class[problem.places.group[where]]),
            symbol=-1,
            worth=-worth,
            cash=float(lots.cash[row]) * worth,
            unit=step * bid * (ONE - self.margin),
            cost=float(lots.cost[row]) * worth,
            steps=0,
            low=0,
            least=max(1, least),
            most=most,
            whole=most if is_all else -1,
            curve=curve,
        )

    def _raise_cash(self, sales: dict[Place, Order], free: Mapping[int, Money]) -> None:
        """Steps more where an account is short after rounding: of one sale, the cheapest."""
        for account, there in free.items():
            short = -there - sum(
                (one.steps * one.unit for one in sales.values() if one.account == account), ZERO
            )
            while short > 0:
                found = self._extended(sales, account, short)
                if found is None:
                    break
                place, steps = found
                order = sales[place]
                sales[place] = order._replace(steps=order.steps + steps)
                short -= steps * order.unit

    def _extended(
        self, sales: Mapping[Place, Order], account: int, short: Money
    ) -> tuple[Place, int] | None:
        """The sale that brings what is *short* with the least beyond it, or the most of it."""
        found: list[tuple[Money, Place, int]] = []
        for place in sorted(sales):
            order = sales[place]
            if order.account != account or order.steps >= order.most:
                continue
            steps = int(round_up_to_step(short / order.unit, ONE))
            steps = min(max(steps, order.least - order.steps), order.most - order.steps)
            if order.steps + steps < order.least and order.steps + steps != order.whole:
                continue
            found.append((abs(steps * order.unit - short), place, steps))
        return min(found)[1:] if found else None

    # ---------------------------------------------------------------- cash

    def _free_now(self, sales: Mapping[Place, Order]) -> dict[int, Money]:
        """What each account may spend today, less what *sales* bring it."""
        waits = self.planning.policy.orders.unsettled == "wait"
        free = {}
        for row, account in enumerate(self.layout.accounts):
            free[row] = self._start(account)
            if waits:
                brought = sum(
                    (sale.steps * sale.unit for sale in sales.values() if sale.account == row), ZERO
                )
                free[row] = min(free[row], self._settled(account) - brought)
        return free

    def _start(self, account: str) -> Money:
        held = self.layout.held
        short = held.short.get(account, ZERO) + self.planning.due.get(account, ZERO)
        return held.free[account] - short

    def _settled(self, account: str) -> Money:
        base = self.snapshot.base_currency
        settled = sum(
            (
                balance.settled
                for balance in self.snapshot.balances
                if balance.account == account and balance.currency == base
            ),
            ZERO,
        )
        due = self.planning.due.get(account, ZERO)
        return settled - self.layout.held.reserves[account] - due

    # ---------------------------------------------------------------- purchases

    def _preferred(self, solution: Solution) -> dict[Place, Money]:
        """Dollars to buy by place; of two members that may be bought, the one named first.

        A member that is sold at a loss has no purchase in the household, and one that is sold in
        the account none there.
        """
        bought = solution.bought
        options = {place: row for row, place in enumerate(self.layout.options)}
        barred = self._barred(solution.sold)
        wanted: dict[Place, Money] = {}
        most = self.layout.problem.options.most
        for place, row in options.items():
            if bought[row] <= 0:
                continue
            account, symbol = place
            members = self.planning.policy.classes[self.classes[symbol]].members
            better = (
                (account, member)
                for member in members[: members.index(symbol)]
                if (account, member) in options
                and (account, self._twin(options[account, member])) not in barred
                and most[options[account, member]] == np.inf
            )
            chosen = next(better, place)
            wanted[chosen] = wanted.get(chosen, ZERO) + to_decimal(float(bought[row]))
        return wanted

    def _sooner(
        self,
        wanted: dict[Place, Money],
        sales: Mapping[Place, Order],
        barred: set[tuple[str, int]],
    ) -> dict[Place, Money]:
        """*wanted*, bought where the cash is there today rather than where it will come.

        Else one look would wait for money in one account, and the next find it in another.
        """
        if not self.planning.coming and self.planning.policy.orders.unsettled != "wait":
            return wanted
        options, accounts = self.layout.problem.options, self.layout.accounts
        in_total = self.layout.problem.in_total
        spare = self._free_now(sales)
        for sale in sales.values():
            spare[sale.account] += sale.steps * sale.unit
        number = {account: row for row, account in enumerate(accounts)}
        for place, dollars in wanted.items():
            spare[number[place[0]]] -= dollars * self._cash_of(place[1])
        moved = dict(wanted)
        for place in sorted(wanted):
            of, symbol = number[place[0]], place[1]
            cost = options.cost[self.options[place]]
            for to, account in enumerate(accounts):
                other = account, symbol
                row = self.options.get(other)
                if spare[of] >= 0 or spare[to] <= 0 or row is None or options.cost[row] > cost:
                    continue
                if (account, self._twin(row)) in barred or in_total[to] != in_total[of]:
                    continue
                cash = self._cash_of(symbol)
                dollars = min(moved[place], -spare[of] / cash, spare[to] / cash)
                moved[place] -= dollars
                moved[other] = moved.get(other, ZERO) + dollars
                spare[of] += dollars * cash
                spare[to] -= dollars * cash
        return {place: dollars for place, dollars in moved.items() if dollars > 0}

    def _cash_of(self, symbol: str) -> Weight:
        """Cash to keep ready for a dollar's worth, at the middle price."""
        return self.snapshot.quotes[symbol].ask * (ONE + self.margin) / self.snapshot.price(symbol)

    def _barred(self, sold: Floats) -> set[tuple[str, int]]:
        """Groups that may not be bought, by account: sold there, or at a loss anywhere."""
        problem, layout = self.layout.problem, self.layout
        barred: set[tuple[str, int]] = set()
        for row in np.flatnonzero(sold > 0).tolist():
            twin = int(problem.groups.twin[problem.places.group[problem.lots.place[row]]])
            is_loss = problem.lots.is_loss[row]
            names = layout.accounts if is_loss else [layout.lots[row].account]
            barred |= {(name, twin) for name in names}
        return barred

    def _twin(self, option: int) -> int:
        problem = self.layout.problem
        return int(problem.groups.twin[problem.places.group[problem.options.place[option]]])

    def _purchases(
        self, wanted: Mapping[Place, Money], sales: Mapping[Place, Order], free: Mapping[int, Money]
    ) -> dict[Place, Order]:
        """Whole steps of what is *wanted*, the largest first, within each account's cash."""
        cash = dict(free)
        for sale in sales.values():
            cash[sale.account] += sale.steps * sale.unit
        purchases: dict[Place, Order] = {}
        for place in sorted(wanted, key=lambda one: (-wanted[one], one)):
            order = self._purchase(place)
            dollars = min(wanted[place], self._room(place))
            steps = int(dollars / (self._step(place) * self.snapshot.price(place[1])))
            affordable = int(max(ZERO, cash[order.account]) / -order.unit)
            room = self._room(place)
            worth = self._step(place) * self.snapshot.price(place[1])
            most = int(room / worth) if room.is_finite() else affordable
            if 0 < steps < order.least:
                steps = order.least if 2 * steps >= order.least else 0
            steps = min(steps, affordable, most)
            if steps < order.least:
                steps = 0
            purchases[place] = order._replace(steps=steps)
            cash[order.account] += steps * order.unit
        return purchases

    def _room(self, place: Place) -> Money:
        """How much of a symbol a holding limit lets be bought in all."""
        most = float(self.layout.problem.options.most[self.options[place]])
        return Money("Infinity") if most == np.inf else to_decimal(most)

    def _purchase(self, place: Place) -> Order:
        """The purchase at *place*, none of it so far."""
        problem, options = self.layout.problem, self.layout.problem.options
        row = self.options[place]
        where = int(options.place[row])
        account = int(problem.places.account[where])
        step, ask = self._step(place), self.snapshot.quotes[place[1]].ask
        worth = float(step * self.snapshot.price(place[1]))
        least = int(round_up_to_step(self.minimum / (step * ask), ONE))
        return Order(
            account=account,
            of_class=int(problem.groups.of_class[problem.places.group[where]]),
            symbol=int(options.symbol[row]),
            worth=worth,
            cash=-float(options.cash[row]) * worth,
            unit=-step * ask * (ONE + self.margin),
            cost=float(options.cost[row]) * worth,
            steps=0,
            low=0,
            least=max(1, least),
            most=_ENDLESS,
            whole=-1,
        )

    def _step(self, place: Place) -> Quantity:
        return self.snapshot.instruments[place[1]].step
