"""Whose accounts are which: a CSV file beside transactions that name accounts only."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from trimtab.adapters.delimited import Faults, find_columns, nearest, quoted, read_sheet
from trimtab.domain.history import TaxAccount
from trimtab.domain.values import AccountKind, OwnerRole

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "account": ("account", "account id", "account number", "account name"),
    "owner": ("owner", "person", "holder"),
    "role": ("role",),
    "kind": ("kind", "account kind", "type", "account type"),
}
KINDS: Mapping[str, AccountKind] = {
    **{kind.value.replace("_", " "): kind for kind in AccountKind},
    "brokerage": AccountKind.TAXABLE,
    "individual": AccountKind.TAXABLE,
    "joint": AccountKind.TAXABLE,
    "ira": AccountKind.TRADITIONAL_IRA,
    "traditional": AccountKind.TRADITIONAL_IRA,
    "roth": AccountKind.ROTH_IRA,
    "401 k": AccountKind.PLAN_401K,
}
"""What an account may be called, in small letters with one space between words."""
_ROLES = {role.value: role for role in OwnerRole}


class Described(NamedTuple):
    """An account as a line of the file describes it; `said` are the columns that are not empty."""

    account: TaxAccount
    line: int
    said: frozenset[str]


def read_accounts(path: Path) -> dict[str, Described]:
    """The accounts that the file at *path* describes: account, owner, role and kind.

    A role left out is `self`, a kind left out `taxable`; an IRA may be an `ira` or a `roth`.

    Raises:
        InputError: there is no such file.
        FileFaults: anything in it cannot be used.
    """
    faults = Faults(str(path))
    sheet = read_sheet(path, (name for names in COLUMNS.values() for name in names), faults)
    columns = find_columns(sheet.header, COLUMNS, faults)
    missing = [name for name in ("account", "owner") if name not in columns]
    if missing:
        faults.add(f"line 1: no column says {' nor '.join(missing)}: add it")
        faults.raise_if_any()
    accounts: dict[str, Described] = {}
    roles: dict[str, OwnerRole] = {}
    for line, cells in zip(sheet.lines, sheet.rows, strict=True):
        row = {name: cells[at] for name, at in columns.items()}
        account = _account(row, f"line {line}", faults)
        if account is None:
            continue
        if account.id in accounts:
            faults.add(f"line {line}: {quoted(account.id)} is described twice: keep one line")
        if roles.setdefault(account.owner, account.role) is not account.role:
            faults.add(
                f"line {line}, role: {account.owner} is {roles[account.owner]} above: write the "
                "same role on each line of one owner"
            )
        said = frozenset(name for name, text in row.items() if text)
        accounts[account.id] = Described(account, line, said)
    faults.raise_if_any()
    return accounts


def _account(row: Mapping[str, str], where: str, faults: Faults) -> TaxAccount | None:
    """The account on one line; None after a fault."""
    before = len(faults.sentences)
    for name in ("account", "owner"):
        if not row[name]:
            faults.add(f"{where}, {name}: is empty: write it")
    role = row.get("role", "").casefold() or OwnerRole.SELF.value
    kind = " ".join(re.split(r"[^0-9a-z]+", row.get("kind", "").casefold())).strip()
    kind = kind or AccountKind.TAXABLE.value
    if role not in _ROLES:
        faults.add(f"{where}, role: {quoted(role)} is not known: {nearest(role, _ROLES)}")
    if kind not in KINDS:
        known = [one.value for one in AccountKind]
        faults.add(f"{where}, kind: {quoted(row['kind'])} is not known: {nearest(kind, known)}")
    if len(faults.sentences) > before:
        return None
    return TaxAccount(id=row["account"], owner=row["owner"], role=_ROLES[role], kind=KINDS[kind])
