"""What a strategy is shown, by hand: invented returns of three classes and some cash."""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from trimtab.domain.numbers import ZERO, Weight
from trimtab.rules.targets.view import Floats, Past, Savings, View

CLASSES = ("stocks", "world", "bonds", "cash")
BASE = {"stocks": "0.45", "world": "0.15", "bonds": "0.30", "cash": "0.10"}
VOLATILITIES = {"stocks": 0.012, "world": 0.014, "bonds": 0.003, "cash": 0.0}
LAST = dt.date(2026, 3, 2)


def weights(**parts: str) -> dict[str, Weight]:
    return {name: Decimal(part) for name, part in parts.items()}


def sessions_before(last: dt.date, count: int) -> tuple[dt.date, ...]:
    """*count* weekdays until *last*."""
    days: list[dt.date] = []
    day = last
    while len(days) < count:
        if day.weekday() < 5:
            days.append(day)
        day -= dt.timedelta(days=1)
    return tuple(reversed(days))


def invented(count: int, seed: int = 1, classes: Sequence[str] = CLASSES) -> Floats:
    """Returns (T, C) that move together a little, the column of a class the same in any order."""
    market = np.random.default_rng(seed).normal(size=count)
    table = np.zeros((count, len(classes)))
    for at, name in enumerate(classes):
        own = np.random.default_rng([seed, *name.encode()]).normal(size=count)
        table[:, at] = VOLATILITIES.get(name, 0.01) * (0.5 * market + own)
    return table


def view_of(
    returns: Floats,
    *,
    classes: Sequence[str] = CLASSES,
    base: Mapping[str, Weight] | None = None,
    cash: str | None = "cash",
    band: str = "0.05",
    **more: Any,
) -> View:
    """A view whose last session is `LAST`; *more* are fields of it."""
    known = {name: Decimal(BASE[name]) for name in classes} if base is None else dict(base)
    fields: dict[str, Any] = {
        "today": LAST,
        "classes": tuple(classes),
        "base": known,
        "savings": Savings(Decimal(100_000)),
        "past": Past(sessions_before(LAST, len(returns)), returns),
        "safe": frozenset({"bonds"}),
        "cash": cash,
        "band": {name: Decimal(band) if known[name] > ZERO else ZERO for name in classes},
        "state": {},
        "last": {},
        "is_due": True,
    }
    return View(**(fields | more))


def without_price(returns: Floats, row: int, column: int) -> Floats:
    """*returns* where a class has no price in a session: its next return spans that too."""
    changed = returns.copy()
    later = row + 1 + int(np.isfinite(returns[row + 1 :, column]).argmax())
    changed[row, column] = np.nan
    changed[later, column] = (1 + returns[row, column]) * (1 + returns[later, column]) - 1
    return changed
