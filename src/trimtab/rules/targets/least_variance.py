"""The strategy `minimum_variance`: the classes in the mix that is estimated to move least."""

import math
from typing import NamedTuple

import numpy as np

from trimtab.domain.aim import Layer
from trimtab.domain.aims import BoundRule, MinimumVarianceRule
from trimtab.domain.errors import InputError, StrategyFault
from trimtab.domain.numbers import ONE, ZERO, Weight, to_float
from trimtab.domain.policy import Policy
from trimtab.rules.targets.assets import SESSIONS_A_YEAR, as_percent, assets_of, weighed
from trimtab.rules.targets.covariance import (
    Estimate,
    exponentially_weighted,
    ledoit_wolf,
    sample,
)
from trimtab.rules.targets.minimum_variance import MinimumVariance, minimum_variance
from trimtab.rules.targets.quadratic import Group, Limits
from trimtab.rules.targets.view import Floats, View
from trimtab.rules.words import listing, percent

_RISK_AVERSION = 5.0
"""What a unit of yearly variance costs is half of it: the usual figure of a careful saver."""


_GRAIN = 1e-5


class Problem(NamedTuple):
    """The classes weighed (N), their returns (T, N), the estimate from these, limits, and sum."""

    assets: list[str]
    past: Floats
    estimate: Estimate
    limits: Limits
    room: Weight

    def moved(self, weights: Floats) -> float:
        """The volatility a year that *weights* (N,) had over the sessions seen."""
        whole = self.past[np.isfinite(self.past).all(axis=1)]
        return float((whole @ weights).std(ddof=1)) * math.sqrt(SESSIONS_A_YEAR)


class LeastVariance(NamedTuple):
    """Wants the mix of least variance, where moving to it is worth what the move costs.

    A year of the variance saved, valued at half a relative risk aversion of 5 (the first terms of
    any expected utility; Arrow 1965, Pratt 1964), must exceed `move_cost` times what is moved.
    """

    rule: MinimumVarianceRule
    move_cost: Weight
    name: str = "minimum_variance"
    watches: bool = False

    @classmethod
    def of(cls, policy: Policy) -> "LeastVariance":
        """The strategy as *policy* sets it."""
        return cls(policy.strategy.minimum_variance, policy.strategy.move_cost)

    @property
    def sessions(self) -> int:
        """How much of the past it asks for."""
        return self.rule.sessions

    def wants(self, view: View) -> Layer:
        """The mix of least variance of all classes but cash, whose weight stays.

        Raises:
            DataSuspect: there are fewer than 20 sessions in which every class has a price.
            StrategyFault: the bounds contradict each other, or what cash leaves.
        """
        problem = self.problem(view)
        try:
            found = minimum_variance(problem.estimate, problem.limits)
        except InputError as error:
            msg = f"strategy.minimum_variance.bounds: {error} Mend the bounds in household.toml."
            raise StrategyFault(msg) from error
        targets = weighed(view, problem.assets, found.weights, problem.room)
        told = (*_told(found, problem), *self._beside_cash(view))
        kept = self._kept(view, problem, found)
        return Layer(
            name=self.name,
            targets=dict(view.last) if kept else targets,
            sentences=(*told, kept) if kept else told,
            figures=_figures(found, problem),
        )

    def problem(self, view: View) -> Problem:
        """What is weighed, by which estimate and within which limits.

        Raises:
            DataSuspect: there are fewer than 20 sessions in which every class has a price.
            StrategyFault: cash has more than a bound that names it allows.
        """
        assets, past = assets_of(view, self.rule.sessions, self.name)
        room = ONE - (view.base[view.cash] if view.cash is not None else ZERO)
        limits = self._limits(view, assets, to_float(room))
        return Problem(assets, past, self._estimate(past, assets), limits, room)

    def _estimate(self, past: Floats, assets: list[str]) -> Estimate:
        year = SESSIONS_A_YEAR
        match self.rule.covariance:
            case "sample":
                return sample(past, periods_per_year=year, names=assets)
            case "exponential":
                half_life = float(self.rule.half_life)
                return exponentially_weighted(
                    past, half_life=half_life, periods_per_year=year, names=assets
                )
            case "ledoit_wolf":
                return ledoit_wolf(past, periods_per_year=year, names=assets)
        return ledoit_wolf(past, target="constant_correlation", periods_per_year=year, names=assets)

    def _limits(self, view: View, assets: list[str], room: float) -> Limits:
        """What bounds leave to *assets*: of one that names cash, what cash has is taken off."""
        places = {name: place for place, name in enumerate(assets)}
        lower, upper = np.zeros(len(assets)), np.full(len(assets), room)
        groups: list[Group] = []
        for bound in self.rule.bounds:
            members = tuple(places[name] for name in bound.classes if name in places)
            cash = _in_cash(view, bound)
            if members and cash > bound.most:
                raise StrategyFault(_too_much_cash(bound, cash))
            low, high = to_float(max(ZERO, bound.least - cash)), to_float(bound.most - cash)
            if len(members) == 1:
                lower[members[0]] = max(lower[members[0]], low)
                upper[members[0]] = min(upper[members[0]], high)
            elif members:
                groups.append(Group(" and ".join(bound.classes), members, low, high))
        return Limits(lower, upper, tuple(groups), room, tuple(assets))

    def _beside_cash(self, view: View) -> tuple[str, ...]:
        """What each bound that names cash and others leaves to the others."""
        return tuple(
            f"Of what {listing(list(bound.classes))} may have together, {view.cash} has "
            f"{percent(cash)}: that leaves {_span(bound, cash)} to the rest."
            for bound in self.rule.bounds
            if set(bound.classes) != {view.cash} and (cash := _in_cash(view, bound))
        )

    def _kept(self, view: View, problem: Problem, found: MinimumVariance) -> str:
        """Why the weights of the last time stay, empty where they move."""
        if not view.last or (
            view.cash is not None and view.last[view.cash] != view.base[view.cash]
        ):
            return ""
        last = np.asarray([to_float(view.last[name]) for name in problem.assets])
        if not _keeps(last, problem.limits):
            return ""
        before = float(last @ problem.estimate.covariance @ last)
        worth = _RISK_AVERSION / 2.0 * (before - found.variance)
        moved = float(np.maximum(0.0, found.weights - last).sum())
        cost = to_float(self.move_cost) * moved
        if worth > cost or moved == 0.0:
            return ""
        part = as_percent(moved)
        stays = (
            f"The weights of the last time stay: they moved {as_percent(problem.moved(last), 2)} "
            f"a year ({as_percent(before**0.5, 2)} by the estimate), and"
        )
        if part == as_percent(0.0):
            return f"{stays} those wanted now differ by less than a tenth of a percent."
        return f"{stays} moving {part} of the savings would cost more than the difference is worth."


def _in_cash(view: View, bound: BoundRule) -> Weight:
    """What the classes of *bound* have in cash, whose weight no estimate moves."""
    return view.base[view.cash] if view.cash is not None and view.cash in bound.classes else ZERO


def _span(bound: BoundRule, cash: Weight) -> str:
    """What *bound* leaves beside *cash*, in words."""
    ends = []
    if bound.least > cash:
        ends.append(f"at least {percent(bound.least - cash)}")
    if bound.most < ONE:
        ends.append(f"at most {percent(bound.most - cash)}")
    return listing(ends) or "any weight"


def _too_much_cash(bound: BoundRule, cash: Weight) -> str:
    return (
        f"strategy.minimum_variance.bounds: {listing(list(bound.classes))} may have "
        f"{percent(bound.most)} together, and cash alone has {percent(cash)} of it. Mend the "
        "bounds in household.toml."
    )


def _told(found: MinimumVariance, problem: Problem) -> tuple[str, ...]:
    estimate, moved = problem.estimate, as_percent(problem.moved(found.weights), 2)
    estimated = as_percent(found.volatility, 2)
    apart = "" if estimated == moved else f" ({estimated} by the estimate)"
    first = (
        f"Over {estimate.observations} sessions the mix that moves least by the estimate "
        f"({estimate.kind}) moved {moved} a year{apart}."
    )
    said = [first]
    most = _expected_most(found, problem)
    if most is not None and as_percent(most, 2) != moved:
        said.append(
            "It was fitted to these sessions, which flatters: expect more, on average at most "
            f"{as_percent(most, 2)} if what follows is like them."
        )
    return (*said, *_at_bounds(found, problem), *found.notes)


def _expected_most(found: MinimumVariance, problem: Problem) -> float | None:
    """The most that the mix moves afterwards on average; None where too little is known to say.

    The factor is that of a sample without bounds (`optimism`), which bounds and shrinkage only
    lessen. It belongs to the volatility over the sessions, or to that of exponential weights.
    """
    factor = None if found.optimism is None else found.optimism.volatility_factor
    if factor is None:
        return None
    is_shrunk = problem.estimate.shrinkage > 0.0
    fitted = problem.moved(found.weights) if is_shrunk else found.volatility
    return fitted * factor


def _at_bounds(found: MinimumVariance, problem: Problem) -> list[str]:
    """The bounds of the rule that hold the mix; that nothing goes below zero is none of them."""
    limits, solution = problem.limits, found.solution
    binds = ((solution.price_upper > 0) & (limits.upper < limits.total)) | (
        (solution.price_lower > 0) & (np.asarray(limits.lower) > 0)
    )
    alone = [name for name, at in zip(problem.assets, binds.tolist(), strict=True) if at]
    said = []
    if alone:
        verb = "stands at its bound" if len(alone) == 1 else "stand at their bounds"
        said.append(f"{listing(alone)} {verb}.")
    prices = solution.price_low + solution.price_high
    said += [
        f"{group.name} together stand at their bound."
        for group, price in zip(limits.groups, prices.tolist(), strict=True)
        if price > 0
    ]
    return said


def _keeps(weights: Floats, limits: Limits) -> bool:
    """Whether *weights* are within *limits*, to the digits in which weights are told."""
    sums = [(float(weights[list(one.members)].sum()), one) for one in limits.groups]
    return bool(
        np.all(weights >= limits.lower - _GRAIN)
        and np.all(weights <= limits.upper + _GRAIN)
        and all(one.low - _GRAIN <= held <= one.high + _GRAIN for held, one in sums)
    )


def _figures(found: MinimumVariance, problem: Problem) -> dict[str, float]:
    figures = {
        "volatility_in_sample": problem.moved(found.weights),
        "volatility_estimated": found.volatility,
        "observations": float(problem.estimate.observations),
        "shrinkage": problem.estimate.shrinkage,
    }
    most = _expected_most(found, problem)
    return figures if most is None else figures | {"volatility_expected_most": most}
