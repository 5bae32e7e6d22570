"""The order of things: fills of one order together, and shares of one sale by age."""

import datetime as dt
from collections.abc import Iterable, Iterator

from trimtab.domain.history import Transaction, TransactionKind
from trimtab.rules.tax.pieces import Take


def by_order(transactions: Iterable[Transaction]) -> Iterator[list[Transaction]]:
    """*transactions* one by one, the fills of one order to sell that follow each other together."""
    fills: list[Transaction] = []
    for transaction in transactions:
        if fills and not _is_one_order(fills[-1], transaction):
            yield fills
            fills = []
        fills.append(transaction)
    if fills:
        yield fills


def order_of_disposition(take: Take) -> tuple[tuple[dt.date, int], int]:
    """Inside one sale: the older lot first, and the front of each (26 CFR 1.1091-1(b))."""
    lot = take.piece.lot
    return lot.age, lot.pieces.index(take.piece)


def _is_one_order(first: Transaction, second: Transaction) -> bool:
    return (
        first.kind is second.kind is TransactionKind.SELL
        and first.order_id == second.order_id != ""
        and (first.account, first.symbol) == (second.account, second.symbol)
    )
