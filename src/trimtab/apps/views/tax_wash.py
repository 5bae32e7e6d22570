"""Wash sales as a page and as a document: which loss, which replacement, and what became of it."""

from collections.abc import Iterator, Sequence

from trimtab.apps.tax_source import TaxSource
from trimtab.apps.tax_wash import WashReport
from trimtab.apps.views.figures import cents, digits
from trimtab.apps.views.page import Block, Column, Heading, Row, Sentence, Table, item, rows_of
from trimtab.apps.views.tax_documents import (
    ReviewDocument,
    TaxWashDocument,
    WaitingLossDocument,
    WashedDocument,
    WashYearDocument,
)
from trimtab.apps.views.tax_identity import (
    identity_sentences,
    identity_warnings,
    similar_purchase_sentence,
)
from trimtab.apps.views.tax_notes import closing_notes, note_items
from trimtab.domain.history import WashMatch
from trimtab.domain.numbers import ZERO, Money, to_cents
from trimtab.rules.words import listing, money, units

_BECAME = {
    "none": "lost for good",
    "held": "deferred, held",
    "partly held": "deferred, part held",
    "not held": "deferred, not held",
}
"""What a match came to, by where the basis went."""


def wash_page(source: TaxSource, report: WashReport) -> list[Block]:
    """The wash sales, the losses that wait, what to review, the totals, why, and the notes."""
    when = "" if report.year is None else f" of losses taken in {report.year}"
    blocks: list[Block] = []
    if report.matches:
        blocks += [Heading(f"Wash sales{when}, in {source.currency}"), _match_table(report)]
    else:
        blocks.append(Sentence(_none_found(source, report, when)))
    if report.years:
        blocks += [Heading("Disallowed by 26 USC 1091, by the year of the loss"), _totals(report)]
    blocks += [item(sentence) for sentence in _remarks(source, report)]
    if report.waiting:
        blocks += [Heading(f"Losses that a purchase can still wash on {source.today}")]
        blocks.append(_waiting_table(report))
        blocks += [item(sentence, "warn") for sentence in report.planned]
    if report.reviews:
        blocks.append(Heading("To be judged by a person"))
        blocks += [item(review.sentence, "warn") for review in report.reviews]
    why = identity_sentences(source, report.pairs)
    if why:
        blocks.append(Heading("Why these symbols count as identical"))
        blocks += [item(sentence) for sentence in why]
        blocks += [item(sentence, "warn") for sentence in identity_warnings(source, report.pairs)]
    if report.similar:
        blocks.append(Heading("Near a loss, and not counted as identical"))
        blocks += [item(sentence, "warn") for sentence in _similar(source, report)]
    return [*blocks, *note_items(closing_notes(source, *_own_notes(source, report)))]


def wash_document(source: TaxSource, report: WashReport) -> TaxWashDocument:
    """All of it; amounts in cents."""
    return TaxWashDocument(
        household=source.title,
        currency=source.currency,
        on=source.today,
        year=report.year,
        matches=tuple(
            _match_document(one, became)
            for one, became in zip(report.matches, report.became, strict=True)
        ),
        waiting=tuple(
            WaitingLossDocument(
                sold=window.day,
                account=window.account,
                symbol=window.symbol,
                quantity=digits(window.quantity),
                loss=f"{to_cents(window.loss)}",
                until=window.ends,
                sentence=window.sentence,
            )
            for window in report.waiting
        ),
        planned=report.planned,
        reviews=tuple(
            ReviewDocument(
                account=one.account, symbol=one.symbol, date=one.date, sentence=one.sentence
            )
            for one in report.reviews
        ),
        years=tuple(
            WashYearDocument(
                year=one.year,
                disallowed=f"{to_cents(one.disallowed)}",
                deferred=f"{to_cents(one.disallowed - one.permanent)}",
                permanent=f"{to_cents(one.permanent)}",
            )
            for one in report.years
        ),
        in_lots=f"{to_cents(report.in_lots)}",
        identical=identity_sentences(source, report.pairs),
        warnings=(*identity_warnings(source, report.pairs), *_similar(source, report)),
        notes=closing_notes(source, *_own_notes(source, report)),
    )


# ---------------------------------------------------------------------- the page


def _none_found(source: TaxSource, report: WashReport, when: str) -> str:
    if not source.ledger.sales():
        where = "sales = in [data] of household.toml" if source.is_household else "--transactions"
        return (
            "Nothing was sold in the records, so nothing was washed; sales made before they begin "
            f"are told with {where}."
        )
    if report.years:
        return (
            f"No wash sale{when} was found in the records; what is disallowed below was told "
            "with the sales."
        )
    return f"No wash sale{when} was found in the records."


def _match_table(report: WashReport) -> Table:
    columns = (
        Column("sold"),
        Column("shares", is_figure=True),
        Column("of"),
        Column("lot sold", spare=3),
        Column("replaced on"),
        Column("by"),
        Column("new lot", spare=2),
        Column("disallowed", is_figure=True),
        Column("what became of it"),
    )
    return Table(
        columns,
        tuple(
            Row(
                (
                    f"{one.sold}",
                    units(one.quantity),
                    f"{one.symbol} {one.account}",
                    one.lot_id,
                    f"{one.acquired}",
                    f"{one.replacement_symbol} {one.replacement_account}",
                    one.replacement_lot,
                    cents(one.disallowed),
                    _BECAME[became],
                ),
                "bad" if one.is_permanent else "",
            )
            for one, became in zip(report.matches, report.became, strict=True)
        ),
    )


def _totals(report: WashReport) -> Table:
    columns = (
        Column("year"),
        *(Column(title, is_figure=True) for title in ("disallowed", "deferred", "lost for good")),
    )
    return Table(
        columns,
        rows_of(
            (
                f"{one.year}",
                cents(one.disallowed),
                cents(one.disallowed - one.permanent),
                cents(one.permanent),
            )
            for one in report.years
        ),
    )


def _remarks(source: TaxSource, report: WashReport) -> Iterator[str]:
    """What became of the deferred losses, and of those that are lost."""
    told = _told_before(report)
    if told:
        yield (
            f"{money(told, source.currency)} of it was told with sales from before the records: "
            "which purchase replaced them is not known here."
        )
    if report.in_lots:
        yield (
            f"{money(report.in_lots, source.currency)} of deferred losses are in the basis of lots "
            "still held and count when those are sold: `trimtab tax gains` lists them."
        )
    if any(became in {"not held", "partly held"} for became in report.became):
        yield (
            "What was deferred into lots no longer held is in the gain of their sale, or in a "
            "later wash sale."
        )
    if any(one.is_permanent for one in report.matches):
        yield (
            "A loss that a purchase in a retirement account replaced is lost for good: no basis "
            "takes it up (Rev. Rul. 2008-5)."
        )


def _told_before(report: WashReport) -> Money:
    disallowed = sum((one.disallowed for one in report.years), ZERO)
    return disallowed - sum((one.disallowed for one in report.matches), ZERO)


def _waiting_table(report: WashReport) -> Table:
    columns = (
        Column("sold"),
        Column("account"),
        Column("symbol"),
        Column("shares", is_figure=True),
        Column("loss", is_figure=True),
        Column("washed by a purchase until"),
        Column("buy again from"),
    )
    return Table(
        columns,
        rows_of(
            (
                f"{window.day}",
                window.account,
                window.symbol,
                units(window.quantity),
                cents(window.loss),
                f"{window.ends}",
                f"{window.free_from}",
            )
            for window in report.waiting
        ),
    )


def _similar(source: TaxSource, report: WashReport) -> Iterator[str]:
    return (similar_purchase_sentence(source, one) for one in report.similar)


def _own_notes(source: TaxSource, report: WashReport) -> Iterator[str]:
    exempt = sorted(
        {
            row.symbol
            for row in source.ledger.sales()
            if row.is_exempt and row.is_taxed and row.raw_gain < 0
        }
    )
    if exempt:
        yield (
            f"{listing(exempt)}: coins and currencies are no securities, so their losses are not "
            "washed (Notice 2014-21)."
        )
    if _crosses_returns(source, report.matches):
        yield (
            "Spouses file separate returns here, and a purchase of one replaced a loss of the "
            "other: that the basis goes to the other's shares is our reading; no authority was "
            "found."
        )


def _crosses_returns(source: TaxSource, matches: Sequence[WashMatch]) -> bool:
    """Whether a loss on one return was replaced by an owner of another one."""
    of_owner = {owner: one.id for one in source.returns for owner in one.owners}

    def return_of(account: str) -> str:
        owner = source.accounts[account].owner
        return of_owner.get(owner, owner)

    return any(return_of(one.account) != return_of(one.replacement_account) for one in matches)


def _match_document(one: WashMatch, became: str) -> WashedDocument:
    return WashedDocument(
        sold=one.sold,
        account=one.account,
        symbol=one.symbol,
        lot_id=one.lot_id,
        quantity=digits(one.quantity),
        acquired=one.acquired,
        replacement_account=one.replacement_account,
        replacement_symbol=one.replacement_symbol,
        replacement_lot_id=one.replacement_lot,
        disallowed=f"{to_cents(one.disallowed)}",
        is_permanent=one.is_permanent,
        basis_in=became,
    )
