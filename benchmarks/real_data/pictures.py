"""The pictures of the page: drawn in grey, the same to the byte for the same figures."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from real_data.months import MONTHS, PLANNED, largest_months, month_ends, through_1987, value_path
from real_data.run import Figures


def draw_period(found: Mapping[str, Figures], title: str, path: Path) -> None:
    """A panel a strategy: its value beside that of fixed targets, and its risky part below."""
    others = [one for name, one in found.items() if name not in {"nothing done", "fixed targets"}]
    fixed = found["fixed targets"]
    figure = Figure(figsize=(9, 7.2), layout="constrained")
    panels = figure.subplots(3, 2, sharex=True, sharey=True).ravel()
    for panel, one in zip(panels, others, strict=True):
        days, units = _weekly(one.days, one.units)
        _, steady = _weekly(fixed.days, fixed.units)
        lookdays, risky = _weekly(one.days, one.risky)
        panel.fill_between(
            lookdays,
            0,
            [100 * part for part in risky],
            facecolor="0.9",
            edgecolor="0.6",
            linewidth=0.5,
            label="risky classes, % of the savings",
        )
        panel.plot(days, [100 * unit for unit in steady], "--", color="0.4", linewidth=1)
        panel.plot(days, [100 * unit for unit in units], color="black", linewidth=1.3)
        panel.lines[0].set_label("fixed targets, first day = 100")
        panel.lines[1].set_label("the strategy, first day = 100")
        panel.set_title(one.name, loc="left", fontsize=10)
        _plain(panel)
    panels[0].set_ylim(bottom=0)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    figure.suptitle(title, x=0.01, ha="left")
    _save(figure, path)


def draw_1987(path: Path) -> None:
    """CPPI from 1987 to 1989: value, floor and what is risky, with m = 3, 4 and 5."""
    days = month_ends().loc["1986-12":"1989-12"].index.to_timestamp(how="end")
    stocks = month_ends().loc["1986-12":"1989-12"]
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True)
    for panel, multiplier in zip(panels, (3, 4, 5), strict=True):
        done = through_1987(multiplier)
        panel.fill_between(
            days,
            0,
            [100 * one for one in (*done.exposures, done.exposures[-1])],
            step="post",
            facecolor="0.9",
            hatch="///",
            edgecolor="0.6",
            linewidth=0.6,
            label="in risky classes",
        )
        panel.plot(
            days, (100 * stocks / stocks.iloc[0]).to_numpy(), ":", color="0.3", label="stocks alone"
        )
        panel.plot(days, [100 * one for one in done.floors], "--", color="black", label="floor")
        panel.plot(
            days, [100 * one for one in done.values], color="black", linewidth=1.6, label="value"
        )
        panel.set_title(f"m = {multiplier}", loc="left", fontsize=10)
        _plain(panel)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    figure.suptitle(
        "CPPI with a ratchet of 80 %, 1987 to 1989, end of 1986 = 100", x=0.01, ha="left"
    )
    _save(figure, path)


def draw_largest_month(path: Path) -> None:
    """What the worst ten years asked for month by month, without a cap and with one."""
    worst = largest_months()[0][0]
    free, capped = worst, value_path(worst.begins, cap=3)
    days = pd.period_range(worst.begins, periods=MONTHS, freq="M").to_timestamp()
    figure = Figure(figsize=(9, 4.6), layout="constrained")
    panels = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    titles = ("without a cap, selling", "with a cap of three contributions, not selling")
    for panel, one, title in zip(panels, (free, capped), titles, strict=True):
        panel.bar(days, one.contributions, width=25, color="0.25")
        panel.axhline(float(PLANNED), linestyle="--", color="black", linewidth=0.8)
        panel.axhline(0, color="black", linewidth=0.6)
        panel.set_title(f"{title}; dashed: the 100 planned", loc="left", fontsize=10)
        panel.set_ylabel("put in that month")
        _plain(panel)
    span = f"{days[0]:%B %Y} to {days[-1]:%B %Y}"
    figure.suptitle(f"Value averaging, {span}, US stocks", x=0.01, ha="left")
    _save(figure, path)


def _weekly(days: Sequence[dt.date], values: Sequence[float]) -> tuple[list[dt.date], list[float]]:
    """The last value of each week: a line has no more to show."""
    last = {day.isocalendar()[:2]: (day, value) for day, value in zip(days, values, strict=True)}
    return [day for day, _ in last.values()], [value for _, value in last.values()]


def _plain(panel: Axes) -> None:
    locator = AutoDateLocator(minticks=3, maxticks=8)
    panel.xaxis.set_major_locator(locator)
    panel.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    panel.grid(axis="y", color="0.85", linewidth=0.5)
    panel.set_axisbelow(True)
    panel.margins(x=0.01)
    for side in ("top", "right"):
        panel.spines[side].set_visible(False)


def _save(figure: Figure, path: Path) -> None:
    """Write *figure*; coordinates keep two digits, a hundredth of a point, which is enough."""
    with rc_context({"svg.hashsalt": "trimtab"}):
        figure.savefig(path, metadata={"Date": None})
    drawn = path.read_text(encoding="utf-8")
    short = re.sub(r"(?<=[ \"])-?\d+\.\d{3,}", lambda found: f"{float(found[0]):.2f}", drawn)
    path.write_text(short, encoding="utf-8")
