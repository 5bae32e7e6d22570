"""From a planner case to the planner's arrays, and from its amounts to trades that can be done.

The objective of `problem_of` is the neutral scorer's own, dollar by dollar; washed losses alone are
forbidden where the scorer prices them. What was sold at a loss within the window is not bought,
losses go only with all units of their group that were bought lately, and where those may not be
sold, they stay. The best known answers keep the same rules.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
from msgspec import Struct

from trimtab.domain.numbers import ZERO, Money, Price, Quantity, round_to_step, to_decimal
from trimtab.rules.plan.problem import (
    Classes,
    Groups,
    Lots,
    Options,
    Places,
    Problem,
    Solution,
    YearTax,
)
from trimtab.rules.plan.solve import solve

Case = Mapping[str, Any]
OUTSIDE = "outside "


class Names(Struct, frozen=True, kw_only=True):
    """What the rows of the arrays are: class names, (group, class), symbols and the case's lots."""

    classes: Sequence[str]
    groups: Sequence[tuple[str, str]]
    places: Sequence[str]
    lots: Sequence[Mapping[str, Any]]
    options: Sequence[str]


def problem_of(case: Case, drift_price: float) -> Problem:
    """The case as arrays, with a dollar of drift at half of *drift_price* on either side."""
    names, prices = names_of(case), _prices(case)
    cash = case["account"]["cash"] - case["account"].get("withdrawal", 0.0)
    value = cash + sum(lot["qty"] * prices[lot["symbol"]] for lot in case["lots"])
    places = {symbol: number for number, symbol in enumerate(names.places)}
    least = case["rules"].get("min_trade", 0.0)
    spread = {one["symbol"]: one["spread"] for one in case["securities"]}
    return Problem(
        cash=np.array([cash]),
        in_total=np.ones(1, dtype=np.bool_),
        in_cash=_all_alike([cash], [case["cash_target"] * value], drift_price),
        classes=_classes(case, names, value, drift_price),
        groups=_groups(case, names),
        places=Places(
            account=np.zeros(len(places), dtype=np.int64),
            symbol=np.arange(len(places)),
            group=np.array(
                [names.groups.index(_group_row(case, symbol)) for symbol in places],
                dtype=np.int64,
            ),
            is_ordered=np.zeros(len(places), dtype=np.bool_),
            sell_least=np.full(len(places), least),
            is_all=_whole_places(case, list(places)),
        ),
        lots=_lots(case, names),
        options=Options(
            place=np.array([places[symbol] for symbol in names.options], dtype=np.int64),
            cost=np.array([spread[symbol] for symbol in names.options]),
            cash=np.ones(len(names.options)),
            least=np.full(len(names.options), least),
            most=np.full(len(names.options), np.inf),
        ),
        year=YearTax(branches=(np.array([[0.0, *_rates(case)]]),)),
        value=value,
    )


def names_of(case: Case) -> Names:
    """What each row stands for; the order is by symbol, then date of purchase, then name."""
    lots = sorted(_salable(case), key=lambda lot: (lot["symbol"], lot["acquired"], lot["id"]))
    members = {symbol for one in case["classes"] for symbol in one["members"]}
    held = {lot["symbol"] for lot in case["lots"]}
    locked = _locked(case)
    options = sorted(
        symbol
        for symbol in members - set(case["restrictions"]["no_buy"])
        if _group(case, symbol) not in locked
    )
    places = sorted({lot["symbol"] for lot in lots} | set(options))
    return Names(
        classes=[
            *(one["name"] for one in case["classes"]),
            *(OUTSIDE + symbol for symbol in sorted(held - members)),
        ],
        groups=sorted({_group_row(case, symbol) for symbol in places}),
        places=places,
        lots=lots,
        options=options,
    )


def trades_of(case: Case, drift_price: float) -> list[dict[str, Any]]:
    """What the planner would do about the case, in the scorer's form."""
    return rounded(case, solve(problem_of(case, drift_price)))


def rounded(case: Case, solution: Solution) -> list[dict[str, Any]]:
    """The amounts as quantities: no lot oversold, no cent overdrawn, no trade below the least.

    Sales are rounded down, but for a lot that is within half a step of all of it; purchases go to
    the nearest step, and the largest gives way where cash would be short. Where nothing is bought
    any more, a lot that goes in part goes by a step more.
    """
    return _Rounding(case, solution).trades()


def amounts_of(case: Case, trades: Sequence[Mapping[str, Any]]) -> tuple[np.ndarray, np.ndarray]:
    """The dollars of each lot and option that *trades* sell and buy."""
    names, prices = names_of(case), _prices(case)
    rows = {lot["id"]: number for number, lot in enumerate(names.lots)}
    sold, bought = np.zeros(len(names.lots)), np.zeros(len(names.options))
    for trade in trades:
        dollars = trade["qty"] * prices[trade["symbol"]]
        if trade["side"] == "sell":
            sold[rows[trade["lot"]]] += dollars
        else:
            bought[names.options.index(trade["symbol"])] += dollars
    return sold, bought


# ------------------------------------------------------------------ the arrays


def _classes(case: Case, names: Names, value: float, drift_price: float) -> Classes:
    dollars = _held(case)
    targets = {one["name"]: one["target"] for one in case["classes"]}
    members = {one["name"]: one["members"] for one in case["classes"]}
    return _all_alike(
        [
            sum(dollars.get(one, 0.0) for one in members.get(name, [name.removeprefix(OUTSIDE)]))
            for name in names.classes
        ],
        [targets.get(name, 0.0) * value for name in names.classes],
        drift_price,
    )


def _all_alike(held: list[float], goal: list[float], drift_price: float) -> Classes:
    return Classes(
        held=np.array(held),
        goal=np.array(goal),
        tolerance=np.zeros(len(held)),
        weight=np.full(len(held), drift_price / 2),
    )


def _groups(case: Case, names: Names) -> Groups:
    twins = sorted({name for name, _ in names.groups})
    return Groups(
        of_class=np.array([names.classes.index(one) for _, one in names.groups], dtype=np.int64),
        twin=np.array([twins.index(name) for name, _ in names.groups], dtype=np.int64),
    )


def _whole_places(case: Case, symbols: Sequence[str]) -> np.ndarray:
    """Whether all that is held of each of *symbols* may go."""
    may_go = {lot["id"] for lot in _salable(case)}
    kept = {lot["symbol"] for lot in case["lots"] if lot["id"] not in may_go}
    return np.array([symbol not in kept for symbol in symbols], dtype=np.bool_)


def _lots(case: Case, names: Names) -> Lots:
    prices = _prices(case)
    spread = {one["symbol"]: one["spread"] for one in case["securities"]}
    price = np.array([prices[lot["symbol"]] for lot in names.lots])
    gain = 1 - np.array([lot["unit_cost"] for lot in names.lots]) / price
    return Lots(
        place=np.array([names.places.index(lot["symbol"]) for lot in names.lots], dtype=np.int64),
        value=np.array([lot["qty"] for lot in names.lots]) * price,
        gain=gain,
        is_long=np.array(
            [_is_long(lot["acquired"], case["date"]) for lot in names.lots], dtype=np.bool_
        ),
        is_taxed=np.ones(len(price), dtype=np.bool_),
        is_loss=gain < 0,
        is_recent=np.array([_is_recent(case, lot) for lot in names.lots], dtype=np.bool_),
        # The best known answers sell an only purchase at a loss whole too, and so do these.
        goes_alone=np.zeros(len(price), dtype=np.bool_),
        cost=np.array([spread[lot["symbol"]] for lot in names.lots]),
        extra=np.zeros(len(price)),
        cash=np.ones(len(price)),
    )


def _salable(case: Case) -> list[Mapping[str, Any]]:
    """Lots that may go: their symbol is on no list, they come to a trade, and wash nothing."""
    least, prices, dollars = case["rules"].get("min_trade", 0.0), _prices(case), _held(case)
    stays = {symbol for symbol, value in dollars.items() if value < least}
    stays |= set(case["restrictions"]["no_sell"])
    replaced = {
        _group(case, lot["symbol"])
        for lot in case["lots"]
        if lot["symbol"] in stays and _is_recent(case, lot)
    }
    return [
        lot
        for lot in case["lots"]
        if lot["symbol"] not in stays
        and (
            lot["unit_cost"] <= prices[lot["symbol"]] or _group(case, lot["symbol"]) not in replaced
        )
    ]


def _locked(case: Case) -> set[str]:
    """Groups of which something was sold at a loss within the window."""
    today, window = dt.date.fromisoformat(case["date"]), _window(case)
    return {
        _group(case, sale["symbol"])
        for sale in case["closed_lots"]
        if sale["proceeds"] < sale["cost"]
        and 0 <= (today - dt.date.fromisoformat(sale["sold"])).days <= window
    }


def _held(case: Case) -> dict[str, float]:
    """Dollars of each symbol."""
    dollars: dict[str, float] = {}
    prices = _prices(case)
    for lot in case["lots"]:
        symbol = lot["symbol"]
        dollars[symbol] = dollars.get(symbol, 0.0) + lot["qty"] * prices[symbol]
    return dollars


def _group(case: Case, symbol: str) -> str:
    named = (one.get("identical_group") for one in case["securities"] if one["symbol"] == symbol)
    return next(named, None) or symbol


def _group_row(case: Case, symbol: str) -> tuple[str, str]:
    homes = (one["name"] for one in case["classes"] if symbol in one["members"])
    return _group(case, symbol), next(homes, OUTSIDE + symbol)


def _prices(case: Case) -> dict[str, float]:
    return {one["symbol"]: one["price"] for one in case["securities"]}


def _rates(case: Case) -> tuple[float, float]:
    return case["tax"]["short_term"], case["tax"]["long_term"]


def _is_long(acquired: str, sold: str) -> bool:
    bought = dt.date.fromisoformat(acquired)
    leap = (bought.month, bought.day) == (2, 29)
    anniversary = bought.replace(year=bought.year + 1, day=28 if leap else bought.day)
    return dt.date.fromisoformat(sold) > anniversary


def _is_recent(case: Case, lot: Mapping[str, Any]) -> bool:
    age = dt.date.fromisoformat(case["date"]) - dt.date.fromisoformat(lot["acquired"])
    return 0 <= age.days <= _window(case)


def _window(case: Case) -> int:
    days: int = case["rules"].get("wash_window_days", 30)
    return days


# ------------------------------------------------------------------ whole steps


class _Rounding:
    """The amounts of one solution on their way to whole steps, counted in Decimals."""

    def __init__(self, case: Case, solution: Solution) -> None:
        self.step = Decimal(1).scaleb(-case["rules"].get("qty_decimals", 4))
        self.least = _exact(case["rules"].get("min_trade", 0.0))
        self.names = names_of(case)
        self.prices = {symbol: _exact(price) for symbol, price in _prices(case).items()}
        account = case["account"]
        self.cash = _exact(account["cash"]) - _exact(account.get("withdrawal", 0.0))
        self.sold = [
            self._sale(_exact(lot["qty"]), self.prices[lot["symbol"]], float(dollars))
            for lot, dollars in zip(self.names.lots, solution.sold, strict=True)
        ]
        self.goes = solution.sold > 0
        self.bought = {
            symbol: self._nearest(float(dollars), self.prices[symbol])
            for symbol, dollars in zip(self.names.options, solution.bought, strict=True)
        }

    def trades(self) -> list[dict[str, Any]]:
        """Sales first, then purchases, each in the order of the arrays."""
        self._keep_least()
        self._keep_cash()
        sales = [
            {"side": "sell", "symbol": lot["symbol"], "lot": lot["id"], "qty": float(quantity)}
            for lot, quantity in zip(self.names.lots, self.sold, strict=True)
            if quantity
        ]
        return sales + [
            {"side": "buy", "symbol": symbol, "qty": float(quantity)}
            for symbol, quantity in self.bought.items()
            if quantity
        ]

    def _sale(self, has: Quantity, price: Price, dollars: float) -> Quantity:
        wanted = to_decimal(dollars) / price
        return has if has - wanted <= self.step / 2 else round_to_step(wanted, self.step)

    def _nearest(self, dollars: float, price: Price) -> Quantity:
        steps = to_decimal(dollars) / price / self.step
        return steps.to_integral_value(rounding=ROUND_HALF_UP) * self.step

    def _keep_least(self) -> None:
        """A trade that rounding brought below the least is raised by a step, or left."""
        for symbol, quantity in self.bought.items():
            if 0 < quantity * self.prices[symbol] < self.least:
                self.bought[symbol] = quantity + self.step
                if self.bought[symbol] * self.prices[symbol] < self.least:
                    self.bought[symbol] = ZERO
        for symbol in self.names.places:
            while 0 < self._sold_of(symbol) < self.least:
                if not self._sell_more(symbol):
                    self._leave(symbol)

    def _keep_cash(self) -> None:
        while (left := self._cash_left()) < 0:
            open_ones = [symbol for symbol, quantity in self.bought.items() if quantity]
            if open_ones:
                symbol = max(open_ones, key=lambda one: (self.bought[one] * self.prices[one], one))
                steps = (-left / self.prices[symbol] / self.step).__ceil__()
                less = max(ZERO, self.bought[symbol] - steps * self.step)
                is_enough = less * self.prices[symbol] >= self.least
                self.bought[symbol] = less if is_enough else ZERO
            elif not any(self._raise(symbol) for symbol in self.names.places):
                return

    def _raise(self, symbol: str) -> bool:
        """Sell a step more of *symbol*, or as many as the least trade takes."""
        is_more = self._sell_more(symbol)
        while is_more and self._sold_of(symbol) < self.least and self._sell_more(symbol):
            pass
        return is_more

    def _sell_more(self, symbol: str) -> bool:
        """One step more of the first lot of *symbol* that is to go and has one left."""
        for number, lot in enumerate(self.names.lots):
            has = _exact(lot["qty"])
            if lot["symbol"] == symbol and self.goes[number] and self.sold[number] < has:
                self.sold[number] = min(has, self.sold[number] + self.step)
                return True
        return False

    def _leave(self, symbol: str) -> None:
        for number, lot in enumerate(self.names.lots):
            if lot["symbol"] == symbol:
                self.sold[number] = ZERO

    def _sold_of(self, symbol: str) -> Money:
        pairs = zip(self.names.lots, self.sold, strict=True)
        units = sum((quantity for lot, quantity in pairs if lot["symbol"] == symbol), ZERO)
        return units * self.prices[symbol]

    def _cash_left(self) -> Money:
        sales = sum((self._sold_of(symbol) for symbol in self.names.places), ZERO)
        spent = (quantity * self.prices[symbol] for symbol, quantity in self.bought.items())
        return self.cash + sales - sum(spent, ZERO)


def _exact(number: float) -> Decimal:
    return Decimal(repr(number))
