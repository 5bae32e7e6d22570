"""A decision as a page: trades, lots, reasons, gates, refusals, and the drift before and after."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from trimtab.apps.views.documents import (
    DecisionDocument,
    DiscrepancyDocument,
    GateDocument,
    LotDocument,
    RefusalDocument,
    TradeDocument,
)
from trimtab.apps.views.drift import before_and_after, drift_blocks, drift_document
from trimtab.apps.views.explanation import (
    aging_blocks,
    aging_document,
    alternative_document,
    certificate_document,
    cost_blocks,
    order_document,
    trade_notes,
)
from trimtab.apps.views.figures import cents, counted, digits, price_text, term_word
from trimtab.apps.views.page import Block, Column, Heading, Row, Sentence, Table, item
from trimtab.domain.numbers import ZERO, Money, Quantity, share_of
from trimtab.domain.trades import (
    Decision,
    Discrepancy,
    Evidence,
    Held,
    Motive,
    Plan,
    Refusal,
    Side,
    Term,
    Trade,
)
from trimtab.domain.values import Account, Lot, trade_date
from trimtab.rules.drift import least_turnover
from trimtab.rules.plan.alternatives import Explained, Explanation
from trimtab.rules.tax.books import piece_id
from trimtab.rules.tax.lots import term_of
from trimtab.rules.words import money, percent, units


class Known(NamedTuple):
    """What a page about a decision needs to know beside it; an explanation where there is one."""

    currency: str
    accounts: Mapping[str, Account]
    lots: Mapping[str, Lot]
    explanation: Explanation | None = None

    def explained(self, trade: Trade) -> Explained | None:
        """What is said of *trade* beside its reason."""
        return None if self.explanation is None else self.explanation.of(trade)


class SoldLot(NamedTuple):
    """Units of one lot in a planned sale, at the planned price less its part of the cost."""

    lot: Lot
    quantity: Quantity
    term: Term
    gain: Money


def decision_blocks(decision: Decision, known: Known) -> list[Block]:
    """All of a decision, the trades first; without a plan, the drift and why nothing is done."""
    blocks: list[Block] = []
    if decision.plan is None:
        blocks += [Heading("Drift"), *drift_blocks(decision.drifts, known.currency)]
        if known.explanation is not None:
            blocks += aging_blocks(known.explanation.aging, known.currency)
    else:
        blocks += _plan_blocks(decision, decision.plan, known)
    blocks += gate_blocks(decision.evidence)
    if decision.refusals:
        blocks.append(Heading("Wanted and not done"))
        blocks += [item(refusal.sentence) for refusal in decision.refusals]
    return blocks


def trade_table(trades: Sequence[Trade], known: Known, on: dt.date) -> Table:
    """One row a trade."""
    columns = (
        Column("account"),
        Column("side"),
        Column("quantity", is_figure=True),
        Column("symbol"),
        Column("price", is_figure=True, spare=1),
        Column("value", is_figure=True),
        Column("gain", is_figure=True),
        Column("term"),
        Column("tax", is_figure=True),
        Column("fees", is_figure=True, spare=2),
    )
    return Table(columns, tuple(_trade_row(trade, known, on) for trade in trades))


def lot_table(trades: Iterable[Trade], known: Known, on: dt.date) -> Table:
    """One row for each lot that a sale takes from."""
    columns = (
        Column("account"),
        Column("symbol"),
        Column("acquired"),
        Column("quantity", is_figure=True),
        Column("unit cost", is_figure=True),
        Column("gain", is_figure=True),
        Column("term"),
        Column("lot", spare=1),
    )
    rows = [
        (
            trade.account,
            trade.symbol,
            f"{sold.lot.acquired}",
            units(sold.quantity),
            price_text(sold.lot.unit_cost),
            cents(sold.gain),
            _term(trade, [sold], known),
            sold.lot.id,
        )
        for trade in trades
        for sold in sold_lots(trade, known, on)
    ]
    return Table(columns, tuple(Row(cells) for cells in rows))


def gate_blocks(evidence: Sequence[Evidence]) -> list[Block]:
    """One line a gate; a refusal with all its sentences."""
    if not evidence:
        return []
    blocks: list[Block] = [Heading("Gates")]
    for gate in dict.fromkeys(found.gate for found in evidence):
        of_gate = [found for found in evidence if found.gate == gate]
        refused = list(dict.fromkeys(found.sentence for found in of_gate if not found.passed))
        if refused:
            blocks += [item(f"{gate}: REFUSED. {sentence}", "bad") for sentence in refused]
        else:
            text = of_gate[0].sentence
            more = len({found.sentence for found in of_gate}) > 1
            told = f"passed for {counted(len(of_gate), 'trade')}." if more else f"passed. {text}"
            blocks.append(item(f"{gate}: {told}"))
    return blocks


def sold_lots(trade: Trade, known: Known, on: dt.date) -> tuple[SoldLot, ...]:
    """What a sale takes from each lot that is known; no gain in an untaxed account."""
    picked = [
        (known.lots[piece_id(pick)], pick.quantity)
        for pick in trade.lots
        if piece_id(pick) in known.lots
    ]
    return tuple(
        SoldLot(
            lot=lot,
            quantity=quantity,
            term=term_of(lot.holding_since, on),
            gain=_gain(trade, lot, quantity) if _is_taxed(trade, known) else ZERO,
        )
        for lot, quantity in picked
    )


def decision_document(decision: Decision, known: Known) -> DecisionDocument:
    """All of a decision, every digit."""
    plan = decision.plan
    on = trade_date(decision.at)
    return DecisionDocument(
        at=decision.at,
        currency=known.currency,
        value=digits(decision.value),
        plan_id=None if plan is None else plan.id,
        trades=()
        if plan is None
        else tuple(_trade_document(trade, decision, known, on) for trade in plan.trades),
        turnover=digits(ZERO if plan is None else plan.turnover),
        tax=digits(ZERO if plan is None else plan.tax),
        before=tuple(drift_document(drift) for drift in decision.drifts),
        after=() if plan is None else tuple(drift_document(drift) for drift in plan.after),
        gates=tuple(_gate_document(found) for found in decision.evidence),
        refusals=tuple(_refusal_document(refusal) for refusal in decision.refusals),
        least_deposit=None if decision.least_deposit is None else digits(decision.least_deposit),
        deposit_into_bands=None
        if decision.deposit_into_bands is None
        else digits(decision.deposit_into_bands),
        looked=decision.looked,
        certificate=None
        if plan is None or plan.certificate is None
        else certificate_document(plan.certificate),
        aging=()
        if known.explanation is None
        else tuple(aging_document(lot) for lot in known.explanation.aging),
    )


def discrepancy_document(found: Discrepancy) -> DiscrepancyDocument:
    """One difference."""
    return DiscrepancyDocument(
        kind=found.kind,
        account=found.account,
        subject=found.subject,
        expected=found.expected,
        found=found.found,
        sentence=found.sentence,
    )


def _plan_blocks(decision: Decision, plan: Plan, known: Known) -> list[Block]:
    on = trade_date(decision.at)
    blocks: list[Block] = [
        Heading(f"Plan {plan.id}, in {known.currency}"),
        trade_table(plan.trades, known, on),
        Sentence(_totals(plan, known)),
        *cost_blocks(plan.certificate, known.currency),
    ]
    sales = [trade for trade in plan.trades if trade.side is Side.SELL]
    if sales:
        blocks += [Heading("Lots sold"), lot_table(sales, known, on)]
    blocks.append(Heading("Why"))
    for trade in plan.trades:
        blocks.append(item(_reason(trade, decision.held)))
        blocks += trade_notes(known.explained(trade), known.currency)
    if known.explanation is not None:
        blocks += aging_blocks(known.explanation.aging, known.currency)
    blocks += [Heading("Drift before and after"), before_and_after(plan.before, plan.after)]
    blocks += [Sentence(text, "quiet") for text in _least(plan)]
    return blocks


def _least(plan: Plan) -> list[str]:
    """What no plan could do with less, to compare this one with."""
    part = least_turnover(
        [drift.weight for drift in plan.before],
        [drift.target for drift in plan.before],
        [drift.half_width for drift in plan.before],
    )
    if part == 0:
        return []
    least = percent(part, 2)
    edge = f"To bring every class to the edge of its band, any plan moves {least} of the savings"
    return [f"{edge} or more; this one goes on to the policy's destination."]


def _reason(trade: Trade, held: Sequence[Held]) -> str:
    stops = [
        refusal.gate
        for refusal in held
        if refusal.account == ""
        or (refusal.account, refusal.symbol) == (trade.account, trade.symbol)
    ]
    waits = f" Held by: {', '.join(dict.fromkeys(stops))}." if stops else ""
    what = f"{trade.side} {units(trade.quantity)} {trade.symbol} in {trade.account}"
    motive = "" if trade.motive is Motive.DRIFT else f" Done for: {trade.motive}."
    return f"{what}: {trade.reason}{motive}{waits}"


def _totals(plan: Plan, known: Known) -> str:
    sold = sum((trade.value for trade in plan.trades if trade.side is Side.SELL), ZERO)
    bought = sum((trade.value for trade in plan.trades if trade.side is Side.BUY), ZERO)
    fees = sum((trade.cost for trade in plan.trades), ZERO)
    taxed = [trade for trade in plan.trades if _is_taxed(trade, known)]
    gain = sum((trade.gain for trade in taxed), ZERO)
    tax = f"tax {cents(plan.tax)}" if plan.tax >= 0 else f"tax saved {cents(-plan.tax)}"
    return (
        f"Sold {cents(sold)}, bought {cents(bought)}; taxed gain {cents(gain)}, {tax}, fees "
        f"{money(fees, known.currency)}."
    )


def _trade_row(trade: Trade, known: Known, on: dt.date) -> Row:
    is_sale = trade.side is Side.SELL
    term = _term(trade, sold_lots(trade, known, on), known) if is_sale else ""
    cells = (
        trade.account,
        str(trade.side),
        units(trade.quantity),
        trade.symbol,
        price_text(trade.price),
        cents(trade.value),
        cents(trade.gain) if is_sale else "",
        term,
        cents(trade.tax) if is_sale else "",
        cents(trade.cost),
    )
    return Row(cells)


def _gain(trade: Trade, lot: Lot, quantity: Quantity) -> Money:
    cost = share_of(trade.cost, quantity, trade.quantity)
    return quantity * trade.price - cost - share_of(lot.basis, quantity, lot.quantity)


def _is_taxed(trade: Trade, known: Known) -> bool:
    return known.accounts[trade.account].kind.is_taxed


def _term(trade: Trade, sold: Sequence[SoldLot], known: Known) -> str:
    if not _is_taxed(trade, known):
        return "untaxed"
    return term_word(lot.term for lot in sold)


def _trade_document(trade: Trade, decision: Decision, known: Known, on: dt.date) -> TradeDocument:
    explained = known.explained(trade)
    refused = None if explained is None else explained.refused
    return TradeDocument(
        account=trade.account,
        symbol=trade.symbol,
        asset_class=trade.asset_class,
        side=str(trade.side),
        quantity=digits(trade.quantity),
        price=digits(trade.price),
        value=digits(trade.value),
        gain=digits(trade.gain),
        tax=digits(trade.tax),
        cost=digits(trade.cost),
        is_allowed=trade in decision.allowed,
        lots=_lot_documents(trade, known, on),
        reason=trade.reason,
        motive=str(trade.motive),
        orders=() if explained is None else tuple(map(order_document, explained.orders)),
        alternative=None if refused is None else alternative_document(refused),
    )


def _lot_documents(trade: Trade, known: Known, on: dt.date) -> tuple[LotDocument, ...]:
    sold = {found.lot.id: found for found in sold_lots(trade, known, on)}
    documents = []
    for pick in trade.lots:
        found = sold.get(piece_id(pick))
        documents.append(
            LotDocument(
                lot_id=pick.lot_id,
                quantity=digits(pick.quantity),
                acquired=None if found is None else found.lot.acquired,
                term=None if found is None else str(found.term),
                gain=None if found is None else digits(found.gain),
            )
        )
    return tuple(documents)


def _gate_document(found: Evidence) -> GateDocument:
    return GateDocument(
        gate=found.gate,
        passed=found.passed,
        account=found.account,
        symbol=found.symbol,
        sentence=found.sentence,
        figures=found.figures,
    )


def _refusal_document(refusal: Refusal) -> RefusalDocument:
    return RefusalDocument(
        asset_class=refusal.asset_class,
        account=refusal.account,
        symbol=refusal.symbol,
        sentence=refusal.sentence,
    )
