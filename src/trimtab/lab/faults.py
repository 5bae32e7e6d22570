"""What can go wrong between a household and its broker, switched on by rates and a seed.

The paper broker asks a `Faults` at every point where the world can fail. Each fault that is
dealt out is counted, so that a test can assert that it really occurred.
"""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Protocol

from msgspec import Struct
from msgspec.structs import asdict

from trimtab.domain.numbers import Quantity
from trimtab.domain.trades import Activity, Order

if TYPE_CHECKING:
    import numpy as np

Call = Literal["submit", "find", "cancel", "activities", "report"]
"""The calls of the broker port, as points where something can get lost."""


class Faults(Protocol):
    """The switchboard that the paper broker consults; every answer is about one occasion."""

    def loses_request(self, call: Call) -> bool:
        """Whether *call* never reaches the broker: nothing happens, and nobody answers."""
        ...

    def loses_reply(self, call: Call) -> bool:
        """Whether the answer to *call* is lost after the broker has done what was asked."""
        ...

    def rejection(self, order: Order) -> str | None:
        """The sentence with which the broker definitely rejects *order*, or None."""
        ...

    def hides(self, order_id: str) -> bool:
        """Whether an accepted order cannot be seen by this look-up yet."""
        ...

    def portion(self, order: Order, quantity: Quantity, step: Quantity) -> Quantity:
        """How much of *quantity* finds a counterparty now: a multiple of *step*, not zero."""
        ...

    def fills_before_cancel(self, order: Order) -> bool:
        """Whether the rest of *order* fills while the request to cancel it is on its way."""
        ...

    def deliver(self, account: str, activities: Sequence[Activity]) -> Sequence[Activity]:
        """*activities* as they arrive: late, more than once, out of order."""
        ...


class NoFaults:
    """A broker and a line that never fail."""

    def loses_request(self, call: Call) -> bool:
        """Never."""
        del call
        return False

    def loses_reply(self, call: Call) -> bool:
        """Never."""
        del call
        return False

    def rejection(self, order: Order) -> str | None:
        """None: every valid order is accepted."""
        del order
        return None

    def hides(self, order_id: str) -> bool:
        """Never."""
        del order_id
        return False

    def portion(self, order: Order, quantity: Quantity, step: Quantity) -> Quantity:
        """All of it."""
        del order, step
        return quantity

    def fills_before_cancel(self, order: Order) -> bool:
        """Never."""
        del order
        return False

    def deliver(self, account: str, activities: Sequence[Activity]) -> Sequence[Activity]:
        """All of them, once, in order."""
        del account
        return activities


class FaultRates(Struct, frozen=True, kw_only=True):
    """How often each fault is dealt out: the probability on each occasion, 0 to 1.

    `request_lost` and `reply_lost` concern orders and cancels; `unavailable` concerns look-ups,
    activities and reports, which change nothing. An order that is late to be seen hides from 1 to
    `lookups_max` look-ups, a delayed activity from 1 to `deliveries_max` deliveries.
    """

    request_lost: float = 0.0
    reply_lost: float = 0.0
    unavailable: float = 0.0
    rejected: float = 0.0
    hidden: float = 0.0
    partial_fill: float = 0.0
    filled_before_cancel: float = 0.0
    delayed: float = 0.0
    duplicated: float = 0.0
    reordered: float = 0.0
    lookups_max: int = 3
    deliveries_max: int = 3


FAULTS = tuple(name for name in FaultRates.__struct_fields__ if not name.endswith("_max"))
"""The names of all faults, as in `FaultRates` and in `SeededFaults.counts`."""


class SeededFaults:
    """Deals out faults by *rates*; with the same *rng* and the same calls, the same faults.

    `counts` says how often each fault of `FAULTS` occurred. What is still hidden or delayed is
    kept here and not in the broker's books: use one object for all restarts of one rehearsal.
    """

    def __init__(self, rng: "np.random.Generator", rates: FaultRates) -> None:
        assert all(0 <= asdict(rates)[name] <= 1 for name in FAULTS), "a rate is a probability"
        self.counts: Counter[str] = Counter()
        self._rng = rng
        self._rates = rates
        self._lookups_left: dict[str, int] = {}
        self._deliveries_left: dict[tuple[str, str], int] = {}

    def calm(self) -> None:
        """Switch every fault off, for good; what was hidden or delayed becomes visible."""
        self._rates = FaultRates()
        self._lookups_left.clear()
        self._deliveries_left.clear()

    def loses_request(self, call: Call) -> bool:
        """By `request_lost` for a call that changes something, else by `unavailable`."""
        if call in {"submit", "cancel"}:
            return self._strikes("request_lost", self._rates.request_lost)
        return self._strikes("unavailable", self._rates.unavailable)

    def loses_reply(self, call: Call) -> bool:
        """By `reply_lost`, for a call that changes something."""
        return call in {"submit", "cancel"} and self._strikes("reply_lost", self._rates.reply_lost)

    def rejection(self, order: Order) -> str | None:
        """A made-up reason, by `rejected`."""
        if not self._strikes("rejected", self._rates.rejected):
            return None
        return f"Order {order.id} was rejected: {order.symbol} is restricted at this broker today."

    def hides(self, order_id: str) -> bool:
        """Decided by `hidden` at the first look-up of an order, then counted down."""
        if order_id not in self._lookups_left:
            is_late = self._hits(self._rates.hidden)
            self._lookups_left[order_id] = self._up_to(self._rates.lookups_max) if is_late else 0
        if self._lookups_left[order_id] == 0:
            return False
        self._lookups_left[order_id] -= 1
        self.counts["hidden"] += 1
        return True

    def portion(self, order: Order, quantity: Quantity, step: Quantity) -> Quantity:
        """By `partial_fill`, a part of at least one step and less than all."""
        del order
        steps = int(quantity / step)
        if steps < 2 or not self._strikes("partial_fill", self._rates.partial_fill):  # noqa: PLR2004  one step cannot be parted
            return quantity
        return self._up_to(steps - 1) * step

    def fills_before_cancel(self, order: Order) -> bool:
        """By `filled_before_cancel`."""
        del order
        return self._strikes("filled_before_cancel", self._rates.filled_before_cancel)

    def deliver(self, account: str, activities: Sequence[Activity]) -> Sequence[Activity]:
        """By `delayed` (decided when an activity is first due), `duplicated` and `reordered`."""
        arrived: list[Activity] = []
        for activity in activities:
            if self._is_delayed((account, activity.id)):
                continue
            arrived.append(activity)
            if self._strikes("duplicated", self._rates.duplicated):
                arrived.append(activity)
        if len(arrived) > 1 and self._strikes("reordered", self._rates.reordered):
            return [arrived[index] for index in self._derangement(len(arrived))]
        return arrived

    def _is_delayed(self, key: tuple[str, str]) -> bool:
        if key not in self._deliveries_left:
            is_late = self._strikes("delayed", self._rates.delayed)
            self._deliveries_left[key] = self._up_to(self._rates.deliveries_max) if is_late else 0
        if self._deliveries_left[key] == 0:
            return False
        self._deliveries_left[key] -= 1
        return True

    def _derangement(self, count: int) -> list[int]:
        """A random order of *count* things in which the first is never first."""
        order: list[int] = self._rng.permutation(count).tolist()
        return order if order[0] != 0 else order[::-1]

    def _strikes(self, name: str, rate: float) -> bool:
        """Whether the fault *name* occurs now; counted when it does."""
        strikes = self._hits(rate)
        self.counts[name] += int(strikes)
        return strikes

    def _hits(self, rate: float) -> bool:
        return rate > 0 and float(self._rng.random()) < rate

    def _up_to(self, most: int) -> int:
        """A whole number from 1 to *most*."""
        return int(self._rng.integers(1, most, endpoint=True))
