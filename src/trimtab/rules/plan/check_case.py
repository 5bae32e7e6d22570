"""What a plan is checked against, laid out once for every rule of `check`."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from trimtab.domain.numbers import BASIS_POINT, DUST, ONE, ZERO, Money, Price, Quantity
from trimtab.domain.trades import LotPick, Side, Trade
from trimtab.domain.values import Lot, LotPiece, Snapshot, trade_date
from trimtab.rules.tax.grouping import group_names

if TYPE_CHECKING:
    from trimtab.rules.plan.planning import Planning

Place = tuple[str, str]
"""An account and a symbol held in it."""


class Case(NamedTuple):
    """What the rules are asked about: the trades, the lots by id, and those of the traded places.

    `groups` names what counts as substantially identical, for every symbol that is not alone.
    """

    snapshot: Snapshot
    planning: "Planning"
    trades: tuple[Trade, ...]
    sales: tuple[Trade, ...]
    purchases: tuple[Trade, ...]
    lots: Mapping[str, Lot]
    places: Mapping[Place, list[Lot]]
    groups: Mapping[str, str]

    def held(self, trade: Trade) -> Quantity:
        """Units there are of what *trade* is about, in its account."""
        return sum_of(lot.quantity for lot in self.places[place_of(trade)])

    def is_whole(self, trade: Trade) -> bool:
        """Whether *trade* sells all that there is, the dust below a step as well."""
        return trade.side is Side.SELL and trade.quantity == self.held(trade)

    def group(self, symbol: str) -> str:
        """The name of all that section 1091 takes for the same as *symbol*."""
        return self.groups.get(symbol, symbol)

    def limit(self, trade: Trade) -> Price:
        """The worst price at which *trade* may be filled."""
        quote = self.snapshot.quotes[trade.symbol]
        slippage = self.planning.policy.orders.slippage_max_bps * BASIS_POINT
        if trade.side is Side.BUY:
            return quote.ask * (ONE + slippage)
        return quote.bid * (ONE - slippage)

    def cash(self, trade: Trade) -> Money:
        """What *trade* moves at its limit, fees counted: negative for a purchase."""
        expected = self.planning.policy.orders.fee_buffer_bps * BASIS_POINT * trade.value
        value = trade.quantity * self.limit(trade)
        return (value if trade.side is Side.SELL else -value) - max(expected, trade.cost)

    def losses(self) -> list[tuple[Trade, Lot]]:
        """Lots of which a sale at its limit could realize a loss that section 1091 reaches."""
        today = trade_date(self.snapshot.at)
        return [
            (trade, lot)
            for trade in self.sales
            if self.snapshot.accounts[trade.account].kind.is_taxed
            and not self.planning.wash.is_exempt(trade.symbol, today)
            for pick in trade.lots
            if (lot := self.lots.get(name_of(pick))) is not None
            and self.cash(trade) * lot.quantity < (lot.basis - DUST) * trade.quantity
        ]


def case_of(snapshot: Snapshot, planning: "Planning", trades: tuple[Trade, ...]) -> Case:
    """*trades*, which are sorted, beside what they are checked against."""
    wash = planning.wash
    places: dict[Place, list[Lot]] = {place_of(trade): [] for trade in trades}
    for lot in snapshot.lots:
        if (lot.account, lot.symbol) in places:
            places[lot.account, lot.symbol].append(lot)
    return Case(
        snapshot=snapshot,
        planning=planning,
        trades=trades,
        sales=tuple(trade for trade in trades if trade.side is Side.SELL),
        purchases=tuple(trade for trade in trades if trade.side is Side.BUY),
        lots={lot.id: lot for lot in snapshot.lots},
        places=places,
        groups=group_names(replace(wash, groups=(*wash.groups, *planning.tax.identical))),
    )


def washing(case: Case) -> dict[tuple[str, str], list[str]]:
    """The purchases of this plan, and those to come by themselves, by taxpayer and group."""
    planning, found = case.planning, dict[tuple[str, str], list[str]]()
    for trade in case.purchases:
        key = (planning.taxpayers[trade.account], case.group(trade.symbol))
        found.setdefault(key, []).append(f"{trade.symbol} in {trade.account} in this plan")
    for one in case.snapshot.scheduled:
        key = (planning.taxpayers[one.account], case.group(one.symbol))
        text = f"{one.symbol} in {one.account} on {one.date}, as it is scheduled"
        found.setdefault(key, []).append(text)
    return found


def told(trade: Trade) -> str:
    """How a sentence begins that is about *trade*."""
    what = "sale" if trade.side is Side.SELL else "purchase"
    return f"The {what} of {trade.symbol} in {trade.account}"


def place_of(trade: Trade) -> Place:
    """Where *trade* is."""
    return trade.account, trade.symbol


def name_of(pick: LotPick) -> str:
    """The id of the lot, or the piece of one, that *pick* takes."""
    return f"{pick.lot_id}#{pick.piece}" if pick.piece else pick.lot_id


def root_of(lot: Lot) -> str:
    """The broker's name for the lot that *lot* is, or is a piece of."""
    return lot.lot_id if isinstance(lot, LotPiece) else lot.id


def sum_of(amounts: Iterable[Decimal]) -> Decimal:
    """Their sum, exact in the context of the caller."""
    return sum(amounts, ZERO)
