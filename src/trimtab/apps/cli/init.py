"""`trimtab init`: a commented household.toml and example files to start from."""

from pathlib import Path

import click

from trimtab.apps.cli.options import example, folder_option

FILES = ("household.toml", "lots.csv", "cash.csv", "prices.csv")


@click.command("init", epilog=example("trimtab init --folder ~/savings"))
@folder_option
def command(folder: Path) -> int:
    """Write a commented household.toml and example files.

    Every option is explained beside it. No file is ever overwritten: if one is there already,
    nothing is written at all.
    """
    from trimtab.apps.views.figures import typed

    write_templates(folder)
    click.echo(f"Written into {folder}: {', '.join(FILES)}.")
    click.echo("They describe an example household. To make it yours:")
    click.echo("  1. household.toml  who you are, your accounts, what you want")
    click.echo("  2. lots.csv        what you own: each purchase with its date and cost")
    click.echo("  3. cash.csv        the cash in each account")
    click.echo("  4. prices.csv      closing prices, from your broker or any other source")
    click.echo(f"  5. {typed('check', str(folder))} says what is wrong, and where")
    click.echo(f"  6. {typed('plan', str(folder))} shows what it would do; nothing is sent")
    return 0


def write_templates(folder: Path) -> None:
    """Write all of the files, or none.

    Raises:
        InputError: one is there already, or the folder cannot be written.
    """
    from importlib import resources

    from trimtab.domain.errors import InputError

    present = [name for name in FILES if (folder / name).exists()]
    if present:
        verb = "is" if len(present) == 1 else "are"
        msg = (
            f"{', '.join(present)} {verb} in {folder} already, and nothing is ever overwritten: "
            f"name another folder with --folder, or move the files away."
        )
        raise InputError(msg)
    templates = resources.files("trimtab.apps") / "templates"
    written: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            with (folder / name).open("x", encoding="utf-8", newline="\n") as file:
                written.append(folder / name)
                text = (templates / name).read_text(encoding="utf-8")
                file.write(_of_today(text) if name == "prices.csv" else text)
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        msg = f"{folder} cannot be written ({error.strerror}): name another one with --folder."
        raise InputError(msg) from error


def _of_today(prices: str) -> str:
    """The example *prices* dated on the last sessions before today, so that they are not stale.

    Without the library of exchange calendars they keep their dates.
    """
    import datetime as dt

    from trimtab.adapters.calendars import MarketCalendars
    from trimtab.domain.errors import MissingExtra

    today = dt.datetime.now(dt.UTC).date()
    dates = sorted({row.partition(",")[0] for row in prices.splitlines()[1:]})
    try:
        first, last = today - dt.timedelta(days=30), today - dt.timedelta(days=1)
        sessions = MarketCalendars().sessions("XNYS", first, last)[-len(dates) :]
    except MissingExtra:
        return prices
    for old, new in zip(dates, sessions, strict=True):
        prices = prices.replace(f"{old},", f"@{new.isoformat()},")
    return prices.replace("@", "")
