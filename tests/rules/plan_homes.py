"""Households by hand for the planner: every price is 100, and nothing costs anything by itself.

A test says what differs, so that its figures can be worked out on paper.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from tests.houses import START, OpenCalendars
from tests.rules.homes import NO_LIMITS, STATUTES, TODAY, Home

from trimtab.domain.history import Transaction, TransactionKind, WashMatch
from trimtab.domain.memory import Memory
from trimtab.domain.numbers import BASIS_POINT, ONE, ZERO, Money
from trimtab.domain.policy import (
    BandRule,
    ClassRule,
    FlowRule,
    GateRule,
    HarvestRule,
    OrderRule,
    PlanRule,
    Policy,
    TaxRule,
)
from trimtab.domain.trades import Certificate, Disposal, Plan, Side, Term, Trade
from trimtab.domain.values import (
    Account,
    AccountKind,
    Balance,
    Instrument,
    InstrumentKind,
    Lot,
    OwnerRole,
    Quote,
    Relief,
    ScheduledPurchase,
    Snapshot,
)
from trimtab.rules.look import look_at, prepare
from trimtab.rules.plan import Planning
from trimtab.rules.tax.books import books_at

TAXED = {"taxable": AccountKind.TAXABLE}
COUPLE = {
    "hers": AccountKind.TAXABLE,
    "his": AccountKind.TAXABLE,
    "ira": AccountKind.TRADITIONAL_IRA,
}
_SPOUSES = {"his", "ira"}
STOCKS = ClassRule(target=Decimal("0.6"), members=("AAA", "AAB"))
BONDS = ClassRule(target=Decimal("0.4"), members=("BBB",), risk="safe")
FREE = OrderRule(minimum=ZERO, slippage_max_bps=ZERO, fee_buffer_bps=ZERO)
EXACT_BAND = BandRule(trigger_abs=ZERO)
"""Every class that is not on its target is out of its band, and goes back to the target."""
WIDE_BAND = BandRule(trigger_abs=ONE)
TAX = TaxRule(
    filing_status="married_filing_jointly",
    short_term_rate=Decimal("0.30"),
    long_term_rate=Decimal("0.15"),
)
YEARS_OF_FOUR_PERCENT = Decimal("8.1108957794")
"""What a dollar at the end of each of ten years is worth today, at 4 %: (1 - 1.04**-10) / 0.04."""
LATER = Decimal("0.1013346253")
"""What a dollar of loss costs later: 0.15 / 1.04**10."""


def about(amount: Decimal | int, within: str = "0.001") -> object:
    """*amount* to a tenth of a cent: certificates are told to a hundredth of one."""
    return pytest.approx(Decimal(amount), abs=Decimal(within))


def held(account: str, symbol: str, value: int, basis: int, days: int = 800, name: str = "") -> Lot:
    """A lot worth *value* dollars that cost *basis*, bought so many *days* ago."""
    day = TODAY - dt.timedelta(days=days)
    return Lot(
        id=name or f"{account}-{symbol}-{days}",
        account=account,
        symbol=symbol,
        quantity=Decimal(value) / 100,
        basis=Decimal(basis),
        acquired=day,
        holding_since=day,
    )


def household(
    lots: Iterable[Lot],
    cash: Mapping[str, int | Decimal] | None = None,
    *,
    accounts: Mapping[str, AccountKind] = TAXED,
    relief: Mapping[str, Relief] | None = None,
    classes: Mapping[str, ClassRule] | None = None,
    prices: Mapping[str, str] | None = None,
    spread: str = "0",
    step: str = "0.001",
    bands: BandRule = EXACT_BAND,
    orders: OrderRule = FREE,
    plan: PlanRule = PlanRule(),  # noqa: B008  the values are frozen
    gates: GateRule = NO_LIMITS,
    tax: TaxRule = TAX,
    harvest: HarvestRule = HarvestRule(),  # noqa: B008  the values are frozen
    disposals: tuple[Disposal, ...] = (),
    scheduled: tuple[ScheduledPurchase, ...] = (),
    contributions: tuple[FlowRule, ...] = (),
    withdrawals: tuple[FlowRule, ...] = (),
) -> Home:
    """A household whose brokers sell named lots, of 60 % stocks and 40 % bonds if not told."""
    rules = {"stocks": STOCKS, "bonds": BONDS} if classes is None else dict(classes)
    symbols = [symbol for rule in rules.values() for symbol in rule.members]
    named, half = prices or {}, Decimal(spread) / 2
    middle = {symbol: Decimal(named.get(symbol, "100")) for symbol in symbols}
    money = cash or {}
    snapshot = Snapshot(
        at=START,
        base_currency="USD",
        accounts={
            name: Account(
                id=name,
                owner=name,
                kind=kind,
                broker="paper",
                relief=(relief or {}).get(name, Relief.SPECIFIC),
                role=OwnerRole.SPOUSE if name in _SPOUSES else OwnerRole.SELF,
            )
            for name, kind in accounts.items()
        },
        instruments={
            symbol: Instrument(symbol=symbol, kind=InstrumentKind.ETF, step=Decimal(step))
            for symbol in symbols
        },
        lots=tuple(lots),
        balances=tuple(
            Balance(account=name, currency="USD", amount=Decimal(amount), settled=Decimal(amount))
            for name, amount in money.items()
        ),
        quotes={
            symbol: Quote(
                symbol=symbol, bid=price - half, ask=price + half, at=START, session=TODAY
            )
            for symbol, price in middle.items()
        },
        rates={},
        hours={name: OpenCalendars().hours(name, START) for name in ("XNYS", "24/7")},
        scheduled=scheduled,
    )
    policy = Policy(classes=rules, bands=bands, orders=orders, plan=plan, gates=gates)
    memory = Memory(name="Test", policy=policy, disposals=disposals)
    return Home(snapshot, policy, tax, memory, harvest, contributions, withdrawals)


def with_defaults(rules: Mapping[str, Any], **defaults: Any) -> dict[str, Any]:
    """What a test says of a household, on top of what its file takes for granted."""
    return defaults | dict(rules)


def alone(home: Home, account: str) -> Home:
    """What whoever plans one account at a time would see of *home*."""
    snapshot = home.snapshot
    seen = replace(
        snapshot,
        accounts={account: snapshot.accounts[account]},
        lots=tuple(lot for lot in snapshot.lots if lot.account == account),
        balances=tuple(each for each in snapshot.balances if each.account == account),
    )
    return home._replace(snapshot=seen)


def prepared(home: Home) -> tuple[Snapshot, Planning]:
    """*home* as `make_plan` wants it."""
    look = look_at(home.snapshot, home.policy, home.memory)
    return prepare(home.snapshot, home.policy, home.memory, home.facts, STATUTES, look)


def plan_of(home: Home) -> Plan:
    """The plan, where there must be one; its proof holds what every proof must hold."""
    decision = home.decide()
    assert decision.plan is not None, decision.refusals
    proof_of(decision.plan)
    return decision.plan


def is_planned(home: Home) -> bool:
    """Whether there is a plan; none is made only to be caught by the last look at it."""
    decision = home.decide()
    withheld = [one.sentence for one in decision.refusals if "is withheld" in one.sentence]
    assert withheld == []
    return decision.plan is not None


def proof_of(plan: Plan) -> Certificate:
    """The certificate of *plan*: a bound that is no higher, and parts that add up."""
    proof = plan.certificate
    assert proof is not None
    for cost in (proof.plan, proof.nothing):
        parts = cost.tax + cost.cost + cost.drift + cost.location + cost.wash
        assert cost.total == parts
    assert proof.bound <= proof.plan.total
    assert proof.gap == proof.plan.total - proof.bound
    assert proof.gap_bps * proof.value * BASIS_POINT - proof.gap < Decimal("0.0001")
    return proof


def moved(trades: Iterable[Trade]) -> dict[tuple[str, str], Money]:
    """Dollars by account and symbol: what is sold below zero, what is bought above."""
    return {
        (trade.account, trade.symbol): trade.value if trade.side is Side.BUY else -trade.value
        for trade in trades
    }


def picked(trades: Iterable[Trade]) -> dict[str, Decimal]:
    """Units sold of each lot."""
    return {pick.lot_id: pick.quantity for trade in trades for pick in trade.lots}


def washed(home: Home, trades: Iterable[Trade]) -> tuple[WashMatch, ...]:
    """The wash sales that the tax ledger finds once it is told of *trades*, in either order."""
    found: list[WashMatch] = []
    ordered = list(trades)
    for turn in (ordered, ordered[::-1]):
        ledger = books_at(home.snapshot, home.memory, home.tax)
        before = ledger.matches()
        ledger.extend(_told(trade) for trade in turn)
        found += [match for match in ledger.matches() if match not in before]
    return tuple(found)


def _told(trade: Trade) -> Transaction:
    is_sale = trade.side is Side.SELL
    return Transaction(
        id=f"{trade.account}-{trade.symbol}-{trade.side}",
        date=TODAY,
        account=trade.account,
        kind=TransactionKind.SELL if is_sale else TransactionKind.BUY,
        symbol=trade.symbol,
        quantity=trade.quantity,
        amount=trade.value,
        fee=trade.cost,
        method="specified" if is_sale else "fifo",
        picks=trade.lots,
    )


def realized(gain: int, term: Term, *, account: str = "taxable", days: int = 50) -> Disposal:
    """A sale of this year, so many *days* ago: long enough for no purchase to wash it."""
    sold = TODAY - dt.timedelta(days=days)
    bought = sold - dt.timedelta(days=100 if term is Term.SHORT else 800)
    return Disposal(
        id=f"realized-{gain}-{term}",
        account=account,
        symbol="BBB",
        lot_id="gone",
        quantity=ONE,
        acquired=bought,
        holding_since=bought,
        sold=sold,
        proceeds=Decimal(2_000_000 + gain),
        basis=Decimal(2_000_000),
        term=term,
        is_taxed=True,
    )
