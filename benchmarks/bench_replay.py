"""How long a replay of one, two and four years takes, and what reading only what is new saves.

An invented household of two accounts and three funds under CPPI, which trades often, looked at on
every session at invented closes. `read on` is `trimtab replay`. `read whole` is the same days with
the journal read twice from its first entry each day, once to know the past and once to check the
chain: the baseline, whose time grows with the square of the sessions. Both must end with the same
last hash. CPU time of the process, so that other programs on the machine count little, and the two
in turns.

    python benchmarks/bench_replay.py
"""

import csv
import datetime as dt
import platform
import tempfile
from collections.abc import Iterable
from pathlib import Path
from time import process_time
from typing import NamedTuple

import numpy as np

from trimtab.adapters.calendars import MarketCalendars
from trimtab.adapters.journal import SqliteJournal
from trimtab.apps.clock import ManualClock
from trimtab.apps.home import Home, working
from trimtab.apps.replay import LEAD, replay
from trimtab.apps.run import run_once

SEED = 7
START = dt.date(2021, 1, 4)
ROUNDS = {1: 3, 2: 2, 4: 1}
"""Years, and how many rounds are measured: what is read whole takes minutes over four."""
CALENDAR = "XNYS"
RETURNS = {"VTI": (0.0003, 0.012), "VXUS": (0.0002, 0.012), "BND": (0.0001, 0.003)}
"""Mean and deviation of a day's log return."""
HOLDINGS = (("joint", "VTI", "400"), ("ira", "VXUS", "300"), ("ira", "BND", "400"))

TOML = """
[household]
name = "Looked at every day"

[owners.ann]
role = "self"

[accounts.joint]
owner = "ann"
kind = "taxable"
broker = "paper"
relief = "specific"

[accounts.ira]
owner = "ann"
kind = "traditional_ira"
broker = "paper"

[instruments]
VTI = { kind = "etf" }
VXUS = { kind = "etf" }
BND = { kind = "etf" }

[classes.us-stocks]
target = 0.4
members = ["VTI"]

[classes.world-stocks]
target = 0.3
members = ["VXUS"]

[classes.bonds]
target = 0.3
members = ["BND"]
risk = "safe"

[strategy]
layers = ["cppi"]

[strategy.cppi]
multiplier = 4

[gates]
quote_age_max_minutes = 6000
fall_from_peak_max = 0.95        # nobody is there to re-arm a breaker

[tax]
filing_status = "single"
short_term_rate = 0.32
long_term_rate = 0.188

[data]
prices = ["prices.csv"]
"""


class Timed(NamedTuple):
    """A replay's CPU seconds, how many sessions and entries it had, and its journal's last hash."""

    seconds: float
    sessions: int
    entries: int
    head: str

    @property
    def each(self) -> str:
        return f"{1e3 * self.seconds / self.sessions:.1f} ms"


def main() -> None:
    print(f"{platform.machine()}, Python {platform.python_version()}: the least CPU time\n")
    print("years rounds  sessions  entries   read on  a session  read whole  a session   times")
    for years, count in ROUNDS.items():
        end = START.replace(year=START.year + years) - dt.timedelta(days=1)
        with tempfile.TemporaryDirectory() as folder:
            write_household(Path(folder, "warm"))
            read_on(Path(folder, "warm"), START)  # so that calendars and solver are loaded
        rounds = [timed(end) for _ in range(count)]
        on, whole = (min(runs) for runs in zip(*rounds, strict=True))
        assert on[1:] == whole[1:], "read on or read whole, the same is done"
        print(
            f"{years:>5} {count:>6} {on.sessions:>9,} {on.entries:>8,} "
            f"{on.seconds:>7.2f} s {on.each:>10} "
            f"{whole.seconds:>9.2f} s {whole.each:>10} {whole.seconds / on.seconds:>7.1f}"
        )


def timed(end: dt.date) -> tuple[Timed, Timed]:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        for folder in (one, other):
            write_household(Path(folder, "home"))
        return read_on(Path(one, "home"), end), read_whole(Path(other, "home"), end)


def read_on(folder: Path, end: dt.date) -> Timed:
    start = process_time()
    done = replay(Home(folder), START, end, into=folder / "replay")
    return Timed(process_time() - start, len(done.days), done.entries, done.head)


def read_whole(folder: Path, end: dt.date) -> Timed:
    """What `replay` does, with the journal read and checked from its first entry every day."""
    start = process_time()
    calendars = MarketCalendars()
    sessions = calendars.sessions(CALENDAR, START, end)
    clock = ManualClock(dt.datetime.combine(START, dt.time(), tzinfo=dt.UTC))
    outcomes = []
    with working(Home(folder), command="benchmark", clock=clock, lead=LEAD) as house:
        assert isinstance(house.journal, SqliteJournal)
        for session in sessions:
            clock.at = calendars.close_of(CALENDAR, session) - LEAD
            outcomes.append(run_once(house, executes=True))
            head = house.journal.integrity()
    return Timed(process_time() - start, len(outcomes), head.sequence, head.hash)


# ------------------------------------------------------------------ an invented household


def write_household(folder: Path) -> None:
    folder.mkdir()
    (folder / "household.toml").write_text(TOML, encoding="utf-8")
    bought = dt.date(START.year - 1, 1, 6)
    write(
        folder / "lots.csv",
        ("account", "symbol", "quantity", "cost", "acquired"),
        ((*holding, f"{80 * int(holding[2])}", f"{bought}") for holding in HOLDINGS),
    )
    write(folder / "cash.csv", ("account", "currency", "amount"), [("joint", "USD", "500")])
    last = START.replace(year=START.year + max(ROUNDS))
    days = MarketCalendars().sessions(CALENDAR, bought, last)
    write(folder / "prices.csv", ("date", "symbol", "close", "adjusted close"), closes(days))


def closes(days: list[dt.date]) -> Iterable[tuple[str, ...]]:
    rng = np.random.default_rng(SEED)
    for symbol, (mean, deviation) in RETURNS.items():
        walk = 100 * np.exp(np.cumsum(rng.normal(mean, deviation, len(days))))
        for day, close in zip(days, walk, strict=True):
            yield f"{day}", symbol, f"{close:.2f}", f"{close:.2f}"


def write(path: Path, header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


if __name__ == "__main__":
    main()
