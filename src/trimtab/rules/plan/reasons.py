"""What each trade is for, what it realizes and owes, and why, in one plain sentence."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from trimtab.domain.history import HOUSEHOLD
from trimtab.domain.numbers import BASIS_POINT, ONE, ZERO, Money, share_of
from trimtab.domain.policy import LotMethod
from trimtab.domain.trades import BandState, Motive, Side, Term, Trade
from trimtab.domain.values import Account, Lot, Relief, Snapshot, trade_date
from trimtab.rules.holdings import reserves
from trimtab.rules.plan.permitted import method_of
from trimtab.rules.plan.planning import Planning
from trimtab.rules.plan.year import drag
from trimtab.rules.tax.grouping import group_names
from trimtab.rules.tax.lots import term_of
from trimtab.rules.tax.saving import YearToDate, tax_of
from trimtab.rules.words import listing, money, percent, points

_ORDERS: Mapping[LotMethod, str] = {
    "fifo": "first in, first out",
    "lifo": "last in, first out",
    "hifo": "highest cost first",
    "specified": "the lots that the policy names, in their order",
}


def with_reasons(
    trades: Sequence[Trade], snapshot: Snapshot, planning: Planning
) -> tuple[Trade, ...]:
    """*trades* with what they realize and owe, what they are done for, and why.

    The tax of each sale is what it adds to the year after the sales before it, so that the taxes
    add up to that of the plan.
    """
    taxed = _taxed(trades, snapshot, planning)
    teller = Teller(taxed, snapshot, planning)
    told = [replace(trade, motive=teller.motive(trade)) for trade in taxed]
    return tuple(replace(trade, reason=teller.reason(trade)) for trade in told)


def _taxed(trades: Sequence[Trade], snapshot: Snapshot, planning: Planning) -> list[Trade]:
    sold = {pick.lot_id for trade in trades for pick in trade.lots}
    lots = {lot.id: lot for lot in snapshot.lots if lot.id in sold}
    year, taxed = planning.year, []
    before = _tax(year, planning)
    for trade in trades:
        if trade.side is Side.BUY or not snapshot.accounts[trade.account].kind.is_taxed:
            taxed.append(trade)
            continue
        gains = _gains(trade, lots, snapshot)
        gain = sum(gains.values(), ZERO)
        if planning.taxpayers[trade.account] == HOUSEHOLD:
            for term, part in gains.items():
                year = year.after(term, part)
            after = _tax(year, planning)
            owed, before = after - before, after
        else:
            owed = sum(
                (
                    part * (planning.tax.long_term_rate if term is Term.LONG else rate)
                    for rate in (planning.tax.short_term_rate,)
                    for term, part in gains.items()
                ),
                ZERO,
            )
        taxed.append(replace(trade, gain=gain, tax=owed))
    return taxed


def _tax(year: YearToDate, planning: Planning) -> Money:
    return tax_of(year, planning.tax, planning.statutes, planning.harvest.discount_rate)


def _gains(trade: Trade, lots: Mapping[str, Lot], snapshot: Snapshot) -> dict[Term, Money]:
    on = trade_date(snapshot.at)
    gains = {Term.SHORT: ZERO, Term.LONG: ZERO}
    for pick in trade.lots:
        lot = lots[pick.lot_id]
        proceeds = share_of(trade.value - trade.cost, pick.quantity, trade.quantity)
        basis = share_of(lot.basis, pick.quantity, lot.quantity)
        gains[term_of(lot.holding_since, on)] += proceeds - basis
    return gains


class Teller:
    """Says of each trade of a plan what it is for, with the whole plan at hand."""

    def __init__(self, trades: Sequence[Trade], snapshot: Snapshot, planning: Planning) -> None:
        """All of the plan's trades, taxed."""
        self.trades, self.snapshot, self.planning = trades, snapshot, planning
        self.drifts = {drift.asset_class: drift for drift in planning.drifts}
        self.names = group_names(planning.wash)
        sold = {pick.lot_id for trade in trades for pick in trade.lots}
        self.lots = {lot.id: lot for lot in snapshot.lots if lot.id in sold}
        self.of_class: dict[str, list[Trade]] = {}
        for trade in trades:
            self.of_class.setdefault(trade.asset_class, []).append(trade)
        sales = [trade for trade in trades if trade.side is Side.SELL]
        self.selling = {trade.account for trade in sales}
        self.sold: dict[tuple[str, str], str] = {}
        self.lost: dict[tuple[str, str], str] = {}
        for trade in sales:
            name = self.named(trade.symbol)
            self.sold[trade.account, name] = trade.symbol
            if self._may_lose(trade):
                self.lost[planning.taxpayers[trade.account], name] = trade.symbol
        self.sold_today = {
            (account, self.named(symbol)): symbol for account, symbol in sorted(planning.sold_today)
        }
        self._reinvested: dict[str, set[str]] | None = None
        self._drags: Money | None = None
        self.short = _short_of_reserve(snapshot, planning)

    def named(self, symbol: str) -> str:
        """The name of all that counts as identical to *symbol*."""
        return self.names.get(symbol, symbol)

    def motive(self, trade: Trade) -> Motive:
        """What *trade* is done for."""
        drift = self.drifts[trade.asset_class]
        same = self.of_class[trade.asset_class]
        others = [one for one in same if one.side is not trade.side]
        is_away = drift.drift > 0 if trade.side is Side.SELL else drift.drift < 0
        if self._is_harvest(trade, others, is_away=is_away):
            return Motive.HARVEST
        wanted = self._wanted(trade.account)
        if trade.side is Side.SELL and wanted > 0 and (not is_away or trade.value <= wanted):
            return Motive.CASH
        if others and not is_away and self._moves_home(trade, others):
            return Motive.LOCATION
        if is_away:
            return Motive.DRIFT
        is_paid_by_cash = trade.side is Side.BUY and trade.account not in self.selling
        return Motive.CASH if is_paid_by_cash else Motive.DRIFT

    def _is_harvest(self, trade: Trade, others: Sequence[Trade], *, is_away: bool) -> bool:
        """Whether a loss is taken and its place kept, by this trade as a part of both."""
        if trade.side is Side.SELL:
            return _saves(trade) and bool(others)
        losses = [one for one in others if _saves(one)]
        is_here = any(one.account == trade.account for one in losses)
        return bool(losses) and (is_here or not is_away)

    def _moves_home(self, trade: Trade, others: Sequence[Trade]) -> bool:
        """Whether the class leaves a taxed account for one that is not, by this trade, and it pays.

        A sale that takes a loss or raises cash has reasons of its own.
        """
        if drag(self.planning.policy.classes[trade.asset_class], self.planning) == 0:
            return False
        if self._moved_drag() >= 0:
            return False
        sides = [one for one in others if self._is_taxed(one) is not self._is_taxed(trade)]
        if trade.side is Side.SELL:
            return self._is_taxed(trade) and bool(sides)
        return not self._is_taxed(trade) and any(
            not _saves(one) and not self._wanted(one.account) for one in sides
        )

    def _is_taxed(self, trade: Trade) -> bool:
        return self.snapshot.accounts[trade.account].kind.is_taxed

    def _wanted(self, account: str) -> Money:
        """Cash to raise in an account: what is due, and what its reserve lacks."""
        return self.planning.due.get(account, ZERO) + self.short.get(account, ZERO)

    def _moved_drag(self) -> Money:
        """What the whole plan changes in the tax drag of what the taxed accounts hold."""
        if self._drags is None:
            self._drags = sum(
                (
                    (trade.value if trade.side is Side.BUY else -trade.value)
                    * drag(self.planning.policy.classes[trade.asset_class], self.planning)
                    for trade in self.trades
                    if self._is_taxed(trade)
                ),
                ZERO,
            )
        return self._drags

    def reason(self, trade: Trade) -> str:
        """Why, in one sentence."""
        if trade.side is Side.BUY:
            return f"{self._why_bought(trade)}."
        return f"{self._why_sold(trade)}; {self._owed(trade)}."

    def _stands(self, name: str) -> str:
        drift = self.drifts[name]
        return (
            f"{name} is {percent(drift.weight)} of the savings, {points(abs(drift.drift))} "
            f"{'below' if drift.drift < 0 else 'above'} its target of {percent(drift.target)}"
        )

    def _others(self, trade: Trade) -> list[Trade]:
        return [one for one in self.of_class[trade.asset_class] if one.side is not trade.side]

    def _why_sold(self, trade: Trade) -> str:
        match trade.motive:
            case Motive.HARVEST:
                bought = listing(sorted({one.symbol for one in self._others(trade)}))
                return f"its loss is taken while {bought} keeps the place of {trade.symbol}"
            case Motive.CASH:
                return self._why_raised(trade.account)
            case Motive.LOCATION:
                homes = listing(sorted({one.account for one in self._others(trade)}))
                return f"{trade.asset_class} moves to {homes}, where its income is taxed less"
            case Motive.DRIFT:
                drift = self.drifts[trade.asset_class]
                text = self._stands(trade.asset_class)
                if drift.state is BandState.CORRECTING and drift.drift > 0:
                    return text
                if _saves(trade):
                    return f"{text}; its loss is worth more, and pays for {self._paid_for(trade)}"
                return f"{text}; its sale pays for {self._paid_for(trade)}"

    def _why_raised(self, account: str) -> str:
        due, short = self.planning.due.get(account, ZERO), self.short.get(account, ZERO)
        currency = self.snapshot.base_currency
        lacks = f"lacks {money(short, currency)} of the cash that is to stay there"
        if due <= 0:
            text = f"{account} {lacks}"
        else:
            text = f"{money(due, currency)} are to leave {account}"
            if short > 0:
                text += f", which {lacks}"
        return f"{text}, and this is the cheapest way to raise it"

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

    def _why_bought(self, trade: Trade) -> str:
        drift = self.drifts[trade.asset_class]
        match trade.motive:
            case Motive.HARVEST:
                sold = {one.symbol for one in self._others(trade) if _saves(one)}
                text = f"it keeps the place of {listing(sorted(sold))}, whose loss is taken"
            case Motive.LOCATION:
                text = (
                    f"{trade.asset_class} moves to {trade.account}, where its income is taxed less"
                )
            case _:
                text = self._stands(trade.asset_class)
                if drift.drift >= 0:
                    text += self._why_heavier(trade)
                elif drift.state is not BandState.CORRECTING:
                    text += "; the cash of this account goes to the lightest class that it can buy"
        passed_over = self._passed_over(trade)
        if passed_over:
            text += f"; {trade.symbol} is bought instead because {passed_over}"
        return text

    def _why_heavier(self, trade: Trade) -> str:
        """Why a class that is not light is bought all the same."""
        sold = sorted({one.account for one in self._others(trade)})
        if sold:
            return f", and this takes the place of what is sold of it in {listing(sold)}"
        if self.planning.due or self.planning.coming or self.short:
            return ", and falls short of it once the cash is counted"
        return "; its band has room for cash that no lighter class can take here"

    def _passed_over(self, trade: Trade) -> str:
        """Why the members of the class that are named before this one may not be bought."""
        members = self.planning.policy.classes[trade.asset_class].members
        account = self.snapshot.accounts[trade.account]
        reasons = [
            reason
            for symbol in members[: members.index(trade.symbol)]
            if symbol in self.snapshot.instruments
            and (reason := self.why_not_bought(symbol, account))
        ]
        return "; ".join(reasons)

    def why_not_bought(self, symbol: str, account: Account) -> str:
        """Why *symbol* may not be bought in *account* now, or an empty string."""
        planning = self.planning
        if symbol in planning.policy.orders.no_buy:
            return f"{symbol} is on the policy's no-buy list"
        taxpayer, name = planning.taxpayers[account.id], self.named(symbol)
        lock = planning.wash_locks.get((taxpayer, symbol))
        if lock is not None:
            return (
                f"{lock.symbol} was sold at a loss in {lock.account} on {lock.sold}; "
                f"{symbol} may be bought again from {lock.safe_from}"
            )
        if (account.id, name) in self.sold_today:
            return f"{self.sold_today[account.id, name]} was sold here today"
        if (taxpayer, name) in self.lost:
            return f"{self.lost[taxpayer, name]} is sold at a loss in this plan"
        if (account.id, name) in self.sold:
            return f"{self.sold[account.id, name]} is sold here"
        limit = planning.policy.plan.holdings_max.get(symbol)
        return "" if limit is None else f"{symbol} may be {percent(limit)} of the savings at most"

    def _may_lose(self, trade: Trade) -> bool:
        """Whether a sale could realize a loss that section 1091 reaches, at its limit."""
        if not self.snapshot.accounts[trade.account].kind.is_taxed:
            return False
        if self.planning.wash.is_exempt(trade.symbol, trade_date(self.snapshot.at)):
            return False
        rule = self.planning.policy.orders
        margin = (rule.slippage_max_bps + rule.fee_buffer_bps) * BASIS_POINT
        limit = self.snapshot.quotes[trade.symbol].bid * (ONE - margin)
        return any(limit < self.lots[pick.lot_id].unit_cost for pick in trade.lots)

    def _owed(self, trade: Trade) -> str:
        account = self.snapshot.accounts[trade.account]
        if not account.kind.is_taxed:
            return "a sale in this account is not taxed"
        currency = self.snapshot.base_currency
        words = "loss" if trade.gain < 0 else "gain"
        effect = "which saves" if trade.tax < 0 else "which costs"
        again = self._again(trade) if trade.gain < 0 else ""
        return (
            f"{_order_of(account, self.planning.policy.orders.lot_method)}: a {words} of "
            f"{money(abs(trade.gain), currency)}, {effect} {money(abs(trade.tax), currency)} of "
            f"tax{again}"
        )

    def _again(self, trade: Trade) -> str:
        """What may wash a part of a loss on days that nobody can name."""
        if self._reinvested is None:
            self._reinvested = {}
            for lot in self.snapshot.lots:
                if self.snapshot.accounts[lot.account].reinvests:
                    self._reinvested.setdefault(self.named(lot.symbol), set()).add(lot.account)
        accounts = self._reinvested.get(self.named(trade.symbol), set())
        if not accounts or self.planning.wash.is_exempt(trade.symbol, trade_date(self.snapshot.at)):
            return ""
        return f"; dividends reinvested in {listing(sorted(accounts))} may wash a part of it"


def _saves(trade: Trade) -> bool:
    """Whether a sale takes a loss that saves tax."""
    return trade.side is Side.SELL and trade.gain < 0 and trade.tax < 0


def _short_of_reserve(snapshot: Snapshot, planning: Planning) -> dict[str, Money]:
    """What each account lacks of the cash that is to stay in it."""
    kept = reserves(planning.policy, snapshot.accounts)
    for balance in snapshot.balances:
        if balance.currency == snapshot.base_currency:
            kept[balance.account] -= balance.amount
    return {account: amount for account, amount in kept.items() if amount > 0}


def _order_of(account: Account, chosen: LotMethod) -> str:
    """Why it is these lots that a sale in *account* takes."""
    method = method_of(account, chosen)
    if method == "min_tax":
        return "these lots cost the least tax that the account allows"
    if account.relief is Relief.SPECIFIC:
        return (
            _ORDERS[method] if method == "specified" else f"{_ORDERS[method]}, as the policy says"
        )
    return f"{_ORDERS[method]}, as the account's broker books them"
