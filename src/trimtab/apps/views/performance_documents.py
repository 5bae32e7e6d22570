"""What `trimtab performance --json` prints; explained in json.md."""

import datetime as dt

from msgspec import Struct

from trimtab.apps.views.digits import Digits


class MoneyWeightedDocument(Struct, frozen=True, kw_only=True):
    """The rate at which the flows balance, or why there is none."""

    status: str
    rate: float | None
    over_the_time: float | None
    roots: tuple[float, ...]
    sentence: str


class PeriodDocument(Struct, frozen=True, kw_only=True):
    """One period; returns are of the whole of it."""

    year: int | None
    start: dt.date
    end: dt.date
    years: float
    value_start: Digits
    value_end: Digits
    contributions: Digits
    withdrawals: Digits
    gain: Digits
    bought: Digits
    sold: Digits
    short_gain: Digits
    long_gain: Digits
    realized_tax: Digits
    owed_start: Digits | None
    owed_end: Digits | None
    time_weighted: float | None
    time_weighted_a_year: float | None
    money_weighted: MoneyWeightedDocument
    modified_dietz: float | None
    after_tax: float | None
    after_tax_a_year: float | None
    drawdown: float | None
    drawdown_peak: dt.date | None
    drawdown_trough: dt.date | None
    drawdown_recovered: dt.date | None
    volatility: float | None
    tracking_error: float | None
    turnover: float | None


class PerformanceDocument(Struct, frozen=True, kw_only=True):
    """trimtab/performance/1: how it went."""

    schema: str = "trimtab/performance/1"
    household: str
    currency: str
    since: dt.date | None
    until: dt.date | None
    whole: PeriodDocument | None
    years: tuple[PeriodDocument, ...]
    remarks: tuple[str, ...]
