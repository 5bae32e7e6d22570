"""Finds bounds of minimum variance that no weights keep together, all such at once.

They are faults of a file that is read, not of a policy that is in force already.
"""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from trimtab.domain.aims import BoundRule
from trimtab.domain.numbers import ONE, ZERO, Weight
from trimtab.domain.policy import ClassRule, HouseholdFile
from trimtab.domain.reading import is_known

_PATH = "strategy.minimum_variance.bounds"
_KEEPS_CASH = ("momentum",)
"""Strategies that leave the weight of cash as it is."""


class Limit(NamedTuple):
    """`classes` together have at most `size`, or at least where `is_least`.

    `number` is that of the bound it is of, 0 for what all classes add up to.
    """

    number: int
    classes: frozenset[str]
    size: Weight
    is_least: bool

    def __str__(self) -> str:
        """As a part of a sentence."""
        word = "at least" if self.is_least else "at most"
        return f"[{self.number}] {' and '.join(sorted(self.classes))} {word} {self.size}"


def bound_faults(file: HouseholdFile) -> Iterator[str]:
    """Each set of bounds that no weights keep, of which none can be left out."""
    rule = file.strategy.minimum_variance if is_known(file.strategy) else None
    classes = dict(file.classes) if is_known(file.classes) else {}
    if rule is None or not is_known(rule) or not is_known(rule.bounds) or not rule.bounds:
        return
    if not is_known(*classes.values(), file.household):
        return
    cash = {name for name, one in classes.items() if one.members == (file.household.base_currency,)}
    weighed = frozenset(classes) - cash
    if not weighed:
        return
    limits = [*_limits(rule.bounds, weighed), *_whole(file, weighed, cash)]
    while not may_hold(limits, weighed):
        core = core_of(limits, weighed)
        bounds = [limit for limit in core if limit.number]
        yield _sentence(bounds, core, beside=" beside the cash" if cash else "")
        limits.remove(bounds[-1])


def _limits(bounds: Iterable[BoundRule], weighed: frozenset[str]) -> Iterator[Limit]:
    """What *bounds* ask for, but for those that are a fault by themselves."""
    for number, bound in enumerate(bounds, 1):
        if not is_known(bound) or not is_known(bound.classes, bound.least, bound.most):
            continue
        classes = frozenset(bound.classes) & weighed
        if not classes or bound.least > bound.most:
            continue
        if bound.least > 0:
            yield Limit(number, classes, bound.least, is_least=True)
        if bound.most < ONE:
            yield Limit(number, classes, bound.most, is_least=False)


def _whole(file: HouseholdFile, weighed: frozenset[str], cash: set[str]) -> Iterator[Limit]:
    """All that is *weighed* adds up to what cash leaves; to one at most where that may change."""
    targets = [_target(file, file.classes[name]) for name in cash]
    layers = file.strategy.layers
    is_fixed = (
        is_known(file.glide, layers)
        and not file.glide.points
        and "minimum_variance" in layers
        and all(name in _KEEPS_CASH for name in layers[: layers.index("minimum_variance")])
    )
    known = [target for target in targets if target is not None]
    if len(known) < len(targets) or (cash and not is_fixed):
        yield Limit(0, weighed, ONE, is_least=False)
        return
    room = max(ZERO, ONE - sum(known, ZERO))
    yield Limit(0, weighed, room, is_least=False)
    yield Limit(0, weighed, room, is_least=True)


def _target(file: HouseholdFile, rule: ClassRule) -> Weight | None:
    """The class's own target as a part of the whole; None where it could not be read."""
    if not is_known(rule.target, rule.group):
        return None
    if rule.group is None:
        return rule.target
    group = file.groups.get(rule.group) if is_known(file.groups) else None
    return None if group is None or not is_known(group) else rule.target * group.target


def core_of(limits: Sequence[Limit], names: frozenset[str]) -> list[Limit]:
    """Limits that contradict each other, of which none can be left out.

    Source: Chinneck & Dravnieks 1991, the deletion filter.
    """
    core = list(limits)
    for limit in limits:
        fewer = [one for one in core if one != limit]
        if not may_hold(fewer, names):
            core = fewer
    return core


def may_hold(limits: Sequence[Limit], names: Iterable[str]) -> bool:
    """Whether some weights of zero or more keep all *limits*; exact.

    The dual simplex method without an objective, by the rule of the least index, which never
    cycles (Lemke 1954; Bland 1977). A row is a limit as `weights + slack = size`.
    """
    order = sorted(names)
    rows = [
        [Fraction(sign * (name in limit.classes)) for name in order] + [sign * Fraction(limit.size)]
        for limit in limits
        for sign in (-1 if limit.is_least else 1,)
    ]
    free = list(range(len(order)))
    basic = list(range(len(order), len(order) + len(rows)))
    while True:
        below = [row for row, numbers in enumerate(rows) if numbers[-1] < 0]
        if not below:
            return True
        row = min(below, key=lambda one: basic[one])
        places = [place for place in range(len(order)) if rows[row][place] < 0]
        if not places:
            return False
        place = min(places, key=lambda one: free[one])
        _pivot(rows, row, place)
        basic[row], free[place] = free[place], basic[row]


def _pivot(rows: list[list[Fraction]], row: int, place: int) -> None:
    """Solve *row* for the variable at *place*, and put that into the others."""
    by = rows[row][place]
    solved = [number / by for number in rows[row]]
    solved[place] = 1 / by
    for other, numbers in enumerate(rows):
        if other != row:
            times = numbers[place]
            rows[other] = [
                number - times * part for number, part in zip(numbers, solved, strict=True)
            ]
            rows[other][place] = -times / by
    rows[row] = solved


def _sentence(bounds: Sequence[Limit], core: Sequence[Limit], *, beside: str) -> str:
    parts = [str(limit) for limit in bounds]
    if len(bounds) < len(core):
        parts.append(f"a sum of {next(limit.size for limit in core if not limit.number)}{beside}")
    *first, last = parts
    return f"{_PATH}: no weights keep {', '.join(first)} and {last}; widen one of them"
