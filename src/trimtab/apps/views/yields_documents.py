"""What `trimtab yields --json` prints; explained in json.md."""

import datetime as dt

from msgspec import Struct

from trimtab.apps.views.digits import Digits


class YieldRateDocument(Struct, frozen=True, kw_only=True):
    """What one thing pays."""

    name: str
    kind: str
    symbol: str | None
    safe_class: str | None
    as_of: dt.date
    term_months: int | None
    rate: Digits
    tax_rate: Digits
    after_tax: Digits
    accounts: tuple[str, ...]
    in_taxed: bool
    in_untaxed: bool
    risk: str


class YieldPointDocument(Struct, frozen=True, kw_only=True):
    """One maturity of the curve."""

    months: Digits
    par: Digits
    rate: Digits
    after_tax: Digits
    is_below_shorter: bool


class YieldCurveDocument(Struct, frozen=True, kw_only=True):
    """The Treasury's par curve of a day."""

    date: dt.date
    points: tuple[YieldPointDocument, ...]
    ten_years_less_three_months: Digits | None
    ten_years_less_two_years: Digits | None


class YieldsDocument(Struct, frozen=True, kw_only=True):
    """trimtab/yields/1: what cash could earn."""

    schema: str = "trimtab/yields/1"
    household: str
    date: dt.date
    state_rate: Digits | None
    rates: tuple[YieldRateDocument, ...]
    safe_in_taxed: str | None
    safe_in_untaxed: str | None
    untold: tuple[str, ...]
    curve: YieldCurveDocument | None
    remarks: tuple[str, ...]
