"""What `trimtab reserve --json` prints."""

import datetime as dt

from msgspec import Struct

from trimtab.apps.views.digits import Digits


class ReserveMonthDocument(Struct, frozen=True, kw_only=True):
    """One month that the reserve is for."""

    begins: dt.date
    costs: Digits
    bills: Digits
    income: Digits
    present: Digits
    is_covered: bool


class OperatingReserveDocument(Struct, frozen=True, kw_only=True):
    """trimtab/reserve/1: how far the operating reserve reaches."""

    schema: str = "trimtab/reserve/1"
    household: str
    currency: str
    at: dt.datetime
    verdict: str
    account: str
    months: int
    months_covered: Digits | None
    needed: Digits
    cash: Digits
    beside: Digits
    due: Digits
    safe: Digits
    lacks: Digits
    above: Digits
    full_on: dt.date | None
    coming: tuple[ReserveMonthDocument, ...]
