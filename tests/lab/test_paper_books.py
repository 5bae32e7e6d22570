"""The paper broker's books: lots by relief, splits, the store, and no cent lost."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.lab.paper_world import WEDNESDAY_NOON, World, cash_by_the_book, lot, picks

from trimtab.domain.errors import BrokerRefused, BrokerUnknown, DataSuspect
from trimtab.domain.events import AccountOpened, Entry, OrderFilled
from trimtab.domain.memory import Memory, remember
from trimtab.domain.numbers import share_of, split_quantity
from trimtab.domain.policy import PaperRule
from trimtab.domain.trades import CashMovement, Disposal, Fill, OrderStatus, Side, Term
from trimtab.domain.values import Relief, trade_date
from trimtab.lab.faults import FaultRates, SeededFaults
from trimtab.lab.paper import FileStore, MemoryStore
from trimtab.lab.paper_books import split_lots

FEES = PaperRule(fee_per_order=Decimal("1.00"), fee_bps=Decimal(5))


# ------------------------------------------------------------------ lots

OLD_AND_DEAR = (
    lot("middle", 10, 700, "2024-05-01"),
    lot("old", 10, 600, "2023-05-01"),
    lot("dear", 10, 900, "2025-05-01"),
    lot("dear-too", 10, 900, "2025-06-01"),
)


@pytest.mark.parametrize(
    ("relief", "left"),
    [
        pytest.param(Relief.FIFO, {"middle": 8, "dear": 10, "dear-too": 10}, id="fifo"),
        pytest.param(Relief.HIFO, {"middle": 10, "old": 10, "dear-too": 8}, id="hifo"),
        pytest.param(Relief.SPECIFIC, {"middle": 8, "dear": 10, "dear-too": 10}, id="unnamed"),
    ],
)
def test_a_sale_takes_lots_by_the_accounts_relief(relief, left):
    world = World(relief=relief)
    world.open(*OLD_AND_DEAR)
    world.broker.submit(world.sell(12))
    assert {name: lot.quantity for name, lot in world.lots().items()} == left


@pytest.mark.parametrize("relief", [Relief.FIFO, Relief.HIFO])
def test_lots_of_one_day_and_cost_go_by_their_ids(relief):
    world = World(relief=relief)
    world.open(*(lot(name, 10, 700) for name in ("b", "a", "c")))
    world.broker.submit(world.sell(12))
    assert {name: lot.quantity for name, lot in world.lots().items()} == {"b": 8, "c": 10}


def test_lots_that_are_named_are_sold_where_the_relief_is_specific():
    world = World(relief=Relief.SPECIFIC)
    world.open(*OLD_AND_DEAR)
    named = picks(**{"dear-too": 10, "old": 2})
    world.broker.submit(world.sell(12, lots=named))
    assert {name: lot.quantity for name, lot in world.lots().items()} == {
        "middle": 10,
        "old": 8,
        "dear": 10,
    }


def test_lots_that_are_named_do_not_count_where_the_relief_is_fifo():
    world = World(relief=Relief.FIFO)
    world.open(*OLD_AND_DEAR)
    world.broker.submit(world.sell(10, lots=picks(dear=10)))
    assert "old" not in world.lots()
    assert "dear" in world.lots()


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        pytest.param(picks(old=11), "Lot old has 10 VTI free", id="more than the lot"),
        pytest.param(picks(old=10), "add up to 10", id="less than the sale"),
        pytest.param(picks(nothing=11), "Lot nothing has 0 VTI", id="no such lot"),
        pytest.param((*picks(old=5), *picks(old=6)), "each lot once", id="a lot named twice"),
        pytest.param(picks(old=6, middle=6, dear=-1), "the sale names -1", id="a negative pick"),
    ],
)
def test_named_lots_that_do_not_make_the_sale_are_refused(named, sentence):
    world = World(relief=Relief.SPECIFIC)
    world.open(*OLD_AND_DEAR)
    with pytest.raises(BrokerRefused, match=sentence):
        world.broker.submit(world.sell(11, lots=named))


def test_a_lot_that_a_working_sale_names_is_not_sold_by_another():
    world = World(relief=Relief.SPECIFIC)
    world.open(*OLD_AND_DEAR)
    world.broker.submit(world.sell(8, limit="150", lots=picks(old=8)))
    with pytest.raises(BrokerRefused, match="Lot old has 2 VTI free"):
        world.broker.submit(world.sell(5, lots=picks(old=5)))
    world.broker.submit(world.sell(5))  # unnamed: the two free units of `old`, then `middle`
    assert world.lots()["old"].quantity == 8
    assert world.lots()["middle"].quantity == 7
    world.board.write("VTI", "150", "151")
    assert "old" not in world.lots()


def test_a_working_sale_claims_only_what_it_has_not_sold_yet():
    world = World(relief=Relief.SPECIFIC)
    world.faults = SeededFaults(np.random.default_rng(0), FaultRates(partial_fill=1.0))
    world.restarted()
    world.open(*OLD_AND_DEAR)
    part = world.broker.submit(world.sell(8, lots=picks(old=8))).filled
    assert 0 < part < 8
    world.board.write("VTI", "90", "91")
    with pytest.raises(BrokerRefused, match="Lot old has 2 VTI free"):
        world.broker.submit(world.sell(3, limit="95", lots=picks(old=3)))


def test_what_is_left_of_a_lot_keeps_the_rest_of_its_basis():
    world = World()
    world.open(lot("old", 3, 100))
    world.broker.submit(world.sell(1))
    assert world.lots()["old"].basis == 100 - share_of(Decimal(100), Decimal(1), Decimal(3))
    assert world.lots()["old"].basis == Decimal("66.6666666667")


@given(
    quantities=st.lists(
        st.decimals(min_value="0.00000001", max_value=5000, places=8), min_size=1, max_size=6
    ),
    numerator=st.integers(min_value=1, max_value=30),
    denominator=st.integers(min_value=1, max_value=1500),
)
def test_lots_after_a_split_are_the_split_of_the_total_and_keep_their_basis(
    quantities, numerator, denominator
):
    lots = [lot(str(number), q, number + 1) for number, q in enumerate(quantities)]
    after = split_lots(lots, numerator, denominator)
    total = split_quantity(sum(quantities), numerator, denominator)
    assert sum(held.quantity for held in after) == total
    assert all(held.quantity > 0 for held in after)
    if total:
        assert sum(held.basis for held in after) == sum(held.basis for held in lots)


# ------------------------------------------------------------------ the store


def test_a_new_process_finds_everything_as_it_was(tmp_path):
    world = World(rule=FEES, store=FileStore(tmp_path / "paper.json"))
    world.open(lot("old", 3, 100), cash="5000.07")
    working, filled = world.buy(2, limit="90"), world.buy(2)
    world.broker.submit(filled)
    world.broker.submit(working)
    world.broker.submit(world.sell(1))
    before = (world.broker.report("main"), list(world.broker.activities("main")))
    world.store = FileStore(tmp_path / "paper.json")
    world.restarted()
    assert (world.broker.report("main"), list(world.broker.activities("main"))) == before
    world.board.write("VTI", "88", "89")
    assert world.broker.find("main", working.id).status is OrderStatus.FILLED
    assert [path.name for path in tmp_path.iterdir()] == ["paper.json"]


def test_a_second_process_on_the_same_books_is_seen(tmp_path):
    world = World(store=FileStore(tmp_path / "paper.json"))
    world.open(cash="100")
    watching, owner = world.broker, world.restarted()
    owner.deposit("main", Decimal(50))
    assert watching.report("main").cash == {"USD": 150}
    watching.deposit("main", Decimal(1))
    assert owner.report("main").cash == {"USD": 151}


class FullDisk(MemoryStore):
    """A store that can be filled up."""

    is_full = False

    def save(self, content):
        if self.is_full:
            raise BrokerUnknown("The disk is full: make room.")
        super().save(content)


def test_books_that_cannot_be_saved_are_not_changed():
    disk = FullDisk()
    world = World(store=disk)
    world.open()
    order = world.buy(5)
    disk.is_full = True
    with pytest.raises(BrokerUnknown, match="disk is full"):
        world.broker.submit(order)
    assert world.broker.find("main", order.id) is None
    disk.is_full = False
    assert world.broker.submit(order).status is OrderStatus.FILLED


def test_a_folder_that_is_not_there_is_named(tmp_path):
    world = World(store=FileStore(tmp_path / "nowhere" / "paper.json"))
    with pytest.raises(BrokerUnknown, match=r"nowhere/paper.json \(No such file"):
        world.open()


def test_books_that_cannot_be_read_are_refused(tmp_path):
    path = tmp_path / "paper.json"
    path.write_bytes(b'{"accounts": {"main": {"lots": [')
    with pytest.raises(DataSuspect, match="books cannot be read"):
        World(store=FileStore(path))


# ------------------------------------------------------------------ whatever happens

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["buy", "sell", "cancel", "split", "deposit", "dividend", "wait"]),
        st.integers(min_value=1, max_value=40),
        st.integers(min_value=80, max_value=130),
    ),
    max_size=25,
)


def take_step(world, kind, size, price):
    """One step of a random life; what is refused changes nothing and is fine."""
    world.board.write("VTI", price, Decimal(price) + Decimal("0.10"))
    world.clock.at += dt.timedelta(minutes=size)
    now = world.clock.at
    try:
        match kind:
            case "buy":
                world.broker.submit(world.buy(size, limit=str(price + size - 20)))
            case "sell":
                world.broker.submit(world.sell(size, limit=str(price - size + 20)))
            case "cancel":
                world.broker.cancel("main", f"order-{size}")
            case "split":
                world.broker.apply_split("VTI", size, 7, now)
            case "deposit":
                world.broker.deposit("main", Decimal(100 - price) * size)
            case "dividend":
                world.broker.dividend("VTI", Decimal(size) / 37, now)
            case "wait":
                world.clock.at += dt.timedelta(hours=size)
    except BrokerRefused:
        pass


@given(steps=STEPS, relief=st.sampled_from(Relief))
def test_no_share_and_no_cent_is_lost_in_any_sequence(steps, relief):
    world = World(rule=FEES, relief=relief)
    world.open(lot("old", 20, 1500), lot("young", 10, 1100, "2025-03-03"), cash="3000")
    for step in steps:
        take_step(world, *step)
        report = world.restarted().report("main")
        total = sum(held.quantity for held in report.lots)
        assert total == report.positions.get("VTI", 0)
        assert all(held.quantity > 0 for held in report.lots)
        assert 0 <= report.settled <= report.cash["USD"]
        assert report.cash["USD"] == cash_by_the_book(3000, world.broker.activities("main"))


@given(steps=STEPS)
def test_a_purchase_takes_settled_dollars_first_and_settles_none(steps):
    world = World(rule=FEES)
    world.open(lot("old", 20, 1500), lot("young", 10, 1100, "2025-03-03"), cash="300")
    for step in steps:
        take_step(world, *step)
        settled = settled_by_the_book(300, world.broker.activities("main"), world.clock.at)
        assert world.broker.report("main").settled == settled


def settled_by_the_book(opening, activities, at):
    """Each day's dollars in an envelope of their own, opened in the order in which they settle."""
    envelopes = {trade_date(WEDNESDAY_NOON): Decimal(opening)}
    for activity in activities:
        day = trade_date(activity.at)
        if isinstance(activity, Fill) and activity.side is Side.SELL:
            proceeds = activity.quantity * activity.price - activity.fee
            envelopes[activity.settles_on] = envelopes.get(activity.settles_on, 0) + proceeds
            continue
        if isinstance(activity, Fill):
            gone = activity.quantity * activity.price + activity.fee
        else:
            gone = -activity.amount if isinstance(activity, CashMovement) else Decimal(0)
        if gone < 0:
            envelopes[day] = envelopes.get(day, 0) - gone
        for date in sorted(envelopes):
            part = max(Decimal(0), min(gone, envelopes[date]))
            envelopes[date] -= part
            gone -= part
    return sum(amount for date, amount in envelopes.items() if date <= trade_date(at))


def as_the_journal_books_it(memory, fill):
    """*memory* after *fill*, first in first out, with the domain's own splitting of a basis."""
    if fill.side is Side.BUY:
        basis = fill.quantity * fill.price + fill.fee
        bought = lot(fill.id, fill.quantity, basis, trade_date(fill.at).isoformat())
        return remembered(memory, OrderFilled(fill=fill, lot=bought))
    disposals, wanted = [], fill.quantity
    for held in sorted(memory.lots.values(), key=lambda held: (held.acquired, held.id)):
        part = min(held.quantity, wanted)
        if part > 0:
            disposals.append(disposal(fill, held, part))
            wanted -= part
    return remembered(memory, OrderFilled(fill=fill, disposals=tuple(disposals)))


def disposal(fill, held, part):
    return Disposal(
        id=f"{fill.id}/{held.id}",
        account=fill.account,
        symbol=fill.symbol,
        lot_id=held.id,
        quantity=part,
        acquired=held.acquired,
        holding_since=held.holding_since,
        sold=trade_date(fill.at),
        proceeds=share_of(fill.quantity * fill.price - fill.fee, part, fill.quantity),
        basis=share_of(held.basis, part, held.quantity),
        term=Term.SHORT,
        is_taxed=True,
    )


def remembered(memory, event):
    entry = Entry(sequence=memory.entries + 1, at=WEDNESDAY_NOON, cycle="c", event=event, hash="")
    return remember(memory, [entry])


@given(steps=STEPS)
def test_a_journal_that_books_the_same_fills_agrees_to_the_last_digit(steps):
    world = World(rule=FEES)
    opening = (lot("old", 21, "1500.01"), lot("young", 10, 1100, "2025-03-03"))
    world.open(*opening, cash="3000")
    for kind, size, price in steps:
        if kind in {"buy", "sell", "cancel", "wait"}:
            take_step(world, kind, size, price)
    memory = remembered(
        Memory(),
        AccountOpened(account="main", lots=opening, cash={"USD": Decimal(3000)}, source="test"),
    )
    for fill in world.fills():
        memory = as_the_journal_books_it(memory, fill)
    report = world.broker.report("main")
    assert memory.lots == {held.id: held for held in report.lots}
    cash, waiting = report.cash["USD"], memory.unsettled_cash("main", trade_date(world.clock.at))
    assert memory.cash["main", "USD"] == cash
    assert cash - waiting == report.settled
