"""What would be planned if something were so, beside what is planned today."""

from typing import NamedTuple

from trimtab.apps.hypothetical import planned_tax
from trimtab.apps.views.figures import cents
from trimtab.apps.views.hypothetical_documents import WhatIfDocument
from trimtab.apps.views.page import Block, Column, Heading, Sentence, Table, rows_of
from trimtab.apps.views.plan import Known, decision_blocks, decision_document
from trimtab.domain.numbers import ZERO, Money, Weight
from trimtab.domain.trades import Decision, Side
from trimtab.rules.words import listing, percent


class Supposition(NamedTuple):
    """What was assumed, as it was written; the decision of today and the one that would be."""

    texts: tuple[str, ...]
    today: Decision
    then: Decision
    known_today: Known
    known_then: Known


def what_if_blocks(supposition: Supposition) -> list[Block]:
    """Both decisions in a short table, then all of the one that would be."""
    today, then = supposition.today, supposition.then
    currency = supposition.known_then.currency
    table = Table(
        (Column(""), Column("today", is_figure=True), Column("then", is_figure=True)),
        rows_of(
            (name, first, second)
            for (name, first), (_, second) in zip(_figures(today), _figures(then), strict=True)
        ),
    )
    return [
        Sentence(_told(supposition), "strong"),
        Heading(f"Today and then, in {currency}"),
        table,
        *decision_blocks(then, supposition.known_then),
        Sentence(
            "This is a question, not a plan: nothing was sent and nothing was written.", "strong"
        ),
    ]


def what_if_document(supposition: Supposition, household: str) -> WhatIfDocument:
    """Both decisions with every digit."""
    return WhatIfDocument(
        household=household,
        assumptions=supposition.texts,
        sentence=_told(supposition),
        today=decision_document(supposition.today, supposition.known_today),
        then=decision_document(supposition.then, supposition.known_then),
    )


def largest_drift(decision: Decision, *, is_after: bool) -> Weight:
    """The largest drift of any class, before a decision's plan or after it."""
    drifts = decision.drifts
    if is_after and decision.plan is not None:
        drifts = decision.plan.after
    return max((abs(drift.drift) for drift in drifts), default=ZERO)


def planned_cost(decision: Decision) -> Money:
    """What a decision's trades cost: spread too where a certificate tells it, else their fees."""
    plan = decision.plan
    if plan is None:
        return ZERO
    if plan.certificate is not None:
        return plan.certificate.plan.cost
    return sum((trade.cost for trade in plan.trades), ZERO)


def _told(supposition: Supposition) -> str:
    return f"If {listing(list(supposition.texts))}: {supposition.then.sentence}"


def _figures(decision: Decision) -> list[tuple[str, str]]:
    plan = decision.plan
    trades = () if plan is None else plan.trades
    sold = sum((trade.value for trade in trades if trade.side is Side.SELL), ZERO)
    bought = sum((trade.value for trade in trades if trade.side is Side.BUY), ZERO)
    return [
        ("value", cents(decision.value)),
        ("trades", f"{len(trades)}"),
        ("sold", cents(sold)),
        ("bought", cents(bought)),
        ("turnover", cents(ZERO if plan is None else plan.turnover)),
        ("tax", cents(planned_tax(decision))),
        ("trading cost", cents(planned_cost(decision))),
        ("largest drift before", percent(largest_drift(decision, is_after=False), 2)),
        ("largest drift after", percent(largest_drift(decision, is_after=True), 2)),
    ]
