"""The command line. `main` is the program; its commands are imported when they are used."""

import click

import trimtab
from trimtab.apps.cli.door import MEANINGS
from trimtab.apps.cli.group import Entry, Program

_HERE = "trimtab.apps.cli"

ENTRIES = {
    "demo": Entry(f"{_HERE}.demo", "Show trimtab at work on an invented household."),
    "init": Entry(f"{_HERE}.init", "Write a commented household.toml and example files."),
    "check": Entry(f"{_HERE}.check", "Check household.toml and all files that it names."),
    "import": Entry(f"{_HERE}.import_", "Show what a broker's file says; make CSV files of it."),
    "status": Entry(f"{_HERE}.status", "Say how the household stands and what it waits for."),
    "plan": Entry(f"{_HERE}.plan", "Show what would be traded now, and why; nothing is sent."),
    "targets": Entry(f"{_HERE}.targets", "Say what the household aims at now, and why."),
    "contribute": Entry(f"{_HERE}.contribute", "Say what to put in this month, and where."),
    "reserve": Entry(f"{_HERE}.reserve", "Say how many months the reserve covers."),
    "run": Entry(f"{_HERE}.run", "Take one turn; with --execute it trades."),
    "watch": Entry(f"{_HERE}.watch", "Take a turn whenever one is due, until stopped."),
    "verify": Entry(f"{_HERE}.verify", "Compare the journal with the brokers; check its chain."),
    "tax": Entry(f"{_HERE}.tax", "Lots, wash sales, harvests, the year and its forms."),
    "yields": Entry(f"{_HERE}.yields", "Show where cash earns most after tax."),
    "performance": Entry(f"{_HERE}.performance", "Say how it went, year by year and in all."),
    "policy": Entry(f"{_HERE}.policy", "Show the rules in force; pause, resume, re-arm."),
    "explain": Entry(f"{_HERE}.explain", "Tell the last decision, or all about one thing."),
    "replay": Entry(f"{_HERE}.replay", "Run the same rules day by day over past prices."),
    "paper": Entry(f"{_HERE}.paper", "Pay play money into a paper account, or out of it."),
}

_FIRST_STEPS = """\b
First look:  trimtab demo
Your own:    trimtab init, edit its files, trimtab check, trimtab plan"""

_STATUSES = "\n".join(f"  {status:>3}  {meaning}" for status, meaning in MEANINGS.items())


@click.group(
    "trimtab",
    cls=Program,
    entries=ENTRIES,
    epilog=f"{_FIRST_STEPS}\n\n\b\nExit statuses:\n{_STATUSES}",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 88},
)
@click.version_option(trimtab.__version__, prog_name="trimtab", message="%(prog)s %(version)s")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Keep a household's savings on course, after tax, and say why.

    trimtab watches how far the savings have drifted from their targets, plans the cheapest way
    back after tax, checks that it may trade, trades, proves what happened and keeps the tax log.
    Only `run --execute` and `watch --execute` trade; everything else is dry.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
