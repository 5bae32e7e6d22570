"""What comes before a lot where an account, or the household's policy, has an order of lots."""

from trimtab.domain.numbers import ZERO, Quantity
from trimtab.domain.trades import Trade
from trimtab.domain.values import Lot, Relief
from trimtab.rules.plan.lot_order import as_booked, method_of
from trimtab.rules.plan.reasons import ORDERS
from trimtab.rules.plan.yardstick import Yardstick
from trimtab.rules.tax.lots import selling_order
from trimtab.rules.words import units


def ahead_of(yardstick: Yardstick, lot: Lot, trade: Trade) -> str | None:
    """Which order keeps *lot* from taking the place of *trade*; None where none does.

    In the place of the sale itself all lots that come first count, for the sale would take those;
    elsewhere what the plan leaves of them.
    """
    account = yardstick.account(lot.account)
    orders = yardstick.planning.policy.orders
    method = method_of(account, orders.lot_method)
    if method == "min_tax":
        return None
    lots = yardstick.held(lot.account, lot.symbol)
    if method == "specified":
        rank = {name: number for number, name in enumerate(orders.specified)}
        name = _named(lot, rank)
        if name is None:
            return "the policy's lot_method is specified, and it does not name this lot"
        named = [one for one in lots if _named(one, rank) is not None]
        lots = sorted(named, key=lambda one: (rank[_named(one, rank) or ""], one.age))
    elif account.relief is Relief.HIFO:
        lots = as_booked(lots)
    else:
        lots = selling_order(lots, method, price=ZERO, on=yardstick.today, tax=None)
    before = lots[: [one.id for one in lots].index(lot.id)]
    is_here = (lot.account, lot.symbol) == (trade.account, trade.symbol)
    count = sum((one.quantity if is_here else yardstick.left[one.id] for one in before), ZERO)
    return _said(account.relief, ORDERS[method], lot.account, count) if count > 0 else None


def _said(relief: Relief, order: str, account: str, count: Quantity) -> str:
    one = count == 1
    come = f"{units(count)} other {'unit comes' if one else 'units come'} before it"
    if relief is Relief.SPECIFIC:
        return f"the policy's lot_method is {order}, and {come}"
    return f"{account} books {order}, and {come}"


def _named(lot: Lot, rank: dict[str, int]) -> str | None:
    """By which name the policy means *lot*, its own or that of the whole of which it is a piece."""
    return next((name for name in (lot.id, lot.root) if name in rank), None)
