"""The strategy `inverse_volatility`: the calmer a class, the more of it.

Each class is held in proportion to one over its volatility. If all classes were correlated alike,
each would then bear the same part of the risk (Maillard, Roncalli and Teiletche 2010, The
properties of equally weighted risk contribution portfolios, Journal of Portfolio Management 36(4)).
Correlations are left out on purpose: they are what an estimate gets wrong first.
"""

from typing import NamedTuple

import numpy as np

from trimtab.domain.aim import Layer
from trimtab.domain.errors import DataSuspect, InputError
from trimtab.domain.numbers import ONE, ZERO, to_float
from trimtab.domain.policy import Policy
from trimtab.rules.targets.assets import SESSIONS_A_YEAR, as_percent, assets_of, weighed
from trimtab.rules.targets.view import Floats, View

NAME = "inverse_volatility"
SESSIONS = 252
SESSIONS_LEAST = 20


class InverseVolatility(NamedTuple):
    """Wants every class but cash in proportion to one over its volatility; cash keeps its weight.

    `sessions` is how many of the last sessions the volatilities are estimated from.
    """

    sessions: int = SESSIONS
    name: str = NAME
    watches: bool = False

    @classmethod
    def of(cls, policy: Policy) -> "InverseVolatility":
        """The strategy as `[strategy.settings.inverse_volatility]` of *policy* sets it.

        Raises:
            InputError: a setting that it does not know, or a number that is none.
        """
        settings = dict(policy.strategy.settings.get(NAME, {}))
        text = settings.pop("sessions", str(SESSIONS))
        for unknown in settings:
            raise InputError(f"strategy.settings.{NAME}: {unknown} is no setting; remove it.")
        if not text.isdecimal() or int(text) < SESSIONS_LEAST:
            raise InputError(
                f"strategy.settings.{NAME}.sessions: {text!r} is no number from "
                f'{SESSIONS_LEAST}; write "{SESSIONS}".'
            )
        return cls(int(text))

    def wants(self, view: View) -> Layer:
        """The weights, and the volatilities that they come from.

        Raises:
            DataSuspect: there are fewer than 20 sessions in which every class has a price, or a
                class did not move at all.
        """
        assets, past = assets_of(view, self.sessions, NAME)
        common = past[np.isfinite(past).all(axis=1)]
        volatilities = common.std(axis=0, ddof=1) * np.sqrt(SESSIONS_A_YEAR)
        for name, volatility in zip(assets, volatilities, strict=True):
            if volatility == 0.0:
                raise DataSuspect(
                    f"{name} did not move in {len(common)} sessions, so its prices may be stuck."
                )
        room = ONE - (view.base[view.cash] if view.cash is not None else ZERO)
        parts = 1.0 / volatilities
        weights = to_float(room) * parts / parts.sum()
        return Layer(
            name=NAME,
            targets=weighed(view, assets, weights, room),
            sentences=(_told(assets, volatilities, len(common)),),
            figures={
                f"volatility_of_{name}": float(volatility)
                for name, volatility in zip(assets, volatilities, strict=True)
            },
        )


def _told(assets: list[str], volatilities: Floats, count: int) -> str:
    calmest, wildest = int(volatilities.argmin()), int(volatilities.argmax())
    return (
        f"Over {count} sessions {assets[calmest]} moved least "
        f"({as_percent(volatilities[calmest])} a year) and {assets[wildest]} most "
        f"({as_percent(volatilities[wildest])}); each class is weighed by one over that."
    )
