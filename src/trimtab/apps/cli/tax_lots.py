"""`trimtab tax instructions`, `instruct` and `confirm`: what brokers must be told about lots."""

import datetime as dt
from pathlib import Path

import click

from trimtab.apps.cli.options import example, folder_option, json_option
from trimtab.apps.cli.terminal import progress, show, show_document


class TimeType(click.ParamType[dt.datetime]):
    """A time written as 2026-03-09T15:30; New York's unless it names another zone."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> dt.datetime:
        """The instant that *value* spells."""
        from trimtab.domain.values import NEW_YORK

        if isinstance(value, dt.datetime):
            return value
        try:
            found = dt.datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(
                f"{value!r} is no time: write it as 2026-03-09T15:30, in New York, or with a zone "
                "as 2026-03-09T19:30Z.",
                param,
                ctx,
            )
        if found.tzinfo is None:
            found = found.replace(tzinfo=NEW_YORK)
        return found.astimezone(dt.UTC)


TIME = TimeType()


@click.command(
    "instructions",
    epilog=example("trimtab tax instructions", "trimtab tax instructions > letters.txt"),
)
@folder_option
@json_option
def instructions(folder: Path, as_json: bool) -> int:
    """Which lots a broker must be told of, until when.

    Lots of an account with relief = "specific" count only when its broker was told in time. For
    each sale that is planned in an account known from files, the instruction is written out as a
    letter; what was told is listed with its confirmation, and so is every standing order.
    """
    from trimtab.apps.clock import SystemClock
    from trimtab.apps.home import Home
    from trimtab.apps.identifying import worksheet
    from trimtab.apps.views.identification import instructions_document, instructions_page

    sheet = worksheet(Home(folder), SystemClock())
    if as_json:
        show_document(instructions_document(sheet))
    else:
        show(instructions_page(sheet, str(folder)))
    return 0


@click.command(
    "instruct", epilog=example("trimtab tax instruct 0123456789abcdef-1 --at 2026-03-09T15:30")
)
@click.argument("sale")
@click.option("--at", "told_at", type=TIME, help="When the broker was told; now unless given.")
@click.option(
    "--sold", "sold_at", type=TIME, help="When it was sold, if that was before you told the broker."
)
@folder_option
def instruct(
    sale: str, told_at: dt.datetime | None, sold_at: dt.datetime | None, folder: Path
) -> int:
    """Record that a broker was told which lots are sold.

    SALE is an id that `trimtab tax instructions` shows; its first six characters or more are
    enough. Times are New York's unless they name a zone. Did you tell the broker after the sale,
    give both times: a word that came after the settlement (for coins: after the sale) does not
    count and is refused.
    """
    from trimtab.apps.clock import SystemClock
    from trimtab.apps.home import Home
    from trimtab.apps.identifying import instruct as do

    with progress("writing into the journal"):
        said = do(Home(folder), SystemClock(), sale, told_at=told_at, sold_at=sold_at)
    click.echo(said)
    return 0


@click.command(
    "confirm",
    epilog=example(
        'trimtab tax confirm 0123456789abcdef-1 --reference "trade confirmation 4711"',
        'trimtab tax confirm joint --reference "letter of 12 March"',
    ),
)
@click.argument("what")
@click.option(
    "--reference",
    required=True,
    metavar="TEXT",
    help="Where the broker's written confirmation is kept.",
)
@click.option("--at", "at", type=TIME, help="When the broker confirmed; now unless given.")
@folder_option
def confirm(what: str, reference: str, at: dt.datetime | None, folder: Path) -> int:
    """Record that a broker confirmed the lots.

    WHAT is a sale that its broker was told of, or an account with a standing order. Brokers confirm
    in writing, within a reasonable time.
    """
    from trimtab.apps.clock import SystemClock
    from trimtab.apps.home import Home
    from trimtab.apps.identifying import confirm as do

    with progress("writing into the journal"):
        said = do(Home(folder), SystemClock(), what, reference, at=at)
    click.echo(said)
    return 0
