"""`trimtab status`: how the household stands and what it waits for."""

from pathlib import Path

import click

from trimtab.apps.cli.options import example, folder_option, json_option
from trimtab.apps.cli.terminal import progress, show, show_document


@click.command("status", epilog=example("trimtab status --json | jq .verdict"))
@folder_option
@json_option
def command(folder: Path, as_json: bool) -> int:
    """Say how the household stands and what it waits for.

    The verdict comes first, then what holds now (a pause, the circuit breaker, a policy that
    waits, discrepancies, orders without an answer), then the drift of every class and the
    accounts. What files and brokers say by now counts, as in a turn; nothing is written.
    """
    from trimtab.apps.clock import SystemClock
    from trimtab.apps.home import Home
    from trimtab.apps.standing import gather
    from trimtab.apps.views.status import status_document, status_page

    with progress("reading accounts and prices"):
        standing = gather(Home(folder), SystemClock())
    if as_json:
        show_document(status_document(standing))
    else:
        show(status_page(standing, str(folder)))
    return 0
