"""Cash that waits to be invested: what averaging frees of it today, and what has to stay.

An averaging rule moves money within one account, from its cash into what it holds. It places no
order: it says how much cash the planner may see. What waits stays outside of what the targets
divide; what is freed is cash like any other, for the same bands, locks and gates. What the account
keeps as a reserve, and what is due to be withdrawn from it, come first.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import NamedTuple

from msgspec.structs import replace

from trimtab.domain.facts import Facts
from trimtab.domain.incoming import AveragingRule, PastContribution
from trimtab.domain.memory import Memory
from trimtab.domain.numbers import ONE, ZERO, Money, Weight
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
    part_due,
)
from trimtab.rules.holdings import class_of, reserves
from trimtab.rules.schedule import flows_due
from trimtab.rules.words import money

_ONE_DAY = dt.timedelta(days=1)
_LONG = dt.timedelta(days=366)
_A_YEAR = {"week": 52, "two_weeks": 26, "month": 12, "quarter": 4, "year": 1}


class Standing(NamedTuple):
    """How an averaging rule stands on a day; all money is the base currency's.

    `value` is what the account holds of the classes, `fund` its cash beyond its reserve and what is
    due to be withdrawn, and `waits` the part of it that may not be invested yet. `coming` are parts
    that fall due within the days for which the plan provides; `left` is what of a lump has not gone
    in yet.
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

    @property
    def asked(self) -> Money:
        """What is to be put in now; negative where it is to be sold."""
        return sum((one.amount for one in self.obligations), ZERO)

    @property
    def lacks(self) -> Money:
        """What a path asks for beyond the cash that is there; a lump asks for nothing new."""
        return ZERO if self.rule.by == "parts" else max(ZERO, self.asked - self.fund)

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
    today = trade_date(snapshot.at)
    until = today + dt.timedelta(days=policy.plan.raise_cash_days)
    fund = _funds(snapshot, policy, facts, (today, until))
    return tuple(
        _in_parts(rule, made, fund[rule.account], memory, (today, until))
        if isinstance(made := rule_of(rule), DollarCostRule)
        else _on_path(rule, made, snapshot, policy, memory, fund[rule.account])
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


def long_past(one: Standing, memory: Memory, today: dt.date, currency: str) -> str:
    """What to know of a rule whose first day is long past and which nothing was done for; or "".

    A lump says so as soon as several parts go in together, a path after a year.
    """
    if memory.contributions.get(one.rule.account):
        return ""
    head = f"[[averaging]] of {one.rule.account} began on {one.rule.first}, which is past"
    if one.missed:
        return f"{head}: {why_together(one, currency)}"
    (*_, due) = one.obligations or (None,)
    if due is None or due.goal is None or today - one.rule.first <= _LONG:
        return ""
    return f"{head}: its path asks for {money(due.goal, currency)} on {due.day} already."


def met(found: Iterable[Standing], least: Money) -> tuple[tuple[str, PastContribution], ...]:
    """The obligations that are done, by account, once a turn that could trade is over.

    A part is done when it no longer waits: from then on it is cash to invest. A path is done when
    less than *least*, what is worth an order, is missing; else it stays due, until its next day.
    """
    done = []
    for one in found:
        for due in one.obligations:
            if one.rule.by == "parts":
                done.append((one.rule.account, PastContribution(day=due.day, amount=due.amount)))
            elif abs(due.amount) < least:
                past = PastContribution(day=due.day, amount=one.bought, withheld=due.withheld)
                done.append((one.rule.account, past))
    return tuple(done)


def _in_parts(
    rule: AveragingRule,
    made: DollarCostRule,
    fund: Money,
    memory: Memory,
    span: tuple[dt.date, dt.date],
) -> Standing:
    today, until = span
    days = contribution_days(made, made.first - _ONE_DAY, until)
    parts = [part_due(made, number) for number in range(1, len(days) + 1)]
    begun = sum((part for day, part in zip(days, parts, strict=True) if day <= today), ZERO)
    waits = min(fund, rule.amount - begun)
    past = memory.contributions.get(rule.account, ())
    return Standing(
        rule=rule,
        obligations=obligations_due(made, value=ZERO, past=past, since=made.first, today=today),
        value=ZERO,
        fund=fund,
        waits=waits,
        coming=min(waits, sum(parts, ZERO) - begun),
        left=rule.amount - sum((one.amount for one in past), ZERO),
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
    classes = class_of(policy)
    own = [lot for lot in snapshot.lots if lot.account == account and lot.symbol in classes]
    value = sum((lot.quantity * snapshot.price(lot.symbol) for lot in own), ZERO)
    days = contribution_days(made, made.first - _ONE_DAY, today)
    if not days:
        return Standing(rule, (), value, fund, waits=fund)
    paid = sum((lot.basis for lot in own if lot.acquired >= days[-1]), ZERO)
    sold = (one for one in memory.disposals if one.account == account and one.sold >= days[-1])
    bought = paid - sum((one.proceeds for one in sold), ZERO)
    due = obligations_due(
        made,
        value=value,
        past=memory.contributions.get(account, ()),
        since=made.first,
        today=today,
        currency=snapshot.base_currency,
        bought=max(ZERO, bought),
    )
    asked = sum((one.amount for one in due), ZERO)
    waits = fund - min(fund, max(ZERO, asked))
    return Standing(rule, due, value, fund, waits, bought, cap_of(made, len(days)))


def _funds(
    snapshot: Snapshot, policy: Policy, facts: Facts, span: tuple[dt.date, dt.date]
) -> Mapping[str, Money]:
    """Each account's cash beyond its reserve and what is due to be withdrawn."""
    today, until = span
    left = {name: -kept for name, kept in reserves(policy, snapshot.accounts, today).items()}
    due = flows_due(facts.withdrawals, today - _ONE_DAY, until)
    cash = (
        (one.account, one.amount)
        for one in snapshot.balances
        if one.currency == snapshot.base_currency
    )
    for account, amount in chain(cash, ((one.account, -one.amount) for one in due)):
        if account in left:
            left[account] += amount
    return {name: max(ZERO, amount) for name, amount in left.items()}


def _a_period(yearly: Weight, every: str) -> Weight:
    """The rate of a period that compounds to *yearly* in a year; 0 stays exactly 0."""
    return ZERO if yearly == 0 else (ONE + yearly) ** (ONE / _A_YEAR[every]) - ONE
