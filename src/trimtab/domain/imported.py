"""What a broker's file says, as values: the common form that every importer gives."""

import datetime as dt

from msgspec import Struct

from trimtab.domain.history import Reporting, TaxAccount, Transaction
from trimtab.domain.numbers import ZERO, Money, Price, Quantity
from trimtab.domain.trades import Term


class ImportedPosition(Struct, frozen=True, kw_only=True):
    """Units of one symbol in one account as the broker lists them; None where it does not say.

    `quantity` is negative for a short position. `basis` and `value` are in `currency`.
    """

    account: str
    symbol: str
    quantity: Quantity
    name: str = ""
    cusip: str = ""
    price: Price | None = None
    value: Money | None = None
    basis: Money | None = None
    currency: str = "USD"
    kind: str = ""
    as_of: dt.date | None = None


class ImportedLot(Struct, frozen=True, kw_only=True):
    """An open lot as the broker lists it; `basis` is the broker's, wash-adjusted by it or not.

    `unadjusted_basis` is what was paid, where the broker gives both.
    """

    account: str
    symbol: str
    quantity: Quantity
    acquired: dt.date | None
    basis: Money | None
    unadjusted_basis: Money | None = None
    holding_since: dt.date | None = None
    term: Term | None = None
    currency: str = "USD"


class BrokerSale(Struct, frozen=True, kw_only=True):
    """One row of a broker's realized gains or of a 1099-B: what the broker says was sold.

    `acquired` is None for "various" or where the file has no such column. `disallowed` is the
    broker's wash-sale figure (box 1g), positive; None where the file does not have one.
    `basis` is as printed (box 1e). `line` is where it stands.
    """

    account: str
    symbol: str
    quantity: Quantity
    sold: dt.date
    proceeds: Money
    acquired: dt.date | None = None
    basis: Money | None = None
    disallowed: Money | None = None
    gain: Money | None = None
    term: Term | None = None
    reporting: Reporting | None = None
    cusip: str = ""
    name: str = ""
    line: int = 0


class ImportedCash(Struct, frozen=True, kw_only=True):
    """Cash of one currency in one account."""

    account: str
    amount: Money
    currency: str = "USD"
    as_of: dt.date | None = None


class CashLine(Struct, frozen=True, kw_only=True):
    """Money that came or went without a trade: a dividend, interest, fee, deposit or withdrawal."""

    account: str
    date: dt.date
    amount: Money
    kind: str
    currency: str = "USD"
    symbol: str = ""
    text: str = ""


class Imported(Struct, frozen=True, kw_only=True):
    """Everything that one file says, and what it does not.

    `format` names the format that was recognized. `transactions` are in the order of their trade
    dates. `notes` are plain sentences: what such a file cannot give, totals that do not add up,
    masked values, rows that were left out and why. `counts` are the records of each kind as they
    stand in the file, for comparison. `tax_accounts` are those whose owner and kind the file
    names; `coins` the symbols that it says are crypto.
    """

    format: str
    source: str
    accounts: tuple[str, ...] = ()
    as_of: dt.date | None = None
    positions: tuple[ImportedPosition, ...] = ()
    lots: tuple[ImportedLot, ...] = ()
    transactions: tuple[Transaction, ...] = ()
    sales: tuple[BrokerSale, ...] = ()
    cash: tuple[ImportedCash, ...] = ()
    cash_lines: tuple[CashLine, ...] = ()
    notes: tuple[str, ...] = ()
    counts: dict[str, int] = {}
    realized_gain: Money = ZERO
    tax_accounts: tuple[TaxAccount, ...] = ()
    coins: frozenset[str] = frozenset()
