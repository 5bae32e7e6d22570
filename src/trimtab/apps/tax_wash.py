"""Wash sales of a household: which loss, which replacement, and what became of the basis."""

import datetime as dt
from collections.abc import Iterable, Iterator
from decimal import localcontext
from typing import NamedTuple

from trimtab.apps.tax_source import TaxSource
from trimtab.domain.history import Review, WashMatch
from trimtab.domain.identity import IdentityLevel
from trimtab.domain.numbers import DUST, EXACT, ZERO, Money, Quantity
from trimtab.rules.tax.calendar import GroupCalendar, Window, wash_calendar
from trimtab.rules.tax.matching import first_safe_day, in_window, tacked
from trimtab.rules.words import listing


class WashYear(NamedTuple):
    """What section 1091 disallowed of the losses of a year."""

    year: int
    disallowed: Money
    permanent: Money


class Traded(NamedTuple):
    """Units that an account bought, or sold at a loss, on a day; `gone` is when they were sold."""

    symbol: str
    account: str
    date: dt.date
    quantity: Quantity
    gone: dt.date | None = None


class Similar(NamedTuple):
    """A trade, and those near it on something similar that does not count as identical.

    `level` is the narrowest idea of identical at which `others` would count.
    """

    trade: Traded
    others: tuple[Traded, ...]
    level: IdentityLevel


class WashReport(NamedTuple):
    """Wash sales, and what can still become one.

    `became` says for each of `matches` where the basis is now. `in_lots` is what still waits in
    the basis of lots held. `waiting` are losses that a purchase would wash, and `planned` sentences
    on purchases that will. `pairs` are symbols that counted as identical here, `similar` are
    purchases near a loss that did not.
    """

    year: int | None
    matches: tuple[WashMatch, ...]
    became: tuple[str, ...]
    waiting: tuple[Window, ...]
    planned: tuple[str, ...]
    reviews: tuple[Review, ...]
    years: tuple[WashYear, ...]
    in_lots: Money
    pairs: tuple[tuple[str, str], ...]
    similar: tuple[Similar, ...]


def wash_report(source: TaxSource, year: int | None) -> WashReport:
    """Everything that section 1091 did to sales of *year*, or of all years."""
    ledger = source.ledger
    matches = sorted(
        (one for one in ledger.matches() if year in {None, one.sold.year}),
        key=lambda one: one.sold,
    )
    calendar = wash_calendar(ledger, source.today, first_safe_day(source.today), source.purchases)
    groups = [group for group in calendar.groups if group.losses]
    kept = _kept_basis(source)
    moved = _moved_basis(ledger.matches())
    return WashReport(
        year=year,
        matches=tuple(matches),
        became=tuple(_became(one, kept, moved) for one in matches),
        waiting=tuple(
            sorted(
                (one for group in groups for one in group.losses if year in {None, one.day.year}),
                key=lambda one: one.day,
            )
        ),
        planned=tuple(sentence for group in groups for sentence in _planned(group)),
        reviews=tuple(dict.fromkeys(ledger.reviews())),
        years=tuple(_years(source, year)),
        in_lots=sum(kept.values(), ZERO),
        pairs=_pairs(matches, groups),
        similar=similar_to(source, _losses(source, year), _purchases(source)),
    )


def similar_purchases(source: TaxSource, sale: Traded) -> tuple[Similar, ...]:
    """Purchases near a proposed *sale* at a loss of what moves nearly alike and does not count."""
    return similar_to(source, [sale], _purchases(source))


def similar_losses(source: TaxSource, purchase: Traded) -> tuple[Similar, ...]:
    """Losses near a proposed *purchase*, likewise."""
    return similar_to(source, [purchase], _losses(source, None))


def similar_to(
    source: TaxSource, trades: Iterable[Traded], others: Iterable[Traded]
) -> tuple[Similar, ...]:
    """For each of *trades* those of *others* within 30 days that only a wider level would count."""
    by_exposure: dict[str, list[Traded]] = {}
    for other in others:
        by_exposure.setdefault(_exposure(source, other.symbol), []).append(other)
    found = []
    for trade in trades:
        near: dict[tuple[str, IdentityLevel], list[Traded]] = {}
        for other in by_exposure.get(_exposure(source, trade.symbol), ()):
            level = _wider_level(source, trade.symbol, other.symbol)
            if level is not None and _is_near(source, trade, other):
                near.setdefault((other.symbol, level), []).append(other)
        found += [Similar(trade, tuple(each), level) for (_, level), each in near.items()]
    return tuple(found)


def basis_from_elsewhere(source: TaxSource) -> frozenset[tuple[str, str, dt.date]]:
    """Pieces whose basis holds a loss of another account or security, as no broker knows of it.

    They are named by symbol, lot and start of holding. A broker adjusts for its own account and
    one security only (26 CFR 1.6045-1(d)(6)(iii)); where such a piece is washed once more, the
    next one is not what the broker takes it for either.
    """
    rows = {row.id: row for row in source.ledger.sales()}
    found: set[tuple[str, str, dt.date]] = set()
    for one in source.ledger.matches():
        row = rows[one.sale_row]
        is_elsewhere = (one.account, one.symbol) != (
            one.replacement_account,
            one.replacement_symbol,
        )
        if is_elsewhere or (row.symbol, row.lot_id, row.holding_since) in found:
            tacking = source.ledger.rule.tacking
            since = tacked(one.acquired, row.sold, row.holding_since, tacking)
            found.add((one.replacement_symbol, one.replacement_lot, since))
    return frozenset(found)


# ---------------------------------------------------------------------- similar, not identical


def _losses(source: TaxSource, year: int | None) -> list[Traded]:
    """What was sold at a loss, of one day, symbol and account together."""
    sums: dict[tuple[str, str, dt.date], Quantity] = {}
    for row in source.ledger.sales():
        is_loss = row.is_taxed and not row.is_exempt and row.raw_gain < -DUST
        if is_loss and year in {None, row.sold.year}:
            key = (row.symbol, row.account, row.sold)
            sums[key] = sums.get(key, ZERO) + row.quantity
    return [Traded(*key, quantity) for key, quantity in sums.items()]


def _purchases(source: TaxSource) -> list[Traded]:
    """What was bought, of one day, symbol and account together, and when it was sold."""
    sums: dict[tuple[str, str, dt.date, dt.date | None], Quantity] = {}
    for row in source.ledger.sales():
        bought = (row.symbol, row.account, row.acquired, row.sold)
        sums[bought] = sums.get(bought, ZERO) + row.quantity
    for lot in source.ledger.lots():
        if lot.is_purchase:
            held = (lot.symbol, lot.account, lot.acquired, None)
            sums[held] = sums.get(held, ZERO) + lot.quantity
    return [
        Traded(symbol, account, date, quantity, gone)
        for (symbol, account, date, gone), quantity in sums.items()
    ]


def _exposure(source: TaxSource, symbol: str) -> str:
    """What *symbol* moves with; of one that is not known, itself."""
    known = None if symbol in source.ledger.rule.exempt else source.identity.listings.get(symbol)
    return known.exposure if known is not None else f"?{symbol}"


def _wider_level(source: TaxSource, symbol: str, other: str) -> IdentityLevel | None:
    """The level at which two symbols of one exposure would be identical; None if none would."""
    if source.ledger.identical(symbol, other) or source.level == "correlated":
        return None
    listings = source.identity.listings
    one, two = listings[symbol], listings[other]
    pair = {one.fund, two.fund}
    for entry in () if source.tax is None else source.tax.not_identical:
        apart = {listings[name].fund for name in entry if name in listings}
        if pair <= apart or (len(entry) == 1 and pair & apart):
            return None
    return "same_index" if one.index and one.index == two.index else "correlated"


def _is_near(source: TaxSource, trade: Traded, other: Traded) -> bool:
    """Whether one can reach the other: 30 days, one taxpayer, and units not sold before."""
    taxpayer, whose = (source.accounts[one.account].taxpayer for one in (trade, other))
    is_held = other.gone is None or other.gone >= trade.date
    return is_held and taxpayer == whose and in_window(trade.date, other.date)


# ---------------------------------------------------------------------- what became of it


def _kept_basis(source: TaxSource) -> dict[tuple[str, str], Money]:
    """What wash sales added to the basis of units still held, by symbol and lot."""
    kept: dict[tuple[str, str], Money] = {}
    with localcontext(EXACT):
        for lot in source.ledger.lots():
            if source.accounts[lot.account].is_taxed and lot.basis != lot.paid:
                key = (lot.symbol, lot.lot_id)
                kept[key] = kept.get(key, ZERO) + lot.basis - lot.paid
    return kept


def _moved_basis(matches: Iterable[WashMatch]) -> dict[tuple[str, str], Money]:
    """What wash sales ever added to the basis of a lot, by symbol and lot."""
    moved: dict[tuple[str, str], Money] = {}
    with localcontext(EXACT):
        for one in matches:
            if not one.is_permanent:
                key = (one.replacement_symbol, one.replacement_lot)
                moved[key] = moved.get(key, ZERO) + one.disallowed
    return moved


def _became(
    match: WashMatch,
    kept: dict[tuple[str, str], Money],
    moved: dict[tuple[str, str], Money],
) -> str:
    """Where the disallowed loss is now: `none` where it is lost, else whether the lot is held."""
    if match.is_permanent:
        return "none"
    key = (match.replacement_symbol, match.replacement_lot)
    left = kept.get(key, ZERO)
    if left == 0:
        return "not held"
    return "held" if left >= moved[key] else "partly held"


def _years(source: TaxSource, year: int | None) -> Iterator[WashYear]:
    sums: dict[int, tuple[Money, Money]] = {}
    with localcontext(EXACT):
        for row in source.ledger.sales():
            if row.is_taxed and row.disallowed and year in {None, row.sold.year}:
                disallowed, permanent = sums.get(row.sold.year, (ZERO, ZERO))
                sums[row.sold.year] = (disallowed + row.disallowed, permanent + row.permanent)
    for one, (disallowed, permanent) in sorted(sums.items()):
        yield WashYear(one, disallowed, permanent)


def _planned(group: GroupCalendar) -> Iterator[str]:
    """Purchases that are planned and would wash a loss of the group that waits."""
    last = max(window.ends for window in group.losses)
    for window in group.planned:
        if window.day <= last:
            yield (
                f"A purchase of {window.symbol} is planned in {window.account} for {window.day}: "
                f"it would wash losses on {listing(sorted({o.symbol for o in group.losses}))} "
                f"taken since {window.begins}. Stop it, or let it come after {last}."
            )


def _pairs(
    matches: Iterable[WashMatch], groups: Iterable[GroupCalendar]
) -> tuple[tuple[str, str], ...]:
    """Different symbols that counted as identical in a match, or that a loss now waits for."""
    pairs = {
        (one.symbol, one.replacement_symbol)
        for one in matches
        if one.symbol != one.replacement_symbol
    }
    for group in groups:
        lost = sorted({window.symbol for window in group.losses})
        pairs |= {(symbol, other) for symbol in lost for other in group.symbols if other != symbol}
    ordered = {(min(pair), max(pair)) for pair in pairs}
    return tuple(sorted(ordered))
