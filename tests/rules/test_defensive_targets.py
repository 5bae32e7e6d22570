"""The fallback targets of the defensive posture, beside strategies and glide paths."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.houses import START, TOML, FixedPrices, house_of, lot

from trimtab.apps.world import Recorder, load, open_books, take_snapshot
from trimtab.domain.aim import Aim, Layer
from trimtab.domain.aims import GlidePoint, GlideRule, StrategyRule
from trimtab.domain.household import decode_household
from trimtab.domain.policy import DefensiveRule, Policy
from trimtab.rules.holdings import targets_of
from trimtab.rules.look import look_at

TODAY = dt.date(2026, 3, 9)
FALLBACK = {"stocks": Decimal("0.3"), "bonds": Decimal("0.7"), "bitcoin": Decimal(0)}
POLICY = replace(
    decode_household(TOML).policy(),
    defensive=DefensiveRule(posture="targets", targets=FALLBACK),
)


def mix(stocks: str, bitcoin: str = "0") -> dict[str, Decimal]:
    ours, coins = Decimal(stocks), Decimal(bitcoin)
    return {"stocks": ours, "bonds": 1 - ours - coins, "bitcoin": coins}


def aim(targets: dict[str, Decimal]) -> Aim:
    layer = Layer(name="cppi", targets=targets)
    return Aim(targets=targets, layers=(layer,), estimated_on=TODAY, since=TODAY)


def gliding(stocks: str) -> Policy:
    point = GlidePoint(on=TODAY, targets=mix(stocks))
    return replace(POLICY, glide=GlideRule(points=(point,)))


def test_while_the_breaker_is_armed_the_fallback_plays_no_part():
    assert targets_of(
        POLICY, TODAY, aim(mix("0.8")), base_currency="USD", is_defensive=False
    ) == mix("0.8")
    assert targets_of(gliding("0.8"), TODAY, base_currency="USD", is_defensive=False) == mix("0.8")


def test_after_the_breaker_tripped_the_fallback_replaces_what_a_strategy_wants():
    assert (
        targets_of(POLICY, TODAY, aim(mix("0.8", "0.1")), base_currency="USD", is_defensive=True)
        == FALLBACK
    )


def test_after_the_breaker_tripped_the_fallback_replaces_a_glide_path():
    assert targets_of(gliding("0.8"), TODAY, base_currency="USD", is_defensive=True) == FALLBACK


def test_a_strategy_that_already_took_all_risk_away_is_not_made_to_buy_it_back():
    assert targets_of(POLICY, TODAY, aim(mix("0")), base_currency="USD", is_defensive=True) == mix(
        "0"
    )


def test_a_glide_path_below_the_fallback_holds_on():
    assert targets_of(gliding("0.2"), TODAY, base_currency="USD", is_defensive=True) == mix("0.2")


def test_fixed_targets_give_way_to_the_fallback_that_their_owner_wrote_whatever_it_is():
    bold = {"stocks": Decimal("0.9"), "bonds": Decimal("0.1"), "bitcoin": Decimal(0)}
    policy = replace(POLICY, defensive=DefensiveRule(posture="targets", targets=bold))
    assert targets_of(policy, TODAY, base_currency="USD", is_defensive=True) == bold


CASH_TOML = TOML.replace(
    '[classes.bitcoin]\ntarget = 0.05\nmembers = ["BTC-USD"]',
    '[classes.cash]\ntarget = 0.05\nmembers = ["USD"]',
)


@given(st.integers(0, 40), st.integers(0, 60), st.integers(0, 60))
def test_cash_counts_as_no_risk_so_that_a_posture_never_buys_stocks_for_it(stocks, cash, least):
    fallback = {"stocks": Decimal(least) / 100, "bonds": 1 - Decimal(least) / 100}
    policy = replace(
        decode_household(CASH_TOML).policy(),
        defensive=DefensiveRule(posture="targets", targets=fallback),
    )
    bonds = Decimal(100 - stocks - cash) / 100
    wanted = {"stocks": Decimal(stocks) / 100, "bonds": bonds, "cash": Decimal(cash) / 100}
    found = targets_of(policy, TODAY, aim(wanted), base_currency="USD", is_defensive=True)
    assert found["stocks"] == min(wanted["stocks"], fallback["stocks"])


@given(st.integers(0, 100), st.integers(0, 100))
def test_beside_a_strategy_the_posture_never_holds_more_risk_than_it_wants(stocks, least):
    fallback = mix(str(Decimal(least) / 100))
    policy = replace(POLICY, defensive=DefensiveRule(posture="targets", targets=fallback))
    wanted = mix(str(Decimal(stocks) / 100))
    found = targets_of(policy, TODAY, aim(wanted), base_currency="USD", is_defensive=True)
    assert 1 - found["bonds"] == min(1 - wanted["bonds"], 1 - fallback["bonds"])


@pytest.mark.parametrize("tripped", [None, "the savings fell 25.0 %"])
def test_a_look_measures_drift_from_the_fallback_while_the_posture_holds(tripped):
    lots = [lot("taxable", "VTI", "60", "6000", "2024-01-02")]
    house = house_of(
        lots,
        {"taxable": "1000"},
        FixedPrices({"VTI": "100", "BND": "80", "ITOT": "90", "BTC-USD": "50"}),
    )
    recorder = Recorder(house.journal, house.clock, load(house.journal), "test")
    open_books(house, recorder)
    wanted = aim(mix("0.8"))
    memory = replace(recorder.memory, breaker=tripped, aim=wanted)
    policy = replace(POLICY, strategy=StrategyRule(layers=("cppi",)))
    look = look_at(take_snapshot(house, recorder.memory), policy, memory)
    assert START.date() == TODAY
    assert look.targets == (wanted.targets if tripped is None else FALLBACK)
    assert {drift.asset_class: drift.target for drift in look.drifts} == look.targets
    assert look.aim == wanted, "the strategy's aim waits behind the posture, unchanged"
