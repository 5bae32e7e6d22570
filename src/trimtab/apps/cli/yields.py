"""`trimtab yields`: where cash earns most after tax; information, never a forecast."""

from pathlib import Path

import click

from trimtab.apps.cli.options import example, folder_option, json_option
from trimtab.apps.cli.terminal import progress, show, show_document


@click.command(
    "yields",
    epilog=example("trimtab yields", "trimtab yields --curve par-curve.csv --chart curve.svg"),
)
@folder_option
@click.option(
    "--curve",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Read the Treasury's par curve from this CSV file.",
)
@click.option(
    "--chart",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Draw the curve, where it is inverted, into FILE (.svg or .png).",
)
@json_option
def command(folder: Path, curve: Path | None, chart: Path | None, as_json: bool) -> int:
    """Show where cash earns most after tax.

    Compares the yields that [yields] of household.toml tells, each with its day and your own label
    of its risk, before tax and after it, and shows the Treasury's curve with its inversion. It is
    information for the choice of the safe asset: no trade follows from it, and it forecasts
    nothing.
    """
    from trimtab.apps.clock import SystemClock
    from trimtab.apps.home import Home
    from trimtab.apps.views.yields import yields_document, yields_page
    from trimtab.apps.yields import gather_yields
    from trimtab.domain.errors import InputError

    with progress("reading yields"):
        view = gather_yields(Home(folder), SystemClock().now(), curve)
        if chart is not None:
            from trimtab.apps.views.yields_picture import draw_curve

            if view.curve is None:
                raise InputError("--chart: there is no curve to draw: name its file with --curve.")
            draw_curve(view.curve, view.found, view.treasury_tax, chart)
    if as_json:
        show_document(yields_document(view))
    else:
        show(yields_page(view, str(folder), chart))
    return 0
