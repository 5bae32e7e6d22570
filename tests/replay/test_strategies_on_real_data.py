"""The page of real data says what its script finds, for what can be found again in seconds."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS = ROOT / "benchmarks"
PAGE = ROOT / "docs/explanation/strategies-on-real-data.md"
PRICES = ROOT.parent / "shared/data/daily/etf_daily.parquet"

pytestmark = pytest.mark.skipif(
    not PRICES.exists(), reason="The real prices lie beside the checkout, and they are not there."
)


@pytest.fixture(scope="module", autouse=True)
def _found_as_the_script_finds_it():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield


@pytest.fixture(scope="module")
def households():
    return import_module("real_data.households")


@pytest.fixture(scope="module")
def tables():
    return import_module("real_data.tables")


@pytest.fixture(scope="module")
def run():
    return import_module("real_data.run")


@pytest.fixture(scope="module")
def page():
    return PAGE.read_text(encoding="utf-8")


def test_the_command_on_the_page_is_there_and_says_what_it_takes(page):
    assert "$ python benchmarks/strategies_on_real_data.py" in page
    ended = subprocess.run(
        [sys.executable, "benchmarks/strategies_on_real_data.py", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "--months" in ended.stdout


@pytest.mark.parametrize("name", ["fixed targets", "CPPI, m = 3"])
def test_the_autumn_of_2008_gives_the_row_on_the_page(households, run, page, name):
    # A planner that finds a trade a few dollars better moves the figures by less than this.
    rules = households.STRATEGIES[name]
    found = run.figures_of(households.Case(name, rules, *households.AUTUMN))
    autumn = page.partition("<!-- table: autumn -->")[2].partition("<!-- end of table -->")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in autumn.splitlines()]
    told = next(row for row in rows if row and row[0] == name)
    value, fell_by, fall, volatility, turnover, tax, trades = map(number, told[1:])
    assert found.value == pytest.approx(value, rel=0.001)
    assert 100 * found.time_weighted == pytest.approx(fell_by, abs=0.2)
    assert 100 * found.fall == pytest.approx(fall, abs=0.2)
    assert 100 * found.volatility == pytest.approx(volatility, abs=0.2)
    assert 100 * found.turnover == pytest.approx(turnover, abs=2)
    assert found.tax == pytest.approx(tax, rel=0.05, abs=20)
    assert found.trades == pytest.approx(trades, rel=0.1)


def number(cell):
    return float(cell.replace("\N{MINUS SIGN}", "-").replace(",", "").removesuffix(" %"))


def test_the_household_begins_at_its_targets(households):
    start, end = households.PERIODS["2007 to 2012"]
    closes = households.adjusted_closes().loc[str(start)]
    worth = dict.fromkeys(households.FUNDS.values(), 0.0)
    for _, fund, quantity, _, acquired in households.lots(households.adjusted_closes(), start):
        worth[fund] += int(quantity) * closes[fund]
        assert acquired < str(start)
    total = sum(worth.values())
    weights = [worth[fund] / total for fund in ("VTI", "EFA", "AGG", "GLD")]
    assert total == pytest.approx(500_000, rel=0.001)
    assert weights == pytest.approx([0.42, 0.18, 0.35, 0.05], abs=0.001)
    assert households.adjusted_closes().loc[str(start) : str(end)].notna().all(axis=None)


@pytest.mark.parametrize("table", ["gaps_table", "crash_table", "value_table"])
def test_the_real_months_give_the_tables_on_the_page(tables, page, table):
    assert getattr(tables, table)() in page


def test_every_picture_on_the_page_is_there_and_small(page):
    pictures = [line.rpartition("](")[2][:-1] for line in page.splitlines() if "![" in line]
    assert len(pictures) == 4
    for name in pictures:
        assert 5_000 < (PAGE.parent / name).stat().st_size < 250_000
