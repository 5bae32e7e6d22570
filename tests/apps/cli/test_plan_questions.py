"""`trimtab plan` asked what if, what else, and what another standing order would be worth."""

import hashlib
from pathlib import Path

import pytest
from tests.apps.cli.command_line import document_of, trimtab


def contents(folder: Path) -> dict[str, str]:
    """What the files hold; SQLite keeps two of its own, without content, beside what it reads."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.stat().st_size > 0 and not path.name.endswith("-shm")
    }


@pytest.mark.parametrize(
    "question",
    [(), ("--what-if", "VTI=-20%", "--what-if", "withdraw:jon-ira=900"), ("--compare", "relief")],
    ids=["plan", "what-if", "compare"],
)
@pytest.mark.parametrize("folder", ["demo", "untouched"])
def test_a_question_writes_nothing(question, folder, request):
    home = request.getfixturevalue(folder)
    before = contents(home)
    ended = trimtab("plan", *question, "--folder", home)
    assert ended.status == 0, ended.err
    assert "nothing was sent and nothing was written" in ended.out.lower()
    assert contents(home) == before


def test_the_plan_says_what_other_lots_would_have_cost_and_what_was_refused(untouched):
    shown = trimtab("plan", "--folder", untouched).out
    assert "With other lots: first in, first out would cost " in shown
    assert "Best alternative refused: " in shown
    document = document_of(trimtab("plan", "--folder", untouched, "--json"))
    trades = document["decision"]["trades"]
    sold = [one for one in trades if one["side"] == "sell" and one["account"] == "joint"]
    assert [[order["method"] for order in one["orders"]] for one in sold] == [["fifo", "hifo"]]
    assert all(one["orders"] == [] for one in trades if one["side"] == "buy")


def test_a_fall_of_the_market_is_planned_beside_today(untouched):
    question = ("plan", "--folder", untouched, "--what-if", "us-stocks=-20%")
    shown = trimtab(*question).out.splitlines()
    assert shown[0].startswith("If us-stocks=-20%: ")
    start = shown.index("Today and then, in USD")
    assert [line.split("  ")[0] for line in shown[start + 2 : start + 12]] == [
        "value",
        "trades",
        "sold",
        "bought",
        "turnover",
        "tax",
        "trading cost",
        "in all",
        "largest drift before",
        "largest drift after",
    ]
    document = document_of(trimtab(*question, "--json"))
    today, then = (
        {one["asset_class"]: float(one["value"]) for one in document[when]["before"]}
        for when in ("today", "then")
    )
    assert then["us-stocks"] == pytest.approx(today["us-stocks"] * 0.8)
    assert then["bonds"] == today["bonds"]


def test_the_short_tables_fit_a_terminal_of_80_columns(untouched):
    asked = trimtab("plan", "--folder", untouched, "--what-if", "deposit=1234567.89").out
    compared = trimtab("plan", "--folder", untouched, "--compare", "relief").out
    for shown in (asked.split("\n\n")[1], compared.split("\n\n")[0]):
        assert len(shown.splitlines()) > 4
        assert max(len(line) for line in shown.splitlines()) <= 80


def test_reliefs_are_compared_in_one_table_with_what_accounts_have_now(untouched):
    shown = trimtab("plan", "--folder", untouched, "--compare", "relief").out
    table = shown.split("\n\n")[0].splitlines()
    assert [line.split("  ")[0] for line in table[2:]] == ["as it is", "fifo", "hifo", "specific"]
    assert "- joint: specific, the lots named with each sale." in shown
    assert "- joint: highest cost first instead of the lots named with each sale would " in shown


def test_reliefs_are_compared_under_an_assumption_too(untouched):
    question = ("plan", "--folder", untouched, "--compare", "relief", "--what-if", "VTI=+10%")
    first, *_ = trimtab(*question).out.splitlines()
    assert first == "If VTI=+10%, the same household with its lots booked otherwise, in USD"
    document = document_of(trimtab(*question, "--json"))
    assert document["assumptions"] == ["VTI=+10%"]
    today = document_of(trimtab("plan", "--folder", untouched, "--json"))["decision"]
    assert document["plans"][0]["turnover"] != today["turnover"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--what-if", "VTI"), "--what-if VTI: write KEY=VALUE"),
        (("--what-if", "withdraw=9000000"), "is more than the "),
        (("--what-if", "a=1", "--what-if", "b=2"), "--what-if: 2 faults"),
        (("--what-if", "VTI=1", "--compare", "relief", "--what-if", "c=1"), "--what-if c=1: 'c'"),
        (("--compare", "prices"), "'prices' is not"),
    ],
)
def test_a_question_that_cannot_be_understood_ends_as_wrong_input(arguments, words, untouched):
    ended = trimtab("plan", "--folder", untouched, *arguments)
    assert ended.status == 2
    assert ended.out == ""
    assert words in ended.err
