"""What may not be bought once a plan is done, and from when it may be again."""

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from trimtab.domain.numbers import BASIS_POINT, CENT, ONE, ZERO, Money
from trimtab.domain.trades import Side, Trade
from trimtab.domain.values import Account, Lot, Snapshot, trade_date
from trimtab.rules.holdings import holdings
from trimtab.rules.plan.planning import Planning
from trimtab.rules.tax.grouping import group_names
from trimtab.rules.words import listing, percent


class Bar(NamedTuple):
    """What forbids buying a symbol, and the day from which it may be bought again, if known."""

    because: str
    until: dt.date | None = None


def told_bars(bars: Sequence[tuple[str, Bar]]) -> str:
    """Why symbols may not be bought, what is true of several of them once."""
    by_bar: dict[Bar, list[str]] = {}
    for symbol, bar in bars:
        by_bar.setdefault(bar, []).append(symbol)
    return "; ".join(
        because
        if until is None
        else f"{because}; {listing(symbols)} may be bought again from {until}"
        for (because, until), symbols in by_bar.items()
    )


class Bars:
    """Knows with the whole plan at hand what stands in the way of a purchase."""

    def __init__(
        self,
        trades: Sequence[Trade],
        snapshot: Snapshot,
        planning: Planning,
        lots: Mapping[str, Lot] | None = None,
    ) -> None:
        """All of the plan's trades, and the *lots* that they sell where they are at hand."""
        self.trades, self.snapshot, self.planning = trades, snapshot, planning
        self._lots_at_hand = lots

    def bar_of(self, symbol: str, account: Account) -> Bar | None:
        """What forbids buying *symbol* in *account* now."""
        planning = self.planning
        if symbol in planning.policy.orders.no_buy:
            return Bar(f"{symbol} is on the policy's no-buy list")
        taxpayer, name = planning.taxpayers[account.id], self.named(symbol)
        lock = planning.wash_locks.get((taxpayer, symbol))
        if lock is not None:
            sold = f"{lock.symbol} was sold at a loss in {lock.account} on {lock.sold}"
            return Bar(sold, lock.safe_from)
        if (account.id, name) in self._sold_today:
            return Bar(f"{self._sold_today[account.id, name]} was sold here today")
        if (taxpayer, name) in self._lost:
            return Bar(f"{self._lost[taxpayer, name]} is sold at a loss in this plan")
        if (account.id, name) in self._sold_here:
            return Bar(f"{self._sold_here[account.id, name]} is sold here")
        return self._limit_of(symbol)

    def named(self, symbol: str) -> str:
        """The name of all that counts as identical to *symbol*."""
        return self._names.get(symbol, symbol)

    def _limit_of(self, symbol: str) -> Bar | None:
        """That *symbol* is as large a part of the savings as the policy lets it be."""
        room = self.room_of(symbol)
        if room is None:
            return None
        policy, snapshot = self.planning.policy, self.snapshot
        step = snapshot.instruments[symbol].step * snapshot.price(symbol)
        if room >= max(step, policy.orders.minimum, CENT):
            return None
        limit = percent(policy.plan.holdings_max[symbol])
        return Bar(f"{symbol} may be {limit} of the savings at most")

    def room_of(self, symbol: str) -> Money | None:
        """How much more of *symbol* the policy's holdings_max lets; None where it has no limit."""
        limit = self.planning.policy.plan.holdings_max.get(symbol)
        if limit is None:
            return None
        snapshot = self.snapshot
        held = sum((lot.quantity for lot in snapshot.lots if lot.symbol == symbol), ZERO)
        for one in self.trades:
            if one.symbol == symbol:
                held += one.quantity if one.side is Side.BUY else -one.quantity
        return max(ZERO, limit * self._total - held * snapshot.price(symbol))

    @cached_property
    def _names(self) -> dict[str, str]:
        return group_names(self.planning.wash)

    @cached_property
    def _lots(self) -> Mapping[str, Lot]:
        known = self._lots_at_hand
        return sold_lots(self.trades, self.snapshot) if known is None else known

    @cached_property
    def _sold_here(self) -> dict[tuple[str, str], str]:
        return {
            (one.account, self.named(one.symbol)): one.symbol
            for one in self.trades
            if one.side is Side.SELL
        }

    @cached_property
    def _sold_today(self) -> dict[tuple[str, str], str]:
        return {
            (account, self.named(symbol)): symbol
            for account, symbol in sorted(self.planning.sold_today)
        }

    @cached_property
    def _lost(self) -> dict[tuple[str, str], str]:
        return {
            (self.planning.taxpayers[one.account], self.named(one.symbol)): one.symbol
            for one in self.trades
            if one.side is Side.SELL and self._may_lose(one)
        }

    @cached_property
    def _total(self) -> Money:
        """What the targets divide."""
        return holdings(self.snapshot, self.planning.policy).total

    @cached_property
    def _today(self) -> dt.date:
        return trade_date(self.snapshot.at)

    def _may_lose(self, trade: Trade) -> bool:
        """Whether a sale could realize a loss that section 1091 reaches, at its limit."""
        if not self.snapshot.accounts[trade.account].kind.is_taxed:
            return False
        if self.planning.wash.is_exempt(trade.symbol, self._today):
            return False
        rule = self.planning.policy.orders
        margin = (rule.slippage_max_bps + rule.fee_buffer_bps) * BASIS_POINT
        limit = self.snapshot.quotes[trade.symbol].bid * (ONE - margin)
        return any(limit < self._lots[pick.lot_id].unit_cost for pick in trade.lots)


def sold_lots(trades: Sequence[Trade], snapshot: Snapshot) -> dict[str, Lot]:
    """The lots that *trades* sell, by id."""
    ids = {pick.lot_id for trade in trades for pick in trade.lots}
    return {lot.id: lot for lot in snapshot.lots if lot.id in ids}
