"""Form 8949 and Schedule D on a terminal and as documents; the printed page is in `forms`."""

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal

from trimtab.apps.views.figures import cents, counted
from trimtab.apps.views.forms import NOTES, FormsReport
from trimtab.apps.views.page import Block, Column, Heading, Row, Sentence, Table, item
from trimtab.apps.views.tax_documents_trading import (
    TaxFormRowDocument,
    TaxFormsDocument,
    TaxScheduleLineDocument,
    TaxTxfDocument,
)
from trimtab.apps.views.tax_reconcile import comparison_document, verdict_counts
from trimtab.domain.numbers import ZERO, Money, to_cents
from trimtab.rules.tax.form8949 import Amounts, FormRow, amounts_of, by_box, in_cents
from trimtab.rules.tax.schedule_d import LINE_OF_BOX, ScheduleD
from trimtab.rules.tax.txf import Txf

_LINES = {
    "1b": "Short-term, boxes A and G",
    "2": "Short-term, boxes B and H",
    "3": "Short-term, boxes C and I",
    "6": "Short-term loss carried over into the year",
    "7": "Net short-term gain or (loss)",
    "8b": "Long-term, boxes D and J",
    "9": "Long-term, boxes E and K",
    "10": "Long-term, boxes F and L",
    "14": "Long-term loss carried over into the year",
    "15": "Net long-term gain or (loss)",
    "16": "Lines 7 and 15 together",
    "21": "Loss deducted from other income",
}
_SUMS = ("7", "15", "16")
_CODES = {
    "B": "B the basis on the broker's form is not the right one",
    "E": "E selling expenses that the broker's form leaves out",
    "O": "O proceeds above those on the broker's form",
    "T": "T the broker's form has the other term",
    "W": "W a loss that section 1091 disallows, in full or in part",
}
_TXF = (
    "TXF is for tax programs on a desktop. It knows boxes A to F and wash sales, nothing else.",
    "This is not tax advice.",
)


def forms_text(report: FormsReport) -> list[Block]:
    """Every box with its rows, Schedule D, the carryover and the notes."""
    printed = by_box(in_cents(row) for row in report.rows)
    who = ", ".join(part for part in (report.household, report.status) if part)
    page: list[Block] = [Heading(f"Form 8949 and Schedule D of {report.year} in USD: {who}")]
    if report.provisional_until is not None:
        page.append(Sentence(provisional_sentence(report.provisional_until), "warn"))
    if not report.rows:
        page.append(Sentence(f"Nothing was sold in a taxed account in {report.year}."))
    for box, rows in printed.items():
        title = f"Box {box}, {box.term}-term, {counted(len(rows), 'row')}"
        page += [Heading(f"{title}, to line {LINE_OF_BOX[box]}"), _box_table(rows)]
    page += [Heading("Schedule D"), _schedule_table(report.schedule())]
    page.append(Sentence(carryover_sentence(report)))
    statements = [row for row in report.rows if row.statement]
    if statements:
        page.append(Heading("Statements to attach"))
        page += [item(f"{row.description} sold {row.sold}: {row.statement}") for row in statements]
    if report.reconciliation is not None:
        page += [
            Heading("Beside the brokers' forms"),
            Sentence(verdict_counts(report.reconciliation.total)),
            *(
                item(f"{one.verdict}: {one.sentence}", "bad")
                for one in report.reconciliation.comparisons
                if one.is_open
            ),
        ]
    return [*page, Heading("Notes"), *(item(note, "quiet") for note in notes_on(report))]


def forms_document(report: FormsReport) -> TaxFormsDocument:
    """Everything that the page says."""
    found = report.reconciliation
    return TaxFormsDocument(
        household=report.household,
        year=report.year,
        status=report.status,
        rows=tuple(_row_document(in_cents(row)) for row in report.rows),
        schedule=tuple(_line_document(line, amount) for line, amount in _lines(report.schedule())),
        carry_in_short=_text(report.carry_in_short),
        carry_in_long=_text(report.carry_in_long),
        carry_out_short=_text(report.carry_out_short),
        carry_out_long=_text(report.carry_out_long),
        provisional_until=report.provisional_until,
        comparisons=tuple(
            comparison_document(one) for one in (() if found is None else found.comparisons)
        ),
        notes=notes_on(report),
    )


def txf_document(report: FormsReport, records: Txf, text: str) -> TaxTxfDocument:
    """The file as one string, and what it leaves out."""
    return TaxTxfDocument(
        household=report.household,
        year=report.year,
        records=records.lines.count("TD"),
        text=text,
        notes=txf_notes(report, records),
    )


def txf_notes(report: FormsReport, records: Txf) -> tuple[str, ...]:
    """What is left out of the file, and what the reader must know."""
    final = report.provisional_until
    provisional = () if final is None else (provisional_sentence(final),)
    return (*records.notes, *provisional, *report.notes, *_TXF)


def provisional_sentence(final: dt.date) -> str:
    """Until when a purchase can still change the year."""
    last = final - dt.timedelta(days=1)
    return (
        f"Provisional: a purchase until {last} can still disallow a loss of this year; the figures "
        f"are final on {final}."
    )


def carryover_sentence(report: FormsReport) -> str:
    """What is carried to the next year."""
    short, long = report.carry_out_short, report.carry_out_long
    if not short and not long:
        return f"No loss is carried over to {report.year + 1}."
    return (
        f"Carried over to {report.year + 1}: short-term loss {cents(short)}, long-term loss "
        f"{cents(long)}. Disallowed losses are not in it: they live on in the basis of the "
        "replacement shares."
    )


def notes_on(report: FormsReport) -> tuple[str, ...]:
    """What the reader must know beside the figures."""
    notes = list(report.notes)
    lost = sum((row.permanent for row in report.rows), ZERO)
    if lost:
        notes.append(
            f"Of the disallowed losses, {cents(lost)} is lost for good: shares bought in a "
            "retirement account replaced the shares sold (Rev. Rul. 2008-5)."
        )
    codes = {code for row in report.rows for code in row.codes}
    if codes:
        notes.append(f"Codes: {'; '.join(_CODES[code] for code in sorted(codes))}.")
    off = report.rounding()
    if cents(abs(off)) != "0.00":
        side = "above" if off > 0 else "below"
        notes.append(f"Line 16 is {cents(abs(off))} {side} the sum before rounding.")
    if any(row.is_tacked for row in report.rows):
        notes.append("`term from` is the day that decides the term, where a wash sale moved it.")
    return (*notes, *(note for note in NOTES if not note.startswith("Column (b)")))


def _box_table(rows: Sequence[FormRow]) -> Table:
    columns = (
        Column("(a) what"),
        Column("(b) acquired"),
        Column("(c) sold"),
        Column("(d) proceeds", is_figure=True),
        Column("(e) basis", is_figure=True),
        Column("(f)"),
        Column("(g) adjustment", is_figure=True),
        Column("(h) gain", is_figure=True),
        Column("term from", spare=2),
        Column("account", spare=1),
        Column("lot", spare=3),
    )
    sums = amounts_of(rows)
    total = ("Totals", "", "", *_cells_of(sums, ""), "", "", "")
    return Table(columns, (*(Row(_cells(row)) for row in rows), Row(total, "strong")))


def _cells(row: FormRow) -> tuple[str, ...]:
    amounts = Amounts(proceeds=row.proceeds, basis=row.basis, adjustment=row.adjustment)
    return (
        row.description,
        "unknown" if row.acquired is None else f"{row.acquired}",
        f"{row.sold}",
        *_cells_of(amounts, row.codes),
        f"{row.holding_since}" if row.is_tacked else "",
        row.account,
        row.lot_id,
    )


def _cells_of(amounts: Amounts, codes: str) -> tuple[str, ...]:
    return (
        cents(amounts.proceeds),
        cents(amounts.basis),
        codes,
        cents(amounts.adjustment) if amounts.adjustment or codes else "",
        cents(amounts.gain),
    )


def _lines(schedule: ScheduleD) -> Iterator[tuple[str, Amounts | Money]]:
    """Every line that says something, in the order of the form."""
    singles = schedule.figures()
    for line in _LINES:
        if line in schedule.lines:
            yield line, schedule.lines[line]
            continue
        amount = singles.get(line)
        if isinstance(amount, Decimal) and (line != "21" or schedule.line_16 < 0):
            yield line, amount


def _schedule_table(schedule: ScheduleD) -> Table:
    columns = (
        Column("line"),
        Column("what"),
        Column("(d) proceeds", is_figure=True),
        Column("(e) basis", is_figure=True),
        Column("(g) adjustment", is_figure=True),
        Column("(h) gain", is_figure=True),
    )
    rows = []
    for line, amount in _lines(schedule):
        if isinstance(amount, Amounts):
            cells = (cents(amount.proceeds), cents(amount.basis), cents(amount.adjustment))
            gain = amount.gain
        else:
            cells, gain = ("", "", ""), amount
        style = "strong" if line in _SUMS else ""
        rows.append(Row((line, _LINES[line], *cells, cents(gain)), style))
    return Table(columns, tuple(rows))


def _line_document(line: str, amount: Amounts | Money) -> TaxScheduleLineDocument:
    if isinstance(amount, Amounts):
        return TaxScheduleLineDocument(
            line=line,
            proceeds=_text(amount.proceeds),
            basis=_text(amount.basis),
            adjustment=_text(amount.adjustment),
            gain=_text(amount.gain),
        )
    return TaxScheduleLineDocument(
        line=line, proceeds=None, basis=None, adjustment=None, gain=_text(amount)
    )


def _row_document(row: FormRow) -> TaxFormRowDocument:
    """A printed row; its fields are the columns of the CSV file."""
    return TaxFormRowDocument(
        box=row.box.value,
        description=row.description,
        acquired=row.acquired,
        sold=row.sold,
        proceeds=_text(row.proceeds),
        basis=_text(row.basis),
        codes=row.codes,
        adjustment=_text(row.adjustment),
        gain=_text(row.gain),
        term=row.term.value,
        holding_since=row.holding_since,
        account=row.account,
        symbol=row.symbol,
        quantity=f"{row.quantity:f}",
        lot_id=row.lot_id,
        sale_id=row.sale_id,
        own_proceeds=_text(row.own_proceeds),
        own_basis=_text(row.own_basis),
        disallowed=_text(row.disallowed),
        permanent=_text(row.permanent),
        statement=row.statement,
    )


def _text(amount: Money) -> str:
    return f"{to_cents(amount) + 0}"
