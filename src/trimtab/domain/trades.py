"""From drift to fill: what is measured, wanted, refused, ordered and found, as frozen values."""

import datetime as dt
from enum import StrEnum

from msgspec import Struct

from trimtab.domain.aim import Aim
from trimtab.domain.numbers import BASIS_POINT, ZERO, Money, Price, Quantity, Weight
from trimtab.domain.values import Lot


class Side(StrEnum):
    """Which way a trade goes."""

    BUY = "buy"
    SELL = "sell"


class Term(StrEnum):
    """Holding period of a disposal (26 USC 1222)."""

    SHORT = "short"
    LONG = "long"


class BandState(StrEnum):
    """Where a class stands in its episode of drift."""

    ARMED = "armed"
    CORRECTING = "correcting"
    RESTING = "resting"


class Drift(Struct, frozen=True, kw_only=True):
    """One class of the household against its target.

    Weights are fractions of the invested value. `half_width` is the trigger's distance from the
    target; `is_breached` was decided on exact products, not on these rounded quotients.
    """

    asset_class: str
    target: Weight
    value: Money
    weight: Weight
    drift: Weight
    half_width: Weight
    is_breached: bool
    state: BandState = BandState.ARMED

    @property
    def to_trigger(self) -> Weight:
        """How far the weight still is from its nearer trigger; negative once beyond it."""
        return self.half_width - abs(self.drift)


class BandTransition(Struct, frozen=True, kw_only=True):
    """A change of a class's band state; `alert` once per episode."""

    asset_class: str
    before: BandState
    after: BandState
    drift: Weight
    alert: bool
    sentence: str


class LotPick(Struct, frozen=True, kw_only=True):
    """So many units of one lot, named before the sale.

    `piece` names a part of the lot that a wash sale made ("" the part that none touched); None
    takes the front of the lot.
    """

    lot_id: str
    quantity: Quantity
    piece: str | None = None


class Disposal(Struct, frozen=True, kw_only=True):
    """Units of one lot sold in one fill: the row of the tax log.

    `proceeds` are net of selling costs; `gain` is negative for a loss. `acquired` and `sold` are
    trade dates in New York; the term is decided from `holding_since`. `piece` is the part of the
    lot that was named, None for its front.
    """

    id: str
    account: str
    symbol: str
    lot_id: str
    quantity: Quantity
    acquired: dt.date
    holding_since: dt.date
    sold: dt.date
    proceeds: Money
    basis: Money
    term: Term
    is_taxed: bool
    order_id: str = ""
    source: str = "journal"
    piece: str | None = None

    @property
    def gain(self) -> Money:
        """Proceeds less basis."""
        return self.proceeds - self.basis


class Motive(StrEnum):
    """What a trade is done for."""

    DRIFT = "drift"
    HARVEST = "harvest"
    CASH = "cash"
    LOCATION = "location"


class Trade(Struct, frozen=True, kw_only=True):
    """One thing to do in one account, with its reason and, for a sale, its lots.

    `price` is the quote it was planned at (bid for a sale, ask for a purchase); `cost` the fees
    expected; `gain` and `tax` what the sale would realize and owe (a negative tax
    is a saving), zero in an untaxed account. `motive` is what it is done for.
    """

    account: str
    symbol: str
    asset_class: str
    side: Side
    quantity: Quantity
    price: Price
    lots: tuple[LotPick, ...] = ()
    gain: Money = ZERO
    tax: Money = ZERO
    cost: Money = ZERO
    reason: str = ""
    motive: Motive = Motive.DRIFT

    @property
    def value(self) -> Money:
        """Quantity times price."""
        return self.quantity * self.price


class PlanCost(Struct, frozen=True, kw_only=True):
    """What a plan costs in money of the base currency, by cause; negative where it saves.

    `tax` of the year by today's sales, with what a loss costs later taken off; `cost` of trading:
    spread, fees, the price of an order; `drift` left, at the policy's price; `location` the tax
    drag that moves between accounts; `wash` what section 1091 would postpone or destroy.
    """

    tax: Money = ZERO
    cost: Money = ZERO
    drift: Money = ZERO
    location: Money = ZERO
    wash: Money = ZERO

    @property
    def total(self) -> Money:
        """The objective: what the planner makes least."""
        return self.tax + self.cost + self.drift + self.location + self.wash


class Certificate(Struct, frozen=True, kw_only=True):
    """How good a plan is, with proof: no plan that keeps the same rules costs less than `bound`.

    `plan` is the objective of the plan, `nothing` that of doing nothing, `value` what the targets
    divide. `rounding` is the part of the plan's cost that whole steps and small orders add. Where
    a part of the plan waits for its cash, the figures are of the whole of it. There is no
    certificate where cash that is due cannot be raised.
    """

    plan: PlanCost
    nothing: PlanCost
    bound: Money
    rounding: Money
    value: Money

    @property
    def gap(self) -> Money:
        """By how much a better plan could be cheaper at most; never negative."""
        return self.plan.total - self.bound

    @property
    def gap_bps(self) -> Weight:
        """The gap in basis points of the value."""
        return self.gap / self.value / BASIS_POINT if self.value > 0 else ZERO


class Plan(Struct, frozen=True, kw_only=True):
    """Trades that go together, sells first. Its id is a hash of its content and its cycle."""

    id: str
    at: dt.datetime
    trades: tuple[Trade, ...]
    before: tuple[Drift, ...]
    after: tuple[Drift, ...]
    sentence: str
    certificate: Certificate | None = None

    @property
    def turnover(self) -> Money:
        """One-way: the larger of what is sold and what is bought."""
        sold = sum((t.value for t in self.trades if t.side is Side.SELL), ZERO)
        bought = sum((t.value for t in self.trades if t.side is Side.BUY), ZERO)
        return max(sold, bought)

    @property
    def tax(self) -> Money:
        """Tax that the sales would add; negative when they save tax."""
        return sum((t.tax for t in self.trades), ZERO)


class Evidence(Struct, frozen=True, kw_only=True):
    """What one gate saw and said about a plan, or about one of its trades.

    `account` and `symbol` are empty when the gate judged the plan as a whole. `figures` are the
    numbers in the sentence, as text, for whoever checks it later.
    """

    gate: str
    passed: bool
    sentence: str
    account: str = ""
    symbol: str = ""
    figures: dict[str, str] = {}


class Held(Struct, frozen=True, kw_only=True):
    """A refusal: this plan, or this trade of it, may not go now."""

    gate: str
    sentence: str
    account: str = ""
    symbol: str = ""


class Discrepancy(Struct, frozen=True, kw_only=True):
    """Journal and broker disagree; the account is blocked until they agree again."""

    kind: str
    account: str
    subject: str
    expected: str
    found: str
    sentence: str


class Refusal(Struct, frozen=True, kw_only=True):
    """Something the planner wanted and did not do, with the reason in one sentence."""

    asset_class: str
    sentence: str
    account: str = ""
    symbol: str = ""


class Decision(Struct, frozen=True, kw_only=True):
    """What one look at the household concluded, and why.

    `plan` is None when there is nothing to do. `allowed` are the plan's trades that every gate
    lets through now. `least_deposit` is what, paid in, would heal the worst drift without a sale,
    costs and whole steps counted; None when no class has drifted, or what it takes may not be
    bought. `deposit_into_bands` is what would bring every class inside its band, however a plan
    divides it; where there is no plan, one was tried with that money and kept the promise. None
    when none is out or no deposit is known to be enough (nor does an older
    journal tell it). `looked` is false when the policy's interval let no new episode begin. `aim`
    tells the targets in force where a strategy says them, None where the classes' own hold.
    """

    at: dt.datetime
    value: Money
    drifts: tuple[Drift, ...]
    transitions: tuple[BandTransition, ...]
    plan: Plan | None
    allowed: tuple[Trade, ...]
    evidence: tuple[Evidence, ...]
    held: tuple[Held, ...]
    refusals: tuple[Refusal, ...]
    least_deposit: Money | None
    sentence: str
    looked: bool = True
    deposit_into_bands: Money | None = None
    aim: Aim | None = None


class OrderStatus(StrEnum):
    """Where an order stands; `unknown` means that nobody has said yet."""

    INTENDED = "intended"
    UNKNOWN = "unknown"
    WORKING = "working"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"

    @property
    def is_final(self) -> bool:
        """Whether the order can fill no more."""
        return self in {
            OrderStatus.FILLED,
            OrderStatus.CANCELED,
            OrderStatus.EXPIRED,
            OrderStatus.REJECTED,
        }


class Order(Struct, frozen=True, kw_only=True):
    """What the broker is told: a day order with a limit. `id` is the broker's client order id."""

    id: str
    plan_id: str
    account: str
    symbol: str
    side: Side
    quantity: Quantity
    limit: Price
    good_until: dt.datetime
    lots: tuple[LotPick, ...] = ()
    reason: str = ""


class Receipt(Struct, frozen=True, kw_only=True):
    """What the broker says about one order when asked."""

    order_id: str
    broker_id: str
    status: OrderStatus
    filled: Quantity = ZERO
    text: str = ""


class Fill(Struct, frozen=True, kw_only=True, tag_field="kind", tag="fill"):
    """Units that changed hands. `price` and `fee` are in the base currency."""

    id: str
    account: str
    order_id: str
    symbol: str
    side: Side
    quantity: Quantity
    price: Price
    fee: Money
    at: dt.datetime
    settles_on: dt.date


class CashMovement(Struct, frozen=True, kw_only=True, tag_field="kind", tag="cash"):
    """Money that came or went without a trade. `is_flow`: by the owner, so no gain or loss."""

    id: str
    account: str
    currency: str
    amount: Money
    at: dt.datetime
    is_flow: bool
    text: str = ""


class Split(Struct, frozen=True, kw_only=True, tag_field="kind", tag="split"):
    """Each *denominator* units became *numerator* units at the instant *at*."""

    id: str
    account: str
    symbol: str
    numerator: int
    denominator: int
    at: dt.datetime


Activity = Fill | CashMovement | Split
"""What a broker reports as having happened; ids are unique within an account."""


class AccountReport(Struct, frozen=True, kw_only=True):
    """What the broker says an account holds now.

    `lots` is None at brokers that do not tell them. `settled` is in the base currency.
    """

    account: str
    at: dt.datetime
    positions: dict[str, Quantity]
    cash: dict[str, Money]
    settled: Money
    lots: tuple[Lot, ...] | None = None
