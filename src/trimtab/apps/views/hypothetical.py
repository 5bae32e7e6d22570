"""What would be planned if something were so, beside what is planned today."""

from typing import NamedTuple

from trimtab.apps.hypothetical import Look, planned_tax
from trimtab.apps.views.figures import cents
from trimtab.apps.views.hypothetical_documents import WhatIfDocument
from trimtab.apps.views.page import Block, Column, Heading, Sentence, Table, rows_of
from trimtab.apps.views.plan import Known, decision_blocks, decision_document
from trimtab.domain.numbers import ZERO, Money, Weight
from trimtab.domain.trades import Decision, Side
from trimtab.rules.words import listing, percent

ONLY_ASKED = Sentence(
    "This is a question, not a plan: nothing was sent and nothing was written.", "strong"
)
"""How the answer to a question ends."""
_LACKING = "cash not raised"
_RARE = ("in all", _LACKING)
"""Figures that are shown where there is one."""
_NOTHING = {"-", "0.00"}


class Supposition(NamedTuple):
    """What was assumed, as it was written; the look of today and the one that would be."""

    texts: tuple[str, ...]
    today: Look
    then: Look
    known_today: Known
    known_then: Known


def what_if_blocks(supposition: Supposition) -> list[Block]:
    """Both decisions in a short table, then all of the one that would be."""
    figures = zip(_figures(supposition.today), _figures(supposition.then), strict=True)
    currency = supposition.known_then.currency
    table = Table(
        (Column(""), Column("today", is_figure=True), Column("then", is_figure=True)),
        rows_of(
            (name, first, second)
            for (name, first), (_, second) in figures
            if name not in _RARE or {first, second} - _NOTHING
        ),
    )
    return [
        Sentence(_told(supposition), "strong"),
        Heading(f"Today and then, in {currency}"),
        table,
        *decision_blocks(supposition.then.decision, supposition.known_then),
        ONLY_ASKED,
    ]


def what_if_document(supposition: Supposition, household: str) -> WhatIfDocument:
    """Both decisions with every digit."""
    return WhatIfDocument(
        household=household,
        assumptions=supposition.texts,
        sentence=_told(supposition),
        today=decision_document(supposition.today.decision, supposition.known_today),
        then=decision_document(supposition.then.decision, supposition.known_then),
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
    return f"If {listing(list(supposition.texts))}: {supposition.then.decision.sentence}"


def _figures(look: Look) -> list[tuple[str, str]]:
    decision, plan = look.decision, look.decision.plan
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
        ("in all", "-" if look.objective is None else cents(look.objective)),
        (_LACKING, cents(look.lacking)),
        ("largest drift before", percent(largest_drift(decision, is_after=False), 2)),
        ("largest drift after", percent(largest_drift(decision, is_after=True), 2)),
    ]
