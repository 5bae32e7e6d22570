"""A `household.toml` that is broken or no such file is refused, and nothing crashes."""

import re
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.domain.household_files import GOOD, faults_of

from trimtab.domain.errors import FileFaults
from trimtab.domain.household import apply_policy, decode_household, instruments_of


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param(
            '[household]\nname "x"',
            "line 2, column 6: Expected '=' after a key in a key/value pair; write key = value, "
            "and a comment only after #",
            id="no equals sign",
        ),
        pytest.param(
            "[household]\nname = Our savings",
            'line 2, column 8: Invalid value; write text in "quotes", numbers as 0.60 without % or '
            "commas, lists in [ ]",
            id="text without quotes",
        ),
        pytest.param(
            "[a]\n[a]\n",
            "line 2, column 3: the table [a] stands there for the second time; keep one of the "
            "two, with all its keys below it",
            id="table twice",
        ),
        pytest.param(
            "[a.b]\n[a.b]\n",
            "line 2, column 5: the table [a.b] stands there for the second time; keep one of the "
            "two, with all its keys below it",
            id="inner table twice",
        ),
        pytest.param(
            'a = ["x"',
            "end of document: Unclosed array; close the list with ]",
            id="list without an end",
        ),
        pytest.param(
            f"a = {'9' * 5000}",
            "a number has thousands of digits; write at most 15 before the point",
            id="endless number",
        ),
        pytest.param(
            f"a = {'[' * 5000}",
            "lists or tables are nested too deeply; none of ours is deeper than two",
            id="endless list",
        ),
    ],
)
def test_broken_toml_is_answered_with_line_and_column_and_what_to_do(text, sentence):
    assert faults_of(text) == (sentence,)


PIECES = st.sampled_from(re.findall(r"\S+|\s", GOOD))
VALUES = ["-1", "1e9", "nan", "[]", "{}", '""', "[[1]]", "true", "2024-01-02", "07:30:00", "{a=1}"]


@st.composite
def mutated_files(draw) -> str:
    """The good file with pieces cut out, doubled or swapped for others."""
    words = re.findall(r"\S+|\s", GOOD)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(words) - 1))
        cut = draw(st.integers(0, 3))
        words[start : start + cut] = draw(
            st.lists(PIECES | st.sampled_from(VALUES) | st.text(max_size=3), max_size=3)
        )
    return "".join(words)


@given(mutated_files())
def test_a_mutilated_file_is_read_or_refused_and_never_crashes(text):
    with suppress(FileFaults):
        file = decode_household(text, knows_calendar=lambda code: code == "XNYS")
        assert apply_policy(file, file.policy()) == file
        assert instruments_of(file).keys() == file.instruments.keys()


KEYS = sorted(set(re.findall(r"[a-zA-Z_0-9]+", GOOD)))
LEAVES = st.sampled_from([*VALUES, "0.5", "1", '"anna"', '"VTI"', '"USD"', '["VTI"]', '"forex"'])


@given(
    st.lists(
        st.tuples(st.lists(st.sampled_from(KEYS), min_size=1, max_size=4), LEAVES), max_size=12
    )
)
@example([(["owners"], "1"), (["accounts", "a", "owner"], '"x"')])
@example([(["classes", "a"], "1"), (["classes", "b", "members"], '["USD"]')])
def test_any_toml_of_our_words_is_read_or_refused_and_never_crashes(entries):
    lines = "\n".join(f"{'.'.join(path)} = {value}" for path, value in entries)
    with pytest.raises(FileFaults):
        decode_household(lines, knows_calendar=lambda code: code == "XNYS")


@given(st.text())
@example("a" + ".a" * 3000 + " = 1")
@example("owners.a = 0x" + "f" * 9000)
@example("orders.minimum = 1e999999999999999999999")
@example("orders.minimum = 1e9999999\norders.invest_cash_from = 0e-9999999")
@example("\ud800 = 1")
def test_garbage_is_refused_and_never_crashes(text):
    with pytest.raises(FileFaults):
        decode_household(text)
