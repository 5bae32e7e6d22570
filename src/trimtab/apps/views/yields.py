"""The page and the document of `trimtab yields`."""

import datetime as dt
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from trimtab.apps.views.figures import counted, digits, typed
from trimtab.apps.views.page import Block, Column, Heading, Row, Sentence, Table, item
from trimtab.apps.views.yields_documents import (
    YieldCurveDocument,
    YieldPointDocument,
    YieldRateDocument,
    YieldsDocument,
)
from trimtab.apps.yields import YieldView
from trimtab.domain.numbers import Weight
from trimtab.domain.yield_facts import Curve, CurvePoint
from trimtab.rules.words import listing, percent, points
from trimtab.rules.yields import Earning, after_tax, effective_rate, inversions, slope

_OLD_DAYS = 31
"""A rate that is older than a month is likely to have changed."""
_CURVE_OLD_DAYS = 7
_YEAR = 12
NO_FORECAST = (
    "This is information for the choice of the safe asset, not a forecast: no trade follows from "
    "it."
)
_FLOOR_GROWS = (
    "This is information, not a forecast. One rule reads it: the floor of CPPI grows by what bills "
    "pay."
)


def yields_page(view: YieldView, folder: str, chart: Path | None) -> list[Block]:
    """What the household told, what is left after tax, and the curve."""
    if not view.found and view.curve is None:
        return [
            Sentence("household.toml tells no yields, so there is nothing to compare."),
            Sentence(
                f"Write [[yields.rates]] with what your bank or fund pays; "
                f"{typed('targets --options', folder)} shows how."
            ),
        ]
    page: list[Block] = [Sentence(text, "strong") for text in choice_sentences(view)]
    if view.found:
        page += [Heading(f"What cash earns a year, as told, on {view.today}"), _table(view.found)]
    if view.curve is not None:
        page += [Heading(f"The Treasury's curve of {view.curve.on}"), _curve_table(view)]
        page += [item(text) for text in curve_sentences(view.curve)]
    page += [item(text, "warn") for text in remarks(view)]
    page.append(Sentence(_FLOOR_GROWS if view.moves_floor else NO_FORECAST, "quiet"))
    if chart is not None:
        page.append(item(f"Picture: {chart}"))
    return page


def choice_sentences(view: YieldView) -> list[str]:
    """Which safe member earns most, and what that leaves out."""
    if not view.found:
        return []
    taxed, free = view.choice.taxed, view.choice.free
    said = []
    if taxed is not None:
        rate, left = percent(taxed.rate, 2), percent(taxed.after_tax, 2)
        said.append(
            f"Of your safe members {_called(taxed)} earns most after tax in a taxed account: "
            f"{left} of {rate}."
        )
    if free is not None and (taxed is None or free.rule != taxed.rule):
        said.append(
            f"In an account that is not taxed by the year {_called(free)} earns most: "
            f"{percent(free.rate, 2)}."
        )
    if taxed is None and free is None:
        said.append(
            "None of these rates belongs to a member of a safe class: write its symbol beside a "
            "rate to compare what you could hold."
        )
    top = view.found[0]
    best = [one.after_tax for one in (taxed, free) if one is not None]
    if top.safe_class is None and best and top.after_tax > max(best):
        said.append(
            f"{top.rule.name} pays more, {percent(top.after_tax, 2)} after tax, for another risk, "
            f'in your words "{top.rule.risk}".'
        )
    return said


def curve_sentences(curve: Curve) -> list[str]:
    """Whether the curve is inverted, where, and by how much."""
    falls = inversions(curve)
    said = []
    if falls:
        runs = [f"from {maturity(a)} to {maturity(b)}" for a, b in _runs(curve)]
        said.append(f"Inverted: the longer maturity yields less {listing(runs)}.")
    else:
        said.append("Not inverted: no maturity yields less than a shorter one beside it.")
    for shorter, name in ((3, "3 months"), (24, "2 years")):
        distance = slope(curve, shorter, 120)
        if distance is not None:
            way = "less" if distance < 0 else "more"
            said.append(f"10 years yield {points(abs(distance), 2)} {way} than {name}.")
    return said


def remarks(view: YieldView) -> list[str]:
    """What deserves a second look: old figures, a state's tax that is not told, members untold."""
    said = []
    if view.found and view.choice.untold:
        said.append(f"No rate is told of {listing(list(view.choice.untold))}, also safe.")
    for one in view.found:
        age = one.age_days(view.today)
        if age < 0:
            said.append(f"The rate of {one.rule.name} is dated {one.rule.as_of}, a day to come.")
        elif age > _OLD_DAYS:
            said.append(f"The rate of {one.rule.name} is {counted(age, 'day')} old.")
    kinds = {one.rule.kind for one in view.found}
    if view.file.yields.state_rate is None and (view.curve or kinds & {"treasury", "muni"}):
        said.append(
            "yields.state_rate is not told, so all tax counts as federal: Treasuries may earn "
            "more after tax than shown, and bonds of another state less."
        )
    if view.curve is not None and (view.today - view.curve.on).days > _CURVE_OLD_DAYS:
        age = (view.today - view.curve.on).days
        said.append(f"The curve is {counted(age, 'day')} old.")
    return said


def yields_document(view: YieldView) -> YieldsDocument:
    """The same as data."""
    choice = view.choice
    return YieldsDocument(
        household=view.file.household.name,
        date=view.today,
        state_rate=_digits(view.file.yields.state_rate),
        rates=tuple(_rate_document(one) for one in view.found),
        safe_in_taxed=None if choice.taxed is None else choice.taxed.rule.name,
        safe_in_untaxed=None if choice.free is None else choice.free.rule.name,
        untold=choice.untold,
        curve=None if view.curve is None else _curve_document(view.curve, view.treasury_tax),
        remarks=tuple(remarks(view)),
    )


def maturity(point: CurvePoint) -> str:
    """`3 months`, `10 years`."""
    months = point.months
    if months % _YEAR == 0:
        years = int(months / _YEAR)
        return counted(years, "year")
    text = f"{months.normalize():f}"
    return f"{text} month{'' if months == 1 else 's'}"


def _called(one: Earning) -> str:
    return f"{one.rule.symbol} ({one.rule.name})"


def _table(found: Sequence[Earning]) -> Table:
    columns = (
        Column("what"),
        Column("kind"),
        Column("as of"),
        Column("bound for", spare=1),
        Column("before tax", is_figure=True),
        Column("after tax", is_figure=True),
        Column("held in", spare=2),
        Column("risk, in your words"),
    )
    return Table(columns, tuple(_row(one) for one in found))


def _row(one: Earning) -> Row:
    rule = one.rule
    name = rule.name if rule.symbol is None else f"{rule.name} ({rule.symbol})"
    bound = "" if not rule.term_months else _term(rule.term_months)
    cells = (
        name,
        rule.kind.replace("_", " "),
        f"{rule.as_of}",
        bound,
        percent(one.rate, 2),
        percent(one.after_tax, 2) if one.is_taxed_somewhere else "-",
        ", ".join(one.accounts),
        rule.risk,
    )
    return Row(cells, "strong" if one.safe_class is not None else "")


def _term(months: int) -> str:
    return maturity(CurvePoint(months=Weight(months), rate=Weight(0)))


def _curve_table(view: YieldView) -> Table:
    assert view.curve is not None, "asked for a curve that there is"
    falling = {fall.longer.months for fall in inversions(view.curve)}
    columns = (
        Column("maturity"),
        Column("par yield", is_figure=True),
        Column("a year", is_figure=True),
        Column("after tax", is_figure=True),
        Column(""),
    )
    rows = []
    for point in view.curve.points:
        rate = effective_rate(point.rate)
        is_falling = point.months in falling
        cells = (
            maturity(point),
            percent(point.rate, 2),
            percent(rate, 2),
            percent(after_tax(rate, view.treasury_tax), 2),
            "below the one before" if is_falling else "",
        )
        rows.append(Row(cells, "warn" if is_falling else ""))
    return Table(columns, tuple(rows))


def _digits(number: Weight | None) -> str | None:
    return None if number is None else digits(number)


def _runs(curve: Curve) -> list[tuple[CurvePoint, CurvePoint]]:
    """Stretches of the curve on which it falls without a rise between."""
    runs: list[tuple[CurvePoint, CurvePoint]] = []
    for one, other in pairwise(curve.points):
        if other.rate >= one.rate:
            continue
        if runs and runs[-1][1] == one:
            runs[-1] = (runs[-1][0], other)
        else:
            runs.append((one, other))
    return runs


def _rate_document(one: Earning) -> YieldRateDocument:
    rule = one.rule
    as_of: dt.date = rule.as_of
    return YieldRateDocument(
        name=rule.name,
        kind=rule.kind,
        symbol=rule.symbol,
        safe_class=one.safe_class,
        as_of=as_of,
        term_months=rule.term_months,
        rate=digits(one.rate),
        tax_rate=digits(one.tax_rate),
        after_tax=digits(one.after_tax),
        accounts=one.accounts,
        in_taxed=one.is_taxed_somewhere,
        in_untaxed=one.is_free_somewhere,
        risk=rule.risk,
    )


def _curve_document(curve: Curve, treasury_tax: Weight) -> YieldCurveDocument:
    falling = {fall.longer.months for fall in inversions(curve)}
    ten_three, ten_two = slope(curve, 3, 120), slope(curve, 24, 120)
    return YieldCurveDocument(
        date=curve.on,
        points=tuple(
            YieldPointDocument(
                months=digits(point.months),
                par=digits(point.rate),
                rate=digits(effective_rate(point.rate)),
                after_tax=digits(after_tax(effective_rate(point.rate), treasury_tax)),
                is_below_shorter=point.months in falling,
            )
            for point in curve.points
        ),
        ten_years_less_three_months=_digits(ten_three),
        ten_years_less_two_years=_digits(ten_two),
    )
