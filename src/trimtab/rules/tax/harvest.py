"""Harvesting: which losses are worth taking, what for, and what to hold instead.

A loss saves tax now and costs tax later, since the substitute begins with a lower basis; what is
left after both and after the trading is its worth. Taken are only losses that the guard lets pass,
one after the other, each at the rates that those before it leave.
"""

import datetime as dt
from collections.abc import Sequence
from decimal import localcontext

from msgspec import Struct
from msgspec.structs import replace

from trimtab.domain.history import Transaction
from trimtab.domain.law import Statutes
from trimtab.domain.numbers import EXACT, ZERO, Money, Weight
from trimtab.domain.policy import HarvestRule, TaxRule
from trimtab.domain.trades import LotPick, Term
from trimtab.domain.values import Relief
from trimtab.rules.tax.guard import Guarded, GuardState, guard_sale
from trimtab.rules.tax.ledger import Ledger
from trimtab.rules.tax.losses import Harvest, HarvestState, losses, name_of, size_of
from trimtab.rules.tax.matching import first_safe_day
from trimtab.rules.tax.preview import preview_sale
from trimtab.rules.tax.relief import sold_first
from trimtab.rules.tax.saving import YearToDate, later_tax, tax_of
from trimtab.rules.tax.substitution import Market, proposed_sale, substitute_for
from trimtab.rules.words import listing, money, percent

Place = tuple[str, str]
"""An account and a symbol held in it."""
Key = tuple[str, ...]
"""A place, a lot, and a piece of it."""
_SHOWN = 2
"""So many findings of the guard fit into a sentence."""


class Rules(Struct, frozen=True, kw_only=True):
    """What a harvest is decided by: the household's rules, and the law."""

    harvest: HarvestRule
    tax: TaxRule
    statutes: Statutes


def find_harvests(
    ledger: Ledger, rules: Rules, so_far: YearToDate, market: Market
) -> tuple[Harvest, ...]:
    """Every piece at a loss in the household's taxed accounts, those to take first.

    What is worth most by itself is decided first; each loss accepted changes the year for the
    ones after it, and may free another lot of its place that was blocked by it. Lots of one place
    that would only replace each other are taken together, in one order.
    """
    with localcontext(EXACT):
        desk = _Desk(ledger, rules, so_far, market)
        candidates = sorted(desk.candidates.values(), key=desk.rank)
        done: list[Harvest] = []
        is_moving = True
        while is_moving:
            taken = [one for bare in candidates for one in desk.take(bare)]
            done += taken
            is_moving = bool(taken)
        for bare in candidates:
            if bare.key in desk.taken:
                continue
            harvest = desk.decide(bare)
            if harvest.state is not HarvestState.LEAVE:
                desk.accept(harvest)
            done.append(harvest)
    order = list(HarvestState)
    return tuple(sorted(done, key=lambda one: (order.index(one.state), desk.rank(one))))


def loss_least(rule: HarvestRule, on: dt.date) -> Weight:
    """The part of the basis that a loss must be on the day *on*.

    Examples:
        >>> loss_least(HarvestRule(), dt.date(2026, 1, 1))
        Decimal('0.10')
        >>> loss_least(HarvestRule(), dt.date(2026, 12, 9))
        Decimal('0.03')
    """
    january, december = dt.date(on.year, 1, 1), dt.date(on.year, 12, 1)
    if on >= december:
        return rule.loss_min_december
    passed = Weight((on - january).days) / (december - january).days
    return rule.loss_min_january + (rule.loss_min_december - rule.loss_min_january) * passed


class _Desk:
    """Decides one candidate after the other, and remembers what was accepted."""

    def __init__(self, ledger: Ledger, rules: Rules, so_far: YearToDate, market: Market) -> None:
        self.ledger = ledger
        self.rules = rules
        self.market = market
        self.start = self.so_far = so_far
        self.picks: dict[Place, tuple[LotPick, ...]] = {}
        self.sold: list[str] = []
        self.bought: list[str] = []
        self.taken: set[Key] = set()
        self.candidates = {one.key: one for one in losses(ledger, market)}
        self.of_lot: dict[Key, list[Harvest]] = {}
        for key, one in self.candidates.items():
            self.of_lot.setdefault(key[:3], []).append(one)
        self._decided: dict[Key, tuple[int, Harvest]] = {}

    def rank(self, one: Harvest) -> tuple[Money, str, str, dt.date, str, str]:
        """The most saving by itself first; then by name and age."""
        saved = self._saved(self.start, one, one.loss)
        worth = saved - self._later(one.loss)
        return -worth, one.account, one.symbol, one.acquired, one.lot_id, one.piece

    def accept(self, one: Harvest) -> None:
        """Count *one* in the year from now on; its units are gone only if it is sure to be sold."""
        place = (one.account, one.symbol)
        if one.state is HarvestState.TAKE:
            self.picks[place] = (*self.picks.get(place, ()), one.pick)
            self.taken.add(one.key)
        self.so_far = self.so_far.after(one.term, -(one.loss - one.disallowed))
        self.sold.append(one.symbol)
        self.bought.append(one.substitute)

    def take(self, bare: Harvest) -> list[Harvest]:
        """*bare*, or it and others of its place, accepted; nothing if it is not, or was before."""
        known = self._decided.get(bare.key)
        if bare.key in self.taken or (known is not None and known[0] == len(self.sold)):
            return []
        one = self.decide(bare)
        if one.state is HarvestState.TAKE:
            self.accept(one)
            return [one]
        if one.disallowed == 0:
            return []
        together = self._together(bare)
        return self._take_all(together) if len(together) > 1 else []

    def decide(self, bare: Harvest) -> Harvest:
        """The candidate with its figures and the sentence that says what to do about it."""
        known = self._decided.get(bare.key)
        if known is None or known[0] < len(self.sold):
            known = self._decided[bare.key] = (len(self.sold), self._decide(bare))
        return known[1]

    def _decide(self, bare: Harvest) -> Harvest:
        one = self._timed(bare)
        why_not = (
            self._too_small(one)
            or self._saves_nothing(one)
            or self._bought_instead(one)
            or self._not_first([one])
        )
        if why_not:
            return self._left(one, why_not)
        one, guarded = self._guarded(one)
        if one.disallowed == one.loss:
            return self._left(one, _blocked(guarded))
        substitute, reasons = self._substitute(one)
        if not substitute:
            return self._left(one, f"nothing can be bought instead: {reasons}.")
        one = self._valued(one, guarded, substitute)
        if one.worth < self.rules.harvest.minimum:
            return self._left(one, self._not_worth(one))
        is_clear = guarded.state is GuardState.CLEAR
        state = HarvestState.TAKE if is_clear else HarvestState.ASK
        return replace(one, state=state, sentence=self._taken(one, guarded, reasons))

    # ---------------------------------------------------------------- several lots in one order

    def _together(self, bare: Harvest) -> list[Harvest]:
        """*bare* and those of its place that would replace it, or each other, if they were kept."""
        place = (bare.account, bare.symbol)
        together = {bare.key: bare}
        while True:
            lots = {
                match.replacement_lot
                for piece in preview_sale(self.ledger, self._order([*together.values()]))
                for match in piece.matches
                if (match.replacement_account, match.replacement_symbol) == place
            }
            more = [
                one
                for lot_id in sorted(lots)
                for one in self.of_lot.get((*place, lot_id), ())
                if one.key not in together and one.key not in self.taken
            ]
            if not more:
                return [*together.values()]
            together |= {one.key: one for one in more}

    def _take_all(self, together: Sequence[Harvest]) -> list[Harvest]:
        """All of *together*, accepted, where as one order they are clear and worth it."""
        guarded = guard_sale(self.ledger, self._order(together), self.market.outlook)
        substitute, reasons = self._substitute(together[0])
        is_clear = guarded.state is GuardState.CLEAR
        if not is_clear or not substitute or self._not_first(together):
            return []
        start, valued = self.so_far, []
        for bare in together:
            one = replace(self._timed(bare), guard=guarded, state=HarvestState.TAKE)
            one = self._valued(one, guarded, substitute)
            valued.append(one)
            self.so_far = self.so_far.after(one.term, -one.loss)
        self.so_far = start
        if sum((one.worth for one in valued), ZERO) < self.rules.harvest.minimum:
            return []
        names = [one.lot_id for one in together]
        done = []
        for one in valued:
            self.accept(one)
            others = listing([name for name in names if name != one.lot_id])
            text = f"{self._taken(one, guarded, reasons)} Sell it in one order with lot {others}."
            done.append(replace(one, sentence=text))
        return done

    def _order(self, more: Sequence[Harvest]) -> Transaction:
        """The sale of *more* with what is taken of their place already."""
        account, symbol = more[0].account, more[0].symbol
        picks = (*self.picks.get((account, symbol), ()), *(one.pick for one in more))
        return proposed_sale(account, symbol, picks, self.market)

    # ---------------------------------------------------------------- figures

    def _saved(self, year: YearToDate, one: Harvest, loss: Money) -> Money:
        return self._tax(year) - self._tax(year.after(one.term, -loss))

    def _tax(self, year: YearToDate) -> Money:
        rules = self.rules
        return tax_of(year, rules.tax, rules.statutes, rules.harvest.discount_rate)

    def _later(self, gain: Money) -> Money:
        rule = self.rules.harvest
        return later_tax(gain, self.rules.tax, rule.horizon_years, rule.discount_rate)

    def _timed(self, one: Harvest) -> Harvest:
        """*one*, with its last day only where waiting would make the loss worth less."""
        if one.harvest_before is None:
            return one
        late = self._saved(self.so_far, replace(one, term=Term.LONG), one.loss)
        if late < self._saved(self.so_far, one, one.loss):
            return one
        return replace(one, harvest_before=None)

    def _guarded(self, one: Harvest) -> tuple[Harvest, Guarded]:
        """*one* as part of the order that sells what was accepted in its place before."""
        sale = self._order([one])
        guarded = guard_sale(self.ledger, sale, self.market.outlook)
        pieces = preview_sale(self.ledger, sale)
        mine = [piece for piece in pieces if (piece.row.lot_id, piece.row.piece) == one.key[2:]]
        held = sum((piece.row.disallowed for piece in mine), ZERO)
        in_all = sum((piece.row.disallowed for piece in pieces), ZERO)
        planned = guarded.dollars - in_all
        waiting = one.loss - held
        disallowed = held + min(planned, waiting)
        return replace(one, guard=guarded, disallowed=disallowed), guarded

    def _valued(self, one: Harvest, guarded: Guarded, substitute: str) -> Harvest:
        market, allowed = self.market, one.loss - one.disallowed
        deferred = min(one.disallowed, guarded.deferred)
        trip = market.cost(one.symbol) + market.cost(substitute)
        is_kept = substitute == one.symbol or not market.swaps_back
        gross = one.quantity * market.prices[one.symbol]
        return replace(
            one,
            substitute=substitute,
            saved=self._saved(self.so_far, one, allowed),
            later=self._later(one.loss - deferred),
            costs=gross * trip * (1 if is_kept else 2),
        )

    def _substitute(self, one: Harvest) -> tuple[str, str]:
        market = self.market
        if self.ledger.rule.is_exempt(one.symbol, market.on):
            return one.symbol, ""
        return substitute_for(one.symbol, self.ledger, self.rules.harvest, market, self.sold)

    # ---------------------------------------------------------------- reasons

    def _too_small(self, one: Harvest) -> str:
        least = loss_least(self.rules.harvest, self.market.on)
        if one.loss >= least * one.basis:
            return ""
        return f"on this day of the year a loss must be {percent(least)} of the basis."

    def _saves_nothing(self, one: Harvest) -> str:
        tax = self.rules.tax
        if tax.long_term_rate == 0 and tax.later_rate is None:
            return (
                "long-term gains are taxed at 0 % for this household, and a substitute's lower "
                "basis would give that away: take gains instead, or say in [tax] later_rate what "
                "you expect later."
            )
        if self._saved(self.so_far, one, one.loss) > 0:
            return ""
        return (
            "it would save no tax, since what it would offset is taxed at 0 %, and a substitute's "
            "lower basis could only cost tax later."
        )

    def _not_first(self, more: Sequence[Harvest]) -> str:
        """Why a broker that may not be told the lots would book another one than *more*."""
        account, symbol = more[0].account, more[0].symbol
        relief = self.market.reliefs.get(account, Relief.SPECIFIC)
        missing = {(one.lot_id, one.piece) for one in more}
        sold = {(pick.lot_id, pick.piece) for pick in self.picks.get((account, symbol), ())}
        for lot_id, piece in sold_first(self.ledger, account, symbol, relief):
            if not missing:
                break
            if (lot_id, piece) not in sold | missing:
                return (
                    f"the broker of {account} would book the sale to lot {lot_id} first, which is "
                    "not harvested."
                )
            missing.discard((lot_id, piece))
        return ""

    def _bought_instead(self, one: Harvest) -> str:
        for symbol in self.bought:
            is_own = symbol == one.symbol and self.ledger.rule.is_exempt(symbol, self.market.on)
            if self.ledger.identical(symbol, one.symbol) and not is_own:
                return f"this harvest buys {symbol} instead of something else."
        return ""

    def _not_worth(self, one: Harvest) -> str:
        return (
            f"it saves {money(one.saved)} of tax now, but costs {money(one.later)} of tax later "
            f"and {money(one.costs)} of trading; {money(one.worth)} is less than the "
            f"{money(self.rules.harvest.minimum)} that make it worth the while."
        )

    def _left(self, one: Harvest, why_not: str) -> Harvest:
        text = f"Leave {name_of(one)}, at a loss of {size_of(one)}: {why_not}"
        if one.harvest_before is not None:
            text += f" From {one.harvest_before} on it is long term and worth less."
        return replace(one, state=HarvestState.LEAVE, sentence=text)

    def _taken(self, one: Harvest, guarded: Guarded, reasons: str) -> str:
        is_coin = one.substitute == one.symbol
        instead = f"buy {one.substitute} {'again' if is_coin else 'instead'}"
        text = (
            f"Sell {name_of(one)}, at a loss of {size_of(one)}, and {instead}"
            f"{f' ({reasons})' if reasons else ''}: it saves {money(one.saved)} of tax now, and "
            f"costs {money(one.later)} of tax later and {money(one.costs)} of trading."
        )
        if is_coin:
            text += f" Section 1091 does not reach {one.symbol}."
        elif guarded.state is GuardState.CLEAR:
            text += " It is clear in the records provided."
        elif guarded.state is GuardState.INCOMPLETE:
            text += f" Ask first, for coverage is incomplete: {' '.join(guarded.gaps)}"
        else:
            text += f" Ask first, for {money(one.disallowed)} of it would be disallowed: "
            text += " ".join([*guarded.findings[:_SHOWN], *guarded.gaps[:_SHOWN]])
        if not is_coin:
            text += f" Buy nothing identical before {first_safe_day(self.market.on)}."
        if one.harvest_before is not None:
            text += (
                f" Harvest it before {one.harvest_before}: then it turns long term and saves less."
            )
        return text


def _blocked(guarded: Guarded) -> str:
    safe = guarded.first_safe_day
    when = (
        f"The first safe day is {safe}."
        if safe is not None
        else "No day is safe as long as the planned purchases go on."
    )
    return f"it would be a wash sale. {' '.join(guarded.findings[:_SHOWN])} {when}"
