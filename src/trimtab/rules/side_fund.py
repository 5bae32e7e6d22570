"""Cash that waits to be invested: what averaging frees of it today, and what has to stay.

An averaging rule moves money within one account, from its cash into what it holds. It places no
order: it says how much cash the planner may see. What waits stays outside of what the targets
divide; what is freed is cash like any other, for the same bands, locks and gates. What the account
keeps as a reserve, and what is due to be withdrawn from it, come first.

A lump is what is there of it when it begins, at the first turn from its first day on that finds
enough for an order. Until then none of it is due, and what is there waits for the rest. Its parts
divide what is left of it. Other cash pays for withdrawals first, and what the lump has paid never
comes back to it: cash that arrives later is cash like any other, until the household writes the
rule anew, with another amount or another first day.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from msgspec.structs import replace

from trimtab.domain.facts import Facts
from trimtab.domain.incoming import AveragingRule, LumpLeft, PastContribution
from trimtab.domain.memory import Memory
from trimtab.domain.numbers import CENT, ONE, ZERO, Money, Weight, round_to_step
from trimtab.domain.policy import Policy
from trimtab.domain.values import Snapshot, trade_date
from trimtab.rules.contributions import (
    DollarCostRule,
    Obligation,
    Rule,
    ValueAveragingRule,
    cap_of,
    contribution_days,
    obligations_due,
    parts_of,
)
from trimtab.rules.holdings import reserves
from trimtab.rules.path_record import classed, net_bought, over
from trimtab.rules.schedule import withdrawals_due
from trimtab.rules.words import money

_ONE_DAY = dt.timedelta(days=1)
_LONG = dt.timedelta(days=366)
_A_YEAR = {"week": 52, "two_weeks": 26, "month": 12, "quarter": 4, "year": 1}


class _Cash(NamedTuple):
    """An account's cash beyond its reserve, and what of it no withdrawal takes soon."""

    there: Money
    fund: Money


class Standing(NamedTuple):
    """How an averaging rule stands on a day; all money is the base currency's.

    `value` is what the account holds of the classes, `fund` its cash beyond its reserve and what is
    due to be withdrawn, and `waits` the part of it that may not be invested yet. `coming` are parts
    that fall due within the days for which the plan provides. Of a lump, `left` is what of its
    amount has not gone in yet, whether it is there or not; `lump` what will be left to put in once
    its obligations are done, None where it cannot begin yet; and `before` the last of them that was
    done, None before it began. Where it cannot begin yet, `needs` is what has to be there for that,
    and `awaited` what is missing of its amount from its first day on, until its last.
    """

    rule: AveragingRule
    obligations: tuple[Obligation, ...]
    value: Money
    fund: Money
    waits: Money
    bought: Money = ZERO
    cap: Money | None = None
    coming: Money = ZERO
    left: Money = ZERO
    lump: LumpLeft | None = None
    before: PastContribution | None = None
    needs: Money | None = None
    awaited: Money = ZERO

    @property
    def asked(self) -> Money:
        """What is to be put in now; negative where it is to be sold."""
        return sum((one.amount for one in self.obligations), ZERO)

    @property
    def lacks(self) -> Money:
        """What is asked for beyond the cash that is there; of a lump only what it awaits."""
        return self.awaited if self.rule.by == "parts" else max(ZERO, self.asked - self.fund)

    @property
    def missed(self) -> tuple[Obligation, ...]:
        """Parts of a lump that go in together, because their days have passed."""
        is_late = self.rule.by == "parts" and len(self.obligations) > 1
        return self.obligations if is_late else ()


def rule_of(rule: AveragingRule) -> Rule:
    """*rule* as obligations are made from it: its yearly rates become those of a period."""
    if rule.by == "parts":
        return DollarCostRule(
            account=rule.account,
            amount=rule.amount,
            first=rule.first,
            every=rule.every,
            parts=rule.parts or 1,
        )
    return ValueAveragingRule(
        account=rule.account,
        amount=rule.amount,
        first=rule.first,
        every=rule.every,
        path=rule.path,
        expected_return=_a_period(rule.expected_return or ZERO, rule.every),
        growth=_a_period(rule.growth, rule.every),
        start=rule.start,
        sells=rule.sells,
        cap_multiple=rule.cap_multiple,
        carries_forward=rule.carries_forward,
    )


def standings(
    snapshot: Snapshot, policy: Policy, memory: Memory, facts: Facts
) -> tuple[Standing, ...]:
    """How each averaging rule of *facts* stands."""
    if not facts.averaging:
        return ()
    cash = _cash(snapshot, policy, memory, facts)
    return tuple(
        _in_parts(rule, made, snapshot, policy, memory, cash[rule.account])
        if isinstance(made := rule_of(rule), DollarCostRule)
        else _on_path(rule, made, snapshot, policy, memory, cash[rule.account].fund)
        for rule in facts.averaging
        if rule.account in snapshot.accounts
    )


def with_waiting(snapshot: Snapshot, policy: Policy, memory: Memory, facts: Facts) -> Snapshot:
    """*snapshot* with the cash that has to wait in each account."""
    if not facts.averaging and not snapshot.waiting:
        return snapshot
    found = standings(snapshot, policy, memory, facts)
    return replace(snapshot, waiting={one.rule.account: one.waits for one in found})


def why_together(one: Standing, currency: str) -> str:
    """Why several parts of a lump go in at once."""
    days = [due.day for due in one.missed]
    return (
        f"{len(days)} of {one.rule.parts or 1} parts, {money(one.asked, currency)}, were due from "
        f"{days[0]} to {days[-1]} and go in together."
    )


def not_begun(one: Standing, today: dt.date, currency: str) -> str:
    """What a lump waits for that cannot begin yet; "" where it can, or has."""
    if one.needs is None:
        return ""
    if one.awaited > 0:
        return (
            f"The lump has not begun and waits for its money: {money(one.waits, currency)} are "
            f"there, and it begins with what is there once that is {money(one.needs, currency)}. "
            f"Put {money(one.awaited, currency)} in for the whole of it."
        )
    if today < one.rule.first:
        return (
            f"The lump begins with what is there from {one.rule.first} on, once that is "
            f"{money(one.needs, currency)}: {money(one.waits, currency)} are there."
        )
    return (
        "The lump has not begun and its last day has come: money that comes is invested at once, "
        "unless the table is written anew."
    )


def long_past(one: Standing, memory: Memory, today: dt.date, currency: str) -> str:
    """What to know of a rule whose first day is long past and which nothing was done for; or "".

    A lump says so as soon as several parts go in together, or that it has not begun; a path after a
    year.
    """
    if _own(one.rule, memory):
        return ""
    if one.needs is not None and one.rule.first <= today:
        told = not_begun(one, today, currency)
        return f"[[averaging]] of {one.rule.account}: {told[0].lower()}{told[1:]}"
    head = f"[[averaging]] of {one.rule.account} began on {one.rule.first}, which is past"
    if one.missed:
        return f"{head}: {why_together(one, currency)}"
    (*_, due) = one.obligations or (None,)
    if due is None or due.goal is None or today - one.rule.first <= _LONG:
        return ""
    return f"{head}: its path asks for {money(due.goal, currency)} on {due.day} already."


def order_least(policy: Policy) -> Money:
    """The least cash that is worth an order."""
    return max(policy.orders.minimum, policy.orders.invest_cash_from)


def met(found: Iterable[Standing], least: Money) -> tuple[tuple[str, PastContribution], ...]:
    """The obligations that are done, by account, once a turn that could trade is over.

    A part is done when it no longer waits: from then on it is cash to invest. A path is done when
    less than *least*, what is worth an order, is missing; else it stays due, until its next day.
    """
    return tuple(
        (one.rule.account, past)
        for one in found
        for past in (_parts_met(one) if one.rule.by == "parts" else _path_met(one, least))
    )


def done_of(account: str, memory: Memory) -> tuple[PastContribution, ...]:
    """What was done in *account*, whichever rule asked for it; a day that ended short was not."""
    return tuple(one for one in memory.contributions.get(account, ()) if one.short is None)


def _parts_met(one: Standing) -> Iterator[PastContribution]:
    """Parts that are done, or, where none is due, that less is left of the lump than was."""
    lump, before = one.lump, one.before
    if lump is None:
        return
    for due in one.obligations:
        yield PastContribution(day=due.day, amount=due.amount, lump=lump)
    if before is not None and not one.obligations and one.left > 0 and before.lump != lump:
        yield PastContribution(day=before.day, amount=ZERO, lump=lump)


def _path_met(one: Standing, least: Money) -> Iterator[PastContribution]:
    for due in one.obligations:
        if abs(due.amount) < least:
            yield PastContribution(day=due.day, amount=one.bought, withheld=due.withheld)


def _in_parts(
    rule: AveragingRule,
    made: DollarCostRule,
    snapshot: Snapshot,
    policy: Policy,
    memory: Memory,
    cash: _Cash,
) -> Standing:
    today = trade_date(snapshot.at)
    past = _own(rule, memory)
    put_in = sum((one.amount for one in past), ZERO)
    before = past[-1] if past else None
    most = max(ZERO, rule.amount - put_in)
    if before is not None and before.lump is not None and before.lump.amount == rule.amount:
        most = before.lump.left
    left = round_to_step(min(most, cash.fund), CENT)
    after = made.first - _ONE_DAY if before is None else before.day
    later = [(day, part) for _, day, part in parts_of(made, left, after) if day > today]
    there = round_to_step(min(most, cash.there), CENT) if later else left
    needs = min(order_least(policy), rule.amount)
    if before is None and there < needs:
        return Standing(
            rule=rule,
            obligations=(),
            value=ZERO,
            fund=cash.fund,
            waits=left if later else ZERO,
            left=rule.amount,
            needs=needs,
            awaited=rule.amount - left if later and today >= rule.first else ZERO,
        )
    due = obligations_due(
        made,
        value=ZERO,
        past=past,
        since=made.first,
        today=today,
        currency=snapshot.base_currency,
        left=left,
    )
    freed = sum((one.amount for one in due), ZERO)
    until = today + dt.timedelta(days=policy.plan.raise_cash_days)
    return Standing(
        rule=rule,
        obligations=due,
        value=ZERO,
        fund=cash.fund,
        waits=sum((part for _, part in later), ZERO),
        coming=sum((part for day, part in later if day <= until), ZERO),
        left=rule.amount - put_in,
        lump=LumpLeft(
            first=rule.first,
            amount=rule.amount,
            left=there - freed if later else ZERO,
        ),
        before=before,
    )


def _on_path(
    rule: AveragingRule,
    made: ValueAveragingRule,
    snapshot: Snapshot,
    policy: Policy,
    memory: Memory,
    fund: Money,
) -> Standing:
    today, account = trade_date(snapshot.at), rule.account
    own = classed(snapshot.lots, policy, account)
    value = sum((lot.quantity * snapshot.price(lot.symbol) for lot in own), ZERO)
    days = contribution_days(made, made.first - _ONE_DAY, today)
    if not days:
        return Standing(rule, (), value, fund, waits=fund)
    bought = net_bought(made, own, policy, memory, (days[-1], dt.date.max))
    past = memory.contributions.get(account, ())
    if not made.carries_forward:
        past += over(made, snapshot, policy, memory)
    due = obligations_due(
        made,
        value=value,
        past=past,
        since=made.first,
        today=today,
        currency=snapshot.base_currency,
        bought=max(ZERO, bought),
    )
    asked = sum((one.amount for one in due), ZERO)
    waits = fund - min(fund, max(ZERO, asked))
    return Standing(rule, due, value, fund, waits, bought, cap_of(made, len(days)))


def _own(rule: AveragingRule, memory: Memory) -> tuple[PastContribution, ...]:
    """What was done for *rule*, and not for an earlier one of its account."""
    return tuple(
        one
        for one in done_of(rule.account, memory)
        if (one.day >= rule.first if one.lump is None else one.lump.first == rule.first)
    )


def _cash(snapshot: Snapshot, policy: Policy, memory: Memory, facts: Facts) -> Mapping[str, _Cash]:
    """Each account's cash beyond its reserve, before and after what is due to be withdrawn."""
    today = trade_date(snapshot.at)
    there = {name: -kept for name, kept in reserves(policy, snapshot.accounts, today).items()}
    for one in snapshot.balances:
        if one.currency == snapshot.base_currency and one.account in there:
            there[one.account] += one.amount
    fund = dict(there)
    for flow in withdrawals_due(facts.withdrawals, policy, memory, today):
        if flow.account in fund:
            fund[flow.account] -= flow.amount
    return {name: _Cash(max(ZERO, there[name]), max(ZERO, fund[name])) for name in there}


def _a_period(yearly: Weight, every: str) -> Weight:
    """The rate of a period that compounds to *yearly* in a year; 0 stays exactly 0."""
    return ZERO if yearly == 0 else (ONE + yearly) ** (ONE / _A_YEAR[every]) - ONE
