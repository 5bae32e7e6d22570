"""Deposits and the accounts they are paid into: a wallet buys coins alone, with all it has."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.rules.homes import TODAY, Home
from tests.rules.plan_homes import FREE, held, household
from tests.rules.test_deposit_into_bands import assert_kept

from trimtab.domain.numbers import CENT, ONE, ZERO, Money
from trimtab.domain.policy import BandRule, ClassRule, FlowRule, OrderRule, PlanRule
from trimtab.domain.trades import Discrepancy
from trimtab.domain.values import AccountKind, InstrumentKind, Lot
from trimtab.rules.deposits import paid_in

ACCOUNTS = {
    "hers": AccountKind.TAXABLE,
    "ira": AccountKind.TRADITIONAL_IRA,
    "wallet": AccountKind.CRYPTO,
}
KEEPS = replace(FREE, no_sell=("AAA", "BBB", "CCC"))
WITHIN = {"hers": ZERO, "ira": ZERO, "wallet": ZERO}


def _savings(
    stocks: int = 55_000,
    bonds: int = 35_000,
    coins: int = 5_000,
    cash: Mapping[str, int | Decimal] = WITHIN,
    *,
    targets: tuple[str, str, str] = ("0.55", "0.35", "0.1"),
    lots: tuple[Lot, ...] = (),
    **rules: Any,
) -> Home:
    """Stocks and bonds in an account of hers, coins in a wallet, each within a quarter at most."""
    members = {"stocks": "AAA", "bonds": "BBB", "coins": "CCC"}
    values = {"AAA": stocks, "BBB": bonds, "CCC": coins}
    classes = {
        name: ClassRule(target=Decimal(target), members=(members[name],))
        for name, target in zip(members, targets, strict=True)
    }
    homes = {"AAA": "hers", "BBB": "hers", "CCC": "wallet"}
    found = [held(homes[one], one, worth, worth) for one, worth in values.items() if worth]
    rules = {"orders": KEEPS, "bands": BandRule()} | rules
    home = household([*found, *lots], cash, accounts=ACCOUNTS, classes=classes, **rules)
    instruments = {
        name: replace(one, kind=InstrumentKind.CRYPTO) if name == "CCC" else one
        for name, one in home.snapshot.instruments.items()
    }
    return home._replace(snapshot=replace(home.snapshot, instruments=instruments))


def _closed(home: Home) -> Home:
    """*home* with an account `ira` that no longer agrees with its broker: its cash buys nothing."""
    differs = Discrepancy(
        kind="cash", account="ira", subject="USD", expected="1", found="2", sentence="It differs."
    )
    return home._replace(memory=replace(home.memory, discrepancies={"ira": (differs,)}))


def _told(home: Home) -> dict[str, Money]:
    """The deposits that are told: to the target of a class, and into the bands."""
    found = re.findall(
        r"eposit of ([0-9,.]+) USD(?: in \w+)?(?:, all of it into \w+,)? would bring (\w+)",
        home.decide().sentence,
    )
    return {what: Decimal(amount.replace(",", "")) for amount, what in found}


def _after(home: Home, deposit: Money) -> Decimal:
    """The weight of coins once the wallet has the *deposit* and a plan has spent it."""
    decision = home._replace(snapshot=paid_in(home.snapshot, {"wallet": deposit})).decide()
    drifts = decision.drifts if decision.plan is None else decision.plan.after
    return next(one.weight for one in drifts if one.asset_class == "coins")


def test_a_deposit_in_a_wallet_is_shared_with_no_class_that_it_cannot_buy():
    """Coins lack 0.075 of 100,000 less 5,000: 2,500 / 0.925 is 2,702.70.

    Stocks and bonds are on their targets and turn light beside it, and 5,000 lie idle, but the
    wallet buys coins alone. An order may leave a step of ten cents: 0.1 / 0.925 more, and a cent.
    """
    home = _closed(_savings(cash={"ira": 5_000}))
    assert _told(home) == {"coins": Decimal("5555.67"), "every": Decimal("2702.82")}
    assert assert_kept(home)


def test_beside_a_plan_the_deposit_is_that_of_the_household_before_it():
    decision = _closed(_savings(cash={"ira": 5_000, "wallet": 500})).decide()
    assert decision.plan is not None
    assert (decision.least_deposit, decision.deposit_into_bands) == (
        Decimal("5055.67"),
        Decimal("2202.82"),
    )


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    stocks=st.integers(53, 55),
    coins=st.integers(0, 12),
    idle=st.integers(0, 3),
    dollars=st.sampled_from(["0", "0.03", "700", "3000"]),
    target=st.sampled_from(["0.05", "0.1", "0.2"]),
    orders=st.sampled_from([FREE, OrderRule()]),
    steps=st.sampled_from(["1", "0.001"]),
)
def test_a_deposit_in_a_wallet_is_kept_and_as_small_as_it_can_be(  # noqa: PLR0917  as drawn
    stocks, coins, idle, dollars, target, orders, steps
):
    rest = ONE - Decimal(target)
    home = _savings(
        stocks * 1_000,
        (90 - stocks) * 1_000,
        coins * 1_000,
        {"ira": idle * 1_000, "wallet": Decimal(dollars)},
        targets=(f"{rest * Decimal('0.6')}", f"{rest * Decimal('0.4')}", target),
        orders=replace(orders, no_sell=("CCC",), no_buy=("AAA", "BBB")),
        step=steps,
        spread="0.04",
    )
    (drift,) = [one for one in home.decide().drifts if one.asset_class == "coins"]
    if drift.drift >= 0 or not drift.is_breached or home.decide().plan is not None:
        return
    assert assert_kept(home), "coins alone are out, and the wallet may buy them"
    told, dollars = _told(home), Decimal(dollars)
    assert told["every"] <= told["coins"]
    edge, total = drift.target - drift.half_width, Decimal(90 + coins + idle) * 1_000
    least = (edge * total - drift.value) / (ONE - edge) - dollars
    step = Decimal(steps) * 101 / (ONE - edge)
    assert least < told["every"] <= least + (least + dollars) / 100 + step + CENT


def test_where_coins_alone_are_out_a_deposit_into_the_bands_is_told():
    for idle in (0, 2_000, 4_000):
        home = _savings(cash={"ira": idle}, orders=replace(KEEPS, no_buy=("AAA", "BBB")))
        told = _told(home)
        assert told.keys() == {"coins", "every"}
        assert told["every"] < told["coins"]


def test_where_idle_cash_makes_every_bound_wide_a_plan_tells_what_is_enough():
    """Bonds lack 0.3 of 70,500 less 20,500, 650 / 0.7 or 928.57, and a step of ten cents / 0.7.

    However it were divided between stocks and bonds, 9,502 would be enough.
    """
    parts = ("0.60", "0.35", "0.05")
    home = _closed(_savings(42_000, 20_500, 3_000, {"ira": 5_000}, targets=parts))
    assert _told(home)["every"] == Decimal("928.72")
    assert assert_kept(home)


def test_into_its_band_the_only_class_that_is_out_needs_no_more_than_to_its_target():
    """Bonds alone are out: 12,500 / 0.7 or 17,857.14 bring them to their target, and a step.

    However it is divided 19,818.18 is enough, less than twice the 10,000 that are necessary: so
    the plan is asked about the necessary ones, 7,500 / 0.75 and a step of ten cents / 0.75.
    """
    parts = ("0.2", "0.3", "0.5")
    home = _closed(_savings(16_600, 17_500, 54_900, {"ira": 11_000}, targets=parts))
    assert _told(home) == {"bonds": Decimal("17857.29"), "every": Decimal("10000.14")}
    assert assert_kept(home)


def test_dollars_that_lie_in_the_wallet_are_spent_with_the_deposit():
    """Coins lack 0.1 of 99,000 less 9,000, 900 / 0.9 is 1,000, and a step of ten cents / 0.9."""
    alone, beside = _savings(coins=9_000), _savings(coins=9_000, cash={"wallet": 300})
    assert _told(alone) == {"coins": Decimal("1000.12")}
    assert _told(beside) == {"coins": Decimal("700.12")}
    words = "With the 300.00 USD in wallet, a deposit of 700.12 USD, all of it into coins, would"
    assert words in beside.decide().sentence
    assert _told(_savings(coins=9_000, cash={"wallet": 1_001})) == {}


@given(dollars=st.integers(0, 4_000))
@settings(max_examples=30, deadline=None)
def test_with_dollars_that_lie_there_the_deposit_leads_to_the_target_and_not_beyond(dollars):
    home = _savings(coins=5_000, cash={"wallet": dollars}, bands=BandRule(cooldown_days=0))
    told = _told(home)
    if "coins" in told:
        assert abs(_after(home, told["coins"]) - Decimal("0.1")) < Decimal("0.00001")


def test_money_that_will_come_elsewhere_makes_the_savings_larger_and_buys_no_coins():
    """With 4,000 to come there are 99,000: coins lack 0.1 of it less 5,000, 4,900 / 0.9."""
    coming = FlowRule(account="hers", amount=Decimal(4_000), first=TODAY)
    home = _savings(contributions=(coming,), orders=replace(KEEPS, no_buy=("AAA", "BBB")))
    told = _told(home)
    assert told["coins"] == Decimal("5444.56")
    assert told["every"] < told["coins"]
    assert "Beyond the 4,000.00 USD to come, a deposit of" in home.decide().sentence


# ------------------------------------------------------------------ what is said of wallets


def _notes(home: Home) -> list[str]:
    return [one.sentence for one in home.decide().refusals if "nothing but coins" in one.sentence]


def test_dollars_that_a_plan_turns_into_coins_are_not_called_uncounted():
    spends = _savings(cash={"wallet": 3_000})
    plan = spends.decide().plan
    assert plan is not None
    assert [trade.account for trade in plan.trades] == ["wallet"]
    assert not any("3,000.00 USD" in sentence for sentence in _notes(spends))
    stays = _savings(cash={"wallet": 3_000}, orders=replace(KEEPS, no_buy=("CCC",)))
    (note,) = _notes(stays)
    assert note == (
        "wallet holds 3,000.00 USD that can buy nothing but coins: the targets do not count it "
        "until it buys some, or until you move it to another account."
    )


def test_what_a_plan_leaves_in_a_wallet_is_told_as_what_is_left():
    home = _savings(coins=9_000, cash={"wallet": 5_000}, bands=BandRule(trigger_abs=ZERO))
    plan = home.decide().plan
    assert plan is not None
    left = 5_000 - sum(one.value for one in plan.trades if one.account == "wallet")
    (note,) = _notes(home)
    assert note.startswith(f"wallet is left with {left:,.2f} USD that can buy nothing but coins")


def test_a_second_plan_of_a_day_that_waits_says_how_much_it_must_move():
    """90,000 were bought today, a twentieth of which is 4,500; the wallet's dollars are 2,000."""
    today = tuple(held("hers", one, worth, worth, 0) for one, worth in _BOUGHT.items())
    home = _savings(0, 0, 5_000, {"wallet": 2_000}, lots=today)
    decision = home.decide()
    assert decision.plan is None
    (said,) = [one.sentence for one in decision.refusals if one.asset_class == "coins"]
    assert (
        "what cash is left in wallet is not spent, for a second plan of a day must move "
        "4,500.00 USD, a twentieth of what was traded before it, and this one would move " in said
    )
    assert said.endswith(" USD: it waits for another day.")
    before = tuple(held("hers", one, worth, worth, 1) for one, worth in _BOUGHT.items())
    assert _savings(0, 0, 5_000, {"wallet": 2_000}, lots=before).decide().plan is not None


_BOUGHT = {"AAA": 55_000, "BBB": 35_000}


@pytest.mark.parametrize("held_of_it", [0, 10])
def test_a_class_that_nobody_wants_is_near_no_trigger(held_of_it):
    home = _savings(
        57_000, 38_000, held_of_it, targets=("0.6", "0.4", "0"), plan=PlanRule(drift_price=ZERO)
    )
    sentence = home.decide().sentence
    assert ("coins 0.0 % is all that is wanted of it." in sentence) == (held_of_it == 0)
    assert "coins 0.0 % is 0.0 points from" not in sentence
