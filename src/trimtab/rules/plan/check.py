"""The last look at a plan before it leaves: every rule again, with none of the planner's own code.

The planner chooses amounts in float64 and rounds them to orders. Here each rule is asked of the
orders themselves, as they would be filled at their limits, in exact Decimals and in plain words. A
fault found is a bug of the planner: such a plan must not leave.
"""

from collections.abc import Callable, Iterator, Sequence
from decimal import localcontext
from itertools import pairwise
from typing import TYPE_CHECKING

from trimtab.domain.numbers import CENT, DUST, EXACT, ZERO, Money, Quantity, round_up_to_step
from trimtab.domain.trades import Side, Trade
from trimtab.domain.values import Quote, Snapshot, trade_date
from trimtab.rules.holdings import class_of, holdings, may_hold, reserves
from trimtab.rules.plan.check_case import (
    Case,
    case_of,
    name_of,
    place_of,
    root_of,
    sum_of,
    told,
    washing,
)
from trimtab.rules.plan.check_lots import as_booked, as_chosen
from trimtab.rules.words import money, percent

if TYPE_CHECKING:
    from trimtab.rules.plan.planning import Planning


def faults(snapshot: Snapshot, planning: "Planning", trades: Sequence[Trade]) -> tuple[str, ...]:
    """What *trades* break of the rules of *planning*, a sentence each; empty when they may go.

    *snapshot* is what they were planned for, with lots as the tax ledger has them. What lacks an
    account, a price or a number that can be counted with is told alone: nothing else can be judged
    without it. Less money than `DUST` is no fault.
    """
    if not trades:
        return ()
    ordered = tuple(sorted(trades, key=lambda t: (t.account, t.symbol, t.side, t.quantity)))
    with localcontext(EXACT):
        unreadable = [text for trade in ordered for text in _unreadable(snapshot, trade)]
        if unreadable:
            return tuple(dict.fromkeys(unreadable))
        case = case_of(snapshot, planning, ordered)
        return tuple(dict.fromkeys(text for rule in _RULES for text in rule(case)))


def _unreadable(snapshot: Snapshot, trade: Trade) -> Iterator[str]:
    """What keeps *trade* from being judged at all."""
    if trade.account not in snapshot.accounts:
        yield f"{told(trade)} is in an account that the household does not have."
    if trade.symbol not in snapshot.instruments:
        yield f"{told(trade)} is of an instrument that the household does not know."
    elif trade.symbol not in snapshot.quotes or not _is_market(snapshot.quotes[trade.symbol]):
        yield f"{told(trade)} has no quote with a bid above zero and an ask that is not below it."
    numbers = (trade.quantity, trade.price, trade.cost, *(pick.quantity for pick in trade.lots))
    if not all(number.is_finite() for number in numbers):
        yield f"{told(trade)} has an amount that is not a number."


def _sizes(case: Case) -> Iterator[str]:
    """Every order is one that a broker takes: its quantity, its price and its size."""
    currency, least = case.snapshot.base_currency, case.planning.policy.orders.minimum
    for trade in case.trades:
        quote = case.snapshot.quotes[trade.symbol]
        step = case.snapshot.instruments[trade.symbol].step
        at_market = quote.ask if trade.side is Side.BUY else quote.bid
        if trade.quantity <= 0:
            yield f"{told(trade)} is of {trade.quantity:f} units: it must be of more than none."
        elif not case.is_whole(trade):
            if trade.quantity % step != 0:
                yield (
                    f"{told(trade)} is of {trade.quantity:f} units, which is no multiple of its "
                    f"step of {step:f}."
                )
            if trade.value < least:
                yield (
                    f"{told(trade)} is worth {money(trade.value, currency)}, less than the "
                    f"smallest order of {money(least, currency)}."
                )
        if trade.price != at_market:
            yield f"{told(trade)} is planned at {trade.price:f}, and the quote is {at_market:f}."
        if case.limit(trade) <= 0:
            yield f"{told(trade)} would go at any price: the policy's slippage leaves no limit."
        if trade.cost < 0:
            yield f"{told(trade)} expects fees of less than zero."


def _lots(case: Case) -> Iterator[str]:
    """A sale names units that are there, all of them and none twice; a purchase names none."""
    taken: dict[str, Quantity] = {}
    for trade in case.trades:
        named = sum_of(pick.quantity for pick in trade.lots)
        if trade.side is Side.BUY:
            if trade.lots:
                yield f"{told(trade)} names lots, which only a sale does."
            continue
        if named != trade.quantity:
            yield f"{told(trade)} is of {trade.quantity:f} units, and its lots of {named:f}."
        for pick in trade.lots:
            name = name_of(pick)
            lot = case.lots.get(name)
            if lot is None or (lot.account, lot.symbol) != place_of(trade):
                yield f"{told(trade)} names lot {name}, which is not there."
            elif pick.quantity <= 0:
                yield f"{told(trade)} takes {pick.quantity:f} units of lot {name}."
            else:
                taken[name] = taken.get(name, ZERO) + pick.quantity
    for name, quantity in taken.items():
        lot = case.lots[name]
        if quantity > lot.quantity:
            yield (
                f"{quantity:f} units of lot {name} of {lot.symbol} in {lot.account} would be sold, "
                f"and it holds {lot.quantity:f}."
            )


def _one_way(case: Case) -> Iterator[str]:
    """One order a place and side, and nothing both sold and bought in an account on one day."""
    for first, second in pairwise(case.trades):
        if (place_of(first), first.side) == (place_of(second), second.side):
            yield f"{told(first)} is planned twice: it must be one order."
    bought = {(trade.account, case.group(trade.symbol)): trade.symbol for trade in case.purchases}
    for sale in case.sales:
        symbol = bought.get((sale.account, case.group(sale.symbol)))
        if symbol is not None:
            same = _same(sale.symbol, symbol)
            yield f"{told(sale)} goes with a purchase of {same} in the same account."
    yield from _one_way_today(case)


def _one_way_today(case: Case) -> Iterator[str]:
    """Nothing that was sold in an account earlier today is bought there, nor the other way."""
    today = trade_date(case.snapshot.at)
    there = {
        Side.SELL: {
            (lot.account, lot.symbol) for lot in case.lots.values() if lot.acquired == today
        },
        Side.BUY: case.planning.sold_today,
    }
    done = {
        side: {(account, case.group(symbol)): symbol for account, symbol in sorted(places)}
        for side, places in there.items()
    }
    for trade in case.trades:
        symbol = done[trade.side].get((trade.account, case.group(trade.symbol)))
        if symbol is not None:
            earlier = "bought" if trade.side is Side.SELL else "sold"
            same = _same(trade.symbol, symbol)
            yield f"{told(trade)} comes after {same} was {earlier} in that account earlier today."


def _same(symbol: str, other: str) -> str:
    return "it" if other == symbol else f"the identical {other}"


def _permissions(case: Case) -> Iterator[str]:
    """What the policy, the account and the posture let be traded."""
    planning = case.planning
    classes = class_of(planning.policy)
    for trade in case.trades:
        if trade.account in planning.closed:
            why = planning.closed[trade.account].rstrip(".")
            yield f"{told(trade)} is in an account that may not be traded now: {why}."
        name = classes.get(trade.symbol)
        if name is None:
            yield f"{told(trade)} is of an instrument that belongs to no class."
        elif trade.asset_class != name:
            yield f"{told(trade)} is told to be of {trade.asset_class}, and belongs to {name}."
        if trade.side is Side.BUY:
            yield from _purchase_permissions(case, trade, name)
        elif trade.symbol in planning.policy.orders.no_sell:
            yield f"{told(trade)} is forbidden by the policy's no_sell list."


def _purchase_permissions(case: Case, trade: Trade, name: str | None) -> Iterator[str]:
    policy, account = case.planning.policy, case.snapshot.accounts[trade.account]
    if trade.symbol in policy.orders.no_buy:
        yield f"{told(trade)} is forbidden by the policy's no_buy list."
    if not may_hold(account.kind, case.snapshot.instruments[trade.symbol]):
        yield f"{told(trade)} is of what an account of the kind {account.kind} cannot hold."
    is_reducing = case.planning.is_defensive and policy.defensive.posture == "reduce_only"
    if is_reducing and name is not None and policy.classes[name].risk == "risky":
        yield f"{told(trade)} adds to the risky class {name} in the defensive posture."


def _cash(case: Case) -> Iterator[str]:
    """Each account pays for itself, and keeps its reserve and what is due to be withdrawn."""
    snapshot, currency = case.snapshot, case.snapshot.base_currency
    waits = case.planning.policy.orders.unsettled == "wait"
    kept = reserves(case.planning.policy, snapshot.accounts)
    for account, amount in case.planning.due.items():
        kept[account] = kept.get(account, ZERO) + amount
    for account in dict.fromkeys(trade.account for trade in case.trades):
        own = [b for b in snapshot.balances if (b.account, b.currency) == (account, currency)]
        there, settled = sum_of(b.amount for b in own), sum_of(b.settled for b in own)
        spent = -sum_of(case.cash(trade) for trade in case.purchases if trade.account == account)
        brought = sum_of(case.cash(trade) for trade in case.sales if trade.account == account)
        stays = min(kept[account], there)
        lacking = stays - (there + brought - spent)
        if lacking > DUST:
            yield (
                f"{account} would be left {_cents(lacking, currency)} below the "
                f"{money(stays, currency)} of cash that must stay there, at the limit prices and "
                "with fees."
            )
        beyond = spent - max(ZERO, min(there, settled) - kept[account])
        if waits and beyond > DUST:
            yield (
                f"The purchases in {account} need {_cents(beyond, currency)} more than the settled "
                "cash that may be spent there, and the policy waits for settlement."
            )


def _holding_limits(case: Case) -> Iterator[str]:
    """No purchase takes a symbol beyond its part of the whole; what is there already may stay."""
    limits = case.planning.policy.plan.holdings_max
    bought = {trade.symbol for trade in case.purchases} & limits.keys()
    if not bought:
        return
    total = holdings(case.snapshot, case.planning.policy).total
    for symbol in sorted(bought):
        units = sum_of(lot.quantity for lot in case.snapshot.lots if lot.symbol == symbol)
        units += sum_of(
            trade.quantity if trade.side is Side.BUY else -trade.quantity
            for trade in case.trades
            if trade.symbol == symbol
        )
        beyond = units * case.snapshot.price(symbol) - limits[symbol] * total
        if beyond > DUST:
            yield (
                f"The purchases of {symbol} take it {_cents(beyond, case.snapshot.base_currency)} "
                f"beyond the {percent(limits[symbol])} of the savings that it may be."
            )


def _wash_sales(case: Case) -> Iterator[str]:
    """No taxpayer's purchase washes a loss of theirs: one before, one planned, or one to come."""
    planning = case.planning
    for trade in case.purchases:
        lock = planning.wash_locks.get((planning.taxpayers[trade.account], trade.symbol))
        if lock is not None:
            yield (
                f"{told(trade)} would wash the loss of {lock.symbol} sold in {lock.account} on "
                f"{lock.sold}: it may be bought from {lock.safe_from}."
            )
    buying = washing(case)
    for sale, lot in case.losses():
        taxpayer = planning.taxpayers[sale.account]
        purchases = [
            f"{one.symbol} in {one.account} on {one.acquired}"
            for one in planning.recent.get((taxpayer, sale.symbol), ())
            if not one.covers(sale.account, root_of(lot))
        ]
        for text in (*purchases, *buying.get((taxpayer, case.group(sale.symbol)), ())):
            yield f"{told(sale)} takes a loss on lot {lot.id} that is washed by buying {text}."


_Rule = Callable[[Case], Iterator[str]]
_RULES: tuple[_Rule, ...] = (
    *(_sizes, _lots, _one_way, _permissions),
    *(_cash, _holding_limits, as_booked, as_chosen, _wash_sales),
)


def _is_market(quote: Quote) -> bool:
    return quote.bid.is_finite() and quote.ask.is_finite() and ZERO < quote.bid <= quote.ask


def _cents(amount: Money, currency: str) -> str:
    """What is lacking, rounded up: a fault is never told as nothing."""
    return money(round_up_to_step(amount, CENT), currency)
