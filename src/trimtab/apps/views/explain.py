"""The last decision in full sentences, or all that the journal says about one thing."""

from collections.abc import Mapping, Sequence

from trimtab.apps.views.documents import ExplainDocument, ToldDocument
from trimtab.apps.views.figures import typed
from trimtab.apps.views.page import Block, Heading, Sentence, item
from trimtab.apps.views.telling import Told, context_of, decision_facts
from trimtab.domain.memory import Memory
from trimtab.domain.trades import Decision, Evidence
from trimtab.rules.words import instant, units


def no_decision(folder: str) -> list[Block]:
    """What is said before the first turn."""
    return [
        Sentence(
            f"There is no decision yet: {typed('plan', folder)} shows what the first would be, and "
            f"{typed('run', folder)} takes it into the journal."
        )
    ]


def decision_page(decision: Decision, classes: Mapping[str, str], currency: str) -> list[Block]:
    """One decision, whole."""
    facts = list(decision_facts(decision, context_of(classes, currency)))
    blocks: list[Block] = [
        Sentence(facts[0].sentence, "strong"),
        Heading(f"What was seen and wanted, {instant(decision.at)}"),
        *(item(fact.sentence) for fact in facts[1:]),
        Heading("What each gate said"),
        *(
            item(f"{found.gate}: {found.sentence}", "" if found.passed else "bad")
            for found in _distinct(decision)
        ),
    ]
    if not decision.evidence:
        blocks.append(item("No gate was asked."))
    return blocks


def outcome_page(memory: Memory) -> list[Block]:
    """What became of the last decision."""
    plan = None if memory.decision is None else memory.decision.plan
    plan_id = None if plan is None else plan.id
    orders = [known for known in memory.orders.values() if known.order.plan_id == plan_id]
    blocks: list[Block] = [Heading("What became of it")]
    for known in orders:
        order = known.order
        done = f"{known.status}, {units(known.filled)} of {units(order.quantity)} {order.symbol}"
        blocks.append(item(f"{order.side} in {order.account} ({order.id}): {done}."))
    if not orders:
        blocks.append(item("No order was sent."))
    blocks.append(item(f"The turn ended: {memory.last_sentence}"))
    return blocks


def about_page(kind: str, name: str, told: Sequence[Told]) -> list[Block]:
    """All about one thing, oldest first, under the instant of each entry."""
    blocks: list[Block] = [
        Sentence(f"What the journal says about the {kind} {name}, oldest first.", "strong")
    ]
    if not told:
        return [Sentence(f"The journal says nothing about the {kind} {name} yet.")]
    before = None
    for one in told:
        if before is None or (one.cycle, one.at.date()) != (before.cycle, before.at.date()):
            blocks.append(Heading(f"{instant(one.at)}, turn {one.cycle}"))
        blocks.append(item(one.fact.sentence))
        before = one
    return blocks


def explain_document(
    household: str, kind: str, subject: str | None, told: Sequence[Told]
) -> ExplainDocument:
    """What `explain --json` prints."""
    return ExplainDocument(
        household=household,
        kind=kind,
        subject=subject,
        sentences=tuple(
            ToldDocument(
                sequence=one.sequence, at=one.at, cycle=one.cycle, sentence=one.fact.sentence
            )
            for one in told
        ),
    )


def _distinct(decision: Decision) -> tuple[Evidence, ...]:
    """What the gates said, each sentence once."""
    return tuple({(found.gate, found.sentence): found for found in decision.evidence}.values())
