"""What `--what-if` assumes: money paid in or taken out, and prices that moved."""

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from msgspec.structs import replace

from trimtab.domain.errors import FileFaults, InputError
from trimtab.domain.facts import Facts
from trimtab.domain.memory import Memory
from trimtab.domain.numbers import CENT, ONE, ZERO, Money, Price, Weight
from trimtab.domain.policy import FlowRule, HouseholdFile
from trimtab.domain.values import AccountKind, Quote, Snapshot, trade_date
from trimtab.rules.deposits import paid_in
from trimtab.rules.schedule import withdrawals_due
from trimtab.rules.words import money

OPTION = "--what-if"
_FLOWS = ("deposit", "withdraw")
_DIGITS_MAX = 15
_FACTOR_MAX = 100
_SYMBOLS_SHOWN = 12
_NUMBER = re.compile(r"[+-]?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]+)?")
_CHANGE = re.compile(r"([+-]?[0-9]+(?:\.[0-9]+)?)\s*%")


class Assumptions(NamedTuple):
    """Money by account; prices by symbol, as a factor of today's or as a price of its own.

    `texts` are the assumptions as they were written, with the account where none was named.
    """

    deposits: Mapping[str, Money]
    withdrawals: Mapping[str, Money]
    factors: Mapping[str, Weight]
    prices: Mapping[str, Price]
    texts: tuple[str, ...]


class Supposed(NamedTuple):
    """What a decision is made from, the policy apart."""

    snapshot: Snapshot
    memory: Memory
    facts: Facts


class _Fault(Exception):
    """What is wrong with one assumption, in one sentence."""


def read_assumptions(texts: Sequence[str], file: HouseholdFile) -> Assumptions:
    """What *texts*, each KEY=VALUE, assume of the household of *file* with its policy in force.

    Raises:
        InputError: a key or a value cannot be understood; all of them are told.
    """
    reader = _Reader(file)
    faults, told = [], []
    for text in texts:
        try:
            told.append(reader.read(text))
        except _Fault as fault:
            faults.append(f"{text}: {fault}")
    _tell(faults)
    return Assumptions(
        reader.money["deposit"],
        reader.money["withdraw"],
        reader.factors,
        reader.prices,
        tuple(told),
    )


def moved(before: Supposed, assumptions: Assumptions) -> Supposed:
    """*before* as if *assumptions* were so.

    A deposit is there and settled; a withdrawal is due today, so that the plan provides for it.
    A moved price has no previous close, so that nothing takes it for bad data.

    Raises:
        InputError: a price is assumed that nothing here depends on, or more money is to be taken
            out than the account is worth; all of them are told.
    """
    snapshot, memory, facts = before
    quotes = dict(snapshot.quotes)
    faults = []
    for symbol, factor in _factors(snapshot, assumptions):
        if symbol not in quotes:
            faults.append(f"{symbol}: it is neither held nor in a class, so no plan depends on it")
        else:
            quotes[symbol] = _scaled(quotes[symbol], factor)
    snapshot = paid_in(replace(snapshot, quotes=quotes), assumptions.deposits)
    for account, amount in assumptions.withdrawals.items():
        worth = _worth(snapshot, account)
        if amount > worth:
            faults.append(
                f"withdraw:{account}: {money(amount, snapshot.base_currency)} is more than the "
                f"{money(worth, snapshot.base_currency)} that {account} is worth"
            )
    _tell(faults)
    flow = sum(assumptions.deposits.values(), ZERO)
    memory = replace(memory, pending_flow=memory.pending_flow + flow)
    if not assumptions.withdrawals:
        return Supposed(snapshot, memory, facts)
    today = trade_date(snapshot.at)
    due = [
        FlowRule(account=account, amount=amount, first=today)
        for account, amount in assumptions.withdrawals.items()
    ]
    # What was taken out already counts for what was due without them, and not for these.
    due += _still_due(memory, facts, today)
    memory = replace(memory, flows=memory.paid_in())
    return Supposed(snapshot, memory, replace(facts, withdrawals=tuple(due)))


def _still_due(memory: Memory, facts: Facts, today: dt.date) -> Iterator[FlowRule]:
    """What [[withdrawals]] still take out in the days for which the plan provides."""
    assert memory.policy is not None, "a plan was made under a policy"
    for one in withdrawals_due(facts.withdrawals, memory.policy, memory, today):
        yield FlowRule(account=one.account, amount=one.amount, first=one.date)


class _Reader:
    """Reads one assumption after another; two about one thing are a fault."""

    def __init__(self, file: HouseholdFile) -> None:
        """Read what is assumed of the household of *file*."""
        self.money: dict[str, dict[str, Money]] = {name: {} for name in _FLOWS}
        self.factors: dict[str, Weight] = {}
        self.prices: dict[str, Price] = {}
        self._file = file

    def read(self, text: str) -> str:
        """Take in *text*; gives it back with the account that it means.

        Raises:
            _Fault: it cannot be understood.
        """
        key, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not key or not value:
            raise _Fault("write KEY=VALUE, such as deposit=5000, withdraw=3000 or VTI=-20%")
        word, colon, account = (part.strip() for part in key.partition(":"))
        name = _named(word, _FLOWS)
        if name is not None:
            account = self._account(account) if colon else self._first_taxable(name)
            self._read_flow(name, account, value)
            return f"{name}:{account}={value}"
        symbol = _named(key, self._file.instruments)
        of_class = _named(key, self._file.classes)
        if symbol is not None and (key in self._file.instruments or of_class != key):
            self._read_price(symbol, value)
            return f"{symbol}={value}"
        if of_class is None:
            raise self._unknown(key)
        self._read_class(of_class, value)
        return f"{of_class}={value}"

    def _unknown(self, key: str) -> _Fault:
        """That *key* means nothing here, with what would."""
        classes, symbols = self._file.classes, sorted(self._file.instruments)
        shown = ", ".join(symbols[:_SYMBOLS_SHOWN])
        more = len(symbols) - _SYMBOLS_SHOWN
        return _Fault(
            f"{key!r} is neither deposit, withdraw, a symbol nor a class of this household: "
            f"its classes are {', '.join(classes)}, its symbols {shown}"
            f"{f' and {more} more' if more > 0 else ''}"
        )

    def _account(self, told: str) -> str:
        account = _named(told, self._file.accounts)
        if account is None:
            known = ", ".join(self._file.accounts)
            raise _Fault(f"there is no account {told!r}: the household has {known}")
        return account

    def _read_flow(self, name: str, account: str, value: str) -> None:
        if account in self.money[name]:
            raise _Fault(f"{name} for {account} is given twice")
        self.money[name][account] = _amount(value)

    def _first_taxable(self, name: str) -> str:
        for account, rule in self._file.accounts.items():
            if rule.kind is AccountKind.TAXABLE:
                return account
        first = next(iter(self._file.accounts))
        raise _Fault(f"no account is taxable: name one, such as {name}:{first}=...")

    def _read_price(self, symbol: str, value: str) -> None:
        self._require_unmoved(symbol)
        if value.endswith("%"):
            self.factors[symbol] = _factor(value)
        else:
            self.prices[symbol] = _price(value)

    def _read_class(self, name: str, value: str) -> None:
        if not value.endswith("%"):
            raise _Fault(f"{name} is a class, which moves by a percentage, such as {name}=-10%")
        members = [
            member
            for member in self._file.classes[name].members
            if member in self._file.instruments
        ]
        if not members:
            raise _Fault(f"{name} is cash, whose price does not move")
        factor = _factor(value)
        for symbol in members:
            self._require_unmoved(symbol)
        self.factors |= dict.fromkeys(members, factor)

    def _require_unmoved(self, symbol: str) -> None:
        if symbol in self.factors or symbol in self.prices:
            raise _Fault(f"the price of {symbol} is moved twice")


def _named(told: str, known: Iterable[str]) -> str | None:
    """Which of *known* is meant by *told*, in any letter case; None where it is not one of them."""
    names = list(known)
    if told in names:
        return told
    alike = [name for name in names if name.casefold() == told.casefold()]
    return alike[0] if len(alike) == 1 else None


def _tell(faults: list[str]) -> None:
    """Raises InputError where there are *faults*."""
    if len(faults) == 1:
        raise InputError(f"{OPTION} {faults[0]}.")
    if faults:
        raise FileFaults(OPTION, faults)


def _amount(value: str) -> Money:
    amount = _number(value)
    if amount is None or amount <= 0:
        raise _Fault(
            f"{value!r} is no amount: write one above zero in plain digits, such as 5000, 5,000 or "
            "5000.50"
        )
    if amount != amount.quantize(CENT):
        raise _Fault(f"{value!r} is no amount: write it in whole cents")
    return amount


def _price(value: str) -> Price:
    price = _number(value)
    if price is None or price <= 0:
        raise _Fault(
            f"{value!r} is no price: write a change such as -20% or a price such as 210.50"
        )
    return price


def _factor(value: str) -> Weight:
    found = _CHANGE.fullmatch(value)
    factor = ZERO if found is None else ONE + Decimal(found[1]) / 100
    if found is None or not 0 < factor <= _FACTOR_MAX:
        raise _Fault(f"{value!r} is no change of a price: write one above -100%, such as -20%")
    return factor


def _number(value: str) -> Decimal | None:
    """The number that *value* spells in digits, thousands parted by commas or not; else None."""
    if _NUMBER.fullmatch(value) is None:
        return None
    number = Decimal(value.replace(",", ""))
    return number if number.adjusted() < _DIGITS_MAX else None


def _factors(snapshot: Snapshot, assumptions: Assumptions) -> Iterator[tuple[str, Weight]]:
    """By what each moved price is multiplied; one where the price is not known."""
    yield from assumptions.factors.items()
    for symbol, price in assumptions.prices.items():
        quote = snapshot.quotes.get(symbol)
        yield symbol, ONE if quote is None else price / quote.price


def _scaled(quote: Quote, factor: Weight) -> Quote:
    original = None if quote.original is None else quote.original * factor
    return replace(
        quote,
        bid=quote.bid * factor,
        ask=quote.ask * factor,
        original=original,
        previous_close=None,
        source="assumed",
    )


def _worth(snapshot: Snapshot, account: str) -> Money:
    """What *account* is worth at the bid, cash of the base currency included."""
    in_lots: Iterable[Money] = (
        lot.quantity * snapshot.quotes[lot.symbol].bid
        for lot in snapshot.lots
        if lot.account == account
    )
    in_cash = (
        balance.amount
        for balance in snapshot.balances
        if balance.account == account and balance.currency == snapshot.base_currency
    )
    return sum(in_lots, ZERO) + sum(in_cash, ZERO)
