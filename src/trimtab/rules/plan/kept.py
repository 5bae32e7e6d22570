"""Why a lot may not be sold now: unsettled money, a loss that would be washed, a list."""

from typing import NamedTuple

from trimtab.domain.values import Lot, LotPiece, ScheduledPurchase, Snapshot, trade_date
from trimtab.rules.plan.planning import Planning
from trimtab.rules.tax.grouping import group_names


class Kept(NamedTuple):
    """A lot that is kept, and why, in one sentence."""

    lot: Lot
    sentence: str


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
            self.scheduled.setdefault(self._key(one.account, one.symbol), one)

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
        own = lot.lot_id if isinstance(lot, LotPiece) else lot.id
        name = f"{lot.symbol} of {lot.acquired} in {lot.account} is kept:"
        recent = self.planning.recent.get((self.planning.taxpayers[lot.account], lot.symbol), ())
        others = [other for other in recent if not other.covers(lot.account, own)]
        if others:
            other = others[-1]
            return Kept(
                lot,
                f"{name} {other.symbol} was bought in {other.account} on {other.acquired}, so its "
                "loss would be a wash sale.",
            )
        one = self.scheduled.get(self._key(lot.account, lot.symbol))
        if one is None:
            return None
        return Kept(
            lot,
            f"{name} {one.symbol} will be bought by itself in {one.account} on {one.date}, so its "
            "loss would be a wash sale.",
        )

    def _key(self, account: str, symbol: str) -> tuple[str, str]:
        """Whose it is, and the name of all that counts as identical to it."""
        return self.planning.taxpayers.get(account, account), self.names.get(symbol, symbol)
