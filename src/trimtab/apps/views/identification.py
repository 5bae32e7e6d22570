"""What each broker must be told about lots: as letters, as a page and as a document."""

from collections.abc import Sequence

from trimtab.apps.identifying import Worksheet
from trimtab.apps.views.figures import digits, price_text, typed
from trimtab.apps.views.page import Block, Column, Heading, Row, Sentence, Table, item
from trimtab.apps.views.tax_documents_lots import (
    InstructionDocument,
    InstructionsDocument,
    NamedLotDocument,
    StandingOrderDocument,
)
from trimtab.domain.values import Lot, trade_date
from trimtab.rules.tax.identification import (
    Identification,
    IdentificationState,
    StandingOrder,
    day_in_words,
    time_in_words,
)
from trimtab.rules.words import money, units

NOTES = (
    "Lots count only when the broker was told in time; a record here tells no broker.",
    "This is not tax advice.",
)


def instructions_page(sheet: Worksheet, folder: str) -> list[Block]:
    """The letters that are still to be given, then all that was told, then the standing orders."""
    blocks: list[Block] = []
    waiting = [one for one in sheet.sales if one.state is IdentificationState.PLANNED]
    told = [one for one in sheet.sales if one.state is not IdentificationState.PLANNED]
    for one in waiting:
        blocks.append(Heading(f"To tell the broker of {one.account}: sale {one.order_id}"))
        blocks += [Sentence(instruction_text(one, sheet.currency)), Sentence(one.sentence)]
        blocks.append(
            Sentence(f"When it is done: {typed(f'tax instruct {one.order_id}', folder)}.", "quiet")
        )
    if told:
        blocks += [Heading("Told, or too late"), _table(told)]
        blocks += [item(f"{one.order_id}: {one.sentence}", _style(one)) for one in told]
    for order in sheet.standing:
        blocks.append(Heading(f"Standing order of {order.account}"))
        if order.confirmed_at is None:
            blocks.append(Sentence(standing_text(order)))
        blocks.append(Sentence(order.sentence))
    if not blocks:
        text = "No broker must be told anything about lots now."
        return [Sentence(text), Sentence(_why_nothing(sheet))]
    return [*blocks, *(item(note, "quiet") for note in NOTES)]


def instruction_text(sale: Identification, currency: str) -> str:
    """The instruction as somebody would write it to the broker."""
    verb = "I sell" if sale.sold_at is None else f"On {day_in_words(sale.sold_at)} I sold"
    takes = "Take them from these lots and no others:"
    what = "units" if sale.is_crypto else "shares"
    until = "no later than the moment of the sale"
    if not sale.is_crypto:
        until = f"by {time_in_words(sale.deadline)}"
        until += ", if it is sold on the next trading day" if sale.sold_at is None else ""
    lines = [
        f"To: the broker of account {sale.account}",
        f"{verb} {units(sale.quantity)} {what} of {sale.symbol}. {takes}",
        *(f"  - {_lot_text(lot, what, currency)}" for lot in sale.lots),
        f"This identifies what is sold (26 CFR 1.1012-1(c)); it must reach you {until}.",
        "Please confirm it in writing.",
    ]
    return "\n".join(lines)


def standing_text(order: StandingOrder) -> str:
    """The standing order as somebody would give it to the broker, once."""
    takes = "take the lots with the highest cost of a share first, and of equal ones the oldest."
    lines = [
        f"To: the broker of account {order.account}",
        f"Standing order, until I take it back: whatever is sold in this account, {takes}",
        "This identifies what is sold (26 CFR 1.1012-1(c)(8)).",
        "Please confirm it in writing.",
    ]
    return "\n".join(lines)


def instructions_document(sheet: Worksheet) -> InstructionsDocument:
    """All of it, every digit, with the letters."""
    return InstructionsDocument(
        household=sheet.household,
        currency=sheet.currency,
        at=sheet.at,
        sales=tuple(_sale_document(one, sheet.currency) for one in sheet.sales),
        standing_orders=tuple(
            StandingOrderDocument(
                account=order.account,
                relief=str(order.relief),
                confirmed_at=order.confirmed_at,
                reference=order.reference,
                sentence=order.sentence,
                letter=standing_text(order),
            )
            for order in sheet.standing
        ),
        notes=NOTES,
    )


def _lot_text(lot: Lot, what: str, currency: str) -> str:
    return (
        f"{units(lot.quantity)} {what} acquired on {lot.acquired}, cost "
        f"{money(lot.basis, currency)} ({price_text(lot.unit_cost)} each)"
    )


def _table(sales: Sequence[Identification]) -> Table:
    columns = (
        Column("account"),
        Column("symbol"),
        Column("quantity", is_figure=True),
        Column("state"),
        Column("sold"),
        Column("lots acquired", spare=1),
        Column("sale", spare=2),
    )
    rows = [
        (
            one.account,
            one.symbol,
            units(one.quantity),
            str(one.state),
            "-" if one.sold_at is None else f"{trade_date(one.sold_at)}",
            ", ".join(f"{lot.acquired}" for lot in one.lots),
            one.order_id,
        )
        for one in sales
    ]
    return Table(columns, tuple(Row(cells) for cells in rows))


def _style(sale: Identification) -> str:
    return {"confirmed": "good", "instructed": "warn", "lapsed": "bad"}.get(str(sale.state), "")


def _why_nothing(sheet: Worksheet) -> str:
    """How the household's accounts tell their brokers, so that nothing is left to its owner."""
    reliefs = ", ".join(f"{one.id} {one.relief}" for one in sheet.accounts.values())
    return (
        f"The relief of each account: {reliefs}. First in, first out needs no word, and the paper "
        "broker hears of the lots with each order."
    )


def _sale_document(sale: Identification, currency: str) -> InstructionDocument:
    return InstructionDocument(
        order_id=sale.order_id,
        account=sale.account,
        symbol=sale.symbol,
        quantity=digits(sale.quantity),
        lots=tuple(
            NamedLotDocument(
                lot_id=lot.id,
                acquired=lot.acquired,
                quantity=digits(lot.quantity),
                basis=digits(lot.basis),
            )
            for lot in sale.lots
        ),
        state=str(sale.state),
        deadline=sale.deadline,
        sold_at=sale.sold_at,
        told_at=sale.told_at,
        confirmed_at=sale.confirmed_at,
        reference=sale.reference,
        sentence=sale.sentence,
        letter=instruction_text(sale, currency),
    )
