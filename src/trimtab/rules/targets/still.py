"""Prices that seem stuck: a class that has stood still for longer than its own record explains.

A price feed that repeats its last price makes a class look free of risk, and an estimate of least
risk would put everything there.
"""

import datetime as dt
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trimtab.rules.targets.view import Floats, Past

_SESSIONS_LEAST = 10
"""Two weeks: whatever stays for less is left alone."""
_CHANCE = 1e-6
_CASH_LIKE = 0.01
_SESSIONS_A_YEAR = 252.0


class Still(NamedTuple):
    """A run of so many `sessions` without any return, from the one on `first` to that on `last`."""

    sessions: int
    first: dt.date
    last: dt.date


def stuck(sessions: Sequence[dt.date], returns: Floats, *, is_safe: bool) -> Still | None:
    """The longest run of sessions (T,) without a return, where it is not to be believed.

    It has ten sessions at least, and a class that stays on a day as often as this one otherwise did
    would stay so long in less than one case of a million: a fund that is priced once a month keeps
    its own pace. A safe class that otherwise moves by less than 1 % a year is as good as cash, and
    may stand still. Sessions without a price do not count.
    """
    known = np.flatnonzero(np.isfinite(returns))
    begin, end = _longest_run(returns[known] == 0.0)
    count = end - begin
    if count < _SESSIONS_LEAST:
        return None
    others = np.delete(returns[known], np.s_[begin:end])
    stays = (int((others == 0.0).sum()) + 1) / (len(others) + 2)
    if stays**count >= _CHANCE:
        return None
    if is_safe and _moves(others) < _CASH_LIKE:
        return None
    return Still(count, sessions[known[begin]], sessions[known[end - 1]])


def stuck_sentences(
    names: Sequence[str], past: Past, safe: frozenset[str], cash: str | None
) -> tuple[str, ...]:
    """What is to be said of each class whose prices seem stuck; *names* are the columns of *past*.

    The class of cash has no price.
    """
    found = (
        (name, stuck(past.sessions, past.returns[:, place], is_safe=name in safe))
        for place, name in enumerate(names)
        if name != cash
    )
    return tuple(
        f"{name} did not move on {still.sessions} sessions, {still.first} to {still.last}, so its "
        "prices may be stuck: correct them."
        for name, still in found
        if still is not None
    )


def _longest_run(stays: NDArray[np.bool_]) -> tuple[int, int]:
    """Where the longest run of trues begins and ends; the later of two alike."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], stays, [False])).astype(np.int8)))
    begins, ends = edges[::2], edges[1::2]
    if not len(begins):
        return 0, 0
    longest = len(begins) - 1 - int(np.argmax((ends - begins)[::-1]))
    return int(begins[longest]), int(ends[longest])


def _moves(returns: Floats) -> float:
    """The volatility a year of *returns*; 0 for fewer than two."""
    if len(returns) < 2:  # noqa: PLR2004  one return has no deviation
        return 0.0
    return float(returns.std(ddof=1)) * math.sqrt(_SESSIONS_A_YEAR)
