"""What a year's sales and qualified dividends add to the federal tax, and until when it may change.

Ordinary income fills the ordinary brackets from below, a net short-term gain comes on top of it,
and net long-term gain with qualified dividends on top of both, at rates of their own (26 USC
1(h)). The tax on net investment income is separate (26 USC 1411).
"""

import datetime as dt
from collections.abc import Iterable
from decimal import localcontext

from msgspec import Struct

from trimtab.domain.history import LotSale
from trimtab.domain.law import Bracket, Law, NetInvestmentIncome, StatusLaw, Statutes
from trimtab.domain.numbers import CENT, EXACT, ZERO, Money, Weight
from trimtab.domain.policy import FilingStatus
from trimtab.domain.trades import Term
from trimtab.rules.tax.netting import Netting, YearTotals


class Income(Struct, frozen=True, kw_only=True):
    """What a return has in a year beside its sales and qualified dividends, which are on top.

    `ordinary` is taxable income after deductions, negative where they exceed it. `magi` is the
    modified adjusted gross income. `other_investment` is the interest, other dividends and rents
    in both, less their expenses: net investment income, apart from sales and qualified dividends.
    """

    status: FilingStatus
    ordinary: Money
    magi: Money
    other_investment: Money = ZERO
    qualified_dividends: Money = ZERO


class MarginalRates(Struct, frozen=True, kw_only=True):
    """The federal rate on the next cent of gain of each term, net investment income tax included.

    Where another dollar of ordinary income lifts qualified dividends into a higher bracket, its
    rate holds that too.
    """

    st: Weight
    lt: Weight


class YearTax(Struct, frozen=True, kw_only=True):
    """What sales and qualified dividends add to a year's federal tax, exact and not rounded.

    `short_term`, `long_term` and `dividends` are tax; `loss_saving` is what the deducted loss
    saves, zero or negative; `niit` the net investment income tax that is added. `taxable_income` is
    line 15 of Form 1040, negative where deductions exceed income, as the carryover worksheet wants
    it. `rates` are those of the income before the sales. `collectibles` are symbols whose
    long-term gains may be taxed higher than computed. `notes` say what the figures leave out.
    """

    year: int
    short_term: Money
    loss_saving: Money
    long_term: Money
    dividends: Money
    niit: Money
    taxable_income: Money
    rates: MarginalRates
    collectibles: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def total(self) -> Money:
        """All that is added to the tax; negative when losses save more than gains cost."""
        return self.short_term + self.loss_saving + self.long_term + self.dividends + self.niit


def year_tax(totals: YearTotals, income: Income, law: Law, rows: Iterable[LotSale] = ()) -> YearTax:
    """The tax of the year of *totals* on top of *income*; *rows* tell which sales were metal.

    Counted with the brackets themselves: the Tax Table of the Form 1040 instructions, in steps of
    $50 below $100,000, can differ by a few dollars.

    Source: Qualified Dividends and Capital Gain Tax Worksheet; Form 8960.

    Raises:
        InputError: the figures of that year are not known.
    """
    figures = law.year(totals.year).of(income.status)
    netting, dividends = totals.netting, income.qualified_dividends
    with localcontext(EXACT):
        gain = netting.net_capital_gain
        plain = income.ordinary + netting.on_return - gain
        before = income_tax(income.ordinary, ZERO, figures)
        with_ordinary = income_tax(plain, ZERO, figures)
        with_gain = income_tax(plain, gain, figures)
        with_all = income_tax(plain, gain + dividends, figures)
        metals = _collectibles(rows, totals.year, law.statutes)
        return YearTax(
            year=totals.year,
            short_term=max(ZERO, with_ordinary - before),
            loss_saving=min(ZERO, with_ordinary - before),
            long_term=with_gain - with_ordinary,
            dividends=with_all - with_gain,
            niit=_added_niit(income, netting.on_return, law.statutes.net_investment_income),
            taxable_income=taxable_income(netting, income),
            rates=marginal_rates(income, figures, law.statutes),
            collectibles=metals,
            notes=_notes(metals, law.statutes),
        )


def taxable_income(netting: Netting, income: Income) -> Money:
    """Line 15 of Form 1040 with gains or the deducted loss and qualified dividends.

    Negative where deductions exceed income: line 1 of the Capital Loss Carryover Worksheet.
    """
    return income.ordinary + netting.on_return + income.qualified_dividends


def income_tax(ordinary: Money, preferred: Money, figures: StatusLaw) -> Money:
    """Federal income tax on *ordinary* taxable income with *preferred* stacked on top of it.

    *preferred* is net capital gain and qualified dividends. A negative *ordinary* uses up as much
    of it. The tax is never more than with all of it at ordinary rates, as line 25 of the worksheet
    has it: where the ordinary 12 % bracket reaches above the long-term 0 % bracket, it matters.
    """
    start, top = max(ZERO, ordinary), max(ZERO, ordinary + preferred)
    stacked = _tax_between(figures.ordinary, ZERO, start)
    stacked += _tax_between(figures.long_term, start, top)
    return min(stacked, _tax_between(figures.ordinary, ZERO, top))


def _tax_between(brackets: tuple[Bracket, ...], start: Money, end: Money) -> Money:
    """Tax on the income from *start* to *end*, each part at the rate of its bracket."""
    tax = ZERO
    for number, bracket in enumerate(brackets):
        is_last = number + 1 == len(brackets)
        upper = end if is_last else min(end, brackets[number + 1].over)
        tax += bracket.rate * max(ZERO, upper - max(start, bracket.over))
    return tax


def niit(
    status: FilingStatus, magi: Money, other: Money, gain: Money, statute: NetInvestmentIncome
) -> Money:
    """The net investment income tax of a year: 26 USC 1411(a).

    *magi* is that of the whole year. *gain* is the capital gain or (loss) line of Form 1040, so an
    allowed loss, negative, reduces *other* net investment income (Form 8960 line 5a).
    """
    investment = max(ZERO, other + gain)
    excess = max(ZERO, magi - statute.threshold_of(status))
    return statute.rate * min(investment, excess)


def marginal_rates(income: Income, figures: StatusLaw, statutes: Statutes) -> MarginalRates:
    """What the next cent of short-term and of long-term gain costs on top of *income*."""
    statute = statutes.net_investment_income

    def owed(short: Money, long: Money) -> Money:
        tax = income_tax(income.ordinary + short, income.qualified_dividends + long, figures)
        return tax + _added_niit(income, short + long, statute)

    with localcontext(EXACT):
        now = owed(ZERO, ZERO)
        return MarginalRates(
            st=((owed(CENT, ZERO) - now) / CENT).normalize(),
            lt=((owed(ZERO, CENT) - now) / CENT).normalize(),
        )


def _added_niit(income: Income, gain: Money, statute: NetInvestmentIncome) -> Money:
    """What *gain* and the qualified dividends add to the net investment income tax."""
    dividends = income.qualified_dividends
    after = niit(
        income.status,
        income.magi + gain + dividends,
        income.other_investment + dividends,
        gain,
        statute,
    )
    return after - niit(income.status, income.magi, income.other_investment, ZERO, statute)


def _collectibles(rows: Iterable[LotSale], year: int, statutes: Statutes) -> tuple[str, ...]:
    trusts = frozenset(statutes.collectibles.trusts)
    sold = {
        row.symbol
        for row in rows
        if row.is_taxed and row.sold.year == year and row.term is Term.LONG and row.symbol in trusts
    }
    return tuple(sorted(sold))


def _notes(metals: tuple[str, ...], statutes: Statutes) -> tuple[str, ...]:
    scope = (
        "This is federal income tax and the tax on net investment income only; state tax, the "
        "alternative minimum tax and credits are not computed."
    )
    if not metals:
        return (scope,)
    rate = (statutes.collectibles.rate * 100).normalize()
    flag = (
        f"{', '.join(metals)}: long-term gains of metal trusts are collectibles, taxed at up to "
        f"{rate:f} % ({statutes.collectibles.section}). They are only flagged: the tax here counts "
        "them like other long-term gains and may be too low."
    )
    return (flag, scope)


def provisional_until(year: int, statutes: Statutes) -> dt.date:
    """The first day on which no purchase can wash a loss of *year* any more: 31 January after.

    The window is 30 days: 30 January still counts for a sale on 31 December (26 USC 1091(a)).
    """
    return dt.date(year, 12, 31) + dt.timedelta(days=statutes.wash_sale.window_days + 1)


def is_provisional(year: int, on: dt.date, statutes: Statutes) -> bool:
    """Whether the results of *year* can still change on the day *on*."""
    return on < provisional_until(year, statutes)
