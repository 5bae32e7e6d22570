"""What a command prints, as values: headings, sentences and tables. The printer gives them looks.

A style names a meaning (`good`, `warn`, `bad`, `quiet`, `strong`), never a colour, and the words
say it too.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeAlias


class Heading(NamedTuple):
    """The title of what follows."""

    text: str


class Sentence(NamedTuple):
    """A paragraph; one with a *mark* is an item of a list, and stands *indent* columns in."""

    text: str
    style: str = ""
    mark: str = ""
    indent: int = 0


class Column(NamedTuple):
    """A column of a table. Where the table is too wide, the highest *spare* is left out first."""

    title: str
    is_figure: bool = False
    spare: int = 0


class Row(NamedTuple):
    """A row of a table."""

    cells: tuple[str, ...]
    style: str = ""


class Table(NamedTuple):
    """Rows under columns."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


Block: TypeAlias = Heading | Sentence | Table
Page: TypeAlias = Sequence[Block]


def item(text: str, style: str = "") -> Sentence:
    """One sentence of a list."""
    return Sentence(text, style, mark="- ")


def rows_of(rows: Iterable[Sequence[str]]) -> tuple[Row, ...]:
    """Rows without a style."""
    return tuple(Row(tuple(cells)) for cells in rows)


def widths(table: Table) -> list[int]:
    """How many characters the widest cell of each column has."""
    lines = [[column.title for column in table.columns], *(row.cells for row in table.rows)]
    return [max(len(line[at]) for line in lines) for at in range(len(table.columns))]


def fitted(table: Table, width: int, gap: int) -> tuple[Table, tuple[str, ...]]:
    """*table* in *width* characters with *gap* between columns, and what was left out for it."""
    left_out: list[str] = []
    while sum(widths(table)) + gap * (len(table.columns) - 1) > width:
        spare = max(table.columns, key=lambda column: column.spare)
        if spare.spare == 0:
            break
        left_out.append(spare.title)
        kept = [at for at, column in enumerate(table.columns) if column is not spare]
        table = Table(
            tuple(table.columns[at] for at in kept),
            tuple(Row(tuple(row.cells[at] for at in kept), row.style) for row in table.rows),
        )
    return table, tuple(left_out)
