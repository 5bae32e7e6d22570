"""The household's history in the order in which it happened, out of what was told of it.

A journal learns late: files tell of lots that were bought before it began, of sales after the
units are gone from the list, of units that moved from one account to another. The ledger is told
each thing on its own day, so that it does not matter when somebody asked.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from trimtab.domain.history import TaxAccount, Transaction, TransactionKind
from trimtab.domain.numbers import CENT, ZERO
from trimtab.rules.tax.told_sales import with_told_sales

_MOVE_DAYS = 14
"""By how many days two files may tell of one transfer apart."""
_BIRTHS = {TransactionKind.OPENING, TransactionKind.BUY}
_UNTIL = " until "
"""Between the name of a lot that is gone, or told anew, and the day of that."""
_LAST = {TransactionKind.REMOVED: 2, TransactionKind.RESTATED: 3}
"""What the books say at the end of a day comes after what was done on it."""


def in_order(
    history: Sequence[Transaction], accounts: Mapping[str, TaxAccount]
) -> tuple[Transaction, ...]:
    """*history*, in the order in which the journal learned of it, each thing on its day.

    A sale that a file tells of takes the units that are gone from its account; units that left one
    account and came to another of the same person's household moved.
    """
    facts = _corrected(_named(history))
    return on_their_days(_moved(facts, accounts))


def on_their_days(facts: Iterable[Transaction]) -> tuple[Transaction, ...]:
    """*facts* by their days; what was held when the records began was bought on its own day.

    A sale from before the records is one of the units that it names.

    Sales of one day that files tell of come in the order of their purchases (26 CFR 1.1091-1(b)).
    """
    splits: dict[tuple[str, str], dt.date] = {}
    dated: list[tuple[tuple[dt.date, int, dt.date, int], Transaction]] = []
    for number, fact in enumerate(with_told_sales(tuple(facts))):
        place, day = (fact.account, fact.symbol), fact.date
        rank, age = _LAST.get(fact.kind, 0), dt.date.min
        if fact.kind is TransactionKind.OPENING:
            day = min(day, fact.acquired or day)
        elif fact.kind is TransactionKind.SPLIT:
            splits[place] = fact.date
        elif fact.kind in {TransactionKind.BUY, TransactionKind.SELL} and fact.source == "journal":
            # Its units are those of the day on which it was booked, after the splits until then.
            day = max(day, splits.get(place, dt.date.min))
        elif fact.kind is TransactionKind.SELL and fact.acquired is not None:
            rank, age = 1, fact.acquired
        kept = fact if day == fact.date else replace(fact, date=day)
        dated.append(((day, rank, age, number), kept))
    return tuple(fact for _, fact in sorted(dated, key=lambda one: one[0]))


def _named(history: Sequence[Transaction]) -> list[Transaction]:
    """*history* with every lot under the name that it bears in the end.

    A name that is given to another lot was borne by one that is gone: that one is called otherwise.
    """
    facts: list[Transaction] = []
    borne: set[tuple[str, str]] = set()
    batch: dict[str, str] = {}

    def call(account: str, names: Mapping[str, str]) -> None:
        facts[:] = _with_names(facts, account, names)
        borne.difference_update({(account, name) for name in names})
        borne.update({(account, name) for name in names.values()})

    for number, fact in enumerate(history):
        if fact.kind is TransactionKind.RENAMED:
            batch[fact.lot_id] = fact.text
            following = history[number + 1] if number + 1 < len(history) else None
            is_last = (
                following is None
                or following.kind is not TransactionKind.RENAMED
                or (following.account, following.date) != (fact.account, fact.date)
            )
            if is_last:
                gone = {name: f"{name}{_UNTIL}{fact.date}" for name in batch.values()}
                call(fact.account, {**gone, **batch})
                batch = {}
            continue
        bearer = (fact.account, fact.lot_id)
        if fact.kind is TransactionKind.OPENING and bearer in borne:
            call(fact.account, {fact.lot_id: f"{fact.lot_id}{_UNTIL}{fact.date} {number}"})
        if fact.kind in _BIRTHS:
            borne.add(bearer)
        facts.append(fact)
    return facts


def _with_names(
    facts: Iterable[Transaction], account: str, names: Mapping[str, str]
) -> list[Transaction]:
    """*facts* with the lots of *account* called by their new *names*."""
    changed = []
    for fact in facts:
        named = fact
        if fact.account == account:
            picks = tuple(
                replace(pick, lot_id=names.get(pick.lot_id, pick.lot_id)) for pick in fact.picks
            )
            lot_id = names.get(fact.lot_id, fact.lot_id)
            if (picks, lot_id) != (fact.picks, fact.lot_id):
                named = replace(fact, picks=picks, lot_id=lot_id)
        changed.append(named)
    return changed


def _corrected(facts: list[Transaction]) -> list[Transaction]:
    """*facts* with lots whose day was corrected as if the right one had been told at once."""
    changed: list[Transaction | None] = list(facts)
    for number, fact in enumerate(facts[1:], start=1):
        left = facts[number - 1]
        is_retold = (
            fact.kind is TransactionKind.OPENING
            and left.kind is TransactionKind.REMOVED
            and left.picks[0].lot_id.startswith(f"{fact.lot_id}{_UNTIL}")
            and (left.account, left.symbol, left.quantity, left.date)
            == (fact.account, fact.symbol, fact.quantity, fact.date)
            and abs((left.basis or ZERO) - (fact.basis or ZERO)) <= CENT
        )
        if not is_retold:
            continue
        old = left.picks[0].lot_id
        first = next(
            (
                n
                for n, one in enumerate(changed)
                if one is not None
                and one.kind is TransactionKind.OPENING
                and (one.account, one.lot_id) == (fact.account, old)
            ),
            None,
        )
        opening = None if first is None else changed[first]
        if first is None or opening is None:
            continue
        changed[first] = replace(opening, acquired=fact.acquired, holding_since=fact.holding_since)
        changed[number - 1] = changed[number] = None
        kept = [one for one in changed if one is not None]
        return _corrected(_with_names(kept, fact.account, {old: fact.lot_id}))
    return [one for one in changed if one is not None]


def _moved(facts: list[Transaction], accounts: Mapping[str, TaxAccount]) -> list[Transaction]:
    """*facts* with a transfer in the place of units that left here and came there."""
    gone: dict[tuple[object, ...], list[int]] = {}
    for number, fact in enumerate(facts):
        if fact.kind is TransactionKind.REMOVED:
            gone.setdefault(_what(fact), []).append(number)
    if not gone:
        return facts
    born: dict[tuple[str, str], int] = {}
    for number, fact in enumerate(facts):
        if fact.kind in _BIRTHS:
            born.setdefault((fact.account, fact.lot_id), number)
    kept: list[Transaction | None] = list(facts)
    for number, fact in enumerate(facts):
        if fact.kind is not TransactionKind.OPENING:
            continue
        candidates = gone.get(_what(fact), [])
        found = next(
            (
                n
                for n in candidates
                if born.get((facts[n].account, facts[n].picks[0].lot_id), number) < number
                and _is_move(facts[n], fact, accounts)
            ),
            None,
        )
        if found is None:
            continue
        candidates.remove(found)
        left = facts[found]
        kept[found] = kept[number] = None
        kept[max(found, number)] = replace(
            left,
            id=f"{fact.lot_id} moved",
            date=max(left.date, fact.date),
            kind=TransactionKind.TRANSFER,
            to_account=fact.account,
            lot_id=fact.lot_id,
        )
    return [fact for fact in kept if fact is not None]


def _what(fact: Transaction) -> tuple[object, ...]:
    """Units by symbol, day and number."""
    return fact.symbol, fact.acquired, fact.quantity


def _is_move(left: Transaction, came: Transaction, accounts: Mapping[str, TaxAccount]) -> bool:
    """Whether what left can be what came: the same cost, about the same time, one taxpayer.

    In one account it is a lot that a list parts in two, on one day.
    """
    here, there = accounts.get(left.account), accounts.get(came.account)
    if here is None or there is None:
        return False
    if here.id == there.id and left.date != came.date:
        return False
    return (
        here.is_taxed == there.is_taxed
        and here.taxpayer == there.taxpayer
        and abs((left.basis or ZERO) - (came.basis or ZERO)) <= CENT
        and abs((left.date - came.date).days) <= _MOVE_DAYS
    )
