"""`trimtab contribute`: what to put in this month, where it goes and why."""

from decimal import Decimal
from pathlib import Path

import click

from trimtab.apps.cli.options import AMOUNT, example, folder_option, json_option
from trimtab.apps.cli.terminal import progress, show, show_document

_EXAMPLES = (
    "trimtab contribute",
    "trimtab contribute --amount 5000 --account joint",
    "trimtab contribute --chart path.svg",
)


@click.command("contribute", epilog=example(*_EXAMPLES))
@folder_option
@click.option("--amount", type=AMOUNT, metavar="X", help="Say where X would go instead.")
@click.option(
    "--account",
    metavar="NAME",
    help="The account that --amount is put into; else that of the next contribution, or the first "
    "taxable one.",
)
@click.option(
    "--chart",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Draw each value path against the value into FILE (.svg or .png).",
)
@json_option
def command(
    folder: Path, amount: Decimal | None, account: str | None, chart: Path | None, as_json: bool
) -> int:
    """Say what to put in this month, and where.

    Lists the [[contributions]] until the end of the month with the account, class and symbol that
    each belongs to: what the operating reserve lacks comes first, then the classes that lack most.
    A purchase that would spoil a loss goes into a substitute, or waits for the first safe day.
    Shows for each [[averaging]] what it asks for, its cap and its side fund. Nothing is sent.
    """
    from trimtab.apps.clock import SystemClock
    from trimtab.apps.contributing import contribute
    from trimtab.apps.home import Home, looking
    from trimtab.apps.hypothetical import today
    from trimtab.apps.run import run_once
    from trimtab.apps.views.contribute import contribute_document, contribute_page

    with (
        progress("planning") as says,
        looking(Home(folder), clock=SystemClock(), says=says) as house,
    ):
        look = today(house, run_once(house, executes=False))
        found = contribute(house, look, amount, account)
        if chart is not None:
            from trimtab.apps.value_paths import value_paths
            from trimtab.apps.views.contribute_picture import draw_paths

            draw_paths(value_paths(house, look), found.currency, found.today, chart)
    if as_json:
        show_document(contribute_document(found))
        return 0
    show(contribute_page(found, str(folder)))
    if chart is not None:
        click.echo(f"\nThe picture is in {chart}.")
    return 0
