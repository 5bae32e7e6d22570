"""How long the command takes: `trimtab plan` from a folder of files, in a process of its own.

The demo household, and one of 50 classes, 6 accounts and 20,000 lots, written out as the files that
a user keeps. CPU time and wall time of the whole process, start of Python included, and its peak
memory; the median of all rounds, with the least and the most.

    python benchmarks/planner/bench_command.py
"""

import csv
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import NamedTuple

from households import TODAY, Home, built, large_household

ROUNDS = 7
TRIMTAB = str(Path(sys.executable).with_name("trimtab"))
MEGABYTE = 1024 if sys.platform == "linux" else 1024**2
"""What `ru_maxrss` counts in."""


class Run(NamedTuple):
    """Seconds of CPU and of the wall clock, and MiB at the peak."""

    cpu: float
    wall: float
    peak: float


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        demo, large = Path(place, "demo"), Path(place, "large")
        command("demo", "--into", str(demo), "--today", f"{TODAY}")
        written(built(large_household()), large)
        print(f"{'trimtab plan':<48} {'CPU, s':>7} {'min .. max':>14} {'wall, s':>8} {'MiB':>5}")
        for name, folder in (("demo household", demo), (large_household().name, large)):
            runs = [one_run(folder) for _ in range(ROUNDS)]
            cpu = sorted(run.cpu for run in runs)
            print(
                f"{name:<48} {median(cpu):>7.2f} {f'{cpu[0]:.2f} .. {cpu[-1]:.2f}':>14} "
                f"{median(run.wall for run in runs):>8.2f} "
                f"{median(run.peak for run in runs):>5.0f}",
                flush=True,
            )


def command(*words: str) -> None:
    """Run trimtab; a plan that the closed market holds is no failure here."""
    done = subprocess.run([TRIMTAB, *words], capture_output=True, text=True, check=False)
    if done.returncode not in {0, 3, 4}:
        sys.exit(f"trimtab {' '.join(words)} ended with {done.returncode}: {done.stderr[-2000:]}")


def one_run(folder: Path) -> Run:
    """One `trimtab plan`, measured from a small process that does nothing else."""
    start = perf_counter()
    code = (
        "import resource, subprocess, sys\n"
        f"subprocess.run([{TRIMTAB!r}, 'plan', '--folder', {str(folder)!r}],"
        " capture_output=True)\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(used.ru_utime + used.ru_stime, used.ru_maxrss)\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    cpu, peak = (float(word) for word in told.stdout.split())
    return Run(cpu, perf_counter() - start, peak / MEGABYTE)


def written(home: Home, folder: Path) -> None:
    """The household of *home* as files."""
    folder.mkdir()
    (folder / "household.toml").write_text("\n".join(toml(home)), encoding="utf-8")
    snapshot = home.snapshot
    table(
        folder / "lots.csv",
        ("id", "account", "symbol", "quantity", "cost", "acquired"),
        (
            (one.id, one.account, one.symbol, one.quantity, one.basis, one.acquired)
            for one in snapshot.lots
        ),
    )
    table(
        folder / "cash.csv",
        ("account", "currency", "amount"),
        ((one.account, one.currency, one.amount) for one in snapshot.balances),
    )
    table(
        folder / "prices.csv",
        ("date", "symbol", "close"),
        ((TODAY, one.symbol, one.price) for one in snapshot.quotes.values()),
    )
    table(
        folder / "sales.csv",
        ("account", "symbol", "quantity", "proceeds", "cost", "acquired", "sold"),
        (
            (one.account, one.symbol, one.quantity, one.proceeds, one.basis, one.acquired, one.sold)
            for one in home.memory.disposals
        ),
    )


def toml(home: Home) -> Iterable[str]:
    """household.toml, line by line."""
    yield from ("[household]", 'name = "Large"', "[owners.ann]", 'role = "self"')
    for account in home.snapshot.accounts.values():
        yield f"[accounts.{account.id}]"
        yield f'owner = "ann"\nkind = "{account.kind}"\nbroker = "paper"'
        yield f'relief = "{account.relief}"'
    for symbol, one in home.snapshot.instruments.items():
        yield f'[instruments.{symbol}]\nkind = "{one.kind}"\nstep = {one.step}'
    for name, rule in home.policy.classes.items():
        members = ", ".join(f'"{symbol}"' for symbol in rule.members)
        yield f"[classes.{name}]\ntarget = {rule.target}\nmembers = [{members}]"
    tax = home.facts.tax
    yield f'[tax]\nfiling_status = "{tax.filing_status}"'
    yield f"short_term_rate = {tax.short_term_rate}\nlong_term_rate = {tax.long_term_rate}"
    yield "[gates]\nturnover_max = 1\norders_max = 1000"
    yield '[data]\nsales = "sales.csv"\nstale_after_days = 100000'


def table(path: Path, head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(rows)


if __name__ == "__main__":
    main()
