"""Exports cut out of one history at random tell that history when they are put together again."""

import datetime as dt
from collections import Counter
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from trimtab.domain.errors import FileFaults
from trimtab.domain.history import Transaction, TransactionKind
from trimtab.rules.tax.merging import FileHistory, ages_of, counted_once, in_order

BEGIN = dt.date(2026, 1, 5)
KINDS = (TransactionKind.BUY, TransactionKind.SELL, TransactionKind.REVIEW)


def row(day: int, kind: TransactionKind, account: str, quantity: int) -> Transaction:
    return Transaction(
        id="",
        date=BEGIN + dt.timedelta(days=day),
        account=account,
        kind=kind,
        symbol="VTI",
        quantity=Decimal(quantity),
        amount=Decimal(100 * quantity),
    )


ROWS = st.lists(
    st.builds(
        row,
        st.integers(0, 4),
        st.sampled_from(KINDS),
        st.sampled_from(("joint", "roth")),
        st.integers(1, 2),
    ),
    min_size=1,
    max_size=14,
).map(lambda rows: sorted(rows, key=lambda one: one.date))


def numbered(rows: list[Transaction]) -> tuple[Transaction, ...]:
    """With the ids that an export without ids gets: counts of like rows."""
    seen: Counter[str] = Counter()
    named = []
    for one in rows:
        key = f"{one.date}:{one.account}:{one.kind.value}:{one.symbol}"
        seen[key] += 1
        named.append(replace(one, id=f"{key}:{seen[key]}"))
    return tuple(named)


def bare(rows: list[Transaction] | tuple[Transaction, ...]) -> list[Transaction]:
    return [replace(one, id="") for one in rows]


@given(ROWS, st.integers(0, 5), st.integers(0, 5))
def test_overlapping_exports_of_whole_days_tell_the_whole(rows, first, second):
    begin, end = sorted((first, second))
    early = [one for one in rows if one.date < BEGIN + dt.timedelta(days=end)]
    late = [one for one in rows if one.date >= BEGIN + dt.timedelta(days=begin)]
    files = (FileHistory("early", numbered(early)), FileHistory("late", numbered(late)))
    for order in permutations(files):
        told = counted_once(order)
        merged = list(in_order(told.histories))
        assert bare(merged) == rows
        assert len({one.id for one in merged}) == len(merged)
        assert bool(told.notes) == (early != [] and late != [] and early[-1].date >= late[0].date)


@given(st.lists(ROWS, min_size=2, max_size=3))
def test_of_any_files_the_larger_count_of_each_row_is_kept(many):
    files = [FileHistory(f"f{n}", numbered(rows)) for n, rows in enumerate(many)]
    counts = [Counter(map(repr, bare(rows))) for rows in many]
    most = counts[0]
    for one in counts[1:]:
        most |= one
    orders = [list(in_order(counted_once(order).histories)) for order in permutations(files)]
    assert Counter(map(repr, bare(orders[0]))) == most
    assert all(order == orders[0] for order in orders)
    assert len({one.id for one in orders[0]}) == len(orders[0])


@given(ROWS, ROWS)
def test_each_file_keeps_its_order_and_days_come_one_after_the_other(first, second):
    one = [replace(row, account=f"{row.account} 0") for row in first]
    other = [replace(row, account=f"{row.account} 1") for row in second]
    told = counted_once([FileHistory("a", numbered(one)), FileHistory("b", numbered(other))])
    merged = list(in_order(told.histories))
    assert [row for row in bare(merged) if row.account.endswith("0")] == one
    assert [row for row in bare(merged) if row.account.endswith("1")] == other
    assert sorted(merged, key=lambda row: row.date) == merged


def test_a_file_alone_is_told_as_it_is():
    rows = numbered([row(0, TransactionKind.SELL, "joint", 1), row(0, KINDS[0], "joint", 1)])
    told = counted_once([FileHistory("a", rows)])
    assert list(in_order(told.histories)) == list(rows)
    assert told.notes == ()
    assert ages_of(told.histories, ()) == {}


def test_the_file_that_tells_most_of_a_day_sets_the_order_of_its_rows():
    day = [row(0, kind, "joint", n) for n, kind in enumerate((*KINDS[1::-1], KINDS[1]), start=1)]
    files = FileHistory("a", numbered(day[:1])), FileHistory("b", numbered(day))
    assert bare(list(in_order(counted_once(files).histories))) == day


def test_fills_of_one_order_are_not_torn_apart_by_another_file():
    fills = [
        replace(row(0, TransactionKind.SELL, "joint", n), id=f"s{n}", order_id="o") for n in (1, 2)
    ]
    other = replace(row(0, TransactionKind.SELL, "spare", 1), id="x")
    ages = {"s1": BEGIN, "s2": BEGIN + dt.timedelta(2), "x": BEGIN + dt.timedelta(1)}
    assert [one.id for one in in_order((tuple(fills), (other,)), ages)] == ["s1", "s2", "x"]


def test_of_one_sale_told_twice_the_words_with_its_lots_count():
    plain = row(0, TransactionKind.SELL, "joint", 1)
    chosen = replace(plain, id="mine", method="hifo")
    for names in ("ab", "ba"):
        files = [FileHistory(names[0], numbered([plain])), FileHistory(names[1], (chosen,))]
        (only,) = in_order(counted_once(files).histories)
        assert (only.id, only.method) == ("mine", "hifo")


@pytest.mark.parametrize("changed", ["quantity", "amount", "fee"])
def test_one_id_of_a_broker_says_one_thing(changed):
    one = replace(row(0, TransactionKind.BUY, "joint", 1), id="U1/7")
    other = replace(one, **{changed: Decimal(7)})
    files = [FileHistory(n, (t,), has_broker_ids=True) for n, t in (("a", one), ("b", other))]
    with pytest.raises(FileFaults, match="two different things of U1/7"):
        counted_once(files)
