"""The guard before a trade, as a page and as a document."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from trimtab.apps.tax_source import TaxSource
from trimtab.apps.tax_wash import Traded, similar_losses, similar_purchases
from trimtab.apps.views.figures import cents, price_text
from trimtab.apps.views.page import Block, Column, Heading, Row, Sentence, Table, item, rows_of
from trimtab.apps.views.tax_documents_trading import TaxGuardDocument, TaxGuardLotDocument
from trimtab.apps.views.tax_identity import similar_loss_sentence, similar_purchase_sentence
from trimtab.domain.numbers import Price, to_cents
from trimtab.domain.policy import LotMethod
from trimtab.domain.trades import Side
from trimtab.rules.tax.guard import Guarded, GuardState
from trimtab.rules.tax.matching import first_safe_day
from trimtab.rules.tax.preview import PreviewedPiece
from trimtab.rules.words import units

_SEARCHED = (
    "Searched were the accounts, plans and identical symbols in the records; what is not in them "
    "(a spouse's 401(k), an option) can still make a wash sale."
)
_STYLES = {
    GuardState.CLEAR: "good",
    GuardState.PARTLY: "warn",
    GuardState.BLOCKED: "bad",
    GuardState.INCOMPLETE: "warn",
}
_METHODS: dict[LotMethod, str] = {
    "fifo": "first in, first out",
    "lifo": "the latest first",
    "hifo": "the highest basis first",
    "min_tax": "the least tax first",
    "specified": "the lots that were named",
}


class Proposal(NamedTuple):
    """The trade that was asked about; `price` is None where a purchase needs none."""

    side: Side
    quantity: Price
    symbol: str
    account: str
    on: dt.date
    price: Price | None
    method: LotMethod


class GuardAnswer(NamedTuple):
    """The guard's answer, the pieces that a sale would take, and remarks on the records."""

    proposal: Proposal
    guarded: Guarded
    pieces: tuple[PreviewedPiece, ...]
    notes: tuple[str, ...]
    household: str
    currency: str

    @property
    def buy_again_from(self) -> dt.date | None:
        """After the sale, the first day for an identical purchase; None where no loss waits."""
        if any(piece.waiting > 0 for piece in self.pieces):
            return first_safe_day(self.proposal.on)
        return None


def similar_trades(
    source: TaxSource, proposal: Proposal, pieces: Sequence[PreviewedPiece]
) -> tuple[str, ...]:
    """Trades near the proposal of what moves nearly alike, and does not count as identical."""
    trade = Traded(proposal.symbol, proposal.account, proposal.on, proposal.quantity)
    if proposal.side is Side.BUY:
        found = similar_losses(source, trade)
        return tuple(similar_loss_sentence(source, one) for one in found)
    if not any(piece.loss > 0 for piece in pieces):
        return ()
    found = similar_purchases(source, trade)
    return tuple(similar_purchase_sentence(source, one) for one in found)


def guard_page(answer: GuardAnswer) -> list[Block]:
    """The state, the figures, what was found, and the lots."""
    proposal, guarded = answer.proposal, answer.guarded
    title = (
        f"{proposal.side.value.capitalize()} {units(proposal.quantity)} {proposal.symbol} in "
        f"{proposal.account} on {proposal.on}: {guarded.state}"
    )
    page: list[Block] = [
        Heading(title),
        Sentence(guarded.sentence, _STYLES[guarded.state]),
        _figures(answer),
    ]
    if guarded.findings:
        page += [Heading("What would replace what"), *(item(text) for text in guarded.findings)]
    if answer.pieces:
        how = _METHODS[proposal.method]
        page += [Heading(f"Lots sold, {how}, in {answer.currency}"), _lots(answer.pieces)]
    return [*page, Heading("Notes"), *(item(note, "quiet") for note in notes_on(answer))]


def guard_document(answer: GuardAnswer) -> TaxGuardDocument:
    """Everything that the page says."""
    proposal, guarded = answer.proposal, answer.guarded
    return TaxGuardDocument(
        household=answer.household,
        currency=answer.currency,
        side=proposal.side.value,
        quantity=f"{proposal.quantity:f}",
        symbol=proposal.symbol,
        account=proposal.account,
        price=None if proposal.price is None else f"{proposal.price:f}",
        date=proposal.on,
        state=guarded.state.value,
        sentence=guarded.sentence,
        shares=f"{guarded.shares:f}",
        disallowed=f"{to_cents(guarded.dollars)}",
        deferred=f"{to_cents(guarded.deferred)}",
        permanent=f"{to_cents(guarded.permanent)}",
        first_safe_day=guarded.first_safe_day,
        buy_again_from=answer.buy_again_from,
        lots=tuple(_lot_document(piece) for piece in answer.pieces),
        findings=guarded.findings,
        gaps=guarded.gaps,
        notes=notes_on(answer),
    )


def notes_on(answer: GuardAnswer) -> tuple[str, ...]:
    """What the reader must know beside the answer."""
    notes = []
    again = answer.buy_again_from
    if again is not None:
        notes.append(
            f"Once the loss is taken, buy nothing identical to {answer.proposal.symbol} in any "
            f"account before {again}."
        )
    return (*notes, _SEARCHED, *answer.notes)


def _figures(answer: GuardAnswer) -> Table:
    guarded, price = answer.guarded, answer.proposal.price
    safe = guarded.first_safe_day
    rows = [
        ("state", str(guarded.state)),
        ("price", "not needed" if price is None else price_text(price)),
        ("shares replaced", units(guarded.shares)),
        (f"disallowed, {answer.currency}", cents(guarded.dollars)),
        ("  deferred into a basis", cents(guarded.deferred)),
        ("  lost for good", cents(guarded.permanent)),
        ("first safe day", "none in sight" if safe is None else f"{safe}"),
    ]
    return Table((Column("what"), Column("answer", is_figure=True)), rows_of(rows))


def _lots(pieces: Sequence[PreviewedPiece]) -> Table:
    columns = (
        Column("lot"),
        Column("quantity", is_figure=True),
        Column("acquired"),
        Column("term"),
        Column("gain", is_figure=True),
        Column("replaced", is_figure=True),
        Column("disallowed", is_figure=True),
    )
    return Table(columns, tuple(Row(tuple(_cells(piece))) for piece in pieces))


def _cells(piece: PreviewedPiece) -> Iterable[str]:
    row = piece.row
    yield f"{row.lot_id}#{row.piece}" if row.piece else row.lot_id
    yield units(row.quantity)
    yield f"{row.acquired}"
    yield str(row.term)
    yield cents(row.raw_gain)
    yield units(row.replaced) if row.replaced else "-"
    yield cents(row.disallowed) if row.disallowed else "-"


def _lot_document(piece: PreviewedPiece) -> TaxGuardLotDocument:
    row = piece.row
    return TaxGuardLotDocument(
        lot_id=row.lot_id,
        piece=row.piece,
        quantity=f"{row.quantity:f}",
        acquired=row.acquired,
        term=str(row.term),
        gain=f"{to_cents(row.raw_gain)}",
        replaced=f"{row.replaced:f}",
        disallowed=f"{to_cents(row.disallowed)}",
    )
