"""The demo's page: one turn of an invented household, told from drift to tax log."""

from collections.abc import Sequence

from trimtab.apps.run import Outcome
from trimtab.apps.views.drift import drift_blocks
from trimtab.apps.views.page import Block, Heading, Sentence, item
from trimtab.apps.views.plan import Known
from trimtab.apps.views.run import outcome_blocks
from trimtab.apps.views.tax import NOTES
from trimtab.domain.history import LotSale

_NEXT = (
    ("trimtab status", "how the household stands after the trades"),
    ("trimtab explain", "the decision, in full sentences"),
    ("trimtab tax log", "what was realized, lot by lot"),
    ("trimtab paper deposit joint 25000", "pay play money in, then"),
    ("trimtab plan", "see where it would go"),
)


def demo_page(
    outcome: Outcome, known: Known, realized: Sequence[LotSale], folder: str
) -> list[Block]:
    """The banner, the drift, the turn, and what to type next."""
    blocks: list[Block] = [
        Sentence(
            "The market is INVENTED: every price here comes out of a seed, and nothing is sent "
            "anywhere.",
            "warn",
        )
    ]
    if outcome.decision is not None and outcome.decision.plan is not None:
        blocks += [
            Heading("1. How far has it drifted?"),
            *drift_blocks(outcome.decision.drifts, known.currency),
            Heading("2. What is done about it?"),
        ]
    blocks += outcome_blocks(outcome, known, realized)
    blocks += [item(note, "quiet") for note in NOTES if realized]
    if outcome.executions and not outcome.discrepancies:
        blocks.append(Sentence("Verified: journal and paper broker agree to the cent.", "good"))
    width = max(len(command) for command, _ in _NEXT)
    blocks += [Heading("What to type next"), Sentence(f"cd {folder}", indent=2)]
    blocks += [Sentence(f"{command.ljust(width)}   {why}", indent=2) for command, why in _NEXT]
    return blocks
