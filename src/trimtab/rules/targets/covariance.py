"""How assets move together, estimated from past returns, each estimator under its own name.

Past returns are simple returns of one period, (T, N), with NaN where an asset has none. Only the
rows in which every asset has one are used: covariances of pairs over different days need not
belong to any joint distribution. What was left out, and what is weak about the data, is told in
sentences. Estimates are per period, or annualised by the factor they carry.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trimtab.domain.errors import InputError

Floats = NDArray[np.float64]
ShrinkageTarget = Literal["scaled_identity", "constant_correlation"]

_SYMMETRIC = 1e-9
_POSITIVE = 1e-12
_CONVERGED = 1e-13
_ROUNDS = 5_000


class Estimate(NamedTuple):
    """A covariance (N, N) of returns, and where it comes from.

    It holds for one period times `periods_per_year`. `shrinkage` is the weight of the target, from
    0 to 1; `observations` are the rows used, `observations_effective` what they count for once
    older ones count less, and `rows_lost` those left out. `notes` are sentences for the reader.
    """

    covariance: Floats
    kind: str
    observations: int
    observations_effective: float
    rows_lost: int
    shrinkage: float = 0.0
    periods_per_year: float = 1.0
    notes: tuple[str, ...] = ()

    @property
    def volatilities(self) -> Floats:
        """Standard deviations (N,) of the assets, over the same time as the covariance."""
        return np.sqrt(self.covariance.diagonal())


def sample(
    past_returns: Floats,
    *,
    degrees_lost: int = 1,
    periods_per_year: float = 1.0,
    names: Sequence[str] = (),
) -> Estimate:
    """The sample covariance, divided by T - *degrees_lost* (1 is unbiased, 0 most likely).

    Raises:
        InputError: too few common rows, or a return that is none.
    """
    rows, lost, notes = _common(past_returns, names, degrees_lost + 1)
    centred = _centred(rows, rows.mean(axis=0))
    matrix = centred.T @ centred / (len(rows) - degrees_lost)
    kind = f"sample, divisor T - {degrees_lost}" if degrees_lost else "sample, divisor T"
    return _estimate(matrix, kind, rows, lost, periods_per_year)._replace(notes=notes)


def exponentially_weighted(
    past_returns: Floats,
    *,
    half_life: float,
    periods_per_year: float = 1.0,
    names: Sequence[str] = (),
) -> Estimate:
    """The covariance in which a row counts half as much as one *half_life* periods after it.

    About the weighted mean, and without bias when returns are independent: divided by one less the
    sum of the squared weights. An endless half-life gives `sample`. Rows left out keep their time.

    Source: RiskMetrics (1996), section 5.2, with the mean removed.

    Raises:
        InputError: as `sample`; a half-life that is not positive.
    """
    if not half_life > 0:
        raise InputError(f"A half-life is a positive number of periods, not {half_life:g}.")
    rows, lost, notes = _common(past_returns, names, 2)
    times = np.flatnonzero(~np.isnan(np.asarray(past_returns, np.float64)).any(axis=1))
    weights = np.exp2((times - times[-1]) / half_life)
    weights /= weights.sum()
    concentration = float(weights @ weights)
    centred = _centred(rows, weights @ rows)
    if 1.0 - concentration < _POSITIVE:
        raise InputError(
            f"A half-life of {half_life:g} periods leaves one observation; take a longer one."
        )
    matrix = (centred * weights[:, np.newaxis]).T @ centred / (1.0 - concentration)
    estimate = _estimate(
        (matrix + matrix.T) / 2,
        f"exponentially weighted, half-life {half_life:g}",
        rows,
        lost,
        periods_per_year,
    )
    return estimate._replace(observations_effective=1.0 / concentration, notes=notes)


def ledoit_wolf(
    past_returns: Floats,
    *,
    target: ShrinkageTarget = "scaled_identity",
    periods_per_year: float = 1.0,
    names: Sequence[str] = (),
) -> Estimate:
    """The sample covariance, divisor T, shrunk by the estimated best part towards *target*.

    `scaled_identity`: the mean variance on the diagonal and nothing beside it (Ledoit and Wolf
    2004, A well-conditioned estimator for large-dimensional covariance matrices, section 3.3).
    `constant_correlation`: the sample variances, and the mean correlation for every pair (Ledoit
    and Wolf 2004, Honey, I shrunk the sample covariance matrix, appendix).

    Raises:
        InputError: as `sample`.
    """
    rows, lost, notes = _common(past_returns, names, 2)
    centred = _centred(rows, rows.mean(axis=0))
    matrix = centred.T @ centred / len(rows)
    if target == "scaled_identity":
        goal, part = _towards_identity(centred, matrix)
    else:
        goal, part = _towards_constant_correlation(centred, matrix)
    shrunk = (1.0 - part) * matrix + part * goal
    kind = f"Ledoit-Wolf towards the {target.replace('_', ' ')}"
    estimate = _estimate(shrunk, kind, rows, lost, periods_per_year)
    return estimate._replace(shrinkage=part, notes=notes)


def given(matrix: Floats, *, periods_per_year: float = 1.0) -> Estimate:
    """A covariance that somebody else made; if there can be none such, the nearest that can.

    The variances stay, the correlations become the nearest possible ones (`nearest_correlation`),
    and the note tells the distance. *matrix* already holds for *periods_per_year* periods.

    Raises:
        InputError: it is not square and symmetric, not finite, or has a negative variance.
    """
    found = np.asarray(matrix, dtype=np.float64)
    if found.ndim != 2 or found.shape[0] != found.shape[1] or not found.size:  # noqa: PLR2004  a matrix
        raise InputError(f"A covariance has one row and one column an asset, not {found.shape}.")
    if not np.isfinite(found).all():
        raise InputError("The covariance holds a value that is not a number.")
    deviations = np.sqrt(np.maximum(found.diagonal(), 0.0))
    size = float(np.abs(found).max())
    if found.diagonal().min() < 0 or np.abs(found - found.T).max() > _SYMMETRIC * size:
        raise InputError("The matrix is no covariance: it is not symmetric or has a variance < 0.")
    found = (found + found.T) / 2
    kept, notes = found, tuple[str, ...]()
    if float(np.linalg.eigvalsh(found)[0]) < -_POSITIVE * size:
        inverse = np.divide(1.0, deviations, out=np.zeros_like(deviations), where=deviations > 0)
        correlation = found * np.outer(inverse, inverse)
        np.fill_diagonal(correlation, 1.0)
        kept = nearest_correlation(correlation) * np.outer(deviations, deviations)
        moved = float(np.linalg.norm(kept - found) / np.linalg.norm(found))
        distance = f"{moved:.2%} of its size away (Higham 2002)"
        notes = (
            f"No returns move like this matrix: replaced by the nearest possible, {distance}.",
        )
    return Estimate(kept, "given", 0, 0.0, 0, periods_per_year=periods_per_year, notes=notes)


def nearest_correlation(matrix: Floats) -> Floats:
    """The correlations nearest to a symmetric *matrix*, by the sum of squared differences.

    Positive semidefinite with ones on the diagonal. Source: Higham (2002), Computing the nearest
    correlation matrix, algorithm 3.3: alternating projections with Dykstra's correction.

    Examples:
        >>> chain = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0]])
        >>> nearest_correlation(chain)[0].round(6).tolist()
        [1.0, 0.76069, 0.157298]
    """
    near = np.asarray(matrix, dtype=np.float64)
    correction = np.zeros_like(near)
    for _ in range(_ROUNDS):
        shifted = near - correction
        positive = _positive_part(shifted)
        correction = positive - shifted
        after = positive.copy()
        np.fill_diagonal(after, 1.0)
        moved = float(np.linalg.norm(after - near))
        near = after
        if moved <= _CONVERGED * len(near):
            break
    scale = 1.0 / np.sqrt(positive.diagonal())
    near = positive * np.outer(scale, scale)
    np.fill_diagonal(near, 1.0)
    return near


def _positive_part(matrix: Floats) -> Floats:
    """The nearest positive semidefinite matrix: negative eigenvalues become 0 (Higham 1988)."""
    values, vectors = np.linalg.eigh(matrix)
    part = (vectors * np.maximum(values, 0.0)) @ vectors.T
    return np.asarray((part + part.T) / 2)


# ------------------------------------------------------------------ shrinkage


def _towards_identity(centred: Floats, matrix: Floats) -> tuple[Floats, float]:
    """The target and its weight; in the letters of the paper m, d^2, b^2 and b^2/d^2."""
    count, assets = centred.shape
    mean = float(matrix.trace()) / assets
    goal = mean * np.eye(assets)
    distance = float(((matrix - goal) ** 2).sum())
    squares = centred**2
    noise = float((squares.T @ squares).sum() / count - (matrix**2).sum()) / count
    if distance <= 0 or assets == 1:
        return goal, 0.0
    return goal, min(max(noise, 0.0), distance) / distance


def _towards_constant_correlation(centred: Floats, matrix: Floats) -> tuple[Floats, float]:
    """The target and its weight; in the letters of the paper pi, rho, gamma and kappa/T.

    An asset that never moved has no correlation: it takes no part in the mean, and keeps none.
    """
    count = len(centred)
    deviations = np.sqrt(matrix.diagonal())
    moves = deviations > 0
    inverse = np.divide(1.0, deviations, out=np.zeros_like(deviations), where=moves)
    pairs = int(moves.sum()) * (int(moves.sum()) - 1)
    if pairs == 0:
        return matrix, 0.0
    correlations = matrix * np.outer(inverse, inverse)
    mean = (float(correlations.sum()) - float(correlations.trace())) / pairs
    goal = mean * np.outer(deviations, deviations)
    np.fill_diagonal(goal, matrix.diagonal())
    gamma = float(((goal - matrix) ** 2).sum())
    squares = centred**2
    noises = squares.T @ squares / count - matrix**2
    cubes = (centred**3).T @ centred / count - matrix.diagonal()[:, np.newaxis] * matrix
    np.fill_diagonal(cubes, 0.0)
    ratios = np.outer(inverse, deviations)
    rho = float(noises.trace()) + mean * float((ratios * cubes).sum())
    if gamma <= _POSITIVE * float((matrix**2).sum()):
        return goal, 0.0
    return goal, min(max((float(noises.sum()) - rho) / gamma / count, 0.0), 1.0)


# ------------------------------------------------------------------ what the data are


def _estimate(
    matrix: Floats, kind: str, rows: Floats, lost: int, periods_per_year: float
) -> Estimate:
    if not (np.isfinite(periods_per_year) and periods_per_year > 0):
        raise InputError(f"A year has a positive number of periods, not {periods_per_year:g}.")
    return Estimate(
        matrix * periods_per_year,
        kind,
        len(rows),
        float(len(rows)),
        lost,
        periods_per_year=periods_per_year,
    )


def _common(
    past_returns: Floats, names: Sequence[str], least: int
) -> tuple[Floats, int, tuple[str, ...]]:
    """The rows in which every asset has a return, how many were left out, and notes on them."""
    table = np.asarray(past_returns, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] == 0:  # noqa: PLR2004  time and assets
        raise InputError(f"Past returns are a table of periods and assets, not of {table.shape}.")
    names = names or [f"asset {place + 1}" for place in range(table.shape[1])]
    missing = np.isnan(table)
    spoiled = np.isinf(table) | (table < -1.0)
    if spoiled.any():
        place = int(np.flatnonzero(spoiled.any(axis=0))[0])
        raise InputError(
            f"A past return of {names[place]} is infinite or below -100 %; correct its prices."
        )
    rows = table[~missing.any(axis=1)] if missing.any() else table
    lost = len(table) - len(rows)
    if len(rows) < max(least, 2):
        shortest = int(np.argmax(missing.sum(axis=0)))
        raise InputError(
            f"Only {len(rows)} of {len(table)} periods have a return of every asset, and"
            f" {max(least, 2)} are needed; {names[shortest]} lacks"
            f" {int(missing[:, shortest].sum())} of them."
        )
    return rows, lost, tuple(_notes(rows, lost, names))


def _centred(rows: Floats, means: Floats) -> Floats:
    """Distances from the means; exactly 0 where an asset never moved, whatever rounding says."""
    centred = rows - means
    centred[:, np.ptp(rows, axis=0) == 0] = 0.0
    return centred


def _notes(rows: Floats, lost: int, names: Sequence[str]) -> list[str]:
    count, assets = rows.shape
    notes = []
    if lost:
        notes.append(f"{lost} of {lost + count} periods lack a return of some asset: left out.")
    if count <= assets:
        few = f"{count} periods of {assets} assets are too few to tell"
        notes.append(f"{few}: some mixes seem free of risk.")
    still = [name for name, span in zip(names, np.ptp(rows, axis=0), strict=True) if span == 0]
    if still:
        notes.append(f"Never moved: {', '.join(still)}.")
    same = [" = ".join(names[place] for place in places) for places in _twins(rows)]
    if same:
        notes.append(f"The same returns: {'; '.join(same)}.")
    return notes


def _twins(rows: Floats) -> list[list[int]]:
    """The places of columns that are the same, a list for each kind."""
    alike: dict[float, list[int]] = {}
    for place, first in enumerate(rows[0].tolist()):
        alike.setdefault(first, []).append(place)
    kinds: dict[bytes, list[int]] = {}
    for places in alike.values():
        if len(places) > 1:
            for place in places:
                kinds.setdefault(rows[:, place].tobytes(), []).append(place)
    return [places for places in kinds.values() if len(places) > 1]
