"""`trimtab check`: household.toml and all files that it names, checked together."""

from pathlib import Path

import click

from trimtab.apps.cli.options import example, folder_option, json_option
from trimtab.apps.cli.terminal import progress, show, show_document


@click.command("check", epilog=example("trimtab check --folder ~/savings"))
@folder_option
@json_option
def command(folder: Path, as_json: bool) -> int:
    """Check household.toml and all files that it names.

    Every fault of every file is told at once, with its place and what to write instead. Without a
    fault it says what the files hold: value and drift of every class, what the prices cover, how
    much each symbol moved in a year, and what deserves a second look. Nothing is written.
    """
    from trimtab.apps.check import check
    from trimtab.apps.clock import SystemClock
    from trimtab.apps.home import Home
    from trimtab.apps.views.check import check_document, check_page

    with progress("reading files"):
        checked = check(Home(folder), SystemClock())
    if as_json:
        show_document(check_document(checked))
    else:
        show(check_page(checked, str(folder)))
    return 0
