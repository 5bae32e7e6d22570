"""The journal's facts: what happened, with its outcome already worked out.

Which lots were sold and what a split made of them stands in the event, so that folding the journal
(`trimtab.domain.memory`) needs no rule and can never change its meaning. The meaning of an event
kind never changes: a new meaning gets a new kind.
"""

import datetime as dt

from msgspec import Struct

from trimtab.domain.incoming import PastContribution
from trimtab.domain.numbers import ZERO, Money
from trimtab.domain.policy import Policy
from trimtab.domain.trades import (
    BandTransition,
    CashMovement,
    Decision,
    Discrepancy,
    Disposal,
    Fill,
    Order,
    Receipt,
    Split,
)
from trimtab.domain.values import Lot, Relief


class _Fact(Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What every event has in common: a tag with its kind."""


class HouseholdOpened(_Fact, frozen=True, kw_only=True, tag="household-opened"):
    """The journal begins."""

    name: str
    base_currency: str


class AccountOpened(_Fact, frozen=True, kw_only=True, tag="account-opened"):
    """An account's opening lots and cash, taken over from *source*.

    A second one for the same account replaces what was known, when the owner adopts the broker's
    word or edits the file that tells of it. `seen` are the ids of activities that these figures
    already contain. `flow` is what they are worth more than what was known of the account before,
    in the base currency: it came into the household, and is no gain.
    """

    account: str
    lots: tuple[Lot, ...]
    cash: dict[str, Money]
    source: str
    seen: tuple[str, ...] = ()
    flow: Money = ZERO


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


class StrategyRearmed(_Fact, frozen=True, kw_only=True, tag="strategy-rearmed"):
    """The owner lets a strategy that locked itself take risk again; its next look heeds it."""

    strategy: str
    because: str


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


class LotsInstructed(_Fact, frozen=True, kw_only=True, tag="lots-instructed"):
    """The owner told a broker in time which lots a sale takes (26 CFR 1.1012-1(c)).

    `order_id` names the sale, planned or sent, and `lots` the units named, each with its part of
    the lot's basis. `sold_at` is None where the broker was told with the order or before it. For a
    sale at that instant, or at `told_at`, what is told after `deadline` does not count.
    """

    order_id: str
    account: str
    symbol: str
    lots: tuple[Lot, ...]
    told_at: dt.datetime
    sold_at: dt.datetime | None
    deadline: dt.datetime


class LotsConfirmed(_Fact, frozen=True, kw_only=True, tag="lots-confirmed"):
    """The broker confirmed in writing the lots that it was told for a sale."""

    order_id: str
    reference: str
    confirmed_at: dt.datetime


class StandingOrderConfirmed(_Fact, frozen=True, kw_only=True, tag="standing-order-confirmed"):
    """The broker confirmed in writing in which order it takes the lots of an account."""

    account: str
    relief: Relief
    reference: str
    confirmed_at: dt.datetime


class SaleRebooked(_Fact, frozen=True, kw_only=True, tag="sale-rebooked"):
    """A sale booked first in, first out takes other lots: the broker was told in time after it.

    `disposals` replace all of the order's, and `lots` all that the account holds of the symbol.
    """

    order_id: str
    account: str
    symbol: str
    disposals: tuple[Disposal, ...]
    lots: tuple[Lot, ...]


class CashMoved(_Fact, frozen=True, kw_only=True, tag="cash-moved"):
    """Money came or went without a trade; `in_base` is the amount in the base currency."""

    movement: CashMovement
    in_base: Money


class SplitApplied(_Fact, frozen=True, kw_only=True, tag="split-applied"):
    """A split, with the account's lots of the symbol as they are after it."""

    split: Split
    lots: tuple[Lot, ...]


class ContributionMet(_Fact, frozen=True, kw_only=True, tag="contribution-met"):
    """What [[averaging]] asked of an account on a day is done; an amount of zero is one too.

    A `short` contribution was never done: the next day of its path has come.
    """

    account: str
    contribution: PastContribution


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
    | StrategyRearmed
    | OrderIntended
    | OrderAnswered
    | OrderFilled
    | LotsInstructed
    | LotsConfirmed
    | StandingOrderConfirmed
    | SaleRebooked
    | CashMoved
    | SplitApplied
    | ContributionMet
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
