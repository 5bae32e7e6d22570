"""Dividends and the days held around them: what qualifies, and losses that a distribution changes.

Days are days of actual holding. The time that a wash sale adds to a holding period counts for the
term of a sale and not here (26 USC 246(c)(3)).
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from decimal import localcontext
from typing import NamedTuple

from trimtab.domain.history import LotSale, Transaction
from trimtab.domain.law import DividendTest, FundLosses
from trimtab.domain.numbers import EXACT, ZERO, Money, Quantity
from trimtab.domain.trades import Term

_MONTHS_OF_A_YEAR = 12


class Holding(NamedTuple):
    """Units, in those of the ex-date, from the day of purchase to that of their sale, if any."""

    quantity: Quantity
    acquired: dt.date
    sold: dt.date | None = None


class Qualified(NamedTuple):
    """A dividend, and the part of it that long-term rates apply to; exact."""

    total: Money
    qualified: Money


class Distribution(NamedTuple):
    """A fund's distribution of long-term capital gain, or of exempt interest, on its ex-date."""

    account: str
    symbol: str
    date: dt.date
    is_exempt_interest: bool = False


def qualified(
    dividend: Transaction,
    holdings: Iterable[tuple[Quantity, dt.date, dt.date | None]],
    test: DividendTest,
) -> Qualified:
    """How much of *dividend*, whose date is the ex-date, is paid and qualifies, unit by unit.

    *holdings* are `Holding`s of that symbol in that account: quantity (in units of the ex-date),
    acquired, and sold or None. The dividend is paid on what was bought before the ex-date and not
    sold before it. Units that are still held are taken to stay; see `decided_on`.

    Source: 26 USC 1(h)(11)(B)(iii), 246(c): more than 60 days of the 121 that begin 60 days before
    the ex-date, for preferred dividends of long periods more than 90 of 181. The day of purchase
    does not count, the day of sale does.
    """
    total = passing = ZERO
    with localcontext(EXACT):
        for quantity, acquired, sold in holdings:
            if acquired >= dividend.date or (sold is not None and sold < dividend.date):
                continue
            paid = quantity * dividend.per_share
            total += paid
            if not dividend.is_nonqualified and _is_held_enough(dividend, acquired, sold, test):
                passing += paid
    return Qualified(total, passing)


def decided_on(dividend: Transaction, test: DividendTest) -> dt.date:
    """The last day of the window: a sale after it no longer changes what qualifies."""
    return dividend.date + dt.timedelta(days=_test_days(dividend, test)[1])


def _test_days(dividend: Transaction, test: DividendTest) -> tuple[int, int]:
    """The days that must be exceeded, and how far the window reaches to each side."""
    if dividend.is_preferred:
        return test.preferred_days, test.preferred_window_days // 2
    return test.days, test.window_days // 2


def _is_held_enough(
    dividend: Transaction, acquired: dt.date, sold: dt.date | None, test: DividendTest
) -> bool:
    needed, reach = _test_days(dividend, test)
    window = dt.timedelta(days=reach)
    first = max(acquired + dt.timedelta(days=1), dividend.date - window)
    last = dividend.date + window if sold is None else min(sold, dividend.date + window)
    return (last - first).days + 1 > needed


def short_holding_warnings(
    rows: Iterable[LotSale], distributions: Iterable[Distribution], statute: FundLosses
) -> tuple[str, ...]:
    """A sentence for each loss on fund shares held six months or less that got a distribution.

    Such a loss is long-term as far as long-term gain was distributed, and nil as far as interest
    was exempt (26 USC 852(b)(4), 857(b)(8)). It is told here and not computed.
    """
    known: dict[tuple[str, str], list[Distribution]] = {}
    for one in distributions:
        known.setdefault((one.account, one.symbol), []).append(one)
    return tuple(
        _warning(row, one, statute)
        for row in rows
        if row.is_taxed and row.gain < 0 and row.sold < _months_after(row.acquired, statute.months)
        for one in _within(row, known.get((row.account, row.symbol), ()))
    )


def _within(row: LotSale, distributions: Iterable[Distribution]) -> Iterator[Distribution]:
    """The distributions that these units got and that change their loss."""
    for one in distributions:
        is_changing = one.is_exempt_interest or row.term is Term.SHORT
        if row.acquired < one.date <= row.sold and is_changing:
            yield one


def _warning(row: LotSale, one: Distribution, statute: FundLosses) -> str:
    what, effect = (
        ("exempt interest", "not allowed")
        if one.is_exempt_interest
        else ("long-term capital gain", "long-term")
    )
    return (
        f"{row.symbol} in {row.account}: units bought on {row.acquired} and sold at a loss on "
        f"{row.sold}, within {statute.months} months, got a distribution of {what}, paid about "
        f"{one.date}; as far as it goes the loss is {effect} ({statute.section}). This is not "
        "computed here: correct the return by the fund's figures."
    )


def _months_after(acquired: dt.date, months: int) -> dt.date:
    """The first day of sale on which units were held longer than *months* calendar months."""
    start = acquired + dt.timedelta(days=1)
    years, month = divmod(start.month - 1 + months, _MONTHS_OF_A_YEAR)
    try:
        return dt.date(start.year + years, month + 1, start.day)
    except ValueError:  # no such day in that month: the first of the next one
        years, month = divmod(start.month + months, _MONTHS_OF_A_YEAR)
        return dt.date(start.year + years, month + 1, 1)
