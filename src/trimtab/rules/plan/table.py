"""One step of planning, laid out: what each class has and should have, and each account's cash."""

import datetime as dt
from collections.abc import Mapping, Sequence

from msgspec import Struct

from trimtab.domain.history import WashRule
from trimtab.domain.numbers import BASIS_POINT, ONE, ZERO, Money, Price, Quantity, Weight
from trimtab.domain.policy import Policy, TaxRule
from trimtab.domain.trades import BandState, Drift, Refusal, Side, Trade
from trimtab.domain.values import Account, AccountKind, InstrumentKind, Lot, Snapshot, trade_date
from trimtab.rules.drift import shrink_scale, shrunk_value
from trimtab.rules.holdings import cash_class, class_of, holdings, may_hold
from trimtab.rules.plan.apply import apply_trades
from trimtab.rules.tax.locks import RecentPurchase
from trimtab.rules.tax.wash import WashLock, identical_symbols


class Planning(Struct, frozen=True, kw_only=True):
    """What a plan is made from, besides the snapshot.

    `drifts` carry the band states; `wash` says what section 1091 reaches, and `taxpayers` whose
    each account is; `wash_locks` are the symbols that a taxpayer may not buy, and `recent` the
    purchases before this plan that would wash a loss of one; `closed` the accounts that may not be
    traded, with the reason.
    """

    policy: Policy
    tax: TaxRule
    targets: Mapping[str, Weight]
    destination: Weight
    drifts: tuple[Drift, ...]
    wash: WashRule
    taxpayers: Mapping[str, str]
    wash_locks: Mapping[tuple[str, str], WashLock]
    recent: Mapping[tuple[str, str], tuple[RecentPurchase, ...]]
    closed: Mapping[str, str]
    is_defensive: bool = False

    @property
    def forbids_risky_purchases(self) -> bool:
        """Whether the defensive posture lets only safe classes be bought."""
        return self.is_defensive and self.policy.defensive.posture == "reduce_only"


class Table(Struct, kw_only=True):
    """Where one step of planning begins; only this package changes it.

    A step looks at one side of the household: its wallets, which hold coins, or its other accounts.
    `values` are the classes at the middle price, `total` what the targets divide, and
    `wallet_cash` the dollars in wallets that it leaves out. For the accounts of this side `budget`
    is the cash that each may spend, `free` that and what is not settled yet, `short` what it lacks
    of its reserve; `spend_left` is what all of them together may spend, since a cash class keeps
    `keep` back. The sets say what the steps before did.
    """

    snapshot: Snapshot
    planning: Planning
    in_wallets: bool
    today: dt.date
    total: Money
    wallet_cash: Money
    values: dict[str, Money]
    budget: dict[str, Money]
    free: dict[str, Money]
    short: dict[str, Money]
    spend_left: Money
    keep: Money
    cash_class: str | None
    sold: set[tuple[str, str]]
    sold_at_loss: set[str]
    bought: set[str]
    refusals: list[Refusal]

    @property
    def correcting(self) -> list[Drift]:
        """The drifts, at today's values, of the classes whose episode is open."""
        return [
            self.drift(drift)
            for drift in self.planning.drifts
            if drift.state is BandState.CORRECTING
        ]

    def drift(self, drift: Drift) -> Drift:
        """*drift* moved to where this table's values are by now."""
        value = self.values[drift.asset_class]
        weight = value / self.total if self.total > 0 else ZERO
        return Drift(
            asset_class=drift.asset_class,
            target=drift.target,
            value=value,
            weight=weight,
            drift=weight - drift.target if self.total > 0 else ZERO,
            half_width=drift.half_width,
            is_breached=drift.is_breached,
            state=drift.state,
        )

    def goals(self) -> dict[str, Money]:
        """Where a correction ends: the whole drift vector shrunk to the policy's destination.

        Coins are sold down to their part of the savings with the dollars in wallets counted in:
        otherwise each sale would shrink the total and ask for another one.
        """
        destination = self.planning.destination
        out = [d for d in self.correcting if abs(d.drift) > destination * d.half_width]
        scale = shrink_scale(out, destination)
        goals = {}
        for drift in self.planning.drifts:
            now = self.drift(drift)
            goal = shrunk_value(now, self.total, scale)
            if self.is_crypto(now.asset_class):
                least_left = shrunk_value(now, self.total + self.wallet_cash, scale)
                goal = max(goal, min(now.value, least_left))
            goals[now.asset_class] = goal
        return goals

    def on_target(self) -> dict[str, Money]:
        """Every class's target in money."""
        return {name: target * self.total for name, target in self.planning.targets.items()}

    def tolerance(self, asset_class: str) -> Money:
        """What no trade could mend.

        A minimum trade, one step of the dearest member, or what slippage and fees may take of a
        plan that moves everything: a smaller distance is not worth another trade.
        """
        steps = [
            self.snapshot.instruments[symbol].step * self.snapshot.price(symbol)
            for symbol in self.planning.policy.classes[asset_class].members
            if symbol in self.snapshot.quotes
        ]
        margin = self.margin * self.total
        return max([self.planning.policy.orders.minimum, margin, *steps])

    def still_out(self) -> bool:
        """Whether a class under correction is further from its goal than a trade's grain."""
        goals = self.goals()
        return any(
            abs(d.value - goals[d.asset_class]) > self.tolerance(d.asset_class)
            for d in self.correcting
            if self.has_home(d.asset_class)
        )

    def has_home(self, asset_class: str) -> bool:
        """Whether an account of this side can hold the class."""
        instruments = self.snapshot.instruments
        return asset_class == self.cash_class or any(
            may_hold(account.kind, instruments[symbol])
            for account in self.open_accounts()
            for symbol in self.planning.policy.classes[asset_class].members
            if symbol in instruments
        )

    def is_crypto(self, asset_class: str) -> bool:
        """Whether the class lives in wallets, where nothing else can be bought."""
        members = self.planning.policy.classes[asset_class].members
        kinds = {
            self.snapshot.instruments[symbol].kind
            for symbol in members
            if symbol in self.snapshot.instruments
        }
        return kinds == {InstrumentKind.CRYPTO}

    def open_accounts(self) -> list[Account]:
        """The accounts of this side that may be traded."""
        return _open_accounts(self.snapshot, self.planning, in_wallets=self.in_wallets)

    def purchase_lock(self, symbol: str, account: Account) -> str | None:
        """Why *symbol* may not be bought now for the sake of a loss, or None."""
        identical = identical_symbols(symbol, self.planning.tax.identical)
        sold = sorted(identical & self.sold_at_loss)
        if sold:
            return f"{sold[0]} is sold at a loss in this plan"
        lock = self.planning.wash_locks.get((self.planning.taxpayers[account.id], symbol))
        if lock is None:
            return None
        return (
            f"{lock.symbol} was sold at a loss in {lock.account} on {lock.sold}; "
            f"{symbol} may be bought again from {lock.safe_from}"
        )

    def member_to_buy(self, asset_class: str, account: Account) -> tuple[str | None, str]:
        """The first member that may be bought in *account*, and why the ones before it may not."""
        reasons = []
        for symbol in self.planning.policy.classes[asset_class].members:
            if symbol not in self.snapshot.instruments:
                continue
            if not may_hold(account.kind, self.snapshot.instruments[symbol]):
                continue
            if symbol in self.planning.policy.orders.no_buy:
                reasons.append(f"{symbol} is on the policy's no-buy list")
                continue
            lock = self.purchase_lock(symbol, account)
            if lock is None:
                return symbol, "; ".join(reasons)
            reasons.append(lock)
        return None, "; ".join(reasons)

    def can_be_bought(self, asset_class: str, account: Account) -> bool:
        """Whether *account* may buy a member of the class now."""
        rule = self.planning.policy.classes[asset_class]
        if self.planning.forbids_risky_purchases and rule.risk == "risky":
            return False
        return self.member_to_buy(asset_class, account)[0] is not None

    @property
    def margin(self) -> Weight:
        """By how much an order may end up dearer than its quote: slippage and fees."""
        orders = self.planning.policy.orders
        return (orders.slippage_max_bps + orders.fee_buffer_bps) * BASIS_POINT

    def unit_cost(self, symbol: str) -> Price:
        """Cash to keep ready for one unit: the ask with slippage and fees on top."""
        return self.snapshot.quotes[symbol].ask * (ONE + self.margin)

    def unit_proceeds(self, symbol: str) -> Price:
        """Cash to count on for one unit sold: the bid with slippage and fees taken off."""
        return self.snapshot.quotes[symbol].bid * (ONE - self.margin)

    def is_wash_loss(self, lot: Lot) -> bool:
        """Whether selling *lot* could realize a loss that section 1091 might disallow."""
        return (
            self.snapshot.accounts[lot.account].kind.is_taxed
            and not self.planning.wash.is_exempt(lot.symbol, self.today)
            and self.unit_proceeds(lot.symbol) < lot.unit_cost
        )

    def unsettled(self, account: str) -> Money:
        """Free cash of an account of this side that it may not spend before it has settled."""
        return self.free.get(account, ZERO) - self.budget.get(account, ZERO)

    def fee(self, value: Money) -> Money:
        """What an order of *value* is expected to cost in fees."""
        return value * self.planning.policy.orders.fee_buffer_bps * BASIS_POINT

    def trade_of(self, symbol: str, account: str, side: Side, quantity: Quantity) -> Trade:
        """A bare trade at today's quote; the caller adds lots, tax and reason."""
        quote = self.snapshot.quotes[symbol]
        price = quote.ask if side is Side.BUY else quote.bid
        return Trade(
            account=account,
            symbol=symbol,
            asset_class=class_of(self.planning.policy)[symbol],
            side=side,
            quantity=quantity,
            price=price,
            cost=self.fee(quantity * price),
        )


def lay_out(
    start: Snapshot, planning: Planning, trades: Sequence[Trade], *, in_wallets: bool
) -> Table:
    """One side of the household of *start* as it would be after *trades*, at their limit prices."""
    slippage = planning.policy.orders.slippage_max_bps * BASIS_POINT
    snapshot = apply_trades(start, trades, slippage=slippage)
    held = holdings(snapshot, planning.policy)
    in_cash = cash_class(planning.policy, snapshot.base_currency)
    names = {account.id for account in _open_accounts(snapshot, planning, in_wallets=in_wallets)}
    free = {name: amount for name, amount in held.free.items() if name in names}
    budget = _budgets(snapshot, planning, free, held.reserves)
    spend_left = sum(budget.values(), ZERO)
    keep = wallet_cash = ZERO
    if in_cash is None:
        all_of_it = sum(held.values.values(), ZERO) + sum(held.free.values(), ZERO)
        wallet_cash = all_of_it - held.total
    else:
        keep = _kept_in_cash(start, planning, in_cash, held.total)
        spend_left = max(ZERO, min(spend_left, held.values[in_cash] - keep))
    table = Table(
        snapshot=snapshot,
        planning=planning,
        in_wallets=in_wallets,
        today=trade_date(snapshot.at),
        total=held.total,
        wallet_cash=wallet_cash,
        values=dict(held.values),
        budget=budget,
        free=free,
        short=held.short,
        spend_left=spend_left,
        keep=keep,
        cash_class=in_cash,
        sold={(t.account, t.symbol) for t in trades if t.side is Side.SELL},
        sold_at_loss=set(),
        bought={trade.symbol for trade in trades if trade.side is Side.BUY},
        refusals=[],
    )
    lots = {lot.id: lot for lot in start.lots}
    picked = (lots[pick.lot_id] for trade in trades for pick in trade.lots)
    table.sold_at_loss.update(lot.symbol for lot in picked if table.is_wash_loss(lot))
    return table


def _kept_in_cash(start: Snapshot, planning: Planning, name: str, total: Money) -> Money:
    """What the cash class keeps: its target, or what it had when it is light and not corrected.

    Otherwise a sale that funds another class would fill up the cash first, and sell for both.
    """
    target = planning.targets[name] * total
    drift = next(drift for drift in planning.drifts if drift.asset_class == name)
    if drift.state is BandState.CORRECTING:
        return target
    return min(target, holdings(start, planning.policy).values[name])


def _open_accounts(snapshot: Snapshot, planning: Planning, *, in_wallets: bool) -> list[Account]:
    return sorted(
        (
            account
            for account in snapshot.accounts.values()
            if account.id not in planning.closed
            and (account.kind is AccountKind.CRYPTO) == in_wallets
        ),
        key=lambda account: account.id,
    )


def _budgets(
    snapshot: Snapshot,
    planning: Planning,
    free: Mapping[str, Money],
    reserves: Mapping[str, Money],
) -> dict[str, Money]:
    """The part of each account's free cash that it may spend today."""
    budget = dict(free)
    if planning.policy.orders.unsettled == "use":
        return budget
    for balance in snapshot.balances:
        if balance.currency == snapshot.base_currency and balance.account in budget:
            settled = max(ZERO, balance.settled - reserves[balance.account])
            budget[balance.account] = min(budget[balance.account], settled)
    return budget
