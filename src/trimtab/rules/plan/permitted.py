"""What a household may do now: which lots may be sold, in which order, and what may be bought."""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec.structs import replace

from trimtab.domain.numbers import BASIS_POINT, ONE, ZERO, Money, Price, Quantity, to_float
from trimtab.domain.policy import LotMethod
from trimtab.domain.trades import BandState
from trimtab.domain.values import (
    Account,
    AccountKind,
    Lot,
    LotPiece,
    Quote,
    Relief,
    Snapshot,
    trade_date,
)
from trimtab.rules.holdings import Holdings, cash_class, class_of, may_hold
from trimtab.rules.plan.kept import Kept, bought_today, by_the_list, why_kept
from trimtab.rules.plan.planning import Planning, is_clearly_light
from trimtab.rules.plan.year import drag
from trimtab.rules.tax.grouping import group_names
from trimtab.rules.tax.lots import selling_order

Place = tuple[str, str]
"""An account and a symbol in it."""
UNWANTED = 3.0


class Terms(NamedTuple):
    """What trading a symbol comes to: prices of one unit, expected and at the limit."""

    mid: float
    sale: float
    sale_cash: float
    sale_cost: float
    buy_cost: float
    buy_cash: float
    limit: Price


def terms_of(quote: Quote, planning: Planning) -> Terms:
    """Prices, costs and cash per dollar at the middle, for one symbol."""
    orders = planning.policy.orders
    fee, slippage = orders.fee_buffer_bps * BASIS_POINT, orders.slippage_max_bps * BASIS_POINT
    mid = quote.price
    limit = quote.bid * (ONE - fee - slippage)
    return Terms(
        mid=to_float(mid),
        sale=to_float(quote.bid * (ONE - fee)),
        sale_cash=to_float(limit / mid),
        sale_cost=to_float((mid - quote.bid * (ONE - fee)) / mid),
        buy_cost=to_float((quote.ask * (ONE + fee) - mid) / mid),
        buy_cash=to_float(quote.ask * (ONE + fee + slippage) / mid),
        limit=limit,
    )


class Permitted:
    """One household: its money, and what of it may be sold and bought where, now."""

    def __init__(
        self, snapshot: Snapshot, planning: Planning, held: Holdings, ignored: frozenset[str]
    ) -> None:
        self.snapshot, self.planning, self.policy = snapshot, planning, planning.policy
        self.ignored = ignored
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
        self.terms = {
            symbol: terms_of(quote, planning)
            for symbol, quote in snapshot.quotes.items()
            if symbol in self.class_of
        }
        self.group = group_names(planning.wash)
        self.drag = {
            name: to_float(drag(self.policy.classes[name], planning)) for name in self.classes
        }
        self.sold_today = {
            (account, self._named(symbol)) for account, symbol in planning.sold_today
        }
        self.bought_today = {
            (lot.account, self._named(lot.symbol))
            for lot in snapshot.lots
            if lot.acquired == self.today
        }
        self.kept: list[Kept] = []
        self.cash = self._cash()
        self.value = self._value()

    def _named(self, symbol: str) -> str:
        """The name of all that counts as identical to *symbol*."""
        return self.group.get(symbol, symbol)

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
            if self._counts(account):
                value += planning.coming.get(account.id, ZERO) - planning.due.get(account.id, ZERO)
                value -= self.held.short.get(account.id, ZERO)
            else:
                # Coins that are sold to fill what a wallet owes become dollars that count nowhere.
                value -= max(ZERO, -self.cash[account.id])
        return max(value, ZERO)

    def _counts(self, account: Account) -> bool:
        """Whether the account's cash is a part of what the targets divide."""
        return self.cash_name is not None or account.kind is not AccountKind.CRYPTO

    def _is_coin(self, name: str) -> bool:
        kinds = [
            self.snapshot.instruments[symbol]
            for symbol in self.policy.classes[name].members
            if symbol in self.snapshot.instruments
        ]
        return bool(kinds) and all(may_hold(AccountKind.CRYPTO, one) for one in kinds)

    def _state(self, name: str) -> BandState:
        return next(one.state for one in self.planning.drifts if one.asset_class == name)

    def _urgency(self, name: str) -> float:
        """By how much the drift of a class weighs more, so that a dollar moved is worth the price.

        A dollar that goes from a heavy class to a light one mends drift twice, at half the price
        each. What the household wants none of, and what is risky while it reduces risk, is sold
        even into cash, where the dollar costs half the price again; dollars of a wallet are in no
        class at all.
        """
        is_risky = self.policy.classes[name].risk == "risky"
        is_reduced = is_risky and self.planning.forbids_risky_purchases
        if is_reduced or self.planning.targets[name] == 0:
            return UNWANTED
        return 2.0 if self.cash_name is None and self._is_coin(name) else 1.0

    def _sellable(self) -> dict[Place, list[Lot]]:
        """The lots that may go, by place, in the order in which the place sells them."""
        held: dict[Place, list[Lot]] = {}
        no_sell = self.policy.orders.no_sell
        stays = self._staying_coins()
        for lot in self.snapshot.lots:
            if lot.account in self.number and lot.symbol in self.terms:
                if (lot.account, self.class_of[lot.symbol]) in stays:
                    continue
                held.setdefault((lot.account, lot.symbol), []).append(lot)
        sellable: dict[Place, list[Lot]] = {}
        for place, lots in held.items():
            if place[1] in no_sell:
                self.kept.append(by_the_list(lots[0]))
                continue
            if (place[0], self._named(place[1])) in self.bought_today:
                self.kept.append(bought_today(lots[0]))
                continue
            found = self._may_go(place, lots)
            if found:
                sellable[place] = found
        return sellable

    def _staying_coins(self) -> set[Place]:
        """Wallets and classes of coins that no sale there would mend: its dollars stay there.

        A class that has drifted itself is sold there, and where money is to leave the wallet.
        """
        if self.cash_name is not None:
            return set()
        return {
            (account.id, name)
            for account in self.accounts
            if account.kind is AccountKind.CRYPTO and not self.planning.due.get(account.id)
            for name in self.classes
            if self._state(name) is not BandState.CORRECTING and self._urgency(name) < UNWANTED
        }

    def _may_go(self, place: Place, lots: list[Lot]) -> list[Lot]:
        account = self.snapshot.accounts[place[0]]
        method = method_of(account, self.policy.orders.lot_method)
        ordered = self._in_order(account, method, lots)
        sellable = []
        limit = self.terms[place[1]].limit
        reaches = account.kind.is_taxed and not self.planning.wash.is_exempt(place[1], self.today)
        for lot in ordered:
            is_young = lot.sellable_from is not None and self.today < lot.sellable_from
            is_loss = reaches and limit * lot.quantity < lot.basis
            kept = None
            if is_young or is_loss:
                kept = why_kept(self.snapshot, self.planning, lot, is_loss=is_loss)
            if kept is None:
                sellable.append(lot)
                continue
            self.kept.append(kept)
            if account.relief is not Relief.SPECIFIC:
                break
        return sellable

    def _in_order(self, account: Account, method: LotMethod, lots: list[Lot]) -> list[Lot]:
        if method == "min_tax":
            return sorted(lots, key=lambda lot: lot.age)
        if method == "specified":
            return self._specified(lots)
        priced = _as_booked(lots) if account.relief is Relief.HIFO else lots
        by_id = {lot.id: lot for lot in lots}
        order = selling_order(
            priced,
            method,
            price=ZERO,
            on=self.today,
            tax=None,
        )
        return [by_id[lot.id] for lot in order]

    def _specified(self, lots: list[Lot]) -> list[Lot]:
        """The lots that the policy names, in its order; a lot's name means all its pieces."""
        rank = {name: number for number, name in enumerate(self.policy.orders.specified)}
        ranked = [
            (rank[name], lot.age, lot)
            for lot in lots
            if (name := lot.id if lot.id in rank else _root(lot)) in rank
        ]
        return [lot for _, _, lot in sorted(ranked, key=lambda one: one[:2])]

    def _is_ordered(self, place: Place) -> bool:
        account = self.snapshot.accounts[place[0]]
        return method_of(account, self.policy.orders.lot_method) != "min_tax"

    def _options(self) -> list[Place]:
        """Every member of every class in every account that may buy it now."""
        found = []
        for account in self.accounts:
            for name in self.classes:
                rule = self.policy.classes[name]
                if self.planning.forbids_risky_purchases and rule.risk == "risky":
                    continue
                if account.kind is AccountKind.CRYPTO and not self._is_clearly_light(name):
                    continue
                found += [
                    (account.id, symbol)
                    for symbol in rule.members
                    if self._may_buy(account, symbol)
                ]
        return sorted(found)

    def _may_buy(self, account: Account, symbol: str) -> bool:
        planning = self.planning
        return (
            symbol in self.terms
            and may_hold(account.kind, self.snapshot.instruments[symbol])
            and symbol not in self.policy.orders.no_buy
            and (planning.taxpayers[account.id], symbol) not in planning.wash_locks
            and (account.id, self._named(symbol)) not in self.sold_today
        )

    def _is_clearly_light(self, name: str) -> bool:
        """Whether dollars in a wallet should buy coins: see `is_clearly_light`."""
        return is_clearly_light(self.planning, name, self.held.values[name], self.held.total)


def _as_booked(lots: Sequence[Lot]) -> list[Lot]:
    """*lots* at what was paid for them: a standing order of the broker ranks by its own books.

    Pieces of one lot count at the average of the whole, so that the front one goes first.
    """
    paid: dict[str, Money] = {}
    units: dict[str, Quantity] = {}
    for lot in lots:
        if isinstance(lot, LotPiece):
            paid[lot.lot_id] = paid.get(lot.lot_id, ZERO) + lot.paid
            units[lot.lot_id] = units.get(lot.lot_id, ZERO) + lot.quantity
    return [
        replace(lot, basis=lot.quantity * (paid[lot.lot_id] / units[lot.lot_id]))
        if isinstance(lot, LotPiece)
        else lot
        for lot in lots
    ]


def method_of(account: Account, chosen: LotMethod) -> LotMethod:
    """The order in which this account's broker books lots; the policy's only where it may name."""
    match account.relief:
        case Relief.FIFO:
            return "fifo"
        case Relief.HIFO:
            return "hifo"
        case Relief.SPECIFIC:
            return chosen


def _root(lot: Lot) -> str:
    return lot.lot_id if isinstance(lot, LotPiece) else lot.id
