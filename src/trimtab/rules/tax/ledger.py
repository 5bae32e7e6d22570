"""The tax ledger: a household's history, transaction by transaction, into lots and taxed sales.

Sales take lots of their own account only (26 USC 1012(c)(1); wallets: 26 CFR 1.1012-1(j)); wash
sales are searched over everything the household owns. Amounts are exact: what a lot loses to its
pieces adds up to the last digit, and nothing is rounded before it is printed.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, localcontext

from trimtab.domain.errors import InputError
from trimtab.domain.history import (
    LotSale,
    Reporting,
    Review,
    TaxAccount,
    TaxLot,
    Transaction,
    TransactionKind,
    WashMatch,
    WashRule,
)
from trimtab.domain.numbers import DUST, EXACT, ZERO, Money, Quantity, Weight, exact_share
from trimtab.rules.tax.dividends import Holding
from trimtab.rules.tax.entitlement import Entitled, Share, SplitTold, holdings_of
from trimtab.rules.tax.grouping import group_names
from trimtab.rules.tax.history_order import by_order, order_of_disposition
from trimtab.rules.tax.lots import term_of
from trimtab.rules.tax.matching import Disposed, Group
from trimtab.rules.tax.pieces import LotRow, Piece, Row, moved, tax_lot
from trimtab.rules.tax.reviewing import gift_reviews, reviews_of
from trimtab.rules.tax.selection import select

_LEAST, _MOST = Decimal("1E-18"), Decimal("1E+15")
"""Fewer units than a wei, and more than a quadrillion units or dollars, are a mistake."""


class Ledger:
    """Lots, sales and wash sales of a household, extended event by event.

    Transactions come in the order of their dates; each changes only what it touches, so that a
    live journal is extended without computing its past again.
    """

    def __init__(
        self,
        accounts: Mapping[str, TaxAccount],
        rule: WashRule,
        rates: tuple[Weight, Weight] | None = None,
    ) -> None:
        """An empty ledger over *accounts*; *rates* (short, long) serve the method `min_tax`."""
        self._accounts = accounts
        self._rule = rule
        self._rates = rates
        self._group_of = group_names(rule)
        self._groups: dict[tuple[str, str], Group] = {}
        self._rows: dict[tuple[str, str], Row] = {}
        self._sales: list[Disposed] = []
        self._told_sales: tuple[LotSale, ...] | None = None
        self._matches: list[WashMatch] = []
        self._dividends: list[Entitled] = []
        self._splits: list[SplitTold] = []
        self._names: set[tuple[str, str]] = set()
        self._to_review: list[Transaction] = []
        self._splits_told: dict[tuple[str, str], int] = {}
        self._sequence = 0
        self._until = dt.date.min

    # ------------------------------------------------------------------ reading

    @property
    def until(self) -> dt.date:
        """The date of the last transaction."""
        return self._until

    def sales(self) -> tuple[LotSale, ...]:
        """Every piece sold, in the order of disposition, with what is disallowed so far."""
        if self._told_sales is None:
            self._told_sales = tuple(row.frozen() for row in self._sales)
        return self._told_sales

    def lots(self) -> tuple[TaxLot, ...]:
        """What is held, by account and symbol, the oldest lot and the front of each first."""
        return tuple(
            tax_lot(piece) for key in sorted(self._rows) for piece in self._rows[key].pieces()
        )

    def matches(self) -> tuple[WashMatch, ...]:
        """Every wash sale, share for share, in the order in which it was found."""
        return tuple(self._matches)

    def dividends(self) -> tuple[Transaction, ...]:
        """The dividends that were told, for the holding test of the shareholder."""
        return tuple(entitled.dividend for entitled in self._dividends)

    def holdings(self, dividend: Transaction) -> list[Holding]:
        """The units that *dividend* was paid on, with the days of their purchase and sale."""
        entitled = next(one for one in self._dividends if one.dividend is dividend)
        names = {share.lot_id for share in entitled.shares}
        sales = (row.frozen() for row in self._sales if row.lot.id in names)
        whole = (self._accounts[dividend.account].taxpayer, dividend.symbol)
        splits = [one for one in self._splits if (one.taxpayer, one.symbol) == whole]
        return holdings_of(entitled, sales, splits)

    def to_review(self) -> tuple[Transaction, ...]:
        """Options and short positions that were told, beside a loss or not."""
        return tuple(self._to_review)

    def reviews(self) -> tuple[Review, ...]:
        """Options and short positions within the window of a loss, which a person must judge."""
        losses = [row for row in self._sales if is_loss(row)]
        near = reviews_of(self._to_review, losses, self._accounts, self._group_of)
        return (*near, *gift_reviews(losses))

    @property
    def rule(self) -> WashRule:
        """What counts as identical, and the answers to what the law leaves open."""
        return self._rule

    @property
    def rates(self) -> tuple[Weight, Weight] | None:
        """The household's rates, short and long."""
        return self._rates

    @property
    def accounts(self) -> Mapping[str, TaxAccount]:
        """The accounts of the ledger by id."""
        return self._accounts

    # ------------------------------------------------------------------ writing

    def extend(
        self, transactions: Iterable[Transaction], refused: list[InputError] | None = None
    ) -> None:
        """Apply *transactions* one after the other.

        With *refused*, those that cannot be applied are left out and said there.

        Raises:
            InputError: one cannot be, and there is no *refused*; those before it stay applied.
        """
        for fills in by_order(transactions):
            self._apply_all(fills, refused)

    def apply(self, transaction: Transaction) -> None:
        """Apply one transaction; a refused one changes nothing.

        The fills of one order to sell belong together: give them to `extend`, or what the first
        of them sells at a loss is replaced by what the next one sells.

        Raises:
            InputError: it names an account that is not known, comes before the last one, or takes
                more than is held.
        """
        self._apply_all([transaction])

    def _apply_all(
        self, fills: Sequence[Transaction], refused: list[InputError] | None = None
    ) -> None:
        """Apply one transaction, or all fills of one order to sell."""
        sold: list[Disposed] = []
        self._told_sales = None
        with localcontext(EXACT):
            for transaction in fills:
                try:
                    account = self._checked(transaction)
                    if transaction.kind is TransactionKind.SELL:
                        sold += self._sell(transaction)
                    else:
                        self._apply(transaction, account)
                except InputError as error:
                    if refused is None:
                        self._match(sold)
                        raise
                    refused.append(error)
                else:
                    self._until = max(self._until, transaction.date)
            self._match(sold)

    def _checked(self, transaction: Transaction) -> TaxAccount:
        account = self._accounts.get(transaction.account)
        if account is None:
            msg = (
                f"{_where(transaction)}: no account is called {transaction.account!r}: describe "
                "it, or correct the name."
            )
            raise InputError(msg)
        if transaction.date < self._until:
            msg = (
                f"{_where(transaction)}: {transaction.date} comes after {self._until}: put the "
                "transactions in the order of their dates."
            )
            raise InputError(msg)
        return account

    def _apply(self, transaction: Transaction, account: TaxAccount) -> None:
        match transaction.kind:
            case TransactionKind.BUY | TransactionKind.REINVEST | TransactionKind.VEST:
                self._buy(transaction, account, transaction.amount + transaction.fee)
            case TransactionKind.GIFT | TransactionKind.OPENING:
                self._buy(transaction, account, transaction.basis or ZERO)
            case TransactionKind.CLOSED:
                self._close(transaction, account)
            case TransactionKind.REMOVED:
                self._remove(transaction)
            case TransactionKind.RESTATED:
                self._row(transaction.account, transaction.symbol).restate(transaction)
            case TransactionKind.TRANSFER:
                self._transfer(transaction, account)
            case TransactionKind.SPLIT:
                self._split(transaction, account)
            case TransactionKind.DIVIDEND:
                self._dividends.append(self._entitled(transaction))
            case TransactionKind.REVIEW:
                self._to_review.append(transaction)

    def _buy(self, transaction: Transaction, account: TaxAccount, cost: Money) -> None:
        _require_quantity(transaction)
        row = self._row(transaction.account, transaction.symbol)
        lot_id = transaction.lot_id or transaction.id
        if row.lot(lot_id) is not None:
            msg = (
                f"{_where(transaction)}: {transaction.account} holds a lot {lot_id!r} already: "
                "give each purchase an id of its own."
            )
            raise InputError(msg)
        if transaction.kind is not TransactionKind.OPENING:
            self._require_new("purchase", f"{transaction.account}/{lot_id}", transaction)
        lot = self._new_lot(transaction, account, lot_id)
        since = transaction.holding_since or transaction.acquired or transaction.date
        piece = Piece(lot, transaction.quantity, cost, cost, since)
        piece.is_used = since < lot.acquired
        lot.put(piece)
        row.add(lot, transaction.quantity)
        group = self._group(account, transaction.symbol)
        group.forget_before(transaction.date)
        group.offer(piece)

    def _new_lot(self, transaction: Transaction, account: TaxAccount, lot_id: str) -> LotRow:
        """The lot of a purchase, gift or opening, without units yet.

        A gift is acquired on its day by somebody who bought nothing; what was held when the
        records began was bought on the day that they tell.
        """
        acquired = transaction.date
        if transaction.kind is TransactionKind.OPENING:
            acquired = transaction.acquired or transaction.date
        self._sequence += 1
        return LotRow(
            account=account,
            symbol=transaction.symbol,
            id=lot_id,
            acquired=acquired,
            sequence=self._sequence,
            purchase=f"{transaction.account}/{transaction.order_id or lot_id}",
            is_purchase=transaction.kind is not TransactionKind.GIFT,
        )

    def _sell(self, transaction: Transaction) -> list[Disposed]:
        """Take out what is sold; its losses are matched when the whole order is out."""
        _require_quantity(transaction)
        row = self._row(transaction.account, transaction.symbol)
        net = transaction.amount - transaction.fee
        takes = select(row, transaction, net / transaction.quantity, self._rates)
        self._require_new("sale", transaction.id, transaction)
        if len(takes) > 1:
            takes.sort(key=order_of_disposition)
        sold: list[Disposed] = []
        left_quantity, left_net = transaction.quantity, net
        for number, take in enumerate(takes):
            is_last = number == len(takes) - 1
            proceeds = left_net if is_last else exact_share(left_net, take.quantity, left_quantity)
            left_quantity -= take.quantity
            left_net -= proceeds
            piece = row.remove(take)
            sold.append(self._disposed(transaction, piece, proceeds, number))
            if piece is take.piece:
                _empty(piece)
        self._sales += sold
        return sold

    def _match(self, sold: Sequence[Disposed]) -> None:
        """Let what is held replace the losses of one order; what is left of them waits."""
        for row in sold:
            if is_loss(row):
                self._group(row.account, row.lot.symbol).lose(row)

    def _disposed(
        self, transaction: Transaction, piece: Piece, proceeds: Money, number: int
    ) -> Disposed:
        return Disposed(
            id=f"{transaction.id}/{number}",
            sale_id=transaction.id,
            lot=piece.lot,
            piece=piece.name,
            quantity=piece.quantity,
            since=piece.since,
            sold=transaction.date,
            proceeds=proceeds,
            basis=piece.basis,
            term=term_of(piece.since, transaction.date),
            reporting=self._reporting(transaction),
            is_exempt=self._rule.is_exempt(transaction.symbol, transaction.date),
            order_id=transaction.order_id,
            source=transaction.source,
        )

    def _reporting(self, transaction: Transaction) -> Reporting:
        """The form that was told of, or the usual one: none for coins, else with basis."""
        if transaction.reporting is not None:
            return transaction.reporting
        is_coin = transaction.symbol in self._rule.exempt
        return Reporting.NONE if is_coin else Reporting.BASIS_REPORTED

    def _close(self, transaction: Transaction, account: TaxAccount) -> None:
        """A sale from before the records, known with its lot: its loss can still be washed.

        Units that the account holds from the same day are taken for the rest of that purchase.
        """
        _require_quantity(transaction)
        lot = self._new_lot(transaction, account, transaction.lot_id or transaction.id)
        lot.acquired = transaction.acquired or transaction.date
        held = self._row(transaction.account, transaction.symbol).lots
        rest = (one.purchase for one in held if one.acquired == lot.acquired)
        lot.purchase = next(rest, lot.purchase)
        basis = transaction.basis or ZERO
        since = transaction.holding_since or lot.acquired
        piece = Piece(lot, transaction.quantity, basis, basis, since)
        row = self._disposed(transaction, piece, transaction.amount - transaction.fee, 0)
        row.disallowed = transaction.disallowed
        self._sales.append(row)
        if not is_loss(row):
            return
        loss = row.basis - row.proceeds
        if transaction.disallowed > 0:
            row.replaced = exact_share(row.quantity, min(transaction.disallowed, loss), loss)
        if row.replaced < row.quantity:
            self._group(account, transaction.symbol).lose(row)

    def _remove(self, transaction: Transaction) -> None:
        """Units that are not there any more, and of whose sale nobody told."""
        row = self._row(transaction.account, transaction.symbol)
        for take in select(row, transaction, ZERO, self._rates):
            _empty(row.remove(take))

    def _transfer(self, transaction: Transaction, account: TaxAccount) -> None:
        _require_quantity(transaction)
        target = self._accounts.get(transaction.to_account)
        is_parted = bool(transaction.lot_id)
        if target is None or (target.id == account.id and not is_parted):
            msg = (
                f"{_where(transaction)}: a transfer needs another account to go to, and "
                f"{transaction.to_account!r} is none: name one of the household's accounts."
            )
            raise InputError(msg)
        if target.is_taxed != account.is_taxed or target.taxpayer != account.taxpayer:
            msg = (
                f"{_where(transaction)}: units cannot simply move from {account.id} to "
                f"{target.id}, which is taxed in another way or belongs to somebody else: write "
                "it as what it was in law (a contribution, a distribution, a gift)."
            )
            raise InputError(msg)
        row = self._row(account.id, transaction.symbol)
        goal = self._row(target.id, transaction.symbol)
        group = self._group(account, transaction.symbol)
        takes = select(row, transaction, ZERO, self._rates)
        for take in takes:
            there = goal.lot(transaction.lot_id or take.piece.lot.id)
            if there is not None and there.purchase != take.piece.lot.purchase:
                msg = (
                    f"{_where(transaction)}: {target.id} holds another lot {there.id!r}: give each "
                    "purchase an id of its own."
                )
                raise InputError(msg)
        for take in takes:
            source_lot = take.piece.lot
            piece = row.remove(take)
            name = transaction.lot_id or source_lot.id
            lot = goal.lot(name)
            if lot is None:
                lot = moved(source_lot, target, name)
                goal.add(lot, ZERO)
            piece.lot = lot
            lot.put(piece)
            goal.quantity += piece.quantity
            if piece is not take.piece and lot.is_purchase and not piece.is_used:
                group.keep(piece)

    def _split(self, transaction: Transaction, account: TaxAccount) -> None:
        """Units change, basis and dates stay: a split is no purchase (26 USC 305(a), 307)."""
        numerator, denominator = transaction.numerator, transaction.denominator
        if numerator <= 0 or denominator <= 0:
            msg = f"{_where(transaction)}: a split is new units for old ones, such as 2:1."
            raise InputError(msg)
        told = {pick.lot_id: pick.quantity for pick in transaction.picks}
        self._row(account.id, transaction.symbol).split(numerator, denominator, told)
        # Every account tells of the same split, perhaps on another day: losses feel it once.
        place = (account.id, transaction.symbol)
        whole = (account.taxpayer, transaction.symbol)
        told_here = self._splits_told[place] = self._splits_told.get(place, 0) + 1
        if told_here > self._splits_told.get(whole, 0):
            self._splits_told[whole] = told_here
            ratio = Decimal(numerator) / denominator
            self._splits.append(SplitTold(*whole, transaction.date, ratio))
            group = self._group(account, transaction.symbol)
            group.scale(transaction.symbol, numerator, denominator)

    def _entitled(self, dividend: Transaction) -> Entitled:
        """The units held when the ex-date began; what was sold on it is paid too.

        A gift counts as held since the giver bought it (26 USC 1223(2)); the time that a wash
        sale adds does not count (26 USC 246(c)(3)).
        """
        shares: dict[str, Share] = {}

        def add(lot: LotRow, since: dt.date, quantity: Quantity) -> None:
            if lot.acquired < dividend.date:
                known = shares.get(lot.id)
                more = quantity if known is None else known.quantity + quantity
                shares[lot.id] = Share(lot.id, lot.acquired if lot.is_purchase else since, more)

        for piece in self._row(dividend.account, dividend.symbol).pieces():
            add(piece.lot, piece.since, piece.quantity)
        for row in reversed(self._sales):
            if row.sold < dividend.date:
                break
            if (row.account.id, row.lot.symbol) == (dividend.account, dividend.symbol):
                add(row.lot, row.since, row.quantity)
        return Entitled(dividend, tuple(shares.values()))

    def _require_new(self, kind: str, name: str, transaction: Transaction) -> None:
        if (kind, name) in self._names:
            msg = (
                f"{_where(transaction)}: a {kind} {name!r} was told before: give each an id of its "
                "own."
            )
            raise InputError(msg)
        self._names.add((kind, name))

    def held(self, account: str, symbol: str) -> Row | None:
        """The row of *symbol* in *account*, to look at and not to change; None if never held."""
        return self._rows.get((account, symbol))

    def group_of(self, account: str, symbol: str) -> Group | None:
        """Units and losses of everything identical to *symbol*, to look at and not to change."""
        taxpayer = self._accounts[account].taxpayer
        return self._groups.get((taxpayer, self._group_of.get(symbol, symbol)))

    def identical(self, symbol: str, other: str) -> bool:
        """Whether both count as substantially identical."""
        return self._group_of.get(symbol, symbol) == self._group_of.get(other, other)

    def _row(self, account: str, symbol: str) -> Row:
        return self._rows.setdefault((account, symbol), Row())

    def _group(self, account: TaxAccount, symbol: str) -> Group:
        key = (account.taxpayer, self._group_of.get(symbol, symbol))
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(self._rule, self._matches.append)
        return group


def _empty(piece: Piece) -> None:
    """Mark a piece that was sold whole, so that nobody takes it for a unit that is held."""
    piece.quantity = ZERO


def is_loss(row: Disposed) -> bool:
    """Whether section 1091 asks about the sale; what dividing leaves over is no loss."""
    return row.is_taxed and not row.is_exempt and row.basis - row.proceeds > DUST


def _require_quantity(transaction: Transaction) -> None:
    if not _LEAST <= transaction.quantity <= _MOST:
        msg = (
            f"{_where(transaction)}: a quantity of {transaction.quantity} cannot be used: write it "
            f"above 0, from {_LEAST:f} to {_MOST:f}."
        )
        raise InputError(msg)
    amounts = (transaction.amount, transaction.fee, transaction.basis or ZERO)
    if any(abs(amount) > _MOST for amount in amounts):
        raise InputError(f"{_where(transaction)}: more money than there is: correct the amount.")


def _where(transaction: Transaction) -> str:
    return transaction.source or f"transaction {transaction.id}"
