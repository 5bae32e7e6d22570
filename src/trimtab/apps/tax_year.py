"""A year of each return: which sales, carryovers, dividends and incomes go into its figures."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import localcontext
from typing import NamedTuple

from msgspec import Struct

from trimtab.apps.tax_source import TaxReturn, TaxSource
from trimtab.domain.errors import InputError
from trimtab.domain.history import LotSale, Transaction
from trimtab.domain.numbers import EXACT, ZERO, Money
from trimtab.domain.trades import Term
from trimtab.domain.values import OwnerRole
from trimtab.rules.tax.dividends import (
    Holding,
    Qualified,
    decided_on,
    qualified,
    short_holding_warnings,
)
from trimtab.rules.tax.netting import NO_CARRY, Carryover, YearTotals, years_of
from trimtab.rules.tax.year import Income, YearTax, taxable_income, year_tax
from trimtab.rules.words import listing, units


class Given(Struct, frozen=True, kw_only=True):
    """What the command was told of one return; None where it was not. Carryovers are positive.

    `income` and `magi` are without gains and qualified dividends, `investment` is the part of both
    that is net investment income.
    """

    income: Money | None = None
    magi: Money | None = None
    investment: Money | None = None
    carry_short: Money | None = None
    carry_long: Money | None = None

    @property
    def is_told(self) -> bool:
        """Whether there is anything in it."""
        return self != Given()


class Carried(NamedTuple):
    """A carryover that was told, and the year that it goes into."""

    into: int
    carry: Carryover


class Dividends(NamedTuple):
    """The dividends of a year in the taxed accounts of a return."""

    total: Money
    qualified: Money
    remarks: tuple[str, ...]


class ReturnYear(NamedTuple):
    """One return's year. `tax` is None where it cannot be told, `no_tax_because` says why."""

    of: TaxReturn
    rows: tuple[LotSale, ...]
    totals: YearTotals
    dividends: Dividends
    tax: YearTax | None
    no_tax_because: str
    metals: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def carried_in(self) -> Carryover:
        """What was brought from the year before."""
        netting = self.totals.netting
        with localcontext(EXACT):
            return Carryover(st=self.totals.st - netting.line7, lt=self.totals.lt - netting.line15)


def years(
    source: TaxSource, year: int, given: Given, only: str | None = None
) -> tuple[ReturnYear, ...]:
    """The *year* of every return, or of the one whose id is *only*.

    What was *given* is of one return: of that one, or of the only one of the household.

    Raises:
        InputError: there is no such return, or several that the figures could be of.
    """
    chosen = [one for one in source.returns if only in {None, one.id}]
    if not chosen:
        names = listing([one.id for one in source.returns])
        msg = f"--return: there is no return of {only!r}: those here are of {names}."
        raise InputError(msg)
    main = _main_return(source, chosen)
    if given.is_told and main is None:
        names = " or ".join(f"--return {one.id}" for one in chosen)
        msg = f"incomes and carryovers are those of one return: say whose, {names}."
        raise InputError(msg)
    return tuple(
        _return_year(source, one, year, given if one is main else Given()) for one in chosen
    )


def years_with_sales(source: TaxSource) -> list[int]:
    """The years in which anything was sold in a taxed account."""
    return sorted({row.sold.year for row in source.ledger.sales() if row.is_taxed})


def _main_return(source: TaxSource, chosen: list[TaxReturn]) -> TaxReturn | None:
    """The return that what was told is of; None where that is open."""
    if len(chosen) == 1:
        return chosen[0]
    household = [one for one in chosen if _is_of_household(source, one)]
    return household[0] if len(household) == 1 else None


def _is_of_household(source: TaxSource, one: TaxReturn) -> bool:
    roles = {account.owner: account.role for account in source.accounts.values()}
    return any(roles.get(owner) is not OwnerRole.OTHER for owner in one.owners)


def _return_year(source: TaxSource, one: TaxReturn, year: int, given: Given) -> ReturnYear:
    of_return = source.rows_of(one, source.ledger.sales())
    carried, remarks = _carried(source, one, year, given)
    dividends = _dividends_of(source, one, year)
    totals = _totals(source, one, of_return, year, carried)
    income, why_not = _income(source, one, given, dividends.qualified)
    if year not in source.law.years:
        why_not = _no_brackets(source, year)
    tax: YearTax | None = None
    rows = tuple(row for row in of_return if row.sold.year == year and row.is_taxed)
    if income is not None:
        line15 = taxable_income(totals.netting, income)
        totals = _totals(source, one, of_return, year, carried, line15)
        if not why_not:
            tax = year_tax(totals, income, source.law, rows)
    return ReturnYear(
        of=one,
        rows=rows,
        totals=totals,
        dividends=dividends,
        tax=tax,
        no_tax_because=why_not,
        metals=_metals(source, rows),
        remarks=(
            *remarks,
            *_about_chain(source, totals, of_return, carried),
            *_about_spouses(source, one, rows),
            *_before_statutes(source, year, dividends, tax),
            *short_holding_warnings(
                [row for row in rows if row.sold.year == year],
                source.distributions,
                source.law.statutes.fund_losses,
            ),
        ),
    )


# ---------------------------------------------------------------------- carryovers


def _carried(
    source: TaxSource, one: TaxReturn, year: int, given: Given
) -> tuple[Carried | None, tuple[str, ...]]:
    """The carryover that was told for the return and reaches *year*, and what to say about it."""
    if given.carry_short is not None or given.carry_long is not None:
        carry = Carryover(st=given.carry_short or ZERO, lt=given.carry_long or ZERO)
        return Carried(year, carry), ()
    tax = source.tax
    has_any = tax is not None and (tax.short_carryover or tax.long_carryover)
    if tax is None or not has_any or not _is_of_household(source, one):
        return None, ()
    if tax.carryover_into is None:
        remark = "carryover_into does not say into which year they go."
    elif not _is_only_one(source):
        remark = "there are several returns: give --return, --carry-short and --carry-long."
    elif tax.carryover_into > year:
        remark = f"they go into {tax.carryover_into}."
    else:
        carry = Carryover(st=tax.short_carryover, lt=tax.long_carryover)
        return Carried(tax.carryover_into, carry), ()
    return None, (f"The carryovers of [tax] in household.toml are left out: {remark}",)


def _is_only_one(source: TaxSource) -> bool:
    """Whether household.toml can mean one return only."""
    return sum(1 for one in source.returns if _is_of_household(source, one)) == 1


def _totals(
    source: TaxSource,
    one: TaxReturn,
    rows: Iterable[LotSale],
    year: int,
    carried: Carried | None,
    line15: Money | None = None,
) -> YearTotals:
    """The year, after the years of the records before it or since a carryover was told."""
    first = dt.MINYEAR if carried is None else carried.into
    incomes: Mapping[int, Money] = {} if line15 is None else {year: line15}
    return years_of(
        [row for row in rows if first <= row.sold.year <= year],
        one.status,
        source.law.statutes,
        carry=NO_CARRY if carried is None else carried.carry,
        taxable_income=incomes,
        span=range(year if carried is None else carried.into, year + 1),
    )[-1]


def _about_chain(
    source: TaxSource, totals: YearTotals, rows: Iterable[LotSale], carried: Carried | None
) -> Iterator[str]:
    """What the carryover into the year rests on."""
    earlier = sorted({row.sold.year for row in rows if row.is_taxed} - {totals.year})
    first = earlier[0] if earlier and earlier[0] < totals.year else totals.year
    netting = totals.netting
    is_computed = totals.st != netting.line7 or totals.lt != netting.line15
    if carried is not None and carried.into == totals.year:
        return
    if carried is None:
        yield (
            f"Nothing was told of losses carried into {first}, the first year here: if your return "
            "of the year before has any, give --carry-short and --carry-long"
            + (" or write them into [tax]." if source.is_household else ".")
        )
    if is_computed:
        yield (
            "The carryover into this year is computed from the sales of the years before, taking "
            "it that there was income enough to absorb the loss deducted each year; the worksheet "
            "of your last return comes before it."
        )


# ---------------------------------------------------------------------- incomes


def _income(
    source: TaxSource, one: TaxReturn, given: Given, qualified_dividends: Money
) -> tuple[Income | None, str]:
    """What is known of the return's other income, or why there is none."""
    ordinary, magi = given.income, given.magi
    tax = source.tax
    if tax is not None and _is_of_household(source, one) and _is_only_one(source):
        ordinary = tax.ordinary_income if ordinary is None else ordinary
        magi = tax.magi if magi is None else magi
    missing = [name for name, told in (("--income", ordinary), ("--magi", magi)) if told is None]
    if ordinary is None or magi is None:
        is_main = _is_of_household(source, one) and _is_only_one(source)
        whose = "" if is_main else f" with --return {one.id}"
        instead = (
            ", or write ordinary_income and magi into [tax]"
            if is_main and source.is_household
            else ""
        )
        return None, (
            f"The tax itself needs the other income of the year: give {listing(missing)}{whose}"
            f"{instead}."
        )
    return Income(
        status=one.status,
        ordinary=ordinary,
        magi=magi,
        other_investment=given.investment or ZERO,
        qualified_dividends=qualified_dividends,
    ), ""


def _no_brackets(source: TaxSource, year: int) -> str:
    try:
        source.law.year(year)
    except InputError as error:
        return f"No brackets are applied: {str(error).rstrip('.')}."
    raise AssertionError("a year that is in the law is known")


# ---------------------------------------------------------------------- dividends


def _dividends_of(source: TaxSource, one: TaxReturn, year: int) -> Dividends:
    """The dividends whose ex-date is in *year*, and what of them qualifies."""
    due = [
        dividend
        for dividend in source.ledger.dividends()
        if dividend.date.year == year
        and (account := source.accounts[dividend.account]).is_taxed
        and account.owner in one.owners
    ]
    total = passing = ZERO
    remarks: list[str] = []
    for dividend in due:
        own = source.ledger.holdings(dividend)
        paid, remark = _dividend(source, dividend, own)
        with localcontext(EXACT):
            total += paid.total
            passing += paid.qualified
        remarks += remark
    return Dividends(total, passing, tuple(remarks))


def _dividend(
    source: TaxSource, dividend: Transaction, holdings: Sequence[Holding]
) -> tuple[Qualified, list[str]]:
    """One dividend, unit by unit; where the records show other units, in proportion."""
    test = source.law.statutes.qualified_dividends
    found = qualified(dividend, holdings, test)
    remarks: list[str] = []
    what = f"The dividend of {dividend.symbol} in {dividend.account} of {dividend.date}"
    with localcontext(EXACT):
        told = dividend.quantity * dividend.per_share
        if told > 0 and told != found.total:
            shown = units(found.total / dividend.per_share)
            remarks.append(
                f"{what} was paid on {units(dividend.quantity)} units and the records show "
                f"{shown}: what was told counts, and the same part of it qualifies."
            )
            part = found.qualified / found.total if found.total else ZERO
            found = Qualified(told, told * part)
    is_held = any(one.sold is None and one.acquired < dividend.date for one in holdings)
    decided = decided_on(dividend, test)
    if is_held and found.qualified and source.today <= decided:
        remarks.append(f"{what} qualifies as far as its units are held on; {decided} settles it.")
    return found, remarks


# ---------------------------------------------------------------------- remarks


def _metals(source: TaxSource, rows: Iterable[LotSale]) -> tuple[str, ...]:
    """Long-term sales of metal trusts, whose gain may be taxed higher."""
    trusts = set(source.law.statutes.collectibles.trusts)
    sold = {
        row.symbol
        for row in rows
        if row.term is Term.LONG
        and row.symbol not in source.ledger.rule.exempt
        and (row.symbol in trusts or source.identity.is_collectible(row.symbol))
    }
    return tuple(sorted(sold))


def _about_spouses(source: TaxSource, one: TaxReturn, rows: Iterable[LotSale]) -> Iterator[str]:
    if one.status != "married_filing_separately":
        return
    sold = {row.id for row in rows}
    crossing = [
        match
        for match in source.ledger.matches()
        if match.sale_row in sold
        and source.accounts[match.replacement_account].owner not in one.owners
    ]
    found = (
        f" Here the purchases in {listing(sorted({m.replacement_account for m in crossing}))} did."
        if crossing
        else ""
    )
    yield (
        "On separate returns a purchase of one spouse still washes a loss of the other "
        f"(Publication 550).{found} That the basis then goes to the other's shares is our reading: "
        "no authority was found."
    )


def _before_statutes(
    source: TaxSource, year: int, dividends: Dividends, tax: YearTax | None
) -> Iterator[str]:
    """Which statutes are applied to a year in which they did not stand like this."""
    statutes = source.law.statutes
    used = [("losses beyond gains", statutes.capital_loss.since)]
    if dividends.total:
        used.append(("qualified dividends", statutes.qualified_dividends.since))
    if tax is not None:
        used.append(("net investment income", statutes.net_investment_income.since))
    for what, since in used:
        if year < since.year:
            yield (
                f"The law on {what} stands as applied here only since {since}: check {year} by "
                "hand."
            )
