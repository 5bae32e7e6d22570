"""What is held as a page and as a document: lots, terms, and gains that nobody realized yet."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import localcontext
from itertools import groupby
from typing import NamedTuple

from trimtab.apps.tax_source import TaxSource
from trimtab.apps.views.figures import cents, counted, digits
from trimtab.apps.views.page import Block, Column, Heading, Row, Sentence, Table, item, rows_of
from trimtab.apps.views.tax_documents import HeldLotDocument, HeldTotalDocument, TaxGainsDocument
from trimtab.apps.views.tax_notes import closing_notes, note_items
from trimtab.domain.history import TaxAccount, TaxLot
from trimtab.domain.numbers import EXACT, ZERO, Money, Price, to_cents
from trimtab.domain.trades import Term
from trimtab.domain.values import AccountKind
from trimtab.rules.tax.lots import long_term_from, term_of
from trimtab.rules.words import listing, money, units

UNTAXED = "untaxed"
_KINDS = {AccountKind.TRADITIONAL_IRA: "traditional IRA", AccountKind.ROTH_IRA: "Roth IRA"}
_SOON_DAYS = 60
_SOON_MAX = 5


class Held(NamedTuple):
    """Units of one basis and one holding period, at the price now if it is known."""

    lot: TaxLot
    account: TaxAccount
    on: dt.date
    price: Price | None

    @property
    def term(self) -> str:
        """`short` or `long` if it were sold today, `untaxed` in a retirement account."""
        if not self.account.is_taxed:
            return UNTAXED
        return str(term_of(self.lot.holding_since, self.on))

    @property
    def long_from(self) -> dt.date:
        """The first day on which a sale is long term."""
        return long_term_from(self.lot.holding_since)

    @property
    def value(self) -> Money | None:
        """What the units are worth."""
        if self.price is None:
            return None
        with localcontext(EXACT):
            return self.lot.quantity * self.price

    @property
    def gain(self) -> Money | None:
        """What a sale would realize before its costs; negative for a loss."""
        if self.value is None:
            return None
        with localcontext(EXACT):
            return self.value - self.lot.basis

    @property
    def deferred(self) -> Money:
        """Losses that wash sales put off into these units."""
        return self.lot.basis - self.lot.paid if self.account.is_taxed else ZERO


class Sum(NamedTuple):
    """What some lots come to; `value` and gains cover those whose price is known."""

    lots: int
    basis: Money
    value: Money
    gains: Money
    losses: Money

    @property
    def gain(self) -> Money:
        """Gains less losses."""
        return self.gains + self.losses


def held_of(
    source: TaxSource, prices: Mapping[str, Price], account: str | None, symbol: str | None
) -> tuple[Held, ...]:
    """What is held, by account and symbol; only of *account* and *symbol* where they are given."""
    return tuple(
        Held(lot, source.accounts[lot.account], source.today, prices.get(lot.symbol))
        for lot in source.ledger.lots()
        if account in {None, lot.account} and symbol in {None, lot.symbol} and lot.quantity > 0
    )


def gains_page(source: TaxSource, held: Sequence[Held], what: str) -> list[Block]:
    """Every account's lots, the totals, and the notes; *what* names what was asked for."""
    notes = note_items(closing_notes(source))
    if not held:
        return [Sentence(_nothing(source, what)), *notes]
    blocks: list[Block] = []
    for _, lots in groupby(held, key=lambda one: one.account.id):
        blocks += _account(list(lots), source)
    blocks += [Heading(f"Totals by the term of a sale on {source.today}"), _totals(held)]
    remarks = [*_unpriced(held), *_soon(held, source.today), *_deferred(held, source.currency)]
    return [*blocks, *remarks, *notes]


def gains_document(source: TaxSource, held: Sequence[Held]) -> TaxGainsDocument:
    """All of it; amounts in cents."""
    return TaxGainsDocument(
        household=source.title,
        currency=source.currency,
        on=source.today,
        lots=tuple(_lot_document(one) for one in held),
        totals=tuple(
            HeldTotalDocument(
                term=term,
                lots=total.lots,
                basis=f"{to_cents(total.basis)}",
                value=f"{to_cents(total.value)}",
                gains=f"{to_cents(total.gains)}",
                losses=f"{to_cents(total.losses)}",
                gain=f"{to_cents(total.gain)}",
            )
            for term, total in _by_term(held)
        ),
        deferred=f"{to_cents(sum((one.deferred for one in held), ZERO))}",
        unpriced=_without_price(held),
        notes=closing_notes(source),
    )


def total_of(held: Iterable[Held]) -> Sum:
    """The sum of *held*, exact."""
    lots, basis, value, gains, losses = 0, ZERO, ZERO, ZERO, ZERO
    with localcontext(EXACT):
        for one in held:
            lots += 1
            basis += one.lot.basis
            value += one.value or ZERO
            gains += max(ZERO, one.gain or ZERO)
            losses += min(ZERO, one.gain or ZERO)
    return Sum(lots, basis, value, gains, losses)


def _nothing(source: TaxSource, what: str) -> str:
    if what:
        return f"Nothing {what} is held on {source.today}."
    return (
        f"Nothing is held in {source.title}: list what you own in lots.csv of a household, or give "
        "files with its purchases as --transactions."
    )


def _account(held: Sequence[Held], source: TaxSource) -> list[Block]:
    account = held[0].account
    kind = _KINDS.get(account.kind, account.kind.value.replace("_", " "))
    taxed = "" if account.is_taxed else ", not taxed when sold"
    heading = f"{account.id}: {kind} account of {account.owner}{taxed}, in {source.currency}"
    columns = _columns(held)
    rows = tuple(
        row
        for _, lots in groupby(held, key=lambda one: one.lot.symbol)
        for row in _symbol_rows(list(lots), [name for _, name in columns])
    )
    return [Heading(heading), Table(tuple(column for column, _ in columns), rows)]


def _columns(held: Sequence[Held]) -> list[tuple[Column, str]]:
    """The columns of an account and which cell each shows, less those that say nothing there."""
    columns = [
        (Column("symbol"), "symbol"),
        (Column("lot", spare=4), "lot"),
        (Column("quantity", is_figure=True), "quantity"),
        (Column("acquired"), "acquired"),
        (Column("held since", spare=2), "since"),
        (Column("term"), "term"),
        (Column("long from", spare=1), "long_from"),
        (Column("paid", is_figure=True, spare=3), "paid"),
        (Column("basis", is_figure=True), "basis"),
        (Column("value", is_figure=True), "value"),
        (Column("gain", is_figure=True), "gain"),
    ]
    left_out = set() if held[0].account.is_taxed else {"term", "long_from", "since", "paid"}
    if all(one.lot.holding_since == one.lot.acquired for one in held):
        left_out.add("since")
    if all(one.lot.basis == one.lot.paid for one in held):
        left_out.add("paid")
    return [(column, name) for column, name in columns if name not in left_out]


def _symbol_rows(held: Sequence[Held], names: Sequence[str]) -> list[Row]:
    """A row for each piece, and one for all of them where there are several."""
    rows = []
    for one in held:
        cells = _cells(one)
        rows.append(Row(tuple(cells[name] for name in names)))
    if len(held) > 1:
        cells = _sum_cells(held)
        rows.append(Row(tuple(cells.get(name, "") for name in names), "strong"))
    return rows


def _cells(one: Held) -> dict[str, str]:
    lot = one.lot
    return {
        "symbol": lot.symbol,
        "lot": f"{lot.lot_id}#{lot.piece}" if lot.piece else lot.lot_id,
        "quantity": units(lot.quantity),
        "acquired": f"{lot.acquired}",
        "since": f"{lot.holding_since}" if lot.holding_since != lot.acquired else "-",
        "term": one.term,
        "long_from": f"{one.long_from}",
        "paid": cents(lot.paid),
        "basis": cents(lot.basis),
        "value": "-" if one.value is None else cents(one.value),
        "gain": "-" if one.gain is None else cents(one.gain),
    }


def _sum_cells(held: Sequence[Held]) -> dict[str, str]:
    total = total_of(held)
    is_priced = held[0].price is not None
    return {
        "symbol": held[0].lot.symbol,
        "quantity": units(sum((one.lot.quantity for one in held), ZERO)),
        "acquired": f"all {len(held)}",
        "paid": cents(sum((one.lot.paid for one in held), ZERO)),
        "basis": cents(total.basis),
        "value": cents(total.value) if is_priced else "-",
        "gain": cents(total.gain) if is_priced else "-",
    }


def _by_term(held: Sequence[Held]) -> list[tuple[str, Sum]]:
    return [
        (term, total_of(one for one in held if one.term == term))
        for term in (str(Term.SHORT), str(Term.LONG), UNTAXED)
    ]


def _totals(held: Sequence[Held]) -> Table:
    columns = (
        Column("term"),
        *(Column(title, is_figure=True) for title in ("lots", "basis", "value")),
        *(Column(title, is_figure=True) for title in ("gains", "losses", "net")),
    )
    is_priced = any(one.price is not None for one in held)
    return Table(
        columns,
        rows_of(
            (
                term,
                f"{total.lots}",
                cents(total.basis),
                *(
                    cents(amount) if is_priced else "-"
                    for amount in (total.value, total.gains, total.losses, total.gain)
                ),
            )
            for term, total in _by_term(held)
            if total.lots
        ),
    )


def _without_price(held: Iterable[Held]) -> tuple[str, ...]:
    return tuple(sorted({one.lot.symbol for one in held if one.price is None}))


def _unpriced(held: Sequence[Held]) -> list[Sentence]:
    missing = list(_without_price(held))
    if not missing:
        return []
    return [
        item(
            f"There is no price of {listing(missing)}, so its value and gain are missing above "
            f"and in the totals: give it as --price {missing[0]}=123.45.",
            "warn",
        )
    ]


def _soon(held: Sequence[Held], today: dt.date) -> list[Sentence]:
    """Short-term lots that turn long soon, the next first."""
    limit = today + dt.timedelta(days=_SOON_DAYS)
    soon = sorted(
        (one for one in held if one.term == str(Term.SHORT) and one.long_from <= limit),
        key=lambda one: one.long_from,
    )
    lines = [
        item(
            f"{units(one.lot.quantity)} {one.lot.symbol} of lot {one.lot.lot_id} in "
            f"{one.account.id} are long term from {one.long_from}, in "
            f"{counted((one.long_from - today).days, 'day')}."
        )
        for one in soon[:_SOON_MAX]
    ]
    if len(soon) > len(lines):
        lines.append(item(f"{counted(len(soon) - len(lines), 'more lot')} by {limit}."))
    return lines


def _deferred(held: Sequence[Held], currency: str) -> list[Sentence]:
    by_symbol: dict[str, Money] = {}
    for one in held:
        if one.deferred:
            by_symbol[one.lot.symbol] = by_symbol.get(one.lot.symbol, ZERO) + one.deferred
    if not by_symbol:
        return []
    each = listing([f"{cents(amount)} in {name}" for name, amount in sorted(by_symbol.items())])
    total = money(sum(by_symbol.values(), ZERO), currency)
    return [
        item(
            f"Losses of {total} that wash sales put off are in the basis of lots still held "
            f"({each}): they count when those lots are sold for good."
        )
    ]


def _lot_document(one: Held) -> HeldLotDocument:
    lot, is_taxed = one.lot, one.account.is_taxed
    return HeldLotDocument(
        account=lot.account,
        symbol=lot.symbol,
        lot_id=lot.lot_id,
        piece=lot.piece,
        quantity=digits(lot.quantity),
        acquired=lot.acquired,
        holding_since=lot.holding_since,
        basis=f"{to_cents(lot.basis)}",
        paid=f"{to_cents(lot.paid)}",
        is_taxed=is_taxed,
        term=one.term if is_taxed else None,
        long_from=one.long_from if is_taxed else None,
        price=None if one.price is None else digits(one.price),
        value=None if one.value is None else f"{to_cents(one.value)}",
        gain=None if one.gain is None else f"{to_cents(one.gain)}",
    )
