"""The rules in force and what the file asks for, as a page and as a document."""

import datetime as dt

from trimtab.apps.views.documents import ChangeDocument, ClassDocument, PolicyDocument
from trimtab.apps.views.figures import cents, counted, digits, offset, rate, typed
from trimtab.apps.views.page import Block, Column, Heading, Sentence, Table, item, rows_of
from trimtab.apps.views.status import flag_sentence, pending_document
from trimtab.domain.events import PolicyAdopted, PolicyProposed, PolicyWithdrawn
from trimtab.domain.memory import Memory
from trimtab.domain.policy import ClassRule, HouseholdFile, PlanRule, Policy
from trimtab.rules.drift import half_width
from trimtab.rules.holdings import bands_of
from trimtab.rules.precommitment import changes, policy_digest, policy_next, review
from trimtab.rules.words import instant, listing, percent


def policy_page(
    file: HouseholdFile,
    memory: Memory,
    now: dt.datetime,
    folder: str,
    *,
    flag: str | None = None,
) -> list[Block]:
    """All of `trimtab policy`; *flag* is the reason in the pause flag."""
    policy = policy_next(memory, file.policy(), now)
    blocks: list[Block] = [Sentence(_in_force(memory, policy), "strong")]
    blocks += [
        Heading("Classes"),
        _class_table(policy, file),
        *(item(text) for text in _rules(policy)),
    ]
    found = changes(memory.policy or policy, file.policy())
    blocks.append(Heading("household.toml"))
    blocks += [item(change.sentence) for change in found]
    blocks.append(item(consequence(file, memory, now), "warn" if found else "good"))
    if memory.paused is not None:
        blocks.append(item(f"Paused: {memory.paused}. {typed('policy resume', folder)}.", "warn"))
    elif flag is not None:
        blocks.append(item(flag_sentence(flag, folder), "warn"))
    if memory.breaker is not None:
        text = f"Defensive posture: {memory.breaker}. {typed('policy rearm', folder)}."
        blocks.append(item(text, "bad"))
    return blocks


def consequence(file: HouseholdFile, memory: Memory, now: dt.datetime) -> str:
    """What the next turn makes of the file as it is now."""
    if memory.policy is None:
        return "The first turn puts the policy of household.toml in force."
    events = review(memory, file.policy(), now)
    match events:
        case (PolicyAdopted(because=because),):
            return f"The next turn puts the file in force at once. {because}"
        case (PolicyProposed(effective_at=at),):
            return (
                "The next turn begins the cooling-off: if the file still says so, it is in force "
                f"from {instant(at)}, or later if the turn is later."
            )
        case (PolicyWithdrawn(),):
            return "The edit was taken back: the next turn withdraws what waits."
        case _ if memory.proposed is not None:
            when = instant(memory.proposed.effective_at)
            return f"The cooling-off runs: the file is in force from the first turn after {when}."
        case _:
            return "The file says the same as the policy in force."


def policy_document(
    file: HouseholdFile, memory: Memory, now: dt.datetime, *, flag: str | None = None
) -> PolicyDocument:
    """All of `trimtab policy --json`."""
    policy = policy_next(memory, file.policy(), now)
    is_due = memory.policy not in (None, policy)
    bands = bands_of(policy)
    return PolicyDocument(
        household=file.household.name,
        digest=policy_digest(policy) if is_due else memory.policy_digest or policy_digest(policy),
        since=None if is_due else memory.policy_since,
        classes=tuple(
            ClassDocument(
                asset_class=name,
                target=digits(rule.target),
                half_width=digits(half_width(rule.target, bands[name])),
                members=rule.members,
                risk=_risk(rule, file),
            )
            for name, rule in policy.classes.items()
        ),
        changes=tuple(
            ChangeDocument(
                path=change.path,
                before=change.before,
                after=change.after,
                tightens=change.tightens,
                sentence=change.sentence,
            )
            for change in changes(memory.policy or policy, file.policy())
        ),
        pending=pending_document(memory.proposed),
        consequence=consequence(file, memory, now),
        paused=memory.paused or flag,
        breaker=memory.breaker,
    )


def _in_force(memory: Memory, policy: Policy) -> str:
    if memory.policy is None or memory.policy_since is None:
        return f"Policy {policy_digest(policy)}: not in force yet, no turn was taken."
    held = f"Policy {memory.policy_digest}: in force since {instant(memory.policy_since)}"
    if policy == memory.policy:
        return f"{held}."
    return (
        f"Policy {policy_digest(policy)}: an edited policy is due and holds from the next turn on; "
        f"it is shown here. {held} until then."
    )


def _risk(rule: ClassRule, file: HouseholdFile) -> str:
    """What a class counts as: cash is safe, whatever is written of it."""
    return "risky" if rule.is_risky(file.household.base_currency) else "safe"


def _class_table(policy: Policy, file: HouseholdFile) -> Table:
    bands = bands_of(policy)
    columns = (
        Column("class"),
        Column("target", is_figure=True),
        Column("trigger", is_figure=True),
        Column("risk"),
        Column("members"),
    )
    return Table(
        columns,
        rows_of(
            (
                name,
                rate(rule.target),
                f"±{offset(half_width(rule.target, bands[name]))[1:]}",
                _risk(rule, file),
                ", ".join(rule.members),
            )
            for name, rule in policy.classes.items()
        ),
    )


def _rules(policy: Policy) -> list[str]:
    gates, orders = policy.gates, policy.orders
    band = next(iter(bands_of(policy).values()))
    end = "the target" if band.destination == 0 else f"{rate(band.destination)} of the band"
    every = "every day" if band.look_every_days == 1 else f"every {band.look_every_days} days"
    falls = (
        f"{rate(gates.fall_daily_max)} in a day or {rate(gates.fall_from_peak_max)} from the peak"
    )
    never_bought = listing(list(orders.no_buy)) or "nothing"
    never_sold = listing(list(orders.no_sell)) or "nothing"
    return [
        f"Bands: {policy.bands.preset}; a correction ends at {end}; a look {every}.",
        f"Circuit breaker: a fall of {falls}; then {policy.defensive.posture}.",
        f"At most {rate(gates.turnover_max)} sold in a day, {gates.orders_max} orders in a plan.",
        *_planning(policy),
        f"Lots: {orders.lot_method}; never bought: {never_bought}; never sold: {never_sold}.",
        f"Cooling-off of an edit: {policy.precommitment.cooling_off_hours} hours.",
    ]


_HARVESTS = {
    "never": "never taken for their own sake",
    "with_trades": "taken when there is a plan anyhow",
    "always": "taken on any day",
}


def _planning(policy: Policy) -> list[str]:
    """What the planner weighs against what; nothing of what is at rest."""
    plan = policy.plan
    days = counted(plan.raise_cash_days, "day")
    price = f"moving money back to its class may cost {rate(plan.drift_price)} of it"
    ready = f"cash for a withdrawal is ready {days} before"
    losses = f"losses are {_HARVESTS[plan.harvests]}"
    found = [f"Planning: {price}; {ready}; {losses}.", *_prices(plan)]
    if plan.holdings_max:
        limits = [f"{symbol} {rate(most)}" for symbol, most in sorted(plan.holdings_max.items())]
        found.append(f"Bought up to a part of the whole: {listing(limits)}.")
    yields = [
        f"{name} {percent(rule.ordinary_yield, 2)} and {percent(rule.qualified_yield, 2)}"
        for name, rule in policy.classes.items()
        if rule.ordinary_yield or rule.qualified_yield
    ]
    if yields and plan.location_years:
        years = counted(plan.location_years, "year")
        told = f"Yields a year, ordinary and qualified: {', '.join(yields)}"
        found.append(f"{told}; a better account is worth what it saves in {years}.")
    return found


def _prices(plan: PlanRule) -> list[str]:
    """The prices that the owner has put on orders and on selling."""
    found = []
    if plan.order_cost:
        found.append(f"an order costs {cents(plan.order_cost)} of the owner's time")
    if plan.sell_least:
        found.append(f"selling must be worth {cents(plan.sell_least)} more than buying alone")
    return [f"Weighed beside tax and fees: {'; '.join(found)}."] if found else []
