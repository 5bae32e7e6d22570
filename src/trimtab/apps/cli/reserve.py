"""`trimtab reserve`: how many months the operating reserve covers."""

from pathlib import Path

import click

from trimtab.apps.cli.options import example, folder_option, json_option
from trimtab.apps.cli.terminal import progress, show, show_document


@click.command("reserve", epilog=example("trimtab reserve", "trimtab reserve --chart reserve.svg"))
@folder_option
@click.option(
    "--chart",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Draw the months and the cash into FILE (.svg or .png).",
)
@json_option
def command(folder: Path, chart: Path | None, as_json: bool) -> int:
    """Say how many months the reserve covers.

    The reserve is what the next months cost beyond their income, bills counted, and it stays cash.
    Shows each month with its costs, bills and income, what is lacking, and where new money goes
    first. What files and brokers say by now counts, as in a turn; nothing is written.
    """
    from trimtab.apps.clock import SystemClock
    from trimtab.apps.home import Home
    from trimtab.apps.standing import gather
    from trimtab.apps.views.reserve import reserve_document, reserve_page
    from trimtab.domain.errors import InputError

    with progress("reading accounts"):
        standing = gather(Home(folder), SystemClock())
    rule = standing.policy.reserve
    if rule is None:
        msg = (
            "the policy in force has no [reserve]: write it into household.toml with monthly_costs "
            "and the account that keeps it; `trimtab targets --options` shows all of it."
        )
        raise InputError(msg)
    found = standing.reserving()
    if found is None:
        msg = f"what {rule.account} holds of cash is not known: {standing.missing}"
        raise InputError(msg)
    if chart is not None:
        from trimtab.apps.views.reserve_picture import draw_reserve

        draw_reserve(found, standing.file.household.base_currency, chart)
    if as_json:
        show_document(reserve_document(standing, found))
        return 0
    show(reserve_page(standing, found))
    if chart is not None:
        click.echo(f"\nThe picture is in {chart}.")
    return 0
