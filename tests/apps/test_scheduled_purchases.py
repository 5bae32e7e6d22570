"""Scheduled money of couples by chance, booked in the tax ledger: none of it spoils a loss.

The purchases are those that `contribute` names, on the days that it names, and those of the turns
that invest what came in, lumps in parts and value paths. The tax ledger is asked which losses they
cost.
"""

import datetime as dt
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import pytest
from msgspec.structs import replace
from tests.houses import FixedPrices, house_of
from tests.rules.homes import STATUTES, TODAY, Home
from tests.rules.wash_homes import ACCOUNTS, bought, by_chance, ledger_of, moved, told

from trimtab.apps.contributing import Place, contribute
from trimtab.apps.hypothetical import Look
from trimtab.domain.facts import Facts
from trimtab.domain.history import Transaction, TransactionKind
from trimtab.domain.incoming import AveragingRule
from trimtab.domain.numbers import ZERO, Money
from trimtab.domain.policy import FlowRule
from trimtab.domain.values import ScheduledPurchase, Snapshot
from trimtab.rules.cycle import decide
from trimtab.rules.side_fund import met, standings, with_waiting
from trimtab.rules.tax.ledger import Ledger

HOMES_EACH = 12
LOOKS = 3
DAY = dt.timedelta(days=1)
TOML = """
[household]
name = "Couple"
[owners.she]
role = "self"
[instruments.AAA]
kind = "etf"
[classes.stocks]
target = 1
members = ["AAA"]
[tax]
filing_status = "married_filing_jointly"
short_term_rate = 0.35
long_term_rate = 0.15
""" + "".join(
    f'[accounts.{name}]\nowner = "she"\nkind = "{kind}"\nbroker = "paper"\n'
    for name, kind in ACCOUNTS.items()
)
"""Only the accounts' names and what comes in are asked of the file."""
HOUSE = house_of([], {}, FixedPrices({}), toml=TOML)


class Lived(NamedTuple):
    """A household after its looks: the ledger, what was booked, and what was advised against."""

    ledger: Ledger
    booked: frozenset[str]
    moved: int
    taken: int


@pytest.mark.parametrize("seed", range(8))
def test_no_scheduled_purchase_of_a_couple_washes_a_loss_of_either_or_of_their_ira(seed):
    rng = np.random.default_rng([seed, 7])
    lived = [_lived(rng) for _ in range(HOMES_EACH)]
    for one in lived:
        assert [
            match
            for match in one.ledger.matches()
            if match.sale_id in one.booked or match.replacement_lot in one.booked
        ] == []
    # The law is not kept by doing nothing.
    assert sum(len(one.booked) for one in lived) > 5 * HOMES_EACH
    assert sum(one.moved for one in lived) > HOMES_EACH / 2
    assert sum(one.taken for one in lived) > HOMES_EACH / 2


def _lived(rng: np.random.Generator) -> Lived:
    home, booked, moves = by_chance(rng), set[str](), 0
    facts = _facts(home, rng)
    home = home._replace(memory=replace(home.memory, policy=home.policy))
    scheduled = home.snapshot.scheduled
    for look in range(LOOKS):
        snapshot = with_waiting(home.snapshot, home.policy, home.memory, facts)
        decision = decide(snapshot, home.policy, home.memory, facts, STATUTES, cycle=f"{look}")
        places = _advice(Look(snapshot, home.memory, facts, decision), rng)
        moves += sum("would disallow" in place.why for place in places)
        is_executed = rng.random() < 0.8
        trades = decision.plan.trades if decision.plan is not None and is_executed else ()
        done = [told(trade, snapshot, look) for trade in trades]
        done += [
            _carried_out(place, number, snapshot, look)
            for number, place in enumerate(places)
            if place.symbol and place.day is not None
        ]
        booked |= {fact.id for fact in done}
        later = max([snapshot.at.date(), *(fact.date for fact in done)]) + DAY * int(
            rng.integers(1, 12)
        )
        done += [bought(one, snapshot) for one in scheduled if one.date <= later]
        scheduled = tuple(one for one in scheduled if one.date > later)
        at = dt.datetime.combine(later, snapshot.at.timetz())
        if is_executed:
            home = _met(home, facts)
        home = moved(home, trades, sorted(done, key=lambda fact: fact.date), at, rng)
        home = _paid_in(home, scheduled, rng)
    ledger = ledger_of(home)
    taken = sum(
        sale.gain < 0 and sale.is_taxed and sale.sale_id in booked for sale in ledger.sales()
    )
    return Lived(ledger, frozenset(booked), moves, taken)


def _facts(home: Home, rng: np.random.Generator) -> Facts:
    """Contributions this month, and a lump in parts or a value path in one of the accounts."""
    paid = tuple(
        FlowRule(
            account=str(rng.choice(list(ACCOUNTS))),
            amount=Decimal(int(rng.integers(200, 4_000))),
            first=TODAY + DAY * int(rng.integers(0, 20)),
            every="two_weeks",
        )
        for _ in range(int(rng.integers(0, 3)))
    )
    by = rng.choice(["parts", "value"])
    rule = AveragingRule(
        account=str(rng.choice(list(ACCOUNTS))),
        by=by,
        amount=Decimal(3_000 if by == "parts" else 500),
        parts=6 if by == "parts" else None,
        first=TODAY - DAY * int(rng.integers(0, 40)),
        every="two_weeks",
        start=Decimal(int(rng.integers(0, 20_000))),
        sells=bool(rng.random() < 0.5),
    )
    return replace(home.facts, contributions=paid, averaging=(rule,))


def _advice(look: Look, rng: np.random.Generator) -> tuple[Place, ...]:
    """What `contribute` says of this month's money, and of a sum put in today."""
    file = replace(HOUSE.file, contributions=look.facts.contributions)
    house = HOUSE._replace(file=file)
    amount = Decimal(int(rng.integers(100, 6_000)))
    account = str(rng.choice(list(ACCOUNTS)))
    return (
        *contribute(house, look).places,
        *contribute(house, look, amount, account).places,
    )


def _carried_out(place: Place, number: int, snapshot: Snapshot, look: int) -> Transaction:
    assert place.day is not None
    return Transaction(
        id=f"advised-{look}-{number}",
        date=place.day,
        account=place.account,
        kind=TransactionKind.BUY,
        symbol=place.symbol,
        quantity=(place.amount / snapshot.quotes[place.symbol].ask).quantize(Decimal("0.000001")),
        amount=place.amount,
        source="journal",
    )


def _met(home: Home, facts: Facts) -> Home:
    """*home* with what averaging asked for and is done."""
    found = standings(home.snapshot, home.policy, home.memory, facts)
    kept = dict(home.memory.contributions)
    for account, past in met(found, home.policy.orders.minimum):
        kept[account] = (*kept.get(account, ()), past)
    return home._replace(memory=replace(home.memory, contributions=kept))


def _paid_in(
    home: Home, scheduled: tuple[ScheduledPurchase, ...], rng: np.random.Generator
) -> Home:
    """*home* with new money in some account, for the next turn to invest."""
    account = str(rng.choice(list(ACCOUNTS)))
    paid: Money = Decimal(int(rng.choice([0, 500, 5_000])))
    balances = tuple(
        replace(one, amount=one.amount + paid, settled=(one.settled or ZERO) + paid)
        if one.account == account
        else one
        for one in home.snapshot.balances
    )
    return home._replace(snapshot=replace(home.snapshot, balances=balances, scheduled=scheduled))
