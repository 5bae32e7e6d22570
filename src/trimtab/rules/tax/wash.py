"""What a wash sale locks, and what is identical to what: words that plan and guard share."""

import datetime as dt
from collections.abc import Iterable, Sequence

from msgspec import Struct


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
