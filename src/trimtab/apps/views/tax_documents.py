"""What `trimtab tax gains`, `wash`, `year` and `calendar` print with `--json`.

Amounts are in cents, rounded half up from exact sums; quantities have all their digits.
"""

import datetime as dt

from msgspec import Struct

from trimtab.apps.views.digits import Digits


class HeldLotDocument(Struct, frozen=True, kw_only=True):
    """Units still held that have one basis and one holding period."""

    account: str
    symbol: str
    lot_id: str
    piece: str
    quantity: Digits
    acquired: dt.date
    holding_since: dt.date
    basis: Digits
    paid: Digits
    is_taxed: bool
    term: str | None
    long_from: dt.date | None
    price: Digits | None
    value: Digits | None
    gain: Digits | None


class HeldTotalDocument(Struct, frozen=True, kw_only=True):
    """All that is held of one term today, or in untaxed accounts."""

    term: str
    lots: int
    basis: Digits
    value: Digits
    gains: Digits
    losses: Digits
    gain: Digits


class TaxGainsDocument(Struct, frozen=True, kw_only=True):
    """trimtab/tax-gains/1: what is held, and what a sale would realize."""

    schema: str = "trimtab/tax-gains/1"
    household: str
    currency: str
    on: dt.date
    lots: tuple[HeldLotDocument, ...]
    totals: tuple[HeldTotalDocument, ...]
    deferred: Digits
    unpriced: tuple[str, ...]
    notes: tuple[str, ...]


class WashedDocument(Struct, frozen=True, kw_only=True):
    """Units sold at a loss and the units that replaced them."""

    sold: dt.date
    account: str
    symbol: str
    lot_id: str
    quantity: Digits
    acquired: dt.date
    replacement_account: str
    replacement_symbol: str
    replacement_lot_id: str
    disallowed: Digits
    is_permanent: bool
    basis_in: str


class WaitingLossDocument(Struct, frozen=True, kw_only=True):
    """A loss that a purchase can still wash."""

    sold: dt.date
    account: str
    symbol: str
    quantity: Digits
    loss: Digits
    until: dt.date
    sentence: str


class WashYearDocument(Struct, frozen=True, kw_only=True):
    """What section 1091 disallowed in a year."""

    year: int
    disallowed: Digits
    deferred: Digits
    permanent: Digits


class ReviewDocument(Struct, frozen=True, kw_only=True):
    """Something within a window that a person must judge."""

    account: str
    symbol: str
    date: dt.date
    sentence: str


class TaxWashDocument(Struct, frozen=True, kw_only=True):
    """trimtab/tax-wash/1: every wash sale, and what can still become one."""

    schema: str = "trimtab/tax-wash/1"
    household: str
    currency: str
    on: dt.date
    year: int | None
    matches: tuple[WashedDocument, ...]
    waiting: tuple[WaitingLossDocument, ...]
    planned: tuple[str, ...]
    reviews: tuple[ReviewDocument, ...]
    years: tuple[WashYearDocument, ...]
    in_lots: Digits
    identical: tuple[str, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]


class YearTaxDocument(Struct, frozen=True, kw_only=True):
    """What sales and qualified dividends add to the federal tax of a year."""

    short_term: Digits
    loss_saving: Digits
    long_term: Digits
    dividends: Digits
    niit: Digits
    total: Digits
    short_rate: Digits
    long_rate: Digits


class ReturnYearDocument(Struct, frozen=True, kw_only=True):
    """A year of one return."""

    id: str
    owners: tuple[str, ...]
    filing_status: str
    sales: int
    short_term: Digits
    long_term: Digits
    disallowed: Digits
    permanent: Digits
    short_carried_in: Digits
    long_carried_in: Digits
    line_7: Digits
    line_15: Digits
    line_16: Digits
    line_21: Digits
    short_carried_out: Digits
    long_carried_out: Digits
    worksheet: dict[str, str]
    dividends: Digits
    qualified_dividends: Digits
    tax: YearTaxDocument | None
    no_tax_because: str | None
    collectibles: tuple[str, ...]
    remarks: tuple[str, ...]


class TaxYearDocument(Struct, frozen=True, kw_only=True):
    """trimtab/tax-year/1: a year's netting, carryovers and tax, return by return."""

    schema: str = "trimtab/tax-year/1"
    household: str
    currency: str
    on: dt.date
    year: int
    is_provisional: bool
    provisional_until: dt.date
    returns: tuple[ReturnYearDocument, ...]
    notes: tuple[str, ...]


class WindowDocument(Struct, frozen=True, kw_only=True):
    """61 days around a loss, a purchase or a planned purchase."""

    kind: str
    account: str
    symbol: str
    day: dt.date
    begins: dt.date
    ends: dt.date
    free_from: dt.date
    quantity: Digits | None
    loss: Digits | None
    sentence: str


class WindowGroupDocument(Struct, frozen=True, kw_only=True):
    """What binds one identical group of one taxpayer."""

    taxpayer: str
    symbols: tuple[str, ...]
    buy_from: dt.date
    sell_from: dt.date | None
    windows: tuple[WindowDocument, ...]


class TaxCalendarDocument(Struct, frozen=True, kw_only=True):
    """trimtab/tax-calendar/1: the windows that bind from a day on."""

    schema: str = "trimtab/tax-calendar/1"
    household: str
    currency: str
    on: dt.date
    until: dt.date
    groups: tuple[WindowGroupDocument, ...]
    provisional: str | None
    notes: tuple[str, ...]
