"""`trimtab tax year`: a year's netting, carryovers and tax, return by return."""

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

import click

from trimtab.apps.cli.options import DIGITS_MAX, example, json_option
from trimtab.apps.cli.taxes.source import source_options
from trimtab.apps.cli.terminal import show, show_document

if TYPE_CHECKING:
    from trimtab.apps.tax_source import TaxSource


class IncomeType(click.ParamType[Decimal]):
    """Money in digits; below zero only where that is allowed."""

    name = "amount"

    def __init__(self, *, may_be_negative: bool = False) -> None:
        """An amount of zero or more, or of any sign."""
        self._may_be_negative = may_be_negative

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        """The amount that *value* spells, such as 150000 or 1,500.00."""
        try:
            amount = Decimal(str(value).replace(",", ""))
        except InvalidOperation:
            self.fail(f"{value!r} is no amount: write digits such as 150000.", param, ctx)
        if not amount.is_finite() or amount.adjusted() >= DIGITS_MAX:
            self.fail(f"{value!r} is no amount: write digits such as 150000.", param, ctx)
        if amount < 0 and not self._may_be_negative:
            self.fail(f"{value!r} is below zero: write it as a positive amount.", param, ctx)
        return amount


_POSITIVE = IncomeType()


@click.command(
    "year",
    epilog=example(
        "trimtab tax year 2026",
        "trimtab tax year 2026 --income 150000 --magi 180000 --carry-long 4000",
    ),
)
@click.argument("year", type=click.IntRange(1900, 2200), required=False)
@source_options
@click.option("--return", "only", metavar="NAME", help="Only this return, where there are several.")
@click.option(
    "--income",
    type=IncomeType(may_be_negative=True),
    help="Taxable income of the year without gains and qualified dividends.",
)
@click.option(
    "--magi",
    type=IncomeType(may_be_negative=True),
    help="Modified adjusted gross income, likewise.",
)
@click.option(
    "--investment-income",
    "investment",
    type=_POSITIVE,
    help="Interest, other dividends and rents in both, for the net investment income tax.",
)
@click.option("--carry-short", type=_POSITIVE, help="Short-term loss carried into the year.")
@click.option("--carry-long", type=_POSITIVE, help="Long-term loss carried into the year.")
@json_option
def command(
    source: "TaxSource",
    *,
    year: int | None,
    only: str | None,
    income: Decimal | None,
    magi: Decimal | None,
    investment: Decimal | None,
    carry_short: Decimal | None,
    carry_long: Decimal | None,
    as_json: bool,
) -> int:
    """Net a YEAR (this one if left out) as Schedule D does, return by return.

    Shows what is carried over, and with --income and --magi (or with [tax] of household.toml) what
    sales and qualified dividends add to the federal tax. A December loss can still be washed in
    January, so that a year is provisional until 31 January. This is not tax advice.
    """
    from trimtab.apps.tax_year import Given, years
    from trimtab.apps.views.tax_year import year_document, year_page

    given = Given(
        income=income,
        magi=magi,
        investment=investment,
        carry_short=carry_short,
        carry_long=carry_long,
    )
    wanted = source.today.year if year is None else year
    returns = years(source, wanted, given, only)
    if as_json:
        show_document(year_document(source, wanted, returns))
    else:
        show(year_page(source, wanted, returns))
    return 0
