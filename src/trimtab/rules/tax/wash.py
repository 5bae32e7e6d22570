"""Which sales and purchases a wash sale forbids now: 26 USC 1091 over the whole household.

A loss is disallowed when substantially identical units are acquired within 30 days before or after
the sale, by anybody in the household and in any account, an IRA's included (Rev. Rul. 2008-5). Here
the planner simply keeps clear: no purchase for 30 days after a loss, no sale at a loss within 30
days after a purchase. Both day 30s count. Crypto is property, not a security (Notice 2014-21).
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from trimtab.domain.trades import Disposal
from trimtab.domain.values import Instrument, InstrumentKind, Lot

WINDOW_DAYS = 30


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


def purchase_locks(
    disposals: Iterable[Disposal],
    on: dt.date,
    groups: Sequence[Sequence[str]],
    instruments: Mapping[str, Instrument],
) -> dict[str, WashLock]:
    """The symbols that may not be bought on *on*, each with the loss that forbids it longest."""
    locks: dict[str, WashLock] = {}
    for disposal in disposals:
        safe_from = disposal.sold + dt.timedelta(days=WINDOW_DAYS + 1)
        if not disposal.is_taxed or disposal.gain >= 0 or on >= safe_from or on < disposal.sold:
            continue
        if is_exempt(disposal.symbol, instruments):
            continue
        for symbol in identical_symbols(disposal.symbol, groups):
            known = locks.get(symbol)
            if known is None or known.safe_from < safe_from:
                locks[symbol] = WashLock(
                    symbol=disposal.symbol,
                    sold=disposal.sold,
                    account=disposal.account,
                    safe_from=safe_from,
                )
    return locks


def recent_purchases(
    lots: Iterable[Lot],
    on: dt.date,
    groups: Sequence[Sequence[str]],
    instruments: Mapping[str, Instrument],
) -> dict[str, dict[str, Lot]]:
    """By symbol, the lots (by id) whose purchase would wash a loss realized on *on*."""
    found: dict[str, dict[str, Lot]] = {}
    for lot in lots:
        if not 0 <= (on - lot.acquired).days <= WINDOW_DAYS or is_exempt(lot.symbol, instruments):
            continue
        for symbol in identical_symbols(lot.symbol, groups):
            found.setdefault(symbol, {})[lot.id] = lot
    return found
