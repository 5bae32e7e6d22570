"""`trimtab tax gains`: what is held, and what selling it would realize."""

from typing import TYPE_CHECKING

import click

from trimtab.apps.cli.options import example, json_option
from trimtab.apps.cli.taxes.parameters import PairType
from trimtab.apps.cli.taxes.source import source_options
from trimtab.apps.cli.terminal import show, show_document

if TYPE_CHECKING:
    from trimtab.apps.tax_source import TaxSource


@click.command(
    "gains",
    epilog=example(
        "trimtab tax gains --account joint",
        "trimtab tax gains --transactions history.csv --price VTI=230.50 --price BND=72.10",
    ),
)
@source_options
@click.option("--symbol", metavar="SYMBOL", help="Only this symbol.")
@click.option("--account", metavar="NAME", help="Only this account.")
@click.option(
    "--price",
    "told",
    type=PairType("VTI=230.50"),
    multiple=True,
    metavar="SYMBOL=PRICE",
    help="What one unit is worth now; may be given several times.",
)
@json_option
def command(
    source: "TaxSource",
    symbol: str | None,
    account: str | None,
    told: tuple[tuple[str, str], ...],
    as_json: bool,
) -> int:
    """List what is held, lot by lot: term, wash-adjusted basis, value and unrealized gain.

    A lot that a wash sale touched has a part of its own, with the basis and the holding period
    that the lost units left to it. Gains are before the costs of a sale. This is not tax advice.
    """
    from trimtab.apps.cli.taxes.parameters import account_of, prices_of
    from trimtab.apps.views.tax_gains import gains_document, gains_page, held_of

    if account is not None:
        account = account_of(source.accounts, account, "--account")
    if symbol is not None:
        symbol = _known(source, symbol, "--symbol")
    told = tuple((_held(source, name), price) for name, price in told)
    held = held_of(source, prices_of(source, told), account, symbol)
    if as_json:
        show_document(gains_document(source, held))
    else:
        of = f"of {symbol}" if symbol else ""
        where = f"in {account}" if account else ""
        show(gains_page(source, held, " ".join(filter(None, (of, where)))))
    return 0


def _known(source: "TaxSource", text: str, option: str) -> str:
    """*text* as the records spell it.

    Raises:
        InputError: neither the records nor the table of listings know it.
    """
    from trimtab.adapters.delimited import nearest
    from trimtab.apps.cli.taxes.parameters import known_symbols, symbol_of
    from trimtab.domain.errors import InputError

    symbol = symbol_of(source, text)
    if symbol in known_symbols(source):
        return symbol
    held = sorted({lot.symbol for lot in source.ledger.lots()})
    msg = f"{option}: nothing is called {text!r} in the records: {nearest(text, held)}"
    raise InputError(msg)


def _held(source: "TaxSource", text: str) -> str:
    """The symbol of which a price was told.

    Raises:
        InputError: nothing of it is held.
    """
    from trimtab.adapters.delimited import nearest
    from trimtab.apps.cli.taxes.parameters import symbol_of
    from trimtab.domain.errors import InputError

    symbol = symbol_of(source, text)
    held = sorted({lot.symbol for lot in source.ledger.lots()})
    if symbol not in held:
        msg = f"--price: nothing called {text!r} is held: {nearest(text, held)}"
        raise InputError(msg)
    return symbol
