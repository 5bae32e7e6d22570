"""Finds settings of strategies that can do nothing, which nobody writes on purpose.

They are faults of a file that is read, not of a policy that is in force already.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from trimtab.domain.aims import BoundRule, CppiRule
from trimtab.domain.numbers import ONE, ZERO
from trimtab.domain.policy import HouseholdFile
from trimtab.domain.reading import is_known, join

_BUILT_IN = ("minimum_variance", "momentum", "cppi")


def without_misplaced(document: Mapping[str, object]) -> tuple[dict[str, object], list[str]]:
    """*document* less the settings of plug-ins that are not of one, with a sentence for each.

    So nothing is said of how to write what stands in the wrong place.
    """
    strategy = document.get("strategy")
    settings = strategy.get("settings") if isinstance(strategy, dict) else None
    if not isinstance(strategy, dict) or not isinstance(settings, dict):
        return dict(document), []
    faults = [
        f"{join('strategy.settings', name)}: settings are those of plug-ins; write "
        f"[strategy.{name}]"
        for name in settings
        if name in _BUILT_IN
    ]
    kept = {name: found for name, found in settings.items() if name not in _BUILT_IN}
    return {**document, "strategy": {**strategy, "settings": kept}}, faults


def idle_faults(file: HouseholdFile, document: Mapping[str, object]) -> Iterator[str]:
    """Settings of strategies that do nothing, one sentence each.

    *document* is what *file* was read from: only there a default can be told from what is written.
    """
    rule = file.strategy
    if not is_known(rule):
        return
    if is_known(rule.cppi):
        yield from _cppi_faults(rule.cppi, _written(document, "strategy", "cppi"))
    if is_known(rule.layers) and "cppi" in rule.layers:
        yield from _side_faults(file)
    if is_known(rule.minimum_variance) and is_known(rule.minimum_variance.bounds):
        for number, bound in enumerate(rule.minimum_variance.bounds, 1):
            if is_known(bound) and is_known(bound.classes, bound.least, bound.most):
                yield from _bound_faults(bound, f"strategy.minimum_variance.bounds[{number}]")


def _written(document: Mapping[str, object], *path: str) -> Mapping[str, object]:
    """The table at *path*; empty where there is none."""
    table: object = document
    for name in path:
        table = table.get(name) if isinstance(table, dict) else None
    return table if isinstance(table, dict) else {}


def _cppi_faults(rule: CppiRule, written: Mapping[str, object]) -> Iterator[str]:
    if is_known(rule.cap) and rule.cap == ZERO:
        yield (
            "strategy.cppi.cap: 0 lets no risk ever be taken; write more, such as 0.60, or remove "
            "this line"
        )
    if not is_known(rule.floor):
        return
    if rule.floor != "ratchet" and "keeps" in written:
        yield (
            'strategy.cppi.keeps: used only with floor = "ratchet"; write that or remove this line'
        )
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


def _side_faults(file: HouseholdFile) -> Iterator[str]:
    """CPPI moves money between risky classes and safe ones, and can do nothing with one side."""
    classes = list(file.classes.values()) if is_known(file.classes) else []
    if not classes or not is_known(*classes, file.household):
        return
    base = file.household.base_currency
    if not is_known(base, *(one.risk for one in classes), *(one.members for one in classes)):
        return
    sides = [one.is_risky(base) for one in classes]
    if not any(sides):
        among = " that is not cash" if any(one.members == (base,) for one in classes) else ""
        yield f'strategy.cppi: no class is risky; write risk = "risky" in one{among}'
    elif all(sides):
        yield 'strategy.cppi: no class is safe; write risk = "safe" in one, or add one of cash'


def _bound_faults(bound: BoundRule, path: str) -> Iterator[str]:
    if bound.least == ZERO and bound.most == ONE:
        yield f"{path}: it bounds nothing; write least or most, or remove it"
    for name, count in Counter(bound.classes).items():
        if count > 1:
            yield f"{path}.classes: {name} stands there {count} times; name it once"
