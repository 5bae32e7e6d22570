"""Interactive Brokers' Activity Flex query as XML: accounts, positions, lots, trades and cash."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from trimtab.adapters.delimited import Faults
from trimtab.adapters.imports.flex_events import EventsRead, unread_note
from trimtab.adapters.imports.flex_lots import (
    LotsRead,
    count_wash_notes,
    term_of_codes,
)
from trimtab.adapters.imports.flex_trades import FILL_LEVELS, FOREX, TAX_CURRENCY, TradesRead
from trimtab.adapters.imports.flex_xml import (
    Reader,
    Record,
    Statement,
    looks_like_flex,
    parse_flex,
)
from trimtab.adapters.imports.words import counted
from trimtab.domain.imported import Imported, ImportedCash, ImportedLot, ImportedPosition
from trimtab.domain.numbers import ONE, Money

FORMAT = "ibkr_flex_xml"
BASE_SUMMARY = "BASE_SUMMARY"


class _Holdings(NamedTuple):
    positions: list[ImportedPosition]
    lots: list[ImportedLot]
    cash: list[ImportedCash]
    notes: list[str]


def recognizes_flex(data: bytes) -> bool:
    """Whether *data* begins like the XML of a Flex query (or IBKR's refusal to give one)."""
    return looks_like_flex(data)


def read_flex(path: Path, data: bytes) -> Imported:
    """What the Flex query in *data*, the content of the file at *path*, says.

    Positions, lots and cash are those of each account's latest statement. Days are trade dates in
    New York. Amounts stay in the currency of the trade: notes say where that is not the dollar.
    `counts` has the records of each element, of each `Element:LEVEL`, and `wash_notes`.
    `realized_gain` adds up fifoPnlRealized of the executions as they stand.

    Raises:
        FileFaults: the XML is broken, hostile or no Flex query, or values cannot be read.
        InputError: it is IBKR's answer that there is no statement.
    """
    statements = parse_flex(path, data)
    faults = Faults(str(path))
    reader = Reader(path, faults)
    trades, lots, events = TradesRead(reader), LotsRead(reader), EventsRead(reader)
    for statement in statements:
        if not statement.account:
            reader.fault(_head(statement), "<FlexStatement> has no accountId: export it again")
        trades.add(statement)
        lots.add(statement)
        events.add(statement)
    holdings = _holdings(statements, reader)
    dated = sorted([*trades.finish(), *events.dated], key=lambda one: one[:3])
    lots.finish()
    events.finish()
    bases = _base_currencies(statements)
    days = [reader.day(_head(one), "toDate") for one in statements]
    currency_notes = _currency_notes(statements, bases)
    faults.raise_if_any()
    unread = [note for one in statements if (note := unread_note(one))]
    return Imported(
        format=FORMAT,
        source=path.name,
        accounts=tuple(dict.fromkeys(one.account for one in statements if one.account)),
        as_of=max((day for day in days if day), default=None),
        positions=tuple(holdings.positions),
        lots=tuple(holdings.lots),
        transactions=tuple(one.transaction for one in dated),
        sales=tuple(lots.sales),
        cash=tuple(holdings.cash),
        cash_lines=tuple(sorted(events.cash_lines, key=lambda line: line.date)),
        notes=(
            *trades.notes,
            *lots.notes,
            *events.notes,
            *holdings.notes,
            *currency_notes,
            *unread,
        ),
        counts=_counts(statements),
        realized_gain=trades.realized,
    )


def _counts(statements: Sequence[Statement]) -> dict[str, int]:
    """Records by element, and by element and level of detail, as they stand in the file."""
    counts: Counter[str] = Counter()
    for statement in statements:
        for record in statement.records:
            counts[record.name] += 1
            if record.level:
                counts[f"{record.name}:{record.level}"] += 1
    return {
        **counts,
        "FlexStatement": len(statements),
        "wash_notes": count_wash_notes(statements),
    }


# ---------------------------------------------------------------------- holdings


def _holdings(statements: Sequence[Statement], reader: Reader) -> _Holdings:
    """Positions, open lots and cash of each account's latest statement."""
    found = _Holdings([], [], [], [])
    for statement in _latest(statements, "OpenPositions", "OpenPosition", reader):
        _add_positions(statement, reader, found)
    for statement in _latest(statements, "CashReport", "CashReportCurrency", reader):
        as_of = reader.day(_head(statement), "toDate")
        for record in statement.of("CashReportCurrency"):
            currency = record.get("currency")
            amount = reader.amount(record, "endingCash")
            if currency != BASE_SUMMARY and amount is not None:
                account = statement.account_of(record)
                found.cash.append(
                    ImportedCash(account=account, amount=amount, currency=currency, as_of=as_of)
                )
    has_several = len({one.account for one in statements}) < len(statements)
    if has_several and found.positions:
        found.notes.append(
            "the file has several statements of one account: positions are those of the latest"
        )
    if found.positions and not found.lots:
        found.notes.append(
            "the file lists positions without their lots: choose Lot in the options of Open"
            " Positions to import when and at what cost each was bought"
        )
    return found


def _latest(
    statements: Sequence[Statement], section: str, name: str, reader: Reader
) -> list[Statement]:
    """The latest statement of each account that has the *section*, be it empty."""
    latest: dict[str, tuple[dt.date, int]] = {}
    for place, statement in enumerate(statements):
        if section not in statement.sections and not any(statement.of(name)):
            continue
        day = reader.day(_head(statement), "toDate") or dt.date.min
        latest[statement.account] = max(
            latest.get(statement.account, (dt.date.min, -1)), (day, place)
        )
    return [statements[place] for _, place in latest.values()]


def _add_positions(statement: Statement, reader: Reader, found: _Holdings) -> None:
    """Read the open positions: summaries and lots say the same units twice."""
    summaries: list[Record] = []
    lots: list[Record] = []
    for record in statement.of("OpenPosition"):
        (lots if record.level == "LOT" else summaries).append(record)
    told = {_contract(statement, record) for record in summaries}
    found.positions.extend(
        position
        for record in summaries
        if (position := _position(statement, record, reader)) is not None
    )
    sums: dict[tuple[str, ...], ImportedPosition] = {}
    for record in lots:
        position = _position(statement, record, reader)
        if position is None:
            continue
        found.lots.append(
            ImportedLot(
                account=position.account,
                symbol=position.symbol,
                quantity=position.quantity,
                acquired=reader.day(record, "openDateTime"),
                basis=position.basis,
                holding_since=reader.day(record, "holdingPeriodDateTime"),
                term=term_of_codes(record),
                currency=position.currency,
            )
        )
        contract = _contract(statement, record)
        if contract not in told:
            before = sums.get(contract)
            sums[contract] = position if before is None else _sum(before, position)
    found.positions.extend(sums.values())
    odd = sum(position.kind == FOREX for position in found.positions)
    if odd:
        found.notes.append(
            f"{counted(odd, 'position')} in currency pairs: they are exchanges, no holdings"
        )


def _position(statement: Statement, record: Record, reader: Reader) -> ImportedPosition | None:
    quantity = reader.needed(record, "position")
    if quantity is None:
        return None
    return ImportedPosition(
        account=statement.account_of(record),
        symbol=record.get("symbol", "isin", "conid"),
        quantity=quantity,
        name=record.get("description"),
        cusip=record.get("cusip"),
        price=reader.amount(record, "markPrice"),
        value=reader.amount(record, "positionValue"),
        basis=reader.amount(record, "costBasisMoney"),
        currency=record.get("currency") or "USD",
        kind=record.get("assetCategory"),
        as_of=reader.day(record, "reportDate") or reader.day(_head(statement), "toDate"),
    )


def _sum(one: ImportedPosition, other: ImportedPosition) -> ImportedPosition:
    return replace(
        one,
        quantity=one.quantity + other.quantity,
        value=_added(one.value, other.value),
        basis=_added(one.basis, other.basis),
    )


def _added(one: Money | None, other: Money | None) -> Money | None:
    return None if one is None or other is None else one + other


def _contract(statement: Statement, record: Record) -> tuple[str, ...]:
    """What makes two rows the same holding; symbols are not unique at IBKR, contracts are."""
    return statement.account_of(record), record.get("conid", "isin", "symbol"), record.get("model")


# ---------------------------------------------------------------------- currencies


def _base_currencies(statements: Sequence[Statement]) -> dict[str, str]:
    """The base currency of each account: as told, or the only one that converts at 1."""
    told: dict[str, str] = {}
    seen: dict[str, set[str]] = {}
    for statement in statements:
        for record in statement.records:
            account = statement.account_of(record)
            if record.name == "AccountInformation" and record.get("currency"):
                told[account] = record.get("currency")
            elif _rate(record) == ONE and record.get("currency"):
                seen.setdefault(account, set()).add(record.get("currency"))
    alone = {account: next(iter(found)) for account, found in seen.items() if len(found) == 1}
    return {**alone, **told}


def _rate(record: Record) -> Decimal | None:
    text = record.get("fxRateToBase")
    digits = text.replace(".", "", 1)
    return Decimal(text) if digits.isascii() and digits.isdigit() else None


def _currency_notes(statements: Sequence[Statement], bases: dict[str, str]) -> list[str]:
    """One note for each account and currency whose trades are not in dollars or in the base."""
    rates: dict[tuple[str, str], list[Decimal | None]] = {}
    for statement in statements:
        for record in statement.of("Trade"):
            account, currency = statement.account_of(record), record.get("currency")
            if record.level not in FILL_LEVELS or record.get("assetCategory") == FOREX:
                continue
            if currency and {currency, bases.get(account, TAX_CURRENCY)} != {TAX_CURRENCY}:
                rates.setdefault((account, currency), []).append(_rate(record))
    notes = []
    for (account, currency), found in rates.items():
        known = sorted(rate for rate in found if rate is not None)
        span = f"{known[0]} to {known[-1]}" if known else "not given"
        notes.append(
            f"{counted(len(found), 'trade')} of account {account} in {currency}, whose base"
            f" currency is {bases.get(account, 'not named in the file')}: the amounts stand in"
            f" {currency} (fxRateToBase {span})"
        )
    return notes


def _head(statement: Statement) -> Record:
    """The statement's own attributes as a record."""
    return Record("FlexStatement", statement.line, statement.values)
