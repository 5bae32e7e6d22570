"""The journal's facts: folded in parts or whole they say the same, and every kind comes back."""

import datetime as dt
from decimal import Decimal
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.houses import START, TOML, lot

from trimtab.domain.events import (
    AccountOpened,
    BandsMoved,
    BreakerRearmed,
    BreakerTripped,
    CashMoved,
    ContributionMet,
    CycleEnded,
    CycleFailed,
    CycleStarted,
    Decided,
    DiscrepancyCleared,
    DiscrepancyFound,
    Entry,
    Event,
    HouseholdOpened,
    LotsConfirmed,
    LotsInstructed,
    OrderAnswered,
    OrderFilled,
    OrderIntended,
    Paused,
    PolicyAdopted,
    PolicyProposed,
    PolicyWithdrawn,
    Resumed,
    SaleRebooked,
    SalesRecorded,
    SplitApplied,
    StandingOrderConfirmed,
    StrategyRearmed,
    ValueMarked,
)
from trimtab.domain.household import decode_household
from trimtab.domain.incoming import PastContribution
from trimtab.domain.memory import Memory, Unsettled, remember, unsettled_after
from trimtab.domain.numbers import ONE, ZERO
from trimtab.domain.policy import PlanRule
from trimtab.domain.trades import (
    BandState,
    BandTransition,
    CashMovement,
    Decision,
    Discrepancy,
    Disposal,
    Drift,
    Evidence,
    Fill,
    Held,
    LotPick,
    Order,
    OrderStatus,
    Plan,
    Receipt,
    Refusal,
    Side,
    Split,
    Term,
    Trade,
)
from trimtab.domain.values import Relief

POLICY = decode_household(TOML).policy()
LOT = lot("taxable", "VTI", "10", "1000.10", "2024-01-02", "l1")
TRADE = Trade(
    account="taxable",
    symbol="VTI",
    asset_class="stocks",
    side=Side.SELL,
    quantity=Decimal(4),
    price=Decimal("99.99"),
    lots=(LotPick(lot_id="l1", quantity=Decimal(4)),),
    reason="stocks is heavy.",
)
DRIFT = Drift(
    asset_class="stocks",
    target=Decimal("0.55"),
    value=Decimal(1000),
    weight=Decimal("0.7"),
    drift=Decimal("0.15"),
    half_width=Decimal("0.05"),
    is_breached=True,
)
OPENS = BandTransition(
    asset_class="stocks",
    before=BandState.ARMED,
    after=BandState.CORRECTING,
    drift=Decimal("0.15"),
    alert=True,
    sentence="stocks is 70 %.",
)
ENDS = BandTransition(
    asset_class="stocks",
    before=BandState.CORRECTING,
    after=BandState.ARMED,
    drift=ZERO,
    alert=False,
    sentence="stocks is back.",
)
DECISION = Decision(
    at=START,
    value=Decimal("1234.56"),
    drifts=(DRIFT,),
    transitions=(OPENS,),
    plan=Plan(
        id="p", at=START, trades=(TRADE,), before=(DRIFT,), after=(DRIFT,), sentence="1 trade."
    ),
    allowed=(TRADE,),
    evidence=(Evidence(gate="hours", passed=True, sentence="Open.", figures={"opens": "9:30"}),),
    held=(Held(gate="pause", sentence="Paused."),),
    refusals=(Refusal(asset_class="bonds", sentence="No cash."),),
    least_deposit=Decimal("0.01"),
    sentence="1 trade.",
)
DISPOSAL = Disposal(
    id="f1/0",
    account="taxable",
    symbol="VTI",
    lot_id="l1",
    quantity=Decimal(4),
    acquired=dt.date(2024, 1, 2),
    holding_since=dt.date(2024, 1, 2),
    sold=dt.date(2026, 3, 9),
    proceeds=Decimal("399.96"),
    basis=Decimal("400.04"),
    term=Term.LONG,
    is_taxed=True,
    order_id="o1",
)
REBOOKED = msgspec.structs.replace(DISPOSAL, basis=Decimal("400.00"), piece="w1")
LEFT = lot("taxable", "VTI", "6", "600.10", "2024-01-02", "l1")
ORDER = Order(
    id="o1",
    plan_id="p",
    account="taxable",
    symbol="VTI",
    side=Side.SELL,
    quantity=Decimal(4),
    limit=Decimal("99.89"),
    good_until=START,
    lots=(LotPick(lot_id="l1", quantity=Decimal(4)),),
)
DISCREPANCY = Discrepancy(
    kind="cash-differs",
    account="taxable",
    subject="USD",
    expected="1",
    found="2",
    sentence="They differ.",
)


def _fill(name: str, side: Side) -> Fill:
    return Fill(
        id=name,
        account="taxable",
        order_id="o1",
        symbol="VTI",
        side=side,
        quantity=Decimal(4),
        price=Decimal("99.99"),
        fee=Decimal("0.10"),
        at=START,
        settles_on=dt.date(2026, 3, 10),
    )


LIFE: tuple[Event, ...] = (
    HouseholdOpened(name="Test", base_currency="USD"),
    SalesRecorded(disposals=(DISPOSAL,), source="file"),
    AccountOpened(
        account="taxable", lots=(LOT,), cash={"USD": Decimal(500)}, source="file", seen=("x",)
    ),
    AccountOpened(account="ira", lots=(), cash={}, source="file"),
    PolicyAdopted(policy=POLICY, digest="d1", because="the first"),
    PolicyProposed(policy=POLICY, digest="d2", effective_at=START, changes=("less gold",)),
    PolicyWithdrawn(digest="d2"),
    Paused(because="a holiday"),
    Resumed(because="we are back"),
    CycleStarted(number=1, executes=True),
    CashMoved(
        movement=CashMovement(
            id="c1", account="ira", currency="EUR", amount=Decimal(5), at=START, is_flow=True
        ),
        in_base=Decimal("5.5"),
    ),
    Decided(decision=DECISION),
    ValueMarked(
        session=dt.date(2026, 3, 9), value=Decimal(1500), flow=Decimal("5.5"), unit_value=ONE
    ),
    OrderIntended(order=ORDER),
    OrderAnswered(receipt=Receipt(order_id="o1", broker_id="b1", status=OrderStatus.WORKING)),
    OrderFilled(fill=_fill("f1", Side.SELL), disposals=(DISPOSAL,)),
    LotsInstructed(
        order_id="o1",
        account="taxable",
        symbol="VTI",
        lots=(msgspec.structs.replace(LOT, quantity=Decimal(4), basis=Decimal("400.04")),),
        told_at=START,
        sold_at=START,
        deadline=START,
    ),
    SaleRebooked(
        order_id="o1", account="taxable", symbol="VTI", disposals=(REBOOKED,), lots=(LEFT,)
    ),
    LotsConfirmed(order_id="o1", reference="a letter", confirmed_at=START),
    StandingOrderConfirmed(
        account="taxable", relief=Relief.HIFO, reference="a letter", confirmed_at=START
    ),
    OrderAnswered(
        receipt=Receipt(order_id="o1", broker_id="", status=OrderStatus.FILLED, filled=Decimal(4))
    ),
    OrderFilled(
        fill=_fill("f2", Side.BUY), lot=lot("taxable", "VTI", "4", "400.06", "2026-03-09", "f2")
    ),
    BandsMoved(transitions=(ENDS,)),
    SplitApplied(
        split=Split(id="s1", account="taxable", symbol="VTI", numerator=2, denominator=1, at=START),
        lots=(lot("taxable", "VTI", "20", "1000.12", "2024-01-02", "l1"),),
    ),
    BreakerTripped(rule="breaker", sentence="it fell"),
    BreakerRearmed(because="I looked", unit_value=Decimal("0.8")),
    StrategyRearmed(strategy="cppi", because="we can bear it"),
    ContributionMet(
        account="taxable",
        contribution=PastContribution(
            day=START.date(), amount=Decimal("500.25"), withheld=Decimal(10)
        ),
    ),
    DiscrepancyFound(discrepancies=(DISCREPANCY,)),
    DiscrepancyCleared(account="taxable", because="they agree"),
    CycleEnded(outcome="executed", sentence="Done.", next_look=START),
    CycleStarted(number=2, executes=False),
    CycleFailed(sentence="no line", retry_at=START),
)
"""A household's life in which every kind of event happens."""


def test_every_kind_of_event_happens_in_the_life_that_these_tests_tell():
    assert {type(event) for event in LIFE} == set(get_args(Event))


@pytest.mark.parametrize(
    "event",
    [pytest.param(event, id=f"{at}-{type(event).__name__}") for at, event in enumerate(LIFE)],
)
@pytest.mark.parametrize("decimals", ["string", "number"])
def test_an_event_that_is_written_and_read_is_the_same_to_the_last_digit(event, decimals):
    decimal_format: Any = decimals
    written = msgspec.json.encode(event)
    encoder = msgspec.json.Encoder(decimal_format=decimal_format)
    decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
    assert decoder.decode(written) == event
    assert decoder.decode(encoder.encode(event)) == event
    assert msgspec.json.decode(written)["kind"] == type(event).__struct_config__.tag


def test_a_policy_from_before_the_plan_and_the_yields_reads_as_one_that_says_nothing_of_them():
    adopted = PolicyAdopted(policy=POLICY, digest="d", because="first")
    written = msgspec.json.decode(msgspec.json.encode(adopted))
    del written["policy"]["plan"]
    for rule in written["policy"]["classes"].values():
        del rule["ordinary_yield"], rule["qualified_yield"]
    decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
    assert decoder.decode(msgspec.json.encode(written)) == adopted


def test_a_policy_with_a_plan_and_yields_comes_back_from_the_journal():
    plan = PlanRule(drift_price=Decimal("0.05"), holdings_max={"VTI": Decimal("0.10")})
    bonds = msgspec.structs.replace(POLICY.classes["bonds"], ordinary_yield=Decimal("0.040"))
    classes = POLICY.classes | {"bonds": bonds}
    policy = msgspec.structs.replace(POLICY, plan=plan, classes=classes)
    event = PolicyAdopted(policy=policy, digest="d", because="edited")
    decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
    assert decoder.decode(msgspec.json.encode(event)) == event


@given(st.integers(0, len(LIFE)), st.integers(0, len(LIFE)))
def test_folding_a_journal_in_parts_or_at_once_gives_the_same_memory(first, second):
    entries, (start, end) = _entries(), sorted((first, second))
    in_parts = Memory()
    for part in (entries[:start], entries[start:end], entries[end:]):
        in_parts = remember(in_parts, part)
    assert in_parts == remember(Memory(), entries)


@pytest.mark.parametrize("count", range(len(LIFE)))
def test_remembering_one_thing_more_leaves_the_memory_before_as_it_was(count):
    before = remember(Memory(), _entries()[:count])
    kept = msgspec.structs.replace(before)
    kept_parts = {
        name: dict(part) if isinstance(part := getattr(before, name), dict) else part
        for name in Memory.__struct_fields__
    }
    remember(before, _entries()[count:])
    assert before == kept
    assert {name: getattr(before, name) for name in Memory.__struct_fields__} == kept_parts


def test_what_a_household_remembers_of_its_life():
    memory = remember(Memory(), _entries())
    assert {name: one.quantity for name, one in memory.lots.items()} == {"l1": Decimal(20)}
    assert memory.cash == {
        ("taxable", "USD"): Decimal("499.80"),
        ("ira", "EUR"): Decimal(5),
    }
    assert (memory.cycles, memory.failures, memory.last_outcome) == (2, 1, "failed")
    assert (memory.paused, memory.proposed, memory.breaker) == (None, None, None)
    assert (memory.peak, memory.pending_flow) == (Decimal("0.8"), ZERO)
    assert memory.open_orders() == ()
    assert (memory.orders["o1"].broker_id, memory.orders["o1"].outstanding) == ("b1", ZERO)
    assert set(memory.seen) == {
        ("taxable", "x"),
        ("ira", "c1"),
        ("taxable", "f1"),
        ("taxable", "f2"),
        ("taxable", "s1"),
    }
    assert memory.bands["stocks"].state is BandState.ARMED
    assert memory.bands["stocks"].ended_at == _at(_when(BandsMoved))
    assert memory.entries == len(LIFE)


def test_an_account_opened_again_replaces_what_was_known_of_it_and_of_no_other():
    again = AccountOpened(account="taxable", lots=(), cash={"USD": ONE}, source="adopted")
    before = remember(Memory(), _entries()[:11])
    memory = remember(before, [_entry(again, 12)])
    assert memory.lots == {}
    assert memory.cash == {("taxable", "USD"): ONE, ("ira", "EUR"): Decimal(5)}


def test_a_fill_that_takes_part_of_a_lot_leaves_the_rest_with_its_basis():
    memory = remember(Memory(), _entries()[:16])
    left = memory.lots["l1"]
    assert (left.quantity, left.basis) == (Decimal(6), Decimal("600.06"))
    assert [waiting.amount for waiting in memory.unsettled] == [Decimal("399.86")]


def test_a_purchase_uses_settled_cash_first_and_its_own_money_does_not_settle_proceeds():
    sold = [Unsettled(account="taxable", amount=Decimal(400), settles_on=dt.date(2026, 3, 10))]
    bought = _fill("f9", Side.BUY)
    assert unsettled_after(sold, bought, Decimal(700)) == tuple(sold)
    assert unsettled_after(sold, bought, Decimal(400)) == tuple(sold)
    (left,) = unsettled_after(sold, bought, Decimal(150))
    assert left.amount == 150
    assert unsettled_after(sold, bought, ZERO) == ()


def test_what_one_account_buys_spends_no_proceeds_of_another():
    waiting = (Unsettled(account="ira", amount=Decimal(400), settles_on=dt.date(2026, 3, 10)),)
    assert unsettled_after(waiting, _fill("f9", Side.BUY), ZERO) == waiting


def test_a_lot_that_would_be_sold_twice_stops_the_fold():
    twice = OrderFilled(
        fill=_fill("f3", Side.SELL),
        disposals=(msgspec.structs.replace(DISPOSAL, quantity=Decimal(11)),),
    )
    memory = remember(Memory(), _entries()[:11])
    with pytest.raises(AssertionError, match="l1 was sold twice"):
        remember(memory, [_entry(twice, 12)])


def test_a_final_answer_about_an_order_is_never_taken_back():
    late = OrderAnswered(receipt=Receipt(order_id="o1", broker_id="", status=OrderStatus.UNKNOWN))
    memory = remember(remember(Memory(), _entries()), [_entry(late, 99)])
    assert memory.orders["o1"].status is OrderStatus.FILLED


def test_a_sale_that_is_booked_again_changes_its_lots_in_the_log_and_in_the_tax_history():
    again = _when(SaleRebooked)
    memory = remember(Memory(), _entries()[: again + 1])
    assert [sale for sale in memory.disposals if sale.order_id] == [REBOOKED]
    assert [fact.picks[0].piece for fact in memory.history if fact.order_id == "o1"] == ["w1"]
    assert memory.lots == {"l1": LEFT}
    before = remember(Memory(), _entries()[:again])
    assert memory.cash == before.cash
    assert len(memory.history) == len(before.history)


def test_what_a_broker_was_told_and_has_confirmed_is_remembered_by_sale_and_by_account():
    memory = remember(Memory(), _entries())
    assert memory.instructions["o1"].told_at == START
    assert memory.confirmations["o1"].reference == "a letter"
    assert memory.standing_orders["taxable"].relief is Relief.HIFO
    assert [fill.id for fill in memory.orders["o1"].fills] == ["f1", "f2"]


def _when(kind: type) -> int:
    """The place in LIFE of the one event of that kind."""
    (place,) = [at for at, event in enumerate(LIFE) if isinstance(event, kind)]
    return place


def _entries() -> list[Entry]:
    return [_entry(event, number) for number, event in enumerate(LIFE)]


def _entry(event: Event, number: int) -> Entry:
    return Entry(sequence=number + 1, at=_at(number), cycle="c", event=event, hash="")


def _at(number: int) -> dt.datetime:
    return START + dt.timedelta(minutes=number)
