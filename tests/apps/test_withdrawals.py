"""Scheduled withdrawals that nobody takes on their day: kept for days, told, then forgotten."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from tests.houses import TOML, FixedPrices, ManualClock, house_of, lot

from trimtab.apps.demo import make_demo
from trimtab.apps.home import Home, working
from trimtab.apps.run import Outcome, run_once
from trimtab.apps.standing import gather
from trimtab.apps.views.page import Sentence
from trimtab.apps.views.status import status_page
from trimtab.apps.world import House, load
from trimtab.domain.numbers import Money
from trimtab.domain.trades import Side
from trimtab.lab.paper import PaperBroker

PRICES = {"VTI": "100", "ITOT": "50", "BND": "50", "BTC-USD": "40000"}
ONCE = """
[[withdrawals]]
account = "taxable"
amount = 20000
first = 2026-03-14
every = "once"
"""
DUE = "20,000.00 USD of taxable were due on 2026-03-14 and"


def house(more: str = ONCE, cash: str = "1000", start: str = "2026-03-09") -> House:
    """A household in its bands that keeps 1,000 in cash; its first turn was on *start*."""
    lots = [
        lot("taxable", "VTI", "550", "55000", "2020-01-02"),
        lot("taxable", "BND", "800", "40000", "2020-01-02"),
        lot("wallet", "BTC-USD", "0.125", "5000", "2020-01-02"),
    ]
    made = house_of(lots, {"taxable": cash}, FixedPrices(PRICES), toml=TOML + more)
    turn(made, start)
    return made


def turn(made: House, day: str) -> Outcome:
    assert isinstance(made.clock, ManualClock)
    made.clock.at = dt.datetime.combine(dt.date.fromisoformat(day), dt.time(15), tzinfo=dt.UTC)
    return run_once(made, executes=True)


def take(made: House, amount: int) -> None:
    broker = made.brokers["paper"]
    assert isinstance(broker, PaperBroker)
    broker.deposit("taxable", -Decimal(amount))


def cash(made: House) -> Money:
    return load(made.journal).cash["taxable", "USD"]


def told(outcome: Outcome) -> list[str]:
    assert outcome.decision is not None
    return [one.sentence for one in outcome.decision.refusals if "were due on" in one.sentence]


def bought(outcome: Outcome) -> bool:
    return any(one.trade.side is Side.BUY for one in outcome.executions if one.filled > 0)


def test_what_was_raised_stays_in_cash_until_the_owner_takes_it():
    made = house()
    assert cash(made) > 21_000, "it was raised before its day"
    for day in ("2026-03-13", "2026-03-16", "2026-03-20", "2026-03-23"):
        turn(made, day)
        assert cash(made) >= 21_000
    take(made, 20_000)
    assert not told(turn(made, "2026-03-24"))


@pytest.mark.parametrize("day", ["2026-03-15", "2026-03-16", "2026-03-23"])
def test_what_is_not_taken_on_its_day_is_told_with_the_day_until_which_it_is_kept(day):
    assert told(turn(house(), day)) == [f"{DUE} are not taken yet: they are kept until 2026-03-23."]


def test_nothing_is_told_until_its_day_is_over():
    assert not told(turn(house(), "2026-03-14"))


def test_a_part_that_was_taken_leaves_the_rest():
    made = house()
    turn(made, "2026-03-13")
    take(made, 12_000)
    (sentence,) = told(turn(made, "2026-03-16"))
    assert sentence.startswith("8,000.00 USD of taxable were due on 2026-03-14")
    assert cash(made) >= 9000
    take(made, 8000)
    assert not told(turn(made, "2026-03-17"))


def test_what_nobody_takes_is_told_once_and_invested_again():
    made = house()
    turn(made, "2026-03-23")
    after = turn(made, "2026-03-24")
    assert told(after) == [f"{DUE} were not taken by 2026-03-23: nothing is kept for them now."]
    assert bought(after)
    assert not told(turn(made, "2026-03-25"))
    assert not told(turn(made, "2026-03-24")), "nor at a second turn of one day"


def test_it_is_told_at_the_first_turn_however_late_that_is():
    made = house()
    assert told(turn(made, "2026-03-31")) == [
        f"{DUE} were not taken by 2026-03-23: nothing is kept for them now."
    ]


def test_what_was_due_before_the_household_was_taken_over_is_nobodys_to_know():
    made = house(start="2026-03-16")
    outcome = turn(made, "2026-03-17")
    assert not told(outcome)
    assert not outcome.executions


def test_what_fell_due_on_the_day_on_which_the_household_was_taken_over_is_kept():
    assert told(turn(house(start="2026-03-14"), "2026-03-16"))


def test_each_week_of_one_that_is_taken_on_its_day_is_due_on_its_own():
    weekly = ONCE.replace("20000", "1500").replace("once", "week").replace("-14", "-13")
    made = house(weekly, cash="12000")
    for week in range(5):
        day = dt.date(2026, 3, 13) + dt.timedelta(days=7 * week)
        assert not told(turn(made, f"{day}"))
        assert cash(made) >= 1000 + 2 * 1500, "that of today, and that of a week later"
        take(made, 1500)
        assert not told(turn(made, f"{day + dt.timedelta(days=1)}"))
        assert cash(made) >= 1000 + 1500


# ---------------------------------------------------------------------------------- status

NOON = dt.datetime(2026, 11, 23, 17, 0, tzinfo=dt.UTC)


def kept_lines(home: Home, days: int) -> list[str]:
    """What status says of withdrawals so many days after the first turn."""
    page = status_page(gather(home, ManualClock(NOON + dt.timedelta(days=days))), ".")
    texts = [block.text for block in page if isinstance(block, Sentence)]
    return [text for text in texts if text.startswith("Cash for a withdrawal")]


def test_status_says_what_cash_is_kept_for_a_withdrawal(tmp_path: Path):
    home = make_demo(tmp_path / "demo", seed=1, today=NOON.date(), replace=False)
    assert kept_lines(home, 0) == []
    rule = ONCE.replace("taxable", "joint").replace("2026-03-14", "2026-11-28")
    toml = home.folder / "household.toml"
    toml.write_text(toml.read_text(encoding="utf-8") + rule, encoding="utf-8")
    (short,) = kept_lines(home, 0)
    assert short.endswith(" of 20,000.00 USD in joint, due on 2026-11-28.")
    with working(home, command="test", clock=ManualClock(NOON)) as made:
        run_once(made, executes=True)
    ready = "Cash for a withdrawal: 20,000.00 USD in joint, due on 2026-11-28"
    assert kept_lines(home, 1) == [f"{ready}."]
    assert kept_lines(home, 6) == [f"{ready} and not taken yet: kept until 2026-12-07."]
    assert kept_lines(home, 14) == [f"{ready} and not taken yet: kept until 2026-12-07."]
    assert kept_lines(home, 15) == []
