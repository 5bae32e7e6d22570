"""A household of real prices: ETF lots bought from 2015 to 2019, bitcoin, and euros in cash."""

import csv
import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

import pandas as pd

SHARED = Path(__file__).resolve().parents[2] / "../shared/data/daily"
ETFS = ("VTI", "VEA", "BND")
START, END = dt.date(2020, 2, 19), dt.date(2020, 6, 30)

TOML = """
[household]
name = "Through the crash of 2020"

[owners.ann]
role = "self"

[owners.bob]
role = "spouse"

[accounts.joint]
owner = "ann"
kind = "taxable"
broker = "paper"
relief = "specific"
cash_reserve = 10000

[accounts.roth]
owner = "ann"
kind = "roth_ira"
broker = "paper"

[accounts.ira]
owner = "bob"
kind = "traditional_ira"
broker = "paper"

[accounts.wallet]
owner = "ann"
kind = "crypto"
broker = "paper"

[instruments]
VTI = { kind = "etf" }
VEA = { kind = "etf" }
BND = { kind = "etf" }
BTC-USD = { kind = "crypto", step = 0.0001 }
EURUSD = { kind = "forex" }

[classes.us-stocks]
target = 0.42
members = ["VTI"]

[classes.world-stocks]
target = 0.18
members = ["VEA"]

[classes.bonds]
target = 0.37
members = ["BND"]
risk = "safe"

[classes.bitcoin]
target = 0.03
members = ["BTC-USD"]
trigger_rel = 0.5              # bitcoin moves a quarter in a week; a quarter is no reason to trade

[gates]
quote_age_max_minutes = 6000   # daily closes: over a weekend the last bitcoin close is a day old

[tax]
filing_status = "married_filing_jointly"
short_term_rate = 0.32
long_term_rate = 0.188

[data]
prices = ["prices.csv"]
"""

HOLDINGS = (
    # account, symbol, first and last purchase, number of purchases, money each (of that day)
    ("joint", "VTI", dt.date(2015, 3, 16), dt.date(2019, 12, 16), 20, 5200),
    ("joint", "BND", dt.date(2016, 6, 15), dt.date(2019, 9, 16), 8, 4200),
    ("roth", "VTI", dt.date(2015, 2, 17), dt.date(2019, 2, 19), 5, 6000),
    ("roth", "VEA", dt.date(2015, 2, 17), dt.date(2019, 2, 19), 5, 5500),
    ("ira", "VEA", dt.date(2015, 4, 15), dt.date(2019, 4, 15), 9, 5600),
    ("ira", "BND", dt.date(2015, 4, 15), dt.date(2019, 10, 15), 10, 12600),
    ("wallet", "BTC-USD", dt.date(2016, 1, 15), dt.date(2019, 7, 15), 4, 430),
)
CASH = (
    ("joint", "USD", "12400"),
    ("joint", "EUR", "3000"),
    ("roth", "USD", "150"),
    ("ira", "USD", "90"),
)


def write_household(folder: Path) -> Path:
    """Write household.toml, prices.csv, lots.csv and cash.csv into *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "household.toml").write_text(TOML, encoding="utf-8")
    rows = list(price_rows())
    _write(folder / "prices.csv", ("date", "symbol", "close", "adjusted close", "volume"), rows)
    closes = {(row[1], row[0]): Decimal(row[2]) for row in rows}
    _write(folder / "lots.csv", ("account", "symbol", "quantity", "cost", "acquired"), lots(closes))
    _write(folder / "cash.csv", ("account", "currency", "amount"), CASH)
    return folder


def price_rows() -> Iterable[tuple[str, str, str, str, str]]:
    """Real closes from 2015 to July 2020: ETFs, bitcoin and the European Central Bank's dollar."""
    frame = pd.read_parquet(SHARED / "etf_daily.parquet")
    first, last = pd.Timestamp("2015-01-01"), pd.Timestamp("2020-07-10")
    frame["date"] = pd.to_datetime(frame["date"])
    chosen = frame[frame["ticker"].isin(ETFS) & frame["date"].between(first, last)]
    for row in chosen.itertuples():
        yield (
            f"{row.date:%Y-%m-%d}",
            str(row.ticker),
            f"{row.close:.4f}",
            f"{row.adj_close:.4f}",
            f"{row.volume:.0f}",
        )
    coins = pd.read_csv(SHARED / "crypto_daily.csv")
    coins = coins[coins["ticker"] == "BTC-USD"]
    coins = coins[coins["date"].between("2015-01-01", "2020-07-10")]
    for row in coins.itertuples():
        yield str(row.date), "BTC-USD", f"{row.close:.2f}", "", ""
    rates = pd.read_csv(SHARED / "fx_ecb_reference_daily.csv")
    rates = rates[rates["date"].between("2015-01-01", "2020-07-10")].dropna(subset=["eurusd"])
    for row in rates.itertuples():
        yield str(row.date), "EURUSD", f"{row.eurusd}", "", ""


def lots(closes: dict[tuple[str, str], Decimal]) -> list[tuple[str, ...]]:
    """Purchases at the real close of their day, in whole shares (bitcoin to four decimals)."""
    rows: list[tuple[str, ...]] = []
    for account, symbol, first, last, count, money in HOLDINGS:
        for number in range(count):
            day = first + (last - first) * number // max(1, count - 1)
            while (symbol, day.isoformat()) not in closes:
                day += dt.timedelta(days=1)
            price = closes[symbol, day.isoformat()]
            places = Decimal("0.0001") if symbol == "BTC-USD" else Decimal(1)
            quantity = (Decimal(money) / price // places) * places
            cost = (quantity * price).quantize(Decimal("0.01"))
            rows.append((account, symbol, f"{quantity:f}", f"{cost}", day.isoformat()))
    return rows


def _write(path: Path, header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
