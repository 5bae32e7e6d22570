"""Checks what a household file says of groups, glide paths and strategies against its classes."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import pairwise
from typing import TypeVar

from trimtab.domain.aims import CppiRule, GlidePoint, StrategyRule
from trimtab.domain.numbers import ONE, ZERO
from trimtab.domain.policy import ClassRule, HouseholdFile
from trimtab.domain.reading import is_known, join, one_of

_Rule = TypeVar("_Rule")
_NEEDED = {
    "fixed": ("amount",),
    "accruing": ("amount",),
    "dated": ("amount", "until"),
    "ratchet": ("keeps",),
}
"""What each kind of floor must be told beside its name."""


def aim_faults(file: HouseholdFile) -> Iterator[str]:
    """Where targets do not add up, or a rule of what to hold names what is not there."""
    yield from _target_faults(file)
    if is_known(file.glide) and is_known(file.glide.points) and is_known(file.classes):
        yield from _glide_faults(file)
    if is_known(file.strategy):
        yield from _strategy_faults(file)


def sum_faults(what: str, targets: Iterable[Decimal]) -> Iterator[str]:
    """A sentence where *targets* are known and do not add up to one."""
    weights = list(targets)
    if not is_known(*weights):
        return
    difference = sum(weights, ZERO) - ONE
    if difference != 0:
        word, change = ("over", "lower") if difference > 0 else ("short of", "raise")
        size = f"{abs(difference):f}"
        yield (
            f"{what} add up to {difference + ONE:f}, {size} {word} 1; "
            f"{change} one or more of them by {size} in all"
        )


def _known(table: Mapping[str, _Rule]) -> dict[str, _Rule] | None:
    """The table, where all of it could be read."""
    return dict(table) if is_known(table) and is_known(*table.values()) else None


def _target_faults(file: HouseholdFile) -> Iterator[str]:
    classes, groups = _known(file.classes), _known(file.groups)
    if not classes or groups is None:
        return
    of_group: dict[str, list[ClassRule]] = {name: [] for name in groups}
    alone = []
    for name, rule in classes.items():
        if not is_known(rule.group):
            return
        if rule.group is None:
            alone.append(rule.target)
        elif rule.group in groups:
            of_group[rule.group].append(rule)
        else:
            path = join("classes", name)
            yield f'{path}.group: there is no group "{rule.group}"; {_write(rule.group, groups)}'
            return
    for name, members in of_group.items():
        path = join("groups", name)
        if members:
            yield from sum_faults(
                f"{path}: the targets of its classes", [m.target for m in members]
            )
        else:
            yield f'{path}: no class is in it; write group = "{name}" in a class, or remove it'
    what = "classes: the targets" if not groups else "groups and classes outside: the targets"
    yield from sum_faults(what, [*alone, *(rule.target for rule in groups.values())])


def _write(name: str, groups: Mapping[str, object]) -> str:
    if groups:
        return f"write {one_of(name, groups)}"
    return f"write [groups.{name}] with its target, or remove this line"


# ------------------------------------------------------------------ glide paths


def _glide_faults(file: HouseholdFile) -> Iterator[str]:
    points = file.glide.points
    if not is_known(*points) or not all(
        is_known(point.on, point.age, point.targets) for point in points
    ):
        return
    if file.glide.born is None and any(point.age is not None for point in points):
        yield "glide.born: ages are counted from a day of birth; write born = 1970-01-31"
    for number, point in enumerate(points, 1):
        yield from _point_faults(file, point, f"glide.points[{number}]")
    days = [_day(point, file) for point in points]
    for number, (one, two) in enumerate(pairwise(days), 2):
        if one is not None and two is not None and two <= one:
            yield f"glide.points[{number}]: it is not later than the one before; put them in order"


def _point_faults(file: HouseholdFile, point: GlidePoint, path: str) -> Iterator[str]:
    if (point.on is None) == (point.age is None):
        yield f"{path}: give its date with on or its age with age, one of the two"
    for name in point.targets:
        if name not in file.classes:
            yield f'{path}.targets: there is no class "{name}"; {_class(name, file)}'
    for name in file.classes:
        if name not in point.targets:
            yield f"{path}.targets: {name} has none; give every class one, 0 where it ends"
    yield from sum_faults(f"{path}.targets: they", point.targets.values())


def _day(point: GlidePoint, file: HouseholdFile) -> float | None:
    """When a point is, in years, near enough to say which of two is later."""
    if point.on is not None:
        return point.on.year + point.on.timetuple().tm_yday / 366
    born = file.glide.born
    if point.age is None or born is None or not is_known(born):
        return None
    return born.year + point.age + born.timetuple().tm_yday / 366


def _class(name: str, file: HouseholdFile) -> str:
    return f"write {one_of(name, file.classes)}"


# ------------------------------------------------------------------ strategies


def _strategy_faults(file: HouseholdFile) -> Iterator[str]:
    rule = file.strategy
    if not is_known(rule.layers):
        return
    if len(set(rule.layers)) < len(rule.layers):
        yield "strategy.layers: a layer stands twice; name each once"
    if "cppi" in rule.layers and is_known(rule.cppi):
        yield from _cppi_faults(file, rule.cppi)
        if rule.layers[-1] != "cppi":
            yield "strategy.layers: cppi guards what the others want; write it last"
    if is_known(rule.minimum_variance) and is_known(rule.minimum_variance.bounds):
        yield from _bound_faults(file, rule)
    momentum = rule.momentum
    if (
        is_known(momentum)
        and is_known(momentum.months, momentum.skip)
        and momentum.skip >= momentum.months
    ):
        yield "strategy.momentum.skip: nothing is left of its months; write fewer than months"


def _cppi_faults(file: HouseholdFile, rule: CppiRule) -> Iterator[str]:
    if not is_known(rule.floor):
        return
    for key in _NEEDED.get(rule.floor, ()):
        if getattr(rule, key) is None:
            example = {"amount": "80000", "until": "2036-01-02", "keeps": "0.80"}[key]
            yield f'strategy.cppi.{key}: floor = "{rule.floor}" needs it; write {key} = {example}'
    if rule.floor == "reserve" and file.reserve is None:
        yield 'strategy.cppi.floor: there is no operating reserve; write [reserve], or "ratchet"'


def _bound_faults(file: HouseholdFile, rule: StrategyRule) -> Iterator[str]:
    for number, bound in enumerate(rule.minimum_variance.bounds, 1):
        path = f"strategy.minimum_variance.bounds[{number}]"
        if not is_known(bound):
            continue
        for name in bound.classes if is_known(bound.classes, file.classes) else ():
            if name not in file.classes:
                yield f'{path}.classes: there is no class "{name}"; {_class(name, file)}'
        if is_known(bound.classes) and not bound.classes:
            yield f"{path}.classes: empty; name at least one class"
        if is_known(bound.least, bound.most) and bound.least > bound.most:
            yield f"{path}: least is above most; write least = {bound.most}"
