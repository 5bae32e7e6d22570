"""`trimtab paper`: play money into a paper account, or out of it."""

from decimal import Decimal
from pathlib import Path

import click

from trimtab.apps.cli.options import AMOUNT, example, folder_option


@click.group(
    "paper",
    invoke_without_command=True,
    epilog=example("trimtab paper deposit joint 25000"),
)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Pay play money into a paper account, or out of it."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@command.command("deposit", epilog=example("trimtab paper deposit joint 25000"))
@click.argument("account")
@click.argument("amount", type=AMOUNT)
@folder_option
def deposit(account: str, amount: Decimal, folder: Path) -> int:
    """Pay AMOUNT into the paper account ACCOUNT; the next turn books it."""
    return _move(folder, account, amount, "trimtab paper deposit")


@command.command("withdraw", epilog=example("trimtab paper withdraw joint 800"))
@click.argument("account")
@click.argument("amount", type=AMOUNT)
@folder_option
def withdraw(account: str, amount: Decimal, folder: Path) -> int:
    """Pay AMOUNT out of the paper account ACCOUNT; the next turn books it."""
    return _move(folder, account, -amount, "trimtab paper withdraw")


def _move(folder: Path, account: str, amount: Decimal, name: str) -> int:
    from trimtab.apps.clock import SystemClock
    from trimtab.apps.home import Home, working
    from trimtab.apps.views.figures import typed
    from trimtab.domain.errors import InputError
    from trimtab.lab.paper import PaperBroker
    from trimtab.rules.words import money

    with working(Home(folder), command=name, clock=SystemClock()) as house:
        found = house.accounts.get(account)
        on_paper = [key for key, value in house.accounts.items() if value.broker == "paper"]
        if found is None or found.broker != "paper":
            msg = (
                f"{account} is no paper account of this household: choose one of "
                f"{', '.join(on_paper) or 'none, as it has none'}."
            )
            raise InputError(msg)
        broker = house.brokers["paper"]
        assert isinstance(broker, PaperBroker), "paper accounts are at the paper broker"
        currency = house.file.household.base_currency
        broker.deposit(account, amount, currency)
    what = "into" if amount > 0 else "out of"
    click.echo(
        f"{money(abs(amount), currency)} paid {what} {account}, in play money. "
        f"{typed('plan', str(folder))} shows what it changes."
    )
    return 0
