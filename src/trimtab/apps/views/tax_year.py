"""A tax year as a page and as a document: Schedule D, carryovers, dividends, and the tax."""

from collections.abc import Iterator, Sequence

from trimtab.apps.tax_source import TaxSource
from trimtab.apps.tax_year import ReturnYear, years_with_sales
from trimtab.apps.views.figures import cents, digits
from trimtab.apps.views.page import Block, Column, Heading, Sentence, Table, item, rows_of
from trimtab.apps.views.tax_documents import (
    ReturnYearDocument,
    TaxYearDocument,
    YearTaxDocument,
)
from trimtab.apps.views.tax_notes import closing_notes, note_items, reviews_near
from trimtab.domain.numbers import ZERO, Money, to_cents
from trimtab.rules.tax.calendar import wash_calendar
from trimtab.rules.tax.log import tax_totals
from trimtab.rules.tax.year import YearTax, is_provisional, provisional_until
from trimtab.rules.words import listing, percent

WORKSHEET = {
    1: "taxable income, Form 1040 line 15",
    2: "loss deducted, Schedule D line 21",
    3: "line 1 plus line 2, not below zero",
    4: "the smaller of line 2 and line 3",
    5: "loss of Schedule D line 7",
    6: "gain of Schedule D line 15",
    7: "line 4 plus line 6",
    8: "short-term loss carried over, line 5 less line 7",
    9: "loss of Schedule D line 15",
    10: "gain of Schedule D line 7",
    11: "line 4 less line 5, not below zero",
    12: "line 10 plus line 11",
    13: "long-term loss carried over, line 9 less line 12",
}
"""What each line of the Capital Loss Carryover Worksheet holds, in words of our own."""
_SCOPE = (
    "Federal income tax and the tax on net investment income only; state tax, the alternative "
    "minimum tax and credits are not computed."
)


def year_page(source: TaxSource, year: int, returns: Sequence[ReturnYear]) -> list[Block]:
    """Every return's year, and the notes."""
    blocks: list[Block] = []
    for one in returns:
        blocks += _return(source, year, one)
    warnings = (*_provisional(source, year), *reviews_near(source, year))
    blocks += [item(sentence, "warn") for sentence in warnings]
    return [*blocks, *note_items(closing_notes(source, *_scope(source, returns)))]


def year_document(source: TaxSource, year: int, returns: Sequence[ReturnYear]) -> TaxYearDocument:
    """All of it; amounts in cents."""
    statutes = source.law.statutes
    return TaxYearDocument(
        household=source.title,
        currency=source.currency,
        on=source.today,
        year=year,
        is_provisional=is_provisional(year, source.today, statutes),
        provisional_until=provisional_until(year, statutes),
        returns=tuple(_return_document(source, one) for one in returns),
        notes=closing_notes(
            source,
            *_provisional(source, year),
            *reviews_near(source, year),
            *_scope(source, returns),
        ),
    )


# ---------------------------------------------------------------------- one return


def _return(source: TaxSource, year: int, one: ReturnYear) -> Iterator[Block]:
    status = one.of.status.replace("_", " ")
    name = "the household" if one.of.id == "household" else one.of.id
    yield Heading(f"{year}, the return of {name} ({status}), in {source.currency}")
    if not one.rows:
        yield Sentence(_no_sales(source, year))
    else:
        yield _terms(one)
    if one.totals.permanent:
        yield item(
            f"{cents(one.totals.permanent)} of the {cents(one.totals.disallowed)} disallowed is "
            "lost for good, as a retirement account bought the replacement.",
            "bad",
        )
    if one.rows or one.carried_in.st or one.carried_in.lt:
        yield from _schedule_d(year, one)
    if one.dividends.total:
        yield from _dividends(source, one)
    if one.tax is not None:
        yield from _tax(source, one.tax)
    remarks = (one.no_tax_because, *_metals(source, one), *one.remarks)
    yield from (item(remark) for remark in remarks if remark)


def _no_sales(source: TaxSource, year: int) -> str:
    others = [str(other) for other in years_with_sales(source)]
    if not others:
        return f"Nothing was sold in {year}, and the records show no taxed sale in any year."
    return f"Nothing was sold in {year}; the records show sales in {listing(others)}."


def _terms(one: ReturnYear) -> Table:
    columns = (
        Column("term"),
        *(Column(title, is_figure=True) for title in ("rows", "proceeds", "basis")),
        *(Column(title, is_figure=True) for title in ("disallowed", "gain")),
    )
    return Table(
        columns,
        rows_of(
            (
                str(total.term),
                f"{sum(1 for row in one.rows if row.term is total.term)}",
                cents(total.proceeds),
                cents(total.basis),
                cents(total.disallowed),
                cents(total.gain),
            )
            for total in tax_totals(one.rows)
        ),
    )


def _schedule_d(year: int, one: ReturnYear) -> Iterator[Block]:
    netting, carried = one.totals.netting, one.carried_in
    lines = (
        ("7", f"net short-term gain or loss{_with(carried.st)}", netting.line7),
        ("15", f"net long-term gain or loss{_with(carried.lt)}", netting.line15),
        ("16", "both together", netting.line16),
        ("21", "loss that other income absorbs this year", netting.line21),
    )
    yield Heading("Schedule D")
    yield _lines(lines)
    if not netting.worksheet:
        yield Sentence(f"No loss is carried into {year + 1}.")
        return
    yield Heading(f"Capital Loss Carryover Worksheet, into {year + 1}")
    yield _lines(
        [(str(line), WORKSHEET[line], amount) for line, amount in netting.worksheet.items()]
    )
    yield Sentence(
        f"Carried into {year + 1}: short term {cents(netting.carry_st)}, long term "
        f"{cents(netting.carry_lt)}.",
        "strong",
    )


def _with(carried: Money) -> str:
    return f", after {cents(carried)} carried in" if carried else ""


def _lines(lines: Sequence[tuple[str, str, Money]]) -> Table:
    columns = (Column("line", is_figure=True), Column("what"), Column("amount", is_figure=True))
    return Table(columns, rows_of((line, what, cents(amount)) for line, what, amount in lines))


def _dividends(source: TaxSource, one: ReturnYear) -> Iterator[Block]:
    dividends, test = one.dividends, source.law.statutes.qualified_dividends
    yield Heading("Dividends in taxed accounts, by ex-date")
    yield Sentence(
        f"{cents(dividends.qualified)} of {cents(dividends.total)} qualify: their units were held "
        f"more than {test.days} days of the {test.window_days} around the ex-date "
        f"({test.section}). The fund's own share of qualified dividends, on Form 1099-DIV, can be "
        "less."
    )
    yield from (item(remark) for remark in dividends.remarks)


def _tax(source: TaxSource, tax: YearTax) -> Iterator[Block]:
    parts = (
        ("net short-term gain", tax.short_term),
        ("saved by the deducted loss", tax.loss_saving),
        ("net long-term gain", tax.long_term),
        ("qualified dividends", tax.dividends),
        ("net investment income tax", tax.niit),
    )
    yield Heading("What sales and dividends add to the federal tax")
    rows = [(name, cents(amount)) for name, amount in parts if amount]
    if rows:
        rows.append(("in all", cents(tax.total)))
        yield Table((Column("part"), Column("tax", is_figure=True)), rows_of(rows))
    yield Sentence(
        f"Before these, the next dollar of gain costs {percent(tax.rates.st)} short term and "
        f"{percent(tax.rates.lt)} long term, on {source.law.year(tax.year).source}."
    )


def _metals(source: TaxSource, one: ReturnYear) -> Iterator[str]:
    if one.metals:
        statute = source.law.statutes.collectibles
        yield (
            f"{listing(list(one.metals))}: long-term gains of metal trusts are collectibles, taxed "
            f"at up to {percent(statute.rate, 0)} ({statute.section}). They count here like other "
            "long-term gains, so that the tax may be too low."
        )


# ---------------------------------------------------------------------- notes


def _provisional(source: TaxSource, year: int) -> Iterator[str]:
    statutes = source.law.statutes
    if not is_provisional(year, source.today, statutes):
        return
    until = provisional_until(year, statutes)
    last = wash_calendar(source.ledger, source.today, source.today).provisional
    if source.today.year < year:
        yield f"{year} has not begun on {source.today}."
    elif source.today.year == year:
        yield (
            f"{year} is not over: these figures are as of {source.today}, and provisional until "
            f"{until}, as purchases in January can still wash its losses."
        )
    elif last is not None:
        yield last.sentence
    else:
        yield (
            f"{year} is provisional until {until}: a purchase until the day before can still wash "
            "a loss of its last days."
        )


def _scope(source: TaxSource, returns: Sequence[ReturnYear]) -> Iterator[str]:
    yield _SCOPE
    if not source.is_household:
        filed = listing(sorted({one.of.status.replace("_", " ") for one in returns}))
        yield f"Taken as filed {filed}: --status says otherwise."
    if any(one.tax is not None for one in returns):
        yield (
            "Counted with the brackets; the Tax Table of the Form 1040 instructions can differ by "
            "a few dollars. Income is taken without gains and qualified dividends."
        )


# ---------------------------------------------------------------------- the document


def _return_document(source: TaxSource, one: ReturnYear) -> ReturnYearDocument:
    totals, netting, carried = one.totals, one.totals.netting, one.carried_in
    return ReturnYearDocument(
        id=one.of.id,
        owners=tuple(sorted(one.of.owners)),
        filing_status=one.of.status,
        sales=len(one.rows),
        short_term=_exact(totals.st),
        long_term=_exact(totals.lt),
        disallowed=_exact(totals.disallowed),
        permanent=_exact(totals.permanent),
        short_carried_in=_exact(carried.st),
        long_carried_in=_exact(carried.lt),
        line_7=_exact(netting.line7),
        line_15=_exact(netting.line15),
        line_16=_exact(netting.line16),
        line_21=_exact(netting.line21),
        short_carried_out=_exact(netting.carry_st),
        long_carried_out=_exact(netting.carry_lt),
        worksheet={str(line): _exact(amount) for line, amount in netting.worksheet.items()},
        dividends=_exact(one.dividends.total),
        qualified_dividends=_exact(one.dividends.qualified),
        tax=None if one.tax is None else _tax_document(one.tax),
        no_tax_because=one.no_tax_because or None,
        collectibles=one.metals,
        remarks=(*_metals(source, one), *one.dividends.remarks, *one.remarks),
    )


def _tax_document(tax: YearTax) -> YearTaxDocument:
    return YearTaxDocument(
        short_term=_exact(tax.short_term),
        loss_saving=_exact(tax.loss_saving),
        long_term=_exact(tax.long_term),
        dividends=_exact(tax.dividends),
        niit=_exact(tax.niit),
        total=_exact(tax.total),
        short_rate=digits(tax.rates.st),
        long_rate=digits(tax.rates.lt),
    )


def _exact(amount: Money) -> str:
    return f"{to_cents(amount) + ZERO}"
