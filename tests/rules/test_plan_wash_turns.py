"""Whole turns of a couple with an IRA, booked in the tax ledger: no plan makes a wash sale.

The checker of plans takes wash locks and recent purchases from the planner's own planning, because
only the tax ledger knows them. Here nothing is taken from either: households by chance go through
several looks with prices that move in between, every plan is booked as it would be filled at its
limits, and the ledger is asked which losses it disallows.
"""

import datetime as dt
from typing import NamedTuple

import numpy as np
import pytest
from msgspec.structs import replace
from tests.rules.wash_homes import bought, by_chance, ledger_of, moved, told

from trimtab.rules.tax.ledger import Ledger

HOMES_EACH = 25
LOOKS = 3


class Looked(NamedTuple):
    """What became of a household: its last ledger, what the plans booked, and their losses."""

    ledger: Ledger
    booked: frozenset[str]
    losses: int


@pytest.mark.parametrize("seed", range(12))
def test_no_plan_of_a_couple_washes_a_loss_of_either_or_of_their_ira(seed):
    rng = np.random.default_rng(seed)
    looked = [_looked(rng) for _ in range(HOMES_EACH)]
    for one in looked:
        washed = [
            match
            for match in one.ledger.matches()
            if match.sale_id in one.booked or match.replacement_lot in one.booked
        ]
        assert washed == []
    # The law is not kept by doing nothing.
    assert sum(one.losses for one in looked) > HOMES_EACH
    assert sum(len(one.booked) for one in looked) > 5 * HOMES_EACH


def _looked(rng: np.random.Generator) -> Looked:
    home, booked = by_chance(rng), set[str]()
    scheduled = home.snapshot.scheduled
    for look in range(LOOKS):
        decision = home.decide(f"{look}")
        assert not any("withheld" in one.sentence for one in decision.refusals)
        trades = () if decision.plan is None else decision.plan.trades
        facts = [told(trade, home.snapshot, look) for trade in trades]
        booked |= {fact.id for fact in facts}
        later = home.snapshot.at + dt.timedelta(days=int(rng.integers(1, 40)))
        facts += [bought(one, home.snapshot) for one in scheduled if one.date <= later.date()]
        scheduled = tuple(one for one in scheduled if one.date > later.date())
        home = moved(home, trades, facts, later, rng)
        home = home._replace(snapshot=replace(home.snapshot, scheduled=scheduled))
    ledger = ledger_of(home)
    losses = sum(
        sale.gain < 0 and sale.is_taxed and sale.sale_id in booked for sale in ledger.sales()
    )
    return Looked(ledger, frozenset(booked), losses)
