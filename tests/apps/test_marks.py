"""Which period a sale belongs to: exactly one, wherever marks stand and the time is divided."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.houses import TOML, lot

from trimtab.apps.marks import Seen, marked, traded, within
from trimtab.apps.performance import rates_of
from trimtab.domain.events import AccountOpened, Entry, Event, OrderFilled, ValueMarked
from trimtab.domain.household import accounts_of, decode_household
from trimtab.domain.memory import Memory, remember
from trimtab.domain.numbers import ONE, ZERO
from trimtab.domain.trades import Fill, Side
from trimtab.lab.track_record import record_of, whole_of, years_of
from trimtab.rules.booking import book

FILE = decode_household(TOML)
TAXABLE = accounts_of(FILE)["taxable"]
OPENED = dt.date(2024, 11, 1)
DAYS = st.integers(0, 500).map(lambda number: OPENED + dt.timedelta(days=number))


def at(day: dt.date, hour: int) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour), tzinfo=dt.UTC)


def sale_on(day: dt.date, number: int) -> Fill:
    return Fill(
        id=f"fill-{number}",
        order_id=f"order-{number}",
        account="taxable",
        symbol="VTI",
        side=Side.SELL,
        quantity=ONE,
        price=Decimal(100 + number),
        fee=ZERO,
        at=at(day, 20),
        settles_on=day,
    )


def journal_of(marks: list[dt.date], sales: list[dt.date]) -> list[Entry]:
    """100 units of a basis of 50 each; a day is marked at 15 hours, and sells one at 20 hours."""
    opening = (lot("taxable", "VTI", "100", "5000", "2020-01-02"),)
    first = AccountOpened(account="taxable", lots=opening, cash={}, source="test")
    days: list[tuple[dt.datetime, ValueMarked | Fill]] = [
        (at(day, 15), ValueMarked(session=day, value=ONE, flow=ZERO, unit_value=ONE))
        for day in marks
    ]
    days += [(at(day, 20), sale_on(day, number)) for number, day in enumerate(sales)]
    memory, entries = Memory(name="Test"), list[Entry]()
    for instant, what in [(at(OPENED, 1), first), *sorted(days, key=lambda one: one[0])]:
        event: Event = book(what, memory, TAXABLE, {}) if isinstance(what, Fill) else what
        entry = Entry(sequence=len(entries) + 1, at=instant, cycle="c", event=event, hash="")
        entries.append(entry)
        memory = remember(memory, [entry])
    return entries


def seen_of(
    entries: list[Entry], since: dt.date | None = None, until: dt.date | None = None
) -> list[Seen]:
    return traded(FILE, entries, within(marked(entries), since, until), since, until)


def gain_of(entries: list[Entry], since: dt.date, until: dt.date) -> Decimal:
    """What the sales of a time gained, off the journal itself."""
    sales = (one.event for one in entries if isinstance(one.event, OrderFilled))
    every = (disposal for sale in sales for disposal in sale.disposals)
    return sum((one.gain for one in every if since <= one.sold <= until), ZERO)


@given(
    marks=st.lists(DAYS, min_size=2, max_size=8, unique=True).map(sorted),
    sales=st.lists(DAYS, max_size=12),
)
def test_the_years_have_every_sale_from_the_first_mark_on_once(marks, sales):
    entries = journal_of(marks, sales)
    points = [one.point for one in seen_of(entries)]
    rates = rates_of(FILE)
    years = [record_of(period, rates) for _, period in years_of(points)]
    whole = whole_of(points, rates)
    end = dt.date(marks[-1].year, 12, 31)
    realized = float(gain_of(entries, marks[0], end))
    assert sum(year.short_gain + year.long_gain for year in years) == realized
    assert whole.short_gain + whole.long_gain == realized
    count = sum(1 for day in sales if marks[0] <= day <= end)
    assert sum(year.sold for year in years) >= 100 * count


@given(
    marks=st.lists(DAYS, min_size=3, max_size=8, unique=True).map(sorted),
    sales=st.lists(DAYS, max_size=12),
    day=DAYS,
)
def test_what_is_asked_until_a_day_and_since_the_next_has_every_sale_once(marks, sales, day):
    entries = journal_of(marks, sales)
    early, late = seen_of(entries, until=day), seen_of(entries, since=day + dt.timedelta(days=1))
    if len(early) < 2:
        return
    whole = seen_of(entries)
    counts = [sum(len(one.sales) for one in part[1:]) for part in (early, late, whole)]
    assert counts[0] + counts[1] == counts[2]


@pytest.mark.parametrize(
    ("sold", "gains"),
    [
        pytest.param("2024-12-30", [0, 50], id="on the only day marked of the first year"),
        pytest.param("2024-12-31", [0, 50], id="after it, in that year"),
        pytest.param("2024-12-29", [50, 0], id="before anything was marked: in no period"),
        pytest.param("2025-01-02", [0, 50], id="in the next year"),
    ],
)
def test_what_is_sold_after_a_first_mark_that_is_its_years_last_is_not_lost(sold, gains):
    marks = [dt.date(2024, 12, 30), dt.date(2025, 1, 6)]
    points = [one.point for one in seen_of(journal_of(marks, [dt.date.fromisoformat(sold)]))]
    assert [point.short_gain + point.long_gain for point in points] == gains
    (only,) = years_of(points)
    assert only[0] == 2025
