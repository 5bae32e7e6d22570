"""The marks of a journal: a point a day, with the flows before it, and what was sold by then."""

import datetime as dt
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from msgspec.structs import replace

from trimtab.domain.errors import InputError
from trimtab.domain.events import Entry, OrderFilled, ValueMarked
from trimtab.domain.flows import flow_in
from trimtab.domain.history import LotSale
from trimtab.domain.household import accounts_of, instruments_of
from trimtab.domain.memory import Memory, remember
from trimtab.domain.numbers import ZERO, Money, to_float
from trimtab.domain.policy import HouseholdFile
from trimtab.domain.trades import Fill, Side, Term
from trimtab.domain.values import PastFlow, trade_date
from trimtab.lab.track_record import Flow, Point
from trimtab.rules.tax.books import books_of

_ONE_DAY = dt.timedelta(days=1)
Journaled = tuple[Entry, ...] | list[Entry]


class Seen(NamedTuple):
    """A point, and where in the journal it stands: the entry of its mark, and its instant.

    `sales` are those in taxed accounts since the point before.
    """

    point: Point
    sequence: int
    at: dt.datetime
    sales: tuple[LotSale, ...] = ()


def marked(entries: Iterable[Entry]) -> list[Seen]:
    """A point for each day that the journal marks, by its last mark, with the flows before it."""
    found: list[Seen] = []
    pending: list[PastFlow] = []
    for entry in entries:
        if isinstance(mark := entry.event, ValueMarked):
            earliest = found[-1].point.day if found else mark.session
            point = Point(
                day=mark.session,
                value=to_float(mark.value),
                unit=to_float(mark.unit_value),
                flows=_flows(pending, mark, earliest),
            )
            found.append(Seen(point, entry.sequence, entry.at))
            pending = []
        elif flow := flow_in(entry.event, entry.at):
            pending.append(flow)
    return [_merged(list(group)) for _, group in groupby(found, key=lambda one: one.point.day)]


def within(seen: list[Seen], since: dt.date | None, until: dt.date | None) -> list[Seen]:
    """The points from the last one before *since* to the last one by *until*."""
    days = [one.point.day for one in seen]
    start = 0 if since is None else max(0, bisect_left(days, since) - 1)
    end = len(seen) if until is None else bisect_left(days, until + dt.timedelta(days=1))
    return seen[start:end]


def _flows(pending: Iterable[PastFlow], mark: ValueMarked, earliest: dt.date) -> tuple[Flow, ...]:
    """What came in since the mark before, by the day on which it did, within the two marks.

    What left one account for another on the same day is no flow. The mark's own word counts where
    the journal's pieces do not add up to it.
    """
    days: dict[dt.date, Money] = {}
    for flow in pending:
        on = min(max(flow.date, earliest), mark.session)
        days[on] = days.get(on, ZERO) + flow.amount
    if sum(days.values(), ZERO) != mark.flow:
        days = {mark.session: mark.flow}
    return tuple(
        Flow(day=day, amount=to_float(amount)) for day, amount in sorted(days.items()) if amount
    )


def _merged(marks: Sequence[Seen]) -> Seen:
    """Several marks of one day as one: the last value, and all that came in."""
    points = [one.point for one in marks]
    flows = tuple(flow for point in points for flow in point.flows)
    return marks[-1]._replace(point=replace(points[-1], flows=flows))


def traded(
    file: HouseholdFile,
    entries: Journaled,
    seen: Sequence[Seen],
    since: dt.date | None,
    until: dt.date | None,
) -> list[Seen]:
    """*seen* with what changed hands since the point before, wash sales taken into account.

    A trade counts by its own trade date, as the tax log has it: the mark of its day stands in the
    journal before it.

    Raises:
        InputError: household.toml does not describe an account that the journal holds.
    """
    if not seen:
        return []
    ends = _ends(seen, since, until)
    rows: dict[int, list[LotSale]] = {}
    for row in _taxed_sales(file, entries):
        rows.setdefault(bisect_left(ends, row.sold), []).append(row)
    fills: dict[int, list[Fill]] = {}
    for entry in entries:
        if isinstance(entry.event, OrderFilled):
            fill = entry.event.fill
            fills.setdefault(bisect_left(ends, trade_date(fill.at)), []).append(fill)
    return [
        _with_trades(one, fills.get(place, []), rows.get(place, []))
        for place, one in enumerate(seen)
    ]


def _ends(seen: Sequence[Seen], since: dt.date | None, until: dt.date | None) -> list[dt.date]:
    """The last day whose trades belong to each point: its own; the year's end for a year's last.

    The first point only opens the period: all from its own day on follows it, or from *since* on,
    if that is later. What is between the last point and *until* belongs to that point, so that a
    trade is in one period only, wherever the time is divided.
    """
    days = [one.point.day for one in seen]
    year_ends = [dt.date(day.year, 12, 31) for day in days]
    ends = [
        day if other is not None and other.year == day.year else year_end
        for day, other, year_end in zip(days, [*days[1:], None], year_ends, strict=True)
    ]
    begins = days[0] if since is None else max(since, days[0])
    ends[0] = min(begins - _ONE_DAY, year_ends[0])
    if until is not None:
        ends[-1] = min(ends[-1], until)
    return ends


def _taxed_sales(file: HouseholdFile, entries: Journaled) -> list[LotSale]:
    """Every sale in a taxed account that the journal knows."""
    memory = remember(Memory(), entries)
    accounts, instruments = accounts_of(file), instruments_of(file)
    lost = sorted(set(memory.accounts) - set(accounts))
    if lost:
        msg = (
            f"household.toml no longer describes the account {lost[0]}, which the journal holds: "
            f"write [accounts.{lost[0]}] again."
        )
        raise InputError(msg)
    ledger = books_of(memory, file.tax, accounts, instruments)
    return [row for row in ledger.sales() if row.is_taxed]


def _with_trades(one: Seen, fills: Sequence[Fill], rows: Sequence[LotSale]) -> Seen:
    point = replace(
        one.point,
        bought=_amount(fills, Side.BUY),
        sold=_amount(fills, Side.SELL),
        short_gain=to_float(gain_of(rows, Term.SHORT)),
        long_gain=to_float(gain_of(rows, Term.LONG)),
    )
    return one._replace(point=point, sales=tuple(rows))


def _amount(fills: Iterable[Fill], side: Side) -> float:
    sums = (fill.quantity * fill.price for fill in fills if fill.side is side)
    return to_float(sum(sums, ZERO))


def gain_of(rows: Iterable[LotSale], term: Term) -> Money:
    """What *rows* gained that counts at *term*, losses that are disallowed left out."""
    return sum((row.gain for row in rows if row.term is term), ZERO)
