"""Invented households for the planner's benchmarks: the same ones for the same shape, always.

Prices, ages and costs come from a generator with the shape's seed. A lot's cost follows from its
age, with a drift of 6 % and a volatility of 22 % a year, so that old lots have gains and many young
ones have losses. A household in band has every class at its target; in a drifted one every class is
a quarter to a half of its target above it or below it, in turns.
"""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from trimtab.domain.facts import Facts
from trimtab.domain.memory import Memory
from trimtab.domain.numbers import CENT, round_to_step
from trimtab.domain.policy import (
    ClassRule,
    GateRule,
    OrderRule,
    PlanRule,
    Policy,
    TaxRule,
)
from trimtab.domain.trades import Disposal, Term
from trimtab.domain.values import (
    Account,
    AccountKind,
    Balance,
    Hours,
    Instrument,
    InstrumentKind,
    Lot,
    Quote,
    Relief,
    Snapshot,
)

NOW = dt.datetime(2026, 11, 20, 15, 30, tzinfo=dt.UTC)
TODAY = NOW.date()
DOLLARS_A_LOT = 5_000
DRIFT, VOLATILITY = 0.06, 0.22
"""Of prices, a year."""

Rng = np.random.Generator


class Kind(NamedTuple):
    """One account: how it is taxed, what its broker books, and its part of the savings."""

    id: str
    kind: AccountKind
    relief: Relief
    part: float


ONE_ACCOUNT = (Kind("taxable", AccountKind.TAXABLE, Relief.SPECIFIC, 1.0),)
FOUR_ACCOUNTS = (
    Kind("joint", AccountKind.TAXABLE, Relief.SPECIFIC, 0.40),
    Kind("old-broker", AccountKind.TAXABLE, Relief.FIFO, 0.20),
    Kind("ira", AccountKind.TRADITIONAL_IRA, Relief.SPECIFIC, 0.25),
    Kind("roth", AccountKind.ROTH_IRA, Relief.SPECIFIC, 0.15),
)
SIX_ACCOUNTS = (
    Kind("joint", AccountKind.TAXABLE, Relief.SPECIFIC, 0.35),
    Kind("old-broker", AccountKind.TAXABLE, Relief.FIFO, 0.15),
    Kind("hifo-broker", AccountKind.TAXABLE, Relief.HIFO, 0.10),
    Kind("ira", AccountKind.TRADITIONAL_IRA, Relief.SPECIFIC, 0.20),
    Kind("roth", AccountKind.ROTH_IRA, Relief.SPECIFIC, 0.10),
    Kind("health", AccountKind.HSA, Relief.SPECIFIC, 0.10),
)


class Shape(NamedTuple):
    """How large a household is, and whether it has drifted.

    The first `held` members of each class are held, the others may only be bought. `recent` is the
    part of the positions in which a lot was bought within the last 30 days, and `lost` that of the
    symbols of which one was sold at a loss.
    """

    name: str
    accounts: tuple[Kind, ...]
    classes: int
    members: tuple[int, ...]
    held: int
    lots: int
    is_drifted: bool = True
    recent: float = 0.05
    lost: float = 0.05
    step: Decimal = Decimal(1)
    seed: int = 1


class Home(NamedTuple):
    """All that `decide` takes."""

    snapshot: Snapshot
    policy: Policy
    memory: Memory
    facts: Facts


def single(positions: int, lots_each: int) -> Shape:
    """One taxable account; up to 50 positions are funds with a substitute each, more are stocks."""
    return Shape(
        name=f"single account, {positions} x {lots_each}",
        accounts=ONE_ACCOUNT,
        classes=positions,
        members=(2,) if positions <= 50 else (1,),
        held=1,
        lots=positions * lots_each,
        step=Decimal("0.0001"),
    )


def household(lots: int = 2_000, *, is_drifted: bool = True) -> Shape:
    """Four accounts and 12 classes, with losses to harvest and locks both ways."""
    return Shape(
        name=f"household, {lots:,} lots, {'drifted' if is_drifted else 'in band'}",
        accounts=FOUR_ACCOUNTS,
        classes=12,
        members=(2, 3),
        held=2,
        lots=lots,
        is_drifted=is_drifted,
    )


def large_household() -> Shape:
    """Six accounts, 50 classes and 20,000 lots."""
    return Shape(
        name="household, 50 classes, 6 accounts, 20,000 lots",
        accounts=SIX_ACCOUNTS,
        classes=50,
        members=(2, 3),
        held=2,
        lots=20_000,
    )


def built(shape: Shape) -> Home:
    """The household of *shape*."""
    rng = np.random.default_rng(shape.seed)
    classes = _classes(shape, rng)
    symbols = [symbol for rule in classes.values() for symbol in rule.members]
    prices = {symbol: Decimal(str(round(rng.uniform(20.0, 400.0), 2))) for symbol in symbols}
    snapshot = Snapshot(
        at=NOW,
        base_currency="USD",
        accounts={
            one.id: Account(
                id=one.id, owner="ann", kind=one.kind, broker="paper", relief=one.relief
            )
            for one in shape.accounts
        },
        instruments={
            symbol: Instrument(symbol=symbol, kind=InstrumentKind.ETF, step=shape.step)
            for symbol in symbols
        },
        lots=tuple(_lots(shape, classes, prices, rng)),
        balances=tuple(
            Balance(account=one.id, currency="USD", amount=Decimal(90), settled=Decimal(90))
            for one in shape.accounts
        ),
        quotes={symbol: _quote(symbol, price, rng) for symbol, price in prices.items()},
        rates={},
        hours={"XNYS": _open_hours()},
    )
    sales = tuple(_losses(shape, symbols, prices, rng))
    return Home(
        snapshot=snapshot,
        policy=_policy(classes),
        memory=Memory(name="benchmark", cycles=1, disposals=sales),
        facts=Facts(
            tax=TaxRule(
                filing_status="married_filing_jointly",
                short_term_rate=Decimal("0.35"),
                long_term_rate=Decimal("0.20"),
            )
        ),
    )


def _classes(shape: Shape, rng: Rng) -> dict[str, ClassRule]:
    """Targets that add up to one; every third class pays interest, the others dividends."""
    parts = rng.uniform(0.5, 1.5, shape.classes)
    targets = [Decimal(str(round(part, 5))) for part in parts / parts.sum()]
    targets[0] += 1 - sum(targets)
    return {
        f"class-{number:03}": ClassRule(
            target=target,
            members=tuple(
                f"C{number:03}{letter}"
                for letter in "ABC"[: shape.members[number % len(shape.members)]]
            ),
            ordinary_yield=Decimal("0.04") if number % 3 == 0 else Decimal("0.002"),
            qualified_yield=Decimal(0) if number % 3 == 0 else Decimal("0.015"),
        )
        for number, target in enumerate(targets)
    }


def _policy(classes: dict[str, ClassRule]) -> Policy:
    """The default rules, but for limits on how much one plan may trade."""
    return Policy(
        classes=classes,
        gates=GateRule(orders_max=100_000, turnover_max=Decimal(1)),
        orders=OrderRule(minimum=Decimal(100)),
        plan=PlanRule(),
    )


def _lots(
    shape: Shape, classes: dict[str, ClassRule], prices: dict[str, Decimal], rng: Rng
) -> Iterator[Lot]:
    """As many lots as the shape has, spread over accounts and held members."""
    places = [
        (name, symbol, one)
        for name, rule in classes.items()
        for symbol in rule.members[: shape.held]
        for one in shape.accounts
    ]
    counts = [shape.lots // len(places)] * len(places)
    for number in range(shape.lots % len(places)):
        counts[number] += 1
    if shape.is_drifted:
        signs = np.resize([1, -1], len(classes))
        off = dict(zip(classes, 1 + signs * rng.uniform(0.25, 0.5, len(classes)), strict=True))
    else:
        off = dict.fromkeys(classes, 1.0)
    total = sum(float(rule.target) * off[name] for name, rule in classes.items())
    for (name, symbol, one), count in zip(places, counts, strict=True):
        rule = classes[name]
        weight = float(rule.target) * off[name] / total / len(rule.members[: shape.held])
        dollars = weight * one.part * shape.lots * DOLLARS_A_LOT
        yield from _position(shape, one.id, symbol, prices[symbol], (dollars, count), rng)


def _position(
    shape: Shape, account: str, symbol: str, price: Decimal, size: tuple[float, int], rng: Rng
) -> Iterator[Lot]:
    dollars, count = size
    if not count:
        return
    parts = rng.uniform(0.3, 1.7, count)
    days = np.sort(rng.integers(32, 2_200, count))[::-1]
    if rng.random() < shape.recent:
        days[-1] = rng.integers(2, 29)
    years = days / 365
    moves = DRIFT * years + VOLATILITY * np.sqrt(years) * rng.standard_normal(count)
    for number in range(count):
        value = Decimal(str(round(dollars * parts[number] / parts.sum(), 2)))
        quantity = max(shape.step, round_to_step(value / price, shape.step))
        paid = (price * Decimal(str(round(float(np.exp(-moves[number])), 6)))).quantize(CENT)
        acquired = TODAY - dt.timedelta(days=int(days[number]))
        yield Lot(
            id=f"{account}-{symbol}-{number:04}",
            account=account,
            symbol=symbol,
            quantity=quantity,
            basis=quantity * paid,
            acquired=acquired,
            holding_since=acquired,
        )


def _losses(
    shape: Shape, symbols: list[str], prices: dict[str, Decimal], rng: Rng
) -> Iterator[Disposal]:
    """Sales at a loss within the last 30 days, for which the symbol may not be bought."""
    account = shape.accounts[0].id
    for symbol in symbols:
        if rng.random() >= shape.lost:
            continue
        acquired = TODAY - dt.timedelta(days=int(rng.integers(60, 300)))
        yield Disposal(
            id=f"sold-{symbol}",
            account=account,
            symbol=symbol,
            lot_id=f"gone-{symbol}",
            quantity=Decimal(10),
            acquired=acquired,
            holding_since=acquired,
            sold=TODAY - dt.timedelta(days=int(rng.integers(2, 29))),
            proceeds=10 * prices[symbol],
            basis=12 * prices[symbol],
            term=Term.SHORT,
            is_taxed=True,
        )


def _quote(symbol: str, price: Decimal, rng: Rng) -> Quote:
    half = price * Decimal(str(round(rng.uniform(0.5, 4.0), 2))) / 10_000
    return Quote(
        symbol=symbol,
        bid=price - half,
        ask=price + half,
        at=NOW,
        session=TODAY,
        volume=Decimal(50_000_000),
        previous_close=price,
    )


def _open_hours() -> Hours:
    return Hours(
        calendar="XNYS",
        is_open=True,
        opens=NOW - dt.timedelta(hours=1),
        closes=NOW + dt.timedelta(hours=5),
        session=TODAY,
    )
