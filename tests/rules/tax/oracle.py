"""Section 1091 share by share: slow, obvious, and written apart from the ledger that it judges.

Every share is an object of its own and every amount a fraction. The whole history is known from
the beginning, so a loss looks for its replacement in the past and in the future at once:

    for each taxed loss share, in order of disposition (inside one sale by acquisition, then by its
    place in the lot), take the first share, by acquisition and place, of the household's identical
    group that was bought within thirty days of the sale, in another purchase, has replaced nothing
    yet, and was not sold earlier or in this very sale.

26 CFR 1.1091-1 and -2; 26 USC 1223(3); Rev. Rul. 56-602 and 2008-5. A split of a symbol counts
from the beginning, so that all shares of a symbol are of one size throughout.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import reduce
from math import gcd, lcm

from tests.rules.tax.rows import Open, Row, gathered

from trimtab.domain.history import TaxAccount, Transaction, TransactionKind, WashRule
from trimtab.domain.trades import Term
from trimtab.domain.values import OwnerRole

PURCHASES = {TransactionKind.BUY, TransactionKind.REINVEST, TransactionKind.VEST}
ACQUISITIONS = PURCHASES | {TransactionKind.GIFT, TransactionKind.OPENING}
MOVES = ACQUISITIONS | {TransactionKind.SELL, TransactionKind.TRANSFER}
SHARES_MAX = 100_000
"""More shares than this would take the oracle forever: choose rounder quantities."""


@dataclass(slots=True, eq=False)
class Share:
    """One share, or one smallest part of a share that the history names."""

    account: str
    symbol: str
    lot: str
    purchase: str
    order: tuple[dt.date, int, int]
    """When it was acquired, in which transaction, and where it stands in its lot."""
    basis: Fraction
    paid: Fraction
    since: dt.date
    is_bought: bool
    is_used: bool = False
    is_sold: bool = False

    @property
    def acquired(self) -> dt.date:
        return self.order[0]

    @property
    def number(self) -> int:
        return self.order[1]


@dataclass(slots=True, eq=False)
class Judgement:
    """What came of a history: rows of taxed sales, lots left, and who replaced whom."""

    rows: list[Row] = field(default_factory=list)
    left: list[tuple[Share, Fraction]] = field(default_factory=list)
    pairs: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Shares by sale, lot sold and lot that replaced it, in units of the sale's day."""
    paid: Fraction = Fraction(0)
    """What everything ever acquired in taxed accounts cost."""

    def taxed_rows(self) -> dict[tuple[str, str, dt.date], Row]:
        return gathered(self.rows)

    def open_lots(self) -> list[Open]:
        return [
            Open(
                account=share.account,
                lot=share.lot,
                since=share.since,
                acquired=share.acquired,
                symbol=share.symbol,
                quantity=size,
                basis=share.basis,
            )
            for share, size in self.left
        ]


def judge(
    transactions: Sequence[Transaction],
    accounts: Mapping[str, TaxAccount],
    rule: WashRule,
    rates: tuple[Decimal, Decimal] | None = None,
) -> Judgement:
    """The whole history, judged from its end."""
    sizes = _Sizes(transactions, rule)
    shares = _shares(transactions, sizes)
    court = _Court(accounts, rule, rates, shares)
    judgement = Judgement()
    for number, transaction in enumerate(transactions):
        if transaction.kind in {TransactionKind.SELL, TransactionKind.TRANSFER}:
            counts = sizes.counts(number, transaction)
            held = [
                share
                for share in shares[transaction.symbol]
                if share.account == transaction.account
                and share.number < number
                and not share.is_sold
            ]
            chosen = court.choose(held, transaction, counts)
            if transaction.kind is TransactionKind.TRANSFER:
                for share in chosen:
                    share.account = transaction.to_account
            else:
                court.sell(chosen, transaction, sizes.size(number, transaction.symbol), judgement)
    for symbol, all_shares in shares.items():
        size = sizes.size(len(transactions), symbol)
        judgement.left += [(share, size) for share in all_shares if not share.is_sold]
        judgement.paid += sum(
            share.paid for share in all_shares if accounts[share.account].is_taxed
        )
    return judgement


class _Sizes:
    """How large the smallest part of each symbol is, and how splits make it grow."""

    def __init__(self, transactions: Sequence[Transaction], rule: WashRule) -> None:
        self._splits: dict[str, list[tuple[int, Fraction]]] = defaultdict(list)
        seen = set()
        for number, split in enumerate(transactions):
            ratio = Fraction(split.numerator, split.denominator)
            same = (split.symbol, split.date, ratio)
            if split.kind is TransactionKind.SPLIT and same not in seen:
                seen.add(same)
                self._splits[split.symbol].append((number, ratio))
        quantities: dict[str, set[Fraction]] = defaultdict(set)
        for number, transaction in enumerate(transactions):
            if transaction.kind in MOVES:
                names = [transaction.quantity, *(pick.quantity for pick in transaction.picks)]
                growth = self._growth(number, transaction.symbol)
                quantities[transaction.symbol] |= {Fraction(name) * growth for name in names}
        self._parts = {
            symbol: _common_part(
                [part for other in _identical(symbol, rule) for part in quantities.get(other, ())]
            )
            for symbol in quantities
        }

    def _growth(self, number: int, symbol: str) -> Fraction:
        """How many shares of the end one share of then has become."""
        found = Fraction(1)
        for when, ratio in self._splits.get(symbol, ()):
            if when > number:
                found *= ratio
        return found

    def size(self, number: int, symbol: str) -> Fraction:
        """The smallest part in shares of then."""
        return self._parts[symbol] / self._growth(number, symbol)

    def counts(self, number: int, transaction: Transaction) -> list[int]:
        """How many parts: all of them, then pick by pick."""
        size = self.size(number, transaction.symbol)
        found = []
        for quantity in (transaction.quantity, *(pick.quantity for pick in transaction.picks)):
            parts = Fraction(quantity) / size
            assert parts.denominator == 1
            assert parts < SHARES_MAX, f"{transaction.id} has {parts} parts"
            found.append(int(parts))
        return found


def _common_part(quantities: Iterable[Fraction]) -> Fraction:
    positive = [quantity for quantity in quantities if quantity]
    bottom = lcm(*(quantity.denominator for quantity in positive))
    return Fraction(reduce(gcd, (int(quantity * bottom) for quantity in positive), 0), bottom)


def _identical(symbol: str, rule: WashRule) -> set[str]:
    return {symbol}.union(*(group for group in rule.groups if symbol in group))


def _shares(transactions: Sequence[Transaction], sizes: _Sizes) -> dict[str, list[Share]]:
    """Every share that is ever acquired, by symbol."""
    found: dict[str, list[Share]] = defaultdict(list)
    for number, bought in enumerate(transactions):
        if bought.kind not in ACQUISITIONS:
            continue
        (count,) = sizes.counts(number, bought)
        cost, acquired, since = _terms(bought)
        found[bought.symbol] += [
            Share(
                account=bought.account,
                symbol=bought.symbol,
                lot=bought.id,
                purchase=bought.order_id or bought.id,
                order=(acquired, number, place),
                basis=cost / count,
                paid=cost / count,
                since=since,
                is_bought=bought.kind is not TransactionKind.GIFT,
            )
            for place in range(count)
        ]
    return found


def _terms(bought: Transaction) -> tuple[Fraction, dt.date, dt.date]:
    """Cost, actual acquisition and start of holding.

    A gift is acquired when it is given and held since its giver held it; an opening lot was
    bought when the records say.
    """
    if bought.kind in PURCHASES:
        return Fraction(bought.amount) + Fraction(bought.fee), bought.date, bought.date
    assert bought.basis is not None
    assert bought.acquired is not None
    is_gift = bought.kind is TransactionKind.GIFT
    acquired = bought.date if is_gift else bought.acquired
    return Fraction(bought.basis), acquired, bought.holding_since or bought.acquired


class _Court:
    """Chooses the shares of a sale and judges its losses."""

    def __init__(
        self,
        accounts: Mapping[str, TaxAccount],
        rule: WashRule,
        rates: tuple[Decimal, Decimal] | None,
        shares: Mapping[str, list[Share]],
    ) -> None:
        self._accounts, self._rule, self._rates, self._shares = accounts, rule, rates, shares
        self._rivals: dict[tuple[tuple[str, ...], str], list[Share]] = {}

    def choose(
        self, held: list[Share], transaction: Transaction, counts: Sequence[int]
    ) -> list[Share]:
        total, *picked = counts
        aged = sorted(held, key=lambda share: share.order)
        if transaction.picks:
            chosen = []
            for pick, count in zip(transaction.picks, picked, strict=True):
                of_lot = [s for s in aged if s.lot == pick.lot_id and s not in chosen]
                assert len(of_lot) >= count, f"{transaction.id} picks too much of {pick.lot_id}"
                chosen += of_lot[:count]
        else:
            assert len(aged) >= total, f"{transaction.id} takes more than there is"
            chosen = self._ranked(aged, transaction, total)[:total]
        assert len(chosen) == total
        return chosen

    def _ranked(self, aged: list[Share], transaction: Transaction, count: int) -> list[Share]:
        if transaction.kind is TransactionKind.TRANSFER:
            return aged
        price = _net(transaction) / count
        match transaction.method:
            case "lifo":
                return sorted(aged, key=lambda s: (-s.acquired.toordinal(), -s.number, s.order[2]))
            case "hifo":
                return sorted(aged, key=lambda s: -s.basis)
            case "min_tax":
                assert self._rates is not None
                short, long = (Fraction(rate) for rate in self._rates)

                def tax(share: Share) -> Fraction:
                    rate = long if _term(share.since, transaction.date) is Term.LONG else short
                    return (price - share.basis) * rate

                return sorted(aged, key=tax)
            case _:
                return aged

    def sell(
        self, chosen: list[Share], sale: Transaction, size: Fraction, judgement: Judgement
    ) -> None:
        for share in chosen:
            share.is_sold = True
        proceeds = _net(sale) / len(chosen)
        if not self._accounts[sale.account].is_taxed:
            return
        for share in sorted(chosen, key=lambda share: share.order):
            loss = max(share.basis - proceeds, Fraction(0))
            other = self._replacement(share, sale) if loss else None
            is_lost = other is not None and not self._accounts[other.account].is_taxed
            judgement.rows.append(
                Row(
                    sale=sale.id,
                    lot=share.lot,
                    since=share.since,
                    acquired=share.acquired,
                    sold=sale.date,
                    term=_term(share.since, sale.date),
                    quantity=size,
                    proceeds=proceeds,
                    basis=share.basis,
                    disallowed=loss if other else Fraction(0),
                    permanent=loss if is_lost else Fraction(0),
                    account=sale.account,
                    symbol=sale.symbol,
                )
            )
            if other is not None:
                other.is_used = True
                judgement.pairs[sale.id, share.lot, other.lot] += size  # type: ignore[assignment]  # a Counter of fractions
                if not is_lost:
                    other.basis += loss
                    other.since = self._tacked(share, other, sale.date)

    def _replacement(self, share: Share, sale: Transaction) -> Share | None:
        since = self._rule.crypto_wash_from
        if sale.symbol in self._rule.exempt and (since is None or sale.date < since):
            return None
        for other in self._rivals_of(sale.account, sale.symbol):
            if (
                -30 <= (other.acquired - sale.date).days <= 30
                and other.is_bought
                and not other.is_used
                and not other.is_sold
                and other.purchase != share.purchase
                and (self._rule.earlier_acquired or other.order >= share.order)
            ):
                return other
        return None

    def _rivals_of(self, account: str, symbol: str) -> list[Share]:
        """Every share, of any time, that this taxpayer acquires of *symbol* or its like."""
        unit = self._unit(account)
        if (unit, symbol) not in self._rivals:
            self._rivals[unit, symbol] = sorted(
                (
                    share
                    for other in _identical(symbol, self._rule)
                    for share in self._shares.get(other, ())
                    if self._unit(share.account) == unit
                ),
                key=lambda share: share.order,
            )
        return self._rivals[unit, symbol]

    def _unit(self, account: str) -> tuple[str, ...]:
        owner = self._accounts[account]
        return ("other", owner.owner) if owner.role is OwnerRole.OTHER else ("couple",)

    def _tacked(self, sold: Share, bought: Share, on: dt.date) -> dt.date:
        match self._rule.tacking:
            case "date":
                return sold.since
            case "no_overlap":
                gap = max(bought.acquired - on, dt.timedelta(0))
                return min(bought.acquired, sold.since + gap)
            case _:
                return bought.acquired - (on - sold.since)


def _net(sale: Transaction) -> Fraction:
    return Fraction(sale.amount) - Fraction(sale.fee)


def _term(since: dt.date, sold: dt.date) -> Term:
    """Long when the same day of the year before is not before the first day of holding."""
    first = since + dt.timedelta(days=1)
    is_long = (sold.year - 1, sold.month, sold.day) >= (first.year, first.month, first.day)
    return Term.LONG if is_long else Term.SHORT
