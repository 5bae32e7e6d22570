"""What the household would be once a plan's trades were filled as planned."""

from collections.abc import Sequence

from msgspec.structs import replace

from trimtab.domain.numbers import ONE, ZERO, Money, Weight, share_of
from trimtab.domain.trades import Side, Trade
from trimtab.domain.values import Balance, Lot, Snapshot, trade_date


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
