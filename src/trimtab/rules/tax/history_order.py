"""The order of things: fills of one order together, and shares of one sale by age."""

import datetime as dt
from collections.abc import Iterable, Iterator

from trimtab.domain.history import Transaction, TransactionKind
from trimtab.rules.tax.pieces import Take


def by_order(transactions: Iterable[Transaction]) -> Iterator[list[Transaction]]:
    """*transactions* one by one, the fills of one order to sell on one day together.

    Where something else of the same symbol happened in the account between two fills, they stay
    apart: the second may sell what came in between.
    """
    day: list[Transaction] = []
    for transaction in transactions:
        if day and day[-1].date != transaction.date:
            yield from _fills_together(day)
            day = []
        day.append(transaction)
    yield from _fills_together(day)


def _fills_together(day: list[Transaction]) -> Iterator[list[Transaction]]:
    gone: set[int] = set()
    for number, transaction in enumerate(day):
        if number in gone:
            continue
        fills = [transaction]
        if transaction.kind is TransactionKind.SELL and transaction.order_id:
            for later in range(number + 1, len(day)):
                if _is_one_order(transaction, day[later]):
                    fills.append(day[later])
                    gone.add(later)
                elif _touches(day[later], transaction):
                    break
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


def _touches(other: Transaction, sale: Transaction) -> bool:
    """Whether *other* changes what *sale*'s account holds of its symbol."""
    return other.symbol == sale.symbol and sale.account in {other.account, other.to_account}
