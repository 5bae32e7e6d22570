"""The household by class: what is invested, what waits to be, what is never touched."""

import datetime as dt
from collections.abc import Mapping

from msgspec import Struct

from trimtab.domain.aim import Aim
from trimtab.domain.numbers import ZERO, Money, Quantity, Weight
from trimtab.domain.policy import BandPolicy, Policy, TaxRule, band_policy
from trimtab.domain.values import AccountKind, Instrument, InstrumentKind, Snapshot, trade_date
from trimtab.rules.drift import after_tax_values
from trimtab.rules.reserve import reserve
from trimtab.rules.targets.base import own_targets


class Holdings(Struct, frozen=True, kw_only=True):
    """Money by class and account, in the base currency.

    `free` is each account's base-currency cash above its reserve and above what is `waiting` there
    for a later day, and `short` what an account lacks of its reserve. `total` is the classes plus
    the free cash: what the targets divide. `outside` is owned but not divided: cash that waits,
    foreign cash, instruments of no class, and, unless cash is a class of its own, the dollars in a
    crypto wallet, which can buy nothing but coins there. `value` is everything owned, as
    `Snapshot.value` tells it.
    """

    values: dict[str, Money]
    free: dict[str, Money]
    waiting: dict[str, Money]
    short: dict[str, Money]
    reserves: dict[str, Money]
    total: Money
    outside: Money
    value: Money


def class_of(policy: Policy) -> dict[str, str]:
    """Which class each symbol belongs to."""
    return {symbol: name for name, rule in policy.classes.items() for symbol in rule.members}


def cash_class(policy: Policy, base_currency: str) -> str | None:
    """The class whose member is the base currency, if the household has one."""
    return class_of(policy).get(base_currency)


def reserves(policy: Policy, accounts: Mapping[str, object], today: dt.date) -> dict[str, Money]:
    """Cash that stays in each account: its own reserve, and the operating reserve where it lies."""
    kept = {name: policy.cash_reserves.get(name, ZERO) for name in accounts}
    if policy.reserve is not None and policy.reserve.account in kept:
        kept[policy.reserve.account] += reserve(policy.reserve, today).amount
    return kept


def kept_in_cash(snapshot: Snapshot, policy: Policy) -> dict[str, Money]:
    """Cash that stays in each account now: its reserves, and what is there and has to wait."""
    kept = reserves(policy, snapshot.accounts, trade_date(snapshot.at))
    for name, amount in _waiting(snapshot, kept).items():
        kept[name] += amount
    return kept


def _waiting(snapshot: Snapshot, kept: Mapping[str, Money]) -> dict[str, Money]:
    """What waits in each account, where the reserve that is *kept* there leaves so much."""
    if not snapshot.waiting:
        return {}
    cash = dict.fromkeys(snapshot.waiting, ZERO)
    for balance in snapshot.balances:
        if balance.account in cash and balance.currency == snapshot.base_currency:
            cash[balance.account] += balance.amount
    return {
        name: min(amount, max(ZERO, cash[name] - kept[name]))
        for name, amount in snapshot.waiting.items()
    }


def targets_of(
    policy: Policy,
    today: dt.date,
    aim: Aim | None = None,
    *,
    base_currency: str,
    is_defensive: bool,
) -> dict[str, Weight]:
    """The class targets in force: the fallback ones in a defensive posture that has its own.

    Else those at which a strategy aims, where there is one, or the household's own on *today*. A
    strategy or a glide path that wants less in risky classes than the fallback holds on: a posture
    against falls never adds to the risk.
    """
    wanted = own_targets(policy, today) if aim is None else dict(aim.targets)
    if not is_defensive or policy.defensive.posture != "targets":
        return wanted
    fallback = {name: policy.defensive.targets.get(name, ZERO) for name in policy.classes}
    is_moving = aim is not None or bool(policy.glide.points)
    risky = [name for name, rule in policy.classes.items() if rule.is_risky(base_currency)]
    at_risk = [sum((of.get(name, ZERO) for name in risky), ZERO) for of in (wanted, fallback)]
    return wanted if is_moving and at_risk[0] < at_risk[1] else fallback


def bands_of(policy: Policy) -> dict[str, BandPolicy]:
    """The band of every class."""
    return {name: band_policy(policy.bands, rule) for name, rule in policy.classes.items()}


def may_hold(kind: AccountKind, instrument: Instrument) -> bool:
    """Whether an account of *kind* can hold *instrument*: coins in wallets, else securities."""
    if instrument.kind is InstrumentKind.FOREX:
        return False
    return (kind is AccountKind.CRYPTO) == (instrument.kind is InstrumentKind.CRYPTO)


def holdings(snapshot: Snapshot, policy: Policy) -> Holdings:
    """The household of *snapshot* by the classes of *policy*."""
    classes = class_of(policy)
    values = dict.fromkeys(policy.classes, ZERO)
    outside = owned = ZERO
    for symbol, units in _units(snapshot).items():
        value = units * snapshot.price(symbol)
        owned += value
        name = classes.get(symbol)
        if name is None:
            outside += value
        else:
            values[name] += value
    kept = reserves(policy, snapshot.accounts, trade_date(snapshot.at))
    cash = dict.fromkeys(snapshot.accounts, ZERO)
    for balance in snapshot.balances:
        amount = snapshot.in_base(balance)
        owned += amount
        if balance.currency == snapshot.base_currency:
            cash[balance.account] += amount
        else:
            outside += amount
    waiting = dict.fromkeys(cash, ZERO) | _waiting(snapshot, kept)
    outside += sum(waiting.values(), ZERO)
    free = {name: max(ZERO, amount - kept[name] - waiting[name]) for name, amount in cash.items()}
    short = {name: kept[name] - cash[name] for name in cash if cash[name] < kept[name]}
    in_cash = cash_class(policy, snapshot.base_currency)
    if in_cash is not None:
        values[in_cash] += sum(free.values(), ZERO)
        total = sum(values.values(), ZERO)
    else:
        in_reach = {name: free[name] for name in free if not _is_wallet(snapshot, name)}
        total = sum(values.values(), ZERO) + sum(in_reach.values(), ZERO)
        outside += sum(free.values(), ZERO) - sum(in_reach.values(), ZERO)
    return Holdings(
        values=values,
        free=free,
        waiting=waiting,
        short=short,
        reserves=kept,
        total=total,
        outside=outside,
        value=owned,
    )


def _units(snapshot: Snapshot) -> dict[str, Quantity]:
    """Units held by symbol: one pass over the lots, since a household may have thousands."""
    units: dict[str, Quantity] = {}
    for lot in snapshot.lots:
        symbol = lot.symbol
        units[symbol] = units[symbol] + lot.quantity if symbol in units else lot.quantity
    return units


def _is_wallet(snapshot: Snapshot, account: str) -> bool:
    return snapshot.accounts[account].kind is AccountKind.CRYPTO


def after_tax_weights(snapshot: Snapshot, policy: Policy, tax: TaxRule) -> dict[str, Weight]:
    """Class weights once the tax that tax-deferred accounts still owe is taken off.

    A traditional IRA or 401(k) counts one less the marginal rate at which it will be taxed, here
    the household's present one (Reichenstein 1998, 2006); tax on unrealized gains is left out.
    Shown beside the weights that the bands act on, never acted on.
    """
    classes = class_of(policy)
    values: dict[str, dict[str, Money]] = {name: {} for name in snapshot.accounts}
    for lot in snapshot.lots:
        name = classes.get(lot.symbol)
        if name is not None:
            held = values[lot.account]
            held[name] = held.get(name, ZERO) + lot.quantity * snapshot.price(lot.symbol)
    owed = {
        name: tax.short_term_rate
        for name, account in snapshot.accounts.items()
        if account.kind in _DEFERRED
    }
    sums = after_tax_values(values, owed)
    total = sum(sums.values(), ZERO)
    return {name: sums.get(name, ZERO) / total for name in policy.classes} if total > 0 else {}


_DEFERRED = frozenset({AccountKind.TRADITIONAL_IRA, AccountKind.PLAN_401K})
