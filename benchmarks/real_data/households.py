"""The household of the page, its files, and the cases in which it is replayed."""

import csv
import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared/data"

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


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
