"""Which lots a broker was told to sell, by when, and what counts where nobody told it.

Shares are identified adequately no later than the earlier of settlement and the time for it under
Rule 15c6-1, the next business day since 28 May 2024; a standing order counts (26 CFR
1.1012-1(c)(8)), and the broker confirms in writing within a reasonable time (1.1012-1(c)(3)). Coins
are identified no later than the date and time of the sale (1.1012-1(j)). What was not identified
goes first in, first out (1.1012-1(c)(1)).
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from trimtab.domain.events import LotsInstructed
from trimtab.domain.memory import Memory, OrderMemory
from trimtab.domain.numbers import ZERO, Quantity, share_of
from trimtab.domain.trades import Fill, LotPick, Side, Trade
from trimtab.domain.values import NEW_YORK, Account, AccountKind, Lot, Relief, trade_date

Settlement = Callable[[dt.date], dt.date]
"""The date on which securities of a trade date settle."""

TOLD_BY_ORDER = frozenset({"paper"})
"""Brokers that take the lots with the order and the relief with the account."""
BY_HAND = "file"
"""The broker of an account whose orders its owner places."""
_CLOSE = dt.time(16)
"""When New York closes on the day of settlement: the last moment that we count on."""
_SATURDAY = 5


class IdentificationState(StrEnum):
    """How far an identification has come; `lapsed` is one that nobody made in time."""

    PLANNED = "planned"
    INSTRUCTED = "instructed"
    CONFIRMED = "confirmed"
    LAPSED = "lapsed"


class Identification(Struct, frozen=True, kw_only=True):
    """The lots of one sale, whose broker only its owner can tell.

    `lots` are the units named, each with its part of the lot's basis. `sold_at` is None while
    nothing is known to be sold; `deadline` then holds for a sale today, or on the day on which the
    broker was told. `sentence` says what is to be done.
    """

    order_id: str
    account: str
    symbol: str
    is_crypto: bool
    lots: tuple[Lot, ...]
    state: IdentificationState
    deadline: dt.datetime
    sentence: str
    sold_at: dt.datetime | None = None
    told_at: dt.datetime | None = None
    confirmed_at: dt.datetime | None = None
    reference: str = ""

    @property
    def quantity(self) -> Quantity:
        """Units of all lots named."""
        return sum((lot.quantity for lot in self.lots), ZERO)


class StandingOrder(Struct, frozen=True, kw_only=True):
    """In which order an account's broker takes lots, by the owner's word, and its confirmation.

    It counts from when it was given; the household's file says that it was.
    """

    account: str
    relief: Relief
    sentence: str
    confirmed_at: dt.datetime | None = None
    reference: str = ""


def needs_instruction(account: Account) -> bool:
    """Whether the owner must tell the broker of *account* which lots each sale takes."""
    return (
        account.relief is Relief.SPECIFIC
        and account.kind.is_taxed
        and account.broker not in TOLD_BY_ORDER
    )


def deadline_of(account: Account, sold_at: dt.datetime, settles_on: dt.date) -> dt.datetime:
    """The last instant at which the broker may be told about a sale: the close of settlement's day.

    For coins, and for what settles on the day of the sale, it is the instant of the sale.
    """
    if account.kind is AccountKind.CRYPTO or settles_on <= trade_date(sold_at):
        return sold_at
    return dt.datetime.combine(settles_on, _CLOSE, NEW_YORK).astimezone(dt.UTC)


def was_told(fill: Fill, memory: Memory, account: Account) -> bool:
    """Whether the lots that a sale names count: its broker was told, by the order or in time."""
    if account.broker in TOLD_BY_ORDER:
        return True
    told = memory.instructions.get(fill.order_id)
    return told is not None and told.told_at <= deadline_of(account, fill.at, fill.settles_on)


def identifications(
    memory: Memory, accounts: Mapping[str, Account], settlement: Settlement, now: dt.datetime
) -> tuple[Identification, ...]:
    """All sales whose lots only the owner can tell, as they stand at *now*, oldest word first.

    They are those told and recorded, those sent to a broker that takes no lots with an order, and
    those of the last plan that the owner has to place.
    """
    found = [_recorded(told, memory, accounts) for told in memory.instructions.values()]
    known = {one.order_id for one in found}
    found += [one for one in _sent(memory, accounts, settlement, now) if one.order_id not in known]
    found += [
        one
        for one in planned_by_hand(memory, accounts, settlement, now)
        if one.order_id not in known
    ]
    return tuple(found)


def planned_by_hand(
    memory: Memory, accounts: Mapping[str, Account], settlement: Settlement, now: dt.datetime
) -> tuple[Identification, ...]:
    """Sales of the last plan in accounts known from files; none that the files no longer fit."""
    plan = None if memory.decision is None else memory.decision.plan
    if plan is None:
        return ()
    found = []
    for leg, trade in enumerate(plan.trades, start=1):
        account = accounts.get(trade.account)
        if account is None or trade.side is not Side.SELL:
            continue
        lots = _named(trade.lots, trade.quantity, memory.lots)
        if account.broker == BY_HAND and needs_instruction(account) and lots:
            deadline = _deadline_if_sold_now(account, settlement, now)
            found.append(
                Identification(
                    order_id=f"{plan.id}-{leg}",
                    account=account.id,
                    symbol=trade.symbol,
                    is_crypto=account.kind is AccountKind.CRYPTO,
                    lots=lots,
                    state=IdentificationState.PLANNED,
                    deadline=deadline,
                    sentence=_not_sold_yet(account, deadline) + _warning(trade, memory),
                )
            )
    return tuple(found)


def standing_orders(memory: Memory, accounts: Iterable[Account]) -> tuple[StandingOrder, ...]:
    """The accounts whose broker takes lots by a standing order that their owner gave."""
    found = []
    for account in accounts:
        is_told = account.broker in TOLD_BY_ORDER
        if account.relief is not Relief.HIFO or not account.kind.is_taxed or is_told:
            continue
        known = memory.standing_orders.get(account.id)
        if known is None or known.relief is not account.relief:
            text = (
                f"{account.id} is planned and booked highest cost first, on your word that its "
                "broker has a standing order for it: the order counts from when you gave it, and "
                "its written confirmation is not recorded yet."
            )
            found.append(StandingOrder(account=account.id, relief=account.relief, sentence=text))
            continue
        text = (
            f"{account.id} is planned and booked highest cost first; its broker confirmed the "
            f"standing order on {day_in_words(known.confirmed_at)} ({known.reference})."
        )
        found.append(
            StandingOrder(
                account=account.id,
                relief=account.relief,
                sentence=text,
                confirmed_at=known.confirmed_at,
                reference=known.reference,
            )
        )
    return tuple(found)


def lots_before_sale(memory: Memory, order_id: str) -> dict[str, Lot]:
    """The lots as they would be without what was booked for an order."""
    lots = dict(memory.lots)
    for sale in memory.disposals:
        if sale.order_id != order_id:
            continue
        lot = lots.get(sale.lot_id)
        if lot is not None:
            quantity, basis = lot.quantity + sale.quantity, lot.basis + sale.basis
            lots[lot.id] = replace(lot, quantity=quantity, basis=basis)
            continue
        lots[sale.lot_id] = Lot(
            id=sale.lot_id,
            account=sale.account,
            symbol=sale.symbol,
            quantity=sale.quantity,
            basis=sale.basis,
            acquired=sale.acquired,
            holding_since=sale.holding_since,
        )
    return lots


def day_in_words(at: dt.datetime | dt.date) -> str:
    """The day in New York: `Tuesday 10 March 2026`."""
    day = at.astimezone(NEW_YORK).date() if isinstance(at, dt.datetime) else at
    return f"{day:%A} {day.day} {day:%B} {day.year}"


def time_in_words(at: dt.datetime) -> str:
    """The instant in New York: `Tuesday 10 March 2026, 16:00 in New York`."""
    return f"{day_in_words(at)}, {at.astimezone(NEW_YORK):%H:%M} in New York"


def _recorded(
    told: LotsInstructed, memory: Memory, accounts: Mapping[str, Account]
) -> Identification:
    account = accounts.get(told.account)
    confirmed = memory.confirmations.get(told.order_id)
    text = f"The broker was told on {time_in_words(told.told_at)}"
    if confirmed is None:
        text += ", in time; its written confirmation is not recorded yet."
    else:
        text += (
            f", and confirmed it on {day_in_words(confirmed.confirmed_at)} ({confirmed.reference})."
        )
    state = IdentificationState.INSTRUCTED if confirmed is None else IdentificationState.CONFIRMED
    return Identification(
        order_id=told.order_id,
        account=told.account,
        symbol=told.symbol,
        is_crypto=account is not None and account.kind is AccountKind.CRYPTO,
        lots=told.lots,
        state=state,
        deadline=told.deadline,
        sentence=text,
        sold_at=told.sold_at,
        told_at=told.told_at,
        confirmed_at=None if confirmed is None else confirmed.confirmed_at,
        reference="" if confirmed is None else confirmed.reference,
    )


def _sent(
    memory: Memory, accounts: Mapping[str, Account], settlement: Settlement, now: dt.datetime
) -> Iterable[Identification]:
    """Sales at brokers that were not told the lots with the order."""
    for known in memory.orders.values():
        order = known.order
        account = accounts.get(order.account)
        quantity = known.filled if known.status.is_final else order.quantity
        if account is None or not needs_instruction(account) or order.side is not Side.SELL:
            continue
        lots = _named(order.lots, quantity, lots_before_sale(memory, order.id))
        if not lots:
            continue
        sold_at, deadline = _first_deadline(known, account, settlement)
        state, text = IdentificationState.PLANNED, ""
        if sold_at is None or deadline is None:
            deadline = _deadline_if_sold_now(account, settlement, now)
            text = _not_sold_yet(account, deadline)
        elif now > deadline:
            state = IdentificationState.LAPSED
            text = (
                f"Its broker was not told by {time_in_words(deadline)}, as far as the journal "
                "knows, so this sale is booked first in, first out, which is the law where "
                "nothing is identified in time (26 CFR 1.1012-1(c)(1))."
            )
        else:
            text = (
                f"Sold on {day_in_words(sold_at)} and booked first in, first out until you tell "
                f"the broker, which counts until {time_in_words(deadline)}."
            )
        yield Identification(
            order_id=order.id,
            account=account.id,
            symbol=order.symbol,
            is_crypto=account.kind is AccountKind.CRYPTO,
            lots=lots,
            state=state,
            deadline=deadline,
            sentence=text,
            sold_at=sold_at,
        )


def _first_deadline(
    known: OrderMemory, account: Account, settlement: Settlement
) -> tuple[dt.datetime | None, dt.datetime | None]:
    """When the first units were sold, and the earliest deadline of all fills."""
    if not known.fills:
        return None, None
    deadlines = [
        deadline_of(account, fill.at, min(fill.settles_on, settlement(trade_date(fill.at))))
        for fill in known.fills
    ]
    return min(fill.at for fill in known.fills), min(deadlines)


def _deadline_if_sold_now(
    account: Account, settlement: Settlement, now: dt.datetime
) -> dt.datetime:
    """The deadline of a sale now; on a weekend, of one on Monday. Before a holiday it is early."""
    sold_at = now
    while account.kind is not AccountKind.CRYPTO and trade_date(sold_at).weekday() >= _SATURDAY:
        sold_at += dt.timedelta(days=1)
    return deadline_of(account, sold_at, settlement(trade_date(sold_at)))


def _not_sold_yet(account: Account, deadline: dt.datetime) -> str:
    if account.kind is AccountKind.CRYPTO:
        return (
            "Tell the broker before you sell or with the order: coins are identified no later than "
            "the moment of the sale."
        )
    return (
        "Tell the broker with the order, or after the sale until the close of its settlement: "
        f"{time_in_words(deadline)}, if it is sold on the next trading day."
    )


def _warning(trade: Trade, memory: Memory) -> str:
    """What to look at before the same units are sold a second time."""
    opened_at = memory.opened_at.get(trade.account)
    for told in memory.instructions.values():
        is_same = (told.account, told.symbol) == (trade.account, trade.symbol)
        if is_same and (opened_at is None or opened_at <= told.told_at):
            return (
                f" You told the broker on {day_in_words(told.told_at)} about a sale of "
                f"{told.symbol} that the files do not show yet: update them before you sell again."
            )
    return ""


def _named(
    picks: Iterable[LotPick], quantity: Quantity, held: Mapping[str, Lot]
) -> tuple[Lot, ...]:
    """The first *quantity* units of *picks* as parts of lots; none where they are not all held."""
    units: dict[str, Quantity] = {}
    left = quantity
    for pick in picks:
        part = min(left, pick.quantity)
        if part > 0:
            units[pick.lot_id] = units.get(pick.lot_id, ZERO) + part
            left -= part
    if any(name not in held or held[name].quantity < part for name, part in units.items()):
        return ()
    return tuple(
        replace(
            held[name], quantity=part, basis=share_of(held[name].basis, part, held[name].quantity)
        )
        for name, part in units.items()
    )
