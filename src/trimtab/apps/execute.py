"""Orders through the journal: intend, act, record. What nobody answered is looked up, not re-sent.

An order is on disk before the broker hears of it, under an id that the same plan gives on any
machine. A time-out, a dropped line or garbage means UNKNOWN: the broker is asked for the id, and
only a broker that keeps ids unique for ever is sent the same order again, under the same id.
"""

import datetime as dt
import hashlib
from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NamedTuple

from msgspec.structs import replace

from trimtab.apps.world import House, Recorder, take_in
from trimtab.domain.errors import BrokerRefused, BrokerUnknown
from trimtab.domain.events import OrderAnswered, OrderIntended
from trimtab.domain.memory import OrderMemory
from trimtab.domain.numbers import BASIS_POINT, ONE, ZERO, Price, Quantity, round_to_step
from trimtab.domain.ports import Broker
from trimtab.domain.trades import Decision, LotPick, Order, OrderStatus, Receipt, Side, Trade
from trimtab.domain.values import Snapshot, trade_date
from trimtab.rules.holdings import kept_in_cash

LOOK_UP_WAITS = (0.0, 2.0, 5.0, 15.0)
"""Seconds before each look-up of an order that nobody confirmed: it may become visible late."""
SEND_TRIES_MAX = 3
FILL_WAITS = (0.0, 1.0, 2.0, 5.0, 10.0)
"""Seconds before each look at a working order; after the last one its rest is cancelled."""
CANCEL_WAITS = (0.0, 1.0, 2.0, 5.0)
LOST_AFTER = dt.timedelta(minutes=15)
"""An order that a broker does not know so long after it was intended never arrived there."""


class Execution(NamedTuple):
    """What became of one trade. `filled` of `wanted` units; `note` says why not all."""

    trade: Trade
    order_id: str
    status: OrderStatus
    wanted: Quantity
    filled: Quantity
    note: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether all of what the plan wanted was filled."""
        return self.filled == self.trade.quantity


def order_id(
    plan_id: str, account: str, leg: int, symbol: str, side: Side, attempt: int = 1
) -> str:
    """The client order id: the same inputs give the same id on any machine."""
    content = f"{plan_id}|{account}|{leg}|{symbol}|{side}|{attempt}"
    return f"tt-{hashlib.sha256(content.encode()).hexdigest()[:32]}"


def settle(house: House, recorder: Recorder) -> None:
    """Learn what became of every order that has no final answer, before anything is decided.

    What still works at the broker is cancelled: its plan is over, and a new one starts from what
    is then true. For the same reason an order that never arrived is not sent again, whatever the
    broker: its quantity and limit may be from before a split, a withdrawal or a crash. For a
    quarter of an hour it may still turn up, and the household waits.
    """
    for known in recorder.memory.open_orders():
        account = house.accounts.get(known.order.account)
        broker = house.brokers.get(account.broker) if account is not None else None
        if broker is not None:
            _settle_one(house, recorder, broker, known)


def execute(
    house: House, recorder: Recorder, snapshot: Snapshot, decision: Decision
) -> tuple[Execution, ...]:
    """Send what the gates let through: all sales first, then what their proceeds really pay for."""
    assert decision.plan is not None, "only a plan is executed"
    legs = {_key(trade): leg for leg, trade in enumerate(decision.plan.trades)}
    executions = []
    for side in (Side.SELL, Side.BUY):
        sent: list[tuple[Trade, Order]] = []
        for trade in decision.allowed:
            if trade.side is not side:
                continue
            note = house.stops() or _not_safe(recorder, trade)
            if note is None:
                trade_now, note = _affordable(recorder, snapshot, trade)
                if note is None:
                    order = _order(
                        recorder, decision.plan.id, legs[_key(trade)], trade_now, snapshot
                    )
                    _send(house, recorder, order)
                    sent.append((trade, order))
                    continue
            executions.append(_not_sent(trade, note))
        _wait(house, recorder, [order for _, order in sent])
        _take_in_fills(house, recorder, {trade.account for trade, _ in sent})
        executions += [_outcome(recorder, trade, order) for trade, order in sent]
    return tuple(executions)


def _settle_one(house: House, recorder: Recorder, broker: Broker, known: OrderMemory) -> None:
    order = known.order
    try:
        receipt = _look_up(house, broker, order)
        if receipt is None and _is_lost(known, house.clock.now()):
            # Should the broker have it after all and not show it, this ends it there.
            broker.cancel(order.account, order.id)
            receipt = broker.find(order.account, order.id) or _never_arrived(order)
    except BrokerUnknown as error:
        _answer(recorder, _unknown(order, str(error)))
        return
    if receipt is None:
        _answer(recorder, _unknown(order, "the broker knows no such order yet"))
        return
    _answer(recorder, receipt)
    _cancel(house, recorder, broker, order)


def _never_arrived(order: Order) -> Receipt:
    text = "it never arrived at the broker"
    return Receipt(order_id=order.id, broker_id="", status=OrderStatus.EXPIRED, text=text)


def _is_lost(known: OrderMemory, now: dt.datetime) -> bool:
    """Whether an order that the broker does not know has had time enough to turn up."""
    return known.intended_at is None or now - known.intended_at > LOST_AFTER


def _send(house: House, recorder: Recorder, order: Order) -> None:
    """Intend, act, record."""
    recorder.record(OrderIntended(order=order))
    broker = house.brokers[house.accounts[order.account].broker]
    _submit(house, recorder, broker, order)


def _submit(house: House, recorder: Recorder, broker: Broker, order: Order) -> None:
    for _ in range(SEND_TRIES_MAX if broker.deduplicates else 1):
        try:
            receipt: Receipt | None = broker.submit(order)
        except BrokerRefused as error:
            receipt = Receipt(
                order_id=order.id, broker_id="", status=OrderStatus.REJECTED, text=str(error)
            )
        except BrokerUnknown as error:
            _answer(recorder, _unknown(order, str(error)))
            try:
                receipt = _look_up(house, broker, order)
            except BrokerUnknown:
                return
        if receipt is not None:
            _answer(recorder, receipt)
            return


def _look_up(house: House, broker: Broker, order: Order) -> Receipt | None:
    """What the broker says about an order; None after it has said several times that it has none.

    Raises:
        BrokerUnknown: it never answered.
    """
    last_error: BrokerUnknown | None = None
    for wait in LOOK_UP_WAITS:
        house.clock.sleep(wait)
        try:
            receipt = broker.find(order.account, order.id)
        except BrokerUnknown as error:
            last_error = error
            continue
        last_error = None
        if receipt is not None:
            return receipt
    if last_error is not None:
        raise last_error
    return None


def _wait(house: House, recorder: Recorder, orders: Sequence[Order]) -> None:
    """Wait for *orders* to fill; cancel what still works when patience ends."""
    for wait in FILL_WAITS:
        working = [order for order in orders if _is_working(recorder, order)]
        if not working:
            return
        house.clock.sleep(wait)
        for order in working:
            _ask(house, recorder, order)
    for order in orders:
        if _is_working(recorder, order):
            broker = house.brokers[house.accounts[order.account].broker]
            _cancel(house, recorder, broker, order)


def _cancel(house: House, recorder: Recorder, broker: Broker, order: Order) -> None:
    """Cancel the rest of a working order and learn what was filled before that."""
    if not _is_working(recorder, order):
        return
    for wait in CANCEL_WAITS:
        house.clock.sleep(wait)
        try:
            broker.cancel(order.account, order.id)
        except BrokerUnknown:
            continue
        _ask(house, recorder, order)
        if not _is_working(recorder, order):
            return


def _ask(house: House, recorder: Recorder, order: Order) -> None:
    broker = house.brokers[house.accounts[order.account].broker]
    try:
        receipt = broker.find(order.account, order.id)
    except BrokerUnknown:
        return
    if receipt is not None:
        _answer(recorder, receipt)


def _answer(recorder: Recorder, receipt: Receipt) -> None:
    """Record the broker's word when it says something new."""
    known = recorder.memory.orders[receipt.order_id]
    if known.status is not receipt.status and not known.status.is_final:
        recorder.record(OrderAnswered(receipt=receipt))


def _unknown(order: Order, text: str) -> Receipt:
    return Receipt(order_id=order.id, broker_id="", status=OrderStatus.UNKNOWN, text=text)


def _is_working(recorder: Recorder, order: Order) -> bool:
    return recorder.memory.orders[order.id].status is OrderStatus.WORKING


def _not_safe(recorder: Recorder, trade: Trade) -> str | None:
    """Why this trade may not go although the gates let it: something has happened since."""
    if recorder.memory.blocked(trade.account):
        return f"{trade.account} is blocked by a discrepancy."
    for known in recorder.memory.open_orders():
        if known.order.account == trade.account and known.order.side is not trade.side:
            return f"an order to {known.order.side} {known.order.symbol} there is not settled yet."
    return None


def _affordable(recorder: Recorder, snapshot: Snapshot, trade: Trade) -> tuple[Trade, str | None]:
    """*trade* cut to what the account's cash pays for now, fills and fees counted."""
    if trade.side is Side.SELL:
        return trade, None
    memory = recorder.memory
    assert memory.policy is not None, "a plan was made under a policy"
    orders = memory.policy.orders
    cash = memory.cash.get((trade.account, memory.base_currency), ZERO)
    if orders.unsettled == "wait":
        cash -= memory.unsettled_cash(trade.account, trade_date(snapshot.at))
    fees = orders.fee_buffer_bps * BASIS_POINT
    for known in memory.orders.values():
        if known.order.account == trade.account and known.order.side is Side.BUY:
            cash -= known.outstanding * known.order.limit * (ONE + fees)
    kept = kept_in_cash(snapshot, memory.policy)
    spendable = cash - kept[trade.account]
    limit = limit_price(trade.price, trade.side, orders.slippage_max_bps)
    most = max(ZERO, spendable) / (limit + trade.price * fees)
    step = snapshot.instruments[trade.symbol].step
    quantity = min(trade.quantity, round_to_step(most, step))
    if quantity <= 0 or quantity * trade.price < orders.minimum:
        return trade, f"the cash in {trade.account} does not pay for it: its sales brought less."
    return replace(trade, quantity=quantity), None


def _order(recorder: Recorder, plan_id: str, leg: int, trade: Trade, snapshot: Snapshot) -> Order:
    assert recorder.memory.policy is not None, "a plan was made under a policy"
    slippage = recorder.memory.policy.orders.slippage_max_bps
    hours = snapshot.hours[snapshot.instruments[trade.symbol].calendar]
    good_until = hours.closes or snapshot.at + dt.timedelta(hours=1)
    return Order(
        id=order_id(plan_id, trade.account, leg, trade.symbol, trade.side),
        plan_id=plan_id,
        account=trade.account,
        symbol=trade.symbol,
        side=trade.side,
        quantity=trade.quantity,
        limit=limit_price(trade.price, trade.side, slippage),
        good_until=good_until,
        lots=_cut(trade.lots, trade.quantity),
        reason=trade.reason,
    )


def limit_price(price: Price, side: Side, slippage_bps: Decimal) -> Price:
    """The worst price to accept: the quote with slippage, rounded toward the quote to the cent.

    Rounded the other way, an order could cost more than the slippage that its plan set aside. A
    quote between two cents goes to the cent beyond it, so that it can fill. Prices under one
    dollar are rounded to a hundredth of a cent (17 CFR 242.612).

    Examples:
        >>> limit_price(Decimal("25.11"), Side.BUY, Decimal(10))
        Decimal('25.13')
        >>> limit_price(Decimal("25.11"), Side.SELL, Decimal(10))
        Decimal('25.09')
    """
    tick = Decimal("0.01") if price >= 1 else Decimal("0.0001")
    slippage = price * slippage_bps * BASIS_POINT
    if side is Side.BUY:
        inward = (price + slippage).quantize(tick, rounding=ROUND_FLOOR)
        return max(inward, price.quantize(tick, rounding=ROUND_CEILING))
    inward = (price - slippage).quantize(tick, rounding=ROUND_CEILING)
    return min(inward, price.quantize(tick, rounding=ROUND_FLOOR))


def _cut(picks: tuple[LotPick, ...], quantity: Quantity) -> tuple[LotPick, ...]:
    cut, left = [], quantity
    for pick in picks:
        part = min(left, pick.quantity)
        if part > 0:
            cut.append(replace(pick, quantity=part))
        left -= part
    return tuple(cut)


def _take_in_fills(house: House, recorder: Recorder, accounts: set[str]) -> None:
    """Record what happened in *accounts*; a broker that is silent is asked again next cycle."""
    for name in sorted(accounts):
        try:
            take_in(house, recorder, [name])
        except BrokerUnknown as error:
            house.says(f"{name}: {error}")


def _outcome(recorder: Recorder, trade: Trade, order: Order) -> Execution:
    known = recorder.memory.orders[order.id]
    note = known.text
    if order.quantity < trade.quantity:
        note = f"cut from {trade.quantity} to what the cash pays for. {note}".strip()
    return Execution(
        trade=trade,
        order_id=order.id,
        status=known.status,
        wanted=order.quantity,
        filled=known.filled,
        note=note,
    )


def _not_sent(trade: Trade, note: str) -> Execution:
    return Execution(
        trade=trade,
        order_id="",
        status=OrderStatus.CANCELED,
        wanted=trade.quantity,
        filled=ZERO,
        note=f"Not sent: {note}",
    )


def _key(trade: Trade) -> tuple[str, str, Side]:
    return trade.account, trade.symbol, trade.side
