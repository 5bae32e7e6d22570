"""The worked cases once more, as whole households: what a turn decides for them, scored alike.

The scorer counts drift before trading costs are paid, a household after: what is idle for costs of
20 dollars is ten dollars of drift at a price of 0.5. So a decision may lie that much above.
"""

import datetime as dt
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from msgspec.structs import replace
from tests.answers.planner.evaluate import evaluate
from tests.answers.test_planner import BEST, CASES, GAP_MOST, at_each_price, each_case
from tests.houses import START
from tests.rules.homes import TODAY, Home
from tests.rules.plan_homes import household, realized

from trimtab.domain.numbers import ONE, ZERO
from trimtab.domain.policy import (
    ClassRule,
    FlowRule,
    HarvestRule,
    OrderRule,
    PlanRule,
    TaxRule,
)
from trimtab.domain.trades import Decision, Disposal, Side, Term
from trimtab.domain.values import Lot, Quote

GAINS_SO_FAR = 10**8
"""So great that every loss of a case saves its term's own rate, as the scorer has it."""
Case = dict[str, Any]


def _exact(number: float) -> Decimal:
    return Decimal(repr(number))


def _home(case: Case, drift_price: float) -> Home:
    """The account of *case* on the day that tests take for today; every age stays what it is."""
    later = TODAY - dt.date.fromisoformat(case["date"])
    prices = {one["symbol"]: _exact(one["price"]) for one in case["securities"]}
    home = household(
        [_lot(lot, later) for lot in case["lots"]],
        {"taxable": _exact(case["account"]["cash"])},
        classes=_classes(case),
        prices={symbol: str(price) for symbol, price in prices.items()},
        step=str(ONE.scaleb(-case["rules"]["qty_decimals"])),
        orders=OrderRule(
            minimum=_exact(case["rules"]["min_trade"]),
            slippage_max_bps=ZERO,
            fee_buffer_bps=ZERO,
            invest_cash_from=ZERO,
            no_buy=tuple(case["restrictions"]["no_buy"]),
            no_sell=tuple(case["restrictions"]["no_sell"]),
        ),
        plan=PlanRule(drift_price=_exact(drift_price), location_years=0),
        tax=_tax(case),
        harvest=HarvestRule(
            loss_min_january=ZERO, loss_min_december=ZERO, minimum=ZERO, discount_rate=ZERO
        ),
        disposals=(
            *(realized(GAINS_SO_FAR, term) for term in Term),
            *(_sold(number, lot, later) for number, lot in enumerate(case["closed_lots"])),
        ),
        withdrawals=_withdrawals(case),
    )
    quotes = {}
    for one in case["securities"]:
        price, spread = prices[one["symbol"]], _exact(one["spread"])
        quotes[one["symbol"]] = Quote(
            symbol=one["symbol"],
            bid=price * (ONE - spread),
            ask=price * (ONE + spread),
            at=START,
            session=TODAY,
        )
    return home._replace(snapshot=replace(home.snapshot, quotes=quotes))


def _lot(lot: Case, later: dt.timedelta) -> Lot:
    day = dt.date.fromisoformat(lot["acquired"]) + later
    quantity = _exact(lot["qty"])
    return Lot(
        id=lot["id"],
        account="taxable",
        symbol=lot["symbol"],
        quantity=quantity,
        basis=quantity * _exact(lot["unit_cost"]),
        acquired=day,
        holding_since=day,
    )


def _sold(number: int, lot: Case, later: dt.timedelta) -> Disposal:
    bought = dt.date.fromisoformat(lot["acquired"]) + later
    return Disposal(
        id=f"sold-{number}",
        account="taxable",
        symbol=lot["symbol"],
        lot_id=f"gone-{number}",
        quantity=_exact(lot["qty"]),
        acquired=bought,
        holding_since=bought,
        sold=dt.date.fromisoformat(lot["sold"]) + later,
        proceeds=_exact(lot["proceeds"]),
        basis=_exact(lot["cost"]),
        term=Term.SHORT,
        is_taxed=True,
    )


def _classes(case: Case) -> dict[str, ClassRule]:
    """The classes of *case*, with cash as one and each symbol outside them as one that must go."""
    found = {
        one["name"]: ClassRule(target=_exact(one["target"]), members=tuple(one["members"]))
        for one in case["classes"]
    }
    cash = _exact(case["cash_target"])
    first, rest = next(iter(found)), ONE - cash - sum((one.target for one in found.values()), ZERO)
    found[first] = replace(found[first], target=found[first].target + rest)
    if cash > 0:
        found["cash"] = ClassRule(target=cash, members=("USD",), risk="safe")
    members = {symbol for one in found.values() for symbol in one.members}
    outside = {lot["symbol"] for lot in case["lots"]} - members
    return found | {f"outside {one}": ClassRule(target=ZERO, members=(one,)) for one in outside}


def _tax(case: Case) -> TaxRule:
    groups: dict[str, list[str]] = {}
    for one in case["securities"]:
        groups.setdefault(one.get("identical_group") or one["symbol"], []).append(one["symbol"])
    return TaxRule(
        filing_status="single",
        short_term_rate=_exact(case["tax"]["short_term"]),
        long_term_rate=_exact(case["tax"]["long_term"]),
        later_rate=ZERO,
        identity="same_security",
        identical=tuple(tuple(group) for group in groups.values() if len(group) > 1),
    )


def _withdrawals(case: Case) -> tuple[FlowRule, ...]:
    amount = _exact(case["account"].get("withdrawal") or 0.0)
    return (FlowRule(account="taxable", amount=amount, first=TODAY),) if amount > 0 else ()


@cache
def _decided(name: str, drift_price: float) -> Decision:
    return _home(CASES[name], drift_price).decide()


def _trades(decision: Decision) -> list[Case]:
    trades: list[Case] = []
    for trade in () if decision.plan is None else decision.plan.trades:
        if trade.side is Side.BUY:
            told = {"side": "buy", "symbol": trade.symbol, "qty": float(trade.quantity)}
            trades.append(told)
        trades += [
            {
                "side": "sell",
                "symbol": trade.symbol,
                "lot": pick.lot_id,
                "qty": float(pick.quantity),
            }
            for pick in trade.lots
        ]
    return trades


@at_each_price
@each_case
def test_a_turn_decides_as_well_as_the_best_known_answer(name, drift_price):
    case = CASES[name]
    known = BEST.get(case["id"], {}).get("best_known", [])
    best = next((row for row in known if row["drift_price"] == drift_price), None)
    if best is None:
        pytest.skip("no best answer is known")
    scored = evaluate(case, _trades(_decided(name, drift_price)), drift_price)
    assert scored["feasible_strict"], scored["violations"] + scored["rounding_faults"]
    assert (scored["wash_disallowed"], scored["wash_prior_spoiled"]) == (0, 0), scored["washed"]
    for_costs = scored["trading_cost"] * drift_price
    above = (scored["score"] - for_costs - best["score"]) / scored["value_after"]
    assert above <= GAP_MOST, f"{1e4 * above:.3f} basis points above {best['score']}"


@at_each_price
@each_case
def test_a_turn_proves_what_it_decides(name, drift_price):
    plan = _decided(name, drift_price).plan
    assert plan is not None
    assert plan.certificate is not None
    assert ZERO <= plan.certificate.gap_bps <= Decimal("0.5")
