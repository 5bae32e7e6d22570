"""Several files of transactions as one history: what two of them tell counts once, and in order.

Exports of one account overlap, and brokers know nothing of each other's. What comes of it does not
depend on the order in which the files are named.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from trimtab.domain.errors import FileFaults
from trimtab.domain.history import LotSale, Transaction, TransactionKind
from trimtab.domain.trades import LotPick
from trimtab.rules.tax.history_order import by_order
from trimtab.rules.words import listing

_ACQUISITIONS = (
    TransactionKind.BUY,
    TransactionKind.REINVEST,
    TransactionKind.VEST,
    TransactionKind.GIFT,
)
_KINDS_IN_ORDER = (
    TransactionKind.OPENING,
    TransactionKind.SPLIT,
    *_ACQUISITIONS,
    TransactionKind.RESTATED,
    TransactionKind.REMOVED,
    TransactionKind.TRANSFER,
    TransactionKind.CLOSED,
    TransactionKind.SELL,
    TransactionKind.DIVIDEND,
    TransactionKind.REVIEW,
)
_RANKS = {kind: rank for rank, kind in enumerate(_KINDS_IN_ORDER)} | dict.fromkeys(
    _ACQUISITIONS, _KINDS_IN_ORDER.index(TransactionKind.BUY)
)
_LOTS = frozenset({TransactionKind.OPENING, *_ACQUISITIONS})

Content = tuple[object, ...]
Urgency = tuple[int, dt.date, str, str]


class FileHistory(NamedTuple):
    """What one file tells, in its order: `name` as people know the file, each id only once.

    `has_broker_ids` says that its ids are the broker's own, which no other transaction has.
    """

    name: str
    transactions: tuple[Transaction, ...]
    has_broker_ids: bool = False


class Counted(NamedTuple):
    """What each file adds to the history, by the names of the files; and what to know of it."""

    histories: tuple[tuple[Transaction, ...], ...]
    notes: tuple[str, ...]


class _Row:
    """One transaction of the history; it may speak in the words of another file."""

    __slots__ = ("file", "name", "place", "speaker", "transaction")

    def __init__(self, file: int, place: int, transaction: Transaction) -> None:
        """What the file of that number tells at that place."""
        self.file = file
        self.speaker = file
        self.place = place
        self.transaction = transaction
        self.name = transaction.id

    def speak_as(self, other: "_Row") -> None:
        """Take over the words of *other*, which tells the same."""
        self.transaction, self.speaker, self.name = other.transaction, other.file, other.name


class _Matches(NamedTuple):
    """Which rows of one file tell what others have told; `by_content`: not by an id."""

    twins: dict[int, _Row]
    by_content: set[int]


def counted_once(files: Iterable[FileHistory]) -> Counted:
    """What *files* tell together, each transaction once, with ids that are theirs alone.

    Two rows are one transaction if they have one id and say the same, or if they say the same and
    not both have an id of their own: equal rows of a day then count as often as in the file with
    most of them. Lots that a sale names stay those of its own file.

    Raises:
        FileFaults: files tell two different things of one id of a broker.
    """
    ordered = sorted(files, key=lambda one: one.name)
    if len(ordered) == 1:
        return Counted((ordered[0].transactions,), ())
    _check_ids(ordered)
    kept, homes, notes = _kept(ordered)
    kept.sort(key=lambda row: (row.file, row.place))
    _name_apart(kept)
    lots = _LotNames(ordered, homes)
    histories: list[list[Transaction]] = [[] for _ in ordered]
    for row in kept:
        histories[row.file].append(lots.renamed(row))
    return Counted(tuple(map(tuple, histories)), tuple(notes))


def in_order(
    histories: Sequence[Sequence[Transaction]], ages: Mapping[str, dt.date] | None = None
) -> Iterator[Transaction]:
    """The transactions of all *histories* by date; those of one file keep its order.

    On one day nobody knows which file comes first: what is held at the beginning, splits,
    purchases and gifts, transfers, sales, dividends; sales by their *ages* (the day of purchase by
    the id of the sale: 26 CFR 1.1091-1(b)), then by account and symbol.
    """
    days: dict[dt.date, list[list[Transaction]]] = {}
    for number, history in enumerate(histories):
        for transaction in history:
            of_day = days.setdefault(transaction.date, [[] for _ in histories])
            of_day[number].append(transaction)
    for day in sorted(days):
        yield from _day_in_order(days[day], ages or {})


def ages_of(
    histories: Sequence[Sequence[Transaction]], sales: Iterable[LotSale]
) -> dict[str, dt.date]:
    """When what was sold at a loss had been bought, where files tell of such sales of one day.

    *sales* are those of a ledger that was told these *histories*; by the id of the sale.
    """
    oldest: dict[str, dt.date] = {}
    for sale in sales:
        if sale.raw_gain < 0:
            oldest[sale.sale_id] = min(oldest.get(sale.sale_id, sale.acquired), sale.acquired)
    files: dict[dt.date, set[int]] = {}
    for number, history in enumerate(histories):
        for transaction in history:
            if transaction.id in oldest:
                files.setdefault(transaction.date, set()).add(number)
    contested = {day for day, numbers in files.items() if len(numbers) > 1}
    return {
        each.id: oldest[each.id]
        for history in histories
        for each in history
        if each.date in contested and each.id in oldest
    }


# -------------------------------------------------------------------- what counts once


def _check_ids(files: Sequence[FileHistory]) -> None:
    """Raises FileFaults where one id of a broker stands for two different things."""
    first: dict[tuple[str, str], tuple[FileHistory, Transaction]] = {}
    faults: list[str] = []
    named: set[str] = set()
    for file in files:
        if not file.has_broker_ids:
            continue
        for each in file.transactions:
            if not _has_own_id(each):
                continue
            before, other = first.setdefault((each.account, each.id), (file, each))
            if _content(each) != _content(other):
                named |= {before.name, file.name}
                faults.append(
                    f"{other.source or before.name} and {each.source or file.name} tell two "
                    f"different things of {each.id}: leave out the file that is wrong, or make "
                    "CSV files of them with `trimtab import` and correct these"
                )
    if faults:
        raise FileFaults(listing(sorted(named)), faults)


def _kept(
    files: Sequence[FileHistory],
) -> tuple[list[_Row], dict[tuple[int, str], _Row], list[str]]:
    """The rows that count, the row that each id of each file stands for, and notes."""
    days: dict[dt.date, dict[int, list[_Row]]] = {}
    for number, file in enumerate(files):
        for place, each in enumerate(file.transactions):
            of_day = days.setdefault(each.date, {})
            of_day.setdefault(number, []).append(_Row(number, place, each))
    kept: list[_Row] = []
    homes: dict[tuple[int, str], _Row] = {}
    shared: Counter[tuple[int, int]] = Counter()
    by_content: set[tuple[int, int]] = set()
    for of_day in days.values():
        # The file that tells most of a day sets the order of its rows.
        fullest = sorted(of_day.values(), key=lambda rows: (-len(rows), rows[0].file))
        told: list[_Row] = []
        for rows in fullest:
            twins, alike = _matched(rows, told)
            for row in rows:
                twin = twins.get(row.place, row)
                homes[row.file, row.transaction.id] = twin
                if twin is row:
                    continue
                pair = (min(row.file, twin.file), max(row.file, twin.file))
                shared[pair] += 1
                if row.place in alike:
                    by_content.add(pair)
                if _says_more(row.transaction, twin.transaction):
                    twin.speak_as(row)
            told += [row for row in rows if row.place not in twins]
        kept += told
    notes = [
        _note(files[first].name, files[second].name, count, (first, second) in by_content)
        for (first, second), count in sorted(shared.items())
    ]
    return kept, homes, notes


def _matched(rows: Sequence[_Row], told: Sequence[_Row]) -> _Matches:
    """Which of *rows*, of one file and day, others have *told*."""
    twins: dict[int, _Row] = {}
    taken: set[tuple[int, int]] = set()
    same_id = {(row.transaction.id, _content(row.transaction)): row for row in told}
    for row in rows:
        found = same_id.get((row.transaction.id, _content(row.transaction)))
        if found is not None and _has_own_id(row.transaction):
            twins[row.place] = found
            taken.add((found.file, found.place))
    alike: dict[Content, list[_Row]] = {}
    for row in told:
        if (row.file, row.place) not in taken:
            alike.setdefault(_content(row.transaction), []).append(row)
    by_content: set[int] = set()
    for row in rows:
        if row.place in twins:
            continue
        others = alike.get(_content(row.transaction), [])
        is_named = _has_own_id(row.transaction)
        found = next((o for o in others if not (is_named and _has_own_id(o.transaction))), None)
        if found is not None:
            others.remove(found)
            twins[row.place] = found
            by_content.add(row.place)
    return _Matches(twins, by_content)


def _content(each: Transaction) -> Content:
    """What a row says, without its names and remarks."""
    text = each.text if each.kind is TransactionKind.REVIEW else ""
    return (
        *(each.account, each.date, each.kind, each.symbol),
        *(each.quantity, each.amount, each.fee),
        *(each.basis, each.acquired, each.to_account, each.disallowed),
        *(each.numerator, each.denominator, each.per_share, text),
    )


def _has_own_id(each: Transaction) -> bool:
    """Whether its id is more than a count of like rows, or the number of its line."""
    stem = f"{each.date}:{each.account}:{each.kind.value}:{each.symbol}:"
    is_count = each.id.startswith(stem) and each.id.removeprefix(stem).isdigit()
    return not is_count and "/line-" not in each.id


def _says_more(one: Transaction, other: Transaction) -> bool:
    """Whether *one* tells more than *other*: its lots, form, order, or a name of its own."""

    def told(each: Transaction) -> tuple[bool, ...]:
        chooses = bool(each.picks), each.method != "fifo"
        return (*chooses, each.reporting is not None, bool(each.order_id), _has_own_id(each))

    return told(one) > told(other)


def _note(first: str, second: str, count: int, by_content: bool) -> str:  # noqa: FBT001  a flag of the pair
    each = "one transaction, which was" if count == 1 else f"{count} transactions, each"
    note = f"{first} and {second} both tell of {each} counted once"
    if by_content:
        note += "; of rows that are alike on one day as many count as in the file with most of them"
    return f"{note}."


# ------------------------------------------------------------------------------ names


def _name_apart(rows: Sequence[_Row]) -> None:
    """Give rows whose id another row has as well one of their own, with the number of the file."""
    given = Counter(row.name for row in rows)
    taken = set(given)
    for row in rows:
        if given[row.name] == 1:
            continue
        new = f"{row.file + 1}:{row.name}"
        while new in taken:
            new = f"{row.file + 1}:{new}"
        taken.add(new)
        row.name = new


class _LotNames:
    """Finds the lot that a name in a file stands for, as it is called in the whole history."""

    def __init__(self, files: Sequence[FileHistory], homes: Mapping[tuple[int, str], _Row]) -> None:
        """Lots of *files*, in whose places the rows of *homes* stand."""
        self._own: dict[tuple[int, str], str] = {}
        self._all: dict[tuple[str, str], set[str]] = {}
        for number, file in enumerate(files):
            for each in file.transactions:
                if each.kind in _LOTS:
                    name = homes[number, each.id].name
                    self._own[number, each.id] = name
                    self._all.setdefault((each.symbol, each.id), set()).add(name)

    def _lot(self, speaker: int, symbol: str, name: str) -> str:
        """The lot *name* of that file, or of the only other one that has such a lot."""
        own = self._own.get((speaker, name))
        if own is not None:
            return own
        others = self._all.get((symbol, name), set())
        return next(iter(others)) if len(others) == 1 else name

    def renamed(self, row: _Row) -> Transaction:
        """The transaction of *row*, with all names as in the whole history."""
        each, speaker = row.transaction, row.speaker
        picks = tuple(
            LotPick(
                lot_id=self._lot(speaker, each.symbol, pick.lot_id),
                quantity=pick.quantity,
                piece=pick.piece,
            )
            for pick in each.picks
        )
        lot_id = self._lot(speaker, each.symbol, each.lot_id) if each.lot_id else ""
        return replace(each, id=row.name, picks=picks, lot_id=lot_id)


# ------------------------------------------------------------------------------ order


def _day_in_order(
    files: Sequence[Sequence[Transaction]], ages: Mapping[str, dt.date]
) -> Iterator[Transaction]:
    """One day of all *files*: what a file tells later waits for what it tells before."""
    if sum(map(bool, files)) == 1:
        yield from next(of_day for of_day in files if of_day)
        return
    ranked: list[tuple[Urgency, int, int, list[Transaction]]] = []
    for number, of_day in enumerate(files):
        orders = list(by_order(of_day))
        # A row is as urgent as what its file tells after it on that day.
        least: Urgency | None = None
        for place in range(len(orders) - 1, -1, -1):
            own = _urgency(orders[place], ages)
            least = own if least is None else min(least, own)
            ranked.append((least, number, place, orders[place]))
    for _, _, _, fills in sorted(ranked, key=lambda one: one[:3]):
        yield from fills


def _urgency(fills: Sequence[Transaction], ages: Mapping[str, dt.date]) -> Urgency:
    """Where one transaction, or all fills of one order, belongs on its day."""
    first = fills[0]
    age = min((ages[fill.id] for fill in fills if fill.id in ages), default=dt.date.min)
    return _RANKS[first.kind], age, first.account, first.symbol
