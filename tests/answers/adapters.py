"""From a worked case to the library's own functions: one small adapter for each `fn`.

An adapter only translates. Every number of a case, given as text or not, becomes the Decimal of
its own digits, and every rule that it asks for stands in `trimtab.rules`.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, localcontext
from itertools import accumulate, pairwise
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from tests.answers.contribution_adapters import ADAPTERS as CONTRIBUTION_ADAPTERS
from tests.answers.cppi_adapters import ADAPTERS as CPPI_ADAPTERS
from tests.answers.measure_adapters import ADAPTERS as MEASURE_ADAPTERS
from tests.answers.minimum_variance_adapters import ADAPTERS as MINIMUM_VARIANCE_ADAPTERS
from tests.answers.momentum_adapters import ADAPTERS as MOMENTUM_ADAPTERS
from tests.answers.theory_adapters import ADAPTERS as THEORY_ADAPTERS

from trimtab.domain.events import Entry, ValueMarked
from trimtab.domain.memory import BandMemory, Memory, remember
from trimtab.domain.numbers import ONE, ZERO
from trimtab.domain.policy import PRESETS, BandPolicy, GateRule
from trimtab.domain.trades import BandState, Drift
from trimtab.rules.breaker import falls, market_wide_halt, unit_value
from trimtab.rules.drift import (
    advance,
    after_tax_values,
    finish,
    half_width,
    is_breached,
    least_turnover,
    measure,
    shrink_scale,
    shrunk_value,
)

Answer = Mapping[str, Any]
_SWEDROE = PRESETS["swedroe-5-25"]


def band_525(
    *, targets: Sequence[Any], abs_pp: Any = _SWEDROE.trigger_abs, rel: Any = _SWEDROE.trigger_rel
) -> Answer:
    weights = _decimals(targets)
    halves = [half_width(target, _band(abs_pp, rel)) for target in weights]
    return {
        "half_width": halves,
        "lower": [target - half for target, half in zip(weights, halves, strict=True)],
        "upper": [target + half for target, half in zip(weights, halves, strict=True)],
    }


def drift_check(
    *,
    values: Sequence[Any],
    targets: Sequence[Any],
    abs_pp: Any = _SWEDROE.trigger_abs,
    rel: Any = _SWEDROE.trigger_rel,
    inclusive: bool = True,
) -> Answer:
    amounts = _decimals(values)
    total = sum(amounts, ZERO)
    drifts = _measured(amounts, targets, [_band(abs_pp, rel)] * len(amounts))
    return {
        "weights": [drift.weight for drift in drifts],
        "drift": [drift.drift for drift in drifts],
        "half_width": [drift.half_width for drift in drifts],
        "breached": [
            number
            for number, drift in enumerate(drifts)
            if is_breached(
                drift.value, total, drift.target, drift.half_width, is_inclusive=inclusive
            )
        ],
    }


def rebalance_shrink(
    *,
    values: Sequence[Any],
    targets: Sequence[Any],
    k: Any = None,
    half_widths: Sequence[Any] | None = None,
    abs_pp: Any = _SWEDROE.trigger_abs,
    rel: Any = _SWEDROE.trigger_rel,
) -> Answer:
    amounts = _decimals(values)
    total = sum(amounts, ZERO)
    if half_widths is None:
        bands = [_band(abs_pp, rel)] * len(amounts)
    else:
        bands = [_band(half, None) for half in half_widths]
    drifts = _measured(amounts, targets, bands)
    destination = _SWEDROE.destination if k is None else _decimal(k)
    scale = shrink_scale([drift for drift in drifts if drift.is_breached], destination)
    goals = [shrunk_value(drift, total, scale) for drift in drifts]
    trades = [goal - amount for goal, amount in zip(goals, amounts, strict=True)]
    return {
        "scale": scale,
        "new_weights": [goal / total for goal in goals],
        "trades": trades,
        "one_way_turnover": _one_way(trades) / total,
    }


def min_turnover_into_band(
    *, weights: Sequence[Any], targets: Sequence[Any], dest_half: Sequence[Any]
) -> Answer:
    moved = least_turnover(_decimals(weights), _decimals(targets), _decimals(dest_half))
    return {"one_way_turnover": moved}


def hysteresis_path(
    *,
    v0: Sequence[Any],
    target_first: Any,
    returns: Sequence[Sequence[Any]],
    trigger_pp: Any,
    destination_pp: Any,
) -> Answer:
    trigger, first = _decimal(trigger_pp), _decimal(target_first)
    destination = _decimal(destination_pp) / trigger
    band = BandPolicy(
        trigger_abs=trigger, destination=destination, re_arm=max(destination, BandPolicy().re_arm)
    )
    watch = _Watch(band=band, targets=[first, ONE - first])
    values = _decimals(v0)
    events, weights = [], []
    with localcontext(prec=400):  # the case counts in rational numbers
        for period, changes in enumerate(returns):
            grown = [
                value * (ONE + _decimal(change))
                for value, change in zip(values, changes, strict=True)
            ]
            values, corrects = watch.look(period, grown)
            if corrects:
                moved = [now - then for now, then in zip(values, grown, strict=True)]
                events.append([period, _one_way(moved) / sum(grown, ZERO)])
            weights.append(values[0] / sum(values, ZERO))
    return {"events": events, "weights": weights, "final_value": sum(values, ZERO)}


class _Watch(Struct, kw_only=True):
    """The band states of one household over time, and its classes after each look."""

    band: BandPolicy
    targets: list[Decimal]
    known: dict[str, BandMemory] = {}

    def look(self, period: int, values: list[Decimal]) -> tuple[list[Decimal], bool]:
        """The values once whatever is under correction was corrected, and whether anything was."""
        at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=period)
        drifts = self._advanced(values, at)
        if all(drift.state is not BandState.CORRECTING for drift in drifts):
            return values, False
        out = [drift for drift in drifts if drift.state is BandState.CORRECTING]
        scale = shrink_scale(out, self.band.destination)
        total = sum(values, ZERO)
        corrected = [round(shrunk_value(drift, total, scale), 300) for drift in drifts]
        after, _ = finish(self._advanced(corrected, at), self._bands(drifts))
        self._remember(after, at)
        return corrected, True

    def _advanced(self, values: list[Decimal], at: dt.datetime) -> tuple[Drift, ...]:
        drifts = _measured(values, self.targets, [self.band] * len(values))
        drifts, _ = advance(drifts, self.known, self._bands(drifts), at, looks=True)
        self._remember(drifts, at)
        return drifts

    def _bands(self, drifts: Sequence[Drift]) -> dict[str, BandPolicy]:
        return {drift.asset_class: self.band for drift in drifts}

    def _remember(self, drifts: Sequence[Drift], at: dt.datetime) -> None:
        for drift in drifts:
            before = self.known.get(drift.asset_class, BandMemory())
            if drift.state is not before.state:
                self.known[drift.asset_class] = replace(before, state=drift.state, since=at)


def household_drift(
    *,
    accounts: Sequence[Mapping[str, Any]],
    targets: Sequence[Any],
    abs_pp: Any = _SWEDROE.trigger_abs,
    rel: Any = _SWEDROE.trigger_rel,
) -> Answer:
    held = {
        account["name"]: {
            name: _decimal(value)
            for name, value in account.items()
            if name not in {"name", "deferred_tax"}
        }
        for account in accounts
    }
    rates = {account["name"]: _decimal(account.get("deferred_tax", 0)) for account in accounts}
    answer: dict[str, Any] = {}
    for when, deferred in (("pretax", {}), ("aftertax", rates)):
        values = list(after_tax_values(held, deferred).values())
        drifts = _measured(values, targets, [_band(abs_pp, rel)] * len(values))
        answer[f"weights_{when}"] = [drift.weight for drift in drifts]
        answer[f"breach_{when}"] = any(drift.is_breached for drift in drifts)
    return answer


def portfolio_circuit_breaker(
    *, values: Sequence[Any], flows: Sequence[Any], daily_limit: Any
) -> Answer:
    gates = GateRule(fall_daily_max=_decimal(daily_limit), fall_from_peak_max=ONE)
    memory, units = Memory(), list[Decimal]()
    first_trigger = None
    for index, (value, flow) in enumerate(zip(_decimals(values), _decimals(flows), strict=True)):
        session = dt.date(2026, 1, 1) + dt.timedelta(days=index)
        units.append(unit_value(memory.mark, value, flow))
        if first_trigger is None and falls(memory, session, units[-1], gates):
            first_trigger = index
        memory = remember(memory, [_marked(session, value, flow, units[-1])])
    peaks = list(accumulate(units, max))
    return {
        "nav": list(units),
        "daily_returns": [now / before - ONE for before, now in pairwise(units)],
        "drawdowns": [now / peak - ONE for now, peak in zip(units[1:], peaks[1:], strict=True)],
        "first_trigger": first_trigger,
    }


def _marked(session: dt.date, value: Decimal, flow: Decimal, unit: Decimal) -> Entry:
    """The journal's word for a mark at the end of *session*."""
    event = ValueMarked(session=session, value=value, flow=flow, unit_value=unit)
    at = dt.datetime.combine(session, dt.time(21), tzinfo=dt.UTC)
    return Entry(sequence=1, at=at, cycle="", event=event, hash="")


def market_wide_circuit_breaker(
    *,
    prior_close: Any,
    time_et: Sequence[int] | str,
    index_level: Any,
    already_triggered: Sequence[int] = (),
    early_close: bool = False,
) -> Answer:
    if isinstance(time_et, str):
        at = dt.time.fromisoformat(time_et)
    else:
        hour, minute, second = (*time_et, 0, 0)[:3]
        at = dt.time(hour, minute, second)
    level, action = market_wide_halt(
        prior_close=_decimal(prior_close),
        index_level=_decimal(index_level),
        time_new_york=at,
        already_triggered=already_triggered,
        early_close=early_close,
    )
    return {"level": level, "action": action}


ADAPTERS: dict[str, Callable[..., Answer]] = {
    adapter.__name__: adapter
    for adapter in (
        band_525,
        drift_check,
        rebalance_shrink,
        min_turnover_into_band,
        hysteresis_path,
        household_drift,
        portfolio_circuit_breaker,
        market_wide_circuit_breaker,
    )
}
ADAPTERS |= CONTRIBUTION_ADAPTERS
ADAPTERS |= MEASURE_ADAPTERS
ADAPTERS |= CPPI_ADAPTERS
ADAPTERS |= MOMENTUM_ADAPTERS
ADAPTERS |= MINIMUM_VARIANCE_ADAPTERS
ADAPTERS |= THEORY_ADAPTERS


def _measured(
    values: Sequence[Decimal], targets: Sequence[Any], bands: Sequence[BandPolicy]
) -> tuple[Drift, ...]:
    """Drifts of classes that are called by their number."""
    names = [str(number) for number in range(len(values))]
    return measure(
        dict(zip(names, values, strict=True)),
        sum(values, ZERO),
        dict(zip(names, _decimals(targets), strict=True)),
        dict(zip(names, bands, strict=True)),
    )


def _band(trigger_abs: Any, trigger_rel: Any) -> BandPolicy:
    return BandPolicy(
        trigger_abs=None if trigger_abs is None else _decimal(trigger_abs),
        trigger_rel=None if trigger_rel is None else _decimal(trigger_rel),
    )


def _one_way(trades: Sequence[Decimal]) -> Decimal:
    bought = sum((trade for trade in trades if trade > 0), ZERO)
    sold = -sum((trade for trade in trades if trade < 0), ZERO)
    return max(bought, sold)


def _decimals(numbers: Sequence[Any]) -> list[Decimal]:
    return [_decimal(number) for number in numbers]


def _decimal(number: Any) -> Decimal:
    """A number by its shortest digits: 0.1 means a tenth, whether written as text or not."""
    return number if isinstance(number, Decimal) else Decimal(str(number))
