"""What `--json` prints of a plan's costs and alternatives, and of looks at what is not the case."""

import datetime as dt

from msgspec import Struct

from trimtab.apps.views.digits import Digits


class CostDocument(Struct, frozen=True, kw_only=True):
    """What something costs by cause; negative where it saves."""

    tax: Digits
    cost: Digits
    drift: Digits
    location: Digits
    wash: Digits
    total: Digits


class CertificateDocument(Struct, frozen=True, kw_only=True):
    """How good a plan is, with proof."""

    plan: CostDocument
    nothing: CostDocument
    bound: Digits
    gap: Digits
    gap_bps: Digits
    rounding: Digits
    value: Digits


class LotOrderDocument(Struct, frozen=True, kw_only=True):
    """The same sale with its lots taken in another order."""

    method: str
    gain: Digits
    price: Digits
    washed: Digits


class AlternativeDocument(Struct, frozen=True, kw_only=True):
    """The best alternative to a trade that the plan did not take."""

    account: str
    symbol: str
    lot_id: str
    dearer: Digits
    until: dt.date | None
    long_from: dt.date | None
    sentence: str


class AgingLotDocument(Struct, frozen=True, kw_only=True):
    """A lot that stays, at a gain, and turns long term soon."""

    account: str
    symbol: str
    lot_id: str
    acquired: dt.date
    quantity: Digits
    gain: Digits
    long_from: dt.date
    saves: Digits
