"""Prints pages and documents: in colour on a terminal, in plain aligned text into a pipe."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from trimtab.apps.views.page import Block, Heading, Page, Sentence, Table, fitted, widths

if TYPE_CHECKING:
    from msgspec import Struct
    from rich.console import Console, RenderableType

WIDTH_MAX = 120
"""Longer lines are hard to read, however wide the terminal is."""
_GAP = 2
_STYLES = {
    "": "",
    "good": "green",
    "warn": "yellow",
    "bad": "bold red",
    "quiet": "dim",
    "strong": "bold",
}


def show(page: Page) -> None:
    """Print *page* on standard output."""
    if sys.stdout.isatty():
        _show_in_colour(page)
    else:
        click.echo("\n".join(plain_lines(page)))


def show_document(document: "Struct") -> None:
    """Print *document* as one JSON object on a line of its own."""
    import msgspec

    click.echo(msgspec.json.encode(document).decode())


@contextmanager
def progress(first: str) -> Iterator[Callable[[str], None]]:
    """A function that says what is being done now, on standard error if that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status(f"{first} ...") as status:
        yield lambda text: status.update(f"{text} ...")


def plain_lines(page: Page) -> list[str]:
    """*page* as lines without colour, frames or wrapping; the same whatever the terminal is."""
    lines: list[str] = []
    before: Block | None = None
    for block in page:
        if _is_apart(before, block):
            lines.append("")
        match block:
            case Heading():
                lines.append(block.text)
            case Sentence():
                start = " " * block.indent + block.mark
                rest = "\n" + " " * len(start)
                lines += (start + block.text.replace("\n", rest)).split("\n")
            case Table():
                lines += _plain_table(block)
        before = block
    return lines


def _is_apart(before: Block | None, block: Block) -> bool:
    """Whether an empty line stands between two blocks: before a heading, around tables."""
    if before is None or isinstance(before, Heading):
        return False
    if isinstance(block, Sentence) and isinstance(before, Sentence):
        return (block.mark, block.indent) == ("", 0) or (block.mark, before.mark) == ("- ", "")
    return True


def _plain_table(table: Table) -> Iterator[str]:
    sizes = widths(table)
    for cells in [[column.title for column in table.columns], *(row.cells for row in table.rows)]:
        yield _aligned(cells, table, sizes).rstrip()


def _aligned(cells: Sequence[str], table: Table, sizes: Sequence[int]) -> str:
    return (" " * _GAP).join(
        cell.rjust(size) if column.is_figure else cell.ljust(size)
        for cell, column, size in zip(cells, table.columns, sizes, strict=True)
    )


def _show_in_colour(page: Page) -> None:
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False)
    console = Console(
        highlight=False, markup=False, emoji=False, width=min(console.width, WIDTH_MAX)
    )
    before: Block | None = None
    for block in page:
        if _is_apart(before, block):
            console.print()
        console.print(_rendered(block, console))
        before = block


def _rendered(block: Block, console: "Console") -> "RenderableType":
    from rich.table import Table as Grid
    from rich.text import Text

    match block:
        case Heading():
            return Text(block.text, style="bold")
        case Sentence():
            grid = Grid.grid()
            grid.add_column(width=block.indent + len(block.mark) or None, no_wrap=True)
            grid.add_column(overflow="fold")
            start = " " * block.indent + block.mark
            text = Text(block.text, style=_STYLES[block.style])
            if not start:
                return text
            grid.add_row(start, text)
            return grid
        case Table():
            return _rendered_table(block, console)


def _rendered_table(block: Table, console: "Console") -> "RenderableType":
    from rich.box import SIMPLE_HEAD
    from rich.console import Group
    from rich.table import Table as Grid
    from rich.text import Text

    table, left_out = fitted(block, console.width, _GAP)
    grid = Grid(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for column in table.columns:
        grid.add_column(
            Text(column.title), justify="right" if column.is_figure else "left", no_wrap=True
        )
    for row in table.rows:
        grid.add_row(*(Text(cell, style=_STYLES[row.style]) for cell in row.cells))
    if not left_out:
        return grid
    note = f"A wider terminal also shows: {', '.join(reversed(left_out))}."
    return Group(grid, Text(note, style=_STYLES["quiet"]))
