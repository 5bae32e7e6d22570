"""What the strategies of a household see: who they are, and the past that they may know.

Strategies come by name: those of trimtab, and those that other packages register under the entry
point `trimtab.strategies`. An entry point is a function from the household's policy to a strategy.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

from trimtab.domain.errors import DataSuspect, StrategyFault
from trimtab.domain.policy import Policy

if TYPE_CHECKING:
    from trimtab.apps.world import House
    from trimtab.rules.targets.aim import Outlook
    from trimtab.rules.targets.view import Floats, Strategy

PastSource = Callable[[Sequence[str], dt.datetime], "tuple[tuple[dt.date, ...], Floats]"]
"""Sessions that were over at an instant, and total returns, one column a symbol."""
Maker = Callable[[Policy], "Strategy"]

ENTRY_POINT = "trimtab.strategies"


def no_past(symbols: Sequence[str], until: dt.datetime) -> "tuple[tuple[dt.date, ...], Floats]":
    """The past of a house that keeps none."""
    import numpy as np

    del until
    return (), np.empty((0, len(symbols)))


def outlook_of(house: "House", policy: Policy, at: dt.datetime) -> "Outlook":
    """The strategies of *policy* and what they may know at the instant *at*.

    Where a class has no past prices at all the past says so, and a strategy that needs it leaves
    the weights as they are.

    Raises:
        StrategyFault: a layer names no strategy.
    """
    from trimtab.rules.holdings import cash_class
    from trimtab.rules.targets.aim import NO_OUTLOOK, Outlook
    from trimtab.rules.targets.view import Past

    strategies = strategies_of(policy)
    if not strategies:
        return NO_OUTLOOK
    base = house.file.household.base_currency
    symbols = [rule.members[0] for rule in policy.classes.values()]
    priced = [symbol for symbol in symbols if symbol != base]
    longest = max(strategy.sessions for strategy in strategies)
    doubt = ""
    try:
        sessions, returns = house.past(priced, at) if longest else no_past(priced, at)
    except DataSuspect as lack:
        (sessions, returns), doubt = no_past(priced, at), str(lack)
    first = max(0, len(sessions) - longest)
    past = Past(sessions[first:], _with_cash(symbols, priced, returns[first:]), doubt)
    return Outlook(strategies, past, cash_class(policy, base))


def _with_cash(symbols: Sequence[str], priced: Sequence[str], returns: "Floats") -> "Floats":
    """*returns* with a column of zeros for cash."""
    import numpy as np

    table = np.zeros((len(returns), len(symbols)))
    columns = {symbol: at for at, symbol in enumerate(priced)}
    for at, symbol in enumerate(symbols):
        if symbol in columns:
            table[:, at] = returns[:, columns[symbol]]
    table.setflags(write=False)  # a layer may not change what the next one is shown
    return table


def strategies_of(policy: Policy) -> "tuple[Strategy, ...]":
    """The strategies of the policy's layers, in their order.

    Raises:
        StrategyFault: a layer names no strategy, or a plug-in cannot be loaded.
    """
    return tuple(_maker(name)(policy) for name in policy.strategy.layers)


def strategy_warnings(policy: Policy) -> tuple[str, ...]:
    """What is to be said against the strategies as *policy* sets them, a sentence each.

    Raises:
        StrategyFault: a layer names no strategy, or a plug-in cannot be loaded.
    """
    from trimtab.rules.holdings import bands_of
    from trimtab.rules.targets.guarded import Cppi

    days = max(band.look_every_days for band in bands_of(policy).values())
    return tuple(
        told
        for strategy in strategies_of(policy)
        if isinstance(strategy, Cppi)
        for told in strategy.warnings(days)
    )


def _maker(name: str) -> Maker:
    if not name:
        raise StrategyFault("strategy.layers: a layer without a name; remove it.")
    built_in = _built_in()
    if name in built_in:
        return built_in[name]
    plugged = _plugged()
    if name not in plugged:
        known = ", ".join(f'"{one}"' for one in sorted({*built_in, *plugged}))
        msg = f'strategy.layers: no strategy is called "{name}"; write one of {known}.'
        raise StrategyFault(msg)
    try:
        maker: Maker = plugged[name].load()
    except Exception as error:
        msg = f'strategy.layers: the plug-in "{name}" cannot be loaded ({error}); reinstall it.'
        raise StrategyFault(msg) from error
    return maker


@cache
def _built_in() -> dict[str, Maker]:
    from trimtab.rules.targets.guarded import Cppi
    from trimtab.rules.targets.least_variance import LeastVariance
    from trimtab.rules.targets.tilted import Momentum

    return {
        "minimum_variance": LeastVariance.of,
        "momentum": Momentum.of,
        "cppi": Cppi.of,
    }


@cache
def _plugged() -> dict[str, EntryPoint]:
    return {one.name: one for one in entry_points(group=ENTRY_POINT)}
