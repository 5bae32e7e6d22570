"""Money that moves by a rule of `household.toml`: contributions, withdrawals, averaging."""

import datetime as dt
from decimal import Decimal

import pytest
from tests.domain.household_files import GOOD, LISTS, faults_of

from trimtab.domain.household import apply_policy, decode_household
from trimtab.domain.policy import FlowRule

FLOW = {"account": '"joint"', "amount": "900", "first": "2026-01-31", "every": '"month"'}
PURCHASE = FLOW | {"symbol": '"VTI"'}
PARTS = FLOW | {"by": '"parts"', "parts": "12"}
PATH = FLOW | {"by": '"value"', "expected_return": "0.06"}
RULES = dict.fromkeys(LISTS, FLOW) | {"purchases": PURCHASE, "averaging": PARTS}


def with_table(name: str, rule: dict[str, str]) -> str:
    """The good file with a table in double brackets."""
    return f"{GOOD}[[{name}]]\n" + "".join(f"{key} = {value}\n" for key, value in rule.items())


@pytest.mark.parametrize("table", ["contributions", "withdrawals"])
def test_money_that_comes_or_goes_is_read_with_its_day(table):
    (rule,) = getattr(decode_household(with_table(table, FLOW)), table)
    assert rule == FlowRule(
        account="joint", amount=Decimal(900), first=dt.date(2026, 1, 31), every="month"
    )


@pytest.mark.parametrize("table", LISTS)
def test_a_table_of_a_list_names_an_account_of_the_household(table):
    rule = RULES[table] | {"account": '"joined"'}
    assert faults_of(with_table(table, rule)) == (
        f'{table}[1].account: no account is called "joined"; write one of "joint", "wallet"',
    )


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("amount", "0", "amount: 0 moves no money; write more, or remove this table"),
        ("amount", "-5", "amount: -5 is out of range; write a number that is at least 0"),
        ("first", '"soon"', 'first: expected a date, found "soon"; write for example 2024-01-02'),
        ("amont", "5", 'amont: unknown key; did you mean "amount"?'),
    ],
)
@pytest.mark.parametrize("table", ["contributions", "withdrawals"])
def test_a_fault_in_money_that_comes_or_goes_is_told_with_its_place(table, key, value, sentence):
    assert faults_of(with_table(table, FLOW | {key: value})) == (f"{table}[1].{sentence}",)


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (PARTS | {"parts": "0"}, "parts: 0 is out of range; write a number that is at least 1"),
        (
            PATH | {"parts": "3"},
            'parts: used only with by = "parts"; write that or remove this line',
        ),
        (FLOW | {"by": '"parts"'}, 'parts: missing; by = "parts" needs a number, such as'),
        (FLOW | {"by": '"value"'}, 'expected_return: missing; by = "value" needs one, such as'),
        (PATH | {"expected_return": "-1"}, "expected_return: -1 is out of range"),
        (PATH | {"cap_multiple": "0.5"}, "cap_multiple: 0.5 is out of range"),
        (PARTS | {"amount": "0"}, "amount: 0 moves no money; write more, or remove this table"),
        (PARTS | {"every": '"once"'}, 'every: "once" is unknown; write one of "month"'),
        (PARTS | {"by": '"dollar"'}, 'by: "dollar" is unknown; write one of "parts", "value"'),
    ],
)
def test_a_fault_in_averaging_is_told_with_its_place(rule, sentence):
    (fault,) = faults_of(with_table("averaging", rule))
    assert fault.startswith(f"averaging[1].{sentence}")


def test_the_cash_of_an_account_waits_for_one_rule_only():
    path = "".join(f"{key} = {value}\n" for key, value in PATH.items())
    assert faults_of(with_table("averaging", PARTS) + "[[averaging]]\n" + path) == (
        "averaging[2].account: joint has another [[averaging]]; keep one of them",
    )


def test_faults_of_a_plan_and_of_several_flows_are_told_at_once():
    text = with_table("withdrawals", FLOW | {"account": '"joined"', "amount": "0"})
    text = text.replace("[orders]", "[plan]\nharvests = 1\n[orders]")
    assert [fault.partition(": ")[0] for fault in faults_of(text)] == [
        "plan.harvests",
        "withdrawals[1].account",
        "withdrawals[1].amount",
    ]


def test_money_that_comes_or_goes_is_a_fact_and_holds_at_once():
    agreed = decode_household(GOOD).policy()
    told = decode_household(with_table("withdrawals", FLOW))
    assert told.policy() == agreed
    assert apply_policy(told, agreed).withdrawals == told.withdrawals
