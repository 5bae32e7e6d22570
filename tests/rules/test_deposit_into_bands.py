"""The least deposit into the bands: enough by itself, and not a cent more than that."""

import re
from collections.abc import Sequence
from decimal import Decimal, localcontext
from fractions import Fraction

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.domain.test_events import DECISION
from tests.houses import START
from tests.rules.homes import Home, homes
from tests.rules.plan_homes import COUPLE, FREE, held, household
from tests.rules.test_drift import measured

from trimtab.domain.numbers import CENT, EXACT, ZERO, Money, Weight
from trimtab.domain.policy import PRESETS, BandRule, ClassRule, FlowRule, OrderRule, PlanRule
from trimtab.domain.trades import Decision, Drift, Side
from trimtab.domain.values import trade_date
from trimtab.rules.deposits import paid_in
from trimtab.rules.drift import least_deposit_into_bands, measure
from trimtab.rules.holdings import holdings
from trimtab.rules.plan.planning import divided_accounts


def _is_enough(drifts: Sequence[Drift], total: Money, deposit: Fraction) -> bool:
    """Whether *deposit*, allocated as well as can be, leaves no class beyond an edge."""
    whole, lacking = Fraction(total) + deposit, Fraction(0)
    for drift in drifts:
        target, half, value = map(Fraction, (drift.target, drift.half_width, drift.value))
        if value > (target + half) * whole:
            return False
        lacking += max(Fraction(0), (target - half) * whole - value)
    return lacking <= deposit


def _searched(drifts: Sequence[Drift], total: Money) -> tuple[Fraction, Fraction] | None:
    """Two deposits, a ten-thousandth of a cent apart, of which only the greater is enough.

    None where none is: beyond ten thousand times what there is, no drift needs more.
    """
    low, high = Fraction(0), Fraction(total) * 10**6
    if _is_enough(drifts, total, low):
        return low, low
    if not _is_enough(drifts, total, high):
        return None
    while high - low > Fraction(1, 10**6):
        middle = (low + high) / 2
        if _is_enough(drifts, total, middle):
            high = middle
        else:
            low = middle
    return low, high


@st.composite
def with_idle_cash(draw: st.DrawFn) -> tuple[tuple[Drift, ...], Money]:
    """Two to five classes, and perhaps cash beside them that belongs to none."""
    drifts, total, band = draw(measured())
    total += draw(st.sampled_from([ZERO, ZERO, total / 100, total]))
    values = {drift.asset_class: drift.value for drift in drifts}
    targets = {drift.asset_class: drift.target for drift in drifts}
    return measure(values, total, targets, dict.fromkeys(values, band)), total


@settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(with_idle_cash())
def test_the_deposit_into_the_bands_is_the_least_that_is_enough(household):
    drifts, total = household
    found = least_deposit_into_bands(drifts, total)
    if not any(drift.is_breached for drift in drifts):
        assert found is None
        return
    searched = _searched(drifts, total)
    assert (found is None) == (searched is None)
    if found is not None and searched is not None:
        low, high = searched
        assert low <= Fraction(found) <= high
        assert _is_enough(drifts, total, Fraction(found) + Fraction(1, 10**30))


@given(with_idle_cash())
def test_the_order_of_the_classes_changes_no_deposit(household):
    drifts, total = household
    assert least_deposit_into_bands(drifts, total) == least_deposit_into_bands(drifts[::-1], total)


def _classes(band: str = "swedroe-5-25", total: str = "100", **parts: str) -> tuple[Drift, ...]:
    """Classes told as "value of target"."""
    told = {name: text.split(" of ") for name, text in parts.items()}
    return measure(
        {name: Decimal(value) for name, (value, _) in told.items()},
        Decimal(total),
        {name: Decimal(target) for name, (_, target) in told.items()},
        dict.fromkeys(told, PRESETS[band]),
    )


def test_a_heavy_class_is_diluted_to_its_edge_and_a_light_one_is_filled_to_its():
    heavy = _classes(a="70 of 0.6", b="15 of 0.2", c="15 of 0.2")
    light = _classes(a="64 of 0.6", b="12 of 0.2", c="24 of 0.2")
    with localcontext(EXACT):
        assert least_deposit_into_bands(heavy, Decimal(100)) == Decimal(70) / Decimal("0.65") - 100
        assert least_deposit_into_bands(light, Decimal(100)) == Decimal(88) / Decimal("0.85") - 100


def test_a_class_that_turns_light_on_the_way_is_filled_too():
    # Diluting 80 to 65 % takes 123.08 in all; b lacks 14.46 of that then and c 2.46.
    drifts = _classes(a="80 of 0.6", b="4 of 0.2", c="16 of 0.2")
    found = least_deposit_into_bands(drifts, Decimal(100))
    assert found is not None
    assert found.quantize(CENT) == Decimal("23.08")
    # Here filling b takes more than diluting a, and c is light only at that size.
    drifts = _classes(a="66 of 0.6", b="0 of 0.2", c="16 of 0.2")
    assert least_deposit_into_bands(drifts, Decimal(100)) == 20


def test_on_the_edge_nothing_is_lacking_and_inside_nothing_is_asked():
    assert least_deposit_into_bands(_classes(a="65 of 0.6", b="35 of 0.4"), Decimal(100)) == 0
    inside = _classes(a="64.99 of 0.6", b="35.01 of 0.4")
    assert least_deposit_into_bands(inside, Decimal(100)) is None
    assert least_deposit_into_bands((), ZERO) is None


def test_no_deposit_dilutes_away_what_nobody_wants():
    assert least_deposit_into_bands(_classes(a="1 of 0", b="99 of 1"), Decimal(100)) is None


def test_without_width_a_deposit_leads_exactly_to_the_targets_unless_cash_waits():
    parts = {"a": "40 of 0.3", "b": "60 of 0.7"}
    found = least_deposit_into_bands(_classes("calendar", **parts), Decimal(100))
    with localcontext(EXACT):
        assert found == Decimal(40) / Decimal("0.3") - 100
    waiting = _classes("calendar", "101", **parts)
    assert least_deposit_into_bands(waiting, Decimal(101)) is None


def _then(home: Home, account: str, deposit: Money) -> Decision:
    return home._replace(snapshot=paid_in(home.snapshot, {account: deposit})).decide()


def assert_kept(home: Home) -> bool:
    """Every promise of a quiet look is kept by the plan made with that money; whether one was."""
    decision = home.decide()
    found = re.search(r"([0-9,.]+) USD in (\S+) would bring every class", decision.sentence)
    if found is None:
        return False
    deposit = Decimal(found[1].replace(",", ""))
    assert deposit == decision.deposit_into_bands
    there = holdings(home.snapshot, home.policy)
    is_apart = found[2] not in divided_accounts(home.snapshot, home.policy, there.free)
    idle = there.free[found[2]] if is_apart else ZERO
    assert _is_enough(decision.drifts, there.total, Fraction(deposit + idle))
    then = _then(home, found[2], deposit)
    drifts = then.drifts if then.plan is None else then.plan.after
    assert not any(drift.is_breached for drift in drifts)
    trades = () if then.plan is None else then.plan.trades
    assert all(trade.side is Side.BUY for trade in trades)
    return True


@settings(max_examples=80, suppress_health_check=list(HealthCheck))
@given(homes())
def test_what_is_told_of_a_deposit_into_the_bands_is_kept(home: Home):
    decision = home.decide()
    deposit = decision.deposit_into_bands
    is_out = any(drift.is_breached for drift in decision.drifts)
    assert is_out or deposit is None, "nothing is asked for where no class is out"
    assert deposit is None or (deposit > 0 and deposit % CENT == 0)
    assert_kept(home)
    _assert_no_contradiction(decision)


def _assert_no_contradiction(decision: Decision) -> None:
    """To bring the only class that is out into its band takes no more than to its target."""
    out = [drift.asset_class for drift in decision.drifts if drift.is_breached]
    to_target = re.search(r"would bring (\S+) back to its target", decision.sentence)
    if to_target and [to_target[1]] == out and decision.deposit_into_bands is not None:
        assert decision.least_deposit is not None
        assert decision.deposit_into_bands <= decision.least_deposit


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    shares=st.tuples(*[st.integers(0, 900)] * 3).filter(lambda held: sum(held) > 100),
    spread=st.sampled_from(["0", "0.04", "0.4"]),
    step=st.sampled_from(["1", "0.001"]),
    orders=st.sampled_from([FREE, OrderRule()]),
    account=st.sampled_from(["hers", "ira"]),
)
def test_without_limits_the_deposit_into_the_bands_is_told_and_kept(
    shares, spread, step, orders, account
):
    names = {"AAA": "0.5", "BBB": "0.3", "CCC": "0.2"}
    lots = [
        held(account, name, 100 * count, 100 * count)
        for name, count in zip(names, shares, strict=True)
        if count
    ]
    home = household(
        lots,
        accounts=COUPLE,
        classes={
            name.lower(): ClassRule(target=Weight(part), members=(name,))
            for name, part in names.items()
        },
        bands=BandRule(),
        spread=spread,
        step=step,
        orders=replace(orders, no_sell=tuple(names)),
    )
    decision = home.decide()
    assert assert_kept(home) == any(drift.is_breached for drift in decision.drifts)
    _assert_no_contradiction(decision)


def _limited(orders: OrderRule = FREE, plan: PlanRule = PlanRule()) -> Home:  # noqa: B008  the values are frozen
    """90,000 of stocks and 30,000 of bonds, 60 % and 40 % within five; no stocks may be sold."""
    return household(
        [held("ira", "AAA", 90_000, 90_000), held("ira", "BBB", 30_000, 30_000)],
        accounts=COUPLE,
        bands=BandRule(trigger_abs=Weight("0.05")),
        orders=replace(orders, no_sell=("AAA", "BBB")),
        plan=plan,
    )


@pytest.mark.parametrize(
    ("home", "why"),
    [
        (_limited(replace(FREE, no_buy=("BBB",))), "too little of bonds may be bought"),
        (
            _limited(plan=PlanRule(holdings_max={"BBB": Weight("0.30")})),
            "too little of bonds may be bought",
        ),
        (
            _limited(plan=PlanRule(drift_price=ZERO)),
            "with a drift_price of 0 nothing is bought",
        ),
    ],
    ids=["no_buy", "holdings_max", "drift_price"],
)
def test_where_what_is_light_may_not_be_bought_no_deposit_is_promised(home, why):
    decision = home.decide()
    assert (decision.least_deposit, decision.deposit_into_bands) == (None, None)
    assert decision.sentence.endswith(
        f" No deposit would bring every class back into its band now: {why}."
    )
    assert "A deposit of" not in decision.sentence


def test_a_limit_that_leaves_room_bars_no_deposit():
    home = _limited(plan=PlanRule(holdings_max={"BBB": Weight("0.38")}))
    assert assert_kept(home)
    assert home.decide().least_deposit is None, "bonds may not be bought up to their target"


def _reserving(**reserves: Money) -> Home:
    """90,000 of stocks and 30,000 of bonds, 60 % and 40 %, and accounts that lack their reserve."""
    home = _limited()
    return home._replace(policy=replace(home.policy, cash_reserves=reserves))


def test_no_deposit_is_promised_into_an_account_that_lacks_its_reserve():
    found = re.search(r" USD in (\S+) would bring every class", _limited().decide().sentence)
    assert found is not None
    elsewhere = _reserving(**{found[1]: Decimal(2_000)})
    assert assert_kept(elsewhere)
    assert f" USD in {found[1]} would" not in elsewhere.decide().sentence


def test_where_every_account_lacks_its_reserve_no_deposit_is_promised():
    decision = _reserving(**dict.fromkeys(COUPLE, Decimal(2_000))).decide()
    assert (decision.least_deposit, decision.deposit_into_bands) == (None, None)
    assert "deposit" not in decision.sentence


def _with_flows(cash: int = 0, *, coming: int = 0, due: int = 0) -> Home:
    """60,000 of stocks and 30,000 of bonds that nobody may sell, 60 % and 40 % within five."""
    today = trade_date(START)
    return household(
        [held("ira", "AAA", 60_000, 60_000), held("ira", "BBB", 30_000, 30_000)],
        {"ira": cash},
        accounts=COUPLE,
        bands=BandRule(trigger_abs=Weight("0.05")),
        orders=replace(FREE, no_sell=("AAA", "BBB")),
        contributions=(FlowRule(account="ira", amount=Decimal(coming), first=today),),
        withdrawals=(FlowRule(account="ira", amount=Decimal(due), first=today),),
    )


def test_what_is_to_come_is_taken_off_the_deposits():
    """60,000 / 0.65 is 92,307.69 and 60,000 / 0.6 is 100,000: 2,307.69 and 10,000 in all.

    An order may leave a step of ten cents unspent, of which stocks may be 65 %: 0.154 more.
    """
    decision = _with_flows(coming=2_000).decide()
    assert decision.least_deposit == 8_000
    assert decision.deposit_into_bands == Decimal("307.85")
    assert "Beyond the 2,000.00 USD to come, a deposit of 8,000.00 USD" in decision.sentence
    assert " A deposit of 307.85 USD in hers would bring every class" in decision.sentence


def test_where_what_is_to_come_is_enough_no_deposit_is_asked():
    decision = _with_flows(coming=10_000).decide()
    assert (decision.least_deposit, decision.deposit_into_bands) == (None, None)
    words = "The 10,000.00 USD to come can bring every class back into its band without a sale."
    assert decision.sentence.endswith(words)
    assert "deposit" not in decision.sentence


def test_cash_that_waits_to_be_withdrawn_is_no_drift():
    waiting = _with_flows(45_000, due=45_000).decide()
    alone = _with_flows().decide()
    assert waiting.drifts == alone.drifts
    assert waiting.sentence == alone.sentence
    assert waiting.deposit_into_bands == alone.deposit_into_bands == Decimal("2307.85")


def test_of_a_cash_class_what_waits_to_be_withdrawn_is_no_part():
    home = _with_flows(20_000, due=10_000)
    classes = {
        "stocks": replace(home.policy.classes["stocks"], target=Weight("0.6")),
        "bonds": replace(home.policy.classes["bonds"], target=Weight("0.3")),
        "cash": ClassRule(target=Weight("0.1"), members=("USD",), risk="safe"),
    }
    policy = replace(home.policy, classes=classes)
    policy = replace(policy, orders=FREE)
    decision = home._replace(policy=policy).decide()
    assert [drift.drift for drift in decision.drifts] == [0, 0, 0]
    assert decision.plan is None


def test_the_weights_after_a_withdrawal_is_raised_add_up_to_one():
    home = _with_flows(due=9_000)
    home = home._replace(policy=replace(home.policy, orders=FREE))
    plan = home.decide().plan
    assert plan is not None
    assert sum(drift.weight for drift in plan.after) == 1


def test_a_decision_of_an_older_journal_is_read_without_it():
    kept = msgspec.to_builtins(DECISION)
    del kept["deposit_into_bands"]
    assert msgspec.convert(kept, Decision) == DECISION
    assert DECISION.deposit_into_bands is None


def test_which_account_is_named_does_not_hang_on_the_order_of_the_accounts():
    home = _limited()
    turned = dict(reversed(home.snapshot.accounts.items()))
    other = home._replace(snapshot=replace(home.snapshot, accounts=turned))
    assert other.decide().sentence == home.decide().sentence
