"""Sales: the excess of what is heavy, from the lots that cost least tax per dollar."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from trimtab.domain.numbers import ZERO, Money, round_to_step, share_of
from trimtab.domain.policy import LotMethod
from trimtab.domain.trades import BandState, Drift, LotPick, Refusal, Side, Trade
from trimtab.domain.values import Account, Lot, LotPiece, Relief, Snapshot, trade_date
from trimtab.rules.holdings import class_of
from trimtab.rules.plan.table import Planning, Table
from trimtab.rules.tax.locks import RecentPurchase
from trimtab.rules.tax.lots import picks_of, rate_of, selling_order, unit_tax
from trimtab.rules.tax.wash import identical_symbols
from trimtab.rules.words import listing, money, percent, points

Place = tuple[str, str]
"""An account and a symbol held in it."""


class _Head(NamedTuple):
    """The next lot that a place would sell, ranked by tax per dollar."""

    tax_rate: Money
    rank: int
    place: Place


def sell_excess(table: Table) -> list[Trade]:
    """Sales that bring the heavy classes under correction down to their goal.

    Most classes are sold only as far as something light can be bought with the proceeds.
    """
    if not table.still_out():
        return []
    goals = table.goals()
    at_any_rate: dict[str, Money] = {}
    for_others: dict[str, Money] = {}
    for drift in table.correcting:
        name = drift.asset_class
        excess = drift.value - goals[name]
        if name != table.cash_class and excess > table.tolerance(name):
            amounts = at_any_rate if _is_sold_into_cash(table, drift) else for_others
            amounts[name] = excess
    trades = _sell(table, at_any_rate, sum(at_any_rate.values(), ZERO))
    return trades or _sell_for_others(table, for_others)


def sell_to_fund(table: Table) -> list[Trade]:
    """The cheapest sales of anything above its goal, for what light classes need and no more.

    Only a class under correction is funded, and only one that the proceeds can buy.
    """
    if not table.still_out():
        return []
    goals = table.goals()
    amounts = {
        name: value - goals[name]
        for name, value in table.values.items()
        if name != table.cash_class and value - goals[name] > table.tolerance(name)
    }
    needed = _needs(table, goals)
    return _sell(table, amounts, needed) if needed > 0 else []


def _is_sold_into_cash(table: Table, drift: Drift) -> bool:
    """Whether the class is sold even when its proceeds can buy nothing.

    So are coins, whose dollars stay in the wallet, what the household wants none of, and what is
    risky while the defensive posture reduces risk.
    """
    rule = table.planning.policy.classes[drift.asset_class]
    is_risk_reduced = table.planning.forbids_risky_purchases and rule.risk == "risky"
    return table.in_wallets or drift.target == 0 or is_risk_reduced


def _sell_for_others(table: Table, amounts: Mapping[str, Money]) -> list[Trade]:
    """Sales of up to *amounts*, as far as what is light can take their proceeds."""
    room = _room(table)
    useful = {name: amount for name, amount in amounts.items() if room > table.tolerance(name)}
    currency = table.snapshot.base_currency
    table.refusals += [
        Refusal(
            asset_class=name,
            sentence=(
                f"{name} stays {money(amount, currency)} above its goal: its proceeds could buy "
                "nothing that is light now, so a sale would mend nothing."
            ),
        )
        for name, amount in amounts.items()
        if name not in useful and table.has_home(name)
    ]
    return _sell(table, useful, min(room, sum(useful.values(), ZERO)))


def _room(table: Table) -> Money:
    """What the light classes can still take beyond the cash that is there for them."""
    accounts = table.open_accounts()
    cash = sum(table.free.values(), ZERO)
    room = ZERO
    for name, target in table.on_target().items():
        gap = target - table.values[name]
        if name == table.cash_class:
            cash = min(cash, -gap)
        elif gap >= table.planning.policy.orders.minimum and any(
            table.can_be_bought(name, account) for account in accounts
        ):
            room += max(ZERO, gap)
    return room - cash


def method_of(account: Account, chosen: LotMethod) -> LotMethod:
    """The order in which this account's broker books lots; the policy's only where it may name."""
    match account.relief:
        case Relief.FIFO:
            return "fifo"
        case Relief.HIFO:
            return "hifo"
        case Relief.SPECIFIC:
            return chosen


def _needs(table: Table, goals: Mapping[str, Money]) -> Money:
    """What the light classes under correction lack beyond the cash that is there for them."""
    cash = sum(table.free.values(), ZERO)
    if table.cash_class is not None:
        cash = min(cash, table.values[table.cash_class] - table.keep)
    accounts = table.open_accounts()
    lacking = [
        goals[drift.asset_class] - drift.value
        for drift in table.correcting
        if goals[drift.asset_class] - drift.value > table.tolerance(drift.asset_class)
        and drift.asset_class != table.cash_class
        and any(table.can_be_bought(drift.asset_class, account) for account in accounts)
    ]
    is_cash_light = any(drift.asset_class == table.cash_class for drift in table.correcting)
    if cash < 0 and (not is_cash_light or table.in_wallets):
        cash = ZERO
    return sum(lacking, ZERO) - cash


def _sell(table: Table, amounts: Mapping[str, Money], most: Money) -> list[Trade]:
    """Orders that sell up to *amounts* of each class and *most* of all, cheapest lots first.

    Nothing that the plan bought is sold; a place whose order would be too small is passed over.
    """
    classes = table.planning.policy.classes
    amounts = {
        name: amount
        for name, amount in amounts.items()
        if table.bought.isdisjoint(classes[name].members)
    }
    skipped: set[Place] = set()
    while True:
        taken = _choose(table, dict(amounts), most, skipped)
        trades = [trade for place in taken if (trade := _sale(table, place, taken[place]))]
        too_small = set(taken) - {(trade.account, trade.symbol) for trade in trades}
        too_small |= _swallowed(table, trades)
        if not too_small:
            return trades
        skipped |= too_small


def _swallowed(table: Table, trades: Sequence[Trade]) -> set[Place]:
    """Places whose proceeds would all stay in a reserve that lacks them: they heal no drift."""
    brought: dict[str, Money] = {}
    for trade in trades:
        proceeds = trade.quantity * table.unit_proceeds(trade.symbol)
        brought[trade.account] = brought.get(trade.account, ZERO) + proceeds
    return {
        (trade.account, trade.symbol)
        for trade in trades
        if brought[trade.account] <= table.short.get(trade.account, ZERO)
    }


def _choose(
    table: Table, amounts: dict[str, Money], most: Money, skipped: set[Place]
) -> dict[Place, list[LotPick]]:
    """Lots to sell by place: always the head lot with the least tax per dollar next."""
    queues = _queues(table, set(amounts), skipped)
    taken: dict[Place, list[LotPick]] = {}
    while queues:
        head = min(_head(table, place, lots[0]) for place, lots in queues.items())
        lot = queues[head.place].pop(0)
        if not queues[head.place]:
            del queues[head.place]
        name = _class_name(table, lot.symbol)
        mid = table.snapshot.price(lot.symbol)
        quantity = min(lot.quantity, min(amounts[name], most) / mid)
        if quantity <= 0:
            queues.pop(head.place, None)
            continue
        taken.setdefault(head.place, []).append(LotPick(lot_id=lot.id, quantity=quantity))
        amounts[name] -= quantity * mid
        most -= quantity * mid
    return taken


def _queues(table: Table, classes: set[str], skipped: set[Place]) -> dict[Place, list[Lot]]:
    """The lots of *classes* that may be sold, by place, in the order in which it sells them."""
    orders = table.planning.policy.orders
    names = class_of(table.planning.policy)
    held: dict[Place, list[Lot]] = {}
    accounts = {account.id for account in table.open_accounts()}
    for lot in table.snapshot.lots:
        place = (lot.account, lot.symbol)
        is_open = lot.account in accounts and place not in skipped
        if not is_open or names.get(lot.symbol) not in classes:
            continue
        if lot.symbol in orders.no_sell:
            why_not = f"{lot.symbol} in {lot.account} is kept: it is on the policy's no_sell list."
            _refuse(table, lot, why_not)
        else:
            held.setdefault(place, []).append(lot)
    queues = {}
    for (account_id, symbol), lots in sorted(held.items()):
        account = table.snapshot.accounts[account_id]
        ordered = selling_order(
            _as_booked(lots) if account.relief is Relief.HIFO else lots,
            method_of(account, orders.lot_method),
            price=table.snapshot.quotes[symbol].bid,
            on=table.today,
            tax=table.planning.tax if account.kind.is_taxed else None,
            specified=orders.specified,
        )
        by_id = {lot.id: lot for lot in lots}
        ordered = [by_id[lot.id] for lot in ordered]
        recent = table.planning.recent.get((table.planning.taxpayers[account_id], symbol), ())
        sellable = _sellable(table, account, ordered, recent)
        if sellable:
            queues[account_id, symbol] = sellable
    return queues


def _as_booked(lots: Sequence[Lot]) -> list[Lot]:
    """*lots* at what was paid for them: a standing order of the broker ranks by its own books."""
    return [replace(lot, basis=lot.paid) if isinstance(lot, LotPiece) else lot for lot in lots]


def _sellable(
    table: Table, account: Account, ordered: list[Lot], recent: Sequence[RecentPurchase]
) -> list[Lot]:
    """Lots that may go: settled ones, and none whose loss a recent purchase would wash.

    Where the broker books by its own order, a lot that may not go stops the ones behind it.
    """
    sellable = []
    for lot in ordered:
        why_not = _why_not(table, account, lot, recent)
        if why_not is None:
            sellable.append(lot)
            continue
        _refuse(table, lot, why_not)
        if account.relief is not Relief.SPECIFIC:
            break
    return sellable


def _refuse(table: Table, lot: Lot, why_not: str) -> None:
    name = _class_name(table, lot.symbol)
    table.refusals.append(
        Refusal(asset_class=name, sentence=why_not, account=lot.account, symbol=lot.symbol)
    )


def _why_not(
    table: Table, account: Account, lot: Lot, recent: Sequence[RecentPurchase]
) -> str | None:
    if lot.sellable_from is not None and table.today < lot.sellable_from:
        return (
            f"{lot.symbol} bought on {lot.acquired} in {account.id} was paid with unsettled money: "
            f"it is kept until {lot.sellable_from}."
        )
    if not table.is_wash_loss(lot):
        return None
    identical = identical_symbols(lot.symbol, table.planning.tax.identical)
    own = lot.lot_id if isinstance(lot, LotPiece) else lot.id
    others = [other for other in recent if not other.covers(account.id, own)]
    if others:
        other = others[-1]
        return (
            f"{lot.symbol} of {lot.acquired} in {account.id} is kept: {other.symbol} was bought in "
            f"{other.account} on {other.acquired}, so its loss would be a wash sale."
        )
    coming = [
        one
        for one in table.snapshot.scheduled
        if one.symbol in identical
        and table.planning.taxpayers[one.account] == table.planning.taxpayers[account.id]
    ]
    if coming:
        one = coming[0]
        return (
            f"{lot.symbol} of {lot.acquired} in {account.id} is kept: {one.symbol} will be bought "
            f"by itself in {one.account} on {one.date}, so its loss would be a wash sale."
        )
    if identical & table.bought:
        return f"{lot.symbol} of {lot.acquired} in {account.id} is kept: this plan buys the same."
    return None


def _head(table: Table, place: Place, lot: Lot) -> _Head:
    account = table.snapshot.accounts[place[0]]
    bid = table.snapshot.quotes[lot.symbol].bid
    tax_rate = ZERO
    if account.kind.is_taxed:
        tax_rate = unit_tax(lot, bid, table.today, table.planning.tax) / bid
    members = table.planning.policy.classes[_class_name(table, lot.symbol)].members
    return _Head(tax_rate=tax_rate, rank=-members.index(lot.symbol), place=place)


def _sale(table: Table, place: Place, picks: list[LotPick]) -> Trade | None:
    """The picks of one place as an executable order, or None when it is too small."""
    account_id, symbol = place
    wanted = sum((pick.quantity for pick in picks), ZERO)
    quantity = round_to_step(wanted, table.snapshot.instruments[symbol].step)
    lots = {lot.id: lot for lot in table.snapshot.lots}
    trade = table.trade_of(symbol, account_id, Side.SELL, quantity)
    held = sum((lot.quantity for lot in lots.values() if (lot.account, lot.symbol) == place), ZERO)
    if quantity == 0:
        return None
    if trade.value < table.planning.policy.orders.minimum and quantity < held:
        return None
    return replace(
        trade,
        lots=picks_of([lots[pick.lot_id] for pick in picks], quantity),
        reason=_reason(table, trade),
    )


_ORDERS: Mapping[LotMethod, str] = {
    "fifo": "first in, first out",
    "lifo": "last in, first out",
    "hifo": "highest cost first",
    "specified": "the lots that the policy names, in their order",
}


def _order_of(account: Account, chosen: LotMethod) -> str:
    """Why it is these lots that a sale in *account* takes."""
    method = method_of(account, chosen)
    if method == "min_tax":
        return "these lots cost the least tax that the account allows"
    if account.relief is Relief.SPECIFIC:
        return (
            _ORDERS[method] if method == "specified" else f"{_ORDERS[method]}, as the policy says"
        )
    return f"{_ORDERS[method]}, as the account's broker books them"


def with_tax(trade: Trade, snapshot: Snapshot, planning: Planning) -> Trade:
    """*trade* with the gain that its lots would realize, the tax on it, and both in its reason."""
    if trade.side is Side.BUY:
        return trade
    account, tax = snapshot.accounts[trade.account], planning.tax
    if not account.kind.is_taxed:
        return replace(trade, reason=f"{trade.reason}; a sale in this account is not taxed.")
    on, currency = trade_date(snapshot.at), snapshot.base_currency
    lots = {lot.id: lot for lot in snapshot.lots}
    gain = owed = ZERO
    for pick in trade.lots:
        lot = lots[pick.lot_id]
        proceeds = share_of(trade.value - trade.cost, pick.quantity, trade.quantity)
        part = proceeds - share_of(lot.basis, pick.quantity, lot.quantity)
        gain += part
        owed += part * rate_of(lot.holding_since, on, tax)
    words = "loss" if gain < 0 else "gain"
    effect = "which saves" if owed < 0 else "which costs"
    text = (
        f"{trade.reason}; {_order_of(account, planning.policy.orders.lot_method)}: a {words} of "
        f"{money(abs(gain), currency)}, {effect} {money(abs(owed), currency)} of tax"
        f"{_reinvested(trade, snapshot, planning) if gain < 0 else ''}."
    )
    return replace(trade, gain=gain, tax=owed, reason=text)


def _reinvested(trade: Trade, snapshot: Snapshot, planning: Planning) -> str:
    """What may wash a part of a loss on days that nobody can name."""
    identical = identical_symbols(trade.symbol, planning.tax.identical)
    accounts = {
        lot.account
        for lot in snapshot.lots
        if lot.symbol in identical and snapshot.accounts[lot.account].reinvests
    }
    if not accounts or planning.wash.is_exempt(trade.symbol, trade_date(snapshot.at)):
        return ""
    return f"; dividends reinvested in {listing(sorted(accounts))} may wash a part of it"


def _reason(table: Table, trade: Trade) -> str:
    measured = next(d for d in table.planning.drifts if d.asset_class == trade.asset_class)
    text = (
        f"{trade.asset_class} is {percent(measured.weight)} of the savings, "
        f"{points(abs(measured.drift))} {'above' if measured.drift > 0 else 'below'} its target of "
        f"{percent(measured.target)}"
    )
    if measured.state is not BandState.CORRECTING:
        light = [d.asset_class for d in table.correcting if d.drift < 0]
        text += f"; its sale pays for {' and '.join(light) or 'what is light'}"
    return text


def _class_name(table: Table, symbol: str) -> str:
    for name, rule in table.planning.policy.classes.items():
        if symbol in rule.members:
            return name
    msg = f"{symbol} belongs to no class"
    raise AssertionError(msg)
