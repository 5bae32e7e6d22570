"""The strategy `momentum`: the weights before it, tilted towards the classes that have risen."""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from trimtab.domain.aim import Layer
from trimtab.domain.aims import MomentumRule
from trimtab.domain.errors import DataSuspect
from trimtab.domain.numbers import ONE, ZERO, to_float
from trimtab.domain.policy import Policy
from trimtab.rules.targets.assets import (
    SESSIONS_A_YEAR,
    are_priced,
    as_percent,
    assets_of,
    month_end_rows,
    month_ends,
    weighed,
)
from trimtab.rules.targets.covariance import ledoit_wolf
from trimtab.rules.targets.momentum import (
    momentum,
    tilted,
    tilted_in_band,
    tracking_error,
)
from trimtab.rules.targets.quadratic import Limits
from trimtab.rules.targets.view import Floats, View
from trimtab.rules.words import listing

_SESSIONS_A_MONTH = 23
"""No month has more."""


class Momentum(NamedTuple):
    """Tilts towards past winners within a limit of risk, and never beyond a class's band."""

    rule: MomentumRule
    name: str = "momentum"
    watches: bool = False

    @classmethod
    def of(cls, policy: Policy) -> "Momentum":
        """The strategy as *policy* sets it."""
        return cls(policy.strategy.momentum)

    @property
    def sessions(self) -> int:
        """How much of the past it asks for."""
        return max(self.rule.sessions, (self.rule.months + 2) * _SESSIONS_A_MONTH)

    def wants(self, view: View) -> Layer:
        """The tilted weights; cash keeps its own.

        Raises:
            DataSuspect: some class has no prices for the months of the signal.
        """
        assets, past = assets_of(view, self.rule.sessions, self.name)
        signal = self._signal(view, assets)
        estimate = ledoit_wolf(
            past,
            target="constant_correlation",
            periods_per_year=SESSIONS_A_YEAR,
            names=assets,
        )
        base = np.asarray([to_float(view.base[name]) for name in assets])
        band = np.asarray([to_float(view.band[name]) for name in assets])
        room = ONE - (view.base[view.cash] if view.cash is not None else ZERO)
        limits = Limits(
            np.maximum(0.0, base - band),
            np.minimum(to_float(room), base + band),
            (),
            float(base.sum()),
            tuple(assets),
        )
        if self.rule.within == "variance":
            part = to_float(self.rule.variance)
            weights = tilted_in_band(base, estimate.covariance, signal, part, limits)
        else:
            most = to_float(self.rule.tracking_error)
            weights = tilted(base, estimate.covariance, signal, most, limits)
        error = tracking_error(weights - base, estimate.covariance)
        return Layer(
            name=self.name,
            targets=weighed(view, assets, weights, room),
            sentences=self._told(assets, signal, error),
            figures={
                "tracking_error": error,
                **{
                    f"return_of_{name}": float(one)
                    for name, one in zip(assets, signal, strict=True)
                },
            },
        )

    def _signal(self, view: View, assets: list[str]) -> Floats:
        """What each class returned (N) between two month-ends, by its own prices there."""
        columns = [view.classes.index(name) for name in assets]
        returns = view.past.returns[:, columns]
        sessions = view.past.sessions
        ends = month_ends(sessions, returns, view.today)
        months, skip = self.rule.months, self.rule.skip
        count = int(np.isfinite(ends).all(axis=1).sum())
        if count < months + 1:
            msg = (
                f"{self.name} over {months} months needs {months + 1} month-ends at which every "
                f"class has a price; there are {count}."
            )
            raise DataSuspect(msg)
        rows = month_end_rows(sessions, view.today)
        self._refuse_old(assets, sessions, returns, [rows[-1 - months], rows[-1 - skip]])
        return np.asarray([momentum(ends[:, place], months, skip) for place in range(len(assets))])

    def _refuse_old(
        self,
        assets: list[str],
        sessions: Sequence[dt.date],
        returns: Floats,
        rows: list[int],
    ) -> None:
        """Raises where a class has no price of its own near one of *rows*, the signal's ends."""
        missing = [
            f"{name} has no price in the week to {sessions[row]}"
            for row, priced in zip(rows, are_priced(returns, rows).tolist(), strict=True)
            for name, is_priced in zip(assets, priced, strict=True)
            if not is_priced
        ]
        if missing:
            msg = (
                f"{self.name} needs the price of every class at both ends of its months: "
                f"{listing(missing)}; add the prices."
            )
            raise DataSuspect(msg)

    def _told(self, assets: list[str], signal: Floats, error: float) -> tuple[str, ...]:
        order = np.argsort(-signal, kind="stable").tolist()
        best, worst = order[0], order[-1]
        span = f"from {self.rule.months} months ago to {self.rule.skip} ago"
        if signal[best] - signal[worst] <= 0.0:
            return (f"All classes returned the same {span}, so nothing is tilted.",)
        return (
            (
                f"{assets[best]} returned most {span} ({as_percent(signal[best])}), "
                f"{assets[worst]} least ({as_percent(signal[worst])})."
            ),
            (
                f"The tilt may stray {as_percent(error)} a year from the mix without it; what has "
                "risen need not go on rising."
            ),
        )
