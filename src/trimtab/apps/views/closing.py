"""The last lines of a command: whether anything was sent, and what to type next."""

from trimtab.apps.run import Outcome
from trimtab.apps.views.figures import counted, typed
from trimtab.apps.views.page import Block, Sentence
from trimtab.domain.trades import BandState


def after_plan(outcome: Outcome, folder: str, *, is_invented: bool) -> list[Block]:
    """What `plan` ends with."""
    market = " The market of this household is invented." if is_invented else ""
    text = f"Nothing was sent and nothing was written.{market} {_next(outcome, folder)}"
    return [Sentence(text, "strong")]


def after_run(outcome: Outcome, folder: str, *, executes: bool) -> list[Block]:
    """What `run` ends with."""
    if not executes:
        text = f"Nothing was sent; the look is in the journal. {_next(outcome, folder)}"
        return [Sentence(text, "strong")]
    if outcome.discrepancies:
        text = f"{typed('verify', folder)} compares again; `--adopt` takes the broker's word."
    elif outcome.status == "not-executed":
        text = (
            f"Nothing was filled; the notes say why. {typed('run --execute', folder)} tries again."
        )
    elif outcome.executions:
        text = (
            "Journal and brokers agree after the trades. What was realized: "
            f"{typed('tax log', folder)}."
        )
    else:
        text = f"No order was sent. {_held(outcome, folder)}"
    return [Sentence(text.strip(), "strong")]


def _next(outcome: Outcome, folder: str) -> str:
    decision = outcome.decision
    if decision is None or decision.plan is None:
        return _held(outcome, folder)
    if not decision.allowed:
        return f"Every trade is held: look again with {typed('plan', folder)} when the gates allow."
    count, total = len(decision.allowed), len(decision.plan.trades)
    what = "To trade it" if count == total else f"To trade the {counted(count, 'trade')} allowed"
    return f"{what}: {typed('run --execute', folder)}."


def _held(outcome: Outcome, folder: str) -> str:
    if outcome.decision is None:
        return f"Mend the prices, then {typed('plan', folder)}."
    if outcome.decision.plan is not None and not outcome.decision.allowed:
        return f"Every trade is held: look again with {typed('plan', folder)} when the gates allow."
    watch = typed("watch --execute", folder)
    if any(drift.state is BandState.CORRECTING for drift in outcome.decision.drifts):
        return f"Until something changes, {watch} keeps looking."
    return f"There is nothing to do; {watch} keeps looking."
