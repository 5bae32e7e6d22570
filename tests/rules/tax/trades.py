"""Trades of a small household in few words, for the tests of what is planned."""

import datetime as dt
from decimal import Decimal

from trimtab.domain.history import TaxAccount, Transaction, TransactionKind, WashRule
from trimtab.domain.policy import PurchaseRule
from trimtab.domain.values import AccountKind, OwnerRole
from trimtab.rules.tax.ledger import Ledger

ACCOUNTS = {
    account.id: account
    for account in (
        TaxAccount(id="taxable", owner="anna"),
        TaxAccount(id="joint", owner="ben", role=OwnerRole.SPOUSE),
        TaxAccount(id="ira", owner="anna", kind=AccountKind.TRADITIONAL_IRA),
        TaxAccount(id="401k", owner="ben", role=OwnerRole.SPOUSE, kind=AccountKind.PLAN_401K),
        TaxAccount(id="child", owner="kim", role=OwnerRole.OTHER),
    )
}
RULE = WashRule(groups=(("VOO", "IVV", "SPY"), ("VTI", "VTSAX")), exempt=frozenset({"BTC-USD"}))
RATES = (Decimal("0.32"), Decimal("0.15"))


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def later(date: dt.date, days: int) -> dt.date:
    return date + dt.timedelta(days=days)


def ledger_of(*transactions: Transaction, rule: WashRule = RULE) -> Ledger:
    ledger = Ledger(ACCOUNTS, rule, RATES)
    ledger.extend(sorted(transactions, key=lambda one: one.date))
    return ledger


def buy(lot, quantity, price, on, *, account="taxable", symbol="VOO", order=""):
    return Transaction(
        id=lot,
        date=on,
        account=account,
        kind=TransactionKind.BUY,
        symbol=symbol,
        quantity=Decimal(quantity),
        amount=Decimal(quantity) * Decimal(price),
        order_id=order,
    )


def sell(name, quantity, price, on, *, account="taxable", symbol="VOO", method="fifo", picks=()):
    return Transaction(
        id=name,
        date=on,
        account=account,
        kind=TransactionKind.SELL,
        symbol=symbol,
        quantity=Decimal(quantity),
        amount=Decimal(quantity) * Decimal(price),
        method=method,
        picks=picks,
    )


def plan(first, every="once", *, account="ira", symbol="VOO", amount="0"):
    return PurchaseRule(
        account=account, symbol=symbol, first=first, every=every, amount=Decimal(amount)
    )
