"""`trimtab tax log`: what was realized, lot by lot."""

from pathlib import Path

import click

from trimtab.apps.cli.options import example, folder_option, json_option
from trimtab.apps.cli.terminal import show, show_document


@click.group(
    "tax",
    invoke_without_command=True,
    epilog=example("trimtab tax log --year 2026"),
)
@click.pass_context
def command(ctx: click.Context) -> None:
    """What was realized, lot by lot: trimtab tax log."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@command.command("log", epilog=example("trimtab tax log --year 2026 --csv tax-2026.csv"))
@folder_option
@click.option("--year", type=click.IntRange(1900, 2200), help="Only sales of this year.")
@click.option(
    "--csv",
    "csv_file",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE",
    help="Write the rows as CSV into FILE; - is standard output.",
)
@json_option
def log(folder: Path, year: int | None, csv_file: Path | None, as_json: bool) -> int:
    """List every lot sold, with its term and gain, and the totals.

    Amounts are printed in cents, rounded half up; totals cover the taxed accounts and are rounded
    from exact sums. Wash sales are not adjusted in this log yet, and this is not tax advice.
    """
    from trimtab.apps.home import Home, read_household, recall
    from trimtab.apps.views.tax import tax_csv, tax_document, tax_page
    from trimtab.domain.errors import InputError
    from trimtab.rules.tax.log import tax_rows, tax_totals

    if as_json and csv_file is not None:
        raise InputError("--json and --csv both say what to print: give one of them.")
    home = Home(folder)
    file = read_household(home)
    rows = tax_rows(recall(home), year)
    totals = tax_totals(rows)
    currency = file.household.base_currency
    if csv_file is not None and str(csv_file) == "-":
        click.echo(tax_csv(rows), nl=False)
    elif csv_file is not None:
        _write_new(csv_file, tax_csv(rows))
        click.echo(f"{len(rows)} rows written to {csv_file}.")
    elif as_json:
        name = file.household.name
        show_document(tax_document(rows, totals, household=name, currency=currency, year=year))
    else:
        show(tax_page(rows, totals, currency, year))
    return 0


def _write_new(path: Path, text: str) -> None:
    """Write *text* whole into a file beside *path*, then put it in place."""
    from trimtab.domain.errors import InputError

    draft = path.with_name(f"{path.name}.partial")
    try:
        draft.write_text(text, encoding="utf-8", newline="")
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        msg = f"{path} cannot be written ({error.strerror}): name another file with --csv."
        raise InputError(msg) from error
