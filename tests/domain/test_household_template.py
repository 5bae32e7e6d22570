"""The template of `household.toml` and its examples, which show every option."""

import csv
import datetime as dt
import re
import tomllib
from decimal import Decimal

import msgspec
import pytest
from msgspec.structs import fields
from tests.domain.household_files import (
    GOOD,
    OPTION_TABLES,
    STRATEGIES,
    TEMPLATES,
    sections,
    template,
)

from trimtab.domain.household import decode_household
from trimtab.domain.incoming import AveragingRule
from trimtab.domain.policy import PRESETS


def rows(name: str) -> list[dict[str, str]]:
    with (TEMPLATES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_template_is_a_good_file_of_less_than_200_lines():
    file = decode_household(template(), knows_calendar=lambda code: code == "XNYS")
    assert sorted(file.accounts) == ["ira", "joint", "roth"]
    assert len(template().splitlines()) < 200


def test_the_examples_hold_what_the_template_describes():
    file = decode_household(template())
    lots, prices = rows(file.data.lots), rows(file.data.prices[0])
    assert {lot["account"] for lot in lots} == set(file.accounts)
    assert {lot["symbol"] for lot in lots} == {row["symbol"] for row in prices}
    assert {row["symbol"] for row in prices} == set(file.instruments)
    assert {row["account"] for row in rows(file.data.cash)} <= set(file.accounts)
    assert len({lot["id"] for lot in lots}) == len(lots)
    for row in lots:
        assert dt.date.fromisoformat(row["acquired"]) < dt.date.fromisoformat(prices[0]["date"])
        assert Decimal(row["quantity"]) > 0


def test_the_example_has_drifted_so_that_there_is_something_to_see():
    target = decode_household(template()).classes["us-stocks"].target
    last = {row["symbol"]: Decimal(row["close"]) for row in rows("prices.csv")}
    values = {symbol: Decimal(0) for symbol in last}
    for lot in rows("lots.csv"):
        values[lot["symbol"]] += Decimal(lot["quantity"]) * last[lot["symbol"]]
    cash = sum(Decimal(row["amount"]) for row in rows("cash.csv"))
    assert values["VTI"] / (sum(values.values()) + cash) - target > Decimal("0.05")


EXAMPLES = {
    "notional_max",
    "market_index",
    "sales",
    "identical",
    "crypto_wash_from",
    "ordinary_income",
    "magi",
    "carryover_into",
    "later_rate",
    "born",
    "points",
    "bounds",
    "bills",
    "amount",
    "rate",
    "band_abs",
    "since",
    "until",
    "curve",
    "state_rate",
    "rates",
}
"""Options without a default, or with one too long for a line, shown with an example."""


@pytest.mark.parametrize("table", OPTION_TABLES)
def test_the_template_shows_every_option_with_its_default(table):
    elsewhere = {"glide", "strategy", "reserve", "yields"}
    text = sections(STRATEGIES if table in elsewhere else template())[table]
    written = tomllib.loads(text, parse_float=Decimal)[table]
    chosen = tomllib.loads(template()).get(table, {})
    rule = type(getattr(decode_household(GOOD), table))
    if table == "data":
        assert "seed = " in text
        assert "start = " in text
        written |= {"seed": 0, "start": None}
    defaults = PRESETS["swedroe-5-25"] if table == "bands" else None
    assert list(undefaulted(rule, written, set(chosen), defaults)) == []


def undefaulted(rule: type, written: dict[str, object], chosen: set[str], defaults: object):
    """Each option of *rule* that *written* lacks or shows with another value than its default."""
    for field in fields(rule):
        if field.name not in written:
            yield f"{field.name} is not shown"
            continue
        shown = written.pop(field.name)
        default = getattr(defaults, field.name, field.default)
        if isinstance(default, msgspec.Struct) and isinstance(shown, dict):
            yield from undefaulted(type(default), shown, set(), None)
        elif field.required or field.name in {*chosen, *EXAMPLES} or isinstance(shown, dict):
            continue
        elif (tuple(shown) if isinstance(shown, list) else shown) != default:
            yield f"{field.name} is shown as {shown}, not {default}"
    yield from (f"{name} is shown and does not exist" for name in written)


def test_the_list_of_options_shows_every_option_of_averaging_with_its_default():
    text = sections(STRATEGIES)["averaging"]
    parts, path = tomllib.loads(text, parse_float=Decimal)["averaging"]
    chosen = {"expected_return", "parts"}
    assert list(undefaulted(AveragingRule, parts | path, chosen, None)) == []
    rules = decode_household(GOOD + text.replace('"roth"', '"wallet"')).averaging
    assert [rule.by for rule in rules] == ["parts", "value"]


def test_the_template_still_decodes_with_every_option_uncommented():
    text = "".join(sections(template()).values()) + sections(STRATEGIES)["glide"]
    text += sections(STRATEGIES)["strategy"] + sections(STRATEGIES)["averaging"]
    text = text.replace("target = 0.30", "target = 0.28", 1)
    text = text.replace('posture = "reduce_only"', 'posture = "targets"')
    text = re.sub(r"bonds = (0\.\d+) }", r"bonds = \1, bitcoin = 0 }", text)
    assert "bitcoin" in decode_household(text).classes
