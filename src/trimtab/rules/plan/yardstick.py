"""A plan's sales against the household's year: what it would cost to sell something else instead.

The tax of another lot is counted with all the plan's other sales held fixed, so that the netting of
the year, its carryovers and the yearly limit on losses are in it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from trimtab.domain.history import HOUSEHOLD
from trimtab.domain.numbers import ZERO, Money, Quantity, Weight, share_of
from trimtab.domain.trades import LotPick, Side, Term, Trade
from trimtab.domain.values import Account, Lot, Snapshot, trade_date
from trimtab.rules.plan.bars import Bars
from trimtab.rules.plan.kept import KeptLots
from trimtab.rules.plan.planning import Planning
from trimtab.rules.tax.books import piece_id
from trimtab.rules.tax.grouping import group_names
from trimtab.rules.tax.lots import rate_of, term_of
from trimtab.rules.tax.saving import YearToDate, tax_of

Place = tuple[str, str]


class Gains(NamedTuple):
    """Gains by term; negative for losses."""

    short: Money = ZERO
    long: Money = ZERO

    def times(self, part: Weight) -> "Gains":
        """That part of both."""
        return Gains(self.short * part, self.long * part)

    @property
    def total(self) -> Money:
        """Both together."""
        return self.short + self.long


class Yardstick:
    """The household of a snapshot and the plan's trades, laid out to measure other choices with."""

    def __init__(self, snapshot: Snapshot, planning: Planning, trades: Sequence[Trade]) -> None:
        """Lay out *trades* over *snapshot*, whose lots are those that the plan was made from."""
        self.snapshot, self.planning = snapshot, planning
        self.trades = tuple(_by_piece(trade) for trade in trades)
        self.today = trade_date(snapshot.at)
        self.lots: Mapping[str, Lot] = {lot.id: lot for lot in snapshot.lots}
        self.left: dict[str, Quantity] = {lot.id: lot.quantity for lot in snapshot.lots}
        for trade in trades:
            for pick in trade.lots:
                self.left[piece_id(pick)] -= pick.quantity
        self.picked = {piece_id(pick) for trade in trades for pick in trade.lots}
        self.bars = Bars(self.trades, snapshot, planning)
        self.kept = KeptLots(snapshot, planning)
        self._groups = group_names(planning.wash)
        self._held: dict[Place, list[Lot]] = defaultdict(list)
        self._held_of: dict[str, list[Lot]] = defaultdict(list)
        for lot in snapshot.lots:
            self._held[lot.account, lot.symbol].append(lot)
            self._held_of[lot.symbol].append(lot)
        self._rates: dict[str, Weight] = {}
        self._year = planning.year
        for trade in trades:
            if trade.side is Side.SELL and self._is_ours(trade.account):
                self._year = _after(self._year, self.gains_of(trade))
        self._tax = self._tax_of(self._year)

    def account(self, name: str) -> Account:
        """The account of that name."""
        return self.snapshot.accounts[name]

    def held(self, account: str, symbol: str) -> list[Lot]:
        """The lots of one place before the plan, the oldest first."""
        return sorted(self._held.get((account, symbol), ()), key=lambda lot: lot.age)

    def held_of(self, symbols: Iterable[str]) -> list[Lot]:
        """The lots of *symbols* in every account before the plan."""
        return [lot for symbol in symbols for lot in self._held_of.get(symbol, ())]

    def gains_of(self, trade: Trade, picks: Sequence[LotPick] | None = None) -> Gains:
        """What the lots of a sale realize, or those of *picks* at its price and cost."""
        taken = trade.lots if picks is None else picks
        return _sum(
            self.gain_of(
                self.lots[piece_id(pick)],
                pick.quantity,
                share_of(trade.value - trade.cost, pick.quantity, trade.quantity),
            )
            for pick in taken
        )

    def gain_of(self, lot: Lot, quantity: Quantity, proceeds: Money) -> Gains:
        """What so many units of *lot* realize for *proceeds*; nothing in an untaxed account."""
        if not self.account(lot.account).kind.is_taxed:
            return Gains()
        gain = proceeds - share_of(lot.basis, quantity, lot.quantity)
        is_short = term_of(lot.holding_since, self.today) is Term.SHORT
        return Gains(short=gain) if is_short else Gains(long=gain)

    def dearer(self, account: str, removed: Gains, added: Gains) -> Money:
        """By how much the tax changes when *added* gains take the place of the plan's *removed*.

        By the household's year; a child or another owner has a year that nobody told, and counts
        at the household's marginal rates.
        """
        change = Gains(added.short - removed.short, added.long - removed.long)
        if not self._is_ours(account):
            tax = self.planning.tax
            return change.short * tax.short_term_rate + change.long * tax.long_term_rate
        return self._tax_of(_after(self._year, change)) - self._tax

    def group(self, symbol: str) -> str:
        """The name of what is substantially identical to *symbol*."""
        return self._groups.get(symbol, symbol)

    def rate(self, lot: Lot) -> Weight:
        """Tax per unit of money of selling *lot*, at the marginal rate of its term."""
        known = self._rates.get(lot.id)
        if known is None:
            known = self._rates[lot.id] = self._rate(lot)
        return known

    def _rate(self, lot: Lot) -> Weight:
        bid = self.snapshot.quotes[lot.symbol].bid
        if not self.account(lot.account).kind.is_taxed or bid <= 0:
            return ZERO
        rate = rate_of(lot.holding_since, self.today, self.planning.tax)
        return (bid - lot.unit_cost) / bid * rate

    def _is_ours(self, account: str) -> bool:
        return self.planning.taxpayers.get(account, HOUSEHOLD) == HOUSEHOLD

    def _tax_of(self, year: YearToDate) -> Money:
        planning = self.planning
        rate = planning.harvest.discount_rate
        return tax_of(year, planning.tax, planning.statutes, rate)


def _by_piece(trade: Trade) -> Trade:
    """*trade* with the names that the snapshot gives to its lots."""
    picks = tuple(LotPick(lot_id=piece_id(pick), quantity=pick.quantity) for pick in trade.lots)
    return replace(trade, lots=picks)


def _sum(gains: Iterable[Gains]) -> Gains:
    short = long = ZERO
    for one in gains:
        short, long = short + one.short, long + one.long
    return Gains(short, long)


def _after(year: YearToDate, gains: Gains) -> YearToDate:
    return year.after(Term.SHORT, gains.short).after(Term.LONG, gains.long)
