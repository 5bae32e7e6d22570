"""Where to buy: the member that the policy names first, in the account that has the cash today."""

from collections.abc import Mapping, Sequence

import numpy as np

from trimtab.domain.numbers import ONE, ZERO, Money, Weight, to_decimal
from trimtab.domain.values import Snapshot
from trimtab.rules.holdings import class_of
from trimtab.rules.plan.layout import Layout
from trimtab.rules.plan.permitted import Place
from trimtab.rules.plan.planning import Planning, margin_of
from trimtab.rules.plan.problem import Floats
from trimtab.rules.plan.spendable import after_sales
from trimtab.rules.plan.steps import Order


class Buyable:
    """The places where one household may buy beside what it sells."""

    def __init__(
        self, snapshot: Snapshot, planning: Planning, layout: Layout, sold: Floats
    ) -> None:
        """*sold* (L,) are the dollars that are sold of each lot."""
        self.snapshot, self.planning, self.layout = snapshot, planning, layout
        self.classes, self.margin = class_of(planning.policy), margin_of(planning.policy)
        self.options = {place: row for row, place in enumerate(layout.options)}
        self.barred = self._barred(sold)

    def _barred(self, sold: Floats) -> set[tuple[str, int]]:
        """Groups that may not be bought, by account: sold there, or at a loss anywhere."""
        problem, accounts = self.layout.problem, self.layout.accounts
        lots, twin_of = problem.lots, problem.groups.twin[problem.places.group]
        is_sold = sold > 0
        lost = np.unique(twin_of[lots.place[is_sold & lots.is_loss]]).tolist()
        places = np.unique(lots.place[is_sold])
        here = zip(problem.places.account[places].tolist(), twin_of[places].tolist(), strict=True)
        return {
            *((account, twin) for account in accounts for twin in lost),
            *((accounts[row], twin) for row, twin in here),
        }

    def preferred(self, bought: Floats) -> dict[Place, Money]:
        """Dollars to buy by place; of two members that may be bought, the one named first.

        A member that is sold at a loss has no purchase in the household, and one that is sold in
        the account none there.
        """
        wanted: dict[Place, Money] = {}
        for row in np.flatnonzero(bought > 0).tolist():
            chosen = self._first_named(self.layout.options[row])
            wanted[chosen] = wanted.get(chosen, ZERO) + to_decimal(float(bought[row]))
        return wanted

    def is_first_named(self, place: Place) -> bool:
        """Whether nothing bars *place*, nor any member that the policy names before it."""
        return not self._is_barred(place) and self._first_named(place) == place

    def _first_named(self, place: Place) -> Place:
        """Where the member that the policy names first, of those that may be bought, is bought."""
        account, symbol = place
        members = self.planning.policy.classes[self.classes[symbol]].members
        most = self.layout.problem.options.most
        better = (
            (account, member)
            for member in members[: members.index(symbol)]
            if (account, member) in self.options
            and not self._is_barred((account, member))
            and most[self.options[account, member]] == np.inf
        )
        return next(better, place)

    def _is_barred(self, place: Place) -> bool:
        problem = self.layout.problem
        group = problem.places.group[problem.options.place[self.options[place]]]
        return (place[0], int(problem.groups.twin[group])) in self.barred

    def sooner(
        self, wanted: Mapping[Place, Money], sales: Sequence[Order], free: Mapping[int, Money]
    ) -> dict[Place, Money]:
        """*wanted*, bought where the cash is there today rather than where it will come.

        Else one look would wait for money in one account, and the next find it in another. *free*
        is what each account may spend today, less what *sales* bring.
        """
        options, accounts = self.layout.problem.options, self.layout.accounts
        in_total = self.layout.problem.in_total
        account_of = self.layout.problem.places.account[options.place]
        bare = options.cost + self.layout.idle[account_of] * options.cash
        spare = after_sales(free, sales)
        number = {account: row for row, account in enumerate(accounts)}
        for place, dollars in wanted.items():
            spare[number[place[0]]] -= dollars * self._cash_of(place[1])
        moved = dict(wanted)
        for place in sorted(wanted):
            of, symbol = number[place[0]], place[1]
            cost = bare[self.options[place]]
            for to, account in enumerate(accounts):
                other = account, symbol
                row = self.options.get(other)
                if spare[of] >= 0 or spare[to] <= 0 or row is None or bare[row] > cost:
                    continue
                if self._is_barred(other) or in_total[to] != in_total[of]:
                    continue
                cash = self._cash_of(symbol)
                dollars = min(moved[place], -spare[of] / cash, spare[to] / cash)
                moved[place] -= dollars
                moved[other] = moved.get(other, ZERO) + dollars
                spare[of] += dollars * cash
                spare[to] -= dollars * cash
        return {place: dollars for place, dollars in moved.items() if dollars > 0}

    def _cash_of(self, symbol: str) -> Weight:
        """Cash to keep ready for a dollar's worth, at the middle price."""
        return self.snapshot.quotes[symbol].ask * (ONE + self.margin) / self.snapshot.price(symbol)
