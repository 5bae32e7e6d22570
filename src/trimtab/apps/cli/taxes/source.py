"""Options that every tax command has: where to read from, and as of which day."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click
from click.core import ParameterSource

from trimtab.apps.cli.options import DAY

if TYPE_CHECKING:
    from trimtab.apps.tax_source import TaxSource

Command = TypeVar("Command", bound=Callable[..., Any])
_STATUSES = (
    "single",
    "married_filing_jointly",
    "married_filing_separately",
    "head_of_household",
    "qualifying_surviving_spouse",
)
_LEVELS = ("same_security", "same_index", "correlated")
_BROKER_LISTS = ("brokers", "files")
"""The parameters that name files of a broker beside the history."""


class RateType(click.ParamType[Decimal]):
    """A tax rate as a fraction between 0 and 1."""

    name = "rate"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        """The fraction that *value* spells."""
        try:
            rate = Decimal(str(value))
        except InvalidOperation:
            self.fail(f"{value!r} is no rate: write a fraction such as 0.24.", param, ctx)
        if not rate.is_finite() or not 0 <= rate <= 1:
            self.fail(f"{value!r} is no rate: write a fraction such as 0.24.", param, ctx)
        return rate


RATE = RateType()


def source_options(command: Command) -> Command:
    """The options that say where the history comes from; the command gets it as `source`."""

    @wraps(command)
    def with_source(
        *arguments: Any,  # noqa: ANN401  the command's own
        folder: Path,
        transactions: tuple[Path, ...],
        identical: Path | None,
        mapping: Path | None,
        accounts: Path | None,
        level: Any,  # noqa: ANN401  one of _LEVELS
        status: Any,  # noqa: ANN401  one of _STATUSES
        short_rate: Decimal | None,
        long_rate: Decimal | None,
        on: dt.date | None,
        **options: Any,  # noqa: ANN401  as above
    ) -> Any:  # noqa: ANN401  as above
        from trimtab.apps.tax_source import Told

        if transactions:
            _refuse_folder(click.get_current_context())
        told = Told(status, short_rate, long_rate, level, on, accounts)
        source = _read(folder, transactions, identical, mapping, told)
        return command(*arguments, source=source, **options)

    extended: Any = with_source
    for option in reversed(_OPTIONS):
        extended = option(extended)
    return cast("Command", extended)


_FILE = click.Path(path_type=Path)
_OPTIONS = (
    click.option(
        "--folder",
        type=_FILE,
        default=Path(),
        show_default="the current folder",
        metavar="PATH",
        help="Where household.toml and its files lie.",
    ),
    click.option(
        "--transactions",
        type=_FILE,
        multiple=True,
        metavar="FILE",
        help="Read this file instead of a household; may be given several times.",
    ),
    click.option(
        "--identical",
        type=_FILE,
        metavar="FILE",
        help="Groups of identical symbols, one on a line, beside those of --identity.",
    ),
    click.option(
        "--mapping",
        type=_FILE,
        metavar="FILE",
        help="Which column is what (TOML), in CSV files that trimtab does not recognize.",
    ),
    click.option(
        "--accounts",
        type=_FILE,
        metavar="FILE",
        help="Whose accounts are which: a CSV of account, owner, role and kind.",
    ),
    click.option(
        "--identity",
        "level",
        type=click.Choice(_LEVELS),
        default="same_index",
        show_default=True,
        help="What counts as substantially identical, with --transactions.",
    ),
    click.option("--status", type=click.Choice(_STATUSES), help="Filing status, likewise."),
    click.option("--short-rate", type=RATE, help="Rate on short-term gains, likewise."),
    click.option("--long-rate", type=RATE, help="Rate on long-term gains, likewise."),
    click.option("--on", type=DAY, help="As of this day; default: today."),
)


def _read(
    folder: Path,
    transactions: tuple[Path, ...],
    identical: Path | None,
    mapping: Path | None,
    told: Any,  # noqa: ANN401  a Told; its module is imported late
) -> "TaxSource":
    from trimtab.apps.clock import SystemClock
    from trimtab.apps.home import Home
    from trimtab.apps.tax_source import from_household, from_transactions
    from trimtab.domain.errors import InputError

    clock = SystemClock()
    if transactions:
        return from_transactions(
            transactions, clock, identical=identical, mapping=mapping, told=told
        )
    has_lists = any(click.get_current_context().params.get(name) for name in _BROKER_LISTS)
    if identical is not None or told.accounts is not None or (mapping and not has_lists):
        msg = (
            "--identical, --mapping and --accounts belong to --transactions: a household says "
            "these things in its household.toml."
        )
        raise InputError(msg)
    return from_household(Home(folder), clock, on=told.on)._replace(mapping=mapping)


def _refuse_folder(context: click.Context) -> None:
    """Refuse a household's folder where files are read instead of a household.

    Raises:
        InputError: both were given.
    """
    from trimtab.domain.errors import InputError

    if context.get_parameter_source("folder") is not ParameterSource.DEFAULT:
        msg = (
            "--folder names a household, and --transactions reads files instead of one: give one "
            "of them."
        )
        raise InputError(msg)
