"""What each trade is for, what it realizes and owes, and why, in one plain sentence."""

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import cached_property

from msgspec.structs import replace

from trimtab.domain.numbers import CENT, ZERO, Money
from trimtab.domain.policy import LotMethod
from trimtab.domain.trades import BandState, Drift, Motive, Side, Trade
from trimtab.domain.values import Account, Lot, Relief, Snapshot, trade_date
from trimtab.rules.holdings import kept_in_cash
from trimtab.rules.plan.bars import Bars, sold_lots, told_bars
from trimtab.rules.plan.lot_order import method_of
from trimtab.rules.plan.motives import Key, Motives, key_of, saves
from trimtab.rules.plan.planning import Planning
from trimtab.rules.plan.taxed import with_taxes
from trimtab.rules.words import listing, money, percent, points

ORDERS: Mapping[LotMethod, str] = {
    "fifo": "first in, first out",
    "lifo": "last in, first out",
    "hifo": "highest cost first",
    "specified": "the lots that the policy names, in their order",
}
"""How a sale takes its lots, in words."""
_NO_POINTS = points(ZERO)


def with_reasons(
    trades: Sequence[Trade], snapshot: Snapshot, planning: Planning
) -> tuple[Trade, ...]:
    """*trades* with what they realize and owe, what they are done for, and why."""
    lots = sold_lots(trades, snapshot)
    taxed, this_year = with_taxes(trades, snapshot, planning, lots)
    teller = Teller(taxed, snapshot, planning, lots, this_year)
    motives = teller.motives
    return tuple(
        replace(trade, motive=motives.of(trade), reason=teller.reason(trade)) for trade in taxed
    )


class Teller:
    """Says of each trade of a plan what it is for, with the whole plan at hand."""

    def __init__(
        self,
        trades: Sequence[Trade],
        snapshot: Snapshot,
        planning: Planning,
        lots: Mapping[str, Lot] | None = None,
        this_year: Mapping[Key, Money] | None = None,
    ) -> None:
        """All of the plan's trades, taxed, and the *lots* that they sell where they are at hand.

        *this_year* is what of a sale's tax falls into this year, where that is not all of it.
        """
        self.trades, self.snapshot, self.planning = trades, snapshot, planning
        self.drifts = {drift.asset_class: drift for drift in planning.drifts}
        self.bars = Bars(trades, snapshot, planning, lots)
        self._this_year = this_year or {}

    @cached_property
    def motives(self) -> Motives:
        """What each trade is done for."""
        return Motives(self.trades, self.snapshot, self.planning)

    def reason(self, trade: Trade) -> str:
        """Why, in one sentence."""
        if trade.side is Side.BUY:
            return f"{self._why_bought(trade)}."
        return f"{self._why_sold(trade)}; {self._owed(trade)}."

    # -------------------------------------------------------------- sales

    def _why_sold(self, trade: Trade) -> str:
        raised = self.motives.raised.get(key_of(trade), ZERO)
        match self.motives.of(trade):
            case Motive.HARVEST:
                kept = _keeps(self._replacing(trade))
                text = f"its loss is taken while {kept} the place of {trade.symbol}"
                text += self._with_recent(trade)
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
        substitutes = self._replacing(trade) if is_loss else []
        elsewhere = sorted({one.account for one in self._others(trade)} - {trade.account})
        if substitutes:
            text += f"; its loss is taken, and {_keeps(substitutes)} the place of a part of it"
            text += self._with_recent(trade)
        elif drift.drift < 0 and elsewhere:
            bought = f"{trade.asset_class} is bought in {listing(elsewhere)} instead"
            pays = f"its sale here pays for {self._paid_for(trade)}"
            return f"{bought}, and {pays}: no cash moves between accounts"
        elif drift.state is not BandState.CORRECTING or drift.drift <= 0:
            worth = "its loss is worth more, and pays for" if is_loss else "its sale pays for"
            text += f"; {worth} {self._paid_for(trade)}"
        return text

    def _with_recent(self, trade: Trade) -> str:
        """That units go with a loss because they would wash it if they stayed."""
        taxpayer = self.planning.taxpayers[trade.account]
        sold = {(trade.account, pick.lot_id) for pick in trade.lots}
        recent = self.planning.recent.get((taxpayer, trade.symbol), ())
        days = sorted({str(one.acquired) for one in recent if one.lots < sold})
        if not days:
            return ""
        return f"; the units bought on {listing(days)} go first, which would replace the loss"

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
        tax = f"{money(abs(trade.tax), currency)} of tax{self._of_this_year(trade)}"
        return f"{order}: {realized}, which {effect} {tax}{again}"

    def _of_this_year(self, trade: Trade) -> str:
        """How much of a sale's tax falls into this year, where a carryover puts some of it off."""
        now = self._this_year.get(key_of(trade))
        if now is None:
            return ""
        if abs(now) < CENT:
            return ", none of it this year"
        if 0 < now / trade.tax <= 1:
            return f", {money(abs(now), self.snapshot.base_currency)} of it this year"
        return ", over this year and those to come"

    def _order_of(self, account: Account) -> str:
        """Why it is these lots that a sale in *account* takes."""
        method = method_of(account, self.planning.policy.orders.lot_method)
        if method == "min_tax":
            return "these lots cost the least tax that the account allows"
        if account.relief is not Relief.SPECIFIC:
            return f"{ORDERS[method]}, as the account's broker books them"
        if method == "specified":
            return ORDERS[method]
        return f"{ORDERS[method]}, as the policy says"

    def _again(self, trade: Trade) -> str:
        """What may wash a part of a loss on days that nobody can name."""
        accounts = self._reinvested.get(self.bars.named(trade.symbol), set())
        if not accounts or self.planning.wash.is_exempt(trade.symbol, self._today):
            return ""
        return f"; dividends reinvested in {listing(sorted(accounts))} may wash a part of it"

    # -------------------------------------------------------------- purchases

    def _why_bought(self, trade: Trade) -> str:
        drift, sold = self.drifts[trade.asset_class], set[str]()
        motive = self.motives.of(trade)
        match motive:
            case Motive.HARVEST:
                sold = {one.symbol for one in self._alike(trade) if saves(one)}
                text = f"it keeps the place of {listing(sorted(sold))}, whose loss is taken"
            case Motive.LOCATION:
                text = (
                    f"{trade.asset_class} moves to {trade.account}, where its income is taxed less"
                )
            case _:
                text = self._stands[trade.asset_class]
                if drift.drift >= 0:
                    text = self._why_heavier(trade)
                elif motive is Motive.CASH:
                    text += "; idle cash of this account buys what is light"
        passed_over = self._passed_over(trade, sold)
        if passed_over:
            text += f"; {trade.symbol} is bought instead because {passed_over}"
        return text

    def _why_heavier(self, trade: Trade) -> str:
        """Why a class that is not light is bought all the same."""
        sold, name = {one.account for one in self._others(trade)}, trade.asset_class
        if trade.account in sold:
            return f"it takes the place of a part of the {name} that is sold here"
        if sold:
            place = f"it takes the place of a part of the {name} that is sold in"
            return f"{place} {listing(sorted(sold))}: no cash moves between accounts"
        stands = self._stands[name]
        if self.planning.due or self.planning.coming or self._short:
            return f"{stands}, and falls short of it once the cash is counted"
        return f"{stands}; its band has room for cash that no lighter class can take here"

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
            and (bar := self.bars.bar_of(symbol, account)) is not None
        ]
        known = {f"{symbol} is sold at a loss in this plan" for symbol in sold}
        return told_bars([(symbol, bar) for symbol, bar in bars if bar.because not in known])

    # -------------------------------------------------------------- what is known of the whole

    def _others(self, trade: Trade) -> list[Trade]:
        return [one for one in self._of_class[trade.asset_class] if one.side is not trade.side]

    def _alike(self, trade: Trade) -> list[Trade]:
        """The other side of *trade*'s class in the same hands, under other symbols.

        They can take its place while its loss is taken; what another taxpayer trades cannot.
        """
        payers = self.planning.taxpayers
        return [
            one
            for one in self._others(trade)
            if payers[one.account] == payers[trade.account] and one.symbol != trade.symbol
        ]

    def _replacing(self, trade: Trade) -> list[str]:
        """The symbols that keep the place of one that is sold."""
        return sorted({one.symbol for one in self._alike(trade)})

    @cached_property
    def _stands(self) -> dict[str, str]:
        """Where each class stands."""
        targets = {drift.target for drift in self.planning.drifts}
        told = {target: percent(target) for target in targets}
        return {
            name: _stands(drift, told[drift.target], self.snapshot.base_currency)
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
    def _reinvested(self) -> dict[str, set[str]]:
        """The accounts in which dividends buy more, by what is held there."""
        found: dict[str, set[str]] = {}
        accounts = self.snapshot.accounts
        if not any(account.reinvests for account in accounts.values()):
            return found
        for lot in self.snapshot.lots:
            if accounts[lot.account].reinvests:
                found.setdefault(self.bars.named(lot.symbol), set()).add(lot.account)
        return found

    @cached_property
    def _short(self) -> dict[str, Money]:
        """What each account lacks of the cash that is to stay in it."""
        kept = kept_in_cash(self.snapshot, self.planning.policy)
        for balance in self.snapshot.balances:
            if balance.currency == self.snapshot.base_currency:
                kept[balance.account] -= balance.amount
        return {account: amount for account, amount in kept.items() if amount > 0}

    @cached_property
    def _today(self) -> dt.date:
        return trade_date(self.snapshot.at)


def _stands(drift: Drift, target: str, currency: str) -> str:
    """How far a class is from its target; in money where that is no tenth of a point."""
    away, side = points(abs(drift.drift)), "below" if drift.drift < 0 else "above"
    if away == _NO_POINTS and drift.weight > 0:
        amount = abs(drift.value * drift.drift / drift.weight)
        away = money(amount, currency) if amount >= CENT else _NO_POINTS
    where = f"{away} {side}" if away != _NO_POINTS else "at"
    weight = percent(drift.weight)
    return f"{drift.asset_class} is {weight} of the savings, {where} its target of {target}"


def _keeps(symbols: list[str]) -> str:
    return f"{listing(symbols)} {'keeps' if len(symbols) == 1 else 'keep'}"
