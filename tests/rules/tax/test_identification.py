"""Specific identification exists only if the broker was told in time."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.houses import lot

from trimtab.adapters.calendars import MarketCalendars
from trimtab.domain.events import (
    AccountOpened,
    Decided,
    Entry,
    Event,
    HouseholdOpened,
    LotsConfirmed,
    LotsInstructed,
    OrderAnswered,
    OrderFilled,
    OrderIntended,
    SplitApplied,
    StandingOrderConfirmed,
)
from trimtab.domain.memory import Memory, remember
from trimtab.domain.trades import (
    Decision,
    Fill,
    LotPick,
    Order,
    OrderStatus,
    Plan,
    Receipt,
    Side,
    Split,
    Trade,
)
from trimtab.domain.values import NEW_YORK, Account, AccountKind, Relief, trade_date
from trimtab.rules.booking import book
from trimtab.rules.tax.identification import (
    Identification,
    deadline_of,
    identifications,
    needs_instruction,
    standing_orders,
)
from trimtab.rules.tax.rebooking import rebooked

SETTLEMENT = MarketCalendars().settlement_date
DAY, MINUTE = dt.timedelta(days=1), dt.timedelta(minutes=1)


def new_york(day: str, time: str = "11:00") -> dt.datetime:
    at = dt.datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=NEW_YORK)
    return at.astimezone(dt.UTC)


MONDAY = new_york("2026-03-09")
CLOSE = new_york("2026-03-10", "16:00")
OPENED = MONDAY - DAY
BY_HAND = Account(
    id="joint", owner="ann", kind=AccountKind.TAXABLE, broker="file", relief=Relief.SPECIFIC
)
ELSEWHERE = replace(BY_HAND, broker="house-of-trade")
"""At a broker that trimtab sends orders to and that takes no lots with them."""
WALLET = replace(ELSEWHERE, kind=AccountKind.CRYPTO)
LOTS = (
    lot("joint", "VTI", "2", "100", "2020-01-02", "old"),
    lot("joint", "VTI", "4", "400", "2022-01-03", "mid"),
    lot("joint", "VTI", "3", "210", "2025-06-02", "new"),
)


@pytest.mark.parametrize(
    ("sold", "until"),
    [
        pytest.param("2026-03-09", "2026-03-10", id="monday, until tuesday"),
        pytest.param("2026-03-13", "2026-03-16", id="friday, until monday"),
        pytest.param("2026-01-16", "2026-01-20", id="friday before Martin Luther King's day"),
        pytest.param("2026-10-09", "2026-10-13", id="friday before Columbus day, banks closed"),
        pytest.param("2026-11-25", "2026-11-27", id="the day before Thanksgiving"),
    ],
)
def test_a_broker_may_be_told_until_the_close_of_the_next_business_day(sold, until):
    settles_on = SETTLEMENT(dt.date.fromisoformat(sold))
    assert deadline_of(BY_HAND, new_york(sold), settles_on) == new_york(until, "16:00")


def test_a_sale_late_in_the_evening_in_utc_still_belongs_to_its_day_in_new_york():
    sold_at = dt.datetime(2026, 3, 10, 1, tzinfo=dt.UTC)
    assert deadline_of(BY_HAND, sold_at, SETTLEMENT(trade_date(sold_at))) == CLOSE


def test_coins_are_identified_at_the_moment_of_the_sale_at_the_latest():
    assert deadline_of(WALLET, MONDAY, trade_date(MONDAY)) == MONDAY
    assert deadline_of(WALLET, MONDAY, trade_date(MONDAY) + DAY) == MONDAY


def test_what_settles_on_the_day_of_its_sale_leaves_no_time_to_tell_anybody():
    assert deadline_of(BY_HAND, MONDAY, trade_date(MONDAY)) == MONDAY


@pytest.mark.parametrize(
    ("account", "needed"),
    [
        pytest.param(BY_HAND, True, id="specific, placed by hand"),
        pytest.param(ELSEWHERE, True, id="specific, a broker that takes no lots"),
        pytest.param(replace(BY_HAND, broker="paper"), False, id="told by the order"),
        pytest.param(replace(BY_HAND, relief=Relief.FIFO), False, id="fifo needs no word"),
        pytest.param(replace(BY_HAND, relief=Relief.HIFO), False, id="hifo has a standing order"),
        pytest.param(replace(BY_HAND, kind=AccountKind.ROTH_IRA), False, id="not taxed"),
    ],
)
def test_only_a_taxed_account_with_lots_to_choose_and_nobody_else_to_say_so_needs_a_word(
    account, needed
):
    assert needs_instruction(account) is needed


# ------------------------------------------------------------------ sales placed by hand


def test_a_planned_sale_in_an_account_in_files_is_written_out_with_its_lots_and_their_cost():
    memory = planned([("new", "3"), ("old", "1")])
    (sale,) = told_of(memory, BY_HAND)
    assert (sale.order_id, str(sale.state), int(sale.quantity)) == ("plan-2", "planned", 4)
    assert named(sale) == [("new", 3, 210), ("old", 1, 50)]
    assert sale.deadline == CLOSE
    assert "Tuesday 10 March 2026, 16:00 in New York" in sale.sentence


def test_two_pieces_of_one_lot_are_one_line_for_the_broker():
    (sale,) = told_of(planned([("new", "1"), ("old", "1"), ("new", "2")]), BY_HAND)
    assert named(sale) == [("new", 3, 210), ("old", 1, 50)]


def test_a_plan_made_at_a_weekend_is_told_until_tuesday():
    memory = planned([("new", "1")])
    (sale,) = told_of(memory, BY_HAND, now=new_york("2026-03-07"))
    assert sale.deadline == CLOSE


@pytest.mark.parametrize(
    "account",
    [replace(BY_HAND, broker="paper"), replace(BY_HAND, relief=Relief.FIFO), ELSEWHERE],
    ids=["paper", "fifo", "sent by trimtab"],
)
def test_other_planned_sales_ask_nothing_of_their_owner(account):
    assert told_of(planned([("new", "1")]), account) == ()


def test_a_plan_that_the_files_have_overtaken_is_not_written_out():
    memory = planned([("new", "3")])
    after = AccountOpened(account="joint", lots=LOTS[:2], cash={}, source="file")
    assert told_of(told(memory, after), BY_HAND) == ()


def test_a_sale_goes_from_planned_to_instructed_to_confirmed():
    memory = planned([("new", "3")])
    (sale,) = told_of(memory, BY_HAND)
    memory = told(memory, instruction(sale, told_at=MONDAY))
    (sale,) = told_of(memory, BY_HAND, now=MONDAY + 30 * DAY)
    assert (str(sale.state), sale.told_at) == ("instructed", MONDAY)
    confirmed = LotsConfirmed(order_id="plan-2", reference="letter 7", confirmed_at=MONDAY + DAY)
    (sale,) = told_of(told(memory, confirmed), BY_HAND)
    assert (str(sale.state), sale.reference) == ("confirmed", "letter 7")
    assert "letter 7" in sale.sentence


def test_a_plan_for_units_that_were_just_sold_by_hand_says_that_the_files_are_behind():
    memory = planned([("new", "3")])
    (sale,) = told_of(memory, BY_HAND)
    memory = told(memory, instruction(sale, told_at=MONDAY))
    memory = told(memory, decided([("mid", "1")], "later"))
    _, again = told_of(memory, BY_HAND)
    assert "update them before you sell again" in again.sentence
    updated = AccountOpened(account="joint", lots=LOTS[:2], cash={}, source="file")
    memory = told(memory, updated, at=MONDAY + DAY)
    _, again = told_of(memory, BY_HAND)
    assert "update them" not in again.sentence


# ------------------------------------------------------------------ sales that trimtab sent


def test_an_order_names_its_lots_in_vain_where_the_broker_does_not_take_them():
    memory = sent([("new", "3")])
    assert taken(booked(memory, sale("f1", "3"), ELSEWHERE)) == [("old", 2), ("mid", 1)]
    assert taken(booked(memory, sale("f1", "3"), replace(ELSEWHERE, broker="paper"))) == [
        ("new", 3)
    ]


@pytest.mark.parametrize(
    ("told_at", "lots"),
    [
        pytest.param(MONDAY - 5 * MINUTE, [("new", 3)], id="before the sale"),
        pytest.param(CLOSE, [("new", 3)], id="at the close of its settlement"),
        pytest.param(CLOSE + MINUTE, [("old", 2), ("mid", 1)], id="a minute too late"),
    ],
)
def test_lots_are_booked_as_named_only_when_the_broker_was_told_in_time(told_at, lots):
    memory = sent([("new", "3")])
    (one,) = told_of(memory, ELSEWHERE)
    memory = told(memory, instruction(one, told_at=told_at))
    assert taken(booked(memory, sale("f1", "3"), ELSEWHERE)) == lots


@pytest.mark.parametrize(
    ("told_at", "lots"),
    [
        pytest.param(MONDAY, [("new", 3)], id="with the order"),
        pytest.param(MONDAY + MINUTE, [("old", 2), ("mid", 1)], id="a minute after the sale"),
    ],
)
def test_coins_are_booked_as_named_only_when_the_broker_knew_at_the_sale(told_at, lots):
    memory = sent([("new", "3")])
    (one,) = told_of(memory, WALLET)
    memory = told(memory, instruction(one, told_at=told_at))
    assert taken(booked(memory, sale("f1", "3"), WALLET)) == lots


def test_a_sale_that_nobody_told_in_time_has_lapsed_and_says_what_the_law_books():
    memory = folded(sent([("new", "3")]), sale("f1", "3"))
    (one,) = told_of(memory, ELSEWHERE, now=CLOSE)
    assert one.state == "planned"
    assert "counts until Tuesday 10 March 2026, 16:00 in New York" in one.sentence
    (one,) = told_of(memory, ELSEWHERE, now=CLOSE + MINUTE)
    assert one.state == "lapsed"
    assert "booked first in, first out" in one.sentence
    assert named(one) == [("new", 3, 210)]


def test_the_lots_named_are_written_out_although_the_booking_has_taken_them():
    memory = folded(sent([("old", "2"), ("mid", "1")]), sale("f1", "3"))
    (one,) = told_of(memory, ELSEWHERE)
    assert named(one) == [("old", 2, 100), ("mid", 1, 100)]


def test_the_first_fill_of_a_partly_filled_order_sets_the_deadline_of_all():
    memory = folded(sent([("new", "3")]), sale("f1", "1", at=MONDAY + DAY))
    memory = folded(memory, sale("f2", "1", at=MONDAY))
    (one,) = told_of(memory, ELSEWHERE)
    assert (one.sold_at, one.deadline) == (MONDAY, CLOSE)
    assert one.quantity == 3


def test_an_order_that_ended_short_names_only_what_it_sold():
    memory = folded(sent([("new", "2"), ("mid", "1")]), sale("f1", "1"))
    memory = told(memory, answer(OrderStatus.CANCELED, "1"))
    (one,) = told_of(memory, ELSEWHERE)
    assert named(one) == [("new", 1, 70)]


def test_an_order_that_sold_nothing_asks_for_no_word():
    memory = told(sent([("new", "2")]), answer(OrderStatus.EXPIRED, "0"))
    assert told_of(memory, ELSEWHERE) == ()


def test_settlement_later_than_the_rule_gives_no_more_time():
    late = replace(sale("f1", "3"), settles_on=dt.date(2026, 3, 20))
    (one,) = told_of(folded(sent([("new", "3")]), late), ELSEWHERE)
    assert one.deadline == CLOSE


# ------------------------------------------------------------------ told after the sale, in time


def test_a_sale_is_booked_again_when_its_broker_was_told_after_it_and_in_time():
    memory = folded(folded(sent([("new", "3")]), sale("f1", "2")), sale("f2", "1"))
    assert held(memory) == {"mid": 3, "new": 3}
    after = again(memory)
    assert held(after) == {"old": 2, "mid": 4}
    assert [d.id for d in after.disposals] == ["f1/0", "f2/0"]
    assert [(d.lot_id, int(d.quantity), int(d.basis)) for d in after.disposals] == [
        ("new", 2, 140),
        ("new", 1, 70),
    ]
    assert sum(d.proceeds for d in after.disposals) == sum(d.proceeds for d in memory.disposals)
    assert after.cash == memory.cash
    assert [[pick.lot_id for pick in fact.picks] for fact in after.history[3:]] == [["new"]] * 2


def test_booking_again_changes_nothing_where_the_lots_named_are_the_oldest():
    memory = folded(sent([("old", "2"), ("mid", "1")]), sale("f1", "3"))
    assert again(memory) == knowing(memory)


@pytest.mark.parametrize("since", ["sale", "split", "files"])
def test_a_sale_that_others_stand_on_keeps_its_booking(since):
    memory = folded(sent([("new", "1")]), sale("f1", "1"))
    if since == "sale":
        memory = folded(memory, replace(sale("g1", "1", at=MONDAY + MINUTE), order_id="o2"))
    elif since == "split":
        split = Split(
            id="s", account="joint", symbol="VTI", numerator=1, denominator=1, at=MONDAY + DAY
        )
        memory = told(memory, SplitApplied(split=split, lots=tuple(memory.lots.values())))
    else:
        again_opened = AccountOpened(account="joint", lots=LOTS, cash={}, source="adopted")
        memory = told(memory, again_opened, at=MONDAY + DAY)
    assert rebooked("o1", knowing(memory), ELSEWHERE) is None


@given(
    st.permutations([("new", "3"), ("mid", "2"), ("old", "1")]),
    st.lists(st.integers(1, 3), min_size=1, max_size=4),
)
def test_a_sale_told_after_it_is_booked_as_if_it_had_been_told_before(picks, parts):
    total = 0
    before = after = sent(picks)
    before = knowing(before)
    for number, part in enumerate(parts):
        if total + part > 6:
            break
        total += part
        fill = sale(f"f{number}", str(part), at=MONDAY + number * MINUTE)
        before, after = folded(before, fill), folded(after, fill)
    after = again(after)
    assert held(after) == held(before)
    assert after.disposals == before.disposals
    assert sum(one.basis for one in after.lots.values()) + sum(
        d.basis for d in after.disposals
    ) == sum(one.basis for one in LOTS)


# ------------------------------------------------------------------ standing orders


def test_highest_cost_first_is_a_standing_order_on_the_owners_word_until_it_is_confirmed():
    account = replace(BY_HAND, relief=Relief.HIFO)
    memory = opened()
    (order,) = standing_orders(memory, [account])
    assert order.confirmed_at is None
    assert "counts from when you gave it" in order.sentence
    confirmed = StandingOrderConfirmed(
        account="joint", relief=Relief.HIFO, reference="letter", confirmed_at=MONDAY
    )
    (order,) = standing_orders(told(memory, confirmed), [account])
    assert (order.confirmed_at, order.reference) == (MONDAY, "letter")


def test_a_standing_order_is_booked_from_the_start():
    account = replace(ELSEWHERE, relief=Relief.HIFO)
    assert taken(booked(sent([]), sale("f1", "3"), account)) == [("mid", 3)]


@pytest.mark.parametrize(
    "account",
    [
        replace(BY_HAND, relief=Relief.FIFO),
        replace(BY_HAND, relief=Relief.HIFO, broker="paper"),
        replace(BY_HAND, relief=Relief.HIFO, kind=AccountKind.HSA),
    ],
    ids=["fifo", "paper", "untaxed"],
)
def test_other_accounts_have_no_standing_order_to_give(account):
    assert standing_orders(opened(), [account]) == ()


# ------------------------------------------------------------------ builders


def opened() -> Memory:
    return told(
        Memory(),
        HouseholdOpened(name="T", base_currency="USD"),
        AccountOpened(account="joint", lots=LOTS, cash={}, source="file"),
    )


def told(memory: Memory, *events: Event, at: dt.datetime = OPENED) -> Memory:
    entries = [Entry(sequence=1, at=at, cycle="c", event=event, hash="") for event in events]
    return remember(memory, entries)


def decided(picks: list[tuple[str, str]], plan: str = "plan") -> Decided:
    lots = tuple(LotPick(lot_id=name, quantity=Decimal(units)) for name, units in picks)
    trade = Trade(
        account="joint",
        symbol="VTI",
        asset_class="stocks",
        side=Side.SELL,
        quantity=sum((pick.quantity for pick in lots), Decimal(0)),
        price=Decimal(100),
        lots=lots,
    )
    bought = replace(trade, side=Side.BUY, lots=())
    made = Plan(id=plan, at=MONDAY, trades=(bought, trade), before=(), after=(), sentence="")
    return Decided(
        decision=Decision(
            at=MONDAY,
            value=Decimal(1),
            drifts=(),
            transitions=(),
            plan=made,
            allowed=(),
            evidence=(),
            held=(),
            refusals=(),
            least_deposit=None,
            sentence="",
        )
    )


def planned(picks: list[tuple[str, str]]) -> Memory:
    return told(opened(), decided(picks))


def sent(picks: list[tuple[str, str]]) -> Memory:
    lots = tuple(LotPick(lot_id=name, quantity=Decimal(units)) for name, units in picks)
    order = Order(
        id="o1",
        plan_id="p",
        account="joint",
        symbol="VTI",
        side=Side.SELL,
        quantity=sum((pick.quantity for pick in lots), Decimal(0)),
        limit=Decimal(99),
        good_until=MONDAY + DAY,
        lots=lots,
    )
    return told(opened(), OrderIntended(order=order))


def answer(status: OrderStatus, filled: str) -> OrderAnswered:
    receipt = Receipt(order_id="o1", broker_id="b", status=status, filled=Decimal(filled))
    return OrderAnswered(receipt=receipt)


def sale(name: str, quantity: str, at: dt.datetime = MONDAY) -> Fill:
    return Fill(
        id=name,
        account="joint",
        order_id="o1",
        symbol="VTI",
        side=Side.SELL,
        quantity=Decimal(quantity),
        price=Decimal(100),
        fee=Decimal("0.01"),
        at=at,
        settles_on=SETTLEMENT(trade_date(at)),
    )


def booked(memory: Memory, fill: Fill, account: Account) -> OrderFilled:
    event = book(fill, memory, account, {})
    assert isinstance(event, OrderFilled)
    return event


def folded(memory: Memory, fill: Fill, account: Account = ELSEWHERE) -> Memory:
    return told(memory, booked(memory, fill, account))


def taken(event: OrderFilled) -> list[tuple[str, int]]:
    return [(disposal.lot_id, int(disposal.quantity)) for disposal in event.disposals]


def named(sale: Identification) -> list[tuple[str, int, int]]:
    return [(one.id, int(one.quantity), int(one.basis)) for one in sale.lots]


def held(memory: Memory) -> dict[str, Decimal]:
    return {name: one.quantity for name, one in memory.lots.items()}


def told_of(
    memory: Memory, account: Account, now: dt.datetime = MONDAY
) -> tuple[Identification, ...]:
    return identifications(memory, {"joint": account}, SETTLEMENT, now)


def instruction(one: Identification, *, told_at: dt.datetime) -> LotsInstructed:
    return LotsInstructed(
        order_id=one.order_id,
        account=one.account,
        symbol=one.symbol,
        lots=one.lots,
        told_at=told_at,
        sold_at=one.sold_at,
        deadline=one.deadline,
    )


def knowing(memory: Memory) -> Memory:
    """*memory* once the owner told the broker on the evening of the sale."""
    (one,) = told_of(memory, ELSEWHERE)
    return told(memory, instruction(one, told_at=MONDAY + dt.timedelta(hours=8)))


def again(memory: Memory) -> Memory:
    memory = knowing(memory)
    event = rebooked("o1", memory, ELSEWHERE)
    return memory if event is None else told(memory, event)
