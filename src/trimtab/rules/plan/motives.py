"""What each trade of a plan is done for: drift, a harvest, cash, or a better home.

A trade can serve several ends at once. It is named after the one that takes most of its money: a
loss is harvested where at least half of what is sold is bought back as something else, cash is
raised where at least half of the proceeds are needed, a class moves where at least half of it does.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from trimtab.domain.numbers import ZERO, Money, Weight
from trimtab.domain.trades import BandState, Drift, Motive, Side, Trade
from trimtab.domain.values import Snapshot
from trimtab.rules.holdings import kept_in_cash
from trimtab.rules.plan.planning import Planning
from trimtab.rules.plan.year import drag

Key = tuple[str, str, bool]
"""Account, symbol and whether it is a sale: what is one trade of a plan."""
_Owned = tuple[str, str]
"""A taxpayer and a class."""


def key_of(trade: Trade) -> Key:
    """What tells one trade of a plan from the others."""
    return trade.account, trade.symbol, trade.side is Side.SELL


def cash_needed(snapshot: Snapshot, planning: Planning) -> dict[str, Money]:
    """What each account must raise: withdrawals that are due and its reserve, less its cash."""
    needed = kept_in_cash(snapshot, planning.policy)
    for account, amount in planning.due.items():
        if account in needed:
            needed[account] += amount
    for balance in snapshot.balances:
        if balance.currency == snapshot.base_currency:
            needed[balance.account] -= balance.amount
    return {account: amount for account, amount in needed.items() if amount > 0}


def saves(trade: Trade) -> bool:
    """Whether a sale takes a loss that saves tax."""
    return trade.side is Side.SELL and trade.gain < 0 and trade.tax < 0


class _Sums(NamedTuple):
    """Money by account."""

    bought: dict[str, Money]
    lost: dict[str, Money]


class Motives:
    """The ends of all trades of one plan.

    `raised` is how much of each sale's proceeds goes to cash that its account must raise.
    """

    def __init__(self, trades: Sequence[Trade], snapshot: Snapshot, planning: Planning) -> None:
        """All of the plan's trades, taxed."""
        self._snapshot, self._planning = snapshot, planning
        self._taxed = {name for name, one in snapshot.accounts.items() if one.kind.is_taxed}
        self._drifts: dict[str, Drift] = {one.asset_class: one for one in planning.drifts}
        self._in_class: dict[str, list[Trade]] = defaultdict(list)
        self._of_owner: dict[_Owned, list[Trade]] = defaultdict(list)
        self._sums: dict[_Owned, _Sums] = {}
        self._harvested: dict[_Owned, list[Trade]] = defaultdict(list)
        sales = [one for one in trades if one.side is Side.SELL]
        self._selling = {trade.account for trade in sales}
        for trade in trades:
            self._in_class[trade.asset_class].append(trade)
            self._of_owner[self._owned(trade)].append(trade)
        self.raised = self._raised(sales)
        self._of: dict[Key, Motive] = {}
        for trade in sales:
            motive = self._of[key_of(trade)] = self._of_sale(trade)
            if motive is Motive.HARVEST:
                self._harvested[self._owned(trade)].append(trade)
        moves = {name: self._moved(name) for name in self._at_home(trades)}
        self._moves = {name: move for name, move in moves.items() if all(move)}
        for trade in trades:
            if trade.side is Side.BUY or trade.asset_class in self._moves:
                self._of[key_of(trade)] = self._with_location(trade)

    def of(self, trade: Trade) -> Motive:
        """What *trade* is done for."""
        return self._of[key_of(trade)]

    def _of_sale(self, trade: Trade) -> Motive:
        is_replaced = saves(trade) and any(
            one.side is Side.BUY and one.symbol != trade.symbol
            for one in self._of_owner[self._owned(trade)]
        )
        if is_replaced:
            sums = self._summed(trade)
            if sums.lost[trade.account] <= 2 * sums.bought.get(trade.account, ZERO):
                return Motive.HARVEST
        if self.raised and 2 * self.raised.get(key_of(trade), ZERO) >= trade.value:
            return Motive.CASH
        if is_replaced and sum(sums.lost.values()) <= 2 * sum(sums.bought.values()):
            return Motive.HARVEST
        return Motive.DRIFT

    def _of_purchase(self, trade: Trade) -> Motive:
        drift = self._drifts[trade.asset_class]
        harvested = self._harvested.get(self._owned(trade))
        if harvested:
            here = sum((one.value for one in harvested if one.account == trade.account), ZERO)
            bought = self._summed(trade).bought
            if drift.drift >= 0 or 2 * here >= bought[trade.account]:
                return Motive.HARVEST
        is_idle = trade.account not in self._selling
        if is_idle and (drift.state is not BandState.CORRECTING or drift.drift >= 0):
            return Motive.CASH
        return Motive.DRIFT

    def _owned(self, trade: Trade) -> "_Owned":
        """Whose *trade* is, and of which class: only its own taxpayer can replace a loss."""
        return self._planning.taxpayers.get(trade.account, trade.account), trade.asset_class

    def _summed(self, trade: Trade) -> "_Sums":
        """What its taxpayer buys of the class of *trade*, and sells of it at a loss, by account."""
        owned = self._owned(trade)
        if owned not in self._sums:
            sums = self._sums[owned] = _Sums({}, {})
            for one in self._of_owner[owned]:
                if one.side is Side.BUY:
                    sums.bought[one.account] = sums.bought.get(one.account, ZERO) + one.value
                elif saves(one):
                    sums.lost[one.account] = sums.lost.get(one.account, ZERO) + one.value
        return self._sums[owned]

    def _with_location(self, trade: Trade) -> Motive:
        """The motive of *trade*, a better home included: a loss or cash has reasons of its own."""
        is_sale = trade.side is Side.SELL
        found = self.of(trade) if is_sale else self._of_purchase(trade)
        move = self._moves.get(trade.asset_class)
        if move is None or self._is_taxed(trade) is not is_sale or found is Motive.HARVEST:
            return found
        if is_sale and found is Motive.CASH:
            return found
        drift = self._drifts[trade.asset_class].drift
        is_away = drift > 0 if is_sale else drift < 0
        leaving, coming = move
        moved, whole = min(leaving, coming), leaving if is_sale else coming
        return Motive.LOCATION if not is_away or 2 * moved >= whole else found

    def _moved(self, name: str) -> tuple[Money, Money]:
        """What of a class leaves taxed accounts for its own sake, and what enters the others."""
        leaving = coming = ZERO
        for one in self._in_class[name]:
            if one.side is Side.BUY and not self._is_taxed(one):
                coming += one.value
            elif one.side is Side.SELL and self._is_taxed(one) and self.of(one) is Motive.DRIFT:
                leaving += one.value
        return leaving, coming

    def _at_home(self, trades: Sequence[Trade]) -> list[str]:
        """Classes whose income is taxed every year, where the plan lessens that tax as a whole."""
        rules, drags = self._planning.policy.classes, {}
        known: dict[tuple[Weight, Weight], Weight] = {}
        for name in self._in_class:
            yields = rules[name].ordinary_yield, rules[name].qualified_yield
            if any(yields):
                if yields not in known:
                    known[yields] = drag(rules[name], self._planning)
                drags[name] = known[yields]
        change = ZERO
        for one in trades:
            if one.asset_class in drags and self._is_taxed(one):
                moved = one.value * drags[one.asset_class]
                change += moved if one.side is Side.BUY else -moved
        return [name for name, rate in drags.items() if rate > 0] if change < 0 else []

    def _is_taxed(self, trade: Trade) -> bool:
        return trade.account in self._taxed

    def _raised(self, sales: Sequence[Trade]) -> Mapping[Key, Money]:
        """What of each sale goes to the cash that its account must raise.

        What nothing else asks for counts first: not what is bought back in the same account, nor
        what is too heavy anyway.
        """
        needed = cash_needed(self._snapshot, self._planning)
        if not needed:
            return {}
        raised = {}
        for trade in sorted(sales, key=self._other_reasons):
            part = min(needed.get(trade.account, ZERO), trade.value - trade.cost)
            if part > 0:
                raised[key_of(trade)] = part
                needed[trade.account] -= part
        return raised

    def _other_reasons(self, trade: Trade) -> tuple[bool, bool, Money, str]:
        is_replaced = trade.account in self._summed(trade).bought
        is_heavy = self._drifts[trade.asset_class].drift > 0
        return is_replaced, is_heavy, -trade.value, trade.symbol
