"""`trimtab performance`: what it says of a household whose past is known."""

import datetime as dt
import shutil
from decimal import Decimal
from pathlib import Path

import pytest
from tests.apps.cli.command_line import document_of, trimtab

from trimtab.adapters.calendars import MarketCalendars
from trimtab.apps.cli.past import entries_of
from trimtab.apps.clock import ManualClock
from trimtab.apps.demo import make_demo
from trimtab.apps.home import Home, working
from trimtab.apps.marks import marked
from trimtab.apps.performance import perform
from trimtab.apps.replay import replay
from trimtab.apps.run import run_once
from trimtab.apps.world import House
from trimtab.domain.events import ValueMarked
from trimtab.lab.paper import PaperBroker

TOML = """
[household]
name = "One fund"
[owners.ann]
role = "self"
[accounts.joint]
owner = "ann"
kind = "taxable"
broker = "paper"
relief = "specific"
[instruments.VTI]
kind = "etf"
[classes.stocks]
target = 1
members = ["VTI"]
[gates]
quote_age_max_minutes = 7200
turnover_max = 1
volume_max = 1
[tax]
filing_status = "single"
short_term_rate = 0.30
long_term_rate = 0.20
"""
NEW_YEAR = dt.date(2026, 1, 1)


def paper_of(house: House) -> PaperBroker:
    broker = house.brokers["paper"]
    assert isinstance(broker, PaperBroker)
    return broker


def turn(home: Home, at: dt.datetime, deposit: int = 0, *, executes: bool = False) -> None:
    with working(home, command="test", clock=ManualClock(at), says=lambda _: None) as house:
        if deposit:
            paper_of(house).deposit("joint", Decimal(deposit), "USD")
        run_once(house, executes=executes)


def at_noon(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(17), tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def _grown_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's household over 30 weeks from October, with money in and money out."""
    folder = tmp_path_factory.mktemp("grown") / "demo"
    start = dt.date(2025, 10, 6)
    home = make_demo(folder, seed=3, today=start, replace=False)
    for week in range(30):
        moved = {8: 5000, 15: -3000}.get(week, 0)
        turn(home, at_noon(start + dt.timedelta(weeks=week)), moved, executes=week % 10 == 0)
    return folder


@pytest.fixture
def grown(_grown_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(_grown_once, tmp_path / "grown"))


def fund_of(folder: Path) -> tuple[Home, tuple[dt.date, ...]]:
    """A household all of whose money is in one fund, which rises by 1 % and falls by 0.5 %."""
    days = MarketCalendars().sessions("XNYS", dt.date(2025, 1, 2), dt.date(2026, 3, 31))
    price, lines = Decimal(100), ["date,symbol,close,volume"]
    for number, day in enumerate(days):
        price *= Decimal("1.01") if number % 2 else Decimal("0.995")
        lines.append(f"{day},VTI,{price:.4f},90000000")
    (folder / "household.toml").write_text(TOML, encoding="utf-8")
    (folder / "prices.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "lots.csv").write_text(
        "account,symbol,quantity,cost,acquired\njoint,VTI,100,8000,2020-05-01\n", encoding="utf-8"
    )
    (folder / "cash.csv").write_text("account,currency,amount\njoint,USD,0\n", encoding="utf-8")
    return Home(folder), days


@pytest.fixture(scope="module")
def one_fund(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Such a household, looked at every fifth day while the market is open."""
    home, days = fund_of(tmp_path_factory.mktemp("fund"))
    for day in days[5:-1:5]:
        turn(home, at_noon(day))
    return home


def gains_of_log(folder: Path, year: int) -> Decimal:
    """What the tax log of a year has of trimtab's own sales; others came before the first mark."""
    log = document_of(trimtab("tax", "log", "--year", str(year), "--folder", folder, "--json"))
    ours = [row for row in log["rows"] if row["is_taxed"] and row["order_id"]]
    return sum((Decimal(row["gain"]) for row in ours), Decimal(0))


@pytest.fixture(scope="module")
def turned(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The demo's household that trades on the last day of a year, after that day's mark."""
    folder = tmp_path_factory.mktemp("turned") / "demo"
    days = [dt.date(2025, 12, 30), dt.date(2025, 12, 31), dt.date(2026, 1, 5)]
    home = make_demo(folder, seed=3, today=days[0], replace=False)
    for day in days:
        turn(home, at_noon(day), executes=day == days[1])
    return home


def test_what_is_sold_on_the_last_day_of_a_year_counts_for_that_year_as_in_the_tax_log(turned):
    entries = entries_of(turned.journal)
    done = perform(turned, entries, ManualClock(at_noon(dt.date(2026, 1, 6))))
    gains = {year: record.short_gain + record.long_gain for year, record in done.years}
    logged = {year: float(gains_of_log(turned.folder, year)) for year in (2025, 2026)}
    assert logged[2025] != 0
    assert gains == pytest.approx(logged, abs=0.01)
    sold = {year: record.sold for year, record in done.years}
    assert sold[2025] > 0
    assert sold[2026] == 0


def test_what_is_sold_after_the_last_mark_is_counted_and_owes_nothing_more(turned):
    clock = ManualClock(at_noon(dt.date(2026, 1, 6)))
    until = perform(turned, entries_of(turned.journal), clock, until=dt.date(2025, 12, 31))
    whole = perform(turned, entries_of(turned.journal), clock)
    (_, last_year), (_, this_year) = whole.years
    assert until.whole is not None
    assert until.whole.realized_tax == last_year.realized_tax != 0
    assert until.whole.owed_end == last_year.owed_end == this_year.owed_start
    assert last_year.owed_start is not None
    assert last_year.owed_end is not None
    # A day's move of prices is all that lies between what was owed and what was taxed or is owed.
    moved = last_year.realized_tax + last_year.owed_end - last_year.owed_start
    assert abs(moved) < 0.3 * abs(last_year.gain) + 50


def test_the_gains_of_each_year_are_those_of_the_tax_log(grown):
    document = document_of(trimtab("performance", "--folder", grown, "--json"))
    gains = {
        year["year"]: Decimal(year["short_gain"]) + Decimal(year["long_gain"])
        for year in document["years"]
    }
    assert gains == {year: gains_of_log(grown, year) for year in (2025, 2026)}


def test_before_two_days_are_marked_it_says_what_marks_them(demo, untouched):
    for folder in (demo, untouched):
        ended = trimtab("performance", "--folder", folder)
        assert ended.status == 0
        assert ended.out.startswith("Fewer than two days are marked, so there is nothing to")
        assert f"`trimtab run --folder {folder}` marks the value of its day" in ended.out


def test_the_first_sentence_says_what_came_in_what_went_out_and_what_was_gained(grown):
    said = trimtab("performance", "--folder", grown).out.splitlines()[0]
    assert said.startswith("From 2025-10-06 to 2026-04-27 the savings went from ")
    assert "5,000.00 USD came in and 3,000.00 USD went out, and the gain is " in said


def test_the_journals_unit_values_are_the_returns_and_the_flows_are_no_gain(grown):
    document = document_of(trimtab("performance", "--folder", grown, "--json"))
    marks = [
        entry.event
        for entry in entries_of(grown / "journal.sqlite")
        if isinstance(entry.event, ValueMarked)
    ]
    whole = document["whole"]
    expected = float(marks[-1].unit_value / marks[0].unit_value) - 1
    assert whole["time_weighted"] == pytest.approx(expected, abs=1e-12)
    kept = Decimal(whole["value_end"]) - Decimal(whole["value_start"])
    assert float(whole["gain"]) == pytest.approx(float(kept) - 5000 + 3000, abs=0.02)
    assert [year["year"] for year in document["years"]] == [2025, 2026]


def test_less_than_a_year_is_never_told_as_a_rate_a_year(grown):
    ended = trimtab("performance", "--folder", grown)
    document = document_of(trimtab("performance", "--folder", grown, "--json"))
    assert document["whole"]["time_weighted_a_year"] is None
    assert document["whole"]["money_weighted"]["rate"] is None
    assert "less than a year is not told as a rate a year" in ended.out
    assert "XIRR, not annual" in ended.out


def test_since_begins_with_the_last_mark_before_the_day_and_until_ends_by_it(grown):
    options = ("--since", "2026-01-01", "--until", "2026-03-01", "--json")
    whole = document_of(trimtab("performance", "--folder", grown, *options))["whole"]
    assert (whole["start"], whole["end"]) == ("2025-12-29", "2026-02-23")
    assert Decimal(whole["contributions"]) == 0
    assert Decimal(whole["withdrawals"]) == 3000


def test_days_in_the_wrong_order_are_refused_in_a_sentence(grown):
    ended = trimtab(
        "performance", "--folder", grown, "--since", "2026-03-01", "--until", "2026-01-01"
    )
    assert ended.status != 0
    assert "--since 2026-03-01 is after --until 2026-01-01" in ended.err


@pytest.mark.parametrize("name", ["how.svg", "how.png"])
def test_the_picture_is_written_and_named(grown, tmp_path, name):
    path = tmp_path / name
    ended = trimtab("performance", "--folder", grown, "--chart", path)
    assert ended.out.rstrip().endswith(f"Picture: {path}")
    assert path.stat().st_size > 5_000


def test_a_picture_of_nothing_is_refused_in_a_sentence(untouched, tmp_path):
    ended = trimtab("performance", "--folder", untouched, "--chart", tmp_path / "how.svg")
    assert ended.status != 0
    assert "--chart: fewer than two days are marked" in ended.err


def test_who_holds_the_targets_exactly_has_the_funds_return_and_no_distance_from_them(one_fund):
    done = perform(one_fund, entries_of(one_fund.journal), ManualClock(at_noon(NEW_YEAR)))
    whole = done.whole
    assert whole is not None
    first, last = done.points[0], done.points[-1]
    assert whole.time_weighted == pytest.approx(last.value / first.value - 1, abs=1e-9)
    assert whole.tracking_error == pytest.approx(0, abs=1e-6)
    assert whole.a_year(whole.time_weighted) is not None
    assert (whole.realized_tax, whole.turnover) == (0, 0)


def test_after_tax_both_ends_owe_the_long_term_rate_on_their_gains(one_fund):
    done = perform(one_fund, entries_of(one_fund.journal), ManualClock(at_noon(NEW_YEAR)))
    assert done.whole is not None
    (_, last_year), (_, this_year) = done.years
    owed = [0.2 * (point.value - 8000) for point in (done.points[0], done.points[-1])]
    assert done.whole.owed_start == pytest.approx(owed[0])
    assert done.whole.owed_end == pytest.approx(owed[1])
    assert last_year.owed_end == this_year.owed_start
    left = [(p.value - 0.2 * (p.value - 8000)) for p in (done.points[0], done.points[-1])]
    assert done.whole.after_tax == pytest.approx(left[1] / left[0] - 1)


def test_without_prices_the_returns_are_told_and_what_needs_prices_is_not(one_fund, tmp_path):
    folder = Path(shutil.copytree(one_fund.folder, tmp_path / "fund"))
    (folder / "prices.csv").unlink()
    whole = document_of(trimtab("performance", "--folder", folder, "--json"))
    assert whole["whole"]["time_weighted"] > 0
    assert whole["whole"]["after_tax"] is None
    assert whole["whole"]["tracking_error"] is None
    assert "neither the tax owed nor the targets can be told" in whole["remarks"][0]


def test_money_that_only_changes_accounts_within_a_day_is_no_flow(tmp_path):
    start = dt.date(2025, 10, 6)
    home = make_demo(tmp_path / "demo", seed=3, today=start, replace=False)
    turn(home, at_noon(start))
    clock = ManualClock(at_noon(start + dt.timedelta(days=1)))
    with working(home, command="test", clock=clock) as house:
        broker = paper_of(house)
        broker.deposit("maya-roth", Decimal(1000), "USD")
        broker.deposit("joint", Decimal(-1000), "USD")
        run_once(house, executes=False)
    assert [one.point.flows for one in marked(entries_of(home.journal))] == [(), ()]


def test_what_came_in_and_went_out_between_two_marks_keeps_its_days(tmp_path):
    start = dt.date(2025, 10, 6)
    home = make_demo(tmp_path / "demo", seed=3, today=start, replace=False)
    turn(home, at_noon(start))
    days = [start + dt.timedelta(days=number) for number in (1, 2, 4)]
    clock = ManualClock(at_noon(days[0]))
    with working(home, command="test", clock=clock) as house:
        paper_of(house).deposit("joint", Decimal(1000), "USD")
        clock.at = at_noon(days[1])
        paper_of(house).deposit("joint", Decimal(-400), "USD")
        clock.at = at_noon(days[2])
        run_once(house, executes=False)
    flows = marked(entries_of(home.journal))[-1].point.flows
    assert [(flow.day, flow.amount) for flow in flows] == [(days[0], 1000), (days[1], -400)]


def test_a_replay_which_decides_at_the_coming_close_is_compared_with_that_close(tmp_path):
    home, days = fund_of(tmp_path)
    done = replay(home, days[5], days[80], into=tmp_path / "replayed")
    assert done.days[0].session == days[5]
    into = Home(tmp_path / "replayed")
    seen = perform(into, entries_of(into.journal), ManualClock(at_noon(NEW_YEAR)))
    assert seen.whole is not None
    assert seen.whole.tracking_error == pytest.approx(0, abs=1e-6)
    owed = 0.2 * (seen.points[0].value - 8000)
    assert seen.whole.owed_start == pytest.approx(owed)
