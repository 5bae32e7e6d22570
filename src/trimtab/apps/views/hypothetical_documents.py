"""What `plan --what-if --json` and `plan --compare relief --json` print."""

from msgspec import Struct

from trimtab.apps.views.digits import Digits
from trimtab.apps.views.documents import DecisionDocument


class WhatIfDocument(Struct, frozen=True, kw_only=True):
    """trimtab/what-if/1: today's decision, and the one that would be made if something were so."""

    schema: str = "trimtab/what-if/1"
    household: str
    assumptions: tuple[str, ...]
    sentence: str
    today: DecisionDocument
    then: DecisionDocument


class BookedDocument(Struct, frozen=True, kw_only=True):
    """The plan with every taxed account under one relief; `relief` is null for those they have."""

    relief: str | None
    orders: int
    turnover: Digits
    tax: Digits
    cost: Digits
    objective: Digits | None
    lacking: Digits
    drift_after: Digits
    differs: tuple[str, ...]


class ReliefSwitchDocument(Struct, frozen=True, kw_only=True):
    """One account under another relief; what that saves today, negative where it costs."""

    account: str
    now: str
    then: str
    tax: Digits
    worth: Digits | None
    sentence: str


class CompareReliefDocument(Struct, frozen=True, kw_only=True):
    """trimtab/compare-relief/1: what it is worth how brokers book lots."""

    schema: str = "trimtab/compare-relief/1"
    household: str
    currency: str
    assumptions: tuple[str, ...]
    reliefs: dict[str, str]
    plans: tuple[BookedDocument, ...]
    switches: tuple[ReliefSwitchDocument, ...]
