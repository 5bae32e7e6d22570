"""Reads the tax law from `us.toml`; every fault of an edited file is reported at once."""

import functools
from collections.abc import Iterator
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Annotated, cast

import msgspec.inspect as shapes
from msgspec import Meta, Struct

from trimtab.domain.errors import FileFaults, InputError
from trimtab.domain.law import Bracket, DividendTest, Law, Since, StatusLaw, Statutes, YearLaw
from trimtab.domain.leaves import Amount, Fraction, Text
from trimtab.domain.numbers import Money, Weight
from trimtab.domain.policy import FilingStatus
from trimtab.domain.reading import is_known, parse_toml, read_shape

SOURCE = "trimtab/adapters/law/us.toml"

_YearKey = Annotated[
    str, Meta(extra={"pattern": r"(19|20)\d\d", "form": "a year such as 2027", "example": "2027"})
]


class _StatusTable(Struct, frozen=True, kw_only=True):
    ordinary_over: tuple[Amount, ...]
    long_term_over: tuple[Amount, ...]
    standard_deduction: Amount
    additional_standard_deduction: Amount


class _YearTable(Struct, frozen=True, kw_only=True):
    source: Text
    ordinary_rates: tuple[Fraction, ...]
    long_term_rates: tuple[Fraction, ...]
    single: _StatusTable
    married_filing_jointly: _StatusTable
    married_filing_separately: _StatusTable
    head_of_household: _StatusTable
    qualifying_surviving_spouse: _StatusTable


class _LawFile(Struct, frozen=True, kw_only=True):
    as_of: Since
    statutes: Statutes
    years: dict[_YearKey, _YearTable]


_STATUSES: tuple[FilingStatus, ...] = (
    "single",
    "married_filing_jointly",
    "married_filing_separately",
    "head_of_household",
    "qualifying_surviving_spouse",
)


def read_law(path: Path | None = None) -> Law:
    """The tax law that trimtab comes with, or that of an edited copy at *path*.

    Raises:
        InputError: there is no such file, or it cannot be read.
        FileFaults: all that is wrong with it, one sentence each.
    """
    return _packaged() if path is None else decode_law(_text_of(path), str(path))


def decode_law(text: str, source: str = SOURCE) -> Law:
    """The tax law that *text* (TOML, as in `us.toml`) states; numbers are exact.

    Raises:
        FileFaults: all that is wrong with it, one sentence each.
    """
    document = parse_toml(text, source)
    faults: list[str] = []
    file = cast("_LawFile", read_shape(shapes.type_info(_LawFile), document, "", faults))
    faults += _law_faults(file)
    if faults:
        raise FileFaults(source, faults)
    years = {int(name): _year_law(int(name), table) for name, table in file.years.items()}
    return Law(source=source, as_of=file.as_of, years=years, statutes=file.statutes)


@functools.cache
def _packaged() -> Law:
    file = resources.files("trimtab.adapters.law") / "us.toml"
    return decode_law(file.read_text(encoding="utf-8"), SOURCE)


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        msg = f"there is no file {path}: write one, or correct its name"
    except UnicodeDecodeError:
        msg = f"the file {path} is not UTF-8 text: save it as UTF-8"
    except OSError as error:
        msg = f"the file {path} cannot be read ({error.strerror}): check it"
    raise InputError(msg)


def _year_law(year: int, table: _YearTable) -> YearLaw:
    return YearLaw(
        year=year,
        source=table.source,
        statuses={status: _status_law(table, getattr(table, status)) for status in _STATUSES},
    )


def _status_law(year: _YearTable, table: _StatusTable) -> StatusLaw:
    return StatusLaw(
        ordinary=_brackets(table.ordinary_over, year.ordinary_rates),
        long_term=_brackets(table.long_term_over, year.long_term_rates),
        standard_deduction=table.standard_deduction,
        additional_standard_deduction=table.additional_standard_deduction,
    )


def _brackets(bounds: tuple[Money, ...], rates: tuple[Weight, ...]) -> tuple[Bracket, ...]:
    return tuple(Bracket(over=over, rate=rate) for over, rate in zip(bounds, rates, strict=True))


def _law_faults(file: _LawFile) -> Iterator[str]:
    """What is wrong between values that could be read, each of them right by itself."""
    if not is_known(file):
        return
    if is_known(file.statutes) and is_known(file.statutes.qualified_dividends):
        yield from _dividend_faults(file.statutes.qualified_dividends)
    if not is_known(file.years):
        return
    for name, table in file.years.items():
        if is_known(table):
            yield from _year_faults(f"years.{name}", table)


def _dividend_faults(test: DividendTest) -> Iterator[str]:
    for prefix in ("", "preferred_"):
        days = getattr(test, f"{prefix}days")
        window = getattr(test, f"{prefix}window_days")
        if is_known(days, window) and (window % 2 == 0 or days >= window):
            yield (
                f"statutes.qualified_dividends.{prefix}window_days: {window} days cannot have the "
                f"ex-date in their middle and hold more than {days}; write an odd number above "
                f"{days}"
            )


def _year_faults(path: str, table: _YearTable) -> Iterator[str]:
    for kind in ("ordinary", "long_term"):
        rates = getattr(table, f"{kind}_rates")
        if not is_known(rates):
            continue
        if not rates or not _ascends(rates):
            yield f"{path}.{kind}_rates: rates must ascend; write them from the lowest to the top"
        for status in _STATUSES:
            part = getattr(table, status)
            bounds = getattr(part, f"{kind}_over") if is_known(part) else part
            if is_known(bounds):
                yield from _bound_faults(f"{path}.{status}.{kind}_over", bounds, rates)


def _bound_faults(path: str, bounds: tuple[Money, ...], rates: tuple[Weight, ...]) -> Iterator[str]:
    if len(bounds) != len(rates):
        yield f"{path}: {len(bounds)} bounds for {len(rates)} rates; write one for each rate"
    if not bounds or bounds[0] != 0 or not _ascends(bounds):
        yield f"{path}: bounds must ascend from 0; write the bottom of each bracket in turn"


def _ascends(numbers: tuple[Money, ...]) -> bool:
    return all(low < high for low, high in pairwise(numbers))
