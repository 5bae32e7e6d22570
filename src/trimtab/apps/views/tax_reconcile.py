"""Our rows beside the brokers', as a page, as a document and as CSV."""

import csv
import datetime as dt
import io
from collections.abc import Iterable, Sequence

from trimtab.apps.views.figures import cents, counted
from trimtab.apps.views.page import Block, Column, Heading, Row, Sentence, Table, item
from trimtab.apps.views.tax_documents_trading import (
    TaxComparisonDocument,
    TaxReconciledDocument,
    TaxReconciliationDocument,
)
from trimtab.domain.numbers import to_cents
from trimtab.rules.tax.comparison import Comparison, Verdict
from trimtab.rules.tax.form8949 import Amounts
from trimtab.rules.tax.reconcile import AccountTotal, Reconciliation
from trimtab.rules.words import listing

_STYLES = {
    Verdict.EQUAL: "",
    Verdict.OTHER_ACCOUNT: "quiet",
    Verdict.SUBLOT_ORDER: "quiet",
    Verdict.ROUNDING: "quiet",
    Verdict.ONLY_BROKER: "bad",
    Verdict.ONLY_OURS: "bad",
    Verdict.UNEXPLAINED: "bad",
}
CSV_COLUMNS = TaxComparisonDocument.__struct_fields__


def reconcile_page(
    found: Reconciliation, years: Sequence[int], files: Sequence[str], notes: Iterable[str]
) -> list[Block]:
    """What is left to look at first, then every comparison, the totals and the notes."""
    when = listing([str(year) for year in years]) or "no year"
    page: list[Block] = [
        Heading(f"Sales of {when} beside {listing(list(files))}, in USD"),
        Sentence(_verdict(found), "good" if found.is_explained else "bad"),
    ]
    if found.comparisons:
        page.append(_comparison_table(found.comparisons))
    unlike = [one for one in found.comparisons if one.verdict is not Verdict.EQUAL]
    if unlike:
        page.append(Heading("Why"))
    page += [
        item(f"{one.verdict}: {one.sentence}", _style(one))
        for one in sorted(unlike, key=lambda one: not one.is_open)
    ]
    totals = [*found.accounts, found.total] if len(found.accounts) > 1 else [found.total]
    if found.comparisons:
        page += [Heading("Totals"), _total_table(totals)]
    return [*page, Heading("Notes"), *(item(note, "quiet") for note in notes)]


def reconcile_document(
    found: Reconciliation,
    *,
    household: str,
    years: Sequence[int],
    files: Sequence[str],
    notes: Iterable[str],
) -> TaxReconciliationDocument:
    """Everything that the page says."""
    return TaxReconciliationDocument(
        household=household,
        years=tuple(years),
        files=tuple(files),
        is_explained=found.is_explained,
        comparisons=tuple(comparison_document(one) for one in found.comparisons),
        accounts=tuple(_total_document(total) for total in found.accounts),
        total=_total_document(found.total),
        notes=tuple(notes),
    )


def comparison_document(one: Comparison) -> TaxComparisonDocument:
    """One comparison; amounts in cents."""
    return TaxComparisonDocument(
        account=one.account,
        symbol=one.symbol,
        verdict=one.verdict.value,
        is_open=one.is_open,
        sentence=one.sentence,
        rows=one.rows,
        lines=one.lines,
        proceeds=f"{to_cents(one.ours.proceeds)}",
        basis=f"{to_cents(one.ours.basis)}",
        disallowed=f"{to_cents(one.ours.adjustment)}",
        broker_proceeds=f"{to_cents(one.theirs.proceeds)}",
        broker_basis=f"{to_cents(one.theirs.basis)}",
        broker_disallowed=f"{to_cents(one.theirs.adjustment)}",
    )


def reconcile_csv(comparisons: Iterable[Comparison]) -> str:
    """A line for each comparison with a header: the fields of a document's comparison.

    Text that a spreadsheet would take for a formula begins with an apostrophe.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for one in comparisons:
        document = comparison_document(one)
        writer.writerow(csv_cell(getattr(document, name)) for name in CSV_COLUMNS)
    return text.getvalue()


def csv_cell(value: object) -> str:
    """*value* as a cell that no spreadsheet runs; numbers keep their sign."""
    match value:
        case bool():
            return "yes" if value else "no"
        case tuple():
            return " ".join(str(each) for each in value)
        case dt.date():
            return value.isoformat()
        case _:
            line = " ".join(str(value).split())
            is_number = line.removeprefix("-").replace(".", "", 1).isdecimal()
            return line if is_number or not line.startswith(("=", "+", "-", "@")) else f"'{line}"


def verdict_counts(total: AccountTotal) -> str:
    """How many comparisons came to what: `12 equal, 1 unexplained.`."""
    counts = listing([f"{count} {verdict}" for verdict, count in total.counts])
    return f"{counts}." if counts else "There was nothing to compare."


def _verdict(found: Reconciliation) -> str:
    open_ones = [one for one in found.comparisons if one.is_open]
    head = verdict_counts(found.total)
    if not found.comparisons:
        return head
    if not open_ones:
        return f"{head} Nothing is left to look at."
    return f"{head} {counted(len(open_ones), 'comparison')} for you to look at, listed first below."


def _style(one: Comparison) -> str:
    """An expected gap is no alarm."""
    return "quiet" if one.is_expected else _STYLES[one.verdict]


def _comparison_table(comparisons: Sequence[Comparison]) -> Table:
    columns = (
        Column("account", spare=1),
        Column("symbol"),
        Column("lines", spare=3),
        Column("proceeds", is_figure=True),
        Column("broker's", is_figure=True),
        Column("basis", is_figure=True),
        Column("broker's", is_figure=True),
        Column("disallowed", is_figure=True),
        Column("broker's", is_figure=True),
        Column("verdict"),
    )
    return Table(columns, tuple(Row(_cells(one), _style(one)) for one in comparisons))


def _cells(one: Comparison) -> tuple[str, ...]:
    return (
        one.account,
        one.symbol,
        ", ".join(map(str, one.lines)) or "-",
        cents(one.ours.proceeds),
        cents(one.theirs.proceeds),
        cents(one.ours.basis),
        cents(one.theirs.basis),
        cents(one.ours.adjustment),
        cents(one.theirs.adjustment),
        f"{one.verdict} (expected)" if one.is_expected else str(one.verdict),
    )


def _total_table(totals: Iterable[AccountTotal]) -> Table:
    columns = (
        Column("account"),
        Column("whose"),
        Column("proceeds", is_figure=True),
        Column("basis", is_figure=True),
        Column("disallowed", is_figure=True),
        Column("gain", is_figure=True),
    )
    rows = []
    for total in totals:
        name = total.account or "all"
        rows += [
            Row((name, "ours", *_amount_cells(total.ours))),
            Row((name, "broker's", *_amount_cells(total.theirs))),
        ]
    return Table(columns, tuple(rows))


def _amount_cells(amounts: Amounts) -> tuple[str, ...]:
    return (
        cents(amounts.proceeds),
        cents(amounts.basis),
        cents(amounts.adjustment),
        cents(amounts.gain),
    )


def _total_document(total: AccountTotal) -> TaxReconciledDocument:
    ours, theirs = total.ours, total.theirs
    return TaxReconciledDocument(
        account=total.account,
        proceeds=f"{to_cents(ours.proceeds)}",
        basis=f"{to_cents(ours.basis)}",
        disallowed=f"{to_cents(ours.adjustment)}",
        gain=f"{to_cents(ours.gain)}",
        broker_proceeds=f"{to_cents(theirs.proceeds)}",
        broker_basis=f"{to_cents(theirs.basis)}",
        broker_disallowed=f"{to_cents(theirs.adjustment)}",
        broker_gain=f"{to_cents(theirs.gain)}",
        verdicts={verdict.value: f"{count}" for verdict, count in total.counts},
    )
