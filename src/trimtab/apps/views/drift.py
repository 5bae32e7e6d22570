"""Drift tables: every class against its target, now and after a plan."""

from collections.abc import Mapping, Sequence

from trimtab.apps.views.documents import DriftDocument
from trimtab.apps.views.figures import band_bar, cents, digits, offset, rate
from trimtab.apps.views.page import Block, Column, Row, Sentence, Table
from trimtab.domain.trades import BandState, Drift

LEGEND = "[ ] trigger   + target   o now   < > off the scale   drift and trigger in points"

_STYLES = {BandState.CORRECTING: "warn", BandState.RESTING: "quiet", BandState.ARMED: ""}


def drift_blocks(drifts: Sequence[Drift], currency: str) -> tuple[Block, ...]:
    """Each class with its band as a bar, and what the marks mean."""
    columns = (
        Column("class"),
        Column("target", is_figure=True),
        Column("actual", is_figure=True),
        Column("drift", is_figure=True),
        Column("trigger", is_figure=True),
        Column("state"),
        Column("band"),
        Column(f"value in {currency}", is_figure=True, spare=1),
    )
    return (Table(columns, tuple(_row(drift) for drift in drifts)), Sentence(LEGEND, "quiet"))


def before_and_after(before: Sequence[Drift], after: Sequence[Drift]) -> Table:
    """Each class before and after a plan."""
    then: Mapping[str, Drift] = {drift.asset_class: drift for drift in after}
    columns = (
        Column("class"),
        Column("target", is_figure=True),
        Column("before", is_figure=True),
        Column("drift", is_figure=True),
        Column("after", is_figure=True),
        Column("drift", is_figure=True),
        Column("band after"),
    )
    return Table(columns, tuple(_pair(drift, then[drift.asset_class]) for drift in before))


def drift_document(drift: Drift) -> DriftDocument:
    """One class, every digit."""
    return DriftDocument(
        asset_class=drift.asset_class,
        target=digits(drift.target),
        weight=digits(drift.weight),
        drift=digits(drift.drift),
        half_width=digits(drift.half_width),
        is_breached=drift.is_breached,
        state=str(drift.state),
        value=digits(drift.value),
    )


def _row(drift: Drift) -> Row:
    cells = (
        drift.asset_class,
        rate(drift.target),
        rate(drift.weight),
        offset(drift.drift),
        f"±{offset(drift.half_width)[1:]}",
        str(drift.state),
        band_bar(drift.drift, drift.half_width, is_breached=drift.is_breached),
        cents(drift.value),
    )
    return Row(cells, "warn" if drift.is_breached else _STYLES[drift.state])


def _pair(before: Drift, after: Drift) -> Row:
    cells = (
        before.asset_class,
        rate(before.target),
        rate(before.weight),
        offset(before.drift),
        rate(after.weight),
        offset(after.drift),
        band_bar(after.drift, after.half_width, is_breached=after.is_breached),
    )
    return Row(cells, "warn" if after.is_breached else "")
