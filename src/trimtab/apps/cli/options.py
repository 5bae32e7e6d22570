"""Options that several commands have, so that they are spelled and explained the same."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar

import click

DIGITS_MAX = 15
"""Digits before the point of an amount; with more, sums would no longer be exact."""
Command = TypeVar("Command", bound=Callable[..., Any])


class AmountType(click.ParamType[Decimal]):
    """An amount of money above zero, read from its digits."""

    name = "amount"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        """The amount that *value* spells, such as 1500 or 1,500.00."""
        if isinstance(value, Decimal):
            return value
        try:
            amount = Decimal(str(value).replace(",", ""))
        except InvalidOperation:
            self.fail(f"{value!r} is no amount: write digits such as 1500 or 99.95.", param, ctx)
        exponent = amount.as_tuple().exponent
        if not amount.is_finite() or amount <= 0 or not isinstance(exponent, int) or exponent < -2:  # noqa: PLR2004  cents
            self.fail(f"{value!r} is no amount: write one above zero, in whole cents.", param, ctx)
        if amount.adjusted() >= DIGITS_MAX:
            self.fail(
                f"{value!r} is no amount: write at most {DIGITS_MAX} digits before the point.",
                param,
                ctx,
            )
        return amount


class DayType(click.ParamType[dt.date]):
    """A date written as YYYY-MM-DD."""

    name = "date"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> dt.date:
        """The date that *value* spells."""
        if isinstance(value, dt.date):
            return value
        try:
            return dt.date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no date: write it as 2026-03-09.", param, ctx)


AMOUNT = AmountType()
DAY = DayType()


def example(*lines: str) -> str:
    """The end of a command's help: what somebody would type."""
    title = "Example:" if len(lines) == 1 else "Examples:"
    return "\n".join(["\b", title, *(f"  {line}" for line in lines)])


def folder_option(command: Command) -> Command:
    """`--folder PATH`: where household.toml and its files lie."""
    return click.option(
        "--folder",
        type=click.Path(path_type=Path),
        default=Path(),
        show_default="the current folder",
        metavar="PATH",
        help="Where household.toml and its files lie.",
    )(command)


def json_option(command: Command) -> Command:
    """`--json`: one JSON object instead of text."""
    return click.option(
        "--json",
        "as_json",
        is_flag=True,
        help="Print one JSON object instead of text.",
    )(command)


def because_option(command: Command) -> Command:
    """`--because TEXT`: the reason that goes into the journal."""
    return click.option(
        "--because",
        required=True,
        metavar="TEXT",
        help="The reason, for whoever reads the journal later.",
    )(command)
