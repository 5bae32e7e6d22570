"""The JSON documents about lots that a broker must be told of; json.md explains them."""

import datetime as dt

from msgspec import Struct

from trimtab.apps.views.digits import Digits


class NamedLotDocument(Struct, frozen=True, kw_only=True):
    """Units of one lot that an instruction names."""

    lot_id: str
    acquired: dt.date
    quantity: Digits
    basis: Digits


class InstructionDocument(Struct, frozen=True, kw_only=True):
    """One sale whose lots the owner must tell the broker."""

    order_id: str
    account: str
    symbol: str
    quantity: Digits
    lots: tuple[NamedLotDocument, ...]
    state: str
    deadline: dt.datetime
    sold_at: dt.datetime | None
    told_at: dt.datetime | None
    confirmed_at: dt.datetime | None
    reference: str
    sentence: str
    letter: str


class StandingOrderDocument(Struct, frozen=True, kw_only=True):
    """A standing order that the owner gave, by the household's file."""

    account: str
    relief: str
    confirmed_at: dt.datetime | None
    reference: str
    sentence: str
    letter: str


class InstructionsDocument(Struct, frozen=True, kw_only=True):
    """trimtab/instructions/1: what each broker must be told about lots, and what it was told."""

    schema: str = "trimtab/instructions/1"
    household: str
    currency: str
    at: dt.datetime
    sales: tuple[InstructionDocument, ...]
    standing_orders: tuple[StandingOrderDocument, ...]
    notes: tuple[str, ...]
