"""The journal told: each entry as facts in sentences, with the names that each is about."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from trimtab.domain.events import (
    AccountOpened,
    BandsMoved,
    BreakerRearmed,
    BreakerTripped,
    CashMoved,
    ContributionMet,
    CycleEnded,
    CycleFailed,
    Decided,
    DiscrepancyCleared,
    DiscrepancyFound,
    Entry,
    Event,
    LotsConfirmed,
    LotsInstructed,
    OrderAnswered,
    OrderFilled,
    OrderIntended,
    Paused,
    PolicyAdopted,
    PolicyProposed,
    PolicyWithdrawn,
    Resumed,
    SaleRebooked,
    SalesRecorded,
    SplitApplied,
    StandingOrderConfirmed,
    StrategyRearmed,
)
from trimtab.domain.incoming import LumpLeft, PastContribution
from trimtab.domain.trades import BandTransition, Decision, Disposal, Order, Trade
from trimtab.domain.values import trade_date
from trimtab.rules.holdings import class_of
from trimtab.rules.words import instant, listing, money, percent, points, units

KINDS = ("class", "symbol", "account", "order", "plan")


class Fact(NamedTuple):
    """One sentence, and the (kind, name) of everything that it is about."""

    sentence: str
    about: frozenset[tuple[str, str]]


class Told(NamedTuple):
    """A fact with the entry of the journal that says it."""

    sequence: int
    at: dt.datetime
    cycle: str
    fact: Fact


class _Context:
    """What later entries take for granted: classes of symbols, orders, the currency."""

    def __init__(self, classes: Mapping[str, str], currency: str) -> None:
        self.classes = dict(classes)
        self.orders: dict[str, Order] = {}
        self.currency = currency

    def fact(self, sentence: str, **names: str) -> Fact:
        """*sentence* about *names*; a symbol brings its class along."""
        symbol = names.get("symbol")
        if symbol in self.classes and "asset_class" not in names:
            names["asset_class"] = self.classes[symbol]
        about = {
            ("class" if kind == "asset_class" else kind, name)
            for kind, name in names.items()
            if name
        }
        return Fact(sentence, frozenset(about))


def tell(entries: Iterable[Entry], classes: Mapping[str, str], currency: str) -> Iterator[Told]:
    """All that *entries* say, in their order; *classes* are those of household.toml."""
    context = _Context(classes, currency)
    for entry in entries:
        for fact in _facts(entry.event, context):
            yield Told(entry.sequence, entry.at, entry.cycle, fact)


def _facts(event: Event, context: _Context) -> Iterator[Fact]:  # noqa: C901, PLR0912, PLR0915  one case per kind of event: a table
    match event:
        case PolicyAdopted():
            context.classes.update(class_of(event.policy))
            yield context.fact(f"The policy {event.digest} came into force. {event.because}")
        case PolicyProposed():
            text = f"An edited policy waits until {instant(event.effective_at)}."
            yield context.fact(" ".join([text, *event.changes]))
        case PolicyWithdrawn():
            yield context.fact("The edited policy was taken back before it came into force.")
        case AccountOpened():
            yield from _opened(event, context)
        case SalesRecorded():
            yield from (_sold(sale, context) for sale in event.disposals)
        case Decided():
            yield from decision_facts(event.decision, context)
        case BandsMoved():
            yield from (_transition(change, context) for change in event.transitions)
        case OrderIntended():
            context.orders[event.order.id] = event.order
            yield _about_order(_intended(event.order, context), event.order, context)
        case OrderAnswered(receipt=receipt) if receipt.order_id in context.orders:
            order = context.orders[receipt.order_id]
            tail = f" ({receipt.text})" if receipt.text else ""
            text = f"The broker's word about the order for {order.symbol}: {receipt.status}{tail}."
            yield _about_order(text, order, context)
        case OrderFilled():
            yield from _filled(event, context)
        case LotsInstructed() | LotsConfirmed() | StandingOrderConfirmed() | SaleRebooked():
            yield _identified(event, context)
        case CashMoved(movement=moved):
            what = moved.text or ("paid in" if moved.amount > 0 else "paid out")
            text = f"{money(moved.amount, moved.currency)} moved in {moved.account}: {what}."
            yield context.fact(text, account=moved.account)
        case ContributionMet(
            account=account,
            contribution=PastContribution(amount=amount, lump=LumpLeft(left=left)),
        ) if amount == 0:
            told = money(left, context.currency)
            yield context.fact(f"Of the lump in {account} {told} are left.", account=account)
        case ContributionMet(account=account, contribution=over) if over.short is not None:
            text = (
                f"What [[averaging]] asked of {account} on {over.day} was not done when the next "
                f"day came: {money(over.amount, context.currency)} put in, "
                f"{money(over.short, context.currency)} short."
            )
            yield context.fact(text, account=account)
        case ContributionMet(account=account, contribution=done):
            told = f"{money(done.amount, context.currency)} put in"
            if done.withheld > 0:
                told += f", {money(done.withheld, context.currency)} withheld by the cap"
            text = f"What [[averaging]] asked of {account} on {done.day} is done: {told}."
            yield context.fact(text, account=account)
        case SplitApplied(split=split):
            text = (
                f"{split.symbol} was split {split.numerator} for {split.denominator} in "
                f"{split.account}."
            )
            yield context.fact(text, symbol=split.symbol, account=split.account)
        case DiscrepancyFound():
            for found in event.discrepancies:
                text = f"Discrepancy: {found.sentence} The account is blocked."
                yield context.fact(text, account=found.account, symbol=found.subject)
        case DiscrepancyCleared():
            text = f"{event.account} is free again: {event.because}."
            yield context.fact(text, account=event.account)
        case Paused():
            yield context.fact(f"The owner paused trading: {event.because}.")
        case Resumed():
            yield context.fact(f"The owner resumed trading: {event.because}.")
        case BreakerTripped():
            yield context.fact(f"The circuit breaker tripped: {event.sentence}.")
        case BreakerRearmed():
            yield context.fact(f"The circuit breaker was re-armed: {event.because}.")
        case StrategyRearmed():
            yield context.fact(f"The owner re-armed {event.strategy}: {event.because}.")
        case CycleEnded():
            yield context.fact(f"The turn ended, {event.outcome}. {event.sentence}")
        case CycleFailed():
            yield context.fact(f"The turn failed. {event.sentence}")
        case _:
            return


def decision_facts(decision: Decision, context: _Context) -> Iterator[Fact]:
    """What one look concluded: drift, bands, trades with their lots, refusals."""
    plan = "" if decision.plan is None else decision.plan.id
    yield context.fact(f"Decided: {decision.sentence}", plan=plan)
    if decision.aim is not None and decision.aim.since == trade_date(decision.at):
        yield context.fact(decision.aim.sentence)
    for drift in decision.drifts:
        where = "beyond" if drift.is_breached else "inside"
        text = (
            f"{drift.asset_class} is {percent(drift.weight)} of the savings, its target is "
            f"{percent(drift.target)}: {where} its trigger of {points(drift.half_width)} either "
            f"way, {drift.state}."
        )
        yield context.fact(text, asset_class=drift.asset_class)
    for change in decision.transitions:
        yield _transition(change, context)
    if decision.plan is not None:
        for trade in decision.plan.trades:
            yield _planned(trade, plan, decision, context)
    for refused in decision.held:
        text = f"Held by {refused.gate}: {refused.sentence}"
        yield context.fact(text, plan=plan, account=refused.account, symbol=refused.symbol)
    for refusal in decision.refusals:
        yield context.fact(
            f"Not done: {refusal.sentence}",
            asset_class=refusal.asset_class,
            account=refusal.account,
            symbol=refusal.symbol,
        )


def context_of(classes: Mapping[str, str], currency: str) -> _Context:
    """A context to tell one decision in."""
    return _Context(classes, currency)


def _planned(trade: Trade, plan: str, decision: Decision, context: _Context) -> Fact:
    lots = listing([f"{units(pick.quantity)} of lot {pick.lot_id}" for pick in trade.lots])
    of_lots = f" Lots: {lots}." if lots else ""
    passed = "" if trade in decision.allowed else " A gate held it."
    text = (
        f"Planned: {trade.side} {units(trade.quantity)} {trade.symbol} in {trade.account} for "
        f"{money(trade.value, context.currency)}, because {trade.reason}{of_lots}{passed}"
    )
    return context.fact(
        text,
        plan=plan,
        account=trade.account,
        symbol=trade.symbol,
        asset_class=trade.asset_class,
    )


def _transition(change: BandTransition, context: _Context) -> Fact:
    return context.fact(change.sentence, asset_class=change.asset_class)


def _opened(event: AccountOpened, context: _Context) -> Iterator[Fact]:
    cash = listing([money(amount, code) for code, amount in event.cash.items()]) or "no cash"
    held = f"{len(event.lots)} lots and {cash}"
    text = f"{event.account} was taken over from {event.source}: {held}."
    yield context.fact(text, account=event.account)
    for lot in event.lots:
        text = (
            f"Lot {lot.id}: {units(lot.quantity)} {lot.symbol} in {lot.account}, bought on "
            f"{lot.acquired} for {money(lot.basis, context.currency)}."
        )
        yield context.fact(text, symbol=lot.symbol)


def _intended(order: Order, context: _Context) -> str:
    limit = money(order.limit, context.currency)
    return (
        f"Order {order.id} to {order.side} {units(order.quantity)} {order.symbol} in "
        f"{order.account}, limit {limit}, good until {instant(order.good_until)}."
    )


def _filled(event: OrderFilled, context: _Context) -> Iterator[Fact]:
    fill = event.fill
    order = context.orders.get(fill.order_id)
    names = {
        "order": fill.order_id,
        "symbol": fill.symbol,
        "account": fill.account,
        "plan": "" if order is None else order.plan_id,
    }
    verb = "Bought" if fill.side == "buy" else "Sold"
    text = (
        f"{verb} {units(fill.quantity)} {fill.symbol} in {fill.account} at "
        f"{money(fill.price, context.currency)}, fee {money(fill.fee, context.currency)}; settles "
        f"{fill.settles_on}."
    )
    yield context.fact(text, **names)
    for sale in event.disposals:
        yield Fact(_sold(sale, context).sentence, context.fact("", **names).about)


def _identified(
    event: LotsInstructed | LotsConfirmed | StandingOrderConfirmed | SaleRebooked,
    context: _Context,
) -> Fact:
    """What a broker was told or said about the lots of a sale."""
    match event:
        case LotsInstructed():
            named = listing([f"{units(lot.quantity)} of {lot.acquired}" for lot in event.lots])
            text = f"The broker of {event.account} was told to sell {event.symbol} from {named}."
        case LotsConfirmed():
            text = f"The broker confirmed the lots of {event.order_id}: {event.reference}."
            return context.fact(text)
        case StandingOrderConfirmed():
            text = (
                f"The broker of {event.account} confirmed its standing order, {event.relief}: "
                f"{event.reference}."
            )
            return context.fact(text, account=event.account)
        case SaleRebooked():
            text = (
                f"The sale {event.order_id} of {event.symbol} was booked anew from the lots that "
                "the broker was told of in time."
            )
    return context.fact(text, account=event.account, symbol=event.symbol)


def _sold(sale: Disposal, context: _Context) -> Fact:
    taxed = "" if sale.is_taxed else ", untaxed"
    text = (
        f"Realized: {units(sale.quantity)} {sale.symbol} in {sale.account}, bought on "
        f"{sale.acquired}, sold on {sale.sold}, {sale.term} term{taxed}: gain "
        f"{money(sale.gain, context.currency)}."
    )
    return context.fact(text, symbol=sale.symbol, account=sale.account, order=sale.order_id)


def _about_order(text: str, order: Order, context: _Context) -> Fact:
    return context.fact(
        text, order=order.id, plan=order.plan_id, symbol=order.symbol, account=order.account
    )
