"""docs/how-to/ask-what-if.md, followed to the letter on the demo that it is about."""

import re
import shlex
from pathlib import Path

import pytest
from tests.apps.cli.command_line import Ended, trimtab

PAGE = Path(__file__).resolve().parents[3] / "docs/how-to/ask-what-if.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS: list[str] = re.findall(r"^```console\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
COMMANDS = [
    line.removeprefix("$ ").partition(" | ")[0]
    for block in BLOCKS
    for line in block.splitlines()
    if line.startswith("$ ")
]
FAULTY = "mars"


@pytest.fixture
def in_the_demo(demo, monkeypatch):
    monkeypatch.chdir(demo)


def typed(command: str) -> Ended:
    return trimtab(*shlex.split(command)[1:])


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.usefixtures("in_the_demo")
def test_every_command_of_the_page_ends_as_it_should(command):
    ended = typed(command)
    assert ended.status == (2 if FAULTY in command else 0), ended.err


@pytest.mark.usefixtures("in_the_demo")
def test_the_faults_are_those_that_the_page_shows():
    (block,) = [one for one in BLOCKS if FAULTY in one]
    command, _, shown = block.partition("\n")
    assert typed(command.removeprefix("$ ")).err == shown


@pytest.mark.usefixtures("in_the_demo")
def test_a_deposit_of_the_page_is_answered_in_the_form_that_it_shows():
    (block,) = [one for one in BLOCKS if "\nToday and then" in one]
    command, *shown = block.splitlines()
    told = typed(command.removeprefix("$ ")).out.splitlines()
    assert told[0].partition(":joint=40000: ")[0] == shown[0].partition(":joint=40000: ")[0]
    names = [line.split("  ")[0] for line in shown[2:13]]
    assert [line.split("  ")[0] for line in told[2:13]] == names
