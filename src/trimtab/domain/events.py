"""The journal's facts, and what a household remembers of them.

An event says what happened, with its outcome already worked out (which lots were sold, what a
split made of them), so that folding the journal needs no rule and can never change its meaning.
The meaning of an event kind never changes: a new meaning gets a new kind.
"""

import datetime as dt

from msgspec import Struct
from msgspec.structs import force_setattr, replace

from trimtab.domain.numbers import ONE, ZERO, Money, Quantity
from trimtab.domain.policy import Policy
from trimtab.domain.trades import (
    BandState,
    BandTransition,
    CashMovement,
    Decision,
    Discrepancy,
    Disposal,
    Fill,
    Order,
    OrderStatus,
    Receipt,
    Side,
    Split,
)
from trimtab.domain.values import Lot, trade_date


class _Fact(Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What every event has in common: a tag with its kind."""


class HouseholdOpened(_Fact, frozen=True, kw_only=True, tag="household-opened"):
    """The journal begins."""

    name: str
    base_currency: str


class AccountOpened(_Fact, frozen=True, kw_only=True, tag="account-opened"):
    """An account's opening lots and cash, taken over from *source*.

    A second one for the same account replaces what was known, when the owner adopts the broker's
    word. `seen` are the ids of activities that these figures already contain.
    """

    account: str
    lots: tuple[Lot, ...]
    cash: dict[str, Money]
    source: str
    seen: tuple[str, ...] = ()


class SalesRecorded(_Fact, frozen=True, kw_only=True, tag="sales-recorded"):
    """Sales made before the journal began, for the wash-sale windows they opened."""

    disposals: tuple[Disposal, ...]
    source: str


class PolicyAdopted(_Fact, frozen=True, kw_only=True, tag="policy-adopted"):
    """From now on this policy is in force."""

    policy: Policy
    digest: str
    because: str


class PolicyProposed(_Fact, frozen=True, kw_only=True, tag="policy-proposed"):
    """The file was edited; the new policy waits until `effective_at`."""

    policy: Policy
    digest: str
    effective_at: dt.datetime
    changes: tuple[str, ...]


class PolicyWithdrawn(_Fact, frozen=True, kw_only=True, tag="policy-withdrawn"):
    """The proposed policy was taken back before it came into force."""

    digest: str


class Paused(_Fact, frozen=True, kw_only=True, tag="paused"):
    """The owner stopped all trading."""

    because: str


class Resumed(_Fact, frozen=True, kw_only=True, tag="resumed"):
    """The owner lets trading go on."""

    because: str


class CycleStarted(_Fact, frozen=True, kw_only=True, tag="cycle-started"):
    """One turn begins; `number` counts them."""

    number: int
    executes: bool


class Decided(_Fact, frozen=True, kw_only=True, tag="decided"):
    """What a look concluded, with the plan and the evidence of every gate."""

    decision: Decision


class BandsMoved(_Fact, frozen=True, kw_only=True, tag="bands-moved"):
    """Band states changed after the trades of a cycle were done, without a new decision."""

    transitions: tuple[BandTransition, ...]


class CycleEnded(_Fact, frozen=True, kw_only=True, tag="cycle-ended"):
    """One turn is over."""

    outcome: str
    sentence: str
    next_look: dt.datetime | None = None


class CycleFailed(_Fact, frozen=True, kw_only=True, tag="cycle-failed"):
    """A turn ended in an error; the next try is at `retry_at`."""

    sentence: str
    retry_at: dt.datetime | None = None


class ValueMarked(_Fact, frozen=True, kw_only=True, tag="value-marked"):
    """The household's value, and the value of one unit of it, free of deposits and withdrawals.

    `flow` is what came in (out: negative) since the mark before, in the base currency.
    """

    session: dt.date
    value: Money
    flow: Money
    unit_value: Money


class BreakerTripped(_Fact, frozen=True, kw_only=True, tag="breaker-tripped"):
    """The unit value fell too far: the defensive posture holds until a person re-arms."""

    rule: str
    sentence: str


class BreakerRearmed(_Fact, frozen=True, kw_only=True, tag="breaker-rearmed"):
    """A person ended the defensive posture."""

    because: str
    unit_value: Money


class OrderIntended(_Fact, frozen=True, kw_only=True, tag="order-intended"):
    """On disk before the broker hears of it, with its lots."""

    order: Order


class OrderAnswered(_Fact, frozen=True, kw_only=True, tag="order-answered"):
    """The broker's word about an order, or `unknown` when there was none."""

    receipt: Receipt


class OrderFilled(_Fact, frozen=True, kw_only=True, tag="order-filled"):
    """Units changed hands: what was sold of which lots, or the lot that was bought."""

    fill: Fill
    disposals: tuple[Disposal, ...] = ()
    lot: Lot | None = None


class CashMoved(_Fact, frozen=True, kw_only=True, tag="cash-moved"):
    """Money came or went without a trade; `in_base` is the amount in the base currency."""

    movement: CashMovement
    in_base: Money


class SplitApplied(_Fact, frozen=True, kw_only=True, tag="split-applied"):
    """A split, with the account's lots of the symbol as they are after it."""

    split: Split
    lots: tuple[Lot, ...]


class DiscrepancyFound(_Fact, frozen=True, kw_only=True, tag="discrepancy-found"):
    """Journal and broker disagree about an account: it is blocked."""

    discrepancies: tuple[Discrepancy, ...]


class DiscrepancyCleared(_Fact, frozen=True, kw_only=True, tag="discrepancy-cleared"):
    """They agree again: the account is free."""

    account: str
    because: str


Event = (
    HouseholdOpened
    | AccountOpened
    | SalesRecorded
    | PolicyAdopted
    | PolicyProposed
    | PolicyWithdrawn
    | Paused
    | Resumed
    | CycleStarted
    | Decided
    | BandsMoved
    | CycleEnded
    | CycleFailed
    | ValueMarked
    | BreakerTripped
    | BreakerRearmed
    | OrderIntended
    | OrderAnswered
    | OrderFilled
    | CashMoved
    | SplitApplied
    | DiscrepancyFound
    | DiscrepancyCleared
)
"""Everything that a journal may say."""


class Entry(Struct, frozen=True, kw_only=True):
    """One row of the journal. `hash` covers the row and the hash of the row before."""

    sequence: int
    at: dt.datetime
    cycle: str
    event: Event
    hash: str


class BandMemory(Struct, frozen=True, kw_only=True):
    """A class's band state, since when, and when its last episode ended."""

    state: BandState = BandState.ARMED
    since: dt.datetime | None = None
    ended_at: dt.datetime | None = None


class OrderMemory(Struct, frozen=True, kw_only=True):
    """An order and what is known to have become of it.

    `filled` is what has been booked, fill by fill; `reported` what the broker last said is filled.
    """

    order: Order
    status: OrderStatus
    broker_id: str = ""
    filled: Quantity = ZERO
    reported: Quantity = ZERO
    text: str = ""
    intended_at: dt.datetime | None = None

    @property
    def outstanding(self) -> Quantity:
        """Units not booked yet that have filled or may still fill."""
        most = self.reported if self.status.is_final else self.order.quantity
        return max(ZERO, most - self.filled)


class Unsettled(Struct, frozen=True, kw_only=True):
    """Money of a fill that changes hands on a date: proceeds, or a purchase (negative)."""

    account: str
    amount: Money
    settles_on: dt.date


class Mark(Struct, frozen=True, kw_only=True):
    """The household's value on a session, per unit."""

    at: dt.datetime
    session: dt.date
    value: Money
    unit_value: Money


class Memory(Struct, frozen=True, kw_only=True):
    """The journal, folded: all of the past that a decision may know.

    `previous_mark` is the last mark of the session before the current mark's. `seen` holds
    (account, activity id) of everything taken in, so that nothing is taken in twice.
    """

    name: str = ""
    base_currency: str = "USD"
    policy: Policy | None = None
    policy_digest: str = ""
    policy_since: dt.datetime | None = None
    proposed: PolicyProposed | None = None
    proposed_at: dt.datetime | None = None
    paused: str | None = None
    accounts: dict[str, str] = {}
    lots: dict[str, Lot] = {}
    cash: dict[tuple[str, str], Money] = {}
    unsettled: tuple[Unsettled, ...] = ()
    bands: dict[str, BandMemory] = {}
    orders: dict[str, OrderMemory] = {}
    seen: dict[tuple[str, str], None] = {}
    disposals: tuple[Disposal, ...] = ()
    splits: tuple[Split, ...] = ()
    pending_flow: Money = ZERO
    mark: Mark | None = None
    previous_mark: Mark | None = None
    peak: Money = ONE
    breaker: str | None = None
    breaker_since: dt.datetime | None = None
    discrepancies: dict[str, tuple[Discrepancy, ...]] = {}
    cycles: int = 0
    failures: int = 0
    last_look: dt.datetime | None = None
    last_started: dt.datetime | None = None
    last_ended: dt.datetime | None = None
    last_outcome: str = ""
    last_sentence: str = ""
    next_look: dt.datetime | None = None
    decision: Decision | None = None
    entries: int = 0

    def open_orders(self) -> tuple[OrderMemory, ...]:
        """Orders that may still fill, or of which nobody knows."""
        return tuple(known for known in self.orders.values() if not known.status.is_final)

    def unsettled_cash(self, account: str, today: dt.date) -> Money:
        """The part of an account's cash that is not there yet on *today*: it may not leave.

        Purchases that settle on the same days are paid with it, so they are taken off.
        """
        pending = (
            waiting.amount
            for waiting in self.unsettled
            if waiting.account == account and waiting.settles_on > today
        )
        return max(ZERO, sum(pending, ZERO))

    def blocked(self, account: str) -> bool:
        """Whether a discrepancy forbids trading in *account*."""
        return account in self.discrepancies


_OWN_COLLECTIONS = ("accounts", "lots", "cash", "bands", "orders", "seen", "discrepancies")


def remember(memory: Memory, entries: "tuple[Entry, ...] | list[Entry]") -> Memory:
    """*memory* after *entries*; the memory given is left as it was."""
    draft = replace(memory)
    for name in _OWN_COLLECTIONS:
        force_setattr(draft, name, dict(getattr(draft, name)))
    disposals = list(memory.disposals)
    for entry in entries:
        _apply(draft, entry, disposals)
    force_setattr(draft, "disposals", tuple(disposals))
    force_setattr(draft, "entries", memory.entries + len(entries))
    return draft


def _apply(draft: Memory, entry: Entry, disposals: list[Disposal]) -> None:  # noqa: C901, PLR0912, PLR0915  one case per kind of event: a table, and the only place that reads them
    event, at = entry.event, entry.at

    def put(**fields: object) -> None:
        for name, value in fields.items():
            force_setattr(draft, name, value)

    match event:
        case HouseholdOpened():
            put(name=event.name, base_currency=event.base_currency)
        case AccountOpened():
            _open_account(draft, event)
        case SalesRecorded():
            disposals.extend(event.disposals)
        case PolicyAdopted():
            put(
                policy=event.policy,
                policy_digest=event.digest,
                policy_since=at,
                proposed=None,
                proposed_at=None,
            )
        case PolicyProposed():
            put(proposed=event, proposed_at=at)
        case PolicyWithdrawn():
            put(proposed=None, proposed_at=None)
        case Paused():
            put(paused=event.because)
        case Resumed():
            put(paused=None)
        case CycleStarted():
            put(cycles=event.number, last_started=at)
        case Decided():
            _remember_decision(draft, event.decision)
        case BandsMoved():
            _move_bands(draft, event.transitions, at)
        case CycleEnded():
            put(
                last_ended=at,
                last_outcome=event.outcome,
                last_sentence=event.sentence,
                next_look=event.next_look,
                failures=0,
            )
        case CycleFailed():
            put(
                last_ended=at,
                last_outcome="failed",
                last_sentence=event.sentence,
                next_look=event.retry_at,
                failures=draft.failures + 1,
            )
        case ValueMarked():
            _remember_mark(draft, event, at)
        case BreakerTripped():
            put(breaker=event.sentence, breaker_since=at)
        case BreakerRearmed():
            put(breaker=None, breaker_since=None, peak=event.unit_value, previous_mark=None)
        case OrderIntended():
            draft.orders[event.order.id] = OrderMemory(
                order=event.order, status=OrderStatus.INTENDED, intended_at=at
            )
        case OrderAnswered():
            _remember_answer(draft, event.receipt)
        case OrderFilled():
            disposals.extend(event.disposals)
            _remember_fill(draft, event)
        case CashMoved():
            movement = event.movement
            draft.seen[movement.account, movement.id] = None
            _add_cash(draft, movement.account, movement.currency, movement.amount)
            if movement.is_flow:
                put(pending_flow=draft.pending_flow + event.in_base)
        case SplitApplied():
            draft.seen[event.split.account, event.split.id] = None
            put(splits=(*draft.splits, event.split))
            _remember_split(draft, event)
        case DiscrepancyFound():
            for account in {found.account for found in event.discrepancies}:
                draft.discrepancies[account] = tuple(
                    found for found in event.discrepancies if found.account == account
                )
        case DiscrepancyCleared():
            draft.discrepancies.pop(event.account, None)


def _open_account(draft: Memory, event: AccountOpened) -> None:
    for lot_id in [lot.id for lot in draft.lots.values() if lot.account == event.account]:
        del draft.lots[lot_id]
    for key in [key for key in draft.cash if key[0] == event.account]:
        del draft.cash[key]
    force_setattr(
        draft,
        "unsettled",
        tuple(pending for pending in draft.unsettled if pending.account != event.account),
    )
    draft.accounts[event.account] = event.source
    draft.lots.update({lot.id: lot for lot in event.lots})
    draft.cash.update({(event.account, code): sum_ for code, sum_ in event.cash.items()})
    draft.seen.update({(event.account, activity): None for activity in event.seen})


def _remember_decision(draft: Memory, decision: Decision) -> None:
    _move_bands(draft, decision.transitions, decision.at)
    force_setattr(draft, "decision", decision)
    if decision.looked:
        force_setattr(draft, "last_look", decision.at)


def _move_bands(draft: Memory, transitions: tuple[BandTransition, ...], at: dt.datetime) -> None:
    for change in transitions:
        before = draft.bands.get(change.asset_class, BandMemory())
        ended = change.before is BandState.CORRECTING
        draft.bands[change.asset_class] = BandMemory(
            state=change.after, since=at, ended_at=at if ended else before.ended_at
        )


def _remember_split(draft: Memory, event: SplitApplied) -> None:
    split = event.split
    for lot in tuple(draft.lots.values()):
        if (lot.account, lot.symbol) == (split.account, split.symbol):
            del draft.lots[lot.id]
    draft.lots.update({lot.id: lot for lot in event.lots})


def _remember_mark(draft: Memory, event: ValueMarked, at: dt.datetime) -> None:
    if draft.mark is not None and draft.mark.session != event.session:
        force_setattr(draft, "previous_mark", draft.mark)
    mark = Mark(at=at, session=event.session, value=event.value, unit_value=event.unit_value)
    force_setattr(draft, "mark", mark)
    force_setattr(draft, "peak", max(draft.peak, event.unit_value))
    force_setattr(draft, "pending_flow", ZERO)


def _remember_answer(draft: Memory, receipt: Receipt) -> None:
    known = draft.orders[receipt.order_id]
    if known.status.is_final:
        return
    draft.orders[receipt.order_id] = replace(
        known,
        status=receipt.status,
        broker_id=receipt.broker_id or known.broker_id,
        reported=receipt.filled,
        text=receipt.text,
    )


def _remember_fill(draft: Memory, event: OrderFilled) -> None:
    fill = event.fill
    draft.seen[fill.account, fill.id] = None
    for disposal in event.disposals:
        lot = draft.lots[disposal.lot_id]
        left = lot.quantity - disposal.quantity
        assert left >= 0, f"lot {lot.id} was sold twice"
        if left == 0:
            del draft.lots[lot.id]
        else:
            draft.lots[lot.id] = replace(lot, quantity=left, basis=lot.basis - disposal.basis)
    if event.lot is not None:
        draft.lots[event.lot.id] = event.lot
    value = fill.quantity * fill.price
    amount = value - fill.fee if fill.side is Side.SELL else -(value + fill.fee)
    _add_cash(draft, fill.account, draft.base_currency, amount)
    pending = Unsettled(account=fill.account, amount=amount, settles_on=fill.settles_on)
    waiting = (p for p in draft.unsettled if p.settles_on > trade_date(fill.at))
    force_setattr(draft, "unsettled", (*waiting, pending))
    known = draft.orders.get(fill.order_id)
    if known is not None:
        draft.orders[fill.order_id] = replace(known, filled=known.filled + fill.quantity)


def _add_cash(draft: Memory, account: str, currency: str, amount: Money) -> None:
    key = (account, currency)
    draft.cash[key] = draft.cash.get(key, ZERO) + amount
