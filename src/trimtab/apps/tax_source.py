"""Where the tax commands read from: a household's journal and files, or plain transactions."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from trimtab.adapters.accounts import read_accounts
from trimtab.adapters.identity import read_identical, read_identity
from trimtab.adapters.law import read_law
from trimtab.apps.home import Home, looking, read_household
from trimtab.apps.world import Recorder, load, open_books
from trimtab.domain.errors import DataSuspect, FileFaults, InputError
from trimtab.domain.history import LotSale, TaxAccount, Transaction, WashRule
from trimtab.domain.household import accounts_of, instruments_of
from trimtab.domain.identity import Identity, IdentityLevel
from trimtab.domain.imported import Imported
from trimtab.domain.law import Law
from trimtab.domain.numbers import Price
from trimtab.domain.policy import FilingStatus, HarvestRule, PurchaseRule, TaxRule
from trimtab.domain.ports import Clock
from trimtab.domain.values import AccountKind, OwnerRole, trade_date
from trimtab.rules.tax.books import books_of
from trimtab.rules.tax.ledger import Ledger

_FAULTS_MAX = 50


class TaxReturn(NamedTuple):
    """One return: whose sales it nets, and how it is filed."""

    id: str
    owners: frozenset[str]
    status: FilingStatus


class TaxSource(NamedTuple):
    """What the tax commands look at, from wherever it came.

    `tax` are the household's rates and answers, None where only transactions are known and nobody
    gave any. `identity` and `groups` say what is identical. `prices` are the prices now of what is
    held, as far as they are known; `today` is the date that the figures are of. `incomplete` says
    by account why its records may not be whole; `notes` are remarks on the files read;
    `is_household` whether a household stands behind it.
    """

    title: str
    currency: str
    ledger: Ledger
    accounts: dict[str, TaxAccount]
    returns: tuple[TaxReturn, ...]
    tax: TaxRule | None
    identity: Identity
    level: IdentityLevel
    groups: tuple[tuple[str, ...], ...]
    law: Law
    today: dt.date
    prices: Mapping[str, Price]
    purchases: tuple[PurchaseRule, ...] = ()
    reinvesting: frozenset[str] = frozenset()
    incomplete: Mapping[str, str] = {}
    harvest: HarvestRule = HarvestRule()
    notes: tuple[str, ...] = ()
    is_household: bool = False

    def rows_of(self, one: TaxReturn, sales: Iterable[LotSale]) -> tuple[LotSale, ...]:
        """The sales that belong on a return."""
        return tuple(sale for sale in sales if self.accounts[sale.account].owner in one.owners)


class Told(NamedTuple):
    """What a command was told beside the files, for a source without a household."""

    status: FilingStatus | None = None
    short_term_rate: Price | None = None
    long_term_rate: Price | None = None
    level: IdentityLevel = "same_index"
    on: dt.date | None = None
    accounts: Path | None = None


def from_household(home: Home, clock: Clock, *, on: dt.date | None = None) -> TaxSource:
    """The household of *home*: its journal, and its files for what the journal has not seen yet.

    Nothing is written. Prices that are missing or stale are left out.
    """
    file = read_household(home)
    accounts, instruments = accounts_of(file), instruments_of(file)
    with looking(home, clock=clock, file=file) as house:
        recorder = Recorder(house.journal, clock, load(house.journal), "tax")
        open_books(house, recorder)
        memory = recorder.memory
        prices: dict[str, Price] = {}
        for symbol in sorted(instruments):
            try:
                prices[symbol] = house.prices.quotes([symbol], clock.now())[symbol].price
            except DataSuspect:
                continue
    roles = {name: rule.role for name, rule in file.owners.items()}
    return TaxSource(
        title=file.household.name,
        currency=file.household.base_currency,
        ledger=books_of(memory, file.tax, accounts, instruments),
        accounts={
            name: TaxAccount(id=name, owner=one.owner, role=one.role, kind=one.kind)
            for name, one in accounts.items()
        },
        returns=returns_of(roles, file.tax.filing_status),
        tax=file.tax,
        identity=read_identity(),
        level=file.tax.identity,
        groups=file.tax.identical,
        law=read_law(),
        today=on or trade_date(clock.now()),
        prices=prices,
        purchases=file.purchases,
        reinvesting=frozenset(name for name, rule in file.accounts.items() if rule.reinvests),
        harvest=file.harvest,
        notes=tuple(_removed_notes(memory.history)),
        is_household=True,
    )


def from_transactions(
    files: Sequence[Path],
    clock: Clock,
    *,
    identical: Path | None = None,
    mapping: Path | None = None,
    told: Told = Told(),  # noqa: B008  a value
) -> TaxSource:
    """Plain transactions, without a household: *files* of any kind that an importer knows.

    Raises:
        InputError: a file cannot be used.
        FileFaults: all transactions that the ledger refuses.
    """
    from trimtab.adapters.imports import import_file

    read = [import_file(path, mapping=mapping) for path in files]
    transactions = _in_order(read)
    if told.on is not None:
        transactions = [each for each in transactions if each.date <= told.on]
    if not transactions:
        listed = ", ".join(str(path) for path in files)
        notes = " ".join(note for one in read for note in one.notes)
        msg = f"{listed}: there are no transactions in it. {notes}".rstrip()
        raise InputError(msg)
    described = {} if told.accounts is None else read_accounts(told.accounts)
    accounts = _accounts_of(read, transactions, described)
    coins = frozenset(symbol for one in read for symbol in one.coins)
    identity = read_identity().without(coins)
    extra = () if identical is None else read_identical(identical)
    groups = identity.groups(told.level, extra)
    rates = None
    if told.short_term_rate is not None and told.long_term_rate is not None:
        rates = (told.short_term_rate, told.long_term_rate)
    ledger = Ledger(accounts, WashRule(groups=groups, exempt=coins), rates)
    _fill(ledger, transactions, ", ".join(path.name for path in files))
    roles = {one.owner: one.role for one in accounts.values()}
    return TaxSource(
        title=", ".join(path.name for path in files),
        currency="USD",
        ledger=ledger,
        accounts=accounts,
        returns=returns_of(roles, told.status or _status_of(roles.values())),
        tax=_tax_of(told),
        identity=identity,
        level=told.level,
        groups=groups,
        law=read_law(),
        today=told.on or trade_date(clock.now()),
        prices={},
        notes=tuple(note for one in read for note in one.notes),
    )


def returns_of(roles: Mapping[str, OwnerRole], status: FilingStatus) -> tuple[TaxReturn, ...]:
    """The returns of the *roles* of owners: a joint one, or one for each person.

    Everybody else files a return of their own, taken to be a single one.
    """
    adults = sorted(owner for owner, role in roles.items() if role is not OwnerRole.OTHER)
    others = sorted(owner for owner, role in roles.items() if role is OwnerRole.OTHER)
    if status == "married_filing_separately":
        own = [TaxReturn(owner, frozenset([owner]), status) for owner in adults]
    else:
        own = [TaxReturn("household", frozenset(adults), status)] if adults else []
    return (*own, *(TaxReturn(owner, frozenset([owner]), "single") for owner in others))


def _status_of(roles: Iterable[OwnerRole]) -> FilingStatus:
    return "married_filing_jointly" if OwnerRole.SPOUSE in set(roles) else "single"


def _tax_of(told: Told) -> TaxRule | None:
    if told.short_term_rate is None or told.long_term_rate is None:
        return None
    return TaxRule(
        filing_status=told.status or "single",
        short_term_rate=told.short_term_rate,
        long_term_rate=told.long_term_rate,
    )


def _in_order(read: Sequence[Imported]) -> list[Transaction]:
    """The transactions of all files by date, each named apart where files use the same ids."""
    named: list[Transaction] = []
    for number, one in enumerate(read, start=1):
        prefix = f"{number}:" if len(read) > 1 else ""
        named += [
            replace(each, id=f"{prefix}{each.id}") if prefix else each for each in one.transactions
        ]
    return sorted(named, key=lambda each: each.date)


def _accounts_of(
    read: Sequence[Imported],
    transactions: Iterable[Transaction],
    described: Mapping[str, TaxAccount],
) -> dict[str, TaxAccount]:
    """Every account that is named; one of which nothing is said is the owner's, and taxed."""
    accounts = {one.id: one for each in read for one in each.tax_accounts} | dict(described)
    for transaction in transactions:
        for name in (transaction.account, transaction.to_account):
            if name and name not in accounts:
                accounts[name] = TaxAccount(id=name, owner="self", kind=AccountKind.TAXABLE)
    return accounts


def _fill(ledger: Ledger, transactions: Iterable[Transaction], source: str) -> None:
    refused: list[InputError] = []
    ledger.extend(transactions, refused)
    faults = [str(error).rstrip(".") for error in refused]
    if faults:
        shown = faults[:_FAULTS_MAX]
        if len(faults) > len(shown):
            shown.append(f"and {len(faults) - len(shown)} more: mend these first")
        raise FileFaults(source, shown)


def _removed_notes(history: Iterable[Transaction]) -> Iterable[str]:
    for transaction in history:
        if transaction.kind == "removed":
            yield (
                f"{transaction.quantity:f} {transaction.symbol} left {transaction.account} by "
                f"{transaction.date} without a sale in the records: list it in the file of sales."
            )
