"""The household's own targets: shared out within groups, or gliding from point to point."""

import datetime as dt
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from trimtab.domain.aims import GlidePoint, GlideRule, GroupRule
from trimtab.domain.policy import ClassRule, Policy
from trimtab.rules.targets.base import day_of, own_targets

TODAY = dt.date(2026, 7, 1)
NO_GLIDE = GlideRule()
EVEN = {"stocks": Decimal("0.6"), "bonds": Decimal("0.4")}


def policy(glide: GlideRule = NO_GLIDE) -> Policy:
    return Policy(
        classes={
            "stocks": ClassRule(target=Decimal("0.6"), members=("VTI",)),
            "bonds": ClassRule(target=Decimal("0.4"), members=("BND",)),
        },
        glide=glide,
    )


def point(on: dt.date | None, stocks: str, age: int | None = None) -> GlidePoint:
    share = Decimal(stocks)
    return GlidePoint(on=on, age=age, targets={"stocks": share, "bonds": 1 - share})


PATH = GlideRule(points=(point(dt.date(2026, 1, 1), "0.8"), point(dt.date(2036, 1, 1), "0.4")))


def test_without_a_glide_path_the_targets_are_those_of_the_classes():
    assert own_targets(policy(), TODAY) == EVEN


def test_a_class_of_a_group_has_its_part_of_the_groups_target():
    nested = Policy(
        classes={
            "us": ClassRule(target=Decimal("0.7"), members=("VTI",), group="stocks"),
            "world": ClassRule(target=Decimal("0.3"), members=("VXUS",), group="stocks"),
            "bonds": ClassRule(target=Decimal("0.4"), members=("BND",)),
        },
        groups={"stocks": GroupRule(target=Decimal("0.6"))},
    )
    assert own_targets(nested, TODAY) == {
        "us": Decimal("0.42"),
        "world": Decimal("0.18"),
        "bonds": Decimal("0.4"),
    }


def test_half_way_between_two_points_the_targets_are_half_way():
    middle = dt.date(2026, 1, 1) + (dt.date(2036, 1, 1) - dt.date(2026, 1, 1)) / 2
    assert own_targets(policy(PATH), middle) == {
        "stocks": Decimal("0.600000"),
        "bonds": Decimal("0.400000"),
    }


def test_before_the_first_point_and_after_the_last_the_path_is_level():
    assert own_targets(policy(PATH), dt.date(2020, 1, 1))["stocks"] == Decimal("0.8")
    assert own_targets(policy(PATH), dt.date(2036, 1, 1))["stocks"] == Decimal("0.4")
    assert own_targets(policy(PATH), dt.date(2050, 1, 1))["stocks"] == Decimal("0.4")


def test_an_age_is_reached_on_the_birthday_and_on_1_march_by_who_is_born_on_29_february():
    old = point(None, "0.5", age=65)
    assert day_of(old, GlideRule(born=dt.date(1970, 5, 17))) == dt.date(2035, 5, 17)
    assert day_of(old, GlideRule(born=dt.date(1972, 2, 29))) == dt.date(2037, 3, 1)


@given(st.dates(dt.date(2025, 1, 1), dt.date(2037, 1, 1)), st.integers(0, 100), st.integers(0, 100))
def test_gliding_targets_add_up_to_one_and_stay_between_their_points(today, first, last):
    path = GlideRule(
        points=(
            point(dt.date(2026, 1, 1), str(Decimal(first) / 100)),
            point(dt.date(2036, 1, 1), str(Decimal(last) / 100)),
        )
    )
    targets = own_targets(policy(path), today)
    assert sum(targets.values()) == 1
    low, high = sorted([Decimal(first) / 100, Decimal(last) / 100])
    assert low - Decimal("0.000001") <= targets["stocks"] <= high + Decimal("0.000001")
