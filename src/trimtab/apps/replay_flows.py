"""[[contributions]] and [[withdrawals]] in a replay: moved on their days, as the owner would.

A day without a session has its money moved on the next one, before that session is decided, so
that plans are made with the money that is there.
"""

import datetime as dt
from collections.abc import Iterable
from typing import NamedTuple

from msgspec.structs import replace

from trimtab.apps.world import House
from trimtab.domain.numbers import CENT, Money, round_to_step
from trimtab.domain.values import ScheduledFlow
from trimtab.lab.paper import PaperBroker
from trimtab.rules.schedule import flows_due, kept_until


class Moved(NamedTuple):
    """What moved on one session: what came in, what went out, and what nobody waits for any more.

    All amounts are positive; those of `untaken` are what a withdrawal lacked to the end.
    """

    paid_in: tuple[ScheduledFlow, ...] = ()
    taken_out: tuple[ScheduledFlow, ...] = ()
    untaken: tuple[ScheduledFlow, ...] = ()


class Mover:
    """Moves what the household's own rules say, each sum once, through the paper broker.

    A withdrawal takes what is settled and free. What is missing then is taken as soon as it is
    there, as long as plans keep cash for it, at last before the session that keeps none.
    """

    def __init__(self, house: House, start: dt.date) -> None:
        """Begin with what is due on *start*."""
        broker = house.brokers["paper"]
        assert isinstance(broker, PaperBroker), "a replay trades on paper"
        self._broker = broker
        self._rules = house.file
        self._currency = house.file.household.base_currency
        self._days = house.file.plan.raise_cash_days
        self._until = start - dt.timedelta(days=1)
        self._waiting: tuple[ScheduledFlow, ...] = ()

    def move(self, session: dt.date) -> Moved:
        """Pay in, then take out, what has become due by *session* and was not moved yet."""
        paid_in = flows_due(self._rules.contributions, self._until, session)
        for flow in paid_in:
            self._broker.deposit(flow.account, flow.amount, self._currency)
        due = flows_due(self._rules.withdrawals, self._until, session)
        self._until = session
        asked = (*self._waiting, *due)
        taken = [replace(flow, amount=self._take(flow)) for flow in asked]
        missing = [
            replace(flow, amount=flow.amount - one.amount)
            for flow, one in zip(asked, taken, strict=True)
        ]
        self._waiting = _some(one for one in missing if session <= self._last(one))
        untaken = _some(one for one in missing if session > self._last(one))
        return Moved(paid_in, _some(taken), untaken)

    def give_up(self) -> tuple[ScheduledFlow, ...]:
        """What withdrawals still lack at the end."""
        waiting, self._waiting = self._waiting, ()
        return waiting

    def _last(self, flow: ScheduledFlow) -> dt.date:
        return kept_until(flow.date, self._days)

    def _take(self, flow: ScheduledFlow) -> Money:
        """Take out of *flow* what is there, in whole cents, and say how much that was."""
        free = round_to_step(self._broker.free_to_leave(flow.account, self._currency), CENT)
        amount = min(flow.amount, free)
        if amount > 0:
            self._broker.deposit(flow.account, -amount, self._currency)
        return amount


def _some(flows: Iterable[ScheduledFlow]) -> tuple[ScheduledFlow, ...]:
    return tuple(flow for flow in flows if flow.amount > 0)
