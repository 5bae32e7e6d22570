"""Random households that live on the edges of section 1091, the same for the same seed.

Dense where the rules turn: 28 to 32 days between trades, anniversaries, leap days, the end of a
year, several trades on one day; parts of lots; an IRA, a spouse and somebody else; identical
symbols; gifts, reinvested dividends, orders with several fills, transfers, splits (of symbols
without a like) and lots named one by one.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal
from random import Random

from hypothesis import strategies as st
from msgspec import Struct
from tests.rules.tax.oracle import judge

from trimtab.domain.history import TaxAccount, Transaction, TransactionKind, WashRule
from trimtab.domain.policy import LotMethod, Tacking
from trimtab.domain.trades import LotPick
from trimtab.domain.values import AccountKind, OwnerRole

ACCOUNTS = {
    account.id: account
    for account in (
        TaxAccount(id="mine", owner="anna"),
        TaxAccount(id="more", owner="anna"),
        TaxAccount(id="ira", owner="anna", kind=AccountKind.TRADITIONAL_IRA),
        TaxAccount(id="roth", owner="ben", role=OwnerRole.SPOUSE, kind=AccountKind.ROTH_IRA),
        TaxAccount(id="his", owner="ben", role=OwnerRole.SPOUSE),
        TaxAccount(id="child", owner="kim", role=OwnerRole.OTHER),
        TaxAccount(id="trust", owner="kim", role=OwnerRole.OTHER),
        TaxAccount(id="friend", owner="lou", role=OwnerRole.OTHER),
    )
}
NEIGHBOURS = {
    "mine": ("more", "his"),
    "more": ("mine", "his"),
    "his": ("mine", "more"),
    "ira": ("roth",),
    "roth": ("ira",),
    "child": ("trust",),
    "trust": ("child",),
}
"""Where units may simply move to."""
GROUP = ("IVV", "SPY", "VOO")
RATES = (Decimal("0.37"), Decimal("0.15"))
STARTS = (
    *(dt.date(2022, 11, 20), dt.date(2022, 12, 31), dt.date(2023, 2, 26)),
    *(dt.date(2023, 2, 28), dt.date(2024, 1, 30), dt.date(2024, 2, 28), dt.date(2024, 2, 29)),
    *(dt.date(2024, 12, 1), dt.date(2025, 1, 31)),
)
GAPS = (
    *(0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 7, 14, 15, 15, 16),
    *(13, 17, 28, 29, 29, 30, 30, 30, 31, 31, 32, 60, 334),
)
EDGES = (
    *(dt.date(2024, 2, 28), dt.date(2024, 2, 29), dt.date(2024, 3, 1), dt.date(2025, 2, 28)),
    *(dt.date(year, 12, 31) for year in range(2022, 2027)),
    *(dt.date(year, 1, 1) for year in range(2023, 2028)),
)
SPLITS = ((2, 1), (3, 1), (3, 2), (1, 2))
METHODS: tuple[LotMethod, ...] = ("fifo", "lifo", "hifo", "min_tax", "specified")


class History(Struct, frozen=True, kw_only=True):
    """What a household did, and the rule to judge it by."""

    seed: int
    transactions: tuple[Transaction, ...]
    rule: WashRule
    accounts: Mapping[str, TaxAccount]
    rates: tuple[Decimal, Decimal]


def history(seed: int, length: int | None = None, *, parts_move: bool = False) -> History:
    """The household of that number, with *length* trades or 8 to 40 of them.

    Lots move between accounts whole, unless *parts_move*: which part of a lot that lies in two
    accounts comes first is a tie that the law leaves open.
    """
    return _Writer(seed, length, parts_move=parts_move).history()


def histories(*, parts_move: bool = False) -> st.SearchStrategy[History]:
    """Histories of any seed, the short ones first."""
    seeds, lengths = st.integers(0, 2**32 - 1), st.integers(2, 40)
    return st.builds(history, seeds, lengths, parts_move=st.just(parts_move))


class _Writer:
    """Writes one history, keeping count of what every account holds."""

    def __init__(self, seed: int, length: int | None, *, parts_move: bool) -> None:
        self.seed, self.rng, self.parts_move = seed, Random(seed), parts_move
        rng = self.rng
        self.length = length or rng.randint(8, 40)
        self.accounts = rng.sample(tuple(ACCOUNTS), rng.randint(1, 4))
        has_group = rng.random() < 0.6
        self.symbols = [*(GROUP[: rng.randint(2, 3)] if has_group else ())]
        least = 0 if has_group else 1
        self.symbols += rng.sample(("ZIG", "ZAG", "ZIG", "BTC"), 3)[: rng.randint(least, 2)]
        self.symbols = list(dict.fromkeys(self.symbols))
        self.can_split = {"ZIG", "ZAG"}
        self.grid = Decimal(rng.choice(("1", "1", "0.5", "0.25")))
        self.rule = self._rule()
        self.prices = {symbol: Decimal(rng.randint(16, 60)) for symbol in self.symbols}
        self.held: dict[tuple[str, str], Decimal] = {}
        self.on = rng.choice(STARTS) + dt.timedelta(days=rng.choice((0, 0, 1, 13)))
        self.done: list[Transaction] = []

    def _rule(self) -> WashRule:
        rng = self.rng
        counts_earlier = rng.random() < 0.9
        # Taken over by `date`, the start of a lot bought before the one sold would move up.
        later: tuple[Tacking, ...] = ("period", "no_overlap", "date")
        tackings = later[:2] if counts_earlier else later
        return WashRule(
            groups=(GROUP,) if rng.random() < 0.9 else (),
            exempt=frozenset({"BTC"}),
            crypto_wash_from=None if rng.random() < 0.8 else dt.date(2023, 6, 1),
            earlier_acquired=counts_earlier,
            tacking="period" if rng.random() < 0.85 else rng.choice(tackings),
        )

    def history(self) -> History:
        for _ in range(self.rng.randint(0, 2) if self.rng.random() < 0.2 else 0):
            self._open()
        while len(self.done) < self.length:
            self._next_day()
            for transaction in self._something():
                self.done.append(transaction)
        return History(
            seed=self.seed,
            transactions=tuple(self.done),
            rule=self.rule,
            accounts=ACCOUNTS,
            rates=RATES,
        )

    def _next_day(self) -> None:
        gap = self.rng.choice(GAPS)
        near = [day for day in EDGES if 0 < (day - self.on).days <= 31]
        is_near = self.rng.random() < 0.2
        if self.rng.random() < 0.05:
            is_near, near = True, self._anniversaries()
        if near and is_near:
            gap = (self.rng.choice(near) - self.on).days
        self.on += dt.timedelta(days=gap)
        for symbol, price in self.prices.items():
            step = Decimal(self.rng.choice(("-4", "-2", "-1", "-1", "-0.5", "0", "0", "0.25", "3")))
            self.prices[symbol] = max(price + step, Decimal(4))
        if gap and self.rng.random() < 0.03:
            self._split()

    def _anniversaries(self) -> list[dt.date]:
        """Days on which something done before is a year old, or nearly, or just so."""
        days = (one.date + dt.timedelta(days=age) for one in self.done for age in (365, 366, 367))
        return [day for day in days if day > self.on]

    def _something(self) -> Iterator[Transaction]:
        rng = self.rng
        holdings = sorted(key for key, quantity in self.held.items() if quantity)
        if not holdings or rng.random() < 0.5:
            yield from self._bought()
            return
        account, symbol = rng.choice(holdings)
        if rng.random() < 0.08 and NEIGHBOURS.get(account):
            yield self._moved(account, symbol)
        else:
            yield self._sold(account, symbol)

    def _bought(self) -> Iterator[Transaction]:
        rng = self.rng
        account, symbol = rng.choice(self.accounts), rng.choice(self.symbols)
        kind = rng.choice(("buy",) * 6 + ("reinvest", "reinvest", "vest", "gift"))
        order = f"order-{len(self.done)}" if kind == "buy" and rng.random() < 0.12 else ""
        for fill in range(rng.randint(2, 3) if order else 1):
            quantity = self._some(rng.choice((1, 4, 12)))
            gross = quantity * self.prices[symbol]
            given = {}
            if kind == "gift":
                days = rng.choice((3, 29, 30, 31, 200, 365, 366, 900))
                given = {"basis": gross + 7, "acquired": self.on - dt.timedelta(days=days)}
            self._hold(account, symbol, quantity)
            yield Transaction(
                id=f"t{len(self.done)}" if not fill else f"t{len(self.done)}-{fill}",
                date=self.on,
                account=account,
                kind=TransactionKind(kind),
                symbol=symbol,
                quantity=quantity,
                amount=Decimal(0) if given else gross,
                fee=Decimal(0) if given else Decimal(rng.choice(("0", "0", "0", "1", "0.07"))),
                order_id=order,
                **given,  # type: ignore[arg-type]  # the facts of one kind
            )

    def _sold(self, account: str, symbol: str) -> Transaction:
        rng = self.rng
        has = self.held[account, symbol]
        quantity = has if rng.random() < 0.4 else min(has, self._some(12))
        method = rng.choice(METHODS)
        self._hold(account, symbol, -quantity)
        return Transaction(
            id=f"t{len(self.done)}",
            date=self.on,
            account=account,
            kind=TransactionKind.SELL,
            symbol=symbol,
            quantity=quantity,
            amount=quantity * self.prices[symbol],
            fee=Decimal(rng.choice(("0", "0", "0.5", "0.07"))),
            method=method,
            picks=self._picks(account, symbol, quantity) if method == "specified" else (),
        )

    def _moved(self, account: str, symbol: str) -> Transaction:
        rng = self.rng
        goal = rng.choice(NEIGHBOURS[account])
        named = rng.random() < 0.5
        if self.parts_move:
            quantity = min(self.held[account, symbol], self._some(12))
            picks = self._picks(account, symbol, quantity) if named else ()
        else:
            lots = self._there(account, symbol)
            names = rng.sample(list(lots), rng.randint(1, len(lots))) if named else list(lots)
            picks = tuple(LotPick(lot_id=name, quantity=lots[name]) for name in names)
            quantity = sum((pick.quantity for pick in picks), Decimal(0))
            picks = picks if named else ()
        self._hold(account, symbol, -quantity)
        self._hold(goal, symbol, quantity)
        return Transaction(
            id=f"t{len(self.done)}",
            date=self.on,
            account=account,
            kind=TransactionKind.TRANSFER,
            symbol=symbol,
            quantity=quantity,
            to_account=goal,
            method="specified" if named else "fifo",
            picks=picks,
        )

    def _picks(self, account: str, symbol: str, quantity: Decimal) -> tuple[LotPick, ...]:
        there = self._there(account, symbol)
        picks, left = [], quantity
        for name in self.rng.sample(sorted(there), len(there)):
            part = min(left, there[name])
            if part > 0:
                picks.append(LotPick(lot_id=name, quantity=part))
                left -= part
        return tuple(picks)

    def _there(self, account: str, symbol: str) -> dict[str, Decimal]:
        """Units by lot that the sales so far have left; the oracle knows."""
        there: dict[str, Decimal] = {}
        for lot in judge(self.done, ACCOUNTS, self.rule, RATES).open_lots():
            if (lot.account, lot.symbol) == (account, symbol):
                size = Decimal(lot.quantity.numerator) / lot.quantity.denominator
                there[lot.lot] = there.get(lot.lot, Decimal(0)) + size
        return there

    def _split(self) -> None:
        """All accounts tell of the split, the first thing in the morning."""
        symbols = [symbol for symbol in self.symbols if symbol in self.can_split]
        if not symbols:
            return
        symbol = self.rng.choice(symbols)
        numerator, denominator = self.rng.choice(SPLITS)
        self.prices[symbol] = max(self.prices[symbol] * denominator // numerator, Decimal(4))
        self.can_split.discard(symbol)
        for account in ACCOUNTS:
            if (account, symbol) in self.held:
                self.held[account, symbol] *= Decimal(numerator) / denominator
            self.done.append(
                Transaction(
                    id=f"split-{symbol}-{account}",
                    date=self.on,
                    account=account,
                    kind=TransactionKind.SPLIT,
                    symbol=symbol,
                    numerator=numerator,
                    denominator=denominator,
                )
            )

    def _open(self) -> None:
        """A lot that was there when the records began."""
        account, symbol = self.rng.choice(self.accounts), self.rng.choice(self.symbols)
        quantity = self._some(12)
        days = self.rng.choice((1, 29, 30, 31, 364, 365, 366))
        self._hold(account, symbol, quantity)
        self.done.append(
            Transaction(
                id=f"opening-{len(self.done)}",
                date=self.on,
                account=account,
                kind=TransactionKind.OPENING,
                symbol=symbol,
                quantity=quantity,
                basis=quantity * self.prices[symbol] + 10,
                acquired=self.on - dt.timedelta(days=days),
            )
        )

    def _some(self, most: int) -> Decimal:
        return self.grid * self.rng.randint(1, int(most / self.grid))

    def _hold(self, account: str, symbol: str, quantity: Decimal) -> None:
        before = self.held.get((account, symbol), Decimal(0))
        self.held[account, symbol] = before + quantity
