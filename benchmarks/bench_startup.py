"""How long the program takes before it has said its word: wall time of whole processes.

`trimtab --help`, and `trimtab status` on the demo's household, beside Python itself doing nothing,
and beside Python importing pandas, for scale. In turns, so that a slow moment hits all of them.

    python benchmarks/bench_startup.py
"""

import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

ROUNDS = 15
PYTHON = Path(sys.executable)
TRIMTAB = PYTHON.with_name("trimtab")
NOTHING = "python -c pass"


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        demo = Path(place) / "demo"
        run([TRIMTAB, "demo", "--into", demo])
        commands: dict[str, list[str | Path]] = {
            NOTHING: [PYTHON, "-c", "pass"],
            "trimtab --help": [TRIMTAB, "--help"],
            "trimtab status": [TRIMTAB, "status", "--folder", demo],
            'python -c "import pandas"': [PYTHON, "-c", "import pandas"],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(ROUNDS + 1):
            for name, command in commands.items():
                start = perf_counter()
                run(command)
                times[name].append(perf_counter() - start)
    print(
        f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}; ", end=""
    )
    print(f"{ROUNDS} rounds in turns after one to warm up, wall time\n")
    print(f"{'':<26} {'median':>9}   {'min .. max':<18} ratio to Python alone")
    alone = median(times[NOTHING][1:])
    for name, (_, *seconds) in times.items():
        middle = median(seconds)
        spread = f"{1e3 * min(seconds):.0f} .. {1e3 * max(seconds):.0f}"
        print(f"{name:<26} {1e3 * middle:>6.0f} ms   {spread:<18} {middle / alone:.1f}")


def run(command: list[str | Path]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
