"""From a view to arrays of the classes that are weighed by an estimate, and back."""

import numpy as np

from trimtab.domain.errors import DataSuspect
from trimtab.domain.numbers import ZERO, Weight, to_decimal
from trimtab.rules.targets.view import Floats, View
from trimtab.rules.words import percent

SESSIONS_A_YEAR = 252.0
SESSIONS_LEAST = 20
"""A month of sessions; whatever is estimated from less is noise."""


def assets_of(view: View, sessions: int, name: str) -> tuple[list[str], Floats]:
    """The classes that are no cash, and their returns (T, N) over the last *sessions* at most.

    Raises:
        DataSuspect: there are fewer than 20 sessions in which every one of them has a price, or
            there is nothing but cash.
    """
    if view.past.doubt:
        raise DataSuspect(view.past.doubt)
    assets = [one for one in view.classes if one != view.cash]
    if not assets:
        raise DataSuspect(f"{name} has nothing to weigh: the household has no class but cash.")
    columns = [view.classes.index(one) for one in assets]
    past = view.past.returns[-sessions:, columns]
    common = int(np.isfinite(past).all(axis=1).sum())
    if common < SESSIONS_LEAST:
        msg = (
            f"{name} needs {SESSIONS_LEAST} sessions in which every class has a price; there are "
            f"{common}."
        )
        raise DataSuspect(msg)
    return assets, past


def weighed(view: View, assets: list[str], weights: Floats, room: Weight) -> dict[str, Weight]:
    """*weights* (N,) of *assets* beside the cash, adding up to one exactly."""
    found = {
        name: max(ZERO, to_decimal(float(weight), 6))
        for name, weight in zip(assets, weights, strict=True)
    }
    largest = max(assets, key=lambda name: (found[name], name))
    found[largest] += room - sum(found.values(), ZERO)
    if view.cash is not None:
        found[view.cash] = view.base[view.cash]
    return {name: found[name] for name in view.classes}


def as_percent(number: float, places: int = 1) -> str:
    """A statistic as a percentage."""
    return percent(to_decimal(number, 6), places)
