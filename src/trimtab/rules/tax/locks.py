"""What the planner keeps clear of: symbols not to buy now, and purchases that would wash a loss.

It stays on the careful side of section 1091: a purchase counts even when its units have been sold
since, because the law asks what was *acquired*. What certainly cannot matter does not: a loss that
is washed in full already, units that have replaced a loss, and the rest of the same purchase (Rev.
Rul. 56-602).
"""

import datetime as dt
from collections.abc import Iterable, Iterator

from msgspec import Struct

from trimtab.domain.history import HOUSEHOLD, LotSale
from trimtab.domain.numbers import ZERO, Quantity
from trimtab.domain.trades import Disposal
from trimtab.rules.tax.ledger import Ledger
from trimtab.rules.tax.matching import WINDOW_DAYS, Group, first_safe_day
from trimtab.rules.tax.wash import WashLock


class RecentPurchase(Struct, frozen=True, kw_only=True):
    """One purchase of the last 30 days: the lots (account, id) that it became.

    `quantity` are the units of it that could still take a loss, None where they were sold since.
    """

    symbol: str
    account: str
    acquired: dt.date
    lots: frozenset[tuple[str, str]]
    quantity: Quantity | None = None

    def covers(self, account: str, lot_id: str) -> bool:
        """Whether that lot came from this very purchase, which cannot wash its loss."""
        return (account, lot_id) in self.lots


def purchase_locks(
    ledger: Ledger, on: dt.date, symbols: Iterable[str], taxpayer: str = HOUSEHOLD
) -> dict[str, WashLock]:
    """Which of *symbols* may not be bought on *on*, each with the loss that forbids it longest.

    It is *taxpayer* who would buy: children and others stand alone, with losses of their own.
    """
    locks: dict[str, WashLock] = {}
    for symbol in symbols:
        open_losses = [
            loss.row
            for group in _groups(ledger, symbol, taxpayer)
            for loss in group.waiting
            if loss.quantity > 0 and 0 <= (on - loss.row.sold).days <= WINDOW_DAYS
        ]
        if open_losses:
            last = max(open_losses, key=lambda row: row.sold)
            locks[symbol] = WashLock(
                symbol=last.lot.symbol,
                sold=last.sold,
                account=last.account.id,
                safe_from=first_safe_day(last.sold),
            )
    return locks


def recent_purchases(
    ledger: Ledger,
    on: dt.date,
    symbols: Iterable[str],
    sold: Iterable[LotSale | Disposal] = (),
    taxpayer: str = HOUSEHOLD,
) -> dict[str, tuple[RecentPurchase, ...]]:
    """For each of *symbols*, the purchases that would wash a loss on *on*, the earliest first.

    *sold* are the household's sales, whose units were bought too; only the last 30 days matter.
    """
    gone = [
        RecentPurchase(
            symbol=sale.symbol,
            account=sale.account,
            acquired=sale.acquired,
            lots=frozenset({(sale.account, sale.lot_id)}),
        )
        for sale in sold
        if 0 <= (on - sale.acquired).days <= WINDOW_DAYS
        and ledger.accounts[sale.account].taxpayer == taxpayer
    ]
    found: dict[str, tuple[RecentPurchase, ...]] = {}
    for symbol in symbols:
        if ledger.rule.is_exempt(symbol, on):
            continue
        held = [one for group in _groups(ledger, symbol, taxpayer) for one in _bought(group, on)]
        known = {lot for one in held for lot in one.lots}
        held += [
            one
            for one in dict.fromkeys(gone)
            if ledger.identical(one.symbol, symbol) and not one.lots <= known
        ]
        if held:
            held.sort(key=lambda one: (one.acquired, one.account, sorted(one.lots)))
            found[symbol] = tuple(held)
    return found


def _groups(ledger: Ledger, symbol: str, taxpayer: str) -> Iterator[Group]:
    """Everything identical to *symbol* that *taxpayer* has bought or lost; nothing or one group."""
    for name, account in ledger.accounts.items():
        if account.taxpayer == taxpayer:
            group = ledger.group_of(name, symbol)
            if group is not None:
                yield group
            return


def _bought(group: Group, on: dt.date) -> Iterator[RecentPurchase]:
    """Purchases of which units are held that a loss on *on* could still take."""
    lots: dict[str, dict[tuple[str, str], tuple[str, dt.date]]] = {}
    units: dict[str, Quantity] = {}
    for piece in reversed(group.available):
        lot = piece.lot
        age = (on - lot.acquired).days
        if age > WINDOW_DAYS:
            break
        if age >= 0 and piece.quantity > 0 and not piece.is_used:
            places = lots.setdefault(lot.purchase, {})
            places[lot.account.id, lot.id] = (lot.symbol, lot.acquired)
            units[lot.purchase] = units.get(lot.purchase, ZERO) + piece.quantity
    for purchase, places in lots.items():
        (account, _), (symbol, acquired) = min(places.items())
        yield RecentPurchase(
            symbol=symbol,
            account=account,
            acquired=acquired,
            lots=frozenset(places),
            quantity=units[purchase],
        )
