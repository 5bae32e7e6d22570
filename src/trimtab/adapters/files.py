"""The household's own lists: lots, cash, and sales made before trimtab took over.

A file is taken whole or not at all: everything that is wrong with it is reported at once.
"""

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from trimtab.adapters.delimited import (
    Faults,
    Unreadable,
    find_columns,
    nearest,
    quoted,
    read_amount,
    read_day,
    read_sheet,
    refuse_formula,
    symbol_key,
    writes_month_first,
)
from trimtab.domain.numbers import Money
from trimtab.domain.policy import AccountRule
from trimtab.domain.trades import Disposal, Term
from trimtab.domain.values import Account, Lot, trade_date

Synonyms = Mapping[str, tuple[str, ...]]

_ACCOUNT = ("account", "account id", "account name")
_SYMBOL = ("symbol", "ticker", "instrument", "security")
_QUANTITY = ("quantity", "shares", "qty", "units", "number of shares")
_COST = ("cost", "cost basis", "basis", "total cost", "total cost basis", "cost basis total")
_ACQUIRED = (
    "acquired",
    "date acquired",
    "acquisition date",
    "acquired date",
    "purchase date",
    "date purchased",
    "open date",
    "opened date",
)
_HOLDING_SINCE = ("holding since", "holding period start")

LOT_COLUMNS: Synonyms = {
    "account": _ACCOUNT,
    "symbol": _SYMBOL,
    "quantity": _QUANTITY,
    "cost": _COST,
    "unit_cost": ("unit cost", "cost per share", "cost share", "average cost", "purchase price"),
    "acquired": _ACQUIRED,
    "id": ("id", "lot", "lot id"),
    "holding_since": _HOLDING_SINCE,
}
CASH_COLUMNS: Synonyms = {
    "account": _ACCOUNT,
    "currency": ("currency", "ccy"),
    "amount": ("amount", "cash", "balance", "cash balance"),
}
SALE_COLUMNS: Synonyms = {
    "account": _ACCOUNT,
    "symbol": _SYMBOL,
    "quantity": _QUANTITY,
    "proceeds": ("proceeds", "net proceeds", "sales proceeds", "total proceeds"),
    "cost": _COST,
    "acquired": _ACQUIRED,
    "sold": ("sold", "date sold", "sale date", "sold date", "closed date"),
    "holding_since": _HOLDING_SINCE,
}

_ID = re.compile(r"\w[\w .:/+-]{0,99}")
_CURRENCY = re.compile(r"[A-Za-z]{3}", re.ASCII)


def read_lots(
    path: Path,
    accounts: Mapping[str, object],
    instruments: Mapping[str, object],
    *,
    today: dt.date | None = None,
) -> tuple[Lot, ...]:
    """The lots listed in the file at *path*: account, symbol, quantity, cost, acquired.

    `cost` is the whole cost with fees in the base currency; `unit_cost` may stand in its place.
    Optional are `id` and `holding_since`. A lot without an id gets one from its account, symbol,
    date and place among its like, so that the same file gives the same ids. No lot may be
    acquired after *today* (left out: the date in New York).

    Raises:
        InputError: there is no such file.
        FileFaults: anything in it cannot be used.
    """
    faults = Faults(str(path))
    rows = _read_rows(path, LOT_COLUMNS, faults, either=("cost", "unit_cost"))
    given_ids = Counter(row.cells["id"] for row in rows if row.cells.get("id"))
    latest = today or _today()
    used: set[str] = set(given_ids)
    numbering: dict[tuple[str, str, dt.date], Iterator[str]] = {}
    lots = []
    for row in rows:
        lot = _lot(row, accounts, instruments, latest)
        if row.cells.get("id") and given_ids[row.cells["id"]] > 1:
            row.fault("id", f"{quoted(row.cells['id'])} stands on several lines: give each its own")
        if lot is not None:
            named = lot if lot.id else _with_id(lot, used, numbering)
            used.add(named.id)
            lots.append(named)
    faults.raise_if_any()
    return tuple(lots)


def read_cash(path: Path, accounts: Mapping[str, object]) -> dict[str, dict[str, Money]]:
    """The cash listed in the file at *path* (account, currency, amount), by account and currency.

    Raises:
        InputError: there is no such file.
        FileFaults: anything in it cannot be used, or one balance is given twice.
    """
    faults = Faults(str(path))
    cash: dict[str, dict[str, Money]] = {}
    for row in _read_rows(path, CASH_COLUMNS, faults):
        account = row.name("account", accounts)
        currency = row.currency("currency")
        amount = row.amount("amount")
        if account is None or currency is None or amount is None:
            continue
        balances = cash.setdefault(account, {})
        if currency in balances:
            row.fault("currency", f"{currency} of {account} is given twice: write one line for it")
        balances[currency] = amount
    faults.raise_if_any()
    return cash


def read_sales(
    path: Path,
    accounts: Mapping[str, Account | AccountRule],
    instruments: Mapping[str, object],
    is_long_term: Callable[[dt.date, dt.date], bool],
    *,
    today: dt.date | None = None,
) -> tuple[Disposal, ...]:
    """Sales made before trimtab took over, from the file at *path*.

    Its columns are account, symbol, quantity, proceeds (net of selling costs), cost, acquired and
    sold, optionally holding_since. *is_long_term* decides the term from the date that the holding
    period counts from and the date of the sale.

    Raises:
        InputError: there is no such file.
        FileFaults: anything in it cannot be used.
    """
    faults = Faults(str(path))
    latest = today or _today()
    seen: Counter[str] = Counter()
    disposals = []
    for row in _read_rows(path, SALE_COLUMNS, faults):
        sale = _sale(row, accounts, instruments, latest)
        if sale is None:
            continue
        key = f"{sale.account}:{sale.symbol}:{sale.acquired}"
        seen[key] += 1
        disposals.append(
            Disposal(
                id=f"sale:{key}:{sale.sold}:{seen[key]}",
                account=sale.account,
                symbol=sale.symbol,
                lot_id=f"{key}:sold:{seen[key]}",
                quantity=sale.quantity,
                acquired=sale.acquired,
                holding_since=sale.holding_since,
                sold=sale.sold,
                proceeds=sale.proceeds,
                basis=sale.cost,
                term=Term.LONG if is_long_term(sale.holding_since, sale.sold) else Term.SHORT,
                is_taxed=accounts[sale.account].kind.is_taxed,
                source=path.name,
            )
        )
    faults.raise_if_any()
    return tuple(disposals)


class _Sale(NamedTuple):
    """One line of the list of sales."""

    account: str
    symbol: str
    quantity: Decimal
    proceeds: Money
    cost: Money
    acquired: dt.date
    holding_since: dt.date
    sold: dt.date


class _Row:
    """One line of a list, read cell by cell; what cannot be read goes to the file's faults."""

    def __init__(
        self,
        line: int,
        cells: dict[str, str],
        *,
        delimiter: str,
        month_first: bool | None,
        faults: Faults,
    ) -> None:
        self.line = line
        self.cells = cells
        self._delimiter = delimiter
        self._month_first = month_first
        self._faults = faults

    def fault(self, column: str, sentence: str) -> None:
        """Add a fault of this line."""
        self._faults.add(f"line {self.line}, {column}: {sentence}")

    def has(self, column: str) -> bool:
        """Whether anything is written there."""
        return bool(self.cells.get(column))

    def amount(self, column: str) -> Decimal | None:
        """The number in *column*."""
        try:
            return read_amount(self.cells[column], delimiter=self._delimiter)
        except Unreadable as error:
            self.fault(column, str(error))
            return None

    def positive(self, column: str, advice: str) -> Decimal | None:
        """The number above zero in *column*."""
        amount = self.amount(column)
        if amount is not None and amount <= 0:
            self.fault(column, f"{quoted(self.cells[column])} is not above zero: {advice}")
            return None
        return amount

    def not_negative(self, column: str, advice: str) -> Decimal | None:
        """The number that is zero or more in *column*."""
        amount = self.amount(column)
        if amount is not None and amount < 0:
            self.fault(column, f"{quoted(self.cells[column])} is below zero: {advice}")
            return None
        return amount

    def day(self, column: str, latest: dt.date) -> dt.date | None:
        """The date in *column*, not after *latest*."""
        try:
            day = read_day(self.cells[column], month_first=self._month_first)
        except Unreadable as error:
            self.fault(column, str(error))
            return None
        if day > latest:
            self.fault(column, f"{day} is in the future: write the day on which it happened")
            return None
        return day

    def name(self, column: str, known: Mapping[str, object]) -> str | None:
        """The one of *known* that *column* names; capitals and the dot of BRK.B do not matter."""
        text = self.cells[column]
        if text in known:
            return text
        try:
            refuse_formula(text)
        except Unreadable as error:
            self.fault(column, str(error))
            return None
        alike = [name for name in known if symbol_key(name) == symbol_key(text)]
        if len(alike) == 1:
            return alike[0]
        found = f"there is no {column} {quoted(text)} in the household" if text else "is empty"
        self.fault(column, f"{found}: {nearest(text, known)}")
        return None

    def currency(self, column: str) -> str | None:
        """The currency's code in *column*."""
        text = self.cells[column]
        if _CURRENCY.fullmatch(text):
            return text.upper()
        self.fault(column, f"{quoted(text)} is not a currency: write its code, such as USD")
        return None


def _read_rows(
    path: Path, synonyms: Synonyms, faults: Faults, *, either: tuple[str, ...] = ()
) -> list[_Row]:
    """The rows of a list with all its columns; of the columns *either* one is enough.

    Raises:
        FileFaults: a column is missing, or the file cannot be read at all.
    """
    sheet = read_sheet(path, (name for names in synonyms.values() for name in names), faults)
    positions = find_columns(sheet.header, synonyms, faults)
    optional = {"id", "holding_since", *either}
    missing = [column for column in synonyms if column not in optional and column not in positions]
    if either and not any(column in positions for column in either):
        missing.append(either[0])
    for column in missing:
        header = quoted(sheet.delimiter.join(sheet.header))
        faults.add(f"line 1: the column {column} is missing in {header}: add it")
    if missing:
        faults.raise_if_any()
    dates = [positions[name] for name in ("acquired", "sold", "holding_since") if name in positions]
    month_first = writes_month_first(row[at] for row in sheet.rows for at in dates)
    return [
        _Row(
            line,
            {column: cells[at] for column, at in positions.items()},
            delimiter=sheet.delimiter,
            month_first=month_first,
            faults=faults,
        )
        for line, cells in zip(sheet.lines, sheet.rows, strict=True)
    ]


def _lot(
    row: _Row, accounts: Mapping[str, object], instruments: Mapping[str, object], latest: dt.date
) -> Lot | None:
    """The lot on one line, with an empty id where none is written; None after a fault."""
    account = row.name("account", accounts)
    symbol = row.name("symbol", instruments)
    quantity = row.positive("quantity", "write the number of shares held")
    basis = _basis(row, quantity)
    acquired = row.day("acquired", latest)
    since = _holding_since(row, acquired, latest)
    lot_id = row.cells.get("id", "")
    if lot_id and not _ID.fullmatch(lot_id):
        row.fault("id", f"{quoted(lot_id)} is no name: write letters, digits and - . : / only")
    if account is None or symbol is None or quantity is None:
        return None
    if basis is None or acquired is None or since is None:
        return None
    return Lot(
        id=lot_id,
        account=account,
        symbol=symbol,
        quantity=quantity,
        basis=basis,
        acquired=acquired,
        holding_since=since,
    )


def _basis(row: _Row, quantity: Decimal | None) -> Money | None:
    if row.has("unit_cost") and not row.has("cost"):
        unit_cost = row.not_negative("unit_cost", "write what one unit cost, fees included")
        return None if unit_cost is None or quantity is None else unit_cost * quantity
    if "cost" not in row.cells:
        row.fault("unit_cost", "is empty: write what one unit cost, fees included")
        return None
    return row.not_negative("cost", "write what was paid in all, fees included")


def _holding_since(row: _Row, acquired: dt.date | None, latest: dt.date) -> dt.date | None:
    """The date that the holding period counts from: the purchase, or earlier if so written."""
    if not row.has("holding_since"):
        return acquired
    since = row.day("holding_since", latest)
    if since is not None and acquired is not None and since > acquired:
        row.fault("holding_since", f"{since} is after the purchase: leave it empty, or correct it")
    return since


def _with_id(
    lot: Lot, used: set[str], numbering: dict[tuple[str, str, dt.date], Iterator[str]]
) -> Lot:
    names = numbering.setdefault((lot.account, lot.symbol, lot.acquired), _numbered(lot))
    return replace(lot, id=next(name for name in names if name not in used))


def _numbered(lot: Lot) -> Iterator[str]:
    for number in count(1):
        yield f"{lot.account}:{lot.symbol}:{lot.acquired}:{number}"


def _sale(
    row: _Row,
    accounts: Mapping[str, object],
    instruments: Mapping[str, object],
    latest: dt.date,
) -> _Sale | None:
    """The sale on one line; None after a fault."""
    account = row.name("account", accounts)
    symbol = row.name("symbol", instruments)
    quantity = row.positive("quantity", "write the number of shares sold")
    proceeds = row.not_negative("proceeds", "write what was received, less selling costs")
    cost = row.not_negative("cost", "write what was paid in all, fees included")
    acquired = row.day("acquired", latest)
    sold = row.day("sold", latest)
    since = _holding_since(row, acquired, latest)
    if acquired is not None and sold is not None and sold < acquired:
        row.fault("sold", f"{sold} is before the purchase on {acquired}: correct one of them")
    if account is None or symbol is None or quantity is None or proceeds is None:
        return None
    if cost is None or acquired is None or sold is None or since is None:
        return None
    return _Sale(account, symbol, quantity, proceeds, cost, acquired, since, sold)


def _today() -> dt.date:
    return trade_date(dt.datetime.now(dt.UTC))
