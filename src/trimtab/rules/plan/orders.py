"""From dollars to orders: whole steps, nothing below the least order, no cent that is not there.

Each sale begins at the whole steps below what it should be, each purchase at what its account can
pay of it; then steps are moved as long as that makes the plan cheaper (`rounding`).
"""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import NamedTuple

import numpy as np

from trimtab.domain.numbers import (
    BASIS_POINT,
    ONE,
    ZERO,
    Money,
    Quantity,
    Weight,
    to_decimal,
    to_float,
)
from trimtab.domain.trades import LotPick
from trimtab.domain.values import Snapshot
from trimtab.rules.holdings import class_of
from trimtab.rules.plan.layout import Layout, turnover_of
from trimtab.rules.plan.permitted import Place
from trimtab.rules.plan.planning import Planning
from trimtab.rules.plan.problem import Floats, Solution
from trimtab.rules.plan.queues import Curves, Queue, Queues, queues_of
from trimtab.rules.plan.rounding import Order, Table
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
    if not planning.coming and planning.policy.orders.unsettled != "wait":
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
        self.classes = class_of(planning.policy)
        rule = planning.policy.orders
        self.minimum = rule.minimum
        self.margin = (rule.slippage_max_bps + rule.fee_buffer_bps) * BASIS_POINT
        self.options = {place: row for row, place in enumerate(layout.options)}
        problem = layout.problem
        self.of_class = problem.groups.of_class[problem.places.group].tolist()
        self.account = problem.places.account.tolist()

    def orders(self, solution: Solution) -> Orders:
        """The cheapest whole steps near *solution*."""
        queues = queues_of(self.layout, solution.sold)
        best = self._trial(solution, queues, {})
        most = solution.objective + _FAR * self.layout.problem.value
        if best.cost > most:
            for forced in self._forced(queues, best):
                other = self._trial(solution, queues, forced)
                if (other.short, other.cost) < (best.short, best.cost - _FAR_WORTH):
                    best = other
                if best.cost <= most:
                    break
        return self._found(queues, best.purchases, best.counts)

    def _trial(self, solution: Solution, queues: Queues, forced: Mapping[int, int]) -> _Trial:
        """Whole steps near *solution*, with *forced* ones of some sales, improved where it pays."""
        whole = [self._sale(queue, forced.get(row)) for row, queue in enumerate(queues.each)]
        problem, curves = self.layout.problem, self._curves(queues, whole)
        sales = within_turnover(problem, solution, whole, curves, turnover_of(problem))
        free = {}
        for row, account in enumerate(self.layout.accounts):
            there = self._start(account)
            coming = self.planning.coming.get(account, ZERO) if there >= 0 else ZERO
            free[row] = there + coming
        self._raise_cash(sales, {row: free[row] for row in free if solution.lacking[row] == 0})
        barred = self._barred(solution.sold)
        wanted = self._sooner(self._preferred(solution, barred), sales, barred)
        purchases = self._purchases(wanted, sales, free)
        table = self._table(queues, sales, purchases, free)
        table.improve_all(solution.objective)
        if table.objective() > solution.objective + _FAR * self.layout.problem.value:
            more = self._further(barred, purchases)
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
                table.improve_all(solution.objective)
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
        free = self._free_now(sales)
        wanted = {
            place: quantity * self.snapshot.price(place[1])
            for place, quantity in orders.purchases.items()
        }
        purchases = {
            place: order._replace(most=int(orders.purchases[place] / self._step(place)))
            for place, order in self._purchases(wanted, sales, free).items()
        }
        table = self._table(queues, sales, purchases, free)
        table.improve_all(-np.inf)
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

    def _raise_cash(self, sales: list[Order], free: Mapping[int, Money]) -> None:
        """Steps more where an account is short after rounding: of one sale, the cheapest."""
        left = turnover_of(self.layout.problem) + sum(one.steps * one.worth for one in sales)
        for account, there in free.items():
            short = -there - sum(
                (one.steps * one.unit for one in sales if one.account == account), ZERO
            )
            while short > 0:
                found = _extended(sales, account, short, left)
                if found is None:
                    break
                number, steps = found
                order = sales[number]
                sales[number] = order._replace(steps=order.steps + steps)
                short -= steps * order.unit
                left += steps * order.worth

    # ---------------------------------------------------------------- cash

    def _free_now(self, sales: Sequence[Order]) -> dict[int, Money]:
        """What each account may spend today, less what *sales* bring it."""
        waits = self.planning.policy.orders.unsettled == "wait"
        free = {}
        for row, account in enumerate(self.layout.accounts):
            free[row] = self._start(account)
            if waits:
                brought = sum(
                    (sale.steps * sale.unit for sale in sales if sale.account == row), ZERO
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
        held = self.layout.held
        return settled - held.reserves[account] - held.waiting[account] - due

    # ---------------------------------------------------------------- purchases

    def _preferred(self, solution: Solution, barred: set[tuple[str, int]]) -> dict[Place, Money]:
        """Dollars to buy by place; of two members that may be bought, the one named first.

        A member that is sold at a loss has no purchase in the household, and one that is sold in
        the account none there.
        """
        bought = solution.bought
        wanted: dict[Place, Money] = {}
        for row in np.flatnonzero(bought > 0).tolist():
            chosen = self._first_named(self.layout.options[row], barred)
            wanted[chosen] = wanted.get(chosen, ZERO) + to_decimal(float(bought[row]))
        return wanted

    def _first_named(self, place: Place, barred: set[tuple[str, int]]) -> Place:
        """Where the member that the policy names first, of those that may be bought, is bought."""
        account, symbol = place
        members = self.planning.policy.classes[self.classes[symbol]].members
        most = self.layout.problem.options.most
        better = (
            (account, member)
            for member in members[: members.index(symbol)]
            if (account, member) in self.options
            and (account, self._twin(self.options[account, member])) not in barred
            and most[self.options[account, member]] == np.inf
        )
        return next(better, place)

    def _sooner(
        self,
        wanted: dict[Place, Money],
        sales: Sequence[Order],
        barred: set[tuple[str, int]],
    ) -> dict[Place, Money]:
        """*wanted*, bought where the cash is there today rather than where it will come.

        Else one look would wait for money in one account, and the next find it in another.
        """
        if not self.planning.coming and self.planning.policy.orders.unsettled != "wait":
            return wanted
        options, accounts = self.layout.problem.options, self.layout.accounts
        in_total = self.layout.problem.in_total
        account_of = self.layout.problem.places.account[options.place]
        bare = options.cost + self.layout.idle[account_of] * options.cash
        spare = self._free_now(sales)
        for sale in sales:
            spare[sale.account] += sale.steps * sale.unit
        number = {account: row for row, account in enumerate(accounts)}
        for place, dollars in wanted.items():
            spare[number[place[0]]] -= dollars * self._cash_of(place[1])
        moved = dict(wanted)
        for place in sorted(wanted):
            of, symbol = number[place[0]], place[1]
            cost = bare[self.options[place]]
            for to, account in enumerate(accounts):
                other = account, symbol
                row = self.options.get(other)
                if spare[of] >= 0 or spare[to] <= 0 or row is None or bare[row] > cost:
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
        problem, accounts = self.layout.problem, self.layout.accounts
        lots, twin_of = problem.lots, problem.groups.twin[problem.places.group]
        is_sold = sold > 0
        lost = np.unique(twin_of[lots.place[is_sold & lots.is_loss]]).tolist()
        places = np.unique(lots.place[is_sold])
        here = zip(problem.places.account[places].tolist(), twin_of[places].tolist(), strict=True)
        return {
            *((account, twin) for account in accounts for twin in lost),
            *((accounts[row], twin) for row, twin in here),
        }

    def _twin(self, option: int) -> int:
        problem = self.layout.problem
        return int(problem.groups.twin[problem.places.group[problem.options.place[option]]])

    def _purchases(
        self, wanted: Mapping[Place, Money], sales: Sequence[Order], free: Mapping[int, Money]
    ) -> dict[Place, Order]:
        """Whole steps of what is *wanted*, the largest first, within each account's cash."""
        cash = dict(free)
        for sale in sales:
            cash[sale.account] += sale.steps * sale.unit
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

    def _further(
        self, barred: set[tuple[str, int]], purchases: Mapping[Place, Order]
    ) -> dict[Place, Order]:
        """What else may be bought beside *purchases*, none of it so far, for the odd dollars.

        Only of their classes: what is bought of another one today may be sold again next month. And
        no member beside the one that is named first where that one may be bought.
        """
        classes = {order.of_class for order in purchases.values()}
        further = {
            place: self._purchase(place)._replace(is_further=True)
            for place, row in self.options.items()
            if place not in purchases
            and (place[0], self._twin(row)) not in barred
            and self._first_named(place, barred) == place
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


def _extended(
    sales: Sequence[Order], account: int, short: Money, turnover_left: float
) -> tuple[int, int] | None:
    """The sale that brings what is *short* with the least beyond it, or the most of it."""
    found: list[tuple[Money, int, int]] = []
    for number, order in enumerate(sales):
        most = order.most
        if turnover_left < np.inf:
            most = min(most, order.steps + int(max(0.0, turnover_left) / -order.worth))
        if order.account != account or order.steps >= most:
            continue
        steps = ceil(short / order.unit)
        steps = min(max(steps, order.least - order.steps), most - order.steps)
        if order.steps + steps < order.least and order.steps + steps != order.whole:
            continue
        found.append((abs(steps * order.unit - short), number, steps))
    return min(found)[1:] if found else None
