"""A seed drives prices, losses, splits and deaths; afterwards nothing is lost, doubled or stuck.

`TRIMTAB_STORM_SEEDS=2000 pytest tests/storm -s` makes it longer and shows what has happened. A
failure names its seed: `Storm(seed)` does the same thing again.
"""

import os
from collections import Counter

import numpy as np
import pytest
from tests.storm.storm_death import FLAVOURS, NumberedFate
from tests.storm.storm_sqlite import SqliteShelf
from tests.storm.storm_world import Storm

from trimtab.lab.faults import FAULTS

SEEDS = int(os.environ.get("TRIMTAB_STORM_SEEDS", "100"))
BLOCK = 25
DAYS = 25
WRITES = (
    "household-opened",
    "account-opened",
    "policy-adopted",
    "cycle-started",
    "decided",
    "order-intended",
    "order-answered",
    "order-filled",
    "cash-moved",
    "split-applied",
    "discrepancy-found",
    "discrepancy-cleared",
    "bands-moved",
    "cycle-ended",
)
CALLS = ("submit", "find", "cancel", "activities", "report")


@pytest.mark.parametrize("first", range(0, SEEDS, BLOCK))
def test_no_storm_loses_a_cent_a_share_or_an_order(first):
    counts: Counter[str] = Counter()
    for seed in range(first, first + BLOCK):
        storm = Storm(seed)
        storm.rage(DAYS)
        storm.calm_down()
        counts += storm.report()
    print(_summary(counts))
    happened = {name for name, times in counts.items() if times}
    expected = {f"fault {name}" for name in FAULTS} | {"splits", "flows", "dividends", "silences"}
    assert happened >= expected, f"storms without {sorted(expected - happened)}: seeds from {first}"
    spared = [s for s in WRITES + CALLS if not any(f"killed {f} {s}" in happened for f in FLAVOURS)]
    assert not spared, f"nobody died at {spared}: seeds from {first}"
    assert counts["days"] == BLOCK * DAYS
    assert counts["fills"] > counts["orders"] / 2 > BLOCK, "a storm in which nothing is traded"


def test_a_death_at_every_single_write_and_call_loses_nothing():
    seeds, sites = _seeds_that_meet_every_site()
    assert sites >= {*WRITES, *CALLS}, (
        f"choose more seeds: none meets { ({*WRITES, *CALLS} - sites) }"
    )
    deaths: Counter[tuple[str, str]] = Counter()
    for seed, visits in seeds.items():
        for number in range(1, visits + 1):
            fate = NumberedFate(number)
            _short_storm(seed, fate)
            assert fate.deaths.total() == 1, f"seed {seed}: nobody died at visit {number}"
            deaths += fate.deaths
    print(f"{deaths.total()} deaths of {len(seeds)} households, one each")
    assert {*deaths} >= {(site, flavour) for site in WRITES + CALLS for flavour in FLAVOURS}


def test_a_locked_database_and_a_full_disk_lose_nothing(tmp_path):
    strikes: Counter[str] = Counter()
    for seed in range(1000, 1004):
        shelf = SqliteShelf(tmp_path / f"{seed}.sqlite", np.random.default_rng(seed))
        storm = Storm(seed, shelf=shelf)
        storm.rage(DAYS)
        shelf.is_calm = True
        storm.calm_down()
        assert shelf.journal.integrity() == storm.audit.head, f"seed {seed}"
        assert storm.counts["failed writes"] == shelf.strikes.total(), f"seed {seed}"
        strikes += shelf.strikes
        shelf.journal.close()
    print(_summary(strikes))
    assert {*strikes} == {"JournalBusy", "JournalFull"}


def _seeds_that_meet_every_site() -> tuple[dict[int, int], set[str]]:
    """Some seeds with the number of their visits: together they meet every write and every call."""
    fates = {seed: _short_storm(seed, NumberedFate()) for seed in range(60)}
    chosen: dict[int, int] = {}
    met: set[str] = set()
    while True:
        gains = {seed: len(fate.sites - met) / fate.visits for seed, fate in fates.items()}
        best = max(gains, key=gains.__getitem__)
        if not gains[best]:
            return chosen, met
        chosen[best] = fates[best].visits
        met |= fates[best].sites


def _short_storm(seed: int, fate: NumberedFate) -> NumberedFate:
    storm = Storm(seed, fate=fate)
    storm.rage(2)
    storm.calm_down()
    return fate


def _summary(counts: Counter[str]) -> str:
    return "\n".join(f"{counts[name]:>8} {name}" for name in sorted(counts))
