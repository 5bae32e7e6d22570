"""What a household remembers: the journal, folded."""

import datetime as dt
from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import force_setattr, replace

from trimtab.domain.aim import Aim
from trimtab.domain.events import (
    AccountOpened,
    BandsMoved,
    BreakerRearmed,
    BreakerTripped,
    CashMoved,
    ContributionMet,
    CycleEnded,
    CycleFailed,
    CycleStarted,
    Decided,
    DiscrepancyCleared,
    DiscrepancyFound,
    Entry,
    Event,
    HouseholdOpened,
    LotsConfirmed,
    LotsInstructed,
    OrderAnswered,
    OrderFilled,
    OrderIntended,
    Paused,
    PolicyAdopted,
    PolicyProposed,
    PolicyWithdrawn,
    Resumed,
    SaleRebooked,
    SalesRecorded,
    SplitApplied,
    StandingOrderConfirmed,
    StrategyRearmed,
    ValueMarked,
)
from trimtab.domain.flows import flow_in
from trimtab.domain.history import Transaction
from trimtab.domain.incoming import PastContribution
from trimtab.domain.numbers import ONE, ZERO, Money, Quantity
from trimtab.domain.policy import Policy
from trimtab.domain.tax_facts import tax_facts
from trimtab.domain.trades import (
    BandState,
    BandTransition,
    Decision,
    Discrepancy,
    Disposal,
    Fill,
    LotPick,
    Order,
    OrderStatus,
    Receipt,
    Side,
    Split,
)
from trimtab.domain.values import Lot, PastFlow, trade_date

FLOW_DAYS = 62
"""So long the owner's payments are remembered, by day."""


class BandMemory(Struct, frozen=True, kw_only=True):
    """A class's band state, since when, and when its last episode ended."""

    state: BandState = BandState.ARMED
    since: dt.datetime | None = None
    ended_at: dt.datetime | None = None


class OrderMemory(Struct, frozen=True, kw_only=True):
    """An order and what is known to have become of it.

    `filled` is what has been booked, fill by fill (`fills`); `reported` what the broker last said
    is filled.
    """

    order: Order
    status: OrderStatus
    broker_id: str = ""
    filled: Quantity = ZERO
    reported: Quantity = ZERO
    text: str = ""
    intended_at: dt.datetime | None = None
    fills: tuple[Fill, ...] = ()

    @property
    def outstanding(self) -> Quantity:
        """Units not booked yet that have filled or may still fill."""
        most = self.reported if self.status.is_final else self.order.quantity
        return max(ZERO, most - self.filled)


class Unsettled(Struct, frozen=True, kw_only=True):
    """Proceeds of a sale that are still in the account and settle on a date."""

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
    (account, activity id) of everything taken in, so that nothing is taken in twice. `opened_at`
    is when each account was last taken over as a whole, `taken_over` the day on which it first was;
    `last_executed` is when the last turn ended that was allowed to trade, and `executes` whether
    the turn begun last is. `history` is what the tax ledger is told, in the order in which the
    journal learned of it. `instructions` and `confirmations` are by sale, `standing_orders` by
    account; `rearmed` is when the owner last re-armed a strategy, by its name. `pending_flow` is
    what came into the household since the mark; `flows` are the same by account and day, over the
    last two months, but for accounts taken over.
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
    opened_at: dict[str, dt.datetime] = {}
    taken_over: dict[str, dt.date] = {}
    lots: dict[str, Lot] = {}
    cash: dict[tuple[str, str], Money] = {}
    unsettled: tuple[Unsettled, ...] = ()
    bands: dict[str, BandMemory] = {}
    orders: dict[str, OrderMemory] = {}
    instructions: dict[str, LotsInstructed] = {}
    confirmations: dict[str, LotsConfirmed] = {}
    standing_orders: dict[str, StandingOrderConfirmed] = {}
    seen: dict[tuple[str, str], None] = {}
    disposals: tuple[Disposal, ...] = ()
    history: tuple[Transaction, ...] = ()
    splits: tuple[Split, ...] = ()
    contributions: dict[str, tuple[PastContribution, ...]] = {}
    pending_flow: Money = ZERO
    flows: tuple[PastFlow, ...] = ()
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
    last_executed: dt.datetime | None = None
    executes: bool = False
    last_outcome: str = ""
    last_sentence: str = ""
    next_look: dt.datetime | None = None
    decision: Decision | None = None
    aim: Aim | None = None
    rearmed: dict[str, dt.datetime] = {}
    entries: int = 0

    def open_orders(self) -> tuple[OrderMemory, ...]:
        """Orders that may still fill, or of which nobody knows."""
        return tuple(known for known in self.orders.values() if not known.status.is_final)

    def unsettled_cash(self, account: str, today: dt.date) -> Money:
        """The part of an account's cash that is not there yet on *today*: it may not leave."""
        return unsettled_on(self.unsettled, account, today)

    def paid_in(self) -> tuple[PastFlow, ...]:
        """What came into accounts in the last two months."""
        return tuple(one for one in self.flows if one.amount > 0)

    def taken_out(self) -> tuple[PastFlow, ...]:
        """What left accounts in the last two months; amounts are negative."""
        return tuple(one for one in self.flows if one.amount < 0)

    def blocked(self, account: str) -> bool:
        """Whether a discrepancy forbids trading in *account*."""
        return account in self.discrepancies


def unsettled_on(waiting: Iterable[Unsettled], account: str, day: dt.date) -> Money:
    """Proceeds of an account's sales that have not settled by *day*."""
    return sum((w.amount for w in waiting if w.account == account and w.settles_on > day), ZERO)


def unsettled_after(waiting: Iterable[Unsettled], fill: Fill, cash: Money) -> tuple[Unsettled, ...]:
    """What waits to settle once *fill* has left *cash* in its account.

    A purchase takes settled cash first and settles nothing: the proceeds of the day stay unsettled,
    as far as they are still there. Those that settle first are spent first.
    """
    day = trade_date(fill.at)
    still = [one for one in waiting if one.settles_on > day]
    if fill.side is Side.SELL and fill.settles_on > day:
        amount = fill.quantity * fill.price - fill.fee
        still.append(Unsettled(account=fill.account, amount=amount, settles_on=fill.settles_on))
    left, kept = max(ZERO, cash), list[Unsettled]()
    for one in sorted(still, key=lambda one: one.settles_on, reverse=True):
        amount = one.amount
        if one.account == fill.account:
            amount = min(amount, left)
            left -= amount
        if amount > 0:
            kept.append(replace(one, amount=amount))
    return tuple(reversed(kept))


_OWN_COLLECTIONS = (
    "accounts",
    "opened_at",
    "taken_over",
    "lots",
    "cash",
    "bands",
    "orders",
    "instructions",
    "confirmations",
    "standing_orders",
    "seen",
    "contributions",
    "discrepancies",
    "rearmed",
)


def remember(memory: Memory, entries: "tuple[Entry, ...] | list[Entry]") -> Memory:
    """*memory* after *entries*; the memory given is left as it was."""
    draft = replace(memory)
    for name in _OWN_COLLECTIONS:
        force_setattr(draft, name, dict(getattr(draft, name)))
    disposals, history = list(memory.disposals), list(memory.history)
    for entry in entries:
        history += tax_facts(entry.event, entry.at, draft.lots)
        if isinstance(entry.event, SaleRebooked):
            _rebook(history, disposals, entry.event)
        _apply(draft, entry, disposals)
    force_setattr(draft, "disposals", tuple(disposals))
    force_setattr(draft, "history", tuple(history))
    force_setattr(draft, "entries", memory.entries + len(entries))
    return draft


def _apply(draft: Memory, entry: Entry, disposals: list[Disposal]) -> None:  # noqa: C901, PLR0912, PLR0915  one case per kind of event: a table, and the only place that reads them
    event, at = entry.event, entry.at

    def put(**fields: object) -> None:
        for name, value in fields.items():
            force_setattr(draft, name, value)

    _remember_flow(draft, event, at)
    match event:
        case HouseholdOpened():
            put(name=event.name, base_currency=event.base_currency)
        case AccountOpened():
            _open_account(draft, event, at)
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
            put(cycles=event.number, last_started=at, executes=event.executes)
        case Decided():
            _remember_decision(draft, event.decision)
        case BandsMoved():
            _move_bands(draft, event.transitions, at)
        case CycleEnded():
            put(
                last_ended=at,
                last_executed=at if draft.executes else draft.last_executed,
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
        case StrategyRearmed():
            draft.rearmed[event.strategy] = at
        case OrderIntended():
            draft.orders[event.order.id] = OrderMemory(
                order=event.order, status=OrderStatus.INTENDED, intended_at=at
            )
        case OrderAnswered():
            _remember_answer(draft, event.receipt)
        case OrderFilled():
            disposals.extend(event.disposals)
            _remember_fill(draft, event)
        case LotsInstructed():
            draft.instructions[event.order_id] = event
        case LotsConfirmed():
            draft.confirmations[event.order_id] = event
        case StandingOrderConfirmed():
            draft.standing_orders[event.account] = event
        case SaleRebooked():
            _replace_lots(draft, event.account, event.symbol, event.lots)
        case CashMoved():
            movement = event.movement
            draft.seen[movement.account, movement.id] = None
            _add_cash(draft, movement.account, movement.currency, movement.amount)
        case SplitApplied():
            draft.seen[event.split.account, event.split.id] = None
            put(splits=(*draft.splits, event.split))
            _replace_lots(draft, event.split.account, event.split.symbol, event.lots)
        case ContributionMet():
            before = draft.contributions.get(event.account, ())
            draft.contributions[event.account] = (*before, event.contribution)
        case DiscrepancyFound():
            for account in {found.account for found in event.discrepancies}:
                draft.discrepancies[account] = tuple(
                    found for found in event.discrepancies if found.account == account
                )
        case DiscrepancyCleared():
            draft.discrepancies.pop(event.account, None)


def _remember_flow(draft: Memory, event: Event, at: dt.datetime) -> None:
    """Count what *event* brought in or took out; an account taken over is no payment into it."""
    flow = flow_in(event, at)
    if flow is None:
        return
    force_setattr(draft, "pending_flow", draft.pending_flow + flow.amount)
    if isinstance(event, AccountOpened) and event.account not in draft.accounts:
        return
    kept = (one for one in draft.flows if (flow.date - one.date).days <= FLOW_DAYS)
    force_setattr(draft, "flows", (*kept, flow))


def _open_account(draft: Memory, event: AccountOpened, at: dt.datetime) -> None:
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
    draft.opened_at[event.account] = at
    draft.taken_over.setdefault(event.account, trade_date(at))
    draft.lots.update({lot.id: lot for lot in event.lots})
    draft.cash.update({(event.account, code): sum_ for code, sum_ in event.cash.items()})
    draft.seen.update({(event.account, activity): None for activity in event.seen})


def _remember_decision(draft: Memory, decision: Decision) -> None:
    _move_bands(draft, decision.transitions, decision.at)
    force_setattr(draft, "decision", decision)
    force_setattr(draft, "aim", decision.aim)
    if decision.looked:
        force_setattr(draft, "last_look", decision.at)


def _move_bands(draft: Memory, transitions: tuple[BandTransition, ...], at: dt.datetime) -> None:
    for change in transitions:
        before = draft.bands.get(change.asset_class, BandMemory())
        ended = change.before is BandState.CORRECTING
        draft.bands[change.asset_class] = BandMemory(
            state=change.after, since=at, ended_at=at if ended else before.ended_at
        )


def _replace_lots(draft: Memory, account: str, symbol: str, lots: tuple[Lot, ...]) -> None:
    for lot in tuple(draft.lots.values()):
        if (lot.account, lot.symbol) == (account, symbol):
            del draft.lots[lot.id]
    draft.lots.update({lot.id: lot for lot in lots})


def _rebook(history: list[Transaction], disposals: list[Disposal], event: SaleRebooked) -> None:
    """Let a sale take the lots of *event* in the tax history and in the log."""
    picks: dict[str, tuple[LotPick, ...]] = {}
    for sale in event.disposals:
        fill_id = sale.id.rpartition("/")[0]
        pick = LotPick(lot_id=sale.lot_id, quantity=sale.quantity, piece=sale.piece)
        picks[fill_id] = (*picks.get(fill_id, ()), pick)
    for number, fact in enumerate(history):
        if fact.order_id == event.order_id and fact.id in picks:
            history[number] = replace(fact, picks=picks[fact.id])
    disposals[:] = [sale for sale in disposals if sale.order_id != event.order_id]
    disposals.extend(event.disposals)


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
    cash = draft.cash[fill.account, draft.base_currency]
    force_setattr(draft, "unsettled", unsettled_after(draft.unsettled, fill, cash))
    known = draft.orders.get(fill.order_id)
    if known is not None:
        draft.orders[fill.order_id] = replace(
            known, filled=known.filled + fill.quantity, fills=(*known.fills, fill)
        )


def _add_cash(draft: Memory, account: str, currency: str, amount: Money) -> None:
    key = (account, currency)
    draft.cash[key] = draft.cash.get(key, ZERO) + amount
