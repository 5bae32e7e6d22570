"""Inside CPPI's band new money is not drawn into risk by targets of an earlier day."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.domain.aim import Aim
from trimtab.domain.aims import CppiRule, StrategyRule
from trimtab.domain.numbers import Money, Weight, to_decimal
from trimtab.domain.policy import ClassRule, Policy
from trimtab.rules.targets.aim import Outlook, aim_of
from trimtab.rules.targets.guarded import Cppi
from trimtab.rules.targets.view import Past, Savings

MONDAY = dt.date(2026, 3, 2)
LEAST = Decimal("0.02")
FINE = Decimal("0.00001")
NO_PAST = Past((), np.empty((0, 4)))


def guarded(floor: str = "ratchet") -> Policy:
    """Stocks, the world and coins at risk beside bonds, under CPPI alone."""
    rule = CppiRule(floor=floor, amount=Decimal(80_000), keeps=Decimal("0.80"))  # type: ignore[arg-type]  # one of them
    return Policy(
        classes={
            "stocks": ClassRule(target=Decimal("0.40"), members=("VTI",)),
            "world": ClassRule(target=Decimal("0.15"), members=("VXUS",)),
            "coins": ClassRule(target=Decimal("0.05"), members=("BTC-USD",)),
            "bonds": ClassRule(target=Decimal("0.40"), members=("BND",), risk="safe"),
        },
        strategy=StrategyRule(layers=("cppi",), move_least=LEAST, cppi=rule),
    )


def look(
    policy: Policy, before: Aim | None, days: int, risky: Money, safe: Money, flow: Money
) -> Aim:
    savings = Savings(risky + safe, held={"stocks": risky, "bonds": safe}, flow=flow)
    outlook = Outlook((Cppi.of(policy),), NO_PAST)
    found = aim_of(policy, outlook, before, MONDAY + dt.timedelta(days=days), savings)
    assert found is not None
    return found


def at_risk(aim: Aim) -> Weight:
    return 1 - aim.targets["bonds"]


def test_new_money_above_the_formula_finds_no_target_in_risky_classes():
    """60,000 of 100,000 fell to 58,200; the formula of 99,700 wants 55,500, which is in its band.

    The targets of the first day, which a move of 1.6 points does not change, would have drawn all
    of the 1,500 that came in into risk: 60 % of 99,700 is 59,820.
    """
    policy = guarded()
    first = look(policy, None, 0, Decimal(60_000), Decimal(40_000), Decimal(0))
    assert at_risk(first) == Decimal("0.60")
    fallen = look(policy, first, 1, Decimal(58_200), Decimal(40_000), Decimal(0))
    paid_in = look(policy, fallen, 2, Decimal(58_200), Decimal(41_500), Decimal(1_500))
    assert not paid_in.layers[0].insists
    assert 58_200 - 1 < at_risk(paid_in) * 99_700 <= 58_200
    assert paid_in.sentence == (
        "The targets of risky classes come down from 59.27 % to 58.38 % of the savings together: "
        "cppi allows no more now."
    )
    assert "so the exposure stays; no more is aimed at." in paid_in.layers[0].sentences[1]


def test_each_side_keeps_its_proportions():
    policy = guarded()
    first = look(policy, None, 0, Decimal(60_000), Decimal(40_000), Decimal(0))
    fallen = look(policy, first, 1, Decimal(58_200), Decimal(40_000), Decimal(0))
    part = Decimal(58_200) / 98_200
    for name, share in {"stocks": 40, "world": 15, "coins": 5}.items():
        assert fallen.targets[name] == pytest.approx(part * share / 60, abs=FINE)
    assert sum(fallen.targets.values()) == 1


def test_new_money_below_the_formula_is_invested_up_to_it():
    policy = guarded("fixed")
    first = look(policy, None, 0, Decimal(60_000), Decimal(40_000), Decimal(0))
    paid_in = look(policy, first, 1, Decimal(60_000), Decimal(40_500), Decimal(500))
    assert paid_in.layers[0].risky_max == Decimal(61_500) / 100_500
    assert paid_in.targets == first.targets


def test_while_all_is_locked_what_was_wanted_before_draws_no_money():
    """Nothing was bought yet of 1.5 % at risk when the savings fell to the floor."""
    policy = guarded("fixed")
    first = look(policy, None, 0, Decimal(0), Decimal(80_400), Decimal(0))
    assert at_risk(first) == pytest.approx(Decimal(1_200) / 80_400, abs=FINE)
    locked = look(policy, first, 1, Decimal(0), Decimal(79_900), Decimal(-500))
    assert not locked.layers[0].insists
    assert at_risk(locked) == 0


@given(
    floor=st.sampled_from(["ratchet", "fixed"]),
    days=st.lists(
        st.tuples(st.integers(-40, 40), st.sampled_from([0, 0, 500, 2_000, 9_000, -2_000])),
        min_size=1,
        max_size=25,
    ),
)
def test_targets_in_force_never_ask_for_more_risk_than_is_held_or_wanted(floor, days):
    """*days* are moves of the market in tenths of a percent, and money that comes or goes.

    What insists is traded at once, and new money follows the targets. Inside the band these stay
    near what is held, so that the guard itself causes no drift that calls for a trade.
    """
    policy, aim = guarded(floor), None
    risky, safe = Decimal(60_000), Decimal(40_000)
    for number, (moved, flow) in enumerate(days):
        risky += risky * moved / 1_000
        safe = max(Decimal(0), safe + flow)
        aim = look(policy, aim, number, risky, safe, Decimal(flow))
        (layer,), value = aim.layers, risky + safe
        wanted = to_decimal(layer.figures["exposure"], 6) if layer.insists else None
        most = layer.risky_max
        assert most is not None
        assert at_risk(aim) <= most + FINE
        if wanted is None:
            assert most * value >= risky - 1
            assert abs(at_risk(aim) - risky / value) < LEAST + FINE
            bought = min(
                max(Decimal(0), Decimal(flow)), max(Decimal(0), at_risk(aim) * value - risky)
            )
            assert risky + bought <= max(risky, most * value) + 1
        else:
            bought = wanted - risky
        risky, safe = risky + bought, safe - bought
