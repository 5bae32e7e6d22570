"""What a broker's file says, as a page and as a document."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from trimtab.apps.views.figures import cents, counted, price_text
from trimtab.apps.views.page import Block, Column, Heading, Row, Sentence, Table, item
from trimtab.apps.views.tax_documents_trading import (
    ImportCashDocument,
    ImportCashLineDocument,
    ImportDocument,
    ImportLotDocument,
    ImportPositionDocument,
    ImportSaleDocument,
    ImportTransactionDocument,
)
from trimtab.domain.history import TaxAccount, Transaction, TransactionKind
from trimtab.domain.imported import (
    BrokerSale,
    CashLine,
    Imported,
    ImportedCash,
    ImportedLot,
    ImportedPosition,
)
from trimtab.domain.numbers import Money
from trimtab.rules.words import listing, units

SHOWN = 20
"""Rows of a long list that the page shows without --all."""
TRANSACTION_COLUMNS = ImportTransactionDocument.__struct_fields__
_UNKNOWN = "UNKNOWN"


def imported_page(imported: Imported, *, shows_all: bool = False) -> list[Block]:
    """Format and accounts, then every list that the file has, and its notes."""
    day = "" if imported.as_of is None else f", as of {imported.as_of}"
    page: list[Block] = [Heading(f"{imported.source}: {imported.format}{day}")]
    page.append(Sentence(_summary(imported)))
    most = None if shows_all else SHOWN
    lists = (
        ("positions", [_position_row(one) for one in imported.positions], _POSITIONS),
        ("cash", [_cash_row(one) for one in imported.cash], _CASH),
        ("lots", [_lot_row(one) for one in imported.lots], _LOTS),
        ("transactions", [_transaction_row(one) for one in imported.transactions], _TRANSACTIONS),
        ("realized sales", [_sale_row(one) for one in imported.sales], _SALES),
        ("other cash lines", [_cash_line_row(one) for one in imported.cash_lines], _CASH_LINES),
    )
    for name, rows, columns in lists:
        if rows:
            page += _listed(name, rows, columns, most)
    if imported.sales:
        page.append(Sentence(f"Realized gain of all sales: {cents(imported.realized_gain)} USD."))
    if imported.notes:
        page += [Heading("Notes"), *(item(note, "quiet") for note in imported.notes)]
    return page


def imported_document(imported: Imported) -> ImportDocument:
    """Everything that the file says."""
    accounts = {one.id: one for one in imported.tax_accounts}
    return ImportDocument(
        source=imported.source,
        format=imported.format,
        as_of=imported.as_of,
        accounts=imported.accounts,
        positions=tuple(_position_document(one) for one in imported.positions),
        lots=tuple(_lot_document(one) for one in imported.lots),
        transactions=tuple(
            transaction_document(one, accounts.get(one.account)) for one in imported.transactions
        ),
        sales=tuple(_sale_document(one) for one in imported.sales),
        cash=tuple(
            ImportCashDocument(account=one.account, amount=f"{one.amount:f}", currency=one.currency)
            for one in imported.cash
        ),
        cash_lines=tuple(
            ImportCashLineDocument(
                account=one.account,
                date=one.date,
                kind=one.kind,
                amount=f"{one.amount:f}",
                currency=one.currency,
                symbol=one.symbol,
                text=one.text,
            )
            for one in imported.cash_lines
        ),
        realized_gain=f"{imported.realized_gain:f}",
        notes=imported.notes,
    )


def transaction_document(
    one: Transaction, account: TaxAccount | None = None
) -> ImportTransactionDocument:
    """A transaction in the columns of the CSV of one's own, empty where one says nothing.

    A transfer to nobody knows where cannot be judged: it becomes a line to look at.
    """
    kind = one.kind
    text = one.text
    if kind is TransactionKind.TRANSFER and not one.to_account:
        kind, text = TransactionKind.REVIEW, f"a transfer to an unknown account {text}".rstrip()
    is_review = kind is TransactionKind.REVIEW
    return ImportTransactionDocument(
        date=one.date,
        account=one.account,
        action=kind.value,
        symbol=one.symbol or _UNKNOWN,
        quantity=_number(one.quantity),
        amount=_number(one.amount) if kind in _PAID else "",
        fee=_number(one.fee) if one.fee else "",
        lots=_lots_text(one),
        method=one.method if one.method not in {"fifo", "specified"} else "",
        order=one.order_id,
        basis="" if one.basis is None or is_review else f"{one.basis:f}",
        acquired="" if one.acquired is None else f"{one.acquired}",
        holding_since="" if one.holding_since is None else f"{one.holding_since}",
        disallowed=_number(one.disallowed) if one.disallowed else "",
        to=one.to_account,
        ratio=f"{one.numerator}:{one.denominator}" if kind is TransactionKind.SPLIT else "",
        per_share=_number(one.per_share) if kind is TransactionKind.DIVIDEND else "",
        preferred="yes" if one.is_preferred else "",
        nonqualified="yes" if one.is_nonqualified else "",
        form="" if one.reporting is None else one.reporting.value,
        id=one.id,
        text=text,
        owner="" if account is None else account.owner,
        role="" if account is None else account.role.value,
        account_kind="" if account is None else account.kind.value,
    )


_PAID = frozenset(
    {
        TransactionKind.BUY,
        TransactionKind.REINVEST,
        TransactionKind.VEST,
        TransactionKind.SELL,
        TransactionKind.CLOSED,
    }
)


def _lots_text(one: Transaction) -> str:
    """`t1:10;t2:5`, each lot once; of a closed lot its name."""
    if one.kind is TransactionKind.CLOSED:
        return one.lot_id
    named: dict[str, Decimal] = {}
    for pick in one.picks:
        named[pick.lot_id] = named.get(pick.lot_id, Decimal(0)) + pick.quantity
    return ";".join(f"{lot}:{quantity:f}" for lot, quantity in named.items())


def _summary(imported: Imported) -> str:
    """`2 accounts (X1, X2): 3 positions, 12 transactions.`."""
    named = [name or "not named" for name in imported.accounts]
    where = f"{counted(len(named), 'account')} ({listing(named)})" if named else "No account named"
    parts = [
        counted(len(rows), noun)
        for rows, noun in (
            (imported.positions, "position"),
            (imported.lots, "lot"),
            (imported.transactions, "transaction"),
            (imported.sales, "realized sale"),
            (imported.cash, "cash balance"),
            (imported.cash_lines, "other cash line"),
        )
        if rows
    ]
    return f"{where}: {listing(parts) or 'nothing in it'}."


def _listed(
    name: str, rows: Sequence[Row], columns: tuple[Column, ...], most: int | None
) -> Iterable[Block]:
    shown = rows if most is None else rows[:most]
    yield Heading(name.capitalize())
    yield Table(columns, tuple(shown))
    if len(rows) > len(shown):
        more = len(rows) - len(shown)
        yield Sentence(f"{more} more {name}: --all shows them.", "quiet")


_POSITIONS = (
    Column("account", spare=1),
    Column("symbol"),
    Column("quantity", is_figure=True),
    Column("price", is_figure=True),
    Column("value", is_figure=True),
    Column("basis", is_figure=True),
    Column("currency", spare=2),
    Column("name", spare=3),
)
_CASH = (Column("account"), Column("amount", is_figure=True), Column("currency"))
_LOTS = (
    Column("account", spare=1),
    Column("symbol"),
    Column("quantity", is_figure=True),
    Column("acquired"),
    Column("basis", is_figure=True),
    Column("term", spare=2),
    Column("held since", spare=3),
)
_TRANSACTIONS = (
    Column("date"),
    Column("account", spare=1),
    Column("action"),
    Column("symbol"),
    Column("quantity", is_figure=True),
    Column("amount", is_figure=True),
    Column("fee", is_figure=True, spare=3),
    Column("remark", spare=2),
)
_SALES = (
    Column("line", is_figure=True, spare=3),
    Column("account", spare=1),
    Column("symbol"),
    Column("quantity", is_figure=True),
    Column("acquired"),
    Column("sold"),
    Column("term", spare=2),
    Column("proceeds", is_figure=True),
    Column("basis", is_figure=True),
    Column("disallowed", is_figure=True),
    Column("gain", is_figure=True, spare=2),
)
_CASH_LINES = (
    Column("date"),
    Column("account", spare=1),
    Column("kind"),
    Column("amount", is_figure=True),
    Column("currency", spare=2),
    Column("symbol", spare=2),
    Column("text", spare=3),
)


def _plain(text: str) -> str:
    """*text* of a file on one line, without anything that could upset a terminal."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())


def _position_row(one: ImportedPosition) -> Row:
    price = "-" if one.price is None else price_text(one.price)
    money = (_money(one.value), _money(one.basis))
    return Row(
        (
            one.account,
            one.symbol,
            units(one.quantity),
            price,
            *money,
            one.currency,
            _plain(one.name),
        )
    )


def _cash_row(one: ImportedCash) -> Row:
    return Row((one.account, cents(one.amount), one.currency))


def _lot_row(one: ImportedLot) -> Row:
    return Row(
        (
            one.account,
            one.symbol,
            units(one.quantity),
            "unknown" if one.acquired is None else f"{one.acquired}",
            _money(one.basis),
            "" if one.term is None else str(one.term),
            "" if one.holding_since in {None, one.acquired} else f"{one.holding_since}",
        )
    )


def _transaction_row(one: Transaction) -> Row:
    is_review = one.kind is TransactionKind.REVIEW
    remark = one.text
    if one.kind is TransactionKind.SPLIT:
        remark = f"{one.numerator} for {one.denominator}"
    elif one.kind is TransactionKind.TRANSFER:
        remark = f"to {one.to_account or 'an account that is not named'}"
    return Row(
        (
            f"{one.date}",
            one.account,
            one.kind.value,
            one.symbol,
            units(one.quantity) if one.quantity else "-",
            cents(one.amount) if one.kind in _PAID else "-",
            cents(one.fee) if one.fee else "-",
            _plain(remark),
        ),
        "warn" if is_review else "",
    )


def _sale_row(one: BrokerSale) -> Row:
    return Row(
        (
            f"{one.line}",
            one.account,
            one.symbol or one.cusip,
            units(one.quantity),
            "various" if one.acquired is None else f"{one.acquired}",
            f"{one.sold}",
            "" if one.term is None else str(one.term),
            cents(one.proceeds),
            _money(one.basis),
            _money(one.disallowed),
            _money(one.gain),
        )
    )


def _cash_line_row(one: CashLine) -> Row:
    text = _plain(one.text)
    return Row(
        (f"{one.date}", one.account, one.kind, cents(one.amount), one.currency, one.symbol, text)
    )


def _position_document(one: ImportedPosition) -> ImportPositionDocument:
    return ImportPositionDocument(
        account=one.account,
        symbol=one.symbol,
        name=one.name,
        cusip=one.cusip,
        quantity=f"{one.quantity:f}",
        price=_digits(one.price),
        value=_digits(one.value),
        basis=_digits(one.basis),
        currency=one.currency,
    )


def _lot_document(one: ImportedLot) -> ImportLotDocument:
    return ImportLotDocument(
        account=one.account,
        symbol=one.symbol,
        quantity=f"{one.quantity:f}",
        acquired=one.acquired,
        holding_since=one.holding_since,
        basis=_digits(one.basis),
        unadjusted_basis=_digits(one.unadjusted_basis),
        term=None if one.term is None else one.term.value,
        currency=one.currency,
    )


def _sale_document(one: BrokerSale) -> ImportSaleDocument:
    return ImportSaleDocument(
        account=one.account,
        symbol=one.symbol,
        cusip=one.cusip,
        quantity=f"{one.quantity:f}",
        acquired=one.acquired,
        sold=one.sold,
        proceeds=f"{one.proceeds:f}",
        basis=_digits(one.basis),
        disallowed=_digits(one.disallowed),
        gain=_digits(one.gain),
        term=None if one.term is None else one.term.value,
        form=None if one.reporting is None else one.reporting.value,
        line=one.line,
    )


def _money(amount: Money | None) -> str:
    return "-" if amount is None else cents(amount)


def _digits(number: Decimal | None) -> str | None:
    return None if number is None else f"{number:f}"


def _number(number: Decimal) -> str:
    return f"{number:f}" if number else ""
