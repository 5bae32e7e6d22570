"""Weights within all bounds, or the bounds that contradict each other, in one sentence."""

from typing import NamedTuple

import numpy as np

from trimtab.domain.errors import InputError
from trimtab.rules.targets.active_set import Convex, Floats, descend, nothing_held, pivot

_TOLERANCE = 1e-12
_CERTAIN = 1e-9
_ROUNDS = 100
_SOFT = 1e-3
_NAMED_MOST = 8


class Called(NamedTuple):
    """What assets (N,) and groups (K - 1,) are called in a sentence."""

    assets: list[str]
    groups: list[str]


class Part(NamedTuple):
    """One side of one bound: *kind* is row or asset, -1 its low side and 1 its high side."""

    kind: str
    place: int
    side: int


def refuse_contradictions(problem: Convex, called: Called) -> None:
    """Refuse bounds that contradict each other one by one or in sum; overlapping groups may still.

    Raises:
        InputError: with one sentence for each contradiction.
    """
    low, high, total = problem.low, problem.high, problem.row_low[0]
    faults = [
        f"The lower bound {low[place]:g} of {called.assets[place]} is above its upper bound"
        f" {high[place]:g}."
        for place in np.flatnonzero(low > high)
    ]
    if not np.isfinite(total):
        faults.append(f"The weights cannot add up to {total:g}.")
    faults += [
        f"{called.assets[place]} is bounded by {low[place]:g} and {high[place]:g}, which no weight"
        " keeps."
        for place in np.flatnonzero((low == np.inf) | (high == -np.inf))
    ]
    if not faults:
        for row in range(len(problem.rows)):
            faults += _row_faults(problem, called, row)
    if faults:
        raise InputError(" ".join(faults))


def within(problem: Convex, called: Called, near: Floats | None) -> Floats:
    """Weights that keep every bound, not far from *near* or else from equal ones.

    Raises:
        InputError: there are none; the sentence names bounds that contradict each other.
    """
    x = _spread(problem, near)
    if _missed(problem, x) <= _TOLERANCE:
        return x
    found, proof = _nearest(problem, x)
    if proof is None:
        return found
    raise InputError(_sentence(problem, called, _least_proof(problem, proof)))


def independent(problem: Convex) -> Convex:
    """The same without equations that follow from others; *problem* itself where none does."""
    if problem.equations.sum() == 1:
        return problem  # the sum of all weights follows from nothing
    kept: list[int] = []
    free = problem.equations.copy()
    for row in np.flatnonzero(problem.equations).tolist():
        if np.linalg.matrix_rank(problem.rows[np.array([*kept, row])]) > len(kept):
            kept.append(row)
    free[kept] = False
    if not free.any():
        return problem
    return problem._replace(
        row_low=np.where(free, -np.inf, problem.row_low),
        row_high=np.where(free, np.inf, problem.row_high),
    )


# ------------------------------------------------------------------ weights within bounds


def _spread(problem: Convex, near: Floats | None) -> Floats:
    """Weights near some, all moved by the same and clipped, so that they add up to the total."""
    count, total = len(problem.low), problem.row_low[0]
    even = np.full(count, total / count) if near is None else near
    turns = np.concatenate((problem.low - even, problem.high - even))
    turns = np.sort(turns[np.isfinite(turns)])

    def added(shift: float) -> float:
        return float(np.clip(even + shift, problem.low, problem.high).sum())

    sums = np.array([added(turn) for turn in turns])
    after = int(np.searchsorted(sums, total))
    if after == 0:
        shift = turns[0] - (sums[0] - total) / count if len(turns) else 0.0
    elif after == len(sums):
        shift = turns[-1] + (total - sums[-1]) / count
    else:
        part = (total - sums[after - 1]) / (sums[after] - sums[after - 1])
        shift = turns[after - 1] + part * (turns[after] - turns[after - 1])
    return np.clip(even + shift, problem.low, problem.high)


def _missed(problem: Convex, x: Floats) -> float:
    active = problem.rows @ x
    out = np.maximum(problem.row_low - active, active - problem.row_high)
    return float(out.max(initial=0.0))


def _nearest(problem: Convex, x: Floats) -> tuple[Floats, Floats | None]:
    """Weights within the bounds of assets whose rows miss theirs least, and a proof if they must.

    The proof (Farkas) is what to multiply rows by: y'Ax > y'z for all x and z that are allowed.
    Source: Rockafellar (1976), the proximal point method, on |Ax - z|^2 / 2.
    """
    count, height = len(x), len(problem.rows)
    both = np.hstack((problem.rows, -np.eye(height)))
    size = max(1.0, float((both**2).sum(axis=1).max()))
    place = np.concatenate((x, np.clip(problem.rows @ x, problem.row_low, problem.row_high)))
    box = Convex(
        both.T @ both / size,
        np.zeros(count + height),
        np.concatenate((problem.low, problem.row_low)),
        np.concatenate((problem.high, problem.row_high)),
        np.zeros((0, count + height)),
        np.zeros(0),
        np.zeros(0),
    )
    held = nothing_held(box)
    for _ in range(_ROUNDS):
        softer = box.plus(_SOFT, place)
        point, is_least = pivot(softer, held)
        if point is None or not is_least:
            point = descend(softer, place)
        place, held = np.clip(point.x, box.low, box.high), point.held
        out = both @ place
        if np.abs(out).max() <= _TOLERANCE:
            return place[:count], None
        if _is_proof(box, both.T @ out / np.abs(out).max()):
            return place[:count], out / np.abs(out).max()
    assert np.abs(out).max() <= _CERTAIN, "bounds either can be kept or contradict each other"
    return place[:count], None


def _is_proof(box: Convex, pull: Floats) -> bool:
    """Whether *pull* times what the box allows is always positive."""
    pull = np.where(np.abs(pull) < _CERTAIN, 0.0, pull)
    worst = np.where(pull > 0, box.low, np.where(pull < 0, box.high, 0.0))
    return bool(np.where(pull == 0, 0.0, pull * np.where(pull == 0, 0.0, worst)).sum() > _CERTAIN)


# ------------------------------------------------------------------ the sentence


def _row_faults(problem: Convex, called: Called, row: int) -> list[str]:
    """What is wrong with one row by itself: its own bounds, or the reach of its members."""
    members = problem.rows[row] != 0
    least, most = problem.low[members].sum(), problem.high[members].sum()
    low, high = problem.row_low[row], problem.row_high[row]
    slack = _TOLERANCE * max(1.0, abs(low) if np.isfinite(low) else 0.0)
    name = f"group {called.groups[row - 1]}" if row else "all assets"
    if low > high:
        return [f"The lower bound {low:g} of {name} is above its upper bound {high:g}."]
    if least > high + slack:
        return [f"The lower bounds in {name} add up to {least:g}, above the {high:g} allowed."]
    if most < low - slack:
        return [f"The upper bounds in {name} add up to {most:g}, below the {low:g} needed."]
    return []


def _least_proof(problem: Convex, proof: Floats) -> list[Part]:
    """Bounds of the proof of which none can be left out: the rest could be kept."""
    pull = problem.rows.T @ proof
    parts = [
        Part("row", row, -1 if proof[row] < 0 else 1) for row in np.flatnonzero(proof).tolist()
    ]
    parts += [
        Part("asset", place, -1 if pull[place] > 0 else 1)
        for place in np.flatnonzero(np.abs(pull) > _CERTAIN).tolist()
    ]
    for part in list(parts):
        fewer = [other for other in parts if other != part]
        only = _only(problem, fewer)
        if _nearest(only, np.clip(np.zeros(len(pull)), only.low, only.high))[1] is not None:
            parts = fewer
    return parts


def _only(problem: Convex, parts: list[Part]) -> Convex:
    """The problem with no other bounds than *parts*."""
    low, high = np.full_like(problem.low, -np.inf), np.full_like(problem.high, np.inf)
    row_low, row_high = (
        np.full_like(problem.row_low, -np.inf),
        np.full_like(problem.row_high, np.inf),
    )
    for kind, place, side in parts:
        lows, highs = (low, high) if kind == "asset" else (row_low, row_high)
        givens = (
            (problem.low, problem.high) if kind == "asset" else (problem.row_low, problem.row_high)
        )
        if side < 0:
            lows[place] = givens[0][place]
        else:
            highs[place] = givens[1][place]
    return problem._replace(low=low, high=high, row_low=row_low, row_high=row_high)


def _sentence(problem: Convex, called: Called, parts: list[Part]) -> str:
    phrases = []
    for kind, place, side in parts:
        if kind == "row" and place == 0:
            phrases.append(f"all weights add up to {problem.row_low[0]:g}")
            continue
        name = called.assets[place] if kind == "asset" else f"group {called.groups[place - 1]}"
        lows, highs = (
            (problem.low, problem.high) if kind == "asset" else (problem.row_low, problem.row_high)
        )
        bound, word = (lows[place], "at least") if side < 0 else (highs[place], "at most")
        phrases.append(f"{name} {word} {bound:g}")
    more = len(phrases) - _NAMED_MOST
    told = ", ".join(phrases[:_NAMED_MOST]) + (f" and {more} more" if more > 0 else "")
    return f"No weights keep all of these bounds: {told}. Widen one of them."
