"""A CSV of one's own: transactions or lots, with documented column names or a saved mapping.

Transactions have one line each. Capitals, spaces and the order of the columns do not matter.

    date,account,action,symbol,quantity,price,fee,lots
    2024-01-16,taxable,buy,VTI,10,240.10,,t1
    2024-03-15,taxable,sell,VTI,4,230,1.00,t1:4
    2024-03-20,ira,reinvest,VTI,0.5,231.05,,

- `date`: the trade date in New York, of a dividend the ex-date, as 2024-03-15 or 3/15/2024.
- `account`: any name; left out where the whole file is of one account (then say so in a mapping).
- `action`: buy, sell, reinvest, vest, gift, transfer, split, dividend; `opening` for units held
  when the records begin, `closed` for a sale of units bought before them, `review` for what a
  person must look at. An unknown word becomes such a review and is noted.
- `symbol`, `quantity`: the units; of a sale they may be written below zero.
- `price` of one unit, or `amount`: the whole money before the fee. Where both stand the amount
  counts. `fee`: what the trade cost beside it.
- `lots`: of a sale or transfer the lots, as `t1:10;t2:5` or one name for all of it; of a purchase
  the name of the new lot. `method`: fifo (the usual one), lifo, hifo, min_tax, specified.
- `order`: the order that several fills belong to.
- `basis`, `acquired`, `holding_since`: of a gift, an opening or a closed lot. `disallowed`: of a
  closed lot, what its wash sales disallowed.
- `to`: the account that a transfer goes to. `ratio`: of a split, as 2:1 or 2-for-1.
- `per_share`: of a dividend; `preferred`, `nonqualified`: yes or no.
- `form`: 1099b_reported, 1099b_unreported, 1099da_reported, 1099da_unreported or none.
- `id`: a name of the transaction; a purchase's is the name of its lot.
- `owner`, `role` (self, spouse, other), `account_kind` (taxable, traditional_ira, roth_ira, 401k,
  hsa, crypto): once for each account is enough. `class`: crypto for a coin.
- `currency`: only dollars are counted; other trades are left to look at.

Lines may run forwards or backwards; those of one day count in the order in which they were made.

Lots have the columns account, symbol, quantity, cost (or unit_cost) and acquired, optionally
holding_since, and no action. Sales as a broker or a 1099-B tells them have account, symbol,
quantity, sold and proceeds, optionally acquired, cost, disallowed, term, form, cusip and name.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import asdict

from trimtab.adapters.delimited import quoted, read_day, writes_month_first
from trimtab.adapters.files import LOT_COLUMNS, SALE_COLUMNS
from trimtab.adapters.imports.draft import Draft
from trimtab.adapters.imports.generic_cells import settings_for
from trimtab.adapters.imports.generic_rows import RowReader
from trimtab.adapters.imports.mapping import (
    ColumnMapping,
    ColumnNames,
    TableKind,
    date_reader,
)
from trimtab.adapters.imports.table import (
    HEAD_LINES,
    Document,
    Headings,
    Line,
    Record,
    Table,
    has_columns,
    heading,
    read_any_day,
)
from trimtab.domain.imported import Imported

TRANSACTIONS: Headings = {
    "date": ("date", "trade date", "transaction date", "ex date", "day"),
    "account": ("account", "account id", "account number", "account name"),
    "action": ("action", "type", "side", "transaction type", "transaction", "activity"),
    "symbol": ("symbol", "ticker", "instrument", "security", "asset"),
    "quantity": ("quantity", "qty", "shares", "units", "number of shares"),
    "price": ("price", "unit price", "price per share", "share price"),
    "amount": ("amount", "gross", "gross amount", "principal", "principal amount"),
    "fee": ("fee", "fees", "commission", "commissions"),
    "currency": ("currency", "ccy"),
    "lots": ("lot", "lots", "lot id", "lot ids"),
    "method": ("method", "lot method", "lot relief", "cost basis method"),
    "order": ("order", "order id"),
    "basis": ("basis", "cost basis", "cost", "total cost"),
    "acquired": ("acquired", "date acquired", "acquired date", "acquisition date"),
    "holding_since": ("holding since", "holding period start"),
    "to": ("to", "to account", "destination"),
    "ratio": ("ratio", "split ratio"),
    "per_share": ("per share", "dividend per share", "amount per share"),
    "disallowed": ("disallowed", "disallowed loss", "wash sale loss disallowed"),
    "form": ("form", "reporting"),
    "id": ("id", "transaction id"),
    "preferred": ("preferred", "is preferred"),
    "nonqualified": ("nonqualified", "non qualified", "is nonqualified"),
    "owner": ("owner",),
    "role": ("role", "owner role"),
    "account_kind": ("account kind", "account type"),
    "asset_class": ("class", "asset class", "symbol class"),
    "text": ("text", "note", "notes", "description", "memo", "remark"),
}
_ACCOUNTS = ("owner", "role", "account_kind", "asset_class")
LOTS: Headings = {
    **{column: names for column, names in LOT_COLUMNS.items() if column != "cost"},
    **{column: TRANSACTIONS[column] for column in _ACCOUNTS},
    "basis": LOT_COLUMNS["cost"],
}
SALES: Headings = {
    **{column: names for column, names in SALE_COLUMNS.items() if column != "cost"},
    **{column: TRANSACTIONS[column] for column in (*_ACCOUNTS, "disallowed", "form")},
    "account": TRANSACTIONS["account"],
    "basis": SALE_COLUMNS["cost"],
    "term": ("term", "holding period", "type of gain or loss"),
    "cusip": ("cusip",),
    "name": ("name", "description", "description of property"),
}


class Listing(NamedTuple):
    """A kind of list: its headings, the columns that it needs, and those of which it needs one."""

    headings: Headings
    needed: tuple[str, ...]
    either: tuple[str, ...] = ()


_KINDS: Mapping[TableKind, Listing] = {
    "transactions": Listing(TRANSACTIONS, ("date", "action", "symbol", "quantity")),
    "sales": Listing(SALES, ("symbol", "quantity", "sold", "proceeds")),
    "lots": Listing(LOTS, ("symbol", "quantity", "acquired"), ("basis", "unit_cost")),
}
_DATES = ("date", "acquired", "holding_since", "sold")
_NOTHING = ColumnMapping()
_ISO_LENGTH = len("2024-03-15")


def recognizes(lines: Sequence[Line]) -> bool:
    """Whether one of these first *lines* is a header with our columns."""
    return any(_lists(kind, line) for line in lines for kind in _KINDS)


def read(document: Document, mapping: ColumnMapping | None = None) -> Imported:
    """The transactions or the lots in *document*, read as *mapping* says.

    Raises:
        FileFaults: anything in it cannot be used; all of it is told at once.
    """
    how = mapping or _NOTHING
    start = _header_at(document, how)
    header = document.lines[start]
    kind = _kind(header, how)
    draft = Draft(document, f"generic_{kind}_csv")
    table = Table.of(header, _headings(_KINDS[kind].headings, how), draft.findings)
    _check_header(draft, table, header, how, kind)
    records = [
        record
        for line in document.lines[start + 1 :]
        if (record := _record(draft, table, line)) is not None
    ]
    _settle_reading(draft, how, records)
    RowReader(draft, how).read(kind, records)
    _tell_of_settings(draft, how, records)
    return draft.finish()


def _kind(header: Line, mapping: ColumnMapping) -> TableKind:
    """What a file lists: what the mapping says, or what its header has all columns of."""
    if mapping != _NOTHING:
        return mapping.table
    return next((kind for kind in _KINDS if _lists(kind, header)), "transactions")


def _lists(kind: TableKind, line: Line) -> bool:
    """Whether *line* has all columns of a list of this *kind*."""
    headings, needed, either = _KINDS[kind]
    if not has_columns(line, headings, needed):
        return False
    return not either or any(has_columns(line, headings, (column,)) for column in either)


def _header_at(document: Document, mapping: ColumnMapping) -> int:
    """Where the header stands among the lines: where the mapping says, or where it is found."""
    numbers = [line.number for line in document.lines]
    if mapping.header_line is not None:
        return next((at for at, number in enumerate(numbers) if number >= mapping.header_line), 0)
    headings = _headings(_KINDS[mapping.table].headings, mapping)
    head = document.lines[:HEAD_LINES]
    whole = [at for at, line in enumerate(head) if recognizes([line])]
    some = [
        at for at, line in enumerate(head) if has_columns(line, headings, ("symbol", "quantity"))
    ]
    return next(iter([*some, 0] if mapping.columns != ColumnNames() else [*whole, *some, 0]))


def _headings(headings: Headings, mapping: ColumnMapping) -> Headings:
    """*headings*, where the columns that *mapping* names have that name only."""
    named = {column: name for column, name in asdict(mapping.columns).items() if name}
    taken = {heading(name) for name in named.values()}
    free = {
        column: tuple(name for name in names if name not in taken)
        for column, names in headings.items()
    }
    return free | {column: (heading(name),) for column, name in named.items() if column in free}


def _check_header(
    draft: Draft, table: Table, header: Line, mapping: ColumnMapping, kind: TableKind
) -> None:
    _, needed, either = _KINDS[kind]
    decides = mapping.quantity_sign == "decides"
    missing = [
        column
        for column in needed
        if column not in table.columns and not (column == "action" and decides)
    ]
    if either and not set(either) & set(table.columns):
        missing.append(either[0])
    where = f"line {header.number}"
    named = quoted(draft.document.delimiter.join(header.cells))
    for column in missing:
        draft.fault(f"{where}: no column {column} in {named}: add it, or name it in a mapping")
    for column, name in asdict(mapping.columns).items():
        if name and heading(name) not in map(heading, header.cells):
            draft.fault(f"{where}: no column {quoted(name)}, which the mapping names as {column}")
    seen: set[str] = set()
    for name in filter(None, map(heading, header.cells)):
        if name in seen:
            draft.fault(f"{where}: two columns are called {quoted(name)}: rename one")
        seen.add(name)
    if missing:
        draft.findings.raise_if_any()


def _record(draft: Draft, table: Table, line: Line) -> Record | None:
    """The cells of *line*; None after a note on a line of text, or a fault."""
    if table.fits(line):
        return table.record(line)
    is_text = table.width > 1 and not any(line.cells[1:])
    if is_text and line != draft.document.lines[-1]:
        draft.note(f"line {line.number} is text, left out: {quoted(line.cells[0])}")
    else:
        draft.fault(f"{table.misfit(line)}: write one for each column")
    return None


def _tell_of_settings(draft: Draft, mapping: ColumnMapping, records: Sequence[Record]) -> None:
    """Let the first fault of a kind say which setting of a mapping would read the file."""
    faults = draft.findings.faults
    places = {
        f"line {record.line}, {column}": (record, column)
        for record in (records if faults else ())
        for column in record.cells
    }
    told = {name for name in ("date_format", "decimal") if getattr(mapping, name) is not None}
    sentences = []
    for fault in faults:
        place = places.get(fault.partition(": ")[0])
        settings = [
            setting
            for setting in (settings_for(*place) if place else ())
            if setting.partition(" ")[0] not in told
        ]
        told |= {setting.partition(" ")[0] for setting in settings}
        hint = f", or say {' and '.join(settings)} in a mapping (--mapping FILE)"
        sentences.append(f"{fault}{hint if settings else ''}")
    draft.findings.faults = dict.fromkeys(sentences)


def _settle_reading(draft: Draft, mapping: ColumnMapping, records: Sequence[Record]) -> None:
    """Decide once for the file how its dates and numbers are read."""
    findings = draft.findings
    findings.decimal = mapping.decimal or ""
    if mapping.date_format:
        findings.read_day = date_reader(mapping.date_format)
        return
    month_first = writes_month_first(
        record.text(column).partition(" ")[0] for record in records for column in _DATES
    )

    def read_own_day(text: str) -> dt.date:
        if "/" in text:
            return read_day(text.partition(" ")[0], month_first=month_first)
        return read_any_day(text) if len(text) != _ISO_LENGTH else read_day(text)

    findings.read_day = read_own_day
