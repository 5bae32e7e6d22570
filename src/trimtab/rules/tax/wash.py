"""What a wash sale locks, and what is identical to what: words that plan and guard share."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from trimtab.domain.values import Instrument, InstrumentKind


class WashLock(Struct, frozen=True, kw_only=True):
    """A loss sale whose window is open: nothing identical may be bought before `safe_from`."""

    symbol: str
    sold: dt.date
    account: str
    safe_from: dt.date


def identical_symbols(symbol: str, groups: Iterable[Sequence[str]]) -> frozenset[str]:
    """*symbol* and what the household treats as substantially identical to it."""
    found = {symbol}
    for group in groups:
        if symbol in group:
            found.update(group)
    return frozenset(found)


def is_exempt(symbol: str, instruments: Mapping[str, Instrument]) -> bool:
    """Whether *symbol* is no stock or security, so that section 1091 does not reach it."""
    known = instruments.get(symbol)
    return known is not None and known.kind in {InstrumentKind.CRYPTO, InstrumentKind.FOREX}
