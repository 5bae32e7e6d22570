"""How long minimum variance under bounds takes, from past returns to weights, beside its peers.

2, 10, 50 and 500 assets over 1,000 invented days, each weight from 0 to a cap, the sample
covariance, one thread for all. The peers are what is installed of PyPortfolioOpt, skfolio and
riskfolio-lib, each used as its documentation shows and given its table of returns ready made; those
absent are left out. They take turns, so that a slow moment hits all. Beside the time stands how
much more variance than ours the weights have, and by how much they miss their bounds or their sum.

    pip install PyPortfolioOpt skfolio riskfolio-lib
    python benchmarks/bench_minimum_variance.py
"""

import os
import platform
import sys
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from statistics import median
from time import perf_counter
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from trimtab.rules.targets.covariance import sample
from trimtab.rules.targets.minimum_variance import minimum_variance
from trimtab.rules.targets.quadratic import Limits

Floats = NDArray[np.float64]
ROUNDS = {2: 25, 10: 25, 50: 25, 500: 7}
CAPS = {2: 0.6, 10: 0.2, 50: 0.08, 500: 0.02}
DAYS = 1_000
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
PACKAGES = {"pypfopt": "PyPortfolioOpt", "skfolio": "skfolio", "riskfolio": "riskfolio-lib"}


class Run(NamedTuple):
    """Seconds of every round, and the weights of the last."""

    seconds: list[float]
    weights: Floats


def main() -> None:
    peers = {module: name for module, name in PACKAGES.items() if find_spec(module)}
    known = [f"{name} {version(name)}" for name in peers.values()]
    absent = [name for module, name in PACKAGES.items() if module not in peers]
    print(
        f"{platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}, ",
        end="",
    )
    print(f"one thread; {', '.join(known) or 'no peers'}")
    if absent:
        print(f"Not installed, left out: {', '.join(absent)}.")
    print(
        f"\n{'':<24} {'median':>11}   {'min .. max':<22} {'ratio':>7} {'excess':>9} {'missed':>9}"
    )
    for count, cap in CAPS.items():
        past = returns(count)
        runs = in_turns(works(past, cap, peers), ROUNDS[count])
        matrix = np.atleast_2d(np.cov(past, rowvar=False))
        ours = runs["trimtab"]
        least = float(ours.weights @ matrix @ ours.weights)
        for name, run in runs.items():
            w, times = run.weights, sorted(run.seconds)
            missed = max(abs(w.sum() - 1), -w.min(), w.max() - cap)
            spread = f"{1e3 * times[0]:.2f} .. {1e3 * times[-1]:.2f}"
            print(
                f"{f'{count}, {name}':<24} {1e3 * median(times):>8.2f} ms   {spread:<22}"
                f" {median(times) / median(ours.seconds):>7.1f}"
                f" {w @ matrix @ w / least - 1:>9.0e} {missed:>9.0e}",
                flush=True,
            )


def returns(count: int) -> Floats:
    """Daily returns of assets that share three causes and differ in size."""
    rng = np.random.default_rng(count)
    causes = 0.006 * rng.normal(size=(DAYS, 3))
    loads = np.column_stack((0.5 + rng.random(count), 0.5 * rng.normal(size=(count, 2))))
    alone = 0.008 * np.exp(0.4 * rng.normal(size=count)) * rng.normal(size=(DAYS, count))
    return 0.0003 + causes @ loads.T + alone


def in_turns(works: Mapping[str, Callable[[], Floats]], rounds: int) -> dict[str, Run]:
    runs = {name: Run([], work()) for name, work in works.items()}  # the first warms up
    for _ in range(rounds):
        for name, work in works.items():
            start = perf_counter()
            weights = work()
            runs[name].seconds.append(perf_counter() - start)
            runs[name] = runs[name]._replace(weights=np.asarray(weights))
    return runs


def works(past: Floats, cap: float, peers: Mapping[str, str]) -> dict[str, Callable[[], Floats]]:
    found: dict[str, Callable[[], Floats]] = {"trimtab": partial(by_trimtab, past, cap)}
    days = pd.bdate_range("2020-01-01", periods=len(past))
    table = pd.DataFrame(past, days, [f"A{place:03}" for place in range(past.shape[1])])
    rivals = {"pypfopt": by_pypfopt, "skfolio": by_skfolio, "riskfolio": by_riskfolio}
    return found | {name: partial(rivals[module], table, cap) for module, name in peers.items()}


def by_trimtab(past: Floats, cap: float) -> Floats:
    return minimum_variance(sample(past), Limits(upper=cap)).weights


def by_pypfopt(table: pd.DataFrame, cap: float) -> Floats:
    from pypfopt import EfficientFrontier, risk_models  # noqa: PLC0415  it may be absent

    matrix = risk_models.sample_cov(table, returns_data=True)
    frontier = EfficientFrontier(None, matrix, weight_bounds=(0, cap))
    frontier.min_volatility()
    return frontier.weights


def by_skfolio(table: pd.DataFrame, cap: float) -> Floats:
    from skfolio.optimization import MeanRisk  # noqa: PLC0415  it may be absent

    return MeanRisk(min_weights=0.0, max_weights=cap).fit(table).weights_


def by_riskfolio(table: pd.DataFrame, cap: float) -> Floats:
    import riskfolio  # noqa: PLC0415  it may be absent

    count = table.shape[1]
    portfolio = riskfolio.Portfolio(returns=table, upperlng=1)
    portfolio.assets_stats(method_mu="hist", method_cov="hist")
    portfolio.ainequality, portfolio.binequality = np.eye(count), np.full((count, 1), cap)
    return portfolio.optimization(rm="MV", obj="MinRisk")["weights"].to_numpy()


if __name__ == "__main__":
    if any(os.environ.get(name) != "1" for name in THREADS):
        os.execve(
            sys.executable, [sys.executable, *sys.argv], os.environ | dict.fromkeys(THREADS, "1")
        )
    warnings.simplefilter("ignore")  # the peers' own
    main()
