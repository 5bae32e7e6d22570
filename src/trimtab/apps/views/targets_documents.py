"""What `targets --json` prints; see `trimtab.apps.views.documents` for what all documents keep."""

import datetime as dt

from msgspec import Struct

from trimtab.apps.views.digits import Digits


class ClassTargetDocument(Struct, frozen=True, kw_only=True):
    """What a class should be, and is."""

    asset_class: str
    own: Digits
    in_force: Digits
    next: Digits | None
    weight: Digits | None


class LayerDocument(Struct, frozen=True, kw_only=True):
    """What one strategy wants and why."""

    name: str
    targets: dict[str, Digits]
    sentences: tuple[str, ...]
    figures: dict[str, str]
    state: dict[str, str]
    doubt: str | None


class GapRiskDocument(Struct, frozen=True, kw_only=True):
    """What CPPI may lose between two looks."""

    volatility: float
    multiplier_now: float
    textbook: float
    capped: float | None
    first: dt.date
    last: dt.date
    months: int
    windows: int
    breached: int
    looks: str
    worst: Digits | None
    worst_on: dt.date | None
    multiplier_max: Digits | None
    sentences: tuple[str, ...]


class TargetsDocument(Struct, frozen=True, kw_only=True):
    """trimtab/targets/1: what the household aims at, and why."""

    schema: str = "trimtab/targets/1"
    household: str
    currency: str
    at: dt.datetime
    sentence: str
    missing: str | None
    warnings: tuple[str, ...]
    edit: str | None
    is_defensive: bool
    since: dt.date | None
    estimated_on: dt.date | None
    next_estimate: dt.date | None
    next_point: dt.date | None
    classes: tuple[ClassTargetDocument, ...]
    layers: tuple[LayerDocument, ...]
    gap_risk: GapRiskDocument | None
    gap_doubt: str | None
