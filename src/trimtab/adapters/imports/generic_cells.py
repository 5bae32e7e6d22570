"""Cells of a CSV of one's own: choices, dates, lots and ratios, each with its fault."""

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal
from difflib import get_close_matches
from fractions import Fraction
from typing import TypeVar

from msgspec.structs import replace

from trimtab.adapters.delimited import Unreadable, nearest, quoted, read_amount
from trimtab.adapters.imports.table import Record, heading
from trimtab.adapters.imports.trade import underlying_of
from trimtab.domain.history import Transaction
from trimtab.domain.numbers import CENT, ZERO, Quantity
from trimtab.domain.policy import LotMethod
from trimtab.domain.trades import LotPick

Choice = TypeVar("Choice")

_METHODS: Mapping[str, LotMethod] = {
    "fifo": "fifo",
    "lifo": "lifo",
    "hifo": "hifo",
    "highest cost": "hifo",
    "min tax": "min_tax",
    "mintax": "min_tax",
    "specified": "specified",
    "specific": "specified",
    "specific identification": "specified",
    "spec id": "specified",
}
_YES_OR_NO = {"yes": True, "y": True, "true": True, "1": True, "x": True} | dict.fromkeys(
    ("no", "n", "false", "0"), False
)
_RATIO = re.compile(r"(\d{1,5})\s*(?::|/|-?\s*for\s*-?)\s*(\d{1,5})", re.ASCII | re.IGNORECASE)
_RATIO_PART_MAX = 10_000
_NUMBERS = ("quantity", "price", "amount", "fee", "basis", "unit_cost", "proceeds", "disallowed")
_EUROPEAN_DATE = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})", re.ASCII)
_EUROPEAN_NUMBER = re.compile(r"-?(\d+|\d{1,3}(\.\d{3})+),\d+", re.ASCII)


def symbol_of(record: Record) -> str:
    """The symbol on a line, which must be there."""
    symbol = record.symbol()
    if not symbol:
        record.fault("symbol", "is empty: write one such as VTI")
    return symbol


def positive(record: Record, column: str, *, either_sign: bool = False) -> Quantity | None:
    """The number above zero in *column*; of *either_sign* where the action says which."""
    amount = record.amount(column)
    if amount is None:
        if not record.text(column):
            record.fault(column, "is empty: write how many units")
        return None
    if amount == 0 or (amount < 0 and not either_sign):
        text = quoted(record.text(column))
        record.fault(column, f"{text} is not above zero: write how many units")
    return abs(amount)


def is_empty(record: Record, *columns: str) -> bool:
    """Whether nothing stands in any of *columns*; what cannot be read is a fault of its own."""
    return not any(record.text(column) for column in columns)


def needed_day(record: Record, column: str) -> dt.date | None:
    """The day in *column*, which must be there."""
    if not record.text(column):
        record.fault(column, "is empty: write a day such as 2024-03-15")
    return record.day(column)


def with_lots(record: Record, trade: Transaction) -> Transaction:
    """*trade* with the lots that the line names, and the method that chooses them."""
    text = record.text("lots")
    method = choice(record, "method", _METHODS)
    picks = tuple(_pick(record, part.strip(), trade.quantity) for part in text.split(";") if part)
    named = sum((pick.quantity for pick in picks), ZERO)
    is_read = all(pick.quantity > 0 for pick in picks)
    if picks and is_read and named != trade.quantity:
        record.fault("lots", f"name {named:f} units of {trade.quantity:f}: name them all")
    if picks and method not in {None, "specified"}:
        record.fault("method", f"{method} chooses the lots itself: leave one of the two empty")
    if method == "specified" and not picks:
        record.fault("lots", "is empty: name the lots, such as t1:10;t2:5")
    if len({pick.lot_id for pick in picks}) < len(picks):
        record.fault("lots", "name a lot twice: name it once with all its units")
    return replace(trade, picks=picks, method="specified" if picks else method or "fifo")


def _pick(record: Record, part: str, whole: Quantity) -> LotPick:
    """The lot and its units in a text such as `t1:10`; without a number it is all of the trade."""
    lot, colon, units = part.rpartition(":")
    if not colon:
        return LotPick(lot_id=part, quantity=whole)
    try:
        quantity = read_amount(units.strip())
    except Unreadable as error:
        record.fault("lots", f"{error} after the lot {quoted(lot)}")
        return LotPick(lot_id=lot, quantity=ZERO)
    if quantity <= 0 or not lot.strip():
        record.fault("lots", f"{quoted(part)}: write a lot and its units, such as t1:10")
    return LotPick(lot_id=lot.strip(), quantity=quantity)


def destination(record: Record, account: str) -> str:
    """The account that units went to, another one than *account*."""
    to = record.text("to")
    if not to or to == account:
        record.fault("to", "is empty or the same account: write where the units went")
    return to


def ratio_of(record: Record) -> tuple[int, int]:
    """New and old units of a split, from `2:1`, `2-for-1` or `2`."""
    text = record.text("ratio")
    match = _RATIO.fullmatch(text)
    try:
        ratio = Fraction(int(match[1]), int(match[2])) if match else Fraction(read_amount(text))
    except (Unreadable, ZeroDivisionError):
        ratio = Fraction(0)
    if ratio <= 0 or max(ratio.numerator, ratio.denominator) > _RATIO_PART_MAX:
        record.fault("ratio", f"{quoted(text)} is no split: write 2:1 where one unit became two")
        return 1, 1
    return ratio.numerator, ratio.denominator


def choice(record: Record, column: str, known: Mapping[str, Choice]) -> Choice | None:
    """What *known* gives for the word in *column*; None where there is none or it is a fault."""
    text = record.text(column)
    if not text:
        return None
    found = known.get(heading(text))
    if found is None:
        record.fault(column, f"{quoted(text)} is not known: {nearest(text, known)}")
    return found


def is_yes(record: Record, column: str) -> bool:
    """Whether *column* says yes."""
    return bool(choice(record, column, _YES_OR_NO))


def like_action(word: str, known: Mapping[str, str]) -> str:
    """The end of a sentence on an action that is not *known* (words, and the actions they mean)."""
    near = get_close_matches(heading(word), known, n=1)
    if near:
        return f"did you mean {known[near[0]]}?"
    names = ", ".join(name for name in dict.fromkeys(known.values()) if name != "ignore")
    return f"write one of {names}, or name it under [actions] of a mapping"


def reviewed(record: Record, plain: Transaction) -> Transaction:
    """A review in words of one's own; an option is filed under the share that it is on."""
    underlying = underlying_of(plain.symbol)
    is_named = underlying == plain.symbol or plain.symbol in plain.text
    return replace(
        plain,
        symbol=underlying,
        quantity=abs(record.amount("quantity") or ZERO),
        text=plain.text if is_named else f"{plain.text} ({plain.symbol})",
    )


def settings_for(record: Record, column: str) -> tuple[str, ...]:
    """The settings of a mapping that would read what stands in *column*, where that is European.

    A line is not read beyond a date that is wrong, so its numbers are looked at with it.
    """
    date = _EUROPEAN_DATE.fullmatch(record.cells.get(column, ""))
    columns = _NUMBERS if date else (column,)
    has_comma = any(_EUROPEAN_NUMBER.fullmatch(record.cells.get(name, "")) for name in columns)
    decimal = ('decimal = ","',) if has_comma else ()
    if date is None:
        return decimal
    day, mark, month, year = date.groups()
    parts = ("DD"[: len(day)], "MM"[: len(month)], "YYYY"[: len(year)])
    return (f'date_format = "{mark.join(parts)}"', *decimal)


def last_digit(price: Decimal) -> Decimal:
    """What one step in the last digit of *price* is worth, and no more than a cent."""
    digits = price.as_tuple().exponent
    assert isinstance(digits, int), "a number of a file is finite"
    return min(CENT, Decimal(1).scaleb(digits))
