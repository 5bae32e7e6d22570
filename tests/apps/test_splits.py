"""Splits that the price files record: carried out on paper, and asked for of lists by hand."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from tests.houses import TOML

from trimtab.apps.clock import ManualClock
from trimtab.apps.home import Home, recall, working
from trimtab.apps.run import run_once
from trimtab.apps.verifying import verify_all
from trimtab.domain.errors import InputError

FRIDAY_NIGHT = dt.datetime(2026, 3, 6, 22, tzinfo=dt.UTC)
TUESDAY_NIGHT = dt.datetime(2026, 3, 10, 22, tzinfo=dt.UTC)
BEFORE = """date,symbol,close,split
2026-03-05,VTI,300,
2026-03-05,BND,72,
2026-03-06,VTI,300,
2026-03-06,BND,72,
"""
AFTER = """2026-03-09,VTI,150,2
2026-03-09,BND,72,
2026-03-10,VTI,151,
2026-03-10,BND,72,
"""


def household(folder: Path, *, broker: str = "paper") -> Home:
    """One account of 10 VTI, at the paper broker or in files, on a Friday night."""
    text = TOML.replace(
        'kind = "traditional_ira"\nbroker = "paper"',
        f'kind = "traditional_ira"\nbroker = "{broker}"',
    )
    (folder / "household.toml").write_text(text, encoding="utf-8")
    (folder / "lots.csv").write_text(
        "account,symbol,quantity,cost,acquired\nira,VTI,10,1000,2020-01-02\n", encoding="utf-8"
    )
    (folder / "cash.csv").write_text(
        "account,currency,amount\ntaxable,USD,2000\n", encoding="utf-8"
    )
    (folder / "prices.csv").write_text(BEFORE, encoding="utf-8")
    return Home(folder)


def split(home: Home) -> None:
    (home.folder / "prices.csv").write_text(BEFORE + AFTER, encoding="utf-8")


def held(home: Home) -> Decimal:
    return sum((one.quantity for one in recall(home).lots.values()), Decimal(0))


def test_a_split_after_a_verify_is_carried_out_though_no_turn_came_before_it(tmp_path):
    home = household(tmp_path)
    verify_all(home, ManualClock(FRIDAY_NIGHT))
    split(home)
    clock = ManualClock(TUESDAY_NIGHT)
    verified = verify_all(home, clock)
    assert verified.discrepancies == ()
    assert held(home) == 20
    verify_all(home, clock)
    assert held(home) == 20


def test_an_account_added_after_a_split_is_not_split_once_more(tmp_path):
    home = household(tmp_path)
    verify_all(home, ManualClock(FRIDAY_NIGHT))
    split(home)
    toml = home.household_toml
    toml.write_text(
        toml.read_text(encoding="utf-8").replace(
            "[instruments.VTI]",
            '[accounts.new]\nowner = "bob"\nkind = "taxable"\nbroker = "paper"\n[instruments.VTI]',
        ),
        encoding="utf-8",
    )
    with (home.folder / "lots.csv").open("a", encoding="utf-8") as file:
        file.write("new,VTI,7,700,2026-03-10\n")
    verify_all(home, ManualClock(TUESDAY_NIGHT))
    assert held(home) == 27


def test_lots_by_hand_that_were_not_updated_for_a_split_stop_the_turn_before_it_decides(tmp_path):
    home = household(tmp_path, broker="file")
    with working(home, command="test", clock=ManualClock(FRIDAY_NIGHT)) as house:
        run_once(house, executes=False)
    split(home)
    clock = ManualClock(TUESDAY_NIGHT)
    sentence = "lots.csv still shows VTI as before its 2:1 split on 2026-03-09 in account ira"
    with (
        working(home, command="test", clock=clock) as house,
        pytest.raises(InputError, match=sentence),
    ):
        run_once(house, executes=False)
    lots = home.folder / "lots.csv"
    lots.write_text(lots.read_text(encoding="utf-8").replace("VTI,10", "VTI,20"), encoding="utf-8")
    with working(home, command="test", clock=clock) as house:
        outcome = run_once(house, executes=False)
    assert outcome.memory.breaker is None
    assert held(home) == 20
