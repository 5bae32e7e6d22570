"""The reserve month by month as a picture, readable in black and white."""

from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from trimtab.apps.reserving import Reserving
from trimtab.apps.views.canvas import canvas, plain
from trimtab.rules.reserve import status

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TICKS_MAX = 12


def draw_reserve(found: Reserving, currency: str, path: Path) -> None:
    """Draw what each month lays out and brings, and the cash against what is needed so far.

    Raises:
        MissingExtra: matplotlib is not installed.
        InputError: the file cannot be written.
    """
    with canvas(path, 9, 6.2) as figure:
        above, below = figure.subplots(2, 1, sharex=True)
        _draw_months(above, found, currency)
        _draw_need(below, found, currency)
        figure.suptitle(status(found.rule, found.reached, currency), x=0.01, ha="left", fontsize=11)


def _draw_months(panel: "Axes", found: Reserving, currency: str) -> None:
    months = found.needed.months
    at = range(len(months))
    costs = [float(month.costs) for month in months]
    bills = [float(month.bills) for month in months]
    income = [float(month.income) for month in months]
    panel.bar(at, costs, color="0.85", edgecolor="black", label="running costs")
    if any(bills):
        panel.bar(
            at, bills, bottom=costs, color="white", edgecolor="black", hatch="///", label="bills"
        )
    if any(income):
        panel.step(at, income, "k--", where="mid", linewidth=1.6, label="income counted on")
    plain(panel, "What each month lays out", currency)
    panel.legend(loc="upper center", bbox_to_anchor=(0.5, -0.06), ncols=3, frameon=False)


def _draw_need(panel: "Axes", found: Reserving, currency: str) -> None:
    months = found.needed.months
    needed = [float(sum_) for sum_ in accumulate(month.present for month in months)]
    panel.bar(
        range(len(months)),
        needed,
        color="white",
        edgecolor="black",
        hatch="\\\\",
        label="needed until the end of the month",
    )
    panel.axhline(
        float(found.safe),
        color="black",
        linewidth=1.8,
        label=f"cash for it in {found.rule.account}",
    )
    panel.axhline(
        float(found.needed.amount), color="black", linestyle=":", linewidth=1.4, label="reserve"
    )
    plain(panel, "How far the cash reaches", currency)
    every = max(1, -(-len(months) // _TICKS_MAX))
    shown = range(0, len(months), every)
    panel.set_xticks(list(shown), [f"{months[n].begins:%b %Y}" for n in shown], fontsize=8)
    panel.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=3, frameon=False)
