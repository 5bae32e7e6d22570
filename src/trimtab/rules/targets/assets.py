"""From a view to arrays of the classes that are weighed by an estimate, and back."""

import datetime as dt
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from trimtab.domain.errors import DataSuspect
from trimtab.domain.numbers import ZERO, Weight, to_decimal
from trimtab.rules.targets.still import stuck_sentences
from trimtab.rules.targets.view import Floats, View
from trimtab.rules.words import percent

SESSIONS_A_YEAR = 252.0
SESSIONS_LEAST = 20
"""A month of sessions; whatever is estimated from less is noise."""
_WEEK = 5


def assets_of(view: View, sessions: int, name: str) -> tuple[list[str], Floats]:
    """The classes that are no cash, and their returns (T, N) over the last *sessions* at most.

    Raises:
        DataSuspect: there are fewer than 20 sessions in which every one of them has a price, the
            prices of one seem stuck, or there is nothing but cash.
    """
    if view.past.doubt:
        raise DataSuspect(view.past.doubt)
    assets = [one for one in view.classes if one != view.cash]
    if not assets:
        raise DataSuspect(f"{name} has nothing to weigh: the household has no class but cash.")
    columns = [view.classes.index(one) for one in assets]
    past = of_one_session(view.past.returns[:, columns])[-sessions:]
    common = int(np.isfinite(past).all(axis=1).sum())
    if common < SESSIONS_LEAST:
        msg = (
            f"{name} needs {SESSIONS_LEAST} sessions in which every class has a price; there are "
            f"{common}."
        )
        raise DataSuspect(msg)
    seem_stuck = stuck_sentences(view.classes, view.past.last(sessions), view.safe, view.cash)
    if seem_stuck:
        raise DataSuspect(" ".join(seem_stuck))
    return assets, past


def of_one_session(returns: Floats) -> Floats:
    """*returns* (T, N) without those over several sessions, which tell no volatility of one."""
    missing = np.isnan(returns)
    has_begun = np.logical_or.accumulate(~missing, axis=0)
    spans = np.zeros_like(missing)
    spans[1:] = missing[:-1] & has_begun[:-1] & ~missing[1:]
    return np.where(spans, np.nan, returns) if spans.any() else returns


def own_prices(returns: Floats) -> Floats:
    """Total-return prices (T, N) of each class by itself; where it has none, its last one.

    The price before a class's first return is one; not a number until it has a return.
    """
    known = np.isfinite(returns)
    index: Floats = np.cumprod(np.where(known, 1.0 + returns, 1.0), axis=0, dtype=np.float64)
    return np.where(np.logical_or.accumulate(known, axis=0), index, np.nan)


def are_priced(returns: Floats, rows: Sequence[int]) -> NDArray[np.bool_]:
    """Whether each class (N) has a price in the week of sessions to each of *rows* (M, N)."""
    known = np.isfinite(returns)
    return np.array(
        [known[max(0, row - _WEEK + 1) : row + 1].any(axis=0) for row in rows], dtype=np.bool_
    ).reshape(len(rows), returns.shape[1])


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


def month_ends(sessions: Sequence[dt.date], returns: Floats, today: dt.date) -> Floats:
    """Each class's own prices (M, N) at the ends of the calendar months that are over on *today*.

    *returns* (T, N) are as in a `Past`.
    """
    return own_prices(returns)[month_end_rows(sessions, today)]


def month_end_rows(sessions: Sequence[dt.date], today: dt.date) -> list[int]:
    """Which of *sessions* are the last of their calendar month.

    A month is over once *today* lies in a later one, whether or not that has had a session yet: a
    look before the first close of a month sees what one after it sees.
    """
    return [
        row
        for row, (one, after) in enumerate(pairwise([*sessions, today]))
        if (one.year, one.month) != (after.year, after.month)
    ]


def as_percent(number: float, places: int = 1) -> str:
    """A statistic as a percentage."""
    return percent(to_decimal(number, 6), places)
