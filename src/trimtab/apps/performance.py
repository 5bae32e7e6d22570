"""How it went, out of the journal: its marks, flows, trades and taxed sales, period by period."""

import datetime as dt
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from msgspec.structs import replace

from trimtab.apps.home import Home, looking, read_household
from trimtab.apps.marks import Journaled, Seen, gain_of, marked, traded, within
from trimtab.apps.observed import came, flows_after, observe
from trimtab.apps.world import House
from trimtab.domain.errors import DataSuspect, FileFaults, InputError
from trimtab.domain.events import PolicyAdopted
from trimtab.domain.household import instruments_of
from trimtab.domain.memory import Memory, remember
from trimtab.domain.numbers import to_float
from trimtab.domain.policy import HouseholdFile, Policy
from trimtab.domain.ports import Clock
from trimtab.domain.trades import Term
from trimtab.domain.values import InstrumentKind, trade_date
from trimtab.lab.track_record import Point, Rates, Record, record_of, tax_on, whole_of, years_of
from trimtab.rules.targets.base import own_targets
from trimtab.rules.tax.books import books_of, tax_lots
from trimtab.rules.tax.lots import term_of

_AN_INSTANT = dt.timedelta(seconds=1)
_A_DAY = dt.timedelta(days=1)
_ROUND_THE_CLOCK = (InstrumentKind.CRYPTO, InstrumentKind.FOREX)
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
    seen = traded(file, entries, within(marked(entries), since, until), since, until)
    remarks: list[str] = []
    if len(seen) < 2:  # noqa: PLR2004  a period has two ends
        return Performance(file, since, until, (), (), None, ())
    try:
        with looking(home, clock=clock, file=file) as house:
            seen = _at_their_prices(house, seen)
            seen = _owing(house, entries, seen, remarks)
            seen = _compared(house, entries, seen, remarks)
            remarks += _not_marked(house, seen[-1], until)
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


def _not_marked(house: House, last: Seen, until: dt.date | None) -> tuple[str, ...]:
    """What came in or went out after the *last* mark, where the time asked for goes on to now.

    Why it is not known, where files do not fit the journal.
    """
    if until is not None and until < trade_date(house.clock.now()):
        return ()
    try:
        observe(house, "performance")
    except InputError as error:
        return (str(error),)
    moved = came(flows_after(house, last.sequence), house.file.household.base_currency)
    return tuple(f"{what} after the last mark: the next turn counts it." for what in moved)


def rates_of(file: HouseholdFile) -> Rates:
    """The household's marginal rates on gains."""
    return Rates(short=to_float(file.tax.short_term_rate), long=to_float(file.tax.long_term_rate))


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
            owed = _owed(house, memory, one)
        except DataSuspect as error:
            remarks.append(f"The tax owed on {one.point.day} is not known: {error}")
            found.append(one)
            continue
        found.append(one._replace(point=replace(one.point, owed=owed)))
    return found


def _owed(house: House, memory: Memory, one: Seen) -> float:
    """Tax on the gains that taxed accounts held at the mark *one*, up to which *memory* goes.

    What was sold after the mark and counts by it is realized, and owed no more.
    """
    ledger = books_of(memory, house.file.tax, house.accounts, house.instruments)
    lots = [
        lot
        for lot in tax_lots(memory.lots.values(), ledger)
        if house.accounts[lot.account].kind.is_taxed
    ]
    quotes = house.prices.quotes(sorted({lot.symbol for lot in lots}), one.at)
    known = {row.sale_id for row in ledger.sales()}
    later = [row for row in one.sales if row.sale_id not in known]
    gains = {term: -gain_of(later, term) for term in Term}
    for lot in lots:
        term = term_of(lot.holding_since, one.point.day)
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

    A session is over when the exchanges have closed. The bar of a coin ends some hours later: a
    strategy must not know it before, and looking back it belongs to that session.

    Raises:
        DataSuspect: the price files begin too late, or a symbol has none.
    """
    import numpy as np

    sessions, known = house.past(symbols, ends[-1].at + _A_DAY)
    returns = np.nan_to_num(known)  # what a symbol returns over a hole stands after it
    if not sessions or sessions[0] > ends[0].point.day:
        raise DataSuspect("the prices begin too late.")
    columns = {symbol: at for at, symbol in enumerate(symbols)}
    instruments = instruments_of(house.file)
    on_exchanges = [one for one in symbols if instruments[one].kind not in _ROUND_THE_CLOCK]

    def over(at: dt.datetime) -> int:
        """How many of the sessions were over."""
        days = house.past(on_exchanges or symbols, at)[0]
        return bisect_right(sessions, days[-1]) if days else 0

    worth, done = 1.0, over(ends[0].at)
    worths = []
    for one in ends:
        upto = over(one.at)
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
