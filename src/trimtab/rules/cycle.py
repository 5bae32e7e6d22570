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
from trimtab.rules.tax.books import as_instructed, books_at, tax_lots
from trimtab.rules.tax.locks import purchase_locks, recent_purchases
from trimtab.rules.tax.schedule import coming
from trimtab.rules.words import listing, money, percent, points


def decide(
    snapshot: Snapshot, policy: Policy, memory: Memory, tax: TaxRule, *, cycle: str
) -> Decision:
    """What to do about the household of *snapshot*, given its *policy* and its past.

    *cycle* names the turn and enters the plan's id. Nothing here reads a clock, a file or chance.
    """
    ledger = books_at(snapshot, memory, tax)
    today = trade_date(snapshot.at)
    snapshot = replace(
        snapshot,
        lots=tax_lots(snapshot.lots, ledger),
        scheduled=coming(ledger, snapshot.scheduled, today),
    )
    held = holdings(snapshot, policy)
    is_defensive = memory.breaker is not None
    targets = targets_of(policy, is_defensive=is_defensive)
    bands = bands_of(policy)
    suspects = gates.suspects(snapshot, policy)
    next_look = _next_look(memory, policy)
    taxpayers = {name: account.taxpayer for name, account in ledger.accounts.items()}
    looked = not suspects and (next_look is None or today >= next_look)
    measured = measure(held.values, held.total, targets, bands)
    drifts, transitions = advance(measured, memory.bands, bands, snapshot.at, looks=looked)
    if suspects:
        drifts, transitions = _unmoved(measured, memory), ()
    planning = Planning(
        policy=policy,
        tax=tax,
        targets=targets,
        destination=next(iter(bands.values())).destination,
        drifts=drifts,
        wash=ledger.rule,
        taxpayers=taxpayers,
        wash_locks={
            (taxpayer, symbol): lock
            for taxpayer in sorted(set(taxpayers.values()))
            for symbol, lock in purchase_locks(
                ledger, today, snapshot.instruments, taxpayer
            ).items()
        },
        recent={
            (taxpayer, symbol): bought
            for taxpayer in sorted(set(taxpayers.values()))
            for symbol, bought in recent_purchases(
                ledger, today, snapshot.instruments, memory.disposals, taxpayer
            ).items()
        },
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
    deposit = None if suspects else least_deposit(drifts, held.total)
    if suspects:
        quiet = ""
    else:
        waits_until = None if looked else next_look
        quiet = _nothing_to_do(drifts, deposit, waits_until, snapshot.base_currency)
    refusals = (*refusals, *_standing_notes(snapshot, policy, held))
    lots = {lot.id: lot for lot in snapshot.lots}
    told = {trade: as_instructed(trade, lots) for trade in trades}
    return Decision(
        at=snapshot.at,
        value=snapshot.value(),
        drifts=drifts,
        transitions=transitions,
        plan=None if plan is None else replace(plan, trades=tuple(told[t] for t in plan.trades)),
        allowed=tuple(told[trade] for trade in going),
        evidence=evidence,
        held=stopped,
        refusals=refusals,
        least_deposit=None if deposit is None else round_up_to_step(deposit[1], CENT),
        sentence=_sentence(plan, going, stopped, quiet),
        looked=looked,
    )


def _unmoved(drifts: tuple[Drift, ...], memory: Memory) -> tuple[Drift, ...]:
    """*drifts* in the states that they had: suspect data begins no episode and ends none."""
    return tuple(
        replace(drift, state=memory.bands.get(drift.asset_class, BandMemory()).state)
        for drift in drifts
    )


def _next_look(memory: Memory, policy: Policy) -> dt.date | None:
    """From when a new episode may begin, the policy's interval being over; None for at once."""
    every = next(iter(bands_of(policy).values())).look_every_days
    if memory.last_look is None or every <= 1:
        return None
    return trade_date(memory.last_look) + dt.timedelta(days=every)


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
                f"{account} {_lacks(lacking, held.reserves[account], currency)}: no cash of it is "
                f"invested; a deposit would fill it."
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


def _lacks(lacking: Money, reserve: Money, currency: str) -> str:
    """What an account's cash is short of; an overdraft is a debt, not a reserve to be filled."""
    if lacking <= reserve:
        kept = money(reserve, currency)
        return f"lacks {money(lacking, currency)} of the {kept} that stay in cash there"
    debt = f"is overdrawn by {money(lacking - reserve, currency)}"
    return f"{debt} and should keep {money(reserve, currency)} in cash" if reserve else debt


def _sentence(
    plan: Plan | None, going: tuple[Trade, ...], stopped: tuple[Held, ...], quiet: str
) -> str:
    """The plan and what holds it, or, where nothing is planned, *quiet*."""
    if plan is None:
        stopping = [refusal.sentence for refusal in stopped]
        return " ".join([*stopping, quiet]).rstrip()
    if len(going) == len(plan.trades):
        return plan.sentence
    reasons = list(dict.fromkeys(refusal.sentence for refusal in stopped))
    shown = " ".join(reasons[:3])
    more = f" (and {len(reasons) - 3} more reasons)" if len(reasons) > 3 else ""  # noqa: PLR2004  three fit a line
    count = f"{len(plan.trades) - len(going)} of {len(plan.trades)}"
    return f"{plan.sentence} Held: {count} trades. {shown}{more}"


def _nothing_to_do(
    drifts: tuple[Drift, ...],
    deposit: tuple[str, Money] | None,
    waits_until: dt.date | None,
    currency: str,
) -> str:
    """Where the household stands; *waits_until* is when the policy looks again, if not today."""
    open_now = {d.asset_class for d in drifts if d.state is not BandState.ARMED}
    out = {d.asset_class for d in drifts if d.is_breached} - open_now
    texts = []
    if out and waits_until is not None:
        texts.append(
            f"{listing(sorted(out))} {'is' if len(out) == 1 else 'are'} out of the band: the "
            f"policy looks again on {waits_until}."
        )
    else:
        open_now |= out
    if open_now:
        texts.append(f"Nothing can be done now about {listing(sorted(open_now))}.")
    text = " ".join(texts) or "Inside the bands: nothing to do."
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
