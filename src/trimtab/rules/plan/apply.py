"""What the household would be once a plan's trades were filled as planned."""

from collections.abc import Sequence

from msgspec.structs import replace

from trimtab.domain.numbers import ONE, ZERO, Money, Weight, share_of
from trimtab.domain.policy import Policy
from trimtab.domain.trades import Side, Trade
from trimtab.domain.values import AccountKind, Balance, Lot, Snapshot, trade_date
from trimtab.rules.holdings import Holdings, cash_class


def apply_trades(
    snapshot: Snapshot, trades: Sequence[Trade], *, slippage: Weight = ZERO
) -> Snapshot:
    """*snapshot* with every trade filled whole at its planned cost and price, less *slippage*.

    Proceeds are not settled yet; what is bought becomes a lot acquired today.
    """
    lots = {lot.id: lot for lot in snapshot.lots}
    brought: dict[str, Money] = {}
    spent: dict[str, Money] = {}
    today = trade_date(snapshot.at)
    for number, trade in enumerate(trades):
        if trade.side is Side.SELL:
            _reduce(lots, trade)
            proceeds = trade.value * (ONE - slippage) - trade.cost
            brought[trade.account] = brought.get(trade.account, ZERO) + proceeds
        else:
            cost = trade.value * (ONE + slippage) + trade.cost
            lot = Lot(
                id=f"planned-{len(lots)}-{number}",
                account=trade.account,
                symbol=trade.symbol,
                quantity=trade.quantity,
                basis=cost,
                acquired=today,
                holding_since=today,
            )
            lots[lot.id] = lot
            spent[trade.account] = spent.get(trade.account, ZERO) + cost
    balances = _with_cash(snapshot, brought, spent)
    return replace(snapshot, lots=tuple(lots.values()), balances=balances)


def holdings_after(
    snapshot: Snapshot, policy: Policy, held: Holdings, trades: Sequence[Trade]
) -> Holdings:
    """`holdings` of the household after *trades* of its classes; *held* is what it was before.

    It looks at no lot, so that it costs nothing beside a plan.
    """
    values = dict(held.values)
    change = dict.fromkeys(held.free, ZERO)
    owned = ZERO
    for trade in trades:
        is_sale = trade.side is Side.SELL
        value = trade.quantity * snapshot.price(trade.symbol)
        moved = -value if is_sale else value
        values[trade.asset_class] += moved
        paid = (trade.value if is_sale else -trade.value) - trade.cost
        change[trade.account] += paid
        owned += moved + paid
    spare = {
        name: free - held.short.get(name, ZERO) + change[name] for name, free in held.free.items()
    }
    free = {name: max(ZERO, amount) for name, amount in spare.items()}
    more = {name: free[name] - held.free[name] for name in free}
    in_cash = cash_class(policy, snapshot.base_currency)
    outside = held.outside
    if in_cash is not None:
        values[in_cash] += sum(more.values(), ZERO)
        total = sum(values.values(), ZERO)
    else:
        wallets = {n for n, one in snapshot.accounts.items() if one.kind is AccountKind.CRYPTO}
        outside += sum((more[name] for name in wallets), ZERO)
        within = (amount for name, amount in free.items() if name not in wallets)
        total = sum(values.values(), ZERO) + sum(within, ZERO)
    return replace(
        held,
        values=values,
        free=free,
        short={name: -amount for name, amount in spare.items() if amount < 0},
        total=total,
        outside=outside,
        value=held.value + owned,
    )


def _reduce(lots: dict[str, Lot], trade: Trade) -> None:
    for pick in trade.lots:
        lot = lots[pick.lot_id]
        left = lot.quantity - pick.quantity
        assert left >= 0, f"lot {lot.id} would be sold twice"
        if left == 0:
            del lots[lot.id]
        else:
            basis = lot.basis - share_of(lot.basis, pick.quantity, lot.quantity)
            lots[lot.id] = replace(lot, quantity=left, basis=basis)


def _with_cash(
    snapshot: Snapshot, brought: dict[str, Money], spent: dict[str, Money]
) -> tuple[Balance, ...]:
    """The balances after the trades: settled money is spent first, and proceeds are not settled."""
    base, touched = snapshot.base_currency, {*brought, *spent}
    balances = []
    for balance in snapshot.balances:
        if balance.currency == base and balance.account in touched:
            touched.remove(balance.account)
            balances.append(_moved(balance, brought, spent))
        else:
            balances.append(balance)
    for account in sorted(touched):
        empty = Balance(account=account, currency=base, amount=ZERO, settled=ZERO)
        balances.append(_moved(empty, brought, spent))
    return tuple(balances)


def _moved(balance: Balance, brought: dict[str, Money], spent: dict[str, Money]) -> Balance:
    gone = spent.get(balance.account, ZERO)
    amount = balance.amount + brought.get(balance.account, ZERO) - gone
    settled = min(amount, max(ZERO, balance.settled - gone))
    return replace(balance, amount=amount, settled=settled)
