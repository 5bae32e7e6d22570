"""docs/how-to/get-your-wash-sales-right.md, followed to the letter on its own files."""

import re
from pathlib import Path

import pytest
from tests.apps.cli.command_line import Ended, trimtab

PAGE = Path(__file__).resolve().parents[3] / "docs/how-to/get-your-wash-sales-right.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS: list[str] = re.findall(r"^```(?:\w*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
COMMANDS = [line for block in BLOCKS for line in block.splitlines() if line.startswith("trimtab ")]
IN_THE_TABLE = [
    f"{command} --transactions history.csv"
    for command in re.findall(r"^\| `(trimtab [^`]+)`", TEXT, re.MULTILINE)
]
HELD_BACK = 3


def block(beginning: str) -> str:
    (found,) = [text for text in BLOCKS if text.startswith(beginning)]
    return found


@pytest.fixture
def folder(tmp_path, monkeypatch):
    history = block("date,account,owner")
    (tmp_path / "history.csv").write_text(history)
    (tmp_path / "Accounts_History.csv").write_text(history)
    (tmp_path / "realized.csv").write_text(block("account,symbol,quantity"))
    (tmp_path / "my-broker.toml").write_text(block("# my-broker.toml"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def typed(command: str) -> Ended:
    return trimtab(*command.split()[1:])


def flat(ended: Ended) -> str:
    return " ".join(ended.out.split())


@pytest.mark.parametrize("command", [*COMMANDS, *IN_THE_TABLE])
@pytest.mark.usefixtures("folder")
def test_every_command_of_the_page_ends_as_it_should(command):
    ended = typed(command)
    assert ended.status == (HELD_BACK if " guard " in command else 0), ended.err


@pytest.mark.usefixtures("folder")
def test_the_wash_sales_are_those_that_the_page_tells_of():
    (command,) = [one for one in COMMANDS if one.startswith("trimtab tax wash")]
    out = flat(typed(command))
    for words in ("180.00 lost for good", "2,700.00", "3,300.00 2026-01-21", "both track sp-500"):
        assert words in out
        assert words.split()[0] in TEXT


@pytest.mark.usefixtures("folder")
def test_the_guard_answers_what_the_page_says():
    (command,) = [one for one in IN_THE_TABLE if " guard " in one]
    out = flat(typed(command))
    assert "disallows 550.00 USD, lost for good" in out
    assert "the first safe day is 2026-01-22" in out
    assert "550.00" in TEXT


@pytest.mark.usefixtures("folder")
def test_the_forms_beside_the_broker_have_the_codes_that_the_page_tells_of():
    (compared,) = [one for one in COMMANDS if " reconcile " in one]
    assert "1 equal and 2 explained" in flat(typed(compared))
    out = flat(typed("trimtab tax form8949 2025 --transactions history.csv --broker realized.csv"))
    assert "16,200.00 16,800.00 B -2,700.00 -3,300.00" in out
    assert "code B" in TEXT


def test_a_file_with_days_first_and_decimal_commas_is_read_by_the_mapping(folder):
    (folder / "mine.csv").write_text(
        "Trade Day;Instrument;Action;Quantity;Price;Fee;Account\n"
        "02.01.2025;VTI;Market buy;1.000,5;290,25;1,00;mine\n"
    )
    ended = typed("trimtab tax gains --transactions mine.csv --mapping my-broker.toml")
    assert ended.status == 0, ended.err
    assert "1,000.5" in ended.out
