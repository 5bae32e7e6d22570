"""A trade as a broker's line tells it, and whether the rules can judge it."""

import datetime as dt
import re
from decimal import Decimal
from typing import NamedTuple

from trimtab.domain.history import TransactionKind
from trimtab.domain.numbers import ZERO, Money, Quantity

BASE_CURRENCY = "USD"
"""The currency of the tax rules; a trade in another one is left for a person to convert."""

_OPTION = re.compile(
    r"-?[A-Z./]{1,6}\d?\s*\d{6}[CP]\d+(\.\d+)?"  # OCC, and Fidelity's -AAPL260116C250
    r"|[A-Z./]{1,6} \d{1,2}/\d{1,2}/\d{4} [\d.,]+ [CP]"  # Schwab's AAPL 01/16/2026 250.00 C
    r"|[A-Z./]{1,6} \d{1,2}[A-Z]{3}\d{2} [\d.,]+ [CP]"  # IBKR's AAPL 16JAN26 250 C
)
_ROOT = re.compile(r"-?([A-Z./]+)")
_CUSIP = re.compile(r"(?=.*\d)[0-9A-Z]{8}\d")


class Trade(NamedTuple):
    """A trade as a line tells it: `net` is the money that moved, fee included, of either sign."""

    kind: TransactionKind
    date: dt.date
    account: str
    symbol: str
    quantity: Quantity | None
    price: Decimal | None = None
    net: Money | None = None
    gross: Money | None = None
    fee: Money = ZERO
    currency: str = BASE_CURRENCY
    id: str = ""


def doubt_of(trade: Trade) -> str:
    """Why the rules cannot judge *trade*; empty when they can."""
    is_sale = trade.kind is TransactionKind.SELL
    gross = gross_of(trade)
    direction = 1 if is_sale else -1
    doubts = {
        "names no symbol": not trade.symbol,
        "an option": is_option(trade.symbol),
        f"in {trade.currency}, to be converted to {BASE_CURRENCY} by hand": (
            trade.currency != BASE_CURRENCY
        ),
        "a purchase of a negative quantity": (
            trade.quantity is not None and trade.quantity < 0 and not is_sale
        ),
        "a negative fee": trade.fee < 0,
        "money of the wrong sign": trade.net is not None and trade.net * direction < 0,
        "a fee above the amount": gross is not None and gross < 0,
        "no quantity or no amount": gross is None or not trade.quantity,
    }
    return next((doubt for doubt, is_so in doubts.items() if is_so), "")


def gross_of(trade: Trade) -> Money | None:
    """The money of *trade* before its fee, never negative for a sane trade; None if untold."""
    if trade.gross is not None:
        return abs(trade.gross)
    if trade.net is not None:
        fee = trade.fee if trade.kind is TransactionKind.SELL else -trade.fee
        return abs(trade.net) + fee
    if trade.price is not None and trade.quantity is not None:
        return abs(trade.quantity * trade.price)
    return None


def is_option(symbol: str) -> bool:
    """Whether *symbol* names an option, in the spelling of one of the brokers."""
    return bool(_OPTION.fullmatch(symbol))


def underlying_of(symbol: str) -> str:
    """The share that an option is on, by the root of its name; any other symbol as it is.

    Examples:
        >>> underlying_of("VTI 03/21/2025 290.00 C"), underlying_of("-VTI250321C290")
        ('VTI', 'VTI')
        >>> underlying_of("VTI")
        'VTI'
    """
    root = _ROOT.match(symbol) if is_option(symbol) else None
    return root[1] if root else symbol


def is_cusip(symbol: str) -> bool:
    """Whether *symbol* is a CUSIP and no ticker."""
    return bool(_CUSIP.fullmatch(symbol))
