"""Form 8949 and Schedule D of a year as a page to print, and as CSV.

The page stands alone: one HTML file with its styles, no script, nothing loaded from anywhere.
"""

import csv
import datetime as dt
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from html import escape
from importlib import resources

from msgspec import Struct

from trimtab.apps.views.figures import cents, counted
from trimtab.apps.views.html import (
    amount_text,
    bullets,
    day_text,
    figures,
    html_page,
    table_head,
)
from trimtab.domain.numbers import ZERO, Money
from trimtab.domain.trades import Term
from trimtab.rules.tax.comparison import Verdict
from trimtab.rules.tax.form8949 import Amounts, Box, FormRow, amounts_of, by_box, in_cents
from trimtab.rules.tax.reconcile import Reconciliation
from trimtab.rules.tax.schedule_d import LINE_OF_BOX, LONG_LINES, SHORT_LINES, ScheduleD, schedule_d

CSV_COLUMNS = (
    "box",
    "description",
    "acquired",
    "sold",
    "proceeds",
    "basis",
    "codes",
    "adjustment",
    "gain",
    "term",
    "holding_since",
    "account",
    "symbol",
    "quantity",
    "lot_id",
    "sale_id",
    "own_proceeds",
    "own_basis",
    "disallowed",
    "permanent",
    "statement",
)
_NOT_ADVICE = (
    "This is not tax advice, and this page is not an official IRS form: it holds the figures for "
    "Form 8949 and Schedule D (Form 1040), to be entered there or given to a preparer."
)
_SEARCHED = (
    "Wash sales (26 USC 1091) are searched over every account of the household that is in the "
    "records. An account that is missing from them is missing here."
)
_COLUMN_B = (
    "Column (b) is the day of purchase. Where a wash sale has lengthened the holding period, the "
    "day that decides the term is printed below it."
)
_ROUNDED = "Each printed row is rounded to the cent by itself, and totals add up the printed rows."
_OUT_OF_SCOPE = (
    "The 28 % rate on collectibles (some metal funds), state tax and section 1256 contracts are "
    "out of scope."
)
NOTES = (_NOT_ADVICE, _SEARCHED, _COLUMN_B, _ROUNDED, _OUT_OF_SCOPE)
_BOX_TEXTS = {
    "AD": "reported on Form 1099-B, basis reported to the IRS",
    "BE": "reported on Form 1099-B, basis not reported to the IRS",
    "CF": "not reported on Form 1099-B",
    "GJ": "digital assets reported on Form 1099-DA, basis reported to the IRS",
    "HK": "digital assets reported on Form 1099-DA, basis not reported to the IRS",
    "IL": "digital assets not reported on Form 1099-DA or 1099-B",
}


class FormsReport(Struct, frozen=True, kw_only=True):
    """What the page of one tax return and year says.

    `rows` are exact. `loss_limit` is what the return may deduct; carryovers are positive, into the
    year and out of it. `provisional_until` is the day from which the year is final, None where it
    is. `notes` are sentences beside those that every page has.
    """

    household: str
    year: int
    prepared: dt.date
    program: str
    rows: tuple[FormRow, ...]
    loss_limit: Money
    status: str = ""
    carry_in_short: Money = ZERO
    carry_in_long: Money = ZERO
    carry_out_short: Money = ZERO
    carry_out_long: Money = ZERO
    provisional_until: dt.date | None = None
    reconciliation: Reconciliation | None = None
    notes: tuple[str, ...] = ()

    def schedule(self) -> ScheduleD:
        """Schedule D of the rows as they are printed, so that the page adds up to the cent."""
        return self._schedule([in_cents(row) for row in self.rows])

    def rounding(self) -> Money:
        """Line 16 of the printed rows less that of the exact ones."""
        return self.schedule().line_16 - self._schedule(self.rows).line_16

    def _schedule(self, rows: Iterable[FormRow]) -> ScheduleD:
        return schedule_d(
            rows,
            loss_limit=self.loss_limit,
            carry_in_short=self.carry_in_short,
            carry_in_long=self.carry_in_long,
        )


def forms_page(report: FormsReport) -> str:
    """The page as HTML."""
    title = f"Sales of capital assets {report.year}: {report.household}"
    style = (resources.files("trimtab.apps") / "templates" / "forms.css").read_text("utf-8")
    printed = by_box(in_cents(row) for row in report.rows)
    body = [
        *_head(report),
        *_schedule(report.schedule()),
        *_carryovers(report),
        *_statements(report.rows),
        *_notes(report),
        *_part(printed, Term.SHORT, report),
        *_part(printed, Term.LONG, report),
        *_reconciled(report.reconciliation),
    ]
    return html_page(title, style, body)


def forms_csv(rows: Iterable[FormRow]) -> str:
    """The printed rows as CSV with a header, dates as 2025-06-02.

    Text that a spreadsheet would take for a formula begins with an apostrophe; numbers are plain.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for row in rows:
        printed = in_cents(row)
        writer.writerow(_csv_cell(getattr(printed, name)) for name in CSV_COLUMNS)
    return text.getvalue()


def _csv_cell(value: object) -> str:
    match value:
        case None:
            return ""
        case Decimal():
            return f"{value + 0:f}"
        case dt.date():
            return value.isoformat()
        case _:
            line = " ".join(str(value).split())
            return f"'{line}" if line.startswith(("=", "+", "-", "@")) else line


# ---------------------------------------------------------------------- the first page


def _head(report: FormsReport) -> list[str]:
    who = ", ".join(part for part in (report.household, report.status) if part)
    origin = (
        "Form 8949 and Schedule D in figures, in US dollars. Prepared "
        f"{day_text(report.prepared)} with {escape(report.program)}."
    )
    lines = [
        "<header>",
        f"<h1>Sales of capital assets, tax year {report.year}</h1>",
        f'<p class="under">{escape(who)}<br><span class="small">{origin}</span></p>',
        "</header>",
    ]
    final = report.provisional_until
    if final is not None:
        last = day_text(final - dt.timedelta(days=1))
        lines.append(
            f'<p class="notice"><strong>Provisional</strong>A purchase until {last} can still '
            f"disallow a loss of this year. The figures are final on {day_text(final)}.</p>"
        )
    if not report.rows:
        lines.append("<p>Nothing was sold in a taxed account this year.</p>")
    return lines


def _schedule(schedule: ScheduleD) -> list[str]:
    body = [
        *_lines_of(schedule, SHORT_LINES, Term.SHORT),
        _single("6", "Short-term loss carried over from earlier years", schedule.line_6),
        _single("7", "Net short-term gain or (loss)", schedule.line_7, is_sum=True),
        *_lines_of(schedule, LONG_LINES, Term.LONG),
        _single("14", "Long-term loss carried over from earlier years", schedule.line_14),
        _single("15", "Net long-term gain or (loss)", schedule.line_15, is_sum=True),
        _single("16", "Lines 7 and 15 together", schedule.line_16, is_sum=True),
    ]
    if schedule.line_16 < 0:
        body.append(_single("21", "Loss deducted from other income", schedule.line_21))
    return [
        '<section class="keep"><h2>Schedule D</h2><div class="scroll"><table>',
        table_head(("Line", ""), ("(d) Proceeds", "(e) Basis", "(g) Adjustment", _COLUMN_H)),
        "<tbody>",
        *body,
        "</tbody></table></div></section>",
    ]


_COLUMN_H = "(h) Gain or (loss)"


def _lines_of(schedule: ScheduleD, names: Sequence[str], term: Term) -> list[str]:
    rows = []
    for name in names:
        amounts = schedule.lines.get(name)
        if amounts is None:
            continue
        boxes = " and ".join(box for box, line in sorted(LINE_OF_BOX.items()) if line == name)
        text = f"{str(term).capitalize()}-term totals of Form 8949, boxes {boxes}"
        rows.append(f"<tr><td>{name}</td><td>{text}</td>{_columns(amounts)}</tr>")
    return rows


def _single(line: str, text: str, amount: Money, *, is_sum: bool = False) -> str:
    mark = ' class="sum"' if is_sum else ""
    return (
        f'<tr{mark}><td>{line}</td><td colspan="4">{text}</td>'
        f'<td class="figure">{amount_text(amount)}</td></tr>'
    )


def _carryovers(report: FormsReport) -> list[str]:
    short, long = report.carry_out_short, report.carry_out_long
    if not short and not long:
        return ["<h3>Carryover</h3>", "<p>No loss is carried over to the next year.</p>"]
    sentence = (
        f"Short-term loss {amount_text(short)}, long-term loss {amount_text(long)} (Capital Loss "
        "Carryover Worksheet). Disallowed losses are not in it: they live on in the basis of the "
        "replacement shares."
    )
    return [f"<h3>Carryover to {report.year + 1}</h3>", f"<p>{sentence}</p>"]


def _statements(rows: Sequence[FormRow]) -> list[str]:
    items = [
        f"{escape(row.description)} sold {day_text(row.sold)} in {escape(row.account)}: "
        f"{escape(row.statement)}"
        for row in rows
        if row.statement
    ]
    return ["<h3>Statements to attach</h3>", *bullets(items)] if items else []


def _notes(report: FormsReport) -> list[str]:
    notes = [*report.notes, *NOTES]
    lost = sum((row.permanent for row in report.rows), ZERO)
    if lost:
        notes.insert(
            0,
            f"Of the disallowed losses, {cents(lost)} is lost for good: shares bought in a "
            "retirement account replaced the shares sold (Rev. Rul. 2008-5).",
        )
    off = report.rounding()
    if cents(abs(off)) != "0.00":
        side = "above" if off > 0 else "below"
        notes.append(f"Line 16 is {cents(abs(off))} {side} the sum before rounding.")
    codes = {code for row in report.rows for code in row.codes}
    notes += [text for code, text in _CODE_TEXTS.items() if code in codes]
    return ["<h3>Notes</h3>", *bullets((escape(note) for note in notes), "small")]


_CODE_TEXTS = {
    "B": "Code B: the basis on the broker's form is not the right one.",
    "E": "Code E: selling expenses that the broker's form leaves out (our reading of the code).",
    "O": "Code O: proceeds above those on the broker's form (our reading of the code).",
    "T": "Code T: the broker's form has the other term.",
    "W": "Code W: a loss that section 1091 disallows, in full or in part.",
}


# ---------------------------------------------------------------------- Form 8949


def _part(boxes: dict[Box, tuple[FormRow, ...]], term: Term, report: FormsReport) -> list[str]:
    mine = [box for box in boxes if box.term is term]
    if not mine:
        return []
    number, held = ("I", "one year or less") if term is Term.SHORT else ("II", "more than one year")
    return [
        '<section class="part">',
        f"<h2>Form 8949, Part {number}: {term}-term, held {held}</h2>",
        f'<p class="small">{escape(report.household)}, tax year {report.year}</p>',
        *(line for box in mine for line in _box(box, boxes[box])),
        "</section>",
    ]


def _box(box: Box, rows: Sequence[FormRow]) -> list[str]:
    text = next(text for letters, text in _BOX_TEXTS.items() if box in letters)
    total = f"Totals of box {box}, to Schedule D line {LINE_OF_BOX[box]}"
    sums = amounts_of(rows)
    return [
        f"<h3>Box {box}: {text} ({counted(len(rows), 'row')})</h3>",
        '<div class="scroll"><table class="rows">',
        _COLUMNS,
        "<tbody>",
        *(_row(row) for row in rows),
        "</tbody>",
        f'<tfoot><tr><th scope="row" colspan="3">{total}</th>',
        f"{figures((sums.proceeds, sums.basis))}<td></td>",
        f"{figures((sums.adjustment, sums.gain))}</tr></tfoot>",
        "</table></div>",
    ]


_COLUMNS = """\
<colgroup><col class="what"><col class="day"><col class="day"><col class="wide">
<col class="wide"><col class="code"><col class="wide"><col class="wide"></colgroup>
<thead><tr><th scope="col">(a) Description</th><th scope="col">(b) Acquired</th>
<th scope="col">(c) Sold</th><th scope="col" class="figure">(d) Proceeds</th>
<th scope="col" class="figure">(e) Basis</th><th scope="col" class="code">(f) Code</th>
<th scope="col" class="figure">(g) Adjustment</th>
<th scope="col" class="figure">(h) Gain or (loss)</th></tr></thead>"""


def _row(row: FormRow) -> str:
    bought = "unknown" if row.acquired is None else day_text(row.acquired)
    tacked = f"<small>term from {day_text(row.holding_since)}</small>" if row.is_tacked else ""
    where = f"<small>{escape(row.account)}, lot {escape(row.lot_id)}</small>"
    adjustment = amount_text(row.adjustment) if row.codes else ""
    return (
        f"<tr><td>{escape(row.description)}{where}</td>"
        f'<td class="date">{bought}{tacked}</td><td class="date">{day_text(row.sold)}</td>'
        f'{figures((row.proceeds, row.basis))}<td class="code">{row.codes}</td>'
        f'<td class="figure">{adjustment}</td>{figures((row.gain,))}</tr>'
    )


# ---------------------------------------------------------------------- beside the brokers


def _reconciled(found: Reconciliation | None) -> list[str]:
    if found is None:
        return []
    body = []
    for total in (*found.accounts, found.total):
        for whose, amounts in (("ours", total.ours), ("the broker's", total.theirs)):
            name = f"{escape(total.account) or 'All accounts'}, {whose}"
            body.append(f"<tr><td>{name}</td>{_columns(amounts)}</tr>")
    counts = ", ".join(f"{count} {verdict}" for verdict, count in found.total.counts)
    unlike = [one for one in found.comparisons if one.verdict is not Verdict.EQUAL]
    return [
        '<section class="part"><h2>Compared with the brokers\' forms</h2>',
        f"<p>{counts or 'There was nothing to compare'}.</p>",
        '<div class="scroll"><table>',
        table_head(("Account",), ("Proceeds", "Basis", "Disallowed", "Gain or (loss)")),
        "<tbody>",
        *body,
        "</tbody></table></div>",
        *bullets(
            (
                f"<strong>{one.verdict}</strong>: {escape(one.sentence)}"
                for one in sorted(unlike, key=lambda one: not one.is_open)
            ),
            "small",
        ),
        "</section>",
    ]


def _columns(amounts: Amounts) -> str:
    return figures((amounts.proceeds, amounts.basis, amounts.adjustment, amounts.gain))
