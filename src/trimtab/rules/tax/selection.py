"""Which pieces a sale or a transfer takes from a row, by its method."""

from collections.abc import Iterator
from decimal import Context, Decimal

from trimtab.domain.errors import InputError
from trimtab.domain.history import Transaction
from trimtab.domain.numbers import ZERO, Money, Price, Quantity, Weight
from trimtab.domain.trades import LotPick
from trimtab.rules.tax.lots import long_term_from
from trimtab.rules.tax.pieces import LotRow, Piece, Row, Take

SLIVER = Decimal("1E-20")
"""Fewer units than this is what dividing leaves over: they go with what they are left of."""
_UNIT = Context(prec=15)
"""Tax on a unit that differs by less than this shows ranks as equal: a tie is decided by age."""


def select(
    row: Row, transaction: Transaction, net_price: Price, rates: tuple[Weight, Weight] | None
) -> list[Take]:
    """The units that *transaction* takes from *row*, by its method.

    `hifo` ranks by the wash-adjusted basis known at the sale, `min_tax` by the tax on a unit at
    *rates* (short, long); ties go to the older unit. `specified` takes the named units only.

    Raises:
        InputError: there are too few units, a lot is not held, or the picks do not add up.
    """
    if transaction.quantity > row.quantity + SLIVER:
        msg = (
            f"{_where(transaction)}: {transaction.quantity:f} {transaction.symbol} leave "
            f"{transaction.account}, which holds {row.quantity:f}: tell of purchases before the "
            "records with `opening` lines, of a split with `split` and its ratio, and of a "
            "transfer in with its lots (a short sale is not judged here)."
        )
        raise InputError(msg)
    match transaction.method:
        case "fifo":
            return _first(row.pieces(), transaction.quantity)
        case "lifo":
            latest = (piece for lot in reversed(row.lots) for piece in lot.pieces)
            return _first(latest, transaction.quantity)
        case "hifo":
            return _first(row.ranked().dearest(), transaction.quantity)
        case "min_tax":
            return _first(_by_tax(row, transaction, net_price, rates), transaction.quantity)
        case "specified":
            return _specified(row, transaction)


def _by_tax(
    row: Row, transaction: Transaction, net_price: Price, rates: tuple[Weight, Weight] | None
) -> Iterator[Piece]:
    """The pieces of *row*, the least tax on a unit first."""
    if rates is None:
        msg = (
            f"{_where(transaction)}: the method min_tax needs the household's rates: give them, "
            "or name another method."
        )
        raise InputError(msg)
    if min(rates) > 0:
        return row.ranked().least_taxed(net_price, transaction.date, rates)
    short, long = rates
    sold = transaction.date

    def tax(piece: Piece) -> Money:
        rate = long if sold >= long_term_from(piece.since) else short
        return _UNIT.plus((net_price - piece.unit) * rate)

    return iter(sorted(row.pieces(), key=tax))


def _first(pieces: Iterator[Piece], quantity: Quantity) -> list[Take]:
    takes, left = [], quantity
    for piece in pieces:
        if left <= SLIVER:
            break
        part = _part(left, piece.quantity)
        takes.append(Take(piece, part))
        left -= part
    return takes


def _part(wanted: Quantity, there: Quantity) -> Quantity:
    """What is taken of a piece; all of it where only what dividing leaves over would stay."""
    return there if there - wanted < SLIVER else wanted


def _specified(row: Row, transaction: Transaction) -> list[Take]:
    named = sum((pick.quantity for pick in transaction.picks), ZERO)
    if abs(named - transaction.quantity) > SLIVER or any(
        p.quantity <= 0 for p in transaction.picks
    ):
        msg = (
            f"{_where(transaction)}: the lots named make {named:f} {transaction.symbol}, the "
            f"trade is of {transaction.quantity:f}: name lots for exactly the quantity (a sale by "
            "specific identification never spills into lots that were not named)."
        )
        raise InputError(msg)
    takes: list[Take] = []
    taken: dict[Piece, Quantity] = {}
    for pick in transaction.picks:
        for take in _of_lot(row, pick, transaction, taken):
            taken[take.piece] = taken.get(take.piece, ZERO) + take.quantity
            takes.append(take)
    return _joined(takes)


def _of_lot(
    row: Row, pick: LotPick, transaction: Transaction, taken: dict[Piece, Quantity]
) -> list[Take]:
    lot = row.lot(pick.lot_id)
    pieces = [] if lot is None else _piece_first(lot, pick.piece)
    free = {piece: piece.quantity - taken.get(piece, ZERO) for piece in pieces}
    if sum(free.values(), ZERO) < pick.quantity - SLIVER:
        msg = (
            f"{_where(transaction)}: {pick.quantity:f} {transaction.symbol} of lot {pick.lot_id} "
            f"leave {transaction.account}, which holds {sum(free.values(), ZERO):f} of it: name "
            "lots that the account holds."
        )
        raise InputError(msg)
    takes, left = [], pick.quantity
    for piece, there in free.items():
        if left <= SLIVER:
            break
        part = _part(left, there)
        if part > 0:
            takes.append(Take(piece, part))
            left -= part
    return takes


def _piece_first(lot: LotRow, name: str | None) -> list[Piece]:
    """The lot's pieces, the one that was named before the others."""
    if name is None:
        return list(lot.pieces)
    return sorted(lot.pieces, key=lambda piece: piece.name != name)


def _joined(takes: list[Take]) -> list[Take]:
    """Takes of one piece together, so that each piece is taken from once."""
    joined: dict[Piece, Quantity] = {}
    for piece, quantity in takes:
        joined[piece] = joined.get(piece, ZERO) + quantity
    return [Take(piece, quantity) for piece, quantity in joined.items()]


def _where(transaction: Transaction) -> str:
    return transaction.source or f"transaction {transaction.id}"
