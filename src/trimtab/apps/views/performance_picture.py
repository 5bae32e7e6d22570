"""How it went as a picture: the value beside the money put in, and how far it was below its peak.

Readable without colour: a solid line, a dashed one, and hatching.
"""

from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from trimtab.apps.views.canvas import require_picture, write_picture
from trimtab.domain.errors import InputError
from trimtab.lab.measures import drawdowns
from trimtab.lab.track_record import Point

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_performance(points: Sequence[Point], currency: str, path: Path) -> None:
    """Draw *points* into *path*, as SVG or PNG by its name.

    Raises:
        InputError: matplotlib is not installed, or the file cannot be written.
    """
    require_picture(path)
    try:
        from matplotlib import rc_context
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
        from matplotlib.figure import Figure
    except ImportError:
        msg = "pictures need matplotlib: pip install 'trimtab[charts]'."
        raise InputError(msg) from None
    with rc_context({"svg.hashsalt": "trimtab", "hatch.linewidth": 0.7, "font.size": 9}):
        figure = Figure(figsize=(9, 6), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
        _draw_value(above, points, currency)
        _draw_fall(below, points)
        locator = AutoDateLocator(maxticks=8)
        below.xaxis.set_major_locator(locator)
        below.xaxis.set_major_formatter(ConciseDateFormatter(locator))
        for panel in (above, below):
            panel.grid(axis="y", color="0.9", linewidth=0.6)
            panel.set_axisbelow(True)
            panel.margins(x=0.01)
            for side in ("top", "right"):
                panel.spines[side].set_visible(False)
        figure.suptitle(
            f"How it went, {points[0].day} to {points[-1].day}", fontsize=12, x=0.01, ha="left"
        )
        write_picture(figure, path)


def put_in(points: Sequence[Point]) -> list[float]:
    """The first value, and what came in or went out since, at each of *points*."""
    moved = [sum(flow.amount for flow in point.flows) for point in points[1:]]
    return list(accumulate([points[0].value, *moved]))


def _draw_value(panel: "Axes", points: Sequence[Point], currency: str) -> None:
    from matplotlib.ticker import FuncFormatter

    days = _days(points)
    panel.xaxis_date()
    panel.plot(days, [point.value for point in points], color="black", linewidth=1.4, label="value")
    panel.step(
        days,
        put_in(points),
        "--",
        where="post",
        color="0.35",
        linewidth=1.2,
        label="value at the start and what came in since, less what went out",
    )
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    panel.set_ylabel(currency)
    panel.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, frameon=False, fontsize=8)


def _draw_fall(panel: "Axes", points: Sequence[Point]) -> None:
    days = _days(points)
    falls = [100 * float(fall) for fall in drawdowns([point.unit for point in points])]
    panel.plot(days, falls, color="black", linewidth=1.0)
    panel.fill_between(days, falls, 0, facecolor="none", edgecolor="0.6", hatch="///", linewidth=0)
    panel.set_ylim(min(-1.0, *falls) * 1.1, 0)
    panel.set_ylabel("% below the peak of a unit")


def _days(points: Sequence[Point]) -> list[float]:
    from matplotlib.dates import date2num

    return [float(date2num(point.day)) for point in points]
