"""What a household may do now: the money that a plan divides, and what may be bought where.

Which lots may be sold is told by `sellable`.
"""

from functools import cached_property

from trimtab.domain.numbers import ZERO, Money, to_float
from trimtab.domain.values import Account, AccountKind, InstrumentKind, Snapshot, trade_date
from trimtab.rules.holdings import Holdings, cash_class, class_of, may_hold
from trimtab.rules.plan.lot_order import method_of
from trimtab.rules.plan.planning import Planning, is_clearly_light
from trimtab.rules.plan.terms import margins_of, terms_of
from trimtab.rules.plan.year import drags_of
from trimtab.rules.tax.grouping import group_names

Place = tuple[str, str]
"""An account and a symbol in it."""
UNWANTED = 3.0
"""The urgency of what the household wants none of."""


class Permitted:
    """One household: its open accounts, their money, and what may be bought where, now."""

    def __init__(self, snapshot: Snapshot, planning: Planning, held: Holdings) -> None:
        self.snapshot, self.planning, self.policy = snapshot, planning, planning.policy
        self.today = trade_date(snapshot.at)
        self.held = held
        self.class_of = class_of(self.policy)
        self.cash_name = cash_class(self.policy, snapshot.base_currency)
        self.accounts = sorted(
            (one for one in snapshot.accounts.values() if one.id not in planning.closed),
            key=lambda one: one.id,
        )
        self.number = {account.id: row for row, account in enumerate(self.accounts)}
        self.classes = [name for name in self.policy.classes if name != self.cash_name]
        self.row = {name: number for number, name in enumerate(self.classes)}
        margins = margins_of(self.policy.orders)
        self.terms = {
            symbol: terms_of(quote, margins)
            for symbol, quote in snapshot.quotes.items()
            if symbol in self.class_of
        }
        self._group = group_names(planning.wash)
        self.drag = {name: to_float(one) for name, one in drags_of(planning).items()}
        self.states = {drift.asset_class: drift.state for drift in planning.drifts}
        self.coins = self._coins()
        self.sold_today = {
            (account, self.group_of(symbol)) for account, symbol in planning.sold_today
        }
        self.cash = self._cash()
        self.leaving = self._leaving_wallets()
        self.value = self._value()

    def group_of(self, symbol: str) -> str:
        """The name of all that counts as identical to *symbol*."""
        return self._group.get(symbol, symbol)

    def _cash(self) -> dict[str, Money]:
        """What each open account may spend; negative where it owes more than is there.

        A contribution that will come pays for purchases, but for nothing that is due before it.
        """
        held, planning = self.held, self.planning
        cash = {}
        for account in self.accounts:
            short = held.short.get(account.id, ZERO) + planning.due.get(account.id, ZERO)
            there = held.free[account.id] - short
            more = planning.coming.get(account.id, ZERO) if there >= 0 else ZERO
            cash[account.id] = there + more
        return cash

    def _value(self) -> Money:
        """What the targets divide once money that is due is gone and what is coming is there."""
        planning, value = self.planning, self.held.total
        for account in self.accounts:
            if self.is_in_total(account):
                owed = planning.due.get(account.id, ZERO) + self.held.short.get(account.id, ZERO)
                value += planning.coming.get(account.id, ZERO)
                if owed > 0:
                    there = self.held.free[account.id] + self._worth[account.id]
                    value -= min(owed, max(ZERO, there))
        return max(value - self.leaving, ZERO)

    @cached_property
    def _worth(self) -> dict[str, Money]:
        """What the lots of each account are worth."""
        worth = dict.fromkeys(self.number, ZERO)
        for (account, symbol), units in self.snapshot.positions().items():
            if account in worth and symbol in self.terms:
                worth[account] += units * self.snapshot.price(symbol)
        return worth

    def _leaving_wallets(self) -> Money:
        """Coins that become dollars which count nowhere, to fill what their wallets owe."""
        return sum(
            (
                min(-self.cash[account.id], self._worth[account.id])
                for account in self.accounts
                if self.cash[account.id] < 0 and not self.is_in_total(account)
            ),
            ZERO,
        )

    def is_in_total(self, account: Account) -> bool:
        """Whether the account's cash is a part of what the targets divide."""
        return self.cash_name is not None or account.kind is not AccountKind.CRYPTO

    def _coins(self) -> frozenset[str]:
        """The classes all of whose members are coins."""
        instruments = self.snapshot.instruments
        coins = {symbol for symbol, one in instruments.items() if one.kind is InstrumentKind.CRYPTO}
        if not coins:
            return frozenset()
        known = {
            name: {symbol for symbol in self.policy.classes[name].members if symbol in instruments}
            for name in self.classes
        }
        return frozenset(name for name, symbols in known.items() if symbols and symbols <= coins)

    def urgency(self, name: str) -> float:
        """By how much the drift of a class weighs more, so that a dollar moved is worth the price.

        A dollar that goes from a heavy class to a light one mends drift twice, at half the price
        each. What is risky while the household reduces risk is sold even into cash, where the
        dollar costs half the price again, and so is what the household wants none of where it can
        buy nothing light; dollars of a wallet are in no class at all.
        """
        is_risky = self.policy.classes[name].is_risky(self.snapshot.base_currency)
        is_reduced = is_risky and self.planning.forbids_risky_purchases
        if is_reduced or (self.planning.targets[name] == 0 and self._is_stuck(name)):
            return UNWANTED
        return 2.0 if self.cash_name is None and name in self.coins else 1.0

    def _is_stuck(self, name: str) -> bool:
        """Whether no account that holds something of the class can buy anything light."""
        members = set(self.policy.classes[name].members)
        homes = {lot.account for lot in self.snapshot.lots if lot.symbol in members}
        return homes.isdisjoint(self._buys_light)

    @cached_property
    def _buys_light(self) -> frozenset[str]:
        """The accounts that may buy of a class which is below its target."""
        targets, held = self.planning.targets, self.held
        light = {one for one in self.classes if held.values[one] < targets[one] * self.value}
        return frozenset(
            account for account, symbol in self.options() if self.class_of[symbol] in light
        )

    def is_reached(self, place: Place) -> bool:
        """Whether section 1091 could reach a loss there."""
        account, symbol = place
        return self.snapshot.accounts[account].kind.is_taxed and not self.planning.wash.is_exempt(
            symbol, self.today
        )

    def is_ordered(self, account: Account) -> bool:
        """Whether the account has an order of lots, so that no plan may choose among them."""
        return method_of(account, self.policy.orders.lot_method) != "min_tax"

    def options(self) -> list[Place]:
        """Every member of every class in every account that may buy it now."""
        planning = self.planning
        found: list[Place] = []
        symbols: dict[bool, list[str]] = {}
        for account in self.accounts:
            is_wallet = account.kind is AccountKind.CRYPTO
            if is_wallet not in symbols:
                symbols[is_wallet] = self._buyable(account.kind)
            taxpayer = planning.taxpayers[account.id]
            # A sale of today can make a class of coins look light that was not.
            sold = {
                self.class_of.get(symbol)
                for place, symbol in planning.sold_today
                if is_wallet and place == account.id
            }
            found += [
                (account.id, symbol)
                for symbol in symbols[is_wallet]
                if (taxpayer, symbol) not in planning.wash_locks
                and (account.id, self.group_of(symbol)) not in self.sold_today
                and self.class_of[symbol] not in sold
            ]
        return found

    def _buyable(self, kind: AccountKind) -> list[str]:
        """What may be bought in accounts of *kind*, unless an account forbids it."""
        no_buy, instruments = self.policy.orders.no_buy, self.snapshot.instruments
        found = []
        for name in self.classes:
            rule = self.policy.classes[name]
            is_risky = rule.is_risky(self.snapshot.base_currency)
            if self.planning.forbids_risky_purchases and is_risky:
                continue
            if kind is AccountKind.CRYPTO and not self._is_clearly_light(name):
                continue
            found += [
                symbol
                for symbol in rule.members
                if symbol in self.terms
                and symbol not in no_buy
                and may_hold(kind, instruments[symbol])
            ]
        return sorted(found)

    def _is_clearly_light(self, name: str) -> bool:
        """Whether dollars in a wallet should buy coins: see `is_clearly_light`."""
        return is_clearly_light(self.planning, name, self.held.values[name], self.held.total)
