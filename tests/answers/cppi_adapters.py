"""The worked cases of CPPI and of the operating reserve, from their words to the library's."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from trimtab.domain.aims import CppiRule, FloorKind
from trimtab.domain.numbers import ONE
from trimtab.rules.reserve import present_value
from trimtab.rules.targets.cppi import exposure, multiplier_max, path
from trimtab.rules.targets.cppi_risk import Market, continuous, gap_risk, jump_gap

Answer = Mapping[str, Any]
_KINDS: dict[str, FloorKind] = {
    "constant": "fixed",
    "fixed": "fixed",
    "accrue": "accruing",
    "discounted": "dated",
    "tipp": "ratchet",
}


def cppi_exposure(*, value: Any, floor: Any, m: Any, max_leverage: Any = ONE) -> Answer:
    worth, least = _decimal(value), _decimal(floor)
    risked = exposure(worth, least, _decimal(m), _optional(max_leverage))
    return {"cushion": worth - least, "exposure": risked, "safe": worth - risked}


def cppi_path(
    *,
    v0: Any,
    floor0: Any,
    m: Any,
    risky_returns: Sequence[Any],
    rf: Any = 0,
    max_leverage: Any = ONE,
    floor_mode: str = "constant",
    tipp_pct: Any = None,
) -> Answer:
    rule = CppiRule(
        floor=_KINDS[floor_mode],
        amount=_optional(floor0),
        keeps=_optional(tipp_pct),
        multiplier=_decimal(m),
        cap=_optional(max_leverage),
    )
    risky = [_decimal(one) for one in risky_returns]
    safe = [_decimal(one) for one in rf] if isinstance(rf, list) else [_decimal(rf)] * len(risky)
    walked = path(rule, _decimal(v0), risky, safe)
    return {
        "values": list(walked.values),
        "floors": list(walked.floors),
        "exposures": list(walked.exposures),
        "breach_periods": list(walked.breaches),
    }


def cppi_continuous(
    *,
    v0: float,
    guarantee: float,
    T: float,  # noqa: N803  the case's word
    r: float,
    sigma: float,
    m: float,
    s_ratio: float,
    mu: float,
) -> Answer:
    found = continuous(
        float(v0),
        float(guarantee),
        years=float(T),
        market=Market(mu=float(mu), sigma=float(sigma), rate=float(r)),
        multiplier=float(m),
        ratio=float(s_ratio),
    )
    return {
        "cushion0": found.cushion,
        "terminal": found.terminal,
        "mean_terminal": found.mean,
        "std_terminal": found.std,
    }


def cppi_gap_gbm(
    *,
    v0: float,
    guarantee: float,
    T: float,  # noqa: N803  the case's word
    n: int,
    mu: float,
    sigma: float,
    r: float,
    m: float,
) -> Answer:
    found = gap_risk(
        float(v0),
        float(guarantee),
        years=float(T),
        steps=int(n),
        market=Market(mu=float(mu), sigma=float(sigma), rate=float(r)),
        multiplier=float(m),
    )
    return {
        "p_step": found.step,
        "p_shortfall": found.shortfall,
        "mean_terminal": found.mean,
        "expected_shortfall": found.expected_shortfall,
    }


def cppi_gap_jump(**inputs: Any) -> Answer:
    """Takes its inputs as they come: `lambda` is no name in Python."""
    gap, breach = jump_gap(
        jumps_yearly=float(inputs["lambda"]),
        years=float(inputs["T"]),
        multiplier=float(inputs["m"]),
        jump_mean=float(inputs["mu_jump"]),
        jump_std=float(inputs["sigma_jump"]),
    )
    return {"p_jump_gap": gap, "p_breach": breach}


def cppi_max_multiplier(*, worst_period_loss: Any) -> Answer:
    return {"m_max": multiplier_max(_decimal(worst_period_loss))}


def expense_floor(
    *,
    monthly_cost: Any,
    months: int,
    monthly_growth: Any = 0,
    monthly_rate: Any = 0,
    timing: Any = "begin",
) -> Answer:
    floor = present_value(
        _decimal(monthly_cost),
        int(months),
        monthly_growth=_decimal(monthly_growth),
        monthly_rate=_decimal(monthly_rate),
        timing=timing,
    )
    return {"floor": floor}


ADAPTERS: dict[str, Callable[..., Answer]] = {
    adapter.__name__: adapter
    for adapter in (
        cppi_exposure,
        cppi_path,
        cppi_continuous,
        cppi_gap_gbm,
        cppi_gap_jump,
        cppi_max_multiplier,
        expense_floor,
    )
}


def _optional(number: Any) -> Decimal | None:
    return None if number is None else _decimal(number)


def _decimal(number: Any) -> Decimal:
    """A number by its shortest digits: 0.1 means a tenth, whether written as text or not."""
    return number if isinstance(number, Decimal) else Decimal(str(number))
