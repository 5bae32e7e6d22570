"""Which lots may be sold now, in the order in which they go, and why the others stay."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from trimtab.domain.numbers import ONE, ZERO, to_array
from trimtab.domain.trades import BandState
from trimtab.domain.values import AccountKind, Lot, Relief
from trimtab.rules.plan.kept import Kept, KeptLots, bought_today, by_the_list
from trimtab.rules.plan.lot_order import in_order, method_of
from trimtab.rules.plan.permitted import UNWANTED, Permitted, Place
from trimtab.rules.plan.planning import margin_of
from trimtab.rules.plan.problem import Flags, Floats, Ints
from trimtab.rules.plan.together import sold_together

_NEARLY = 1e-9
"""Floats tell which of two amounts is more unless they differ by less than this part."""


class Stock(NamedTuple):
    """The lots that may go, place by place in the order in which each place sells them.

    `places` are in order, and `counts` (P,) the lots of each; `quantity` and `basis` (L,) are those
    of the lots. `is_all` (P,) tells where nothing else is held, no odd part of a step either.
    `kept` are the lots that may not go, with the reason.
    """

    places: list[Place]
    counts: list[int]
    is_all: list[bool]
    lots: list[Lot]
    quantity: Floats
    basis: Floats
    is_recent: Flags
    kept: list[Kept]


NOTHING = Stock([], [], [], [], np.zeros(0), np.zeros(0), np.zeros(0, dtype=np.bool_), [])


def sellable(permitted: Permitted, *, goes_together: bool) -> Stock:
    """The lots that the household may sell.

    Where it *goes_together*, losses may go with the recent units that bar them.
    """
    return _Sellable(permitted, goes_together=goes_together).stock()


class _Sellable:
    """The lots of one household, and what forbids to sell them."""

    def __init__(self, permitted: Permitted, *, goes_together: bool) -> None:
        self.permitted, self.goes_together = permitted, goes_together
        self.snapshot, self.planning = permitted.snapshot, permitted.planning
        self.rule, self.today = permitted.policy.orders, permitted.today
        self.kept: list[Kept] = []

    def stock(self) -> Stock:
        """The lots that may go."""
        held = self._held()
        places, ordered = sorted(held), []
        for place in places:
            account = self.snapshot.accounts[place[0]]
            ordered.append(in_order(held[place], account, self.rule, self.today))
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
            kept=self.kept,
        )

    def _is_even(self, lots: Sequence[Lot]) -> bool:
        """Whether *lots* of one symbol are whole steps: an odd part of one cannot be sold."""
        units = sum((lot.quantity for lot in lots), ZERO)
        return units % self.snapshot.instruments[lots[0].symbol].step == 0

    def _held(self) -> dict[Place, list[Lot]]:
        """The lots of every place of which the household's own rules let something be sold."""
        every: dict[Place, list[Lot]] = {}
        today, new = self.today, set()
        account = symbol = ""
        here: list[Lot] = []
        for lot in self.snapshot.lots:
            if lot.symbol != symbol or lot.account != account:
                account, symbol = lot.account, lot.symbol
                here = every.setdefault((account, symbol), [])
            here.append(lot)
            if lot.acquired == today:
                new.add((account, symbol))
        permitted = self.permitted
        bought = {(account, permitted.group_of(symbol)) for account, symbol in new}
        no_sell, stays = self.rule.no_sell, self._staying_coins()
        held: dict[Place, list[Lot]] = {}
        for place in sorted(every):
            account, symbol = place
            if account not in permitted.number or symbol not in permitted.terms:
                continue
            if (account, permitted.class_of[symbol]) in stays:
                continue
            if symbol in no_sell:
                self.kept.append(by_the_list(every[place][0]))
            elif (account, permitted.group_of(symbol)) in bought:
                self.kept.append(bought_today(every[place][0]))
            else:
                held[place] = every[place]
        return held

    def _staying_coins(self) -> set[Place]:
        """Wallets and classes of coins that no sale there would mend: its dollars stay there.

        A class that has drifted itself is sold there, and where money is to leave the wallet.
        """
        permitted = self.permitted
        if permitted.cash_name is not None:
            return set()
        return {
            (account.id, name)
            for account in permitted.accounts
            if account.kind is AccountKind.CRYPTO and not self.planning.due.get(account.id)
            for name in permitted.classes
            if permitted.states[name] is not BandState.CORRECTING
            and permitted.urgency(name) < UNWANTED
            and self.planning.targets[name] > 0
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
        reaches = np.asarray([self.permitted.is_reached(place) for place in places], dtype=np.bool_)
        terms = [self.permitted.terms[symbol] for _, symbol in places]
        limit = np.asarray([one.mid * one.sale_cash for one in terms], dtype=np.float64)
        proceeds = limit[of_place] * quantity
        is_loss: Flags = reaches[of_place] & (proceeds < basis)
        is_near = reaches[of_place] & (np.abs(proceeds - basis) <= _NEARLY * basis)
        margin = margin_of(self.permitted.policy)
        for row in np.flatnonzero(is_near).tolist():
            lot = lots[row]
            least = self.snapshot.quotes[lot.symbol].bid * (ONE - margin)
            is_loss[row] = least * lot.quantity < lot.basis
        return is_loss

    def _may_go(
        self, places: Sequence[Place], of_place: Ints, lots: Sequence[Lot], is_loss: Flags
    ) -> tuple[Flags, Flags]:
        """Which lots nothing forbids, and which of them must go with any loss of their group.

        Where the broker has an order, none goes behind a kept one.
        """
        kept = KeptLots(self.snapshot, self.planning)
        is_watched = np.asarray([kept.could_wash(place) for place in places], dtype=np.bool_)
        is_recent = np.zeros(len(lots), dtype=np.bool_)
        if self.goes_together:
            is_recent = self._together(kept, of_place, lots, is_loss, is_watched)
            is_watched[of_place[is_recent]] = False
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
    ) -> Flags:
        """The recent lots (L,) that may go whole, so that the losses of their place may go."""
        is_recent = np.zeros(len(lots), dtype=np.bool_)
        lossy = np.bincount(of_place[is_loss], minlength=len(is_watched)) > 0
        for number in np.flatnonzero(is_watched & lossy).tolist():
            start, stop = np.searchsorted(of_place, [number, number + 1]).tolist()
            rows, own = range(start, stop), lots[start:stop]
            first = own[0]
            method = method_of(self.snapshot.accounts[first.account], self.rule.lot_method)
            is_young = any(lot.sellable_from and self.today < lot.sellable_from for lot in own)
            if method != "min_tax" or is_young:
                continue
            losses = [lot for lot, row in zip(own, rows, strict=True) if is_loss[row]]
            together = sold_together(kept, own, losses)
            if together is not None:
                is_recent[start:stop] = [lot.id in together for lot in own]
        return is_recent
