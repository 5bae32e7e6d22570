"""Wash sales of a household: which loss, which replacement, and what became of the basis."""

from collections.abc import Iterable, Iterator
from decimal import localcontext
from typing import NamedTuple

from trimtab.apps.tax_source import TaxSource
from trimtab.domain.history import Review, WashMatch
from trimtab.domain.numbers import EXACT, ZERO, Money
from trimtab.rules.tax.calendar import GroupCalendar, Window, wash_calendar
from trimtab.rules.tax.matching import first_safe_day
from trimtab.rules.words import listing


class WashYear(NamedTuple):
    """What section 1091 disallowed of the losses of a year."""

    year: int
    disallowed: Money
    permanent: Money


class WashReport(NamedTuple):
    """Wash sales, and what can still become one.

    `became` says for each of `matches` where the basis is now. `in_lots` is what still waits in
    the basis of lots held. `waiting` are losses that a purchase would wash, and `planned` sentences
    on purchases that will. `pairs` are symbols that counted as identical here.
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
    )


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
