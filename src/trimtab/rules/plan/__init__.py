"""From drift to trades: sells before buys, each account within its own cash, lot by lot."""

from trimtab.rules.plan.apply import apply_trades
from trimtab.rules.plan.make import describe, make_plan, plan_id
from trimtab.rules.plan.table import Planning

__all__ = ["Planning", "apply_trades", "describe", "make_plan", "plan_id"]
