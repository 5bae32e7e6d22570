"""What new money would mend without a sale: how much, and when no amount would."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from msgspec.structs import replace

from trimtab.domain.numbers import (
    CENT,
    ONE,
    ZERO,
    Money,
    Weight,
    round_to_step,
    round_up_to_step,
)
from trimtab.domain.trades import Drift
from trimtab.domain.values import Balance, Snapshot
from trimtab.rules.drift import least_deposit, least_deposit_into_bands
from trimtab.rules.purchases import Means, Purchase
from trimtab.rules.words import listing, money

_TIGHT = 2
"""A deposit that is enough however it is divided is told up to so often the necessary one."""


class Deposits(NamedTuple):
    """What new money beyond what is *coming* would mend without a sale.

    `to_target` of the class that has drifted furthest, to its target, `buys_it` where all of it
    must buy that class; `into_bands` of every class, into its band, paid into `account`. Either is
    spent with the `idle` dollars of its wallet; that of `to_target` is `wallet`.
    `candidates` are deposits into the bands of which a plan must tell whether one is enough; where
    no plan is asked, only `into_bands` may be told.
    `is_enough` where what is coming brings them there by itself, and `barred` is why no deposit
    would.
    """

    to_target: tuple[str, Money] | None = None
    buys_it: bool = False
    wallet: str = ""
    into_bands: Money | None = None
    candidates: tuple[Money, ...] = ()
    account: str = ""
    coming: Money = ZERO
    idle: Mapping[str, Money] = MappingProxyType({})
    is_enough: bool = False
    barred: str = ""

    def told(self, currency: str) -> str:
        """The deposits in words, each sentence after a space."""
        text, opening = "", self._opening(self.account, currency)
        if self.to_target is not None:
            name, amount = self.to_target
            first = self._opening(self.wallet, currency)
            use = f", all of it into {name}," if self.buys_it else ""
            text = (
                f" {first} deposit of {money(amount, currency)}{use} would bring {name} back to "
                "its target without a sale."
            )
            opening = "A" if first == opening else opening
        if self.into_bands is not None:
            text += (
                f" {opening} deposit of {money(self.into_bands, currency)} in "
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

    def _opening(self, account: str, currency: str) -> str:
        """How a sentence about a deposit in *account* begins: with the money that it counts on."""
        counted = []
        if self.idle.get(account, ZERO) >= CENT:
            counted.append(f"with the {money(self.idle[account], currency)} in {account}")
        if self.coming > 0:
            counted.append(f"beyond the {money(self.coming, currency)} to come")
        text = " and ".join(counted)
        return f"{text[0].upper()}{text[1:]}, a" if text else "A"


NO_DEPOSITS = Deposits()


def deposits_of(
    drifts: Sequence[Drift], total: Money, means: Means, *, destination: Weight, pays: bool
) -> Deposits:
    """What to pay in beyond what is coming, in cents; costs and whole steps are counted.

    *total* is what the targets divide. A deposit into the bands is enough however a plan divides it
    among the classes that its account may buy and that are below their *destination*, and goes
    beyond the edges, since a class on its edge is still out. Where that is more than `_TIGHT` times
    what is necessary, or more than brings the only class that is out to its target, a plan has to
    be asked about lesser ones. None is told where too little may be bought with it, as where the
    policy *pays* nothing for drift.
    """
    found = _to_target(drifts, total, means)
    least = least_deposit_into_bands(drifts, total)
    if least is None:
        return found
    if least < sum(means.coming.values(), ZERO):
        found = found._replace(is_enough=True)
    elif barred := _barred(drifts, total + least, means.purchases):
        few = f"too little of {listing(barred)} may be bought"
        return found._replace(barred=few if pays else "with a drift_price of 0 nothing is bought")
    buyers = means.buyers(_lacked(drifts, total + least))
    if not buyers:
        return found
    coming, beside = means.coming_to(buyers)
    there = coming + means.idle.get(buyers[0], ZERO)
    most = None
    if found.to_target is not None and _is_alone(found.to_target[0], drifts):
        most = found.to_target[1] + there - CENT
    bought = {name: one for name, one in means.purchases.items() if buyers[0] in one.accounts}
    ample, lesser = _enough(drifts, total + beside, bought, destination, most)
    told = None if ample is None or ample <= there else _beyond_edge(ample - there)
    tried = [told] if told else [_beyond_edge(one - there) for one in lesser if one > there]
    return found._replace(
        into_bands=None if found.is_enough else told,
        candidates=tuple(dict.fromkeys(tried)),
        account=buyers[0],
    )


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


def _to_target(drifts: Sequence[Drift], total: Money, means: Means) -> Deposits:
    """What brings the class that has drifted furthest to its target; whether it is what is bought.

    Nothing where what would have to be bought may not be.
    """
    none = Deposits(coming=sum(means.coming.values(), ZERO), idle=means.idle)
    found = least_deposit(drifts, total)
    if found is None:
        return none
    name, amount = found
    purchases = means.purchases
    worst = next(drift for drift in drifts if drift.asset_class == name)
    is_light = worst.value < worst.target * total
    buyers = means.buyers([name] if is_light else [])
    coming, beside = means.coming_to(buyers)
    if is_light:
        total += beside
        amount += worst.target * beside / (ONE - worst.target)
    worth = total + amount
    bought = (
        [worst] if is_light else [drift for drift in drifts if drift.value < drift.target * worth]
    )
    for drift in bought:
        lacking = drift.target * worth - drift.value
        if not _may_buy(drift, lacking, worth, purchases):
            return none
    most = max((purchases[drift.asset_class].most for drift in bought), default=ONE)
    extra = (most - ONE) * amount
    if is_light:
        extra += purchases[name].step
        extra /= ONE - worst.target
    wallet = next(iter(buyers), "") if is_light else ""
    needed = amount + extra - coming - means.idle.get(wallet, ZERO)
    if needed <= 0:
        return none
    told = name, round_up_to_step(needed, CENT)
    return none._replace(to_target=told, buys_it=is_light, wallet=wallet)


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


def _enough(
    drifts: Sequence[Drift],
    total: Money,
    bought: Mapping[str, Purchase],
    destination: Weight,
    most: Money | None,
) -> tuple[Money | None, tuple[Money, ...]]:
    """What is enough however the classes *bought* share it, or else lesser ones to be tried.

    Enough is at least what is necessary with its costs, and never above `_TIGHT` times that nor
    above *most*.
    """
    least = least_deposit_into_bands(drifts, total)
    if least is None:
        return None, ()
    necessary = least + _costs(drifts, total, least, bought)
    limit = _TIGHT * necessary if most is None else min(most, _TIGHT * necessary)
    ample = _ample(drifts, total, least, bought, destination)
    if ample is not None and ample <= limit:
        return ample, ()
    necessary = min(necessary, limit)
    return None, (necessary, (necessary + limit) / 2, limit)


def _costs(
    drifts: Sequence[Drift], total: Money, least: Money, bought: Mapping[str, Purchase]
) -> Money:
    """What spread, margins and whole steps add to *least*, the deposit that is necessary."""
    lacked = [one for one in drifts if one.value < _edge(one) * (total + least)]
    paid = [bought[one.asset_class] for one in lacked if one.asset_class in bought]
    dearest = max((one.most for one in paid), default=ONE)
    extra = (dearest - ONE) * least + sum((one.step for one in paid), ZERO)
    rest = ONE - sum((_edge(one) for one in lacked), ZERO)
    return extra / rest if rest > 0 else extra


def _ample(
    drifts: Sequence[Drift],
    total: Money,
    least: Money,
    bought: Mapping[str, Purchase],
    destination: Weight,
) -> Money | None:
    """What brings every class into its band however it is divided, costs and steps included.

    It can be divided among the classes *bought* alone; none where another would turn light. What
    the light ones lack of their goals in all may be lacked by any one of them: it must be less
    than the way from the goal to the edge of each that would else be beyond it. With the household
    worth `W` this is linear for given light classes, whose number can only grow.
    """
    worth, rest = total + least, ONE
    for _ in range(2 * len(drifts) + 2):
        light = [
            one
            for one in drifts
            if one.asset_class in bought and one.value < _goal(one, destination) * worth
        ]
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
    if rest <= 0 or not bought.keys() >= {*_lacked(drifts, worth)}:
        return None
    paid = [bought[one.asset_class] for one in light]
    most = max((one.most for one in paid), default=ONE)
    extra = (most - ONE) * (worth - total) + sum((one.step for one in paid), ZERO)
    return worth - total + extra / rest


def _beyond_edge(amount: Money) -> Money:
    """The least whole cents above *amount*: a class on its edge is still out."""
    return round_to_step(amount, CENT) + CENT


def _is_alone(name: str, drifts: Sequence[Drift]) -> bool:
    """Whether the class *name* is the only one that is out of its band."""
    return [drift.asset_class for drift in drifts if drift.is_breached] == [name]


def _lacked(drifts: Sequence[Drift], worth: Money) -> list[str]:
    """The classes that are below their bands in a household that is *worth* so much."""
    return [drift.asset_class for drift in drifts if drift.value < _edge(drift) * worth]


def _goal(drift: Drift, destination: Weight) -> Weight:
    """The least part of the whole at which a plan is content with a class."""
    return drift.target - destination * drift.half_width


def _edge(drift: Drift) -> Weight:
    return drift.target - drift.half_width
