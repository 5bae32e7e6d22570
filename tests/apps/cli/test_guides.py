"""The how-to pages: consoles show what the commands print, and pictures are what they draw."""

import re
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGES = {page.name: page.read_text(encoding="utf-8") for page in (DOCS / "how-to").glob("*.md")}


@pytest.fixture(scope="module")
def pictures():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(DOCS))
        yield import_module("make_pictures")
        del sys.modules["make_pictures"]


def console_of(page: str, command: str) -> list[str]:
    """The lines of the first console that begins with *command* or shows it."""
    blocks = re.findall(r"^```console\n(.*?)^```$", PAGES[page], re.MULTILINE | re.DOTALL)
    lines: list[str] = next(one for one in blocks if f"$ {command}\n" in one).splitlines()
    return lines


def assert_shows(console: list[str], told: dict[str, str]) -> None:
    """Every shown line was printed, in order, without a gap but where "..." stands."""
    left, gap = [""], False
    for line in console:
        if line.startswith("$ "):
            left, gap = told[line.removeprefix("$ ")].splitlines(), False
        elif line == "...":
            gap = True
        else:
            place = left.index(line) if line in left else None
            assert place is not None, f"not printed, or not in this order: {line}"
            assert gap or place == 0, f"left out without saying so: {left[:place]}"
            left, gap = left[place + 1 :], False


def households(pictures) -> dict[tuple[str, str], Callable[[Path], bool]]:
    """The household of each console, by its page and its last command."""

    def demo(page: str, word: str) -> Callable[[Path], bool]:
        lines = pictures.lines_of(page, word) if word else ""
        return lambda folder: bool(pictures.demo_with(lines, folder))

    strategy, reserve, money = "choose-a-strategy.md", "keep-a-reserve.md", "put-money-in.md"
    return {
        (strategy, "trimtab targets"): demo(strategy, 'classes = ["us-stocks", "world-stocks"]'),
        (strategy, "trimtab run --execute"): demo(strategy, "[strategy.cppi]"),
        (reserve, "trimtab reserve"): demo(reserve, "[reserve]"),
        (money, "trimtab contribute --amount 5000"): demo("", ""),
        (money, "trimtab contribute --folder a-year --chart value-path.svg"): (
            pictures.with_averaging
        ),
    }


@pytest.mark.parametrize("number", range(5))
def test_a_console_shows_what_its_commands_print(pictures, tmp_path, number):
    (page, shown), builds = list(households(pictures).items())[number]
    console = console_of(page, shown)
    commands = [line.removeprefix("$ ") for line in console if line.startswith("$ ")]
    folder = tmp_path / "household"
    folder.mkdir()
    with pictures.standing_clock():
        builds(folder)
        told = {command: pictures.typed(command, folder) for command in commands}
    assert_shows(console, told)


def test_a_console_that_is_not_what_is_printed_is_found():
    told = {"trimtab plan": "one\ntwo\nthree"}
    assert_shows(["$ trimtab plan", "one", "...", "three"], told)
    for wrong in (["one", "three"], ["two"], ["one", "...", "four"], ["...", "three", "one"]):
        with pytest.raises(AssertionError):
            assert_shows(["$ trimtab plan", *wrong], told)


def test_every_picture_of_the_pages_is_drawn_by_a_command_that_its_page_shows(pictures):
    known = {picture.name: picture for picture in pictures.PICTURES}
    assert {path.name for path in (DOCS / "how-to").glob("*.svg")} == set(known)
    for name, picture in known.items():
        (text,) = [text for text in PAGES.values() if f"]({name})" in text]
        for command in picture.commands:
            assert command in text


def test_the_same_command_draws_the_committed_picture(pictures, tmp_path):
    (reserve,) = [one for one in pictures.PICTURES if one.name == "reserve.svg"]
    assert pictures.draw(reserve, tmp_path)
    committed = (DOCS / "how-to/reserve.svg").read_bytes()
    assert (tmp_path / "reserve.svg").read_bytes() == committed


def test_a_replay_draws_the_targets_over_its_days(pictures, tmp_path):
    folder = tmp_path / "household"
    folder.mkdir()
    days = "--from 2026-11-23 --to 2026-11-25"
    with pictures.standing_clock():
        pictures.with_strategy(folder)
        told = pictures.typed(f"trimtab replay {days} --targets it.svg --chart b.svg", folder)
    assert told.index("- Picture: b.svg") < told.index("- Picture: it.svg")
    committed = (DOCS / "how-to/targets-over-a-year.svg").read_text(encoding="utf-8")
    for text in ((folder / "it.svg").read_text(encoding="utf-8"), committed):
        for label in ("savings insured", "held in risky classes", "least variance", "us-stocks"):
            assert f"<!-- {label} -->" in text
