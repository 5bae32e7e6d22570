"""The paper broker's trading desk: which orders it takes, and how they work, fill and end.

Each method takes books and gives books; nothing is kept here but what the desk stands on.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from trimtab.domain.errors import DataSuspect
from trimtab.domain.numbers import (
    BASIS_POINT,
    CENT,
    ZERO,
    Money,
    Price,
    Quantity,
    round_to_step,
    to_cents,
)
from trimtab.domain.policy import PaperRule
from trimtab.domain.ports import Calendars, Clock, Prices
from trimtab.domain.trades import Fill, LotPick, Order, OrderStatus, Side
from trimtab.domain.values import (
    Account,
    Instrument,
    InstrumentKind,
    Lot,
    Quote,
    Relief,
    trade_date,
)
from trimtab.lab.faults import Faults
from trimtab.lab.paper_books import (
    Books,
    PaperOrder,
    book_fill,
    free_lots,
    free_quantity,
    lots_to_sell,
)


class Desk(Struct, frozen=True, kw_only=True):
    """What trading on paper stands on: who may trade what, at which prices, when and for how much.

    `settlement` gives the settlement date of a trade date; crypto settles the same day.
    """

    accounts: Mapping[str, Account]
    instruments: Mapping[str, Instrument]
    prices: Prices
    calendars: Calendars
    clock: Clock
    rule: PaperRule
    settlement: Callable[[dt.date], dt.date]
    faults: Faults
    base_currency: str

    def reason_to_refuse(self, books: Books, order: Order) -> str | None:
        """Why *order* cannot be accepted, in one sentence; None when it can."""
        return (
            self._fault_of_form(books, order)
            or self._fault_of_time(order)
            or self._fault_of_means(books, order)
            or self.faults.rejection(order)
        )

    def accepted(self, books: Books, order: Order) -> Books:
        """*books* with *order*, and with what fills of it at once."""
        known = PaperOrder(
            order=order,
            broker_id=f"paper-{books.counter + 1}",
            relief=self.accounts[order.account].relief,
        )
        books = replace(books, counter=books.counter + 1).with_order(known)
        return self._tried(books, known)

    def worked(self, books: Books) -> Books:
        """*books* after every working order has expired, filled or gone on working."""
        now = self.clock.now()
        for known in books.working():
            if now >= known.order.good_until:
                text = f"expired at {_minute(known.order.good_until)}"
                books = books.with_order(replace(known, status=OrderStatus.EXPIRED, text=text))
            else:
                books = self._tried(books, known)
        return books

    def canceled(self, books: Books, known: PaperOrder) -> Books:
        """*books* after a request to cancel the rest of an order; a final one stays as it is."""
        order = known.order
        if known.status is not OrderStatus.WORKING:
            return books
        if self._is_open(order.symbol) and self.faults.fills_before_cancel(order):
            price = self._price_now(order) or order.limit
            books = self._filled(books, known, known.remaining, price)
            known = books.orders[order.id]
        if known.status is OrderStatus.FILLED:
            return books
        return books.with_order(replace(known, status=OrderStatus.CANCELED, text="canceled"))

    def reserved(self, books: Books, account: str) -> Money:
        """Money that the working purchases of *account* may still need."""
        reserved = ZERO
        for known in books.working(account):
            if known.order.side is Side.BUY:
                value = known.remaining * known.order.limit
                reserved += value + self._fee(value, is_first=known.executions == 0)
        return reserved

    def _fault_of_form(self, books: Books, order: Order) -> str | None:
        if order.account not in self.accounts or order.account not in books.accounts:
            return unknown_account(order.account)
        instrument = self.instruments.get(order.symbol)
        if instrument is None:
            return (
                f"The paper broker does not know {order.symbol}: add [instruments.{order.symbol}] "
                "to household.toml."
            )
        if order.quantity <= 0 or order.quantity % instrument.step != 0:
            return (
                f"An order for {order.quantity} {order.symbol} cannot be placed: the quantity must "
                f"be a multiple of {instrument.step} and more than zero."
            )
        if order.limit <= 0:
            return (
                f"An order for {order.symbol} with a limit of {order.limit} cannot be placed: the "
                "limit must be more than zero."
            )
        return None

    def _fault_of_time(self, order: Order) -> str | None:
        now, instrument = self.clock.now(), self.instruments[order.symbol]
        if now >= order.good_until:
            return (
                f"The order for {order.symbol} was good until {_minute(order.good_until)} and it "
                f"is {_minute(now)}: plan again."
            )
        hours = self.calendars.hours(instrument.calendar, now)
        if not hours.is_open:
            opens = "" if hours.opens is None else f" It opens at {_minute(hours.opens)}."
            return (
                f"The market for {order.symbol} ({instrument.calendar}) is closed at "
                f"{_minute(now)}: send the order when it is open.{opens}"
            )
        if self._quote(order.symbol, now) is None:
            return f"{order.symbol} has no usable quote at {_minute(now)}: try again later."
        return None

    def _fault_of_means(self, books: Books, order: Order) -> str | None:
        if order.side is Side.BUY:
            return self._fault_of_money(books, order)
        free = free_quantity(books, order.account, order.symbol)
        if order.quantity > free:
            return (
                f"Account {order.account} can sell {free} {order.symbol} after working orders, not "
                f"{order.quantity}."
            )
        if order.lots and self.accounts[order.account].relief is Relief.SPECIFIC:
            return _fault_of_lots(free_lots(books, order.account, order.symbol), order)
        return None

    def _fault_of_money(self, books: Books, order: Order) -> str | None:
        quote = self._quote(order.symbol, self.clock.now())
        assert quote is not None, "the quote was checked before the money"
        value = order.quantity * min(quote.ask, order.limit)
        cost = value + self._fee(value, is_first=True)
        cash = books.accounts[order.account].cash.get(self.base_currency, ZERO)
        free = cash - self.reserved(books, order.account)
        if cost <= free:
            return None
        return (
            f"Account {order.account} has {free} {self.base_currency} to spend after working "
            f"orders, and {order.quantity} {order.symbol} cost {cost} with fees: buy less."
        )

    def _tried(self, books: Books, known: PaperOrder) -> Books:
        """*books* after what the quote and the counterparties allow of a working order."""
        price = self._price_now(known.order)
        if price is None:
            return books
        step = self.instruments[known.order.symbol].step
        return self._filled(
            books, known, self.faults.portion(known.order, known.remaining, step), price
        )

    def _filled(self, books: Books, known: PaperOrder, quantity: Quantity, price: Price) -> Books:
        """*books* after an execution of *quantity*, or of what the account can pay of it."""
        order, now = known.order, self.clock.now()
        picks: tuple[LotPick, ...] = ()
        if order.side is Side.BUY:
            quantity = self._affordable(books, known, quantity, price)
        else:
            picks = lots_to_sell(books, known, quantity)
        if quantity == 0:
            return books
        value, today = quantity * price, trade_date(now)
        is_crypto = self.instruments[order.symbol].kind is InstrumentKind.CRYPTO
        fee = self._fee(value, is_first=known.executions == 0)
        fill = Fill(
            id=f"{order.id}:{known.executions + 1}",
            account=order.account,
            order_id=order.id,
            symbol=order.symbol,
            side=order.side,
            quantity=quantity,
            price=price,
            fee=fee if order.side is Side.BUY else min(fee, value),
            at=now,
            settles_on=today if is_crypto else self.settlement(today),
        )
        return book_fill(books, fill, picks, self.base_currency)

    def _affordable(
        self, books: Books, known: PaperOrder, quantity: Quantity, price: Price
    ) -> Quantity:
        """*quantity*, or as much of it as the account's cash pays for."""
        is_first = known.executions == 0
        cash = books.accounts[known.order.account].cash.get(self.base_currency, ZERO)
        if quantity * price + self._fee(quantity * price, is_first=is_first) <= cash:
            return quantity
        flat_fee = self.rule.fee_per_order if is_first else ZERO
        unit = price * (1 + self.rule.fee_bps * BASIS_POINT)
        most = max(ZERO, (cash - flat_fee - CENT) / unit)  # a cent, for the rounding of the fee
        return round_to_step(most, self.instruments[known.order.symbol].step)

    def _fee(self, value: Money, *, is_first: bool) -> Money:
        """What an execution of *value* costs, half up to the cent; the flat fee once an order."""
        flat_fee = self.rule.fee_per_order if is_first else ZERO
        return to_cents(flat_fee + value * self.rule.fee_bps * BASIS_POINT)

    def _price_now(self, order: Order) -> Price | None:
        """What *order* fills at now; None when the market is closed or the limit forbids it."""
        if not self._is_open(order.symbol):
            return None
        quote = self._quote(order.symbol, self.clock.now())
        if quote is None:
            return None
        if order.side is Side.BUY:
            return quote.ask if quote.ask <= order.limit else None
        return quote.bid if quote.bid >= order.limit else None

    def _is_open(self, symbol: str) -> bool:
        instrument = self.instruments.get(symbol)
        if instrument is None:
            return False
        return self.calendars.hours(instrument.calendar, self.clock.now()).is_open

    def _quote(self, symbol: str, now: dt.datetime) -> Quote | None:
        """The quote of *symbol*, with the rule's spread if it has none; None if unusable."""
        try:
            quote = self.prices.quotes([symbol], now).get(symbol)
        except DataSuspect:
            return None
        if quote is None or quote.bid <= 0 or quote.ask < quote.bid:
            return None
        if quote.bid < quote.ask:
            return quote
        is_crypto = self.instruments[symbol].kind is InstrumentKind.CRYPTO
        spread_bps = self.rule.crypto_spread_bps if is_crypto else self.rule.spread_bps
        half = quote.price * spread_bps * BASIS_POINT / 2
        return replace(quote, bid=quote.bid - half, ask=quote.ask + half)


def _fault_of_lots(free: Sequence[Lot], order: Order) -> str | None:
    """What is wrong with the lots that a sale names, given those that are *free*."""
    named: dict[str, Quantity] = {}
    for pick in order.lots:
        named[pick.lot_id] = named.get(pick.lot_id, ZERO) + pick.quantity
    total = sum(named.values(), ZERO)
    if len(named) != len(order.lots) or total != order.quantity:
        return (
            f"The lots named for the sale of {order.quantity} {order.symbol} add up to {total} in "
            f"{len(order.lots)} picks: name each lot once, for exactly the quantity."
        )
    available = {lot.id: lot.quantity for lot in free}
    for lot_id, quantity in named.items():
        if quantity <= 0 or quantity > available.get(lot_id, ZERO):
            return (
                f"Lot {lot_id} has {available.get(lot_id, ZERO)} {order.symbol} free in account "
                f"{order.account}, and the sale names {quantity}: plan again."
            )
    return None


def unknown_account(account: str) -> str:
    """The sentence about an account that is not there."""
    return (
        f"The paper broker holds no account {account!r}: list it under [accounts] with "
        "broker = 'paper' and open it first."
    )


def _minute(at: dt.datetime) -> str:
    return f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"
