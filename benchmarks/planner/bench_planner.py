"""How long the planner takes, from values to a plan, and how near to its proven bound the plan is.

`decide` is a whole turn: drift, tax ledger, locks, plan, gates, sentences. `plan` is `make_plan`
alone: Decimals in, checked orders with their reasons out; two of its steps are also told: laying
out the arrays, and solving them. CPU time of this process on one core, the median of all rounds,
with the least and the most; the garbage collector does not go over what was there before, which is
the benchmark's own. The gap is between the cost of the orders, rounding included, and the
proven bound, in basis points of the household's value. `households.py` describes the households.

The peer's seconds are published figures of another run on another machine, one account at a time.

    python benchmarks/planner/bench_planner.py
"""

import gc
import json
import os
import platform
import resource
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from statistics import median
from time import process_time
from typing import NamedTuple

from households import Home, Shape, built, household, large_household, single

from trimtab.adapters.law import read_law
from trimtab.domain.trades import Decision
from trimtab.domain.values import Snapshot
from trimtab.rules.cycle import decide
from trimtab.rules.holdings import holdings
from trimtab.rules.look import look_at, prepare
from trimtab.rules.plan import Planning, make_plan
from trimtab.rules.plan.layout import lay_out
from trimtab.rules.plan.solve import solve

ROUNDS = 9
SCALING = (500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
STATUTES = read_law().statutes
PEER = {(5, 5): 0.23, (10, 20): 0.60, (50, 10): 2.2, (100, 20): 6.8, (500, 10): 41.6}
"""CPU seconds of doublehq/oracle (PuLP and CBC) by positions and lots of each, as published."""
MEGABYTE = 1024 if sys.platform == "linux" else 1024**2
"""What `ru_maxrss` counts in."""


class Times(NamedTuple):
    """Milliseconds of CPU, every round."""

    decide: list[float]
    plan: list[float]
    layout: list[float]
    solve: list[float]


def main() -> None:
    stay_on_one_core()
    print(f"{platform.machine()}, Python {platform.python_version()}; {ROUNDS} rounds, CPU time\n")
    print("One taxable account, positions x lots; funds with a substitute, from 100 on stocks")
    head("peer, published")
    for size, seconds in PEER.items():
        row(single(*size), f"{seconds:.2f} s")
    print("Published figures of another run and machine, not measured here; 500 x 50: 169 s.\n")
    print("Four accounts, 12 classes of 2 to 3 members, losses to harvest, locks both ways")
    head("of plan, a lot")
    row(household(is_drifted=False))
    for lots in SCALING:
        row(household(lots), is_by_lot=True)
    print()
    print("50 classes, 6 accounts, 20,000 lots, in a process of its own")
    head("peak memory")
    row(large_household(), f"{peak_in_own_process():.0f} MiB")


def head(last: str) -> None:
    columns = ("decide, ms", "min .. max", "plan, ms", "min .. max", "layout", "solve")
    print(
        "{:<48} {:>11} {:>18} {:>9} {:>18} {:>8} {:>8}".format("", *columns)
        + f" {'orders':>6} {'gap, bp':>8} {last:>16}"
    )


def row(shape: Shape, last: str = "", *, is_by_lot: bool = False) -> None:
    home = built(shape)
    assert len(home.snapshot.lots) == shape.lots
    decision = decided(home)
    if not shape.is_drifted:
        assert decision.plan is None
        looks = [milliseconds(partial(decided, home)) for _ in range(ROUNDS)]
        print(f"{shape.name:<48} {median(looks):>11.2f} {spread(looks):>18}  no plan is called for")
        return
    times = measured(home)
    if is_by_lot:
        last = f"{1e3 * median(times.plan) / shape.lots:.1f} us"
    assert decision.plan is not None, f"{shape.name} calls for a plan"
    orders = len(decision.plan.trades)
    print(
        f"{shape.name:<48} {median(times.decide):>11.2f} {spread(times.decide):>18} "
        f"{median(times.plan):>9.2f} {spread(times.plan):>18} "
        f"{median(times.layout):>8.2f} {median(times.solve):>8.2f} "
        f"{orders:>6} {gap(decision):>8.4f} {last:>16}",
        flush=True,
    )


def decided(home: Home) -> Decision:
    snapshot, policy, memory, facts = home
    return decide(snapshot, policy, memory, facts, STATUTES, cycle="1")


def ready(home: Home) -> tuple[Snapshot, Planning]:
    """What `make_plan` takes: the lots as the tax ledger has them, and all that a plan needs."""
    snapshot, policy, memory, facts = home
    look = look_at(snapshot, policy, memory)
    return prepare(snapshot, policy, memory, facts, STATUTES, look)


def measured(home: Home) -> Times:
    """All in turns, so that whatever disturbs the machine disturbs all."""
    prepared = ready(home)
    held = holdings(prepared[0], home.policy)
    problem = lay_out(*prepared, held).problem
    gc.collect()
    gc.freeze()
    times = Times([], [], [], [])
    for _ in range(ROUNDS):
        times.decide.append(milliseconds(partial(decided, home)))
        times.plan.append(milliseconds(partial(make_plan, *prepared)))
        times.layout.append(milliseconds(partial(lay_out, *prepared, held)))
        times.solve.append(milliseconds(partial(solve, problem)))
    return times


def milliseconds(work: Callable[[], object]) -> float:
    start = process_time()
    work()
    return 1e3 * (process_time() - start)


def spread(times: list[float]) -> str:
    return f"{min(times):.2f} .. {max(times):.2f}"


def gap(decision: Decision) -> float:
    """By how much a better plan could be cheaper at most, rounding included; basis points."""
    plan = decision.plan
    assert plan is not None, "a plan is measured"
    assert plan.certificate is not None, "a plan carries its proof"
    return float(plan.certificate.gap_bps)


def stay_on_one_core() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def peak_in_own_process() -> float:
    """MiB that a process has held at most that planned for the large household once."""
    command = [sys.executable, __file__, "--peak"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(json.loads(done.stdout))


if __name__ == "__main__":
    if sys.argv[1:] == ["--peak"]:
        decided(built(large_household()))
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTE)
    else:
        main()
