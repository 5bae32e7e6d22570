"""What new money may buy without a sale, in which accounts, and what lies beside it."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from trimtab.domain.numbers import BASIS_POINT, ONE, ZERO, Money, Weight
from trimtab.domain.policy import Policy
from trimtab.domain.values import AccountKind, Snapshot
from trimtab.rules.holdings import cash_class, may_hold


class Purchase(NamedTuple):
    """How a class may be bought.

    One of value takes `most` of cash at the limit, fees included; an order leaves up to a `step` of
    money unspent. `limits` are the part of the whole up to which each symbol may be bought and what
    is held of it, None where one has no limit; `accounts` are those that may hold it, a taxed one
    first.
    """

    most: Weight
    step: Money
    limits: tuple[tuple[Weight, Money], ...] | None
    accounts: tuple[str, ...]

    def room(self, worth: Money) -> Money | None:
        """How much may be bought in a household that is then *worth* so much; None for any."""
        if self.limits is None:
            return None
        return sum((max(ZERO, part * worth - held) for part, held in self.limits), ZERO)


class Means(NamedTuple):
    """What there is to buy with beside a deposit, and what may be bought.

    `coming` is by account what will soon be there. `idle` are the dollars of each wallet that count
    in nothing yet, since they buy nothing but coins there: they are spent together with a deposit.
    """

    purchases: Mapping[str, Purchase]
    coming: Mapping[str, Money]
    idle: Mapping[str, Money]

    def buyers(self, names: Collection[str]) -> list[str]:
        """The accounts that may buy every one of the classes *names*, the one to pay into first.

        Where nothing must be bought, those in which idle cash is a part of the savings.
        """
        lists = [self.purchases[one].accounts for one in names if one in self.purchases]
        if not names:
            found = [one for each in self.purchases.values() for one in each.accounts]
            return [one for one in dict.fromkeys(found) if one not in self.idle]
        if len(lists) < len(names):
            return []
        found = [one for one in lists[0] if all(one in other for other in lists)]
        return sorted(found, key=lambda one: -self.idle.get(one, ZERO))

    def coming_to(self, buyers: Collection[str]) -> tuple[Money, Money]:
        """What is coming into *buyers*, and what elsewhere makes the savings larger beside it."""
        within = sum((self.coming[one] for one in self.coming if one in buyers), ZERO)
        beside = self.coming.keys() - {*buyers} - self.idle.keys()
        return within, sum((self.coming[one] for one in beside), ZERO)


def purchases_of(
    snapshot: Snapshot, policy: Policy, closed: Collection[str], *, forbids_risky: bool
) -> dict[str, Purchase]:
    """The classes that may be bought, with new money in an account that is not *closed*.

    *forbids_risky* leaves only the safe ones. Where the policy pays nothing for drift, none is.
    """
    currency = snapshot.base_currency
    in_cash = cash_class(policy, currency)
    found = {}
    for name, rule in policy.classes.items():
        if name == in_cash:
            found[name] = Purchase(ONE, ZERO, None, _ranked(snapshot, snapshot.accounts, closed))
        elif policy.plan.drift_price > 0 and not (forbids_risky and rule.is_risky(currency)):
            bought = _purchase(snapshot, policy, rule.members, closed)
            if bought is not None:
                found[name] = bought
    return found


def _purchase(
    snapshot: Snapshot, policy: Policy, members: Sequence[str], closed: Collection[str]
) -> Purchase | None:
    """How any of *members* may be bought, the dearest and coarsest of them counted."""
    margin = (policy.orders.fee_buffer_bps + policy.orders.slippage_max_bps) * BASIS_POINT
    symbols, accounts = [], set()
    for symbol in members:
        if symbol in policy.orders.no_buy or symbol not in snapshot.quotes:
            continue
        holders = {
            name
            for name, account in snapshot.accounts.items()
            if name not in closed and may_hold(account.kind, snapshot.instruments[symbol])
        }
        if holders:
            symbols.append(symbol)
            accounts |= holders
    if not symbols:
        return None
    quotes = [snapshot.quotes[symbol] for symbol in symbols]
    parts = policy.plan.holdings_max
    limits = None
    if all(symbol in parts for symbol in symbols):
        held = dict.fromkeys(symbols, ZERO)
        for lot in snapshot.lots:
            if lot.symbol in held:
                held[lot.symbol] += lot.quantity * snapshot.price(lot.symbol)
        limits = tuple((parts[symbol], held[symbol]) for symbol in symbols)
    return Purchase(
        most=max(quote.ask / quote.price * (ONE + margin) for quote in quotes),
        step=max(
            snapshot.instruments[quote.symbol].step * quote.ask * (ONE + margin) for quote in quotes
        ),
        limits=limits,
        accounts=_ranked(snapshot, accounts, closed),
    )


def _ranked(snapshot: Snapshot, names: Collection[str], closed: Collection[str]) -> tuple[str, ...]:
    """Those of the accounts *names* that are not *closed*: taxed ones, others, wallets last."""
    kinds = {name: one.kind for name, one in snapshot.accounts.items() if name in names}
    return tuple(
        sorted(
            (name for name in kinds if name not in closed),
            key=lambda name: (kinds[name] is AccountKind.CRYPTO, not kinds[name].is_taxed, name),
        )
    )
