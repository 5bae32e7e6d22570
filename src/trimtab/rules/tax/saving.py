"""What a loss is worth: the tax of a year before and after it, at the household's marginal rates.

Gains and losses of a year net by term first (26 USC 1222); a net loss is deducted up to the yearly
limit (1211(b)) and the rest carried over (1212(b)), where it is worth less because it comes later.
"""

from collections.abc import Iterable, Mapping
from decimal import localcontext

from msgspec import Struct

from trimtab.domain.history import LotSale, TaxAccount
from trimtab.domain.law import Statutes
from trimtab.domain.numbers import EXACT, ONE, ZERO, Money, Weight
from trimtab.domain.policy import TaxRule
from trimtab.domain.trades import Term
from trimtab.rules.tax.netting import Carryover, net


class YearToDate(Struct, frozen=True, kw_only=True):
    """Gains (negative: losses) of a year so far, before any carryover, and what is carried in."""

    year: int
    short: Money = ZERO
    long: Money = ZERO
    carry: Carryover = Carryover()

    def after(self, term: Term, gain: Money) -> "YearToDate":
        """The year with *gain* of *term* added."""
        is_short = term is Term.SHORT
        return YearToDate(
            year=self.year,
            short=self.short + (gain if is_short else ZERO),
            long=self.long + (ZERO if is_short else gain),
            carry=self.carry,
        )


def year_to_date(
    sales: Iterable[LotSale], accounts: Mapping[str, TaxAccount], tax: TaxRule, year: int
) -> YearToDate:
    """What the household realized in *year*, and the carryover that *tax* tells for that year."""
    gains = {Term.SHORT: ZERO, Term.LONG: ZERO}
    for sale in sales:
        is_ours = accounts[sale.account].taxpayer == "household"
        if is_ours and sale.is_taxed and sale.sold.year == year:
            gains[sale.term] += sale.gain
    carry = Carryover()
    if tax.carryover_into == year:
        carry = Carryover(st=tax.short_carryover, lt=tax.long_carryover)
    return YearToDate(year=year, short=gains[Term.SHORT], long=gains[Term.LONG], carry=carry)


def tax_of(so_far: YearToDate, tax: TaxRule, statutes: Statutes, discount_rate: Weight) -> Money:
    """The tax on a year's gains; negative where losses save more than gains cost.

    A net gain is taxed at the rate of its term; a net loss saves at the short-term rate, which is
    that of ordinary income. What is carried over is deducted up to the limit in each later year,
    discounted at *discount_rate*: no gain is foreseen that it could offset earlier.
    """
    with localcontext(EXACT):
        figures = net(so_far.short, so_far.long, tax.filing_status, statutes, carry=so_far.carry)
        long = figures.net_capital_gain
        short = figures.on_return - long
        limit = statutes.capital_loss.limit_of(tax.filing_status)
        carried = max(ZERO, -figures.line16) - figures.line21
        later = _discounted(carried, limit, discount_rate)
        return short * tax.short_term_rate + long * tax.long_term_rate - later * tax.short_term_rate


def later_tax(gain: Money, tax: TaxRule, years: int, discount_rate: Weight) -> Money:
    """Tax on a *gain* that is put off for so many *years*, discounted to today."""
    rate = tax.long_term_rate if tax.later_rate is None else tax.later_rate
    with localcontext(EXACT):
        return gain * rate / (ONE + discount_rate) ** years


def _discounted(carried: Money, limit: Money, rate: Weight) -> Money:
    """Today's value of *carried* when *limit* of it is deducted in each year from the next on."""
    if carried <= 0 or limit <= 0:
        return ZERO
    years = int(carried // limit)
    rest = carried - years * limit
    factor = ONE / (ONE + rate)
    whole = factor * (ONE - factor**years) / (ONE - factor) if rate > 0 else ONE * years
    return limit * whole + rest * factor ** (years + 1)
