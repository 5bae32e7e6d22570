"""A household at a desk: what plans are checked against, and trades of them written by hand."""

from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace
from tests.houses import START, TOML, FixedPrices, OpenCalendars, lot
from tests.rules.homes import Home

from trimtab.domain.household import accounts_of, decode_household, instruments_of
from trimtab.domain.memory import Memory
from trimtab.domain.trades import Certificate, LotPick, Side, Trade
from trimtab.domain.values import Balance, Snapshot
from trimtab.rules import cycle
from trimtab.rules.holdings import class_of
from trimtab.rules.plan import Planning, make_plan
from trimtab.rules.plan.check import faults

PRICES = {"VTI": "100", "ITOT": "50", "BND": "80", "BTC-USD": "50000", "EURUSD": "1.1"}
LOTS = (
    lot("taxable", "VTI", "100", "5000", "2024-01-02", "v1"),
    lot("taxable", "VTI", "50", "3000", "2024-06-03", "v2"),
    lot("ira", "BND", "500", "30000", "2024-01-02", "b1"),
    lot("wallet", "BTC-USD", "0.1", "1000", "2024-01-02", "c1"),
)


class Desk(NamedTuple):
    """What a plan is checked against, and the trades of one written by hand."""

    snapshot: Snapshot
    planning: Planning

    def told(self, *trades: Trade, proof: Certificate | None = None) -> tuple[str, ...]:
        return faults(self.snapshot, self.planning, trades, proof)

    def trade(self, account: str, side: Side, symbol: str, quantity: str, **lots: str) -> Trade:
        quote = self.snapshot.quotes[symbol]
        price = quote.ask if side is Side.BUY else quote.bid
        return Trade(
            account=account,
            symbol=symbol,
            asset_class=class_of(self.planning.policy).get(symbol, ""),
            side=side,
            quantity=Decimal(quantity),
            price=price,
            lots=tuple(LotPick(lot_id=key, quantity=Decimal(lots[key])) for key in lots),
            cost=Decimal(quantity) * price * Decimal("0.0005"),
        )

    def sale(self, account: str, symbol: str, quantity: str, **lots: str) -> Trade:
        return self.trade(account, Side.SELL, symbol, quantity, **lots)

    def purchase(self, account: str, symbol: str, quantity: str) -> Trade:
        return self.trade(account, Side.BUY, symbol, quantity)

    def seen(self, **changes: Any) -> "Desk":
        return self._replace(snapshot=replace(self.snapshot, **changes))

    def by(self, **changes: Any) -> "Desk":
        return self._replace(planning=replace(self.planning, **changes))

    def ruled(self, **changes: Any) -> "Desk":
        return self.by(policy=replace(self.planning.policy, **changes))

    def ordered(self, **changes: Any) -> "Desk":
        return self.ruled(orders=replace(self.planning.policy.orders, **changes))

    def relieved(self, relief: str, account: str = "taxable") -> "Desk":
        accounts = dict(self.snapshot.accounts)
        kind = type(accounts[account].relief)
        accounts[account] = replace(accounts[account], relief=kind(relief))
        return self.seen(accounts=accounts)

    def with_cash(self, account: str, amount: str, settled: str | None = None) -> "Desk":
        others = [one for one in self.snapshot.balances if one.account != account]
        own = Balance(
            account=account,
            currency="USD",
            amount=Decimal(amount),
            settled=Decimal(amount if settled is None else settled),
        )
        return self.seen(balances=(*others, own))

    def with_lot(self, name: str, **changes: Any) -> "Desk":
        lots = [replace(one, **changes) if one.id == name else one for one in self.snapshot.lots]
        return self.seen(lots=tuple(lots))


def planned(home: Home) -> tuple[Desk | None, tuple[Trade, ...]]:
    """What `decide` gave its planner, if it asked it at all, and the plan that left."""
    asked: list[Desk] = []

    def noting(snapshot: Snapshot, planning: Planning, *rest: Any) -> Any:
        asked.append(Desk(snapshot, planning))
        return make_plan(snapshot, planning, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cycle, "make_plan", noting)
        plan = home.decide().plan
    return (asked[-1] if asked else None), (() if plan is None else plan.trades)


@pytest.fixture(scope="module")
def desk() -> Desk:
    """Bonds are heavy and stocks light; 2,000 of the 3,000 dollars of cash may be spent."""
    file = decode_household(TOML)
    prices = FixedPrices(PRICES, spread="0")
    snapshot = Snapshot(
        at=START,
        base_currency="USD",
        accounts=accounts_of(file),
        instruments=instruments_of(file),
        lots=LOTS,
        balances=(),
        quotes=dict(prices.quotes(prices.prices, START)),
        rates={},
        hours={name: OpenCalendars().hours(name, START) for name in ("XNYS", "24/7")},
    )
    found, _ = planned(Home(snapshot, file.policy(), file.tax, Memory(name="Test")))
    assert found is not None, "a household with heavy bonds asks for a plan"
    return found.with_cash("taxable", "3000").with_cash("ira", "2000")


def one(sentence: str) -> tuple[str]:
    """One fault, and nothing beside it."""
    return (sentence,)
