"""Households and markets drawn from a seed: who owns what, under which rules, at which prices."""

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

import numpy as np
from tests.houses import lot

from trimtab.domain.numbers import to_cents, to_decimal
from trimtab.domain.values import Lot, Quote

FIRST_MORNING = dt.datetime(2026, 3, 9, 14, 30, tzinfo=dt.UTC)
_FIRST_PRICES = {
    "VTI": "97.31",
    "ITOT": "61.07",
    "VXUS": "33.41",
    "BND": "24.83",
    "GLD": "143.9",
    "BTC": "4137.29",
}
_DAILY_MOVES = {"VTI": 0.03, "ITOT": 0.03, "VXUS": 0.035, "BND": 0.012, "GLD": 0.02, "BTC": 0.07}
_CLASSES: tuple[dict[str, tuple[str, tuple[str, ...], str]], ...] = (
    {
        "stocks": ("0.55", ("VTI", "ITOT"), "risky"),
        "bonds": ("0.40", ("BND",), "safe"),
        "bitcoin": ("0.05", ("BTC",), "risky"),
    },
    {
        "stocks": ("0.60", ("VTI", "ITOT"), "risky"),
        "bonds": ("0.30", ("BND",), "safe"),
        "cash": ("0.10", ("USD",), "safe"),
    },
    {
        "home": ("0.40", ("VTI", "ITOT"), "risky"),
        "abroad": ("0.20", ("VXUS",), "risky"),
        "bonds": ("0.25", ("BND",), "safe"),
        "gold": ("0.15", ("GLD",), "risky"),
    },
)
_BANDS = ("swedroe-5-25", "vanguard-200-175", "betterment-like")
_SPREAD = Decimal("0.0004")


class Household(NamedTuple):
    """A household as its owner would describe it: the file, the lots and the cash."""

    toml: str
    lots: tuple[Lot, ...]
    cash: dict[str, str]


class Market:
    """Quotes of a seed: a walk between looks, a tremble at every look, splits when told.

    The tremble makes the broker see another price than the decision did, so that some orders do
    not fill at once and some do not fill at all.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.middles = {symbol: Decimal(price) for symbol, price in _FIRST_PRICES.items()}
        self.tremble = 0.001
        self._rng = rng

    def quotes(self, symbols: Iterable[str], at: dt.datetime) -> Mapping[str, Quote]:
        return {symbol: self._quote(symbol, at) for symbol in symbols}

    def move(self, part_of_a_day: float) -> None:
        """Let every price walk for *part_of_a_day*."""
        for symbol, middle in self.middles.items():
            step = _DAILY_MOVES[symbol] * part_of_a_day**0.5 * float(self._rng.standard_normal())
            self.middles[symbol] = max(Decimal(1), to_cents(middle * (1 + to_decimal(step, 5))))

    def split(self, symbol: str, numerator: int, denominator: int) -> None:
        """Quote *symbol* after its split."""
        self.middles[symbol] = to_cents(self.middles[symbol] * denominator / numerator)

    def calm(self) -> None:
        """From now on nothing trembles."""
        self.tremble = 0.0

    def _quote(self, symbol: str, at: dt.datetime) -> Quote:
        noise = self.tremble * float(self._rng.standard_normal()) if self.tremble else 0.0
        middle = self.middles[symbol] * (1 + to_decimal(noise, 6))
        half = middle * _SPREAD / 2
        return Quote(
            symbol=symbol,
            bid=(middle - half).quantize(Decimal("0.0001")),
            ask=(middle + half).quantize(Decimal("0.0001")),
            at=at,
            session=at.date(),
        )


def draw_household(rng: np.random.Generator) -> Household:
    """A household of one of many kinds."""
    classes = _CLASSES[int(rng.integers(len(_CLASSES)))]
    accounts = _draw_accounts(rng, "BTC" in {s for _, ms, _ in classes.values() for s in ms})
    symbols = [symbol for _, members, _ in classes.values() for symbol in members]
    tables = [
        '[household]\nname = "Storm"\n[owners.ann]\nrole = "self"\n[owners.bob]\nrole = "spouse"',
        *accounts.values(),
        *(_instrument(rng, symbol) for symbol in symbols if symbol != "USD"),
        *(_class(name, *rule) for name, rule in classes.items()),
        _rules(rng),
    ]
    return Household(
        toml="\n".join(tables),
        lots=tuple(_draw_lots(rng, accounts, classes)),
        cash={
            name: f"{1000 + float(rng.random()) * (0 if name == 'wallet' else 8000):.2f}"
            for name in accounts
        },
    )


def _draw_accounts(rng: np.random.Generator, has_bitcoin: bool) -> dict[str, str]:
    kinds = {"taxable": ("ann", "taxable", "400")}
    if rng.random() < 0.6:
        kinds["ira"] = ("bob", "traditional_ira", "0")
    if rng.random() < 0.3:
        kinds["joint"] = ("bob", "taxable", "0")
    if has_bitcoin:
        kinds["wallet"] = ("ann", "crypto", "0")
    return {
        name: (
            f'[accounts.{name}]\nowner = "{owner}"\nkind = "{kind}"\nbroker = "paper"\n'
            f'relief = "{_one_of(rng, "fifo", "hifo", "specific")}"\ncash_reserve = {reserve}'
        )
        for name, (owner, kind, reserve) in kinds.items()
    }


def _instrument(rng: np.random.Generator, symbol: str) -> str:
    if symbol == "BTC":
        return '[instruments.BTC]\nkind = "crypto"\nstep = 0.0001'
    return f'[instruments.{symbol}]\nkind = "etf"\nstep = {_one_of(rng, "1", "1", "0.001")}'


def _class(name: str, target: str, members: tuple[str, ...], risk: str) -> str:
    listed = ", ".join(f'"{symbol}"' for symbol in members)
    return f'[classes.{name}]\ntarget = {target}\nmembers = [{listed}]\nrisk = "{risk}"'


def _rules(rng: np.random.Generator) -> str:
    fees = (("0", "0", "5", "100"), ("0", "3", "5", "100"), ("0.5", "1", "10", "1000"))
    flat_fee, fee_bps, buffer_bps, minimum = fees[int(rng.integers(len(fees)))]
    return (
        '[tax]\nfiling_status = "married_filing_jointly"\nshort_term_rate = 0.30\n'
        "long_term_rate = 0.15\n"
        f'[bands]\npreset = "{_one_of(rng, *_BANDS)}"\n'
        f'[orders]\nunsettled = "{_one_of(rng, "use", "wait")}"\nfee_buffer_bps = {buffer_bps}\n'
        f"minimum = {minimum}\n"
        f'lot_method = "{_one_of(rng, "min_tax", "hifo", "fifo", "lifo")}"\n'
        "[gates]\nturnover_max = 1\nvolume_max = 1\n"
        f"[paper]\nfee_per_order = {flat_fee}\nfee_bps = {fee_bps}\n"
    )


def _draw_lots(
    rng: np.random.Generator,
    accounts: Mapping[str, str],
    classes: Mapping[str, tuple[str, tuple[str, ...], str]],
) -> Iterable[Lot]:
    for name, (target, members, _) in classes.items():
        for symbol in members:
            if symbol == "USD":
                continue
            homes = [home for home in accounts if (home == "wallet") == (symbol == "BTC")]
            money = float(target) * 150_000 / len(members) * float(rng.uniform(0.6, 1.5))
            for number in range(int(rng.integers(1, 6))):
                home = homes[int(rng.integers(len(homes)))]
                cost = float(_FIRST_PRICES[symbol]) * float(rng.uniform(0.6, 1.4))
                units = money / 3 / float(_FIRST_PRICES[symbol])
                quantity = f"{units:.4f}" if symbol == "BTC" else str(1 + int(units))
                day = dt.date(2026, 3, 6) - dt.timedelta(days=int(rng.integers(700)))
                yield lot(
                    home,
                    symbol,
                    quantity,
                    f"{cost * float(quantity):.2f}",
                    day.isoformat(),
                    name=f"{name}-{symbol}-{number}",
                )


def _one_of(rng: np.random.Generator, *choices: str) -> str:
    return choices[int(rng.integers(len(choices)))]
