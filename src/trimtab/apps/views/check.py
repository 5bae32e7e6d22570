"""A household without a fault, as a page and as a document."""

from trimtab.apps.check import Checked, Coverage
from trimtab.apps.views.documents import CheckDocument, CoverageDocument
from trimtab.apps.views.drift import drift_blocks, drift_document
from trimtab.apps.views.figures import counted, digits, typed
from trimtab.apps.views.page import Block, Column, Heading, Row, Sentence, Table, item
from trimtab.rules.words import money


def check_page(checked: Checked, folder: str) -> list[Block]:
    """What the files say."""
    file = checked.file
    currency = file.household.base_currency
    parts = [
        counted(len(file.accounts), "account"),
        counted(checked.lots, "lot"),
        counted(len(file.classes), "class", "classes"),
    ]
    if checked.sales:
        parts.append(counted(checked.sales, "earlier sale"))
    value = "" if checked.value is None else f", worth {money(checked.value, currency)}"
    blocks: list[Block] = [
        Sentence("No fault found.", "good"),
        item(f"{file.household.name}: {', '.join(parts)}{value}."),
    ]
    if file.data.market == "invented":
        blocks.append(item("The market is invented: no price in it is real."))
    if checked.drifts:
        blocks += [Heading("Drift"), *drift_blocks(checked.drifts, currency)]
        blocks += [Sentence(text, "warn") for text in (checked.edit,) if text]
    if checked.coverage:
        blocks += [Heading("Prices"), _coverage_table(checked)]
    if checked.remarks:
        blocks.append(Heading("Worth a look"))
        blocks += [item(remark, "warn") for remark in checked.remarks]
    blocks.append(Sentence(f"Next: {typed('plan', folder)}.", "strong"))
    return blocks


def check_document(checked: Checked) -> CheckDocument:
    """What `check --json` prints."""
    return CheckDocument(
        household=checked.file.household.name,
        currency=checked.file.household.base_currency,
        accounts=len(checked.file.accounts),
        lots=checked.lots,
        sales=checked.sales,
        value=None if checked.value is None else digits(checked.value),
        classes=tuple(drift_document(drift) for drift in checked.drifts),
        prices=tuple(
            CoverageDocument(
                symbol=found.symbol,
                asset_class=found.asset_class,
                first_session=found.first,
                last_session=found.last,
                sessions=found.sessions,
                volatility=found.volatility,
            )
            for found in checked.coverage
        ),
        edit=checked.edit,
        remarks=checked.remarks,
    )


def _coverage_table(checked: Checked) -> Table:
    columns = (
        Column("symbol"),
        Column("class"),
        Column("first"),
        Column("last"),
        Column("sessions", is_figure=True),
        Column("volatility a year", is_figure=True),
    )
    return Table(columns, tuple(_coverage_row(found) for found in checked.coverage))


def _coverage_row(found: Coverage) -> Row:
    volatility = "-" if found.volatility is None else f"{found.volatility * 100:.1f} %"
    cells = (
        found.symbol,
        found.asset_class,
        str(found.first or "-"),
        str(found.last or "-"),
        f"{found.sessions:,}",
        volatility,
    )
    return Row(cells, "warn" if found.last is None else "")
