"""Couples by chance with an IRA and a child, and what becomes of them once trades are booked.

Wash locks and recent purchases are taken from nobody: the tax ledger alone says what a household
holds after each look, and which losses it may not count.
"""

import datetime as dt
from decimal import Decimal

import numpy as np
from msgspec.structs import replace
from tests.rules.homes import TODAY, Home
from tests.rules.plan_homes import household

from trimtab.domain.history import Transaction, TransactionKind
from trimtab.domain.numbers import BASIS_POINT, ONE, ZERO
from trimtab.domain.policy import BandRule, ClassRule, HarvestRule, OrderRule, PlanRule, TaxRule
from trimtab.domain.tax_facts import opening_fact
from trimtab.domain.trades import Disposal, LotPick, Side, Trade
from trimtab.domain.values import (
    AccountKind,
    Lot,
    OwnerRole,
    Relief,
    ScheduledPurchase,
    Snapshot,
)
from trimtab.rules.plan import apply_trades
from trimtab.rules.tax.books import books_of
from trimtab.rules.tax.ledger import Ledger

ACCOUNTS = {
    "hers": AccountKind.TAXABLE,
    "his": AccountKind.TAXABLE,
    "ira": AccountKind.TRADITIONAL_IRA,
    "child": AccountKind.TAXABLE,
}
CLASSES = {
    "stocks": ClassRule(target=Decimal("0.5"), members=("AAA", "AAB", "AAC")),
    "abroad": ClassRule(target=Decimal("0.2"), members=("CCC", "CCD")),
    "bonds": ClassRule(target=Decimal("0.3"), members=("BBB", "BBC"), risk="safe"),
}
TAX = TaxRule(
    filing_status="married_filing_jointly",
    short_term_rate=Decimal("0.35"),
    long_term_rate=Decimal("0.15"),
    identical=(("AAA", "AAC"),),
)
RELIEFS = [Relief.SPECIFIC, Relief.SPECIFIC, Relief.FIFO, Relief.HIFO]
SLIPPAGE = OrderRule().slippage_max_bps * BASIS_POINT


def by_chance(rng: np.random.Generator) -> Home:
    """Lots of all ages with gains and losses, sales at a loss before, and a purchase to come."""
    symbols = [symbol for rule in CLASSES.values() for symbol in rule.members]
    lots = [_lot(number, rng, symbols) for number in range(int(rng.integers(4, 14)))]
    home = household(
        lots,
        {name: int(rng.integers(0, 8_000)) for name in ACCOUNTS},
        accounts=ACCOUNTS,
        relief={name: Relief(rng.choice(RELIEFS)) for name in ACCOUNTS},
        classes=CLASSES,
        spread="0.02",
        step=str(rng.choice(["1", "0.001"])),
        bands=BandRule(preset="vanguard-200-175"),
        orders=OrderRule(minimum=Decimal(int(rng.choice([0, 0, 0, 100])))),
        plan=PlanRule(harvests=rng.choice(["with_trades", "always"])),
        harvest=HarvestRule(minimum=Decimal(20)),
        tax=TAX,
        scheduled=_scheduled(rng, symbols),
    )
    accounts = dict(home.snapshot.accounts)
    accounts["child"] = replace(accounts["child"], role=OwnerRole.OTHER)
    history = [opening_fact(lot, TODAY) for lot in lots]
    history += [fact for number in range(int(rng.integers(0, 3))) for fact in _lost(number, rng)]
    history.sort(key=lambda fact: fact.acquired or fact.date)
    home = home._replace(
        snapshot=replace(home.snapshot, accounts=accounts),
        memory=replace(home.memory, history=tuple(history)),
    )
    return known_of(home)


def _lot(number: int, rng: np.random.Generator, symbols: list[str]) -> Lot:
    day = TODAY - dt.timedelta(days=int(rng.choice([1, 10, 29, 30, 31, 200, 364, 366, 900])))
    value = Decimal(int(rng.integers(500, 20_000)))
    return Lot(
        id=f"l{number:02}",
        account=str(rng.choice(list(ACCOUNTS))),
        symbol=str(rng.choice(symbols)),
        quantity=value / 100,
        basis=value * int(rng.integers(60, 150)) / 100,
        acquired=day,
        holding_since=day,
    )


def _lost(number: int, rng: np.random.Generator) -> list[Transaction]:
    """A purchase of more than 30 days ago and its sale at a loss, by her or by him."""
    sold = TODAY - dt.timedelta(days=int(rng.integers(1, 33)))
    account, symbol = str(rng.choice(["hers", "his"])), str(rng.choice(["AAA", "AAC", "CCC"]))
    bought = Transaction(
        id=f"gone{number}",
        date=sold - dt.timedelta(days=100),
        account=account,
        kind=TransactionKind.BUY,
        symbol=symbol,
        quantity=Decimal(20),
        amount=Decimal(3_000),
    )
    sale = Transaction(
        id=f"lost{number}",
        date=sold,
        account=account,
        kind=TransactionKind.SELL,
        symbol=symbol,
        quantity=Decimal(20),
        amount=Decimal(2_000),
        method="specified",
        picks=(),
    )
    return [bought, replace(sale, picks=_all_of(bought))]


def _scheduled(rng: np.random.Generator, symbols: list[str]) -> tuple[ScheduledPurchase, ...]:
    days = rng.integers(1, 30, int(rng.integers(0, 2)))
    return tuple(
        ScheduledPurchase(
            account=str(rng.choice(["ira", "his"])),
            symbol=str(rng.choice(symbols)),
            date=TODAY + dt.timedelta(days=int(day)),
            amount=Decimal(500),
        )
        for day in days
    )


def _all_of(bought: Transaction) -> tuple[LotPick, ...]:
    return (LotPick(lot_id=bought.id, quantity=bought.quantity),)


def told(trade: Trade, snapshot: Snapshot, look: int) -> Transaction:
    """A trade of a plan, filled at its limit, as the journal tells the tax ledger."""
    is_sale = trade.side is Side.SELL
    return Transaction(
        id=f"{look}-{trade.account}-{trade.symbol}-{trade.side}",
        date=snapshot.at.date(),
        account=trade.account,
        kind=TransactionKind.SELL if is_sale else TransactionKind.BUY,
        symbol=trade.symbol,
        quantity=trade.quantity,
        amount=trade.value * (ONE - SLIPPAGE if is_sale else ONE + SLIPPAGE),
        fee=trade.cost,
        method="specified" if is_sale else "fifo",
        picks=trade.lots,
        source="journal",
    )


def bought(one: ScheduledPurchase, snapshot: Snapshot) -> Transaction:
    """A purchase that happened by itself."""
    price = snapshot.price(one.symbol)
    return Transaction(
        id=f"itself-{one.account}-{one.symbol}-{one.date}",
        date=one.date,
        account=one.account,
        kind=TransactionKind.BUY,
        symbol=one.symbol,
        quantity=(one.amount / price).quantize(Decimal("0.001")),
        amount=one.amount,
        source="journal",
    )


def moved(
    home: Home,
    trades: tuple[Trade, ...],
    facts: list[Transaction],
    later: dt.datetime,
    rng: np.random.Generator,
) -> Home:
    """*home* once the plan was filled, some days later and at other prices."""
    balances = apply_trades(home.snapshot, trades, slippage=SLIPPAGE).balances
    quotes = {}
    for symbol, quote in home.snapshot.quotes.items():
        factor = Decimal(int(rng.integers(75, 130))) / 100
        price = (quote.price * factor).quantize(Decimal("0.01"))
        half = (quote.ask - quote.bid) / 2
        quotes[symbol] = replace(
            quote, bid=price - half, ask=price + half, at=later, session=later.date()
        )
    memory = replace(home.memory, history=(*home.memory.history, *facts))
    snapshot = replace(
        home.snapshot,
        at=later,
        quotes=quotes,
        balances=tuple(replace(one, settled=one.amount) for one in balances),
    )
    return known_of(home._replace(snapshot=snapshot, memory=memory))


def ledger_of(home: Home) -> Ledger:
    accounts, instruments = home.snapshot.accounts, home.snapshot.instruments
    return books_of(home.memory, home.tax, accounts, instruments)


def known_of(home: Home) -> Home:
    """*home* with the lots and the sales that its history comes to."""
    ledger = ledger_of(home)
    lots: dict[str, Lot] = {}
    for held in ledger.lots():
        known = lots.get(held.lot_id)
        lots[held.lot_id] = Lot(
            id=held.lot_id,
            account=held.account,
            symbol=held.symbol,
            quantity=held.quantity + (known.quantity if known else ZERO),
            basis=held.paid + (known.basis if known else ZERO),
            acquired=held.acquired,
            holding_since=held.acquired,
        )
    disposals = tuple(
        Disposal(
            id=sale.id,
            account=sale.account,
            symbol=sale.symbol,
            lot_id=sale.lot_id,
            quantity=sale.quantity,
            acquired=sale.acquired,
            holding_since=sale.holding_since,
            sold=sale.sold,
            proceeds=sale.proceeds,
            basis=sale.basis,
            term=sale.term,
            is_taxed=sale.is_taxed,
        )
        for sale in ledger.sales()
    )
    return home._replace(
        snapshot=replace(home.snapshot, lots=tuple(lots.values())),
        memory=replace(home.memory, disposals=disposals),
    )
