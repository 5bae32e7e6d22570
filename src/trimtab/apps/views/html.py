"""A page to print as one HTML file: the frame and the cells, without script or outside parts."""

import datetime as dt
from collections.abc import Iterable, Sequence
from html import escape

from trimtab.apps.views.figures import cents
from trimtab.domain.numbers import Money


def html_page(title: str, style: str, body: Iterable[str]) -> str:
    """The whole file; *body* is HTML, *title* is not."""
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>",
            f"<style>\n{style}</style>",
            "</head>",
            "<body>",
            *body,
            "</body>",
            "</html>",
            "",
        ]
    )


def table_head(words: Sequence[str], figures: Sequence[str]) -> str:
    """A head of columns of words, then of columns of figures."""
    names = [f'<th scope="col">{name}</th>' for name in words]
    names += [f'<th scope="col" class="figure">{name}</th>' for name in figures]
    return f"<thead><tr>{''.join(names)}</tr></thead>"


def bullets(sentences: Iterable[str], style: str = "") -> list[str]:
    """A list of *sentences*, which are HTML already; nothing where there are none."""
    items = [f"<li>{sentence}</li>" for sentence in sentences]
    return [f'<ul class="{style}">', *items, "</ul>"] if items else []


def figures(amounts: Iterable[Money]) -> str:
    """Cells of money."""
    return "".join(f'<td class="figure">{amount_text(amount)}</td>' for amount in amounts)


def amount_text(amount: Money) -> str:
    """Money in cents; a negative amount stands in parentheses, as on a tax form."""
    text = cents(abs(amount))
    return f"({text})" if amount < 0 and text != "0.00" else text


def day_text(day: dt.date) -> str:
    """A date as tax forms write it: `06/02/2025`."""
    return f"{day:%m/%d/%Y}"
