"""What each sale of a plan realizes, and what it adds to the year's tax."""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import localcontext
from typing import NamedTuple

from msgspec.structs import replace

from trimtab.domain.history import HOUSEHOLD
from trimtab.domain.numbers import CENT, EXACT, ONE, ZERO, Money, share_of
from trimtab.domain.trades import Side, Trade
from trimtab.domain.values import Lot, Snapshot, trade_date
from trimtab.rules.plan.motives import Key, key_of
from trimtab.rules.plan.planning import Planning
from trimtab.rules.tax.lots import is_long_term


class Taxed(NamedTuple):
    """Trades with what their sales realize and owe.

    `this_year` is what of a sale's tax falls into this year, where a part of it comes later: a loss
    beyond the yearly limit is carried over.
    """

    trades: list[Trade]
    this_year: Mapping[Key, Money]


def with_taxes(
    trades: Sequence[Trade], snapshot: Snapshot, planning: Planning, lots: Mapping[str, Lot]
) -> Taxed:
    """*trades* with what their sales realize and owe; *lots* are those that they sell, by id.

    The tax of each sale is what it adds to the year after the sales before it, so that the taxes
    add up to that of the plan; what it changes of a carryover is in it, discounted. A child or
    another owner has a year that nobody told, and counts at the household's marginal rates.
    """
    on, tax = trade_date(snapshot.at), planning.tax
    meter, taxed = YearMeter(planning), list[Trade]()
    this_year: dict[Key, Money] = {}
    so_far = meter.this_year
    for trade in trades:
        if trade.side is Side.BUY or not snapshot.accounts[trade.account].kind.is_taxed:
            taxed.append(trade)
            continue
        short, long = _gains(trade, lots, on)
        if planning.taxpayers[trade.account] == HOUSEHOLD:
            owed, before = meter.add(short, long), so_far
            so_far = meter.this_year
            if abs(owed - (so_far - before)) >= CENT:
                this_year[key_of(trade)] = so_far - before
        else:
            owed = short * tax.short_term_rate + long * tax.long_term_rate
        taxed.append(replace(trade, gain=short + long, tax=owed))
    return Taxed(taxed, this_year)


def _gains(trade: Trade, lots: Mapping[str, Lot], on: dt.date) -> tuple[Money, Money]:
    """What a sale realizes short and long term; both together are exact."""
    short_basis = long_basis = units_long = ZERO
    for pick in trade.lots:
        lot = lots[pick.lot_id]
        basis = share_of(lot.basis, pick.quantity, lot.quantity)
        if is_long_term(lot.holding_since, on):
            long_basis += basis
            units_long += pick.quantity
        else:
            short_basis += basis
    proceeds = trade.value - trade.cost
    long = share_of(proceeds, units_long, trade.quantity) if units_long else ZERO
    return proceeds - long - short_basis, long - long_basis


class YearMeter:
    """The tax of the household's year as sales add to it.

    It counts what `rules.tax.saving.tax_of` does, by sums alone: a plan may have hundreds of sales.
    """

    def __init__(self, planning: Planning) -> None:
        """The year before any sale of today."""
        year, tax = planning.year, planning.tax
        self._short, self._long = year.short - year.carry.st, year.long - year.carry.lt
        self._short_rate, self._long_rate = tax.short_term_rate, tax.long_term_rate
        self._limit = planning.statutes.capital_loss.limit_of(tax.filing_status)
        with localcontext(EXACT):
            self._factor = ONE / (ONE + planning.harvest.discount_rate)
            self._powers: dict[int, Money] = {}
            self._tax = self._of_year()

    def add(self, short: Money, long: Money) -> Money:
        """What further gains (negative: losses) add to the tax; negative where they save."""
        before = self._tax
        with localcontext(EXACT):
            self._short += short
            self._long += long
            self._tax = self._of_year()
        return self._tax - before

    @property
    def this_year(self) -> Money:
        """The tax of this year alone, without what is carried into later ones."""
        is_carried = self._short + self._long < -self._limit
        return self._of_year(carried_counts=False) if is_carried else self._tax

    def _of_year(self, *, carried_counts: bool = True) -> Money:
        """26 USC 1222, 1211(b) and 1212(b), what is carried over discounted."""
        net = self._short + self._long
        if net >= 0:
            long = max(ZERO, min(self._long, net))
            return (net - long) * self._short_rate + long * self._long_rate
        if -net <= self._limit:
            return net * self._short_rate
        later = self._later(-net - self._limit) if carried_counts else ZERO
        return -(self._limit + later) * self._short_rate

    def _later(self, carried: Money) -> Money:
        """Today's value of *carried* when the limit of it is deducted in each later year."""
        if self._limit <= 0:
            return ZERO
        years, rest = divmod(carried, self._limit)
        if self._factor == 1:
            return carried
        whole_years = int(years)
        far = self._powers.get(whole_years)
        if far is None:
            far = self._powers[whole_years] = self._factor**whole_years
        whole = self._factor * (ONE - far) / (ONE - self._factor)
        return self._limit * whole + rest * far * self._factor
