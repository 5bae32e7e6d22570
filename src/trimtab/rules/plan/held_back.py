"""Lots that a plan would sell and may not: which are told, and why each stays."""

from collections.abc import Iterable, Mapping

from trimtab.domain.numbers import ZERO, Money
from trimtab.domain.trades import Refusal
from trimtab.domain.values import Lot, Snapshot, trade_date
from trimtab.rules.plan.kept import Kept, Wash
from trimtab.rules.plan.planning import Planning
from trimtab.rules.tax.harvest import loss_least
from trimtab.rules.tax.saving import later_tax
from trimtab.rules.words import money


def held_back(
    kept: Iterable[Kept],
    snapshot: Snapshot,
    planning: Planning,
    class_of: Mapping[str, str],
    *,
    heavy: set[str],
    lacking: set[str],
) -> list[Refusal]:
    """The *kept* lots of *heavy* classes and *lacking* accounts, and losses that must wait.

    A loss that a wash sale keeps is told where the policy calls for harvests on any day, once for
    all lots of a symbol in an account, and only where it would be worth taking.
    """
    told, losses = [], dict[tuple[str, str, Wash], Money]()
    for lot, sentence, wash in kept:
        name = class_of[lot.symbol]
        if name in heavy or lot.account in lacking:
            told.append(_refusal(name, lot.account, lot.symbol, sentence))
        elif wash is not None and planning.policy.plan.harvests == "always":
            loss = _worth_taking(lot, snapshot, planning)
            if loss > 0 and len(planning.policy.classes[name].members) > 1:
                key = lot.account, lot.symbol, wash
                losses[key] = losses.get(key, ZERO) + loss
    for (account, symbol, wash), loss in losses.items():
        amount = money(loss, snapshot.base_currency)
        sentence = (
            f"A loss of {amount} on {symbol} in {account} is not taken: {wash.because}, so it "
            f"would be a wash sale {wash.lasts}."
        )
        told.append(_refusal(class_of[symbol], account, symbol, sentence))
    return told


def _refusal(name: str, account: str, symbol: str, sentence: str) -> Refusal:
    return Refusal(asset_class=name, account=account, symbol=symbol, sentence=sentence)


def _worth_taking(lot: Lot, snapshot: Snapshot, planning: Planning) -> Money:
    """The loss on *lot* where it could be worth a harvest at all; zero where it could not."""
    rule, tax = planning.harvest, planning.tax
    loss = lot.basis - lot.quantity * snapshot.quotes[lot.symbol].bid
    if loss < loss_least(rule, trade_date(snapshot.at)) * lot.basis:
        return ZERO
    later = later_tax(loss, tax, rule.horizon_years, rule.discount_rate)
    saved = loss * max(tax.short_term_rate, tax.long_term_rate) - later
    return loss if saved >= rule.minimum else ZERO
