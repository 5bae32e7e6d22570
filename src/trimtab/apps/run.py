"""run_once(): settle, ingest, decide, record, execute, verify. The shell writes, then acts."""

import datetime as dt
from typing import NamedTuple

from msgspec.structs import replace

from trimtab.apps.execute import Execution, execute, settle
from trimtab.apps.fold import Fold
from trimtab.apps.outlook import outlook_of, strategies_of
from trimtab.apps.world import House, Recorder, load, open_books, take_in, take_snapshot, verify
from trimtab.domain.errors import DataSuspect
from trimtab.domain.events import (
    BandsMoved,
    BreakerTripped,
    ContributionMet,
    CycleEnded,
    CycleStarted,
    Decided,
    Event,
    Paused,
    ValueMarked,
)
from trimtab.domain.facts import facts_of
from trimtab.domain.memory import Memory
from trimtab.domain.policy import Policy
from trimtab.domain.trades import Decision, Discrepancy
from trimtab.domain.values import Snapshot, trade_date
from trimtab.rules.breaker import unit_value
from trimtab.rules.cycle import decide
from trimtab.rules.path_periods import ended
from trimtab.rules.precommitment import review
from trimtab.rules.side_fund import met, order_least, standings

_POSITIONS_IN_DOUBT = frozenset(
    {"position-differs", "position-missing", "position-unexpected", "broker-silent"}
)
"""Discrepancies after which nobody knows what the household holds."""


class Outcome(NamedTuple):
    """What one cycle came to. `status` is one of the words documented for `trimtab run --json`.

    `snapshot` is what was decided on, None where nothing was.
    """

    cycle: str
    status: str
    sentence: str
    decision: Decision | None
    memory: Memory
    executions: tuple[Execution, ...]
    discrepancies: tuple[Discrepancy, ...]
    snapshot: Snapshot | None = None


def run_once(
    house: House,
    *,
    executes: bool,
    next_look: dt.datetime | None = None,
    fold: Fold | None = None,
) -> Outcome:
    """One turn of the household, from what is known to what is proven.

    With *executes* false everything is done but no order is sent. The journal is read from its
    first entry, or from where *fold* has read it.

    Raises:
        JournalError: nothing more was sent after it.
        BrokerUnknown: a broker gave no word about its accounts, so nothing was decided.
        StrategyFault: the first policy names a strategy that is not there.
    """
    memory = load(house.journal) if fold is None else fold.read(house.journal)
    if memory.policy is None:
        strategies_of(house.file.policy())  # before the first policy binds, all of it must be there
    number = memory.cycles + 1
    recorder = Recorder(
        house.journal, house.clock, memory, f"{trade_date(house.clock.now())}-{number}"
    )
    recorder.record(CycleStarted(number=number, executes=executes))
    flag = house.flagged()
    if flag is not None and recorder.memory.paused is None:
        recorder.record(Paused(because=flag))
    open_books(house, recorder)
    recorder.record(*review(recorder.memory, house.file.policy(), house.clock.now()))
    house.says("settling earlier orders")
    settle(house, recorder)
    house.says("reading accounts")
    take_in(house, recorder)
    found = verify(house, recorder)
    try:
        _require_known_positions(recorder.memory)
        house.says("reading prices")
        snapshot = take_snapshot(house, recorder.memory)
    except DataSuspect as error:
        recorder.record(CycleEnded(outcome="held", sentence=str(error), next_look=next_look))
        return Outcome(recorder.cycle, "held", str(error), None, recorder.memory, (), found)
    decision = _decide(house, recorder, snapshot)
    executions: tuple[Execution, ...] = ()
    if executes and decision.allowed:
        house.says("trading")
        executions = execute(house, recorder, snapshot, decision)
        found = verify(house, recorder)
        _end_episodes(house, recorder)
    if executes:
        _meet_obligations(house, recorder, snapshot, decision)
    status = _status(decision, executions, executes=executes)
    sentence = _closing_sentence(decision, executions, found)
    recorder.record(CycleEnded(outcome=status, sentence=sentence, next_look=next_look))
    return Outcome(
        recorder.cycle, status, sentence, decision, recorder.memory, executions, found, snapshot
    )


def policy_in_force(memory: Memory) -> Policy:
    """The policy that the journal holds; there is one from the first cycle on."""
    assert memory.policy is not None, "the first cycle adopts a policy"
    return memory.policy


def _require_known_positions(memory: Memory) -> None:
    """Refuse to decide while nobody knows what is held, be it in one account only.

    A drift is measured over the whole household: what an unanswered order may have sold in one
    account would be sold once more in another, and a split that the journal has not heard of
    would look like a crash.

    Raises:
        DataSuspect: an order is not settled yet, or positions differ from a broker's.
    """
    for known in memory.open_orders():
        raise DataSuspect(
            f"An earlier order to {known.order.side} {known.order.symbol} in {known.order.account} "
            f"is not settled yet ({known.status}): nothing is decided until its broker has said "
            "what became of it, for a quarter of an hour at most."
        )
    require_agreement(memory)


def require_agreement(memory: Memory) -> None:
    """Refuse to decide while a broker's positions differ from the journal's.

    Raises:
        DataSuspect: they do, or the broker gave no word.
    """
    for found in memory.discrepancies.values():
        for discrepancy in found:
            if discrepancy.kind in _POSITIONS_IN_DOUBT:
                raise DataSuspect(
                    f"{discrepancy.sentence} Nothing is decided until they agree: look at what "
                    "happened there if it lasts."
                )


def _decide(house: House, recorder: Recorder, snapshot: Snapshot) -> Decision:
    """Decide and write down: the decision, the day's mark, and the breaker if it trips."""
    memory = recorder.memory
    policy = policy_in_force(memory)
    facts = facts_of(house.file)
    outlook = outlook_of(house, policy, snapshot.at, memory.proposed)
    decision = decide(
        snapshot, policy, memory, facts, house.statutes, cycle=recorder.cycle, outlook=outlook
    )
    events: list[Event] = [Decided(decision=decision)]
    refused = {refusal.gate: refusal.sentence for refusal in decision.held}
    if "data" not in refused:
        events.append(
            ValueMarked(
                session=trade_date(snapshot.at),
                value=decision.value,
                flow=memory.pending_flow,
                unit_value=unit_value(memory.mark, decision.value, memory.pending_flow),
            )
        )
    if "breaker" in refused:
        events.append(BreakerTripped(rule="breaker", sentence=_fall(refused["breaker"])))
    recorder.record(*events)
    return decision


def _fall(refusal: str) -> str:
    """What fell, without the gate's name and the full stop: whoever tells it has its own."""
    return refusal.removeprefix("Circuit breaker: ").removesuffix(".")


def _end_episodes(house: House, recorder: Recorder) -> None:
    """Look again after the trades: an episode ends when nothing is left to trade."""
    try:
        _require_known_positions(recorder.memory)
        snapshot = take_snapshot(house, recorder.memory)
    except DataSuspect:
        return
    memory = recorder.memory
    policy, facts = policy_in_force(memory), facts_of(house.file)
    outlook = outlook_of(house, policy, snapshot.at, memory.proposed)
    after = decide(
        snapshot, policy, memory, facts, house.statutes, cycle=recorder.cycle, outlook=outlook
    )
    ended = tuple(change for change in after.transitions if not change.alert)
    if ended:
        recorder.record(BandsMoved(transitions=ended))


def _meet_obligations(
    house: House, recorder: Recorder, snapshot: Snapshot, decision: Decision
) -> None:
    """Write down what [[averaging]] asked for and is over, as far as prices can be believed."""
    facts = facts_of(house.file)
    if not facts.averaging or any(refusal.gate == "data" for refusal in decision.held):
        return
    memory = recorder.memory
    policy = policy_in_force(memory)
    now = replace(snapshot, lots=tuple(memory.lots.values()))
    found = standings(now, policy, memory, facts)
    over = ended(snapshot, policy, memory, facts) + met(found, order_least(policy))
    events = [ContributionMet(account=name, contribution=past) for name, past in over]
    if events:
        recorder.record(*events)


def _status(decision: Decision, executions: tuple[Execution, ...], *, executes: bool) -> str:
    if decision.plan is None:
        return "held" if decision.held else "nothing-to-do"
    if not decision.allowed:
        return "held"
    if not executes:
        return "planned"
    if not any(execution.filled for execution in executions):
        return "not-executed"
    is_whole = len(executions) == len(decision.plan.trades) and all(e.is_whole for e in executions)
    return "executed" if is_whole else "partly-executed"


def _closing_sentence(
    decision: Decision, executions: tuple[Execution, ...], found: tuple[Discrepancy, ...]
) -> str:
    parts = [decision.sentence, *(decision.aim.faults if decision.aim else ())]
    if executions:
        whole = sum(1 for execution in executions if execution.is_whole)
        parts.append(f"{whole} of {len(executions)} orders were filled whole.")
    if found:
        parts.append(f"{len(found)} discrepancy(ies): {found[0].sentence}")
    return " ".join(parts)
