"""TXF V042: rows of Form 8949 for tax programs on a desktop.

Source: Tax Exchange Format, specification 042 of 30 November 2011, sections IV, VII and VIII. The
specification knows boxes A to F only, and of column (g) only a disallowed wash sale loss.
"""

import datetime as dt
from collections.abc import Iterable, Sequence

from msgspec import Struct

from trimtab.domain.numbers import Money, to_cents
from trimtab.rules.tax.form8949 import Box, FormRow, in_cents

REFERENCES = {Box.A: 321, Box.B: 711, Box.C: 712, Box.D: 323, Box.E: 713, Box.F: 714}
"""The reference number of a box."""
_ADJUSTED_BY_HAND = frozenset("BEOT")


class Txf(Struct, frozen=True, kw_only=True):
    """The records, line by line and without the header, and what they leave out."""

    lines: tuple[str, ...]
    notes: tuple[str, ...]


def txf(rows: Iterable[FormRow]) -> Txf:
    """The records of *rows*.

    A record holds our own proceeds and basis, so that the gain is right. Rows that correct the
    broker's form with another code than W are told in a note, because TXF has no field for that;
    so are rows in boxes G to L, which have no reference number and are left out.
    """
    lines: list[str] = []
    left_out, by_hand = [], []
    for row in rows:
        reference = REFERENCES.get(row.box)
        if reference is None:
            left_out.append(row)
            continue
        if _ADJUSTED_BY_HAND & set(row.codes):
            by_hand.append(row)
        printed = in_cents(row)
        lines += txf_record(
            reference,
            row.description,
            (row.acquired, row.sold),
            cost=printed.own_basis,
            proceeds=printed.own_proceeds,
            disallowed=printed.adjustment if row.codes == "W" else printed.disallowed,
        )
    return Txf(lines=tuple(lines), notes=(*_left_out(left_out), *_by_hand(by_hand)))


def txf_record(
    reference: int,
    security: str,
    dates: tuple[dt.date | None, dt.date | None],
    *,
    cost: Money | None,
    proceeds: Money | None,
    disallowed: Money,
) -> tuple[str, ...]:
    """One record: format 5 with a third amount for a disallowed loss, format 4 without.

    *dates* are those of purchase and sale. What is None leaves its line empty, as section VIII,
    example 2B, asks. The cost comes before the proceeds.
    """
    wash = (_amount(disallowed),) if disallowed else ()
    return (
        "TD",
        f"N{reference}",
        "C1",
        "L1",
        f"P{_plain(security)}",
        *(_date(date) for date in dates),
        _amount(cost),
        _amount(proceeds),
        *wash,
        "^",
    )


def txf_text(records: Txf, *, program: str, exported: dt.date) -> str:
    """The whole file: the header, then the records; ASCII, lines end with CR and LF."""
    header = ("V042", f"A{_plain(program)}", f"D {exported:%m/%d/%Y}", "^")
    return "".join(f"{line}\r\n" for line in (*header, *records.lines))


def _date(date: dt.date | None) -> str:
    return "D" if date is None else f"D{date:%m/%d/%Y}"


def _amount(amount: Money | None) -> str:
    return "$" if amount is None else f"${to_cents(amount) + 0}"


def _plain(text: str) -> str:
    """*text* on one line of printable ASCII, without the mark that ends a record."""
    shown = "".join(" " if not char.isprintable() or char == "^" else char for char in text)
    return " ".join(shown.encode("ascii", "replace").decode("ascii").split())


def _left_out(rows: Sequence[FormRow]) -> tuple[str, ...]:
    if not rows:
        return ()
    sentence = (
        f"{_counted(rows)} in {_boxes(rows)} (digital assets) left out: TXF has no "
        "reference number for them. Enter them by hand or take the CSV file."
    )
    return (sentence,)


def _by_hand(rows: Sequence[FormRow]) -> tuple[str, ...]:
    if not rows:
        return ()
    sentence = (
        f"{_counted(rows)} corrected with other codes than W, which TXF cannot carry: the file "
        "holds our own proceeds and basis there. Enter columns (d) to (g) of these by hand: "
        f"{'; '.join(_named(row) for row in rows)}."
    )
    return (sentence,)


def _named(row: FormRow) -> str:
    return f"{_plain(row.description)} sold {row.sold} (code {row.codes})"


def _counted(rows: Sequence[FormRow]) -> str:
    return f"{len(rows)} row{'' if len(rows) == 1 else 's'}"


def _boxes(rows: Sequence[FormRow]) -> str:
    boxes = sorted({str(row.box) for row in rows})
    return f"box{'es' if len(boxes) > 1 else ''} {', '.join(boxes)}"
