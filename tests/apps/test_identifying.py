"""What the owner tells a broker about lots: written out, recorded in time, refused too late."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from tests.houses import lot

from trimtab.adapters.journal import SqliteJournal
from trimtab.apps.clock import ManualClock
from trimtab.apps.demo import make_demo
from trimtab.apps.home import Home, recall, working
from trimtab.apps.identifying import confirm, instruct, worksheet
from trimtab.apps.run import run_once
from trimtab.domain.errors import InputError
from trimtab.domain.events import AccountOpened, Event, HouseholdOpened, OrderFilled, OrderIntended
from trimtab.domain.trades import Fill, LotPick, Order, Side
from trimtab.domain.values import Account, AccountKind, Relief
from trimtab.rules.booking import book
from trimtab.rules.tax.identification import Identification

NOON = dt.datetime(2026, 10, 14, 16, tzinfo=dt.UTC)
"""A Wednesday at noon in New York."""
HOUR = dt.timedelta(hours=1)
BY_HAND = ('broker = "paper"\nrelief = "specific"', 'broker = "file"\nrelief = "specific"')
WALLET = ('kind = "crypto"\nbroker = "paper"', 'kind = "crypto"\nbroker = "file"\nrelief = "hifo"')


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """The demo with its taxable account and its wallet known from files only."""
    made = make_demo(tmp_path / "demo", seed=7, today=NOON.date(), replace=False)
    text = made.household_toml.read_text(encoding="utf-8")
    for before, after in (BY_HAND, WALLET):
        assert before in text
        text = text.replace(before, after)
    made.household_toml.write_text(text, encoding="utf-8")
    return made


def planned(home: Home, at: dt.datetime = NOON) -> Identification:
    with working(home, command="test", clock=ManualClock(at)) as house:
        run_once(house, executes=True)
    (sale, *_) = [s for s in sales(home, at) if s.state == "planned"]
    return sale


def sales(home: Home, at: dt.datetime = NOON) -> tuple[Identification, ...]:
    return worksheet(home, ManualClock(at)).sales


def test_without_a_plan_there_is_no_sale_to_tell_of(home):
    assert sales(home) == ()
    with pytest.raises(InputError, match="nothing is planned yet"):
        instruct(home, ManualClock(NOON), "abcdefgh")
    assert not home.journal.exists()


def test_a_sale_placed_by_hand_is_written_out_told_and_confirmed(home):
    sale = planned(home)
    assert sale.account == "joint"
    assert sale.deadline == dt.datetime(2026, 10, 15, 20, tzinfo=dt.UTC)
    assert recall(home).orders == {} or all(
        known.order.account != "joint" for known in recall(home).orders.values()
    )
    said = instruct(home, ManualClock(NOON + HOUR), sale.order_id[:8])
    assert "with the order or before it" in said
    assert [(s.order_id, str(s.state)) for s in sales(home)] == [(sale.order_id, "instructed")]
    confirm(home, ManualClock(NOON + 2 * HOUR), sale.order_id, " trade 4711. ")
    (after,) = sales(home)
    assert (str(after.state), after.reference) == ("confirmed", "trade 4711")
    assert after.lots == sale.lots


@pytest.mark.parametrize(
    ("told", "sold", "counts"),
    [
        pytest.param("2026-10-14 15:00", "2026-10-14 10:00", True, id="on the same day"),
        pytest.param("2026-10-15 16:00", "2026-10-14 10:00", True, id="at the close a day later"),
        pytest.param("2026-10-15 16:01", "2026-10-14 10:00", False, id="a minute too late"),
        pytest.param("2026-10-19 15:59", "2026-10-16 10:00", True, id="over a weekend"),
        pytest.param("2026-10-13 15:00", "2026-10-09 10:00", True, id="over Columbus day"),
        pytest.param("2026-10-14 09:00", "2026-10-12 10:00", False, id="sold two days before"),
    ],
)
def test_only_a_word_in_time_is_recorded(home, told, sold, counts):
    sale = planned(home)
    now = ManualClock(NOON + 10 * 24 * HOUR)
    times = {"told_at": _new_york(told), "sold_at": _new_york(sold)}
    if counts:
        assert "in time for the sale" in instruct(home, now, sale.order_id, **times)
        assert sales(home)[0].state == "instructed"
    else:
        with pytest.raises(InputError, match=r"went first in, first out, and nothing was recorded"):
            instruct(home, now, sale.order_id, **times)
        assert sale.order_id not in recall(home).instructions


def test_a_sale_of_an_earlier_plan_can_still_be_recorded(home):
    first = planned(home)
    later = planned(home, NOON + 3 * HOUR)
    assert first.order_id != later.order_id
    instruct(home, ManualClock(NOON + 4 * HOUR), first.order_id, told_at=NOON + HOUR)
    assert recall(home).instructions[first.order_id].lots == first.lots
    with pytest.raises(InputError, match="recorded already"):
        instruct(home, ManualClock(NOON + 4 * HOUR), first.order_id)


@pytest.mark.parametrize(
    ("what", "match"),
    [
        pytest.param({"sale": "nothing-1"}, "no sale 'nothing-1' waits", id="unknown"),
        pytest.param({"told_at": NOON + 9 * HOUR}, "is yet to come", id="in the future"),
    ],
)
def test_what_cannot_be_is_not_recorded(home, what, match):
    sale = planned(home)
    with pytest.raises(InputError, match=match):
        instruct(home, ManualClock(NOON), **{"sale": sale.order_id, **what})
    assert recall(home).instructions == {}


def test_a_confirmation_needs_something_that_was_told_and_a_reference(home):
    sale, clock = planned(home), ManualClock(NOON + HOUR)
    with pytest.raises(InputError, match="waits for that"):
        confirm(home, clock, sale.order_id, "letter")
    instruct(home, clock, sale.order_id)
    with pytest.raises(InputError, match="where the confirmation is kept"):
        confirm(home, clock, sale.order_id, " . ")
    with pytest.raises(InputError, match="cannot have confirmed"):
        confirm(home, clock, sale.order_id, "letter", at=NOON)
    with pytest.raises(InputError, match="is yet to come"):
        confirm(home, clock, sale.order_id, "letter", at=NOON + 2 * HOUR)


def test_a_standing_order_is_listed_and_its_confirmation_recorded(home):
    (order,) = worksheet(home, ManualClock(NOON)).standing
    assert (order.account, order.confirmed_at) == ("maya-wallet", None)
    confirm(home, ManualClock(NOON), "maya-wallet", "letter of 12 March")
    (order,) = worksheet(home, ManualClock(NOON)).standing
    assert (order.confirmed_at, order.reference) == (NOON, "letter of 12 March")
    with pytest.raises(InputError, match="needs no standing order"):
        confirm(home, ManualClock(NOON), "joint", "letter")
    assert planned(home).account == "joint", "the journal goes on from there"


# ------------------------------------------------------------------ a sale that is booked already


def test_a_sale_booked_first_in_first_out_is_booked_again_once_its_broker_was_told(home):
    _sold(home)
    assert [d.lot_id for d in recall(home).disposals] == ["old"]
    (sale,) = sales(home)
    said = instruct(home, ManualClock(NOON + 9 * HOUR), "tt-order", told_at=NOON + 5 * HOUR)
    assert "booked again" in said
    memory = recall(home)
    assert [d.lot_id for d in memory.disposals] == ["new"]
    assert memory.lots["old"].quantity == 2
    assert memory.instructions["tt-order"].sold_at == NOON == sale.sold_at


def test_a_word_after_the_settlement_leaves_a_sale_as_it_was_booked(home):
    _sold(home)
    late = ManualClock(NOON + 48 * HOUR)
    assert sales(home, NOON + 48 * HOUR)[0].state == "lapsed"
    with pytest.raises(InputError, match=r"first in, first out"):
        instruct(home, late, "tt-order")
    assert [d.lot_id for d in recall(home).disposals] == ["old"]
    instruct(home, late, "tt-order", told_at=NOON + HOUR)
    assert [d.lot_id for d in recall(home).disposals] == ["new"]


def _new_york(text: str) -> dt.datetime:
    """October: four hours behind UTC."""
    return dt.datetime.fromisoformat(f"{text}-04:00").astimezone(dt.UTC)


def _sold(home: Home) -> None:
    """A journal in which an order that named its newer lot was booked first in, first out."""
    account = Account(
        id="joint",
        owner="maya",
        kind=AccountKind.TAXABLE,
        broker="file",
        relief=Relief.SPECIFIC,
    )
    order = Order(
        id="tt-order",
        plan_id="p",
        account="joint",
        symbol="VTI",
        side=Side.SELL,
        quantity=Decimal(1),
        limit=Decimal(99),
        good_until=NOON,
        lots=(LotPick(lot_id="new", quantity=Decimal(1)),),
    )
    fill = Fill(
        id="f1",
        account="joint",
        order_id=order.id,
        symbol="VTI",
        side=Side.SELL,
        quantity=Decimal(1),
        price=Decimal(100),
        fee=Decimal(0),
        at=NOON,
        settles_on=dt.date(2026, 10, 15),
    )
    lots = (
        lot("joint", "VTI", "2", "100", "2020-01-02", "old"),
        lot("joint", "VTI", "2", "180", "2025-01-02", "new"),
    )
    _write(
        home,
        HouseholdOpened(name="T", base_currency="USD"),
        AccountOpened(account="joint", lots=lots, cash={}, source="test"),
        OrderIntended(order=order),
    )
    event = book(fill, recall(home), account, {})
    assert isinstance(event, OrderFilled)
    _write(home, event)


def _write(home: Home, *events: Event) -> None:
    with SqliteJournal.open(home.journal, create=True) as journal:
        journal.append(list(events), at=NOON - HOUR, cycle="test")
