"""Looks at a household that is not: other money, other prices, other lot relief. Nothing is kept.

Each look decides anew on a changed copy of what today's turn decided on, from the same memory.
"""

from collections.abc import Iterable, Mapping
from itertools import takewhile
from typing import NamedTuple

from msgspec.structs import replace

from trimtab.apps.assumptions import Assumptions, Supposed, moved
from trimtab.apps.outlook import outlook_of
from trimtab.apps.run import Outcome, policy_in_force
from trimtab.apps.world import House
from trimtab.domain.errors import DataSuspect
from trimtab.domain.events import Decided, Entry
from trimtab.domain.facts import Facts, facts_of
from trimtab.domain.memory import Memory, remember
from trimtab.domain.numbers import ZERO, Money
from trimtab.domain.trades import BandState, Decision
from trimtab.domain.values import Account, Lot, Relief, Snapshot
from trimtab.rules.cycle import decide
from trimtab.rules.holdings import holdings
from trimtab.rules.look import due_of, leaving_of, look_at, prepare, withdrawals_of
from trimtab.rules.plan.alternatives import Explanation, explain
from trimtab.rules.plan.apply import holdings_after
from trimtab.rules.plan.undone import lacking_of
from trimtab.rules.side_fund import with_waiting


class Look(NamedTuple):
    """A decision and what it was made from; `lacking` is due cash that it could not raise."""

    snapshot: Snapshot
    memory: Memory
    facts: Facts
    decision: Decision
    lacking: Money = ZERO

    @property
    def objective(self) -> Money | None:
        """What the plan costs in all; None where no certificate tells."""
        plan = self.decision.plan
        if plan is None or plan.certificate is None:
            return None
        return plan.certificate.plan.total


class Switch(NamedTuple):
    """One account under another relief, the others as they are.

    `tax` and `worth` are what that would save now: in tax, and in all where that is known.
    """

    account: str
    now: Relief
    to: Relief
    tax: Money
    worth: Money | None


class Comparison(NamedTuple):
    """A household as it is, with every taxed account under one relief, and account by account."""

    as_it_is: Look
    reliefs: Mapping[Relief, Look]
    switches: tuple[Switch, ...]

    @property
    def accounts(self) -> list[Account]:
        """The accounts whose relief matters: those whose sales are taxed."""
        return _taxed(self.as_it_is.snapshot)


def today(house: House, outcome: Outcome) -> Look:
    """What *outcome*, the turn that *house* took last, decided.

    Raises:
        DataSuspect: nothing was decided, because a price or a position cannot be trusted.
    """
    if outcome.decision is None or outcome.snapshot is None:
        raise DataSuspect(outcome.sentence)
    memory = _before(house.journal.entries(), outcome.cycle)
    return _told(Look(outcome.snapshot, memory, facts_of(house.file), outcome.decision))


def explained(house: House, look: Look) -> tuple[Mapping[str, Lot], Explanation | None]:
    """The lots that the trades of *look* name, and its plan beside its alternatives.

    Without a plan there are only the lots that are worth waiting for, where something should be
    sold: a class under correction, or cash that is due.
    """
    snapshot, memory, facts, decision, _ = look
    policy = policy_in_force(memory)
    due = due_of(snapshot, policy, memory, facts)
    is_called_for = any(drift.state is BandState.CORRECTING for drift in decision.drifts)
    if decision.plan is None and not due and not is_called_for:
        return {}, None
    begun = look_at(
        snapshot,
        policy,
        memory,
        outlook_of(house, policy, snapshot.at, memory.proposed),
        due=due,
        leaving=leaving_of(snapshot, policy, memory, facts),
    )
    prepared, planning = prepare(snapshot, policy, memory, facts, house.statutes, begun)
    lots = {lot.id: lot for lot in prepared.lots}
    trades = () if decision.plan is None else decision.plan.trades
    return lots, explain(prepared, planning, trades)


def what_if(house: House, look: Look, assumptions: Assumptions) -> Look:
    """*look* once more, as if *assumptions* were so.

    Raises:
        FileFaults: something is assumed that the household cannot have, each with its reason.
    """
    before = Supposed(look.snapshot, look.memory, look.facts)
    return _decided(house, *moved(before, assumptions))


def compare_relief(house: House, look: Look) -> Comparison:
    """*look* with the lots of every taxed account booked in each way that a broker may."""
    accounts = _taxed(look.snapshot)
    reliefs = {
        relief: _booked(house, look, {account.id: relief for account in accounts})
        for relief in Relief
    }
    switches = [
        _switch(look, account, relief, reliefs[relief])
        if len(accounts) == 1
        else _switch(look, account, relief, _booked(house, look, {account.id: relief}))
        for account in accounts
        for relief in Relief
        if relief is not account.relief
    ]
    return Comparison(look, reliefs, tuple(switches))


def planned_tax(decision: Decision) -> Money:
    """What a decision's plan adds to the year's tax; negative where it saves."""
    return ZERO if decision.plan is None else decision.plan.tax


def _booked(house: House, look: Look, reliefs: Mapping[str, Relief]) -> Look:
    """*look* with *reliefs* in the place of those that the accounts have."""
    accounts = {
        name: replace(account, relief=reliefs.get(name, account.relief))
        for name, account in look.snapshot.accounts.items()
    }
    if accounts == look.snapshot.accounts:
        return look
    return _decided(house, replace(look.snapshot, accounts=accounts), look.memory, look.facts)


def _switch(look: Look, account: Account, relief: Relief, other: Look) -> Switch:
    now, then = look.objective, other.objective
    return Switch(
        account=account.id,
        now=account.relief,
        to=relief,
        tax=planned_tax(look.decision) - planned_tax(other.decision),
        worth=None if now is None or then is None else now - then,
    )


def _decided(house: House, snapshot: Snapshot, memory: Memory, facts: Facts) -> Look:
    policy = policy_in_force(memory)
    snapshot = with_waiting(snapshot, policy, memory, facts)
    outlook = outlook_of(house, policy, snapshot.at, memory.proposed)
    decision = decide(
        snapshot, policy, memory, facts, house.statutes, cycle="hypothetical", outlook=outlook
    )
    return _told(Look(snapshot, memory, facts, decision))


def _told(look: Look) -> Look:
    """*look* with the cash that is due and that its plan does not raise."""
    snapshot, policy, plan = look.snapshot, policy_in_force(look.memory), look.decision.plan
    due = withdrawals_of(snapshot, policy, look.memory, look.facts)
    if not due:
        return look
    trades = () if plan is None else plan.trades
    after = holdings_after(snapshot, policy, holdings(snapshot, policy), trades)
    return look._replace(lacking=sum(lacking_of(due, after).values(), ZERO))


def _before(entries: Iterable[Entry], cycle: str) -> Memory:
    """The journal until *cycle* decided."""
    seen = takewhile(
        lambda entry: not (entry.cycle == cycle and isinstance(entry.event, Decided)), entries
    )
    return remember(Memory(), list(seen))


def _taxed(snapshot: Snapshot) -> list[Account]:
    """The accounts whose sales are taxed."""
    return [account for account in snapshot.accounts.values() if account.kind.is_taxed]
