"""Wash sales as they happen: which units replace which loss, share for share (26 USC 1091).

A loss is matched with units held that were bought within the window, the oldest first; what is
left of it waits in a queue. Each later purchase serves the queue in the order of disposition. No
adjustment ever reaches a unit that is sold already, so that only queued losses can still change.
This gives what the regulation's definition over the whole history gives (26 CFR 1.1091-1(b)-(e)).
"""

import datetime as dt
from bisect import insort
from collections import deque
from collections.abc import Callable

from trimtab.domain.history import LotSale, Reporting, WashMatch, WashRule
from trimtab.domain.numbers import ZERO, Money, Quantity, exact_share
from trimtab.domain.policy import Tacking
from trimtab.domain.trades import Term
from trimtab.rules.tax.pieces import LotRow, Piece

WINDOW_DAYS = 30
"""Days before and days after the sale, which is day 0: 61 days in all (26 USC 1091(a))."""


def in_window(sold: dt.date, acquired: dt.date) -> bool:
    """Whether units acquired on one date can replace what was sold at a loss on the other.

    Examples:
        >>> in_window(dt.date(2025, 3, 1), dt.date(2025, 3, 31))
        True
        >>> in_window(dt.date(2025, 3, 1), dt.date(2025, 4, 1))
        False
    """
    return abs((acquired - sold).days) <= WINDOW_DAYS


def first_safe_day(day: dt.date) -> dt.date:
    """The first day for a purchase after a loss on *day*, or for a loss after a purchase on it."""
    return day + dt.timedelta(days=WINDOW_DAYS + 1)


def tacked(
    acquired: dt.date, sold: dt.date, holding_since: dt.date, tacking: Tacking = "period"
) -> dt.date:
    """The start of a replacement's holding period, that of the units sold included.

    26 USC 1223(3): by default the days are added, also where both were held at once, as Example 3
    of 26 CFR 1.1091-1(h) counts. `date` takes over the start itself; `no_overlap` leaves out days
    on which both were held.

    Examples:
        >>> tacked(dt.date(1956, 2, 15), dt.date(1956, 2, 1), dt.date(1954, 9, 15))
        datetime.date(1954, 9, 29)
    """
    held = sold - holding_since
    match tacking:
        case "period":
            return acquired - held
        case "date":
            return min(acquired, holding_since)
        case "no_overlap":
            both = sold - max(acquired, holding_since)
            return acquired - (held - max(both, dt.timedelta(0)))


class Disposed:
    """Units sold together; the ledger adds to `disallowed` until the window has closed."""

    __slots__ = (
        "account",
        "acquired",
        "basis",
        "disallowed",
        "id",
        "is_exempt",
        "is_taxed",
        "lot",
        "order_id",
        "permanent",
        "piece",
        "proceeds",
        "quantity",
        "replaced",
        "reporting",
        "sale_id",
        "since",
        "sold",
        "source",
        "term",
    )

    def __init__(  # noqa: PLR0913  a row of the tax log
        self,
        *,
        id: str,  # noqa: A002  a row's id
        sale_id: str,
        lot: LotRow,
        piece: str,
        quantity: Quantity,
        since: dt.date,
        sold: dt.date,
        proceeds: Money,
        basis: Money,
        term: Term,
        reporting: Reporting,
        is_exempt: bool,
        order_id: str,
        source: str,
    ) -> None:
        """Nothing disallowed yet."""
        self.id = id
        self.sale_id = sale_id
        self.lot = lot
        self.account = lot.account
        self.acquired = lot.acquired
        self.piece = piece
        self.quantity = quantity
        self.since = since
        self.sold = sold
        self.proceeds = proceeds
        self.basis = basis
        self.term = term
        self.reporting = reporting
        self.is_exempt = is_exempt
        self.is_taxed = lot.account.is_taxed
        self.order_id = order_id
        self.source = source
        self.disallowed: Money = ZERO
        self.permanent: Money = ZERO
        self.replaced: Quantity = ZERO

    def frozen(self) -> LotSale:
        """The row as a value."""
        return LotSale(
            id=self.id,
            sale_id=self.sale_id,
            account=self.account.id,
            symbol=self.lot.symbol,
            lot_id=self.lot.id,
            piece=self.piece,
            quantity=self.quantity,
            acquired=self.acquired,
            holding_since=self.since,
            sold=self.sold,
            proceeds=self.proceeds,
            basis=self.basis,
            term=self.term,
            is_taxed=self.is_taxed,
            disallowed=self.disallowed,
            permanent=self.permanent,
            replaced=self.replaced,
            is_exempt=self.is_exempt,
            reporting=self.reporting,
            order_id=self.order_id,
            source=self.source,
        )


class Loss:
    """The units of a sale at a loss that nothing has replaced yet.

    `quantity` and `loss` are what is left, in today's units; `scale` is how many of today's units
    one sold unit became by splits.
    """

    __slots__ = ("loss", "quantity", "row", "scale")

    def __init__(self, row: Disposed, loss: Money) -> None:
        """What nothing has replaced of *row*, and the *loss* on it (positive)."""
        self.row = row
        self.quantity = row.quantity - row.replaced
        self.loss = loss
        self.scale: Quantity | None = None


class Group:
    """Everything substantially identical of one taxpayer: units that can still replace, and losses.

    `available` are unused units of purchases, the oldest first, as long as they are held and a
    loss may still reach them; `waiting` are losses in the order of disposition.
    """

    __slots__ = ("available", "report", "rule", "waiting")

    def __init__(self, rule: WashRule, report: Callable[[WashMatch], None]) -> None:
        """Nothing bought and nothing lost; *report* is told of every match."""
        self.rule = rule
        self.report = report
        self.available: deque[Piece] = deque()
        self.waiting: deque[Loss] = deque()

    def offer(self, piece: Piece) -> None:
        """Units of a purchase come into the household: losses that wait take them first.

        Units that come with a holding period from before their purchase have replaced a loss.
        """
        if not piece.lot.is_purchase:
            return
        if not piece.is_used:
            self._serve(piece)
        if not piece.is_used:
            self.keep(piece)

    def keep(self, piece: Piece) -> None:
        """Note *piece* as one that a later loss may find."""
        if not self.available or _age(self.available[-1]) <= _age(piece):
            self.available.append(piece)
        else:
            insort(self.available, piece, key=_age)

    def lose(self, row: Disposed) -> None:
        """A sale at a loss: units held replace it, and what is left waits for a purchase."""
        loss = Loss(row, row.basis - row.proceeds - row.disallowed)
        while self.available and _is_past(self.available[0], row.sold):
            self.available.popleft()
        passed: list[Piece] = []
        while loss.quantity > 0 and self.available:
            piece = self.available.popleft()
            if piece.quantity == 0 or piece.is_used:
                continue
            if not self._replaces(piece, row):
                passed.append(piece)
                continue
            rest = self._match(loss, piece)
            if rest is not None:
                self.available.appendleft(rest)
        self.available.extendleft(reversed(passed))
        if loss.quantity > 0:
            self.waiting.append(loss)

    def forget_before(self, day: dt.date) -> None:
        """Drop the losses whose window has closed by *day*."""
        while self.waiting and (day - self.waiting[0].row.sold).days > WINDOW_DAYS:
            self.waiting.popleft()

    def scale(self, symbol: str, numerator: int, denominator: int) -> None:
        """A split of *symbol*: what waits is counted in the new units."""
        for loss in self.waiting:
            if loss.row.lot.symbol == symbol:
                loss.quantity = loss.quantity * numerator / denominator
                loss.scale = (loss.scale or 1) * Quantity(numerator) / denominator

    def _serve(self, piece: Piece) -> None:
        left: Piece | None = piece
        passed: list[Loss] = []
        while self.waiting and left is not None:
            loss = self.waiting.popleft()
            if not self._replaces(left, loss.row):
                passed.append(loss)
                continue
            left = self._match(loss, left)
            if loss.quantity > 0:
                passed.append(loss)
        self.waiting.extendleft(reversed(passed))

    def _replaces(self, piece: Piece, row: Disposed) -> bool:
        """Whether units of *piece* can replace those of *row*: window, and another purchase."""
        lot = piece.lot
        if lot.purchase == row.lot.purchase or not in_window(row.sold, lot.acquired):
            return False
        return self.rule.earlier_acquired or lot.age >= row.lot.age

    def _match(self, loss: Loss, piece: Piece) -> Piece | None:
        """Replace what *loss* and *piece* have in common; gives what is left of the piece."""
        row, quantity = loss.row, min(loss.quantity, piece.quantity)
        rest: Piece | None = None
        used = piece
        if quantity < piece.quantity:
            rest, used = piece, piece.cut(quantity)
            piece.lot.put_front(used)
        amount = exact_share(loss.loss, quantity, loss.quantity)
        used.is_used = True
        is_permanent = not used.lot.account.is_taxed
        if is_permanent:
            row.permanent += amount
        else:
            since = tacked(used.lot.acquired, row.sold, row.since, self.rule.tacking)
            used.take_loss(amount, since)
        row.disallowed += amount
        row.replaced += quantity if loss.scale is None else quantity / loss.scale
        loss.quantity -= quantity
        loss.loss -= amount
        self.report(
            WashMatch(
                sale_row=row.id,
                sale_id=row.sale_id,
                symbol=row.lot.symbol,
                account=row.account.id,
                lot_id=row.lot.id,
                sold=row.sold,
                replacement_account=used.lot.account.id,
                replacement_symbol=used.lot.symbol,
                replacement_lot=used.lot.id,
                acquired=used.lot.acquired,
                quantity=quantity,
                disallowed=amount,
                is_permanent=is_permanent,
            )
        )
        return rest


def _age(piece: Piece) -> tuple[tuple[dt.date, int], Quantity]:
    return piece.age


def _is_past(piece: Piece, sold: dt.date) -> bool:
    """Whether *piece* is too old for a loss on *sold* and for every later one."""
    return (sold - piece.lot.acquired).days > WINDOW_DAYS
