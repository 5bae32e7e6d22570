"""An invented household in an invented market, for a first look without an account anywhere."""

import csv
import datetime as dt
import io
from collections.abc import Mapping, Sequence
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from trimtab.apps.home import Home
from trimtab.domain.errors import InputError
from trimtab.domain.household import decode_household, instruments_of
from trimtab.domain.numbers import Money, Price, Quantity, round_to_step, to_cents
from trimtab.lab.market import InventedMarket

MARKER = "This household is invented."
FILES = (
    "household.toml",
    "lots.csv",
    "cash.csv",
    "sales.csv",
    "journal.sqlite",
    "journal.sqlite-wal",
    "journal.sqlite-shm",
    "journal.sqlite.lease",
    "paper.json",
    "watch.lease",
    "pause.flag",
    "trimtab-crash.txt",
)
"""All that a demo folder may hold, and so all that making it anew may remove."""

WASH_DAYS_AGO = 12
TOTAL = Money(420_000)


class _Holding(NamedTuple):
    """A position to invent: its share of the total now, bought in equal parts at these ages."""

    account: str
    symbol: str
    part: Decimal
    ages_days: tuple[int, ...]


_QUARTERS = tuple(range(1065, 40, -91))
_HOLDINGS = (
    _Holding("joint", "VTI", Decimal("0.470"), _QUARTERS),
    _Holding("joint", "BND", Decimal("0.060"), (980, 615, 250)),
    _Holding("maya-roth", "VTI", Decimal("0.055"), (1001, 636, 271)),
    _Holding("maya-roth", "VXUS", Decimal("0.070"), (1001, 636, 271)),
    _Holding("jon-ira", "VTI", Decimal("0.025"), (1043, 678)),
    _Holding("jon-ira", "VXUS", Decimal("0.085"), (1043, 678, 313)),
    _Holding("jon-ira", "BND", Decimal("0.160"), (1043, 861, 678, 313)),
    _Holding("maya-wallet", "BTC-USD", Decimal("0.052"), (900, 540, 180)),
)
_CASH = (
    ("joint", "USD", Money("10350.00")),
    ("joint", "EUR", Money("1200.00")),
    ("maya-roth", "USD", Money("212.40")),
    ("jon-ira", "USD", Money("88.15")),
    ("maya-wallet", "USD", Money("35.00")),
)


def make_demo(folder: Path, *, seed: int, today: dt.date, replace: bool) -> Home:
    """Write the invented household into *folder*, with three years of lots up to *today*.

    Two adults, a taxable account, two retirement accounts and a wallet; prices and purchases come
    from *seed*. A loss taken twelve days ago has a wash-sale window open. With *replace* a demo
    that is there already is begun anew.

    Raises:
        InputError: the folder holds something else, or a demo and *replace* is false.
    """
    _make_room(folder, replace=replace)
    template = resources.files("trimtab.apps") / "templates" / "demo.toml"
    text = (
        template.read_text(encoding="utf-8")
        .replace("{seed}", str(seed))
        .replace("{start}", today.isoformat())
    )
    file = decode_household(text, "demo.toml")
    market = InventedMarket(seed, today, instruments_of(file))
    steps = {symbol: known.step for symbol, known in instruments_of(file).items()}
    _write(folder / "household.toml", text)
    _write_rows(
        folder / "lots.csv",
        ("account", "symbol", "quantity", "cost", "acquired"),
        [row for holding in _HOLDINGS for row in _lots(holding, market, steps, today)],
    )
    _write_rows(
        folder / "cash.csv",
        ("account", "currency", "amount"),
        [(account, currency, f"{amount}") for account, currency, amount in _CASH],
    )
    _write_rows(
        folder / "sales.csv",
        ("account", "symbol", "quantity", "proceeds", "cost", "acquired", "sold"),
        [_loss_sale(market, today)],
    )
    return Home(folder)


def _make_room(folder: Path, *, replace: bool) -> None:
    if folder.exists() and not folder.is_dir():
        msg = f"{folder} is a file: name a folder for the demo with --into."
        raise InputError(msg)
    present = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    if present:
        rules = folder / "household.toml"
        is_demo = rules.is_file() and MARKER in rules.read_text(encoding="utf-8", errors="replace")
        strange = [name for name in present if name not in FILES]
        if not is_demo or strange or not replace:
            what = f"{folder} holds {', '.join(strange or present)}"
            msg = f"{what}: name an empty or a new folder for the demo with --into."
            raise InputError(msg)
        for name in FILES:
            (folder / name).unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)


def _lots(
    holding: _Holding, market: InventedMarket, steps: Mapping[str, Quantity], today: dt.date
) -> list[tuple[str, ...]]:
    """Purchases that are worth the holding's part of the total at today's close."""
    price = market.close(holding.symbol, today - dt.timedelta(days=1))
    wanted = TOTAL * holding.part / price
    rows: list[tuple[str, ...]] = []
    left = round_to_step(wanted, steps[holding.symbol])
    for number, age in enumerate(holding.ages_days):
        day = _weekday(today - dt.timedelta(days=age))
        part = round_to_step(left / (len(holding.ages_days) - number), steps[holding.symbol])
        left -= part
        cost = to_cents(part * market.close(holding.symbol, day))
        rows.append((holding.account, holding.symbol, f"{part:f}", f"{cost}", day.isoformat()))
    return rows


def _loss_sale(market: InventedMarket, today: dt.date) -> tuple[str, ...]:
    """VXUS sold twelve days ago in the taxable account, eight percent under what it had cost."""
    sold, acquired = (
        _weekday(today - dt.timedelta(days=days)) for days in (WASH_DAYS_AGO, WASH_DAYS_AGO + 200)
    )
    price: Price = market.close("VXUS", sold)
    proceeds = to_cents(price * 120)
    cost = to_cents(proceeds / Decimal("0.92"))
    dates = (acquired.isoformat(), sold.isoformat())
    return ("joint", "VXUS", "120", f"{proceeds}", f"{cost}", *dates)


def _weekday(day: dt.date) -> dt.date:
    """*day*, or the Friday before a weekend."""
    return day - dt.timedelta(days=max(0, day.weekday() - 4))


def _write_rows(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    _write(path, text.getvalue())


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
