"""An edited policy waits; a tighter gate does not; nothing gets around the waiting."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import fields, replace

from trimtab.domain.events import Entry, Event, PolicyAdopted, PolicyProposed, PolicyWithdrawn
from trimtab.domain.memory import Memory, remember
from trimtab.domain.policy import (
    BandRule,
    ClassRule,
    DefensiveRule,
    GateRule,
    OrderRule,
    PlanRule,
    Policy,
    PrecommitmentRule,
    ReserveRule,
)
from trimtab.rules.precommitment import (
    TIGHTER,
    changes,
    only_tightens,
    policy_digest,
    policy_next,
    review,
)

MONDAY = dt.datetime(2026, 3, 9, 15, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)

CALM = Policy(
    classes={
        "stocks": ClassRule(target=Decimal("0.60"), members=("VTI",)),
        "bonds": ClassRule(target=Decimal("0.40"), members=("BND",), risk="safe"),
    },
    precommitment=PrecommitmentRule(cooling_off_hours=72),
)


def with_targets(stocks: str, bonds: str) -> Policy:
    return replace(
        CALM,
        classes={
            "stocks": replace(CALM.classes["stocks"], target=Decimal(stocks)),
            "bonds": replace(CALM.classes["bonds"], target=Decimal(bonds)),
        },
    )


def with_yield(ordinary: str) -> Policy:
    bonds = replace(CALM.classes["bonds"], ordinary_yield=Decimal(ordinary))
    return replace(CALM, classes=CALM.classes | {"bonds": bonds})


PANIC = with_targets("0.10", "0.90")
DOUBT = with_targets("0.50", "0.50")
TIGHT = replace(CALM, gates=GateRule(turnover_max=Decimal("0.10")))


def after(memory: Memory, events: tuple[Event, ...], at: dt.datetime) -> Memory:
    rows = [
        Entry(sequence=memory.entries + n, at=at, cycle="c", event=event, hash="")
        for n, event in enumerate(events, start=1)
    ]
    return remember(memory, rows)


def looked(memory: Memory, wanted: Policy, at: dt.datetime) -> Memory:
    """The memory after one look at a file that asks for *wanted*."""
    return after(memory, review(memory, wanted, at), at)


AGREED = looked(Memory(), CALM, MONDAY)


# ------------------------------------------------------------------------------- the digest


def test_a_digest_is_sixteen_hexadecimal_digits():
    assert len(policy_digest(CALM)) == 16
    assert int(policy_digest(CALM), 16) >= 0


def test_a_digest_does_not_depend_on_the_order_of_tables():
    turned = replace(CALM, classes=dict(reversed(CALM.classes.items())))
    assert list(turned.classes) != list(CALM.classes)
    assert policy_digest(turned) == policy_digest(CALM)
    assert changes(CALM, turned) == ()


def test_a_digest_does_not_depend_on_trailing_zeros():
    assert policy_digest(with_targets("0.6", "0.400")) == policy_digest(CALM)


def test_a_digest_depends_on_the_last_digit_of_a_target():
    barely = with_targets("0.600000000000000001", "0.399999999999999999")
    assert policy_digest(barely) != policy_digest(CALM)


def test_a_digest_depends_on_which_member_is_preferred():
    stocks = replace(CALM.classes["stocks"], members=("VTI", "ITOT"))
    other = replace(stocks, members=("ITOT", "VTI"))
    first = replace(CALM, classes={"stocks": stocks})
    assert policy_digest(first) != policy_digest(replace(CALM, classes={"stocks": other}))


def test_opening_an_account_without_a_reserve_is_a_fact_and_no_change_of_policy():
    opened = replace(CALM, cash_reserves={"new": Decimal(0)})
    assert policy_digest(opened) == policy_digest(CALM)
    assert review(AGREED, opened, MONDAY + HOUR) == ()


# ------------------------------------------------------------------------------ the changes


@pytest.mark.parametrize(
    ("new", "sentence"),
    [
        (DOUBT, "The target of class stocks goes from 60 % to 50 %."),
        (
            replace(CALM, classes={"stocks": CALM.classes["stocks"]}),
            "Class bonds goes away; it had target 0.4, members BND and risk safe.",
        ),
        (
            replace(
                CALM,
                classes=CALM.classes | {"gold": ClassRule(target=Decimal(0), members=("IAU",))},
            ),
            "Class gold is new, with target 0, members IAU and risk risky.",
        ),
        (
            replace(CALM, cash_reserves={"joint": Decimal(5000)}),
            "The cash kept in account joint goes from 0 to 5000.",
        ),
        (
            replace(CALM, precommitment=PrecommitmentRule(cooling_off_hours=0)),
            "The cooling-off of later edits goes from 72 to 0 hours.",
        ),
        (
            replace(CALM, bands=BandRule(preset="daryanani")),
            "bands.preset goes from swedroe-5-25 to daryanani.",
        ),
        (
            replace(CALM, orders=OrderRule(no_sell=("VTI", "BND"))),
            "orders.no_sell goes from none to VTI and BND.",
        ),
        (
            replace(CALM, defensive=DefensiveRule(targets={"bonds": Decimal(1)})),
            "defensive.targets.bonds goes from not set to 1.",
        ),
        (
            with_yield("0.04"),
            "The ordinary yield of class bonds goes from 0 % to 4 %.",
        ),
        (
            replace(CALM, plan=PlanRule(holdings_max={"VTI": Decimal("0.5")})),
            "plan.holdings_max.VTI goes from not set to 0.5.",
        ),
        (
            replace(CALM, plan=PlanRule(harvests="always")),
            "plan.harvests goes from with_trades to always.",
        ),
        (TIGHT, "gates.turnover_max goes from 0.3 to 0.1 (tighter)."),
    ],
)
def test_a_change_is_told_in_one_plain_sentence(new, sentence):
    assert sentence in [change.sentence for change in changes(CALM, new)]


def test_a_new_reserve_is_one_change_with_all_that_it_says():
    (change,) = changes(
        CALM, replace(CALM, reserve=ReserveRule(monthly_costs=Decimal(9), account="a"))
    )
    assert change.before == "not set"
    assert change.after == (
        "monthly_costs 9, account a, months 6, monthly_income 0, growth 0, income_haircut 0, "
        "bills none, rate 0 and timing begin"
    )


def test_a_change_names_its_path_and_both_sides():
    (change,) = changes(CALM, TIGHT)
    assert (change.path, change.before, change.after) == ("gates.turnover_max", "0.3", "0.1")


@pytest.mark.parametrize(
    ("before", "after_", "tightens"),
    [
        (GateRule(), GateRule(spread_max_bps=Decimal(20)), True),
        (GateRule(), GateRule(spread_max_bps=Decimal(51)), False),
        (GateRule(), GateRule(orders_max=9), True),
        (GateRule(), GateRule(orders_max=100), False),
        (GateRule(), GateRule(quote_age_max_minutes=5), True),
        (GateRule(), GateRule(notional_max=Decimal(10_000)), True),
        (GateRule(notional_max=Decimal(10_000)), GateRule(), False),
        (GateRule(notional_max=Decimal(9_000)), GateRule(notional_max=Decimal(10_000)), False),
        (GateRule(), GateRule(market_index="VTI"), True),
        (GateRule(market_index="VTI"), GateRule(market_index="BND"), False),
        (GateRule(market_index="VTI"), GateRule(), False),
    ],
)
def test_a_gate_tightens_in_its_own_direction(before, after_, tightens):
    found = changes(replace(CALM, gates=before), replace(CALM, gates=after_))
    assert only_tightens(found) is tightens


def test_the_table_of_directions_covers_every_gate():
    assert {path.removeprefix("gates.") for path in TIGHTER} == {f.name for f in fields(GateRule)}


def test_a_lower_limit_on_falls_holds_at_once_where_it_only_stops_purchases():
    lower = replace(CALM, gates=GateRule(fall_from_peak_max=Decimal("0.01")))
    assert only_tightens(changes(CALM, lower))


def test_a_lower_limit_on_falls_waits_where_tripping_it_would_sell():
    posture = DefensiveRule(posture="targets", targets={"stocks": Decimal(0), "bonds": Decimal(1)})
    selling = replace(CALM, defensive=posture)
    for gates in (
        GateRule(fall_from_peak_max=Decimal("0.01")),
        GateRule(fall_daily_max=Decimal("0.01")),
    ):
        assert not only_tightens(changes(selling, replace(selling, gates=gates)))


def test_one_loosening_among_tightenings_makes_the_whole_edit_wait():
    mixed = replace(CALM, gates=GateRule(orders_max=9, spread_max_bps=Decimal(80)))
    assert not only_tightens(changes(CALM, mixed))
    (event,) = review(AGREED, mixed, MONDAY)
    assert isinstance(event, PolicyProposed)


# ------------------------------------------------------------------------------- the review


def test_the_first_policy_is_adopted_at_once():
    (event,) = review(Memory(), CALM, MONDAY)
    assert isinstance(event, PolicyAdopted)
    assert (event.policy, event.digest) == (CALM, policy_digest(CALM))


def test_the_policy_in_force_asks_for_nothing():
    assert review(AGREED, CALM, MONDAY + HOUR) == ()


def test_an_edit_is_proposed_with_its_changes_and_the_hour_it_comes_into_force():
    (event,) = review(AGREED, PANIC, MONDAY)
    assert isinstance(event, PolicyProposed)
    assert event.effective_at == MONDAY + 72 * HOUR
    assert event.changes == (
        "The target of class bonds goes from 40 % to 90 %.",
        "The target of class stocks goes from 60 % to 10 %.",
    )


def test_a_proposal_waits_to_its_last_second_and_is_then_adopted():
    memory = looked(AGREED, PANIC, MONDAY)
    assert review(memory, PANIC, MONDAY + 72 * HOUR - dt.timedelta(seconds=1)) == ()
    (event,) = review(memory, PANIC, MONDAY + 72 * HOUR)
    assert isinstance(event, PolicyAdopted)
    assert event.because == "Its cooling-off ended on 2026-03-12 15:00 UTC."


def test_another_edit_starts_the_waiting_anew():
    memory = looked(AGREED, PANIC, MONDAY)
    (event,) = review(memory, DOUBT, MONDAY + 71 * HOUR)
    assert isinstance(event, PolicyProposed)
    assert event.effective_at == MONDAY + (71 + 72) * HOUR


def test_taking_the_edit_back_withdraws_the_proposal():
    memory = looked(AGREED, PANIC, MONDAY)
    (event,) = review(memory, CALM, MONDAY + HOUR)
    assert event == PolicyWithdrawn(digest=policy_digest(PANIC))
    assert looked(memory, CALM, MONDAY + HOUR).proposed is None


def test_a_proposal_whose_time_has_come_counts_for_nothing_when_the_file_says_otherwise():
    memory = looked(AGREED, PANIC, MONDAY)
    late = MONDAY + 500 * HOUR
    (event,) = review(memory, DOUBT, late)
    assert isinstance(event, PolicyProposed)
    assert event.effective_at == late + 72 * HOUR
    assert isinstance(review(memory, CALM, late)[0], PolicyWithdrawn)


def test_a_tighter_gate_holds_at_once_and_says_why():
    (event,) = review(AGREED, TIGHT, MONDAY + HOUR)
    assert isinstance(event, PolicyAdopted)
    assert event.because == (
        "It only tightens the gates: gates.turnover_max goes from 0.3 to 0.1 (tighter)."
    )


def test_loosening_a_gate_again_waits():
    memory = looked(AGREED, TIGHT, MONDAY)
    assert isinstance(review(memory, CALM, MONDAY + HOUR)[0], PolicyProposed)


def test_a_shorter_cooling_off_waits_for_the_long_one():
    hasty = replace(CALM, precommitment=PrecommitmentRule(cooling_off_hours=1))
    memory = looked(AGREED, hasty, MONDAY)
    assert memory.proposed is not None
    assert memory.proposed.effective_at == MONDAY + 72 * HOUR
    memory = looked(memory, replace(PANIC, precommitment=hasty.precommitment), MONDAY + 2 * HOUR)
    assert memory.policy == CALM
    assert memory.proposed is not None
    assert memory.proposed.effective_at == MONDAY + 74 * HOUR


def test_a_household_that_agreed_on_no_cooling_off_gets_none():
    free = replace(CALM, precommitment=PrecommitmentRule(cooling_off_hours=0))
    memory = looked(looked(Memory(), free, MONDAY), PANIC, MONDAY + HOUR)
    assert memory.policy == PANIC


def test_a_policy_from_an_older_journal_is_compared_by_what_it_says_not_by_its_old_digest():
    old = replace(AGREED, policy_digest="written before a field was added")
    assert review(old, CALM, MONDAY + HOUR) == ()


POLICIES = st.sampled_from(
    [
        CALM,
        PANIC,
        DOUBT,
        TIGHT,
        replace(TIGHT, gates=GateRule(turnover_max=Decimal("0.10"), orders_max=5)),
        replace(CALM, gates=GateRule(turnover_max=Decimal("0.90"))),
        replace(CALM, precommitment=PrecommitmentRule(cooling_off_hours=5)),
        replace(PANIC, precommitment=PrecommitmentRule(cooling_off_hours=200)),
    ]
)
LOOKS = st.lists(st.tuples(st.integers(1, 100), POLICIES), min_size=1, max_size=25)


@given(LOOKS)
def test_nothing_but_a_tighter_gate_is_in_force_before_the_file_asked_for_it_all_the_while(looks):
    memory, now = AGREED, MONDAY
    asked_since, last_wanted = MONDAY, CALM
    for hours, wanted in looks:
        now += hours * HOUR
        if wanted != last_wanted:
            asked_since, last_wanted = now, wanted
        before = memory.policy
        assert before is not None
        memory = looked(memory, wanted, now)
        if memory.policy != before:
            assert memory.policy == wanted
            waited = now - asked_since
            agreed = dt.timedelta(hours=before.precommitment.cooling_off_hours)
            assert only_tightens(changes(before, wanted)) or waited >= agreed


@given(LOOKS)
def test_what_the_file_goes_on_asking_for_comes_into_force_when_the_waiting_is_over(looks):
    memory, now = AGREED, MONDAY
    for hours, wanted in looks:
        now += hours * HOUR
        memory = looked(memory, wanted, now)
    wanted = looks[-1][1]
    memory = looked(memory, wanted, now + 200 * HOUR)
    assert memory.policy == wanted
    assert memory.proposed is None
    assert review(memory, wanted, now + 201 * HOUR) == ()


@given(LOOKS, st.sampled_from([Memory(), AGREED]))
def test_the_next_policy_is_always_the_one_that_the_next_turn_finds(looks, memory):
    now = MONDAY
    for hours, wanted in looks:
        now += hours * HOUR
        expected = policy_next(memory, wanted, now)
        memory = looked(memory, wanted, now)
        assert memory.policy == expected


@given(LOOKS, POLICIES)
def test_reverting_to_what_is_in_force_always_leaves_no_proposal(looks, wanted):
    memory, now = AGREED, MONDAY
    for hours, each in [*looks, (1, wanted)]:
        now += hours * HOUR
        memory = looked(memory, each, now)
    in_force = memory.policy
    assert in_force is not None
    reverted = looked(memory, in_force, now + HOUR)
    assert reverted.proposed is None
    assert reverted.policy == in_force


@given(LOOKS, st.integers(1, 39))
def test_a_tighter_gate_is_always_immediate(looks, orders_max):
    memory, now = AGREED, MONDAY
    for hours, each in looks:
        now += hours * HOUR
        memory = looked(memory, each, now)
    in_force = memory.policy
    assert in_force is not None
    fewer = min(orders_max, in_force.gates.orders_max)
    tighter = replace(in_force, gates=replace(in_force.gates, orders_max=fewer))
    assert looked(memory, tighter, now + HOUR).policy == tighter


PLANS = [
    PlanRule(drift_price=Decimal("0.01")),
    PlanRule(drift_price=Decimal("0.50")),
    PlanRule(order_cost=Decimal(20)),
    PlanRule(sell_least=Decimal(500)),
    PlanRule(location_years=0),
    PlanRule(raise_cash_days=1),
    PlanRule(harvests="never"),
    PlanRule(harvests="always"),
    PlanRule(holdings_max={"VTI": Decimal("0.10")}),
]


@pytest.mark.parametrize("plan", PLANS, ids=str)
def test_every_edit_of_the_plan_waits_in_both_directions(plan):
    edited = replace(CALM, plan=plan)
    for before, wanted in ((CALM, edited), (edited, CALM)):
        memory = looked(Memory(), before, MONDAY)
        (event,) = review(memory, wanted, MONDAY + HOUR)
        assert isinstance(event, PolicyProposed)
        assert event.effective_at == MONDAY + 73 * HOUR


def test_the_plans_that_wait_are_of_every_field():
    at_rest = PlanRule()
    told = {
        field.name
        for plan in PLANS
        for field in fields(PlanRule)
        if getattr(plan, field.name) != getattr(at_rest, field.name)
    }
    assert told == {field.name for field in fields(PlanRule)}


def test_a_yield_of_a_class_waits_like_its_target():
    (event,) = review(AGREED, with_yield("0.04"), MONDAY + HOUR)
    assert isinstance(event, PolicyProposed)


def test_a_class_without_a_yield_has_the_digest_of_one_that_says_zero():
    assert policy_digest(with_yield("0.00")) == policy_digest(CALM)


def test_other_market_hours_for_an_instrument_wait_like_any_other_rule():
    policy = with_targets("0.60", "0.40")
    open_always = replace(policy, calendars={"VTI": "24/7"})
    found = changes(policy, open_always)
    assert [change.path for change in found] == ["calendars.VTI"]
    assert not only_tightens(found)
    older = replace(policy, stale_after_days=90_000)
    assert not only_tightens(changes(policy, older))
