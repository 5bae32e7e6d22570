"""What a broker cannot see: losses washed by another account or symbol, and the basis they carry.

A broker adjusts for wash sales in one account and one CUSIP only (26 CFR 1.6045-1(d)(6)(iii)).
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import localcontext
from itertools import accumulate
from typing import NamedTuple

from trimtab.domain.history import WashMatch
from trimtab.domain.numbers import EXACT, ONE, ZERO, Money, Quantity, exact_share
from trimtab.rules.tax.form8949 import Amounts, FormRow
from trimtab.rules.tax.matching import WINDOW_DAYS
from trimtab.rules.words import listing, money, units

_Lot = tuple[str, str]
_NAMED_MAX = 3
_NEAR_DAYS = WINDOW_DAYS + 1
"""Losses this close can compete for the same replacement shares."""


class Carried(NamedTuple):
    """Basis that a broker does not know, on *quantity* units of a lot, and the wash sale of it."""

    amount: Money
    quantity: Quantity
    wash: WashMatch


class Unseen:
    """The wash sales across accounts and symbols, by the row of the loss and by the lot."""

    def __init__(self) -> None:
        """Nothing washed yet."""
        self._by_piece: dict[str, list[WashMatch]] = {}
        self._seen_units: dict[str, Quantity] = {}
        self._by_lot: dict[_Lot, list[Carried]] = {}
        self._days: dict[tuple[str, str], set[dt.date]] = {}

    def add(self, wash: WashMatch) -> None:
        """Take in *wash*, which comes after all that were disposed of before it."""
        if (wash.account, wash.symbol) != (wash.replacement_account, wash.replacement_symbol):
            self._by_piece.setdefault(wash.sale_row, []).append(wash)
            for place in _places(wash):
                self._days.setdefault(place, set()).add(wash.sold)
            amount = wash.disallowed
        else:
            seen = self._seen_units.get(wash.sale_row, ZERO)
            self._seen_units[wash.sale_row] = seen + wash.quantity
            amount = _passed_on(self._by_lot.get((wash.symbol, wash.lot_id), []), wash)
        if amount and not wash.is_permanent:
            lot = wash.replacement_symbol, wash.replacement_lot
            self._by_lot.setdefault(lot, []).append(Carried(amount, wash.quantity, wash))

    def reach(self, rows: Sequence[FormRow]) -> bool:
        """Whether such a loss of about the same day is in, or replaced from, that account."""
        row = rows[0]
        days = self._days.get((row.account, row.symbol), set())
        return any(
            row.sold + dt.timedelta(days=off) in days for off in range(-_NEAR_DAYS, _NEAR_DAYS + 1)
        )

    def carries_into(self, rows: Sequence[FormRow]) -> bool:
        """Whether units of these lots carry a basis and a holding period from elsewhere."""
        return any((row.symbol, row.lot_id) in self._by_lot for row in rows)

    def reasons(
        self, rows: Sequence[FormRow], ours: Amounts, theirs: Amounts, tolerance: Money
    ) -> list[str]:
        """Why the broker's figures are not ours, if these wash sales explain it to the cent.

        Empty where they do not. *ours* and *theirs* are the sums over *rows* and over the
        broker's rows of the same units.
        """
        pieces = [piece for row in rows for piece in row.pieces]
        washes = [wash for piece in pieces for wash in self._by_piece.get(piece, ())]
        seen_units = sum((self._seen_units.get(piece, ZERO) for piece in pieces), ZERO)
        missed = sum((wash.disallowed for wash in washes), ZERO)
        lots = list(dict.fromkeys((row.symbol, row.lot_id) for row in rows))
        carried = [one for lot in lots for one in self._by_lot.get(lot, ())]
        if abs(ours.proceeds - theirs.proceeds) > tolerance:
            return []
        units_sold = sum((row.quantity for row in rows), ZERO)
        for basis in _possible(carried, units_sold if len(lots) == 1 else None):
            if not missed and not basis:
                continue
            if abs(ours.basis - basis - theirs.basis) > tolerance:
                continue
            carried_units = sum((one.quantity for one in carried), ZERO)
            ratio = min(ONE, seen_units / carried_units) if carried_units else ZERO
            expected = _expected_adjustments(ours, theirs, missed, (basis, basis * ratio))
            if any(abs(amount - theirs.adjustment) <= tolerance for amount in expected):
                return [*_missed(washes, missed), *_brought(carried, basis)]
        return []


def unseen_by_brokers(washes: Iterable[WashMatch]) -> Unseen:
    """What of *washes*, which are in the order in which they were found, brokers do not see.

    A loss washed in one account and one symbol passes on what its own lot carries from elsewhere.
    """
    unseen = Unseen()
    with localcontext(EXACT):
        for wash in washes:
            unseen.add(wash)
    return unseen


def _places(wash: WashMatch) -> tuple[tuple[str, str], tuple[str, str]]:
    return (wash.account, wash.symbol), (wash.replacement_account, wash.replacement_symbol)


def _passed_on(carried: Sequence[Carried], wash: WashMatch) -> Money:
    """How much of the unseen basis of a lot goes on with *wash*, the first units first."""
    left, amount = wash.quantity, ZERO
    for one in carried:
        part = min(left, one.quantity)
        if part <= 0:
            break
        amount += exact_share(one.amount, part, one.quantity)
        left -= part
    return min(amount, wash.disallowed)


def _possible(carried: Sequence[Carried], units_sold: Quantity | None) -> list[Money]:
    """The amounts by which the basis of the units sold may exceed the broker's.

    All that the lots carry, none of it, what one wash sale carried (in full, or for as many units
    as were sold), or what the first ones did.
    """
    amounts = [one.amount for one in carried]
    with localcontext(EXACT):
        possible = [sum(amounts, ZERO), ZERO, *amounts, *accumulate(amounts)]
        if units_sold is not None:
            possible += [
                exact_share(one.amount, units_sold, one.quantity)
                for one in carried
                if units_sold < one.quantity
            ]
    return list(dict.fromkeys(possible))


def _expected_adjustments(
    ours: Amounts, theirs: Amounts, missed: Money, unknown: tuple[Money, ...]
) -> tuple[Money, ...]:
    """What the broker would disallow: our figure without what it misses.

    Where it does not know some basis either, its loss is smaller by that, and what it disallows is
    smaller by one of the amounts *unknown*.
    """
    seen = ours.adjustment - missed
    loss = max(ZERO, theirs.basis - theirs.proceeds)
    return (seen, *(max(ZERO, seen - amount) for amount in unknown), min(seen, loss))


def _missed(washes: Sequence[WashMatch], amount: Money) -> list[str]:
    if not washes:
        return []
    bought = [
        f"{units(wash.quantity)} {wash.replacement_symbol} bought {wash.acquired} in "
        f"{wash.replacement_account}"
        for wash in washes
    ]
    sentence = (
        f"of the disallowed loss {money(amount)} comes from {_some(bought)}, which the broker of "
        "this account does not count"
    )
    return [sentence]


def _brought(carried: Sequence[Carried], amount: Money) -> list[str]:
    if not amount:
        return []
    sold = [f"{one.wash.symbol} sold {one.wash.sold} in {one.wash.account}" for one in carried]
    from_where = _some(list(dict.fromkeys(sold)))
    return [f"our basis holds {money(amount)} more, carried by the wash sale of {from_where}"]


def _some(phrases: list[str]) -> str:
    """The first few of *phrases*, and how many more there are."""
    if len(phrases) <= _NAMED_MAX:
        return listing(phrases)
    return listing([*phrases[:_NAMED_MAX], f"{len(phrases) - _NAMED_MAX} more"])
