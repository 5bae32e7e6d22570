"""Price files made for a test, and the real ones beside the checkout."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from trimtab.adapters.calendars import MarketCalendars
from trimtab.domain.values import Instrument, InstrumentKind

SHARED = Path(__file__).resolve().parents[2] / "../shared"
CALENDARS = MarketCalendars()

VTI = Instrument(symbol="VTI", kind=InstrumentKind.ETF)
BND = Instrument(symbol="BND", kind=InstrumentKind.ETF)
BTC = Instrument(symbol="BTC-USD", kind=InstrumentKind.CRYPTO, calendar="24/7")
EURUSD = Instrument(symbol="EURUSD", kind=InstrumentKind.FOREX, calendar="forex")
EUNL = Instrument(symbol="EUNL", kind=InstrumentKind.ETF, calendar="XETR", currency="EUR")

Write = Callable[..., Path]


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def daily(name: str) -> Path:
    """A file of real daily prices; the test is skipped where they are not there."""
    path = SHARED / "data/daily" / name
    if not path.exists():
        pytest.skip(f"the real prices {name} are not in the folder shared beside the checkout")
    return path
