"""The page written anew: its tables in their places, its pictures beside it."""

import argparse
import tempfile
from pathlib import Path

from real_data.households import AUTUMN, PERIODS, ROOT, STRATEGIES, TRIPPED, cases
from real_data.pictures import draw_1987, draw_largest_month, draw_period
from real_data.run import replay_all
from real_data.tables import averaging_table, crash_table, gaps_table, table, value_table

PAGE = ROOT / "docs/explanation/strategies-on-real-data.md"
PICTURES = PAGE.parent


def main() -> None:
    asked = argparse.ArgumentParser(description="Write the page of real data anew.")
    asked.add_argument("--keep", type=Path, help="keep each replay's figures in this folder")
    asked.add_argument("--months", action="store_true", help="only what the real months tell")
    options = asked.parse_args()
    page = PAGE.read_text(encoding="utf-8")
    blocks = {"gaps": gaps_table(), "1987": crash_table(), "largest months": value_table()}
    draw_1987(PICTURES / "cppi-1987.svg")
    draw_largest_month(PICTURES / "value-averaging-largest-month.svg")
    if not options.months:
        with tempfile.TemporaryDirectory() as name:
            blocks |= replays(options.keep or Path(name))
    for name, block in blocks.items():
        print(f"\n{name}\n{block}")
        page = written(page, name, block)
    PAGE.write_text(page, encoding="utf-8")


def replays(keep: Path) -> dict[str, str]:
    """The tables of all replays, whose pictures are drawn on the way."""
    found = replay_all(cases(), keep)
    blocks = {}
    for name, (start, end) in {**PERIODS, "autumn": AUTUMN}.items():
        chosen = {
            case.name: one
            for case, one in found.items()
            if (case.start, case.end, case.lump) == (start, end, 0)
        }
        names = [one for one in (*STRATEGIES, TRIPPED) if one in chosen]
        blocks[name] = table([chosen.pop(one) if one == TRIPPED else chosen[one] for one in names])
        if name in PERIODS:
            span = name.replace(" ", "-")
            draw_period(chosen, f"Each strategy, {name}", PICTURES / f"strategies-{span}.svg")
            put_in = [one for case, one in found.items() if case.start == start and case.lump]
            blocks[f"averaging {name}"] = averaging_table(put_in)
    return blocks


def written(page: str, name: str, block: str) -> str:
    """*page* with the table *name* made anew."""
    head, tail = f"<!-- table: {name} -->", "<!-- end of table -->"
    before, found, rest = page.partition(head)
    assert found, f"the page has no table {name}"
    return f"{before}{head}\n{block}\n{tail}{rest.partition(tail)[2]}"
