"""An outcome as a page: `plan` shows what would be, `run` what was."""

from collections.abc import Sequence

from trimtab.apps.execute import Execution
from trimtab.apps.run import Outcome
from trimtab.apps.views.documents import ExecutionDocument, PlanDocument, RunDocument
from trimtab.apps.views.figures import cents, counted, digits
from trimtab.apps.views.page import Block, Column, Heading, Row, Sentence, Table, item
from trimtab.apps.views.plan import (
    Known,
    decision_blocks,
    decision_document,
    discrepancy_document,
)
from trimtab.apps.views.tax import row_document, row_table
from trimtab.domain.history import LotSale
from trimtab.domain.trades import Discrepancy, OrderStatus
from trimtab.rules.words import units

_STYLES = {
    "executed": "good",
    "nothing-to-do": "good",
    "planned": "strong",
    "partly-executed": "warn",
    "not-executed": "warn",
    "held": "warn",
}


def verdict(outcome: Outcome) -> Sentence:
    """The outcome in one sentence."""
    style = _STYLES[outcome.status]
    if outcome.decision is None or outcome.decision.plan is None:
        return Sentence(outcome.sentence, style)
    if outcome.status == "held":  # its sentence says so itself
        return Sentence(outcome.sentence, style)
    words = outcome.status.replace("-", " ").capitalize()
    return Sentence(f"{words}: {outcome.sentence}", style)


def look_line(outcome: Outcome) -> str:
    """The outcome in one line of a log."""
    return f"{outcome.status}, {_count(outcome)}. {' '.join(outcome.sentence.split())}"


def outcome_blocks(outcome: Outcome, known: Known, realized: Sequence[LotSale]) -> list[Block]:
    """The decision, what was executed, what verification found, and the tax log of this turn."""
    blocks: list[Block] = [verdict(outcome)]
    if outcome.decision is not None:
        blocks += decision_blocks(outcome.decision, known)
    if outcome.executions:
        blocks += [Heading("Executed"), _execution_table(outcome.executions)]
        blocks += [
            item(f"{done.trade.side} {done.trade.symbol} in {done.trade.account}: {done.note}")
            for done in outcome.executions
            if done.note
        ]
    if realized:
        blocks += [Heading(f"Tax log of this turn, in {known.currency}"), row_table(realized)]
    blocks += discrepancy_blocks(outcome.discrepancies)
    return blocks


def discrepancy_blocks(found: Sequence[Discrepancy]) -> list[Block]:
    """Every difference; nothing where there is none."""
    if not found:
        return []
    return [
        Heading("Discrepancies: these accounts are blocked until journal and broker agree"),
        *(item(difference.sentence, "bad") for difference in found),
    ]


def plan_document(outcome: Outcome, known: Known) -> PlanDocument:
    """What `plan --json` prints."""
    return PlanDocument(
        household=outcome.memory.name,
        status=outcome.status,
        sentence=outcome.sentence,
        decision=None if outcome.decision is None else decision_document(outcome.decision, known),
        discrepancies=tuple(discrepancy_document(found) for found in outcome.discrepancies),
    )


def run_document(
    outcome: Outcome, known: Known, realized: Sequence[LotSale], *, executes: bool, exit_status: int
) -> RunDocument:
    """What `run --json` prints, and `watch --json` once a look."""
    return RunDocument(
        household=outcome.memory.name,
        cycle=outcome.cycle,
        executes=executes,
        status=outcome.status,
        sentence=outcome.sentence,
        decision=None if outcome.decision is None else decision_document(outcome.decision, known),
        executions=tuple(_execution_document(done) for done in outcome.executions),
        discrepancies=tuple(discrepancy_document(found) for found in outcome.discrepancies),
        realized=tuple(row_document(row) for row in realized),
        exit_status=exit_status,
    )


def _execution_table(executions: Sequence[Execution]) -> Table:
    columns = (
        Column("account"),
        Column("side"),
        Column("wanted", is_figure=True),
        Column("filled", is_figure=True),
        Column("symbol"),
        Column("planned value", is_figure=True),
        Column("status"),
        Column("order", spare=1),
    )
    return Table(columns, tuple(_execution_row(done) for done in executions))


def _execution_row(done: Execution) -> Row:
    cells = (
        done.trade.account,
        str(done.trade.side),
        units(done.trade.quantity),
        units(done.filled),
        done.trade.symbol,
        cents(done.trade.value),
        str(done.status) if done.order_id else "not sent",
        done.order_id or "-",
    )
    is_fine = done.is_whole and done.status is OrderStatus.FILLED
    return Row(cells, "good" if is_fine else "warn")


def _execution_document(done: Execution) -> ExecutionDocument:
    return ExecutionDocument(
        account=done.trade.account,
        symbol=done.trade.symbol,
        side=str(done.trade.side),
        order_id=done.order_id,
        status=str(done.status) if done.order_id else "not-sent",
        wanted=digits(done.trade.quantity),
        filled=digits(done.filled),
        note=done.note,
    )


def _count(outcome: Outcome) -> str:
    if outcome.executions:
        whole = sum(1 for done in outcome.executions if done.is_whole)
        return f"{whole} of {counted(len(outcome.executions), 'trade')} filled whole"
    plan = None if outcome.decision is None else outcome.decision.plan
    return "no trade" if plan is None else f"{counted(len(plan.trades), 'trade')} planned"
