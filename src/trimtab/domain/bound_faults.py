"""Finds bounds of minimum variance that no weights keep together, all such at once.

They are faults of a file that is read, not of a policy that is in force already.
"""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from trimtab.domain.aims import BoundRule
from trimtab.domain.numbers import ONE, Weight
from trimtab.domain.policy import ClassRule, HouseholdFile
from trimtab.domain.reading import is_known

_PATH = "strategy.minimum_variance.bounds"
_KEEPS_CASH = ("momentum",)
"""Strategies that leave the weight of cash as it is."""


class Limit(NamedTuple):
    """`classes` together have at most `size`, or at least where `is_least`.

    `number` is that of the bound it is of, 0 for what no bound says: what all classes add up to,
    and the target of cash.
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
    base, names = file.household.base_currency, frozenset(classes)
    if not is_known(base, *(one.members for one in classes.values())):
        return
    cash = frozenset(name for name, one in classes.items() if one.members == (base,))
    if cash == names:
        return
    yield from _of_cash_alone(rule.bounds, cash)
    limits = [*_limits(rule.bounds, names, cash), *_whole(names), *_of_cash(file, cash)]
    while not may_hold(limits, names):
        core = core_of(limits, names)
        bounds = [limit for limit in core if limit.number]
        yield _sentence(bounds, core, cash)
        limits.remove(bounds[-1])


def _of_cash_alone(bounds: Iterable[BoundRule], cash: frozenset[str]) -> Iterator[str]:
    for number, bound in enumerate(bounds, 1):
        if is_known(bound) and is_known(bound.classes) and cash and cash.issuperset(bound.classes):
            for name in set(bound.classes):
                yield (
                    f"{_PATH}[{number}].classes: {name} keeps its own target, whatever bounds say; "
                    "change that target, and remove the bound"
                )


def _limits(
    bounds: Iterable[BoundRule], names: frozenset[str], cash: frozenset[str]
) -> Iterator[Limit]:
    """What *bounds* ask for, but for those that are a fault by themselves."""
    for number, bound in enumerate(bounds, 1):
        if not is_known(bound) or not is_known(bound.classes, bound.least, bound.most):
            continue
        classes = frozenset(bound.classes) & names
        if classes <= cash or bound.least > bound.most:
            continue
        if bound.least > 0:
            yield Limit(number, classes, bound.least, is_least=True)
        if bound.most < ONE:
            yield Limit(number, classes, bound.most, is_least=False)


def _whole(names: frozenset[str]) -> Iterator[Limit]:
    """All classes add up to one."""
    yield Limit(0, names, ONE, is_least=False)
    yield Limit(0, names, ONE, is_least=True)


def _of_cash(file: HouseholdFile, cash: frozenset[str]) -> Iterator[Limit]:
    """Cash has its own target, where that is known and nothing may change it before."""
    layers = file.strategy.layers
    is_fixed = (
        is_known(file.glide, layers)
        and not file.glide.points
        and "minimum_variance" in layers
        and all(name in _KEEPS_CASH for name in layers[: layers.index("minimum_variance")])
    )
    for name in cash if is_fixed else ():
        target = _target(file, file.classes[name])
        if target is not None and target <= ONE:
            yield Limit(0, frozenset({name}), target, is_least=False)
            yield Limit(0, frozenset({name}), target, is_least=True)


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


def _sentence(bounds: Sequence[Limit], core: Sequence[Limit], cash: frozenset[str]) -> str:
    parts = [str(limit) for limit in bounds]
    given = [limit for limit in core if not limit.number]
    targets = {limit.classes: limit.size for limit in given if limit.classes <= cash}
    parts += [f"{' '.join(one)} at its target of {size}" for one, size in targets.items()]
    if any(not limit.classes <= cash for limit in given):
        parts.append("a sum of 1")
    *first, last = parts
    return f"{_PATH}: no weights keep {', '.join(first)} and {last}; widen one of them"
