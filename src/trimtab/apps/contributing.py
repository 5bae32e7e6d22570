"""What to put in this month and where: the reserve first, then averaging, then what lacks most."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from trimtab.apps.hypothetical import Look
from trimtab.apps.month import Incoming, Month, month_of, of_this_month
from trimtab.apps.reserving import Reserving, reserving
from trimtab.apps.run import policy_in_force
from trimtab.apps.unbegun_lump import UnbegunLump, is_unbegun
from trimtab.apps.world import House
from trimtab.domain.errors import InputError
from trimtab.domain.history import Transaction, TransactionKind
from trimtab.domain.incoming import PastContribution
from trimtab.domain.numbers import BASIS_POINT, ONE, ZERO, Money, Price
from trimtab.domain.policy import HouseholdFile, Policy
from trimtab.domain.trades import Drift, Side, Trade
from trimtab.domain.values import AccountKind, Snapshot, trade_date
from trimtab.rules.contributions import ValueAveragingRule, contribution_days, goals
from trimtab.rules.holdings import may_hold
from trimtab.rules.look import due_of, look_at, prepare
from trimtab.rules.placement import choose_purchase, place_contribution
from trimtab.rules.plan.permitted import Permitted
from trimtab.rules.reserve import claim
from trimtab.rules.schedule import flows_due
from trimtab.rules.side_fund import Standing, done_of, rule_of, standings
from trimtab.rules.tax.books import books_at
from trimtab.rules.tax.guard import Guarded, GuardState, Outlook, guard_purchase
from trimtab.rules.tax.ledger import Ledger
from trimtab.rules.words import money

_ONE_DAY = dt.timedelta(days=1)
_AHEAD = dt.timedelta(days=400)


class Place(NamedTuple):
    """Where a part of new money goes: into a class by a symbol, or, without one, it stays cash.

    No `day` means that none is known on which the purchase would be safe.
    """

    account: str
    amount: Money
    why: str
    asset_class: str = ""
    symbol: str = ""
    day: dt.date | None = None


class Averaged(NamedTuple):
    """An averaging rule as it stands, what the plan buys in its account, and its next day.

    `last` is what was met last, and `next_goal` what a path asks the value to be on its next day.
    A lump that has not begun takes what is `arriving` of the incoming money and `begins` with it.
    """

    standing: Standing
    purchases: tuple[Trade, ...]
    held: tuple[str, ...]
    next_day: dt.date | None
    next_goal: Money | None = None
    last: PastContribution | None = None
    arriving: Money = ZERO
    begins: dt.date | None = None

    @property
    def lacks(self) -> Money:
        """What is to be put in beyond the incoming money."""
        return max(ZERO, self.standing.lacks - self.arriving)


class Contributing(NamedTuple):
    """All that `trimtab contribute` shows; `is_asked` where an amount was given.

    `month` is, where nothing is to be put in any more, what the contributions of this month are.
    """

    household: str
    currency: str
    at: dt.datetime
    is_asked: bool
    incoming: tuple[Incoming, ...]
    places: tuple[Place, ...]
    averaged: tuple[Averaged, ...]
    reserve: Reserving | None
    least: Money
    month: Month = "none"

    @property
    def today(self) -> dt.date:
        """The date of the look."""
        return trade_date(self.at)


def contribute(
    house: House, look: Look, amount: Money | None = None, account: str | None = None
) -> Contributing:
    """Where the money of this month goes, or *amount*, put into *account*.

    Raises:
        InputError: the account does not exist, or none can be told.
    """
    snapshot, memory, facts = look.snapshot, look.memory, look.facts
    policy = policy_in_force(memory)
    currency = snapshot.base_currency
    today = trade_date(snapshot.at)
    cash = {name: memory.cash.get((name, currency), ZERO) for name in memory.accounts}
    found = reserving(policy, cash, today, facts, memory)
    averaged = standings(snapshot, policy, memory, facts)
    if amount is None:
        if account is not None:
            raise InputError("--account needs --amount: say how much is put into it.")
        incoming = of_this_month(house.file, policy, memory, today)
    else:
        where = _named(account, house.file) if account else _usual_account(house.file, today)
        incoming = (Incoming(today, where, amount),)
    placing = _Placing(look, policy, house, averaged, incoming if amount is None else ())
    places = tuple(placing.place(incoming, found))
    return Contributing(
        household=house.file.household.name,
        currency=currency,
        at=snapshot.at,
        is_asked=amount is not None,
        incoming=incoming,
        places=places,
        averaged=tuple(_averaged(one, look, placing.lumps) for one in averaged),
        reserve=found,
        least=policy.orders.invest_cash_from,
        month=month_of(house.file, memory, today),
    )


def _averaged(standing: Standing, look: Look, lumps: Mapping[str, UnbegunLump]) -> Averaged:
    decision, account = look.decision, standing.rule.account
    today, lump = trade_date(look.snapshot.at), lumps.get(account)
    planned = () if decision.plan is None else decision.plan.trades
    own = tuple(t for t in planned if t.account == account and t.side is Side.BUY)
    notes = [one.sentence for one in decision.held] if own else []
    if standing.asked > 0:
        notes += [one.sentence for one in decision.refusals if one.account in {"", account}]
    rule = rule_of(standing.rule)
    days = contribution_days(rule, today, today + _AHEAD)
    next_goal = None
    if days and isinstance(rule, ValueAveragingRule):
        next_goal = goals(rule, days[0])[-1][1]
    return Averaged(
        standing=standing,
        purchases=own if standing.asked > 0 else (),
        held=tuple(dict.fromkeys(notes)),
        next_day=days[0] if days else None,
        next_goal=next_goal,
        last=max(done_of(account, look.memory), key=lambda past: past.day, default=None),
        arriving=ZERO if lump is None else lump.arriving,
        begins=None if lump is None else lump.begins,
    )


def _usual_account(file: HouseholdFile, today: dt.date) -> str:
    """The account that the next contribution goes into, or else the first taxable one."""
    due = flows_due(file.contributions, today - _ONE_DAY, today + _AHEAD)
    if due:
        return due[0].account
    for name, rule in file.accounts.items():
        if rule.kind is AccountKind.TAXABLE:
            return name
    names = ", ".join(file.accounts)
    raise InputError(f"no account is taxable: name the one to pay into, --account ({names}).")


def _named(name: str, file: HouseholdFile) -> str:
    """The account called *name*, in whatever letter case it was typed."""
    for known in file.accounts:
        if known.lower() == name.lower():
            return known
    names = ", ".join(file.accounts)
    raise InputError(f"--account {name}: there is no such account: the household has {names}.")


class _Placing:
    """Places one sum after another; each finds the classes as the one before leaves them."""

    def __init__(
        self,
        look: Look,
        policy: Policy,
        house: House,
        averaged: Sequence[Standing],
        incoming: Iterable[Incoming],
    ) -> None:
        """Place money into the household of *look* under its *policy*.

        *incoming* is what of it [[contributions]] tell, which the plan counts already.
        """
        self.snapshot: Snapshot = look.snapshot
        self.policy, self.today = policy, trade_date(look.snapshot.at)
        self.decision = look.decision
        self.is_defensive = look.memory.breaker is not None
        self.paths = {one.rule.account for one in averaged if one.rule.by == "value"}
        until = self.today + dt.timedelta(days=policy.plan.raise_cash_days)
        self.lumps = {
            one.rule.account: UnbegunLump(one, until, look.snapshot.base_currency)
            for one in averaged
            if is_unbegun(one, self.today)
        }
        planned = _planned(look, policy, house, incoming)
        self.total = planned.value
        self.lacks = {account: -cash for account, cash in planned.cash.items() if cash < 0}
        self.added: dict[str, Money] = {}
        self.cash_name = planned.cash_name
        if self.cash_name is not None:
            self.added[self.cash_name] = sum(planned.planning.coming.values(), ZERO)
        self.known: Ledger = books_at(look.snapshot, look.memory, look.facts.tax)
        self.ledger: Ledger = books_at(look.snapshot, look.memory, look.facts.tax)
        self.ledger.extend(_planned_sales(look, policy))

    def place(self, incoming: Iterable[Incoming], reserve: Reserving | None) -> Iterator[Place]:
        """Where each sum goes, the reserve first."""
        lacks = ZERO if reserve is None else reserve.reached.lacks
        for one in (one._replace(day=max(one.day, self.today)) for one in incoming):
            parts = claim(lacks, one.amount)
            if reserve is not None and parts.to_reserve > 0:
                lacks -= parts.to_reserve
                self._keep(reserve.rule.account, parts.to_reserve)
                yield self._into_reserve(one, reserve.rule.account, parts.to_reserve)
            kept = min(parts.to_invest, self.lacks.get(one.account, ZERO))
            if kept > 0:
                self._keep(one.account, kept)
                why = f"It stays cash: {one.account} lacks it for withdrawals and its reserve."
                yield Place(one.account, kept, why, day=one.day)
            if parts.to_invest > kept:
                yield from self._invested(one._replace(amount=parts.to_invest - kept))

    def _keep(self, account: str, amount: Money) -> None:
        """Count *amount* as cash that *account* lacked."""
        self.total += amount
        self.lacks[account] = max(ZERO, self.lacks.get(account, ZERO) - amount)

    def _into_reserve(self, one: Incoming, account: str, amount: Money) -> Place:
        why = "It stays cash: the operating reserve lacks it, and has the first claim."
        if account != one.account:
            why += f" Put it into {account}, which keeps the reserve, and not into {one.account}."
        return Place(account, amount, why, day=one.day)

    def _invested(self, one: Incoming) -> Iterator[Place]:
        if one.account in self.paths:
            why = "It goes into the side fund, out of which [[averaging]] takes what its path asks."
            yield Place(one.account, one.amount, why, day=one.day)
        elif one.account in self.lumps:
            taken = self.lumps[one.account].take(one.day, one.amount)
            self.total += taken.soon
            if self.cash_name is not None:
                self.added[self.cash_name] += taken.soon
            if taken.free > 0:
                yield from self._divided(one._replace(amount=taken.free))
            if taken.waits > 0:
                yield Place(one.account, taken.waits, taken.why, day=one.day)
        else:
            yield from self._divided(one)

    def _divided(self, one: Incoming) -> Iterator[Place]:
        """Where among the classes a sum goes that is invested at once."""
        currency = self.snapshot.base_currency
        drifts = [
            replace(drift, value=drift.value + self.added.get(drift.asset_class, ZERO))
            for drift in self.decision.drifts
        ]
        closed = [d.asset_class for d in drifts if not self._members(d.asset_class, one.account)]
        placed = place_contribution(one.amount, drifts, self.total, closed, currency)
        self.total += one.amount
        for part in placed.parts:
            name = part.asset_class
            self.added[name] = self.added.get(name, ZERO) + part.amount
            yield self._bought(one, name, part.amount, drifts)
        if placed.left > 0:
            why = f"It stays cash: what {one.account} can buy has its target with the rest."
            yield Place(one.account, placed.left, why, day=one.day)

    def _members(self, name: str, account: str) -> list[str]:
        """What *account* may buy of the class *name*, the preferred first."""
        rule = self.policy.classes[name]
        is_closed = self.is_defensive and self.policy.defensive.posture == "reduce_only"
        if is_closed and rule.is_risky(self.snapshot.base_currency):
            return []
        kind = self.snapshot.accounts[account].kind
        return [
            symbol
            for symbol in rule.members
            if symbol == self.snapshot.base_currency
            or (
                symbol in self.snapshot.quotes
                and symbol not in self.policy.orders.no_buy
                and may_hold(kind, self.snapshot.instruments[symbol])
            )
        ]

    def _bought(self, one: Incoming, name: str, amount: Money, drifts: Sequence[Drift]) -> Place:
        members = self._members(name, one.account)
        drift = next(drift for drift in drifts if drift.asset_class == name)
        currency = self.snapshot.base_currency
        lacking = drift.target * self.total - drift.value
        why = f"{name} lacks {money(lacking, currency)} of its target once the money is there."
        if members[0] == currency:
            return Place(one.account, amount, f"{why} It is cash.", name, day=one.day)
        guards = {symbol: self._guarded(symbol, one, amount, self.ledger) for symbol in members}
        clear = [symbol for symbol in members[1:] if guards[symbol].state is GuardState.CLEAR]
        chosen = choose_purchase(members[0], one.day, guards[members[0]], clear)
        is_plain = chosen.symbol == members[0] and chosen.day == one.day
        why += "" if is_plain else f" {chosen.sentence[0].upper()}{chosen.sentence[1:]}"
        if not is_plain and self._guarded(members[0], one, amount, self.known).dollars == 0:
            why += " The plan of now takes that loss."
        return Place(one.account, amount, why, name, chosen.symbol, chosen.day)

    def _guarded(self, symbol: str, one: Incoming, amount: Money, ledger: Ledger) -> Guarded:
        price = self.snapshot.price(symbol)
        purchase = Transaction(
            id="(proposed)",
            date=one.day,
            account=one.account,
            kind=TransactionKind.BUY,
            symbol=symbol,
            quantity=amount / price,
            amount=amount,
            source="a contribution",
        )
        outlook = Outlook(to_review=ledger.to_review(), prices=_prices(self.snapshot))
        return guard_purchase(ledger, purchase, outlook)


def _planned(look: Look, policy: Policy, house: House, incoming: Iterable[Incoming]) -> Permitted:
    """What the plan of now divides and may spend, but for what is *incoming* itself.

    Neither depends on the targets, so that no strategy is asked again.
    """
    snapshot, memory, facts, *_ = look
    due = due_of(snapshot, policy, memory, facts)
    begun = look_at(snapshot, policy, memory, due=due)
    prepared, planning = prepare(snapshot, policy, memory, facts, house.statutes, begun)
    coming = dict(planning.coming)
    today = trade_date(snapshot.at)
    until = today + dt.timedelta(days=policy.plan.raise_cash_days)
    for one in incoming:
        if one.account in coming and today <= one.day <= until:
            coming[one.account] = max(ZERO, coming[one.account] - one.amount)
    return Permitted(prepared, replace(planning, coming=coming), begun.held)


def _planned_sales(look: Look, policy: Policy) -> Iterator[Transaction]:
    """The sales of the plan of now, as if they were filled at their limits today.

    A gate may hold them now and let them go before the money comes in, so that none is left out.
    """
    plan = look.decision.plan
    slippage = policy.orders.slippage_max_bps * BASIS_POINT
    for trade in () if plan is None else plan.trades:
        if trade.side is Side.SELL:
            yield Transaction(
                id=f"(planned {trade.account} {trade.symbol})",
                date=trade_date(look.snapshot.at),
                account=trade.account,
                kind=TransactionKind.SELL,
                symbol=trade.symbol,
                quantity=trade.quantity,
                amount=trade.value * (ONE - slippage),
                fee=trade.cost,
                method="specified",
                picks=trade.lots,
                source="the plan of now",
            )


def _prices(snapshot: Snapshot) -> Mapping[str, Price]:
    return {symbol: snapshot.price(symbol) for symbol in snapshot.quotes}
