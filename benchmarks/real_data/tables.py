"""The tables of the page, in Markdown."""

from collections.abc import Sequence

import pandas as pd
from real_data.households import LUMP
from real_data.months import (
    equal_parts,
    gaps,
    largest_months,
    month_ends,
    through_1987,
    value_path,
)
from real_data.run import Figures


def table(found: Sequence[Figures]) -> str:
    """The main figures as a table."""
    rows = [
        "| strategy | end value | return | deepest fall | volatility | turnover | tax | trades |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    return "\n".join([*rows, *(row_of(one) for one in found)])


def row_of(one: Figures) -> str:
    """One row of `table`."""
    return (
        f"| {one.name} | {one.value:,.0f} | {percent(one.time_weighted)} | {percent(one.fall)} "
        f"| {percent(one.volatility)} | {percent(one.turnover, 0)} | {dollars(one.tax)} "
        f"| {one.trades} |"
    )


def averaging_table(found: Sequence[Figures]) -> str:
    """What each way to put the lump in came to."""
    rows = [
        "| 120,000 | end value | return | deepest fall | largest month | still cash | trades |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for one in found:
        largest = max((amount for _, amount in one.invested), default=float(LUMP))
        rows.append(
            f"| {one.name} | {one.value:,.0f} | {percent(one.time_weighted)} "
            f"| {percent(one.fall)} | {largest:,.0f} | {one.cash:,.0f} | {one.trades} |"
        )
    return "\n".join(rows)


def gaps_table() -> str:
    """The windows in which the floor broke, by multiplier."""
    rows = [
        "| multiplier | floor broke in | worst end below the floor | that window begins |",
        "|---:|---:|---:|---|",
    ]
    for multiplier in (3, 4, 5, 8):
        found, begins = gaps(multiplier)
        below, window = ("none", "")
        if found.breached:
            below, window = percent(-found.worst), f"{begins.start_time:%B %Y}"
        part = percent(found.breached / found.windows)
        rows.append(
            f"| {multiplier} | {found.breached} of {found.windows:,} ({part}) "
            f"| {below} | {window} |"
        )
    return "\n".join(rows)


def crash_table() -> str:
    """October 1987 by multiplier."""
    rows = [
        "| multiplier | risky before | value after | floor | risky after | end of 1989 |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    october = 10
    for multiplier in (3, 4, 5):
        done = through_1987(multiplier)
        before = done.exposures[october - 1] / done.values[october - 1]
        after = done.exposures[october] / done.values[october]
        rows.append(
            f"| {multiplier} | {percent(before, 0)} | {100 * done.values[october]:.1f} "
            f"| {100 * done.floors[october]:.1f} | {percent(after, 0)} "
            f"| {100 * done.values[-1]:.1f} |"
        )
    stocks = month_ends().loc["1986-12":"1989-12"].to_numpy()
    rows.append(
        f"| stocks alone | 100 % | {100 * stocks[october] / stocks[0]:.1f} | | 100 % "
        f"| {100 * stocks[-1] / stocks[0]:.1f} |"
    )
    return "\n".join(rows)


def value_table() -> str:
    """The worst window and two others: equal parts, and the path without a cap and with one."""
    rows = [
        "| ten years from | 100 a month | largest month | put in, net | value | gain |",
        "|---|---|---:|---:|---:|---:|",
    ]
    worst = largest_months()[0][0].begins
    for begins in (worst, pd.Period("1999-01", "M"), pd.Period("2007-01", "M")):
        for name, one in (
            ("equal parts", equal_parts(begins)),
            ("path, no cap", value_path(begins)),
            ("path, cap of 3, no selling", value_path(begins, cap=3)),
        ):
            when = f" ({one.largest_in.start_time:%B %Y})" if name == "path, no cap" else ""
            rows.append(
                f"| {begins.start_time:%B %Y} | {name} | {one.largest:,.0f}{when} "
                f"| {one.invested:,.0f} | {one.value:,.0f} | {dollars(one.value - one.invested)} |"
            )
    return "\n".join(rows)


def percent(fraction: float, places: int = 1) -> str:
    """*fraction* in percent, with a true minus."""
    return f"{100 * fraction:.{places}f} %".replace("-", "\N{MINUS SIGN}")


def dollars(amount: float) -> str:
    """*amount* without cents, with a true minus."""
    return f"{amount:,.0f}".replace("-", "\N{MINUS SIGN}")
