"""What a plan is checked against, laid out once for every rule of `check`."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from trimtab.domain.numbers import BASIS_POINT, ONE, ZERO, Money, Price, Quantity
from trimtab.domain.trades import LotPick, Side, Trade
from trimtab.domain.values import Lot, Relief, Snapshot, trade_date
from trimtab.rules.holdings import Holdings, class_of, holdings, kept_in_cash
from trimtab.rules.tax.grouping import group_names
from trimtab.rules.tax.locks import RecentPurchase

if TYPE_CHECKING:
    from trimtab.rules.plan.planning import Planning

Place = tuple[str, str]
"""An account and a symbol held in it."""


class Market(NamedTuple):
    """A symbol that is traded: its quote, its step, and the worst prices that an order may get.

    `group` names all that section 1091 takes for the same.
    """

    bid: Price
    ask: Price
    step: Quantity
    lowest: Price
    highest: Price
    group: str


class Line(NamedTuple):
    """One trade of the plan beside the facts about it.

    `value` is at its own price and `cash` what it moves at its limit, fees counted: negative for a
    purchase. `taken` are the units by name of lot that it names.
    """

    trade: Trade
    place: Place
    market: Market
    value: Money
    cash: Money
    taken: Mapping[str, Quantity]


class Case:
    """What the rules are asked about: the lines of a plan, and what the household holds there.

    `lots` are those of the places of which something is sold, by name; `bought_today` the places
    where something was bought earlier today. `kept` is the cash that stays in each account: its
    reserve, and what is due to be withdrawn.
    """

    def __init__(self, snapshot: Snapshot, planning: "Planning", trades: Sequence[Trade]) -> None:
        """*trades* are sorted, and each is in an account and of a symbol with a quote."""
        self.snapshot, self.planning, self.policy = snapshot, planning, planning.policy
        self.today = trade_date(snapshot.at)
        self.classes = class_of(self.policy)
        wash = planning.wash
        self.groups = group_names(replace(wash, groups=(*wash.groups, *planning.tax.identical)))
        self.kept = kept_in_cash(snapshot, self.policy)
        for account, amount in planning.due.items():
            self.kept[account] = self.kept.get(account, ZERO) + amount
        orders = self.policy.orders
        self.slippage = orders.slippage_max_bps * BASIS_POINT
        self.fee = orders.fee_buffer_bps * BASIS_POINT
        markets = {symbol: self.market(symbol) for symbol in {one.symbol for one in trades}}
        self.lines = [self._line(trade, markets[trade.symbol]) for trade in trades]
        self.sales = [line for line in self.lines if line.trade.side is Side.SELL]
        self.purchases = [line for line in self.lines if line.trade.side is Side.BUY]
        self.lots: dict[Place, dict[str, Lot]] = {line.place: {} for line in self.sales}
        self.twice: list[Lot] = []
        self.bought_today: set[Place] = set()
        self._sort(snapshot.lots)

    def _sort(self, lots: Iterable[Lot]) -> None:
        """One pass over all the lots, since a household may have thousands."""
        today, places = self.today, self.lots
        account = symbol = ""
        own: dict[str, Lot] | None = None
        for lot in lots:
            if lot.symbol != symbol or lot.account != account:
                account, symbol = lot.account, lot.symbol
                own = places.get((account, symbol))
            if own is not None:
                if lot.id in own:
                    self.twice.append(lot)
                own[lot.id] = lot
            if lot.acquired == today:
                self.bought_today.add((account, symbol))

    def _line(self, trade: Trade, market: Market) -> Line:
        value = trade.quantity * trade.price
        fees = max(self.fee * value, trade.cost)
        if trade.side is Side.SELL:
            cash = trade.quantity * market.lowest - fees
        else:
            cash = -trade.quantity * market.highest - fees
        taken: dict[str, Quantity] = {}
        for pick in trade.lots:
            name = name_of(pick)
            taken[name] = taken[name] + pick.quantity if name in taken else pick.quantity
        return Line(trade, (trade.account, trade.symbol), market, value, cash, taken)

    def market(self, symbol: str) -> Market:
        """The facts about *symbol*, which has a quote."""
        quote = self.snapshot.quotes[symbol]
        return Market(
            bid=quote.bid,
            ask=quote.ask,
            step=self.snapshot.instruments[symbol].step,
            lowest=quote.bid * (ONE - self.slippage),
            highest=quote.ask * (ONE + self.slippage),
            group=self.group(symbol),
        )

    def group(self, symbol: str) -> str:
        """The name of all that section 1091 takes for the same as *symbol*."""
        return self.groups.get(symbol, symbol)

    def held(self, place: Place) -> Quantity:
        """Units there are at *place*, of which something is sold."""
        return sum_of(lot.quantity for lot in self.lots[place].values())

    def relief(self, account: str) -> Relief:
        """Which lots the broker of *account* books."""
        return self.snapshot.accounts[account].relief

    @cached_property
    def holdings(self) -> Holdings:
        """The household by class, before the plan."""
        return holdings(self.snapshot, self.policy)

    @cached_property
    def moved(self) -> dict[str, Money]:
        """What the plan brings each account that it trades in, at the limits; spent: negative."""
        moved: dict[str, Money] = {}
        for line in self.lines:
            account = line.trade.account
            moved[account] = moved.get(account, ZERO) + line.cash
        return moved

    def cash(self, account: str) -> tuple[Money, Money]:
        """The base currency in *account*, all of it and what is settled."""
        own = [
            balance
            for balance in self.snapshot.balances
            if balance.account == account and balance.currency == self.snapshot.base_currency
        ]
        return sum_of(one.amount for one in own), sum_of(one.settled for one in own)

    @cached_property
    def washing(self) -> dict[tuple[str, str], list[str]]:
        """The purchases of this plan, and those to come by themselves, by taxpayer and group."""
        taxpayers, found = self.planning.taxpayers, dict[tuple[str, str], list[str]]()
        for line in self.purchases:
            key = taxpayers[line.trade.account], line.market.group
            text = f"{line.trade.symbol} in {line.trade.account} in this plan"
            found.setdefault(key, []).append(text)
        for one in self.snapshot.scheduled:
            key = (taxpayers[one.account], self.group(one.symbol))
            text = f"{one.symbol} in {one.account} on {one.date}, as it is scheduled"
            found.setdefault(key, []).append(text)
        return found

    def reaches(self, account: str, symbol: str) -> bool:
        """Whether section 1091 reaches a loss on *symbol* in *account* today."""
        is_taxed = self.snapshot.accounts[account].kind.is_taxed
        return is_taxed and not self.planning.wash.is_exempt(symbol, self.today)

    def sells_before(self, line: Line, recent: RecentPurchase, name: str) -> bool:
        """Whether a sale takes all units of a purchase before it takes those of lot *name*.

        One order's units do not replace each other, and one that is filled in part has sold these.
        """
        own = self.lots[line.place]
        lots = {lot.id: lot for lot in own.values() if recent.covers(lot.account, lot.root)}
        units = sum_of(lot.quantity for lot in lots.values())
        if recent.quantity is None or not lots or units < recent.quantity:
            return False
        before = takewhile(lambda one: one != name, line.taken)
        gone = {one for one in before if one in lots and line.taken[one] >= lots[one].quantity}
        return gone == lots.keys()

    def is_waiting(self, lot: Lot) -> bool:
        """Whether *lot* was paid with unsettled money that has not settled yet."""
        return lot.sellable_from is not None and self.today < lot.sellable_from

    def may_not_be_lost(self, lot: Lot) -> bool:
        """Whether *lot* stands at a loss, as the planner counts, that a purchase would wash."""
        taxpayer, symbol = self.planning.taxpayers[lot.account], lot.symbol
        recent = self.planning.recent.get((taxpayer, symbol), ())
        if not recent and (taxpayer, self.group(symbol)) not in self.washing:
            return False
        price = self.snapshot.quotes[symbol].bid * (ONE - self.slippage - self.fee)
        if not self.reaches(lot.account, symbol) or price * lot.quantity >= lot.basis:
            return False
        return (taxpayer, self.group(symbol)) in self.washing or any(
            not one.covers(lot.account, lot.root) for one in recent
        )


def told(trade: Trade) -> str:
    """How a sentence begins that is about *trade*."""
    what = "sale" if trade.side is Side.SELL else "purchase"
    return f"The {what} of {trade.symbol} in {trade.account}"


def name_of(pick: LotPick) -> str:
    """The id of the lot, or the piece of one, that *pick* takes."""
    return f"{pick.lot_id}#{pick.piece}" if pick.piece else pick.lot_id


def sum_of(amounts: Iterable[Decimal]) -> Decimal:
    """Their sum, exact in the context of the caller."""
    return sum(amounts, ZERO)
