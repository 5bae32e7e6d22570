"""The Treasury's curve as a picture: where it is inverted, and what is left after tax."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from trimtab.apps.views.canvas import require_picture, write_picture
from trimtab.domain.errors import InputError
from trimtab.domain.numbers import Weight
from trimtab.domain.yield_facts import Curve
from trimtab.rules.yields import Earning, after_tax, effective_rate, inversions

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MONTHS_MIN = 1
_MARKERS = "sD^vPX*<>"


def draw_curve(curve: Curve, found: Sequence[Earning], treasury_tax: Weight, path: Path) -> None:
    """Draw *curve* into *path*, as SVG or PNG by its name, with what else is told beside it.

    Readable without colour: the solid line is before tax and the dotted one after it, hatching
    stands under the stretches where the longer maturity yields less, and what else is told has a
    marker of its own.

    Raises:
        InputError: matplotlib is not installed, or the file cannot be written.
    """
    require_picture(path)
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError:
        msg = "pictures need matplotlib: pip install 'trimtab[charts]'."
        raise InputError(msg) from None
    with rc_context({"svg.hashsalt": "trimtab", "hatch.linewidth": 0.7, "font.size": 9}):
        figure = Figure(figsize=(9, 5), layout="constrained")
        panel = figure.subplots()
        _draw(panel, curve, treasury_tax)
        _draw_others(panel, found)
        figure.suptitle(
            f"What cash earns a year: the Treasury's curve of {curve.on}",
            fontsize=12,
            x=0.01,
            ha="left",
        )
        figure.legend(loc="outside lower left", ncols=2, frameon=False, fontsize=8)
        write_picture(figure, path)


def _draw(panel: "Axes", curve: Curve, treasury_tax: Weight) -> None:
    months = [float(point.months) for point in curve.points]
    rates = [effective_rate(point.rate) for point in curve.points]
    before = [float(rate * 100) for rate in rates]
    left = [float(after_tax(rate, treasury_tax) * 100) for rate in rates]
    panel.plot(
        months, before, color="black", marker="o", markersize=4, label="Treasuries, before tax"
    )
    panel.plot(
        months, left, ":", color="black", marker="o", markersize=3, label="Treasuries, after tax"
    )
    falling = {fall.longer.months for fall in inversions(curve)}
    label = "inverted: the longer maturity yields less"
    for at, (_, longer) in enumerate(pairwise(curve.points)):
        if longer.months not in falling:
            continue
        panel.fill_between(
            months[at : at + 2],
            0,
            before[at : at + 2],
            facecolor="none",
            edgecolor="0.6",
            hatch="///",
            linewidth=0,
            zorder=0,
            label=label,
        )
        label = ""
    panel.set_xscale("log")
    panel.set_xticks(months, [_short(one) for one in months])
    panel.minorticks_off()
    panel.set_xlabel("maturity")
    panel.set_ylabel("% a year")
    panel.set_ylim(bottom=min(0.0, *before, *left))
    panel.grid(axis="y", color="0.9", linewidth=0.6)
    panel.set_axisbelow(True)
    for side in ("top", "right"):
        panel.spines[side].set_visible(False)


def _draw_others(panel: "Axes", found: Sequence[Earning]) -> None:
    """What the household told, at the left end where it is not bound, after tax where it owes."""
    for number, one in enumerate(found):
        marker = _MARKERS[number % len(_MARKERS)]
        rate = one.after_tax if one.is_taxed_somewhere else one.rate
        when = "after tax" if one.is_taxed_somewhere else "not taxed by the year"
        panel.plot(
            max(_MONTHS_MIN, one.rule.term_months or 0),
            float(rate * 100),
            linestyle="none",
            marker=marker,
            markersize=8,
            markerfacecolor="white",
            markeredgecolor="black",
            label=f"{one.rule.name}, {when} ({one.rule.risk})",
        )


def _short(months: float) -> str:
    return f"{months / 12:g}y" if months % 12 == 0 else f"{months:g}m"
