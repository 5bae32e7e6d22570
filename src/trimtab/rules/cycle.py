"""decide(): the stages in order, nothing else. The same call serves live, paper and replay."""

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple

from msgspec.structs import replace

from trimtab.domain.facts import Facts
from trimtab.domain.law import Statutes
from trimtab.domain.memory import Memory
from trimtab.domain.numbers import ZERO, Money
from trimtab.domain.policy import Policy
from trimtab.domain.trades import (
    BandState,
    BandTransition,
    Decision,
    Drift,
    Held,
    Plan,
    Refusal,
    Side,
    Trade,
)
from trimtab.domain.values import AccountKind, Snapshot
from trimtab.rules import gates
from trimtab.rules.breaker import unit_value
from trimtab.rules.deposits import NO_DEPOSITS, Deposits, deposits_of, paid_in
from trimtab.rules.drift import finish
from trimtab.rules.holdings import Holdings, cash_class, holdings
from trimtab.rules.look import (
    Look,
    closed_accounts,
    coming_of,
    contributions_of,
    drifts_of,
    due_of,
    late_withdrawals,
    leaving_of,
    look_at,
    prepare,
)
from trimtab.rules.plan import Planned, apply_trades, describe, make_plan, may_plan, plan_id
from trimtab.rules.plan.planning import divided_accounts, set_aside
from trimtab.rules.purchases import Means, purchases_of
from trimtab.rules.targets.aim import NO_OUTLOOK, Outlook
from trimtab.rules.tax.books import as_instructed
from trimtab.rules.words import listing, money, percent, points


def decide(  # noqa: PLR0913  all that a decision may know, each a value of its own
    snapshot: Snapshot,
    policy: Policy,
    memory: Memory,
    facts: Facts,
    statutes: Statutes,
    *,
    cycle: str,
    outlook: Outlook = NO_OUTLOOK,
) -> Decision:
    """What to do about the household of *snapshot*, given its *policy*, its past and the law.

    *cycle* names the turn and enters the plan's id; *outlook* is what strategies see, where there
    are some. Nothing here reads a clock, a file or chance.
    A household in which nothing can call for a plan is decided without its tax ledger.
    """
    turn = _turn(snapshot, policy, memory, facts, statutes, outlook)
    look, planned, drifts, trades = turn.look, turn.planned, turn.drifts, turn.planned.trades
    held, before, snapshot = look.held, snapshot, turn.snapshot
    plan = turn.plan and replace(turn.plan, id=plan_id(memory.name, cycle, trades))
    evidence = gates.check(
        gates.Gating(
            trades=trades,
            snapshot=snapshot,
            policy=policy,
            memory=memory,
            value=held.total,
            unit=unit_value(memory.mark, held.value, memory.pending_flow),
            suspects=look.suspects,
            is_defensive=look.is_defensive,
        )
    )
    stopped = gates.held_by(evidence)
    going = gates.allowed(trades, stopped)
    quiet, deposits = "", NO_DEPOSITS
    if not look.suspects:
        deposits = _deposits(snapshot, policy, memory, facts, look, drifts)
    if plan is None and not look.suspects:
        deposits = _kept(deposits, before, policy, memory, facts, statutes, outlook=outlook)
        waits_until = None if look.looked else look.next_look
        quiet = _nothing_to_do(drifts, waits_until) + deposits.told(snapshot.base_currency)
    told = _as_instructed(trades, snapshot)
    return Decision(
        at=snapshot.at,
        value=held.value,
        drifts=drifts,
        transitions=turn.transitions,
        plan=None if plan is None else replace(plan, trades=tuple(told[t] for t in plan.trades)),
        allowed=tuple(told[trade] for trade in going),
        evidence=evidence,
        held=stopped,
        refusals=(
            *planned.refusals,
            *_standing_notes(snapshot, policy, held, trades),
            *late_withdrawals(snapshot, policy, memory, facts),
        ),
        least_deposit=None if deposits.to_target is None else deposits.to_target[1],
        sentence=_sentence(plan, going, stopped, quiet),
        looked=look.looked,
        deposit_into_bands=deposits.into_bands,
        aim=look.aim,
    )


class _Turn(NamedTuple):
    """What one look concludes, before anything is said of it; the plan has no name yet.

    `snapshot` has the lots of the tax ledger where a plan was made.
    """

    look: Look
    snapshot: Snapshot
    planned: Planned
    plan: Plan | None
    drifts: tuple[Drift, ...]
    transitions: tuple[BandTransition, ...]


def _turn(
    snapshot: Snapshot,
    policy: Policy,
    memory: Memory,
    facts: Facts,
    statutes: Statutes,
    outlook: Outlook,
) -> _Turn:
    due = due_of(snapshot, policy, memory, facts)
    leaving = leaving_of(snapshot, policy, memory, facts)
    look = look_at(snapshot, policy, memory, outlook, due=due, leaving=leaving)
    drifts, transitions = look.drifts, look.transitions
    planned = Planned((), (), None)
    if may_plan(snapshot, policy, look.held, drifts, due=due, is_defensive=look.is_defensive):
        snapshot, planning = prepare(snapshot, policy, memory, facts, statutes, look)
        planned = make_plan(snapshot, planning)
    if not planned.trades and not look.suspects and not planned.is_withheld:
        drifts, ended = finish(drifts, look.bands)
        transitions = _joined(transitions, ended)
    plan = _plan(snapshot, policy, planned, drifts, due=due)
    return _Turn(look, snapshot, planned, plan, drifts, transitions)


def _deposits(
    snapshot: Snapshot,
    policy: Policy,
    memory: Memory,
    facts: Facts,
    look: Look,
    drifts: tuple[Drift, ...],
) -> Deposits:
    """What new money would mend, as far as the policy lets it be used; no plan is tried.

    What is paid into an account that lacks its reserve fills that first: where a class can be
    bought in no other one, no deposit is promised.
    """
    due = due_of(snapshot, policy, memory, facts)
    forbids_risky = look.is_defensive and policy.defensive.posture == "reduce_only"
    closed, short = closed_accounts(memory), look.held.short
    every, full = (
        purchases_of(snapshot, policy, those, forbids_risky=forbids_risky)
        for those in (closed, {*closed, *short})
    )
    if short and every.keys() != full.keys():
        return NO_DEPOSITS
    return deposits_of(
        drifts,
        look.held.total - set_aside(snapshot, policy, look.held, due),
        Means(
            purchases=full,
            coming=coming_of(snapshot, policy, memory, facts),
            idle=_idle(snapshot, policy, look.held, due),
        ),
        destination=next(iter(look.bands.values())).destination,
        pays=policy.plan.drift_price > 0,
    )


def _kept(  # noqa: PLR0913  a turn once more
    deposits: Deposits,
    snapshot: Snapshot,
    policy: Policy,
    memory: Memory,
    facts: Facts,
    statutes: Statutes,
    *,
    outlook: Outlook,
) -> Deposits:
    """*deposits* with the least of its candidates that a plan made with that money keeps.

    Locks, minimum orders and costs are the plan's to know, so that it is asked. Only where a class
    is out is anything promised of it, which is rare enough.
    """
    if not deposits.candidates and not deposits.is_enough:
        return deposits
    paid = contributions_of(snapshot, policy, memory, facts)
    facts = replace(facts, contributions=())

    def is_kept(more: Money) -> bool:
        there = dict(paid)
        if more > 0:
            there[deposits.account] = there.get(deposits.account, ZERO) + more
        then = paid_in(snapshot, there)
        turn = _turn(then, policy, memory, facts, statutes, outlook)
        drifts = turn.drifts if turn.plan is None else turn.plan.after
        sells = any(trade.side is Side.SELL for trade in turn.planned.trades)
        return not sells and not any(drift.is_breached for drift in drifts)

    if deposits.is_enough and is_kept(ZERO):
        return deposits._replace(into_bands=None)
    kept = next(filter(is_kept, deposits.candidates), None)
    return deposits._replace(into_bands=kept, is_enough=False)


def _idle(
    snapshot: Snapshot, policy: Policy, held: Holdings, due: Mapping[str, Money]
) -> dict[str, Money]:
    """The dollars of each wallet that the targets do not divide and that may be spent."""
    divided = divided_accounts(snapshot, policy, held.free)
    return {
        name: max(ZERO, free - due.get(name, ZERO))
        for name, free in held.free.items()
        if name not in divided
    }


def _as_instructed(trades: tuple[Trade, ...], snapshot: Snapshot) -> dict[Trade, Trade]:
    """Each of *trades* as its broker is told of it."""
    if not trades:
        return {}
    lots = {lot.id: lot for lot in snapshot.lots}
    return {trade: as_instructed(trade, lots) for trade in trades}


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
    planned: Planned,
    drifts: tuple[Drift, ...],
    *,
    due: Mapping[str, Money],
) -> Plan | None:
    trades = planned.trades
    if not trades:
        return None
    then = apply_trades(snapshot, trades)
    targets = {drift.asset_class: drift.target for drift in drifts}
    after = drifts_of(then, policy, holdings(then, policy), targets, due)
    plan = Plan(
        id="",
        at=snapshot.at,
        trades=trades,
        before=drifts,
        after=after,
        sentence="",
        certificate=planned.certificate,
    )
    return replace(plan, sentence=describe(plan, snapshot.base_currency))


def _standing_notes(
    snapshot: Snapshot, policy: Policy, held: Holdings, trades: tuple[Trade, ...]
) -> tuple[Refusal, ...]:
    """What *trades* do not mend: a reserve that is not filled, dollars that sit in a wallet."""
    currency = snapshot.base_currency
    then = holdings(apply_trades(snapshot, trades), policy) if trades else held
    notes = [
        Refusal(
            asset_class="",
            account=account,
            sentence=(
                f"{account} {_lacks(lacking, held.reserves[account], currency)}: no cash of it is "
                f"invested; a deposit would fill it."
            ),
        )
        for account, lacking in then.short.items()
    ]
    keeps = "holds" if then is held else "is left with"
    if cash_class(policy, currency) is None:
        notes += [
            Refusal(
                asset_class="",
                account=account,
                sentence=(
                    f"{account} {keeps} {money(idle, currency)} that can buy nothing but coins: "
                    "the targets do not count it until it buys some, or until you move it to "
                    "another account."
                ),
            )
            for account, idle in then.free.items()
            if snapshot.accounts[account].kind is AccountKind.CRYPTO
            and idle > 0
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
    reasons = gates.reasons(stopped)
    shown = " ".join(reasons[:3])
    more = f" (and {len(reasons) - 3} more reasons)" if len(reasons) > 3 else ""  # noqa: PLR2004  three fit a line
    count = f"{len(plan.trades) - len(going)} of {len(plan.trades)}"
    return f"{plan.sentence} Held: {count} trades. {shown}{more}"


def _nothing_to_do(drifts: tuple[Drift, ...], waits_until: dt.date | None) -> str:
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
    return f"{text} {'; '.join(map(_distance, drifts))}."


def _distance(drift: Drift) -> str:
    """How far a class is from its trigger; one that is neither wanted nor held has none."""
    where = f"{drift.asset_class} {percent(drift.weight)}"
    if drift.target == 0 and drift.value == 0:
        return f"{where} is all that is wanted of it"
    side = "beyond" if drift.to_trigger < 0 else "from"
    return f"{where} is {points(abs(drift.to_trigger))} {side} its trigger"
