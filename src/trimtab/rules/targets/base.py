"""The household's own targets: fixed, shared out within groups, or gliding from date to date."""

import datetime as dt
from itertools import pairwise

from trimtab.domain.aims import GlidePoint, GlideRule
from trimtab.domain.numbers import Weight
from trimtab.domain.policy import Policy


def own_targets(policy: Policy, today: dt.date) -> dict[str, Weight]:
    """The target of every class on *today*, as a part of the whole; they add up to one.

    A class in a group has its part of the group's target. Where there is a glide path, it says the
    targets instead.
    """
    if policy.glide.points:
        return _gliding(policy, today)
    return {
        name: rule.target if rule.group is None else rule.target * policy.groups[rule.group].target
        for name, rule in policy.classes.items()
    }


def day_of(point: GlidePoint, glide: GlideRule) -> dt.date:
    """The day of a point of a glide path: its date, or the birthday at its age.

    Who is born on 29 February has the birthday on 1 March in other years.
    """
    if point.on is not None:
        return point.on
    assert point.age is not None, "a point has a date or an age"
    assert glide.born is not None, "ages are counted from a day of birth"
    year = glide.born.year + point.age
    try:
        return glide.born.replace(year=year)
    except ValueError:
        return dt.date(year, 3, 1)


def _gliding(policy: Policy, today: dt.date) -> dict[str, Weight]:
    """Targets between the two points around *today*, in proportion to the days.

    The largest takes what rounding leaves, so that they add up to one.
    """
    glide = policy.glide
    points = [(day_of(point, glide), point.targets) for point in glide.points]
    if today <= points[0][0]:
        return {name: points[0][1][name] for name in policy.classes}
    for (start, before), (end, after) in pairwise(points):
        if today < end:
            part = Weight((today - start).days) / Weight((end - start).days)
            targets = {
                name: (before[name] + part * (after[name] - before[name])).quantize(_GRAIN)
                for name in policy.classes
            }
            largest = max(targets, key=lambda name: targets[name])
            targets[largest] += 1 - sum(targets.values())
            return targets
    return {name: points[-1][1][name] for name in policy.classes}


_GRAIN = Weight("0.000001")
"""Targets in between are told to a ten-thousandth of a percent."""
