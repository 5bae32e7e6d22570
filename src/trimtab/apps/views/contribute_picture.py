"""A value path against the value, and what was put in, readable in black and white."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trimtab.apps.value_paths import ValuePath
from trimtab.apps.views.canvas import canvas, plain
from trimtab.domain.errors import InputError
from trimtab.domain.numbers import ZERO

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_A_BAR = 0.3
"""A bar's width as a part of the time between two days."""
_FEW = 12


def draw_paths(paths: Sequence[ValuePath], currency: str, today: dt.date, path: Path) -> None:
    """Draw each path: above, goals and values; below, what was put in, and the cap.

    Raises:
        MissingExtra: matplotlib is not installed.
        InputError: no account keeps to a path, or the file cannot be written.
    """
    if not paths:
        msg = '--chart: no [[averaging]] has by = "value", so there is no path to draw.'
        raise InputError(msg)
    with canvas(path, 9, 5.8 * len(paths)) as figure:
        panels = figure.subplots(
            2 * len(paths), 1, squeeze=False, height_ratios=[3, 1.4] * len(paths)
        )
        for number, one in enumerate(paths):
            above, below = panels[2 * number, 0], panels[2 * number + 1, 0]
            _draw_value(above, one, currency, today)
            _draw_put_in(below, one, currency, today)
            below.sharex(above)
            _date(below)
            above.tick_params(labelbottom=False)


def _draw_value(panel: "Axes", one: ValuePath, currency: str, today: dt.date) -> None:
    from matplotlib.dates import date2num

    days = [date2num(day) for day, _ in one.goals]
    panel.step(
        days,
        [float(goal) for _, goal in one.goals],
        "k--",
        where="post",
        linewidth=1.2,
        label="path",
    )
    values = [(date2num(day), float(value)) for day, value in one.values]
    marker = "o" if len(values) <= _FEW else ""
    panel.plot(
        [day for day, _ in values],
        [value for _, value in values],
        "k-",
        linewidth=1.6,
        label="value",
        marker=marker,
        markersize=4,
    )
    panel.axvline(date2num(today), color="0.6", linestyle=":", linewidth=1, label="today")
    panel.set_ylim(bottom=0)
    plain(panel, f"Value path of {one.rule.account}", currency)
    panel.legend(loc="upper left", ncols=3, frameon=False)


def _draw_put_in(panel: "Axes", one: ValuePath, currency: str, today: dt.date) -> None:
    from matplotlib.dates import date2num

    days = [date2num(day) for day, _ in one.goals]
    width = _A_BAR * (days[1] - days[0]) if len(days) > 1 else 5.0
    panel.step(
        days,
        [float(cap) for cap in one.caps],
        "k:",
        where="mid",
        linewidth=1.3,
        label="most that one period may take",
    )
    at = [date2num(past.day) for past in one.put_in]
    upon = [0.0] * len(at)
    for label, color, line, hatch, amounts in (
        ("put in", "0.85", "-", "", [past.amount for past in one.put_in]),
        (
            "asked for and not put in",
            "white",
            "--",
            "",
            [past.short or ZERO for past in one.put_in],
        ),
        ("withheld by the cap", "white", "-", "///", [past.withheld for past in one.put_in]),
    ):
        heights = [float(amount) for amount in amounts]
        if any(heights):
            panel.bar(
                at,
                heights,
                width,
                bottom=upon,
                color=color,
                edgecolor="black",
                linestyle=line,
                hatch=hatch,
                label=label,
            )
        upon = [low + max(0.0, height) for low, height in zip(upon, heights, strict=True)]
    panel.axhline(0, color="black", linewidth=0.8)
    panel.axvline(date2num(today), color="0.6", linestyle=":", linewidth=1)
    plain(panel, "What each period put in", currency)
    panel.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=3, frameon=False)


def _date(panel: "Axes") -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    panel.xaxis_date()
    locator = AutoDateLocator(maxticks=8)
    panel.xaxis.set_major_locator(locator)
    panel.xaxis.set_major_formatter(ConciseDateFormatter(locator))
