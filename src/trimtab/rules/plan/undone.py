"""What was wanted and could not be: the refusals of a plan, each with its reason."""

from collections.abc import Sequence

from trimtab.domain.numbers import ZERO, Money
from trimtab.domain.trades import BandState, Drift, Refusal, Side, Trade
from trimtab.domain.values import Account, Snapshot
from trimtab.rules.holdings import Holdings, cash_class, class_of, holdings, may_hold
from trimtab.rules.plan.apply import apply_trades
from trimtab.rules.plan.layout import Layout
from trimtab.rules.plan.planning import Planning, grain
from trimtab.rules.plan.reasons import Teller
from trimtab.rules.words import money


def refusals_of(
    snapshot: Snapshot, planning: Planning, layout: Layout, trades: Sequence[Trade]
) -> tuple[Refusal, ...]:
    """Why classes under correction stay light or heavy after *trades*, and which lots are kept."""
    return _Desk(snapshot, planning, layout, trades).refusals()


_NEARLY = 0.99


class _Desk:
    def __init__(
        self, snapshot: Snapshot, planning: Planning, layout: Layout, trades: Sequence[Trade]
    ) -> None:
        self.snapshot, self.planning, self.layout = snapshot, planning, layout
        self.trades = trades
        self._any_light: bool | None = None
        self.teller = Teller(trades, snapshot, planning)
        self.class_of = class_of(planning.policy)
        self.sellable = {self.class_of[lot.symbol] for lot in layout.lots}
        self.buyable = {self.class_of[symbol] for _, symbol in layout.options}
        self.after: Holdings = holdings(apply_trades(snapshot, trades), planning.policy)
        self.accounts = [snapshot.accounts[name] for name in layout.accounts]
        self.cash_name = cash_class(planning.policy, snapshot.base_currency)

    def refusals(self) -> tuple[Refusal, ...]:
        """One sentence each, the same one once."""
        found = [*self._owed(), *self._kept()]
        for drift in self.planning.drifts:
            if drift.state is not BandState.CORRECTING or drift.asset_class == self.cash_name:
                continue
            goal = drift.target * self.after.total
            slack = self.planning.destination * drift.half_width * self.after.total
            off = self.after.values[drift.asset_class] - goal
            value = self.after.values[drift.asset_class]
            least = grain(self.snapshot, self.planning, drift.asset_class, value, goal)
            if -off - slack > least:
                found.append(self._refusal(drift, self._why_light(drift, -off - slack)))
            elif off - slack > least:
                found.append(self._refusal(drift, self._why_heavy(drift, off - slack)))
        return tuple(dict.fromkeys(found))

    def _refusal(self, drift: Drift, sentence: str) -> Refusal:
        return Refusal(asset_class=drift.asset_class, sentence=sentence)

    def _owed(self) -> list[Refusal]:
        """Withdrawals that what may be sold in their account does not pay."""
        currency, found = self.snapshot.base_currency, []
        for account, due in self.planning.due.items():
            if account not in self.after.free:
                continue
            there = self.after.free[account] - self.after.short.get(account, ZERO)
            if there < due:
                sentence = (
                    f"{money(due, currency)} are to leave {account}, and "
                    f"{money(due - there, currency)} of them cannot be raised there now: put money "
                    "in, or take less."
                )
                found.append(Refusal(asset_class="", account=account, sentence=sentence))
        return found

    def _kept(self) -> list[Refusal]:
        """Lots that may not go, of classes that are heavy or that the list keeps."""
        names = self.class_of
        heavy = {
            drift.asset_class
            for drift in self.planning.drifts
            if drift.drift > 0 and drift.state is BandState.CORRECTING
        }
        return [
            Refusal(
                asset_class=names[lot.symbol],
                sentence=sentence,
                account=lot.account,
                symbol=lot.symbol,
            )
            for lot, sentence in self.layout.kept
            if names[lot.symbol] in heavy
        ]

    def _why_heavy(self, drift: Drift, excess: Money) -> str:
        name, currency = drift.asset_class, self.snapshot.base_currency
        stays = f"{name} stays {money(excess, currency)} above its goal"
        if name not in self.sellable and self.sellable:
            return f"{stays}: nothing of it may be sold now."
        if not self.is_any_light():
            return (
                f"{stays}: its proceeds could buy nothing that is light now, so a sale would mend "
                "nothing."
            )
        if self._is_at_turnover():
            return f"{stays}: more is not sold in one day than the policy's turnover_max lets."
        return (
            f"{stays}: another unit sold would mend less drift than it costs in tax, trading and "
            "whole steps."
        )

    def _is_at_turnover(self) -> bool:
        """Whether the sales of today come to what the policy lets."""
        sold = sum((trade.value for trade in self.trades if trade.side is Side.SELL), ZERO)
        return float(sold) >= self.layout.problem.turnover_most * _NEARLY

    def is_any_light(self) -> bool:
        """Whether any class lacks something that some account may buy."""
        if self._any_light is None:
            self._any_light = any(self._is_light(other) for other in self.planning.drifts)
        return self._any_light

    def _is_light(self, drift: Drift) -> bool:
        """Whether the class lacks something that some account may buy."""
        name = drift.asset_class
        value, goal = self.after.values[name], drift.target * self.after.total
        if goal - value <= grain(self.snapshot, self.planning, name, value, goal):
            return False
        return name == self.cash_name or name in self.buyable

    def _why_light(self, drift: Drift, gap: Money) -> str:
        name, currency = drift.asset_class, self.snapshot.base_currency
        lacks = f"{name} stays {money(gap, currency)} below its goal"
        rule = self.planning.policy.classes[name]
        if self.planning.forbids_risky_purchases and rule.risk == "risky":
            return f"{lacks}: the defensive posture buys no risky class until a person re-arms it."
        reasons, homes = [], []
        for account in self.accounts:
            why_not = [self._why_not(symbol, account) for symbol in rule.members]
            possible = [reason for reason in why_not if reason is not None]
            if "" in possible:
                homes.append(account.id)
            reasons += [reason for reason in possible if reason]
        if homes:
            return f"{lacks}: {self._without_cash(homes)}"
        if reasons:
            return f"{lacks}: {reasons[0]}."
        closed = "; ".join(sorted(set(self.planning.closed.values())))
        where = f" ({closed})" if closed else ""
        return f"{lacks}: no account that may hold it can be traded now{where}."

    def _why_not(self, symbol: str, account: Account) -> str | None:
        """Why *symbol* cannot be bought in *account*: empty if it can, None if it never could."""
        instrument = self.snapshot.instruments.get(symbol)
        if instrument is None or not may_hold(account.kind, instrument):
            return None
        return self.teller.why_not_bought(symbol, account)

    def _without_cash(self, homes: list[str]) -> str:
        currency = self.snapshot.base_currency
        waiting = {home: amount for home in homes if (amount := self._unsettled(home)) > 0}
        if waiting:
            return (
                f"{money(sum(waiting.values(), ZERO), currency)} in {' and '.join(waiting)} "
                "settles on the next business day and can buy it then."
            )
        expected = {
            home: self.planning.coming[home] for home in homes if home in self.planning.coming
        }
        if expected:
            return (
                f"{money(sum(expected.values(), ZERO), currency)} that will come into "
                f"{' and '.join(expected)} can buy it then."
            )
        where = " or ".join(homes)
        return f"there is no more cash to buy it with in {where}; a deposit there would."

    def _unsettled(self, account: str) -> Money:
        """Free cash of an account that it may not spend before it has settled."""
        if self.planning.policy.orders.unsettled == "use":
            return ZERO
        after = apply_trades(self.snapshot, self.trades)
        settled = sum(
            (
                balance.settled
                for balance in after.balances
                if balance.account == account and balance.currency == self.snapshot.base_currency
            ),
            ZERO,
        )
        free = self.after.free[account]
        return free - min(free, max(ZERO, settled - self.after.reserves[account]))
