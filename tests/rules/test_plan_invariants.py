"""Laws of any best plan: more freedom never costs more, and ten times the money moves ten times.

A bound is what every plan must cost at least. So where one household may do all that another may,
at no higher price, the bound of the first is never above what the plan of the other costs. That
holds to a hundredth of a cent, whatever steps and smallest orders made of either plan.
"""

from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.rules.homes import STATUTES, Home, homes
from tests.rules.plan_homes import (
    BONDS,
    COUPLE,
    STOCKS,
    about,
    held,
    household,
    moved,
    plan_of,
    prepared,
)

from trimtab.domain.law import Statutes
from trimtab.domain.numbers import CENT, ONE, ZERO, Weight
from trimtab.domain.policy import ClassRule, FlowRule, HarvestRule, PlanRule
from trimtab.domain.trades import Certificate
from trimtab.domain.values import InstrumentKind, Snapshot
from trimtab.rules.cycle import decide
from trimtab.rules.holdings import holdings
from trimtab.rules.plan import Planning, make_plan
from trimtab.rules.plan.calls import calls_of
from trimtab.rules.plan.check import faults

some = settings(max_examples=30, suppress_health_check=list(HealthCheck))
HUNDREDTH_OF_A_CENT = Decimal("0.0002")
"""Two certificates are rounded to a hundredth of a cent each."""

Change = Callable[[Snapshot, Planning], tuple[Snapshot, Planning]]


def _proofs(home: Home, change: Change) -> tuple[Certificate, Certificate]:
    """What the plan of *home* costs, and that of *home* with the *change*; both want the same."""
    home = home._replace(harvest=HarvestRule(minimum=ZERO))
    assume(not holdings(home.snapshot, home.policy).short)
    snapshot, planning = prepared(home)
    freer = change(snapshot, planning)
    calls = [
        calls_of(*one, holdings(one[0], one[1].policy)) for one in ((snapshot, planning), freer)
    ]
    assume(calls[0] == calls[1])
    tight, free = (make_plan(*one).certificate for one in ((snapshot, planning), freer))
    assume(tight is not None)
    assume(free is not None)
    event("compared")
    assert tight is not None
    assert free is not None
    return tight, free


def _never_dearer(tight: Certificate, free: Certificate) -> None:
    assert free.bound <= tight.plan.total + HUNDREDTH_OF_A_CENT
    assert free.plan.total <= tight.plan.total + free.gap + HUNDREDTH_OF_A_CENT


# ------------------------------------------------------------------ more freedom


@some
@given(homes(), st.sampled_from(["0.3", "0.6", "0.9"]))
def test_a_wider_band_never_costs_more(home, part):
    _never_dearer(
        *_proofs(
            home,
            lambda snapshot, planning: (
                snapshot,
                replace(planning, destination=max(Weight(part), planning.destination)),
            ),
        )
    )


@some
@given(homes(), st.sampled_from(["0.02", "0.05", "0.1", "0.19"]))
def test_a_lower_price_of_drift_never_costs_more(home, price):
    rule = PlanRule(drift_price=Weight(price))
    _never_dearer(
        *_proofs(
            home,
            lambda snapshot, planning: (
                snapshot,
                replace(planning, policy=replace(planning.policy, plan=rule)),
            ),
        )
    )


@some
@given(homes(), st.data())
def test_one_more_substitute_never_costs_more(home, data):
    names = [
        name
        for name, rule in home.policy.classes.items()
        if rule.members != ("USD",)
        and home.snapshot.instruments[rule.members[0]].kind is not InstrumentKind.CRYPTO
    ]
    assume(names)
    name = data.draw(st.sampled_from(names))

    def with_one_more(snapshot: Snapshot, planning: Planning) -> tuple[Snapshot, Planning]:
        rule = planning.policy.classes[name]
        like = rule.members[0]
        classes = dict(planning.policy.classes)
        classes[name] = replace(rule, members=(*rule.members, "NEW"))
        instruments = dict(snapshot.instruments)
        instruments["NEW"] = replace(instruments[like], symbol="NEW")
        quotes = dict(snapshot.quotes)
        quotes["NEW"] = replace(quotes[like], symbol="NEW")
        return (
            replace(snapshot, instruments=instruments, quotes=quotes),
            replace(planning, policy=replace(planning.policy, classes=classes)),
        )

    _never_dearer(*_proofs(home, with_one_more))


@pytest.mark.parametrize("members", [("AAA",), ("AAA", "AAB")])
def test_a_substitute_is_worth_what_it_lets_be_harvested(members):
    """A loss of 1,000 needs somewhere to go: with a substitute it is worth 198.67."""
    home = household(
        [
            held("hers", "AAA", 6_000, 7_000),
            held("ira", "AAA", 53_000, 53_000),
            held("ira", "BBB", 41_000, 41_000),
        ],
        accounts=COUPLE,
        classes={
            "stocks": ClassRule(target=Decimal("0.6"), members=members),
            "bonds": ClassRule(target=Decimal("0.4"), members=("BBB",)),
        },
    )
    proof = plan_of(home).certificate
    assert proof is not None
    assert proof.plan.drift == about(0)
    assert proof.plan.tax - proof.nothing.tax == about(
        Decimal("-198.6654") if len(members) > 1 else 0
    )


# ------------------------------------------------------------------ ten times the money


def _times(home: Home, factor: int = 10) -> Home:
    """*home* with so many times all that is an amount: units, steps, cash, and every threshold."""
    snapshot, policy = home.snapshot, home.policy
    reserve = policy.reserve
    return home._replace(
        snapshot=replace(
            snapshot,
            lots=tuple(
                replace(lot, quantity=lot.quantity * factor, basis=lot.basis * factor)
                for lot in snapshot.lots
            ),
            balances=tuple(
                replace(each, amount=each.amount * factor, settled=each.settled * factor)
                for each in snapshot.balances
            ),
            instruments={
                name: replace(one, step=one.step * factor)
                for name, one in snapshot.instruments.items()
            },
            accounts={
                name: replace(one, cash_reserve=one.cash_reserve * factor)
                for name, one in snapshot.accounts.items()
            },
        ),
        policy=replace(
            policy,
            orders=replace(
                policy.orders,
                minimum=policy.orders.minimum * factor,
                invest_cash_from=policy.orders.invest_cash_from * factor,
            ),
            plan=replace(policy.plan, order_cost=policy.plan.order_cost * factor),
            reserve=None
            if reserve is None
            else replace(reserve, monthly_costs=reserve.monthly_costs * factor),
            cash_reserves={name: kept * factor for name, kept in policy.cash_reserves.items()},
        ),
        harvest=replace(home.harvest, minimum=home.harvest.minimum * factor),
    )


def _law_times(factor: int = 10) -> Statutes:
    """A law whose yearly limit is so many times as much: it scales with the household."""
    rule = STATUTES.capital_loss
    return replace(
        STATUTES,
        capital_loss=replace(
            rule, limit=rule.limit * factor, limit_separate=rule.limit_separate * factor
        ),
    )


@pytest.mark.parametrize(
    "classes",
    [
        pytest.param(
            {"stocks": STOCKS, "bonds": replace(BONDS, ordinary_yield=Decimal("0.04"))},
            id="bonds are at home in the IRA",
        ),
        pytest.param(
            {"stocks": replace(STOCKS, qualified_yield=Decimal("0.02")), "bonds": BONDS},
            id="stocks are at home in the IRA",
        ),
    ],
)
def test_ten_times_the_money_moves_ten_times_as_much(classes):
    """To the step, in every account: where each class has a home, no two plans cost the same."""
    home = household(
        [
            held("hers", "AAA", 31_000, 47_100),
            held("his", "AAB", 32_000, 20_100, 300),
            held("ira", "BBB", 37_000, 37_000),
        ],
        {"ira": 1_500},
        accounts=COUPLE,
        classes=classes,
        spread="0.02",
        plan=PlanRule(order_cost=Decimal(2)),
    )
    large, law = _times(home), _law_times()
    small = plan_of(home)
    plan = decide(large.snapshot, large.policy, large.memory, large.facts, law, cycle="1").plan
    assert plan is not None
    tenfold, once = moved(plan.trades), moved(small.trades)
    assert tenfold.keys() == once.keys()
    assert all(abs(tenfold[place] - 10 * once[place]) < 2 for place in once)
    assert abs(plan.tax - 10 * small.tax) < Decimal("0.1")


COINS = 1024
"""A power of two: in float64 all that is counted in such coins has the very same digits."""


@some
@given(homes())
def test_a_plan_is_the_same_in_a_coin_that_is_worth_a_thousandth(home):
    """Lot by lot; one step may go either way where its worth is less than Decimals carry over."""
    assume(not home.memory.disposals)
    plans = [
        decide(one.snapshot, one.policy, one.memory, one.facts, law, cycle="1").plan
        for one, law in ((home, STATUTES), (_times(home, COINS), _law_times(COINS)))
    ]
    assert (plans[0] is None) == (plans[1] is None)
    trades = [() if plan is None else plan.trades for plan in plans]
    of_one, of_coins = ({(t.account, t.symbol, t.side): t for t in each} for each in trades)
    assert of_one.keys() == of_coins.keys()
    for place, trade in of_one.items():
        step = home.snapshot.instruments[trade.symbol].step
        other = of_coins[place]
        off = abs(trade.quantity * COINS - other.quantity)
        assert off <= (step * COINS if step * trade.price < CENT else 0)
        if off == 0:
            picks = [replace(pick, quantity=pick.quantity * COINS) for pick in trade.lots]
            assert picks == list(other.lots)


@some
@given(homes())
def test_ten_times_the_money_costs_ten_times_as_much(home):
    """Between equal plans the choice may differ, so it is the price that is compared."""
    assume(not home.memory.disposals)
    small, large = home, _times(home)
    plans = [
        decide(one.snapshot, one.policy, one.memory, one.facts, law, cycle="1").plan
        for one, law in ((small, STATUTES), (large, _law_times()))
    ]
    assume(plans[0] is not None)
    proofs = [plan.certificate for plan in plans if plan is not None]
    assert len(proofs) == 2
    first, second = proofs
    # Nothing is proven of a plan that cannot raise what an account lacks.
    assume(first is not None and second is not None)
    assert first is not None
    assert second is not None
    within = 10 * first.gap + second.gap + 10 * HUNDREDTH_OF_A_CENT
    assert abs(second.plan.total - 10 * first.plan.total) <= within
    assert abs(second.nothing.total - 10 * first.nothing.total) <= 10 * HUNDREDTH_OF_A_CENT
    assert np.isclose(float(second.value), float(10 * first.value), atol=0.01)


# ------------------------------------------------------------------ always feasible


@st.composite
def busy_homes(draw: st.DrawFn) -> Home:
    """Random households with money due and coming, and with every rule of [plan]."""
    home = draw(homes())
    accounts = sorted(home.snapshot.accounts)
    flows = st.lists(
        st.builds(
            FlowRule,
            account=st.sampled_from(accounts),
            amount=st.integers(1, 20_000).map(Decimal),
            first=st.just(home.snapshot.at.date()),
        ),
        max_size=2,
    ).map(tuple)
    symbols = sorted(home.snapshot.instruments)
    parts = st.sampled_from([Decimal("0.1"), Decimal("0.4")])
    limits = (
        st.dictionaries(st.sampled_from(symbols), parts, max_size=2) if symbols else st.just({})
    )
    plan = PlanRule(
        drift_price=draw(st.sampled_from([Decimal("0.02"), Decimal("0.2"), ONE])),
        order_cost=Decimal(draw(st.sampled_from([0, 5]))),
        sell_least=Decimal(draw(st.sampled_from([0, 50]))),
        harvests=draw(st.sampled_from(["never", "with_trades", "always"])),
        holdings_max=draw(limits),
    )
    yields = {
        name: replace(rule, ordinary_yield=draw(st.sampled_from([ZERO, Decimal("0.05")])))
        for name, rule in home.policy.classes.items()
    }
    turnover = draw(st.sampled_from([Decimal("0.05"), ONE]))
    return home._replace(
        policy=replace(
            home.policy,
            plan=plan,
            classes=yields,
            gates=replace(home.policy.gates, turnover_max=turnover),
        ),
        contributions=draw(flows),
        withdrawals=draw(flows),
    )


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(busy_homes())
def test_every_plan_breaks_no_rule_and_none_is_withheld(home):
    snapshot, planning = prepared(home)
    planned = make_plan(snapshot, planning)
    assert faults(snapshot, planning, planned.trades) == ()
    withheld = [one.sentence for one in planned.refusals if "is withheld" in one.sentence]
    assert withheld == []
    decision = home.decide()
    assert [one for one in decision.held if one.gate == "limits"] == []
