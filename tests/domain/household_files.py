"""A good `household.toml`, edits of it, and the faults that a file is answered with."""

import re
from pathlib import Path

import pytest
from msgspec.structs import fields

from trimtab.domain.errors import FileFaults
from trimtab.domain.household import decode_household
from trimtab.domain.policy import HouseholdFile

LISTS = ("purchases", "contributions", "withdrawals", "averaging")
"""The tables that a file may have several of, written in double brackets."""
FACTS = {"household", "owners", "accounts", "instruments", "classes", "groups", *LISTS}
OPTION_TABLES = [field.name for field in fields(HouseholdFile) if field.name not in FACTS]
TEMPLATES = Path(__file__).resolve().parents[2] / "src/trimtab/apps/templates"
STRATEGIES = (TEMPLATES / "strategies.toml").read_text(encoding="utf-8")

GOOD = """
[household]
name = "Our savings"

[owners.anna]
role = "self"
[owners.ben]
role = "spouse"

[accounts.joint]
owner = "anna"
kind = "taxable"
broker = "paper"
cash_reserve = 5000
[accounts.wallet]
owner = "ben"
kind = "crypto"
broker = "file"

[instruments.VTI]
kind = "etf"
[instruments.BND]
kind = "etf"
[instruments.BTC]
kind = "crypto"
[instruments.EURUSD]
kind = "forex"
[instruments.EXS1]
kind = "etf"
currency = "EUR"
calendar = "XETR"

[classes.stocks]
target = 0.60
members = ["VTI", "EXS1"]
[classes.bonds]
target = 0.30
members = ["BND"]
risk = "safe"
[classes.cash]
target = 0.1
members = ["USD"]

[bands]
preset = "swedroe-5-25"

[orders]
minimum = 50

[gates]
spread_max_bps = 40

[defensive]
posture = "targets"
targets = { stocks = 0, bonds = 0.5, cash = 0.5 }

[reserve]
monthly_costs = 4000
account = "joint"

[tax]
filing_status = "married_filing_jointly"
short_term_rate = 0.29
long_term_rate = 0.20
identical = [["VOO", "IVV"]]

[data]
lots = "lots.csv"
"""


def tables_of(text: str) -> dict[str, dict[str, str]]:
    """The tables of a file with their keys, everything as written."""
    tables: dict[str, dict[str, str]] = {}
    for line in text.split("\n"):
        if line.startswith("["):
            table = tables.setdefault(line.strip("[]"), {})
        elif line:
            key, _, value = line.partition(" = ")
            table[key] = value
    return tables


def edited(*edits: str) -> str:
    """The good file after edits such as `[gates] orders_max = 3`.

    `[gates] orders_max` takes the key away, `[gates]` the table; `[]` is the top of the file.
    """
    tables = {"": dict[str, str]()} | tables_of(GOOD)
    for edit in edits:
        name, _, line = edit.removeprefix("[").partition("]")
        key, _, value = line.strip().partition(" = ")
        if not key:
            del tables[name]
        elif not value:
            del tables[name][key]
        else:
            tables.setdefault(name, {})[key] = value
    return "".join(
        (f"[{name}]\n" if name else "") + "".join(f"{k} = {v}\n" for k, v in table.items())
        for name, table in tables.items()
    )


def faults_of(text: str) -> tuple[str, ...]:
    with pytest.raises(FileFaults) as caught:
        decode_household(text, knows_calendar={"XNYS", "XETR", "24/7", "forex"}.__contains__)
    return caught.value.faults


def template() -> str:
    return (TEMPLATES / "household.toml").read_text(encoding="utf-8")


def sections(text: str) -> dict[str, str]:
    """The tables of *text* with the # in front of every option taken away."""
    parts: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        bare = re.sub(r"^# (\[|[A-Za-z_]+ = )", r"\1", line)
        if heading := re.match(r"\[+([^.\]]+)", bare):
            name = heading[1]
        parts[name] = parts.get(name, "") + bare + "\n"
    return parts
