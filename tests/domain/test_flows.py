"""One meaning of a flow, for the unit value, the record of performance and what is still due."""

import datetime as dt
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from tests.houses import START

from trimtab.apps.marks import marked
from trimtab.domain.events import AccountOpened, CashMoved, Entry, Event, ValueMarked
from trimtab.domain.flows import flow_in
from trimtab.domain.memory import Memory, remember
from trimtab.domain.numbers import ONE, ZERO
from trimtab.domain.trades import CashMovement
from trimtab.domain.values import PastFlow, trade_date

AMOUNTS = st.integers(-5000, 5000).map(Decimal)
ACCOUNTS = st.sampled_from(["joint", "ira"])


def opened(account: str, flow: Decimal) -> AccountOpened:
    return AccountOpened(account=account, lots=(), cash={}, source="test", flow=flow)


def paid(account: str, amount: Decimal, at: dt.datetime, *, is_flow: bool = True) -> CashMoved:
    movement = CashMovement(
        id=f"{at.isoformat()} {amount}",
        account=account,
        currency="EUR",
        amount=amount * 2,
        at=at,
        is_flow=is_flow,
    )
    return CashMoved(movement=movement, in_base=amount)


def journal_of(events: list[tuple[dt.datetime, Event]]) -> list[Entry]:
    return [
        Entry(sequence=number, at=at, cycle="c", event=event, hash="")
        for number, (at, event) in enumerate(events, start=1)
    ]


@st.composite
def events(draw: st.DrawFn) -> list[tuple[dt.datetime, Event]]:
    """A month of edits, payments, dividends and marks; each mark tells what came in before it."""
    told: list[tuple[dt.datetime, Event]] = [
        (START, opened("joint", ZERO)),
        (START, ValueMarked(session=trade_date(START), value=ONE, flow=ZERO, unit_value=ONE)),
    ]
    since = ZERO
    for day in range(1, draw(st.integers(1, 12))):
        at = START + dt.timedelta(days=day)
        match draw(st.sampled_from(["edit", "payment", "dividend", "mark"])):
            case "edit":
                amount = draw(AMOUNTS)
                since += amount
                told.append((at, opened(draw(ACCOUNTS), amount)))
            case "payment":
                amount = draw(AMOUNTS)
                since += amount
                told.append((at, paid(draw(ACCOUNTS), amount, at)))
            case "dividend":
                told.append((at, paid(draw(ACCOUNTS), draw(AMOUNTS), at, is_flow=False)))
            case _:
                mark = ValueMarked(session=trade_date(at), value=ONE, flow=since, unit_value=ONE)
                told.append((at, mark))
                since = ZERO
    return told


@given(events=events())
def test_unit_value_performance_and_what_is_due_count_the_same_flows(events):
    entries = journal_of(events)
    memory = remember(Memory(), entries)
    flows = [flow for one in entries if (flow := flow_in(one.event, one.at))]
    points = [one.point for one in marked(entries)]
    counted = sum(flow.amount for point in points for flow in point.flows)
    total = sum((flow.amount for flow in flows), ZERO)
    assert Decimal(counted) + memory.pending_flow == total
    known, payments = {"joint"}, []
    for one in entries:
        flow = flow_in(one.event, one.at)
        is_new = isinstance(one.event, AccountOpened) and one.event.account not in known
        if flow is not None and not is_new:
            payments.append(flow)
        if isinstance(one.event, AccountOpened):
            known.add(one.event.account)
    assert memory.flows == tuple(payments)
    assert {*memory.paid_in(), *memory.taken_out()} == {one for one in payments if one.amount}


def test_a_flow_has_its_account_its_own_day_and_its_worth_in_the_base_currency():
    late = START + dt.timedelta(days=3)
    assert flow_in(paid("ira", Decimal(-40), START), late) == PastFlow(
        account="ira", date=trade_date(START), amount=Decimal(-40)
    )
    assert flow_in(opened("ira", Decimal(70)), late) == PastFlow(
        account="ira", date=trade_date(late), amount=Decimal(70)
    )


def test_a_dividend_and_an_edit_that_changes_no_value_are_no_flow():
    assert flow_in(paid("ira", Decimal(9), START, is_flow=False), START) is None
    assert flow_in(opened("ira", ZERO), START) is None


def test_an_account_taken_over_is_a_flow_of_the_household_and_no_payment_into_it():
    memory = remember(Memory(), journal_of([(START, opened("ira", Decimal(90_000)))]))
    assert memory.pending_flow == 90_000
    assert memory.flows == ()
    memory = remember(memory, journal_of([(START, opened("ira", Decimal(-3)))]))
    assert [one.amount for one in memory.taken_out()] == [-3]


def test_an_account_is_followed_from_the_day_on_which_it_was_first_taken_over():
    again = START + dt.timedelta(days=5)
    told = [(START, opened("joint", ZERO)), (again, opened("joint", Decimal(-700)))]
    memory = remember(Memory(), journal_of([*told, (again, opened("ira", ZERO))]))
    assert memory.taken_over == {"joint": trade_date(START), "ira": trade_date(again)}
    assert memory.opened_at == {"joint": again, "ira": again}
