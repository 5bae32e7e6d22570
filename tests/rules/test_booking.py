"""What a broker reports, turned into facts: once each, in any order, to the last digit."""

import datetime as dt
import itertools
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.houses import START, lot

from trimtab.domain.events import (
    AccountOpened,
    CashMoved,
    Entry,
    Event,
    HouseholdOpened,
    OrderAnswered,
    OrderFilled,
    OrderIntended,
    SplitApplied,
)
from trimtab.domain.memory import Memory, remember
from trimtab.domain.numbers import ZERO
from trimtab.domain.trades import (
    Activity,
    CashMovement,
    Fill,
    LotPick,
    Order,
    OrderStatus,
    Receipt,
    Side,
    Split,
)
from trimtab.domain.values import Account, AccountKind, Lot, Rate, Relief
from trimtab.rules.booking import book, new_activities, split_lots, split_ratio

DAY = dt.timedelta(days=1)
quantities = st.integers(1, 10**9).map(lambda number: Decimal(number) / 10**4)
splits = st.tuples(st.integers(1, 20), st.integers(1, 20))


def test_an_activity_is_taken_in_once_and_in_the_order_in_which_it_happened():
    late, early = _fill("f2", at=START + DAY), _fill("f1")
    assert new_activities(Memory(), [late, early, late]) == (early, late)
    assert new_activities(_memory().folded(early).memory, [late, early]) == (late,)


def test_the_same_number_at_two_accounts_is_two_activities():
    one, other = _fill("f1"), _fill("f1", account="ira")
    assert set(new_activities(Memory(), [one, other])) == {one, other}


def test_a_purchase_makes_a_lot_with_its_fee_in_the_basis_dated_in_new_york():
    at = dt.datetime(2026, 3, 10, 2, 0, tzinfo=dt.UTC)
    event = _memory().book(_fill("f1", quantity="3", price="10", fee="0.50", at=at))
    assert event == OrderFilled(
        fill=event.fill,
        lot=Lot(
            id="f1",
            account="taxable",
            symbol="VTI",
            quantity=Decimal(3),
            basis=Decimal("30.50"),
            acquired=dt.date(2026, 3, 9),
            holding_since=dt.date(2026, 3, 9),
        ),
    )


def test_what_unsettled_money_buys_is_kept_until_the_money_settles():
    books = _memory(lots=[lot("taxable", "BND", "10", "500", "2025-01-02")], cash="20")
    books = books.folded(_fill("s1", symbol="BND", side=Side.SELL, quantity="10", price="60"))
    kept = books.book(_fill("b1", quantity="5", price="100"))
    free = books.book(_fill("b2", quantity="1", price="10"))
    assert kept.lot is not None
    assert free.lot is not None
    assert (kept.lot.sellable_from, free.lot.sellable_from) == (dt.date(2026, 3, 10), None)


def test_what_settled_money_is_left_buys_units_that_may_be_sold_at_once():
    books = _memory(lots=[lot("taxable", "BND", "10", "500", "2025-01-02")], cash="150")
    books = books.folded(_fill("s1", symbol="BND", side=Side.SELL, quantity="10", price="60"))
    books = books.folded(_fill("b1", quantity="1", price="100"))
    free, kept = books.book(_fill("b2", price="50")), books.book(_fill("b3", price="51"))
    assert free.lot is not None
    assert kept.lot is not None
    assert (free.lot.sellable_from, kept.lot.sellable_from) == (None, dt.date(2026, 3, 10))


@pytest.mark.parametrize(
    ("relief", "sold"),
    [
        pytest.param(Relief.FIFO, [("old", 2), ("mid", 1)], id="first in, first out"),
        pytest.param(Relief.HIFO, [("mid", 3)], id="highest cost first"),
        pytest.param(Relief.SPECIFIC, [("new", 1), ("old", 2)], id="as instructed"),
    ],
)
def test_a_sale_takes_the_lots_that_the_broker_books(relief, sold):
    books = _memory(lots=_three_lots(), relief=relief).ordered("3", [("new", 1), ("old", 2)])
    event = books.book(_sale("f1", "3"))
    assert _taken(event) == sold


def test_more_than_was_instructed_goes_first_in_first_out():
    books = _memory(lots=_three_lots(), relief=Relief.SPECIFIC).ordered("1", [("new", 1)])
    event = books.book(_sale("f1", "3"))
    assert _taken(event) == [("new", 1), ("old", 2)]


def test_an_order_without_instructions_is_booked_first_in_first_out():
    event = _memory(lots=_three_lots(), relief=Relief.SPECIFIC).book(_sale("f1", "3"))
    assert _taken(event) == [("old", 2), ("mid", 1)]


@given(st.permutations([("f1", "1"), ("f2", "2"), ("f3", "1")]))
def test_partial_fills_in_any_order_use_up_the_instruction_once(parts):
    books = _memory(lots=_three_lots(), relief=Relief.SPECIFIC)
    books = books.ordered("4", [("new", 2), ("old", 1), ("mid", 1)])
    for name, quantity in parts:
        books = books.folded(_sale(name, quantity))
    left = {name: one.quantity for name, one in books.memory.lots.items()}
    assert left == {"old": 1, "mid": 3, "new": 1}
    assert sum(d.quantity for d in books.memory.disposals) == 4


@given(st.lists(quantities, min_size=1, max_size=5), splits)
def test_a_split_keeps_basis_and_dates_and_its_lots_add_up_to_the_position(sizes, ratio):
    lots = [
        lot("taxable", "VTI", str(size), "100.10", "2025-01-02", f"l{number}")
        for number, size in enumerate(sizes)
    ]
    after = split_lots(lots, _split("s", *ratio))
    exact = Fraction(sum(sizes)) * ratio[0] / ratio[1]
    position = sum((one.quantity for one in after), ZERO)
    assert 0 <= exact - Fraction(position) < Fraction(1, 10**8)
    assert [one.basis for one in after] == [one.basis for one in lots]
    assert [one.acquired for one in after] == [one.acquired for one in lots]


def test_units_multiply_by_every_later_split_of_their_own_account_and_symbol():
    books = _memory(lots=_three_lots())
    for name, days, ratio in [("s1", 1, (2, 1)), ("s2", 2, (3, 2))]:
        books = books.folded(_split(name, *ratio, at=START + days * DAY))
    ratios = [
        split_ratio(books.memory, account, symbol, after)
        for account, symbol, after in [
            ("taxable", "VTI", START),
            ("taxable", "VTI", START + DAY),
            ("taxable", "VTI", START + 2 * DAY),
            ("ira", "VTI", START),
            ("taxable", "BND", START),
        ]
    ]
    assert ratios == [3, Fraction(3, 2), 1, 1, 1]


def test_a_fill_that_arrives_after_a_split_is_booked_in_the_units_of_today():
    books = _memory(lots=_three_lots()).folded(_split("s1", 2, 1, at=START + DAY))
    bought = books.book(_fill("f1", quantity="3", price="10"))
    assert bought.lot is not None
    assert bought.lot.quantity == 6
    assert bought.lot.basis == 30
    sold = books.book(_sale("f2", "3"))
    assert _taken(sold) == [("old", 4), ("mid", 2)]
    assert sum(d.proceeds for d in sold.disposals) == 3 * 100


def test_an_instruction_from_before_a_split_means_as_many_times_more_units_after_it():
    books = _memory(lots=_three_lots(), relief=Relief.SPECIFIC)
    books = books.ordered("3", [("new", 1), ("old", 2)]).folded(_sale("f1", "1"))
    books = books.folded(_split("s1", 2, 1, at=START + DAY))
    late = books.book(_sale("f2", "4", at=START + 2 * DAY))
    assert _taken(late) == [("old", 4)]


def test_a_split_waits_for_a_fill_from_before_it_that_has_not_arrived():
    books = _memory(lots=_three_lots(), relief=Relief.SPECIFIC).ordered("3", [("old", 2)])
    split = _split("s1", 3, 2, at=START + DAY)
    assert new_activities(books.memory, [split]) == ()
    fill = _sale("f1", "3")
    assert new_activities(books.memory, [split, fill]) == (fill, split)
    other = _split("s2", 3, 2, at=START + DAY, symbol="BND")
    assert new_activities(books.memory, [other]) == (other,)


def test_an_order_that_ended_short_keeps_no_split_waiting():
    books = _memory(lots=_three_lots()).ordered("3", [("old", 2)])
    receipt = Receipt(order_id="o1", broker_id="b", status=OrderStatus.CANCELED, filled=Decimal(1))
    books = books.added(OrderAnswered(receipt=receipt))
    split = _split("s1", 3, 2, at=START + DAY)
    assert new_activities(books.memory, [split]) == ()
    assert new_activities(books.folded(_sale("f1", "1")).memory, [split]) == (split,)


@given(st.permutations(range(4)))
def test_whatever_order_a_broker_tells_its_activities_in_the_books_are_the_same(order):
    told: list[Activity] = [
        _fill("f1", quantity="3", price="10"),
        _sale("f2", "2", at=START + DAY),
        _split("s1", 3, 1, at=START + 2 * DAY),
        _cash("c1", "100", at=START + 3 * DAY),
    ]
    books = _memory(lots=_three_lots())
    for activity in new_activities(books.memory, [told[index] for index in order]):
        books = books.folded(activity)
    in_turn = _memory(lots=_three_lots())
    for activity in told:
        in_turn = in_turn.folded(activity)
    assert books.memory == in_turn.memory


def test_cash_in_a_foreign_currency_is_recorded_with_its_worth_in_the_base_currency():
    books = _memory()
    rates = {"EUR": Rate(currency="EUR", rate=Decimal("1.10"), pair="EURUSD", at=START)}
    deposit = _cash("c1", "50", currency="EUR")
    event = book(deposit, books.memory, books.account, rates)
    assert event == CashMoved(movement=deposit, in_base=Decimal(55))
    own = book(_cash("c2", "50"), books.memory, books.account, {})
    assert isinstance(own, CashMoved)
    assert own.in_base == 50


def _taken(event: OrderFilled) -> list[tuple[str, int]]:
    """The lots that a sale took, and how many whole units of each."""
    return [(disposal.lot_id, int(disposal.quantity)) for disposal in event.disposals]


class _Books:
    """An account's journal so far, and what it becomes with the next activity."""

    def __init__(self, memory: Memory, account: Account) -> None:
        self.memory, self.account = memory, account

    def book(self, fill: Fill) -> OrderFilled:
        event = book(fill, self.memory, self.account, {})
        assert isinstance(event, OrderFilled)
        return event

    def folded(self, activity: Activity) -> "_Books":
        event = book(activity, self.memory, self.account, {})
        assert isinstance(event, (OrderFilled, SplitApplied, CashMoved))
        return self.added(event)

    def added(self, *events: Event) -> "_Books":
        entries = [
            Entry(sequence=number, at=START - DAY, cycle="c", event=event, hash="")
            for number, event in zip(itertools.count(1), events, strict=False)
        ]
        return _Books(remember(self.memory, entries), self.account)

    def ordered(self, quantity: str, picks: list[tuple[str, int]]) -> "_Books":
        order = Order(
            id="o1",
            plan_id="p",
            account="taxable",
            symbol="VTI",
            side=Side.SELL,
            quantity=Decimal(quantity),
            limit=Decimal(99),
            good_until=START + DAY,
            lots=tuple(LotPick(lot_id=name, quantity=Decimal(units)) for name, units in picks),
        )
        return self.added(OrderIntended(order=order))


def _memory(
    *, lots: list[Lot] | None = None, cash: str = "10000", relief: Relief = Relief.FIFO
) -> _Books:
    account = Account(
        id="taxable", owner="ann", kind=AccountKind.TAXABLE, broker="paper", relief=relief
    )
    opened = AccountOpened(
        account="taxable", lots=tuple(lots or ()), cash={"USD": Decimal(cash)}, source="test"
    )
    return _Books(Memory(), account).added(HouseholdOpened(name="T", base_currency="USD"), opened)


def _three_lots() -> list[Lot]:
    return [
        lot("taxable", "VTI", "2", "100", "2020-01-02", "old"),
        lot("taxable", "VTI", "4", "400", "2022-01-03", "mid"),
        lot("taxable", "VTI", "3", "210", "2025-06-02", "new"),
    ]


def _fill(
    name: str,
    *,
    account: str = "taxable",
    symbol: str = "VTI",
    side: Side = Side.BUY,
    quantity: str = "1",
    price: str = "100",
    fee: str = "0",
    at: dt.datetime = START,
) -> Fill:
    return Fill(
        id=name,
        account=account,
        order_id="o1",
        symbol=symbol,
        side=side,
        quantity=Decimal(quantity),
        price=Decimal(price),
        fee=Decimal(fee),
        at=at,
        settles_on=at.date() + DAY,
    )


def _sale(name: str, quantity: str, at: dt.datetime = START) -> Fill:
    return _fill(name, side=Side.SELL, quantity=quantity, at=at)


def _split(
    name: str, numerator: int, denominator: int, *, at: dt.datetime = START, symbol: str = "VTI"
) -> Split:
    return Split(
        id=name,
        account="taxable",
        symbol=symbol,
        numerator=numerator,
        denominator=denominator,
        at=at,
    )


def _cash(
    name: str, amount: str, *, currency: str = "USD", at: dt.datetime = START
) -> CashMovement:
    return CashMovement(
        id=name, account="taxable", currency=currency, amount=Decimal(amount), at=at, is_flow=True
    )
