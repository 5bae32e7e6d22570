"""The Treasury's daily par yield curve, from its own CSV files or others like them."""

import datetime as dt
import re
from bisect import bisect_right
from decimal import Decimal
from pathlib import Path

from trimtab.adapters.delimited import (
    Faults,
    Sheet,
    Unreadable,
    column_key,
    quoted,
    read_amount,
    read_day,
    read_sheet,
    writes_month_first,
)
from trimtab.domain.numbers import Weight
from trimtab.domain.yield_facts import Curve, CurvePoint

_MATURITY = re.compile(
    r"(?:y_|bc_)?(\d+(?:\.\d+)?)[ _-]?(m|mo|mos|month|months|y|yr|yrs|year|years)", re.IGNORECASE
)
_NOTHING = {"", "n/a", "na", ".", "nan"}
_PER_YEAR = 12
_LIKE_A_FRACTION = Decimal("0.2")
"""The highest par yield of a day was never below this in percent: the file holds fractions."""
_PERCENT_MAX = 100


class CurveFile:
    """A file of the Treasury's par yields, many days of them; a day is read once it is asked for.

    The column `date` tells the day; every column such as `y_3m`, `3 Mo` or `10 Yr` is a maturity,
    with its par yield in percent (bond-equivalent, as the Treasury publishes it). The rows are in
    any order, and an empty cell is a maturity that was not published.
    """

    def __init__(self, path: Path) -> None:
        """Read the days of the file at *path*.

        Raises:
            InputError: there is no such file.
            FileFaults: a day cannot be read, or nothing in it is a day or a maturity.
        """
        self._path = path
        faults = Faults(str(path))
        sheet = read_sheet(path, ("date",), faults)
        at = next((n for n, name in enumerate(sheet.header) if column_key(name) == "date"), None)
        columns = {n: months for n, name in enumerate(sheet.header) if (months := _months(name))}
        if at is None:
            faults.add('line 1: no column says the day: call it "date"')
        if not columns:
            faults.add('line 1: no column is a maturity: call them such as "3 Mo" and "10 Yr"')
        faults.raise_if_any()
        assert at is not None, "a missing column is a fault"
        self._columns = columns
        self._rows = sorted(_rows(sheet, at, faults), key=lambda row: row[0])
        faults.raise_if_any()

    def until(self, day: dt.date) -> Curve | None:
        """The last curve that was known on *day*; None where the file begins later.

        Raises:
            FileFaults: its row cannot be used.
        """
        faults = Faults(str(self._path))
        last = bisect_right(self._rows, day, key=lambda row: row[0])
        for on, line, cells in reversed(self._rows[:last]):
            points = _points(cells, self._columns, line, faults)
            faults.raise_if_any()
            if points:
                return Curve(on=on, points=points)
        return None

    def check(self) -> None:
        """Read every row.

        Raises:
            FileFaults: all that cannot be used.
        """
        faults = Faults(str(self._path))
        for _, line, cells in sorted(self._rows, key=lambda row: row[1]):
            _points(cells, self._columns, line, faults)
        faults.raise_if_any()


def read_curve(path: Path, until: dt.date) -> Curve:
    """The last curve of the file at *path* that was known on *until*.

    Raises:
        InputError: there is no such file.
        FileFaults: what was asked for cannot be used, or the file tells nothing up to *until*.
    """
    found = CurveFile(path).until(until)
    if found is None:
        faults = Faults(str(path))
        faults.add(f"it tells no yield up to {until}: add the days until then")
        faults.raise_if_any()
    assert found is not None, "no curve is a fault"
    return found


def _months(name: str) -> Weight | None:
    """The maturity that a column is called after; None where it is none."""
    match = _MATURITY.fullmatch(name.strip())
    if match is None:
        return None
    number = Decimal(match[1])
    return number if match[2].casefold().startswith("m") else number * _PER_YEAR


def _rows(sheet: Sheet, at: int, faults: Faults) -> list[tuple[dt.date, int, list[str]]]:
    month_first = writes_month_first(cells[at] for cells in sheet.rows)
    rows = []
    for line, cells in zip(sheet.lines, sheet.rows, strict=True):
        try:
            rows.append((read_day(cells[at], month_first=month_first), line, cells))
        except Unreadable as error:
            faults.add(f"line {line}, date: {error}")
    return rows


def _points(
    cells: list[str], columns: dict[int, Weight], line: int, faults: Faults
) -> tuple[CurvePoint, ...]:
    points = []
    for at, months in columns.items():
        if cells[at].casefold() in _NOTHING:
            continue
        try:
            percent = read_amount(cells[at])
        except Unreadable as error:
            faults.add(f"line {line}: {error}")
            continue
        if abs(percent) > _PERCENT_MAX:
            faults.add(f"line {line}: {quoted(cells[at])} is no yield in percent: correct it")
        points.append(CurvePoint(months=months, rate=percent / 100))
    if points and max(point.rate for point in points) * 100 < _LIKE_A_FRACTION:
        faults.add(f"line {line}: its yields look like fractions: write percent, 4.25 for 4.25 %")
    return tuple(sorted(points, key=lambda point: point.months))
