"""What a proposed sale or purchase would do to the tax ledger, which stays as it is.

The answer is what the ledger itself would say after the transaction: the same rows and the same
matches (26 USC 1091, 26 CFR 1.1091-1). Only units and losses within the window are looked at.
"""

from collections.abc import Iterable, Iterator
from decimal import localcontext

from msgspec import Struct
from msgspec.structs import replace

from trimtab.domain.errors import InputError
from trimtab.domain.history import (
    LotSale,
    Reporting,
    TaxAccount,
    Transaction,
    TransactionKind,
    WashMatch,
    WashRule,
)
from trimtab.domain.numbers import DUST, EXACT, ZERO, Money, Quantity, exact_share
from trimtab.rules.tax.history_order import order_of_disposition
from trimtab.rules.tax.ledger import Ledger
from trimtab.rules.tax.lots import term_of
from trimtab.rules.tax.matching import WINDOW_DAYS, Group, Loss, in_window
from trimtab.rules.tax.pieces import LotRow, Piece, Row, Take
from trimtab.rules.tax.selection import select

PURCHASES = frozenset({TransactionKind.BUY, TransactionKind.REINVEST, TransactionKind.VEST})
"""The kinds by which somebody acquires in the sense of section 1091(a)."""


class PreviewedPiece(Struct, frozen=True, kw_only=True):
    """Units of one piece of a lot that a sale would take, and what would replace them.

    `row` is the row of the tax log as it would be; `matches` name the units held that would take
    over its loss.
    """

    row: LotSale
    matches: tuple[WashMatch, ...] = ()

    @property
    def loss(self) -> Money:
        """The loss before section 1091, positive; zero where it counts for nothing."""
        row = self.row
        counts = row.is_taxed and not row.is_exempt
        return max(ZERO, -row.raw_gain) if counts else ZERO

    @property
    def waiting(self) -> Quantity:
        """Units sold at a loss that nothing has replaced yet: a later purchase still could."""
        return self.row.quantity - self.row.replaced if self.loss > 0 else ZERO


def preview_sale(ledger: Ledger, transaction: Transaction) -> tuple[PreviewedPiece, ...]:
    """The rows that the sale *transaction* would add to *ledger*, in the order of disposition.

    Raises:
        InputError: the ledger would refuse it.
    """
    assert transaction.kind is TransactionKind.SELL, "a sale is previewed as a sale"
    account = _account(ledger, transaction)
    held = ledger.held(transaction.account, transaction.symbol) or Row()
    group = ledger.group_of(transaction.account, transaction.symbol)
    with localcontext(EXACT):
        net = transaction.amount - transaction.fee
        takes = select(held, transaction, net / transaction.quantity, ledger.rates)
        takes.sort(key=order_of_disposition)
        rows = _rows(ledger, transaction, takes, account)
        if group is None:
            return tuple(PreviewedPiece(row=row) for row in rows)
        free = {piece: piece.quantity for piece in available(group, transaction)}
        for take in takes:
            if take.piece in free:
                free[take.piece] -= take.quantity
        return tuple(
            _replaced(row, take.piece.lot, free, ledger.rule)
            for row, take in zip(rows, takes, strict=True)
        )


def preview_purchase(ledger: Ledger, transaction: Transaction) -> tuple[WashMatch, ...]:
    """The losses already taken that the purchase *transaction* would wash, the earliest first.

    Raises:
        InputError: the ledger would refuse it.
    """
    assert transaction.kind in PURCHASES, "only a purchase is previewed as one"
    account = _account(ledger, transaction)
    lot_id = transaction.lot_id or transaction.id
    held = ledger.held(transaction.account, transaction.symbol)
    if held is not None and held.lot(lot_id) is not None:
        msg = (
            f"{_where(transaction)}: {transaction.account} holds a lot {lot_id!r} already: give "
            "each purchase an id of its own."
        )
        raise InputError(msg)
    group = ledger.group_of(transaction.account, transaction.symbol)
    matches: list[WashMatch] = []
    left = transaction.quantity
    with localcontext(EXACT):
        for loss in () if group is None else waiting(group, transaction):
            if left == 0:
                break
            quantity = min(loss.quantity, left)
            left -= quantity
            matches.append(_washed(loss, transaction, account, quantity))
    return tuple(matches)


def available(group: Group, sale: Transaction) -> list[Piece]:
    """Held units that a loss on the day of *sale* could find, the oldest first."""
    found: list[Piece] = []
    for piece in reversed(group.available):
        if (sale.date - piece.lot.acquired).days > WINDOW_DAYS:
            break
        if piece.quantity > 0 and not piece.is_used:
            found.append(piece)
    found.reverse()
    return found


def waiting(group: Group, purchase: Transaction) -> Iterator[Loss]:
    """Losses that *purchase* could wash, in the order of disposition."""
    name = f"{purchase.account}/{purchase.order_id or purchase.lot_id or purchase.id}"
    for loss in group.waiting:
        lot = loss.row.lot
        is_later = group.rule.earlier_acquired or purchase.date >= lot.acquired
        if lot.purchase != name and is_later and in_window(loss.row.sold, purchase.date):
            yield loss


def _rows(
    ledger: Ledger, transaction: Transaction, takes: Iterable[Take], account: TaxAccount
) -> list[LotSale]:
    """What would be sold, before any wash sale; proceeds add up to the last digit."""
    rule = ledger.rule
    usual = Reporting.NONE if transaction.symbol in rule.exempt else Reporting.BASIS_REPORTED
    left_quantity = transaction.quantity
    left_net = transaction.amount - transaction.fee
    rows = []
    for number, (piece, quantity) in enumerate(takes):
        proceeds = exact_share(left_net, quantity, left_quantity)
        left_quantity -= quantity
        left_net -= proceeds
        rows.append(
            LotSale(
                id=f"{transaction.id}/{number}",
                sale_id=transaction.id,
                account=account.id,
                symbol=transaction.symbol,
                lot_id=piece.lot.id,
                piece=piece.name,
                quantity=quantity,
                acquired=piece.lot.acquired,
                holding_since=piece.since,
                sold=transaction.date,
                proceeds=proceeds,
                basis=exact_share(piece.basis, quantity, piece.quantity),
                term=term_of(piece.since, transaction.date),
                is_taxed=account.is_taxed,
                is_exempt=rule.is_exempt(transaction.symbol, transaction.date),
                reporting=transaction.reporting or usual,
                order_id=transaction.order_id,
                source=transaction.source,
            )
        )
    return rows


def _replaced(
    row: LotSale, lot: LotRow, free: dict[Piece, Quantity], rule: WashRule
) -> PreviewedPiece:
    """*row* with what the *free* units replace of it; what they do is taken from *free*."""
    if not row.is_taxed or row.is_exempt or row.raw_gain >= -DUST:
        return PreviewedPiece(row=row)
    left, loss = row.quantity, -row.raw_gain
    matches: list[WashMatch] = []
    for piece, there in free.items():
        if left == 0:
            break
        if there == 0 or not _can_replace(rule, piece.lot, lot, row):
            continue
        quantity = min(left, there)
        amount = exact_share(loss, quantity, left)
        free[piece] -= quantity
        left -= quantity
        loss -= amount
        matches.append(_match(row, piece, quantity, amount))
    row = replace(
        row,
        disallowed=sum((match.disallowed for match in matches), ZERO),
        permanent=sum((match.disallowed for match in matches if match.is_permanent), ZERO),
        replaced=row.quantity - left,
    )
    return PreviewedPiece(row=row, matches=tuple(matches))


def _can_replace(rule: WashRule, bought: LotRow, lot: LotRow, row: LotSale) -> bool:
    """Window, another purchase, and, where the household reads the law so, not bought before."""
    if bought.purchase == lot.purchase or not in_window(row.sold, bought.acquired):
        return False
    return rule.earlier_acquired or bought.age >= lot.age


def _match(row: LotSale, piece: Piece, quantity: Quantity, amount: Money) -> WashMatch:
    return WashMatch(
        sale_row=row.id,
        sale_id=row.sale_id,
        symbol=row.symbol,
        account=row.account,
        lot_id=row.lot_id,
        sold=row.sold,
        replacement_account=piece.lot.account.id,
        replacement_symbol=piece.lot.symbol,
        replacement_lot=piece.lot.id,
        acquired=piece.lot.acquired,
        quantity=quantity,
        disallowed=amount,
        is_permanent=not piece.lot.account.is_taxed,
    )


def _washed(
    loss: Loss, purchase: Transaction, account: TaxAccount, quantity: Quantity
) -> WashMatch:
    row = loss.row
    return WashMatch(
        sale_row=row.id,
        sale_id=row.sale_id,
        symbol=row.lot.symbol,
        account=row.account.id,
        lot_id=row.lot.id,
        sold=row.sold,
        replacement_account=account.id,
        replacement_symbol=purchase.symbol,
        replacement_lot=purchase.lot_id or purchase.id,
        acquired=purchase.date,
        quantity=quantity,
        disallowed=exact_share(loss.loss, quantity, loss.quantity),
        is_permanent=not account.is_taxed,
    )


def _account(ledger: Ledger, transaction: Transaction) -> TaxAccount:
    account = ledger.accounts.get(transaction.account)
    if account is None:
        msg = (
            f"{_where(transaction)}: no account is called {transaction.account!r}: describe it, "
            "or correct the name."
        )
        raise InputError(msg)
    if transaction.date < ledger.until:
        msg = (
            f"{_where(transaction)}: the records reach to {ledger.until}, after "
            f"{transaction.date}: propose a trade for that day or a later one."
        )
        raise InputError(msg)
    if transaction.quantity <= 0:
        msg = f"{_where(transaction)}: the quantity is {transaction.quantity:f}: write it above 0."
        raise InputError(msg)
    return account


def _where(transaction: Transaction) -> str:
    return transaction.source or f"transaction {transaction.id}"
