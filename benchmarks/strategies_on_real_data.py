"""One household under each strategy at real prices, 2007 to 2012 and 2019 to 2022: its page anew.

Each strategy is replayed with `trimtab replay`'s own cycle and measured with `trimtab
performance`'s own figures. Tables and pictures of docs/explanation/strategies-on-real-data.md are
written again. The prices are not part of this repository: they are read from ../shared/data.

    python benchmarks/strategies_on_real_data.py              # everything, some minutes
    python benchmarks/strategies_on_real_data.py --months     # the real months alone
"""

import argparse
import csv
import datetime as dt
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from trimtab.adapters.journal import SqliteJournal
from trimtab.apps.clock import SystemClock
from trimtab.apps.home import Home
from trimtab.apps.performance import perform
from trimtab.apps.replay import Replay, replay
from trimtab.domain.events import ContributionMet
from trimtab.rules.averaging import (
    Limits,
    dollar_cost_averaging,
    path_edleson,
    value_averaging,
)
from trimtab.rules.targets.cppi_risk import Insurance, RealGaps, real_gaps, simulate

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared/data"
PAGE = ROOT / "docs/explanation/strategies-on-real-data.md"
PICTURES = PAGE.parent

FUNDS = {"us-stocks": "VTI", "world-stocks": "EFA", "bonds": "AGG", "gold": "GLD"}
PERIODS = {
    "2007 to 2012": (dt.date(2007, 1, 3), dt.date(2012, 12, 31)),
    "2019 to 2022": (dt.date(2019, 1, 2), dt.date(2022, 12, 30)),
}
AUTUMN = (dt.date(2008, 9, 2), dt.date(2008, 12, 31))

TOML = """
[household]
name = "Strategies on real data"

[owners.ann]
role = "self"

[owners.bob]
role = "spouse"

[accounts.joint]
owner = "ann"
kind = "taxable"
broker = "paper"
relief = "specific"

[accounts.roth]
owner = "ann"
kind = "roth_ira"
broker = "paper"

[accounts.ira]
owner = "bob"
kind = "traditional_ira"
broker = "paper"

[instruments]
VTI = { kind = "etf" }
EFA = { kind = "etf" }
AGG = { kind = "etf" }
GLD = { kind = "etf" }

[classes.us-stocks]
target = 0.42
members = ["VTI"]

[classes.world-stocks]
target = 0.18
members = ["EFA"]

[classes.bonds]
target = 0.35
members = ["AGG"]
risk = "safe"

[classes.gold]
target = 0.05
members = ["GLD"]

[bands]
preset = "swedroe-5-25"
look_every_days = 7            # one look a week

[gates]
quote_age_max_minutes = 6000
{breaker}

[tax]
filing_status = "married_filing_jointly"
short_term_rate = 0.32
long_term_rate = 0.188

[data]
prices = ["prices.csv"]
"""

NO_BREAKER = "fall_from_peak_max = 0.90      # nobody is there to re-arm a breaker in a replay"
HOLDINGS = (
    ("joint", "VTI", 150_000),
    ("joint", "AGG", 20_000),
    ("roth", "EFA", 50_000),
    ("roth", "GLD", 25_000),
    ("ira", "VTI", 60_000),
    ("ira", "EFA", 40_000),
    ("ira", "AGG", 155_000),
)
"""Account, fund and what it is worth on the first day: 500,000 at the targets together."""
PURCHASES = 8
"""A quarter apart, the last one a quarter before the first day, in equal quantities."""

BOUNDED = """
[[strategy.minimum_variance.bounds]]
classes = ["bonds"]
most = 0.60
"""
GUARDED = """
[strategy.cppi]
multiplier = {multiplier}
"""
STRATEGIES = {
    "nothing done": "",
    "fixed targets": "",
    "minimum variance": '[strategy]\nlayers = ["minimum_variance"]\n',
    "the same, bonds at most 60 %": f'[strategy]\nlayers = ["minimum_variance"]\n{BOUNDED}',
    "momentum": '[strategy]\nlayers = ["momentum"]\n',
    "CPPI, m = 3": f'[strategy]\nlayers = ["cppi"]\n{GUARDED.format(multiplier=3)}',
    "CPPI, m = 4": f'[strategy]\nlayers = ["cppi"]\n{GUARDED.format(multiplier=4)}',
    "all three, bonds at most 60 %": (
        '[strategy]\nlayers = ["minimum_variance", "momentum", "cppi"]\n'
        f"{BOUNDED}{GUARDED.format(multiplier=3)}"
    ),
}
TRIPPED = "fixed targets, breaker tripped"
LUMP = 120_000
PARTS = 36
AVERAGING = {
    "at once": "",
    "36 monthly parts": 'by = "parts"\namount = 120000\nparts = 36\n',
    "value path": 'by = "value"\namount = 3333.33\nexpected_return = 0.06\n',
}


class Case(NamedTuple):
    """One replay: of which table, under what name, which rules beside the household's own."""

    name: str
    rules: str
    start: dt.date
    end: dt.date
    lump: int = 0
    executes: bool = True
    has_breaker: bool = False


class Figures(NamedTuple):
    """What one replay came to; returns and falls are fractions, money is in dollars."""

    name: str
    value: float
    time_weighted: float
    fall: float
    trough: dt.date
    recovered: dt.date | None
    volatility: float
    turnover: float
    tax: float
    trades: int
    days: tuple[dt.date, ...]
    units: tuple[float, ...]
    risky: tuple[float, ...]
    cash: float
    invested: tuple[tuple[dt.date, float], ...]


# --------------------------------------------------------------------------- the household


@cache
def adjusted_closes() -> pd.DataFrame:
    """Adjusted closes of the funds, a column a fund: distributions are in them, free of tax."""
    frame = pd.read_parquet(DATA / "daily/etf_daily.parquet")
    frame["date"] = pd.to_datetime(frame["date"])
    frame = frame[frame["ticker"].isin(FUNDS.values())]
    return frame.pivot_table(index="date", columns="ticker", values="adj_close").dropna()


def write_household(folder: Path, case: Case) -> Path:
    """Write household.toml, prices.csv, lots.csv and cash.csv of *case* into *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    toml = TOML.replace("{breaker}", "" if case.has_breaker else NO_BREAKER)
    cash = [("joint", "USD", "0")]
    if case.lump:
        toml += '\n[accounts.fresh]\nowner = "ann"\nkind = "taxable"\nbroker = "paper"\n'
        cash = [("fresh", "USD", str(case.lump))]
    if case.lump and case.rules:
        first = case.start.replace(day=15)
        toml += f'\n[[averaging]]\naccount = "fresh"\nfirst = {first}\nevery = "month"\n'
    (folder / "household.toml").write_text(f"{toml}\n{case.rules}", encoding="utf-8")
    closes = adjusted_closes()
    closes = closes.loc[str(case.start - dt.timedelta(days=1_500)) : str(case.end)]
    rows = [
        (f"{day:%Y-%m-%d}", fund, f"{close:.4f}", f"{close:.4f}")
        for day, prices in closes.iterrows()
        for fund, close in prices.items()
    ]
    _write(folder / "prices.csv", ("date", "symbol", "close", "adjusted close"), rows)
    _write(
        folder / "lots.csv",
        ("account", "symbol", "quantity", "cost", "acquired"),
        lots(closes, case.start),
    )
    _write(folder / "cash.csv", ("account", "currency", "amount"), cash)
    return folder


def lots(closes: pd.DataFrame, start: dt.date) -> Iterator[tuple[str, ...]]:
    """Purchases in whole shares at the close of their day, so that each adds the same quantity."""
    for account, fund, money in HOLDINGS:
        each = round(money / closes[fund].asof(pd.Timestamp(start)) / PURCHASES)
        for number in range(PURCHASES, 0, -1):
            past = closes[fund].loc[: str(start - dt.timedelta(days=91 * number))]
            price = Decimal(f"{past.iloc[-1]:.4f}")
            cost = f"{each * price:.2f}"
            yield account, fund, str(each), cost, f"{past.index[-1]:%Y-%m-%d}"


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


# ------------------------------------------------------------------------------ the replays


def figures_of(case: Case) -> Figures:
    """Replay *case* and measure what it left in its folder."""
    with tempfile.TemporaryDirectory() as name:
        home = Home(write_household(Path(name) / "household", case))
        into = Path(name) / "replay"
        done = replay(home, case.start, case.end, into=into, executes=case.executes)
        with SqliteJournal.open(Home(into).journal, create=False, read_only=True) as journal:
            entries = list(journal.entries())
        performed = perform(Home(into), entries, SystemClock())
    whole = performed.whole
    assert whole is not None
    assert whole.fall is not None
    assert whole.time_weighted is not None
    return Figures(
        name=case.name,
        value=whole.value_end,
        time_weighted=whole.time_weighted,
        fall=whole.fall.depth,
        trough=whole.fall.trough,
        recovered=whole.fall.recovered,
        volatility=whole.volatility or 0.0,
        turnover=whole.turnover or 0.0,
        tax=whole.realized_tax,
        trades=sum(one.filled > 0 for day in done.days for one in day.outcome.executions),
        days=tuple(point.day for point in performed.points),
        units=tuple(point.unit for point in performed.points),
        risky=risky_share(done),
        cash=float(done.memory.cash.get(("fresh", "USD"), Decimal(0))),
        invested=tuple(
            (entry.event.contribution.day, float(entry.event.contribution.amount))
            for entry in entries
            if isinstance(entry.event, ContributionMet)
        ),
    )


def risky_share(done: Replay) -> tuple[float, ...]:
    """What part of the savings was in risky classes at each look."""
    return tuple(
        sum(float(one.weight) for one in day.outcome.decision.drifts if one.asset_class != "bonds")
        for day in done.days
        if day.outcome.decision is not None
    )


def cases() -> list[Case]:
    """Every replay of the page."""
    found = []
    for start, end in (*PERIODS.values(), AUTUMN):
        found += [
            Case(name, rules, start, end, executes=name != "nothing done")
            for name, rules in STRATEGIES.items()
        ]
    for start, end in PERIODS.values():
        found += [Case(name, rules, start, end, LUMP) for name, rules in AVERAGING.items()]
    return [*found, Case(TRIPPED, "", *PERIODS["2007 to 2012"], has_breaker=True)]


def replayed(case: Case, keep: Path) -> Figures:
    """The figures of *case*, from the folder *keep* where they are there already."""
    letters = re.sub(r"[^a-z0-9]+", "-", case.name.lower())
    path = keep / f"{letters}-{case.start}-{case.end}.json"
    if path.exists():
        return msgspec.json.decode(path.read_bytes(), type=Figures)
    found = figures_of(case)
    path.write_bytes(msgspec.json.encode(found))
    return found


def table(found: Sequence[Figures]) -> str:
    """The main figures as a table."""
    rows = [
        "| strategy | end value | return | deepest fall | volatility | turnover | tax | trades |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    return "\n".join([*rows, *(row_of(one) for one in found)])


def row_of(one: Figures) -> str:
    """One row of `table`."""
    return (
        f"| {one.name} | {one.value:,.0f} | {percent(one.time_weighted)} | {percent(one.fall)} "
        f"| {percent(one.volatility)} | {percent(one.turnover, 0)} | {dollars(one.tax)} "
        f"| {one.trades} |"
    )


def averaging_table(found: Sequence[Figures]) -> str:
    """What each way to put the lump in came to."""
    rows = [
        "| 120,000 | end value | return | deepest fall | largest month | still cash | trades |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for one in found:
        largest = max((amount for _, amount in one.invested), default=float(LUMP))
        rows.append(
            f"| {one.name} | {one.value:,.0f} | {percent(one.time_weighted)} "
            f"| {percent(one.fall)} | {largest:,.0f} | {one.cash:,.0f} | {one.trades} |"
        )
    return "\n".join(rows)


def percent(fraction: float, places: int = 1) -> str:
    """*fraction* in percent, with a true minus."""
    return f"{100 * fraction:.{places}f} %".replace("-", "\N{MINUS SIGN}")


def dollars(amount: float) -> str:
    """*amount* without cents, with a true minus."""
    return f"{amount:,.0f}".replace("-", "\N{MINUS SIGN}")


# -------------------------------------------------------------------------- the real months


@cache
def month_ends() -> pd.Series:
    """The US stock market's total return index at the end of each month, 1885 to 2024."""
    daily = pd.read_parquet(DATA / "long_history/us_stock_daily_tr_1885_2024.parquet")
    index = daily.set_index(pd.to_datetime(daily["date"]))["tr_index"]
    return index.groupby(index.index.to_period("M")).last()


def gaps(multiplier: float) -> tuple[RealGaps, pd.Period]:
    """All windows of sixty months from July 1926 to November 2018, and where the worst begins.

    The floor is 80 %, a look a month, and what is safe earns nothing.
    """
    months = month_ends().pct_change().loc["1926-07":"2018-11"]
    returns = months.to_numpy()
    rule = Insurance(multiplier, 0.8)
    found = real_gaps(returns, np.zeros_like(returns), rule, months=60)
    return found, months.index[found.worst_start]


def gaps_table() -> str:
    """The windows in which the floor broke, by multiplier."""
    rows = [
        "| multiplier | floor broke in | worst end below the floor | that window begins |",
        "|---:|---:|---:|---|",
    ]
    for multiplier in (3, 4, 5, 8):
        found, begins = gaps(multiplier)
        below, window = ("none", "")
        if found.breached:
            below, window = percent(-found.worst), f"{begins.start_time:%B %Y}"
        part = percent(found.breached / found.windows)
        rows.append(
            f"| {multiplier} | {found.breached} of {found.windows:,} ({part}) "
            f"| {below} | {window} |"
        )
    return "\n".join(rows)


class Guarded(NamedTuple):
    """CPPI with a ratchet from the end of 1986 to that of 1989, a look a month; 1 at first."""

    multiplier: int
    values: list[float]
    floors: list[float]
    exposures: list[float]


def through_1987(multiplier: int) -> Guarded:
    """What CPPI with the default ratchet of 80 % would have done, without its lock being lifted."""
    returns = month_ends().pct_change().loc["1987-01":"1989-12"].to_numpy()[np.newaxis]
    done = simulate(returns, np.zeros_like(returns), Insurance(multiplier, 0.8, 1.0, 0.8))
    return Guarded(
        multiplier, done.values[0].tolist(), done.floors[0].tolist(), done.exposures[0].tolist()
    )


def crash_table() -> str:
    """October 1987 by multiplier."""
    rows = [
        "| multiplier | risky before | value after | floor | risky after | end of 1989 |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    october = 10
    for multiplier in (3, 4, 5):
        done = through_1987(multiplier)
        before = done.exposures[october - 1] / done.values[october - 1]
        after = done.exposures[october] / done.values[october]
        rows.append(
            f"| {multiplier} | {percent(before, 0)} | {100 * done.values[october]:.1f} "
            f"| {100 * done.floors[october]:.1f} | {percent(after, 0)} "
            f"| {100 * done.values[-1]:.1f} |"
        )
    stocks = month_ends().loc["1986-12":"1989-12"].to_numpy()
    rows.append(
        f"| stocks alone | 100 % | {100 * stocks[october] / stocks[0]:.1f} | | 100 % "
        f"| {100 * stocks[-1] / stocks[0]:.1f} |"
    )
    return "\n".join(rows)


MONTHS = 120
PLANNED = Decimal(100)


class Path120(NamedTuple):
    """Value averaging over ten years of real months: what it put in, and what it ended with."""

    begins: pd.Period
    contributions: list[float]
    invested: float
    value: float

    @property
    def largest(self) -> float:
        """The most that one month took."""
        return max(self.contributions)

    @property
    def largest_in(self) -> pd.Period:
        """The month that took it."""
        return self.begins + self.contributions.index(self.largest)


def prices_from(begins: pd.Period) -> list[Decimal]:
    """Prices for ten years, of which the first is the close before *begins*."""
    index = month_ends().loc[begins - 1 : begins + MONTHS - 2]
    return [Decimal(repr(float(one))) for one in index / index.iloc[0]]


def value_path(begins: pd.Period, cap: int | None = None) -> Path120:
    """100 a month, a path of 1.2 % a month (R = 0.6 %), selling what is above it.

    Month t buys at the close of the month before it. With *cap*, one month takes at most so many
    contributions and nothing is sold: the defaults of [[averaging]].
    """
    goals = path_edleson(PLANNED, Decimal("0.012"), Decimal(0), MONTHS)
    limits = Limits(sells=True, caps=None)
    if cap is not None:
        limits = Limits(caps=(cap * PLANNED,) * MONTHS)
    done = value_averaging(goals, prices_from(begins), limits)
    return Path120(
        begins, [float(one) for one in done.contributions], float(done.invested), float(done.value)
    )


@cache
def largest_months() -> tuple[list[Path120], float]:
    """Every window of ten years, the largest demand first, and the median of the largest months."""
    starts = pd.period_range("1926-07", "2013-12", freq="M")
    found = sorted((value_path(one) for one in starts), key=lambda one: -one.largest)
    return found, float(np.median([one.largest for one in found]))


def equal_parts(begins: pd.Period) -> Path120:
    """100 a month at the same prices."""
    done = dollar_cost_averaging([PLANNED] * MONTHS, prices_from(begins))
    return Path120(begins, [float(PLANNED)] * MONTHS, float(done.invested), float(done.value))


def value_table() -> str:
    """The worst window and two others: equal parts, and the path without a cap and with one."""
    rows = [
        "| ten years from | 100 a month | largest month | put in, net | value | gain |",
        "|---|---|---:|---:|---:|---:|",
    ]
    worst = largest_months()[0][0].begins
    for begins in (worst, pd.Period("1999-01", "M"), pd.Period("2007-01", "M")):
        for name, one in (
            ("equal parts", equal_parts(begins)),
            ("path, no cap", value_path(begins)),
            ("path, cap of 3, no selling", value_path(begins, cap=3)),
        ):
            when = f" ({one.largest_in.start_time:%B %Y})" if name == "path, no cap" else ""
            rows.append(
                f"| {begins.start_time:%B %Y} | {name} | {one.largest:,.0f}{when} "
                f"| {one.invested:,.0f} | {one.value:,.0f} | {dollars(one.value - one.invested)} |"
            )
    return "\n".join(rows)


# ------------------------------------------------------------------------------ the pictures


def draw_period(found: Mapping[str, Figures], title: str, path: Path) -> None:
    """A panel a strategy: its value beside that of fixed targets, and its risky part below."""
    others = [one for name, one in found.items() if name not in {"nothing done", "fixed targets"}]
    fixed = found["fixed targets"]
    figure = Figure(figsize=(9, 7.2), layout="constrained")
    panels = figure.subplots(3, 2, sharex=True, sharey=True).ravel()
    for panel, one in zip(panels, others, strict=True):
        days, units = _weekly(one.days, one.units)
        _, steady = _weekly(fixed.days, fixed.units)
        lookdays, risky = _weekly(one.days, one.risky)
        panel.fill_between(
            lookdays,
            0,
            [100 * part for part in risky],
            facecolor="0.9",
            edgecolor="0.6",
            linewidth=0.5,
            label="risky classes, % of the savings",
        )
        panel.plot(days, [100 * unit for unit in steady], "--", color="0.4", linewidth=1)
        panel.plot(days, [100 * unit for unit in units], color="black", linewidth=1.3)
        panel.lines[0].set_label("fixed targets, first day = 100")
        panel.lines[1].set_label("the strategy, first day = 100")
        panel.set_title(one.name, loc="left", fontsize=10)
        _plain(panel)
    panels[0].set_ylim(bottom=0)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    figure.suptitle(title, x=0.01, ha="left")
    _save(figure, path)


def draw_1987(path: Path) -> None:
    """CPPI from 1987 to 1989: value, floor and what is risky, with m = 3, 4 and 5."""
    days = month_ends().loc["1986-12":"1989-12"].index.to_timestamp(how="end")
    stocks = month_ends().loc["1986-12":"1989-12"]
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True)
    for panel, multiplier in zip(panels, (3, 4, 5), strict=True):
        done = through_1987(multiplier)
        panel.fill_between(
            days,
            0,
            [100 * one for one in (*done.exposures, done.exposures[-1])],
            step="post",
            facecolor="0.9",
            hatch="///",
            edgecolor="0.6",
            linewidth=0.6,
            label="in risky classes",
        )
        panel.plot(
            days, (100 * stocks / stocks.iloc[0]).to_numpy(), ":", color="0.3", label="stocks alone"
        )
        panel.plot(days, [100 * one for one in done.floors], "--", color="black", label="floor")
        panel.plot(
            days, [100 * one for one in done.values], color="black", linewidth=1.6, label="value"
        )
        panel.set_title(f"m = {multiplier}", loc="left", fontsize=10)
        _plain(panel)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    figure.suptitle(
        "CPPI with a ratchet of 80 %, 1987 to 1989, end of 1986 = 100", x=0.01, ha="left"
    )
    _save(figure, path)


def draw_largest_month(path: Path) -> None:
    """What the worst ten years asked for month by month, without a cap and with one."""
    worst = largest_months()[0][0]
    free, capped = worst, value_path(worst.begins, cap=3)
    days = pd.period_range(worst.begins, periods=MONTHS, freq="M").to_timestamp()
    figure = Figure(figsize=(9, 4.6), layout="constrained")
    panels = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    titles = ("without a cap, selling", "with a cap of three contributions, not selling")
    for panel, one, title in zip(panels, (free, capped), titles, strict=True):
        panel.bar(days, one.contributions, width=25, color="0.25")
        panel.axhline(float(PLANNED), linestyle="--", color="black", linewidth=0.8)
        panel.axhline(0, color="black", linewidth=0.6)
        panel.set_title(f"{title}; dashed: the 100 planned", loc="left", fontsize=10)
        panel.set_ylabel("put in that month")
        _plain(panel)
    span = f"{days[0]:%B %Y} to {days[-1]:%B %Y}"
    figure.suptitle(f"Value averaging, {span}, US stocks", x=0.01, ha="left")
    _save(figure, path)


def _weekly(days: Sequence[dt.date], values: Sequence[float]) -> tuple[list[dt.date], list[float]]:
    """The last value of each week: a line has no more to show."""
    last = {day.isocalendar()[:2]: (day, value) for day, value in zip(days, values, strict=True)}
    return [day for day, _ in last.values()], [value for _, value in last.values()]


def _plain(panel: Axes) -> None:
    locator = AutoDateLocator(minticks=3, maxticks=8)
    panel.xaxis.set_major_locator(locator)
    panel.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    panel.grid(axis="y", color="0.85", linewidth=0.5)
    panel.set_axisbelow(True)
    panel.margins(x=0.01)
    for side in ("top", "right"):
        panel.spines[side].set_visible(False)


def _save(figure: Figure, path: Path) -> None:
    """Write *figure*; coordinates keep two digits, a hundredth of a point, which is enough."""
    with rc_context({"svg.hashsalt": "trimtab"}):
        figure.savefig(path, metadata={"Date": None})
    drawn = path.read_text(encoding="utf-8")
    short = re.sub(r"(?<=[ \"])-?\d+\.\d{3,}", lambda found: f"{float(found[0]):.2f}", drawn)
    path.write_text(short, encoding="utf-8")


# ---------------------------------------------------------------------------------- the page


def written(page: str, name: str, block: str) -> str:
    """*page* with the table *name* made anew."""
    head, tail = f"<!-- table: {name} -->", "<!-- end of table -->"
    before, found, rest = page.partition(head)
    assert found, f"the page has no table {name}"
    return f"{before}{head}\n{block}\n{tail}{rest.partition(tail)[2]}"


def main() -> None:
    asked = argparse.ArgumentParser(description="Write the page of real data anew.")
    asked.add_argument("--keep", type=Path, help="keep each replay's figures in this folder")
    asked.add_argument("--months", action="store_true", help="only what the real months tell")
    options = asked.parse_args()
    page = PAGE.read_text(encoding="utf-8")
    blocks = {"gaps": gaps_table(), "1987": crash_table(), "largest months": value_table()}
    draw_1987(PICTURES / "cppi-1987.svg")
    draw_largest_month(PICTURES / "value-averaging-largest-month.svg")
    if not options.months:
        with tempfile.TemporaryDirectory() as name:
            blocks |= replays(options.keep or Path(name))
    for name, block in blocks.items():
        print(f"\n{name}\n{block}")
        page = written(page, name, block)
    PAGE.write_text(page, encoding="utf-8")


def replays(keep: Path) -> dict[str, str]:
    """The tables of all replays, whose pictures are drawn on the way."""
    keep.mkdir(parents=True, exist_ok=True)
    asked = cases()
    with ProcessPoolExecutor() as pool:
        found = dict(zip(asked, pool.map(replayed, asked, [keep] * len(asked)), strict=True))
    blocks = {}
    for name, (start, end) in {**PERIODS, "autumn": AUTUMN}.items():
        chosen = {
            case.name: one
            for case, one in found.items()
            if (case.start, case.end, case.lump) == (start, end, 0)
        }
        names = [one for one in (*STRATEGIES, TRIPPED) if one in chosen]
        blocks[name] = table([chosen.pop(one) if one == TRIPPED else chosen[one] for one in names])
        if name in PERIODS:
            span = name.replace(" ", "-")
            draw_period(chosen, f"Each strategy, {name}", PICTURES / f"strategies-{span}.svg")
            put_in = [one for case, one in found.items() if case.start == start and case.lump]
            blocks[f"averaging {name}"] = averaging_table(put_in)
    return blocks


if __name__ == "__main__":
    main()
