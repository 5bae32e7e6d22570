"""Scheduled contributions and withdrawals in a replay: moved on their days, once, and told."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from tests.apps.cli.command_line import trimtab
from tests.houses import TOML as TWO_ACCOUNTS
from tests.houses import FixedPrices, ManualClock, house_of, lot

from trimtab.adapters.calendars import MarketCalendars
from trimtab.apps.cli.past import entries_of
from trimtab.apps.home import Home
from trimtab.apps.performance import perform
from trimtab.apps.replay import Replay, replay
from trimtab.apps.replay_flows import Mover
from trimtab.domain.events import CashMoved, ValueMarked
from trimtab.domain.numbers import ZERO, Money
from trimtab.domain.trades import CashMovement, Side
from trimtab.domain.values import ScheduledFlow
from trimtab.lab.paper_books import Books
from trimtab.rules.schedule import flows_due

RULES = """
[household]
name = "Money comes and goes"
[owners.ann]
role = "self"
[accounts.ira]
owner = "ann"
kind = "roth_ira"
broker = "paper"
[instruments.VTI]
kind = "etf"
[instruments.BND]
kind = "etf"
[classes.stocks]
target = 0.6
members = ["VTI"]
[classes.bonds]
target = 0.4
members = ["BND"]
risk = "safe"
[gates]
quote_age_max_minutes = 7200
turnover_max = 1
volume_max = 1
[tax]
filing_status = "single"
short_term_rate = 0.30
long_term_rate = 0.20
"""
START, END = dt.date(2026, 3, 2), dt.date(2026, 6, 30)
LEAVES = """
[[withdrawals]]
account = "ira"
amount = 3000
first = 2026-03-15
every = "month"
"""
COMES = """
[[contributions]]
account = "ira"
amount = 1000
first = 2026-04-04
every = "month"
"""


def home_of(folder: Path, more: str, cash: str = "0") -> Home:
    """100,000 at its targets, in an account in which nothing is taxed; prices never move."""
    folder.mkdir()
    days = MarketCalendars().sessions("XNYS", dt.date(2026, 1, 2), END)
    rows = [f"{day},{name},100,90000000" for day in days for name in ("VTI", "BND")]
    files = {
        "household.toml": RULES + more,
        "prices.csv": "\n".join(["date,symbol,close,volume", *rows]),
        "lots.csv": "account,symbol,quantity,cost,acquired\n"
        "ira,VTI,600,60000,2020-05-01\nira,BND,400,40000,2020-05-01",
        "cash.csv": f"account,currency,amount\nira,USD,{cash}",
    }
    for name, text in files.items():
        (folder / name).write_text(f"{text}\n", encoding="utf-8")
    return Home(folder)


def replayed(folder: Path, more: str, cash: str = "0", *, executes: bool = True) -> Replay:
    home = home_of(folder / "home", more, cash)
    return replay(home, START, END, into=folder / "replay", executes=executes)


def moved(folder: Path) -> list[CashMovement]:
    """What the paper broker's own books say has moved."""
    books = msgspec.json.decode(Home(folder / "replay").paper.read_bytes(), type=Books)
    return [
        activity
        for account in books.accounts.values()
        for activity in account.activities
        if isinstance(activity, CashMovement)
    ]


def told(flows):
    return [(f"{one.at:%Y-%m-%d}", one.amount) for one in flows]


def lacking(done):
    return [(f"{one.date}", one.amount) for one in done.untaken()]


def test_a_contribution_comes_on_its_day_or_on_the_next_session_and_once(tmp_path):
    done = replayed(tmp_path, COMES)
    flows = moved(tmp_path)  # 4 April is a Saturday
    assert told(flows) == [("2026-04-06", 1000), ("2026-05-04", 1000), ("2026-06-04", 1000)]
    assert all(one.is_flow for one in flows)
    assert done.paid_in == 3000
    booked = [
        entry.event.movement
        for entry in entries_of(Home(tmp_path / "replay").journal)
        if isinstance(entry.event, CashMoved)
    ]
    assert booked == flows, "the journal has each of them, once"


def test_what_comes_is_invested_on_that_very_day(tmp_path):
    done = replayed(tmp_path, COMES)
    assert [f"{day.session}" for day in done.trading_days] == [
        "2026-04-06",
        "2026-05-04",
        "2026-06-04",
    ]


def test_a_withdrawal_leaves_whole_and_what_was_sold_for_it_is_not_bought_again(tmp_path):
    done = replayed(tmp_path, LEAVES)
    assert told(moved(tmp_path)) == [
        ("2026-03-16", -3000),  # the 15th is a Sunday
        ("2026-04-15", -3000),
        ("2026-05-15", -3000),
        ("2026-06-15", -3000),
    ]
    assert done.taken_out == 12_000
    assert done.untaken() == ()
    orders = [one for day in done.days for one in day.outcome.executions if one.filled > 0]
    assert {one.trade.side for one in orders} == {Side.SELL}


def test_what_leaves_on_the_first_day_waits_for_the_sale_that_raises_it(tmp_path):
    done = replayed(tmp_path, LEAVES.replace("2026-03-15", "2026-03-02"), cash="500")
    assert told(moved(tmp_path))[:2] == [("2026-03-02", -500), ("2026-03-03", -2500)]
    assert done.untaken() == ()


def test_a_policy_that_raises_no_cash_ahead_pays_a_session_late(tmp_path):
    done = replayed(tmp_path, f"{LEAVES}[plan]\nraise_cash_days = 0\n")
    days = [day for day, amount in told(moved(tmp_path)) if amount < -2000]
    assert days == ["2026-03-17", "2026-04-16", "2026-05-18", "2026-06-16"]
    assert done.untaken() == (), "what is due on a Sunday is raised on Monday"


def test_what_could_not_be_taken_is_told_and_not_asked_for_for_ever(tmp_path):
    done = replayed(tmp_path, LEAVES, cash="4000.005", executes=False)
    assert told(moved(tmp_path)) == [("2026-03-16", -3000), ("2026-04-15", -1000)]
    assert lacking(done) == [
        ("2026-04-15", 2000),
        ("2026-05-15", 3000),
        ("2026-06-15", 3000),
    ]


def test_a_withdrawal_that_is_still_waiting_at_the_end_is_told_too(tmp_path):
    done = replayed(tmp_path, LEAVES.replace("2026-03-15", "2026-06-30"), executes=False)
    assert lacking(done) == [("2026-06-30", 3000)]


def test_flows_are_no_gain_and_no_loss(tmp_path):
    replayed(tmp_path, COMES + LEAVES, cash="12000", executes=False)
    into = Home(tmp_path / "replay")
    entries = entries_of(into.journal)
    units = {one.event.unit_value for one in entries if isinstance(one.event, ValueMarked)}
    assert units == {1}, "prices stand still"
    whole = perform(into, entries, ManualClock()).whole
    assert whole is not None
    assert whole.time_weighted == 0
    assert (whole.contributions, whole.withdrawals, whole.gain) == (3000, 12_000, 0)


def test_the_same_replay_twice_writes_the_same_journal(tmp_path):
    heads = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        heads.add(replayed(tmp_path / name, COMES + LEAVES).head)
    assert len(heads) == 1


def test_the_summary_says_in_one_sentence_what_came_and_what_went(tmp_path):
    span = ("--from", f"{START}", "--to", f"{END}")
    folder = home_of(tmp_path / "home", COMES + LEAVES).folder
    ended = trimtab("replay", "--folder", folder, *span, "--execute")
    assert "3,000.00 USD came in and 12,000.00 USD went out" in ended.out
    assert "could not be taken" not in ended.out
    ended = trimtab("replay", "--folder", folder, *span)
    assert "3,000.00 USD came in and 3,000.00 USD went out" in ended.out
    assert (
        "9,000.00 USD of 4 withdrawals could not be taken out of ira, the first due on 2026-03-15"
    ) in ended.out


def test_a_household_without_such_rules_is_told_nothing_of_them(tmp_path):
    folder = home_of(tmp_path / "home", "").folder
    ended = trimtab("replay", "--folder", folder, "--from", f"{START}", "--to", "2026-03-03")
    assert ended.status == 0
    assert "came in" not in ended.out


# ------------------------------------------------------------------------------- any rules


def table(name: str, account: str, amount: int, first: dt.date, every: str) -> str:
    rule = f'account = "{account}"\namount = {amount / 100}\nfirst = {first}\nevery = "{every}"'
    return f"[[{name}]]\n{rule}\n"


TABLES = st.builds(
    table,
    st.sampled_from(["contributions", "withdrawals"]),
    st.sampled_from(["taxable", "ira"]),
    st.integers(1, 500_000),
    st.dates(START - dt.timedelta(days=60), START + dt.timedelta(days=60)),
    st.sampled_from(["once", "week", "two_weeks", "month"]),
)


@given(
    tables=st.lists(TABLES, max_size=5),
    steps=st.lists(st.integers(1, 9), min_size=1, max_size=15),
    patience=st.integers(0, 10),
    cash=st.integers(0, 2_000_000),
)
def test_each_sum_is_moved_once_or_told_and_no_account_is_overdrawn(tables, steps, patience, cash):
    toml = f"{TWO_ACCOUNTS}[plan]\nraise_cash_days = {patience}\n{''.join(tables)}"
    clock = ManualClock()
    opening = Decimal(cash) / 100
    bought = [lot("ira", "VTI", "10", "1000", "2024-01-02")]
    house = house_of(
        bought, {"taxable": f"{opening}"}, FixedPrices({"VTI": "100"}), toml=toml, clock=clock
    )
    mover = Mover(house, START)
    session, lost = START, ZERO
    paid, taken = dict.fromkeys(house.accounts, ZERO), dict.fromkeys(house.accounts, ZERO)
    for step in steps:
        clock.at = dt.datetime.combine(session, dt.time(15), tzinfo=dt.UTC)
        found = mover.move(session)
        for flow in found.paid_in:
            paid[flow.account] += flow.amount
        for flow in found.taken_out:
            taken[flow.account] += flow.amount
        lost += total(found.untaken)
        last, session = session, session + dt.timedelta(days=step)
    lost += total(mover.give_up())
    before = START - dt.timedelta(days=1)
    assert sum(paid.values()) == total(flows_due(house.file.contributions, before, last))
    assert sum(taken.values()) + lost == total(flows_due(house.file.withdrawals, before, last))
    for name in house.accounts:
        held = house.brokers["paper"].report(name).cash.get("USD", ZERO)
        begun = opening if name == "taxable" else ZERO
        assert held == begun + paid[name] - taken[name] >= 0


def total(flows: tuple[ScheduledFlow, ...]) -> Money:
    return sum((flow.amount for flow in flows), ZERO)
