"""All faults of a `household.toml` are told at once, and each of them once."""

import pytest
from msgspec.structs import fields
from tests.domain.household_files import GOOD, LISTS, edited, faults_of, tables_of

from trimtab.domain.errors import FileFaults
from trimtab.domain.household import decode_household
from trimtab.domain.policy import HouseholdFile


@pytest.mark.parametrize("table", [field.name for field in fields(HouseholdFile)])
def test_a_table_that_is_none_hides_no_other_fault(table):
    there = [name for name in tables_of(GOOD) if name.partition(".")[0] == table]
    text = edited(*(f"[{name}]" for name in there), f"[] {table} = 7", "[extra] key = 1")
    faults = faults_of(text)
    expected = (
        f"{table}: expected tables, found 7; write [[{table}]], its keys below"
        if table in LISTS
        else f"{table}: expected a table, found 7; write [{table}], its keys below"
    )
    assert expected in faults
    assert any(fault.startswith("extra: unknown key") for fault in faults)


TWENTY_FAULTS = """
surprise = 1
[household]
base_currency = "usd"
[owners.anna]
role = "boss"
[accounts.joint]
owner = "bob"
kind = "taxed"
broker = "paper"
password = "x"
[instruments.VTI]
kind = "etf"
step = -1
[instruments.EURUSD]
kind = "forex"
[classes.stocks]
target = "all"
members = ["VTO"]
[classes.bonds]
target = 0.5
members = ["VTI", "VTI"]
[bands]
preset = "sometimes"
[orders]
minimum = "much"
[gates]
orders_max = 0
[defensive]
targets = { stocks = 1 }
[reserve]
account = "none"
[tax]
filing_status = "married"
short_term_rate = 2
long_term_rate = 0.2
identical = [["VTI"]]
[data]
lots = "/lots.csv"
market = "invented"
"""


def test_a_file_with_twenty_and_more_faults_reports_them_all_at_once():
    faults = faults_of(TWENTY_FAULTS)
    places = [
        "surprise",
        "household.name",
        "household.base_currency",
        "owners.anna.role",
        "accounts.joint.kind",
        "no secrets in this file: accounts.joint.password",
        "accounts.joint.owner",
        "instruments.VTI.step",
        "classes.stocks.target",
        "classes.bonds.members",
        "bands.preset",
        "orders.minimum",
        "gates.orders_max",
        "defensive.targets",
        "reserve.monthly_costs",
        "reserve.account",
        "tax.filing_status",
        "tax.short_term_rate",
        "tax.identical",
        "data.lots",
        "data.start",
        "data.seed",
    ]
    missed = [place for place in places if not any(f.startswith(place) for f in faults)]
    assert missed == []
    assert len(faults) == len(set(faults)) == len(places)


def test_what_could_not_be_read_is_not_blamed_a_second_time():
    assert faults_of(edited('[classes.stocks] target = "most"')) == (
        'classes.stocks.target: expected a number, found "most"; write for example 0.60',
    )
    assert faults_of(edited('[owners.anna] role = "boss"')) == (
        'owners.anna.role: "boss" is unknown; write one of "spouse", "self", "other"',
    )


def test_a_name_that_cannot_be_a_symbol_is_not_blamed_a_second_time():
    (fault,) = faults_of(edited('[plan] holdings_max = { "V TI" = 0.1 }'))
    assert fault.startswith('plan.holdings_max."V TI": the name "V TI" cannot be used')


def test_a_limit_is_not_blamed_while_the_members_of_a_class_cannot_be_read():
    text = edited("[plan] holdings_max = { BND = 0.1 }", "[classes.bonds] members = 7")
    (fault,) = faults_of(text)
    assert fault.startswith("classes.bonds.members: expected a list")


def test_a_day_of_birth_that_is_missing_is_told_once():
    points = "".join(
        f"[[glide.points]]\nage = {age}\ntargets = {{ stocks = 1, bonds = 0, cash = 0 }}\n"
        for age in (60, 75)
    )
    with pytest.raises(FileFaults) as caught:
        decode_household(GOOD + points)
    born = "glide.born: ages are counted from a day of birth; write born = 1970-01-31"
    assert [fault for fault in caught.value.faults if "born" in fault] == [born]
