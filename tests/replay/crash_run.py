"""A replay of the crash, run, and read again from its files without asking any rule."""

import csv
import datetime as dt
import re
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

import msgspec
import pytest
from tests.replay.crash_household import END, SHARED, START, write_household

from trimtab.apps.home import Home
from trimtab.apps.replay import Replay, replay
from trimtab.domain.trades import Fill, Side
from trimtab.domain.values import trade_date
from trimtab.lab.paper_books import Books

CLASSES = {"us-stocks": "VTI", "world-stocks": "VEA", "bonds": "BND", "bitcoin": "BTC-USD"}
TARGETS = {
    "us-stocks": Fraction(42, 100),
    "world-stocks": Fraction(18, 100),
    "bonds": Fraction(37, 100),
    "bitcoin": Fraction(3, 100),
}
KEPT_IN_CASH = {"joint": Fraction(10_000)}
WHIPSAW_DAYS = 60
WASH_DAYS = 30


class Run(NamedTuple):
    """A replay, the files that it started from, and the books that the paper broker kept."""

    preset: str
    done: Replay
    folder: Path
    books: Books

    def fills(self) -> list[Fill]:
        """What the broker says was traded, in order."""
        told = [
            activity
            for account in self.books.accounts.values()
            for activity in account.activities
            if isinstance(activity, Fill)
        ]
        return sorted(told, key=lambda fill: (fill.at, fill.id))


def run_with(folder: Path, preset: str = "swedroe-5-25") -> Run:
    if not SHARED.is_dir():
        pytest.skip("The real prices of 2020 lie beside the checkout, and they are not there.")
    home = Home(write_household(folder / "household"))
    rules = home.household_toml.read_text(encoding="utf-8")
    home.household_toml.write_text(f'{rules}\n[bands]\npreset = "{preset}"\n', encoding="utf-8")
    into = folder / "replay"
    done = replay(home, START, END, into=into)
    books = msgspec.json.decode(Home(into).paper.read_bytes(), type=Books)
    return Run(preset, done, into, books)


def rows_of(run: Run, name: str) -> list[dict[str, str]]:
    with (run.folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def file_dates(run: Run, symbol: str) -> list[dt.date]:
    rows = [row for row in rows_of(run, "prices.csv") if row["symbol"] == symbol]
    return sorted(dt.date.fromisoformat(row["date"]) for row in rows)


def closes(run: Run, session: dt.date) -> dict[str, Fraction]:
    """The last close of each symbol that was over five minutes before New York's on *session*.

    A day of bitcoin ends at midnight UTC, hours after New York: its last close is yesterday's.
    """
    wanted = dict.fromkeys(CLASSES.values(), session)
    wanted["BTC-USD"] = session - dt.timedelta(days=1)
    return {
        row["symbol"]: Fraction(row["close"])
        for row in rows_of(run, "prices.csv")
        if wanted.get(row["symbol"]) == dt.date.fromisoformat(row["date"])
    }


def standing(run: Run, session: dt.date) -> tuple[dict[str, Fraction], Fraction]:
    """Each class in dollars as *session* was decided, and what the targets divide.

    That is the classes and the free dollars; euros and the joint account's reserve are outside.
    """
    price = closes(run, session)
    units = dict.fromkeys(CLASSES.values(), Fraction(0))
    cash: dict[str, Fraction] = {}
    for row in rows_of(run, "lots.csv"):
        units[row["symbol"]] += Fraction(row["quantity"])
    for row in rows_of(run, "cash.csv"):
        if row["currency"] == "USD":
            cash[row["account"]] = Fraction(row["amount"])
    for fill in run.fills():
        if trade_date(fill.at) < session:
            sign = 1 if fill.side is Side.BUY else -1
            units[fill.symbol] += sign * Fraction(fill.quantity)
            cash[fill.account] -= sign * Fraction(fill.quantity) * Fraction(fill.price)
            cash[fill.account] -= Fraction(fill.fee)
    values = {name: units[symbol] * price[symbol] for name, symbol in CLASSES.items()}
    free = sum(max(Fraction(0), cash[name] - KEPT_IN_CASH.get(name, 0)) for name in cash)
    return values, sum(values.values(), Fraction(0)) + free


def breaches(run: Run, session: dt.date) -> set[str]:
    """The classes on or beyond their band: 5/25, and half of the target for bitcoin."""
    values, total = standing(run, session)
    half = {name: min(Fraction(5, 100), target / 4) for name, target in TARGETS.items()}
    half["bitcoin"] = TARGETS["bitcoin"] / 2
    return {
        name
        for name, value in values.items()
        if abs(value - TARGETS[name] * total) >= half[name] * total
    }


def washed(run: Run) -> list[tuple[str, dt.date, dt.date]]:
    """Losses in taxed accounts with a purchase of the same symbol anywhere within 30 days."""
    bought = [(fill.symbol, trade_date(fill.at)) for fill in run.fills() if fill.side is Side.BUY]
    bought += [
        (row["symbol"], dt.date.fromisoformat(row["acquired"])) for row in rows_of(run, "lots.csv")
    ]
    return [
        (sale.symbol, sale.sold, day)
        for sale in run.done.disposals()
        for symbol, day in bought
        if sale.is_taxed
        and sale.gain < 0
        and sale.symbol != "BTC-USD"  # property, and no security
        and symbol == sale.symbol
        and day != sale.acquired
        and abs((sale.sold - day).days) <= WASH_DAYS
    ]


def trades_of(run: Run) -> list[tuple[dt.date, str, Side]]:
    """Every order that was filled, as its day, its class and its direction."""
    return [
        (day.session, done.trade.asset_class, done.trade.side)
        for day in run.done.days
        for done in day.outcome.executions
        if done.filled > 0
    ]


def whipsaws(run: Run) -> list[tuple[dt.date, str, Side]]:
    """Orders against another of the same class in the sixty days before, same day included."""
    traded = trades_of(run)
    return [
        (later, name, back)
        for later, name, back in traded
        if any(
            other == name and side is not back and 0 <= (later - first).days <= WHIPSAW_DAYS
            for first, other, side in traded
        )
    ]


def read_picture(path: Path) -> tuple[list[str], int, int]:
    """The words of a picture in order, and how many triangles point up and down in it."""
    parser = ET.XMLParser(target=ET.TreeBuilder(insert_comments=True))  # letters are drawn
    root = ET.parse(path, parser).getroot()
    words: list[str] = []
    points_up: dict[str, bool] = {}
    for node in root.iter():
        if callable(node.tag):  # a comment
            words.append((node.text or "").strip())
        elif node.tag.endswith("}path"):
            corners = re.findall(r"-?[\d.]+ (-?[\d.]+)", node.get("d", ""))
            if len(corners) == 3:
                points_up[f"#{node.get('id')}"] = float(corners[0]) < float(corners[1])
    links = [node.get("{http://www.w3.org/1999/xlink}href", "") for node in root.iter()]
    marks = [points_up[link] for link in links if link in points_up]
    return words, marks.count(True), marks.count(False)
