"""How a household stands, as a page: the verdict first, then what holds, then the figures."""

import datetime as dt
from collections.abc import Iterator

from trimtab.adapters.lease import Holder
from trimtab.apps.standing import Standing
from trimtab.apps.views.documents import (
    AccountDocument,
    HolderDocument,
    LastTurnDocument,
    OrderDocument,
    PendingDocument,
    ReserveDocument,
    StatusDocument,
)
from trimtab.apps.views.drift import drift_blocks, drift_document
from trimtab.apps.views.figures import cents, digits, typed
from trimtab.apps.views.page import Block, Column, Heading, Row, Sentence, Table, item
from trimtab.apps.views.plan import discrepancy_document
from trimtab.domain.events import PolicyAdopted, PolicyProposed
from trimtab.domain.memory import Memory, OrderMemory
from trimtab.domain.numbers import ZERO, Weight
from trimtab.domain.policy import Policy
from trimtab.domain.values import trade_date
from trimtab.rules.precommitment import review
from trimtab.rules.reserve import reserve
from trimtab.rules.reserve import status as reserve_status
from trimtab.rules.words import instant, listing, money, percent, units

_WORTH_SAYING = Weight("0.001")
"""After-tax weights nearer than a tenth of a point to the others are not worth a line."""


def verdict(standing: Standing) -> str:
    """What trimtab would say now, in one sentence."""
    decision = standing.decision
    if decision is None:
        reason = standing.missing or "prices are missing or cannot be trusted."
        return f"No verdict: {reason.splitlines()[0]}"
    if standing.memory.discrepancies:
        names = ", ".join(standing.memory.discrepancies)
        return f"Blocked in {names}: journal and broker disagree. {decision.sentence}"
    if decision.plan is None:
        return decision.sentence
    return f"To do: {decision.sentence}"


def status_page(standing: Standing, folder: str) -> list[Block]:
    """All of `trimtab status`."""
    decision, currency = standing.decision, standing.file.household.base_currency
    is_quiet = decision is not None and decision.plan is None
    blocks: list[Block] = [
        Sentence(verdict(standing), "good" if is_quiet else "warn"),
        Heading(f"{standing.file.household.name}, {instant(standing.at)}"),
        *(item(text, style) for text, style in _facts(standing, folder)),
    ]
    if decision is not None:
        blocks += [Heading("Drift"), *drift_blocks(decision.drifts, currency)]
        blocks += [Sentence(text, "quiet") for text in _after_tax(standing)]
    blocks += [Heading(f"Accounts, in {currency}"), _account_table(standing)]
    kept = (*_reserve(standing), *_set_aside(standing), *_waiting(standing, folder))
    blocks += [item(text) for text in kept]
    return blocks


def status_document(standing: Standing) -> StatusDocument:
    """All of `trimtab status --json`."""
    memory, decision = standing.memory, standing.decision
    last = None
    if memory.last_ended is not None:
        last = LastTurnDocument(
            ended_at=memory.last_ended, outcome=memory.last_outcome, sentence=memory.last_sentence
        )
    return StatusDocument(
        household=standing.file.household.name,
        currency=standing.file.household.base_currency,
        at=standing.at,
        verdict=verdict(standing),
        missing=standing.missing,
        last_turn=last,
        next_look=standing.next_look,
        working=holder_document(standing.worker),
        watching=holder_document(standing.watcher),
        paused=memory.paused or standing.flag,
        breaker=memory.breaker,
        breaker_since=memory.breaker_since,
        pending_policy=pending_document(standing.journaled.proposed),
        edit=_edit(standing),
        discrepancies=tuple(
            discrepancy_document(found) for all_ in memory.discrepancies.values() for found in all_
        ),
        open_orders=tuple(order_document(known) for known in memory.open_orders()),
        value=None if decision is None else digits(decision.value),
        classes=() if decision is None else tuple(drift_document(d) for d in decision.drifts),
        after_tax_weights={name: digits(part) for name, part in standing.after_tax.items()},
        accounts=tuple(_account_document(standing, name) for name in standing.accounts),
        reserve=_reserve_document(standing),
        entries=memory.entries,
        remarks=standing.remarks,
    )


def pending_document(proposed: PolicyProposed | None) -> PendingDocument | None:
    """A policy that waits."""
    if proposed is None:
        return None
    return PendingDocument(effective_at=proposed.effective_at, changes=proposed.changes)


def edit_sentence(memory: Memory, wanted: Policy, at: dt.datetime) -> str | None:
    """That household.toml asks for another policy than the one in force, and from when it holds.

    *memory* is the journal's and *wanted* the policy of the file; None where it asks for nothing
    new.
    """
    if memory.policy is None:
        return None
    match review(memory, wanted, at):
        case (PolicyAdopted(),):
            return "An edited policy is due and holds from the next turn on; it is shown here."
        case (PolicyProposed(effective_at=until),):
            return (
                "An edited policy that no turn has read yet holds from "
                f"{instant(until)} on, or later if that turn is later; it is not shown here."
            )
        case () if memory.proposed is not None:
            when = instant(memory.proposed.effective_at)
            return f"An edited policy waits until {when} and is not shown here."
    return None


def holder_document(found: Holder | None) -> HolderDocument | None:
    """Who holds a lease."""
    if found is None:
        return None
    return HolderDocument(command=found.command, pid=found.pid, host=found.host, since=found.since)


def order_document(known: OrderMemory) -> OrderDocument:
    """An order without a final answer."""
    return OrderDocument(
        order_id=known.order.id,
        account=known.order.account,
        symbol=known.order.symbol,
        side=str(known.order.side),
        quantity=digits(known.order.quantity),
        filled=digits(known.filled),
        status=str(known.status),
        intended_at=known.intended_at,
    )


def order_sentence(known: OrderMemory) -> str:
    """An order without a final answer, in words."""
    order = known.order
    return (
        f"{order.side} {units(order.quantity)} {order.symbol} in {order.account} is {known.status} "
        f"(order {order.id})"
    )


def flag_sentence(reason: str, folder: str) -> str:
    """A pause that no turn has journaled yet, in words."""
    return (
        f"Paused by the flag, not yet journaled: {reason}. The next turn journals it; "
        f"{typed('policy resume', folder)} ends it."
    )


def _facts(standing: Standing, folder: str) -> list[tuple[str, str]]:
    memory = standing.memory
    facts = []
    if standing.missing is not None and len(standing.missing.splitlines()) > 1:
        facts.append((standing.missing, "bad"))
    facts.append((_last_turn(standing, folder), ""))
    if standing.worker is not None:
        facts.append((f"{standing.worker.sentence.capitalize()}.", "warn"))
    facts.append((_watch(standing, folder), ""))
    if memory.paused is not None:
        facts.append(
            (f"Paused: {memory.paused}. {typed('policy resume', folder)} ends it.", "warn")
        )
    elif standing.flag is not None:
        facts.append((flag_sentence(standing.flag, folder), "warn"))
    if memory.breaker is not None:
        since = instant(memory.breaker_since) if memory.breaker_since else "an earlier turn"
        ends = f"{typed('policy rearm', folder)} ends it."
        text = f"Defensive since {since}: {memory.breaker}. {ends}"
        facts.append((text, "bad"))
    edit = _edit(standing)
    if edit is not None:
        facts.append((f"{edit} {typed('policy', folder)} tells the changes.", "warn"))
    for found in memory.discrepancies.values():
        facts += [(f"Blocked: {difference.sentence}", "bad") for difference in found]
    facts += [(f"Not settled: {order_sentence(known)}.", "warn") for known in memory.open_orders()]
    aim = None if standing.decision is None else standing.decision.aim
    facts += [(fault, "warn") for fault in (aim.faults if aim else ())]
    facts += [(remark, "warn") for remark in standing.remarks]
    return facts


def _edit(standing: Standing) -> str | None:
    return edit_sentence(standing.journaled, standing.file.policy(), standing.at)


def _last_turn(standing: Standing, folder: str) -> str:
    memory = standing.memory
    if memory.last_ended is None:
        return f"It has never run: {typed('plan', folder)} shows what the first turn would do."
    words = memory.last_outcome.replace("-", " ")
    return f"Last turn: {instant(memory.last_ended)}, {words}. {memory.last_sentence}"


def _watch(standing: Standing, folder: str) -> str:
    watcher = standing.watcher
    if watcher is None:
        return f"No watch is running, so nothing happens by itself: {typed('watch', folder)}."
    due = f"; it looks next at {instant(standing.next_look)}" if standing.next_look else ""
    return f"`{watcher.command}` is running (process {watcher.pid} on {watcher.host}){due}."


def _after_tax(standing: Standing) -> list[str]:
    decision = standing.decision
    if decision is None or all(
        abs(standing.after_tax.get(d.asset_class, d.weight) - d.weight) < _WORTH_SAYING
        for d in decision.drifts
    ):
        return []
    weights = listing([f"{name} {percent(part)}" for name, part in standing.after_tax.items()])
    return [f"After the tax that traditional accounts still owe: {weights}. The bands ignore it."]


def _account_table(standing: Standing) -> Table:
    columns = (
        Column("account"),
        Column("kind"),
        Column("broker", spare=1),
        Column("value", is_figure=True),
        Column("cash", is_figure=True),
        Column("kept in cash", is_figure=True),
        Column("state"),
    )
    rows = []
    for name, account in standing.accounts.items():
        is_blocked = standing.memory.blocked(name)
        cells = (
            name,
            str(account.kind),
            account.broker,
            cents(standing.values[name]) if name in standing.values else "?",
            cents(standing.cash[name]) if name in standing.cash else "?",
            cents(standing.reserves[name]),
            "BLOCKED" if is_blocked else "free",
        )
        rows.append(Row(cells, "bad" if is_blocked else ""))
    if standing.decision is not None:
        total = (cents(standing.decision.value), cents(sum(standing.cash.values(), ZERO)))
        kept = cents(sum(standing.reserves.values(), ZERO))
        rows.append(Row(("all", "", "", *total, kept, ""), "strong"))
    return Table(columns, tuple(rows))


def _reserve(standing: Standing) -> list[str]:
    rule = standing.policy.reserve
    if rule is None:
        return []
    found = standing.reserving()
    if found is None:
        return [f"Operating reserve in {rule.account}: what it holds of cash is not known."]
    said = reserve_status(found.rule, found.reached, standing.file.household.base_currency)
    return [f"Operating reserve in {found.rule.account}: {said[0].lower()}{said[1:]}"]


def _set_aside(standing: Standing) -> Iterator[str]:
    """The cash kept for withdrawals."""
    currency = standing.file.household.base_currency
    for flow, there, until in standing.set_aside():
        amount = money(flow.amount, currency)
        which = amount if there == flow.amount else f"{money(there, currency)} of {amount}"
        late = "" if until is None else f" and not taken yet: kept until {until}"
        yield f"Cash for a withdrawal: {which} in {flow.account}, due on {flow.date}{late}."


def _waiting(standing: Standing, folder: str) -> list[str]:
    currency = standing.file.household.base_currency
    waits = [
        f"{money(amount, currency)} in {account}"
        for account, amount in standing.waiting.items()
        if amount > 0
    ]
    if not waits:
        return []
    text = f"Cash that waits to be invested little by little: {listing(waits)}"
    return [f"{text} ({typed('contribute', folder)})."]


def _reserve_document(standing: Standing) -> ReserveDocument | None:
    rule = standing.policy.reserve
    if rule is None:
        return None
    found = standing.reserving()
    return ReserveDocument(
        account=rule.account,
        monthly_costs=digits(rule.monthly_costs),
        monthly_income=digits(rule.monthly_income),
        floor=digits(reserve(rule, trade_date(standing.at)).amount),
        cash=None if found is None else digits(found.cash),
        months_covered=(
            None if found is None or found.reached.months is None else digits(found.reached.months)
        ),
    )


def _account_document(standing: Standing, name: str) -> AccountDocument:
    value = standing.values.get(name)
    cash = standing.cash.get(name)
    return AccountDocument(
        account=name,
        kind=str(standing.accounts[name].kind),
        broker=standing.accounts[name].broker,
        value=None if value is None else digits(value),
        cash=None if cash is None else digits(cash),
        reserve=digits(standing.reserves[name]),
        is_blocked=standing.memory.blocked(name),
    )
