"""`trimtab verify`: the journal against the brokers, and the journal against itself."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from trimtab.apps.cli.door import DISCREPANCIES, DONE
from trimtab.apps.cli.options import example, folder_option, json_option
from trimtab.apps.cli.terminal import progress, show, show_document

if TYPE_CHECKING:
    from trimtab.domain.trades import Discrepancy


@click.command(
    "verify", epilog=example('trimtab verify --adopt ira --because "transfer from the old broker"')
)
@folder_option
@click.option(
    "--adopt",
    "account",
    metavar="ACCOUNT",
    help="Take the broker's word for ACCOUNT in place of the journal's.",
)
@click.option("--because", metavar="TEXT", help="The reason for --adopt.")
@json_option
def command(folder: Path, account: str | None, because: str | None, as_json: bool) -> int:
    """Compare the journal with the brokers; check its chain.

    Learns what became of open orders, takes in what the brokers report, compares positions, cash
    and lots of every account, and checks each hash of the journal. An account that differs is
    blocked, and one that agrees again is freed. Exit status 4 says that something differs.
    """
    from trimtab.apps.clock import SystemClock
    from trimtab.apps.home import Home, read_household
    from trimtab.apps.owner import adopt
    from trimtab.apps.verifying import verify_all
    from trimtab.apps.views.verify import verify_document, verify_page
    from trimtab.domain.errors import InputError

    if (account is None) != (because is None):
        raise InputError('--adopt ACCOUNT and --because "reason" go together: give both.')
    home, clock = Home(folder), SystemClock()
    file = read_household(home)
    with progress("asking the brokers") as says:
        adopted: tuple[Discrepancy, ...] = ()
        if account is not None and because is not None:
            adopted = adopt(home, clock, account, because)
        verified = verify_all(home, clock, says=says)._replace(adopted=adopted)
    if as_json:
        show_document(verify_document(verified, file.household.name))
    else:
        show(verify_page(verified, str(folder)))
    return DISCREPANCIES if verified.discrepancies else DONE
