"""How it went, out of the journal: its marks, flows, trades and taxed sales, period by period."""

import datetime as dt
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

from msgspec.structs import replace

from trimtab.apps.home import Home, looking, read_household
from trimtab.apps.world import House
from trimtab.domain.errors import DataSuspect, FileFaults, InputError
from trimtab.domain.events import (
    AccountOpened,
    CashMoved,
    Entry,
    OrderFilled,
    PolicyAdopted,
    ValueMarked,
)
from trimtab.domain.history import LotSale
from trimtab.domain.household import accounts_of, instruments_of
from trimtab.domain.memory import Memory, remember
from trimtab.domain.numbers import ZERO, Money, to_float
from trimtab.domain.policy import HouseholdFile, Policy
from trimtab.domain.ports import Clock
from trimtab.domain.trades import Side, Term
from trimtab.domain.values import trade_date
from trimtab.lab.track_record import (
    Flow,
    Point,
    Rates,
    Record,
    record_of,
    tax_on,
    whole_of,
    years_of,
)
from trimtab.rules.targets.base import own_targets
from trimtab.rules.tax.books import books_of, tax_lots
from trimtab.rules.tax.lots import term_of

_AN_INSTANT = dt.timedelta(seconds=1)
Journaled = tuple[Entry, ...] | list[Entry]
Adopted = tuple[dt.date, Policy]


class Performance(NamedTuple):
    """What `performance` shows: the years, and all of the time; None without two marked days.

    `points` are those of the whole time, the first of which only opens it.
    """

    file: HouseholdFile
    since: dt.date | None
    until: dt.date | None
    points: tuple[Point, ...]
    years: tuple[tuple[int, Record], ...]
    whole: Record | None
    remarks: tuple[str, ...]


class Seen(NamedTuple):
    """A point, and where in the journal it stands: the entry of its mark, and its instant."""

    point: Point
    sequence: int
    at: dt.datetime


def perform(
    home: Home,
    entries: Journaled,
    clock: Clock,
    since: dt.date | None = None,
    until: dt.date | None = None,
) -> Performance:
    """The record of the household of *home* from the mark before *since* to the last by *until*.

    *entries* are those of its journal.

    Raises:
        InputError: household.toml cannot be used, or *since* is after *until*.
    """
    if since is not None and until is not None and since > until:
        raise InputError(f"--since {since} is after --until {until}: give the earlier day first.")
    file = read_household(home)
    seen = _within(_taxed(file, entries, marked(entries)), since, until)
    remarks: list[str] = []
    if len(seen) < 2:  # noqa: PLR2004  a period has two ends
        return Performance(file, since, until, (), (), None, ())
    try:
        with looking(home, clock=clock, file=file) as house:
            seen = _at_their_prices(house, seen)
            seen = _owing(house, entries, seen, remarks)
            seen = _compared(house, entries, seen, remarks)
    except (DataSuspect, InputError, FileFaults) as error:
        remarks.append(f"Without prices neither the tax owed nor the targets can be told: {error}")
    points = tuple(one.point for one in seen)
    rates = rates_of(file)
    return Performance(
        file=file,
        since=since,
        until=until,
        points=points,
        years=tuple((year, record_of(period, rates)) for year, period in years_of(points)),
        whole=whole_of(points, rates),
        remarks=tuple(remarks),
    )


def rates_of(file: HouseholdFile) -> Rates:
    """The household's marginal rates on gains."""
    return Rates(short=to_float(file.tax.short_term_rate), long=to_float(file.tax.long_term_rate))


def marked(entries: Iterable[Entry]) -> list[Seen]:
    """A point for each day that the journal marks, by its last mark, with the flows before it."""
    found: list[Seen] = []
    pending: list[tuple[dt.date, Money]] = []
    bought = sold = ZERO
    for entry in entries:
        match entry.event:
            case AccountOpened(flow=flow):
                pending.append((trade_date(entry.at), flow))
            case CashMoved(movement=movement, in_base=amount) if movement.is_flow:
                pending.append((trade_date(movement.at), amount))
            case OrderFilled(fill=fill) if fill.side is Side.BUY:
                bought += fill.quantity * fill.price
            case OrderFilled(fill=fill):
                sold += fill.quantity * fill.price
            case ValueMarked() as mark:
                earliest = found[-1].point.day if found else mark.session
                point = Point(
                    day=mark.session,
                    value=to_float(mark.value),
                    unit=to_float(mark.unit_value),
                    flows=_flows(pending, mark, earliest),
                    bought=to_float(bought),
                    sold=to_float(sold),
                )
                found.append(Seen(point, entry.sequence, entry.at))
                pending, bought, sold = [], ZERO, ZERO
    return [_merged(list(group)) for _, group in groupby(found, key=lambda one: one.point.day)]


def _flows(
    pending: Iterable[tuple[dt.date, Money]], mark: ValueMarked, earliest: dt.date
) -> tuple[Flow, ...]:
    """What came in since the mark before, by the day on which it did, within the two marks.

    What left one account for another on the same day is no flow. The mark's own word counts where
    the journal's pieces do not add up to it.
    """
    days: dict[dt.date, Money] = {}
    for day, amount in pending:
        on = min(max(day, earliest), mark.session)
        days[on] = days.get(on, ZERO) + amount
    if sum(days.values(), ZERO) != mark.flow:
        days = {mark.session: mark.flow}
    return tuple(
        Flow(day=day, amount=to_float(amount)) for day, amount in sorted(days.items()) if amount
    )


def _merged(marks: Sequence[Seen]) -> Seen:
    """Several marks of one day as one: the last value, and all that happened."""
    points = [one.point for one in marks]
    point = replace(
        points[-1],
        flows=tuple(flow for one in points for flow in one.flows),
        bought=sum(one.bought for one in points),
        sold=sum(one.sold for one in points),
    )
    return marks[-1]._replace(point=point)


def _within(seen: list[Seen], since: dt.date | None, until: dt.date | None) -> list[Seen]:
    """The points from the last one before *since* to the last one by *until*."""
    days = [one.point.day for one in seen]
    start = 0 if since is None else max(0, bisect_left(days, since) - 1)
    end = len(seen) if until is None else bisect_left(days, until + dt.timedelta(days=1))
    return seen[start:end]


def _taxed(file: HouseholdFile, entries: Journaled, seen: list[Seen]) -> list[Seen]:
    """*seen* with the gains realized since the point before, wash sales taken into account.

    A sale of trimtab's own stands between the marks where its fill stands in the journal; another
    by its day.
    """
    memory = remember(Memory(), entries)
    accounts, instruments = accounts_of(file), instruments_of(file)
    lost = sorted(set(memory.accounts) - set(accounts))
    if lost:
        msg = (
            f"household.toml no longer describes the account {lost[0]}, which the journal holds: "
            f"write [accounts.{lost[0]}] again."
        )
        raise InputError(msg)
    filled: dict[str, int] = {}
    for entry in entries:
        if isinstance(entry.event, OrderFilled):
            filled.setdefault(entry.event.fill.order_id, entry.sequence)
    sequences = [one.sequence for one in seen]
    days = [one.point.day for one in seen]
    gains: dict[int, list[LotSale]] = {}
    for row in books_of(memory, file.tax, accounts, instruments).sales():
        if not row.is_taxed:
            continue
        is_ours = row.order_id in filled
        place = (
            bisect_left(sequences, filled[row.order_id]) if is_ours else bisect_left(days, row.sold)
        )
        gains.setdefault(place, []).append(row)
    return [_with_gains(one, gains.get(place, [])) for place, one in enumerate(seen)]


def _with_gains(one: Seen, rows: Sequence[LotSale]) -> Seen:
    point = replace(
        one.point,
        short_gain=_gain(rows, Term.SHORT),
        long_gain=_gain(rows, Term.LONG),
    )
    return one._replace(point=point)


def _gain(rows: Iterable[LotSale], term: Term) -> float:
    return to_float(sum((row.gain for row in rows if row.term is term), ZERO))


def _at_their_prices(house: House, seen: Sequence[Seen]) -> list[Seen]:
    """*seen* at the instants from which their prices were known.

    Every mark of a replay is made at the prices of a close that is still some minutes away.
    """
    from trimtab.apps.replay import LEAD

    calendar = house.file.schedule.calendar
    closes = [house.calendars.hours(calendar, one.at).closes for one in seen]
    is_replay = all(
        close is not None and abs(close - one.at - LEAD) <= _AN_INSTANT
        for close, one in zip(closes, seen, strict=True)
    )
    return [one._replace(at=one.at + LEAD) if is_replay else one for one in seen]


def _owing(
    house: House, entries: Journaled, seen: Sequence[Seen], remarks: list[str]
) -> list[Seen]:
    """*seen* with the tax that selling everything would cost at each end of a year."""
    ends = {seen[0].sequence, seen[-1].sequence}
    ends |= {
        one.sequence for one, other in pairwise(seen) if one.point.day.year != other.point.day.year
    }
    memory, read = Memory(), 0
    found = []
    for one in seen:
        if one.sequence not in ends:
            found.append(one)
            continue
        upto = next(n for n, entry in enumerate(entries) if entry.sequence == one.sequence) + 1
        memory, read = remember(memory, entries[read:upto]), upto
        try:
            owed = _owed(house, memory, one.at)
        except DataSuspect as error:
            remarks.append(f"The tax owed on {one.point.day} is not known: {error}")
            found.append(one)
            continue
        found.append(one._replace(point=replace(one.point, owed=owed)))
    return found


def _owed(house: House, memory: Memory, at: dt.datetime) -> float:
    """Tax on the gains of everything that taxed accounts held at the instant *at*."""
    ledger = books_of(memory, house.file.tax, house.accounts, house.instruments)
    lots = [
        lot
        for lot in tax_lots(memory.lots.values(), ledger)
        if house.accounts[lot.account].kind.is_taxed
    ]
    quotes = house.prices.quotes(sorted({lot.symbol for lot in lots}), at)
    gains = {Term.SHORT: ZERO, Term.LONG: ZERO}
    for lot in lots:
        term = term_of(lot.holding_since, trade_date(at))
        gains[term] += lot.quantity * quotes[lot.symbol].price - lot.basis
    rates = rates_of(house.file)
    return tax_on(to_float(gains[Term.SHORT]), to_float(gains[Term.LONG]), rates)


def _compared(
    house: House, entries: Journaled, seen: Sequence[Seen], remarks: list[str]
) -> list[Seen]:
    """*seen* with the value of the household's own targets, bought anew at every close.

    The policy of each day says them; strategies move nothing here, costs are none.
    """
    policies = [
        (trade_date(entry.at), entry.event.policy)
        for entry in entries
        if isinstance(entry.event, PolicyAdopted)
    ]
    base = house.file.household.base_currency
    symbols = sorted(
        {
            rule.members[0]
            for _, policy in policies
            for rule in policy.classes.values()
            if rule.members[0] != base
        }
    )
    ends = _weekly_ends(seen)
    try:
        worths = (
            _by_quotes(house, symbols, ends, policies)
            if house.file.data.market == "invented"
            else _by_closes(house, symbols, ends, policies)
        )
    except DataSuspect as error:
        remarks.append(f"The distance from the targets is not known: {error}")
        return list(seen)
    known = {end.sequence: worth for end, worth in zip(ends, worths, strict=True)}
    return [
        one._replace(point=replace(one.point, benchmark=known.get(one.sequence))) for one in seen
    ]


def _by_closes(
    house: House, symbols: Sequence[str], ends: Sequence[Seen], policies: Sequence[Adopted]
) -> list[float]:
    """What the targets were worth at each of *ends*, by the total returns of the sessions over.

    Raises:
        DataSuspect: the price files begin too late, or a symbol has none.
    """
    sessions, returns = house.past(symbols, ends[-1].at)
    if not sessions or sessions[0] > ends[0].point.day:
        raise DataSuspect("the prices begin too late.")
    columns = {symbol: at for at, symbol in enumerate(symbols)}
    worth, done = 1.0, len(house.past(symbols, ends[0].at)[0])
    worths = []
    for one in ends:
        upto = len(house.past(symbols, one.at)[0])
        for row in range(done, upto):
            targets = _targets_on(sessions[row], policies)
            worth *= 1.0 + sum(
                weight * float(returns[row, columns[symbol]])
                for symbol, weight in targets.items()
                if symbol in columns
            )
        done = max(done, upto)
        worths.append(worth)
    return worths


def _by_quotes(
    house: House, symbols: Sequence[str], ends: Sequence[Seen], policies: Sequence[Adopted]
) -> list[float]:
    """The same in the invented market, whose prices move between its closes: by the marks' own.

    Raises:
        DataSuspect: a symbol has no price.
    """
    prices = [house.prices.quotes(symbols, one.at) for one in ends]
    worths = [1.0]
    for one, before, now in zip(ends[1:], prices, prices[1:], strict=False):
        targets = _targets_on(one.point.day, policies)
        growth = sum(
            weight * to_float(now[symbol].price / before[symbol].price - 1)
            for symbol, weight in targets.items()
            if symbol in now
        )
        worths.append(worths[-1] * (1.0 + growth))
    return worths


def _weekly_ends(seen: Sequence[Seen]) -> list[Seen]:
    """The first and the last of *seen*, and the last of each week and of each year."""
    return [
        one
        for place, one in enumerate(seen)
        if place in {0, len(seen) - 1}
        or one.point.day.isocalendar()[:2] != seen[place + 1].point.day.isocalendar()[:2]
        or one.point.day.year != seen[place + 1].point.day.year
    ]


def _targets_on(session: dt.date, policies: Sequence[Adopted]) -> Mapping[str, float]:
    """The weights of the first members of the classes, by the policy adopted before *session*."""
    in_force = [policy for day, policy in policies if day < session]
    policy = in_force[-1] if in_force else policies[0][1]
    targets = own_targets(policy, session)
    return {rule.members[0]: to_float(targets[name]) for name, rule in policy.classes.items()}
