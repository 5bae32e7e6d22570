"""A plan explained: what it costs, how far that is proven, and what each trade was chosen over."""

from trimtab.apps.views.figures import cents, counted, digits, in_cents
from trimtab.apps.views.page import Block, Column, Heading, Row, Sentence, Table
from trimtab.apps.views.plan_documents import (
    AgingLotDocument,
    AlternativeDocument,
    CertificateDocument,
    CostDocument,
    LotOrderDocument,
)
from trimtab.domain.numbers import CENT, ONE, ZERO, Money, Weight
from trimtab.domain.trades import Certificate, PlanCost, Side
from trimtab.rules.plan.alternatives import AgingLot, Explained, LotOrder, order_words
from trimtab.rules.plan.passed_over import Refused
from trimtab.rules.words import money, units

_AGING_SHOWN = 5
_CAUSES = ("tax", "cost", "drift", "location", "wash")
_RARE = ("location", "wash")
_TERMS = {
    "tax": "A loss counts for what it saves now less what it costs later.",
    "cost": "Cost is spread and fees.",
    "drift": "Drift is paid to nobody: it is what the policy would pay to mend what is left.",
}
"""What nobody would guess of a column."""
_GAP_SAID = ONE
"""Basis points of the savings: a gap beyond it is said in words."""


def cost_blocks(certificate: Certificate | None, currency: str) -> list[Block]:
    """What the plan and doing nothing cost, by cause, and how far that is proven."""
    if certificate is None:
        return []
    rows = (("this plan", certificate.plan), ("doing nothing", certificate.nothing))
    shown = [cause for cause in _CAUSES if any(_says(_amount(cost, cause)) for _, cost in rows)]
    columns = (
        Column(""),
        *(Column(cause, is_figure=True, spare=int(cause in _RARE)) for cause in shown),
        Column("total", is_figure=True),
    )
    table = Table(
        columns,
        tuple(
            Row((name, *(cents(_amount(cost, cause)) for cause in shown), cents(cost.total)))
            for name, cost in rows
        ),
    )
    heading = Heading(f"What it costs, in {currency} (negative: saved)")
    terms = " ".join(_TERMS[cause] for cause in shown if cause in _TERMS)
    return [heading, table, Sentence(terms, "quiet"), _proof(certificate, currency)]


def trade_notes(explained: Explained | None, currency: str) -> list[Block]:
    """What other lots would have cost, and the best alternative refused.

    A fund that is passed over is told by the reason of the purchase itself.
    """
    if explained is None:
        return []
    notes = []
    if any(_says(order.price) or _says(order.washed) for order in explained.orders):
        texts = [order_words(order, currency) for order in explained.orders]
        notes.append(f"With other lots: {'; '.join(texts)}.")
    refused = explained.refused
    if refused is not None and (explained.side is Side.SELL or refused.symbol == explained.symbol):
        notes.append(f"Best alternative refused: {refused.sentence}")
    return [Sentence(text, "quiet", mark="- ", indent=2) for text in notes]


def aging_blocks(aging: tuple[AgingLot, ...], currency: str) -> list[Block]:
    """Lots that soon turn long term, those first for which waiting saves most."""
    if not aging:
        return []
    columns = (
        Column("account"),
        Column("symbol"),
        Column("acquired"),
        Column("quantity", is_figure=True),
        Column("gain", is_figure=True),
        Column("long from"),
        Column("waiting saves", is_figure=True),
        Column("lot", spare=1),
    )
    rows = tuple(
        Row(
            (
                lot.account,
                lot.symbol,
                f"{lot.acquired}",
                units(lot.quantity),
                cents(lot.gain),
                f"{lot.long_from}",
                cents(lot.saves),
                lot.lot_id,
            )
        )
        for lot in aging[:_AGING_SHOWN]
    )
    blocks: list[Block] = [
        Heading("Lots that stay and soon turn long term"),
        Table(columns, rows),
    ]
    rest = aging[_AGING_SHOWN:]
    if rest:
        saves = money(sum((lot.saves for lot in rest), ZERO), currency)
        text = f"{counted(len(rest), 'more lot')}, for which waiting saves {saves}: see `--json`."
        blocks.append(Sentence(text, "quiet"))
    return blocks


def certificate_document(certificate: Certificate) -> CertificateDocument:
    """Every digit of the proof."""
    return CertificateDocument(
        plan=_cost_document(certificate.plan),
        nothing=_cost_document(certificate.nothing),
        bound=digits(certificate.bound),
        gap=digits(certificate.gap),
        gap_bps=digits(certificate.gap_bps),
        rounding=digits(certificate.rounding),
        value=digits(certificate.value),
    )


def order_document(order: LotOrder) -> LotOrderDocument:
    """The sale with its lots in another order, in cents."""
    return LotOrderDocument(
        method=order.method,
        gain=in_cents(order.gain),
        price=in_cents(order.price),
        washed=in_cents(order.washed),
    )


def alternative_document(refused: Refused) -> AlternativeDocument:
    """The best alternative that was not taken."""
    return AlternativeDocument(
        account=refused.account,
        symbol=refused.symbol,
        lot_id=refused.lot_id,
        dearer=in_cents(refused.dearer),
        until=refused.until,
        long_from=refused.long_from,
        sentence=refused.sentence,
    )


def aging_document(lot: AgingLot) -> AgingLotDocument:
    """A lot worth waiting for."""
    return AgingLotDocument(
        account=lot.account,
        symbol=lot.symbol,
        lot_id=lot.lot_id,
        acquired=lot.acquired,
        quantity=digits(lot.quantity),
        gain=in_cents(lot.gain),
        long_from=lot.long_from,
        saves=in_cents(lot.saves),
    )


def _proof(certificate: Certificate, currency: str) -> Sentence:
    gap = max(ZERO, certificate.gap)
    bound = money(certificate.bound, currency)
    within = _basis_points(max(ZERO, certificate.gap_bps))
    is_wide = certificate.gap_bps > _GAP_SAID
    if is_wide:
        text = (
            f"Not proven to be the best: a better plan could be up to {money(gap, currency)} "
            f"cheaper, {within} basis points of the savings; none costs less than {bound}."
        )
    else:
        text = (
            f"No plan that keeps the same rules costs less than {bound}: this one is proven "
            f"within {within} bp of the savings."
        )
    if _says(certificate.rounding):
        rounding = money(certificate.rounding, currency)
        text += f" Rounding to orders (whole steps, none too small) is {rounding} of the total."
    return Sentence(text, "warn" if is_wide else "")


def _basis_points(gap: Weight) -> str:
    return f"{gap.quantize(CENT):f}" if gap >= CENT or gap == 0 else "0.01"


def _amount(cost: PlanCost, cause: str) -> Money:
    amount: Money = getattr(cost, cause)
    return amount


def _says(amount: Money) -> bool:
    return abs(amount) >= CENT


def _cost_document(cost: PlanCost) -> CostDocument:
    return CostDocument(
        tax=digits(cost.tax),
        cost=digits(cost.cost),
        drift=digits(cost.drift),
        location=digits(cost.location),
        wash=digits(cost.wash),
        total=digits(cost.total),
    )
