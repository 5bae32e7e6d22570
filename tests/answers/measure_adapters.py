"""The cases of performance, put to the library's own functions."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from trimtab.lab import cash_flow_returns, measures

Answer = Mapping[str, Any]
_STATUS = {"rate": "unique", "undefined": "undefined", "several": "multiple"}


def xirr(*, flows: Sequence[Sequence[Any]]) -> Answer:
    answer = cash_flow_returns.xirr(
        [(dt.date.fromisoformat(day), float(amount)) for day, amount in flows]
    )
    return {
        "rate": answer.rate,
        "status": _STATUS[answer.status],
        "roots": list(answer.roots),
    }


def modified_dietz(*, begin: Any, end: Any, flows: Sequence[Sequence[Any]], length: Any) -> Answer:
    answer = cash_flow_returns.modified_dietz(
        float(begin), float(end), _timed(flows), float(length), flows_at="end_of_day"
    )
    return {
        "gain": answer.gain,
        "avg_capital": answer.average_capital,
        "return_": answer.total,
    }


def period_irr(*, begin: Any, end: Any, flows: Sequence[Sequence[Any]], length: Any) -> Answer:
    answer = cash_flow_returns.period_irr(float(begin), float(end), _timed(flows), float(length))
    return {"period_return": answer.rate}


def twr(*, values: Sequence[Any], flows: Sequence[Any]) -> Answer:
    answer = measures.time_weighted_return(_floats(values), _floats(flows))
    return {"period_returns": list(answer.period_returns), "twr": answer.total}


def max_drawdown(*, values: Sequence[Any]) -> Answer:
    answer = measures.max_drawdown(_floats(values))
    return {"max_drawdown": answer.depth, "peak": answer.peak, "trough": answer.trough}


def tracking_error(
    *, portfolio: Sequence[Any], benchmark: Sequence[Any], periods_per_year: Any
) -> Answer:
    answer = measures.active_return(_floats(portfolio), _floats(benchmark), float(periods_per_year))
    return {
        "mean_active": answer.mean,
        "tracking_error": answer.tracking_error,
        "information_ratio": answer.information_ratio,
    }


def sharpe_sortino(
    *, returns: Sequence[Any], rf: Any = 0, periods_per_year: Any, mar: Any = 0
) -> Answer:
    series, periods = _floats(returns), float(periods_per_year)
    answer = measures.risk_adjusted(series, float(rf), periods, float(mar))
    return {
        "sharpe": answer.sharpe,
        "downside_dev": answer.downside_deviation,
        "sortino": answer.sortino,
        "cagr": measures.annualize(
            measures.compound(series), len(series) / periods, even_under_one_year=True
        ),
    }


def after_tax_liquidation(
    *, value0: Any, basis: Any, annual_return: Any, tax_rate: Any, years: Any
) -> Answer:
    start = float(value0)
    answer = measures.liquidation(
        value_start=start,
        value_end=start * (1 + float(annual_return)) ** float(years),
        basis=float(basis),
        rate=float(tax_rate),
        years=float(years),
        even_under_one_year=True,
    )
    return {
        "pre_liq_value": answer.value_before_tax,
        "tax": answer.tax,
        "post_liq_value": answer.value_after_tax,
        "post_liq_annual": answer.annual_return,
    }


def tlh_benefit(*, loss: Any, rate_now: Any, rate_later: Any, growth: Any, years: Any) -> Answer:
    benefit = measures.harvest_benefit(
        loss=float(loss),
        rate_now=float(rate_now),
        rate_later=float(rate_later),
        growth=float(growth),
        years=float(years),
    )
    return {"benefit_at_horizon": benefit}


ADAPTERS: dict[str, Callable[..., Answer]] = {
    "xirr": xirr,
    "xirr_status": xirr,
    "modified_dietz": modified_dietz,
    "period_irr": period_irr,
    "twr": twr,
    "max_drawdown": max_drawdown,
    "tracking_error": tracking_error,
    "sharpe_sortino": sharpe_sortino,
    "after_tax_liquidation": after_tax_liquidation,
    "tlh_benefit": tlh_benefit,
}


def _floats(numbers: Sequence[Any]) -> list[float]:
    return [float(number) for number in numbers]


def _timed(flows: Sequence[Sequence[Any]]) -> list[tuple[float, float]]:
    return [(float(time), float(amount)) for time, amount in flows]
