"""How long a decision takes, in band and drifted, in 4 accounts: 8 classes, 400 lots; 12, 2,000.

CPU time of the process, so that other programs on the machine count little. The baseline, measured
in turns with it, is what a script would do with pandas instead: the 400 lots in a DataFrame, the
weight of every class and the 5/25 test in float64, and nothing else: no plan, no lots, no tax, no
gates, no reasons.

    python benchmarks/bench_decide.py
"""

import datetime as dt
import platform
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from statistics import median
from time import process_time
from typing import NamedTuple

import pandas as pd

from trimtab.adapters.law import read_law
from trimtab.domain.facts import Facts
from trimtab.domain.memory import Memory
from trimtab.domain.numbers import round_to_step
from trimtab.domain.policy import ClassRule, Policy, TaxRule
from trimtab.domain.trades import Decision
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
from trimtab.rules.cycle import decide

ROUNDS = 25
NOW = dt.datetime(2026, 11, 20, 15, 30, tzinfo=dt.UTC)

Classes = Mapping[str, tuple[str, str, int]]
"""Of each class: its target, its weight when drifted, and how many members it has."""


class Size(NamedTuple):
    """How large an invented household is: its classes, what it owns, and lots of each member."""

    classes: Classes
    total: Decimal
    lots_each: int


FEW: Classes = {
    "us-large": ("0.30", "0.372", 3),
    "us-small": ("0.10", "0.096", 3),
    "developed": ("0.15", "0.141", 3),
    "emerging": ("0.07", "0.061", 2),
    "reits": ("0.05", "0.046", 2),
    "bonds": ("0.22", "0.182", 3),
    "tips": ("0.08", "0.070", 3),
    "bitcoin": ("0.03", "0.032", 1),
}
MANY: Classes = {
    "us-large": ("0.24", "0.300", 5),
    "us-small": ("0.08", "0.076", 3),
    "us-value": ("0.06", "0.056", 3),
    "developed": ("0.12", "0.111", 4),
    "emerging": ("0.07", "0.061", 4),
    "reits": ("0.05", "0.046", 3),
    "bonds": ("0.18", "0.158", 5),
    "tips": ("0.07", "0.064", 3),
    "munis": ("0.05", "0.048", 3),
    "corporates": ("0.04", "0.038", 3),
    "gold": ("0.02", "0.021", 3),
    "bitcoin": ("0.02", "0.021", 1),
}
SMALL = Size(FEW, Decimal(1_000_000), 20)
LARGE = Size(MANY, Decimal(10_000_000), 50)
FACTS = Facts(
    tax=TaxRule(
        filing_status="married_filing_jointly",
        short_term_rate=Decimal("0.29"),
        long_term_rate=Decimal("0.20"),
    )
)


def main() -> None:
    memory, statutes = Memory(name="benchmark", cycles=1), read_law().statutes
    works: dict[str, Callable[[], object]] = {
        "pandas, drift only": partial(pandas_drift, household(SMALL, drifted=True), rules(FEW))
    }
    for size in (SMALL, LARGE):
        for drifted in (False, True):
            home, policy = household(size, drifted=drifted), rules(size.classes)
            name = f"{len(home.lots):,} lots, {'drifted' if drifted else 'in band'}"
            look = partial(decide, home, policy, memory, FACTS, statutes, cycle="1")
            print(f"{name}: {len(home.quotes)} instruments, {told(look())}")
            works[f"decide(), {name}"] = look
    times = in_turns(works)
    baseline = median(times["pandas, drift only"])
    machine = f"{platform.machine()}, Python {platform.python_version()}, pandas {pd.__version__}"
    print(f"{machine}; {ROUNDS} rounds in turns, CPU time\n")
    print(f"{'':<30} {'median':>10}   {'min .. max':<20} ratio to pandas")
    for name, seconds in times.items():
        spread = f"{1e3 * min(seconds):.2f} .. {1e3 * max(seconds):.2f}"
        middle = median(seconds)
        print(f"{name:<30} {1e3 * middle:>7.2f} ms   {spread:<20} {middle / baseline:.1f}")


def in_turns(works: Mapping[str, Callable[[], object]]) -> dict[str, list[float]]:
    """CPU seconds of every round of every work, one after the other so that drift hits all."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS + 1):
        for name, work in works.items():
            start = process_time()
            work()
            times[name].append(process_time() - start)
    return {name: seconds[1:] for name, seconds in times.items()}  # the first warms up


def pandas_drift(home: Snapshot, policy: Policy) -> "pd.Series[bool]":
    """Which classes are out, the way a notebook would find it."""
    lots = pd.DataFrame(
        [(lot.symbol, float(lot.quantity)) for lot in home.lots], columns=["symbol", "quantity"]
    )
    classes = {symbol: name for name, rule in policy.classes.items() for symbol in rule.members}
    prices = {symbol: float(quote.price) for symbol, quote in home.quotes.items()}
    targets = pd.Series({name: float(rule.target) for name, rule in policy.classes.items()})
    value = lots["quantity"] * lots["symbol"].map(prices)
    weights = value.groupby(lots["symbol"].map(classes)).sum()
    drift = weights.reindex(targets.index) / weights.sum() - targets
    return drift.abs() >= (targets * 0.25).clip(upper=0.05)


def told(decision: Decision) -> str:
    if decision.plan is None:
        return "nothing to do"
    picks = sum(len(trade.lots) for trade in decision.plan.trades)
    return f"{len(decision.plan.trades)} trades from {picks} lots, all gates asked"


# ------------------------------------------------------------------ an invented household


def members(classes: Classes) -> dict[str, list[str]]:
    return {
        name: [f"{name}-{number}" for number in range(count)]
        for name, (_, _, count) in classes.items()
    }


def rules(classes: Classes) -> Policy:
    return Policy(
        classes={
            name: ClassRule(target=Decimal(classes[name][0]), members=tuple(symbols))
            for name, symbols in members(classes).items()
        }
    )


def household(size: Size, *, drifted: bool) -> Snapshot:
    """Every class in its share of the total, each member in lots of all ages."""
    instruments, quotes, lots = {}, {}, []
    symbols = [
        (name, symbol) for name, several in members(size.classes).items() for symbol in several
    ]
    for number, (name, symbol) in enumerate(symbols):
        coin = name == "bitcoin"
        instruments[symbol] = Instrument(
            symbol=symbol,
            kind=InstrumentKind.CRYPTO if coin else InstrumentKind.ETF,
            step=Decimal("0.00001") if coin else Decimal(1),
            calendar="24/7" if coin else "XNYS",
        )
        price = Decimal(80_000) if coin else Decimal(40 + 13 * (number % 20))
        quotes[symbol] = quote(symbol, price)
        target, weight, count = size.classes[name]
        value = size.total * Decimal(weight if drifted else target) / count
        lots += lots_of(instruments[symbol], value, price, size.lots_each)
    return Snapshot(
        at=NOW,
        base_currency="USD",
        accounts=accounts(),
        instruments=instruments,
        lots=tuple(lots),
        balances=tuple(
            Balance(account=name, currency="USD", amount=Decimal(60), settled=Decimal(60))
            for name in accounts()
        ),
        quotes=quotes,
        rates={},
        hours={calendar: open_hours(calendar) for calendar in ("XNYS", "24/7")},
    )


def lots_of(instrument: Instrument, value: Decimal, price: Decimal, count: int) -> list[Lot]:
    symbol = instrument.symbol
    is_coin = instrument.kind is InstrumentKind.CRYPTO
    homes = ("wallet",) if is_coin else ("joint", "joint", "roth", "ira")
    lots = []
    for number in range(count):
        acquired = NOW.date() - dt.timedelta(days=70 + 97 * number)
        quantity = round_to_step(value / price / count, instrument.step)
        paid = price * (Decimal("1.06") - Decimal("0.70") * number / count)
        lots.append(
            Lot(
                id=f"{symbol}-{number}",
                account=homes[number % len(homes)],
                symbol=symbol,
                quantity=quantity,
                basis=quantity * paid,
                acquired=acquired,
                holding_since=acquired,
            )
        )
    return lots


def accounts() -> dict[str, Account]:
    kinds = {
        "joint": AccountKind.TAXABLE,
        "roth": AccountKind.ROTH_IRA,
        "ira": AccountKind.TRADITIONAL_IRA,
        "wallet": AccountKind.CRYPTO,
    }
    return {
        name: Account(id=name, owner="ann", kind=kind, broker="paper", relief=Relief.SPECIFIC)
        for name, kind in kinds.items()
    }


def quote(symbol: str, price: Decimal) -> Quote:
    half = price * Decimal("0.0001")
    return Quote(
        symbol=symbol,
        bid=price - half,
        ask=price + half,
        at=NOW,
        session=NOW.date(),
        volume=Decimal(5_000_000),
        previous_close=price,
    )


def open_hours(calendar: str) -> Hours:
    return Hours(
        calendar=calendar,
        is_open=True,
        opens=NOW - dt.timedelta(hours=1),
        closes=NOW + dt.timedelta(hours=5),
        session=NOW.date(),
    )


if __name__ == "__main__":
    main()
