"""A list of what is bought by itself: savings plans and contributions, as a CSV file."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import get_args, get_type_hints

from msgspec import convert

from trimtab.adapters.delimited import (
    Faults,
    Unreadable,
    find_columns,
    nearest,
    quoted,
    read_amount,
    read_day,
    read_sheet,
    writes_month_first,
)
from trimtab.domain.numbers import ZERO
from trimtab.domain.policy import PurchaseRule

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "account": ("account", "account id", "account name"),
    "symbol": ("symbol", "ticker", "instrument", "security"),
    "first": ("first", "first day", "date", "start", "next"),
    "every": ("every", "frequency", "period"),
    "amount": ("amount", "money"),
}
PERIODS: tuple[str, ...] = get_args(get_type_hints(PurchaseRule)["every"])
_NEEDED = ("account", "symbol", "first")


def read_purchases(path: Path, accounts: Iterable[str]) -> tuple[PurchaseRule, ...]:
    """What the file at *path* plans: account, symbol, first, every (`month` if empty) and amount.

    Raises:
        InputError: there is no such file.
        FileFaults: anything in it cannot be used, or it names an account that is none of
            *accounts*.
    """
    faults = Faults(str(path))
    sheet = read_sheet(path, (name for names in COLUMNS.values() for name in names), faults)
    columns = find_columns(sheet.header, COLUMNS, faults)
    missing = [name for name in _NEEDED if name not in columns]
    if missing:
        faults.add(f"line 1: no column says {', '.join(missing)}: add it")
        faults.raise_if_any()
    known = tuple(accounts)
    rows = [{name: cells[at] for name, at in columns.items()} for cells in sheet.rows]
    month_first = writes_month_first(row["first"] for row in rows)
    rules = [
        _rule(row, f"line {line}", faults, known, month_first=month_first)
        for line, row in zip(sheet.lines, rows, strict=True)
    ]
    faults.raise_if_any()
    return tuple(rule for rule in rules if rule is not None)


def _rule(
    row: Mapping[str, str],
    where: str,
    faults: Faults,
    accounts: tuple[str, ...],
    *,
    month_first: bool | None,
) -> PurchaseRule | None:
    """The purchase on one line; None after a fault."""
    before = len(faults.sentences)
    account, symbol = row["account"], row["symbol"]
    every = row.get("every", "").casefold().replace(" ", "_") or "month"
    if account not in accounts:
        faults.add(f"{where}, account: {quoted(account)} is none: {nearest(account, accounts)}")
    if not symbol:
        faults.add(f"{where}, symbol: is empty: write what is bought")
    if every not in PERIODS:
        faults.add(f"{where}, every: {quoted(every)} is none of {', '.join(PERIODS)}: write one")
    amount = ZERO
    try:
        first = read_day(row["first"], month_first=month_first)
    except Unreadable as error:
        faults.add(f"{where}, first: {error}")
    try:
        if row.get("amount"):
            amount = read_amount(row["amount"])
    except Unreadable as error:
        faults.add(f"{where}, amount: {error}")
    if amount < 0:
        faults.add(f"{where}, amount: {amount:f} is below zero: write about how much is bought")
    if len(faults.sentences) > before:
        return None
    return convert(
        {"account": account, "symbol": symbol, "first": first, "every": every, "amount": amount},
        PurchaseRule,
    )
