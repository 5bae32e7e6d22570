"""Purchases: sized from shortfalls, each within its own account's cash."""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from trimtab.domain.numbers import ZERO, Money, round_to_step
from trimtab.domain.policy import band_policy
from trimtab.domain.trades import BandState, Refusal, Side, Trade
from trimtab.domain.values import Account, AccountKind, Snapshot
from trimtab.rules.plan.table import Planning, Table, lay_out
from trimtab.rules.words import money, percent, points


def buy(table: Table) -> list[Trade]:
    """What the cash at hand buys: in every account the lightest class that it may hold.

    Purchases go all the way to the targets, since they cost no tax; classes under correction come
    first. With none to correct, cash waits until it is worth an order, or in its own class.
    """
    if not _is_worth_investing(table):
        return []
    lacking = {
        name: goal - table.values[name]
        for name, goal in table.on_target().items()
        if name != table.cash_class and goal > table.values[name]
    }
    trades: list[Trade] = []
    for account in table.open_accounts():
        trades += _buy_in(table, account, lacking)
    return trades


def why_light(snapshot: Snapshot, planning: Planning, trades: Sequence[Trade]) -> list[Refusal]:
    """Why a class under correction stays light, by more than a trade's grain, after *trades*."""
    sides = [lay_out(snapshot, planning, trades, in_wallets=side) for side in (True, False)]
    table = sides[0]
    goals = table.goals()
    return [
        Refusal(asset_class=drift.asset_class, sentence=_why_light(sides, drift.asset_class, gap))
        for drift in table.correcting
        if drift.asset_class != table.cash_class
        and (gap := goals[drift.asset_class] - drift.value) > table.tolerance(drift.asset_class)
    ]


def _is_worth_investing(table: Table) -> bool:
    if table.still_out():
        return True
    orders = table.planning.policy.orders
    return table.cash_class is None and table.spend_left >= orders.invest_cash_from


def _buy_in(table: Table, account: Account, lacking: dict[str, Money]) -> list[Trade]:
    """Classes under correction first; the others when what is left is not for one of those."""
    correcting = {drift.asset_class for drift in table.correcting}
    trades = _buy_some(table, account, lacking, correcting)
    if any(
        lacking.get(name, ZERO) > table.tolerance(name) and table.can_be_bought(name, account)
        for name in correcting
    ):
        return trades
    return trades + _buy_some(table, account, lacking, lacking.keys() - correcting)


def _buy_some(
    table: Table, account: Account, lacking: dict[str, Money], names: Iterable[str]
) -> list[Trade]:
    """One purchase in *account* of each of these classes, the lightest first."""
    trades: list[Trade] = []
    left = {name for name in names if lacking.get(name, ZERO) > 0}
    while left:
        name = max(left, key=lambda name: (lacking[name], name))
        left.remove(name)
        trade = _purchase(table, account, name, lacking[name])
        if trade is None:
            continue
        mid = table.snapshot.price(trade.symbol)
        lacking[name] -= trade.quantity * mid
        table.values[name] += trade.quantity * mid
        spent = trade.quantity * table.unit_cost(trade.symbol)
        table.budget[account.id] -= spent
        table.spend_left -= spent
        table.bought.add(trade.symbol)
        trades.append(trade)
    return trades


def _purchase(table: Table, account: Account, name: str, gap: Money) -> Trade | None:
    if not table.can_be_bought(name, account):
        return None
    if account.kind is AccountKind.CRYPTO and not _is_clearly_light(table, name, gap):
        return None
    symbol, passed_over = table.member_to_buy(name, account)
    if symbol is None or (account.id, symbol) in table.sold:
        return None
    cash = min(table.budget.get(account.id, ZERO), table.spend_left)
    affordable = min(cash / table.unit_cost(symbol), gap / table.snapshot.quotes[symbol].ask)
    quantity = round_to_step(max(ZERO, affordable), table.snapshot.instruments[symbol].step)
    trade = table.trade_of(symbol, account.id, Side.BUY, quantity)
    if quantity == 0 or trade.value < table.planning.policy.orders.minimum:
        return None
    return replace(trade, reason=_reason(table, name, symbol, passed_over))


def _is_clearly_light(table: Table, name: str, gap: Money) -> bool:
    """Whether a class of coins is under correction, or beyond the re-arm mark of its band.

    Dollars in a wallet can go nowhere else, so they would buy every dip of the coin and be sold
    at the next rise; they wait until the class is light enough for the policy to care.
    """
    drift = next(d for d in table.planning.drifts if d.asset_class == name)
    if drift.state is BandState.CORRECTING:
        return True
    band = band_policy(table.planning.policy.bands, table.planning.policy.classes[name])
    return gap >= band.re_arm * drift.half_width * table.total


def _reason(table: Table, name: str, symbol: str, passed_over: str) -> str:
    measured = next(d for d in table.planning.drifts if d.asset_class == name)
    text = (
        f"{name} is {percent(measured.weight)} of the savings, {points(abs(measured.drift))} "
        f"{'below' if measured.drift < 0 else 'above'} its target of {percent(measured.target)}"
    )
    if measured.drift >= 0:
        text += ", and falls short of it once the cash is counted"
    if measured.state is not BandState.CORRECTING:
        text += "; the cash of this account goes to the lightest class that it can still buy"
    if passed_over:
        text += f"; {symbol} is bought instead because {passed_over}"
    return text + "."


def _why_light(sides: Sequence[Table], name: str, gap: Money) -> str:
    table = sides[0]
    currency = table.snapshot.base_currency
    lacks = f"{name} stays {money(gap, currency)} below its goal"
    rule = table.planning.policy.classes[name]
    if table.planning.forbids_risky_purchases and rule.risk == "risky":
        return f"{lacks}: the defensive posture buys no risky class until a person re-arms it."
    reasons, homes = [], []
    for account in [account for side in sides for account in side.open_accounts()]:
        symbol, passed_over = table.member_to_buy(name, account)
        if symbol is not None:
            homes.append(account.id)
        elif passed_over:
            reasons.append(passed_over)
    if homes:
        where = " or ".join(homes)
        waiting = {
            home: amount for home in homes for s in sides if (amount := s.unsettled(home)) > 0
        }
        if waiting:
            return (
                f"{lacks}: {money(sum(waiting.values(), ZERO), currency)} in "
                f"{' and '.join(waiting)} settles on the next business day and can buy it then."
            )
        return f"{lacks}: there is no more cash to buy it with in {where}; a deposit there would."
    if reasons:
        return f"{lacks}: {reasons[0]}."
    closed = "; ".join(sorted(set(table.planning.closed.values())))
    return (
        f"{lacks}: no account that may hold it can be traded now{f' ({closed})' if closed else ''}."
    )
