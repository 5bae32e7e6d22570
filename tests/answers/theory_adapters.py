"""The worked cases of what theory says of bands and of costs, put to the library's functions."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from trimtab.rules import band_theory, trade_costs

Answer = Mapping[str, Any]


def band_exit_time(
    *,
    mu1: Any,
    mu2: Any,
    sigma1: Any,
    sigma2: Any,
    rho: Any,
    w0: Any,
    lower: Any,
    upper: Any,
) -> Answer:
    found = band_theory.band_exit(
        band_theory.Part(float(mu1), float(sigma1)),
        band_theory.Part(float(mu2), float(sigma2)),
        correlation=float(rho),
        weight=float(w0),
        band=(float(lower), float(upper)),
    )
    years = found.years if math.isfinite(found.years) else None
    return {"p_upper": found.upper, "mean_years": years}


def no_trade_region(*, mu_excess: Any, sigma: Any, gamma: Any, eps: Any) -> Answer:
    return band_theory.no_trade_region(
        float(mu_excess), float(sigma), risk_aversion=float(gamma), spread=float(eps)
    )._asdict()


def excess_growth_rate(*, weights: Sequence[Any], cov: Sequence[Sequence[Any]]) -> Answer:
    rows = [[float(one) for one in row] for row in cov]
    found = band_theory.excess_growth_rate([float(one) for one in weights], rows)
    return {"excess_growth": found}


def constant_mix_terminal(
    *,
    w0: Any,
    weight: Any,
    s_ratio: Any,
    r: Any,
    sigma: Any,
    T: Any,  # noqa: N803  the case's word
) -> Answer:
    value = band_theory.constant_mix(
        float(w0),
        [float(weight)],
        [float(s_ratio)],
        covariance=[[float(sigma) ** 2]],
        rate=float(r),
        years=float(T),
    )
    return {"value": value}


def trade_cost_bps(
    *,
    spread_bps: Any,
    sigma_daily: Any,
    qty: Any,
    adv: Any,
    Y: Any = 1.0,  # noqa: N803  the case's word
    fee_bps: Any = 0.0,
) -> Answer:
    found = trade_costs.trade_cost(
        float(qty),
        spread_bps=float(spread_bps),
        volatility_daily=float(sigma_daily),
        volume_daily=float(adv),
        impact_factor=float(Y),
        fee_bps=float(fee_bps),
    )
    return {f"{name}_bps": part for name, part in found._asdict().items()}


def almgren_2005(
    *,
    shares: Any,
    adv: Any,
    shares_out: Any,
    sigma_daily: Any,
    T_days: Any,  # noqa: N803  the case's word
) -> Answer:
    found = trade_costs.market_impact(
        float(shares),
        volume_daily=float(adv),
        units_outstanding=float(shares_out),
        volatility_daily=float(sigma_daily),
        days=float(T_days),
    )
    return {f"{name}_bps": part for name, part in found._asdict().items()}


def roll_spread(*, prices: Sequence[Any]) -> Answer:
    found = trade_costs.roll_spread([float(price) for price in prices])
    return {"autocov": found.autocovariance, "spread": found.spread}


ADAPTERS: dict[str, Callable[..., Answer]] = {
    adapter.__name__: adapter
    for adapter in (
        band_exit_time,
        no_trade_region,
        excess_growth_rate,
        constant_mix_terminal,
        trade_cost_bps,
        almgren_2005,
        roll_spread,
    )
}
