"""From dollars to orders: whole steps, nothing below the least order, no cent that is not there.

Each sale begins at the whole steps below what it should be, each purchase at what its account can
pay of it; then steps are moved as long as that makes the plan cheaper (`rounding`).
"""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import NamedTuple

import numpy as np

from trimtab.domain.numbers import (
    ONE,
    ZERO,
    Money,
    Quantity,
    to_float,
)
from trimtab.domain.trades import LotPick
from trimtab.domain.values import Snapshot
from trimtab.rules.plan.buyable import Buyable
from trimtab.rules.plan.layout import Layout, turnover_of
from trimtab.rules.plan.permitted import Place
from trimtab.rules.plan.planning import Planning, margin_of
from trimtab.rules.plan.problem import Floats, Solution
from trimtab.rules.plan.queues import Curves, Queue, Queues, queues_of
from trimtab.rules.plan.raised import with_cash_raised
from trimtab.rules.plan.rounding import improve
from trimtab.rules.plan.spendable import Spendable, after_sales, must_wait
from trimtab.rules.plan.steps import Order
from trimtab.rules.plan.table import Table
from trimtab.rules.plan.turnover import within_turnover
from trimtab.rules.tax.lots import picks_of

_ENDLESS = 10**15
_DUST = 1e-9
_FAR = 1e-4
"""Where rounding costs more than a basis point of the value, other steps are tried."""
_FAR_WORTH = 1e-5
_FORCED_MOST = 3


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
    if not must_wait(planning):
        return orders
    return _Desk(snapshot, planning, layout).at_hand(orders)


def amounts_of(snapshot: Snapshot, layout: Layout, orders: Orders) -> tuple[Floats, Floats]:
    """The dollars of each lot and option of *layout* that *orders* trade, at the middle price."""
    sold, bought = np.zeros(len(layout.lots)), np.zeros(len(layout.options))
    lots, options = layout.problem.lots, layout.problem.options
    picked = {pick.lot_id: pick.quantity for picks in orders.sales.values() for pick in picks}
    if picked:
        for row, lot in enumerate(layout.lots):
            quantity = picked.get(lot.id)
            if quantity is not None:
                part = 1.0 if quantity == lot.quantity else to_float(quantity / lot.quantity)
                sold[row] = part * lots.value[row]
    for row, place in enumerate(layout.options):
        if place in orders.purchases:
            bought[row] = to_float(orders.purchases[place] * snapshot.price(place[1]))
    assert len(options.place) == len(bought), "an option is a row"
    return sold, bought


class _Trial(NamedTuple):
    """Orders in steps, sales first, with what they cost and the cash that accounts lack."""

    counts: list[int]
    purchases: dict[Place, Order]
    cost: float
    short: float


class _Desk:
    def __init__(self, snapshot: Snapshot, planning: Planning, layout: Layout) -> None:
        self.snapshot, self.planning, self.layout = snapshot, planning, layout
        self.spendable = Spendable(snapshot, planning, layout)
        self.minimum, self.margin = planning.policy.orders.minimum, margin_of(planning.policy)
        self.options = {place: row for row, place in enumerate(layout.options)}
        problem = layout.problem
        self.of_class = problem.groups.of_class[problem.places.group].tolist()
        self.account = problem.places.account.tolist()

    def orders(self, solution: Solution) -> Orders:
        """The cheapest whole steps near *solution*."""
        queues = queues_of(self.layout, solution.sold)
        buyable = Buyable(self.snapshot, self.planning, self.layout, solution.sold)
        best = self._trial(solution, queues, buyable, {})
        most = solution.objective + _FAR * self.layout.problem.value
        if best.cost > most:
            for forced in self._forced(queues, best):
                other = self._trial(solution, queues, buyable, forced)
                if (other.short, other.cost) < (best.short, best.cost - _FAR_WORTH):
                    best = other
                if best.cost <= most:
                    break
        return self._found(queues, best.purchases, best.counts)

    def _trial(
        self, solution: Solution, queues: Queues, buyable: Buyable, forced: Mapping[int, int]
    ) -> _Trial:
        """Whole steps near *solution*, with *forced* ones of some sales, improved where it pays."""
        whole = [self._sale(queue, forced.get(row)) for row, queue in enumerate(queues.each)]
        problem, curves = self.layout.problem, self._curves(queues, whole)
        most = turnover_of(problem)
        sales = within_turnover(problem, solution, whole, curves, most)
        free = self.spendable.in_all()
        payable = {row: there for row, there in free.items() if solution.lacking[row] == 0}
        sales = with_cash_raised(sales, payable, most)
        wanted = buyable.preferred(solution.bought)
        if must_wait(self.planning):
            wanted = buyable.sooner(wanted, sales, self.spendable.today(sales))
        purchases = self._purchases(wanted, sales, free)
        table = self._table(queues, sales, purchases, free)
        improve(table, solution.objective)
        if table.objective() > solution.objective + _FAR * self.layout.problem.value:
            more = self._further(buyable, purchases)
            if more:
                counts = dict(zip(sorted(purchases), table.counts()[len(sales) :], strict=True))
                sales = [
                    one._replace(steps=count)
                    for one, count in zip(sales, table.counts(), strict=False)
                ]
                purchases = more | {
                    place: one._replace(steps=counts[place]) for place, one in purchases.items()
                }
                table = self._table(queues, sales, purchases, free)
                improve(table, solution.objective)
        return _Trial(table.counts(), purchases, table.objective(), table.short())

    def _forced(self, queues: Queues, best: _Trial) -> list[dict[int, int]]:
        """One step more or less of each sale whose steps are the largest."""
        places = [self.layout.places[queue.place] for queue in queues.each]
        worth = [to_float(self._step(place) * self.snapshot.price(place[1])) for place in places]
        coarse = sorted(range(len(worth)), key=lambda number: (-worth[number], number))
        least, most = _FAR * self.layout.problem.value, turnover_of(self.layout.problem)
        return [
            {number: best.counts[number] + by}
            for number in coarse[:_FORCED_MOST]
            for by in (1, -1)
            if worth[number] > least and 0 <= (best.counts[number] + by) * worth[number] <= most
        ]

    def at_hand(self, orders: Orders) -> Orders:
        """All sales of *orders*, and of its purchases what can be paid now."""
        sold, _ = amounts_of(self.snapshot, self.layout, orders)
        queues = queues_of(self.layout, sold)
        sales = []
        for queue in queues.each:
            picks = orders.sales[self.layout.places[queue.place]]
            count = sum((pick.quantity for pick in picks), ZERO)
            steps = int(count / self._step(self.layout.places[queue.place]))
            sales.append(self._sale(queue)._replace(steps=steps, low=steps, most=steps))
        free = self.spendable.today(sales)
        wanted = {
            place: quantity * self.snapshot.price(place[1])
            for place, quantity in orders.purchases.items()
        }
        purchases = {
            place: order._replace(most=int(orders.purchases[place] / self._step(place)))
            for place, order in self._purchases(wanted, sales, free).items()
        }
        table = self._table(queues, sales, purchases, free)
        improve(table, -np.inf)
        found = self._found(queues, purchases, table.counts())
        return Orders(sales=orders.sales, purchases=found.purchases)

    def _table(
        self,
        queues: Queues,
        sales: Sequence[Order],
        purchases: Mapping[Place, Order],
        free: Mapping[int, Money],
    ) -> Table:
        orders = [*sales, *(purchases[place] for place in sorted(purchases))]
        return Table(
            self.layout.problem,
            orders,
            free,
            self._curves(queues, sales),
            turnover_most=turnover_of(self.layout.problem),
        )

    def _curves(self, queues: Queues, sales: Sequence[Order]) -> Curves:
        worth = np.asarray([-one.worth for one in sales], dtype=np.float64)
        return Curves(self.layout, queues, worth)

    def _found(
        self, queues: Queues, purchases: Mapping[Place, Order], counts: Sequence[int]
    ) -> Orders:
        """What *counts* of steps come to, sales first."""
        places = self.layout.places
        sales = {}
        for queue, count in zip(queues.each, counts, strict=False):
            if count:
                place = places[queue.place]
                sales[place] = picks_of(queue.lots, count * self._step(place))
        bought = dict(zip(sorted(purchases), counts[len(queues.each) :], strict=True))
        return Orders(
            sales=sales,
            purchases={
                place: count * self._step(place) for place, count in bought.items() if count
            },
        )

    # ---------------------------------------------------------------- sales

    def _sale(self, queue: Queue, forced: int | None = None) -> Order:
        """The sale of what is wanted of a queue, in the whole steps below it; or as is *forced*."""
        lots, where = self.layout.problem.lots, queue.place
        place = self.layout.places[where]
        quote, step = self.snapshot.quotes[place[1]], self._step(place)
        row = queue.first
        worth = to_float(step * quote.price)
        dollars = step * quote.bid
        least = max(1, ceil(self.minimum / dollars), ceil(queue.first_of_all / step))
        most = int(queue.there / step)
        whole = most if queue.is_all and most * step == queue.there else -1
        count = min(int((queue.wanted + step / 1_000_000) / step), most)
        low = 0
        may = forced is not None and forced <= most and (forced == 0 or forced >= least)
        if forced is not None and may:
            low = most = count = forced
        elif 0 < count < least and count != whole:
            count = least if least <= most else 0
        return Order(
            account=self.account[where],
            of_class=self.of_class[where],
            symbol=int(self.layout.problem.places.symbol[where]),
            worth=-worth,
            cash=float(lots.cash[row]) * worth,
            unit=dollars * (ONE - self.margin),
            cost=float(lots.cost[row]) * worth,
            steps=count,
            low=low,
            least=least,
            most=most,
            whole=whole,
        )

    # ---------------------------------------------------------------- purchases

    def _purchases(
        self, wanted: Mapping[Place, Money], sales: Sequence[Order], free: Mapping[int, Money]
    ) -> dict[Place, Order]:
        """Whole steps of what is *wanted*, the largest first, within each account's cash."""
        cash = after_sales(free, sales)
        sold: dict[int, float] = {}
        for sale in sales:
            sold[sale.symbol] = sold.get(sale.symbol, 0.0) - sale.steps * sale.worth
        room: dict[int, float] = {}
        purchases: dict[Place, Order] = {}
        for place in sorted(wanted, key=lambda one: (-wanted[one], one)):
            order = self._purchase(place)
            steps = int(wanted[place] / (self._step(place) * self.snapshot.price(place[1])))
            if 0 < steps < order.least:
                steps = order.least if 2 * steps >= order.least else 0
            steps = min(steps, int(max(ZERO, cash[order.account]) / -order.unit))
            left = room.get(order.symbol, self._most(place) + sold.get(order.symbol, 0.0))
            if left < np.inf:
                steps = min(steps, int(left / order.worth + _DUST))
            if steps < order.least:
                steps = 0
            room[order.symbol] = left - steps * order.worth
            purchases[place] = order._replace(steps=steps) if steps else order
            cash[order.account] += steps * order.unit
        return purchases

    def _further(self, buyable: Buyable, purchases: Mapping[Place, Order]) -> dict[Place, Order]:
        """What else may be bought beside *purchases*, none of it so far, for the odd dollars.

        Only of their classes: what is bought of another one today may be sold again next month. And
        no member beside the one that is named first where that one may be bought.
        """
        classes = {order.of_class for order in purchases.values()}
        further = {
            place: self._purchase(place)._replace(is_further=True)
            for place in self.options
            if place not in purchases and buyable.is_first_named(place)
        }
        return {place: order for place, order in further.items() if order.of_class in classes}

    def _most(self, place: Place) -> float:
        """How much of a symbol a holding limit lets be bought beyond what is sold of it."""
        return float(self.layout.problem.options.most[self.options[place]])

    def _purchase(self, place: Place) -> Order:
        """The purchase at *place*, none of it so far."""
        options = self.layout.problem.options
        row = self.options[place]
        where = int(options.place[row])
        quote, step = self.snapshot.quotes[place[1]], self._step(place)
        worth, dollars = to_float(step * quote.price), step * quote.ask
        return Order(
            account=self.account[where],
            of_class=self.of_class[where],
            symbol=int(self.layout.problem.places.symbol[where]),
            worth=worth,
            cash=-float(options.cash[row]) * worth,
            unit=-dollars * (ONE + self.margin),
            cost=float(options.cost[row]) * worth,
            steps=0,
            low=0,
            least=max(1, ceil(self.minimum / dollars)),
            most=_ENDLESS,
            whole=-1,
        )

    def _step(self, place: Place) -> Quantity:
        return self.snapshot.instruments[place[1]].step
