"""The rows of shares that an account holds: lots, and the pieces of a lot.

A lot is an ordered row of shares. Wash sales adjust its front, so that it falls into pieces of
different basis and holding period; a sale that names no piece takes the front.
"""

import datetime as dt
from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from decimal import Context
from itertools import count
from typing import NamedTuple

from trimtab.domain.errors import InputError
from trimtab.domain.history import TaxAccount, TaxLot, Transaction
from trimtab.domain.numbers import ONE, ZERO, Money, Quantity, exact_share
from trimtab.rules.tax.ranking import Ranking

_UNIT = Context(prec=15)
"""Units whose basis differs by less than this shows rank as equal: a tie is decided by age."""


class Piece:
    """Units of one lot with one basis and one holding period; the ledger changes them in place.

    `basis` is wash-adjusted, `paid` is not. `unit` ranks pieces: the basis of one unit. `place` is
    where it begins in its lot, counted in the units in which the lot was bought.
    """

    __slots__ = (
        "basis",
        "is_used",
        "lot",
        "name",
        "paid",
        "place",
        "quantity",
        "since",
        "unit",
    )

    def __init__(
        self, lot: "LotRow", quantity: Quantity, basis: Money, paid: Money, since: dt.date
    ) -> None:
        """Units at the end of *lot*, not used by any loss."""
        self.lot = lot
        self.name = ""
        self.quantity = quantity
        self.basis = basis
        self.paid = paid
        self.since = since
        self.place = ZERO
        self.is_used = False
        self.unit = _UNIT.divide(basis, quantity)

    def cut(self, quantity: Quantity) -> "Piece":
        """The first *quantity* units as a piece of their own; the rest stays here.

        The new piece is not in the lot yet: the caller puts it before the rest, or sells it.
        """
        front = Piece.__new__(Piece)
        front.lot = self.lot
        front.name = self.name
        front.quantity = quantity
        front.basis = exact_share(self.basis, quantity, self.quantity)
        front.paid = exact_share(self.paid, quantity, self.quantity)
        front.since = self.since
        front.place = self.place
        front.is_used = self.is_used
        front.unit = self.unit
        self._ranked_anew_at(self.place + quantity / self.lot.scale)
        self.quantity -= quantity
        self.basis -= front.basis
        self.paid -= front.paid
        return front

    @property
    def age(self) -> tuple[tuple[dt.date, int], Quantity]:
        """The age of its lot, and the place in it."""
        return self.lot.age, self.place

    def take_loss(self, amount: Money, since: dt.date) -> None:
        """Take a disallowed loss into the basis, and the holding period of what was sold."""
        self._leave_ranking()
        self.since = since
        self._set_basis(self.basis + amount)
        self._enter_ranking()

    def _ranked_anew_at(self, place: Quantity) -> None:
        self._leave_ranking()
        self.place = place
        self._enter_ranking()

    def _leave_ranking(self) -> None:
        ranking = self.lot.row.ranking if self.lot.row is not None else None
        if ranking is not None:
            ranking.discard(self)

    def _enter_ranking(self) -> None:
        ranking = self.lot.row.ranking if self.lot.row is not None else None
        if ranking is not None:
            ranking.add(self)

    def _set_basis(self, basis: Money) -> None:
        self.basis = basis
        self.unit = _UNIT.divide(basis, self.quantity)

    def add_basis(self, amount: Money) -> None:
        """Raise the basis by *amount*, or count its unit anew."""
        self._leave_ranking()
        self._set_basis(self.basis + amount)
        self._enter_ranking()


class LotRow:
    """One lot in one account: its pieces, front first."""

    __slots__ = (
        "account",
        "acquired",
        "id",
        "is_purchase",
        "pieces",
        "pieces_made",
        "purchase",
        "row",
        "scale",
        "sequence",
        "symbol",
    )

    def __init__(  # noqa: PLR0913  what a lot is born with
        self,
        *,
        account: TaxAccount,
        symbol: str,
        id: str,  # noqa: A002  a lot's id
        acquired: dt.date,
        sequence: int,
        purchase: str,
        is_purchase: bool,
    ) -> None:
        """A lot without units; `sequence` is its place among all acquisitions."""
        self.account = account
        self.symbol = symbol
        self.id = id
        self.acquired = acquired
        self.sequence = sequence
        self.purchase = purchase
        self.is_purchase = is_purchase
        self.pieces: list[Piece] = []
        self.pieces_made = count(1)
        self.scale: Quantity = ONE
        self.row: Row | None = None

    @property
    def age(self) -> tuple[dt.date, int]:
        """What "first in" means: the actual acquisition, then the order of the records."""
        return self.acquired, self.sequence

    def put_front(self, front: Piece) -> None:
        """Place *front*, cut from what follows it, in the row under a name of its own."""
        front.name = f"{next(self.pieces_made)}"
        self.put(front)

    def put(self, piece: Piece) -> None:
        """Take in *piece* at its place."""
        insort(self.pieces, piece, key=_place)
        if self.row is not None and self.row.ranking is not None:
            self.row.ranking.add(piece)


class Take(NamedTuple):
    """Units that a sale or a transfer takes from one piece."""

    piece: Piece
    quantity: Quantity


class Row:
    """All lots of one symbol in one account, the oldest first."""

    __slots__ = ("by_id", "lots", "quantity", "ranking")

    def __init__(self) -> None:
        """Nothing held."""
        self.lots: list[LotRow] = []
        self.by_id: dict[str, LotRow] = {}
        self.quantity: Quantity = ZERO
        self.ranking: Ranking | None = None

    def pieces(self) -> Iterator[Piece]:
        """Every piece: lots first in, first out, and the front of each first."""
        for lot in self.lots:
            yield from lot.pieces

    def lot(self, lot_id: str) -> LotRow | None:
        """The lot of that id, if it is held here."""
        return self.by_id.get(lot_id)

    def add(self, lot: LotRow, quantity: Quantity) -> None:
        """Take in *lot*, which holds *quantity* units already."""
        insort(self.lots, lot, key=_age)
        self.by_id[lot.id] = lot
        self.quantity += quantity
        lot.row = self
        if self.ranking is not None:
            for piece in lot.pieces:
                self.ranking.add(piece)

    def remove(self, take: Take) -> Piece:
        """Take units out; gives them as a piece of their own."""
        piece, quantity = take
        self.quantity -= quantity
        if quantity < piece.quantity:
            return piece.cut(quantity)
        lot = piece.lot
        if self.ranking is not None:
            self.ranking.discard(piece)
        lot.pieces.remove(piece)
        if not lot.pieces:
            at = bisect_left(self.lots, lot.age, key=_age)
            while self.lots[at] is not lot:  # parts of one lot that met again are of one age
                at += 1
            del self.lots[at]
            del self.by_id[lot.id]
        return piece

    def ranked(self) -> Ranking:
        """The pieces by the basis of a unit; kept from the first sale that asks."""
        if self.ranking is None:
            self.ranking = Ranking(self.pieces())
        return self.ranking

    def split(self, numerator: int, denominator: int, told: Mapping[str, Quantity]) -> None:
        """Let every unit become others, as many of each lot as *told* where the books rounded."""
        self.ranking = None
        self.quantity = self.quantity * numerator / denominator
        for lot in self.lots:
            lot.scale = lot.scale * numerator / denominator
            for piece in lot.pieces:
                piece.quantity = piece.quantity * numerator / denominator
        if told:
            self.round_to(told)
        for piece in self.pieces():
            piece.add_basis(ZERO)

    def restate(self, transaction: Transaction) -> None:
        """Let a lot have cost what the books now say; what wash sales added stays on top.

        Raises:
            InputError: there is no such lot.
        """
        lot = self.by_id.get(transaction.lot_id)
        if lot is None:
            msg = f"{_where(transaction)}: no lot {transaction.lot_id!r} is held: name one that is."
            raise InputError(msg)
        left = (transaction.basis or ZERO) - sum((piece.paid for piece in lot.pieces), ZERO)
        units = sum((piece.quantity for piece in lot.pieces), ZERO)
        for piece in lot.pieces:
            part = exact_share(left, piece.quantity, units)
            left -= part
            units -= piece.quantity
            piece.paid += part
            piece.add_basis(part)

    def round_to(self, quantities: Mapping[str, Quantity]) -> None:
        """Let each lot have as many units as the books say after a split that rounded.

        A lot that rounded to nothing hands its basis to the next one, as the books do.
        """
        basis = paid = ZERO
        for lot in list(self.lots):
            if lot.id not in quantities:
                basis += sum((piece.basis for piece in lot.pieces), ZERO)
                paid += sum((piece.paid for piece in lot.pieces), ZERO)
                for piece in list(lot.pieces):
                    self.remove(Take(piece, piece.quantity)).quantity = ZERO
                continue
            last = lot.pieces[-1]
            excess = quantities[lot.id] - sum((piece.quantity for piece in lot.pieces), ZERO)
            last.quantity += excess
            self.quantity += excess
            last.basis += basis
            last.paid += paid
            basis = paid = ZERO
        if self.lots:
            self.lots[-1].pieces[-1].basis += basis
            self.lots[-1].pieces[-1].paid += paid


def moved(lot: LotRow, account: TaxAccount, name: str) -> LotRow:
    """An empty twin of *lot* in another account: basis and dates go with the units."""
    twin = LotRow(
        account=account,
        symbol=lot.symbol,
        id=name,
        acquired=lot.acquired,
        sequence=lot.sequence,
        purchase=lot.purchase,
        is_purchase=lot.is_purchase,
    )
    twin.pieces_made = lot.pieces_made
    twin.scale = lot.scale
    return twin


def tax_lot(piece: Piece) -> TaxLot:
    """*piece* as a value."""
    lot = piece.lot
    return TaxLot(
        account=lot.account.id,
        lot_id=lot.id,
        piece=piece.name,
        symbol=lot.symbol,
        quantity=piece.quantity,
        basis=piece.basis,
        paid=piece.paid,
        acquired=lot.acquired,
        holding_since=piece.since,
        is_purchase=lot.is_purchase,
        is_used=piece.is_used,
        purchase=lot.purchase,
    )


def _place(piece: Piece) -> Quantity:
    return piece.place


def _age(lot: LotRow) -> tuple[dt.date, int]:
    return lot.age


def _where(transaction: Transaction) -> str:
    return transaction.source or f"transaction {transaction.id}"
