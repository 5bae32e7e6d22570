"""What `--json` prints: documents with a schema's name and version, explained in json.md.

Money, prices, quantities and weights are strings with their exact digits; weights and drifts are
fractions of one. Instants are RFC 3339 in UTC. A field is added without a new version; none
changes its meaning.
"""

import datetime as dt

from msgspec import Struct

from trimtab.apps.views.digits import Digits
from trimtab.apps.views.plan_documents import (
    AgingLotDocument,
    AlternativeDocument,
    CertificateDocument,
    LotOrderDocument,
)


class ErrorDocument(Struct, frozen=True, kw_only=True):
    """trimtab/error/1: what went wrong, in place of any other document."""

    schema: str = "trimtab/error/1"
    error: str
    exit_status: int


class DriftDocument(Struct, frozen=True, kw_only=True):
    """A class against its target."""

    asset_class: str
    target: Digits
    weight: Digits
    drift: Digits
    half_width: Digits
    is_breached: bool
    state: str
    value: Digits


class LotDocument(Struct, frozen=True, kw_only=True):
    """Units of one lot in a planned sale; what is not known of the lot is null."""

    lot_id: str
    quantity: Digits
    acquired: dt.date | None
    term: str | None
    gain: Digits | None


class TradeDocument(Struct, frozen=True, kw_only=True):
    """One trade of a plan; `is_allowed` when no gate refuses it now.

    `orders` and `alternative` are told by `plan`, which sees what else could be done.
    """

    account: str
    symbol: str
    asset_class: str
    side: str
    quantity: Digits
    price: Digits
    value: Digits
    gain: Digits
    tax: Digits
    cost: Digits
    is_allowed: bool
    lots: tuple[LotDocument, ...]
    reason: str
    motive: str
    orders: tuple[LotOrderDocument, ...]
    alternative: AlternativeDocument | None


class GateDocument(Struct, frozen=True, kw_only=True):
    """What one gate saw and said."""

    gate: str
    passed: bool
    account: str
    symbol: str
    sentence: str
    figures: dict[str, str]


class RefusalDocument(Struct, frozen=True, kw_only=True):
    """What the planner wanted and did not do."""

    asset_class: str
    account: str
    symbol: str
    sentence: str


class DecisionDocument(Struct, frozen=True, kw_only=True):
    """What one look concluded."""

    at: dt.datetime
    currency: str
    value: Digits
    plan_id: str | None
    trades: tuple[TradeDocument, ...]
    turnover: Digits
    tax: Digits
    before: tuple[DriftDocument, ...]
    after: tuple[DriftDocument, ...]
    gates: tuple[GateDocument, ...]
    refusals: tuple[RefusalDocument, ...]
    least_deposit: Digits | None
    deposit_into_bands: Digits | None
    looked: bool
    certificate: CertificateDocument | None
    aging: tuple[AgingLotDocument, ...]


class DiscrepancyDocument(Struct, frozen=True, kw_only=True):
    """One difference between journal and broker."""

    kind: str
    account: str
    subject: str
    expected: str
    found: str
    sentence: str


class PlanDocument(Struct, frozen=True, kw_only=True):
    """trimtab/plan/1: what would be done now; nothing was sent and nothing written."""

    schema: str = "trimtab/plan/1"
    household: str
    status: str
    sentence: str
    decision: DecisionDocument | None
    discrepancies: tuple[DiscrepancyDocument, ...]


class ExecutionDocument(Struct, frozen=True, kw_only=True):
    """What became of one trade."""

    account: str
    symbol: str
    side: str
    order_id: str
    status: str
    wanted: Digits
    filled: Digits
    note: str


class TaxRowDocument(Struct, frozen=True, kw_only=True):
    """Units of one lot that were sold; amounts in cents, rounded half up."""

    account: str
    symbol: str
    lot_id: str
    quantity: Digits
    acquired: dt.date
    holding_since: dt.date
    sold: dt.date
    term: str
    proceeds: Digits
    basis: Digits
    disallowed: Digits
    permanent: Digits
    gain: Digits
    is_taxed: bool
    order_id: str
    source: str


class RunDocument(Struct, frozen=True, kw_only=True):
    """trimtab/run/1: one turn; `watch --json` prints one of these for each."""

    schema: str = "trimtab/run/1"
    household: str
    cycle: str
    executes: bool
    status: str
    sentence: str
    decision: DecisionDocument | None
    executions: tuple[ExecutionDocument, ...]
    discrepancies: tuple[DiscrepancyDocument, ...]
    realized: tuple[TaxRowDocument, ...]
    exit_status: int


class HolderDocument(Struct, frozen=True, kw_only=True):
    """A process that works on the household."""

    command: str
    pid: int | None
    host: str
    since: dt.datetime | None


class PendingDocument(Struct, frozen=True, kw_only=True):
    """An edited policy that waits."""

    effective_at: dt.datetime
    changes: tuple[str, ...]


class LastTurnDocument(Struct, frozen=True, kw_only=True):
    """How the last turn ended."""

    ended_at: dt.datetime
    outcome: str
    sentence: str


class OrderDocument(Struct, frozen=True, kw_only=True):
    """An order without a final answer."""

    order_id: str
    account: str
    symbol: str
    side: str
    quantity: Digits
    filled: Digits
    status: str
    intended_at: dt.datetime | None


class AccountDocument(Struct, frozen=True, kw_only=True):
    """An account as the journal knows it; null where a price is missing."""

    account: str
    kind: str
    broker: str
    value: Digits | None
    cash: Digits | None
    reserve: Digits
    is_blocked: bool


class ReserveDocument(Struct, frozen=True, kw_only=True):
    """The operating reserve: how many months of running costs its cash covers."""

    account: str
    monthly_costs: Digits
    monthly_income: Digits
    floor: Digits
    cash: Digits | None
    months_covered: Digits | None


class StatusDocument(Struct, frozen=True, kw_only=True):
    """trimtab/status/1: how the household stands."""

    schema: str = "trimtab/status/1"
    household: str
    currency: str
    at: dt.datetime
    verdict: str
    missing: str | None
    last_turn: LastTurnDocument | None
    next_look: dt.datetime | None
    working: HolderDocument | None
    watching: HolderDocument | None
    paused: str | None
    breaker: str | None
    breaker_since: dt.datetime | None
    pending_policy: PendingDocument | None
    edit: str | None
    discrepancies: tuple[DiscrepancyDocument, ...]
    open_orders: tuple[OrderDocument, ...]
    value: Digits | None
    classes: tuple[DriftDocument, ...]
    after_tax_weights: dict[str, Digits]
    accounts: tuple[AccountDocument, ...]
    reserve: ReserveDocument | None
    entries: int
    remarks: tuple[str, ...]


class VerifiedDocument(Struct, frozen=True, kw_only=True):
    """One account compared with its broker; `agrees` is null for an account known from files."""

    account: str
    agrees: bool | None
    discrepancies: tuple[DiscrepancyDocument, ...]


class VerifyDocument(Struct, frozen=True, kw_only=True):
    """trimtab/verify/1: journal and brokers compared, and the journal's own chain checked."""

    schema: str = "trimtab/verify/1"
    household: str
    at: dt.datetime
    entries: int
    head: str
    accounts: tuple[VerifiedDocument, ...]
    adopted: tuple[DiscrepancyDocument, ...]
    unsettled_orders: tuple[OrderDocument, ...]


class TaxTotalDocument(Struct, frozen=True, kw_only=True):
    """The sum of one term over the taxed accounts, rounded from exact sums."""

    term: str
    proceeds: Digits
    basis: Digits
    disallowed: Digits
    gain: Digits


class TaxLogDocument(Struct, frozen=True, kw_only=True):
    """trimtab/tax-log/1: what was realized."""

    schema: str = "trimtab/tax-log/1"
    household: str
    currency: str
    year: int | None
    rows: tuple[TaxRowDocument, ...]
    totals: tuple[TaxTotalDocument, ...]
    notes: tuple[str, ...]


class ChangeDocument(Struct, frozen=True, kw_only=True):
    """One difference between the file and the policy in force."""

    path: str
    before: str
    after: str
    tightens: bool
    sentence: str


class ClassDocument(Struct, frozen=True, kw_only=True):
    """A class of the policy in force."""

    asset_class: str
    target: Digits
    half_width: Digits
    members: tuple[str, ...]
    risk: str


class PolicyDocument(Struct, frozen=True, kw_only=True):
    """trimtab/policy/1: the rules in force, and what the file asks for."""

    schema: str = "trimtab/policy/1"
    household: str
    digest: str
    since: dt.datetime | None
    classes: tuple[ClassDocument, ...]
    changes: tuple[ChangeDocument, ...]
    pending: PendingDocument | None
    consequence: str
    paused: str | None
    breaker: str | None


class CoverageDocument(Struct, frozen=True, kw_only=True):
    """Prices of one symbol in the price files."""

    symbol: str
    asset_class: str
    first_session: dt.date | None
    last_session: dt.date | None
    sessions: int
    volatility: float | None


class CheckDocument(Struct, frozen=True, kw_only=True):
    """trimtab/check/1: a household without a fault; with one there is a trimtab/error/1."""

    schema: str = "trimtab/check/1"
    household: str
    currency: str
    accounts: int
    lots: int
    sales: int
    value: Digits | None
    classes: tuple[DriftDocument, ...]
    prices: tuple[CoverageDocument, ...]
    edit: str | None
    remarks: tuple[str, ...]


class ToldDocument(Struct, frozen=True, kw_only=True):
    """One thing that an entry of the journal says."""

    sequence: int
    at: dt.datetime
    cycle: str
    sentence: str


class ExplainDocument(Struct, frozen=True, kw_only=True):
    """trimtab/explain/1: the last decision, or all that the journal says about one thing."""

    schema: str = "trimtab/explain/1"
    household: str
    subject: str | None
    kind: str
    sentences: tuple[ToldDocument, ...]
