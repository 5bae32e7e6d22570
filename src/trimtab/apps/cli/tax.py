"""`trimtab tax`: the tax commands, each imported when it is used."""

import click

from trimtab.apps.cli.group import Entry, Program
from trimtab.apps.cli.options import example

_HERE = "trimtab.apps.cli.taxes"
_LOTS = "trimtab.apps.cli.tax_lots"

ENTRIES = {
    "log": Entry(f"{_HERE}.log", "Every lot sold, with its term, gain and disallowed loss."),
    "gains": Entry(f"{_HERE}.gains", "What is held: unrealized gains, terms, when lots turn long."),
    "wash": Entry(f"{_HERE}.wash", "Every wash sale: which loss, which replacement, what became."),
    "harvest": Entry(f"{_HERE}.harvest", "Losses worth taking, what to buy instead, and why not."),
    "calendar": Entry(f"{_HERE}.calendar", "Draw the 61-day windows that bind the future."),
    "guard": Entry(f"{_HERE}.guard", "Would this trade be a wash sale, and from when not?"),
    "year": Entry(f"{_HERE}.year", "A year's netting, carryovers and tax."),
    "form8949": Entry(f"{_HERE}.form8949", "Form 8949 rows and Schedule D totals, CSV and page."),
    "txf": Entry(f"{_HERE}.txf", "A TXF V042 file for tax software."),
    "reconcile": Entry(f"{_HERE}.reconcile", "Compare with a broker's 1099-B, row by row."),
    "instructions": Entry(_LOTS, "Which lots a broker must be told of.", "instructions"),
    "instruct": Entry(_LOTS, "Record that a broker was told of the lots.", "instruct"),
    "confirm": Entry(_LOTS, "Record that a broker confirmed the lots.", "confirm"),
}


@click.group(
    "tax",
    cls=Program,
    entries=ENTRIES,
    invoke_without_command=True,
    epilog=example(
        "trimtab tax log --year 2026",
        "trimtab tax wash --transactions history.csv --identical identical.csv",
    ),
)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Lots, wash sales, harvests, the year and its forms.

    Each command reads the household in --folder, or with --transactions plain files of a broker or
    of your own: then no household.toml is needed. None of this is tax advice.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
