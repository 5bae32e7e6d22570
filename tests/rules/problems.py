"""Small household planning problems by chance, of realistic size: arrays, from a seed.

Every rule that a planner must keep is met by some of them; `test_plan_oracle` counts them.
"""

from math import exp, log

import numpy as np
from msgspec import Struct, field

from trimtab.rules.plan.problem import (
    Classes,
    Floats,
    Groups,
    Lots,
    Options,
    Places,
    Problem,
    YearTax,
)

Chance = np.random.Generator
_OF_WHOLE_PLACES = 0.6
"""So many places have a lot for all that is held there; elsewhere some of it may not be sold."""


def linear(short_rate: float, long_rate: float) -> YearTax:
    """A tax with constant rates."""
    return YearTax(branches=(np.array([[0.0, short_rate, long_rate]]),))


def netting(
    short_rate: float, long_rate: float, so_far: tuple[float, float], limit: float, later: float
) -> YearTax:
    """The tax of a year in which *so_far*, short and long gains, came before (26 USC 1222, 1211).

    A net loss saves the short rate up to *limit* dollars, and *later* for each dollar beyond.
    """
    short, _ = so_far
    net = sum(so_far)
    beyond = short_rate - long_rate
    with_gain = np.array(
        [
            [0.0, 0.0, 0.0],
            [long_rate * net, long_rate, long_rate],
            [long_rate * net + beyond * short, short_rate, long_rate],
            [beyond * short, beyond, 0.0],
        ]
    )
    with_loss = np.array(
        [
            [short_rate * net, short_rate, short_rate],
            [later * net - (short_rate - later) * limit, later, later],
        ]
    )
    return YearTax(branches=(with_gain, with_loss))


class _Home(Struct, kw_only=True):
    """What the draws share: who holds what, where."""

    rng: Chance
    value: float
    is_taxed: list[bool]
    of_class: list[int]
    twin: list[int]
    symbol_group: list[int]
    half_spread: list[float]
    drag: Floats
    is_level: bool
    places: list[tuple[int, int]] = field(default_factory=list)

    def cost(self, place: int, sign: float) -> float:
        """Per dollar: half the spread, and the drag that a sale ends (-1) or a purchase starts."""
        symbol, account = self.places[place]
        drag = self.drag[account, self.of_class[self.symbol_group[symbol]]]
        jitter = 0.0 if self.is_level else 1e-4 * self.rng.random()
        return float(self.half_spread[symbol] + sign * drag + jitter)


def problem(seed: int, *, most_lots: int = 12, most_accounts: int = 3) -> Problem:
    """The household problem of *seed*; the same seed gives the same problem on any machine.

    Odd seeds leave ties between accounts and lots, even ones give each trade a cost of its own.
    """
    rng = np.random.default_rng(seed)
    home = _home(rng, most_accounts=most_accounts, is_level=bool(seed % 2))
    lots = _lots(home, int(rng.integers(0, most_lots + 1)))
    options = _options(home)
    cash = home.value * rng.choice([0.0, 0.01, 0.05, 0.2]) * rng.random(len(home.is_taxed))
    if rng.random() < 0.3:
        cash[rng.integers(len(cash))] = -home.value * rng.choice([0.003, 0.02, 0.1]) * rng.random()
    groups = np.array([home.symbol_group[symbol] for symbol, _ in home.places], dtype=np.int64)
    of_class = np.array(home.of_class)
    held = np.zeros(of_class.max() + 1)
    np.add.at(held, of_class[groups[lots.place]], lots.value)
    kept = home.value * rng.choice([0.001, 0.01]) * rng.random() - np.minimum(cash, 0.0).sum()
    drift = rng.choice([0.02, 0.1, 0.5, 1.0]) / 2
    in_total = rng.random(len(cash)) < 0.85
    classes = _classes(rng, held, float(cash[in_total].sum()), drift)
    return Problem(
        cash=cash,
        in_total=in_total,
        in_cash=classes[1],
        classes=classes[0],
        groups=Groups(of_class=of_class, twin=np.array(home.twin)),
        places=Places(
            account=np.array([account for _, account in home.places], dtype=np.int64),
            symbol=np.array([symbol for symbol, _ in home.places], dtype=np.int64),
            group=groups,
            is_ordered=rng.random(len(groups)) < rng.choice([0.0, 0.4, 1.0]),
            sell_least=np.full(len(groups), home.value * rng.choice([0.0, 0.0, 0.002, 0.05])),
            is_all=np.random.default_rng([seed, 1]).random(len(groups)) < _OF_WHOLE_PLACES,
        ),
        lots=lots,
        options=options,
        year=_year(rng, home.value),
        value=float(held.sum() + kept + cash.sum()),
        order_cost=float(rng.choice([0.0, 0.0, 0.0, 1.0, 10.0])),
        turnover_most=float("inf")
        if rng.random() < 0.75
        else float(home.value * rng.choice([0.02, 0.1, 0.3])),
    )


def _home(rng: Chance, *, most_accounts: int, is_level: bool) -> _Home:
    accounts = int(rng.integers(1, most_accounts + 1))
    of_class = [c for c in range(rng.integers(1, 5)) for _ in range(rng.integers(1, 4))]
    twin = list(range(len(of_class)))
    if len(twin) > 1 and rng.random() < 0.2:
        first, second = rng.choice(len(twin), 2, replace=False)
        twin[second] = twin[first]
    symbol_group = list(range(len(of_class)))
    if rng.random() < 0.25:
        symbol_group.append(int(rng.integers(len(of_class))))
    has_drag = rng.random() < 0.4
    drag = rng.random((accounts, max(of_class) + 1)) * 0.02 * has_drag
    spread = 10 ** rng.uniform(-4.0, -2.3, len(symbol_group))
    return _Home(
        rng=rng,
        value=exp(rng.uniform(log(1e4), log(1e6))),
        is_taxed=list(rng.random(accounts) < 0.7),
        of_class=of_class,
        twin=twin,
        symbol_group=symbol_group,
        half_spread=list(spread / 2),
        drag=np.round(drag, 3) if is_level else drag,
        is_level=is_level,
    )


def _lots(home: _Home, count: int) -> Lots:
    """Lots of a few places; one in seven losses is out of the reach of section 1091."""
    rng = home.rng
    drawn = sorted(
        (int(rng.integers(len(home.is_taxed))), int(rng.integers(len(home.symbol_group))))
        for _ in range(count)
    )
    home.places = [(symbol, account) for account, symbol in sorted(set(drawn))]
    place = np.array([home.places.index((s, a)) for a, s in drawn], dtype=np.int64)
    is_taxed = np.array([home.is_taxed[account] for account, _ in drawn], dtype=bool)
    value = home.value * rng.dirichlet(np.full(count, 0.8)) if count else np.zeros(0)
    gain = np.where(rng.random(count) < 0.5, rng.uniform(-0.6, 0.0, count), 0.0)
    gain = np.where(gain == 0.0, rng.uniform(-0.05, 0.9, count), gain)
    later = rng.choice([0.0, 0.05, 0.12])
    is_recent = rng.random(count) < rng.choice([0.0, 0.1, 0.4])
    is_loss = is_taxed & (gain < 0) & (rng.random(count) < 0.86)
    cost = np.array([home.cost(p, -1.0) for p in place], dtype=np.float64)
    spread = np.array([home.half_spread[symbol] for _, symbol in drawn], dtype=np.float64)
    return Lots(
        place=place,
        value=value,
        gain=gain,
        is_long=~is_recent & (rng.random(count) < 0.7),
        is_taxed=is_taxed,
        is_loss=is_loss,
        is_recent=is_recent,
        goes_alone=is_recent & is_loss & (rng.random(count) < 0.5),
        cost=cost,
        extra=np.where(is_taxed & (gain < 0), -gain * later, 0.0),
        cash=1.0 - spread,
    )


def _options(home: _Home) -> Options:
    rng = home.rng
    part = rng.choice([0.3, 0.7, 1.0])
    chosen = []
    for symbol in range(len(home.symbol_group)):
        for account in range(len(home.is_taxed)):
            if rng.random() > part:
                continue
            if (symbol, account) not in home.places:
                home.places.append((symbol, account))
            chosen.append((home.places.index((symbol, account)), symbol))
    symbols = np.array([symbol for _, symbol in chosen], dtype=np.int64)
    drawn = rng.random(len(home.symbol_group))
    most = np.where(
        drawn < 0.3,
        home.value * rng.random(len(home.symbol_group)) * 0.3,
        home.value * rng.choice([2.0, np.inf]),
    )
    most = np.where(drawn < 0.1, -home.value * drawn, most)  # more is held than may be
    return Options(
        place=np.array([place for place, _ in chosen], dtype=np.int64),
        cost=np.array([home.cost(place, 1.0) for place, _ in chosen], dtype=np.float64),
        cash=np.array([1.0 + home.half_spread[s] for _, s in chosen], dtype=np.float64),
        least=np.full(len(chosen), home.value * rng.choice([0.0, 0.0, 0.002, 0.05])),
        most=most[symbols],
    )


def _classes(rng: Chance, held: Floats, in_cash: float, weight: float) -> tuple[Classes, Classes]:
    """Targets that are near in a third of the households, far in the others; cash is the last."""
    count = len(held)
    total = max(held.sum() + in_cash, held.sum())
    part = rng.choice([0.0, 0.02, 0.1]) * rng.random()
    wish = np.append(rng.dirichlet(np.full(count, 2.0)) * (1 - part), part)
    near = rng.choice([0.05, 0.3, 1.0])
    goal = near * wish * total + (1 - near) * np.append(held, in_cash)
    tolerance = np.full(count + 1, total * rng.choice([0.0, 0.0, 0.01, 0.03]))
    weights = np.full(count + 1, weight)
    weights[-1] *= rng.choice([0.0, 0.5, 1.0])
    held = np.append(held, in_cash)
    return (
        Classes(held=held[:-1], goal=goal[:-1], tolerance=tolerance[:-1], weight=weights[:-1]),
        Classes(held=held[-1:], goal=goal[-1:], tolerance=tolerance[-1:], weight=weights[-1:]),
    )


def _year(rng: Chance, value: float) -> YearTax:
    short_rate = rng.choice([0.24, 0.37, 0.408])
    long_rate = rng.choice([0.0, 0.15, 0.238])
    if rng.random() < 0.4:
        return linear(short_rate, long_rate)
    so_far = value * rng.choice([0.0, 0.01, 0.1]) * rng.uniform(-1.0, 1.0, 2)
    later = rng.choice([0.0, 0.5, 0.9]) * long_rate
    return netting(short_rate, long_rate, (so_far[0], so_far[1]), 3000.0, later)
