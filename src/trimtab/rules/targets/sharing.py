"""Shares what is divided between risky classes and the others, each side by its proportions."""

from collections.abc import Collection, Iterable, Mapping

from trimtab.domain.numbers import ONE, ZERO, Weight


def shared(
    weights: Mapping[str, Weight], risky: Collection[str], part: Weight
) -> dict[str, Weight]:
    """*part* to the *risky* classes and the rest to the others, as *weights* divides each side."""
    others = [name for name in weights if name not in risky]
    found = _in_proportion(weights, risky, part) | _in_proportion(weights, others, ONE - part)
    return {name: found[name] for name in weights}


def at_risk(weights: Mapping[str, Weight], risky: Iterable[str]) -> Weight:
    """What *weights* give the *risky* classes together."""
    return sum((weights[name] for name in risky), ZERO)


def _in_proportion(
    weights: Mapping[str, Weight], names: Iterable[str], part: Weight
) -> dict[str, Weight]:
    """*part* divided as *weights* divides *names*; evenly where it gives them nothing."""
    of = {name: weights[name] for name in names}
    total = sum(of.values(), ZERO)
    if total == 0:
        return {name: part / len(of) for name in of}
    return {name: part * weight / total for name, weight in of.items()}
