"""What regular buying comes to: a fixed amount each time, a path to keep to, or all at once.

Dollar-cost averaging puts in the same money each time; value averaging puts in what brings the
value back to a path (Edleson 1993, 2006). The money that value averaging does not need waits in a
side fund, and a strategy is judged by what is left at the end with that fund included. The rate of
return on the flows (IRR) flatters value averaging: it puts more in after falls, so that its bad
periods weigh less, without any gain in expected wealth (Hayley 2010, 2013). Nothing here gives it.
"""

import math
from collections.abc import Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP

from msgspec import Struct

from trimtab.domain.errors import InputError
from trimtab.domain.numbers import CENT, ONE, ZERO, Money, Price, Quantity, Weight
from trimtab.rules.words import money


class Limits(Struct, frozen=True, kw_only=True):
    """How far value averaging may go to reach its path.

    Unless it `sells`, it puts in nothing while the value is above the path. `caps` are the most
    that one period may take, one for each period; None, for figures only, takes whatever is needed.
    What a cap withholds is asked for again as long as the path stands (`carries_forward`); else the
    path goes on without it and without the `growth` a period that it was to have. Amounts are
    rounded to `grain`; None leaves them as they are.
    """

    sells: bool = False
    caps: tuple[Money, ...] | None
    carries_forward: bool = True
    growth: Weight = ZERO
    grain: Money | None = CENT


class SideFund(Struct, frozen=True, kw_only=True):
    """The money beside the investment: it pays for purchases, and takes what sales bring.

    `start` is there before the first period, `paid_in` comes at the beginning of each, and what
    waits from one period to the next grows by `growth`.
    """

    start: Money = ZERO
    paid_in: tuple[Money, ...]
    growth: Weight = ZERO


class Step(Struct, frozen=True, kw_only=True):
    """What is put in at one date (out: negative), and what was wanted beyond it."""

    amount: Money
    withheld: Money = ZERO


class Course(Struct, frozen=True, kw_only=True):
    """What was put in at each date, and what was held right after it.

    A negative contribution is a sale. `side_fund` is empty where none was kept: then the money came
    from wherever it was.
    """

    prices: tuple[Price, ...]
    contributions: tuple[Money, ...]
    units: tuple[Quantity, ...]
    withheld: tuple[Money, ...]
    side_fund: tuple[Money, ...] = ()

    @property
    def invested(self) -> Money:
        """What was put in less what was taken out."""
        return sum(self.contributions, ZERO)

    @property
    def value(self) -> Money:
        """What the units are worth at the last price."""
        return self.units[-1] * self.prices[-1]

    @property
    def profit(self) -> Money:
        """The value at the last price less what was put in."""
        return self.value - self.invested

    @property
    def wealth(self) -> Money:
        """What there is at the end: the value and the side fund."""
        return self.value + (self.side_fund[-1] if self.side_fund else ZERO)

    @property
    def contribution_max(self) -> Money:
        """The largest single amount that was put in."""
        return max(self.contributions)

    @property
    def average_cost(self) -> Price | None:
        """Money put in for one unit held; None where none is held."""
        return self.invested / self.units[-1] if self.units[-1] else None


class Comparison(Struct, frozen=True, kw_only=True):
    """Three ways to invest the same money, as it came in, at the same prices."""

    lump: Course
    dollar_cost: Course
    value: Course

    def sentence(self, currency: str = "USD") -> str:
        """What each is worth at the end, the side fund included, and what the path once asked."""
        return (
            f"At the end, with what waits in the side fund: {money(self.lump.wealth, currency)} "
            f"invested at once, {money(self.dollar_cost.wealth, currency)} in equal parts, "
            f"{money(self.value.wealth, currency)} along the value path, whose largest single "
            f"contribution was {money(self.value.contribution_max, currency)}."
        )


class Moments(Struct, frozen=True, kw_only=True):
    """Means and standard deviations of final wealth, in money."""

    dollar_cost_mean: float
    dollar_cost_deviation: float
    lump_mean: float
    lump_deviation: float


def edleson_growth(expected_return: Weight, growth: Weight) -> Weight:
    """The rate R = (r + g) / 2 of Edleson's path: see `path_edleson`."""
    return (expected_return + growth) / 2


def path_edleson(
    amount: Money, expected_return: Weight, growth: Weight, periods: int
) -> tuple[Money, ...]:
    """The value path `V_t = C t (1 + R)^t` with `R = (r + g) / 2`, t from 1; money, not rounded.

    *expected_return* and *growth* (of the contribution) are per period. Edleson's approximation of
    `path_exact`; its first goal already holds one period of growth.

    Source: Edleson, Value Averaging (1993, 2006), chapter 5.

    Examples:
        >>> from decimal import Decimal as D
        >>> [str(goal) for goal in path_edleson(D(500), D("0.008"), D(0), 2)]
        ['502.000', '1008.016000']
    """
    _require_rates(expected_return, growth)
    rate = ONE + edleson_growth(expected_return, growth)
    return tuple(amount * number * rate**number for number in range(1, periods + 1))


def path_exact(
    amount: Money, expected_return: Weight, growth: Weight, periods: int
) -> tuple[Money, ...]:
    """The value path `V_t = V_(t-1) (1 + r) + C (1 + g)^(t-1)` from nothing; money, not rounded.

    A growing annuity: what contributions that grow by *growth* come to if each period returns
    *expected_return*.

    Examples:
        >>> from decimal import Decimal as D
        >>> [f"{goal:.2f}" for goal in path_exact(D(1000), D("0.01"), D(0), 3)]
        ['1000.00', '2010.00', '3030.10']
    """
    _require_rates(expected_return, growth)
    goals: list[Money] = []
    before = ZERO
    for number in range(periods):
        before = before * (ONE + expected_return) + amount * (ONE + growth) ** number
        goals.append(before)
    return tuple(goals)


def split_lump(amount: Money, parts: int) -> tuple[Money, ...]:
    """*amount* in so many parts that differ by a cent at most, the larger ones first.

    Examples:
        >>> from decimal import Decimal as D
        >>> [str(part) for part in split_lump(D(100), 3)]
        ['33.34', '33.33', '33.33']
    """
    if parts < 1:
        raise InputError(f"a sum is divided into {parts} parts: give 1 or more")
    least = (amount / parts).quantize(CENT, rounding=ROUND_DOWN)
    cents, rest = divmod(amount - least * parts, CENT)
    larger = [least + CENT if number < cents else least for number in range(parts)]
    return (larger[0] + rest, *larger[1:])


def next_step(
    goal: Money,
    value: Money,
    limits: Limits,
    *,
    cap: Money | None = None,
    available: Money | None = None,
) -> Step:
    """What value averaging puts in to bring *value* to *goal*, both in money.

    No more than *cap* and than what is *available*, where they are given; neither bounds a sale.
    """
    wanted = _rounded(goal - value, limits.grain)
    if wanted <= 0:
        return Step(amount=wanted if limits.sells else ZERO)
    bounds = [max(ZERO, bound) for bound in (cap, available) if bound is not None]
    amount = min(wanted, *bounds) if bounds else wanted
    return Step(amount=amount, withheld=wanted - amount)


def value_averaging(
    goals: Sequence[Money],
    prices: Sequence[Price],
    limits: Limits,
    side_fund: SideFund | None = None,
) -> Course:
    """Value averaging along *goals* at *prices*, one of each for a period.

    Uncapped and with selling allowed, the value is the goal to the cent at each date, so that the
    units held are `goal / price`. With a *side_fund*, purchases take no more than it holds: a
    household does not borrow for them.

    Raises:
        InputError: the lengths differ, or a price is not positive.
    """
    _require_prices(prices, len(goals), "goals")
    if limits.caps is not None:
        _require_prices(prices, len(limits.caps), "caps")
    purse = _Purse(side_fund, len(prices), limits.grain)
    held, forgone = ZERO, ZERO
    steps, units = [], []
    for number, (goal, price) in enumerate(zip(goals, prices, strict=True)):
        forgone = _rounded(forgone * (ONE + limits.growth), limits.grain)
        step = next_step(
            goal - forgone,
            held * price,
            limits,
            cap=None if limits.caps is None else limits.caps[number],
            available=purse.before(number),
        )
        if not limits.carries_forward:
            forgone += step.withheld
        purse.pay(step.amount)
        held += step.amount / price
        steps.append(step)
        units.append(held)
    return Course(
        prices=tuple(prices),
        contributions=tuple(step.amount for step in steps),
        units=tuple(units),
        withheld=tuple(step.withheld for step in steps),
        side_fund=tuple(purse.course),
    )


def dollar_cost_averaging(
    amounts: Sequence[Money], prices: Sequence[Price], side_fund: SideFund | None = None
) -> Course:
    """Each of *amounts* put in at its price; with equal ones, a unit costs the harmonic mean.

    With a *side_fund*, no more than it holds is put in.

    Raises:
        InputError: the lengths differ, or a price is not positive.
    """
    _require_prices(prices, len(amounts), "amounts")
    purse = _Purse(side_fund, len(prices), CENT)
    held = ZERO
    put_in, units = [], []
    for number, (wanted, price) in enumerate(zip(amounts, prices, strict=True)):
        available = purse.before(number)
        amount = wanted if available is None else min(wanted, max(ZERO, available))
        purse.pay(amount)
        held += amount / price
        put_in.append(amount)
        units.append(held)
    return Course(
        prices=tuple(prices),
        contributions=tuple(put_in),
        units=tuple(units),
        withheld=tuple(want - amount for want, amount in zip(amounts, put_in, strict=True)),
        side_fund=tuple(purse.course),
    )


def compare_wealth(
    goals: Sequence[Money], prices: Sequence[Price], limits: Limits, side_fund: SideFund
) -> Comparison:
    """The money of *side_fund* invested as it comes, in equal parts, and along *goals*.

    All three have the same money on the same days. Equal parts are those of what is there at the
    start, and beside them what comes in each period; what the side fund earns meanwhile stays in it
    and counts.

    Raises:
        InputError: the lengths differ, or a price is not positive.
    """
    _require_prices(prices, len(side_fund.paid_in), "payments into the side fund")
    parts = split_lump(side_fund.start, len(prices))
    equal = [part + paid for part, paid in zip(parts, side_fund.paid_in, strict=True)]
    first, *later = side_fund.paid_in
    return Comparison(
        lump=dollar_cost_averaging([side_fund.start + first, *later], prices, side_fund),
        dollar_cost=dollar_cost_averaging(equal, prices, side_fund),
        value=value_averaging(goals, prices, limits, side_fund),
    )


def moments_under_gbm(
    *, amount: float, parts: int, step_years: float, drift: float, volatility: float
) -> Moments:
    """Final wealth of a lump in equal *parts* of *amount*, against the same lump put in at once.

    Prices follow a geometric Brownian motion with `E S_T = S_0 exp(drift T)`; part k goes in after
    `k step_years`, k from 0, wealth is counted after `parts step_years`, and what waits earns
    nothing. *drift* and *volatility* are annual. The parts still invested at a time move together:
    `E[X_i X_j] = E X_i E X_j exp(volatility^2 s)` with s the time that both are invested.

    Source: moments of sums of lognormals; Constantinides (1979) for what follows from them.
    """
    mean = variance = with_later = 0.0
    for number in range(1, parts + 1):  # the last part first: its time is what two have in common
        years = number * step_years
        one = amount * math.exp(drift * years)
        spread = one * math.expm1(volatility**2 * years)
        variance += one * spread + 2 * one * with_later
        with_later += spread
        mean += one
    lump = amount * parts * math.exp(drift * parts * step_years)
    return Moments(
        dollar_cost_mean=mean,
        dollar_cost_deviation=math.sqrt(variance),
        lump_mean=lump,
        lump_deviation=lump * math.sqrt(math.expm1(volatility**2 * parts * step_years)),
    )


class _Purse:
    """The side fund from period to period."""

    def __init__(self, fund: SideFund | None, periods: int, grain: Money | None) -> None:
        if fund is not None and len(fund.paid_in) != periods:
            raise InputError(
                f"the side fund has {len(fund.paid_in)} payments for {periods} prices: give as many"
            )
        self._fund, self._grain = fund, grain
        self._now = ZERO if fund is None else fund.start
        self.course: list[Money] = []

    def before(self, number: int) -> Money | None:
        """What it holds for the purchase of period *number*; None without a side fund."""
        if self._fund is None:
            return None
        if number > 0:
            self._now += _rounded(self._now * self._fund.growth, self._grain)
        self._now += self._fund.paid_in[number]
        return self._now

    def pay(self, amount: Money) -> None:
        """Take *amount* for a purchase; a negative one comes back from a sale."""
        if self._fund is not None:
            self._now -= amount
            self.course.append(self._now)


def _rounded(amount: Money, grain: Money | None) -> Money:
    return amount if grain is None else amount.quantize(grain, rounding=ROUND_HALF_UP)


def _require_prices(prices: Sequence[Price], length: int, what: str) -> None:
    if not prices:
        raise InputError("no price is given: averaging needs one for each period")
    if len(prices) != length:
        raise InputError(f"there are {length} {what} for {len(prices)} prices: give as many")
    for number, price in enumerate(prices, start=1):
        if not price.is_finite() or price <= 0:
            raise InputError(f"price {number} is {price}: a price is a positive number")


def _require_rates(*rates: Weight) -> None:
    for rate in rates:
        if not rate.is_finite() or rate <= -1:
            raise InputError(
                f"the rate {rate} a period loses everything at once: write 0.01 for 1 %"
            )
