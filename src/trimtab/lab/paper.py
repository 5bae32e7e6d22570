"""The paper broker: real rules, invented money. It is the demo's broker and every rehearsal's.

It fills limit orders at the quote, charges what `[paper]` says, settles, splits, pays dividends
and keeps lots by each account's relief. Its books are saved before it answers, so that a crash
between the act and the answer loses nothing.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from trimtab.domain.errors import BrokerRefused, BrokerUnknown, DataSuspect
from trimtab.domain.numbers import ZERO, Money, to_cents
from trimtab.domain.policy import PaperRule
from trimtab.domain.ports import Calendars, Clock, Prices
from trimtab.domain.trades import (
    AccountReport,
    Activity,
    CashMovement,
    Order,
    OrderStatus,
    Receipt,
    Split,
)
from trimtab.domain.values import Account, Instrument, Lot, trade_date
from trimtab.lab.faults import Call, Faults, NoFaults
from trimtab.lab.paper_books import Books, PaperAccount, PaperOrder, book_cash, book_split
from trimtab.lab.paper_desk import Desk, unknown_account
from trimtab.lab.paper_store import FileStore, MemoryStore, Store
from trimtab.rules.words import listing, money

__all__ = ["FileStore", "MemoryStore", "PaperBroker", "Store"]


class PaperBroker:
    """A broker that holds invented accounts and fills orders at the quotes of *prices*.

    A limit order that the quote satisfies fills at once, a purchase at the ask and a sale at the
    bid. Any other works, and is tried again whenever the broker is asked something, until its
    `good_until`. A purchase never overdraws the account and a sale never exceeds the position.
    *settlement* gives the settlement date of a trade date; crypto settles the same day.
    """

    name = "paper"
    deduplicates = True

    def __init__(  # noqa: PLR0913  a broker stands on everything: who, what, when, at which price
        self,
        *,
        accounts: Mapping[str, Account],
        instruments: Mapping[str, Instrument],
        prices: Prices,
        calendars: Calendars,
        clock: Clock,
        rule: PaperRule,
        store: Store,
        settlement: Callable[[dt.date], dt.date],
        faults: Faults | None = None,
        base_currency: str = "USD",
    ) -> None:
        self._desk = Desk(
            accounts=accounts,
            instruments=instruments,
            prices=prices,
            calendars=calendars,
            clock=clock,
            rule=rule,
            settlement=settlement,
            faults=NoFaults() if faults is None else faults,
            base_currency=base_currency,
        )
        self._store = store
        self._saved: bytes | None = None
        self._books = Books()
        self._read()

    # ------------------------------------------------------------------ the broker port

    def submit(self, order: Order) -> Receipt:
        """Place *order* once; an id that is known already gets the first order's receipt.

        Raises:
            BrokerRefused: definitely not placed; the sentence says why.
            BrokerUnknown: by a fault, or because the books could not be written.
        """
        self._reach("submit")
        books = self._desk.worked(self._read())
        known = books.orders.get(order.id)
        refusal = (
            self._desk.reason_to_refuse(books, order) if known is None else _clash(known, order)
        )
        if refusal is None and known is None:
            books = self._desk.accepted(books, order)
        self._write(books)
        self._reply("submit")
        if refusal is not None:
            raise BrokerRefused(refusal)
        return books.orders[order.id].receipt

    def find(self, account: str, order_id: str) -> Receipt | None:
        """What became of an order; None when the broker knows no such order.

        Raises:
            BrokerUnknown: by a fault.
        """
        self._reach("find")
        books = self._write(self._desk.worked(self._read()))
        known = books.orders.get(order_id)
        if known is None or known.order.account != account or self._desk.faults.hides(order_id):
            return None
        return known.receipt

    def cancel(self, account: str, order_id: str) -> None:
        """Cancel what remains of an order; one that is final or unknown stays as it is.

        Raises:
            BrokerUnknown: by a fault.
        """
        self._reach("cancel")
        books = self._desk.worked(self._read())
        known = books.orders.get(order_id)
        if known is not None and known.order.account == account:
            self._write(self._desk.canceled(books, known))
        self._reply("cancel")

    def activities(self, account: str) -> Sequence[Activity]:
        """Everything that ever happened in *account*.

        Raises:
            BrokerRefused: no such account.
            BrokerUnknown: by a fault.
        """
        self._reach("activities")
        books = self._write(self._desk.worked(self._read()))
        return self._desk.faults.deliver(account, _account_of(books, account).activities)

    def report(self, account: str) -> AccountReport:
        """What *account* holds now, with its lots.

        Raises:
            BrokerRefused: no such account.
            BrokerUnknown: by a fault.
        """
        self._reach("report")
        books = self._write(self._desk.worked(self._read()))
        held, now = _account_of(books, account), self._desk.clock.now()
        cash = held.cash.get(self._desk.base_currency, ZERO)
        return AccountReport(
            account=account,
            at=now,
            positions=held.positions(),
            cash=dict(held.cash),
            settled=max(ZERO, cash - held.unsettled_on(trade_date(now))),
            lots=held.lots,
        )

    # ------------------------------------------------------------------ what the owner does

    def open_account(self, account: str, lots: Sequence[Lot], cash: Mapping[str, Money]) -> bool:
        """Open *account* with *lots* and *cash*; False, and nothing changed, if it is open already.

        Raises:
            BrokerRefused: the household has no such account, or a lot belongs to another.
        """
        if account not in self._desk.accounts:
            raise BrokerRefused(unknown_account(account))
        for lot in lots:
            if lot.account != account or lot.quantity <= 0:
                raise BrokerRefused(
                    f"Lot {lot.id} ({lot.quantity} {lot.symbol} in {lot.account}) cannot open "
                    f"account {account}: give lots of this account with more than nothing in them."
                )
        books = self._read()
        if account in books.accounts:
            return False
        opened = PaperAccount(lots=tuple(lots), cash=dict(cash))
        self._write(books.with_account(account, opened))
        return True

    def deposit(
        self,
        account: str,
        amount: Money,
        currency: str = "USD",
        at: dt.datetime | None = None,
    ) -> CashMovement:
        """Pay *amount* in, or out if it is negative; *at* is now unless given.

        Raises:
            BrokerRefused: no such account, nothing to pay, or more to pay out than is free.
        """
        books = self._read()
        if amount == 0:
            raise BrokerRefused(
                f"0 {currency} moves no money of account {account}: give an amount above zero."
            )
        if -amount > self._free_to_leave(books, account, currency):
            raise BrokerRefused(self._too_much(books, account, -amount, currency))
        movement = CashMovement(
            id=f"cash-{books.counter + 1}",
            account=account,
            currency=currency,
            amount=amount,
            at=at or self._desk.clock.now(),
            is_flow=True,
            text="deposit" if amount > 0 else "withdrawal",
        )
        self._write(book_cash(replace(books, counter=books.counter + 1), movement))
        return movement

    def free_to_leave(self, account: str, currency: str = "USD") -> Money:
        """Cash of *account* that is settled and that no working purchase may need.

        Raises:
            BrokerRefused: no such account.
        """
        return self._free_to_leave(self._read(), account, currency)

    def dividend(
        self, symbol: str, per_unit: Money, at: dt.datetime, currency: str = "USD"
    ) -> tuple[CashMovement, ...]:
        """Pay *per_unit* of *symbol* in every account, to the cent; once for each symbol and date.

        Raises:
            BrokerRefused: the amount is not positive.
        """
        if per_unit <= 0:
            raise BrokerRefused(f"A dividend of {per_unit} on {symbol}: give a positive amount.")
        books = self._read()
        name = f"dividend-{symbol}-{trade_date(at)}"
        if name in books.applied:
            return ()
        paid: list[CashMovement] = []
        for account, held in books.accounts.items():
            amount = to_cents(held.positions().get(symbol, ZERO) * per_unit)
            if amount > 0:
                movement = CashMovement(
                    id=name,
                    account=account,
                    currency=currency,
                    amount=amount,
                    at=at,
                    is_flow=False,
                    text=f"dividend of {per_unit} a unit on {symbol}",
                )
                books = book_cash(books, movement)
                paid.append(movement)
        self._write(replace(books, applied=(*books.applied, name)))
        return tuple(paid)

    def apply_split(
        self, symbol: str, numerator: int, denominator: int, at: dt.datetime
    ) -> tuple[Split, ...]:
        """Split *symbol* in every account and cancel its working orders; once for each date.

        Raises:
            BrokerRefused: a number is not positive.
        """
        if numerator <= 0 or denominator <= 0:
            raise BrokerRefused(
                f"A split of {symbol} of {numerator} for {denominator}: give two positive numbers."
            )
        books = self._read()
        name = f"split-{symbol}-{trade_date(at)}"
        if name in books.applied:
            return ()
        for known in books.working():
            if known.order.symbol == symbol:
                books = books.with_order(
                    replace(known, status=OrderStatus.CANCELED, text=f"{symbol} was split")
                )
        splits: list[Split] = []
        for account, held in books.accounts.items():
            if symbol in held.positions():
                split = Split(
                    id=name,
                    account=account,
                    symbol=symbol,
                    numerator=numerator,
                    denominator=denominator,
                    at=at,
                )
                books = book_split(books, split)
                splits.append(split)
        self._write(replace(books, applied=(*books.applied, name)))
        return tuple(splits)

    def _free_to_leave(self, books: Books, account: str, currency: str) -> Money:
        held = _account_of(books, account)
        cash = held.cash.get(currency, ZERO)
        if currency != self._desk.base_currency:
            return cash
        today = trade_date(self._desk.clock.now())
        claimed = max(held.unsettled_on(today), self._desk.reserved(books, account))
        return max(ZERO, cash - claimed)

    def _too_much(self, books: Books, account: str, amount: Money, currency: str) -> str:
        """Why no more than is free can be paid out, where *amount* is asked for."""
        free = self._free_to_leave(books, account, currency)
        held = _account_of(books, account)
        reasons = [f"it holds {money(held.cash.get(currency, ZERO), currency)} in cash"]
        if currency == self._desk.base_currency:
            waiting = held.unsettled_on(trade_date(self._desk.clock.now()))
            wanted = self._desk.reserved(books, account)
            if waiting > 0:
                reasons.append(f"{money(waiting, currency)} of it is not settled yet")
            if wanted > 0:
                reasons.append(f"working purchases may need {money(wanted, currency)} of it")
        return (
            f"At most {money(free, currency)} can be withdrawn from account {account} now, not "
            f"{money(amount, currency)}: {listing(reasons)}."
        )

    # ------------------------------------------------------------------ books and line

    def _read(self) -> Books:
        """The books as the store has them, which another process may have changed."""
        saved = self._store.load()
        if saved != self._saved:
            self._books = Books() if saved is None else _decoded(saved)
            self._saved = saved
        return self._books

    def _write(self, books: Books) -> Books:
        """*books*, saved if they are not the ones that were read."""
        if books is not self._books:
            content = msgspec.json.encode(books)
            self._store.save(content)
            self._books, self._saved = books, content
        return books

    def _reach(self, call: Call) -> None:
        if self._desk.faults.loses_request(call):
            raise BrokerUnknown(_no_answer(call))

    def _reply(self, call: Call) -> None:
        if self._desk.faults.loses_reply(call):
            raise BrokerUnknown(_no_answer(call))


def _clash(known: PaperOrder, order: Order) -> str | None:
    """Why an order with a known id is refused: it is not the same order."""
    if known.order == order:
        return None
    return (
        f"Order {order.id} exists already with other content ({known.order.side} "
        f"{known.order.quantity} {known.order.symbol}): give a new order a new id."
    )


def _account_of(books: Books, account: str) -> PaperAccount:
    if account not in books.accounts:
        raise BrokerRefused(unknown_account(account))
    return books.accounts[account]


def _no_answer(call: Call) -> str:
    return f"The paper broker did not answer `{call}`: it may have happened; look it up."


def _decoded(saved: bytes) -> Books:
    try:
        return msgspec.json.decode(saved, type=Books)
    except msgspec.MsgspecError as error:
        raise DataSuspect(
            f"The paper broker's books cannot be read ({error}): restore them from a copy, or "
            "remove them to start again."
        ) from error
