"""What brokers must be told about lots, as a person types it."""

import pytest
from tests.apps.cli.command_line import document_of, trimtab


@pytest.fixture
def by_hand(untouched):
    """A household whose taxable account is known from files, with a plan in its journal."""
    path = untouched / "household.toml"
    text = path.read_text(encoding="utf-8")
    text = text.replace(
        'broker = "paper"\nrelief = "specific"', 'broker = "file"\nrelief="specific"'
    )
    path.write_text(text, encoding="utf-8")
    assert trimtab("run", "--folder", untouched).status == 0
    return untouched


def test_where_nothing_must_be_told_the_page_says_why(untouched):
    ended = trimtab("tax", "instructions", "--folder", untouched)
    assert ended.status == 0
    assert "No broker must be told anything about lots now." in ended.out
    assert "joint specific" in ended.out


def test_the_letter_names_account_units_lots_cost_and_the_last_moment(by_hand):
    ended = trimtab("tax", "instructions", "--folder", by_hand)
    (sale,) = document_of(trimtab("tax", "instructions", "--folder", by_hand, "--json"))["sales"]
    assert ended.status == 0
    assert "To: the broker of account joint" in ended.out
    assert f"I sell {sale['quantity']} shares of {sale['symbol']}." in ended.out
    for lot in sale["lots"]:
        assert f"{lot['quantity']} shares acquired on {lot['acquired']}, cost " in ended.out
    assert "16:00 in New York" in ended.out
    assert f"`trimtab tax instruct {sale['order_id']} --folder {by_hand}`" in ended.out
    assert "This is not tax advice." in ended.out
    assert sale["letter"] in ended.out


def test_telling_and_confirming_are_recorded_and_shown(by_hand):
    (sale,) = document_of(trimtab("tax", "instructions", "--folder", by_hand, "--json"))["sales"]
    told = trimtab("tax", "instruct", sale["order_id"][:9], "--folder", by_hand)
    assert told.status == 0, told.err
    assert told.out.startswith("Recorded: the broker of joint was told on ")
    done = trimtab(
        "tax", "confirm", sale["order_id"], "--reference", "trade 4711", "--folder", by_hand
    )
    assert done.status == 0, done.err
    out = trimtab("tax", "instructions", "--folder", by_hand).out
    assert "confirmed" in out
    assert "(trade 4711)" in out
    assert "To tell the broker" not in out
    document = document_of(trimtab("tax", "instructions", "--folder", by_hand, "--json"))
    assert document["schema"] == "trimtab/instructions/1"
    assert [one["state"] for one in document["sales"]] == ["confirmed"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("--at", "yesterday"), "write it as 2026-03-09T15:30", id="no time"),
        pytest.param(("--at", "2199-01-01T10:00"), "is yet to come", id="in the future"),
        pytest.param(
            ("--at", "2026-01-06T16:01", "--sold", "2026-01-05T10:00Z"),
            "Tuesday 6 January 2026, 16:00 in New York",
            id="too late",
        ),
    ],
)
def test_a_time_that_cannot_be_is_refused_in_a_sentence(by_hand, arguments, said):
    (sale,) = document_of(trimtab("tax", "instructions", "--folder", by_hand, "--json"))["sales"]
    ended = trimtab("tax", "instruct", sale["order_id"], *arguments, "--folder", by_hand)
    assert ended.status == 2
    assert said in ended.err
    assert "Traceback" not in ended.err
