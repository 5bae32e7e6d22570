"""Schedule D of a tax return: gains and losses of a year netted, and what is carried to the next.

Short and long term net by themselves, then against each other (26 USC 1222). Other income absorbs
a net loss up to a yearly limit (1211(b)); the rest is carried over for ever and keeps its term
(1212(b)). A loss that section 1091 disallows is no carryover: it lives on in a lot.
"""

from collections.abc import Iterable, Mapping
from decimal import localcontext

from msgspec import Struct

from trimtab.domain.history import LotSale
from trimtab.domain.law import Statutes
from trimtab.domain.numbers import EXACT, ZERO, Money
from trimtab.domain.policy import FilingStatus
from trimtab.domain.trades import Term


class Carryover(Struct, frozen=True, kw_only=True):
    """Capital losses brought from the year before, as positive amounts."""

    st: Money = ZERO
    lt: Money = ZERO


NO_CARRY = Carryover()


class Netting(Struct, frozen=True, kw_only=True):
    """Schedule D in figures, exact.

    Line 7 is the net short-term and line 15 the net long-term gain or loss after the carryover
    from the year before, line 16 their sum, and line 21 the loss that is deducted, positive.
    `worksheet` are the lines of the Capital Loss Carryover Worksheet that are filled in, by
    number; it is empty when the worksheet says that nothing is carried over.
    """

    line7: Money
    line15: Money
    line16: Money
    line21: Money
    carry_st: Money
    carry_lt: Money
    worksheet: dict[int, Money]

    @property
    def carry(self) -> Carryover:
        """What goes to the next year."""
        return Carryover(st=self.carry_st, lt=self.carry_lt)

    @property
    def net_capital_gain(self) -> Money:
        """The gain that long-term rates apply to: 26 USC 1222(11); never negative."""
        return max(ZERO, min(self.line15, self.line16))

    @property
    def on_return(self) -> Money:
        """The capital gain or (loss) line of Form 1040: line 16, a loss as far as it is allowed."""
        return self.line16 if self.line16 >= 0 else -self.line21


class YearTotals(Struct, frozen=True, kw_only=True):
    """One tax year of one return, exact.

    `st` and `lt` are the sums of column h of Form 8949 before any carryover. `disallowed` is what
    section 1091 added back in them, of which `permanent` is lost to a retirement account.
    """

    year: int
    st: Money
    lt: Money
    disallowed: Money
    permanent: Money
    netting: Netting

    @property
    def net(self) -> Money:
        """Schedule D line 16."""
        return self.netting.line16

    @property
    def deduction(self) -> Money:
        """Schedule D line 21 as a positive amount."""
        return self.netting.line21

    @property
    def carry_st(self) -> Money:
        """Short-term loss carried to the next year, positive."""
        return self.netting.carry_st

    @property
    def carry_lt(self) -> Money:
        """Long-term loss carried to the next year, positive."""
        return self.netting.carry_lt


def net(
    st: Money,
    lt: Money,
    status: FilingStatus,
    statutes: Statutes,
    *,
    carry: Carryover = NO_CARRY,
    taxable_income: Money | None = None,
) -> Netting:
    """Schedule D of a year with gains *st* and *lt* (negative for losses) and *carry* brought in.

    *taxable_income* is line 15 of Form 1040, negative where the deductions exceed the income; the
    deducted loss is then used up only as far as there was income to absorb it. None means that
    there was enough. The limit is that of *statutes*, whatever the year.

    Source: Schedule D lines 7, 15, 16 and 21, and its Capital Loss Carryover Worksheet.
    """
    assert carry.st >= 0, "a carryover is a positive amount"
    assert carry.lt >= 0, "a carryover is a positive amount"
    with localcontext(EXACT):
        line7, line15 = st - carry.st, lt - carry.lt
        line16 = line7 + line15
        line21 = min(max(ZERO, -line16), statutes.capital_loss.limit_of(status))
        is_short_of_income = taxable_income is not None and taxable_income < 0
        worksheet: dict[int, Money] = {}
        if line21 > 0 and (line21 < -line16 or is_short_of_income):
            worksheet = _worksheet(line7, line15, line21, taxable_income)
    return Netting(
        line7=line7,
        line15=line15,
        line16=line16,
        line21=line21,
        carry_st=worksheet.get(8, ZERO),
        carry_lt=worksheet.get(13, ZERO),
        worksheet=worksheet,
    )


def _worksheet(
    line7: Money, line15: Money, line21: Money, taxable_income: Money | None
) -> dict[int, Money]:
    """The Capital Loss Carryover Worksheet: lines that it tells to skip are left out."""
    lines: dict[int, Money] = {}
    if taxable_income is not None:
        lines[1] = taxable_income
    lines[2] = line21
    lines[4] = line21
    if taxable_income is not None:
        lines[3] = max(ZERO, lines[1] + lines[2])
        lines[4] = min(lines[2], lines[3])
    lines[5] = max(ZERO, -line7)
    if line7 < 0:
        lines[6] = max(ZERO, line15)
        lines[7] = lines[4] + lines[6]
        lines[8] = max(ZERO, lines[5] - lines[7])
    if line15 < 0:
        lines[9] = -line15
        lines[10] = max(ZERO, line7)
        lines[11] = max(ZERO, lines[4] - lines[5])
        lines[12] = lines[10] + lines[11]
        lines[13] = max(ZERO, lines[9] - lines[12])
    return dict(sorted(lines.items()))


def years_of(
    rows: Iterable[LotSale],
    status: FilingStatus,
    statutes: Statutes,
    *,
    carry: Carryover = NO_CARRY,
    taxable_income: Mapping[int, Money] | None = None,
    span: range | None = None,
) -> tuple[YearTotals, ...]:
    """The years of one return, each with the carryover of the one before.

    *rows* are the sales of everybody on the return; those of untaxed accounts count for nothing.
    Every year from the first to the last sale is there, and those of *span*. *carry* comes into
    the first of them. *taxable_income* by year is line 15 of Form 1040 as `net` wants it.
    """
    by_year: dict[int, list[LotSale]] = {}
    for row in rows:
        if row.is_taxed:
            by_year.setdefault(row.sold.year, []).append(row)
    wanted = {*by_year, *(span or ())}
    incomes = taxable_income or {}
    totals: list[YearTotals] = []
    for year in range(min(wanted), max(wanted) + 1) if wanted else ():
        one = _year_of(
            year, by_year.get(year, ()), status, statutes, carry=carry, income=incomes.get(year)
        )
        totals.append(one)
        carry = one.netting.carry
    return tuple(totals)


def _year_of(
    year: int,
    rows: Iterable[LotSale],
    status: FilingStatus,
    statutes: Statutes,
    *,
    carry: Carryover,
    income: Money | None,
) -> YearTotals:
    gains = {Term.SHORT: ZERO, Term.LONG: ZERO}
    disallowed = permanent = ZERO
    with localcontext(EXACT):
        for row in rows:
            gains[row.term] += row.gain
            disallowed += row.disallowed
            permanent += row.permanent
    st, lt = gains[Term.SHORT], gains[Term.LONG]
    return YearTotals(
        year=year,
        st=st,
        lt=lt,
        disallowed=disallowed,
        permanent=permanent,
        netting=net(st, lt, status, statutes, carry=carry, taxable_income=income),
    )
