"""The wash calendar: the windows of 61 days that bind a household on a given day.

A loss forbids purchases for 30 days, a purchase forbids losses for 30 days, and a planned purchase
forbids losses 30 days ahead of it as well (26 USC 1091(a)). Everything here is by identical group
and by taxpayer, since both share their windows.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from enum import StrEnum

from msgspec import Struct

from trimtab.domain.numbers import ZERO, Money, Quantity
from trimtab.domain.policy import PurchaseRule
from trimtab.rules.tax.guard import identical_to
from trimtab.rules.tax.ledger import Ledger
from trimtab.rules.tax.matching import WINDOW_DAYS, Group, first_safe_day
from trimtab.rules.tax.schedule import is_recorded, purchases_due
from trimtab.rules.words import listing, money, units

_WINDOW = dt.timedelta(days=WINDOW_DAYS)
_DAY = dt.timedelta(days=1)
_WEEKEND = dt.timedelta(days=3)


class WindowKind(StrEnum):
    """What opened a window: a loss not washed yet, a purchase, or one that is planned."""

    LOSS = "loss"
    PURCHASE = "purchase"
    PLANNED = "planned"


class Window(Struct, frozen=True, kw_only=True):
    """61 days around the `day` of a loss or a purchase, `begins` and `ends` included.

    Until `ends` a loss forbids purchases, and a purchase forbids losses; `free_from` is the day
    after. `quantity` are the units that can still replace or be replaced and `loss` what waits;
    zero where they are not known. What is planned for a weekend can come `late_days` later.
    """

    kind: WindowKind
    symbol: str
    account: str
    day: dt.date
    quantity: Quantity = ZERO
    loss: Money = ZERO
    late_days: int = 0
    sentence: str

    @property
    def begins(self) -> dt.date:
        """The first day of the window."""
        return self.day - _WINDOW

    @property
    def ends(self) -> dt.date:
        """The last day of the window."""
        return self.day + _WINDOW + dt.timedelta(days=self.late_days)

    @property
    def free_from(self) -> dt.date:
        """The first day on which it forbids nothing."""
        return self.ends + _DAY


class GroupCalendar(Struct, frozen=True, kw_only=True):
    """The windows of one identical group of one taxpayer.

    `symbols` are those of the group that the household has to do with. Nothing of it is to be
    bought before `buy_from`, and no loss on it taken before `sell_from`; both are the day asked
    for where nothing binds, and `sell_from` is None where planned purchases leave no gap until
    the end of the calendar.
    """

    taxpayer: str
    symbols: tuple[str, ...]
    losses: tuple[Window, ...] = ()
    purchases: tuple[Window, ...] = ()
    planned: tuple[Window, ...] = ()
    buy_from: dt.date
    sell_from: dt.date | None


class Provisional(Struct, frozen=True, kw_only=True):
    """Losses of a year that a purchase in January can still wash, and until which day."""

    year: int
    until: dt.date
    losses: tuple[Window, ...]
    sentence: str


class WashCalendar(Struct, frozen=True, kw_only=True):
    """What binds on the day `on`, and later as far as `until`."""

    on: dt.date
    until: dt.date
    groups: tuple[GroupCalendar, ...]
    provisional: Provisional | None = None


def wash_calendar(
    ledger: Ledger, on: dt.date, until: dt.date, purchases: Iterable[PurchaseRule] = ()
) -> WashCalendar:
    """Every window that binds a day from *on* to *until*, groups in alphabetical order.

    *purchases* are what is bought by itself; those that the records hold already are not planned
    any more.
    """
    rules = tuple(purchases)
    groups = tuple(
        calendar
        for name, symbols in _families(ledger, rules)
        if (calendar := _calendar(ledger, name, symbols, rules, (on, until))) is not None
    )
    return WashCalendar(on=on, until=until, groups=groups, provisional=provisional(groups, on))


def provisional(groups: Iterable[GroupCalendar], on: dt.date) -> Provisional | None:
    """Last year's losses that are not final yet on *on*; None from 31 January, or without any."""
    year = on.year - 1
    until = first_safe_day(dt.date(year, 12, 31))
    losses = tuple(window for group in groups for window in group.losses if window.day.year == year)
    if not losses:
        return None
    waiting = sum((window.loss for window in losses), ZERO)
    return Provisional(
        year=year,
        until=until,
        losses=losses,
        sentence=(
            f"The results of {year} are provisional until {until}: {money(waiting)} of its losses "
            f"on {listing(sorted({window.symbol for window in losses}))} could still be washed by "
            "a purchase."
        ),
    )


def _families(
    ledger: Ledger, rules: Iterable[PurchaseRule]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """An account of each taxpayer with each set of identical symbols that anybody has to do with.

    A symbol that is no security is left out as long as that is so.
    """
    names = {lot.symbol for lot in ledger.lots()} | {sale.symbol for sale in ledger.sales()}
    names |= {rule.symbol for rule in rules}
    taxpayers = {account.taxpayer: name for name, account in ledger.accounts.items()}
    seen: set[str] = set()
    for symbol in sorted(names):
        if symbol in seen:
            continue
        family = tuple(one for one in identical_to(ledger, symbol) if one in names)
        seen.update(family)
        for _, account in sorted(taxpayers.items()):
            yield account, family


def _calendar(
    ledger: Ledger,
    account: str,
    symbols: tuple[str, ...],
    rules: tuple[PurchaseRule, ...],
    span: tuple[dt.date, dt.date],
) -> GroupCalendar | None:
    on, _ = span
    if all(ledger.rule.is_exempt(symbol, on) for symbol in symbols):
        return None
    group = ledger.group_of(account, symbols[0])
    losses = () if group is None else tuple(_losses(group, on))
    purchases = () if group is None else tuple(_purchases(group, on))
    taxpayer = ledger.accounts[account].taxpayer
    planned = tuple(
        window
        for rule in rules
        if rule.symbol in symbols
        and rule.account in ledger.accounts
        and ledger.accounts[rule.account].taxpayer == taxpayer
        for window in _planned(ledger, rule, span)
    )
    if not losses and not purchases and not planned:
        return None
    planned = tuple(sorted(planned, key=lambda one: (one.day, one.account, one.symbol)))
    return GroupCalendar(
        taxpayer=taxpayer,
        symbols=symbols,
        losses=losses,
        purchases=purchases,
        planned=planned,
        buy_from=max([on, *(window.free_from for window in losses)]),
        sell_from=_first_gap([*purchases, *planned], span),
    )


def _losses(group: Group, on: dt.date) -> Iterator[Window]:
    for loss in group.waiting:
        row = loss.row
        if loss.quantity == 0 or not 0 <= (on - row.sold).days <= WINDOW_DAYS:
            continue
        yield Window(
            kind=WindowKind.LOSS,
            symbol=row.lot.symbol,
            account=row.account.id,
            day=row.sold,
            quantity=loss.quantity,
            loss=loss.loss,
            sentence=(
                f"{units(loss.quantity)} {row.lot.symbol} of lot {row.lot.id} were sold in "
                f"{row.account.id} on {row.sold} at a loss of {money(loss.loss)}: buy nothing "
                f"identical before {first_safe_day(row.sold)}."
            ),
        )


def _purchases(group: Group, on: dt.date) -> Iterator[Window]:
    for piece in group.available:
        lot = piece.lot
        is_recent = 0 <= (on - lot.acquired).days <= WINDOW_DAYS
        if piece.quantity == 0 or piece.is_used or not is_recent:
            continue
        yield Window(
            kind=WindowKind.PURCHASE,
            symbol=lot.symbol,
            account=lot.account.id,
            day=lot.acquired,
            quantity=piece.quantity,
            sentence=(
                f"{units(piece.quantity)} {lot.symbol} of lot {lot.id} were bought in "
                f"{lot.account.id} on {lot.acquired}: they would replace identical shares of "
                f"another purchase sold at a loss before {first_safe_day(lot.acquired)}."
            ),
        )


def _planned(ledger: Ledger, rule: PurchaseRule, span: tuple[dt.date, dt.date]) -> Iterator[Window]:
    """Planned purchases whose window touches the span; past ones where no record holds them."""
    on, until = span
    for due in purchases_due([rule], on - _WINDOW - _WEEKEND, until + _WINDOW):
        if due.bought_by + _WINDOW < on or is_recorded(ledger, due, on):
            continue
        yield Window(
            kind=WindowKind.PLANNED,
            symbol=due.symbol,
            account=due.account,
            day=due.date,
            late_days=(due.bought_by - due.date).days,
            sentence=(
                f"A purchase of {due.symbol} is planned in {due.account} for {due.date}: it would "
                f"replace identical shares sold at a loss from {due.date - _WINDOW} to "
                f"{due.bought_by + _WINDOW}."
            ),
        )


def _first_gap(windows: list[Window], span: tuple[dt.date, dt.date]) -> dt.date | None:
    """The first day of the span that no window of a purchase covers."""
    day, until = span
    while day <= until:
        covering = [window.ends for window in windows if window.begins <= day <= window.ends]
        if not covering:
            return day
        day = max(covering) + _DAY
    return None
