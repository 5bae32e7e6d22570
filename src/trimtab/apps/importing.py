"""A broker's file turned into files of our own: transactions, and the lots of a household."""

import csv
import io
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from trimtab.adapters.identity import read_identity
from trimtab.apps.views.figures import counted
from trimtab.apps.views.imported import TRANSACTION_COLUMNS, transaction_document
from trimtab.apps.views.tax_reconcile import csv_cell
from trimtab.domain.errors import FileFaults, InputError
from trimtab.domain.history import TaxAccount, TaxLot, TransactionKind, WashRule
from trimtab.domain.imported import Imported, ImportedLot
from trimtab.domain.numbers import GRAIN, ZERO, Quantity
from trimtab.rules.tax.ledger import Ledger
from trimtab.rules.words import listing

LOT_COLUMNS = ("account", "symbol", "quantity", "cost", "acquired", "holding_since", "id")
"""The columns of lots.csv, as `trimtab.adapters.files` reads them."""
_CURRENCY = "USD"
_FAULTS_MAX = 20
_ID = re.compile(r"\w[\w .:/+-]{0,99}")


def renamed(imported: Imported, names: Mapping[str, str]) -> Imported:
    """*imported* with our names of its accounts, by the broker's.

    The file's own name stands for an account that it does not name.

    Raises:
        InputError: a name is none of the file's.
    """
    keys = {one or imported.source for one in _accounts(imported)}
    strange = [name for name in names if name not in keys]
    if strange:
        msg = (
            f"--account-map: {imported.source} has no account {strange[0]!r}: write one of "
            f"{', '.join(sorted(keys))}."
        )
        raise InputError(msg)

    def ours(account: str) -> str:
        return names.get(account or imported.source, account)

    return replace(
        imported,
        accounts=tuple(dict.fromkeys(ours(one) for one in imported.accounts)),
        positions=tuple(replace(one, account=ours(one.account)) for one in imported.positions),
        lots=tuple(replace(one, account=ours(one.account)) for one in imported.lots),
        transactions=tuple(
            replace(
                one,
                account=ours(one.account),
                to_account=ours(one.to_account) if one.to_account else "",
            )
            for one in imported.transactions
        ),
        sales=tuple(replace(one, account=ours(one.account)) for one in imported.sales),
        cash=tuple(replace(one, account=ours(one.account)) for one in imported.cash),
        cash_lines=tuple(replace(one, account=ours(one.account)) for one in imported.cash_lines),
        tax_accounts=tuple(replace(one, id=ours(one.id)) for one in imported.tax_accounts),
    )


def transactions_csv(imported: Imported) -> str:
    """The transactions as the CSV that `--transactions` reads again.

    Raises:
        InputError: there is none.
    """
    if not imported.transactions:
        msg = (
            f"{imported.source} ({imported.format}) holds no transactions: take the broker's "
            "history or activity export. Nothing was written."
        )
        raise InputError(msg)
    accounts = {one.id: one for one in imported.tax_accounts}
    rows = []
    for one in imported.transactions:
        document = transaction_document(one, accounts.get(one.account))
        rows.append([csv_cell(getattr(document, name)) for name in TRANSACTION_COLUMNS])
    return _csv(TRANSACTION_COLUMNS, rows)


def lots_csv(imported: Imported) -> tuple[str, tuple[str, ...]]:
    """The open lots as the lots.csv of a household, and what to know of them.

    They are those that the file lists, or else what its transactions leave, wash sales counted.

    Raises:
        InputError: neither is there, or nothing is left.
        FileFaults: lots lack what lots.csv needs, or the transactions do not add up.
    """
    if imported.lots:
        return _csv(LOT_COLUMNS, _listed_rows(imported)), ()
    if not imported.transactions:
        msg = (
            f"{imported.source} ({imported.format}) holds neither lots nor transactions, and "
            "positions do not say what was bought when: take the broker's list of lots (cost "
            "basis by lot) or its whole history. Nothing was written."
        )
        raise InputError(msg)
    lots = _ledger(imported).lots()
    if not lots:
        msg = f"the transactions of {imported.source} leave nothing. Nothing was written."
        raise InputError(msg)
    _check_positions(imported, lots)
    return _csv(LOT_COLUMNS, _left_rows(lots)), tuple(_left_notes(imported, lots))


def write_files(texts: Mapping[Path, str], options: Mapping[Path, str]) -> None:
    """Write every one of *texts*, or none; a file that is there already is left as it is.

    Raises:
        InputError: a file is there already, or cannot be written; *options* is what named it.
    """
    for path in texts:
        if path.exists():
            msg = (
                f"{path} is there already and was left as it is: name a new file with "
                f"{options[path]}, or move the old one away. Nothing was written."
            )
            raise InputError(msg)
    drafts = {path: path.with_name(f"{path.name}.partial") for path in texts}
    placed: list[Path] = []
    try:
        for path, text in texts.items():
            drafts[path].write_text(text, encoding="utf-8", newline="")
        for path, draft in drafts.items():
            os.link(draft, path)
            placed.append(path)
    except OSError as error:
        for path in placed:
            path.unlink(missing_ok=True)
        named = ", ".join(f"{path} ({options[path]})" for path in texts)
        msg = f"{named} cannot be written ({error.strerror}): name another file. None was."
        raise InputError(msg) from error
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)


def _accounts(imported: Imported) -> set[str]:
    return {
        *imported.accounts,
        *(one.account for one in imported.positions),
        *(one.account for one in imported.lots),
        *(one.account for one in imported.transactions),
        *(one.account for one in imported.sales),
        *(one.account for one in imported.cash),
        *(one.account for one in imported.cash_lines),
    }


def _listed_rows(imported: Imported) -> list[list[str]]:
    faults: list[str] = []
    rows = []
    for one in imported.lots:
        faults += _lacking(one)
        rows.append(
            [
                csv_cell(one.account),
                csv_cell(one.symbol),
                f"{one.quantity:f}",
                "" if one.basis is None else f"{one.basis:f}",
                "" if one.acquired is None else f"{one.acquired}",
                "" if one.holding_since in {None, one.acquired} else f"{one.holding_since}",
                "",
            ]
        )
    if faults:
        raise FileFaults(f"{imported.source}, of which nothing was written", faults)
    return rows


def _lacking(one: ImportedLot) -> Iterable[str]:
    """What a lot lacks to stand in lots.csv."""
    name = f"{one.quantity:f} {one.symbol or '(no symbol)'} in {one.account or '(no account)'}"
    if not one.symbol:
        yield f"{name}: no symbol: add it to the file"
    if one.quantity <= 0:
        yield f"{name}: a short position, which lots.csv cannot hold: take the line out"
    if one.acquired is None:
        yield f"{name}: no day of purchase: ask the broker, and add it to the file"
    if one.basis is None:
        yield f"{name}: no cost: ask the broker, and add it to the file"
    if one.currency != _CURRENCY:
        yield f"{name}: its cost is in {one.currency}: write it in {_CURRENCY}"


def _check_positions(imported: Imported, lots: Iterable[TaxLot]) -> None:
    """A history that begins late leaves fewer units than the broker lists.

    Raises:
        FileFaults: it does.
    """
    left = _units(lots)
    faults = [
        f"{held.quantity:f} {held.symbol} are held in {held.account}, and the transactions leave "
        f"{left[held.account, held.symbol]:f}: take the whole history"
        for held in imported.positions
        if left.get((held.account, held.symbol), held.quantity) != held.quantity
    ]
    if faults:
        raise FileFaults(f"{imported.source}, of which nothing was written", faults)


def _left_notes(imported: Imported, lots: Iterable[TaxLot]) -> Iterable[str]:
    yield (
        "The lots are what the transactions leave, sold first in, first out where the file names "
        "none, with wash sales in their costs: compare them with the broker's."
    )
    unjudged = [one for one in imported.transactions if one.kind is TransactionKind.REVIEW]
    if unjudged:
        symbols = listing(sorted({one.symbol or "no symbol" for one in unjudged}))
        yield (
            f"{counted(len(unjudged), 'line')} that no rule judges ({symbols}) changed nothing in "
            "them: look at each."
        )
    left = _units(lots)
    missing = [
        held.symbol for held in imported.positions if (held.account, held.symbol) not in left
    ]
    if missing:
        yield (
            f"Held, but without a transaction that tells of a purchase: {listing(missing)}. Add "
            "their lots by hand."
        )


def _units(lots: Iterable[TaxLot]) -> dict[tuple[str, str], Quantity]:
    held: dict[tuple[str, str], Quantity] = {}
    for lot in lots:
        key = (lot.account, lot.symbol)
        held[key] = held.get(key, ZERO) + lot.quantity
    return held


def _left_rows(lots: Sequence[TaxLot]) -> list[list[str]]:
    """What the transactions leave: one row for each piece of a lot."""
    pieces = Counter((lot.account, lot.lot_id) for lot in lots)
    shared = Counter(lot.lot_id for lot in lots)
    numbers: Counter[tuple[str, str]] = Counter()
    rows = []
    for lot in lots:
        key = (lot.account, lot.lot_id)
        numbers[key] += 1
        name = f"{lot.lot_id}/{numbers[key]}" if pieces[key] > 1 else lot.lot_id
        is_known = bool(_ID.fullmatch(name)) and shared[lot.lot_id] == pieces[key]
        rows.append(_left_row(lot, name if is_known else ""))
    return rows


def _left_row(lot: TaxLot, name: str) -> list[str]:
    since = "" if lot.holding_since == lot.acquired else f"{lot.holding_since}"
    cost = lot.basis.quantize(GRAIN).normalize()
    return [
        csv_cell(lot.account),
        csv_cell(lot.symbol),
        f"{lot.quantity:f}",
        f"{cost:f}",
        f"{lot.acquired}",
        since,
        csv_cell(name),
    ]


def _ledger(imported: Imported) -> Ledger:
    accounts = {one.id: one for one in imported.tax_accounts}
    for one in imported.transactions:
        for name in (one.account, one.to_account):
            accounts.setdefault(name, TaxAccount(id=name, owner="self"))
    groups = read_identity().without(imported.coins).groups("same_index")
    ledger = Ledger(accounts, WashRule(groups=groups, exempt=imported.coins))
    faults = []
    for one in imported.transactions:
        try:
            ledger.apply(one)
        except InputError as error:
            faults.append(str(error).rstrip("."))
    if faults:
        shown = faults[:_FAULTS_MAX]
        if len(faults) > len(shown):
            shown.append(f"and {len(faults) - len(shown)} more")
        raise FileFaults(f"{imported.source}, of which nothing was written", shown)
    return ledger


def _csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
