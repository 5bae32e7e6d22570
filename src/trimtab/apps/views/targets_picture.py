"""Targets over time, the mixes around the one of least variance, and CPPI's floor, as a picture."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from trimtab.apps.aiming import Aiming, Corner, corner
from trimtab.apps.views.canvas import canvas, plain
from trimtab.domain.aim import LOCKED, Layer
from trimtab.domain.errors import InputError
from trimtab.domain.numbers import Weight
from trimtab.domain.values import trade_date

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure

    from trimtab.rules.targets.minimum_variance import Mixes

_STYLES = ("-", "--", ":", "-.", (0, (6, 1, 1, 1, 1, 1)), (0, (1, 3)))
_MIXES_A_ROW = 4
_FEW = 12
"""So many looks are drawn as points too: a line through one point is not to be seen."""
_MARKS = {"marker": "o", "markersize": 3.5}
_APART = 0.045
"""The least distance of two labels, as a part of the panel's height."""


class _Moment(NamedTuple):
    """A day's targets in force and weights by class, and what CPPI said then.

    `following` are the targets of the next turn, None where they are those in force.
    """

    day: dt.date
    targets: dict[str, Weight]
    weights: dict[str, Weight]
    guard: Layer | None
    following: dict[str, Weight] | None = None


def draw_targets(aiming: Aiming, path: Path) -> None:
    """Draw all that the household's strategies have to show, a panel each, as SVG or PNG by name.

    Readable without colour: classes have line styles and their names beside them.

    Raises:
        MissingExtra: matplotlib is not installed.
        InputError: there is nothing to draw yet, or the file cannot be written.
    """
    moments = _moments(aiming)
    if not moments:
        msg = "there is nothing to draw: no turn has run, and a price is missing now."
        raise InputError(msg)
    around = corner(aiming)
    guarded = [moment for moment in moments if moment.guard is not None]
    rows = 0 if around is None else -(-len(around.assets) // _MIXES_A_ROW)
    heights = [3.6, *([2.9 * rows] if rows else []), *([3.4] if guarded else [])]
    with canvas(path, 10, sum(heights) + 0.4) as figure:
        parts = iter(figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0])
        _draw_weights(next(parts), moments, list(aiming.policy.classes))
        if around is not None:
            _draw_corner(next(parts), around, rows)
        if guarded:
            _draw_guard(next(parts), guarded, aiming.file.household.base_currency)


def _moments(aiming: Aiming) -> list[_Moment]:
    """Every day that was decided, and now."""
    moments = [
        _Moment(
            trade_date(decision.at),
            {drift.asset_class: drift.target for drift in decision.drifts},
            {drift.asset_class: drift.weight for drift in decision.drifts},
            _guard(() if decision.aim is None else decision.aim.layers),
        )
        for decision in aiming.decisions
    ]
    look = aiming.look
    if look is not None:
        now = _Moment(
            aiming.today,
            aiming.in_force,
            {drift.asset_class: drift.weight for drift in look.drifts},
            _guard(() if look.aim is None else look.aim.layers),
            None if look.targets == aiming.in_force else look.targets,
        )
        moments = [moment for moment in moments if moment.day < aiming.today] + [now]
    return moments


def _guard(layers: Sequence[Layer]) -> Layer | None:
    return next((layer for layer in layers if {"floor", "exposure"} <= layer.figures.keys()), None)


# ------------------------------------------------------------------ weights


def _draw_weights(part: "SubFigure", moments: Sequence[_Moment], classes: Sequence[str]) -> None:
    panel = part.subplots()
    if len(moments) == 1:
        _draw_today(panel, moments[0], classes)
        return
    days = _days(moments)
    ends = []
    for at, name in enumerate(classes):
        known = [moment for moment in moments if name in moment.targets]
        if not known:
            continue
        dates = [day for day, moment in zip(days, moments, strict=True) if name in moment.targets]
        targets = [float(moment.targets[name] * 100) for moment in known]
        weights = [float(moment.weights[name] * 100) for moment in known]
        style = _STYLES[at % len(_STYLES)]
        marks: dict[str, Any] = _MARKS if len(known) <= _FEW else {}
        panel.plot(dates, weights, color="0.6", linewidth=1.0, linestyle=style, **marks)
        panel.step(dates, targets, where="post", color="black", linewidth=1.6, linestyle=style)
        if len(known) <= _FEW:
            panel.plot(dates, targets, "s", color="black", markersize=3.5)
        ends.append((targets[-1], name))
    _label_ends(panel, ends)
    plain(panel, "Targets in force (black) and weights (grey)", "% of the savings")
    panel.set_ylim(bottom=0)
    _date_axis(panel, days)


def _draw_today(panel: "Axes", moment: _Moment, classes: Sequence[str]) -> None:
    """Bars: through one day no line can be drawn."""
    bars = [
        ("target in force", moment.targets, "black", ""),
        ("target of the next turn", moment.following or {}, "0.75", ""),
        ("weight", moment.weights, "white", "///"),
    ]
    shown = [bar for bar in bars if bar[1]]
    width = 0.76 / len(shown)
    places = np.arange(len(classes))
    for at, (label, parts, color, hatch) in enumerate(shown):
        heights = [float(parts[name] * 100) for name in classes]
        middles = places + (at - (len(shown) - 1) / 2) * width
        panel.bar(
            middles,
            heights,
            0.95 * width,
            label=label,
            color=color,
            hatch=hatch,
            edgecolor="0.35",
        )
    panel.set_xticks(places, classes)
    panel.legend(frameon=False, fontsize=8)
    plain(panel, f"Targets and weights on {moment.day}", "% of the savings")


def _label_ends(panel: "Axes", ends: Sequence[tuple[float, str]]) -> None:
    """The names of lines at their right ends, moved apart where they would overlap."""
    low, high = 0.0, panel.get_ylim()[1]
    before = -1.0
    for value, name in sorted(ends):
        place = max((value - low) / (high - low or 1.0), before + _APART)
        before = place
        panel.annotate(
            name,
            (1.0, place),
            xycoords="axes fraction",
            xytext=(6, 0),
            textcoords="offset points",
            verticalalignment="center",
            annotation_clip=False,
        )


# ------------------------------------------------------------------ minimum variance


def _draw_corner(part: "SubFigure", around: Corner, rows: int) -> None:
    part.suptitle(
        f"Volatility of the mix by the weight of each class, the others at their best "
        f"({around.estimate.observations} sessions, by the estimate: too low)",
        fontsize=10,
        x=0.01,
        ha="left",
    )
    columns = min(_MIXES_A_ROW, len(around.assets))
    panels = part.subplots(rows, columns, squeeze=False).ravel()
    for place, (name, mix) in enumerate(zip(around.assets, around.mixes, strict=True)):
        wanted = float(around.wanted[name])
        _draw_mix(panels[place], name, mix, wanted)
        if place % columns == 0:
            panels[place].set_ylabel("volatility, % a year")
    for panel in panels[len(around.assets) :]:
        panel.set_axis_off()
    told = {
        label: handle
        for panel in panels
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    part.legend(
        told.values(), told.keys(), loc="outside lower left", ncols=5, frameon=False, fontsize=8
    )


def _draw_mix(panel: "Axes", name: str, mix: "Mixes", wanted: float) -> None:
    weights = 100 * mix.weights
    panel.plot(weights, 100 * mix.volatilities_free, ":", color="0.45", label="without any bound")
    panel.plot(weights, 100 * mix.volatilities, color="black", linewidth=1.6, label="within bounds")
    for bound in {mix.lower, mix.upper}:
        panel.axvline(
            100 * bound,
            color="0.35",
            linestyle="--",
            linewidth=0.9,
            label="least and most" if bound == mix.lower else None,
        )
    panel.plot(
        [100 * mix.best_weight],
        [100 * mix.best_volatility],
        "o",
        color="black",
        markersize=7,
        label="least variance",
    )
    if abs(wanted - mix.best_weight) > 0.001:  # noqa: PLR2004  a tenth of a point is not to be seen
        risk = float(np.interp(wanted, mix.weights, mix.volatilities))
        panel.plot(
            [100 * wanted],
            [100 * risk],
            "D",
            color="white",
            markeredgecolor="black",
            label="kept from before",
        )
    panel.set_ylim(0, 130 * float(np.nanmax(mix.volatilities)))
    panel.set_title(name, loc="left", fontsize=9)
    panel.set_xlabel("% of the savings", fontsize=8)


# ------------------------------------------------------------------ CPPI


def _draw_guard(part: "SubFigure", moments: Sequence[_Moment], currency: str) -> None:
    panel = part.subplots()
    days = _days(moments)
    layers = [moment.guard for moment in moments if moment.guard is not None]
    floors = np.array([layer.figures["floor"] for layer in layers])
    values = floors + np.array([layer.figures.get("cushion", 0.0) for layer in layers])
    exposures = np.array([layer.figures["exposure"] for layer in layers])
    held = np.array([layer.figures.get("held", np.nan) for layer in layers])
    lines = [
        ("savings insured", values, "black", "-", "o"),
        ("floor", floors, "black", "--", "s"),
        ("to hold in risky classes", exposures, "black", ":", "v"),
        ("held in risky classes", held, "0.6", "-", "D"),
    ]
    for label, amounts, color, style, marker in lines:
        if np.isfinite(amounts).any():
            marks: dict[str, Any] = _MARKS | {"marker": marker} if len(layers) <= _FEW else {}
            panel.plot(days, amounts, style, color=color, linewidth=1.4, label=label, **marks)
    panel.fill_between(days, floors, values, color="0.92", zorder=0, label="cushion")
    locked = [LOCKED in layer.state for layer in layers]
    if any(locked):
        panel.fill_between(
            days,
            0,
            1,
            where=locked,
            transform=panel.get_xaxis_transform(),
            facecolor="none",
            edgecolor="0.6",
            hatch="///",
            linewidth=0,
            label="all safe since the floor was hit",
        )
    plain(panel, "CPPI: savings, floor and risky classes", currency)
    panel.set_ylim(bottom=0)
    part.legend(loc="outside lower left", ncols=6, frameon=False, fontsize=8)
    _date_axis(panel, days)


# ------------------------------------------------------------------ time


def _days(moments: Sequence[_Moment]) -> list[float]:
    from matplotlib.dates import date2num

    return [float(date2num(moment.day)) for moment in moments]


def _date_axis(panel: "Axes", days: Sequence[float]) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    panel.xaxis_date()
    if days[-1] - days[0] < 7:  # noqa: PLR2004  a week: else a single day gets an axis in hours
        panel.set_xlim(days[0] - 4, days[-1] + 4)
    locator = AutoDateLocator(minticks=3, maxticks=8)
    panel.xaxis.set_major_locator(locator)
    panel.xaxis.set_major_formatter(ConciseDateFormatter(locator))
