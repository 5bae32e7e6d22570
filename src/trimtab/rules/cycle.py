"""decide(): the stages in order, nothing else. The same call serves live, paper and replay."""

import datetime as dt

from msgspec.structs import replace

from trimtab.domain.memory import BandMemory, Memory
from trimtab.domain.numbers import CENT, Money, round_up_to_step
from trimtab.domain.policy import Policy, TaxRule
from trimtab.domain.trades import (
    BandState,
    BandTransition,
    Decision,
    Drift,
    Held,
    Plan,
    Refusal,
    Trade,
)
from trimtab.domain.values import AccountKind, Snapshot, trade_date
from trimtab.rules import gates
from trimtab.rules.breaker import unit_value
from trimtab.rules.drift import advance, finish, least_deposit, measure
from trimtab.rules.holdings import Holdings, bands_of, cash_class, holdings, targets_of
from trimtab.rules.plan import Planning, apply_trades, describe, make_plan, plan_id
from trimtab.rules.tax.wash import purchase_locks
from trimtab.rules.words import listing, money, percent, points


def decide(
    snapshot: Snapshot, policy: Policy, memory: Memory, tax: TaxRule, *, cycle: str
) -> Decision:
    """What to do about the household of *snapshot*, given its *policy* and its past.

    *cycle* names the turn and enters the plan's id. Nothing here reads a clock, a file or chance.
    """
    held = holdings(snapshot, policy)
    is_defensive = memory.breaker is not None
    targets = targets_of(policy, is_defensive=is_defensive)
    bands = bands_of(policy)
    looked = _looks(memory, policy, snapshot.at)
    measured = measure(held.values, held.total, targets, bands)
    suspects = gates.suspects(snapshot, policy)
    drifts, transitions = advance(measured, memory.bands, bands, snapshot.at, looks=looked)
    if suspects:
        drifts, transitions = _unmoved(measured, memory), ()
    planning = Planning(
        policy=policy,
        tax=tax,
        targets=targets,
        destination=next(iter(bands.values())).destination,
        drifts=drifts,
        wash_locks=purchase_locks(
            memory.disposals, trade_date(snapshot.at), tax.identical, snapshot.instruments
        ),
        closed=_closed(memory),
        is_defensive=is_defensive,
    )
    trades, refusals = make_plan(snapshot, planning)
    if not trades and not suspects:
        drifts, ended = finish(drifts, bands)
        transitions = _joined(transitions, ended)
    plan = _plan(snapshot, policy, memory, trades, drifts, cycle=cycle)
    evidence = gates.check(
        gates.Gating(
            trades=trades,
            snapshot=snapshot,
            policy=policy,
            memory=memory,
            value=held.total,
            unit=unit_value(memory.mark, snapshot.value(), memory.pending_flow),
            suspects=suspects,
            is_defensive=is_defensive,
        )
    )
    stopped = gates.held_by(evidence)
    going = gates.allowed(trades, stopped)
    deposit = least_deposit(drifts, held.total)
    refusals = (*refusals, *_standing_notes(snapshot, policy, held))
    return Decision(
        at=snapshot.at,
        value=snapshot.value(),
        drifts=drifts,
        transitions=transitions,
        plan=plan,
        allowed=going,
        evidence=evidence,
        held=stopped,
        refusals=refusals,
        least_deposit=None if deposit is None else round_up_to_step(deposit[1], CENT),
        sentence=_sentence(plan, going, stopped, drifts, deposit, snapshot.base_currency),
        looked=looked,
    )


def _unmoved(drifts: tuple[Drift, ...], memory: Memory) -> tuple[Drift, ...]:
    """*drifts* in the states that they had: suspect data begins no episode and ends none."""
    return tuple(
        replace(drift, state=memory.bands.get(drift.asset_class, BandMemory()).state)
        for drift in drifts
    )


def _looks(memory: Memory, policy: Policy, at: dt.datetime) -> bool:
    """Whether a new episode may begin now: the policy's interval since the last look is over."""
    every = next(iter(bands_of(policy).values())).look_every_days
    if memory.last_look is None or every <= 1:
        return True
    return (trade_date(at) - trade_date(memory.last_look)).days >= every


def _closed(memory: Memory) -> dict[str, str]:
    """Accounts that may not be planned with, and why."""
    closed = {account: found[0].sentence for account, found in memory.discrepancies.items()}
    for known in memory.open_orders():
        closed.setdefault(known.order.account, "an earlier order there is not settled yet")
    return closed


def _joined(
    first: tuple[BandTransition, ...], second: tuple[BandTransition, ...]
) -> tuple[BandTransition, ...]:
    """Transitions of one look: the last one of each class, none for a class back where it began."""
    joined = {change.asset_class: change for change in first}
    for change in second:
        before = joined.get(change.asset_class)
        joined[change.asset_class] = change
        if before is not None and before.before is change.after:
            del joined[change.asset_class]
    return tuple(joined.values())


def _plan(
    snapshot: Snapshot,
    policy: Policy,
    memory: Memory,
    trades: tuple[Trade, ...],
    drifts: tuple[Drift, ...],
    *,
    cycle: str,
) -> Plan | None:
    if not trades:
        return None
    later = holdings(apply_trades(snapshot, trades), policy)
    targets = {drift.asset_class: drift.target for drift in drifts}
    after = measure(later.values, later.total, targets, bands_of(policy))
    plan = Plan(
        id=plan_id(memory.name, cycle, trades),
        at=snapshot.at,
        trades=trades,
        before=drifts,
        after=after,
        sentence="",
    )
    return replace(plan, sentence=describe(plan, snapshot.base_currency))


def _standing_notes(snapshot: Snapshot, policy: Policy, held: Holdings) -> tuple[Refusal, ...]:
    """What no trade can mend: a reserve that is not filled, dollars that sit in a wallet."""
    currency = snapshot.base_currency
    notes = [
        Refusal(
            asset_class="",
            account=account,
            sentence=(
                f"{account} lacks {money(lacking, currency)} of the "
                f"{money(held.reserves[account], currency)} that stay in cash there: no cash of it "
                f"is invested; a deposit would fill it."
            ),
        )
        for account, lacking in held.short.items()
    ]
    if cash_class(policy, currency) is None:
        notes += [
            Refusal(
                asset_class="",
                account=account,
                sentence=(
                    f"{account} holds {money(idle, currency)} that can buy nothing but coins: "
                    f"the targets do not count it until you move it to another account."
                ),
            )
            for account, idle in held.free.items()
            if snapshot.accounts[account].kind is AccountKind.CRYPTO
            and idle >= policy.orders.invest_cash_from
        ]
    return tuple(notes)


def _sentence(
    plan: Plan | None,
    going: tuple[Trade, ...],
    stopped: tuple[Held, ...],
    drifts: tuple[Drift, ...],
    deposit: tuple[str, Money] | None,
    currency: str,
) -> str:
    if plan is None:
        stopping = [refusal.sentence for refusal in stopped]
        return " ".join([*stopping, _nothing_to_do(drifts, deposit, currency)])
    if len(going) == len(plan.trades):
        return plan.sentence
    reasons = list(dict.fromkeys(refusal.sentence for refusal in stopped))
    shown = " ".join(reasons[:3])
    more = f" (and {len(reasons) - 3} more reasons)" if len(reasons) > 3 else ""  # noqa: PLR2004  three fit a line
    count = f"{len(plan.trades) - len(going)} of {len(plan.trades)}"
    return f"{plan.sentence} Held: {count} trades. {shown}{more}"


def _nothing_to_do(
    drifts: tuple[Drift, ...], deposit: tuple[str, Money] | None, currency: str
) -> str:
    out = [drift.asset_class for drift in drifts if drift.is_breached]
    waits = [drift for drift in drifts if drift.state is not BandState.ARMED]
    if out or waits:
        names = listing(sorted({*out, *(drift.asset_class for drift in waits)}))
        text = f"Nothing can be done now about {names}."
    else:
        text = "Inside the bands: nothing to do."
    distances = [
        f"{drift.asset_class} {percent(drift.weight)} is {points(abs(drift.to_trigger))} "
        f"{'beyond' if drift.to_trigger < 0 else 'from'} its trigger"
        for drift in drifts
    ]
    text += f" {'; '.join(distances)}."
    if deposit is not None:
        amount = money(round_up_to_step(deposit[1], CENT), currency)
        text += (
            f" A deposit of {amount} would bring {deposit[0]} back to its target without a sale."
        )
    return text
