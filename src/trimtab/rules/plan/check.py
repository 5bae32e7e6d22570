"""The last look at a plan before it leaves: every rule again, with none of the planner's own code.

The planner chooses amounts in float64 and rounds them to orders. Here each rule is asked of the
orders themselves, as they would be filled at their limits, in exact Decimals and in plain words. A
fault found is a bug of the planner: such a plan must not leave.

What was bought and lost before this plan is known to the tax ledger alone: units that are sold
since, that have replaced a loss or that came by one purchase cannot be told from the lots. Wash
locks and recent purchases are therefore taken from the planning; that no wash sale arises is shown
by tests that book whole turns in a ledger. How many orders a plan may have, and how large one may
be, the planner does not promise: the gates hold such a plan, and show it.
"""

from collections.abc import Callable, Iterator, Sequence
from decimal import localcontext
from itertools import pairwise
from typing import TYPE_CHECKING

from trimtab.domain.numbers import DUST, EXACT, ZERO
from trimtab.domain.trades import Certificate, Side, Trade
from trimtab.domain.values import Quote, Snapshot
from trimtab.rules.holdings import may_hold
from trimtab.rules.plan.check_case import Case, Line, told
from trimtab.rules.plan.check_lots import as_booked, as_chosen, named
from trimtab.rules.plan.check_money import cash_kept, due_raised, holding_limits, turnover
from trimtab.rules.plan.check_proof import proof_faults
from trimtab.rules.tax.locks import RecentPurchase
from trimtab.rules.words import money

if TYPE_CHECKING:
    from trimtab.rules.plan.planning import Planning


def faults(
    snapshot: Snapshot,
    planning: "Planning",
    trades: Sequence[Trade],
    proof: Certificate | None = None,
) -> tuple[str, ...]:
    """What *trades* break of the rules of *planning*, a sentence each; empty when they may go.

    *snapshot* is what they were planned for, with lots as the tax ledger has them, and *proof*
    what the plan says of itself. What lacks an account, a price or a number that can be counted
    with is told alone: nothing else can be judged without it. Less money than `DUST` is no fault.
    """
    if not trades:
        return ()
    ordered = sorted(trades, key=lambda t: (t.account, t.symbol, t.side, t.quantity))
    with localcontext(EXACT):
        unreadable = _unreadable(snapshot, ordered)
        if unreadable:
            return tuple(dict.fromkeys(unreadable))
        case = Case(snapshot, planning, ordered)
        found = [text for rule in _RULES for text in rule(case)]
        if proof is not None:
            found += proof_faults(case, proof)
        return tuple(dict.fromkeys(found))


def _unreadable(snapshot: Snapshot, trades: Sequence[Trade]) -> list[str]:
    """What keeps *trades* from being judged at all."""
    found, judged = list[str](), dict[str, bool]()
    for trade in trades:
        symbol = trade.symbol
        if trade.account not in snapshot.accounts:
            found.append(f"{told(trade)} is in an account that the household does not have.")
        if symbol not in judged:
            judged[symbol] = symbol in snapshot.quotes and _is_market(snapshot.quotes[symbol])
        if symbol not in snapshot.instruments:
            found.append(f"{told(trade)} is of an instrument that the household does not know.")
        elif not judged[symbol]:
            found.append(
                f"{told(trade)} has no quote with a bid above zero and an ask that is not below it."
            )
        is_countable = all(pick.quantity.is_finite() for pick in trade.lots) and all(
            number.is_finite() for number in (trade.quantity, trade.price, trade.cost)
        )
        if not is_countable:
            found.append(f"{told(trade)} has an amount that is not a number.")
    return found


def _sizes(case: Case) -> Iterator[str]:
    """Every order is one that a broker takes: its quantity, its price and its size."""
    least = case.policy.orders.minimum
    for line in case.lines:
        trade, market = line.trade, line.market
        is_sale = trade.side is Side.SELL
        at_market = market.bid if is_sale else market.ask
        if trade.quantity <= 0:
            yield f"{told(trade)} is of {trade.quantity:f} units: it must be of more than none."
        elif trade.quantity % market.step != 0 or line.value < least:
            yield from _too_fine_or_small(case, line)
        if trade.price != at_market:
            yield f"{told(trade)} is planned at {trade.price:f}, and the quote is {at_market:f}."
        if (market.lowest if is_sale else market.highest) <= 0:
            yield f"{told(trade)} would go at any price: the policy's slippage leaves no limit."
        if trade.cost < 0:
            yield f"{told(trade)} expects fees of less than zero."


def _too_fine_or_small(case: Case, line: Line) -> Iterator[str]:
    """Only what sells all that there is, the dust below a step as well, may be of any size."""
    trade, currency = line.trade, case.snapshot.base_currency
    if trade.side is Side.SELL and trade.quantity == case.held(line.place):
        return
    if trade.quantity % line.market.step != 0:
        yield (
            f"{told(trade)} is of {trade.quantity:f} units, which is no multiple of its "
            f"step of {line.market.step:f}."
        )
    if line.value < case.policy.orders.minimum:
        yield (
            f"{told(trade)} is worth {money(line.value, currency)}, less than the "
            f"smallest order of {money(case.policy.orders.minimum, currency)}."
        )


def _one_way(case: Case) -> Iterator[str]:
    """One order a place and side, and nothing both sold and bought in an account on one day."""
    for first, second in pairwise(case.lines):
        if first.place == second.place and first.trade.side is second.trade.side:
            yield f"{told(first.trade)} is planned twice: it must be one order."
    bought = {(line.trade.account, line.market.group): line.trade.symbol for line in case.purchases}
    for line in case.sales:
        symbol = bought.get((line.trade.account, line.market.group))
        if symbol is not None:
            same = _same(line.trade.symbol, symbol)
            yield f"{told(line.trade)} goes with a purchase of {same} in the same account."
    yield from _one_way_today(case)


def _one_way_today(case: Case) -> Iterator[str]:
    """Nothing that was sold in an account earlier today is bought there, nor the other way."""
    for lines, places, earlier in (
        (case.sales, case.bought_today, "bought"),
        (case.purchases, case.planning.sold_today, "sold"),
    ):
        done = {(account, case.group(symbol)): symbol for account, symbol in sorted(places)}
        if not done:
            continue
        for line in lines:
            symbol = done.get((line.trade.account, line.market.group))
            if symbol is not None:
                same = _same(line.trade.symbol, symbol)
                yield (
                    f"{told(line.trade)} comes after {same} was {earlier} in that account earlier "
                    "today."
                )


def _same(symbol: str, other: str) -> str:
    return "it" if other == symbol else f"the identical {other}"


def _permissions(case: Case) -> Iterator[str]:
    """What the policy, the account and the posture let be traded."""
    planning = case.planning
    for line in case.lines:
        trade = line.trade
        if trade.account in planning.closed:
            why = planning.closed[trade.account].rstrip(".")
            yield f"{told(trade)} is in an account that may not be traded now: {why}."
        name = case.classes.get(trade.symbol)
        if name is None:
            yield f"{told(trade)} is of an instrument that belongs to no class."
        elif trade.asset_class != name:
            yield f"{told(trade)} is told to be of {trade.asset_class}, and belongs to {name}."
        if trade.side is Side.BUY:
            yield from _purchase_permissions(case, trade, name)
        elif trade.symbol in case.policy.orders.no_sell:
            yield f"{told(trade)} is forbidden by the policy's no_sell list."


def _purchase_permissions(case: Case, trade: Trade, name: str | None) -> Iterator[str]:
    policy, account = case.policy, case.snapshot.accounts[trade.account]
    if trade.symbol in policy.orders.no_buy:
        yield f"{told(trade)} is forbidden by the policy's no_buy list."
    if not may_hold(account.kind, case.snapshot.instruments[trade.symbol]):
        yield f"{told(trade)} is of what an account of the kind {account.kind} cannot hold."
    is_reducing = case.planning.is_defensive and policy.defensive.posture == "reduce_only"
    base = case.snapshot.base_currency
    if is_reducing and name is not None and policy.classes[name].is_risky(base):
        yield f"{told(trade)} adds to the risky class {name} in the defensive posture."


def _wash_sales(case: Case) -> Iterator[str]:
    """No taxpayer's purchase washes a loss of theirs: one before, one planned, or one to come."""
    planning = case.planning
    if planning.wash_locks:
        for line in case.purchases:
            trade = line.trade
            lock = planning.wash_locks.get((planning.taxpayers[trade.account], trade.symbol))
            if lock is not None:
                yield (
                    f"{told(trade)} would wash the loss of {lock.symbol} sold in {lock.account} on "
                    f"{lock.sold}: it may be bought from {lock.safe_from}."
                )
    for line in case.sales:
        taxpayer, symbol = planning.taxpayers[line.trade.account], line.trade.symbol
        recent = planning.recent.get((taxpayer, symbol), ())
        buying = case.washing.get((taxpayer, line.market.group), ())
        if (recent or buying) and case.reaches(line.trade.account, symbol):
            yield from _washed(case, line, recent, buying)


def _washed(
    case: Case, line: Line, recent: Sequence[RecentPurchase], buying: Sequence[str]
) -> Iterator[str]:
    """The lots that the sale could take at a loss, at its limit, with what would replace them."""
    trade = line.trade
    for name in line.taken:
        lot = case.lots[line.place].get(name)
        if lot is None or line.cash * lot.quantity >= (lot.basis - DUST) * trade.quantity:
            continue
        purchases = [
            f"{one.symbol} in {one.account} on {one.acquired}"
            for one in recent
            if not one.covers(trade.account, lot.root) and not case.sells_before(line, one, name)
        ]
        for text in (*purchases, *buying):
            yield f"{told(trade)} takes a loss on lot {lot.id} that is washed by buying {text}."


_Rule = Callable[[Case], Iterator[str]]
_RULES: tuple[_Rule, ...] = (
    *(_sizes, named, _one_way, _permissions, cash_kept, holding_limits, turnover, due_raised),
    *(as_booked, as_chosen, _wash_sales),
)


def _is_market(quote: Quote) -> bool:
    return quote.bid.is_finite() and quote.ask.is_finite() and ZERO < quote.bid <= quote.ask
