"""What a plan may spend, sell in a day and hold of one symbol, and what it must raise."""

from collections.abc import Iterator
from decimal import Decimal

from trimtab.domain.numbers import (
    CENT,
    DUST,
    ONE,
    ZERO,
    Money,
    Quantity,
    round_to_step,
    round_up_to_step,
)
from trimtab.domain.values import Lot, Relief
from trimtab.rules.plan.check_case import Case, Place, sum_of
from trimtab.rules.plan.check_lots import booked, ranked
from trimtab.rules.words import money, percent

_NEARLY = Decimal("0.99")
"""So much of the day's limit the planner uses at least where it has more to sell."""


def cash_kept(case: Case) -> Iterator[str]:
    """Each account pays for itself, and keeps its reserve and what is due to be withdrawn."""
    currency = case.snapshot.base_currency
    waits = case.policy.orders.unsettled == "wait"
    spent: dict[str, Money] = {}
    for line in case.purchases:
        spent[line.trade.account] = spent.get(line.trade.account, ZERO) - line.cash
    for account, moved in case.moved.items():
        there, settled = case.cash(account)
        stays = min(case.kept[account], there)
        lacking = stays - (there + moved)
        if lacking > DUST:
            yield (
                f"{account} would be left {_cents(lacking, currency)} below the "
                f"{money(stays, currency)} of cash that must stay there, at the limit prices and "
                "with fees."
            )
        beyond = spent.get(account, ZERO) - max(ZERO, min(there, settled) - case.kept[account])
        if waits and beyond > DUST:
            yield (
                f"The purchases in {account} need {_cents(beyond, currency)} more than the settled "
                "cash that may be spent there, and the policy waits for settlement."
            )


def holding_limits(case: Case) -> Iterator[str]:
    """No purchase takes a symbol beyond its part of the whole; what is there already may stay."""
    limits = case.policy.plan.holdings_max
    bought = {line.trade.symbol for line in case.purchases} & limits.keys()
    if not bought:
        return
    units = dict.fromkeys(bought, ZERO)
    for lot in case.snapshot.lots:
        if lot.symbol in units:
            units[lot.symbol] += lot.quantity
    for lines, sign in ((case.purchases, 1), (case.sales, -1)):
        for line in lines:
            if line.trade.symbol in units:
                units[line.trade.symbol] += sign * line.trade.quantity
    for symbol in sorted(bought):
        most = limits[symbol] * case.holdings.total
        beyond = units[symbol] * case.snapshot.price(symbol) - most
        if beyond > DUST:
            yield (
                f"The purchases of {symbol} take it {_cents(beyond, case.snapshot.base_currency)} "
                f"beyond the {percent(limits[symbol])} of the savings that it may be."
            )


def turnover(case: Case) -> Iterator[str]:
    """No more is sold on a New York day than the policy lets, what was sold before it included."""
    sold, before = sum_of(line.value for line in case.sales), case.planning.sold_before
    limit = case.policy.gates.turnover_max
    # What is sold is a part of the whole, so that the whole may always be.
    if not sold or (limit >= ONE and before <= 0):
        return
    currency, most = case.snapshot.base_currency, limit * case.holdings.total
    if sold + before - most > DUST:
        yield (
            f"The sales of {money(sold, currency)}, after {money(before, currency)} earlier today, "
            f"are {_cents(sold + before - most, currency)} beyond the {percent(limit)} of the "
            "savings that may be sold in a day."
        )


def due_raised(case: Case) -> Iterator[str]:
    """What is due to be withdrawn is there, or nothing more that could be sold would bring it.

    An account that lacks of it buys nothing. What could be sold is judged on the careful side: no
    loss that any purchase would wash, and nothing where the day's limit is near. What a purchase
    takes from what was there is judged by `cash_kept`.
    """
    for account in sorted(case.planning.due):
        if account in case.planning.closed or account not in case.snapshot.accounts:
            continue
        short = case.kept[account] - case.cash(account)[0]
        lacking = short - case.moved.get(account, ZERO)
        if case.planning.due[account] <= 0 or min(short, lacking) <= DUST:
            continue
        lacks = (
            f"{account} lacks {_cents(lacking, case.snapshot.base_currency)} of what is due to be "
            "withdrawn and of its reserve,"
        )
        bought = [line.trade.symbol for line in case.purchases if line.trade.account == account]
        if bought:
            yield f"{lacks} and {bought[0]} is bought there."
        for symbol in _saleable(case, account, lacking):
            yield f"{lacks} and more of {symbol} there could be sold for it."
            break


def _saleable(case: Case, account: str, lacking: Money) -> Iterator[str]:
    """The symbols in *account* of which more could be sold for what is *lacking*."""
    if _is_near_the_limit(case, lacking):
        return
    planning, places = case.planning, dict[Place, list[Lot]]()
    traded_today = {(where, case.group(symbol)) for where, symbol in case.bought_today}
    traded_today |= {(line.trade.account, line.market.group) for line in case.purchases}
    for lot in case.snapshot.lots:
        if lot.account == account and lot.symbol in case.classes:
            places.setdefault((account, lot.symbol), []).append(lot)
    sold = {line.place: line.trade.quantity for line in case.sales}
    for place, lots in sorted(places.items()):
        symbol = place[1]
        is_free = symbol not in case.policy.orders.no_sell and symbol in case.snapshot.quotes
        if not is_free or (account, case.group(symbol)) in traded_today:
            continue
        market, before = case.market(symbol), sold.get(place, ZERO)
        most = round_to_step(_units_free(case, account, lots), market.step)
        least = max(before + market.step, case.policy.orders.minimum / market.bid)
        is_all = most == sum_of(lot.quantity for lot in lots)
        if most > before and (most >= least or is_all) and account not in planning.closed:
            yield symbol


def _units_free(case: Case, account: str, lots: list[Lot]) -> Quantity:
    """How many units of *lots* can be sold together, from the front of the order that holds."""
    relief, units = case.relief(account), ZERO
    if relief is Relief.SPECIFIC and case.policy.orders.lot_method == "specified":
        lots = [lot for _, lot in ranked(case, lots)]
    for lot in booked(lots, relief):
        if not case.is_waiting(lot) and not case.may_not_be_lost(lot):
            units += lot.quantity
        elif relief is not Relief.SPECIFIC:
            break
    return units


def _is_near_the_limit(case: Case, lacking: Money) -> bool:
    """Whether the day's limit could be what keeps more than *lacking* from being sold."""
    sold = sum_of(line.value for line in case.sales) + case.planning.sold_before
    steps = sum_of(
        case.snapshot.instruments[symbol].step * quote.ask
        for symbol, quote in case.snapshot.quotes.items()
        if symbol in case.classes
    )
    least = max(case.policy.orders.minimum, lacking) + steps
    return sold + 2 * least > case.policy.gates.turnover_max * case.holdings.total * _NEARLY


def _cents(amount: Money, currency: str) -> str:
    """What is lacking, rounded up: a fault is never told as nothing."""
    return money(round_up_to_step(amount, CENT), currency)
