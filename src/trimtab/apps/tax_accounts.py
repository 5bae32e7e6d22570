"""Whose accounts are which, out of what several files say of them; and what they hold of coins."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from trimtab.adapters.accounts import Described
from trimtab.adapters.delimited import nearest, quoted
from trimtab.domain.errors import FileFaults
from trimtab.domain.history import TaxAccount, Transaction
from trimtab.domain.imported import Imported
from trimtab.domain.values import AccountKind, OwnerRole

_SELF = "self"
"""The owner of an account of which nobody says whose it is."""


class ToldFile(NamedTuple):
    """A file that was read, and what it is called among the others."""

    name: str
    imported: Imported


class Descriptions(NamedTuple):
    """What the file at `path` says of accounts; nothing where there is none."""

    path: Path | None = None
    accounts: Mapping[str, Described] = {}


class _Saying(NamedTuple):
    """What one file says of one account; None where it does not say it, or may not have."""

    file: str
    owner: str | None
    role: OwnerRole | None
    kind: AccountKind | None
    may_be_left_out: bool = False


def accounts_of(read: Sequence[ToldFile], described: Descriptions) -> dict[str, TaxAccount]:
    """Every account that *read* name; one of which nothing is said is the owner's, and taxed.

    Raises:
        FileFaults: two files say different things, or what is described is no account of theirs.
    """
    named = dict.fromkeys(name for file in read for name in _names(file.imported))
    faults = list(_strangers(named, described))
    sayings: dict[str, list[_Saying]] = {name: [] for name in named}
    for file in read:
        for told in file.imported.tax_accounts:
            sayings.setdefault(told.id, []).append(_told(file.name, told))
    for name, one in described.accounts.items():
        sayings.setdefault(name, []).append(_described(described.path, one))
    accounts = {name: _account(name, said, faults) for name, said in sayings.items()}
    roles = _roles(accounts.values(), faults)
    if faults:
        files = [file.name for file in read]
        raise FileFaults(
            ", ".join([*files, *([str(described.path)] * bool(described.path))]), faults
        )
    return {
        name: TaxAccount(id=name, owner=one.owner, role=roles[one.owner], kind=one.kind)
        for name, one in accounts.items()
    }


def coins_of(
    read: Sequence[ToldFile], accounts: Mapping[str, TaxAccount], listed: Collection[str]
) -> tuple[frozenset[str], tuple[str, ...]]:
    """The symbols that are coins, and a note on each of which it is not clear.

    They are those that a file calls coins, and what is traded in crypto accounts; but a symbol
    *listed* on an exchange that other accounts trade too is taken for the security: wash sales
    count there (26 USC 1091), and leaving them out would be the dearer mistake.
    """
    told = {symbol for file in read for symbol in file.imported.coins}
    wallets: set[str] = set()
    elsewhere: set[str] = set()
    for transaction in _transactions(read):
        for name in filter(None, (transaction.account, transaction.to_account)):
            is_wallet = accounts[name].kind is AccountKind.CRYPTO
            (wallets if is_wallet else elsewhere).add(transaction.symbol)
    unclear = wallets & elsewhere & set(listed) - told
    notes = tuple(
        f"{symbol} is traded in a crypto account and in others, and a listed security has that "
        "symbol: it was taken for the security, so that wash sales count. If it is the coin, say "
        "so in a CSV with the column class (crypto)."
        for symbol in sorted(unclear)
    )
    return frozenset(told | wallets - unclear - {""}), notes


def _transactions(read: Iterable[ToldFile]) -> Iterator[Transaction]:
    for file in read:
        yield from file.imported.transactions


def _names(imported: Imported) -> Iterator[str]:
    """The accounts that a file names, those of its transactions first."""
    for transaction in imported.transactions:
        yield transaction.account
        if transaction.to_account:
            yield transaction.to_account
    yield from imported.accounts
    yield from (one.id for one in imported.tax_accounts)


def _strangers(named: Iterable[str], described: Descriptions) -> Iterator[str]:
    known = list(named)
    for name, one in described.accounts.items():
        if name not in known:
            yield (
                f"{described.path} line {one.line}: the transactions name no account "
                f"{quoted(name)}: {nearest(name, known)}"
            )


def _told(file: str, told: TaxAccount) -> _Saying:
    """What a CSV of one's own says: it fills in `self` and `taxable` where it says nothing."""
    is_named = told.owner != _SELF
    is_self = told.role is OwnerRole.SELF
    is_filled = told.kind is AccountKind.TAXABLE and (is_named or not is_self)
    return _Saying(
        file,
        told.owner if is_named else None,
        None if is_self else told.role,
        told.kind,
        may_be_left_out=is_filled,
    )


def _described(path: Path | None, one: Described) -> _Saying:
    account, said = one.account, one.said
    return _Saying(
        f"{path} line {one.line}",
        account.owner,
        account.role if "role" in said else None,
        account.kind if "kind" in said else None,
    )


def _account(name: str, said: Sequence[_Saying], faults: list[str]) -> TaxAccount:
    """One account as all files say it; what they say differently goes to *faults*."""
    owners = {one.owner: one.file for one in said if one.owner is not None}
    roles = {one.role: one.file for one in said if one.role is not None}
    kinds = {
        one.kind: f"{one.file} (or not said there)" if one.may_be_left_out else one.file
        for one in said
        if one.kind is not None
    }
    faults += _contradictions(name, "owner", owners)
    faults += _contradictions(name, "role", roles)
    faults += _contradictions(name, "kind", kinds)
    return TaxAccount(
        id=name,
        owner=next(iter(owners), _SELF),
        role=next(iter(roles), OwnerRole.SELF),
        kind=next(iter(kinds), AccountKind.TAXABLE),
    )


def _contradictions(account: str, what: str, claims: Mapping[Any, str]) -> Iterator[str]:
    """A sentence where files say different things; *claims* is who says each of them."""
    if len(claims) > 1:
        told = " and ".join(f"{value} in {file}" for value, file in claims.items())
        yield f"{quoted(account)}, {what}: is {told}: write the same in each"


def _roles(accounts: Iterable[TaxAccount], faults: list[str]) -> dict[str, OwnerRole]:
    """The role of each owner: a spouse is one in every account, where it is said only once."""
    found: dict[str, dict[OwnerRole, str]] = {}
    for account in accounts:
        found.setdefault(account.owner, {}).setdefault(account.role, account.id)
    roles: dict[str, OwnerRole] = {}
    for owner, told in found.items():
        if OwnerRole.SPOUSE in told:
            told.pop(OwnerRole.SELF, None)
        if len(told) > 1:
            where = " and ".join(f"{role} in {quoted(name)}" for role, name in told.items())
            faults.append(f"the role of {owner} is {where}: write the same for each account")
        roles[owner] = next(iter(told))
    return roles
