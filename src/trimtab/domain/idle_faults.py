"""Finds settings of strategies that can do nothing, which nobody writes on purpose.

They are faults of a file that is read, not of a policy that is in force already.
"""

from collections import Counter
from collections.abc import Iterator

from trimtab.domain.aims import BoundRule, CppiRule, StrategyRule
from trimtab.domain.numbers import ONE, ZERO
from trimtab.domain.policy import HouseholdFile
from trimtab.domain.reading import is_known, join

_BUILT_IN = ("minimum_variance", "momentum", "cppi")


def idle_faults(file: HouseholdFile) -> Iterator[str]:
    """Settings of strategies that do nothing, one sentence each."""
    rule = file.strategy
    if not is_known(rule) or not is_known(rule.layers):
        return
    if is_known(rule.cppi):
        yield from _cppi_faults(rule.cppi)
    if is_known(rule.minimum_variance) and is_known(rule.minimum_variance.bounds):
        for number, bound in enumerate(rule.minimum_variance.bounds, 1):
            if is_known(bound) and is_known(bound.classes, bound.least, bound.most):
                yield from _bound_faults(bound, f"strategy.minimum_variance.bounds[{number}]")
    yield from _settings_faults(rule)


def _cppi_faults(rule: CppiRule) -> Iterator[str]:
    if not is_known(rule.floor):
        return
    if rule.floor == "reserve" and rule.amount is not None and is_known(rule.amount):
        yield (
            'strategy.cppi.amount: floor = "reserve" takes its own amount; remove this line, or '
            'write floor = "fixed"'
        )
    if rule.floor == "ratchet" and rule.keeps == ONE:
        yield (
            "strategy.cppi.keeps: 1 leaves nothing above the floor, so no risk could ever be "
            "taken; write less, such as 0.80"
        )


def _bound_faults(bound: BoundRule, path: str) -> Iterator[str]:
    if bound.least == ZERO and bound.most == ONE:
        yield f"{path}: it bounds nothing; write least or most, or remove it"
    for name, count in Counter(bound.classes).items():
        if count > 1:
            yield f"{path}.classes: {name} stands there {count} times; name it once"


def _settings_faults(rule: StrategyRule) -> Iterator[str]:
    for name in rule.settings if is_known(rule.settings) else ():
        if name in _BUILT_IN:
            path = join("strategy.settings", name)
            yield f"{path}: settings are those of plug-ins; write [strategy.{name}]"
