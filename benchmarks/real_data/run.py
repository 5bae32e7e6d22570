"""Each case replayed with the cycle of `trimtab replay`, and measured as `performance` does."""

import datetime as dt
import re
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import msgspec
from real_data.households import Case, write_household

from trimtab.adapters.journal import SqliteJournal
from trimtab.apps.clock import SystemClock
from trimtab.apps.home import Home
from trimtab.apps.performance import perform
from trimtab.apps.replay import Replay, replay
from trimtab.domain.events import ContributionMet


class Figures(NamedTuple):
    """What one replay came to; returns and falls are fractions, money is in dollars."""

    name: str
    value: float
    time_weighted: float
    fall: float
    trough: dt.date
    recovered: dt.date | None
    volatility: float
    turnover: float
    tax: float
    trades: int
    days: tuple[dt.date, ...]
    units: tuple[float, ...]
    risky: tuple[float, ...]
    cash: float
    invested: tuple[tuple[dt.date, float], ...]


def replay_all(asked: Sequence[Case], keep: Path) -> dict[Case, Figures]:
    """The figures of every case, as many at once as there are cores."""
    keep.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor() as pool:
        return dict(zip(asked, pool.map(replayed, asked, [keep] * len(asked)), strict=True))


def replayed(case: Case, keep: Path) -> Figures:
    """The figures of *case*, from the folder *keep* where they are there already."""
    letters = re.sub(r"[^a-z0-9]+", "-", case.name.lower())
    path = keep / f"{letters}-{case.start}-{case.end}.json"
    if path.exists():
        return msgspec.json.decode(path.read_bytes(), type=Figures)
    found = figures_of(case)
    path.write_bytes(msgspec.json.encode(found))
    return found


def figures_of(case: Case) -> Figures:
    """Replay *case* and measure what it left in its folder."""
    with tempfile.TemporaryDirectory() as name:
        home = Home(write_household(Path(name) / "household", case))
        into = Path(name) / "replay"
        done = replay(home, case.start, case.end, into=into, executes=case.executes)
        with SqliteJournal.open(Home(into).journal, create=False, read_only=True) as journal:
            entries = list(journal.entries())
        performed = perform(Home(into), entries, SystemClock())
    whole = performed.whole
    assert whole is not None
    assert whole.fall is not None
    assert whole.time_weighted is not None
    return Figures(
        name=case.name,
        value=whole.value_end,
        time_weighted=whole.time_weighted,
        fall=whole.fall.depth,
        trough=whole.fall.trough,
        recovered=whole.fall.recovered,
        volatility=whole.volatility or 0.0,
        turnover=whole.turnover or 0.0,
        tax=whole.realized_tax,
        trades=sum(one.filled > 0 for day in done.days for one in day.outcome.executions),
        days=tuple(point.day for point in performed.points),
        units=tuple(point.unit for point in performed.points),
        risky=risky_share(done),
        cash=float(done.memory.cash.get(("fresh", "USD"), Decimal(0))),
        invested=tuple(
            (entry.event.contribution.day, float(entry.event.contribution.amount))
            for entry in entries
            if isinstance(entry.event, ContributionMet)
        ),
    )


def risky_share(done: Replay) -> tuple[float, ...]:
    """What part of the savings was in risky classes at each look."""
    return tuple(
        sum(float(one.weight) for one in day.outcome.decision.drifts if one.asset_class != "bonds")
        for day in done.days
        if day.outcome.decision is not None
    )
