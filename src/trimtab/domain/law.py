"""The US federal tax law as values: brackets of a year, and the statutes that no year changes.

The figures stand in a dated and sourced file that `trimtab.adapters.law` reads; no rule writes one
down. A year that is not in the file is refused, never guessed from its neighbour.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta, Struct

from trimtab.domain.errors import InputError
from trimtab.domain.leaves import Amount, Count, Days, Fraction, Part, Symbol, Text
from trimtab.domain.numbers import Money, Weight
from trimtab.domain.policy import FilingStatus

STATUS_CODES: dict[str, FilingStatus] = {
    "single": "single",
    "hoh": "head_of_household",
    "mfj": "married_filing_jointly",
    "mfs": "married_filing_separately",
    "qss": "qualifying_surviving_spouse",
}
"""The customary short codes of the filing statuses."""

JOINT: frozenset[FilingStatus] = frozenset(
    {"married_filing_jointly", "qualifying_surviving_spouse"}
)
"""The statuses that file a joint return or are treated as if they did (26 USC 2(a))."""

SEPARATE: FilingStatus = "married_filing_separately"

Since = Annotated[dt.date, Meta(extra={"example": "2013-01-01"})]
"""The first day of the first tax year to which a statute applies as it stands here."""


class Bracket(Struct, frozen=True, kw_only=True):
    """The rate on the part of taxable income above `over`, up to the next bracket."""

    over: Money
    rate: Weight


class StatusLaw(Struct, frozen=True, kw_only=True):
    """What a year's law is for one filing status; brackets ascend and the first begins at zero.

    `long_term` brackets hold for net capital gain and qualified dividends, stacked on top of the
    ordinary income (26 USC 1(h)). `additional_standard_deduction` is for each of age 65 and blind.
    """

    ordinary: tuple[Bracket, ...]
    long_term: tuple[Bracket, ...]
    standard_deduction: Money
    additional_standard_deduction: Money


class YearLaw(Struct, frozen=True, kw_only=True):
    """The inflation-indexed figures of one tax year and where they were published."""

    year: int
    source: str
    statuses: dict[FilingStatus, StatusLaw]

    def of(self, status: FilingStatus) -> StatusLaw:
        """The figures for *status*."""
        return self.statuses[status]


class CapitalLoss(Struct, frozen=True, kw_only=True):
    """How much of a net capital loss other income absorbs in a year: 26 USC 1211(b)."""

    section: Text
    since: Since
    limit: Amount
    limit_separate: Amount

    def limit_of(self, status: FilingStatus) -> Money:
        """The yearly limit on a return of *status*."""
        return self.limit_separate if status == SEPARATE else self.limit


class NetInvestmentIncome(Struct, frozen=True, kw_only=True):
    """The tax on net investment income above a threshold of MAGI: 26 USC 1411; not indexed."""

    section: Text
    since: Since
    rate: Part
    threshold: Amount
    threshold_joint: Amount
    threshold_separate: Amount

    def threshold_of(self, status: FilingStatus) -> Money:
        """The modified adjusted gross income above which a return of *status* owes it."""
        if status == SEPARATE:
            return self.threshold_separate
        return self.threshold_joint if status in JOINT else self.threshold


class WashSale(Struct, frozen=True, kw_only=True):
    """How many days before and after a loss a purchase washes it: 26 USC 1091(a)."""

    section: Text
    window_days: Days


class Collectibles(Struct, frozen=True, kw_only=True):
    """The highest rate on long-term gains from collectibles, and trusts that hold such metal."""

    section: Text
    rate: Fraction
    trusts: tuple[Symbol, ...]


class DividendTest(Struct, frozen=True, kw_only=True):
    """Held *more* than `days` within `window_days` centred on the ex-date: 26 USC 246(c).

    The preferred figures are for preferred dividends of periods beyond 366 days.
    """

    section: Text
    since: Since
    days: Days
    window_days: Days
    preferred_days: Days
    preferred_window_days: Days


class FundLosses(Struct, frozen=True, kw_only=True):
    """Fund shares held no longer than so many months: what was distributed changes a loss."""

    section: Text
    months: Count


class Forms(Struct, frozen=True, kw_only=True):
    """What changed on Form 8949: boxes G to L for digital assets and their first tax year."""

    section: Text
    digital_boxes_since: Since


class Statutes(Struct, frozen=True, kw_only=True):
    """The law that is not indexed, each part with its section and, where known, its first day.

    A rule applies what it is given: for a year before `since`, the caller says so to the reader.
    """

    capital_loss: CapitalLoss
    net_investment_income: NetInvestmentIncome
    wash_sale: WashSale
    collectibles: Collectibles
    qualified_dividends: DividendTest
    fund_losses: FundLosses
    forms: Forms


class Law(Struct, frozen=True, kw_only=True):
    """All the tax law known here: years by number, and the statutes; `as_of` when it was checked.

    `source` is the file that says so.
    """

    source: str
    as_of: dt.date
    years: dict[int, YearLaw]
    statutes: Statutes

    def year(self, year: int) -> YearLaw:
        """The figures of tax *year*.

        Raises:
            InputError: they are not known; those of another year are no answer.
        """
        if year not in self.years:
            msg = (
                f"the federal tax figures of {year} are not known, only those of "
                f"{_listed(self.years)}: add [years.{year}] to {self.source}, with its Revenue "
                "Procedure as the source"
            )
            raise InputError(msg)
        return self.years[year]


def _listed(years: Iterable[int]) -> str:
    names = [str(year) for year in sorted(years)]
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names or ["no year"])
