"""What was wanted and could not be: the refusals of a plan, each with its reason."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property

from trimtab.domain.numbers import CENT, ZERO, Money, Quantity
from trimtab.domain.trades import BandState, Drift, Refusal, Side, Trade
from trimtab.domain.values import Account, AccountKind, Snapshot
from trimtab.rules.holdings import Holdings, cash_class, class_of, may_hold
from trimtab.rules.plan.apply import holdings_after
from trimtab.rules.plan.bars import Bar, Bars, told_bars
from trimtab.rules.plan.held_back import held_back
from trimtab.rules.plan.layout import Layout, lay_out
from trimtab.rules.plan.planning import Planning, divided_accounts, grain, set_aside
from trimtab.rules.plan.worth import TooSoon, Worth
from trimtab.rules.words import listing, money, percent


def refusals_of(
    snapshot: Snapshot,
    planning: Planning,
    layout: Layout,
    trades: Sequence[Trade],
    too_soon: TooSoon | None = None,
) -> tuple[Refusal, ...]:
    """Why classes under correction stay light or heavy after *trades*, and which lots are kept."""
    return _Desk(snapshot, planning, layout, trades, too_soon).refusals()


class _Desk:
    def __init__(
        self,
        snapshot: Snapshot,
        planning: Planning,
        layout: Layout,
        trades: Sequence[Trade],
        too_soon: TooSoon | None,
    ) -> None:
        self.snapshot, self.planning, self._laid_out = snapshot, planning, layout
        self.trades, self._too_soon = trades, too_soon
        self.class_of = class_of(planning.policy)
        self.after: Holdings = holdings_after(snapshot, planning.policy, layout.held, trades)
        self.cash_name = cash_class(planning.policy, snapshot.base_currency)

    def refusals(self) -> tuple[Refusal, ...]:
        """One sentence each, the same one once."""
        found = [*self._owed(), *self._kept()]
        for drift in self.planning.drifts:
            if drift.state is not BandState.CORRECTING or drift.asset_class == self.cash_name:
                continue
            off = self._off(drift)
            slack = self.planning.destination * drift.half_width * self.total
            if abs(off) - slack <= self._least_grain and drift.is_breached and not self.trades:
                found.append(self._too_small(drift, off))
                continue
            if abs(off) - slack <= self._least_grain or abs(off) - slack <= self._grain(drift):
                continue
            why = self._why_light if off < 0 else self._why_heavy
            sentence = why(drift, abs(off) - slack)
            found.append(Refusal(asset_class=drift.asset_class, sentence=sentence))
        return tuple(dict.fromkeys(found))

    @cached_property
    def total(self) -> Money:
        """What the targets divide once money that is due is gone and what is coming is there."""
        policy, planning = self.planning.policy, self.planning
        total = self.after.total - set_aside(self.snapshot, policy, self.after, planning.due)
        for account in divided_accounts(self.snapshot, policy, planning.coming):
            total += planning.coming[account]
        for account in divided_accounts(self.snapshot, policy, self.after.short):
            total -= self.after.short[account]
        return max(total, ZERO)

    def _off(self, drift: Drift) -> Money:
        """How far a class is above its goal after the trades; negative below it."""
        return self.after.values[drift.asset_class] - drift.target * self.total

    def _grain(self, drift: Drift) -> Money:
        value, goal = self.after.values[drift.asset_class], drift.target * self.total
        return grain(self.snapshot, self.planning, drift.asset_class, value, goal)

    @property
    def _least_grain(self) -> Money:
        """What no grain is below: most classes need no closer look."""
        return self.planning.policy.orders.minimum

    def _too_small(self, drift: Drift, off: Money) -> Refusal:
        """That a class out of its band is nearer to its goal than the least order."""
        currency, name = self.snapshot.base_currency, drift.asset_class
        side = "below" if off < 0 else "above"
        sentence = (
            f"{name} stays {money(abs(off), currency)} {side} its goal: no order may be smaller "
            f"than {money(self._least_grain, currency)}, the policy's minimum."
        )
        return Refusal(asset_class=name, sentence=sentence)

    # -------------------------------------------------------------- cash and lots

    def _owed(self) -> list[Refusal]:
        """Withdrawals that what may be sold in their account does not pay."""
        currency, found = self.snapshot.base_currency, []
        for account, lacking in lacking_of(self.planning.due, self.after).items():
            due = self.planning.due[account]
            sentence = (
                f"{money(due, currency)} are to leave {account}, and {money(lacking, currency)} of "
                "them cannot be raised there now, so that no plan keeps every rule and none is "
                "proven: put money in, or take less."
            )
            found.append(Refusal(asset_class="", account=account, sentence=sentence))
        return found

    def _kept(self) -> list[Refusal]:
        """Lots that may not go: of classes too heavy, accounts that lack cash, and harvests."""
        heavy = {
            drift.asset_class
            for drift in self.planning.drifts
            if drift.drift > 0 and drift.state is BandState.CORRECTING
        }
        lacking = set(lacking_of(self.planning.due, self.after))
        if not heavy and not lacking and self.planning.policy.plan.harvests != "always":
            return []
        return held_back(
            self.layout.kept,
            self.snapshot,
            self.planning,
            self.class_of,
            heavy=heavy,
            lacking=lacking,
        )

    # -------------------------------------------------------------- what stays heavy

    def _why_heavy(self, drift: Drift, excess: Money) -> str:
        name, currency = drift.asset_class, self.snapshot.base_currency
        stays = f"{name} stays {money(excess, currency)} above its goal"
        homes = self._sellable.get(name, set())
        if not homes:
            return f"{stays}: nothing of it may be sold now{self._in_closed(name)}."
        if self._is_sold_down(drift):
            part = percent(drift.target)
            return (
                f"{stays}, which counts no dollars of a wallet: coins are sold down to {part} of "
                "the savings with those dollars in, and no further."
            )
        if not self._any_light_in(homes):
            return (
                f"{stays}: its proceeds could buy nothing that is light now, so a sale would mend "
                "nothing."
            )
        if self._waiting_total >= sum(map(self._mendable, sorted(self._light)), ZERO):
            return (
                f"{stays}: money that is on its way takes all that may be bought of what is light, "
                "so a sale would mend nothing."
            )
        return f"{stays}: {self.worth.of_a_sale()}."

    def _is_sold_down(self, drift: Drift) -> bool:
        """Whether coins are down to their part of all savings, the dollars of wallets included."""
        accounts, name = self.snapshot.accounts, drift.asset_class
        wallets = {one for one, of in accounts.items() if of.kind is AccountKind.CRYPTO}
        homes = self._sellable.get(name, set())
        if self.cash_name is not None or not homes or not homes <= wallets:
            return False
        dollars = sum((max(ZERO, self._spare(one)) for one in wallets), ZERO)
        goal = drift.target * (self.total + dollars)
        return self.after.values[name] - goal <= self._grain(drift)

    def _in_closed(self, name: str) -> str:
        """Why nothing may be traded in the accounts that hold the class, if that is so."""
        closed = self.planning.closed
        where = {
            lot.account
            for lot in self.snapshot.lots
            if lot.account in closed and self.class_of.get(lot.symbol) == name
        }
        return f" ({'; '.join(sorted({closed[account] for account in where}))})" if where else ""

    def _any_light_in(self, homes: set[str]) -> bool:
        """Whether any of the accounts *homes* may still buy what a class lacks."""
        return self.cash_name in self._light or not homes.isdisjoint(self._light_homes)

    @cached_property
    def _light_homes(self) -> set[str]:
        """The accounts in which more of a class that is light may be bought."""
        return set().union(*self._buyable.values())

    @cached_property
    def _light(self) -> set[str]:
        """Classes that lack more than a trade's grain."""
        return {name for name, off in self._far_off.items() if off < 0}

    @cached_property
    def _heavy(self) -> set[str]:
        """Classes that have more than a trade's grain too much."""
        return {name for name, off in self._far_off.items() if off > 0}

    @cached_property
    def _far_off(self) -> dict[str, Money]:
        """How far classes are from their goals after the trades, by more than a trade's grain."""
        offs = ((drift, self._off(drift)) for drift in self.planning.drifts)
        return {
            drift.asset_class: off
            for drift, off in offs
            if abs(off) > self._least_grain and abs(off) > self._grain(drift)
        }

    @cached_property
    def layout(self) -> Layout:
        """What may be sold, also where the plan was asked for purchases alone."""
        laid_out = self._laid_out
        if laid_out.lots or laid_out.kept or not self.snapshot.lots:
            return laid_out
        return lay_out(self.snapshot, self.planning, laid_out.held)

    @cached_property
    def _sellable(self) -> dict[str, set[str]]:
        """The accounts in which something of a class that is heavy may be sold and is left."""
        heavy = {symbol: name for symbol, name in self.class_of.items() if name in self._heavy}
        left: dict[tuple[str, str], Quantity] = defaultdict(lambda: ZERO)
        for lot in self.layout.lots:
            if lot.symbol in heavy:
                left[lot.account, lot.symbol] += lot.quantity
        for trade in self.trades:
            if trade.side is Side.SELL:
                left[trade.account, trade.symbol] -= trade.quantity
        found: dict[str, set[str]] = {}
        for (account, symbol), quantity in left.items():
            if symbol in heavy and quantity >= self.snapshot.instruments[symbol].step:
                found.setdefault(heavy[symbol], set()).add(account)
        return found

    @cached_property
    def _buyable(self) -> dict[str, set[str]]:
        """The accounts in which more of a class that is light may be bought after the trades."""
        found: dict[str, set[str]] = {}
        for account, symbol in self._laid_out.options:
            name = self.class_of[symbol]
            if name not in self._light:
                continue
            if self.bars.bar_of(symbol, self.snapshot.accounts[account]) is None:
                found.setdefault(name, set()).add(account)
        return found

    # -------------------------------------------------------------- what stays light

    def _why_light(self, drift: Drift, gap: Money) -> str:
        name, currency = drift.asset_class, self.snapshot.base_currency
        lacks = f"{name} stays {money(gap, currency)} below its goal"
        rule = self.planning.policy.classes[name]
        if self.planning.forbids_risky_purchases and rule.is_risky(currency):
            return f"{lacks}: the defensive posture buys no risky class until a person re-arms it."
        homes: list[str] = []
        bars: list[tuple[str, Bar]] = []
        for name_of in self.layout.accounts:
            account = self.snapshot.accounts[name_of]
            members = [one for one in rule.members if self._may_hold(one, account)]
            found = [(one, bar) for one in members if (bar := self.bars.bar_of(one, account))]
            if len(found) < len(members):
                homes.append(name_of)
            bars += found
        if homes:
            return f"{lacks}: {self._without_cash(name, homes)}."
        if bars:
            return f"{lacks}: {told_bars(list(dict.fromkeys(bars)))}."
        return f"{lacks}: {self._without_home(rule.members)}."

    def _without_home(self, members: Sequence[str]) -> str:
        """Why no account may hold any of *members* now."""
        closed = {
            reason
            for account, reason in self.planning.closed.items()
            if account in self.snapshot.accounts
            and any(self._may_hold(one, self.snapshot.accounts[account]) for one in members)
        }
        if closed:
            return f"no account that may hold it can be traded now ({'; '.join(sorted(closed))})"
        return f"no account of this household may hold {listing(list(members), 'or')}"

    @cached_property
    def bars(self) -> Bars:
        """Who knows what may not be bought, and why."""
        return Bars(self.trades, self.snapshot, self.planning)

    @cached_property
    def worth(self) -> Worth:
        """Who knows why what may be traded is not."""
        most, currency = self.layout.problem.turnover_most, self.snapshot.base_currency
        return Worth(self.trades, self.planning.policy, currency, most, self._too_soon)

    def _may_hold(self, symbol: str, account: Account) -> bool:
        instrument = self.snapshot.instruments.get(symbol)
        return instrument is not None and may_hold(account.kind, instrument)

    def _without_cash(self, name: str, homes: list[str]) -> str:
        """Why the class *name* is not bought in *homes*, where it may be."""
        currency = self.snapshot.base_currency
        waiting = {home: amount for home in homes if (amount := self._unsettled(home)) >= CENT}
        if waiting:
            return (
                f"{money(sum(waiting.values(), ZERO), currency)} in {listing(list(waiting))} "
                f"settles on the next business day and {self._can_buy(name, waiting)}"
            )
        expected = {
            home: self.planning.coming[home] for home in homes if home in self.planning.coming
        }
        if expected:
            return (
                f"{money(sum(expected.values(), ZERO), currency)} that will come into "
                f"{listing(list(expected))} {self._can_buy(name, expected)}"
            )
        where = listing(homes, "or")
        if any(self._spare(home) >= self._least(name) for home in homes):
            return f"what cash is left in {where} is not spent, for {self.worth.of_a_purchase()}"
        could_be_sold = {
            other
            for other in self._heavy
            if other != name and not self._sellable.get(other, set()).isdisjoint(homes)
        }
        deposit = f"a deposit in {where} would buy it"
        if could_be_sold:
            sold = listing(sorted(could_be_sold), "or")
            return f"{sold} could be sold for it, but {self.worth.of_a_sale()}; {deposit}"
        return f"no cash is left in {where} to buy it with; {deposit}"

    def _can_buy(self, name: str, there: Mapping[str, Money]) -> str:
        """What money that is on its way *there* can do for *name*: it buys nothing twice."""
        money_there = sum(there.values(), ZERO)
        others = sorted(
            one
            for one in self._light - {name}
            if not self._buyable.get(one, set()).isdisjoint(there)
        )
        wanted = sum(map(self._mendable, [name, *others]), ZERO)
        if others and wanted > money_there:
            return f"can buy some of it then, shared with {listing(others)}"
        mended = self._mendable(name)
        if self._gap(name) - mended > self._least_grain:
            most = money(mended, self.snapshot.base_currency)
            return f"can buy {most} of it then, the most that the policy's holdings_max lets"
        return "can buy it then"

    def _gap(self, name: str) -> Money:
        """What a class lacks."""
        return -self._off(next(one for one in self.planning.drifts if one.asset_class == name))

    def _mendable(self, name: str) -> Money:
        """What of the gap of a class its members may take up."""
        gap = self._gap(name)
        if name == self.cash_name:
            return gap
        rooms = [
            self.bars.room_of(symbol)
            for symbol in self.planning.policy.classes[name].members
            if symbol in self.snapshot.instruments
        ]
        found = [room for room in rooms if room is not None]
        return min(gap, sum(found, ZERO)) if len(found) == len(rooms) else gap

    @cached_property
    def _waiting_total(self) -> Money:
        """Money on its way: what has not settled yet, and contributions."""
        settling = sum((self._unsettled(one) for one in self.layout.accounts), ZERO)
        return settling + sum(self.planning.coming.values(), ZERO)

    def _spare(self, account: str) -> Money:
        """Cash that an account may spend after the trades."""
        return self.after.free[account] - self.planning.due.get(account, ZERO)

    def _least(self, name: str) -> Money:
        """The least that an order for a class comes to."""
        orders = self.planning.policy.orders
        steps = [
            self.snapshot.instruments[symbol].step * self.snapshot.price(symbol)
            for symbol in self.planning.policy.classes[name].members
            if symbol in self.snapshot.quotes
        ]
        return max(orders.minimum, orders.invest_cash_from, CENT, min(steps, default=ZERO))

    def _unsettled(self, account: str) -> Money:
        """Free cash of an account that it may not spend before it has settled."""
        if self.planning.policy.orders.unsettled == "use":
            return ZERO
        spent = sum(
            (
                trade.value + trade.cost
                for trade in self.trades
                if trade.side is Side.BUY and trade.account == account
            ),
            ZERO,
        )
        settled = sum(
            (
                balance.settled
                for balance in self.snapshot.balances
                if balance.account == account and balance.currency == self.snapshot.base_currency
            ),
            ZERO,
        )
        free = self.after.free[account]
        kept = self.after.reserves[account] + self.after.waiting[account]
        return free - min(free, max(ZERO, settled - spent - kept))


def lacking_of(due: Mapping[str, Money], after: Holdings) -> dict[str, Money]:
    """What of each withdrawal *due* is not there, in the household as it is *after* a plan."""
    lacking = {}
    for account, amount in due.items():
        if account in after.free:
            there = after.free[account] - after.short.get(account, ZERO)
            if there < amount:
                lacking[account] = amount - there
    return lacking
