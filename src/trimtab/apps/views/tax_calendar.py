"""The wash calendar as a page and as a document: which windows bind the days to come."""

import datetime as dt
from collections.abc import Iterator

from trimtab.apps.tax_source import TaxSource
from trimtab.apps.views.figures import digits
from trimtab.apps.views.page import Block, Column, Heading, Row, Sentence, Table, item
from trimtab.apps.views.tax_documents import (
    TaxCalendarDocument,
    WindowDocument,
    WindowGroupDocument,
)
from trimtab.apps.views.tax_notes import closing_notes, note_items
from trimtab.domain.numbers import to_cents
from trimtab.rules.tax.calendar import GroupCalendar, WashCalendar, Window, WindowKind
from trimtab.rules.words import listing

BAR_DAYS = 63
"""Days that a bar shows where a character is a day: the 61 of a window, in whole weeks."""
_LABEL_EVERY = 7
_MARKS = {WindowKind.LOSS: "#", WindowKind.PURCHASE: "=", WindowKind.PLANNED: "-"}
_STYLES = {WindowKind.LOSS: "bad", WindowKind.PURCHASE: "warn", WindowKind.PLANNED: ""}
_WORDS = {WindowKind.LOSS: "loss", WindowKind.PURCHASE: "bought", WindowKind.PLANNED: "planned"}
_FREE, _DAY_ITSELF = ".", "o"
_LEGEND = {
    WindowKind.LOSS: "# a loss waits: buy nothing identical",
    WindowKind.PURCHASE: "= bought: take no loss",
    WindowKind.PLANNED: "- to be bought: take no loss",
}


def calendar_page(source: TaxSource, calendar: WashCalendar) -> list[Block]:
    """What may be done when, a bar for each window, what opened it, and the notes."""
    notes = note_items(closing_notes(source, *_own_notes(source)))
    if not calendar.groups:
        return [
            Sentence(
                f"No window binds on {calendar.on} or until {calendar.until}: in the records "
                "nothing was bought and no loss taken in the 30 days before, and no purchase is "
                "planned."
            ),
            *notes,
        ]
    blocks: list[Block] = [
        Heading(f"Wash-sale windows from {calendar.on} to {calendar.until}"),
        _verdicts(calendar),
        _bars(calendar),
        Sentence(_legend(calendar), "quiet"),
        Heading("What opened them"),
        *(item(window.sentence) for group in calendar.groups for window in windows_of(group)),
    ]
    if calendar.provisional is not None:
        blocks.append(item(calendar.provisional.sentence, "warn"))
    return [*blocks, *notes]


def calendar_document(source: TaxSource, calendar: WashCalendar) -> TaxCalendarDocument:
    """All of it; amounts in cents."""
    last = calendar.provisional
    return TaxCalendarDocument(
        household=source.title,
        currency=source.currency,
        on=calendar.on,
        until=calendar.until,
        groups=tuple(
            WindowGroupDocument(
                taxpayer=group.taxpayer,
                symbols=group.symbols,
                buy_from=group.buy_from,
                sell_from=group.sell_from,
                windows=tuple(_window_document(window) for window in windows_of(group)),
            )
            for group in calendar.groups
        ),
        provisional=None if last is None else last.sentence,
        notes=closing_notes(source, *_own_notes(source)),
    )


def windows_of(group: GroupCalendar) -> tuple[Window, ...]:
    """The windows of *group*: losses, purchases, then what is planned."""
    return (*group.losses, *group.purchases, *group.planned)


def lines_of(group: GroupCalendar) -> tuple[Window, ...]:
    """The windows of *group* to draw: one for all lots of a symbol and day in one account."""
    lines = {(one.kind, one.symbol, one.account, one.day): one for one in windows_of(group)}
    return tuple(lines.values())


def last_sale_day(group: GroupCalendar) -> dt.date | None:
    """The last day of the first gap for a loss; None where no purchase is planned after it."""
    first = group.sell_from
    ahead = [one.begins for one in group.planned if first is not None and one.begins > first]
    return min(ahead) - dt.timedelta(days=1) if ahead else None


def bar(window: Window, on: dt.date, until: dt.date) -> str:
    """A character a day from *on* to *until*, or for as many days as it must stand for.

    Examples:
        >>> loss = Window(kind=WindowKind.LOSS, symbol="VTI", account="joint",
        ...     day=dt.date(2026, 3, 1), sentence="")
        >>> bar(loss, dt.date(2026, 3, 28), dt.date(2026, 4, 3))
        '####...'
    """
    step, mark = days_a_character(on, until), _MARKS[window.kind]
    cells = []
    for start in range(0, (until - on).days + 1, step):
        days = [on + dt.timedelta(days=start + number) for number in range(step)]
        if window.day in days and window.kind is not WindowKind.LOSS:
            cells.append(_DAY_ITSELF)
        elif any(window.begins <= day <= window.ends for day in days):
            cells.append(mark)
        else:
            cells.append(_FREE)
    return "".join(cells)


def days_a_character(on: dt.date, until: dt.date) -> int:
    """How many days a character of a bar stands for."""
    return -(-((until - on).days + 1) // BAR_DAYS)


def _scale(on: dt.date, until: dt.date) -> str:
    """The dates above the bars: today over its first character, then every seventh one's."""
    step = days_a_character(on, until)
    characters = -(-((until - on).days + 1) // step)
    starts = range(_LABEL_EVERY, characters, _LABEL_EVERY)
    labels = ["today", *(f"{on + dt.timedelta(days=start * step):%m-%d}" for start in starts)]
    return "".join(label.ljust(_LABEL_EVERY) for label in labels).rstrip()


def _verdicts(calendar: WashCalendar) -> Table:
    """Group by group, from when buying and taking a loss are free."""
    has_others = any(group.taxpayer != "household" for group in calendar.groups)
    columns = [
        Column("symbols"),
        *([Column("of")] if has_others else []),
        Column("buy from"),
        Column("take a loss from"),
    ]
    rows = [
        Row(
            (
                ", ".join(group.symbols),
                *([group.taxpayer] if has_others else []),
                "now" if group.buy_from <= calendar.on else f"{group.buy_from}",
                _sell_from(group, calendar),
            )
        )
        for group in calendar.groups
    ]
    return Table(tuple(columns), tuple(rows))


def _legend(calendar: WashCalendar) -> str:
    """What the characters of the bars that are there mean."""
    kinds = {window.kind for group in calendar.groups for window in windows_of(group)}
    words = [words for kind, words in _LEGEND.items() if kind in kinds]
    if kinds - {WindowKind.LOSS}:
        words.append("o the day itself")
    step = days_a_character(calendar.on, calendar.until)
    if step > 1:
        words.append(f"a character is {step} days")
    return "; ".join([*words, ". free"])


def _sell_from(group: GroupCalendar, calendar: WashCalendar) -> str:
    if group.sell_from is None:
        return f"not until {calendar.until}: purchases are planned all along"
    since = "now" if group.sell_from <= calendar.on else f"{group.sell_from}"
    last = last_sale_day(group)
    return since if last is None else f"{since} to {last}, before a planned purchase"


def _bars(calendar: WashCalendar) -> Table:
    on, until = calendar.on, calendar.until
    columns = (
        Column("symbol"),
        Column("in", spare=2),
        Column("window of"),
        Column(_scale(on, until)),
        Column("free from", spare=1),
    )
    rows = tuple(
        Row(
            (
                window.symbol,
                window.account,
                f"{_WORDS[window.kind]} {window.day:%m-%d}",
                bar(window, on, until),
                f"{window.free_from}",
            ),
            _STYLES[window.kind],
        )
        for group in calendar.groups
        for window in lines_of(group)
    )
    return Table(columns, rows)


def _own_notes(source: TaxSource) -> Iterator[str]:
    if source.reinvesting:
        yield (
            f"{listing(sorted(source.reinvesting))} reinvest dividends on days that nobody names; "
            "each such purchase opens a window too."
        )
    if not source.is_household:
        yield (
            "Purchases that are planned are not in these files: [[purchases]] of a household.toml "
            "names them."
        )
    elif not source.purchases:
        yield (
            "No planned purchase is known: if anything is bought by itself, such as a savings "
            "plan, write it as [[purchases]] into household.toml."
        )


def _window_document(window: Window) -> WindowDocument:
    is_known = window.kind is not WindowKind.PLANNED
    return WindowDocument(
        kind=str(window.kind),
        account=window.account,
        symbol=window.symbol,
        day=window.day,
        begins=window.begins,
        ends=window.ends,
        free_from=window.free_from,
        quantity=digits(window.quantity) if is_known else None,
        loss=f"{to_cents(window.loss)}" if window.kind is WindowKind.LOSS else None,
        sentence=window.sentence,
    )
