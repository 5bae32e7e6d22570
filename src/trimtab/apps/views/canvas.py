"""An empty picture, and how it is written: as SVG or PNG by the file's ending."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

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
    require_picture(path)
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtra("pictures need matplotlib: pip install 'trimtab[charts]'.") from None
    with rc_context({"svg.hashsalt": "trimtab", "font.size": 9}):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure
        write_picture(figure, path)


def require_picture(path: Path) -> None:
    """Refuse a *path* to which no picture can be written.

    Raises:
        InputError: its ending is neither .svg nor .png, or there is no such folder.
    """
    require_ending(path)
    if not path.parent.is_dir():
        msg = f"the picture {path} cannot be written: there is no folder {path.parent}."
        raise InputError(msg)


def require_ending(path: Path) -> None:
    """Refuse a *path* whose name is not that of a picture.

    Raises:
        InputError: its ending is neither .svg nor .png.
    """
    if path.suffix.lower() not in {".svg", ".png"}:
        raise InputError(f"the picture {path} cannot be written: name a .svg or .png file.")


def write_picture(figure: "Figure", path: Path, dpi: float | Literal["figure"] = 144) -> None:
    """Write *figure* to *path*, as SVG or PNG by its name and the same bytes every time.

    *dpi* is in dots an inch; `figure` is the figure's own.

    Raises:
        InputError: the file cannot be written.
    """
    require_picture(path)
    is_svg = path.suffix.lower() == ".svg"
    try:
        figure.savefig(path, dpi=dpi, metadata={"Date": None} if is_svg else None)
    except (OSError, ValueError) as error:
        msg = f"the picture {path} cannot be written: {error}."
        raise InputError(msg) from error


def plain(panel: "Axes", title: str, unit: str) -> None:
    """Dress *panel*: its title, the unit of its figures, no frame, thousands apart."""
    from matplotlib.ticker import FuncFormatter

    panel.set_title(title, loc="left", fontsize=10)
    panel.set_ylabel(unit, fontsize=8)
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    for side in ("top", "right"):
        panel.spines[side].set_visible(False)
