"""The working parts of `quadratic`: which bounds hold at the least of a convex quadratic.

Two ways to the same point. Pivoting (Hintermueller, Ito and Kunisch 2002) frees and holds many
bounds at once, needs a handful of rounds and may fail; descending (the primal active-set method,
Nocedal and Wright 2006, algorithm 16.3) moves one bound at a time and always ends. Where a matrix
is singular both work on it with a small multiple of the identity added, and `least_norm` answers
afterwards for the matrix itself.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Signs = NDArray[np.int8]

FEASIBLE = 1e-12
"""By how much a weight or a row may miss its bound, of the largest weight."""
OPTIMAL = 1e-12
"""By how much a multiplier may have the wrong sign, of the largest slope."""
_RANK = 1e-13
_STILL = 1e-14
_ROUNDS_PIVOT = 30
_ROUNDS_EACH = 100
_STALL = 50


class Convex(NamedTuple):
    """Least x'Hx/2 - c'x with low <= x <= high and row_low <= Ax <= row_high.

    Shapes: H (N, N) positive semidefinite, c, low and high (N,), A (K, N), rows (K,). Rows whose
    two bounds are equal are equations, and independent of each other.
    """

    hessian: Floats
    linear: Floats
    low: Floats
    high: Floats
    rows: Floats
    row_low: Floats
    row_high: Floats

    @property
    def equations(self) -> NDArray[np.bool_]:
        """Which rows (K,) are equations."""
        return np.asarray(self.row_low == self.row_high)

    @property
    def steepest(self) -> float:
        """The size of slope that tolerances are parts of."""
        # No entry of a semidefinite matrix is larger than the largest of its diagonal.
        most = max(np.abs(self.linear).max(initial=0.0), self.hessian.diagonal().max(initial=0.0))
        return float(most) or 1.0

    def plus(self, weight: float, centre: Floats | float = 0.0) -> "Convex":
        """The same with weight/2 times the squared distance from *centre* added."""
        hessian = self.hessian.copy()
        hessian[np.diag_indices_from(hessian)] += weight
        return self._replace(hessian=hessian, linear=self.linear + weight * centre)


class Held(NamedTuple):
    """Which bounds hold: -1 at the low one, 1 at the high one, 0 at neither; (N,) and (K,)."""

    at: Signs
    row_at: Signs

    def same(self, other: "Held") -> bool:
        """Whether the same bounds hold."""
        return np.array_equal(self.at, other.at) and np.array_equal(self.row_at, other.row_at)


class Point(NamedTuple):
    """Weights (N,), the multipliers of rows (K,) and of bounds (N,), and the bounds that hold.

    The slope Hx - c is A'(row multipliers) + bound multipliers; a multiplier is not negative at a
    low bound and not positive at a high one.
    """

    x: Floats
    row_prices: Floats
    prices: Floats
    held: Held


def nothing_held(problem: Convex) -> Held:
    """No bound but those of weights that are fixed, and no row but the equations."""
    at = np.where(problem.low == problem.high, -1, 0).astype(np.int8)
    return Held(at, np.zeros(len(problem.row_low), np.int8))


def pivot(problem: Convex, held: Held) -> tuple[Point | None, bool]:
    """The last point of pivoting from a guess, and whether it is the least; H must be definite.

    Source: Hintermueller, Ito and Kunisch (2002), the primal-dual active set method.
    """
    seen: set[bytes] = set()
    last: Point | None = None
    for _ in range(_ROUNDS_PIVOT):
        key = held.at.tobytes() + held.row_at.tobytes()
        point = None if key in seen else _on_held(problem, held)
        if point is None:
            break
        seen.add(key)
        last, held = point, turned(problem, point)
        if held.same(point.held):
            return point, True
    return last, False


def turned(problem: Convex, point: Point) -> Held:
    """What should hold instead: whatever is out of bounds, and no bound with a wrong sign."""
    slack = FEASIBLE * max(1.0, float(np.abs(point.x).max(initial=0.0)))
    wrong = OPTIMAL * problem.steepest
    held, active = point.held, problem.rows @ point.x
    at = _turned(
        held.at,
        (point.x < problem.low - slack, point.x > problem.high + slack),
        (point.prices < -wrong, point.prices > wrong),
    )
    row_at = _turned(
        held.row_at,
        (active < problem.row_low - slack, active > problem.row_high + slack),
        (point.row_prices < -wrong, point.row_prices > wrong),
    )
    at[problem.low == problem.high] = -1
    row_at[problem.equations] = 0
    return Held(at, row_at)


def descend(problem: Convex, start: Floats, held: Held | None = None) -> Point:
    """The least of *problem*, whose Hessian is definite, from *start*, which is within its bounds.

    Source: Nocedal and Wright (2006), algorithm 16.3; where it stands still, the bound with the
    least index leaves and enters (Bland 1977), so that it ends.
    """
    x = start.copy()
    held = _first_held(problem, x) if held is None else held
    stalled, wrong = 0, OPTIMAL * problem.steepest
    for _ in range(_ROUNDS_EACH * (1 + len(x) + len(problem.rows))):
        point = _on_held(problem, held)
        assert point is not None, "the bounds that hold are independent"
        way = _way(problem, x, point)
        share, blocker, side = _step(problem, x, way, held)
        x = x + share * way if blocker >= 0 else point.x
        stalled = 0 if share * float(np.abs(way).max(initial=0.0)) > FEASIBLE else stalled + 1
        at, row_at = held.at.copy(), held.row_at.copy()
        if blocker >= 0:
            count = len(at)
            if blocker < count:
                at[blocker] = side
                x[blocker] = (problem.low if side < 0 else problem.high)[blocker]
            else:
                row_at[blocker - count] = side
        else:
            bad = _wrong_signs(problem, point)
            if bad.max(initial=0.0) <= wrong:
                return point
            leaves = int(np.flatnonzero(bad > wrong)[0] if stalled > _STALL else np.argmax(bad))
            if leaves < len(at):
                at[leaves] = 0
            else:
                row_at[leaves - len(at)] = 0
        held = Held(at, row_at)
    raise AssertionError("moving one bound at a time ends")


def least_norm(problem: Convex, held: Held) -> Point:
    """The least with *held* holding; of several the one with the least norm; H may be singular."""
    free = held.at == 0
    x = _at_bounds(problem, held)
    active = _active(problem, held)
    rows = problem.rows[np.ix_(active, free)]
    inner = problem.hessian[np.ix_(free, free)]
    pull = problem.linear[free] - problem.hessian[np.ix_(free, ~free)] @ x[~free]
    goal = _goals(problem, held)[active] - problem.rows[np.ix_(active, ~free)] @ x[~free]
    left, sizes, basis = np.linalg.svd(rows, full_matrices=False)
    kept = sizes > _RANK * max(1.0, float(sizes.max(initial=0.0)))
    left, sizes, basis = left[:, kept], sizes[kept], basis[kept]
    inverse = left / sizes @ basis
    y = inverse.T @ goal
    size = float(np.abs(inner).max(initial=0.0)) or 1.0
    values, vectors = np.linalg.eigh(_within(inner, basis) + size * basis.T @ basis)
    curved = values > _RANK * len(values) * max(size, float(values.max(initial=0.0)))
    vectors = vectors[:, curved]
    for _ in range(2):  # the second round takes away what rounding left in the first
        slope = pull - inner @ y
        step = vectors @ (vectors.T @ (slope - basis.T @ (basis @ slope)) / values[curved])
        y = y + step - basis.T @ (basis @ step)
    x[free] = y
    row_prices = np.zeros(len(active))
    row_prices[active] = inverse @ (inner @ y - pull)
    return _priced(problem, x, row_prices, held)


# ------------------------------------------------------------------ the bounds that hold


def _turned(
    at: Signs,
    out: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    signs: tuple[NDArray[np.bool_], NDArray[np.bool_]],
) -> Signs:
    after = at.copy()
    after[(at < 0) & signs[0]] = 0
    after[(at > 0) & signs[1]] = 0
    after[(at == 0) & out[0]] = -1
    after[(at == 0) & out[1]] = 1
    return after


def _on_held(problem: Convex, held: Held) -> Point | None:
    """The least on the bounds that hold, for a definite Hessian; None where they conflict."""
    free = held.at == 0
    x = _at_bounds(problem, held)
    active = _active(problem, held)
    count, bound = int(free.sum()), int(active.sum())
    if bound > count:
        return None
    rows = problem.rows[active]
    goal = _goals(problem, held)[active]
    pull = problem.linear
    if count < len(free):
        pull = (pull - problem.hessian @ x)[free]
        goal = goal - rows @ x
        rows = rows[:, free]
    system = np.zeros((count + bound, count + bound))
    system[:count, :count] = problem.hessian[np.ix_(free, free)]
    system[:count, count:] = -rows.T
    system[count:, :count] = rows
    right = np.concatenate((pull, goal))
    try:
        found = np.linalg.solve(system, right)
    except np.linalg.LinAlgError:
        return None
    missed = np.abs(system @ found - right)
    missed[:count] /= problem.steepest
    if not missed.max(initial=0.0) <= 1e-9 * max(1.0, float(np.abs(found).max(initial=0.0))):
        return None
    x[free] = found[:count]
    row_prices = np.zeros(len(active))
    row_prices[active] = found[count:]
    return _priced(problem, x, row_prices, held)


def _priced(problem: Convex, x: Floats, row_prices: Floats, held: Held) -> Point:
    """The point with the multipliers of the bounds that hold: what is left of the slope there."""
    prices = problem.hessian @ x - problem.linear - problem.rows.T @ row_prices
    prices[held.at == 0] = 0.0
    return Point(x, row_prices, prices, held)


def _at_bounds(problem: Convex, held: Held) -> Floats:
    x = np.zeros(len(held.at))
    x[held.at < 0] = problem.low[held.at < 0]
    x[held.at > 0] = problem.high[held.at > 0]
    return x


def _active(problem: Convex, held: Held) -> NDArray[np.bool_]:
    return np.asarray(problem.equations | (held.row_at != 0))


def _goals(problem: Convex, held: Held) -> Floats:
    return np.where(held.row_at > 0, problem.row_high, problem.row_low)


def _within(matrix: Floats, basis: Floats) -> Floats:
    """PMP, with P the projection away from the orthonormal rows of *basis*."""
    part = basis @ matrix
    one = basis.T @ part
    return np.asarray(matrix - one - one.T + basis.T @ (part @ basis.T) @ basis)


# ------------------------------------------------------------------ one step of the descent


def _first_held(problem: Convex, x: Floats) -> Held:
    """The bounds at which *x* stands, less as many as the equations need to be independent."""
    held = nothing_held(problem)
    held.at[x <= problem.low] = -1
    held.at[(x >= problem.high) & (held.at == 0)] = 1
    rows = problem.rows[problem.equations]
    rank = _rank(rows[:, held.at == 0])
    for index in np.flatnonzero(held.at):
        if rank == len(rows):
            break
        side, held.at[index] = held.at[index], 0
        now = _rank(rows[:, held.at == 0])
        if now == rank:
            held.at[index] = side
        rank = now
    return held


def _rank(rows: Floats) -> int:
    return int(np.linalg.matrix_rank(rows)) if rows.size else 0


def _way(problem: Convex, x: Floats, point: Point) -> Floats:
    """From *x* to *point*, less what rounding leaves along the rows that hold."""
    free, active = point.held.at == 0, _active(problem, point.held)
    way = np.where(free, point.x - x, 0.0)
    rows = problem.rows[np.ix_(active, free)]
    if rows.size:
        way[free] -= np.linalg.lstsq(rows, rows @ way[free])[0]
    still = _STILL * max(1.0, float(np.abs(x).max(initial=0.0)))
    return way if np.abs(way).max(initial=0.0) > still else np.zeros_like(way)


def _step(problem: Convex, x: Floats, way: Floats, held: Held) -> tuple[float, int, int]:
    """How far along *way* the bounds let *x* go, which bound stops it, and which side of it.

    The bound is -1 where nothing stops it; rows count on from the number of weights.
    """
    tiny = FEASIBLE * float(np.abs(way).max(initial=0.0))  # less follows from the rows that hold
    way = np.concatenate((way, problem.rows @ way))
    place = np.concatenate((x, problem.rows @ x))
    low = np.concatenate((problem.low, problem.row_low))
    high = np.concatenate((problem.high, problem.row_high))
    open_ = np.concatenate((held.at == 0, ~_active(problem, held)))
    down, up = open_ & (way < -tiny), open_ & (way > tiny)
    shares = np.full(len(way), np.inf)
    shares[down] = np.maximum(place[down] - low[down], 0.0) / -way[down]
    shares[up] = np.maximum(high[up] - place[up], 0.0) / way[up]
    blocker = int(np.argmin(shares)) if len(shares) else -1
    if blocker < 0 or shares[blocker] >= 1.0:
        return 1.0, -1, 0
    return float(shares[blocker]), blocker, -1 if down[blocker] else 1


def _wrong_signs(problem: Convex, point: Point) -> Floats:
    """By how much each multiplier, bounds and then rows, has the wrong sign, or else 0."""
    at = np.where(problem.low == problem.high, 0, point.held.at)
    sides = np.concatenate((at, np.where(problem.equations, 0, point.held.row_at)))
    missed = sides * np.concatenate((point.prices, point.row_prices))
    return np.asarray(np.maximum(missed, 0.0))
