"""The page and the document of `trimtab performance`."""

from pathlib import Path

from trimtab.apps.performance import Performance
from trimtab.apps.views.figures import cents, digits, typed
from trimtab.apps.views.page import Block, Column, Heading, Row, Sentence, Table, item
from trimtab.apps.views.performance_documents import (
    MoneyWeightedDocument,
    PerformanceDocument,
    PeriodDocument,
)
from trimtab.domain.numbers import Money, to_decimal
from trimtab.lab.track_record import RETURNS_MIN, Record
from trimtab.rules.words import money

_HUNDRED = 100
_NEAR_ZERO = 0.005


def performance_page(done: Performance, folder: str, chart: Path | None) -> list[Block]:
    """What came of the savings: in words, year by year, and in all."""
    whole = done.whole
    if whole is None:
        window = "" if done.since is None and done.until is None else " in that time"
        return [
            Sentence(f"Fewer than two days are marked{window}, so there is nothing to measure."),
            Sentence(
                f"Every {typed('run', folder)} marks the value of its day, with or without trades."
            ),
        ]
    currency = done.file.household.base_currency
    page: list[Block] = [Sentence(_first_sentence(whole, currency), "strong")]
    page += [Heading("Returns, each of its whole period"), _returns(done)]
    page += [Heading(f"Money, in {currency}"), _money(done)]
    page += [Heading("In all")]
    page += [item(text) for text in sentences(whole, currency)]
    page += [item(text, "warn") for text in done.remarks]
    if chart is not None:
        page.append(item(f"Picture: {chart}"))
    return page


def sentences(whole: Record, currency: str) -> list[str]:
    """What the figures of all of the time say."""
    said = [_time_weighted(whole), _money_weighted(whole), *_after_tax(whole, currency)]
    fall = whole.fall
    if fall is not None and fall.depth < 0:
        back = (
            f"was back on {fall.recovered}" if fall.recovered is not None else "is not back there"
        )
        said.append(
            f"The deepest fall was {_rate(-fall.depth)}, from {fall.peak} to {fall.trough}; a unit "
            f"{back}."
        )
    elif fall is not None:
        said.append("No day marked was below one before it.")
    if whole.volatility is None:
        said.append(
            f"Fewer than {RETURNS_MIN} weeks have a return: too few for a volatility or a "
            "distance from the targets."
        )
    else:
        said.append(f"A year's volatility was {_rate(whole.volatility)}, from weekly returns.")
    if whole.tracking_error is not None:
        said.append(
            "The distance from the household's own targets, held exactly and without costs, "
            f"was {_rate(whole.tracking_error)} a year (tracking error)."
        )
    return said


def performance_document(done: Performance) -> PerformanceDocument:
    """The same as data."""
    return PerformanceDocument(
        household=done.file.household.name,
        currency=done.file.household.base_currency,
        since=done.since,
        until=done.until,
        whole=None if done.whole is None else _period(done.whole, None),
        years=tuple(_period(record, year) for year, record in done.years),
        remarks=done.remarks,
    )


def _first_sentence(whole: Record, currency: str) -> str:
    moved = [
        f"{_money_text(amount, currency)} {way}"
        for amount, way in ((whole.contributions, "came in"), (whole.withdrawals, "went out"))
        if amount > _NEAR_ZERO
    ]
    kept = f"{' and '.join(moved)}, and the " if moved else "nothing came in or went out, and the "
    result = "gain" if whole.gain >= 0 else "loss"
    return (
        f"From {whole.start} to {whole.end} the savings went from "
        f"{_money_text(whole.value_start, currency)} to {_money_text(whole.value_end, currency)}: "
        f"{kept}{result} is {_money_text(abs(whole.gain), currency)}."
    )


def _time_weighted(whole: Record) -> str:
    if whole.time_weighted is None:
        return "There is no time-weighted return: at the beginning there was nothing."
    annual = whole.a_year(whole.time_weighted)
    yearly = (
        f", which is {_rate(annual)} a year"
        if annual is not None
        else "; less than a year is not told as a rate a year"
    )
    return (
        f"A unit returned {_rate(whole.time_weighted)} (time-weighted: no flow moves it){yearly}."
    )


def _money_weighted(whole: Record) -> str:
    found = whole.money_weighted
    if found.rate is None:
        return f"Money-weighted: {_small(found.sentence)}"
    if whole.years >= 1:
        told = f"{_rate(found.rate)} a year (XIRR)"
    elif found.over_the_time is not None:
        told = f"{_rate(found.over_the_time)} over the time (XIRR, not annual)"
    else:
        told = "more than a number can say"
    return f"The money itself, with its days, returned {told}."


def _after_tax(whole: Record, currency: str) -> list[str]:
    if whole.after_tax is None or whole.owed_start is None or whole.owed_end is None:
        return []
    annual = whole.a_year(whole.after_tax)
    yearly = "" if annual is None else f", {_rate(annual)} a year"
    paid = (
        f"{_money_text(whole.realized_tax, currency)} of tax on what was sold"
        if whole.realized_tax >= 0
        else f"{_money_text(-whole.realized_tax, currency)} of tax saved by what was sold"
    )
    said = (
        f"After tax, if everything were sold at both ends, it returned {_rate(whole.after_tax)}"
        f"{yearly}: {paid}, and selling the rest would have owed "
        f"{_money_text(whole.owed_start, currency)} at the beginning and owes "
        f"{_money_text(whole.owed_end, currency)} at the end."
    )
    return [said]


def _rows(done: Performance) -> list[tuple[str, Record]]:
    assert done.whole is not None, "there is a record to show"
    return [*((str(year), record) for year, record in done.years), ("all", done.whole)]


def _returns(done: Performance) -> Table:
    columns = (
        Column(""),
        Column("from"),
        Column("to"),
        Column("time-weighted", is_figure=True),
        Column("money-weighted", is_figure=True),
        Column("mod. Dietz", is_figure=True, spare=2),
        Column("after tax", is_figure=True),
        Column("deepest fall", is_figure=True),
        Column("volatility", is_figure=True),
        Column("from targets", is_figure=True, spare=1),
        Column("turnover", is_figure=True, spare=3),
    )
    rows = []
    for name, record in _rows(done):
        found = record.money_weighted
        weighted = found.status if found.rate is None else _cell(found.over_the_time)
        cells = (
            name,
            f"{record.start}",
            f"{record.end}",
            _cell(record.time_weighted),
            weighted,
            _cell(record.dietz),
            _cell(record.after_tax),
            _cell(None if record.fall is None else record.fall.depth),
            _cell(record.volatility),
            _cell(record.tracking_error),
            _cell(record.turnover),
        )
        rows.append(Row(cells, "strong" if name == "all" else ""))
    return Table(columns, tuple(rows))


def _money(done: Performance) -> Table:
    columns = (
        Column(""),
        Column("at the start", is_figure=True),
        Column("came in", is_figure=True),
        Column("went out", is_figure=True),
        Column("gain", is_figure=True),
        Column("at the end", is_figure=True),
        Column("realized gain", is_figure=True, spare=1),
        Column("its tax", is_figure=True),
    )
    rows = []
    for name, record in _rows(done):
        amounts = (
            record.value_start,
            record.contributions,
            record.withdrawals,
            record.gain,
            record.value_end,
            record.short_gain + record.long_gain,
            record.realized_tax,
        )
        cells = (name, *(cents(_decimal(amount)) for amount in amounts))
        rows.append(Row(cells, "strong" if name == "all" else ""))
    return Table(columns, tuple(rows))


def _period(record: Record, year: int | None) -> PeriodDocument:
    found, fall = record.money_weighted, record.fall
    return PeriodDocument(
        year=year,
        start=record.start,
        end=record.end,
        years=record.years,
        value_start=_digits(record.value_start),
        value_end=_digits(record.value_end),
        contributions=_digits(record.contributions),
        withdrawals=_digits(record.withdrawals),
        gain=_digits(record.gain),
        bought=_digits(record.bought),
        sold=_digits(record.sold),
        short_gain=_digits(record.short_gain),
        long_gain=_digits(record.long_gain),
        realized_tax=_digits(record.realized_tax),
        owed_start=None if record.owed_start is None else _digits(record.owed_start),
        owed_end=None if record.owed_end is None else _digits(record.owed_end),
        time_weighted=record.time_weighted,
        time_weighted_a_year=record.a_year(record.time_weighted),
        money_weighted=MoneyWeightedDocument(
            status=found.status,
            rate=found.rate if record.years >= 1 else None,
            over_the_time=found.over_the_time,
            roots=found.roots,
            sentence=found.sentence,
        ),
        modified_dietz=record.dietz,
        after_tax=record.after_tax,
        after_tax_a_year=record.a_year(record.after_tax),
        drawdown=None if fall is None else fall.depth,
        drawdown_peak=None if fall is None else fall.peak,
        drawdown_trough=None if fall is None else fall.trough,
        drawdown_recovered=None if fall is None else fall.recovered,
        volatility=record.volatility,
        tracking_error=record.tracking_error,
        turnover=record.turnover,
    )


def _decimal(amount: float) -> Money:
    return to_decimal(amount, 2) + 0


def _digits(amount: float) -> str:
    return digits(_decimal(amount))


def _money_text(amount: float, currency: str) -> str:
    return money(_decimal(amount), currency)


def _rate(fraction: float | None) -> str:
    """A fraction in words: `12.34 %`."""
    if fraction is None:
        return "no rate"
    shown = round(fraction * _HUNDRED, 2) + 0.0
    return f"{shown:,.2f} %"


def _cell(fraction: float | None) -> str:
    return "-" if fraction is None else _rate(fraction)


def _small(sentence: str) -> str:
    return f"{sentence[:1].lower()}{sentence[1:]}"
