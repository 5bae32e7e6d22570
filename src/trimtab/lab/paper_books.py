"""The paper broker's books: accounts, lots and orders as frozen values, and every change to them.

Pure functions from books to books. A sale takes lots by the account's relief and their basis by
`share_of`, so that whoever books the same fills elsewhere agrees to the last digit.
"""

import datetime as dt
from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from trimtab.domain.memory import Unsettled, unsettled_after
from trimtab.domain.numbers import ZERO, Money, Quantity, share_of, split_quantity
from trimtab.domain.trades import (
    Activity,
    CashMovement,
    Fill,
    LotPick,
    Order,
    OrderStatus,
    Receipt,
    Side,
    Split,
)
from trimtab.domain.values import Lot, Relief, trade_date


class PaperOrder(Struct, frozen=True, kw_only=True):
    """An order that the paper broker accepted, and what has become of it.

    `relief` is the account's at acceptance: lots that an order names count only under `specific`.
    """

    order: Order
    broker_id: str
    relief: Relief
    status: OrderStatus = OrderStatus.WORKING
    filled: Quantity = ZERO
    executions: int = 0
    text: str = ""

    @property
    def remaining(self) -> Quantity:
        """What may still fill while the order works."""
        return self.order.quantity - self.filled

    @property
    def named(self) -> tuple[LotPick, ...]:
        """The lots that the broker will book because the order names them."""
        return self.order.lots if self.relief is Relief.SPECIFIC else ()

    @property
    def receipt(self) -> Receipt:
        """The broker's answer when asked about the order."""
        return Receipt(
            order_id=self.order.id,
            broker_id=self.broker_id,
            status=self.status,
            filled=self.filled,
            text=self.text,
        )


class PaperAccount(Struct, frozen=True, kw_only=True):
    """What one account holds: lots in the order in which they came, cash, and all that happened."""

    lots: tuple[Lot, ...] = ()
    cash: dict[str, Money] = {}
    unsettled: tuple[Unsettled, ...] = ()
    activities: tuple[Activity, ...] = ()

    def positions(self) -> dict[str, Quantity]:
        """Units held by symbol: the sums of the lots."""
        held: dict[str, Quantity] = {}
        for lot in self.lots:
            held[lot.symbol] = held.get(lot.symbol, ZERO) + lot.quantity
        return held

    def unsettled_on(self, day: dt.date) -> Money:
        """Cash that has not settled by *day*: proceeds that are still there."""
        return sum((one.amount for one in self.unsettled if one.settles_on > day), ZERO)


class Books(Struct, frozen=True, kw_only=True):
    """Everything that the paper broker knows; this is what its store keeps.

    `applied` are the ids of the splits and dividends done, so that none is done twice; `counter`
    numbers orders and cash movements.
    """

    accounts: dict[str, PaperAccount] = {}
    orders: dict[str, PaperOrder] = {}
    applied: tuple[str, ...] = ()
    counter: int = 0

    def working(self, account: str | None = None) -> tuple[PaperOrder, ...]:
        """Orders that may still fill, in order of acceptance; of *account* only, if given."""
        return tuple(
            known
            for known in self.orders.values()
            if known.status is OrderStatus.WORKING and account in {None, known.order.account}
        )

    def with_account(self, name: str, account: PaperAccount) -> "Books":
        """The books with *account* as it is now."""
        return replace(self, accounts={**self.accounts, name: account})

    def with_order(self, known: PaperOrder) -> "Books":
        """The books with an order as it is now."""
        return replace(self, orders={**self.orders, known.order.id: known})


def free_quantity(books: Books, account: str, symbol: str) -> Quantity:
    """Units that no working sale has claimed yet."""
    held = books.accounts[account].positions().get(symbol, ZERO)
    claimed = (
        known.remaining
        for known in books.working(account)
        if known.order.side is Side.SELL and known.order.symbol == symbol
    )
    return held - sum(claimed, ZERO)


def free_lots(books: Books, account: str, symbol: str) -> tuple[Lot, ...]:
    """Lots of *symbol*, less what working orders name."""
    named: dict[str, Quantity] = {}
    for known in books.working(account):
        if known.order.symbol == symbol:
            for pick in _picks_after(known.named, known.filled):
                named[pick.lot_id] = named.get(pick.lot_id, ZERO) + pick.quantity
    lots = (lot for lot in books.accounts[account].lots if lot.symbol == symbol)
    return tuple(
        _remainder(lot, named.get(lot.id, ZERO))
        for lot in lots
        if lot.quantity > named.get(lot.id, ZERO)
    )


def lots_to_sell(books: Books, known: PaperOrder, quantity: Quantity) -> tuple[LotPick, ...]:
    """The lots that the broker books for the next *quantity* of a sale, by its relief.

    `specific`: the lots that the order names, in its order; an order that names none is FIFO.
    `hifo`: highest unit cost first, ties oldest first. `fifo`: oldest first. Lots of one day go by
    their ids, which do not depend on the order in which anybody heard of them.
    """
    order = known.order
    if known.named:
        return _first_of(_picks_after(known.named, known.filled), quantity)
    lots = sorted(
        free_lots(books, order.account, order.symbol),
        key=lambda lot: (lot.acquired, lot.id),
    )
    if known.relief is Relief.HIFO:
        lots.sort(key=lambda lot: -lot.unit_cost)
    whole = (LotPick(lot_id=lot.id, quantity=lot.quantity) for lot in lots)
    return _first_of(whole, quantity)


def book_fill(books: Books, fill: Fill, picks: Sequence[LotPick], currency: str) -> Books:
    """The books after *fill*: a sale takes *picks*, a purchase adds one lot with the fill's id."""
    account = books.accounts[fill.account]
    value = fill.quantity * fill.price
    if fill.side is Side.SELL:
        amount = value - fill.fee
        account = replace(account, lots=_less(account.lots, picks))
    else:
        amount = -(value + fill.fee)
        account = replace(account, lots=(*account.lots, _bought(fill, value + fill.fee)))
    account = _with_cash(account, currency, amount)
    account = replace(
        account,
        unsettled=unsettled_after(account.unsettled, fill, account.cash[currency]),
        activities=(*account.activities, fill),
    )
    known = books.orders[fill.order_id]
    filled = known.filled + fill.quantity
    known = replace(
        known,
        filled=filled,
        executions=known.executions + 1,
        status=OrderStatus.FILLED if filled == known.order.quantity else known.status,
    )
    return books.with_account(fill.account, account).with_order(known)


def book_cash(books: Books, movement: CashMovement) -> Books:
    """The books after money came or went without a trade."""
    account = books.accounts[movement.account]
    account = _with_cash(account, movement.currency, movement.amount)
    account = replace(account, activities=(*account.activities, movement))
    return books.with_account(movement.account, account)


def book_split(books: Books, split: Split) -> Books:
    """The books after *split* in its account."""
    account = books.accounts[split.account]
    own = tuple(lot for lot in account.lots if lot.symbol == split.symbol)
    after = {lot.id: lot for lot in split_lots(own, split.numerator, split.denominator)}
    lots = tuple(
        after.get(lot.id, lot)
        for lot in account.lots
        if lot.symbol != split.symbol or lot.id in after
    )
    activities = (*account.activities, split)
    return books.with_account(split.account, replace(account, lots=lots, activities=activities))


def split_lots(lots: Sequence[Lot], numerator: int, denominator: int) -> tuple[Lot, ...]:
    """*lots* of one symbol after a split; together they hold `split_quantity` of the total.

    Each is rounded down and what that leaves goes to the last. A lot that rounds to nothing hands
    its basis to the next one.
    """
    total = sum((lot.quantity for lot in lots), ZERO)
    left, basis = split_quantity(total, numerator, denominator), ZERO
    after: list[Lot] = []
    in_order = sorted(lots, key=lambda lot: (lot.acquired, lot.id))
    for number, lot in enumerate(in_order, start=1):
        rounded = split_quantity(lot.quantity, numerator, denominator)
        quantity = left if number == len(lots) else rounded
        left -= quantity
        basis += lot.basis
        if quantity > 0:
            after.append(replace(lot, quantity=quantity, basis=basis))
            basis = ZERO
    if after:
        after[-1] = replace(after[-1], basis=after[-1].basis + basis)
    return tuple(after)


def _picks_after(picks: Iterable[LotPick], filled: Quantity) -> list[LotPick]:
    """*picks* without the first *filled* units."""
    rest: list[LotPick] = []
    for pick in picks:
        gone = min(pick.quantity, filled)
        filled -= gone
        if pick.quantity > gone:
            rest.append(LotPick(lot_id=pick.lot_id, quantity=pick.quantity - gone))
    return rest


def _first_of(picks: Iterable[LotPick], quantity: Quantity) -> tuple[LotPick, ...]:
    """The first *quantity* units of *picks*."""
    taken: list[LotPick] = []
    for pick in picks:
        part = min(pick.quantity, quantity)
        if part > 0:
            taken.append(LotPick(lot_id=pick.lot_id, quantity=part))
            quantity -= part
    assert quantity == 0, "a sale never takes more than the account holds"
    return tuple(taken)


def _less(lots: Iterable[Lot], picks: Iterable[LotPick]) -> tuple[Lot, ...]:
    """*lots* after *picks* were sold out of them."""
    sold = {pick.lot_id: pick.quantity for pick in picks}
    rest = [(lot, sold.pop(lot.id, ZERO)) for lot in lots]
    assert not sold, "a sale takes only lots that are there"
    return tuple(_remainder(lot, part) for lot, part in rest if lot.quantity != part)


def _remainder(lot: Lot, part: Quantity) -> Lot:
    """What is left of *lot* without *part* of it."""
    assert part < lot.quantity, f"lot {lot.id} was sold twice"
    if part == 0:
        return lot
    basis = lot.basis - share_of(lot.basis, part, lot.quantity)
    return replace(lot, quantity=lot.quantity - part, basis=basis)


def _bought(fill: Fill, basis: Money) -> Lot:
    day = trade_date(fill.at)
    return Lot(
        id=fill.id,
        account=fill.account,
        symbol=fill.symbol,
        quantity=fill.quantity,
        basis=basis,
        acquired=day,
        holding_since=day,
    )


def _with_cash(account: PaperAccount, currency: str, amount: Money) -> PaperAccount:
    balance = account.cash.get(currency, ZERO) + amount
    return replace(account, cash={**account.cash, currency: balance})
