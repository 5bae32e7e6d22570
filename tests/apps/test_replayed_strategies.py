"""What a strategy in a replay may know of a coin whose day ends hours after the stock market's."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import numpy as np

from trimtab.adapters.calendars import MarketCalendars
from trimtab.adapters.journal import SqliteJournal
from trimtab.apps.clock import SystemClock
from trimtab.apps.home import Home
from trimtab.apps.performance import perform
from trimtab.apps.replay import replay

RULES = """
[household]
name = "Stocks, bonds and a coin"
[owners.ann]
role = "self"
[accounts.ira]
owner = "ann"
kind = "roth_ira"
broker = "paper"
[accounts.wallet]
owner = "ann"
kind = "crypto"
broker = "paper"
[instruments.VTI]
kind = "etf"
[instruments.BND]
kind = "etf"
[instruments.BTC-USD]
kind = "crypto"
[classes.stocks]
target = 0.5
members = ["VTI"]
[classes.bonds]
target = 0.4
members = ["BND"]
risk = "safe"
[classes.bitcoin]
target = 0.1
members = ["BTC-USD"]
[gates]
quote_age_max_minutes = 7200
[tax]
filing_status = "single"
short_term_rate = 0.30
long_term_rate = 0.20
[strategy]
layers = ["minimum_variance"]
every = "day"
move_least = 0
move_cost = 0
[strategy.minimum_variance]
sessions = 60
"""
FIRST, LAST = dt.date(2025, 11, 3), dt.date(2026, 3, 13)
THURSDAY, FRIDAY = dt.date(2026, 3, 12), LAST
LAG = 0.03
"""A coin is marked at its bar of the day before; with stocks a day late too it would be 0.058."""
SPREADS = {"VTI": 0.011, "BND": 0.004, "BTC-USD": 0.035}


def home_of(folder: Path, crash: float) -> Home:
    """A household whose coin closed on THURSDAY that part lower, and on FRIDAY did not."""
    folder.mkdir()
    calendars = MarketCalendars()
    rows = ["date,symbol,close"]
    for name, spread in SPREADS.items():
        calendar = "24/7" if name == "BTC-USD" else "XNYS"
        days = calendars.sessions(calendar, FIRST, LAST)
        moves = np.random.default_rng([*name.encode()]).normal(0, spread, len(days))
        for day, close in zip(days, 100 * np.exp(np.cumsum(moves)), strict=True):
            fallen = crash if (name, day) == ("BTC-USD", THURSDAY) else 0.0
            rows.append(f"{day},{name},{close * (1 - fallen):.4f}")
    files = {
        "household.toml": RULES,
        "prices.csv": "\n".join(rows),
        "lots.csv": "account,symbol,quantity,cost,acquired\nira,VTI,500,50000,2020-05-01\n"
        "ira,BND,400,40000,2020-05-01\nwallet,BTC-USD,100,10000,2020-05-01",
        "cash.csv": "account,currency,amount\nira,USD,0",
    }
    for name, text in files.items():
        (folder / name).write_text(f"{text}\n", encoding="utf-8")
    return Home(folder)


def wanted(home: Home) -> list[Mapping[str, Decimal]]:
    """What the strategy wanted on THURSDAY and on FRIDAY, each decided at the stocks' close."""
    done = replay(home, THURSDAY, FRIDAY, into=home.folder / "replay", executes=False)
    decisions = [day.outcome.decision for day in done.days]
    return [one.aim.wanted for one in decisions if one is not None and one.aim is not None]


def test_no_decision_at_the_close_knows_the_coins_day_that_ends_at_midnight(tmp_path):
    calm, crashed = (wanted(home_of(tmp_path / f"{part}", part)) for part in (0.0, 0.4))
    assert calm[0] == crashed[0]
    assert calm[1]["bitcoin"] > crashed[1]["bitcoin"]


def test_the_targets_are_followed_by_the_sessions_that_the_savings_are_marked_in(tmp_path):
    """Held at its targets and left alone, the household is near them."""
    home = home_of(tmp_path / "held", 0.0)
    rules = (home.folder / "household.toml").read_text(encoding="utf-8")
    fixed = rules[: rules.index("[strategy]")]
    (home.folder / "household.toml").write_text(fixed, encoding="utf-8")
    into = tmp_path / "replay"
    replay(Home(home.folder), FIRST + dt.timedelta(days=1), LAST, into=into, executes=False)
    with SqliteJournal.open(Home(into).journal, create=False, read_only=True) as journal:
        entries = list(journal.entries())
    whole = perform(Home(into), entries, SystemClock()).whole
    assert whole is not None
    assert whole.tracking_error is not None
    assert whole.tracking_error < LAG
