"""Why a lot may not be sold now: unsettled money, a loss that would be washed, a list."""

import datetime as dt
from typing import NamedTuple

from trimtab.domain.history import HOUSEHOLD
from trimtab.domain.values import Lot, ScheduledPurchase, Snapshot, trade_date
from trimtab.rules.plan.planning import Planning
from trimtab.rules.tax.grouping import group_names
from trimtab.rules.tax.locks import RecentPurchase
from trimtab.rules.tax.matching import first_safe_day


class Kept(NamedTuple):
    """A lot that is kept, and why, in one sentence; `wash` where its loss would be washed."""

    lot: Lot
    sentence: str
    wash: "Wash | None" = None


class Wash(NamedTuple):
    """The purchase that would wash a loss longest, made or to come, in words.

    `until` is the first day on which it would not; where purchases happen by themselves a later
    one may follow, so that it is the earliest day and `is_open` holds.
    """

    because: str
    until: dt.date
    is_open: bool

    @property
    def lasts(self) -> str:
        """How long it lasts, to be put behind what it forbids."""
        return f"until {self.until}{' at the earliest' if self.is_open else ''}"


def by_the_list(lot: Lot) -> Kept:
    """Nothing of the lot's symbol is sold by the household's own wish."""
    return Kept(lot, f"{lot.symbol} in {lot.account} is kept: it is on the policy's no_sell list.")


def bought_today(lot: Lot) -> Kept:
    """One account does not buy and sell the same on one day."""
    return Kept(
        lot,
        f"{lot.symbol} in {lot.account} is kept today: the same was bought there today, and one "
        "account does not buy and sell the same on one day.",
    )


class KeptLots:
    """What may not be sold now, by lot."""

    def __init__(self, snapshot: Snapshot, planning: Planning) -> None:
        self.planning, self.today = planning, trade_date(snapshot.at)
        self.names = group_names(planning.wash) if snapshot.scheduled else {}
        self.scheduled: dict[tuple[str, str], ScheduledPurchase] = {}
        for one in snapshot.scheduled:
            key = self._key(one.account, one.symbol)
            if key not in self.scheduled or self.scheduled[key].bought_by < one.bought_by:
                self.scheduled[key] = one

    def could_wash(self, place: tuple[str, str]) -> bool:
        """Whether any purchase, made or scheduled, could wash a loss of that account and symbol."""
        recent = self.planning.recent.get((self.planning.taxpayers[place[0]], place[1]))
        return bool(recent) or self._key(*place) in self.scheduled

    def why(self, lot: Lot, *, is_loss: bool) -> Kept | None:
        """Why *lot* stays, or None; *is_loss* says whether section 1091 could reach its sale.

        A purchase within the window forbids a loss even where its units have been sold since; the
        rest of the same purchase does not (Rev. Rul. 56-602).
        """
        if lot.sellable_from is not None and self.today < lot.sellable_from:
            return Kept(
                lot,
                f"{lot.symbol} bought on {lot.acquired} in {lot.account} was paid with unsettled "
                f"money: it is kept until {lot.sellable_from}.",
            )
        if not is_loss:
            return None
        wash = self.wash(lot)
        if wash is None:
            return None
        name = f"{lot.symbol} of {lot.acquired} in {lot.account} is kept:"
        text = f"{name} {wash.because}, so its loss would be a wash sale {wash.lasts}."
        return Kept(lot, text, wash)

    def wash(self, lot: Lot) -> Wash | None:
        """What would wash a loss on *lot*, this plan's own purchases apart; None where nothing."""
        found = [
            Wash(
                f"{other.symbol} was bought in {other.account} on {other.acquired}",
                first_safe_day(other.acquired),
                is_open=False,
            )
            for other in self.recent(lot)
        ]
        one = self.scheduled.get(self._key(lot.account, lot.symbol))
        if one is not None:
            when = "will be bought by itself" if one.bought_by >= self.today else "was to be bought"
            text = f"{one.symbol} {when} in {one.account} on {one.date}"
            found.append(Wash(text, first_safe_day(one.bought_by), is_open=True))
        return max(found, key=lambda wash: wash.until, default=None)

    def recent(self, lot: Lot) -> list[RecentPurchase]:
        """The purchases of the last 30 days that would wash a loss on *lot*, but for its own."""
        return [one for one in self.purchases(lot) if not one.covers(lot.account, lot.root)]

    def purchases(self, lot: Lot) -> tuple[RecentPurchase, ...]:
        """All purchases of the last 30 days of what is identical to *lot*, its own included."""
        taxpayer = self.planning.taxpayers.get(lot.account, HOUSEHOLD)
        return self.planning.recent.get((taxpayer, lot.symbol), ())

    def is_scheduled(self, lot: Lot) -> bool:
        """Whether something identical to *lot* will be bought by itself."""
        return self._key(lot.account, lot.symbol) in self.scheduled

    def _key(self, account: str, symbol: str) -> tuple[str, str]:
        """Whose it is, and the name of all that counts as identical to it."""
        return self.planning.taxpayers.get(account, HOUSEHOLD), self.names.get(symbol, symbol)
