"""What `trimtab contribute --json` prints."""

import datetime as dt

from msgspec import Struct

from trimtab.apps.views.digits import Digits


class IncomingDocument(Struct, frozen=True, kw_only=True):
    """Money that comes in."""

    day: dt.date
    account: str
    amount: Digits


class PlaceDocument(Struct, frozen=True, kw_only=True):
    """Where a part of new money goes."""

    account: str
    asset_class: str
    symbol: str
    day: dt.date | None
    amount: Digits
    why: str


class ObligationDocument(Struct, frozen=True, kw_only=True):
    """What averaging asks for on a day."""

    day: dt.date
    amount: Digits
    goal: Digits | None
    withheld: Digits
    why: str


class PlannedPurchaseDocument(Struct, frozen=True, kw_only=True):
    """What the plan of now buys in the account."""

    symbol: str
    asset_class: str
    quantity: Digits
    value: Digits
    reason: str


class AveragingDocument(Struct, frozen=True, kw_only=True):
    """An averaging rule as it stands."""

    account: str
    by: str
    value: Digits
    fund: Digits
    waits: Digits
    asked: Digits
    lacks: Digits
    left: Digits | None
    cap: Digits | None
    obligations: tuple[ObligationDocument, ...]
    purchases: tuple[PlannedPurchaseDocument, ...]
    held: tuple[str, ...]
    last_day: dt.date | None
    last_amount: Digits | None
    next_day: dt.date | None
    next_goal: Digits | None


class ContributeDocument(Struct, frozen=True, kw_only=True):
    """trimtab/contribute/1: what to put in and where it goes."""

    schema: str = "trimtab/contribute/1"
    household: str
    currency: str
    at: dt.datetime
    verdict: str
    incoming: tuple[IncomingDocument, ...]
    places: tuple[PlaceDocument, ...]
    averaging: tuple[AveragingDocument, ...]
    reserve_lacks: Digits
