"""The best alternative that a plan refused: which lot, account or fund, and why it is not that."""

import datetime as dt

from msgspec import Struct

from trimtab.domain.numbers import CENT, ZERO, Money
from trimtab.domain.trades import Motive, Side, Trade
from trimtab.domain.values import Lot
from trimtab.rules.holdings import kept_in_cash, may_hold
from trimtab.rules.plan.bars import Bar, told_bars
from trimtab.rules.plan.booking import ahead_of
from trimtab.rules.plan.washed import wash_of
from trimtab.rules.plan.yardstick import Gains, Yardstick
from trimtab.rules.tax.lots import is_long_term, long_term_from
from trimtab.rules.words import money


class Refused(Struct, frozen=True, kw_only=True):
    """The best alternative to a trade that the plan did not take, in one sentence.

    `dearer` is how much more tax it would cost for the same money, negative where it would save;
    zero where tax is not the reason. `until` is the first day on which nothing forbids it, where
    one is known, and `long_from` the day on which its gain turns long term.
    """

    account: str
    symbol: str
    dearer: Money
    sentence: str
    lot_id: str = ""
    until: dt.date | None = None
    long_from: dt.date | None = None


def instead_of_sale(yardstick: Yardstick, trade: Trade) -> Refused | None:
    """The cheapest other lot of the class that could have been sold, and why it was not.

    A lot of another account takes the sale's place only where its cash could do the same there.
    None where there is no such lot, or where it would come to the same tax.
    """
    members = yardstick.planning.policy.classes[trade.asset_class].members
    homes = {trade.account, *_homes(yardstick, trade)}
    others = [
        lot
        for lot in yardstick.held_of(members)
        if lot.account in homes and yardstick.left[lot.id] > 0 and lot.id not in yardstick.picked
    ]
    if not others:
        return None
    others.sort(key=lambda lot: (yardstick.rate(lot), lot.account, lot.symbol, lot.age))
    for lot in others:
        refused = _instead(yardstick, trade, lot)
        if refused is None or refused.dearer < 0 or _is_free(yardstick, lot):
            return refused
    return None


def _is_free(yardstick: Yardstick, lot: Lot) -> bool:
    """Whether *lot* could be sold at all: what may not, and costs more, is no alternative."""
    return lot.account not in yardstick.planning.closed and (
        lot.symbol not in yardstick.planning.policy.orders.no_sell
    )


def _instead(yardstick: Yardstick, trade: Trade, lot: Lot) -> Refused | None:
    """*lot* in the place of *trade*, as far as it goes."""
    bid = yardstick.snapshot.quotes[lot.symbol].bid
    quantity = min(yardstick.left[lot.id], trade.value / bid)
    value = quantity * bid
    cost = trade.cost * value / trade.value
    added = yardstick.gain_of(lot, quantity, value - cost)
    removed = yardstick.gains_of(trade).times(value / trade.value)
    dearer = yardstick.dearer(trade.account, removed, added)
    return _refused_sale(yardstick, trade, lot, value, added, dearer)


def instead_of_purchase(yardstick: Yardstick, trade: Trade) -> Refused | None:
    """The fund that the policy prefers, or the better home of the class, and what bars it."""
    members = yardstick.planning.policy.classes[trade.asset_class].members
    for symbol in members:
        if symbol == trade.symbol:
            break
        bar = _bar_of_member(yardstick, trade, symbol)
        if bar is not None:
            return Refused(
                account=trade.account,
                symbol=symbol,
                dearer=ZERO,
                sentence=(
                    f"{symbol} comes first in {trade.asset_class}, but "
                    f"{told_bars([(symbol, bar)])}."
                ),
                until=bar.until,
            )
    return _better_home(yardstick, trade)


def _homes(yardstick: Yardstick, trade: Trade) -> list[str]:
    """The other accounts in which cash from the class could buy what the sale of *trade* pays for.

    No cash moves between accounts: what must be raised, or bought back, is tied to its own.
    """
    if trade.motive is not Motive.DRIFT:
        return []
    planning, snapshot = yardstick.planning, yardstick.snapshot
    wanted = {
        one.asset_class
        for one in yardstick.trades
        if one.side is Side.BUY
        and one.account == trade.account
        and one.asset_class != trade.asset_class
    }
    symbols = [one for name in sorted(wanted) for one in planning.policy.classes[name].members]
    return [
        name
        for name, account in snapshot.accounts.items()
        if name not in planning.closed
        and any(
            symbol in snapshot.instruments
            and may_hold(account.kind, snapshot.instruments[symbol])
            and yardstick.bars.bar_of(symbol, account) is None
            for symbol in symbols
        )
    ]


def _refused_sale(
    yardstick: Yardstick, trade: Trade, lot: Lot, value: Money, added: Gains, dearer: Money
) -> Refused | None:
    if abs(dearer) < CENT:
        return None
    bar = _bar_of_lot(yardstick, trade, lot, is_loss=added.total < 0) if dearer < 0 else None
    currency = yardstick.snapshot.base_currency
    instead = "" if value == trade.value else f" for {money(value, currency)} of it"
    what = f"{lot.symbol} of {lot.acquired} in {lot.account}"
    more = f"{money(abs(dearer), currency)} {'more' if dearer > 0 else 'less'} tax"
    text = f"{what} would cost {more}{instead}"
    if dearer < 0:
        text += f", but {_stop(trade, lot) if bar is None else bar.because}"
    long_from = _long_from(yardstick, lot, added)
    if long_from is not None:
        text += f"; it turns long term on {long_from}"
    return Refused(
        account=lot.account,
        symbol=lot.symbol,
        lot_id=lot.id,
        dearer=dearer,
        sentence=f"{text}.",
        until=None if bar is None else bar.until,
        long_from=long_from,
    )


def _stop(trade: Trade, lot: Lot) -> str:
    """Why a cheaper lot that nothing forbids stays, as far as one lot alone can tell."""
    if lot.account != trade.account:
        where = f"its money would stay in {lot.account}, and buy there what this sale pays for"
        return f"{where}: the plan as a whole costs less without it"
    return "the plan as a whole costs less without it"


def _long_from(yardstick: Yardstick, lot: Lot, gains: Gains) -> dt.date | None:
    if gains.total <= 0 or is_long_term(lot.holding_since, yardstick.today):
        return None
    return long_term_from(lot.holding_since)


def _bar_of_lot(yardstick: Yardstick, trade: Trade, lot: Lot, *, is_loss: bool) -> Bar | None:
    planning = yardstick.planning
    if lot.account in planning.closed:
        return Bar(f"nothing is traded in {lot.account} now: {planning.closed[lot.account]}")
    if lot.symbol in planning.policy.orders.no_sell:
        return Bar(f"{lot.symbol} is on the policy's no_sell list")
    if lot.sellable_from is not None and yardstick.today < lot.sellable_from:
        text = f"it was paid with unsettled money and is kept until {lot.sellable_from}"
        return Bar(text, lot.sellable_from)
    washed = wash_of(yardstick, lot) if is_loss else None
    if washed is not None:
        return Bar(*washed)
    ahead = ahead_of(yardstick, lot, trade)
    return None if ahead is None else Bar(ahead)


def _bar_of_member(yardstick: Yardstick, trade: Trade, symbol: str) -> Bar | None:
    account = yardstick.account(trade.account)
    instrument = yardstick.snapshot.instruments.get(symbol)
    if instrument is None or not may_hold(account.kind, instrument):
        return None
    return yardstick.bars.bar_of(symbol, account)


def _better_home(yardstick: Yardstick, trade: Trade) -> Refused | None:
    """An untaxed account without cash left, for a class whose income is taxed here every year."""
    planning = yardstick.planning
    rule = planning.policy.classes[trade.asset_class]
    tax = planning.tax
    drag = rule.ordinary_yield * tax.short_term_rate + rule.qualified_yield * tax.long_term_rate
    yearly = trade.value * drag
    if yearly < CENT or not yardstick.account(trade.account).kind.is_taxed:
        return None
    instrument = yardstick.snapshot.instruments[trade.symbol]
    left = _cash_left(yardstick)
    for name, account in sorted(yardstick.snapshot.accounts.items()):
        if account.kind.is_taxed or not may_hold(account.kind, instrument):
            continue
        if left.get(name, ZERO) < planning.policy.orders.minimum:
            spared = money(yearly, yardstick.snapshot.base_currency)
            text = f"In {name} it would spare about {spared} of tax a year, but no cash is left"
            return Refused(
                account=name, symbol=trade.symbol, dearer=ZERO, sentence=f"{text} there."
            )
    return None


def _cash_left(yardstick: Yardstick) -> dict[str, Money]:
    """What each account may still spend after the plan."""
    snapshot = yardstick.snapshot
    kept = kept_in_cash(snapshot, yardstick.planning.policy)
    left = {name: -amount for name, amount in kept.items()}
    for balance in snapshot.balances:
        if balance.currency == snapshot.base_currency:
            left[balance.account] += balance.amount
    for trade in yardstick.trades:
        change = trade.value if trade.side is Side.SELL else -trade.value
        left[trade.account] += change - trade.cost
    return left
