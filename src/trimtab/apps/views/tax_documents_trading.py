"""What the tax commands about trades and forms print with `--json`, explained in json.md.

Amounts of money are in cents, rounded half up; quantities and prices have their exact digits.
"""

import datetime as dt

from msgspec import Struct

from trimtab.apps.views.digits import Digits


class TaxGuardLotDocument(Struct, frozen=True, kw_only=True):
    """Units of one lot that a guarded sale would take."""

    lot_id: str
    piece: str
    quantity: Digits
    acquired: dt.date
    term: str
    gain: Digits
    replaced: Digits
    disallowed: Digits


class TaxGuardDocument(Struct, frozen=True, kw_only=True):
    """trimtab/tax-guard/1: what section 1091 would do to a trade."""

    schema: str = "trimtab/tax-guard/1"
    household: str
    currency: str
    side: str
    quantity: Digits
    symbol: str
    account: str
    price: Digits | None
    date: dt.date
    state: str
    sentence: str
    shares: Digits
    disallowed: Digits
    deferred: Digits
    permanent: Digits
    first_safe_day: dt.date | None
    buy_again_from: dt.date | None
    lots: tuple[TaxGuardLotDocument, ...]
    findings: tuple[str, ...]
    gaps: tuple[str, ...]
    notes: tuple[str, ...]


class TaxFormRowDocument(Struct, frozen=True, kw_only=True):
    """A printed row of Form 8949."""

    box: str
    description: str
    acquired: dt.date | None
    sold: dt.date
    proceeds: Digits
    basis: Digits
    codes: str
    adjustment: Digits
    gain: Digits
    term: str
    holding_since: dt.date
    account: str
    symbol: str
    quantity: Digits
    lot_id: str
    sale_id: str
    own_proceeds: Digits
    own_basis: Digits
    disallowed: Digits
    permanent: Digits
    statement: str


class TaxScheduleLineDocument(Struct, frozen=True, kw_only=True):
    """A line of Schedule D; single lines have a gain only."""

    line: str
    proceeds: Digits | None
    basis: Digits | None
    adjustment: Digits | None
    gain: Digits


class TaxComparisonDocument(Struct, frozen=True, kw_only=True):
    """Rows of ours and of a broker that tell of the same units."""

    account: str
    symbol: str
    verdict: str
    is_open: bool
    sentence: str
    rows: tuple[str, ...]
    lines: tuple[int, ...]
    proceeds: Digits
    basis: Digits
    disallowed: Digits
    broker_proceeds: Digits
    broker_basis: Digits
    broker_disallowed: Digits


class TaxFormsDocument(Struct, frozen=True, kw_only=True):
    """trimtab/tax-forms/1: Form 8949 and Schedule D of one return and year."""

    schema: str = "trimtab/tax-forms/1"
    household: str
    year: int
    status: str
    rows: tuple[TaxFormRowDocument, ...]
    schedule: tuple[TaxScheduleLineDocument, ...]
    carry_in_short: Digits
    carry_in_long: Digits
    carry_out_short: Digits
    carry_out_long: Digits
    provisional_until: dt.date | None
    comparisons: tuple[TaxComparisonDocument, ...]
    notes: tuple[str, ...]


class TaxTxfDocument(Struct, frozen=True, kw_only=True):
    """trimtab/tax-txf/1: the records of a TXF file and what they leave out."""

    schema: str = "trimtab/tax-txf/1"
    household: str
    year: int
    records: int
    text: str
    notes: tuple[str, ...]


class TaxReconciledDocument(Struct, frozen=True, kw_only=True):
    """Sums of one account, ours and the broker's, and how many comparisons came to what."""

    account: str
    proceeds: Digits
    basis: Digits
    disallowed: Digits
    gain: Digits
    broker_proceeds: Digits
    broker_basis: Digits
    broker_disallowed: Digits
    broker_gain: Digits
    verdicts: dict[str, str]


class TaxReconciliationDocument(Struct, frozen=True, kw_only=True):
    """trimtab/tax-reconciliation/1: our Form 8949 beside the brokers' files."""

    schema: str = "trimtab/tax-reconciliation/1"
    household: str
    years: tuple[int, ...]
    files: tuple[str, ...]
    is_explained: bool
    comparisons: tuple[TaxComparisonDocument, ...]
    accounts: tuple[TaxReconciledDocument, ...]
    total: TaxReconciledDocument
    notes: tuple[str, ...]


class ImportPositionDocument(Struct, frozen=True, kw_only=True):
    """Units of a symbol as the broker lists them."""

    account: str
    symbol: str
    name: str
    cusip: str
    quantity: Digits
    price: Digits | None
    value: Digits | None
    basis: Digits | None
    currency: str


class ImportLotDocument(Struct, frozen=True, kw_only=True):
    """An open lot as the broker lists it."""

    account: str
    symbol: str
    quantity: Digits
    acquired: dt.date | None
    holding_since: dt.date | None
    basis: Digits | None
    unadjusted_basis: Digits | None
    term: str | None
    currency: str


class ImportTransactionDocument(Struct, frozen=True, kw_only=True):
    """A transaction; the fields are the columns of the CSV file."""

    date: dt.date
    account: str
    action: str
    symbol: str
    quantity: str
    amount: str
    fee: str
    lots: str
    method: str
    order: str
    basis: str
    acquired: str
    holding_since: str
    disallowed: str
    to: str
    ratio: str
    per_share: str
    preferred: str
    nonqualified: str
    form: str
    id: str
    text: str
    owner: str
    role: str
    account_kind: str


class ImportSaleDocument(Struct, frozen=True, kw_only=True):
    """A realized sale as the broker tells it."""

    account: str
    symbol: str
    cusip: str
    quantity: Digits
    acquired: dt.date | None
    sold: dt.date
    proceeds: Digits
    basis: Digits | None
    disallowed: Digits | None
    gain: Digits | None
    term: str | None
    form: str | None
    line: int


class ImportCashDocument(Struct, frozen=True, kw_only=True):
    """Cash of one currency in one account."""

    account: str
    amount: Digits
    currency: str


class ImportCashLineDocument(Struct, frozen=True, kw_only=True):
    """Money that came or went without a trade."""

    account: str
    date: dt.date
    kind: str
    amount: Digits
    currency: str
    symbol: str
    text: str


class ImportDocument(Struct, frozen=True, kw_only=True):
    """trimtab/import/1: what a broker's file says."""

    schema: str = "trimtab/import/1"
    source: str
    format: str
    as_of: dt.date | None
    accounts: tuple[str, ...]
    positions: tuple[ImportPositionDocument, ...]
    lots: tuple[ImportLotDocument, ...]
    transactions: tuple[ImportTransactionDocument, ...]
    sales: tuple[ImportSaleDocument, ...]
    cash: tuple[ImportCashDocument, ...]
    cash_lines: tuple[ImportCashLineDocument, ...]
    realized_gain: Digits
    notes: tuple[str, ...]


class TaxHarvestedDocument(Struct, frozen=True, kw_only=True):
    """A piece of a lot at a loss, and what to do about it."""

    state: str
    account: str
    symbol: str
    lot_id: str
    piece: str
    quantity: Digits
    acquired: dt.date
    term: str
    basis: Digits
    loss: Digits
    disallowed: Digits
    saved: Digits
    later: Digits
    costs: Digits
    worth: Digits
    substitute: str
    harvest_before: dt.date | None
    sentence: str


class TaxSwapBackDocument(Struct, frozen=True, kw_only=True):
    """A substitute that is held, and whether to go back from it."""

    account: str
    lot_id: str
    substitute: str
    symbol: str
    bought: dt.date
    quantity: Digits
    gain: Digits
    is_due: bool
    sentence: str


class TaxHarvestDocument(Struct, frozen=True, kw_only=True):
    """trimtab/tax-harvest/1: losses worth taking and those that are not."""

    schema: str = "trimtab/tax-harvest/1"
    household: str
    currency: str
    date: dt.date
    short_so_far: Digits
    long_so_far: Digits
    carry_short: Digits
    carry_long: Digits
    loss: Digits
    saved: Digits
    later: Digits
    costs: Digits
    worth: Digits
    harvests: tuple[TaxHarvestedDocument, ...]
    swaps: tuple[TaxSwapBackDocument, ...]
    notes: tuple[str, ...]
