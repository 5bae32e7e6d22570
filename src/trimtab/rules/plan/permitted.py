"""What a household may do now: which lots may be sold, in which order, and what may be bought."""

from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from trimtab.domain.numbers import (
    BASIS_POINT,
    ONE,
    ZERO,
    Money,
    Quantity,
    to_array,
    to_float,
)
from trimtab.domain.policy import LotMethod
from trimtab.domain.trades import BandState
from trimtab.domain.values import (
    Account,
    AccountKind,
    InstrumentKind,
    Lot,
    LotPiece,
    Quote,
    Relief,
    Snapshot,
    trade_date,
)
from trimtab.rules.holdings import Holdings, cash_class, class_of, may_hold
from trimtab.rules.plan.kept import Kept, KeptLots, bought_today, by_the_list
from trimtab.rules.plan.planning import Planning, is_clearly_light
from trimtab.rules.plan.problem import Flags, Floats, Ints
from trimtab.rules.plan.together import Together, sold_together
from trimtab.rules.plan.year import drags_of
from trimtab.rules.tax.grouping import group_names
from trimtab.rules.tax.lots import selling_order

Place = tuple[str, str]
"""An account and a symbol in it."""
UNWANTED = 3.0


_AGE = attrgetter("age")
_NEARLY = 1e-9
"""Floats tell which of two amounts is more unless they differ by less than this part."""


class Terms(NamedTuple):
    """What trading a symbol comes to: prices of one unit, expected and at the limit."""

    mid: float
    sale: float
    sale_cash: float
    sale_cost: float
    buy_cost: float
    buy_cash: float


class Margins(NamedTuple):
    """What is left of a sale and paid for a purchase, in parts: as expected, and at the limit."""

    kept: float
    kept_least: float
    paid: float
    paid_most: float


def _margins(planning: Planning) -> Margins:
    orders = planning.policy.orders
    fee, slippage = orders.fee_buffer_bps * BASIS_POINT, orders.slippage_max_bps * BASIS_POINT
    parts = ONE - fee, ONE - fee - slippage, ONE + fee, ONE + fee + slippage
    return Margins(*(to_float(part) for part in parts))


def terms_of(quote: Quote, margins: Margins) -> Terms:
    """Prices, costs and cash per dollar at the middle, for one symbol."""
    price = quote.price
    mid, bid = to_float(price), to_float(quote.bid / price)
    ask = 2.0 - bid
    return Terms(
        mid,
        bid * mid * margins.kept,
        bid * margins.kept_least,
        1.0 - bid * margins.kept,
        ask * margins.paid - 1.0,
        ask * margins.paid_most,
    )


class Stock(NamedTuple):
    """The lots that may go, place by place in the order in which each place sells them.

    `places` are in order, and `counts` (P,) the lots of each; `quantity` and `basis` (L,) are those
    of the lots. `is_all` (P,) tells where nothing else is held, no odd part
    of a step either.
    """

    places: list[Place]
    counts: list[int]
    is_all: list[bool]
    lots: list[Lot]
    quantity: Floats
    basis: Floats
    is_recent: Flags


NOTHING = Stock([], [], [], [], np.zeros(0), np.zeros(0), np.zeros(0, dtype=np.bool_))


class Permitted:
    """One household: its money, and what of it may be sold and bought where, now."""

    def __init__(
        self,
        snapshot: Snapshot,
        planning: Planning,
        held: Holdings,
        *,
        goes_together: bool = False,
    ) -> None:
        self.snapshot, self.planning, self.policy = snapshot, planning, planning.policy
        self.goes_together = goes_together
        self.together: Together | None = None
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
        self.margins = _margins(planning)
        self.terms = {
            symbol: terms_of(quote, self.margins)
            for symbol, quote in snapshot.quotes.items()
            if symbol in self.class_of
        }
        self.group = group_names(planning.wash)
        self.drag = {name: to_float(one) for name, one in drags_of(planning).items()}
        self.states = {drift.asset_class: drift.state for drift in planning.drifts}
        self.coins = self._coins()
        self.sold_today = {
            (account, self._named(symbol)) for account, symbol in planning.sold_today
        }
        self.kept: list[Kept] = []
        self.cash = self._cash()
        self.leaving = self._leaving_wallets()
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
                if self.cash[account.id] < 0 and not self._counts(account)
            ),
            ZERO,
        )

    def _counts(self, account: Account) -> bool:
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
        return 2.0 if self.cash_name is None and name in self.coins else 1.0

    def _sellable(self) -> Stock:
        """The lots that may go."""
        held = self._held()
        places, ordered = sorted(held), []
        for place in places:
            account = self.snapshot.accounts[place[0]]
            method = method_of(account, self.policy.orders.lot_method)
            ordered.append(self._in_order(account, method, held[place]))
        lots = [lot for one in ordered for lot in one]
        of_place = np.repeat(np.arange(len(places)), [len(one) for one in ordered])
        quantity = to_array([lot.quantity for lot in lots])
        basis = to_array([lot.basis for lot in lots])
        is_loss = self._is_loss(places, of_place, lots, quantity, basis)
        may_go, is_recent = self._may_go(places, of_place, lots, is_loss)
        counts = np.bincount(of_place[may_go], minlength=len(places)).tolist()
        found = [row for row, count in enumerate(counts) if count]
        return Stock(
            places=[places[row] for row in found],
            counts=[counts[row] for row in found],
            is_all=[
                counts[row] == len(held[places[row]]) and self._is_even(held[places[row]])
                for row in found
            ],
            lots=[lots[row] for row in np.flatnonzero(may_go).tolist()],
            quantity=quantity[may_go],
            basis=basis[may_go],
            is_recent=is_recent[may_go],
        )

    def _is_even(self, lots: Sequence[Lot]) -> bool:
        """Whether *lots* of one symbol are whole steps: an odd part of one cannot be sold."""
        units = sum((lot.quantity for lot in lots), ZERO)
        return units % self.snapshot.instruments[lots[0].symbol].step == 0

    def _held(self) -> dict[Place, list[Lot]]:
        """The lots of every place of which the household's own rules let something be sold."""
        every: dict[Place, list[Lot]] = defaultdict(list)
        today, new = self.today, set()
        for lot in self.snapshot.lots:
            place = lot.account, lot.symbol
            every[place].append(lot)
            if lot.acquired == today:
                new.add(place)
        bought = {(account, self._named(symbol)) for account, symbol in new}
        no_sell, stays = self.policy.orders.no_sell, self._staying_coins()
        held: dict[Place, list[Lot]] = {}
        for place in sorted(every):
            account, symbol = place
            if account not in self.number or symbol not in self.terms:
                continue
            if (account, self.class_of[symbol]) in stays:
                continue
            if symbol in no_sell:
                self.kept.append(by_the_list(every[place][0]))
            elif (account, self._named(symbol)) in bought:
                self.kept.append(bought_today(every[place][0]))
            else:
                held[place] = every[place]
        return held

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
            if self.states[name] is not BandState.CORRECTING and self._urgency(name) < UNWANTED
        }

    def _is_loss(
        self,
        places: Sequence[Place],
        of_place: Ints,
        lots: Sequence[Lot],
        quantity: Floats,
        basis: Floats,
    ) -> Flags:
        """Which lots section 1091 could reach if they were sold at the limit; exact in Decimal."""
        reaches = np.asarray([self._is_reached(place) for place in places], dtype=np.bool_)
        terms = [self.terms[symbol] for _, symbol in places]
        limit = np.asarray([one.mid * one.sale_cash for one in terms], dtype=np.float64)
        proceeds = limit[of_place] * quantity
        is_loss: Flags = reaches[of_place] & (proceeds < basis)
        is_near = reaches[of_place] & (np.abs(proceeds - basis) <= _NEARLY * basis)
        orders = self.policy.orders
        margin = (orders.fee_buffer_bps + orders.slippage_max_bps) * BASIS_POINT
        for row in np.flatnonzero(is_near).tolist():
            lot = lots[row]
            least = self.snapshot.quotes[lot.symbol].bid * (ONE - margin)
            is_loss[row] = least * lot.quantity < lot.basis
        return is_loss

    def _is_reached(self, place: Place) -> bool:
        """Whether section 1091 could reach a loss there."""
        account, symbol = place
        return self.snapshot.accounts[account].kind.is_taxed and not self.planning.wash.is_exempt(
            symbol, self.today
        )

    def _may_go(
        self, places: Sequence[Place], of_place: Ints, lots: Sequence[Lot], is_loss: Flags
    ) -> tuple[Flags, Flags]:
        """Which lots nothing forbids, and which of them must go with any loss of their group.

        Where the broker has an order, none goes behind a kept one.
        """
        kept = KeptLots(self.snapshot, self.planning)
        is_watched = np.asarray([kept.could_wash(place) for place in places], dtype=np.bool_)
        is_recent = np.zeros(len(lots), dtype=np.bool_)
        together = self._together(kept, of_place, lots, is_loss, is_watched)
        if together is not None:
            number, self.together = together
            if self.goes_together:
                is_watched[number] = False
                for row in np.flatnonzero(of_place == number).tolist():
                    is_recent[row] = lots[row].id in self.together.lots
        is_young = np.asarray(
            [lot.sellable_from is not None and self.today < lot.sellable_from for lot in lots],
            dtype=np.bool_,
        )
        may_go = np.ones(len(lots), dtype=np.bool_)
        for row in np.flatnonzero(is_young | (is_loss & is_watched[of_place])).tolist():
            lot = lots[row]
            why = kept.why(lot, is_loss=bool(is_loss[row])) if may_go[row] else None
            if why is None:
                continue
            self.kept.append(why)
            may_go[row] = False
            if self.snapshot.accounts[lot.account].relief is not Relief.SPECIFIC:
                may_go[row:][of_place[row:] == of_place[row]] = False
        return may_go, is_recent

    def _together(
        self,
        kept: KeptLots,
        of_place: Ints,
        lots: Sequence[Lot],
        is_loss: Flags,
        is_watched: Flags,
    ) -> tuple[int, Together] | None:
        """The place where most is lost that could go with the recent units, by number."""
        found: list[tuple[int, Together]] = []
        lossy = np.bincount(of_place[is_loss], minlength=len(is_watched)) > 0
        for number in np.flatnonzero(is_watched & lossy).tolist():
            rows = np.flatnonzero(of_place == number).tolist()
            own = [lots[row] for row in rows]
            first = own[0]
            method = method_of(self.snapshot.accounts[first.account], self.policy.orders.lot_method)
            is_young = any(lot.sellable_from and self.today < lot.sellable_from for lot in own)
            if method != "min_tax" or is_young:
                continue
            bid = self.snapshot.quotes[first.symbol].bid
            losses = [
                (lot, lot.basis - bid * lot.quantity)
                for lot, row in zip(own, rows, strict=True)
                if is_loss[row]
            ]
            together = sold_together(kept, own, losses)
            if together is not None:
                found.append((number, together))
        return max(found, key=lambda one: (one[1].barred, -one[0]), default=None)

    def _in_order(self, account: Account, method: LotMethod, lots: list[Lot]) -> list[Lot]:
        if method == "min_tax":
            return sorted(lots, key=_AGE)
        if method == "specified":
            return self._specified(lots)
        if account.relief is Relief.HIFO:
            return as_booked(lots)
        return selling_order(lots, method, price=ZERO, on=self.today, tax=None)

    def _specified(self, lots: list[Lot]) -> list[Lot]:
        """The lots that the policy names, in its order; a lot's name means all its pieces."""
        rank = {name: number for number, name in enumerate(self.policy.orders.specified)}
        ranked = [
            (rank[name], lot.age, lot)
            for lot in lots
            if (name := lot.id if lot.id in rank else lot.root) in rank
        ]
        return [lot for _, _, lot in sorted(ranked, key=lambda one: one[:2])]

    def _is_ordered(self, account: Account) -> bool:
        return method_of(account, self.policy.orders.lot_method) != "min_tax"

    def _options(self) -> list[Place]:
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
                and (account.id, self._named(symbol)) not in self.sold_today
                and self.class_of[symbol] not in sold
            ]
        return found

    def _buyable(self, kind: AccountKind) -> list[str]:
        """What may be bought in accounts of *kind*, unless an account forbids it."""
        no_buy, instruments = self.policy.orders.no_buy, self.snapshot.instruments
        found = []
        for name in self.classes:
            rule = self.policy.classes[name]
            if self.planning.forbids_risky_purchases and rule.risk == "risky":
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


def as_booked(lots: Sequence[Lot]) -> list[Lot]:
    """*lots* as a standing order of the broker takes them: what was paid most for a unit first.

    Pieces of one lot count at the one price of the whole, so that the front one goes first.
    """
    aged = sorted(lots, key=_AGE)
    paid: dict[str, Money] = {}
    units: dict[str, Quantity] = {}
    for lot in aged:
        name, cost = lot.root, lot.paid if isinstance(lot, LotPiece) else lot.basis
        paid[name] = paid.get(name, ZERO) + cost
        units[name] = units.get(name, ZERO) + lot.quantity
    return sorted(aged, key=lambda lot: -paid[lot.root] / units[lot.root])


def method_of(account: Account, chosen: LotMethod) -> LotMethod:
    """The order in which this account's broker books lots; the policy's only where it may name."""
    match account.relief:
        case Relief.FIFO:
            return "fifo"
        case Relief.HIFO:
            return "hifo"
        case Relief.SPECIFIC:
            return chosen
