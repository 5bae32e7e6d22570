"""Which sales and purchases a wash sale forbids now: 26 USC 1091 over the whole household.

A loss is disallowed when substantially identical units are acquired within 30 days before or after
the sale, by anybody in the household and in any account, an IRA's included (Rev. Rul. 2008-5). Here
the planner simply keeps clear: no purchase for 30 days after a loss, no sale at a loss within 30
days after a purchase. Both day 30s count. Crypto is property, not a security (Notice 2014-21).

A purchase counts here even when its units have been sold since: section 1091 asks what was
*acquired*, and whoever buys in an IRA, sells there and then takes the loss elsewhere should not
have to argue that nothing was replaced.
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


class Purchase(Struct, frozen=True, kw_only=True):
    """Units acquired on a day under the id of their lot, whether still held or sold since."""

    lot_id: str
    account: str
    symbol: str
    acquired: dt.date


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
    disposals: Iterable[Disposal],
    on: dt.date,
    groups: Sequence[Sequence[str]],
    instruments: Mapping[str, Instrument],
) -> dict[str, tuple[Purchase, ...]]:
    """By symbol, the purchases that would wash a loss realized on *on*, the earliest first.

    *lots* are what the household holds, *disposals* what it sold: those units were bought too.
    """
    bought = {
        Purchase(lot_id=lot.id, account=lot.account, symbol=lot.symbol, acquired=lot.acquired)
        for lot in lots
    } | {
        Purchase(
            lot_id=sale.lot_id, account=sale.account, symbol=sale.symbol, acquired=sale.acquired
        )
        for sale in disposals
    }
    found: dict[str, tuple[Purchase, ...]] = {}
    for purchase in sorted(bought, key=lambda one: (one.acquired, one.account, one.lot_id)):
        is_recent = 0 <= (on - purchase.acquired).days <= WINDOW_DAYS
        if not is_recent or is_exempt(purchase.symbol, instruments):
            continue
        for symbol in identical_symbols(purchase.symbol, groups):
            found[symbol] = (*found.get(symbol, ()), purchase)
    return found
