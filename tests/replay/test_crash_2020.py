"""A household lives through the crash of 2020 at real prices, day by day, and every day is proven.

What the run did is checked against what stands in the household's files and in the paper broker's
own books; no function of the rules is asked what it should have done.
"""

import datetime as dt
from collections import Counter, defaultdict
from fractions import Fraction
from math import ceil, floor
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.replay.crash_household import END, START, write_household
from tests.replay.crash_run import (
    CLASSES,
    TARGETS,
    Run,
    breaches,
    closes,
    file_dates,
    read_picture,
    rows_of,
    run_with,
    standing,
    trades_of,
    washed,
    whipsaws,
)

from trimtab.adapters.journal import SqliteJournal
from trimtab.apps.cli import main
from trimtab.apps.home import Home
from trimtab.apps.replay import draw_bands
from trimtab.apps.world import load
from trimtab.domain.events import Decided
from trimtab.domain.memory import Memory, remember
from trimtab.domain.numbers import Money, Quantity
from trimtab.domain.trades import Side
from trimtab.domain.values import trade_date

GUIDE = Path(__file__).resolve().parents[2] / "docs/how-to/replay-the-crash-of-2020.md"


@pytest.fixture(scope="module")
def crash(tmp_path_factory):
    return run_with(tmp_path_factory.mktemp("crash"))


@pytest.fixture(scope="module", params=["vanguard-200-175", "daryanani", "betterment-like"])
def busier(request, tmp_path_factory):
    return run_with(tmp_path_factory.mktemp(request.param), preset=request.param)


# ------------------------------------------------------------------------- what it did


def test_it_buys_stocks_with_bonds_in_the_crash(crash):
    corrections = [
        day
        for day in crash.done.trading_days
        if dt.date(2020, 2, 24) <= day.session <= dt.date(2020, 4, 15)
    ]
    traded = {
        (done.trade.asset_class, done.trade.side)
        for day in corrections
        for done in day.outcome.executions
        if done.filled > 0
    }
    assert corrections
    assert {day.outcome.status for day in corrections} == {"executed"}
    assert ("bonds", Side.SELL) in traded
    assert ("us-stocks", Side.BUY) in traded
    assert ("bonds", Side.BUY) not in traded
    assert ("us-stocks", Side.SELL) not in traded


def test_no_class_is_traded_one_way_and_back_within_sixty_days(crash):
    assert whipsaws(crash) == []
    assert len(trades_of(crash)) >= 4, "a run that trades nothing cannot whipsaw"


def test_it_trades_on_the_first_day_that_a_band_is_reached_and_on_none_before(crash):
    sold_on = min(trade_date(fill.at) for fill in crash.fills() if fill.side is Side.SELL)
    breached = {
        day.session: breaches(crash, day.session)
        for day in crash.done.days
        if day.session <= sold_on
    }
    assert breached.pop(sold_on) == {"bonds"}
    assert set().union(*breached.values()) == set()


def test_bonds_are_sold_to_within_two_shares_of_their_target(crash):
    # Whole shares of what is bought with the money decide which side is nearer in all.
    sales = [fill for fill in crash.fills() if fill.side is Side.SELL]
    sold_on = trade_date(sales[0].at)
    values, total = standing(crash, sold_on)
    price = closes(crash, sold_on)["BND"]
    excess = values["bonds"] - TARGETS["bonds"] * total
    assert {fill.symbol for fill in sales} == {"BND"}
    sold = Fraction(sum(fill.quantity for fill in sales))
    assert sold.denominator == 1
    assert floor(excess / price) - 1 <= sold <= ceil(excess / price) + 1


def test_what_the_decision_printed_is_what_the_files_say(crash):
    for day in crash.done.days:
        values, total = standing(crash, day.session)
        decision = day.outcome.decision
        assert decision is not None
        found = {drift.asset_class: drift for drift in decision.drifts}
        assert {name: Fraction(drift.value) for name, drift in found.items()} == values
        for name, drift in found.items():
            assert abs(Fraction(drift.weight) - values[name] / total) < Fraction(1, 10**20)
            assert drift.is_breached == (name in breaches(crash, day.session))


def test_new_money_is_invested_without_a_sale(crash):
    first = crash.done.days[0]
    assert [(done.trade.side, done.trade.asset_class) for done in first.outcome.executions] == [
        (Side.BUY, "us-stocks")
    ]


# ------------------------------------------------------------------- what is true every day


def test_no_gate_holds_anything_and_every_order_is_filled_whole(crash):
    held = [
        (day.session, refusal.gate, refusal.sentence)
        for day in crash.done.days
        if day.outcome.decision is not None
        for refusal in day.outcome.decision.held
    ]
    assert held == []
    assert {day.outcome.status for day in crash.done.days} == {"executed", "nothing-to-do"}
    assert all(done.is_whole for day in crash.done.days for done in day.outcome.executions)


def test_the_replay_has_every_session_of_the_exchange_once(crash):
    sessions = [day.session for day in crash.done.days]
    assert (sessions[0], sessions[-1]) == (START, END)
    assert not {dt.date(2020, 4, 10), dt.date(2020, 5, 25)} & set(sessions)
    assert sessions == [day for day in file_dates(crash, "VTI") if START <= day <= END]


def test_journal_and_broker_agree_on_every_day(crash):
    assert_proven(crash)


def test_busier_rules_agree_with_the_broker_on_every_day_too(busier):
    assert_proven(busier)
    assert len(busier.done.trading_days) >= 2


def test_lots_and_cash_in_the_journal_are_those_of_the_brokers_books(crash):
    assert_same_books(crash)


def test_busier_rules_end_with_the_brokers_books_too(busier):
    assert_same_books(busier)


def test_no_share_and_no_cent_appears_or_gets_lost(crash):
    assert_conserved(crash)


def test_busier_rules_lose_nothing_either(busier):
    assert_conserved(busier)


def test_no_loss_is_washed_by_a_purchase_of_the_household(crash):
    assert washed(crash) == []


def test_busier_rules_take_losses_and_wash_none(busier):
    taxed_losses = [sale for sale in busier.done.disposals() if sale.is_taxed and sale.gain < 0]
    assert taxed_losses
    assert washed(busier) == []


def test_the_journal_of_a_run_folds_to_what_the_run_remembered(crash):
    assert_folds(crash)


def test_a_busier_journal_folds_to_what_its_run_remembered(busier):
    assert_folds(busier)


def test_the_same_files_give_the_same_journal(crash, tmp_path):
    again = run_with(tmp_path)
    assert (again.done.entries, again.done.head) == (crash.done.entries, crash.done.head)


# --------------------------------------------------------------------------- the picture


def test_the_picture_has_a_panel_for_each_class_and_a_mark_for_each_trade(crash, tmp_path):
    path = tmp_path / "bands.svg"
    draw_bands(crash.done, path)
    words, up, down = read_picture(path)
    traded = Counter(side for _, _, side in set(trades_of(crash)))
    assert [word for word in words if word in CLASSES] == list(CLASSES)
    assert {"target", "triggers", "bought", "sold"} <= set(words)
    in_legend = 1
    assert (up, down) == (traded[Side.BUY] + in_legend, traded[Side.SELL] + in_legend)


def test_the_picture_can_be_a_png_with_something_on_it(crash, tmp_path):
    from matplotlib.image import imread

    path = tmp_path / "bands.png"
    draw_bands(crash.done, path)
    pixels = imread(path)
    height, width = pixels.shape[:2]
    assert height > 600
    assert width > 600
    assert pixels[..., :3].min() < 0.1, "something is black"
    assert pixels[..., :3].max() > 0.9, "something is white"


# ------------------------------------------------------------------- what the guide says


def test_the_guide_prints_what_the_command_prints(crash, tmp_path):
    folder = tmp_path / "household"
    write_household(folder)
    options = ["--from", f"{START}", "--to", f"{END}", "--execute"]
    printed = CliRunner().invoke(
        main, ["replay", "--folder", str(folder), *options], standalone_mode=False
    )
    lines = [line for line in printed.output.splitlines() if line]
    guide = GUIDE.read_text(encoding="utf-8").splitlines()
    assert printed.exception is None
    assert len(lines) > len(crash.done.trading_days)
    assert [line for line in lines if line not in guide] == []


def test_the_guides_table_has_the_row_of_the_default(crash):
    assert_in_guide(crash)


def test_the_guides_table_has_the_rows_of_the_other_presets(busier):
    assert_in_guide(busier)


# ------------------------------------------------------------------------------ assertions


def assert_proven(run: Run) -> None:
    """No day found a discrepancy, and none was ever written into the journal."""
    assert [day.session for day in run.done.days if day.outcome.discrepancies] == []
    assert run.done.memory.discrepancies == {}
    assert run.done.memory.open_orders() == ()
    with SqliteJournal.open(Home(run.folder).journal, create=False, read_only=True) as journal:
        kinds = Counter(entry.event.__struct_config__.tag for entry in journal.entries())
        head = journal.integrity()
    assert "discrepancy-found" not in kinds
    assert "cycle-failed" not in kinds
    assert kinds["cycle-ended"] == kinds["value-marked"] == len(run.done.days)
    assert kinds["order-intended"] == len({fill.order_id for fill in run.fills()})
    assert (head.sequence, head.hash) == (run.done.entries, run.done.head)


def assert_same_books(run: Run) -> None:
    """Every lot, its basis included, and every balance: journal and broker kept them apart."""
    memory = run.done.memory
    for name, account in run.books.accounts.items():
        booked = Counter[tuple[str, dt.date, Quantity, Money]]()
        for lot in memory.lots.values():
            if lot.account == name:
                booked[lot.symbol, lot.acquired, lot.quantity, lot.basis] += 1
        told = Counter((lot.symbol, lot.acquired, lot.quantity, lot.basis) for lot in account.lots)
        assert booked == told
        cash = {code: amount for (where, code), amount in memory.cash.items() if where == name}
        assert cash == account.cash


def assert_conserved(run: Run) -> None:
    """Opening files plus what the broker says was traded is what the journal holds at the end."""
    units: dict[tuple[str, str], Quantity] = defaultdict(Quantity)
    cash: dict[tuple[str, str], Money] = defaultdict(Money)
    for row in rows_of(run, "lots.csv"):
        units[row["account"], row["symbol"]] += Quantity(row["quantity"])
    for row in rows_of(run, "cash.csv"):
        cash[row["account"], row["currency"]] += Money(row["amount"])
    for fill in run.fills():
        sign = 1 if fill.side is Side.BUY else -1
        units[fill.account, fill.symbol] += sign * fill.quantity
        cash[fill.account, "USD"] -= sign * fill.quantity * fill.price + fill.fee
    held: dict[tuple[str, str], Quantity] = defaultdict(Quantity)
    for lot in run.done.memory.lots.values():
        held[lot.account, lot.symbol] += lot.quantity
    assert held == {place: quantity for place, quantity in units.items() if quantity != 0}
    assert run.done.memory.cash == cash
    assert min(cash.values()) >= 0


def assert_folds(run: Run) -> None:
    """Read back from the file, whole or in two parts, the journal gives the run's own memory."""
    with SqliteJournal.open(Home(run.folder).journal, create=False, read_only=True) as journal:
        assert load(journal) == run.done.memory
        entries = list(journal.entries())
    half = len(entries) // 2
    assert remember(remember(Memory(), entries[:half]), entries[half:]) == run.done.memory
    decided = [entry.event for entry in entries if isinstance(entry.event, Decided)]
    assert [event.decision for event in decided] == [day.outcome.decision for day in run.done.days]


def assert_in_guide(run: Run) -> None:
    worst = max(
        abs(drift.drift)
        for day in run.done.days
        if day.outcome.decision is not None
        for drift in day.outcome.decision.drifts
    )
    row = (
        f"| `{run.preset}` | {len(run.done.trading_days)} | {len(trades_of(run))} "
        f"| {run.done.turnover:,.0f} | {100 * worst:.1f} | {len(whipsaws(run))} |"
    )
    assert row in GUIDE.read_text(encoding="utf-8").splitlines()
