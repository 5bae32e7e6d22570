"""What each trade is for, what it realizes and owes, and why, in one plain sentence."""

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from msgspec.structs import replace

from trimtab.domain.numbers import BASIS_POINT, CENT, ONE, ZERO, Money
from trimtab.domain.policy import LotMethod
from trimtab.domain.trades import BandState, Drift, Motive, Side, Trade
from trimtab.domain.values import Account, Lot, Relief, Snapshot, trade_date
from trimtab.rules.holdings import holdings, reserves
from trimtab.rules.plan.motives import Motives, key_of, saves
from trimtab.rules.plan.permitted import method_of
from trimtab.rules.plan.planning import Planning
from trimtab.rules.plan.taxed import with_taxes
from trimtab.rules.tax.grouping import group_names
from trimtab.rules.words import listing, money, percent, points

_ORDERS: Mapping[LotMethod, str] = {
    "fifo": "first in, first out",
    "lifo": "last in, first out",
    "hifo": "highest cost first",
    "specified": "the lots that the policy names, in their order",
}
_NO_POINTS = points(ZERO)


class Bar(NamedTuple):
    """What forbids buying a symbol, and the day from which it may be bought again, if known."""

    because: str
    until: dt.date | None = None


def with_reasons(
    trades: Sequence[Trade], snapshot: Snapshot, planning: Planning
) -> tuple[Trade, ...]:
    """*trades* with what they realize and owe, what they are done for, and why."""
    lots = _sold(trades, snapshot)
    taxed = with_taxes(trades, snapshot, planning, lots)
    teller = Teller(taxed, snapshot, planning, lots)
    motives = teller.motives
    return tuple(
        replace(trade, motive=motives.of(trade), reason=teller.reason(trade)) for trade in taxed
    )


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


class Teller:
    """Says of each trade of a plan what it is for, with the whole plan at hand."""

    def __init__(
        self,
        trades: Sequence[Trade],
        snapshot: Snapshot,
        planning: Planning,
        lots: Mapping[str, Lot] | None = None,
    ) -> None:
        """All of the plan's trades, taxed, and the *lots* that they sell where they are at hand."""
        self.trades, self.snapshot, self.planning = trades, snapshot, planning
        self.drifts = {drift.asset_class: drift for drift in planning.drifts}
        self._lots_at_hand = lots

    @cached_property
    def motives(self) -> Motives:
        """What each trade is done for."""
        return Motives(self.trades, self.snapshot, self.planning)

    def reason(self, trade: Trade) -> str:
        """Why, in one sentence."""
        if trade.side is Side.BUY:
            return f"{self._why_bought(trade)}."
        return f"{self._why_sold(trade)}; {self._owed(trade)}."

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

    # -------------------------------------------------------------- sales

    def _why_sold(self, trade: Trade) -> str:
        raised = self.motives.raised.get(key_of(trade), ZERO)
        match self.motives.of(trade):
            case Motive.HARVEST:
                bought = listing(sorted({one.symbol for one in self._others(trade)}))
                text = f"its loss is taken while {bought} keeps the place of {trade.symbol}"
            case Motive.CASH:
                return self._why_raised(trade.account)
            case Motive.LOCATION:
                homes = listing(sorted({one.account for one in self._others(trade)}))
                text = f"{trade.asset_class} moves to {homes}, where its income is taxed less"
            case Motive.DRIFT:
                text = self._why_drifted(trade)
        return f"{text}{self._for_cash(trade.account, raised)}"

    def _why_drifted(self, trade: Trade) -> str:
        drift = self.drifts[trade.asset_class]
        text, is_loss = self._stands[trade.asset_class], saves(trade)
        substitutes = {one.symbol for one in self._others(trade)} if is_loss else set()
        if substitutes:
            bought = listing(sorted(substitutes))
            text += f"; its loss is taken, and {bought} keeps the place of a part of it"
        elif drift.state is not BandState.CORRECTING or drift.drift <= 0:
            worth = "its loss is worth more, and pays for" if is_loss else "its sale pays for"
            text += f"; {worth} {self._paid_for(trade)}"
        return text

    def _why_raised(self, account: str) -> str:
        due, short = self.planning.due.get(account, ZERO), self._short.get(account, ZERO)
        currency = self.snapshot.base_currency
        lacks = f"lacks {money(short, currency)} of the cash that is to stay there"
        if due <= 0:
            text = f"{account} {lacks}"
        else:
            text = f"{money(due, currency)} are to leave {account}"
            if short > 0:
                text += f", which {lacks}"
        return f"{text}, and this is the cheapest way to raise it"

    def _for_cash(self, account: str, raised: Money) -> str:
        """That a part of a sale with another motive stays in cash."""
        if raised < CENT:
            return ""
        amount = money(raised, self.snapshot.base_currency)
        due = self.planning.due.get(account, ZERO)
        short = self._short.get(account, ZERO)
        if due <= 0:
            return f"; {amount} of it fill the cash that is to stay in {account}"
        if short <= 0:
            return f"; {amount} of it are to leave {account}"
        return f"; {amount} of it are to leave {account} or to stay there in cash"

    def _paid_for(self, trade: Trade) -> str:
        """What the sale of a class that is not too heavy pays for, in its own account."""
        bought = [
            one for one in self.trades if one.side is Side.BUY and one.account == trade.account
        ]
        names = sorted({one.asset_class for one in bought} - {trade.asset_class})
        if names:
            return listing(names)
        if bought:
            return listing(sorted({one.symbol for one in bought}))
        return "what is light" if self._waits() else "the cash that is lacking"

    def _waits(self) -> bool:
        """Whether purchases may follow that this plan does not have yet."""
        return self.planning.policy.orders.unsettled == "wait"

    def _owed(self, trade: Trade) -> str:
        account = self.snapshot.accounts[trade.account]
        if not account.kind.is_taxed:
            return "a sale in this account is not taxed"
        order = self._order_of(account)
        if abs(trade.gain) < CENT:
            return f"{order}: neither a gain nor a loss, free of tax"
        currency, is_loss = self.snapshot.base_currency, trade.gain < 0
        realized = f"a {'loss' if is_loss else 'gain'} of {money(abs(trade.gain), currency)}"
        again = self._again(trade) if is_loss else ""
        if not is_loss and abs(trade.tax) < CENT:
            return f"{order}: {realized}, free of tax"
        effect = "saves" if trade.tax < 0 else "costs"
        return (
            f"{order}: {realized}, which {effect} {money(abs(trade.tax), currency)} of tax{again}"
        )

    def _order_of(self, account: Account) -> str:
        """Why it is these lots that a sale in *account* takes."""
        method = method_of(account, self.planning.policy.orders.lot_method)
        if method == "min_tax":
            return "these lots cost the least tax that the account allows"
        if account.relief is not Relief.SPECIFIC:
            return f"{_ORDERS[method]}, as the account's broker books them"
        if method == "specified":
            return _ORDERS[method]
        return f"{_ORDERS[method]}, as the policy says"

    def _again(self, trade: Trade) -> str:
        """What may wash a part of a loss on days that nobody can name."""
        accounts = self._reinvested.get(self.named(trade.symbol), set())
        if not accounts or self.planning.wash.is_exempt(trade.symbol, self._today):
            return ""
        return f"; dividends reinvested in {listing(sorted(accounts))} may wash a part of it"

    # -------------------------------------------------------------- purchases

    def _why_bought(self, trade: Trade) -> str:
        drift, sold = self.drifts[trade.asset_class], set[str]()
        motive = self.motives.of(trade)
        match motive:
            case Motive.HARVEST:
                sold = {one.symbol for one in self._others(trade) if saves(one)}
                text = f"it keeps the place of {listing(sorted(sold))}, whose loss is taken"
            case Motive.LOCATION:
                text = (
                    f"{trade.asset_class} moves to {trade.account}, where its income is taxed less"
                )
            case _:
                text = self._stands[trade.asset_class]
                if drift.drift >= 0:
                    text += self._why_heavier(trade)
                elif motive is Motive.CASH:
                    text += "; idle cash of this account buys what is light"
        passed_over = self._passed_over(trade, sold)
        if passed_over:
            text += f"; {trade.symbol} is bought instead because {passed_over}"
        return text

    def _why_heavier(self, trade: Trade) -> str:
        """Why a class that is not light is bought all the same."""
        sold = sorted({one.account for one in self._others(trade)})
        if sold:
            return f", and this takes the place of what is sold of it in {listing(sold)}"
        if self.planning.due or self.planning.coming or self._short:
            return ", and falls short of it once the cash is counted"
        return "; its band has room for cash that no lighter class can take here"

    def _passed_over(self, trade: Trade, sold: set[str]) -> str:
        """Why the members of the class that are named before this one may not be bought.

        That the plan sells those of *sold* at a loss needs no second word.
        """
        members = self.planning.policy.classes[trade.asset_class].members
        if members[0] == trade.symbol:
            return ""
        account = self.snapshot.accounts[trade.account]
        bars = [
            (symbol, bar)
            for symbol in members[: members.index(trade.symbol)]
            if symbol in self.snapshot.instruments
            and (bar := self.bar_of(symbol, account)) is not None
        ]
        known = {f"{symbol} is sold at a loss in this plan" for symbol in sold}
        return told_bars([(symbol, bar) for symbol, bar in bars if bar.because not in known])

    def _limit_of(self, symbol: str) -> Bar | None:
        """That *symbol* is as large a part of the savings as the policy lets it be."""
        limit = self.planning.policy.plan.holdings_max.get(symbol)
        if limit is None:
            return None
        snapshot, orders = self.snapshot, self.planning.policy.orders
        held = sum((lot.quantity for lot in snapshot.lots if lot.symbol == symbol), ZERO)
        for one in self.trades:
            if one.symbol == symbol:
                held += one.quantity if one.side is Side.BUY else -one.quantity
        price = snapshot.price(symbol)
        room = limit * self._total - held * price
        step = snapshot.instruments[symbol].step * price
        if room >= max(step, orders.minimum, CENT):
            return None
        return Bar(f"{symbol} may be {percent(limit)} of the savings at most")

    # -------------------------------------------------------------- what is known of the whole

    def _others(self, trade: Trade) -> list[Trade]:
        return [one for one in self._of_class[trade.asset_class] if one.side is not trade.side]

    @cached_property
    def _stands(self) -> dict[str, str]:
        """Where each class stands."""
        targets = {drift.target for drift in self.planning.drifts}
        told = {target: percent(target) for target in targets}
        return {
            name: _stands(drift, told[drift.target])
            for name, drift in self.drifts.items()
            if name in self._of_class
        }

    @cached_property
    def _of_class(self) -> dict[str, list[Trade]]:
        of_class: dict[str, list[Trade]] = {}
        for trade in self.trades:
            of_class.setdefault(trade.asset_class, []).append(trade)
        return of_class

    @cached_property
    def _names(self) -> dict[str, str]:
        return group_names(self.planning.wash)

    @cached_property
    def _lots(self) -> Mapping[str, Lot]:
        known = self._lots_at_hand
        return _sold(self.trades, self.snapshot) if known is None else known

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
    def _reinvested(self) -> dict[str, set[str]]:
        """The accounts in which dividends buy more, by what is held there."""
        found: dict[str, set[str]] = {}
        accounts = self.snapshot.accounts
        if not any(account.reinvests for account in accounts.values()):
            return found
        for lot in self.snapshot.lots:
            if accounts[lot.account].reinvests:
                found.setdefault(self.named(lot.symbol), set()).add(lot.account)
        return found

    @cached_property
    def _short(self) -> dict[str, Money]:
        """What each account lacks of the cash that is to stay in it."""
        kept = reserves(self.planning.policy, self.snapshot.accounts)
        for balance in self.snapshot.balances:
            if balance.currency == self.snapshot.base_currency:
                kept[balance.account] -= balance.amount
        return {account: amount for account, amount in kept.items() if amount > 0}

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


def _stands(drift: Drift, target: str) -> str:
    away = points(abs(drift.drift))
    where = f"{away} {'below' if drift.drift < 0 else 'above'}" if away != _NO_POINTS else "at"
    weight = percent(drift.weight)
    return f"{drift.asset_class} is {weight} of the savings, {where} its target of {target}"


def _sold(trades: Sequence[Trade], snapshot: Snapshot) -> dict[str, Lot]:
    """The lots that *trades* sell, by id."""
    ids = {pick.lot_id for trade in trades for pick in trade.lots}
    return {lot.id: lot for lot in snapshot.lots if lot.id in ids}
