"""Form 8949: a row for each sale, lot and holding period, alone or beside the broker's form.

Amounts are exact; `in_cents` rounds a row as it is printed. Column letters are the form's: (d)
proceeds, (e) basis, (f) codes, (g) adjustment, (h) gain = d - e + g.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import localcontext
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from trimtab.domain.history import LotSale, Reporting
from trimtab.domain.numbers import CENT, EXACT, ZERO, Money, Quantity, to_cents
from trimtab.domain.trades import Term
from trimtab.rules.words import money


class Box(StrEnum):
    """The box that is ticked on a page of Form 8949; digital assets have their own from 2025."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"
    F = "F"
    G = "G"
    H = "H"
    I = "I"  # noqa: E741  the form's own letter
    J = "J"
    K = "K"
    L = "L"

    @property
    def term(self) -> Term:
        """Part I (short) or Part II (long)."""
        return Term.SHORT if self.value in "ABCGHI" else Term.LONG

    @property
    def is_digital(self) -> bool:
        """Whether it is one of the boxes for digital assets (Form 1099-DA)."""
        return self.value in "GHIJKL"

    @property
    def is_basis_reported(self) -> bool:
        """Whether the broker told the IRS the basis."""
        return self.value in "ADGJ"

    @property
    def is_on_form(self) -> bool:
        """Whether the broker sent a Form 1099-B or 1099-DA about the sale."""
        return self.value not in "CFIL"


_DIGITS = 8
"""Digits of a quantity that are printed, one satoshi."""


class FormRule(Struct, frozen=True, kw_only=True):
    """Which symbols are digital assets, and the first tax year in which these have boxes G to L."""

    digital_from_year: int
    digital: frozenset[str] = frozenset()


class BrokerFigures(Struct, frozen=True, kw_only=True):
    """What the broker's form says about the units of one row; None where it does not say.

    `disallowed` is box 1g of Form 1099-B, `term` its type of gain, `reporting` the kind of form.
    """

    proceeds: Money | None = None
    basis: Money | None = None
    disallowed: Money | None = None
    term: Term | None = None
    reporting: Reporting | None = None


class Columns(Struct, frozen=True, kw_only=True):
    """Columns (d) to (g) of a row; `statement` is what a statement to attach has to explain."""

    proceeds: Money
    basis: Money
    codes: str
    adjustment: Money
    statement: str = ""

    @property
    def gain(self) -> Money:
        """Column (h): d - e + g."""
        return self.proceeds - self.basis + self.adjustment


class FormRow(Struct, frozen=True, kw_only=True):
    """A row of Form 8949.

    `acquired` (column b) is the actual purchase; the term was decided from `holding_since`.
    `own_proceeds`, `own_basis` and `disallowed` are ours, whatever the columns must repeat of the
    broker's form. `permanent` of the disallowed loss is lost. `pieces` are the ids of the
    `LotSale`s in it.
    """

    id: str
    sale_id: str
    account: str
    symbol: str
    lot_id: str
    quantity: Quantity
    acquired: dt.date | None
    holding_since: dt.date
    sold: dt.date
    term: Term
    box: Box
    proceeds: Money
    basis: Money
    codes: str
    adjustment: Money
    own_proceeds: Money
    own_basis: Money
    disallowed: Money
    permanent: Money
    statement: str = ""
    pieces: tuple[str, ...] = ()

    @property
    def gain(self) -> Money:
        """Column (h): d - e + g."""
        return self.proceeds - self.basis + self.adjustment

    @property
    def description(self) -> str:
        """Column (a): `10 AAA`."""
        return f"{round(self.quantity, _DIGITS).normalize():f} {self.symbol}"

    @property
    def is_tacked(self) -> bool:
        """Whether a wash sale has given it another holding period than its purchase."""
        return self.acquired != self.holding_since


class Amounts(Struct, frozen=True, kw_only=True):
    """Sums of columns (d), (e) and (g)."""

    proceeds: Money = ZERO
    basis: Money = ZERO
    adjustment: Money = ZERO

    @property
    def gain(self) -> Money:
        """The sum of column (h)."""
        return self.proceeds - self.basis + self.adjustment


def box_of(term: Term, reporting: Reporting, *, is_digital: bool, digital_boxes: bool) -> Box:
    """The box of a sale; *digital_boxes* tells whether its year has boxes G to L.

    The form that the broker sent decides: a coin reported on Form 1099-B stays in A, B, D or E.
    Before there was a Form 1099-DA, digital assets without a 1099-B are in C and F.
    """
    digital = digital_boxes and (is_digital or reporting in _ON_1099_DA)
    match reporting:
        case Reporting.BASIS_REPORTED:
            letters = "AD"
        case Reporting.BASIS_UNREPORTED:
            letters = "BE"
        case Reporting.DIGITAL_REPORTED if digital:
            letters = "GJ"
        case Reporting.DIGITAL_UNREPORTED if digital:
            letters = "HK"
        case _:
            letters = "IL" if digital else "CF"
    return Box(letters[0 if term is Term.SHORT else 1])


_ON_1099_DA = frozenset({Reporting.DIGITAL_REPORTED, Reporting.DIGITAL_UNREPORTED})


def form_columns(
    box: Box,
    term: Term,
    *,
    proceeds: Money,
    basis: Money,
    disallowed: Money,
    broker: BrokerFigures | None = None,
) -> Columns:
    """Columns (d) to (g) for our true figures beside what the broker's form says.

    (h) is our gain always. Amounts that agree to the cent are the broker's, without a code.

    - (d) repeats the broker's proceeds. Where ours are lower, (g) takes off selling expenses that
      the form leaves out (code E); where ours are higher, (g) adds the rest (code O). This is our
      reading of the codes E and O.
    - (e) is the broker's basis, corrected in (g), where the IRS was told it; our own where it was
      not; code B in both cases.
    - A disallowed loss is positive in (g) with code W. Where the broker shows one and we do not, W
      stands with a zero; a smaller one than the broker's needs a statement.
    - Code T where the broker's term is another.

    Several codes stand in alphabetical order and their amounts are netted. Source: Instructions
    for Form 8949, columns (d) to (g).
    """
    if broker is None or not box.is_on_form:
        return Columns(
            proceeds=proceeds,
            basis=basis,
            codes="W" if disallowed else "",
            adjustment=disallowed,
        )
    codes = set()
    shown = ZERO if broker.disallowed is None else broker.disallowed
    adjustment = disallowed if _differs(disallowed, shown) else shown
    if disallowed or shown:
        codes.add("W")
    column_d = proceeds if broker.proceeds is None else broker.proceeds
    if _differs(proceeds, column_d):
        codes.add("E" if proceeds < column_d else "O")
        adjustment += proceeds - column_d
    column_e = basis if broker.basis is None else broker.basis
    if _differs(basis, column_e):
        codes.add("B")
        if box.is_basis_reported:
            adjustment += column_e - basis
        else:
            column_e = basis
    if broker.term not in {None, term}:
        codes.add("T")
    return Columns(
        proceeds=column_d,
        basis=column_e,
        codes="".join(sorted(codes)),
        adjustment=adjustment,
        statement=_statement(shown, disallowed),
    )


def form_rows(
    sales: Iterable[LotSale],
    rule: FormRule,
    *,
    year: int | None = None,
    broker: Mapping[str, BrokerFigures] | None = None,
) -> tuple[FormRow, ...]:
    """The rows of the taxed sales of *year* (None: of all years), in the order of disposition.

    There is one row for each sale, lot and start of holding: the pieces that a wash sale cut are
    added up. The year is the trade date's. *broker* gives the broker's figures by the id of a row.
    """
    joined: dict[str, list[LotSale]] = {}
    for sale in sales:
        if sale.is_taxed and (year is None or sale.sold.year == year):
            joined.setdefault(_row_id(sale), []).append(sale)
    figures = broker or {}
    with localcontext(EXACT):
        return tuple(
            _form_row(row_id, parts, rule, figures.get(row_id)) for row_id, parts in joined.items()
        )


def in_cents(row: FormRow) -> FormRow:
    """*row* as it is printed: each amount rounded half up, so that (h) is d - e + g to the cent.

    A loss that is disallowed in full prints a gain of exactly zero: (g) takes the stray cent.
    """
    proceeds, basis, adjustment = (
        to_cents(amount) + 0 for amount in (row.proceeds, row.basis, row.adjustment)
    )
    left = row.own_proceeds - row.own_basis + row.disallowed
    if row.disallowed and left <= 0:
        whole = basis - proceeds
        adjustment = whole if left == 0 else min(adjustment, whole)
    return replace(
        row,
        proceeds=proceeds,
        basis=basis,
        adjustment=adjustment,
        own_proceeds=to_cents(row.own_proceeds),
        own_basis=to_cents(row.own_basis),
        disallowed=to_cents(row.disallowed),
        permanent=to_cents(row.permanent),
    )


def amounts_of(rows: Iterable[FormRow]) -> Amounts:
    """The sums of columns (d), (e) and (g), exact for exact rows."""
    with localcontext(EXACT):
        proceeds = basis = adjustment = ZERO
        for row in rows:
            proceeds += row.proceeds
            basis += row.basis
            adjustment += row.adjustment
        return Amounts(proceeds=proceeds, basis=basis, adjustment=adjustment)


def by_box(rows: Iterable[FormRow]) -> dict[Box, tuple[FormRow, ...]]:
    """The rows of each box that has any, in the order of the boxes' letters."""
    found: dict[Box, list[FormRow]] = {}
    for row in rows:
        found.setdefault(row.box, []).append(row)
    return {box: tuple(found[box]) for box in sorted(found)}


def _row_id(sale: LotSale) -> str:
    return f"{sale.account}/{sale.sale_id}/{sale.lot_id}/{sale.holding_since}"


def _form_row(
    row_id: str, parts: Sequence[LotSale], rule: FormRule, broker: BrokerFigures | None
) -> FormRow:
    first = parts[0]
    reporting = first.reporting
    if broker is not None and broker.reporting is not None:
        reporting = broker.reporting
    box = box_of(
        first.term,
        reporting,
        is_digital=first.symbol in rule.digital,
        digital_boxes=first.sold.year >= rule.digital_from_year,
    )
    proceeds = sum((part.proceeds for part in parts), ZERO)
    basis = sum((part.basis for part in parts), ZERO)
    disallowed = sum((part.disallowed for part in parts), ZERO)
    columns = form_columns(
        box, first.term, proceeds=proceeds, basis=basis, disallowed=disallowed, broker=broker
    )
    return FormRow(
        id=row_id,
        sale_id=first.sale_id,
        account=first.account,
        symbol=first.symbol,
        lot_id=first.lot_id,
        quantity=sum((part.quantity for part in parts), ZERO),
        acquired=first.acquired,
        holding_since=first.holding_since,
        sold=first.sold,
        term=first.term,
        box=box,
        proceeds=columns.proceeds,
        basis=columns.basis,
        codes=columns.codes,
        adjustment=columns.adjustment,
        own_proceeds=proceeds,
        own_basis=basis,
        disallowed=disallowed,
        permanent=sum((part.permanent for part in parts), ZERO),
        statement=columns.statement,
        pieces=tuple(part.id for part in parts),
    )


def _differs(ours: Money, theirs: Money) -> bool:
    """Whether two amounts differ by more than what rounding to cents explains."""
    return abs(ours - theirs) > CENT


def _statement(shown: Money, disallowed: Money) -> str:
    if shown <= disallowed or not _differs(disallowed, shown):
        return ""
    return (
        f"The broker's form shows a disallowed wash sale loss of {money(shown)}; the right figure "
        f"is {money(disallowed)}: attach a statement that explains the difference."
    )
