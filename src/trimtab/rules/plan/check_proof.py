"""Whether the proof of a plan adds up, as far as that can be said without solving it again."""

from collections.abc import Iterator
from decimal import Decimal

from trimtab.domain.numbers import ONE, ZERO, Money, Weight
from trimtab.domain.trades import Certificate, Side
from trimtab.rules.plan.check_case import Case, sum_of
from trimtab.rules.words import money

_SLACK = Decimal("0.001")
"""Figures are told to a hundredth of a cent each."""
_BELOW_DRIFT = Decimal("0.9")
_EQUAL = Decimal("0.0000002")
"""Costs that differ by this part of the value are one: they come from sums of float64."""


def proof_faults(case: Case, proof: Certificate) -> Iterator[str]:
    """What of *proof* cannot be, a sentence each.

    Tax and drift are not counted again: which losses count, and what a class lacks, is the
    planner's to say. A bound is a bound of every plan, that of doing nothing included where
    nothing has to be raised.
    """
    currency = case.snapshot.base_currency
    parts = {
        whose: (cost.tax, cost.cost, cost.drift, cost.location, cost.wash)
        for whose, cost in (("the plan", proof.plan), ("doing nothing", proof.nothing))
    }
    figures = (*parts["the plan"], *parts["doing nothing"])
    if not all(one.is_finite() for one in (*figures, proof.bound, proof.rounding, proof.value)):
        yield "The proof of the plan has an amount that is not a number."
        return
    for whose, cost in (("the plan", proof.plan), ("doing nothing", proof.nothing)):
        if cost.drift < -_SLACK:
            yield f"The proof tells of {whose} a drift that costs less than nothing."
        if cost.wash != 0:
            yield f"The proof tells of {whose} a wash sale, and none may be planned."
    if proof.nothing.tax or proof.nothing.cost or proof.nothing.location:
        yield "The proof of the plan lets doing nothing cost tax, trading or location."
    slack = _SLACK + _EQUAL * abs(proof.value)
    plan, nothing = (sum_of(own) for own in parts.values())
    if proof.bound > plan:
        yield (
            f"The plan costs {money(plan, currency)}, less than its proven bound of "
            f"{money(proof.bound, currency)}."
        )
    if proof.bound - nothing > slack and not _owes(case):
        yield (
            f"Doing nothing costs {money(nothing, currency)}, less than the proven bound of "
            f"{money(proof.bound, currency)}."
        )
    if not -slack <= proof.rounding <= max(ZERO, plan - proof.bound) + slack:
        yield "The proof of the plan tells more lost by rounding than it leaves open."
    yield from _costs(case, proof, slack)


def _owes(case: Case) -> bool:
    """Whether an account has less than must stay there, so that doing nothing is no plan."""
    return any(case.cash(name)[0] < kept for name, kept in case.kept.items())


def _costs(case: Case, proof: Certificate, slack: Money) -> Iterator[str]:
    """Spread, fees, orders and location, counted from the orders; not where some of them wait."""
    if case.planning.coming or case.policy.orders.unsettled == "wait":
        return
    spread = value = ZERO
    moved: dict[str, Money] = {}
    is_taxed = {name: one.kind.is_taxed for name, one in case.snapshot.accounts.items()}
    for line in case.lines:
        trade, market = line.trade, line.market
        spread += trade.quantity * (market.ask - market.bid)
        value += line.value
        if is_taxed[trade.account]:
            units = trade.quantity if trade.side is Side.BUY else -trade.quantity
            known = moved.get(trade.asset_class, ZERO)
            moved[trade.asset_class] = known + units * (market.bid + market.ask)
    currency = case.snapshot.base_currency
    orders = case.policy.plan.order_cost * len(case.lines)
    trading = spread / 2 + case.fee * value + orders
    years = _annuity(case)
    location = sum_of(amount / 2 * _drag(case, name, years) for name, amount in moved.items())
    for name, told, counted in (
        ("trading", proof.plan.cost, trading),
        ("location", proof.plan.location, location),
    ):
        if abs(told - counted) > slack:
            yield (
                f"The proof tells {money(told, currency)} for {name}, and the orders come to "
                f"{money(counted, currency)}."
            )


def _annuity(case: Case) -> Decimal:
    """What a dollar a year is worth now, over the policy's years."""
    factor = ONE / (ONE + case.planning.harvest.discount_rate)
    return sum_of(factor**year for year in range(1, case.policy.plan.location_years + 1))


def _drag(case: Case, name: str, years: Decimal) -> Weight:
    """What a dollar of the class in a taxed account costs over the years, below its drift."""
    rule, tax = case.policy.classes[name], case.planning.tax
    yearly = rule.ordinary_yield * tax.short_term_rate + rule.qualified_yield * tax.long_term_rate
    return min(yearly * years, _BELOW_DRIFT * case.policy.plan.drift_price)
