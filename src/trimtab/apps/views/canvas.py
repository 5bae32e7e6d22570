"""An empty picture, and how it is written: as SVG or PNG by the file's ending."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from trimtab.domain.errors import InputError, MissingExtra

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@contextmanager
def canvas(path: Path, width: float, height: float) -> Iterator["Figure"]:
    """A figure of *width* by *height* inches, written to *path* at the end.

    Raises:
        MissingExtra: matplotlib is not installed.
        InputError: the file cannot be written.
    """
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtra("pictures need matplotlib: pip install 'trimtab[charts]'.") from None
    with rc_context({"svg.hashsalt": "trimtab", "font.size": 9}):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure
        is_svg = path.suffix.lower() == ".svg"
        try:
            figure.savefig(path, dpi=144, metadata={"Date": None} if is_svg else None)
        except (OSError, ValueError) as error:
            msg = f"the picture {path} cannot be written ({error}): name a .svg or .png file."
            raise InputError(msg) from error


def plain(panel: "Axes", title: str, unit: str) -> None:
    """Dress *panel*: its title, the unit of its figures, no frame, thousands apart."""
    from matplotlib.ticker import FuncFormatter

    panel.set_title(title, loc="left", fontsize=10)
    panel.set_ylabel(unit, fontsize=8)
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    for side in ("top", "right"):
        panel.spines[side].set_visible(False)
