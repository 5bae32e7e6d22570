"""A sale booked again: its broker was told after the sale, and in time, which lots it takes."""

from msgspec.structs import replace

from trimtab.domain.events import Entry, OrderFilled, SaleRebooked
from trimtab.domain.memory import Memory, OrderMemory, remember
from trimtab.domain.numbers import ZERO
from trimtab.domain.values import Account
from trimtab.rules.booking import book
from trimtab.rules.tax.identification import lots_before_sale


def rebooked(order_id: str, memory: Memory, account: Account) -> SaleRebooked | None:
    """The sale as it is booked by what *memory* knows now; None where that changes nothing.

    None as well where something was done since that stands on how it was booked.
    """
    known = memory.orders.get(order_id)
    if known is None or not is_rebookable(known, memory):
        return None
    order = known.order
    draft = replace(
        memory,
        lots=lots_before_sale(memory, order_id),
        disposals=(),
        orders={**memory.orders, order_id: replace(known, filled=ZERO, fills=())},
    )
    for fill in known.fills:
        event = book(fill, draft, account, {})
        assert isinstance(event, OrderFilled), "a fill is booked as one"
        entry = Entry(sequence=0, at=fill.at, cycle="", event=event, hash="")
        draft = remember(draft, (entry,))
    if draft.disposals == tuple(sale for sale in memory.disposals if sale.order_id == order_id):
        return None
    place = (order.account, order.symbol)
    return SaleRebooked(
        order_id=order_id,
        account=order.account,
        symbol=order.symbol,
        disposals=draft.disposals,
        lots=tuple(lot for lot in draft.lots.values() if (lot.account, lot.symbol) == place),
    )


def is_rebookable(known: OrderMemory, memory: Memory) -> bool:
    """Whether an order has sold, and nothing was sold, split or taken over there since."""
    order = known.order
    if not known.fills:
        return False
    place, first = (order.account, order.symbol), min(fill.at for fill in known.fills)
    here = [sale.order_id for sale in memory.disposals if (sale.account, sale.symbol) == place]
    since = here[here.index(order.id) :] if order.id in here else []
    opened_at = memory.opened_at.get(order.account)
    return (
        set(since) == {order.id}
        and all(one.at < first for one in memory.splits if (one.account, one.symbol) == place)
        and (opened_at is None or opened_at <= first)
    )
