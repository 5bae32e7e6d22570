"""From drift to trades: the cheapest way back over all accounts, with a proof."""

from trimtab.rules.plan.apply import apply_trades
from trimtab.rules.plan.make import Planned, describe, make_plan, plan_id
from trimtab.rules.plan.planning import Planning, may_plan

__all__ = [
    "Planned",
    "Planning",
    "apply_trades",
    "describe",
    "make_plan",
    "may_plan",
    "plan_id",
]
