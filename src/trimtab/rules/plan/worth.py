"""Why what could be traded is not: it mends less than it costs, or the day has its limits."""

from collections.abc import Sequence
from typing import NamedTuple

from trimtab.domain.numbers import ZERO, Money
from trimtab.domain.policy import Policy
from trimtab.domain.trades import Side, Trade
from trimtab.rules.words import money

_NEARLY = 0.99
"""What of a limit counts as all of it, for the whole steps of orders."""


class TooSoon(NamedTuple):
    """A second plan of a day that would have `moved` so much, where `least` is asked of it."""

    moved: Money
    least: Money

    def told(self, currency: str) -> str:
        """Why it waits for the next day."""
        return (
            f"a second plan of a day must move {money(self.least, currency)}, a twentieth of what "
            f"was traded before it, and this one would move {money(self.moved, currency)}: it "
            "waits for another day"
        )


class Worth(NamedTuple):
    """Why *trades* leave undone what could be done; they sell `turnover_most` at the most."""

    trades: Sequence[Trade]
    policy: Policy
    currency: str
    turnover_most: float
    too_soon: TooSoon | None

    def of_a_sale(self) -> str:
        """Why what may be sold, and could buy what is light, stays."""
        plan = self.policy.plan
        if self.too_soon is not None:
            return self.too_soon.told(self.currency)
        if self._is_at_turnover():
            return "more is not sold in one day than the policy's turnover_max lets"
        if plan.drift_price == 0:
            return "the policy's drift_price is 0, so that no drift is worth what a sale costs"
        if not self._sells and plan.sell_least > 0:
            least = money(plan.sell_least, self.currency)
            return f"no sale is worth the {least} that the policy asks of it (sell_least)"
        costs = "tax, trading, the order itself" if plan.order_cost > 0 else "tax, trading"
        if not self._sells:
            return (
                f"a sale would mend too little drift for what it costs in {costs} and whole steps"
            )
        return f"another unit sold would mend less drift than it costs in {costs} and whole steps"

    def of_a_purchase(self) -> str:
        """Why cash that is there does not buy what is light."""
        plan = self.policy.plan
        if self.too_soon is not None:
            return self.too_soon.told(self.currency)
        if plan.drift_price == 0:
            return "the policy's drift_price is 0, so that no drift is worth what a purchase costs"
        costs = "trading, the order itself" if plan.order_cost > 0 else "trading"
        return (
            f"a purchase would mend too little drift for what it costs in {costs} and whole steps"
        )

    @property
    def _sells(self) -> bool:
        return any(trade.side is Side.SELL for trade in self.trades)

    def _is_at_turnover(self) -> bool:
        """Whether the sales of today come to what the policy lets, but for less than an order."""
        most = self.turnover_most
        sold = float(sum((trade.value for trade in self.trades if trade.side is Side.SELL), ZERO))
        return sold >= most * _NEARLY or most - sold < float(self.policy.orders.minimum)
