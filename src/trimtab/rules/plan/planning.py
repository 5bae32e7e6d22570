"""What a plan is made from, and whether a look at a household can call for one at all."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from trimtab.domain.history import WashRule
from trimtab.domain.law import Statutes
from trimtab.domain.numbers import BASIS_POINT, ZERO, Money, Weight
from trimtab.domain.policy import HarvestRule, Policy, TaxRule, band_policy
from trimtab.domain.trades import BandState, Drift
from trimtab.domain.values import AccountKind, Snapshot
from trimtab.rules.holdings import Holdings, cash_class
from trimtab.rules.tax.locks import RecentPurchase
from trimtab.rules.tax.saving import YearToDate
from trimtab.rules.tax.wash import WashLock


class Planning(Struct, frozen=True, kw_only=True):
    """What a plan is made from, besides the snapshot.

    `drifts` carry the band states; `wash` says what section 1091 reaches, and `taxpayers` whose
    each account is; `wash_locks` are the symbols that a taxpayer may not buy, and `recent` the
    purchases before this plan that would wash a loss of one; `closed` the accounts that may not be
    traded, with the reason. `year` is what the household has realized so far. `due` are the
    withdrawals, and `coming` the contributions, of the days for which the policy provides, today
    included: money by account, in the base currency. `sold_before` is what was sold earlier
    today, and `sold_today` where: accounts and symbols.
    """

    policy: Policy
    tax: TaxRule
    harvest: HarvestRule
    statutes: Statutes
    targets: Mapping[str, Weight]
    destination: Weight
    drifts: tuple[Drift, ...]
    wash: WashRule
    taxpayers: Mapping[str, str]
    wash_locks: Mapping[tuple[str, str], WashLock]
    recent: Mapping[tuple[str, str], tuple[RecentPurchase, ...]]
    closed: Mapping[str, str]
    year: YearToDate
    due: Mapping[str, Money] = {}
    coming: Mapping[str, Money] = {}
    sold_before: Money = ZERO
    sold_today: frozenset[tuple[str, str]] = frozenset()
    is_defensive: bool = False

    @property
    def forbids_risky_purchases(self) -> bool:
        """Whether the defensive posture lets only safe classes be bought."""
        return self.is_defensive and self.policy.defensive.posture == "reduce_only"


def may_plan(
    snapshot: Snapshot,
    policy: Policy,
    held: Holdings,
    drifts: Sequence[Drift],
    *,
    due: Mapping[str, Money],
    is_defensive: bool,
) -> bool:
    """Whether `make_plan` may find anything to do; False promises that it would not.

    It is asked at every look, so that a household in its bands needs no tax ledger: what it looks
    at are sums.
    """
    return (
        is_defensive
        or any(amount > 0 for amount in due.values())
        or policy.plan.harvests == "always"
        or any(drift.state is BandState.CORRECTING for drift in drifts)
        or any(drift.target == 0 and drift.value > 0 for drift in drifts)
        or _has_cash_to_invest(snapshot, policy, held)
    )


def _has_cash_to_invest(snapshot: Snapshot, policy: Policy, held: Holdings) -> bool:
    """Whether the wallets, or the other accounts, hold cash worth an order that is in no class."""
    if cash_class(policy, snapshot.base_currency) is not None:
        return False
    free = {True: ZERO, False: ZERO}
    for name, amount in held.free.items():
        free[snapshot.accounts[name].kind is AccountKind.CRYPTO] += amount
    return max(free.values()) >= policy.orders.invest_cash_from


def divided_accounts(snapshot: Snapshot, policy: Policy, names: Iterable[str]) -> list[str]:
    """Those of the accounts *names* whose cash is a part of what the targets divide."""
    counts_all = cash_class(policy, snapshot.base_currency) is not None
    return [
        name
        for name in names
        if name in snapshot.accounts
        and (counts_all or snapshot.accounts[name].kind is not AccountKind.CRYPTO)
    ]


def set_aside(
    snapshot: Snapshot, policy: Policy, held: Holdings, due: Mapping[str, Money]
) -> Money:
    """Cash that waits to be withdrawn: a part of the total that the targets do not divide."""
    names = divided_accounts(snapshot, policy, due)
    return sum((min(held.free[name], due[name]) for name in names), ZERO)


def is_clearly_light(planning: Planning, name: str, value: Money, total: Money) -> bool:
    """Whether the class *name*, worth *value* of *total*, is light enough for idle dollars to care.

    It is under correction, or beyond the re-arm mark of its band. Dollars in a wallet can go
    nowhere else: they would buy every dip of the coin and be sold at the next rise.
    """
    drift = next(one for one in planning.drifts if one.asset_class == name)
    if drift.state is BandState.CORRECTING:
        return True
    band = band_policy(planning.policy.bands, planning.policy.classes[name])
    return planning.targets[name] * total - value >= band.re_arm * drift.half_width * total


def grain(snapshot: Snapshot, planning: Planning, name: str, value: Money, goal: Money) -> Money:
    """What no trade could mend of a class: a smaller distance is not worth another trade.

    A minimum trade, one step of the dearest member, or what slippage and fees may take of the
    class and of what it should be.
    """
    steps = [
        snapshot.instruments[symbol].step * snapshot.price(symbol)
        for symbol in planning.policy.classes[name].members
        if symbol in snapshot.quotes
    ]
    least = margin_of(planning.policy) * (value + goal)
    return max([planning.policy.orders.minimum, least, *steps])


def margin_of(policy: Policy) -> Weight:
    """The part of an order that its plan sets aside for slippage and fees."""
    return (policy.orders.slippage_max_bps + policy.orders.fee_buffer_bps) * BASIS_POINT
