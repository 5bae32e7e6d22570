"""What each class and cash should hold in dollars, and what a dollar off that costs."""

from trimtab.domain.numbers import ZERO, Money, to_array, to_float
from trimtab.domain.trades import BandState
from trimtab.rules.plan.permitted import Permitted
from trimtab.rules.plan.problem import Classes, floats


class Goals:
    """The goals of one household. A dollar of drift costs `price` on either side of a trade."""

    def __init__(self, permitted: Permitted) -> None:
        self.permitted, self.planning = permitted, permitted.planning
        self.price = to_float(permitted.policy.plan.drift_price) / 2

    def classes(self, *, aims_at_target: bool) -> Classes:
        """Each class against its goal; money that only buys goes all the way to the targets."""
        permitted, half = self.permitted, self._half_widths()
        names, value = permitted.classes, permitted.value
        held, targets = permitted.held.values, self.planning.targets
        coins = [name for name in names if name in permitted.coins]
        goals = {}
        for name in coins:
            whole = targets[name] * (value + self._wallet_cash())
            goals[name] = max(targets[name] * value, min(held[name], whole))
        leaving = sum((self._leaving(name, goals[name]) for name in coins), ZERO)
        goals |= {name: targets[name] * (value - leaving) for name in names if name not in goals}
        return Classes(
            held=to_array([held[name] for name in names]),
            goal=to_array([goals[name] for name in names]),
            tolerance=to_array([ZERO if aims_at_target else half[name] * value for name in names]),
            weight=floats([self.price * permitted.urgency(name) for name in names]),
        )

    def cash(self) -> Classes:
        """Cash as a class: its own target, or none at all; what closed accounts hold is given."""
        permitted, planning = self.permitted, self.planning
        goal = tolerance = ZERO
        if permitted.cash_name is not None:
            goal = planning.targets[permitted.cash_name] * permitted.value
            tolerance = self._half_widths()[permitted.cash_name] * permitted.value
        goal -= sum((permitted.held.free[name] for name in planning.closed), ZERO)
        counted = (one.id for one in permitted.accounts if permitted.is_in_total(one))
        held = sum((permitted.cash[name] for name in counted), ZERO)
        return Classes(
            held=floats([to_float(held)]),
            goal=floats([to_float(goal)]),
            tolerance=floats([to_float(tolerance)]),
            weight=floats([self.price]),
        )

    def _half_widths(self) -> dict[str, Money]:
        destination = self.planning.destination
        return {drift.asset_class: destination * drift.half_width for drift in self.planning.drifts}

    def _wallet_cash(self) -> Money:
        permitted = self.permitted
        apart = (one.id for one in permitted.accounts if not permitted.is_in_total(one))
        return sum((max(ZERO, permitted.cash[name]) for name in apart), ZERO)

    def _leaving(self, name: str, goal: Money) -> Money:
        """What sales of a class of coins will put into wallets, where no target counts it."""
        permitted = self.permitted
        if permitted.cash_name is not None or permitted.states[name] is not BandState.CORRECTING:
            return ZERO
        return max(ZERO, permitted.held.values[name] - goal)
