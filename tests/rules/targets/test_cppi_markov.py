"""The chance that CPPI with a cap breaks its floor, against paths drawn and the closed form."""

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.rules.targets.cppi_markov import gap_chance
from trimtab.rules.targets.cppi_risk import Insurance, Market, gap_risk, simulate

STILL = Market(mu=0.0, sigma=0.2, rate=0.0)


def drawn(rule: Insurance, market: Market, paths: int = 400_000) -> tuple[float, float]:
    """The part of invented years in which the floor broke, and its standard error."""
    rng, apart, broken = np.random.default_rng(11), 1 / 12, 0
    for _ in range(4):
        shocks = rng.standard_normal((paths // 4, 12))
        drift = (market.mu - market.sigma**2 / 2) * apart
        risky = np.expm1(drift + market.sigma * math.sqrt(apart) * shocks)
        safe = np.full_like(risky, math.expm1(market.rate * apart))
        walked = simulate(risky, safe, rule)
        broken += int((walked.values < walked.floors - 1e-12).any(axis=1).sum())
    chance = broken / paths
    return chance, math.sqrt(chance * (1 - chance) / paths)


@pytest.mark.parametrize(
    ("rule", "market"),
    [
        pytest.param(Insurance(8, 0.8, grows=0.0), STILL, id="8 above 80"),
        pytest.param(Insurance(6, 0.8, grows=0.0), STILL, id="6 above 80"),
        pytest.param(Insurance(10, 0.7, grows=0.0), Market(0, 0.25, 0), id="10 above 70"),
        pytest.param(Insurance(4, 0.6, grows=0.0), Market(0, 0.4, 0), id="4 above 60"),
        pytest.param(Insurance(4, 0.7, 0.6, grows=0.0), Market(0.03, 0.6, 0.03), id="cap 60 %"),
        pytest.param(Insurance(8, 0.8, 1.0, 0.8), Market(0.04, 0.2, 0.04), id="ratchet"),
        pytest.param(Insurance(6, 0.8, grows=0.003), Market(0.04, 0.3, 0.04), id="growing floor"),
        pytest.param(Insurance(8, 0.8), Market(0.08, 0.2, 0.04), id="floor earns bills"),
    ],
)
def test_the_chance_is_that_of_many_paths_by_the_very_rule(rule, market):
    chance, error = drawn(rule, market)
    assert chance > 20 * error, "the paths say something"
    found = gap_chance(rule, years=1, steps=12, market=market)
    assert abs(found - chance) < 4 * error + 0.005 * chance


@settings(max_examples=30)
@given(st.floats(1.5, 10), st.floats(0.3, 0.95), st.floats(0.05, 0.6), st.floats(0.0, 0.08))
def test_without_a_cap_it_is_the_closed_form(multiplier, floor, sigma, rate):
    market = Market(mu=rate, sigma=sigma, rate=rate)
    closed = gap_risk(1, floor, years=1, steps=12, market=market, multiplier=multiplier).shortfall
    rule = Insurance(multiplier, floor, None)
    found = gap_chance(rule, years=1, steps=12, market=market)
    assert found == pytest.approx(closed, rel=1e-6, abs=1e-15)


@settings(max_examples=30)
@given(st.floats(1.5, 10), st.floats(0.3, 0.95), st.floats(0.1, 1.0), st.floats(0.05, 0.6))
def test_a_cap_lies_between_what_it_leaves_now_and_none_at_all(multiplier, floor, cap, sigma):
    market = Market(mu=0.0, sigma=sigma, rate=0.0)
    rule = Insurance(multiplier, floor, cap, grows=0.0)
    least, most = (
        gap_risk(1, floor, years=1, steps=12, market=market, multiplier=one).step
        for one in (rule.multiplier_now, multiplier)
    )
    found = gap_chance(rule, years=1, steps=12, market=market)
    assert least * (1 - 1e-6) <= found <= -math.expm1(12 * math.log1p(-most)) * 1.01 + 1e-12


def test_what_cannot_fall_breaks_no_floor_and_what_is_below_it_has():
    quiet = Market(0.02, 0.0, 0.02)
    assert gap_chance(Insurance(8, 0.8), years=1, steps=12, market=quiet) == 0
    assert gap_chance(Insurance(8, 0.0), years=1, steps=12, market=STILL) == 0
    assert gap_chance(Insurance(8, 1.2), years=1, steps=12, market=STILL) == 1


def test_it_is_the_same_every_time_and_takes_no_time():
    rule = Insurance(6, 0.8, grows=0.0)
    started = time.process_time()
    found = {gap_chance(rule, years=1, steps=12, market=STILL) for _ in range(10)}
    assert len(found) == 1
    assert time.process_time() - started < 0.5
