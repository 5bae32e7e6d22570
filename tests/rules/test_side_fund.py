"""What averaging frees of an account's cash, and what waits."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.houses import START, TOML

from trimtab.domain.facts import facts_of
from trimtab.domain.household import accounts_of, decode_household
from trimtab.domain.incoming import AveragingRule, PastContribution
from trimtab.domain.memory import Memory
from trimtab.domain.numbers import ONE, ZERO, Money
from trimtab.domain.policy import FlowRule
from trimtab.domain.values import Balance, Snapshot
from trimtab.rules.contributions import DollarCostRule, Obligation, ValueAveragingRule
from trimtab.rules.holdings import holdings, kept_in_cash
from trimtab.rules.look import coming_of
from trimtab.rules.side_fund import Standing, met, rule_of, standings, with_waiting

FILE = decode_household(TOML)
LUMP = AveragingRule(
    account="taxable", by="parts", amount=Money(10_000), first=dt.date(2026, 1, 31), parts=7
)


def _snapshot(day: dt.date, cash: Money) -> Snapshot:
    return Snapshot(
        at=dt.datetime.combine(day, START.timetz()),
        base_currency="USD",
        accounts=accounts_of(FILE),
        instruments={},
        lots=(),
        balances=(Balance(account="taxable", currency="USD", amount=cash, settled=cash),),
        quotes={},
        rates={},
        hours={},
    )


@given(days=st.integers(-40, 300), cash=st.decimals(0, 20_000, places=2))
def test_what_waits_what_is_free_and_what_is_kept_are_the_cash(days, cash):
    facts = replace(facts_of(FILE), averaging=(LUMP,))
    snapshot = _snapshot(LUMP.first + dt.timedelta(days=days), cash)
    snapshot = with_waiting(snapshot, FILE.policy(), Memory(), facts)
    held = holdings(snapshot, FILE.policy())
    kept = held.reserves["taxable"] - held.short.get("taxable", ZERO)
    assert held.free["taxable"] + held.waiting["taxable"] + kept == cash
    assert kept_in_cash(snapshot, FILE.policy())["taxable"] == 1000 + held.waiting["taxable"]
    assert held.waiting["taxable"] <= 10_000


def test_no_more_waits_than_there_is_beyond_the_reserve():
    snapshot = replace(_snapshot(LUMP.first, Money(1500)), waiting={"taxable": Money(5000)})
    held = holdings(snapshot, FILE.policy())
    assert held.waiting["taxable"] == 500
    assert held.free["taxable"] == ZERO
    assert not held.short
    assert kept_in_cash(snapshot, FILE.policy())["taxable"] == 1500


def test_the_plan_knows_of_the_part_of_a_lump_that_falls_due_within_its_days():
    facts = replace(facts_of(FILE), averaging=(LUMP,))
    second = dt.date(2026, 2, 28)
    part = Decimal("1428.58")
    for days, expected in ((8, ZERO), (7, part), (1, part), (0, ZERO)):
        snapshot = _snapshot(second - dt.timedelta(days=days), Money(11_000))
        coming = coming_of(snapshot, FILE.policy(), Memory(), facts)
        assert coming.get("taxable", ZERO) == pytest.approx(expected, abs=Decimal("0.01"))


@pytest.mark.parametrize(("by", "comes"), [("parts", 900), ("value", 0)])
def test_a_contribution_into_a_side_fund_is_nothing_to_invest(by, comes):
    paid = FlowRule(account="taxable", amount=Money(900), first=dt.date(2026, 1, 5))
    rule = replace(LUMP, by=by, expected_return=ZERO)
    facts = replace(facts_of(FILE), averaging=(rule,), contributions=(paid,))
    snapshot = _snapshot(dt.date(2026, 1, 2), Money(11_000))
    coming = coming_of(snapshot, FILE.policy(), Memory(), facts)
    assert coming.get("taxable", ZERO) == comes


def test_a_lump_is_free_on_its_last_day_to_the_cent():
    facts = replace(facts_of(FILE), averaging=(LUMP,))
    waits = []
    for month in range(1, 8):
        day = dt.date(2026, month, 28 if month == 2 else 30) + dt.timedelta(days=1)
        snapshot = _snapshot(day, Money(11_000))
        (one,) = standings(snapshot, FILE.policy(), Memory(), facts)
        waits.append(one.waits)
    steps = [before - after for before, after in zip([Money(10_000), *waits], waits, strict=False)]
    assert waits[-1] == ZERO
    assert max(steps) - min(steps) <= Decimal("0.01")


@pytest.mark.parametrize(
    ("every", "periods"), [("week", 52), ("two_weeks", 26), ("month", 12), ("quarter", 4)]
)
def test_yearly_rates_become_those_of_a_period(every, periods):
    rule = AveragingRule(
        account="ira",
        by="value",
        amount=Money(100),
        first=dt.date(2026, 1, 31),
        every=every,
        expected_return=Decimal("0.06"),
    )
    made = rule_of(rule)
    assert isinstance(made, ValueAveragingRule)
    assert (ONE + made.expected_return) ** periods == pytest.approx(
        Decimal("1.06"), abs=Decimal("1e-20")
    )
    assert made.growth == 0


def test_a_lump_is_a_rule_of_equal_parts():
    assert rule_of(LUMP) == DollarCostRule(
        account="taxable", amount=Money(10_000), first=dt.date(2026, 1, 31), parts=7
    )


def test_a_path_is_met_only_when_less_than_an_order_is_missing():
    rule = AveragingRule(
        account="ira",
        by="value",
        amount=Money(100),
        first=dt.date(2026, 1, 31),
        expected_return=ZERO,
    )

    def asking(amount: str) -> Standing:
        due = Obligation(
            day=rule.first, account="ira", amount=Decimal(amount), why="", withheld=Money(7)
        )
        return Standing(rule, (due,), ZERO, Money(900), Money(400), bought=Money(60))

    done = PastContribution(day=rule.first, amount=Money(60), withheld=Money(7))
    assert met([asking("499.99")], Money(500)) == (("ira", done),)
    assert met([asking("500")], Money(500)) == ()
    assert met([asking("-500")], Money(500)) == ()
