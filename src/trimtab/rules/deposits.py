"""What new money would mend without a sale: how much, and when no amount would."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from trimtab.domain.numbers import (
    BASIS_POINT,
    CENT,
    ONE,
    ZERO,
    Money,
    Weight,
    round_to_step,
    round_up_to_step,
)
from trimtab.domain.policy import Policy
from trimtab.domain.trades import Drift
from trimtab.domain.values import AccountKind, Balance, Snapshot
from trimtab.rules.drift import least_deposit, least_deposit_into_bands
from trimtab.rules.holdings import cash_class, may_hold
from trimtab.rules.words import listing, money


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


class Deposits(NamedTuple):
    """What new money beyond what is *coming* would mend without a sale.

    `to_target` of the class that has drifted furthest, to its target, `buys_it` where all of it
    must buy that class; `into_bands` of every class, into its band, paid into `account`.
    `is_enough` where what is coming brings them there by itself, and `barred` is why no deposit
    would.
    """

    to_target: tuple[str, Money] | None
    buys_it: bool
    into_bands: Money | None
    account: str
    coming: Money
    is_enough: bool
    barred: str = ""

    def told(self, currency: str) -> str:
        """The deposits in words, each sentence after a space."""
        beyond = f"Beyond the {money(self.coming, currency)} to come, a" if self.coming > 0 else "A"
        text = ""
        if self.to_target is not None:
            name, amount = self.to_target
            use = f", all of it into {name}," if self.buys_it else ""
            text = (
                f" {beyond} deposit of {money(amount, currency)}{use} would bring {name} back to "
                "its target without a sale."
            )
        if self.into_bands is not None:
            text += (
                f" {'A' if text else beyond} deposit of {money(self.into_bands, currency)} in "
                f"{self.account} would bring every class back into its band without a sale."
            )
        if self.is_enough:
            text += (
                f" The {money(self.coming, currency)} to come can bring every class back into its "
                "band without a sale."
            )
        if self.barred:
            text += f" No deposit would bring every class back into its band now: {self.barred}."
        return text


NO_DEPOSITS = Deposits(None, False, None, "", ZERO, is_enough=False)  # noqa: FBT003  a row of values


def purchases_of(
    snapshot: Snapshot, policy: Policy, closed: Collection[str], *, forbids_risky: bool
) -> dict[str, Purchase]:
    """The classes that may be bought, with new money in an account that is not *closed*.

    *forbids_risky* leaves only the safe ones. Where the policy pays nothing for drift, none is.
    """
    in_cash = cash_class(policy, snapshot.base_currency)
    found = {}
    for name, rule in policy.classes.items():
        if name == in_cash:
            found[name] = Purchase(ONE, ZERO, None, _ranked(snapshot, snapshot.accounts, closed))
        elif policy.plan.drift_price > 0 and not (forbids_risky and rule.risk == "risky"):
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
            key=lambda name: (kinds[name] is AccountKind.CRYPTO, not kinds[name].is_taxed),
        )
    )


def deposits_of(
    drifts: Sequence[Drift],
    total: Money,
    coming: Money,
    purchases: Mapping[str, Purchase],
    *,
    destination: Weight,
    pays: bool,
) -> Deposits:
    """What to pay in beyond what is *coming*, in cents; costs and whole steps are counted.

    *total* is what the targets divide. A deposit into the bands is enough however a plan divides it
    among the classes that are below their *destination*, and goes beyond the edges, since a class
    on its edge is still out. None is told where too little may be bought with it, as where the
    policy *pays* nothing for drift.
    """
    to_target, buys_it = _to_target(drifts, total, coming, purchases)
    least = least_deposit_into_bands(drifts, total)
    found = NO_DEPOSITS._replace(to_target=to_target, buys_it=buys_it, coming=coming)
    if least is None:
        return found
    if least < coming:
        return found._replace(is_enough=True)
    barred = _barred(drifts, total + least, purchases)
    if barred:
        few = f"too little of {listing(barred)} may be bought"
        return found._replace(barred=few if pays else "with a drift_price of 0 nothing is bought")
    ample = _ample(drifts, total, least, purchases, destination)
    account = _account(drifts, total + least, purchases)
    if ample is None or account is None:
        return found
    beyond = round_to_step(max(ZERO, ample - coming), CENT) + CENT
    return found._replace(into_bands=beyond, account=account)


def paid_in(snapshot: Snapshot, deposits: Mapping[str, Money]) -> Snapshot:
    """*snapshot* with *deposits*, by account, there and settled."""
    base, left = snapshot.base_currency, dict(deposits)
    balances = []
    for balance in snapshot.balances:
        more = left.pop(balance.account, ZERO) if balance.currency == base else ZERO
        balances.append(
            replace(balance, amount=balance.amount + more, settled=balance.settled + more)
        )
    balances += [
        Balance(account=account, currency=base, amount=amount, settled=amount)
        for account, amount in left.items()
    ]
    return replace(snapshot, balances=tuple(balances))


def _to_target(
    drifts: Sequence[Drift], total: Money, coming: Money, purchases: Mapping[str, Purchase]
) -> tuple[tuple[str, Money] | None, bool]:
    """What brings the class that has drifted furthest to its target; whether it is what is bought.

    Nothing where what would have to be bought may not be.
    """
    found = least_deposit(drifts, total)
    if found is None:
        return None, False
    name, amount = found
    worst = next(drift for drift in drifts if drift.asset_class == name)
    worth = total + amount
    is_light = worst.value < worst.target * total
    bought = (
        [worst] if is_light else [drift for drift in drifts if drift.value < drift.target * worth]
    )
    for drift in bought:
        lacking = drift.target * worth - drift.value
        if not _may_buy(drift, lacking, worth, purchases):
            return None, False
    most = max((purchases[drift.asset_class].most for drift in bought), default=ONE)
    extra = (most - ONE) * amount
    if is_light:
        extra += purchases[name].step
        extra /= ONE - worst.target
    needed = amount + extra
    if needed <= coming:
        return None, False
    return (name, round_up_to_step(needed - coming, CENT)), is_light


def _may_buy(drift: Drift, amount: Money, worth: Money, purchases: Mapping[str, Purchase]) -> bool:
    purchase = purchases.get(drift.asset_class)
    if purchase is None:
        return False
    room = purchase.room(worth)
    return room is None or amount <= room


def _barred(drifts: Sequence[Drift], worth: Money, purchases: Mapping[str, Purchase]) -> list[str]:
    """The classes that must be bought, and of which too little may be, however much is paid in."""
    names = []
    for drift in drifts:
        low = drift.target - drift.half_width
        purchase = purchases.get(drift.asset_class)
        if drift.value >= low * worth:
            continue
        if purchase is None or (
            purchase.limits is not None and sum(part for part, _ in purchase.limits) <= low
        ):
            names.append(drift.asset_class)
    return sorted(names)


def _ample(
    drifts: Sequence[Drift],
    total: Money,
    least: Money,
    purchases: Mapping[str, Purchase],
    destination: Weight,
) -> Money | None:
    """What brings every class into its band however it is divided, costs and steps included.

    What the light ones lack of their goals in all may be lacked by any one of them: it must be less
    than the way from the goal to the edge of each that would else be beyond it. With the household
    worth `W` this is linear for given light classes, whose number can only grow.
    """
    worth, rest = total + least, ONE
    for _ in range(2 * len(drifts) + 2):
        light = [one for one in drifts if one.value < _goal(one, destination) * worth]
        widths = [one.half_width for one in light if one.value < _edge(one) * worth]
        slack = (ONE - destination) * min(widths, default=ZERO)
        rest = ONE - sum((_goal(one, destination) for one in light), ZERO) + slack
        if not widths:
            break
        if rest <= 0:
            return None
        needed = (total - sum((one.value for one in light), ZERO)) / rest
        if needed <= worth:
            break
        worth = needed
    bought = [purchases[one.asset_class] for one in light if one.asset_class in purchases]
    most = max((one.most for one in bought), default=ONE)
    extra = (most - ONE) * (worth - total) + sum((one.step for one in bought), ZERO)
    return worth - total + extra / rest if rest > 0 else None


def _goal(drift: Drift, destination: Weight) -> Weight:
    """The least part of the whole at which a plan is content with a class."""
    return drift.target - destination * drift.half_width


def _edge(drift: Drift) -> Weight:
    return drift.target - drift.half_width


def _account(
    drifts: Sequence[Drift], worth: Money, purchases: Mapping[str, Purchase]
) -> str | None:
    """Where to pay it in: the first account that may hold all that is lacked, or any if nothing."""
    lacked = [drift.asset_class for drift in drifts if drift.value < _edge(drift) * worth]
    names = [purchases[name].accounts for name in lacked or purchases]
    if not names:
        return None
    return next((one for one in names[0] if all(one in other for other in names)), None)
