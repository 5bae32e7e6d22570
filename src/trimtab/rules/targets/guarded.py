"""The strategy `cppi`: the weights before it, less in risky classes the nearer the floor is."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from trimtab.domain.aim import Layer
from trimtab.domain.aims import CppiRule
from trimtab.domain.numbers import ONE, ZERO, Money, Weight, to_float
from trimtab.domain.policy import Policy
from trimtab.domain.yield_facts import BillRate
from trimtab.rules.targets.cppi import multiplier_warnings
from trimtab.rules.targets.cppi_risk import WORST_FALLS, Fall, period_of
from trimtab.rules.targets.cppi_step import CppiDay, CppiState, step
from trimtab.rules.targets.sharing import at_risk, shared
from trimtab.rules.targets.view import View
from trimtab.rules.words import percent

_WORTH_SAYING = Weight("0.01")
_OLD_DAYS = 31
"""A bill rate that is older than a month is said to be."""
_FLOOR, _HEEDED, _DUE = "insures", "heeded", "due"
"""What is remembered beside the state: the floor it is of, the last word that was heeded, and what
was to be withdrawn soon."""


class Cppi(NamedTuple):
    """Holds risky classes in proportion to what the savings exceed a floor by.

    Risky and safe classes each keep the proportions that the layer before wants. Cash is safe.
    """

    rule: CppiRule
    name: str = "cppi"
    sessions: int = 0
    watches: bool = True

    @classmethod
    def of(cls, policy: Policy) -> "Cppi":
        """The strategy as *policy* sets it."""
        return cls(policy.strategy.cppi)

    def wants(self, view: View) -> Layer:
        """The weights at which the risky classes have the exposure that the floor allows.

        Inside the band around it that is what they have already. When new money comes in, targets
        in force of an earlier day come down to what is held then or to what the formula wants,
        whichever is more, so that it adds nothing to what the band leaves there. Without new money
        they stay: what was sold of one risky class for want of another does not lower them.

        Raises:
            InputError: the rule lacks what its floor needs.
        """
        savings, rate = view.savings, self.rate(view.bills)
        safe = view.safe if view.cash is None else view.safe | {view.cash}
        risky = [name for name in view.classes if name not in safe]
        held = sum((savings.held.get(name, ZERO) for name in risky), ZERO)
        divided = max(ZERO, savings.value - savings.short)
        due_before = Weight(view.state.get(_DUE, "0"))
        now = step(
            self.rule,
            self._remembered(view.state),
            CppiDay(
                date=view.today,
                value=savings.value + savings.kept - savings.due,
                rate=rate,
                held=held,
                divided=divided,
                flow=savings.flow - (savings.due - due_before),
                reserve=savings.reserve,
                rearmed=_word(view) not in {"", view.state.get(_HEEDED, "")},
            ),
            view.currency,
        )
        part = _part(now.exposure, divided)
        return Layer(
            name=self.name,
            targets=shared(view.base, risky, part),
            sentences=(*now.sentences, *_raised(view, risky, part), *self._growth(view)),
            figures={
                "floor": to_float(now.state.floor),
                "cushion": to_float(now.cushion),
                "exposure": to_float(now.exposure),
                "held": to_float(held),
            }
            | ({"floor_growth": to_float(rate)} if self.rule.has_growing_floor else {}),
            state=_to_remember(now.state)
            | {_FLOOR: self._floor(), _HEEDED: _word(view)}
            | ({_DUE: str(savings.due)} if savings.due else {}),
            insists=now.moves,
            risky_max=None if now.most is None else _part(now.most, divided),
        )

    def rate(self, bills: BillRate | None) -> Weight:
        """What a growing floor grows by in a year: as the rule says, or as *bills* pay."""
        if self.rule.rate is not None:
            return self.rule.rate
        return ZERO if bills is None else bills.rate

    def warnings(self, look_every_days: int, own: Fall | None = None) -> tuple[str, ...]:
        """What is to be said against the multiplier, a sentence each, by the worst fall known.

        That is the worst on record or the household's *own*. Looks further apart than a day are
        judged by the worst month.
        """
        fall, where = WORST_FALLS[period_of(look_every_days)]
        worst = Fall(Weight(fall), where)
        if own is not None and own.size > worst.size:
            worst = own
        band = self.rule.band_rel
        return multiplier_warnings(
            self.rule.multiplier, worst.size, band_rel=band, where=worst.where
        )

    def _growth(self, view: View) -> tuple[str, ...]:
        """What a floor that should grow grows by, and who says so."""
        rule, bills = self.rule, view.bills
        if not rule.has_growing_floor:
            return ()
        if rule.rate is not None:
            return (f"The floor grows by {percent(rule.rate, 2)} a year, as [strategy.cppi] says.",)
        if bills is None:
            told = (
                f'The floor "{rule.floor}" has no rate and does not move: write rate, what bills '
                "pay a year, in [strategy.cppi], or tell in [yields] a curve or a rate of kind "
                '"treasury" that is bound for a year at most.'
            )
            return (told,)
        age = (view.today - bills.on).days
        old = f", {age} days ago" if age > _OLD_DAYS else ""
        told = (
            f"The floor grows by {percent(bills.rate, 2)} a year, what {bills.of} paid on "
            f"{bills.on}{old} ([yields])."
        )
        return (told,)

    def _floor(self) -> str:
        """What the household insures, so that another floor is begun anew."""
        rule = self.rule
        return f"{rule.floor} {rule.amount} {rule.keeps} {rule.until}"

    def _remembered(self, state: Mapping[str, str]) -> CppiState | None:
        """The state of the last look; None at first, and once the household changed its floor."""
        if state.get(_FLOOR) != self._floor():
            return None
        kept = {name: value for name, value in state.items() if name not in {_FLOOR, _HEEDED, _DUE}}
        return msgspec.convert(kept, CppiState, strict=False)


def _part(exposure: Money, divided: Money) -> Weight:
    """*exposure* as a part of what is *divided*; all of it at most."""
    return ZERO if divided <= 0 else min(ONE, exposure / divided)


def _raised(view: View, risky: list[str], part: Weight) -> tuple[str, ...]:
    """That risky classes get more than the layer before wants: CPPI sets how much, not it."""
    base = at_risk(view.base, risky)
    if part - base < _WORTH_SAYING:
        return ()
    told = (
        f"That is {percent(part)} of what is divided; the weights before it have "
        f"{percent(base)} in risky classes. CPPI takes only their proportions: cap bounds it."
    )
    return (told,)


def _word(view: View) -> str:
    """The owner's last word, by its instant; empty where there is none."""
    return "" if view.rearmed is None else view.rearmed.isoformat()


def _to_remember(state: CppiState) -> dict[str, str]:
    builtins: dict[str, object] = msgspec.to_builtins(state)
    return {name: str(value) for name, value in builtins.items() if value is not None}
