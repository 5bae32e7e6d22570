"""Options for the files of brokers that a year is compared with."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from trimtab.apps.cli.taxes.parameters import PairType

if TYPE_CHECKING:
    from trimtab.apps.filing import BrokersTold
    from trimtab.apps.tax_source import TaxSource

Command = TypeVar("Command", bound=Callable[..., Any])
Pairs = tuple[tuple[str, str], ...]
YEAR = click.IntRange(1900, 2200)

_NAMES = (
    click.option(
        "--account-map",
        type=PairType("X1234=joint"),
        multiple=True,
        metavar="BROKER=OURS",
        help="What the broker calls one of our accounts, or the file's name where it names none.",
    ),
    click.option(
        "--symbol-map",
        type=PairType("922908769=VTI"),
        multiple=True,
        metavar="BROKER=OURS",
        help="A CUSIP or symbol of the broker's and our symbol of it.",
    ),
)


def name_options(command: Command) -> Command:
    """`--account-map` and `--symbol-map`: what brokers call otherwise."""
    extended: Any = command
    for option in reversed(_NAMES):
        extended = option(extended)
    return cast("Command", extended)


def return_option(command: Command) -> Command:
    """`--return ID`: which return, where a household files several."""
    return click.option(
        "--return",
        "return_id",
        metavar="ID",
        help="Which return, where several are filed: `household`, or the owner who files alone.",
    )(command)


def broker_option(command: Command) -> Command:
    """`--broker FILE`: what the IRS was told."""
    return click.option(
        "--broker",
        "brokers",
        type=click.Path(path_type=Path),
        multiple=True,
        metavar="FILE",
        help="A broker's 1099-B or realized gains: columns d to g go beside it. Several allowed.",
    )(command)


def read_told(
    source: "TaxSource", files: Sequence[Path], accounts: Pairs, symbols: Pairs
) -> "BrokersTold":
    """What *files* tell, by our names.

    Raises:
        InputError: a file cannot be used, or a name is none of ours.
    """
    from trimtab.apps.cli.taxes.parameters import account_of, symbol_of
    from trimtab.apps.filing import NOTHING_TOLD, OtherNames, read_broker_files

    if not files:
        return NOTHING_TOLD
    names = OtherNames(
        accounts={
            theirs: account_of(source.accounts, ours, "--account-map") for theirs, ours in accounts
        },
        symbols={theirs: symbol_of(source, ours) for theirs, ours in symbols},
    )
    return read_broker_files(source, files, names)
