"""Losses worth taking as a page and as a document."""

from collections.abc import Iterable, Sequence
from decimal import localcontext
from typing import NamedTuple

from trimtab.apps.harvesting import Found
from trimtab.apps.views.figures import cents, counted
from trimtab.apps.views.page import Block, Column, Heading, Row, Sentence, Table, item
from trimtab.apps.views.tax_documents_trading import (
    TaxHarvestDocument,
    TaxHarvestedDocument,
    TaxSwapBackDocument,
)
from trimtab.domain.numbers import EXACT, ZERO, Money, to_cents
from trimtab.rules.tax.losses import Harvest, HarvestState
from trimtab.rules.tax.substitution import SwapBack
from trimtab.rules.words import units

_TITLES = {
    HarvestState.TAKE: "Worth taking",
    HarvestState.ASK: "Worth taking, but ask first",
    HarvestState.LEAVE: "Not taken",
}
_STYLES = {HarvestState.TAKE: "good", HarvestState.ASK: "warn", HarvestState.LEAVE: "quiet"}
_WORTH = (
    "What a loss is worth: the tax that it saves now, less the tax on the lower basis later "
    "(discounted), less the costs of selling, buying and going back."
)


class Sums(NamedTuple):
    """What the losses that are to be taken come to."""

    loss: Money
    saved: Money
    later: Money
    costs: Money
    worth: Money


def harvest_page(found: Found, household: str, currency: str, notes: Iterable[str]) -> list[Block]:
    """What to take with its sums, what to ask about, what to leave and why, and what is due."""
    page: list[Block] = [
        Heading(f"Losses of {household} on {found.on}, in {currency}"),
        Sentence(_summary(found), "good" if _of(found, HarvestState.TAKE) else ""),
        _year_table(found),
    ]
    for state, title in _TITLES.items():
        harvests = _of(found, state)
        if harvests:
            page += [Heading(title), _table(harvests)]
            page += [item(one.sentence, _STYLES[state]) for one in harvests]
    if found.swaps:
        page.append(Heading("Substitutes that are held"))
        page += [item(one.sentence, "good" if one.is_taken else "quiet") for one in found.swaps]
    notes = (*found.notes, _WORTH, *notes)
    return [*page, Heading("Notes"), *(item(note, "quiet") for note in notes)]


def harvest_document(
    found: Found, household: str, currency: str, notes: Iterable[str]
) -> TaxHarvestDocument:
    """Everything that the page says."""
    sums = sums_of(_of(found, HarvestState.TAKE))
    return TaxHarvestDocument(
        household=household,
        currency=currency,
        date=found.on,
        short_so_far=_text(found.so_far.short),
        long_so_far=_text(found.so_far.long),
        carry_short=_text(found.so_far.carry.st),
        carry_long=_text(found.so_far.carry.lt),
        loss=_text(sums.loss),
        saved=_text(sums.saved),
        later=_text(sums.later),
        costs=_text(sums.costs),
        worth=_text(sums.worth),
        harvests=tuple(_harvest_document(one) for one in found.harvests),
        swaps=tuple(_swap_document(one) for one in found.swaps),
        notes=(*found.notes, _WORTH, *notes),
    )


def sums_of(harvests: Sequence[Harvest]) -> Sums:
    """The sums over *harvests*, exact."""
    with localcontext(EXACT):
        return Sums(
            loss=sum((one.loss for one in harvests), ZERO),
            saved=sum((one.saved for one in harvests), ZERO),
            later=sum((one.later for one in harvests), ZERO),
            costs=sum((one.costs for one in harvests), ZERO),
            worth=sum((one.worth for one in harvests), ZERO),
        )


def _of(found: Found, state: HarvestState) -> list[Harvest]:
    return [one for one in found.harvests if one.state is state]


def _summary(found: Found) -> str:
    taken, asked = _of(found, HarvestState.TAKE), _of(found, HarvestState.ASK)
    if not found.harvests:
        return "Nothing in the taxed accounts is at a loss."
    also = f" {counted(len(asked), 'more is', 'more are')} to be asked about." if asked else ""
    if not taken:
        at_loss = counted(len(found.harvests), "lot is", "lots are")
        return f"{at_loss} at a loss, and none is worth taking without a question.{also}"
    sums = sums_of(taken)
    return (
        f"{counted(len(taken), 'loss', 'losses')} worth taking, {cents(sums.loss)} in all: saves "
        f"{cents(sums.saved)} of tax now, costs {cents(sums.later)} of tax later and "
        f"{cents(sums.costs)} of trading; {cents(sums.worth)} is left.{also}"
    )


def _year_table(found: Found) -> Table:
    columns = (
        Column("the year so far"),
        Column("gain", is_figure=True),
        Column("carried into it", is_figure=True),
    )
    so_far = found.so_far
    return Table(
        columns,
        (
            Row(("short term", cents(so_far.short), cents(-so_far.carry.st))),
            Row(("long term", cents(so_far.long), cents(-so_far.carry.lt))),
        ),
    )


def _table(harvests: Sequence[Harvest]) -> Table:
    columns = (
        Column("account", spare=1),
        Column("symbol"),
        Column("quantity", is_figure=True),
        Column("acquired", spare=2),
        Column("term"),
        Column("loss", is_figure=True),
        Column("disallowed", is_figure=True, spare=3),
        Column("saved now", is_figure=True),
        Column("tax later", is_figure=True),
        Column("costs", is_figure=True),
        Column("net", is_figure=True),
        Column("buy instead"),
        Column("lot", spare=4),
    )
    return Table(columns, tuple(Row(_cells(one)) for one in harvests))


def _cells(one: Harvest) -> tuple[str, ...]:
    is_valued = one.substitute != ""
    figures = (one.saved, one.later, one.costs, one.worth)
    return (
        one.account,
        one.symbol,
        units(one.quantity),
        f"{one.acquired}",
        str(one.term),
        cents(-one.loss),
        cents(one.disallowed) if one.disallowed else "-",
        *(cents(figure) if is_valued else "-" for figure in figures),
        one.substitute or "-",
        f"{one.lot_id}#{one.piece}" if one.piece else one.lot_id,
    )


def _harvest_document(one: Harvest) -> TaxHarvestedDocument:
    return TaxHarvestedDocument(
        state=one.state.value,
        account=one.account,
        symbol=one.symbol,
        lot_id=one.lot_id,
        piece=one.piece,
        quantity=f"{one.quantity:f}",
        acquired=one.acquired,
        term=one.term.value,
        basis=_text(one.basis),
        loss=_text(one.loss),
        disallowed=_text(one.disallowed),
        saved=_text(one.saved),
        later=_text(one.later),
        costs=_text(one.costs),
        worth=_text(one.worth),
        substitute=one.substitute,
        harvest_before=one.harvest_before,
        sentence=one.sentence,
    )


def _swap_document(one: SwapBack) -> TaxSwapBackDocument:
    return TaxSwapBackDocument(
        account=one.swap.account,
        lot_id=one.swap.lot_id,
        substitute=one.swap.substitute,
        symbol=one.swap.symbol,
        bought=one.swap.bought,
        quantity=f"{one.quantity:f}",
        gain=_text(one.gain),
        is_due=one.is_taken,
        sentence=one.sentence,
    )


def _text(amount: Money) -> str:
    return f"{to_cents(amount) + 0}"
