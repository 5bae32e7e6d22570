"""`trimtab reserve` as a person meets it, and the reserve's first claim on money."""

import datetime as dt
import re
from decimal import Decimal

import pytest
from tests.apps.cli.command_line import document_of, trimtab
from tests.houses import TOML, FixedPrices, house_of, lot

from trimtab.apps.reserving import reserving
from trimtab.apps.run import run_once
from trimtab.apps.world import load
from trimtab.domain.facts import facts_of
from trimtab.domain.household import decode_household
from trimtab.domain.memory import Memory
from trimtab.domain.trades import Side
from trimtab.domain.values import PastFlow

BILLS = """monthly_costs = 2500
income_haircut = 0.5
growth = 0.03

[[reserve.bills]]
amount = 9000
first = 2026-01-15
every = "month"
"""
RESERVE = '[reserve]\nmonthly_costs = 2000\nmonths = 6\naccount = "taxable"\n'
FILES = """
[household]
name = "One account"
[owners.ann]
role = "self"
[accounts.joint]
owner = "ann"
kind = "taxable"
broker = "paper"
[instruments.VTI]
kind = "etf"
[classes.stocks]
target = 1
members = ["VTI"]
[tax]
filing_status = "single"
short_term_rate = 0.30
long_term_rate = 0.20
[reserve]
monthly_costs = 2500
months = 3
account = "joint"
[data]
prices = ["prices.csv"]
"""


@pytest.fixture
def short(untouched):
    """The demo before its first turn, with bills that its cash does not pay for."""
    path = untouched / "household.toml"
    text = path.read_text().replace("monthly_costs = 2500\n", "")
    text = text.replace("months = 3\n", "months = 3\n" + BILLS.partition("\n\n")[0] + "\n")
    text = text.replace('account = "joint"\n', 'account = "joint"\n\n' + BILLS.partition("\n\n")[2])
    path.write_text(text)
    return untouched


@pytest.fixture
def on_files(tmp_path):
    """A household that never ran, with prices in a file and a reserve in its one account."""
    (tmp_path / "household.toml").write_text(FILES, encoding="utf-8")
    (tmp_path / "lots.csv").write_text("account,symbol,quantity,cost,acquired\n", encoding="utf-8")
    (tmp_path / "cash.csv").write_text(
        "account,currency,amount\njoint,USD,30000\n", encoding="utf-8"
    )
    (tmp_path / "prices.csv").write_text(
        "date,symbol,close,volume\n2026-11-20,VTI,100,90000000\n", encoding="utf-8"
    )
    return tmp_path


def test_it_begins_with_how_far_the_reserve_reaches(demo):
    ended = trimtab("reserve", "--folder", demo)
    assert ended.status == 0
    assert re.match(r"The reserve covers 3\.\d months; the policy asks for 3", ended.out)


def test_the_own_reserve_of_the_account_counts_for_nothing_else(demo):
    told = document_of(trimtab("reserve", "--folder", demo, "--json"))
    assert Decimal(told["beside"]) == 5000
    assert Decimal(told["safe"]) == Decimal(told["cash"]) - 5000
    assert Decimal(told["above"]) == Decimal(told["safe"]) - Decimal(told["needed"])
    assert Decimal(told["due"]) == 0


def test_the_page_says_what_withdrawals_are_about_to_take(demo):
    from trimtab.apps.clock import SystemClock
    from trimtab.domain.values import trade_date

    day = trade_date(SystemClock().now())
    path = demo / "household.toml"
    leaves = f'\n[[withdrawals]]\naccount = "joint"\namount = 30\nfirst = {day}\n'
    path.write_text(path.read_text(encoding="utf-8") + leaves, encoding="utf-8")
    page = trimtab("reserve", "--folder", demo).out
    assert "30.00 USD of it leave soon by [[withdrawals]], and count for nothing else." in page
    assert document_of(trimtab("reserve", "--folder", demo, "--json"))["due"] == "30"


def test_status_and_reserve_say_the_same(demo):
    told = document_of(trimtab("status", "--folder", demo, "--json"))["reserve"]
    own = document_of(trimtab("reserve", "--folder", demo, "--json"))
    assert told["months_covered"] == own["months_covered"]
    assert told["floor"] == own["needed"]


def test_without_prices_the_cash_of_the_files_is_told_all_the_same(on_files):
    told = document_of(trimtab("reserve", "--folder", on_files, "--json"))
    (on_files / "prices.csv").unlink()
    assert document_of(trimtab("reserve", "--folder", on_files, "--json"))["cash"] == told["cash"]
    status = document_of(trimtab("status", "--folder", on_files, "--json"))
    assert status["missing"]
    assert Decimal(status["reserve"]["cash"]) == Decimal(told["cash"]) == 30_000
    assert {one["account"]: one["cash"] for one in status["accounts"]}["joint"] == told["cash"]


def test_cash_that_cannot_be_read_is_unknown_and_never_zero(on_files):
    (on_files / "cash.csv").unlink()
    ended = trimtab("reserve", "--folder", on_files)
    assert ended.status == 2
    assert "what joint holds of cash is not known: " in ended.err
    assert "cash.csv" in ended.err
    status = document_of(trimtab("status", "--folder", on_files, "--json"))
    assert status["reserve"]["cash"] is None
    assert status["reserve"]["months_covered"] is None
    assert {one["cash"] for one in status["accounts"]} == {None}
    page = trimtab("status", "--folder", on_files).out
    assert "Operating reserve in joint: what it holds of cash is not known." in page
    (row,) = (line for line in page.splitlines() if line.startswith("joint"))
    assert row.split()[3:5] == ["?", "?"]


def test_the_months_add_up_to_what_is_needed_and_what_lacks_is_told(short):
    told = document_of(trimtab("reserve", "--folder", short, "--json"))
    assert sum(Decimal(month["present"]) for month in told["coming"]) == Decimal(told["needed"])
    assert Decimal(told["lacks"]) == Decimal(told["needed"]) - Decimal(told["safe"]) > 0
    assert [month["is_covered"] for month in told["coming"]] == [False, False, False]
    assert [Decimal(month["income"]) for month in told["coming"]] == [500, 500, 500]
    page = " ".join(trimtab("reserve", "--folder", short).out.split())
    assert "new money goes there first" in page
    assert "50.0 % are not counted on" in page


@pytest.mark.parametrize("ending", ["svg", "png"])
def test_the_picture_is_written_and_named(demo, tmp_path, ending):
    path = tmp_path / f"reserve.{ending}"
    ended = trimtab("reserve", "--folder", demo, "--chart", path)
    assert ended.status == 0
    assert str(path) in ended.out.replace("\n", "")
    assert path.stat().st_size > 5000


def test_a_picture_of_another_kind_is_refused_in_a_sentence(demo, tmp_path):
    ended = trimtab("reserve", "--folder", demo, "--chart", tmp_path / "reserve.doc")
    assert ended.status == 2
    assert "name a .svg or .png file" in ended.err


def test_without_a_reserve_it_says_what_to_write(demo):
    from trimtab.apps.cli.door import WRONG_INPUT

    folder = demo.parent / "plain"
    trimtab("init", "--folder", folder)
    ended = trimtab("reserve", "--folder", folder)
    assert ended.status == WRONG_INPUT
    assert "has no [reserve]" in ended.err


def test_contributions_say_when_a_reserve_is_full():
    coming = '[[contributions]]\naccount = "taxable"\namount = 4000\nfirst = 2026-03-31\n'
    coming += 'every = "month"\n'
    file = decode_household(TOML + RESERVE + coming)
    cash, day = {"taxable": Decimal(4000)}, dt.date(2026, 3, 9)
    found = reserving(file.policy(), cash, day, facts_of(file), Memory())
    assert found is not None
    # 12,000 and the account's own 1,000 lack 9,000: three contributions.
    assert found.reached.lacks == 9000
    assert found.full_on == dt.date(2026, 5, 31)


def test_a_contribution_that_was_paid_early_fills_a_reserve_once():
    coming = '[[contributions]]\naccount = "taxable"\namount = 4000\nfirst = 2026-03-31\n'
    file = decode_household(TOML + RESERVE + coming + 'every = "month"\n')
    day = dt.date(2026, 3, 30)
    paid = PastFlow(account="taxable", date=day, amount=Decimal(4000))
    cash = {"taxable": Decimal(8000)}
    for moved, expected in (((), dt.date(2026, 4, 30)), ((paid,), dt.date(2026, 5, 31))):
        memory = Memory(flows=moved)
        found = reserving(file.policy(), cash, day, facts_of(file), memory)
        assert found is not None
        assert found.reached.lacks == 5000
        assert found.full_on == expected


@pytest.mark.parametrize(("days", "taken", "due"), [(8, 0, 0), (7, 0, 900), (7, 500, 400)])
def test_cash_that_is_about_to_be_withdrawn_is_no_reserve(days, taken, due):
    leaves = '[[withdrawals]]\naccount = "taxable"\namount = 900\nfirst = 2026-03-31\n'
    file = decode_household(TOML + RESERVE + leaves)
    day = dt.date(2026, 3, 31) - dt.timedelta(days=days)
    moved = PastFlow(account="taxable", date=day, amount=Decimal(-taken))
    cash = {"taxable": Decimal(13_500)}
    found = reserving(file.policy(), cash, day, facts_of(file), Memory(flows=(moved,)))
    assert found is not None
    assert found.due == due
    assert found.safe == 13_500 - 1_000 - due
    assert found.reached.lacks == max(0, due - 500)
    assert found.reached.above == max(0, 500 - due)


@pytest.mark.parametrize("cash", ["1000", "5000", "12999"])
def test_no_cash_of_the_account_is_invested_before_the_reserve_is_full(cash):
    house = _house(cash, bonds="800")
    outcome = run_once(house, executes=True)
    assert outcome.executions == ()
    assert load(house.journal).cash["taxable", "USD"] == Decimal(cash)


def test_cash_beyond_the_reserve_is_invested():
    house = _house("15000", bonds="800")
    run_once(house, executes=True)
    assert 13000 <= load(house.journal).cash["taxable", "USD"] < 13500


def test_a_household_that_trades_fills_the_reserve_before_it_buys_anything_risky():
    house = _house("1000", bonds="100")
    outcome = run_once(house, executes=True)
    bought = {done.trade.asset_class for done in outcome.executions if done.trade.side is Side.BUY}
    assert any(done.trade.side is Side.SELL for done in outcome.executions)
    assert load(house.journal).cash["taxable", "USD"] >= 13000
    assert "stocks" not in bought


def _house(cash: str, bonds: str):
    """Stocks and bonds in one taxable account that keeps 1,000 and a reserve of 12,000."""
    lots = [
        lot("taxable", "VTI", "550", "54000", "2020-01-02"),
        lot("taxable", "BND", bonds, "40000", "2020-01-02"),
        lot("wallet", "BTC-USD", "0.125", "4000", "2020-01-02"),
    ]
    prices = FixedPrices({"VTI": "100", "ITOT": "50", "BND": "50", "BTC-USD": "40000"})
    return house_of(lots, {"taxable": cash}, prices, toml=TOML + RESERVE)
