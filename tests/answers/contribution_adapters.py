"""The cases of dollar-cost and value averaging, put to the library's own functions."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from trimtab.domain.numbers import ZERO
from trimtab.rules.averaging import (
    Limits,
    dollar_cost_averaging,
    edleson_growth,
    moments_under_gbm,
    path_edleson,
    path_exact,
    value_averaging,
)

Answer = Mapping[str, Any]


def dca(*, amount: Any, prices: Sequence[Any]) -> Answer:
    paid = _decimals(prices)
    course = dollar_cost_averaging([_decimal(amount)] * len(paid), paid)
    return {
        "shares": course.units[-1],
        "invested": course.invested,
        "avg_cost": course.average_cost,
        "arith_mean_price": sum(paid, ZERO) / len(paid),
        "final_value": course.value,
        "profit": course.profit,
    }


def value_averaging_course(
    *,
    target_path: Sequence[Any],
    prices: Sequence[Any],
    allow_sell: bool = True,
    cap: Any = None,
) -> Answer:
    caps = None if cap is None else (_decimal(cap),) * len(prices)
    course = value_averaging(
        _decimals(target_path),
        _decimals(prices),
        Limits(sells=allow_sell, caps=caps, grain=None),  # the cases do not round to the cent
    )
    return {
        "contributions": list(course.contributions),
        "shares": list(course.units),
        "net_invested": course.invested,
        "final_value": course.value,
        "profit": course.profit,
    }


def va_path_edleson(*, C: Any, r: Any, g: Any, n: int) -> Answer:  # noqa: N803  the case's names
    return {
        "R": edleson_growth(_decimal(r), _decimal(g)),
        "path": list(path_edleson(_decimal(C), _decimal(r), _decimal(g), n)),
    }


def va_path_exact(*, C: Any, r: Any, g: Any, n: int) -> Answer:  # noqa: N803  the case's names
    return {"path": list(path_exact(_decimal(C), _decimal(r), _decimal(g), n))}


def dca_vs_lump_gbm(*, amount: Any, n: int, dt: float, mu: float, sigma: float) -> Answer:
    moments = moments_under_gbm(
        amount=float(amount),
        parts=n,
        step_years=float(dt),
        drift=float(mu),
        volatility=float(sigma),
    )
    return {
        "dca_mean": moments.dollar_cost_mean,
        "dca_std": moments.dollar_cost_deviation,
        "lump_mean": moments.lump_mean,
        "lump_std": moments.lump_deviation,
    }


ADAPTERS: dict[str, Callable[..., Answer]] = {
    "dca": dca,
    "value_averaging": value_averaging_course,
    "va_path_edleson": va_path_edleson,
    "va_path_exact": va_path_exact,
    "dca_vs_lump_gbm": dca_vs_lump_gbm,
}


def _decimals(numbers: Sequence[Any]) -> list[Decimal]:
    return [_decimal(number) for number in numbers]


def _decimal(number: Any) -> Decimal:
    return number if isinstance(number, Decimal) else Decimal(str(number))
