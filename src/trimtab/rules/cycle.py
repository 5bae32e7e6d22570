"""decide(): the stages in order, nothing else. The same call serves live, paper and replay."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from trimtab.domain.aim import Aim
from trimtab.domain.facts import Facts
from trimtab.domain.law import Statutes
from trimtab.domain.memory import BandMemory, Memory
from trimtab.domain.numbers import ZERO, Money, Weight
from trimtab.domain.policy import BandPolicy, FlowRule, Policy
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
from trimtab.domain.values import AccountKind, PastFlow, Snapshot, trade_date
from trimtab.rules import gates
from trimtab.rules.breaker import unit_value
from trimtab.rules.deposits import NO_DEPOSITS, Deposits, deposits_of, paid_in, purchases_of
from trimtab.rules.drift import advance, finish, measure
from trimtab.rules.holdings import Holdings, bands_of, cash_class, holdings, targets_of
from trimtab.rules.plan import (
    Planned,
    Planning,
    apply_trades,
    describe,
    make_plan,
    may_plan,
    plan_id,
)
from trimtab.rules.plan.planning import divided_accounts, set_aside
from trimtab.rules.reserve import reserve
from trimtab.rules.schedule import flows_due, still_due
from trimtab.rules.side_fund import standings
from trimtab.rules.targets.aim import NO_OUTLOOK, Outlook, aim_of
from trimtab.rules.targets.view import Savings
from trimtab.rules.tax.books import as_instructed, books_at, tax_lots
from trimtab.rules.tax.locks import RecentPurchase, purchase_locks, recent_purchases
from trimtab.rules.tax.saving import year_to_date
from trimtab.rules.tax.schedule import coming
from trimtab.rules.tax.wash import WashLock
from trimtab.rules.words import listing, money, percent, points


class Look(Struct, frozen=True, kw_only=True):
    """Where a household stands, before anything is planned.

    `suspects` are prices that are not believed; `next_look` is from when a new episode may begin,
    None for at once, and `looked` whether one could today.
    """

    held: Holdings
    targets: dict[str, Weight]
    bands: dict[str, BandPolicy]
    drifts: tuple[Drift, ...]
    transitions: tuple[BandTransition, ...]
    suspects: tuple[str, ...]
    next_look: dt.date | None
    looked: bool
    is_defensive: bool
    aim: Aim | None = None


_NOTHING: Mapping[str, Money] = {}


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
        refusals=(*planned.refusals, *_standing_notes(snapshot, policy, held, trades)),
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


def look_at(
    snapshot: Snapshot,
    policy: Policy,
    memory: Memory,
    outlook: Outlook = NO_OUTLOOK,
    *,
    due: Mapping[str, Money] = _NOTHING,
    leaving: Money = ZERO,
) -> Look:
    """How far the household of *snapshot* has drifted, and which episodes that opens or ends.

    *due* is what has to be there in cash by account: what waits for it is no drift. *leaving* is
    the part of it that leaves the household, which a strategy need not insure.
    """
    held = holdings(snapshot, policy)
    is_defensive = memory.breaker is not None
    bands = bands_of(policy)
    suspects = gates.suspects(snapshot, policy)
    today = trade_date(snapshot.at)
    aim = memory.aim if policy.strategy.layers else None
    if outlook.strategies and not suspects:
        aside = set_aside(snapshot, policy, held, due)
        short = sum((due[one] for one in divided_accounts(snapshot, policy, due)), ZERO) - aside
        savings = _savings(held, policy, memory, today, (aside, leaving, short))
        aim = aim_of(policy, outlook, memory.aim, today, savings, memory.rearmed)
    targets = targets_of(policy, today, aim, is_defensive=is_defensive)
    next_look = _next_look(memory, bands)
    looked = not suspects and (next_look is None or trade_date(snapshot.at) >= next_look)
    measured = _measured(snapshot, policy, held, targets, due)
    drifts, transitions = advance(measured, memory.bands, bands, snapshot.at, looks=looked)
    if suspects:
        drifts, transitions = _unmoved(measured, memory), ()
    return Look(
        held=held,
        targets=targets,
        bands=bands,
        drifts=drifts,
        transitions=transitions,
        suspects=suspects,
        next_look=next_look,
        looked=looked,
        is_defensive=is_defensive,
        aim=aim,
    )


def _savings(
    held: Holdings,
    policy: Policy,
    memory: Memory,
    today: dt.date,
    waiting: tuple[Money, Money, Money],
) -> Savings:
    """What strategies may know of the money.

    *waiting* is cash set aside, what leaves soon, and what has to be raised for what is due.
    """
    aside, leaving, short = waiting
    return Savings(
        value=held.total - aside,
        held=held.values,
        kept=held.value - held.total + aside,
        reserve=None if policy.reserve is None else reserve(policy.reserve, today).amount,
        flow=memory.pending_flow,
        due=leaving,
        short=short,
    )


def prepare(
    snapshot: Snapshot,
    policy: Policy,
    memory: Memory,
    facts: Facts,
    statutes: Statutes,
    look: Look,
) -> tuple[Snapshot, Planning]:
    """*snapshot* with its lots as the tax ledger has them, and all else that a plan is made from.

    Of the purchases that happen by themselves only those stay that could wash a loss of today.
    """
    ledger = books_at(snapshot, memory, facts.tax)
    today = trade_date(snapshot.at)
    snapshot = replace(
        snapshot,
        lots=tax_lots(snapshot.lots, ledger),
        scheduled=coming(ledger, snapshot.scheduled, today),
    )
    taxpayers = {name: account.taxpayer for name, account in ledger.accounts.items()}
    locks: dict[tuple[str, str], WashLock] = {}
    recent: dict[tuple[str, str], tuple[RecentPurchase, ...]] = {}
    for payer in sorted(set(taxpayers.values())):
        symbols = snapshot.instruments
        for symbol, lock in purchase_locks(ledger, today, symbols, payer).items():
            locks[payer, symbol] = lock
        bought = recent_purchases(ledger, today, symbols, memory.disposals, payer)
        recent |= {(payer, symbol): purchases for symbol, purchases in bought.items()}
    planning = Planning(
        policy=policy,
        tax=facts.tax,
        harvest=facts.harvest,
        statutes=statutes,
        targets=look.targets,
        destination=next(iter(look.bands.values())).destination,
        drifts=look.drifts,
        wash=ledger.rule,
        taxpayers=taxpayers,
        wash_locks=locks,
        recent=recent,
        closed=_closed(memory),
        year=year_to_date(ledger.sales(), ledger.accounts, facts.tax, today.year),
        due=due_of(snapshot, policy, memory, facts),
        coming=coming_of(snapshot, policy, memory, facts),
        sold_before=gates.sold_on(memory, today),
        sold_today=frozenset(
            (sale.account, sale.symbol) for sale in memory.disposals if sale.sold == today
        ),
        is_defensive=look.is_defensive,
    )
    return snapshot, planning


def due_of(snapshot: Snapshot, policy: Policy, memory: Memory, facts: Facts) -> dict[str, Money]:
    """What has to be there in cash by account: withdrawals, and what a path sells."""
    due = withdrawals_of(snapshot, policy, memory, facts)
    for one in standings(snapshot, policy, memory, facts):
        if one.asked < 0:
            due[one.rule.account] = due.get(one.rule.account, ZERO) - one.asked
    return due


def leaving_of(snapshot: Snapshot, policy: Policy, memory: Memory, facts: Facts) -> Money:
    """What leaves the household by [[withdrawals]] in the days for which the plan provides."""
    return sum(withdrawals_of(snapshot, policy, memory, facts).values(), ZERO)


def coming_of(snapshot: Snapshot, policy: Policy, memory: Memory, facts: Facts) -> dict[str, Money]:
    """What may soon be invested by account: contributions, and the next parts of lumps.

    A contribution into an account that keeps to a path goes into its side fund instead.
    """
    comes = contributions_of(snapshot, policy, memory, facts)
    for one in standings(snapshot, policy, memory, facts):
        account = one.rule.account
        if one.rule.by == "value":
            comes.pop(account, None)
        elif one.coming > 0:
            comes[account] = comes.get(account, ZERO) + one.coming
    return comes


def withdrawals_of(
    snapshot: Snapshot, policy: Policy, memory: Memory, facts: Facts
) -> dict[str, Money]:
    """What [[withdrawals]] still take out in the days for which the plan provides, by account."""
    taken = [one for one in memory.flows if one.amount < 0]
    return _expected(facts.withdrawals, taken, snapshot, policy)


def contributions_of(
    snapshot: Snapshot, policy: Policy, memory: Memory, facts: Facts
) -> dict[str, Money]:
    """What [[contributions]] still bring in the days for which the plan provides, by account."""
    paid = [one for one in memory.flows if one.amount > 0]
    return _expected(facts.contributions, paid, snapshot, policy)


def _expected(
    rules: Iterable[FlowRule], moved: Iterable[PastFlow], snapshot: Snapshot, policy: Policy
) -> dict[str, Money]:
    """What *rules* move from today on, by account, but for what has *moved* already."""
    today, days = trade_date(snapshot.at), dt.timedelta(days=policy.plan.raise_cash_days)
    due = flows_due(rules, today - days - dt.timedelta(days=1), today + days)
    amounts: dict[str, Money] = {}
    for flow in still_due(due, moved, days):
        if flow.date >= today:
            amounts[flow.account] = amounts.get(flow.account, ZERO) + flow.amount
    return amounts


def _measured(
    snapshot: Snapshot,
    policy: Policy,
    held: Holdings,
    targets: Mapping[str, Weight],
    due: Mapping[str, Money],
) -> tuple[Drift, ...]:
    """The drift of every class, without the cash that waits to be withdrawn."""
    aside = set_aside(snapshot, policy, held, due)
    values = dict(held.values)
    in_cash = cash_class(policy, snapshot.base_currency)
    if in_cash is not None:
        values[in_cash] -= aside
    return measure(values, held.total - aside, targets, bands_of(policy))


def _deposits(
    snapshot: Snapshot,
    policy: Policy,
    memory: Memory,
    facts: Facts,
    look: Look,
    drifts: tuple[Drift, ...],
) -> Deposits:
    """What new money would mend, as far as the policy lets it be used; no plan is tried."""
    due = due_of(snapshot, policy, memory, facts)
    forbids_risky = look.is_defensive and policy.defensive.posture == "reduce_only"
    closed = _closed(memory)
    return deposits_of(
        drifts,
        look.held.total - set_aside(snapshot, policy, look.held, due),
        _to_come(coming_of(snapshot, policy, memory, facts), snapshot, policy),
        purchases_of(snapshot, policy, closed, forbids_risky=forbids_risky),
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
    """*deposits* without what a plan made with that money would not keep.

    Locks, minimum orders and costs are the plan's to know, so that it is asked. Only where a class
    is out is anything promised of it, which is rare enough.
    """
    if deposits.into_bands is None and not deposits.is_enough:
        return deposits
    paid = contributions_of(snapshot, policy, memory, facts)
    if deposits.into_bands is not None:
        account = deposits.account
        paid[account] = paid.get(account, ZERO) + deposits.into_bands
    then = paid_in(snapshot, paid)
    turn = _turn(then, policy, memory, replace(facts, contributions=()), statutes, outlook)
    drifts = turn.drifts if turn.plan is None else turn.plan.after
    sells = any(trade.side is Side.SELL for trade in turn.planned.trades)
    if sells or any(drift.is_breached for drift in drifts):
        return deposits._replace(into_bands=None, is_enough=False)
    return deposits


def _to_come(comes: Mapping[str, Money], snapshot: Snapshot, policy: Policy) -> Money:
    """What of *comes*, the money of the days that the plan provides for, the targets divide."""
    return sum((comes[name] for name in divided_accounts(snapshot, policy, comes)), ZERO)


def _as_instructed(trades: tuple[Trade, ...], snapshot: Snapshot) -> dict[Trade, Trade]:
    """Each of *trades* as its broker is told of it."""
    if not trades:
        return {}
    lots = {lot.id: lot for lot in snapshot.lots}
    return {trade: as_instructed(trade, lots) for trade in trades}


def _unmoved(drifts: tuple[Drift, ...], memory: Memory) -> tuple[Drift, ...]:
    """*drifts* in the states that they had: suspect data begins no episode and ends none."""
    return tuple(
        replace(drift, state=memory.bands.get(drift.asset_class, BandMemory()).state)
        for drift in drifts
    )


def _next_look(memory: Memory, bands: Mapping[str, BandPolicy]) -> dt.date | None:
    """From when a new episode may begin, the policy's interval being over; None for at once."""
    every = next(iter(bands.values())).look_every_days
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
    after = _measured(then, policy, holdings(then, policy), targets, due)
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
    short = held.short
    if short and trades:
        short = holdings(apply_trades(snapshot, trades), policy).short
    notes = [
        Refusal(
            asset_class="",
            account=account,
            sentence=(
                f"{account} {_lacks(lacking, held.reserves[account], currency)}: no cash of it is "
                f"invested; a deposit would fill it."
            ),
        )
        for account, lacking in short.items()
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
    reasons = list(dict.fromkeys(refusal.sentence for refusal in stopped))
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
    distances = [
        f"{drift.asset_class} {percent(drift.weight)} is {points(abs(drift.to_trigger))} "
        f"{'beyond' if drift.to_trigger < 0 else 'from'} its trigger"
        for drift in drifts
    ]
    return f"{text} {'; '.join(distances)}."
