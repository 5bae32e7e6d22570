"""OFX and QFX investment statements: positions, cash, trades and income.

Format: Open Financial Exchange, section 13. Such a file names no lots and no cost.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from trimtab.adapters.imports.ofx_trades import OfxRead, Security
from trimtab.adapters.imports.ofx_tree import looks_like_ofx, parse_ofx
from trimtab.domain.imported import Imported, ImportedCash, ImportedPosition

FORMAT = "ofx"

_KINDS = {
    "POSSTOCK": "stock",
    "POSMF": "fund",
    "POSDEBT": "bond",
    "POSOPT": "option",
    "POSOTHER": "other",
}


class _Symbols(NamedTuple):
    """The securities of a file by their id, with the ids whose ticker is not certain."""

    known: dict[str, Security]
    unclear: set[str]


def recognizes_ofx(data: bytes) -> bool:
    """Whether *data* begins like OFX or QFX, of version 1 (SGML) or 2 (XML)."""
    return looks_like_ofx(data)


def read_ofx(path: Path, data: bytes) -> Imported:
    """What the OFX file in *data*, the content of the file at *path*, says.

    `counts` has the statements of each kind, their positions and transactions together, and the
    transactions of each OFX element. A security without a ticker goes by its id (CUSIP).

    Raises:
        FileFaults: it is broken, cut off, hostile, or not as the specification says.
        MissingExtra: ofxtools is not installed.
    """
    file = parse_ofx(path, data)
    statements = [one for one in _investments(file.model) if one is not None]
    symbols = _symbols(_securities(file.model))
    read = OfxRead(path, symbols.known)
    positions: list[ImportedPosition] = []
    cash: list[ImportedCash] = []
    counts: Counter[str] = Counter(file.counts)
    counts.update({"positions": 0, "transactions": 0})
    for statement in statements:
        account = statement.invacctfrom.acctid
        places = statement.invposlist if statement.invposlist is not None else ()
        positions.extend(_position(account, statement.curdef, held, read) for held in places)
        if statement.invbal is not None:
            cash.append(
                ImportedCash(
                    account=account,
                    amount=statement.invbal.availcash,
                    currency=statement.curdef,
                    as_of=statement.dtasof.date(),
                )
            )
        rows = statement.invtranlist if statement.invtranlist is not None else ()
        counts.update(type(row).__name__ for row in rows)
        counts["positions"] += len(statement.invposlist or ())
        counts["transactions"] += len(rows)
        read.add(account, statement.curdef, rows)
    transactions = read.finish()
    notes = [*file.notes, *read.notes, *_symbol_notes(symbols, read.unnamed)]
    if positions:
        notes.append(
            "an OFX file names no lots and no cost: take those from the broker's list of lots"
        )
    return Imported(
        format=FORMAT,
        source=path.name,
        accounts=tuple(dict.fromkeys(one.invacctfrom.acctid for one in statements)),
        as_of=max((one.dtasof.date() for one in statements), default=None),
        positions=tuple(positions),
        transactions=tuple(transactions),
        cash=tuple(cash),
        cash_lines=tuple(sorted(read.cash_lines, key=lambda line: line.date)),
        notes=tuple(notes),
        counts=dict(counts),
        realized_gain=read.realized,
    )


def _investments(model: Any) -> Iterable[Any]:  # noqa: ANN401  ofxtools' objects have no types
    messages = model.invstmtmsgsrsv1
    return () if messages is None else (one.invstmtrs for one in messages)


def _securities(model: Any) -> Iterable[Any]:  # noqa: ANN401  ofxtools' own object
    messages = model.seclistmsgsrsv1
    for group in messages if messages is not None else ():
        if type(group).__name__ == "SECLIST":
            yield from group


def _symbols(securities: Iterable[Any]) -> _Symbols:
    """Securities by id; one that is listed with two tickers keeps its id for a symbol."""
    symbols = _Symbols({}, set())
    for one in securities:
        info = one.secinfo
        own = getattr(one, "secid", None) if type(one).__name__ == "OPTINFO" else None
        security = Security(
            ticker=(info.ticker or "").strip(),
            name=(info.secname or "").strip(),
            underlying=own.uniqueid if own is not None else "",
        )
        before = symbols.known.setdefault(info.secid.uniqueid, security)
        if before.ticker != security.ticker:
            symbols.unclear.add(info.secid.uniqueid)
    for unique_id in symbols.unclear:
        symbols.known[unique_id] = Security()
    return symbols


def _position(
    account: str,
    currency: str,
    held: Any,  # noqa: ANN401  ofxtools' own object
    read: OfxRead,
) -> ImportedPosition:
    place = held.invpos
    quantity = place.units
    if place.postype == "SHORT":
        quantity = -abs(quantity)
    security = read.security(place.secid.uniqueid)
    return ImportedPosition(
        account=account,
        symbol=read.symbol(place.secid.uniqueid),
        quantity=quantity,
        name=security.name,
        cusip=place.secid.uniqueid if place.secid.uniqueidtype == "CUSIP" else "",
        price=place.unitprice,
        value=place.mktval,
        currency=currency if place.currency is None else place.currency.cursym,
        kind=_KINDS[type(held).__name__],
        as_of=place.dtpriceasof.date(),
    )


def _symbol_notes(symbols: _Symbols, unnamed: dict[str, str]) -> list[str]:
    notes = []
    if symbols.unclear:
        listed = ", ".join(sorted(symbols.unclear))
        notes.append(f"{listed}: the file gives two tickers for one id, so the id stands as symbol")
    others = sorted(set(unnamed) - symbols.unclear)
    if others:
        listed = ", ".join(
            f"{unique_id} ({unnamed[unique_id]})" if unnamed[unique_id] else unique_id
            for unique_id in others
        )
        notes.append(f"no ticker in the file for {listed}: the id stands as symbol, write yours")
    return notes
