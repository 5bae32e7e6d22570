"""Which lots a broker books by its own order, where nobody may name them."""

from trimtab.domain.numbers import ZERO, Quantity
from trimtab.domain.trades import LotPick
from trimtab.domain.values import Relief
from trimtab.rules.tax.ledger import Ledger


def sold_first(ledger: Ledger, account: str, symbol: str, relief: Relief) -> list[tuple[str, str]]:
    """Lots and pieces in the order in which the broker books them; empty where one may name.

    A standing order for the highest cost ranks by what was paid, as plan and booking do: the
    household's wash adjustments stand in no broker's books.
    """
    row = ledger.held(account, symbol)
    if row is None or relief is Relief.SPECIFIC:
        return []
    pieces = list(row.pieces())
    if relief is Relief.HIFO:
        pieces.sort(key=lambda piece: -(piece.paid / piece.quantity))
    return [(piece.lot.id, piece.name) for piece in pieces]


def booked_picks(
    ledger: Ledger, account: str, symbol: str, quantity: Quantity, relief: Relief
) -> tuple[LotPick, ...]:
    """The lots that the broker books when *quantity* is sold; fewer where less is held."""
    row = ledger.held(account, symbol)
    if row is None:
        return ()
    there = {(piece.lot.id, piece.name): piece.quantity for piece in row.pieces()}
    picks, left = [], quantity
    for lot_id, name in sold_first(ledger, account, symbol, relief):
        part = min(left, there[lot_id, name])
        if part > ZERO:
            picks.append(LotPick(lot_id=lot_id, quantity=part, piece=name))
            left -= part
    return tuple(picks)
