"""The operating reserve as a page: how far it reaches, and month by month what it is for."""

from collections.abc import Iterator

from trimtab.apps.reserving import Reserving
from trimtab.apps.standing import Standing
from trimtab.apps.views.figures import cents, digits
from trimtab.apps.views.page import Block, Column, Heading, Row, Sentence, Table, item
from trimtab.apps.views.reserve_documents import OperatingReserveDocument, ReserveMonthDocument
from trimtab.domain.numbers import ZERO
from trimtab.rules.reserve import ReserveMonth, status
from trimtab.rules.words import instant, money, percent


def reserve_page(standing: Standing, found: Reserving) -> list[Block]:
    """All of `trimtab reserve`."""
    currency = standing.file.household.base_currency
    is_short = found.reached.lacks > 0
    return [
        Sentence(verdict(found, currency), "warn" if is_short else "good"),
        Heading(f"{standing.file.household.name}, {instant(standing.at)}"),
        *(item(text) for text in _facts(found, currency)),
        Heading(f"The next {found.rule.months} months, in {currency}"),
        _months(found),
        Sentence(_reading(found), "quiet"),
    ]


def reserve_document(standing: Standing, found: Reserving) -> OperatingReserveDocument:
    """All of `trimtab reserve --json`."""
    months = found.reached.months
    return OperatingReserveDocument(
        household=standing.file.household.name,
        currency=standing.file.household.base_currency,
        at=standing.at,
        verdict=verdict(found, standing.file.household.base_currency),
        account=found.rule.account,
        months=found.rule.months,
        months_covered=None if months is None else digits(months),
        needed=digits(found.needed.amount),
        cash=digits(found.cash),
        beside=digits(found.beside),
        due=digits(found.due),
        safe=digits(found.safe),
        lacks=digits(found.reached.lacks),
        above=digits(found.reached.above),
        full_on=found.full_on,
        coming=tuple(
            ReserveMonthDocument(
                begins=month.begins,
                costs=digits(month.costs),
                bills=digits(month.bills),
                income=digits(month.income),
                present=digits(month.present),
                is_covered=covered == _YES,
            )
            for month, covered in covered_months(found)
        ),
    )


def verdict(found: Reserving, currency: str) -> str:
    """How far the reserve reaches, in a sentence."""
    return status(found.rule, found.reached, currency)


_YES, _PARTLY, _NO = "yes", "partly", "no"


def covered_months(found: Reserving) -> Iterator[tuple[ReserveMonth, str]]:
    """Each month, and whether the cash that is there still pays for it."""
    left = found.safe
    for month in found.needed.months:
        if month.present <= left:
            yield month, _YES
        else:
            yield month, _PARTLY if left > 0 else _NO
        left = max(ZERO, left - month.present)


def _facts(found: Reserving, currency: str) -> Iterator[str]:
    rule = found.rule
    yield (
        f"The policy keeps {money(found.needed.amount, currency)} in {rule.account}, which is what "
        f"the next {rule.months} months cost beyond their income."
    )
    there = f"{rule.account} holds {money(found.cash, currency)} of cash"
    if found.beside > 0:
        there += (
            f", of which {money(found.beside, currency)} are its own cash_reserve and count for "
            "nothing else"
        )
    yield f"{there}."
    if found.due > 0:
        yield (
            f"{money(found.due, currency)} of it leave soon by [[withdrawals]], and count for "
            "nothing else."
        )
    if found.reached.lacks > 0:
        yield (
            f"{money(found.reached.lacks, currency)} are lacking: put new money into "
            f"{rule.account} first. No cash of it is invested until the reserve is full."
        )
        if found.full_on is not None:
            yield f"The [[contributions]] fill it by {found.full_on}, if nothing is taken out."
    if rule.income_haircut > 0:
        yield (
            f"Of the {money(rule.monthly_income, currency)} that come in each month, "
            f"{percent(rule.income_haircut)} are not counted on."
        )
    if rule.growth != 0:
        yield f"Costs grow by {percent(rule.growth)} a year."
    if rule.rate != 0:
        yield f"Later months count less: the reserve is taken to earn {percent(rule.rate)} a year."


def _months(found: Reserving) -> Table:
    columns = (
        Column("month from"),
        Column("costs", is_figure=True),
        Column("bills", is_figure=True),
        Column("income", is_figure=True),
        Column("present value", is_figure=True),
        Column("covered"),
    )
    rows = [
        Row(
            (
                str(month.begins),
                cents(month.costs),
                cents(month.bills),
                cents(month.income),
                cents(month.present),
                covered,
            ),
            "" if covered == _YES else "warn",
        )
        for month, covered in covered_months(found)
    ]
    months = found.needed.months
    whole = (
        "all",
        cents(sum((month.costs for month in months), ZERO)),
        cents(sum((month.bills for month in months), ZERO)),
        cents(sum((month.income for month in months), ZERO)),
        cents(sum((month.present for month in months), ZERO)),
        "",
    )
    return Table(columns, (*rows, Row(whole, "strong")))


def _reading(found: Reserving) -> str:
    text = "The present value is costs and bills less income, in money of today."
    if sum((month.present for month in found.needed.months), ZERO) < found.needed.amount:
        text += (
            " The reserve is more than their sum: a month that brings more than it costs pays for "
            "no month before it."
        )
    return text
