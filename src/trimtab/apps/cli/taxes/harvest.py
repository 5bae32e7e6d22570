"""`trimtab tax harvest`: losses worth taking, what to buy instead, and why not."""

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trimtab.apps.cli.options import example, json_option
from trimtab.apps.cli.taxes.parameters import MONEY, NUMBER, PairType
from trimtab.apps.cli.taxes.source import source_options
from trimtab.apps.cli.terminal import show, show_document

if TYPE_CHECKING:
    from trimtab.apps.harvesting import PastReturns
    from trimtab.apps.tax_source import TaxSource


@click.command(
    "harvest",
    epilog=example(
        "trimtab tax harvest",
        "trimtab tax harvest --substitute VTI=SCHB --spread-bps 3",
    ),
)
@source_options
@click.option(
    "--price",
    "prices",
    type=PairType("VTI=204.375"),
    multiple=True,
    metavar="SYMBOL=PRICE",
    help="A price in place of the household's; several allowed.",
)
@click.option(
    "--substitute",
    "substitutes",
    type=PairType("VTI=SCHB"),
    multiple=True,
    metavar="SYMBOL=OTHER",
    help="What to buy instead of SYMBOL, before those of [harvest]; several allowed.",
)
@click.option(
    "--spread-bps",
    type=NUMBER,
    help="Bid-ask spread in basis points, of which each trade costs half; default: [paper]'s.",
)
@click.option(
    "--scheduled",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Purchases that happen by themselves: CSV with account, symbol, first, every, amount.",
)
@click.option("--carry-short", type=MONEY, help="Short-term loss carried into the year.")
@click.option("--carry-long", type=MONEY, help="Long-term loss carried into the year.")
@json_option
@click.pass_context
def command(
    context: click.Context,
    *,
    source: "TaxSource",
    prices: tuple[tuple[str, str], ...],
    substitutes: tuple[tuple[str, str], ...],
    spread_bps: Decimal | None,
    scheduled: Path | None,
    carry_short: Decimal | None,
    carry_long: Decimal | None,
    as_json: bool,
) -> int:
    """Losses worth taking, what to buy instead, and why not.

    A loss saves tax now and costs tax later, because the substitute begins with a lower basis.
    Shown are the losses that are worth more than both and the trading, that no purchase would
    wash, and for which something else can be held meanwhile; then the others with the reason.
    Nothing is sent and nothing is written. This is not tax advice.
    """
    from trimtab.adapters.purchases import read_purchases
    from trimtab.apps.cli.taxes.household import household_of
    from trimtab.apps.cli.taxes.parameters import prices_of, symbol_of
    from trimtab.apps.harvesting import Wanted, look_for_losses
    from trimtab.apps.tax_year import Given
    from trimtab.apps.views.tax_harvest import harvest_document, harvest_page
    from trimtab.apps.views.tax_notes import closing_notes

    own: dict[str, tuple[str, ...]] = {}
    for name, other in substitutes:
        symbol = symbol_of(source, name)
        own[symbol] = (*own.get(symbol, ()), symbol_of(source, other))
    wanted = Wanted(
        prices=prices_of(source, prices),
        substitutes=own,
        spread_bps=spread_bps,
        given=Given(carry_short=carry_short, carry_long=carry_long),
        purchases=() if scheduled is None else read_purchases(scheduled, source.accounts),
    )
    past = _past_returns(context, source, own)
    found = look_for_losses(source, wanted, household_of(context), past)
    notes = closing_notes(source)
    make = harvest_document if as_json else harvest_page
    made = make(found, source.title, source.currency, notes)
    if isinstance(made, list):
        show(made)
    else:
        show_document(made)
    return 0


def _past_returns(
    context: click.Context, source: "TaxSource", own: dict[str, tuple[str, ...]]
) -> "PastReturns":
    """Past returns of what is held and of what could stand in for it; none without a household."""
    from trimtab.apps.cli.taxes.household import home_of
    from trimtab.apps.clock import SystemClock
    from trimtab.apps.harvesting import candidates_of, past_returns_of, symbols_of

    home = home_of(context)
    if home is None:
        return {}
    held = symbols_of(source)
    others = [one for symbol in held for one in candidates_of(source, symbol)]
    return past_returns_of(
        home, SystemClock(), (*held, *others, *(o for v in own.values() for o in v))
    )
