"""A saved mapping: which column of somebody's CSV is what, and which words mean what.

A mapping is a TOML file. Everything in it is optional; what it leaves out is found by the usual
names (`trimtab.adapters.imports.generic`).

    table = "transactions"       # or "sales", "lots"
    account = "taxable"          # for a file of one account without such a column
    delimiter = ";"              # "," ";" "tab" or "|"
    header_line = 3              # the line of the column names
    date_format = "DD.MM.YYYY"   # of YYYY YY MMM MM M DD D and what stands between them
    decimal = ","                # 1.234,56
    quantity_sign = "decides"    # no action column: below zero is a sale (else "any")
    amounts = "after_fees"       # what moved; else "before_fees"
    fee_sign = "negative"        # else "positive"

    [columns]                    # ours = "theirs"
    date = "Trade Day"
    symbol = "Instrument"

    [actions]                    # ours = ["their words"]
    buy = ["Kauf", "Market buy"]
    sell = ["Verkauf"]
    ignore = ["Statement fee"]   # lines that are left out, and counted
"""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Literal, cast

import msgspec.inspect as shapes
from msgspec import Meta, Struct
from msgspec.structs import asdict

from trimtab.adapters.delimited import FIRST_YEAR, LAST_YEAR, Unreadable, quoted
from trimtab.adapters.imports.source import decode, read_source
from trimtab.adapters.imports.table import MONTHS, heading
from trimtab.domain.errors import FileFaults
from trimtab.domain.reading import parse_toml, read_shape

TableKind = Literal["transactions", "sales", "lots"]
Word = Annotated[
    str,
    Meta(extra={"pattern": r"(?s).*\S.*", "form": "at least one letter", "example": '"Symbol"'}),
]
DateFormat = Annotated[
    str,
    Meta(
        extra={
            "pattern": r"(?=.*Y)(?=.*M)(?=.*D)(YYYY|YY|MMM|MM|M|DD|D|[-/. ,])+",
            "form": 'the order of year, month and day such as "DD.MM.YYYY" or "YYYYMMDD"',
            "example": '"DD.MM.YYYY"',
        }
    ),
]
HeaderLine = Annotated[int, Meta(extra={"least": 1, "most": 1000, "example": "1"})]


class ColumnNames(Struct, frozen=True, kw_only=True):
    """For each column of ours the name that stands in the file; None for the usual ones."""

    date: Word | None = None
    account: Word | None = None
    action: Word | None = None
    symbol: Word | None = None
    quantity: Word | None = None
    price: Word | None = None
    amount: Word | None = None
    fee: Word | None = None
    currency: Word | None = None
    lots: Word | None = None
    method: Word | None = None
    order: Word | None = None
    basis: Word | None = None
    unit_cost: Word | None = None
    acquired: Word | None = None
    holding_since: Word | None = None
    to: Word | None = None
    ratio: Word | None = None
    per_share: Word | None = None
    disallowed: Word | None = None
    form: Word | None = None
    id: Word | None = None
    preferred: Word | None = None
    nonqualified: Word | None = None
    owner: Word | None = None
    role: Word | None = None
    account_kind: Word | None = None
    asset_class: Word | None = None
    sold: Word | None = None
    proceeds: Word | None = None
    term: Word | None = None
    cusip: Word | None = None
    name: Word | None = None
    text: Word | None = None


class ActionWords(Struct, frozen=True, kw_only=True):
    """For each action the words that mean it in the file."""

    buy: tuple[Word, ...] = ()
    sell: tuple[Word, ...] = ()
    reinvest: tuple[Word, ...] = ()
    vest: tuple[Word, ...] = ()
    gift: tuple[Word, ...] = ()
    transfer: tuple[Word, ...] = ()
    split: tuple[Word, ...] = ()
    dividend: tuple[Word, ...] = ()
    opening: tuple[Word, ...] = ()
    closed: tuple[Word, ...] = ()
    review: tuple[Word, ...] = ()
    cash: tuple[Word, ...] = ()
    ignore: tuple[Word, ...] = ()


class ColumnMapping(Struct, frozen=True, kw_only=True):
    """How to read somebody's CSV; without any change it is the documented one."""

    table: TableKind = "transactions"
    account: Word | None = None
    delimiter: Literal[",", ";", "tab", "|"] | None = None
    header_line: HeaderLine | None = None
    date_format: DateFormat | None = None
    decimal: Literal[".", ","] | None = None
    quantity_sign: Literal["any", "decides"] = "any"
    amounts: Literal["before_fees", "after_fees"] = "before_fees"
    fee_sign: Literal["positive", "negative"] = "positive"
    columns: ColumnNames = ColumnNames()
    actions: ActionWords = ActionWords()

    @property
    def cut(self) -> str:
        """The character between two cells; empty where it is to be found out."""
        return "\t" if self.delimiter == "tab" else self.delimiter or ""


def read_mapping(path: Path) -> ColumnMapping:
    """The mapping in the TOML file at *path*.

    Raises:
        InputError: there is no such file, or it is no text.
        FileFaults: anything in it cannot be used; all of it is told at once.
    """
    text, _ = decode(read_source(path))
    document = parse_toml(text, str(path))
    faults: list[str] = []
    shape = shapes.type_info(ColumnMapping)
    mapping = cast("ColumnMapping", read_shape(shape, document, "", faults))
    if not faults:
        faults += _repeats("columns", {k: (v,) for k, v in asdict(mapping.columns).items() if v})
        faults += _repeats("actions", asdict(mapping.actions))
    if faults:
        raise FileFaults(str(path), faults)
    return mapping


def date_reader(date_format: str) -> Callable[[str], dt.date]:
    """A reader of dates that are written in *date_format*, such as `DD.MM.YYYY`.

    Raises:
        Unreadable: (by the reader) a text is no such date.
    """
    parts = re.split(r"(YYYY|YY|MMM|MM|M|DD|D)", date_format)
    pattern = re.compile("".join(_DATE_PARTS.get(part, re.escape(part)) for part in parts))

    def read(text: str) -> dt.date:
        match = pattern.fullmatch(text if " " in date_format else text.partition(" ")[0])
        if match is None:
            raise Unreadable(f"{quoted(text)} is not written as {date_format}")
        found = match.groupdict()
        year = int(found["year"]) if "year" in found else 2000 + int(found["short"])
        name = found.get("name", "").casefold()
        month = MONTHS.index(name) + 1 if name in MONTHS else int(found.get("month", 0))
        try:
            date = dt.date(year, month, int(found["day"]))
        except ValueError as error:
            raise Unreadable(f"{quoted(text)} is not a day of the calendar") from error
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise Unreadable(f"{quoted(text)} is not between {FIRST_YEAR} and {LAST_YEAR}")
        return date

    return read


_DATE_PARTS = {
    "YYYY": r"(?P<year>[0-9]{4})",
    "YY": r"(?P<short>[0-9]{2})",
    "MMM": r"(?P<name>[A-Za-z]{3})",
    "MM": r"(?P<month>[0-9]{2})",
    "M": r"(?P<month>[0-9]{1,2})",
    "DD": r"(?P<day>[0-9]{2})",
    "D": r"(?P<day>[0-9]{1,2})",
}


def _repeats(table: str, names: dict[str, tuple[str, ...]]) -> Iterator[str]:
    """A sentence for each name that *names* gives twice."""
    owners: dict[str, str] = {}
    for key, listed in names.items():
        for name in dict.fromkeys(map(heading, listed)):
            if name in owners:
                first = owners[name]
                yield f'{table}.{key}: "{name}" is already {table}.{first}: name it once'
            owners.setdefault(name, key)
