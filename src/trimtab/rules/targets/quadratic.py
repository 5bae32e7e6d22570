"""The exact solver of the strategies: least variance under bounds on assets and on groups.

    least  w'Sw/2 - c'w   with  sum w = total,  lower <= w <= upper,
                                low <= sum of a group's members <= high, groups may overlap

The answer meets the conditions of Karush, Kuhn and Tucker to 1e-9, carries the multipliers that
prove it, and is the same for the same question: nothing here is drawn by chance. Where several
weights are equally good (identical assets, fewer past returns than assets) it is the one with the
least norm, so that identical assets with identical bounds get equal weights and the order of the
assets does not matter.
"""

import math
from typing import NamedTuple

import numpy as np

from trimtab.domain.errors import InputError
from trimtab.rules.targets.active_set import (
    Convex,
    Floats,
    Held,
    Point,
    Signs,
    descend,
    least_norm,
    nothing_held,
    pivot,
    turned,
)
from trimtab.rules.targets.feasible import Called, independent, refuse_contradictions, within

EXACT = 1e-9
"""The most that the conditions of an answer are missed by: weights absolutely, slopes relative."""
_DEFINITE = 1e-10
_LADDER = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7)
_LAST = (1e-8, 1e-9, 1e-10, 1e-11, 1e-12)
_ROUNDS = 30
_RUNAWAY = 1e4


class Group(NamedTuple):
    """Bounds on the sum of some weights; *members* are the places of its assets."""

    name: str
    members: tuple[int, ...]
    low: float = -math.inf
    high: float = math.inf


class Limits(NamedTuple):
    """What weights must keep: their sum, bounds of each (N,) or one for all, and groups.

    Infinite bounds do not bind. *names* of the assets stand in the sentences of errors.
    """

    lower: Floats | float = 0.0
    upper: Floats | float = math.inf
    groups: tuple[Group, ...] = ()
    total: float = 1.0
    names: tuple[str, ...] = ()


class Solution(NamedTuple):
    """The weights (N,), and the multipliers that prove them.

    The slope Sw - c is `price_total` + `price_lower` - `price_upper` + the same of every group the
    asset is in (`price_low` - `price_high`, (G,)). All but `price_total` are not negative, and zero
    where the bound does not bind. `objective` is w'Sw/2 - c'w, and `missed` the worst violation of
    the conditions (`violation`), which is at most `EXACT`.
    """

    weights: Floats
    objective: float
    price_total: float
    price_lower: Floats
    price_upper: Floats
    price_low: Floats
    price_high: Floats
    missed: float
    at: Signs
    group_at: Signs

    @property
    def binding(self) -> int:
        """How many bounds of assets and groups hold the answer."""
        return int(np.count_nonzero(self.at) + np.count_nonzero(self.group_at))


def minimize(
    covariance: Floats,
    limits: Limits,
    linear: Floats | None = None,
    start: Solution | None = None,
) -> Solution:
    """The weights of least w'Sw/2 - c'w within *limits*, exact to `EXACT`.

    *covariance* (N, N) is symmetric and positive semidefinite, *linear* c (N,) is nothing by
    default. *start*, an answer to a question like this one, may save time and changes nothing else.

    Raises:
        InputError: the matrix is not a covariance, a bound is no number, the limits contradict
            each other (the sentence says which), or nothing bounds the answer.

    Examples:
        >>> both = np.array([[0.04, 0.016], [0.016, 0.01]])
        >>> minimize(both, Limits()).weights.tolist()
        [0.0, 1.0]
        >>> minimize(both, Limits(lower=-1.0)).weights.round(4).tolist()
        [-0.3333, 1.3333]
    """
    convex, scale = _convex(covariance, limits, linear)
    names = [
        limits.names[place] if limits.names else f"asset {place + 1}"
        for place in range(len(convex.low))
    ]
    called = Called(names, [group.name for group in limits.groups])
    refuse_contradictions(convex, called)
    held = nothing_held(convex) if start is None else _held(start, convex)
    return _solved(convex, scale, held, called)


def violation(
    covariance: Floats, limits: Limits, solution: Solution, linear: Floats | None = None
) -> float:
    """The most by which *solution* misses a condition of Karush, Kuhn and Tucker.

    Bounds and sums count absolutely (weights are of the order of 1); the slope, the signs of the
    multipliers and their products with the distances count relative to the mean variance, or to the
    largest of *linear* where that is larger.
    """
    convex, scale = _convex(covariance, limits, linear)
    return _missed(convex, scale, solution)


def is_definite(matrix: Floats) -> bool:
    """Whether no asset is nearly a mix of the others: what the others leave of its variance."""
    diagonal = matrix.diagonal()
    if not len(matrix) or diagonal.min() <= 0:
        return not len(matrix)
    try:
        root = np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return False
    return bool((root.diagonal() ** 2 > _DEFINITE * diagonal).all())


def is_bounded(limits: Limits) -> bool:
    """Whether the bounds of the assets end the weights: beside a sum, those of one side do."""
    return bool(np.isfinite(limits.lower).all() or np.isfinite(limits.upper).all())


def refuse_no_numbers(*tables: Floats) -> None:
    """Nothing, if every value is a finite number.

    Raises:
        InputError: one is not.
    """
    if not all(np.isfinite(table).all() for table in tables):
        raise InputError("The covariance or the expected gain holds a value that is not a number.")


def _missed(convex: Convex, scale: float, solution: Solution) -> float:
    size = scale * max(1.0, float(np.abs(convex.linear).max(initial=0.0)))
    low, high = solution.price_lower, solution.price_upper
    row_low = np.concatenate(([max(solution.price_total, 0.0)], solution.price_low))
    row_high = np.concatenate(([max(-solution.price_total, 0.0)], solution.price_high))
    w, active = solution.weights, convex.rows @ solution.weights
    slope = (convex.hessian @ w - convex.linear) * scale
    worst = np.abs(slope - convex.rows.T @ (row_low - row_high) - low + high).max() / size
    for gap, price in (
        (w - convex.low, low),
        (convex.high - w, high),
        (active - convex.row_low, row_low),
        (convex.row_high - active, row_high),
    ):
        products = np.abs(gap[price != 0] * price[price != 0]) / size
        parts = (worst, -gap.min(), -price.min() / size, products.max(initial=0.0))
        worst = np.nan if any(np.isnan(part) for part in parts) else max(parts)
    return float(worst)


# ------------------------------------------------------------------ the answer


def _solved(problem: Convex, scale: float, held: Held, called: Called) -> Solution:
    """The least; by pivoting or descending, and in the end exactly, on the matrix itself."""
    work = _Work(problem, scale, called)
    if is_definite(problem.hessian):
        told = work.answer(work.least(0.0, held))
        if told is not None:
            return told
    _refuse_negative_variance(problem.hessian)
    for weight in _LADDER:
        soft = work.least(weight, held)
        held, point = soft.held, _unique(work.problem, soft.held)
        told = None if point is None else work.answer(point)
        if told is not None:
            return told
    point, told = work.on_itself(held)
    runs = told is None and np.abs(soft.x).max() > _RUNAWAY * max(1.0, abs(problem.row_low[0]))
    for weight in () if runs else _LAST:
        if told is not None:
            return told
        point, told = work.on_itself(work.least(weight, held, point.x).held)
    if told is None and (runs or not is_bounded(Limits(problem.low, problem.high))):
        raise InputError("Nothing bounds the weights: give every asset a lower and upper bound.")
    assert told is not None, "every bounded question has an exact answer"
    return told


class _Work:
    """One question, and weights within its bounds once they are needed."""

    def __init__(self, problem: Convex, scale: float, called: Called) -> None:
        self.problem = independent(problem)
        self._whole, self._scale, self._called = problem, scale, called
        self._start: Floats | None = None
        if self.problem is not problem:
            self._start = within(problem, called, None)

    def least(self, weight: float, held: Held, centre: Floats | float = 0.0) -> Point:
        """The least with weight/2 times the squared distance from *centre* added."""
        softer = self.problem.plus(weight, centre) if weight else self.problem
        point, is_least = pivot(softer, held)
        if point is None or not is_least:
            near = self._start if point is None else point.x
            start = within(self._whole, self._called, near)
            point = descend(softer, start)
            self._start = point.x
        return point

    def answer(self, point: Point) -> Solution | None:
        """What to tell of *point*, if it is exact."""
        told = _told(point, self._whole, self._scale)
        missed = _missed(self._whole, self._scale, told)
        return told._replace(missed=missed) if missed <= EXACT else None

    def on_itself(self, held: Held) -> tuple[Point, Solution | None]:
        """The least of least norm near *held*, and the answer that it is, if it is."""
        for _ in range(_ROUNDS):
            point = least_norm(self.problem, held)
            told = self.answer(point)
            after = turned(self.problem, point)
            if told is not None or after.same(held):
                break
            held = after
        return point, told


def _refuse_negative_variance(matrix: Floats) -> None:
    try:
        np.linalg.cholesky(matrix + _DEFINITE * len(matrix) * np.eye(len(matrix)))
    except np.linalg.LinAlgError:
        raise InputError(
            "The matrix is no covariance: some mix would have a negative variance; repair it first."
        ) from None


def _unique(problem: Convex, held: Held) -> Point | None:
    """The least, if there is but one: no free asset a mix of others, every bound with a price."""
    if not is_definite(_free_part(problem, held)):
        return None
    point, is_least = pivot(problem, held)
    if point is None or not (is_least and is_definite(_free_part(problem, point.held))):
        return None
    prices = np.concatenate(
        (
            point.prices[(point.held.at != 0) & (problem.low < problem.high)],
            point.row_prices[point.held.row_at != 0],
        )
    )
    return point if np.abs(prices).min(initial=np.inf) > EXACT * problem.steepest else None


def _free_part(problem: Convex, held: Held) -> Floats:
    free = held.at == 0
    return problem.hessian[np.ix_(free, free)]


# ------------------------------------------------------------------ the question


def _convex(covariance: Floats, limits: Limits, linear: Floats | None) -> tuple[Convex, float]:
    """The question with a mean variance of 1, and what it was divided by."""
    matrix = np.asarray(covariance, dtype=np.float64)
    count = len(matrix)
    if matrix.shape != (count, count) or count == 0:
        raise InputError(f"A covariance has one row and one column an asset, not {matrix.shape}.")
    pull = np.zeros(count) if linear is None else np.asarray(linear, dtype=np.float64)
    refuse_no_numbers(matrix, pull)
    diagonal = matrix.diagonal()
    if np.abs(matrix - matrix.T).max() > EXACT * max(diagonal.max(), 0.0) or diagonal.min() < 0:
        raise InputError("The matrix is no covariance: it is not symmetric or has a variance < 0.")
    scale = float(diagonal.mean()) or float(np.abs(pull).max()) or 1.0
    rows = np.zeros((1 + len(limits.groups), count))
    rows[0] = 1.0
    for row, group in zip(rows[1:], limits.groups, strict=True):
        row[list(group.members)] = 1.0
    low = np.broadcast_to(np.asarray(limits.lower, dtype=np.float64), (count,)).copy()
    high = np.broadcast_to(np.asarray(limits.upper, dtype=np.float64), (count,)).copy()
    row_low = np.array([limits.total, *(group.low for group in limits.groups)])
    row_high = np.array([limits.total, *(group.high for group in limits.groups)])
    if any(np.isnan(some).any() for some in (low, high, row_low, row_high)):
        raise InputError("A bound is not a number; leave it out where nothing bounds the weight.")
    half = (matrix + matrix.T) / (2.0 * scale)
    return Convex(half, pull / scale, low, high, rows, row_low, row_high), scale


def _held(start: Solution, problem: Convex) -> Held:
    if len(start.at) != len(problem.low) or len(start.group_at) + 1 != len(problem.row_low):
        return nothing_held(problem)
    at = start.at.copy()
    at[(at < 0) & np.isinf(problem.low)] = 0
    at[(at > 0) & np.isinf(problem.high)] = 0
    row_at = np.concatenate((np.zeros(1, np.int8), start.group_at))
    row_at[np.isinf(np.where(row_at < 0, problem.row_low, problem.row_high)) & (row_at != 0)] = 0
    return Held(at, row_at)


def _told(point: Point, problem: Convex, scale: float) -> Solution:
    """The point in the caller's units and signs."""
    weights = np.clip(point.x, problem.low, problem.high)
    value = weights @ (problem.hessian @ weights) / 2 - problem.linear @ weights
    fixed, equations = problem.low == problem.high, problem.equations
    at, row_at, prices, rows = point.held.at, point.held.row_at, point.prices, point.row_prices
    return Solution(
        weights=weights,
        objective=float(value) * scale,
        price_total=float(rows[0]) * scale,
        price_lower=np.where(fixed | (at < 0), np.maximum(prices, 0.0), 0.0) * scale,
        price_upper=np.where(fixed | (at > 0), np.maximum(-prices, 0.0), 0.0) * scale,
        price_low=np.where(equations | (row_at < 0), np.maximum(rows, 0.0), 0.0)[1:] * scale,
        price_high=np.where(equations | (row_at > 0), np.maximum(-rows, 0.0), 0.0)[1:] * scale,
        missed=0.0,
        at=at,
        group_at=row_at[1:],
    )
