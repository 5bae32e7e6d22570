"""Draw every picture of docs/how-to anew, each with the command that its page shows.

The households are those of the pages: their lines of household.toml are read from there. The clock
stands still, so that the same commands draw the same pictures on any day. What the commands print
is printed too, for the pages' consoles. `make pictures` runs it.
"""

import csv
import datetime as dt
import os
import re
import runpy
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

from click.testing import CliRunner

from trimtab.apps.cli import main as trimtab
from trimtab.apps.clock import SystemClock
from trimtab.apps.demo import make_demo
from trimtab.domain.household import decode_household, instruments_of
from trimtab.lab.market import InventedMarket

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs/how-to"
NOW = dt.datetime(2026, 11, 22, 18, 51, tzinfo=dt.UTC)
NEW_YEAR = dt.date(2026, 1, 2)
SAVINGS = (
    # account, symbol, what it is worth on NEW_YEAR
    ("joint", "VTI", 60_000),
    ("roth", "VTI", 7_500),
    ("ira", "VXUS", 34_000),
    ("ira", "BND", 26_000),
)
SAVINGS_IN_CASH = {"joint": 5_200, "roth": 11_500, "ira": 12_100}


class Picture(NamedTuple):
    """A picture of a page: the household it shows, and the commands that draw it there."""

    name: str
    builds: Callable[[Path], bool]
    commands: tuple[str, ...]


def main() -> None:
    """Draw all pictures, or those whose names begin as asked."""
    for picture in PICTURES:
        if picture.name.startswith(tuple(sys.argv[1:])) or not sys.argv[1:]:
            drawn = draw(picture, PAGES)
            print(f"{picture.name} {'is drawn' if drawn else 'is left: its prices are not here'}.")


def draw(picture: Picture, into: Path) -> bool:
    """Draw *picture* into the folder *into*; False where what its household needs is not there."""
    with tempfile.TemporaryDirectory() as name, standing_clock():
        folder = Path(name) / "household"
        folder.mkdir()
        if not picture.builds(folder):
            return False
        for command in picture.commands:
            print(f"\n$ {command}\n{typed(command, folder)}")
        (into / picture.name).write_bytes((folder / picture.name).read_bytes())
    return True


def typed(command: str, folder: Path) -> str:
    """What *command* prints when it is typed in *folder*."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        ended = CliRunner().invoke(trimtab, shlex.split(command)[1:])
    finally:
        os.chdir(before)
    if ended.exit_code:
        sys.exit(f"{command}: {ended.stderr or ended.output}")
    return ended.stdout


@contextmanager
def standing_clock() -> Iterator[None]:
    """The moment of all pages, for as long as it is asked for."""
    with patch.object(SystemClock, "now", lambda _: NOW):
        yield


# -------------------------------------------------------------------------- the households


def lines_of(page: str, *wanted: str) -> str:
    """The examples of *page* in TOML that hold any of *wanted*, together."""
    text = (PAGES / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```toml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return "\n".join(one for one in blocks if any(word in one for word in wanted))


def demo_with(more: str, folder: Path) -> bool:
    """The demo's household, with *more* in place of its own tables of the same name."""
    folder.rmdir()
    path = make_demo(folder, seed=1, today=NOW.date(), replace=False).household_toml
    text = path.read_text(encoding="utf-8")
    for table in re.findall(r"^\[\w+\]", more, re.MULTILINE):
        text = re.sub(rf"^{re.escape(table)}.*?\n\n", "", text, flags=re.MULTILINE | re.DOTALL)
    path.write_text(f"{text}\n{more}", encoding="utf-8")
    return True


def with_strategy(folder: Path) -> bool:
    """The demo with the three layers of the page that shows a year of them."""
    return demo_with(lines_of("choose-a-strategy.md", '"momentum", "cppi"]'), folder)


def with_reserve(folder: Path) -> bool:
    """The demo with the reserve of its page."""
    return demo_with(lines_of("keep-a-reserve.md", "[reserve]"), folder)


def with_averaging(folder: Path) -> bool:
    """The household of `trimtab init` at invented prices, with what its page puts in by parts."""
    typed("trimtab init", folder)
    path = folder / "household.toml"
    invented = f'[data]\nmarket = "invented"\nseed = 1\nstart = {NEW_YEAR}\n'
    text = re.sub(r"^\[data\].*\n", invented, path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    path.write_text(f"{text}\n{lines_of('put-money-in.md', '[[averaging]]')}", encoding="utf-8")
    market = InventedMarket(1, NEW_YEAR, instruments_of(decode_household(text)))
    rows = []
    for account, symbol, worth in SAVINGS:
        price = market.close(symbol, NEW_YEAR)
        quantity = round(worth / price)
        rows.append((account, symbol, quantity, f"{quantity * price:.2f}", "2025-06-02"))
    _write(folder / "lots.csv", ("account", "symbol", "quantity", "cost", "acquired"), rows)
    cash = [(account, "USD", amount) for account, amount in SAVINGS_IN_CASH.items()]
    _write(folder / "cash.csv", ("account", "currency", "amount"), cash)
    return True


def through_the_crash(folder: Path) -> bool:
    """The household of the crash of 2020, whose prices lie beside the repository, or nowhere."""
    crash = runpy.run_path(str(ROOT / "tests/replay/crash_household.py"))
    if not crash["SHARED"].is_dir():
        return False
    crash["write_household"](folder)
    return True


def _write(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


YEAR_TO_COME = "--from 2026-11-23 --to 2027-11-22"
YEAR_OF_PARTS = "--from 2026-01-02 --to 2026-11-20"
CRASH = "--from 2020-02-19 --to 2020-06-30"
PICTURES = (
    Picture(
        "targets-over-a-year.svg",
        with_strategy,
        (f"trimtab replay {YEAR_TO_COME} --execute --targets targets-over-a-year.svg",),
    ),
    Picture("reserve.svg", with_reserve, ("trimtab reserve --chart reserve.svg",)),
    Picture(
        "value-path.svg",
        with_averaging,
        (
            f"trimtab replay {YEAR_OF_PARTS} --execute --into a-year",
            "trimtab contribute --folder a-year --chart value-path.svg",
        ),
    ),
    Picture(
        "crash-2020-bands.svg",
        through_the_crash,
        (f"trimtab replay {CRASH} --into crash --execute --chart crash-2020-bands.svg",),
    ),
)

if __name__ == "__main__":
    main()
