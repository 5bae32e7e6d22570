"""What the strategies of a household see: who they are, and the past that they may know.

Strategies come by name: those of trimtab, and those that other packages register under the entry
point `trimtab.strategies`. An entry point is a function from the household's policy to a strategy.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, NamedTuple

from trimtab.domain.aim import Layer
from trimtab.domain.aims import CppiRule, StrategyRule
from trimtab.domain.errors import DataSuspect, InputError, StrategyFault, TrimtabError
from trimtab.domain.events import PolicyProposed
from trimtab.domain.policy import Policy
from trimtab.domain.values import trade_date

if TYPE_CHECKING:
    from trimtab.apps.world import House
    from trimtab.domain.yield_facts import BillRate, Curve
    from trimtab.rules.targets.aim import Outlook
    from trimtab.rules.targets.cppi_risk import Fall
    from trimtab.rules.targets.view import Floats, Past, Strategy, View

PastSource = Callable[[Sequence[str], dt.datetime], "tuple[tuple[dt.date, ...], Floats]"]
"""Sessions that were over at an instant, and total returns, one column a symbol."""
CurveSource = Callable[[dt.date], "Curve | None"]
"""The Treasury's par yields of the last day that is known on a day; None where none is."""
Maker = Callable[[Policy], "Strategy"]

ENTRY_POINT = "trimtab.strategies"
_PARTS = ("name", "sessions", "watches", "wants")


def no_past(symbols: Sequence[str], until: dt.datetime) -> "tuple[tuple[dt.date, ...], Floats]":
    """The past of a house that keeps none."""
    import numpy as np

    del until
    return (), np.empty((0, len(symbols)))


def no_curve(day: dt.date) -> "Curve | None":
    """The curve of a house whose household names no file of it."""
    del day
    return None


def outlook_of(
    house: "House", policy: Policy, at: dt.datetime, proposed: PolicyProposed | None = None
) -> "Outlook":
    """The strategies of *policy* and what they may know at the instant *at*.

    Where a class has no past prices at all the past says so, and a strategy that needs it leaves
    the weights as they are. So does one that is not there or cannot be made; *proposed* is the edit
    that waits, which may drop it.

    Raises:
        InputError: a floor grows at the bill rate, and the curve's file cannot be used.
    """
    from trimtab.rules.holdings import cash_class
    from trimtab.rules.targets.aim import NO_OUTLOOK, Outlook

    strategies = tuple(_at_hand(name, policy, proposed) for name in policy.strategy.layers)
    if not strategies:
        return NO_OUTLOOK
    longest = max(strategy.sessions for strategy in strategies)
    past = past_of(house, policy, at) if longest else no_sessions(policy)
    base = house.file.household.base_currency
    cash = cash_class(policy, base)
    return Outlook(strategies, past.last(longest), cash, _bills(house, strategies, at), base)


def past_of(house: "House", policy: Policy, at: dt.datetime) -> "Past":
    """All total returns of the classes of *policy* that were over at *at*; or why none is known."""
    from trimtab.rules.targets.view import Past

    base = house.file.household.base_currency
    symbols = [rule.members[0] for rule in policy.classes.values()]
    priced = [symbol for symbol in symbols if symbol != base]
    try:
        sessions, returns = house.past(priced, at)
    except DataSuspect as lack:
        return no_sessions(policy)._replace(doubt=str(lack))
    return Past(sessions, _with_cash(symbols, priced, returns))


def no_sessions(policy: Policy) -> "Past":
    """A past of which nothing is known, with a column for each class of *policy*."""
    import numpy as np

    from trimtab.rules.targets.view import Past

    return Past((), np.empty((0, len(policy.classes))))


def _bills(house: "House", strategies: "Sequence[Strategy]", at: dt.datetime) -> "BillRate | None":
    """What bills pay, where a floor grows at that: by the curve of the day before *at*.

    The Treasury publishes a day's curve in the evening, so that nobody who decides knows it.

    Raises:
        InputError: the curve's file cannot be used.
    """
    from trimtab.rules.targets.guarded import Cppi
    from trimtab.rules.yields import bill_rate

    if not any(isinstance(one, Cppi) and one.rule.needs_bills for one in strategies):
        return None
    today = trade_date(at)
    return bill_rate(house.file.yields, house.curve(today - dt.timedelta(days=1)), today)


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
        StrategyFault: a layer names no strategy, or a plug-in cannot be loaded or made.
        InputError: a setting of a plug-in is none.
    """
    return tuple(_made(name, policy) for name in policy.strategy.layers)


def layer_faults(names: Sequence[str]) -> tuple[str, ...]:
    """A sentence for each of *names* that is no strategy at hand."""
    found = []
    for name in dict.fromkeys(names):
        try:
            _maker(name)
        except StrategyFault as fault:
            found.append(str(fault))
    return tuple(found)


class _Missing(NamedTuple):
    """Stands for a strategy that cannot be asked."""

    name: str
    fault: str
    sessions: int = 0
    watches: bool = True

    def wants(self, view: "View") -> Layer:
        """Nothing.

        Raises:
            StrategyFault: always.
        """
        del view
        raise StrategyFault(self.fault)


def _at_hand(name: str, policy: Policy, proposed: PolicyProposed | None) -> "Strategy":
    """The strategy of that *name*, or what stands for it."""
    try:
        return _made(name, policy)
    except (InputError, DataSuspect) as error:
        fault = str(error)
        if proposed is not None and name not in proposed.policy.strategy.layers:
            day = trade_date(proposed.effective_at)
            what, _, advice = fault.removesuffix(".").rpartition(";")  # the owner followed it
            fault = f"{what or advice}; the edit that drops it takes effect on {day}."
        return _Missing(name, fault)


def _made(name: str, policy: Policy) -> "Strategy":
    """The strategy of that *name*.

    Raises:
        StrategyFault: there is none, or it cannot be loaded or made.
        InputError: a setting of it is none.
    """
    maker = _maker(name)
    try:
        made = maker(policy)
    except TrimtabError:
        raise
    except (Exception, SystemExit) as error:
        msg = (
            f'strategy.layers: the plug-in "{name}" cannot be made ({type(error).__name__}: '
            f"{error}); its author has to mend it."
        )
        raise StrategyFault(msg) from error
    lacking = [part for part in _PARTS if not hasattr(made, part)]
    if lacking:
        msg = f'strategy.layers: the plug-in "{name}" made no strategy: it has no {lacking[0]}.'
        raise StrategyFault(msg)
    return made


def strategy_warnings(policy: Policy, today: dt.date, own: "Fall | None" = None) -> tuple[str, ...]:
    """What is to be said on *today* against the strategies of *policy*, a sentence each.

    *own* is the worst fall between two looks in the household's own prices, where it is known.
    """
    from trimtab.rules.targets.guarded import Cppi

    taken = tuple(
        f'The package {_package(plugged[name])} registers a strategy "{name}", which is one of '
        "trimtab's own: it is refused, and trimtab's is asked."
        for plugged in [_plugged()]
        for name in policy.strategy.layers
        if name in plugged and name in _built_in()
    )
    said = (*taken, *_idle(policy.strategy))
    if "cppi" not in policy.strategy.layers:
        return said
    said += tuple(_idle_floor(policy.strategy.cppi, today))
    return said + Cppi.of(policy).warnings(look_every_days(policy), own)


def _idle_floor(rule: CppiRule, today: dt.date) -> Iterator[str]:
    """Settings of a floor that do nothing, or nothing more."""
    if rule.until is not None and rule.floor != "dated":
        yield f'strategy.cppi.until does nothing with floor = "{rule.floor}".'
    elif rule.until is not None and rule.until < today:
        told = f"strategy.cppi.until is past ({rule.until}), so the floor stays at its amount"
        yield f"{told}: write a later day, or another floor."
    if rule.rate is not None and rule.floor not in {"accruing", "dated"}:
        yield f'strategy.cppi.rate does nothing with floor = "{rule.floor}".'


def _idle(rule: StrategyRule) -> Iterator[str]:
    """Settings of strategies that are no layer."""
    blank = StrategyRule()
    tables = {name: f"strategy.{name}" for name in _built_in()}
    written = [name for name in tables if getattr(rule, name) != getattr(blank, name)]
    for name in (*written, *rule.settings):
        if name not in rule.layers:
            path = tables.get(name, f"strategy.settings.{name}")
            yield f'[{path}] does nothing, since strategy.layers does not name "{name}".'


def look_every_days(policy: Policy) -> int:
    """How far two looks of *policy* are apart, in days."""
    from trimtab.rules.holdings import bands_of

    return max(band.look_every_days for band in bands_of(policy).values())


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
    except (Exception, SystemExit) as error:
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


def _package(plugged: EntryPoint) -> str:
    """The distribution that registers an entry point, as far as it is known."""
    return plugged.value.partition(":")[0] if plugged.dist is None else plugged.dist.name


@cache
def _plugged() -> dict[str, EntryPoint]:
    return {one.name: one for one in entry_points(group=ENTRY_POINT)}
