"""Settings of strategies that do nothing, stand in the wrong place or contradict each other."""

import random
from collections.abc import Sequence
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.domain.household_files import GOOD, faults_of

from trimtab.domain.aims import StrategyRule
from trimtab.domain.bound_faults import Limit, core_of, may_hold
from trimtab.domain.household import apply_policy, decode_household

BOUNDS = "[strategy.minimum_variance]\nbounds = [{}]\n"
PATH = "strategy.minimum_variance.bounds"
LAYER = '[strategy]\nlayers = ["minimum_variance"]\n'


def written(text: str) -> tuple[str, ...]:
    return faults_of(f"{GOOD}\n{text}")


def bounded(*bounds: str, layer: str = LAYER) -> str:
    return layer + BOUNDS.format(", ".join(f"{{ {bound} }}" for bound in bounds))


# ------------------------------------------------------------------ what can do nothing


@pytest.mark.parametrize("keeps", ["0.80", "0.90"], ids=["the default written out", "another"])
@pytest.mark.parametrize("floor", ["fixed", "accruing", "dated", "reserve"])
def test_a_part_of_the_highest_value_is_kept_by_a_ratchet_only(floor, keeps):
    more = {"reserve": "", "dated": "amount = 800\nuntil = 2036-01-02\n"}
    text = f'[strategy.cppi]\nfloor = "{floor}"\n{more.get(floor, "amount = 800")}\n'
    assert decode_household(f"{GOOD}\n{text}").strategy.cppi.keeps == Decimal("0.80")
    assert written(f"{text}keeps = {keeps}\n") == (
        'strategy.cppi.keeps: used only with floor = "ratchet"; write that or remove this line',
    )


def test_a_cap_of_nothing_is_refused():
    (told,) = written("[strategy.cppi]\ncap = 0\n")
    assert told == (
        "strategy.cppi.cap: 0 lets no risk ever be taken; write more, such as 0.60, or remove this "
        "line"
    )


@pytest.mark.parametrize("setting", ["6", '"x"', "{ months = 6 }", '{ months = "6" }', "{}"])
@pytest.mark.parametrize("name", ["minimum_variance", "momentum", "cppi"])
def test_settings_of_trimtabs_own_strategies_are_answered_with_one_place_to_write_them(
    name, setting
):
    assert written(f"[strategy]\nsettings = {{ {name} = {setting} }}\n") == (
        f"strategy.settings.{name}: settings are those of plug-ins; write [strategy.{name}]",
    )


def test_settings_of_plug_ins_are_still_read_as_they_stand():
    text = '[strategy]\nsettings = { momentum = 6, calm = { days = 6 }, mild = { days = "6" } }\n'
    assert written(text) == (
        "strategy.settings.momentum: settings are those of plug-ins; write [strategy.momentum]",
        'strategy.settings.calm.days: expected text, found 6; write for example "text"',
    )


def test_a_bound_that_cannot_be_read_hides_no_class_that_is_not_there():
    range_fault, class_fault = written(bounded('classes = ["gold"], least = 2'))
    assert range_fault.startswith(f"{PATH}[1].least: 2 is out of range")
    assert class_fault.startswith(f'{PATH}[1].classes: there is no class "gold"')


# ------------------------------------------------------------------ bounds against each other

STOCKS, BONDS = 'classes = ["stocks"]', 'classes = ["bonds"]'
BOTH = 'classes = ["stocks", "bonds"]'
WITH_CASH = 'classes = ["bonds", "cash"]'


@pytest.mark.parametrize(
    ("bounds", "told"),
    [
        pytest.param(
            (f"{BONDS}, least = 0.6", f"{BONDS}, most = 0.4"),
            "[1] bonds at least 0.6 and [2] bonds at most 0.4",
            id="two bounds of a class",
        ),
        pytest.param(
            (f"{BONDS}, least = 0.5", f"{STOCKS}, least = 0.45"),
            "[1] bonds at least 0.5, [2] stocks at least 0.45, cash at its target of 0.1 and a "
            "sum of 1",
            id="too much in all",
        ),
        pytest.param(
            (f"{BONDS}, most = 0.5", f"{STOCKS}, most = 0.3"),
            "[1] bonds at most 0.5, [2] stocks at most 0.3, cash at its target of 0.1 and a sum "
            "of 1",
            id="too little in all",
        ),
        pytest.param(
            (f"{BONDS}, least = 0.95",),
            "[1] bonds at least 0.95, cash at its target of 0.1 and a sum of 1",
            id="no room beside the cash",
        ),
        pytest.param(
            (f"{WITH_CASH}, most = 0.05",),
            "[1] bonds and cash at most 0.05 and cash at its target of 0.1",
            id="cash alone has more",
        ),
        pytest.param(
            (f"{WITH_CASH}, most = 0.5", f"{BONDS}, least = 0.45"),
            "[1] bonds and cash at most 0.5, [2] bonds at least 0.45 and cash at its target of 0.1",
            id="cash takes its part of a bound",
        ),
    ],
)
def test_bounds_that_no_weights_keep_are_named_together(bounds, told):
    assert written(bounded(*bounds)) == (f"{PATH}: no weights keep {told}; widen one of them",)


def test_bounds_that_cash_helps_to_keep_are_accepted():
    decode_household(f"{GOOD}\n{bounded(f'{WITH_CASH}, least = 0.95')}")
    decode_household(f"{GOOD}\n{bounded(f'{WITH_CASH}, most = 0.5', f'{BONDS}, least = 0.4')}")


@pytest.mark.parametrize("classes", ['["cash"]', '["cash", "cash"]'])
def test_a_bound_of_cash_alone_is_refused_since_cash_keeps_its_target(classes):
    told = written(bounded(f"classes = {classes}, least = 0.5"))
    assert "no weights keep" not in " ".join(told)
    assert told[-1] == (
        f"{PATH}[1].classes: cash keeps its own target, whatever bounds say; change that target, "
        "and remove the bound"
    )


def test_a_group_is_held_against_its_members():
    bounds = (f"{BOTH}, most = 0.5", f"{BONDS}, least = 0.3", f"{STOCKS}, least = 0.3")
    (told,) = written(bounded(*bounds, layer=""))
    assert told == (
        f"{PATH}: no weights keep [1] bonds and stocks at most 0.5, [2] bonds at least 0.3 and "
        "[3] stocks at least 0.3; widen one of them"
    )


def test_all_contradictions_and_all_other_faults_are_told_at_once():
    bounds = (
        f"{BONDS}, least = 0.6, most = 0.5",
        f"{STOCKS}, least = 0.4",
        f"{STOCKS}, most = 0.3",
        f"{STOCKS}, most = 0.2",
        f"{BONDS}, least = 0.7",
        'classes = ["gold"], least = 0.1',
    )
    found = written(bounded(*bounds) + "[strategy.cppi]\ncap = 0\n")
    assert [fault.partition(":")[0] for fault in found] == [
        f"{PATH}[1]",
        f"{PATH}[6].classes",
        "strategy.cppi.cap",
        PATH,
        PATH,
        PATH,
    ]
    assert "[2] stocks at least 0.4 and [4] stocks at most 0.2;" in " ".join(found)
    assert "[2] stocks at least 0.4 and [3] stocks at most 0.3;" in " ".join(found)
    assert "[2] stocks at least 0.4, [5] bonds at least 0.7 and a sum of 1" in " ".join(found)


@pytest.mark.parametrize(
    "layer",
    [
        '[strategy]\nlayers = ["momentum", "minimum_variance"]\n',
        LAYER + "move_least = 0\n",
    ],
    ids=["momentum leaves the cash", "first"],
)
def test_what_cash_leaves_is_known_where_nothing_before_can_change_it(layer):
    assert len(written(bounded(f"{BONDS}, least = 0.95", layer=layer))) == 1


def test_what_cash_leaves_is_not_held_against_bounds_where_it_changes():
    gliding = """[[glide.points]]
on = 2026-01-02
targets = { stocks = 0.6, bonds = 0.3, cash = 0.1 }
[[glide.points]]
on = 2036-01-02
targets = { stocks = 0, bonds = 1, cash = 0 }
"""
    decode_household(f"{GOOD}\n{bounded(f'{BONDS}, least = 0.95')}\n{gliding}")
    plugged = '[strategy]\nlayers = ["calm", "minimum_variance"]\n'
    decode_household(f"{GOOD}\n{bounded(f'{BONDS}, least = 0.95', layer=plugged)}")


def limits_of(drawn: Sequence[tuple[int, int, bool]]) -> list[Limit]:
    """Limits in quarters on subsets of three classes, which add up to one."""
    found = [
        Limit(
            number,
            frozenset(name for place, name in enumerate("abc") if members >> place & 1),
            Decimal(quarters) / 4,
            is_least=is_least,
        )
        for number, (members, quarters, is_least) in enumerate(drawn, 1)
    ]
    whole = [Limit(0, frozenset("abc"), Decimal(1), is_least=side) for side in (True, False)]
    return [*found, *whole]


@given(
    drawn=st.lists(
        st.tuples(st.integers(1, 7), st.integers(0, 4), st.booleans()), min_size=0, max_size=6
    )
)
def test_bounds_are_possible_where_some_weights_in_eighths_keep_them(drawn):
    """Vertices of limits in quarters on three classes have eighths at most: all are tried."""
    limits = limits_of(drawn)
    tried = (
        dict(zip("abc", (a, b, 8 - a - b), strict=True))
        for a, b in product(range(9), repeat=2)
        if a + b <= 8
    )
    kept = any(
        all(
            (sum(eighths[name] for name in one.classes) - 8 * one.size)
            * (1 if one.is_least else -1)
            >= 0
            for one in limits
        )
        for eighths in tried
    )
    assert may_hold(limits, "abc") == kept
    if not kept:
        core = core_of(limits, frozenset("abc"))
        assert not may_hold(core, "abc")
        for one in core:
            assert may_hold([other for other in core if other != one], "abc")


def test_many_overlapping_bounds_are_judged_in_no_time():
    rng = random.Random(1)
    names = [f"c{number}" for number in range(40)]
    limits = [
        Limit(
            number, frozenset(rng.sample(names, 8)), Decimal(rng.randint(1, 9)) / 10, is_least=True
        )
        for number in range(1, 31)
    ]
    limits += [Limit(0, frozenset(names), Decimal(1), is_least=side) for side in (True, False)]
    assert may_hold(limits, names) in {True, False}


# ------------------------------------------------------------------ CPPI needs two sides

CPPI = '[strategy]\nlayers = ["cppi"]\n'
SAFE_STOCKS = GOOD.replace('"EXS1"]', '"EXS1"]\nrisk = "safe"')
NO_BONDS = GOOD.replace('members = ["BND"]\nrisk = "safe"', 'members = ["BND"]')
NO_CASH = NO_BONDS.replace('members = ["USD"]', 'members = ["BTC"]')


def test_cash_is_no_risky_class_whatever_is_written_of_it():
    classes = decode_household(GOOD).classes
    assert classes["cash"].risk == "risky", "it is the default"
    assert {name: one.is_risky("USD") for name, one in classes.items()} == {
        "stocks": True,
        "bonds": False,
        "cash": False,
    }


def test_cppi_over_safe_classes_and_cash_has_nothing_to_risk():
    assert faults_of(f"{SAFE_STOCKS}\n{CPPI}") == (
        'strategy.cppi: no class is risky; write risk = "risky" in one that is not cash',
    )
    decode_household(f"{SAFE_STOCKS}\n")


def test_cash_is_safe_enough_for_cppi_and_without_it_some_class_must_be():
    decode_household(f"{NO_BONDS}\n{CPPI}")
    assert faults_of(f"{NO_CASH}\n{CPPI}") == (
        'strategy.cppi: no class is safe; write risk = "safe" in one, or add one of cash',
    )


def test_a_policy_in_force_is_not_stopped_by_what_only_a_new_file_is_asked():
    file = decode_household(SAFE_STOCKS)
    idle = replace(file.policy(), strategy=StrategyRule(layers=("cppi",)))
    assert apply_policy(file, idle).strategy.layers == ("cppi",)
