"""The tax log as a page, as a document and as CSV."""

import csv
import io
from collections.abc import Sequence

from trimtab.apps.views.documents import TaxLogDocument, TaxRowDocument, TaxTotalDocument
from trimtab.apps.views.figures import cents, counted
from trimtab.apps.views.page import Block, Column, Heading, Row, Sentence, Table, item, rows_of
from trimtab.domain.history import LotSale
from trimtab.domain.numbers import to_cents
from trimtab.rules.tax.log import TaxTotal
from trimtab.rules.words import units

NOTES = (
    "Disallowed losses (26 USC 1091) are those of the whole household; a broker sees one account.",
    "This is not tax advice.",
)
CSV_COLUMNS = TaxRowDocument.__struct_fields__


def tax_page(
    rows: Sequence[LotSale],
    totals: Sequence[TaxTotal],
    currency: str,
    year: int | None,
    notes: Sequence[str],
) -> list[Block]:
    """Every row, the totals of the taxed accounts, and the *notes*."""
    when = "all years" if year is None else str(year)
    if not rows:
        empty = Sentence(f"Nothing was sold in {when}, so the tax log is empty.")
        return [empty, *(item(note, "quiet") for note in notes if note not in NOTES)]
    return [
        Heading(f"Realized in {when}, in {currency}"),
        row_table(rows),
        Heading("Totals of the taxed accounts, rounded from exact sums"),
        _total_table(totals),
        *(item(note, "quiet") for note in notes),
    ]


def row_table(rows: Sequence[LotSale]) -> Table:
    """One row for each lot sold."""
    columns = (
        Column("account"),
        Column("symbol"),
        Column("quantity", is_figure=True),
        Column("acquired"),
        Column("sold"),
        Column("term"),
        Column("proceeds", is_figure=True),
        Column("basis", is_figure=True, spare=2),
        Column("disallowed", is_figure=True, spare=2),
        Column("gain", is_figure=True),
        Column("taxed", spare=1),
        Column("order", spare=3),
    )
    return Table(columns, tuple(Row(_cells(row), "" if row.is_taxed else "quiet") for row in rows))


def notes_on(rows: Sequence[LotSale], *, is_household: bool = True) -> tuple[str, ...]:
    """What the reader must know beside the figures."""
    if not is_household:
        return NOTES
    before = sum(1 for row in rows if row.source != "journal")
    if not before:
        return NOTES
    told = f"{counted(before, 'row')} from before trimtab took over, as the file of sales tells."
    return (told, *NOTES)


def tax_document(
    rows: Sequence[LotSale],
    totals: Sequence[TaxTotal],
    *,
    household: str,
    currency: str,
    year: int | None,
    notes: Sequence[str],
) -> TaxLogDocument:
    """The whole log; amounts in cents."""
    return TaxLogDocument(
        household=household,
        currency=currency,
        year=year,
        rows=tuple(row_document(row) for row in rows),
        totals=tuple(
            TaxTotalDocument(
                term=str(total.term),
                proceeds=f"{to_cents(total.proceeds)}",
                basis=f"{to_cents(total.basis)}",
                disallowed=f"{to_cents(total.disallowed)}",
                gain=f"{to_cents(total.gain)}",
            )
            for total in totals
        ),
        notes=tuple(notes),
    )


def row_document(row: LotSale) -> TaxRowDocument:
    """One row; amounts in cents, rounded half up."""
    return TaxRowDocument(
        account=row.account,
        symbol=row.symbol,
        lot_id=row.lot_id,
        quantity=f"{row.quantity:f}",
        acquired=row.acquired,
        holding_since=row.holding_since,
        sold=row.sold,
        term=str(row.term),
        proceeds=f"{to_cents(row.proceeds)}",
        basis=f"{to_cents(row.basis)}",
        disallowed=f"{to_cents(row.disallowed)}",
        permanent=f"{to_cents(row.permanent)}",
        gain=f"{to_cents(row.gain)}",
        is_taxed=row.is_taxed,
        order_id=row.order_id,
        source=row.source,
    )


def tax_csv(rows: Sequence[LotSale]) -> str:
    """The rows as CSV with a header; the fields of a document's row."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for row in rows:
        document = row_document(row)
        writer.writerow(_csv_cell(getattr(document, name)) for name in CSV_COLUMNS)
    return text.getvalue()


def _csv_cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _cells(row: LotSale) -> tuple[str, ...]:
    return (
        row.account,
        row.symbol,
        units(row.quantity),
        f"{row.acquired}",
        f"{row.sold}",
        str(row.term),
        cents(row.proceeds),
        cents(row.basis),
        cents(row.disallowed) if row.disallowed else "-",
        cents(row.gain),
        "yes" if row.is_taxed else "no",
        row.order_id or "-",
    )


def _total_table(totals: Sequence[TaxTotal]) -> Table:
    columns = (
        Column("term"),
        Column("proceeds", is_figure=True),
        Column("basis", is_figure=True),
        Column("disallowed", is_figure=True),
        Column("gain", is_figure=True),
    )
    return Table(
        columns,
        rows_of(
            (
                str(total.term),
                cents(total.proceeds),
                cents(total.basis),
                cents(total.disallowed),
                cents(total.gain),
            )
            for total in totals
        ),
    )
