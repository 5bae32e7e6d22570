"""Price files, long or wide, into one checked history a symbol.

Long form: date, symbol, close; optionally adjusted close, bid, ask, volume, split and currency.
Wide form: date, then one column a symbol. There a column `VTI` or `VTI close` holds closes and
`VTI adjusted`, `VTI bid`, `VTI ask`, `VTI volume` and `VTI split` the rest, in the same file or in
another one. The form is told by whether a column names the symbol.
"""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from trimtab.adapters.calendars import FOREX, MarketCalendars
from trimtab.adapters.delimited import (
    Faults,
    Sheet,
    Unreadable,
    find_columns,
    quoted,
    read_amount,
    read_day,
    read_sheet,
    symbol_key,
    writes_month_first,
)
from trimtab.domain.errors import MissingExtra
from trimtab.domain.values import Instrument, InstrumentKind

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]

COLUMNS: dict[str, tuple[str, ...]] = {
    "date": ("date", "day", "session", "trade date"),
    "symbol": ("symbol", "ticker", "instrument"),
    "close": ("close", "price", "last", "close price", "closing price"),
    "adjusted": ("adjusted", "adjusted close", "adj close", "adjclose", "close adjusted"),
    "bid": ("bid", "bid close"),
    "ask": ("ask", "ask close"),
    "volume": ("volume",),
    "split": ("split", "splits", "split factor", "stock splits"),
    "currency": ("currency",),
}
_FIELDS = ("close", "adjusted", "bid", "ask", "volume", "split", "currency")
_PRICES = ("close", "adjusted", "bid", "ask")
_CURRENCIES = frozenset(
    {"AUD", "BGN", "BRL", "CAD", "CHF", "CNH", "CNY", "CZK", "DKK", "EUR", "GBP"}
    | {"HKD", "HUF", "IDR", "ILS", "INR", "ISK", "JPY", "KRW", "MXN", "MYR", "NOK"}
    | {"NZD", "PHP", "PLN", "RON", "SEK", "SGD", "THB", "TRY", "TWD", "USD", "ZAR"}
)
"""Currencies whose pairs are read from a file though no instrument names them."""
_PAIR = re.compile(r"([A-Z]{3})-?([A-Z]{3})")
_SPLIT = re.compile(r"(\d{1,4})(?:\s*[:/]\s*|[ -]for[ -])(\d{1,4})", re.ASCII | re.IGNORECASE)
_SPLIT_PART_MAX = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All rows of one symbol, oldest first; every list has one entry a row.

    `instants` are the market's closes less the lead (UTC). Prices stay text until they are
    wanted, so that their Decimals are exact and loading stays quick; `closes` and `adjusted`
    are the same numbers as float64 for statistics, NaN where there is none. `splits` holds
    (numerator, denominator) by position.
    """

    instrument: Instrument
    sessions: list[dt.date]
    instants: list[dt.datetime]
    close: list[str]
    bid: list[str]
    ask: list[str]
    volume: list[str]
    sources: list[str]
    closes: FloatArray
    adjusted: FloatArray
    splits: dict[int, tuple[int, int]]


def read_histories(
    paths: Sequence[Path],
    instruments: Mapping[str, Instrument],
    calendars: MarketCalendars,
    *,
    base_currency: str,
    lead: dt.timedelta,
) -> dict[str, History]:
    """The rows of all *paths* by symbol: the *instruments*, and pairs with the base currency.

    Other symbols in the files are left alone. Rows may come in any order, and from several files;
    a row that stands twice with the same prices counts once.

    Raises:
        InputError: a file or a calendar does not exist.
        FileFaults: all that is wrong with the rows, each with its line and symbol.
        MissingExtra: pandas is not installed.
    """
    _require_pandas()
    import pandas as pd

    faults = Faults(", ".join(str(path) for path in paths))
    wanted = {symbol_key(symbol): instrument for symbol, instrument in instruments.items()}
    reading = _Reading(wanted, base_currency, faults)
    pieces = [piece for path in paths for piece in reading.pieces(path) if len(piece)]
    histories = {}
    if pieces:
        table = _with_numbers(pd.concat(pieces, ignore_index=True), faults)
        instants = _Instants(calendars, lead)
        table = _without_repeats(table, faults)
        for key, rows in table[table["close"] != ""].groupby("key", sort=True):
            instrument = reading.known[str(key)]
            histories[instrument.symbol] = _history(instrument, rows, instants, faults)
    faults.raise_if_any()
    return histories


class _Reading:
    """Files becoming pieces of one long table of text, and what was wrong with them."""

    def __init__(self, wanted: dict[str, Instrument], base_currency: str, faults: Faults) -> None:
        self.known = wanted
        self.faults = faults
        self._base_currency = base_currency

    def pieces(self, path: Path) -> "list[pd.DataFrame]":
        """The rows of one file, in one piece or in one for each symbol."""
        faults = Faults(str(path))
        names = [name for synonyms in COLUMNS.values() for name in synonyms]
        names += self.known
        sheet = read_sheet(path, names, faults)
        positions = find_columns(sheet.header, COLUMNS, faults)
        if "symbol" in positions:
            pieces = [self._long(sheet, positions, faults)]
        else:
            pieces = self._wide(sheet, positions, faults)
        for sentence in faults.sentences:
            self.faults.add(f"{path.name}, {sentence}")
        return pieces

    def _long(self, sheet: Sheet, positions: dict[str, int], faults: Faults) -> "pd.DataFrame":
        import pandas as pd

        if "date" not in positions or not {"close", "adjusted"} & positions.keys():
            found = quoted(sheet.delimiter.join(sheet.header))
            faults.add(f"line 1: {found} lacks a column: name them date, symbol and close")
            return pd.DataFrame()
        cells = _cells(sheet)
        symbols = cells[positions["symbol"]]
        keys = symbols.map({symbol: self._key(symbol) for symbol in symbols.unique()})
        columns = {field: cells[at] for field, at in positions.items() if field in _FIELDS}
        if "close" in columns:
            for at in np.flatnonzero((keys != "") & (columns["close"] == "")).tolist():
                where = f"line {sheet.lines[at]}, {keys.iloc[at]}"
                faults.add(f"{where}, close: is empty: write it or remove the line")
        return _piece(sheet, _days(sheet, positions["date"], faults), keys, columns)

    def _wide(
        self, sheet: Sheet, positions: dict[str, int], faults: Faults
    ) -> "list[pd.DataFrame]":
        if "date" not in positions or "close" in positions:
            found = quoted(sheet.delimiter.join(sheet.header))
            faults.add(
                f"line 1: {found} does not say which column is what: name them date, symbol and"
                " close, or date and then one symbol a column"
            )
            return []
        cells = _cells(sheet)
        columns_by_key: dict[str, dict[str, pd.Series[str]]] = {}
        for at, name in enumerate(sheet.header):
            symbol, field = _wide_column(name)
            key = self._key(symbol)
            if not key or at == positions["date"]:
                continue
            columns = columns_by_key.setdefault(key, {})
            if field in columns:
                faults.add(f"line 1: two columns give the {field} of {symbol}: keep one")
            columns[field] = cells[at]
        days = _days(sheet, positions["date"], faults)
        return [_piece(sheet, days, key, columns) for key, columns in columns_by_key.items()]

    def _key(self, symbol: str) -> str:
        """What *symbol* is kept under; empty when nobody wants it."""
        key = symbol_key(symbol)
        if key in self.known:
            return key
        pair = _PAIR.fullmatch(key)
        if not pair or not set(pair.groups()) <= _CURRENCIES:
            return ""
        if self._base_currency not in pair.groups():
            return ""
        name = pair[1] + pair[2]
        self.known.setdefault(
            name,
            Instrument(symbol=name, kind=InstrumentKind.FOREX, calendar=FOREX, currency=pair[2]),
        )
        return name


def _wide_column(name: str) -> tuple[str, str]:
    """The symbol and the field that a header of the wide form names."""
    folded = " ".join(name.replace("_", " ").casefold().split())
    endings = [
        (synonym, field)
        for field in _FIELDS
        for synonym in COLUMNS[field]
        if folded.endswith(f" {synonym}")
    ]
    if not endings:
        return name, "close"
    synonym, field = max(endings, key=lambda ending: len(ending[0]))  # "adj close", not "close"
    return name[: -len(synonym) - 1].strip(), field


def _cells(sheet: Sheet) -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame(sheet.rows, columns=range(len(sheet.header)), dtype=str)


def _days(sheet: Sheet, position: int, faults: Faults) -> NDArray[np.int64]:
    """The date of every row as an ordinal; 0, and a fault, where it cannot be read."""
    texts = [row[position] for row in sheet.rows]
    month_first = writes_month_first(texts)
    days: dict[str, int] = {}
    for line, text in zip(sheet.lines, texts, strict=True):
        if not days.get(text):
            try:
                days[text] = read_day(text, month_first=month_first).toordinal()
            except Unreadable as error:
                days[text] = 0
                faults.add(f"line {line}, date: {error}")
    return np.array([days[text] for text in texts], dtype=np.int64)


def _piece(
    sheet: Sheet,
    days: NDArray[np.int64],
    keys: "pd.Series[str] | str",
    columns: "Mapping[str, pd.Series[str]]",
) -> "pd.DataFrame":
    """The rows of *sheet* that name a wanted symbol and say anything of it."""
    import pandas as pd

    rows = pd.DataFrame(
        {field: columns.get(field, "") for field in _FIELDS}, index=range(len(days))
    )
    rows["key"], rows["day"] = keys, days
    rows["line"], rows["source"] = sheet.lines, sheet.path.name
    rows["delimiter"] = sheet.delimiter
    says_something = (rows[list(columns)] != "").any(axis="columns")
    return rows[says_something & (rows["key"] != "") & (days > 0)]


def _with_numbers(table: "pd.DataFrame", faults: Faults) -> "pd.DataFrame":
    """*table* with a float64 twin (`close#`) of every column of numbers.

    A close has to be above zero. A bid or ask may be anything: whether the market it describes
    can be traded on is judged when it is quoted.
    """
    for field in (*_PRICES, "volume"):
        texts, numbers = _numbers(table, field, faults)
        table[field], table[f"{field}#"] = texts, numbers
        if field in {"close", "adjusted"}:
            for at in np.flatnonzero(numbers <= 0).tolist():
                faults.add(
                    f"{_where(table, at)}, {field}: {quoted(texts[at])} is not above zero:"
                    " correct the price or remove the line"
                )
        if field == "volume":
            for at in np.flatnonzero(numbers < 0).tolist():
                found = quoted(texts[at])
                faults.add(f"{_where(table, at)}, volume: {found} is below zero: correct it")
    return table


def _numbers(table: "pd.DataFrame", field: str, faults: Faults) -> tuple[list[str], FloatArray]:
    """The column *field* in plain digits, and as float64 with NaN where it is empty."""
    import pandas as pd

    texts: list[str] = table[field].tolist()
    delimiters: list[str] = table["delimiter"].tolist()
    numbers = pd.to_numeric(table[field], errors="coerce").to_numpy(dtype=np.float64, copy=True)
    is_unusual = (table[field] != "").to_numpy() & ~np.isfinite(numbers)
    for at in np.flatnonzero(is_unusual).tolist():
        numbers[at] = np.nan
        try:
            amount = read_amount(texts[at], delimiter=delimiters[at])
        except Unreadable as error:
            faults.add(f"{_where(table, at)}, {field}: {error}")
        else:
            texts[at], numbers[at] = str(amount), float(amount)
    return texts, numbers


def _where(table: "pd.DataFrame", at: int) -> str:
    source, line, key = (table[column].iloc[at] for column in ("source", "line", "key"))
    return f"{source}, line {line}, {key} {dt.date.fromordinal(int(table['day'].iloc[at]))}"


def _without_repeats(table: "pd.DataFrame", faults: Faults) -> "pd.DataFrame":
    """*table* by symbol and day with one row each: what several rows say is put together."""
    table = table.sort_values(["key", "day"], kind="stable", ignore_index=True)
    by = ["key", "day"]
    if not table.duplicated(by).any():
        return table
    groups = table.groupby(by, sort=False)
    for field in _PRICES:
        lowest, highest = (groups[f"{field}#"].transform(how) for how in ("min", "max"))
        conflicting = table[(lowest != highest) & lowest.notna()]
        for _, rows in conflicting.groupby(by, sort=False):
            lines = " and ".join(f"{row.source} line {row.line}" for row in rows.itertuples())
            first = rows.iloc[0]
            day = dt.date.fromordinal(int(first["day"]))
            faults.add(
                f"{first['key']} {day}: two different prices ({field}) in {lines}: keep the one"
                " that is right"
            )
    merged = table.replace("", None).groupby(by, sort=False, as_index=False).first()
    return merged.fillna(dict.fromkeys(_FIELDS, ""))


class _Instants:
    """When the close of a calendar's session is known."""

    def __init__(self, calendars: MarketCalendars, lead: dt.timedelta) -> None:
        self._calendars = calendars
        self._lead = lead
        self._known: dict[str, dict[int, dt.datetime | None]] = {}

    def of(self, calendar: str, days: Sequence[int]) -> "list[dt.datetime | None]":
        """The instant of each of *days* (ordinals, in order); None where there is no session."""
        known = self._known.setdefault(calendar, {})
        unseen = [day for day in days if day not in known]
        if unseen:
            first, last = dt.date.fromordinal(unseen[0]), dt.date.fromordinal(unseen[-1])
            for session in self._calendars.sessions(calendar, first, last):
                if session.toordinal() not in known:
                    close = self._calendars.close_of(calendar, session)
                    known[session.toordinal()] = close - self._lead
            known.update((day, None) for day in unseen if day not in known)
        return [known[day] for day in days]


def _history(
    instrument: Instrument, rows: "pd.DataFrame", instants: _Instants, faults: Faults
) -> History:
    """The history that *rows*, in order, make; what does not fit the instrument is a fault."""
    days = [int(day) for day in rows["day"]]
    closes_at = instants.of(instrument.calendar, days)
    sessions = [dt.date.fromordinal(day) for day in days]
    lines = [
        f"{source}, line {line}" for source, line in zip(rows["source"], rows["line"], strict=True)
    ]
    splits: dict[int, tuple[int, int]] = {}
    for at, instant in enumerate(closes_at):
        if instant is None:
            faults.add(
                f"{lines[at]}, {instrument.symbol}: {sessions[at]} is not a trading day of"
                f" {instrument.calendar}: correct the date or remove the line"
            )
    for at in np.flatnonzero((rows["split"] != "").to_numpy()).tolist():
        try:
            split = _split(rows["split"].iloc[at])
        except Unreadable as error:
            faults.add(f"{lines[at]}, {instrument.symbol}, split: {error}")
        else:
            if split != (1, 1):
                splits[at] = split
    for at in np.flatnonzero(~rows["currency"].isin(["", instrument.currency]).to_numpy()).tolist():
        faults.add(
            f"{lines[at]}, {instrument.symbol}: the currency is {rows['currency'].iloc[at]} and the"
            f" household says {instrument.currency}: correct one of them"
        )
    return History(
        instrument=instrument,
        sessions=sessions,
        instants=[instant for instant in closes_at if instant is not None],
        close=rows["close"].tolist(),
        bid=rows["bid"].tolist(),
        ask=rows["ask"].tolist(),
        volume=rows["volume"].tolist(),
        sources=rows["source"].tolist(),
        closes=rows["close#"].to_numpy(dtype=np.float64),
        adjusted=rows["adjusted#"].to_numpy(dtype=np.float64),
        splits=splits,
    )


def _split(text: str) -> tuple[int, int]:
    """New units for old ones as *text* has them: 2, 0.5, 3:2, 3/2 or 3-for-2; 0 is none.

    Raises:
        Unreadable: it is none of these.
    """
    parts = _SPLIT.fullmatch(text)
    if parts and int(parts[1]) and int(parts[2]):
        ratio = Fraction(int(parts[1]), int(parts[2]))
    else:
        factor = read_amount(text)
        ratio = Fraction(factor).limit_denominator(_SPLIT_PART_MAX) if factor else Fraction(1)
    if not 0 < ratio <= _SPLIT_PART_MAX:
        raise Unreadable(f"{quoted(text)} is no split: write 2 where one unit became two")
    return ratio.numerator, ratio.denominator


def _require_pandas() -> None:
    if find_spec("pandas") is None:
        raise MissingExtra(
            "price files are read with the library pandas: pip install 'trimtab[market]'"
        )
