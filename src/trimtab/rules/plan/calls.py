"""What calls for a plan: a class out of its band, cash that is due, losses, idle cash."""

from enum import Enum

from trimtab.domain.numbers import ZERO, Money
from trimtab.domain.trades import BandState, Drift
from trimtab.domain.values import AccountKind, Snapshot
from trimtab.rules.holdings import Holdings, cash_class
from trimtab.rules.plan.planning import Planning, grain, is_clearly_light, set_aside


class Call(Enum):
    """What calls for a plan: a class out of its band, cash to raise, losses to take, idle cash."""

    CORRECT = "correct"
    RAISE = "raise"
    HARVEST = "harvest"
    INVEST = "invest"


def calls_of(
    snapshot: Snapshot, planning: Planning, held: Holdings, *, corrects: bool = True
) -> frozenset[Call]:
    """What calls for a plan now; unless it *corrects*, no class out of its band does."""
    calls = set()
    total = held.total - set_aside(snapshot, planning.policy, held, planning.due)
    if corrects and any(_is_out(snapshot, planning, one, total) for one in planning.drifts):
        calls.add(Call.CORRECT)
    is_due = any(
        held.free[name] - held.short.get(name, ZERO) < amount
        for name, amount in planning.due.items()
        if name in held.free and name not in planning.closed
    )
    if is_due or (Call.CORRECT in calls and _could_fill_a_reserve(snapshot, planning, held)):
        calls.add(Call.RAISE)
    if planning.policy.plan.harvests == "always":
        calls.add(Call.HARVEST)
    if _has_idle_cash(snapshot, planning, held):
        calls.add(Call.INVEST)
    return frozenset(calls)


def _could_fill_a_reserve(snapshot: Snapshot, planning: Planning, held: Holdings) -> bool:
    """Whether an account lacks of its reserve and holds something that could be sold for it."""
    short = held.short.keys() - planning.closed.keys()
    return any(lot.account in short for lot in snapshot.lots)


def _is_out(snapshot: Snapshot, planning: Planning, drift: Drift, total: Money) -> bool:
    """Whether a class under correction is further from its part of *total* than a grain."""
    if drift.state is not BandState.CORRECTING:
        return False
    name, value = drift.asset_class, drift.value
    goal = planning.targets[name] * total
    slack = planning.destination * drift.half_width * total
    return abs(value - goal) - slack > grain(snapshot, planning, name, value, goal)


def _has_idle_cash(snapshot: Snapshot, planning: Planning, held: Holdings) -> bool:
    """Whether cash that belongs to no class is worth an order."""
    if cash_class(planning.policy, snapshot.base_currency) is not None:
        return False
    least = planning.policy.orders.invest_cash_from
    idle = {
        kind: sum(
            (
                held.free[name] - planning.due.get(name, ZERO)
                for name, account in snapshot.accounts.items()
                if name not in planning.closed and (account.kind is AccountKind.CRYPTO) == kind
            ),
            ZERO,
        )
        for kind in (False, True)
    }
    if idle[False] > 0 and idle[False] >= least:
        return True
    return (
        idle[True] > 0
        and idle[True] >= least
        and any(
            is_clearly_light(planning, name, held.values[name], held.total)
            for name, rule in planning.policy.classes.items()
            if any(is_coin(snapshot, symbol) for symbol in rule.members)
        )
    )


def is_coin(snapshot: Snapshot, symbol: str) -> bool:
    """Whether *symbol* is a coin, which wallets hold and nothing else does."""
    known = snapshot.instruments.get(symbol)
    return known is not None and known.kind.value == "crypto"
