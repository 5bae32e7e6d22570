"""What [yields] of household.toml may say, and the sentence that answers what it may not."""

import datetime as dt
import tomllib
from decimal import Decimal

import pytest
from msgspec.structs import fields
from tests.domain.household_files import GOOD, STRATEGIES, faults_of, sections, template

from trimtab.domain.household import apply_policy, decode_household
from trimtab.domain.yield_facts import RateRule

RATE = {
    "name": '"Savings"',
    "rate": "0.042",
    "kind": '"bank"',
    "as_of": "2026-01-15",
    "risk": '"insured"',
}


def with_rate(head: str = "", **changes: str) -> str:
    lines = "".join(f"{key} = {value}\n" for key, value in (RATE | changes).items() if value)
    return f"{GOOD}[yields]\n{head}\n[[yields.rates]]\n{lines}"


def test_a_rate_is_read_with_its_day_and_its_owners_word_on_its_risk():
    file = decode_household(with_rate("state_rate = 0.05", symbol='"USD"', accounts='["joint"]'))
    (rule,) = file.yields.rates
    assert rule == RateRule(
        name="Savings",
        rate=Decimal("0.042"),
        kind="bank",
        as_of=dt.date(2026, 1, 15),
        risk="insured",
        symbol="USD",
        accounts=("joint",),
    )


def test_yields_are_facts_and_wait_for_no_cooling_off():
    agreed, told = decode_household(GOOD).policy(), decode_household(with_rate())
    assert told.policy() == agreed
    assert apply_policy(told, agreed).yields == told.yields


@pytest.mark.parametrize("missing", RATE)
def test_every_rate_says_what_it_is_since_when_and_how_risky(missing):
    (fault,) = faults_of(with_rate(**{missing: ""}))
    assert fault.startswith(f"yields.rates[1].{missing}: missing; write for example {missing} = ")


@pytest.mark.parametrize(
    ("head", "changes", "sentence"),
    [
        ("", {"rate": "4.2"}, "yields.rates[1].rate: 4.2 is out of range"),
        ("", {"kind": '"crypto"'}, 'yields.rates[1].kind: "crypto" is unknown; write one of'),
        (
            "",
            {"accounts": '["joined"]'},
            'yields.rates[1].accounts: no account is called "joined"; write one of "joint"',
        ),
        (
            "",
            {"symbol": '"SGOV"'},
            "yields.rates[1].symbol: SGOV is not described; write [instruments.SGOV], or one of",
        ),
        (
            "state_rate = 0.4",
            {},
            "yields.state_rate: 0.4 is more than tax.short_term_rate, 0.29, of which it is a part",
        ),
        (
            'curve = "/etc/curve.csv"',
            {},
            'yields.curve: "/etc/curve.csv" leaves the household\'s folder; write the name',
        ),
    ],
    ids=["percent", "kind", "account", "symbol", "state", "curve"],
)
def test_a_fault_is_told_with_its_place_and_what_to_write(head, changes, sentence):
    (fault,) = faults_of(with_rate(head, **changes))
    assert fault.startswith(sentence)


def test_the_options_show_every_key_of_a_rate_and_decode_in_the_template():
    text = sections(STRATEGIES)["yields"]
    (rate,) = tomllib.loads(text)["yields"]["rates"]
    assert set(rate) == {field.name for field in fields(RateRule)}
    (rule,) = decode_household(f"{template()}\n{text}").yields.rates
    assert rule.symbol == "BND"
