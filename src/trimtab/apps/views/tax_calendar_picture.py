"""The wash calendar as a picture, readable in black and white."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

from trimtab.apps.views.canvas import require_picture, write_picture
from trimtab.apps.views.tax_calendar import last_sale_day, lines_of
from trimtab.domain.errors import MissingExtra
from trimtab.rules.tax.calendar import GroupCalendar, WashCalendar, Window, WindowKind
from trimtab.rules.tax.matching import WINDOW_DAYS

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_LOOKS = {
    WindowKind.LOSS: ("0.45", "black", ""),
    WindowKind.PURCHASE: ("white", "0.35", "//////"),
    WindowKind.PLANNED: ("white", "0.35", "...."),
}
"""Face, edge and hatch of each kind of bar."""
_MEANINGS = {
    WindowKind.LOSS: "after a loss: buy nothing identical",
    WindowKind.PURCHASE: "after a purchase: take no loss",
    WindowKind.PLANNED: "around a planned purchase: take no loss",
}
_HEIGHT = 0.62
_LABEL_PART = 0.12
"""How much of the width is left free on the right for the label behind a bar."""
_WINDOW = dt.timedelta(days=WINDOW_DAYS)


def draw_calendar(calendar: WashCalendar, path: Path) -> None:
    """Draw every window over its days, as SVG or PNG by name.

    Readable without colour: dark is a loss, hatched a purchase, dotted a planned one; a diamond is
    the day itself and the solid line is today.

    Raises:
        MissingExtra: matplotlib is not installed.
        InputError: the file cannot be written.
    """
    require_picture(path)
    try:
        from matplotlib import rc_context
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtra("pictures need matplotlib: pip install 'trimtab[charts]'.") from None
    assert calendar.groups, "an empty calendar is not drawn"
    groups = [(group, lines_of(group)) for group in calendar.groups]
    count = sum(len(windows) + 1 for _, windows in groups)
    with rc_context({"svg.hashsalt": "trimtab", "hatch.linewidth": 0.7, "font.size": 9}):
        figure = Figure(figsize=(10, 1.6 + 0.34 * count), layout="constrained")
        panel = figure.subplots()
        _draw(panel, groups, calendar)
        locator = AutoDateLocator(minticks=5, maxticks=10)
        panel.xaxis.set_major_locator(locator)
        panel.xaxis.set_major_formatter(ConciseDateFormatter(locator))
        figure.suptitle(
            f"Wash-sale windows on {calendar.on:%d %B %Y}", fontsize=12, x=0.01, ha="left"
        )
        figure.legend(
            handles=_legend(calendar), loc="outside lower left", ncols=3, frameon=False, fontsize=8
        )
        write_picture(figure, path)


def _draw(
    panel: "Axes",
    groups: list[tuple[GroupCalendar, tuple[Window, ...]]],
    calendar: WashCalendar,
) -> None:
    left, right, today = (
        _at(calendar.on - _WINDOW),
        _at(calendar.until) + 1,
        _at(calendar.on),
    )
    row, names = 0, {}
    for group, windows in groups:
        panel.axhline(row - 0.5, color="0.8", linewidth=0.7, zorder=0)
        panel.text(
            left + 0.4,
            row,
            _verdict(group, calendar),
            va="center",
            fontweight="bold",
            zorder=6,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
        )
        for number, window in enumerate(windows, start=row + 1):
            _draw_window(panel, window, number, (left, right))
            names[number] = f"{window.symbol} in {window.account}"
        row += len(windows) + 1
    panel.axvspan(left, today, facecolor="white", alpha=0.6, linewidth=0, zorder=3)
    panel.axvline(today, color="black", linewidth=1.5, zorder=4)
    panel.text(today, -0.6, "today", ha="center", va="bottom", fontweight="bold")
    panel.set_xlim(left, right + (right - left) * _LABEL_PART)
    panel.set_ylim(row - 0.4, -0.5)
    panel.set_yticks(list(names), list(names.values()))
    panel.tick_params(axis="y", length=0)
    panel.xaxis_date()
    for side in ("top", "right", "left"):
        panel.spines[side].set_visible(False)
    panel.grid(axis="x", color="0.9", linewidth=0.6, zorder=0)
    panel.set_axisbelow(True)


def _draw_window(panel: "Axes", window: Window, row: int, span: tuple[float, float]) -> None:
    """A bar over the window's days, a diamond on its own day, and when it is over."""
    left, right = span
    start, end = max(left, _at(window.begins)), min(right, _at(window.ends) + 1)
    face, edge, hatch = _LOOKS[window.kind]
    panel.barh(
        row,
        end - start,
        left=start,
        height=_HEIGHT,
        facecolor=face,
        edgecolor=edge,
        hatch=hatch,
        linewidth=0.8,
        zorder=2,
    )
    if left <= _at(window.day) < right:
        panel.plot(
            _at(window.day) + 0.5,
            row,
            marker="D",
            markersize=6,
            markerfacecolor="white",
            markeredgecolor="black",
            zorder=5,
        )
    goes_on = "... " if _at(window.free_from) > right else ""
    panel.text(
        end,
        row,
        f"  {goes_on}free from {window.free_from:%d %b}",
        va="center",
        fontsize=8,
        zorder=6,
    )


def _verdict(group: GroupCalendar, calendar: WashCalendar) -> str:
    """What the group may do when, in a line."""
    of = "" if group.taxpayer == "household" else f" ({group.taxpayer})"
    buy = "buying is free" if group.buy_from <= calendar.on else f"buy from {group.buy_from:%d %b}"
    if group.sell_from is None:
        sell = f"no loss free until {calendar.until:%d %b}"
    elif group.sell_from <= calendar.on:
        sell = "losses are free"
    else:
        sell = f"take losses from {group.sell_from:%d %b}"
    last = last_sale_day(group)
    sell += "" if last is None else f" to {last:%d %b}"
    return f"{', '.join(group.symbols)}{of}: {buy}, {sell}"


def _legend(calendar: WashCalendar) -> list["Artist"]:
    """One entry for each kind of window that is drawn, and the diamond."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    kinds = {window.kind for group in calendar.groups for window in lines_of(group)}
    handles: list[Artist] = []
    for kind in WindowKind:
        if kind in kinds:
            face, edge, hatch = _LOOKS[kind]
            handles.append(
                Patch(facecolor=face, edgecolor=edge, hatch=hatch, label=_MEANINGS[kind])
            )
    diamond = Line2D([], [], linestyle="none", marker="D", markersize=6, label="the day itself")
    diamond.set_markerfacecolor("white")
    diamond.set_markeredgecolor("black")
    return [*handles, diamond]


def _at(day: dt.date) -> float:
    """*day* as matplotlib counts days."""
    from matplotlib.dates import date2num

    return float(date2num(day))
