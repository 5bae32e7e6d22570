"""What each account may spend: with money that will come and settle, or today."""

from collections.abc import Mapping, Sequence

from trimtab.domain.numbers import ZERO, Money
from trimtab.domain.values import Snapshot
from trimtab.rules.plan.layout import Layout
from trimtab.rules.plan.planning import Planning
from trimtab.rules.plan.steps import Order


def must_wait(planning: Planning) -> bool:
    """Whether some purchases may have to wait, for a contribution or for money that settles."""
    return bool(planning.coming) or planning.policy.orders.unsettled == "wait"


def after_sales(free: Mapping[int, Money], sales: Sequence[Order]) -> dict[int, Money]:
    """*free* money by account with what *sales* bring."""
    cash = dict(free)
    for sale in sales:
        cash[sale.account] += sale.steps * sale.unit
    return cash


class Spendable:
    """The money of one household's accounts, by row, but for what is due or kept in reserve."""

    def __init__(self, snapshot: Snapshot, planning: Planning, layout: Layout) -> None:
        self.snapshot, self.planning, self.layout = snapshot, planning, layout

    def in_all(self) -> dict[int, Money]:
        """With what will come and will have settled; but that pays for nothing due before it."""
        free = {}
        for row, account in enumerate(self.layout.accounts):
            there = self._there(account)
            coming = self.planning.coming.get(account, ZERO) if there >= 0 else ZERO
            free[row] = there + coming
        return free

    def today(self, sales: Sequence[Order]) -> dict[int, Money]:
        """What may be spent today, less what *sales* bring."""
        waits = self.planning.policy.orders.unsettled == "wait"
        free = {}
        for row, account in enumerate(self.layout.accounts):
            free[row] = self._there(account)
            if waits:
                brought = sum(
                    (sale.steps * sale.unit for sale in sales if sale.account == row), ZERO
                )
                free[row] = min(free[row], self._settled(account) - brought)
        return free

    def _there(self, account: str) -> Money:
        held = self.layout.held
        short = held.short.get(account, ZERO) + self.planning.due.get(account, ZERO)
        return held.free[account] - short

    def _settled(self, account: str) -> Money:
        base = self.snapshot.base_currency
        settled = sum(
            (
                balance.settled
                for balance in self.snapshot.balances
                if balance.account == account and balance.currency == base
            ),
            ZERO,
        )
        due = self.planning.due.get(account, ZERO)
        held = self.layout.held
        return settled - held.reserves[account] - held.waiting[account] - due
