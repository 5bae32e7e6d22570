"""Where a household stands before a plan is made, and what a plan of it is made from."""

import datetime as dt
from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from trimtab.domain.aim import Aim
from trimtab.domain.facts import Facts
from trimtab.domain.law import Statutes
from trimtab.domain.memory import BandMemory, Memory
from trimtab.domain.numbers import ZERO, Money, Weight
from trimtab.domain.policy import BandPolicy, Policy
from trimtab.domain.trades import BandTransition, Drift, Refusal
from trimtab.domain.values import ScheduledFlow, Snapshot, trade_date
from trimtab.rules import gates
from trimtab.rules.drift import advance, measure
from trimtab.rules.holdings import Holdings, bands_of, cash_class, holdings, targets_of
from trimtab.rules.plan import Planning
from trimtab.rules.plan.planning import divided_accounts, set_aside
from trimtab.rules.reserve import reserve
from trimtab.rules.schedule import (
    expected,
    kept_until,
    withdrawals_due,
    withdrawals_forgotten,
)
from trimtab.rules.side_fund import standings
from trimtab.rules.targets.aim import NO_OUTLOOK, Outlook, aim_of
from trimtab.rules.targets.view import Savings
from trimtab.rules.tax.books import books_at, tax_lots
from trimtab.rules.tax.locks import RecentPurchase, purchase_locks, recent_purchases
from trimtab.rules.tax.saving import year_to_date
from trimtab.rules.tax.schedule import coming
from trimtab.rules.tax.wash import WashLock
from trimtab.rules.words import money


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
    targets = targets_of(
        policy, today, aim, base_currency=snapshot.base_currency, is_defensive=is_defensive
    )
    next_look = _next_look(memory, bands)
    looked = not suspects and (next_look is None or trade_date(snapshot.at) >= next_look)
    measured = drifts_of(snapshot, policy, held, targets, due)
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
        closed=closed_accounts(memory),
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
    """What leaves the household by [[withdrawals]] in the days for which the plan provides.

    What was due before and is not taken yet leaves too, as long as its cash is kept.
    """
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
    today = trade_date(snapshot.at)
    return _by_account(withdrawals_due(facts.withdrawals, policy, memory, today))


def contributions_of(
    snapshot: Snapshot, policy: Policy, memory: Memory, facts: Facts
) -> dict[str, Money]:
    """What [[contributions]] still bring in the days for which the plan provides, by account."""
    today, days = trade_date(snapshot.at), dt.timedelta(days=policy.plan.raise_cash_days)
    return _by_account(expected(facts.contributions, memory.paid_in(), today, today + days, days))


def late_withdrawals(
    snapshot: Snapshot, policy: Policy, memory: Memory, facts: Facts
) -> tuple[Refusal, ...]:
    """What [[withdrawals]] nobody has taken yet, and those that are forgotten from now on."""
    today, currency = trade_date(snapshot.at), snapshot.base_currency
    days = policy.plan.raise_cash_days
    kept = [
        (one, f"are not taken yet: they are kept until {kept_until(one.date, days)}")
        for one in withdrawals_due(facts.withdrawals, policy, memory, today)
        if one.date < today
    ]
    forgotten = [
        (one, f"were not taken by {kept_until(one.date, days)}: nothing is kept for them now")
        for one in withdrawals_forgotten(facts.withdrawals, policy, memory, today)
    ]
    return tuple(
        Refusal(
            asset_class="",
            account=one.account,
            sentence=(
                f"{money(one.amount, currency)} of {one.account} were due on {one.date} and {what}."
            ),
        )
        for one, what in (*kept, *forgotten)
    )


def drifts_of(
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


def closed_accounts(memory: Memory) -> dict[str, str]:
    """Accounts that may not be planned with, and why."""
    closed = {account: found[0].sentence for account, found in memory.discrepancies.items()}
    for known in memory.open_orders():
        closed.setdefault(known.order.account, "an earlier order there is not settled yet")
    return closed


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


def _by_account(flows: Iterable[ScheduledFlow]) -> dict[str, Money]:
    amounts: dict[str, Money] = {}
    for flow in flows:
        amounts[flow.account] = amounts.get(flow.account, ZERO) + flow.amount
    return amounts
