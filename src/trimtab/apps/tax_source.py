"""Where the tax commands read from: a household's journal and files, or plain transactions."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from trimtab.adapters.accounts import read_accounts
from trimtab.adapters.identity import read_identical, read_identity
from trimtab.adapters.law import read_law
from trimtab.apps.home import Home, looking, read_household
from trimtab.apps.observed import observe
from trimtab.apps.tax_accounts import Descriptions, ToldFile, accounts_of, coins_of
from trimtab.domain import household
from trimtab.domain.errors import DataSuspect, FileFaults, InputError
from trimtab.domain.history import LotSale, TaxAccount, Transaction, WashRule
from trimtab.domain.identity import Groups, Identity, IdentityLevel
from trimtab.domain.law import Law
from trimtab.domain.numbers import Price
from trimtab.domain.policy import FilingStatus, HarvestRule, PurchaseRule, TaxRule
from trimtab.domain.ports import Clock
from trimtab.domain.values import OwnerRole, trade_date
from trimtab.rules.tax.books import books_of, tax_accounts
from trimtab.rules.tax.chronology import in_order as in_order_of_days
from trimtab.rules.tax.chronology import on_their_days
from trimtab.rules.tax.dividends import Distribution
from trimtab.rules.tax.ledger import Ledger
from trimtab.rules.tax.merging import FileHistory, ages_of, counted_once, in_order
from trimtab.rules.words import listing

_FAULTS_MAX = 50
_OWN_FORMAT = "generic_"
Histories = Sequence[Sequence[Transaction]]


_LONG_TERM_DISTRIBUTIONS = ("long-term capital gain distribution", "capital gain distribution")
"""What an importer calls such a distribution; some brokers do not say its term."""


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
    `is_household` whether a household stands behind it. `mapping` is the file that says how a CSV
    that nobody recognizes is read, a broker's list too.
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
    distributions: tuple[Distribution, ...] = ()
    mapping: Path | None = None

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
    """The household of *home*: its journal, and what it has not seen yet of files and brokers.

    Nothing is written. Prices that are missing or stale are left out.
    """
    file = read_household(home)
    accounts, instruments = household.accounts_of(file), household.instruments_of(file)
    with looking(home, clock=clock, file=file) as house:
        memory = observe(house, "tax").memory
        prices: dict[str, Price] = {}
        for symbol in sorted(instruments):
            try:
                prices[symbol] = house.prices.quotes([symbol], clock.now())[symbol].price
            except DataSuspect:
                continue
    roles = {name: rule.role for name, rule in file.owners.items()}
    described = tax_accounts(accounts.values())
    return TaxSource(
        title=file.household.name,
        currency=file.household.base_currency,
        ledger=books_of(memory, file.tax, accounts, instruments),
        accounts=described,
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
        notes=tuple(
            _removed_notes(in_order_of_days(memory.history, tax_accounts(accounts.values())))
        ),
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

    What two files tell counts once, and the order in which they are named does not matter. The
    *mapping* serves those that no importer recognizes.

    Raises:
        InputError: a file cannot be used, or is given twice.
        FileFaults: files contradict each other, or all transactions that the ledger refuses.
    """
    from trimtab.adapters.imports.source import require_ordinary

    read = _read(files, mapping)
    title = ", ".join(path.name for path in files)
    told_accounts = Descriptions()
    if told.accounts is not None:
        require_ordinary(told.accounts)
        told_accounts = Descriptions(told.accounts, read_accounts(told.accounts))
    counted = counted_once(_history(file) for file in read)
    histories = _until(counted.histories, told.on, read)
    accounts = accounts_of(read, told_accounts)
    listings = read_identity()
    coins, unclear = coins_of(read, accounts, listings.listings)
    identity = listings.without(coins)
    groups = identity.groups(told.level, _own_groups(identical, histories, identity))
    rates = None
    if told.short_term_rate is not None and told.long_term_rate is not None:
        rates = (told.short_term_rate, told.long_term_rate)
    rule = WashRule(groups=groups, exempt=coins)
    roles = {one.owner: one.role for one in accounts.values()}
    return TaxSource(
        title=title,
        currency="USD",
        ledger=_filled(lambda: Ledger(accounts, rule, rates), histories, title),
        accounts=accounts,
        returns=returns_of(roles, told.status or _status_of(roles.values())),
        tax=_tax_of(told),
        identity=identity,
        level=told.level,
        groups=groups,
        law=read_law(),
        today=told.on or trade_date(clock.now()),
        prices={},
        notes=(
            *(note for file in read for note in file.imported.notes),
            *counted.notes,
            *_nameless(read),
            *unclear,
            *_unused(mapping, read),
        ),
        mapping=mapping,
        distributions=tuple(
            Distribution(line.account, line.symbol, line.date)
            for file in read
            for line in file.imported.cash_lines
            if line.kind in _LONG_TERM_DISTRIBUTIONS and line.symbol
        ),
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


def _read(files: Sequence[Path], mapping: Path | None) -> list[ToldFile]:
    """All *files*, by the names that tell them apart.

    Raises:
        InputError: one cannot be used, or two are the same.
    """
    from trimtab.adapters.imports import import_file
    from trimtab.adapters.imports.source import read_source

    seen: dict[str, Path] = {}
    for path in files if len(files) > 1 else ():
        keys = (sha256(read_source(path).data).hexdigest(), str(path.resolve()))
        first = next((seen[key] for key in keys if key in seen), None)
        if first is not None:
            one = f"{first} and {path} are one and the same file"
            what = f"{path} is given twice" if first == path else one
            msg = f"{what}: give it once with --transactions."
            raise InputError(msg)
        seen |= dict.fromkeys(keys, path)
    names = [path.name for path in files]
    is_clear = len(set(names)) == len(names)
    return [
        ToldFile(path.name if is_clear else str(path), import_file(path, fallback=mapping))
        for path in files
    ]


def _history(file: ToldFile) -> FileHistory:
    """What one file tells; the ids in a CSV of one's own are not the broker's."""
    own = file.imported.format.startswith(_OWN_FORMAT)
    return FileHistory(file.name, file.imported.transactions, has_broker_ids=not own)


def _until(
    histories: Histories, day: dt.date | None, read: Sequence[ToldFile]
) -> tuple[tuple[Transaction, ...], ...]:
    """What happened until that *day*.

    Raises:
        InputError: nothing did.
    """
    dates = [each.date for history in histories for each in history]
    listed = ", ".join(file.name for file in read)
    if not dates:
        notes = " ".join(note for file in read for note in file.imported.notes)
        msg = f"{listed}: there are no transactions in it. {notes}".rstrip()
        raise InputError(msg)
    if day is None:
        return tuple(map(tuple, histories))
    if day < min(dates):
        all_are = f"all {len(dates)} transactions are"
        count = "its only transaction is" if len(dates) == 1 else all_are
        msg = (
            f"{listed}: {count} after {day}, the first on {min(dates)}: name that day or a later "
            "one with --on."
        )
        raise InputError(msg)
    return tuple(tuple(each for each in history if each.date <= day) for history in histories)


def _own_groups(path: Path | None, histories: Histories, identity: Identity) -> Groups:
    """The groups in the file at *path*, with the symbols as the records and listings write them."""
    from trimtab.adapters.imports.source import require_ordinary

    if path is None:
        return ()
    require_ordinary(path)
    known = {each.symbol for history in histories for each in history}
    return read_identical(path, [*identity.listings, *sorted(known)])


def _filled(new: Callable[[], Ledger], histories: Histories, source: str) -> Ledger:
    """A *new* ledger that was told all *histories*.

    Losses of one day that several files tell of come in the order in which the units were bought
    (26 CFR 1.1091-1(b)). What was bought when, only a ledger knows: a second one is told better.

    Raises:
        FileFaults: it refuses some.
    """
    ordered = on_their_days(in_order(histories))
    ledger = new()
    _fill(ledger, ordered, source)
    if len(histories) == 1:
        return ledger
    ages = ages_of(histories, ledger.sales())
    by_age = on_their_days(in_order(histories, ages)) if ages else ordered
    if [each.id for each in by_age] != [each.id for each in ordered]:
        ledger = new()
        _fill(ledger, by_age, source)
    return ledger


def _fill(ledger: Ledger, transactions: Iterable[Transaction], source: str) -> None:
    refused: list[InputError] = []
    ledger.extend(transactions, refused)
    faults = [str(error).rstrip(".") for error in refused]
    if faults:
        shown = faults[:_FAULTS_MAX]
        if len(faults) > len(shown):
            shown.append(f"and {len(faults) - len(shown)} more: mend these first")
        raise FileFaults(source, shown)


def _nameless(read: Sequence[ToldFile]) -> Iterable[str]:
    """Files that name no account, each taken for one, and tell of the same transactions."""
    for first, second in combinations(read, 2):
        one, other = (
            {
                (each.date, each.kind, each.symbol, each.quantity, each.amount, each.fee)
                for each in file.imported.transactions
                if each.account == file.imported.source
            }
            for file in (first, second)
        )
        if one & other and first.imported.source != second.imported.source:
            yield (
                f"{first.name} and {second.name} name no account, so each is taken for one of its "
                f"own (equal transactions in both: {len(one & other)}); where they are one "
                "account, write its name into a column account, or they count twice."
            )


def _unused(mapping: Path | None, read: Sequence[ToldFile]) -> Iterable[str]:
    """That no file needed the *mapping*."""
    if mapping is not None and not any(
        file.imported.format.startswith(_OWN_FORMAT) for file in read
    ):
        files = listing([file.name for file in read])
        yield f"{mapping} was not used for {files}: trimtab knows what these are."


def _removed_notes(history: Iterable[Transaction]) -> Iterable[str]:
    for transaction in history:
        if transaction.kind == "removed":
            yield (
                f"{transaction.quantity:f} {transaction.symbol} left {transaction.account} by "
                f"{transaction.date} without a sale in the records: list it in the file of sales."
            )
