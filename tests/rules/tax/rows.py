"""A ledger as rows that can be compared: the same form for the engine, the oracle and a case."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction

from msgspec import Struct
from msgspec.structs import replace

from trimtab.domain.history import LotSale, TaxLot
from trimtab.domain.trades import Term

HALF_CENT = Fraction(1, 200)
SAME_UNIT_BASIS = Fraction(1, 1_000_000)
"""Pieces of a lot whose basis per share is this close are one entry."""


class Row(Struct, frozen=True, kw_only=True):
    """Everything sold from one lot and one holding period in one sale."""

    sale: str
    lot: str
    since: dt.date
    acquired: dt.date
    sold: dt.date
    term: Term
    quantity: Fraction
    proceeds: Fraction
    basis: Fraction
    disallowed: Fraction
    permanent: Fraction
    account: str = ""
    symbol: str = ""

    @property
    def key(self) -> tuple[str, str, dt.date]:
        return self.sale, self.lot, self.since


class Open(Struct, frozen=True, kw_only=True):
    """Units left of one lot with one holding period and one basis per share."""

    account: str
    lot: str
    since: dt.date
    acquired: dt.date
    symbol: str
    quantity: Fraction
    basis: Fraction

    @property
    def unit_basis(self) -> Fraction:
        return self.basis / self.quantity


MONEY = ("proceeds", "basis", "disallowed", "permanent")
Rows = Mapping[tuple[str, str, dt.date], Row]


def taxed_rows(sales: Iterable[LotSale]) -> dict[tuple[str, str, dt.date], Row]:
    """The engine's sales in taxed accounts, added up by sale, lot and holding period."""
    return gathered(
        Row(
            sale=sale.sale_id,
            lot=sale.lot_id,
            since=sale.holding_since,
            acquired=sale.acquired,
            sold=sale.sold,
            term=sale.term,
            quantity=Fraction(sale.quantity),
            proceeds=Fraction(sale.proceeds),
            basis=Fraction(sale.basis),
            disallowed=Fraction(sale.disallowed),
            permanent=Fraction(sale.permanent),
            account=sale.account,
            symbol=sale.symbol,
        )
        for sale in sales
        if sale.is_taxed
    )


def open_lots(lots: Iterable[TaxLot]) -> tuple[Open, ...]:
    """The engine's open lots; what an untaxed account holds stands at its purchase cost."""
    return tuple(
        Open(
            account=lot.account,
            lot=lot.lot_id,
            since=lot.holding_since,
            acquired=lot.acquired,
            symbol=lot.symbol,
            quantity=Fraction(lot.quantity),
            basis=Fraction(lot.basis),
        )
        for lot in lots
    )


def gathered(rows: Iterable[Row]) -> dict[tuple[str, str, dt.date], Row]:
    found: dict[tuple[str, str, dt.date], Row] = {}
    for row in rows:
        before = found.get(row.key)
        if before is None:
            found[row.key] = row
            continue
        same = ("acquired", "sold", "term", "account", "symbol")
        assert all(getattr(before, name) == getattr(row, name) for name in same), row
        sums = {name: getattr(before, name) + getattr(row, name) for name in ("quantity", *MONEY)}
        found[row.key] = replace(before, **sums)
    return found


def row_differences(expected: Rows, found: Rows, tolerance: Fraction = HALF_CENT) -> Iterator[str]:
    """One phrase for each sale that is missing, too many or another than expected."""
    for key in sorted(set(expected) | set(found)):
        name = f"sale {key[0]} of lot {key[1]} held since {key[2]}"
        if key not in found:
            yield f"{name} is missing"
        elif key not in expected:
            yield f"{name} is one too many"
        else:
            yield from _differences(name, expected[key], found[key], tolerance)


def _differences(name: str, expected: Row, found: Row, tolerance: Fraction) -> Iterator[str]:
    for field in ("acquired", "sold", "term", "quantity"):
        want, have = getattr(expected, field), getattr(found, field)
        if want != have:
            yield f"{name}: {field} {have}, not {want}"
    for field in ("account", "symbol"):
        want, have = getattr(expected, field), getattr(found, field)
        if want and want != have:
            yield f"{name}: {field} {have}, not {want}"
    for field in MONEY:
        want, have = getattr(expected, field), getattr(found, field)
        if abs(want - have) > tolerance:
            yield f"{name}: {field} {float(have)}, not {float(want)}"


def lot_differences(
    expected: Iterable[Open], found: Iterable[Open], tolerance: Fraction = HALF_CENT
) -> Iterator[str]:
    """One phrase for each lot and holding period that is not left as expected."""
    wanted, had = _by_lot(expected), _by_lot(found)
    for key in sorted(set(wanted) | set(had)):
        name = f"lot {key[1]} in {key[0]} held since {key[2]}"
        ours, theirs = wanted.get(key, []), had.get(key, [])
        if len(ours) != len(theirs):
            yield f"{name}: {_words(theirs)} left, not {_words(ours)}"
            continue
        for want, have in zip(ours, theirs, strict=True):
            facts = ("acquired", "symbol", "quantity")
            if any(getattr(want, field) != getattr(have, field) for field in facts) or (
                abs(want.basis - have.basis) > tolerance
            ):
                yield f"{name}: {_words([have])} left, not {_words([want])}"


def _by_lot(lots: Iterable[Open]) -> dict[tuple[str, str, dt.date], list[Open]]:
    found: dict[tuple[str, str, dt.date], list[Open]] = defaultdict(list)
    for lot in sorted(lots, key=lambda lot: lot.unit_basis):
        entries = found[lot.account, lot.lot, lot.since]
        if entries and lot.unit_basis - entries[-1].unit_basis < SAME_UNIT_BASIS:
            last = entries.pop()
            lot = replace(  # noqa: PLW2901  the two are one entry
                last, quantity=last.quantity + lot.quantity, basis=last.basis + lot.basis
            )
        entries.append(lot)
    return found


def _words(lots: Iterable[Open]) -> str:
    return (
        " and ".join(f"{float(lot.quantity)} for {float(lot.basis)}" for lot in lots) or "nothing"
    )
